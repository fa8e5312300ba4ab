//! Runs the credential plugin that a kubeconfig names.
//!
//! In: the user's `exec` entry. Out: a token, or a certificate and its key. The plugin has a time and an output limit;
//! it may talk to the user only where standard input is a terminal. What it prints on standard output never gets into an
//! error; of its standard error the last line does, with what looks like a credential masked.
//!
//! Rule: client-go plugin/pkg/client/auth/exec, `client.authentication.k8s.io`.

use std::io::{ErrorKind, IsTerminal};
use std::process::{Output, Stdio};
use std::time::Duration;

use kube::config::{ExecAuthCluster, ExecConfig, ExecInteractiveMode};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::contexts::Access;
use crate::cluster::ClusterError;
use crate::object::yaml::{self, Limits, WithPositions};
use crate::process::{self, WatchedChild};
use crate::secret::{Secret, mask_credentials_in_text};

/// How long a plugin may take that asks nobody.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// How long a plugin may take that waits for somebody to log in.
const INTERACTIVE_TIME_LIMIT: Duration = Duration::from_secs(600);
/// More than any credential.
const OUTPUT_LIMIT: u64 = 1 << 20;
/// The version of the protocol where the kubeconfig does not say.
const DEFAULT_API_VERSION: &str = "client.authentication.k8s.io/v1beta1";

/// The output of a plugin.
pub(super) enum Credential {
    /// A bearer token.
    Token(Secret<String>),
    /// A client certificate and its key, both PEM.
    Certificate {
        /// The certificate.
        certificate: String,
        /// Its key.
        key: Secret<String>,
    },
}

/// Runs the plugin.
pub(super) async fn credential(exec: &ExecConfig, access: &Access) -> Result<Credential, ClusterError> {
    let plugin = CredentialPlugin { exec, access };
    let output = plugin.run().await?;
    if !output.status.success() {
        let last =
            String::from_utf8_lossy(&output.stderr).lines().rev().find(|line| !line.trim().is_empty()).map(masked);
        let status =
            output.status.code().map_or_else(|| "is killed".to_owned(), |code| format!("fails with status {code}"));
        return Err(plugin.fails(last.map_or(status.clone(), |last| format!("{status}: {last}"))));
    }
    plugin.read(&output.stdout)
}

struct CredentialPlugin<'a> {
    exec: &'a ExecConfig,
    access: &'a Access,
}

impl CredentialPlugin<'_> {
    fn command(&self) -> &str {
        self.exec.command.as_deref().unwrap_or_default()
    }

    fn api_version(&self) -> &str {
        self.exec.api_version.as_deref().unwrap_or(DEFAULT_API_VERSION)
    }

    fn fails(&self, problem: impl Into<String>) -> ClusterError {
        let hint = self.access.label.advice("`kubectl --context {} version` runs the same plugin", ", which names it");
        self.fails_with_hint(problem, hint)
    }

    fn fails_with_hint(&self, problem: impl Into<String>, hint: String) -> ClusterError {
        ClusterError::ExecPlugin {
            cluster: self.access.label.clone(),
            command: self.command().to_owned(),
            problem: problem.into(),
            hint,
        }
    }

    async fn run(&self) -> Result<Output, ClusterError> {
        if self.command().is_empty() {
            return Err(self.fails("has no `command`"));
        }
        let interactive =
            self.exec.interactive_mode != Some(ExecInteractiveMode::Never) && std::io::stdin().is_terminal();
        if !interactive && self.exec.interactive_mode == Some(ExecInteractiveMode::Always) {
            return Err(self.fails("asks for input, and standard input is not a terminal"));
        }
        #[expect(clippy::disallowed_methods, reason = "a credential plugin inherits the environment and the terminal")]
        let mut command = tokio::process::Command::new(self.command());
        command.args(self.exec.args.iter().flatten()).env("KUBERNETES_EXEC_INFO", self.exec_info(interactive)?);
        for variable in self.exec.env.iter().flatten() {
            if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
                command.env(name, value);
            }
        }
        command.stdin(if interactive { Stdio::inherit() } else { Stdio::null() });
        command.stderr(if interactive { Stdio::inherit() } else { Stdio::piped() });
        command.stdout(Stdio::piped()).kill_on_drop(true);
        process::get_ready();
        let child = command.spawn().map_err(|error| self.cannot_start(&error))?;
        let _watched = WatchedChild::process(child.id());
        let limit = if interactive { INTERACTIVE_TIME_LIMIT } else { TIME_LIMIT };
        match tokio::time::timeout(limit, collect(child)).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(self.fails(format!("cannot be read from: {error}"))),
            Err(_) => Err(self.fails(format!("did not finish within {} s", limit.as_secs()))),
        }
    }

    fn cannot_start(&self, error: &std::io::Error) -> ClusterError {
        match (error.kind(), &self.exec.install_hint) {
            (ErrorKind::NotFound, Some(hint)) if !hint.trim().is_empty() => {
                self.fails_with_hint("is not installed", hint.trim().to_owned())
            }
            (ErrorKind::NotFound, _) => {
                self.fails_with_hint("is not installed", "install it, or give its full path".to_owned())
            }
            _ => self.fails(format!("cannot be started: {error}")),
        }
    }

    /// The input of a plugin: the version of the protocol, and, where it asks for that, the cluster.
    fn exec_info(&self, interactive: bool) -> Result<String, ClusterError> {
        let mut spec = json!({ "interactive": interactive });
        if self.exec.provide_cluster_info {
            let cluster = ExecAuthCluster::try_from(&self.access.cluster)
                .ok()
                .and_then(|cluster| serde_json::to_value(cluster).ok())
                .ok_or_else(|| self.fails("needs the cluster's certificate authority, which cannot be read"))?;
            spec["cluster"] = cluster;
        }
        Ok(json!({ "apiVersion": self.api_version(), "kind": "ExecCredential", "spec": spec }).to_string())
    }

    fn read(&self, stdout: &[u8]) -> Result<Credential, ClusterError> {
        let unreadable = || self.fails("prints no ExecCredential");
        let text = yaml::decode(stdout).ok().ok_or_else(unreadable)?;
        let mut documents = yaml::read(&text, &Limits::default(), WithPositions::No).into_iter();
        let answer = documents.next().and_then(Result::ok).ok_or_else(unreadable)?.value;
        let field = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        if field(&answer, "kind").as_deref() != Some("ExecCredential") {
            return Err(unreadable());
        }
        if field(&answer, "apiVersion").as_deref() != Some(self.api_version()) {
            return Err(self.fails(format!("does not support `{}`", self.api_version())));
        }
        let status = answer.get("status").unwrap_or(&Value::Null);
        match (field(status, "clientCertificateData"), field(status, "clientKeyData"), field(status, "token")) {
            (Some(certificate), Some(key), _) => Ok(Credential::Certificate { certificate, key: Secret::new(key) }),
            (_, _, Some(token)) => Ok(Credential::Token(Secret::new(token))),
            _ => Err(self.fails("returns neither a token nor a certificate")),
        }
    }
}

/// Both streams side by side, each up to the limit, then the status.
async fn collect(mut child: tokio::process::Child) -> std::io::Result<Output> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) = tokio::try_join!(read_limited(stdout), read_limited(stderr))?;
    Ok(Output { status: child.wait().await?, stdout, stderr })
}

async fn read_limited(stream: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        stream.take(OUTPUT_LIMIT).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

/// A line with everything masked that looks like a credential: long words, and what follows `token=` and the like.
fn masked(line: &str) -> String {
    let words = line.split_whitespace().map(|word| {
        let long = word.len() > 40 && !word.contains('/');
        let named = word.split_once(['=', ':']).is_some_and(|(name, value)| {
            let name = name.to_ascii_lowercase();
            !value.is_empty() && ["token", "password", "secret", "key"].iter().any(|word| name.ends_with(word))
        });
        if long || named { "***" } else { word }
    });
    let mut line = mask_credentials_in_text(&words.collect::<Vec<_>>().join(" "));
    if let Some((end, _)) = line.char_indices().nth(200) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugins_last_words_show_no_credential() {
        for (line, shown) in [
            ("Unable to locate credentials", "Unable to locate credentials"),
            ("token=abc123 expired", "*** expired"),
            ("got eyJhbGciOiJSUzI1NiIsImtpZCI6IkFCQ0RFRkdISUpLTE1OT1AifQ.e30.x here", "got *** here"),
            ("get https://ci:s3cret@idp/token: refused", "get https://*********@idp/token: refused"),
        ] {
            assert_eq!(masked(line), shown);
        }
        assert!(masked(&"word ".repeat(100)).chars().count() <= 201);
    }
}
