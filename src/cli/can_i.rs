//! `trueup can-i`: whether an Argo CD policy permits an action, and by which line.

use std::io::IsTerminal;

use super::arguments::cluster::ClusterArguments;
use super::arguments::output::{OutputArguments, OutputParser, resolve};
use super::arguments::policy::nobody;
use super::arguments::selection::SelectionArguments;
use super::manifests::{self, StandardInput};
use super::session::{Look, Session};
use crate::app::policy::{Policy, PolicySettings, ProjectRoles, Question, Subject, is_known_action, object_of};
use crate::app::{self, Destination, ManifestText};
use crate::cluster::{Clusters, ListRequest};
use crate::finding::{Code, Finding};
use crate::object::{Gvk, Object};
use crate::report::{Asked, ExitStatus, Format, Output, permission};

/// Ask an Argo CD policy whether somebody may do something with an application
///
/// APP is an application of the manifests, or `project/name` or `project/namespace/name`. VERB is `get`, `create`, `update`, `delete`,
/// `sync`, `override`, `rollback` or `action/GROUP/KIND/ACTION`; `update` and `delete` take `/GROUP/KIND/NAMESPACE/NAME`.
/// Prints yes or no, and the line that decides or is missing. Exits with 0 for yes and with 4 for no.
#[derive(Debug, clap::Args)]
#[command(override_usage = "trueup can-i [OPTIONS] <VERB> <APP> [PATH]...")]
pub(super) struct CanIArguments {
    /// The action
    #[arg(value_name = "VERB")]
    verb: String,
    /// The application
    #[arg(value_name = "APP")]
    application: String,
    #[command(flatten)]
    selection: SelectionArguments,
    /// Read `argocd-rbac-cm` and the `AppProject`s from Argo CD's cluster
    #[arg(long, help_heading = "Permissions", conflicts_with = "policy")]
    policy_from_cluster: bool,
    #[command(flatten)]
    cluster: ClusterArguments,
    /// Write the answer in this format, to standard output or FILE; repeatable
    #[arg(short, long, alias = "out", value_name = "FORMAT[=FILE]", value_parser = OutputParser(Format::OF_FACTS), help_heading = "Output")]
    output: Vec<Output>,
    #[command(flatten)]
    telling: OutputArguments,
}

impl CanIArguments {
    pub(super) fn look(&self) -> Look {
        Look::plain(self.telling.verbosity())
    }
}

/// Reads the policy, asks it, prints the answer.
pub(super) async fn can_i(arguments: CanIArguments, mut session: Session) -> u8 {
    let outputs = match resolve(&arguments.output) {
        Ok(outputs) => outputs,
        Err(findings) => return session.refuse(&findings),
    };
    let asked = ask(arguments, &session).await;
    session.end_progress().await;
    let asked = match asked {
        Ok(asked) => asked,
        Err(findings) => return session.refuse(&findings),
    };
    let unwritten = session.terminal.reports(&outputs, |format, _view| permission::write(&asked, format));
    session.end(&unwritten, if asked.decision.is_allowed() { ExitStatus::InSync } else { ExitStatus::Forbidden })
}

async fn ask(arguments: CanIArguments, session: &Session) -> Result<Asked, Vec<Finding>> {
    if !is_known_action(&arguments.verb) {
        let message = format!("applications have no action `{}`", arguments.verb);
        let help = "one of: get, create, update, delete, sync, override, rollback, action/GROUP/KIND/ACTION";
        return Err(vec![Finding::error(Code::PolicyAction, message).with_help(help)]);
    }
    let subject = arguments.selection.policy.subject().ok_or_else(|| vec![nobody()])?;
    let texts = texts(&arguments)?;
    let policy = if arguments.policy_from_cluster {
        from_cluster(arguments.cluster, &arguments.selection.argocd_namespace, session).await?
    } else {
        arguments.selection.policy.read(&texts)?
    };
    let object = object(&arguments.application, &arguments.selection.argocd_namespace, &texts)?;
    Ok(asked(&policy, subject, Question::of_application(&arguments.verb, &object)))
}

fn asked(policy: &Policy, subject: Subject, question: Question) -> Asked {
    let decision = policy.decide(&subject, &question);
    Asked { subject, question, decision }
}

/// The manifests. Without PATH none are needed where the application is named with its project.
fn texts(arguments: &CanIArguments) -> Result<Vec<ManifestText>, Vec<Finding>> {
    let chosen = arguments.selection.chosen();
    if chosen.is_default && arguments.application.contains('/') {
        return Ok(Vec::new());
    }
    let mut reader = std::io::stdin().lock();
    let is_terminal = std::io::stdin().is_terminal();
    let read = manifests::read(&chosen.paths, StandardInput { reader: &mut reader, is_terminal });
    if read.errors.is_empty() {
        Ok(read.texts)
    } else {
        Err(read.errors.iter().map(|error| Finding::of(error)).collect())
    }
}

/// The application as policies name it.
fn object(name: &str, argocd_namespace: &str, texts: &[ManifestText]) -> Result<String, Vec<Finding>> {
    if name.contains('/') {
        return Ok(name.to_owned());
    }
    let applications = app::read(texts).applications;
    let found = applications.into_iter().flatten().find(|application| application.name == name);
    let object = found.map(|application| {
        object_of(&application.project, Some(application.namespace.as_str()), name, argocd_namespace)
    });
    object.ok_or_else(|| {
        let finding = Finding::error(Code::AppNoApplication, format!("no Application is named `{name}`"));
        vec![finding.with_help("give the PATH of its manifest, or name it as `project/name`")]
    })
}

async fn from_cluster(arguments: ClusterArguments, namespace: &str, session: &Session) -> Result<Policy, Vec<Finding>> {
    let clusters = Clusters::new(arguments.settings(), session.progress.clone());
    let destination = Destination { name: "in-cluster".to_owned(), ..Destination::default() };
    let cluster = clusters.find(&destination).map_err(|error| vec![Finding::of(&error)])?;
    let list = async |gvk: Gvk| -> Result<Vec<Object>, Vec<Finding>> {
        let request = ListRequest { gvk, namespace: Some(namespace.to_owned()), metadata_only: false };
        cluster.list(&request).await.map_err(|error| vec![Finding::of(&error)])
    };
    let place = format!("argocd-rbac-cm in namespace {namespace} of {}", cluster.name());
    let maps = list(Gvk::from_api_version("v1", "ConfigMap")).await?;
    let shown =
        |faults: Vec<app::policy::PolicyFault>| faults.iter().map(|fault| Finding::of(fault)).collect::<Vec<_>>();
    let settings = match maps.iter().find(|map| map.name() == "argocd-rbac-cm") {
        Some(map) => PolicySettings::of_object(&place, &map.clone().into_value()).map_err(shown)?,
        // Without it Argo CD has its built-in roles alone.
        None => PolicySettings::default(),
    };
    let projects = list(Gvk::from_api_version("argoproj.io/v1alpha1", "AppProject")).await?;
    let roles = projects.iter().filter_map(|project| {
        let place = format!("AppProject {} of {}", project.name(), cluster.name());
        ProjectRoles::of_object(&place, &project.clone().into_value())
    });
    Policy::new(&settings, &roles.collect::<Vec<_>>()).map_err(shown)
}
