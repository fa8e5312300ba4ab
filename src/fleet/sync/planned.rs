//! One application on its way through a sync: `Compared` → [`Planned`] → [`Performed`] → [`Synced`].

use crate::finding::Severity;
use crate::fleet::ApplicationRun;
use crate::fleet::application::{Commits, Compared, Listed, OnCluster, Rendered};
use crate::fleet::condition::{Condition, Conditions};
use crate::fleet::reporting::{Reported, WithHealth, shown};
use crate::fleet::run::ApplicationHealth;
use crate::sync::plan::Plan;
use crate::sync::{Operation, OperationPhase};

/// The outcome of planning an application.
pub(crate) enum PlanOutcome {
    /// Nothing, or nothing can be planned: the conditions say why.
    Nothing,
    /// A reconciliation leaves its drift, for this reason.
    Left(String),
    /// Nothing is there that a deletion could delete.
    Absent(Plan, String),
    /// The plan, to be carried out.
    Execute(Plan),
    /// The plan, which must not be carried out: the conditions say why.
    Refused(Plan),
}

impl PlanOutcome {
    pub(crate) fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Nothing | Self::Left(_) => None,
            Self::Absent(plan, _) | Self::Execute(plan) | Self::Refused(plan) => Some(plan),
        }
    }

    /// The plan, and why the application is left as it is.
    fn into_parts(self) -> (Option<Plan>, Option<String>) {
        match self {
            Self::Nothing => (None, None),
            Self::Left(why) => (None, Some(why)),
            Self::Absent(plan, why) => (Some(plan), Some(why)),
            Self::Execute(plan) | Self::Refused(plan) => (Some(plan), None),
        }
    }
}

/// A compared application, and what is to be done with it.
pub(crate) struct Planned {
    /// The comparison behind the plan. An application that heals to its last sync is compared with what that applied.
    pub(crate) compared: Compared,
    /// The current target of git, where the plan heals to the last sync.
    pub(crate) git: Option<Box<Rendered>>,
    pub(crate) outcome: PlanOutcome,
    /// The errors and warnings of the sync.
    pub(crate) conditions: Conditions,
}

impl Planned {
    /// The current target of git, to be compared again.
    pub(crate) fn into_rendered(self) -> Rendered {
        match self.git {
            Some(git) => *git,
            None => self.compared.into_rendered(),
        }
    }
}

impl Planned {
    /// The application as it was compared, with its plan, before anything is done.
    pub(crate) fn comparison(&self) -> ApplicationRun {
        let left = match &self.outcome {
            PlanOutcome::Left(why) | PlanOutcome::Absent(_, why) => Some(why.clone()),
            PlanOutcome::Nothing | PlanOutcome::Execute(_) | PlanOutcome::Refused(_) => None,
        };
        let conditions = self.compared.all_conditions().and(&self.conditions).into_vec();
        ApplicationRun { plan: self.outcome.plan().cloned(), left, conditions, ..shown(&self.compared) }
    }
}

impl Reported for Planned {
    fn report(self) -> ApplicationRun {
        let conditions = self.compared.all_conditions().and(&self.conditions);
        let (plan, left) = self.outcome.into_parts();
        ApplicationRun { plan, left, conditions: conditions.into_vec(), ..self.compared.report() }
    }
}

/// An application whose plan was carried out, where it was to be.
pub(crate) struct Performed {
    pub(crate) planned: Planned,
    /// The result of the sync.
    pub(crate) operation: Option<Operation>,
    /// Whether nothing is left of it.
    pub(crate) is_deleted: bool,
}

impl Planned {
    /// Whether it failed before anything is done.
    pub(crate) fn has_failed(&self) -> bool {
        let conditions = self.compared.all_conditions().and(&self.conditions);
        conditions.iter().any(|condition| condition.finding.severity == Severity::Error)
    }
}

impl Performed {
    /// Whether the sync failed, or was not begun because of an error.
    pub(crate) fn has_failed(&self) -> bool {
        let is_error = |condition: &Condition| condition.finding.severity == Severity::Error;
        let is_done = |operation: &Operation| operation.phase == OperationPhase::Succeeded;
        self.planned.conditions.iter().any(is_error) || self.operation.as_ref().is_some_and(|done| !is_done(done))
    }
}

/// How an application stands after a sync.
pub(crate) enum SyncStanding {
    /// As it was compared before the sync, for nothing was done.
    Before(Compared),
    /// As it was compared after it.
    After(WithHealth<Compared>),
    /// Nothing is left of it.
    Deleted(Compared),
}

impl SyncStanding {
    pub(crate) fn compared(&self) -> &Compared {
        match self {
            Self::Before(compared) | Self::Deleted(compared) => compared,
            Self::After(judged) => &judged.of,
        }
    }
}

/// An application at the end of a sync.
pub(crate) struct Synced {
    pub(crate) outcome: PlanOutcome,
    pub(crate) operation: Option<Operation>,
    pub(crate) standing: SyncStanding,
    /// Its health after a wait.
    pub(crate) health: Option<ApplicationHealth>,
    /// The errors and warnings of the sync that are not in the comparison after it.
    pub(crate) conditions: Conditions,
}

impl OnCluster for Synced {
    fn listed(&self) -> &Listed {
        self.standing.compared().listed()
    }

    fn all_conditions(&self) -> Conditions {
        match &self.standing {
            SyncStanding::Before(compared) => compared.all_conditions().and(&self.conditions),
            SyncStanding::After(judged) => judged.of.all_conditions().and(&judged.conditions).and(&self.conditions),
            SyncStanding::Deleted(compared) => compared.loaded.conditions.clone().and(&self.conditions),
        }
    }
}

impl Reported for Synced {
    fn report(self) -> ApplicationRun {
        let conditions = self.all_conditions().into_vec();
        let (plan, left) = self.outcome.into_parts();
        let run = match self.standing {
            SyncStanding::Before(compared) => compared.report(),
            SyncStanding::After(judged) => judged.report(),
            SyncStanding::Deleted(compared) => {
                let run = compared.report();
                ApplicationRun { resources: Vec::new(), history: Commits::new(), is_deleted: true, ..run }
            }
        };
        let health = self.health.or(run.health);
        ApplicationRun { plan, left, operation: self.operation, health, conditions, ..run }
    }
}
