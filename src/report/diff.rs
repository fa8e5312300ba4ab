//! What differs in one resource, as lines of YAML: hunks with context, each with the fields that it shows.
//!
//! In: a [`ResourceDrift`] with both of its values. Out: a [`Diff`] for any format to dress. The direction is that of a sync, as
//! in `kubectl diff`: from what the cluster holds to what git says.

use std::ops::Range;
use std::time::Duration;

use serde_json::Value;
use similar::{Algorithm, ChangeTag, DiffOp, InlineChange, TextDiff};

use crate::object::yaml::{self, Limits, Span, WithPositions};
use crate::status::ResourceDrift;

/// How long the search for the shortest difference may take; after it, any difference will do.
const PATIENCE: Duration = Duration::from_millis(500);

/// Who has a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Both have it: context.
    Both,
    /// Only the cluster has it.
    Cluster,
    /// Only git has it.
    Git,
}

/// One line, without its line break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Who has it.
    pub(super) side: Side,
    /// Its pieces, and whether a piece is the part that differs from the other side's line.
    pub(super) pieces: Vec<(bool, String)>,
}

impl Line {
    /// The line as one text.
    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|(_, piece)| piece.as_str()).collect()
    }
}

/// Lines that stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hunk {
    /// Which fields differ here, as indexes into the resource's `fields`.
    pub(super) fields: Vec<usize>,
    /// The lines, their common indentation taken off.
    pub(super) lines: Vec<Line>,
}

/// What differs in one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Diff {
    /// Fields that no hunk shows, as indexes into the resource's `fields`.
    pub(super) elsewhere: Vec<usize>,
    /// The hunks, from top to bottom.
    pub(super) hunks: Vec<Hunk>,
}

/// One side's text, and the lines that each field of the resource has in it.
struct Text {
    yaml: String,
    fields: Vec<Option<Range<usize>>>,
}

/// The lines that differ, with so many lines of context around them.
pub(super) fn diff(resource: &ResourceDrift, context_lines: usize) -> Diff {
    let (Some(live), Some(target)) = (&resource.live, &resource.target) else {
        return Diff { elsewhere: (0..resource.fields.len()).collect(), hunks: Vec::new() };
    };
    let cluster = Text::of(live, resource);
    let git = Text::of(target, resource);
    let lines = TextDiff::configure()
        .algorithm(Algorithm::Myers)
        .timeout(PATIENCE)
        .diff_lines(cluster.yaml.as_str(), git.yaml.as_str());
    let hunks: Vec<Hunk> = lines
        .grouped_ops(context_lines)
        .iter()
        .map(|ops| {
            let mut hunk_lines: Vec<Line> =
                ops.iter().flat_map(|op| lines.iter_inline_changes(op)).map(|change| line(&change)).collect();
            take_off_common_indentation(&mut hunk_lines);
            Hunk { fields: fields_within(ops, &cluster, &git), lines: hunk_lines }
        })
        .collect();
    let elsewhere =
        (0..resource.fields.len()).filter(|field| !hunks.iter().any(|hunk| hunk.fields.contains(field))).collect();
    Diff { elsewhere, hunks }
}

/// A whole object as lines of one side: a missing one.
pub(super) fn whole(value: &Value) -> Vec<Line> {
    yaml::write(value).lines().map(|text| Line { side: Side::Git, pieces: vec![(false, text.to_owned())] }).collect()
}

impl Text {
    fn of(value: &Value, resource: &ResourceDrift) -> Self {
        let yaml = yaml::write(value);
        let document = yaml::read(&yaml, &Limits::default(), WithPositions::Yes).into_iter().next();
        let positions = document.and_then(Result::ok).and_then(|document| document.positions).unwrap_or_default();
        let starts: Vec<usize> =
            std::iter::once(0).chain(yaml.match_indices('\n').map(|(position, _)| position + 1)).collect();
        let line_of = |offset: usize| starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let lines = |(key, value): &(Option<Span>, Span)| {
            let start = key.as_ref().map_or(value.offset, |key| key.offset.min(value.offset));
            let end = (value.offset + value.length.max(1) - 1).max(start);
            line_of(start)..line_of(end) + 1
        };
        let fields = resource.fields.iter().map(|field| positions.places.get(&field.path).map(lines)).collect();
        Self { yaml, fields }
    }
}

fn line(change: &InlineChange<'_, str>) -> Line {
    let side = match change.tag() {
        ChangeTag::Equal => Side::Both,
        ChangeTag::Delete => Side::Cluster,
        ChangeTag::Insert => Side::Git,
    };
    let mut pieces: Vec<(bool, String)> = change
        .values()
        .iter()
        .map(|(differs, piece)| (*differs, piece.trim_end_matches('\n').to_owned()))
        .filter(|(_, piece)| !piece.is_empty())
        .collect();
    // A line that differs from end to end has no part to point at.
    if pieces.iter().all(|(differs, piece)| *differs || piece.trim().is_empty()) {
        for (differs, _) in &mut pieces {
            *differs = false;
        }
    }
    Line { side, pieces }
}

/// The fields whose lines are among the changed lines of a hunk.
fn fields_within(ops: &[DiffOp], cluster: &Text, git: &Text) -> Vec<usize> {
    let touches = |text: &Text, field: usize, changed: Range<usize>| {
        text.fields[field].as_ref().is_some_and(|lines| lines.start < changed.end && changed.start < lines.end)
    };
    (0..cluster.fields.len())
        .filter(|field| {
            ops.iter()
                .filter(|op| !matches!(op, DiffOp::Equal { .. }))
                .any(|op| touches(cluster, *field, op.old_range()) || touches(git, *field, op.new_range()))
        })
        .collect()
}

fn take_off_common_indentation(lines: &mut [Line]) {
    let indentation = |text: &str| text.len() - text.trim_start_matches(' ').len();
    let common = lines
        .iter()
        .map(Line::text)
        .filter(|text| !text.trim().is_empty())
        .map(|text| indentation(&text))
        .min()
        .unwrap_or(0);
    for line in lines {
        let mut left = common;
        for (_, piece) in &mut line.pieces {
            let cut = left.min(indentation(piece));
            piece.drain(..cut);
            left -= cut;
            if left == 0 || !piece.is_empty() {
                break;
            }
        }
        line.pieces.retain(|(_, piece)| !piece.is_empty());
    }
}
