//! `trueup.yaml` beside the manifests of a source: ignore rules that trueup alone reads.
//!
//! In: the text of the file. Out: an [`IgnoreFile`] with its rules, and what is wrong with it. A rule that says something else than
//! its author meant would hide a difference, so a file with any fault has no rules. A file that holds Kubernetes objects is a
//! manifest, whatever its name.

use serde_json::Value;

use super::fault::Fault;
use super::fields::Fields;
use super::ignore::{self, AppliesWhen, IgnoreDifference};
use super::reading::{FieldPart, Reading, SourceText};
use crate::finding::{Code, Excerpt, Finding, Severity};
use crate::object::yaml::{self, Limits, WithPositions};
use crate::object::{Pointer, type_name};

/// The file's name.
pub const IGNORE_FILE: &str = "trueup.yaml";

/// Its one field.
const RULES: &str = "ignore";
/// The fields of an object of Kubernetes.
const OF_OBJECT: [&str; 3] = ["apiVersion", "kind", "metadata"];
const NOT_USED: &str = "until then no rule of this file is used, and the fields are compared";

/// A `trueup.yaml`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IgnoreFile {
    /// The file, as a report names it.
    pub file: String,
    /// Its rules; none if anything is wrong with the file.
    pub rules: Vec<FileRule>,
    /// What is wrong with it: warnings, because nothing is hidden.
    pub findings: Vec<Finding>,
}

/// One of its rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRule {
    /// The fields, as in `spec.ignoreDifferences`.
    pub rule: IgnoreDifference,
    /// The differences that it is about.
    pub when: AppliesWhen,
}

/// Reads a `trueup.yaml`; nothing for a manifest of that name.
pub fn read(file: &str, bytes: &[u8]) -> Option<IgnoreFile> {
    let of = |rules: Vec<FileRule>, findings: Vec<Finding>| IgnoreFile { file: file.to_owned(), rules, findings };
    let text = match yaml::decode(bytes) {
        Ok(text) => text,
        Err(error) => return Some(of(Vec::new(), vec![as_warning(Finding::of(&error), file)])),
    };
    let mut documents = Vec::new();
    for document in yaml::read(&text, &Limits::default(), WithPositions::Yes) {
        match document {
            Ok(document) => documents.push(document),
            Err(_error) if may_be_manifest(&text) => return None,
            Err(error) => {
                let excerpt = Excerpt::new(file, &text, error.span.offset, error.span.length, None);
                return Some(of(Vec::new(), vec![as_warning(Finding::of(&error).at(excerpt), file)]));
            }
        }
    }
    if documents.iter().any(|document| is_object(&document.value)) {
        return None;
    }
    let source = SourceText::new(file, &text);
    let (mut rules, mut findings) = (Vec::new(), Vec::new());
    for document in &documents {
        let reading = Reading::new(&source, document, Pointer::root());
        match &document.value {
            Value::Null => {}
            Value::Object(map) => {
                for field in map.keys().filter(|field| *field != RULES) {
                    let fault = Fault::NotOfIgnoreFile { field: field.clone() };
                    reading.report(&fault, &Pointer::root().child(field), FieldPart::Key);
                }
                rules.extend(Fields::new(&reading, map).list(RULES).into_iter().map(decode));
                reading.report_repeated_fields();
            }
            other => reading.report(
                &Fault::IgnoreFileIsNoMap { found: type_name(other) },
                &Pointer::root(),
                FieldPart::Value,
            ),
        }
        findings.extend(reading.into_findings().into_iter().map(|finding| as_warning(finding, "")));
    }
    if documents.len() > 1 {
        let message = format!("{file}: holds {} documents, not one", documents.len());
        findings.push(as_warning(Finding::warning(Code::AppIgnoreFile, message), ""));
    }
    if !findings.is_empty() {
        rules.clear();
    }
    Some(of(rules, findings))
}

fn decode(mut fields: Fields<'_>) -> FileRule {
    let when = match fields.given_text("when").as_deref() {
        None | Some("always") => AppliesWhen::Always,
        Some("cluster-changed") => AppliesWhen::ClusterChanged,
        Some(other) => {
            let path = fields.shown_field("when");
            fields.fault_at("when", &Fault::BadWhen { path, found: other.to_owned() });
            AppliesWhen::ClusterChanged
        }
    };
    FileRule { rule: ignore::decode(fields), when }
}

fn is_object(value: &Value) -> bool {
    OF_OBJECT.iter().any(|field| value.get(field).is_some())
}

/// Whether a text that is not YAML is more likely a broken manifest, which the renderer reports.
fn may_be_manifest(text: &str) -> bool {
    text.lines()
        .any(|line| OF_OBJECT.iter().any(|field| line.strip_prefix(field).is_some_and(|rest| rest.starts_with(':'))))
}

/// The finding as a warning that says what follows.
fn as_warning(finding: Finding, file: &str) -> Finding {
    let finding = if file.is_empty() { finding } else { finding.about(file) };
    let code = Some(Code::AppIgnoreFile);
    Finding { severity: Severity::Warning, code, ..finding }.with_help(format!("correct it; {NOT_USED}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let file = read("shop/trueup.yaml", text.as_bytes()).unwrap();
        assert!(file.findings.is_empty() || file.rules.is_empty(), "{text}");
        let line = |finding: &Finding| finding.excerpt.as_ref().map_or(0, Excerpt::line);
        file.findings.iter().map(|finding| format!("{}: {}", line(finding), finding.message)).collect()
    }

    #[test]
    fn a_rule_is_one_of_ignore_differences_with_the_side_that_it_is_about() {
        let text = "ignore:\n- group: apps\n  kind: Deployment\n  jsonPointers: [/spec/replicas]\n  \
                    when: cluster-changed\n- kind: ConfigMap\n  name: a\n  jqPathExpressions: [.data.x]\n";
        let file = read("trueup.yaml", text.as_bytes()).unwrap();
        assert_eq!(file.findings, []);
        let [replicas, data] = file.rules.as_slice() else { panic!("{file:?}") };
        assert_eq!((replicas.when, replicas.rule.line), (AppliesWhen::ClusterChanged, 2));
        assert_eq!(replicas.rule.json_pointers, [Pointer::root().child("spec").child("replicas")]);
        assert_eq!((data.when, data.rule.name.as_str(), data.rule.line), (AppliesWhen::Always, "a", 6));
        for nothing in ["", "# a comment\n", "ignore:\n", "ignore: []\n"] {
            assert_eq!(read("trueup.yaml", nothing.as_bytes()).unwrap().rules, [], "{nothing}");
            assert_eq!(words(nothing), [""; 0], "{nothing}");
        }
    }

    /// A typo in a selector makes a rule wider than it was meant, and one in `when` makes it hide changes in git.
    #[test]
    fn a_file_with_any_fault_has_no_rules() {
        let rule = "ignore:\n- kind: ConfigMap\n  jsonPointers: [/data]\n";
        for (text, expected) in [
            (format!("{rule}  nmae: a\n"), "4: shop/trueup.yaml: `nmae` is not a field of `ignore[0]`"),
            (
                format!("{rule}  when: cluster\n"),
                "4: shop/trueup.yaml: `ignore[0].when` is `cluster`, not `always` or `cluster-changed`",
            ),
            (format!("{rule}  wehn: always\n"), "4: shop/trueup.yaml: `wehn` is not a field of `ignore[0]`"),
            (format!("{rule}  kind: Secret\n"), "4: shop/trueup.yaml: `ignore[0].kind` is given twice in one map"),
            (format!("{rule}ignores: []\n"), "4: shop/trueup.yaml: `ignores` is not a field of a `trueup.yaml`"),
            ("ignore:\n- jsonPointers: [/a]\n".to_owned(), "2: shop/trueup.yaml: `ignore[0]` has no `kind`"),
            ("ignore:\n- kind: A\n".to_owned(), "2: shop/trueup.yaml: `ignore[0]` names no field to ignore"),
            ("ignore: {kind: A}\n".to_owned(), "1: shop/trueup.yaml: `ignore` is a map, not a list"),
            ("- kind: A\n".to_owned(), "1: shop/trueup.yaml: is a list, not a map with `ignore`"),
            ("ignore: [\n".to_owned(), "1: shop/trueup.yaml: "),
            (format!("{rule}---\n{rule}"), "0: shop/trueup.yaml: holds 2 documents, not one"),
        ] {
            let words = words(&text);
            assert!(words.len() == 1 && words[0].starts_with(expected), "{text}: {words:#?}");
        }
    }

    #[test]
    fn a_manifest_of_that_name_is_a_manifest() {
        for text in [
            "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: trueup}\n",
            "kind: CronJob\nignore: []\n",
            "ignore: []\n---\nmetadata: {name: a}\n",
            "apiVersion: v1\nkind: [\n",
        ] {
            assert_eq!(read("trueup.yaml", text.as_bytes()), None, "{text}");
        }
    }
}
