//! `--watch`: a report again and again, printed whenever it is another one.
//!
//! In: how to look, and how to print. Out: nothing until a signal ends it, or the first look fails.

use std::time::Duration;

use super::session::Session;
use crate::cluster::Requests;
use crate::cluster::settings::parse_request_timeout;
use crate::finding::Finding;
use crate::fleet::Run;
use crate::report::OutputError;

/// A time between two looks.
pub(super) fn parse_interval(text: &str) -> Result<Duration, String> {
    parse_request_timeout(text)?.ok_or_else(|| "the interval must be more than zero".to_owned())
}

/// Looks at once and after each interval; what changes on its own, such as how often clusters were asked, prints nothing.
pub(super) async fn watch(
    interval: Duration,
    look: impl AsyncFn(&Session) -> Result<Run, Vec<Finding>>,
    show: impl Fn(&Session, &Run) -> Vec<OutputError>,
    mut session: Session,
) -> u8 {
    let mut shown: Option<Run> = None;
    let mut reported: Vec<Finding> = Vec::new();
    loop {
        let looked = look(&session).await;
        session.end_progress().await;
        match looked {
            Ok(mut run) => {
                run.requests = Requests::default();
                if shown.as_ref() != Some(&run) {
                    session.terminal.findings_of(&run);
                    let unwritten = show(&session, &run);
                    if !unwritten.is_empty() {
                        return session.refuse(&unwritten.iter().map(|error| Finding::of(error)).collect::<Vec<_>>());
                    }
                }
                shown = Some(run);
                reported.clear();
            }
            Err(findings) if shown.is_none() => return session.refuse(&findings),
            // The files and the cluster may come back.
            Err(findings) => {
                if findings != reported {
                    session.terminal.findings(&findings);
                }
                reported = findings;
            }
        }
        tokio::time::sleep(interval).await;
    }
}
