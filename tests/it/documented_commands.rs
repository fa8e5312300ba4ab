//! Every command that README, docs and examples print is run as it is printed.
//!
//! A page's blocks of `sh` and `console` run from top to bottom, each page in a world of its own: a clone of this repository, a
//! repository with Applications in `apps/`, and a cluster. What a test cannot run is on one list, with the reason.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use regex::Regex;
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{TestCluster, TestRepo, config_map, deployment, folder_with, or_skip, program};

/// What is printed and not run here: how the command starts, and why.
const NOT_RUN: [(&str, &str); 6] = [
    ("cargo install", "compiles trueup for minutes; action/install.sh runs the same command in CI"),
    ("cargo test", "this test is a part of it"),
    ("trueup diff --apps-from", "the host is an example; tests/it/apps_from.rs runs the flag with a repository"),
    (".ci/run", "this test is a part of it"),
    ("docker ", "there is no Docker here; tests/it/image.rs runs the Dockerfile's stages and the container"),
    (
        "kubectl -n trueup logs",
        "no node pulls the image; tests/it/cronjob.rs and shards.rs run the containers' command lines",
    ),
];

/// Exit codes other than 0 that a command may have in the world of its page: drift, and health before the first sync.
const OTHER_CODES: [(&str, i32); 7] = [
    ("trueup diff", 1),
    ("trueup plan", 1),
    ("trueup sync apps/ --plan", 1),
    ("trueup status", 3),
    ("trueup health", 3),
    ("cargo run --release -- diff", 1),
    ("cargo run -- diff", 1),
];

/// Pages whose commands are run.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    for folder in ["docs", "examples/ci", "examples/cronjob", "examples/fleet"] {
        let entries = fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        pages.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    pages.sort();
    pages
}

/// One fenced block.
struct Block {
    language: String,
    text: String,
}

fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => open = Some(Block { language: language.to_owned(), text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: a fence is not closed", page.display());
    blocks
}

impl Block {
    /// The commands, without comments; a line that ends with `\` goes on.
    fn commands(&self) -> Vec<String> {
        let joined = self.text.replace("\\\n", " ");
        let comment = Regex::new(r"\s+# .*$").unwrap();
        let commands = joined.lines().filter_map(|line| match self.language.as_str() {
            "sh" => Some(line),
            "console" => line.strip_prefix("$ "),
            _ => None,
        });
        let commands = commands.map(|line| comment.replace(line, "").trim().to_owned());
        commands.filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
    }
}

/// Where a page's commands run.
struct World<'cluster> {
    cluster: &'cluster TestCluster,
    folder: TempDir,
    _git: TestRepo,
}

impl<'cluster> World<'cluster> {
    fn new(cluster: &'cluster TestCluster) -> Self {
        let folder = folder_with([]);
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        symlink(env!("CARGO_BIN_EXE_trueup"), bin.join("trueup")).unwrap();
        for (name, program_name) in [("kubectl", "kubectl"), ("helm", "helm4"), ("kustomize", "kustomize")] {
            symlink(program(program_name).expect("it was found for the cluster"), bin.join(name)).unwrap();
        }
        // `cargo run --release -- ARGUMENTS` with the binary that is tested.
        fs::write(bin.join("cargo"), "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec trueup \"$@\"\n")
            .unwrap();
        fs::set_permissions(bin.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        let git = infra(cluster);
        git.git(["clone", "--quiet", &git.url(), folder.path().join("infra").to_str().unwrap()]);
        let this = format!("file://{}", env!("CARGO_MANIFEST_DIR"));
        git.git(["clone", "--quiet", "--depth=1", &this, folder.path().join("trueup").to_str().unwrap()]);
        copy_examples(&folder.path().join("trueup"));
        Self { cluster, folder, _git: git }
    }

    /// Runs one command as somebody would type it; a question is answered with yes.
    fn run(&self, command: &str) -> Output {
        let asks =
            ["sync", "apply", "delete", "rollback"].iter().any(|verb| command.starts_with(&format!("trueup {verb} ")));
        let answered = [" -y", " --yes", " --plan", " --from", " --dry-run"].iter().any(|flag| command.contains(flag));
        let command = if asks && !answered { format!("{command} --yes") } else { command.to_owned() };
        let is_in_clone = command.contains("examples/") || command.starts_with("cargo");
        let path = format!("{}:{}", self.folder.path().join("bin").display(), std::env::var("PATH").unwrap());
        Command::new("bash")
            .args(["-o", "pipefail", "-c", &command])
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.folder.path().join("home"))
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .current_dir(self.folder.path().join(if is_in_clone { "trueup" } else { "infra" }))
            .output()
            .expect("bash is installed")
    }
}

/// The examples as they are now, not as they were committed.
fn copy_examples(clone: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let copied = Command::new("cp").arg("-a").arg(from).arg(clone).status().unwrap();
    assert!(copied.success());
}

/// The repository that the pages speak of: `apps/shop.yaml`, `appsets/`, `projects/`, and what they deploy.
fn infra(cluster: &TestCluster) -> TestRepo {
    let git = TestRepo::new();
    let spec = json!({
        "project": "default",
        "source": {"repoURL": git.url(), "path": "shop", "targetRevision": "main"},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": cluster.name()},
    });
    let application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "shop", "namespace": "argocd"}, "spec": spec,
    });
    let set = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "shops", "namespace": "argocd"},
        "spec": {"generators": [{"list": {"elements": [{"name": "one"}, {"name": "two"}]}}],
            "template": {"metadata": {"name": "{{name}}"}, "spec": spec}},
    });
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "default", "namespace": "argocd"},
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]},
    });
    git.file("apps/shop.yaml", application)
        .file("projects/default.yaml", project)
        .file("appsets/shops.yaml", set)
        .file("shop/web.yaml", deployment("web").replicas(1))
        .file("shop/settings.yaml", config_map("settings").data("colour", "blue"))
        .commit("shop")
}

fn why_not_run(command: &str) -> Option<&'static str> {
    NOT_RUN.iter().find(|(start, _)| command.starts_with(start)).map(|(_, reason)| *reason)
}

/// Runs the commands of a page in order, and fails with all that went wrong.
fn run_page(page: &str, world: &World<'_>) {
    let mut failed = Vec::new();
    for command in blocks(&Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).iter().flat_map(Block::commands) {
        if why_not_run(&command).is_some() {
            continue;
        }
        let output = world.run(&command);
        let code = output.status.code().expect("it ends");
        let other = OTHER_CODES.iter().filter(|(start, _)| command.starts_with(start)).map(|(_, code)| *code);
        if code != 0 && !other.clone().any(|other| other == code) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            failed.push(format!("$ {command}\n{}{}exit code {code}", text(&output.stdout), text(&output.stderr)));
        }
    }
    assert!(failed.is_empty(), "{page}\n{}", failed.join("\n\n"));
}

#[test]
fn the_readme_runs_as_printed() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let world = World::new(&cluster);
    run_page("README.md", &world);
    run_page("CONTRIBUTING.md", &world);
}

#[test]
fn getting_started_runs_as_printed() {
    let cluster = or_skip!(TestCluster::with_controllers());
    run_page("docs/getting-started.md", &World::new(&cluster));
}

#[test]
fn the_page_on_health_runs_as_printed() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let world = World::new(&cluster);
    assert!(world.run("trueup sync apps/ --wait").status.success());
    run_page("docs/health.md", &world);
}

#[test]
fn the_page_on_ci_runs_as_printed() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let world = World::new(&cluster);
    run_page("docs/ci.md", &world);
    run_page("examples/ci/README.md", &world);
}

/// In the place of Argo CD: its namespace, its settings, and an Application whose objects it has applied.
#[test]
fn coming_from_argo_cd_runs_as_printed() {
    let cluster = or_skip!(TestCluster::alone());
    let world = World::new(&cluster);
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "applications.argoproj.io"},
        "spec": {"group": "argoproj.io", "scope": "Namespaced",
            "names": {"kind": "Application", "plural": "applications", "singular": "application"},
            "versions": [{"name": "v1alpha1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]},
    });
    cluster.apply(&definition);
    cluster.kubectl(["wait", "--for=condition=Established", "crd/applications.argoproj.io", "--timeout=60s"]);
    cluster.kubectl(["create", "namespace", "argocd"]);
    cluster.kubectl(["create", "configmap", "argocd-cm", "-n", "argocd"]);
    let manifest = world.folder.path().join("infra/apps/shop.yaml");
    cluster.kubectl(["create", "-f", manifest.to_str().unwrap()]);
    let shop = world.folder.path().join("infra/shop");
    cluster.kubectl(["apply", "--server-side", "--field-manager=argocd-controller", "-f", shop.to_str().unwrap()]);

    run_page("docs/from-argo-cd.md", &world);

    cluster.kubectl(["delete", "-f", manifest.to_str().unwrap()]);
    cluster.kubectl(["delete", "crd", "applications.argoproj.io"]);
}

/// Objects that kubectl has applied are taken over.
#[test]
fn coming_from_kubectl_or_helm_runs_as_printed() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let world = World::new(&cluster);
    let shop = world.folder.path().join("infra/shop");
    cluster.kubectl(["apply", "-f", shop.to_str().unwrap()]);

    run_page("docs/from-kubectl-and-helm.md", &world);
}

#[test]
fn the_cronjob_example_runs_as_printed() {
    let cluster = or_skip!(TestCluster::alone());
    run_page("examples/cronjob/README.md", &World::new(&cluster));
}

#[test]
fn the_page_on_projects_runs_as_printed() {
    let cluster = or_skip!(TestCluster::namespace());
    run_page("docs/projects.md", &World::new(&cluster));
}

#[test]
fn the_fleet_example_runs_as_printed() {
    let cluster = or_skip!(TestCluster::alone());
    cluster.try_kubectl(cluster.kubeconfig(), &["create", "namespace", "guestbook"], "");
    run_page("examples/fleet/README.md", &World::new(&cluster));
}

/// A page that is new, or that gets its first command, has a test above.
#[test]
fn no_page_has_commands_that_are_not_run() {
    let source = include_str!("documented_commands.rs");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let command = Regex::new(r"(?m)^(\$ |trueup |kubectl |helm |git |docker )").unwrap();
    for page in pages() {
        let name = page.strip_prefix(root).unwrap().display().to_string();
        let is_run = source.contains(&format!("run_page(\"{name}\""));
        for block in blocks(&page) {
            let commands = block.commands();
            let unknown = commands.iter().find(|command| why_not_run(command).is_none());
            assert!(is_run || unknown.is_none(), "{name}: no test runs `{}`", unknown.unwrap());
            if commands.is_empty() {
                let found = command.find(&block.text);
                assert!(found.is_none(), "{name}: a block with a command is marked `sh` or `console`:\n{}", block.text);
            }
        }
    }
}

/// Commands in a sentence: trueup knows the command and each flag. `--help` after them prints help only where that is so.
#[test]
fn every_command_in_a_sentence_exists() {
    let span = Regex::new(r"`trueup ([^`\n]+)`").unwrap();
    let mut failed = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let outside: String = text.split("```").step_by(2).collect();
        for found in span.captures_iter(&outside).map(|found| found[1].to_owned()) {
            let arguments: Vec<&str> = found.split_whitespace().chain(["--help"]).collect();
            let run = crate::harness::trueup([]).arguments(arguments).outcome();
            // A flag in a sentence may stand without its value.
            if run.code != Some(0) && !run.stderr.contains("a value is required for") {
                failed.push(format!("{}: `trueup {found}`\n{}", page.display(), run.stderr));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// A reason for each exception, and no exception without need.
#[test]
fn exceptions_are_needed() {
    let commands: Vec<String> =
        pages().iter().flat_map(|page| blocks(page)).flat_map(|block| block.commands()).collect();
    for (start, reason) in NOT_RUN {
        assert!(!reason.is_empty());
        assert!(commands.iter().any(|command| command.starts_with(start)), "no page prints `{start}`");
    }
}
