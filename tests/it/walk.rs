//! Whole repositories as PATH: what is said of them is short, true, and said once.

use serde_json::json;

use crate::harness::{TestApplication, TestRepo, config_map, folder_with, trueup};

fn application(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: argocd}}\nspec: {{{spec}}}\n"
    )
}

/// A repository with charts, kustomizations and Applications of one name: a page of warnings, and `-v` names every file.
#[test]
fn a_walked_repository_says_little_and_verbose_says_all() {
    let git = TestRepo::new().file("settings.yaml", config_map("settings")).commit("settings");
    let cluster = "destination: {server: 'https://kubernetes.default.svc', namespace: default}";
    let whole = format!("project: default, source: {{repoURL: '{}', path: .}}, {cluster}", git.url());
    let elsewhere = whole.replace("namespace: default", "namespace: copies");
    let template = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: '{{ .Values.name }}'}\n";
    let walked = folder_with([
        ("web.yaml", &application("web", &whole)),
        ("chart/Chart.yaml", &"name: chart\n"),
        ("chart/templates/a.yaml", &template),
        ("chart/templates/b.yaml", &template),
        ("chart/templates/service.yaml", &"kind: Service\nname: {{ .x }}\n"),
        ("broken.yaml", &"a: b\n c: d\n"),
        ("prod/kustomization.yaml", &"resources: [a.yaml, b.yaml]\n"),
        ("prod/a.yaml", &application("a", "project: default, source: {repoURL: x, path: here}")),
        ("prod/b.yaml", &application("b", "project: default, source: {repoURL: x, path: here}")),
        ("copies/1.yaml", &application("copy", &elsewhere)),
        ("copies/2.yaml", &application("copy", &elsewhere)),
        ("copies/3.yaml", &application("copy", &elsewhere)),
    ]);
    let live = folder_with([("settings.yaml", &config_map("settings"))]);
    let run = |flags: &[&str]| {
        let run = trueup(["diff", "."]).in_folder(walked.path()).live(live.path());
        run.arguments(flags.iter().copied()).exits(2).stderr
    };
    insta::assert_snapshot!(run(&["-q"]), @r"
      ⚠ ./chart: the templates of a Helm chart are not read, and 2 of them make Applications
      help: render the chart, as with `helm template ./chart`, and give the output
      ⚠ ./prod/kustomization.yaml: 2 Applications (`a`, `b`) are not complete without Kustomize, and
      │ not read
      help: build them, as with `kubectl kustomize`, and give the output
      × copy: 3 Applications have this name: ./copies/1.yaml:1, ./copies/2.yaml:1 and ./
      │ copies/3.yaml:1
      help: the first was taken; rename or remove the others, or build them if Kustomize renames them
    ");
    let verbose = run(&["-v"]);
    for file in ["chart/templates/a.yaml", "chart/templates/service.yaml", "broken.yaml"] {
        assert!(verbose.contains(&format!("skipped ./{file}")), "{verbose}");
    }
}

/// A project's rules are checked where its AppProject is given; where none is, nobody is to think so.
#[test]
fn an_application_of_another_project_says_once_that_the_project_is_not_checked() {
    let git = TestRepo::new().file("settings.yaml", config_map("settings")).commit("settings");
    let live = folder_with([("settings.yaml", &config_map("settings"))]);
    let shop = git.application("shop").spec_field("project", json!("till"));
    let outcome = trueup(["diff", "-q"]).of(&shop).live(live.path()).exits(0);
    insta::assert_snapshot!(outcome.stderr, @r"
    ⚠ shop: project `till` is not checked: the application can do what the project forbids
    help: add the AppProjects to PATH to check them
    ");
    let till = git.application("till").spec_field("project", json!("till"));
    let outcome = trueup(["diff", "-q"]).of(&shop).of(&till).live(live.path()).exits(0);
    assert_eq!(outcome.stderr.matches("is not checked").count(), 1, "{}", outcome.transcript());
    assert!(outcome.stderr.contains("shop and till: project `till`"), "{}", outcome.transcript());
    let report = trueup(["diff", "-o", "json"]).of(&shop).live(live.path()).exits(0).json();
    let condition = &report["applications"][0]["conditions"][0];
    assert_eq!((&condition["type"], &condition["severity"]), (&json!("ProjectWarning"), &json!("warning")));
    let plain = trueup(["diff", "-q"]).of(&git.application("plain")).live(live.path()).exits(0);
    assert_eq!(plain.stderr, "");
}

/// Argo CD: an application with a wrong specification is of unknown health; without `--health` nothing is said of it.
#[test]
fn an_application_with_a_wrong_specification_is_of_unknown_health() {
    let wrong = TestApplication::of_source("wrong", json!({"repoURL": "https://git.example.com/shop"}));
    let live = folder_with([("none.yaml", &"# nothing\n")]);
    let report = trueup(["diff", "-q", "--health", "-o", "json"]).of(&wrong).live(live.path()).exits(2).json();
    assert_eq!(report["applications"][0]["health"], "Unknown");
    let report = trueup(["diff", "-q", "-o", "json"]).of(&wrong).live(live.path()).exits(2).json();
    assert_eq!(report["applications"][0].get("health"), None);
}

/// A server that is down is one finding with one cause, whatever many layers lie between, and the advice works for charts.
#[test]
fn a_server_that_is_down_is_one_finding_with_one_cause() {
    let nobody = "http://127.0.0.1:1";
    let chart = |name: &str| {
        TestApplication::of_source(name, json!({"repoURL": nobody, "chart": "web", "targetRevision": "1.0.0"}))
    };
    let (web, api) = (chart("web"), chart("api"));
    let live = folder_with([("none.yaml", &"# nothing\n")]);
    let outcome = trueup(["diff", "-q"]).of(&web).of(&api).live(live.path()).exits(2);
    insta::assert_snapshot!(outcome.stderr, @r"
      × web and api: http://127.0.0.1:1/index.yaml cannot be reached
      ╰─▶ Connection refused (os error 111)
      help: check the host's name and the network; `--repo URL=DIR` uses a chart that was pulled into
            a folder, as with `helm pull --untar`
    ");
}

/// The same of a host that does not exist, whether a chart or a repository is fetched from it.
#[test]
fn a_host_that_does_not_exist_is_one_finding_with_one_cause() {
    let live = folder_with([("none.yaml", &"# nothing\n")]);
    for source in [
        json!({"repoURL": "http://charts.invalid", "chart": "web", "targetRevision": "1.0.0"}),
        json!({"repoURL": "https://git.invalid/shop.git", "path": "."}),
    ] {
        let outcome = trueup(["diff", "-q"]).of(&TestApplication::of_source("web", source)).live(live.path()).exits(2);
        let causes = outcome.stderr.matches("─▶").count();
        assert!(outcome.stderr.contains("cannot be reached") && causes == 1, "{}", outcome.transcript());
    }
}
