//! What is applied, and why; what is held; whose an object is.

use super::*;
use crate::cluster::Validation;
use crate::object::annotations::TRACKING_ID;
use crate::status::{Moved, ResourceState};

/// A config map whose one value is `1` in git.
fn settings() -> Value {
    let mut target = target("ConfigMap", "settings");
    target["data"] = json!({"a": "1"});
    target
}

fn edited() -> Value {
    let mut live = live(&settings());
    live["data"]["a"] = json!("2");
    live
}

#[test]
fn what_differs_is_applied_and_says_why() {
    let moved = |moved: Moved| {
        let mut world = World::new().in_git(settings(), Some(edited()));
        world.wanted[0].drift.as_mut().unwrap().moved = moved;
        world
    };
    let missing = |moved: Moved| {
        let mut world = World::new().new_in_git(settings());
        world.wanted[0].drift.as_mut().unwrap().moved = moved;
        world
    };
    let cases = vec![
        (moved(Moved::Git), "changed: /data/a (changed in git)"),
        (moved(Moved::Cluster), "changed: /data/a (changed in the cluster)"),
        (moved(Moved::Both), "changed: /data/a (changed in both)"),
        (moved(Moved::Unknown), "changed: /data/a"),
        (missing(Moved::Git), "new in git"),
        (missing(Moved::Cluster), "missing: deleted in the cluster"),
        (missing(Moved::Unknown), "missing"),
    ];
    for (world, why) in cases {
        let plan = world.plan().unwrap();
        assert_eq!(plan.steps.len(), 1, "{why}");
        assert_eq!(plan.steps[0].why, why);
        assert_eq!(plan.steps[0].seen.is_some(), why.starts_with("changed"), "{why}");
    }
}

/// `ApplyOutOfSyncOnly` is the default, since what is in sync is proven to be.
#[test]
fn what_is_in_sync_is_applied_only_to_make_it_ours() {
    let foreign = {
        let mut live = live(&settings());
        live["metadata"]["managedFields"] = json!([entry("kubectl", "Apply", &settings())]);
        live
    };
    let everything = |mut world: World| {
        world.flags.apply_all = true;
        world
    };
    let partial = |mut world: World| {
        world.scope.whole = false;
        world
    };
    let with_record = |mut world: World| {
        world.baseline.get_or_insert_default().record(&object(settings()), &object(live(&settings())), None);
        world
    };
    let unrecorded = || World::new().in_git(settings(), Some(live(&settings())));
    let unowned = || with_record(World::new().in_git(settings(), Some(foreign.clone())));
    let cases = vec![
        ("recorded and ours", World::new().synced(&settings()), None),
        ("not recorded", unrecorded(), Some("in sync, not tracked yet")),
        ("`--apply-all`", everything(World::new().synced(&settings())), Some("in sync")),
        ("not recorded, but only what drifted is wanted", partial(unrecorded()), None),
    ];
    for (name, world, expected) in cases {
        let plan = world.plan().unwrap();
        assert_eq!(plan.steps.first().map(|step| step.why.as_str()), expected, "{name}");
    }
    let mut foreign = unowned();
    assert_eq!(foreign.held(), ["ConfigMap shop/settings: applied by kubectl; `--adopt` takes it over"]);
    assert!(foreign.steps().is_empty() && !foreign.plan().unwrap().held[0].is_drift);
    foreign.flags.adopt = true;
    assert_eq!(foreign.plan().unwrap().steps[0].why, "in sync, not tracked yet");
}

#[test]
fn what_could_not_be_compared_is_applied_with_the_whole() {
    let mut world = World::new().in_git(settings(), Some(edited()));
    world.wanted[0].drift.as_mut().unwrap().state = ResourceState::Unknown;
    assert_eq!(world.plan().unwrap().steps[0].why, "could not be compared");
    world.scope.whole = false;
    assert!(world.plan().unwrap().is_empty());
}

#[test]
fn what_the_policy_leaves_is_told_as_drift() {
    let mut world = World::new().in_git(settings(), Some(edited()));
    world.scope.apply = false;
    assert_eq!(
        world.held(),
        ["ConfigMap shop/settings: left alone by the sync policy: changed: /data/a (changed in git)"]
    );
    assert!(world.plan().unwrap().held[0].is_drift);
}

/// A resource that the server names again each time could never be compared with git.
#[test]
fn a_resource_without_a_name_is_held() {
    let mut nameless = settings();
    nameless["metadata"].as_object_mut().unwrap().remove("name");
    nameless["metadata"]["generateName"] = json!("settings-");
    let plan = World::new().new_in_git(nameless).plan().unwrap();
    assert!(plan.is_empty());
    assert!(plan.held[0].why.contains("`generateName`"), "{}", plan.held[0].why);
}

/// Whoever moves from Argo CD: nothing is taken over that nobody said to take.
#[test]
fn what_argo_cd_tracks_waits_for_adopt() {
    let tracked = || {
        let mut live = annotated(edited(), TRACKING_ID, "shop:/ConfigMap:shop/settings");
        live["metadata"].as_object_mut().unwrap().remove("labels");
        live["metadata"]["managedFields"] = json!([
            entry("argocd-controller", "Update", &settings()),
            entry("kubectl-edit", "Update", &settings()),
            entry("kubectl-client-side-apply", "Update", &settings()),
        ]);
        live
    };
    let mut world = World::new().in_git(settings(), Some(tracked()));
    assert_eq!(world.steps(), Vec::<String>::new());
    assert_eq!(world.held(), ["ConfigMap shop/settings: part of Argo CD application `shop`; `--adopt` takes it over"]);

    world.flags.adopt = true;
    let Action::Apply { adopt, .. } = &world.plan().unwrap().steps[0].action else { panic!("it is applied") };
    assert_eq!(adopt, &["argocd-controller", "kubectl-client-side-apply"]);
}

/// Whoever applied or created an object before is asked for, whether it differs or not; the rest of the plan goes on.
#[test]
fn what_somebody_else_applied_or_created_waits_for_adopt() {
    let by = |manager: &str, operation: &str| {
        let mut live = edited();
        live["metadata"].as_object_mut().unwrap().remove("labels");
        live["metadata"]["managedFields"] = json!([entry(manager, operation, &settings())]);
        live
    };
    let marked = |name: &str, text: &str, manager: &str| annotated(by(manager, "Update"), name, text);
    let flux = || {
        let mut live = by("kustomize-controller", "Apply");
        live["metadata"]["labels"] = json!({"kustomize.toolkit.fluxcd.io/name": "apps"});
        live
    };
    for (live, owner) in [
        (marked("meta.helm.sh/release-name", "legacy", "helm"), "part of Helm release `legacy`"),
        (flux(), "part of Flux Kustomization `apps`"),
        (
            marked("kubectl.kubernetes.io/last-applied-configuration", "{}", "kubectl-client-side-apply"),
            "applied by kubectl",
        ),
        (by("kubectl", "Apply"), "applied by kubectl"),
        (by("kubectl-create", "Update"), "created by `kubectl-create`"),
        (by("kube-controller-manager", "Update"), "created by `kube-controller-manager`"),
    ] {
        for replaces in ["", "Replace=true", "Replace=true,Force=true"] {
            let target = annotated(settings(), crate::object::annotations::SYNC_OPTIONS, replaces);
            let mut world = World::new().in_git(target, Some(live.clone())).new_in_git(target_of("new"));
            assert_eq!(world.steps(), ["Sync 0 apply ConfigMap shop/new"], "{owner} {replaces}");
            assert_eq!(world.held(), [format!("ConfigMap shop/settings: {owner}; `--adopt` takes it over")]);
            assert!(world.plan().unwrap().held[0].is_drift);
            world.flags.adopt = true;
            assert_eq!(world.steps().len(), 2, "{owner} {replaces}");
        }
    }
}

fn target_of(name: &str) -> Value {
    target("ConfigMap", name)
}

/// An object that trueup wrote with `Replace=true` is its own without anybody's leave: a field that git drops has to go.
#[test]
fn fields_that_trueup_wrote_otherwise_become_applied_ones() {
    let mut live = edited();
    live["metadata"]["managedFields"] =
        json!([entry("trueup", "Update", &settings()), entry("helm", "Update", &settings())]);
    let Action::Apply { adopt, .. } = &World::new().in_git(settings(), Some(live)).plan().unwrap().steps[0].action
    else {
        panic!("it is applied")
    };
    assert_eq!(adopt, &["trueup"]);
}

/// Two owners of one object undo each other: nothing at all is written.
#[test]
fn an_object_of_another_application_refuses_the_plan() {
    let of_applyset = |id: &str| {
        let mut live = edited();
        live["metadata"]["labels"][APPLYSET_PART_OF] = json!(id);
        live
    };
    let unlabelled = || {
        let mut live = edited();
        live["metadata"].as_object_mut().unwrap().remove("labels");
        live
    };
    let instance = |value: Value, name: &str| {
        let mut value = value;
        value["metadata"]["labels"]["app.kubernetes.io/instance"] = json!(name);
        value
    };
    let applied_with_instance = |name: &str| {
        let mut live = instance(unlabelled(), name);
        live["metadata"]["managedFields"] = json!([entry("argocd-controller", "Apply", &live)]);
        live
    };
    let by_annotation = |id: &str| annotated(unlabelled(), TRACKING_ID, id);
    for (name, target, live, other) in [
        (
            "another ApplySet",
            settings(),
            of_applyset("applyset-theirs-v1"),
            Some(Other::ApplySet("applyset-theirs-v1".to_owned())),
        ),
        ("ours", settings(), of_applyset(ID), None),
        ("another Application", settings(), by_annotation("blog:/ConfigMap:shop/settings"), Some(blog())),
        ("a copied annotation", settings(), by_annotation("blog:/ConfigMap:shop/other"), None),
        ("another one's label", settings(), applied_with_instance("blog"), Some(blog())),
        ("a label that the chart writes", instance(settings(), "blog"), applied_with_instance("blog"), None),
    ] {
        let refused = World::new().in_git(target, Some(live)).plan().err();
        let expected = other.map(|other| PlanRefused::Shared(vec![Shared { object: object(settings()).key(), other }]));
        assert_eq!(refused, expected, "{name}");
    }
}

fn blog() -> Other {
    Other::Application("blog".to_owned())
}

#[test]
fn a_shared_object_is_named_with_its_other_owner() {
    let of = |name: &str, other: Other| Shared { object: object(target("ConfigMap", name)).key(), other };
    let unknown = Other::ApplySet("applyset-x-v1".to_owned());
    let outside = Other::Application("team_blog".to_owned());
    let refused = PlanRefused::Shared(vec![of("a", blog()), of("b", outside), of("c", unknown)]);
    let expected = "`ConfigMap shop/a` is owned by Application `blog`; `ConfigMap shop/b` is owned by Application \
                    `team/blog`; `ConfigMap shop/c` is owned by ApplySet `applyset-x-v1`; nothing was written";
    assert_eq!(refused.to_string(), expected);
}

/// The dry run finds what only a new object can have.
#[test]
fn what_must_be_made_anew_needs_force() {
    let world = |force: bool| {
        let mut world = World::new().in_git(settings(), Some(edited()));
        world.flags.force = force;
        world.plan().unwrap()
    };
    let mut forced = world(true);
    forced.recreate(0, "`spec.selector` is immutable");
    let Action::Apply { method, validation, .. } = forced.steps[0].action else { panic!("it is brought") };
    assert_eq!((method, validation), (Method::Recreate, Validation::Strict));
    assert_eq!(
        forced.steps[0].why,
        "changed: /data/a (changed in git); must be recreated: `spec.selector` is immutable"
    );

    let mut held = world(false);
    held.recreate(0, "`spec.selector` is immutable");
    assert!(held.is_empty() && held.held[0].is_drift);
    assert!(held.held[0].why.contains("`--force`"));
}

/// Applying `rules: []` would empty the role until its controller comes to it: what is bound to it fails meanwhile.
#[test]
fn the_rules_of_an_aggregated_role_are_not_applied_where_git_leaves_them_empty() {
    let role = |rules: Value| {
        let mut role = target("rbac.authorization.k8s.io/v1 ClusterRole", "sum");
        role["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]});
        role["metadata"]["labels"] = json!({"team": "shop"});
        role["rules"] = rules;
        role
    };
    let written = || json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]);
    let mut on_cluster = live(&role(written()));
    on_cluster["metadata"]["labels"]["team"] = json!("till");
    let replaced = |mut role: Value| {
        role["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-options": "Replace=true"});
        role
    };
    let by_itself = |mut role: Value| {
        role.as_object_mut().unwrap().remove("aggregationRule");
        role
    };
    for (name, git, live, expected) in [
        ("applied", role(json!([])), Some(&on_cluster), None),
        ("null", role(Value::Null), Some(&on_cluster), None),
        ("created", role(json!([])), None, None),
        ("replaced", replaced(role(json!([]))), Some(&on_cluster), Some(written())),
        ("created by a replace", replaced(role(json!([]))), None, None),
        (
            "rules of git's own",
            role(json!([{"verbs": ["list"]}])),
            Some(&on_cluster),
            Some(json!([{"verbs": ["list"]}])),
        ),
        ("a role that aggregates nothing", by_itself(role(json!([]))), Some(&on_cluster), Some(json!([]))),
    ] {
        let plan = World::new().in_git(git, live.cloned()).plan().unwrap();
        let applied = plan.steps[0].target.as_ref().unwrap();
        assert_eq!(applied.value().get("rules"), expected.as_ref(), "{name}");
    }
}
