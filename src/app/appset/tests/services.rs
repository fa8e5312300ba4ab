//! Generators that ask services. Expected values: Argo CD's own tests (`pull_request_test.go`,
//! `scm_provider_test.go`, `duck_type_test.go` and `utils_test.go` of `applicationset`) and its documentation.

use super::*;
use crate::app::appset::question::*;

/// The parameters of one generator, each as `key=value`, as a Go template prints them.
fn parameters(go: bool, generator: Value, keys: &[&str], facts: &Facts) -> Vec<Vec<String>> {
    let annotations: serde_json::Map<String, Value> = keys
        .iter()
        .map(|key| {
            let text = if go { format!("{{{{ .{key} }}}}") } else { format!("{{{{{key}}}}}") };
            ((*key).to_owned(), json!(text))
        })
        .collect();
    let set = set(json!({
        "goTemplate": go, "generators": [generator],
        "template": { "metadata": { "name": "a", "annotations": annotations }, "spec": { "project": "default" } }
    }));
    // All have one name, which is an error of names alone.
    let Expansion::Done(..) = expand(&set, facts) else { panic!("it needs more") };
    let language = Language::new(go, &[]).unwrap();
    let world = World { set: &set, language: &language, facts };
    match generators::generate(&set.generators[0], "generators[0]", None, &world) {
        Ok(found) => found[0]
            .sets
            .iter()
            .map(|found| {
                let rendered = language.render(&set.template, &found.params, "").unwrap();
                let value = |key: &&str| rendered["metadata"]["annotations"][key].as_str().unwrap().to_owned();
                keys.iter().map(value).collect()
            })
            .collect(),
        Err(Answer::Failed(fault)) => vec![vec![fault.to_string()]],
        Err(Answer::Needs(needs)) => panic!("{needs:?}"),
    }
}

/// Facts in which the one question of a generator is answered.
fn answered(generator: &Value, answer: std::result::Result<ServiceAnswer, ServiceFault>) -> Facts {
    let set = set(json!({
        "goTemplate": true, "generators": [generator],
        "template": { "metadata": { "name": "a" }, "spec": { "project": "default" } }
    }));
    let Expansion::Needs(needs) = expand(&set, &Facts::default()) else { panic!("it asks nothing") };
    let [Need::Answer(question)] = &needs[..] else { panic!("{needs:?}") };
    Facts { answers: BTreeMap::from([(question.clone(), answer)]), ..Facts::default() }
}

fn pull(number: i64, branch: &str, target: &str, sha: &str, labels: &[&str]) -> PullRequest {
    PullRequest {
        number,
        title: format!("title{number}"),
        branch: branch.to_owned(),
        target_branch: target.to_owned(),
        head_sha: sha.to_owned(),
        author: "testName".to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    }
}

#[test]
fn pull_requests_have_argo_cds_parameters() {
    const LONG: &str =
        "feat/areally+long_pull_request_name_to_test_argo_slugification_and_branch_name_shortening_feature";
    const OTHER: &str =
        "feat/anotherreally+long_pull_request_name_to_test_argo_slugification_and_branch_name_shortening_feature";
    let generator = json!({ "pullRequest": {
        "github": { "owner": "myorg", "repo": "repo" }, "values": { "pr_branch": "{{ .branch }}" }
    } });
    let answer = ServiceAnswer::PullRequests(vec![
        pull(1, "branch1", "master", "089d92cbf9ff857a39e6feccd32798ca700fb958", &["preview"]),
        pull(2, LONG, OTHER, "9b34ff5bd418e57d58891eb0aa0728043ca1e8be", &[]),
        pull(3, "my_branch", "master", "abcd", &["preview", "preview:team1"]),
    ]);
    let facts = answered(&generator, Ok(answer));
    let keys = [
        "number",
        "title",
        "branch_slug",
        "target_branch_slug",
        "head_short_sha",
        "head_short_sha_7",
        "author",
        "labels",
        "values.pr_branch",
    ];
    assert_eq!(
        parameters(true, generator, &keys, &facts),
        [
            ["1", "title1", "branch1", "master", "089d92cb", "089d92c", "testName", "[preview]", "branch1"],
            [
                "2",
                "title2",
                "feat-areally-long-pull-request-name-to-test-argo",
                "feat-anotherreally-long-pull-request-name-to-test",
                "9b34ff5b",
                "9b34ff5",
                "testName",
                "[]",
                LONG,
            ],
            ["3", "title3", "my-branch", "master", "abcd", "abcd", "testName", "[preview preview:team1]", "my_branch"],
        ]
    );
}

/// Without Go templates there are no labels: the tag stays.
#[test]
fn labels_of_pull_requests_are_for_go_templates() {
    let generator = json!({ "pullRequest": { "github": { "owner": "myorg", "repo": "repo" } } });
    let facts =
        answered(&generator, Ok(ServiceAnswer::PullRequests(vec![pull(1, "b", "master", "abcd", &["preview"])])));
    assert_eq!(parameters(false, generator, &["number", "labels"], &facts), [["1", "{{labels}}"]]);
}

#[test]
fn pull_requests_are_filtered_by_branch_target_title_and_labels() {
    let all = || {
        ServiceAnswer::PullRequests(vec![
            pull(1, "feature-1", "master", "a", &["preview"]),
            pull(2, "feature-2", "release", "b", &["preview", "big"]),
            pull(3, "fix", "master", "c", &[]),
        ])
    };
    let cases = [
        (json!([]), json!([]), vec!["1", "2", "3"]),
        (json!([{ "branchMatch": "^feature-\\d$" }]), json!([]), vec!["1", "2"]),
        (json!([{ "branchMatch": "feature", "targetBranchMatch": "^master$" }]), json!([]), vec!["1"]),
        (json!([{ "targetBranchMatch": "release" }, { "titleMatch": "3$" }]), json!([]), vec!["2", "3"]),
        (json!([]), json!(["preview", "big"]), vec!["2"]),
    ];
    for (filters, labels, expected) in cases {
        let generator = json!({ "pullRequest": {
            "github": { "owner": "o", "repo": "r", "labels": labels }, "filters": filters
        } });
        let facts = answered(&generator, Ok(all()));
        let found: Vec<String> = parameters(true, generator.clone(), &["number"], &facts).concat();
        assert_eq!(found, expected, "{generator}");
    }
    let broken = json!({ "pullRequest": { "github": {}, "filters": [{ "branchMatch": "(" }] } });
    let found = parameters(true, broken, &["number"], &Facts::default()).concat();
    assert!(found[0].contains("error compiling branchMatch regexp \"(\""), "{found:?}");
}

#[test]
fn a_repository_that_is_not_found_may_be_no_error() {
    for (continues, expected) in [
        (true, Vec::<Vec<String>>::new()),
        (false, vec![vec!["`spec.generators[0].pullRequest` has no parameters: repository not found".to_owned()]]),
    ] {
        let generator = json!({ "pullRequest": {
            "github": { "owner": "o", "repo": "r" }, "continueOnRepoNotFoundError": continues
        } });
        let facts = answered(&generator, Err(ServiceFault::NotFound("repository not found".to_owned())));
        assert_eq!(parameters(true, generator, &["number"], &facts), expected);
    }
}

fn repository(name: &str, branch: &str, labels: &[&str]) -> ForgeRepository {
    ForgeRepository {
        organization: "myorg".to_owned(),
        repository: name.to_owned(),
        id: Some(RepositoryId::Number(190_320_251)),
        url: format!("git@github.com:myorg/{name}.git"),
        branch: branch.to_owned(),
        sha: "0bc57212c3cbbec69d20b34c507284bd300def5b".to_owned(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
    }
}

#[test]
fn repositories_have_argo_cds_parameters() {
    let generator = json!({ "scmProvider": {
        "github": { "organization": "myorg" }, "values": { "should_i_force_push_to": "{{ .branch }}?" }
    } });
    let answer = ServiceAnswer::Repositories(vec![repository("repo1", "Main/x", &["prod", "staging"])]);
    let facts = answered(&generator, Ok(answer));
    let keys = [
        "organization",
        "repository",
        "repository_id",
        "url",
        "branch",
        "branchNormalized",
        "short_sha",
        "short_sha_7",
        "labels",
        "values.should_i_force_push_to",
    ];
    assert_eq!(
        parameters(true, generator, &keys, &facts),
        [[
            "myorg",
            "repo1",
            "190320251",
            "git@github.com:myorg/repo1.git",
            "Main/x",
            "main-x",
            "0bc57212",
            "0bc5721",
            "prod,staging",
            "Main/x?",
        ]]
    );
}

/// Azure `DevOps` identifies repositories by UUIDs, which Go prints as texts; without Go templates their tag stays.
#[test]
fn a_uuid_is_no_text() {
    const ID: &str = "5febef5a-833d-4e14-b9c0-14cb638f91e6";
    let generator = json!({ "scmProvider": { "azureDevOps": {
        "organization": "contoso", "teamProject": "shop", "accessTokenRef": { "secretName": "a", "key": "b" }
    } } });
    let found = ForgeRepository { id: Some(RepositoryId::Uuid(ID.to_owned())), ..repository("web", "main", &[]) };
    let facts = answered(&generator, Ok(ServiceAnswer::Repositories(vec![found])));
    assert_eq!(
        parameters(true, generator.clone(), &["repository_id", "repository_id | toJson"], &facts),
        [[ID, &format!("{ID:?}")]]
    );
    assert_eq!(
        parameters(false, generator.clone(), &["repository_id", "repository"], &facts),
        [["{{repository_id}}", "web"]]
    );
    let matrix = json!({ "matrix": { "generators": [generator, { "list": { "elements": [{ "a": "b" }] } }] } });
    assert_eq!(parameters(false, matrix, &["repository_id"], &facts), [[ID]]);
}

/// Argo CD `utils_test.go`: `TestFilter…`, `TestMultiFilterAnd`, `TestMultiFilterOr`.
#[test]
fn filters_of_repositories_are_alternatives_of_conditions() {
    let all = [
        repository("one", "one", &["prod-one", "prod-two", "staging"]),
        repository("two", "two", &["prod-two"]),
        repository("three", "two", &["staging"]),
    ];
    let text = |text: &str| Some(text.to_owned());
    let none = RepositoryFilter::default;
    let paths = |path: &str| Some(vec![path.to_owned()]);
    let cases: [(&str, Vec<RepositoryFilter>, Vec<&str>); 8] = [
        ("none", vec![], vec!["one", "two", "three"]),
        ("repository", vec![RepositoryFilter { repository: text("n|hr"), ..none() }], vec!["one", "three"]),
        ("label", vec![RepositoryFilter { label: text("^prod-.*$"), ..none() }], vec!["one", "two"]),
        ("branch", vec![RepositoryFilter { branch: text("w"), ..none() }], vec!["two", "three"]),
        ("path", vec![RepositoryFilter { paths_exist: paths("two/"), ..none() }], vec!["two"]),
        ("no path", vec![RepositoryFilter { paths_do_not_exist: paths("two"), ..none() }], vec!["one", "three"]),
        ("and", vec![RepositoryFilter { repository: text("w"), label: text("^prod-.*$"), ..none() }], vec!["two"]),
        (
            "or",
            vec![
                RepositoryFilter { repository: text("e"), ..none() },
                RepositoryFilter { label: text("^prod-.*$"), ..none() },
            ],
            vec!["one", "two", "three"],
        ),
    ];
    for (case, filters, expected) in cases {
        let filters = RepositoryFilters::new(&filters).unwrap();
        let has_path = |repository: &ForgeRepository, path: &str| Ok::<_, ()>(repository.repository == path);
        let kept = all.iter().filter(|repository| {
            filters.keep_repository(repository)
                && filters.keep_branch(repository, |path| has_path(repository, path)).unwrap()
        });
        let kept: Vec<&str> = kept.map(|repository| repository.repository.as_str()).collect();
        assert_eq!(kept, expected, "{case}");
    }
    let broken = RepositoryFilters::new(&[RepositoryFilter { label: text("("), ..none() }]).unwrap_err();
    assert!(broken.contains("error compiling labelMatch regexp"), "{broken}");
}

const PLUGIN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: my-plugin, namespace: argocd}\n\
                      data: {token: '$plugin.myplugin.token', baseUrl: 'http://myplugin.plugin-ns.svc', requestTimeout: '60'}\n---\n\
                      apiVersion: v1\nkind: Secret\nmetadata: {name: argocd-secret, namespace: argocd}\n\
                      stringData: {plugin.myplugin.token: strong-password}\n";

/// Documentation, "Plugin Generator": the input and the values are parameters, and count over the plugin's own.
#[test]
fn a_plugin_is_asked_and_its_answer_is_parameters() {
    let generator = json!({ "plugin": {
        "configMapRef": { "name": "my-plugin" },
        "input": { "parameters": { "key1": "value1", "map": { "key1": "value2" } } },
        "values": { "value1": "something" }
    } });
    let set = set(json!({
        "goTemplate": true, "generators": [generator], "template": { "metadata": { "name": "a" }, "spec": {} }
    }));
    let objects = ArgoObjects::read(&[file(PLUGIN)]);
    let mut facts = Facts { objects: Some(objects), ..Facts::default() };
    let Expansion::Needs(needs) = expand(&set, &facts) else { panic!("it asks") };
    let [Need::Answer(question @ Question::Plugin(plugin))] = &needs[..] else { panic!("{needs:?}") };
    assert_eq!((plugin.base_url.as_str(), plugin.timeout_seconds), ("http://myplugin.plugin-ns.svc", 60));
    let body: Value = serde_json::from_str(&plugin.body).unwrap();
    assert_eq!(
        body,
        json!({ "applicationSetName": "guestbook",
                "input": { "parameters": { "key1": "value1", "map": { "key1": "value2" } } } })
    );
    let credential = facts.objects.as_ref().unwrap().credential(&question.login()).unwrap();
    assert!(matches!(&credential, ServiceCredential::Token(token) if token.expose() == "strong-password"));
    assert!(!format!("{facts:?} {credential:?} {needs:?}").contains("strong-password"));

    let sets = vec![json!({ "generator": "own", "something": { "from": "it" } }), json!({ "n": 2 })];
    facts.answers.insert(question.clone(), Ok(ServiceAnswer::Parameters(sets)));
    assert_eq!(
        parameters(
            true,
            generator,
            &["something", "n", "values.value1", "generator.input.parameters.map.key1"],
            &facts
        ),
        [["map[from:it]", "<no value>", "something", "value2"], ["<no value>", "2", "something", "value2"]]
    );
}

#[test]
fn a_plugins_config_map_is_read_with_care() {
    let generator = json!({ "plugin": { "configMapRef": { "name": "my-plugin" } } });
    let fault = |data: &str| {
        let map = format!("kind: ConfigMap\nmetadata: {{name: my-plugin}}\ndata: {data}\n");
        let facts = Facts { objects: Some(ArgoObjects::read(&[file(&map)])), ..Facts::default() };
        parameters(true, generator.clone(), &["n"], &facts).concat().concat()
    };
    assert!(fault("{token: $a}").contains("baseUrl not found in ConfigMap"));
    assert!(fault("{baseUrl: x}").contains("token not found in ConfigMap"));
    let plain = fault("{baseUrl: x, token: s3cret}");
    assert!(plain.contains("does not reference a key of a Secret with `$`") && !plain.contains("s3cret"), "{plain}");
    assert!(fault("{baseUrl: x, token: $a, requestTimeout: soon}").contains("is not a number of seconds"));
    let unknown = parameters(true, generator.clone(), &["n"], &Facts::default()).concat().concat();
    assert!(unknown.contains("Argo CD's ConfigMaps are not known"), "{unknown}");
    let missing = Facts { objects: Some(ArgoObjects::default()), ..Facts::default() };
    let missing = parameters(true, generator.clone(), &["n"], &missing).concat().concat();
    assert!(missing.contains("ConfigMap `my-plugin` not found"), "{missing}");
}

const DUCKS: &str = "kind: Secret\nmetadata: {name: a, namespace: argocd, labels: {argocd.argoproj.io/secret-type: cluster}}\n\
    stringData: {name: staging-01, server: 'https://staging-01.example.com'}\n---\n\
    kind: Secret\nmetadata: {name: b, namespace: argocd, labels: {argocd.argoproj.io/secret-type: cluster}}\n\
    stringData: {name: production-01, server: 'https://production-01.example.com'}\n---\n\
    kind: ConfigMap\nmetadata: {name: my-configmap, namespace: argocd}\n\
    data: {apiVersion: mallard.io/v1, kind: ducks, statusListKey: decisions, matchKey: clusterName}\n---\n\
    apiVersion: mallard.io/v1\nkind: Duck\nmetadata: {name: quak, namespace: argocd, labels: {duck: all-species}}\n\
    status: {decisions: [{clusterName: staging-01, reason: '', score: 1000000}, {clusterName: production-01}, {clusterName: gone}]}\n---\n\
    apiVersion: mallard.io/v1\nkind: Duck\nmetadata: {name: empty, namespace: argocd, labels: {duck: canvasback}}\nstatus: {}\n";

fn ducks() -> Facts {
    let objects = ArgoObjects::read(&[file(DUCKS)]);
    Facts { clusters: Some(objects.clusters().to_vec()), objects: Some(objects), ..Facts::default() }
}

#[test]
fn decisions_become_the_clusters_that_argo_cd_knows() {
    let generator = |more: Value| {
        let mut options = json!({ "configMapRef": "my-configmap", "values": { "foo": "{{ .name }}" } });
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "clusterDecisionResource": options })
    };
    let keys = ["name", "server", "clusterName", "values.foo"];
    // Values of this generator are no templates.
    let both = [
        ["staging-01", "https://staging-01.example.com", "staging-01", "{{ .name }}"],
        ["production-01", "https://production-01.example.com", "production-01", "{{ .name }}"],
    ];
    let cases = [
        json!({ "name": "quak" }),
        json!({ "labelSelector": { "matchLabels": { "duck": "all-species" } } }),
        json!({ "labelSelector": { "matchExpressions": [
            { "key": "duck", "operator": "In", "values": ["all-species", "marbled"] }
        ] } }),
    ];
    for more in cases {
        assert_eq!(parameters(true, generator(more.clone()), &keys, &ducks()), both, "{more}");
    }
    let empty = generator(json!({ "name": "empty" }));
    assert_eq!(parameters(true, empty, &keys, &ducks()), Vec::<Vec<String>>::new());
    let score = parameters(false, generator(json!({ "name": "quak" })), &["score", "values.foo"], &ducks());
    assert_eq!(score[0], ["1000000", "{{ .name }}"]);
    for (more, expected) in [
        (json!({}), "it has to have either `name` or `labelSelector`"),
        (
            json!({ "name": "quak", "labelSelector": { "matchLabels": { "duck": "spotted" } } }),
            "it has to have either `name` or `labelSelector`",
        ),
        (json!({ "name": "nobody" }), "no `ducks` of `mallard.io/v1` found"),
    ] {
        let found = parameters(true, generator(more), &keys, &ducks()).concat().concat();
        assert!(found.contains(expected), "{found}");
    }
}

const FIXTURE: &str = "
generators:
- generator: pullRequest
  with: {github: {repo: web}}
  pullRequests: [{number: 7, branch: feature/x, headSha: abcdef0123, labels: [preview]}]
- generator: pullRequest
  error: API rate limit exceeded
- generator: scmProvider
  applicationSet: guestbook
  repositories:
  - {organization: o, repository: one, url: 'https://git.example.com/o/one', branch: main, paths: [deploy/app.yaml]}
  - {organization: o, repository: two, url: 'https://git.example.com/o/two', branch: main}
- generator: plugin
  parameters: [{tag: 1}]
";

/// A preview needs no network, no token and no ConfigMap.
#[test]
fn a_fixture_answers_in_place_of_services() {
    let fixture = GeneratorFixture::read(FIXTURE.as_bytes()).unwrap();
    let facts = Facts { fixture: Some(fixture), ..Facts::default() };
    let pulls = json!({ "pullRequest": { "github": { "owner": "o", "repo": "web" } } });
    assert_eq!(parameters(true, pulls, &["number", "branch_slug"], &facts), [["7", "feature-x"]]);
    let other = json!({ "pullRequest": { "github": { "owner": "o", "repo": "api" } } });
    assert!(parameters(true, other, &["number"], &facts)[0][0].ends_with("API rate limit exceeded"));
    let repositories = json!({ "scmProvider": {
        "github": { "organization": "o" }, "filters": [{ "pathsExist": ["deploy"] }]
    } });
    assert_eq!(parameters(true, repositories, &["repository"], &facts), [["one"]]);
    let plugin = json!({ "plugin": { "configMapRef": { "name": "x" } } });
    assert_eq!(parameters(true, plugin, &["tag"], &facts), [["1"]]);
    let none = Facts { fixture: Some(GeneratorFixture::default()), ..Facts::default() };
    let plugin = json!({ "plugin": { "configMapRef": { "name": "x" } } });
    let missing = parameters(true, plugin, &["n"], &none).concat().concat();
    assert!(missing.contains("the generator fixture has no entry for this `plugin` generator"), "{missing}");
}

#[test]
fn a_fixture_with_a_mistake_is_refused() {
    for (text, expected) in [
        ("generators: [{generator: git}]", "unknown variant `git`"),
        ("generators: [{generator: plugin, parameter: []}]", "unknown field `parameter`"),
        ("generators: [{generator: plugin, repositories: []}]", "entry 1 has no answer of a `plugin` generator"),
        ("generators: [", "line"),
    ] {
        let error = GeneratorFixture::read(text.as_bytes()).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
