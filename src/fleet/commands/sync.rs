//! Makes the clusters what git says: plans every application, and does what was planned.
//!
//! In: a [`Request`], what to do ([`SyncRequest`]). Out: [`Prepared`] applications with their plans, of which nothing is
//! written yet; and, when they are performed, the [`Run`] with what was done and how the clusters stand afterwards.
//!
//! Each application is planned, locked, recorded and done on its own: one that fails does not stop the others.

use crate::app::SelectionError;
use crate::finding::{Code, Finding};
use crate::fleet::application::{Left, Purpose};
use crate::fleet::batch::Batch;
use crate::fleet::observe::observe;
use crate::fleet::stages::select::select;
use crate::fleet::stages::{health, settings};
use crate::fleet::sync::argo_status::StatusOwner;
use crate::fleet::sync::planned::Planned;
use crate::fleet::sync::{SyncRequest, Wish, again, argo_status, delete, in_turn, plan, rollback};
use crate::fleet::targets::targets;
use crate::fleet::{Request, Run, World};
use crate::sync::audit::AuditLog;
use crate::sync::plan::Plan;

/// Applications with their plans; nothing is written yet.
pub struct Prepared {
    planned: Batch<Planned>,
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
        Run {
            applications: self.planned.entries().filter_map(application).collect(),
            findings: self.findings.iter().chain(self.planned.invalid_findings()).cloned().collect(),
            ..Run::default()
        }
    }

    /// The run as it is before anything is done: what `--dry-run` reports.
    pub fn end(self, world: &World) -> Run {
        self.planned.end(self.findings, world)
    }
}

/// Compares every application with its cluster, and plans what its wish or policy lets be done. Nothing is written but the
/// cache; the server is asked, in dry runs, whether it would take it.
pub async fn prepare(request: Request, wanted: &SyncRequest, world: &World) -> Result<Prepared, Vec<SelectionError>> {
    let mut request = settings::read(request, world).await;
    let applications = select(&mut request, world).await?;
    let rendered = match wanted.wish {
        Wish::Sync { .. } | Wish::Reconcile { .. } => targets(applications, &mut request, &Purpose::Keep, world).await,
        Wish::Rollback { to, .. } => rollback::render(applications, &mut request, to, world).await,
        Wish::Delete(how) => delete::render(applications, &mut request, how, world).await,
    };
    let compared = observe(rendered, &request, world).await;
    let plan = async |compared| Box::pin(plan::plan(compared, &request, wanted, world)).await;
    let planned = compared.each(request.concurrency, plan).await;
    let planned = in_turn::check(planned, &request, wanted.wish);
    let findings = std::mem::take(&mut request.findings);
    Ok(Prepared { planned, findings, request })
}

/// Whoever reads the audit log must know that a line is missing.
fn audit_failure(log: &AuditLog) -> Option<Finding> {
    let cause = log.failure()?;
    let message = "a line of the audit log could not be written; what was done is in the report";
    Some(Finding::error(Code::ReportWrite, message).with_cause(cause))
}

/// Does what was planned, and looks again at what came of it.
pub async fn perform(prepared: Prepared, wanted: &SyncRequest, world: &World) -> Run {
    let Prepared { planned, mut findings, request } = prepared;
    let has_left = planned.has_invalid() || planned.left().next().is_some();
    wanted.note_failure(has_left || planned.iter().any(Planned::has_failed));
    let performed = in_turn::perform(planned, &request, wanted, world).await;
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
    let mut run = synced.end(findings, world);
    let known = run.applications.iter_mut().zip(&owners).filter(|(_, owner)| owner.is_some() && is_judged);
    known.for_each(|(application, _)| health::unknown_where_asked(application, &request));
    run.findings.extend(wanted.audit.as_deref().and_then(audit_failure));
    if wanted.write_status {
        argo_status::write_statuses(owners, &mut run, &request, wanted, world).await;
    }
    run
}
