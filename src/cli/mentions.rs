//! Whether a file can hold anything of Argo CD's, seen without parsing it: most files of a repository do not.
//!
//! In: a file's path and bytes. Out: yes or no, and never no for a file with an Application. Kinds that are misspelt are
//! warnings where manifests are read, so both `argoproj.io/v…` and `Application` count. Charts and kustomizations count by their
//! name: they say what the files beside them are.

use std::path::Path;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// What every manifest of Argo CD's kinds has, and nearly every one with a typing error; and its policy. Annotations of other
/// objects, such as `argocd.argoproj.io/sync-wave`, do not count.
static WORDS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"argoproj\.io\\?/v|Application|argocd-rbac-cm").ok());

/// Files that say what other files are.
const BY_NAME: [&str; 3] = ["Chart.yaml", "kustomization.yaml", "kustomization.yml"];

/// Whether the file has to be parsed.
pub(super) fn may_hold_argo_cd(path: &Path, bytes: &[u8]) -> bool {
    // The words do not stand in UTF-16 and UTF-32 as they do in UTF-8.
    let is_wide = bytes.starts_with(&[0xfe, 0xff]) || bytes.starts_with(&[0xff, 0xfe]) || has_zero(bytes);
    let is_named = || path.file_name().is_some_and(|name| BY_NAME.iter().any(|known| name == *known));
    is_wide || WORDS.as_ref().is_none_or(|words| words.is_match(bytes)) || is_named()
}

fn has_zero(bytes: &[u8]) -> bool {
    bytes.iter().take(4).any(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_by_its_words_its_name_and_its_encoding() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for (name, bytes, expected) in [
            ("a.yaml", b"apiVersion: argoproj.io/v1alpha1\nkind: Application\n".to_vec(), true),
            ("a.yaml", b"apiVersion: argoproj.io/v1alpha1\nkind: AppProject\n".to_vec(), true),
            ("a.yaml", b"apiVersion: argoprj.io/v1alpha1\nkind: Application\n".to_vec(), true),
            ("a.yaml", b"kind: ConfigMap\nmetadata: {name: argocd-rbac-cm}\n".to_vec(), true),
            ("a.yaml", br#"{"apiVersion": "argoproj.io\/v1alpha1", "kind": "AppProject"}"#.to_vec(), true),
            ("a.yaml", b"metadata: {annotations: {argocd.argoproj.io/sync-wave: '1'}}\n".to_vec(), false),
            ("a.yaml", b"apiVersion: v1\nkind: ConfigMap\n".to_vec(), false),
            ("a.yaml", b"a: [\n".to_vec(), false),
            ("a.yaml", Vec::new(), false),
            ("chart/Chart.yaml", b"name: web\n".to_vec(), true),
            ("prod/kustomization.yml", b"resources: [a.yaml]\n".to_vec(), true),
            ("a.yaml", wide("kind: Application"), true),
            ("a.yaml", [vec![0xff, 0xfe], wide("kind: Application")].concat(), true),
        ] {
            assert_eq!(may_hold_argo_cd(Path::new(name), &bytes), expected, "{name}: {bytes:?}");
        }
    }
}
