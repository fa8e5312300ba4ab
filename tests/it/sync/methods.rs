//! How an object is brought: applied, replaced, made anew, adopted; and what of the live one stays.

use serde_json::{Value, json};

use super::{annotated, live, steps};
use crate::harness::{TestApplication, TestCluster, TestRepo, config_map, deployment, or_skip, trueup};

const OPTIONS: &str = "argocd.argoproj.io/sync-options";

#[track_caller]
fn synced(shop: &TestApplication) -> Value {
    trueup(["sync", "-y", "-o", "json"]).of(shop).exits(0).json()
}

fn action(report: &Value) -> (&str, &str) {
    let step = &report["applications"][0]["operation"]["steps"][0];
    (step["action"].as_str().unwrap_or_default(), step["message"].as_str().unwrap_or_default())
}

/// `Replace=true`: what the cluster has beside git goes, as `kubectl replace` does it; and then there is nothing to do.
#[test]
fn what_is_replaced_is_what_git_says_and_nothing_else() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let replaced = |value: &str| annotated(OPTIONS, "Replace=true", config_map("settings").data("a", value));
    let git = TestRepo::new().file("settings.yaml", replaced("1")).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);
    let object = || live(&cluster, "configmap", "settings").unwrap();

    assert_eq!(action(&synced(&shop)), ("replace", "created"));
    let uid = object()["metadata"]["uid"].clone();
    assert_eq!(synced(&shop)["requests"]["write"], 0);
    trueup(["diff"]).of(&shop).exits(0);

    cluster.kubectl(["patch", "configmap", "settings", "--type=merge", "-p", r#"{"data": {"more": "by hand"}}"#]);
    let git = git.file("settings.yaml", replaced("2")).commit("two");
    assert_eq!(action(&synced(&shop)), ("replace", "replaced"));
    assert_eq!(object()["data"], json!({"a": "2"}));
    assert_eq!(object()["metadata"]["uid"], uid, "it is the same object");
    assert_eq!(synced(&shop)["requests"]["write"], 0);

    // It is ours like everything else: git drops it, and it goes.
    let _git = git.remove("settings.yaml").file("other.yaml", config_map("other")).commit("gone");
    trueup(["sync", "-y", "--prune", "--max-prune", "100%"]).of(&shop).exits(0);
    assert!(live(&cluster, "configmap", "settings").is_none());
}

/// `Replace=true,Force=true`: deleted and made anew each time that it differs.
#[test]
fn what_is_replaced_by_force_is_made_anew() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let forced = |value: &str| annotated(OPTIONS, "Replace=true,Force=true", config_map("settings").data("a", value));
    let git = TestRepo::new().file("settings.yaml", forced("1")).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);
    synced(&shop);
    let first = live(&cluster, "configmap", "settings").unwrap();
    let _git = git.file("settings.yaml", forced("2")).commit("two");

    assert_eq!(action(&synced(&shop)), ("recreate", "recreated"));

    let second = live(&cluster, "configmap", "settings").unwrap();
    assert_ne!(second["metadata"]["uid"], first["metadata"]["uid"]);
    assert_eq!(second["data"]["a"], "2");
    assert_eq!(synced(&shop)["requests"]["write"], 0);
}

/// An autoscaler has the replicas: with `RespectIgnoreDifferences` a sync of something else leaves them to it.
#[test]
fn what_is_ignored_stays_where_that_is_respected() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("web.yaml", deployment("web").replicas(2)).commit("two replicas");
    let ignored = json!([{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]);
    let ignoring = |options: Value| {
        git.application("shop")
            .deployed_to(&cluster)
            .spec_field("ignoreDifferences", ignored.clone())
            .spec_field("syncPolicy", json!({"syncOptions": options}))
    };
    let (careless, respectful) = (ignoring(json!([])), ignoring(json!(["RespectIgnoreDifferences=true"])));
    let live_of = || {
        let web = live(&cluster, "deployment", "web").unwrap();
        let image = web["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
        (web["spec"]["replicas"].as_i64().unwrap(), image)
    };
    synced(&respectful);
    cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);

    let image = |image: &str| deployment("web").replicas(2).image(image);
    let git = git.file("web.yaml", image("registry.example.com/web:2")).commit("another image");
    synced(&respectful);
    assert_eq!(live_of(), (5, "registry.example.com/web:2".to_owned()));
    assert_eq!(synced(&respectful)["requests"]["write"], 0);

    let _git = git.file("web.yaml", image("registry.example.com/web:3")).commit("a third one");
    synced(&careless);
    assert_eq!(live_of(), (2, "registry.example.com/web:3".to_owned()));
}

/// From `kubectl apply` to trueup: after `--adopt` a field that git drops goes away, and the last-applied annotation with it.
#[test]
fn what_kubectl_applied_is_adopted() {
    let cluster = or_skip!(TestCluster::namespace());
    let settings = || config_map("settings").data("a", "1");
    cluster.apply(settings().data("b", "2"));
    let git = TestRepo::new().file("settings.yaml", settings().data("b", "2")).commit("as it is");
    let shop = git.application("shop").deployed_to(&cluster);
    let object = || live(&cluster, "configmap", "settings").unwrap();

    let adopted = trueup(["sync", "-y", "--adopt", "-o", "json"]).of(&shop).exits(0).json();
    assert_eq!(steps(&adopted), ["Sync ConfigMap/settings done"]);
    let managers: Vec<Value> = object()["metadata"]["managedFields"].as_array().unwrap().clone();
    assert_eq!(managers.len(), 1, "{managers:#?}");
    assert_eq!((&managers[0]["manager"], &managers[0]["operation"]), (&json!("trueup"), &json!("Apply")));
    assert_eq!(synced(&shop)["requests"]["write"], 0);

    let _git = git.file("settings.yaml", settings()).commit("no b");
    synced(&shop);
    assert_eq!(object()["data"], json!({"a": "1"}));
    trueup(["diff"]).of(&shop).exits(0);
}

/// A password that git drops must not stay in the cluster: the server keeps no `stringData`, so that whoever applies it owns
/// nothing of what becomes of it.
#[test]
fn a_text_of_a_secret_that_git_drops_goes() {
    let cluster = or_skip!(TestCluster::namespace());
    let secret = |texts: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}, "stringData": texts, "data": {"pin": "MQ=="}});
    let git = TestRepo::new().file("login.yaml", secret(json!({"old": "hunter2", "user": "ada"}))).commit("two texts");
    let shop = git.application("shop").deployed_to(&cluster);
    synced(&shop);
    trueup(["diff"]).of(&shop).exits(0);
    let data = || live(&cluster, "secret", "login").unwrap()["data"].clone();
    cluster.kubectl(["patch", "secret", "login", "-p", r#"{"stringData": {"old": "changed"}}"#]);
    let changed = trueup(["diff", "-o", "json"]).of(&shop).exits(1).json();
    assert_eq!(changed["applications"][0]["resources"][0]["fields"][0]["moved"], "cluster");
    synced(&shop);

    let git = git.file("login.yaml", secret(json!({"user": "ada"}))).commit("one text");
    trueup(["diff"]).of(&shop).exits(1);
    synced(&shop);

    assert_eq!(data(), json!({"pin": "MQ==", "user": "YWRh"}));
    let after = trueup(["diff", "-o", "json"]).of(&shop).exits(0).json();
    assert_eq!(after["applications"][0]["resources"][0]["additions"], Value::Null, "{after:#}");
    drop(git);
}

/// A role whose rules the control plane puts together: whoever is bound to it keeps every right while something else of it is
/// synced, however it is applied, and a comparison has nothing to report.
#[test]
fn the_rules_of_an_aggregated_role_are_left_to_the_control_plane() {
    let by_controller = or_skip!(TestCluster::with_controllers());
    rules_are_left_alone(&by_controller, |role| {
        let rules = "--for=jsonpath={.rules[0].resources[0]}=pods";
        by_controller.kubectl(["wait", &format!("clusterrole/{role}"), rules, "--timeout=60s"]);
    });
    // Nobody writes them again here: rules that were emptied would stay empty.
    let by_hand = or_skip!(TestCluster::namespace());
    rules_are_left_alone(&by_hand, |role| {
        let rules = json!({"apiVersion": ROLES, "kind": "ClusterRole", "metadata": {"name": role}, "rules": pods()});
        let apply = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=clusterrole-aggregation-controller",
            "-f",
            "-",
        ];
        let applied = by_hand.try_kubectl(by_hand.kubeconfig(), &apply, &rules.to_string());
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    });
}

const ROLES: &str = "rbac.authorization.k8s.io/v1";

fn pods() -> Value {
    json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])
}

#[track_caller]
fn rules_are_left_alone(cluster: &TestCluster, are_written: impl Fn(&str)) {
    let (sum, part) = (format!("{}-sum", cluster.name()), format!("{}-part", cluster.name()));
    let label = format!("example.com/{}", cluster.name());
    let role = |team: &str, options: &str| {
        json!({"apiVersion": ROLES, "kind": "ClusterRole",
               "metadata": {"name": sum, "labels": {"team": team}, "annotations": {OPTIONS: options}},
               "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {&label: "true"}}]},
               "rules": []})
    };
    let in_part = json!({"apiVersion": ROLES, "kind": "ClusterRole",
                         "metadata": {"name": part, "labels": {&label: "true"}}, "rules": pods()});
    let mut git = TestRepo::new().file("part.json", &in_part).file("sum.json", role("a", "")).commit("two roles");
    let shop = git.application(cluster.name()).deployed_to(cluster);
    synced(&shop);
    are_written(&sum);
    trueup(["diff"]).of(&shop).exits(0);

    for (team, options) in [("b", ""), ("c", "Replace=true"), ("d", "")] {
        git = git.file("sum.json", role(team, options)).commit(team);
        synced(&shop);
        let now = live(cluster, "clusterrole", &sum).unwrap();
        assert_eq!((&now["metadata"]["labels"]["team"], &now["rules"]), (&json!(team), &pods()), "{team}");
        trueup(["diff"]).of(&shop).exits(0);
    }
    cluster.kubectl(["delete", "clusterrole", &sum, &part]);
}
