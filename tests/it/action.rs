//! The GitHub action's script, run by bash as a runner would run it, with the real binary.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::harness::{TestRepo, config_map, folder_with};

/// A runner's files, and the inputs of one step.
struct Step {
    folder: TempDir,
    inputs: Vec<(&'static str, String)>,
}

/// What the step printed and left.
struct Ended {
    output: Output,
    outputs: String,
    summary: String,
}

impl Step {
    fn new(path: &str) -> Self {
        Self { folder: folder_with([]), inputs: vec![("INPUT_PATH", path.to_owned())] }
    }

    fn input(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.inputs.push((name, value.into()));
        self
    }

    fn run(self) -> Ended {
        let [outputs, summary] = ["outputs", "summary"].map(|name| self.folder.path().join(name));
        let output = Command::new("bash")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("action/run.sh"))
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.folder.path())
            .env("RUNNER_TEMP", self.folder.path())
            .env("GITHUB_OUTPUT", &outputs)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("TRUEUP_BINARY", env!("CARGO_BIN_EXE_trueup"))
            .envs(self.inputs)
            .current_dir(self.folder.path())
            .output()
            .expect("bash is installed");
        let text = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        let ended = Ended { outputs: text(&outputs), summary: text(&summary), output };
        // The report lies in the runner's folder; it is read before that goes.
        if let Some(report) = ended.value("report").filter(|path| !path.is_empty()) {
            let report: serde_json::Value = serde_json::from_str(&text(Path::new(&report))).unwrap();
            assert_eq!(report["kind"], "DriftReport");
        }
        ended
    }
}

impl Ended {
    fn value(&self, name: &str) -> Option<String> {
        let line = self.outputs.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        line.map(str::to_owned)
    }

    /// The step's exit code, then the outputs `drift` and `exit-code`.
    fn verdict(&self) -> (Option<i32>, String, String) {
        let value = |name| self.value(name).unwrap_or_default();
        (self.output.status.code(), value("drift"), value("exit-code"))
    }

    fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }
}

fn expected(step: i32, drift: &str, exit_code: &str) -> (Option<i32>, String, String) {
    (Some(step), drift.to_owned(), exit_code.to_owned())
}

/// A team that only wants to know, one that wants to be stopped: `fail-on` decides, the outputs stay true.
#[test]
fn fail_on_decides_what_fails_the_step() {
    let git = TestRepo::new().file("settings.yaml", config_map("settings").data("colour", "blue")).commit("blue");
    let application = git.application("settings");
    let path = application.manifest().to_str().unwrap();
    let live =
        |colour: &str| folder_with([("settings.yaml", &in_default(&config_map("settings").data("colour", colour)))]);
    let (same, other) = (live("blue"), live("red"));
    let run = |path: &str, live: &TempDir, fail_on: &str, arguments: &str| {
        let step = Step::new(path).input("INPUT_LIVE", live.path().to_str().unwrap());
        step.input("INPUT_FAIL_ON", fail_on).input("INPUT_ARGS", arguments).run().verdict()
    };

    for fail_on in ["", "drift", "error", "never"] {
        assert_eq!(run(path, &same, fail_on, ""), expected(0, "false", "0"), "in sync, fail-on {fail_on:?}");
    }
    for (fail_on, code) in [("", 1), ("drift", 1), ("error", 0), ("never", 0)] {
        assert_eq!(run(path, &other, fail_on, ""), expected(code, "true", "1"), "drift, fail-on {fail_on:?}");
    }
    for (fail_on, code) in [("", 2), ("drift", 2), ("error", 2), ("never", 0)] {
        assert_eq!(run("gone.yaml", &same, fail_on, ""), expected(code, "unknown", "2"), "error, fail-on {fail_on:?}");
    }
    assert_eq!(run(path, &other, "drift", "--exit-zero"), expected(0, "true", "0"));
    assert_eq!(run(path, &other, "error", "--diff-exit-code  7 -q"), expected(0, "true", "7"));
    assert_eq!(run(path, &other, "sometimes", "").0, Some(2), "a misspelt fail-on never passes");
}

/// The reader of a pull request sees the drift on its page, not only in a log.
#[test]
fn the_job_summary_holds_the_report() {
    let git = TestRepo::new().file("settings.yaml", config_map("settings").data("colour", "blue")).commit("blue");
    let application = git.application("settings");
    let live = folder_with([("settings.yaml", &in_default(&config_map("settings").data("colour", "red")))]);

    let step = Step::new(application.manifest().to_str().unwrap());
    let ended = step.input("INPUT_LIVE", live.path().to_str().unwrap()).run();

    assert!(ended.summary.contains("settings") && ended.summary.contains("OutOfSync"), "{}", ended.summary);
    assert!(ended.stdout().contains("OutOfSync"), "{}", ended.stdout());
}

/// A branch name or a file in a pull request is data: it runs no command, and the runner obeys nothing that is printed.
#[test]
fn inputs_and_manifests_are_never_commands() {
    let hostile = config_map("settings").data("note", "a\n::error::owned\n").data("colour", "blue");
    let git = TestRepo::new().file("settings.yaml", hostile).commit("hostile");
    let application = git.application("settings");
    let live = folder_with([("settings.yaml", &in_default(&config_map("settings")))]);
    let mark = live.path().join("owned");
    let injection = format!("$(touch {0})`touch {0}`; touch {0} * --app=$(touch {0})", mark.display());

    let paths = format!("{}\n{injection}", application.manifest().display());
    let step = Step::new(&paths).input("INPUT_ARGS", format!("--app=settings\n--project={injection}"));
    step.input("INPUT_LIVE", injection.clone()).run();
    let path = application.manifest().to_str().unwrap();
    let ended = Step::new(path).input("INPUT_LIVE", live.path().to_str().unwrap()).run();

    assert!(!mark.exists());
    let stdout = ended.stdout();
    let (start, end) = (stdout.find("::stop-commands::").unwrap(), stdout.rfind("\n::trueup-").unwrap());
    let printed: Vec<usize> = stdout.match_indices("::error::").map(|(position, _)| position).collect();
    assert!(printed.iter().all(|position| start < *position && *position < end), "{stdout}");
}

/// An empty path is a mistake in the workflow, not a folder without drift.
#[test]
fn an_empty_path_fails_with_a_sentence() {
    let ended = Step::new("\n\n").run();

    assert_eq!(ended.output.status.code(), Some(2));
    assert!(ended.stdout().starts_with("::error title=trueup::path is empty"), "{}", ended.stdout());
}

/// What `live` holds for an Application whose destination is the namespace `default`.
fn in_default(manifest: &impl std::fmt::Display) -> String {
    manifest.to_string().replacen("metadata:\n", "metadata:\n  namespace: default\n", 1)
}
