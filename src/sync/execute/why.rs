//! Asks the cluster why what was applied does not work: its pods, its events, the end of the logs of what failed.
//!
//! In: the steps of a stage that failed. Out: the same, each failure with what the thing itself said last. Who may not read
//! pods, events or logs is reported the verdict alone.

use super::{Execution, Failure, FailureKind, StepOutcome, StepResult};
use crate::cluster::{ClusterError, LogRequest, list_kinds};
use crate::status::health::logs::{ContainerLog, questions};
use crate::status::health::reasons::{Evidence, kinds};

/// So many lines of each log are read.
const LINES: u16 = 20;

/// Adds the reasons while they are there: a failed hook may be deleted next.
pub(super) async fn find(steps: &mut [StepOutcome], execution: &Execution<'_>) {
    for outcome in steps {
        let (StepResult::Failed(failure), Some(live)) = (&mut outcome.result, &outcome.live) else { continue };
        let Some(namespace) = outcome.step.object.namespace.as_deref() else { continue };
        if failure.kind == FailureKind::Unhealthy
            && let Ok(evidence) = evidence(namespace, execution).await
        {
            add(failure, &evidence, live.uid(), execution).await;
        }
    }
}

async fn evidence(namespace: &str, execution: &Execution<'_>) -> Result<Evidence, ClusterError> {
    list_kinds(execution.cluster, kinds(), namespace).await.map(Evidence::of)
}

async fn add(failure: &mut Failure, evidence: &Evidence, uid: &str, execution: &Execution<'_>) {
    failure.log = evidence.reasons(uid);
    for question in questions(evidence, uid) {
        let (namespace, pod) = (question.namespace.clone(), question.pod.clone());
        let (container, previous) = (question.container.clone(), question.previous);
        let request = LogRequest { namespace, pod, container, previous, lines: LINES };
        let Ok(text) = execution.cluster.logs(&request).await else { continue };
        let log = ContainerLog::of(question, Ok(text), usize::from(LINES));
        let title = format!("log of {}, container {}:", log.of.pod, log.of.container);
        let lines = log.lines.unwrap_or_default().into_iter().map(|line| format!("  {line}"));
        failure.log.extend(std::iter::once(title).chain(lines));
    }
}
