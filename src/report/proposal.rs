//! What somebody reads before a sync, a rollback or a deletion: the diff, the steps, and all of it in one line.
//!
//! In: a [`Run`] with its plans, of which nothing is done yet. Out: text.

use super::View;
use super::drift::text;
use super::plan;
use super::style::words::cluster_words;
use crate::fleet::{ApplicationRun, Run};
use crate::sync::plan::{Plan, Step};

/// The text before the question: the diff, then the steps of every application.
pub fn proposal(run: &Run, view: &View) -> String {
    // Of an application that is deleted everything is extra, and the steps say so.
    let diff = if run.applications.iter().any(|application| application.is_going) {
        String::new()
    } else {
        text::comparison(run, view) + "\n"
    };
    diff + &plan::text(run.applications.iter().filter_map(|application| application.plan.as_ref()), view)
}

/// The plans in one line, and where: `Plan: 1 to create, 2 hooks, on shop-prod (https://…)`.
pub fn summary(run: &Run) -> String {
    let planned: Vec<(&ApplicationRun, &Plan)> =
        run.applications.iter().filter_map(|application| Some((application, application.plan.as_ref()?))).collect();
    let steps: Vec<&Step> = planned.iter().flat_map(|(_, plan)| &plan.steps).collect();
    let held = planned.iter().map(|(_, plan)| plan.held.len()).sum();
    let is_going = run.applications.iter().any(|application| application.is_going);
    let mut counts: Vec<String> = plan::counts(&steps, held).into_iter().map(|(_, words)| words).collect();
    if let Some(last) = counts.last_mut().filter(|_| is_going && held > 0) {
        *last = format!("{held} {}", if held == 1 { "stays" } else { "stay" });
    }
    let mut clusters: Vec<String> = Vec::new();
    for (application, _) in planned.iter().filter(|(_, plan)| !plan.is_empty()) {
        let words = match cluster_words(application)[..] {
            [name, server, ..] => format!("{name} ({server})"),
            [one] => one.to_owned(),
            [] => continue,
        };
        if !clusters.contains(&words) {
            clusters.push(words);
        }
    }
    let clusters = match clusters.len() {
        0..=2 => clusters.join(" and "),
        count => format!("{count} clusters"),
    };
    let on = if clusters.is_empty() { String::new() } else { format!(", on {clusters}") };
    format!("Plan: {}{on}", counts.join(", "))
}
