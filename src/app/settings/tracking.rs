//! How Argo CD marks what is an application's own: `application.resourceTrackingMethod` and what goes with it.
//!
//! Rule: Argo CD util/settings `GetTrackingMethod`, `GetAppInstanceLabelKey`, `GetInstallationID`;
//! `util/argo/resource_tracking.go`.

use super::{Settings, SettingsError};

/// How Argo CD recognizes the objects of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrackingMethod {
    /// The tracking annotation; the default since Argo CD 3.0.
    Annotation,
    /// The instance label.
    Label,
    /// The annotation; the label is written too, for other tools.
    AnnotationAndLabel,
}

/// How objects are tracked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrackingSettings {
    /// `application.resourceTrackingMethod`; `None` when nothing is known, so that either mark is evidence.
    pub method: Option<TrackingMethod>,
    /// `application.instanceLabelKey`; `None` is the default label.
    pub instance_label: Option<String>,
    /// `installationID`: objects of another installation are foreign.
    pub installation_id: Option<String>,
}

impl TrackingSettings {
    pub(super) fn of(settings: &Settings) -> Result<Self, SettingsError> {
        let text =
            |key: &str| settings.data.get(key).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let key = "application.resourceTrackingMethod";
        let method = match text(key).as_deref() {
            None | Some("annotation") => TrackingMethod::Annotation,
            Some("label") => TrackingMethod::Label,
            Some("annotation+label") => TrackingMethod::AnnotationAndLabel,
            Some(other) => {
                let why = format!("`{other}` is not a tracking method");
                return Err(settings.wrong(key, why, "write `annotation`, `label` or `annotation+label`"));
            }
        };
        Ok(Self {
            method: Some(method),
            instance_label: text("application.instanceLabelKey"),
            installation_id: text("installationID"),
        })
    }

    /// Whether the instance label is evidence of whose an object is.
    pub fn label_is_evidence(&self) -> bool {
        self.method.is_none_or(|method| method == TrackingMethod::Label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_evidence_where_argo_cd_tracks_by_it() {
        for (method, evidence) in
            [(None, false), (Some("annotation"), false), (Some("label"), true), (Some("annotation+label"), false)]
        {
            let key = "application.resourceTrackingMethod".to_owned();
            let data = method.map(|method| (key, method.to_owned())).into_iter().collect();
            let tracking = TrackingSettings::of(&Settings { file: String::new(), data }).unwrap();
            assert_eq!(tracking.label_is_evidence(), evidence, "{method:?}");
        }
        assert!(TrackingSettings::default().label_is_evidence());
    }

    #[test]
    fn an_unknown_method_is_an_error() {
        let data = [("application.resourceTrackingMethod".to_owned(), "labels".to_owned())].into();
        let error = TrackingSettings::of(&Settings { file: "cm.yaml".to_owned(), data }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cm.yaml: `application.resourceTrackingMethod`: `labels` is not a tracking method"
        );
    }
}
