//! Turns what a kubeconfig says about a user into credentials that can be sent.
//!
//! In: an [`Access`]. Out: its user with the token or certificate in place: token files are read, plugins are run. Kube's
//! own loader would run a plugin several times, without a limit, and show its output in errors.
//!
//! Rule: client-go rest and tools/clientcmd: a token file comes before a token, both before a plugin.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::config::AuthInfo;
use secrecy::SecretString;

use super::contexts::Access;
use super::exec::{self, Credential};
use crate::cluster::ClusterError;

/// Whether new credentials may help when the server does not accept these: they come from a file or a plugin.
pub(super) fn can_be_renewed(user: &AuthInfo) -> bool {
    user.exec.is_some() || user.token_file.is_some()
}

/// The user, ready to connect with.
pub(super) async fn resolve(access: &Access) -> Result<AuthInfo, ClusterError> {
    let mut user = access.user.clone();
    if let Some(file) = user.token_file.take().filter(|file| !file.is_empty()) {
        match tokio::fs::read_to_string(&file).await {
            Ok(token) => user.token = Some(SecretString::from(token.trim().to_owned())),
            Err(_) if user.token.is_some() => {}
            Err(error) => {
                let problem = format!("the user's token file {file} cannot be read: {error}");
                return Err(ClusterError::Credentials { cluster: access.label.clone(), problem });
            }
        }
    }
    let has_credentials = user.token.is_some() || user.password.is_some() || user.auth_provider.is_some();
    let Some(plugin) = user.exec.take().filter(|_| !has_credentials) else { return Ok(user) };
    match exec::credential(&plugin, access).await? {
        Credential::Token(token) => user.token = Some(SecretString::from(token.expose().clone())),
        Credential::Certificate { certificate, key } => {
            user.client_certificate_data = Some(STANDARD.encode(certificate));
            user.client_key_data = Some(SecretString::from(STANDARD.encode(key.expose())));
        }
    }
    Ok(user)
}
