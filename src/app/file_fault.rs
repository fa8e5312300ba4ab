//! Every message about a manifest file, and about which Applications it holds.

use miette::Diagnostic;
use thiserror::Error;

/// Something wrong with a file, outside of the fields of an Application.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub(super) enum FileFault {
    #[error("{file}: cannot be decoded as YAML text: {why}")]
    #[diagnostic(code(trueup::app::encoding), help("save it as UTF-8"))]
    NotText { file: String, why: String },

    #[error("{file}:{line}: cannot be read as YAML: {why}")]
    #[diagnostic(code(trueup::app::yaml), help("{}", passed_over(*.may_hide)))]
    NotYaml { file: String, line: usize, why: String, may_hide: MayHide },

    #[error("{file}:{line}: is a template, not a manifest")]
    #[diagnostic(
        code(trueup::app::template),
        help("{}; render it, as with `helm template`, and give the output", passed_over(*.may_hide))
    )]
    Template { file: String, line: usize, may_hide: MayHide },

    #[error(
        "{chart}: the templates of a Helm chart are not read, and {count} of them {}",
        if *.count == 1 { "makes Applications" } else { "make Applications" }
    )]
    #[diagnostic(
        severity(Warning),
        code(trueup::app::template),
        help("render the chart, as with `helm template {chart}`, and give the output")
    )]
    ChartTemplates { chart: String, count: usize },

    #[error("{file}:{line}: the text after the end of the document is not read")]
    #[diagnostic(
        severity(Warning),
        code(trueup::app::unread_text),
        help("{}; begin a new document with `---`, or remove it", passed_over(*.may_hide))
    )]
    Unread { file: String, line: usize, may_hide: MayHide },

    #[error("{kustomization}: Kustomize patches Applications here; the patched Applications are not read")]
    #[diagnostic(
        severity(Warning),
        code(trueup::app::patched),
        help("build them, as with `kubectl kustomize`, and give the output")
    )]
    Patched { kustomization: String },

    #[error("{kustomization}: {} not complete without Kustomize, and not read", incomplete(.names))]
    #[diagnostic(
        severity(Warning),
        code(trueup::app::partial),
        help("build them, as with `kubectl kustomize`, and give the output")
    )]
    Completed { kustomization: String, names: Vec<String> },

    #[error("{file}:{line}: {} names no repository, as a patch for Kustomize", named(.name))]
    #[diagnostic(
        severity(Warning),
        code(trueup::app::partial),
        help("it was skipped; build it, as with `kubectl kustomize`, and give the output")
    )]
    Partial { file: String, line: usize, name: String },

    #[error("{file}: holds no Application, {holds}")]
    #[diagnostic(
        code(trueup::app::no_application),
        help("give a manifest of `kind: Application` and `apiVersion: argoproj.io/v1alpha1`")
    )]
    NoApplication { file: String, holds: String },

    #[error("no Application was found; the files hold {holds}")]
    #[diagnostic(
        code(trueup::app::no_application),
        help(
            "give a manifest of `kind: Application` and `apiVersion: argoproj.io/v1alpha1`, or a folder that has some"
        )
    )]
    NoneAnywhere { holds: String },

    #[error("{file}:{line}: `{api_version}`, `{kind}` looks like an Application, but is not one")]
    #[diagnostic(severity(Warning), code(trueup::app::misspelt_kind), help("it is skipped"))]
    Misspelt { file: String, line: usize, api_version: String, kind: String },

    #[error("{} Applications have this name: {}", .places.len(), in_words(.places))]
    #[diagnostic(
        code(trueup::app::repeated_application),
        help("the first was taken; rename or remove the others, or build them if Kustomize renames them")
    )]
    Repeated { places: Vec<String> },

    #[error("project {name}: {} AppProjects have this name: {}", .places.len(), in_words(.places))]
    #[diagnostic(
        code(trueup::project::repeated),
        help("keep one of them; applications of the project are not synced until then")
    )]
    RepeatedProject { name: String, places: Vec<String> },
}

/// So many of a kind are named; of the others there is a number.
const NAMED: usize = 20;

/// `a`, `b` and `c`.
fn in_words(names: &[String]) -> String {
    let shown = &names[..names.len().min(NAMED)];
    match (shown, names.len() - shown.len()) {
        ([first @ .., last], 0) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (shown, 0) => shown.join(", "),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

fn named(name: &str) -> String {
    if name.is_empty() { "an Application without a name".to_owned() } else { format!("the Application `{name}`") }
}

fn incomplete(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
    match names.len() {
        1 => format!("the Application {} is", quoted.join("")),
        count if count > quoted.len() => format!("{count} Applications ({}, …) are", quoted.join(", ")),
        count => format!("{count} Applications ({}) are", quoted.join(", ")),
    }
}

/// Whether a file that cannot be read looks as if an Application were in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MayHide {
    /// It mentions one.
    AnApplication,
    /// It does not.
    Nothing,
}

impl MayHide {
    /// Looks for the words.
    pub(super) fn of(text: &str) -> Self {
        let mentions = text.contains("argoproj.io") && text.contains("Application");
        if mentions { Self::AnApplication } else { Self::Nothing }
    }
}

fn passed_over(may_hide: MayHide) -> &'static str {
    match may_hide {
        MayHide::AnApplication => "an Application in it would not be read",
        MayHide::Nothing => "it was skipped; it does not look like an Application",
    }
}
