//! Reads the Secrets: every fault of a file at once, and never a value in an error.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{ClientCertificate, GithubApp, Repositories, Repository, RepositoryKind};
use crate::finding::{Code, Finding};
use crate::object::Object;
use crate::object::annotations::SECRET_TYPE;
use crate::object::yaml::{self, Limits, WithPositions};
use crate::secret::{RepoUrl, Secret};

/// The ConfigMap with the certificates of hosts.
const AUTHORITIES: &str = "argocd-tls-certs-cm";
/// The ConfigMap with the keys of hosts that speak ssh, and its one key.
const KNOWN_HOSTS: (&str, &str) = ("argocd-ssh-known-hosts-cm", "ssh_known_hosts");

/// Credentials that Argo CD knows and nothing here uses; each key shows that the credential is set.
const OF_CLOUDS: [(&str, &str); 3] = [
    ("gcpServiceAccountKey", "trueup requests no tokens from Google"),
    ("useAzureWorkloadIdentity", "trueup requests no tokens from Azure"),
    ("azureServicePrincipalClientSecret", "trueup requests no tokens from Azure"),
];

/// Why Secrets of repositories cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum RepositoriesError {
    /// The file is no YAML.
    #[error("{file}:{line}: cannot be read: {why}")]
    #[diagnostic(code(trueup::settings::yaml), help("`--repositories` takes manifests of Secrets"))]
    Yaml {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The fault.
        why: String,
    },
    /// The file has other things in it.
    #[error("{file}: holds no Secret of a repository, and no certificates or host keys")]
    #[diagnostic(
        code(trueup::settings::none),
        help("`kubectl get secret -n argocd -l argocd.argoproj.io/secret-type -o yaml` prints those of a cluster")
    )]
    None {
        /// The file.
        file: String,
    },
    /// A Secret that says nothing of where.
    #[error("{file}: Secret `{secret}` has no `url`")]
    #[diagnostic(code(trueup::settings::repository), help("Argo CD finds a repository's Secret by its `url`"))]
    NoUrl {
        /// The file.
        file: String,
        /// The Secret's name.
        secret: String,
    },
    /// A field of a Secret.
    #[error("{file}: Secret `{secret}`: `{key}` is {why}")]
    #[diagnostic(
        code(trueup::settings::repository),
        help("values of `data` are base64; to write them as they are, use `stringData`")
    )]
    Field {
        /// The file.
        file: String,
        /// The Secret's name.
        secret: String,
        /// The field.
        key: String,
        /// The fault; never its value, if that may be secret.
        why: String,
    },
}

pub(super) fn read(file: &str, bytes: &[u8]) -> ReadResult {
    let (found, warnings) = read_each(file, bytes, SecretReading::object)?;
    if found.is_empty() { Err(vec![RepositoriesError::None { file: file.to_owned() }]) } else { Ok((found, warnings)) }
}

pub(super) fn beside_settings(file: &str, bytes: &[u8]) -> ReadResult {
    read_each(file, bytes, SecretReading::config_map)
}

fn read_each<'file>(file: &'file str, bytes: &[u8], take: fn(&mut SecretReading<'file>, &Object)) -> ReadResult {
    let wrong = |error: yaml::YamlError| {
        vec![RepositoriesError::Yaml { file: file.to_owned(), line: error.line, why: error.message }]
    };
    let text = yaml::decode(bytes).map_err(wrong)?;
    let mut reading = SecretReading::of(file);
    for document in yaml::read(&text, &Limits::default(), WithPositions::No) {
        reading.value(document.map_err(wrong)?.value, take);
    }
    reading.end()
}

pub(super) fn of_objects(place: &str, objects: impl IntoIterator<Item = Object>) -> (Repositories, Vec<Finding>) {
    let mut reading = SecretReading::of(place);
    objects.into_iter().for_each(|object| reading.object(&object));
    let errors = reading.errors.iter().map(|error| Finding::of(error));
    (reading.found, errors.chain(reading.warnings).collect())
}

/// The value with its warnings, or all faults.
type ReadResult = Result<(Repositories, Vec<Finding>), Vec<RepositoriesError>>;

struct SecretReading<'file> {
    file: &'file str,
    found: Repositories,
    warnings: Vec<Finding>,
    errors: Vec<RepositoriesError>,
}

impl<'file> SecretReading<'file> {
    fn of(file: &'file str) -> Self {
        Self { file, found: Repositories::default(), warnings: Vec::new(), errors: Vec::new() }
    }

    fn end(self) -> ReadResult {
        if self.errors.is_empty() { Ok((self.found, self.warnings)) } else { Err(self.errors) }
    }

    fn value(&mut self, mut value: Value, take: fn(&mut Self, &Object)) {
        if let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) {
            for item in items {
                self.value(item, take);
            }
            return;
        }
        if let Ok(object) = Object::new(value) {
            take(self, &object);
        }
    }

    fn object(&mut self, object: &Object) {
        match (object.kind(), object.label(SECRET_TYPE)) {
            ("Secret", Some("repository")) => {
                let repository = self.secret(object, SecretRole::Repository);
                self.found.entries.extend(repository);
            }
            ("Secret", Some("repo-creds")) => {
                let template = self.secret(object, SecretRole::Template);
                self.found.templates.extend(template);
            }
            _ => self.config_map(object),
        }
    }

    fn config_map(&mut self, object: &Object) {
        match (object.kind(), object.name()) {
            ("ConfigMap", AUTHORITIES) => {
                let data = object.value().get("data").and_then(Value::as_object).into_iter().flatten();
                for (host, pem) in data.filter_map(|(host, pem)| Some((host, pem.as_str()?))) {
                    if pem.contains("-----BEGIN CERTIFICATE-----") {
                        self.found.authorities.insert(host.clone(), pem.to_owned());
                    } else {
                        let message = format!("{}: {AUTHORITIES}: `{host}` has no certificate in PEM", self.file);
                        let help = "`argocd cert add-tls` writes what belongs there: the host's certificate, or its authority's";
                        self.warnings.push(Finding::warning(Code::SettingsCertificate, message).with_help(help));
                    }
                }
            }
            ("ConfigMap", name) if name == KNOWN_HOSTS.0 => {
                let keys = object.value().get("data").and_then(|data| data.get(KNOWN_HOSTS.1)).and_then(Value::as_str);
                // Without any, no host is known: that is what the ConfigMap says.
                self.found.known_hosts = Some(keys.unwrap_or_default().to_owned());
            }
            _ => {}
        }
    }

    fn secret(&mut self, object: &Object, role: SecretRole) -> Option<Repository> {
        let name = object.name().to_owned();
        let mut data = SecretData { fields: BTreeMap::new(), faults: Vec::new() };
        data.take(object);
        if data.fields.get("url").is_none_or(|url| url.trim().is_empty()) {
            self.errors.push(RepositoriesError::NoUrl { file: self.file.to_owned(), secret: name });
            return None;
        }
        let mut repository = data.repository(&name);
        if role == SecretRole::Template {
            repository.insecure = false;
        }
        for (key, why) in data.not_used(&repository, role) {
            let message = format!("{}: Secret `{name}`: `{key}` is not used: {why}", self.file);
            let help = if OF_CLOUDS.iter().any(|(of_cloud, _)| *of_cloud == key) {
                "give the repository a `username` and a token as its `password`"
            } else {
                "remove it from the Secret if it is not needed"
            };
            self.warnings.push(Finding::warning(Code::SettingsCredential, message).with_help(help));
        }
        let fault =
            |(key, why)| RepositoriesError::Field { file: self.file.to_owned(), secret: name.clone(), key, why };
        self.errors.extend(data.faults.into_iter().map(fault));
        Some(repository)
    }
}

/// The purpose of a Secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SecretRole {
    Repository,
    Template,
}

/// The fields of one Secret.
struct SecretData {
    fields: BTreeMap<String, String>,
    faults: Vec<(String, String)>,
}

impl SecretData {
    /// `data` decoded, and `stringData` over it, as an API server does it.
    fn take(&mut self, object: &Object) {
        let map = |field: &str| object.value().get(field).and_then(Value::as_object).cloned().unwrap_or_default();
        for (key, value) in map("data") {
            let decoded =
                value.as_str().and_then(|text| STANDARD.decode(text.split_whitespace().collect::<String>()).ok());
            match decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
                Some(text) => drop(self.fields.insert(key, text)),
                None => self.faults.push((key, "not base64".to_owned())),
            }
        }
        for (key, value) in map("stringData") {
            match value {
                Value::String(text) => drop(self.fields.insert(key, text)),
                _ => self.faults.push((key, "not text".to_owned())),
            }
        }
    }

    fn repository(&mut self, secret: &str) -> Repository {
        let certificate = self.text("tlsClientCertData");
        let key = self.secret_text("tlsClientCertKey");
        let github_app = self.github_app(secret);
        Repository {
            secret: secret.to_owned(),
            url: RepoUrl::new(self.text("url")),
            kind: self.kind(),
            name: self.text("name"),
            project: self.text("project"),
            username: self.text("username"),
            password: self.secret_text("password"),
            bearer_token: self.secret_text("bearerToken"),
            ssh_private_key: self.secret_text("sshPrivateKey"),
            client_certificate: key
                .filter(|_| !certificate.is_empty())
                .map(|key| ClientCertificate { certificate, key }),
            github_app,
            insecure: self.switch("insecure") | self.switch("insecureIgnoreHostKey"),
            enable_oci: self.switch("enableOCI"),
            plain_http: self.switch("insecureOCIForceHttp"),
            force_basic_auth: self.switch("forceHttpBasicAuth"),
            proxy: Some(self.text("proxy")).filter(|proxy| !proxy.is_empty()).map(RepoUrl::new),
            no_proxy: self.text("noProxy"),
            // Argo CD's `HasCredentials` has no look at Google's.
            has_other_credentials: OF_CLOUDS[1..].iter().any(|(key, _)| self.says(key)),
        }
    }

    fn github_app(&mut self, secret: &str) -> GithubApp {
        let app = GithubApp {
            secret: secret.to_owned(),
            id: self.number("githubAppID"),
            installation: self.number("githubAppInstallationID"),
            private_key: self.secret_text("githubAppPrivateKey"),
            api: self.text("githubAppEnterpriseBaseUrl").trim().trim_end_matches('/').to_owned(),
        };
        // Argo CD takes it for a repository without credentials, and asks without any.
        let is_opened = ["password", "bearerToken", "sshPrivateKey"].iter().any(|key| self.says(key));
        if app.private_key.is_some() && !self.says("githubAppID") && !is_opened {
            self.faults.push(("githubAppID".to_owned(), "missing beside `githubAppPrivateKey`".to_owned()));
        }
        app
    }

    /// Fields that are not used, and why.
    fn not_used(&self, repository: &Repository, role: SecretRole) -> Vec<(&'static str, &'static str)> {
        let mut found: Vec<_> = OF_CLOUDS.into_iter().filter(|(key, _)| self.says(key)).collect();
        if self.says("enableLfs") {
            found.push(("enableLfs", "files in Git LFS stay pointers"));
        }
        if role == SecretRole::Template {
            let switches = ["insecure", "insecureIgnoreHostKey"].into_iter().filter(|key| self.says(key));
            found.extend(switches.map(|key| (key, "as in Argo CD, a credential template cannot set it")));
        }
        if repository.client_certificate.is_none() {
            let halves = ["tlsClientCertData", "tlsClientCertKey"].into_iter().filter(|key| self.says(key));
            found.extend(halves.map(|key| (key, "its other half is missing")));
        }
        if repository.proxy.is_some() && repository.url.normal_form().starts_with("ssh://") {
            found.push(("proxy", "ssh does not use a proxy"));
        }
        if repository.kind != RepositoryKind::Git && repository.github_app.private_key.is_some() {
            found.push(("githubAppPrivateKey", "as in Argo CD, it is used for git repositories only"));
        }
        found
    }

    /// Whether a field says anything but no.
    fn says(&self, key: &str) -> bool {
        !matches!(self.text(key).trim(), "" | "0" | "f" | "F" | "false" | "False" | "FALSE")
    }

    /// A number; none for nought, as Argo CD has it.
    fn number(&mut self, key: &str) -> Option<u64> {
        let text = self.text(key);
        match text.trim() {
            "" => None,
            text => {
                let number = text.parse().ok();
                if number.is_none() {
                    self.faults.push((key.to_owned(), "no number".to_owned()));
                }
                number.filter(|number| *number != 0)
            }
        }
    }

    fn text(&self, key: &str) -> String {
        self.fields.get(key).cloned().unwrap_or_default()
    }

    fn secret_text(&self, key: &str) -> Option<Secret<String>> {
        Some(self.text(key)).filter(|text| !text.is_empty()).map(Secret::new)
    }

    fn kind(&mut self) -> RepositoryKind {
        match self.text("type").as_str() {
            "" | "git" => RepositoryKind::Git,
            "helm" => RepositoryKind::Helm,
            "oci" => RepositoryKind::Oci,
            other => {
                self.faults.push(("type".to_owned(), format!("`{other}`, not `git`, `helm` or `oci`")));
                RepositoryKind::Git
            }
        }
    }

    fn switch(&mut self, key: &str) -> bool {
        match self.text(key).trim() {
            "" | "false" | "False" | "FALSE" | "f" | "F" | "0" => false,
            // Argo CD: Go's strconv.ParseBool.
            "true" | "True" | "TRUE" | "t" | "T" | "1" => true,
            _ => {
                self.faults.push((key.to_owned(), "neither `true` nor `false`".to_owned()));
                false
            }
        }
    }
}
