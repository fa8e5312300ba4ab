//! Renders a checked-out source to objects: the tool is detected, then run; then namespaces are filled in.
//!
//! In: a checkout, a source. Out: objects and warnings, or a [`RenderError`] that names the file. Namespaces and
//! duplicates are settled over all sources of an application by [`settle`].
//!
//! Rules: Argo CD util/app/discovery, reposerver/repository.

mod detect;
mod directory;
mod environment;
mod error;
pub mod jsonnet;
mod ksonnet;
mod overrides;
mod paths;
pub mod plugin;
mod settle;
mod steady;
mod stream;

pub use directory::DEFAULT_COMBINED_SIZE;
pub use environment::BuildEnvironment;
pub use error::RenderError;
pub use ksonnet::KsonnetError;
pub use settle::{Place, Settled, settle};
pub use steady::unsteady;

use std::path::{Path, PathBuf};
use std::time::Duration;

use self::detect::Tool;
use super::Target;
use crate::app::source::SourceKind;
use crate::app::{Application, Source};
use crate::object::Kinds;
use crate::process::Cancel;

/// What rendering may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderSettings {
    /// All plain manifests of one source together, in bytes.
    pub combined_size: u64,
    /// How long one program may take for one source.
    pub timeout: Duration,
    /// This program, which evaluates Jsonnet as a child of itself ([`jsonnet::WORKER`]).
    pub program: PathBuf,
    /// The plugins that the user allows to run.
    pub plugins: Vec<plugin::Plugin>,
}

/// Argo CD's `ARGOCD_EXEC_TIMEOUT`.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(90);

impl Default for RenderSettings {
    fn default() -> Self {
        Self {
            combined_size: DEFAULT_COMBINED_SIZE,
            timeout: DEFAULT_TIMEOUT,
            program: PathBuf::from("trueup"),
            plugins: Vec::new(),
        }
    }
}

/// Everything that the rendering of one source may look at.
#[derive(Clone, Copy)]
pub struct RenderInput<'a> {
    /// The application that the source is of.
    pub application: &'a Application,
    /// The application's name as tracking has it ([`Application::instance_name`]).
    pub instance_name: &'a str,
    /// The source itself.
    pub source: &'a Source,
    /// The full commit hash of the checkout; empty for a working tree outside of git.
    pub revision: &'a str,
    /// The checkout's root: no path leads out of it.
    pub root: &'a Path,
    /// The source's folder in the checkout.
    pub folder: &'a Path,
    /// What the destination's cluster serves: its version, its kinds.
    pub kinds: &'a Kinds,
    /// What rendering may cost.
    pub settings: &'a RenderSettings,
    /// Ends child programs early.
    pub cancel: &'a Cancel,
}

impl RenderInput<'_> {
    /// The variables that Argo CD fills into some fields of the source.
    pub fn environment(&self) -> BuildEnvironment {
        BuildEnvironment::of(self)
    }
}

/// One source, rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// Its objects and warnings.
    pub target: Target,
    /// The tool that rendered it.
    pub tool: SourceKind,
}

/// Refuses a source whose manifest alone says that it cannot be rendered, before anything is fetched for it.
pub fn check(source: &Source) -> Result<(), RenderError> {
    match detect::explicit(source) {
        Some(Tool { kind: kind @ (SourceKind::Helm | SourceKind::Kustomize), why }) => Err(not_yet(kind, why)),
        _ => Ok(()),
    }
}

/// Renders one source from the folder that its checkout holds for it; on a thread that may block, within a runtime.
pub fn render(input: &RenderInput<'_>) -> Result<Rendered, RenderError> {
    let (source, mut warnings) = overrides::apply(input)?;
    let input = &RenderInput { source: &source, ..*input };
    let tool = detect::detect(input)?;
    let mut target = match tool.kind {
        SourceKind::Directory => directory::render(input),
        SourceKind::Plugin => plugin::render(input),
        SourceKind::Ksonnet => ksonnet::render(input),
        SourceKind::Helm | SourceKind::Kustomize => Err(not_yet(tool.kind, tool.why)),
    }?;
    warnings.append(&mut target.warnings);
    target.warnings = warnings;
    Ok(Rendered { target, tool: tool.kind })
}

fn not_yet(kind: SourceKind, why: String) -> RenderError {
    RenderError::NotYetRendered { what: kind.as_str(), why }
}
