//! `trueup policy`: what an Argo CD policy says, without a server.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::arguments::output::OutputArguments;
use super::manifests;
use super::session::{Look, Session};
use crate::app::policy::validate;
use crate::finding::Finding;
use crate::report::ExitStatus;

/// Check an Argo CD policy
#[derive(Debug, clap::Args)]
pub(super) struct PolicyCommandArguments {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PolicyCommand {
    /// Find every line of a policy that is wrong, or that matches nothing
    ///
    /// Reads a `policy.csv`, the manifest of `argocd-rbac-cm`, and the roles of `AppProject`s. Exits with 2 if a line is wrong.
    Validate(ValidateArguments),
}

#[derive(Debug, clap::Args)]
struct ValidateArguments {
    /// The policies
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArguments,
}

impl PolicyCommandArguments {
    pub(super) fn look(&self) -> Look {
        let PolicyCommand::Validate(arguments) = &self.command;
        Look::plain(arguments.output.verbosity())
    }
}

/// Checks every file and prints what is wrong.
pub(super) async fn policy(arguments: PolicyCommandArguments, mut session: Session) -> u8 {
    let PolicyCommand::Validate(arguments) = arguments.command;
    session.end_progress().await;
    let mut findings = Vec::new();
    let mut text = String::new();
    for file in &arguments.files {
        let read = match manifests::read_one(file) {
            Ok(read) => read,
            Err(error) => {
                findings.push(Finding::of(&error));
                continue;
            }
        };
        let validated = validate(&read.name, &read.bytes);
        let found = validated.faults.len();
        findings.extend(validated.faults.iter().map(|fault| Finding::of(fault)));
        let state = if found == 0 { "valid".to_owned() } else { format!("{found} wrong") };
        let (permissions, groupings) = (validated.permissions, validated.groupings);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}: {permissions} `p` and {groupings} `g`: {state}", read.name);
    }
    session.terminal.findings(&findings);
    let unwritten: Vec<_> = session.terminal.data(text.as_bytes()).err().into_iter().collect();
    session.end(&unwritten, if findings.is_empty() { ExitStatus::InSync } else { ExitStatus::Error })
}
