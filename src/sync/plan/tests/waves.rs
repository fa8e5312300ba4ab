//! Waves: how they are read, and how prunes turn them round.

use super::*;
use crate::object::annotations::{HELM_HOOK_WEIGHT, SYNC_OPTIONS, SYNC_WAVE};

#[test]
fn a_wave_is_the_annotation_else_helms_weight_else_nothing() {
    for (wave, weight, expected) in [
        (None, None, 0),
        (Some("3"), None, 3),
        (Some("-2"), Some("7"), -2),
        (Some("+4"), None, 4),
        (None, Some("-5"), -5),
        (Some("first"), Some("7"), 7),
        (Some(" 1"), None, 0),
        (Some("1.5"), Some("x"), 0),
        (Some("99999999999999999999"), None, 0),
    ] {
        let mut value = target("ConfigMap", "a");
        for (name, text) in [(SYNC_WAVE, wave), (HELM_HOOK_WEIGHT, weight)] {
            if let Some(text) = text {
                value = annotated(value, name, text);
            }
        }
        assert_eq!(crate::sync::plan::order::wave_of(&object(value)).0, expected, "{wave:?} {weight:?}");
    }
}

fn dropped(name: &str, wave: i64) -> Value {
    live(&annotated(target("ConfigMap", name), SYNC_WAVE, &wave.to_string()))
}

/// What was made first is needed by what came later: it goes last.
#[test]
fn prunes_go_in_the_reverse_order_of_waves() {
    let world = World::new()
        .new_in_git(annotated(target("ConfigMap", "new"), SYNC_WAVE, "1"))
        .gone(dropped("base", -4))
        .gone(dropped("middle", 1))
        .gone(dropped("upper", 2))
        .gone(dropped("top", 9));
    assert_eq!(
        world.steps(),
        [
            "Sync -4 prune ConfigMap shop/top",
            "Sync 1 prune ConfigMap shop/upper",
            "Sync 1 apply ConfigMap shop/new",
            "Sync 2 prune ConfigMap shop/middle",
            "Sync 9 prune ConfigMap shop/base",
        ]
    );
}

#[test]
fn kinds_go_in_the_reverse_order_within_a_wave() {
    let world = World::new()
        .new_in_git(target("ConfigMap", "new"))
        .gone(live(&target("ServiceAccount", "web")))
        .gone(live(&target("apps/v1 Deployment", "web")))
        .gone(live(&target("shop.example.com/v1 Widget", "web")));
    assert_eq!(
        world.steps(),
        [
            "Sync 0 prune shop.example.com/Widget shop/web",
            "Sync 0 prune apps/Deployment shop/web",
            "Sync 0 prune ServiceAccount shop/web",
            "Sync 0 apply ConfigMap shop/new",
        ]
    );
}

/// Whoever replaces a thing by another one: the old one goes when the new one works.
#[test]
fn prune_last_comes_after_everything_that_is_applied() {
    let new = || annotated(target("ConfigMap", "new"), SYNC_WAVE, "3");
    let all = World::new().options("PruneLast=true").new_in_git(new()).gone(dropped("a", -4)).gone(dropped("b", 2));
    let expected =
        ["Sync 3 apply ConfigMap shop/new", "Sync 4 prune ConfigMap shop/b", "Sync 4 prune ConfigMap shop/a"];
    assert_eq!(all.steps(), expected);
    let one = annotated(dropped("last", 0), SYNC_OPTIONS, "PruneLast=true");
    let one = World::new().new_in_git(new()).gone(one).gone(dropped("soon", 0));
    let expected =
        ["Sync 0 prune ConfigMap shop/soon", "Sync 3 apply ConfigMap shop/new", "Sync 4 prune ConfigMap shop/last"];
    assert_eq!(one.steps(), expected);
}
