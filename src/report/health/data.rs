//! The contract that scripts depend on: what was judged, as the value that JSON and YAML print.
//!
//! In: what was [`Judged`]. Out: a [`HealthReport`], borrowed from it.
//!
//! Rule: docs/health.md, "The report"; docs/health.schema.json says the same to a validator.

use serde::Serialize;

use crate::finding::{Finding, Severity};
use crate::fleet::{ApplicationRun, Ending};
use crate::report::health::judged::{Judged, status};
use crate::status::health::logs::ContainerLog;
use crate::status::health::{HealthStatus, ResourceHealth};

/// The report for scripts. Keys are only ever added; one without a value is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct HealthReport<'run> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    applications: Vec<HealthApplication<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<HealthResource<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<&'run str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    waiting_for: &'run [String],
    version: &'static str,
    exit_code: u8,
}

#[derive(Serialize)]
struct HealthApplication<'run> {
    name: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'run str,
    project: &'run str,
    #[serde(rename = "generatedBy", skip_serializing_if = "Option::is_none")]
    generated_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    health: &'static str,
    resources: Vec<HealthResource<'run>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<&'run str>,
}

#[derive(Serialize)]
struct HealthResource<'run> {
    #[serde(skip_serializing_if = "str::is_empty")]
    group: &'run str,
    version: &'run str,
    kind: &'run str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'run str,
    name: &'run str,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'run str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    reasons: &'run [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logs: Vec<Log<'run>>,
}

#[derive(Serialize)]
struct Log<'run> {
    pod: &'run str,
    container: &'run str,
    previous: bool,
    lines: &'run [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'run str>,
}

impl<'run> Log<'run> {
    fn of(log: &'run ContainerLog) -> Self {
        Self {
            pod: &log.of.pod,
            container: &log.of.container,
            previous: log.of.previous,
            lines: log.lines.as_deref().unwrap_or_default(),
            error: log.lines.as_ref().err().map(String::as_str),
        }
    }
}

impl<'run> HealthReport<'run> {
    /// The health, as scripts read it.
    pub(in crate::report) fn of(judged: Judged<'run>) -> Self {
        let Judged { run, objects, ending } = judged;
        Self {
            api_version: "trueup/v1",
            kind: "HealthReport",
            applications: run.applications.iter().map(HealthApplication::of).collect(),
            resources: objects.iter().map(HealthResource::of).collect(),
            errors: errors(run.findings.iter()),
            waiting_for: match ending {
                Some(Ending::Degraded(what) | Ending::TimedOut(what)) => what,
                Some(Ending::Reached | Ending::Failed) | None => &[],
            },
            version: env!("CARGO_PKG_VERSION"),
            exit_code: judged.exit_code(),
        }
    }
}

fn errors<'run>(findings: impl Iterator<Item = &'run Finding>) -> Vec<&'run str> {
    findings.filter(|finding| finding.severity == Severity::Error).map(|finding| finding.message.as_str()).collect()
}

impl<'run> HealthApplication<'run> {
    fn of(application: &'run ApplicationRun) -> Self {
        let health = application.health.as_ref();
        Self {
            name: &application.name,
            namespace: &application.namespace,
            project: &application.project,
            generated_by: application.lineage.generated_by.as_ref().map(ToString::to_string),
            parent: application.lineage.parent.as_ref().map(ToString::to_string),
            health: health.map_or(HealthStatus::Unknown, |health| health.status).as_str(),
            resources: health.iter().flat_map(|health| &health.resources).map(HealthResource::of).collect(),
            errors: errors(application.conditions.iter().map(|condition| &condition.finding)),
        }
    }
}

impl<'run> HealthResource<'run> {
    fn of(resource: &'run ResourceHealth) -> Self {
        Self {
            group: &resource.gvk.group,
            version: &resource.gvk.version,
            kind: &resource.gvk.kind,
            namespace: &resource.namespace,
            name: &resource.name,
            health: status(resource).map(HealthStatus::as_str),
            message: resource.health.as_ref().map(|health| health.message.as_str()).filter(|text| !text.is_empty()),
            reasons: &resource.reasons,
            logs: resource.logs.iter().map(Log::of).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fleet::{ApplicationHealth, Run};
    use crate::report::Format;
    use crate::report::drift::fixture::{HOSTILE, everything, judged, unwell, view};
    use crate::report::health::text::write;

    /// An application that works, one that does not, and one of which nothing is known.
    fn mixed() -> Run {
        let mut run = everything();
        let health = |status, resource| Some(ApplicationHealth { status, resources: vec![resource] });
        run.applications[0].health = health(HealthStatus::Healthy, judged(HealthStatus::Healthy, ""));
        run.applications[1].health = health(HealthStatus::Degraded, unwell(HOSTILE));
        run
    }

    fn report(run: &Run, objects: &[ResourceHealth], ending: Option<&Ending>) -> Value {
        serde_json::from_str(&write(Judged { run, objects, ending }, Format::Json, &view())).unwrap()
    }

    /// Whoever has a script that reads reports: the published schema and the report are one contract, and no key is printed
    /// that nobody wrote down.
    #[test]
    fn every_report_is_what_the_published_schema_says() {
        let schema: Value = serde_json::from_str(include_str!("../../../docs/health.schema.json")).unwrap();
        jsonschema::draft202012::meta::validate(&schema).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let closed = jsonschema::draft202012::new(&closed(schema)).unwrap();
        let (nothing, run) = (Run::default(), mixed());
        let objects = [judged(HealthStatus::Unknown, "why"), judged(HealthStatus::Missing, "")];
        let in_vain = Ending::TimedOut(vec!["apps/Deployment web (Degraded)".to_owned()]);
        for report in [
            report(&nothing, &[], None),
            report(&nothing, &objects, None),
            report(&run, &objects, None),
            report(&run, &[], Some(&in_vain)),
            report(&run, &[], Some(&Ending::Reached)),
        ] {
            for validator in [&validator, &closed] {
                let faults: Vec<String> =
                    validator.iter_errors(&report).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
                assert_eq!(faults, Vec::<String>::new(), "{report:#}");
            }
        }
        let mut wrong = report(&run, &objects, None);
        wrong["resources"][0]["health"] = "Fine".into();
        assert!(!validator.is_valid(&wrong), "the schema must be able to refuse");
    }

    /// Makes every object of a schema refuse what it does not describe.
    fn closed(mut schema: Value) -> Value {
        if let Value::Object(map) = &mut schema {
            if map.get("properties").is_some_and(Value::is_object) {
                map.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            map.values_mut().for_each(|value| *value = closed(value.take()));
        }
        schema
    }

    /// A script reads the number that the shell gets: a wait without result is one whatever the health is by then.
    #[test]
    fn the_exit_code_is_that_of_the_program() {
        let mut run = mixed();
        run.findings.clear();
        run.applications.truncate(1);
        let waited = |ending: &Ending| report(&run, &[], Some(ending))["exitCode"].clone();
        assert_eq!(waited(&Ending::TimedOut(vec!["Deployment web (Missing)".to_owned()])), 3);
        assert_eq!((waited(&Ending::Reached), waited(&Ending::Failed)), (json!(0), json!(2)));
    }
}
