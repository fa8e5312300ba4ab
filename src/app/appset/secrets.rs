//! Argo CD's cluster Secrets in manifest files: what a `clusters` generator sees of a cluster.
//!
//! Rule: a Secret with the label `argocd.argoproj.io/secret-type: cluster`; `stringData` counts as `data` does.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::ClusterSecret;
use crate::app::ManifestText;
use crate::object::yaml::{self, Limits, WithPositions};

/// The clusters that the Secrets describe, in the order of the files; credentials are not read.
pub fn cluster_secrets(inputs: &[ManifestText]) -> Vec<ClusterSecret> {
    let mut found = Vec::new();
    for input in inputs {
        let Ok(text) = yaml::decode(&input.bytes) else { continue };
        for document in yaml::read(&text, &Limits::default(), WithPositions::No).into_iter().flatten() {
            let items = document.value.get("items").and_then(Value::as_array);
            match items {
                Some(items) => found.extend(items.iter().filter_map(cluster)),
                None => found.extend(cluster(&document.value)),
            }
        }
    }
    found
}

fn cluster(secret: &Value) -> Option<ClusterSecret> {
    let labels = texts(secret.pointer("/metadata/labels"));
    let is_cluster = labels.get("argocd.argoproj.io/secret-type").is_some_and(|kind| kind == "cluster");
    if secret.get("kind").and_then(Value::as_str) != Some("Secret") || !is_cluster {
        return None;
    }
    let plain = texts(secret.get("stringData"));
    let encoded = texts(secret.get("data"));
    let text = |key: &str| {
        let decoded = || STANDARD.decode(encoded.get(key)?.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        plain.get(key).cloned().or_else(decoded).unwrap_or_default()
    };
    Some(ClusterSecret {
        name: text("name"),
        server: text("server").trim_end_matches('/').to_owned(),
        project: text("project"),
        labels,
        annotations: texts(secret.pointer("/metadata/annotations")),
    })
}

fn texts(map: Option<&Value>) -> BTreeMap<String, String> {
    let entries = map.and_then(Value::as_object).into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
