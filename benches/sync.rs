//! How long a sync of 1,000 objects takes, the first time and when nothing is to do, side by side with
//! `kubectl apply --server-side`. Run with `cargo bench --bench sync`; docs/benchmarks.md records what came of it.
#![expect(clippy::disallowed_methods, reason = "a benchmark starts programs and reads the environment")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(dead_code, unused_imports, unused_macros, reason = "the harness is made for the tests")]

#[path = "../tests/it/harness/mod.rs"]
mod harness;
mod timing;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::{Missing, TestApplication, TestCluster, TestRepo, config_map, deployment};
use timing::{print, ratio, sorted, timed};
use trueup::app::project::{CheckedResource, DestinationCluster, ProjectLookup, ProjectScoped, Projects};
use trueup::app::{Given, ManifestText};

/// How often the first sync is made, each time in a namespace of its own.
const FIRST_SYNCS: usize = 3;
/// How often a sync with nothing to do is made.
const SECOND_SYNCS: usize = 10;

fn main() {
    print("project checks of 10,000 objects", &project_checks());
    let git = TestRepo::new().file("all.yaml", a_thousand_objects()).commit("a thousand objects");
    let measured = (|| {
        let ours = ours(&git)?;
        let theirs = theirs(&git)?;
        Ok::<_, Missing>((ours, theirs))
    })();
    let ((first, second), (their_first, their_second)) = match measured {
        Ok(measured) => measured,
        Err(missing) => return println!("1,000 objects: not measured: {missing}"),
    };
    print("trueup sync, 1,000 objects, the first time", &first);
    print("kubectl apply --server-side, the same", &their_first);
    println!("{:>12.1} times as long as trueup", ratio(&their_first, &first));
    print("trueup sync, nothing to do", &second);
    print("kubectl apply --server-side, nothing to do", &their_second);
    println!("{:>12.1} times as long as trueup", ratio(&their_second, &second));
}

/// A project with lists of every kind, and objects of 50 kinds in 100 namespaces.
fn project_checks() -> Vec<Duration> {
    let entries = |count: usize, entry: &dyn Fn(usize) -> String| (0..count).map(entry).collect::<String>();
    let manifest = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{name: team}}\nspec:\n  destinations:\n{}  \
         namespaceResourceWhitelist:\n{}  namespaceResourceBlacklist:\n{}",
        entries(50, &|number| format!("  - {{server: 'https://*.example.com', namespace: 'team-{number}*'}}\n")),
        entries(50, &|number| format!("  - {{group: '*', kind: 'Kind{number}*'}}\n")),
        entries(50, &|number| format!("  - {{group: 'group-{number}', kind: 'Forbidden*'}}\n")),
    );
    let given = ManifestText {
        name: "team.yaml".to_owned(),
        bytes: manifest.into(),
        folder: ".".into(),
        given: Given::InFolder,
    };
    let projects = Projects::new(trueup::app::read(&[given]).projects);
    let ProjectLookup::Found(rules) = projects.rules("team", &[], &ProjectScoped::default()) else {
        panic!("the project is right");
    };
    let texts: Vec<[String; 4]> = (0..10_000)
        .map(|number| {
            let (kind, namespace) = (number % 50, number % 100);
            [format!("group-{kind}"), format!("Kind{kind}"), format!("team-{namespace}"), format!("object-{number}")]
        })
        .collect();
    let cluster = DestinationCluster { server: "https://prod.example.com".to_owned(), name: String::new() };
    let check = || {
        let resources = texts.iter().map(|[group, kind, namespace, name]| CheckedResource {
            group,
            kind,
            namespace,
            name,
            is_namespaced: true,
        });
        let start = std::time::Instant::now();
        assert_eq!(rules.check_resources(resources, &cluster), []);
        start.elapsed()
    };
    sorted((0..20).map(|_| check()).collect())
}

/// 500 `ConfigMap`s and 500 Deployments.
fn a_thousand_objects() -> String {
    let mut manifests = String::new();
    for number in 0..500 {
        let settings = config_map(&format!("settings-{number:03}")).data("colour", "green").data("size", "20");
        let web = deployment(&format!("web-{number:03}")).replicas(2);
        let _ = write!(manifests, "---\n{settings}---\n{web}");
    }
    manifests
}

fn ours(git: &TestRepo) -> Result<(Vec<Duration>, Vec<Duration>), Missing> {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for number in 0..FIRST_SYNCS {
        let cluster = TestCluster::namespace()?;
        let shop = git.application("shop").deployed_to(&cluster);
        first.push(timed(&mut sync(&shop, &cluster)));
        if number + 1 == FIRST_SYNCS {
            second = (0..SECOND_SYNCS).map(|_| timed(&mut sync(&shop, &cluster))).collect();
        }
    }
    Ok((sorted(first), sorted(second)))
}

fn sync(shop: &TestApplication, cluster: &TestCluster) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
    command.args(["sync", "-y", "-q"]).arg(shop.manifest()).env("KUBECONFIG", cluster.kubeconfig());
    command
}

fn theirs(git: &TestRepo) -> Result<(Vec<Duration>, Vec<Duration>), Missing> {
    let kubectl = harness::program("kubectl")?;
    let file = git.path().join("all.yaml");
    let apply = |cluster: &TestCluster| {
        let mut command = Command::new(&kubectl);
        command.args(["apply", "--server-side", "-f"]).arg(&file).env("KUBECONFIG", cluster.kubeconfig());
        command
    };
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for _ in 0..FIRST_SYNCS {
        let cluster = TestCluster::namespace()?;
        first.push(timed(&mut apply(&cluster)));
        second.push(timed(&mut apply(&cluster)));
    }
    Ok((sorted(first), sorted(second)))
}
