//! Who wrote what, when and from what to what: a line for each write.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{TestCluster, TestRepo, config_map, or_skip, trueup};

fn lines(file: &std::path::Path) -> Vec<Value> {
    fs::read_to_string(file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn shown(lines: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let hashed = |value: &Value| if value.is_null() { "-" } else { "hash" };
    let line = |line: &Value| {
        let (verb, result) = (text(&line["verb"]), text(&line["result"]));
        let (kind, name) = (text(&line["object"]["kind"]), text(&line["object"]["name"]));
        format!(
            "{} {verb} {kind} {name} {} {} {result}",
            text(&line["by"]),
            hashed(&line["before"]),
            hashed(&line["after"])
        )
    };
    lines.iter().map(line).collect()
}

/// An auditor asks who changed what: each write has a line, in order, chained by hashes, and a Secret has none to guess from.
#[test]
fn each_write_of_a_sync_has_a_line() {
    let cluster = or_skip!(TestCluster::namespace());
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n";
    let git = TestRepo::new()
        .file("a.yaml", config_map("a"))
        .file("b.yaml", config_map("b"))
        .file("s.yaml", secret)
        .commit("one");
    let shop = git.application(cluster.name()).deployed_to(&cluster);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    let audit = format!("audit={}", file.display());
    let sync = |arguments: &[&str]| {
        trueup(["sync", "-q", "-y", "-o", "json", "-o"]).argument(&audit).arguments(arguments).of(&shop)
    };

    sync(&["--by", "ann"]).exits(0);
    let first = lines(&file);
    let mut names: Vec<String> = shown(&first);
    // Objects of one kind are written side by side.
    names[1..].sort_unstable();
    assert_eq!(
        names,
        [
            "ann create Secret s - - done".to_owned(),
            "ann create ConfigMap a - hash done".to_owned(),
            "ann create ConfigMap b - hash done".to_owned(),
        ]
    );
    assert_eq!(first[1]["revisions"], json!([git.head()]));
    assert!(!fs::read_to_string(&file).unwrap().contains("hunter2"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    let git = git.file("a.yaml", config_map("a").data("more", "1")).remove("b.yaml").commit("two");
    // Without controllers, a deletion waits for its dependents: drift is left.
    sync(&["--prune"]).env("GITHUB_ACTOR", "bob").exits(1);
    let all = lines(&file);
    let second = |verb: &str| all[3..].iter().find(|line| line["verb"] == verb).unwrap().clone();
    let (applied, deleted) = (second("apply"), second("delete"));
    assert_eq!(
        shown(&[applied.clone(), deleted.clone()]),
        ["bob apply ConfigMap a hash hash done", "bob delete ConfigMap b hash - pending"]
    );
    assert_eq!(all.len(), 5);
    let created = |name: &str| first.iter().find(|line| line["object"]["name"] == name).unwrap()["after"].clone();
    assert_eq!((&applied["before"], &deleted["before"]), (&created("a"), &created("b")));
    assert_eq!(applied["revisions"], json!([git.head()]));
}

/// A refused write has a line too, what was done before it stays in the log, and nobody named is the Kubernetes user.
#[test]
fn a_run_that_fails_halfway_has_written_down_what_it_did() {
    let cluster = or_skip!(TestCluster::namespace());
    // Each could have the port; only the second write finds that it is taken.
    let service = |name: &str, wave: u8| {
        json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": name, "annotations": {"argocd.argoproj.io/sync-wave": wave.to_string()}},
            "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 31717}]},
        })
    };
    let git = TestRepo::new().file("a.yaml", service("a", 0)).file("b.yaml", service("b", 1)).commit("one");
    let shop = git.application(cluster.name()).deployed_to(&cluster);
    let account =
        cluster.account("half").may("get,list,create,update,patch", "configmaps,services,leases.coordination.k8s.io");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.jsonl");
    let run = trueup(["sync", "-q", "-y", "-o"]).argument(format!("audit={}", file.display()));

    run.argument(shop.manifest()).kubeconfig(account.kubeconfig()).exits(2);

    let user = account.user();
    let shown = shown(&lines(&file));
    assert_eq!(shown, [format!("{user} create Service a - hash done"), format!("{user} create Service b - - refused")]);
}

/// A log that cannot be opened refuses the run before anything is written; a diff has nothing to write down.
#[test]
fn an_audit_log_needs_a_file_that_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let git = TestRepo::new().file("a.yaml", config_map("a")).commit("one");
    let shop = git.application("shop");
    for (command, audit, expected) in [
        ("sync", "audit", "`audit` needs a file"),
        ("sync", "audit=missing/audit.jsonl", "could not be written"),
        ("diff", "audit=a.jsonl", "unknown report format `audit`"),
    ] {
        let yes = (command == "sync").then_some("-y");
        let outcome =
            trueup([command, "-o", audit]).arguments(yes).argument(shop.manifest()).in_folder(folder.path()).outcome();
        assert_eq!(outcome.code, Some(2), "{}", outcome.transcript());
        assert!(outcome.stderr.contains(expected), "{}", outcome.transcript());
    }
}
