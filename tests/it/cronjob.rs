//! examples/cronjob: what its README promises, held against a real API server.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::harness::{TestCluster, folder_with, or_skip, program, trueup};

/// The account reads what an Application may hold and nothing else, and the job's own command line finds the drift.
#[test]
fn the_cronjob_reports_drift_and_cannot_write() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.kubectl(["create", "namespace", "guestbook"]);
    cluster.kubectl(["apply", "-k", repository("examples/cronjob").to_str().unwrap()]);

    assert_rights(&cluster);

    let job = json(&cluster.kubectl(["get", "cronjob", "drift", "-n", "trueup", "-o", "json"]));
    assert_eq!(job["spec"]["concurrencyPolicy"], "Forbid");
    let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
    assert_eq!(pod["serviceAccountName"], "drift");
    assert_diff_works(&cluster, pod);
}

/// The pull loop's own command line under its own account: it fetches the Applications, one of a Helm chart among them, applies,
/// heals and prunes, and a turn with nothing to do writes nothing.
#[test]
fn the_pull_loop_syncs_with_no_more_rights_than_its_role_has() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let helm = or_skip!(program("helm4"));
    cluster.kubectl(["create", "namespace", "guestbook"]);
    cluster.kubectl(["apply", "-k", repository("examples/cronjob/reconcile").to_str().unwrap()]);
    let job = json(&cluster.kubectl(["get", "cronjob", "reconcile", "-n", "trueup", "-o", "json"]));
    assert_eq!(job["spec"]["concurrencyPolicy"], "Forbid");
    let run = AsTheJob::new(&cluster, &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]).with_helm(&helm);
    assert!(run.arguments.iter().any(|argument| argument.starts_with("--apps-from=https://")), "{:?}", run.arguments);
    assert!(run.environment.iter().any(|(name, _)| name == "TRUEUP_GIT_HOST"), "{:?}", run.environment);

    run.now().exits(0);
    cluster.kubectl(["get", "deployment/frontend", "configmap/trueup-guestbook", "-n", "guestbook"]);
    let greeting = ["get", "configmap/hello", "-n", "guestbook", "-o", "jsonpath={.data.greeting}"];
    assert_eq!(cluster.kubectl(greeting), "hello from git");

    cluster.kubectl(["scale", "deployment/frontend", "-n", "guestbook", "--replicas=7"]);
    run.now().exits(0);
    let replicas = ["get", "deployment/frontend", "-n", "guestbook", "-o", "jsonpath={.spec.replicas}"];
    assert_eq!(cluster.kubectl(replicas), "2");

    let idle = run.now().exits(0).json();
    assert_eq!(idle["requests"]["write"], 0, "{idle:#}");
}

fn assert_rights(cluster: &TestCluster) {
    let cases = [
        (true, "list deployments.apps", "guestbook"),
        (true, "get configmaps", "guestbook"),
        (true, "list poddisruptionbudgets.policy", "guestbook"),
        (true, "list secrets", "guestbook"),
        (false, "list secrets", "trueup"),
        (false, "update secrets", "guestbook"),
        (false, "create deployments.apps", "guestbook"),
        (false, "patch deployments.apps", "guestbook"),
        (false, "delete configmaps", "guestbook"),
        (false, "list deployments.apps", "default"),
        (false, "patch configmaps", "trueup"),
        (false, "list nodes", "guestbook"),
    ];
    for (expected, right, namespace) in cases {
        let (verb, resource) = right.split_once(' ').unwrap();
        let who = "--as=system:serviceaccount:trueup:drift";
        let asked = ["auth", "can-i", verb, resource, who, "-n", namespace];
        let answer = cluster.try_kubectl(cluster.kubeconfig(), &asked, "");
        let answer = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        assert_eq!(answer, if expected { "yes" } else { "no" }, "{right} in {namespace}");
    }
}

fn assert_diff_works(cluster: &TestCluster, pod: &Value) {
    let run = AsTheJob::new(cluster, pod);

    let missing = run.now().exits(1).json();
    assert_eq!(missing["summary"]["missing"], missing["applications"][0]["resources"].as_array().unwrap().len());

    let manifests = repository("examples/guestbook/manifests");
    cluster.kubectl(["apply", "-n", "guestbook", "-f", manifests.to_str().unwrap()]);
    run.now().exits(0);

    cluster.kubectl(["scale", "deployment/frontend", "-n", "guestbook", "--replicas=7"]);
    assert_eq!(run.now().exits(1).json()["summary"]["changed"], 1);
}

/// The container's arguments and environment, run as its account, on files as Kubernetes mounts them: through links and a
/// hidden folder.
struct AsTheJob {
    arguments: Vec<String>,
    environment: Vec<(String, OsString)>,
    account: PathBuf,
    folders: [tempfile::TempDir; 2],
}

impl AsTheJob {
    fn new(cluster: &TestCluster, pod: &Value) -> Self {
        let mounted = applications(cluster, pod);
        let cache = folder_with([]);
        let container = &pod["containers"][0];
        let arguments = container["args"].as_array().expect("arguments").iter().map(|argument| {
            let argument = argument.as_str().expect("an argument is text");
            let argument = argument.replace("=/cache", &format!("={}", cache.path().display()));
            if argument == "/applications" { mounted.path().display().to_string() } else { argument }
        });
        let checkout = format!("--repo=https://github.com/trueup-dev/trueup={}", repository("").display());
        let arguments = arguments.chain([checkout, "-o=json".to_owned()]).collect();
        let account = cluster.kubeconfig_of("trueup", pod["serviceAccountName"].as_str().expect("it has one"));
        let environment = secrets(cluster, container);
        Self { arguments, environment, account, folders: [mounted, cache] }
    }

    /// As the image has it: on `PATH`.
    fn with_helm(mut self, helm: &Path) -> Self {
        let folder = &self.folders[1].path().join("bin");
        std::fs::create_dir_all(folder).unwrap();
        symlink(helm, folder.join("helm")).unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(folder.clone()).chain(std::env::split_paths(&path))).unwrap();
        self.environment.push(("PATH".to_owned(), path));
        self
    }

    fn now(&self) -> crate::harness::Run {
        let run = trueup([]).arguments(self.arguments.iter().cloned()).kubeconfig(&self.account);
        self.environment.iter().fold(run, |run, (name, value)| run.env(name, value))
    }
}

/// The Applications of the pod's `ConfigMap`, if it has one.
fn applications(cluster: &TestCluster, pod: &Value) -> tempfile::TempDir {
    let mounted = folder_with([]);
    let Some(name) = pod["volumes"][0]["configMap"]["name"].as_str() else { return mounted };
    let maps = json(&cluster.kubectl(["get", "configmaps", "-n", "trueup", "-o", "json"]));
    let maps = maps["items"].as_array().expect("a list").clone();
    // kustomize adds a hash to the name, here and there.
    let applications = maps.iter().find(|map| map["metadata"]["name"] == name).expect("it is there");
    let text = applications["data"]["guestbook.yaml"].as_str().unwrap();
    let hidden = "..2026_01_02_03_04_05.123456789";
    std::fs::create_dir(mounted.path().join(hidden)).unwrap();
    std::fs::write(mounted.path().join(hidden).join("guestbook.yaml"), text).unwrap();
    symlink(hidden, mounted.path().join("..data")).unwrap();
    symlink("..data/guestbook.yaml", mounted.path().join("guestbook.yaml")).unwrap();
    mounted
}

/// The environment that the container has from Secrets.
fn secrets(cluster: &TestCluster, container: &Value) -> Vec<(String, OsString)> {
    let sources = container["envFrom"].as_array().cloned().unwrap_or_default();
    let secret = |source: Value| {
        let name = source["secretRef"]["name"].as_str().expect("a Secret").to_owned();
        json(&cluster.kubectl(["get", "secret", &name, "-n", "trueup", "-o", "json"]))["data"].take()
    };
    let data = sources.into_iter().flat_map(|source| secret(source).as_object().cloned().unwrap_or_default());
    let decoded = data.map(|(key, value)| {
        let value = STANDARD.decode(value.as_str().expect("base64")).expect("base64");
        (key, OsString::from(String::from_utf8(value).expect("text")))
    });
    decoded.collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("kubectl prints JSON")
}

fn repository(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}
