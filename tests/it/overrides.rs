//! Files in a source's folder that change the source.

use serde_json::json;

use crate::harness::{TestRepo, config_map, trueup};

fn names(outcome: &crate::harness::Outcome) -> Vec<String> {
    let list = outcome.json();
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
}

/// An image updater writes `.argocd-source-<application>.yaml`: it counts over the general file, and over the manifest.
#[test]
fn a_file_in_the_folder_changes_the_source() {
    let git = TestRepo::new()
        .file("a.yaml", config_map("a"))
        .file("b.yaml", config_map("b"))
        .file("c.yaml", config_map("c"))
        .file(".argocd-source.yaml", "directory:\n  exclude: 'b*'\n")
        .file(".argocd-source-shop.yaml", "directory:\n  exclude: 'c*'\npath: /etc\n")
        .commit("overrides");
    let options = json!({"exclude": "a*"});
    let shop = git.application("shop").source_field("directory", options.clone());
    let other = git.application("other").source_field("directory", options);

    let outcome = trueup(["render", "-o", "json"]).of(&shop).exits(0);
    assert_eq!(names(&outcome), ["a", "b"]);
    assert!(outcome.stderr.contains("`path` cannot be overridden"), "{}", outcome.transcript());
    assert_eq!(names(&trueup(["render", "-o", "json"]).of(&other).exits(0)), ["a", "c"]);
}

/// A typo in it is an error with its line, as it would be in the Application.
#[test]
fn a_wrong_file_is_reported_with_its_line() {
    let git = TestRepo::new()
        .file("a.yaml", config_map("a"))
        .file(".argocd-source.yaml", "directory:\n  recurse: 'yes'\n")
        .commit("overrides");

    insta::assert_snapshot!(trueup(["render", "-q"]).of(&git.application("shop")).exits(2), @r"
    --- stderr
      × shop: .argocd-source.yaml: `spec.source.directory.recurse` is text, not `true` or `false`
       ╭─[.argocd-source.yaml:2:12]
     1 │ directory:
     2 │   recurse: 'yes'
       ·            ──┬──
       ·              ╰── should be `true` or `false`
       ╰────
      help: `kubectl apply` would refuse it too
    [exit 2]
    ");
}
