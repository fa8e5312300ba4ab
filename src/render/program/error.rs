//! What can be said when a program is missing, or does not do its work.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use super::complaint::ProgramMessage;
use crate::object::NotAnObject;
use crate::object::yaml::YamlError;
use crate::process::ProcessError;
use crate::source::SourceError;

/// Why a program did not render a source.
#[derive(Debug, Error, Diagnostic)]
pub enum ProgramError {
    /// The credentials of the repository's server, for what a program fetches from it, is not to be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Access(SourceError),
    /// It is not installed.
    #[error("`{program}` is not installed, and the source needs it")]
    #[diagnostic(
        code("trueup::render::program_missing"),
        help("install {versions} ({address}), or name it with `{flag}` or `{variable}`")
    )]
    Missing {
        /// Its name.
        program: &'static str,
        /// The versions that are supported.
        versions: &'static str,
        /// Where it can be had.
        address: &'static str,
        /// The flag that names it.
        flag: &'static str,
        /// The variable that names it.
        variable: &'static str,
    },
    /// It was named, and is not there.
    #[error("`{named}` is not a program that can be run")]
    #[diagnostic(code("trueup::render::program_missing"), help("`{flag}` or `{variable}` names it; name {versions}"))]
    NotThere {
        /// The name that was given.
        named: String,
        /// The versions that are supported.
        versions: &'static str,
        /// The flag that names it.
        flag: &'static str,
        /// The variable that names it.
        variable: &'static str,
    },
    /// It is there, and the system does not start it.
    #[error("`{}` cannot be run as {program}", .path.display())]
    #[diagnostic(code("trueup::render::program"), help("is it a program for this machine? `trueup doctor` tries each"))]
    NotStarted {
        /// Its name.
        program: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: ProcessError,
    },
    /// It took too long, or wrote too much.
    #[error("{program} did not finish with {place}")]
    #[diagnostic(
        code("trueup::render::program"),
        help("the limits are `--render-timeout`, 100 MiB of output and 2 GiB of memory")
    )]
    NotRun {
        /// Its name.
        program: &'static str,
        /// The rendered objects.
        place: String,
        /// The result.
        source: ProcessError,
    },
    /// It said that it could not.
    #[error("{program} could not render {place}")]
    #[diagnostic(code("trueup::render::program_failed"), help("to reproduce it, run {whereabouts}: {command}"))]
    Failed {
        /// Its name.
        program: &'static str,
        /// The rendered objects.
        place: String,
        /// The program's error.
        #[source]
        said: ProgramMessage,
        /// Its command line, as far as it matters.
        command: String,
        /// Where it ran.
        whereabouts: &'static str,
    },
    /// The output is not YAML.
    #[error("the output of {program} for {place} is not YAML, at {origin}")]
    #[diagnostic(code("trueup::render::program_output"), help("look at what the template writes there"))]
    NotYaml {
        /// Its name.
        program: &'static str,
        /// The rendered objects.
        place: String,
        /// The file that it says it comes from.
        origin: String,
        /// The fault.
        source: YamlError,
    },
    /// The output is not an object.
    #[error("the output of {program} for {place} is not a Kubernetes object, at {origin}")]
    #[diagnostic(code("trueup::render::program_output"), help("each document needs `apiVersion` and `kind`"))]
    NotAnObject {
        /// Its name.
        program: &'static str,
        /// The rendered objects.
        place: String,
        /// The file that it says it comes from.
        origin: String,
        /// The type that was found.
        source: NotAnObject,
    },
    /// The temporary folder cannot be written.
    #[error("no temporary folder to render {place} in")]
    #[diagnostic(code("trueup::render::no_place"), help("the temporary folder (TMPDIR) must be writable"))]
    NoPlace {
        /// The source, in words.
        place: String,
        /// Why.
        source: std::io::Error,
    },
}

impl ProgramError {
    /// Takes these values out of what the program said.
    #[must_use]
    pub(in crate::render) fn without_values(mut self, values: &[&str]) -> Self {
        if let Self::Failed { said, .. } = &mut self {
            said.hide(values);
        }
        self
    }
}
