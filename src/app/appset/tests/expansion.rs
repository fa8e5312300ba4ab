//! Whole files: what stops an ApplicationSet, what is explained, which limits there are.

use super::*;

fn list(elements: Value) -> Value {
    json!({ "list": { "elements": elements } })
}

fn application_set(name: &str, generators: Value, application: &str) -> String {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": { "name": name, "namespace": "argocd" },
        "spec": {
            "goTemplate": true, "goTemplateOptions": ["missingkey=error"], "generators": generators,
            "template": { "metadata": { "name": application }, "spec": { "project": "default" } }
        }
    })
    .to_string()
}

/// The names that files give, and the messages.
fn expanded(inputs: &[ManifestText]) -> (Vec<String>, Vec<String>) {
    match expand_manifests(inputs, &Facts::default()) {
        ManifestExpansion::Done(found, _, findings) => (
            found.iter().map(|found| found.identity().1).collect(),
            findings.into_iter().map(|finding| finding.message).collect(),
        ),
        ManifestExpansion::Needs(needs) => panic!("{needs:?}"),
    }
}

#[test]
fn a_set_that_fails_stops_no_other() {
    let good = application_set("good", json!([list(json!([{ "name": "a" }]))]), "{{ .name }}");
    let bad = application_set("bad", json!([list(json!([{ "name": "b" }, { "nmae": "c" }]))]), "{{ .name }}");
    let plain = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: plain}\n";
    let (names, messages) = expanded(&[file(&bad), file(plain), file(&good)]);
    assert_eq!(names, ["plain", "a"]);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].starts_with("bad: ") && messages[0].contains("parameter set 2"), "{messages:?}");
}

/// Two sets that generate one name, or one that an Application has: nobody knows which is meant.
#[test]
fn names_that_collide_across_sets_are_left_out() {
    let one = application_set("one", json!([list(json!([{ "n": "a" }, { "n": "x" }]))]), "{{ .n }}");
    let two = application_set("two", json!([list(json!([{ "n": "b" }, { "n": "x" }, { "n": "plain" }]))]), "{{ .n }}");
    let plain = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: plain, namespace: argocd}\n";
    let (names, messages) = expanded(&[file(&one), file(&two), file(plain)]);
    assert_eq!(names, ["plain", "a", "b"]);
    assert_eq!(messages, ["one: 2 Applications are named `x`", "two: 2 Applications are named `plain`"]);
}

/// Helm renders it first: what stands there is no manifest yet.
#[test]
fn templates_of_charts_are_not_manifests() {
    let in_folder =
        |name: &str, text: &str| ManifestText { name: name.to_owned(), given: Given::InFolder, ..file(text) };
    let set = application_set("one", json!([list(json!([{ "n": "a" }]))]), "{{ .n }}");
    let chart = in_folder("chart/Chart.yaml", "name: x\nversion: 1.0.0\n");
    let (names, messages) =
        expanded(&[chart, in_folder("chart/templates/set.yaml", &set), in_folder("other/set.yaml", &set)]);
    assert_eq!((names, messages), (vec!["a".to_owned()], Vec::new()));
}

/// A text of `values` sees the first generator's parameters, and waits for its own where it needs them.
/// Rule: Argo CD `RenderGeneratorParams`; documentation, "Plugin Generator", with matrix.
#[test]
fn values_of_a_second_generator_see_the_first() {
    let generators = json!([{ "matrix": { "generators": [
        list(json!([{ "branch": "one" }])),
        { "clusters": { "selector": { "matchLabels": { "env": "dev" } },
                        "values": { "link": "tree-{{ .branch }}", "own": "{{ .name }}" } } }
    ] } }]);
    assert_eq!(names(true, generators.clone(), "{{ .values.link }}-{{ .values.own }}", &clusters()), ["tree-one-dev"]);
    // A text that needs both is rendered with its own alone, and fails: so it does in Argo CD.
    let both = json!([{ "matrix": { "generators": [
        list(json!([{ "branch": "one" }])),
        { "clusters": { "values": { "both": "{{ .branch }}-{{ .name }}" } } }
    ] } }]);
    let failed = names(true, both, "a", &clusters());
    assert!(failed[0].contains("map has no entry for key \"branch\""), "{failed:?}");
}

/// Rule: Argo CD `normalizeMapForFlatten`: labels are looked into.
#[test]
fn a_selector_sees_labels_with_go_templates() {
    let generators = json!([{ "clusters": {}, "selector": { "matchLabels": { "metadata.labels.env": "prod" } } }]);
    assert_eq!(names(true, generators, "{{ .nameNormalized }}", &clusters()), ["prod-1"]);
}

#[test]
fn a_fault_names_line_column_and_action() {
    let patch = "spec:\n  syncPolicy:\n    automated: {{ if .on }}{{ .aotu }}{{ end }}\n";
    let mut set = set(json!({
        "goTemplate": true, "goTemplateOptions": ["missingkey=error"],
        "generators": [list(json!([{ "name": "a", "on": true }]))],
        "template": { "metadata": { "name": "{{ .name }}" }, "spec": { "project": "default" } },
        "templatePatch": patch
    }));
    let (_, findings) = done(&set, &Facts::default());
    assert_eq!(
        findings,
        ["guestbook: `spec.templatePatch` cannot be rendered for `spec.generators[0].list, parameter set 1`: line 3, \
          column 31, at `{{ .aotu }}`: map has no entry for key \"aotu\""]
    );
    set.template_patch = Some("spec:\n  a: {{ if }}\n".to_owned());
    let (_, findings) = done(&set, &Facts::default());
    assert!(findings[0].contains("line 2, at `{{ if }}`: missing value for if"), "{findings:?}");
}

#[test]
fn explanations_name_generators_and_parameters() {
    let facts = Facts { is_explained: true, ..clusters() };
    let set = set(json!({
        "goTemplate": true,
        "generators": [{ "matrix": { "generators": [
            list(json!([{ "stage": "dev", "deep": { "x": "1" } }])),
            { "clusters": { "selector": { "matchLabels": { "env": "dev" } } } }
        ] } }],
        "template": {
            "metadata": { "name": "{{ .stage }}-{{ index .metadata.labels \"env\" }}", "labels": { "plain": "text" } },
            "spec": { "project": "default", "source": { "path": "{{ .deep.x | default \".stage\" }}" } }
        }
    }));
    let Expansion::Done(generated, _) = expand(&set, &facts) else { panic!("it has all") };
    let explanation = generated[0].explanation.as_ref().unwrap();
    let shown: Vec<String> = explanation
        .values
        .iter()
        .map(|value| {
            let parameters = value.parameters.iter();
            let parameters = parameters.map(|it| format!("{}={} of {}", it.name, it.value, it.generator));
            format!("{}: {}", value.field, parameters.collect::<Vec<_>>().join(", "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "metadata.name: metadata.labels.env=dev of generators[0].matrix.generators[1].clusters, \
             stage=dev of generators[0].matrix.generators[0].list",
            "spec.source.path: deep.x=1 of generators[0].matrix.generators[0].list",
        ]
    );
}

#[test]
fn nested_fields_that_are_unknown_are_warnings() {
    let manifest = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: x}\nspec:\n  generators:\n  - matrix:\n      \
                    generators:\n      - pullRequest: {github: {owner: a, repository: b}}\n      - list: {element: []}\n  \
                    template: {metadata: {name: a}, spec: {}}\n";
    let read = read(&[file(manifest)]);
    let messages: Vec<&str> = read.sets[0].findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains("`element`") || messages[1].contains("`element`"), "{messages:?}");
    assert!(messages.iter().any(|message| message.contains("`repository`")), "{messages:?}");
}

/// A template that never ends, a hundred hundreds elements, fifty megabytes of parameters.
#[test]
fn there_are_limits() {
    let endless = names(
        true,
        json!([list(json!([{ "n": "1" }]))]),
        "{{ range until 100000000 }}{{ . }}{{ end }}",
        &Facts::default(),
    );
    assert!(endless[0].contains("cannot be rendered") && endless.len() == 1, "{endless:?}");
    let many: Vec<Value> = (0..100_000).map(|number| json!({ "n": number.to_string() })).collect();
    let many = names(true, json!([list(json!(many))]), "a-{{ .n }}", &Facts::default());
    assert_eq!(
        many,
        [
            "! `spec.generators[0].list` has no parameters: it generates more than 50000 sets of parameters, which is the limit"
        ]
    );
    let hundreds: Vec<Value> = (0..300).map(|number| json!({ "n": number.to_string() })).collect();
    let product = json!([{ "matrix": { "generators": [list(json!(hundreds)), list(json!(hundreds))] } }]);
    let product = names(true, product, "a", &Facts::default());
    assert!(product[0].contains("more than 50000 sets"), "{product:?}");
    let large = json!([list(json!([{ "n": "x".repeat(50 << 20) }]))]);
    let large = names(true, large, "a", &Facts::default());
    assert_eq!(
        large,
        ["! `spec.generators[0].list` has no parameters: its parameters take 50 MiB, more than the limit of 32 MiB"]
    );
}
