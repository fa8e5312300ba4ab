//! Makes an application what it was at an earlier sync: the sources and revisions of an entry of its history.
//!
//! In: turns with their clusters, and which entry. Out: the same with the sources of then, fetched; or why not. An entry has the
//! whole block of each source. All else (the sync policy, the destination), and a block that an entry does not have, is that
//! of the manifest of now; a warning names such a block.
//!
//! Rules: Argo CD server/application/application.go `Rollback`: refused while the application is automated, which would
//! undo it. Quirk not kept: there, no hooks run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::app::source::SourceBlock;
use crate::app::{InvalidApplication, Source};
use crate::cluster::{Cluster, Clusters};
use crate::finding::Finding;
use crate::finding::codes::NOT_PERMITTED;
use crate::fleet::commands::history::Subject;
use crate::fleet::condition::ConditionKind;
use crate::fleet::stages::fetch::arrived;
use crate::fleet::stages::last_render;
use crate::fleet::stages::list;
use crate::fleet::stages::neighbours;
use crate::fleet::stages::render;
use crate::fleet::stages::settings;
use crate::fleet::turn::{self, Turn};
use crate::fleet::{Request, SourceRun, World};
use crate::secret::RepoUrl;
use crate::source::{Wanted, locate};
use crate::sync::decide::Policy;
use crate::sync::lock::Lock;
use crate::sync::state::{HistoryEntry, Place, State, SyncedSource};

/// The sources of an entry of each application's history, the one before the last where none is named.
pub(crate) async fn targets(
    request: &mut Request,
    to: Option<u64>,
    world: &World,
) -> (Vec<Turn>, Vec<(usize, InvalidApplication)>) {
    settings::read(request, world).await;
    turn::leave_alone(request);
    let (mut turns, invalid) = turn::begin(request);
    list::connect(&mut turns, world, request.concurrency).await;
    for turn in turns.iter_mut().filter(|turn| turn.cluster.is_some()) {
        match find(turn, to, request).await {
            Ok(entry) => fetch_entry(turn, &entry, world).await,
            Err(finding) => turn.condition(ConditionKind::RollbackError, finding),
        }
    }
    render::render(&mut turns, request, world).await;
    neighbours::introduce(&mut turns, request);
    (turns, invalid)
}

async fn find(turn: &Turn, to: Option<u64>, request: &Request) -> Result<HistoryEntry, Finding> {
    if Policy::of(&turn.application.sync_policy).automated {
        let message = "not rolled back: automated sync would undo it; nothing was written";
        return Err(Finding::error(NOT_PERMITTED, message)
            .with_help("remove `spec.syncPolicy.automated` or set its `enabled: false`, or revert the commit in git"));
    }
    let state = read_state(turn, request).await?;
    let entry = entry(&state.history, to)?;
    if entry.sources.iter().any(|source| source.revision.is_empty()) {
        let id = entry.id;
        let message = format!("not rolled back: sync {id} used files outside of git; nothing was written");
        return Err(Finding::error("trueup::sync::no_entry", message).with_help("see `trueup history`"));
    }
    let (then, now) = (entry.sources.len(), turn.application.sources.len());
    let not_kept = entry.sources.iter().find_map(|source| source.block.why_not());
    if let Some(why) = not_kept.filter(|_| then != now) {
        let message = format!(
            "not rolled back: sync {} had {then} sources, the manifest has {now}; nothing was written",
            entry.id
        );
        return Err(Finding::error("trueup::sync::rollback_sources", message)
            .with_cause(why.to_string())
            .with_help("roll back with the manifest of that sync"));
    }
    Ok(entry.clone())
}

fn entry(history: &[HistoryEntry], to: Option<u64>) -> Result<&HistoryEntry, Finding> {
    let Some(id) = to else {
        return history.iter().rev().nth(1).ok_or_else(|| {
            let message = "not rolled back: its history has no sync before the last one; nothing was written";
            Finding::error("trueup::sync::no_entry", message).with_help("see `trueup history`")
        });
    };
    history.iter().find(|entry| entry.id == id).ok_or_else(|| {
        let ids: Vec<String> = history.iter().map(|entry| entry.id.to_string()).collect();
        let message = format!("not rolled back: its history has no sync {id}; nothing was written");
        let has = if ids.is_empty() { "it was never synced".to_owned() } else { format!("it has {}", ids.join(", ")) };
        Finding::error("trueup::sync::no_entry", message).with_help(format!("{has}; see `trueup history`"))
    })
}

/// Fetches the sources of an entry; overrides by a local checkout do not count for the past.
async fn fetch_entry(turn: &mut Turn, entry: &HistoryEntry, world: &World) {
    warn_of_differences(turn, entry);
    if let Err(finding) = set_back(turn, entry) {
        return turn.condition(ConditionKind::RollbackError, finding);
    }
    let folder = turn.application.folder.clone();
    for (position, then) in entry.sources.iter().enumerate() {
        let source = &turn.application.sources[position];
        let url = locate(source.repo_url.with_credentials(), &folder);
        let wanted = Wanted::of(source, &turn.application.project, &folder).at(&then.revision);
        match world.sources.fetch_past(&url, &wanted, &world.cancel).await.pop() {
            Some(Ok(checkout)) => arrived(turn, position, Arc::clone(&checkout)),
            Some(Err(error)) => turn.source_error(position, Finding::of(&*error)),
            None => {}
        }
    }
    turn.rollback = Some(entry.id);
}

/// Warns of what the manifest says otherwise than the entry, and of what the entry does not have.
fn warn_of_differences(turn: &mut Turn, entry: &HistoryEntry) {
    let blocks: Vec<SourceBlock> = turn.blocks().collect();
    for (position, then) in entry.sources.iter().enumerate() {
        let (Some(run), Some(now)) = (turn.sources.get(position), blocks.get(position)) else { continue };
        let differences = differences(run, now, then);
        let warning = |message: String| Finding::warning("trueup::sync::rollback_source", message);
        if !differences.is_empty() {
            let message = format!(
                "the manifest's source differs from that of sync {}: \
                 {}",
                entry.id,
                differences.join("; ")
            );
            let help = "the source of that sync is used; everything else comes from the manifest";
            turn.condition(ConditionKind::RollbackWarning, warning(message).with_help(help));
        }
        if let Some(why) = then.block.why_not() {
            let message = format!("the parameters of `{}` at sync {} are not known: {why}", then.path, entry.id);
            let help = "the manifest's parameters are used; to roll back exactly, use the manifest of that sync";
            turn.condition(ConditionKind::RollbackWarning, warning(message).with_help(help));
        }
    }
}

/// A source's other settings in the manifest.
fn differences(run: &SourceRun, now: &SourceBlock, then: &SyncedSource) -> Vec<String> {
    let mut differences = Vec::new();
    if run.repo_url != then.repo_url {
        differences.push(format!("`repoURL` was `{}` and is now `{}`", then.repo_url, run.repo_url));
    }
    if run.path != then.path {
        let field = if now.fields.contains_key("chart") { "chart" } else { "path" };
        differences.push(format!("`{field}` was `{}` and is now `{}`", then.path, run.path));
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

/// Gives an application the sources of an entry.
fn set_back(turn: &mut Turn, entry: &HistoryEntry) -> Result<(), Finding> {
    let now = turn.application.sources.clone();
    let mut form = turn.application.source_form;
    let mut sources = Vec::new();
    for (position, then) in entry.sources.iter().enumerate() {
        let source = match (then.block.kept(), now.get(position)) {
            (Some(block), _) => {
                form = block.form;
                last_render::read(block, &now)?
            }
            (None, Some(source)) => placed_as(source, then),
            (None, None) => continue,
        };
        sources.push(source);
    }
    turn.set_sources(sources, form);
    Ok(())
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

async fn read_state(turn: &Turn, request: &Request) -> Result<State, Finding> {
    let Some(cluster) = &turn.cluster else { return Ok(State::default()) };
    State::read_to_write(cluster.as_ref(), &turn.place(request)).await.map_err(|error| Finding::of(&error))
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
