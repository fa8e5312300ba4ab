//! The programs that the user names, and one that was found.

use std::ffi::OsString;
use std::path::PathBuf;

/// Which programs render charts and kustomizations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProgramSettings {
    /// `--helm`: a path or a name; `helm` without one.
    pub helm: Option<PathBuf>,
    /// `--kustomize`: a path or a name; `kustomize` without one, or else `kubectl kustomize`.
    pub kustomize: Option<PathBuf>,
    /// `--kustomize-build-options`: what each `kustomize build` gets, as `kustomize.buildOptions` in `argocd-cm`.
    pub kustomize_build_options: Vec<String>,
    /// `PATH`: where programs are looked for.
    pub search_path: OsString,
}

/// A program that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Program {
    /// The file.
    pub(in super::super) path: PathBuf,
    /// The name in errors: `helm`, `kustomize`, `kubectl kustomize`.
    pub(in super::super) name: &'static str,
}
