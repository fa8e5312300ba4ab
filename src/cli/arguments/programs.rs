//! Which programs render charts and kustomizations.

use std::path::PathBuf;

use crate::cli::session::environment;
use crate::render::ProgramSettings;

/// The programs that render charts and kustomizations.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Rendering")]
pub(crate) struct ProgramArguments {
    /// Use this helm program [default: `helm`]
    #[arg(long, value_name = "PROGRAM", env = "TRUEUP_HELM")]
    pub(crate) helm: Option<PathBuf>,
    /// Use this kustomize program [default: `kustomize`, else `kubectl kustomize`]
    #[arg(long, value_name = "PROGRAM", env = "TRUEUP_KUSTOMIZE")]
    pub(crate) kustomize: Option<PathBuf>,
    /// Pass these options to `kustomize build`, instead of `kustomize.buildOptions` of `argocd-cm`
    #[arg(long, value_name = "OPTIONS", allow_hyphen_values = true, default_value = "", hide_default_value = true)]
    kustomize_build_options: String,
}

impl ProgramArguments {
    /// The flags and the environment, resolved.
    pub(crate) fn settings(&self) -> ProgramSettings {
        ProgramSettings {
            helm: self.helm.clone(),
            kustomize: self.kustomize.clone(),
            kustomize_build_options: self.kustomize_build_options.split_whitespace().map(str::to_owned).collect(),
            search_path: environment("PATH").unwrap_or_default(),
        }
    }
}
