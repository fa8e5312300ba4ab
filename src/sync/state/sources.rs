//! The sources of a sync as the state keeps them: each with its block, so that it can be rendered again.
//!
//! In: sources, as they were synced. Out: what is written of them: small entries that name their blocks by hash, and the
//! blocks themselves, once each. Blocks that hold secrets, or that have no room, are not written; the entry says so.
//!
//! Rule: Argo CD keeps the source of each sync in `status.history[].source`, in its Application's namespace. A record is
//! a ConfigMap in the destination's namespace, which more people can read: docs/record.md.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::app::SourceForm;
use crate::app::source::SourceBlock;

/// How many bytes all blocks of a record may take.
const ROOM_OF_BLOCKS: usize = 250_000;

/// One source, as it was synced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncedSource {
    /// The repository, without credentials.
    pub repo_url: String,
    /// The path in it, or the chart.
    pub path: String,
    /// The source as the manifest had it.
    pub target_revision: String,
    /// The full commit hash.
    pub revision: String,
    /// Its settings in the manifest.
    pub block: Block,
    /// The tool that rendered it and, where it is known, the tool's version; for people only.
    pub rendered_by: String,
}

/// A source's settings in the manifest when it was synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// All of it.
    Kept(SourceBlock),
    /// It is not known.
    NotKept(NotKept),
}

impl Default for Block {
    fn default() -> Self {
        Self::NotKept(NotKept::OlderVersion)
    }
}

/// Why a record has no block of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NotKept {
    /// An older version wrote the record.
    OlderVersion,
    /// It has values under names that secrets have.
    HoldsSecret,
    /// It is too large.
    TooLarge,
}

impl std::fmt::Display for NotKept {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::OlderVersion => "an older version of trueup wrote the record",
            Self::HoldsSecret => "the source has values whose names look like secrets, which a record does not keep",
            Self::TooLarge => "the source's values are too large for a record",
        })
    }
}

impl Block {
    /// The block of a source of now, where a record may keep it.
    pub fn of(block: SourceBlock) -> Self {
        if block.secret().is_some() {
            return Self::NotKept(NotKept::HoldsSecret);
        }
        if size_of(&block) > ROOM_OF_BLOCKS {
            return Self::NotKept(NotKept::TooLarge);
        }
        Self::Kept(block)
    }

    /// Why it is not known, where it is not.
    pub fn why_not(&self) -> Option<NotKept> {
        match self {
            Self::Kept(_) => None,
            Self::NotKept(why) => Some(*why),
        }
    }

    /// The block, where it is known.
    pub fn kept(&self) -> Option<&SourceBlock> {
        match self {
            Self::Kept(block) => Some(block),
            Self::NotKept(_) => None,
        }
    }
}

/// The sources as a record has room for them.
pub fn within_room(mut sources: Vec<SyncedSource>) -> Vec<SyncedSource> {
    let pool = Pool::of(sources.iter());
    for source in &mut sources {
        if source.block.kept().is_some_and(|block| !pool.blocks.contains_key(&hash_of(block))) {
            source.block = Block::NotKept(NotKept::TooLarge);
        }
    }
    sources
}

fn size_of(block: &SourceBlock) -> usize {
    serde_json::to_string(&block.fields).map_or(usize::MAX, |text| text.len())
}

/// The last sync's sources, and all blocks of a state, as they are written.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct WrittenSources {
    /// The hash of the record that the sources belong to.
    pub(super) record: String,
    pub(super) last: Vec<WrittenSource>,
    pub(super) blocks: BTreeMap<String, WrittenBlock>,
}

impl WrittenSources {
    pub(super) fn is_empty(&self) -> bool {
        self.last.is_empty() && self.blocks.is_empty()
    }
}

/// A source as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WrittenSource {
    #[serde(rename = "repoURL")]
    repo_url: String,
    path: String,
    target_revision: String,
    revision: String,
    /// The hash of its block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    block: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_kept: Option<NotKept>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    rendered_by: String,
}

impl WrittenSource {
    pub(super) fn into_source(self, blocks: &BTreeMap<String, WrittenBlock>) -> SyncedSource {
        let Self { repo_url, path, target_revision, revision, block, not_kept, rendered_by } = self;
        // A block that somebody edited is none that was synced.
        let kept = block.and_then(|hash| {
            let block = SourceBlock::from(blocks.get(&hash)?.clone());
            (hash_of(&block) == hash).then_some(block)
        });
        let block = kept.map_or_else(|| Block::NotKept(not_kept.unwrap_or(NotKept::OlderVersion)), Block::Kept);
        SyncedSource { repo_url, path, target_revision, revision, block, rendered_by }
    }
}

/// A block as it is written.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct WrittenBlock {
    form: WrittenForm,
    source: Map<String, Value>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum WrittenForm {
    Single,
    Multiple,
    Hydrated,
}

impl From<&SourceBlock> for WrittenBlock {
    fn from(block: &SourceBlock) -> Self {
        let form = match block.form {
            SourceForm::Single => WrittenForm::Single,
            SourceForm::Multiple => WrittenForm::Multiple,
            SourceForm::Hydrated => WrittenForm::Hydrated,
        };
        Self { form, source: block.fields.clone() }
    }
}

impl From<WrittenBlock> for SourceBlock {
    fn from(written: WrittenBlock) -> Self {
        let form = match written.form {
            WrittenForm::Single => SourceForm::Single,
            WrittenForm::Multiple => SourceForm::Multiple,
            WrittenForm::Hydrated => SourceForm::Hydrated,
        };
        Self { form, fields: written.source }
    }
}

/// The blocks of a state, once each, as many as there is room for.
pub(super) struct Pool {
    blocks: BTreeMap<String, WrittenBlock>,
}

impl Pool {
    /// The blocks of these sources; the first ones have the first right to the room.
    pub(super) fn of<'source>(sources: impl Iterator<Item = &'source SyncedSource>) -> Self {
        let mut blocks = BTreeMap::new();
        let mut room = ROOM_OF_BLOCKS;
        for block in sources.filter_map(|source| source.block.kept()) {
            let hash = hash_of(block);
            let size = size_of(block);
            if size <= room && !blocks.contains_key(&hash) {
                room -= size;
                blocks.insert(hash, WrittenBlock::from(block));
            }
        }
        Self { blocks }
    }

    /// A source as it is written beside these blocks.
    pub(super) fn written(&self, source: &SyncedSource) -> WrittenSource {
        let SyncedSource { repo_url, path, target_revision, revision, block, rendered_by } = source.clone();
        let (block, not_kept) = match block {
            Block::Kept(block) => {
                let hash = hash_of(&block);
                if self.blocks.contains_key(&hash) { (Some(hash), None) } else { (None, Some(NotKept::TooLarge)) }
            }
            Block::NotKept(NotKept::OlderVersion) => (None, None),
            Block::NotKept(why) => (None, Some(why)),
        };
        WrittenSource { repo_url, path, target_revision, revision, block, not_kept, rendered_by }
    }

    pub(super) fn into_blocks(self) -> BTreeMap<String, WrittenBlock> {
        self.blocks
    }
}

fn hash_of(block: &SourceBlock) -> String {
    // Maps are sorted, so equal blocks have one text.
    let text = serde_json::to_vec(&WrittenBlock::from(block)).unwrap_or_default();
    blake3::hash(&text).to_hex()[..32].to_owned()
}
