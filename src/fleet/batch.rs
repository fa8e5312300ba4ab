//! The applications of a run, in the order of the input.
//!
//! Each stage takes the applications that came so far and returns them one stage further ([`Batch::through`]). One that fails
//! leaves with what is known of it, keeps its place, and is reported with the others.

use futures::StreamExt;
use futures::stream;

use super::application::Left;
use super::condition::Conditions;
use super::reporting::{Reported, invalid_run};
use super::{ApplicationRun, Run, World};
use crate::app::InvalidApplication;
use crate::finding::{Code, Finding};

/// One application's place.
enum Slot<T> {
    /// It came as far as this stage.
    Going(T),
    /// It has no target: it could not be fetched, connected or rendered.
    Left(Box<Left>),
    /// Its manifest is wrong.
    Invalid(Box<InvalidApplication>),
}

/// How far one application came.
pub(crate) enum Standing<'run, T> {
    /// As far as this stage.
    Going(&'run T),
    /// It has no target.
    Left(&'run Left),
    /// Its manifest is wrong.
    Invalid(&'run InvalidApplication),
}

/// The applications of a run, those that came as far as stage `T` and those that did not.
pub(crate) struct Batch<T> {
    slots: Vec<Slot<T>>,
}

impl<T> Batch<T> {
    /// At the beginning.
    pub(crate) fn of(applications: impl IntoIterator<Item = Result<T, Box<InvalidApplication>>>) -> Self {
        let slot = |application| match application {
            Ok(application) => Slot::Going(application),
            Err(invalid) => Slot::Invalid(invalid),
        };
        Self { slots: applications.into_iter().map(slot).collect() }
    }

    /// How many applications there are, those among them whose manifests are wrong.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// How far each application came, in order.
    pub(crate) fn standings(&self) -> impl Iterator<Item = Standing<'_, T>> {
        self.slots.iter().map(|slot| match slot {
            Slot::Going(application) => Standing::Going(application),
            Slot::Left(left) => Standing::Left(left),
            Slot::Invalid(invalid) => Standing::Invalid(invalid),
        })
    }

    /// Adds more applications that came as far.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.slots.append(&mut others.slots);
    }

    /// The same applications in another order, which has each place once.
    pub(crate) fn in_order(self, order: Vec<usize>) -> Self {
        let mut slots: Vec<Option<Slot<T>>> = self.slots.into_iter().map(Some).collect();
        Self { slots: order.into_iter().filter_map(|place| slots.get_mut(place)?.take()).collect() }
    }

    /// Whether the manifest of one is wrong.
    pub(crate) fn has_invalid(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot, Slot::Invalid(_)))
    }

    /// Those that came as far as this stage.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Going(application) => Some(application),
            Slot::Left(_) | Slot::Invalid(_) => None,
        })
    }

    /// Those that left.
    pub(crate) fn left(&self) -> impl Iterator<Item = &Left> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Left(left) => Some(&**left),
            Slot::Going(_) | Slot::Invalid(_) => None,
        })
    }

    /// Every application but those whose manifests are wrong, which are `None`.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Option<Result<&T, &Left>>> {
        self.slots.iter().map(|slot| match slot {
            Slot::Going(application) => Some(Ok(application)),
            Slot::Left(left) => Some(Err(&**left)),
            Slot::Invalid(_) => None,
        })
    }

    /// The faults of the manifests that are wrong.
    pub(crate) fn invalid_findings(&self) -> impl Iterator<Item = &Finding> {
        let invalid = self.slots.iter().filter_map(|slot| match slot {
            Slot::Invalid(invalid) => Some(invalid),
            Slot::Going(_) | Slot::Left(_) => None,
        });
        invalid.flat_map(|invalid| &invalid.findings)
    }

    /// Leaves out those that came so far and are not wanted.
    pub(crate) fn retain(&mut self, mut is_wanted: impl FnMut(&T) -> bool) {
        self.slots.retain(|slot| match slot {
            Slot::Going(application) => is_wanted(application),
            Slot::Left(_) | Slot::Invalid(_) => true,
        });
    }

    /// Takes each one stage further, where it can go there.
    pub(crate) fn advance<U>(self, mut stage: impl FnMut(T) -> Result<U, Box<Left>>) -> Batch<U> {
        let slot = |slot| match slot {
            Slot::Going(application) => match stage(application) {
                Ok(application) => Slot::Going(application),
                Err(left) => Slot::Left(left),
            },
            Slot::Left(left) => Slot::Left(left),
            Slot::Invalid(invalid) => Slot::Invalid(invalid),
        };
        Batch { slots: self.slots.into_iter().map(slot).collect() }
    }

    /// Each application that came so far, and the conditions of each that did not, in order.
    pub(crate) fn into_results(self) -> impl Iterator<Item = Result<T, Conditions>> {
        self.slots.into_iter().map(|slot| match slot {
            Slot::Going(application) => Ok(application),
            Slot::Left(left) => Err(left.fetched.loaded.conditions),
            Slot::Invalid(invalid) => Err(Conditions::of(&invalid.shown_name())),
        })
    }

    /// Takes each one stage further.
    pub(crate) fn map<U>(self, mut stage: impl FnMut(T) -> U) -> Batch<U> {
        self.advance(|application| Ok(stage(application)))
    }

    /// Changes what is known of those that left.
    pub(crate) fn map_left(self, mut change: impl FnMut(Left) -> Left) -> Self {
        let slot = |slot| match slot {
            Slot::Left(left) => Slot::Left(Box::new(change(*left))),
            slot => slot,
        };
        Self { slots: self.slots.into_iter().map(slot).collect() }
    }

    /// Those that came as far as this stage, and the places that they go back to.
    pub(crate) fn split(self) -> (Vec<T>, Places) {
        let mut going = Vec::new();
        let places = Places(self.map(|application| going.push(application)));
        (going, places)
    }

    /// Takes all of them through a stage that knows all of them, and returns one for each, in order.
    pub(crate) async fn through<U>(self, stage: impl AsyncFnOnce(Vec<T>) -> Vec<U>) -> Batch<U> {
        let (going, places) = self.split();
        places.join(stage(going).await)
    }

    /// Takes each one stage further, so many side by side.
    pub(crate) async fn each<U>(self, concurrency: usize, stage: impl AsyncFn(T) -> U) -> Batch<U> {
        self.through(async |going| side_by_side(going, concurrency, stage).await).await
    }
}

/// The places of those that came as far as a stage, among those that did not.
pub(crate) struct Places(Batch<()>);

impl Places {
    /// One for each place, in order.
    pub(crate) fn join<T>(self, further: Vec<T>) -> Batch<T> {
        let mut further = further.into_iter();
        let slots = self.0.slots.into_iter().filter_map(|slot| match slot {
            Slot::Going(()) => further.next().map(Slot::Going),
            Slot::Left(left) => Some(Slot::Left(left)),
            Slot::Invalid(invalid) => Some(Slot::Invalid(invalid)),
        });
        Batch { slots: slots.collect() }
    }
}

impl<T: Reported> Batch<T> {
    /// The run at its end: every application in the order of the input, those that left and those whose manifests are wrong
    /// among them.
    pub(crate) fn end(self, mut findings: Vec<Finding>, world: &World) -> Run {
        for cluster in world.clusters.found() {
            let remark = |(subject, remark): (String, String)| {
                let message = format!("cluster {}: {subject}", cluster.name());
                Finding::warning(Code::ClusterRemark, message).with_cause(remark)
            };
            findings.extend(cluster.remarks().into_iter().map(remark));
        }
        let run = |slot: Slot<T>| -> ApplicationRun {
            match slot {
                Slot::Going(application) => application.report(),
                Slot::Left(left) => left.report(),
                Slot::Invalid(invalid) => invalid_run(*invalid),
            }
        };
        let applications = self.slots.into_iter().map(run).collect();
        Run { applications, removals: Vec::new(), findings, requests: world.clusters.requests() }
    }
}

/// Does something with each, so many side by side; in order.
pub(crate) async fn side_by_side<T, U>(values: Vec<T>, concurrency: usize, stage: impl AsyncFn(T) -> U) -> Vec<U> {
    let stage = &stage;
    let work = values.into_iter().enumerate().map(|(place, value)| async move { (place, stage(value).await) });
    let mut done: Vec<(usize, U)> = stream::iter(work).buffer_unordered(concurrency.max(1)).collect().await;
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, value)| value).collect()
}
