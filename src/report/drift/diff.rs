//! What differs in one resource, as lines of YAML: hunks with context, each with the fields that it shows.
//!
//! In: a [`ResourceDrift`] with both of its values. Out: a [`Diff`] for any format to dress. The direction is that of a sync, as
//! in `kubectl diff`: from what the cluster holds to what git says.

use std::ops::Range;
use std::time::Duration;

use serde_json::Value;
use similar::{Algorithm, ChangeTag, DiffOp, InlineChange, TextDiff};

use crate::object::yaml::{self, Limits, Span, WithPositions};
use crate::status::{FieldDrift, ResourceDrift};

/// How long the search for the shortest difference may take; after it, any difference will do.
const PATIENCE: Duration = Duration::from_millis(500);

/// Lines of context around a change where `-U` does not say how many.
pub(in crate::report) const CONTEXT: usize = 3;

/// A value longer than this, in characters, gets lines of its own.
pub(in crate::report) const LONGEST_VALUE: usize = 60;

/// More lines of context than anybody reads.
const MOST_CONTEXT: usize = 1_000_000;

/// Who has a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum DiffSide {
    /// Both have it: context.
    Both,
    /// Only the cluster has it.
    Cluster,
    /// Only git has it.
    Git,
}

/// One line, without its line break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Line {
    /// Who has it.
    pub(in crate::report) side: DiffSide,
    /// Its pieces, and whether a piece is the part that differs from the other side's line.
    pub(in crate::report) pieces: Vec<(bool, String)>,
}

impl Line {
    /// The line as one text.
    pub(in crate::report) fn text(&self) -> String {
        self.pieces.iter().map(|(_, piece)| piece.as_str()).collect()
    }
}

/// Lines that stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Hunk {
    /// Which fields differ here, as indexes into the resource's `fields`.
    pub(in crate::report) fields: Vec<usize>,
    /// The lines, their common indentation taken off.
    pub(in crate::report) lines: Vec<Line>,
}

/// The differences of one resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::report) struct Diff {
    /// Fields that no hunk shows, as indexes into the resource's `fields`.
    pub(in crate::report) elsewhere: Vec<usize>,
    /// The hunks, from top to bottom.
    pub(in crate::report) hunks: Vec<Hunk>,
}

/// One side's text, and the lines that each field of the resource has in it.
struct SideText {
    yaml: String,
    fields: Vec<Option<Range<usize>>>,
}

/// The lines that differ, with so many lines of context around them.
pub(in crate::report) fn diff(resource: &ResourceDrift, context_lines: usize) -> Diff {
    let (Some(live), Some(target)) = (&resource.live, &resource.target) else {
        return Diff { elsewhere: (0..resource.fields.len()).collect(), hunks: Vec::new() };
    };
    let cluster = SideText::of(live, resource);
    let git = SideText::of(target, resource);
    let hunks: Vec<Hunk> = changed_lines(&cluster.yaml, &git.yaml, context_lines)
        .into_iter()
        .map(|(ops, lines)| Hunk { fields: fields_within(&ops, &cluster, &git), lines })
        .collect();
    let elsewhere =
        (0..resource.fields.len()).filter(|field| !hunks.iter().any(|hunk| hunk.fields.contains(field))).collect();
    Diff { elsewhere, hunks }
}

/// The differences in one field whose values do not fit on a line: text line by line, everything else as YAML.
pub(in crate::report) fn field_lines(field: &FieldDrift, context_lines: usize) -> Vec<Vec<Line>> {
    let both_are_text = [&field.live, &field.git].into_iter().flatten().all(Value::is_string);
    let text = |value: &Option<Value>| match value {
        None => String::new(),
        Some(Value::String(text)) if both_are_text => text.clone(),
        Some(value) => yaml::write(value),
    };
    let groups = changed_lines(&text(&field.live), &text(&field.git), context_lines);
    groups.into_iter().map(|(_, lines)| lines).collect()
}

/// Groups of changed lines with their context, the common indentation removed.
fn changed_lines(cluster: &str, git: &str, context_lines: usize) -> Vec<(Vec<DiffOp>, Vec<Line>)> {
    let lines = TextDiff::configure().algorithm(Algorithm::Myers).timeout(PATIENCE).diff_lines(cluster, git);
    let group = |ops: Vec<DiffOp>| {
        let mut group: Vec<Line> =
            ops.iter().flat_map(|op| lines.iter_inline_changes(op)).map(|change| line(&change)).collect();
        take_off_common_indentation(&mut group);
        (ops, group)
    };
    lines.grouped_ops(context_lines.min(MOST_CONTEXT)).into_iter().map(group).collect()
}

/// A whole object as lines of one side: a missing one.
pub(in crate::report) fn whole(value: &Value) -> Vec<Line> {
    yaml::write(value)
        .lines()
        .map(|text| Line { side: DiffSide::Git, pieces: vec![(false, text.to_owned())] })
        .collect()
}

impl SideText {
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
        ChangeTag::Equal => DiffSide::Both,
        ChangeTag::Delete => DiffSide::Cluster,
        ChangeTag::Insert => DiffSide::Git,
    };
    let mut pieces: Vec<(bool, String)> = change
        .values()
        .iter()
        .map(|(differs, piece)| (*differs, piece.trim_end_matches('\n').to_owned()))
        .filter(|(_, piece)| !piece.is_empty())
        .collect();
    if side != DiffSide::Both
        && let Some((_, last)) = pieces.last_mut()
    {
        // Blanks at the end may be all that differs.
        let blanks = last.len() - last.trim_end_matches(' ').len();
        last.truncate(last.len() - blanks);
        last.extend(std::iter::repeat_n('␣', blanks));
    }
    // A line that differs from end to end has no part to point at.
    if pieces.iter().all(|(differs, piece)| *differs || piece.trim().is_empty()) {
        for (differs, _) in &mut pieces {
            *differs = false;
        }
    }
    Line { side, pieces }
}

/// The fields whose lines are among the changed lines of a hunk.
fn fields_within(ops: &[DiffOp], cluster: &SideText, git: &SideText) -> Vec<usize> {
    let touches = |text: &SideText, field: usize, changed: Range<usize>| {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::object::Pointer;
    use crate::report::drift::fixture::{changed, field};

    fn drift(live: Value, target: Value, paths: &[&str]) -> ResourceDrift {
        let mut drift = changed("v1", "ConfigMap", "web", live, target);
        drift.fields = paths.iter().map(|path| field(&drift, path, None, None)).collect();
        drift
    }

    fn shown(diff: &Diff) -> Vec<String> {
        let sign = |side| match side {
            DiffSide::Both => ' ',
            DiffSide::Cluster => '-',
            DiffSide::Git => '+',
        };
        let lines = diff.hunks.iter().flat_map(|hunk| &hunk.lines);
        lines.map(|line| format!("{} {}", sign(line.side), line.text())).collect()
    }

    #[test]
    fn each_hunk_knows_the_fields_that_it_shows() {
        let live = json!({ "a": 1, "b": "x\ny\nz\n", "m": { "n": { "gone": true } }, "z": 1 });
        let target = json!({ "a": 2, "b": "x\nY\nz\n", "m": {}, "new": [1], "z": 1 });
        let diff = diff(&drift(live, target, &["/a", "/b", "/m/n", "/new", "/z"]), 0);
        let fields: Vec<&[usize]> = diff.hunks.iter().map(|hunk| hunk.fields.as_slice()).collect();
        assert_eq!(fields, [&[0][..], &[1], &[2, 3]]);
        assert_eq!(diff.elsewhere, [4]);
    }

    #[test]
    fn a_blank_at_the_end_is_seen() {
        let diff = diff(&drift(json!({ "a": "x\ny\n" }), json!({ "a": "x \ny\n" }), &["/a"]), 0);
        assert_eq!(shown(&diff), ["- x", "+ x␣"]);
    }

    #[test]
    fn common_indentation_is_taken_off_and_empty_lines_do_not_count() {
        let text = |word: &str| json!({ "a": { "b": format!("{word}\n\n  deeper\n") } });
        let diff = diff(&drift(text("x"), text("y"), &["/a/b"]), 2);
        assert_eq!(shown(&diff), ["  a:", "    b: |", "-     x", "+     y", "  ", "        deeper"]);
    }

    #[test]
    fn the_part_that_differs_is_marked_and_indentation_never_is() {
        let live = json!({ "a": { "image": "web:1.0-debug", "log": "debug" } });
        let target = json!({ "a": { "image": "web:1.0" } });
        let diff = diff(&drift(live, target, &["/a/image"]), 0);
        let parts = diff.hunks[0].lines.iter().flat_map(|line| &line.pieces).filter(|(differs, _)| *differs);
        assert_eq!(parts.map(|(_, piece)| piece.as_str()).collect::<Vec<_>>(), ["-debug"]);
    }

    #[test]
    fn without_both_objects_every_field_stands_elsewhere() {
        let mut drift = drift(json!({ "a": 1 }), json!({ "a": 2 }), &["/a"]);
        drift.live = None;
        assert_eq!(diff(&drift, 3), Diff { elsewhere: vec![0], hunks: vec![] });
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i8>().prop_map(Value::from),
            "[a-z \n]{0,8}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("[a-z./]{1,3}", inner, 0..4).prop_map(Value::from_iter),
            ]
        })
    }

    proptest! {
        /// Without git's lines the hunk is the live object, and the other way round; no field is lost.
        #[test]
        fn both_sides_can_be_read_back(live in any_value(), target in any_value()) {
            let live = json!({ "a": live });
            let target = json!({ "a": target });
            prop_assume!(live != target);
            let mut drift = drift(live.clone(), target.clone(), &["/a"]);
            drift.fields[0].path = Pointer::parse("/a").unwrap();
            let diff = diff(&drift, usize::MAX);
            prop_assert_eq!(&diff.elsewhere, &Vec::<usize>::new());
            for (side, value) in [(DiffSide::Cluster, &live), (DiffSide::Git, &target)] {
                let lines = diff.hunks.iter().flat_map(|hunk| &hunk.lines);
                let text: Vec<String> = lines.filter(|line| line.side == side || line.side == DiffSide::Both).map(Line::text).collect();
                let expected = yaml::write(value);
                prop_assert_eq!(text.join("\n").replace('␣', " "), expected.strip_suffix('\n').unwrap());
            }
        }
    }
}
