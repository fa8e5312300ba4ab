//! The examples of Argo CD's documentation of ApplicationSets, with the results that it states, and what its code does that the
//! documentation does not say (observed with 3.5).

use super::*;

/// What an ApplicationSet generates: of each Application the fields at `pointers`, or its messages.
fn generated(spec: &str, pointers: &[&str], facts: &Facts) -> Vec<String> {
    let indented = spec.replace('\n', "\n  ");
    let manifest = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {{name: guestbook, namespace: argocd}}\nspec:{indented}\n"
    );
    let mut read = read(&[file(&manifest)]);
    assert!(read.findings.is_empty(), "{spec}: {:?}", read.findings);
    let (applications, messages) = done(&read.sets.pop().unwrap(), facts);
    let field = |application: &Value, pointer: &str| match application.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "-".to_owned(),
    };
    let line =
        |application: &Value| pointers.iter().map(|pointer| field(application, pointer)).collect::<Vec<_>>().join(" ");
    applications.iter().map(line).chain(messages).collect()
}

const NAME: &str = "/metadata/name";
const PATH: &str = "/spec/source/path";
const SERVER: &str = "/spec/destination/server";
const REVISION: &str = "/spec/source/targetRevision";

/// A template with everything that the examples use.
fn template(name: &str, path: &str, server: &str) -> String {
    format!(
        "\ntemplate:\n  metadata: {{name: '{name}'}}\n  spec:\n    project: default\n    source: {{repoURL: https://git.example.com/apps, \
         targetRevision: HEAD, path: '{path}'}}\n    destination: {{server: '{server}', namespace: guestbook}}"
    )
}

const GO: &str = "\ngoTemplate: true\ngoTemplateOptions: [missingkey=error]";
const GIT: &str = "repoURL: https://git.example.com/apps, revision: HEAD";

fn two_clusters() -> Facts {
    let cluster = |name: &str, server: &str, labels: &[(&str, &str)]| ClusterSecret {
        name: name.to_owned(),
        server: server.to_owned(),
        labels: labels
            .iter()
            .chain(&[("argocd.argoproj.io/secret-type", "cluster")])
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        annotations: BTreeMap::from([("my-custom-annotation".to_owned(), "v1".to_owned())]),
        ..ClusterSecret::default()
    };
    Facts {
        clusters: Some(vec![
            cluster(
                "staging",
                "https://1.2.3.4",
                &[("type", "staging"), ("use-kafka", "false"), ("kubernetes.io/environment", "dev")],
            ),
            cluster("production", "https://2.4.6.8", &[("type", "production"), ("kubernetes.io/environment", "prod")]),
        ]),
        ..Facts::default()
    }
}

/// The clusters, and a repository.
fn with_files(files: &[(&str, &str)]) -> Facts {
    Facts { clusters: two_clusters().clusters, ..repository(files) }
}

/// "List Generator", "Go Template".
#[test]
fn lists() {
    let elements = "\ngenerators:\n- list:\n    elements:\n    - {cluster: engineering-dev, url: https://1.2.3.4}\n    - {cluster: engineering-prod, url: https://2.4.6.8, nameSuffix: -my-name-suffix}";
    let basic = template("{{.cluster}}-guestbook", "guestbook/{{.cluster}}", "{{.url}}");
    assert_eq!(
        generated(&format!("{GO}{elements}{basic}"), &[NAME, PATH, SERVER], &Facts::default()),
        [
            "engineering-dev-guestbook guestbook/engineering-dev https://1.2.3.4",
            "engineering-prod-guestbook guestbook/engineering-prod https://2.4.6.8"
        ]
    );
    let fallback = template("{{.cluster}}{{dig \"nameSuffix\" \"\" .}}", ".", "{{.url}}");
    assert_eq!(
        generated(&format!("{GO}{elements}{fallback}"), &[NAME], &Facts::default()),
        ["engineering-dev", "engineering-prod-my-name-suffix"]
    );
    let across = "\ngenerators:\n- list:\n    elements: [{parameters: [a]}]\ntemplate:\n  metadata: {name: a}\n  spec: {source: {helm: {parameters: [{name: '{{range .parameters}}'}, {name: '{{end}}'}]}}}";
    let across = generated(&format!("{GO}{across}"), &[NAME], &Facts::default());
    assert!(across[0].contains("`spec.template.spec.source.helm.parameters[0].name` cannot be rendered"), "{across:?}");
}

/// "Dynamically generated elements".
#[test]
fn elements_from_a_file() {
    let components = "key:\n  components:\n  - {name: component1, chart: podinfo, version: \"6.3.2\"}\n  - {name: component2, chart: podinfo, version: \"6.3.3\"}\n";
    let facts = with_files(&[("examples/list-elementsYaml-example.yaml", components)]);
    let spec = format!(
        "{GO}\ngenerators:\n- matrix:\n    generators:\n    - git: {{{GIT}, files: [{{path: examples/list-elementsYaml-example.yaml}}]}}\n    - list: {{elementsYaml: '{{{{ .key.components | toJson }}}}'}}\n\
         template:\n  metadata: {{name: '{{{{.name}}}}'}}\n  spec: {{project: default, sources: [{{chart: '{{{{.chart}}}}', targetRevision: '{{{{.version}}}}'}}]}}"
    );
    assert_eq!(
        generated(&spec, &[NAME, "/spec/sources/0/chart", "/spec/sources/0/targetRevision"], &facts),
        ["component1 podinfo 6.3.2", "component2 podinfo 6.3.3"]
    );
}

/// "Cluster Generator": every cluster, a selector, values, a flat list.
#[test]
fn clusters_of_argo_cd() {
    let facts = two_clusters();
    let of = |generators: &str, name: &str| {
        let spec = format!(
            "{GO}\ngenerators:{generators}{}",
            template(name, ".", "{{.server}}").replace("HEAD", "'{{.values.revision}}'")
        );
        generated(&spec, &[NAME, REVISION, SERVER], &facts)
    };
    let by_type = "\n- clusters: {selector: {matchLabels: {type: staging}}, values: {revision: '{{index .metadata.annotations \"my-custom-annotation\"}}'}}\n\
                   - clusters: {selector: {matchExpressions: [{key: type, operator: In, values: [production]}]}, values: {revision: stable}}";
    assert_eq!(
        of(by_type, "{{.name}}-guestbook"),
        ["staging-guestbook v1 https://1.2.3.4", "production-guestbook stable https://2.4.6.8"]
    );
    let remote =
        "\n- clusters: {selector: {matchLabels: {argocd.argoproj.io/secret-type: cluster}}, values: {revision: HEAD}}";
    assert_eq!(of(remote, "{{.name}}").len(), 2, "the local cluster has no Secret");
    assert_eq!(
        of("\n- clusters: {values: {revision: HEAD}}", "{{.name}}")[0],
        "in-cluster HEAD https://kubernetes.default.svc"
    );
    let flat = "\ngenerators:\n- clusters: {selector: {matchLabels: {argocd.argoproj.io/secret-type: cluster}}, flatList: true}\ntemplate:\n  metadata: {name: flat-list-guestbook}\n  \
                spec:\n    source:\n      helm:\n        values: |\n          clusters:\n          {{- range .clusters }}\n            - name: {{ .name }}\n          {{- end }}";
    assert_eq!(
        generated(&format!("{GO}{flat}"), &[NAME, "/spec/source/helm/values"], &facts),
        ["flat-list-guestbook clusters:\n  - name: staging\n  - name: production\n"]
    );
}

/// "Git Generator: Directories": excludes count first, hidden folders are left out, `*` is the root's folders.
#[test]
fn git_directories() {
    let facts = with_files(&[
        ("d/e/a.yaml", ""),
        ("d/f/a.yaml", ""),
        ("d/g/a.yaml", ""),
        ("directory/directory_2/a.yaml", ""),
        (".github/a.yaml", ""),
        ("donotdeploy/a.yaml", ""),
    ]);
    let of = |options: &str, name: &str| {
        generated(
            &format!(
                "{GO}\ngenerators:\n- git: {{{GIT}, {options}}}{}",
                template(name, "{{.path.path}}", "https://1.2.3.4")
            ),
            &[NAME, PATH],
            &facts,
        )
    };
    let name = "{{.path.basename}}";
    assert_eq!(
        of("directories: [{path: d/e, exclude: false}, {path: d/*, exclude: true}]", name),
        Vec::<String>::new()
    );
    assert_eq!(
        of("directories: [{path: d/*}, {path: d/f, exclude: true}, {path: d/g, exclude: true}]", name),
        ["e d/e"]
    );
    assert_eq!(of("directories: [{path: d/*}, {path: 'd/[fg]', exclude: true}]", name), ["e d/e"]);
    assert_eq!(
        of("directories: [{path: '*'}, {path: donotdeploy, exclude: true}]", name),
        ["d d", "directory directory"]
    );
    assert_eq!(
        of(
            "directories: [{path: directory/*}], values: {cluster: '{{.path.basenameNormalized}}-{{index .path.segments 0}}'}",
            "{{.values.cluster}}"
        ),
        ["directory-2-directory directory/directory_2"]
    );
}

/// "Git Generator: Files", "Git File Generator Globbing".
#[test]
fn git_files() {
    let config = |name: &str| {
        format!(
            "{{\"aws_account\": \"123456\", \"asset_id\": \"11223344\", \"cluster\": {{\"name\": \"engineering-{name}\", \"address\": \"https://1.2.3.4\"}}}}"
        )
    };
    let (dev, prod) = (config("dev"), config("prod"));
    let facts = with_files(&[
        ("cluster-config/engineering/dev/config.json", &dev),
        ("cluster-config/engineering/prod/config.json", &prod),
        ("charts/cluster1/mychart/values.yaml", "chart: mychart"),
        ("charts/cluster1/mychart/charts/mysubchart/values.yaml", "chart: mysubchart"),
    ]);
    let all = "files: [{path: 'cluster-config/**/config.json'}]";
    let flat = format!(
        "\ngenerators:\n- git: {{{GIT}, {all}}}{}",
        template(
            "{{cluster.name}}-{{aws_account}}-{{path.basename}}-{{path.filenameNormalized}}-{{path[1]}}",
            "{{path}}",
            "{{cluster.address}}"
        )
    );
    assert_eq!(
        generated(&flat, &[NAME, PATH, SERVER], &facts),
        [
            "engineering-dev-123456-dev-config.json-engineering cluster-config/engineering/dev https://1.2.3.4",
            "engineering-prod-123456-prod-config.json-engineering cluster-config/engineering/prod https://1.2.3.4"
        ]
    );
    let of = |files: &str, name: &str, facts: &Facts| {
        generated(
            &format!("{GO}\ngenerators:\n- git: {{{GIT}, {files}}}{}", template(name, ".", "https://1.2.3.4")),
            &[NAME],
            facts,
        )
    };
    let excluded =
        "files: [{path: 'cluster-config/**/config.json'}, {path: 'cluster-config/*/dev/config.json', exclude: true}]";
    assert_eq!(of(excluded, "{{.cluster.name}}", &facts), ["engineering-prod"]);
    let values = "files: [{path: 'cluster-config/**/config.json'}], values: {base_dir: '{{index .path.segments 0}}-{{index .path.segments 1}}-{{.cluster.name}}'}";
    assert_eq!(
        of(values, "{{.values.base_dir}}", &facts),
        ["cluster-config-engineering-engineering-dev", "cluster-config-engineering-engineering-prod"]
    );
    let greedy = "files: [{path: charts/*/*/values.yaml}]";
    assert_eq!(of(greedy, "{{.chart}}", &facts), ["mysubchart", "mychart"]);
    let new = Facts { new_git_file_globbing: true, ..facts };
    assert_eq!(of(greedy, "{{.chart}}", &new), ["mychart"]);
}

/// "Matrix Generator": each with each, parameters in the second one, overriding, two git generators.
#[test]
fn matrices() {
    let matrix = |first: &str, second: &str, name: &str, facts: &Facts| {
        let generators = format!("\ngenerators:\n- matrix:\n    generators:\n    - {first}\n    - {second}");
        generated(&format!("\ngoTemplate: true{generators}{}", template(name, ".", "https://1.2.3.4")), &[NAME], facts)
    };
    let addons = with_files(&[("addons/argo-workflows/a.yaml", ""), ("addons/prometheus-operator/a.yaml", "")]);
    let folders = format!("git: {{{GIT}, directories: [{{path: addons/*}}]}}");
    let clusters = "clusters: {selector: {matchLabels: {argocd.argoproj.io/secret-type: cluster}}}";
    assert_eq!(
        matrix(&folders, clusters, "{{.path.basename}}-{{.name}}", &addons),
        [
            "argo-workflows-staging",
            "argo-workflows-production",
            "prometheus-operator-staging",
            "prometheus-operator-production"
        ]
    );

    let configs = with_files(&[
        ("cluster-config/engineering/dev/config.json", "{}"),
        ("cluster-config/engineering/prod/config.json", "{}"),
    ]);
    let files = format!("git: {{{GIT}, files: [{{path: 'cluster-config/**/config.json'}}]}}");
    let labelled = "clusters: {selector: {matchLabels: {kubernetes.io/environment: '{{.path.basename}}'}}}";
    assert_eq!(matrix(&files, labelled, "{{.name}}-{{.path.basename}}", &configs), ["staging-dev", "production-prod"]);

    let stages = with_files(&[
        ("global.values.yaml", "{cpuRequest: 200m, memoryLimit: 256Mi, debugEnabled: true}"),
        ("production/stage.values.yaml", "{stageName: production, memoryLimit: 512Mi, debugEnabled: false}"),
        ("staging/stage.values.yaml", "stageName: staging"),
        ("test/stage.values.yaml", "{stageName: test, cpuRequest: 100m, debugEnabled: true}"),
    ]);
    let file = |pattern: &str| format!("git: {{{GIT}, files: [{{path: '{pattern}'}}]}}");
    let name = "{{.stageName}}-{{.cpuRequest}}-{{.memoryLimit | lower}}-{{.debugEnabled}}";
    assert_eq!(
        matrix(&file("**/stage.values.yaml"), &file("global.values.yaml"), name, &stages),
        ["production-200m-512mi-false", "staging-200m-256mi-true", "test-100m-256mi-true"]
    );

    let apps = with_files(&[
        ("apps/app-one.json", "{\"appName\": \"app-one\"}"),
        ("apps/app-two.json", "{\"appName\": \"app-two\"}"),
        ("targets/app-one/east-cluster-one.json", "{\"region\": \"east\", \"clusterName\": \"cluster-one\"}"),
        ("targets/app-one/east-cluster-two.json", "{\"region\": \"east\", \"clusterName\": \"cluster-two\"}"),
        ("targets/app-two/east-cluster-one.json", "{\"region\": \"east\", \"clusterName\": \"cluster-one\"}"),
        ("targets/app-two/west-cluster-three.json", "{\"region\": \"west\", \"clusterName\": \"cluster-three\"}"),
    ]);
    let first = format!("git: {{{GIT}, files: [{{path: 'apps/*.json'}}], pathParamPrefix: app}}");
    let second =
        format!("git: {{{GIT}, files: [{{path: 'targets/{{{{.appName}}}}/*.json'}}], pathParamPrefix: target}}");
    assert_eq!(
        matrix(
            &first,
            &second,
            "{{.appName}}-{{.app.path.filename}}-{{.region}}-{{.clusterName}}-{{.target.path.basename}}",
            &apps
        ),
        [
            "app-one-app-one.json-east-cluster-one-app-one",
            "app-one-app-one.json-east-cluster-two-app-one",
            "app-two-app-two.json-east-cluster-one-app-two",
            "app-two-app-two.json-west-cluster-three-app-two"
        ]
    );
}

/// "Restrictions" of matrix and merge.
#[test]
fn restrictions_of_nested_generators() {
    let list = "list: {elements: [{a: b}]}";
    for (generator, expected) in [
        (
            format!("matrix: {{generators: [{{{list}}}, {{{list}}}, {{{list}}}]}}"),
            "a matrix has two generators, this one has 3",
        ),
        (format!("matrix: {{generators: [{{{list}, clusters: {{}}}}, {{{list}}}]}}"), "found more than one generator"),
        (
            format!("merge: {{mergeKeys: [a], generators: [{{{list}, clusters: {{}}}}, {{{list}}}]}}"),
            "found more than one generator",
        ),
        (format!("merge: {{mergeKeys: [], generators: [{{{list}}}, {{{list}}}]}}"), "no merge keys were specified"),
        (
            format!(
                "matrix: {{generators: [{{{list}}}, {{matrix: {{generators: [{{{list}}}, {{matrix: {{generators: [{{{list}}}, {{matrix: {{generators: [{{{list}}}, {{{list}}}]}}}}]}}}}]}}}}]}}"
            ),
            "nested deeper than Argo CD allows",
        ),
    ] {
        let spec = format!("{GO}\ngenerators: [{{{generator}}}]{}", template("a", ".", "https://1.2.3.4"));
        let found = generated(&spec, &[NAME], &two_clusters());
        assert!(found.len() == 1 && found[0].contains(expected), "{generator}: {found:?}");
    }
}

/// "Merge Generator", which states its results for flat parameters.
#[test]
fn merges() {
    let spec = format!(
        "\ngenerators:\n- merge:\n    mergeKeys: [server]\n    generators:\n    - clusters: {{selector: {{matchLabels: {{argocd.argoproj.io/secret-type: cluster}}}}, values: {{kafka: 'true', redis: 'false'}}}}\n    \
         - clusters: {{selector: {{matchLabels: {{use-kafka: 'false'}}}}, values: {{kafka: 'false'}}}}\n    - list: {{elements: [{{server: https://2.4.6.8, values.redis: 'true'}}]}}{}",
        template("{{name}}-kafka-{{values.kafka}}-redis-{{values.redis}}", ".", "{{server}}")
    );
    assert_eq!(
        generated(&spec, &[NAME, SERVER], &two_clusters()),
        ["staging-kafka-false-redis-false https://1.2.3.4", "production-kafka-true-redis-true https://2.4.6.8"]
    );
    let interpolated = format!(
        "\ngenerators:\n- merge:\n    mergeKeys: [values.selector]\n    generators:\n    - clusters: {{selector: {{matchLabels: {{type: staging}}}}, values: {{selector: '{{{{metadata.labels.type}}}}'}}}}\n    \
         - git: {{{GIT}, directories: [{{path: '*'}}], values: {{selector: '{{{{path}}}}'}}}}{}",
        template("{{name}}-{{values.selector}}", "{{path}}", "{{server}}")
    );
    assert_eq!(
        generated(&interpolated, &[NAME, PATH], &with_files(&[("staging/a.yaml", ""), ("other/a.yaml", "")])),
        ["staging-staging staging"]
    );
}

/// "Post Selector all generators".
#[test]
fn post_selectors() {
    let elements = "\ngenerators:\n- list: {elements: [{cluster: engineering-dev, env: staging}, {cluster: engineering-prod, env: prod}, {cluster: other}]}\n  selector: ";
    for (selector, expected) in [
        ("{matchLabels: {env: staging}}", vec!["engineering-dev"]),
        ("{matchExpressions: [{key: env, operator: In, values: [staging]}]}", vec!["engineering-dev"]),
        ("{matchExpressions: [{key: env, operator: NotIn, values: [staging]}]}", vec!["engineering-prod", "other"]),
        ("{matchExpressions: [{key: env, operator: Exists}]}", vec!["engineering-dev", "engineering-prod"]),
        ("{matchExpressions: [{key: env, operator: DoesNotExist}]}", vec!["other"]),
    ] {
        let spec = format!("{GO}{elements}{selector}{}", template("{{.cluster}}", ".", "https://1.2.3.4"));
        assert_eq!(generated(&spec, &[NAME], &Facts::default()), expected, "{selector}");
    }
    let empty = format!("{GO}{elements}{{matchExpressions: [{{key: env, operator: In}}]}}{}", template("a", ".", "x"));
    let empty = generated(&empty, &[NAME], &Facts::default());
    assert!(empty.len() == 1 && empty[0].contains("has no parameters"), "{empty:?}");
}

/// "Templates": a generator's own, and "Template Patch".
#[test]
fn templates_of_generators_and_patches() {
    let own = format!(
        "{GO}\ngenerators:\n- list:\n    elements: [{{cluster: engineering-dev}}]\n    template: {{metadata: {{}}, spec: {{project: default, source: {{path: 'override/{{{{ .cluster }}}}-override'}}, destination: {{}}}}}}{}",
        template("{{.cluster}}-guestbook", "default", "https://1.2.3.4")
    );
    assert_eq!(
        generated(&own, &[NAME, PATH, REVISION, SERVER], &Facts::default()),
        ["engineering-dev-guestbook override/engineering-dev-override HEAD https://1.2.3.4"]
    );
    let patched = |patch: &str| {
        let list = "\ngenerators:\n- list: {elements: [{cluster: engineering-dev, autoSync: true, prune: true, valueFiles: [values.large.yaml, values.debug.yaml]}]}";
        let spec = format!(
            "{GO}{list}{}\ntemplatePatch: |\n  {}",
            template("{{ .cluster }}-deployment", ".", "https://1.2.3.4"),
            patch.replace('\n', "\n  ")
        );
        generated(
            &spec,
            &["/spec/source/helm/valueFiles", "/spec/syncPolicy/automated/prune", PATH, "/spec/project"],
            &Facts::default(),
        )
    };
    let documented = "spec:\n  source:\n    helm:\n      valueFiles:\n      {{- range $valueFile := .valueFiles }}\n        - {{ $valueFile }}\n      {{- end }}\n{{- if .autoSync }}\n  syncPolicy:\n    automated:\n      prune: {{ .prune }}\n{{- end }}";
    assert_eq!(patched(documented), ["[\"values.large.yaml\",\"values.debug.yaml\"] true . default"]);
    // An empty `spec` clears the fields, but not the project.
    assert_eq!(patched("spec: # nothing in here"), ["- - - default"]);
    assert_eq!(patched("{\"spec\": {\"project\": null}}"), ["- - . default"]);
    let broken = patched("spec: [");
    assert!(broken.len() == 1 && broken[0].contains("`spec.templatePatch` cannot be rendered"), "{broken:?}");
}

/// Numbers are floats; keys are read as YAML 1.1; what is not a text stays a tag; nulls go from maps alone.
#[test]
fn what_the_documentation_does_not_say() {
    let one = |elements: &str, name: &str, go: bool| {
        let go = if go { GO } else { "" };
        generated(
            &format!("{go}\ngenerators:\n- list: {{elements: [{elements}]}}{}", template("a", name, "x")),
            &[PATH],
            &Facts::default(),
        )
        .concat()
    };
    assert_eq!(one("{account: 123456789012}", "{{.account}}", true), "1.23456789012e+11");
    assert_eq!(one("{account: 123456789012}", "{{int64 .account}}", true), "123456789012");
    assert_eq!(one("{n: a, y: b}", "{{index . \"false\"}}{{index . \"true\"}}", true), "ab");
    assert_eq!(one("{\"n\": a}", "{{.n}}", true), "a");
    assert!(one("{n: a}", "{{.n}}", true).contains("map has no entry for key \"n\""));
    assert_eq!(one("{a: 010}", "{{.a}}", true), "8");

    let files = repository(&[("c.json", "{\"count\": 3, \"name\": \"x\"}")]);
    let git = format!("git: {{{GIT}, files: [{{path: c.json}}]}}");
    let alone = format!("\ngenerators:\n- {git}{}", template("{{name}}", "{{count}} {{ name }} {{unknown}}", "x"));
    assert_eq!(generated(&alone, &[PATH], &files), ["3 x {{unknown}}"]);
    let numbers = with_answer(json!({ "count": 3, "name": "x" }));
    let plugin = "plugin: {configMapRef: {name: plugin}}";
    let alone = format!("{GO}\ngenerators:\n- {plugin}{}", template("{{.name}}", "{{.count}}", "x"));
    assert_eq!(generated(&alone, &[PATH], &numbers), ["3"]);

    let values = "\ngenerators:\n- list: {elements: [{a: b}]}\ntemplate:\n  metadata: {name: a}\n  spec: {source: {helm: {valuesObject: {gone: null, list: [null, '{{.a}}'], '{{.a}}': {deep: null}}}}}";
    assert_eq!(
        generated(&format!("{GO}{values}"), &["/spec/source/helm/valuesObject"], &Facts::default()),
        ["{\"b\":{},\"list\":[null,\"b\"]}"]
    );
}

/// A plugin that answered with one set of parameters.
fn with_answer(parameters: Value) -> Facts {
    let fixture = json!({ "generators": [{ "generator": "plugin", "parameters": [parameters] }] });
    Facts { fixture: Some(GeneratorFixture::read(fixture.to_string().as_bytes()).unwrap()), ..Facts::default() }
}

/// "Go Template": `goTemplateOptions`.
#[test]
fn options_of_go_templates() {
    let of = |options: &str, path: &str| {
        let list = "\ngenerators:\n- list: {elements: [{cluster: dev}]}";
        generated(
            &format!("\ngoTemplate: true\ngoTemplateOptions: {options}{list}{}", template("a", path, "x")),
            &[PATH],
            &Facts::default(),
        )
        .concat()
    };
    for options in ["[]", "[missingkey=default]", "[missingkey=invalid]"] {
        assert_eq!(of(options, "{{.cluster}}-{{.other}}"), "dev-<no value>", "{options}");
        assert_eq!(of(options, "{{.other | default \"x\"}}"), "x", "{options}");
    }
    assert_eq!(of("[missingkey=zero]", "{{.other}}"), "<no value>");
    assert_eq!(of("[missingkey=error, missingkey=default]", "{{.other}}"), "<no value>", "the last one counts");
    assert!(of("[missingkey=error]", "{{.other}}").contains("map has no entry for key \"other\""));
    for (wrong, expected) in
        [("[missingkey=fail]", "unrecognized option: missingkey=fail"), ("['']", "empty option string")]
    {
        let found = of(wrong, "a");
        assert!(found.contains("`spec.goTemplateOptions` is invalid") && found.contains(expected), "{found}");
    }
}
