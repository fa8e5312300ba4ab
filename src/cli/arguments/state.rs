//! Where states are kept.

/// Where records and locks are stored.
#[derive(Debug, Default, Clone, clap::Args)]
#[command(next_help_heading = "State")]
pub(crate) struct StateArguments {
    /// Keep records and locks in this namespace [default: each application's destination]
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) state_namespace: Option<String>,
}
