//! What a run leaves on the machine, and for whom: files for their owner alone, no children, no folders.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::harness::{TestRepo, config_map, folder_with, or_skip, program, trueup, until};

fn chart() -> TestRepo {
    TestRepo::new()
        .file("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("values.yaml", "password: swordfish\n")
        .file(
            "templates/a.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {a: {{ .Values.password }}}\n",
        )
        .file("prod.yaml", "password: swordfish2\n")
        .commit("a chart")
}

fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("helm");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Everything below a folder that somebody else than its owner may look at.
fn open_to_others(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(path) = pending.pop() {
        let meta = path.symlink_metadata().unwrap();
        if !meta.is_symlink() && meta.permissions().mode() & 0o077 != 0 {
            found.push(format!("{} {:o}", path.display(), meta.permissions().mode() & 0o777));
        }
        if meta.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    found
}

/// Rendered Secrets, private repositories, values: while a program runs, and afterwards, nobody else may read them.
#[test]
fn what_a_run_writes_for_itself_is_its_owners_alone() {
    let helm = or_skip!(program("helm"));
    let here = folder_with([]);
    let listing = here.path().join("listing");
    let helm = script(
        here.path(),
        &format!("find \"$HOME\" ! -type l -perm /077 >>'{}'\nexec '{}' \"$@\"", listing.display(), helm.display()),
    );
    let git = chart();
    let helm_fields = json!({"values": "password: swordfish", "valueFiles": ["prod.yaml"]});
    let web = git.application("web").source_field("helm", helm_fields);
    trueup(["render"]).home(here.path().join("home")).env("TRUEUP_HELM", helm).of(&web).exits(0);

    assert_eq!(fs::read_to_string(&listing).unwrap(), "", "while helm ran");
    let cache = here.path().join("home/cache/trueup");
    assert!(cache.join("renders").exists());
    assert_eq!(open_to_others(&cache), [""; 0]);
}

/// What is written for the user is the user's: the mask counts, and nothing else.
#[test]
fn what_a_run_writes_for_the_user_can_be_read_as_usual() {
    let git = TestRepo::new().file("a.yaml", config_map("web")).commit("a map");
    let here = folder_with([]);
    let out = here.path().join("out/below");
    trueup(["render", "--output-dir"]).argument(&out).of(&git.application("shop")).exits(0);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    fs::create_dir(here.path().join("usual")).unwrap();
    fs::write(here.path().join("usual/file"), "").unwrap();
    assert_eq!(mode(out.join("shop")), mode(here.path().join("usual")));
    assert_eq!(mode(out.join("shop/configmap_default_web.yaml")), mode(here.path().join("usual/file")));
}

/// A runner that is out of time kills the run: what it started ends with it, children of children, too, and the folder
/// with the values that Helm was given goes with the next run.
#[test]
fn a_killed_run_leaves_no_children_and_the_next_one_removes_its_folders() {
    let real = or_skip!(program("helm"));
    let here = folder_with([("tmp/README", &"")]);
    let tmp = here.path().join("tmp");
    let pids = here.path().join("pids");
    let hanging = script(
        here.path(),
        &format!("sleep 300 &\nsleep 0.3\necho \"$! $$\" >'{0}.new'\nmv '{0}.new' '{0}'\nwait", pids.display()),
    );
    let git = chart();
    let web = git.application("web").source_field("helm", json!({"values": "password: swordfish"}));
    let run = || trueup(["render"]).env("TMPDIR", &tmp).of(&web);
    let started = run().env("TRUEUP_HELM", &hanging).start();
    until("helm runs", || pids.exists());
    let left = || {
        let names = fs::read_dir(&tmp).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("trueup-")).collect::<Vec<_>>()
    };
    assert!(!left().is_empty());

    started.signal("KILL");

    let pids = fs::read_to_string(&pids).unwrap();
    until("its children end", || {
        pids.split_whitespace().all(|pid| {
            let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            state.is_empty() || state.contains(") Z ")
        })
    });
    assert_eq!(started.outcome().code, None);
    run().env("TRUEUP_HELM", real).exits(0);
    assert_eq!(left(), [""; 0]);
}

/// The table of exit codes has those of signals.
#[test]
fn help_says_how_a_run_exits_that_a_signal_ends() {
    let help = trueup(["--help"]).exits(0).stdout;
    assert!(help.contains("130, 143  stopped by Ctrl-C or SIGTERM"), "{help}");
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    assert!(readme.contains("| 130, 143 |"));
}
