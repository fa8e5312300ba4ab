//! A cluster that is a folder, as people's folders are.

use std::path::Path;

use serde_json::json;
use trueup::cluster::folder::Folder;
use trueup::cluster::{ClusterError, ClusterSettings, Predicted, Requests};
use trueup::object::{Gvk, Object};

use super::{Asked, names, server, told};
use crate::harness::{TestCluster, config_map, deployment, or_skip};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    folder
}

fn asked(folder: &Path) -> Asked {
    Asked::with(ClusterSettings { live: Some(folder.to_owned()), ..ClusterSettings::default() })
}

/// A dump of a real cluster is that cluster.
#[test]
fn a_dump_answers_as_the_cluster_it_came_from() {
    let cluster = or_skip!(TestCluster::namespace());
    cluster.apply(format!("{}---\n{}", deployment("web").replicas(2), deployment("db")));
    let dump = cluster.kubectl(["get", "deployments", "-o", "yaml", "--show-managed-fields"]);
    let folder = folder(&[("dump.yaml", &dump)]);

    let of_folder = asked(folder.path()).list("apps/v1", "Deployment", Some(cluster.name())).unwrap();
    let of_server = Asked::of(&cluster).list("apps/v1", "Deployment", Some(cluster.name())).unwrap();

    let values = |objects: Vec<Object>| objects.into_iter().map(Object::into_value).collect::<Vec<_>>();
    assert_eq!(values(of_folder), values(of_server));
}

/// Every destination is the folder, and no request is sent to anybody.
#[test]
fn every_destination_is_the_folder() {
    let folder = folder(&[("a.yaml", &config_map("settings").to_string())]);
    let asked = asked(folder.path());

    let found = asked.clusters.find(&server("https://prod.example.com")).unwrap();
    assert_eq!(found.name(), asked.cluster().name());
    assert_eq!(names(&asked.list("v1", "ConfigMap", Some("default")).unwrap()), ["settings"]);
    assert_eq!(asked.requests(), Requests::default());
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings" } });
    assert_eq!(asked.predict(object), Ok(Predicted::Unavailable("a folder cannot be asked".to_owned())));
}

/// Folders below folders, Lists, JSON, several documents in a file, other people's files: all of it is common.
#[test]
fn any_layout_is_read() {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": [
        { "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "listed", "namespace": "shop" } },
    ] });
    let typed = json!({ "apiVersion": "v1", "kind": "ConfigMapList", "items": [{ "metadata": { "name": "typed" } }] });
    let folder = folder(&[
        (
            "a/b/two.yml",
            "# a comment\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n---\n\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: two, namespace: shop}\n",
        ),
        ("list.json", &list.to_string()),
        ("typed.JSON", &typed.to_string()),
        ("empty.yaml", ""),
        ("empty-list.yaml", "apiVersion: v1\nkind: List\nitems: []\n"),
        (".git/config.yaml", "not: [yaml"),
        ("README.md", "kind: none"),
        ("values.yaml", "replicas: 3\n"),
    ]);
    let asked = asked(folder.path());

    let all = asked.list("v1", "ConfigMap", None).unwrap();
    let mut found: Vec<_> = all.iter().map(|object| format!("{}/{}", object.namespace(), object.name())).collect();
    found.sort();

    assert_eq!(found, ["default/one", "default/typed", "shop/listed", "shop/two"]);
    let two = all.iter().find(|object| object.name() == "two").unwrap().origin().unwrap();
    assert_eq!((two.file.as_ref(), two.line), ("a/b/two.yml", 9));
    assert!(asked.cluster().remarks().keys().any(|place| place == "values.yaml:1"), "{:?}", asked.cluster().remarks());
}

/// Kinds are those of Kubernetes, of the definitions in the folder, and, for the rest, as they are used.
#[test]
fn scopes_are_known_or_seen() {
    let folder = folder(&[(
        "all.yaml",
        "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: sites.shop.example.com}
spec:
  group: shop.example.com
  scope: Cluster
  names: {kind: Site, plural: sites}
  versions: [{name: v1, served: true, storage: true}]
---
apiVersion: shop.example.com/v1
kind: Site
metadata: {name: main, namespace: left-over}
---
apiVersion: unknown.example.com/v1
kind: Gadget
metadata: {name: a, namespace: shop}
---
apiVersion: unknown.example.com/v1
kind: Gadget
metadata: {name: b}
---
apiVersion: unknown.example.com/v1
kind: Planet
metadata: {name: earth}
",
    )]);
    let asked = asked(folder.path());
    for (kind, namespaces) in [
        ("shop.example.com/v1/Site", vec![""]),
        ("unknown.example.com/v1/Gadget", vec!["default", "shop"]),
        ("unknown.example.com/v1/Planet", vec![""]),
    ] {
        let (api_version, kind) = kind.rsplit_once('/').unwrap();
        let objects = asked.list(api_version, kind, None).unwrap();
        assert_eq!(objects.iter().map(Object::namespace).collect::<Vec<_>>(), namespaces, "{kind}");
        let gvk = Gvk::from_api_version(api_version, kind);
        assert!(asked.kinds().unwrap().exact(&gvk).is_some_and(trueup::object::KindFacts::is_listable), "{kind}");
    }
}

/// Two files for one object: the last one counts, and the report says so.
#[test]
fn of_duplicates_the_last_one_counts() {
    let folder = folder(&[
        ("a.yaml", &config_map("settings").data("colour", "red").to_string()),
        ("b.yaml", &config_map("settings").data("colour", "blue").to_string()),
    ]);
    let asked = asked(folder.path());

    let objects = asked.list("v1", "ConfigMap", None).unwrap();

    assert_eq!(objects.iter().map(|object| &object.value()["data"]["colour"]).collect::<Vec<_>>(), ["blue"]);
    let remarks = asked.cluster().remarks();
    assert_eq!(remarks["ConfigMap default/settings"], "is in a.yaml:1 and in b.yaml:1; the last one counts");
}

/// An object that cannot be read must not look missing: all faults at once, each with its file and line.
#[test]
fn what_cannot_be_read_is_an_error_with_file_and_line() {
    let folder = folder(&[
        ("broken.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [}\n"),
        ("half.yaml", "---\napiVersion: v1\nmetadata: {name: x}\n"),
        ("list.yaml", "apiVersion: v1\nkind: List\nitems: [7]\n"),
        ("nameless.yaml", "apiVersion: v1\nkind: Secret\nstringData: {password: hunter2}\n"),
    ]);

    let error = Folder::open(folder.path()).unwrap_err();

    let told = told(&error);
    for part in [
        "`broken.yaml`:3 ",
        "`half.yaml`:2 has no `kind`",
        "`list.yaml`:1 item 0",
        "`nameless.yaml`:1 has no `metadata.name`",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    assert!(!told.contains("hunter2"), "{told}");
}

/// A mistyped folder is no empty cluster.
#[test]
fn a_folder_that_does_not_exist_is_an_error() {
    let folder = folder(&[("file.yaml", "")]);
    for (path, problem) in [("nowhere", "does not exist"), ("file.yaml", "is a file, not a folder")] {
        let error = Folder::open(&folder.path().join(path)).unwrap_err();
        assert!(matches!(&error, ClusterError::Folder { .. }) && error.to_string().ends_with(problem), "{error}");
    }
}
