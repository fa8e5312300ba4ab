//! Everything in `argocd-cm` that decides what is compared, and how.
//!
//! In: [`Settings`]. Out: [`ComparisonSettings`], and an error for every part that cannot be read; the other parts hold.
//!
//! Rule: Argo CD util/settings `GetResourceCompareOptions`, gitops-engine/pkg/diff (`normalizeRole`, `ignoreStatus`).

use serde_json::Value;

use super::exclusions::Exclusions;
use super::global_projects::{self, GlobalProject};
use super::ignore::{self, SystemIgnore};
use super::tracking::TrackingSettings;
use super::{Settings, SettingsError};
use crate::object::type_name;

const OPTIONS: &str = "resource.compareoptions";

/// Of which objects the `status` is not compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum StatusField {
    /// Of all.
    #[default]
    IgnoredOfAll,
    /// Of CustomResourceDefinitions only.
    IgnoredOfDefinitions,
    /// Of none.
    Compared,
}

/// The settings of the comparison.
#[derive(Debug, Clone, Default)]
pub struct ComparisonSettings {
    /// `resource.customizations.ignoreDifferences.*`, and the same in `resource.customizations`.
    pub ignore: Vec<SystemIgnore>,
    /// `resource.exclusions` and `resource.inclusions`.
    pub exclusions: Exclusions,
    /// `globalProjects`.
    pub global_projects: Vec<GlobalProject>,
    /// `application.resourceTrackingMethod` and what goes with it.
    pub tracking: TrackingSettings,
    /// `ignoreAggregatedRoles`: the rules of a role that is put together from others are not compared.
    pub ignore_aggregated_roles: bool,
    /// `ignoreResourceStatusField`.
    pub status_field: StatusField,
}

impl ComparisonSettings {
    /// Reads what `argocd-cm` says about comparing.
    pub fn of(settings: &Settings) -> (Self, Vec<SettingsError>) {
        let (ignore, mut errors) = ignore::read(settings);
        let mut this = Self { ignore, ..Self::default() };
        match Exclusions::of(settings) {
            Ok(exclusions) => this.exclusions = exclusions,
            Err(error) => errors.push(error),
        }
        match global_projects::read(settings) {
            Ok(projects) => this.global_projects = projects,
            Err(error) => errors.push(error),
        }
        match TrackingSettings::of(settings) {
            Ok(tracking) => this.tracking = tracking,
            Err(error) => errors.push(error),
        }
        if let Err(error) = this.read_options(settings) {
            errors.push(error);
        }
        (this, errors)
    }

    fn read_options(&mut self, settings: &Settings) -> Result<(), SettingsError> {
        let expected = "a map, such as `ignoreAggregatedRoles: true`";
        let wrong = |why| settings.wrong(OPTIONS, why, &format!("it holds YAML: {expected}"));
        let options = match settings.yaml(OPTIONS, expected)? {
            None => return Ok(()),
            Some(Value::Object(options)) => options,
            Some(other) => return Err(wrong(format!("is {}, not a map", type_name(&other)))),
        };
        match options.get("ignoreAggregatedRoles") {
            None | Some(Value::Null) => {}
            Some(Value::Bool(ignored)) => self.ignore_aggregated_roles = *ignored,
            Some(other) => {
                return Err(wrong(format!("`ignoreAggregatedRoles` is {}, not a boolean", type_name(other))));
            }
        }
        self.status_field = match options.get("ignoreResourceStatusField") {
            None | Some(Value::Null) => StatusField::IgnoredOfAll,
            // Argo CD: an unquoted `off` is a boolean.
            Some(Value::Bool(false)) => StatusField::Compared,
            Some(Value::String(text)) => match text.as_str() {
                "" | "all" => StatusField::IgnoredOfAll,
                "crd" => StatusField::IgnoredOfDefinitions,
                "none" | "off" | "false" => StatusField::Compared,
                other => {
                    let why = format!("`ignoreResourceStatusField` is `{other}`, not `all`, `crd` or `none`");
                    return Err(wrong(why));
                }
            },
            Some(other) => return Err(wrong(format!("`ignoreResourceStatusField` is {}, not text", type_name(other)))),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (ComparisonSettings, Vec<String>) {
        let data = [(OPTIONS.to_owned(), text.to_owned())].into();
        let (settings, errors) = ComparisonSettings::of(&Settings { file: "cm.yaml".to_owned(), data });
        (settings, errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn compare_options_are_read_as_argo_cd_reads_them() {
        for (text, roles, status) in [
            ("", false, StatusField::IgnoredOfAll),
            ("ignoreAggregatedRoles: true\n", true, StatusField::IgnoredOfAll),
            ("ignoreResourceStatusField: crd\n", false, StatusField::IgnoredOfDefinitions),
            ("ignoreResourceStatusField: none\n", false, StatusField::Compared),
            ("ignoreResourceStatusField: off\n", false, StatusField::Compared),
            ("ignoreDifferencesOnResourceUpdates: true\n", false, StatusField::IgnoredOfAll),
        ] {
            let (settings, errors) = read(text);
            assert_eq!(errors, [""; 0]);
            assert_eq!((settings.ignore_aggregated_roles, settings.status_field), (roles, status), "{text}");
        }
    }

    #[test]
    fn a_wrong_option_is_an_error_and_the_rest_holds() {
        let (_, errors) = read("ignoreResourceStatusField: some\n");
        let why =
            "cm.yaml: `resource.compareoptions`: `ignoreResourceStatusField` is `some`, not `all`, `crd` or `none`";
        assert_eq!(errors, [why]);
    }
}
