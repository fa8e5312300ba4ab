//! One application's way through the stages, and the run that they all become.

use std::sync::Arc;

use super::run::{ApplicationRun, Condition, Run, SourceRun};
use super::{Request, World};
use crate::app::{Application, Source};
use crate::cluster::{Cluster, Requests};
use crate::finding::Finding;
use crate::object::{Kinds, Object};
use crate::status::ResourceDrift;
use crate::target::source::Checkout;

/// What is known of one application so far.
pub(super) struct Turn {
    pub(super) application: Application,
    pub(super) checkouts: Vec<Option<Arc<Checkout>>>,
    pub(super) sources: Vec<SourceRun>,
    pub(super) cluster: Option<Arc<dyn Cluster>>,
    pub(super) kinds: Option<Arc<Kinds>>,
    /// The objects that should be; nothing when they could not be found.
    pub(super) target: Option<Vec<Object>>,
    pub(super) conditions: Vec<Condition>,
    pub(super) resources: Vec<ResourceDrift>,
}

impl Turn {
    /// Keeps an error or a warning about this application, under its name.
    pub(super) fn condition(&mut self, kind: &str, finding: Finding) {
        let finding = finding.about(&self.application.name);
        let condition = Condition { kind: kind.to_owned(), finding };
        if !self.conditions.contains(&condition) {
            self.conditions.push(condition);
        }
    }
}

pub(super) fn begin(request: &Request) -> Vec<Turn> {
    request.applications.iter().map(|application| turn(application.clone())).collect()
}

fn turn(application: Application) -> Turn {
    let sources: Vec<SourceRun> = application.sources.iter().map(source_run).collect();
    Turn {
        checkouts: vec![None; sources.len()],
        application,
        sources,
        cluster: None,
        kinds: None,
        target: None,
        conditions: Vec::new(),
        resources: Vec::new(),
    }
}

fn source_run(source: &Source) -> SourceRun {
    SourceRun {
        repo_url: source.repo_url.to_string(),
        path: source.path.clone().or_else(|| source.chart.clone()).unwrap_or_default(),
        target_revision: source.target_revision.clone(),
        revision: String::new(),
        fetched_by: String::new(),
        tool: String::new(),
    }
}

/// The run at its end.
pub(super) fn end(turns: Vec<Turn>, mut findings: Vec<Finding>, world: &World) -> Run {
    let mut requests = Requests::default();
    for cluster in world.clusters.used() {
        requests = requests + cluster.requests();
        for (subject, remark) in cluster.remarks() {
            findings.push(
                Finding::warning("trueup::cluster::remark", format!("cluster {}: {subject}", cluster.name()))
                    .with_cause(remark),
            );
        }
    }
    let applications = turns.into_iter().map(application_run).collect();
    Run { applications, findings, requests }
}

fn application_run(mut turn: Turn) -> ApplicationRun {
    turn.resources.sort_by(|left, right| order(left).cmp(&order(right)));
    ApplicationRun {
        cluster: turn.cluster.map(|cluster| cluster.name().to_owned()).unwrap_or_default(),
        name: turn.application.name,
        namespace: turn.application.namespace,
        project: turn.application.project,
        destination: turn.application.destination,
        sources: turn.sources,
        conditions: turn.conditions,
        resources: turn.resources,
    }
}

fn order(drift: &ResourceDrift) -> (&str, &str, &str, &str) {
    (&drift.gvk.group, &drift.gvk.kind, &drift.namespace, &drift.name)
}
