//! Which windows let an application be synced. Expected values: Argo CD's `types_test.go` (`TestSyncWindows_*`) and its documentation.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::app::project::{ProjectLookup, ProjectScoped, Projects};
use crate::app::{Given, ManifestText};
use crate::object::yaml;

fn windows(list: Value) -> Vec<Arc<SyncWindow>> {
    let mut manifest = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "team"}, "spec": {}
    });
    manifest["spec"]["syncWindows"] = list;
    let bytes = yaml::write(&manifest).into_bytes();
    let text = ManifestText { name: "team.yaml".to_owned(), bytes, folder: ".".into(), given: Given::InFolder };
    let projects = Projects::new(crate::app::read(&[text]).projects);
    let ProjectLookup::Found(rules) = projects.rules("team", &[], &ProjectScoped::default()) else {
        panic!("{manifest}")
    };
    rules.windows().to_vec()
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// A window from 10:00 to 11:00 UTC.
fn ten(kind: &str, more: Value) -> Value {
    let mut window = json!({"kind": kind, "schedule": "0 10 * * *", "duration": "1h", "applications": ["*"]});
    let Value::Object(more) = more else { panic!("a map") };
    window.as_object_mut().unwrap().extend(more);
    window
}

/// A window from 14:00 to 15:00 UTC.
fn two(kind: &str, more: Value) -> Value {
    let mut window = ten(kind, more);
    window["schedule"] = json!("0 14 * * *");
    window
}

#[test]
fn denials_come_first_then_what_allows_now_then_what_allows_later() {
    let (plain, manual) = (json!({}), json!({"manualSync": true}));
    let (during, before) = ("2026-06-01T10:30:00Z", "2026-06-01T09:00:00Z");
    for (name, list, time, automated, by_hand) in [
        ("no window", json!([]), during, true, true),
        ("an active denial", json!([ten("deny", plain.clone())]), during, false, false),
        ("an inactive denial", json!([ten("deny", plain.clone())]), before, true, true),
        ("an active denial for policies", json!([ten("deny", manual.clone())]), during, false, true),
        ("an active allowance", json!([ten("allow", plain.clone())]), during, true, true),
        ("an inactive allowance", json!([ten("allow", plain.clone())]), before, false, false),
        ("an inactive allowance for policies", json!([ten("allow", manual.clone())]), before, false, true),
        (
            "a denial over an allowance",
            json!([ten("allow", plain.clone()), ten("deny", plain.clone())]),
            during,
            false,
            false,
        ),
        ("one allowance of two", json!([ten("allow", plain.clone()), two("allow", plain.clone())]), during, true, true),
        (
            "all denials have to let people through",
            json!([ten("deny", manual.clone()), ten("deny", json!({"duration": "2h"}))]),
            during,
            false,
            false,
        ),
        (
            "all closed allowances have to let people through",
            json!([ten("allow", manual.clone()), two("allow", plain.clone())]),
            before,
            false,
            false,
        ),
        (
            "an inactive denial beside an inactive allowance",
            json!([two("deny", plain.clone()), ten("allow", plain.clone())]),
            before,
            false,
            false,
        ),
    ] {
        let windows = windows(list);
        let is_open = |initiative| verdict(&windows, at(time), initiative, None).is_open;
        assert_eq!((is_open(Initiative::Automated), is_open(Initiative::Manual)), (automated, by_hand), "{name}");
    }
}

/// A window is open after its start and before its end.
#[test]
fn both_ends_of_a_window_are_outside_of_it() {
    let windows = windows(json!([ten("allow", json!({}))]));
    for (time, is_active) in [
        ("2026-06-01T09:59:59Z", false),
        ("2026-06-01T10:00:00Z", false),
        ("2026-06-01T10:00:00.1Z", true),
        ("2026-06-01T10:59:59.9Z", true),
        ("2026-06-01T11:00:00Z", false),
    ] {
        assert_eq!(windows[0].is_active(at(time)), is_active, "{time}");
    }
}

#[test]
fn a_sync_that_began_in_time_may_overrun_where_all_windows_say_so() {
    let overrun = json!({"syncOverrun": true});
    let (before, during, after) = ("2026-06-01T09:50:00Z", "2026-06-01T10:30:00Z", "2026-06-01T11:10:00Z");
    for (name, list, began, now, is_open) in [
        ("into a denial", json!([ten("deny", overrun.clone())]), before, during, true),
        ("into a denial that does not say so", json!([ten("deny", json!({}))]), before, during, false),
        ("begun within the denial", json!([ten("deny", overrun.clone())]), during, during, false),
        ("out of an allowance", json!([ten("allow", overrun.clone())]), during, after, true),
        ("out of an allowance that does not say so", json!([ten("allow", json!({}))]), during, after, false),
        ("begun outside of the allowance", json!([ten("allow", overrun.clone())]), before, after, false),
        (
            "one of two denials",
            json!([ten("deny", overrun.clone()), ten("deny", json!({"duration": "2h"}))]),
            before,
            during,
            false,
        ),
    ] {
        let windows = windows(list);
        let verdict = verdict(&windows, at(now), Initiative::Automated, Some(at(began)));
        assert_eq!(verdict.is_open, is_open, "{name}");
    }
}

#[test]
fn windows_match_by_any_list_or_by_all() {
    let subject = WindowSubject { application: "web-eu", namespace: "shop", cluster: "prod", server: "" };
    for (lists, is_matched) in [
        (json!({"applications": ["web-*"]}), true),
        (json!({"applications": ["api-*"]}), false),
        (json!({"applications": ["*"]}), true),
        (json!({"namespaces": ["shop"]}), true),
        (json!({"clusters": ["prod"]}), true),
        (json!({"clusters": ["https://prod.example.com"]}), false),
        (json!({"applications": ["api-*"], "namespaces": ["shop"]}), true),
        (json!({"applications": ["web-*"], "namespaces": ["other"]}), true),
        (json!({"applications": ["web-*"], "namespaces": ["other"], "andOperator": true}), false),
        (json!({"applications": ["web-*"], "namespaces": ["shop"], "clusters": ["prod"], "andOperator": true}), true),
        (json!({"applications": ["web-*"], "clusters": ["stage"], "andOperator": true}), false),
        (json!({"namespaces": ["shop"], "andOperator": true}), true),
    ] {
        let mut window = json!({"kind": "deny", "schedule": "0 0 * * *", "duration": "1h"});
        window.as_object_mut().unwrap().extend(lists.as_object().unwrap().clone());
        assert_eq!(!matching(&windows(json!([window])), &subject).is_empty(), is_matched, "{lists}");
    }
}

/// A window is in its zone on every day, those on which clocks change among them.
#[test]
fn a_window_follows_its_zone_over_both_changes_of_the_clock() {
    let windows = windows(json!([ten("allow", json!({"timeZone": "Europe/Berlin", "duration": "30m"}))]));
    for (time, is_active) in [
        ("2026-03-28T09:15:00Z", true),
        ("2026-03-29T08:15:00Z", true),
        ("2026-03-29T09:15:00Z", false),
        ("2026-10-24T08:15:00Z", true),
        ("2026-10-25T08:15:00Z", false),
        ("2026-10-25T09:15:00Z", true),
    ] {
        assert_eq!(windows[0].is_active(at(time)), is_active, "{time}");
    }
}

#[test]
fn the_next_change_is_when_the_answer_changes() {
    let allow = ten("allow", json!({}));
    for (name, list, now, expected) in [
        ("it opens", json!([allow]), "2026-06-01T09:00:00Z", Some("2026-06-01T10:00:00Z")),
        ("it closes", json!([allow]), "2026-06-01T10:30:00Z", Some("2026-06-01T11:00:00Z")),
        ("at its very start it is about to open", json!([allow]), "2026-06-01T10:00:00Z", Some("2026-06-01T10:00:00Z")),
        ("a denial ends", json!([ten("deny", json!({}))]), "2026-06-01T10:30:00Z", Some("2026-06-01T11:00:00Z")),
        (
            "a denial within an allowance",
            json!([ten("allow", json!({"duration": "3h"})), ten("deny", json!({"schedule": "0 11 * * *"}))]),
            "2026-06-01T10:30:00Z",
            Some("2026-06-01T11:00:00Z"),
        ),
        (
            "windows that follow each other are one",
            json!([ten("deny", json!({"duration": "61m"})), ten("deny", json!({"schedule": "0 11 * * *"}))]),
            "2026-06-01T10:30:00Z",
            Some("2026-06-01T12:00:00Z"),
        ),
        (
            "never",
            json!([{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}]),
            "2026-06-01T10:30:00Z",
            None,
        ),
        ("no windows", json!([]), "2026-06-01T10:30:00Z", None),
    ] {
        let change = next_change(&windows(list), at(now), Initiative::Automated);
        assert_eq!(change, expected.map(at), "{name}");
    }
}
