//! Leaves out the applications that the person behind the run may not even read.
//!
//! In: a request with [`Permissions`](crate::fleet::Permissions). Out: the applications with `get`; the others leave the run with an error of
//! the class "not permitted", which names the line that is missing.

use crate::fleet::Request;
use crate::fleet::application::{Fetched, Left, Loaded};
use crate::fleet::batch::Batch;
use crate::fleet::condition::ConditionKind;

/// Leaves out what the person may not even read: nothing of it is fetched.
pub(crate) fn readable(loaded: Batch<Loaded>, request: &Request) -> Batch<Loaded> {
    let Some(permissions) = &request.permissions else { return loaded };
    loaded.advance(|mut loaded| match permissions.refusal(&loaded.application, &request.argocd_namespace, "get") {
        None => Ok(loaded),
        Some(finding) => {
            loaded.conditions.add(ConditionKind::ComparisonError, finding);
            Err(Box::new(Left {
                fetched: Fetched::nothing(loaded),
                cluster: None,
                tools: Vec::new(),
                is_connected: true,
            }))
        }
    })
}
