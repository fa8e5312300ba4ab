//! Asks Go what its templates make of a text: the program `gotemplate-oracle` of `tests/control-plane`.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use trueup::gotemplate::{Functions, Host, IntType, List, Map, MissingKey, Templates, Text, Type, UintType, Value};

use crate::harness::{Missing, program};

/// A template, and how it is run on the data that all share.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) text: String,
    pub(crate) missing_key: &'static str,
    pub(crate) has_sprig: bool,
}

impl Question {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), missing_key: "default", has_sprig: true }
    }
}

/// The templates of a file: one a line, `⏎` for a line break, options in front.
pub(crate) fn questions(file: &str) -> Vec<Question> {
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    lines
        .map(|line| {
            let (missing_key, has_sprig, text) = match line.split_once(' ') {
                Some(("!error", text)) => ("error", true, text),
                Some(("!zero", text)) => ("zero", true, text),
                Some(("!plain", text)) => ("default", false, text),
                _ => ("default", true, line),
            };
            Question { text: text.replace('⏎', "\n"), missing_key, has_sprig }
        })
        .collect()
}

/// The output, or the error's text.
pub(crate) type Answer = Result<Vec<u8>, String>;

/// The data of every question.
pub(crate) fn data() -> Json {
    serde_json::from_str(include_str!("data.json")).expect("the data is JSON")
}

/// What trueup answers.
pub(crate) fn ours(questions: &[Question], host: &dyn Host) -> Vec<Answer> {
    let (sprig, none) = (Rc::new(Functions::sprig()), Rc::new(Functions::default()));
    let data = data();
    let answer = |question: &Question| {
        let functions = Rc::clone(if question.has_sprig { &sprig } else { &none });
        let option = format!("missingkey={}", question.missing_key);
        let missing_key = MissingKey::from_options([option.as_str()])?;
        let mut templates = Templates::sharing(functions).missing_key(missing_key);
        templates.parse("t", &question.text).map_err(|error| error.to_string())?;
        templates.execute("t", &typed(&data), host).map_err(|error| error.to_string())
    };
    questions.iter().map(answer).collect()
}

/// What Go answers, in the same order.
pub(crate) fn theirs(questions: &[Question]) -> Result<Vec<Answer>, Missing> {
    let answers: Vec<Answer> = asked(questions.iter().map(line_of))?.iter().map(answer).collect();
    assert_eq!(answers.len(), questions.len(), "an answer for each question");
    Ok(answers)
}

/// A question as the oracle reads it.
pub(crate) fn line_of(question: &Question) -> Json {
    json!({"text": question.text, "data": data(), "sprig": question.has_sprig, "missingKey": question.missing_key})
}

/// The oracle's answers to lines of JSON.
pub(crate) fn asked(lines: impl Iterator<Item = Json>) -> Result<Vec<Json>, Missing> {
    let mut child = Command::new(program("gotemplate-oracle")?)
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle can be started");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let lines: Vec<u8> = lines.flat_map(|line| format!("{line}\n").into_bytes()).collect();
    // It answers while it reads, so another thread asks.
    let asking = std::thread::spawn(move || stdin.write_all(&lines));
    let output = child.wait_with_output().expect("the oracle ends");
    asking.join().expect("no panic").expect("the oracle reads all questions");
    assert!(output.status.success(), "the oracle failed");
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    Ok(lines.map(|line| serde_json::from_slice(line).expect("the oracle answers JSON")).collect())
}

fn answer(answer: &Json) -> Answer {
    match answer["error"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => Ok(STANDARD.decode(answer["output"].as_str().unwrap_or("")).expect("the output is base64")),
    }
}

/// The questions that Go and trueup answer differently.
pub(crate) fn differences(questions: &[Question], host: &dyn Host) -> Result<Vec<String>, Missing> {
    let theirs = theirs(questions)?;
    let pairs = questions.iter().zip(ours(questions, host)).zip(theirs);
    let different = pairs.filter(|((_, ours), theirs)| ours != theirs);
    Ok(different
        .map(|((question, ours), theirs)| {
            format!("{:?}\n  Go     {}\n  trueup {}", question.text, shown(&theirs), shown(&ours))
        })
        .collect())
}

fn shown(answer: &Answer) -> String {
    match answer {
        Ok(output) => format!("{:?}", String::from_utf8_lossy(output)),
        Err(error) => format!("error: {error}"),
    }
}

/// The value that JSON stands for; an object with one key that starts with `$` is one of another type.
pub(crate) fn typed(json: &Json) -> Value {
    match json {
        Json::Object(entries) => match entries.iter().next() {
            Some((kind, inner)) if entries.len() == 1 && kind.starts_with('$') => converted(kind, inner),
            _ => Value::map(entries.iter().map(|(key, value)| (Text::from(key.as_str()), typed(value)))),
        },
        Json::Array(items) => Value::list(items.iter().map(typed).collect()),
        _ => Value::from_json(json),
    }
}

fn converted(kind: &str, json: &Json) -> Value {
    let int = || json.as_i64().expect("a whole number");
    let uint = || json.as_u64().expect("a whole number");
    let items = || json.as_array().expect("a list").iter();
    match kind {
        "$int" => Value::int(int()),
        "$int8" => Value::Int(IntType::I8, int()),
        "$int32" => Value::Int(IntType::I32, int()),
        "$int64" => Value::int64(int()),
        "$uint" => Value::Uint(UintType::Uint, uint()),
        "$uint8" => Value::Uint(UintType::U8, uint()),
        "$uint64" => Value::Uint(UintType::U64, uint()),
        "$float32" => Value::Float32("1.5".parse().expect("a float")),
        "$bytes" => Value::Bytes(json.as_str().expect("a text").into()),
        "$strings" => Value::List(List::of_texts(items().map(|item| item.as_str().expect("a text")))),
        "$ints" => {
            let ints = items().map(|item| Value::int(item.as_i64().expect("a whole number"))).collect();
            Value::List(List::of(Type::Int(IntType::Int), ints))
        }
        "$texts" => {
            let entries = json.as_object().expect("an object").iter();
            let texts =
                entries.map(|(key, text)| (Text::from(key.as_str()), Value::text(text.as_str().expect("a text"))));
            Value::Map(Map::of(Type::Text, texts.collect()))
        }
        "$nilmap" => Value::Map(Map::nil(Type::Interface)),
        "$nillist" => Value::List(List::nil(Type::Interface)),
        _ => panic!("unknown kind {kind}"),
    }
}
