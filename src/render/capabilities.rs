//! The cluster data that a chart receives: its version, and the kinds that it serves.
//!
//! Rules: Argo CD reposerver/repository/repository.go `parseKubeVersion`, util/argo/argo.go `APIResourcesToStrings`.

use std::collections::BTreeSet;

use crate::object::kinds::{InvalidKubeVersion, parse_kube_version};
use crate::object::{KindFacts, Kinds};

/// The version that the source asks for, or the cluster's, as three numbers; nothing when neither is known.
pub(super) fn kube_version(asked: &str, kinds: &Kinds) -> Result<Option<String>, InvalidKubeVersion> {
    let version = if asked.is_empty() { kinds.server_version.as_str() } else { asked };
    if version.is_empty() {
        return Ok(None);
    }
    parse_kube_version(version).map(|version| Some(format!("{}.{}.{}", version.major, version.minor, version.patch)))
}

/// The list that the source gives, or what the cluster serves: each `group/version`, and each `group/version/Kind`.
///
/// Without a cluster these are what is defined beside Kubernetes' own kinds, and of these the stable versions: our table has
/// others, too, which no cluster serves any more, or by default.
pub(super) fn api_versions(asked: &[String], kinds: &Kinds) -> Vec<String> {
    if !asked.is_empty() {
        return asked.to_vec();
    }
    let mut served = BTreeSet::new();
    for facts in kinds.iter_all().filter(|facts| !kinds.is_by_heart(&facts.gvk) || is_stable(&facts.gvk.version)) {
        let version = facts.gvk.api_version();
        served.insert(format!("{version}/{}", facts.gvk.kind));
        served.insert(version);
    }
    served.into_iter().collect()
}

/// `v1`, and not `v1beta1`.
fn is_stable(version: &str) -> bool {
    version.strip_prefix('v').is_some_and(|number| number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// A hash of everything that the two above know of a cluster.
pub(super) fn fingerprint(kinds: &Kinds) -> blake3::Hash {
    let mut known = kinds.server_version.clone();
    known.push_str(if kinds.are_served() { "" } else { " by heart" });
    for KindFacts { gvk, .. } in kinds.iter_all() {
        known.extend(["\n", &gvk.group, "/", &gvk.version, "/", &gvk.kind]);
    }
    blake3::hash(known.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{Gvk, Scope};

    fn facts(api_version: &str, kind: &str) -> KindFacts {
        let gvk = Gvk::from_api_version(api_version, kind);
        KindFacts { gvk, plural: kind.to_lowercase(), scope: Scope::Namespaced, verbs: Vec::new() }
    }

    #[test]
    fn a_chart_receives_what_the_cluster_serves() {
        let mut kinds = Kinds::new("v1.34.2+k3s1");
        kinds.add(facts("v1", "Pod"));
        kinds.add(facts("apps/v1", "Deployment"));
        assert_eq!(api_versions(&[], &kinds), ["apps/v1", "apps/v1/Deployment", "v1", "v1/Pod"]);
        assert_eq!(api_versions(&["x/v1/Y".to_owned()], &kinds), ["x/v1/Y"]);
        assert_eq!(kube_version("", &kinds).unwrap().as_deref(), Some("1.34.2"));
        assert_eq!(kube_version("v1.30", &kinds).unwrap().as_deref(), Some("1.30.0"));
        assert!(kube_version("newest", &kinds).is_err());
        assert_eq!(kube_version("", &Kinds::default()).unwrap(), None);
    }

    /// Charts ask for `policy/v1/PodDisruptionBudget`, and fall back to what no cluster serves any more; our table knows such
    /// versions, too, and a chart must not receive them.
    #[test]
    fn without_a_cluster_a_chart_receives_stable_kinds_and_added_ones() {
        let mut kinds = Kinds::builtin("v1.36.3");
        kinds.add(facts("shop.example.com/v1alpha1", "Till"));
        let offered = api_versions(&[], &kinds);
        for (expected, words) in [
            (true, "policy/v1/PodDisruptionBudget"),
            (true, "networking.k8s.io/v1/Ingress"),
            (true, "autoscaling/v2"),
            (true, "shop.example.com/v1alpha1/Till"),
            (false, "policy/v1beta1"),
            (false, "policy/v1beta1/PodDisruptionBudget"),
            (false, "batch/v1beta1/CronJob"),
        ] {
            assert_eq!(offered.iter().any(|it| it == words), expected, "{words}");
        }
    }

    #[test]
    fn the_cluster_data_of_a_chart_is_in_the_fingerprint() {
        let mut kinds = Kinds::new("v1.36.3");
        let mut seen = vec![fingerprint(&Kinds::new("v1.36.2")), fingerprint(&kinds)];
        for (api_version, kind) in [("v1", "Pod"), ("apps/v1", "Pod"), ("apps/v1", "Deployment")] {
            kinds.add(facts(api_version, kind));
            assert!(!seen.contains(&fingerprint(&kinds)), "{api_version} {kind}");
            seen.push(fingerprint(&kinds));
        }
    }
}
