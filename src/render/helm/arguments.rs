//! The command line of `helm template`.
//!
//! Rules: Argo CD util/helm/cmd.go `template`, `cleanSetParameters`; repository.go `helmTemplate`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use serde_json::Value;

use super::HelmError;
use super::parameters::{Parameter, SetValues};
use super::strvals::Typing;
use super::values::{Values, ValuesFile};
use crate::app::source::Helm;
use crate::finding::Finding;
use crate::object::yaml;
use crate::render::program::{Home, ProgramError};
use crate::render::{RenderError, RenderInput, capabilities};
use crate::secret::RepoUrl;
use crate::source::fetch_values;

/// The arguments of Helm.
pub(super) struct HelmArguments {
    pub(super) list: Vec<OsString>,
    /// Those of them that name values files.
    pub(super) values_files: Vec<OsString>,
    /// The parameters of the source; [`set`](Self::set) passes them on.
    pub(super) parameters: Vec<Parameter>,
    /// Roots of other repositories that files come from, and what a reader knows them as.
    pub(super) other_roots: Vec<(PathBuf, String)>,
    /// Warnings about the values files.
    pub(super) warnings: Vec<Finding>,
    /// Whether the same revisions give the same values again: a URL does not promise that.
    pub(super) repeatable: bool,
}

impl HelmArguments {
    pub(super) fn of(input: &RenderInput<'_>, home: &Home) -> Result<Self, RenderError> {
        let default = Helm::default();
        let helm = input.source.helm.as_ref().unwrap_or(&default);
        let values = Values::of(input, helm)?;
        let files = values.files()?;
        let mut this = Self {
            list: Vec::new(),
            values_files: Vec::new(),
            parameters: parameters(helm, input),
            other_roots: values.other_roots(),
            warnings: values.warnings(),
            repeatable: true,
        };
        this.words(["template", ".", "--name-template"]);
        // Argo CD: the name without the namespace that tracking puts before it.
        let release = [&helm.release_name, &input.application.name].into_iter().find(|name| !name.is_empty());
        this.word(release.map_or("", String::as_str));
        let namespace = [&helm.namespace, &input.application.destination.namespace];
        this.option("--namespace", namespace.into_iter().find(|namespace| !namespace.is_empty()).map(String::as_str));
        let version = capabilities::kube_version(&helm.kube_version, input.kinds)
            .map_err(|source| HelmError::KubeVersion { source })?;
        this.option("--kube-version", version.as_deref());
        let mut remote = RemoteFiles { input, home, count: 0 };
        for (name, file) in values.file_parameters()? {
            this.repeatable &= matches!(file, ValuesFile::Path(_));
            this.file_parameter(&name, &remote.place(file)?);
        }
        for file in files {
            this.repeatable &= matches!(file, ValuesFile::Path(_));
            this.values_file(remote.place(file)?);
        }
        if let Some(text) = own_values(helm) {
            let no_place = |source| ProgramError::NoPlace { place: input.place(), source };
            this.values_file(home.file("values-of-the-source.yaml", &text).map_err(no_place)?.into());
        }
        for version in capabilities::api_versions(&helm.api_versions, input.kinds) {
            this.option("--api-versions", Some(&version));
        }
        this.flag("--include-crds", !helm.skip_crds);
        this.flag("--skip-schema-validation", helm.skip_schema_validation);
        this.flag("--skip-tests", helm.skip_tests);
        Ok(this)
    }

    /// Passes the parameters: by a values file that is read after all others, and numbers as arguments.
    pub(super) fn set(&mut self, values: SetValues, home: &Home) -> std::io::Result<()> {
        if !values.file.is_empty() {
            let text = yaml::write(&Value::Object(values.file));
            self.values_file(home.file("parameters-of-the-source.yaml", &text)?.into());
        }
        self.list.extend(self.values_files.iter().cloned());
        for number in values.numbers {
            self.option("--set", Some(&number));
        }
        Ok(())
    }

    fn file_parameter(&mut self, name: &str, place: &OsStr) {
        let place = with_commas_escaped(&place.to_string_lossy());
        self.option("--set-file", Some(&format!("{name}={place}")));
    }

    fn values_file(&mut self, place: OsString) {
        self.values_files.extend(["--values".into(), csv_field(place)]);
    }

    fn word(&mut self, word: &str) {
        self.list.push(word.into());
    }

    fn words<const N: usize>(&mut self, words: [&str; N]) {
        self.list.extend(words.map(OsString::from));
    }

    fn option(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.words([name, value]);
        }
    }

    fn flag(&mut self, name: &str, is_set: bool) {
        if is_set {
            self.word(name);
        }
    }
}

/// Files that a source names by URL. Every process of a machine can read the arguments of the others, and a URL may hold a password.
struct RemoteFiles<'a> {
    input: &'a RenderInput<'a>,
    home: &'a Home,
    count: usize,
}

impl RemoteFiles<'_> {
    /// Where Helm finds a file: one by URL is fetched into the private home.
    fn place(&mut self, file: ValuesFile) -> Result<OsString, RenderError> {
        let url = match file {
            ValuesFile::Path(path) => return Ok(path.into_os_string()),
            ValuesFile::Url(url) => url,
        };
        if !is_http(&url) {
            // A plugin of Helm knows what to do with it, and gets it as an argument.
            return if has_secret(&url) {
                Err(HelmError::SecretInUrl { url: shown(&url) }.into())
            } else {
                Ok(url.into())
            };
        }
        let RenderInput { settings, cancel, .. } = *self.input;
        let bytes = fetch_values(&url, settings.timeout, cancel)
            .map_err(|source| HelmError::ValuesNotFetched { url: shown(&url), source })?;
        self.count += 1;
        let name = format!("values-of-url-{}.yaml", self.count);
        let no_place = |source| ProgramError::NoPlace { place: self.input.place(), source };
        Ok(self.home.private_file(&name, &bytes).map_err(no_place)?.into_os_string())
    }
}

fn is_http(url: &str) -> bool {
    ["http:", "https:"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Whether a URL carries a user, a password, or a query, which may be a signature.
fn has_secret(url: &str) -> bool {
    let authority = url.split_once("//").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    authority.contains('@') || url.contains('?')
}

/// A URL without what opens it.
fn shown(url: &str) -> String {
    RepoUrl::new(url).to_string()
}

/// Of two parameters with one name the last counts; `--set` before `--set-string`, which wins.
///
/// Rule: Argo CD util/helm/cmd.go `template`.
fn parameters(helm: &Helm, input: &RenderInput<'_>) -> Vec<Parameter> {
    let environment = input.environment();
    let mut ordered = BTreeMap::new();
    for parameter in &helm.parameters {
        let value = with_commas_escaped(&environment.expand(&parameter.value));
        ordered.insert((parameter.force_string, parameter.name.as_str()), value);
    }
    let parameters = ordered.into_iter().map(|((force_string, name), value)| Parameter {
        name: name.to_owned(),
        value,
        typing: if force_string { Typing::Text } else { Typing::Guessed },
    });
    parameters.collect()
}

/// `valuesObject`, or else `values`.
///
/// Rule: Argo CD types.go `ValuesYAML`, `ValuesIsEmpty`: the object wins, the text is not merged into it.
fn own_values(helm: &Helm) -> Option<String> {
    match &helm.values_object {
        Some(object) => Some(yaml::write(&Value::Object(object.clone()))),
        None => Some(helm.values.clone()).filter(|values| !values.is_empty()),
    }
}

/// Helm parts values at commas, but for those in a list (`{a,b}`) and those that are escaped already.
fn with_commas_escaped(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let mut escaped = String::with_capacity(value.len());
    let mut before = None;
    for letter in value.chars() {
        if letter == ',' && before != Some('\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
        before = Some(letter);
    }
    escaped
}

/// Helm reads the value of `--values` as a line of CSV, so that it would part a file's name at its commas.
fn csv_field(text: OsString) -> OsString {
    match text.to_str() {
        Some(text) if text.contains([',', '"', '\n']) => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_a_url_is_found_and_not_shown() {
        for (url, http, secret, expected) in [
            ("https://example.com/a.yaml", true, false, "https://example.com/a.yaml"),
            ("HTTPS://ada:swordfish@example.com/a.yaml", true, true, ""),
            ("s3://bucket/a.yaml", false, false, "s3://bucket/a.yaml"),
            ("s3://key:swordfish@bucket/a.yaml", false, true, ""),
            ("s3://bucket/a.yaml?signature=swordfish", false, true, ""),
            ("secrets://a@b.yaml", false, true, ""),
        ] {
            assert_eq!((is_http(url), has_secret(url)), (http, secret), "{url}");
            assert!(!shown(url).contains("swordfish"), "{url}");
            assert!(expected.is_empty() || shown(url) == expected, "{url}");
        }
    }

    /// Argo CD `util/helm/cmd_test.go`: `Test_cleanSetParameters`, `TestReplaceAllWithLookbehind`.
    #[test]
    fn commas_are_escaped_where_helm_would_part_at_them() {
        for (value, expected) in [
            ("val1", "val1"),
            ("a,b", r"a\,b"),
            ("a,,b", r"a\,\,b"),
            (r"a\,b", r"a\,b"),
            (r"bar\,baz,qux", r"bar\,baz\,qux"),
            ("{a,b}", "{a,b}"),
            ("{a,b", r"{a\,b"),
            ("", ""),
        ] {
            assert_eq!(with_commas_escaped(value), expected, "{value}");
        }
    }
}
