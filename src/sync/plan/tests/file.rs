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
fn a_saved_plan_says_all_of_it_and_holds_no_content() {
    let text = saved(&world()).write().replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(text, @r#"
    {
      "apiVersion": "trueup/v1",
      "kind": "SyncPlan",
      "version": "VERSION",
      "madeAt": "2023-11-14T22:13:20Z",
      "madeWith": {
        "prune": true,
        "adopt": false,
        "force": false,
        "approve": false,
        "pruneProtected": false,
        "maxPrune": "100%",
        "allowEmpty": false,
        "allowShared": false,
        "applyAll": false
      },
      "plans": [
        {
          "application": "argocd/shop",
          "cluster": "https://kubernetes.default.svc",
          "revisions": [
            "3f2a9c1d3f2a9c1d3f2a9c1d3f2a9c1d3f2a9c1d"
          ],
          "whole": true,
          "steps": [
            {
              "phase": "PreSync",
              "wave": 0,
              "action": "create",
              "object": {
                "group": "batch",
                "version": "v1",
                "kind": "Job",
                "namespace": "shop",
                "name": "migrate"
              },
              "why": "hook PreSync",
              "hook": [
                "BeforeHookCreation"
              ],
              "how": {
                "validation": "strict"
              },
              "target": "5rC9k8zEMHjZ3j4lORLATg"
            },
            {
              "phase": "Sync",
              "wave": 0,
              "action": "prune",
              "object": {
                "version": "v1",
                "kind": "ConfigMap",
                "namespace": "shop",
                "name": "old"
              },
              "why": "not in git any more",
              "how": {
                "propagation": "foreground"
              },
              "live": {
                "uid": "uid-of-ConfigMap-old",
                "fingerprint": "vF436ehGwm0xJoNlee-eMQ"
              }
            },
            {
              "phase": "Sync",
              "wave": 0,
              "action": "apply",
              "object": {
                "version": "v1",
                "kind": "Secret",
                "namespace": "shop",
                "name": "login"
              },
              "why": "missing",
              "how": {
                "validation": "strict"
              }
            },
            {
              "phase": "Sync",
              "wave": 0,
              "action": "apply",
              "object": {
                "version": "v1",
                "kind": "ConfigMap",
                "namespace": "shop",
                "name": "settings"
              },
              "why": "changed: /data/a (git moved)",
              "how": {
                "validation": "strict"
              },
              "target": "UbwcN51accKzLOIWcgUXpA",
              "live": {
                "uid": "uid-of-ConfigMap-settings",
                "fingerprint": "wZwQZV5LLzoUAzEvAdAZIA"
              }
            }
          ],
          "held": [
            {
              "object": {
                "version": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": "shop",
                "name": "data"
              },
              "why": "its data would be lost with it; needs `--prune-protected`",
              "drift": true
            }
          ]
        }
      ]
    }
    "#);
    assert!(!text.contains("c3dvcmRmaXNo"));
    // Nothing to try passwords against: another password is the same file.
    let mut other = world();
    other.wanted[1] = wanted(secret("b3RoZXI="), None);
    assert_eq!(saved(&other), saved(&world()));
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

/// Whoever approved a plan approved what it does, to what, in which revision.
#[test]
fn what_moved_since_is_named() {
    let change = |change: &dyn Fn(&mut World)| {
        let mut world = world();
        change(&mut world);
        world
    };
    let set_live = |world: &mut World, live: Value| {
        let target = world.wanted[0].target.to_value();
        world.wanted[0] = wanted(target, Some(live));
    };
    let edited = |value: &str| {
        let mut live = live(&settings("1"));
        live["data"] = json!({"a": value});
        live
    };
    let anew = || {
        let mut live = edited("2");
        live["metadata"]["uid"] = json!("another");
        live
    };
    let in_git = |world: &mut World, value: &str| world.wanted[0] = wanted(settings(value), Some(edited("2")));
    let cases: Vec<(&str, World, &str)> = vec![
        (
            "edited meanwhile",
            change(&|world| set_live(world, edited("3"))),
            "`ConfigMap shop/settings` changed in the cluster",
        ),
        (
            "made anew meanwhile",
            change(&|world| set_live(world, anew())),
            "`ConfigMap shop/settings` is another object of the same name in the cluster",
        ),
        (
            "deleted meanwhile",
            change(&|world| world.wanted[0] = wanted(settings("1"), None)),
            "`ConfigMap shop/settings` is not in the cluster any more",
        ),
        (
            "made meanwhile",
            change(&|world| world.wanted[1] = wanted(secret("YQ=="), Some(live(&secret("Yg=="))))),
            "`Secret shop/login` is in the cluster, and was not",
        ),
        (
            "another value in git",
            change(&|world| in_git(world, "9")),
            "`ConfigMap shop/settings` is another one in git",
        ),
        (
            "synced meanwhile",
            change(&|world| drop(world.wanted.remove(1))),
            "`Secret shop/login` needs no apply any more",
        ),
        (
            "new in git",
            change(&|world| world.wanted.push(wanted(target("ConfigMap", "new"), None))),
            "`ConfigMap shop/new` needs apply, and needed nothing",
        ),
        (
            "pruned otherwise",
            world().options("PrunePropagationPolicy=orphan"),
            "`ConfigMap shop/old` needs prune in another way",
        ),
        ("pruned later", world().options("PruneLast=true"), "`ConfigMap shop/old` was in Sync 0, and is in Sync 1"),
        ("replaced", world().options("Replace=true"), "`ConfigMap shop/settings` needed apply, and needs replace"),
        ("less of it", change(&|world| world.scope.whole = false), "how much of it is synced"),
    ];
    for (name, world, expected) in cases {
        let Err(PlanFileError::Moved(moved)) =
            saved(&super::file::world()).still_holds([&world.plan().unwrap()], at(60), HOUR)
        else {
            panic!("{name}: it moved")
        };
        assert!(moved.contains(&format!("argocd/shop: {expected}")), "{name}: {moved:?}");
    }
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
