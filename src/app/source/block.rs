//! A source's block as a record keeps it, so that it can be rendered again after the manifest changed.
//!
//! In: a source as its manifest has it. Out: a [`SourceBlock`] without what opens its URL, which JSON can hold and which is
//! decoded by the reader of manifests; or where it holds a secret, which a record must not repeat.
//!
//! Rule: Argo CD keeps the whole source of each sync in `status.history[].source`.

use serde_json::{Map, Value};

use super::super::application::SourceForm;
use super::super::fields::Fields;
use super::super::reading::{Reading, SourceText};
use super::{Source, Within, decode};
use crate::finding::{Finding, Severity};
use crate::object::Pointer;
use crate::object::yaml::{self, Document, Limits, Span, WithPositions};

/// Names whose values are secrets, as names end, without case and separators.
const SECRET_NAMES: [&str; 16] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "secrets",
    "token",
    "tokens",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "credential",
    "credentials",
    "connectionstring",
    "dsn",
];
/// Names that end like this and name a Secret object, not its content.
const SECRET_OBJECTS: [&str; 3] = ["existing", "pullsecret", "tlssecret"];
/// Text fields of a source that hold YAML.
const YAML_TEXTS: [&str; 2] = ["values", "patch"];

/// One source in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceBlock {
    /// Which field of `spec` it was written in.
    pub form: SourceForm,
    /// Its fields as they were written; its URL without credentials.
    pub fields: Map<String, Value>,
}

impl SourceBlock {
    /// The block of a source that was written in this field.
    pub fn of(source: &Source, form: SourceForm) -> Self {
        let mut fields = source.written.clone();
        fields.insert("repoURL".to_owned(), Value::from(source.repo_url.to_string()));
        Self { form, fields }
    }

    /// Where it holds a value under a name that secrets have.
    pub fn secret(&self) -> Option<Pointer> {
        let fields = self.fields.iter().filter(|(name, _)| name.as_str() != "repoURL");
        fields.into_iter().find_map(|(name, value)| secret_in(name, value, &Pointer::root().child(name.as_str())))
    }

    /// The source that it says.
    pub fn read(&self) -> Result<Source, Vec<Finding>> {
        let source = Map::from_iter([("source".to_owned(), Value::Object(self.fields.clone()))]);
        let document = Document {
            value: Value::Object(Map::from_iter([("spec".to_owned(), Value::Object(source))])),
            line: 1,
            extent: Span { offset: 0, length: 0 },
            positions: None,
            duplicate_keys: Vec::new(),
            unread: None,
        };
        let text = SourceText::new("the record", "");
        let reading = Reading::new(&text, &document, Pointer::root());
        let within = if self.form == SourceForm::Multiple { Within::Sources } else { Within::Source };
        let fields = document.value.as_object().and_then(|document| {
            let mut specification = Fields::new(&reading, document).fields("spec")?;
            specification.fields("source")
        });
        let source = fields.map(|fields| decode(fields, within));
        let findings = reading.into_findings();
        match source {
            Some(source) if !findings.iter().any(|finding| finding.severity == Severity::Error) => {
                Ok(match self.form {
                    SourceForm::Single => source.without_empty_blocks(),
                    SourceForm::Multiple | SourceForm::Hydrated => source,
                })
            }
            _ => Err(findings),
        }
    }
}

fn secret_in(name: &str, value: &Value, place: &Pointer) -> Option<Pointer> {
    if is_secret_name(name) && holds_text(value) {
        return Some(place.clone());
    }
    match value {
        Value::Object(map) => {
            // An entry of a list of parameters or variables.
            let entry = map.get("name").and_then(Value::as_str).unwrap_or_default();
            let has_secret_value = is_secret_name(entry)
                && ["value", "string", "code", "map", "array"]
                    .into_iter()
                    .any(|field| map.get(field).is_some_and(holds_text));
            if has_secret_value {
                return Some(place.clone());
            }
            map.iter().find_map(|(name, value)| secret_in(name, value, &place.child(name.as_str())))
        }
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| secret_in("", item, &place.index(index)))
        }
        Value::String(text) if YAML_TEXTS.contains(&name) => secret_in_text(text, place),
        _ => None,
    }
}

/// Text that cannot be read may hold anything.
fn secret_in_text(text: &str, place: &Pointer) -> Option<Pointer> {
    yaml::read(text, &Limits::default(), WithPositions::No).into_iter().find_map(|document| match document {
        Ok(document) => secret_in("", &document.value, place),
        Err(_) => Some(place.clone()),
    })
}

/// The last part of a dotted name, as Helm's parameters have them: `db.auth.password`.
pub fn is_secret_name(name: &str) -> bool {
    let last = name.rsplit(['.', '/']).next().unwrap_or_default();
    let plain: String = last.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    SECRET_NAMES.iter().any(|ending| plain.ends_with(ending))
        && !SECRET_OBJECTS.iter().any(|object| plain.contains(object))
}

/// Whether there is anything in it that could be a secret: text or a number.
fn holds_text(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(holds_text),
        Value::Object(map) => map.values().any(holds_text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn block(form: SourceForm, fields: Value) -> SourceBlock {
        let Value::Object(fields) = fields else { panic!("a map") };
        SourceBlock { form, fields }
    }

    #[test]
    fn a_block_is_read_as_its_manifest_was() {
        let fields = json!({
            "repoURL": "https://git.example.com/shop", "path": "shop", "targetRevision": "main",
            "helm": {"parameters": [{"name": "replicas", "value": "3"}], "valuesObject": {"a": {"b": 1}}},
        });
        let single = block(SourceForm::Single, fields);
        let source = single.read().unwrap();
        assert_eq!(source.helm.as_ref().unwrap().parameters[0].value, "3");
        assert_eq!(SourceBlock::of(&source, SourceForm::Single), single);
        // In `spec.source` an empty block says nothing, in `spec.sources` it names the tool.
        let empty = json!({"repoURL": "https://git.example.com/shop", "path": "shop", "helm": {}});
        assert!(block(SourceForm::Single, empty.clone()).read().unwrap().helm.is_none());
        assert!(block(SourceForm::Multiple, empty).read().unwrap().helm.is_some());
        assert!(block(SourceForm::Single, json!({"path": "shop"})).read().is_err());
    }

    #[test]
    fn what_opens_a_url_is_not_kept() {
        let fields = json!({"repoURL": "https://user:hunter2@git.example.com/shop", "path": "shop"});
        let source = block(SourceForm::Single, fields).read().unwrap();
        let kept = SourceBlock::of(&source, SourceForm::Single);
        assert_eq!(kept.fields["repoURL"], "https://git.example.com/shop");
    }

    #[test]
    fn values_under_names_of_secrets_are_found() {
        for (fields, expected) in [
            (
                json!({"helm": {"valuesObject": {"db": {"password": "hunter2"}}}}),
                Some("/helm/valuesObject/db/password"),
            ),
            (json!({"helm": {"values": "db:\n  rootPassword: hunter2\n"}}), Some("/helm/values/db/rootPassword")),
            (json!({"helm": {"values": "db: ["}}), Some("/helm/values")),
            (json!({"helm": {"parameters": [{"name": "db.auth.password", "value": "a"}]}}), Some("/helm/parameters/0")),
            (json!({"plugin": {"env": [{"name": "API_TOKEN", "value": "a"}]}}), Some("/plugin/env/0")),
            (
                json!({"kustomize": {"patches": [{"patch": "stringData: {api-key: a}"}]}}),
                Some("/kustomize/patches/0/patch/stringData/api-key"),
            ),
            (json!({"helm": {"valuesObject": {"secrets": {"a": "b"}}}}), Some("/helm/valuesObject/secrets")),
            (json!({"helm": {"valuesObject": {"existingSecret": "shop", "secretName": "shop"}}}), None),
            (json!({"helm": {"valuesObject": {"imagePullSecrets": [{"name": "registry"}], "password": ""}}}), None),
            (json!({"helm": {"valuesObject": {"automountServiceAccountToken": false, "replicas": 3}}}), None),
            (json!({"helm": {"parameters": [{"name": "image.tag", "value": "1"}], "values": "replicas: 2"}}), None),
        ] {
            let found = block(SourceForm::Single, fields.clone()).secret().map(|place| place.to_string());
            assert_eq!(found.as_deref(), expected, "{fields}");
        }
    }
}
