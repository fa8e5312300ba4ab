//! Applies the ignore rules of one application to what was found, and tells which of them are of no use.
//!
//! In: an application with what is live, and its resources. Out: the same resources, with what rules cover taken out of the differences; a
//! warning for each rule that names nothing or cannot be followed. Rules are the Application's, those of `trueup.yaml` beside its
//! manifests, those that its resources carry in git, and `argocd-cm`'s. jq expressions run within a deadline ([`jq`]).

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::app::ignore_file::{self, IGNORE_FILE, IgnoreFile};
use crate::finding::{Finding, Severity};
use crate::fleet::application::Listed;
use crate::fleet::condition::ConditionKind;
use crate::fleet::live::{Place, identity, place_of};
use crate::fleet::{Request, jq};
use crate::object::{Key, Object};
use crate::process::Cancel;
use crate::status::ResourceDrift;
use crate::status::compare::count_additions;
use crate::status::ignore::{Expression, IgnoreRules, Ignoring, Named};

/// How long an expression may take: so much, and a little for each object. Argo CD gives it a second for each object.
const DEADLINE: Duration = Duration::from_secs(3);
const DEADLINE_PER_VALUE: Duration = Duration::from_millis(2);

/// Takes out of the differences what nobody wants compared; with `--strict`, additions are differences, too.
pub(crate) async fn ignore(
    listed: &Listed,
    request: &Request,
    resources: &mut [ResourceDrift],
) -> Vec<(ConditionKind, Finding)> {
    let (files, mut findings) = files(listed);
    let (rules, faults) = IgnoreRules::of(&listed.application, &request.settings, &files, &listed.target);
    findings.extend(faults.iter().map(|fault| Finding::of(fault)));
    if !rules.is_empty() {
        let mut ignoring = Ignoring::begin(&rules, resources, |drift| live_of(drift, listed));
        // Many resources may carry the same expression: it is run once.
        let mut by_text: BTreeMap<String, Vec<(usize, Vec<Value>)>> = BTreeMap::new();
        for Expression { rule, text, values } in ignoring.expressions() {
            by_text.entry(text).or_default().push((rule, values));
        }
        for (text, rules) in by_text {
            let values = rules.iter().flat_map(|(_, values)| values.iter().cloned()).collect();
            let mut outcome = answer(text, values, request).await;
            for (rule, values) in rules {
                let own = outcome.as_mut().map(|named| named.drain(..values.len().min(named.len())).collect());
                ignoring.answer(rule, own.map_err(|why| why.clone()));
            }
        }
        findings.extend(ignoring.finish(resources).iter().map(|fault| Finding::of(fault)));
    }
    if request.strict {
        for drift in resources.iter_mut().filter(|drift| !drift.additions.is_empty()) {
            if let Some(object) = live_of(drift, listed) {
                count_additions(drift, object);
            }
        }
    }
    findings.into_iter().map(|finding| (ConditionKind::IgnoreRuleWarning, finding)).collect()
}

/// The `trueup.yaml` of each source that is a folder of git, as its revision has it. One that cannot be read ignores nothing. A
/// chart's author has no say in what is compared.
fn files(listed: &Listed) -> (Vec<IgnoreFile>, Vec<Finding>) {
    let (mut files, mut findings) = (Vec::new(), Vec::new());
    for (source, fetched) in listed.application.sources.iter().zip(&listed.sources) {
        let Some(checkout) = fetched.checkout().filter(|_| source.chart.is_none() && !source.renders_nothing()) else {
            continue;
        };
        let folder = source.path.as_deref().unwrap_or_default();
        match checkout.read_beside(folder, IGNORE_FILE) {
            Ok(None) => {}
            Ok(Some((shown, bytes))) => {
                let Some(mut file) = ignore_file::read(&shown, &bytes) else { continue };
                findings.append(&mut file.findings);
                files.push(file);
            }
            Err(error) => findings.push(Finding { severity: Severity::Warning, ..Finding::of(&error) }),
        }
    }
    (files, findings)
}

/// Each expression is on its own: whatever becomes of it, the others and the run go on.
async fn answer(text: String, values: Vec<Value>, request: &Request) -> Result<Vec<Named>, String> {
    let objects = u32::try_from(values.len()).unwrap_or(u32::MAX);
    let deadline = DEADLINE.saturating_add(DEADLINE_PER_VALUE.saturating_mul(objects));
    jq::run(&request.render.program, text, values, deadline, &Cancel::new()).await
}

fn live_of<'live>(drift: &ResourceDrift, listed: &'live Listed) -> Option<&'live Object> {
    let Place::Listed(gvk, namespace) = place_of(&drift.gvk, &drift.namespace, listed.kinds()) else { return None };
    let key = Key {
        group: drift.gvk.group.clone(),
        kind: drift.gvk.kind.clone(),
        namespace: drift.namespace.clone(),
        name: drift.name.clone(),
    };
    let cluster = identity(&listed.connection.cluster);
    let objects = listed.live.listing(cluster, &gvk, namespace.as_deref())?.as_ref().ok()?;
    objects.get(&key).map(|object| &**object)
}
