//! What the other applications of one run have in git: an object that moves from one application to another is adopted by the
//! second, and not deleted by the first, in whichever order they are synced.
//!
//! In: every application that deploys to one cluster, with what it has in git. Out: who else has an object, and who gives one up.

use std::collections::{BTreeMap, BTreeSet};

use crate::object::{Gap, Key};

/// One application of the run, as far as others have to know it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbour {
    /// Its name.
    pub name: String,
    /// Every object that git has for it.
    pub keys: BTreeSet<Key>,
    /// The parts of git that could not be read.
    pub gaps: Vec<Gap>,
}

/// The applications of a run that deploy to one cluster, each by the id of its ApplySet; those that could not be rendered are left
/// out, because nothing is known of what they have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbours {
    applications: BTreeMap<String, Neighbour>,
    /// The ids of the applications that have an object.
    owners: BTreeMap<Key, BTreeSet<String>>,
}

impl Neighbours {
    /// Adds an application. Two of one id count as one that has the objects of both.
    pub fn add(&mut self, applyset_id: &str, neighbour: Neighbour) {
        for key in &neighbour.keys {
            self.owners.entry(key.clone()).or_default().insert(applyset_id.to_owned());
        }
        let known = self.applications.entry(applyset_id.to_owned()).or_default();
        known.name = neighbour.name;
        known.keys.extend(neighbour.keys);
        known.gaps.extend(neighbour.gaps);
    }

    /// Another application than this one that has an object in git, or that names it in a file which cannot be read.
    pub fn other_owner(&self, key: &Key, applyset_id: &str) -> Option<&str> {
        let owners = self.owners.get(key).into_iter().flatten();
        let owner = owners.filter(|id| *id != applyset_id).find_map(|id| self.applications.get(id));
        let names =
            |neighbour: &Neighbour| neighbour.gaps.iter().any(|gap| gap.is_certain() && gap.names.contains(&key.name));
        let suspect = || {
            let others = self.applications.iter().filter(|(id, _)| *id != applyset_id);
            others.map(|(_, neighbour)| neighbour).find(|neighbour| names(neighbour))
        };
        owner.or_else(suspect).map(|neighbour| neighbour.name.as_str())
    }

    /// Whether the application with this id is part of the run and certainly has an object no more, so that another may take it.
    pub fn gives_up(&self, key: &Key, applyset_id: &str) -> bool {
        self.applications.get(applyset_id).is_some_and(|neighbour| {
            let may_hold = |gap: &Gap| gap.may_hold(key, None, &BTreeSet::new());
            !neighbour.keys.contains(key) && !neighbour.gaps.iter().any(may_hold)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::GapReason;

    fn key(name: &str) -> Key {
        Key { group: String::new(), kind: "ConfigMap".to_owned(), namespace: "shop".to_owned(), name: name.to_owned() }
    }

    fn neighbours(of_web: &[&str], of_shop: &[&str], gaps: Vec<Gap>) -> Neighbours {
        let keys = |names: &[&str]| names.iter().map(|name| key(name)).collect();
        let mut all = Neighbours::default();
        all.add("id-web", Neighbour { name: "web".to_owned(), keys: keys(of_web), gaps });
        all.add("id-shop", Neighbour { name: "shop".to_owned(), keys: keys(of_shop), gaps: Vec::new() });
        all
    }

    #[test]
    fn an_object_is_given_up_only_by_an_application_that_was_read_in_full() {
        let gap =
            |reason| Gap { source: 0, file: Some("web.yaml".into()), line: 0, reason, names: vec!["a".to_owned()] };
        let typo = || gap(GapReason::MissingField("kind"));
        for (case, of_web, gaps, id, expected) in [
            ("it has it no more", &["b"][..], vec![], "id-web", true),
            ("it has it", &["a"], vec![], "id-web", false),
            ("it may have it", &["b"], vec![typo()], "id-web", false),
            ("it has a values file", &["b"], vec![gap(GapReason::NotAManifest)], "id-web", true),
            ("it is not part of the run", &["b"], vec![], "id-other", false),
        ] {
            assert_eq!(neighbours(of_web, &["a"], gaps).gives_up(&key("a"), id), expected, "{case}");
        }
    }

    #[test]
    fn another_owner_has_the_object_or_may_have_it() {
        let gap = Gap {
            source: 0,
            file: Some("web.yaml".into()),
            line: 0,
            reason: GapReason::MissingField("kind"),
            names: vec!["c".to_owned()],
        };
        let all = neighbours(&["a", "b"], &["b"], vec![gap]);
        for (name, of_web, of_shop) in
            [("a", None, Some("web")), ("b", Some("shop"), Some("web")), ("c", None, Some("web")), ("d", None, None)]
        {
            assert_eq!(all.other_owner(&key(name), "id-web"), of_web, "{name}");
            assert_eq!(all.other_owner(&key(name), "id-shop"), of_shop, "{name}");
        }
    }
}
