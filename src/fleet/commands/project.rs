//! What projects allow, and what they forbid of the applications at hand. No cluster is asked.
//!
//! In: a [`Request`] with AppProjects and Applications, the kinds that Kubernetes has. Out: for each application its violations after
//! rendering, and what its sync windows say now. Nothing is written but the cache.

use std::sync::Arc;

use jiff::Timestamp;

use crate::app::project::{ProjectLookup, ProjectRules, Violation};
use crate::app::windows::{Initiative, SyncWindow, matching, next_change, verdict};
use crate::app::{Application, SelectionError};
use crate::finding::Finding;
use crate::fleet::application::{Built, Left, Purpose};
use crate::fleet::stages::select::{select, select_all};
use crate::fleet::stages::{fetch, load, project, render};
use crate::fleet::sync::window;
use crate::fleet::targets::tree;
use crate::fleet::{Request, Run, World};
use crate::object::Kinds;

/// A project, and who belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProjectSummary {
    /// Its rules, with those of its global projects.
    pub rules: ProjectRules,
    /// The names of its applications.
    pub applications: Vec<String>,
}

/// An application, and what its project forbids of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedApplication {
    /// Its name.
    pub name: String,
    /// Its project.
    pub project: String,
    /// What is forbidden.
    pub violations: Vec<Violation>,
    /// How many objects were checked; `None` where it could not be rendered.
    pub objects: Option<usize>,
}

/// Every application, checked.
#[derive(Debug, Clone, Default)]
pub struct ProjectCheck {
    /// In the order of the input.
    pub applications: Vec<CheckedApplication>,
    /// The run as far as it went: its errors decide the exit code.
    pub run: Run,
}

/// A sync window at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowNow {
    /// The window.
    pub window: Arc<SyncWindow>,
    /// Since when it is open.
    pub since: Option<Timestamp>,
    /// When it closes, if it is open, or opens.
    pub next: Option<Timestamp>,
}

/// What the windows of an application say at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplicationWindows {
    /// Its name.
    pub name: String,
    /// Its project.
    pub project: String,
    /// Whether a policy may sync it, and when that changes.
    pub automated: (bool, Option<Timestamp>),
    /// Whether somebody may, and when that changes.
    pub manual: (bool, Option<Timestamp>),
    /// Its windows.
    pub windows: Vec<WindowNow>,
}

/// Every project of the manifests, and `default` where an application belongs to it.
pub async fn list(request: &mut Request, world: &World) -> Result<Vec<ProjectSummary>, Vec<SelectionError>> {
    let applications = applications(request, world).await?;
    let defined = request.projects.iter().map(|project| project.name.clone());
    let mut names: Vec<String> = defined.chain(applications.iter().map(|one| one.project.clone())).collect();
    names.sort();
    names.dedup();
    let summary = |name: String| {
        let ProjectLookup::Found(rules) = request.project(&name) else { return None };
        let members = applications.iter().filter(|application| application.project == name);
        Some(ProjectSummary { rules: *rules, applications: members.map(|one| one.name.clone()).collect() })
    };
    Ok(names.into_iter().filter_map(summary).collect())
}

/// The windows of every application at a time; and what is wrong with the projects of some.
pub async fn windows(
    request: &mut Request,
    world: &World,
    now: Timestamp,
) -> Result<(Vec<ApplicationWindows>, Vec<Finding>), Vec<SelectionError>> {
    let mut found = Vec::new();
    let mut findings = Vec::new();
    for application in applications(request, world).await? {
        match project::rules(&application, request) {
            Ok(rules) => {
                let windows = rules.map(|rules| matching(rules.windows(), &window::subject(&application)));
                found.push(ApplicationWindows::of(&application, &windows.unwrap_or_default(), now));
            }
            Err((_, finding)) => findings.push(finding.about(&application.name)),
        }
    }
    Ok((found, findings))
}

impl ApplicationWindows {
    fn of(application: &Application, windows: &[Arc<SyncWindow>], now: Timestamp) -> Self {
        let answer =
            |initiative| (verdict(windows, now, initiative, None).is_open, next_change(windows, now, initiative));
        let window = |window: &Arc<SyncWindow>| {
            let since = window.began(now);
            let next = if since.is_some() { window.ends(now) } else { window.next_start(now) };
            WindowNow { window: Arc::clone(window), since, next }
        };
        Self {
            name: application.name.clone(),
            project: application.project.clone(),
            automated: answer(Initiative::Automated),
            manual: answer(Initiative::Manual),
            windows: windows.iter().map(window).collect(),
        }
    }
}

async fn applications(request: &mut Request, world: &World) -> Result<Vec<Application>, Vec<SelectionError>> {
    let applications = select_all(request, world).await?;
    Ok(applications.iter().cloned().collect())
}

/// Renders every application for a cluster of these kinds, and checks it.
pub async fn check(
    mut request: Request,
    world: &World,
    kinds: Arc<Kinds>,
) -> Result<ProjectCheck, Vec<SelectionError>> {
    let applications = select(&mut request, world).await?;
    let render_level = async |next, request: &mut Request| {
        let loaded = load::load_all(next, &Purpose::Keep);
        let fetched = loaded.through(async |loaded| fetch::fetch(loaded, world, request.concurrency).await).await;
        render::build(fetched, &kinds, request, world).await
    };
    let built = tree(applications, &mut request, world, render_level).await;
    let built = project::check_built(built, &kinds, &request);
    let checked = |entry: Result<&Built, &Left>| {
        let (loaded, objects) = match entry {
            Ok(built) => (&built.fetched.loaded, Some(built.target.len())),
            Err(left) => (&left.fetched.loaded, None),
        };
        CheckedApplication {
            name: loaded.application.name.clone(),
            project: loaded.application.project.clone(),
            violations: loaded.violations.clone(),
            objects,
        }
    };
    let applications = built.entries().flatten().map(checked).collect();
    let run = built.end(std::mem::take(&mut request.findings), world);
    Ok(ProjectCheck { applications, run })
}
