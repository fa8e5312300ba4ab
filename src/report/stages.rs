//! Draws the progress of a run: a bar a stage on a terminal, a line a stage elsewhere.
//!
//! In: the stream of [`Event`]s. Out: drawings on standard error, gone when the run is done. A run that is over in a
//! blink draws nothing.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until};

use crate::progress::{Event, Stage};
use crate::report::style::escape::visible;
use crate::report::style::words::counted;
use crate::report::terminal::Terminal;

/// Nothing is drawn before.
const PATIENCE: Duration = Duration::from_millis(200);
/// Every stage, in order.
const STAGES: [Stage; 5] = [Stage::Fetch, Stage::Render, Stage::List, Stage::Compare, Stage::Sync];

/// The content to draw.
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
    if matches!(drawing, Drawing::Nothing) && !verbose {
        // Who sends finds the stream closed, and wakes nobody.
        return;
    }
    let mut board = Board::default();
    let begin = Instant::now() + PATIENCE;
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = sleep_until(begin), if board.screen.is_none() && matches!(drawing, Drawing::Bars(_)) => {
                if let Drawing::Bars(screen) = &drawing {
                    board.show(screen.clone());
                }
                continue;
            }
        };
        match event {
            None => break,
            Some(Event::Note(line)) if verbose => terminal.line(&line),
            Some(Event::Explanation(line)) => terminal.line(&line),
            Some(event) => {
                if let Some(line) = board.news(&event).filter(|_| matches!(drawing, Drawing::Lines)) {
                    terminal.line(&format!("{} {line}", now()));
                }
                board.take(&event);
            }
        }
        if matches!(drawing, Drawing::Lines) {
            board.ended().iter().for_each(|line| terminal.line(line));
        }
    }
    if let Drawing::Bars(screen) = &drawing {
        // A terminal that cannot be cleared is of no consequence.
        let _ = screen.clear();
    }
    if matches!(drawing, Drawing::Lines) {
        board.rest().iter().for_each(|line| terminal.line(line));
    }
}

/// How far each stage is.
#[derive(Default)]
struct Board {
    stages: [Count; 5],
    /// Where bars are drawn, once they are.
    screen: Option<MultiProgress>,
    /// The resources that are waited for, and their line on the screen.
    goal: String,
    goal_bar: Option<ProgressBar>,
    /// The last report of each resource of the wait.
    waits: HashMap<String, String>,
}

/// How far one stage is.
#[derive(Default)]
struct Count {
    expected: u64,
    begun: u64,
    done: u64,
    shown: u64,
    subject: String,
    /// Drawn from the stage's first event on.
    bar: Option<ProgressBar>,
}

/// The first of many: `a, b, c and 12 more`.
fn first_of(what: &[String]) -> String {
    const SHOWN: usize = 5;
    match what.len().saturating_sub(SHOWN) {
        0 => what.join(", "),
        more => format!("{} and {more} more", what[..SHOWN].join(", ")),
    }
}

/// The time of a line in a log.
fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Board {
    /// The log of a sync: each step as it ended, and what is waited for whenever the reason is another.
    fn news(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Step { subject, result } => {
                self.waits.remove(subject);
                Some(format!("{subject}: {result}"))
            }
            Event::Waiting { subject, why } => {
                let shown = self.waits.insert(subject.clone(), why.clone());
                (shown.as_ref() != Some(why)).then(|| format!("waiting for {subject}: {why}"))
            }
            Event::WaitingFor(what) if !what.is_empty() => Some(format!("waiting for {}", first_of(what))),
            _ => None,
        }
    }

    fn take(&mut self, event: &Event) {
        let stage = match event {
            Event::Expect { stage, .. } | Event::Begin { stage, .. } | Event::Done { stage, .. } => *stage,
            Event::Waiting { subject, why } => {
                self.waiting(subject, why);
                return;
            }
            Event::WaitingFor(what) => {
                self.goal = first_of(what);
                self.draw_goal();
                return;
            }
            Event::Step { .. } | Event::Note(_) | Event::Explanation(_) => return,
        };
        let count = &mut self.stages[stage as usize];
        match event {
            Event::Expect { units, .. } => count.expected += units,
            Event::Begin { subject, .. } => {
                count.begun += 1;
                count.subject = visible(subject).into_owned();
            }
            Event::Done { .. } => count.done += 1,
            Event::Waiting { .. }
            | Event::WaitingFor(_)
            | Event::Step { .. }
            | Event::Note(_)
            | Event::Explanation(_) => {}
        }
        self.draw(stage);
    }

    /// The wait of a sync is drawn in place of what it did last.
    fn waiting(&mut self, subject: &str, why: &str) {
        if let Some(bar) = &self.stages[Stage::Sync as usize].bar {
            bar.set_message(format!("{}: {}", visible(subject), visible(why)));
        }
    }

    /// Draws from now on.
    fn show(&mut self, screen: MultiProgress) {
        self.screen = Some(screen);
        for stage in STAGES {
            self.draw(stage);
        }
        self.draw_goal();
    }

    /// The resources that are waited for, on a line below the stages.
    fn draw_goal(&mut self) {
        let Some(screen) = &self.screen else { return };
        if self.goal_bar.is_some() || !self.goal.is_empty() {
            let style = ProgressStyle::with_template("{prefix:>8} {wide_msg}");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = self.goal_bar.get_or_insert_with(|| {
                screen.add(ProgressBar::new_spinner().with_style(style).with_prefix("wait for"))
            });
            bar.set_message(visible(&self.goal).into_owned());
            bar.tick();
        }
    }

    fn draw(&mut self, stage: Stage) {
        let Some(screen) = &self.screen else { return };
        let above = self.stages[..stage as usize].iter().filter(|count| count.bar.is_some()).count();
        let count = &mut self.stages[stage as usize];
        if count.expected + count.begun + count.done > 0 {
            let bar = count.bar.get_or_insert_with(|| screen.insert(above, new_bar(stage)));
            bar.set_length(count.expected.max(count.done));
            bar.set_position(count.done);
            bar.set_message(if count.begun > count.done { count.subject.clone() } else { String::new() });
        }
    }

    /// A line for each stage that has just ended: all of its units are done, and a later stage is at work.
    fn ended(&mut self) -> Vec<String> {
        let last_begun = self.stages.iter().rposition(|count| count.begun > 0).unwrap_or(0);
        STAGES
            .iter()
            .zip(&mut self.stages)
            .take(last_begun)
            .filter(|(_, count)| count.shown == 0 && count.done > 0 && count.done >= count.expected)
            .map(|(stage, count)| count.line(*stage))
            .collect()
    }

    /// A line for each stage that was not printed in full.
    fn rest(&mut self) -> Vec<String> {
        STAGES
            .iter()
            .zip(&mut self.stages)
            .filter(|(_, count)| count.done > count.shown)
            .map(|(stage, count)| count.line(*stage))
            .collect()
    }
}

impl Count {
    fn line(&mut self, stage: Stage) -> String {
        self.shown = self.done;
        line(stage, self.done)
    }
}

fn new_bar(stage: Stage) -> ProgressBar {
    // The template is a constant, and right.
    let style = ProgressStyle::with_template("{prefix:>8} {bar:24.cyan/8} {pos:>5}/{len:<5} {wide_msg:.8}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─");
    ProgressBar::new(0).with_style(style).with_prefix(verb(stage))
}

fn verb(stage: Stage) -> &'static str {
    match stage {
        Stage::Fetch => "fetch",
        Stage::Render => "render",
        Stage::List => "list",
        Stage::Compare => "compare",
        Stage::Sync => "sync",
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
        Stage::Sync => format!("ran {}", counted(units, "step")),
    }
}

#[cfg(test)]
mod tests {
    use indicatif::{InMemoryTerm, ProgressDrawTarget};

    use super::*;

    fn run_of_three_repositories() -> Vec<Event> {
        let begin = |stage, subject: &str| Event::Begin { stage, subject: subject.to_owned() };
        let done = |stage, subject: &str| Event::Done { stage, subject: subject.to_owned() };
        vec![
            Event::Expect { stage: Stage::Fetch, units: 3 },
            begin(Stage::Fetch, "a"),
            begin(Stage::Fetch, "b"),
            begin(Stage::Fetch, "c\x1b[2J"),
            done(Stage::Fetch, "a"),
            done(Stage::Fetch, "c"),
            Event::Expect { stage: Stage::Render, units: 1 },
            begin(Stage::Render, "shop"),
            done(Stage::Fetch, "b"),
            done(Stage::Render, "shop"),
            Event::Expect { stage: Stage::List, units: 2 },
            begin(Stage::List, "Deployment"),
        ]
    }

    /// Whoever reads the log of a CI job: one line a stage, when it has ended, and no stage twice.
    #[test]
    fn a_log_gets_a_line_for_each_stage_that_ended() {
        let mut board = Board::default();
        let mut lines = Vec::new();
        for event in run_of_three_repositories() {
            board.take(&event);
            lines.extend(board.ended());
        }
        assert_eq!(lines, ["fetched 3 repositories", "rendered 1 application"]);
        board.take(&Event::Done { stage: Stage::List, subject: "Deployment".to_owned() });
        assert_eq!(board.rest(), ["listed 1 kind"]);
        assert_eq!(board.rest(), Vec::<String>::new());
    }

    /// Whoever reads the log of a pull loop that hangs: what it waits for, once for each reason.
    #[test]
    fn a_log_tells_each_step_and_each_reason_to_wait_once() {
        let mut board = Board::default();
        let waiting = |why: &str| Event::Waiting { subject: "Job shop/migrate".to_owned(), why: why.to_owned() };
        let step = Event::Step { subject: "Job shop/migrate".to_owned(), result: "created".to_owned() };
        let events = [step, waiting("0 of 1 done"), waiting("0 of 1 done"), waiting("1 of 1 failed")];
        let shown: Vec<String> = events.iter().filter_map(|event| board.news(event)).collect();
        assert_eq!(
            shown,
            [
                "Job shop/migrate: created",
                "waiting for Job shop/migrate: 0 of 1 done",
                "waiting for Job shop/migrate: 1 of 1 failed",
            ]
        );
    }

    /// Whoever runs `trueup wait` by hand sees what is missing, and not a still screen.
    #[test]
    fn a_wait_shows_what_it_waits_for() {
        let what: Vec<String> = (1..=7).map(|number| format!("Pod shop/web-{number} (Progressing)")).collect();
        let mut board = Board::default();
        let line = board.news(&Event::WaitingFor(what.clone())).unwrap();
        assert!(line.starts_with("waiting for Pod shop/web-1 (Progressing), "), "{line}");
        assert!(line.ends_with("web-5 (Progressing) and 2 more"), "{line}");

        let screen = InMemoryTerm::new(10, 70);
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(Box::new(screen.clone())));
        board.show(bars.clone());
        board.take(&Event::WaitingFor(what[..1].to_vec()));
        assert_eq!(screen.contents(), "wait for Pod shop/web-1 (Progressing)");
        bars.clear().unwrap();
    }

    #[test]
    fn a_terminal_gets_a_bar_for_each_stage_with_its_subject() {
        let screen = InMemoryTerm::new(10, 70);
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(Box::new(screen.clone())));
        let mut board = Board::default();
        board.show(bars.clone());
        for event in run_of_three_repositories() {
            board.take(&event);
        }
        insta::assert_snapshot!(screen.contents(), @r"
         fetch ━━━━━━━━━━━━━━━━━━━━━━━━     3/3
        render ━━━━━━━━━━━━━━━━━━━━━━━━     1/1
          list ────────────────────────     0/2     Deployment
        ");
        bars.clear().unwrap();
        assert_eq!(screen.contents(), "");
    }
}
