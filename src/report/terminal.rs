//! The only printer: data to standard output, findings and progress to standard error, reports to files.
//!
//! In: bytes, findings, events. Out: what people and other programs see. A closed pipe ends the printing, not the verdict: whoever
//! reads `trueup diff | head` still gets the right exit code.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::MultiProgress;
use tokio::sync::mpsc::Receiver;

use super::{FindingsPlace, Format, Output, OutputError, View, gathered, visible};
use crate::finding::Finding;
use crate::fleet::Run;
use crate::progress::Event;
use crate::report::stages::{self, Drawing};
use crate::storage::users_mode;

/// How to print.
#[derive(Debug, Clone, PartialEq)]
pub struct TerminalSettings {
    /// How data looks on standard output.
    pub data: View,
    /// How findings look on standard error.
    pub messages: View,
    /// `-q`: no progress. Errors and warnings are printed still.
    pub quiet: bool,
    /// Whether standard error is a terminal that can move its cursor: bars, else lines.
    pub bars: bool,
}

/// The only printer. Clones print to the same place.
#[derive(Debug, Clone)]
pub struct Terminal {
    settings: Arc<TerminalSettings>,
    bars: MultiProgress,
    closed: Arc<AtomicBool>,
}

impl Terminal {
    /// A printer with these settings.
    pub fn new(settings: TerminalSettings) -> Self {
        Self { settings: Arc::new(settings), bars: MultiProgress::new(), closed: Arc::new(AtomicBool::new(false)) }
    }

    /// Writes data to standard output. When nobody reads any more, nothing is written, and that is no error.
    pub fn data(&self, bytes: &[u8]) -> Result<(), OutputError> {
        if self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.bars.suspend(|| write_data(&mut io::stdout().lock(), bytes)) {
            Ok(WriteOutcome::Whole) => Ok(()),
            Ok(WriteOutcome::NobodyReads) => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            Err(cause) => Err(OutputError::StandardOutput(cause)),
        }
    }

    /// Writes data to standard output, as it is to look there.
    pub fn data_with(&self, write: impl FnOnce(&View) -> String) -> Result<(), OutputError> {
        self.data(write(&self.settings.data).as_bytes())
    }

    /// Writes findings to standard error, each once and in full; of many of one kind only the first, without `-v`.
    pub fn findings<'finding>(&self, findings: impl IntoIterator<Item = &'finding Finding>) {
        self.message(&gathered::text(findings, &self.settings.messages));
    }

    /// Writes the findings of a run to standard error; what several applications share is one finding.
    pub fn findings_of(&self, run: &Run) {
        let findings = gathered::of_run(run);
        self.findings(findings.iter().map(|finding| &**finding));
    }

    /// Writes a line to standard error; nothing with `-q`.
    pub fn line(&self, line: &str) {
        if !self.settings.quiet {
            self.message(&format!("{}\n", visible(line)));
        }
    }

    /// Writes to standard error what somebody has to read before being asked.
    pub fn show(&self, write: impl FnOnce(&View) -> String) {
        self.message(&write(&self.settings.messages));
    }

    /// Whether standard output and standard error are read on one screen.
    pub fn is_one_screen(&self) -> bool {
        io::stdout().is_terminal() && io::stderr().is_terminal()
    }

    /// Whether somebody is there to answer.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a question on standard error, and waits for the answer: yes, or anything else.
    pub fn confirm(&self, question: &str) -> bool {
        self.bars.suspend(|| {
            let mut answer = String::new();
            let asked =
                write!(io::stderr().lock(), "\n{} [y/N] ", visible(question)).and_then(|()| io::stderr().flush());
            let answered = asked.and_then(|()| io::stdin().read_line(&mut answer));
            answered.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes" | "Yes")
        })
    }

    fn message(&self, text: &str) {
        // Where standard error is closed, there is nobody left to tell.
        let _ = self.bars.suspend(|| io::stderr().lock().write_all(text.as_bytes()));
    }

    /// Writes every report to its place: each is tried, whatever becomes of the others.
    pub fn reports(&self, outputs: &[Output], write: impl Fn(Format, &View) -> String) -> Vec<OutputError> {
        let file_view = View { color: false, ..self.settings.data.clone() };
        // Whoever looks at both has read each finding in full.
        let is_read = io::stdout().is_terminal() && io::stderr().is_terminal();
        let findings = if is_read { FindingsPlace::Screen } else { FindingsPlace::Report };
        let view = View { findings, ..self.settings.data.clone() };
        outputs
            .iter()
            .filter_map(|output| match &output.file {
                None => self.data(write(output.format, &view).as_bytes()).err(),
                Some(file) => write_file(file, write(output.format, &file_view).as_bytes()).err(),
            })
            .collect()
    }

    /// Draws the progress of a run until its last sender is gone; to be awaited beside the run, not after it.
    pub fn draw(&self, events: Receiver<Event>) -> impl Future<Output = ()> + Send + 'static {
        let drawing = match (self.settings.quiet, self.settings.bars) {
            (true, _) => Drawing::Nothing,
            (false, true) => Drawing::Bars(self.bars.clone()),
            (false, false) => Drawing::Lines,
        };
        stages::draw(self.clone(), events, drawing, self.settings.messages.verbose)
    }
}

/// The result of writing data.
#[derive(Debug, PartialEq, Eq)]
enum WriteOutcome {
    Whole,
    NobodyReads,
}

fn write_data(output: &mut impl Write, bytes: &[u8]) -> io::Result<WriteOutcome> {
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(WriteOutcome::NobodyReads),
        written => written.map(|()| WriteOutcome::Whole),
    }
}

/// Writes a file at once or not at all: a reader never sees half of it. Devices and pipes are written to as they are.
pub fn write_file(file: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    write_whole(file, bytes, Readers::AsBefore).map_err(|cause| OutputError::File { file: file.to_owned(), cause })
}

/// As [`write_file`], but only the owner can read the file, whatever its mode was before.
pub fn write_private_file(file: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    write_whole(file, bytes, Readers::Owner).map_err(|cause| OutputError::File { file: file.to_owned(), cause })
}

/// Who can read a file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    /// Whoever could read it before; of a new file, whoever the user's mask allows.
    AsBefore,
    /// Its owner alone.
    Owner,
}

fn write_whole(file: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    // A link stays a link: what it points to is replaced.
    let file = match file.canonicalize() {
        Ok(file) if !file.metadata()?.is_file() => return File::options().write(true).open(file)?.write_all(bytes),
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => file.to_owned(),
        Err(error) => return Err(error),
    };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".trueup-");
    let before = file.metadata().ok().map(|metadata| metadata.permissions());
    #[cfg(unix)]
    if before.is_none() && readers == Readers::AsBefore {
        use std::os::unix::fs::PermissionsExt;
        // As for any new file: the user's mask takes away from it.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut written = builder.tempfile_in(folder)?;
    written.write_all(bytes)?;
    // A temporary file is its owner's alone from the start.
    let permissions = match readers {
        Readers::AsBefore => before.or_else(|| users_mode(0o666)),
        Readers::Owner => None,
    };
    if let Some(permissions) = permissions {
        written.as_file().set_permissions(permissions)?;
    }
    written.persist(&file).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// `trueup diff | head`: the reader is gone, and the verdict stands.
    #[test]
    fn a_closed_pipe_ends_the_printing_and_is_no_error() {
        let (reader, mut writer) = io::pipe().unwrap();
        drop(reader);
        assert_eq!(write_data(&mut writer, b"shop  Synced\n").unwrap(), WriteOutcome::NobodyReads);
        assert_eq!(write_data(&mut Vec::new(), b"shop  Synced\n").unwrap(), WriteOutcome::Whole);
    }

    #[test]
    fn a_report_replaces_a_file_at_once_and_keeps_its_links_and_rights() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("report.json");
        write_file(&file, b"first").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"first");

        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt, symlink};
            fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
            let link = folder.path().join("latest.json");
            symlink(&file, &link).unwrap();
            write_file(&link, b"second").unwrap();
            assert!(link.symlink_metadata().unwrap().is_symlink());
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
            assert_eq!(fs::read(&file).unwrap(), b"second");
            write_file(Path::new("/dev/null"), b"third").unwrap();
        }
        assert!(
            fs::read_dir(folder.path()).unwrap().all(|entry| !entry
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with('.'))
        );
    }

    #[test]
    fn a_report_that_cannot_be_written_names_the_file_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gone/report.json");
        let error = write_file(&file, b"report").unwrap_err();
        assert_eq!(error.to_string(), format!("the report could not be written to {}", file.display()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
