//! What trueup says of itself: `trueup version`, `trueup completion`, `trueup man`.

use super::arguments::output::{OutputArguments, OutputParser, resolve};
use super::session::{Look, Session};
use crate::finding::{Code, Finding};
use crate::report::{ExitStatus, Format, Output, version as report};

/// Show the version
#[derive(Debug, clap::Args)]
pub(super) struct VersionArguments {
    /// Write the version in this format, to standard output or FILE; repeatable
    #[arg(short, long, alias = "out", value_name = "FORMAT[=FILE]", value_parser = OutputParser(Format::OF_FACTS))]
    output: Vec<Output>,
}

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
pub(super) struct CompletionArguments {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: clap_complete::Shell,
}

/// Print a man page
#[derive(Debug, clap::Args)]
pub(super) struct ManArguments {
    /// The command that the page is about [default: trueup itself]
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

/// How to look, where nothing is looked at.
pub(super) fn look() -> Look {
    Look::plain(OutputArguments::default().verbosity())
}

/// Prints the version.
pub(super) async fn version(arguments: VersionArguments, mut session: Session) -> u8 {
    session.end_progress().await;
    match resolve(&arguments.output) {
        Ok(outputs) => {
            let unwritten = session.terminal.reports(&outputs, |format, _view| report::write(format));
            session.end(&unwritten, ExitStatus::InSync)
        }
        Err(findings) => session.refuse(&findings),
    }
}

/// Prints the script that completes commands, flags and their values.
pub(super) async fn completion(arguments: CompletionArguments, mut command: clap::Command, mut session: Session) -> u8 {
    session.end_progress().await;
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "trueup", &mut script);
    print(&script, &session)
}

/// Prints the page of a command as roff.
pub(super) async fn man(arguments: ManArguments, mut command: clap::Command, mut session: Session) -> u8 {
    session.end_progress().await;
    command.build();
    let command = match &arguments.command {
        None => Some(&command),
        Some(name) => command.find_subcommand(name),
    };
    let Some(command) = command.cloned() else {
        let name = arguments.command.unwrap_or_default();
        let finding = Finding::error(Code::CliNoCommand, format!("`{name}` is not a command"));
        return session.refuse(&[finding.with_help("`trueup --help` lists the commands")]);
    };
    let mut page = Vec::new();
    match clap_mangen::Man::new(command).render(&mut page) {
        Ok(()) => print(&page, &session),
        Err(error) => {
            let finding = Finding::error(Code::CliMan, "the man page cannot be written");
            session.refuse(&[finding.with_cause(error.to_string())])
        }
    }
}

fn print(bytes: &[u8], session: &Session) -> u8 {
    let unwritten: Vec<_> = session.terminal.data(bytes).err().into_iter().collect();
    session.end(&unwritten, ExitStatus::InSync)
}
