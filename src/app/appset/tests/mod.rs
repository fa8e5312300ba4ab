//! Expansion, rule by rule. Expected values: Argo CD's documentation and its own tests (applicationset/generators,
//! applicationset/utils, applicationset/controllers/template).

#![expect(clippy::needless_pass_by_value, reason = "`json!` makes values, and cases read better without references")]

mod documentation;
mod expansion;
mod services;
mod set_policy;

use serde_json::{Value, json};

use super::*;
use crate::app::{Given, ManifestText};

fn file(text: &str) -> ManifestText {
    ManifestText {
        name: "set.yaml".to_owned(),
        bytes: text.as_bytes().to_vec(),
        folder: ".".into(),
        given: Given::ByName,
    }
}

/// An ApplicationSet of this `spec`.
fn set(spec: Value) -> ApplicationSet {
    let manifest = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "metadata": { "name": "guestbook", "namespace": "argocd" }, "spec": spec
    });
    let mut read = read(&[file(&manifest.to_string())]);
    assert!(read.findings.is_empty(), "{:?}", read.findings);
    read.sets.pop().unwrap()
}

fn done(set: &ApplicationSet, facts: &Facts) -> (Vec<Value>, Vec<String>) {
    match expand(set, facts) {
        Expansion::Done(generated, findings) => (
            generated.into_iter().map(|generated| generated.manifest).collect(),
            findings.into_iter().map(|finding| finding.message).collect(),
        ),
        Expansion::Needs(needs) => panic!("it needs {needs:?}"),
    }
}

/// The names that the generators give, with a template of one text.
fn names(go: bool, generators: Value, name: &str, facts: &Facts) -> Vec<String> {
    let set = set(json!({
        "goTemplate": go, "goTemplateOptions": if go { json!(["missingkey=error"]) } else { json!([]) },
        "generators": generators,
        "template": { "metadata": { "name": name }, "spec": { "project": "default" } }
    }));
    let (applications, findings) = done(&set, facts);
    let names = applications.iter().map(|application| application["metadata"]["name"].as_str().unwrap().to_owned());
    names.chain(findings.into_iter().map(|message| format!("! {}", message.replace("guestbook: ", "")))).collect()
}

fn cluster(name: &str, env: &str) -> ClusterSecret {
    ClusterSecret {
        name: name.to_owned(),
        server: format!("https://{}.example.com", name.to_lowercase()),
        labels: BTreeMap::from([("env".to_owned(), env.to_owned())]),
        ..ClusterSecret::default()
    }
}

fn clusters() -> Facts {
    Facts { clusters: Some(vec![cluster("Prod_1", "prod"), cluster("dev", "dev")]), ..Facts::default() }
}

/// A repository whose files have these contents.
fn repository(files: &[(&str, &str)]) -> Facts {
    let revision = GitRevision {
        url: "https://git.example.com/apps".to_owned(),
        folder: crate::app::manifest_folder::ManifestFolder::default(),
        revision: "HEAD".to_owned(),
        project: "default".to_owned(),
    };
    let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
    let contents = files.iter();
    Facts {
        trees: BTreeMap::from([(revision.clone(), Ok(paths))]),
        files: contents
            .map(|(path, text)| ((revision.clone(), (*path).to_owned()), Ok(text.as_bytes().to_vec())))
            .collect(),
        ..Facts::default()
    }
}

fn git(options: Value) -> Value {
    let mut generator = json!({ "repoURL": "https://git.example.com/apps", "revision": "HEAD" });
    generator.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    json!([{ "git": generator }])
}

#[test]
fn a_whole_application_is_generated_from_a_list() {
    let set = set(json!({
        "generators": [{ "list": { "elements": [{ "cluster": "dev", "url": "https://1.2.3.4" }] } }],
        "template": {
            "metadata": { "name": "{{cluster}}-guestbook", "labels": { "{{cluster}}": "yes" }, "namespace": "ignored" },
            "spec": {
                "project": "default",
                "source": { "repoURL": "https://git.example.com/apps", "path": "guestbook/{{ cluster }}/{{unknown}}" },
                "destination": { "server": "{{url}}", "namespace": "guestbook" },
                "syncPolicy": { "automated": { "prune": true }, "retry": null }
            }
        }
    }));
    let (applications, findings) = done(&set, &Facts::default());
    assert_eq!(findings, Vec::<String>::new());
    assert_eq!(
        applications,
        [json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {
                "name": "dev-guestbook", "namespace": "argocd", "labels": { "dev": "yes" },
                "finalizers": ["resources-finalizer.argocd.argoproj.io"]
            },
            "spec": {
                "project": "default",
                "source": { "repoURL": "https://git.example.com/apps", "path": "guestbook/dev/{{unknown}}" },
                "destination": { "server": "https://1.2.3.4", "namespace": "guestbook" },
                "syncPolicy": { "automated": { "prune": true } }
            }
        })]
    );
}

#[test]
fn list_parameters_follow_the_language() {
    let cases = [
        (true, json!([{ "list": { "elements": [{ "n": 1_234_567_890 }] } }]), "a-{{ int64 .n }}", "a-1234567890"),
        (
            true,
            json!([{ "list": { "elements": [{ "n": 3 }] } }]),
            "{{ if eq .n 3 }}a{{ end }}",
            "! `spec.template.metadata.name` cannot be rendered for `spec.generators[0].list, parameter set 1`: \
             line 1, column 7, at `{{ if eq .n 3 }}`: error calling eq: incompatible types for comparison: float64 and int",
        ),
        (true, json!([{ "list": { "elements": [{ "a": { "b": "c" } }] } }]), "{{ .a.b }}", "c"),
        (true, json!([{ "list": { "elementsYaml": "[{name: x}]" } }]), "{{ .name }}", "x"),
        (false, json!([{ "list": { "elements": [{ "values": { "a": "b" } }] } }]), "{{values.a}}", "b"),
        (
            false,
            json!([{ "list": { "elements": [{ "n": 1 }] } }]),
            "{{n}}",
            "! `spec.generators[0].list` has no parameters: error parsing value as string: `n`",
        ),
    ];
    for (go, generators, name, expected) in cases {
        assert_eq!(names(go, generators.clone(), name, &Facts::default()), [expected], "{generators}");
    }
}

#[test]
fn clusters_come_from_secrets_and_the_local_one_without_a_selector() {
    let cases = [
        (false, json!([{ "clusters": {} }]), "{{nameNormalized}}", vec!["in-cluster", "prod-1", "dev"]),
        (
            false,
            json!([{ "clusters": { "selector": { "matchLabels": { "env": "prod" } } } }]),
            "{{nameNormalized}}-{{metadata.labels.env}}",
            vec!["prod-1-prod"],
        ),
        (
            true,
            json!([{ "clusters": {
                "selector": { "matchExpressions": [{ "key": "env", "operator": "NotIn", "values": ["prod"] }] },
                "values": { "v": "{{ .metadata.labels.env }}-x" }
            } }]),
            "{{ .name }}-{{ .values.v }}",
            vec!["dev-dev-x"],
        ),
        (
            true,
            json!([{ "clusters": { "flatList": true, "selector": { "matchLabels": { "env": "dev" } } } }]),
            "{{ (index .clusters 0).name }}-{{ len .clusters }}",
            vec!["dev-1"],
        ),
    ];
    for (go, generators, name, expected) in cases {
        assert_eq!(names(go, generators.clone(), name, &clusters()), expected, "{generators}");
    }
    let selector = json!({ "matchExpressions": [{ "key": "env", "operator": "Gt", "values": ["1"] }] });
    let generators = json!([{ "clusters": { "selector": selector } }]);
    assert_eq!(
        names(true, generators.clone(), "a", &clusters()),
        ["! `spec.generators[0].clusters` has no parameters: \"Gt\" is not a valid label selector operator"]
    );
    let unknown = names(true, generators, "a", &Facts::default());
    assert!(unknown[0].contains("the clusters are not known"), "{unknown:?}");
}

/// `dig` through labels fails in Argo CD, too: they are no map of any values.
#[test]
fn labels_are_a_typed_map() {
    let generators = json!([{ "clusters": { "selector": { "matchLabels": { "env": "dev" } } } }]);
    let names = names(true, generators, "{{ dig \"labels\" \"env\" \"x\" .metadata }}", &clusters());
    assert!(names[0].contains("interface {} is map[string]string, not map[string]interface {}"), "{names:?}");
}

#[test]
fn git_directories_are_matched_one_by_one() {
    let facts = repository(&[
        ("apps/a/x.yaml", ""),
        ("apps/b_B/y.yaml", ""),
        ("apps/b_B/deep/z.yaml", ""),
        ("apps/.hidden/x.yaml", ""),
        ("apps/old/x.yaml", ""),
        ("README.md", ""),
    ]);
    let directories = json!({ "directories": [{ "path": "apps/*" }, { "path": "apps/old", "exclude": true }] });
    assert_eq!(
        names(false, git(directories.clone()), "{{path.basenameNormalized}}-{{path[0]}}", &facts),
        ["a-apps", "b-b-apps"]
    );
    assert_eq!(names(true, git(directories), "{{ index .path.segments 1 | lower | normalize }}", &facts), ["a", "b-b"]);
    let prefixed = json!({
        "directories": [{ "path": "apps/a" }], "pathParamPrefix": "p", "values": { "v": "{{ .p.path.basename }}" }
    });
    assert_eq!(names(true, git(prefixed), "{{ .p.path.basename }}-{{ .values.v }}", &facts), ["a-a"]);
}

#[test]
fn git_files_hold_maps_and_lists_of_maps() {
    let facts = repository(&[
        ("c/one/config.json", r#"{"name": "one", "deep": {"list": [1, "x"]}, "big": 1000000}"#),
        ("c/two/config.yaml", "- {name: two}\n- {name: three}\n"),
        ("c/empty/config.yaml", ""),
        ("c/config.txt", "name: top"),
    ]);
    let files = |pattern: &str| git(json!({ "files": [{ "path": pattern }] }));
    assert_eq!(
        names(true, files("c/*/config.yaml"), "{{ .path.basename }}-{{ dig \"name\" \"x\" . }}", &facts),
        ["empty-x", "two-two", "two-three"]
    );
    assert_eq!(
        names(
            false,
            files("c/one/*.json"),
            "{{name}}-{{deep.list.0}}-{{deep.list.1}}-{{path.filenameNormalized}}",
            &facts
        ),
        ["one-1-x-config.json"]
    );
    // The old globbing lets `*` cross `/`.
    assert_eq!(names(true, files("c/*.txt"), "{{ .name }}", &facts), ["top"]);
    assert_eq!(names(true, files("*.json"), "{{ .name }}", &facts), ["one"]);
    let new = Facts { new_git_file_globbing: true, ..facts };
    assert_eq!(names(true, files("*.json"), "{{ .name }}", &new), Vec::<String>::new());
    assert_eq!(names(true, files("**/*.json"), "{{ .name }}", &new), ["one"]);
}

/// What is not known leaves as a need, and is asked for once.
#[test]
fn a_git_generator_asks_for_the_tree_and_then_for_the_files() {
    let set = set(json!({
        "goTemplate": true, "generators": git(json!({ "files": [{ "path": "a.yaml" }] })),
        "template": { "metadata": { "name": "{{ .x }}" }, "spec": { "project": "default" } }
    }));
    let Expansion::Needs(needs) = expand(&set, &Facts::default()) else { panic!("it knows the tree") };
    let [Need::Tree(revision)] = &needs[..] else { panic!("{needs:?}") };
    let mut facts = Facts::default();
    facts.trees.insert(revision.clone(), Ok(vec!["a.yaml".to_owned(), "b.yaml".to_owned()]));
    assert_eq!(expand(&set, &facts), Expansion::Needs(vec![Need::File(revision.clone(), "a.yaml".to_owned())]));
    facts.files.insert((revision.clone(), "a.yaml".to_owned()), Err("forbidden".to_owned()));
    let (applications, findings) = done(&set, &facts);
    assert!(applications.is_empty() && findings[0].ends_with("`a.yaml`: forbidden"), "{findings:?}");
}

#[test]
fn a_matrix_crosses_two_generators_and_the_second_sees_the_first() {
    let list = |elements: Value| json!({ "list": { "elements": elements } });
    let two = json!([{ "matrix": { "generators": [
        list(json!([{ "a": "1" }, { "a": "2" }])), list(json!([{ "b": "x" }, { "b": "y-{{a}}" }]))
    ] } }]);
    assert_eq!(names(false, two, "{{a}}-{{b}}", &Facts::default()), ["1-x", "1-y-1", "2-x", "2-y-2"]);
    let conflict = json!([{ "matrix": { "generators": [
        list(json!([{ "a": "1" }])), list(json!([{ "a": "2" }]))
    ] } }]);
    assert_eq!(
        names(false, conflict.clone(), "{{a}}", &Facts::default()),
        ["! `spec.generators[0].matrix` has no parameters: found duplicate key a with different value, a: 1 ,b: 2"]
    );
    assert_eq!(names(true, conflict, "{{ .a }}", &Facts::default()), ["1"]);
    // An empty value is one: the documentation's `debugEnabled: false`.
    let deep = json!([{ "matrix": { "generators": [
        list(json!([{ "a": "", "n": 0, "off": false, "m": { "x": "", "y": null }, "l": [] }])),
        list(json!([{ "a": "2", "n": 2, "off": true, "m": { "x": "2", "y": 2, "z": "2" }, "l": [2] }]))
    ] } }]);
    assert_eq!(
        names(
            true,
            deep,
            "a{{ .a }}{{ .n }}-{{ .off }}-{{ .m.x }}{{ empty .m.y }}-{{ .m.z }}-{{ len .l }}",
            &Facts::default()
        ),
        ["a0-false-true-2-0"]
    );
    let three = json!([{ "matrix": { "generators": [list(json!([])), list(json!([])), list(json!([]))] } }]);
    assert!(names(true, three, "a", &Facts::default())[0].contains("a matrix has two generators, this one has 3"));
    let yaml = json!([{ "matrix": { "generators": [
        list(json!([{ "ports": [1, 2] }])), { "list": { "elementsYaml": "{{ .ports | toJson }}" } }
    ] } }]);
    assert!(names(true, yaml, "a", &Facts::default())[0].contains("`elementsYaml` holds what is not a map"));
}

#[test]
fn a_merge_overrides_by_key() {
    let generators = json!([{ "merge": { "mergeKeys": ["name"], "generators": [
        { "clusters": { "values": { "size": "small" } } },
        { "clusters": { "selector": { "matchLabels": { "env": "prod" } }, "values": { "size": "big" } } }
    ] } }]);
    assert_eq!(
        names(false, generators.clone(), "{{nameNormalized}}-{{values.size}}", &clusters()),
        ["in-cluster-small", "prod-1-big", "dev-small"]
    );
    assert_eq!(
        names(true, generators, "{{ .nameNormalized }}-{{ .values.size }}", &clusters()),
        ["in-cluster-small", "prod-1-big", "dev-small"]
    );
    let list = |elements: Value| json!({ "list": { "elements": elements } });
    let twice = json!([{ "merge": { "mergeKeys": ["name"], "generators": [
        list(json!([{ "name": "a" }, { "name": "a" }])), list(json!([{ "name": "b" }]))
    ] } }]);
    let twice = names(true, twice, "{{ .name }}", &Facts::default());
    assert!(twice[0].contains("were not unique by the given mergeKeys"), "{twice:?}");
    // Argo CD crashes here.
    let clash = json!([{ "merge": { "mergeKeys": ["name"], "generators": [
        { "clusters": { "values": { "size": "small" } } },
        { "list": { "elements": [{ "name": "dev", "values": { "size": "big" } }] } }
    ] } }]);
    let clash = names(true, clash, "{{ .name }}", &clusters());
    assert!(clash[0].contains("`values` is a map of string in one generator"), "{clash:?}");
    // But not the other way round, nor in a matrix that overrides any values with texts.
    let dev = json!({ "clusters": { "selector": { "matchLabels": { "env": "dev" } }, "values": { "size": "big" } } });
    let any = list(json!([{ "name": "dev", "values": { "size": "small", "n": 1 } }]));
    let merge = json!([{ "merge": { "mergeKeys": ["name"], "generators": [any, dev] } }]);
    assert_eq!(names(true, merge, "{{ .values.size }}-{{ .values.n }}", &clusters()), ["big-1"]);
    let matrix = json!([{ "matrix": { "generators": [dev, any] } }]);
    assert_eq!(names(true, matrix, "{{ .values.size }}-{{ .values.n }}", &clusters()), ["big-1"]);
    let matrix = names(true, json!([{ "matrix": { "generators": [any, dev] } }]), "a", &clusters());
    assert!(matrix[0].contains("`values` is a map of string in one generator"), "{matrix:?}");
}

#[test]
fn a_selector_filters_parameters_by_their_flat_names() {
    let generators = json!([{
        "list": { "elements": [{ "a": { "b": "x" }, "n": "1" }, { "a": { "b": "y" }, "n": "2" }] },
        "selector": { "matchExpressions": [{ "key": "a.b", "operator": "In", "values": ["y"] }] }
    }]);
    assert_eq!(names(true, generators, "app-{{ .n }}", &Facts::default()), ["app-2"]);
}

/// The template of a generator counts, and the ApplicationSet's fills in what it leaves out.
#[test]
fn a_generators_own_template_comes_first() {
    let set = set(json!({
        "generators": [{ "list": {
            "elements": [{ "name": "a" }],
            "template": { "metadata": {}, "spec": { "project": "", "source": { "path": "own" } } }
        } }],
        "template": {
            "metadata": { "name": "{{name}}" },
            "spec": { "project": "default", "source": { "path": "base", "repoURL": "https://git.example.com/apps" } }
        }
    }));
    let (applications, _) = done(&set, &Facts::default());
    assert_eq!(
        applications[0]["spec"],
        json!({ "project": "default", "source": { "path": "own", "repoURL": "https://git.example.com/apps" } })
    );
}

/// An empty element renders nothing and gets no finalizer: Argo CD takes the template as it is.
#[test]
fn an_empty_element_leaves_the_template_as_it_is() {
    let set = set(json!({
        "generators": [{ "list": { "elements": [{}] } }],
        "template": { "metadata": { "name": "fixed" }, "spec": { "project": "{{x}}" } }
    }));
    let (applications, _) = done(&set, &Facts::default());
    assert_eq!(applications[0]["spec"]["project"], "{{x}}");
    assert_eq!(applications[0]["metadata"], json!({ "name": "fixed", "namespace": "argocd" }));
}

#[test]
fn template_patches_merge_strategically() {
    let patched = |patch: &str| {
        let set = set(json!({
            "goTemplate": true,
            "generators": [{ "list": { "elements": [{ "name": "a", "prune": true }] } }],
            "template": {
                "metadata": { "name": "{{ .name }}", "finalizers": ["own"], "annotations": { "x": "1", "y": "2" } },
                "spec": { "project": "default", "source": { "helm": {
                    "valueFiles": ["one"], "valuesObject": { "a": { "b": 1 }, "c": 1 }
                } } }
            },
            "templatePatch": patch
        }));
        done(&set, &Facts::default())
    };
    let value = |patch: &str, pointer: &str| {
        let (applications, findings) = patched(patch);
        assert!(findings.is_empty(), "{findings:?}");
        applications[0].pointer(pointer).cloned().unwrap_or_default()
    };
    let cases = [
        ("spec:\n  syncPolicy: {automated: {prune: {{ .prune }}}}", "/spec/syncPolicy/automated/prune", json!(true)),
        ("spec: {project: other}", "/spec/project", json!("default")),
        ("spec: {source: {helm: {valueFiles: [two]}}}", "/spec/source/helm/valueFiles", json!(["two"])),
        ("metadata: {finalizers: [more]}", "/metadata/finalizers", json!(["own", "more"])),
        ("metadata: {annotations: {x: null}}", "/metadata/annotations", json!({ "y": "2" })),
        ("metadata: {annotations: {$patch: replace, z: '3'}}", "/metadata/annotations", json!({ "z": "3" })),
        ("spec: {source: {helm: {valuesObject: {c: 2}}}}", "/spec/source/helm/valuesObject/c", json!(2)),
        ("{{ if false }}x{{ end }}", "/metadata/name", json!("a")),
    ];
    for (patch, pointer, expected) in cases {
        assert_eq!(value(patch, pointer), expected, "{patch}");
    }
    let (applications, findings) = patched("spec: {source: {helm: {valuesObject: {a: {b: 2}}}}}");
    assert!(applications.is_empty());
    assert!(
        findings[0].contains("unable to find api field in struct RawExtension for the json field \"a\""),
        "{findings:?}"
    );
}

/// Names that stand twice or that Kubernetes does not take: the others are generated.
#[test]
fn wrong_names_stop_themselves_alone() {
    let generators = json!([{ "list": { "elements": [{ "n": "a" }, { "n": "b" }, { "n": "a" }, { "n": "B_" }] } }]);
    let names = names(true, generators, "{{ .n }}", &Facts::default());
    assert_eq!(names[0], "b");
    assert!(names[1].contains("2 Applications are named `a`"), "{names:?}");
    assert!(names[2].contains("an Application is named `B_`"), "{names:?}");
}

/// One parameter set that fails stops its ApplicationSet: a part of the Applications would look like a removal.
#[test]
fn a_failing_template_names_its_place() {
    let generators = json!([
        { "list": { "elements": [{ "n": "a" }, { "x": "b" }] } }, { "list": { "elements": [{ "n": "c" }] } }
    ]);
    let names = names(true, generators, "app-{{ .n }}", &Facts::default());
    assert_eq!(
        names,
        ["! `spec.template.metadata.name` cannot be rendered for `spec.generators[0].list, parameter set 2`: \
          line 1, column 8, at `{{ .n }}`: map has no entry for key \"n\""]
    );
}

/// Bitbucket Cloud and AWS `CodeCommit` are known by name.
#[test]
fn forges_that_are_not_supported_are_named() {
    for (generator, forge) in
        [("pullRequest", "bitbucket"), ("scmProvider", "bitbucket"), ("scmProvider", "awsCodeCommit")]
    {
        let names = names(true, json!([{ generator: { forge: {} } }]), "a", &Facts::default());
        let expected = format!("! `spec.generators[0].{generator}.{forge}` is a generator that is not supported");
        assert_eq!(names, [expected]);
    }
}

#[test]
fn unknown_fields_are_warnings() {
    let manifest = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: x}\nspec:\n  goTemplates: true\n  \
                    generators: [{list: {elements: [], element: []}}]\n  template: {metadata: {name: a}, spec: {}}\n";
    let read = read(&[file(manifest)]);
    let messages: Vec<&str> = read.sets[0].findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains("goTemplates") && messages[1].contains("`element`"), "{messages:?}");
}

#[test]
fn argo_cds_own_functions_are_there() {
    let cases = [
        ("{{ normalize .n }}", "Feature/ABC_1.", "feature-abc-1"),
        (
            "{{ slugify 23 true .n }}",
            "feat/a_really+long_pull_request_name_to_test_argo_slugification_and_branch_name_shortening_feature",
            "feat-a_really",
        ),
        ("{{ slugify .n }}", "simple/Branch", "simple-branch"),
        ("{{ (fromYaml .n).a.b }}", "a: {b: c}", "c"),
        ("{{ index (fromYamlArray .n) 1 }}", "[a, b]", "b"),
        ("{{ dict \"a\" (list \"b\") | toYaml | b64enc }}", "", "YToKLSBi"),
    ];
    let language = Language::new(true, &[]).unwrap();
    for (template, n, expected) in cases {
        let params = crate::gotemplate::Map::new();
        params.insert("n".into(), crate::gotemplate::Value::text(n));
        assert_eq!(language.replace(template, &params).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn cluster_secrets_are_read_from_files() {
    let secrets = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  labels: {argocd.argoproj.io/secret-type: cluster, env: prod}\n\
                   data: {name: cHJvZA==, server: aHR0cHM6Ly9h}\n---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: b\n  \
                   labels: {argocd.argoproj.io/secret-type: cluster}\nstringData: {name: dev, server: 'https://b/', project: p}\n---\n\
                   kind: Secret\nmetadata: {name: other}\n";
    let found = ArgoObjects::read(&[file(secrets)]);
    let found = found.clusters();
    let shown: Vec<_> = found
        .iter()
        .map(|cluster| (cluster.name.as_str(), cluster.server.as_str(), cluster.project.as_str()))
        .collect();
    assert_eq!(shown, [("prod", "https://a", ""), ("dev", "https://b", "p")]);
    assert_eq!(found[0].labels["env"], "prod");
}

/// Two thousand results are no work.
#[test]
fn many_parameter_sets_expand() {
    let elements: Vec<Value> = (0..2_000).map(|number| json!({ "n": number.to_string() })).collect();
    let generators = json!([{ "list": { "elements": elements } }]);
    assert_eq!(names(true, generators, "app-{{ .n }}", &Facts::default()).len(), 2_000);
}
