//! One document being read as an Application: where its parts stand in the file, and the faults found so far.
//!
//! In: faults, each with the pointer it is about. Out: findings, each with the line of the file. Decoding goes on after a
//! fault, so that all faults of a document are found at once.

use std::cell::{OnceCell, RefCell};
use std::collections::HashSet;
use std::sync::Arc;

use super::fault::Fault;
use crate::finding::{Excerpt, Finding, Severity};
use crate::object::Pointer;
use crate::object::yaml::{Document, Span};
use crate::secret::shown_text;

/// A file's text, shared by every finding about it.
#[derive(Debug, Clone)]
pub(super) struct SourceText {
    file: Arc<str>,
    text: Arc<str>,
    // Once for the file: `Excerpt::new` would copy and mask the whole of it again for every finding.
    shown: OnceCell<Option<Arc<str>>>,
    line_starts: OnceCell<Vec<usize>>,
}

/// Which part of a field is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldPart {
    /// Its key.
    Key,
    /// Its value; of a value of many lines, the first.
    Value,
}

/// One document, or one item of a List, being read.
pub(super) struct Reading<'doc> {
    source: &'doc SourceText,
    document: &'doc Document,
    /// Where in the document it stands: the root, or an item of a List.
    base: Pointer,
    subject: String,
    /// What the root is called: nothing for an Application.
    root: &'static str,
    found: RefCell<FoundField>,
}

#[derive(Default)]
struct FoundField {
    findings: Vec<Finding>,
    /// Whether anything is wrong beside what is not there.
    is_wrong: bool,
    places: HashSet<Pointer>,
}

impl SourceText {
    pub(super) fn new(file: &str, text: &str) -> Self {
        Self { file: file.into(), text: text.into(), shown: OnceCell::new(), line_starts: OnceCell::new() }
    }

    pub(super) fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// The line of a position, counted from 1.
    pub(super) fn line_at(&self, offset: usize) -> usize {
        self.line_starts().partition_point(|start| *start <= offset)
    }

    /// A line, counted from 1, without its end.
    pub(super) fn line(&self, line: usize) -> &str {
        let start = self.line_starts().get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        self.text[start..].lines().next().unwrap_or_default()
    }

    fn line_starts(&self) -> &[usize] {
        self.line_starts.get_or_init(|| {
            let ends = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(ends.map(|(position, _)| position + 1)).collect()
        })
    }

    /// Marks a piece of the file, of which only the first line.
    pub(super) fn excerpt(&self, span: Span, label: Option<String>) -> Excerpt {
        let bytes = self.text.as_bytes();
        let offset = self.boundary(span.offset.min(bytes.len()));
        let end = self.boundary(span.offset.saturating_add(span.length).min(bytes.len()));
        let line_end = bytes[offset..end.max(offset)]
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
            .map_or(end.max(offset), |length| offset + length);
        let shown = self.shown.get_or_init(|| shown_text(&self.file, &self.text).map(Arc::from));
        Excerpt::of(self.file.to_string(), &self.text, shown.as_ref(), offset, line_end - offset, label)
    }

    /// The whole of a line, counted from 1, without its indentation.
    pub(super) fn line_span(&self, line: usize) -> Span {
        let text = self.line(line);
        let start = self.line_starts().get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        let indent = text.len() - text.trim_start().len();
        Span { offset: start + indent, length: text.trim().len() }
    }

    pub(super) fn text_at(&self, span: Span) -> &str {
        let end = span.offset.saturating_add(span.length).min(self.text.len());
        &self.text[self.boundary(span.offset.min(end))..self.boundary(end)]
    }

    fn boundary(&self, mut position: usize) -> usize {
        while !self.text.is_char_boundary(position) {
            position -= 1;
        }
        position
    }
}

impl<'doc> Reading<'doc> {
    pub(super) fn new(source: &'doc SourceText, document: &'doc Document, base: Pointer) -> Self {
        let subject = source.file.to_string();
        Self { source, document, base, subject, root: "", found: RefCell::default() }
    }

    /// Whom the findings are about: an Application's name.
    #[must_use]
    pub(super) fn about(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.subject);
        self
    }

    /// Of another kind than an Application, which its root is called by.
    #[must_use]
    pub(super) fn of_kind(self, root: &'static str) -> Self {
        Self { root, ..self }
    }

    pub(super) fn base(&self) -> &Pointer {
        &self.base
    }

    pub(super) fn file(&self) -> &Arc<str> {
        self.source.file()
    }

    /// The line of the place, counted from 1.
    pub(super) fn line(&self, place: &Pointer) -> usize {
        self.span(place, FieldPart::Key).map_or(self.document.line, |span| self.source.line_at(span.offset))
    }

    pub(super) fn report(&self, fault: &Fault, place: &Pointer, mark: FieldPart) {
        let excerpt = self.excerpt_of(place, mark, fault.label());
        let finding = Finding::of(fault).about(&self.subject).at(excerpt);
        let mut found = self.found.borrow_mut();
        found.findings.push(finding);
        found.is_wrong |= !fault.is_absence();
        found.places.insert(place.clone());
    }

    /// Reports every key that stands twice in one map of this Application.
    pub(super) fn report_repeated_fields(&self) {
        for (place, span) in self.document.duplicate_keys.iter().filter(|(place, _)| place.starts_with(&self.base)) {
            let fault = Fault::RepeatedField { path: self.shown(place) };
            let excerpt = self.source.excerpt(*span, fault.label());
            self.found.borrow_mut().findings.push(Finding::of(&fault).about(&self.subject).at(excerpt));
        }
    }

    /// A place as people write it, from the Application's root.
    pub(super) fn shown(&self, place: &Pointer) -> String {
        let below = place.tokens().iter().skip(self.base.tokens().len());
        match below.fold(Pointer::root(), |pointer, token| pointer.child(token)).dotted() {
            path if path.is_empty() => self.root.to_owned(),
            path => path,
        }
    }

    /// Marks the value of a place in the file.
    pub(super) fn excerpt(&self, place: &Pointer, label: Option<String>) -> Excerpt {
        self.excerpt_of(place, FieldPart::Value, label)
    }

    fn excerpt_of(&self, place: &Pointer, mark: FieldPart, label: Option<String>) -> Excerpt {
        let span = self.span(place, mark).unwrap_or_else(|| self.source.line_span(self.document.line));
        self.source.excerpt(span, label)
    }

    /// Whether something was already found at exactly this place.
    pub(super) fn has_fault(&self, place: &Pointer) -> bool {
        self.found.borrow().places.contains(place)
    }

    /// Whether something was already found at this place or in it.
    pub(super) fn has_fault_below(&self, place: &Pointer) -> bool {
        self.found.borrow().places.iter().any(|found| found.starts_with(place))
    }

    pub(super) fn has_error(&self) -> bool {
        self.found.borrow().findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether nothing is wrong but that something is not there.
    pub(super) fn only_lacks(&self) -> bool {
        self.has_error() && !self.found.borrow().is_wrong
    }

    /// The findings, in the order of the file.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.found.into_inner().findings;
        findings.sort_by_cached_key(|finding| finding.excerpt.as_ref().map(|excerpt| (excerpt.line(), excerpt.offset)));
        findings
    }

    fn span(&self, place: &Pointer, mark: FieldPart) -> Option<Span> {
        let positions = self.document.positions.as_ref()?;
        // What an alias inserts has no position of its own.
        let Some((key, value)) = positions.places.get(place).copied() else { return positions.nearest(place) };
        Some(match mark {
            FieldPart::Key => key.unwrap_or(value),
            FieldPart::Value if value.length == 0 => key.unwrap_or(value),
            FieldPart::Value => value,
        })
    }
}
