//! A table of what can be wrong with an Application, and the words for it.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;

const REST: &str = "project: default\ndestination: {server: https://kubernetes.default.svc}";
const SOURCE: &str = "source: {repoURL: https://git.example.com/shop, path: web}";

/// The findings of a specification, each without the Application's name.
fn reported_for(specification: &str) -> Vec<String> {
    reported(&read(&[named("shop.yaml", &application(specification))]))
        .iter()
        .map(|line| line.replace("shop: ", ""))
        .collect()
}

fn with_source(source: &str) -> Vec<String> {
    reported_for(&format!("source:\n  {}\n{REST}", source.replace('\n', "\n  ")))
}

fn with_sources(sources: &str) -> Vec<String> {
    reported_for(&format!("sources:\n{sources}\n{REST}"))
}

fn with_rest(rest: &str) -> Vec<String> {
    reported_for(&format!("{SOURCE}\n{rest}"))
}

fn with_policy(policy: &str) -> Vec<String> {
    with_rest(&format!("{REST}\nsyncPolicy:\n  {}", policy.replace('\n', "\n  ")))
}

#[test]
fn an_unknown_field_is_a_warning_that_says_what_was_meant_and_what_follows() {
    let place = "repoURL: https://git.example.com/shop\npath: web\n";
    for (field, expected) in [
        (
            "targetRevison: v1",
            "warning 8 `targetRevison` is not a field of `spec.source` | did you mean `targetRevision`? | \
             as it stands, the source follows the default branch",
        ),
        (
            "kustomise: {}",
            "warning 8 `kustomise` is not a field of `spec.source` | did you mean `kustomize`? | \
             as it stands, it has no effect",
        ),
        (
            "helm: {valuesFiles: [prod.yaml]}",
            "warning 8 `valuesFiles` is not a field of `spec.source.helm` | did you mean `valueFiles`? | \
             as it stands, the chart's own values are used",
        ),
        (
            "directory: {recursive: true}",
            "warning 8 `recursive` is not a field of `spec.source.directory` | did you mean `recurse`? | \
             as it stands, folders below the path are not read",
        ),
        (
            "recurse: true",
            "warning 8 `recurse` is not a field of `spec.source` | `recurse` belongs in `spec.source.directory` | \
             as it stands, it has no effect",
        ),
        (
            "directory: {zzz: 1}",
            "warning 8 `zzz` is not a field of `spec.source.directory` | \
             known here: disableExtensionFilter, exclude, include, jsonnet, recurse | as it stands, it has no effect",
        ),
        (
            "helm: {parameters: [{name: a, vaule: b}]}",
            "warning 8 `vaule` is not a field of `spec.source.helm.parameters[0]` | did you mean `value`? | \
             as it stands, it has no effect",
        ),
    ] {
        assert_eq!(with_source(&format!("{place}{field}")), [expected], "{field}");
    }
    assert_eq!(
        with_policy("selfHeal: true"),
        [
            "warning 9 `selfHeal` is not a field of `spec.syncPolicy` | `selfHeal` belongs in `spec.syncPolicy.automated` | \
          as it stands, it has no effect"
        ]
    );
}

#[test]
fn a_value_of_another_type_is_an_error_as_for_kubectl() {
    let place = "repoURL: https://git.example.com/shop\npath: web\n";
    for (field, expected) in [
        (
            "targetRevision: 1.5",
            "error 8 `spec.source.targetRevision` is a number, not text | should be text | put it in quotes",
        ),
        (
            "directory: {recurse: \"true\"}",
            "error 8 `spec.source.directory.recurse` is text, not `true` or `false` | should be `true` or `false` | \
             write true without quotes",
        ),
        (
            "helm: {values: {a: b}}",
            "error 8 `spec.source.helm.values` is a map, not text | should be text | \
             `values` is YAML as text; a map goes into `valuesObject`",
        ),
        (
            "helm: {valuesObject: \"a: b\"}",
            "error 8 `spec.source.helm.valuesObject` is text, not a map | should be a map | \
             `valuesObject` is a map; text goes into `values`",
        ),
        (
            "helm: {valueFiles: prod.yaml}",
            "error 8 `spec.source.helm.valueFiles` is text, not a list | should be a list | \
             write a list: each item begins with `- `",
        ),
        (
            "helm: {parameters: [{name: a, value: yes}]}",
            "error 8 `spec.source.helm.parameters[0].value` is a boolean, not text | should be text | put it in quotes",
        ),
        (
            "helm: []",
            "error 8 `spec.source.helm` is a list, not a map | should be a map | `kubectl apply` would refuse it too",
        ),
        (
            "kustomize: {replicas: [{name: web, count: many}]}",
            "error 8 `spec.source.kustomize.replicas[0].count` is text, not a whole number | should be a whole number | \
             `kubectl apply` would refuse it too",
        ),
        (
            "kustomize: {commonLabels: {env: 1, team: shop}}",
            "error 8 `spec.source.kustomize.commonLabels.env` is a number, not text | should be text | put it in quotes",
        ),
        (
            "kustomize: {images: [nginx, 1]}",
            "error 8 `spec.source.kustomize.images[1]` is a number, not text | should be text | put it in quotes",
        ),
        (
            "plugin: {parameters: [1]}",
            "error 8 `spec.source.plugin.parameters[0]` is a number, not a map | should be a map | \
             `kubectl apply` would refuse it too",
        ),
    ] {
        assert_eq!(with_source(&format!("{place}{field}")), [expected], "{field}");
    }
}

#[test]
fn a_source_says_where_it_is() {
    let no_path = |path: &str, line: usize, needed: &str| {
        format!(
            "error {line} `{path}` has no {needed}, one of which is required | - | for the root of a repository, write `path: .`"
        )
    };
    let no_url = "error 5 `spec.source` has no `repoURL` | - | add the URL of the repository as `repoURL`".to_owned();
    for (source, expected) in [
        ("path: web", vec![no_url.clone()]),
        ("repoURL: https://git.example.com/shop", vec![no_path("spec.source", 5, "`path` or `chart`")]),
        ("repoURL: https://git.example.com/shop\npath: null", vec![no_path("spec.source", 5, "`path` or `chart`")]),
        ("targetRevision: main", vec![no_url, no_path("spec.source", 5, "`path` or `chart`")]),
        (
            "repoURL: 1\npath: 2",
            vec![
                "error 6 `spec.source.repoURL` is a number, not text | should be text | put it in quotes".to_owned(),
                "error 7 `spec.source.path` is a number, not text | should be text | put it in quotes".to_owned(),
            ],
        ),
        (
            "repoURL: https://git.example.com/shop\npath: /web",
            vec![
                "error 7 `spec.source.path` begins with `/`, but a path is relative to the repository's root | - | \
                 write it as `web`"
                    .to_owned(),
            ],
        ),
    ] {
        assert_eq!(with_source(source), expected, "{source}");
    }
    assert_eq!(
        with_sources("- repoURL: https://git.example.com/shop"),
        [no_path("spec.sources[0]", 6, "`path`, `chart` or `ref`")]
    );
}

/// A registry has no branch that could be meant.
#[test]
fn a_source_in_a_registry_has_a_tag() {
    let source = "repoURL: oci://registry.example.com/shop\npath: .\n";
    let expected = "error 6 `spec.source.targetRevision` is required, because the source is in a registry | - | \
                    add a tag, a digest, or a range such as `1.*`";
    assert_eq!(with_source(source), [expected]);
    assert!(with_source(&format!("{source}targetRevision: 1.x\n")).is_empty());
}

#[test]
fn a_chart_has_a_version_and_one_tool() {
    let place = "repoURL: https://charts.example.com\nchart: web\n";
    for (source, expected) in [
        (
            "",
            "error 7 `spec.source.targetRevision` is required, because the source is the Helm chart `web` | - | \
             add the chart's version, or a range such as `1.*`",
        ),
        (
            "targetRevision: 1.x\npath: web",
            "warning 9 `spec.source.path` is ignored, because `spec.source.chart` is given | - | remove one of the two",
        ),
        (
            "targetRevision: 1.x\ndirectory: {}",
            "error 5 `spec.source` asks for a Helm chart, and for directory to render it | - | \
             remove `directory`, or give a `path` in place of `chart`",
        ),
        (
            "targetRevision: 1.x\nhelm: {version: v2}",
            "error 9 `spec.source.helm.version` is `v2`, which is not a Helm version that Argo CD knows | - | \
             remove it: whichever is given, the same Helm runs",
        ),
        (
            "targetRevision: 1.x\nhelm: {values: \"a: b\", valuesObject: {}}",
            "warning 9 `spec.source.helm.values` is ignored, because `valuesObject` is given | - | remove one of the two",
        ),
    ] {
        assert_eq!(with_source(&format!("{place}{source}")), [expected], "{source}");
    }
    // Argo CD: "multiple application sources defined: Kustomize,Helm".
    assert_eq!(
        with_source("repoURL: https://git.example.com/shop\npath: web\nhelm: {}\nkustomize: {}"),
        ["error 5 multiple application sources defined in `spec.source`: Kustomize,Helm | - | \
          one source is rendered by one tool; keep one of helm, kustomize, directory and plugin"]
    );
}

#[test]
fn references_between_sources_are_plain_and_unique() {
    assert_eq!(
        with_source("repoURL: https://git.example.com/shop\npath: web\nref: values"),
        ["warning 8 `spec.source.ref` has no meaning in a single source | - | move the source into `spec.sources`"]
    );
    assert_eq!(
        with_sources("- {repoURL: a, ref: my values}\n- {repoURL: b, ref: v}\n- {repoURL: c, ref: v}"),
        [
            "error 6 `spec.sources[0].ref` is `my values`, but may only have letters, digits, `-` and `_` | - | \
             choose another name, here and in each `$my values/…`",
            "error 8 `spec.sources[2].ref` is `v`, as is `spec.sources[1].ref` | - | give each source a `ref` of its own",
        ]
    );
}

#[test]
fn one_of_the_three_forms_of_source_is_in_force() {
    let hydrator = "sourceHydrator:\n  drySource: {repoURL: a, path: b, targetRevision: c}\n  \
                    syncSource: {targetBranch: d, path: e}";
    let broken = "{repoURL: 1}";
    for (specification, expected) in [
        (
            "{}".to_owned(),
            vec!["error 4 `spec` has no source | - | add `source`, `sources` or `sourceHydrator` to `spec`"],
        ),
        (
            "sources: []".to_owned(),
            vec!["error 4 `spec` has no source | - | add `source`, `sources` or `sourceHydrator` to `spec`"],
        ),
        // Quirk of Argo CD: what is ignored is not judged.
        (
            format!("source: {broken}\nsources: [{{repoURL: a, path: b}}]"),
            vec!["warning 5 `spec.source` is ignored, because `spec.sources` is given | - | remove one of the two"],
        ),
        (
            format!("source: {broken}\nsources: [{broken}]\n{hydrator}"),
            vec![
                "warning 5 `spec.source` is ignored, because `spec.sourceHydrator` is given | - | remove one of the two",
                "warning 6 `spec.sources` is ignored, because `spec.sourceHydrator` is given | - | remove one of the two",
            ],
        ),
        (
            "sourceHydrator:\n  drySource: {repoURL: a, path: b}\n  syncSource: {targetBranch: d, path: .}".to_owned(),
            vec![
                "error 6 `spec.sourceHydrator.drySource` has no `targetRevision` | - | \
                 add `targetRevision`; `kubectl apply` would ask for it too",
                "error 7 `spec.sourceHydrator.syncSource.path` is `.`, but rendered manifests need a folder of their own | - | \
                 name a folder below the repository's root",
            ],
        ),
    ] {
        let specification = if specification == "{}" { REST.to_owned() } else { format!("{specification}\n{REST}") };
        assert_eq!(reported_for(&specification), expected, "{specification}");
    }
}

#[test]
fn the_destination_is_a_server_or_a_name() {
    for (destination, expected) in [
        (
            "{server: https://prod.example.com, name: prod}",
            "error 7 the destination can't have both name and server defined: `prod` and `https://prod.example.com` | - | \
             remove `name` or `server` from `spec.destination`",
        ),
        (
            "{namespace: shop}",
            "error 7 the destination has neither `server` nor `name` | - | \
             for the cluster that Argo CD itself runs in, add `server: https://kubernetes.default.svc`",
        ),
        (
            "{name: prod, server: \"\", cluster: x}",
            "warning 7 `cluster` is not a field of `spec.destination` | known here: name, namespace, server | \
             as it stands, it has no effect",
        ),
        ("null", "error 4 `spec` has no `destination` | - | add `destination`; `kubectl apply` would ask for it too"),
    ] {
        assert_eq!(with_rest(&format!("project: default\ndestination: {destination}")), [expected], "{destination}");
    }
    assert_eq!(
        with_rest("destination: {name: prod}"),
        ["warning 4 `spec.project` is not given | - | as it stands, the project is `default`"]
    );
}

#[test]
fn sync_policies_are_checked_to_the_last_word() {
    for (policy, expected) in [
        (
            "syncOptions: [CreateNamespace=True]",
            "warning 9 `CreateNamespace=True` is not a sync option that Argo CD knows | did you mean `CreateNamespace=true`? | \
             as it stands, it has no effect",
        ),
        (
            "syncOptions: [Force=true]",
            "warning 9 `Force=true` is not a sync option of an Application, only of a resource | - | \
             as it stands, it has no effect",
        ),
        (
            "automated: true",
            "error 9 `spec.syncPolicy.automated` is a boolean, not a map | should be a map | \
             `kubectl apply` would refuse it too",
        ),
        (
            "retry: {limit: \"5\"}",
            "error 9 `spec.syncPolicy.retry.limit` is text, not a whole number | should be a whole number | \
             write 5 without quotes",
        ),
        (
            "retry: {backoff: {duration: 5 minutes}}",
            "error 9 `spec.syncPolicy.retry.backoff.duration` is `5 minutes`, which is not a duration: \
             its unit is not one of `h`, `m`, `s`, `ms`, `us`, `ns` | - | \
             write it as `5s`, `3m` or `1h30m`; a bare number means seconds",
        ),
        (
            "retry: {backoff: {factor: 0}}",
            "error 9 `spec.syncPolicy.retry.backoff.factor` is 0, so the delay would never grow | - | \
             use 1 or more; the default is 2",
        ),
    ] {
        assert_eq!(with_policy(policy), [expected], "{policy}");
    }
}

#[test]
fn ignore_rules_and_lists_of_information_are_checked() {
    for (rest, expected) in [
        (
            "ignoreDifferences: [{group: apps, jsonPointers: [/spec/replicas]}]",
            vec![
                "error 8 `spec.ignoreDifferences[0]` has no `kind` | - | add `kind`; `kubectl apply` would ask for it too",
            ],
        ),
        (
            "ignoreDifferences: [{kind: Deployment}]",
            vec![
                "warning 8 `spec.ignoreDifferences[0]` names no field to ignore | - | \
                 add `jsonPointers`, `jqPathExpressions` or `managedFieldsManagers`",
            ],
        ),
        (
            "ignoreDifferences: [{kind: Deployment, jsonPointers: [spec/replicas]}]",
            vec![
                "warning 8 `spec.ignoreDifferences[0].jsonPointers[0]` is `spec/replicas`, but a JSON pointer begins with `/` | - | \
                 as it stands, the field is compared",
            ],
        ),
        (
            "info: [{name: Runbook}]",
            vec!["error 8 `spec.info[0]` has no `value` | - | add `value`; `kubectl apply` would ask for it too"],
        ),
        (
            "revisionHistoryLimit: -1",
            vec![
                "error 8 `spec.revisionHistoryLimit` is -1, which is less than nothing | - | \
                 use 0 to keep no history; the default is 10",
            ],
        ),
        (
            "project: default",
            vec![
                "warning 8 `spec.project` is given twice in one map | - | \
          the last one counts, as it does for kubectl; remove the other",
            ],
        ),
    ] {
        assert_eq!(with_rest(&format!("{REST}\n{rest}")), expected, "{rest}");
    }
}

#[test]
fn metadata_is_checked_as_the_api_server_does() {
    let reported_for = |metadata: &str| {
        let text = application(&format!("{SOURCE}\n{REST}")).replace("{name: shop}", metadata);
        reported(&read(&[named("shop.yaml", &text)]))
    };
    for (metadata, expected) in [
        (
            "{name: Shop_Web}",
            "error 3 Shop_Web: the name `Shop_Web` has `S` in it | - | \
             Kubernetes takes lower case letters, digits, `-` and `.`, with a letter or digit at both ends",
        ),
        (
            "{namespace: argocd}",
            "error 3 shop.yaml: `metadata` has no `name` | - | add `name`; `kubectl apply` would ask for it too",
        ),
        (
            "{name: shop, namespace: argo.cd}",
            "error 3 shop: the namespace `argo.cd` has `.` in it | - | \
             Kubernetes takes lower case letters, digits and `-`, with a letter or digit at both ends",
        ),
        (
            "{name: shop, lables: {a: b}}",
            "warning 3 shop: `lables` is not a field of `metadata` | did you mean `labels`? | as it stands, it has no effect",
        ),
        (
            "{name: shop, labels: {version: 1}}",
            "error 3 shop: `metadata.labels.version` is a number, not text | should be text | put it in quotes",
        ),
        (
            "{name: shop, annotations: {argocd.argoproj.io/sync-wavee: \"1\"}}",
            "warning 3 shop: `argocd.argoproj.io/sync-wavee` is not an annotation that Argo CD reads | \
             did you mean `argocd.argoproj.io/sync-wave`? | as it stands, it has no effect",
        ),
        (
            "{name: shop, finalizers: [resource-finalizer.argocd.argoproj.io]}",
            "warning 3 shop: `resource-finalizer.argocd.argoproj.io` is not a finalizer that Argo CD removes | \
             did you mean `resources-finalizer.argocd.argoproj.io`? | as it stands, the Application can never be deleted",
        ),
    ] {
        assert_eq!(reported_for(metadata), [expected], "{metadata}");
    }
}

#[test]
fn the_top_of_an_application_is_checked() {
    let good = application(&format!("{SOURCE}\n{REST}"));
    for (text, expected) in [
        (
            good.replace("spec:", "specc:"),
            vec![
                "error 1 shop: an Application has no `spec` | - | add `spec`; `kubectl apply` would ask for it too",
                "warning 4 shop: `specc` is not a field of an Application | did you mean `spec`? | as it stands, it has no effect",
            ],
        ),
        (
            good.replace("v1alpha1", "v1"),
            vec![
                "error 1 shop: an Application's version is `v1`, which Argo CD does not know | \
                 did you mean `argoproj.io/v1alpha1`? | write `apiVersion: argoproj.io/v1alpha1`",
            ],
        ),
        (
            format!("{good}operation: {{sync: {{resources: [{{kind: Pod}}], prun: true}}}}\n"),
            vec![
                "error 8 shop: `operation.sync.resources[0]` has no `name` | - | add `name`; `kubectl apply` would ask for it too",
                "warning 8 shop: `prun` is not a field of `operation.sync` | did you mean `prune`? | \
                 as it stands, what git drops stays in the cluster",
            ],
        ),
        (format!("{good}status: {{anything: [1, {{at: all}}]}}\n"), vec![]),
    ] {
        assert_eq!(reported(&read(&[named("shop.yaml", &text)])), expected, "{text}");
    }
}

/// Names that mean something to the decoder, and some that do not.
const NAMES: &str = "
    metadata spec operation name namespace labels annotations finalizers source sources sourceHydrator
    drySource syncSource destination server syncPolicy syncOptions automated retry backoff duration factor
    limit ignoreDifferences jsonPointers kind repoURL path chart ref targetRevision helm values valuesObject
    parameters kustomize replicas count patches directory jsonnet extVars plugin env map array string ksonnet
    sync items é / 0
";

/// Any JSON value, more often than not with names that mean something to the decoder.
fn any_value() -> impl Strategy<Value = Value> {
    let names: Vec<&str> = NAMES.split_whitespace().chain([""]).collect();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["5s", "-1", "CreateNamespace=true", "/spec", "v3", "a/b", "{{ .x }}"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(names.clone()).prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<String, Value>>())),
        ]
    })
}

proptest! {
    /// However odd the value: an answer, and an Application that is refused says why.
    #[test]
    fn no_value_panics_the_decoder(
        specification in any_value(), metadata in any_value(), operation in any_value(), list in any::<bool>(),
    ) {
        let mut value = serde_json::json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": metadata, "spec": specification, "operation": operation,
        });
        if list {
            value = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": [value, 1, null, []]});
        }
        let manifests = read(&[named("odd.json", &value.to_string())]);
        for entry in &manifests.applications {
            if let Err(invalid) = entry {
                prop_assert!(invalid.findings.iter().any(|finding| finding.severity == Severity::Error));
            }
        }
        prop_assert!(!manifests.applications.is_empty() || !manifests.findings.is_empty());
        shown(&manifests);
    }
}
