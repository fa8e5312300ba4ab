//! Generators: one entry of `spec.generators` becomes sets of parameters.

mod clusters;
mod git;
mod list;
mod matrix;
mod merge;

use serde_json::Value as Json;

use super::fault::Fault;
use super::language::Language;
use super::params::{Params, flattened, texts};
use super::{Need, World};
use crate::gotemplate::{Text, Value};

/// A kind of generator, and the fields that it has besides `template` and `values`.
#[derive(Debug)]
pub struct Generator {
    /// The field of an entry of `spec.generators`.
    pub name: &'static str,
    /// Its own fields.
    pub fields: &'static [&'static str],
}

/// Every kind that Argo CD knows.
pub static GENERATORS: [Generator; 9] = [
    Generator { name: "list", fields: &["elements", "elementsYaml"] },
    Generator { name: "clusters", fields: &["selector", "flatList"] },
    Generator {
        name: "git",
        fields: &["repoURL", "revision", "directories", "files", "pathParamPrefix", "requeueAfterSeconds"],
    },
    Generator { name: "matrix", fields: &["generators"] },
    Generator { name: "merge", fields: &["generators", "mergeKeys"] },
    Generator { name: "plugin", fields: &["configMapRef", "input", "requeueAfterSeconds"] },
    Generator {
        name: "clusterDecisionResource",
        fields: &["configMapRef", "name", "labelSelector", "requeueAfterSeconds"],
    },
    Generator {
        name: "pullRequest",
        fields: &[
            "github",
            "gitlab",
            "gitea",
            "bitbucketServer",
            "bitbucket",
            "azuredevops",
            "filters",
            "continueOnRepoNotFoundError",
            "requeueAfterSeconds",
        ],
    },
    Generator {
        name: "scmProvider",
        fields: &[
            "github",
            "gitlab",
            "bitbucket",
            "bitbucketServer",
            "gitea",
            "azureDevOps",
            "awsCodeCommit",
            "cloneProtocol",
            "filters",
            "requeueAfterSeconds",
        ],
    },
];

/// The result of one generator.
pub(super) struct Found {
    /// Where it stands, such as `generators[0].list`.
    pub(super) place: String,
    /// Its own template, which counts before the ApplicationSet's.
    pub(super) template: Json,
    pub(super) params: Vec<Params>,
}

/// Why there are no parameters.
pub(super) enum Answer {
    Needs(Vec<Need>),
    Failed(Fault),
}

impl From<Vec<Need>> for Answer {
    fn from(needs: Vec<Need>) -> Self {
        Self::Needs(needs)
    }
}

type Result<T> = std::result::Result<T, Answer>;

fn failed<T>(place: &str, cause: impl Into<String>) -> Result<T> {
    Err(Answer::Failed(Fault::Generator { place: place.to_owned(), cause: cause.into() }))
}

/// How deep generators are nested in `matrix` and `merge`.
const MAX_DEPTH: usize = 3;

/// The parameters of one entry; `outer` are those of a matrix's first generator.
pub(super) fn generate(entry: &Json, place: &str, outer: Option<&Params>, world: &World<'_>) -> Result<Vec<Found>> {
    generate_at(entry, place, outer, world, 0)
}

fn generate_at(
    entry: &Json,
    place: &str,
    outer: Option<&Params>,
    world: &World<'_>,
    depth: usize,
) -> Result<Vec<Found>> {
    if depth > MAX_DEPTH {
        return failed(place, "generators are nested deeper than Argo CD allows");
    }
    let selector = Selector::of(entry.get("selector")).or_else(|cause| failed(place, cause))?;
    let mut found = Vec::new();
    for kind in &GENERATORS {
        let Some(options) = entry.get(kind.name).filter(|options| !options.is_null()) else { continue };
        let place = format!("{place}.{}", kind.name);
        let options = interpolated(options, outer, world.language, &place)?;
        let mut params = match kind.name {
            "list" => list::params(&options, &place, world)?,
            "clusters" => clusters::params(&options, &place, world)?,
            "git" => git::params(&options, &place, world)?,
            "matrix" => matrix::params(&options, &place, world, depth)?,
            "merge" => merge::params(&options, &place, world, depth)?,
            _ => return Err(Answer::Failed(Fault::Unsupported { place })),
        };
        if let Some(selector) = &selector {
            params.retain(|params| selector.matches(&flattened(params)));
        }
        found.push(Found { place, template: options.get("template").cloned().unwrap_or_default(), params });
    }
    if found.is_empty() {
        return failed(place, "it names no generator that Argo CD knows");
    }
    Ok(found)
}

/// The one generator that a matrix or merge has in a place.
fn only(found: Vec<Found>, place: &str) -> Result<Vec<Params>> {
    match <[Found; 1]>::try_from(found) {
        Ok([found]) => Ok(found.params),
        Err(_) => failed(place, "found more than one generator"),
    }
}

/// A generator with the parameters of the one before it; its `values` are rendered later, with its own.
fn interpolated(options: &Json, outer: Option<&Params>, language: &Language, place: &str) -> Result<Json> {
    let Some(outer) = outer.filter(|outer| !outer.is_empty()) else { return Ok(options.clone()) };
    let rendered = language.render(options, outer, place);
    let mut rendered = rendered.or_else(|(field, cause)| failed(place, format!("`{field}`: {cause}")))?;
    if let (Some(rendered), Some(values)) = (rendered.as_object_mut(), options.get("values")) {
        rendered.insert("values".to_owned(), values.clone());
    }
    Ok(rendered)
}

/// Renders `values` with the parameters, and adds them.
fn add_values(options: &Json, params: &Params, place: &str, language: &Language) -> Result<()> {
    let Some(values) = options.get("values").and_then(Json::as_object).filter(|values| !values.is_empty()) else {
        return Ok(());
    };
    let mut rendered = std::collections::BTreeMap::new();
    for (key, value) in values {
        let value = value.as_str().unwrap_or_default();
        let value = language
            .replace(value, params)
            .or_else(|cause| failed(place, format!("failed to replace templated string: `values.{key}`: {cause}")))?;
        rendered.insert(key.clone(), value);
    }
    if language.is_go() {
        params.insert(Text::from("values"), texts(&rendered));
    } else {
        for (key, value) in rendered {
            params.insert(Text::from(format!("values.{key}")), Value::text(value));
        }
    }
    Ok(())
}

/// A label selector over parameters, whose values may be any text.
struct Selector(Vec<(String, Condition)>);

enum Condition {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Nothing when there is no selector.
    fn of(selector: Option<&Json>) -> std::result::Result<Option<Self>, String> {
        let Some(selector) = selector.filter(|selector| !selector.is_null()) else { return Ok(None) };
        let mut requirements = Vec::new();
        for (key, value) in selector.get("matchLabels").and_then(Json::as_object).into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            requirements.push((key.clone(), Condition::In(vec![value])));
        }
        for expression in selector.get("matchExpressions").and_then(Json::as_array).into_iter().flatten() {
            let text = |field: &str| expression.get(field).and_then(Json::as_str).unwrap_or_default();
            let values = expression.get("values").and_then(Json::as_array).into_iter().flatten();
            let values = values.filter_map(Json::as_str).map(str::to_owned).collect();
            let condition = match text("operator") {
                "In" => Condition::In(values),
                "NotIn" => Condition::NotIn(values),
                "Exists" => Condition::Exists,
                "DoesNotExist" => Condition::DoesNotExist,
                other => return Err(format!("{other:?} is not a valid label selector operator")),
            };
            requirements.push((text("key").to_owned(), condition));
        }
        Ok(Some(Self(requirements)))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn matches(&self, labels: &std::collections::BTreeMap<String, String>) -> bool {
        self.0.iter().all(|(key, condition)| {
            let value = labels.get(key);
            match condition {
                Condition::In(values) => value.is_some_and(|value| values.contains(value)),
                Condition::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Condition::Exists => value.is_some(),
                Condition::DoesNotExist => value.is_none(),
            }
        })
    }
}
