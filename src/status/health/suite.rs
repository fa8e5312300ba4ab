//! The tests that a team keeps beside its scripts, in Argo CD's format.
//!
//! In: a `health_test.yaml`, and the manifests that it names. Out: what each case expects, and whether it came so.
//!
//! ```yaml
//! tests:
//! - healthStatus: {status: Degraded, message: no money}
//!   inputPath: testdata/empty.yaml
//! ```
//!
//! Rule: Argo CD `util/lua/health_test.go`: the script is that of the manifest's own kind, status and message are compared
//! exactly, and a script that returns nothing has neither.

use serde_json::{Map, Value};

use super::{Health, Judge};
use crate::object::yaml::{self, Limits, WithPositions};
use crate::object::{Object, type_name};

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The manifest, relative to the folder of the `health_test.yaml`.
    pub input: String,
    /// The expected result.
    pub expected: CaseVerdict,
}

/// A status and a message, both empty for a script that returned nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseVerdict {
    /// The status, as it is written.
    pub status: String,
    /// The message.
    pub message: String,
}

impl From<Option<Health>> for CaseVerdict {
    fn from(health: Option<Health>) -> Self {
        health.map_or_else(Self::default, |health| Self {
            status: health.status.as_str().to_owned(),
            message: health.message,
        })
    }
}

/// The result of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseOutcome {
    /// As expected.
    Passed,
    /// The script says something else.
    Differs(CaseVerdict),
    /// It could not be tried, and why.
    Broken(String),
}

/// The cases of a `health_test.yaml`; or what is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Vec<Case>, String> {
    let document = only_document(bytes)?;
    let Some(tests) = document.as_object().and_then(|map| field(map, "tests")) else {
        return Err("it has no `tests`".to_owned());
    };
    let Some(tests) = tests.as_array() else { return Err(format!("`tests` is {}, not a list", type_name(tests))) };
    (1..).zip(tests).map(|(number, test)| case(test).map_err(|why| format!("test {number}: {why}"))).collect()
}

fn case(test: &Value) -> Result<Case, String> {
    let map = test.as_object().ok_or_else(|| format!("is {}, not a map", type_name(test)))?;
    let input = text(map, "inputPath")?.ok_or("it has no `inputPath`")?;
    let expected = match field(map, "healthStatus") {
        None | Some(Value::Null) => CaseVerdict::default(),
        Some(Value::Object(health)) => CaseVerdict {
            status: text(health, "status")?.unwrap_or_default(),
            message: text(health, "message")?.unwrap_or_default(),
        },
        Some(other) => return Err(format!("`healthStatus` is {}, not a map", type_name(other))),
    };
    Ok(Case { input, expected })
}

/// Tries one case on the text of its manifest.
pub fn run(case: &Case, manifest: &[u8], judge: &Judge) -> CaseOutcome {
    let object = match only_document(manifest).and_then(|value| Object::new(value).map_err(|error| error.to_string())) {
        Ok(object) => object,
        Err(why) => return CaseOutcome::Broken(format!("{}: {why}", case.input)),
    };
    match judge.by_script(&object) {
        None => CaseOutcome::Broken(format!("no script found for `{}`", object.gvk().group_kind())),
        Some(health) => {
            let verdict = CaseVerdict::from(health);
            if verdict == case.expected { CaseOutcome::Passed } else { CaseOutcome::Differs(verdict) }
        }
    }
}

fn only_document(bytes: &[u8]) -> Result<Value, String> {
    let as_message = |error: yaml::YamlError| format!("line {}: {}", error.line, error.message);
    let text = yaml::decode(bytes).map_err(as_message)?;
    let documents = yaml::read(&text, &Limits::default(), WithPositions::No);
    match documents.into_iter().next() {
        Some(Ok(document)) => Ok(document.value),
        Some(Err(error)) => Err(as_message(error)),
        None => Err("it is empty".to_owned()),
    }
}

/// Argo CD reads the names of fields in any case, and two of its own tests depend on it.
fn field<'map>(map: &'map Map<String, Value>, name: &str) -> Option<&'map Value> {
    map.get(name).or_else(|| map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

fn text(map: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match field(map, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(format!("`{name}` is {}, not text", type_name(other))),
    }
}
