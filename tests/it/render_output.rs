//! Where rendered manifests go, and whether they are the same the next time.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::harness::{TestRepo, config_map, folder_with, trueup};

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

/// The rendered-manifests pattern: a file an object, a folder an application, nothing stale; what broke keeps its files.
#[test]
fn a_folder_holds_what_is_rendered() {
    let output = folder_with([]);
    let git = TestRepo::new().file("a.yaml", config_map("a")).file("b.yaml", config_map("b")).commit("two");
    let shop = git.application("shop").destination(json!({"name": "prod", "namespace": "shop"}));
    let render = |code: i32| trueup(["render", "--output-dir"]).argument(output.path()).of(&shop).exits(code);

    let outcome = render(0);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("shop: 2 written, 0 unchanged, 0 removed"), "{}", outcome.transcript());
    assert_eq!(names(&output.path().join("shop")), [".trueup-files", "configmap_shop_a.yaml", "configmap_shop_b.yaml"]);

    let git = git.file("b.yaml", "kind: Secret\napiVersion: v1\nmetadata: {name: c}\n").commit("another");
    let outcome = render(0);
    assert!(outcome.stderr.contains("shop: 1 written, 1 unchanged, 1 removed"), "{}", outcome.transcript());
    let text = fs::read_to_string(output.path().join("shop/secret_shop_c.yaml")).expect("a file");
    assert_eq!(text, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: c\n  namespace: shop\n");

    let _git = git.file("b.yaml", "kind: Secret\napiVersion: v1\nmetadata: [\n").commit("broken");
    render(2);
    assert_eq!(names(&output.path().join("shop")), [".trueup-files", "configmap_shop_a.yaml", "secret_shop_c.yaml"]);
}

/// A renderer that makes up a value makes every diff noise and every sync a change: the field is named, its value is not.
#[test]
fn a_value_that_is_not_deterministic_is_named() {
    let manifest = json!({
        "kind": "ConfigManagementPlugin", "metadata": {"name": "dice"},
        "spec": {"generate": {"command": ["sh", "-c", "printf 'apiVersion: v1\\nkind: Secret\\nmetadata: {name: a}\\nstringData: {user: shop, password: x%s}\\n' \"$(od -An -N8 -tx1 /dev/urandom | tr -d ' ')\""]}},
    });
    let plugins = folder_with([("plugin.yaml", &manifest)]);
    let git = TestRepo::new().file("a.txt", "").commit("nothing");
    let shop = git.application("shop").source_field("plugin", json!({"name": "dice"}));
    let plugin = plugins.path().join("plugin.yaml");

    insta::assert_snapshot!(trueup(["render", "-q", "--check", "--output-dir", "out", "--plugin"]).argument(&plugin).of(&shop).exits(2), @r"
    --- stderr
      × shop: `Secret default/a` differs from one render to the next: `stringData.password`
      help: the render is not deterministic, so every sync would change it; set the value explicitly,
            or ignore the field
    [exit 2]
    ");

    let git = TestRepo::new().file("a.yaml", config_map("a")).commit("steady");
    // Rendered twice, it is one application still.
    let steady = trueup(["render", "--check"]).of(&git.application("shop")).exits(0);
    assert!(steady.stderr.contains("rendered 1 application\n"), "{}", steady.transcript());
}

/// A folder of manifests is committed or kept as an artifact: whoever can read the folder reads no Secret of it, and what is printed
/// unmasked is said.
#[test]
fn secrets_are_written_for_their_owner_alone_and_printed_with_a_note() {
    use std::os::unix::fs::PermissionsExt as _;
    let output = folder_with([]);
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n";
    let git = TestRepo::new().file("a.yaml", config_map("a")).file("s.yaml", secret).commit("a secret");
    let shop = git.application("shop").destination(json!({"name": "prod", "namespace": "shop"}));
    let file = |name: &str| output.path().join("shop").join(name);
    let mode = |name: &str| fs::metadata(file(name)).unwrap().permissions().mode() & 0o777;

    let render = || trueup(["render", "--output-dir"]).argument(output.path()).of(&shop).exits(0);
    render();
    assert_eq!((mode("configmap_shop_a.yaml") & 0o444, mode("secret_shop_s.yaml")), (0o444, 0o600));

    // As an earlier version, or git, has written it.
    fs::set_permissions(file("secret_shop_s.yaml"), fs::Permissions::from_mode(0o644)).unwrap();
    render();
    assert_eq!(mode("secret_shop_s.yaml"), 0o600);

    let printed = trueup(["render"]).of(&shop).exits(0);
    assert!(printed.stdout.contains("hunter2"));
    assert!(printed.stderr.contains("1 object with secrets is printed unmasked\n"), "{}", printed.transcript());
}

/// The rendered-manifests pattern without a cluster: what git no longer has is extra in the folder that an earlier commit was rendered to,
/// and a hook with only `generateName` is no reason to refuse the folder.
#[test]
fn a_folder_of_rendered_manifests_shows_what_git_no_longer_has() {
    let output = folder_with([]);
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: once-\n  annotations: {argocd.argoproj.io/hook: PreSync}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}\n";
    let git = TestRepo::new().file("a.yaml", config_map("a")).file("b.yaml", config_map("b")).file("job.yaml", job);
    let git = git.commit("two");
    let shop = git.application("shop").destination(json!({"name": "prod", "namespace": "shop"}));
    let other = git.application("other").destination(json!({"name": "prod", "namespace": "other"}));
    trueup(["render", "--output-dir"]).argument(output.path()).of(&shop).of(&other).exits(0);
    let diff = |code: i32| trueup(["diff", "-o=json"]).of(&shop).live(output.path()).exits(code).json();
    assert_eq!(diff(0)["summary"]["extra"], 0);

    let _git = git.remove("b.yaml").commit("one");
    assert_eq!(diff(1)["summary"]["extra"], 1);

    // A file that somebody has changed since is not tracked.
    fs::write(
        output.path().join("shop/configmap_shop_b.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: shop, labels: {a: b}}\n",
    )
    .unwrap();
    assert_eq!(diff(0)["summary"]["extra"], 0);
}
