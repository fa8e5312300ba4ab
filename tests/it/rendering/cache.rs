//! What was rendered before: an unchanged fleet starts no program, and whatever changes is rendered anew.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use trueup::storage::{seal, unseal};

use super::objects;
use crate::harness::{
    Answer, HttpServer, TestApplication, TestRepo, config_map, folder_with, or_skip, program, trueup,
};

const TEMPLATE: &str = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\nstringData:\n  colour: {{ .Values.colour }}\n";

/// A machine that counts how often Helm and Kustomize are started to render, and keeps its home between runs.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new(helm: &Path, kustomize: &Path) -> Self {
        let this = Self { folder: folder_with([]) };
        for (name, program) in [("helm", helm), ("kustomize", kustomize)] {
            let script = format!(
                "#!/bin/sh\n[ \"$1\" = version ] || echo {name} >>'{}'\nexec '{}' \"$@\"\n",
                this.calls_file().display(),
                program.display()
            );
            fs::write(this.path(name), script).unwrap();
            fs::set_permissions(this.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        this
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn calls_file(&self) -> PathBuf {
        self.path("calls")
    }

    /// Renders; says which colours came out, and how many programs were started.
    #[track_caller]
    fn render(&self, applications: &[&TestApplication], arguments: &[&str]) -> (Vec<Value>, usize) {
        let _ = fs::remove_file(self.calls_file());
        let run = trueup(["render", "-o", "json"]).home(self.path("home")).arguments(arguments);
        let run = run.env("TRUEUP_HELM", self.path("helm")).env("TRUEUP_KUSTOMIZE", self.path("kustomize"));
        let run = applications.iter().fold(run, |run, application| run.argument(application.manifest()));
        let colours = objects(&run.exits(0)).iter().map(|object| object["stringData"]["colour"].clone()).collect();
        let calls = fs::read_to_string(self.calls_file()).unwrap_or_default().lines().count();
        (colours, calls)
    }
}

fn repository() -> TestRepo {
    let secret = TEMPLATE.replace("{{ .Release.Name }}", "plain").replace("{{ .Values.colour }}", "red");
    TestRepo::new()
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("web/values.yaml", "colour: red\n")
        .file("web/templates/a.yaml", TEMPLATE)
        .file("overlay/kustomization.yaml", "resources: [a.yaml]\nnamePrefix: p-\n")
        .file("overlay/a.yaml", secret)
        .commit("red")
}

/// A job that runs every few minutes must not pay for what did not change; nor may it miss what did.
#[test]
fn an_unchanged_fleet_starts_no_program() {
    let machine = Machine::new(&or_skip!(program("helm")), &or_skip!(program("kustomize")));
    let git = repository();
    let fleet = [git.application("web").path("web"), git.application("overlay").path("overlay")];
    let [web, overlay] = &fleet;

    let first = machine.render(&[web, overlay], &[]);
    assert_eq!(first, (vec![json!("red"), json!("red")], 2));
    assert_eq!(machine.render(&[web, overlay], &[]), (first.0.clone(), 0));
    assert_eq!(machine.render(&[web, overlay], &["--no-cache"]), (first.0, 2));

    // Another value, another version of the cluster, another Helm, another commit: each is another input.
    let parameter = json!({"parameters": [{"name": "colour", "value": "blue"}]});
    let blue = git.application("web").path("web").source_field("helm", parameter);
    assert_eq!(machine.render(&[&blue], &[]), (vec![json!("blue")], 1));
    assert_eq!(machine.render(&[web], &["--kube-version", "1.30"]).1, 1);
    assert_eq!(machine.render(&[web], &["--kube-version", "1.30"]).1, 0);
    let script = fs::read_to_string(machine.path("helm")).unwrap();
    fs::write(machine.path("helm"), script + "# another one\n").unwrap();
    assert_eq!(machine.render(&[web], &[]).1, 1);
    let git = git.file("web/values.yaml", "colour: green\n").commit("green");
    assert_eq!(machine.render(&[web], &[]), (vec![json!("green")], 1));

    // A working tree changes without a name for it.
    let git = git.file("web/values.yaml", "colour: changing\n");
    let stand_in = format!("{}={}", git.url(), git.path().display());
    for _ in 0..2 {
        assert_eq!(machine.render(&[web], &["--repo", &stand_in]), (vec![json!("changing")], 1));
    }
}

/// Jsonnet is evaluated in a child, which costs as much as a small program: what it made is kept as well.
#[test]
fn unchanged_jsonnet_is_not_evaluated_again() {
    let home = folder_with([]);
    let git = TestRepo::new()
        .file("dash/a.jsonnet", "import 'colours.libsonnet'")
        .file("plain/a.yaml", config_map("plain"))
        .file(
            "lib/colours.libsonnet",
            "{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a'}, data: {colour: 'red'} }",
        )
        .commit("red");
    let libraries = json!({"jsonnet": {"libs": ["lib"]}});
    let fleet = [
        git.application("dash").path("dash").source_field("directory", libraries),
        git.application("plain").path("plain"),
    ];
    let render = || {
        let run = trueup(["render", "-o", "json"]).home(home.path().join("home"));
        let run = fleet.iter().fold(run, |run, application| run.argument(application.manifest()));
        objects(&run.exits(0))[0]["data"]["colour"].clone()
    };
    assert_eq!(render(), "red");
    let renders = home.path().join("home/cache/trueup/renders");
    let kept: Vec<PathBuf> = fs::read_dir(&renders).unwrap().map(|entry| entry.unwrap().path()).collect();
    // A few plain manifests are read as fast as what would be kept of them.
    assert_eq!(kept.len(), 1);
    let name = kept[0].file_stem().unwrap().to_string_lossy().into_owned();
    let sealed = fs::read(&kept[0]).unwrap();
    let text = String::from_utf8(unseal(&name, &sealed).unwrap().to_vec()).unwrap();
    fs::write(&kept[0], seal(&name, text.replace("red", "what was kept").as_bytes())).unwrap();
    assert_eq!(render(), "what was kept");
    // Without its seal it is damaged, and not believed.
    fs::write(&kept[0], text.replace("red", "blue")).unwrap();
    assert_eq!(render(), "red");
    let _git = git
        .file(
            "lib/colours.libsonnet",
            "{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a'}, data: {colour: 'green'} }",
        )
        .commit("green");
    assert_eq!(render(), "green");
}

/// A thousand manifests are read from YAML once, and from what was kept of them until git, or what is read of it, changes.
#[test]
fn a_large_folder_of_plain_manifests_is_kept() {
    let home = folder_with([]);
    let all = |colour: &str| -> String {
        let map = |number: usize| config_map(&format!("m-{number}")).data("colour", colour).data("size", "1e3");
        (0..60).map(|number| format!("---\n{}", map(number))).collect::<Vec<_>>().concat()
    };
    let git = TestRepo::new().file("all.yaml", all("red")).file("more/one.yaml", config_map("one")).commit("red");
    let render = |application: &TestApplication| {
        let run = trueup(["render", "-o", "json"]).home(home.path().join("home")).argument(application.manifest());
        objects(&run.exits(0))
    };
    let kept = || fs::read_dir(home.path().join("home/cache/trueup/renders")).map_or(0, Iterator::count);
    let plain = git.application("plain");

    let first = render(&plain);
    assert_eq!((first.len(), kept()), (60, 1));
    assert_eq!((render(&plain), kept()), (first, 1));
    assert_eq!((render(&git.application("plain").recurse()).len(), kept()), (61, 2));
    let _git = git.file("all.yaml", all("green")).commit("green");
    assert_eq!((render(&plain)[7]["data"]["colour"].clone(), kept()), (json!("green"), 3));
}

/// Values of another repository are inputs, too.
#[test]
fn new_values_in_another_repository_are_seen() {
    let machine = Machine::new(&or_skip!(program("helm")), &or_skip!(program("kustomize")));
    let charts = repository();
    let values = TestRepo::new().file("values.yaml", "colour: green\n").commit("green");
    let sources = json!([
        {"repoURL": charts.url(), "path": "web", "helm": {"valueFiles": ["$values/values.yaml"]}},
        {"repoURL": values.url(), "ref": "values"},
    ]);
    let web = charts.application("web").spec_field("sources", sources);

    assert_eq!(machine.render(&[&web], &[]), (vec![json!("green")], 1));
    assert_eq!(machine.render(&[&web], &[]), (vec![json!("green")], 0));
    let _values = values.file("values.yaml", "colour: blue\n").commit("blue");
    assert_eq!(machine.render(&[&web], &[]), (vec![json!("blue")], 1));
}

/// A file that Kustomize reads from the web while it builds may be another one tomorrow, whichever field names it.
#[test]
fn files_from_the_web_are_read_again() {
    let machine = Machine::new(&or_skip!(program("helm")), &or_skip!(program("kustomize")));
    let served = folder_with([]);
    let folder = served.path().to_owned();
    let web = HttpServer::start(move |request| Answer::file(&folder, request));
    let url = format!("{}/patch.yaml", web.url());
    let patched = format!("resources: [../overlay]\npatches: [{{path: '{url}', target: {{kind: Secret}}}}]\n");
    let generated = "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\ntarget: {kind: Secret}\npath: ";
    let git = repository()
        .file("patched/kustomization.yaml", patched)
        .file("transformed/kustomization.yaml", "resources: [../overlay]\ntransformers: [transformer.yaml]\n")
        .file("transformed/transformer.yaml", format!("{generated}{url}\n"))
        .commit("patches from the web");
    for name in ["patched", "transformed"] {
        let application = git.application(name).path(name);
        for colour in ["green", "blue"] {
            let patch = format!("- {{op: replace, path: /stringData/colour, value: {colour}}}\n");
            fs::write(served.path().join("patch.yaml"), patch).unwrap();
            assert_eq!(machine.render(&[&application], &[]), (vec![json!(colour)], 1), "{name}");
        }
    }
}

/// The Helm that the build options name is an input as the usual one is.
#[test]
fn the_helm_that_kustomize_starts_is_an_input() {
    let machine = Machine::new(&or_skip!(program("helm")), &or_skip!(program("kustomize")));
    let git = repository();
    let overlay = git.application("overlay").path("overlay");
    let options = format!("--enable-helm --helm-command {}", machine.path("helm").display());
    let render = || machine.render(&[&overlay], &["--helm", "/no/such/helm", "--kustomize-build-options", &options]).1;

    assert_eq!((render(), render()), (1, 0));
    let script = fs::read_to_string(machine.path("helm")).unwrap();
    fs::write(machine.path("helm"), script + "# another one\n").unwrap();
    assert_eq!(render(), 1);
}

/// A script that starts whatever Helm is there: what is behind it is updated, and the script stays as it was.
#[test]
fn another_helm_behind_the_same_script_is_seen() {
    let (helm, other) = (or_skip!(program("helm")), or_skip!(program("helm4")));
    let machine = Machine::new(&helm, &or_skip!(program("kustomize")));
    let git = repository();
    let web = git.application("web").path("web");
    let behind = |helm: &Path| {
        let _ = fs::remove_file(machine.path("behind"));
        std::os::unix::fs::symlink(helm, machine.path("behind")).unwrap();
    };
    let script = fs::read_to_string(machine.path("helm")).unwrap();
    let script = script.replace(&helm.display().to_string(), &machine.path("behind").display().to_string());
    fs::write(machine.path("helm"), script).unwrap();

    behind(&helm);
    assert_eq!((machine.render(&[&web], &[]).1, machine.render(&[&web], &[]).1), (1, 0));
    behind(&other);
    assert_eq!((machine.render(&[&web], &[]).1, machine.render(&[&web], &[]).1), (1, 0));
}

/// Rendered Secrets are kept, too: nobody else on the machine may read them.
#[test]
fn what_is_kept_is_private() {
    let machine = Machine::new(&or_skip!(program("helm")), &or_skip!(program("kustomize")));
    let git = repository();
    machine.render(&[&git.application("web").path("web")], &[]);

    let renders = machine.path("home/cache/trueup/renders");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&renders), 0o700);
    let files: Vec<PathBuf> = fs::read_dir(&renders).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    assert_eq!(mode(&files[0]), 0o600);
    // What it was rendered from may be private as well.
    for name in ["git", "trees", "charts", "tmp"] {
        assert_eq!(mode(&machine.path("home/cache/trueup").join(name)), 0o700, "{name}");
    }
}
