//! The kinds of Kubernetes, as their real controllers leave them: that is what the rules read.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::resource;
use crate::harness::{TestApplication, TestCluster, TestRepo, deployment, or_skip, trueup};

/// A pod's template, one line shorter than YAML would have it.
fn template(name: &str, policy: &str, more: &str) -> String {
    format!(
        "metadata: {{labels: {{app: {name}}}}}\n    spec: {{{more}restartPolicy: {policy}, containers: [{{name: app, image: 'registry.example.com/app:1'}}]}}"
    )
}

fn selector(name: &str) -> String {
    format!("selector: {{matchLabels: {{app: {name}}}}}")
}

fn workload(kind: &str, name: &str, more: &str) -> String {
    let (selector, template) = (selector(name), template(name, "Always", ""));
    format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n  {more}\n  {selector}\n  template:\n    {template}\n"
    )
}

fn job(name: &str, more: &str, of_pod: &str) -> String {
    let template = template(name, "Never", of_pod);
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  {more}\n  template:\n    {template}\n"
    )
}

fn cron_job(name: &str, more: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: {name}}}\nspec:\n  schedule: '0 3 1 1 *'\n  {more}\n  jobTemplate:\n    spec:\n      template:\n        spec: {{restartPolicy: Never, containers: [{{name: app, image: 'registry.example.com/app:1'}}]}}\n"
    )
}

fn budget(name: &str, app: &str, more: &str) -> String {
    let selector = selector(app);
    format!(
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: {name}}}\nspec:\n  {more}\n  {selector}\n"
    )
}

fn autoscaler(name: &str, target: &str) -> String {
    format!(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: {name}}}\nspec:\n  maxReplicas: 3\n  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {target}}}\n"
    )
}

fn claim(name: &str, volume: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}}}\nspec:\n  accessModes: [ReadWriteOnce]\n  storageClassName: ''\n  volumeName: '{volume}'\n  resources: {{requests: {{storage: 1Gi}}}}\n"
    )
}

/// A volume that already exists; it belongs to no namespace, so its name has the test's.
fn volume(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: {name}}}\nspec:\n  accessModes: [ReadWriteOnce]\n  capacity: {{storage: 1Gi}}\n  hostPath: {{path: /nowhere}}\n"
    )
}

/// Asks again and again until everything is as expected; fails with the last report.
#[track_caller]
fn becomes(application: &TestApplication, expected: &[(&str, &str, &str)]) -> Value {
    let started = Instant::now();
    loop {
        let run = trueup(["health", "-q", "-o", "json"]).of(application).outcome();
        let report = run.json();
        let differs = expected.iter().find(|(kind, name, health)| resource(&report, kind, name)["health"] != *health);
        match differs {
            None => return report,
            Some(differs) => assert!(started.elapsed() < Duration::from_secs(90), "{differs:?}: {report:#}"),
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// All is well: somebody waits for a release, and it comes.
#[test]
fn what_works_is_healthy() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let held = volume(&format!("{}-held", cluster.name()));
    let git = TestRepo::new()
        .file("web.yaml", deployment("web").replicas(2))
        .file("set.yaml", workload("StatefulSet", "set", "serviceName: set"))
        .file("agent.yaml", workload("DaemonSet", "agent", "minReadySeconds: 0"))
        .file("done.yaml", job("done", "backoffLimit: 0", ""))
        .file("held.yaml", job("held", "suspend: true", "nodeSelector: {disk: none-has-it}, "))
        .file("nightly.yaml", cron_job("nightly", "suspend: true"))
        .file("yearly.yaml", cron_job("yearly", "suspend: false"))
        .file("budget.yaml", budget("web", "web", "maxUnavailable: 1"))
        .file("volume.yaml", &held)
        .file("claim.yaml", claim("data", &format!("{}-held", cluster.name())))
        .commit("one of each");
    let all = git.application("all").deployed_to(&cluster);
    cluster.kubectl(["apply", "--server-side", "-f", &git.path().to_string_lossy()]);

    let report = trueup(["wait", "--timeout", "100s", "-q", "-o", "json"]).of(&all).exits(0).json();

    for (kind, name, health) in [
        ("Deployment", "web", "Healthy"),
        ("StatefulSet", "set", "Healthy"),
        ("DaemonSet", "agent", "Healthy"),
        ("Job", "done", "Healthy"),
        ("Job", "held", "Suspended"),
        ("CronJob", "nightly", "Healthy"),
        ("CronJob", "yearly", "Healthy"),
        ("PodDisruptionBudget", "web", "Healthy"),
        ("PersistentVolumeClaim", "data", "Healthy"),
    ] {
        assert_eq!(resource(&report, kind, name)["health"], health, "{kind} {name}: {report:#}");
    }

    // A Job that is resumed runs, and is not done: Argo CD calls it healthy.
    cluster.kubectl(["patch", "job/held", "--type=merge", "-p", r#"{"spec": {"suspend": false}}"#]);
    cluster.kubectl(["wait", "job/held", "--for=condition=Suspended=False", "--timeout=60s"]);
    becomes(&all, &[("Job", "held", "Progressing")]);
}

/// What fails, and what is stuck, each in the words of its controller.
#[test]
fn what_does_not_work_is_not_healthy() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let lost = format!("{}-lost", cluster.name());
    let nowhere = "nodeSelector: {disk: none-has-it}, ";
    let failing = job("broken", "backoffLimit: 0", "")
        .replace("labels:", "annotations: {test.trueup.dev/outcome: Failed}, labels:");
    let git = TestRepo::new()
        .file("broken.yaml", failing)
        .file("stuck.yaml", job("stuck", "backoffLimit: 0", nowhere))
        .file(
            "set.yaml",
            workload("StatefulSet", "set", "serviceName: set").replace("spec: {", &format!("spec: {{{nowhere}")),
        )
        .file("agent.yaml", workload("DaemonSet", "agent", "minReadySeconds: 3600"))
        .file("budget.yaml", budget("stuck", "stuck", "maxUnavailable: 50%"))
        .file("autoscaler.yaml", autoscaler("web", "nobody"))
        .file("blind.yaml", deployment("blind"))
        .file("without-metrics.yaml", autoscaler("blind", "blind"))
        .file("claim.yaml", claim("data", &lost))
        .file("waits.yaml", claim("waits", "no-such-volume"))
        .commit("one of each");
    let all = git.application("all").deployed_to(&cluster);
    cluster.apply(volume(&lost));
    cluster.kubectl(["apply", "--server-side", "-f", &git.path().to_string_lossy()]);
    becomes(&all, &[("PersistentVolumeClaim", "data", "Healthy")]);
    cluster.kubectl(["patch", &format!("pv/{lost}"), "--type=merge", "-p", r#"{"metadata": {"finalizers": null}}"#]);
    cluster.kubectl(["delete", &format!("pv/{lost}"), "--wait=false"]);
    cluster.kubectl(["patch", &format!("pv/{lost}"), "--type=merge", "-p", r#"{"metadata": {"finalizers": null}}"#]);

    let report = becomes(
        &all,
        &[
            ("Job", "broken", "Degraded"),
            ("Job", "stuck", "Progressing"),
            ("StatefulSet", "set", "Progressing"),
            ("DaemonSet", "agent", "Progressing"),
            ("PodDisruptionBudget", "stuck", "Degraded"),
            ("HorizontalPodAutoscaler", "web", "Degraded"),
            // It can scale its target, and has no metrics: no cluster without a metrics server has any.
            ("HorizontalPodAutoscaler", "blind", "Degraded"),
            ("PersistentVolumeClaim", "data", "Degraded"),
            ("PersistentVolumeClaim", "waits", "Progressing"),
        ],
    );

    for (kind, name, words) in [
        ("Job", "broken", "Job has reached the specified backoff limit"),
        ("StatefulSet", "set", "Waiting for 1 pods to be ready..."),
        (
            "DaemonSet",
            "agent",
            "Waiting for daemon set \"agent\" rollout to finish: 0 of 1 updated pods are available...",
        ),
        ("PodDisruptionBudget", "stuck", "PodDisruptionBudget has SyncFailed"),
        ("HorizontalPodAutoscaler", "web", "deployments.apps \"nobody\" not found"),
    ] {
        let message = resource(&report, kind, name)["message"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{kind} {name}: {message}");
    }
}

/// An API that somebody else serves is available, or nobody answers for it.
#[test]
fn an_aggregated_api_is_healthy_when_it_is_available() {
    let cluster = or_skip!(TestCluster::alone());
    let service = |version: &str, service: &str| {
        format!(
            "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {{name: {version}}}\nspec:\n  group: {}\n  version: v1\n  groupPriorityMinimum: 1000\n  versionPriority: 10\n{service}",
            version.strip_prefix("v1.").unwrap_or_default()
        )
    };
    let nobody = "  insecureSkipTLSVerify: true\n  service: {name: nobody, namespace: default}\n";
    let git = TestRepo::new()
        .file("apps.yaml", service("v1.apps", ""))
        .file("broken.yaml", service("v1.broken.example.com", nobody))
        .commit("two APIs");
    let apis = git.application("apis").deployed_to(&cluster);
    cluster.apply(service("v1.broken.example.com", nobody));

    let report =
        becomes(&apis, &[("APIService", "v1.apps", "Healthy"), ("APIService", "v1.broken.example.com", "Progressing")]);

    let message = resource(&report, "APIService", "v1.broken.example.com")["message"].as_str().unwrap_or_default();
    assert!(message.contains("service/nobody in \"default\" is not present"), "{message}");
    // Whoever uses this server next wants all its APIs to answer.
    cluster.kubectl(["delete", "apiservice", "v1.broken.example.com"]);
}
