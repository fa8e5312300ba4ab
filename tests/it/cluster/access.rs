//! Which cluster, and as whom: every way into an API server that a kubeconfig knows.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use serde_json::{Value, json};
use trueup::cluster::{ClusterEnvironment, ClusterError, ClusterSettings};

use super::faults::serving;
use super::tls::TlsServer;
use super::{Asked, in_cluster, named, names, server, settings_of, told};
use crate::harness::{Reply, TestCluster, config_map, or_skip};

/// A folder with kubeconfigs for one API server.
struct Kubeconfigs {
    folder: tempfile::TempDir,
    cluster: Value,
    token: String,
}

impl Kubeconfigs {
    /// The cluster's entry and the administrator's token, taken from the harness' own kubeconfig.
    fn of(cluster: &TestCluster) -> Self {
        let kubeconfig: Value = serde_json::from_str(&fs::read_to_string(cluster.kubeconfig()).unwrap()).unwrap();
        Self {
            folder: tempfile::tempdir().unwrap(),
            cluster: kubeconfig["clusters"][0]["cluster"].clone(),
            token: kubeconfig["users"][0]["user"]["token"].as_str().unwrap().to_owned(),
        }
    }

    fn write(&self, name: &str, value: &Value) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, value.to_string()).unwrap();
        path
    }

    fn write_text(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// One context, `main`, with this user.
    fn with_user(&self, user: &Value) -> Asked {
        let path = self.write(
            "kubeconfig",
            &json!({
                "current-context": "main",
                "clusters": [{ "name": "main", "cluster": self.cluster }],
                "users": [{ "name": "main", "user": user }],
                "contexts": [{ "name": "main", "context": { "cluster": "main", "user": "main" } }],
            }),
        );
        Asked::with(ClusterSettings { kubeconfig: Some(path), ..ClusterSettings::default() })
    }

    /// A credential plugin: a script that prints this.
    fn plugin(&self, name: &str, script: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

fn exec(command: &Path) -> Value {
    json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": command, "interactiveMode": "Never",
        "args": ["--password=s3cret-argument"], "env": [{ "name": "ANSWER", "value": "42" }],
    } })
}

/// Files of `KUBECONFIG` are merged: the first to say something wins, and one that is not there is no fault.
#[test]
fn the_files_of_kubeconfig_are_merged() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(config_map("settings"));
    let files = Kubeconfigs::of(&cluster);
    let first = files.write("first", &json!({
        "current-context": "main", "contexts": [{ "name": "main", "context": { "cluster": "shop", "user": "admin" } }],
    }));
    let second = files.write(
        "second",
        &json!({
            "current-context": "ignored",
            "clusters": [{ "name": "shop", "cluster": files.cluster }],
            "users": [{ "name": "admin", "user": { "token": files.token } }],
            "contexts": [{ "name": "main", "context": { "cluster": "nowhere", "user": "nobody" } }],
        }),
    );
    let missing = files.folder.path().join("missing");
    let environment = ClusterEnvironment::read(|name| {
        (name == "KUBECONFIG").then(|| std::env::join_paths([&missing, &first, &second]).unwrap())
    });
    let asked = Asked::with(ClusterSettings { environment, ..ClusterSettings::default() });

    assert!(names(&asked.list("v1", "ConfigMap", Some(cluster.name())).unwrap()).contains(&"settings"));
    assert_eq!(asked.cluster().name(), cluster.server());
}

/// Tokens come from the kubeconfig, from a file (whose last line break is none of the token), or from a plugin.
#[test]
fn tokens_files_and_plugins_log_in() {
    let cluster = or_skip!(TestCluster::namespace());
    let files = Kubeconfigs::of(&cluster);
    fs::write(files.folder.path().join("token"), format!("{}\n", files.token)).unwrap();
    let credential = format!(
        r#"[ "$ANSWER" = 42 ] && echo '{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{{"token":"{}"}}}}'"#,
        files.token
    );
    let plugin = files.plugin("plugin", &credential);
    for user in [
        json!({ "token": files.token }),
        json!({ "tokenFile": "token" }),
        json!({ "tokenFile": "token", "token": "an old one" }),
        exec(&plugin),
        exec(Path::new("./plugin")),
    ] {
        let asked = files.with_user(&user);
        assert!(asked.kinds().is_ok(), "{user}: {:?}", asked.kinds());
    }
}

/// A client certificate of the kubeconfig, or of a plugin, is shown to the server.
#[test]
fn a_client_certificate_is_shown() {
    let cluster = or_skip!(TestCluster::namespace());
    let mut files = Kubeconfigs::of(&cluster);
    // The API server's own certificate and key serve both sides here: any pair does.
    let pem = |name: &str| fs::read_to_string(cluster.control_plane_folder().join("certificates").join(name)).unwrap();
    let (certificate, key) = (pem("apiserver.crt"), pem("apiserver.key"));
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let credential = json!({
        "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
        "status": { "clientCertificateData": certificate, "clientKeyData": key },
    });
    let answer = files.write("answer", &credential);
    let plugin = files.plugin("plugin", &format!("cat '{}'", answer.display()));
    files.write_text("client.crt", &certificate);
    files.write_text("client.key", &key);
    for (user, shown) in [
        (json!({ "client-certificate-data": base64(&certificate), "client-key-data": base64(&key) }), true),
        (json!({ "client-certificate": "client.crt", "client-key": "client.key" }), true),
        (exec(&plugin), true),
        (json!({}), false),
    ] {
        let server = TlsServer::start(&certificate, &key);
        files.cluster["server"] = json!(server.address);

        let _refused = files.with_user(&user).kinds();

        assert_eq!(server.was_shown_a_certificate(), shown);
    }
}

/// The plugin runs once for a run, however many requests there are.
#[test]
fn a_plugin_runs_once() {
    let cluster = or_skip!(TestCluster::namespace());
    let files = Kubeconfigs::of(&cluster);
    let runs = files.folder.path().join("runs");
    let script = format!(
        r#"echo x >>'{}'; printf 'kind: ExecCredential\napiVersion: client.authentication.k8s.io/v1\nstatus: {{token: "{}"}}\n'"#,
        runs.display(),
        files.token
    );
    let asked = files.with_user(&exec(&files.plugin("plugin", &script)));

    asked.list("v1", "ConfigMap", Some(cluster.name())).unwrap();

    assert_eq!(fs::read_to_string(runs).unwrap(), "x\n");
}

/// A token that expired meanwhile is renewed, once, by running the plugin again.
#[test]
fn an_expired_token_is_renewed() {
    let cluster = or_skip!(TestCluster::namespace());
    let files = Kubeconfigs::of(&cluster);
    let ran = files.folder.path().join("ran");
    let script = format!(
        r#"if [ -e '{0}' ]; then t='{1}'; else t=expired; touch '{0}'; fi
echo "{{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{{\"token\":\"$t\"}}}}""#,
        ran.display(),
        files.token
    );

    assert!(files.with_user(&exec(&files.plugin("plugin", &script))).kinds().is_ok());
}

/// Tokens of minutes end again and again while somebody waits for an hour: each time there is a new one.
#[test]
fn a_token_is_renewed_as_often_as_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (token, seen) = (folder.path().join("token"), AtomicUsize::new(0));
    fs::write(&token, "one").unwrap();
    // Every second request comes with a token that has just ended.
    let front = serving(move |_path| {
        let is_ended = seen.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        Reply::json(if is_ended { 401 } else { 200 }, &json!({ "metadata": {}, "items": [] }))
    });
    let mut kubeconfig: Value = serde_json::from_slice(&fs::read(front.kubeconfig()).unwrap()).unwrap();
    kubeconfig["users"][0]["user"] = json!({ "tokenFile": token });
    let file = folder.path().join("kubeconfig");
    fs::write(&file, kubeconfig.to_string()).unwrap();
    let asked = Asked::with(ClusterSettings { kubeconfig: Some(file), ..ClusterSettings::default() });

    for _ in 0..3 {
        assert_eq!(asked.list("v1", "ConfigMap", None), Ok(Vec::new()));
    }
    assert_eq!(asked.requests().list, 6);
}

/// A plugin that fails says why, and shows neither its output nor its arguments.
#[test]
fn a_failing_plugin_is_an_error_without_secrets() {
    let cluster = or_skip!(TestCluster::namespace());
    let files = Kubeconfigs::of(&cluster);
    for (script, problem) in [
        (
            "echo s3cret-output; echo 'no session, log in first' >&2; exit 3",
            "fails with status 3: no session, log in first",
        ),
        ("echo s3cret-output", "prints no ExecCredential"),
        (r#"echo '{"kind":"ExecCredential","apiVersion":"v9","status":{"token":"s3cret"}}'"#, "does not support"),
        (
            r#"echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"}'"#,
            "returns neither a token nor a certificate",
        ),
    ] {
        let error = files.with_user(&exec(&files.plugin("plugin", script))).kinds().unwrap_err();
        assert!(matches!(error, ClusterError::ExecPlugin { .. }), "{error:?}");
        let told = told(&error);
        assert!(
            told.contains(problem) && !told.contains("s3cret") && !format!("{error:?}").contains("s3cret"),
            "{told}"
        );
    }
    let mut missing = exec(Path::new("no-such-plugin"));
    missing["exec"]["installHint"] = json!("install it with `shop-cli setup`");
    let error = files.with_user(&missing).kinds().unwrap_err();
    assert_eq!(
        told(&error),
        "cluster main: the credential plugin `no-such-plugin` is not installed\nhelp: install it with `shop-cli setup`"
    );
}

/// The flags' user and groups are impersonated, and their rights hold.
#[test]
fn the_impersonated_users_rights_hold() {
    let cluster = or_skip!(TestCluster::namespace());
    let as_user = |user: &str, groups: &[&str]| {
        Asked::with(ClusterSettings {
            impersonate: Some(user.to_owned()),
            impersonate_groups: groups.iter().map(|&group| group.to_owned()).collect(),
            ..settings_of(&cluster)
        })
    };

    let error = as_user("guest", &[]).list("v1", "ConfigMap", Some(cluster.name())).unwrap_err();
    assert!(error.to_string().contains("`guest` cannot list `configmaps`"), "{error}");
    let masters = as_user("guest", &["developers", "system:masters"]);
    assert!(masters.list("v1", "ConfigMap", Some(cluster.name())).is_ok());
}

/// In a pod without a kubeconfig, the pod's own service account is used.
#[test]
fn a_pod_uses_its_service_account() {
    let cluster = or_skip!(TestCluster::namespace());
    let files = Kubeconfigs::of(&cluster);
    fs::write(files.folder.path().join("token"), &files.token).unwrap();
    fs::copy(files.cluster["certificate-authority"].as_str().unwrap(), files.folder.path().join("ca.crt")).unwrap();
    let (host, port) = cluster.server().strip_prefix("https://").unwrap().split_once(':').unwrap();
    let environment = ClusterEnvironment {
        service: Some((host.to_owned(), port.to_owned())),
        service_account: files.folder.path().to_owned(),
        ..ClusterEnvironment::default()
    };
    let asked = Asked::with(ClusterSettings { environment, ..ClusterSettings::default() });

    assert!(asked.kinds().is_ok(), "{:?}", asked.kinds());
    assert_eq!(asked.clusters.find(&server(cluster.server())).unwrap().name(), cluster.server());
}

/// Applications that mean one cluster in several ways share one client: discovery is asked once.
#[test]
fn one_cluster_is_connected_to_once() {
    let cluster = or_skip!(TestCluster::namespace());
    let asked = Asked::of(&cluster);
    let ways = [
        in_cluster(),
        server("https://kubernetes.default.svc/"),
        server(&format!("{}/", cluster.server().to_uppercase().replace("HTTPS", "https"))),
        named(cluster.context()),
    ];
    for way in &ways {
        let found = asked.clusters.find(way).unwrap();
        asked.runtime.block_on(found.kinds()).unwrap();
    }
    assert_eq!((asked.clusters.found().len(), asked.requests().discovery), (1, 3));
}

/// No kubeconfig, no pod: the error says where was looked and that a folder would do.
#[test]
fn without_any_configuration_the_error_says_what_to_do() {
    let asked = Asked::with(ClusterSettings::default());
    let Err(error) = asked.clusters.find(&in_cluster()) else { panic!("there is no cluster") };
    assert_eq!(
        told(&error),
        "destination in-cluster: no cluster is configured here: no kubeconfig was found, and this is not a pod with a service account\n\
         help: name one with --context or --kubeconfig; `--live DIR` compares with a folder instead"
    );
}

/// A kubeconfig that cannot be read names its file and line, and never shows a value.
#[test]
fn a_broken_kubeconfig_is_an_error_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kubeconfig");
    for (text, problem) in [
        ("users: [\n", "line "),
        ("users: [{name: a, user: {token: {s3cret: x}}}]", "a field has the wrong type, expected"),
        ("users: s3cret", "a field has the wrong type, expected"),
        ("contexts: [{context: {cluster: s3cret}}]", "missing field `name`"),
    ] {
        fs::write(&file, text).unwrap();
        let asked = Asked::with(ClusterSettings { kubeconfig: Some(file.clone()), ..ClusterSettings::default() });
        let Err(error) = asked.clusters.find(&in_cluster()) else { panic!("{text} is read") };
        let told = told(&error);
        assert!(told.contains(problem) && told.contains("kubeconfig") && !told.contains("s3cret"), "{text}: {told}");
    }
    fs::remove_file(&file).unwrap();
    let asked = Asked::with(ClusterSettings { kubeconfig: Some(file), ..ClusterSettings::default() });
    let Err(error) = asked.clusters.find(&in_cluster()) else { panic!("a missing file is read") };
    assert!(error.to_string().ends_with("the file does not exist"), "{error}");
}
