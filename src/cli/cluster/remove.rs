//! `trueup cluster rm`: the end of what `cluster add` created, and of nothing else.

use super::registration::{self, ArgoCd, ConsentArguments, finding};
use crate::cli::arguments::cluster::ClusterArguments;
use crate::cli::arguments::output::OutputArguments;
use crate::cli::session::{Look, Session};
use crate::finding::{Code, Finding};
use crate::sync::account;

/// Remove a cluster that `trueup cluster add` registered, and its account
///
/// Deletes only what `cluster add` created. Connects as the context of the cluster's server, or of `--context-map`. What is
/// deployed to the cluster stays.
#[derive(Debug, clap::Args)]
pub(super) struct ClusterRemoveArguments {
    /// The cluster's name or server
    #[arg(value_name = "NAME")]
    name: String,
    /// Remove the cluster Secret only; for a cluster that no longer exists
    #[arg(long)]
    keep_account: bool,
    #[command(flatten)]
    consent: ConsentArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    telling: OutputArguments,
}

impl ClusterRemoveArguments {
    pub(super) fn look(&self) -> Look {
        Look::plain(self.telling.verbosity())
    }
}

/// Plans, asks, deletes.
pub(super) async fn remove(arguments: ClusterRemoveArguments, session: Session) -> u8 {
    let removed = remove_it(arguments, &session).await;
    registration::end(session, removed).await
}

async fn remove_it(arguments: ClusterRemoveArguments, session: &Session) -> Result<(), Vec<Finding>> {
    let ClusterRemoveArguments { name, keep_account, consent, cluster, .. } = arguments;
    consent.check(session)?;
    let clusters = registration::clusters(cluster, session);
    let argocd = ArgoCd::read(&clusters, &consent.argocd_namespace).await?;
    let registered = argocd.registered(&name).map_err(|finding| vec![finding])?;
    let account = &registered.account;
    let mut plan = Vec::new();
    let target = if keep_account {
        None
    } else {
        let target = registered.administrator(&clusters).map_err(|finding| vec![finding])?;
        let target = target.ok_or_else(|| vec![no_context(&name, &registered.cluster.server)])?;
        let objects = account::all_objects(&*target, account).await.map_err(|error| finding(&error))?;
        plan.push(format!("in {}:", target.name()));
        plan.extend(objects.iter().map(|object| format!("  - {}", account::words(object))));
        Some((target, objects))
    };
    plan.push(format!("in {}:", argocd.cluster.name()));
    plan.push(format!("  - {}", account::words(&registered.secret)));
    if !consent.is_given(&plan, &format!("Remove cluster `{name}`?"), session) {
        return Ok(());
    }
    if let Some((target, objects)) = &target {
        account::remove(&**target, objects, &account.registered_by).await.map_err(|error| finding(&error))?;
    }
    let secret = std::slice::from_ref(&registered.secret);
    account::remove(&*argocd.cluster, secret, &account.registered_by).await.map_err(|error| finding(&error))?;
    session.terminal.line(&format!("cluster `{name}` was removed"));
    Ok(())
}

/// An account cannot remove itself: with its rights, the right to delete the rest is gone.
fn no_context(name: &str, server: &str) -> Finding {
    Finding::error(Code::ClusterNoSuchContext, format!("no kubeconfig context has {server}; nothing was deleted"))
        .with_help(format!(
            "--context-map {name}=CONTEXT names one of an administrator; --keep-account removes the Secret only"
        ))
}
