//! What the cluster holds that Argo CD runs in: Secrets, ConfigMaps and decisions about clusters, as generators read them.
//!
//! In: manifest files, or objects. Out: [`ArgoObjects`], asked by name. A manifest without a namespace counts in each.
//!
//! Rules: a Secret with the label `argocd.argoproj.io/secret-type: cluster` is a cluster; `stringData` counts as `data` does.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::ClusterSecret;
use super::question::{SecretKey, ServiceCredential, ServiceLogin};
use crate::app::ManifestText;
use crate::app::settings::GithubApp;
use crate::object::yaml::{self, Limits, WithPositions};
use crate::secret::Secret;

/// The objects that generators may ask for.
#[derive(Debug, Clone, Default)]
pub struct ArgoObjects {
    clusters: Vec<ClusterSecret>,
    secrets: Vec<NamedTexts<Secret<String>>>,
    config_maps: Vec<NamedTexts<String>>,
    /// Everything else: a generator names the kind.
    others: Vec<Value>,
}

/// The texts of a Secret or a ConfigMap.
#[derive(Debug, Clone)]
struct NamedTexts<T> {
    namespace: String,
    name: String,
    data: BTreeMap<String, T>,
}

impl<T> NamedTexts<T> {
    fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && is_in(&self.namespace, namespace)
    }
}

/// Whether a manifest of one namespace, or of none, is meant by another.
fn is_in(own: &str, namespace: &str) -> bool {
    own.is_empty() || namespace.is_empty() || own == namespace
}

impl ArgoObjects {
    /// Reads manifest files; what is not YAML is left alone.
    pub fn read(inputs: &[ManifestText]) -> Self {
        let mut objects = Self::default();
        for input in inputs {
            let Ok(text) = yaml::decode(&input.bytes) else { continue };
            for document in yaml::read(&text, &Limits::default(), WithPositions::No).into_iter().flatten() {
                match document.value.get("items") {
                    Some(Value::Array(items)) => items.iter().for_each(|item| objects.add(item)),
                    _ => objects.add(&document.value),
                }
            }
        }
        objects
    }

    /// Adds others, which count less.
    pub fn extend(&mut self, others: Self) {
        self.clusters.extend(others.clusters);
        self.secrets.extend(others.secrets);
        self.config_maps.extend(others.config_maps);
        self.others.extend(others.others);
    }

    /// Takes one object.
    pub fn add(&mut self, object: &Value) {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        match text("/kind").as_str() {
            "Secret" => {
                let data = secret_data(object);
                self.clusters.extend(cluster(object, &data));
                let data = data.into_iter().map(|(key, text)| (key, Secret::new(text))).collect();
                self.secrets.push(NamedTexts { namespace, name, data });
            }
            "ConfigMap" => {
                self.config_maps.push(NamedTexts { namespace, name, data: texts(object.get("data")) });
            }
            "" => {}
            _ => self.others.push(object.clone()),
        }
    }

    /// The clusters that Secrets describe, in order.
    pub fn clusters(&self) -> &[ClusterSecret] {
        &self.clusters
    }

    /// The data of a ConfigMap.
    pub fn config_map(&self, namespace: &str, name: &str) -> Option<&BTreeMap<String, String>> {
        self.config_maps.iter().find(|map| map.is(namespace, name)).map(|map| &map.data)
    }

    /// The API versions and plural names of the resources that ConfigMaps of `clusterDecisionResource` generators name.
    pub fn decision_kinds(&self) -> Vec<(String, String)> {
        let named = self.config_maps.iter().filter(|map| map.data.contains_key("matchKey"));
        named.filter_map(|map| Some((map.data.get("apiVersion")?.clone(), map.data.get("kind")?.clone()))).collect()
    }

    /// The objects of an API version and a plural name, in a namespace.
    pub fn resources<'a>(
        &'a self,
        api_version: &'a str,
        plural: &'a str,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Value> {
        self.others.iter().filter(move |object| {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            text("/apiVersion") == api_version
                && is_plural(plural, text("/kind"))
                && is_in(text("/metadata/namespace"), namespace)
        })
    }

    /// The credentials of a service, or why they are not known.
    pub fn credential(&self, login: &ServiceLogin) -> Result<ServiceCredential, String> {
        Ok(match login {
            ServiceLogin::Anonymous => ServiceCredential::Anonymous,
            ServiceLogin::Token(key) => ServiceCredential::Token(self.secret_text(key)?),
            ServiceLogin::Basic { user, password } => {
                ServiceCredential::Basic(user.clone(), self.secret_text(password)?)
            }
            ServiceLogin::GithubApp { namespace, secret } => {
                ServiceCredential::GithubApp(Box::new(self.github_app(namespace, secret)?))
            }
        })
    }

    fn secret_text(&self, key: &SecretKey) -> Result<Secret<String>, String> {
        let SecretKey { namespace, secret, key } = key;
        let found = self.secrets.iter().find(|known| known.is(namespace, secret));
        let found = found.ok_or_else(|| format!("Secret `{secret}` not found"))?;
        found.data.get(key).cloned().ok_or_else(|| format!("Secret `{secret}` has no key `{key}`"))
    }

    fn github_app(&self, namespace: &str, secret: &str) -> Result<GithubApp, String> {
        let text = |key: &str| {
            let key = SecretKey { namespace: namespace.to_owned(), secret: secret.to_owned(), key: key.to_owned() };
            self.secret_text(&key)
        };
        let number = |key: &str| {
            text(key)?.expose().trim().parse().map_err(|_error| format!("Secret `{secret}`: `{key}` is not a number"))
        };
        Ok(GithubApp {
            secret: secret.to_owned(),
            id: Some(number("githubAppID")?),
            installation: text("githubAppInstallationID")
                .ok()
                .map(|_| number("githubAppInstallationID"))
                .transpose()?,
            private_key: Some(text("githubAppPrivateKey")?),
            api: text("githubAppEnterpriseBaseUrl")
                .map(|url| url.expose().trim_end_matches('/').to_owned())
                .unwrap_or_default(),
        })
    }
}

/// `placementdecisions` is the plural of `PlacementDecision`.
fn is_plural(plural: &str, kind: &str) -> bool {
    let (plural, kind) = (plural.to_lowercase(), kind.to_lowercase());
    let ending_in_y = kind.strip_suffix('y').map(|stem| format!("{stem}ies"));
    plural == kind || plural == format!("{kind}s") || plural == format!("{kind}es") || Some(plural) == ending_in_y
}

/// The texts of a Secret; what is not text is left out.
fn secret_data(secret: &Value) -> BTreeMap<String, String> {
    let decoded = |text: &String| String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok();
    let encoded = texts(secret.get("data"));
    let mut data: BTreeMap<String, String> =
        encoded.iter().filter_map(|(key, text)| Some((key.clone(), decoded(text)?))).collect();
    data.extend(texts(secret.get("stringData")));
    data
}

fn cluster(secret: &Value, data: &BTreeMap<String, String>) -> Option<ClusterSecret> {
    let labels = texts(secret.pointer("/metadata/labels"));
    if labels.get("argocd.argoproj.io/secret-type").is_none_or(|kind| kind != "cluster") {
        return None;
    }
    let text = |key: &str| data.get(key).cloned().unwrap_or_default();
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
