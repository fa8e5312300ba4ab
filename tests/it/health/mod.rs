//! `trueup health` and `trueup wait` from end to end: plain manifests, a folder, and real controllers.

mod kinds;
mod logs;
mod operators;
mod scripts;
mod waiting;

use serde_json::Value;

use crate::harness::{TestApplication, TestRepo, config_map, deployment, folder_with, trueup};

/// One resource of a report, by kind and name.
#[track_caller]
fn resource<'report>(report: &'report Value, kind: &str, name: &str) -> &'report Value {
    let of_applications = report["applications"].as_array().into_iter().flatten();
    let lists = of_applications.map(|application| &application["resources"]).chain([&report["resources"]]);
    let mut resources = lists.filter_map(Value::as_array).flatten();
    let found = resources.find(|resource| resource["kind"] == kind && resource["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name} in {report:#}"))
}

/// What `kubectl get -o yaml` prints, without a cluster: everything is told, and what does not work decides the exit code.
#[test]
fn plain_manifests_are_judged_without_a_cluster() {
    let manifests = "
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web, namespace: shop, generation: 2}
  spec: {replicas: 3}
  status: {observedGeneration: 2, replicas: 3, updatedReplicas: 1, availableReplicas: 1}
- apiVersion: v1
  kind: Service
  metadata: {name: web, namespace: shop}
  spec: {type: LoadBalancer}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: tls, namespace: shop}
status: {conditions: [{type: Ready, status: 'False', reason: IssuanceFailed, message: \"no \\e[2Jmoney\"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
";
    insta::assert_snapshot!(trueup(["health", "-f", "-"]).stdin(manifests).exits(3), @r"
    1 degraded, 2 progressing, 1 without health
      Progressing  apps/Deployment shop/web  Waiting for rollout to finish: 1 out of 3 new replicas have been updated...
      Progressing  Service shop/web
      Degraded     cert-manager.io/Certificate shop/tls  Ready is False (IssuanceFailed): no \x1b[2Jmoney
      –            ConfigMap shop/settings
    [exit 3]
    ");

    let report = trueup(["health", "-f", "-", "--healthy-load-balancer-without-address", "-o", "json"]);
    let report = report.stdin(manifests).exits(3).json();
    assert_eq!(report["kind"], "HealthReport");
    assert_eq!(report["exitCode"], 3);
    assert_eq!(resource(&report, "Service", "web")["health"], "Healthy");
    assert_eq!(resource(&report, "ConfigMap", "settings").get("health"), None);
}

/// A file that is no manifest is an error, and hides nothing else.
#[test]
fn what_cannot_be_read_is_an_error_beside_the_verdicts() {
    let folder = folder_with([(
        "pod.yaml",
        &"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nstatus: {phase: Succeeded}\n---\n- no object\n",
    )]);
    let run = trueup(["health", "-f", "pod.yaml"]).in_folder(folder.path()).exits(2);
    insta::assert_snapshot!(run, @r"
    1 healthy
      Healthy      Pod web
    --- stderr
      × pod.yaml:6: health cannot be assessed
      ╰─▶ is a list, not an object with `apiVersion` and `kind`
      help: `-f` expects objects as `kubectl get -o yaml` prints them
    [exit 2]
    ");
    let run = trueup(["health", "-f", "absent.yaml"]).in_folder(folder.path()).exits(2);
    insta::assert_snapshot!(run, @r"
    --- stderr
      × absent.yaml: cannot be read
      ╰─▶ No such file or directory (os error 2)
      help: check its spelling and permissions
    [exit 2]
    ");
    let _ = trueup(["health"]).exits(2);
}

/// A shop of which one Deployment is paused, one is missing, and a hook is not there; and the folder that it lives in.
fn half_a_shop() -> (TestRepo, tempfile::TempDir) {
    let live = folder_with([(
        "live.yaml",
        &"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop, generation: 1}\nspec: {replicas: 1, paused: true}\n\
         ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\n",
    )]);
    let git = TestRepo::new()
        .file("web.yaml", deployment("web"))
        .file("settings.yaml", config_map("settings"))
        .file("late.yaml", deployment("late"))
        .file("hook.yaml", "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations: {argocd.argoproj.io/hook: PreSync}\n")
        .commit("the shop");
    (git, live)
}

fn shop_of(git: &TestRepo) -> TestApplication {
    git.application("shop")
        .destination(serde_json::json!({"server": "https://kubernetes.default.svc", "namespace": "shop"}))
}

/// A folder in place of a cluster: every resource that git has, by application.
#[test]
fn applications_are_judged_by_what_is_live() {
    let (git, live) = half_a_shop();
    let shop = shop_of(&git);

    // Paused on purpose, and one is missing, which does not count as long as something is there.
    insta::assert_snapshot!(trueup(["health", "-q"]).of(&shop).live(live.path()).exits(0), @r"
    shop  Suspended  1 missing, 1 suspended, 1 without health
      Missing      apps/Deployment shop/late
      Suspended    apps/Deployment shop/web  Deployment is paused
    [exit 0]
    ");

    insta::assert_snapshot!(trueup(["diff", "--health", "-q"]).of(&shop).live(live.path()).exits(1), @r#"
    live → git: what a sync would change

    shop  OutOfSync  Suspended  1 changed, 1 missing, 1 in sync
      cluster  [folder]  namespace shop
      source   file://[repo]/repo  .  HEAD  8f41de2  local repository

      ~ apps/Deployment shop/web  changed  web.yaml:1
        compared without the server: a folder cannot be asked
        spec.selector  unset → {"matchLabels":{"app":"web"}}
        spec.template
          + metadata:
          +   labels:
          +     app: web
          + spec:
          +   containers:
          +   - image: registry.example.com/web:1.0.0
          +     name: web

      + apps/Deployment shop/late  missing in the cluster  late.yaml:1

      Missing      apps/Deployment shop/late
      Suspended    apps/Deployment shop/web  Deployment is paused

    1 application  1 out of sync
    3 resources    1 changed, 1 missing, 1 in sync
    exit code 1    drift: something is changed, missing or extra
    [exit 1]
    "#);
}

/// Scripts read the same, and nothing of health where it was not asked for.
#[test]
fn health_is_in_the_report_where_it_is_asked_for() {
    let (git, live) = half_a_shop();
    let shop = shop_of(&git);

    let report = trueup(["diff", "--health", "-o", "json"]).of(&shop).live(live.path()).exits(1).json();
    assert_eq!(report["applications"][0]["health"], "Suspended");
    assert_eq!(resource(&report, "Deployment", "web")["health"], "Suspended");
    assert_eq!(resource(&report, "Deployment", "web")["healthMessage"], "Deployment is paused");
    assert_eq!(resource(&report, "Deployment", "late")["health"], "Missing");
    let report = trueup(["diff", "-o", "json"]).of(&shop).live(live.path()).exits(1).json();
    assert_eq!(report["applications"][0].get("health"), None);
}
