//! What opens the source's server to a git that a program starts.
//!
//! In: a private folder, the source. Out: variables; an SSH key stands in a file of the folder.
//!
//! Rules: Argo CD util/kustomize/kustomize.go `Build`, cmpserver/plugin/plugin.go (`provideGitCreds`): git gets the
//! credentials of the source's repository.

use std::io;
use std::path::Path;

use super::home::private_file;
use crate::target::render::RenderInput;
use crate::target::source::git_environment;

/// The variables; what they name is gone with the folder.
pub(in super::super) fn git_access(folder: &Path, input: &RenderInput<'_>) -> io::Result<Vec<(String, String)>> {
    let settings = input.settings;
    let (url, project) = (&input.source.repo_url, &input.application.project);
    let mut variables = git_environment(url, project, &settings.keyring, &settings.git_credentials);
    // It must not ask anybody.
    variables.push(("GIT_TERMINAL_PROMPT".to_owned(), "0".to_owned()));
    let pass = settings.keyring.git(url.with_credentials(), project);
    if let Some(key) = &pass.ssh_private_key {
        let key = format!("{}\n", key.expose().trim_end());
        let file = private_file(&folder.join("ssh/key"), key.as_bytes())?;
        variables.push(("GIT_SSH_COMMAND".to_owned(), pass.ssh_command(&file)));
    }
    Ok(variables)
}
