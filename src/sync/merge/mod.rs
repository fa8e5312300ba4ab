//! Applies an object, also where server-side apply cannot express what git wants.
//!
//! In: a target, and whether it is a dry run. Out: the object as the server has it, and which [`Way`] led there. Server-side
//! apply never takes away what others hold: a default, or a change by hand, that contradicts git (`strategy.rollingUpdate`
//! beside `type: Recreate`, a second port of the same name) makes the server refuse all of it. Then the target is merged into
//! the live object; of what the server refuses, that gives way which git does not name; and the result becomes ours.
//!
//! Rules: kubectl apply merges and drops what git does not retain (`patchStrategy: retainKeys`), which is known for some
//! fields; here the server's own list of refused fields says where. Dry runs find what has to give way.

mod fields;
mod merged;

pub(in crate::sync) use fields::values_at;

use serde_json::{Value, json};

use super::adopt;
use crate::cluster::{Cluster, ClusterError, ObjectName, Reason, Refusal, Validation, Writing, Written};
use crate::object::annotations::FIELD_MANAGER;
use crate::object::{Object, Pointer};

/// At most so many dry runs look for what has to give way.
const TRIES: usize = 30;
/// How often a write is tried against somebody who writes, too.
const CONFLICTS: usize = 3;

/// How an object was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sync) enum Way {
    /// By server-side apply.
    ServerSide,
    /// Merged into the live object, of which these places gave way.
    Merged(Vec<Pointer>),
}

impl Way {
    /// The action in the past tense, for the result of a step.
    pub(in crate::sync) fn words(&self, done: &str) -> String {
        let Self::Merged(removed) = self else { return done.to_owned() };
        let places: Vec<String> = removed.iter().map(|place| format!("`{}`", place.dotted())).collect();
        format!("{done} by merge, because server-side apply was refused; removed {}", places.join(", "))
    }
}

/// Applies a target.
pub(in crate::sync) async fn apply(
    cluster: &dyn Cluster,
    (name, target): (&ObjectName, &Object),
    validation: Validation,
    writing: Writing,
) -> Result<(Written, Way), ClusterError> {
    let written = cluster.apply(target, validation, writing).await?;
    let is_for_merge = matches!(
        &written,
        Written::Refused(Refusal { reason: Reason::Invalid, fields, .. }) if !fields.is_empty()
    );
    if !is_for_merge {
        return Ok((written, Way::ServerSide));
    }
    for _ in 0..CONFLICTS {
        let Some(live) = cluster.get(name).await? else { break };
        let Some(MergedTarget { object, removed }) = find(cluster, name, target, &live).await? else { break };
        if writing == Writing::DryRun {
            return Ok((Written::Done(Box::new(object)), Way::Merged(removed)));
        }
        match cluster.patch(name, &patch(&object, &live), writing).await? {
            Written::Done(live) => own(cluster, name, *live).await?,
            Written::Refused(Refusal { reason: Reason::Conflict, .. }) => continue,
            refused @ Written::Refused(_) => return Ok((refused, Way::ServerSide)),
        }
        return Ok((cluster.apply(target, validation, writing).await?, Way::Merged(removed)));
    }
    Ok((written, Way::ServerSide))
}

/// A target merged into the live object, as the server takes it.
struct MergedTarget {
    object: Object,
    removed: Vec<Pointer>,
}

/// Looks for what has to give way, one place at a time, so that nothing goes that need not.
async fn find(
    cluster: &dyn Cluster,
    name: &ObjectName,
    target: &Object,
    live: &Object,
) -> Result<Option<MergedTarget>, ClusterError> {
    let mut merge = MergedTarget { object: merged::merged(target, live), removed: Vec::new() };
    let mut refused = match ask(cluster, name, &merge.object, live).await? {
        // The merge alone is what it takes.
        Ok(()) => return Ok(Some(merge)),
        Err(refused) => refused,
    };
    let mut tries = TRIES;
    while let Some(field) = refused.first().cloned() {
        let mut next = None;
        for place in fields::removable(&merge.object, target, &field) {
            let Some(left) = tries.checked_sub(1) else { return Ok(None) };
            tries = left;
            let Some(object) = fields::without(&merge.object, &place) else { continue };
            match ask(cluster, name, &object, live).await? {
                Ok(()) => {
                    merge.removed.push(place);
                    return Ok(Some(MergedTarget { object, ..merge }));
                }
                Err(still) if !still.is_empty() && !still.contains(&field) => {
                    next = Some((object, place, still));
                    break;
                }
                Err(_) => {}
            }
        }
        let Some((object, place, still)) = next else { return Ok(None) };
        merge.object = object;
        merge.removed.push(place);
        refused = still;
    }
    Ok(None)
}

/// Whether the server takes a merge; the fields that it refuses where not.
async fn ask(
    cluster: &dyn Cluster,
    name: &ObjectName,
    object: &Object,
    live: &Object,
) -> Result<Result<(), Vec<String>>, ClusterError> {
    Ok(match cluster.patch(name, &patch(object, live), Writing::DryRun).await? {
        Written::Done(_) => Ok(()),
        Written::Refused(Refusal { reason: Reason::Invalid, fields, .. }) => Err(fields),
        Written::Refused(_) => Err(Vec::new()),
    })
}

/// The patch that makes the live object the merged one, its metadata aside, which the apply that follows sees to.
fn patch(merged: &Object, live: &Object) -> Value {
    let version = json!({"op": "replace", "path": "/metadata/resourceVersion", "value": live.resource_version()});
    let is_content = |field: &str| !matches!(field, "apiVersion" | "kind" | "metadata" | "status");
    let changed =
        merged.value().iter().filter(|(field, value)| is_content(field) && live.value().get(*field) != Some(value));
    let fields = changed.map(|(field, value)| {
        let path = Pointer::root().child(field.as_str()).to_string();
        json!({"op": "add", "path": path, "value": value})
    });
    std::iter::once(version).chain(fields).collect()
}

/// The patch was an update: its fields join those that we applied, so that what git drops later goes away.
async fn own(cluster: &dyn Cluster, name: &ObjectName, live: Object) -> Result<(), ClusterError> {
    let mut live = Some(live);
    for _ in 0..CONFLICTS {
        let Some(patch) = live.as_ref().and_then(|live| adopt::patch(live, &[FIELD_MANAGER.to_owned()])) else { break };
        match cluster.patch(name, &patch, Writing::Really).await? {
            Written::Refused(Refusal { reason: Reason::Conflict, .. }) => live = cluster.get(name).await?,
            Written::Done(_) | Written::Refused(_) => break,
        }
    }
    Ok(())
}
