//! How much of a file an error message may quote. This is the one place that decides it.
//!
//! In: a file's name and its text, which may be broken in any way: it is quoted because it could not be read. Out: the same
//! text, byte for byte as long, with secrets masked; or nothing, where any line may be one.
//!
//! - Only what looks like a manifest, a Jsonnet program or an argument is quoted. What does not may be a values file.
//! - Nothing is quoted of a file that may hold a Secret, or whose name says that it holds values or credentials.
//! - Of what is quoted, the values given to Helm, plugins and Jsonnet are masked, and what opens a URL.

use super::mask_credentials_in_text;

/// Keys whose values are parameters of a render: anybody may have put a password there.
const PARAMETERS: [&str; 8] =
    ["values", "valuesobject", "parameters", "fileparameters", "env", "plugin", "extvars", "tlas"];

/// The text of a file as an error may quote it; nothing where it must not be quoted.
pub fn shown_text(file: &str, text: &str) -> Option<String> {
    let is_argument = file.starts_with("--");
    if !is_argument && (is_named_private(file) || may_hold_secret(text) || !is_manifest_or_program(file, text)) {
        return None;
    }
    Some(mask_credentials_in_text(&without_parameters(text)))
}

/// Whether the file's name says that it holds values or credentials.
fn is_named_private(file: &str) -> bool {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file).to_ascii_lowercase();
    ["values", "secret", "credential", "password", "token", ".env"].iter().any(|word| name.contains(word))
}

/// A file without `apiVersion` and `kind` is not a Kubernetes manifest, and may be anything: values, most likely.
fn is_manifest_or_program(file: &str, text: &str) -> bool {
    let name = file.to_ascii_lowercase();
    if [".jsonnet", ".libsonnet"].iter().any(|extension| name.ends_with(extension))
        || name.contains("kustomization")
        || name.contains(".argocd-source")
    {
        return true;
    }
    if text.trim_start().starts_with(['{', '[']) {
        return ["\"apiVersion\"", "\"kind\""].iter().any(|field| text.contains(field));
    }
    // Deeper they are fields of something else, which values have, too.
    let is_field = |line: &str| ["apiVersion", "kind"].iter().any(|field| line.starts_with(field));
    text.lines().any(|line| is_field(line) || line.strip_prefix("- ").is_some_and(is_field))
}

/// Whether a kind, or a field of its own, says that there may be a Secret in it, whatever is misspelt around it.
fn may_hold_secret(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    if text.contains("stringdata") {
        return true;
    }
    let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    text.split(|letter| !is_part(letter)).any(|word| {
        let word = word.strip_suffix("list").unwrap_or(word);
        (5..=7).contains(&word.len()) && is_nearly(word, "secret")
    })
}

/// One letter too few, too many, another one, or two swapped.
fn is_nearly(word: &str, known: &str) -> bool {
    strsim::osa_distance(word, known) <= 1
}

/// The text with the values of [`PARAMETERS`] masked.
///
/// Where such a key begins, its line and all that is indented deeper are masked. Where its end cannot be seen from the
/// indentation (flow style that goes on, an open quote), everything up to the next document is.
fn without_parameters(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut hidden = Hidden::No;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if line.starts_with("---") {
            hidden = Hidden::No;
        }
        let is_end = |below: usize| {
            let content = line.trim();
            // The items of a list may stand as deep as its key.
            !content.is_empty() && (indent < below || (indent == below && !content.starts_with('-')))
        };
        if matches!(hidden, Hidden::Below(below) if is_end(below)) {
            hidden = Hidden::No;
        }
        let Some(from) = (if hidden == Hidden::No { parameters_in(line) } else { Some(0) }) else {
            shown.push_str(line);
            continue;
        };
        let (kept, masked) = line.split_at(from);
        shown.push_str(kept);
        mask_into(masked, &mut shown);
        if hidden == Hidden::No {
            let is_block = kept.trim_start_matches([' ', '\t', '-']).find(['{', '[', ',']).is_none();
            hidden = if is_block { Hidden::Below(indent_of_key(kept)) } else { Hidden::Rest };
        }
        if masked.matches(['{', '[']).count() != masked.matches(['}', ']']).count()
            || masked.matches('"').count() % 2 == 1
            || masked.matches('\'').count() % 2 == 1
        {
            hidden = Hidden::Rest;
        }
    }
    shown
}

/// How much of what follows is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hidden {
    No,
    /// Lines that are indented deeper than this.
    Below(usize),
    /// All of it, up to the next document.
    Rest,
}

/// Where in a line the value of a parameter begins.
fn parameters_in(line: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = line[from..].find(':') {
        let colon = from + found;
        let key = line[..colon].trim_end().trim_end_matches(['"', '\'']);
        let key = key.rsplit(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
        if PARAMETERS.contains(&key.as_str()) {
            return Some(colon + 1);
        }
        from = colon + 1;
    }
    None
}

/// How deep the key stands that a line ends with; `- name:` stands behind its dash.
fn indent_of_key(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t', '-']).len()
}

/// Masks byte for byte; blanks and the end of the line stay, so that the text keeps its shape.
fn mask_into(text: &str, shown: &mut String) {
    for letter in text.chars() {
        if letter.is_ascii_whitespace() {
            shown.push(letter);
        } else {
            shown.extend(std::iter::repeat_n('*', letter.len_utf8()));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A broken file is quoted only where it can hold no secret.
    #[test]
    fn which_files_are_quoted() {
        let manifest = "apiVersion: v1\nkind: ConfigMap\n";
        for (case, file, text, is_quoted) in [
            ("a manifest", "web.yaml", manifest, true),
            ("an argument", "--selector", "a in (b", true),
            ("a program", "web.jsonnet", "{ a: b", true),
            ("values by name", "values-prod.yaml", manifest, false),
            ("credentials by name", "env/credentials.json", manifest, false),
            ("values by what it lacks", "prod.yaml", "db:\n  password: a: b\n", false),
            ("a Secret", "a.yaml", "apiVersion: v1\nkind: Secret\ndata: {", false),
            ("a Secret in JSON", "a.json", r#"{"apiVersion": "v1", "kind":"Secret", "#, false),
            ("a misspelt one", "a.yaml", "apiVersion: v1\nkind: Secert\ndata: {", false),
            ("another one", "a.yaml", "apiVersion: v1\nknd: secrets\n", false),
            ("a list of them", "a.yaml", "apiVersion: v1\nkind: SecretList\n", false),
            ("one of two documents", "a.yaml", "apiVersion: v1\nkind: Pod\n---\nkind: Secret\n", false),
            ("a field of theirs", "a.yaml", "apiVersion: v1\nkind\nStringData:\n  a", false),
            ("a program that makes one", "a.jsonnet", "{ kind: 'Secret', ", false),
            (
                "a name that has the word in it",
                "a.yaml",
                "apiVersion: v1\nkind: Pod\na: {secretName: web-secret}\n",
                true,
            ),
        ] {
            assert_eq!(shown_text(file, text).is_some(), is_quoted, "{case}");
        }
    }

    /// A value that an Application gives to Helm may be a password, right beside the fault.
    #[test]
    fn parameters_are_masked_where_a_manifest_is_quoted() {
        let head = "apiVersion: argoproj.io/v1alpha1\nkind: Application\n";
        for (case, text) in [
            ("values", "helm:\n  values: |\n    password: swordfish\n  x: y\n"),
            ("values on one line", "helm: {values: 'swordfish'}\nx: y\n"),
            ("an object", "helm:\n  valuesObject:\n    a:\n      b: swordfish\n  x: y\n"),
            ("parameters", "helm:\n  parameters:\n  - name: a\n    value: swordfish\n  x: y\n"),
            ("parameters in flow style", "helm: {parameters: [{name: a,\nvalue: swordfish}]}\n"),
            ("a list at the key's own depth", "helm:\n  parameters:\n  - {name: a, value: swordfish}\n"),
            ("in quotes that go on", "helm:\n  values: \"a\nswordfish\"\n"),
            ("of a plugin", "plugin:\n  env:\n  - name: a\n    value: swordfish\n"),
            ("of Jsonnet", "- tlas:\n  - name: a\n    value: swordfish\n"),
            ("JSON", "{\"helm\": {\"valuesObject\": {\"a\":\n \"swordfish\"}}"),
        ] {
            let text = format!("{head}{text}");
            let shown = shown_text("app.yaml", &text).unwrap_or_else(|| panic!("{case}: it is quoted"));
            assert!(!shown.contains("swordfish"), "{case}: {shown}");
            assert_eq!(shown.len(), text.len(), "{case}");
        }
        let text = format!("{head}spec:\n  source:\n    helm:\n      values: |\n        a: b\n    targetRevison: v1\n");
        assert!(shown_text("app.yaml", &text).is_some_and(|shown| shown.contains("targetRevison: v1")));
    }

    proptest! {
        #[test]
        fn offsets_hold(text in "([a-z\u{e4}\u{1cf30}:{}\\[\\]'\" -]{0,12}(values:|parameters: |\n|---\n)){0,9}") {
            let shown = without_parameters(&text);
            prop_assert_eq!(shown.len(), text.len());
            prop_assert!(text.char_indices().all(|(offset, _)| shown.is_char_boundary(offset)));
        }
    }
}
