//! Generators: one entry of `spec.generators` becomes sets of parameters.

mod clusters;
mod decision;
mod git;
mod list;
mod matrix;
mod merge;
mod plugin;
mod pull_request;
mod scm_provider;
mod service;

use serde_json::Value as Json;

use super::fault::Fault;
use super::language::Language;
use super::params::{ParamSet, Params, flattened, size, texts};
use super::{Need, World};
use crate::gotemplate::{Text, Value};
pub(super) use scm_provider::filters as repository_filters;

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

/// The fields of a generator that have fields of their own, by name.
pub(super) fn nested_fields(generator: &str) -> &'static [(&'static str, &'static [&'static str])] {
    match generator {
        "plugin" => &[("configMapRef", &["name"]), ("input", &["parameters"])],
        "pullRequest" => &[
            ("github", &["owner", "repo", "api", "tokenRef", "appSecretName", "labels"]),
            ("gitlab", &["project", "api", "tokenRef", "labels", "pullRequestState", "insecure", "caRef"]),
            ("gitea", &["owner", "repo", "api", "tokenRef", "insecure", "labels"]),
            ("bitbucketServer", &["project", "repo", "api", "basicAuth", "bearerToken", "insecure", "caRef"]),
        ],
        "scmProvider" => &[
            ("github", &["organization", "api", "tokenRef", "appSecretName", "allBranches", "excludeArchivedRepos"]),
            (
                "gitlab",
                &[
                    "group",
                    "includeSubgroups",
                    "includeSharedProjects",
                    "includeArchivedRepos",
                    "api",
                    "tokenRef",
                    "allBranches",
                    "insecure",
                    "topic",
                    "caRef",
                ],
            ),
            ("gitea", &["owner", "api", "tokenRef", "allBranches", "insecure", "excludeArchivedRepos"]),
            ("bitbucketServer", &["project", "api", "basicAuth", "bearerToken", "allBranches", "insecure", "caRef"]),
        ],
        _ => &[],
    }
}

/// The result of one generator.
pub(super) struct Found {
    /// Where it stands, such as `generators[0].list`.
    pub(super) place: String,
    /// Its own template, which counts before the ApplicationSet's.
    pub(super) template: Json,
    pub(super) sets: Vec<ParamSet>,
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

/// How many sets of parameters a generator may have.
const MAX_SETS: usize = 50_000;

/// How many bytes the parameters of a generator may take.
const MAX_BYTES: usize = 32 << 20;

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
        let params = match kind.name {
            "matrix" => Err(matrix::params(&options, &place, world, depth)?),
            "merge" => Err(merge::params(&options, &place, world, depth)?),
            "list" => Ok(list::params(&options, &place, world)?),
            "clusters" => Ok(clusters::params(&options, &place, world)?),
            "git" => Ok(git::params(&options, &place, world)?),
            "plugin" => Ok(plugin::params(&options, &place, world)?),
            "clusterDecisionResource" => Ok(decision::params(&options, &place, world)?),
            "pullRequest" => Ok(pull_request::params(&options, &place, world)?),
            "scmProvider" => Ok(scm_provider::params(&options, &place, world)?),
            _ => return Err(Answer::Failed(Fault::Unsupported { place })),
        };
        let one = |params| ParamSet::of(params, &place, world.facts.is_explained);
        let mut sets = params.map_or_else(|sets| sets, |params| params.into_iter().map(one).collect());
        check_count(sets.len(), &place)?;
        check_size(&sets, &place)?;
        if let Some(selector) = &selector {
            sets.retain(|set| selector.matches(&flattened(&set.params)));
        }
        found.push(Found { place, template: options.get("template").cloned().unwrap_or_default(), sets });
    }
    if found.is_empty() {
        return failed(place, "it names no generator that Argo CD knows");
    }
    Ok(found)
}

/// Refuses more sets than anybody wants Applications.
fn check_count(count: usize, place: &str) -> Result<()> {
    if count <= MAX_SETS {
        return Ok(());
    }
    failed(place, format!("it generates more than {MAX_SETS} sets of parameters, which is the limit"))
}

fn check_size(sets: &[ParamSet], place: &str) -> Result<()> {
    let bytes: usize = sets.iter().map(|set| size(&Value::Map(set.params.clone()))).sum();
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    failed(place, format!("its parameters take {} MiB, more than the limit of {} MiB", bytes >> 20, MAX_BYTES >> 20))
}

/// The one generator that a matrix or merge has in a place.
fn only(found: Vec<Found>, place: &str) -> Result<Vec<ParamSet>> {
    match <[Found; 1]>::try_from(found) {
        Ok([found]) => Ok(found.sets),
        Err(_) => failed(place, "found more than one generator"),
    }
}

/// A generator with the parameters of the one before it.
///
/// A text of its `values` that needs its own parameters, too, is rendered later. Rule: Argo CD `RenderGeneratorParams`.
fn interpolated(options: &Json, outer: Option<&Params>, language: &Language, place: &str) -> Result<Json> {
    let Some(outer) = outer.filter(|outer| !outer.is_empty()) else { return Ok(options.clone()) };
    let (mut own, values) = (options.clone(), options.get("values").and_then(Json::as_object));
    if let Some(own) = own.as_object_mut() {
        own.remove("values");
    }
    let rendered = language.render(&own, outer, place);
    let mut rendered = rendered.or_else(|(field, cause)| failed(place, format!("`{field}`: {cause}")))?;
    if let (Some(rendered), Some(values)) = (rendered.as_object_mut(), values) {
        let mut resolved = serde_json::Map::new();
        for (key, value) in values {
            let known = language.replace_known(value.as_str().unwrap_or_default(), outer);
            let known = known.or_else(|cause| failed(place, format!("`values.{key}`: {cause}")))?;
            resolved.insert(key.clone(), known.map_or_else(|| value.clone(), Json::String));
        }
        rendered.insert("values".to_owned(), Json::Object(resolved));
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
