//! Everything in manifest files expanded: Applications that are written out, and those that ApplicationSets generate.
//!
//! In: the texts of manifest files, and facts. Out: a [`ManifestExpansion`]: what is needed first, or the Applications with
//! the findings. Pure: the caller answers the needs and asks again.

use std::collections::BTreeMap;

use super::fault::Fault;
use super::{Expansion, Facts, FoundApplication, Need, expand, read};
use crate::app::ManifestText;
use crate::finding::Finding;

/// The outcome for manifest files.
#[derive(Debug, Clone, PartialEq)]
pub enum ManifestExpansion {
    /// These have to be answered first.
    Needs(Vec<Need>),
    /// The Applications, those of each file in its order, and what went wrong.
    Done(Vec<FoundApplication>, Vec<Finding>),
}

/// Expands all ApplicationSets of manifest files. One that fails stops no other.
pub fn expand_manifests(inputs: &[ManifestText], facts: &Facts) -> ManifestExpansion {
    let found = read(inputs);
    let mut findings = found.findings;
    let mut applications: Vec<FoundApplication> = found.applications;
    let mut needs = Vec::new();
    for set in &found.sets {
        match expand(set, facts) {
            Expansion::Needs(more) => needs.extend(more),
            Expansion::Done(generated, more) => {
                findings.extend(more);
                applications.extend(generated.into_iter().map(|generated| FoundApplication {
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
        return ManifestExpansion::Needs(needs);
    }
    drop_repeated(&mut applications, &mut findings);
    ManifestExpansion::Done(applications, findings)
}

/// Of several Applications of one name, nobody knows which is meant: those that are generated are left out.
fn drop_repeated(applications: &mut Vec<FoundApplication>, findings: &mut Vec<Finding>) {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for application in applications.iter() {
        *counts.entry(application.identity()).or_default() += 1;
    }
    let is_repeated = |application: &FoundApplication| {
        counts.get(&application.identity()).is_some_and(|count| *count > 1) && !application.application_set.is_empty()
    };
    let mut reported = Vec::new();
    for application in applications.iter().filter(|application| is_repeated(application)) {
        let identity = application.identity();
        if reported.contains(&identity) {
            continue;
        }
        let fault =
            Fault::RepeatedName { name: identity.1.clone(), count: counts.get(&identity).copied().unwrap_or(0) };
        findings.push(Finding::of(&fault).about(&application.application_set));
        reported.push(identity);
    }
    applications.retain(|application| !is_repeated(application));
}
