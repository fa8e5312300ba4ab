//! The only printer: data to standard output, findings and progress to standard error, reports to files.
//!
//! In: bytes, findings, events. Out: what people and other programs see. A closed pipe ends the printing, not the verdict: whoever
//! reads `trueup diff | head` still gets the right exit code.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::MultiProgress;
use tokio::sync::mpsc::Receiver;

use super::stages::{self, Drawing};
use super::{Output, OutputError, View, graphical, render, visible};
use crate::finding::Finding;
use crate::fleet::Run;
use crate::progress::Event;

/// How to print.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
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
    settings: Arc<Settings>,
    bars: MultiProgress,
    closed: Arc<AtomicBool>,
}

impl Terminal {
    /// A printer with these settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings), bars: MultiProgress::new(), closed: Arc::new(AtomicBool::new(false)) }
    }

    /// Writes data to standard output. When nobody reads any more, nothing is written, and that is no error.
    pub fn data(&self, bytes: &[u8]) -> Result<(), OutputError> {
        if self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let written = self.bars.suspend(|| {
            let mut output = io::stdout().lock();
            output.write_all(bytes).and_then(|()| output.flush())
        });
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            written => written.map_err(OutputError::StandardOutput),
        }
    }

    /// Writes findings to standard error, each in full, a line apart.
    pub fn findings<'finding>(&self, findings: impl IntoIterator<Item = &'finding Finding>) {
        let text: String = findings.into_iter().map(|finding| graphical(finding, &self.settings.messages)).collect();
        self.message(&text);
    }

    /// Writes a line to standard error; nothing with `-q`.
    pub fn line(&self, line: &str) {
        if !self.settings.quiet {
            self.message(&format!("{}\n", visible(line)));
        }
    }

    fn message(&self, text: &str) {
        // Where standard error is closed, there is nobody left to tell.
        let _ = self.bars.suspend(|| io::stderr().lock().write_all(text.as_bytes()));
    }

    /// Writes every report to its place: each is tried, whatever becomes of the others.
    pub fn reports(&self, run: &Run, outputs: &[Output]) -> Vec<OutputError> {
        let file_view = View { color: false, ..self.settings.data.clone() };
        outputs
            .iter()
            .filter_map(|output| match &output.file {
                None => self.data(render(run, output.format, &self.settings.data).as_bytes()).err(),
                Some(file) => write_file(file, render(run, output.format, &file_view).as_bytes()).err(),
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

/// Writes a file at once or not at all: a reader never sees half of it. Devices and pipes are written to as they are.
pub fn write_file(file: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    write_whole(file, bytes).map_err(|cause| OutputError::File { file: file.to_owned(), cause })
}

fn write_whole(file: &Path, bytes: &[u8]) -> io::Result<()> {
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
    let permissions = file.metadata().ok().map(|metadata| metadata.permissions());
    #[cfg(unix)]
    if permissions.is_none() {
        use std::os::unix::fs::PermissionsExt;
        // As for any new file: the user's mask takes away from it.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut written = builder.tempfile_in(folder)?;
    written.write_all(bytes)?;
    if let Some(permissions) = permissions {
        written.as_file().set_permissions(permissions)?;
    }
    written.persist(&file).map_err(|error| error.error)?;
    Ok(())
}
