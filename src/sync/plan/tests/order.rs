//! Phases, kinds, names, and what has to be there first.

use super::*;
use crate::object::annotations::{HOOK, SYNC_WAVE};

fn in_wave(value: Value, wave: i64) -> Value {
    annotated(value, SYNC_WAVE, &wave.to_string())
}

fn definition(kind: &str) -> Value {
    let mut definition =
        target("apiextensions.k8s.io/v1 CustomResourceDefinition", &format!("{kind}s.shop.example.com").to_lowercase());
    definition["spec"] = json!({"group": "shop.example.com", "names": {"kind": kind}});
    definition
}

#[test]
fn kinds_come_in_argo_cds_order_and_others_by_name_after_them() {
    let world = World::new()
        .new_in_git(target("apps/v1 Deployment", "web"))
        .new_in_git(target("shop.example.com/v1 Zebra", "a"))
        .new_in_git(target("shop.example.com/v1 Apple", "b"))
        .new_in_git(target("networking.k8s.io/v1 Ingress", "web"))
        .new_in_git(target("Service", "web"))
        .new_in_git(target("ConfigMap", "b"))
        .new_in_git(target("ConfigMap", "a"))
        .new_in_git(target("Secret", "z"));
    assert_eq!(
        world.steps(),
        [
            "Sync 0 apply Secret shop/z",
            "Sync 0 apply ConfigMap shop/a",
            "Sync 0 apply ConfigMap shop/b",
            "Sync 0 apply Service shop/web",
            "Sync 0 apply apps/Deployment shop/web",
            "Sync 0 apply networking.k8s.io/Ingress shop/web",
            "Sync 0 apply shop.example.com/Zebra shop/a",
            "Sync 0 apply shop.example.com/Apple shop/b",
        ]
    );
}

#[test]
fn phases_come_before_waves_and_waves_before_kinds() {
    let world = World::new()
        .new_in_git(annotated(in_wave(target("Pod", "after"), -5), HOOK, "PostSync"))
        .new_in_git(annotated(target("Pod", "failed"), HOOK, "SyncFail"))
        .new_in_git(annotated(in_wave(target("Pod", "before"), 9), HOOK, "PreSync"))
        .new_in_git(in_wave(target("apps/v1 Deployment", "early"), -1))
        .new_in_git(in_wave(target("ConfigMap", "late"), 2))
        .new_in_git(target("ConfigMap", "middle"));
    assert_eq!(
        world.steps(),
        [
            "PreSync 9 create Pod shop/before",
            "Sync -1 apply apps/Deployment shop/early",
            "Sync 0 apply ConfigMap shop/middle",
            "Sync 2 apply ConfigMap shop/late",
            "PostSync -5 create Pod shop/after",
            "SyncFail 0 create Pod shop/failed",
        ]
    );
}

/// A namespace in a late wave, a hook that lives in it: it takes over the phase and the wave of the first that needs it.
#[test]
fn a_namespace_comes_before_what_lives_in_it() {
    let world = World::new()
        .new_in_git(in_wave(target("Namespace", "shop"), 5))
        .new_in_git(in_wave(target("ConfigMap", "a"), -3))
        .new_in_git(annotated(in_wave(target("batch/v1 Job", "migrate"), 1), HOOK, "PreSync"));
    assert_eq!(
        world.steps(),
        ["PreSync 1 apply Namespace shop", "PreSync 1 create batch/Job shop/migrate", "Sync -3 apply ConfigMap shop/a",]
    );
}

#[test]
fn a_definition_comes_before_its_objects() {
    let world = World::new()
        .new_in_git(in_wave(definition("Widget"), 3))
        .new_in_git(definition("Gadget"))
        .new_in_git(target("shop.example.com/v1 Widget", "a"))
        .new_in_git(in_wave(target("shop.example.com/v1 Gadget", "b"), 1))
        .new_in_git(target("ConfigMap", "c"));
    assert_eq!(
        world.steps(),
        [
            "Sync 0 apply ConfigMap shop/c",
            "Sync 0 apply apiextensions.k8s.io/CustomResourceDefinition gadgets.shop.example.com",
            "Sync 0 apply apiextensions.k8s.io/CustomResourceDefinition widgets.shop.example.com",
            "Sync 0 apply shop.example.com/Widget shop/a",
            "Sync 1 apply shop.example.com/Gadget shop/b",
        ]
    );
}

/// `CreateNamespace` with a hook that comes early: the namespace is there before it.
#[test]
fn a_made_namespace_comes_before_the_first_hook() {
    let world = World::new()
        .options("CreateNamespace=true")
        .new_in_git(annotated(in_wave(target("batch/v1 Job", "migrate"), -7), HOOK, "PreSync"))
        .new_in_git(target("ConfigMap", "a"));
    assert_eq!(
        world.steps(),
        [
            "PreSync -7 apply Namespace shop",
            "PreSync -7 create batch/Job shop/migrate",
            "Sync 0 apply ConfigMap shop/a"
        ]
    );
}
