//! Names of files, and the mark that says who wrote what is in them.
//!
//! In: an object's key. Out: `<namespace or _cluster>/<kind>.<group>-<name>.yaml`, below `.trueup/` for what trueup keeps about
//! itself. Names come from manifests: none leads out of the folder, and none is hidden.

use crate::object::annotations::{APPLYSET_PART_OF, OWN_NAMES};
use crate::object::{Key, Object};

/// Where trueup keeps what it keeps about itself: records and locks.
pub(super) const OWN_FOLDER: &str = ".trueup/";

/// The longest file name; file systems take 255 bytes.
const LONGEST_NAME: usize = 200;

/// Whether this is what trueup keeps about itself: a record or a lock, which belongs to no application.
pub(super) fn is_own(object: &Object) -> bool {
    may_be_own(&object.key()) && object.label(APPLYSET_PART_OF).is_none()
}

/// Whether this may be the name of a record or a lock.
pub(super) fn may_be_own(key: &Key) -> bool {
    let is_kind =
        matches!((key.group.as_str(), key.kind.as_str()), ("", "ConfigMap") | ("coordination.k8s.io", "Lease"));
    is_kind && OWN_NAMES.iter().any(|own| key.name.starts_with(own))
}

/// Where a new object is written, below the folder.
pub(super) fn file_of(key: &Key, is_own: bool) -> String {
    let namespace = if key.namespace.is_empty() { "_cluster".to_owned() } else { part(&key.namespace) };
    let folder = if is_own { OWN_FOLDER } else { "" };
    format!("{folder}{namespace}/{}.yaml", short(format!("{}-{}", part(&kind(key).to_lowercase()), part(&key.name))))
}

/// The comment before what trueup wrote. It names the object, so that a copy under another name is not tracked.
pub(super) fn mark(key: &Key) -> String {
    let namespace = if key.namespace.is_empty() { String::new() } else { format!("{}/", part(&key.namespace)) };
    format!("{MARK}{} {namespace}{}", part(&kind(key)), part(&key.name))
}

/// How every mark begins.
pub(super) const MARK: &str = "# Written by trueup: ";

fn kind(key: &Key) -> String {
    if key.group.is_empty() { key.kind.clone() } else { format!("{}.{}", key.kind, key.group) }
}

/// Whatever no file name should have is written as `%` and its bytes.
fn part(text: &str) -> String {
    let escape = |(position, byte): (usize, u8)| match byte {
        b'.' if position == 0 => "%2E".to_owned(),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    short(text.bytes().enumerate().map(escape).collect())
}

/// Escaped text is ASCII, so that it may be cut anywhere.
fn short(name: String) -> String {
    if name.len() <= LONGEST_NAME {
        return name;
    }
    let hash = blake3::hash(name.as_bytes()).to_hex();
    format!("{}-{}", &name[..LONGEST_NAME - 17], &hash[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(group: &str, kind: &str, namespace: &str, name: &str) -> Key {
        let [group, kind, namespace, name] = [group, kind, namespace, name].map(str::to_owned);
        Key { group, kind, namespace, name }
    }

    #[test]
    fn an_object_has_a_file_of_its_own_name_inside_of_the_folder() {
        for (key, is_own, expected) in [
            (key("apps", "Deployment", "shop", "web"), false, "shop/deployment.apps-web.yaml"),
            (key("", "Namespace", "", "shop"), false, "_cluster/namespace-shop.yaml"),
            (key("", "ConfigMap", "shop", "trueup-web"), true, ".trueup/shop/configmap-trueup-web.yaml"),
            (
                key("rbac.authorization.k8s.io", "ClusterRole", "", "system:node"),
                false,
                "_cluster/clusterrole.rbac.authorization.k8s.io-system%3Anode.yaml",
            ),
            (key("", "ConfigMap", "..", "../../etc/x"), false, "%2E./configmap-%2E.%2F..%2Fetc%2Fx.yaml"),
            (key("", ".Hidden", "/", "\n"), false, "%2F/%2Ehidden-%0A.yaml"),
        ] {
            assert_eq!(file_of(&key, is_own), expected);
        }
        let long = file_of(&key("", "ConfigMap", &"n".repeat(400), &"x".repeat(400)), false);
        assert!(long.split('/').all(|part| part.len() < 255), "{long}");
    }

    #[test]
    fn a_mark_is_one_line() {
        assert_eq!(mark(&key("apps", "Deployment", "shop", "web")), "# Written by trueup: Deployment.apps shop/web");
        assert_eq!(mark(&key("", "Node", "", "a\nkind: b")), "# Written by trueup: Node a%0Akind%3A%20b");
    }
}
