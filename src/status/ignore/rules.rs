//! The rules of one application: its own, those that git has beside its resources, and those of `argocd-cm` that are for every
//! application.
//!
//! In: `spec.ignoreDifferences`, [`IgnoreFile`]s, the annotation `trueup.dev/ignore` of resources in git, [`ComparisonSettings`].
//! Out: [`IgnoreRules`], one rule for each line of each list, so that each can be counted and named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use globset::GlobMatcher;

use super::error::RuleFault;
use crate::app::Application;
use crate::app::ignore::{AppliesWhen, IgnoreDifference, glob};
use crate::app::ignore_file::IgnoreFile;
use crate::app::settings::ComparisonSettings;
use crate::object::annotations::{IGNORE, IgnoreLine, ignore_lines, is_hook, is_skipped};
use crate::object::{Key, Object, Pointer};
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
    /// Whether it is about every difference, or about changes in the cluster alone.
    pub(super) when: AppliesWhen,
    pub(super) names: Names,
    /// The kinds it is for, in words.
    pub(super) kinds: String,
    /// Nothing for a rule of one object, which [`IgnoreRules`] knows by its key.
    globs: Option<Arc<Globs>>,
}

/// The objects that a rule is about.
#[derive(Debug)]
struct Globs {
    group: GlobMatcher,
    kind: GlobMatcher,
    /// Empty is any.
    name: String,
    /// Empty is any.
    namespace: String,
}

/// Every rule of one application.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
    /// The rules of one object each, which may be as many as there are objects.
    by_object: BTreeMap<Key, Vec<usize>>,
}

/// Where an entry of rules stands.
struct RuleEntry<'a> {
    name: String,
    place: Option<String>,
    is_own: bool,
    when: AppliesWhen,
    rule: &'a IgnoreDifference,
}

impl IgnoreRules {
    /// The rules of an application; what cannot be a rule is reported. `target` are the resources as git has them: an annotation of
    /// a live object is no rule, because whoever can edit the object could hide what else they changed.
    pub fn of(
        application: &Application,
        settings: &ComparisonSettings,
        files: &[IgnoreFile],
        target: &[Object],
    ) -> (Self, Vec<RuleFault>) {
        let own = application.ignore_differences.iter().enumerate().map(|(index, rule)| RuleEntry {
            name: format!("spec.ignoreDifferences[{index}]"),
            place: Some(format!("{}:{}", application.origin.file, rule.line)),
            is_own: true,
            when: AppliesWhen::Always,
            rule,
        });
        let beside = files.iter().flat_map(|file| {
            file.rules.iter().enumerate().map(|(index, rule)| RuleEntry {
                name: format!("{} ignore[{index}]", file.file),
                place: Some(format!("{}:{}", file.file, rule.rule.line)),
                is_own: true,
                when: rule.when,
                rule: &rule.rule,
            })
        });
        let of_all = settings.ignore.iter().map(|system| RuleEntry {
            name: format!("argocd-cm {}", system.key),
            place: None,
            is_own: false,
            when: AppliesWhen::Always,
            rule: &system.rule,
        });
        let aggregated = aggregated_roles();
        let aggregated = settings.ignore_aggregated_roles.then(|| RuleEntry {
            name: "argocd-cm resource.compareoptions ignoreAggregatedRoles".to_owned(),
            place: None,
            is_own: false,
            when: AppliesWhen::Always,
            rule: &aggregated,
        });
        let mut this = Self::default();
        let mut faults = Vec::new();
        for entry in own.chain(beside) {
            faults.extend(this.add(&entry).err());
        }
        for object in target.iter().filter(|object| !is_hook(object) && !is_skipped(object)) {
            faults.extend(this.add_annotation(object));
        }
        for entry in of_all.chain(aggregated) {
            faults.extend(this.add(&entry).err());
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
        let globs = Arc::new(Globs { group, kind, name: rule.name.clone(), namespace: rule.namespace.clone() });
        let line = |list: &str, text: &str, names: Names| Rule {
            name: format!("{}.{list}: {text}", entry.name),
            place: entry.place.clone(),
            is_own: entry.is_own,
            when: entry.when,
            names,
            kinds: kinds(&rule.group, &rule.kind),
            globs: Some(Arc::clone(&globs)),
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

    /// The rules that an object in git carries; the lines that are none are returned.
    fn add_annotation(&mut self, object: &Object) -> Vec<RuleFault> {
        let Some(text) = object.annotation(IGNORE) else { return Vec::new() };
        let key = object.key();
        let place = object.origin().map(ToString::to_string);
        let mut faults = Vec::new();
        for line in ignore_lines(text) {
            let (shown, names) = match line {
                IgnoreLine::Pointer(pointer) => (pointer.to_string(), Names::Pointer(pointer)),
                IgnoreLine::Expression(text) => (text.to_owned(), Names::Expression(text.to_owned())),
                IgnoreLine::Invalid(line) => {
                    let (object, line) = (key.to_string(), line.to_owned());
                    faults.push(RuleFault::Line { object, place: place.clone(), line });
                    continue;
                }
            };
            self.by_object.entry(key.clone()).or_default().push(self.rules.len());
            self.rules.push(Rule {
                name: format!("{IGNORE} of {key}: {shown}"),
                place: place.clone(),
                is_own: true,
                when: AppliesWhen::Always,
                names,
                kinds: kinds(&key.group, &key.kind),
                globs: None,
            });
        }
        faults
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
    pub(super) fn selecting(&self, drift: &ResourceDrift, only_own: bool) -> BTreeSet<usize> {
        let rules = self.rules.iter().enumerate().filter(|(_, rule)| rule.is_own || !only_own);
        let by_globs = rules.filter(|(_, rule)| rule.selects(drift)).map(|(index, _)| index);
        by_globs.chain(self.by_object.get(&drift.key()).into_iter().flatten().copied()).collect()
    }
}

impl Rule {
    /// Whether its globs match an object.
    fn selects(&self, drift: &ResourceDrift) -> bool {
        let Some(Globs { group, kind, name, namespace }) = self.globs.as_deref() else { return false };
        group.is_match(&drift.gvk.group)
            && kind.is_match(&drift.gvk.kind)
            && (name.is_empty() || *name == drift.name)
            && (namespace.is_empty() || *namespace == drift.namespace)
    }
}

fn kinds(group: &str, kind: &str) -> String {
    if group.is_empty() { kind.to_owned() } else { format!("{group}/{kind}") }
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
