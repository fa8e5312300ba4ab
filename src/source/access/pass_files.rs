//! What a Secret says, in files: ssh and git take keys and certificates in no other way that nobody else can see.
//!
//! In: a [`Pass`], a place for private files. Out: how ssh is run, and git's settings for certificates. The files are their
//! owner's to remove: with a task, or with a program's home.
//!
//! Rules: Argo CD util/git/creds.go `SSHCreds`, `HTTPSCreds`; the manuals of `ssh_config` and `git-config`.

use std::io;
use std::path::{Path, PathBuf};

use super::pass::Pass;

/// Files of a Secret, and what points to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PassFiles {
    /// The command line for ssh, in place of every other, where the Secret has a key or wants no look at the host's.
    pub(in super::super) ssh_command: Option<String>,
    /// Options for whatever ssh is run else: by which host keys servers are known.
    pub(in super::super) ssh_options: Vec<String>,
    /// Settings of git's below `http.<server>.`.
    pub(in super::super) http: Vec<(Setting, PathBuf)>,
}

/// A setting of git's that names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Setting {
    Authorities,
    Certificate,
    Key,
}

impl Setting {
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Authorities => "sslCAInfo",
            Self::Certificate => "sslCert",
            Self::Key => "sslKey",
        }
    }

    /// The variable that says the same for every server.
    pub(in super::super) fn variable(self) -> &'static str {
        match self {
            Self::Authorities => "GIT_SSL_CAINFO",
            Self::Certificate => "GIT_SSL_CERT",
            Self::Key => "GIT_SSL_KEY",
        }
    }
}

impl Pass {
    /// Writes the files, by a function of a name and a content.
    pub(crate) fn write(&self, write: impl Fn(&str, &str) -> io::Result<PathBuf>) -> io::Result<PassFiles> {
        let mut files = PassFiles::default();
        if let Some(known) = self.known_hosts.as_ref().filter(|_| !self.insecure) {
            let place = write("known_hosts", known)?;
            files.ssh_options = host_options(&place);
        }
        if self.ssh_private_key.is_some() || self.insecure {
            let mut command = "ssh".to_owned();
            if let Some(key) = &self.ssh_private_key {
                // ssh wants a line to have an end.
                let place = write("key", &format!("{}\n", key.expose().trim_end()))?;
                command = format!("{command} -i {} -o IdentitiesOnly=yes", quoted(&place.display().to_string()));
            }
            let looked_at = if self.insecure {
                "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
            } else {
                "-o StrictHostKeyChecking=yes"
            };
            files.ssh_command = Some(format!("{command} -o BatchMode=yes {looked_at}"));
        }
        let shown = self.client_certificate.as_ref();
        for (setting, pem) in [
            (Setting::Authorities, self.authorities.as_deref()),
            (Setting::Certificate, shown.map(|shown| shown.certificate.as_str())),
            (Setting::Key, shown.map(|shown| shown.key.expose().as_str())),
        ] {
            if let Some(pem) = pem {
                files.http.push((setting, write(setting.name(), pem)?));
            }
        }
        Ok(files)
    }
}

impl PassFiles {
    /// The command line for an ssh that somebody else starts; nothing where it is all the same to us.
    pub(crate) fn whole_ssh_command(&self) -> Option<String> {
        match &self.ssh_command {
            Some(command) => Some(self.with_options(command)),
            None if self.ssh_options.is_empty() => None,
            None => Some(self.with_options("ssh -o BatchMode=yes")),
        }
    }

    /// A command line, and our options after its own: of two, ssh takes the first.
    pub(in super::super) fn with_options(&self, command: &str) -> String {
        let options = self.ssh_options.iter().map(|option| format!(" {}", quoted(option)));
        format!("{command}{}", options.collect::<String>())
    }
}

/// A host is known by the keys of this file, and by no others.
fn host_options(known_hosts: &Path) -> Vec<String> {
    // A path with a space in it would be two, and `%` has a meaning.
    let file = format!("UserKnownHostsFile=\"{}\"", known_hosts.display().to_string().replace('%', "%%"));
    ["StrictHostKeyChecking=yes".to_owned(), file, "GlobalKnownHostsFile=/dev/null".to_owned()]
        .into_iter()
        .flat_map(|option| ["-o".to_owned(), option])
        .collect()
}

/// One word of a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::settings::ClientCertificate;
    use crate::secret::Secret;

    fn written(pass: &Pass) -> PassFiles {
        pass.write(|name, _content| Ok(PathBuf::from("/home/it's 1%/").join(name))).unwrap()
    }

    #[test]
    fn ssh_is_run_as_argo_cd_runs_it() {
        let key = Some(Secret::new("s3cret".to_owned()));
        let known = Some("git.example.com ssh-ed25519 AAAA".to_owned());
        let none = Pass::default;
        let with_key = "ssh -i '/home/it'\\''s 1%/key' -o IdentitiesOnly=yes -o BatchMode=yes";
        let hosts = "'-o' 'StrictHostKeyChecking=yes' '-o' 'UserKnownHostsFile=\"/home/it'\\''s 1%%/known_hosts\"' \
                     '-o' 'GlobalKnownHostsFile=/dev/null'";
        let unseen = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null";
        for (pass, expected) in [
            (none(), None),
            (Pass { known_hosts: known.clone(), ..none() }, Some(format!("ssh -o BatchMode=yes {hosts}"))),
            (Pass { ssh_private_key: key.clone(), ..none() }, Some(format!("{with_key} -o StrictHostKeyChecking=yes"))),
            (
                Pass { ssh_private_key: key.clone(), known_hosts: known.clone(), ..none() },
                Some(format!("{with_key} -o StrictHostKeyChecking=yes {hosts}")),
            ),
            (Pass { insecure: true, known_hosts: known, ..none() }, Some(format!("ssh -o BatchMode=yes {unseen}"))),
            (Pass { insecure: true, ssh_private_key: key, ..none() }, Some(format!("{with_key} {unseen}"))),
        ] {
            assert_eq!(written(&pass).whole_ssh_command(), expected, "{pass:?}");
        }
    }

    #[test]
    fn git_receives_the_certificates() {
        let shown = ClientCertificate { certificate: "c".to_owned(), key: Secret::new("k".to_owned()) };
        let pass = Pass { authorities: Some("a".to_owned()), client_certificate: Some(shown), ..Pass::default() };
        let settings: Vec<&str> = written(&pass).http.iter().map(|(setting, _)| setting.name()).collect();
        assert_eq!(settings, ["sslCAInfo", "sslCert", "sslKey"]);
    }
}
