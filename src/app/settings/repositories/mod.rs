//! What Argo CD's settings say about repositories: Secrets labelled `repository` and `repo-creds`, the certificates
//! of `argocd-tls-certs-cm`, the host keys of `argocd-ssh-known-hosts-cm`.
//!
//! In: the text of a file with their manifests. Out: [`Repositories`], which answers for a URL and a project what opens it
//! ([`Repositories::find`]). Values stay in [`Secret`]s; no error and no `Debug` shows one.
//!
//! Rules: Argo CD `util/db/repository_secrets.go` (which Secret is meant), `repository_types.go` `CopyCredentialsFrom`,
//! `HasCredentials`.

mod reading;

pub use reading::RepositoriesError;

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::object::Object;
use crate::secret::{RepoUrl, Secret};

/// How a repository is spoken with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RepositoryKind {
    /// `git`, and what says nothing.
    #[default]
    Git,
    /// `helm`: an `index.yaml` over HTTP, or a registry where `enableOCI` is set.
    Helm,
    /// `oci`.
    Oci,
}

/// A client certificate and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// `tlsClientCertData`.
    pub certificate: String,
    /// `tlsClientCertKey`.
    pub key: Secret<String>,
}

/// A GitHub App, as which repositories are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GithubApp {
    /// The Secret that has its key.
    pub secret: String,
    /// `githubAppID`.
    pub id: Option<u64>,
    /// `githubAppInstallationID`; without one, GitHub is asked which is the organisation's.
    pub installation: Option<u64>,
    /// `githubAppPrivateKey`, in PEM.
    pub private_key: Option<Secret<String>>,
    /// `githubAppEnterpriseBaseUrl`: where the API is; empty for github.com's.
    pub api: String,
}

impl GithubApp {
    fn inherit(&mut self, template: &Self) {
        if self.private_key.is_none() {
            self.private_key.clone_from(&template.private_key);
            self.secret.clone_from(&template.secret);
        }
        self.id = self.id.or(template.id);
        self.installation = self.installation.or(template.installation);
        if self.api.is_empty() {
            self.api.clone_from(&template.api);
        }
    }
}

/// One Secret: a repository, or what opens every repository below a URL.
#[expect(clippy::struct_excessive_bools, reason = "they are the Secret's own fields")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The Secret's name.
    pub secret: String,
    /// `url`.
    pub url: RepoUrl,
    /// `type`.
    pub kind: RepositoryKind,
    /// `name`: a Helm repository's, by which a chart's dependency may call it.
    pub name: String,
    /// `project`: the only one that it is for; empty for all.
    pub project: String,
    /// `username`.
    pub username: String,
    /// `password`.
    pub password: Option<Secret<String>>,
    /// `bearerToken`.
    pub bearer_token: Option<Secret<String>>,
    /// `sshPrivateKey`.
    pub ssh_private_key: Option<Secret<String>>,
    /// `tlsClientCertData` and `tlsClientCertKey`.
    pub client_certificate: Option<ClientCertificate>,
    /// `githubApp…`.
    pub github_app: GithubApp,
    /// `insecure`, or the older `insecureIgnoreHostKey`: who answers is not looked at.
    pub insecure: bool,
    /// `enableOCI`.
    pub enable_oci: bool,
    /// `insecureOCIForceHttp`: a registry that speaks no TLS.
    pub plain_http: bool,
    /// `forceHttpBasicAuth`: the user and the password go along before the server asks for them.
    pub force_basic_auth: bool,
    /// `proxy`.
    pub proxy: Option<RepoUrl>,
    /// `noProxy`.
    pub no_proxy: String,
    /// Whether it has a credential of a kind that is not used here, such as Azure's.
    has_other_credentials: bool,
}

impl Repository {
    fn has_credentials(&self) -> bool {
        !self.username.is_empty()
            || self.password.is_some()
            || self.bearer_token.is_some()
            || self.ssh_private_key.is_some()
            || self.client_certificate.is_some()
            || self.github_app.private_key.is_some()
            || self.has_other_credentials
    }

    /// Takes over what a template has and this one lacks.
    fn inherit(&mut self, template: &Self) {
        let text = |own: &mut String, theirs: &String| {
            if own.is_empty() {
                own.clone_from(theirs);
            }
        };
        text(&mut self.username, &template.username);
        text(&mut self.no_proxy, &template.no_proxy);
        self.proxy = self.proxy.take().or_else(|| template.proxy.clone());
        self.password = self.password.take().or_else(|| template.password.clone());
        self.bearer_token = self.bearer_token.take().or_else(|| template.bearer_token.clone());
        self.ssh_private_key = self.ssh_private_key.take().or_else(|| template.ssh_private_key.clone());
        self.client_certificate = self.client_certificate.take().or_else(|| template.client_certificate.clone());
        self.github_app.inherit(&template.github_app);
        self.enable_oci |= template.enable_oci;
        self.plain_http |= template.plain_http;
        self.force_basic_auth |= template.force_basic_auth;
    }
}

/// What opens a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opener {
    /// Its own Secret, by name.
    Secret(String),
    /// The credential template of this name.
    Template(String),
    /// No Secret: it is asked with what the environment has, or without credentials.
    Nothing,
}

/// Everything that is known of repositories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repositories {
    entries: Vec<Repository>,
    templates: Vec<Repository>,
    /// The certificates by which a host is known, in PEM, beside the system's.
    authorities: BTreeMap<String, String>,
    /// The keys by which ssh knows hosts, as `known_hosts` has them.
    known_hosts: Option<String>,
}

impl Repositories {
    /// Reads manifests; what is neither such a Secret nor the ConfigMap is left alone. The warnings name what is there
    /// and not used.
    pub fn read(file: &str, bytes: &[u8]) -> Result<(Self, Vec<Finding>), Vec<RepositoriesError>> {
        reading::read(file, bytes)
    }

    /// Reads the certificates and the host keys that stand in one file with `argocd-cm`; nothing where none do.
    pub fn beside_settings(file: &str, bytes: &[u8]) -> Result<(Self, Vec<Finding>), Vec<RepositoriesError>> {
        reading::beside_settings(file, bytes)
    }

    /// Reads objects themselves, as a cluster has them; nothing where none is about repositories. Many teams write there:
    /// what is wrong with one Secret is reported together with the others.
    pub fn of_objects(place: &str, objects: impl IntoIterator<Item = Object>) -> (Self, Vec<Finding>) {
        reading::of_objects(place, objects)
    }

    /// Whether it has nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what is known from elsewhere; of two that say something of the same, the first counts.
    pub fn extend(&mut self, other: Self) {
        self.entries.extend(other.entries);
        self.templates.extend(other.templates);
        for (host, pem) in other.authorities {
            self.authorities.entry(host).or_insert(pem);
        }
        self.known_hosts = self.known_hosts.take().or(other.known_hosts);
    }

    /// The repositories that belong to one project: the project, the URL.
    pub fn of_projects(&self) -> impl Iterator<Item = (&str, &RepoUrl)> {
        let scoped = self.entries.iter().filter(|repository| !repository.project.is_empty());
        scoped.map(|repository| (repository.project.as_str(), &repository.url))
    }

    /// The settings of a repository, for an application of this project.
    pub fn find(&self, url: &str, project: &str) -> Option<Repository> {
        let wanted = normal_form(url);
        let same = |repository: &&Repository| normal_form(repository.url.with_credentials()) == wanted;
        let of = |project: &str| self.entries.iter().find(|it| same(it) && it.project == project);
        let mut found = of(project).or_else(|| of("")).cloned();
        if found.as_ref().is_none_or(|repository| !repository.has_credentials())
            && let Some(template) = self.template(&wanted)
        {
            match &mut found {
                Some(repository) => repository.inherit(template),
                None => found = Some(Repository { url: RepoUrl::new(url), ..template.clone() }),
            }
        }
        found
    }

    /// The Secrets of repositories, in order.
    pub fn entries(&self) -> impl Iterator<Item = &Repository> {
        self.entries.iter()
    }

    /// The credential templates, in order.
    pub fn templates(&self) -> impl Iterator<Item = &Repository> {
        self.templates.iter()
    }

    /// What opens a repository, for an application of this project.
    pub fn opener(&self, url: &str, project: &str) -> Opener {
        let wanted = normal_form(url);
        let same = |it: &&Repository| normal_form(it.url.with_credentials()) == wanted;
        let of = |project: &str| self.entries.iter().find(|it| same(it) && it.project == project);
        match of(project).or_else(|| of("")).filter(|repository| repository.has_credentials()) {
            Some(repository) => Opener::Secret(repository.secret.clone()),
            None => {
                self.template(&wanted).map_or(Opener::Nothing, |template| Opener::Template(template.secret.clone()))
            }
        }
    }

    /// The project under which a repository has an entry of its own; empty where it has none, so that the same
    /// repository is the same one for all other projects.
    pub fn scope<'project>(&self, url: &str, project: &'project str) -> &'project str {
        let wanted = normal_form(url);
        let is_scoped =
            self.entries.iter().any(|it| it.project == project && normal_form(it.url.with_credentials()) == wanted);
        if is_scoped { project } else { "" }
    }

    /// The Helm repository that a chart's dependency calls `@name` or `alias:name`.
    pub fn named(&self, name: &str, project: &str) -> Option<Repository> {
        let of = |project: &str| {
            let mut helm = self.entries.iter().filter(|it| it.kind == RepositoryKind::Helm);
            helm.find(|repository| repository.name == name && repository.project == project)
        };
        let url = &of(project).or_else(|| of(""))?.url;
        self.find(url.with_credentials(), project)
    }

    /// The certificates by which a host is known, beside the system's.
    pub fn authorities(&self, host: &str) -> Option<&str> {
        self.authorities.get(host).map(String::as_str)
    }

    /// The host keys of `argocd-ssh-known-hosts-cm`; where there are any, no others count.
    pub fn known_hosts(&self) -> Option<&str> {
        self.known_hosts.as_deref()
    }

    /// The template with the longest URL that this one begins with.
    fn template(&self, wanted: &str) -> Option<&Repository> {
        let begins = |template: &&Repository| is_below(wanted, &normal_form(template.url.with_credentials()));
        // Of two with one URL Argo CD takes the first.
        self.templates
            .iter()
            .rev()
            .filter(begins)
            .max_by_key(|template| normal_form(template.url.with_credentials()).len())
    }
}

/// A URL as it is compared; a registry's is the same with and without its scheme.
fn normal_form(url: &str) -> String {
    RepoUrl::new(url.trim().trim_start_matches("oci://")).normal_form().to_owned()
}

/// Whether a URL begins with another. Argo CD compares the bare text, so that `https://git.example.com` would open
/// `https://git.example.com.elsewhere.net`, too: here the host has to be whole.
fn is_below(url: &str, prefix: &str) -> bool {
    let Some(rest) = url.strip_prefix(prefix) else { return false };
    let path = prefix.split_once("://").map_or(prefix, |(_, path)| path);
    !prefix.is_empty() && (path.contains('/') || rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::yaml;

    const FILE: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: shop, labels: {argocd.argoproj.io/secret-type: repository}}
stringData: {url: "https://git.example.com/shop/infra.git", insecure: "true"}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Secret
  metadata: {name: team, labels: {argocd.argoproj.io/secret-type: repo-creds}}
  data: {url: aHR0cHM6Ly9naXQuZXhhbXBsZS5jb20vc2hvcA==, username: Y2k=, password: czNjcmV0}
- apiVersion: v1
  kind: Secret
  metadata: {name: host, labels: {argocd.argoproj.io/secret-type: repo-creds}}
  stringData: {url: "https://git.example.com", username: all, password: other}
- apiVersion: v1
  kind: Secret
  metadata: {name: cluster, labels: {argocd.argoproj.io/secret-type: cluster}}
  stringData: {server: "https://cluster.example.com"}
---
apiVersion: v1
kind: Secret
metadata: {name: charts, labels: {argocd.argoproj.io/secret-type: repository}}
stringData: {url: registry.example.com:5000/charts, type: helm, name: ours, enableOCI: "true", username: a, password: b}
---
apiVersion: v1
kind: Secret
metadata: {name: charts-of-till, labels: {argocd.argoproj.io/secret-type: repository}}
stringData: {url: registry.example.com:5000/charts, type: helm, project: till, enableOCI: "true", username: till, password: b}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-tls-certs-cm}
data: {git.example.com: "-----BEGIN CERTIFICATE-----"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-ssh-known-hosts-cm}
data: {ssh_known_hosts: "git.example.com ssh-ed25519 AAAA"}
"#;

    fn object(manifest: &str) -> Object {
        let mut documents = yaml::read(manifest, &yaml::Limits::default(), yaml::WithPositions::No);
        Object::new(documents.remove(0).unwrap().value).unwrap()
    }

    fn repositories() -> Repositories {
        let (repositories, warnings) = Repositories::read("secrets.yaml", FILE.as_bytes()).unwrap();
        assert_eq!(warnings, []);
        repositories
    }

    #[test]
    fn the_secret_that_argo_cd_takes_is_found() {
        let repositories = repositories();
        for (url, project, expected) in [
            ("https://git.example.com/shop/infra", "default", Some("ci")),
            ("https://GIT.example.com/shop/other.git", "default", Some("ci")),
            ("https://git.example.com/else/where", "default", Some("all")),
            ("https://git.example.com.elsewhere.net/shop", "default", None),
            ("https://other.example.com/shop", "default", None),
            ("registry.example.com:5000/charts", "default", Some("a")),
            ("oci://registry.example.com:5000/charts", "default", Some("a")),
            ("registry.example.com:5000/charts", "till", Some("till")),
            ("registry.example.com:5000/charts/web", "till", None),
        ] {
            let found = repositories.find(url, project);
            assert_eq!(found.as_ref().map(|it| it.username.as_str()), expected, "{url} {project}");
        }
        let shop = repositories.find("https://git.example.com/shop/infra", "").unwrap();
        assert!(shop.insecure && shop.kind == RepositoryKind::Git);
        assert_eq!(shop.password.unwrap().expose(), "s3cret");
        assert_eq!(repositories.named("ours", "default").unwrap().username, "a");
        assert_eq!(repositories.scope("registry.example.com:5000/charts", "till"), "till");
        assert_eq!(repositories.scope("registry.example.com:5000/charts", "other"), "");
        assert!(repositories.authorities("git.example.com").is_some());
        assert_eq!(repositories.known_hosts(), Some("git.example.com ssh-ed25519 AAAA"));
    }

    #[test]
    fn no_debug_shows_a_password() {
        let shown = format!("{:?}", repositories());
        assert!(!shown.contains("s3cret") && !shown.contains("other\""), "{shown}");
    }

    #[test]
    fn all_faults_of_a_file_are_reported_at_once() {
        let file = r#"
apiVersion: v1
kind: Secret
metadata: {name: nothing, labels: {argocd.argoproj.io/secret-type: repository}}
---
apiVersion: v1
kind: Secret
metadata: {name: wrong, labels: {argocd.argoproj.io/secret-type: repository}}
data: {url: aHR0cHM6Ly9h, password: "no base64, s3cret"}
stringData: {type: svn, insecure: maybe}
"#;
        let errors = Repositories::read("secrets.yaml", file.as_bytes()).unwrap_err();
        let reported: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            reported,
            [
                "secrets.yaml: Secret `nothing` has no `url`",
                "secrets.yaml: Secret `wrong`: `password` is not base64",
                "secrets.yaml: Secret `wrong`: `type` is `svn`, not `git`, `helm` or `oci`",
                "secrets.yaml: Secret `wrong`: `insecure` is neither `true` nor `false`",
            ]
        );
    }

    #[test]
    fn a_file_without_repositories_is_an_error_and_an_unused_credential_a_warning() {
        let errors =
            Repositories::read("a.yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n").unwrap_err();
        assert_eq!(errors[0].to_string(), "a.yaml: holds no Secret of a repository, and no certificates or host keys");
        let odd = r#"
apiVersion: v1
kind: Secret
metadata: {name: odd, labels: {argocd.argoproj.io/secret-type: repo-creds}}
stringData:
  {url: "git@git.example.com:shop", gcpServiceAccountKey: s3cret, useAzureWorkloadIdentity: "true", enableLfs: "true",
   insecure: "true", proxy: "http://ci:s3cret@proxy", depth: "1"}
"#;
        let (repositories, warnings) = Repositories::read("a.yaml", odd.as_bytes()).unwrap();
        let reported: Vec<&str> = warnings.iter().filter_map(|it| it.message.split("Secret `odd`: ").nth(1)).collect();
        assert_eq!(
            reported,
            [
                "`gcpServiceAccountKey` is not used: trueup requests no tokens from Google",
                "`useAzureWorkloadIdentity` is not used: trueup requests no tokens from Azure",
                "`enableLfs` is not used: files in Git LFS stay pointers",
                "`insecure` is not used: as in Argo CD, a credential template cannot set it",
                "`proxy` is not used: ssh does not use a proxy",
            ]
        );
        assert!(!format!("{warnings:?}").contains("s3cret"));
        let half = odd.replace("gcpServiceAccountKey", "tlsClientCertKey");
        let (_, warnings) = Repositories::read("a.yaml", half.as_bytes()).unwrap();
        let expected = "a.yaml: Secret `odd`: `tlsClientCertKey` is not used: its other half is missing";
        assert!(warnings.iter().any(|warning| warning.message == expected), "{warnings:?}");
        let none = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-tls-certs-cm}\ndata: {a.example.com: x}\n";
        let (_, warnings) = Repositories::of_objects("argocd", [object(none)]);
        assert_eq!(warnings[0].message, "argocd: argocd-tls-certs-cm: `a.example.com` has no certificate in PEM");
        assert!(!repositories.find("git@git.example.com:shop/infra", "").unwrap().insecure);
    }

    /// A repository's own fields come first, each for itself, as Argo CD has it.
    #[test]
    fn a_github_app_is_inherited_from_a_template() {
        let file = r#"
apiVersion: v1
kind: Secret
metadata: {name: hub, labels: {argocd.argoproj.io/secret-type: repo-creds}}
stringData:
  {url: "https://github.com/shop", githubAppID: "12", githubAppPrivateKey: s3cret,
   githubAppEnterpriseBaseUrl: "https://ghe.example.com/api/v3"}
---
apiVersion: v1
kind: Secret
metadata: {name: own, labels: {argocd.argoproj.io/secret-type: repository}}
stringData: {url: "https://github.com/shop/infra", githubAppInstallationID: "34"}
---
apiVersion: v1
kind: Secret
metadata: {name: password, labels: {argocd.argoproj.io/secret-type: repository}}
stringData: {url: "https://github.com/shop/other", password: other}
"#;
        let (repositories, warnings) = Repositories::read("a.yaml", file.as_bytes()).unwrap();
        assert_eq!(warnings, []);
        let app = |url: &str| repositories.find(url, "").unwrap().github_app;
        let inherited = GithubApp {
            secret: "hub".to_owned(),
            id: Some(12),
            installation: Some(34),
            private_key: Some(Secret::new("s3cret".to_owned())),
            api: "https://ghe.example.com/api/v3".to_owned(),
        };
        assert_eq!(app("https://github.com/shop/infra.git"), inherited);
        assert_eq!(app("https://github.com/shop/new"), GithubApp { installation: None, ..inherited });
        assert_eq!(app("https://github.com/shop/other").private_key, None);
        assert!(!format!("{repositories:?}").contains("s3cret"));
    }

    #[test]
    fn half_a_github_app_is_a_fault() {
        let file = r#"
apiVersion: v1
kind: Secret
metadata: {name: hub, labels: {argocd.argoproj.io/secret-type: repository}}
stringData: {url: "https://github.com/shop/infra", githubAppID: twelve, githubAppPrivateKey: s3cret}
---
apiVersion: v1
kind: Secret
metadata: {name: charts, labels: {argocd.argoproj.io/secret-type: repository}}
stringData: {url: "https://charts.example.com", type: helm, githubAppID: "12", githubAppPrivateKey: s3cret}
"#;
        let reported = |file: &str| {
            let errors = Repositories::read("a.yaml", file.as_bytes()).unwrap_err();
            errors.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(reported(file), ["a.yaml: Secret `hub`: `githubAppID` is no number"]);
        let missing = file.replace("githubAppID: twelve, ", "");
        assert_eq!(reported(&missing), ["a.yaml: Secret `hub`: `githubAppID` is missing beside `githubAppPrivateKey`"]);
        let (_, warnings) = Repositories::read("a.yaml", file.replace("twelve", "'12'").as_bytes()).unwrap();
        assert_eq!(
            warnings[0].message,
            "a.yaml: Secret `charts`: `githubAppPrivateKey` is not used: as in Argo CD, it is used for git repositories only"
        );
    }
}
