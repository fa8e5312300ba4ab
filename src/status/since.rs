//! Since when a difference stands, as far as the two sides say.
//!
//! In: a difference; when git began to say something else than at the last sync. Out: a time; nothing where it is not known.
//!
//! The cluster's side has the time of the manager who holds the field: that of its last write to the object, so a difference may be
//! older. Git's side has the oldest commit since the last sync that touched the file. What was removed in the cluster leaves no
//! time behind.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{FieldDrift, Moved, ResourceDrift, ResourceState};

/// Clocks of two machines are never quite the same; a time that is further ahead is not believed.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Since when a field differs; `git` is when git changed.
pub fn since_of_field(field: &FieldDrift, git: Option<Timestamp>) -> Option<Timestamp> {
    let cluster = || field.managers.first()?.time.parse().ok();
    match field.moved {
        Moved::Git => git,
        Moved::Cluster => cluster(),
        Moved::Both => Some(git?.min(cluster()?)),
        Moved::Unknown => None,
    }
}

/// Since when a resource differs: its oldest difference, if all of them are known.
pub fn since(resource: &ResourceDrift, git: Option<Timestamp>) -> Option<Timestamp> {
    match (resource.state, resource.moved) {
        (ResourceState::Changed, _) => {
            let times: Option<Vec<Timestamp>> =
                resource.fields.iter().map(|field| since_of_field(field, git)).collect();
            times?.into_iter().min()
        }
        // A deleted object leaves no time behind, and one that appeared had another manager's.
        (ResourceState::Missing | ResourceState::Extra, Moved::Git) => git,
        _ => None,
    }
}

/// Whether a difference has stood for less than this. One of which that is not known has not: it must not be overlooked.
pub fn is_recent(since: Option<Timestamp>, limit: Duration, now: Timestamp) -> bool {
    let Some(since) = since else { return false };
    let age = now.duration_since(since);
    age >= -SKEW && SignedDuration::try_from(limit).is_ok_and(|limit| age < limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{Gvk, Pointer};
    use crate::status::{GitSinceSync, Manager};

    fn time(text: &str) -> Timestamp {
        format!("2026-03-{text}:00:00Z").parse().unwrap()
    }

    fn field(moved: Moved, holder: Option<&str>) -> FieldDrift {
        let manager = |text: &str| Manager {
            manager: "kubectl-edit".to_owned(),
            operation: "Update".to_owned(),
            subresource: String::new(),
            time: if text.is_empty() { String::new() } else { time(text).to_string() },
        };
        FieldDrift {
            path: Pointer::root().child("spec"),
            git: None,
            live: None,
            item: None,
            managers: holder.map(manager).into_iter().collect(),
            moved,
            last_synced: None,
            git_since_sync: GitSinceSync::Unknown,
        }
    }

    #[test]
    fn a_field_differs_since_the_side_that_changed_it_did() {
        let git = Some(time("05T12"));
        for (name, moved, holder, git, expected) in [
            ("git", Moved::Git, Some("09T12"), git, git),
            ("git, of which nothing is known", Moved::Git, Some("09T12"), None, None),
            ("the cluster", Moved::Cluster, Some("09T12"), git, Some(time("09T12"))),
            ("removed in the cluster", Moved::Cluster, None, git, None),
            ("a manager without a time", Moved::Cluster, Some(""), git, None),
            ("both", Moved::Both, Some("09T12"), git, git),
            ("both, the cluster first", Moved::Both, Some("01T12"), git, Some(time("01T12"))),
            ("both, one is not known", Moved::Both, None, git, None),
            ("the side is not known", Moved::Unknown, Some("09T12"), git, None),
        ] {
            assert_eq!(since_of_field(&field(moved, holder), git), expected, "{name}");
        }
    }

    #[test]
    fn a_resource_differs_since_its_oldest_difference() {
        let git = Some(time("05T12"));
        let resource = |state: ResourceState, moved: Moved, fields: Vec<FieldDrift>| {
            let gvk = Gvk::from_api_version("v1", "ConfigMap");
            ResourceDrift { moved, fields, ..ResourceDrift::new(gvk, "shop", "a", state) }
        };
        let by_hand = |text| field(Moved::Cluster, Some(text));
        for (name, resource, expected) in [
            (
                "two fields",
                resource(ResourceState::Changed, Moved::Cluster, vec![by_hand("09T12"), by_hand("07T12")]),
                Some(time("07T12")),
            ),
            (
                "one is not known",
                resource(ResourceState::Changed, Moved::Unknown, vec![by_hand("09T12"), field(Moved::Unknown, None)]),
                None,
            ),
            ("new in git", resource(ResourceState::Missing, Moved::Git, vec![]), git),
            ("deleted", resource(ResourceState::Missing, Moved::Cluster, vec![]), None),
            ("removed from git", resource(ResourceState::Extra, Moved::Git, vec![]), git),
            ("appeared", resource(ResourceState::Extra, Moved::Cluster, vec![]), None),
            ("in sync", resource(ResourceState::InSync, Moved::Unknown, vec![]), None),
        ] {
            assert_eq!(since(&resource, git), expected, "{name}");
        }
    }

    /// What is not known, and what claims to be of the future, is never left out of a report.
    #[test]
    fn only_what_is_known_to_be_recent_is_recent() {
        let (day, now) = (Duration::from_secs(86_400), time("10T12"));
        for (since, expected) in [
            (Some(time("10T11")), true),
            (Some(time("09T13")), true),
            (Some(time("09T12")), false),
            (Some(time("01T12")), false),
            (Some("2026-03-10T12:03:00Z".parse().unwrap()), true),
            (Some(time("10T13")), false),
            (None, false),
        ] {
            assert_eq!(is_recent(since, day, now), expected, "{since:?}");
        }
        assert!(!is_recent(Some(time("10T11")), Duration::ZERO, now));
    }
}
