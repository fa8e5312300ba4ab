//! The way into a cluster that a Secret of Argo CD describes.
//!
//! In: a [`RegisteredCluster`]. Out: an [`Access`]. Nothing is connected to, and no program runs yet.
//!
//! Rules: Argo CD pkg/apis/application/v1alpha1/types.go `RawRestConfig`.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::config::{AuthInfo, Cluster as ClusterEntry, ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;

use super::client;
use super::contexts::{Access, ContextIdentity};
use super::server_url::ServerUrl;
use crate::app::settings::{ClusterCredential, ClusterLogin, CredentialProgram, LOCAL_CLUSTER, RegisteredCluster};
use crate::cluster::{ClusterError, ClusterLabel};
use crate::secret::Secret;

/// Whether two addresses are those of one API server.
pub(crate) fn is_same_server(one: &str, other: &str) -> bool {
    let one = ServerUrl::parse(one, true);
    one.is_some() && one == ServerUrl::parse(other, true)
}

/// Whether an address is that of the cluster that Argo CD runs in.
pub(crate) fn is_local(server: &str) -> bool {
    is_same_server(server, LOCAL_CLUSTER)
}

/// The way in that the Secret has.
pub(crate) fn access(
    cluster: &RegisteredCluster,
    login: &ClusterLogin,
    untrusted: bool,
) -> Result<Access, ClusterError> {
    let label = ClusterLabel::of_secret(cluster.shown_name(), &cluster.place);
    let broken = |problem: String| ClusterError::BrokenSecret { cluster: label.clone(), problem };
    let server = ServerUrl::parse(&cluster.server, true)
        .ok_or_else(|| broken("its `server` is not an http or https URL".to_owned()))?;
    if let ClusterCredential::Program(program) = &login.credential
        && untrusted
    {
        let command = &program.command;
        return Err(broken(format!("it runs the program `{command}`, which --untrusted forbids")));
    }
    let entry = ClusterEntry {
        server: Some(server.to_string()),
        certificate_authority_data: login.authority.as_ref().map(|pem| STANDARD.encode(pem)),
        insecure_skip_tls_verify: Some(login.insecure),
        tls_server_name: Some(login.server_name.clone()).filter(|name| !name.is_empty()),
        disable_compression: Some(login.disable_compression),
        proxy_url: login.proxy.as_ref().map(|url| url.expose().clone()),
        ..ClusterEntry::default()
    };
    let identity =
        ContextIdentity { cluster: cluster.name.clone(), server: server.to_string(), user: cluster.place.clone() };
    Ok(Access { identity, label, server, cluster: entry, user: user(login) })
}

/// The server of a context and how it is reached, without the credentials of its user.
pub(crate) fn login_of_context(access: &Access) -> Result<(String, ClusterLogin), ClusterError> {
    let entry = &access.cluster;
    let authority = client::authority_pem(access)?;
    let login = ClusterLogin {
        authority: authority.map(|pem| String::from_utf8_lossy(&pem).into_owned()),
        insecure: entry.insecure_skip_tls_verify.unwrap_or(false),
        server_name: entry.tls_server_name.clone().unwrap_or_default(),
        disable_compression: entry.disable_compression.unwrap_or(false),
        proxy: entry.proxy_url.clone().filter(|url| !url.is_empty()).map(Secret::new),
        ..ClusterLogin::default()
    };
    Ok((access.server.to_string(), login))
}

fn user(login: &ClusterLogin) -> AuthInfo {
    let mut user = AuthInfo::default();
    if let Some(certificate) = &login.client_certificate {
        user.client_certificate_data = Some(STANDARD.encode(&certificate.certificate));
        user.client_key_data = Some(SecretString::from(STANDARD.encode(certificate.key.expose())));
    }
    match &login.credential {
        ClusterCredential::None => {}
        ClusterCredential::Basic { username, password } => {
            user.username = Some(username.clone());
            user.password = Some(SecretString::from(password.expose().clone()));
        }
        ClusterCredential::Token(token) => user.token = Some(SecretString::from(token.expose().clone())),
        ClusterCredential::Program(program) => user.exec = Some(exec(program)),
    }
    user
}

fn exec(program: &CredentialProgram) -> ExecConfig {
    let variable = |(name, value): (&String, &Secret<String>)| {
        HashMap::from([("name".to_owned(), name.clone()), ("value".to_owned(), value.expose().clone())])
    };
    ExecConfig {
        api_version: Some(program.api_version.clone()),
        command: Some(program.command.clone()),
        args: Some(program.arguments.clone()),
        env: Some(program.environment.iter().map(variable).collect()),
        drop_env: None,
        install_hint: Some(program.install_hint.clone()).filter(|hint| !hint.is_empty()),
        interactive_mode: Some(ExecInteractiveMode::Never),
        provide_cluster_info: false,
        cluster: None,
        other: std::collections::BTreeMap::default(),
    }
}
