//! Reads Argo CD's own settings from the cluster that it runs in, where that was asked for.
//!
//! In: the request. Out: its settings, or a finding that says why there are none: then the answer could be another one.

use std::sync::Arc;

use super::{Request, World};
use crate::app::Destination;
use crate::app::settings::{ComparisonSettings, RenderingSettings, Settings};
use crate::cluster::{ClusterError, ListRequest};
use crate::finding::Finding;
use crate::object::Gvk;

/// The cluster that Argo CD runs in, by the name that it gives it.
const IN_CLUSTER: &str = "in-cluster";

pub(super) async fn read(request: &mut Request, world: &World) {
    if !request.settings_from_cluster {
        return;
    }
    match find(request, world).await {
        Ok(Some(Ok(settings))) => {
            request.render.take(RenderingSettings::of(&settings));
            let (comparison, errors) = ComparisonSettings::of(&settings);
            request.settings = comparison;
            request.findings.extend(errors.iter().map(|error| Finding::of(error)));
            judge_by(&settings, request);
        }
        Ok(Some(Err(error))) => request.findings.push(Finding::of(&error)),
        Ok(None) => request.findings.push(missing(&request.argocd_namespace)),
        Err(error) => request.findings.push(Finding::of(&error)),
    }
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

type Found = Option<Result<Settings, crate::app::settings::SettingsError>>;

async fn find(request: &Request, world: &World) -> Result<Found, ClusterError> {
    let destination = Destination { name: IN_CLUSTER.to_owned(), ..Destination::default() };
    let cluster = world.clusters.find(&destination)?;
    let namespace = request.argocd_namespace.clone();
    let place = format!("argocd-cm in namespace {namespace} of {}", cluster.name());
    let config_maps =
        ListRequest { gvk: Gvk::from_api_version("v1", "ConfigMap"), namespace: Some(namespace), metadata_only: false };
    let objects = cluster.list(&config_maps).await?;
    Ok(objects.into_iter().find_map(|object| Settings::of_object(&place, object)))
}

fn missing(namespace: &str) -> Finding {
    Finding::error("trueup::settings::none", format!("no ConfigMap `argocd-cm` is in namespace `{namespace}`"))
        .with_help("name Argo CD's namespace with --argocd-namespace, or give the manifest with --argocd-cm FILE")
}
