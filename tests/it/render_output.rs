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
