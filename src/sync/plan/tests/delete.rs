//! Deleting an application: what goes, in which order, what is kept, what is held, what refuses all of it.

use super::*;
use crate::cluster::Propagation;
use crate::object::Key;

/// A live object of the application, with these annotations.
fn ours(kind: &str, name: &str, annotations: Value) -> Value {
    let kind = match kind {
        "Deployment" => "apps/v1 Deployment",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1 CustomResourceDefinition",
        kind => kind,
    };
    let mut target = target(kind, name);
    target["metadata"]["annotations"] = annotations;
    live(&target)
}

fn in_wave(kind: &str, name: &str, wave: i64) -> Value {
    ours(kind, name, json!({"argocd.argoproj.io/sync-wave": wave.to_string()}))
}

const DELETING: Deleting<'static> = Deleting { orphan: false, propagation: None, state_namespace: "shop" };

impl World {
    fn deleted(&self, deleting: &Deleting<'_>) -> Result<Plan, PlanRefused> {
        self.with_input(|input| delete(input, deleting))
    }

    fn deletions(&self) -> Vec<String> {
        self.deleted(&DELETING).unwrap().steps.iter().map(step_line).collect()
    }
}

fn hook(phase: &str) -> Value {
    let annotations = json!({"argocd.argoproj.io/hook": phase});
    let metadata = json!({"name": phase.to_lowercase(), "namespace": "shop", "annotations": annotations});
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata})
}

/// The last that was brought is the first that goes; the hooks of a deletion are around it, those of a sync are not.
#[test]
fn what_was_brought_last_goes_first_between_the_hooks() {
    let world = World::new()
        .new_in_git(hook("PreDelete"))
        .new_in_git(hook("PreSync"))
        .new_in_git(hook("PostDelete"))
        .gone(in_wave("ConfigMap", "settings", -1))
        .gone(in_wave("Deployment", "web", 0))
        .gone(in_wave("Service", "web", 0))
        .gone(in_wave("Deployment", "front", 5));
    assert_eq!(
        world.deletions(),
        [
            "PreDelete 0 create batch/Job shop/predelete",
            "Sync -1 prune apps/Deployment shop/front",
            "Sync 0 prune apps/Deployment shop/web",
            "Sync 0 prune Service shop/web",
            "Sync 5 prune ConfigMap shop/settings",
            "PostDelete 0 create batch/Job shop/postdelete",
        ]
    );
}

#[test]
fn each_object_goes_or_stays_by_its_own_word() {
    let options = |text: &str| json!({"argocd.argoproj.io/sync-options": text});
    let cases = [
        ("nothing said", ours("ConfigMap", "a", json!({})), "prune"),
        ("Delete=false", ours("ConfigMap", "a", options("Delete=false")), "release"),
        ("Helm keeps it", ours("ConfigMap", "a", json!({"helm.sh/resource-policy": "keep"})), "release"),
        // A prune is another matter than a deletion of the application.
        ("Prune=false", ours("ConfigMap", "a", options("Prune=false")), "prune"),
        ("the namespace of the state", ours("Namespace", "shop", json!({})), "release"),
        ("another namespace", ours("Namespace", "other", json!({})), "held"),
        ("a volume claim", ours("PersistentVolumeClaim", "data", json!({})), "held"),
        ("a definition", ours("CustomResourceDefinition", "tills.shop.example.com", json!({})), "held"),
    ];
    for (name, live, expected) in cases {
        let plan = World::new().gone(live).deleted(&DELETING).unwrap();
        let found = plan.steps.first().map_or("held", |step| step.action.as_str());
        assert_eq!(found, expected, "{name}");
        assert_eq!(plan.held.iter().filter(|held| held.is_drift).count(), usize::from(expected == "held"), "{name}");
    }
}

/// Namespaces and CRDs are deleted after their contents, whatever wave they are in.
#[test]
fn namespaces_and_definitions_go_last() {
    let mut world = World::new()
        .gone(in_wave("Namespace", "other", 9))
        .gone(in_wave("CustomResourceDefinition", "tills.shop.example.com", 3))
        .gone(in_wave("ConfigMap", "a", 0));
    world.flags.prune_protected = true;
    assert_eq!(
        world.deletions(),
        [
            "Sync 9 prune ConfigMap shop/a",
            "Sync 10 prune apiextensions.k8s.io/CustomResourceDefinition tills.shop.example.com",
            "Sync 10 prune Namespace other",
        ]
    );
}

/// Somebody wrote that it asks first: then nothing at all goes before somebody has answered.
#[test]
fn what_asks_first_refuses_the_whole_deletion_until_it_is_approved() {
    let asks = ours("ConfigMap", "asks", json!({"argocd.argoproj.io/sync-options": "Delete=confirm"}));
    let mut world = World::new().gone(asks).gone(ours("ConfigMap", "a", json!({})));
    let key = |name: &str| Key {
        group: String::new(),
        kind: "ConfigMap".to_owned(),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
    };
    assert_eq!(world.deleted(&DELETING), Err(PlanRefused::Unconfirmed(vec![key("asks")])));
    world.flags.approve = true;
    assert_eq!(world.deletions().len(), 2);
}

/// Operators copy labels to their children, people to anything: none of it is deleted, none of it keeps the rest.
#[test]
fn what_is_not_provably_ours_is_left_alone() {
    let mut owned = ours("ConfigMap", "owned", json!({}));
    owned["metadata"]["ownerReferences"] = json!([{"kind": "Till", "name": "a", "uid": "1"}]);
    let mut copied = ours("ConfigMap", "copied", json!({}));
    copied["metadata"]["managedFields"] = json!([]);
    for orphan in [false, true] {
        let world = World::new().gone(owned.clone()).gone(copied.clone());
        let plan = world.deleted(&Deleting { orphan, ..DELETING }).unwrap();
        assert_eq!((plan.steps.len(), plan.held.len()), (0, 2));
        assert!(plan.held.iter().all(|held| !held.is_drift), "{:?}", plan.held);
    }
}

/// `--orphan`: the objects stay, without a hook, whatever they say of themselves, and are free for the next owner.
#[test]
fn orphans_are_released_and_nothing_is_deleted() {
    let asks = ours("ConfigMap", "asks", json!({"argocd.argoproj.io/sync-options": "Delete=confirm"}));
    let world =
        World::new().gone(asks).gone(ours("PersistentVolumeClaim", "data", json!({}))).new_in_git(hook("PreDelete"));
    let plan = world.deleted(&Deleting { orphan: true, ..DELETING }).unwrap();
    let lines: Vec<String> = plan.steps.iter().map(step_line).collect();
    assert_eq!(lines, ["Sync 0 release ConfigMap shop/asks", "Sync 0 release PersistentVolumeClaim shop/data"]);
    assert!(plan.held.is_empty());
}

#[test]
fn a_hook_that_a_sync_left_behind_goes_too() {
    let left = hook("PreSync");
    let mut elses = hook("PostSync");
    elses["metadata"]["managedFields"] = json!([{"manager": "kubectl", "operation": "Apply", "fieldsV1": {}}]);
    elses["metadata"]["uid"] = "2".into();
    let world = World::new().in_git(left.clone(), Some(live(&left))).in_git(hook("PostSync"), Some(elses));
    assert_eq!(world.deletions(), ["Sync 0 prune batch/Job shop/presync"]);
}

/// A `PostDelete` hook of the name of somebody's object would delete it before it is made: the deletion is refused, and nothing
/// is deleted at all.
#[test]
fn a_hook_of_a_deletion_whose_name_is_taken_refuses_it() {
    let mut elses = live(&hook("PostDelete"));
    elses["metadata"]["managedFields"] = json!([{"manager": "kubectl-create", "operation": "Update", "fieldsV1": {}}]);
    let world = World::new().gone(ours("ConfigMap", "a", json!({}))).in_git(hook("PostDelete"), Some(elses));
    let refused = world.deleted(&DELETING).unwrap_err();
    assert!(matches!(&refused, PlanRefused::TakenNames(names) if names.len() == 1), "{refused}");
    let orphan = Deleting { orphan: true, ..DELETING };
    assert_eq!(world.deleted(&orphan).unwrap().steps.len(), 1, "no hook runs then");
}

/// A chart has its claim as a hook, so that Helm does not delete it: nor does a deletion, unless that is said.
#[test]
fn a_hook_whose_data_would_be_lost_is_held() {
    let claim = ours("PersistentVolumeClaim", "data", json!({"helm.sh/hook": "pre-install"}));
    let mut world = World::new().in_git(claim.clone(), Some(claim));
    let plan = world.deleted(&DELETING).unwrap();
    assert_eq!((plan.steps.len(), plan.held.len()), (0, 1));
    assert!(plan.held[0].is_drift && plan.held[0].why.contains("--prune-protected"), "{:?}", plan.held);
    world.flags.prune_protected = true;
    assert_eq!(world.deletions(), ["Sync 0 prune PersistentVolumeClaim shop/data"]);
}

#[test]
fn the_propagation_is_that_of_the_flag_before_that_of_the_options() {
    let world = World::new().options("PrunePropagationPolicy=background").gone(ours("ConfigMap", "a", json!({})));
    for (given, expected) in [(None, Propagation::Background), (Some(Propagation::Orphan), Propagation::Orphan)] {
        let plan = world.deleted(&Deleting { propagation: given, ..DELETING }).unwrap();
        assert_eq!(plan.steps[0].action, Action::Prune { propagation: expected });
    }
}
