//! Looks at what a kustomization builds on, before Kustomize does.
//!
//! In: the source's folder. Out: whether anything in it comes from elsewhere; or an error for a base outside of the
//! repository. Kustomize itself keeps files inside of their folder, but follows a base wherever it leads.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::KustomizeError;
use super::kustomization::Kustomization;
use crate::target::render::RenderInput;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Bases or charts that are fetched while building: the same revision may give something else tomorrow.
    pub(super) is_fetched: bool,
}

/// The fields that lead to other kustomizations.
const BASES: [&str; 3] = ["resources", "bases", "components"];

/// `unrestricted`: whether files may lie anywhere (`--load-restrictor LoadRestrictionsNone`), so that we have to look.
pub(super) fn survey(input: &RenderInput<'_>, extra: &[String], unrestricted: bool) -> Result<Survey, KustomizeError> {
    let mut survey = Survey::default();
    let mut seen = HashSet::new();
    let mut pending = vec![input.folder.to_owned()];
    for component in extra {
        survey.entry(input, input.folder, "the source", component, &mut pending)?;
    }
    while let Some(folder) = pending.pop() {
        if !seen.insert(folder.clone()) {
            continue;
        }
        let shown = input.relative(&folder);
        // What is no kustomization is none of ours; Kustomize says what it thinks of it.
        let Ok(Some(kustomization)) = Kustomization::of(&folder, &shown) else { continue };
        for entry in BASES.iter().flat_map(|field| kustomization.texts(field)) {
            survey.entry(input, &folder, &kustomization.shown, entry, &mut pending)?;
        }
        survey.is_fetched |=
            ["helmCharts", "helmChartInflationGenerator"].iter().any(|field| kustomization.fields.contains_key(*field));
        if unrestricted {
            let fields = Value::Object(kustomization.fields.clone());
            every_text(&fields, &mut |text| files_stay_inside(input, &folder, &kustomization.shown, text))?;
        }
    }
    Ok(survey)
}

impl Survey {
    fn entry(
        &mut self,
        input: &RenderInput<'_>,
        folder: &Path,
        file: &str,
        entry: &str,
        pending: &mut Vec<PathBuf>,
    ) -> Result<(), KustomizeError> {
        let leaves = || KustomizeError::Leaves { file: file.to_owned(), entry: entry.to_owned() };
        match folder.join(entry).canonicalize() {
            Ok(found) if !found.starts_with(input.root) => Err(leaves()),
            Ok(found) => {
                pending.extend(found.is_dir().then_some(found));
                Ok(())
            }
            // Not here: a URL, or a path that Kustomize will miss.
            Err(_) if entry.starts_with('/') || climbs_out(input.root, folder, entry) => Err(leaves()),
            Err(_) => {
                self.is_fetched = true;
                Ok(())
            }
        }
    }
}

/// Whether a path leads out of the root by its text alone.
fn climbs_out(root: &Path, folder: &Path, entry: &str) -> bool {
    let below = folder.strip_prefix(root).unwrap_or(Path::new(""));
    !entry.contains("://") && crate::target::source::lexically_inside(&below.join(entry)).is_none()
}

/// A text may be a path, alone or after `key=`; one that is, and that is there, must be inside.
fn files_stay_inside(input: &RenderInput<'_>, folder: &Path, file: &str, text: &str) -> Result<(), KustomizeError> {
    let path = text.split_once('=').map_or(text, |(_, path)| path);
    let may_leave = path.starts_with('/') || path.split('/').any(|part| part == "..");
    if !may_leave || text.contains('\n') {
        return Ok(());
    }
    match folder.join(path).canonicalize() {
        Ok(found) if !found.starts_with(input.root) => {
            Err(KustomizeError::Leaves { file: file.to_owned(), entry: text.to_owned() })
        }
        _ => Ok(()),
    }
}

fn every_text(value: &Value, look: &mut impl FnMut(&str) -> Result<(), KustomizeError>) -> Result<(), KustomizeError> {
    match value {
        Value::String(text) => look(text),
        Value::Array(list) => list.iter().try_for_each(|value| every_text(value, look)),
        Value::Object(map) => map.values().try_for_each(|value| every_text(value, look)),
        _ => Ok(()),
    }
}
