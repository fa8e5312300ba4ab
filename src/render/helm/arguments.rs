//! The command line of `helm template`.
//!
//! Rules: Argo CD util/helm/cmd.go `template`, `cleanSetParameters`; repository.go `helmTemplate`.

use std::collections::BTreeMap;
use std::ffi::OsString;
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
        for (name, path) in values.file_parameters()? {
            this.file_parameter(&name, path);
        }
        for file in files {
            this.values_file(file);
        }
        if let Some(text) = own_values(helm) {
            let no_place = |source| ProgramError::NoPlace { place: input.place(), source };
            this.values_file(ValuesFile::Path(home.file("values-of-the-source.yaml", &text).map_err(no_place)?));
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
            self.values_file(ValuesFile::Path(home.file("parameters-of-the-source.yaml", &text)?));
        }
        self.list.extend(self.values_files.iter().cloned());
        for number in values.numbers {
            self.option("--set", Some(&number));
        }
        Ok(())
    }

    fn file_parameter(&mut self, name: &str, file: ValuesFile) {
        let place = match file {
            ValuesFile::Path(path) => path.display().to_string(),
            ValuesFile::Url(url) => {
                self.repeatable = false;
                url
            }
        };
        self.option("--set-file", Some(&format!("{name}={}", with_commas_escaped(&place))));
    }

    fn values_file(&mut self, file: ValuesFile) {
        let place = match file {
            ValuesFile::Path(path) => path.into_os_string(),
            ValuesFile::Url(url) => {
                self.repeatable = false;
                url.into()
            }
        };
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
