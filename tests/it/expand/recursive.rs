//! Applications of Applications: `--recursive`, `--chart`, `-k`, `--explain`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::application_set;
use crate::harness::{TestRepo, config_map, folder_with, or_skip, program, trueup};

fn application(name: &str, url: &str, path: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "argocd"},
        "spec": {"project": "default", "source": {"repoURL": url, "path": path, "targetRevision": "HEAD"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"}}
    })
}

/// Argo CD documentation, "App Of Apps", with an ApplicationSet inside and a root that manages itself.
#[test]
fn a_tree_of_applications_has_depths_parents_and_cycles() {
    let git = TestRepo::new();
    let url = git.url();
    let set = application_set(
        &json!([{"list": {"elements": [{"stage": "dev"}, {"stage": "prod"}]}}]),
        "web-{{.stage}}",
        "web",
    );
    let git = git
        .file("root/root.yaml", application("root", &url, "root"))
        .file("root/team.yaml", application("team", &url, "team"))
        .file("team/set.yaml", set.to_string().replace("https://git.example.com/shop", &url))
        .file("team/shared.yaml", application("web-dev", &url, "web"))
        .file("team/leaf.yaml", application("leaf", &url, "leaf"))
        .file("leaf/up.yaml", application("team", &url, "team"))
        .file("web/web.yaml", config_map("web"))
        .commit("apps of apps");
    let folder = folder_with([("root.yaml", &application("root", &url, "root"))]);
    let run =
        |format: &str| trueup(["expand", "root.yaml", "--recursive", "-o", format]).in_folder(folder.path()).outcome();

    let json = run("json");
    let printed: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let lines: Vec<String> = printed
        .as_array()
        .expect("an array")
        .iter()
        .map(|one| {
            let name = one["application"]["metadata"]["name"].as_str().unwrap_or_default();
            format!("{name} {} {}", one["depth"], one["parent"].as_str().unwrap_or_default())
        })
        .collect();
    // `web-dev` is written out and generated: the generated one is left out, and the run fails.
    assert_eq!(json.code, Some(2), "{}", json.transcript());
    assert_eq!(
        lines,
        ["root 0 ", "team 1 argocd/root", "leaf 2 argocd/team", "web-dev 2 argocd/team", "web-prod 2 argocd/team"]
    );
    let words = json.stderr.split_whitespace().collect::<Vec<_>>().join(" ").replace(" │ ", " ");
    for expected in [
        "Applications contain each other: argocd/root → argocd/root",
        "Applications contain each other: argocd/team → argocd/leaf → argocd/team",
        "2 Applications are named `web-dev`",
    ] {
        assert!(words.contains(expected), "{expected}: {}", json.transcript());
    }
    assert_eq!(run("name").stdout, "root\n  team\n    leaf\n    web-dev\n    web-prod\n");
    drop(git);
}

#[test]
fn charts_and_kustomizations_that_contain_applications_are_rendered_first() {
    let (helm, kustomize) = (or_skip!(program("helm")), or_skip!(program("kustomize")));
    let template = application("NAME", "https://git.example.com/shop", "web").to_string();
    let set =
        application_set(&json!([{"list": {"elements": [{"stage": "dev"}]}}]), "set-{{.stage}}", "web").to_string();
    let folder = TestRepo::new()
        .file("chart/Chart.yaml", "apiVersion: v2\nname: apps\nversion: 1.0.0\n")
        .file("chart/values.yaml", "apps: [one, two]\n")
        .file(
            "chart/templates/apps.yaml",
            format!("{{{{ range .Values.apps }}}}\n---\n{}\n{{{{ end }}}}\n", template.replace("NAME", "{{ . }}")),
        )
        .file("kustom/base/apps.yaml", format!("{}\n---\n{set}\n", template.replace("NAME", "app")))
        .file("kustom/base/kustomization.yaml", "resources: [apps.yaml]\n")
        .file("kustom/prod/kustomization.yaml", "resources: [../base]\nnamePrefix: prod-\n")
        .commit("apps");
    let run = trueup(["expand", "--chart", "chart", "-k", "kustom/base", "-o", "name"])
        .in_folder(folder.path())
        .env("TRUEUP_HELM", helm)
        .env("TRUEUP_KUSTOMIZE", &kustomize)
        .exits(0);
    assert_eq!(run.stdout, "one\ntwo\napp\nset-dev\n", "{}", run.transcript());
    let prod = trueup(["expand", "-k", "kustom/prod", "-o", "name"])
        .in_folder(folder.path())
        .env("TRUEUP_KUSTOMIZE", &kustomize)
        .exits(0);
    assert!(prod.stdout.contains("prod-app\n"), "{}", prod.transcript());
    trueup(["expand", "-k", "gone"]).in_folder(folder.path()).exits(2);
}

#[test]
fn explanations_are_comments_and_json() {
    let set =
        application_set(&json!([{"list": {"elements": [{"stage": "dev"}]}}]), "web-{{.stage}}", "overlays/{{.stage}}");
    let folder = folder_with([("set.yaml", &set.to_string())]);
    let run = |format: &str| {
        trueup(["expand", "set.yaml", "--explain", "-o", format]).in_folder(folder.path()).exits(0).stdout
    };
    let yaml = run("yaml");
    let comments: Vec<&str> = yaml.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(
        comments,
        [
            "# ApplicationSet shop, generators[0].list, parameter set 1",
            "# metadata.name: web-{{.stage}}",
            "#   stage = dev (generators[0].list)",
            "# spec.source.path: overlays/{{.stage}}",
            "#   stage = dev (generators[0].list)",
        ]
    );
    let json: Value = serde_json::from_str(&run("json")).expect("JSON");
    assert_eq!(json[0]["application"]["metadata"]["name"], "web-dev");
    assert_eq!(
        json[0]["values"][1],
        json!({"field": "spec.source.path", "template": "overlays/{{.stage}}",
            "parameters": [{"name": "stage", "value": "dev", "generator": "generators[0].list"}]})
    );
}

/// Files without anything of Argo CD's cost next to nothing: ten thousand take 0.3 s in a release build; this one is slower.
#[test]
fn ten_thousand_files_are_walked() {
    let folder = tempfile::tempdir().expect("a folder");
    for directory in 0..100 {
        let path = folder.path().join(format!("team-{directory}/manifests"));
        std::fs::create_dir_all(&path).expect("the folder is ours");
        for file in 0..100 {
            let mut text = String::new();
            let _ = write!(
                text,
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c-{directory}-{file}}}\ndata: {{a: b}}\n"
            );
            std::fs::write(path.join(format!("{file}.yaml")), text).expect("the folder is ours");
        }
    }
    let set = application_set(&json!([{"list": {"elements": [{"stage": "dev"}]}}]), "web-{{.stage}}", ".").to_string();
    std::fs::write(folder.path().join("set.yaml"), set).expect("the folder is ours");
    let started = std::time::Instant::now();
    let run = trueup(["expand", ".", "-o", "name"]).in_folder(folder.path()).exits(0);
    assert_eq!(run.stdout, "web-dev\n", "{}", run.transcript());
    assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
}
