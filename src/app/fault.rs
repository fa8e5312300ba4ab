//! Every message about what an Application's manifest says.
//!
//! A fault becomes a finding in [`super::reading`], which adds the Application's name before it and the line of the file.

use miette::Diagnostic;
use thiserror::Error;

use super::names::Guess;

/// Something wrong with a manifest, or worth a warning.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub(super) enum Fault {
    #[error("`{field}` is not a field of {}", shown_map(.path))]
    #[diagnostic(severity(Warning), code(trueup::app::unknown_field), help("{}", guess.consequence))]
    UnknownField { field: String, path: String, guess: Guess },

    #[error("`{path}` is {found}, not {expected}")]
    #[diagnostic(code(trueup::app::wrong_type), help("{advice}"))]
    WrongType { path: String, found: &'static str, expected: &'static str, advice: String },

    #[error("`{field}` cannot be overridden")]
    #[diagnostic(
        severity(Warning),
        code(trueup::app::override_fixed),
        help("Argo CD takes it from the Application alone; remove it from the file")
    )]
    FixedByOverride { field: String },

    #[error("{} has no `{field}`", shown_map(.path))]
    #[diagnostic(code(trueup::app::missing_field), help("add `{field}`; `kubectl apply` would ask for it too"))]
    Missing { path: String, field: String },

    #[error("{what} is `{version}`, which Argo CD does not know")]
    #[diagnostic(code(trueup::app::version), help("write `apiVersion: argoproj.io/v1alpha1`"))]
    OtherVersion { what: &'static str, version: String },

    #[error("`{path}` is given twice in one map")]
    #[diagnostic(
        severity(Warning),
        code(trueup::app::repeated_field),
        help("the last one counts, as it does for kubectl; remove the other")
    )]
    RepeatedField { path: String },

    #[error("the name {why}")]
    #[diagnostic(
        code(trueup::app::name),
        help("Kubernetes takes lower case letters, digits, `-` and `.`, with a letter or digit at both ends")
    )]
    BadName { why: String },

    #[error("the namespace {why}")]
    #[diagnostic(
        code(trueup::app::namespace),
        help("Kubernetes takes lower case letters, digits and `-`, with a letter or digit at both ends")
    )]
    BadNamespace { why: String },

    #[error("`{name}` is not an annotation that Argo CD reads")]
    #[diagnostic(severity(Warning), code(trueup::app::unknown_annotation), help("as it stands, it has no effect"))]
    UnknownAnnotation { name: String, nearest: String },

    #[error("`{name}` is not a finalizer that Argo CD removes")]
    #[diagnostic(
        severity(Warning),
        code(trueup::app::unknown_finalizer),
        help("as it stands, the Application can never be deleted")
    )]
    UnknownFinalizer { name: String, nearest: String },

    #[error("`spec` has no source")]
    #[diagnostic(code(trueup::app::no_source), help("add `source`, `sources` or `sourceHydrator` to `spec`"))]
    NoSource,

    #[error("`{path}` is ignored, because `spec.{winner}` is given")]
    #[diagnostic(severity(Warning), code(trueup::app::ignored_source), help("remove one of the two"))]
    IgnoredSource { path: String, winner: &'static str },

    #[error("`{path}` has no `repoURL`")]
    #[diagnostic(code(trueup::app::no_repo_url), help("add the URL of the repository as `repoURL`"))]
    NoRepoUrl { path: String },

    // Argo CD: "spec.source.repoURL and either spec.source.path or spec.source.chart are required".
    #[error("`{path}` has no {needed}, one of which is required")]
    #[diagnostic(code(trueup::app::no_path), help("for the root of a repository, write `path: .`"))]
    NoPath { path: String, needed: &'static str },

    #[error("`{path}` begins with `/`, but a path is relative to the repository's root")]
    #[diagnostic(code(trueup::app::absolute_path), help("write it as `{}`", relative(.value)))]
    AbsolutePath { path: String, value: String },

    #[error("`{path}.targetRevision` is required, because the source is the Helm chart `{chart}`")]
    #[diagnostic(code(trueup::app::no_chart_version), help("add the chart's version, or a range such as `1.*`"))]
    NoChartVersion { path: String, chart: String },

    #[error("`{path}.targetRevision` is required, because the source is in a registry")]
    #[diagnostic(code(trueup::app::no_chart_version), help("add a tag, a digest, or a range such as `1.*`"))]
    NoTag { path: String },

    #[error("`{path}.path` is ignored, because `{path}.chart` is given")]
    #[diagnostic(severity(Warning), code(trueup::app::path_beside_chart), help("remove one of the two"))]
    PathBesideChart { path: String },

    // Argo CD: "multiple application sources defined: Kustomize,Helm".
    #[error("multiple application sources defined in `{path}`: {tools}")]
    #[diagnostic(
        code(trueup::app::several_tools),
        help("one source is rendered by one tool; keep one of helm, kustomize, directory and plugin")
    )]
    SeveralTools { path: String, tools: String },

    #[error("`{path}` asks for a Helm chart, and for {tool} to render it")]
    #[diagnostic(
        code(trueup::app::chart_with_other_tool),
        help("remove `{tool}`, or give a `path` in place of `chart`")
    )]
    ChartWithOtherTool { path: String, tool: String },

    #[error("`{path}` is `{reference}`, but may only have letters, digits, `-` and `_`")]
    #[diagnostic(code(trueup::app::reference), help("choose another name, here and in each `${reference}/…`"))]
    BadReference { path: String, reference: String },

    #[error("`{path}` has no meaning in a single source")]
    #[diagnostic(severity(Warning), code(trueup::app::lonely_reference), help("move the source into `spec.sources`"))]
    LonelyReference { path: String },

    #[error("`{path}` is `{reference}`, as is `{first}`")]
    #[diagnostic(code(trueup::app::repeated_reference), help("give each source a `ref` of its own"))]
    RepeatedReference { path: String, reference: String, first: String },

    #[error("`{path}` is `{version}`, which is not a Helm version that Argo CD knows")]
    #[diagnostic(code(trueup::app::helm_version), help("remove it: whichever is given, the same Helm runs"))]
    HelmVersion { path: String, version: String },

    #[error("`{path}` is ignored, because `valuesObject` is given")]
    #[diagnostic(severity(Warning), code(trueup::app::values_beside_object), help("remove one of the two"))]
    ValuesBesideObject { path: String },

    #[error("`{path}` is `{value}`, but rendered manifests need a folder of their own")]
    #[diagnostic(code(trueup::app::hydrated_root), help("name a folder below the repository's root"))]
    HydratedRoot { path: String, value: String },

    // Argo CD: "application destination can't have both name and server defined".
    #[error("the destination can't have both name and server defined: `{name}` and `{server}`")]
    #[diagnostic(code(trueup::app::destination), help("remove `name` or `server` from `spec.destination`"))]
    TwoDestinations { name: String, server: String },

    #[error("the destination has neither `server` nor `name`")]
    #[diagnostic(
        code(trueup::app::destination),
        help("for the cluster that Argo CD itself runs in, add `server: https://kubernetes.default.svc`")
    )]
    NoDestination,

    #[error("`{option}` is not a sync option {why}")]
    #[diagnostic(severity(Warning), code(trueup::app::sync_option), help("as it stands, it has no effect"))]
    UnknownSyncOption { option: String, nearest: Option<String>, why: &'static str },

    #[error("`{path}` is `{value}`, which is not a duration: {why}")]
    #[diagnostic(code(trueup::app::duration), help("write it as `5s`, `3m` or `1h30m`; a bare number means seconds"))]
    BadDuration { path: String, value: String, why: &'static str },

    #[error("`{path}` is `{value}`, but has to be {known}")]
    #[diagnostic(code(trueup::app::unknown_value), help("the API server refuses the manifest, too"))]
    UnknownValue { path: String, value: String, known: String },
    #[error("`{path}` is `{value}`, which is not a duration: {why}")]
    #[diagnostic(code(trueup::app::duration), help("write it as `90m` or `1h30m`"))]
    BadWindowLength { path: String, value: String, why: &'static str },

    #[error("`{path}` is {value}, {why}")]
    #[diagnostic(code(trueup::app::range), help("{advice}"))]
    OutOfRange { path: String, value: i64, why: &'static str, advice: &'static str },

    #[error("`{path}` is `{pointer}`, but a JSON pointer begins with `/`")]
    #[diagnostic(severity(Warning), code(trueup::app::pointer), help("as it stands, the field is compared"))]
    BadPointer { path: String, pointer: String },

    #[error("`{path}` names no field to ignore")]
    #[diagnostic(
        severity(Warning),
        code(trueup::app::ignores_nothing),
        help("add `jsonPointers`, `jqPathExpressions` or `managedFieldsManagers`")
    )]
    IgnoresNothing { path: String },

    #[error("`{field}` is not a field of a `trueup.yaml`")]
    #[diagnostic(severity(Warning), code(trueup::app::ignore_file), help("its one field is `ignore`"))]
    NotOfIgnoreFile { field: String },

    #[error("is {found}, not a map with `ignore`")]
    #[diagnostic(
        severity(Warning),
        code(trueup::app::ignore_file),
        help("write `ignore:`, and below it a list of rules")
    )]
    IgnoreFileIsNoMap { found: &'static str },

    #[error("`{path}` is `{found}`, not `always` or `cluster-changed`")]
    #[diagnostic(severity(Warning), code(trueup::app::ignore_file), help("write one of the two, or leave it out"))]
    BadWhen { path: String, found: String },
    #[error("`{path}` denies everything: `!*`")]
    #[diagnostic(code(trueup::project::pattern), help("Argo CD refuses it; remove the entry to allow nothing"))]
    DeniesAll { path: String },

    #[error("`{path}` has `{entry}` twice")]
    #[diagnostic(severity(Warning), code(trueup::project::repeated_entry), help("remove one of them"))]
    RepeatedEntry { path: String, entry: String },

    #[error("`{path}` is `{pattern}`, which is not a glob: {why}")]
    #[diagnostic(
        code(trueup::project::pattern),
        help("write `*` for any text, `?` for one letter, `[a-z]` for one of several, `{{a,b}}` for a choice")
    )]
    NoProjectGlob { path: String, pattern: String, why: String },

    #[error("`{path}` is `{value}`, which is not a schedule: {why}")]
    #[diagnostic(
        code(trueup::project::schedule),
        help("write five fields: minute, hour, day of month, month, day of week, as in `0 22 * * mon-fri`")
    )]
    BadSchedule { path: String, value: String, why: String },

    #[error("`{path}` is `{value}`, which Argo CD refuses")]
    #[diagnostic(
        severity(Warning),
        code(trueup::project::descriptor),
        help("write the five fields, as in `0 0 * * *` for `@daily`")
    )]
    CronDescriptor { path: String, value: String },

    #[error("`{path}` is `{value}`, not `none`, `head` or `strict`")]
    #[diagnostic(
        code(trueup::project::integrity),
        help("`head` verifies the commit or tag of a source, `strict` its history, too")
    )]
    BadIntegrityMode { path: String, value: String },

    #[error("`{path}` is not checked by this version")]
    #[diagnostic(
        severity(Warning),
        code(trueup::project::not_checked),
        help("applications of the project are synced as if it were not there")
    )]
    NotChecked { path: String },

    #[error("`{path}` is `{value}`, which is not a time zone")]
    #[diagnostic(
        code(trueup::project::time_zone),
        help("write a name of the IANA database, such as `Europe/Berlin`; without one it is UTC")
    )]
    BadTimeZone { path: String, value: String },

    #[error("`{path}` is `{value}`, not `allow` or `deny`")]
    #[diagnostic(code(trueup::project::window), help("`allow` opens syncs at its times, `deny` closes them"))]
    BadWindowKind { path: String, value: String },

    #[error("`{path}` names no application, namespace or cluster")]
    #[diagnostic(
        code(trueup::project::window),
        help("add `applications`, `namespaces` or `clusters`; `['*']` matches all")
    )]
    WindowOfNothing { path: String },

    #[error("`spec.project` is not given")]
    #[diagnostic(severity(Warning), code(trueup::app::no_project), help("as it stands, the project is `default`"))]
    NoProject,
}

impl Fault {
    /// Whether something is not there that another manifest may add, as Kustomize merges them; or whether nothing is wrong.
    pub(super) fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::Missing { .. }
                | Self::NoSource
                | Self::NoRepoUrl { .. }
                | Self::NoPath { .. }
                | Self::NoChartVersion { .. }
                | Self::NoTag { .. }
                | Self::NoDestination
                | Self::NoProject
        )
    }

    /// The label under the marked piece of the file.
    pub(super) fn label(&self) -> Option<String> {
        match self {
            Self::UnknownField { guess, .. } => Some(guess.label.clone()),
            Self::WrongType { expected, .. } => Some(format!("should be {expected}")),
            Self::UnknownAnnotation { nearest, .. }
            | Self::UnknownFinalizer { nearest, .. }
            | Self::UnknownSyncOption { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::OtherVersion { .. } => Some("did you mean `argoproj.io/v1alpha1`?".to_owned()),
            _ => None,
        }
    }
}

fn shown_map(path: &str) -> String {
    match path {
        "" => "an Application".to_owned(),
        root if root.starts_with("an ") => root.to_owned(),
        path => format!("`{path}`"),
    }
}

fn relative(path: &str) -> &str {
    match path.trim_start_matches('/') {
        "" => ".",
        path => path,
    }
}
