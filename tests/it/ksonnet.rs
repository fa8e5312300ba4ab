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
                "metadata": {"name": "front-ui", "namespace": "default", "labels": {"ksonnet.io/component": "guestbook"}, "annotations": {"server": "https://shop.example.com"}},
                "spec": {"replicas": 3, "team": "front", "owner": "shop", "ports": [{"port": 80}]},
            }),
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "default", "labels": {"ksonnet.io/component": "settings"}},
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
    for object in objects {
        assert_eq!(object["metadata"]["labels"], json!({"ksonnet.io/component": "extra.list"}));
    }
}

/// The folder alone says that it is ksonnet's; which environment is meant, only the Application can.
#[test]
fn an_application_that_names_no_environment_reports_the_known_ones() {
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
fn documents_that_ksonnet_does_not_read_are_reported() {
    let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: more}\n";
    let git = guestbook().file("components/settings.yaml", settings).commit("more settings");
    let application = git.application("shop").source_field("ksonnet", json!({"environment": "default"}));

    let outcome = trueup(["render", "-q", "-o", "json"]).of(&application).exits(0);

    let told = "`components/settings.yaml` holds 2 documents, of which ksonnet reads the first alone";
    assert!(outcome.stderr.contains(told), "{}", outcome.transcript());
    assert_eq!(outcome.json()["items"].as_array().map(Vec::len), Some(2));
}

const WITH_LIBRARIES: &str = "apiVersion: 0.3.0
kind: ksonnet.io/app
name: shop
version: 0.0.1
registries:
  incubator: {protocol: github, uri: github.com/ksonnet/parts/tree/master/incubator}
libraries:
  incubator/redis: {name: redis, registry: incubator, version: 1.0.0}
  incubator/apache: {name: apache, registry: incubator, version: 40285d8}
  plain: {name: plain, registry: incubator}
environments:
  default: {destination: {server: 'https://shop.example.com', namespace: shop}, k8sVersion: v1.10.0, path: default}
  next:
    destination: {server: 'https://shop.example.com', namespace: shop}
    k8sVersion: v1.10.0
    path: default
    libraries:
      incubator/redis: {name: redis, registry: incubator, version: 2.0.0}
";

/// A component with this for its `data`, in an application with libraries.
fn shop(data: &str) -> TestRepo {
    let component = format!("{{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {{ name: 'a' }}, data: {data} }}\n");
    TestRepo::new()
        .file("app.yaml", WITH_LIBRARIES)
        .file("environments/base.libsonnet", "std.extVar('__ksonnet/components')\n")
        .file("environments/default/main.jsonnet", "import 'base.libsonnet'\n")
        .file("environments/default/params.libsonnet", "std.extVar('__ksonnet/params')\n")
        .file("components/params.libsonnet", "{ global: {}, components: {} }")
        .file("components/shop.jsonnet", component)
        .file("vendor/incubator/redis@1.0.0/redis.libsonnet", "{ version: 'one' } + import 'all.libsonnet'")
        .file("vendor/incubator/redis@1.0.0/all.libsonnet", "{ port: 6379 }")
        .file("vendor/incubator/redis@2.0.0/redis.libsonnet", "{ version: 'two', port: 6380 }")
        .file("vendor/incubator/apache/apache.libsonnet", "{ version: 'of an older ks' }")
        .file("vendor/incubator/plain/plain.libsonnet", "{ version: 'without one' }")
        .commit("a shop")
}

/// `ks pkg install` puts a library into a folder with its version; an environment may have another one.
#[test]
fn a_library_is_found_in_the_folder_of_its_version() {
    let git = shop(
        "{ redis: (import 'incubator/redis/redis.libsonnet'), apache: (import 'incubator/apache/apache.libsonnet').version, plain: (import 'incubator/plain/plain.libsonnet').version }",
    );

    let default = rendered(&git, json!({"environment": "default"}));
    let next = rendered(&git, json!({"environment": "next"}));

    assert_eq!(
        default[0]["data"],
        json!({"redis": {"version": "one", "port": 6379}, "apache": "of an older ks", "plain": "without one"})
    );
    assert_eq!(next[0]["data"]["redis"], json!({"version": "two", "port": 6380}));
}

/// What `ks` and kubecfg's library offer beside Jsonnet's own functions.
#[test]
fn native_functions_of_ksonnet_are_there() {
    let git = shop(
        "{ yaml: std.native('parseYaml')('a: 1\\n---\\nb: 2'), one: std.native('parseYaml')('a: 1'), json: std.native('parseJson')('{\"a\": [1]}'), \
           written: std.native('manifestJson')({ b: 1 }), asYaml: std.native('manifestYaml')({ b: 1 }), \
           fromJson: std.native('manifestJsonFromJson')(std.toString({ b: 1 }), 2), escaped: std.native('escapeStringRegex')('a.b'), \
           matches: std.native('regexMatch')('^v\\\\d+$', 'v12'), image: std.native('regexSubst')(':(.*)$', 'web:1.2', '@$1') }",
    );
    assert_eq!(
        rendered(&git, json!({"environment": "default"}))[0]["data"],
        json!({
            "yaml": [{"a": 1}, {"b": 2}], "one": [{"a": 1}], "json": {"a": [1]},
            "written": "{\n    \"b\": 1\n}\n", "asYaml": "b: 1\n", "fromJson": "{\n  \"b\": 1\n}\n", "escaped": "a\\.b",
            "matches": true, "image": "web@1.2",
        })
    );
}

/// The `.gitignore` that `ks init` writes keeps the generated library out of git: `ks` generates it again, trueup cannot.
#[test]
fn a_library_that_ks_generates_and_git_does_not_have_is_named() {
    let git = shop("(import 'k.libsonnet').core");
    let application = git.application("shop").source_field("ksonnet", json!({"environment": "default"}));
    insta::assert_snapshot!(trueup(["render", "-q"]).of(&application).exits(2), @r"
    --- stderr
      × shop: `environments/default/main.jsonnet`: no file `k.libsonnet` to import
       ╭─[components/shop.jsonnet:1:72]
     1 │ { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: (import 'k.libsonnet').core }
       ·                                                                        ──────────┬─────────
       ·                                                                                  ╰── here
       ╰────
      help: `ks` generates it into `lib/ksonnet-lib/v1.10.0`, which `ks init` keeps out of git: run
            `ks show` once and commit the folder
    [exit 2]
    ");
}
