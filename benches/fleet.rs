//! How long one run takes for 1, 20, 100 and 1,000 applications of Argo CD's example guestbook, how much memory, and how many LISTs:
//! first tracked by Argo CD, then by trueup. Run with `cargo bench --bench fleet`, or some of it with
//! `cargo bench --bench fleet -- 1 20`; docs/benchmarks.md records what came of it.
//!
//! Beside it, if `TRUEUP_BENCH_ARGOCD` names the program `argocd`, what Argo CD takes for the same verdicts
//! (`argocd admin app get-reconcile-results`); see docs/benchmarks.md.
#![expect(clippy::disallowed_methods, reason = "a benchmark starts programs and reads the environment")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(dead_code, unused_imports, unused_macros, reason = "the harness is made for the tests")]

#[path = "../tests/it/harness/mod.rs"]
mod harness;
mod timing;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::{Missing, TestCluster, TestRepo};
use serde_json::{Value, json};
use tempfile::TempDir;
use timing::{cpu_time, median, peak_memory, print, repeat};

/// Without others on the command line.
const SIZES: [usize; 4] = [1, 20, 100, 1_000];
const RUNS: usize = 10;
/// So many objects are applied by one kubectl.
const BATCH: usize = 300;

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: guestbook-ui
spec:
  replicas: 1
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app: guestbook-ui
  template:
    metadata:
      labels:
        app: guestbook-ui
    spec:
      containers:
        - image: gcr.io/google-samples/gb-frontend:v5
          name: guestbook-ui
          ports:
            - containerPort: 80
";

const SERVICE: &str = "apiVersion: v1
kind: Service
metadata:
  name: guestbook-ui
spec:
  ports:
  - port: 80
    targetPort: 80
  selector:
    app: guestbook-ui
";

fn main() {
    let mut sizes: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    let fleet = match Fleet::of(sizes.iter().copied().max().unwrap_or_default()) {
        Ok(fleet) => fleet,
        Err(missing) => return println!("not measured: {missing}"),
    };
    fleet.apply_as_argo_cd();
    for size in &sizes {
        fleet.measure(*size, "tracked by Argo CD");
    }
    fleet.sync();
    for size in &sizes {
        fleet.measure(*size, "tracked by trueup");
    }
}

/// Applications of the guestbook, each in a namespace of its own.
struct Fleet {
    cluster: TestCluster,
    git: TestRepo,
    folder: TempDir,
    size: usize,
}

impl Fleet {
    fn of(size: usize) -> Result<Self, Missing> {
        let cluster = TestCluster::namespace()?;
        let git = TestRepo::new()
            .file("guestbook/guestbook-ui-deployment.yaml", DEPLOYMENT)
            .file("guestbook/guestbook-ui-svc.yaml", SERVICE)
            .commit("guestbook");
        let folder = tempfile::Builder::new().prefix("trueup-fleet-").tempdir().expect("a folder");
        Ok(Self { cluster, git, folder, size })
    }

    fn name(&self, number: usize) -> String {
        format!("{}-guestbook-{number}", self.cluster.name())
    }

    /// The Applications of a run, in one file.
    fn manifests(&self, size: usize) -> PathBuf {
        let path = self.folder.path().join(format!("applications-{size}.json"));
        let items: Vec<Value> = (0..size).map(|number| self.application(number)).collect();
        std::fs::write(&path, json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string())
            .expect("the folder is ours");
        path
    }

    fn application(&self, number: usize) -> Value {
        let name = self.name(number);
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {
                "project": "default",
                "source": {"repoURL": self.git.url(), "path": "guestbook", "targetRevision": "HEAD"},
                "destination": {"server": self.cluster.server(), "namespace": name},
            },
        })
    }

    /// Every object, as Argo CD applies it with tracking by annotation.
    fn apply_as_argo_cd(&self) {
        let objects: Vec<Value> = (0..self.size).flat_map(|number| self.objects(number)).collect();
        for batch in objects.chunks(BATCH) {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": batch}).to_string();
            let apply = ["apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-f", "-"];
            let applied = self.cluster.try_kubectl(self.cluster.kubeconfig(), &apply, &list);
            assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        }
    }

    fn objects(&self, number: usize) -> Vec<Value> {
        let name = self.name(number);
        let mut objects = vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})];
        for (manifest, kind) in [(DEPLOYMENT, "apps/Deployment"), (SERVICE, "/Service")] {
            let mut object = yaml(manifest);
            object["metadata"]["namespace"] = json!(name);
            let id = format!("{name}:{kind}:{name}/guestbook-ui");
            object["metadata"]["annotations"] = json!({"argocd.argoproj.io/tracking-id": id});
            objects.push(object);
        }
        objects
    }

    fn command(&self, arguments: &[&str], size: usize) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
        command.args(arguments).arg(self.manifests(size)).env("KUBECONFIG", self.cluster.kubeconfig());
        command
    }

    /// From now on trueup tracks them.
    fn sync(&self) {
        let output = self.command(&["sync", "-y", "-q", "--adopt"], self.size).output().expect("it can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn measure(&self, size: usize, tracking: &str) {
        let times = repeat(RUNS, |_| self.command(&["diff", "-q"], size));
        print(&format!("trueup diff, {size} applications {tracking}"), &times);
        let output = self.command(&["diff", "-q", "-o", "json"], size).output().expect("it can be started");
        let report: Value = serde_json::from_slice(&output.stdout).expect("it writes JSON");
        assert_eq!(report["summary"]["synced"], size, "{}", report["summary"]);
        println!("{:>12} requests: {}", "", report["requests"]);
        let memory = peak_memory(self.command(&["diff", "-q"], size)) / 1024;
        println!("{:>12} peak memory: {memory} MB", "");
        println!(
            "{:>12} CPU time: {:.0} ms",
            "",
            cpu_time(10, || self.command(&["diff", "-q"], size)).as_secs_f64() * 1000.0
        );
        let (seconds, lists) = (median(&times).as_secs_f64(), &report["requests"]["list"]);
        println!("{:>12} | {size} | {tracking} | {seconds:.2} s | {memory} MB | {lists} |", "");
    }
}

fn yaml(text: &str) -> Value {
    let read = trueup::object::yaml::read(
        text,
        &trueup::object::yaml::Limits::default(),
        trueup::object::yaml::WithPositions::No,
    );
    read.into_iter().next().and_then(Result::ok).expect("it is a manifest").value
}
