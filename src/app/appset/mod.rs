//! ApplicationSets: what generators find becomes parameters, and a template with parameters becomes an Application.
//!
//! In: an [`ApplicationSet`] and what is known of repositories and clusters ([`Facts`]). Out: the [`Generated`]
//! Applications and what went wrong, or the [`Need`]s that have to be answered first. Pure: [`expand`] is called again with
//! more facts until it needs nothing more.
//!
//! Rules: Argo CD applicationset/ (generators, utils, controllers/template).

mod cluster_secret;
mod expansion;
mod explain;
mod facts;
mod fault;
mod found;
mod generator_fixture;
mod generators;
mod glob;
mod language;
mod merging;
mod objects;
mod params;
mod patch;
pub mod question;
mod reader;
mod rollout;
mod set;
mod set_policy;
mod world;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map as Json, Value, json};

use crate::finding::Finding;

pub use cluster_secret::ClusterSecret;
pub use expansion::{ExpandedSet, ManifestExpansion, SetExpansion, expand_manifests, expand_sets};
pub use explain::{ExplainedParameter, ExplainedValue, Explanation};
pub use facts::{Facts, GitRevision, Need};
pub use found::FoundApplication;
pub use generator_fixture::GeneratorFixture;
pub use generators::GENERATORS;
pub(in crate::app) use glob::path_match;
pub use objects::ArgoObjects;
pub(super) use reader::decode as decode_set;
pub use reader::{ApplicationSets, read};
pub use rollout::{MaxUpdate, RollingSync, RolloutPlace, RolloutStep};
pub use set::ApplicationSet;
pub use set_policy::{ApplicationsSync, DeletionOrder, IgnoredApplicationFields, SetPolicy};

use fault::Fault;
use generators::{Answer, Found};
use language::Language;
use params::Params;
use world::World;

/// The finalizer that lets Argo CD delete what an Application deployed.
const RESOURCES_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";

/// An Application that an ApplicationSet generates.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// `metadata.name`.
    pub name: String,
    /// The whole manifest.
    pub manifest: Value,
    /// The generator it comes from, such as `generators[0].list`.
    pub generator: String,
    /// Where its values come from, if asked for.
    pub explanation: Option<Explanation>,
}

/// The outcome of an ApplicationSet.
#[derive(Debug, Clone, PartialEq)]
pub enum Expansion {
    /// These have to be answered first.
    Needs(Vec<Need>),
    /// The Applications, in the order of the generators, and what went wrong.
    Done(Vec<Generated>, Vec<Finding>),
}

/// Expands an ApplicationSet as far as the facts allow.
pub fn expand(set: &ApplicationSet, facts: &Facts) -> Expansion {
    let language = match Language::new(set.go_template, &set.go_template_options) {
        Ok(language) => language,
        Err(cause) => return Expansion::Done(Vec::new(), vec![set.finding(&Fault::Options { cause })]),
    };
    let mut run = Run {
        set,
        language,
        needs: Vec::new(),
        generated: Vec::new(),
        has_failed: false,
        findings: set.findings.clone(),
    };
    for (index, generator) in set.generators.iter().enumerate() {
        let place = format!("generators[{index}]");
        match generators::generate(generator, &place, None, &run.world(facts)) {
            Ok(found) => found.into_iter().for_each(|found| run.apply(&found, facts.is_explained)),
            Err(Answer::Needs(needs)) => run.needs.extend(needs),
            Err(Answer::Failed(fault)) => run.fail(&fault),
        }
    }
    if !run.needs.is_empty() {
        run.needs.sort();
        run.needs.dedup();
        return Expansion::Needs(run.needs);
    }
    run.finish()
}

struct Run<'set> {
    set: &'set ApplicationSet,
    language: Language,
    needs: Vec<Need>,
    generated: Vec<Generated>,
    /// Whether a generator or a template failed: then there are no Applications, as a part of them looks like a removal.
    has_failed: bool,
    findings: Vec<Finding>,
}

impl Run<'_> {
    fn world<'run>(&'run self, facts: &'run Facts) -> World<'run> {
        World { set: self.set, language: &self.language, facts }
    }

    fn fail(&mut self, fault: &Fault) {
        self.has_failed = true;
        self.findings.push(self.set.finding(fault));
    }

    /// Renders the template with each set of parameters, until one fails.
    fn apply(&mut self, found: &Found, is_explained: bool) {
        let template = merging::filled(&found.template, &self.set.template);
        for (index, set) in found.sets.iter().enumerate() {
            let place = format!("{}, parameter set {}", found.place, index + 1);
            match self.application(&template, &set.params) {
                Ok(manifest) => {
                    let name = manifest.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
                    let (name, generator) = (name.to_owned(), found.place.clone());
                    let explanation = is_explained.then(|| {
                        let patch = self.set.template_patch.as_deref();
                        explain::explain(&template, patch, set, index + 1, self.language.is_go())
                    });
                    self.generated.push(Generated { name, manifest, generator, explanation });
                }
                Err((field, cause)) => {
                    return self.fail(&Fault::Template { place, field, cause });
                }
            }
        }
    }

    /// One Application, or the field whose template failed and why.
    fn application(&self, template: &Value, params: &Params) -> Result<Value, (String, String)> {
        let mut application = if params.is_empty() {
            template.clone()
        } else {
            self.language.render(template, params, "spec.template")?
        };
        let mut metadata = take(&mut application, "metadata");
        metadata.retain(|field, _| ["name", "labels", "annotations", "finalizers"].contains(&field.as_str()));
        let has_finalizers = metadata.get("finalizers").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        if !params.is_empty() && !self.set.preserves_resources && !has_finalizers {
            metadata.insert("finalizers".to_owned(), json!([RESOURCES_FINALIZER]));
        }
        let spec = take(&mut application, "spec");
        let mut application = json!({ "metadata": metadata, "spec": spec });
        if let Some(patch) = self.set.template_patch.as_ref().filter(|patch| !patch.trim().is_empty()) {
            let field = || "spec.templatePatch".to_owned();
            let rendered = self.language.replace(patch, params).map_err(|cause| (field(), cause))?;
            patch::apply(&mut application, &rendered).map_err(|cause| (field(), cause))?;
        }
        let spec = take(&mut application, "spec");
        let mut metadata = take(&mut application, "metadata");
        if self.set.namespace.is_empty() {
            metadata.remove("namespace");
        } else {
            metadata.insert("namespace".to_owned(), json!(self.set.namespace));
        }
        Ok(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "spec": spec
        }))
    }

    /// Names that cannot be, or stand twice, are errors; the others are generated all the same.
    fn finish(mut self) -> Expansion {
        if self.has_failed {
            return Expansion::Done(Vec::new(), self.findings);
        }
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for generated in &self.generated {
            *count.entry(generated.name.clone()).or_default() += 1;
        }
        for (name, count) in count.iter().filter(|(_, count)| **count > 1) {
            let fault = Fault::RepeatedName { name: name.clone(), count: *count };
            self.findings.push(self.set.finding(&fault));
        }
        self.generated.retain(|generated| count.get(&generated.name) == Some(&1));
        let (set, findings) = (self.set, &mut self.findings);
        self.generated.retain(|generated| {
            let why = super::metadata::why_no_name(&generated.name, 253, true);
            if let Some(why) = &why {
                let name = generated.name.clone();
                findings.push(set.finding(&Fault::BadName { name, why: why.clone() }));
            }
            why.is_none()
        });
        Expansion::Done(self.generated, self.findings)
    }
}

/// Takes a map out of an Application; an empty one where there is none.
fn take(application: &mut Value, field: &str) -> Json<String, Value> {
    match application.get_mut(field).map(Value::take) {
        Some(Value::Object(map)) => map,
        _ => Json::new(),
    }
}
