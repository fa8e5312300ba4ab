use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::app::settings::{ComparisonSettings, Settings};
use crate::app::{Application, Given, ManifestText};
use crate::object::Origin;
use crate::status::compare::{Answer, Look, first_look, second_look};

/// An Application with these ignore rules.
fn application(rules: &Value) -> Application {
    let manifest = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop"},
        "spec": {"source": {"repoURL": "https://git.example.com/shop", "path": "."}, "ignoreDifferences": rules,
                 "project": "default", "destination": {"server": "https://10.0.0.1", "namespace": "shop"}}});
    let text = ManifestText {
        name: "apps/shop.yaml".to_owned(),
        bytes: manifest.to_string().into_bytes(),
        folder: ".".into(),
        given: Given::ByName,
    };
    let read = crate::app::read(&[text]);
    read.applications.into_iter().next().unwrap().unwrap()
}

/// The drift of a pair, as the server predicts it.
fn compared(git: &Object, live: &Object, predicted: &Object) -> ResourceDrift {
    match first_look(git, Some(&Arc::new(live.clone())), None, &Arc::default()) {
        Look::Settled(drift) => *drift,
        Look::Ask(question) => second_look(&question, Answer::Predicted(predicted.clone())),
    }
}

fn run(rules: &IgnoreRules, resources: &mut [ResourceDrift], live: &[Object]) -> Vec<RuleFault> {
    let found = |drift: &ResourceDrift| live.iter().find(|live| live.name() == drift.name);
    let mut ignoring = Ignoring::begin(rules, resources, found);
    for Expression { rule, text, values } in ignoring.expressions() {
        ignoring.answer(rule, named(&text, &values));
    }
    ignoring.finish(resources)
}

#[expect(clippy::needless_pass_by_value, reason = "the cases read better")]
fn deployment(spec: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec})
}

#[expect(clippy::needless_pass_by_value, reason = "the cases read better")]
fn pod(containers: Value) -> Value {
    deployment(json!({"template": {"spec": {"containers": containers}}}))
}

/// The rest of the differences, and what is ignored, as pointers.
#[expect(clippy::needless_pass_by_value, reason = "the cases read better")]
fn outcome(rule: Value, git: Value, live: Value) -> (String, String) {
    let mut entry = json!({"group": "apps", "kind": "Deployment"});
    entry.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
    let (rules, faults) = IgnoreRules::of(&application(&json!([entry])), &ComparisonSettings::default(), &[], &[]);
    assert_eq!(faults, []);
    let (git, live) = (Object::new(git).unwrap(), Object::new(live).unwrap());
    let mut resources = [compared(&git, &live, &git)];
    run(&rules, &mut resources, &[live]);
    let [drift] = resources;
    assert_eq!(drift.state == ResourceState::Changed, !drift.fields.is_empty());
    let kept: Vec<String> = drift.fields.iter().map(|field| field.path.to_string()).collect();
    let ignored: Vec<String> = drift.ignored.iter().map(|ignored| ignored.field.path.to_string()).collect();
    (kept.join(" "), ignored.join(" "))
}

const CONTAINERS: &str = "/spec/template/spec/containers";

/// Argo CD's page "Diff Customization", and what people ask for in its issues.
#[test]
#[expect(clippy::too_many_lines, reason = "a table is as long as its cases")]
fn what_a_rule_names_is_no_difference_and_all_else_stays_one() {
    let web = |image: &str| json!({"name": "web", "image": image});
    let proxy = || json!({"name": "istio-proxy", "image": "istio"});
    let at = |place: &str| format!("{CONTAINERS}{place}");
    let replicas = |number: u64, paused: bool| deployment(json!({"replicas": number, "paused": paused}));
    let pointer = |pointer: &str| json!({"jsonPointers": [pointer]});
    let jq = |expression: &str| json!({"jqPathExpressions": [expression]});
    let cases: Vec<(&str, Value, Value, Value, String, String)> = vec![
        (
            "a pointer to a scalar",
            pointer("/spec/replicas"),
            replicas(2, true),
            replicas(5, false),
            "/spec/paused".to_owned(),
            "/spec/replicas".to_owned(),
        ),
        (
            "a pointer to all of it",
            pointer("/spec"),
            replicas(2, true),
            replicas(5, false),
            String::new(),
            "/spec/paused /spec/replicas".to_owned(),
        ),
        (
            "a pointer to nothing",
            pointer("/spec/template"),
            replicas(2, true),
            replicas(5, true),
            "/spec/replicas".to_owned(),
            String::new(),
        ),
        (
            "an injected container by its place: the places of the others do not change",
            pointer(&at("/0")),
            pod(json!([web("web:2")])),
            pod(json!([proxy(), web("web:1")])),
            at("/1/image"),
            at("/0"),
        ),
        (
            "an injected container by its name",
            jq(".spec.template.spec.containers[] | select(.name == \"istio-proxy\")"),
            pod(json!([web("web:2")])),
            pod(json!([proxy(), web("web:1")])),
            at("/1/image"),
            at("/0"),
        ),
        (
            "a field of a list's item, behind one that a sync would take away",
            jq(".spec.template.spec.containers[] | select(.name == \"web\") | .image"),
            pod(json!([web("web:2")])),
            pod(json!([proxy(), web("web:1")])),
            at("/0"),
            at("/1/image"),
        ),
        (
            "a value that is selected on one side only is still a difference",
            jq(".spec.replicas | select(. == 5)"),
            replicas(2, true),
            replicas(5, true),
            "/spec/replicas".to_owned(),
            String::new(),
        ),
        (
            "a part of what is new in git",
            pointer("/metadata/annotations/b"),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "annotations": {"a": "1", "b": "2"}}}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}),
            "/metadata/annotations".to_owned(),
            "/metadata/annotations/b".to_owned(),
        ),
        (
            "all of what is new in git",
            json!({"jsonPointers": ["/metadata/annotations/b"], "jqPathExpressions": [".metadata.annotations.a"]}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "annotations": {"a": "1", "b": "2"}}}),
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}),
            String::new(),
            "/metadata/annotations/a /metadata/annotations/b".to_owned(),
        ),
        (
            "a part of what is gone from git",
            pointer("/spec/strategy/type"),
            deployment(json!({"replicas": 2})),
            deployment(json!({"replicas": 1, "strategy": {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}})),
            "/spec/replicas /spec/strategy/rollingUpdate".to_owned(),
            "/spec/strategy/type".to_owned(),
        ),
        (
            "an expression that fails takes nothing away",
            jq(".spec.replicas[]"),
            replicas(2, true),
            replicas(5, true),
            "/spec/replicas".to_owned(),
            String::new(),
        ),
    ];
    for (name, rule, git, live, kept, ignored) in cases {
        assert_eq!(outcome(rule, git, live), (kept, ignored), "{name}");
    }
}

/// Argo CD: what a trusted manager holds is left to it, whatever git says.
#[test]
fn a_field_that_a_named_manager_holds_is_ignored() {
    let git = deployment(json!({"replicas": 2, "paused": true}));
    let mut live = deployment(json!({"replicas": 5, "paused": false}));
    let entry = |manager: &str, fields: Value| json!({"manager": manager, "operation": "Update", "apiVersion": "apps/v1", "fieldsV1": {"f:spec": fields}});
    live["metadata"]["managedFields"] =
        json!([entry("autoscaler", json!({"f:replicas": {}})), entry("kubectl-edit", json!({"f:paused": {}}))]);
    let rule = json!({"managedFieldsManagers": ["autoscaler"]});
    assert_eq!(outcome(rule, git, live), ("/spec/paused".to_owned(), "/spec/replicas".to_owned()));
}

/// Silence about a rule that has no effect is what people of Argo CD complain of most.
#[test]
fn a_rule_of_no_use_is_named() {
    let object = |name: &str, replicas: u64| {
        let mut value = deployment(json!({"replicas": replicas}));
        value["metadata"]["name"] = json!(name);
        Object::new(value).unwrap()
    };
    let (git, live) = ([object("web", 2), object("api", 2)], [object("web", 2), object("api", 3)]);
    let faults_of = |rule: Value, settings: &ComparisonSettings| {
        let (rules, mut faults) = IgnoreRules::of(&application(&json!([rule])), settings, &[], &[]);
        let mut resources = [compared(&git[0], &live[0], &git[0]), compared(&git[1], &live[1], &git[1])];
        faults.extend(run(&rules, &mut resources, &live));
        faults.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let plain = ComparisonSettings::default();
    let apps = |more: Value| {
        let mut rule = json!({"group": "apps", "kind": "Deployment"});
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        rule
    };
    let rule = "ignore rule `spec.ignoreDifferences[0]";
    for (given, expected) in [
        (apps(json!({"jsonPointers": ["/spec/replicas"]})), None),
        // Nothing differs there now, but something could.
        (apps(json!({"name": "web", "jsonPointers": ["/spec/replicas"]})), None),
        (
            json!({"kind": "Deployment", "jsonPointers": ["/spec/replicas"]}),
            Some(".jsonPointers: /spec/replicas` at apps/shop.yaml:1 matches no object"),
        ),
        (apps(json!({"name": "wbe", "jsonPointers": ["/spec/replicas"]})), Some("matches no object")),
        (apps(json!({"jsonPointers": ["/spec/replcas"]})), Some("matches no field of any `apps/Deployment`")),
        (apps(json!({"jqPathExpressions": [".spec.nothing[]"]})), Some("matches no field")),
        (apps(json!({"jqPathExpressions": [".spec["]})), Some("`.spec[` is not a jq expression")),
        (apps(json!({"jqPathExpressions": [".spec.replicas | tostring"]})), Some("fails: ")),
        (apps(json!({"managedFieldsManagers": ["nobody"]})), Some("matches no field")),
        (json!({"group": "[", "kind": "x", "jsonPointers": ["/a"]}), Some("`[` is not a glob")),
    ] {
        let faults = faults_of(given.clone(), &plain);
        match expected {
            None => assert_eq!(faults, [""; 0], "{given}"),
            Some(words) => {
                let as_expected = faults.len() == 1 && faults[0].contains(rule) && faults[0].contains(words);
                assert!(as_expected, "{given}: {faults:#?}");
            }
        }
    }
    // Rules for every application find nothing in most: that is no news.
    let key = "resource.customizations.ignoreDifferences.batch_Job".to_owned();
    let data = [(key, "jsonPointers: [/spec/x]\njqPathExpressions: ['.spec[']".to_owned())].into();
    let (settings, errors) = ComparisonSettings::of(&Settings { file: "cm.yaml".to_owned(), data });
    assert_eq!(errors, []);
    let faults = faults_of(apps(json!({"jsonPointers": ["/spec/replicas"]})), &settings);
    assert!(faults.len() == 1 && faults[0].contains("argocd-cm resource.customizations"), "{faults:#?}");
}

/// argo-cd #12686: a rule where the resource is written. It is about that resource alone, and only what git says counts.
#[test]
fn an_annotation_in_git_is_a_rule_for_its_own_resource() {
    let object = |name: &str, replicas: u64, annotation: Option<&str>| {
        let mut value = deployment(json!({"replicas": replicas, "paused": replicas == 2}));
        value["metadata"]["name"] = json!(name);
        if let Some(text) = annotation {
            value["metadata"]["annotations"] = json!({"trueup.dev/ignore": text});
        }
        Object::new(value).unwrap().with_origin(Origin { file: "web.yaml".into(), line: 7 })
    };
    let kept = |git: Option<&str>, live: Option<&str>| {
        let git = [object("web", 2, git), object("api", 2, None)];
        let live = [object("web", 3, live), object("api", 3, None)];
        let (rules, mut faults) = IgnoreRules::of(&application(&json!([])), &ComparisonSettings::default(), &[], &git);
        let mut resources = [compared(&git[0], &live[0], &git[0]), compared(&git[1], &live[1], &git[1])];
        faults.extend(run(&rules, &mut resources, &live));
        assert_eq!(resources[1].fields.len(), 2, "another object");
        let of = |fields: &[FieldDrift]| {
            fields
                .iter()
                .map(|field| field.path.to_string())
                .filter(|path| path.starts_with("/spec"))
                .collect::<Vec<_>>()
        };
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        (of(&resources[0].fields).join(" "), faults)
    };
    for (git, live, expected, fault) in [
        (Some("/spec/replicas"), Some("/spec/replicas"), "/spec/paused", None),
        (Some("/spec/replicas\n\n  .spec.paused  \n"), None, "", None),
        // Whoever may edit the object in the cluster silences nothing.
        (None, Some("/spec/replicas\n/spec/paused"), "/spec/paused /spec/replicas", None),
        (
            Some("- /spec/replicas\n/spec/paused"),
            None,
            "/spec/replicas",
            Some(
                "invalid line `- /spec/replicas` in annotation `trueup.dev/ignore` of `apps/Deployment shop/web` at \
                  web.yaml:7",
            ),
        ),
        (Some("spec.replicas"), None, "/spec/paused /spec/replicas", Some("invalid line `spec.replicas`")),
        (
            Some(".spec.replicas["),
            None,
            "/spec/paused /spec/replicas",
            Some(
                "invalid ignore rule `trueup.dev/ignore of apps/Deployment shop/web: .spec.replicas[` at web.yaml:7: \
                  `.spec.replicas[` is not a jq expression",
            ),
        ),
        (Some("/spec/nothing"), None, "/spec/paused /spec/replicas", Some("matches no field of any `apps/Deployment`")),
    ] {
        let (kept, faults) = kept(git, live);
        assert_eq!(kept, expected, "{git:?} {live:?}");
        assert_eq!(faults.len(), usize::from(fault.is_some()), "{git:?}: {faults:#?}");
        assert!(fault.is_none_or(|fault| faults[0].contains(fault)), "{git:?}: {faults:#?}");
    }
}

/// argo-cd #15094: what the cluster changes is accepted, what git changes is not. What is not proved is not hidden.
#[test]
fn a_rule_about_the_cluster_hides_no_change_in_git() {
    let text = "ignore:\n- {group: apps, kind: Deployment, jsonPointers: [/spec/replicas], when: cluster-changed}\n";
    let file = crate::app::ignore_file::read("shop/trueup.yaml", text.as_bytes()).unwrap();
    let always = json!([{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]);
    let (git, live) = (deployment(json!({"replicas": 2})), deployment(json!({"replicas": 3})));
    let (git, live) = (Object::new(git).unwrap(), Object::new(live).unwrap());
    let not_used = "the ignore rule `shop/trueup.yaml ignore[0].jsonPointers: /spec/replicas` at shop/trueup.yaml:2 is not \
                    used on 1 field: it is not known what git said at the last sync";
    for (own, since, state, accepted, expected) in [
        (json!([]), GitSinceSync::Unchanged, ResourceState::InSync, Some(true), None),
        (json!([]), GitSinceSync::Changed, ResourceState::Changed, None, None),
        (json!([]), GitSinceSync::Unknown, ResourceState::Changed, None, Some(not_used)),
        (always, GitSinceSync::Unknown, ResourceState::InSync, Some(false), None),
    ] {
        let files = [file.clone()];
        let (rules, _) = IgnoreRules::of(&application(&own), &ComparisonSettings::default(), &files, &[]);
        let mut drift = compared(&git, &live, &git);
        drift.fields[0].git_since_sync = since;
        let mut resources = [drift];
        let faults: Vec<String> =
            run(&rules, &mut resources, std::slice::from_ref(&live)).iter().map(ToString::to_string).collect();
        assert_eq!(resources[0].state, state, "{since:?}");
        assert_eq!(resources[0].ignored.first().map(|ignored| ignored.is_accepted), accepted, "{since:?}");
        assert_eq!(faults.first().map(String::as_str), expected, "{since:?}");
    }
}

/// Argo CD's `ignoreAggregatedRoles`: a controller writes the rules, git has none.
#[test]
fn the_rules_of_an_aggregated_role_are_ignored_where_that_is_set() {
    let role = |rules: Value, aggregated: bool| {
        let mut role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                              "metadata": {"name": "all"}, "rules": rules});
        if aggregated {
            role["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]});
        }
        Object::new(role).unwrap()
    };
    let verbs = |verb: &str| json!([{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]}]);
    let settings = ComparisonSettings { ignore_aggregated_roles: true, ..ComparisonSettings::default() };
    for (aggregated, state) in [(true, ResourceState::InSync), (false, ResourceState::Changed)] {
        let (git, live) = (role(verbs("get"), aggregated), role(verbs("list"), aggregated));
        let (rules, _) = IgnoreRules::of(&application(&json!([])), &settings, &[], &[]);
        let mut resources = [compared(&git, &live, &git)];
        assert_eq!(run(&rules, &mut resources, &[live]), []);
        assert_eq!(resources[0].state, state, "aggregated: {aggregated}");
    }
}

/// Feeding the suggestion back accepts the drift, and a change beside it is still reported.
#[test]
fn a_suggestion_accepts_exactly_the_drift_now_seen() {
    let cases = [
        (deployment(json!({"replicas": 2})), deployment(json!({"replicas": 5}))),
        (
            pod(
                json!([{"name": "web", "image": "web:2", "ports": [{"containerPort": 80, "protocol": "TCP", "name": "a"}]}]),
            ),
            pod(json!([{"name": "x", "image": "x"},
                       {"name": "web", "image": "web:1", "ports": [{"containerPort": 80, "protocol": "TCP", "name": "b"}]}])),
        ),
        (pod(json!([{"name": "web"}, {"name": "new"}])), pod(json!([{"name": "web"}]))),
        (pod(json!([{"name": "web", "args": ["a", "c"]}])), pod(json!([{"name": "web", "args": ["a", "b"]}]))),
        (pod(json!([{"name": "web", "args": ["a"]}])), pod(json!([{"name": "web", "args": ["a", "b"]}]))),
    ];
    for (git, live) in cases {
        let beside = |value: &Value, text: &str| {
            let mut value = value.clone();
            value["metadata"]["labels"] = json!({"a.b/c": text});
            Object::new(value).unwrap()
        };
        let drift = {
            let (git, live) = (beside(&git, "same"), beside(&live, "same"));
            compared(&git, &live, &git)
        };
        let Suggestion { json_pointers, jq_path_expressions } = suggestion(&drift).unwrap();
        let pointers: Vec<String> = json_pointers.iter().map(ToString::to_string).collect();
        let rule = json!({"jsonPointers": pointers, "jqPathExpressions": jq_path_expressions});
        let of =
            |text: &str| outcome(rule.clone(), beside(&git, "same").into_value(), beside(&live, text).into_value());
        assert_eq!(of("same").0, "", "{rule}");
        assert_eq!(of("changed").0, "/metadata/labels/a.b~1c", "{rule}");
    }
}

fn any_map() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![any::<bool>().prop_map(Value::from), (0..3_u8).prop_map(Value::from)];
    let map = |inner: BoxedStrategy<Value>| {
        prop::collection::hash_map("[a-c]", inner, 1..4).prop_map(|map| map.into_iter().collect::<Value>())
    };
    let inner = prop_oneof![leaf.clone(), map(leaf.boxed())];
    let deeper = prop_oneof![inner.clone(), map(inner.boxed())];
    map(deeper.boxed())
}

/// Argo CD's way: what is named is taken away; and what is left empty by that with it.
fn without(value: &Value, place: &[String]) -> Option<Value> {
    let (token, rest) = place.split_first()?;
    let Value::Object(map) = value else { return Some(value.clone()) };
    let mut map = map.clone();
    if let Some(inner) = map.remove(token)
        && let Some(left) = without(&inner, rest)
    {
        map.insert(token.clone(), left);
    }
    (!map.is_empty()).then_some(Value::Object(map))
}

proptest! {
    /// A rule hides what it names and nothing else, and both sides of what is left say what the fields say.
    #[test]
    fn a_rule_never_hides_a_field_that_it_does_not_name(git in any_map(), live in any_map(),
                                                        place in prop::collection::vec("[a-c]", 1..4)) {
        let site = |spec: &Value| json!({"apiVersion": "example.com/v1", "kind": "Site",
                                         "metadata": {"name": "web"}, "spec": spec});
        let pointer: Pointer = std::iter::once("spec".to_owned()).chain(place.clone()).collect();
        let rules = json!([{"group": "example.com", "kind": "Site", "jsonPointers": [pointer.to_string()]}]);
        let (rules, _) = IgnoreRules::of(&application(&rules), &ComparisonSettings::default(), &[], &[]);
        let (wanted, held) = (Object::new(site(&git)).unwrap(), Object::new(site(&live)).unwrap());
        let before = compared(&wanted, &held, &wanted);
        let mut resources = [before.clone()];
        run(&rules, &mut resources, &[held]);
        let [drift] = resources;
        let is_same = without(&git, &place) == without(&live, &place);
        prop_assert_eq!(drift.state == ResourceState::InSync, is_same, "{:?}", drift.fields);
        for ignored in &drift.ignored {
            prop_assert!(ignored.field.path.starts_with(&pointer) || pointer.starts_with(&ignored.field.path));
        }
        if drift.ignored.is_empty() {
            prop_assert_eq!(&drift, &before);
        } else if drift.state == ResourceState::Changed {
            for field in &drift.fields {
                prop_assert_eq!(field.path.get(drift.target.as_ref().unwrap()), field.git.as_ref());
                prop_assert_eq!(field.path.get(drift.live.as_ref().unwrap()), field.live.as_ref());
            }
        }
    }
}

/// An immutable field is changed in git, and a rule covers all that is seen to differ: whether the rest would be taken is
/// what the server did not say.
#[test]
fn what_the_server_refuses_is_not_in_sync_when_all_its_differences_are_ignored() {
    let rule = json!([{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/selector"]}]);
    let (rules, _) = IgnoreRules::of(&application(&rule), &ComparisonSettings::default(), &[], &[]);
    let one = |app: &str, replicas: u32| {
        Object::new(deployment(json!({"replicas": replicas, "selector": {"matchLabels": {"app": app}}}))).unwrap()
    };
    let refused = |git: &Object, live: &Object| {
        let Look::Ask(question) = first_look(git, Some(&Arc::new(live.clone())), None, &Arc::default()) else {
            panic!("they differ")
        };
        let mut drift = [second_look(&question, Answer::Refused("field is immutable".to_owned()))];
        run(&rules, &mut drift, std::slice::from_ref(live));
        let [drift] = drift;
        assert_eq!(drift.note.as_deref(), Some("the server refuses it: field is immutable"));
        assert_eq!(drift.ignored.len(), 1);
        (drift.state, drift.fields.len())
    };
    assert_eq!(refused(&one("web", 2), &one("old", 2)), (ResourceState::Unknown, 0));
    assert_eq!(refused(&one("web", 2), &one("old", 3)), (ResourceState::Changed, 1));
}
