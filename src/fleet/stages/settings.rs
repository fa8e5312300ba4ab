//! Reads Argo CD's own settings, and its repositories, from the cluster that it runs in, where that was asked for.
//!
//! In: the request. Out: its settings, and a keyring that knows more; or a finding that says why not: then the answer could
//! be another one.

use std::sync::Arc;

use crate::app::Destination;
use crate::app::settings::{ComparisonSettings, RenderingSettings, Repositories, Settings};
use crate::cluster::{Cluster, ClusterError, ListRequest};
use crate::finding::{Code, Finding};
use crate::fleet::{Request, World};
use crate::object::{Gvk, Object};

/// The cluster that Argo CD runs in, by the name that it gives it.
const IN_CLUSTER: &str = "in-cluster";

/// Reads them now, for what is done before a run begins: the run itself does not read them again.
pub async fn read_settings(request: Request, world: &World) -> Request {
    let request = read(request, world).await;
    Request { settings_from_cluster: false, repositories_from_cluster: false, ..request }
}

/// The request with the settings of the cluster, where they are wanted.
pub(crate) async fn read(mut request: Request, world: &World) -> Request {
    if !request.settings_from_cluster && !request.repositories_from_cluster {
        return request;
    }
    match find(&request, world).await {
        Ok(found) => {
            if request.settings_from_cluster {
                take(&found, &mut request);
            }
            learn(found, &mut request);
        }
        Err(error) => request.findings.push(Finding::of(&error)),
    }
    request
}

/// The settings in Argo CD's namespace.
struct Found {
    /// `argocd-cm` in namespace … of …
    place: String,
    /// ConfigMaps, and Secrets where they were asked for.
    objects: Vec<Object>,
}

async fn find(request: &Request, world: &World) -> Result<Found, ClusterError> {
    let destination = Destination { name: IN_CLUSTER.to_owned(), ..Destination::default() };
    let cluster = world.clusters.find(&destination)?;
    let place = format!("namespace {} of {}", request.argocd_namespace, cluster.name());
    let mut objects = list(&*cluster, "ConfigMap", request).await?;
    if request.repositories_from_cluster {
        objects.extend(list(&*cluster, "Secret", request).await?);
    }
    Ok(Found { place, objects })
}

async fn list(cluster: &dyn Cluster, kind: &str, request: &Request) -> Result<Vec<Object>, ClusterError> {
    let namespace = Some(request.argocd_namespace.clone());
    cluster.list(&ListRequest { gvk: Gvk::from_api_version("v1", kind), namespace, metadata_only: false }).await
}

/// Takes over `argocd-cm`.
fn take(found: &Found, request: &mut Request) {
    let place = format!("argocd-cm in {}", found.place);
    match found.objects.iter().find_map(|object| Settings::of_object(&place, object.clone())) {
        Some(Ok(settings)) => {
            request.render.take(RenderingSettings::of(&settings));
            let (comparison, errors) = ComparisonSettings::of(&settings);
            request.settings = comparison;
            request.findings.extend(errors.iter().map(|error| Finding::of(error)));
            judge_by(&settings, request);
        }
        Some(Err(error)) => request.findings.push(Finding::of(&error)),
        None => request.findings.push(missing(&request.argocd_namespace)),
    }
}

/// Lets the keyring know what Argo CD knows of repositories and their servers.
fn learn(found: Found, request: &mut Request) {
    let (repositories, findings) = Repositories::of_objects(&found.place, found.objects);
    if repositories.is_empty() && findings.is_empty() && request.repositories_from_cluster {
        let message = format!("{} has no repository Secret", found.place);
        let help = "name Argo CD's namespace with --argocd-namespace";
        request.findings.push(Finding::warning(Code::SettingsNone, message).with_help(help));
    }
    request.findings.extend(findings);
    request.render.keyring.learn(repositories);
}

/// Its scripts and switches for health count, too, before those of the command line.
fn judge_by(settings: &Settings, request: &mut Request) {
    let Some(judge) = &request.health else { return };
    let mut health = judge.settings().clone();
    match health.add_settings(settings) {
        Ok(()) => request.health = Some(Arc::new(judge.with_settings(health))),
        Err(error) => request.findings.push(Finding::of(&error)),
    }
}

fn missing(namespace: &str) -> Finding {
    Finding::error(Code::SettingsNone, format!("ConfigMap `argocd-cm` not found in namespace `{namespace}`"))
        .with_help("name Argo CD's namespace with --argocd-namespace, or give the manifest with --argocd-cm FILE")
}
