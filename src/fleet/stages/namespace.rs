//! Compares the destination's namespace with the labels and annotations that the Application wants on it
//! (`managedNamespaceMetadata`).
//!
//! In: a rendered application. Out: the namespace as one more resource, for applications that have such metadata and no manifest of the
//! namespace in git. It costs one GET. A namespace that cannot be read is unknown.
//!
//! Argo CD applies this metadata in a sync and never compares it: a changed label stays unseen there.

use std::sync::Arc;

use crate::cluster::ObjectName;
use crate::finding::Finding;
use crate::fleet::application::{Purpose, Rendered};
use crate::object::Object;
use crate::status::ResourceDrift;
use crate::status::compare::{Look, Question, Terms, first_look, unknown};
use crate::sync::plan::managed_namespace;

/// The result of the first comparison.
pub(crate) enum Found {
    Settled(Box<ResourceDrift>),
    Ask(Box<Question>),
    /// The cluster does not say.
    Unknown(Box<ResourceDrift>, Finding),
}

/// The first look at the namespace; nothing where the Application says nothing of it, or is being deleted.
pub(crate) async fn look(rendered: &Rendered, terms: &Arc<Terms>) -> Option<Found> {
    if rendered.purpose == Purpose::Delete {
        return None;
    }
    let wanted = managed_namespace(&rendered.application, &rendered.target)?;
    Some(match rendered.cluster().get(&name_of(&wanted)).await {
        Ok(live) => match first_look(&wanted, live.map(Arc::new).as_ref(), None, terms) {
            Look::Settled(drift) => Found::Settled(drift),
            Look::Ask(question) => Found::Ask(question),
        },
        Err(error) => {
            let finding = Finding::of(&error);
            Found::Unknown(Box::new(unknown(&wanted, finding.message.clone())), finding)
        }
    })
}

fn name_of(object: &Object) -> ObjectName {
    ObjectName { gvk: object.gvk(), namespace: None, name: object.name().to_owned() }
}
