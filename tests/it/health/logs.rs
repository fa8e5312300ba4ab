//! What containers have written: the last lines, where somebody asks for them.

use crate::harness::{TestCluster, TestRepo, or_skip, trueup};

/// A Job whose pod fails, once.
const MIGRATE: &str = "apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {test.trueup.dev/outcome: Failed}}
    spec: {restartPolicy: Never, containers: [{name: app, image: 'registry.example.com/app:1'}]}
";

/// A migration failed at night: the report has what it said, with no password in it and nothing that a terminal obeys.
#[test]
fn the_log_of_a_failed_job_is_in_the_report() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let git = TestRepo::new().file("job.yaml", MIGRATE).commit("a migration");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.apply(MIGRATE);
    let wait = || trueup(["wait", "--timeout", "100s", "-q"]).of(&shop);

    let run = wait().arguments(["--logs=2"]).exits(3);

    let pod = cluster.kubectl(["get", "pods", "-l", "job-name=migrate", "-o", "jsonpath={.items[0].metadata.name}"]);
    let told = run.stdout.replace(&pod, "[POD]").replace(cluster.name(), "[NAMESPACE]");
    insta::assert_snapshot!(told, @r"
    shop  Degraded  1 degraded
      Degraded     batch/Job [NAMESPACE]/migrate  Job has reached the specified backoff limit
                   Pod [POD]: container app ended with exit code 1 (Error)
                   event: BackoffLimitExceeded: Job has reached the specified backoff limit
                   container app of Pod [POD] wrote at last:
                   | line 30
                   | no database at \x1b[31mpostgres://************@db/shop
    ");
    let report = wait().arguments(["--logs", "-o", "json"]).exits(3).json();
    let log = &report["applications"][0]["resources"][0]["logs"][0];
    assert_eq!(log["lines"].as_array().map(Vec::len), Some(10), "{report:#}");
    assert_eq!(wait().exits(3).stdout.matches("wrote").count(), 0);
}

/// It was started again a moment ago and has nothing to say yet: what the one before said is what counts.
#[test]
fn the_log_of_a_container_that_was_started_again_is_the_previous_one() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: app, image: 'registry.example.com/app:1'}]}\n";
    let git = TestRepo::new().file("pod.yaml", pod).commit("a pod");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.apply(pod);
    cluster.kubectl(["wait", "pod/web", "--for=condition=Ready", "--timeout=60s"]);
    let crashed = r#"{"status": {"conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": [
        {"name": "app", "image": "app:1", "imageID": "", "ready": false, "restartCount": 3,
         "state": {"running": {"startedAt": "2026-11-24T09:00:00Z"}},
         "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}}"#;
    cluster.kubectl(["patch", "pod/web", "--subresource=status", "--type=strategic", "-p", crashed]);

    let run = trueup(["health", "-q", "--logs=1"]).of(&shop).exits(3);
    assert!(run.stdout.contains("container app of Pod web wrote before its last restart:"), "{}", run.stdout);
    assert!(run.stdout.contains("| out of money"), "{}", run.stdout);
}

/// Who may see pods and not their logs gets everything else, and learns which right is missing.
#[test]
fn who_may_not_read_logs_is_told_so() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let git = TestRepo::new().file("job.yaml", MIGRATE).commit("a migration");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.apply(MIGRATE);
    cluster.kubectl(["wait", "job/migrate", "--for=condition=Failed", "--timeout=60s"]);
    let account = cluster.account("ci").may("get,list", "jobs.batch,pods,replicasets.apps,events");

    let run = trueup(["health", "-q", "--logs"]).of(&shop).kubeconfig(account.kubeconfig()).exits(3);
    let told = format!("could not be read: cluster {}-ci: `{}` cannot get `pods/log`", cluster.name(), account.user());
    assert!(run.stdout.contains(&told), "{told}\n{}", run.stdout);
    assert!(run.stdout.contains("ended with exit code 1"), "{}", run.stdout);
}
