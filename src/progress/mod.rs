//! The events of a run, and the bounded sender that carries them to whoever draws.
//!
//! In: what the rooms that touch the world do. Out: a stream of [`Event`]s. Losing an event when the reader is slow is
//! right; waiting for it would not be.

use tokio::sync::mpsc;

/// The stages of a run, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Repositories are fetched.
    Fetch,
    /// Sources are rendered.
    Render,
    /// Live objects are listed.
    List,
    /// Target and live are compared, the server asked where needed.
    Compare,
    /// Steps of plans are done.
    Sync,
}

/// Something that happened while running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A stage has this many more units to do.
    Expect {
        /// The stage.
        stage: Stage,
        /// How many units are added.
        units: u64,
    },
    /// One unit begins.
    Begin {
        /// The stage.
        stage: Stage,
        /// The subject: a repository, an application, a kind.
        subject: String,
    },
    /// One unit is done.
    Done {
        /// The stage.
        stage: Stage,
        /// The subject.
        subject: String,
    },
    /// Something is waited for, and why; sent again whenever somebody looked.
    Waiting {
        /// The condition that is waited for.
        subject: String,
        /// Why it is not there yet.
        why: String,
    },
    /// All that is waited for; sent again when it is something else.
    WaitingFor(Vec<String>),
    /// A step of a plan ended.
    Step {
        /// The subject.
        subject: String,
        /// How it ended.
        result: String,
    },
    /// A line for `-v`.
    Note(String),
    /// A line that somebody asked for.
    Explanation(String),
}

/// Where events go; cheap to clone, silent when nobody listens.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    sender: Option<mpsc::Sender<Event>>,
}

impl Progress {
    /// A sender and the stream it feeds.
    pub fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel(1024);
        (Self { sender: Some(sender) }, receiver)
    }

    /// Nobody listens.
    pub fn silent() -> Self {
        Self::default()
    }

    /// Sends an event, or drops it when the reader is too slow.
    pub fn send(&self, event: Event) {
        if let Some(sender) = &self.sender {
            let _ = sender.try_send(event);
        }
    }

    /// A stage has this many more units to do.
    pub fn expect(&self, stage: Stage, units: usize) {
        self.send(Event::Expect { stage, units: units as u64 });
    }

    /// One unit begins.
    pub fn begin(&self, stage: Stage, subject: impl Into<String>) {
        self.send(Event::Begin { stage, subject: subject.into() });
    }

    /// One unit is done.
    pub fn done(&self, stage: Stage, subject: impl Into<String>) {
        self.send(Event::Done { stage, subject: subject.into() });
    }

    /// Something is waited for.
    pub fn waiting(&self, subject: &str, why: &str) {
        self.send(Event::Waiting { subject: subject.to_owned(), why: why.to_owned() });
    }

    /// All that is waited for.
    pub fn waiting_for(&self, what: &[String]) {
        self.send(Event::WaitingFor(what.to_vec()));
    }

    /// A step of a plan ended.
    pub fn step(&self, subject: &str, result: &str) {
        self.send(Event::Step { subject: subject.to_owned(), result: result.to_owned() });
    }

    /// A line for `-v`.
    pub fn note(&self, line: impl Into<String>) {
        self.send(Event::Note(line.into()));
    }

    /// A line that somebody asked for.
    pub fn explain(&self, line: impl Into<String>) {
        self.send(Event::Explanation(line.into()));
    }
}
