//! One application on its way through a run: a value for each stage, which owns the one before.
//!
//! `Loaded` → [`Fetched`] → [`Connected`] → [`Rendered`] → [`Listed`] → [`Observed`] → [`Compared`]. A later value is still
//! everything that the earlier ones are, so it dereferences to them. To compare again, start from the [`Rendered`] that the
//! [`Compared`] owns. An application that gets no target ends as [`Left`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use super::Request;
use super::condition::{ConditionKind, Conditions};
use super::live::{Live, LiveView, identity};
use super::run::RolledBack;
use crate::app::project::Violation;
use crate::app::source::{SourceBlock, SourceKind};
use crate::app::{Application, Source, SourceForm};
use crate::cluster::Cluster;
use crate::finding::Finding;
use crate::object::{Gap, GroupKind, Key, Kinds, Object};
use crate::source::{Checkout, PathHistory};
use crate::status::ResourceDrift;
use crate::status::compare::Baseline;
use crate::status::tracking::Tracking;
use crate::sync::plan::{Neighbours, Unread};
use crate::sync::state::{Identity, LastAttempt, Place, RecordedLineage, State, StateError, SyncedSource};

/// The purpose of a run for an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is looked at, or synced to what git has.
    Keep,
    /// It is taken back to this entry of its history.
    RollBack(Arc<RolledBack>),
    /// It is deleted.
    Delete,
}

/// An application, as its manifest describes it.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) application: Arc<Application>,
    /// Which application its manifest says it is, whatever it is rolled back to.
    pub(crate) identity: Identity,
    pub(crate) purpose: Purpose,
    /// What its project forbids; known once it is rendered.
    pub(crate) violations: Vec<Violation>,
    /// The errors and warnings up to the stage that owns this.
    pub(crate) conditions: Conditions,
}

impl Loaded {
    /// How the application's own objects are distinguished from others.
    pub(crate) fn tracking(&self, request: &Request) -> Tracking {
        Tracking {
            instance_name: self.application.instance_name(&request.argocd_namespace),
            label_key: request.label_key(),
            installation_id: request.settings.tracking.installation_id.clone(),
            applyset_id: self.place(request).applyset_id(),
        }
    }

    /// Where the application keeps its state.
    pub(crate) fn place(&self, request: &Request) -> Place {
        let place = Place::of(&self.application, &request.argocd_namespace, request.state_namespace.as_deref());
        let lineage = RecordedLineage::of(&self.application, &request.argocd_namespace);
        Place {
            identity: Some(self.identity.clone()),
            accepts_move: request.accept_move,
            lineage,
            has_children: self.application.lineage.has_children,
            ..place
        }
    }

    /// The blocks of its sources.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = SourceBlock> {
        let form = self.application.source_form;
        self.application.sources.iter().map(move |source| SourceBlock::of(source, form))
    }

    /// The same application with other sources than those of its manifest.
    pub(crate) fn with_sources(mut self, sources: Vec<Source>, form: SourceForm) -> Self {
        let application = Arc::make_mut(&mut self.application);
        (application.sources, application.source_form) = (sources, form);
        self
    }

    /// With an error about one source, which is named by its place when there are several.
    pub(crate) fn source_error(&mut self, position: usize, finding: Finding) {
        let is_one = self.application.sources.len() <= 1;
        let finding = if is_one { finding } else { finding.about(&format!("source {}", position + 1)) };
        self.conditions.add(ConditionKind::ComparisonError, finding);
    }

    /// The server of its cluster, as the manifest has it, or as it was found.
    pub(crate) fn server<'a>(&'a self, cluster: Option<&'a dyn Cluster>) -> &'a str {
        match self.application.destination.server.as_str() {
            "" => cluster.map_or("", Cluster::name),
            server => server,
        }
    }
}

/// One source of an application, after the repositories were fetched.
#[derive(Clone)]
pub(crate) enum FetchedSource {
    /// It is here.
    Checkout(Arc<Checkout>),
    /// It could not be fetched.
    Failed(Finding),
    /// The run was stopped before, or does without.
    NotFetched,
}

impl FetchedSource {
    pub(crate) fn checkout(&self) -> Option<&Arc<Checkout>> {
        match self {
            Self::Checkout(checkout) => Some(checkout),
            Self::Failed(_) | Self::NotFetched => None,
        }
    }
}

/// An application whose sources were fetched, as far as they could be.
#[derive(Clone)]
pub(crate) struct Fetched {
    pub(crate) loaded: Loaded,
    /// Each source, in their order.
    pub(crate) sources: Vec<FetchedSource>,
}

impl Fetched {
    /// An application of which no source was fetched.
    pub(crate) fn nothing(loaded: Loaded) -> Self {
        let sources = loaded.application.sources.iter().map(|_| FetchedSource::NotFetched).collect();
        Self { loaded, sources }
    }

    /// The checkouts, where all of them are here.
    pub(crate) fn checkouts(&self) -> Option<Vec<Arc<Checkout>>> {
        self.sources.iter().map(|source| source.checkout().cloned()).collect()
    }

    /// The revision of each source; empty where it is not known.
    pub(crate) fn revisions(&self) -> Vec<String> {
        let revision = |source: &FetchedSource| source.checkout().map(|checkout| checkout.revision.clone());
        self.sources.iter().map(|source| revision(source).unwrap_or_default()).collect()
    }
}

/// The cluster of an application, and what it serves.
#[derive(Clone)]
pub(crate) struct ClusterConnection {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) kinds: Arc<Kinds>,
}

/// Why there is no connection.
#[derive(Clone)]
pub(crate) struct NoConnection {
    /// The cluster, where it was found and does not answer.
    pub(crate) cluster: Option<Arc<dyn Cluster>>,
    pub(crate) error: Finding,
}

/// An application whose cluster was asked for its kinds.
pub(crate) struct Connected {
    pub(crate) fetched: Fetched,
    pub(crate) connection: Result<ClusterConnection, NoConnection>,
}

impl Connected {
    /// The cluster, even where it does not answer.
    pub(crate) fn cluster(&self) -> Option<&Arc<dyn Cluster>> {
        match &self.connection {
            Ok(connection) => Some(&connection.cluster),
            Err(no) => no.cluster.as_ref(),
        }
    }
}

/// An application that has no target. Its conditions say why; one of a run that was stopped has none.
pub(crate) struct Left {
    pub(crate) fetched: Fetched,
    pub(crate) cluster: Option<Arc<dyn Cluster>>,
    /// The tools of the sources that were rendered before it failed.
    pub(crate) tools: Vec<Option<SourceKind>>,
    /// Whether its cluster answered, or was not needed.
    pub(crate) is_connected: bool,
}

impl Left {
    /// It leaves before it was rendered.
    pub(crate) fn before_rendering(connected: Connected) -> Box<Self> {
        let cluster = connected.cluster().cloned();
        let is_connected = connected.connection.is_ok();
        Box::new(Self { fetched: connected.fetched, cluster, tools: Vec::new(), is_connected })
    }
}

/// An application with its objects as its sources have them. Enough for whoever needs no cluster.
#[derive(Clone)]
pub(crate) struct Built {
    pub(crate) fetched: Fetched,
    /// The tool of each source; nothing for one that renders nothing.
    pub(crate) tools: Vec<Option<SourceKind>>,
    /// The objects that should be.
    pub(crate) target: Arc<Vec<Object>>,
    /// Files in git that could not be read, and may hold objects that the cluster has.
    pub(crate) gaps: Vec<Gap>,
}

/// The other applications of the run on the same cluster.
#[derive(Clone, Default)]
pub(crate) struct Peers {
    /// The objects that all of them have in git.
    pub(crate) neighbours: Arc<Neighbours>,
    /// The objects that others have in git, too, with their names.
    pub(crate) shared: Arc<BTreeMap<Key, Vec<String>>>,
}

/// An application with its target, and the cluster that it belongs to. Cloning it copies no objects.
#[derive(Clone)]
pub(crate) struct Rendered {
    pub(crate) built: Built,
    pub(crate) connection: ClusterConnection,
    /// The hooks of one that is deleted, of which nothing else is left in the target.
    pub(crate) hooks: Arc<Vec<Object>>,
    pub(crate) peers: Peers,
}

impl Rendered {
    pub(crate) fn cluster(&self) -> &dyn Cluster {
        self.connection.cluster.as_ref()
    }

    pub(crate) fn kinds(&self) -> &Arc<Kinds> {
        &self.connection.kinds
    }

    /// The server of its cluster.
    pub(crate) fn server(&self) -> &str {
        self.loaded.server(Some(self.cluster()))
    }

    /// The same application with another target.
    pub(crate) fn with_target(self, target: Vec<Object>) -> Self {
        let built = Built { target: Arc::new(target), ..self.built };
        Self { built, ..self }
    }

    /// With the conditions of a later stage, which are kept when it is compared again.
    pub(crate) fn with_conditions(mut self, later: &Conditions) -> Self {
        let loaded = &mut self.built.fetched.loaded;
        loaded.conditions = std::mem::replace(&mut loaded.conditions, Conditions::of("")).and(later);
        self
    }
}

/// An application, and what is live.
pub(crate) struct Listed {
    pub(crate) rendered: Rendered,
    pub(crate) live: Arc<Live>,
}

impl Listed {
    /// Where its live objects are looked up.
    pub(crate) fn view(&self) -> LiveView {
        let cluster = identity(&self.connection.cluster);
        LiveView { live: Arc::clone(&self.live), kinds: Arc::clone(self.kinds()), cluster }
    }
}

/// Where the members of an application's ApplySet may be, as its parent and the record in it say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    /// Whether there are no others; not where somebody edited what says so, or where it says nothing.
    pub(crate) is_certain: bool,
    pub(crate) kinds: BTreeSet<GroupKind>,
    pub(crate) namespaces: BTreeSet<String>,
}

/// The record of the last sync.
pub(crate) struct Record {
    /// The objects that it applied, if there was one.
    pub(crate) baseline: Option<Arc<Baseline>>,
    /// Where its members may be; nothing before the first sync.
    pub(crate) members: Option<Members>,
    /// All else that is known of its syncs, or why nothing is.
    pub(crate) state: Result<State, StateError>,
}

impl Record {
    /// The last attempt that is on record.
    pub(crate) fn last_attempt(&self) -> LastAttempt {
        self.state.as_ref().map_or(LastAttempt::None, State::last_attempt)
    }

    /// The entry that it was rolled back to, and that it is left at until somebody syncs it.
    pub(crate) fn rolled_back_to(&self) -> Option<u64> {
        self.state.as_ref().ok().and_then(|state| state.rolled_back_to)
    }

    /// The sources of the last sync.
    pub(crate) fn sources(&self) -> &[SyncedSource] {
        self.state.as_ref().map_or(&[], |state| &state.sources)
    }

    /// The revisions of the last sync.
    pub(crate) fn revisions(&self) -> Option<Vec<String>> {
        self.baseline.as_ref().map(|baseline| baseline.revisions.clone())
    }
}

/// An application, what is live, and the record of its last sync: all that its comparison needs.
pub(crate) struct Observed {
    pub(crate) listed: Listed,
    pub(crate) record: Record,
    /// The warnings about the record.
    pub(crate) conditions: Conditions,
}

impl Observed {
    /// Files in git that could not be read, with the recorded file of each object.
    pub(crate) fn unread(&self) -> Unread<'_> {
        Unread::of(&self.gaps, self.record.baseline.as_deref())
    }
}

/// Objects in the cluster that belong to the application and are not in git.
#[derive(Default)]
pub(crate) struct Extras {
    /// How each of them is reported; what is on record and could not be looked up is unknown.
    pub(crate) resources: Vec<ResourceDrift>,
    /// The live objects.
    pub(crate) surplus: Vec<Arc<Object>>,
    /// Kinds of its members that could not be looked at.
    pub(crate) unseen: BTreeSet<GroupKind>,
    /// Kinds that could not be listed where its extras may be.
    pub(crate) unlisted: BTreeSet<GroupKind>,
    pub(crate) conditions: Vec<(ConditionKind, Finding)>,
}

/// How the target and the live objects of one application differ.
#[derive(Default)]
pub(crate) struct Differences {
    pub(crate) resources: Vec<ResourceDrift>,
    /// Its objects that another application of this run has in git, or owns in the cluster.
    pub(crate) shared: BTreeSet<Key>,
    pub(crate) conditions: Vec<(ConditionKind, Finding)>,
}

/// The commits behind a drift, by what they touched.
pub(crate) type Commits = BTreeMap<String, PathHistory>;

/// An application, compared with its cluster.
pub(crate) struct Compared {
    pub(crate) observed: Observed,
    /// Every resource, extras among them.
    pub(crate) resources: Vec<ResourceDrift>,
    pub(crate) shared: BTreeSet<Key>,
    /// The live objects of its extras.
    pub(crate) surplus: Vec<Arc<Object>>,
    /// Kinds of its members that could not be looked at.
    pub(crate) unseen: BTreeSet<GroupKind>,
    /// Kinds that could not be listed where its extras may be.
    pub(crate) unlisted: BTreeSet<GroupKind>,
    /// What stands in its destination's namespace and belongs to no application, where that is looked for.
    pub(crate) orphans: Vec<Key>,
    /// The commits since the last sync.
    pub(crate) commits: Commits,
    /// The errors and warnings of comparing.
    pub(crate) conditions: Conditions,
}

impl Compared {
    pub(crate) fn of(observed: Observed, differences: Differences, extras: Extras, commits: Commits) -> Self {
        let mut conditions = Conditions::of(&observed.application.name);
        conditions.add_all(differences.conditions);
        conditions.add_all(extras.conditions);
        let mut resources = differences.resources;
        resources.extend(extras.resources);
        Self {
            observed,
            resources,
            shared: differences.shared,
            surplus: extras.surplus,
            unseen: extras.unseen,
            unlisted: extras.unlisted,
            orphans: Vec::new(),
            commits,
            conditions,
        }
    }

    /// To compare again.
    pub(crate) fn into_rendered(self) -> Rendered {
        self.observed.listed.rendered
    }
}

/// An application of which something is known in the cluster.
pub(crate) trait OnCluster {
    fn listed(&self) -> &Listed;
    /// The errors and warnings of all stages so far.
    fn all_conditions(&self) -> Conditions;
}

impl OnCluster for Listed {
    fn listed(&self) -> &Listed {
        self
    }

    fn all_conditions(&self) -> Conditions {
        self.rendered.loaded.conditions.clone()
    }
}

impl OnCluster for Compared {
    fn listed(&self) -> &Listed {
        &self.observed.listed
    }

    fn all_conditions(&self) -> Conditions {
        self.loaded.conditions.clone().and(&self.observed.conditions).and(&self.conditions)
    }
}

/// A later value is all that the earlier one is.
macro_rules! owns {
    ($($later:ident . $field:ident -> $earlier:ident;)*) => {
        $(impl Deref for $later {
            type Target = $earlier;

            fn deref(&self) -> &$earlier {
                &self.$field
            }
        })*
    };
}

owns! {
    Fetched.loaded -> Loaded;
    Connected.fetched -> Fetched;
    Left.fetched -> Fetched;
    Built.fetched -> Fetched;
    Rendered.built -> Built;
    Listed.rendered -> Rendered;
    Observed.listed -> Listed;
    Compared.observed -> Observed;
}
