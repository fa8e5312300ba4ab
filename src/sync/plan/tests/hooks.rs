//! Hooks: their phases, names, policies; Helm's.

use super::*;
use crate::object::annotations::{HELM_HOOK, HELM_RELEASE, HOOK, HOOK_DELETE_POLICY, SYNC_OPTIONS};

fn job(name: &str) -> Value {
    target("batch/v1 Job", name)
}

/// The steps of one hook, without its name; beside a resource that is there already, or not.
fn phases(annotation: &str, hook: &str, is_live: bool) -> Vec<String> {
    let settings = target("ConfigMap", "settings");
    let world = if is_live { World::new().synced(&settings) } else { World::new().new_in_git(settings) };
    let plan = world.new_in_git(annotated(job("hook"), annotation, hook)).plan().unwrap();
    plan.steps.iter().filter(|step| step.hook.is_some()).map(|step| step.phase.to_string()).collect()
}

#[test]
fn a_hook_runs_once_in_each_of_its_phases() {
    for (hook, expected) in [
        ("PreSync", vec!["PreSync"]),
        ("Sync", vec!["Sync"]),
        ("PostSync", vec!["PostSync"]),
        ("SyncFail", vec!["SyncFail"]),
        ("PreSync, PostSync,SyncFail", vec!["PreSync", "PostSync", "SyncFail"]),
        ("PostSync,PostSync", vec!["PostSync"]),
        ("PreDelete,PostDelete", vec![]),
        ("Skip", vec![]),
        ("PreSync,Skip", vec!["PreSync"]),
        ("presync", vec![]),
    ] {
        assert_eq!(phases(HOOK, hook, true), expected, "{hook}");
    }
}

/// Argo CD runs `pre-install` and `pre-upgrade` at every sync; a migration that must run once then runs for ever.
#[test]
fn helms_hooks_are_told_by_whether_anything_is_there() {
    for (hook, at_install, at_upgrade) in [
        ("pre-install", vec!["PreSync"], vec![]),
        ("pre-upgrade", vec![], vec!["PreSync"]),
        ("pre-install,pre-upgrade", vec!["PreSync"], vec!["PreSync"]),
        ("post-install", vec!["PostSync"], vec![]),
        ("post-upgrade", vec![], vec!["PostSync"]),
        ("post-install, post-upgrade", vec!["PostSync"], vec!["PostSync"]),
        ("pre-install,post-upgrade", vec!["PreSync"], vec!["PostSync"]),
        ("pre-delete", vec![], vec![]),
        ("test", vec![], vec![]),
        ("post-install,test", vec!["PostSync"], vec![]),
        ("pre-rollback", vec![], vec![]),
    ] {
        assert_eq!(phases(HELM_HOOK, hook, false), at_install, "{hook}");
        assert_eq!(phases(HELM_HOOK, hook, true), at_upgrade, "{hook}");
    }
}

#[test]
fn only_what_is_of_the_application_makes_an_upgrade() {
    let hook = || annotated(job("hook"), HELM_HOOK, "pre-install");
    let settings = || target("ConfigMap", "settings");
    let by_hand = || {
        let mut live = live(&settings());
        live["metadata"].as_object_mut().unwrap().remove("labels");
        live
    };
    for (name, world, is_install) in [
        ("nothing is there", Box::new(World::new().new_in_git(settings())), true),
        ("made by hand beforehand", Box::new(World::new().in_git(settings(), Some(by_hand()))), true),
        ("ours", Box::new(World::new().in_git(settings(), Some(live(&settings())))), false),
        (
            "installed by Helm",
            Box::new(World::new().in_git(settings(), Some(annotated(by_hand(), HELM_RELEASE, "shop")))),
            false,
        ),
        (
            "dropped by git",
            Box::new(World::new().gone(live(&target("ConfigMap", "old"))).new_in_git(settings())),
            false,
        ),
    ] {
        let plan = world.new_in_git(hook()).plan().unwrap();
        assert_eq!(plan.steps.iter().any(|step| step.hook.is_some()), is_install, "{name}");
    }
}

#[test]
fn what_nobody_knows_of_a_hook_is_warned_about() {
    let hook = annotated(job("a"), HOOK, "PreSynk,PostSync");
    let hook = annotated(hook, HOOK_DELETE_POLICY, "HookSuceeded");
    let helm = annotated(job("b"), HELM_HOOK, "pre-instal");
    let plan = World::new().new_in_git(hook).new_in_git(helm).plan().unwrap();
    assert_eq!(
        plan.warnings,
        [
            "`batch/Job shop/a`: `HookSuceeded` is not a hook delete policy",
            "`batch/Job shop/a`: `PreSynk` is not a hook type, so the hook never runs for it",
            "`batch/Job shop/b`: `pre-instal` is not a hook type, so the hook never runs for it",
        ]
    );
    assert_eq!(plan.steps.len(), 1);
}

#[test]
fn a_hook_is_deleted_again_by_its_policies() {
    let both = |argo: &str, helm: &str| {
        let mut hook = annotated(job("a"), HOOK, "PreSync");
        for (name, text) in [(HOOK_DELETE_POLICY, argo), ("helm.sh/hook-delete-policy", helm)] {
            if !text.is_empty() {
                hook = annotated(hook, name, text);
            }
        }
        let policy = World::new().new_in_git(hook).plan().unwrap().steps[0].hook.unwrap();
        (policy.before_creation, policy.succeeded, policy.failed)
    };
    for (argo, helm, expected) in [
        ("", "", (true, false, false)),
        ("BeforeHookCreation", "", (true, false, false)),
        ("HookSucceeded", "", (false, true, false)),
        ("HookSucceeded, HookFailed", "", (false, true, true)),
        ("Never", "", (true, false, false)),
        ("", "hook-succeeded", (false, true, false)),
        ("", "before-hook-creation,hook-failed", (true, false, true)),
        ("HookFailed", "hook-succeeded", (false, false, true)),
    ] {
        assert_eq!(both(argo, helm), expected, "{argo} | {helm}");
    }
}

/// The object of an earlier run is in the way of a Job, and is applied over where it is to stay.
#[test]
fn a_hook_that_is_there_is_made_anew_or_applied() {
    let steps = |policy: &str, live: Option<Value>| {
        let hook = annotated(annotated(job("a"), HOOK, "PreSync"), HOOK_DELETE_POLICY, policy);
        World::new().in_git(hook, live).steps()
    };
    let left = || Some(live(&annotated(job("a"), HOOK, "PreSync")));
    assert_eq!(steps("BeforeHookCreation", left()), ["PreSync 0 create batch/Job shop/a"]);
    assert_eq!(steps("HookSucceeded", None), ["PreSync 0 create batch/Job shop/a"]);
    assert_eq!(steps("HookSucceeded", left()), ["PreSync 0 apply batch/Job shop/a"]);
}

/// A hook of the name of somebody's Secret: no policy, phase or flag but `--adopt` lets the hook have it, for each of them
/// would delete or overwrite it.
#[test]
fn a_hook_whose_name_is_taken_refuses_the_plan() {
    let by = |manager: &str, operation: &str| {
        let mut live = live(&target("Secret", "db"));
        live["metadata"].as_object_mut().unwrap().remove("labels");
        live["metadata"]["managedFields"] = json!([entry(manager, operation, &target("Secret", "db"))]);
        live
    };
    let copied = || {
        let mut copied = annotated(by("kubectl-client-side-apply", "Update"), HOOK_OF, ID);
        copied["metadata"]["managedFields"][0]["fieldsV1"]["f:metadata"]["f:annotations"] =
            json!({format!("f:{HOOK_OF}"): {}});
        copied
    };
    let of_another = || annotated(live(&annotated(target("Secret", "db"), HOOK, "PreSync")), HOOK_OF, "applyset-x-v1");
    let tracked =
        || annotated(by("argocd-controller", "Update"), "argocd.argoproj.io/tracking-id", "shop:/Secret:shop/db");
    let lives = [
        (by("kubectl-create", "Update"), "created by `kubectl-create`"),
        (tracked(), "part of Argo CD application `shop`"),
        (copied(), "applied by kubectl"),
        (live(&target("Secret", "db")), "created by trueup, but not as a hook"),
        (of_another(), "created by trueup, but not as a hook"),
    ];
    let hooks = ["PreSync", "Sync", "PostSync", "SyncFail"].map(|phase| (HOOK, phase));
    let hooks =
        hooks.into_iter().chain([(HELM_HOOK, "pre-upgrade,pre-install"), (HELM_HOOK, "post-upgrade,post-install")]);
    for (annotation, phase) in hooks {
        for policy in ["", "BeforeHookCreation", "HookSucceeded", "HookFailed"] {
            for options in ["", "Force=true", "Replace=true,Force=true"] {
                for (live, whose) in &lives {
                    let hook =
                        annotated(annotated(target("Secret", "db"), annotation, phase), HOOK_DELETE_POLICY, policy);
                    let hook = annotated(hook, SYNC_OPTIONS, options);
                    let mut world = World::new().in_git(hook, Some(live.clone()));
                    world.flags.force = true;
                    let refused = world.plan().unwrap_err().to_string();
                    let expected = format!(
                        "the hook `Secret shop/db` has the name of an object that is {whose}; nothing was written"
                    );
                    assert_eq!(refused, expected, "{phase} {policy} {options}");
                    world.flags.adopt = true;
                    assert_eq!(world.steps().len(), 1, "{phase} {policy} {options}");
                }
            }
        }
    }
}

/// A hook of a deletion does not run in a sync: its name may be anybody's until then.
#[test]
fn a_hook_that_does_not_run_takes_no_name() {
    let mut elses = live(&target("Secret", "db"));
    elses["metadata"]["managedFields"] = json!([entry("kubectl-create", "Update", &target("Secret", "db"))]);
    for (annotation, phase) in [(HOOK, "PostDelete"), (HELM_HOOK, "pre-delete"), (HELM_HOOK, "test"), (HOOK, "Skip")] {
        let hook = annotated(target("Secret", "db"), annotation, phase);
        assert!(World::new().in_git(hook, Some(elses.clone())).steps().is_empty(), "{phase}");
    }
}

/// Its name does not say whose a hook is, so each hook that trueup creates carries a mark.
#[test]
fn a_hook_carries_the_mark_of_its_application() {
    let plan = World::new().new_in_git(annotated(job("a"), HOOK, "PreSync")).plan().unwrap();
    assert_eq!(plan.steps[0].target.as_ref().unwrap().annotation(HOOK_OF), Some(ID));
}

/// Charts have namespaces, claims and definitions as hooks, and a hook is deleted before it is made unless it says otherwise:
/// each upgrade would take everything in them.
#[test]
fn a_hook_with_data_in_it_is_never_deleted_to_be_made_anew() {
    for kind in ["v1 Namespace", "v1 PersistentVolumeClaim", "apiextensions.k8s.io/v1 CustomResourceDefinition"] {
        let hook = annotated(target(kind, "data"), HOOK, "PreSync");
        let mut world = World::new().in_git(hook.clone(), Some(live(&hook)));
        let plan = world.plan().unwrap();
        let before = |plan: &Plan| plan.steps[0].hook.unwrap().before_creation;
        assert!(!before(&plan) && step_line(&plan.steps[0]).contains(" apply "), "{kind}: {:?}", plan.steps);
        assert!(plan.warnings[0].contains("would be lost with it"), "{kind}: {:?}", plan.warnings);
        world.flags.prune_protected = true;
        assert!(before(&world.plan().unwrap()), "{kind}");
    }
}

/// The same name as Argo CD's: `<generateName><revision[:7]>-<phase>-<begin>`.
#[test]
fn a_hook_without_a_name_gets_one() {
    let mut hook = annotated(job(""), HOOK, "PreSync,PostSync");
    hook["metadata"].as_object_mut().unwrap().remove("name");
    hook["metadata"]["generateName"] = json!("migrate-");
    let plan = World::new().new_in_git(hook).plan().unwrap();
    let names: Vec<&str> = plan.steps.iter().map(|step| step.object.name.as_str()).collect();
    assert_eq!(names, ["migrate-3f2a9c1-presync-1700000000", "migrate-3f2a9c1-postsync-1700000000"]);
    for step in &plan.steps {
        assert_eq!(step.target.as_ref().unwrap().name(), step.object.name);
    }
}

#[test]
fn hooks_run_only_when_all_of_the_application_is_synced() {
    let mut world = World::new().new_in_git(annotated(job("a"), HOOK, "PreSync")).new_in_git(target("ConfigMap", "b"));
    world.scope.whole = false;
    assert_eq!(world.steps(), ["Sync 0 apply ConfigMap shop/b"]);
}
