//! Reads the Secret of a cluster: every fault of it at once, and never a value in one.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{ClusterCredential, ClusterLogin, ClusterSecretFault, CredentialProgram, RegisteredCluster};
use crate::app::settings::ClientCertificate;
use crate::object::annotations::SECRET_TYPE;
use crate::object::yaml::{self, Limits, WithPositions};
use crate::object::{Object, type_name};
use crate::secret::Secret;

/// The version of the protocol that Argo CD's own credential program speaks.
const AWS_API_VERSION: &str = "client.authentication.k8s.io/v1beta1";

pub(super) fn read(file: &str, bytes: &[u8]) -> Result<Vec<RegisteredCluster>, ClusterSecretFault> {
    let wrong = |error: yaml::YamlError| ClusterSecretFault::Yaml {
        file: file.to_owned(),
        line: error.line,
        why: error.message,
    };
    let text = yaml::decode(bytes).map_err(wrong)?;
    let mut clusters = Vec::new();
    for document in yaml::read(&text, &Limits::default(), WithPositions::No) {
        collect(file, document.map_err(wrong)?.value, &mut clusters);
    }
    Ok(clusters)
}

fn collect(file: &str, mut value: Value, clusters: &mut Vec<RegisteredCluster>) {
    if let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) {
        for item in items {
            collect(file, item, clusters);
        }
    } else if let Ok(object) = Object::new(value) {
        clusters.extend(cluster(file, &object));
    }
}

/// The cluster of a Secret; nothing where it is another object.
pub(super) fn cluster(place: &str, object: &Object) -> Option<RegisteredCluster> {
    if object.kind() != "Secret" || object.label(SECRET_TYPE) != Some("cluster") {
        return None;
    }
    let place = format!("Secret `{}` of {place}", object.name());
    let mut faults = Faults { place: &place, found: Vec::new() };
    let data = data(object, &mut faults);
    let text = |key: &str| data.get(key).map(|text| text.trim().to_owned()).unwrap_or_default();
    let server = text("server").trim_end_matches('/').to_owned();
    if server.is_empty() {
        faults.found.push(ClusterSecretFault::NoServer { place: place.clone() });
    }
    let namespaces: BTreeSet<String> =
        text("namespaces").split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let login = login(data.get("config").map_or("", String::as_str), &mut faults);
    let login = if faults.found.is_empty() { Ok(login) } else { Err(faults.found) };
    let texts = |field: &str| {
        let entries = object.value().get("metadata").and_then(|metadata| metadata.get(field)?.as_object());
        let texts = entries.into_iter().flatten();
        texts.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    };
    Some(RegisteredCluster {
        secret: object.name().to_owned(),
        name: text("name"),
        server,
        project: text("project"),
        namespaces,
        // Argo CD: exactly this word.
        cluster_resources: text("clusterResources") == "true",
        labels: texts("labels"),
        annotations: texts("annotations"),
        login,
        place,
    })
}

/// `data` decoded, and `stringData` over it, as an API server does it.
fn data(object: &Object, faults: &mut Faults<'_>) -> BTreeMap<String, String> {
    let map = |field: &str| object.value().get(field).and_then(Value::as_object).cloned().unwrap_or_default();
    let mut data = BTreeMap::new();
    for (key, value) in map("data") {
        let text = value.as_str().map(|text| text.split_whitespace().collect::<String>());
        match text.and_then(|text| String::from_utf8(STANDARD.decode(text).ok()?).ok()) {
            Some(text) => drop(data.insert(key, text)),
            None => faults.add(&key, "is not base64"),
        }
    }
    for (key, value) in map("stringData") {
        match value {
            Value::String(text) => drop(data.insert(key, text)),
            other => faults.add(&key, &format!("is {}, not text", type_name(&other))),
        }
    }
    data
}

/// The faults of one Secret.
struct Faults<'a> {
    place: &'a str,
    found: Vec<ClusterSecretFault>,
}

impl Faults<'_> {
    fn add(&mut self, field: &str, why: &str) {
        let fault =
            ClusterSecretFault::Field { place: self.place.to_owned(), field: field.to_owned(), why: why.to_owned() };
        self.found.push(fault);
    }
}

fn login(config: &str, faults: &mut Faults<'_>) -> ClusterLogin {
    if config.trim().is_empty() {
        return ClusterLogin::default();
    }
    match serde_json::from_str(config) {
        Ok(Value::Object(config)) => login_of(&config, faults),
        Ok(Value::Null) => ClusterLogin::default(),
        Ok(other) => {
            faults.add("config", &format!("is {}, not a JSON object", type_name(&other)));
            ClusterLogin::default()
        }
        Err(error) => {
            // The library's words would quote it.
            faults.add("config", &format!("is not JSON: line {}, column {}", error.line(), error.column()));
            ClusterLogin::default()
        }
    }
}

fn login_of(config: &Map<String, Value>, faults: &mut Faults<'_>) -> ClusterLogin {
    let mut reading = ConfigReading { path: "config".to_owned(), object: Some(config), faults };
    let mut login = ClusterLogin {
        disable_compression: reading.switch("disableCompression"),
        proxy: Some(reading.text("proxyUrl")).filter(|url| !url.is_empty()).map(Secret::new),
        ..ClusterLogin::default()
    };
    if let Some(proxy) = &login.proxy
        && !["http://", "https://", "socks5://"].iter().any(|scheme| proxy.expose().starts_with(scheme))
    {
        reading.fault("proxyUrl", "is not an http, https or socks5 URL");
    }
    login.credential = credential(&mut reading);
    let mut tls = reading.below("tlsClientConfig");
    login.insecure = tls.switch("insecure");
    login.server_name = tls.text("serverName");
    login.authority = tls.pem("caData");
    login.client_certificate = match (tls.pem("certData"), tls.pem("keyData")) {
        (Some(certificate), Some(key)) => Some(ClientCertificate { certificate, key: Secret::new(key) }),
        (None, None) => None,
        (Some(_), None) => {
            tls.fault("keyData", "is missing beside `certData`");
            None
        }
        (None, Some(_)) => {
            tls.fault("certData", "is missing beside `keyData`");
            None
        }
    };
    if login.insecure && login.authority.is_some() {
        tls.fault(
            "insecure",
            "cannot be true beside `caData`: a certificate authority that is not asked protects nothing",
        );
    }
    login
}

/// Of several, AWS comes first, then a program, as in Argo CD.
fn credential(config: &mut ConfigReading<'_, '_>) -> ClusterCredential {
    if config.has("awsAuthConfig") {
        return ClusterCredential::Program(aws(&mut config.below("awsAuthConfig")));
    }
    if config.has("execProviderConfig") {
        return ClusterCredential::Program(program(&mut config.below("execProviderConfig")));
    }
    let (username, password, token) = (config.text("username"), config.text("password"), config.text("bearerToken"));
    let has_basic = !username.is_empty() || !password.is_empty();
    if has_basic && !token.is_empty() {
        config.fault("bearerToken", "is set beside `username` and `password`; keep one of the two");
    }
    match (has_basic, token.is_empty()) {
        (_, false) => ClusterCredential::Token(Secret::new(token)),
        (true, true) => ClusterCredential::Basic { username, password: Secret::new(password) },
        (false, true) => ClusterCredential::None,
    }
}

/// The program that Argo CD runs for `awsAuthConfig`.
fn aws(config: &mut ConfigReading<'_, '_>) -> CredentialProgram {
    let cluster = config.text("clusterName");
    if cluster.is_empty() {
        config.fault("clusterName", "is missing");
    }
    let mut arguments = vec!["aws".to_owned(), "--cluster-name".to_owned(), cluster];
    for (key, flag) in [("roleARN", "--role-arn"), ("profile", "--profile")] {
        let value = config.text(key);
        if !value.is_empty() {
            arguments.extend([flag.to_owned(), value]);
        }
    }
    CredentialProgram {
        command: "argocd-k8s-auth".to_owned(),
        arguments,
        environment: BTreeMap::new(),
        api_version: AWS_API_VERSION.to_owned(),
        install_hint: "it is in Argo CD's image; or give the cluster a context and name it with --context-map"
            .to_owned(),
    }
}

fn program(config: &mut ConfigReading<'_, '_>) -> CredentialProgram {
    let program = CredentialProgram {
        command: config.text("command"),
        arguments: config.texts("args"),
        environment: config.named_texts("env"),
        api_version: config.text("apiVersion"),
        install_hint: config.text("installHint"),
    };
    if program.command.is_empty() {
        config.fault("command", "is missing");
    }
    if !program.api_version.starts_with("client.authentication.k8s.io/") {
        config.fault("apiVersion", "is not `client.authentication.k8s.io/v1` or `…/v1beta1`");
    }
    program
}

/// An object of the configuration, whose fields Go finds in whatever case they are written.
struct ConfigReading<'a, 'faults> {
    path: String,
    object: Option<&'a Map<String, Value>>,
    faults: &'a mut Faults<'faults>,
}

impl<'faults> ConfigReading<'_, 'faults> {
    fn value(&self, key: &str) -> Option<&Value> {
        let object = self.object?;
        let value = object
            .get(key)
            .or_else(|| object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value));
        value.filter(|value| !value.is_null())
    }

    fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    fn fault(&mut self, key: &str, why: &str) {
        self.faults.add(&format!("{}.{key}", self.path), why);
    }

    fn wrong_type(&mut self, key: &str, found: &'static str, expected: &str) {
        self.fault(key, &format!("is {found}, not {expected}"));
    }

    fn text(&mut self, key: &str) -> String {
        match self.value(key) {
            None => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => {
                let found = type_name(other);
                self.wrong_type(key, found, "text");
                String::new()
            }
        }
    }

    fn switch(&mut self, key: &str) -> bool {
        match self.value(key) {
            None => false,
            Some(Value::Bool(is_on)) => *is_on,
            Some(other) => {
                let found = type_name(other);
                self.wrong_type(key, found, "`true` or `false`");
                false
            }
        }
    }

    /// PEM in base64; nothing where it is empty.
    fn pem(&mut self, key: &str) -> Option<String> {
        let text: String = self.text(key).split_whitespace().collect();
        if text.is_empty() {
            return None;
        }
        let pem = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        match pem {
            Some(pem) if pem.contains("-----BEGIN ") => Some(pem),
            Some(_) => {
                self.fault(key, "is base64, but not of PEM");
                None
            }
            None => {
                self.fault(key, "is not PEM in base64");
                None
            }
        }
    }

    fn texts(&mut self, key: &str) -> Vec<String> {
        let texts = match self.value(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            Some(_) => None,
        };
        texts.unwrap_or_else(|| {
            self.fault(key, "is not a list of texts");
            Vec::new()
        })
    }

    fn named_texts(&mut self, key: &str) -> BTreeMap<String, Secret<String>> {
        let texts = match self.value(key) {
            None => return BTreeMap::new(),
            Some(Value::Object(entries)) => {
                let text =
                    |(name, value): (&String, &Value)| Some((name.clone(), Secret::new(value.as_str()?.to_owned())));
                entries.iter().map(text).collect()
            }
            Some(_) => None,
        };
        texts.unwrap_or_else(|| {
            self.fault(key, "is not an object of texts");
            BTreeMap::new()
        })
    }

    fn below(&mut self, key: &str) -> ConfigReading<'_, 'faults> {
        let is_other = self.value(key).filter(|value| !value.is_object()).map(type_name);
        if let Some(found) = is_other {
            self.wrong_type(key, found, "an object");
        }
        let path = format!("{}.{key}", self.path);
        let object = self.object.and_then(|object| {
            let exact = object.get(key);
            exact.or_else(|| object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value))
        });
        ConfigReading { path, object: object.and_then(Value::as_object), faults: self.faults }
    }
}
