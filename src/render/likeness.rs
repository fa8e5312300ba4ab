//! Tells a manifest that cannot be used from a file that is something else.
//!
//! In: the text of a file that gave no object, or an object without a name. Out: why it is a [`Gap`]: a typo in a manifest, a broken or
//! encrypted file, a pointer; or nothing of the kind ([`GapReason::NotAManifest`]), as of a values file.
//!
//! Rule: Argo CD skips such a file without a word (`findManifests`), and its objects are then missing from git. A map looks like a
//! manifest when two of `apiVersion`, `kind` and `metadata.name` are there, each spelt right or nearly right and with a value of its form.

use serde_json::{Map, Value};

use crate::object::GapReason;
use crate::object::yaml::{Document, YamlError};

/// Why a file gave no objects, and the line.
pub(super) fn of_file(text: &str, documents: &[Result<Document, YamlError>]) -> (GapReason, usize) {
    if is_lfs_pointer(text) {
        return (GapReason::LfsPointer, 0);
    }
    if is_encrypted(text) || documents.iter().flatten().any(|document| is_encrypted_map(&document.value)) {
        return (GapReason::Encrypted, 0);
    }
    let looked = documents.iter().find_map(|document| match document {
        Ok(document) => {
            let reason = of_value(&document.value)?;
            let line = line_of(&reason, text, document.line);
            Some((reason, line))
        }
        Err(error) => Some((GapReason::NotYaml(error.message.clone()), error.line)),
    });
    looked.unwrap_or((GapReason::NotAManifest, 0))
}

/// Why a value looks like a manifest but cannot be used; `None` where it does not.
fn of_value(value: &Value) -> Option<GapReason> {
    match value {
        Value::Object(map) => of_map(map),
        // A list of manifests, which kubectl does not take, or the items of a List.
        Value::Array(items) => items.iter().find_map(|item| of_map(item.as_object()?)),
        _ => None,
    }
}

fn of_map(map: &Map<String, Value>) -> Option<GapReason> {
    let fields = [
        ManifestField::find(map, "apiVersion", is_api_version),
        ManifestField::find(map, "kind", is_kind),
        ManifestField::find(map, "metadata", is_metadata),
    ];
    let found = fields.iter().filter(|field| field.is_found()).count();
    if found < 2 {
        return None;
    }
    let misspelt = fields.iter().find_map(ManifestField::misspelt);
    let absent = || fields.iter().find(|field| !field.is_found()).map(|field| GapReason::MissingField(field.meant));
    // Everything is there in form: something inside of `items` is wrong.
    misspelt.or_else(absent).or_else(|| items(map)).or(Some(GapReason::MissingField("metadata.name")))
}

fn items(map: &Map<String, Value>) -> Option<GapReason> {
    of_value(map.get("items")?)
}

/// The description of an object without a name, given as the whole map.
pub(super) fn of_nameless(map: &Map<String, Value>) -> GapReason {
    let misspelt = match map.get("metadata") {
        Some(Value::Object(metadata)) => ManifestField::find(metadata, "name", Value::is_string).misspelt(),
        _ => ManifestField::find(map, "metadata", is_metadata).misspelt(),
    };
    let kind = map.get("kind").and_then(Value::as_str).unwrap_or_default();
    misspelt.unwrap_or_else(|| GapReason::NoName { kind: kind.to_owned() })
}

/// The names that a text writes down, as `name: web`, whatever its form is.
pub(super) fn names(text: &str) -> Vec<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | ':' | '_');
    let is_quote = |letter: char| matches!(letter, '"' | '\'');
    let after = text.match_indices("name").filter_map(|(at, word)| {
        let is_word = text[..at].chars().next_back().is_none_or(|before| !is_part(before));
        let rest = text[at + word.len()..].trim_start_matches(is_quote).trim_start_matches(' ').strip_prefix(':')?;
        let rest = rest.trim_start_matches(' ').trim_start_matches(is_quote);
        let name = rest.split(|letter| !is_part(letter)).next().unwrap_or_default();
        (is_word && !name.is_empty()).then(|| name.to_owned())
    });
    let mut names: Vec<String> = after.collect();
    names.sort();
    names.dedup();
    names
}

/// One field of a manifest, as far as a map has it.
struct ManifestField {
    meant: &'static str,
    /// The key that stands for it.
    found: Option<String>,
}

impl ManifestField {
    /// Looks for the key itself, and then for one that is nearly it; its value has to be of the field's form.
    fn find(map: &Map<String, Value>, meant: &'static str, is_of_form: impl Fn(&Value) -> bool) -> Self {
        let exact = map.get(meant).filter(|value| is_of_form(value)).map(|_| meant.to_owned());
        let near =
            || map.iter().find(|(key, value)| is_nearly(key, meant) && is_of_form(value)).map(|(key, _)| key.clone());
        let found = exact.or_else(|| if map.contains_key(meant) { None } else { near() });
        Self { meant, found }
    }

    fn is_found(&self) -> bool {
        self.found.is_some()
    }

    fn misspelt(&self) -> Option<GapReason> {
        let found = self.found.as_ref().filter(|found| *found != self.meant)?;
        Some(GapReason::Misspelt { found: found.clone(), meant: self.meant })
    }
}

/// `v1`, `apps/v1beta1`.
fn is_api_version(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    let (group, version) = text.rsplit_once('/').unwrap_or(("", text));
    let is_of_group =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || matches!(letter, '.' | '-');
    let number = version.strip_prefix('v').unwrap_or_default();
    group.chars().all(is_of_group)
        && number.starts_with(|letter: char| letter.is_ascii_digit())
        && number.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
}

/// `ConfigMap`.
fn is_kind(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.starts_with(|letter: char| letter.is_ascii_uppercase())
            && text.chars().all(|letter| letter.is_ascii_alphanumeric())
    })
}

/// A map with a name, or with nearly one.
fn is_metadata(value: &Value) -> bool {
    value.as_object().is_some_and(|metadata| {
        let has = |meant| ManifestField::find(metadata, meant, Value::is_string).is_found();
        has("name") || has("generateName")
    })
}

/// Whether a key is the other one but for its case, a letter, or in a long one two letters.
fn is_nearly(key: &str, meant: &str) -> bool {
    let (key, meant) = (key.trim().to_lowercase(), meant.to_lowercase());
    let allowed = if meant.len() > 4 { 2 } else { 1 };
    distance(&key, &meant) <= allowed
}

/// The least number of letters to add, remove, replace or swap with their neighbour (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    if left.len().abs_diff(right.len()) > 2 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, letter) in left.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, other) in right.iter().enumerate() {
            let mut cost = (row[j] + usize::from(letter != other)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *letter == right[j - 1] && left[i - 1] == *other {
                cost = cost.min(before[j - 1] + 1);
            }
            next.push(cost);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// Rule: git-lfs docs/spec.md, "The Pointer": the version comes first.
fn is_lfs_pointer(text: &str) -> bool {
    let text = text.trim_start();
    ["version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/"]
        .iter()
        .any(|beginning| text.starts_with(beginning))
}

/// Headers of files encrypted by git-crypt, Ansible Vault, age and PGP.
fn is_encrypted(text: &str) -> bool {
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    ["\0GITCRYPT", "$ANSIBLE_VAULT;", "-----BEGIN AGE ENCRYPTED FILE", "age-encryption.org/", "-----BEGIN PGP MESSAGE"]
        .iter()
        .any(|beginning| text.starts_with(beginning))
}

/// A file that SOPS has encrypted as a whole: it keeps a map of its own beside the values.
fn is_encrypted_map(value: &Value) -> bool {
    value.get("sops").is_some_and(|sops| sops.get("mac").is_some() || sops.get("version").is_some())
}

/// The line of the key that is wrong, or of the document.
fn line_of(reason: &GapReason, text: &str, line: usize) -> usize {
    let GapReason::Misspelt { found, .. } = reason else { return line };
    let has_key = |written: &str| {
        let written = written.trim_start_matches(['{', '-', ' ', '"', '\'']);
        written
            .strip_prefix(found.as_str())
            .is_some_and(|rest| rest.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
    };
    let place = text.lines().skip(line.saturating_sub(1)).position(has_key);
    place.map_or(line, |place| line + place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::yaml::{self, Limits, WithPositions};

    fn looked(text: &str) -> (GapReason, usize) {
        of_file(text, &yaml::read(text, &Limits::default(), WithPositions::No))
    }

    fn misspelt(found: &str, meant: &'static str) -> GapReason {
        GapReason::Misspelt { found: found.to_owned(), meant }
    }

    /// Each of these was a manifest before somebody slipped; Argo CD passes over it.
    #[test]
    fn a_manifest_with_a_typo_is_seen() {
        let rest = "metadata: {name: a}\ndata: {a: '1'}\n";
        for (text, expected) in [
            (format!("apiVersion: v1\nknd: ConfigMap\n{rest}"), (misspelt("knd", "kind"), 2)),
            (format!("apiVersion: v1\nKind: ConfigMap\n{rest}"), (misspelt("Kind", "kind"), 2)),
            (format!("apiVersion: v1\nknid: ConfigMap\n{rest}"), (misspelt("knid", "kind"), 2)),
            (format!("apiVersion: v1\nkinds: ConfigMap\n{rest}"), (misspelt("kinds", "kind"), 2)),
            (format!("apiversion: v1\nkind: ConfigMap\n{rest}"), (misspelt("apiversion", "apiVersion"), 1)),
            (format!("apiVerison: apps/v1\nkind: Deployment\n{rest}"), (misspelt("apiVerison", "apiVersion"), 1)),
            (format!("appVersion: v1\nkind: ConfigMap\n{rest}"), (misspelt("appVersion", "apiVersion"), 1)),
            (format!("api_version: v1\nkind: ConfigMap\n{rest}"), (misspelt("api_version", "apiVersion"), 1)),
            ("apiVersion: v1\nKIND: ConfigMap\n".to_owned(), (misspelt("KIND", "kind"), 2)),
            (format!("ApiVersion: v1\nKind: ConfigMap\n{rest}"), (misspelt("ApiVersion", "apiVersion"), 1)),
            (
                format!("# web\n{{apiVersion: v1, knd: ConfigMap,\n {rest}").replace("data: {a: '1'}\n", "}\n"),
                (misspelt("knd", "kind"), 2),
            ),
            ("apiVersion: v1\nknd: ConfigMap\nmetadta: {nme: a}\n".to_owned(), (misspelt("knd", "kind"), 2)),
            (format!("kind: ConfigMap\n{rest}"), (GapReason::MissingField("apiVersion"), 1)),
            (format!("apiVersion: v1\n{rest}"), (GapReason::MissingField("kind"), 1)),
            (format!("apiVersion: ''\nkind: ConfigMap\n{rest}"), (GapReason::MissingField("apiVersion"), 1)),
            ("- apiVersion: v1\n  knd: ConfigMap\n".to_owned(), (misspelt("knd", "kind"), 2)),
            ("replicas: 2\n---\napiVersion: v1\nknd: ConfigMap\n".to_owned(), (misspelt("knd", "kind"), 4)),
        ] {
            assert_eq!(looked(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_looked_into_may_be_a_manifest() {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n";
        assert_eq!(looked(pointer).0, GapReason::LfsPointer);
        for encrypted in [
            "$ANSIBLE_VAULT;1.1;AES256\n6135\n",
            "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n",
            "\0GITCRYPT\0\u{1}",
            "data: ENC[AES256_GCM,data:x]\nsops: {mac: 'ENC[]', version: 3.9.0}\n",
        ] {
            assert_eq!(looked(encrypted).0, GapReason::Encrypted, "{encrypted}");
        }
        assert!(matches!(looked("a: [1, 2\nb: 1\n"), (GapReason::NotYaml(_), 2)));
        assert!(matches!(looked("replicas: 2\n---\na: b: c\n"), (GapReason::NotYaml(_), 3)));
    }

    /// Each of these lies beside manifests in somebody's repository.
    #[test]
    fn what_no_typo_turns_into_a_manifest_is_something_else() {
        for other in [
            "replicas: 2\nimage: {tag: v1}\n",
            "kind: Deployment\nreplicas: 2\n",
            "kind: Deployment\nmetadata: {labels: {a: b}}\n",
            "apiVersion: v2\nname: web\nversion: 1.0.0\nappVersion: v2\ntype: application\n",
            "name: web\nversion: 1.0.0\nappVersion: 1.16.0\n",
            "resources: [a.yaml]\nimages: [{name: web, newTag: v1}]\n",
            "apiVersion: 1\nproviders: [{name: default}]\n",
            "apiVersion: 1\nkind: dashboards\n",
            "version: '3'\nservices: {web: {image: nginx}}\n",
            "name: build\non: push\njobs: {a: {steps: []}}\n",
            "bind: Address\napiVersion: 2\n",
            "id: Web\nmetadata: {owner: shop}\n",
            "- {op: replace, path: /spec/replicas, value: 2}\n",
            "- a\n- b\n",
            "just text\n",
            "{\"name\": \"web\", \"private\": true}\n",
            "# nothing\n",
            "",
        ] {
            assert_eq!(looked(other), (GapReason::NotAManifest, 0), "{other}");
        }
    }

    #[test]
    fn an_object_without_a_name_says_what_is_written_instead() {
        let nameless = |text: &str| {
            let mut read = yaml::read(text, &Limits::default(), WithPositions::No);
            of_nameless(read.remove(0).unwrap().value.as_object().unwrap())
        };
        let head = "apiVersion: v1\nkind: ConfigMap\n";
        assert_eq!(nameless(&format!("{head}metadta: {{name: a}}\n")), misspelt("metadta", "metadata"));
        assert_eq!(nameless(&format!("{head}metadata: {{nmae: a}}\n")), misspelt("nmae", "name"));
        for text in ["metadata: {}\n", "metadata: {labels: {a: b}}\n", "data: {a: '1'}\n"] {
            let expected = GapReason::NoName { kind: "ConfigMap".to_owned() };
            assert_eq!(nameless(&format!("{head}{text}")), expected, "{text}");
        }
    }

    #[test]
    fn the_names_that_a_file_writes_down_are_found() {
        for (text, expected) in [
            ("metadata:\n  name: web\n", &["web"][..]),
            ("metadata: {name: web-1, namespace: shop}", &["web-1"]),
            ("{\"metadata\": {\"name\": \"web.example.com\"}}", &["web.example.com"]),
            ("metadata: {name: 'web' }\nspec: [{name: b}]", &["b", "web"]),
            ("namespace: shop\nnames: [a]\nhostname: web\n", &[]),
            ("name:\n  web\n", &[]),
            ("name", &[]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn a_key_is_nearly_another_by_few_letters() {
        for (key, meant, expected) in [
            ("knd", "kind", true),
            ("kidn", "kind", true),
            ("kond", "kind", true),
            ("kinnd", "kind", true),
            ("icon", "kind", false),
            ("id", "kind", false),
            ("metadta", "metadata", true),
            ("meta-data", "metadata", true),
            ("metdat", "metadata", true),
            ("data", "metadata", false),
            ("version", "apiVersion", false),
            ("apiVersion ", "apiVersion", true),
            ("", "kind", false),
        ] {
            assert_eq!(is_nearly(key, meant), expected, "{key}");
        }
    }
}
