//! AppProjects: what they forbid is not synced, and sync windows are kept.

mod cron;
mod windows;

use insta::assert_snapshot;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{
    Missing, TestApplication, TestCluster, TestRepo, config_map, deployment, folder_with, or_skip, trueup,
};

/// A Deployment and a ConfigMap in git, an application of the project `team`, and the project's manifest.
struct Team {
    cluster: TestCluster,
    git: TestRepo,
    application: TestApplication,
    project: TempDir,
}

impl Team {
    fn new(spec: &str) -> Result<Self, Missing> {
        let policy = json!({"syncOptions": ["PrunePropagationPolicy=background"]});
        Ok(Self::with(TestCluster::namespace()?, spec, policy))
    }

    fn with(cluster: TestCluster, spec: &str, policy: Value) -> Self {
        let git = TestRepo::new()
            .file("shop/web.yaml", deployment("web"))
            .file("shop/settings.yaml", config_map("settings"))
            .commit("the shop");
        let application = git
            .application(cluster.name())
            .path("shop")
            .deployed_to(&cluster)
            .spec_field("project", json!("team"))
            .spec_field("syncPolicy", policy);
        Self { cluster, git, application, project: project(spec) }
    }

    fn run<const N: usize>(&self, arguments: [&str; N]) -> crate::harness::Run {
        trueup(arguments).of(&self.application).argument(self.project.path())
    }

    fn is_live(&self, kind: &str, name: &str) -> bool {
        !self.cluster.kubectl(["get", kind, name, "--ignore-not-found", "-o", "name"]).trim().is_empty()
    }

    /// Nothing of the application, and no record or lock of it.
    fn is_untouched(&self) -> bool {
        let all = self.cluster.kubectl(["get", "deployments,configmaps,leases", "-o", "name"]);
        all.lines().all(|line| line == "configmap/kube-root-ca.crt")
    }
}

/// A folder with the manifest of the project `team`.
fn project(spec: &str) -> TempDir {
    folder_with([("team.yaml", &manifest(spec))])
}

fn manifest(spec: &str) -> String {
    let spec = spec.trim().lines().map(|line| format!("  {line}\n")).collect::<Vec<_>>().concat();
    format!("apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{name: team}}\nspec:\n{spec}")
}

/// What allows everything but some kinds.
const NO_CONFIG_MAPS: &str = "
sourceRepos: ['*']
destinations:
- {server: '*', namespace: '*'}
namespaceResourceBlacklist:
- {group: '', kind: ConfigMap}
";

/// One forbidden kind, and nothing of the application is written, whoever asks; the comparison says what a sync refuses.
#[test]
fn what_the_project_forbids_is_not_synced() {
    let team = or_skip!(Team::new(NO_CONFIG_MAPS));

    let diff = team.run(["diff", "-q"]).exits(1);
    assert!(
        diff.stderr.contains("a sync is refused: project `team` does not permit `ConfigMap`"),
        "{}",
        diff.transcript()
    );
    assert!(diff.stdout.contains("settings"), "the comparison stands: {}", diff.transcript());

    let sync = team.run(["sync", "-y", "-q"]).exits(4);
    assert!(sync.stderr.contains("not synced: project `team` does not permit `ConfigMap`"), "{}", sync.transcript());
    assert!(sync.stderr.contains("team.yaml:9"), "the line of the rule: {}", sync.transcript());
    assert!(!sync.stderr.contains("a sync is refused"), "once: {}", sync.transcript());
    assert!(team.is_untouched());
    team.run(["plan"]).exits(4);

    let team = Team { project: project(&NO_CONFIG_MAPS.replace("ConfigMap", "Secret")), ..team };
    team.run(["sync", "-y"]).exits(0);
    assert!(team.is_live("configmap", "settings"));
}

/// A repository, a destination and a namespace that the project does not have.
#[test]
fn a_source_and_a_destination_have_to_be_permitted() {
    let team = or_skip!(Team::new(
        "
sourceRepos: [https://git.example.com/team/*]
destinations:
- {server: https://prod.example.com, namespace: team}
"
    ));
    let sync = team.run(["sync", "-y", "-q"]).exits(4);
    for words in ["does not permit the source", "does not permit the destination", "`sourceRepos`", "`destinations`"] {
        assert!(sync.stderr.contains(words), "{words}: {}", sync.transcript());
    }
    assert!(team.is_untouched());
}

/// The pull loop and a rollback are held to it, too.
#[test]
fn the_pull_loop_and_a_rollback_are_refused_too() {
    let team = or_skip!(Team::new("sourceRepos: ['*']\ndestinations:\n- {server: '*', namespace: '*'}\n"));
    team.run(["sync", "-y"]).exits(0);
    let git = team.git.file("shop/settings.yaml", config_map("settings").data("colour", "blue")).commit("blue");
    let team = Team { git, ..team };
    team.run(["sync", "-y"]).exits(0);
    let colour = || team.cluster.kubectl(["get", "configmap", "settings", "-o", "jsonpath={.data.colour}"]);

    let narrow = project(NO_CONFIG_MAPS);
    let run = |arguments: &[&str]| trueup([]).arguments(arguments).of(&team.application).argument(narrow.path());
    let name = team.cluster.name();
    run(&["rollback", name, "1", "-y"]).exits(4);
    assert_eq!(colour(), "blue");
    team.cluster.kubectl(["delete", "configmap", "settings"]);
    run(&["reconcile", "--self-heal"]).exits(4);
    assert!(!team.is_live("configmap", "settings"));
}

/// What the project does not permit is not its application's to delete, as Argo CD has it.
#[test]
fn extras_that_the_project_does_not_permit_are_left_alone() {
    let team = or_skip!(Team::new("sourceRepos: ['*']\ndestinations:\n- {server: '*', namespace: '*'}\n"));
    team.run(["sync", "-y"]).exits(0);
    let git = team.git.remove("shop/settings.yaml").commit("no settings");
    let team = Team { git, project: project(NO_CONFIG_MAPS), ..team };

    let diff = team.run(["diff", "-q"]).exits(0);
    assert!(diff.stderr.contains("left alone, because project `team` does not permit it"), "{}", diff.transcript());
    team.run(["sync", "-y", "--prune"]).exits(0);
    assert!(team.is_live("configmap", "settings"));

    let team = Team { project: project(&NO_CONFIG_MAPS.replace("ConfigMap", "Secret")), ..team };
    team.run(["sync", "-y", "--prune"]).exits(0);
    assert!(!team.is_live("configmap", "settings"));
}

/// A project that no manifest defines, while others are given, is an error; so is one that two define.
#[test]
fn a_project_has_one_definition() {
    let team = or_skip!(Team::new("sourceRepos: ['*']"));
    let other = folder_with([("other.yaml", &manifest("sourceRepos: ['*']").replace("name: team", "name: other"))]);
    let run = trueup(["sync", "-y", "-q"]).of(&team.application).argument(other.path()).exits(2);
    assert!(run.stderr.contains("project `team` not found"), "{}", run.transcript());
    assert!(run.stderr.contains("the AppProjects there are: other"), "{}", run.transcript());

    let twice = folder_with([("a.yaml", &manifest("sourceRepos: ['*']")), ("b.yaml", &manifest("sourceRepos: []"))]);
    let run = trueup(["sync", "-y", "-q"]).of(&team.application).argument(twice.path()).exits(2);
    assert!(run.stderr.contains("2 AppProjects have this name"), "{}", run.transcript());
    assert!(team.is_untouched());
}

/// Before a merge: what is forbidden after rendering, without any cluster.
#[test]
fn applications_are_checked_without_a_cluster() {
    let git = TestRepo::new()
        .file("shop/settings.yaml", config_map("settings"))
        .file("shop/team.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n")
        .commit("the shop");
    let shop = git
        .application("shop")
        .path("shop")
        .spec_field("project", json!("team"))
        .destination(json!({"server": "https://kubernetes.default.svc", "namespace": "team"}));
    let team = project(NO_CONFIG_MAPS);
    let check = trueup(["project", "check", "-q"]).of(&shop).argument(team.path()).exits(4);
    let shown = check.stdout.replace(&team.path().display().to_string(), "projects");
    assert_snapshot!(shown, @r"
    shop  2 violations  project team
      `ConfigMap` (team/settings)
        `ConfigMap` in `namespaceResourceBlacklist` forbids it: projects/team.yaml:9
      `Namespace` (team)
        no entry of `clusterResourceWhitelist` allows it: projects/team.yaml:1
    ");

    let report = trueup(["project", "check", "-q", "-o", "json"]).of(&shop).argument(team.path()).exits(4).json();
    let violations = report["applications"][0]["violations"].as_array().unwrap();
    let rules: Vec<&str> = violations.iter().map(|it| it["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["namespaceResourceBlacklist", "clusterResourceWhitelist"]);
    assert_eq!(report["exitCode"], 4);

    let list = trueup(["project", "list", "-q"]).of(&shop).argument(team.path()).exits(0);
    assert_snapshot!(list.stdout.replace(&team.path().display().to_string(), "projects"), @r"
    team  projects/team.yaml:1
      sources       *
      destinations  */*
      applications  shop
    1 project
    ");
    // A folder of projects alone can be listed, but not compared.
    trueup(["project", "list"]).argument(team.path()).exits(0);
    trueup(["diff"]).argument(team.path()).exits(2);
}
