//! Renders a checked-out source to objects: the tool is detected, then run; then namespaces are filled in.
//!
//! In: a checkout, a source. Out: objects and warnings, or a [`RenderError`] that names the file. Namespaces and
//! duplicates are settled over all sources of an application by [`settle`].
//!
//! Rules: Argo CD util/app/discovery, reposerver/repository.

mod cache;
mod capabilities;
mod detect;
mod directory;
mod environment;
mod error;
mod glob;
mod helm;
mod incomplete;
mod input;
pub mod jsonnet;
mod ksonnet;
mod kustomize;
mod likeness;
mod list;
mod overrides;
mod paths;
pub mod plugin;
mod program;
pub mod reads;
mod references;
mod settings;
mod settle;
mod steady;
mod stream;
mod working_copy;

pub(crate) use detect::by_files;
pub use environment::BuildEnvironment;
pub use error::RenderError;
pub use helm::HelmError;
pub use incomplete::finding as gap_finding;
use input::Made;
pub use input::{RenderInput, Target};
pub use ksonnet::KsonnetError;
pub use kustomize::KustomizeError;
pub use program::{ProgramError, ProgramSettings};
pub use references::{Reference, References};
pub use settings::{CacheSettings, DEFAULT_COMBINED_SIZE, DEFAULT_TIMEOUT, RenderSettings};
pub use settle::{RenderDestination, RenderedSources, Settled, settle};
pub use steady::unsteady;

use crate::app::source::SourceKind;
use crate::object::{Gap, GapReason};
use program::Program;

/// One source, rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Its objects and warnings.
    pub target: Target,
    /// The tool that rendered it.
    pub tool: SourceKind,
    /// Its folder, relative to the repository's root, or its chart.
    pub place: String,
}

/// Whether another render of a source by the same tool may give something else, for values that Helm generates: a guess that errs on
/// the side of yes, and starts no program.
pub fn may_differ_each_time(input: &RenderInput<'_>, tool: SourceKind) -> bool {
    let Ok((source, _)) = overrides::apply(input) else { return false };
    let input = &RenderInput { source: &source, ..*input };
    match tool {
        SourceKind::Helm => helm::may_differ_each_time(input),
        SourceKind::Kustomize => kustomize::may_differ_each_time(input),
        SourceKind::Directory | SourceKind::Ksonnet | SourceKind::Plugin => false,
    }
}

/// The version of a tool's program, on one line; `None` for a tool that is part of trueup. On a thread that may
/// block, within a runtime.
pub fn version_of(input: &RenderInput<'_>, tool: SourceKind) -> Option<String> {
    let program = match tool {
        SourceKind::Helm => Program::helm(&input.settings.programs),
        SourceKind::Kustomize => Program::kustomize(&input.settings.programs),
        SourceKind::Directory | SourceKind::Ksonnet | SourceKind::Plugin => return None,
    };
    let said = program.ok()?.version(input).ok()?;
    said.lines().next().map(|line| line.trim().to_owned())
}

/// Renders one source from the folder that its checkout holds for it; on a thread that may block, within a runtime.
pub fn render(input: &RenderInput<'_>) -> Result<Rendered, RenderError> {
    let (source, mut warnings) = overrides::apply(input)?;
    let input = &RenderInput { source: &source, ..*input };
    let tool = detect::detect(input, &mut warnings)?;
    let entry = cache::CachedRender::of(input, tool);
    let place = source.chart.clone().unwrap_or_else(|| input.shown_folder());
    let silent = silent_api(input, tool);
    if let Some(mut target) = entry.as_ref().and_then(cache::CachedRender::read) {
        target.gaps.extend(silent);
        return Ok(Rendered { target: Target { warnings, ..target }, tool, place });
    }
    let Made { mut target, repeatable } = match tool {
        SourceKind::Directory => directory::render(input),
        SourceKind::Plugin => plugin::render(input).map(Made::again),
        SourceKind::Ksonnet => ksonnet::render(input).map(Made::again),
        SourceKind::Helm => helm::render(input),
        SourceKind::Kustomize => kustomize::render(input),
    }?;
    if repeatable && let Some(entry) = entry {
        entry.keep(&target);
    }
    warnings.append(&mut target.warnings);
    target.warnings = warnings;
    target.gaps.extend(silent);
    Ok(Rendered { target, tool, place })
}

/// A tool that reads the cluster's list of APIs renders too little while one of them does not answer.
fn silent_api(input: &RenderInput<'_>, tool: SourceKind) -> Option<Gap> {
    let api = input.kinds.unavailable.keys().next()?;
    let is_asked_for = match tool {
        SourceKind::Helm => helm::asks_for_apis(input).then_some(true),
        SourceKind::Kustomize => kustomize::may_ask_for_apis(input).then_some(true),
        SourceKind::Plugin => Some(false),
        SourceKind::Directory | SourceKind::Ksonnet => None,
    }?;
    let reason = GapReason::ApiUnavailable { api: api.clone(), is_asked_for };
    Some(Gap { source: 0, file: None, line: 0, reason, names: Vec::new() })
}
