//! Is it right: what differs between git and a cluster, decided purely.
//!
//! In: targets, live objects, predictions, the rules of what is ignored. Out: [`ResourceDrift`]s, masked already: nothing past this room can leak a Secret.

pub mod compare;
pub mod health;
pub mod ignore;
pub mod orphans;
pub mod since;
pub mod tracking;

use serde_json::{Map, Value};

use crate::object::{Gvk, Key, Origin, Pointer};

/// Where a resource stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceState {
    /// The cluster holds what git says.
    InSync,
    /// In both, and they differ.
    Changed,
    /// In git, not in the cluster.
    Missing,
    /// In the cluster, owned by the application, not in git.
    Extra,
    /// It could not be compared.
    Unknown,
}

/// Which way made sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InSyncProof {
    /// Nothing we applied was touched since (needs a last sync).
    Ownership,
    /// Every value of the target is in the live object.
    Structural,
    /// The API server was asked (server-side apply, dry run).
    Server,
    /// The server's schema was used, because it could not be asked.
    Schema,
    /// Nothing was compared: missing, extra, unknown.
    None,
}

/// Which side is no longer what it was when the two were last the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moved {
    /// Git says something else than what was applied.
    Git,
    /// The cluster holds something else than what was applied.
    Cluster,
    /// Both.
    Both,
    /// Nothing tells.
    #[default]
    Unknown,
}

impl Moved {
    /// The side of two things together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            _ => Self::Both,
        }
    }

    /// The side of a whole resource, from those of its fields.
    pub fn of_all(fields: &[FieldDrift]) -> Self {
        fields.iter().map(|field| field.moved).reduce(Self::and).unwrap_or_default()
    }

    /// Whether git did, alone or not.
    pub fn has_git(self) -> bool {
        matches!(self, Self::Git | Self::Both)
    }
}

/// Who holds a field, from `managedFields`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Manager {
    /// The manager's name: `kubectl-edit`, `argocd-controller` …
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// `status`, `scale`, or nothing.
    pub subresource: String,
    /// When, as the server wrote it (RFC 3339).
    pub time: String,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDrift {
    /// Where in the live object; list items are addressed by index in the *live* list, new ones after its end.
    pub path: Pointer,
    /// The value in git; `None` when git has no such field. Masked for Secrets.
    pub git: Option<Value>,
    /// The value in the cluster; `None` when it has no such field. Masked for Secrets.
    pub live: Option<Value>,
    /// The key of the list item that the path goes through, such as `{"name": "web"}`.
    pub item: Option<Map<String, Value>>,
    /// Who holds the field in the cluster.
    pub managers: Vec<Manager>,
    /// Which side moved.
    pub moved: Moved,
    /// The value in git when the two were last the same, where that is known. Masked for Secrets.
    pub last_synced: Option<Value>,
    /// Whether git says what it said at the last sync, by the record alone.
    pub git_since_sync: GitSinceSync,
}

/// What git says of a field now, held against what it said at the last sync.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum GitSinceSync {
    /// The same: the record of the last sync proves it.
    Unchanged,
    /// Something else.
    Changed,
    /// Nothing tells: there is no record, or what was synced is not known.
    #[default]
    Unknown,
}

impl ResourceDrift {
    /// A resource of which nothing is known yet but where it stands.
    pub fn new(gvk: Gvk, namespace: impl Into<String>, name: impl Into<String>, state: ResourceState) -> Self {
        Self {
            gvk,
            namespace: namespace.into(),
            name: name.into(),
            state,
            proof: InSyncProof::None,
            moved: Moved::Unknown,
            origin: None,
            fields: Vec::new(),
            additions: Vec::new(),
            ignored: Vec::new(),
            is_tolerated: false,
            is_refused: false,
            is_unserved: false,
            live: None,
            target: None,
            note: None,
        }
    }

    /// Whether git moved, for any of its fields.
    pub fn has_git_moved(&self) -> bool {
        self.moved.has_git() || self.fields.iter().any(|field| field.moved.has_git())
    }
}

/// One field that differs, and that a rule says not to compare.
#[derive(Debug, Clone, PartialEq)]
pub struct Ignored {
    /// The field, as it would be reported.
    pub field: FieldDrift,
    /// The rule: `spec.ignoreDifferences[0].jsonPointers: /spec/replicas`.
    pub rule: String,
    /// Whether the rule accepts what the cluster changed, and nothing that git does. A sync keeps such a value.
    pub is_accepted: bool,
}

/// One resource, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceDrift {
    /// Group, version and kind, as git writes it (as the cluster has it, for extras).
    pub gvk: Gvk,
    /// The namespace; empty for cluster-scoped objects.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// Where it stands. `Changed` if and only if `fields` is not empty.
    pub state: ResourceState,
    /// Which way made sure.
    pub proof: InSyncProof,
    /// Which side moved, all its fields together; for a missing or extra one, the side that made it so.
    pub moved: Moved,
    /// Where git has it written.
    pub origin: Option<Origin>,
    /// The differences.
    pub fields: Vec<FieldDrift>,
    /// Fields that a person's tool put into the live object where git says nothing; no drift.
    pub additions: Vec<FieldDrift>,
    /// The differences that ignore rules cover.
    pub ignored: Vec<Ignored>,
    /// Whether it is an extra that its own annotation says not to count (`IgnoreExtraneous`).
    pub is_tolerated: bool,
    /// Whether the API server refuses what git says: then it is changed or unknown, and never in sync.
    pub is_refused: bool,
    /// Whether a missing object is of a kind that the cluster does not serve: its CRD is not installed.
    pub is_unserved: bool,
    /// The live object, cleaned of what the server keeps for itself, masked; for showing context. Nothing when in sync, unless
    /// there is something to show in it: additions, or what is ignored.
    pub live: Option<Value>,
    /// The live object as it would be after git's fields are in it (for a missing one, the target), masked. It differs
    /// from `live` in exactly `fields`.
    pub target: Option<Value>,
    /// Remarks about this resource: why it is unknown, that the schema was used …
    pub note: Option<String>,
}

impl ResourceDrift {
    /// Its identity.
    pub fn key(&self) -> Key {
        Key {
            group: self.gvk.group.clone(),
            kind: self.gvk.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    /// Whether it makes its application `OutOfSync`.
    pub fn is_drift(&self) -> bool {
        match self.state {
            ResourceState::Changed | ResourceState::Missing => true,
            ResourceState::Extra => !self.is_tolerated,
            ResourceState::InSync | ResourceState::Unknown => false,
        }
    }
}
