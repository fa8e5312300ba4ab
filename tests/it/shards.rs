//! `--shard`: a fleet in parts, as an Indexed Job runs it; `--fail-fast`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{TestCluster, TestRepo, config_map, folder_with, or_skip, trueup};

/// examples/fleet, the Job's own command line for each index, under the Job's own account: together the pods cover every
/// Application exactly once, and the account cannot write.
#[test]
fn the_pods_of_the_fleets_job_cover_each_application_once() {
    let cluster = or_skip!(TestCluster::namespace());
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/fleet");
    // Other tests have namespaces of the same names on this server.
    cluster.try_kubectl(cluster.kubeconfig(), &["create", "namespace", "guestbook"], "");
    cluster.kubectl(["apply", "-k", example.to_str().unwrap()]);
    let job: Value =
        serde_json::from_str(&cluster.kubectl(["get", "job", "fleet", "-n", "trueup", "-o", "json"])).unwrap();
    assert_eq!(job["spec"]["completionMode"], "Indexed");
    let pod = &job["spec"]["template"]["spec"];
    let account = cluster.kubeconfig_of("trueup", pod["serviceAccountName"].as_str().unwrap());
    let arguments: Vec<&str> =
        pod["containers"][0]["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap()).collect();
    let checkout = format!("--repo=https://github.com/trueup-dev/trueup={}", env!("CARGO_MANIFEST_DIR"));

    let mut covered: BTreeMap<String, usize> = BTreeMap::new();
    for index in 0..job["spec"]["completions"].as_u64().unwrap() {
        let report = trueup([])
            .arguments(&arguments)
            .argument(&checkout)
            .argument("-o=json")
            .env("JOB_COMPLETION_INDEX", index.to_string())
            .kubeconfig(&account)
            .outcome();
        assert!(matches!(report.code, Some(0 | 1)), "{}", report.transcript());
        for application in report.json()["applications"].as_array().unwrap() {
            *covered.entry(application["name"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    let expected = ["blog", "cart", "catalog", "checkout", "search", "shop"];
    assert_eq!(covered, expected.map(|name| (name.to_owned(), 1)).into());
    let write = ["auth", "can-i", "patch", "configmaps", "-n", "guestbook", "--as=system:serviceaccount:trueup:fleet"];
    let answer = cluster.try_kubectl(cluster.kubeconfig(), &write, "");
    assert_eq!(String::from_utf8_lossy(&answer.stdout).trim(), "no");
}

/// An Application whose manifest is wrong is reported by one part, like any other; a part without Applications is in sync.
#[test]
fn every_application_is_in_one_part_whatever_is_wrong_with_it() {
    let git = TestRepo::new().file("a/a.yaml", config_map("a")).commit("a");
    let application = |name: &str, path: &str| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "argocd"},
            "spec": {"project": "default", "source": {"repoURL": git.url(), "path": path},
                "destination": {"name": "in-cluster", "namespace": "default"}}})
    };
    let mut broken = application("broken", "a");
    broken["spec"].as_object_mut().unwrap().remove("destination");
    let apps = folder_with([("good.yaml", &application("good", "a")), ("broken.yaml", &broken)]);
    let live = folder_with([("a.yaml", &config_map("a"))]);
    let part = |shard: &str| {
        let run = trueup(["diff", ".", "-q", "-o", "json", "--shard", shard]).in_folder(apps.path()).live(live.path());
        let outcome = run.outcome();
        let names = outcome.json()["applications"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].clone())
            .collect::<Vec<_>>();
        (names, outcome.code)
    };
    let parts: Vec<_> = (1..=5).map(|index| part(&format!("{index}/5"))).collect();
    let mut names: Vec<&str> = parts.iter().flat_map(|(names, _)| names).filter_map(Value::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["broken", "good"], "{parts:?}");
    for (names, code) in &parts {
        let expected = if names.contains(&json!("broken")) { 2 } else { 0 };
        assert_eq!(*code, Some(expected), "{parts:?}");
    }
    let wrong = trueup(["diff", ".", "--shard", "auto/3"]).in_folder(apps.path()).exits(2);
    assert!(wrong.stderr.contains("JOB_COMPLETION_INDEX"), "{}", wrong.transcript());
}

/// A repository has its root application and the children's manifests side by side: each is in one part, a child that no file
/// has in the part of its parent.
#[test]
fn a_child_is_in_one_part() {
    let git = TestRepo::new();
    let application = |name: &str, path: &str| {
        json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "argocd"},
            "spec": {"project": "default", "source": {"repoURL": git.url(), "path": path},
                "destination": {"name": "in-cluster", "namespace": "argocd"}}})
        .to_string()
    };
    let children: Vec<String> = (0..6).map(|number| format!("child-{number}")).collect();
    let (root, hidden) = (application("root", "children"), application("hidden", "a"));
    let files: Vec<(String, String)> =
        children.iter().map(|name| (format!("children/{name}.yaml"), application(name, "a"))).collect();
    let git = git.file("a/a.yaml", config_map("a")).file("root.yaml", root).file("children/hidden.txt", "");
    let git = files.into_iter().fold(git, |git, (file, text)| git.file(&file, text));
    let git = git.file("children/more/hidden.yaml", &hidden).commit("app of apps");
    // The root contains `hidden`, and nobody walks the folder that has it.
    let root = git.path().join("root.yaml");
    let text = std::fs::read_to_string(&root)
        .unwrap()
        .replace("\"path\":\"children\"", "\"path\":\"children\",\"directory\":{\"recurse\":true}");
    std::fs::write(&root, text).unwrap();
    let live = folder_with([("a.yaml", &config_map("a"))]);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for index in 1..=3 {
        let mut run = trueup(["diff", "-q", "-o", "json", "--shard", &format!("{index}/3")]).live(live.path());
        run = run.argument(&root);
        run = children.iter().fold(run, |run, name| run.argument(git.path().join(format!("children/{name}.yaml"))));
        let outcome = run.outcome();
        for application in outcome.json()["applications"].as_array().unwrap() {
            *seen.entry(application["name"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    let expected = children.iter().map(String::as_str).chain(["hidden", "root"]);
    assert_eq!(seen, expected.map(|name| (name.to_owned(), 1)).collect());
}

/// A pipeline that is to stop at the first failure: applications that are not begun are not written, and say so.
#[test]
fn nothing_is_begun_after_the_first_failure_when_asked_so() {
    let cluster = or_skip!(TestCluster::namespace());
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"ports": [{"port": 123_456}], "selector": {"app": "web"}}});
    let git = TestRepo::new()
        .file("bad/web.yaml", service)
        .file("good/a.yaml", config_map("a"))
        .file("unreadable/a.yaml", "kind: [\n")
        .commit("three applications");
    let bad = git.application("bad").path("bad").deployed_to(&cluster);
    let good = git.application("good").path("good").deployed_to(&cluster);
    let unreadable = git.application("unreadable").path("no-such-folder").deployed_to(&cluster);
    for first in [&bad, &unreadable] {
        let run = trueup(["sync", "-y", "--fail-fast", "--concurrency", "1", "-o", "json"])
            .of(first)
            .argument(good.manifest())
            .exits(2);
        let report = run.json();
        let conditions = report["applications"][1]["conditions"].as_array().unwrap();
        assert!(conditions.iter().any(|one| one["code"] == "trueup::sync::not_run"), "{}", run.transcript());
        assert!(run.stderr.contains("good: not run: another application failed before"), "{}", run.transcript());
        let absent = cluster.try_kubectl(cluster.kubeconfig(), &["get", "configmap", "a"], "");
        assert!(!absent.status.success(), "{}", run.transcript());
    }
    trueup(["sync", "-y", "--fail-fast"]).of(&good).exits(0);
}
