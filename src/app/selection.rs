//! Which Applications a run is about: `--app`, `--selector`, `--project`, `--namespace`.
//!
//! In: the flags' texts, then every Application that was read. Out: those that match all flags given; asking for what is
//! not there is an error that names the nearest thing that is.

use std::collections::{BTreeMap, BTreeSet};

use globset::{Glob, GlobMatcher};
use miette::Diagnostic;
use thiserror::Error;

use super::application::{Application, InvalidApplication};
use super::label_selector::{LabelSelector, SelectorError};
use super::manifests::Manifests;
use super::names;
use super::shard::Shard;

/// Applications in the order of the input, those whose manifests are wrong among them.
pub type Applications = Vec<Result<Application, Box<InvalidApplication>>>;

/// The flags that select Applications.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    applications: Vec<ApplicationPattern>,
    selector: Option<(String, LabelSelector)>,
    projects: Vec<Pattern>,
    /// A namespace, and the one that manifests without any belong to.
    namespace: Option<(String, String)>,
    /// A part of those that match, and the namespace that manifests without any belong to.
    shard: Option<(Shard, String)>,
}

/// Why Applications cannot be selected.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum SelectionError {
    /// A name with `*`, `?`, `[…]` or `{…}` that is no glob.
    #[error("`{flag} {pattern}` is not a glob")]
    #[diagnostic(code(trueup::app::glob), help("write `*` for any text, `?` for one letter, `{{a,b}}` for a choice"))]
    Glob {
        /// The flag.
        flag: &'static str,
        /// Its value.
        pattern: String,
        /// The fault.
        #[source]
        cause: globset::Error,
    },
    /// Not a label selector.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Selector(#[from] SelectorError),
    /// A flag that matches nothing.
    #[error("`{flag} {pattern}` matches no Application")]
    #[diagnostic(code(trueup::app::nothing_selected), help("{advice}"))]
    Nothing {
        /// The flag.
        flag: &'static str,
        /// Its value.
        pattern: String,
        /// The nearest thing that is there.
        advice: String,
    },
    /// Flags that match something each, but nothing together.
    #[error("no Application matches {flags} together")]
    #[diagnostic(code(trueup::app::nothing_selected), help("leave one of them out"))]
    NothingTogether {
        /// The flags with their values.
        flags: String,
    },
}

#[derive(Debug, Clone)]
struct Pattern {
    text: String,
    glob: GlobMatcher,
}

#[derive(Debug, Clone)]
struct ApplicationPattern {
    text: String,
    namespace: Option<GlobMatcher>,
    name: GlobMatcher,
}

/// The fields that selection reads; `None` where it could not be read, which might be anything.
#[derive(Clone, Copy)]
struct SelectedIdentity<'entry> {
    namespace: &'entry str,
    name: Option<&'entry str>,
    project: Option<&'entry str>,
    labels: Option<&'entry BTreeMap<String, String>>,
}

impl<'entry> SelectedIdentity<'entry> {
    fn of(entry: &'entry Result<Application, Box<InvalidApplication>>) -> Self {
        match entry {
            Ok(application) => Self {
                namespace: &application.namespace,
                name: Some(&application.name),
                project: Some(&application.project),
                labels: Some(&application.labels),
            },
            Err(invalid) => Self {
                namespace: &invalid.namespace,
                name: invalid.name.as_deref(),
                project: invalid.project.as_deref(),
                labels: invalid.labels.as_ref(),
            },
        }
    }
}

impl ApplicationPattern {
    fn matches(&self, identity: SelectedIdentity<'_>) -> bool {
        identity.name.is_none_or(|name| self.name.is_match(name))
            && self.namespace.as_ref().is_none_or(|namespace| namespace.is_match(identity.namespace))
    }
}

impl Selection {
    /// Takes the values of `--app`, `--selector` and `--project`; an empty list, or no selector, narrows nothing.
    ///
    /// Names may be globs, and `--app` also takes `namespace/name`.
    pub fn new(apps: &[String], selector: Option<&str>, projects: &[String]) -> Result<Self, Vec<SelectionError>> {
        let mut errors = Vec::new();
        let mut selection = Self::default();
        for text in apps {
            match application_pattern(text) {
                Ok(pattern) => selection.applications.push(pattern),
                Err(error) => errors.push(error),
            }
        }
        for text in projects {
            match glob("--project", text, text) {
                Ok(glob) => selection.projects.push(Pattern { text: text.clone(), glob }),
                Err(error) => errors.push(error),
            }
        }
        match selector.map(|text| (text, text.parse())) {
            None => {}
            Some((text, Ok(parsed))) => selection.selector = Some((text.to_owned(), parsed)),
            Some((_, Err(error))) => errors.push(SelectionError::Selector(error)),
        }
        if errors.is_empty() { Ok(selection) } else { Err(errors) }
    }

    /// Keeps those in a namespace (`--namespace`); a manifest without any is in `default`.
    #[must_use]
    pub fn in_namespace(self, namespace: Option<&str>, default: &str) -> Self {
        Self { namespace: namespace.map(|namespace| (namespace.to_owned(), default.to_owned())), ..self }
    }

    /// Keeps one part of those that match (`--shard`); a manifest without a namespace is in `default`.
    #[must_use]
    pub fn in_shard(self, shard: Option<Shard>, default: &str) -> Self {
        Self { shard: shard.map(|shard| (shard, default.to_owned())), ..self }
    }

    /// Keeps the Applications that match; findings about files stay, for they may hide an Application.
    pub fn apply(&self, manifests: Manifests) -> Result<Manifests, Vec<SelectionError>> {
        let applications = self.select(manifests.applications)?;
        Ok(Manifests { applications, ..manifests })
    }

    /// The Applications that match.
    pub fn select(&self, mut applications: Applications) -> Result<Applications, Vec<SelectionError>> {
        // With nothing to choose from, what went wrong is in the findings already.
        if applications.is_empty() {
            return Ok(applications);
        }
        let identities: Vec<SelectedIdentity<'_>> = applications.iter().map(SelectedIdentity::of).collect();
        let errors = self.idle_flags(&identities);
        if !errors.is_empty() {
            return Err(errors);
        }
        applications.retain(|entry| self.matches(entry));
        if applications.is_empty() {
            return Err(vec![SelectionError::NothingTogether { flags: self.flags() }]);
        }
        Ok(applications)
    }

    /// Whether no flag narrows anything.
    pub fn is_everything(&self) -> bool {
        let is_narrowed = self.selector.is_some() || self.namespace.is_some() || !self.projects.is_empty();
        self.applications.is_empty() && !is_narrowed && self.shard.is_none()
    }

    /// Those that are in the part of `--shard`, and all others. A part may be empty: there are fewer applications than parts, or
    /// chance has it so.
    pub fn split(&self, applications: Applications) -> (Applications, Applications) {
        applications.into_iter().partition(|entry| self.is_in_shard(entry))
    }

    /// Whether an Application matches all flags.
    pub fn matches(&self, application: &Result<Application, Box<InvalidApplication>>) -> bool {
        self.fits(SelectedIdentity::of(application))
    }

    /// Whether an Application below one that is selected is, too: by all flags but its name.
    pub fn matches_below(&self, application: &Result<Application, Box<InvalidApplication>>) -> bool {
        self.fits_without_name(SelectedIdentity::of(application))
    }

    /// Whether each flag matches at least one of these.
    pub fn matches_each<'run>(
        &self,
        applications: impl IntoIterator<Item = &'run Result<Application, Box<InvalidApplication>>>,
    ) -> bool {
        let identities: Vec<SelectedIdentity<'_>> = applications.into_iter().map(SelectedIdentity::of).collect();
        self.idle_flags(&identities).is_empty()
    }

    /// Whether Applications below those that are not selected may be: not where each name was found.
    pub fn may_match_below(&self, applications: &Applications) -> bool {
        if self.applications.is_empty() {
            return self.selector.is_some() || !self.projects.is_empty() || self.namespace.is_some();
        }
        let is_open = |pattern: &ApplicationPattern| {
            let is_found = || applications.iter().any(|entry| pattern.matches(SelectedIdentity::of(entry)));
            pattern.text.contains(['*', '?', '[', '{']) || !is_found()
        };
        self.applications.iter().any(is_open)
    }

    fn fits(&self, identity: SelectedIdentity<'_>) -> bool {
        let by_name = || self.applications.iter().any(|pattern| pattern.matches(identity));
        (self.applications.is_empty() || by_name()) && self.fits_without_name(identity)
    }

    fn fits_without_name(&self, identity: SelectedIdentity<'_>) -> bool {
        let by_project = |project| self.projects.iter().any(|pattern| pattern.glob.is_match(project));
        (self.projects.is_empty() || identity.project.is_none_or(by_project))
            && self.selector_matches(identity)
            && self.namespace_matches(identity)
    }

    /// One whose name could not be read is in a part, too: the one of its place in the manifests.
    fn is_in_shard(&self, entry: &Result<Application, Box<InvalidApplication>>) -> bool {
        let Some((shard, default)) = &self.shard else { return true };
        let (namespace, name) = match entry {
            Ok(application) => (&application.namespace, application.name.clone()),
            Err(invalid) => (&invalid.namespace, invalid.shown_name()),
        };
        shard.contains(if namespace.is_empty() { default } else { namespace }, &name)
    }

    fn namespace_matches(&self, identity: SelectedIdentity<'_>) -> bool {
        let Some((namespace, default)) = &self.namespace else { return true };
        namespace == if identity.namespace.is_empty() { default } else { identity.namespace }
    }

    fn selector_matches(&self, identity: SelectedIdentity<'_>) -> bool {
        let Some((_, selector)) = &self.selector else { return true };
        identity.labels.is_none_or(|labels| selector.matches(labels))
    }

    /// Every flag that matches nothing by itself.
    fn idle_flags(&self, identities: &[SelectedIdentity<'_>]) -> Vec<SelectionError> {
        let nothing = |flag, pattern: &str, there: BTreeSet<String>| SelectionError::Nothing {
            flag,
            pattern: pattern.to_owned(),
            advice: advice(pattern, &there),
        };
        let mut errors = Vec::new();
        for pattern in &self.applications {
            if !identities.iter().any(|identity| pattern.matches(*identity)) {
                errors.push(nothing("--app", &pattern.text, names_of(identities, pattern.namespace.is_some())));
            }
        }
        for pattern in &self.projects {
            if !identities.iter().any(|identity| identity.project.is_none_or(|project| pattern.glob.is_match(project)))
            {
                let projects = identities.iter().filter_map(|identity| identity.project).map(str::to_owned);
                errors.push(nothing("--project", &pattern.text, projects.collect()));
            }
        }
        if let Some((namespace, default)) = &self.namespace
            && !identities.iter().any(|identity| self.namespace_matches(*identity))
        {
            let namespaces = identities.iter().map(|identity| identity.namespace);
            let there = namespaces.map(|one| if one.is_empty() { default.clone() } else { one.to_owned() });
            errors.push(nothing("--namespace", namespace, there.collect()));
        }
        if let Some((text, _)) = &self.selector
            && !identities.iter().any(|identity| self.selector_matches(*identity))
        {
            let labels = identities.iter().filter_map(|identity| identity.labels).flatten();
            errors.push(nothing("--selector", text, labels.map(|(key, value)| format!("{key}={value}")).collect()));
        }
        errors
    }

    fn flags(&self) -> String {
        let applications = self.applications.iter().map(|pattern| format!("`--app {}`", pattern.text));
        let selector = self.selector.iter().map(|(text, _)| format!("`--selector {text}`"));
        let projects = self.projects.iter().map(|pattern| format!("`--project {}`", pattern.text));
        let namespace = self.namespace.iter().map(|(namespace, _)| format!("`--namespace {namespace}`"));
        applications.chain(selector).chain(projects).chain(namespace).collect::<Vec<String>>().join(" and ")
    }
}

fn application_pattern(text: &str) -> Result<ApplicationPattern, SelectionError> {
    let (namespace, name) = match text.split_once('/') {
        None => (None, text),
        Some((namespace, name)) => (Some(glob("--app", text, namespace)?), name),
    };
    Ok(ApplicationPattern { text: text.to_owned(), namespace, name: glob("--app", text, name)? })
}

fn glob(flag: &'static str, whole: &str, text: &str) -> Result<GlobMatcher, SelectionError> {
    let glob = Glob::new(text).map_err(|cause| SelectionError::Glob { flag, pattern: whole.to_owned(), cause })?;
    Ok(glob.compile_matcher())
}

fn names_of(identities: &[SelectedIdentity<'_>], with_namespace: bool) -> BTreeSet<String> {
    let named = identities.iter().filter_map(|identity| Some((identity.namespace, identity.name?)));
    named
        .map(|(namespace, name)| if with_namespace { format!("{namespace}/{name}") } else { name.to_owned() })
        .collect()
}

fn advice(pattern: &str, there: &BTreeSet<String>) -> String {
    const SHOWN: usize = 5;
    if let Some(nearest) = names::nearest(pattern, there.iter().map(String::as_str)) {
        return format!("did you mean `{nearest}`?");
    }
    if there.is_empty() {
        return "none of them has any".to_owned();
    }
    let shown: Vec<String> = there.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = there.len().saturating_sub(SHOWN);
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("there are {}{rest}", shown.join(", "))
}
