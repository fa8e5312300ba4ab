//! What a manifest says is what is read from it.

use std::time::Duration;

use super::*;
use crate::app::options::SyncOption;
use crate::app::source::SourceKind;
use crate::app::sync_policy::{Backoff, RetryLimit};

fn every_field() -> Vec<Application> {
    let manifests = read(&[named("every_field.yaml", include_str!("every_field.yaml"))]);
    assert_eq!(shown(&manifests), "", "every field is known");
    manifests.applications.into_iter().map(Result::unwrap).collect()
}

fn one(specification: &str) -> Application {
    let manifests = read(&[named("shop.yaml", &application(specification))]);
    manifests.applications.into_iter().next().unwrap().unwrap()
}

#[test]
fn every_field_is_known_and_read() {
    let applications = every_field();
    let application = &applications[0];
    assert_eq!(application.name, "every-field");
    assert_eq!(application.labels["team"], "shop");
    assert_eq!(application.finalizers.len(), 3);
    assert_eq!(application.destination.server, "https://kubernetes.default.svc");
    assert_eq!(application.revision_history_limit, 0);
    assert_eq!(application.source_form, SourceForm::Multiple);
    assert_eq!(application.origin.line, 2);
    assert!(!application.skips_reconcile());

    let kinds: Vec<Option<SourceKind>> = application.sources.iter().map(Source::explicit_kind).collect();
    let expected = ["Helm", "Kustomize", "Directory", "Plugin", "Ksonnet"];
    assert!(application.sources[0].renders_nothing());
    assert_eq!(kinds[0], None);
    assert_eq!(kinds[1..].iter().flatten().map(|kind| kind.as_str()).collect::<Vec<&str>>(), expected);

    let policy = &application.sync_policy;
    assert!(policy.is_automated());
    assert_eq!(policy.sync_options.len(), 13);
    assert!(policy.has(SyncOption::ServerSideApply));
    let retry = policy.retry.as_ref().unwrap();
    assert_eq!(retry.limit, RetryLimit::Unlimited);
    assert_eq!(retry.backoff.max_duration, Duration::from_secs(90 * 60));

    let sync = application.operation.as_ref().and_then(|operation| operation.sync.as_ref()).unwrap();
    assert_eq!(sync.sync_options.as_deref(), Some(&[SyncOption::PruneLast][..]));
    assert_eq!(sync.resources[0].name, "web");
}

#[test]
fn every_option_of_every_tool_is_read() {
    let applications = every_field();
    let [_, chart, kustomize, directory, plugin, ksonnet] = &applications[0].sources[..] else { panic!() };
    let helm = chart.helm.as_ref().unwrap();
    assert_eq!(helm.value_files, ["$values/web.yaml", "values-*.yaml"]);
    assert!(helm.parameters[0].force_string);
    assert_eq!(helm.values_object.as_ref().unwrap()["image"]["tag"], "v1");
    let kustomize = kustomize.kustomize.as_ref().unwrap();
    assert_eq!(kustomize.replicas.iter().map(|replicas| replicas.count).collect::<Vec<i64>>(), [3, 4]);
    assert!(kustomize.patches[0].options["allowNameChange"]);
    assert_eq!(kustomize.patches[0].target.as_ref().unwrap().annotation_selector, "zone=west");
    let directory = directory.directory.as_ref().unwrap();
    assert!(directory.recurse && directory.disable_extension_filter);
    assert!(directory.jsonnet.external_variables[1].code);
    assert_eq!(directory.jsonnet.libraries, ["vendor", "lib"]);
    let parameters = &plugin.plugin.as_ref().unwrap().parameters;
    assert_eq!(parameters[0].string.as_deref(), Some(""));
    assert_eq!(parameters[1].map.as_ref().unwrap()["team"], "shop");
    assert_eq!(parameters[2].array.as_deref(), Some(&["a".to_owned(), "b".to_owned()][..]));
    assert_eq!(ksonnet.ksonnet.as_ref().unwrap().environment, "prod");
}

/// Argo CD types.go `GetSyncSource`: rendered manifests are read, not what they are rendered from.
#[test]
fn a_hydrated_application_is_compared_with_its_rendered_branch() {
    let application = &every_field()[1];
    assert_eq!(application.source_form, SourceForm::Hydrated);
    let [source] = &application.sources[..] else { panic!("{:?}", application.sources) };
    assert_eq!(source.repo_url.to_string(), "https://git.example.com/shop/rendered.git");
    assert_eq!((source.path.as_deref(), source.target_revision.as_str()), (Some("web"), "env/prod"));
    assert_eq!(source.explicit_kind(), None);
    assert_eq!(application.source_hydrator.as_ref().unwrap().hydrate_to, "env/prod-next");
}

#[test]
fn what_is_not_given_has_argo_cds_default() {
    let application = one("source: {repoURL: ../infra, path: web}\ndestination: {name: prod}\nproject: \"\"");
    assert_eq!(application.project, "default");
    assert_eq!(application.namespace, "");
    assert_eq!(application.revision_history_limit, 10);
    assert_eq!(application.sources[0].target_revision, "");
    assert_eq!(application.sources[0].line, 5);
    assert!(!application.sync_policy.is_automated());
    let retried = one("source: {repoURL: a, path: b}\ndestination: {name: prod}\nproject: default\n\
         syncPolicy: {automated: {}, retry: {}}");
    let retry = retried.sync_policy.retry.clone().unwrap();
    assert!(retried.sync_policy.is_automated());
    assert_eq!((retry.limit, retry.backoff), (RetryLimit::Times(0), Backoff::default()));
    let paused = one("source: {repoURL: a, path: b}\ndestination: {name: prod}\nproject: default\n\
         syncPolicy: {automated: {enabled: false, prune: true}}");
    assert!(!paused.sync_policy.is_automated());
}

#[test]
fn outside_of_the_controllers_namespace_the_tracking_name_has_the_namespace() {
    let mut application = one("source: {repoURL: a, path: b}\ndestination: {name: prod}\nproject: default");
    assert_eq!(application.instance_name("argocd"), "shop");
    application.namespace = "argocd".to_owned();
    assert_eq!(application.instance_name("argocd"), "shop");
    application.namespace = "team".to_owned();
    assert_eq!(application.instance_name("argocd"), "team_shop");
}
