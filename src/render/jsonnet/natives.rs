//! The functions that `std.native` finds in a ksonnet application. Plain Jsonnet has none: Argo CD registers none.
//!
//! In: the name of a function and its arguments, evaluated in full. Out: its value; or why there is none.
//!
//! Rules: ksonnet pkg/util/jsonnet/vm.go `registerNativeFuncs`; kubecfg utils/nativefuncs.go for the `manifest…` functions, under the
//! names that it registers and those that its library has.

use regex::Regex;
use serde_json::{Value, json};

use super::go_regex;
use crate::object::yaml::{self, Limits, WithPositions};

/// The indent of kubecfg's `manifestJson` where none is asked for.
const INDENT: usize = 4;

/// One function.
struct Native {
    name: &'static str,
    parameters: &'static [&'static str],
    call: fn(&[Value]) -> Result<Value, String>,
}

const NATIVES: &[Native] = &[
    native("escapeStringRegex", &["str"], |arguments| Ok(json!(go_regex::quoted(text(arguments, 0)?)))),
    native("manifestJson", &["value"], |arguments| Ok(json!(indented(argument(arguments, 0), INDENT)))),
    native("manifestJsonFromJson", &["json", "indent"], |arguments| {
        let indent = argument(arguments, 1).as_f64().ok_or("the indent is a number")?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates, and is bounded")]
        Ok(json!(indented(&parsed(text(arguments, 0)?)?, indent.min(80.0) as usize)))
    }),
    native("manifestYaml", &["value"], |arguments| Ok(json!(yaml::write(argument(arguments, 0))))),
    native("manifestYamlFromJson", &["json"], |arguments| Ok(json!(yaml::write(&parsed(text(arguments, 0)?)?)))),
    native("parseJson", &["json"], |arguments| parsed(text(arguments, 0)?)),
    native("parseYaml", &["yaml"], |arguments| documents(text(arguments, 0)?)),
    native("regexMatch", &["regex", "string"], |arguments| Ok(json!(regex(arguments)?.is_match(text(arguments, 1)?)))),
    native("regexSubst", &["regex", "src", "repl"], |arguments| {
        Ok(json!(regex(arguments)?.replace_all(text(arguments, 1)?, text(arguments, 2)?)))
    }),
];

const fn native(
    name: &'static str,
    parameters: &'static [&'static str],
    call: fn(&[Value]) -> Result<Value, String>,
) -> Native {
    Native { name, parameters, call }
}

/// The name of each function, and those of its parameters.
pub(super) fn signatures() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    NATIVES.iter().map(|native| (native.name, native.parameters))
}

/// Calls a function.
pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let native = NATIVES.iter().find(|native| native.name == name);
    let native = native.ok_or_else(|| format!("unknown native function `{name}`"))?;
    (native.call)(arguments).map_err(|fault| format!("native function `{name}`: {fault}"))
}

fn argument(arguments: &[Value], index: usize) -> &Value {
    arguments.get(index).unwrap_or(&Value::Null)
}

fn text(arguments: &[Value], index: usize) -> Result<&str, String> {
    argument(arguments, index).as_str().ok_or_else(|| format!("argument {} must be text", index + 1))
}

fn regex(arguments: &[Value]) -> Result<Regex, String> {
    go_regex::compile(text(arguments, 0)?)
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("invalid JSON: {error}"))
}

/// Unlike `std.parseYaml`, always a list: a value for each document.
fn documents(text: &str) -> Result<Value, String> {
    let read = yaml::read(text, &Limits::default(), WithPositions::No).into_iter();
    read.map(|document| document.map(|document| document.value).map_err(|error| format!("invalid YAML: {error}")))
        .collect()
}

/// JSON over several lines, with a line break at its end.
fn indented(value: &Value, indent: usize) -> String {
    // Pretty-printed with two spaces a level; line breaks within texts are escaped.
    let written = format!("{value:#}");
    let lines = written.lines().map(|line| {
        let words = line.trim_start_matches(' ');
        format!("{}{words}\n", " ".repeat((line.len() - words.len()) / 2 * indent))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values after the comments of kubecfg.libsonnet and Go's encoding/json, sigs.k8s.io/yaml and regexp.
    #[test]
    fn natives_give_what_ks_and_kubecfg_give() {
        for (name, arguments, expected) in [
            ("parseJson", json!([r#"{"a": [1, null]}"#]), json!({"a": [1, null]})),
            ("parseYaml", json!(["a: 1"]), json!([{"a": 1}])),
            ("parseYaml", json!(["a: 1\n---\nb: on\n"]), json!([{"a": 1}, {"b": true}])),
            ("parseYaml", json!([""]), json!([])),
            ("manifestJson", json!([{"b": 1, "a": []}]), json!("{\n    \"a\": [],\n    \"b\": 1\n}\n")),
            (
                "manifestJsonFromJson",
                json!([r#"{"a": {"b": "  x"}}"#, 2]),
                json!("{\n  \"a\": {\n    \"b\": \"  x\"\n  }\n}\n"),
            ),
            ("manifestJsonFromJson", json!(["[1]", 0]), json!("[\n1\n]\n")),
            ("manifestYaml", json!([{"b": 1, "a": ["yes"]}]), json!("a:\n- \"yes\"\nb: 1\n")),
            ("manifestYamlFromJson", json!([r#"{"a": 1}"#]), json!("a: 1\n")),
            ("escapeStringRegex", json!(["a.b[c]-1"]), json!(r"a\.b\[c\]-1")),
            ("regexMatch", json!(["o+$", "foo"]), json!(true)),
            ("regexMatch", json!(["^o", "foo"]), json!(false)),
            ("regexSubst", json!([r"(\w+)@(\w+)", "shop@prod", "$2-$1"]), json!("prod-shop")),
            ("regexSubst", json!(["a*", "baaac", "x"]), json!("xbxcx")),
            ("regexSubst", json!(["a", "banana", "${0}$$"]), json!("ba$na$na$")),
        ] {
            let arguments: Vec<Value> = serde_json::from_value(arguments).unwrap();
            assert_eq!(call(name, &arguments), Ok(expected), "{name} {arguments:?}");
        }
    }

    #[test]
    fn a_native_that_fails_says_which_and_why() {
        for (name, arguments, expected) in [
            ("parseJson", json!([1]), "native function `parseJson`: argument 1 must be text"),
            ("parseJson", json!(["{"]), "native function `parseJson`: invalid JSON: "),
            ("parseYaml", json!(["a: ["]), "native function `parseYaml`: invalid YAML: "),
            ("regexMatch", json!(["(", "x"]), "native function `regexMatch`: invalid regular expression `(`: "),
            ("resolveImage", json!(["x"]), "unknown native function `resolveImage`"),
        ] {
            let arguments: Vec<Value> = serde_json::from_value(arguments).unwrap();
            let fault = call(name, &arguments).unwrap_err();
            assert!(fault.starts_with(expected), "{fault}");
        }
    }
}
