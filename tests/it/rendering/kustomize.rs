//! Kustomizations, by the official `kustomize`, and by the one in kubectl.

use std::path::{Path, PathBuf};
use std::process::Command;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{objects, official, render, told};
use crate::harness::{TestRepo, config_map, deployment, folder_with, or_skip, program};

const PATCH: &str = "- op: replace\n  path: /spec/replicas\n  value: 7\n";

fn overlay() -> TestRepo {
    TestRepo::new()
        .file("base/kustomization.yaml", "resources: [web.yaml, settings.yaml]\n")
        .file("base/web.yaml", deployment("web"))
        .file("base/settings.yaml", config_map("settings").data("colour", "red"))
        .file("components/debug/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {debug: \"on\"}\n")
        .file(
            "overlays/prod/kustomization.yaml",
            "# the real one\nresources: [../../base]\nnamePrefix: p-\nimages: [{name: registry.example.com/web, newTag: 1.5.0}]\ncommonLabels: {tier: shop}\npatches: [{path: patch.yaml, target: {kind: ConfigMap}}]\nconfigMapGenerator: [{name: made, files: [files/motd.txt]}]\nreplicas: [{name: web, count: 2}]\n",
        )
        .file("overlays/prod/patch.yaml", "- {op: add, path: /data/patched, value: \"yes\"}\n")
        .file("overlays/prod/files/motd.txt", "hello\n")
        .commit("an overlay")
}

/// A copy of the working tree, changed by `kustomize edit` as Argo CD changes its checkout, then built.
fn edited(kustomize: &Path, git: &TestRepo, edits: &[&[&str]]) -> Vec<Value> {
    let copy = folder_with([]);
    let status = Command::new("cp").arg("-r").arg(git.path()).arg(copy.path().join("repo")).status().unwrap();
    assert!(status.success());
    let folder = copy.path().join("repo/overlays/prod");
    for edit in edits {
        let output = Command::new(kustomize).arg("edit").args(*edit).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{edit:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    official(kustomize, &folder, &["build", "."])
}

type Case = (&'static str, Value, &'static [&'static [&'static str]]);

fn cases() -> Vec<Case> {
    vec![
        ("nothing", json!({}), &[]),
        (
            "names and namespace",
            json!({"namePrefix": "x-", "nameSuffix": "-y", "namespace": "elsewhere"}),
            &[
                &["set", "nameprefix", "--", "x-"],
                &["set", "namesuffix", "--", "-y"],
                &["set", "namespace", "--", "elsewhere"],
            ],
        ),
        (
            "images",
            json!({"images": ["registry.example.com/web=mirror.example.com/web:${ARGOCD_APP_NAME}", "other@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3"]}),
            &[&[
                "set",
                "image",
                "registry.example.com/web=mirror.example.com/web:shop",
                "other@sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3",
            ]],
        ),
        (
            "an image that keeps its tag",
            json!({"images": ["registry.example.com/web=mirror.example.com/web:*"]}),
            &[&["set", "image", "registry.example.com/web=mirror.example.com/web:*"]],
        ),
        ("replicas", json!({"replicas": [{"name": "web", "count": 5}]}), &[&["set", "replicas", "web=5"]]),
        (
            "labels",
            json!({"commonLabels": {"team": "a", "app": "$ARGOCD_APP_NAME"}}),
            &[&["add", "label", "team:a", "app:shop"]],
        ),
        (
            "labels by force",
            json!({"commonLabels": {"tier": "b"}, "forceCommonLabels": true}),
            &[&["add", "label", "--force", "tier:b"]],
        ),
        (
            "labels not in selectors, and in templates",
            json!({"commonLabels": {"team": "a"}, "labelWithoutSelector": true, "labelIncludeTemplates": true}),
            &[&["add", "label", "--without-selector", "--include-templates", "team:a"]],
        ),
        (
            "labels not in selectors",
            json!({"commonLabels": {"team": "a"}, "labelWithoutSelector": true}),
            &[&["add", "label", "--without-selector", "team:a"]],
        ),
    ]
}

fn more_cases() -> Vec<Case> {
    vec![
        (
            "annotations",
            json!({"commonAnnotations": {"team": "$ARGOCD_APP_NAME"}}),
            &[&["add", "annotation", "team:$ARGOCD_APP_NAME"]],
        ),
        (
            "annotations with the build environment",
            json!({"commonAnnotations": {"team": "$ARGOCD_APP_NAME"}, "commonAnnotationsEnvsubst": true}),
            &[&["add", "annotation", "team:shop"]],
        ),
        (
            "patches",
            json!({"patches": [{"patch": PATCH, "target": {"kind": "Deployment", "name": "web"}}]}),
            &[&["add", "patch", "--kind", "Deployment", "--name", "web", "--patch", PATCH]],
        ),
        (
            "components",
            json!({"components": ["../../components/debug"]}),
            &[&["add", "component", "../../components/debug"]],
        ),
        (
            "components that are missing",
            json!({"components": ["../../components/no", "../../components/debug"], "ignoreMissingComponents": true}),
            &[&["add", "component", "../../components/debug"]],
        ),
        // Argo CD asks whether a folder of that name is there, also of a pattern and of a repository.
        (
            "components that are not looked for when they may be missing",
            json!({"components": ["../../components/*", "https://example.com/org/repo//x"], "ignoreMissingComponents": true}),
            &[],
        ),
        (
            "components by a pattern",
            json!({"components": ["../../components/*"]}),
            &[&["add", "component", "../../components/*"]],
        ),
    ]
}

/// Whatever a team wrote in `source.kustomize` has to give what `kustomize edit` and `kustomize build` give.
#[test]
fn every_field_of_a_kustomize_source_renders_what_kustomize_renders() {
    let kustomize = or_skip!(program("kustomize"));
    let kubectl = or_skip!(program("kubectl"));
    let git = overlay();
    let programs: [PathBuf; 2] = [kustomize.clone(), kubectl];
    for (case, block, edits) in cases().into_iter().chain(more_cases()) {
        let expected = edited(&kustomize, &git, edits);
        for program in &programs {
            let shop = git.application("shop").path("overlays/prod").source_field("kustomize", block.clone());
            let outcome = render(&shop, &[("TRUEUP_KUSTOMIZE", program)]).exits(0);
            assert_eq!(objects(&outcome), expected, "{case}, {}", program.display());
        }
    }
}

/// A user's checkout stands in for the repository; it is read, and never changed.
#[test]
fn a_working_tree_is_not_changed_by_edits() {
    let kustomize = or_skip!(program("kustomize"));
    let git = overlay();
    let stand_in = format!("{}={}", git.url(), git.path().display());
    let block = json!({"namePrefix": "x-", "components": ["../../components/debug"]});
    let shop = git.application("shop").path("overlays/prod").source_field("kustomize", block);

    render(&shop, &[("TRUEUP_KUSTOMIZE", &kustomize)]).arguments(["--repo", &stand_in]).exits(0);

    assert_eq!(git.git(["status", "--short", "--ignored"]), "");
}

/// Build options as in `argocd-cm`: charts inside of kustomizations, files beside them.
#[test]
fn build_options_reach_kustomize() {
    let kustomize = or_skip!(program("kustomize"));
    let helm = or_skip!(program("helm"));
    let git = TestRepo::new()
        .file("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("charts/web/values.yaml", "{}\n")
        .file("charts/web/templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  version: {{ .Capabilities.KubeVersion.Version }}\n")
        .file("shared.txt", "shared\n")
        .file("app/kustomization.yaml", "helmGlobals: {chartHome: ../charts}\nhelmCharts: [{name: web, releaseName: shop, version: 1.0.0}]\nconfigMapGenerator: [{name: made, files: [../shared.txt]}]\n")
        .commit("a chart in a kustomization");
    let options = "--enable-helm --load-restrictor LoadRestrictionsNone";
    let app = git.application("shop").path("app");
    let helm_path = helm.display().to_string();
    let expected = official(
        &kustomize,
        &git.path(),
        &[
            "build",
            "app",
            "--enable-helm",
            "--load-restrictor",
            "LoadRestrictionsNone",
            "--helm-command",
            &helm_path,
            "--helm-kube-version",
            "1.36.3",
        ],
    );

    let run = render(&app, &[("TRUEUP_KUSTOMIZE", &kustomize), ("TRUEUP_HELM", &helm)]);
    let outcome = run.arguments(["--kustomize-build-options", options]).exits(0);

    assert_eq!(objects(&outcome), expected);
    let refused = render(&app, &[("TRUEUP_KUSTOMIZE", &kustomize)]).exits(2);
    assert!(refused.stderr.contains("shop: kustomize could not render `app` at"), "{}", refused.transcript());
}

/// Kustomize before 5.3 knows no `--helm-kube-version`: its charts are told nothing, and rendered.
#[test]
fn an_older_kustomize_inflates_charts_too() {
    let kustomize = or_skip!(program("kustomize"));
    let helm = or_skip!(program("helm"));
    let script = format!(
        "#!/bin/sh\nfor word; do case $word in --helm-kube-version) echo \"Error: unknown flag: $word\" >&2; exit 1;; esac; done\nexec '{}' \"$@\"\n",
        kustomize.display()
    );
    let older = folder_with([("kustomize", &script)]);
    let older = older.path().join("kustomize");
    std::fs::set_permissions(&older, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let git = TestRepo::new()
        .file("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("charts/web/values.yaml", "{}\n")
        .file("charts/web/templates/a.yaml", config_map("web"))
        .file("kustomization.yaml", "helmCharts: [{name: web}]\n")
        .commit("a chart in a kustomization");
    let shop = git.application("shop");
    let run = render(&shop, &[("TRUEUP_KUSTOMIZE", &older), ("TRUEUP_HELM", &helm)]);
    let outcome = run.arguments(["--kustomize-build-options", "--enable-helm"]).exits(0);
    assert_eq!(objects(&outcome)[0]["metadata"]["name"], "web");
}

/// The URL of a base with a password in it is in the repository; it need not be in a log as well.
#[test]
fn a_password_in_a_base_is_not_shown() {
    let kustomize = or_skip!(program("kustomize"));
    let fields = [
        "resources: ['https://user:s3cret@127.0.0.1:9/x.yaml']\n",
        "resources: ['https://user:s3cret@127.0.0.1:9/o/r.git?ref=a']\n",
    ];
    for text in fields {
        let git = TestRepo::new().file("kustomization.yaml", text).commit("a base");
        let shop = git.application("shop");
        let outcome = render(&shop, &[("TRUEUP_KUSTOMIZE", &kustomize)]).exits(2);
        assert!(outcome.stderr.contains("127.0.0.1:9"), "{}", outcome.transcript());
        assert!(!outcome.stderr.contains("s3cret"), "{}", outcome.transcript());
    }
}

/// The overlay, and everything that cannot be built.
fn with_faults() -> TestRepo {
    overlay()
        .file("missing/kustomization.yaml", "resources: [no.yaml]\n")
        .file("climbs/kustomization.yaml", "resources: [../../outside]\n")
        .file("absolute/kustomization.yaml", "resources: [/etc]\n")
        .file("deep/kustomization.yaml", "resources: [../climbs]\n")
        .file("twice/kustomization.yaml", "resources: []\n")
        .file("twice/kustomization.yml", "resources: []\n")
        .file("files/kustomization.yaml", "configMapGenerator: [{name: made, files: [hosts=/etc/hosts]}]\n")
        .file("plain/settings.yaml", config_map("settings"))
        .commit("faults")
}

/// Each fault names the application and the file, and nothing outside of the repository is read.
#[test]
fn a_kustomization_that_cannot_be_built_says_why() {
    let kustomize = or_skip!(program("kustomize"));
    let git = with_faults();
    std::fs::create_dir(git.path().parent().unwrap().join("outside")).unwrap();
    let edited =
        |name: &str, path: &str, block: Value| git.application(name).path(path).source_field("kustomize", block);
    let applications = [
        git.application("missing").path("missing"),
        git.application("climbs").path("climbs"),
        git.application("absolute").path("absolute"),
        git.application("deep").path("deep"),
        git.application("files").path("files"),
        edited("twice", "twice", json!({"namePrefix": "x-"})),
        edited("none", "plain", json!({"namePrefix": "x-"})),
        edited("label", "overlays/prod", json!({"commonLabels": {"tier": "b"}})),
        edited("image", "overlays/prod", json!({"images": ["web"]})),
        edited("component", "overlays/prod", json!({"components": ["../no"]})),
        edited("version", "overlays/prod", json!({"version": "v4.0.0"})),
    ];
    let good = git.application("good").path("overlays/prod");

    let run = render(&good, &[("TRUEUP_KUSTOMIZE", &kustomize)])
        .arguments(["--kustomize-build-options", "--load-restrictor LoadRestrictionsNone"]);
    let outcome = applications.iter().fold(run, |run, application| run.argument(application.manifest())).exits(2);

    assert!(!objects(&outcome).is_empty(), "the good one is rendered\n{}", outcome.transcript());
    assert_snapshot!(told(&outcome), @r"
    fetched 1 repository
    rendered 12 applications
      × missing: kustomize could not render `missing` at 173385e
      ╰─▶ accumulating resources: accumulation err='accumulating resources from 'no.yaml': open
          missing/no.yaml: no such file or directory': must build at directory: not a valid directory:
          evalsymlink failure on 'missing/no.yaml' : lstat missing/no.yaml: no such file or directory
      help: to reproduce it, run at the repository's root: kustomize build missing --load-restrictor
            LoadRestrictionsNone
      × climbs and deep: `climbs/kustomization.yaml` names `../../outside`, which points outside its
      │ repository
      help: nothing outside of a repository is read
      × absolute: `absolute/kustomization.yaml` names `/etc`, which points outside its repository
      help: nothing outside of a repository is read
      × files: `files/kustomization.yaml` names `hosts=/etc/hosts`, which points outside its
      │ repository
      help: nothing outside of a repository is read
      × twice: `twice` has several kustomizations: kustomization.yaml, kustomization.yml
      help: Kustomize requires exactly one; remove the others
      × none: no kustomization in `plain`, but the source sets `kustomize`
      help: it is called `kustomization.yaml`, `kustomization.yml` or `Kustomization`
      × label: `overlays/prod/kustomization.yaml` has label `tier` already
      help: to overwrite it, set `kustomize.forceCommonLabels`
      × image: `web` in `kustomize.images` sets no new name, tag or digest
      help: write `name:tag`, `name@digest` or `name=other:tag`
      × component: component `../no` not found
      help: if that is intended, set `kustomize.ignoreMissingComponents`
      × version: the source requires Kustomize v4.0.0, but this is v5.8.2
      help: select a Kustomize of that version with `--kustomize` or `TRUEUP_KUSTOMIZE`
    [exit 2]
    ");
}

/// What the user interface of Argo CD leaves behind: a block without a word in it decides nothing. In `sources` it does, there too.
#[test]
fn a_block_that_says_nothing_leaves_the_tool_to_the_folder() {
    let kustomize = or_skip!(program("kustomize"));
    let git = TestRepo::new()
        .file("a.yaml", config_map("a"))
        .file("kustomization.yaml", "resources: [a.yaml]\nnamePrefix: web-\n")
        .commit("a kustomization");
    let name = |application| {
        objects(&render(&application, &[("TRUEUP_KUSTOMIZE", &kustomize)]).exits(0))[0]["metadata"]["name"].clone()
    };
    for (tool, block) in [
        ("directory", json!({"recurse": false, "jsonnet": {}})),
        ("helm", json!({"parameters": []})),
        ("kustomize", json!({})),
    ] {
        assert_eq!(name(git.application("shop").source_field(tool, block)), "web-a", "{tool}");
    }
    assert_eq!(name(git.application("shop").source_field("directory", json!({"include": "a*"}))), "a");
    let source = json!({"repoURL": git.url(), "path": ".", "directory": {"recurse": false}});
    assert_eq!(name(git.application("shop").spec_field("sources", json!([source]))), "a");
}

/// Kustomize follows a base wherever it leads, by whatever field it comes: a stranger's repository must not read what lies
/// beside it.
#[test]
fn nothing_outside_of_the_repository_is_built_on() {
    let kustomize = or_skip!(program("kustomize"));
    let helm = or_skip!(program("helm"));
    let inline = "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: x}\nfiles: [/etc/hosts]\n";
    let charts = |fields: &str| format!("helmCharts: [{{name: web, {fields}}}]\n");
    let cases = [
        ("letters", "Resources: [../../outside]\n".to_owned()),
        ("generators", "generators: [../../outside]\n".to_owned()),
        ("transformers", "transformers: [../../outside]\n".to_owned()),
        ("validators", "validators: [../../outside]\n".to_owned()),
        // Kustomize takes off `link/..` before it looks where the link leads.
        ("link", "resources: [link/../../../outside]\n".to_owned()),
        ("settings", "generators: [../settings.yaml]\n".to_owned()),
        ("inline", format!("generators:\n- |-\n  {}\n", inline.trim_end().replace('\n', "\n  "))),
        ("home", charts("chartHome: ../../outside") + "helmGlobals: {chartHome: ../../outside}\n"),
        ("config", charts("version: 1.0.0") + "helmGlobals: {configHome: /srv/helm}\n"),
        ("name", "helmCharts: [{name: ../../outside/web}]\n".to_owned()),
        ("retired", "helmChartInflationGenerator: [{chartName: web, chartHome: ../../outside}]\n".to_owned()),
    ];
    let git =
        cases.iter().fold(TestRepo::new(), |git, (name, text)| git.file(&format!("{name}/kustomization.yaml"), text));
    let git =
        git.file("settings.yaml", inline).file("deep/down/below/a.yaml", config_map("a")).file("outside/a.yaml", "");
    std::os::unix::fs::symlink("../deep/down/below", git.path().join("link/link")).unwrap();
    let git = git.commit("bases that lead out");
    for (name, _) in &cases {
        let application = git.application(name).path(name);
        let run = render(&application, &[("TRUEUP_KUSTOMIZE", &kustomize), ("TRUEUP_HELM", &helm)]);
        let options = "--enable-helm --load-restrictor LoadRestrictionsNone";
        let outcome = run.arguments(["--kustomize-build-options", options]).exits(2);
        assert!(told(&outcome).contains("nothing outside of a repository is read"), "{name}\n{}", outcome.transcript());
    }
}

/// Words that look like files of this machine are still words.
#[test]
fn text_that_looks_like_a_path_is_no_file() {
    let kustomize = or_skip!(program("kustomize"));
    let git = TestRepo::new()
        .file("app/kustomization.yaml", "commonAnnotations: {hosts: /etc/hosts, home: \"https://example.com\"}\nconfigMapGenerator: [{name: made, literals: [hosts=/etc/hosts]}]\n")
        .commit("words");
    let expected = official(&kustomize, &git.path(), &["build", "app"]);
    let shop = git.application("shop").path("app");
    let run = render(&shop, &[("TRUEUP_KUSTOMIZE", &kustomize)]);
    let outcome = run.arguments(["--kustomize-build-options", "--load-restrictor LoadRestrictionsNone"]).exits(0);
    assert_eq!(objects(&outcome), expected);
}
