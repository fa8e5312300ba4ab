//! What holds for every plan, whatever is in the metadata.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::object::Key;
use crate::object::annotations::{HOOK, SYNC_OPTIONS, SYNC_WAVE};

const KINDS: [&str; 6] = [
    "ConfigMap",
    "Namespace",
    "apps/v1 Deployment",
    "batch/v1 Job",
    "shop.example.com/v1 Widget",
    "PersistentVolumeClaim",
];

/// A live object with whatever metadata: labels and managers that are nearly ours, owners, options, nonsense.
fn any_live() -> impl Strategy<Value = Value> {
    let labels = select(vec![json!(ID), json!("applyset-theirs-v1"), json!(""), Value::Null, json!(7), json!([ID])]);
    let manager = select(vec!["trueup", "kubectl", "trueup2", ""]);
    let subresource = select(vec![json!(""), json!("status"), Value::Null]);
    let label = select(vec!["f:applyset.kubernetes.io/part-of", "f:app", "applyset.kubernetes.io/part-of"]);
    let place = select(vec!["f:labels", "f:annotations"]);
    let entry = (manager, subresource, label, place).prop_map(|(manager, subresource, label, place)| {
        json!({"manager": manager, "operation": "Apply", "subresource": subresource,
               "fieldsV1": {"f:metadata": {place: {label: {}}}}})
    });
    let entries = proptest::collection::vec(entry, 0..4).prop_map(Value::from);
    let entries = prop_oneof![entries, Just(json!("nonsense")), Just(json!([7, {"manager": "trueup"}]))];
    let owners = select(vec![Value::Null, json!([]), json!([{"uid": "1"}]), json!({"uid": "1"}), json!("x")]);
    let options = select(vec!["", "Prune=true", "Prune=false", "PruneLast=true", "Prune=confirm"]);
    (select(KINDS.to_vec()), 0..6_u8, labels, entries, owners, options, -3..4_i64).prop_map(
        |(kind, name, label, entries, owners, options, wave)| {
            let mut live = annotated(target(kind, &format!("n{name}")), SYNC_OPTIONS, options);
            live = annotated(live, SYNC_WAVE, &wave.to_string());
            live["metadata"]["labels"][APPLYSET_PART_OF] = label;
            live["metadata"]["managedFields"] = entries;
            live["metadata"]["ownerReferences"] = owners;
            live
        },
    )
}

/// A target of whatever wave, a hook or not; live as git has it, or not there.
fn any_target() -> impl Strategy<Value = (Value, bool)> {
    let hook = select(vec!["", "PreSync", "PreSync,PostSync", "Sync,SyncFail", "Skip", "Nonsense"]);
    (select(KINDS.to_vec()), 0..40_u8, hook, -3..4_i64, any::<bool>()).prop_map(|(kind, name, hook, wave, is_live)| {
        let mut value = annotated(target(kind, &format!("t{name}")), SYNC_WAVE, &wave.to_string());
        if !hook.is_empty() {
            value = annotated(value, HOOK, hook);
        }
        (value, is_live)
    })
}

pub(super) fn any_world() -> impl Strategy<Value = World> {
    let targets = proptest::collection::vec(any_target(), 1..12);
    let gone = proptest::collection::vec(any_live(), 0..12);
    (targets, gone, any::<[bool; 5]>()).prop_map(|(targets, gone, [approve, protected, last, all, adopt])| {
        let mut world = World::new().options(if last { "PruneLast=true" } else { "" });
        world.flags =
            Flags { approve, prune_protected: protected, apply_all: all, adopt, allow_empty: true, ..world.flags };
        let once: BTreeMap<Key, (Value, bool)> =
            targets.into_iter().map(|(target, is_live)| (object(target.clone()).key(), (target, is_live))).collect();
        for (target, is_live) in once.into_values() {
            let live = is_live.then(|| live(&target));
            world = world.in_git(target, live);
        }
        gone.into_iter().fold(world, World::gone)
    })
}

/// The rule, written a second time and from the outside: the text of KEP-3659 and nothing of the planner.
fn is_provably_ours(live: &Value) -> bool {
    let metadata = &live["metadata"];
    let holds_label = |entry: &Value| {
        entry["manager"] == "trueup"
            && (entry["subresource"].is_null() || entry["subresource"] == "")
            && entry["fieldsV1"]["f:metadata"]["f:labels"]["f:applyset.kubernetes.io/part-of"].is_object()
    };
    let entries = metadata["managedFields"].as_array();
    metadata["labels"][APPLYSET_PART_OF] == ID
        && entries.is_some_and(|entries| entries.iter().any(holds_label))
        && (metadata["ownerReferences"].is_null() || metadata["ownerReferences"] == json!([]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Nothing is deleted that is not provably ours, for any metadata, and nothing that git has.
    #[test]
    fn no_plan_prunes_what_is_not_ours(world in any_world()) {
        let plan = world.plan().unwrap();
        for step in plan.steps.iter().filter(|step| step.is_prune()) {
            let key = step.object.key();
            let lives: Vec<Value> =
                world.surplus.iter().map(|gone| gone.live.to_value()).filter(|live| object(live.clone()).key() == key).collect();
            prop_assert!(lives.iter().any(is_provably_ours), "{key}");
            prop_assert!(!world.wanted.iter().any(|wanted| wanted.target.key() == key), "{key}");
        }
    }

    /// Nothing is forgotten and nothing done twice: each target is a step, is held, or has nothing to be done.
    #[test]
    fn every_object_appears_once(world in any_world()) {
        let plan = world.plan().unwrap();
        let mut seen = BTreeSet::new();
        for step in &plan.steps {
            prop_assert!(seen.insert((step.object.key(), step.hook.map(|_| step.phase))), "{:?} twice", step.object);
        }
        for held in &plan.held {
            prop_assert!(seen.insert((held.object.key(), None)), "{:?} twice", held.object);
        }
        for wanted in &world.wanted {
            let key = wanted.target.key();
            let count = seen.iter().filter(|(other, _)| *other == key).count();
            let expected = match wanted.target.annotation(HOOK) {
                Some("Skip" | "Nonsense") => 0,
                Some(types) => types.split(',').count(),
                None => 1,
            };
            prop_assert_eq!(count, expected, "{}", key);
        }
        for gone in &world.surplus {
            prop_assert!(seen.iter().any(|(key, _)| *key == gone.live.key()));
        }
    }

    /// The same input in another order makes the same plan, and phases and waves only ever go on.
    #[test]
    fn the_order_is_total_and_stable(world in any_world(), turn in 0..12_usize) {
        let plan = world.plan().unwrap();
        let mut turned = world;
        if !turned.wanted.is_empty() {
            let turn = turn % turned.wanted.len();
            turned.wanted.rotate_left(turn);
        }
        let again = turned.plan().unwrap();
        prop_assert_eq!(&plan.steps, &again.steps);
        let places: Vec<(Phase, i64)> = plan.steps.iter().map(|step| (step.phase, step.wave)).collect();
        prop_assert!(places.is_sorted());
    }

    /// A second sync has nothing to do.
    #[test]
    fn a_synced_application_is_an_empty_plan(targets in proptest::collection::vec(any_target(), 0..12)) {
        let mut world = World::new();
        for (target, _) in targets {
            if !crate::object::annotations::is_hook(&object(target.clone())) {
                world = world.synced(&target);
            }
        }
        let plan = world.plan().unwrap();
        prop_assert!(plan.is_empty() && plan.held.is_empty() && plan.warnings.is_empty(), "{:?}", plan);
    }

    /// Turning waves round twice is nothing, and the first becomes the last.
    #[test]
    fn waves_are_turned_round(waves in proptest::collection::vec(-9..9_i64, 1..9)) {
        let mut world = World::new().new_in_git(target("ConfigMap", "new"));
        for (number, wave) in waves.iter().enumerate() {
            let gone = annotated(target("ConfigMap", &format!("n{number}")), SYNC_WAVE, &wave.to_string());
            world = world.gone(live(&gone));
        }
        let plan = world.plan().unwrap();
        let wave_of = |step: &Step| waves[step.object.name[1..].parse::<usize>().unwrap()];
        let mut pruned: Vec<&Step> = plan.steps.iter().filter(|step| step.is_prune()).collect();
        prop_assert_eq!(pruned.len(), waves.len());
        prop_assert!(pruned.windows(2).all(|pair| wave_of(pair[0]) >= wave_of(pair[1])));
        let own: BTreeSet<i64> = waves.iter().copied().collect();
        prop_assert_eq!(pruned.drain(..).map(|step| step.wave).collect::<BTreeSet<_>>(), own);
    }
}
