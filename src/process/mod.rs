//! Running a child program within limits: a clean environment, a time limit, an output limit, and no survivors.
//!
//! In: a [`Command`]. Out: what it wrote and how it ended ([`Output`]), or a [`ProcessError`]. The child is the leader
//! of a process group of its own; when it ends, its time is up, or the run is cancelled, the whole group is killed. Where
//! the run itself is killed, the [`watchdog`] does it.

mod cancel;
mod error;
mod piped;
mod watchdog;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

pub use cancel::Cancel;
pub use error::ProcessError;
pub use piped::{Killer, Piped};
pub use watchdog::{WATCHDOG, end_children_with_this_process, watch};
pub(crate) use watchdog::{WatchedChild, get_ready};

/// A program to run, and what it may do.
#[derive(Clone)]
pub struct Command {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub program: PathBuf,
    /// Its arguments. Every user of the machine can read them: no secrets here.
    pub args: Vec<OsString>,
    /// Its environment, in place of ours.
    pub env: Vec<(OsString, OsString)>,
    /// Variables of our own environment that it gets too, where they are set.
    pub inherit: Vec<&'static str>,
    /// The folder it runs in; ours when none is given.
    pub folder: Option<PathBuf>,
    /// The standard input.
    pub stdin: Vec<u8>,
    /// How long it may take.
    pub timeout: Duration,
    /// How many bytes it may write, to each of its two streams.
    pub output_limit: usize,
    /// How many bytes of memory it may have, and each of its children; kept where the system can (Linux).
    pub memory_limit: Option<u64>,
}

impl Command {
    /// A program with nothing but `PATH` and `HOME`, five minutes, and 64 MiB of output.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            inherit: vec!["PATH", "HOME"],
            folder: None,
            stdin: Vec::new(),
            timeout: Duration::from_secs(300),
            output_limit: 64 << 20,
            memory_limit: None,
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The child as the system starts it: our environment, but for what is named, is not its.
    #[expect(clippy::disallowed_methods, reason = "this is the room that starts children and hands on our environment")]
    fn prepared(&self) -> std::process::Command {
        let mut builder = std::process::Command::new(&self.program);
        builder.args(&self.args).env_clear();
        for name in &self.inherit {
            if let Some(value) = std::env::var_os(name) {
                builder.env(name, value);
            }
        }
        builder.envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            builder.current_dir(folder);
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut builder, 0);
        builder
    }

    fn not_started(&self, cause: std::io::Error) -> ProcessError {
        if cause.kind() == std::io::ErrorKind::NotFound {
            ProcessError::NotFound { program: self.program.display().to_string(), cause }
        } else {
            ProcessError::NotStarted { program: self.name(), cause }
        }
    }

    /// The program's name, without its folder: what errors call it.
    fn name(&self) -> String {
        self.program.file_name().unwrap_or(self.program.as_os_str()).to_string_lossy().into_owned()
    }
}

/// How a program ended, and what it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Whether it ended with exit code 0.
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }
}

/// Runs a program to its end, or to the first limit that it meets.
pub async fn run(command: &Command, cancel: &Cancel) -> Result<Output, ProcessError> {
    let mut child = start(command)?;
    let group = ProcessGroup(child.id());
    let _watched = WatchedChild::group(child.id());
    let stdin = child.stdin.take();
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let feeding = async {
        if let Some(mut stdin) = stdin {
            // A program that closes its input early is no fault: what it says about itself counts.
            let _ = stdin.write_all(&command.stdin).await;
        }
        Ok(())
    };
    let work = async {
        let (stdout, stderr, ()) = tokio::try_join!(read(stdout, command), read(stderr, command), feeding)?;
        let status = child.wait().await.map_err(|cause| ProcessError::Lost { program: command.name(), cause })?;
        match command.memory_limit {
            Some(limit) if !status.success() && ran_out_of_memory(&stderr) => {
                Err(ProcessError::TooMuchMemory { program: command.name(), limit })
            }
            _ => Ok(Output { code: status.code(), stdout, stderr }),
        }
    };
    let result = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(ProcessError::Cancelled { program: command.name() }),
        result = tokio::time::timeout(command.timeout, work) => result.unwrap_or_else(|_elapsed| {
            Err(ProcessError::TimedOut { program: command.name(), after: command.timeout })
        }),
    };
    // Also after a good end: what the child left running would work on in folders that are removed.
    group.kill();
    if result.is_err() {
        // The killed child is waited for, so that it does not stay behind as a zombie.
        let _ = child.wait().await;
    }
    result
}

fn start(command: &Command) -> Result<Child, ProcessError> {
    let mut builder = tokio::process::Command::from(command.prepared());
    builder.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    get_ready();
    let child = builder.spawn().map_err(|cause| command.not_started(cause))?;
    #[cfg(target_os = "linux")]
    if let Some(limit) = command.memory_limit {
        bound_memory(&child, limit);
    }
    Ok(child)
}

/// Bounds the memory of a child that has hardly begun.
#[cfg(target_os = "linux")]
fn bound_memory(child: &Child, limit: u64) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    // A child that is done already has no memory; where the system keeps no such limit, time is what bounds it.
    let _ = pid.map(|pid| prlimit(Some(pid), Resource::Data, Rlimit { current: Some(limit), maximum: Some(limit) }));
}

/// Whether a program ended because the system gave it no more memory, by the words of Go's runtime.
fn ran_out_of_memory(stderr: &[u8]) -> bool {
    String::from_utf8_lossy(stderr).lines().any(|line| {
        (line.starts_with("fatal error: ") && line.contains("memory"))
            || line.starts_with("runtime/cgo: pthread_create failed")
    })
}

async fn read(stream: Option<impl AsyncRead + Unpin>, command: &Command) -> Result<Vec<u8>, ProcessError> {
    let mut bytes = Vec::new();
    let Some(stream) = stream else { return Ok(bytes) };
    let limit = command.output_limit as u64;
    stream
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .await
        .map_err(|cause| ProcessError::Lost { program: command.name(), cause })?;
    if bytes.len() as u64 > limit {
        return Err(ProcessError::TooMuchOutput { program: command.name(), limit: command.output_limit });
    }
    Ok(bytes)
}

/// The process group that a child leads.
#[derive(Debug, Clone, Copy)]
struct ProcessGroup(Option<u32>);

impl ProcessGroup {
    #[cfg(unix)]
    fn kill(self) {
        let leader = self.0.and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(leader) = leader {
            // The group may be gone already: then there is nothing to kill.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }

    #[cfg(not(unix))]
    fn kill(self) {
        // Only the child itself can be reached here; `kill_on_drop` does it.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        Command::new("sh").args(["-c", script])
    }

    /// A token of ours must not reach a program that was not given it.
    #[tokio::test]
    async fn a_child_sees_only_the_environment_it_was_given() {
        let mut command = shell("env").env("GIVEN", "yes");
        command.inherit = vec!["PATH"];
        let output = run(&command, &Cancel::new()).await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut names: Vec<&str> = text.lines().filter_map(|line| line.split('=').next()).collect();
        // The shell sets these itself.
        names.retain(|name| !matches!(*name, "PWD" | "SHLVL" | "_" | "OLDPWD"));
        names.sort_unstable();
        assert_eq!(names, ["GIVEN", "PATH"]);
    }

    #[tokio::test]
    async fn what_a_child_reads_and_writes_passes_through() {
        let mut command = shell("cat; echo trouble >&2; exit 3");
        command.stdin = b"hello".to_vec();
        let output = run(&command, &Cancel::new()).await.unwrap();
        assert_eq!(output, Output { code: Some(3), stdout: b"hello".to_vec(), stderr: b"trouble\n".to_vec() });
    }

    #[tokio::test]
    async fn a_child_that_takes_too_long_is_killed_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("alive");
        let mut command = shell("(sleep 2; touch \"$MARK\") & sleep 60").env("MARK", &mark);
        command.timeout = Duration::from_millis(100);
        let error = run(&command, &Cancel::new()).await.unwrap_err();
        assert!(matches!(error, ProcessError::TimedOut { .. }), "{error}");
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert!(!mark.exists(), "a grandchild outlived the time limit");
    }

    /// A plugin that leaves something running: it would write into a copy of the repository that is gone.
    #[tokio::test]
    async fn what_a_child_leaves_running_ends_with_it() {
        let output = run(&shell("sleep 60 >/dev/null 2>&1 & echo $!"), &Cancel::new()).await.unwrap();
        let left = String::from_utf8(output.stdout).unwrap();
        // Killed at once; whose child it is now may take a moment to notice.
        for _ in 0..100 {
            let state = std::fs::read_to_string(format!("/proc/{}/stat", left.trim())).unwrap_or_default();
            if state.is_empty() || state.contains(") Z ") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("process {left} is still there");
    }

    #[tokio::test]
    async fn a_cancelled_run_ends_its_children() {
        let cancel = Cancel::new();
        let turn = cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            turn.cancel();
        });
        let error = run(&shell("sleep 60"), &cancel).await.unwrap_err();
        assert!(matches!(error, ProcessError::Cancelled { .. }), "{error}");
    }

    #[tokio::test]
    async fn output_without_end_is_cut_off() {
        let mut command = shell("yes");
        command.output_limit = 1000;
        let error = run(&command, &Cancel::new()).await.unwrap_err();
        assert!(matches!(error, ProcessError::TooMuchOutput { limit: 1000, .. }), "{error}");
    }

    /// The message is that of Go's runtime; that the limit is kept is seen with a real program.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_child_gets_no_more_memory_than_it_may_have() {
        let mut command = shell("sleep 0.2; ulimit -d");
        command.memory_limit = Some(512 << 20);
        assert_eq!(run(&command, &Cancel::new()).await.unwrap().stdout, b"524288\n");
        command.args = vec!["-c".into(), "echo 'fatal error: runtime: out of memory' >&2; exit 2".into()];
        let error = run(&command, &Cancel::new()).await.unwrap_err();
        assert_eq!(error.to_string(), "program `sh` used more than 512 MiB of memory");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let error = run(&Command::new("no-such-program-here"), &Cancel::new()).await.unwrap_err();
        assert_eq!(error.to_string(), "program `no-such-program-here` is not installed");
    }
}
