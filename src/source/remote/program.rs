//! The same conversation by the `git` program, for servers that gix does not understand.
//!
//! In: where to, and what is wanted. Out: the server's references, and objects in our bare repository. It runs in a
//! clean environment, asks nobody, and finds credentials in its environment: every user may read its arguments.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::bstr::ByteSlice;

use crate::process::{self, Command, ProcessError};

use super::super::access::ServerAccess;
use super::super::error::SourceCause;
use super::super::limits::FetchLimits;
use super::super::revision::{GitReference, GitReferences};
use super::depth::Depth;
use super::fault::RemoteFault;
use super::transport::{INHERIT, SSH};

/// The `git` program, and where it works.
pub(super) struct GitProgram {
    git: PathBuf,
    repository: PathBuf,
    url: String,
    access: ServerAccess,
    ssh: Option<OsString>,
    shallow: bool,
    limits: FetchLimits,
    runtime: tokio::runtime::Handle,
}

impl GitProgram {
    pub(super) fn new(
        git: Option<&Path>,
        repository: &gix::Repository,
        access: &ServerAccess,
        limits: &FetchLimits,
        runtime: &tokio::runtime::Handle,
    ) -> Self {
        Self {
            git: git.unwrap_or(Path::new("git")).to_owned(),
            repository: repository.git_dir().to_owned(),
            url: access.url.to_bstring().to_str_lossy().into_owned(),
            access: access.clone(),
            ssh: ssh_command(repository, access),
            shallow: repository.is_shallow().unwrap_or(false),
            limits: limits.clone(),
            runtime: runtime.clone(),
        }
    }

    pub(super) fn references(&self) -> Result<GitReferences, RemoteFault> {
        let listed = self.run(&["ls-remote", "--quiet", "--", &self.url], "")?;
        let mut references: Vec<GitReference> = Vec::new();
        for line in String::from_utf8_lossy(&listed).lines() {
            let Some((hash, name)) = line.split_once('\t') else { continue };
            let Ok(commit) = ObjectId::from_hex(hash.as_bytes()) else { continue };
            match name.strip_suffix("^{}") {
                // What an annotated tag leads to follows the tag.
                Some(tag) => {
                    if let Some(reference) = references.iter_mut().find(|reference| reference.name == tag) {
                        reference.commit = commit;
                    }
                }
                None => references.push(GitReference { name: name.to_owned(), commit }),
            }
        }
        Ok(GitReferences(references))
    }

    pub(super) fn fetch(&self, wanted: &[ObjectId], depth: Depth) -> Result<(), RemoteFault> {
        // On its standard input: a repository may have more branches than a command line has room.
        let hashes = wanted.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let mut arguments =
            vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--stdin"];
        let depth_flag = format!("--depth={}", if let Depth::Some(commits) = depth { commits } else { 1 });
        match depth {
            Depth::One | Depth::Some(_) => arguments.push(&depth_flag),
            Depth::All if self.shallow => arguments.push("--unshallow"),
            Depth::All => {}
        }
        arguments.extend(["--", &self.url]);
        self.run(&arguments, &hashes).map(drop)
    }

    fn run(&self, arguments: &[&str], input: &str) -> Result<Vec<u8>, RemoteFault> {
        let mut command = Command::new(&self.git)
            .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "core.hooksPath=/dev/null", "--git-dir"])
            .args([self.repository.as_os_str()])
            .args(arguments.iter().copied())
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "")
            .env("SSH_ASKPASS", "")
            .env("GIT_ALLOW_PROTOCOL", "https:http:ssh:git:file");
        // git takes its variables before its settings: what the Secret says comes before those of this machine.
        let is_said = |name: &&str| self.access.files.http.iter().any(|(setting, _)| setting.variable() == *name);
        command.inherit = INHERIT.into_iter().filter(|name| !is_said(name)).collect();
        if let Some(ssh) = &self.ssh {
            command = command.env("GIT_SSH_COMMAND", ssh);
        }
        command.env.extend(self.access.git_environment().into_iter().map(|(name, value)| (name.into(), value.into())));
        command.stdin = input.as_bytes().to_vec();
        command.timeout = self.limits.left();
        match self.runtime.block_on(process::run(&command, &self.limits.stop)) {
            Ok(output) if output.success() => Ok(output.stdout),
            Ok(output) => {
                let words = String::from_utf8_lossy(&output.stderr);
                Err(RemoteFault::by_words(&words, SourceCause::of_output(&output.stderr)))
            }
            Err(ProcessError::Cancelled { .. } | ProcessError::TimedOut { .. }) => Err(RemoteFault::Stopped),
            Err(error) => Err(RemoteFault::Odd(SourceCause::of(&error))),
        }
    }
}

/// The command line for ssh; nothing where `GIT_SSH` names a program, which git finds itself.
fn ssh_command(repository: &gix::Repository, access: &ServerAccess) -> Option<OsString> {
    let command = match repository.ssh_connect_options() {
        Ok(options) if options.command.is_some() && options.disallow_shell => return None,
        Ok(options) => options.command.unwrap_or_else(|| SSH.into()),
        Err(_) => SSH.into(),
    };
    Some(access.files.with_options(&command.to_string_lossy()).into())
}
