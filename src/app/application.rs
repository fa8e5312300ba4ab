//! The Application, and how it is decoded: metadata, the sources in force, the destination.
//!
//! In: a document of a manifest, as fields. Out: an [`Application`] with its warnings, or an [`InvalidApplication`] with
//! everything that is wrong with it, at once.
//!
//! Rules: Argo CD pkg/apis/application/v1alpha1/types.go (the fields), util/argo/argo.go `ValidatePermissions` and
//! util/argo/destination (what must not be missing), its definition of the kind (the types).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fault::Fault;
use super::fields::Fields;
use super::ignore::{self, IgnoreDifference};
use super::lineage::{Lineage, QualifiedName};
use super::manifest_folder::ManifestFolder;
use super::metadata::{self, Metadata};
use super::operation::{self, Info, RequestedOperation};
use super::reading::Reading;
use super::source::{self, Source, SourceHydrator, Within};
use super::sync_policy::{self, SyncPolicy};
use crate::finding::Finding;
use crate::object::Origin;
use crate::object::annotations::{COMPARE_OPTIONS, SKIP_RECONCILE, has_option};

/// An Argo CD `Application` (`argoproj.io/v1alpha1`).
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`; empty when the manifest has none.
    pub namespace: String,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
    /// `metadata.finalizers`.
    pub finalizers: Vec<String>,
    /// `spec.project`; `default` when empty.
    pub project: String,
    /// The sources in force: what `spec.sourceHydrator` syncs from, else `spec.sources`, else `spec.source`.
    pub sources: Vec<Source>,
    /// Where the sources in force were written.
    pub source_form: SourceForm,
    /// `spec.sourceHydrator`.
    pub source_hydrator: Option<SourceHydrator>,
    /// `spec.destination`.
    pub destination: Destination,
    /// `spec.syncPolicy`; all defaults when the manifest has none.
    pub sync_policy: SyncPolicy,
    /// `spec.ignoreDifferences`.
    pub ignore_differences: Vec<IgnoreDifference>,
    /// `spec.info`.
    pub info: Vec<Info>,
    /// `spec.revisionHistoryLimit`; 10 when the manifest has none.
    pub revision_history_limit: u64,
    /// `operation`: a sync that somebody asked for.
    pub operation: Option<RequestedOperation>,
    /// Where the manifest was written.
    pub origin: Origin,
    /// The folder of the manifest's file, which a relative `repoURL` starts from.
    pub folder: ManifestFolder,
    /// The ApplicationSet and the Application that it comes from.
    pub lineage: Lineage,
    /// Warnings about the manifest.
    pub findings: Vec<Finding>,
}

/// Which field of `spec` holds the sources in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceForm {
    /// `spec.source`.
    Single,
    /// `spec.sources`: references between sources work, objects of the last source win.
    Multiple,
    /// `spec.sourceHydrator`: what its `syncSource` holds is already rendered.
    Hydrated,
}

/// `spec.destination`: a server or a name, and the namespace for objects that have none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Destination {
    /// The API server's URL, without trailing slashes; empty when `name` is given.
    pub server: String,
    /// The cluster's name; empty when `server` is given.
    pub name: String,
    /// The namespace that fills namespaced objects without one.
    pub namespace: String,
}

/// An Application that cannot be compared: what could be read of it, and everything that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct InvalidApplication {
    /// `metadata.name`; `None` when it could not be read.
    pub name: Option<String>,
    /// `metadata.namespace`; empty when the manifest has none.
    pub namespace: String,
    /// `metadata.labels`; `None` when they could not be read.
    pub labels: Option<BTreeMap<String, String>>,
    /// `spec.project`, `default` when empty; `None` when it could not be read.
    pub project: Option<String>,
    /// `spec.destination`, as far as it could be read.
    pub destination: Destination,
    /// Where the manifest was written.
    pub origin: Origin,
    /// The ApplicationSet and the Application that it comes from.
    pub lineage: Lineage,
    /// Whether all that is wrong is that something is not there, which Kustomize may add.
    pub is_incomplete: bool,
    /// Its errors, at least one, and its warnings.
    pub findings: Vec<Finding>,
}

/// The fields of `spec`.
const SPECIFICATION: [&str; 9] = [
    "destination",
    "ignoreDifferences",
    "info",
    "project",
    "revisionHistoryLimit",
    "source",
    "sourceHydrator",
    "sources",
    "syncPolicy",
];

/// Whether an Application can only be meant to be merged with another manifest, as Kustomize merges patches: it names no
/// repository, and has no source at all or no cluster either. What it lacks is not there under a misspelt name.
pub(super) fn is_partial(manifest: &Map<String, Value>) -> bool {
    let Some(spec) = manifest.get("spec").and_then(Value::as_object) else { return true };
    if spec.keys().any(|field| !SPECIFICATION.contains(&field.as_str()) && !field.starts_with('$')) {
        return false;
    }
    let has = |value: Option<&Value>, field: &str| value.is_some_and(|value| value.get(field).is_some());
    let sources = spec.get("sources").and_then(Value::as_array).into_iter().flatten();
    let hydrated = spec.get("sourceHydrator").and_then(|hydrator| hydrator.get("drySource"));
    let mut sources = spec.get("source").into_iter().chain(sources).chain(hydrated).peekable();
    let has_source = sources.peek().is_some();
    let has_repository = sources.any(|source| has(Some(source), "repoURL"));
    let has_cluster = ["server", "name"].iter().any(|field| has(spec.get("destination"), field));
    !(has_repository || (has_source && has_cluster))
}

impl InvalidApplication {
    /// Its name with its namespace, the default one where its manifest has none; nothing where it could not be read.
    pub fn qualified_name(&self, default_namespace: &str) -> Option<QualifiedName> {
        Some(QualifiedName::of(&self.namespace, self.name.as_deref()?, default_namespace))
    }

    /// Its name, or where it stands.
    pub fn shown_name(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{}:{}", self.origin.file, self.origin.line))
    }
}

impl Application {
    /// The name that tracking uses: `<namespace>_<name>` outside of the controller's own namespace.
    ///
    /// Rule: Argo CD pkg/apis/application/v1alpha1/types.go `InstanceName`.
    pub fn instance_name(&self, controller_namespace: &str) -> String {
        if self.namespace.is_empty() || self.namespace == controller_namespace {
            self.name.clone()
        } else {
            format!("{}_{}", self.namespace, self.name)
        }
    }

    /// Its name with its namespace; the default one where its manifest has none.
    pub fn qualified_name(&self, default_namespace: &str) -> QualifiedName {
        QualifiedName::of(&self.namespace, &self.name, default_namespace)
    }

    /// The same Application, no longer to be compared, for a reason outside of its own manifest.
    pub(super) fn refused(self, reason: Finding) -> InvalidApplication {
        let mut findings = self.findings;
        findings.push(reason);
        let Self { name, namespace, labels, project, destination, origin, lineage, .. } = self;
        InvalidApplication {
            name: Some(name),
            namespace,
            labels: Some(labels),
            project: Some(project),
            destination,
            origin,
            lineage,
            is_incomplete: false,
            findings,
        }
    }

    /// Whether `ServerSideDiff=false` says not to ask the server what it would make of an object.
    pub fn forbids_server_side_diff(&self) -> bool {
        self.annotations.get(COMPARE_OPTIONS).is_some_and(|options| has_option(options, "ServerSideDiff=false"))
    }

    /// Whether `IncludeMutationWebhook=true` says to compare what others than git change on the way, too.
    pub fn includes_mutation_webhooks(&self) -> bool {
        self.annotations.get(COMPARE_OPTIONS).is_some_and(|options| has_option(options, "IncludeMutationWebhook=true"))
    }

    /// Whether its annotation asks Argo CD to leave it alone.
    ///
    /// Rule: Go's strconv.ParseBool; anything else counts as no.
    pub fn skips_reconcile(&self) -> bool {
        let value = self.annotations.get(SKIP_RECONCILE).map(String::as_str);
        matches!(value, Some("1" | "t" | "T" | "TRUE" | "true" | "True"))
    }
}

/// Decodes one Application; everything that is wrong with it is in the findings of either answer.
pub(super) fn decode(
    reading: Reading<'_>,
    document: &Map<String, Value>,
    folder: &ManifestFolder,
) -> Result<Application, Box<InvalidApplication>> {
    let parts = Parts::decode(Fields::new(&reading, document));
    reading.report_repeated_fields();
    let origin = Origin { file: reading.file().clone(), line: reading.line(reading.base()) };
    let Parts { metadata, specification, operation } = parts;
    let Metadata { name, namespace, labels, annotations, finalizers } = metadata;
    let project = if specification.project.is_empty() { "default".to_owned() } else { specification.project };
    if reading.has_error() {
        let is_read = |part: &str, field: &str| {
            let place = reading.base().child(part).child(field);
            document.get(part).is_some_and(Value::is_object) && !reading.has_fault_below(&place)
        };
        return Err(Box::new(InvalidApplication {
            name: Some(name).filter(|name| !name.is_empty()),
            namespace,
            labels: is_read("metadata", "labels").then_some(labels),
            project: is_read("spec", "project").then_some(project),
            destination: specification.destination,
            origin,
            lineage: Lineage::default(),
            is_incomplete: reading.only_lacks(),
            findings: reading.into_findings(),
        }));
    }
    Ok(Application {
        name,
        namespace,
        labels,
        annotations,
        finalizers,
        project,
        sources: specification.sources,
        source_form: specification.source_form,
        source_hydrator: specification.source_hydrator,
        destination: specification.destination,
        sync_policy: specification.sync_policy,
        ignore_differences: specification.ignore_differences,
        info: specification.info,
        revision_history_limit: specification.revision_history_limit,
        operation,
        origin,
        folder: folder.to_owned(),
        lineage: Lineage::default(),
        findings: reading.into_findings(),
    })
}

#[derive(Default)]
struct Parts {
    metadata: Metadata,
    specification: Specification,
    operation: Option<RequestedOperation>,
}

struct Specification {
    project: String,
    sources: Vec<Source>,
    source_form: SourceForm,
    source_hydrator: Option<SourceHydrator>,
    destination: Destination,
    sync_policy: SyncPolicy,
    ignore_differences: Vec<IgnoreDifference>,
    info: Vec<Info>,
    revision_history_limit: u64,
}

impl Default for Specification {
    fn default() -> Self {
        Self {
            project: String::new(),
            sources: Vec::new(),
            source_form: SourceForm::Single,
            source_hydrator: None,
            destination: Destination::default(),
            sync_policy: SyncPolicy::default(),
            ignore_differences: Vec::new(),
            info: Vec::new(),
            // Argo CD types.go `RevisionHistoryLimit`.
            revision_history_limit: 10,
        }
    }
}

impl Parts {
    fn decode(mut fields: Fields<'_>) -> Self {
        fields.know(&["apiVersion", "kind", "status"]);
        // An item of an ApplicationList may leave it to the list.
        if let Some(version) = fields.text("apiVersion").strip_prefix("argoproj.io/").filter(|it| *it != "v1alpha1") {
            fields.fault_at(
                "apiVersion",
                &Fault::OtherVersion { what: "an Application's version", version: version.to_owned() },
            );
        }
        let parts = Self {
            metadata: fields.required_fields("metadata").map(metadata::decode).unwrap_or_default(),
            specification: fields.required_fields("spec").map(decode_specification).unwrap_or_default(),
            operation: fields.fields("operation").map(operation::decode),
        };
        fields.finish();
        parts
    }
}

fn decode_specification(mut fields: Fields<'_>) -> Specification {
    if !fields.is_given("project") {
        fields.fault(&Fault::NoProject);
    }
    let (sources, source_form, source_hydrator) = decode_sources(&mut fields);
    let specification = Specification {
        project: fields.text("project"),
        sources,
        source_form,
        source_hydrator,
        destination: fields.required_fields("destination").map(decode_destination).unwrap_or_default(),
        sync_policy: fields.fields("syncPolicy").map(sync_policy::decode).unwrap_or_default(),
        ignore_differences: fields.list("ignoreDifferences").into_iter().map(ignore::decode).collect(),
        info: fields.list("info").into_iter().map(operation::decode_info).collect(),
        revision_history_limit: decode_revision_history_limit(&mut fields),
    };
    fields.finish();
    specification
}

// Argo CD types.go `GetSources`: the hydrator wins over `sources`, a `sources` that is not empty over `source`.
fn decode_sources(fields: &mut Fields<'_>) -> (Vec<Source>, SourceForm, Option<SourceHydrator>) {
    let single = fields.fields("source");
    let list = fields.list("sources");
    let is_hydrated = fields.is_given("sourceHydrator");
    let winner = match (is_hydrated, list.is_empty()) {
        (true, _) => Some("sourceHydrator"),
        (false, false) => Some("sources"),
        (false, true) => None,
    };
    if let (Some(winner), true) = (winner, single.is_some()) {
        fields.fault_at("source", &Fault::IgnoredSource { path: fields.shown_field("source"), winner });
    }
    if is_hydrated && !list.is_empty() {
        let path = fields.shown_field("sources");
        fields.fault_at("sources", &Fault::IgnoredSource { path, winner: "sourceHydrator" });
    }
    // What is ignored is not judged.
    if is_hydrated {
        let hydrator = fields.fields("sourceHydrator").and_then(source::decode_hydrator);
        return (hydrator.iter().map(SourceHydrator::source).collect(), SourceForm::Hydrated, hydrator);
    }
    fields.know(&["sourceHydrator"]);
    if !list.is_empty() {
        return (source::decode_list(list, Within::Sources), SourceForm::Multiple, None);
    }
    if single.is_none() && !fields.has_fault("source") && !fields.has_fault("sources") {
        fields.fault(&Fault::NoSource);
    }
    let sources =
        single.map(|single| source::decode(single, Within::Source).without_empty_blocks()).into_iter().collect();
    (sources, SourceForm::Single, None)
}

fn decode_destination(mut fields: Fields<'_>) -> Destination {
    let destination = Destination {
        server: fields.text("server").trim_end_matches('/').to_owned(),
        name: fields.text("name"),
        namespace: fields.text("namespace"),
    };
    match (destination.server.is_empty(), destination.name.is_empty()) {
        (false, false) => {
            let Destination { server, name, .. } = destination.clone();
            fields.fault(&Fault::TwoDestinations { name, server });
        }
        (true, true) if !fields.has_fault("server") && !fields.has_fault("name") => {
            fields.fault(&Fault::NoDestination);
        }
        _ => {}
    }
    fields.finish();
    destination
}

fn decode_revision_history_limit(fields: &mut Fields<'_>) -> u64 {
    let name = "revisionHistoryLimit";
    let Some(value) = fields.integer(name) else { return 10 };
    u64::try_from(value).unwrap_or_else(|_negative| {
        let path = fields.shown_field(name);
        let (why, advice) = ("which is less than nothing", "use 0 to keep no history; the default is 10");
        fields.fault_at(name, &Fault::OutOfRange { path, value, why, advice });
        10
    })
}
