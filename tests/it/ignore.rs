//! What is not compared: ignore rules of Applications and of `argocd-cm`, what is excluded, what is tolerated; and what
//! people added where git is silent.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{TestCluster, TestRepo, config_map, deployment, folder_with, or_skip, trueup};

#[track_caller]
fn resource<'report>(report: &'report Value, kind: &str, name: &str) -> &'report Value {
    let resources = report["applications"][0]["resources"].as_array().expect("resources");
    let found = resources.iter().find(|resource| resource["kind"] == kind && resource["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name} in {report:#}"))
}

fn messages(report: &Value) -> Vec<String> {
    let conditions = report["applications"][0]["conditions"].as_array().expect("conditions");
    conditions.iter().map(|condition| condition["message"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A repository with a Deployment of two replicas, applied to the cluster, then scaled by hand and given another image.
fn scaled(cluster: &TestCluster) -> TestRepo {
    let git = TestRepo::new().file("web.yaml", deployment("web").replicas(2)).commit("two replicas");
    cluster.kubectl(["apply", "--server-side", "-f", &git.path().join("web.yaml").to_string_lossy()]);
    cluster.kubectl(["scale", "deployment/web", "--replicas=3"]);
    git
}

/// An autoscaler owns the replicas: the rule takes them out, counts what it hid, and hides no other field.
#[test]
fn an_ignore_rule_hides_what_it_names_and_is_counted() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = scaled(&cluster);
    let rule = json!([{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]);
    let shop = git.application("shop").spec_field("ignoreDifferences", rule).deployed_to(&cluster);

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(0).json();
    let web = resource(&report, "Deployment", "web");
    assert_eq!(web["state"], "inSync");
    let ignored = json!([{"path": "/spec/replicas", "git": 2, "live": 3,
                          "rule": "spec.ignoreDifferences[0].jsonPointers: /spec/replicas"}]);
    assert_eq!(web["ignored"], ignored);
    assert_eq!(messages(&report), [""; 0]);

    insta::assert_snapshot!(trueup(["diff", "-q", "--show-ignored"]).of(&shop).exits(0), @r"
    shop  Synced  1 in sync
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  .  HEAD  2aecc14  local repository
      ignored  1 field by spec.ignoreDifferences[0].jsonPointers: /spec/replicas

      = apps/Deployment [NAMESPACE]/web  in sync  web.yaml:1
        spec.replicas  - 3  + 2  ignored by spec.ignoreDifferences[0].jsonPointers: /spec/replicas

    1 application  1 in sync
    1 resource     1 in sync
    1 field ignored
    exit code 0    everything is in sync, or done
    [exit 0]
    ");

    cluster.kubectl(["set", "image", "deployment/web", "web=registry.example.com/web:2.0.0"]);
    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(1).json();
    let web = resource(&report, "Deployment", "web");
    assert_eq!(web["fields"].as_array().expect("fields").len(), 1, "{web:#}");
    assert_eq!(web["fields"][0]["path"], "/spec/template/spec/containers/0/image");
    assert_eq!(web["ignored"], ignored);
}

/// Every way to name a field: a manager, a jq expression on an injected container, and globs of group and kind.
#[test]
fn managers_and_expressions_and_globs_name_fields_too() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = scaled(&cluster);
    for rule in [
        json!({"group": "apps", "kind": "Deployment", "managedFieldsManagers": ["kubectl"]}),
        json!({"group": "*", "kind": "*", "jqPathExpressions": [".spec.replicas"]}),
        json!({"group": "app?", "kind": "Deploy*", "name": "web", "jqPathExpressions": [".spec | .replicas, .nothing"]}),
    ] {
        let shop = git.application("shop").spec_field("ignoreDifferences", json!([rule])).deployed_to(&cluster);
        let report = trueup(["diff", "-o", "json"]).of(&shop).exits(0).json();
        assert_eq!(resource(&report, "Deployment", "web")["ignored"][0]["path"], "/spec/replicas", "{rule}");
        assert_eq!(messages(&report), [""; 0], "{rule}");
    }
}

/// The most common mistake of all, `group` left out, and others: each is named with its line, and the drift is told.
#[test]
fn a_rule_without_effect_is_a_warning_that_names_it() {
    let git = TestRepo::new().file("web.yaml", deployment("web").replicas(2)).commit("two replicas");
    let live = folder_with([("web.yaml", &deployment("web").replicas(3))]);
    let rules = json!([
        {"kind": "Deployment", "jsonPointers": ["/spec/replicas"]},
        {"group": "apps", "kind": "Deployment", "jqPathExpressions": [".spec.replicas[", "def f: f; f"]},
        {"group": "apps", "kind": "Deployment", "managedFieldsManagers": ["nobody"]},
    ]);
    let shop = git
        .application("shop")
        .destination(json!({"name": "in-cluster", "namespace": "default"}))
        .spec_field("ignoreDifferences", rules);

    let report = trueup(["diff", "-o", "json"]).of(&shop).live(live.path()).exits(1).json();

    assert_eq!(resource(&report, "Deployment", "web")["fields"][0]["path"], "/spec/replicas");
    let messages = messages(&report);
    for part in [
        "`spec.ignoreDifferences[0].jsonPointers: /spec/replicas` at ",
        "matches no object",
        "`.spec.replicas[` is not a jq expression",
        "def f: f; f` at ",
        "it takes longer than 3 s",
        "managedFieldsManagers: nobody` at ",
    ] {
        assert!(messages.iter().any(|message| message.contains(part)), "{part}: {messages:#?}");
    }
    assert_eq!(messages.len(), 4, "{messages:#?}");
}

/// What `--suggest-ignores` prints goes into the Application as it is, and then all is in sync.
#[test]
fn a_suggested_rule_accepts_the_drift_and_no_more() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = scaled(&cluster);
    let edited =
        r#"{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"registry.example.com/web:dev"}]}}}}"#;
    cluster.kubectl(["patch", "deployment/web", "-p", edited]);
    let shop = git.application("shop").deployed_to(&cluster);

    let suggested = trueup(["diff", "-q", "--suggest-ignores"]).of(&shop).exits(1);
    insta::assert_snapshot!(suggested, @r#"
    # for `spec` of Application shop
    ignoreDifferences:
    - group: apps
      jqPathExpressions:
      - .spec.template.spec.containers[] | select(.name == "web") | .image
      jsonPointers:
      - /spec/replicas
      kind: Deployment
      name: web
      namespace: [NAMESPACE]
    [exit 1]
    "#);
    let text = &suggested.stdout;
    let read = trueup::object::yaml::read(
        text,
        &trueup::object::yaml::Limits::default(),
        trueup::object::yaml::WithPositions::No,
    );
    let block = read.into_iter().next().expect("a document").expect("YAML").value;
    let accepted = git
        .application("shop")
        .spec_field("ignoreDifferences", block["ignoreDifferences"].clone())
        .deployed_to(&cluster);
    let report = trueup(["diff", "-o", "json"]).of(&accepted).exits(0).json();
    assert_eq!(messages(&report), [""; 0]);

    cluster.kubectl(["set", "env", "deployment/web", "-c", "web", "A=b"]);
    cluster.kubectl(["patch", "deployment/web", "-p", r#"{"spec":{"paused":true}}"#]);
    let report = trueup(["diff", "-o", "json", "--strict"]).of(&accepted).exits(1).json();
    let paths: Vec<&Value> = resource(&report, "Deployment", "web")["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| &field["path"])
        .collect();
    assert_eq!(paths, ["/spec/paused", "/spec/template/spec/containers/0/env"]);
}

/// Somebody changed what git does not name: information, or drift for those who want to know.
#[test]
fn what_people_added_where_git_is_silent_is_told() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("settings.yaml", config_map("settings").data("colour", "green")).commit("green");
    cluster.kubectl([
        "apply",
        "--server-side",
        "--field-manager=trueup",
        "-f",
        &git.path().join("settings.yaml").to_string_lossy(),
    ]);
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.kubectl(["label", "configmap/settings", "team=search"]);
    cluster.kubectl(["patch", "configmap/settings", "-p", r#"{"data":{"size":"9"}}"#]);

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(0).json();
    let settings = resource(&report, "ConfigMap", "settings");
    assert_eq!(settings["state"], "inSync");
    let told: Vec<(&Value, &Value)> = settings["additions"]
        .as_array()
        .expect("additions")
        .iter()
        .map(|addition| (&addition["path"], &addition["by"]["manager"]))
        .collect();
    assert_eq!(
        told,
        [(&json!("/data/size"), &json!("kubectl-patch")), (&json!("/metadata/labels"), &json!("kubectl-label"))]
    );
    insta::assert_snapshot!(trueup(["diff", "-q"]).of(&shop).exits(0), @r#"
    shop  Synced  1 in sync
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  .  HEAD  be70988  local repository

      = ConfigMap [NAMESPACE]/settings  in sync  settings.yaml:1
        data.size  9  added by kubectl-patch, [AGO]
        metadata.labels  {"team":"search"}  added by kubectl-label, [AGO]

    1 application  1 in sync
    1 resource     1 in sync
    2 additions not set in git
    exit code 0    everything is in sync, or done
    [exit 0]
    "#);
    insta::assert_snapshot!(trueup(["diff", "-q", "--strict", "-U", "0"]).of(&shop).exits(1), @r#"
    - live, + git: what a sync would change

    shop  OutOfSync  1 changed
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  .  HEAD  be70988  local repository

      ~ ConfigMap [NAMESPACE]/settings  changed  settings.yaml:1
        data.size  added in the cluster by kubectl-patch, [AGO]
          - size: "9"
        metadata.labels  added in the cluster by kubectl-label, [AGO]
          - labels:
          -   team: search

    1 application  1 out of sync
    1 resource     1 changed
    exit code 1    drift: something is changed, missing or extra
    [exit 1]
    "#);
}

/// A team's settings of Argo CD count here too, from a file or from the cluster itself.
#[test]
fn the_settings_of_argo_cd_are_obeyed() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = scaled(&cluster);
    let shop = git.application("shop").deployed_to(&cluster);
    let settings = config_map("argocd-cm")
        .data("resource.customizations.ignoreDifferences.apps_Deployment", "jsonPointers:\n- /spec/replicas\n");
    let folder = folder_with([("argocd-cm.yaml", &settings)]);
    let file = folder.path().join("argocd-cm.yaml");

    trueup(["diff"]).of(&shop).exits(1);
    let report = trueup(["diff", "-o", "json", "--argocd-cm"]).argument(&file).of(&shop).exits(0).json();
    let rule = "argocd-cm resource.customizations.ignoreDifferences.apps_Deployment.jsonPointers: /spec/replicas";
    assert_eq!(resource(&report, "Deployment", "web")["ignored"][0]["rule"], rule);

    let from_cluster =
        || trueup(["diff", "-o", "json", "--argocd-cm-from-cluster"]).arguments(["--argocd-namespace", cluster.name()]);
    let none = from_cluster().of(&shop).exits(2).json();
    assert!(
        none["findings"][0]["message"].as_str().unwrap().starts_with("ConfigMap `argocd-cm` not found in namespace"),
        "{none:#}"
    );
    cluster.apply(&settings);
    let report = from_cluster().of(&shop).exits(0).json();
    assert_eq!(resource(&report, "Deployment", "web")["ignored"][0]["rule"], rule);

    fs::write(
        &file,
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\ndata:\n  resource.exclusions: 'a: b'\n",
    )
    .unwrap();
    let refused = trueup(["diff", "--argocd-cm"]).argument(&file).of(&shop).exits(2);
    assert!(refused.transcript().contains("`resource.exclusions`: is not a list"), "{}", refused.transcript());
}

/// Kinds that a team excludes are neither compared nor extra.
#[test]
fn excluded_kinds_are_left_alone() {
    let git = TestRepo::new()
        .file("web.yaml", deployment("web").replicas(2))
        .file("settings.yaml", config_map("settings"))
        .commit("two");
    let live = folder_with([("web.yaml", &deployment("web").replicas(2))]);
    let shop = git.application("shop").destination(json!({"name": "in-cluster", "namespace": "default"}));
    let settings = config_map("argocd-cm").data("resource.exclusions", "- kinds: [ConfigMap]\n  apiGroups: ['']\n");
    let folder = folder_with([("argocd-cm.yaml", &settings)]);

    let file = folder.path().join("argocd-cm.yaml");
    let report =
        trueup(["diff", "-o", "json", "--argocd-cm"]).argument(file).of(&shop).live(live.path()).exits(0).json();
    assert_eq!(report["applications"][0]["resources"].as_array().unwrap().len(), 1);
    assert!(messages(&report)[0].contains("is of a kind that is never compared"), "{report:#}");
}

/// `IgnoreExtraneous`: listed, and no reason to call the application out of sync.
#[test]
fn a_tolerated_extra_is_listed_and_does_not_count() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", config_map("kept")).commit("one");
    let shop = git.application(cluster.name()).deployed_to(&cluster);
    cluster.apply(config_map("kept"));
    cluster.apply(config_map("left"));
    for (name, more) in [("kept", "a=b"), ("left", "argocd.argoproj.io/compare-options=IgnoreExtraneous")] {
        let id = format!("argocd.argoproj.io/tracking-id={0}:/ConfigMap:{0}/{name}", cluster.name());
        cluster.kubectl(["annotate", &format!("configmap/{name}"), &id, more]);
    }

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(0).json();
    let left = resource(&report, "ConfigMap", "left");
    assert_eq!((&left["state"], &left["tolerated"]), (&json!("extra"), &json!(true)));
    assert_eq!(report["applications"][0]["sync"], "Synced");

    cluster.kubectl(["annotate", "configmap/left", "argocd.argoproj.io/compare-options-"]);
    trueup(["diff"]).of(&shop).exits(1);
}

fn replicas(cluster: &TestCluster) -> String {
    cluster.kubectl(["get", "deployment/web", "-o", "jsonpath={.spec.replicas}"])
}

/// argo-cd #12686: the rule stands on the resource, in git. The same annotation on the live object silences nothing.
#[test]
fn an_annotation_in_git_ignores_and_one_in_the_cluster_does_not() {
    let cluster = or_skip!(TestCluster::namespace());
    let annotated = |image: &str| {
        let annotations = "  annotations:\n    trueup.dev/ignore: |\n      /spec/replicas\n      spec.paused\nspec:\n";
        deployment("web").image(image).replicas(2).to_string().replacen("spec:\n", annotations, 1)
    };
    let git = TestRepo::new().file("web.yaml", annotated("web:1")).commit("two replicas");
    let options = json!({"syncOptions": ["RespectIgnoreDifferences=true"]});
    let shop = git.application("shop").spec_field("syncPolicy", options).deployed_to(&cluster);
    trueup(["sync", "-y"]).of(&shop).exits(0);
    cluster.kubectl(["scale", "deployment/web", "--replicas=3"]);

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(0).json();
    let web = resource(&report, "Deployment", "web");
    assert_eq!(web["ignored"][0]["path"], "/spec/replicas", "{web:#}");
    assert_eq!(messages(&report).len(), 1, "{report:#}");
    assert!(messages(&report)[0].contains("invalid line `spec.paused` in annotation"), "{report:#}");
    let git = git.file("web.yaml", annotated("web:2")).commit("an image");
    trueup(["sync", "-y"]).of(&shop).exits(0);
    assert_eq!(replicas(&cluster), "3", "a sync respects the rule");

    let _git = git.file("web.yaml", deployment("web").image("web:2").replicas(2)).commit("no annotation");
    cluster.kubectl(["annotate", "--overwrite", "deployment/web", "trueup.dev/ignore=.spec.replicas"]);
    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(1).json();
    let fields = resource(&report, "Deployment", "web")["fields"].to_string();
    assert!(fields.contains("/spec/replicas"), "{report:#}");
}

/// argo-cd #15094: an autoscaler may scale, and who changes the replicas in git is followed.
#[test]
fn a_rule_about_the_cluster_accepts_its_changes_and_follows_git() {
    let cluster = or_skip!(TestCluster::namespace());
    let rule =
        "ignore:\n- group: apps\n  kind: Deployment\n  jsonPointers: [/spec/replicas]\n  when: cluster-changed\n";
    let git = TestRepo::new()
        .file("shop/web.yaml", deployment("web").replicas(2))
        .file("shop/trueup.yaml", rule)
        .commit("two replicas");
    let shop = git.application("shop").path("shop").deployed_to(&cluster);
    // Without a record nothing proves which side changed.
    cluster.kubectl(["apply", "--server-side", "-f", &git.path().join("shop/web.yaml").to_string_lossy()]);
    cluster.kubectl(["scale", "deployment/web", "--replicas=3"]);
    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(1).json();
    assert!(messages(&report)[0].contains("is not used on 1 field"), "{report:#}");
    trueup(["sync", "-y", "--adopt"]).of(&shop).exits(0);
    assert_eq!(replicas(&cluster), "2");

    let accepted = json!({"path": "/spec/replicas", "git": 2, "live": 5, "accepted": true,
                          "rule": "shop/trueup.yaml ignore[0].jsonPointers: /spec/replicas"});
    cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);
    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(0).json();
    assert_eq!(resource(&report, "Deployment", "web")["ignored"], json!([accepted]));
    assert_eq!(messages(&report), [""; 0]);

    // Another field changes in git: the sync keeps what the cluster has, and so does the record.
    let git = git.file("shop/web.yaml", deployment("web").image("web:2").replicas(2)).commit("an image");
    trueup(["sync", "-y"]).of(&shop).exits(0);
    assert_eq!(replicas(&cluster), "5");
    trueup(["diff"]).of(&shop).exits(0);
    cluster.kubectl(["scale", "deployment/web", "--replicas=6"]);
    let text = trueup(["diff", "-q", "--show-ignored"]).of(&shop).exits(0).stdout;
    assert!(text.contains("accepted by shop/trueup.yaml ignore[0]"), "{text}");

    let _git = git.file("shop/web.yaml", deployment("web").image("web:2").replicas(4)).commit("four replicas");
    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(1).json();
    assert_eq!(resource(&report, "Deployment", "web")["fields"][0]["git"], 4, "{report:#}");
    trueup(["sync", "-y"]).of(&shop).exits(0);
    assert_eq!(replicas(&cluster), "4");
}

/// A typo in a rule must not make it wider; a manifest of that name stays one, and its object is not pruned.
#[test]
fn a_rules_file_with_a_fault_ignores_nothing_and_a_manifest_of_that_name_is_a_manifest() {
    let rule = "ignore:\n- group: apps\n  kind: Deployment\n  jsonPointers: [/spec/replicas]\n  nmae: api\n";
    let git = TestRepo::new()
        .file("web.yaml", deployment("web").replicas(2))
        .file("trueup.yaml", rule)
        .commit("two replicas");
    let live = folder_with([("web.yaml", &deployment("web").replicas(3))]);
    let shop = git.application("shop").destination(json!({"name": "in-cluster", "namespace": "default"}));
    let report = trueup(["diff", "-o", "json"]).of(&shop).live(live.path()).exits(1).json();
    assert_eq!(messages(&report), ["shop: trueup.yaml: `nmae` is not a field of `ignore[0]`"]);
    assert_eq!(report["applications"][0]["conditions"][0]["source"], json!({"file": "trueup.yaml", "line": 5}));

    let _git = git.file("trueup.yaml", config_map("settings")).commit("a manifest");
    let report = trueup(["diff", "-o", "json"]).of(&shop).live(live.path()).exits(1).json();
    assert_eq!(resource(&report, "ConfigMap", "settings")["state"], "missing");
}
