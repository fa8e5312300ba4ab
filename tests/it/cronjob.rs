//! examples/cronjob: what its README promises, held against a real API server.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{TestCluster, folder_with, or_skip, trueup};

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

/// The pull loop's own command line under its own account: it brings, heals and prunes, and a turn with nothing to do writes
/// nothing.
#[test]
fn the_pull_loop_syncs_with_no_more_rights_than_its_role_has() {
    let cluster = or_skip!(TestCluster::with_controllers());
    cluster.kubectl(["create", "namespace", "guestbook"]);
    cluster.kubectl(["apply", "-k", repository("examples/cronjob/reconcile").to_str().unwrap()]);
    let job = json(&cluster.kubectl(["get", "cronjob", "reconcile", "-n", "trueup", "-o", "json"]));
    assert_eq!(job["spec"]["concurrencyPolicy"], "Forbid");
    let run = AsTheJob::new(&cluster, &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]);

    run.now().exits(0);
    cluster.kubectl(["get", "deployment/frontend", "configmap/trueup-guestbook", "-n", "guestbook"]);

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

/// The container's arguments, run as its account, on files as Kubernetes mounts them: through links and a hidden folder.
struct AsTheJob {
    arguments: Vec<String>,
    account: PathBuf,
    _folders: [tempfile::TempDir; 2],
}

impl AsTheJob {
    fn new(cluster: &TestCluster, pod: &Value) -> Self {
        let name = pod["volumes"][0]["configMap"]["name"].as_str().expect("the first volume has the Applications");
        let maps = json(&cluster.kubectl(["get", "configmaps", "-n", "trueup", "-o", "json"]));
        let maps = maps["items"].as_array().expect("a list").clone();
        // kustomize adds a hash to the name, here and there.
        let applications = maps.iter().find(|map| map["metadata"]["name"] == name).expect("it is there");
        let text = applications["data"]["guestbook.yaml"].as_str().unwrap().to_owned();
        let mounted = folder_with([("..2026_01_02_03_04_05.123456789/guestbook.yaml", &text)]);
        symlink("..2026_01_02_03_04_05.123456789", mounted.path().join("..data")).unwrap();
        symlink("..data/guestbook.yaml", mounted.path().join("guestbook.yaml")).unwrap();
        let cache = folder_with([]);
        let arguments = pod["containers"][0]["args"].as_array().expect("arguments").iter().map(|argument| {
            let argument = argument.as_str().expect("an argument is text");
            let argument = argument.replace("/applications", mounted.path().to_str().unwrap());
            argument.replace("/cache", cache.path().to_str().unwrap())
        });
        let checkout = format!("--repo=https://github.com/trueup-dev/trueup={}", repository("").display());
        let arguments = arguments.chain([checkout, "-o=json".to_owned()]).collect();
        let account = cluster.kubeconfig_of("trueup", pod["serviceAccountName"].as_str().expect("it has one"));
        Self { arguments, account, _folders: [mounted, cache] }
    }

    fn now(&self) -> crate::harness::Run {
        trueup([]).arguments(self.arguments.iter().cloned()).kubeconfig(&self.account)
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("kubectl prints JSON")
}

fn repository(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}
