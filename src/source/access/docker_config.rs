//! Docker's configuration, in which `docker login` and `helm registry login` write down what opens a registry.
//!
//! In: the files, a registry's host. Out: a user and a password, or the token that some logins leave in their place: from
//! `auths`, or from the credential helper that `credHelpers` or `credsStore` name, which runs as a child within our limits.
//!
//! Rules: docker/cli cli/config/types, `cli/config/credentials/native_store.go` (a user `<token>`).

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::basic_auth::BasicAuth;
use crate::process::{self, Cancel, Command};
use crate::secret::Secret;

/// Replaces a user where the password is such a token.
const TOKEN: &str = "<token>";

/// How a credential helper is run.
pub(crate) struct Asking<'a> {
    pub(crate) timeout: Duration,
    pub(crate) cancel: &'a Cancel,
    pub(crate) runtime: &'a tokio::runtime::Handle,
}

/// Credentials for a registry: one of the two, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Login {
    /// A user and a password.
    pub(in super::super) identity: Option<BasicAuth>,
    /// `identitytoken`: what the registry's token server takes for them, and prefers.
    pub(in super::super) refresh_token: Option<Secret<String>>,
}

/// The login in the first file that knows a registry.
pub(in super::super) fn login(files: &[PathBuf], host: &str, asking: &Asking<'_>) -> Option<Login> {
    files.iter().find_map(|file| {
        // A file that is not there, or makes no sense, opens nothing; the registry then reports the missing login.
        let config: Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        match helper(&config, host) {
            Some(helper) => ask(&helper, file, host, asking).or_else(|| written_down(&config, host)),
            None => written_down(&config, host),
        }
    })
}

fn map<'config>(config: &'config Value, field: &str) -> Option<&'config Map<String, Value>> {
    config.get(field)?.as_object()
}

/// Docker Hub goes by an old URL.
fn names(host: &str) -> Vec<&str> {
    match host {
        "docker.io" | "registry-1.docker.io" | "index.docker.io" => {
            vec!["https://index.docker.io/v1/", "docker.io", "registry-1.docker.io", "index.docker.io"]
        }
        host => vec![host],
    }
}

/// Whether a key of the file, which may be a URL, means a host.
fn means(key: &str, name: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim_start_matches("https://").trim_start_matches("http://");
        text.split('/').next().unwrap_or_default().to_ascii_lowercase()
    };
    key == name || bare(key) == bare(name)
}

fn helper(config: &Value, host: &str) -> Option<String> {
    let named = map(config, "credHelpers")
        .and_then(|helpers| names(host).into_iter().find_map(|name| helpers.get(name)))
        .or_else(|| config.get("credsStore"));
    // The name becomes a program's: no path may hide in it.
    let is_name = |name: &&str| !name.is_empty() && !name.contains(['/', '\\']);
    named?.as_str().filter(is_name).map(|name| format!("docker-credential-{name}"))
}

fn ask(helper: &str, file: &Path, host: &str, asking: &Asking<'_>) -> Option<Login> {
    let mut command = Command::new(helper).args(["get"]);
    command.inherit = vec!["PATH", "HOME", "USER", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "GNUPGHOME"];
    command = command.env("DOCKER_CONFIG", file.parent().unwrap_or(Path::new("")).as_os_str());
    command.stdin = names(host).first().copied().unwrap_or(host).as_bytes().to_vec();
    command.timeout = asking.timeout;
    let output = asking.runtime.block_on(process::run(&command, asking.cancel)).ok()?;
    let said: Value = serde_json::from_slice(&output.stdout).ok().filter(|_| output.success())?;
    let (username, password) = (said.get("Username")?.as_str()?, said.get("Secret")?.as_str()?);
    let login = if username == TOKEN {
        Login { refresh_token: token(password), ..Login::default() }
    } else {
        Login { identity: identity(username, password), ..Login::default() }
    };
    login.opens()
}

fn written_down(config: &Value, host: &str) -> Option<Login> {
    let auths = map(config, "auths")?;
    let entry = names(host).into_iter().find_map(|name| auths.iter().find(|(key, _)| means(key, name)))?.1;
    let text = |field: &str| entry.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    let identity = match text("auth") {
        Some(both) => decoded(both),
        None => text("username").zip(text("password")).and_then(|(username, password)| identity(username, password)),
    };
    Login { identity, refresh_token: text("identitytoken").and_then(token) }.opens()
}

/// `user:password` in base64.
fn decoded(both: &str) -> Option<BasicAuth> {
    let decoded = String::from_utf8(STANDARD.decode(both.trim()).ok()?).ok()?;
    let (username, password) = decoded.split_once(':')?;
    identity(username, password.trim_end_matches('\0'))
}

fn identity(username: &str, password: &str) -> Option<BasicAuth> {
    let is_password = username != TOKEN && !password.is_empty();
    is_password.then(|| BasicAuth { username: username.to_owned(), password: Secret::new(password.to_owned()) })
}

fn token(text: &str) -> Option<Secret<String>> {
    (!text.is_empty()).then(|| Secret::new(text.to_owned()))
}

impl Login {
    /// Nothing where it opens nothing.
    fn opens(self) -> Option<Self> {
        (self != Self::default()).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_written_down_is_found_by_host() {
        let config = json!({"auths": {
            "registry.example.com": {"auth": STANDARD.encode("ci:a:b")},
            "https://registry.example.com:5000/v1/": {"username": "port", "password": "c"},
            "https://index.docker.io/v1/": {"auth": STANDARD.encode("hub:d")},
            "empty.example.com": {},
            // As `az acr login` writes it.
            "shop.azurecr.io": {"auth": STANDARD.encode("00000000-0000-0000-0000-000000000000:"), "identitytoken": "e"},
        }});
        let found = |host| {
            let login = written_down(&config, host)?;
            let identity = login.identity.map(|it| format!("{}/{}", it.username, it.password.expose()));
            Some(identity.unwrap_or_else(|| format!("token {}", login.refresh_token.unwrap().expose())))
        };
        for (host, expected) in [
            ("registry.example.com", Some("ci/a:b")),
            ("registry.example.com:5000", Some("port/c")),
            ("registry-1.docker.io", Some("hub/d")),
            ("docker.io", Some("hub/d")),
            ("empty.example.com", None),
            ("shop.azurecr.io", Some("token e")),
            ("other.example.com", None),
        ] {
            assert_eq!(found(host).as_deref(), expected, "{host}");
        }
    }

    #[test]
    fn a_helper_is_a_name_and_no_path() {
        let config =
            json!({"credHelpers": {"a.example.com": "ecr-login", "b.example.com": "../evil"}, "credsStore": "pass"});
        assert_eq!(helper(&config, "a.example.com").unwrap(), "docker-credential-ecr-login");
        assert_eq!(helper(&config, "b.example.com"), None);
        assert_eq!(helper(&config, "c.example.com").unwrap(), "docker-credential-pass");
    }
}
