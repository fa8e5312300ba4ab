//! What is live: the objects that were listed, and where each one is looked up.
//!
//! Pure: what was listed comes in, and an object, or the error that hides it, goes out.

use std::collections::HashMap;
use std::sync::Arc;

use super::condition::ConditionKind;
use crate::cluster::{Cluster, Listed};
use crate::finding::{Code, Finding};
use crate::object::{Gvk, Kinds, Object, Scope};

/// Which cluster, as an identity: applications with one cluster share it.
pub(crate) type ClusterId = usize;

pub(crate) fn identity(cluster: &Arc<dyn Cluster>) -> ClusterId {
    Arc::as_ptr(cluster).cast::<()>().addr()
}

/// One kind in one place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Listing {
    pub(crate) cluster: ClusterId,
    pub(crate) gvk: Gvk,
    /// `None` is the whole cluster.
    pub(crate) namespace: Option<String>,
}

/// Where the live objects of a target are to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In this LIST.
    Listed(Gvk, Option<String>),
    /// Nowhere: the cluster does not serve the kind, so no such object exists.
    NotServed,
    /// Not to be found: discovery failed, or another version is served; with the reason.
    Hidden(String),
}

/// Decides where a target's live object is.
pub(crate) fn place(object: &Object, kinds: &Kinds) -> Place {
    place_of(&object.gvk(), object.namespace(), kinds)
}

/// Decides where an object of a kind and a namespace is.
pub(crate) fn place_of(gvk: &Gvk, namespace: &str, kinds: &Kinds) -> Place {
    let Some(facts) = kinds.exact(gvk) else {
        // The kind may be one of any version of its group that does not answer.
        if let Some(reason) = silence_of(kinds, &gvk.group) {
            return Place::Hidden(reason);
        }
        return match kinds.preferred(&gvk.group_kind()) {
            Some(other) => Place::Hidden(format!(
                "the cluster serves `{}` as `{}`, not as `{}`",
                gvk.kind,
                other.gvk.api_version(),
                gvk.api_version()
            )),
            None => Place::NotServed,
        };
    };
    match facts.scope {
        Scope::Cluster => Place::Listed(gvk.clone(), None),
        Scope::Namespaced if namespace.is_empty() => {
            Place::Hidden("it has no namespace, and the application's destination names none".to_owned())
        }
        Scope::Namespaced => Place::Listed(gvk.clone(), Some(namespace.to_owned())),
    }
}

/// Why a group's kinds are not known, where one of its versions does not answer.
pub(crate) fn silence_of(kinds: &Kinds, group: &str) -> Option<String> {
    let broken = kinds.unavailable.iter().find(|(api, _)| Gvk::from_api_version(api, "").group == group);
    broken.map(|(api, reason)| format!("the cluster's API `{api}` does not answer: {reason}"))
}

/// Everything that was listed.
#[derive(Debug, Default)]
pub(crate) struct Live {
    listings: HashMap<Listing, Listed>,
}

impl Live {
    /// The objects that were listed there.
    pub(crate) fn of(places: impl Iterator<Item = (Listing, Listed)>) -> Self {
        Self { listings: places.collect() }
    }

    /// The LIST that covers a kind in a namespace.
    pub(crate) fn listing(&self, cluster: ClusterId, gvk: &Gvk, namespace: Option<&str>) -> Option<&Listed> {
        let exact = Listing { cluster, gvk: gvk.clone(), namespace: namespace.map(str::to_owned) };
        self.listings.get(&exact).or_else(|| self.listings.get(&Listing { namespace: None, ..exact }))
    }

    /// The LIST that covers a kind in a namespace, in whatever version it was asked for.
    pub(crate) fn of_kind(&self, cluster: ClusterId, gvk: &Gvk, namespace: Option<&str>) -> Option<&Listed> {
        let covers = |listing: &Listing| {
            listing.cluster == cluster
                && (&listing.gvk.group, &listing.gvk.kind) == (&gvk.group, &gvk.kind)
                && (listing.namespace.is_none() || listing.namespace.as_deref() == namespace)
        };
        self.listings.iter().find(|(listing, _)| covers(listing)).map(|(_, listed)| listed)
    }

    /// Every listed object, with its cluster.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (ClusterId, &Object)> {
        let listed =
            self.listings.iter().filter_map(|(listing, listed)| Some((listing.cluster, listed.as_ref().ok()?)));
        listed.flat_map(|(cluster, objects)| objects.values().map(move |object| (cluster, &**object)))
    }
}

/// Where the live objects of one application are looked up.
pub(crate) struct LiveView {
    pub(crate) live: Arc<Live>,
    pub(crate) kinds: Arc<Kinds>,
    pub(crate) cluster: ClusterId,
}

impl LiveView {
    /// The live object of a target; the reason when it cannot be known whether there is one.
    pub(crate) fn find(
        &self,
        object: &Object,
        conditions: &mut Vec<(ConditionKind, Finding)>,
    ) -> Result<Option<&Arc<Object>>, String> {
        match place(object, &self.kinds) {
            Place::NotServed => Ok(None),
            Place::Hidden(reason) => {
                let finding = Finding::error(Code::StatusHidden, format!("`{}` cannot be compared", object.key()))
                    .with_cause(reason.clone())
                    .with_help("use a version and scope that the cluster serves, or fix the API that is named");
                conditions.push((ConditionKind::ComparisonError, finding));
                Err(reason)
            }
            Place::Listed(gvk, namespace) => match self.live.listing(self.cluster, &gvk, namespace.as_deref()) {
                Some(Ok(objects)) => Ok(objects.get(&object.key())),
                Some(Err(error)) => {
                    let finding = Finding::of(error);
                    let reason = finding.message.clone();
                    if !conditions.iter().any(|(_, known)| *known == finding) {
                        conditions.push((ConditionKind::ComparisonError, finding));
                    }
                    Err(reason)
                }
                None => Err("it was not listed".to_owned()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::KindFacts;
    use serde_json::json;

    fn kinds() -> Kinds {
        let mut kinds = Kinds::new("v1.36.0");
        for (api_version, kind, plural, scope) in [
            ("apps/v1", "Deployment", "deployments", Scope::Namespaced),
            ("v1", "Namespace", "namespaces", Scope::Cluster),
        ] {
            kinds.add(KindFacts {
                gvk: Gvk::from_api_version(api_version, kind),
                plural: plural.to_owned(),
                scope,
                verbs: vec!["list".to_owned()],
            });
        }
        kinds.unavailable.insert("metrics.example.com/v1".to_owned(), "503".to_owned());
        kinds
    }

    fn object(api_version: &str, kind: &str, namespace: &str) -> Object {
        let value = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": namespace}});
        Object::new(value).expect("an object")
    }

    /// A kind that cannot be looked up is hidden, never missing: else a broken API would read as drift.
    #[test]
    fn where_an_object_is_looked_up() {
        let kinds = kinds();
        assert_eq!(
            place(&object("apps/v1", "Deployment", "shop"), &kinds),
            Place::Listed(Gvk::from_api_version("apps/v1", "Deployment"), Some("shop".to_owned()))
        );
        assert_eq!(
            place(&object("v1", "Namespace", ""), &kinds),
            Place::Listed(Gvk::from_api_version("v1", "Namespace"), None)
        );
        assert_eq!(place(&object("shop.example.com/v1", "Till", "shop"), &kinds), Place::NotServed);
        for hidden in [
            object("apps/v1beta1", "Deployment", "shop"),
            object("metrics.example.com/v1", "Gauge", "shop"),
            object("metrics.example.com/v2", "Gauge", "shop"),
            object("apps/v1", "Deployment", ""),
        ] {
            assert!(matches!(place(&hidden, &kinds), Place::Hidden(_)), "{hidden:?}");
        }
    }
}
