//! `trueup render`: what git says, without a cluster.

use serde_json::{Value, json};

use crate::harness::{TestRepo, config_map, deployment, trueup};

const TILL: &str = "apiVersion: shop.example.com/v1\nkind: Till\nmetadata:\n  name: front\n";

/// Namespaces are filled in by scope, from Kubernetes' own kinds and the definitions rendered beside.
#[test]
fn namespaces_follow_the_scope_of_the_kind() {
    let definition = |kind: &str, plural: &str, scope: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: {plural}.shop.example.com\nspec:\n  group: shop.example.com\n  scope: {scope}\n  names: {{kind: {kind}, plural: {plural}}}\n  versions: [{{name: v1, served: true, storage: true}}]\n"
        )
    };
    let git = TestRepo::new()
        .file("1.yaml", config_map("settings"))
        .file("2.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  namespace: nonsense\n")
        .file("3.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: elsewhere\n  namespace: other\n")
        .file("4.yaml", definition("Till", "tills", "Namespaced"))
        .file("5.yaml", definition("Brand", "brands", "Cluster"))
        .file("6.yaml", TILL)
        .file("7.yaml", TILL.replace("Till", "Brand"))
        .file("8.yaml", TILL.replace("Till", "Unheard"))
        .commit("scopes");
    let shop = git.application("shop").destination(json!({"name": "prod", "namespace": "shop"}));

    let list = trueup(["render", "-o", "json"]).of(&shop).exits(0).json();

    assert_eq!((&list["apiVersion"], &list["kind"]), (&json!("v1"), &json!("List")));
    let places: Vec<(&str, Option<&str>)> = list["items"].as_array().expect("items").iter().map(place).collect();
    assert_eq!(
        places,
        [
            ("ConfigMap", Some("shop")),
            ("Namespace", None),
            ("ConfigMap", Some("other")),
            ("CustomResourceDefinition", None),
            ("CustomResourceDefinition", None),
            ("Till", Some("shop")),
            ("Brand", None),
            // Argo CD leaves what it does not know as it is.
            ("Unheard", None),
        ]
    );
}

fn place(object: &Value) -> (&str, Option<&str>) {
    (object["kind"].as_str().expect("a kind"), object["metadata"]["namespace"].as_str())
}

/// YAML as kubectl takes it, with a word on where each object was written.
#[test]
fn manifests_are_printed_with_their_places() {
    let git = TestRepo::new()
        .file("shop/web.yaml", deployment("web").replicas(2))
        .file("shop/settings.yaml", format!("# colours\n---\n{}", config_map("settings").data("colour", "on")))
        .commit("the shop");
    let shop = git.application("shop").path("shop").destination(json!({"name": "prod", "namespace": "shop"}));

    insta::assert_snapshot!(trueup(["render", "-q"]).of(&shop).exits(0), @r#"
    ---
    # Source: shop/settings.yaml:3
    apiVersion: v1
    data:
      colour: "on"
    kind: ConfigMap
    metadata:
      name: settings
      namespace: shop
    ---
    # Source: shop/web.yaml:1
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
      namespace: shop
    spec:
      replicas: 2
      selector:
        matchLabels:
          app: web
      template:
        metadata:
          labels:
            app: web
        spec:
          containers:
          - image: registry.example.com/web:1.0.0
            name: web
    [exit 0]
    "#);
}

/// The same object twice: the last one counts, and a warning names both places.
#[test]
fn of_two_objects_with_one_key_the_last_counts() {
    let git = TestRepo::new()
        .file("a.yaml", config_map("settings").data("colour", "red"))
        .file("b.yaml", config_map("settings").data("colour", "green"))
        .commit("twice");

    let outcome = trueup(["render", "-o", "json"]).of(&git.application("shop")).exits(0);

    let list = outcome.json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["items"][0]["data"]["colour"], "green");
    let words = "`ConfigMap default/settings` appears twice: b.yaml:1 is used, a.yaml:1 is not";
    assert!(outcome.stderr.contains(words), "{}", outcome.transcript());
}

/// Two charts name their files alike, and so do two repositories: "a.yaml is used, a.yaml is not" would help nobody.
#[test]
fn of_two_sources_with_files_of_one_name_the_later_counts() {
    let repository =
        |colour: &str| TestRepo::new().file("a.yaml", config_map("settings").data("colour", colour)).commit(colour);
    let (red, green) = (repository("red"), repository("green"));
    let sources = json!([{"repoURL": red.url(), "path": "."}, {"repoURL": green.url(), "path": "."}]);

    let outcome =
        trueup(["render", "-q", "-o", "json"]).of(&red.application("shop").spec_field("sources", sources)).exits(0);

    assert_eq!(outcome.json()["items"][0]["data"]["colour"], "green");
    let words = "`ConfigMap default/settings` appears twice, both times at a.yaml:1: the later";
    assert!(outcome.stderr.contains(words), "{}", outcome.transcript());
}

/// The revision can be chosen over the manifest's head; a checkout can stand in for the repository, as it is.
#[test]
fn another_revision_or_a_working_tree_can_be_rendered() {
    let git = TestRepo::new().file("a.yaml", config_map("settings").data("colour", "red")).commit("red").tag("v1.0.0");
    let git = git.file("a.yaml", config_map("settings").data("colour", "green")).commit("green");
    let git = git.file("a.yaml", config_map("settings").data("colour", "not committed"));
    let shop = git.application("shop");
    let colour = |arguments: &[&str]| {
        let run = arguments.iter().fold(trueup(["render", "-o", "json"]), |run, argument| run.argument(*argument));
        run.of(&shop).exits(0).json()["items"][0]["data"]["colour"].as_str().map(str::to_owned)
    };

    assert_eq!(colour(&[]).as_deref(), Some("green"));
    assert_eq!(colour(&["--revision", "v1.0.0"]).as_deref(), Some("red"));
    let stand_in = format!("{}={}", git.url(), git.path().display());
    assert_eq!(colour(&["--repo", &stand_in]).as_deref(), Some("not committed"));
}
