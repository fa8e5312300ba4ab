//! `spec.ignoreDifferences`: fields that are not compared.
//!
//! Rule: Argo CD types.go `ResourceIgnoreDifferences`; `util/argo/normalizers/diff_normalizer.go`.

use globset::{Glob, GlobMatcher};

use super::fault::Fault;
use super::fields::Fields;
use crate::object::Pointer;

/// One of `spec.ignoreDifferences`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreDifference {
    /// `group`, a glob; empty is the core group alone.
    pub group: String,
    /// `kind`, a glob.
    pub kind: String,
    /// `name`; empty is any.
    pub name: String,
    /// `namespace`; empty is any.
    pub namespace: String,
    /// `jsonPointers`.
    pub json_pointers: Vec<Pointer>,
    /// `jqPathExpressions`.
    pub jq_path_expressions: Vec<String>,
    /// `managedFieldsManagers`: whatever these field managers own.
    pub managed_fields_managers: Vec<String>,
    /// Its line in the manifest, counted from 1; 0 for a rule of `argocd-cm`.
    pub line: usize,
}

/// The differences that a rule is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AppliesWhen {
    /// Every difference.
    #[default]
    Always,
    /// Those that the cluster made: git says what it said at the last sync, and the record proves it.
    ClusterChanged,
}

/// A glob as Argo CD has it for groups, kinds and clusters: `*` stands for any text, dots and slashes too.
pub fn glob(text: &str) -> Option<GlobMatcher> {
    Glob::new(text).ok().map(|glob| glob.compile_matcher())
}

pub(super) fn decode(mut fields: Fields<'_>) -> IgnoreDifference {
    let rule = IgnoreDifference {
        group: fields.text("group"),
        kind: fields.required_text("kind"),
        name: fields.text("name"),
        namespace: fields.text("namespace"),
        json_pointers: decode_pointers(&mut fields),
        jq_path_expressions: fields.texts("jqPathExpressions"),
        managed_fields_managers: fields.texts("managedFieldsManagers"),
        line: fields.line(),
    };
    let lists = ["jsonPointers", "jqPathExpressions", "managedFieldsManagers"];
    if !lists.into_iter().any(|list| fields.is_given(list)) {
        fields.fault(&Fault::IgnoresNothing { path: fields.shown() });
    }
    fields.finish();
    rule
}

/// `jsonPointers`; what is not a pointer is a warning.
pub(super) fn decode_pointers(fields: &mut Fields<'_>) -> Vec<Pointer> {
    let mut pointers = Vec::new();
    for (index, text) in fields.texts_with_index("jsonPointers") {
        if let Some(pointer) = Pointer::parse(&text).filter(|pointer| *pointer != Pointer::root()) {
            pointers.push(pointer);
        } else {
            let path = format!("{}[{index}]", fields.shown_field("jsonPointers"));
            fields.fault_at_item("jsonPointers", index, &Fault::BadPointer { path, pointer: text });
        }
    }
    pointers
}
