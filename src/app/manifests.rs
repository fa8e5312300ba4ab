//! The front door: the texts of manifest files become Applications.
//!
//! In: [`ManifestText`]s, in the order given. Out: [`Manifests`]: every Application of every document and List, what is
//! wrong with files, and a count of the kinds that are not for us. One bad document hides no other.
//!
//! A file that the user named must be readable and hold an Application: else the run would say that all is in sync where
//! nothing was looked at. In a folder other things are expected: what cannot be read is a warning where an Application may be
//! hidden in it, and a detail otherwise; what a chart or a kustomization makes into Applications is one warning for each of them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::application::{self, Application, InvalidApplication};
use super::appset::{ApplicationSet, decode_set};
use super::charts::Charts;
use super::file_fault::{FileFault, MayHide};
use super::kustomizations::Kustomizations;
use super::manifest_text::{Given, ManifestText};
use super::project::{self, AppProject, InvalidProject};
use super::reading::{Reading, SourceText};
use crate::finding::{Code, Finding, Severity};
use crate::object::yaml::{self, Document, Limits, Span, WithPositions, YamlError};
use crate::object::{Gvk, Pointer};

/// The content of the manifest files.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifests {
    /// Every Application, in the order of the input, each with the findings about it.
    pub applications: Vec<Result<Application, Box<InvalidApplication>>>,
    /// Every ApplicationSet, in the order of the input; what is wrong with the others is among the findings.
    pub sets: Vec<ApplicationSet>,
    /// Every AppProject, in the order of the input; the errors of those that are wrong are among the findings.
    pub projects: Vec<Result<AppProject, Box<InvalidProject>>>,
    /// Faults in files, outside of any Application.
    pub findings: Vec<Finding>,
    /// Files in folders that were skipped, one by one, for verbose output.
    pub details: Vec<Finding>,
    /// How many objects of each other kind were passed over: `apps/Deployment`, `argoproj.io/AppProject` …
    pub ignored: BTreeMap<String, usize>,
}

/// Reads Applications from the texts of manifest files.
pub fn read(inputs: &[ManifestText]) -> Manifests {
    read_beside(inputs, &[], "")
}

/// Reads Applications from the texts of manifest files, and beside them those that a cluster holds: of these only what no file
/// has. A manifest without a namespace is in `default_namespace`.
pub fn read_beside(inputs: &[ManifestText], held: &[ManifestText], default_namespace: &str) -> Manifests {
    let mut manifests = read_files(inputs);
    manifests.add_held(read_files(held), default_namespace);
    let is_reported = manifests.findings.iter().any(|finding| finding.severity == Severity::Error);
    // Where there is no input at all, the command line has said why.
    let is_empty = manifests.applications.is_empty() && manifests.sets.is_empty();
    if is_empty && !inputs.is_empty() && !is_reported {
        let holds = describe(&manifests.ignored);
        manifests.findings.push(Finding::of(&FileFault::NoneAnywhere { holds }));
    }
    manifests
}

fn read_files(inputs: &[ManifestText]) -> Manifests {
    let mut manifests = Manifests::default();
    let around = FolderContext { kustomizations: Kustomizations::of(inputs), charts: Charts::of(inputs) };
    let mut built = NeedsBuild::default();
    for input in inputs {
        read_file(input, &around, &mut built, &mut manifests);
    }
    manifests.findings.extend(built.into_findings());
    refuse_repeated(&mut manifests.applications);
    report_projects(&mut manifests);
    manifests
}

/// The folders around the files of a walk.
struct FolderContext {
    kustomizations: Kustomizations,
    charts: Charts,
}

/// Input that only a tool turns into Applications, by what is to be built.
#[derive(Default)]
struct NeedsBuild<'input> {
    /// How many templates of a chart mention Applications.
    templates: BTreeMap<&'input Path, usize>,
    /// The names of the Applications that a kustomization completes.
    completed: BTreeMap<String, Vec<String>>,
}

impl NeedsBuild<'_> {
    fn into_findings(self) -> Vec<Finding> {
        let charts = self.templates.into_iter().map(|(chart, count)| FileFault::ChartTemplates {
            // The chart may be the folder that trueup runs in.
            chart: if chart.as_os_str().is_empty() { ".".to_owned() } else { chart.display().to_string() },
            count,
        });
        let kustomizations = self.completed.into_iter();
        let kustomizations = kustomizations.map(|(kustomization, names)| FileFault::Completed { kustomization, names });
        charts.chain(kustomizations).map(|fault| Finding::of(&fault)).collect()
    }
}

fn read_file<'input>(
    input: &'input ManifestText,
    around: &FolderContext,
    built: &mut NeedsBuild<'input>,
    manifests: &mut Manifests,
) {
    let text = match yaml::decode(&input.bytes) {
        Ok(text) => text,
        Err(error) => {
            let fault = FileFault::NotText { file: input.name.clone(), why: error.message };
            manifests.findings.push(weighed(Finding::of(&fault), input.given));
            return;
        }
    };
    let may_hide = MayHide::of(&text);
    // A template without expressions is a manifest as it stands.
    if let Some(chart) = around.charts.chart(input).filter(|_| text.contains("{{")) {
        if makes_applications(&text) {
            *built.templates.entry(chart).or_default() += 1;
        }
        let fault = FileFault::Template { file: input.name.clone(), line: 1, may_hide };
        manifests.details.push(weighed(Finding::of(&fault), input.given));
        return;
    }
    // Positions cost time and memory, and only Applications need them.
    let positions = if text.contains("argoproj.io") { WithPositions::Yes } else { WithPositions::No };
    let mut file = File {
        input,
        patched_by: around.kustomizations.patching(input),
        built_by: around.kustomizations.building(input),
        may_hide,
        source: SourceText::new(&input.name, &text),
        found: Manifests::default(),
        completed: Vec::new(),
    };
    for document in yaml::read(&text, &Limits::default(), positions) {
        match document {
            Ok(document) => file.document(&document),
            Err(error) => file.unreadable(&error),
        }
    }
    if let Some(kustomization) = file.built_by.filter(|_| !file.completed.is_empty()) {
        built.completed.entry(kustomization.to_owned()).or_default().append(&mut file.completed);
    }
    file.finish(manifests);
}

/// One file being read, and what was found in it.
struct File<'input> {
    input: &'input ManifestText,
    /// The kustomization that has the file as a patch.
    patched_by: Option<&'input str>,
    /// The kustomization that builds with the file.
    built_by: Option<&'input str>,
    may_hide: MayHide,
    source: SourceText,
    found: Manifests,
    /// The Applications that the kustomization completes.
    completed: Vec<String>,
}

/// One object: a document, or an item of a List.
#[derive(Clone)]
struct ManifestEntry<'doc> {
    value: &'doc Value,
    base: Pointer,
    document: &'doc Document,
    /// The kind of a List's items, for those that do not say it themselves.
    list_of: Option<Gvk>,
}

impl File<'_> {
    fn document(&mut self, document: &Document) {
        self.entry(&ManifestEntry { value: &document.value, base: Pointer::root(), document, list_of: None });
        if let Some(span) = document.unread {
            self.unread(span);
        }
    }

    // kubectl drops such text without a word.
    fn unread(&mut self, span: Span) {
        let line = self.source.line_at(span.offset);
        let may_hide = MayHide::of(self.source.text_at(span));
        let finding = Finding::of(&FileFault::Unread { file: self.input.name.clone(), line, may_hide });
        let excerpt = self.source.excerpt(span, Some("from here".to_owned()));
        match (may_hide, self.input.given) {
            (MayHide::AnApplication, given) => self.found.findings.push(weighed(finding, given).at(excerpt)),
            (MayHide::Nothing, Given::ByName) => self.found.findings.push(finding.at(excerpt)),
            (MayHide::Nothing, Given::InFolder) => self.found.details.push(finding.at(excerpt)),
        }
    }

    fn entry(&mut self, entry: &ManifestEntry<'_>) {
        let Some(object) = entry.value.as_object() else { return self.ignore("(not an object)") };
        let text = |field: &str| object.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        let kind = match (text("apiVersion"), text("kind"), &entry.list_of) {
            (Some(api_version), Some(kind), _) => Gvk::from_api_version(api_version, kind),
            (_, None, Some(list_of)) => list_of.clone(),
            (None, Some(kind), _) => Gvk::from_api_version("", kind),
            (_, None, None) => return self.ignore("(no kind)"),
        };
        match (kind.group.as_str(), kind.kind.as_str()) {
            ("argoproj.io", "Application") => self.application(entry, object),
            ("argoproj.io", "ApplicationSet") => self.application_set(entry, object),
            ("argoproj.io", "AppProject") => self.project(entry, object, &kind),
            (_, list) if list.ends_with("List") && object.get("items").is_some_and(Value::is_array) => {
                self.list(entry, &kind);
            }
            _ => {
                self.look_for_typing_error(entry, &kind);
                self.ignore(&kind.group_kind().to_string());
            }
        }
    }

    fn list(&mut self, entry: &ManifestEntry<'_>, kind: &Gvk) {
        let item_kind = kind.kind.trim_end_matches("List");
        let list_of = (!item_kind.is_empty()).then(|| Gvk { kind: item_kind.to_owned(), ..kind.clone() });
        let items = entry.value.get("items").and_then(Value::as_array).into_iter().flatten();
        for (index, item) in items.enumerate() {
            let base = entry.base.child("items").index(index);
            self.entry(&ManifestEntry { value: item, base, list_of: list_of.clone(), ..entry.clone() });
        }
    }

    fn application(&mut self, entry: &ManifestEntry<'_>, object: &Map<String, Value>) {
        let reading = self.reading(entry);
        let name = name_of(object);
        if ["{{", "${"].iter().any(|opening| name.contains(opening)) {
            let line = reading.line(&entry.base);
            return self.template(line);
        }
        if let Some(kustomization) = self.patched_by {
            self.found.findings.push(Finding::of(&FileFault::Patched { kustomization: kustomization.to_owned() }));
            return self.ignore("(a part of an Application)");
        }
        let is_partial = self.input.given == Given::InFolder && application::is_partial(object);
        if is_partial && self.built_by.is_some() {
            return self.complete(name);
        }
        if is_partial {
            let (file, line, name) = (self.input.name.clone(), reading.line(&entry.base), name.to_owned());
            self.found.findings.push(Finding::of(&FileFault::Partial { file, line, name }));
            return self.ignore("(a part of an Application)");
        }
        let reading = if name.is_empty() { reading } else { reading.about(name) };
        let application = application::decode(reading, object, &self.input.folder);
        match application {
            Err(invalid) if invalid.is_incomplete && self.built_by.is_some() => self.complete(name),
            application => self.found.applications.push(application),
        }
    }

    fn project(&mut self, entry: &ManifestEntry<'_>, object: &Map<String, Value>, kind: &Gvk) {
        let name = name_of(object);
        let reading = self.reading(entry).of_kind("an AppProject");
        if ["{{", "${"].iter().any(|opening| name.contains(opening)) {
            let line = reading.line(&entry.base);
            return self.template(line);
        }
        if self.patched_by.is_some() || object.get("spec").is_none() && self.built_by.is_some() {
            return self.ignore(&kind.group_kind().to_string());
        }
        let reading = if name.is_empty() { reading } else { reading.about(&format!("project {name}")) };
        let decoded = project::decode(reading, object);
        self.found.projects.push(decoded);
    }

    /// Passes over an Application that is whole only as it comes out of Kustomize.
    fn complete(&mut self, name: &str) {
        self.completed.push(name.to_owned());
        self.ignore("(a part of an Application)");
    }

    fn application_set(&mut self, entry: &ManifestEntry<'_>, object: &Map<String, Value>) {
        let reading = self.reading(entry);
        let name = name_of(object);
        if ["{{", "${"].iter().any(|opening| name.contains(opening)) {
            let line = reading.line(&entry.base);
            return self.template(line);
        }
        if let Some(kustomization) = self.patched_by {
            self.found.findings.push(Finding::of(&FileFault::Patched { kustomization: kustomization.to_owned() }));
            return self.ignore("(a part of an ApplicationSet)");
        }
        let spec = object.get("spec");
        let has = |field: &str| spec.is_some_and(|spec| spec.get(field).is_some());
        if self.input.given == Given::InFolder && self.built_by.is_some() && !(has("generators") && has("template")) {
            return self.complete(name);
        }
        let reading = if name.is_empty() { reading } else { reading.about(name) };
        match decode_set(reading, object, &self.input.folder) {
            Ok(set) => self.found.sets.push(set),
            Err(findings) => self.found.findings.extend(findings),
        }
    }

    fn look_for_typing_error(&mut self, entry: &ManifestEntry<'_>, kind: &Gvk) {
        let group = strsim::osa_distance(&kind.group, "argoproj.io");
        let name = strsim::osa_distance(&kind.kind.to_lowercase(), "application");
        // `Application` alone is a kind of other groups too.
        if group > 2 || name > 2 {
            return;
        }
        let wrong = if group > 0 { "apiVersion" } else { "kind" };
        let label = if group > 0 { "did you mean `argoproj.io/v1alpha1`?" } else { "did you mean `Application`?" };
        let reading = self.reading(entry);
        let fault = FileFault::Misspelt {
            file: self.input.name.clone(),
            line: reading.line(&entry.base),
            api_version: kind.api_version(),
            kind: kind.kind.clone(),
        };
        let excerpt = reading.excerpt(&entry.base.child(wrong), Some(label.to_owned()));
        self.found.findings.push(Finding::of(&fault).at(excerpt));
    }

    fn reading<'doc>(&'doc self, entry: &ManifestEntry<'doc>) -> Reading<'doc> {
        Reading::new(&self.source, entry.document, entry.base.clone())
    }

    fn ignore(&mut self, kind: &str) {
        *self.found.ignored.entry(kind.to_owned()).or_default() += 1;
    }

    fn unreadable(&mut self, error: &YamlError) {
        let line = self.source.line(error.line);
        if line.contains("{{") {
            return self.template(error.line);
        }
        let fault = FileFault::NotYaml {
            file: self.input.name.clone(),
            line: error.line,
            why: error.message.clone(),
            may_hide: self.may_hide,
        };
        let excerpt = self.source.excerpt(error.span, error.help.map(str::to_owned));
        self.pass_over(Finding::of(&fault).at(excerpt));
    }

    fn template(&mut self, line: usize) {
        let fault = FileFault::Template { file: self.input.name.clone(), line, may_hide: self.may_hide };
        let excerpt = self.source.excerpt(self.source.line_span(line), None);
        self.pass_over(Finding::of(&fault).at(excerpt));
    }

    /// Keeps what cannot be read: where no Application can be in it, a file of a folder is a detail.
    fn pass_over(&mut self, finding: Finding) {
        let finding = weighed(finding, self.input.given);
        match (self.input.given, self.may_hide) {
            (Given::InFolder, MayHide::Nothing) => self.found.details.push(finding),
            _ => self.found.findings.push(finding),
        }
    }

    fn finish(self, manifests: &mut Manifests) {
        let Self { input, patched_by, found, .. } = self;
        let is_reported = found.findings.iter().any(|finding| finding.severity == Severity::Error);
        let findings = match input.given {
            // A chart's template is torn into many documents that cannot be read: one finding reports it.
            Given::InFolder => first_of_each_code(found.findings),
            Given::ByName => found.findings,
        };
        // A kustomization with many patches is reported once.
        for finding in findings {
            if !(patched_by.is_some() && manifests.findings.contains(&finding)) {
                manifests.findings.push(finding);
            }
        }
        let is_empty = found.applications.is_empty() && found.sets.is_empty() && found.projects.is_empty();
        if input.given == Given::ByName && is_empty && !is_reported {
            let holds = match found.ignored.len() {
                0 => "nor anything else".to_owned(),
                _ => format!("but {}", describe(&found.ignored)),
            };
            let fault = FileFault::NoApplication { file: input.name.clone(), holds };
            manifests.findings.push(Finding::of(&fault));
        }
        manifests.details.extend(first_of_each_code(found.details));
        manifests.applications.extend(found.applications);
        manifests.sets.extend(found.sets);
        manifests.projects.extend(found.projects);
        for (kind, count) in found.ignored {
            *manifests.ignored.entry(kind).or_default() += count;
        }
    }
}

/// Whether a template has a line that begins an Application, whatever its expressions make of it.
fn makes_applications(text: &str) -> bool {
    let is_kind = |line: &str| {
        let line = line.trim_start().trim_start_matches("- ");
        line.strip_prefix("kind:").is_some_and(|kind| kind.trim_start().starts_with("Application"))
    };
    text.contains("argoproj.io") && text.lines().any(is_kind)
}

fn name_of(object: &Map<String, Value>) -> &str {
    object.get("metadata").and_then(|metadata| metadata.get("name")).and_then(Value::as_str).unwrap_or_default()
}

// What cannot be read in a folder is expected there; in a file that the user named it is an error.
fn weighed(mut finding: Finding, given: Given) -> Finding {
    finding.severity = match given {
        Given::ByName => Severity::Error,
        Given::InFolder => Severity::Warning,
    };
    finding
}

fn first_of_each_code(findings: Vec<Finding>) -> Vec<Finding> {
    let unreadable = [Code::AppYaml, Code::AppTemplate];
    let mut is_first = true;
    findings
        .into_iter()
        .filter(|finding| {
            let is_unreadable = finding.code.is_some_and(|code| unreadable.contains(&code));
            !is_unreadable || std::mem::replace(&mut is_first, false)
        })
        .collect()
}

/// Makes all but the first of the Applications with one name and namespace invalid.
fn refuse_repeated(applications: &mut [Result<Application, Box<InvalidApplication>>]) {
    let mut places: BTreeMap<(String, String), Vec<(usize, String)>> = BTreeMap::new();
    for (index, entry) in applications.iter().enumerate() {
        let (namespace, name, origin) = match entry {
            Ok(application) => (&application.namespace, Some(&application.name), &application.origin),
            Err(invalid) => (&invalid.namespace, invalid.name.as_ref(), &invalid.origin),
        };
        if let Some(name) = name {
            let place = (index, format!("{}:{}", origin.file, origin.line));
            places.entry((namespace.clone(), name.clone())).or_default().push(place);
        }
    }
    for ((_, name), places) in places.into_iter().filter(|(_, places)| places.len() > 1) {
        let (indices, places): (Vec<usize>, Vec<String>) = places.into_iter().unzip();
        let finding = Finding::of(&FileFault::Repeated { places }).about(&name);
        for index in indices.into_iter().skip(1) {
            match &mut applications[index] {
                Err(invalid) => invalid.findings.push(finding.clone()),
                entry @ Ok(_) => refuse(entry, &finding),
            }
        }
    }
}

/// The findings about projects: those of their manifests, and two that define the same one.
fn report_projects(manifests: &mut Manifests) {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for project in &manifests.projects {
        let (name, origin, findings) = match project {
            Ok(project) => (&project.name, &project.origin, &project.findings),
            Err(invalid) => (&invalid.name, &invalid.origin, &invalid.findings),
        };
        manifests.findings.extend(findings.iter().cloned());
        if !name.is_empty() {
            places.entry(name).or_default().push(origin.to_string());
        }
    }
    for (name, places) in places.into_iter().filter(|(_, places)| places.len() > 1) {
        let fault = FileFault::RepeatedProject { name: name.to_owned(), places };
        manifests.findings.push(Finding::of(&fault));
    }
}

fn refuse(entry: &mut Result<Application, Box<InvalidApplication>>, reason: &Finding) {
    if let Ok(application) = entry {
        *entry = Err(Box::new(application.clone().refused(reason.clone())));
    }
}

/// Kinds and their counts in words, the most frequent first.
fn describe(kinds: &BTreeMap<String, usize>) -> String {
    const SHOWN: usize = 5;
    let mut kinds: Vec<(&String, &usize)> = kinds.iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut parts: Vec<String> = kinds.iter().take(SHOWN).map(|(kind, count)| format!("{count} of `{kind}`")).collect();
    match kinds.len().saturating_sub(SHOWN) {
        0 => {}
        1 => parts.push("another kind".to_owned()),
        more => parts.push(format!("{more} other kinds")),
    }
    match parts.pop() {
        None => "nothing".to_owned(),
        Some(only) if parts.is_empty() => only,
        Some(last) => format!("{} and {last}", parts.join(", ")),
    }
}
