//! Makes the clusters what git says: plans every application, and does what was planned.
//!
//! In: a [`Request`], what to do ([`SyncRequest`]). Out: [`Prepared`] applications with their plans, of which nothing is
//! written yet; and, when they are performed, the [`Run`] with what was done and how the clusters stand afterwards.
//!
//! Each application is planned, locked, recorded and done on its own: one that fails does not stop the others.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::app::SelectionError;
use crate::finding::{Code, Finding};
use crate::fleet::application::{Left, Purpose};
use crate::fleet::batch::Batch;
use crate::fleet::observe::observe;
use crate::fleet::removals::Removal;
use crate::fleet::stages::select::select;
use crate::fleet::stages::{health, settings};
use crate::fleet::sync::argo_status::StatusOwner;
use crate::fleet::sync::planned::Planned;
use crate::fleet::sync::window::{self, Windows};
use crate::fleet::sync::{SyncRequest, Wish, again, argo_status, delete, in_turn, plan, removal, rollback};
use crate::fleet::targets::targets;
use crate::fleet::{Request, Run, World, removals};
use crate::sync::audit::AuditLog;
use crate::sync::plan::Plan;

/// How long after its start a window is surely open.
const WINDOW_MARGIN: Duration = Duration::from_millis(50);

/// Applications with their plans; nothing is written yet.
pub struct Prepared {
    planned: Batch<Planned>,
    removals: Vec<Removal>,
    /// Whether they are removed.
    allows_removals: bool,
    findings: Vec<Finding>,
    request: Request,
}

impl Prepared {
    /// Every plan, in the order of the applications.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.planned.iter().filter_map(|planned| planned.outcome.plan())
    }

    /// How many applications there are, those among them whose manifests are wrong.
    pub fn applications(&self) -> usize {
        self.planned.len()
    }

    /// Every application as it was compared, with its plan: what somebody reads before being asked.
    pub fn comparison(&self) -> Run {
        let application = |entry: Option<Result<&Planned, &Left>>| match entry? {
            Ok(planned) => Some(planned.comparison()),
            Err(left) => Some(left.shown()),
        };
        let run = Run {
            applications: self.planned.entries().filter_map(application).collect(),
            findings: self.findings.iter().chain(self.planned.invalid_findings()).cloned().collect(),
            ..Run::default()
        };
        run.with_removals(self.removals.iter().map(|removal| removal.report(false)).collect())
    }

    /// How many applications go that are no longer generated.
    pub fn removals(&self) -> usize {
        if self.allows_removals { self.removals.len() } else { 0 }
    }

    /// When the sync windows that are in the way have opened next.
    fn opens(&self, wanted: &SyncRequest) -> Option<Timestamp> {
        let now = Timestamp::now();
        let is_refused = |planned: &&Planned| {
            planned.conditions.iter().any(|condition| condition.finding.code == Some(Code::SyncWindow))
        };
        let opens =
            |planned: &Planned| Windows::of(&planned.compared.application, &self.request, wanted.wish).opens(now);
        self.planned.iter().filter(is_refused).filter_map(opens).min()
    }

    /// The run as it is before anything is done: what `--dry-run` reports.
    pub fn end(self, world: &World) -> Run {
        let removals = self.removals.iter().map(|removal| removal.report(false)).collect();
        self.planned.end(self.findings, world).with_removals(removals)
    }
}

/// Compares every application with its cluster, and plans what its wish or policy lets be done. Nothing is written but the
/// cache; the server is asked, in dry runs, whether it would take it. Where sync windows are in the way that open in time,
/// waits for them, and begins again.
pub async fn prepare(request: Request, wanted: &SyncRequest, world: &World) -> Result<Prepared, Vec<SelectionError>> {
    let ends = Timestamp::now().checked_add(SignedDuration::try_from(wanted.wait_window).unwrap_or_default());
    let mut world = world.clone();
    loop {
        let prepared = prepare_now(request.clone(), wanted, &world).await?;
        let opens = prepared.opens(wanted);
        let Some(opens) = opens.filter(|opens| ends.as_ref().is_ok_and(|ends| opens <= ends)) else {
            return Ok(prepared);
        };
        world.progress.waiting("sync windows", &format!("until {opens}"));
        tokio::select! {
            // At its very start a window is not yet open.
            () = tokio::time::sleep(window::until(opens) + WINDOW_MARGIN) => {}
            () = wanted.stop.cancelled() => return Ok(prepared),
        }
        world.sources = Arc::new(world.sources.asked_again());
    }
}

async fn prepare_now(request: Request, wanted: &SyncRequest, world: &World) -> Result<Prepared, Vec<SelectionError>> {
    let mut request = settings::read(request, world).await;
    let applications = select(&mut request, world).await?;
    let rendered = match wanted.wish {
        Wish::Sync { .. } | Wish::Reconcile { .. } => targets(applications, &mut request, &Purpose::Keep, world).await,
        Wish::Rollback { to, .. } => rollback::render(applications, &mut request, to, world).await,
        Wish::Delete(how) => delete::render(applications, &mut request, how, world).await,
    };
    let namespaces = removals::namespaces(&rendered);
    let compared = observe(rendered, &request, world).await;
    let may_be_removals = removals::may_be(&compared, &request);
    let plan = async |compared| Box::pin(plan::plan(compared, &request, wanted, world)).await;
    let planned = compared.each(request.concurrency, plan).await;
    let planned = in_turn::check(planned, &request, wanted.wish);
    let removals = if may_be_removals && matches!(wanted.wish, Wish::Sync { .. } | Wish::Reconcile { .. }) {
        let (removals, unknown) = removals::find(&request, &namespaces, world).await;
        request.findings.extend(unknown);
        removals
    } else {
        Vec::new()
    };
    let findings = std::mem::take(&mut request.findings);
    Ok(Prepared { planned, removals, allows_removals: wanted.allow_removals, findings, request })
}

/// Whoever reads the audit log must know that a line is missing.
fn audit_failure(log: &AuditLog) -> Option<Finding> {
    let cause = log.failure()?;
    let message = "a line of the audit log could not be written; what was done is in the report";
    Some(Finding::error(Code::ReportWrite, message).with_cause(cause))
}

/// Does what was planned, and looks again at what came of it.
pub async fn perform(prepared: Prepared, wanted: &SyncRequest, world: &World) -> Run {
    let Prepared { planned, removals, mut findings, request, .. } = prepared;
    let has_left = planned.has_invalid() || planned.left().next().is_some();
    wanted.note_failure(has_left || planned.iter().any(Planned::has_failed));
    let performed = in_turn::perform(planned, &request, wanted, world).await;
    let removed = removal::remove_all(&removals, &performed, &mut findings, (&request, wanted, world)).await;
    let mut is_judged = performed.iter().any(|performed| performed.operation.is_some());
    let mut synced = again::observe_again(performed, &request, world).await;
    if let Wish::Delete(_) = wanted.wish {
        synced = synced.map(delete::without_strangers);
    }
    if let Some(patience) = again::patience(&synced, wanted) {
        let (after, ending) = again::wait(synced, &request, world, patience).await;
        findings.extend(ending.finding(patience.timeout));
        (synced, is_judged) = (after, true);
    }
    let owners: Vec<Option<StatusOwner>> =
        synced.entries().map(|entry| Some(StatusOwner::of(entry?, &request))).collect();
    let mut run = synced.end(findings, world).with_removals(removed);
    let known = run.applications.iter_mut().zip(&owners).filter(|(_, owner)| owner.is_some() && is_judged);
    known.for_each(|(application, _)| health::unknown_where_asked(application, &request));
    run.findings.extend(wanted.audit.as_deref().and_then(audit_failure));
    if wanted.write_status {
        argo_status::write_statuses(owners, &mut run, &request, wanted, world).await;
    }
    run
}
