//! Tells Helm of the repositories that a chart's dependencies come from, and what opens each: in files of its home, for
//! arguments can be read by everybody.
//!
//! In: a chart's dependencies. Out: `repositories.yaml` and `registry/config.json`, as `helm repo add` and `helm registry
//! login` would write them, but without asking a server.
//!
//! Rules: Argo CD reposerver/repository/repository.go `getHelmDependencyRepos`; Helm pkg/repo/repo.go `Entry`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::HelmRun;
use crate::object::yaml::{self, Limits, WithPositions};
use crate::render::program::Home;
use crate::secret::RepoUrl;
use crate::source::{Asking, Pass, lexically_inside};

/// The repositories of a chart's dependencies.
#[derive(Debug, Default)]
pub(super) struct ChartRepositories {
    /// Each as the chart has it, once.
    written: Vec<String>,
}

impl ChartRepositories {
    /// The dependencies in `Chart.yaml`, and in old charts in `requirements.yaml`.
    pub(super) fn of(chart: &Path) -> Self {
        let mut written: Vec<String> = Vec::new();
        for file in ["Chart.yaml", "requirements.yaml"] {
            // What cannot be read has no repositories for us; Helm says what is wrong with it.
            let Ok(bytes) = fs::read(chart.join(file)) else { continue };
            let Ok(text) = yaml::decode(&bytes) else { continue };
            for document in yaml::read(&text, &Limits::default(), WithPositions::No).into_iter().flatten() {
                let dependencies = document.value.get("dependencies").and_then(Value::as_array).cloned();
                for dependency in dependencies.unwrap_or_default() {
                    let repository = dependency.get("repository").and_then(Value::as_str).unwrap_or_default();
                    if !repository.is_empty() && !written.iter().any(|known| known == repository) {
                        written.push(repository.to_owned());
                    }
                }
            }
        }
        Self { written }
    }

    /// Whether all of them are folders beside the chart.
    pub(super) fn are_local(&self) -> bool {
        self.written.iter().all(|repository| repository.starts_with("file://"))
    }

    /// Whether the user's settings say where one of them is: another time they may say otherwise.
    pub(super) fn are_named(&self) -> bool {
        self.written.iter().any(|repository| alias(repository).is_some())
    }

    /// A folder that is not in the chart's repository; Helm would take it from wherever it is.
    pub(super) fn outside(&self, root: &Path, chart: &Path) -> Option<&str> {
        let below = chart.strip_prefix(root).unwrap_or(Path::new(""));
        let leaves = |place: &&str| lexically_inside(&below.join(place)).is_none();
        self.written.iter().filter_map(|repository| repository.strip_prefix("file://")).find(leaves)
    }

    /// The folders of the chart's repository that dependencies are taken from.
    pub(super) fn folders(&self, root: &Path, chart: &Path) -> Vec<PathBuf> {
        let below = chart.strip_prefix(root).unwrap_or(Path::new(""));
        let places = self.written.iter().filter_map(|repository| repository.strip_prefix("file://"));
        let folders = places.filter_map(|place| root.join(lexically_inside(&below.join(place))?).canonicalize().ok());
        folders.filter(|folder| folder.is_dir()).collect()
    }

    /// Writes Helm's files; the arguments that go with them.
    pub(super) fn write(&self, run: &HelmRun<'_>) -> io::Result<HelmRepositoryArguments> {
        let mut files = HelmFiles { home: run.home, entries: Vec::new(), logins: BTreeMap::new(), proxies: Vec::new() };
        let mut passes = Vec::new();
        for repository in &self.written {
            if let Some(place) = repository.strip_prefix("oci://") {
                passes.push(files.registry(place, run));
            } else if let Some(name) = alias(repository) {
                let known = run.input.settings.keyring.repositories();
                if let Some(found) = known.named(name, &run.input.application.project) {
                    files.repository(name, found.url.with_credentials(), run)?;
                }
            } else if repository.starts_with("https://") || repository.starts_with("http://") {
                // Helm prints the name in its errors.
                let name = RepoUrl::new(repository.as_str()).to_string().replace('/', "-");
                files.repository(&name, repository, run)?;
            }
        }
        let arguments = files.registries(&passes)?;
        let proxy = one_proxy(&files.proxies, run);
        files.finish()?;
        Ok(HelmRepositoryArguments { arguments, proxy })
    }
}

/// Arguments for Helm besides its files.
pub(super) struct HelmRepositoryArguments {
    pub(super) arguments: Vec<OsString>,
    pub(super) proxy: ProxyForAll,
}

/// The proxy for all the repositories of one chart: Helm takes one for all of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ProxyForAll {
    /// The setting from the environment, if any.
    Inherited,
    /// This one.
    Given(Proxy),
    /// Their Secrets say different things, so none of them counts.
    Disputed,
}

/// `proxy` and `noProxy` of a Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    url: RepoUrl,
    except: String,
}

impl Proxy {
    fn of(pass: &Pass) -> Option<Self> {
        Some(Self { url: pass.proxy.clone()?, except: pass.no_proxy.clone() })
    }
}

impl ProxyForAll {
    /// The variables that say so to a program written in Go, which asks for either spelling.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        let Self::Given(Proxy { url, except }) = self else { return Vec::new() };
        let url = url.with_credentials();
        let variables = [("http_proxy", url), ("https_proxy", url), ("no_proxy", except.as_str())];
        let both =
            variables.into_iter().flat_map(|(name, value)| [(name.to_owned(), value), (name.to_uppercase(), value)]);
        both.map(|(name, value)| (name, value.to_owned())).collect()
    }
}

/// Each repository's own proxy; Argo CD takes that of the application's source for all of them.
fn one_proxy(own: &[Option<Proxy>], run: &HelmRun<'_>) -> ProxyForAll {
    let (known, application) = (run.input.settings.keyring.repositories(), run.input.application);
    let source = known.find(run.input.source.repo_url.with_credentials(), &application.project);
    let usual = source.and_then(|it| Some(Proxy { url: it.proxy?, except: it.no_proxy }));
    let mut proxies = own.iter().map(|proxy| proxy.as_ref().or(usual.as_ref()));
    match proxies.next().flatten() {
        first if !proxies.all(|proxy| proxy == first) => ProxyForAll::Disputed,
        Some(proxy) => ProxyForAll::Given(proxy.clone()),
        None => ProxyForAll::Inherited,
    }
}

/// The name of a repository that the user's settings have.
fn alias(repository: &str) -> Option<&str> {
    repository.strip_prefix('@').or_else(|| repository.strip_prefix("alias:"))
}

/// Helm's files about repositories, before they are written.
struct HelmFiles<'run> {
    home: &'run Home,
    entries: Vec<Value>,
    logins: BTreeMap<String, Value>,
    /// The way to each of them.
    proxies: Vec<Option<Proxy>>,
}

impl HelmFiles<'_> {
    /// One Helm repository; Helm reads its index itself.
    fn repository(&mut self, name: &str, url: &str, run: &HelmRun<'_>) -> io::Result<()> {
        let mut entry = Map::new();
        entry.insert("name".to_owned(), json!(name));
        entry.insert("url".to_owned(), json!(url));
        if let Ok(parsed) = reqwest::Url::parse(url) {
            let input = run.input;
            let pass = input.settings.keyring.helm_repository(&parsed, url, &input.application.project);
            self.proxies.push(Proxy::of(&pass));
            self.opened(&mut entry, pass)?;
        }
        let passes_on = run.input.source.helm.as_ref().is_some_and(|helm| helm.pass_credentials);
        entry.insert("pass_credentials_all".to_owned(), json!(passes_on));
        self.entries.push(Value::Object(entry));
        Ok(())
    }

    /// Credentials for a Helm repository, in its entry and in files that the entry names.
    fn opened(&self, entry: &mut Map<String, Value>, pass: Pass) -> io::Result<()> {
        let number = self.entries.len();
        if let Some(identity) = pass.identity {
            entry.insert("username".to_owned(), json!(identity.username));
            entry.insert("password".to_owned(), json!(identity.password.expose()));
        }
        entry.insert("insecure_skip_tls_verify".to_owned(), json!(pass.insecure));
        let shown = pass.client_certificate;
        let (certificate, key) = shown.map(|shown| (shown.certificate, shown.key.expose().clone())).unzip();
        for (field, pem) in [("caFile", pass.authorities), ("certFile", certificate), ("keyFile", key)] {
            if let Some(pem) = pem {
                let path = self.write(&format!("{field}-{number}.pem"), pem.as_bytes())?;
                entry.insert(field.to_owned(), json!(path));
            }
        }
        Ok(())
    }

    /// One repository of a registry, and how that is spoken with.
    fn registry(&mut self, place: &str, run: &HelmRun<'_>) -> Pass {
        let input = run.input;
        let runtime = tokio::runtime::Handle::current();
        let asking = Asking { timeout: input.settings.timeout, cancel: input.cancel, runtime: &runtime };
        let pass = input.settings.keyring.registry(place, &input.application.project, &asking);
        let host = place.split('/').next().unwrap_or_default();
        self.proxies.push(Proxy::of(&pass));
        let mut login = Map::new();
        if let Some(identity) = &pass.identity {
            let both = format!("{}:{}", identity.username, identity.password.expose());
            login.insert("auth".to_owned(), json!(STANDARD.encode(both)));
        }
        if let Some(token) = &pass.refresh_token {
            login.insert("identitytoken".to_owned(), json!(token.expose()));
        }
        if !login.is_empty() {
            // Docker Hub goes by an old URL.
            let is_hub = matches!(host, "docker.io" | "registry-1.docker.io");
            let host = if is_hub { "https://index.docker.io/v1/" } else { host };
            self.logins.insert(host.to_owned(), Value::Object(login));
        }
        pass
    }

    /// How registries are spoken with: an argument of Helm is for all of a chart's registries, or for none.
    fn registries(&self, passes: &[Pass]) -> io::Result<Vec<OsString>> {
        let mut arguments = Vec::new();
        let [first, ..] = passes else { return Ok(arguments) };
        for (switch, is_meant) in [
            ("--plain-http", passes.iter().all(|pass| pass.plain_http)),
            ("--insecure-skip-tls-verify", passes.iter().all(|pass| pass.insecure)),
        ] {
            arguments.extend(is_meant.then(|| switch.into()));
        }
        let mut file = |option: &str, name: &str, pem: &str| -> io::Result<()> {
            arguments.extend([option.into(), self.write(name, pem.as_bytes())?.into_os_string()]);
            Ok(())
        };
        // Helm then trusts these alone.
        let authorities: Option<Vec<&str>> = passes.iter().map(|pass| pass.authorities.as_deref()).collect();
        if let Some(authorities) = authorities {
            file("--ca-file", "registries-ca.pem", &authorities.join("\n"))?;
        }
        if let Some(shown) = &first.client_certificate
            && passes.iter().all(|pass| pass.client_certificate.as_ref() == Some(shown))
        {
            file("--cert-file", "registries-cert.pem", &shown.certificate)?;
            file("--key-file", "registries-key.pem", shown.key.expose())?;
        }
        Ok(arguments)
    }

    fn finish(self) -> io::Result<()> {
        let repositories = json!({"apiVersion": "", "repositories": self.entries});
        self.write("repositories.yaml", repositories.to_string().as_bytes())?;
        let registries = json!({"auths": self.logins});
        self.write("registry/config.json", registries.to_string().as_bytes())?;
        Ok(())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        self.home.private_file(&format!("config/helm/{name}"), bytes)
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that they look at")]
mod tests {
    use super::*;

    /// A lock does not pin what a name of the user's settings stands for.
    #[test]
    fn repositories_of_the_settings_are_distinguished_from_those_of_the_chart() {
        for (repository, expected) in
            [("'@shop'", true), ("alias:shop", true), ("https://example.com", false), ("oci://example.com/@x", false)]
        {
            let chart = tempfile::tempdir().unwrap();
            let text = format!("dependencies: [{{name: a, repository: {repository}}}]\n");
            fs::write(chart.path().join("Chart.yaml"), text).unwrap();
            assert_eq!(ChartRepositories::of(chart.path()).are_named(), expected, "{repository}");
        }
    }
}
