//! The input and the output of the renderers.

use std::path::Path;

use super::paths;
use super::references::References;
use super::settings::RenderSettings;
use crate::app::{Application, Source};
use crate::finding::Finding;
use crate::object::{Gap, Kinds, Object};
use crate::process::Cancel;
use crate::source::short;

/// The desired state of an application: every object of every source, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
    /// The objects, as rendered: namespaces are not filled in yet.
    pub objects: Vec<Object>,
    /// Problems that do not stop the render, such as a file that was skipped.
    pub warnings: Vec<Finding>,
    /// Files that could not be read and may contain unknown objects. Of its sources only the first is meant: [`settle`]
    /// numbers them.
    pub gaps: Vec<Gap>,
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
    /// Whether the files are exactly those of the revision, now and later: a working tree's are not.
    pub is_pinned: bool,
    /// The checkout's root: no path leads out of it.
    pub root: &'a Path,
    /// The source's folder in the checkout.
    pub folder: &'a Path,
    /// The sources of the application that lend their files to others.
    pub references: &'a References,
    /// The destination's cluster: its version, its kinds.
    pub kinds: &'a Kinds,
    /// Limits of rendering.
    pub settings: &'a RenderSettings,
    /// Ends child programs early.
    pub cancel: &'a Cancel,
}

impl RenderInput<'_> {
    /// A place in the checkout, relative to its root; `.` for the root itself.
    pub(super) fn relative(&self, path: &Path) -> String {
        paths::relative(self.root, path)
    }

    /// The source's folder, relative to the checkout's root.
    pub(super) fn shown_folder(&self) -> String {
        self.relative(self.folder)
    }

    /// A file of the source's folder, relative to the checkout's root.
    pub(super) fn shown(&self, file: &str) -> String {
        self.relative(&self.folder.join(file))
    }

    /// The name of the source in errors: its chart or its folder, and the revision.
    pub(super) fn place(&self) -> String {
        let folder = self.source.chart.clone().unwrap_or_else(|| self.shown_folder());
        if self.revision.is_empty() { format!("`{folder}`") } else { format!("`{folder}` at {}", short(self.revision)) }
    }
}

/// The output of a tool for a source.
pub(super) struct Made {
    pub(super) target: Target,
    /// Whether it is worth keeping: the same files give the same objects again, which what is fetched while rendering may
    /// not; and not at no cost.
    pub(super) repeatable: bool,
}

impl Made {
    pub(super) fn again(target: Target) -> Self {
        Self { target, repeatable: true }
    }

    pub(super) fn once(target: Target) -> Self {
        Self { target, repeatable: false }
    }
}
