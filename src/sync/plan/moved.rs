//! What moved since a plan was saved.
//!
//! In: saved plans, and fresh ones made with the same wishes. Out: nothing, when they are the same plan and not too old; else
//! each thing that moved, by its name. Why a step is done may be told otherwise: what counts is what is done, to what.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::file::{PlanFileError, SavedName, SavedPlan, SavedPlans, SavedStep};
use super::step::Plan;

impl SavedPlans {
    /// Whether fresh plans are the saved ones, and these are not too old: then the fresh ones may be executed.
    pub fn still_holds<'p>(
        &self,
        fresh: impl IntoIterator<Item = &'p Plan>,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<(), PlanFileError> {
        self.is_young(now, lifetime)?;
        let fresh: Vec<SavedPlan> = fresh.into_iter().map(SavedPlan::of).collect();
        let moved = moved(&self.plans, &fresh);
        if moved.is_empty() { Ok(()) } else { Err(PlanFileError::Moved(moved)) }
    }

    /// Whether it is not too old; known before anything is fetched.
    pub fn is_young(&self, now: Timestamp, lifetime: Duration) -> Result<(), PlanFileError> {
        // Clocks of two machines are never quite the same: what was made in the future was made now.
        let at = self.making().map_or(Timestamp::UNIX_EPOCH, |making| making.at);
        let age = now.duration_since(at);
        let lifetime = SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::MAX);
        if age <= lifetime {
            return Ok(());
        }
        let words = |duration: SignedDuration| format!("{:#}", SignedDuration::from_secs(duration.as_secs()));
        Err(PlanFileError::TooOld { age: words(age), lifetime: words(lifetime) })
    }
}

fn moved(saved: &[SavedPlan], fresh: &[SavedPlan]) -> Vec<String> {
    let of = |plans: &'_ [SavedPlan]| plans.iter().map(|plan| plan.application.clone()).collect::<BTreeSet<_>>();
    let (then, now) = (of(saved), of(fresh));
    let gone = then.difference(&now).map(|name| format!("{name} no longer has a plan"));
    let new = now.difference(&then).map(|name| format!("{name} now has a plan"));
    let mut moved: Vec<String> = gone.chain(new).collect();
    for then in saved {
        if let Some(now) = fresh.iter().find(|now| now.application == then.application) {
            moved.extend(of_application(then, now).into_iter().map(|what| format!("{}: {what}", then.application)));
        }
    }
    moved
}

fn of_application(then: &SavedPlan, now: &SavedPlan) -> Vec<String> {
    let mut moved = Vec::new();
    if then.cluster != now.cluster {
        moved.push(format!("the cluster was {} and is now {}", then.cluster, now.cluster));
    }
    if then.revisions != now.revisions {
        let words = |revisions: &[String]| revisions.iter().map(|it| short(it)).collect::<Vec<_>>().join(", ");
        moved.push(format!("the revision was {} and is now {}", words(&then.revisions), words(&now.revisions)));
    }
    if then.whole != now.whole {
        moved.push("the scope of the sync changed".to_owned());
    }
    let by_place = |plan: &'_ SavedPlan| -> BTreeMap<(SavedName, String), SavedStep> {
        plan.steps.iter().map(|step| (place(step), step.clone())).collect()
    };
    let (steps_then, steps_now) = (by_place(then), by_place(now));
    for (place, step) in &steps_then {
        match steps_now.get(place) {
            None => moved.push(format!("`{}` no longer needs {}", step.object.words(), step.action)),
            Some(now) => moved.extend(of_step(step, now).map(|what| format!("`{}` {what}", step.object.words()))),
        }
    }
    let new = steps_now.iter().filter(|(place, _)| !steps_then.contains_key(place));
    moved.extend(new.map(|(_, step)| format!("`{}` now needs {}", step.object.words(), step.action)));
    let order = |plan: &SavedPlan| plan.steps.iter().map(place).collect::<Vec<_>>();
    if moved.is_empty() && order(then) != order(now) {
        moved.push("the order of the steps changed".to_owned());
    }
    moved
}

/// Which step of which plan is which: a hook has one in each of its phases.
fn place(step: &SavedStep) -> (SavedName, String) {
    (step.object.clone(), if step.hook.is_some() { step.phase.clone() } else { String::new() })
}

/// What moved of a step, worst first.
fn of_step(then: &SavedStep, now: &SavedStep) -> Option<String> {
    match (&then.live, &now.live) {
        (None, Some(_)) => return Some("now exists in the cluster".to_owned()),
        (Some(_), None) => return Some("no longer exists in the cluster".to_owned()),
        (Some(then), Some(now)) if then.uid != now.uid => {
            return Some("is a different object with the same name in the cluster".to_owned());
        }
        (then, now) if then != now => return Some("changed in the cluster".to_owned()),
        _ => {}
    }
    if then.target != now.target {
        return Some("changed in git".to_owned());
    }
    if then.action != now.action {
        return Some(format!("needed {} and now needs {}", then.action, now.action));
    }
    if (&then.hook, &then.how) != (&now.hook, &now.how) {
        return Some(format!("needs {} in a different way", now.action));
    }
    if (&then.phase, then.wave) != (&now.phase, now.wave) {
        return Some(format!("was in {} {} and is now in {} {}", then.phase, then.wave, now.phase, now.wave));
    }
    None
}

/// A revision as people read it.
fn short(revision: &str) -> &str {
    revision.get(..7).filter(|_| revision.len() == 40).unwrap_or(revision)
}
