//! One run of the `trueup` binary, as a user runs it, and what came of it.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::application::TestApplication;
use super::clean_environment;
use super::snapshot;
use super::started::Started;

/// Far beyond what any run needs, well before a CI job is given up.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// A run that was not started yet: nothing happens before [`Run::exits`] or [`Run::outcome`].
#[must_use = "a run starts with `.exits(code)`"]
#[derive(Debug)]
pub(crate) struct Run {
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    folder: Option<PathBuf>,
    home: Option<PathBuf>,
    input: Vec<u8>,
    time_limit: Duration,
}

/// `trueup` with these arguments.
pub(crate) fn trueup<const N: usize>(arguments: [&str; N]) -> Run {
    Run {
        arguments: arguments.map(OsString::from).into(),
        environment: Vec::new(),
        folder: None,
        home: None,
        input: Vec::new(),
        time_limit: TIME_LIMIT,
    }
}

impl Run {
    /// Of this Application: its manifest's path, and its cluster's kubeconfig.
    pub(crate) fn of(self, application: &TestApplication) -> Self {
        let this = self.argument(application.manifest());
        match application.kubeconfig() {
            Some(kubeconfig) => this.kubeconfig(kubeconfig),
            None => this,
        }
    }

    /// One more argument, a path for instance.
    pub(crate) fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// More arguments.
    pub(crate) fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// `--live DIR`: a folder in place of a cluster.
    pub(crate) fn live(self, folder: impl AsRef<Path>) -> Self {
        self.argument("--live").argument(folder.as_ref())
    }

    /// Logs in with this kubeconfig.
    pub(crate) fn kubeconfig(self, kubeconfig: &Path) -> Self {
        self.env("KUBECONFIG", kubeconfig)
    }

    /// A variable in the otherwise fixed environment.
    pub(crate) fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The folder to run in; without it, a fresh and empty one.
    pub(crate) fn in_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// A home that several runs share, and with it the cache; without it, each run has a fresh one.
    pub(crate) fn home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// What comes in on standard input; without it, nothing.
    pub(crate) fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Ends the run after this time, for tests of what waits.
    pub(crate) fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Runs it; any other exit code fails the test and shows the whole run.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Outcome {
        let outcome = self.outcome();
        assert!(outcome.code == Some(code), "expected exit code {code}\n{}", outcome.transcript());
        outcome
    }

    /// Starts it, and goes on beside it: what is to happen meanwhile is up to the test.
    pub(crate) fn start(self) -> Started {
        let (fresh, home, folder) = self.places();
        let output = |name: &str| std::fs::File::create(fresh.path().join(name)).expect("the folder is ours");
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_trueup"));
        command.env_clear().envs(clean_environment(&home)).envs(self.environment);
        command.current_dir(&folder).args(&self.arguments).stdin(std::process::Stdio::null());
        let child =
            command.stdout(output("stdout")).stderr(output("stderr")).spawn().expect("the binary can be started");
        Started::new(child, self.time_limit, move |code| {
            let output = |name: &str| std::fs::read(fresh.path().join(name)).expect("it was made");
            let text = |name: &str| String::from_utf8_lossy(&output(name)).into_owned();
            let (stdout, stderr) = (text("stdout"), text("stderr"));
            Outcome { stdout, stderr, code, arguments: self.arguments, folder, _fresh: fresh }
        })
    }

    /// The folders of a run, made: one that ends with it, its home, where it runs.
    fn places(&self) -> (TempDir, PathBuf, PathBuf) {
        let fresh = tempfile::Builder::new().prefix("trueup-run-").tempdir().expect("a folder");
        let home = self.home.clone().unwrap_or_else(|| fresh.path().join("home"));
        let folder = self.folder.clone().unwrap_or_else(|| fresh.path().join("here"));
        for folder in [&home, &folder] {
            std::fs::create_dir_all(folder).expect("the folder is ours");
        }
        (fresh, home, folder)
    }

    /// Runs it, whatever comes of it.
    pub(crate) fn outcome(self) -> Outcome {
        let (fresh, home, folder) = self.places();
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_trueup"));
        command.env_clear().envs(clean_environment(&home)).envs(self.environment);
        command.current_dir(&folder).args(&self.arguments).write_stdin(self.input).timeout(self.time_limit);
        let output = command.output().expect("the binary can be started");
        Outcome {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
            arguments: self.arguments,
            folder,
            _fresh: fresh,
        }
    }
}

/// What a run printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Standard output: data.
    pub(crate) stdout: String,
    /// Standard error: all else.
    pub(crate) stderr: String,
    /// The exit code; none when the time limit or a signal ended it.
    pub(crate) code: Option<i32>,
    arguments: Vec<OsString>,
    folder: PathBuf,
    _fresh: TempDir,
}

impl Outcome {
    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON: {error}\n{}", self.transcript()))
    }

    /// The run as it was, for people: command, folder, exit code, both streams.
    pub(crate) fn transcript(&self) -> String {
        let arguments: Vec<_> = self.arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        let code = self.code.map_or("none: ended by a signal or the time limit".to_owned(), |code| code.to_string());
        format!(
            "$ trueup {}\nin {}\nexit code {code}\n--- stdout\n{}\n--- stderr\n{}",
            arguments.join(" "),
            self.folder.display(),
            self.stdout,
            self.stderr,
        )
    }
}

/// The snapshot: what varies between machines and runs is marked, the exit code is the last line.
impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&snapshot::stable(&self.stdout))?;
        if !self.stderr.is_empty() {
            write!(formatter, "--- stderr\n{}", snapshot::stable(&self.stderr))?;
        }
        match self.code {
            Some(code) => writeln!(formatter, "[exit {code}]"),
            None => writeln!(formatter, "[ended by a signal or the time limit]"),
        }
    }
}

/// A run that ends otherwise than the test says shows the command, its folder, its exit code and both streams.
#[test]
fn a_run_that_ends_otherwise_is_shown_whole() {
    let here = super::folder_with([]);
    let run = trueup(["--no-such-flag"]).in_folder(here.path()).home(here.path()).env("A", "b").stdin("text");

    let failure = std::panic::catch_unwind(|| run.time_limit(Duration::from_secs(60)).exits(77)).unwrap_err();

    let text = failure.downcast_ref::<String>().expect("it says what is wrong");
    for part in ["expected exit code 77", "$ trueup --no-such-flag", "--- stdout", "--- stderr", "exit code "] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(text.contains(&format!("in {}", here.path().display())), "{text}");
}
