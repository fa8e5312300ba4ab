//! A plugin at work on a copy of the repository.

use std::path::PathBuf;

use super::super::RenderInput;
use super::super::program::{ProgramError, git_access};
use super::copy::Copy;
use super::definition::{PluginCommand, PluginDefinition};
use super::environment;
use super::error::{PluginError, PluginOutput};
use crate::process::{self, Command, Output};

/// How much of a program's stderr is reported.
const COMPLAINT: usize = 2000;

/// A plugin at work on a copy of the repository, which is removed when this is dropped.
pub(super) struct PluginRun<'a> {
    plugin: &'a PluginDefinition,
    input: &'a RenderInput<'a>,
    copy: Copy,
    variables: Vec<(String, String)>,
}

impl<'a> PluginRun<'a> {
    pub(super) fn new(plugin: &'a PluginDefinition, input: &'a RenderInput<'_>) -> Result<Self, PluginError> {
        let copy = Copy::of(input.root, plugin.preserve_file_mode)
            .map_err(|source| PluginError::Copy { plugin: plugin.to_string(), source })?;
        Ok(Self { plugin, input, copy, variables: environment::variables(input) })
    }

    /// With what opens the source's server to git, where the plugin asks for it.
    pub(super) fn with_git_access(mut self) -> Result<Self, ProgramError> {
        if self.plugin.provide_git_creds {
            self.variables.extend(git_access(&self.copy.home(), self.input)?);
        }
        Ok(self)
    }

    /// The source's folder in the copy.
    pub(super) fn folder(&self) -> PathBuf {
        let inside = self.input.folder.strip_prefix(self.input.root).unwrap_or(self.input.folder);
        self.copy.repository().join(inside)
    }

    fn command(&self, line: &PluginCommand) -> Command {
        let mut words = line.words();
        let mut command = Command::new(words.next().unwrap_or_default()).args(words);
        command.inherit = vec!["PATH"];
        command.env = self.variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
        command.folder = Some(self.folder());
        command.timeout = self.input.settings.timeout;
        command.env("HOME", self.copy.home()).env("TMPDIR", self.copy.temporary())
    }

    pub(super) fn run(&self, step: &'static str, line: &PluginCommand) -> Result<Output, PluginError> {
        let command = self.command(line);
        let running = process::run(&command, self.input.cancel);
        tokio::runtime::Handle::current().block_on(running).map_err(|source| PluginError::Run {
            plugin: self.plugin.to_string(),
            step,
            source,
        })
    }

    pub(super) fn succeeds(&self, step: &'static str, line: &PluginCommand) -> Result<Output, PluginError> {
        let output = self.run(step, line)?;
        if output.success() {
            return Ok(output);
        }
        Err(PluginError::Failed {
            plugin: self.plugin.to_string(),
            step,
            ended: output.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}")),
            command: line.words().collect::<Vec<_>>().join(" "),
            complaint: PluginOutput(complaint(&output.stderr)),
        })
    }
}

/// The end of what a program complained about: the last words are the ones that count.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let text = text.trim();
    let start = text.char_indices().rev().nth(COMPLAINT).map_or(0, |(position, _)| position);
    crate::secret::mask_credentials_in_text(&text[start..])
}
