//! Runs jq expressions, which are anybody's, so that none of them ends the run.
//!
//! In: an expression, and values. Out: what it names in each ([`named`]), or why that cannot be known. What can only walk
//! once over a value is run on a thread. All else (recursion, loops, brackets within brackets) runs in a child of this
//! program, as Jsonnet does: a stack that overflows, memory that runs out and time that is over end the child alone.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::object::{self, Pointer};
use crate::process::{self, Cancel, Command, ProcessError};
use crate::render::jsonnet::limit_memory;
use crate::status::ignore::{Named, named};

/// The argument that makes this program the child.
pub const WORKER: &str = "jq-worker";

/// How long an expression may be: the interpreter reads it by functions that call themselves.
const LONGEST: usize = 8 << 10;

/// How deep brackets may stand within each other on a thread of this process.
const DEPTH: usize = 32;

/// How long an expression may be to be run on a thread of this process: so few operators overflow no stack.
const SHORT: usize = 512;

/// The stack of the child's thread: a thousand brackets within each other need a fraction of it.
const STACK: usize = 64 << 20;

/// The limit for the paths of an expression in all values together, as text.
const OUTPUT: usize = 64 << 20;

/// Functions that end after one walk over their input.
const HARMLESS: [&str; 44] = [
    "select",
    "test",
    "startswith",
    "endswith",
    "contains",
    "inside",
    "has",
    "any",
    "all",
    "not",
    "and",
    "or",
    "if",
    "then",
    "elif",
    "else",
    "end",
    "empty",
    "null",
    "true",
    "false",
    "length",
    "type",
    "keys",
    "map",
    "to_entries",
    "first",
    "last",
    "index",
    "in",
    "as",
    "tostring",
    "tonumber",
    "ascii_downcase",
    "ascii_upcase",
    "ltrimstr",
    "rtrimstr",
    "split",
    "join",
    "strings",
    "numbers",
    "objects",
    "arrays",
    "values",
];

/// The paths that an expression selects in each value, within a time limit.
pub(crate) async fn run(
    program: &Path,
    expression: String,
    values: Vec<Value>,
    deadline: Duration,
    cancel: &Cancel,
) -> Result<Vec<Named>, String> {
    if expression.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let too_slow = || format!("it takes longer than {} s", deadline.as_secs());
    if is_harmless(&expression) {
        let running = tokio::task::spawn_blocking(move || named(&expression, &values));
        return match tokio::time::timeout(deadline, running).await {
            Ok(Ok(named)) => named,
            Ok(Err(_panic)) => Err("running it failed unexpectedly; this is a bug in trueup".to_owned()),
            Err(_elapsed) => Err(too_slow()),
        };
    }
    let mut command = Command::new(program).args([WORKER]);
    command.inherit = Vec::new();
    command = command.env("MIMALLOC_ARENA_RESERVE", "65536");
    command.stdin = json!([expression, values]).to_string().into_bytes();
    command.timeout = deadline;
    command.output_limit = OUTPUT;
    match process::run(&command, cancel).await {
        Ok(output) if output.success() => answer(&output.stdout),
        Ok(_) => Err("it needs more memory or nests deeper than allowed".to_owned()),
        Err(ProcessError::TimedOut { .. }) => Err(too_slow()),
        Err(ProcessError::TooMuchOutput { .. }) => Err("it selects too many paths".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether an expression can neither loop nor recurse, by the names in it.
fn is_harmless(expression: &str) -> bool {
    let (mut depth, mut deepest) = (0_usize, 0);
    for letter in expression.chars() {
        match letter {
            '(' | '[' | '{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let Some(outside) = without_texts(expression) else { return false };
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut before = ' ';
    let mut rest = outside.as_str();
    while let Some(letter) = rest.chars().next() {
        let length = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
        let word = &rest[..length];
        // A field, a variable and a number are no functions.
        let is_function = length > 0 && !matches!(before, '.' | '$') && !letter.is_ascii_digit();
        if is_function && !HARMLESS.contains(&word) {
            return false;
        }
        before = letter;
        rest = &rest[length.max(letter.len_utf8())..];
    }
    deepest <= DEPTH && expression.len() <= SHORT && !expression.contains("..")
}

/// The expression without its texts; nothing where one of them has an expression in it, or an escape of any other kind.
fn without_texts(expression: &str) -> Option<String> {
    if expression.contains('\\') {
        return None;
    }
    let parts: Vec<&str> = expression.split('"').collect();
    // An odd number of parts: every text is closed.
    (parts.len() % 2 == 1).then(|| parts.into_iter().step_by(2).collect::<Vec<_>>().join(" "))
}

/// The child's side: a question on standard input, the answer on standard output.
pub fn serve(mut input: impl Read, mut output: impl Write) -> std::io::Result<()> {
    limit_memory();
    let mut question = Vec::new();
    input.read_to_end(&mut question)?;
    let question = object::json::read(&question).map_err(|_error| std::io::ErrorKind::InvalidData)?;
    let answering = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let Value::Array(parts) = question else { return Value::Null };
        let mut parts = parts.into_iter();
        let (Some(Value::String(expression)), Some(Value::Array(values))) = (parts.next(), parts.next()) else {
            return Value::Null;
        };
        match named(&expression, &values) {
            Ok(named) => json!({"named": named.iter().map(named_json).collect::<Vec<_>>()}),
            Err(why) => json!({"error": why}),
        }
    })?;
    let answer = answering.join().map_err(|_panic| std::io::Error::other("the evaluation failed unexpectedly"))?;
    output.write_all(answer.to_string().as_bytes())?;
    output.flush()
}

fn named_json(named: &Named) -> Value {
    match named {
        Named::Places(places) => json!({"places": places.iter().map(ToString::to_string).collect::<Vec<_>>()}),
        Named::Absent => json!("absent"),
        Named::Failed(words) => json!({"failed": words}),
    }
}

fn answer(bytes: &[u8]) -> Result<Vec<Named>, String> {
    let unreadable = || "its answer cannot be read; this is a bug in trueup".to_owned();
    let answer = object::json::read(bytes).map_err(|_error| unreadable())?;
    if let Some(why) = answer.get("error").and_then(Value::as_str) {
        return Err(why.to_owned());
    }
    let named = answer.get("named").and_then(Value::as_array).ok_or_else(unreadable)?;
    named.iter().map(|named| heard(named).ok_or_else(unreadable)).collect()
}

fn heard(named: &Value) -> Option<Named> {
    if named == "absent" {
        return Some(Named::Absent);
    }
    if let Some(words) = named.get("failed") {
        return Some(Named::Failed(words.as_str()?.to_owned()));
    }
    let places = named.get("places")?.as_array()?;
    Some(Named::Places(places.iter().map(|place| Pointer::parse(place.as_str()?)).collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_loop_or_nest_runs_in_a_child() {
        for (expression, expected) in [
            (".spec.replicas", true),
            (".spec.template.spec.initContainers[] | select(.name == \"injected-init-container\")", true),
            (".spec.containers[-1].env[]?", true),
            (".metadata.annotations[\"sidecar.istio.io/inject\"]", true),
            (".webhooks[]?.clientConfig.caBundle", true),
            (".a[] | select(.name | startswith(\"def \"))", true),
            ("recurse", false),
            ("..", false),
            ("def f: f; f", false),
            ("reduce range(10) as $i (.; [.])", false),
            ("[limit(3; repeat(1))]", false),
            (".a | until(false; .)", false),
            ("\"\\(recurse)\"", false),
            (".a | fromjson", false),
        ] {
            assert_eq!(is_harmless(expression), expected, "{expression}");
        }
        assert!(!is_harmless(&"-".repeat(8000)));
        assert!(!is_harmless(&format!("{}.{}", "(".repeat(1000), ")".repeat(1000))));
    }

    #[test]
    fn an_answer_of_the_child_is_what_it_said() {
        for named in [
            Named::Places(vec![Pointer::root().child("spec").child("a/b")]),
            Named::Absent,
            Named::Failed("no".to_owned()),
        ] {
            assert_eq!(heard(&named_json(&named)), Some(named));
        }
        assert_eq!(answer(br#"{"error": "no"}"#), Err("no".to_owned()));
        assert!(answer(b"nonsense").is_err());
    }
}
