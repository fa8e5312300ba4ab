//! What one application's settings decide about comparing: which label Argo CD marks objects with, whether a `status` that git
//! has is compared, and whether what webhooks change is.
//!
//! Rules: Argo CD util/settings `GetAppInstanceLabelKey`, `GetTrackingMethod`; gitops-engine/pkg/diff `ignoreStatus`.

use super::clean::{STATUS, Status};
use crate::app::settings::{StatusField, TrackingMethod, TrackingSettings};
use crate::object::Object;
use crate::object::annotations::{INSTANCE_LABEL, TRACKING_ID};

/// The settings that a comparison is made under.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// How Argo CD marks what is its own.
    pub tracking: TrackingSettings,
    /// Of which objects the `status` is not compared.
    pub status_field: StatusField,
    /// The part of the server's changes that is compared.
    pub effects: Effects,
}

/// The changes of an apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Effects {
    /// The target; webhooks and the server change more.
    #[default]
    OfGit,
    /// Everything.
    All,
}

impl Terms {
    /// The label that Argo CD put on a live object. Where it tracks by annotation, the label is one of git's, unless it
    /// writes both.
    pub(super) fn instance_label_of(&self, live: &Object) -> Option<&str> {
        let writes_both = self.tracking.method == Some(TrackingMethod::AnnotationAndLabel);
        let is_mark = writes_both || live.annotation(TRACKING_ID).is_none();
        is_mark.then(|| self.tracking.instance_label.as_deref().unwrap_or(INSTANCE_LABEL))
    }

    /// Whether the `status` is compared: only where git has one.
    pub(super) fn status_of(&self, target: &Object) -> Status {
        let counts = match self.status_field {
            StatusField::IgnoredOfAll => false,
            StatusField::IgnoredOfDefinitions => target.kind() != "CustomResourceDefinition",
            StatusField::Compared => true,
        };
        if counts && target.value().contains_key(STATUS) { Status::Counts } else { Status::Never }
    }
}
