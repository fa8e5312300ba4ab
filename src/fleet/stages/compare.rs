//! Compares every target with its live object: first by looking, then by asking the server about what is unsure.
//!
//! In: observed applications. Out: the [`Differences`] of each; extras come after.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use futures::stream;
use tokio::sync::{Mutex, OnceCell};

use super::ignore::ignore;
use super::last_render::{PastUnknown, Said};
use super::{last_render, namespace, owners};
use crate::app::options::{ResourceOptions, SyncOption};
use crate::cluster::{Cluster, Predicted, Validation, Writing, Written};
use crate::finding::{Code, Finding};
use crate::fleet::application::{Differences, Observed};
use crate::fleet::batch::side_by_side;
use crate::fleet::condition::ConditionKind;
use crate::fleet::live::{ClusterId, LiveView, Place, identity, place};
use crate::fleet::{Request, World};
use crate::object::annotations::{APPLYSET_ID, APPLYSET_PART_OF, SYNC_OPTIONS, is_hook, is_skipped};
use crate::object::{Gvk, Key, Object};
use crate::progress::Stage;
use crate::status::compare::{
    Answer, Baseline, Look, Question, Schema, Terms, first_look, is_builtin, second_look, unknown,
};
use crate::status::tracking::{TrackedBy, Tracking, claimed};
use crate::status::{Moved, ResourceDrift, ResourceState};
use crate::sync::plan::{Neighbours, Other, Shared};

/// Compares all of them side by side; in order.
pub(crate) async fn compare(observed: &[Observed], request: &Request, world: &World) -> Vec<Differences> {
    world.progress.expect(Stage::Compare, observed.len());
    let mut by_cluster: HashMap<ClusterId, Arc<Schemas>> = HashMap::new();
    let with_schemas = observed.iter().map(|one| {
        let schemas = by_cluster.entry(identity(&one.connection.cluster)).or_default();
        (one, Arc::clone(schemas))
    });
    let compare = async |(one, schemas): (&Observed, Arc<Schemas>)| compare_one(one, request, world, &schemas).await;
    side_by_side(with_schemas.collect(), request.concurrency, compare).await
}

/// Compares one application alone.
pub(crate) async fn compare_alone(observed: &Observed, request: &Request, world: &World) -> Differences {
    world.progress.expect(Stage::Compare, 1);
    compare_one(observed, request, world, &Schemas::default()).await
}

/// The result of looking, and of asking.
#[derive(Default)]
struct Outcome {
    resources: Vec<ResourceDrift>,
    conditions: Vec<(ConditionKind, Finding)>,
    /// Objects that another application owns.
    shared: Vec<Shared>,
}

async fn compare_one(observed: &Observed, request: &Request, world: &World, schemas: &Schemas) -> Differences {
    let name = &observed.application.name;
    world.progress.begin(Stage::Compare, name.clone());
    let in_run = shared_in_run(observed);
    let mut outcome = compare_objects(observed, request, world, schemas).await;
    world.progress.done(Stage::Compare, name.clone());
    let shared = in_run.keys().cloned().chain(outcome.shared.into_iter().map(|shared| shared.object)).collect();
    let mut conditions: Vec<_> = in_run.iter().map(|(key, others)| shared_in_run_warning(key, others)).collect();
    conditions.append(&mut outcome.conditions);
    Differences { resources: outcome.resources, shared, conditions }
}

async fn compare_objects(observed: &Observed, request: &Request, world: &World, schemas: &Schemas) -> Outcome {
    let cluster = observed.cluster();
    let looked = {
        let target = Arc::clone(&observed.target);
        let terms = Arc::new(request.terms(&observed.application));
        let sight = LiveSight::of(observed, request);
        tokio::task::spawn_blocking(move || look(&target, &sight, &terms)).await
    };
    let Ok((mut outcome, questions)) = looked else {
        // A panic in one application must not end the fleet.
        let finding = Finding::error(Code::StatusFault, "comparing failed unexpectedly; this is a bug in trueup");
        return Outcome { conditions: vec![(ConditionKind::ComparisonError, finding)], ..Outcome::default() };
    };
    let shared = std::mem::take(&mut outcome.shared);
    let shared = owners::named(shared, cluster, &observed.place(request).namespace).await;
    outcome.conditions.extend(shared.iter().map(shared_warning));
    outcome.shared = shared;
    let answered: Vec<_> = stream::iter(questions.into_iter().map(|question| async {
        let answered = ask_if_allowed(observed, question, schemas).await;
        answered.map(|(question, answer)| Answered::of(question, answer, observed))
    }))
    .buffer_unordered(request.concurrency.max(1))
    .collect()
    .await;
    let mut settled = Vec::new();
    for answered in answered {
        match answered {
            Ok(answered) => settled.push(answered),
            Err((drift, finding)) => {
                outcome.resources.push(drift);
                outcome.conditions.push((ConditionKind::ComparisonError, finding));
            }
        }
    }
    let (recalled, finding) = recalled(settled, observed, request, world).await;
    outcome.resources.extend(recalled);
    outcome.conditions.extend(finding.map(|finding| (ConditionKind::BaselineWarning, finding)));
    compare_namespace(&mut outcome, observed, request, schemas).await;
    let ignored = ignore(observed, request, &mut outcome.resources).await;
    outcome.conditions.extend(ignored);
    outcome
}

/// The destination's namespace, where the Application says what it carries.
async fn compare_namespace(outcome: &mut Outcome, observed: &Observed, request: &Request, schemas: &Schemas) {
    let terms = Arc::new(request.terms(&observed.application));
    match namespace::look(observed, &terms).await {
        None => {}
        Some(namespace::Found::Settled(drift)) => outcome.resources.push(*drift),
        Some(namespace::Found::Unknown(drift, finding)) => {
            outcome.resources.push(*drift);
            outcome.conditions.push((ConditionKind::ComparisonError, finding));
        }
        Some(namespace::Found::Ask(question)) => match ask_if_allowed(observed, *question, schemas).await {
            Ok((question, answer)) => outcome.resources.push(second_look(&question, answer)),
            Err((drift, finding)) => {
                outcome.resources.push(drift);
                outcome.conditions.push((ConditionKind::ComparisonError, finding));
            }
        },
    }
}

/// Asks the server, unless the application's compare options forbid it.
async fn ask_if_allowed(
    observed: &Observed,
    question: Question,
    schemas: &Schemas,
) -> Result<(Question, Answer), (ResourceDrift, Finding)> {
    let cluster = observed.cluster();
    if observed.application.forbids_server_side_diff() {
        let reason = "the application's compare options set `ServerSideDiff=false`".to_owned();
        return Ok((question, Answer::Unavailable(reason)));
    }
    match ask(cluster, question, schemas).await {
        Ok((question, Answer::Refused(words))) if skips_validation(observed, question.target()) => {
            let answer = ask_without_validation(cluster, &question, words).await;
            Ok((question, answer))
        }
        answered => answered,
    }
}

/// Whether `Validate=false` holds for a target: its own option before the Application's.
fn skips_validation(observed: &Observed, target: &Object) -> bool {
    let own = target.annotation(SYNC_OPTIONS).map(ResourceOptions::read).unwrap_or_default();
    own.has_over(&observed.application.sync_policy.sync_options, SyncOption::NoValidation)
}

/// Asks again as a sync applies the target: without the fields that the server does not know.
async fn ask_without_validation(cluster: &dyn Cluster, question: &Question, words: String) -> Answer {
    match cluster.apply(question.target(), Validation::Ignore, Writing::DryRun).await {
        Ok(Written::Done(object)) => Answer::Predicted(*object),
        Ok(Written::Refused(_)) | Err(_) => Answer::Refused(words),
    }
}

/// The drift, in the light of what git said at the last sync: that revision is rendered only now. Where that is not known,
/// no side is named, and why is the finding.
async fn recalled(
    answered: Vec<Answered>,
    observed: &Observed,
    request: &Request,
    world: &World,
) -> (Vec<ResourceDrift>, Option<Finding>) {
    let is_wanted = answered.iter().any(|answered| answered.again.is_some());
    if !is_wanted {
        return (answered.into_iter().map(|answered| answered.drift).collect(), None);
    }
    let past = last_render::target(observed, request, world).await;
    let baseline = observed.record.baseline.as_deref();
    let mut unknown = 0;
    let look_again = |Answered { drift, again }: Answered| {
        let Some((mut question, answer)) = again else { return drift };
        let key = question.target().key();
        let is_recorded = baseline.is_some_and(|baseline| baseline.of(&key).is_some());
        match past.as_ref().map_or(if is_recorded { Said::Unknown } else { Said::Nothing }, |past| past.said(&key)) {
            Said::Object(said) => question.recall(Some(said.clone())),
            Said::Nothing => question.recall(None),
            Said::Unknown => question.forget(),
        }
        let drift = second_look(&question, answer);
        unknown += usize::from(drift.moved == Moved::Unknown);
        drift
    };
    let drifts = answered.into_iter().map(look_again).collect();
    let why = match &past {
        Ok(past) => past.why_unknown(),
        Err(why) => why.clone(),
    };
    // A render that is not deterministic has a warning of its own.
    let finding = (unknown > 0 && why != PastUnknown::Differs).then(|| side_unknown(unknown, &why));
    (drifts, finding)
}

fn side_unknown(resources: usize, why: &PastUnknown) -> Finding {
    let of = if resources == 1 { "1 resource".to_owned() } else { format!("{resources} resources") };
    let message = format!("the side that changed is unknown for {of}: the target of the last sync is not known");
    Finding::warning(Code::SyncSideUnknown, message)
        .with_cause(why.to_string())
        .with_help("the comparison is correct; the next sync records what it applies")
}

/// The result of asking about one object.
struct Answered {
    drift: ResourceDrift,
    /// The inputs to look again, where there is something to be recalled.
    again: Option<(Question, Answer)>,
}

impl Answered {
    fn of(question: Question, answer: Answer, observed: &Observed) -> Self {
        let drift = second_look(&question, answer.clone());
        let is_told = drift.state == ResourceState::Changed && observed.record.baseline.is_some();
        Self { drift, again: is_told.then_some((question, answer)) }
    }
}

/// The parts of an application that the first look needs, to be moved to its thread.
struct LiveSight {
    view: LiveView,
    tracking: Tracking,
    baseline: Option<Arc<Baseline>>,
    neighbours: Arc<Neighbours>,
}

impl LiveSight {
    fn of(observed: &Observed, request: &Request) -> Self {
        Self {
            view: observed.view(),
            tracking: observed.tracking(request),
            baseline: observed.record.baseline.clone(),
            neighbours: Arc::clone(&observed.peers.neighbours),
        }
    }
}

/// The first look at every target: settled, or a question for the server.
fn look(target: &[Object], sight: &LiveSight, terms: &Arc<Terms>) -> (Outcome, Vec<Question>) {
    let mut outcome = Outcome::default();
    let mut questions = Vec::new();
    for object in target.iter().filter(|object| !is_hook(object) && !is_skipped(object)) {
        if let Some((drift, finding)) = unreadable_secret(object) {
            outcome.resources.push(drift);
            outcome.conditions.push((ConditionKind::ComparisonError, finding));
            continue;
        }
        let looked = match sight.view.find(object, &mut outcome.conditions) {
            Ok(live) => {
                outcome.shared.extend(live.and_then(|live| claimed_by_another(live, object, sight)));
                let object = as_marked(object, live, &sight.tracking);
                first_look(&object, live, sight.baseline.as_deref(), terms)
            }
            Err(reason) => Look::Settled(Box::new(unknown(object, reason))),
        };
        let looked = match looked {
            Look::Settled(drift) if drift.state == ResourceState::Missing => {
                Look::Settled(Box::new(unserved(*drift, object, sight)))
            }
            looked => looked,
        };
        match looked {
            Look::Settled(drift) => outcome.resources.push(*drift),
            Look::Ask(question) => questions.push(*question),
        }
    }
    (outcome, questions)
}

/// A Secret that no server can read: which of its fields are wrong. The server itself would quote their values.
fn unreadable_secret(object: &Object) -> Option<(ResourceDrift, Finding)> {
    let faults = object.unreadable_values();
    if faults.is_empty() {
        return None;
    }
    let fields: Vec<String> = faults.iter().map(|(field, why)| format!("`{field}` {why}")).collect();
    let why = fields.join("; ");
    let place = object.origin().map(|origin| format!(" ({origin})")).unwrap_or_default();
    let finding = Finding::error(Code::StatusSecret, format!("`{}`{place}: {why}", object.key()))
        .with_help("values of `data` must be base64; for plain text use `stringData`");
    Some((unknown(object, why), finding))
}

/// A missing object, and whether that is because the cluster does not serve its kind.
fn unserved(drift: ResourceDrift, object: &Object, sight: &LiveSight) -> ResourceDrift {
    if place(object, &sight.view.kinds) != Place::NotServed {
        return drift;
    }
    let gvk = object.gvk();
    let why = if is_builtin(&gvk) { "this version of Kubernetes does not have it" } else { "its CRD is not installed" };
    let note = format!("the cluster does not serve `{}` of `{}`: {why}", gvk.kind, gvk.api_version());
    ResourceDrift { is_unserved: true, note: Some(note), ..drift }
}

/// The target with our label where the live object carries it. A sync that failed leaves no record, but it labelled what it
/// applied: the label is not in git, and no drift.
fn as_marked<'o>(target: &'o Object, live: Option<&Arc<Object>>, tracking: &Tracking) -> Cow<'o, Object> {
    let is_ours = live.is_some_and(|live| live.label(APPLYSET_PART_OF) == Some(&tracking.applyset_id));
    if !is_ours || target.label(APPLYSET_PART_OF).is_some() {
        return Cow::Borrowed(target);
    }
    let mut target = target.clone();
    target.set_label(APPLYSET_PART_OF, &tracking.applyset_id);
    Cow::Owned(target)
}

/// An object in the cluster that another application calls its own, in Argo CD's words a shared resource.
fn claimed_by_another(live: &Object, target: &Object, sight: &LiveSight) -> Option<Shared> {
    let Some(TrackedBy::Other(other)) = claimed(live, target, &sight.tracking) else { return None };
    if sight.neighbours.gives_up(&target.key(), &other) {
        return None;
    }
    let is_id = live.label(APPLYSET_PART_OF) == Some(&*other);
    let other = if is_id { Other::ApplySet(other) } else { Other::Application(other) };
    Some(Shared { object: live.key(), other })
}

fn shared_warning(shared: &Shared) -> (ConditionKind, Finding) {
    let message = format!("`{}` is owned by {} in the cluster", shared.object, shared.other);
    let help = "two owners undo each other; keep the object in one application";
    let help = match &shared.other {
        Other::ApplySet(id) => format!("{help}; `kubectl get configmaps -A -l {APPLYSET_ID}={id}` names the other one"),
        Other::Application(_) => help.to_owned(),
    };
    (ConditionKind::SharedResourceWarning, Finding::warning(Code::StatusShared, message).with_help(help))
}

/// Asks the server.
async fn ask(
    cluster: &dyn Cluster,
    mut question: Question,
    schemas: &Schemas,
) -> Result<(Question, Answer), (ResourceDrift, Finding)> {
    match cluster.predict(question.target()).await {
        Ok(predicted) => {
            let answer = match predicted {
                Predicted::Object(object) => {
                    put_back(cluster, &mut question).await;
                    Answer::Predicted(*object)
                }
                Predicted::Unavailable(reason) => described(cluster, &question, reason, schemas).await,
                Predicted::Refused(words) => Answer::Refused(words),
            };
            Ok((question, answer))
        }
        Err(error) => {
            let finding = Finding::of(&error);
            Err((unknown(question.target(), finding.message.clone()), finding))
        }
    }
}

/// A field that git removed may be one that the server fills in by itself: the server is asked, and only then.
async fn put_back(cluster: &dyn Cluster, question: &mut Question) {
    let dropped = question.dropped();
    if dropped.is_empty() {
        return;
    }
    // Without an answer it stays what it looks like: something that git no longer has.
    if let Ok(Predicted::Object(without)) = cluster.predict_without(question.live(), &dropped).await {
        question.put_back(&without);
    }
}

/// The schemas of custom resources in one cluster, each read once for all applications.
type Schemas = Mutex<HashMap<Gvk, Arc<OnceCell<Option<Schema>>>>>;

/// Where nobody can be asked, the server's schema may be there to read.
async fn described(cluster: &dyn Cluster, question: &Question, reason: String, schemas: &Schemas) -> Answer {
    if !question.needs_schema() {
        return Answer::Unavailable(reason);
    }
    let kind = question.target().gvk();
    let known = Arc::clone(schemas.lock().await.entry(kind.clone()).or_default());
    let read = || async {
        // Without the schema, what only the server could settle is reported as in doubt.
        let document = cluster.schema(&kind).await.ok().flatten()?;
        Schema::read(&document, &kind)
    };
    match known.get_or_init(read).await {
        Some(schema) => Answer::Described(schema.clone(), reason),
        None => Answer::Unavailable(reason),
    }
}

/// The objects of the target that other applications of this run have in git, too.
fn shared_in_run(observed: &Observed) -> BTreeMap<Key, Vec<String>> {
    let shared = &observed.peers.shared;
    if shared.is_empty() {
        return BTreeMap::new();
    }
    let in_target: BTreeSet<Key> = observed.target.iter().map(Object::key).collect();
    let shared = shared.iter().filter(|(key, _)| in_target.contains(key));
    shared.map(|(key, others)| (key.clone(), others.clone())).collect()
}

/// Two applications of this run that write one object would undo each other for ever.
fn shared_in_run_warning(key: &Key, others: &[String]) -> (ConditionKind, Finding) {
    let message = format!("`{key}` is also part of {}", others.join(" and "));
    let finding = Finding::warning(Code::StatusShared, message)
        .with_help("each sync of one undoes the other; keep the object in one application");
    (ConditionKind::SharedResourceWarning, finding)
}
