//! Versions: which version of an API is preferred, and which version of Kubernetes somebody asks for.
//!
//! In: `v1`, `v2beta1`; `1.34`, `v1.34.2+k3s1`. Out: a [`Priority`] to sort by; a [`KubeVersion`].
//!
//! Rules: apimachinery pkg/version `CompareKubeAwareVersionStrings`; component-helpers' generic versions, as Helm's
//! `--kube-version` reads them.

use std::fmt;
use std::str::FromStr;

/// How much an API version is preferred; the greater the better: `v2`, `v1`, `v1beta1`, `v1alpha1`, then the rest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Priority {
    stability: Stability,
    major: u64,
    minor: u64,
    /// Only versions of no known form are compared by their text, in reverse: the first letter comes first.
    text: std::cmp::Reverse<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stability {
    Unknown,
    Alpha,
    Beta,
    Stable,
}

impl Priority {
    /// Reads `v1`, `v2beta1`, `v1alpha3`.
    pub(super) fn of(version: &str) -> Self {
        Self::parse(version).unwrap_or_else(|| Self {
            stability: Stability::Unknown,
            major: 0,
            minor: 0,
            text: std::cmp::Reverse(version.to_owned()),
        })
    }

    fn parse(version: &str) -> Option<Self> {
        let rest = version.strip_prefix('v')?;
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let (major, suffix) = rest.split_at(digits);
        let (stability, minor) = match suffix {
            "" => (Stability::Stable, 0),
            _ => match (suffix.strip_prefix("beta"), suffix.strip_prefix("alpha")) {
                (Some(minor), _) => (Stability::Beta, minor.parse().ok()?),
                (_, Some(minor)) => (Stability::Alpha, minor.parse().ok()?),
                _ => return None,
            },
        };
        Some(Self { stability, major: major.parse().ok()?, minor, text: std::cmp::Reverse(String::new()) })
    }
}

/// A version of Kubernetes, in its full form: `v1.34.0`, `v1.34.2+k3s1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeVersion {
    /// `1`.
    pub major: u64,
    /// `34`.
    pub minor: u64,
    /// `2`.
    pub patch: u64,
    /// The suffix of a distribution, with its sign: `+k3s1`, `-gke.100`; empty for Kubernetes' own.
    pub suffix: String,
}

impl fmt::Display for KubeVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "v{}.{}.{}{}", self.major, self.minor, self.patch, self.suffix)
    }
}

/// A text that is no version of Kubernetes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a Kubernetes version, such as `1.34` or `v1.34.2`")]
pub struct InvalidKubeVersion(pub String);

impl FromStr for KubeVersion {
    type Err = InvalidKubeVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_kube_version(text)
    }
}

/// Reads `1.34`, `v1.34.2`, `v1.34.2+k3s1`, `1.34+` (as some servers write their minor version).
pub fn parse_kube_version(text: &str) -> Result<KubeVersion, InvalidKubeVersion> {
    let invalid = || InvalidKubeVersion(text.to_owned());
    let bare = text.trim();
    let bare = bare.strip_prefix('v').unwrap_or(bare);
    let end = bare.find(['+', '-']).unwrap_or(bare.len());
    let (numbers, suffix) = bare.split_at(end);
    let suffix_is_sound =
        suffix.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'));
    let numbers: Vec<u64> =
        numbers.split('.').map(|number| number.parse().ok()).collect::<Option<_>>().ok_or_else(invalid)?;
    let (major, minor, patch) = match numbers[..] {
        [major, minor] => (major, minor, 0),
        [major, minor, patch] => (major, minor, patch),
        _ => return Err(invalid()),
    };
    if !suffix_is_sound {
        return Err(invalid());
    }
    let suffix = if suffix.len() > 1 { suffix.to_owned() } else { String::new() };
    Ok(KubeVersion { major, minor, patch, suffix })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the documentation of `CompareKubeAwareVersionStrings`.
    #[test]
    fn api_versions_stand_in_kubernetes_own_order() {
        let documented =
            ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"];
        let mut sorted = documented;
        sorted.reverse();
        sorted.sort_by_key(|version| std::cmp::Reverse(Priority::of(version)));
        assert_eq!(sorted, documented);
    }

    #[test]
    fn kubernetes_versions_are_read_as_people_write_them() {
        for (text, full) in [
            ("1.34", "v1.34.0"),
            ("v1.34", "v1.34.0"),
            ("1.34.2", "v1.34.2"),
            ("v1.34.2+k3s1", "v1.34.2+k3s1"),
            ("v1.29.4-eks-036c24b", "v1.29.4-eks-036c24b"),
            ("1.30+", "v1.30.0"),
            (" v1.36.3 ", "v1.36.3"),
        ] {
            assert_eq!(parse_kube_version(text).map(|version| version.to_string()).as_deref(), Ok(full), "{text}");
        }
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in
            ["", "v", "1", "latest", "1.x", "1.2.3.4", "-1.2", "1.34 && rm", "1.34+\u{1b}[0m", "99999999999999999999.1"]
        {
            assert!(parse_kube_version(text).is_err(), "{text}");
        }
    }
}
