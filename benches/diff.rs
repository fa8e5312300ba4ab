//! How long a whole run takes, and how much memory: start-up, the example on a folder, 1,000 objects on a real API server side
//! by side with `kubectl diff`, in sync and with 20 drifted, and 10,000 objects. Run with `cargo bench --bench diff`, or some of
//! it with `cargo bench --bench diff -- drifted`; docs/benchmarks.md records what came of it.
#![expect(clippy::disallowed_methods, reason = "a benchmark starts programs and reads the environment")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(dead_code, unused_imports, unused_macros, reason = "the harness is made for the tests")]

#[path = "../tests/it/harness/mod.rs"]
mod harness;
mod timing;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::{TestApplication, TestCluster, TestRepo, config_map, deployment};
use timing::{cpu_time, peak_memory, print, ratio, repeat};

type Measurement = (&'static str, fn());

const MEASUREMENTS: [Measurement; 5] = [
    ("start-up", start_up),
    ("example", example_on_a_folder),
    ("in-sync", a_thousand_in_sync),
    ("drifted", twenty_drifted_of_a_thousand),
    ("large", ten_thousand_objects),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, measure) in MEASUREMENTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
            measure();
        }
    }
}

fn start_up() {
    let times = repeat(50, |_| command(&["--version"]));
    print("trueup --version", &times);
}

fn example_on_a_folder() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/guestbook");
    let (manifest, live) = (example.join("app.yaml"), example.join("live"));
    let arguments = ["diff", "-q", &manifest.to_string_lossy(), "--live", &live.to_string_lossy()].map(str::to_owned);
    let times = repeat(20, |_| command(&arguments.each_ref().map(String::as_str)));
    print("trueup diff, guestbook on a folder", &times);
}

/// As many `ConfigMap`s as Deployments in git and, as git has them, in a namespace of their own.
struct Shop {
    cluster: TestCluster,
    git: TestRepo,
    application: TestApplication,
}

impl Shop {
    fn of(objects: usize) -> Option<Self> {
        let cluster = match TestCluster::namespace() {
            Ok(cluster) => cluster,
            Err(missing) => {
                println!("{objects} objects: not measured: {missing}");
                return None;
            }
        };
        let mut manifests = String::new();
        for number in 0..objects / 2 {
            let settings = config_map(&format!("settings-{number:04}")).data("colour", "green").data("size", "20");
            let web = deployment(&format!("web-{number:04}")).replicas(2);
            let _ = write!(manifests, "---\n{settings}---\n{web}");
        }
        let git = TestRepo::new().file("all.yaml", &manifests).commit("many objects");
        let application = git.application("shop").deployed_to(&cluster);
        let this = Self { cluster, git, application };
        this.cluster.kubectl([
            "apply",
            "--server-side",
            "--field-manager=trueup",
            "-f",
            &this.file().to_string_lossy(),
        ]);
        Some(this)
    }

    fn file(&self) -> PathBuf {
        self.git.path().join("all.yaml")
    }

    fn diff(&self, arguments: &[&str]) -> Command {
        let mut run = command(&["diff"]);
        run.args(arguments).arg(self.application.manifest()).env("KUBECONFIG", self.cluster.kubeconfig());
        run
    }

    /// From now on there is a record of a sync, as for every application that trueup looks after.
    fn sync(&self) {
        let mut sync = command(&["sync", "-y", "-q"]);
        sync.arg(self.application.manifest()).env("KUBECONFIG", self.cluster.kubeconfig());
        let output = sync.output().expect("it can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// What one run asks of the API server, and how much memory it takes.
    fn report_costs(&self) {
        let output = self.diff(&["-q", "-o", "json"]).output().expect("it can be started");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it writes JSON");
        println!("{:>12} requests: {}", "", report["requests"]);
        println!("{:>12} peak memory: {} MB", "", peak_memory(self.diff(&["-q"])) / 1024);
        println!("{:>12} CPU time: {:.0} ms", "", cpu_time(20, || self.diff(&["-q"])).as_secs_f64() * 1000.0);
    }

    /// `kubectl diff` of the same file on the same cluster, and how many times as long it takes.
    fn beside(&self, ours: &[Duration], times: usize, arguments: &[&str]) {
        let kubectl = harness::program("kubectl").expect("kubectl is there");
        let theirs = repeat(times, |_| {
            let mut run = Command::new(&kubectl);
            run.args(["diff", "-f"]).arg(self.file()).args(arguments).env("KUBECONFIG", self.cluster.kubeconfig());
            run
        });
        print(&format!("kubectl diff {}", arguments.join(" ")), &theirs);
        println!("{:>12.1} times as long as trueup", ratio(&theirs, ours));
    }
}

fn a_thousand_in_sync() {
    let Some(shop) = Shop::of(1_000) else { return };
    let before = repeat(10, |_| shop.diff(&["-q"]));
    print("trueup diff, 1,000 objects in sync, never synced by trueup", &before);
    shop.report_costs();
    shop.sync();
    let ours = repeat(20, |_| shop.diff(&["-q"]));
    print("trueup diff, 1,000 objects in sync, after a sync", &ours);
    shop.report_costs();
    for concurrency in ["1", "4", "16"] {
        shop.beside(&ours, 2, &["--server-side", "--concurrency", concurrency]);
    }
    // Client-side it starts a child for each object and takes minutes: once is enough to know.
    shop.beside(&ours, 1, &["--concurrency", "4"]);
}

fn twenty_drifted_of_a_thousand() {
    let Some(shop) = Shop::of(1_000) else { return };
    shop.sync();
    for number in 0..10 {
        shop.cluster.kubectl(["scale", &format!("deployment/web-{number:04}"), "--replicas=3"]);
        let patch = r#"{"data": {"colour": "red"}}"#;
        shop.cluster.kubectl(["patch", &format!("configmap/settings-{number:04}"), "--type=merge", "-p", patch]);
    }
    let ours = repeat(10, |_| shop.diff(&["-q"]));
    print("trueup diff, 1,000 objects, 20 of them drifted", &ours);
    shop.report_costs();
    for concurrency in ["1", "4"] {
        shop.beside(&ours, 1, &["--server-side", "--force-conflicts", "--concurrency", concurrency]);
    }
}

fn ten_thousand_objects() {
    let (Some(small), Some(large)) = (Shop::of(1_000), Shop::of(10_000)) else { return };
    small.sync();
    large.sync();
    let of_small = repeat(10, |_| small.diff(&["-q"]));
    print("trueup diff, 1,000 objects in sync", &of_small);
    small.report_costs();
    let of_large = repeat(5, |_| large.diff(&["-q"]));
    print("trueup diff, 10,000 objects in sync", &of_large);
    large.report_costs();
    println!("{:>12.1} times as long for 10 times as many", ratio(&of_large, &of_small));
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
    command.args(arguments);
    command
}
