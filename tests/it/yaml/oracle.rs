//! Asks Kubernetes' own tools how they read YAML: the program `yaml-oracle` of `tests/control-plane`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use trueup::object::yaml::{Limits, WithPositions, decode, read};

use crate::harness::{Missing, program};

/// A text to read, and what to call it when it is read differently.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) text: Vec<u8>,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The text as an error message can show it.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.text).chars().take(300).collect::<String>().escape_debug().to_string()
    }
}

/// The documents of a text: values, and errors in the reader's words.
pub(crate) type Reading = Vec<Result<Value, String>>;

/// Whether two readings take and refuse the same documents, with the same values.
pub(crate) fn agree(one: &Reading, other: &Reading) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| match (one, other) {
            (Ok(one), Ok(other)) => one == other,
            (Err(_), Err(_)) => true,
            _ => false,
        })
}

/// How trueup reads a text.
pub(crate) fn ours(text: &[u8]) -> Reading {
    match decode(text) {
        Ok(text) => read(&text, &Limits::default(), WithPositions::No)
            .into_iter()
            .map(|document| match document {
                Ok(document) => Ok(document.value),
                Err(error) => Err(format!("line {}: {error}", error.line)),
            })
            .collect(),
        Err(error) => vec![Err(error.to_string())],
    }
}

/// How kubectl and Argo CD read the texts, in the same order.
pub(crate) fn theirs(cases: &[Case]) -> Result<Vec<Reading>, Missing> {
    let mut child = Command::new(program("yaml-oracle")?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle can be started");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let questions: Vec<u8> = cases
        .iter()
        .flat_map(|case| {
            let mut line = json!({"name": case.name, "text": STANDARD.encode(&case.text)}).to_string().into_bytes();
            line.push(b'\n');
            line
        })
        .collect();
    // It answers while it reads, so another thread asks.
    let asking = std::thread::spawn(move || stdin.write_all(&questions));
    let output = child.wait_with_output().expect("the oracle ends");
    asking.join().expect("no panic").expect("the oracle reads all questions");
    assert!(output.status.success(), "the oracle failed");
    let answers: Vec<Reading> =
        output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(reading).collect();
    assert_eq!(answers.len(), cases.len(), "an answer for each question");
    Ok(answers)
}

fn reading(line: &[u8]) -> Reading {
    let answer: Value = serde_json::from_slice(line).expect("the oracle answers JSON, not deeper than 128");
    let documents = answer["documents"].as_array().expect("a list of documents");
    documents
        .iter()
        .map(|document| match document["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(document["json"].clone()),
        })
        .collect()
}

/// Asks about every case, and tells every difference but those that `is_known` explains.
pub(crate) fn differences(cases: &[Case], is_known: impl Fn(&Case, &Reading) -> bool) -> Result<Vec<String>, Missing> {
    let told = cases.iter().zip(theirs(cases)?).filter_map(|(case, theirs)| {
        let ours = ours(&case.text);
        let differs = !agree(&ours, &theirs) && !is_known(case, &theirs);
        differs.then(|| format!("{}: {}\n  kubectl {theirs:?}\n  trueup  {ours:?}", case.name, case.shown()))
    });
    Ok(told.collect())
}
