//! The programs that render: which one it is, and one run of it in a home of its own.
//!
//! In: what the settings say of a program, and its arguments. Out: what it wrote, or a [`ProgramError`] that says what to
//! install, or what it complained about. It sees neither our home nor our environment, but for what reaches the network.

mod complaint;
mod error;
mod find;
mod git;
mod home;
mod output;
mod settings;

pub use error::ProgramError;
pub(super) use git::git_access;
pub(super) use home::Home;
pub(super) use output::objects;
pub(super) use settings::Program;
pub use settings::ProgramSettings;

use std::ffi::OsString;
use std::path::Path;

use super::RenderInput;
use crate::process::{self, Command, Output, ProcessError};
use crate::secret::mask_credentials_in_text;

/// The output limit of one run, for each of its two streams.
const OUTPUT_LIMIT: usize = 100 << 20;

/// The memory limit of one run, and each of its children. Large charts take a tenth of it.
const MEMORY_LIMIT: u64 = 2 << 30;

/// The environment variables that a child inherits: how to find programs, and how to reach the network.
const INHERITED: [&str; 9] = [
    "PATH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// One run of a program.
#[derive(Debug)]
pub(super) struct ProgramCall<'a> {
    /// Its arguments.
    pub(super) args: Vec<OsString>,
    /// The folder it runs in.
    pub(super) folder: &'a Path,
    /// The name of that folder for readers.
    pub(super) whereabouts: &'static str,
    /// Variables besides those of its home.
    pub(super) variables: Vec<(String, String)>,
}

impl Program {
    pub(super) fn helm(settings: &ProgramSettings) -> Result<Self, ProgramError> {
        find::helm(settings)
    }

    pub(super) fn kustomize(settings: &ProgramSettings) -> Result<Self, ProgramError> {
        find::kustomize(settings)
    }

    /// The program's version.
    pub(super) fn version(&self, input: &RenderInput<'_>) -> Result<String, ProgramError> {
        let home = Home::new().map_err(|source| ProgramError::NoPlace { place: input.place(), source })?;
        // kubectl would ask a cluster for its version, too.
        let client = (self.name == "kubectl kustomize").then_some("--client");
        let args = ["version"].into_iter().chain(client).map(OsString::from).collect();
        let call = ProgramCall { args, folder: home.path(), whereabouts: "anywhere", variables: Vec::new() };
        let output = self.run(&call, &home, input)?;
        if output.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(self.failed(&call, &output, &[], input))
    }

    /// Runs it to its end; whether that was a good one is for the caller to see.
    pub(super) fn run(
        &self,
        call: &ProgramCall<'_>,
        home: &Home,
        input: &RenderInput<'_>,
    ) -> Result<Output, ProgramError> {
        let mut command = Command::new(&self.path).args(call.args.iter().cloned());
        command.inherit = INHERITED.to_vec();
        command.env = home.variables();
        command.env.extend(call.variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
        command.folder = Some(call.folder.to_owned());
        command.timeout = input.settings.timeout;
        command.output_limit = OUTPUT_LIMIT;
        command.memory_limit = Some(MEMORY_LIMIT);
        // The caller's thread may block: see `super::render`.
        tokio::runtime::Handle::current().block_on(process::run(&command, input.cancel)).map_err(
            |source| match source {
                ProcessError::NotStarted { .. } => {
                    ProgramError::NotStarted { program: self.name, path: self.path.clone(), source }
                }
                source => ProgramError::NotRun { program: self.name, place: input.place(), source },
            },
        )
    }

    /// The error for a run that ended badly. `hidden` are folders that mean nothing to a reader, the longest first.
    pub(super) fn failed(
        &self,
        call: &ProgramCall<'_>,
        output: &Output,
        hidden: &[(&Path, &str)],
        input: &RenderInput<'_>,
    ) -> ProgramError {
        let readable = |text: &str| {
            // A program may repeat the URL of a base or a dependency, with the password in it.
            hidden.iter().fold(mask_credentials_in_text(text), |text, (folder, shown)| {
                let folder = folder.display().to_string();
                text.replace(&format!("{folder}/"), &if shown.is_empty() { String::new() } else { format!("{shown}/") })
                    .replace(&folder, if shown.is_empty() { "." } else { shown })
            })
        };
        let said = complaint::essence(&readable(&String::from_utf8_lossy(&output.stderr)), output.code);
        let args: Vec<String> = call.args.iter().map(|arg| readable(&arg.to_string_lossy())).collect();
        ProgramError::Failed {
            program: self.name,
            place: input.place(),
            said: complaint::ProgramMessage(said),
            command: complaint::command_line(self.path.file_name(), &args),
            whereabouts: call.whereabouts,
        }
    }
}
