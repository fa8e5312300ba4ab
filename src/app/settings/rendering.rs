//! Everything in `argocd-cm` that decides how sources are rendered.
//!
//! In: [`Settings`]. Out: [`RenderingSettings`].
//!
//! Rules: Argo CD util/settings `GetKustomizeSettings`, `GetHelmSettings`, `GetEnabledSourceTypes`. Quirk:
//! `kustomize.buildOptions.<version>` is read there, and never used; neither is it here.

use super::Settings;
use crate::app::source::SourceKind;

/// How sources are rendered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RenderingSettings {
    /// `kustomize.buildOptions`: what each `kustomize build` gets; nothing when it is not set.
    pub kustomize_build_options: Option<Vec<String>>,
    /// `helm.valuesFileSchemes`: of which URLs values may be read; nothing when it is not set, for `https` and `http`.
    pub values_file_schemes: Option<Vec<String>>,
    /// `helm.enable`, `kustomize.enable`, `jsonnet.enable` where they are not `true`; that of Jsonnet stands for directories.
    pub disabled: Vec<SourceKind>,
}

impl RenderingSettings {
    /// Reads what `argocd-cm` says about rendering.
    pub fn of(settings: &Settings) -> Self {
        let words = |key: &str, apart: fn(char) -> bool| {
            let text = settings.data.get(key)?;
            Some(text.split(apart).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect())
        };
        let is_off = |key: &str| settings.data.get(key).is_some_and(|text| !text.is_empty() && text != "true");
        let tools = [
            ("helm.enable", SourceKind::Helm),
            ("kustomize.enable", SourceKind::Kustomize),
            ("jsonnet.enable", SourceKind::Directory),
        ];
        Self {
            disabled: tools.into_iter().filter_map(|(key, kind)| is_off(key).then_some(kind)).collect(),
            kustomize_build_options: words("kustomize.buildOptions", char::is_whitespace),
            values_file_schemes: words("helm.valuesFileSchemes", |letter| letter == ','),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rendering_settings_are_words() {
        let read = |data: &[(&str, &str)]| {
            let data = data.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            RenderingSettings::of(&Settings { file: "cm.yaml".to_owned(), data })
        };
        assert_eq!(read(&[]), RenderingSettings::default());
        let set = read(&[
            ("kustomize.buildOptions", "--enable-helm  --load-restrictor LoadRestrictionsNone\n"),
            ("helm.valuesFileSchemes", "https, s3,"),
            ("helm.enable", "false"),
            ("kustomize.enable", "true"),
            ("jsonnet.enable", ""),
        ]);
        assert_eq!(set.disabled, [SourceKind::Helm]);
        let options = set.kustomize_build_options.unwrap();
        assert_eq!(options, ["--enable-helm", "--load-restrictor", "LoadRestrictionsNone"]);
        assert_eq!(set.values_file_schemes.unwrap(), ["https", "s3"]);
        // Set, and empty: no URL at all.
        assert_eq!(read(&[("helm.valuesFileSchemes", "")]).values_file_schemes.unwrap(), [""; 0]);
    }
}
