//! ksonnet applications, which outlived ksonnet.

use serde_json::{Value, json};

use crate::harness::{TestRepo, trueup};

const APP: &str = "apiVersion: 0.2.0\nkind: ksonnet.io/app\nname: guestbook\nversion: 0.0.1\nenvironments:\n  default:\n    destination: {server: 'https://shop.example.com', namespace: shop}\n    k8sVersion: v1.10.0\n    path: default\n  staging:\n    destination: {server: 'https://shop.example.com', namespace: staging}\n    k8sVersion: v1.10.0\n    path: shop/staging\n    targets: [extra]\n";

/// The layout that `ks init` and `ks generate` of ksonnet 0.12 write, with its comments left out.
fn guestbook() -> TestRepo {
    TestRepo::new()
        .file("app.yaml", APP)
        .file("lib/ksonnet-lib/v1.10.0/k.libsonnet", "{ port(number):: { port: number } }")
        .file("vendor/shop/names.libsonnet", "{ suffix: '-ui' }")
        .file("environments/base.libsonnet", "local components = std.extVar('__ksonnet/components');\ncomponents + {}\n")
        .file(
            "environments/default/main.jsonnet",
            "local base = import 'base.libsonnet';\nlocal k = import 'k.libsonnet';\nbase + { guestbook+: { spec+: { ports: [k.port(80)] } } }\n",
        )
        .file("environments/default/globals.libsonnet", "{ owner: 'shop' }")
        .file(
            "environments/default/params.libsonnet",
            "local params = std.extVar('__ksonnet/params');\nlocal globals = import 'globals.libsonnet';\nlocal envParams = params + { components+: { guestbook+: { replicas: 2 }, settings+: { data+: { colour: 'green' } } } };\n{ components: { [x]: envParams.components[x] + globals for x in std.objectFields(envParams.components) } }\n",
        )
        .file("environments/shop/staging/main.jsonnet", "import 'base.libsonnet'\n")
        .file("environments/shop/staging/params.libsonnet", "std.extVar('__ksonnet/params')\n")
        .file(
            "components/params.libsonnet",
            "{ global: { team: 'front' }, components: { guestbook: { name: 'guestbook', replicas: 1 }, settings: {} } }",
        )
        .file(
            "components/guestbook.jsonnet",
            "local env = std.extVar('__ksonnet/environments');\nlocal params = std.extVar('__ksonnet/params').components.guestbook;\nlocal names = import 'shop/names.libsonnet';\n{ apiVersion: 'v1', kind: 'Service', metadata: { name: params.name + names.suffix, annotations: { server: env.server } }, spec: { replicas: params.replicas, team: params.team, owner: params.owner } }\n",
        )
        .file("components/settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: red, open: yes}\n")
        .file("components/extra/params.libsonnet", "{ components: { list: { names: ['a', 'b'] } } }")
        .file(
            "components/extra/list.jsonnet",
            "local params = std.extVar('__ksonnet/params').components.list;\n[{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name } } for name in params.names]\n",
        )
        .commit("guestbook")
}

fn rendered(git: &TestRepo, ksonnet: Value) -> Vec<Value> {
    let application = git.application("shop").source_field("ksonnet", ksonnet);
    let mut list = trueup(["render", "-o", "json"]).of(&application).exits(0).json();
    serde_json::from_value(list["items"].take()).expect("a list of objects")
}

/// An environment's components, with parameters from the module, the environment and the Application, in that order.
#[test]
fn an_environment_is_rendered_with_its_parameters() {
    let parameters = json!([
        {"component": "guestbook", "name": "replicas", "value": "3"},
        {"component": "guestbook", "name": "name", "value": "front"},
        {"component": "settings", "name": "data.size", "value": "large"},
    ]);

    let objects = rendered(&guestbook(), json!({"environment": "default", "parameters": parameters}));

    assert_eq!(
        objects,
        [
            json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": "front-ui", "namespace": "default", "annotations": {"server": "https://shop.example.com"}},
                "spec": {"replicas": 3, "team": "front", "owner": "shop", "ports": [{"port": 80}]},
            }),
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "default"},
                // A manifest is patched with all of its parameters, those that it has no field for among them.
                "data": {"colour": "green", "open": true, "size": "large"}, "team": "front", "owner": "shop",
            }),
        ]
    );
}

/// An environment with targets renders those modules alone; a list of objects is one component.
#[test]
fn targets_of_an_environment_are_its_modules() {
    let objects = rendered(&guestbook(), json!({"environment": "staging"}));
    let names: Vec<_> = objects.iter().map(|object| object["metadata"]["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["a", "b"]);
}

/// The folder alone says that it is ksonnet's; which environment is meant, only the Application can.
#[test]
fn an_application_that_names_no_environment_is_told_which_there_are() {
    let git = guestbook();
    insta::assert_snapshot!(trueup(["render", "-q"]).of(&git.application("shop")).exits(2), @r"
    --- stderr
      × shop: the source names no environment of `app.yaml`
      help: set `source.ksonnet.environment` to one of: default, staging
    [exit 2]
    ");
    let other = git.application("shop").source_field("ksonnet", json!({"environment": "prod"}));
    let outcome = trueup(["render", "-q"]).of(&other).exits(2);
    assert!(outcome.stderr.contains("`app.yaml` has no environment `prod`"), "{}", outcome.transcript());
}

/// `ks` dropped them in silence: whoever added one has to know why it never came.
#[test]
fn documents_that_ksonnet_does_not_read_are_told() {
    let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n";
    let git = guestbook().file("components/settings.yaml", settings).commit("more settings");
    let application = git.application("shop").source_field("ksonnet", json!({"environment": "default"}));

    let outcome = trueup(["render", "-q", "-o", "json"]).of(&application).exits(0);

    let told = "`components/settings.yaml` holds 2 documents, of which ksonnet reads the first alone";
    assert!(outcome.stderr.contains(told), "{}", outcome.transcript());
    assert_eq!(outcome.json()["items"].as_array().map(Vec::len), Some(2));
}
