//! Plugins: programs of a team's own that render, when the user lets them.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{TestRepo, config_map, folder_with, trueup};

/// Writes what it was given as a ConfigMap: its folder, its files, its whole environment.
const PLUGIN: &str = r#"apiVersion: argoproj.io/v1alpha1
kind: ConfigManagementPlugin
metadata: {name: environment}
spec:
  version: v1
  init:
    command: [sh, -c, "echo initialised > initialised.txt; echo not yaml: ["]
  generate:
    command: [sh, -c]
    args:
    - |
      echo 'apiVersion: v1'
      echo 'kind: ConfigMap'
      echo 'metadata: {name: seen}'
      echo 'data:'
      env | sort | sed -e "s/'/''/g" -e "s/^\([A-Za-z_0-9]*\)=\(.*\)/  \1: '\2'/"
      echo "  initialised: '$(cat initialised.txt)'"
      echo "  files: '$(ls | tr '\n' ' ')'"
"#;

/// `init` and `generate` run in a copy, with the build environment and the source's own values, and with nothing of ours.
#[test]
fn a_plugin_renders_in_a_copy_and_sees_only_what_it_is_given() {
    let plugins = folder_with([("plugin.yaml", &PLUGIN)]);
    let git = TestRepo::new().file("app/values.txt", "one").commit("values");
    let source = json!({
        "name": "environment-v1",
        "env": [{"name": "COLOUR", "value": "red-$ARGOCD_APP_NAME-$KUBE_VERSION"}],
        "parameters": [{"name": "image.tag", "string": "v1.2.3"}, {"name": "values-files", "array": ["a", "b"]}],
    });
    let shop = git.application("shop").path("app").source_field("plugin", source);

    let plugin = plugins.path().join("plugin.yaml");
    let run = trueup(["render", "-o", "json", "--kube-version", "1.35.2", "--plugin"]).argument(&plugin);
    let mut outcome =
        run.env("TRUEUP_GIT_TOKEN", "hidden").env("AWS_SECRET_ACCESS_KEY", "hidden").of(&shop).exits(0).json();

    let data = outcome["items"][0]["data"].take();
    let seen = |name: &str| data[name].as_str().unwrap_or("nothing").to_owned();
    assert_eq!(seen("ARGOCD_APP_NAME"), "shop");
    assert_eq!(seen("ARGOCD_APP_NAMESPACE"), "default");
    assert_eq!(seen("ARGOCD_APP_REVISION"), git.head());
    assert_eq!(seen("ARGOCD_APP_REVISION_SHORT"), git.head()[..7]);
    assert_eq!(seen("ARGOCD_APP_SOURCE_PATH"), "app");
    assert_eq!(seen("ARGOCD_ENV_COLOUR"), "red-shop-1.35.2");
    assert_eq!(seen("PARAM_IMAGE_TAG"), "v1.2.3");
    assert_eq!(seen("PARAM_VALUES_FILES_1"), "b");
    let parameters: Value = serde_json::from_str(&seen("ARGOCD_APP_PARAMETERS")).expect("JSON");
    assert_eq!(parameters[0], json!({"name": "image.tag", "string": "v1.2.3"}));
    assert!(seen("KUBE_API_VERSIONS").contains("apps/v1/Deployment"));
    assert_eq!(seen("initialised"), "initialised");
    assert_eq!(seen("files"), "initialised.txt values.txt ");
    assert!(!data.to_string().contains("hidden"), "a secret of ours reached the plugin: {data:#}");
    assert!(!git.path().join("app/initialised.txt").exists());
}

/// A plugin that fetches by itself (`provideGitCreds`) is let in where the source's repository is; another one is not.
#[test]
fn a_plugin_that_asks_for_it_gets_what_opens_the_repository() {
    let script = "user=$(printf 'protocol=https\nhost=git.example.com\n\n' | GIT_TERMINAL_PROMPT=0 git credential fill 2>/dev/null | sed -n s/^username=//p); printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {user: \"%s\"}\n' \"$user\"";
    let url = "https://git.example.com/shop.git";
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "shop", "labels": {"argocd.argoproj.io/secret-type": "repository"}},
        "stringData": {"url": url, "username": "ci", "password": "s3cret"},
    });
    let git = TestRepo::new().file("a.yaml", config_map("a")).commit("a folder");
    let shop = git.application("shop").source_field("repoURL", json!(url));
    let shop = shop.source_field("plugin", json!({"name": "fetching"}));
    for (asks, expected) in [(true, "ci"), (false, "")] {
        let plugin = json!({
            "kind": "ConfigManagementPlugin", "metadata": {"name": "fetching"},
            "spec": {"generate": {"command": ["sh", "-c", script]}, "provideGitCreds": asks},
        });
        let files = folder_with([("plugin.yaml", &plugin), ("secret.yaml", &secret)]);
        let run = trueup(["render", "-o", "json", "--plugin"]).argument(files.path().join("plugin.yaml"));
        let run = run.argument("--repositories").argument(files.path().join("secret.yaml"));
        let run = run.argument("--repo").argument(format!("{url}={}", git.path().display()));
        let list = run.of(&shop).exits(0).json();
        assert_eq!(list["items"][0]["data"]["user"], expected);
    }
}

/// A repository cannot make a program run: the user names the plugin, or nothing happens.
#[test]
fn without_the_flag_a_plugin_source_is_an_error_that_names_it() {
    let git = TestRepo::new().file("plugin.yaml", PLUGIN).commit("a plugin of its own");
    let shop = git.application("shop").source_field("plugin", json!({"name": "environment"}));

    insta::assert_snapshot!(trueup(["render", "-q"]).of(&shop).exits(2), @r"
    --- stderr
      × shop: plugin `environment` is not given
      help: name its `ConfigManagementPlugin` with `--plugin FILE`: its programs then run on this
            machine
    [exit 2]
    ");
}

/// A source that names no tool goes to the first plugin that knows its folder, before Helm and Kustomize are looked for.
#[test]
fn a_plugin_is_found_by_the_files_it_knows() {
    let plugin = |name: &str, discover: &str| {
        format!(
            "kind: ConfigManagementPlugin\nmetadata: {{name: {name}}}\nspec:\n  generate: {{command: [sh, -c, 'printf \"apiVersion: v1\\nkind: ConfigMap\\nmetadata: {{name: {name}}}\\n\"']}}\n  discover: {discover}\n"
        )
    };
    let plugins = folder_with([
        ("1.yaml", &plugin("by-name", "{fileName: 'cdk8s.y*ml'}")),
        ("2.yaml", &plugin("by-glob", "{find: {glob: '**/stack.ts'}}")),
        ("3.yaml", &plugin("by-command", "{find: {command: [sh, -c, 'ls *.cue 2>/dev/null']}}")),
    ]);
    let git = TestRepo::new()
        .file("name/cdk8s.yaml", "language: go")
        .file("name/kustomization.yaml", "resources: []")
        .file("glob/deep/down/stack.ts", "")
        .file("command/a.cue", "")
        .file("plain/a.yaml", config_map("plain"))
        .commit("folders");
    for (folder, expected) in [("name", "by-name"), ("glob", "by-glob"), ("command", "by-command"), ("plain", "plain")]
    {
        let run = ["1.yaml", "2.yaml", "3.yaml"].iter().fold(trueup(["render", "-o", "json"]), |run, file| {
            run.argument("--plugin").argument(plugins.path().join(file))
        });
        let list = run.of(&git.application("shop").path(folder)).exits(0).json();
        assert_eq!(list["items"][0]["metadata"]["name"], expected, "{folder}");
    }
}

/// A plugin of a colleague's machine, whose program is not on this one: the applications that are none of its own render as ever, as
/// in Argo CD, and the user hears of it. Who asks for the plugin by name is told why it does not come.
#[test]
fn a_plugin_that_cannot_tell_is_passed_over_with_a_warning() {
    let plugin = "kind: ConfigManagementPlugin\nmetadata: {name: cue}\nspec:\n  generate: {command: [cue]}\n  discover: {find: {command: [no-such-cue, find]}}\n";
    let plugins = folder_with([("cue.yaml", &plugin)]);
    let git = TestRepo::new().file("plain/a.yaml", config_map("plain")).commit("plain");
    let plain = git.application("plain").path("plain");
    let render = || trueup(["render", "-q", "-o", "json", "--plugin"]).argument(plugins.path().join("cue.yaml"));

    let outcome = render().of(&plain).exits(0);
    assert_eq!(outcome.json()["items"][0]["metadata"]["name"], "plain");
    insta::assert_snapshot!(outcome.stderr, @r"
      ⚠ plain: plugin `cue` could not discover
      ├─▶ program `no-such-cue` is not installed
      ╰─▶ No such file or directory (os error 2)
      help: the plugin is skipped; correct its `spec.discover`, or remove its `--plugin`
    ");

    for source in [json!({"name": "cue"}), json!({"env": [{"name": "A", "value": "b"}]})] {
        let outcome = render().of(&git.application("plain").path("plain").source_field("plugin", source)).exits(2);
        assert!(outcome.stderr.contains("`no-such-cue` is not installed"), "{}", outcome.transcript());
    }
}

/// A plugin is asked once in a comparison whether a folder is its own, also where what was rendered drifted.
#[test]
fn a_drifted_folder_is_compared_beside_a_plugin_that_asks_by_a_program() {
    let asked = folder_with([]);
    let asked = asked.path().join("asked");
    let script = format!("echo asked >>{}; ls *.cue 2>/dev/null", asked.display());
    let plugin = format!(
        "kind: ConfigManagementPlugin\nmetadata: {{name: cue}}\nspec:\n  generate: {{command: [cue]}}\n  discover: {{find: {{command: [sh, -c, '{script}']}}}}\n"
    );
    let plugins = folder_with([("cue.yaml", &plugin)]);
    let live = folder_with([("a.yaml", &config_map("plain").data("colour", "blue"))]);
    let git = TestRepo::new().file("plain/a.yaml", config_map("plain").data("colour", "red")).commit("plain");

    let run = trueup(["diff", "--plugin"]).argument(plugins.path().join("cue.yaml"));
    run.of(&git.application("plain").path("plain")).live(live.path()).exits(1);

    assert_eq!(fs::read_to_string(asked).expect("it was asked"), "asked\n");
}

/// What went wrong is told in the program's own words; a plugin that never ends is ended.
#[test]
fn a_plugin_that_fails_is_reported_in_its_own_words() {
    let cases = [
        ("echo 'no such chart' >&2; exit 3", "60", ["ended with exit code 3", "no such chart"]),
        ("echo 'kind: ConfigMap'", "60", ["line 1 of the output of plugin `broken` has no `apiVersion`", ""]),
        ("echo 'a: ['", "60", ["of the output of plugin `broken`", ""]),
        ("sleep 60", "1", ["plugin `broken` could not generate", "did not finish within 1s"]),
        ("yes", "60", ["plugin `broken` could not generate", "wrote more than"]),
    ];
    let git = TestRepo::new().file("a.yaml", config_map("a")).commit("a folder");
    let shop = git.application("shop").source_field("plugin", json!({"name": "broken"}));
    for (script, seconds, expected) in cases {
        let manifest = json!({
            "kind": "ConfigManagementPlugin", "metadata": {"name": "broken"},
            "spec": {"generate": {"command": ["sh", "-c", script]}},
        });
        let plugins = folder_with([("plugin.yaml", &manifest)]);
        let plugin = plugins.path().join("plugin.yaml");
        let outcome =
            trueup(["render", "-q", "--render-timeout", seconds, "--plugin"]).argument(&plugin).of(&shop).exits(2);
        // Long lines are wrapped.
        let told = outcome.stderr.replace("\n  │ ", " ");
        for words in expected {
            assert!(told.contains(words), "{script}\n{}", outcome.transcript());
        }
    }
}
