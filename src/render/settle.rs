//! Settles what every tool leaves open: namespaces by scope, duplicates, objects of kinds that nobody compares.
//!
//! In: the objects of all sources of one application, its destination namespace, the kinds known. Out: the objects as
//! they are meant for the cluster, and a finding for everything that was dropped.
//!
//! Rules: Argo CD controller/state.go `DeduplicateTargetObjects`; reference: a cluster-scoped object loses its namespace,
//! a namespaced one without a namespace gets the destination's, an unknown kind keeps what it has.

use std::collections::HashMap;

use crate::app::settings::Exclusions;
use crate::finding::Finding;
use crate::object::{Key, Kinds, Object, Scope};

/// The objects of one application, ready to be compared.
#[derive(Debug, Default)]
pub struct Settled {
    /// The objects, each key once, in the order of their last appearance.
    pub objects: Vec<Object>,
    /// Two objects with one key: the last one wins (Argo CD's `RepeatedResourceWarning`).
    pub repeated: Vec<Finding>,
    /// Objects of kinds that are excluded everywhere (Argo CD's `ExcludedResourceWarning`).
    pub excluded: Vec<Finding>,
}

/// Where objects are going.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The cluster's server, which exclusions may name.
    pub server: &'a str,
    /// The namespace of objects that have none.
    pub namespace: &'a str,
}

/// Fills in namespaces and drops duplicates. `kinds` must know the definitions rendered beside.
pub fn settle(objects: Vec<Object>, place: Place<'_>, kinds: &Kinds, exclusions: &Exclusions) -> Settled {
    let mut settled = Settled::default();
    let mut seen: HashMap<Key, usize> = HashMap::new();
    let mut kept: Vec<Option<Object>> = Vec::with_capacity(objects.len());
    for mut object in objects {
        let kind = object.gvk().group_kind();
        if exclusions.excludes(&kind, place.server) {
            settled.excluded.push(excluded(&object));
            continue;
        }
        match kinds.scope(&kind) {
            Some(Scope::Cluster) => object.set_namespace(None),
            Some(Scope::Namespaced) if object.namespace().is_empty() && !place.namespace.is_empty() => {
                object.set_namespace(Some(place.namespace));
            }
            Some(Scope::Namespaced) | None => {}
        }
        let key = object.key();
        if !key.name.is_empty()
            && let Some(earlier) = seen.insert(key, kept.len())
            && let Some(earlier) = kept.get_mut(earlier).and_then(Option::take)
        {
            settled.repeated.push(repeated(&earlier, &object));
        }
        kept.push(Some(object));
    }
    settled.objects = kept.into_iter().flatten().collect();
    settled
}

fn shown_place(object: &Object) -> String {
    object.origin().map_or_else(|| "an unknown place".to_owned(), ToString::to_string)
}

fn repeated(earlier: &Object, later: &Object) -> Finding {
    let (used, unused) = (shown_place(later), shown_place(earlier));
    let places = if used == unused {
        // Two sources have files of one name, as charts do.
        format!(", both times at {used}: the later one is used")
    } else {
        format!(": {used} is used, {unused} is not")
    };
    Finding::warning("trueup::render::repeated", format!("`{}` appears twice{places}", later.key()))
        .with_help("take one of them out")
}

fn excluded(object: &Object) -> Finding {
    let message = format!("`{}` at {} is of a kind that is never compared", object.key(), shown_place(object));
    Finding::warning("trueup::render::excluded", message)
        .with_help("controllers write objects of this kind; take it out of git")
}
