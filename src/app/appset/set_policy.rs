//! What an ApplicationSet says about the Applications that it generates: whether they are created, updated and deleted, in which
//! order they are deleted, and which of their fields stay as they are.
//!
//! In: fields of `spec`. Out: a [`SetPolicy`]. Unknown values are errors, as the CRD refuses them.
//!
//! Rules: Argo CD `applicationset_types.go`; applicationset/progressivesync (steps and `maxUpdate`).

use super::rollout::MaxUpdate;
use crate::app::fault::Fault;
use crate::app::fields::Fields;
use crate::app::ignore::decode_pointers;
use crate::object::Pointer;

/// What becomes of generated Applications.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SetPolicy {
    /// `syncPolicy.applicationsSync`.
    pub applications_sync: ApplicationsSync,
    /// `strategy.deletionOrder`.
    pub deletion_order: DeletionOrder,
    /// `preservedFields.annotations`: annotations of an existing Application that stay.
    pub preserved_annotations: Vec<String>,
    /// `preservedFields.labels`: labels of an existing Application that stay.
    pub preserved_labels: Vec<String>,
    /// `ignoreApplicationDifferences`: fields of existing Applications that are not overwritten.
    pub ignored_differences: Vec<IgnoredApplicationFields>,
}

/// `syncPolicy.applicationsSync`: what may happen to Application objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ApplicationsSync {
    /// `sync`: they are created, updated and deleted.
    #[default]
    Sync,
    /// `create-only`.
    CreateOnly,
    /// `create-update`: they are not deleted.
    CreateUpdate,
    /// `create-delete`: they are not updated.
    CreateDelete,
}

impl ApplicationsSync {
    const KNOWN: [(&'static str, Self); 4] = [
        ("sync", Self::Sync),
        ("create-only", Self::CreateOnly),
        ("create-update", Self::CreateUpdate),
        ("create-delete", Self::CreateDelete),
    ];

    /// Whether an Application that exists may be updated.
    pub fn allows_update(self) -> bool {
        matches!(self, Self::Sync | Self::CreateUpdate)
    }

    /// Whether an Application that is no longer generated may be deleted.
    pub fn allows_delete(self) -> bool {
        matches!(self, Self::Sync | Self::CreateDelete)
    }
}

/// `strategy.deletionOrder`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeletionOrder {
    /// `AllAtOnce`.
    #[default]
    AllAtOnce,
    /// `Reverse`: the steps of `RollingSync`, from the last to the first.
    Reverse,
}

/// One of `ignoreApplicationDifferences`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredApplicationFields {
    /// The Application; empty for all.
    pub name: String,
    /// `jsonPointers`.
    pub json_pointers: Vec<Pointer>,
    /// `jqPathExpressions`.
    pub jq_path_expressions: Vec<String>,
}

impl IgnoredApplicationFields {
    /// Whether the rule is about an Application.
    pub fn is_about(&self, application: &str) -> bool {
        self.name.is_empty() || self.name == application
    }
}

/// Reads the fields of `spec`, without `syncPolicy.preserveResourcesOnDeletion`.
pub(super) fn decode(spec: &mut Fields<'_>, sync_policy: Option<&mut Fields<'_>>) -> SetPolicy {
    let mut policy = SetPolicy::default();
    if let Some(fields) = sync_policy {
        policy.applications_sync = one_of(fields, "applicationsSync", &ApplicationsSync::KNOWN);
    }
    if let Some(fields) = spec.fields("strategy") {
        policy.deletion_order = decode_strategy(fields);
    }
    if let Some(mut preserved) = spec.fields("preservedFields") {
        policy.preserved_annotations = preserved.texts("annotations");
        policy.preserved_labels = preserved.texts("labels");
        preserved.finish();
    }
    let ignored = spec.list("ignoreApplicationDifferences").into_iter().map(|mut rule| {
        let decoded = IgnoredApplicationFields {
            name: rule.text("name"),
            json_pointers: decode_pointers(&mut rule),
            jq_path_expressions: rule.texts("jqPathExpressions"),
        };
        rule.finish();
        decoded
    });
    policy.ignored_differences = ignored.collect();
    policy
}

const MAX_UPDATE: &str = "maxUpdate";

/// Checks the steps, which [`super::rollout`] reads.
fn decode_strategy(mut fields: Fields<'_>) -> DeletionOrder {
    one_of(&mut fields, "type", &[("AllAtOnce", ()), ("RollingSync", ())]);
    let order = [("AllAtOnce", DeletionOrder::AllAtOnce), ("Reverse", DeletionOrder::Reverse)];
    let order = one_of(&mut fields, "deletionOrder", &order);
    if let Some(mut rolling) = fields.fields("rollingSync") {
        rolling.list("steps").into_iter().for_each(check_step);
        rolling.finish();
    }
    fields.finish();
    order
}

fn check_step(mut fields: Fields<'_>) {
    for mut expression in fields.list("matchExpressions") {
        expression.text("key");
        required_one_of(&mut expression, "operator", &[("In", ()), ("NotIn", ())]);
        expression.texts("values");
        expression.finish();
    }
    fields.know(&[MAX_UPDATE]);
    if let Some(value) =
        fields.copied(&[MAX_UPDATE]).remove(MAX_UPDATE).filter(|value| MaxUpdate::parse(value).is_none())
    {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let known = "a number, or a percentage such as `10%`".to_owned();
        fields.fault_at(MAX_UPDATE, &Fault::UnknownValue { path: fields.shown_field(MAX_UPDATE), value, known });
    }
    fields.finish();
}

/// One of a field's known values; the default when it is not given or empty.
fn one_of<T: Copy + Default>(fields: &mut Fields<'_>, name: &'static str, known: &[(&str, T)]) -> T {
    match fields.text(name).as_str() {
        "" => T::default(),
        _ => required_one_of(fields, name, known),
    }
}

fn required_one_of<T: Copy + Default>(fields: &mut Fields<'_>, name: &'static str, known: &[(&str, T)]) -> T {
    let value = fields.required_text(name);
    match known.iter().find(|(text, _)| *text == value) {
        Some((_, found)) => *found,
        // What is missing, or not text, is reported already.
        None if value.is_empty() => T::default(),
        None => {
            let known: Vec<String> = known.iter().map(|(text, _)| format!("`{text}`")).collect();
            let known = format!("one of {}", known.join(", "));
            fields.fault_at(name, &Fault::UnknownValue { path: fields.shown_field(name), value, known });
            T::default()
        }
    }
}
