//! What somebody reads before a sync, a rollback or a deletion asks, and after each answer. At a terminal, as people are.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{Missing, TestApplication, TestRepo, config_map, folder_with, or_skip, trueup};
use insta::assert_snapshot;
use serde_json::json;
use tempfile::TempDir;

/// Runs it at a terminal of `script`, and types the answer. What it printed on both streams, without the lines of progress.
fn answered(answer: &str, arguments: &[&str], application: &TestApplication, live: &Path) -> Result<String, Missing> {
    let quoted = |word: &str| format!("'{word}'");
    let manifest = application.manifest().to_str().expect("a path is text");
    let live = live.to_str().expect("a path is text");
    let words = [&[env!("CARGO_BIN_EXE_trueup")], arguments, &[manifest, "--live", live]].concat();
    let command_line = words.into_iter().map(quoted).collect::<Vec<_>>().join(" ");
    let home = folder_with([]);
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", &command_line, "/dev/null"]).env_clear();
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.envs([("HOME", home.path().to_str().unwrap()), ("NO_COLOR", "1"), ("CI", "1"), ("COLUMNS", "100")]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else { return Err(Missing::of("script (util-linux)")) };
    child.stdin.take().expect("it is piped").write_all(format!("{answer}\n").as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    let is_progress = |line: &&str| {
        ["fetched ", "rendered ", "listed ", "compared ", "ran ", "20"].iter().any(|start| line.starts_with(start))
    };
    // The terminal echoes what is typed, before anybody reads it.
    let echo = format!("{answer}\n");
    let text = text.strip_prefix(&echo).unwrap_or(&text).replace("[y/N] compared 1 application", "[y/N] ");
    let lines = text.lines().filter(|line| !is_progress(line));
    Ok(lines.map(|line| line.trim_end().to_owned() + "\n").collect())
}

/// An application that was synced to a folder once; since then git changed one object, added one and removed one.
fn shop() -> (TestRepo, TestApplication, TempDir) {
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    let git = TestRepo::new()
        .file("settings.yaml", config_map("settings").data("level", "info"))
        .file("old.yaml", config_map("old"))
        .file("data.yaml", claim)
        .commit("first");
    let destination = json!({"server": "https://shop.example.com", "name": "", "namespace": "shop"});
    let shop = git.application("shop").destination(destination);
    let live = folder_with([]);
    trueup(["sync", "-y", "-q"]).of(&shop).live(live.path()).exits(0);
    let git = git
        .file("settings.yaml", config_map("settings").data("level", "debug"))
        .file("new.yaml", config_map("new"))
        .remove("old.yaml")
        .commit("second");
    (git, shop, live)
}

/// Folders and commits have names of their own on every machine.
fn stable(text: &str, live: &TempDir, git: &TestRepo) -> String {
    let url = git.url();
    let age = regex::Regex::new(r"\b\d+\w+ ago\b").unwrap();
    let text = age.replace_all(text, "[AGO]");
    text.replace(&live.path().display().to_string(), "[live]")
        .replace(&url, "[repo]")
        .replace(&git.head()[..7], "[head]")
}

/// Whoever syncs by hand sees what will change, value by value, and where, before saying yes; *n* changes nothing.
#[test]
fn a_sync_shows_the_diff_the_steps_and_one_line_before_it_asks() {
    let (git, shop, live) = shop();
    let before = std::fs::read_to_string(live.path().join("shop/configmap-settings.yaml")).unwrap();

    let refused = or_skip!(answered("n", &["sync", "--prune"], &shop, live.path()));

    assert_snapshot!(stable(&refused, &live, &git), @r"
    live → git: what a sync would change

    shop  OutOfSync  1 changed, 1 missing, 1 extra, 1 in sync
      cluster  [live]  namespace shop
      source   [repo]  .  HEAD  [head]  local repository

      ~ ConfigMap shop/settings  changed  settings.yaml:1
        compared without the server: a folder cannot be asked
        data.level  info → debug  changed in git
        commit [head]  second, Ada, [AGO]

      + ConfigMap shop/new  missing in the cluster, new in git since the last sync  new.yaml:1
        commit [head]  second, Ada, [AGO]

      - ConfigMap shop/old  extra, not in git, removed from git since the last sync  shop/configmap-old.yaml:2
        commit [head]  second, Ada, [AGO]

    argocd/shop  1 to create, 1 to change, 1 to delete  [live]  [head]
      Sync, wave 0
        - ConfigMap shop/old  removed from git
        + ConfigMap shop/new  new in git
        ~ ConfigMap shop/settings  changed: /data/level (changed in git)

    Plan: 1 to create, 1 to change, 1 to delete, on [live]. Apply? [y/N]
    nothing was changed
    ");
    assert_eq!(std::fs::read_to_string(live.path().join("shop/configmap-settings.yaml")).unwrap(), before);

    let done = or_skip!(answered("y", &["sync", "--prune"], &shop, live.path()));
    assert!(!done.contains("nothing was changed") && done.contains("sync     Succeeded"), "{done}");
    trueup(["diff", "-q"]).of(&shop).live(live.path()).exits(0);
}

/// Deleting speaks of deleting: which application, where, and what stays and why.
#[test]
fn a_deletion_names_the_application_the_cluster_and_what_stays() {
    let (git, shop, live) = shop();
    let refused = or_skip!(answered("n", &["delete", "--app", "shop"], &shop, live.path()));
    assert_snapshot!(stable(&refused, &live, &git), @r"
    argocd/shop  2 to delete, 1 held  [live]  [head]
      Sync, wave 0
        - ConfigMap shop/settings  the application is deleted
        - ConfigMap shop/old  the application is deleted
      ! PersistentVolumeClaim shop/data  its data would be lost with it; needs `--prune-protected`, or `--orphan`

    Plan: 2 to delete, 1 stays, on [live]. Delete application `shop`? [y/N]
    nothing was changed
    ");
    assert!(live.path().join("shop/configmap-settings.yaml").exists());
}

/// A rollback says to which entry it went and where git is now, and every report after it says that it is in effect.
#[test]
fn a_rollback_says_to_which_entry() {
    let (git, shop, live) = shop();
    let first = git.git(["rev-parse", "HEAD~1"])[..7].to_owned();
    trueup(["sync", "-y", "-q", "--prune"]).of(&shop).live(live.path()).exits(0);
    let head = git.head()[..7].to_owned();

    let refused = or_skip!(answered("n", &["rollback", "--app", "shop", "1"], &shop, live.path()));
    let question = format!("Roll back `shop` to entry 1 ({first})? [y/N]");
    assert!(refused.contains(&question) && refused.contains("nothing was changed"), "{refused}");

    let done = trueup(["rollback", "-y", "-q", "--app", "shop", "1"]).of(&shop).live(live.path()).outcome();
    let said = format!("history  Synced to entry 1 ({first}); HEAD is at {head}");
    assert!(done.stdout.contains(&said), "{said}\n{}", done.transcript());

    let diff = trueup(["diff", "-q", "-o", "text", "-o", "json=report.json"]).of(&shop).live(live.path());
    let here = folder_with([]);
    let diff = diff.in_folder(here.path()).exits(1);
    let said = format!("history  rolled back to entry 1 ({first}); HEAD is at {head}");
    assert!(diff.stdout.contains(&said), "{said}\n{}", diff.transcript());
    let report = std::fs::read_to_string(here.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["applications"][0]["rolledBack"]["entry"], 1);
}

/// After a plan was saved, the next command is on the screen.
#[test]
fn a_saved_plan_says_how_it_is_applied() {
    let (_git, shop, live) = shop();
    let here = folder_with([]);
    let saved = trueup(["sync", "--prune", "--plan", "plan.json"]).of(&shop).live(live.path()).in_folder(here.path());
    let saved = saved.exits(1);
    let manifest = shop.manifest().display();
    let said =
        format!("within 1h apply it with: trueup sync --from plan.json {manifest} --live {}", live.path().display());
    assert!(
        saved.stderr.contains("nothing was changed") && saved.stderr.contains(&said),
        "{said}\n{}",
        saved.transcript()
    );
    trueup(["sync", "-q", "--from", "plan.json"]).of(&shop).live(live.path()).in_folder(here.path()).exits(0);
}
