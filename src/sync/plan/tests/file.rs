//! A plan as a file: what is in it, and whether it still holds.

use std::time::Duration;

use proptest::prelude::*;

use super::properties::any_world;
use super::*;
use crate::object::annotations::HOOK;
use crate::sync::plan::file::{Making, PlanFileError, SavedPlans};

const HOUR: Duration = Duration::from_hours(1);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn making() -> Making {
    Making { at: at(0), prune: true, flags: World::new().flags }
}

fn saved(world: &World) -> SavedPlans {
    SavedPlans::of([&world.plan().unwrap()], &making())
}

/// A config map that differs, one that is new, one that goes, a hook, a Secret.
fn world() -> World {
    let settings = settings("1");
    let mut edited = live(&settings);
    edited["data"] = json!({"a": "2"});
    World::new()
        .in_git(settings, Some(edited))
        .new_in_git(secret("c3dvcmRmaXNo"))
        .new_in_git(annotated(target("batch/v1 Job", "migrate"), HOOK, "PreSync"))
        .gone(live(&target("ConfigMap", "old")))
        .gone(live(&target("PersistentVolumeClaim", "data")))
}

fn settings(value: &str) -> Value {
    let mut settings = target("ConfigMap", "settings");
    settings["data"] = json!({"a": value});
    settings
}

fn secret(password: &str) -> Value {
    let mut secret = target("Secret", "login");
    secret["data"] = json!({"password": password});
    secret
}

#[test]
fn a_saved_step_says_what_is_done_to_what() {
    let text = saved(&world()).write();
    let saved: Value = serde_json::from_str(&text).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&saved["plans"][0]["steps"][3]).unwrap(), @r#"
    {
      "action": "apply",
      "how": {
        "validation": "strict"
      },
      "live": {
        "fingerprint": "wZwQZV5LLzoUAzEvAdAZIA",
        "uid": "uid-of-ConfigMap-settings"
      },
      "object": {
        "kind": "ConfigMap",
        "name": "settings",
        "namespace": "shop",
        "version": "v1"
      },
      "phase": "Sync",
      "target": "UbwcN51accKzLOIWcgUXpA",
      "wave": 0,
      "why": "changed: /data/a (git moved)"
    }
    "#);
}

/// Whoever finds the file among a build's artifacts has nothing to try passwords against: another one is the same file.
#[test]
fn a_saved_plan_holds_nothing_of_a_secret() {
    let text = saved(&world()).write();
    assert!(text.contains("login") && !text.contains("c3dvcmRmaXNo"));
    let mut other = world();
    other.wanted[1] = wanted(secret("b3RoZXI="), None);
    assert_eq!(saved(&other).write(), text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is saved is read again, and holds for the same plan.
    #[test]
    fn what_is_saved_is_read_again(world in any_world()) {
        let saved = saved(&world);
        let read = SavedPlans::read(&saved.write()).unwrap();
        prop_assert_eq!(&read, &saved);
        prop_assert_eq!(read.making(), Some(making()));
        prop_assert_eq!(read.still_holds([&world.plan().unwrap()], at(60), HOUR), Ok(()));
    }
}

#[test]
fn what_is_no_plan_of_this_version_is_refused() {
    let text = saved(&world()).write();
    let version = env!("CARGO_PKG_VERSION");
    let code = |text: &str| {
        let error = SavedPlans::read(text).unwrap_err();
        miette::Diagnostic::code(&error).unwrap().to_string()
    };
    for (name, text, expected) in [
        ("nothing", String::new(), "trueup::sync::plan_file"),
        (
            "another document",
            r#"{"apiVersion": "trueup/v1", "kind": "DriftReport"}"#.to_owned(),
            "trueup::sync::plan_file",
        ),
        ("another version", text.replace(&format!("\"{version}\""), "\"9.9.9\""), "trueup::sync::plan_version"),
        ("a field that nobody knows", text.replace("\"whole\"", "\"hole\""), "trueup::sync::plan_file"),
        ("no time", text.replace("2023-11-14T22:13:20Z", "yesterday"), "trueup::sync::plan_file"),
        ("no limit", text.replace("\"100%\"", "\"all\""), "trueup::sync::plan_file"),
    ] {
        assert_eq!(code(&text), expected, "{name}");
    }
}

#[test]
fn an_old_plan_is_refused() {
    let (saved, plan) = (saved(&world()), world().plan().unwrap());
    assert_eq!(saved.still_holds([&plan], at(3600), HOUR), Ok(()));
    assert_eq!(saved.still_holds([&plan], at(-5), HOUR), Ok(()), "clocks differ a little");
    let refused = saved.still_holds([&plan], at(3605), HOUR).unwrap_err();
    let expected = "the saved plan is 1h 5s old, more than `--plan-lifetime 1h`; nothing was written";
    assert_eq!(refused.to_string(), expected);
}

/// Name, the world of now, and what is told.
type Case = (&'static str, World, String);

fn check(cases: Vec<Case>) {
    for (name, world, expected) in cases {
        let fresh = world.plan().unwrap();
        let Err(PlanFileError::Moved(moved)) = saved(&super::file::world()).still_holds([&fresh], at(60), HOUR) else {
            panic!("{name}: it moved")
        };
        assert!(moved.contains(&format!("argocd/shop: {expected}")), "{name}: {moved:?}");
    }
}

fn edited(value: &str) -> Value {
    let mut live = live(&settings("1"));
    live["data"] = json!({"a": value});
    live
}

/// The world, with its first object as git and the cluster have it now.
fn with_settings(git: &str, live: Option<Value>) -> World {
    let mut world = world();
    world.wanted[0] = wanted(settings(git), live);
    world
}

/// Whoever approved a plan approved what it does to what.
#[test]
fn what_moved_since_is_named() {
    let mut anew = edited("2");
    anew["metadata"]["uid"] = json!("another");
    let mut with_secret = world();
    with_secret.wanted[1] = wanted(secret("YQ=="), Some(live(&secret("Yg=="))));
    let mut synced = world();
    synced.wanted.remove(1);
    let object = |words: &str| format!("`ConfigMap shop/settings` {words}");
    check(vec![
        ("edited", with_settings("1", Some(edited("3"))), object("changed in the cluster")),
        (
            "made anew",
            with_settings("1", Some(anew)),
            object(
                "is a different object with the same name in the \
             cluster",
            ),
        ),
        ("deleted", with_settings("1", None), object("no longer exists in the cluster")),
        ("another value in git", with_settings("9", Some(edited("2"))), object("changed in git")),
        ("made by another", with_secret, "`Secret shop/login` now exists in the cluster".to_owned()),
        ("synced meanwhile", synced, "`Secret shop/login` needs no apply any more".to_owned()),
    ]);
}

#[test]
fn what_would_be_done_otherwise_is_named() {
    let mut part = world();
    part.scope.whole = false;
    let new = world().new_in_git(target("ConfigMap", "new"));
    let orphaning = world().options("PrunePropagationPolicy=orphan");
    let (last, replacing) = (world().options("PruneLast=true"), world().options("Replace=true"));
    let cases = vec![
        ("new in git", new, "`ConfigMap shop/new` needs apply, and needed nothing"),
        ("pruned otherwise", orphaning, "`ConfigMap shop/old` needs prune in another way"),
        ("pruned later", last, "`ConfigMap shop/old` was in Sync 0, and is in Sync 1"),
        ("replaced", replacing, "`ConfigMap shop/settings` needed apply, and needs replace"),
        ("less of it", part, "the scope of the sync changed"),
    ];
    check(cases.into_iter().map(|(name, world, expected)| (name, world, expected.to_owned())).collect());
}

#[test]
fn revisions_clusters_and_applications_are_compared_too() {
    let moved = |plans: &[Plan]| match saved(&world()).still_holds(plans, at(60), HOUR) {
        Err(PlanFileError::Moved(moved)) => moved,
        other => panic!("it moved: {other:?}"),
    };
    let plan = || world().plan().unwrap();
    let revision = Plan { revisions: vec!["9e107d9d372bb6826bd81d3542a419d6f0a1b2c3".to_owned()], ..plan() };
    assert_eq!(moved(&[revision]), ["argocd/shop: the revision was 3f2a9c1, and is 9e107d9"]);
    let cluster = Plan { cluster: "https://other".to_owned(), ..plan() };
    assert_eq!(
        moved(&[cluster]),
        ["argocd/shop: the cluster was https://kubernetes.default.svc, and is https://other"]
    );
    assert_eq!(moved(&[]), ["argocd/shop has no plan any more"]);
    let other = Plan { application: "argocd/blog".to_owned(), ..plan() };
    assert_eq!(moved(&[plan(), other]), ["argocd/blog has a plan, and had none"]);
    // Why is told, not compared.
    let mut words = plan();
    words.steps[0].why = "other words".to_owned();
    assert_eq!(saved(&world()).still_holds([&words], at(60), HOUR), Ok(()));
}
