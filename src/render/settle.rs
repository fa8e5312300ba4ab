//! Settles what every tool leaves open: namespaces by scope, duplicates, objects of kinds that nobody compares.
//!
//! In: the objects and gaps of all sources of one application ([`RenderedSources`]), its destination namespace, the kinds known. Out: the
//! objects as they are meant for the cluster, and a finding or a [`Gap`] for everything that was dropped.
//!
//! Rules: Argo CD controller/state.go `DeduplicateTargetObjects`; reference: a cluster-scoped object loses its namespace,
//! a namespaced one without a namespace gets the destination's, an unknown kind keeps what it has.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Rendered, likeness};
use crate::app::settings::Exclusions;
use crate::app::source::SourceKind;
use crate::finding::{Code, Finding};
use crate::object::{Gap, GapReason, Key, Kinds, Object, Scope, SourceFile};

/// The objects of one application, ready to be compared.
#[derive(Debug, Default)]
pub struct Settled {
    /// The objects, each key once, in the order of their last appearance.
    pub objects: Vec<Object>,
    /// Two objects with one key: the last one wins (Argo CD's `RepeatedResourceWarning`).
    pub repeated: Vec<Finding>,
    /// Objects of kinds that are excluded everywhere (Argo CD's `ExcludedResourceWarning`).
    pub excluded: Vec<Finding>,
    /// The gaps of all sources.
    pub gaps: Vec<Gap>,
}

/// The rendered sources of one application, each object with the place that the record keeps of it.
#[derive(Debug, Default)]
pub struct RenderedSources {
    objects: Vec<Object>,
    gaps: Vec<Gap>,
}

impl RenderedSources {
    /// Adds what a source was rendered to; `position` is its place among so many sources.
    pub fn add(&mut self, rendered: Rendered, position: usize, count: usize) {
        let Rendered { target, tool, place } = rendered;
        let source = (count > 1).then_some(position);
        let folder: Arc<str> = place.into();
        // What a tool renders comes from the source as a whole: a value in one file makes an object of another.
        let path = |object: &Object| match object.origin().filter(|_| tool == SourceKind::Directory) {
            Some(origin) => Arc::clone(&origin.file),
            None => Arc::clone(&folder),
        };
        for object in target.objects {
            let path = path(&object);
            if is_named(&object) {
                self.objects.push(object.with_source_file(SourceFile { source, path }));
            } else if !is_of_kustomize(&object) {
                self.gaps.push(nameless(&object, position, tool));
            }
        }
        self.gaps.extend(target.gaps.into_iter().map(|gap| Gap { source: position, ..gap }));
    }

    /// Every object, in order.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }
}

/// Whether an object has a name, or gets one from the server.
fn is_named(object: &Object) -> bool {
    !object.name().is_empty() || !object.generate_name().is_empty()
}

/// A kustomization in a folder of manifests is for another tool; no cluster has its kind.
fn is_of_kustomize(object: &Object) -> bool {
    object.gvk().group == "kustomize.config.k8s.io"
}

/// No cluster takes an object without a name, and which object git means is not known.
fn nameless(object: &Object, source: usize, tool: SourceKind) -> Gap {
    let origin = object.origin().filter(|_| tool == SourceKind::Directory);
    let reason = match (likeness::of_nameless(object.value()), object.origin()) {
        (GapReason::NoName { kind }, Some(origin)) if tool != SourceKind::Directory => {
            GapReason::NoName { kind: format!("{kind} of {}", origin.file) }
        }
        (reason, _) => reason,
    };
    Gap {
        source,
        file: origin.map(|origin| Arc::clone(&origin.file)),
        line: origin.map_or(0, |origin| origin.line),
        reason,
        names: likeness::names(&object.to_value().to_string()),
    }
}

/// Where objects are going.
#[derive(Debug, Clone, Copy)]
pub struct RenderDestination<'a> {
    /// The cluster's server, which exclusions may name.
    pub server: &'a str,
    /// The namespace of objects that have none.
    pub namespace: &'a str,
}

/// Fills in namespaces and drops duplicates. `kinds` must know the definitions rendered beside.
pub fn settle(
    sources: RenderedSources,
    place: RenderDestination<'_>,
    kinds: &Kinds,
    exclusions: &Exclusions,
) -> Settled {
    let RenderedSources { objects, gaps } = sources;
    let mut settled = Settled { gaps, ..Settled::default() };
    let mut seen: HashMap<Key, usize> = HashMap::new();
    // The places of an object that is there several times, the one that is used last.
    let mut places: BTreeMap<Key, Vec<String>> = BTreeMap::new();
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
            && let Some(earlier) = seen.insert(key.clone(), kept.len())
            && let Some(earlier) = kept.get_mut(earlier).and_then(Option::take)
        {
            places.entry(key).or_insert_with(|| vec![shown_place(&earlier)]).push(shown_place(&object));
        }
        kept.push(Some(object));
    }
    settled.repeated = places.iter().map(|(key, places)| repeated(key, places)).collect();
    settled.objects = kept.into_iter().flatten().collect();
    settled
}

fn shown_place(object: &Object) -> String {
    object.origin().map_or_else(|| "an unknown place".to_owned(), ToString::to_string)
}

fn repeated(key: &Key, places: &[String]) -> Finding {
    let (used, unused) = places.split_last().map_or((String::new(), places), |(used, unused)| (used.clone(), unused));
    let times = if unused.len() == 1 { "twice".to_owned() } else { format!("{} times", places.len()) };
    let words = if unused.iter().all(|place| *place == used) {
        // Two sources have files of one name, as charts do.
        let all = if unused.len() == 1 { "both times" } else { "each time" };
        format!(", {all} at {used}: the {} one is used", if unused.len() == 1 { "later" } else { "last" })
    } else {
        let are = if unused.len() == 1 { "is" } else { "are" };
        format!(": {used} is used, {} {are} not", in_words(unused))
    };
    let help = if unused.len() == 1 { "remove one of them" } else { "keep one of them" };
    Finding::warning(Code::RenderRepeated, format!("`{key}` appears {times}{words}")).with_help(help)
}

/// `a`, `a and b`, `a, b and c`; of many the first ten.
fn in_words(places: &[String]) -> String {
    const SHOWN: usize = 10;
    match (&places[..places.len().min(SHOWN)], places.len().saturating_sub(SHOWN)) {
        ([first @ .., last], 0) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (shown, 0) => shown.join(", "),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

fn excluded(object: &Object) -> Finding {
    let message = format!("`{}` at {} is of a kind that is never compared", object.key(), shown_place(object));
    Finding::warning(Code::RenderExcluded, message)
        .with_help("controllers write objects of this kind; take it out of git")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::object::Origin;

    /// The object that stands last counts; it is one warning, however often it is there.
    #[test]
    fn an_object_that_is_there_several_times_is_one_warning() {
        let at = |file: &str| {
            let value = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}});
            Object::new(value).unwrap().with_origin(Origin { file: Arc::from(file), line: 1 })
        };
        for (files, expected) in [
            (vec!["a"], None),
            (vec!["a", "b"], Some("`ConfigMap shop/settings` appears twice: b:1 is used, a:1 is not")),
            (vec!["a", "b", "c"], Some("`ConfigMap shop/settings` appears 3 times: c:1 is used, a:1 and b:1 are not")),
            (vec!["a", "a"], Some("`ConfigMap shop/settings` appears twice, both times at a:1: the later one is used")),
            (
                vec!["a", "a", "a"],
                Some("`ConfigMap shop/settings` appears 3 times, each time at a:1: the last one is used"),
            ),
        ] {
            let place = RenderDestination { server: "", namespace: "shop" };
            let objects = files.iter().map(|file| at(file)).collect();
            let sources = RenderedSources { objects, gaps: Vec::new() };
            let settled = settle(sources, place, &Kinds::builtin("v1.34.0"), &Exclusions::default());
            let reported: Vec<&str> = settled.repeated.iter().map(|finding| finding.message.as_str()).collect();
            assert_eq!(reported, expected.as_slice(), "{files:?}");
            assert_eq!(settled.objects.len(), 1);
        }
    }
}
