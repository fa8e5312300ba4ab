//! A Lease as the lock reads and writes it.
//!
//! In: the live object, the time. Out: whose it is, and the object that takes, renews or frees it. Pure; fields that are
//! not ours stay.
//!
//! Rules: `coordination.k8s.io/v1` `LeaseSpec`; client-go tools/leaderelection (`tryAcquireOrRenew`, `tryRelease`).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::LockTerms;
use crate::object::Object;
use crate::sync::state::Place;

/// An expired Lease is believed at once when it is expired for so long: no two clocks are that far apart.
const FAR_BEYOND: SignedDuration = SignedDuration::from_mins(5);

/// Whose a Lease is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody's.
    Free,
    /// Somebody's, who gave no sign of life for long enough, or in the future. Its holder's clock may be another than
    /// ours, though, so it is watched for a while first.
    Doubtful,
    /// Somebody's, who is gone for certain.
    Expired,
    /// Somebody's.
    Held,
}

/// Who holds it.
pub(super) fn holder(lease: &Object) -> &str {
    spec(lease, "holderIdentity").and_then(Value::as_str).unwrap_or_default()
}

/// Since when its holder has it, as the object has it.
pub(super) fn since(lease: &Object) -> &str {
    spec(lease, "acquireTime").and_then(Value::as_str).unwrap_or("some time")
}

/// How long its holder keeps it without a sign of life.
pub(super) fn duration(lease: &Object) -> Duration {
    Duration::from_secs(spec(lease, "leaseDurationSeconds").and_then(Value::as_u64).unwrap_or_default())
}

/// Whose it is at this time.
pub(super) fn standing(lease: &Object, now: Timestamp) -> Standing {
    if holder(lease).is_empty() {
        return Standing::Free;
    }
    let renewed = spec(lease, "renewTime").and_then(Value::as_str).and_then(|time| time.parse::<Timestamp>().ok());
    // A holder that never said when it renewed keeps to no rule that it could be judged by.
    let Some(renewed) = renewed else { return Standing::Expired };
    let duration = SignedDuration::try_from(duration(lease)).unwrap_or(SignedDuration::MAX);
    let age = now.duration_since(renewed);
    match age.saturating_sub(duration) {
        // Its holder's clock is ahead, or was: nobody would ever take over from one that died.
        _ if age < -FAR_BEYOND => Standing::Doubtful,
        overdue if overdue <= SignedDuration::ZERO => Standing::Held,
        overdue if overdue < FAR_BEYOND => Standing::Doubtful,
        _ => Standing::Expired,
    }
}

/// A Lease that somebody takes who is the first.
pub(super) fn made(place: &Place, holder: &str, terms: LockTerms, now: Timestamp) -> Object {
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": place.name, "namespace": place.namespace},
        "spec": {"leaseTransitions": 0},
    });
    // It has an `apiVersion`, a `kind` and a name.
    let lease = Object::new(lease).expect("a Lease is an object");
    held(lease, holder, terms, now)
}

/// The Lease, taken from whoever had it.
pub(super) fn taken(lease: &Object, holder: &str, terms: LockTerms, now: Timestamp) -> Object {
    let transitions = spec(lease, "leaseTransitions").and_then(Value::as_u64).unwrap_or_default();
    let mut lease = held(lease.clone(), holder, terms, now);
    spec_mut(&mut lease).insert("leaseTransitions".to_owned(), transitions.saturating_add(1).into());
    lease
}

/// The Lease, its holder alive.
pub(super) fn renewed(lease: &Object, now: Timestamp) -> Object {
    let mut lease = lease.clone();
    spec_mut(&mut lease).insert("renewTime".to_owned(), micro_time(now));
    lease
}

/// The Lease, given back.
pub(super) fn freed(lease: &Object, now: Timestamp) -> Object {
    let mut lease = lease.clone();
    spec_mut(&mut lease).extend([
        ("holderIdentity".to_owned(), Value::String(String::new())),
        ("leaseDurationSeconds".to_owned(), Value::from(1)),
        ("acquireTime".to_owned(), micro_time(now)),
        ("renewTime".to_owned(), micro_time(now)),
    ]);
    lease
}

fn held(mut lease: Object, holder: &str, terms: LockTerms, now: Timestamp) -> Object {
    spec_mut(&mut lease).extend([
        ("holderIdentity".to_owned(), Value::String(holder.to_owned())),
        ("leaseDurationSeconds".to_owned(), Value::from(terms.duration.as_secs().max(1))),
        ("acquireTime".to_owned(), micro_time(now)),
        ("renewTime".to_owned(), micro_time(now)),
    ]);
    lease
}

/// Rule: apimachinery `MicroTime`: RFC 3339 with six digits, no more and no fewer.
fn micro_time(time: Timestamp) -> Value {
    Value::String(format!("{time:.6}"))
}

fn spec<'object>(lease: &'object Object, field: &str) -> Option<&'object Value> {
    lease.value().get("spec")?.get(field)
}

fn spec_mut(lease: &mut Object) -> &mut Map<String, Value> {
    if let Some(Value::Object(metadata)) = lease.value_mut().get_mut("metadata") {
        // The server keeps it; sending it back would only be long.
        metadata.remove("managedFields");
    }
    let spec = lease.value_mut().entry("spec").or_insert_with(|| Value::Object(Map::new()));
    if !spec.is_object() {
        *spec = Value::Object(Map::new());
    }
    spec.as_object_mut().expect("it was made one")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-10T12:00:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn lease(spec: &Value) -> Object {
        let (version, metadata) = ("coordination.k8s.io/v1", json!({"name": "x"}));
        Object::new(json!({"apiVersion": version, "kind": "Lease", "metadata": metadata, "spec": spec})).unwrap()
    }

    #[test]
    fn whose_a_lease_is_follows_from_its_last_sign_of_life() {
        let held =
            |renewed: Value| json!({"holderIdentity": "ci_1_a", "leaseDurationSeconds": 30, "renewTime": renewed});
        for (name, spec, expected) in [
            ("a lease without a spec", Value::Null, Standing::Free),
            ("given back", json!({"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": NOW}), Standing::Free),
            ("renewed now", held(json!("2026-03-10T12:00:00.000000Z")), Standing::Held),
            ("renewed a moment ago", held(json!("2026-03-10T11:59:31.000000Z")), Standing::Held),
            ("renewed in the future", held(json!("2026-03-10T12:03:00.000000Z")), Standing::Held),
            ("renewed far in the future", held(json!("2026-03-10T13:00:00.000000Z")), Standing::Doubtful),
            ("overdue", held(json!("2026-03-10T11:59:29.000000Z")), Standing::Doubtful),
            ("long overdue", held(json!("2026-03-10T11:50:00.000000Z")), Standing::Expired),
            (
                "held for an hour",
                json!({"holderIdentity": "a", "leaseDurationSeconds": 3600, "renewTime": "2026-03-10T11:30:00.000000Z"}),
                Standing::Held,
            ),
            ("no sign of life ever", held(Value::Null), Standing::Expired),
            ("edited by hand", held(json!("yesterday")), Standing::Expired),
        ] {
            assert_eq!(standing(&lease(&spec), now()), expected, "{name}");
        }
    }

    /// `kubectl get lease` counts how often the lock changed hands; what somebody else put there stays.
    #[test]
    fn a_lease_goes_from_hand_to_hand() {
        let place = Place::named("shop", "prod");
        let terms = LockTerms::default();
        let mut first = made(&place, "one", terms, now());
        first.value_mut()["spec"]["strategy"] = "theirs".into();
        let freed = freed(&first, now());
        assert_eq!((holder(&freed), standing(&freed, now())), ("", Standing::Free));
        let second = taken(&freed, "two", terms, now());
        assert_eq!(
            second.value()["spec"],
            json!({
                "holderIdentity": "two", "leaseDurationSeconds": 30, "leaseTransitions": 1, "strategy": "theirs",
                "acquireTime": "2026-03-10T12:00:00.000000Z", "renewTime": "2026-03-10T12:00:00.000000Z",
            })
        );
        let later = "2026-03-10T12:00:10Z".parse().unwrap();
        let renewed = renewed(&second, later);
        assert_eq!(since(&renewed), "2026-03-10T12:00:00.000000Z");
        assert_eq!(renewed.value()["spec"]["renewTime"], "2026-03-10T12:00:10.000000Z");
    }
}
