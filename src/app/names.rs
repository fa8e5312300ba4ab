//! What somebody may have meant who wrote a field that is not one.
//!
//! In: an unknown field, where it stands, the names that are known there. Out: a [`Guess`]: the nearest name or the field's
//! proper home, and what follows from the manifest as it stands.

use serde_json::Value;

/// The field that was probably meant, and the effect of the unknown one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guess {
    /// The label under the field.
    pub(super) label: String,
    /// The consequence.
    pub(super) consequence: String,
}

// Fields that are often written one floor too high or too low, and where they belong.
const HOMES: &[(&str, &str)] = &[
    ("allowEmpty", "spec.syncPolicy.automated"),
    ("automated", "spec.syncPolicy"),
    ("backoff", "spec.syncPolicy.retry"),
    ("chart", "spec.source"),
    ("destination", "spec"),
    ("directory", "spec.source"),
    ("helm", "spec.source"),
    ("ignoreDifferences", "spec"),
    ("jsonnet", "spec.source.directory"),
    ("kustomize", "spec.source"),
    ("managedNamespaceMetadata", "spec.syncPolicy"),
    ("operation", "the Application itself"),
    ("path", "spec.source"),
    ("plugin", "spec.source"),
    ("project", "spec"),
    ("prune", "spec.syncPolicy.automated"),
    ("recurse", "spec.source.directory"),
    ("releaseName", "spec.source.helm"),
    ("repoURL", "spec.source"),
    ("retry", "spec.syncPolicy"),
    ("revisionHistoryLimit", "spec"),
    ("selfHeal", "spec.syncPolicy.automated"),
    ("source", "spec"),
    ("sources", "spec"),
    ("syncOptions", "spec.syncPolicy"),
    ("syncPolicy", "spec"),
    ("targetRevision", "spec.source"),
    ("valueFiles", "spec.source.helm"),
    ("valuesObject", "spec.source.helm"),
];

// What an Application does without a field.
const CONSEQUENCES: &[(&str, &str)] = &[
    ("allowEmpty", "a sync never prunes the last object"),
    ("automated", "it is synced by hand"),
    ("exclude", "no file is left out"),
    ("finalizers", "deleting the Application leaves its objects"),
    ("forceString", "Helm reads the value as YAML"),
    ("group", "it means the core group alone"),
    ("ignoreDifferences", "every difference counts"),
    ("include", "every manifest file is read"),
    ("jqPathExpressions", "the fields are compared"),
    ("jsonPointers", "the fields are compared"),
    ("libs", "Jsonnet imports from the path alone"),
    ("managedFieldsManagers", "the fields are compared"),
    ("parameters", "none of them is set"),
    ("project", "the project is `default`"),
    ("prune", "what git drops stays in the cluster"),
    ("recurse", "folders below the path are not read"),
    ("releaseName", "the release has the Application's name"),
    ("retry", "the number of retries is the default one"),
    ("revisionHistoryLimit", "ten revisions are kept"),
    ("selfHeal", "changes in the cluster stay"),
    ("syncOptions", "no sync option is set"),
    ("syncPolicy", "it is synced by hand"),
    ("tagPrefix", "all tags are looked at"),
    ("targetRevision", "the source follows the default branch"),
    ("valueFiles", "the chart's own values are used"),
    ("values", "the chart's own values are used"),
    ("valuesObject", "the chart's own values are used"),
];

const NO_EFFECT: &str = "as it stands, it has no effect";

/// Guesses what `field` below `path` was meant to be.
pub(super) fn guess(field: &str, path: &str, known: &[&'static str]) -> Guess {
    if let Some(name) = nearest(field, known.iter().copied()) {
        let consequence = CONSEQUENCES
            .iter()
            .find(|(known, _)| *known == name)
            .map_or_else(|| NO_EFFECT.to_owned(), |(_, consequence)| format!("as it stands, {consequence}"));
        return Guess { label: format!("did you mean `{name}`?"), consequence };
    }
    let home = HOMES.iter().find(|(name, home)| name.eq_ignore_ascii_case(field) && *home != path);
    let label = match home {
        Some((name, home)) if home.starts_with("spec") => format!("`{name}` belongs in `{home}`"),
        Some((name, home)) => format!("`{name}` belongs in {home}"),
        None if known.is_empty() => "no field is known here".to_owned(),
        None => format!("known here: {}", in_order(known)),
    };
    Guess { label, consequence: NO_EFFECT.to_owned() }
}

fn in_order(known: &[&'static str]) -> String {
    let mut known = known.to_vec();
    known.sort_unstable();
    known.join(", ")
}

/// The name nearest to one that is not known, when it is near enough to be what was meant.
pub(super) fn nearest<'name>(wrong: &str, names: impl Iterator<Item = &'name str>) -> Option<&'name str> {
    let wrong = wrong.to_lowercase();
    names
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let longest = wrong.chars().count().max(lower.chars().count());
            let distance = strsim::osa_distance(&wrong, &lower);
            // A third of the letters may be wrong; `revision` is also near enough to `targetRevision`.
            let is_part = wrong.len() >= 5 && (lower.ends_with(&wrong) || lower.starts_with(&wrong));
            (distance * 3 <= longest || is_part).then_some((distance, name))
        })
        .min()
        .map(|(_, name)| name)
}

/// The one thing to do about a value of the wrong type.
pub(super) fn advice_on_type(path: &str, value: &Value, expected: &str) -> String {
    match (expected, value) {
        ("text", Value::Bool(_) | Value::Number(_)) => "put it in quotes".to_owned(),
        ("text", Value::Object(_)) if path.ends_with(".helm.values") => {
            "`values` is YAML as text; a map goes into `valuesObject`".to_owned()
        }
        ("a map", Value::String(_)) if path.ends_with(".helm.valuesObject") => {
            "`valuesObject` is a map; text goes into `values`".to_owned()
        }
        ("`true` or `false`" | "a whole number", Value::String(text)) if is_plain(text) => {
            format!("write {text} without quotes")
        }
        ("a list", Value::Object(_) | Value::String(_)) => "write a list: each item begins with `- `".to_owned(),
        _ => "`kubectl apply` would refuse it too".to_owned(),
    }
}

fn is_plain(text: &str) -> bool {
    matches!(text, "true" | "false") || text.parse::<i64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_guessed_and_far_ones_are_not() {
        let known = ["repoURL", "path", "targetRevision", "chart", "helm", "kustomize", "directory", "ref"];
        for (wrong, meant) in [
            ("targetRevison", Some("targetRevision")),
            ("repoUrl", Some("repoURL")),
            ("repo_url", Some("repoURL")),
            ("revision", Some("targetRevision")),
            ("target", Some("targetRevision")),
            ("kustomise", Some("kustomize")),
            ("directroy", Some("directory")),
            ("Path", Some("path")),
            ("paths", Some("path")),
            ("prune", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, known.into_iter()), meant, "{wrong}");
        }
    }

    #[test]
    fn a_field_on_the_wrong_floor_is_sent_home() {
        let guess = guess("selfHeal", "spec.syncPolicy", &["automated", "retry", "syncOptions"]);
        assert_eq!(guess.label, "`selfHeal` belongs in `spec.syncPolicy.automated`");
        assert_eq!(guess.consequence, "as it stands, it has no effect");
    }
}
