//! How long a whole run takes: start-up, the example on a folder, and 1,000 objects on a real API server side by side with
//! `kubectl diff`. Run with `cargo bench --bench diff`; docs/benchmarks.md records what came of it.
#![expect(clippy::disallowed_methods, reason = "a benchmark starts programs and reads the environment")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(dead_code, unused_imports, unused_macros, reason = "the harness is made for the tests")]

#[path = "../tests/it/harness/mod.rs"]
mod harness;

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{TestCluster, TestRepo, config_map, deployment};

fn main() {
    start_up();
    example_on_a_folder();
    match TestCluster::namespace() {
        Ok(cluster) => a_thousand_objects(&cluster),
        Err(missing) => println!("1,000 objects: not measured: {missing}"),
    }
}

fn start_up() {
    let times = repeat(50, || command(&["--version"]));
    print("trueup --version", &times);
}

fn example_on_a_folder() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/guestbook");
    let (manifest, live) = (example.join("app.yaml"), example.join("live"));
    let arguments = ["diff", "-q", &manifest.to_string_lossy(), "--live", &live.to_string_lossy()].map(str::to_owned);
    let times = repeat(20, || command(&arguments.each_ref().map(String::as_str)));
    print("trueup diff, guestbook on a folder", &times);
}

/// 500 `ConfigMap`s and 500 Deployments, all in sync.
fn a_thousand_objects(cluster: &TestCluster) {
    let mut manifests = String::new();
    for number in 0..500 {
        let settings = config_map(&format!("settings-{number:03}")).data("colour", "green").data("size", "20");
        let web = deployment(&format!("web-{number:03}")).replicas(2);
        let _ = write!(manifests, "---\n{settings}---\n{web}");
    }
    let git = TestRepo::new().file("all.yaml", &manifests).commit("a thousand objects");
    let shop = git.application("shop").deployed_to(cluster);
    let file = git.path().join("all.yaml").to_string_lossy().into_owned();
    cluster.kubectl(["apply", "--server-side", "-f", &file]);
    let kubeconfig = cluster.kubeconfig().to_owned();

    let manifest = shop.manifest().to_string_lossy().into_owned();
    let ours = repeat(10, || {
        let mut run = command(&["diff", "-q", &manifest]);
        run.env("KUBECONFIG", &kubeconfig);
        run
    });
    print("trueup diff, 1,000 objects in sync", &ours);
    for concurrency in ["1", "4", "16"] {
        beside(&ours, 2, &["--server-side", "--concurrency", concurrency], &file, &kubeconfig);
    }
    // Client-side it starts a child for each object and takes minutes: once is enough to know.
    beside(&ours, 1, &["--concurrency", "4"], &file, &kubeconfig);
}

/// `kubectl diff` of the same file on the same cluster, and how many times as long it takes.
fn beside(ours: &[Duration], times: usize, arguments: &[&str], file: &str, kubeconfig: &Path) {
    let kubectl = harness::program("kubectl").expect("kubectl is there");
    let theirs = repeat(times, || {
        let mut run = Command::new(&kubectl);
        run.args(["diff", "-f", file]).args(arguments).env("KUBECONFIG", kubeconfig);
        run
    });
    print(&format!("kubectl diff {}", arguments.join(" ")), &theirs);
    println!("{:>12.1} times as long as trueup", median(&theirs).as_secs_f64() / median(ours).as_secs_f64());
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
    command.args(arguments);
    command
}

/// Wall-clock times of whole runs, the first one (cold files) left out.
fn repeat(times: usize, command: impl Fn() -> Command) -> Vec<Duration> {
    let run = || {
        let mut command = command();
        let start = Instant::now();
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it can be started");
        assert!(matches!(status.code(), Some(0 | 1)), "{command:?} ended with {status}");
        start.elapsed()
    };
    run();
    let mut times: Vec<Duration> = (0..times).map(|_| run()).collect();
    times.sort();
    times
}

fn median(times: &[Duration]) -> Duration {
    times[times.len() / 2]
}

fn print(what: &str, times: &[Duration]) {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{:>9.1} ms   {what}   (fastest {:.1} ms, of {})",
        milliseconds(median(times)),
        milliseconds(times[0]),
        times.len()
    );
}
