//! What projects allow. Expected values: Argo CD's `app_project_types_test.go`, `types_test.go` and its documentation.

use serde_json::{Value, json};

use super::*;
use crate::app::settings::{ComparisonSettings, GlobalProject, Settings};
use crate::app::{Application, Given, ManifestText, Manifests};
use crate::finding::Severity;
use crate::object::yaml;

fn read(files: &[(&str, Value)]) -> Manifests {
    let texts: Vec<ManifestText> = files
        .iter()
        .map(|(name, value)| ManifestText {
            name: (*name).to_owned(),
            bytes: yaml::write(value).into_bytes(),
            folder: ".".into(),
            given: Given::ByName,
        })
        .collect();
    crate::app::read(&texts)
}

fn project(name: &str, spec: Value) -> Value {
    let mut manifest = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": name, "namespace": "argocd", "labels": {"team": name}}
    });
    manifest["spec"] = spec;
    manifest
}

fn rules_of(spec: Value) -> ProjectRules {
    rules_with(&[("project.yaml", project("team", spec))], &[], &ProjectScoped::default())
}

fn rules_with(files: &[(&str, Value)], globals: &[GlobalProject], scoped: &ProjectScoped) -> ProjectRules {
    let manifests = read(files);
    let errors: Vec<_> = manifests.findings.iter().filter(|it| it.severity == Severity::Error).collect();
    let is_only = errors.iter().all(|it| it.message.contains("no Application"));
    assert!(is_only, "{errors:#?}");
    match Projects::new(manifests.projects).rules("team", globals, scoped) {
        ProjectLookup::Found(rules) => *rules,
        other => panic!("{other:?}"),
    }
}

fn application(spec: Value, namespace: &str) -> Application {
    let mut manifest = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "web", "namespace": namespace}
    });
    manifest["spec"] = spec;
    read(&[("web.yaml", manifest)]).applications.pop().unwrap().unwrap()
}

fn of_url(url: &str) -> Application {
    application(
        json!({"project": "team", "source": {"repoURL": url, "path": "."},
               "destination": {"server": "https://prod.example.com", "namespace": "team"}}),
        "argocd",
    )
}

fn cluster(server: &str, name: &str) -> DestinationCluster {
    DestinationCluster { server: server.to_owned(), name: name.to_owned() }
}

fn resource<'a>(group: &'a str, kind: &'a str, namespace: &'a str, name: &'a str) -> CheckedResource<'a> {
    CheckedResource { group, kind, namespace, name, is_namespaced: !namespace.is_empty() }
}

#[test]
fn source_repos_are_globs_by_segment_and_any_denial_wins() {
    for (repos, url, is_permitted) in [
        (json!(["*"]), "https://git.example.com/a/b/c", true),
        (json!(["https://git.example.com/team/*"]), "https://git.example.com/team/infra", true),
        (json!(["https://git.example.com/team/*"]), "https://git.example.com/team/infra.git", true),
        (json!(["https://git.example.com/team/*"]), "https://GIT.example.com/Team/Infra", true),
        (json!(["https://git.example.com/*"]), "https://git.example.com/team/infra", false),
        (json!(["https://git.example.com/**"]), "https://git.example.com/team/infra", true),
        (json!(["git@git.example.com:team/*"]), "ssh://git@git.example.com/team/infra", true),
        (json!(["https://git.example.com/team/infra"]), "https://git.example.com/team/infra2", false),
        (json!(["*", "!https://git.example.com/other/*"]), "https://git.example.com/other/infra", false),
        (json!(["!https://git.example.com/other/*", "*"]), "https://git.example.com/other/infra", false),
        // A denial that names something else allows, as in Argo CD.
        (json!(["!https://git.example.com/other/*"]), "https://git.example.com/team/infra", true),
        (json!([]), "https://git.example.com/team/infra", false),
    ] {
        let rules = rules_of(json!({"sourceRepos": repos, "destinations": [{"server": "*", "namespace": "*"}]}));
        let violations = rules.check_sources(&of_url(url));
        assert_eq!(violations.is_empty(), is_permitted, "{repos} {url}");
    }
}

#[test]
fn destinations_match_by_server_or_name_and_namespace() {
    let prod = "https://prod.example.com";
    for (destinations, name, namespace, is_permitted) in [
        (json!([{"server": "*", "namespace": "*"}]), "", "a", true),
        (json!([{"server": prod, "namespace": "team-*"}]), "", "team-a", true),
        (json!([{"server": prod, "namespace": "team-*"}]), "", "other", false),
        (json!([{"server": "https://*.example.com", "namespace": "*"}]), "", "a", true),
        (json!([{"name": "prod", "namespace": "*"}]), "prod", "a", true),
        (json!([{"name": "prod", "namespace": "*"}]), "stage", "a", false),
        (
            json!([{"server": "*", "namespace": "*"}, {"server": prod, "namespace": "!kube-system"}]),
            "",
            "kube-system",
            false,
        ),
        (json!([{"server": "*", "namespace": "*"}, {"server": prod, "namespace": "!kube-system"}]), "", "a", true),
        // A denied namespace needs the server of its entry.
        (
            json!([{"server": "*", "namespace": "*"}, {"server": "https://x", "namespace": "!kube-system"}]),
            "",
            "kube-system",
            true,
        ),
        (json!([{"server": "*", "namespace": "*"}, {"server": format!("!{prod}"), "namespace": "a"}]), "", "a", false),
        (json!([{"server": "*", "namespace": "*"}, {"server": format!("!{prod}"), "namespace": "a"}]), "", "b", true),
        // A denied name holds in every namespace.
        (json!([{"server": "*", "namespace": "*"}, {"name": "!prod", "namespace": "a"}]), "prod", "b", false),
        (json!([]), "", "a", false),
    ] {
        let rules = rules_of(json!({"sourceRepos": ["*"], "destinations": destinations}));
        let config_map = [resource("", "ConfigMap", namespace, "settings")];
        let violations = rules.check_resources(config_map, &cluster(prod, name));
        assert_eq!(violations.is_empty(), is_permitted, "{destinations} {name} {namespace}");
    }
}

#[test]
fn lists_of_kinds_follow_the_rules_of_nil_and_empty() {
    let (deployment, role) =
        (resource("apps", "Deployment", "a", "web"), resource("rbac.authorization.k8s.io", "ClusterRole", "", "web"));
    let team = resource("", "Namespace", "", "team-a");
    for (lists, object, is_permitted) in [
        (json!({}), deployment, true),
        (json!({"namespaceResourceWhitelist": null}), deployment, true),
        (json!({"namespaceResourceWhitelist": []}), deployment, false),
        (json!({"namespaceResourceWhitelist": [{"group": "apps", "kind": "Deployment"}]}), deployment, true),
        (json!({"namespaceResourceWhitelist": [{"group": "*", "kind": "Deploy*"}]}), deployment, true),
        (json!({"namespaceResourceWhitelist": [{"group": "", "kind": "*"}]}), deployment, false),
        (json!({"namespaceResourceBlacklist": [{"group": "apps", "kind": "*"}]}), deployment, false),
        (json!({"namespaceResourceBlacklist": []}), deployment, true),
        (
            json!({"namespaceResourceWhitelist": [{"group": "*", "kind": "*"}],
                "namespaceResourceBlacklist": [{"group": "apps", "kind": "Deployment"}]}),
            deployment,
            false,
        ),
        (json!({}), role, false),
        (json!({"clusterResourceWhitelist": []}), role, false),
        (json!({"clusterResourceWhitelist": [{"group": "*", "kind": "*"}]}), role, true),
        (
            json!({"clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
                "clusterResourceBlacklist": [{"group": "rbac.authorization.k8s.io", "kind": "*"}]}),
            role,
            false,
        ),
        (json!({"clusterResourceWhitelist": [{"group": "", "kind": "Namespace", "name": "team-*"}]}), team, true),
        (json!({"clusterResourceWhitelist": [{"group": "", "kind": "Namespace", "name": "shop-*"}]}), team, false),
        (
            json!({"clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
                "clusterResourceBlacklist": [{"group": "", "kind": "Namespace", "name": "team-*"}]}),
            team,
            false,
        ),
    ] {
        let mut spec = json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]});
        spec.as_object_mut().unwrap().extend(lists.as_object().unwrap().clone());
        let violations = rules_of(spec).check_resources([object], &cluster("https://x", ""));
        assert_eq!(violations.is_empty(), is_permitted, "{lists} {}", object.kind);
    }
}

/// A violation names the rule, its line, and the objects; objects of one kind are one violation.
#[test]
fn a_violation_names_its_rule_and_its_line() {
    let text = "\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: team}
spec:
  sourceRepos:
  - https://git.example.com/team/*
  - '!https://git.example.com/team/secret'
  destinations:
  - {server: '*', namespace: team}
  namespaceResourceBlacklist:
  - {group: '', kind: ConfigMap}
";
    let text =
        ManifestText { name: "team.yaml".to_owned(), bytes: text.into(), folder: ".".into(), given: Given::InFolder };
    let projects = Projects::new(crate::app::read(&[text]).projects);
    let ProjectLookup::Found(rules) = projects.rules("team", &[], &ProjectScoped::default()) else { panic!() };
    let prod = cluster("https://prod.example.com", "");
    let names: Vec<String> = (0..5).map(|number| format!("settings-{number}")).collect();
    let mut objects: Vec<CheckedResource<'_>> =
        names.iter().map(|name| resource("", "ConfigMap", "team", name)).collect();
    objects.extend([resource("apps", "Deployment", "other", "web"), resource("", "Namespace", "", "team")]);
    let mut found = rules.check_application(&of_url("https://git.example.com/team/secret"), "argocd", &prod);
    found.extend(rules.check_application(&of_url("https://example.com/x"), "argocd", &prod));
    found.extend(rules.check_resources(objects, &prod));
    let shown: Vec<String> = found.iter().map(|it| format!("{it} ({})", it.place)).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    project `team` does not permit the source https://git.example.com/team/secret: `!https://git.example.com/team/secret` in `sourceRepos` forbids it (team.yaml:7)
    project `team` does not permit `ConfigMap` (team/settings-0, team/settings-1, team/settings-2 and 2 more): `ConfigMap` in `namespaceResourceBlacklist` forbids it (team.yaml:11)
    project `team` does not permit namespace `other` of https://prod.example.com (Deployment/web): no entry of `destinations` allows it (team.yaml:8)
    project `team` does not permit `Namespace` (team): no entry of `clusterResourceWhitelist` allows it (team.yaml:1)
    ");
}

#[test]
fn applications_live_in_the_namespaces_of_argo_cd_and_of_source_namespaces() {
    let spec = json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                      "sourceNamespaces": ["team-*", "/^shop-[0-9]+$/"]});
    let rules = rules_of(spec);
    for (namespace, is_permitted) in
        [("", true), ("argocd", true), ("team-a", true), ("shop-12", true), ("shop-x", false), ("other", false)]
    {
        let web = application(
            json!({"project": "team", "source": {"repoURL": "https://x", "path": "."},
                   "destination": {"server": "https://prod.example.com", "namespace": "team"}}),
            namespace,
        );
        let violations = rules.check_application(&web, "argocd", &cluster("https://prod.example.com", ""));
        assert_eq!(violations.is_empty(), is_permitted, "{namespace}");
    }
}

#[test]
fn global_projects_add_their_rules() {
    let data = json!([{"projectName": "company", "labelSelector": {"matchLabels": {"team": "team"}}}]).to_string();
    let data = [("globalProjects".to_owned(), data)].into();
    let (settings, errors) = ComparisonSettings::of(&Settings { file: "argocd-cm.yaml".to_owned(), data });
    assert!(errors.is_empty(), "{errors:?}");
    let company = project(
        "company",
        json!({
        "sourceRepos": ["https://git.example.com/company/*"],
        "namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}],
        "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}]}),
    );
    let own = project(
        "team",
        json!({"sourceRepos": ["https://git.example.com/team/*"],
        "destinations": [{"server": "*", "namespace": "*"}]}),
    );
    let files = [("company.yaml", company), ("team.yaml", own)];
    let rules = rules_with(&files, &settings.global_projects, &ProjectScoped::default());
    assert_eq!(rules.check_sources(&of_url("https://git.example.com/company/base")), []);
    let objects = [
        resource("", "Secret", "team", "token"),
        resource("", "ConfigMap", "team", "settings"),
        resource("", "Namespace", "", "team"),
    ];
    let found = rules.check_resources(objects, &cluster("https://x", ""));
    let forbidden: Vec<(ProjectRule, String)> = found.iter().map(|it| (it.rule, it.place.to_string())).collect();
    assert_eq!(forbidden.len(), 1, "{found:?}");
    assert_eq!(forbidden[0].0, ProjectRule::NamespaceResourceBlacklist);
    assert!(forbidden[0].1.starts_with("company.yaml:"), "{forbidden:?}");
}

#[test]
fn what_belongs_to_a_project_alone_is_permitted_to_it() {
    let scoped = ProjectScoped {
        clusters: vec![ScopedCluster {
            project: "team".to_owned(),
            server: "https://own.example.com".to_owned(),
            name: "own".to_owned(),
            namespaces: vec!["a".to_owned()],
        }],
        repositories: vec![("team".to_owned(), "https://git.example.com/own".to_owned())],
    };
    let spec = json!({"sourceRepos": [], "destinations": [{"server": "https://shared", "namespace": "*"}],
                      "permitOnlyProjectScopedClusters": true});
    let rules = rules_with(&[("team.yaml", project("team", spec))], &[], &scoped);
    assert_eq!(rules.check_sources(&of_url("https://git.example.com/own.git")), []);
    for (server, namespace, rule) in [
        ("https://own.example.com", "a", None),
        ("https://own.example.com", "b", Some(ProjectRule::Destinations)),
        ("https://shared", "a", Some(ProjectRule::PermitOnlyProjectScopedClusters)),
    ] {
        let objects = [resource("", "ConfigMap", namespace, "settings")];
        let found = rules.check_resources(objects, &cluster(server, ""));
        assert_eq!(found.first().map(|it| it.rule), rule, "{server} {namespace}");
    }
}

#[test]
fn a_name_stands_for_one_project_or_for_an_error() {
    let spec = json!({"sourceRepos": ["*"]});
    let lookup = |files: &[(&str, Value)], name: &str| {
        Projects::new(read(files).projects).rules(name, &[], &ProjectScoped::default())
    };
    let team = || project("team", spec.clone());
    assert_eq!(lookup(&[], "team"), ProjectLookup::Unchecked);
    assert!(matches!(lookup(&[("a.yaml", team())], "team"), ProjectLookup::Found(_)));
    assert!(matches!(lookup(&[("a.yaml", team())], "default"), ProjectLookup::Found(_)));
    assert!(matches!(lookup(&[("a.yaml", team())], "other"), ProjectLookup::Missing { .. }));
    assert!(matches!(lookup(&[("a.yaml", team()), ("b.yaml", team())], "team"), ProjectLookup::Several(_)));
    let wrong = project("team", json!({"sourceRepos": "*"}));
    assert!(matches!(lookup(&[("a.yaml", wrong)], "team"), ProjectLookup::Invalid(_)));
    let messages: Vec<String> =
        read(&[("a.yaml", team()), ("b.yaml", team())]).findings.iter().map(|it| it.message.clone()).collect();
    assert_eq!(
        messages,
        [
            "project team: 2 AppProjects have this name: a.yaml:1 and b.yaml:1",
            // Beside it: nothing to sync was found.
        ]
    );
}

#[test]
fn the_default_project_allows_everything_where_nobody_defines_it() {
    let files = [("a.yaml", project("team", json!({})))];
    let projects = Projects::new(read(&files).projects);
    let ProjectLookup::Found(rules) = projects.rules("default", &[], &ProjectScoped::default()) else { panic!() };
    let prod = cluster("https://prod.example.com", "");
    assert_eq!(rules.check_application(&of_url("https://anywhere.example.com/x/y"), "argocd", &prod), []);
    let objects = [resource("", "Namespace", "", "a"), resource("apps", "Deployment", "a", "web")];
    assert_eq!(rules.check_resources(objects, &prod), []);
}

/// Signatures are not verified yet, so what needs one is refused.
#[test]
fn a_source_that_needs_a_signature_is_refused() {
    let git = |policies: Value| json!({"git": {"policies": policies}});
    let policy =
        |url: &str, mode: &str| json!({"repos": [{"url": url}], "gpg": {"mode": mode, "keys": ["D56C4FCA57A46444"]}});
    let keys = json!([{"keyID": "D56C4FCA57A46444"}]);
    let all = "https://git.example.com/*";
    for (name, more, rule) in [
        ("nothing", json!({}), None),
        ("the older keys", json!({"signatureKeys": keys}), Some(ProjectRule::SignatureKeys)),
        ("no keys", json!({"signatureKeys": []}), None),
        (
            "a head policy",
            json!({"sourceIntegrity": git(json!([policy(all, "head")]))}),
            Some(ProjectRule::SourceIntegrity),
        ),
        (
            "a strict policy",
            json!({"sourceIntegrity": git(json!([policy(all, "strict")]))}),
            Some(ProjectRule::SourceIntegrity),
        ),
        ("a policy that is off", json!({"sourceIntegrity": git(json!([policy(all, "none")]))}), None),
        ("another repository", json!({"sourceIntegrity": git(json!([policy("https://other/*", "head")]))}), None),
        (
            "a denial",
            json!({"sourceIntegrity": git(json!([
            {"repos": [{"url": all}, {"url": "!*/infra"}], "gpg": {"mode": "head", "keys": []}}]))}),
            None,
        ),
        (
            "two policies",
            json!({"sourceIntegrity": git(json!([policy(all, "none"), policy("*", "none")]))}),
            Some(ProjectRule::SourceIntegrity),
        ),
        (
            "the newer policies count",
            json!({"signatureKeys": keys, "sourceIntegrity": git(json!([policy(all, "none")]))}),
            None,
        ),
    ] {
        let mut spec = json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let found = rules_of(spec).check_sources(&of_url("https://git.example.com/infra"));
        assert_eq!(found.first().map(|it| it.rule), rule, "{name}: {found:?}");
    }
}

/// Every fault of a project, each at its line.
#[test]
fn faults_of_a_project_are_found_at_their_lines() {
    let text = "\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: team}
spec:
  sourceRepo: ['*']
  sourceRepos: ['!*', 'https://x/[', a, a]
  destinations:
  - {server: '*', namespaces: a}
  syncWindows:
  - {kind: allow, schedule: '61 * * * *', duration: 1h, applications: ['*']}
  - {kind: open, schedule: '@daily', duration: 1d, timeZone: Europe/Berlim, applications: []}
";
    let text =
        ManifestText { name: "team.yaml".to_owned(), bytes: text.into(), folder: ".".into(), given: Given::InFolder };
    let manifests = crate::app::read(&[text]);
    let shown = manifests.findings.iter().map(|it| {
        let line = it.excerpt.as_ref().map(crate::finding::Excerpt::line).unwrap_or_default();
        let help = it.help.clone().unwrap_or_default();
        format!("{line} {:?} {} ({help})", it.severity, it.message)
    });
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r"
    5 Warning project team: `sourceRepo` is not a field of `spec` (as it stands, it has no effect)
    6 Error project team: `spec.sourceRepos` denies everything: `!*` (Argo CD refuses it; remove the entry to allow nothing)
    6 Error project team: `spec.sourceRepos[1]` is `https://x/[`, which is not a glob: unexpected end of input (write `*` for any text, `?` for one letter, `[a-z]` for one of several, `{a,b}` for a choice)
    6 Warning project team: `spec.sourceRepos` has `a` twice (remove one of them)
    8 Warning project team: `namespaces` is not a field of `spec.destinations[0]` (as it stands, it has no effect)
    10 Error project team: `spec.syncWindows[0].schedule` is `61 * * * *`, which is not a schedule: `61` is not within 0-59 (write five fields: minute, hour, day of month, month, day of week, as in `0 22 * * mon-fri`)
    11 Error project team: `spec.syncWindows[1]` names no application, namespace or cluster (add `applications`, `namespaces` or `clusters`; `['*']` matches all)
    11 Error project team: `spec.syncWindows[1].kind` is `open`, not `allow` or `deny` (`allow` opens syncs at its times, `deny` closes them)
    11 Warning project team: `spec.syncWindows[1].schedule` is `@daily`, which Argo CD refuses (write the five fields, as in `0 0 * * *` for `@daily`)
    11 Error project team: `spec.syncWindows[1].duration` is `1d`, which is not a duration: its unit is not one of `h`, `m`, `s`, `ms`, `us`, `ns` (write it as `90m` or `1h30m`)
    11 Error project team: `spec.syncWindows[1].timeZone` is `Europe/Berlim`, which is not a time zone (write a name of the IANA database, such as `Europe/Berlin`; without one it is UTC)
    ");
}
