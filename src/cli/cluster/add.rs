//! `trueup cluster add`: an account in a cluster, and the Secret by which Argo CD opens it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::registration::{self, ArgoCd, ConsentArguments, finding};
use crate::app::settings::ClusterLogin;
use crate::cli::arguments::cluster::ClusterArguments;
use crate::cli::arguments::output::OutputArguments;
use crate::cli::session::{Look, Session};
use crate::cluster::{Cluster, ClusterError, Clusters};
use crate::finding::{Code, Finding};
use crate::object::{Object, yaml};
use crate::report::terminal::write_private_file;
use crate::sync::account::{self, AccountRights, AccountSpec, PlannedObject, Registration, registration_name};

/// What the account is registered by where no Argo CD is asked.
const NO_ARGO_CD: &str = "file";

/// Create an account in a cluster, and store its credentials as a cluster Secret of Argo CD
///
/// Works like `argocd cluster add`: CONTEXT is a context of an administrator of the new cluster. Argo CD's own cluster is
/// that of `--context`, else of the current context. Shows the plan and asks.
#[derive(Debug, clap::Args)]
pub(super) struct ClusterAddArguments {
    /// The kubeconfig context of the cluster to add
    #[arg(value_name = "CONTEXT")]
    target: String,
    /// Name the cluster [default: CONTEXT]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Store this address instead of the context's
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Limit the account to this namespace; repeatable
    #[arg(short = 'n', long, value_name = "NAMESPACE")]
    namespace: Vec<String>,
    /// Also grant cluster-scoped resources when namespaces are named
    #[arg(long, requires = "namespace")]
    cluster_resources: bool,
    /// Create an account that can only compare: get, list and watch the kinds that the cluster has now
    #[arg(long)]
    read_only: bool,
    /// Name the account [default: trueup-manager, or trueup-reader with --read-only]
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
    /// Create the account in this namespace
    #[arg(long, value_name = "NAMESPACE", default_value = "kube-system")]
    system_namespace: String,
    /// Register the cluster for one project
    #[arg(long, value_name = "NAME", default_value = "")]
    project: String,
    /// Add a label to the cluster Secret; repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_label)]
    label: Vec<(String, String)>,
    /// Print the cluster Secret, with its token, instead of storing it
    #[arg(short, long, value_name = "FORMAT", value_parser = ["yaml"], conflicts_with = "output_dir")]
    output: Option<String>,
    /// Write the cluster Secret, with its token, to a file in this folder instead of storing it
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    #[command(flatten)]
    consent: ConsentArguments,
    #[command(flatten)]
    cluster: ClusterArguments,
    #[command(flatten)]
    telling: OutputArguments,
}

impl ClusterAddArguments {
    pub(super) fn look(&self) -> Look {
        Look::plain(self.telling.verbosity())
    }

    fn is_stored(&self) -> bool {
        self.output.is_none() && self.output_dir.is_none()
    }

    fn account(&self, registered_by: &str) -> AccountSpec {
        let rights = if self.read_only { AccountRights::Read } else { AccountRights::Manage };
        let name = if self.read_only { "trueup-reader" } else { "trueup-manager" };
        AccountSpec {
            name: self.service_account.clone().unwrap_or_else(|| name.to_owned()),
            namespace: self.system_namespace.clone(),
            rights,
            namespaces: self.namespace.iter().cloned().collect(),
            cluster_resources: self.cluster_resources,
            registered_by: registered_by.to_owned(),
        }
    }
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// Plans, asks, creates, stores.
pub(super) async fn add(arguments: ClusterAddArguments, session: Session) -> u8 {
    let added = add_it(arguments, &session).await;
    registration::end(session, added).await
}

/// Everything that is known before anything is written.
struct Preparation {
    target: Arc<dyn Cluster>,
    argocd: Option<ArgoCd>,
    account: AccountSpec,
    planned: Vec<PlannedObject>,
    /// Rights that an earlier run gave.
    superfluous: Vec<Object>,
    name: String,
    server: String,
    login: ClusterLogin,
}

async fn add_it(mut arguments: ClusterAddArguments, session: &Session) -> Result<(), Vec<Finding>> {
    arguments.consent.check(session)?;
    let clusters = registration::clusters(arguments.cluster.clone(), session);
    let prepared = prepare(&arguments, &clusters).await?;
    let plan = plan_lines(&arguments, &prepared);
    let question = format!("Add cluster `{}`?", prepared.name);
    if !arguments.consent.is_given(&plan, &question, session) {
        return Ok(());
    }
    account::create(&*prepared.target, &prepared.planned).await.map_err(|error| finding(&error))?;
    let token = account::issue_token(&*prepared.target, &prepared.account).await.map_err(|error| finding(&error))?;
    let labels: BTreeMap<String, String> = std::mem::take(&mut arguments.label).into_iter().collect();
    let registration = Registration {
        account: &prepared.account,
        name: &prepared.name,
        server: &prepared.server,
        login: &prepared.login,
        project: &arguments.project,
        labels: &labels,
        namespace: &arguments.consent.argocd_namespace,
    };
    let secret = registration.secret(&token.secret, token.token.expose());
    let secret = Object::new(secret).map_err(|error| vec![Finding::error(Code::ClusterRefused, error.to_string())])?;
    registration::verify(&clusters, &secret).await?;
    store(&arguments, &prepared, &secret, session).await?;
    // What an earlier run gave and issued is of no use any more; tokens in files may be used somewhere.
    let mut old = prepared.superfluous;
    if prepared.argocd.is_some() {
        let tokens = account::other_tokens(&*prepared.target, &prepared.account, &token.secret).await;
        old.extend(tokens.map_err(|error| finding(&error))?);
    }
    let removed = account::remove(&*prepared.target, &old, &prepared.account.registered_by).await;
    removed.map_err(|error| finding(&error))?;
    session.terminal.line(&format!("cluster `{}` was added", prepared.name));
    Ok(())
}

async fn prepare(arguments: &ClusterAddArguments, clusters: &Clusters) -> Result<Preparation, Vec<Finding>> {
    let one = |error: ClusterError| vec![Finding::of(&error)];
    let target = clusters.context(&arguments.target).map_err(one)?;
    let (server, login) = clusters.login_of_context(&arguments.target).map_err(one)?;
    let server = arguments.server.clone().map_or(server, |server| server.trim_end_matches('/').to_owned());
    let name = arguments.name.clone().unwrap_or_else(|| arguments.target.clone());
    let argocd = if arguments.is_stored() {
        Some(ArgoCd::read(clusters, &arguments.consent.argocd_namespace).await?)
    } else {
        None
    };
    let registered_by = argocd.as_ref().map_or(NO_ARGO_CD, |argocd| &argocd.uid);
    let account = arguments.account(registered_by);
    if let Some(argocd) = &argocd {
        check_unique(argocd, &name, &server)?;
    }
    let planned = account::plan(&*target, &account).await.map_err(|error| finding(&error))?;
    let registered = argocd.iter().flat_map(ArgoCd::clusters).find(|(_, cluster)| cluster.server == server);
    let earlier = registered.map(|(_, cluster)| cluster.namespaces).unwrap_or_default();
    let superfluous = account::superfluous(&*target, &account, &earlier, &planned).await;
    let superfluous = superfluous.map_err(|error| finding(&error))?;
    Ok(Preparation { target, argocd, account, planned, superfluous, name, server, login })
}

/// A server that somebody else registered, or a name that another server has, is not taken over.
fn check_unique(argocd: &ArgoCd, name: &str, server: &str) -> Result<(), Vec<Finding>> {
    for (secret, cluster) in argocd.clusters() {
        let is_ours = crate::sync::account::is_ours(secret, &argocd.uid) && secret.name() == registration_name(server);
        let message = if cluster.server == server && !is_ours {
            format!(
                "Secret `{}` of namespace {} registers {server} already; nothing was written",
                secret.name(),
                argocd.namespace
            )
        } else if cluster.server != server && cluster.name == name {
            format!("the name `{name}` is that of {} already; nothing was written", cluster.server)
        } else {
            continue;
        };
        let help = "choose another --name, or remove that cluster first: `argocd cluster rm`, `trueup cluster rm`";
        return Err(vec![Finding::error(Code::ClusterForeignObject, message).with_help(help)]);
    }
    Ok(())
}

fn plan_lines(arguments: &ClusterAddArguments, prepared: &Preparation) -> Vec<String> {
    let rights = match (prepared.account.rights, arguments.namespace.is_empty()) {
        (AccountRights::Manage, true) => "every right in the whole cluster".to_owned(),
        (AccountRights::Manage, false) => format!("every right in {}", arguments.namespace.join(", ")),
        (AccountRights::Read, true) => "get, list and watch in the whole cluster, Secrets included".to_owned(),
        (AccountRights::Read, false) => {
            format!("get, list and watch in {}, Secrets included", arguments.namespace.join(", "))
        }
    };
    let mut lines = vec![format!("in {} ({rights}):", prepared.target.name())];
    for one in &prepared.planned {
        lines.push(format!("  {} {}", if one.exists { "=" } else { "+" }, account::words(&one.object)));
    }
    lines.extend(prepared.superfluous.iter().map(|object| format!("  - {}", account::words(object))));
    let token = &prepared.account;
    lines.push(format!("  + Secret {}/{}-token-… (a token that does not expire)", token.namespace, token.name));
    let secret = registration_name(&prepared.server);
    match (&prepared.argocd, &arguments.output_dir) {
        (Some(argocd), _) => {
            lines.push(format!("in {}:", argocd.cluster.name()));
            let exists = argocd.secrets.iter().any(|known| known.name() == secret);
            lines.push(format!("  {} Secret {}/{secret}", if exists { "=" } else { "+" }, argocd.namespace));
        }
        (None, Some(folder)) => lines.push(format!("file {}", folder.join(format!("{secret}.yaml")).display())),
        (None, None) => lines.push(format!("Secret {secret} is printed")),
    }
    lines
}

async fn store(
    arguments: &ClusterAddArguments,
    prepared: &Preparation,
    secret: &Object,
    session: &Session,
) -> Result<(), Vec<Finding>> {
    if let Some(argocd) = &prepared.argocd {
        return account::store(&*argocd.cluster, secret, &argocd.uid).await.map_err(|error| finding(&error));
    }
    let text = yaml::write(&secret.to_value());
    let written = match &arguments.output_dir {
        Some(folder) => write_private_file(&folder.join(format!("{}.yaml", secret.name())), text.as_bytes()),
        None => session.terminal.data(text.as_bytes()),
    };
    written.map_err(|error| vec![Finding::of(&error)])
}
