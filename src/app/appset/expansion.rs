//! Everything in manifest files expanded: Applications that are written out, and those that ApplicationSets generate.
//!
//! In: the texts of manifest files, and facts. Out: a [`ManifestExpansion`]: what is needed first, or the Applications with
//! the findings. Pure: the caller answers the needs and asks again.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fault::Fault;
use super::{ApplicationSet, Expansion, Facts, FoundApplication, Need, RolloutPlace, expand, read};
use crate::app::{ManifestText, QualifiedName};
use crate::finding::{Finding, Severity};

/// The outcome for manifest files.
#[derive(Debug, Clone, PartialEq)]
pub enum ManifestExpansion {
    /// These have to be answered first.
    Needs(Vec<Need>),
    /// The Applications, those of each file in its order, and what went wrong.
    Done(Vec<FoundApplication>, Vec<ExpandedSet>, Vec<Finding>),
}

/// The outcome for ApplicationSets.
#[derive(Debug, Clone, PartialEq)]
pub enum SetExpansion {
    /// These have to be answered first.
    Needs(Vec<Need>),
    /// The Applications that they generate, what became of each of them, and what went wrong.
    Done(Vec<FoundApplication>, Vec<ExpandedSet>, Vec<Finding>),
}

/// What became of an ApplicationSet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpandedSet {
    /// Its name.
    pub name: QualifiedName,
    /// The repositories in its template.
    pub origin: String,
    /// Whether Applications may be missing among those that it generates.
    pub has_failed: bool,
    /// Whether `syncPolicy.applicationsSync` lets an Application go that is no longer generated.
    pub allows_removal: bool,
    /// `syncPolicy.preserveResourcesOnDeletion`.
    pub preserves_resources: bool,
}

/// Expands all ApplicationSets of manifest files. One that fails stops no other.
pub fn expand_manifests(inputs: &[ManifestText], facts: &Facts) -> ManifestExpansion {
    let found = read(inputs);
    let identity = |application: &FoundApplication| application.qualified_name(&facts.argocd_namespace);
    let written: Vec<QualifiedName> = found.applications.iter().map(identity).collect();
    match expand_sets(&found.sets, &written, facts) {
        SetExpansion::Needs(needs) => ManifestExpansion::Needs(needs),
        SetExpansion::Done(generated, sets, more) => {
            let (mut applications, mut findings) = (found.applications, found.findings);
            applications.extend(generated);
            findings.extend(more);
            ManifestExpansion::Done(applications, sets, findings)
        }
    }
}

/// Expands ApplicationSets beside Applications that are written out. One that fails stops no other.
pub fn expand_sets(sets: &[ApplicationSet], written: &[QualifiedName], facts: &Facts) -> SetExpansion {
    let mut findings = Vec::new();
    let mut applications = Vec::new();
    let (mut expanded, mut needs) = (Vec::new(), Vec::new());
    for set in sets {
        match expand(set, facts) {
            Expansion::Needs(more) => needs.extend(more),
            Expansion::Done(generated, more) => {
                expanded.push(ExpandedSet {
                    name: QualifiedName::of(&set.namespace, &set.name, &facts.argocd_namespace),
                    origin: set.origin(),
                    has_failed: more.iter().any(|finding| finding.severity == Severity::Error),
                    allows_removal: set.policy.applications_sync.allows_delete(),
                    preserves_resources: set.preserves_resources,
                });
                findings.extend(more);
                applications.extend(generated.into_iter().map(|generated| FoundApplication {
                    set_origin: set.origin(),
                    wave: set.wave,
                    rollout: rollout_of(set, &generated.manifest),
                    manifest: generated.manifest,
                    application_set: set.name.clone(),
                    generator: generated.generator,
                    explanation: generated.explanation,
                    file: set.origin.file.to_string(),
                    folder: set.folder.clone(),
                }));
            }
        }
    }
    if !needs.is_empty() {
        needs.sort();
        needs.dedup();
        return SetExpansion::Needs(needs);
    }
    drop_repeated(&mut applications, written, &facts.argocd_namespace, &mut findings);
    SetExpansion::Done(applications, expanded, findings)
}

fn rollout_of(set: &ApplicationSet, manifest: &Value) -> RolloutPlace {
    let labels = manifest.pointer("/metadata/labels").and_then(Value::as_object);
    set.rolling_sync.as_ref().map_or(RolloutPlace::Free, |rolling| rolling.place_of(labels))
}

/// Of several Applications of one name, nobody knows which is meant: those that are generated are left out.
fn drop_repeated(
    applications: &mut Vec<FoundApplication>,
    written: &[QualifiedName],
    default_namespace: &str,
    findings: &mut Vec<Finding>,
) {
    let mut counts: BTreeMap<QualifiedName, usize> = BTreeMap::new();
    for name in written {
        *counts.entry(name.clone()).or_default() += 1;
    }
    for application in applications.iter() {
        *counts.entry(application.qualified_name(default_namespace)).or_default() += 1;
    }
    let count = |application: &FoundApplication| {
        counts.get(&application.qualified_name(default_namespace)).copied().unwrap_or_default()
    };
    let mut reported = Vec::new();
    for application in applications.iter().filter(|application| count(application) > 1) {
        let name = application.qualified_name(default_namespace);
        if reported.contains(&name) {
            continue;
        }
        let fault = Fault::RepeatedName { name: name.name.clone(), count: count(application) };
        findings.push(Finding::of(&fault).about(&application.application_set));
        reported.push(name);
    }
    applications.retain(|application| count(application) <= 1);
}
