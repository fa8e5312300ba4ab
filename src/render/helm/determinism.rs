//! Whether a chart may generate other values each time it is rendered: passwords, certificates, times.
//!
//! In: a chart's folder, the values that it is given. Out: a guess that errs on the side of yes, from the names of functions
//! that stand in its templates, and in values that may be templates themselves. It costs no program, so that only charts
//! that may be unsteady are rendered a second time.
//!
//! Rule: Sprig's functions that give another result each time (github.com/Masterminds/sprig, functions.go, most of them in
//! `nonhermeticFunctions`): those that roll dice, look at the clock (`date` does for what is no date), or walk through a map
//! in no order.

use std::fs;
use std::path::{Component, Path};

use crate::app::source::Helm;
use crate::render::RenderInput;

/// The functions, each as a whole word.
const FUNCTIONS: [&str; 27] = [
    "randAlphaNum",
    "randAlpha",
    "randAscii",
    "randNumeric",
    "randBytes",
    "randInt",
    "uuidv4",
    "now",
    "ago",
    "date",
    "date_in_zone",
    "dateInZone",
    "htmlDate",
    "htmlDateInZone",
    "keys",
    "values",
    "shuffle",
    "bcrypt",
    "htpasswd",
    "encryptAES",
    "genPrivateKey",
    "genCA",
    "genCAWithKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
];

/// The placeholder of a value in a template.
const TEMPLATE: [&str; 1] = ["tpl"];

pub(in super::super) fn may_differ_each_time(input: &RenderInput<'_>) -> bool {
    let is_given = || input.source.helm.as_ref().is_some_and(may_give_templates);
    any_names(input.folder, &FUNCTIONS) || (is_given() && any_names(input.folder, &TEMPLATE))
}

/// Whether values that are no part of the chart name one of them, or are in files that are not looked into.
fn may_give_templates(helm: &Helm) -> bool {
    let is_outside = |file: &str| {
        let is_below = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        file.starts_with('$') || file.contains("://") || !Path::new(file).components().all(is_below)
    };
    let mut files = helm.value_files.iter().chain(helm.file_parameters.iter().map(|parameter| &parameter.path));
    let object = helm.values_object.as_ref().map(|values| serde_json::Value::from(values.clone()).to_string());
    let texts = helm.parameters.iter().map(|parameter| &parameter.value).chain([&helm.values]).chain(&object);
    files.any(|file| is_outside(file)) || texts.into_iter().any(|text| names_one(text.as_bytes(), &FUNCTIONS))
}

/// Whether a chart asks which APIs the cluster has (`.Capabilities.APIVersions`), and the source does not name them itself.
pub(in super::super) fn asks_for_apis(input: &RenderInput<'_>) -> bool {
    let is_named = input.source.helm.as_ref().is_some_and(|helm| !helm.api_versions.is_empty());
    !is_named && any_file(input.folder, &|text| String::from_utf8_lossy(text).contains(API_VERSIONS))
}

/// The common part of every question about the cluster's APIs.
const API_VERSIONS: &str = "APIVersions";

/// Whether any file of a chart names one of these functions, or cannot be looked into.
fn any_names(chart: &Path, functions: &[&str]) -> bool {
    any_file(chart, &|text| names_one(text, functions))
}

/// Whether any file of a chart is one of these, or cannot be looked into.
fn any_file(chart: &Path, is_one: &dyn Fn(&[u8]) -> bool) -> bool {
    let Ok(entries) = fs::read_dir(chart) else { return true };
    entries.into_iter().any(|entry| {
        let Ok(entry) = entry else { return true };
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => any_file(&path, is_one),
            Ok(_) => match path.extension().and_then(|extension| extension.to_str()) {
                // Charts within the chart, packed.
                Some("tgz") => true,
                Some("md") => false,
                _ => fs::read(&path).map_or(true, |text| is_one(&text)) || needs_another(&path),
            },
            Err(_) => true,
        }
    })
}

/// Whether one is called between `{{` and `}}`; `.Values.keys` is no function.
fn names_one(text: &[u8], functions: &[&str]) -> bool {
    let text = String::from_utf8_lossy(text);
    let mut actions = text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '$');
    actions.any(|action| action.split(|letter| !is_part(letter)).any(|word| functions.contains(&word)))
}

/// Whether it is a chart's description that asks for charts which are not here.
fn needs_another(path: &Path) -> bool {
    let is_description = path.ends_with("Chart.yaml") || path.ends_with("requirements.yaml");
    let is_alone = || path.parent().is_some_and(|chart| !chart.join("charts").is_dir());
    is_description && is_alone() && fs::read_to_string(path).is_ok_and(|text| text.contains("dependencies:"))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that they look at")]
mod tests {
    use super::*;
    use crate::app::source::HelmParameter;

    #[test]
    fn a_chart_that_may_make_things_up_is_known_by_its_words() {
        for (file, text, expected) in [
            ("templates/a.yaml", "password: {{ randAlphaNum 16 }}", true),
            ("templates/_names.tpl", "{{- define \"x\" }}{{ now | date \"2006\" }}{{ end }}", true),
            ("templates/b.yaml", "{{- $ca := genCA \"x\" 365 }}", true),
            ("templates/c.yaml", "known: {{ .Values.nowhere }}", false),
            ("templates/d.yaml", "at: {{ date \"2006\" .Values.day }}", true),
            ("templates/e.yaml", "names: {{ keys .Values.names | join \",\" }}", true),
            ("templates/f.yaml", "# keys and values, up to date now\nnames: {{ .Values.keys }}", false),
            ("templates/_g.txt", "{{- (randAlphaNum 8) -}}", true),
            ("values.yaml", "password: '{{ randAlphaNum 16 }}'", true),
            ("README.md", "Passwords come from {{ randAlphaNum }}", false),
            ("charts/other-1.0.0.tgz", "", true),
            ("Chart.yaml", "name: web\ndependencies:\n- {name: other}\n", true),
            ("Chart.yaml", "name: web\n", false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            assert_eq!(any_names(folder.path(), &FUNCTIONS), expected, "{file}: {text}");
        }
    }

    #[test]
    fn values_of_the_manifest_may_be_templates() {
        let template = || "{{ randAlphaNum 16 }}".to_owned();
        let parameter = HelmParameter { name: "password".to_owned(), value: template(), force_string: false };
        let object = serde_json::json!({"password": template()}).as_object().cloned();
        let files = |file: &str| Helm { value_files: vec![file.to_owned()], ..Helm::default() };
        for (helm, expected) in [
            (Helm { values: format!("password: '{}'\n", template()), ..Helm::default() }, true),
            (Helm { values: "password: known\n".to_owned(), ..Helm::default() }, false),
            (Helm { values_object: object, ..Helm::default() }, true),
            (Helm { parameters: vec![parameter], ..Helm::default() }, true),
            (files("values-prod.yaml"), false),
            (files("$values/prod.yaml"), true),
            (files("../prod.yaml"), true),
            (files("/prod.yaml"), true),
            (files("https://example.com/prod.yaml"), true),
        ] {
            assert_eq!(may_give_templates(&helm), expected, "{helm:?}");
        }
    }
}
