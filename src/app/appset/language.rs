//! The two template languages: Go templates, and `{{name}}` (fasttemplate), which leaves what it does not know.
//!
//! Rules: Argo CD applicationset/utils/utils.go `Replace`, `deeplyReplace` and the functions beside sprig.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Map as Json, Value as JsonValue};

use super::params::Params;
use crate::gotemplate::{
    Args, Context, Error as TemplateError, ErrorKind, Fault, Function, Functions, Host, Limit, MissingKey, Param,
    TemplateLimits, Templates, Value,
};
use crate::object::yaml;

/// How the templates of one ApplicationSet are read.
pub(super) enum Language {
    Go { functions: Rc<Functions>, missing_key: MissingKey, budget: StepBudget },
    Fast,
}

impl Language {
    pub(super) fn new(go_template: bool, options: &[String]) -> Result<Self, String> {
        if !go_template {
            return Ok(Self::Fast);
        }
        let missing_key = MissingKey::from_options(options.iter().map(String::as_str))?;
        Ok(Self::Go { functions: Rc::new(functions()), missing_key, budget: StepBudget::default() })
    }

    pub(super) fn is_go(&self) -> bool {
        matches!(self, Self::Go { .. })
    }

    /// One text with its parameters put in.
    pub(super) fn replace(&self, text: &str, params: &Params) -> Result<String, String> {
        match self {
            Self::Fast => fast(text, params),
            Self::Go { functions, missing_key, budget } => {
                go(text, params, functions, *missing_key, budget).map_err(|error| placed(&error, text))
            }
        }
    }

    /// The same for a text that may need parameters that are not known yet: then there is no result.
    pub(super) fn replace_known(&self, text: &str, params: &Params) -> Result<Option<String>, String> {
        match self {
            Self::Fast => fast(text, params).map(Some),
            Self::Go { functions, budget, .. } => match go(text, params, functions, MissingKey::Error, budget) {
                Ok(text) => Ok(Some(text)),
                Err(error) if is_missing_key(&error) => Ok(None),
                Err(error) => Err(placed(&error, text)),
            },
        }
    }

    /// Every text of a value with the parameters put in, keys too; on failure with the field that failed.
    ///
    /// A null in a map is left out, one in a list stays.
    pub(super) fn render(
        &self,
        value: &JsonValue,
        params: &Params,
        place: &str,
    ) -> Result<JsonValue, (String, String)> {
        let replace = |text: &str| self.replace(text, params).map_err(|cause| (place.to_owned(), cause));
        Ok(match value {
            JsonValue::String(text) => JsonValue::String(replace(text)?),
            JsonValue::Array(items) => {
                let items = items.iter().enumerate();
                let rendered = items.map(|(index, item)| self.render(item, params, &format!("{place}[{index}]")));
                JsonValue::Array(rendered.collect::<Result<_, _>>()?)
            }
            JsonValue::Object(map) => {
                let mut rendered = Json::new();
                for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                    rendered.insert(replace(key)?, self.render(value, params, &format!("{place}.{key}"))?);
                }
                JsonValue::Object(rendered)
            }
            _ => value.clone(),
        })
    }
}

/// How many steps all templates of one ApplicationSet may take together: some ten seconds.
#[derive(Debug)]
pub(super) struct StepBudget(Cell<u64>);

/// A host is asked once in so many steps.
const STEPS_A_QUESTION: u64 = 1_000;
const ALL_STEPS: u64 = 100_000_000;

/// The limits of one text.
const LIMITS: TemplateLimits = TemplateLimits { steps: 5_000_000, depth: 200, output: 16 << 20, memory: 64 << 20 };

impl Default for StepBudget {
    fn default() -> Self {
        Self(Cell::new(ALL_STEPS))
    }
}

impl Host for StepBudget {
    fn is_stopped(&self) -> bool {
        self.0.set(self.0.get().saturating_sub(STEPS_A_QUESTION));
        self.0.get() == 0
    }
}

fn go(
    text: &str,
    params: &Params,
    functions: &Rc<Functions>,
    missing_key: MissingKey,
    budget: &StepBudget,
) -> Result<String, Box<TemplateError>> {
    // A text without an action is its own result.
    if !text.contains("{{") {
        return Ok(text.to_owned());
    }
    let mut templates = Templates::sharing(Rc::clone(functions)).missing_key(missing_key).limits(LIMITS);
    templates.parse("", text)?;
    let rendered = templates.execute("", &Value::Map(params.clone()), budget)?;
    Ok(String::from_utf8_lossy(&rendered).into_owned())
}

/// Rule: Argo CD `isMissingKeyError`.
fn is_missing_key(error: &TemplateError) -> bool {
    error.cause.contains("map has no entry for key") || error.cause.contains("can't evaluate field")
}

/// A fault with its line and column, and the action there.
fn placed(error: &TemplateError, text: &str) -> String {
    if error.kind == ErrorKind::Limit(Limit::Stopped) {
        return format!("the templates of this ApplicationSet take more than {ALL_STEPS} steps");
    }
    let Some(line) = error.line.checked_sub(1).and_then(|index| text.split('\n').nth(index)) else {
        return error.message.clone();
    };
    let column = error.column.unwrap_or_default().min(line.len());
    let column_shown = error.column.map(|column| format!(", column {}", column + 1)).unwrap_or_default();
    let action = action_at(line, column).map(|action| format!(", at `{action}`")).unwrap_or_default();
    format!("line {}{column_shown}{action}: {}", error.line, error.cause)
}

/// The action of a line that a byte is in, cut where it is long; without a byte in one, the first.
fn action_at(line: &str, column: usize) -> Option<String> {
    const SHOWN: usize = 80;
    let before = line.get(..column).and_then(|before| before.rfind("{{"));
    let start = before.or_else(|| line.find("{{"))?;
    let action = &line[start..];
    let end = action.find("}}").map_or(action.len(), |end| end + 2);
    let action = &action[..end];
    let cut: String = action.chars().take(SHOWN).collect();
    Some(if cut.len() < action.len() { format!("{cut}…") } else { cut })
}

/// Tags of parameters that are texts are replaced, others stay as they are.
fn fast(text: &str, params: &Params) -> Result<String, String> {
    let is_template = text.lines().any(|line| line.split_once("{{").is_some_and(|(_, rest)| rest.contains("}}")));
    if !is_template {
        return Ok(text.to_owned());
    }
    let mut replaced = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        replaced.push_str(before);
        let Some((tag, after)) = after.split_once("}}") else {
            let from = format!("{{{{{after}");
            return Err(format!(
                "invalid template: Cannot find end tag=\"}}}}\" in the template={text:?} starting from {from:?}"
            ));
        };
        match params.get(tag.trim().as_bytes()) {
            Some(Value::Text(value)) if !tag.trim().is_empty() => replaced.push_str(&value.lossy()),
            _ => replaced.extend(["{{", tag, "}}"]),
        }
        rest = after;
    }
    replaced.push_str(rest);
    Ok(replaced)
}

/// sprig, and what Argo CD adds.
fn functions() -> Functions {
    let mut functions = Functions::sprig();
    functions.add("normalize", Function::new(&[Param::Text], |_, args| Ok(Value::text(normalized(&text(args, 0))))));
    functions.add("slugify", Function::new(&[], slugify).variadic(Param::Any));
    functions.add("toYaml", Function::new(&[Param::Any], to_yaml));
    functions.add("fromYaml", Function::new(&[Param::Text], from_yaml));
    functions.add("fromYamlArray", Function::new(&[Param::Text], from_yaml_array));
    functions
}

fn text(args: Args<'_>, index: usize) -> String {
    String::from_utf8_lossy(args.text(index)).into_owned()
}

/// Lower case, other characters than letters, digits, `-` and `.` as `-`, at most 253 of them, none of `-.` at the ends.
pub(super) fn normalized(name: &str) -> String {
    let name: String = name
        .to_lowercase()
        .chars()
        .map(|character| {
            let is_allowed =
                character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '-' | '.');
            if is_allowed { character } else { '-' }
        })
        .take(253)
        .collect();
    name.trim_matches(['-', '.']).to_owned()
}

/// `slugify [max] [smart] text`: at most 50 characters, cut between words when `smart` says so.
fn slugify(_: &mut dyn Context, args: Args<'_>) -> Result<Value, Fault> {
    let Some(last) = args.len().checked_sub(1) else { return Ok(Value::text("")) };
    let mut longest = 50;
    let mut is_smart = false;
    if last > 0 {
        longest = match args.value(0) {
            Value::Int(..) => usize::try_from(args.int(0)).unwrap_or(0),
            _ => return Err(Fault::new("slugify: the maximum length is not an int")),
        };
    }
    if last > 1 {
        is_smart = match args.value(1) {
            Value::Bool(smart) => *smart,
            _ => return Err(Fault::new("slugify: `smart` is not a bool")),
        };
    }
    let Value::Text(name) = args.value(last) else { return Err(Fault::new("slugify: the text is not a string")) };
    Ok(Value::text(slug(&name.lossy(), longest, is_smart)))
}

/// Rule: gosimple/slug with its English substitutions.
pub(super) fn slug(name: &str, longest: usize, is_smart: bool) -> String {
    let mut slug = String::new();
    for character in name.trim().replace('&', "and").replace('@', "at").to_lowercase().chars() {
        match character {
            'a'..='z' | '0'..='9' | '_' => slug.push(character),
            _ if slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_matches(['-', '_']);
    if slug.len() <= longest {
        return slug.to_owned();
    }
    let cut = &slug[..longest];
    let is_between_words = slug[longest..].starts_with('-');
    let end = if is_smart && !is_between_words { cut.rfind('-').unwrap_or(longest) } else { longest };
    cut[..end].trim_matches(['-', '_']).to_owned()
}

fn to_yaml(_: &mut dyn Context, args: Args<'_>) -> Result<Value, Fault> {
    let json = args.value(0).to_json()?;
    Ok(Value::text(yaml::write(&json).trim_end_matches('\n')))
}

/// The first document of a text; nothing is null.
pub(super) fn parse_yaml(text: &str) -> Result<JsonValue, String> {
    let mut documents = yaml::read(text, &yaml::Limits::default(), yaml::WithPositions::No).into_iter();
    match documents.next() {
        None => Ok(JsonValue::Null),
        Some(Ok(document)) => Ok(document.value),
        Some(Err(error)) => Err(format!("line {}: {error}", error.line)),
    }
}

fn from_yaml(_: &mut dyn Context, args: Args<'_>) -> Result<Value, Fault> {
    match parse_yaml(&text(args, 0))? {
        JsonValue::Null => Ok(Value::map([])),
        value @ JsonValue::Object(_) => Ok(Value::from_json(&value)),
        _ => Err(Fault::new(
            "error unmarshaling JSON: json: cannot unmarshal into Go value of type map[string]interface {}",
        )),
    }
}

fn from_yaml_array(_: &mut dyn Context, args: Args<'_>) -> Result<Value, Fault> {
    match parse_yaml(&text(args, 0))? {
        JsonValue::Null => Ok(Value::list(Vec::new())),
        value @ JsonValue::Array(_) => Ok(Value::from_json(&value)),
        _ => Err(Fault::new("error unmarshaling JSON: json: cannot unmarshal into Go value of type []interface {}")),
    }
}
