//! Repositories over real ssh: a server with a host key of its own, and who is let in, and who is believed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use trueup::app::settings::Repositories;
use trueup::source::{FetchedBy, Keyring, SourceError};

use super::{Run, assert_nothing_says, help, run_with, shop, told, web};
use crate::harness::{Missing, TestRepo, config_map, folder_with, or_skip, program, trueup};

/// A server that knows one key.
struct SshServer {
    port: u16,
    folder: TempDir,
    /// Ends when its standard input closes.
    child: Child,
}

impl SshServer {
    fn start() -> Result<Self, Missing> {
        let server = program("ssh-server")?;
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["host", "user", "other"] {
            make_key(&folder.path().join(name));
        }
        let mut command = Command::new(server);
        command.arg("-host-key").arg(folder.path().join("host"));
        command.arg("-authorized-keys").arg(folder.path().join("user.pub"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut port = String::new();
        let output = child.stdout.as_mut().expect("stdout is piped");
        BufReader::new(output).read_line(&mut port).expect("the server says its port");
        Ok(Self { port: port.trim().parse().expect("a port"), folder, child })
    }

    fn url(&self, repository: &TestRepo) -> String {
        format!("ssh://git@127.0.0.1:{}{}", self.port, repository.path().display())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn private_key(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).expect("it was made")
    }

    /// The server, as `known_hosts` has it, with this key.
    fn known_as(&self, name: &str) -> String {
        let public = std::fs::read_to_string(self.file(&format!("{name}.pub"))).expect("it was made");
        let key: Vec<&str> = public.split_whitespace().take(2).collect();
        format!("# of the company\n[127.0.0.1]:{} {}\n", self.port, key.join(" "))
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn make_key(file: &Path) {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(file);
    assert!(keygen.status().expect("ssh-keygen is there").success());
}

fn manifests(fields: &Value, known_hosts: Option<&str>) -> String {
    let metadata = json!({"name": "shop", "labels": {"argocd.argoproj.io/secret-type": "repo-creds"}});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": fields});
    let known = |keys| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-ssh-known-hosts-cm"},
            "data": {"ssh_known_hosts": keys}})
    };
    known_hosts.map_or_else(|| secret.to_string(), |keys| format!("{secret}\n---\n{}", known(keys)))
}

fn run_as(manifests: &str, ssh_command: Option<String>) -> Run {
    let (repositories, warnings) = Repositories::read("a.yaml", manifests.as_bytes()).expect("they are right");
    assert_eq!(warnings, []);
    run_with(|settings| {
        settings.keyring = Arc::new(Keyring { repositories, ..Keyring::default() });
        settings.ssh_command = ssh_command;
    })
}

/// A deploy key, and the host keys that Argo CD was given: a server with another key hears nothing from us.
#[tokio::test]
async fn a_host_is_believed_by_the_keys_that_argo_cd_was_given() {
    let server = or_skip!(SshServer::start());
    let git = shop();
    let url = server.url(&git);
    let template = format!("ssh://git@127.0.0.1:{}", server.port);
    let key = json!({"url": template, "sshPrivateKey": server.private_key("user")});
    let (right, wrong) = (server.known_as("host"), server.known_as("other"));

    let run = run_as(&manifests(&key, Some(&right)), None);
    let checkout = run.good(&url, "main").await;
    assert_eq!((checkout.by, web(&checkout).as_str()), (FetchedBy::Gix, "replicas: 2\n"));
    assert_nothing_says(run.cache.path(), "OPENSSH PRIVATE KEY");

    for known_hosts in [wrong.as_str(), ""] {
        let run = run_as(&manifests(&key, Some(known_hosts)), None);
        let error = run.bad(&url, "main").await;
        assert!(matches!(*error, SourceError::AccessRefused { .. }), "{}", told(&error));
        assert!(told(&error).contains("Host key verification failed"), "{}", told(&error));
        assert!(help(&error).contains("`argocd-ssh-known-hosts-cm`"), "{}", help(&error));
    }
    // Nobody told anything of this server, neither Argo CD nor this machine.
    let error = run_as(&manifests(&key, None), None).bad(&url, "main").await;
    assert!(told(&error).contains("Host key verification failed"), "{}", told(&error));
    assert!(help(&error).contains("known_hosts"), "{}", help(&error));
}

/// `insecure` and its older name are a repository's own, and look at no host key.
#[tokio::test]
async fn an_insecure_repository_believes_any_host() {
    let server = or_skip!(SshServer::start());
    let git = shop();
    let url = server.url(&git);
    for field in ["insecure", "insecureIgnoreHostKey"] {
        let fields = json!({"url": url, "sshPrivateKey": server.private_key("user"), field: "true"});
        let wrong = server.known_as("other");
        let repository = manifests(&fields, Some(&wrong)).replace("repo-creds", "repository");
        let run = run_as(&repository, None);
        assert_eq!(web(&*run.good(&url, "main").await), "replicas: 2\n", "{field}");
    }
}

/// A key that the server does not know is not the host's fault, and the Secret that has it is named.
#[tokio::test]
async fn a_key_that_opens_nothing_is_named_by_its_secret() {
    let server = or_skip!(SshServer::start());
    let git = shop();
    let url = server.url(&git);
    let fields = json!({"url": url, "sshPrivateKey": server.private_key("other")});
    let error = run_as(&manifests(&fields, Some(&server.known_as("host"))), None).bad(&url, "main").await;
    assert!(told(&error).contains("Permission denied"), "{}", told(&error));
    assert!(help(&error).contains("Secret `shop`"), "{}", help(&error));

    let fields = json!({"url": url, "sshPrivateKey": "-----BEGIN OPENSSH PRIVATE KEY-----\ns3cret\n"});
    let error = run_as(&manifests(&fields, Some(&server.known_as("host"))), None).bad(&url, "main").await;
    assert!(!format!("{} {error:?} {}", told(&error), help(&error)).contains("s3cret"));
}

/// Whoever runs ssh in a way of their own, with a key of their own, gets Argo CD's host keys, too.
#[tokio::test]
async fn an_ssh_command_of_the_user_takes_the_host_keys() {
    let server = or_skip!(SshServer::start());
    let git = shop();
    let url = server.url(&git);
    let own = format!("ssh -i {} -o IdentitiesOnly=yes -o BatchMode=yes", server.file("user").display());
    let nothing = json!({"url": "ssh://elsewhere.example.com"});
    let run = |known: &str| run_as(&manifests(&nothing, Some(&server.known_as(known))), Some(own.clone()));
    let known = run("host");
    assert_eq!(web(&*known.good(&url, "main").await), "replicas: 2\n");
    let error = run("other").bad(&url, "main").await;
    assert!(told(&error).contains("Host key verification failed"), "{}", told(&error));
}

/// As a user runs it: one file with all that Argo CD has, and a base that Kustomize's git brings over ssh.
#[test]
fn a_run_over_ssh_takes_argo_cds_keys() {
    let server = or_skip!(SshServer::start());
    let kustomize = or_skip!(program("kustomize"));
    let base = TestRepo::new().file("base/kustomization.yaml", "resources: [a.yaml]\n");
    let base = base.file("base/a.yaml", config_map("from-the-base")).commit("a base");
    let remote = format!("resources: ['{}//base?ref=main']\n", server.url(&base));
    let git = TestRepo::new().file("kustomization.yaml", remote).commit("an overlay");
    let key =
        json!({"url": format!("ssh://git@127.0.0.1:{}", server.port), "sshPrivateKey": server.private_key("user")});
    let shop = git.application("shop").source_field("repoURL", json!(server.url(&git)));
    for (known, code) in [("host", 0), ("other", 2)] {
        let files = folder_with([("all.yaml", &manifests(&key, Some(&server.known_as(known))))]);
        let run = trueup(["render", "-o", "json"]).env("TRUEUP_KUSTOMIZE", &kustomize).of(&shop);
        let outcome = run.argument("--repositories").argument(files.path().join("all.yaml")).exits(code);
        assert_eq!(outcome.stdout.contains("from-the-base"), code == 0, "{}", outcome.transcript());
        assert!(!outcome.transcript().contains("PRIVATE KEY"), "{}", outcome.transcript());
    }
}
