//! The rules of one application: its own, and those of `argocd-cm` that are for every application.
//!
//! In: `spec.ignoreDifferences`, [`ComparisonSettings`]. Out: [`IgnoreRules`], one rule for each line of each list, so that each
//! can be counted and named.

use globset::GlobMatcher;

use super::error::RuleFault;
use crate::app::Application;
use crate::app::ignore::{IgnoreDifference, glob};
use crate::app::settings::ComparisonSettings;
use crate::object::Pointer;
use crate::status::ResourceDrift;

/// Which rules of a `ClusterRole` are put together from others by a controller.
const AGGREGATED: &str = "select(.aggregationRule | type == \"object\") | .rules";

/// The fields that a rule selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Names {
    /// `jsonPointers`.
    Pointer(Pointer),
    /// `jqPathExpressions`.
    Expression(String),
    /// `managedFieldsManagers`.
    Manager(String),
}

/// One line of one list of a rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// Where it stands, as a report names it: `spec.ignoreDifferences[0].jsonPointers: /spec/replicas`.
    pub(super) name: String,
    /// Its file and line, where they are known.
    pub(super) place: Option<String>,
    /// Whether it is the application's own: then it should name something.
    pub(super) is_own: bool,
    pub(super) names: Names,
    /// The kinds it is for, in words.
    pub(super) kinds: String,
    group: GlobMatcher,
    kind: GlobMatcher,
    object_name: String,
    namespace: String,
}

/// Every rule of one application.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
}

/// Where an entry of rules stands.
struct RuleEntry<'a> {
    name: String,
    place: Option<String>,
    is_own: bool,
    rule: &'a IgnoreDifference,
}

impl IgnoreRules {
    /// The rules of an application; what cannot be a rule is reported.
    pub fn of(application: &Application, settings: &ComparisonSettings) -> (Self, Vec<RuleFault>) {
        let own = application.ignore_differences.iter().enumerate().map(|(index, rule)| RuleEntry {
            name: format!("spec.ignoreDifferences[{index}]"),
            place: Some(format!("{}:{}", application.origin.file, rule.line)),
            is_own: true,
            rule,
        });
        let of_all = settings.ignore.iter().map(|system| RuleEntry {
            name: format!("argocd-cm {}", system.key),
            place: None,
            is_own: false,
            rule: &system.rule,
        });
        let aggregated = aggregated_roles();
        let aggregated = settings.ignore_aggregated_roles.then(|| RuleEntry {
            name: "argocd-cm resource.compareoptions ignoreAggregatedRoles".to_owned(),
            place: None,
            is_own: false,
            rule: &aggregated,
        });
        let mut this = Self::default();
        let mut faults = Vec::new();
        for entry in own.chain(of_all).chain(aggregated) {
            if let Err(fault) = this.add(&entry) {
                faults.push(fault);
            }
        }
        (this, faults)
    }

    fn add(&mut self, entry: &RuleEntry<'_>) -> Result<(), RuleFault> {
        let rule = entry.rule;
        let compiled = |text: &str| {
            let (name, place) = (entry.name.clone(), entry.place.clone());
            glob(text).ok_or_else(|| RuleFault::Glob { name, place, glob: text.to_owned() })
        };
        let (group, kind) = (compiled(&rule.group)?, compiled(&rule.kind)?);
        let line = |list: &str, text: &str, names: Names| Rule {
            name: format!("{}.{list}: {text}", entry.name),
            place: entry.place.clone(),
            is_own: entry.is_own,
            names,
            kinds: if rule.group.is_empty() { rule.kind.clone() } else { format!("{}/{}", rule.group, rule.kind) },
            group: group.clone(),
            kind: kind.clone(),
            object_name: rule.name.clone(),
            namespace: rule.namespace.clone(),
        };
        let pointers = rule.json_pointers.iter();
        self.rules.extend(
            pointers.map(|pointer| line("jsonPointers", &pointer.to_string(), Names::Pointer(pointer.clone()))),
        );
        let expressions = rule.jq_path_expressions.iter();
        self.rules.extend(expressions.map(|text| line("jqPathExpressions", text, Names::Expression(text.clone()))));
        let managers = rule.managed_fields_managers.iter();
        self.rules.extend(managers.map(|name| line("managedFieldsManagers", name, Names::Manager(name.clone()))));
        Ok(())
    }

    /// Whether there is nothing to apply.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(super) fn rule(&self, index: usize) -> &Rule {
        &self.rules[index]
    }

    /// The rules that are about an object; only those of the application itself, where that is asked for.
    pub(super) fn selecting(&self, drift: &ResourceDrift, only_own: bool) -> Vec<usize> {
        let rules = self.rules.iter().enumerate().filter(|(_, rule)| rule.is_own || !only_own);
        rules.filter(|(_, rule)| rule.selects(drift)).map(|(index, _)| index).collect()
    }
}

impl Rule {
    fn selects(&self, drift: &ResourceDrift) -> bool {
        self.group.is_match(&drift.gvk.group)
            && self.kind.is_match(&drift.gvk.kind)
            && (self.object_name.is_empty() || self.object_name == drift.name)
            && (self.namespace.is_empty() || self.namespace == drift.namespace)
    }
}

/// Argo CD: gitops-engine/pkg/diff `normalizeRole` with `ignoreAggregatedRoles`.
fn aggregated_roles() -> IgnoreDifference {
    IgnoreDifference {
        group: "rbac.authorization.k8s.io".to_owned(),
        kind: "ClusterRole".to_owned(),
        name: String::new(),
        namespace: String::new(),
        json_pointers: Vec::new(),
        jq_path_expressions: vec![AGGREGATED.to_owned()],
        managed_fields_managers: Vec::new(),
        line: 0,
    }
}
