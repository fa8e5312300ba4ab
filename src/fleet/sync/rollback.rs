//! Makes an application what it was at an earlier sync: the sources and revisions of an entry of its history.
//!
//! In: a request, and which entry. Out: the targets of then; or why not. An entry has the
//! whole block of each source. All else (the sync policy, the destination), and a block that an entry does not have, is that
//! of the manifest of now; a warning names such a block.
//!
//! Rules: Argo CD server/application/application.go `Rollback`: refused while the application is automated, which would
//! undo it. Quirk not kept: there, no hooks run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::app::source::SourceBlock;
use crate::app::{Application, Source, SourceForm};
use crate::cluster::{Cluster, Clusters};
use crate::finding::{Code, Finding};
use crate::fleet::application::{Connected, Fetched, Loaded, Purpose, Rendered};
use crate::fleet::batch::{Batch, side_by_side};
use crate::fleet::commands::history::Subject;
use crate::fleet::condition::ConditionKind;
use crate::fleet::stages::{connect, fetch, last_render, load, neighbours, permit, project, render as rendering};
use crate::fleet::targets::without_unserved;
use crate::fleet::{Request, RolledBack, World};
use crate::secret::RepoUrl;
use crate::source::{Wanted, locate};
use crate::sync::decide::Policy;
use crate::sync::lock::Lock;
use crate::sync::state::{HistoryEntry, Place, State, SyncedSource};

/// The targets of an entry of each application's history, the one before the last where none is named.
pub(crate) async fn render(
    applications: Batch<Application>,
    request: &mut Request,
    to: Option<u64>,
    world: &World,
) -> Batch<Rendered> {
    let loaded = permit::readable(load::load(applications, request, &Purpose::Keep), request);
    let connected = loaded.through(async |loaded| {
        // Not fetched yet: the cluster knows which sources.
        let nothing = loaded.into_iter().map(Fetched::nothing).collect();
        let connected = connect::connect(nothing, world, request.concurrency).await;
        let take_back = async |connected: Connected| match connected.cluster().cloned() {
            Some(cluster) => {
                let loaded = connected.fetched.loaded;
                let fetched = taken_back(loaded, cluster.as_ref(), to, request, world).await;
                Connected { fetched, connection: connected.connection }
            }
            None => connected,
        };
        side_by_side(connected, request.concurrency, take_back).await
    });
    let rendered = rendering::render(connected.await, request, world).await;
    let rendered = if request.with_children { rendered.map(without_unserved) } else { rendered };
    let rendered = rendered.through(async |rendered| neighbours::introduce(rendered, request)).await;
    project::check(rendered, request)
}

/// An application with the sources of an entry, or none and the reason among its conditions.
async fn taken_back(
    mut loaded: Loaded,
    cluster: &dyn Cluster,
    to: Option<u64>,
    request: &Request,
    world: &World,
) -> Fetched {
    let then = match find(&loaded, cluster, to, request).await {
        Ok(entry) => {
            warn_of_differences(&mut loaded, &entry);
            sources_of(&loaded, &entry).map(|sources| (entry, sources))
        }
        Err(finding) => Err(finding),
    };
    match then {
        Ok((entry, (sources, form))) => {
            let purpose = Purpose::RollBack(Arc::new(rollback_to(&entry, &loaded.application, world).await));
            let loaded = loaded.with_sources(sources, form);
            fetch_entry(Loaded { purpose, ..loaded }, &entry, world).await
        }
        Err(finding) => {
            loaded.conditions.add(ConditionKind::RollbackError, finding);
            Fetched::nothing(loaded)
        }
    }
}

async fn find(
    loaded: &Loaded,
    cluster: &dyn Cluster,
    to: Option<u64>,
    request: &Request,
) -> Result<HistoryEntry, Finding> {
    if Policy::of(&loaded.application.sync_policy).automated {
        let message = "not rolled back: automated sync would undo it; nothing was written";
        return Err(Finding::error(Code::SyncNotPermitted, message)
            .with_help("remove `spec.syncPolicy.automated` or set its `enabled: false`, or revert the commit in git"));
    }
    let state = State::read_to_write(cluster, &loaded.place(request)).await.map_err(|error| Finding::of(&error))?;
    let entry = entry(&state.history, to)?;
    if entry.sources.iter().any(|source| source.revision.is_empty()) {
        let id = entry.id;
        let message = format!("not rolled back: sync {id} used files outside of git; nothing was written");
        return Err(Finding::error(Code::SyncNoEntry, message).with_help("see `trueup history`"));
    }
    let (then, now) = (entry.sources.len(), loaded.application.sources.len());
    let not_kept = entry.sources.iter().find_map(|source| source.block.why_not());
    if let Some(why) = not_kept.filter(|_| then != now) {
        let message = format!(
            "not rolled back: sync {} had {then} sources, the manifest has {now}; nothing was written",
            entry.id
        );
        return Err(Finding::error(Code::SyncRollbackSources, message)
            .with_cause(why.to_string())
            .with_help("roll back with the manifest of that sync"));
    }
    Ok(entry.clone())
}

fn entry(history: &[HistoryEntry], to: Option<u64>) -> Result<&HistoryEntry, Finding> {
    let Some(id) = to else {
        return history.iter().rev().nth(1).ok_or_else(|| {
            let message = "not rolled back: its history has no sync before the last one; nothing was written";
            Finding::error(Code::SyncNoEntry, message).with_help("see `trueup history`")
        });
    };
    history.iter().find(|entry| entry.id == id).ok_or_else(|| {
        let ids: Vec<String> = history.iter().map(|entry| entry.id.to_string()).collect();
        let message = format!("not rolled back: its history has no sync {id}; nothing was written");
        let has = if ids.is_empty() { "it was never synced".to_owned() } else { format!("it has {}", ids.join(", ")) };
        Finding::error(Code::SyncNoEntry, message).with_help(format!("{has}; see `trueup history`"))
    })
}

/// Fetches the sources of an entry; overrides by a local checkout do not count for the past.
async fn fetch_entry(loaded: Loaded, entry: &HistoryEntry, world: &World) -> Fetched {
    let mut fetched = Fetched::nothing(loaded);
    let application = Arc::clone(&fetched.application);
    for (position, (source, then)) in application.sources.iter().zip(&entry.sources).enumerate() {
        let url = locate(source.repo_url.with_credentials(), &application.folder);
        let wanted = Wanted::of(source, &application.project, &application.folder).at(&then.revision);
        if let Some(answer) = world.sources.fetch_past(&url, &wanted, &world.cancel).await.pop() {
            fetch::keep(&mut fetched, position, answer);
        }
    }
    fetched
}

/// The rollback to an entry, for the report.
async fn rollback_to(entry: &HistoryEntry, application: &Application, world: &World) -> RolledBack {
    RolledBack {
        entry: entry.id,
        revision: entry.sources.first().map(|source| source.revision.clone()).unwrap_or_default(),
        follows: application.sources.first().map(|source| source.target_revision.clone()).unwrap_or_default(),
        now: newest(application, world).await,
    }
}

/// The revision that the manifest's first source is at now; empty where it cannot be fetched.
async fn newest(application: &Application, world: &World) -> String {
    let Some(source) = application.sources.first() else { return String::new() };
    let url = locate(source.repo_url.with_credentials(), &application.folder);
    let wanted = Wanted::of(source, &application.project, &application.folder);
    let fetched = world.sources.fetch(&url, &[wanted], &world.cancel).await.pop();
    fetched.and_then(Result::ok).map(|checkout| checkout.revision.clone()).unwrap_or_default()
}

/// Warns of what the manifest says otherwise than the entry, and of what the entry does not have.
fn warn_of_differences(loaded: &mut Loaded, entry: &HistoryEntry) {
    let blocks: Vec<SourceBlock> = loaded.blocks().collect();
    let application = Arc::clone(&loaded.application);
    for ((source, now), then) in application.sources.iter().zip(&blocks).zip(&entry.sources) {
        let differences = differences(source, now, then);
        let warning = |message: String| Finding::warning(Code::SyncRollbackSource, message);
        if !differences.is_empty() {
            let message = format!(
                "the manifest's source differs from that of sync {}: \
                 {}",
                entry.id,
                differences.join("; ")
            );
            let help = "the source of that sync is used; everything else comes from the manifest";
            loaded.conditions.add(ConditionKind::RollbackWarning, warning(message).with_help(help));
        }
        if let Some(why) = then.block.why_not() {
            let message = format!("the parameters of `{}` at sync {} are not known: {why}", then.path, entry.id);
            let help = "the manifest's parameters are used; to roll back exactly, use the manifest of that sync";
            loaded.conditions.add(ConditionKind::RollbackWarning, warning(message).with_help(help));
        }
    }
}

/// A source's other settings in the manifest.
fn differences(source: &Source, now: &SourceBlock, then: &SyncedSource) -> Vec<String> {
    let mut differences = Vec::new();
    let repo_url = source.repo_url.to_string();
    if repo_url != then.repo_url {
        differences.push(format!("`repoURL` was `{}` and is now `{repo_url}`", then.repo_url));
    }
    let path = source.path.as_ref().or(source.chart.as_ref()).map(String::as_str).unwrap_or_default();
    if path != then.path {
        let field = if now.fields.contains_key("chart") { "chart" } else { "path" };
        differences.push(format!("`{field}` was `{}` and is now `{path}`", then.path));
    }
    let Some(block) = then.block.kept() else { return differences };
    // Values may be long, and are not for every eye.
    let others = block.fields.keys().chain(now.fields.keys()).collect::<BTreeSet<_>>();
    let is_told = |field: &str| matches!(field, "repoURL" | "path" | "chart" | "targetRevision");
    let others = others.into_iter().filter(|field| !is_told(field));
    let changed = others.filter(|field| block.fields.get(*field) != now.fields.get(*field));
    differences.extend(changed.map(|field| format!("`{field}` changed")));
    differences
}

/// The sources of an entry.
fn sources_of(loaded: &Loaded, entry: &HistoryEntry) -> Result<(Vec<Source>, SourceForm), Finding> {
    let now = &loaded.application.sources;
    let mut form = loaded.application.source_form;
    let mut sources = Vec::new();
    for (position, then) in entry.sources.iter().enumerate() {
        let source = match (then.block.kept(), now.get(position)) {
            (Some(block), _) => {
                form = block.form;
                last_render::read(block, now)?
            }
            (None, Some(source)) => placed_as(source, then),
            (None, None) => continue,
        };
        sources.push(source);
    }
    Ok((sources, form))
}

/// A source of now at the place of then, for an entry that has no more of it.
fn placed_as(source: &Source, then: &SyncedSource) -> Source {
    let mut source = source.clone();
    if source.repo_url.to_string() != then.repo_url {
        source.repo_url = RepoUrl::new(then.repo_url.as_str());
    }
    let (field, place) = if source.chart.is_some() { ("chart", &mut source.chart) } else { ("path", &mut source.path) };
    if place.as_deref().unwrap_or_default() != then.path {
        *place = Some(then.path.clone());
        source.written.insert(field.to_owned(), then.path.as_str().into());
    }
    source.target_revision.clone_from(&then.target_revision);
    source.written.insert("targetRevision".to_owned(), then.target_revision.as_str().into());
    source
}

/// Ends a rollback without a sync: from now on the pull loop obeys the application's policy again. The entry that it was
/// rolled back to, if it was; else nothing is written.
pub async fn end_rollback(
    subject: &Subject,
    holder: &str,
    lock_timeout: Duration,
    clusters: &Clusters,
) -> Result<Option<u64>, Finding> {
    let cluster = clusters.find(&subject.destination).map_err(|error| Finding::of(&error))?;
    let place = &subject.place;
    let state = State::read_to_write(&*cluster, place).await.map_err(|error| Finding::of(&error))?;
    if state.rolled_back_to.is_none() {
        return Ok(None);
    }
    let lock = Lock::take(Arc::clone(&cluster), place.clone(), holder, lock_timeout).await;
    let lock = lock.map_err(|error| Finding::of(&error))?;
    let cleared = clear(&*cluster, place).await;
    // What was written stands, whatever becomes of the lock: its time ends it.
    let _ = lock.release().await;
    cleared
}

async fn clear(cluster: &dyn Cluster, place: &Place) -> Result<Option<u64>, Finding> {
    let mut state = State::read_to_write(cluster, place).await.map_err(|error| Finding::of(&error))?;
    let before = state.rolled_back_to;
    state.set_rolled_back_to(cluster, place, None).await.map_err(|error| Finding::of(&error))?;
    Ok(before)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn history(ids: &[u64]) -> Vec<HistoryEntry> {
        let at = Timestamp::UNIX_EPOCH;
        let entry =
            |id: &u64| HistoryEntry { id: *id, started: at, deployed: at, by: String::new(), sources: Vec::new() };
        ids.iter().map(entry).collect()
    }

    #[test]
    fn an_entry_is_found_by_its_id_or_is_the_one_before_the_last() {
        let found = |ids: &[u64], to| entry(&history(ids), to).map(|entry| entry.id).map_err(|finding| finding.message);
        let none = "not rolled back: its history has no sync before the last one; nothing was written";
        assert_eq!(found(&[4, 5, 6], Some(4)), Ok(4));
        assert_eq!(found(&[4, 5, 6], None), Ok(5));
        assert_eq!(found(&[4], None), Err(none.to_owned()));
        assert_eq!(found(&[], None), Err(none.to_owned()));
        let none = "not rolled back: its history has no sync 3; nothing was written";
        assert_eq!(found(&[4, 5, 6], Some(3)), Err(none.to_owned()));
    }
}
