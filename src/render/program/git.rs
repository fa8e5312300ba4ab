//! What opens the source's server to a git that a program starts.
//!
//! In: a private folder, the source. Out: variables; what they name stands in files of the folder.
//!
//! Rules: Argo CD util/kustomize/kustomize.go `Build`, cmpserver/plugin/plugin.go (`provideGitCreds`): git gets the
//! credentials of the source's repository.

use std::path::Path;

use super::ProgramError;
use super::home::private_file;
use crate::render::RenderInput;
use crate::source::{Asking, git_environment};

/// The variables; what they name is gone with the folder. A GitHub App gets its token here.
pub(in super::super) fn git_access(
    folder: &Path,
    input: &RenderInput<'_>,
) -> Result<Vec<(String, String)>, ProgramError> {
    let settings = input.settings;
    let (url, project) = (&input.source.repo_url, &input.application.project);
    let runtime = tokio::runtime::Handle::current();
    let asking = Asking { timeout: settings.timeout, cancel: input.cancel, runtime: &runtime };
    let pass = settings.keyring.git(url.with_credentials(), project);
    let files = pass
        .write(|name, content| private_file(&folder.join("pass").join(name), content.as_bytes()))
        .map_err(|source| ProgramError::NoPlace { place: input.place(), source })?;
    let ssh = files.whole_ssh_command().map(|command| ("GIT_SSH_COMMAND".to_owned(), command));
    let mut variables = git_environment(url, project, &settings.keyring, &settings.git_credentials, files, &asking)
        .map_err(ProgramError::Access)?;
    // It must not ask anybody.
    variables.push(("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned()));
    variables.extend(ssh);
    Ok(variables)
}
