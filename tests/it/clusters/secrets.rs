//! Destinations by cluster Secrets: from files, from Argo CD's namespace, by name and by server, and what broken ones cost.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{ClusterSecrets, cluster_secret, config, flat, token, with_token};
use crate::harness::{TestApplication, TestCluster, TestRepo, config_map, or_skip, trueup};

/// A repository with one ConfigMap.
fn repository() -> TestRepo {
    TestRepo::new().file("shop/settings.yaml", config_map("settings").data("colour", "green")).commit("the shop")
}

fn application(git: &TestRepo, name: &str, cluster: &str, namespace: &str) -> TestApplication {
    git.application(name).path("shop").destination(json!({ "name": cluster, "namespace": namespace }))
}

/// A credential plugin that prints this token, if it got its argument and its variable.
fn plugin(secrets: &ClusterSecrets, token: &str) -> PathBuf {
    let path = secrets.path().join("plugin");
    let credential = json!({
        "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": { "token": token },
    });
    let script = format!("#!/bin/sh\n[ \"$1\" = login ] && [ \"$REGION\" = eu ] && echo '{credential}'\n");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn exec(cluster: &TestCluster, plugin: &std::path::Path) -> Value {
    config(
        cluster,
        &json!({ "execProviderConfig": {
        "command": plugin, "args": ["login"], "env": { "REGION": "eu" },
        "apiVersion": "client.authentication.k8s.io/v1",
    } }),
    )
}

fn sync_states(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let applications = report["applications"].as_array().unwrap();
    applications.iter().map(|one| (text(&one["name"]), text(&one["sync"]))).collect()
}

/// A fleet is on many clusters that only Argo CD's Secrets know: each application is synced to its own, and to no other.
#[test]
fn applications_are_synced_to_the_clusters_of_their_secrets() {
    let clusters =
        [or_skip!(TestCluster::namespace()), or_skip!(TestCluster::with_controllers()), or_skip!(TestCluster::alone())];
    let [first, second, third] = &clusters;
    second.kubectl(["create", "serviceaccount", "sync"]);
    second.kubectl([
        "create",
        "clusterrolebinding",
        second.name(),
        "--clusterrole=cluster-admin",
        &format!("--serviceaccount={}:sync", second.name()),
    ]);
    let account = second.kubectl(["create", "token", "sync"]);
    let secrets = ClusterSecrets::new();
    let plugin = plugin(&secrets, &token(third));
    let secrets = secrets
        .with("one", first.server(), &with_token(first))
        .with("two", second.server(), &config(second, &json!({ "bearerToken": account.trim() })))
        .with("three", third.server(), &exec(third, &plugin));
    let git = repository();
    let names = ["one", "two", "three"];
    let applications: Vec<TestApplication> =
        names.iter().zip(&clusters).map(|(name, cluster)| application(&git, name, name, cluster.name())).collect();
    let run = |arguments: &[&str]| {
        trueup([])
            .arguments(arguments)
            .arguments(applications.iter().map(TestApplication::manifest))
            .argument("--clusters")
            .argument(secrets.path())
    };

    run(&["sync", "-y"]).exits(0);

    let report = run(&["diff", "-o", "json"]).exits(0).json();
    assert_eq!(sync_states(&report), names.map(|name| (name.to_owned(), "Synced".to_owned())));
    for cluster in &clusters {
        let found = cluster.kubectl(["get", "configmap", "settings", "-o", "jsonpath={.data.colour}"]);
        assert_eq!(found, "green");
    }
    // A destination may name the server, too, and what is synced there is the same application's.
    let by_server = git.application("two").path("shop").destination(json!({
        "server": format!("{}/", second.server()), "namespace": second.name(),
    }));
    trueup(["diff"]).argument(by_server.manifest()).argument("--clusters").argument(secrets.path()).exits(0);
}

/// Secrets of the cluster that Argo CD runs in are read with `argocd`; a file comes before them.
#[test]
fn secrets_are_read_from_argo_cds_namespace() {
    let (argocd, target) = (or_skip!(TestCluster::namespace()), or_skip!(TestCluster::with_controllers()));
    let secret = cluster_secret(
        "prod",
        &json!({
            "name": "prod", "server": target.server(), "config": with_token(&target).to_string(),
        }),
    );
    argocd.apply(secret);
    let git = repository();
    let shop = application(&git, "shop", "prod", target.name());
    let diff = || {
        trueup(["diff", "-o", "json", "--clusters", "argocd", "--argocd-namespace", argocd.name()])
            .argument(shop.manifest())
            .kubeconfig(argocd.kubeconfig())
    };

    let report = diff().exits(1).json();
    assert_eq!(report["applications"][0]["resources"][0]["state"], "missing");
    assert_eq!(report["applications"][0]["cluster"].as_str().unwrap_or(target.server()), target.server());

    let file = ClusterSecrets::new().with("prod", target.server(), &config(&target, &json!({ "bearerToken": "old" })));
    let outcome = diff().argument("--clusters").argument(file.path()).exits(2);
    assert!(flat(&outcome).contains("rejects the credentials of Secret `prod` of "), "{}", outcome.transcript());
}

/// A cluster that is down, silent, or whose Secret is broken costs its own applications, within the time of a request.
#[test]
fn a_cluster_that_is_down_leaves_the_others_alone() {
    let cluster = or_skip!(TestCluster::namespace());
    // It takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_server = format!("https://{}", silent.local_addr().unwrap());
    let mut secrets = ClusterSecrets::new()
        .with("good", cluster.server(), &with_token(&cluster))
        .with("refused", "https://127.0.0.1:1", &json!({ "bearerToken": "s3cret" }))
        .with("broken", "https://127.0.0.1:2", &json!({ "bearerToken": ["s3cret"] }));
    let git = repository();
    let mut names = vec!["good".to_owned(), "refused".to_owned(), "broken".to_owned(), "unknown".to_owned()];
    // Enough of them to take the turn of every request.
    for number in 0..12 {
        let name = format!("silent-{number}");
        secrets = secrets.with(&name, &format!("{silent_server}/{number}"), &json!({ "bearerToken": "s3cret" }));
        names.push(name);
    }
    let applications: Vec<TestApplication> =
        names.iter().map(|name| application(&git, name, name, cluster.name())).collect();

    let started = Instant::now();
    let outcome = trueup(["diff", "-o", "json", "--request-timeout", "3s", "--clusters"])
        .argument(secrets.path())
        .arguments(applications.iter().map(TestApplication::manifest))
        .kubeconfig(cluster.kubeconfig())
        .exits(2);

    assert!(started.elapsed() < Duration::from_secs(12), "{:?}", started.elapsed());
    let expected =
        names.iter().map(|name| (name.clone(), if name == "good" { "OutOfSync" } else { "Unknown" }.to_owned()));
    assert_eq!(sync_states(&outcome.json()), expected.collect::<Vec<_>>());
    for part in [
        "cluster refused: https://127.0.0.1:1 cannot be reached",
        "cluster broken: its Secret cannot be used: Secret `broken` of ",
        "`config.bearerToken` is a list, not text",
        "cluster silent-0: no answer to `GET /",
        "destination unknown: no kubeconfig context",
    ] {
        assert!(outcome.stdout.contains(part), "{part}: {}", outcome.transcript());
    }
    assert!(!outcome.transcript().contains("s3cret"), "{}", outcome.transcript());
}

/// A pull request of a stranger must not choose a program that runs here.
#[test]
fn an_untrusted_run_starts_no_program_of_a_secret() {
    let cluster = or_skip!(TestCluster::namespace());
    let secrets = ClusterSecrets::new();
    let plugin = plugin(&secrets, &token(&cluster));
    let aws = json!({ "awsAuthConfig": { "clusterName": "prod" } });
    let secrets =
        secrets.with("prod", cluster.server(), &exec(&cluster, &plugin)).with("aws", "https://127.0.0.1:1", &aws);
    let git = repository();
    let (shop, other) = (application(&git, "shop", "prod", cluster.name()), application(&git, "other", "aws", "x"));
    let diff = || trueup(["diff", "--clusters"]).argument(secrets.path()).argument(shop.manifest());

    diff().exits(1);

    let outcome = diff()
        .argument(other.manifest())
        .argument("--untrusted")
        .argument(format!("--allow-local={}", git.path().display()))
        .exits(2);
    let text = flat(&outcome);
    assert!(
        text.contains("it runs the program `") && text.contains("`argocd-k8s-auth`, which --untrusted forbids"),
        "{text}"
    );
}

/// What Argo CD runs for AWS is in its own image: without it the error says what to do.
#[test]
fn a_program_that_is_not_installed_is_named() {
    let secrets = ClusterSecrets::new().with(
        "aws",
        "https://127.0.0.1:1",
        &json!({ "awsAuthConfig": { "clusterName": "prod" } }),
    );
    let git = repository();
    let shop = application(&git, "shop", "aws", "shop");
    let outcome = trueup(["diff", "--clusters"]).argument(secrets.path()).argument(shop.manifest()).exits(2);
    let text = flat(&outcome);
    assert!(text.contains("cluster aws: the credential plugin `argocd-k8s-auth` is not installed"), "{text}");
    assert!(text.contains("--context-map"), "{text}");
}

/// A cluster that Argo CD is not to touch is left alone, and the run says so.
#[test]
fn a_cluster_that_is_skipped_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut secret =
        cluster_secret("prod", &json!({ "name": "prod", "server": "https://127.0.0.1:1", "config": "{}" }));
    secret["metadata"]["annotations"] = json!({ "argocd.argoproj.io/skip-reconcile": "true" });
    fs::write(folder.path().join("prod.yaml"), secret.to_string()).unwrap();
    let git = repository();
    let shop = application(&git, "shop", "prod", "shop");
    let outcome = trueup(["diff", "--clusters"]).argument(folder.path()).argument(shop.manifest()).exits(0);
    assert!(flat(&outcome).contains("shop: not compared: its cluster has the annotation"), "{}", outcome.transcript());
}

/// A proxy for `CONNECT`, and how often it was asked.
fn proxy() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (url, asked) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            counted.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || tunnel(client));
        }
    });
    (url, asked)
}

fn tunnel(mut client: TcpStream) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let address = head.strip_prefix("CONNECT ")?.split(' ').next()?;
    let mut server = TcpStream::connect(address).ok()?;
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").ok()?;
    let (mut from_client, mut to_server) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
    std::io::copy(&mut server, &mut client).ok().map(|_| ())
}

/// A cluster that is behind a proxy is reached through the one that its Secret names.
#[test]
fn the_proxy_of_a_secret_is_used() {
    let cluster = or_skip!(TestCluster::namespace());
    let (url, asked) = proxy();
    let mut through = with_token(&cluster);
    through["proxyUrl"] = json!(url);
    let secrets = ClusterSecrets::new().with("prod", cluster.server(), &through);
    let git = repository();
    let shop = application(&git, "shop", "prod", cluster.name());

    trueup(["diff", "--clusters"]).argument(secrets.path()).argument(shop.manifest()).exits(1);

    assert!(asked.load(Ordering::SeqCst) > 0);
}

/// Two Secrets with one server contradict each other; a Secret without credentials is opened by the context of its server.
#[test]
fn secrets_and_contexts_have_an_order() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = repository();
    let by_name = |name: &str| application(&git, "shop", name, cluster.name());
    let diff = |secrets: &ClusterSecrets, shop: &TestApplication| {
        trueup(["diff", "--clusters"])
            .argument(secrets.path())
            .argument(shop.manifest())
            .kubeconfig(cluster.kubeconfig())
    };

    let described = ClusterSecrets::new().with("prod", cluster.server(), &json!({}));
    diff(&described, &by_name("prod")).exits(1);

    let old = ClusterSecrets::new().with("prod", cluster.server(), &config(&cluster, &json!({ "bearerToken": "old" })));
    diff(&old, &by_name("prod")).exits(2);
    // The map of the command line counts more than any Secret.
    let map = format!("prod={}", cluster.context());
    diff(&old, &by_name("prod")).argument("--context-map").argument(map).exits(1);
    // A context of the name is not asked for where a Secret has it.
    let named = ClusterSecrets::new().with(cluster.context(), "https://127.0.0.1:1", &json!({ "bearerToken": "x" }));
    diff(&named, &by_name(cluster.context())).exits(2);

    let twice = old.with("again", &format!("{}/", cluster.server()), &with_token(&cluster));
    let by_server = git
        .application("shop")
        .path("shop")
        .destination(json!({ "server": cluster.server(), "namespace": cluster.name() }));
    let text = flat(&diff(&twice, &by_server).exits(2));
    assert!(text.contains("several cluster Secrets match: Secret `again` of "), "{text}");
}
