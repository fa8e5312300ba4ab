//! What every command runs in: a runtime, the terminal, the stream of events, the signals that end it early.
//!
//! In: how much to tell, and a command. Out: the exit code.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::arguments::output::Verbosity;
use crate::finding::{Code, Finding};
use crate::process::Cancel;
use crate::progress::Progress;
use crate::report::terminal::{Terminal, TerminalSettings};
use crate::report::{ExitRules, ExitStatus, FindingsPlace, OutputError, View};

/// How long work that cannot be interrupted may still take after the answer is out.
const GRACE: Duration = Duration::from_millis(200);

/// The stack of each thread. Objects may nest a thousand levels deep, and are compared level by level.
const STACK: usize = 32 << 20;

/// The inputs of a command.
#[derive(Debug)]
pub(super) struct Session {
    /// The only printer.
    pub(super) terminal: Terminal,
    /// Where events go.
    pub(super) progress: Progress,
    /// Ends the work early.
    pub(super) cancel: Cancel,
    /// Nothing once it has ended.
    drawing: Option<JoinHandle<()>>,
}

impl Session {
    /// Waits for the last frame, so that nothing of the progress is drawn between the lines of the answer.
    ///
    /// Every other sender is gone by now: the work is done.
    pub(super) async fn end_progress(&mut self) {
        self.progress = Progress::silent();
        // A thread that cannot be interrupted may still hold a sender: it is not waited for.
        if let Some(drawing) = self.drawing.take() {
            let _ = tokio::time::timeout(GRACE, drawing).await;
        }
    }

    /// Prints why there is no answer, and says so to the shell.
    pub(super) fn refuse(&self, findings: &[Finding]) -> u8 {
        self.terminal.findings(findings);
        ExitStatus::Error.code()
    }

    /// The exit code of a command that has printed its reports, unless some could not be written.
    pub(super) fn end(&self, unwritten: &[OutputError], status: ExitStatus) -> u8 {
        if unwritten.is_empty() {
            return status.code();
        }
        self.refuse(&unwritten.iter().map(|error| Finding::of(error)).collect::<Vec<_>>())
    }
}

/// Everything that a command needs to know of how to look.
pub(super) struct Look {
    /// How much is reported.
    pub(super) verbosity: Verbosity,
    /// Lines of context.
    pub(super) context_lines: Option<usize>,
    /// Whether each field that a rule hid is shown.
    pub(super) show_ignored: bool,
    /// How the exit code is decided.
    pub(super) exit: ExitRules,
}

impl Look {
    /// How to look where nothing is compared.
    pub(super) fn plain(verbosity: Verbosity) -> Self {
        Self { verbosity, context_lines: None, show_ignored: false, exit: ExitRules::default() }
    }
}

/// Runs a command that writes: the first SIGINT or SIGTERM asks it to stop after the step in flight, the second stops it.
pub(super) fn run_to_its_step<Command>(look: &Look, command: impl FnOnce(Session) -> Command) -> ExitCode
where
    Command: Future<Output = u8>,
{
    run_until(look, command, OnSignal::FinishTheStep)
}

/// Runs a command to its end, or to the first SIGINT or SIGTERM.
pub(super) fn run<Command>(look: &Look, command: impl FnOnce(Session) -> Command) -> ExitCode
where
    Command: Future<Output = u8>,
{
    run_until(look, command, OnSignal::Stop)
}

/// The effect of the first signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnSignal {
    Stop,
    FinishTheStep,
}

fn run_until<Command>(look: &Look, command: impl FnOnce(Session) -> Command, on_signal: OnSignal) -> ExitCode
where
    Command: Future<Output = u8>,
{
    // The second call of a process would find one installed: that is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let terminal = Terminal::new(settings(look));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let finding = Finding::error(Code::CliRuntime, "the program cannot start its threads");
            terminal.findings([&finding.with_cause(error.to_string())]);
            return ExitCode::from(ExitStatus::Error.code());
        }
    };
    let code = runtime.block_on(async {
        let (progress, events) = Progress::channel();
        let drawing = Some(tokio::spawn(terminal.draw(events)));
        let cancel = Cancel::new();
        let session = Session { terminal: terminal.clone(), progress, cancel: cancel.clone(), drawing };
        let mut command = std::pin::pin!(command(session));
        let code = tokio::select! {
            code = &mut command => code,
            code = signalled() => match on_signal {
                OnSignal::Stop => code,
                OnSignal::FinishTheStep => {
                    terminal.line("stopping after the current step; a second signal stops at once");
                    cancel.cancel();
                    tokio::select! {
                        _ = &mut command => code,
                        code = signalled() => code,
                    }
                }
            },
        };
        cancel.cancel();
        code
    });
    runtime.shutdown_timeout(GRACE);
    ExitCode::from(code)
}

fn settings(look: &Look) -> TerminalSettings {
    let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
    let color = |is_terminal: bool| {
        look.verbosity.color.unwrap_or_else(|| {
            let forced = variable("CLICOLOR_FORCE").is_some_and(|value| value != "0");
            let dumb = variable("TERM").is_some_and(|value| value == "dumb");
            variable("NO_COLOR").is_none() && (forced || (is_terminal && !dumb))
        })
    };
    let width = variable("COLUMNS")
        .and_then(|value| value.to_str()?.parse().ok())
        .or_else(|| terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| usize::from(width.0)))
        .unwrap_or(100)
        .clamp(40, 200);
    let view = |is_terminal| View {
        width,
        color: color(is_terminal),
        context_lines: look.context_lines,
        verbose: look.verbosity.level > 0,
        show_ignored: look.show_ignored || look.verbosity.level > 0,
        findings: FindingsPlace::Report,
        now: Timestamp::now(),
        exit: look.exit,
    };
    let bars = std::io::stderr().is_terminal() && variable("CI").is_none();
    TerminalSettings {
        data: view(std::io::stdout().is_terminal()),
        messages: view(std::io::stderr().is_terminal()),
        quiet: look.verbosity.is_quiet,
        bars,
    }
}

/// One variable of the environment, read here and nowhere below.
#[expect(clippy::disallowed_methods, reason = "this is the edge where the environment is read")]
pub(super) fn environment(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// The exit code of a run that a signal ended: 128 and the signal's number, as shells have it.
async fn signalled() -> u8 {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
        }
    }
    #[cfg(not(unix))]
    {
        match tokio::signal::ctrl_c().await {
            Ok(()) => 130,
            Err(_) => std::future::pending().await,
        }
    }
}
