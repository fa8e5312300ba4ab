//! Makes kube's client from one way into a cluster.
//!
//! In: an [`Access`] and a user whose credentials are in place. Out: a client with gzip, our user agent, and no retries of its
//! own: those are counted, and have one time limit, in [`connection`](super::connection).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri, header};
use kube::config::{AuthInfo, KubeconfigError, LoadDataError};
use kube::{Client, Config};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::contexts::Access;
use super::proxy::proxy_for;
use crate::cluster::{ClusterEnvironment, ClusterError};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// The `User-Agent`, as the server's audit log shows it.
const USER_AGENT: &str = concat!("trueup/", env!("CARGO_PKG_VERSION"));

/// Makes the client; nothing is connected yet.
pub(super) fn build(
    access: &Access,
    user: AuthInfo,
    environment: &ClusterEnvironment,
    limit: Duration,
) -> Result<Client, ClusterError> {
    let wrong = |problem: String| ClusterError::Credentials { cluster: access.label.clone(), problem };
    let server: Uri =
        access.server.as_str().parse().map_err(|error| wrong(format!("its `server` is not a URL: {error}")))?;
    let cluster = &access.cluster;
    let mut config = Config::new(server.clone());
    config.root_cert = certificate_authority(access)?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.tls_server_name = cluster.tls_server_name.clone().filter(|name| !name.is_empty());
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.auth_info = user;
    config.connect_timeout = Some(CONNECT_TIMEOUT.min(limit));
    config.read_timeout = None;
    config.write_timeout = None;
    config.default_retry = false;
    config.headers.push((header::USER_AGENT, HeaderValue::from_static(USER_AGENT)));
    if let Some(proxy) = proxy_for(&server, cluster.proxy_url.as_deref(), environment) {
        let proxy = proxy.expose().parse().ok();
        config.proxy_url = Some(proxy.ok_or_else(|| wrong("its `proxy-url` is not a URL".to_owned()))?);
    }
    Client::try_from(config).map_err(|error| wrong(describe(&error)))
}

/// The certificate authority of a cluster as PEM; nothing where it names none.
pub(super) fn authority_pem(access: &Access) -> Result<Option<Vec<u8>>, ClusterError> {
    let wrong = |problem: String| ClusterError::Credentials { cluster: access.label.clone(), problem };
    let cluster = &access.cluster;
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if let Some(data) = filled(&cluster.certificate_authority_data) {
        let decoded = STANDARD.decode(data.trim()).ok();
        decoded.map(Some).ok_or_else(|| wrong("its `certificate-authority-data` is not base64".to_owned()))
    } else if let Some(file) = filled(&cluster.certificate_authority) {
        std::fs::read(&file)
            .map(Some)
            .map_err(|error| wrong(format!("its certificate authority {file} cannot be read: {error}")))
    } else {
        Ok(None)
    }
}

/// The certificates to trust, as DER; nothing to trust the system's.
fn certificate_authority(access: &Access) -> Result<Option<Vec<Vec<u8>>>, ClusterError> {
    let wrong = |problem: String| ClusterError::Credentials { cluster: access.label.clone(), problem };
    let Some(pem) = authority_pem(access)? else { return Ok(None) };
    let certificates: Result<Vec<Vec<u8>>, _> =
        CertificateDer::pem_slice_iter(&pem).map(|certificate| certificate.map(|der| der.to_vec())).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(Some(certificates)),
        _ => Err(wrong("its certificate authority holds no PEM certificate".to_owned())),
    }
}

/// Kube's words where they cannot hold a value of the user's entry, our own where they could.
fn describe(error: &kube::Error) -> String {
    match error {
        kube::Error::InferKubeconfig(KubeconfigError::LoadClientCertificate(problem)) => {
            format!("the user's client certificate {}", load_problem(problem))
        }
        kube::Error::InferKubeconfig(KubeconfigError::LoadClientKey(problem)) => {
            format!("the user's client key {}", load_problem(problem))
        }
        kube::Error::RustlsTls(problem) => format!("its certificates cannot be used: {problem}"),
        kube::Error::ProxyProtocolUnsupported { .. } => "its `proxy-url` is not http, https or socks5".to_owned(),
        kube::Error::HttpError(_) => "the user to impersonate cannot be sent in a header".to_owned(),
        kube::Error::Auth(_) => "the user's `auth-provider`, token or password cannot be used".to_owned(),
        _ => "its entry in the kubeconfig cannot be used".to_owned(),
    }
}

fn load_problem(problem: &LoadDataError) -> String {
    match problem {
        LoadDataError::DecodeBase64(_) => "is not base64".to_owned(),
        LoadDataError::ReadFile(error, file) => format!("{} cannot be read: {error}", file.display()),
        LoadDataError::NoBase64DataOrFile => "is missing".to_owned(),
    }
}
