//! Finds what a jq path expression names, as `del(<expression>)` would take it away.
//!
//! In: the text of an expression, and values. Out: for each value the places that the expression names in it. An expression may
//! never end: whoever calls this gives it a deadline.
//!
//! Rule: Argo CD `util/argo/normalizers/diff_normalizer.go`, which runs `del(<expression>)`; an expression that fails on an
//! object takes nothing away from it. Environment variables are not visible to an expression.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data};
use jaq_json::Val;
use serde_json::Value;

use crate::object::Pointer;

type Data = data::JustLut<Val>;

/// An error message is cut to so many characters: it may quote a whole object.
const WORDS: usize = 160;

/// What an expression does on one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// It names these places, of which some may not exist.
    Places(Vec<Pointer>),
    /// It asks for more of something that is not there, as expressions do on objects that have no such field.
    Absent,
    /// It fails, in the words of the interpreter.
    Failed(String),
}

/// What an expression names in each value; the reason when it is no path expression.
pub fn named(expression: &str, values: &[Value]) -> Result<Vec<Named>, String> {
    let arena = Arena::default();
    let code = format!("path({expression}\n)");
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let modules = Loader::new(definitions)
        .load(&arena, File { code: code.as_str(), path: () })
        .map_err(|_syntax| format!("`{expression}` is not a jq expression"))?;
    let functions =
        jaq_core::funs::<Data>().chain(jaq_std::funs().filter(|(name, ..)| *name != "env")).chain(jaq_json::funs());
    let filter = Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
        let names = errors.iter().flat_map(|(_, errors)| errors).map(|(name, _)| format!("`{name}`"));
        format!("unknown {}", names.collect::<Vec<_>>().join(", "))
    })?;
    let run = |value: &Value| {
        let Ok(input) = serde_json::from_value::<Val>(value.clone()) else {
            return Named::Failed("the object cannot be passed to jq".to_owned());
        };
        let context = Ctx::<Data>::new(&filter.lut, Vars::new([]));
        let mut places = Vec::new();
        for path in filter.id.run((context, input)) {
            match path.map_err(jaq_core::Exn::get_err) {
                Ok(path) => places.extend(pointers(&path, value)),
                Err(Ok(error)) => return failure(&error.to_string()),
                Err(Err(_halt)) => return Named::Failed("it halts".to_owned()),
            }
        }
        Named::Places(places)
    };
    Ok(values.iter().map(run).collect())
}

fn failure(words: &str) -> Named {
    if words.starts_with("cannot use null as") || words.starts_with("cannot index null") {
        return Named::Absent;
    }
    let mut cut: String = words.chars().take(WORDS).collect();
    if cut.len() < words.len() {
        cut.push('…');
    }
    Named::Failed(cut)
}

/// A path of jq as pointers: a slice of a list is many.
fn pointers(path: &Val, value: &Value) -> Vec<Pointer> {
    let Val::Arr(steps) = path else { return Vec::new() };
    let mut found = vec![Pointer::root()];
    for step in steps.iter() {
        found = found.iter().flat_map(|pointer| next(pointer, step, value)).collect();
    }
    found.retain(|pointer| *pointer != Pointer::root());
    found
}

fn next(pointer: &Pointer, step: &Val, value: &Value) -> Vec<Pointer> {
    let length = pointer.get(value).and_then(Value::as_array).map_or(0, Vec::len);
    let place = |index: i64| usize::try_from(if index < 0 { index + signed(length) } else { index }).ok();
    match serde_json::from_str(&step.to_string()) {
        Ok(Value::String(key)) => vec![pointer.child(key)],
        Ok(Value::Number(index)) => {
            index.as_i64().and_then(place).map(|index| pointer.index(index)).into_iter().collect()
        }
        Ok(Value::Object(slice)) => {
            let bound = |name: &str| slice.get(name).and_then(Value::as_i64).and_then(place);
            let (start, end) = (bound("start").unwrap_or(0), bound("end").unwrap_or(length).min(length));
            (start..end.max(start)).map(|index| pointer.index(index)).collect()
        }
        _ => Vec::new(),
    }
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(expression: &str, value: Value) -> Result<String, String> {
        named(expression, &[value]).map(|found| match &found[0] {
            Named::Places(places) => places.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            other => format!("{other:?}"),
        })
    }

    fn deployment() -> Value {
        json!({"spec": {"template": {"metadata": {"annotations": {"sidecar.istio.io/inject": "true"}}, "spec": {
            "initContainers": [{"name": "setup"}, {"name": "injected-init-container"}],
            "containers": [{"name": "web", "env": [{"name": "A", "value": "1"}]}, {"name": "proxy"}],
        }}}})
    }

    /// The first is Argo CD's own example.
    #[test]
    fn an_expression_names_places() {
        let pod = "/spec/template/spec";
        for (expression, expected) in [
            (
                ".spec.template.spec.initContainers[] | select(.name == \"injected-init-container\")",
                format!("{pod}/initContainers/1"),
            ),
            (".spec.template.spec.containers[-1]", format!("{pod}/containers/1")),
            (".spec.template.spec.containers[:1]", format!("{pod}/containers/0")),
            (".spec.template.spec.containers[].env[]?", format!("{pod}/containers/0/env/0")),
            (
                ".spec.template.metadata.annotations[\"sidecar.istio.io/inject\"]",
                "/spec/template/metadata/annotations/sidecar.istio.io~1inject".to_owned(),
            ),
            (".spec.replicas", "/spec/replicas".to_owned()),
            (".nothing[]", "Absent".to_owned()),
            ("empty", String::new()),
            (".", String::new()),
            (".spec, .kind # a comment", "/spec /kind".to_owned()),
        ] {
            assert_eq!(places(expression, deployment()), Ok(expected), "{expression}");
        }
    }

    /// argo-cd #25602: an expression that makes a value names no place, and nobody said so.
    #[test]
    fn what_is_no_path_expression_fails_and_says_why() {
        for (expression, words) in [
            ("if .spec then .spec else null end | null", "invalid path expression"),
            ("error(\"no\")", "no"),
            (".metadata.labels | keys", "invalid path expression"),
        ] {
            let failed = places(expression, deployment()).unwrap();
            assert!(failed.starts_with("Failed(") && failed.contains(words), "{expression}: {failed}");
        }
        for (expression, words) in [
            (".spec[", "is no jq expression"),
            ("nonsense(.)", "`nonsense` is not known"),
            ("env", "`env` is not known"),
        ] {
            let error = places(expression, deployment()).unwrap_err();
            assert!(error.contains(words), "{expression}: {error}");
        }
    }
}
