//! What is deleted, what stays, and what refuses the whole plan.

use super::*;
use crate::cluster::Propagation;
use crate::object::annotations::{HOOK, SYNC_OPTIONS};
use crate::object::{Gap, GapReason};

/// A live object of ours that git dropped.
fn dropped(kind: &str, name: &str) -> Value {
    live(&target(kind, name))
}

/// Something of git's beside what goes, so that not all goes.
fn world() -> World {
    World::new().synced(&target("ConfigMap", "stays"))
}

/// An entry of `managedFields` that holds the part-of label.
fn holds_label(manager: &str, operation: &str, subresource: &str) -> Value {
    let fields = json!({"f:metadata": {"f:labels": {format!("f:{APPLYSET_PART_OF}"): {}}}});
    json!([{"manager": manager, "operation": operation, "subresource": subresource, "fieldsV1": fields}])
}

/// Operators copy labels to their children, controllers copy them elsewhere, people copy whole manifests.
#[test]
fn what_git_dropped_goes_only_when_it_is_provably_ours() {
    const NEVER: &str = "trueup never applied it";
    const COPIED: &str = "its part-of label was not set by trueup";
    const OWNED: &str = "another object owns it";
    for (name, field, value, why) in [
        ("ours", "uid", json!("1"), None),
        ("ours, by an update", "managedFields", holds_label("trueup", "Update", ""), None),
        ("no label", "labels", json!({}), Some(NEVER)),
        ("another ApplySet's", "labels", json!({APPLYSET_PART_OF: "applyset-x-v1"}), Some(NEVER)),
        ("a controller's label", "managedFields", holds_label("operator", "Apply", ""), Some(COPIED)),
        ("a subresource's", "managedFields", holds_label("trueup", "Update", "status"), Some(COPIED)),
        ("nobody's", "managedFields", Value::Null, Some(COPIED)),
        ("nonsense", "managedFields", json!({"manager": "trueup"}), Some(COPIED)),
        ("owned", "ownerReferences", json!([{"uid": "1"}]), Some(OWNED)),
        ("owned, in a strange form", "ownerReferences", json!({"uid": "1"}), Some(OWNED)),
        ("owned by nobody", "ownerReferences", json!([]), None),
    ] {
        let mut live = dropped("ConfigMap", "a");
        live["metadata"][field] = value;
        let world = world().gone(live);
        assert_eq!(world.steps().len(), usize::from(why.is_none()), "{name}");
        let held =
            why.map(|why| format!("ConfigMap shop/a: {why}: trueup does not delete what is not provably its own"));
        assert_eq!(world.held(), held.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn hooks_and_what_goes_already_are_held() {
    let hook = annotated(dropped("ConfigMap", "a"), HOOK, "PreSync");
    assert_eq!(world().gone(hook).held(), ["ConfigMap shop/a: it is a hook, which is never pruned"]);
    let mut going = dropped("ConfigMap", "a");
    going["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(world().gone(going).held(), ["ConfigMap shop/a: it is being deleted since 2026-01-01T00:00:00Z"]);
}

/// A typo in `d.yaml`, on the second line.
fn typo() -> Gap {
    let reason = GapReason::Misspelt { found: "knd".to_owned(), meant: "kind" };
    Gap { source: 0, file: Some("shop/d.yaml".into()), line: 2, reason, names: vec!["d".to_owned()] }
}

/// A file that could not be read may have what is not rendered any more; that is drift, and no proof that git dropped it.
#[test]
fn what_git_may_still_have_is_held() {
    let mut world = world().gone(dropped("ConfigMap", "d"));
    world.gaps = vec![typo()];
    let why = "ConfigMap shop/d: git may still have it: `shop/d.yaml:2` has `knd` instead of `kind`";
    assert_eq!(world.held(), [why]);
    assert_eq!(world.steps(), [""; 0]);
    assert!(world.plan().unwrap().held[0].is_drift);
    world.flags.prune_protected = true;
    world.flags.approve = true;
    assert_eq!(world.held(), [why], "no flag lets it go");

    let mut strangers = dropped("ConfigMap", "d");
    strangers["metadata"]["labels"] = json!({});
    world.surplus = vec![surplus(strangers)];
    assert!(world.held()[0].contains("trueup never applied it"), "{:?}", world.held());
}

/// `Confgmap`, with `SkipDryRunOnMissingResource`: no dry run finds the typo, and nothing of its name is deleted for it.
#[test]
fn an_object_of_a_misspelt_kind_deletes_none_of_its_name() {
    let mut confgmap = target("Confgmap", "d");
    let world = |typo: &Value| world().new_in_git(typo.clone()).gone(dropped("ConfigMap", "d"));
    let why = "ConfigMap shop/d: git has `Confgmap shop/d`, whose kind the cluster does not serve";
    assert_eq!(world(&confgmap).held(), [why]);
    confgmap["metadata"]["name"] = json!("e");
    assert_eq!(world(&confgmap).held(), [""; 0]);
    let renamed = target("Secret", "d");
    assert_eq!(world(&renamed).held(), [""; 0], "another kind of the same name is another object");
}

/// Applications of one run: the one that has an object keeps it, and may take it where the other one gives it up.
#[test]
fn what_moves_between_applications_is_left_by_one_and_taken_by_the_other() {
    const OTHER: &str = "applyset-other-v1";
    let key = |name: &str| object(target("ConfigMap", name)).key();
    let other = |keys: &[&str], gaps: Vec<Gap>| {
        let mut neighbours = Neighbours::default();
        let keys = keys.iter().map(|name| key(name)).collect();
        neighbours.add(OTHER, Neighbour { name: "web".to_owned(), keys, gaps });
        neighbours
    };
    let mut leaves = world().gone(dropped("ConfigMap", "d"));
    for (case, neighbours, held) in [
        ("the other one has it", other(&["d"], vec![]), Some("ConfigMap shop/d: application `web` has it in git")),
        (
            "the other one may have it",
            other(&[], vec![typo()]),
            Some("ConfigMap shop/d: application `web` has it in git"),
        ),
        ("nobody has it", other(&["e"], vec![]), None),
    ] {
        leaves.neighbours = neighbours;
        assert_eq!(leaves.held(), held.into_iter().collect::<Vec<_>>(), "{case}");
        assert_eq!(leaves.steps().len(), usize::from(held.is_none()), "{case}");
    }

    let mut theirs = live(&target("ConfigMap", "d"));
    theirs["metadata"]["labels"][APPLYSET_PART_OF] = json!(OTHER);
    let mut takes = World::new().in_git(target("ConfigMap", "d"), Some(theirs));
    for (case, neighbours, is_taken) in [
        ("the other one gives it up", other(&["e"], vec![]), true),
        ("the other one has it, too", other(&["d"], vec![]), false),
        ("the other one may have it", other(&[], vec![typo()]), false),
        ("the other one is not in this run", Neighbours::default(), false),
    ] {
        takes.neighbours = neighbours;
        let steps = takes.plan().map(|plan| plan.steps.iter().map(step_line).collect::<Vec<_>>());
        match steps {
            Ok(steps) => assert!(is_taken && steps == ["Sync 0 apply ConfigMap shop/d"], "{case}: {steps:?}"),
            Err(refused) => assert!(!is_taken && matches!(refused, PlanRefused::Shared(_)), "{case}: {refused}"),
        }
    }
}

/// The namespace was a manifest of git, and is now made by an option of the Application.
#[test]
fn the_namespace_that_an_option_asks_for_is_never_pruned() {
    let namespace = dropped("Namespace", "shop");
    for (policy, goes) in [
        ("", true),
        ("syncOptions: [CreateNamespace=true]", false),
        ("syncOptions: [CreateNamespace=true], managedNamespaceMetadata: {labels: {team: blue}}", false),
    ] {
        let mut world = world().policy(policy).gone(namespace.clone());
        world.namespace = Some(object(namespace.clone()));
        world.flags.prune_protected = true;
        let steps = world.steps();
        assert_eq!(steps.iter().any(|step| step.contains("prune")), goes, "{policy}: {steps:?}");
        let applied = "PreSync 0 apply Namespace shop".to_owned();
        assert_eq!(steps.contains(&applied), !goes, "its label is taken off: {steps:?}");
    }
}

#[test]
fn options_and_flags_say_what_may_go() {
    let no_prune = |mut world: World| {
        world.scope.prune = false;
        world
    };
    let approved = |mut world: World| {
        world.flags.approve = true;
        world
    };
    let unprotected = |mut world: World| {
        world.flags.prune_protected = true;
        world
    };
    let a = || dropped("ConfigMap", "a");
    let of_live = |option: &str| world().gone(annotated(a(), SYNC_OPTIONS, option));
    let of_app = |option: &str| world().options(option).gone(a());
    let claim = || world().gone(dropped("PersistentVolumeClaim", "a"));
    let definition = || world().gone(dropped("apiextensions.k8s.io/v1 CustomResourceDefinition", "a"));
    let cases = vec![
        ("no `--prune`", no_prune(world().gone(a())), Some("removed from git; needs `--prune`")),
        ("Prune=false", of_live("Prune=false"), Some("`Prune=false` keeps it")),
        ("Prune=false of the Application", of_app("Prune=false"), Some("`Prune=false` keeps it")),
        ("Prune=confirm", of_live("Prune=confirm"), Some("`Prune=confirm` asks for confirmation; needs `--approve`")),
        (
            "Prune=confirm of the Application",
            of_app("Prune=confirm"),
            Some("`Prune=confirm` asks for confirmation; needs `--approve`"),
        ),
        ("approved", approved(of_live("Prune=confirm")), None),
        ("Prune=false is no question", approved(of_live("Prune=false")), Some("`Prune=false` keeps it")),
        ("a claim", claim(), Some("its data would be lost with it; needs `--prune-protected`")),
        ("a claim, allowed", unprotected(claim()), None),
        (
            "a namespace",
            world().gone(dropped("Namespace", "a")),
            Some("everything in it would be lost with it; needs `--prune-protected`"),
        ),
        (
            "a definition",
            definition(),
            Some("every object of its kind would be lost with it; needs `--prune-protected`"),
        ),
        ("a definition, allowed", unprotected(definition()), None),
    ];
    for (name, world, held) in cases {
        let plan = world.plan().unwrap();
        assert_eq!(plan.held.first().map(|held| held.why.as_str()), held, "{name}");
        assert_eq!(plan.steps.len(), usize::from(held.is_none()), "{name}");
        assert!(plan.held.iter().all(|held| held.is_drift), "{name}: it is not as git says");
    }
}

#[test]
fn an_extra_that_does_not_count_is_held_without_drift() {
    let tolerated = annotated(dropped("ConfigMap", "a"), "argocd.argoproj.io/compare-options", "IgnoreExtraneous");
    let mut world = world().gone(annotated(tolerated, SYNC_OPTIONS, "Prune=false"));
    assert!(!world.plan().unwrap().held[0].is_drift);
    world.scope.prune = false;
    assert!(!world.plan().unwrap().held[0].is_drift);
}

#[test]
fn what_a_deletion_does_to_what_an_object_owns_is_the_applications_word() {
    for (option, expected) in [
        ("", Propagation::Foreground),
        ("PrunePropagationPolicy=foreground", Propagation::Foreground),
        ("PrunePropagationPolicy=background", Propagation::Background),
        ("PrunePropagationPolicy=orphan", Propagation::Orphan),
    ] {
        let plan = world().options(option).gone(dropped("ConfigMap", "a")).plan().unwrap();
        assert_eq!(plan.steps[0].action, Action::Prune { propagation: expected }, "{option}");
    }
}

/// A broken kustomization that renders nothing must not empty the namespace.
#[test]
fn a_render_of_nothing_deletes_nothing() {
    let gone = || World::new().gone(dropped("ConfigMap", "a")).gone(dropped("ConfigMap", "b"));
    assert_eq!(gone().plan(), Err(PlanRefused::Empty(2)));
    let hook = annotated(target("ConfigMap", "hook"), HOOK, "PreSync");
    assert_eq!(gone().new_in_git(hook).plan(), Err(PlanRefused::Empty(2)), "hooks are no resources");
    let skipped = annotated(target("ConfigMap", "skipped"), HOOK, "Skip");
    assert_eq!(gone().new_in_git(skipped).plan(), Err(PlanRefused::Empty(2)), "nor is what is never applied");
    let mut allowed = gone();
    allowed.flags.allow_empty = true;
    assert_eq!(allowed.plan().unwrap().steps.len(), 2);
    let mut harmless = gone();
    harmless.scope.prune = false;
    assert_eq!(harmless.plan().unwrap().held.len(), 2);
}

#[test]
fn a_suspicious_mass_deletion_refuses_the_plan() {
    let world = |prunes: usize, stay: usize, max_prune: &str| {
        let mut world = World::new();
        for number in 0..stay {
            world = world.synced(&target("ConfigMap", &format!("stays-{number}")));
        }
        for number in 0..prunes {
            world = world.gone(dropped("ConfigMap", &format!("goes-{number}")));
        }
        world.flags.max_prune = max_prune.parse().unwrap();
        world.new_in_git(target("ConfigMap", "comes")).plan()
    };
    for (prunes, stay, limit, refused) in [
        (41, 11, "50%", true),
        (26, 26, "50%", false),
        (27, 26, "50%", true),
        (1, 2, "50%", false),
        (2, 1, "50%", true),
        (1, 200, "1%", false),
        (3, 200, "1%", true),
        (28, 25, "50%", true),
        // A Job that carries its version in its name, alone in its application.
        (1, 0, "50%", false),
        (1, 5, "0%", true),
        (1, 5, "0", true),
        (2, 5, "2", false),
        (3, 5, "2", true),
        (3, 0, "100%", false),
    ] {
        assert_eq!(world(prunes, stay, limit).is_err(), refused, "{prunes} of {}, {limit}", prunes + stay);
    }
    let refused = world(41, 11, "50%").unwrap_err();
    let expected = "the plan deletes 41 of 52 objects, more than `--max-prune 50%`; nothing was written";
    assert_eq!(refused.to_string(), expected);
    let help = miette::Diagnostic::help(&refused).unwrap().to_string();
    assert_eq!(help, "if that is meant, run again with `--max-prune 79%`");
}

#[test]
fn a_limit_is_a_number_or_a_percentage() {
    for (text, limit) in
        [("20", Some(MaxPrune::Count(20))), ("50%", Some(MaxPrune::Percent(50))), ("0", Some(MaxPrune::Count(0)))]
    {
        assert_eq!(text.parse().ok(), limit);
        assert_eq!(limit.unwrap().to_string(), text);
    }
    for wrong in ["", "%", "101%", "-1", "half", "50 %", "1.5"] {
        assert!(wrong.parse::<MaxPrune>().unwrap_err().to_string().starts_with(&format!("`{wrong}` is neither")));
    }
}

/// An old kind that is served by two groups is one object: what git has under the one name is not gone under the other.
#[test]
fn an_object_that_git_has_under_another_group_stays() {
    let mut ingress = target("networking.k8s.io/v1 Ingress", "web");
    ingress["spec"] = json!({});
    let mut old = live(&ingress);
    old["apiVersion"] = json!("extensions/v1beta1");
    let world = World::new().synced(&ingress).gone(old);
    assert_eq!(world.steps(), Vec::<String>::new());
    assert_eq!(world.held(), ["extensions/Ingress shop/web: git has it under another name of its kind"]);
}
