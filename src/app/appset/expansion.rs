//! Everything in manifest files expanded: Applications that are written out, and those that ApplicationSets generate.
//!
//! In: the texts of manifest files, and facts. Out: a [`ManifestExpansion`]: what is needed first, or the Applications with
//! the findings. Pure: the caller answers the needs and asks again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::fault::Fault;
use super::{Expansion, Explanation, Facts, Need, expand, read};
use crate::app::{Given, ManifestText};
use crate::finding::Finding;
use crate::object::yaml;

/// An Application of manifest files.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundApplication {
    /// The manifest.
    pub manifest: Value,
    /// The ApplicationSet that generates it; empty when it is written out.
    pub application_set: String,
    /// The generator, such as `generators[0].list`; empty when it is written out.
    pub generator: String,
    /// Where its values come from, if asked for.
    pub explanation: Option<Explanation>,
    /// The file, as the user knows it.
    pub file: String,
    /// The folder of the file.
    pub folder: PathBuf,
}

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

impl FoundApplication {
    /// Its namespace, which may be empty, and its name.
    pub fn identity(&self) -> (String, String) {
        let text =
            |pointer: &str| self.manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("/metadata/namespace"), text("/metadata/name"))
    }

    /// The manifest as a file of its own, as Applications are read.
    pub fn text(&self) -> ManifestText {
        let name = if self.application_set.is_empty() {
            self.file.clone()
        } else {
            format!("{} ({} of ApplicationSet {})", self.file, self.generator, self.application_set)
        };
        ManifestText {
            name,
            bytes: yaml::write(&self.manifest).into_bytes(),
            folder: self.folder.clone(),
            given: Given::ByName,
        }
    }
}
