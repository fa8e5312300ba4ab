//! Renders an application as it was at its last sync, for those that drifted: the third value beside git's and live.
//!
//! In: an observed application, and the sources that its record keeps. Out: what git said then, by key, where that is
//! certain; else why it is not. An object is certain where its render hashes to what the record says was applied. A Secret,
//! of which the record has no hash, is certain where the record has the blocks of all sources, and no tool that may render
//! something else each time is involved.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::app::source::SourceBlock;
use crate::app::{Application, Source, SourceForm};
use crate::finding::{Code, Finding};
use crate::fleet::application::{FetchedSource, Observed};
use crate::fleet::applyset::mark_known;
use crate::fleet::stages::render::{WorkSettings, may_differ_each_time, render_one};
use crate::fleet::{Request, World};
use crate::object::{Key, Object};
use crate::secret::RepoUrl;
use crate::source::{Checkout, Wanted, locate};
use crate::status::compare::Baseline;
use crate::sync::state::NotKept;

/// Why it is not known what git said at the last sync.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PastUnknown {
    /// There is no record of a sync.
    NoRecord,
    /// The record does not have the sources of then.
    NotKept(NotKept),
    /// A revision of then cannot be fetched, or not be rendered.
    Failed(Box<Finding>),
    /// It renders differently now than when it was applied.
    Differs,
}

impl fmt::Display for PastUnknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRecord => formatter.write_str("no record of a sync was found"),
            Self::NotKept(why) => write!(formatter, "the record does not have the source of that sync: {why}"),
            Self::Failed(finding) => formatter.write_str(&finding.message),
            Self::Differs => formatter.write_str(
                "the source of that sync renders differently now: a tool or the cluster's API versions changed, or \
                 the render is not deterministic",
            ),
        }
    }
}

/// One object's target at the last sync.
pub(crate) enum Said<'past> {
    /// This.
    Object(&'past Object),
    /// It had no such object.
    Nothing,
    /// Nobody knows.
    Unknown,
}

/// The target of the last sync.
pub(crate) async fn target(observed: &Observed, request: &Request, world: &World) -> Result<PastTarget, PastUnknown> {
    let baseline = observed.record.baseline.clone().ok_or(PastUnknown::NoRecord)?;
    let then = Then::of(observed, &baseline)?;
    if then.is_now(observed, &baseline) {
        let differs = then.doubt.is_none() && may_differ_each_time(observed, request, world).await;
        let doubt = then.doubt.or(differs.then_some(PastUnknown::Differs));
        return Ok(PastTarget::of(Arc::clone(&observed.target), baseline, doubt));
    }
    let folder = &observed.application.folder;
    let mut checkouts: Vec<Arc<Checkout>> = Vec::new();
    for (source, revision) in then.sources.iter().zip(&baseline.revisions) {
        let url = locate(source.repo_url.with_credentials(), folder);
        let wanted = Wanted::of(source, &observed.application.project, folder).at(revision);
        match world.sources.fetch_past(&url, &wanted, &world.cancel).await.pop() {
            Some(Ok(checkout)) => checkouts.push(checkout),
            Some(Err(error)) => return Err(failed(Finding::of(&*error))),
            None => return Err(PastUnknown::NoRecord),
        }
    }
    let application = Arc::new(then.application(&observed.application));
    let settings = WorkSettings::of(request, world);
    let work = settings.of_sources(observed, application, checkouts, observed.kinds(), Some(observed.cluster()));
    let tools = observed.tools.clone();
    let rendered = tokio::task::spawn_blocking(move || (render_one(&work), work.may_differ_each_time(&tools))).await;
    let (done, may_differ) = rendered.map_err(|_panic| PastUnknown::Differs)?;
    let mut objects = done.result.map_err(|(_, finding)| failed(finding))?.objects;
    // As they were applied then: with the label of the ApplySet.
    mark_known(&mut objects, Some(&*baseline), &observed.tracking(request).applyset_id);
    let doubt = then.doubt.or(may_differ.then_some(PastUnknown::Differs));
    Ok(PastTarget::of(Arc::new(objects), baseline, doubt))
}

fn failed(finding: Finding) -> PastUnknown {
    PastUnknown::Failed(Box::new(finding))
}

/// Whether the application's sources are those of its last sync; nothing where the record does not have them all.
pub(crate) fn has_sources_of_last_sync(observed: &Observed) -> Option<bool> {
    let recorded = observed.record.sources();
    let blocks: Option<Vec<&SourceBlock>> = recorded.iter().map(|source| source.block.kept()).collect();
    let blocks = blocks.filter(|blocks| !blocks.is_empty())?;
    Some(blocks.into_iter().cloned().eq(observed.blocks()))
}

/// The sources of the last sync.
struct Then {
    sources: Vec<Source>,
    form: SourceForm,
    /// Why they may be others than those of then.
    doubt: Option<PastUnknown>,
}

impl Then {
    /// As the record has them; where it does not, those of the manifest are the best guess.
    fn of(observed: &Observed, baseline: &Baseline) -> Result<Self, PastUnknown> {
        let (recorded, now) = (observed.record.sources(), &observed.application.sources);
        let not_kept = recorded.iter().find_map(|source| source.block.why_not());
        let not_kept = not_kept.or_else(|| recorded.is_empty().then_some(NotKept::OlderVersion));
        let doubt = not_kept.map(PastUnknown::NotKept);
        let count = baseline.revisions.len();
        if let Some(doubt) = doubt.clone().filter(|_| now.len() != count) {
            return Err(doubt);
        }
        let mut form = observed.application.source_form;
        let mut sources = Vec::new();
        for position in 0..count {
            let block = recorded.get(position).and_then(|source| source.block.kept());
            let source = match (block, now.get(position)) {
                (Some(block), _) => {
                    form = block.form;
                    read(block, now).map_err(failed)?
                }
                (None, Some(source)) => source.clone(),
                (None, None) => return Err(PastUnknown::NotKept(NotKept::OlderVersion)),
            };
            sources.push(source);
        }
        Ok(Self { sources, form, doubt })
    }

    /// Whether they are the sources and revisions of now.
    fn is_now(&self, observed: &Observed, baseline: &Baseline) -> bool {
        let is_revision = |(source, then): (&FetchedSource, &String)| {
            source.checkout().is_some_and(|checkout| checkout.revision == *then && !checkout.dirty)
        };
        observed.sources.len() == baseline.revisions.len()
            && observed.sources.iter().zip(&baseline.revisions).all(is_revision)
            && self.sources.iter().map(|source| SourceBlock::of(source, self.form)).eq(observed.blocks())
    }

    fn application(&self, now: &Application) -> Application {
        Application { sources: self.sources.clone(), source_form: self.form, ..now.clone() }
    }
}

/// The source that a block says. What opens its URL is in the manifest alone.
pub(crate) fn read(block: &SourceBlock, now: &[Source]) -> Result<Source, Finding> {
    let source = block.read().map_err(|findings| {
        let unread = || Finding::error(Code::SyncUnreadableSource, "the source of that sync cannot be read");
        findings.into_iter().next().unwrap_or_else(unread)
    })?;
    let shown = source.repo_url.to_string();
    let same = now.iter().find(|now| now.repo_url.to_string() == shown);
    let repo_url = same.map_or(RepoUrl::new(shown), |now| now.repo_url.clone());
    Ok(Source { repo_url, ..source })
}

/// The targets of that sync, by key.
pub(crate) struct PastTarget {
    objects: Arc<Vec<Object>>,
    places: HashMap<Key, usize>,
    baseline: Arc<Baseline>,
    doubt: Option<PastUnknown>,
}

impl PastTarget {
    fn of(objects: Arc<Vec<Object>>, baseline: Arc<Baseline>, doubt: Option<PastUnknown>) -> Self {
        let places = objects.iter().enumerate().map(|(place, object)| (object.key(), place)).collect();
        Self { objects, places, baseline, doubt }
    }

    /// The recorded state of one object.
    pub(crate) fn said(&self, key: &Key) -> Said<'_> {
        let object = self.places.get(key).and_then(|place| self.objects.get(*place));
        match (object, self.baseline.of(key)) {
            (Some(object), _) => match self.baseline.is_as_git_said(object) {
                Some(true) => Said::Object(object),
                None if self.doubt.is_none() => Said::Object(object),
                Some(false) | None => Said::Unknown,
            },
            (None, None) => Said::Nothing,
            (None, Some(_)) => Said::Unknown,
        }
    }

    /// Why it is not known what it said of some objects.
    pub(crate) fn why_unknown(&self) -> PastUnknown {
        self.doubt.clone().unwrap_or(PastUnknown::Differs)
    }

    /// All that is certain of it.
    pub(crate) fn certain(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(|object| matches!(self.said(&object.key()), Said::Object(_)))
    }
}
