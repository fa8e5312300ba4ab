//! Text that is the same on every machine and in every run: what varies is marked.

use std::sync::LazyLock;

use regex::Regex;

/// Ordered: a rule may eat a part of what a later one would have marked.
static MARKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let temporary = regex::escape(std::env::temp_dir().to_string_lossy().trim_end_matches('/'));
    [
        // The folders of this harness: the random part of the name goes, the part that says what it is stays.
        (format!(r"(?:/private)?{temporary}/trueup-(repo|application|folder|run|control-plane)-\w+"), "[$1]"),
        (r"\b[0-9a-f]{40}\b".to_owned(), "[HASH]"),
        (r"\b(127\.0\.0\.1|localhost):\d+".to_owned(), "$1:[PORT]"),
        (r"\btest-\d{4}\b".to_owned(), "[NAMESPACE]"),
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)".to_owned(), "[TIME]"),
        (r"\bjust now\b|\b\d+ ?(?:seconds?|minutes?|hours?|days?|s|min|m|h|d) ago\b".to_owned(), "[AGO]"),
        (r"\b\d+(?:\.\d+)? ?m?s\b".to_owned(), "[DURATION]"),
    ]
    .map(|(pattern, mark)| (Regex::new(&pattern).expect("the pattern is right"), mark))
    .into()
});

/// Marks hashes, ports, paths, namespaces and times.
pub(super) fn stable(text: &str) -> String {
    MARKS.iter().fold(text.to_owned(), |text, (pattern, mark)| pattern.replace_all(&text, *mark).into_owned())
}

/// A snapshot holds no path of the machine, no hash, no port and no time.
#[test]
fn a_snapshot_is_the_same_on_every_machine() {
    let folder = tempfile::Builder::new().prefix("trueup-repo-").tempdir().expect("a folder");
    let varies = [
        (format!("{}/repo/a.yaml", folder.path().display()), "[repo]/repo/a.yaml"),
        (format!("at {}", "3f2a9c1d".repeat(5)), "at [HASH]"),
        ("https://127.0.0.1:40123/api".to_owned(), "https://127.0.0.1:[PORT]/api"),
        ("namespace test-0012".to_owned(), "namespace [NAMESPACE]"),
        ("2026-01-02T03:04:05.678Z".to_owned(), "[TIME]"),
        ("kubectl scale, 4 minutes ago".to_owned(), "kubectl scale, [AGO]"),
        ("kubectl-edit, just now".to_owned(), "kubectl-edit, [AGO]"),
        ("compared in 12.3 ms".to_owned(), "compared in [DURATION]"),
        ("replicas 2 → 3, 100m of cpu".to_owned(), "replicas 2 → 3, 100m of cpu"),
    ];
    for (text, expected) in varies {
        assert_eq!(stable(&text), expected);
    }
}
