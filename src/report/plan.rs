//! What a sync would do: a line a step, by phase and wave; what is held back, with what would let it.
//!
//! In: [`Plan`]s. Out: text for a person who is asked whether to go on, or lines of a report. For scripts a plan is what a
//! saved one is: [`SavedPlans`](crate::sync::plan::SavedPlans).
//!
//! Rule: docs/design.md, "The JSON contract".

use std::collections::BTreeMap;

use super::View;
use crate::report::style::page::Page;
use crate::report::style::theme::Role;
use crate::report::style::words::{short_revision, sign};
use crate::sync::ownership::Owner;
use crate::sync::plan::{Action, Held, Method, Phase, Plan, Step};

/// The plans as text, with a final line break.
pub fn text<'p>(plans: impl IntoIterator<Item = &'p Plan>, view: &View) -> String {
    let plans: Vec<&Plan> = plans.into_iter().collect();
    let mut page = Page::new(view.color);
    for plan in plans.iter().filter(|plan| !(plan.is_empty() && plan.held.is_empty() && plan.warnings.is_empty())) {
        page.gap();
        page.write(Role::Name, &plan.application).write(Role::Plain, "  ");
        let steps: Vec<&Step> = plan.steps.iter().collect();
        page.list(&counts(&steps, plan.held.len()), ", ");
        page.write(Role::Hint, "  ").write(Role::Hint, &plan.cluster);
        for revision in &plan.revisions {
            page.write(Role::Hint, "  ").write(Role::Hint, short_revision(revision));
        }
        page.end();
        lines(&mut page, plan);
        held_lines(&mut page, plan, |one| one.object.key().to_string());
        for warning in &plan.warnings {
            page.write(Role::Warning, "  ⚠ ").write(Role::Plain, warning).end();
        }
    }
    page.finish()
}

/// How many steps do what; of what is none nothing is said.
pub(super) fn counts(steps: &[&Step], held: usize) -> Vec<(Role, String)> {
    let count = |does: fn(&Step) -> bool| steps.iter().filter(|step| does(step)).count();
    let is_there = |step: &Step| step.seen.is_some();
    let hooks = count(|step| step.hook.is_some());
    let counts = [
        (Role::Git, count(|step| step.hook.is_none() && !step.is_prune() && step.seen.is_none()), "to create"),
        (Role::Drift, steps.iter().filter(|step| is_change(step) && is_there(step)).count(), "to change"),
        (Role::Warning, count(is_recreated), "to recreate"),
        (Role::Cluster, count(Step::is_prune), "to delete"),
        (Role::Plain, count(is_release), "to release"),
        (Role::Plain, hooks, if hooks == 1 { "hook" } else { "hooks" }),
        (Role::Warning, held, "held"),
    ];
    let counted: Vec<(Role, String)> = counts
        .into_iter()
        .filter(|(_, count, _)| *count > 0)
        .map(|(role, count, words)| (role, format!("{count} {words}")))
        .collect();
    if counted.is_empty() { vec![(Role::Good, "nothing to do".to_owned())] } else { counted }
}

fn is_recreated(step: &Step) -> bool {
    step.hook.is_none() && matches!(step.action, Action::Apply { method: Method::Recreate, .. })
}

fn is_change(step: &Step) -> bool {
    step.hook.is_none() && !step.is_prune() && !is_recreated(step) && !is_release(step)
}

fn is_release(step: &Step) -> bool {
    step.action == Action::Release
}

/// The steps of one plan, under a title for each phase and wave.
pub(super) fn lines(page: &mut Page, plan: &Plan) {
    let mut before = None;
    for step in &plan.steps {
        let place = (step.phase, step.wave);
        if before.replace(place) != Some(place) {
            page.write(Role::Hint, format!("  {}, wave {}", step.phase, step.wave));
            if step.phase == Phase::SyncFail {
                page.write(Role::Hint, ", only if something fails");
            }
            page.end();
        }
        line(page, step);
    }
}

fn line(page: &mut Page, step: &Step) {
    let (sign, role) = sign(&step.action, step.seen.is_some());
    page.write(role, format!("    {sign} ")).write(Role::Name, step.object.key().to_string());
    page.write(Role::Plain, "  ").write(Role::Plain, &step.why);
    if let Action::Apply { adopt, .. } = &step.action
        && !adopt.is_empty()
    {
        page.write(Role::Hint, "  takes over from ").write(Role::Manager, adopt.join(", "));
    }
    if step.unasked {
        page.write(Role::Hint, "  no dry run: its Namespace or CRD has to be created first");
    }
    page.end();
}

/// The held objects, one per line; what belongs to somebody else stands under its owner, who is named once.
pub(super) fn held_lines(page: &mut Page, plan: &Plan, name: impl Fn(&Held) -> String) {
    let mut by_owner: BTreeMap<(&Owner, &str), Vec<&Held>> = BTreeMap::new();
    for held in &plan.held {
        if let Some(owner) = &held.owner {
            by_owner.entry((owner, &held.why)).or_default().push(held);
        } else {
            held_line(page, &name(held), &held.why);
        }
    }
    for ((_, why), held) in by_owner {
        if let [one] = held[..] {
            held_line(page, &name(one), why);
            continue;
        }
        page.write(Role::Warning, format!("  ! {} held  ", held.len())).write(Role::Warning, why).end();
        for one in held {
            page.write(Role::Plain, "      ").write(Role::Name, name(one)).end();
        }
    }
}

fn held_line(page: &mut Page, name: &str, why: &str) {
    page.write(Role::Warning, "  ! ").write(Role::Name, name);
    page.write(Role::Plain, "  ").write(Role::Warning, why).end();
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::cluster::{ObjectName, Propagation, Validation};
    use crate::object::{Gvk, Object};
    use crate::report::drift::fixture::{HOSTILE, view};
    use crate::report::style::escape::is_hidden;
    use crate::sync::plan::{Flags, HookDeletion, Making, MaxPrune, SavedPlans, Seen};

    fn name(api_version: &str, kind: &str, name: &str) -> ObjectName {
        let gvk = Gvk::from_api_version(api_version, kind);
        ObjectName { gvk, namespace: Some("shop".to_owned()), name: name.to_owned() }
    }

    fn step(phase: Phase, object: ObjectName, method: Method, why: &str) -> Step {
        let metadata = json!({"name": object.name, "namespace": "shop"});
        let target = json!({"apiVersion": object.gvk.api_version(), "kind": object.gvk.kind, "metadata": metadata});
        Step {
            phase,
            wave: 0,
            object,
            action: Action::Apply { method, validation: Validation::Strict, force: false, adopt: Vec::new() },
            why: why.to_owned(),
            hook: None,
            target: Some(Arc::new(Object::new(target).unwrap())),
            seen: None,
            unasked: false,
        }
    }

    fn there(step: Step) -> Step {
        Step {
            seen: Some(Seen { uid: "1".to_owned(), fingerprint: "x".to_owned(), sync_options: String::new() }),
            ..step
        }
    }

    fn hook(step: Step) -> Step {
        let deletion = HookDeletion { before_creation: true, succeeded: false, failed: false };
        Step { hook: Some(deletion), ..step }
    }

    fn plan() -> Plan {
        let mut adopting = there(step(
            Phase::Sync,
            name("v1", "ConfigMap", "settings"),
            Method::Apply,
            "changed: /data/a (changed in git)",
        ));
        adopting.action = Action::Apply {
            method: Method::Apply,
            validation: Validation::Strict,
            force: false,
            adopt: vec!["argocd-controller".to_owned()],
        };
        let mut gone = there(step(Phase::Sync, name("v1", "Secret", "old"), Method::Apply, "removed from git"));
        (gone.action, gone.target) = (Action::Prune { propagation: Propagation::Foreground }, None);
        let recreated = step(Phase::Sync, name("apps/v1", "Deployment", "web"), Method::Recreate, "must be recreated");
        let widget = step(Phase::Sync, name("shop.example.com/v1", "Widget", "a"), Method::Apply, "new in git");
        Plan {
            application: "argocd/shop".to_owned(),
            cluster: "https://kubernetes.default.svc".to_owned(),
            revisions: vec!["3f2a9c1d3f2a9c1d3f2a9c1d3f2a9c1d3f2a9c1d".to_owned()],
            whole: true,
            steps: vec![
                there(hook(step(Phase::PreSync, name("batch/v1", "Job", "migrate"), Method::Create, "hook PreSync"))),
                gone,
                adopting,
                there(recreated),
                Step { wave: 3, unasked: true, ..widget },
                hook(step(Phase::SyncFail, name("batch/v1", "Job", "page"), Method::Create, "hook SyncFail")),
            ],
            held: vec![Held {
                object: name("v1", "PersistentVolumeClaim", "data"),
                why: "its data would be lost with it; needs `--prune-protected`".to_owned(),
                is_drift: true,
                owner: None,
            }],
            warnings: vec![
                "`batch/Job shop/migrate`: `PreSynk` is not a hook type, so the hook never runs for it".to_owned(),
            ],
        }
    }

    #[test]
    fn a_plan_reads_in_the_order_that_it_is_done() {
        let nothing = Plan { application: "blog".to_owned(), steps: vec![], held: vec![], warnings: vec![], ..plan() };
        insta::assert_snapshot!(text([&plan(), &nothing], &view()), @r"
        argocd/shop  1 to create, 1 to change, 1 to recreate, 1 to delete, 2 hooks, 1 held  https://kubernetes.default.svc  3f2a9c1
          PreSync, wave 0
            ↻ batch/Job shop/migrate  hook PreSync
          Sync, wave 0
            - Secret shop/old  removed from git
            ~ ConfigMap shop/settings  changed: /data/a (changed in git)  takes over from argocd-controller
            ↻ apps/Deployment shop/web  must be recreated
          Sync, wave 3
            + shop.example.com/Widget shop/a  new in git  no dry run: its Namespace or CRD has to be created first
          SyncFail, wave 0, only if something fails
            + batch/Job shop/page  hook SyncFail
          ! PersistentVolumeClaim shop/data  its data would be lost with it; needs `--prune-protected`
          ⚠ `batch/Job shop/migrate`: `PreSynk` is not a hook type, so the hook never runs for it
        ");
        insta::assert_snapshot!(text([&nothing], &view()), @"");
    }

    /// A release of a hundred objects is named once, and how many are held stands in the first line.
    #[test]
    fn what_is_held_for_its_owner_is_listed_under_its_owner() {
        let held = |of: &str, owner: Owner| Held {
            object: name("v1", "ConfigMap", of),
            why: format!("{owner}; `--adopt` takes it over"),
            is_drift: true,
            owner: Some(owner),
        };
        let legacy = || Owner::HelmRelease { name: "legacy".to_owned(), namespace: "shop".to_owned() };
        let held = vec![held("a", legacy()), held("b", Owner::Kubectl), held("c", legacy())];
        let plan = Plan { steps: Vec::new(), warnings: Vec::new(), held, ..plan() };
        insta::assert_snapshot!(text([&plan], &view()), @r"
        argocd/shop  3 held  https://kubernetes.default.svc  3f2a9c1
          ! 2 held  part of Helm release `legacy`; `--adopt` takes it over
              ConfigMap shop/a
              ConfigMap shop/c
          ! ConfigMap shop/b  applied by kubectl; `--adopt` takes it over
        ");
    }

    /// Names and annotations are whatever somebody wrote into git.
    #[test]
    fn a_plan_on_a_terminal_is_harmless() {
        let mut plan = plan();
        plan.application = HOSTILE.to_owned();
        plan.steps[0].object.name = HOSTILE.to_owned();
        plan.steps[1].why = HOSTILE.to_owned();
        plan.held[0].why = HOSTILE.to_owned();
        plan.warnings[0] = HOSTILE.to_owned();
        let text = text([&plan], &view());
        assert!(!text.contains(|character| character != '\n' && is_hidden(character)), "{text}");
    }

    /// Whoever has a script that reads plans: the published schema describes every key of a saved one.
    #[test]
    fn a_saved_plan_is_what_the_published_schema_says() {
        let flags = Flags {
            adopt: false,
            force: false,
            approve: false,
            prune_protected: false,
            max_prune: MaxPrune::Percent(50),
            allow_empty: false,
            allow_shared: false,
            apply_all: false,
        };
        let saved = SavedPlans::of([&plan()], &Making { at: view().now, prune: false, flags });
        let saved: Value = serde_json::from_str(&saved.write()).unwrap();
        let schema: Value = serde_json::from_str(include_str!("../../docs/plan.schema.json")).unwrap();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let faults: Vec<String> =
            validator.iter_errors(&saved).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert_eq!(faults, Vec::<String>::new());
        for (place, wrong) in [("/plans/0/steps/0/action", json!("destroy")), ("/plans/0/hidden", json!(1))] {
            let mut other = saved.clone();
            match other.pointer_mut(place) {
                Some(value) => *value = wrong,
                None => other["plans"][0]["hidden"] = wrong,
            }
            assert!(!validator.is_valid(&other), "{place}: the schema must be able to refuse");
        }
    }
}
