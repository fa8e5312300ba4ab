//! How health is judged: a team's scripts and settings.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use crate::app::settings::{HealthSettings, Settings, SettingsError};
use crate::cli::customizations;
use crate::finding::Finding;
use crate::status::health::Judge;
use crate::status::health::lua::Clock;

/// How health is assessed.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Health")]
pub(crate) struct HealthRuleArguments {
    /// Use the health scripts of this folder: `<group>/<Kind>/health.lua`; `_` matches any text
    #[arg(long, value_name = "DIR")]
    pub(crate) customizations: Option<PathBuf>,
    /// Treat an Ingress without an address as healthy, for controllers that never write one
    #[arg(long)]
    pub(crate) healthy_ingress_without_address: bool,
    /// Treat a `LoadBalancer` Service without an address as healthy, for clusters that assign none
    #[arg(long)]
    pub(crate) healthy_load_balancer_without_address: bool,
    /// Show the last lines of the logs of containers that failed or are not ready [default: 10]
    #[arg(long, value_name = "LINES", num_args = 0..=1, require_equals = true, default_missing_value = "10",
        value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) logs: Option<u16>,
}

impl HealthRuleArguments {
    /// The scripts of a folder, and nothing else.
    pub(crate) fn of_folder(folder: PathBuf) -> Self {
        Self {
            customizations: Some(folder),
            healthy_ingress_without_address: false,
            healthy_load_balancer_without_address: false,
            logs: None,
        }
    }

    /// The judge that these arguments and Argo CD's settings make.
    pub(crate) fn judge(&self, argocd: &Settings) -> Result<Arc<Judge>, Vec<Finding>> {
        let settings = self.settings(argocd)?;
        Ok(Arc::new(Judge::new(settings, clock())))
    }

    fn settings(&self, argocd: &Settings) -> Result<HealthSettings, Vec<Finding>> {
        let wrong = |error: SettingsError| vec![Finding::of(&error)];
        let mut settings = HealthSettings::of(argocd).map_err(wrong)?;
        if let Some(folder) = &self.customizations {
            let scripts = customizations::scripts(folder).map_err(|error| vec![Finding::of(&error)])?;
            settings.add_folder(scripts).map_err(wrong)?;
        }
        settings.ingress_without_address_is_healthy |= self.healthy_ingress_without_address;
        settings.load_balancer_without_address_is_healthy |= self.healthy_load_balancer_without_address;
        Ok(settings)
    }
}

/// The clock of the machine.
pub(crate) fn clock() -> Clock {
    Clock { now: Instant::now, unix: || Timestamp::now().as_second() }
}
