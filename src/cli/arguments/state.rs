//! Where states are kept.

/// Where states are kept.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "State")]
pub(crate) struct StateArguments {
    /// The namespace that trueup keeps its records and locks in; default: that of each application's destination
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) state_namespace: Option<String>,
}
