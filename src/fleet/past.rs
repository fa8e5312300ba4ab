//! Renders an application as it was at its last sync, for those that drifted: the third value beside git's and live.
//!
//! In: a turn with its baseline. Out: what git said then, by key; nothing where that revision is gone or cannot be
//! rendered any more, which is no reason to fail.

use std::collections::HashMap;
use std::sync::Arc;

use super::render::{Work, render_one};
use super::sync::mark_known;
use super::turn::Turn;
use super::{Request, World};
use crate::object::{Key, Object};
use crate::source::{Checkout, Wanted, locate};

pub(super) async fn target(turn: &Turn, request: &Request, world: &World) -> Option<PastTarget> {
    let baseline = turn.baseline.as_ref()?;
    if baseline.revisions.len() != turn.sources.len() {
        return None;
    }
    let is_now = |(run, then): (&super::SourceRun, &String)| run.revision == *then && !run.dirty;
    if turn.sources.iter().zip(&baseline.revisions).all(is_now) {
        return turn.target.clone().map(PastTarget::of);
    }
    let mut checkouts: Vec<Arc<Checkout>> = Vec::new();
    for (source, revision) in turn.application.sources.iter().zip(&baseline.revisions) {
        let url = locate(source.repo_url.with_credentials(), &turn.application.folder);
        let wanted = Wanted::of(source, &turn.application.project, &turn.application.folder).at(revision);
        let brought = world.sources.fetch_past(&url, &wanted, &world.cancel).await;
        checkouts.push(brought.into_iter().next()?.ok()?);
    }
    let settings = Arc::new(request.render.clone());
    let exclusions = Arc::new(request.settings.exclusions.clone());
    let work = Work::new(turn, checkouts, request, (&settings, &exclusions), &world.cancel)?;
    let done = tokio::task::spawn_blocking(move || render_one(&work)).await.ok()?;
    let mut objects = done.result.ok()?.objects;
    // As they were applied then: with the label of the ApplySet.
    mark_known(&mut objects, turn.baseline.as_deref(), &turn.tracking(request).applyset_id);
    Some(PastTarget::of(Arc::new(objects)))
}

/// What git said then, by key.
pub(super) struct PastTarget {
    objects: Arc<Vec<Object>>,
    places: HashMap<Key, usize>,
}

impl PastTarget {
    fn of(objects: Arc<Vec<Object>>) -> Self {
        let places = objects.iter().enumerate().map(|(place, object)| (object.key(), place)).collect();
        Self { objects, places }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Object> {
        self.places.get(key).and_then(|place| self.objects.get(*place))
    }

    /// All of it.
    pub(super) fn into_objects(self) -> Arc<Vec<Object>> {
        self.objects
    }
}
