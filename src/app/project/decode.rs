//! The AppProject, and how it is decoded.
//!
//! Every fault of a manifest is found at once, each with its line. A project with an error checks nothing: its applications are
//! refused instead.
//!
//! Rules: Argo CD types.go `AppProjectSpec` (the fields), `app_project_types.go` (`ValidateProject`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::integrity;
use super::pattern::RulePattern;
use super::rules::{DestinationRule, Placed, ResourceRule, RuleList, RuleSet};
use crate::app::fault::Fault;
use crate::app::fields::Fields;
use crate::app::metadata::{self, Metadata};
use crate::app::reading::Reading;
use crate::app::windows;
use crate::finding::Finding;
use crate::object::Origin;

/// An Argo CD `AppProject` (`argoproj.io/v1alpha1`).
#[derive(Debug, Clone, PartialEq)]
pub struct AppProject {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`; empty when the manifest has none.
    pub namespace: String,
    /// `metadata.labels`, by which global projects select it.
    pub labels: BTreeMap<String, String>,
    /// `spec.description`.
    pub description: String,
    /// `spec.orphanedResources`; `None` where orphans are not looked for.
    pub orphaned_resources: Option<OrphanedResources>,
    /// Where the manifest was written; the file is `default` where nobody wrote one.
    pub origin: Origin,
    /// Warnings about the manifest.
    pub findings: Vec<Finding>,
    pub(super) rules: RuleSet,
}

/// `spec.orphanedResources`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrphanedResources {
    /// `warn`; off when it is not given.
    pub warn: bool,
    /// `ignore`.
    pub ignore: Vec<OrphanIgnore>,
}

/// An entry of `orphanedResources.ignore`, of globs. An empty group is the core group; an empty kind or name is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrphanIgnore {
    /// `group`.
    pub group: String,
    /// `kind`.
    pub kind: String,
    /// `name`.
    pub name: String,
}

/// An AppProject whose rules cannot be followed.
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidProject {
    /// `metadata.name`; empty when it could not be read.
    pub name: String,
    /// Where the manifest was written.
    pub origin: Origin,
    /// Its errors, at least one, and its warnings.
    pub findings: Vec<Finding>,
}

/// The places in one file.
struct FilePlaces {
    file: Arc<str>,
}

impl FilePlaces {
    fn at(&self, line: usize) -> Origin {
        Origin { file: Arc::clone(&self.file), line }
    }

    fn of<T>(&self, line: usize, value: T) -> Placed<T> {
        Placed { value, origin: self.at(line) }
    }

    fn list<T>(&self, fields: &Fields<'_>, name: &str, items: Vec<Placed<T>>) -> RuleList<T> {
        let origin = fields.is_given(name).then(|| self.at(fields.line_of(name)));
        RuleList { items, origin }
    }
}

/// Decodes one AppProject.
pub(in crate::app) fn decode(
    reading: Reading<'_>,
    document: &Map<String, Value>,
) -> Result<AppProject, Box<InvalidProject>> {
    let mut fields = Fields::new(&reading, document);
    fields.know(&["apiVersion", "kind", "status", "operation"]);
    if let Some(version) = fields.text("apiVersion").strip_prefix("argoproj.io/").filter(|it| *it != "v1alpha1") {
        fields.fault_at(
            "apiVersion",
            &Fault::OtherVersion { what: "an AppProject's version", version: version.to_owned() },
        );
    }
    let metadata: Metadata = fields.required_fields("metadata").map(metadata::decode).unwrap_or_default();
    let places = FilePlaces { file: Arc::clone(reading.file()) };
    let origin = places.at(reading.line(reading.base()));
    let specification = fields.required_fields("spec");
    let specification = specification.map(|spec| decode_specification(spec, &places)).unwrap_or_default();
    fields.finish();
    reading.report_repeated_fields();
    let ProjectSpecification { description, orphaned_resources, rules } = specification;
    let Metadata { name, namespace, labels, .. } = metadata;
    if reading.has_error() {
        return Err(Box::new(InvalidProject { name, origin, findings: reading.into_findings() }));
    }
    let findings = reading.into_findings();
    Ok(AppProject { name, namespace, labels, description, orphaned_resources, origin, findings, rules })
}

#[derive(Default)]
struct ProjectSpecification {
    description: String,
    orphaned_resources: Option<OrphanedResources>,
    rules: RuleSet,
}

fn decode_specification(mut fields: Fields<'_>, places: &FilePlaces) -> ProjectSpecification {
    let accounts = "destinationServiceAccounts";
    fields.know(&[accounts]);
    if fields.is_given(accounts) {
        fields.fault_at(accounts, &Fault::NotChecked { path: fields.shown_field(accounts) });
    }
    fields.list("roles").into_iter().for_each(check_role);
    let specification = ProjectSpecification {
        description: fields.text("description"),
        orphaned_resources: fields.fields("orphanedResources").map(decode_orphans),
        rules: RuleSet {
            source_repos: source_repos(&mut fields, places),
            destinations: destinations(&mut fields, places),
            cluster_allowed: kinds(&mut fields, "clusterResourceWhitelist", places),
            cluster_denied: kinds(&mut fields, "clusterResourceBlacklist", places),
            namespace_allowed: kinds(&mut fields, "namespaceResourceWhitelist", places),
            namespace_denied: kinds(&mut fields, "namespaceResourceBlacklist", places),
            source_namespaces: source_namespaces(&mut fields, places),
            windows: fields
                .list("syncWindows")
                .into_iter()
                .filter_map(|window| windows::decode(window, &places.file))
                .map(Arc::new)
                .collect(),
            integrity: integrity::decode(&mut fields, |line| places.at(line)),
            only_scoped_clusters: fields
                .flag("permitOnlyProjectScopedClusters")
                .then(|| places.at(fields.line_of("permitOnlyProjectScopedClusters"))),
        },
    };
    fields.finish();
    specification
}

fn source_repos(fields: &mut Fields<'_>, places: &FilePlaces) -> RuleList<RulePattern> {
    let name = "sourceRepos";
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, text) in fields.texts_with_index(name) {
        if text == "!*" {
            fields.fault_at_item(name, index, &Fault::DeniesAll { path: fields.shown_field(name) });
        }
        if !seen.insert(text.clone()) {
            fields.fault_at_item(name, index, &Fault::RepeatedEntry { path: fields.shown_field(name), entry: text });
            continue;
        }
        let pattern = RulePattern::of_repositories(&text);
        refuse_no_glob(&pattern, fields, name, index);
        items.push(places.of(fields.line_of_item(name, index), pattern));
    }
    places.list(fields, name, items)
}

fn refuse_no_glob(pattern: &RulePattern, fields: &Fields<'_>, name: &'static str, index: usize) {
    if let Some(why) = pattern.fault() {
        let path = format!("{}[{index}]", fields.shown_field(name));
        fields.fault_at_item(name, index, &Fault::NoProjectGlob { path, pattern: pattern.text.clone(), why });
    }
}

fn destinations(fields: &mut Fields<'_>, places: &FilePlaces) -> RuleList<DestinationRule> {
    let mut items = Vec::new();
    for mut entry in fields.list("destinations") {
        let line = entry.line();
        let mut pattern = |name: &'static str| {
            let text = entry.text(name);
            if text == "!*" {
                entry.fault_at(name, &Fault::DeniesAll { path: entry.shown_field(name) });
            }
            let pattern = RulePattern::plain(&text);
            if let Some(why) = pattern.fault() {
                let path = entry.shown_field(name);
                entry.fault_at(name, &Fault::NoProjectGlob { path, pattern: pattern.text.clone(), why });
            }
            pattern
        };
        let rule =
            DestinationRule { server: pattern("server"), name: pattern("name"), namespace: pattern("namespace") };
        entry.finish();
        items.push(places.of(line, rule));
    }
    places.list(fields, "destinations", items)
}

fn kinds(fields: &mut Fields<'_>, name: &'static str, places: &FilePlaces) -> RuleList<ResourceRule> {
    let has_names = name.starts_with("cluster");
    let entries = fields.list(name).into_iter().map(|mut entry| {
        let line = entry.line();
        let name = if has_names { entry.text("name") } else { String::new() };
        let rule = ResourceRule { group: entry.text("group"), kind: entry.text("kind"), name };
        entry.finish();
        places.of(line, rule)
    });
    let items = entries.collect();
    places.list(fields, name, items)
}

fn source_namespaces(fields: &mut Fields<'_>, places: &FilePlaces) -> RuleList<String> {
    let name = "sourceNamespaces";
    let namespaces = fields.texts_with_index(name);
    let items = namespaces.into_iter().map(|(index, text)| places.of(fields.line_of_item(name, index), text));
    let items = items.collect();
    places.list(fields, name, items)
}

/// Finds the faults of a role. What roles allow is read by [`crate::app::policy`].
fn check_role(mut fields: Fields<'_>) {
    // Tokens of Argo CD's own server.
    fields.know(&["description", "jwtTokens"]);
    fields.text("name");
    fields.texts("policies");
    fields.texts("groups");
    fields.finish();
}

fn decode_orphans(mut fields: Fields<'_>) -> OrphanedResources {
    let ignore = fields.list("ignore").into_iter().map(|mut entry| {
        let ignore = OrphanIgnore { group: entry.text("group"), kind: entry.text("kind"), name: entry.text("name") };
        entry.finish();
        ignore
    });
    let ignore = ignore.collect();
    let orphans = OrphanedResources { warn: fields.flag("warn"), ignore };
    fields.finish();
    orphans
}
