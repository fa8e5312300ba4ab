//! What one team writes stops no other: jq expressions, deep objects.

use serde_json::{Value, json};

use crate::harness::{TestCluster, TestRepo, config_map, folder_with, or_skip, trueup};

/// An expression that overflows the stack, eats the memory or never ends: its own application says so, all are compared.
#[test]
fn no_jq_expression_ends_the_run() {
    let git = TestRepo::new().file("a.yaml", config_map("web")).commit("a map");
    let live = folder_with([("a.yaml", &config_map("web").to_string().replace("web", "web\n  labels: {a: b}"))]);
    let parentheses = format!("{}.data{}", "(".repeat(1000), ")".repeat(1000));
    for (expression, may_be_fine) in [
        (parentheses.as_str(), true),
        (&format!("{}.data{}", "(".repeat(4000), ")".repeat(4000)), true),
        (&format!("{}.data", "-".repeat(8000)), true),
        ("def f: [f]; f", false),
        ("def f: 1 + f; f", false),
        ("last(limit(10000000; recurse([.])))", false),
        ("reduce range(3000000) as $i (.; [.])", false),
        ("[range(1e12)]", false),
    ] {
        let rule = json!([{"group": "*", "kind": "*", "jqPathExpressions": [expression]}]);
        let one = git.application("one").spec_field("ignoreDifferences", rule);
        let two = git.application("two");
        let run = trueup(["diff", "-o", "json"]).of(&one).argument(two.manifest()).live(live.path());
        let outcome = run.outcome();
        let report: Value = outcome.json();
        let shown: String = expression.chars().take(40).collect();
        let of = |name: &str| {
            let applications = report["applications"].as_array().expect("applications");
            applications.iter().find(|application| application["name"] == name).expect("it is there").clone()
        };
        assert!(matches!(outcome.code, Some(0 | 1)), "{shown}: {}", outcome.transcript());
        for name in ["one", "two"] {
            assert_ne!(of(name)["sync"], "Unknown", "{shown}: {}", outcome.transcript());
        }
        let told = of("one")["conditions"].to_string().contains("IgnoreRuleWarning");
        assert!(may_be_fine || told, "{shown}: {}", outcome.transcript());
    }
}

/// A custom resource that nests 150 levels deep, as a schema without fields lets anybody store one: it is compared, and so
/// are the objects of its kind beside it.
#[test]
fn an_object_that_nests_deep_leaves_its_kind_readable() {
    let cluster = or_skip!(TestCluster::alone());
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "nests.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Nest", "plural": "nests"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]},
    });
    cluster.apply(&definition);
    cluster.kubectl(["wait", "--for=condition=Established", "crd/nests.example.com"]);
    let nest = |name: &str, value: &str, depth: usize| {
        let deep = format!("{}\"{value}\"{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        format!(
            "{{\"apiVersion\": \"example.com/v1\", \"kind\": \"Nest\", \"metadata\": {{\"name\": \"{name}\"}}, \"spec\": {deep}}}"
        )
    };
    cluster.apply(nest("shallow", "x", 2));
    cluster.apply(nest("deep", "x", 150));
    let git = TestRepo::new()
        .file("shallow.json", nest("shallow", "x", 2))
        .file("deep.json", nest("deep", "y", 150))
        .commit("nests");
    let shop = git.application("shop").deployed_to(&cluster);

    let outcome = trueup(["diff", "-o", "json"]).of(&shop).exits(1);

    let report = outcome.json();
    let state = |name: &str| {
        let resources = report["applications"][0]["resources"].as_array().expect("resources");
        resources.iter().find(|resource| resource["name"] == name).expect("it is there")["state"].clone()
    };
    assert_eq!((state("shallow"), state("deep")), (json!("inSync"), json!("changed")), "{}", outcome.transcript());
}
