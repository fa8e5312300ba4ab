//! Where an application keeps its state: one name for the parent, its parts and the Lease, of which no two applications
//! have the same.
//!
//! In: an application, and the flags that decide. Out: a [`Place`]. Pure.
//!
//! Rule: docs/design.md, "State lives in the cluster". Kubernetes: names are DNS subdomains (RFC 1123), a namespace's is
//! a label, which has no dot.

use crate::app::Application;
use crate::cluster::ObjectName;
use crate::object::Gvk;
use crate::object::annotations::OWN_NAMES;
use crate::status::tracking::applyset_id;

/// A longer name has its hash in its place: those of its parts are longer than it, and 253 is the end.
const LONGEST: usize = 220;

/// Where an application keeps its state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The parent's name: `trueup-<application>`.
    pub name: String,
    /// Its namespace; empty where nothing says one, and then there is no state.
    pub namespace: String,
    /// The application it belongs to, as tracking names it: a parent of another one is not touched.
    pub application: String,
}

impl Place {
    /// The place of an application: in the namespace of its destination, unless `--state-namespace` names one.
    pub fn of(application: &Application, argocd_namespace: &str, state_namespace: Option<&str>) -> Self {
        let namespace = state_namespace.unwrap_or(&application.destination.namespace);
        Self::named(&application.instance_name(argocd_namespace), namespace)
    }

    /// The place of an application that tracking calls so.
    pub fn named(instance_name: &str, namespace: &str) -> Self {
        let [of_name, of_namespace] = OWN_NAMES;
        let name = match instance_name.split_once('_') {
            // Of another namespace than Argo CD's: `_` may be in no name, and a dot in no namespace.
            Some((namespace, name)) => format!("{of_namespace}{namespace}.{name}"),
            None => format!("{of_name}{instance_name}"),
        };
        let name = if is_subdomain(&name) && name.len() <= LONGEST {
            name
        } else {
            // No application's name begins with a hyphen, so nothing else is called like this.
            format!("{of_name}-{}", &blake3::hash(instance_name.as_bytes()).to_hex()[..32])
        };
        Self { name, namespace: namespace.to_owned(), application: instance_name.to_owned() }
    }

    /// The id of the ApplySet whose parent is here: the value of its members' part-of label.
    pub fn applyset_id(&self) -> String {
        applyset_id(&self.name, &self.namespace)
    }

    /// The parent, as a cluster is asked for it.
    pub fn parent(&self) -> ObjectName {
        self.config_map(self.name.clone())
    }

    /// The Lease beside the parent.
    pub fn lease(&self) -> ObjectName {
        let gvk = Gvk::from_api_version("coordination.k8s.io/v1", "Lease");
        ObjectName { gvk, namespace: Some(self.namespace.clone()), name: self.name.clone() }
    }

    /// A ConfigMap beside the parent.
    pub fn config_map(&self, name: String) -> ObjectName {
        ObjectName { gvk: Gvk::from_api_version("v1", "ConfigMap"), namespace: Some(self.namespace.clone()), name }
    }

    /// Whether a name is that of a part on this side.
    pub(super) fn is_part(&self, side: Side, name: &str) -> bool {
        let number = name.strip_prefix(side.prefix()).and_then(|rest| rest.strip_suffix(&format!(".{}", self.name)));
        number.is_some_and(|number| number.parse::<usize>().is_ok())
    }

    /// The name of a ConfigMap that holds a part of the record. Two sides take turns, so that the parts of the last
    /// sync stay as they are until the parent names those of the new one.
    pub(super) fn part(&self, side: Side, number: usize) -> String {
        format!("{}{number}.{}", side.prefix(), self.name)
    }
}

/// Which of two sets of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

impl Side {
    fn prefix(self) -> &'static str {
        match self {
            Self::A => "trueup--part-a",
            Self::B => "trueup--part-b",
        }
    }

    /// The side that the parts of these names are not on.
    pub(super) fn beside(names: &[String]) -> Self {
        if names.iter().any(|name| name.starts_with(Self::A.prefix())) { Self::B } else { Self::A }
    }
}

/// Rule: apimachinery pkg/util/validation `IsDNS1123Subdomain`, its length aside.
fn is_subdomain(name: &str) -> bool {
    name.split('.').all(|label| {
        let is_letter = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
        label.starts_with(is_letter)
            && label.ends_with(is_letter)
            && label.chars().all(|character| is_letter(character) || character == '-')
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_is_named_after_its_application() {
        let long = "a".repeat(250);
        for (application, expected) in [
            ("shop", "trueup-shop"),
            ("shop.eu-1", "trueup-shop.eu-1"),
            ("team_shop", "trueup.team.shop"),
            ("team_shop.eu", "trueup.team.shop.eu"),
            ("Shop", "trueup--"),
            ("shop_", "trueup--"),
            (long.as_str(), "trueup--"),
        ] {
            let place = Place::named(application, "prod");
            let is_hashed = expected.starts_with("trueup--") && place.name.len() == 40;
            assert!(place.name == expected || is_hashed, "{application}: {}", place.name);
            assert_eq!((place.namespace.as_str(), place.application.as_str()), ("prod", application));
        }
    }

    #[test]
    fn the_sides_of_the_parts_take_turns() {
        let place = Place::named("shop", "prod");
        assert_eq!(Side::beside(&[]), Side::A);
        assert_eq!(Side::beside(&[place.part(Side::A, 1)]), Side::B);
        assert_eq!(Side::beside(&[place.part(Side::B, 1)]), Side::A);
        assert_eq!(place.part(Side::B, 12), "trueup--part-b12.trueup-shop");
    }

    proptest! {
        /// Two applications that shared a parent would prune each other's objects.
        #[test]
        fn no_two_applications_have_one_place(names in prop::collection::btree_set("([a-c]{1,2}_)?[a-cA.-]{1,4}", 2..8)) {
            let mut taken = BTreeSet::new();
            for name in &names {
                let place = Place::named(name, "prod");
                prop_assert!(is_subdomain(&place.name) && place.name.len() <= LONGEST, "{}", place.name);
                prop_assert!(taken.insert(place.name.clone()));
                for side in [Side::A, Side::B] {
                    let part = place.part(side, 1);
                    prop_assert!(is_subdomain(&part) && part.len() <= 253, "{part}");
                    prop_assert!(taken.insert(part));
                }
            }
        }
    }
}
