//! What is reported beside drift: missing kinds and folders, the destination's namespace, values that no server reads.

use serde_json::{Value, json};

use crate::harness::{TestApplication, TestCluster, TestRepo, config_map, folder_with, or_skip, trueup};

#[track_caller]
fn resources(shop: &TestApplication, code: i32) -> Vec<Value> {
    let report = trueup(["diff", "-o", "json"]).of(shop).exits(code).json();
    report["applications"][0]["resources"].as_array().cloned().unwrap_or_default()
}

/// A typing error in `--live` would else read as everything missing, and be synced somewhere.
#[test]
fn a_live_folder_that_does_not_exist_is_an_error() {
    let git = TestRepo::new().file("a.yaml", config_map("a")).commit("one");
    let shop = git.application("shop");
    let here = folder_with([]);
    for command in [&["diff"][..], &["health"], &["wait", "--timeout=5s"], &["wait", "--for=synced", "--timeout=5s"]] {
        let run = trueup([]).arguments(command).of(&shop).live(here.path().join("nowhere")).outcome();
        assert_eq!(run.code, Some(2), "{}", run.transcript());
        assert!(run.stderr.contains("nowhere"), "{}", run.transcript());
    }
}

/// "Missing in the cluster" sends people to look for an object that cannot be there.
#[test]
fn a_kind_that_the_cluster_does_not_serve_is_named() {
    let cluster = or_skip!(TestCluster::namespace());
    let gauge = json!({"apiVersion": "nowhere.example.com/v1", "kind": "Gauge", "metadata": {"name": "a"}});
    let git = TestRepo::new().file("a.yaml", gauge).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);

    let run = trueup(["diff"]).of(&shop).exits(1);

    assert!(run.stdout.contains("its kind is not served by the cluster"), "{}", run.transcript());
    assert!(!run.stdout.contains("missing in the cluster"), "{}", run.transcript());
    let note = "the cluster does not serve `Gauge` of `nowhere.example.com/v1`: its CRD is not installed";
    assert_eq!(resources(&shop, 1)[0]["note"], note);
}

fn managing(git: &TestRepo, cluster: &TestCluster, namespace: &str, metadata: &Value) -> TestApplication {
    git.application("shop")
        .deployed_to(cluster)
        .destination(json!({"server": cluster.server(), "namespace": namespace}))
        .spec_field(
            "syncPolicy",
            json!({"syncOptions": ["CreateNamespace=true"], "managedNamespaceMetadata": metadata,
                   "automated": {"selfHeal": true}}),
        )
}

/// argo-cd#12661: labels of `managedNamespaceMetadata` that somebody changed, or the Application did, stayed unseen.
#[test]
fn the_metadata_of_the_destinations_namespace_is_compared_and_healed() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let namespace = format!("{}-managed", cluster.name());
    let git = TestRepo::new().file("settings.yaml", config_map("settings")).commit("settings");
    let metadata = json!({"labels": {"team": "shop", "tier": "web"}, "annotations": {"note": "hello"}});
    let shop = managing(&git, &cluster, &namespace, &metadata);
    let of_namespace = |shop: &TestApplication, code: i32| {
        let found = resources(shop, code).into_iter().find(|resource| resource["kind"] == "Namespace");
        let found = found.expect("it is compared");
        let fields = found["fields"].as_array().cloned().unwrap_or_default();
        let paths: Vec<Value> = fields.iter().map(|field| field["path"].clone()).collect();
        (found["state"].clone(), paths)
    };
    assert_eq!(of_namespace(&shop, 1).0, "missing");
    trueup(["sync", "-y"]).of(&shop).exits(0);
    assert_eq!(of_namespace(&shop, 0), (json!("inSync"), vec![]));

    // By hand: of ours, and beside.
    cluster.kubectl(["label", "namespace", &namespace, "team=other", "mine=yes", "--overwrite"]);
    assert_eq!(of_namespace(&shop, 1), (json!("changed"), vec![json!("/metadata/labels/team")]));
    trueup(["reconcile"]).of(&shop).exits(0);
    let label = |name: &str| {
        cluster.kubectl(["get", "namespace", &namespace, "-o", &format!("jsonpath={{.metadata.labels.{name}}}")])
    };
    assert_eq!((label("team"), label("mine")), ("shop".to_owned(), "yes".to_owned()));
    assert_eq!(of_namespace(&shop, 0).0, "inSync");

    // By the Application: another value, and one that it no longer has.
    let shop =
        managing(&git, &cluster, &namespace, &json!({"labels": {"team": "blue"}, "annotations": {"note": "hello"}}));
    let (state, mut paths) = of_namespace(&shop, 1);
    paths.sort_by_key(ToString::to_string);
    assert_eq!(
        (state, paths),
        (json!("changed"), vec![json!("/metadata/labels/team"), json!("/metadata/labels/tier")])
    );
    trueup(["sync", "-y"]).of(&shop).exits(0);
    assert_eq!((label("team"), label("tier"), label("mine")), ("blue".to_owned(), String::new(), "yes".to_owned()));

    // A namespace that is deleted is not compared.
    trueup(["delete", "shop", "-y"]).of(&shop).exits(0);
    cluster.kubectl(["delete", "namespace", &namespace, "--wait=false"]);
}

/// The server quotes the value; what is wrong is named without it, and where.
#[test]
fn a_secret_that_is_not_base64_names_field_and_file() {
    let cluster = or_skip!(TestCluster::namespace());
    let secret = |field: &str, value: Value| {
        let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"}});
        secret[field] = json!({"password": value});
        secret
    };
    let git = TestRepo::new().file("login.yaml", secret("data", json!("hunter2!"))).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);
    for command in [&["diff"][..], &["sync", "-y"]] {
        let run = trueup([]).arguments(command).of(&shop).exits(2);
        assert!(run.stderr.contains("`data.password` is not base64"), "{}", run.transcript());
        assert!(run.stderr.contains("login.yaml:1"), "{}", run.transcript());
        assert!(!run.transcript().contains("hunter2"), "{}", run.transcript());
    }
    let _git = git.file("login.yaml", secret("stringData", json!(12_345_678))).commit("two");
    let run = trueup(["diff"]).of(&shop).exits(2);
    assert!(run.stderr.contains("`stringData.password` is a number, not text"), "{}", run.transcript());
    assert!(!run.transcript().contains("12345678"), "{}", run.transcript());
}

/// Six objects without a namespace are one fault, and one thing to do.
#[test]
fn a_missing_namespace_is_said_once() {
    let cluster = or_skip!(TestCluster::namespace());
    let objects: Vec<String> = (0..6).map(|number| config_map(&format!("map-{number}")).to_string()).collect();
    let git = TestRepo::new().file("all.yaml", objects.join("\n---\n")).commit("six");
    let nowhere = format!("{}-nowhere", cluster.name());
    let destination = json!({"server": cluster.server(), "namespace": nowhere});
    let shop = git.application("shop").deployed_to(&cluster).destination(destination);

    let refused = trueup(["sync", "-y"]).of(&shop).exits(2);

    let message = format!("namespace `{nowhere}` does not exist");
    let stderr = refused.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(stderr.matches(&message).count(), 1, "{}", refused.transcript());
    assert!(stderr.contains("`CreateNamespace=true`") && stderr.contains("and 3 more"), "{}", refused.transcript());
}

/// A deletion that fails leaves the application's record: it is not "Synced", although nothing of it is left.
#[test]
fn an_application_whose_deletion_failed_is_not_synced() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let hook = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "never", "annotations": {"argocd.argoproj.io/hook": "PostDelete"}},
        "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "nodeName": "nowhere",
            "containers": [{"name": "a", "image": "a:1"}]}}},
    });
    let git = TestRepo::new().file("a.yaml", config_map("a")).file("hook.yaml", hook).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);
    trueup(["sync", "-y"]).of(&shop).exits(0);

    let run = trueup(["delete", "shop", "-y", "--timeout=3s", "-o", "json"]).of(&shop).outcome();

    assert_ne!(run.code, Some(0), "{}", run.transcript());
    assert_eq!(run.json()["applications"][0]["sync"], "OutOfSync", "{}", run.transcript());
}

/// A sync that fails leaves no record, and its label is on what it applied: the label is not in git, and no drift.
#[test]
fn after_a_failed_sync_our_own_label_is_no_drift() {
    let cluster = or_skip!(TestCluster::namespace());
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    });
    let hook = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "never", "annotations": {"argocd.argoproj.io/hook": "Sync", "argocd.argoproj.io/sync-wave": "1"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]},
    });
    let git = TestRepo::new().file("web.yaml", service).file("hook.yaml", hook).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);
    trueup(["sync", "-y", "--timeout=3s"]).of(&shop).exits(3);

    cluster.kubectl(["patch", "service", "web", "--type=merge", "-p", r#"{"spec": {"ports": [{"port": 81}]}}"#]);

    let web = &resources(&shop, 1)[0];
    let paths: Vec<&Value> = web["fields"].as_array().unwrap().iter().map(|field| &field["path"]).collect();
    assert_eq!(paths, ["/spec/ports/1"]);
}

/// `nodePort: null` and `clusterIP: ""` leave it to the server, which keeps what it chose; nobody has to be asked for that.
#[test]
fn what_the_server_allocates_is_no_drift_for_a_reader_and_in_a_dump() {
    let cluster = or_skip!(TestCluster::namespace());
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"type": "NodePort", "clusterIP": null, "selector": {"app": "web"},
                 "ports": [{"name": "a", "port": 53, "nodePort": null}, {"name": "b", "port": 53, "protocol": "UDP", "nodePort": null}]},
    });
    let git = TestRepo::new().file("web.yaml", &service).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);
    // As another tool for git applies it, with a port number of two protocols.
    let apply = ["apply", "--server-side", "--field-manager=argocd-controller", "-f", "-"];
    assert!(cluster.try_kubectl(cluster.kubeconfig(), &apply, &service.to_string()).status.success());
    let reader = cluster.account("reader").may("get,list", "services,configmaps");

    trueup(["diff"]).of(&shop).exits(0);
    trueup(["diff"]).of(&shop).kubeconfig(reader.kubeconfig()).exits(0);
    let dump = cluster.kubectl(["get", "service", "web", "-o", "yaml"]);
    let folder = folder_with([("web.yaml", &dump)]);
    trueup(["diff"]).of(&shop).live(folder.path()).exits(0);
}
