//! The state as objects, read and written purely.

use serde_json::{Value, json};

use super::parent::{attempted, ended};
use super::*;
use crate::object::Object;
use crate::object::annotations::{APPLYSET_ADDITIONAL_NAMESPACES, APPLYSET_CONTAINS_KINDS, APPLYSET_ID};
use crate::status::compare::BaselineFault;

fn place() -> Place {
    Place::named("shop", "prod")
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> Object {
    let metadata = json!({"name": name, "namespace": namespace});
    Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": metadata})).unwrap()
}

fn record(objects: &[Object]) -> Baseline {
    let mut baseline = Baseline::new(vec!["3f2a9c1d".repeat(5)]);
    for object in objects {
        baseline.record(object, object, None);
    }
    baseline
}

fn attempt(kinds: &[(&str, &str)], namespaces: &[&str]) -> Attempt {
    let kind = |(group, kind): &(&str, &str)| GroupKind { group: (*group).to_owned(), kind: (*kind).to_owned() };
    Attempt {
        revisions: vec!["3f2a9c1d".repeat(5)],
        started: time("2026-03-10T12:00:00Z"),
        by: "ci@runner".to_owned(),
        steps: 12,
        kinds: kinds.iter().map(kind).collect(),
        namespaces: namespaces.iter().map(|&namespace| namespace.to_owned()).collect(),
    }
}

fn succeeded(baseline: Baseline) -> Ended {
    let source = SyncedSource {
        repo_url: "https://git.example.com/shop".to_owned(),
        path: "overlays/prod".to_owned(),
        target_revision: "main".to_owned(),
        revision: "3f2a9c1d".repeat(5),
        ..SyncedSource::default()
    };
    Ended {
        at: time("2026-03-10T12:00:30Z"),
        phase: OperationPhase::Succeeded,
        message: "12 steps".to_owned(),
        baseline: Some(baseline),
        left: Vec::new(),
        unseen: BTreeSet::new(),
        sources: Some(vec![source]),
        is_entry: true,
        history_limit: 10,
    }
}

/// A state that has begun an attempt, as [`State::begin`] makes it of one.
fn begun(mut state: State, attempt: Attempt) -> State {
    state.kinds.extend(attempt.kinds.iter().cloned());
    state.namespaces.extend(attempt.namespaces.iter().filter(|name| **name != place().namespace).cloned());
    state.attempt = Some(attempt);
    state.ended = None;
    state
}

/// A state as it is read after it was written.
fn read_again(state: &State) -> Result<State, StateError> {
    let mut objects = parents(state, &place());
    let parent = objects.pop().unwrap();
    State::of(&place(), parent, &objects)
}

fn synced() -> State {
    let mut state = begun(State::default(), attempt(&[("apps", "Deployment")], &["prod"]));
    state.end(&place(), succeeded(record(&[object("apps/v1", "Deployment", "prod", "web")])));
    state
}

fn data<'object>(parent: &'object Object, key: &str) -> &'object str {
    parent.value()["data"][key].as_str().unwrap()
}

#[test]
fn a_state_that_was_written_is_read_again() {
    let mut state = synced();
    state.rolled_back_to = Some(1);
    let web = object("apps/v1", "Deployment", "prod", "web").key();
    state.seen = [(web, time("2026-03-09T12:00:00Z"))].into();
    let read = read_again(&state).unwrap();
    assert_eq!(read.seen, state.seen);
    assert_eq!(read.baseline, state.baseline);
    assert_eq!(read.history, state.history);
    assert_eq!((read.history[0].id, read.history[0].by.as_str()), (1, "ci@runner"));
    assert_eq!(read.ended, state.ended);
    assert_eq!(read.attempt.map(|attempt| (attempt.steps, attempt.started)), Some((12, time("2026-03-10T12:00:00Z"))));
    assert_eq!(read.rolled_back_to, Some(1));
    assert_eq!(read.faults, []);
}

/// Killed between the first write and the last: what is read says that nobody knows how it ended.
#[test]
fn an_attempt_that_nobody_ended_has_no_end() {
    let first = begun(State::default(), attempt(&[("apps", "Deployment")], &["prod"]));
    let read = read_again(&first).unwrap();
    assert!(read.attempt.is_some() && read.ended.is_none() && read.baseline.is_none() && read.history.is_empty());

    let next = Attempt { started: time("2026-03-11T12:00:00Z"), ..attempt(&[], &[]) };
    let read = read_again(&begun(synced(), next)).unwrap();
    assert_eq!((read.ended, read.history.len()), (None, 1));
    assert_eq!(read.attempt.unwrap().started, time("2026-03-11T12:00:00Z"));
    assert!(read.baseline.is_some(), "the record of the last sync that ended stays");
}

/// KEP-3659: what a parent does not name, its tool does not find; so it names too much until the end.
#[test]
fn the_parent_names_every_kind_that_may_have_been_written() {
    let named = |parent: &Object| {
        [APPLYSET_CONTAINS_KINDS, APPLYSET_ADDITIONAL_NAMESPACES]
            .map(|list| parent.annotation(list).unwrap().to_owned())
    };
    let first = attempted(&synced(), &place(), None);
    assert_eq!(named(&first), ["Deployment.apps", ""]);

    let mut state = begun(synced(), attempt(&[("", "Service"), ("batch", "Job")], &["prod", "monitoring"]));
    let parent = attempted(&state, &place(), Some(&first));
    assert_eq!(named(&parent), ["Deployment.apps,Job.batch,Service", "monitoring"]);

    let failed = Ended { phase: OperationPhase::Failed, sources: None, ..succeeded(record(&[])) };
    let mut after_failure = state.clone();
    after_failure.end(&place(), failed);
    assert_eq!(named(&ended(&after_failure, &place(), Some(&parent)).parent), named(&parent));

    let web = || succeeded(record(&[object("v1", "Service", "prod", "web")]));
    let unseen = GroupKind { group: "shop.example.com".to_owned(), kind: "Till".to_owned() };
    let mut after_half_a_look = state.clone();
    after_half_a_look.end(&place(), Ended { unseen: BTreeSet::from([unseen]), ..web() });
    let parent_then = ended(&after_half_a_look, &place(), Some(&parent)).parent;
    assert_eq!(named(&parent_then), ["Service,Till.shop.example.com", "monitoring"], "what nobody could look for");

    let left = object("batch/v1", "CronJob", "jobs", "nightly").key();
    state.end(&place(), Ended { left: vec![left], ..web() });
    let parent = ended(&state, &place(), Some(&parent)).parent;
    assert_eq!(named(&parent), ["CronJob.batch,Service", "jobs"]);
}

/// kubectl shows it, and refuses to trample it.
#[test]
fn the_parent_is_that_of_an_applyset() {
    let parent = parents(&synced(), &place()).pop().unwrap();
    assert_eq!((parent.kind(), parent.name(), parent.namespace()), ("ConfigMap", "trueup-shop", "prod"));
    assert_eq!(parent.label(APPLYSET_ID), Some(place().applyset_id().as_str()));
    assert!(parent.annotation("applyset.kubernetes.io/tooling").unwrap().starts_with("trueup/v"));
    assert_eq!(parent.label("applyset.kubernetes.io/part-of"), None, "it is no member of its own set");
}

#[test]
fn the_history_counts_up_and_keeps_what_it_is_asked_to() {
    let mut state = State::default();
    for _ in 0..5 {
        state.end(&place(), Ended { history_limit: 3, ..succeeded(record(&[])) });
    }
    state.end(&place(), Ended { phase: OperationPhase::Failed, ..succeeded(record(&[])) });
    state.end(&place(), Ended { sources: None, ..succeeded(record(&[])) });
    assert_eq!(state.history.iter().map(|entry| entry.id).collect::<Vec<_>>(), [3, 4, 5]);
    state.end(&place(), Ended { history_limit: 0, ..succeeded(record(&[])) });
    assert_eq!(state.history, []);
}

/// A limit of a thousand syncs of many sources: the newest are kept, and the parent fits into a ConfigMap.
#[test]
fn a_long_history_makes_room() {
    let mut state = synced();
    let entry = state.history[0].clone();
    state.history = (1..=2_000).map(|id| HistoryEntry { id, ..entry.clone() }).collect();
    let read = read_again(&state).unwrap();
    assert!(read.history.len() > 300, "{}", read.history.len());
    assert_eq!(read.history.last().map(|entry| entry.id), Some(2_000));
    assert!(data(read.parent.as_ref().unwrap(), "history.json").len() <= 200_000);
}

/// The block of a source with so many bytes of values.
fn block(size: usize, filler: &str) -> Block {
    let fields = json!({"repoURL": "https://git.example.com/shop", "helm": {"values": filler.repeat(size)}});
    let Value::Object(fields) = fields else { panic!("a map") };
    Block::of(crate::app::source::SourceBlock { form: crate::app::SourceForm::Single, fields })
}

fn with_block(ended: Ended, block: Block) -> Ended {
    let mut sources = ended.sources.unwrap();
    sources[0].block = block;
    Ended { sources: Some(sources), ..ended }
}

/// Values of 100 KB that change with each sync: each sync stays in the history, and the newest keep their values.
#[test]
fn large_values_do_not_shorten_the_history() {
    let mut state = begun(State::default(), attempt(&[], &[]));
    for filler in ["a", "b", "c", "d", "e"] {
        state.end(&place(), with_block(succeeded(record(&[])), block(100_000, filler)));
    }
    let read = read_again(&state).unwrap();
    let kept: Vec<bool> = read.history.iter().map(|entry| entry.sources[0].block.kept().is_some()).collect();
    assert_eq!(kept, [false, false, false, true, true]);
    assert_eq!(read.history[0].sources[0].block.why_not(), Some(NotKept::TooLarge));
    assert_eq!(read.sources, state.sources, "those of the last sync come first");

    state.end(&place(), with_block(succeeded(record(&[])), block(900_000, "f")));
    let read = read_again(&state).unwrap();
    assert_eq!((read.history.len(), read.sources[0].block.why_not()), (6, Some(NotKept::TooLarge)));
}

/// Nine syncs of one block hold it once.
#[test]
fn equal_blocks_are_written_once() {
    let mut state = begun(State::default(), attempt(&[], &[]));
    for _ in 0..9 {
        state.end(&place(), with_block(succeeded(record(&[])), block(50_000, "a")));
    }
    let read = read_again(&state).unwrap();
    assert!(read.history.iter().all(|entry| entry.sources[0].block.kept().is_some()));
    assert!(data(read.parent.as_ref().unwrap(), "sources.json").len() < 60_000);
}

/// Sources belong to the record that they were written with: an older version writes another record beside them.
#[test]
fn sources_of_another_record_are_not_believed() {
    let mut state = begun(State::default(), attempt(&[], &[]));
    state.end(&place(), with_block(succeeded(record(&[])), block(10, "a")));
    let parent = parents(&state, &place()).pop().unwrap();
    let mut older = parents(&synced(), &place()).pop().unwrap();
    older.value_mut()["data"]["sources.json"] = data(&parent, "sources.json").into();

    assert_eq!(State::of(&place(), parent, &[]).unwrap().sources, state.sources);
    assert_eq!(State::of(&place(), older, &[]).unwrap().sources, []);
}

#[test]
fn what_is_not_ours_is_not_read_and_says_why() {
    type Change<'c> = &'c dyn Fn(&mut Object);
    let label = |parent: &mut Object, value: &str| parent.value_mut()["metadata"]["labels"][APPLYSET_ID] = value.into();
    let tooling = |parent: &mut Object, value: Value| {
        parent.value_mut()["metadata"]["annotations"]["applyset.kubernetes.io/tooling"] = value;
    };
    let cases: [(&str, Change<'_>, &str); 5] = [
        ("somebody's ConfigMap", &|parent| tooling(parent, Value::Null), "has no annotation"),
        ("kubectl's", &|parent| tooling(parent, "kubectl/v1.37".into()), "parent of an ApplySet of `kubectl`"),
        ("one of a tool with a longer name", &|parent| tooling(parent, "trueup/x/v1".into()), "of `trueup/x`"),
        ("a copy", &|parent| label(parent, "applyset-x-v1"), "so it is a copy"),
        (
            "another application's",
            &|parent| parent.value_mut()["data"]["application"] = "team_shop".into(),
            "holds the state of application `team_shop`",
        ),
    ];
    for (name, change, why) in cases {
        let mut parent = parents(&synced(), &place()).pop().unwrap();
        change(&mut parent);
        let error = State::of(&place(), parent, &[]).unwrap_err();
        assert!(matches!(&error, StateError::Foreign { why: found, .. } if found.contains(why)), "{name}: {error}");
        assert!(error.to_string().ends_with("nothing was written"), "{error}");
    }
    let mut newer = parents(&synced(), &place()).pop().unwrap();
    newer.value_mut()["data"]["baseline.json"] = r#"{"schema":7}"#.into();
    assert!(matches!(State::of(&place(), newer, &[]), Err(StateError::Newer { schema: 7, .. })));
}

/// Whatever somebody has done to one of them, the others stand.
#[test]
fn what_was_edited_by_hand_is_told_and_the_rest_is_read() {
    for key in ["baseline.json", "history.json", "attempt.json", "rolled-back-to"] {
        let mut state = synced();
        state.rolled_back_to = Some(1);
        let mut parent = parents(&state, &place()).pop().unwrap();
        parent.value_mut()["data"][key] = "{".into();
        let read = State::of(&place(), parent, &[]).unwrap();
        let is_record = key == "baseline.json";
        let fault = if is_record {
            StateFault::Record { parent: "trueup-shop".to_owned(), fault: BaselineFault::Edited }
        } else {
            StateFault::Unreadable { parent: "trueup-shop".to_owned(), key }
        };
        assert_eq!(read.faults, [fault], "{key}");
        assert_eq!(read.baseline.is_none(), is_record, "{key}");
        assert_eq!(read.history.is_empty(), key == "history.json", "{key}");
        assert_eq!(read.attempt.is_none(), key == "attempt.json", "{key}");
        assert_eq!(read.rolled_back_to.is_none(), key == "rolled-back-to", "{key}");
    }
}

/// Somebody's notes beside ours, and what a newer version keeps, outlive a sync of this one.
#[test]
fn what_somebody_else_keeps_in_the_parent_stays() {
    let mut live = parents(&synced(), &place()).pop().unwrap();
    live.value_mut()["data"]["notes"] = "call Ada first".into();
    live.value_mut()["metadata"]["labels"]["team"] = "shop".into();
    live.value_mut()["metadata"]["resourceVersion"] = "42".into();
    let parent = attempted(&begun(synced(), attempt(&[], &[])), &place(), Some(&live));
    assert_eq!((data(&parent, "notes"), parent.label("team")), ("call Ada first", Some("shop")));
    assert_eq!(parent.value()["metadata"]["resourceVersion"], "42");
    assert_eq!(data(&parent, "baseline.json"), data(&live, "baseline.json"), "an attempt does not touch the record");
}

/// 10,000 objects and more: the parts of the new record never overwrite those that the parent still names.
#[test]
fn a_large_record_is_in_parts_that_take_turns() {
    let applied = json!([{"manager": "trueup", "operation": "Apply", "fieldsV1": {"f:data": {}}}]);
    let member = |number: u32| {
        let mut member = object("v1", "ConfigMap", "prod", &format!("a-rather-long-name-{number}"));
        member.value_mut()["metadata"]["managedFields"] = applied.clone();
        member
    };
    let objects: Vec<Object> = (0..12_000).map(member).collect();
    let mut state = State::default();
    state.end(&place(), succeeded(record(&objects)));
    let first = ended(&state, &place(), None);
    assert!(first.parts.len() > 1);
    let size = |object: &Object| object.value()["data"].to_string().len();
    assert!(first.parts.iter().chain([&first.parent]).all(|object| size(object) < 1_000_000 * 11 / 10));
    let read = State::of(&place(), first.parent.clone(), &first.parts).unwrap();
    assert_eq!((read.baseline.as_ref(), &read.faults[..]), (state.baseline.as_ref(), &[][..]));

    let second = ended(&read, &place(), Some(&first.parent));
    let names = |parts: &[Object]| parts.iter().map(|part| part.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&first.parts)[0], "trueup--part-a1.trueup-shop");
    assert_eq!(names(&second.parts)[0], "trueup--part-b1.trueup-shop");

    let read = State::of(&place(), first.parent, &second.parts).unwrap();
    let missing = BaselineFault::PartMissing("trueup--part-a1.trueup-shop".to_owned());
    assert_eq!(read.faults, [StateFault::Record { parent: "trueup-shop".to_owned(), fault: missing }]);
}

/// Of two runs side by side the one that began later has seen the newer git: what the other one brought from git before must
/// not be put over it, whoever has the lock first.
#[test]
fn a_run_that_began_later_and_brought_another_revision_is_ahead() {
    let (early, late) = (time("2026-03-09T00:00:00Z"), time("2026-03-11T00:00:00Z"));
    let is_ahead = |state: &State, since, revision: &str| state.overtaker(since, &[revision.to_owned()]).is_some();
    let synced = synced();
    let own = synced.attempt.as_ref().unwrap().revisions[0].clone();

    assert!(is_ahead(&synced, early, "older"));
    assert!(!is_ahead(&synced, late, "newer"), "it was there before");
    assert!(!is_ahead(&synced, early, &own), "one and the same");
    assert!(!is_ahead(&State::default(), early, "older"));

    // A later run that set the cluster back to what was synced before, or was killed while it did, brought nothing new.
    let mut healed = synced.clone();
    healed.attempt.as_mut().unwrap().started = late;
    assert!(!is_ahead(&healed, time("2026-03-10T23:00:00Z"), "newer"));
    healed.attempt.as_mut().unwrap().revisions = vec!["newest".to_owned()];
    healed.ended = None;
    assert!(is_ahead(&healed, time("2026-03-10T23:00:00Z"), "newer"), "it was killed while it brought something new");
}
