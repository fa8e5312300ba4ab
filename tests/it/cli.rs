//! The command line as people type it: formats, short help, aliases, names and paths.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{TestRepo, config_map, folder_with, or_skip, trueup};

/// The commands that report, and whether each has a unified diff.
const REPORTS: [(&str, bool); 11] = [
    ("diff", true),
    ("status", true),
    ("plan", true),
    ("sync", true),
    ("reconcile", true),
    ("rollback", true),
    ("delete", true),
    ("history", false),
    ("health", false),
    ("wait", false),
    ("doctor", false),
];

/// A folder with the manifest of an Application named `shop`, a folder as its cluster, and their repository.
struct Here {
    folder: tempfile::TempDir,
    live: tempfile::TempDir,
    _git: TestRepo,
}

impl Here {
    fn new() -> Self {
        let git = TestRepo::new()
            .file("shop/settings.yaml", config_map("settings"))
            .file("blog/posts.yaml", config_map("posts"))
            .commit("settings and posts");
        let manifest = |name| fs::read_to_string(git.application(name).path(name).manifest()).unwrap();
        let folder = folder_with([("shop.yaml", &manifest("shop")), ("more/blog.yaml", &manifest("blog"))]);
        let live = folder_with([("settings.yaml", &config_map("settings")), ("posts.yaml", &config_map("posts"))]);
        Self { folder, live, _git: git }
    }

    fn run<const N: usize>(&self, arguments: [&str; N]) -> crate::harness::Run {
        trueup(arguments).in_folder(self.folder.path()).live(self.live.path())
    }

    /// The names of the applications in a report.
    fn names<const N: usize>(&self, arguments: [&str; N]) -> Vec<String> {
        let outcome = self.run(arguments).arguments(["-q", "-o", "json"]).exits(0);
        let applications = outcome.json()["applications"].as_array().cloned().unwrap_or_default();
        applications.iter().map(|application| application["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// Whoever guesses a format learns from the error which ones this report has; `-h` lists the same.
#[test]
fn help_and_errors_list_exactly_the_formats_of_the_report() {
    for (command, has_diff) in REPORTS {
        let formats = match command {
            "diff" | "status" | "plan" => "text, json, yaml, markdown, diff, github, wide, name",
            _ if has_diff => "text, json, yaml, markdown, diff, github, wide, name, audit",
            "health" | "wait" => "text, json, yaml, markdown, wide, name",
            _ => "text, json, yaml, markdown",
        };
        let outcome = trueup([command, "shop", "-o", "xml"]).exits(2);
        let expected = format!("unknown report format `xml`; one of: {formats}\n");
        assert!(outcome.stderr.contains(&expected), "{}", outcome.transcript());
        let help = trueup([command, "-h"]).exits(0);
        // Wrapped or not.
        let words = help.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&format!("[possible values: {formats}]")), "{}", help.transcript());
    }
    let outcome = trueup(["version", "-o", "markdown"]).exits(2);
    assert!(outcome.stderr.contains("one of: text, json, yaml\n"), "{}", outcome.transcript());
}

/// One run, several reports, each in its place: for every report alike.
#[test]
fn every_report_goes_to_several_places_at_once() {
    let here = Here::new();
    let with_state = ["--state-namespace", "default"];
    for (command, more) in
        [("history", &with_state[..]), ("health", &[]), ("wait", &["--for", "synced"]), ("doctor", &[])]
    {
        let run = here.run([command, "shop.yaml", "-q", "-o", "json", "-o", "yaml=a.yaml", "--out", "md=a.md"]);
        let outcome = run.arguments(more).outcome();
        let report = outcome.json();
        assert_eq!(report["apiVersion"], "trueup/v1", "{}", outcome.transcript());
        let kind = report["kind"].as_str().unwrap();
        let yaml = fs::read_to_string(here.folder.path().join("a.yaml")).unwrap();
        assert!(yaml.contains(&format!("kind: {kind}\n")), "{yaml}");
        let markdown = fs::read_to_string(here.folder.path().join("a.md")).unwrap();
        assert!(markdown.starts_with("## "), "{command}: {markdown}");
    }
    let twice = here.run(["history", "shop.yaml", "-o", "json", "-o", "yaml"]).exits(2);
    assert!(twice.stderr.contains("would both be written to standard output"), "{}", twice.transcript());
}

/// A script that prepares a machine reads what is missing, and what to do about it.
#[test]
fn doctor_reports_for_scripts() {
    let report = trueup(["doctor", "-q", "-o", "json", "--helm", "/no/such/helm"]).exits(0).json();
    assert_eq!((&report["kind"], &report["exitCode"]), (&json!("DoctorReport"), &json!(0)));
    let program = |name: &str| -> Value {
        let programs = report["programs"].as_array().unwrap();
        programs.iter().find(|program| program["name"] == name).unwrap().clone()
    };
    assert!(program("git")["found"].as_str().unwrap().starts_with("git version "), "{report:#}");
    assert!(program("helm")["error"].as_str().unwrap().contains("/no/such/helm"), "{report:#}");
    assert!(program("helm")["help"].as_str().unwrap().contains("https://helm.sh"), "{report:#}");
}

/// The plan of a dry run is in every format.
#[test]
fn a_plan_is_in_every_format() {
    let here = Here::new();
    fs::remove_file(here.live.path().join("settings.yaml")).unwrap();
    fs::write(here.live.path().join("other.yaml"), config_map("other").to_string()).unwrap();
    let plan = |format: &str| here.run(["plan", "shop.yaml", "-q", "-o", format]).exits(1);
    assert!(plan("text").stdout.contains("ConfigMap "), "{}", plan("text").transcript());
    let report = plan("json").json();
    assert_eq!(report["applications"][0]["plan"]["steps"].as_array().unwrap().len(), 1, "{report:#}");
    assert!(plan("yaml").stdout.contains("steps:"), "{}", plan("yaml").transcript());
    assert!(plan("markdown").stdout.contains("plan     1 to "), "{}", plan("markdown").transcript());
    let as_sync = here.run(["apply", "--dry-run", "shop.yaml", "-q", "-o", "json"]).exits(1).json();
    assert_eq!(as_sync["applications"][0]["plan"], report["applications"][0]["plan"]);
}

/// `-h` fits on a screen; `--help` has every flag.
#[test]
fn the_short_help_shows_the_flags_that_people_use() {
    for (command, _) in REPORTS {
        let (short, long) = (trueup([command, "-h"]).exits(0).stdout, trueup([command, "--help"]).exits(0).stdout);
        let flags = |text: &str| text.lines().filter(|line| line.trim_start().starts_with('-')).count();
        assert!(flags(&short) <= 14, "{command}: {} flags\n{short}", flags(&short));
        assert!(flags(&long) > flags(&short), "{command}");
        for help in [&short, &long] {
            let (_, examples) = help.split_once("Examples:\n").unwrap();
            assert_eq!(examples.lines().filter(|line| line.starts_with("  trueup ")).count(), 2, "{help}");
        }
    }
}

/// Where a word is another tool's, the error names the command that does it.
#[test]
fn an_unknown_command_is_answered_with_the_one_that_is_meant() {
    for (word, expected) in [
        ("get", "`trueup status PATH`"),
        ("ls", "`trueup status PATH`"),
        ("app", "leave it out: `trueup sync shop apps/`"),
        ("template", "`trueup render PATH`"),
    ] {
        let outcome = trueup([word, "shop"]).exits(2);
        assert!(outcome.stderr.contains(&format!("unrecognized subcommand '{word}'")), "{}", outcome.transcript());
        assert!(outcome.stderr.contains(&format!("tip: {expected}")), "{}", outcome.transcript());
    }
    // So are the flags of other tools.
    for (flag, expected) in [
        ("--kube-context", "`--context NAME` chooses the kubeconfig context"),
        ("--hard-refresh", "leave it out: every run fetches"),
        ("-auto-approve", "long flags have two dashes: `--auto-approve`"),
    ] {
        let outcome = trueup(["sync", flag, "shop"]).exits(2);
        assert!(outcome.stderr.contains(&format!("tip: {expected}")), "{}", outcome.transcript());
    }
    // A slip of the finger is answered with the nearest name.
    assert!(trueup(["dif"]).exits(2).stderr.contains("'diff'"));
}

#[test]
fn version_completion_and_man_pages() {
    let version = trueup(["version"]).exits(0).stdout;
    assert_eq!(version, trueup(["--version"]).exits(0).stdout);
    let report = trueup(["version", "-o", "json"]).exits(0).json();
    assert_eq!((&report["kind"], &report["version"]), (&json!("Version"), &json!(env!("CARGO_PKG_VERSION"))));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = trueup(["completion", shell]).exits(0).stdout;
        assert!(script.contains("rollback") && script.contains("dry-run"), "{shell}");
    }
    assert!(trueup(["man", "sync"]).exits(0).stdout.contains("\\-\\-max\\-prune"));
    assert!(trueup(["man", "synk"]).exits(2).stderr.contains("`synk` is not a command"));
}

/// `status` is both columns that Argo CD's list of applications has.
#[test]
fn status_is_sync_and_health() {
    let here = Here::new();
    let report = here.run(["status", "shop.yaml", "-q", "-o", "json"]).exits(0).json();
    let shop = &report["applications"][0];
    assert_eq!((&shop["sync"], &shop["health"]), (&json!("Synced"), &json!("Healthy")), "{report:#}");
}

/// A word that is no path is a name, alone or before a PATH; `--app` says the same.
#[test]
fn a_name_selects_like_app_does() {
    let here = Here::new();
    for command in ["diff", "health", "plan"] {
        assert_eq!(here.names([command, "."]), ["blog", "shop"], "{command}");
        assert_eq!(here.names([command]), ["blog", "shop"], "{command}");
        assert_eq!(here.names([command, "shop"]), ["shop"], "{command}");
        assert_eq!(here.names([command, "blog", "more"]), ["blog"], "{command}");
        assert_eq!(here.names([command, "argocd/shop"]), ["shop"], "{command}");
        assert_eq!(here.names([command, "--app", "shop"]), ["shop"], "{command}");
        assert_eq!(here.names([command, "shop.yaml"]), ["shop"], "{command}");
        // What exists is a path, whatever else it may be called.
        assert_eq!(here.names([command, "more"]), ["blog"], "{command}");
    }
    for arguments in [["delete", "shop", "."], ["delete", "--app=shop", "."], ["delete", "shop", "shop.yaml"]] {
        let planned = here.run(arguments).arguments(["--dry-run", "-q", "-o", "json"]).outcome();
        let applications = &planned.json()["applications"];
        assert_eq!(applications.as_array().map(Vec::len), Some(1), "{}", planned.transcript());
        assert_eq!(applications[0]["name"], "shop", "{}", planned.transcript());
    }
}

/// An error about a word names both readings, and nothing is done.
#[test]
fn a_word_that_is_neither_name_nor_path_is_an_error_with_both_readings() {
    let here = Here::new();
    let outcome = here.run(["sync", "-y", "shpo"]).exits(2);
    let words = outcome.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(words.contains("`shpo` is neither an Application nor a file or folder"), "{}", outcome.transcript());
    assert!(words.contains("as an Application: did you mean `shop`?; as a path:"), "{}", outcome.transcript());
    // A file whose folder exists, or that ends like a manifest, can only be meant as a path.
    for path in ["more/blg", "shpo.yaml", "./shpo", "Shop"] {
        let outcome = here.run(["diff", path]).exits(2);
        assert!(outcome.stderr.contains("no such file or folder"), "{}", outcome.transcript());
    }
    for (arguments, expected) in [
        (&["delete", "-y"][..], "name it: as the first argument, or with `--app`"),
        (&["delete", "-y", "more"], "`more` is a file or folder"),
        (&["delete", "-y", "--app", "shop", "--app", "blog"], "one at a time"),
        (&["delete", "-y", "shop", "blog"], "matches 2 applications"),
        (&["rollback", "-y"], "name it: as the first argument, or with `--app`"),
    ] {
        let run = trueup([]).arguments(arguments.iter().copied()).in_folder(here.folder.path());
        let outcome = run.live(here.live.path()).exits(2);
        assert!(outcome.stderr.contains(expected), "{}", outcome.transcript());
    }
}

/// In an empty folder it is clear what is missing.
#[test]
fn without_a_path_an_empty_folder_is_a_clear_error() {
    for arguments in
        [["diff", "-q"], ["sync", "-y"], ["reconcile", "-q"], ["health", "-q"], ["render", "-q"], ["history", "-q"]]
    {
        let outcome = trueup(arguments).exits(2);
        let expected = "no PATH is given, and the current folder holds no manifest";
        assert!(outcome.stderr.contains(expected), "{}", outcome.transcript());
    }
}

/// Six weeks later somebody asks who did it: a person, not a process on a runner.
#[test]
fn the_history_says_who_synced() {
    let cluster = or_skip!(crate::harness::TestCluster::namespace());
    let git = TestRepo::new().file("settings.yaml", config_map("settings")).commit("settings");
    let shop = git.application("shop").deployed_to(&cluster);
    let by = || {
        let report = trueup(["history", "-o", "json"]).of(&shop).exits(0).json();
        let application = &report["applications"][0];
        let newest = application["history"].as_array().unwrap().last().unwrap();
        assert_eq!(newest["by"], application["lastAttempt"]["by"]);
        newest["by"].as_str().unwrap().to_owned()
    };
    let sync = || trueup(["sync", "-y", "--apply-all"]).of(&shop);

    let user = cluster.kubectl(["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"]);
    sync().exits(0);
    assert_eq!(by(), user);
    sync().env("GITLAB_USER_LOGIN", "grace").exits(0);
    assert_eq!(by(), "grace");
    sync().env("GITLAB_USER_LOGIN", "grace").env("GITHUB_ACTOR", "ada").exits(0);
    assert_eq!(by(), "ada");
    sync().env("GITHUB_ACTOR", "ada").arguments(["--by", "linus"]).exits(0);
    assert_eq!(by(), "linus");
}

/// Whoever comes from kubectl: `-f` names files, `-n` the namespace of the Applications, `-A` all of them.
#[test]
fn the_flags_of_kubectl_select_alike() {
    let here = Here::new();
    assert_eq!(here.names(["diff", "-f", "shop.yaml"]), ["shop"]);
    assert_eq!(here.names(["diff", "-f", "."]), here.names(["diff", "."]));
    assert_eq!(here.names(["list", "-A", "."]), here.names(["status", "."]));
    assert_eq!(here.names(["plan", "-n", "argocd", "."]), ["blog", "shop"]);
    let other = here.run(["diff", "-q", "-n", "elsewhere", "."]).exits(2);
    assert!(other.stderr.contains("`--namespace elsewhere` matches no Application"), "{}", other.transcript());
    let wide = here.run(["status", "-q", "-o", "wide", "."]).exits(0).stdout;
    assert!(wide.starts_with("NAME ") && wide.lines().count() == 3, "{wide}");
    assert_eq!(here.run(["diff", "-q", "-o", "name", "."]).exits(0).stdout, "argocd/blog\nargocd/shop\n");
    assert_eq!(here.run(["health", "-q", "-o", "name", "."]).exits(0).stdout, "argocd/blog\nargocd/shop\n");
}

/// `-w`: a report at once, another one when something changed, until Ctrl-C.
#[test]
fn a_watched_diff_reports_what_changes() {
    let here = Here::new();
    let started = here.run(["diff", "-q", "-o", "name", "--watch=1s", "shop", "."]).start();
    std::thread::sleep(std::time::Duration::from_secs(3));
    fs::write(here.live.path().join("settings.yaml"), config_map("renamed").to_string()).unwrap();
    std::thread::sleep(std::time::Duration::from_secs(4));
    started.signal("INT");
    let outcome = started.exits(130);
    assert_eq!(outcome.stdout, "argocd/shop\nargocd/shop\n", "{}", outcome.transcript());
}
