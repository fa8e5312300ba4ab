//! `trueup cluster rotate`: a new token for a cluster that `cluster add` registered; the old one is deleted when the new one works.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::registration::{self, ArgoCd, ConsentArguments, Registered, finding};
use crate::cli::arguments::cluster::ClusterArguments;
use crate::cli::arguments::output::OutputArguments;
use crate::cli::session::{Look, Session};
use crate::finding::{Code, Finding};
use crate::object::Object;
use crate::object::annotations::TOKEN_OF;
use crate::sync::account::{self, IssuedToken};

/// Replace the token of a cluster that `trueup cluster add` registered
///
/// The old token is deleted when the new one works. Connects as the context of the cluster's server, or of `--context-map`,
/// else as the account itself.
#[derive(Debug, clap::Args)]
pub(super) struct ClusterRotateArguments {
    /// The cluster's name or server
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    consent: ConsentArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    telling: OutputArguments,
}

impl ClusterRotateArguments {
    pub(super) fn look(&self) -> Look {
        Look::plain(self.telling.verbosity())
    }
}

/// Plans, asks, replaces.
pub(super) async fn rotate(arguments: ClusterRotateArguments, session: Session) -> u8 {
    let rotated = rotate_it(arguments, &session).await;
    registration::end(session, rotated).await
}

async fn rotate_it(arguments: ClusterRotateArguments, session: &Session) -> Result<(), Vec<Finding>> {
    let ClusterRotateArguments { name, consent, cluster, .. } = arguments;
    consent.check(session)?;
    let clusters = registration::clusters(cluster, session);
    let argocd = ArgoCd::read(&clusters, &consent.argocd_namespace).await?;
    let registered = argocd.registered(&name).map_err(|finding| vec![finding])?;
    let target = match registered.administrator(&clusters).map_err(|finding| vec![finding])? {
        Some(target) => target,
        None => clusters.opened_by(&registered.cluster).map_err(|error| vec![Finding::of(&error)])?,
    };
    let account = &registered.account;
    let old = account::other_tokens(&*target, account, "").await.map_err(|error| finding(&error))?;
    let mut plan = vec![format!("in {}:", target.name())];
    plan.push(format!("  + Secret {}/{}-token-…", account.namespace, account.name));
    plan.extend(old.iter().map(|secret| format!("  - {}", account::words(secret))));
    plan.push(format!("in {}:", argocd.cluster.name()));
    plan.push(format!("  ~ {}", account::words(&registered.secret)));
    if !consent.is_given(&plan, &format!("Replace the token of cluster `{name}`?"), session) {
        return Ok(());
    }
    let token = account::issue_token(&*target, account).await.map_err(|error| finding(&error))?;
    let secret = renewed(&registered, &token).ok_or_else(|| vec![unreadable(&registered)])?;
    registration::verify(&clusters, &secret).await?;
    account::replace(&*argocd.cluster, &secret).await.map_err(|error| finding(&error))?;
    account::remove(&*target, &old, &account.registered_by).await.map_err(|error| finding(&error))?;
    session.terminal.line(&format!("the token of cluster `{name}` was replaced"));
    Ok(())
}

/// The registration with another token, all else as it is.
fn renewed(registered: &Registered, token: &IssuedToken) -> Option<Object> {
    let mut value = registered.secret.to_value();
    let config = value.pointer("/data/config")?.as_str()?;
    let mut config: Value = serde_json::from_slice(&STANDARD.decode(config).ok()?).ok()?;
    *config.get_mut("bearerToken")? = json!(token.token.expose());
    *value.pointer_mut("/data/config")? = json!(STANDARD.encode(config.to_string()));
    let annotations = value.pointer_mut("/metadata/annotations")?.as_object_mut()?;
    annotations.insert(TOKEN_OF.to_owned(), json!(format!("{}/{}", registered.account.namespace, token.secret)));
    Object::new(value).ok()
}

fn unreadable(registered: &Registered) -> Finding {
    let place = &registered.cluster.place;
    Finding::error(Code::ClusterForeignObject, format!("{place}: has no `bearerToken` to replace; nothing was deleted"))
        .with_help("remove the cluster and add it again")
}
