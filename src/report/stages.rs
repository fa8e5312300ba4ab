//! Draws the progress of a run: a bar a stage on a terminal, a line a stage elsewhere.
//!
//! In: the stream of [`Event`]s. Out: drawings on standard error, gone when the run is done. A run that is over in a
//! blink draws nothing.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until};

use super::summary::counted;
use super::terminal::Terminal;
use super::visible;
use crate::progress::{Event, Stage};

/// Nothing is drawn before.
const PATIENCE: Duration = Duration::from_millis(200);
/// Every stage, in order.
const STAGES: [Stage; 4] = [Stage::Fetch, Stage::Render, Stage::List, Stage::Compare];

/// What to draw.
pub(super) enum Drawing {
    /// `-q`.
    Nothing,
    /// A bar a stage.
    Bars(MultiProgress),
    /// A line when a stage ends.
    Lines,
}

/// Draws until the last sender is gone.
pub(super) async fn draw(terminal: Terminal, mut events: Receiver<Event>, drawing: Drawing, verbose: bool) {
    let mut board = Board::default();
    let begin = Instant::now() + PATIENCE;
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = sleep_until(begin), if board.bars.is_empty() && matches!(drawing, Drawing::Bars(_)) => {
                if let Drawing::Bars(bars) = &drawing {
                    board.show(bars);
                }
                continue;
            }
        };
        match (event, &drawing) {
            (None, _) => break,
            (Some(Event::Note(line)), _) if verbose => terminal.line(&line),
            (Some(event), _) => board.take(&event),
        }
        if matches!(drawing, Drawing::Lines) {
            board.ended().iter().for_each(|line| terminal.line(line));
        }
    }
    if let Drawing::Bars(bars) = &drawing {
        // A terminal that cannot be cleared is of no consequence.
        let _ = bars.clear();
    }
    if matches!(drawing, Drawing::Lines) {
        board.rest().iter().for_each(|line| terminal.line(line));
    }
}

/// How far each stage is.
#[derive(Default)]
struct Board {
    stages: [Count; 4],
    bars: Vec<ProgressBar>,
}

/// How far one stage is.
#[derive(Default)]
struct Count {
    expected: u64,
    begun: u64,
    done: u64,
    told: u64,
    subject: String,
}

impl Board {
    fn take(&mut self, event: &Event) {
        let (stage, change): (Stage, fn(&mut Count, &Event)) = match event {
            Event::Expect { stage, .. } => (*stage, |count, event| {
                if let Event::Expect { units, .. } = event {
                    count.expected += units;
                }
            }),
            Event::Begin { stage, .. } => (*stage, |count, event| {
                if let Event::Begin { subject, .. } = event {
                    count.begun += 1;
                    count.subject = visible(subject).into_owned();
                }
            }),
            Event::Done { stage, .. } => (*stage, |count, _| count.done += 1),
            Event::Note(_) => return,
        };
        let index = position(stage);
        change(&mut self.stages[index], event);
        if let Some(bar) = self.bars.get(index) {
            self.stages[index].draw(bar);
        }
    }

    fn show(&mut self, bars: &MultiProgress) {
        // The template is a constant, and right.
        let style = ProgressStyle::with_template("{prefix:>8} {bar:24.cyan/8} {pos:>5}/{len:<5} {wide_msg:.8}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸─");
        for (stage, count) in STAGES.iter().zip(&self.stages) {
            let bar = bars.add(ProgressBar::new(0).with_style(style.clone()).with_prefix(verb(*stage)));
            count.draw(&bar);
            self.bars.push(bar);
        }
    }

    /// A line for each stage that has just ended: all of its units are done, and a later stage is at work.
    fn ended(&mut self) -> Vec<String> {
        let last_begun = self.stages.iter().rposition(|count| count.begun > 0).unwrap_or(0);
        STAGES
            .iter()
            .zip(&mut self.stages)
            .take(last_begun)
            .filter(|(_, count)| count.told == 0 && count.done > 0 && count.done >= count.expected)
            .map(|(stage, count)| count.tell(*stage))
            .collect()
    }

    /// A line for each stage that was not told in full.
    fn rest(&mut self) -> Vec<String> {
        STAGES
            .iter()
            .zip(&mut self.stages)
            .filter(|(_, count)| count.done > count.told)
            .map(|(stage, count)| count.tell(*stage))
            .collect()
    }
}

impl Count {
    fn tell(&mut self, stage: Stage) -> String {
        self.told = self.done;
        line(stage, self.done)
    }

    fn draw(&self, bar: &ProgressBar) {
        bar.set_length(self.expected.max(self.done));
        bar.set_position(self.done);
        let working = self.begun > self.done;
        bar.set_message(if working { self.subject.clone() } else { String::new() });
    }
}

fn position(stage: Stage) -> usize {
    STAGES.iter().position(|candidate| *candidate == stage).unwrap_or_default()
}

fn verb(stage: Stage) -> &'static str {
    match stage {
        Stage::Fetch => "fetch",
        Stage::Render => "render",
        Stage::List => "list",
        Stage::Compare => "compare",
    }
}

fn line(stage: Stage, units: u64) -> String {
    let units = usize::try_from(units).unwrap_or(usize::MAX);
    match stage {
        Stage::Fetch if units == 1 => "fetched 1 repository".to_owned(),
        Stage::Fetch => format!("fetched {units} repositories"),
        Stage::Render => format!("rendered {}", counted(units, "application")),
        Stage::List => format!("listed {}", counted(units, "kind")),
        Stage::Compare => format!("compared {}", counted(units, "application")),
    }
}
