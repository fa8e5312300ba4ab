//! Argo CD's Secrets of repositories open git repositories, too; what they hold is seen by their servers alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use serde_json::{Value, json};
use trueup::app::settings::Repositories;
use trueup::source::{FetchedBy, Keyring, SourceError, Wanted};

use super::server::{HttpServer, Manners};
use super::{BASIC, assert_nothing_says, help, root_of, run_with, shop, told, web};
use crate::cluster::tls;
use crate::harness::{TestCluster, TestRepo, config_map, folder_with, or_skip, program, trueup};

fn secret(fields: &Value) -> String {
    let metadata = json!({"name": "shop", "labels": {"argocd.argoproj.io/secret-type": "repository"}});
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": fields}).to_string()
}

fn keyring(fields: &Value) -> Arc<Keyring> {
    let (repositories, _) = Repositories::read("secret.yaml", secret(fields).as_bytes()).expect("it is a Secret");
    Arc::new(Keyring { repositories, ..Keyring::default() })
}

/// A password and a token, as Argo CD has them; by gix, and by the program where gix does not understand the server.
#[tokio::test]
async fn a_secret_opens_a_repository() {
    let git = shop();
    for (authorization, fields) in
        [(BASIC, json!({"username": "ci", "password": "s3cret"})), ("Bearer s3cret", json!({"bearerToken": "s3cret"}))]
    {
        for (garbage_for_gix, by) in [(false, FetchedBy::Gix), (true, FetchedBy::GitProgram)] {
            let manners = Manners { authorization: Some(authorization.into()), garbage_for_gix, ..Manners::default() };
            let http = HttpServer::start(&root_of(&git), manners);
            let mut fields = fields.clone();
            fields["url"] = json!(http.url("repo.git"));
            let run = run_with(|settings| settings.keyring = keyring(&fields));
            let checkout = run.good(&http.url("repo"), "main").await;
            assert_eq!((checkout.by, web(&checkout).as_str()), (by, "replicas: 2\n"));
            assert_nothing_says(run.cache.path(), "s3cret");
        }
    }
}

/// Servers that say "not found" to who says nothing never ask for a password. Argo CD tells a Secret's at once, but its git
/// only does with `forceHttpBasicAuth`; so does ours.
#[tokio::test]
async fn a_server_that_hides_its_repositories_is_sent_credentials() {
    let git = shop();
    for (garbage_for_gix, force, by) in [
        (false, "", Some(FetchedBy::Gix)),
        (false, "true", Some(FetchedBy::Gix)),
        (true, "true", Some(FetchedBy::GitProgram)),
        (true, "false", None),
    ] {
        let manners = Manners { authorization: Some(BASIC.into()), hides: true, garbage_for_gix, ..Manners::default() };
        let http = HttpServer::start(&root_of(&git), manners);
        let url = http.url("repo");
        let fields = json!({"url": url, "username": "ci", "password": "s3cret", "forceHttpBasicAuth": force});
        let run = run_with(|settings| settings.keyring = keyring(&fields));
        match run.one(&url, "main").await {
            Ok(checkout) => assert_eq!(Some(checkout.by), by),
            Err(error) => assert_eq!(by, None, "{}", told(&error)),
        }
        assert_nothing_says(run.cache.path(), "s3cret");
        assert_nothing_says(run.cache.path(), BASIC.trim_start_matches("Basic "));
    }
}

/// What is told unasked is told to the Secret's own server: one that it sends us to hears nothing.
#[tokio::test]
async fn what_a_secret_tells_at_once_goes_to_no_other_host() {
    let git = shop();
    let root = root_of(&git);
    let thief = HttpServer::start(&root, Manners { authorization: Some("never".into()), ..Manners::default() });
    let elsewhere = thief.url_by_name("").trim_end_matches('/').to_owned();
    let honest = HttpServer::start(&root, Manners { redirect: Some(elsewhere), ..Manners::default() });
    let url = honest.url("repo");
    let fields = json!({"url": url, "username": "ci", "password": "s3cret", "forceHttpBasicAuth": "true"});
    let run = run_with(|settings| settings.keyring = keyring(&fields));
    run.bad(&url, "main").await;
    assert_eq!(honest.requests()[0].header("authorization"), Some(BASIC));
    let asked = thief.requests();
    assert!(!asked.is_empty() && asked.iter().all(|request| request.header("authorization").is_none()), "{asked:#?}");
}

/// What is for one project opens nothing for another; and the same repository is brought once for all that have none.
#[tokio::test]
async fn a_secret_of_a_project_is_for_that_project() {
    let git = shop();
    let manners = Manners { authorization: Some(BASIC.into()), ..Manners::default() };
    let http = HttpServer::start(&root_of(&git), manners);
    let url = http.url("repo");
    let fields = json!({"url": url, "project": "shop", "username": "ci", "password": "s3cret"});
    let run = run_with(|settings| settings.keyring = keyring(&fields));
    let wanted = |project: &str| Wanted { project: project.to_owned(), ..Wanted::default().at("main") };
    let wanted = [wanted("shop"), wanted("till"), wanted("shop")];
    let brought =
        run.sources.fetch(&trueup::secret::RepoUrl::new(&url), &wanted, &trueup::process::Cancel::new()).await;
    assert!(brought[0].is_ok() && brought[2].is_ok());
    let error = brought[1].as_ref().expect_err("it is for another project");
    assert!(told(error).contains("refuses access"), "{}", told(error));
}

/// A deploy key: ssh gets it in a file that nobody else can read, and that is gone afterwards.
#[test]
fn a_deploy_key_is_given_to_ssh() {
    let git = TestRepo::new().file("a.yaml", config_map("settings")).commit("a");
    let tools = tempfile::tempdir().unwrap();
    let ssh = tools.path().join("ssh");
    let script = format!(
        "#!/bin/sh\ntest \"$1\" = -i && cp -p \"$2\" {0}/seen && printf '%s\\n' \"$2\" >{0}/place\n\
         while test \"${{1#-}}\" != \"$1\"; do shift 2; done\nshift\nexec sh -c \"$*\"\n",
        tools.path().display()
    );
    fs::write(&ssh, script).unwrap();
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
    let url = format!("git@git.example.com:{}", git.path().display());
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----";
    let files = folder_with([("secret.yaml", &secret(&json!({"url": url, "sshPrivateKey": key})))]);
    let paths = std::env::var_os("PATH").unwrap();
    let paths = std::env::join_paths(std::iter::once(tools.path().to_owned()).chain(std::env::split_paths(&paths)));

    let shop = git.application("shop").source_field("repoURL", json!(url));
    let run = trueup(["render", "-o", "json"]).env("PATH", paths.unwrap()).of(&shop);
    let outcome = run.argument("--repositories").argument(files.path().join("secret.yaml")).exits(0);

    assert_eq!(outcome.json()["items"][0]["metadata"]["name"], "settings");
    assert_eq!(fs::read_to_string(tools.path().join("seen")).unwrap().trim_end(), key);
    assert_eq!(fs::metadata(tools.path().join("seen")).unwrap().permissions().mode() & 0o777, 0o600);
    let place = fs::read_to_string(tools.path().join("place")).unwrap();
    assert!(!std::path::Path::new(place.trim_end()).exists(), "{place}");
}

/// A server with a certificate of the company's own, which lets nobody in without one: by gix, and by the program.
#[tokio::test]
async fn certificates_open_a_repository() {
    let cluster = or_skip!(TestCluster::namespace());
    let pem = |name: &str| fs::read_to_string(cluster.control_plane_folder().join("certificates").join(name)).unwrap();
    // The API server's own certificate and key serve both sides here: any pair does.
    let (certificate, key) = (pem("apiserver.crt"), pem("apiserver.key"));
    let git = shop();
    for (garbage_for_gix, by) in [(false, FetchedBy::Gix), (true, FetchedBy::GitProgram)] {
        let tls = Some(tls::config(&certificate, &key, tls::TakesAny { insists: true }));
        let http = HttpServer::start(&root_of(&git), Manners { garbage_for_gix, tls, ..Manners::default() });
        let url = http.url("repo");
        let own = json!({"url": url, "tlsClientCertData": certificate, "tlsClientCertKey": key});
        let known = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-tls-certs-cm"},
            "data": {"127.0.0.1": certificate}});
        let insecure =
            json!({"url": url, "insecure": "true", "tlsClientCertData": certificate, "tlsClientCertKey": key});
        for (fields, known, is_open) in [
            (own.clone(), Some(&known), true),
            (insecure, None, true),
            (own, None, false),
            (json!({"url": url}), Some(&known), false),
        ] {
            let known = known.map(|known| format!("\n---\n{known}")).unwrap_or_default();
            let (repositories, _) =
                Repositories::read("a.yaml", format!("{}{known}", secret(&fields)).as_bytes()).unwrap();
            let run = run_with(|settings| settings.keyring = Arc::new(Keyring { repositories, ..Keyring::default() }));
            match run.one(&url, "main").await {
                Ok(checkout) => assert!(is_open && checkout.by == by && web(&checkout) == "replicas: 2\n"),
                // Who has shown no certificate finds the connection ended, in words that vary.
                Err(error) if fields["insecure"].is_null() && known.is_empty() => {
                    assert!(!is_open && help(&error).contains("`argocd-tls-certs-cm`"), "{}", told(&error));
                }
                Err(error) => assert!(!is_open, "{}", told(&error)),
            }
            assert_nothing_says(run.cache.path(), key.lines().nth(1).unwrap());
        }
    }
}

/// Certificates and proxies that are none: their Secret is named, and nothing of what it has.
#[tokio::test]
async fn a_failed_connection_is_reported_with_its_secret() {
    let url = "https://git.example.invalid/repo";
    let pem = |kind: &str, text: &str| format!("-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n");
    for fields in [
        json!({"url": url, "tlsClientCertData": "s3cret", "tlsClientCertKey": "s3cret"}),
        json!({"url": url, "tlsClientCertData": pem("CERTIFICATE", "czNjcmV0"), "tlsClientCertKey": pem("PRIVATE KEY", "czNjcmV0")}),
        json!({"url": url, "proxy": "http://ci:s3cret@a b"}),
    ] {
        let run = run_with(|settings| settings.keyring = keyring(&fields));
        let error = run.bad(url, "main").await;
        let everything = format!("{} {error:?} {}", told(&error), help(&error));
        assert!(matches!(*error, SourceError::FetchFailed { .. }), "{everything}");
        assert!(help(&error).contains("Secret `shop`"), "{everything}");
        assert!(!everything.contains("s3cret") && !everything.contains("czNjcmV0"), "{everything}");
    }
}

/// A server that only a proxy reaches, and not what `noProxy` names: by gix, and by the program.
#[tokio::test]
async fn a_proxy_leads_to_a_repository() {
    let git = shop();
    for (garbage_for_gix, by) in [(false, FetchedBy::Gix), (true, FetchedBy::GitProgram)] {
        let proxy = HttpServer::start(&root_of(&git), Manners { garbage_for_gix, ..Manners::default() });
        let url = "http://git.example.invalid/repo";
        let fields = json!({"url": url, "proxy": proxy.url(""), "noProxy": "other.example.invalid"});
        let run = run_with(|settings| settings.keyring = keyring(&fields));
        let checkout = run.good(url, "main").await;
        assert_eq!((checkout.by, web(&checkout).as_str()), (by, "replicas: 2\n"));

        let fields = json!({"url": url, "proxy": proxy.url(""), "noProxy": "git.example.invalid"});
        let run = run_with(|settings| settings.keyring = keyring(&fields));
        assert!(told(&*run.bad(url, "main").await).contains("cannot be reached"));
    }
}

/// A loop beside Argo CD needs no files: its Secrets are read where they are, as is what it knows servers by.
#[test]
fn secrets_are_read_from_the_cluster_that_argo_cd_runs_in() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", config_map("settings")).commit("a");
    let manners = Manners { authorization: Some(BASIC.into()), ..Manners::default() };
    let http = HttpServer::start(&root_of(&git), manners);
    let url = http.url("repo");
    let shop = git.application("shop").source_field("repoURL", json!(url)).deployed_to(&cluster);
    let diff = |flag: &str| trueup(["diff", "--argocd-namespace", cluster.name()]).argument(flag).of(&shop);

    let outcome = diff("--repositories-from-cluster").exits(2);
    assert!(outcome.stderr.contains("has no repository Secret"), "{}", outcome.transcript());

    cluster.apply(secret(&json!({"url": url, "username": "ci", "password": "s3cret"})));
    let outcome = diff("--repositories-from-cluster").exits(1);
    assert!(outcome.stdout.contains("settings  missing in the cluster"), "{}", outcome.transcript());
    assert!(!outcome.transcript().contains("s3cret"));

    // Who synced with them deletes with them: hooks come from git.
    let delete = || trueup(["delete", "shop", "-y", "--argocd-namespace", cluster.name()]).of(&shop);
    delete().exits(2);
    delete().argument("--repositories-from-cluster").exits(0);

    // Another team's Secret is broken: that is an error, and costs nobody else theirs.
    let name = json!({"name": "elses", "labels": {"argocd.argoproj.io/secret-type": "repository"}});
    cluster
        .apply(json!({"apiVersion": "v1", "kind": "Secret", "metadata": name, "stringData": {"password": "s3cret"}}));
    let outcome = diff("--repositories-from-cluster").exits(2);
    assert!(outcome.stderr.contains("Secret `elses`"), "{}", outcome.transcript());
    assert!(outcome.stdout.contains("settings  missing in the cluster"), "{}", outcome.transcript());

    // Secrets are read only where that is asked for; the ConfigMaps beside `argocd-cm` are read with it.
    cluster.apply(config_map("argocd-cm"));
    cluster.apply(config_map("argocd-ssh-known-hosts-cm").data("ssh_known_hosts", ""));
    let outcome = diff("--argocd-cm-from-cluster").exits(2);
    assert!(outcome.stderr.contains("refuses access"), "{}", outcome.transcript());
    let nobody = git.application("nobody").source_field("repoURL", json!("ssh://git@127.0.0.1:1/repo"));
    let nobody = nobody.deployed_to(&cluster);
    let run = trueup(["diff", "--argocd-cm-from-cluster", "--argocd-namespace", cluster.name()]);
    let seen = tempfile::tempdir().unwrap();
    let ssh = format!("sh -c 'echo \"$@\" >{0}/seen; exit 255' ssh", seen.path().display());
    run.env("GIT_SSH_COMMAND", ssh).of(&nobody).exits(2);
    let options = fs::read_to_string(seen.path().join("seen")).unwrap();
    assert!(options.contains("UserKnownHostsFile="), "{options}");
}

/// The manifests that Argo CD is installed with have the certificates and host keys beside `argocd-cm`; and as every
/// file it may be a pipe, whichever parts of it are wanted.
#[test]
fn host_keys_stand_beside_argo_cds_settings() {
    let known = config_map("argocd-ssh-known-hosts-cm").data("ssh_known_hosts", "");
    let both = format!("{}---\n{known}", config_map("argocd-cm"));
    let nobody = TestRepo::new().application("nobody").source_field("repoURL", json!("ssh://git@127.0.0.1:1/repo"));
    let live = tempfile::tempdir().unwrap();
    let seen = tempfile::tempdir().unwrap();
    let ssh = format!("sh -c 'echo \"$@\" >{0}/seen; exit 255' ssh", seen.path().display());

    let run = trueup(["diff", "--health", "--argocd-cm", "/dev/stdin"]).stdin(both).env("GIT_SSH_COMMAND", ssh);
    let outcome = run.of(&nobody).live(live.path()).exits(2);

    let options = fs::read_to_string(seen.path().join("seen")).unwrap_or_else(|_| panic!("{}", outcome.transcript()));
    assert!(options.contains("UserKnownHostsFile="), "{options}");
}

/// A base in another repository of a private server: Kustomize's git is let in as we are.
#[test]
fn a_remote_base_is_opened_as_its_repository_is() {
    let kustomize = or_skip!(program("kustomize"));
    let base = TestRepo::new()
        .file("base/kustomization.yaml", "resources: [a.yaml]\n")
        .file("base/a.yaml", config_map("from-the-base"))
        .commit("a base");
    let manners = Manners { authorization: Some(BASIC.into()), ..Manners::default() };
    let http = HttpServer::start(&root_of(&base), manners);
    let remote = format!("{}//base?ref=main", http.url("repo"));
    let overlay = TestRepo::new().file("kustomization.yaml", format!("resources: ['{remote}']\n")).commit("an overlay");
    // The overlay itself is taken from a checkout: what is asked of the server, Kustomize asks.
    let url = http.url("overlay.git");
    let fields = json!({"url": url, "username": "ci", "password": "s3cret"});
    let files = folder_with([("secret.yaml", &secret(&fields))]);
    let shop = overlay.application("shop").source_field("repoURL", json!(url));
    let run = || {
        let run = trueup(["render", "-o", "json"]).env("TRUEUP_KUSTOMIZE", &kustomize).of(&shop);
        run.argument("--repo").argument(format!("{url}={}", overlay.path().display()))
    };

    run().exits(2);
    let outcome = run().argument("--repositories").argument(files.path().join("secret.yaml")).exits(0);

    assert_eq!(outcome.json()["items"][0]["metadata"]["name"], "from-the-base");
}
