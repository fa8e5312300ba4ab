//! Sync windows: a closed one refuses, an open one lets through, and one that opens soon can be waited for.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::{Team, project};
use crate::harness::{TestCluster, or_skip, trueup};

const ALL: &str = "sourceRepos: ['*']\ndestinations:\n- {server: '*', namespace: '*'}\n";

fn with_window(window: &str) -> String {
    format!("{ALL}syncWindows:\n- {window}\n")
}

/// A freeze: nobody syncs, and the run says until when and by which line.
#[test]
fn a_closed_window_refuses_a_sync_and_says_when_it_opens() {
    let freeze = with_window("{kind: deny, schedule: '* * * * *', duration: 1h, applications: ['*']}");
    let team = or_skip!(Team::new(&freeze));
    let sync = team.run(["sync", "-y", "-q"]).exits(4);
    assert!(sync.stderr.contains("the deny window `* * * * *` for 1h (UTC) is open"), "{}", sync.transcript());
    assert!(sync.stderr.contains("team.yaml:9"), "{}", sync.transcript());
    assert!(team.is_untouched());
    team.run(["diff"]).exits(1);

    let hour = Timestamp::now().to_zoned(TimeZone::UTC).checked_add(3.hours()).unwrap();
    let later =
        format!("{{kind: allow, schedule: '{} {} * * *', duration: 1h, clusters: ['*']}}", hour.minute(), hour.hour());
    let team = Team { project: project(&with_window(&later)), ..team };
    let sync = team.run(["sync", "-y", "-q"]).exits(4);
    let opens = format!("it may be synced from {} on", hour.strftime("%F %H:%M UTC"));
    assert!(sync.stdout.contains(&opens), "{opens}: {}", sync.transcript());

    let team = Team {
        project: project(&with_window("{kind: deny, schedule: '* * * * *', duration: 1h, namespaces: [other]}")),
        ..team
    };
    team.run(["sync", "-y"]).exits(0);
}

/// `manualSync` lets a person through, and not the pull loop.
#[test]
fn a_manual_sync_passes_where_the_window_says_so() {
    let freeze =
        with_window("{kind: deny, schedule: '* * * * *', duration: 1h, applications: ['*'], manualSync: true}");
    let policy = json!({"automated": {}});
    let team = Team::with(or_skip!(TestCluster::namespace()), &freeze, policy);
    let reconcile = team.run(["reconcile", "-q"]).exits(4);
    assert!(reconcile.stderr.contains("`trueup sync` is let through"), "{}", reconcile.transcript());
    assert!(team.is_untouched());
    team.run(["sync", "-y"]).exits(0);
    // Nothing is left to do, so nothing is refused.
    team.run(["reconcile"]).exits(0);
}

/// A pipeline waits for the window that opens with the next minute.
#[test]
fn a_window_that_opens_in_time_is_waited_for() {
    let next = Timestamp::now().to_zoned(TimeZone::UTC).checked_add(61.seconds()).unwrap();
    let window = format!(
        "{{kind: allow, schedule: '{} {} * * *', duration: 30m, applications: ['*']}}",
        next.minute(),
        next.hour()
    );
    let team = or_skip!(Team::new(&with_window(&window)));
    team.run(["sync", "-y", "--wait-window", "1s"]).exits(4);
    team.run(["sync", "-y", "--wait-window", "2m"]).time_limit(Duration::from_secs(150)).exits(0);
    assert!(team.is_live("configmap", "settings"));
}

/// Whoever waits can stop.
#[test]
fn a_wait_for_a_window_ends_with_a_signal() {
    let later = Timestamp::now().to_zoned(TimeZone::UTC).checked_add(2.hours()).unwrap();
    let window = format!(
        "{{kind: allow, schedule: '{} {} * * *', duration: 30m, applications: ['*']}}",
        later.minute(),
        later.hour()
    );
    let team = or_skip!(Team::new(&with_window(&window)));
    let started = Instant::now();
    let run = trueup(["sync", "-y", "--wait-window", "3h"]).of(&team.application).argument(team.project.path()).start();
    std::thread::sleep(Duration::from_secs(3));
    run.signal("INT");
    run.exits(130);
    assert!(started.elapsed() < Duration::from_secs(60));
    assert!(team.is_untouched());
}

/// What may be synced now, for people and for scripts.
#[test]
fn windows_are_shown_with_their_next_change() {
    let freeze =
        with_window("{kind: deny, schedule: '* * * * *', duration: 1h, applications: ['*'], manualSync: true}");
    let team = or_skip!(Team::new(&freeze));
    let windows = team.run(["project", "windows"]).exits(0);
    assert!(windows.stdout.contains("closed, for `trueup sync` open"), "{}", windows.transcript());
    let report = team.run(["project", "windows", "-o", "json"]).exits(0).json();
    let application = &report["applications"][0];
    assert_eq!((&application["automated"]["open"], &application["manual"]["open"]), (&json!(false), &json!(true)));
    let window = &application["windows"][0];
    assert_eq!((&window["kind"], &window["open"], &window["timeZone"]), (&json!("deny"), &json!(true), &json!("UTC")));
}
