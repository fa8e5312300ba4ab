//! Everything that a plugin can say when it fails.

use std::fmt;
use std::io;

use miette::Diagnostic;
use thiserror::Error;

use crate::process::ProcessError;

/// Why a plugin did not render a source.
#[derive(Debug, Error, Diagnostic)]
pub enum PluginError {
    /// Nobody named a plugin that the source could mean.
    #[error("{} is not given", asked(name.as_deref()))]
    #[diagnostic(code(trueup::render::plugin), help("{}", advice(known)))]
    NotGiven {
        /// The plugin that the source names.
        name: Option<String>,
        /// The plugins that were given.
        known: Vec<String>,
    },
    /// The plugin does not know the folder as its own.
    #[error("plugin `{plugin}` does not match `{folder}`")]
    #[diagnostic(code(trueup::render::plugin_discover), help("check `spec.discover` of the plugin"))]
    DoesNotFit {
        /// The plugin.
        plugin: String,
        /// The folder, relative to the checkout.
        folder: String,
    },
    /// `spec.discover` has an invalid pattern.
    #[error("plugin `{plugin}` discovers by `{pattern}`, which is not a glob")]
    #[diagnostic(code(trueup::render::plugin_glob), help("`*` matches within one folder, `**` across folders"))]
    Glob {
        /// The plugin.
        plugin: String,
        /// The pattern.
        pattern: String,
        /// Why.
        source: globset::Error,
    },
    /// The repository could not be copied.
    #[error("the repository could not be copied for plugin `{plugin}`")]
    #[diagnostic(code(trueup::render::plugin_copy), help("check that the folder for temporary files has free space"))]
    Copy {
        /// The plugin.
        plugin: String,
        /// Why.
        source: io::Error,
    },
    /// A program of the plugin could not be run to its end.
    #[error("plugin `{plugin}` could not {step}")]
    #[diagnostic(
        code(trueup::render::plugin_run),
        help("its programs are looked up in `PATH`; `--render-timeout` gives them more time")
    )]
    Run {
        /// The plugin.
        plugin: String,
        /// `init`, `generate` or `discover`.
        step: &'static str,
        /// Why.
        source: ProcessError,
    },
    /// A program of the plugin ended otherwise than with success.
    #[error("plugin `{plugin}` could not {step}: `{command}` ended with {ended}")]
    #[diagnostic(code(trueup::render::plugin_failed), help("run it by hand in a copy of the source's folder"))]
    Failed {
        /// The plugin.
        plugin: String,
        /// `init` or `generate`.
        step: &'static str,
        /// The command line.
        command: String,
        /// `exit code 1`, or a signal.
        ended: String,
        /// Its standard error.
        #[source]
        complaint: PluginOutput,
    },
}

/// The words of a program.
#[derive(Debug)]
pub struct PluginOutput(pub(super) String);

impl fmt::Display for PluginOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_empty() { "it printed no error" } else { &self.0 })
    }
}

impl std::error::Error for PluginOutput {}

fn asked(name: Option<&str>) -> String {
    name.map_or_else(|| "a plugin that matches the source's folder".to_owned(), |name| format!("plugin `{name}`"))
}

fn advice(known: &[String]) -> String {
    let given = if known.is_empty() { String::new() } else { format!("; given are: {}", known.join(", ")) };
    format!("name its `ConfigManagementPlugin` with `--plugin FILE`: its programs then run on this machine{given}")
}
