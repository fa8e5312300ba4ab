//! Sync options, of the Application and of a resource, as fields of a step.

use super::*;
use crate::cluster::Validation;
use crate::object::annotations::{SYNC_OPTIONS, SYNC_WAVE};

/// How a target is brought that has a live object, which differs: method, validation, and whether it may be made anew.
fn how(kind: &str, options: &str, of_target: &str, of_live: &str) -> (Method, Validation, bool) {
    let mut wanted = annotated(target(kind, "a"), SYNC_OPTIONS, of_target);
    wanted["data"] = json!({"a": "1"});
    let mut held = annotated(live(&wanted), SYNC_OPTIONS, of_live);
    held["data"] = json!({"a": "2"});
    let plan = World::new().options(options).in_git(wanted, Some(held)).plan().unwrap();
    match plan.steps[0].action {
        Action::Bring { method, validation, force, .. } => (method, validation, force),
        Action::Prune { .. } | Action::Release => panic!("it is brought"),
    }
}

#[test]
fn options_become_fields_of_the_step() {
    use Method::{Apply, Recreate, Replace};
    use Validation::{Ignore, Strict};
    let claim = "PersistentVolumeClaim";
    let definition = "apiextensions.k8s.io/v1 CustomResourceDefinition";
    for (kind, of_application, of_target, of_live, expected) in [
        ("ConfigMap", "", "", "", (Apply, Strict, false)),
        ("ConfigMap", "ServerSideApply=true", "", "", (Apply, Strict, false)),
        ("ConfigMap", "Replace=true, ServerSideApply=true", "", "", (Replace, Strict, false)),
        ("ConfigMap", "Replace=true", "Replace=false", "", (Apply, Strict, false)),
        ("ConfigMap", "", "Replace=true", "", (Replace, Strict, false)),
        ("ConfigMap", "", "Force=true", "", (Apply, Strict, true)),
        ("ConfigMap", "", "", "Force=true", (Apply, Strict, true)),
        ("ConfigMap", "", "Replace=true,Force=true", "", (Recreate, Strict, true)),
        ("ConfigMap", "Validate=false", "", "", (Apply, Ignore, false)),
        ("ConfigMap", "Validate=false", "Validate=true", "", (Apply, Strict, false)),
        ("ConfigMap", "", "Validate=false", "", (Apply, Ignore, false)),
        // Deleting these takes along what nobody asked to lose.
        ("Namespace", "", "Replace=true,Force=true", "", (Replace, Strict, false)),
        (definition, "", "Replace=true,Force=true", "", (Replace, Strict, false)),
        (claim, "", "Replace=true,Force=true", "", (Replace, Strict, false)),
    ] {
        let found = how(kind, of_application, of_target, of_live);
        assert_eq!(found, expected, "{kind}: {of_application} | {of_target} | {of_live}");
    }
}

#[test]
fn what_is_odd_about_annotations_is_warned_about() {
    let odd = annotated(target("ConfigMap", "a"), SYNC_OPTIONS, "Pruen=false,CreateNamespace=true");
    let odd = annotated(odd, SYNC_WAVE, "first");
    assert_eq!(
        World::new().new_in_git(odd).plan().unwrap().warnings,
        [
            "`ConfigMap shop/a`: `CreateNamespace=true` is an option of an Application, not of a resource",
            "`ConfigMap shop/a`: `Pruen=false` is not a sync option; did you mean `Prune=false`?",
            "`ConfigMap shop/a`: `argocd.argoproj.io/sync-wave: first` is no whole number",
        ]
    );
}

/// The destination's namespace is made first, and never becomes a member: it is not pruned with the application.
#[test]
fn the_namespace_is_made_when_it_is_missing() {
    let world = || World::new().options("CreateNamespace=true").new_in_git(target("ConfigMap", "a"));
    let plan = world().plan().unwrap();
    assert_eq!(world().steps(), ["PreSync 0 apply Namespace shop", "Sync 0 apply ConfigMap shop/a"]);
    let namespace = plan.steps[0].target.as_ref().unwrap();
    assert_eq!(namespace.to_value(), json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}));
    assert!(
        plan.steps[1].unasked && !plan.steps[0].unasked,
        "nothing can be asked about a namespace that is not there"
    );

    let mut there = world();
    there.namespace = Some(object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})));
    assert_eq!(there.steps(), ["Sync 0 apply ConfigMap shop/a"]);
    let in_git = world().new_in_git(target("Namespace", "shop"));
    assert_eq!(in_git.steps(), ["Sync 0 apply Namespace shop", "Sync 0 apply ConfigMap shop/a"]);
    let mut prunes_only = world();
    prunes_only.scope = Scope { whole: false, apply: false, prune: true };
    assert_eq!(prunes_only.steps(), Vec::<String>::new());
}

#[test]
fn the_namespace_gets_its_metadata() {
    let policy = "syncOptions: [CreateNamespace=true], managedNamespaceMetadata: {labels: {team: shop}, annotations: {owner: ada}}";
    let namespace = |metadata: Value| {
        let mut world = World::new().policy(policy);
        let mut value = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        value["metadata"]["name"] = json!("shop");
        world.namespace = Some(object(value));
        world.plan().unwrap().steps
    };
    let full = || json!({"labels": {"team": "shop", "other": "x"}, "annotations": {"owner": "ada"}});
    let with_old = || {
        let mut metadata = full();
        let fields = json!({"f:metadata": {"f:labels": {"f:team": {}, "f:other": {}}}});
        metadata["managedFields"] = json!([{"manager": "trueup", "operation": "Apply", "fieldsV1": fields}]);
        metadata
    };
    assert_eq!(namespace(full()), []);
    assert_eq!(namespace(json!({})).len(), 1, "nothing is there yet");
    assert_eq!(
        namespace(json!({"labels": {"team": "blog"}, "annotations": {"owner": "ada"}})).len(),
        1,
        "another value"
    );
    assert_eq!(namespace(with_old()).len(), 1, "a label of ours that the policy dropped");
    let made = World::new().policy(policy).plan().unwrap().steps[0].target.as_ref().unwrap().to_value();
    assert_eq!(made["metadata"], json!({"name": "shop", "labels": {"team": "shop"}, "annotations": {"owner": "ada"}}));
}

/// The server cannot be asked about a kind that this plan makes first.
#[test]
fn a_kind_that_the_plan_makes_is_not_asked_about() {
    let mut definition = target("apiextensions.k8s.io/v1 CustomResourceDefinition", "widgets.shop.example.com");
    definition["spec"] = json!({"group": "shop.example.com", "names": {"kind": "Widget", "plural": "widgets"},
                                "scope": "Namespaced", "versions": [{"name": "v1", "served": true}]});
    let widget = || target("shop.example.com/v1 Widget", "a");
    let unasked = |world: World| world.plan().unwrap().steps.iter().map(|step| step.unasked).collect::<Vec<_>>();
    assert_eq!(unasked(World::new().new_in_git(widget()).new_in_git(definition)), [false, true]);
    assert_eq!(unasked(World::new().new_in_git(widget())), [false], "the server will say that it has no such kind");
    let patient = annotated(widget(), SYNC_OPTIONS, "SkipDryRunOnMissingResource=true");
    assert_eq!(unasked(World::new().new_in_git(patient)), [true]);
    assert_eq!(unasked(World::new().options("SkipDryRunOnMissingResource=true").new_in_git(widget())), [true]);
}
