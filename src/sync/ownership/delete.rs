//! The one door: no object is deleted anywhere else in the program.
//!
//! In: the name of an object, and what is claimed of it. Out: what came of it. The object is read, the claim is proved by
//! what it is at that moment, and exactly that version of exactly that object is deleted; when somebody changes it in
//! between, all of it is done again. `tests/it/rooms.rs` holds that nobody else calls `Cluster::delete`.

use serde_json::Value;

use super::proof::{Claim, Proof, Stays};
use crate::cluster::{Cluster, ClusterError, Deleted, Deletion, ObjectName, Propagation, Reason, Refusal, Writing};
use crate::object::Object;

/// How often it is tried against somebody who writes to the object all the time.
const TRIES: usize = 10;

/// The result of a deletion.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sync) enum Removal {
    /// It is gone.
    Gone,
    /// It will be, when its finalizers are done.
    Going,
    /// There was no such object, or another one of this name.
    Absent,
    /// It stays: the claim is not borne out.
    Stays(Stays),
    /// The server refuses it.
    Refused(Refusal),
}

/// Deletes an object, if what is claimed of it holds now.
pub(in crate::sync) async fn delete(
    cluster: &dyn Cluster,
    object: &ObjectName,
    claim: &Claim<'_>,
    propagation: Propagation,
) -> Result<Removal, ClusterError> {
    let mut refused = None;
    for _ in 0..TRIES {
        let Some(live) = cluster.get(object).await? else { return Ok(Removal::Absent) };
        let proof = match Proof::of(&live, claim) {
            Ok(proof) => proof,
            Err(Stays::Another) => return Ok(Removal::Absent),
            Err(stays) => return Ok(Removal::Stays(stays)),
        };
        if is_being_deleted(&live) {
            return Ok(Removal::Going);
        }
        match cluster.delete(object, &proof.deletion(propagation), Writing::Really).await? {
            Deleted::Gone => return Ok(Removal::Gone),
            Deleted::Going => return Ok(Removal::Going),
            Deleted::Absent => return Ok(Removal::Absent),
            // Somebody changed it since it was read.
            Deleted::Refused(refusal) if refusal.reason == Reason::Conflict => refused = Some(refusal),
            Deleted::Refused(refusal) => return Ok(Removal::Refused(refusal)),
        }
    }
    Ok(refused.map_or(Removal::Absent, Removal::Refused))
}

/// Asks the server, in a dry run, whether it would let an object of this uid go: nothing is deleted.
pub(in crate::sync) async fn ask_to_delete(
    cluster: &dyn Cluster,
    object: &ObjectName,
    uid: &str,
    propagation: Propagation,
) -> Result<Deleted, ClusterError> {
    let deletion = Deletion { propagation, uid: Some(uid.to_owned()), resource_version: None };
    cluster.delete(object, &deletion, Writing::DryRun).await
}

fn is_being_deleted(live: &Object) -> bool {
    let since = live.metadata().and_then(|metadata| metadata.get("deletionTimestamp"));
    since.is_some_and(|since| !matches!(since, Value::Null))
}
