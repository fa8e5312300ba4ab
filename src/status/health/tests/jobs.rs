//! What runs to its end.

use serde_json::{Value, json};

use super::*;

#[test]
fn a_job() {
    let conditions = |list: &[(&str, &str, &str)]| {
        let list: Vec<Value> = list
            .iter()
            .map(|(kind, status, message)| json!({"type": kind, "status": status, "message": message}))
            .collect();
        json!({ "conditions": list })
    };
    check(
        "batch/v1",
        "Job",
        [
            ("just made", json!({}), json!({}), "Progressing"),
            (
                "done",
                json!({}),
                conditions(&[("SuccessCriteriaMet", "True", ""), ("Complete", "True", "all done")]),
                "Healthy: all done",
            ),
            (
                "failed",
                json!({}),
                conditions(&[("Failed", "True", "BackoffLimitExceeded")]),
                "Degraded: BackoffLimitExceeded",
            ),
            ("about to fail", json!({}), conditions(&[("FailureTarget", "True", "")]), "Progressing"),
            ("suspended", json!({}), conditions(&[("Suspended", "True", "Job suspended")]), "Suspended"),
        ],
    );
}

/// Argo CD says `Healthy` while it runs: the API server keeps `Suspended` with status `False` for ever.
#[test]
fn a_job_that_was_resumed_is_running() {
    let resumed = json!({"active": 1, "conditions": [{"type": "Suspended", "status": "False", "reason": "JobResumed", "message": "Job resumed"}]});
    check("batch/v1", "Job", [("resumed", json!({}), resumed, "Progressing")]);
}

#[test]
fn a_cron_job() {
    let status = |scheduled: &str, successful: Option<&str>, active: Value| json!({"lastScheduleTime": scheduled, "lastSuccessfulTime": successful, "active": active});
    let (early, late) = ("2026-11-24T06:00:00Z", "2026-11-24T06:05:00Z");
    check(
        "batch/v1",
        "CronJob",
        [
            ("suspended", json!({"suspend": true}), json!({}), "Healthy: CronJob is Suspended"),
            ("just made", json!({}), json!(null), "Progressing: Waiting for CronJob"),
            ("not due yet", json!({}), json!({}), "Healthy: CronJob has not been scheduled yet"),
            (
                "never done",
                json!({}),
                status(late, None, json!([])),
                "Healthy: The CronJob never completed successfully. It may not be healthy",
            ),
            (
                "running",
                json!({}),
                status(late, Some(early), json!([{"name": "web-1"}])),
                "Healthy: The job is running. Its last execution may not have been successful",
            ),
            (
                "failed",
                json!({}),
                status(late, Some(early), json!([])),
                "Degraded: CronJob has not completed its last execution successfully",
            ),
            (
                "done",
                json!({}),
                status(early, Some(late), json!(null)),
                "Healthy: CronJob has completed its last execution successfully",
            ),
        ],
    );
}
