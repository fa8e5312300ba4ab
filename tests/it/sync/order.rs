//! In which order a sync brings things: phases, waves, kinds, hooks, dependencies. Argo CD's example applications are here
//! by their behaviour.

use serde_json::{Value, json};

use super::{attempt, holds_to_the_schema, hook, in_wave, job, live, plain, service, steps, wave};
use crate::harness::{
    Front, TestApplication, TestCluster, TestRepo, config_map, deployment, or_skip, program, trueup, until,
};

/// Syncs, expecting an exit code; the report.
#[track_caller]
fn synced(application: &TestApplication, code: i32) -> Value {
    trueup(["sync", "-y", "-o", "json", "--wave-delay", "0s"]).of(application).exits(code).json()
}

fn replica_set(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "main", "image": "registry.example.com/main:1"}]},
        }},
    })
}

/// A Job that gets a new name with each sync.
fn nameless(prefix: &str) -> Value {
    let mut job = job("", "Succeeded");
    job["metadata"] = json!({"generateName": prefix});
    job
}

/// `guestbook`: everybody's first application works, and a second sync has nothing to do.
#[test]
fn the_guestbook_is_brought_and_works() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let git = TestRepo::new()
        .file("guestbook-ui-deployment.yaml", deployment("guestbook-ui"))
        .file("guestbook-ui-svc.yaml", service("guestbook-ui"))
        .commit("guestbook");
    let guestbook = git.application("guestbook").deployed_to(&cluster);

    let report = trueup(["sync", "-y", "--wait", "-o", "json"]).of(&guestbook).exits(0).json();

    assert_eq!(report["applications"][0]["health"], "Healthy");
    assert_eq!(steps(&report), ["Sync Service/guestbook-ui done", "Sync Deployment/guestbook-ui done"]);
    let again = synced(&guestbook, 0);
    assert_eq!((&again["requests"]["write"], &again["requests"]["dryRun"]), (&json!(0), &json!(0)));
}

/// `sync-waves`: a schema is upgraded, the backend brought, the maintenance page put up, the frontend brought, the page
/// taken down; each when what came before works.
#[test]
fn sync_waves_follow_each_other() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let git = TestRepo::new()
        .file("schema.yaml", hook("PreSync", "", nameless("upgrade-sql-schema-")))
        .file("backend.yaml", replica_set("backend"))
        .file("backend-service.yaml", service("backend"))
        .file("up.yaml", wave(1, hook("Sync", "BeforeHookCreation", nameless("maint-page-up-"))))
        .file("frontend.yaml", wave(2, replica_set("frontend")))
        .file("frontend-service.yaml", wave(2, service("frontend")))
        .file("down.yaml", wave(3, hook("Sync", "BeforeHookCreation", nameless("maint-page-down-"))))
        .commit("waves");
    let waves = git.application("waves").deployed_to(&cluster);

    let report = synced(&waves, 0);

    let told = steps(&report);
    let expected = [
        "PreSync Job/upgrade-sql-schema-",
        "Sync Service/backend done",
        "Sync ReplicaSet/backend done",
        "Sync Job/maint-page-up-",
        "Sync Service/frontend done",
        "Sync ReplicaSet/frontend done",
        "Sync Job/maint-page-down-",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected) && told.ends_with(" done"), "{told} is not {expected}…");
    }
    assert_eq!(cluster.kubectl(["get", "rs", "-o", "jsonpath={.items[*].status.readyReplicas}"]), "1 1");
    // The name is Argo CD's: the revision, the phase, the time.
    let revision = &git.head()[..7];
    assert!(told[0].contains(&format!("upgrade-sql-schema-{revision}-presync-")), "{told:?}");
}

/// `pre-post-sync`: Jobs before and after; neither is ever drift.
#[test]
fn hooks_run_before_and_after() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let git = TestRepo::new()
        .file("after.yaml", hook("PostSync", "", job("after", "Succeeded")))
        .file("before.yaml", hook("PreSync", "", job("before", "Succeeded")))
        .file("web.yaml", deployment("web"))
        .commit("hooks");
    let shop = git.application("shop").deployed_to(&cluster);

    let report = synced(&shop, 0);

    assert_eq!(steps(&report), ["PreSync Job/before done", "Sync Deployment/web done", "PostSync Job/after done"]);
    let completed = cluster.kubectl(["get", "jobs", "-o", "jsonpath={.items[*].status.succeeded}"]);
    assert_eq!(completed, "1 1", "a sync waits for its hooks");
    // The Deployment was waited for before the last hook ran.
    let ready = cluster.kubectl(["get", "deployment", "web", "-o", "jsonpath={.status.readyReplicas}"]);
    assert_eq!(ready, "1");
    trueup(["diff"]).of(&shop).exits(0);
}

/// `helm-guestbook`, with Helm's own hooks: the first time it is an install, then an upgrade.
#[test]
fn helm_hooks_tell_an_install_from_an_upgrade() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let helm = or_skip!(program("helm"));
    let helm_hook = |kind: &str| {
        let mut job = job(kind, "Succeeded");
        job["metadata"]["annotations"] = json!({"helm.sh/hook": kind, "helm.sh/hook-delete-policy": "hook-succeeded"});
        job
    };
    let git = TestRepo::new()
        .file("Chart.yaml", "apiVersion: v2\nname: helm-guestbook\nversion: 0.1.0\n")
        .file("values.yaml", "replicas: 1\n")
        .file("templates/install.yaml", helm_hook("pre-install"))
        .file("templates/upgrade.yaml", helm_hook("pre-upgrade"))
        .file("templates/test.yaml", helm_hook("test"))
        .file(
            "templates/web.yaml",
            deployment("web").to_string().replace("replicas: 1", "replicas: {{ .Values.replicas }}"),
        )
        .commit("a chart");
    let shop = git.application("shop").deployed_to(&cluster);
    let sync = || trueup(["sync", "-y", "-o", "json"]).of(&shop).env("TRUEUP_HELM", &helm).exits(0).json();

    assert_eq!(steps(&sync()), ["PreSync Job/pre-install done", "Sync Deployment/web done"]);
    until("the hook is deleted", || live(&cluster, "job", "pre-install").is_none());

    let _git = git.file("values.yaml", "replicas: 2\n").commit("two");
    assert_eq!(steps(&sync()), ["PreSync Job/pre-upgrade done", "Sync Deployment/web done"]);
    assert_eq!(live(&cluster, "deployment", "web").unwrap()["spec"]["replicas"], 2);
}

/// Every type of hook and every policy, of a sync that succeeds.
#[test]
fn hooks_come_and_go_as_their_policies_say() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let git = TestRepo::new()
        .file("a.yaml", hook("PreSync", "HookSucceeded", job("before", "Succeeded")))
        .file("b.yaml", hook("Sync", "BeforeHookCreation", job("during", "Succeeded")))
        .file("c.yaml", hook("PostSync", "HookFailed", job("after", "Succeeded")))
        .file("d.yaml", hook("SyncFail", "", job("mend", "Succeeded")))
        .file("e.yaml", hook("Skip", "", plain("skipped")))
        .file("f.yaml", hook("PreDelete", "", plain("farewell")))
        .file("g.yaml", hook("PreSync,PostSync", "", plain("both")))
        .file("h.yaml", plain("settings"))
        .commit("hooks");
    let shop = git.application("shop").deployed_to(&cluster);

    let first = synced(&shop, 0);

    let expected = [
        "PreSync ConfigMap/both done",
        "PreSync Job/before done",
        "Sync ConfigMap/settings done",
        "Sync Job/during done",
        "PostSync ConfigMap/both done",
        "PostSync Job/after done",
        "SyncFail Job/mend notBegun",
    ];
    assert_eq!(steps(&first), expected);
    until("what succeeded is deleted", || live(&cluster, "job", "before").is_none());
    for (kind, name, is_there) in [
        ("job", "during", true),
        ("job", "after", true),
        ("job", "mend", false),
        ("configmap", "skipped", false),
        ("configmap", "farewell", false),
        ("configmap", "both", true),
    ] {
        assert_eq!(live(&cluster, kind, name).is_some(), is_there, "{name}");
    }
    let during = live(&cluster, "job", "during").unwrap();
    assert_eq!(during["metadata"]["labels"].get("applyset.kubernetes.io/part-of"), None, "a hook is no member");

    // The next sync makes a new one, and what is no member is never taken for something that git dropped.
    let second = trueup(["sync", "-y", "--prune", "-o", "json", "--wave-delay", "0s"]).of(&shop).exits(0).json();
    assert!(!steps(&second).iter().any(|step| step.contains("prune")), "{second:#}");
    let anew = live(&cluster, "job", "during").unwrap();
    assert_ne!(anew["metadata"]["uid"], during["metadata"]["uid"]);
}

/// A migration that fails keeps the new version out; what is there for that case runs, and the record says so.
#[test]
fn a_hook_that_fails_ends_the_sync() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let git = TestRepo::new()
        .file("migrate.yaml", hook("PreSync", "HookFailed", job("migrate", "Failed")))
        .file("mend.yaml", hook("SyncFail", "", job("mend", "Succeeded")))
        .file("web.yaml", deployment("web"))
        .commit("hooks");
    let shop = git.application("shop").deployed_to(&cluster);

    let failed = trueup(["sync", "-y", "-o", "json"]).of(&shop).exits(3);

    let report = failed.json();
    holds_to_the_schema(&report);
    let expected = ["PreSync Job/migrate failed", "Sync Deployment/web notBegun", "SyncFail Job/mend done"];
    assert_eq!(steps(&report), expected);
    assert_eq!(report["applications"][0]["operation"]["phase"], "Failed");
    assert!(failed.stderr.contains("Job"), "{}", failed.transcript());
    // The end of its log is there, though the Job and its pod are not any more; without the password in it.
    let details = report["applications"][0]["operation"]["steps"][0]["details"].to_string();
    for part in ["ended with exit code 1", "BackoffLimitExceeded", "line 30", "postgres://************@db/shop"] {
        assert!(details.contains(part), "{part}\n{details}");
    }
    assert!(live(&cluster, "deployment", "web").is_none());
    until("what failed is deleted", || live(&cluster, "job", "migrate").is_none());
    assert_eq!(attempt(&cluster, "shop")["ended"]["phase"], "Failed");

    // The next one goes on from there.
    let _git = git.file("migrate.yaml", hook("PreSync", "", job("migrate", "Succeeded"))).commit("mended");
    assert_eq!(steps(&synced(&shop, 0))[1], "Sync Deployment/web done");
    assert_eq!(attempt(&cluster, "shop")["ended"]["phase"], "Succeeded");
}

/// A rollout that hangs: the next wave is not begun, and the report names what was waited for.
#[test]
fn a_wave_that_never_works_ends_the_sync() {
    // Nobody makes pods here.
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new()
        .file("web.yaml", deployment("web"))
        .file("later.yaml", in_wave(1, config_map("later")))
        .commit("two waves");
    let shop = git.application("shop").deployed_to(&cluster);

    let failed = trueup(["sync", "-y", "-o", "json", "--timeout", "2s"]).of(&shop).exits(3);

    assert_eq!(steps(&failed.json()), ["Sync Deployment/web failed", "Sync ConfigMap/later notBegun"]);
    for part in ["Deployment", "web", "did not become healthy within 2 s", "1 of 2 steps were not started"] {
        assert!(failed.stderr.contains(part), "{part}\n{}", failed.transcript());
    }
    assert!(live(&cluster, "configmap", "later").is_none());
    assert_eq!(attempt(&cluster, "shop")["ended"]["phase"], "Failed");
}

/// A claim of a class that binds with the first pod stays `Pending` until a later wave has that pod; any other pending claim
/// is waited for.
#[test]
fn a_claim_that_waits_for_its_first_consumer_does_not_stop_a_wave() {
    let cluster = or_skip!(TestCluster::namespace());
    let class = |mode: &str| {
        let name = format!("{}-{}", cluster.name(), mode.to_lowercase());
        cluster.apply(json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
            "provisioner": "example.com/none", "volumeBindingMode": mode}));
        name
    };
    for (mode, code) in [("WaitForFirstConsumer", 0), ("Immediate", 3)] {
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": mode.to_lowercase()},
            "spec": {"storageClassName": class(mode), "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}}}});
        let after = format!("after-{}", mode.to_lowercase());
        let git = TestRepo::new()
            .file("claim.yaml", claim)
            .file("after.yaml", in_wave(1, config_map(&after)))
            .commit("two waves");
        let shop = git.application(&mode.to_lowercase()).deployed_to(&cluster);

        let outcome = trueup(["sync", "-y", "--timeout", "3s", "--wave-delay", "0s"]).of(&shop).exits(code);

        assert_eq!(live(&cluster, "configmap", &after).is_some(), code == 0, "{}", outcome.transcript());
        cluster.kubectl(["delete", "storageclass", &format!("{}-{}", cluster.name(), mode.to_lowercase())]);
    }
}

/// A large application: no object of a wave is written before all of the wave before it.
#[test]
fn two_hundred_objects_come_in_five_waves() {
    let cluster = or_skip!(TestCluster::namespace());
    let all: Vec<String> = (0..200).map(|number| in_wave(number % 5 - 2, config_map(&format!("c{number}")))).collect();
    let git = TestRepo::new().file("all.yaml", all.join("---\n")).commit("many");
    let shop = git.application("shop").deployed_to(&cluster);

    let report = synced(&shop, 0);

    assert_eq!(steps(&report).iter().filter(|step| step.ends_with(" done")).count(), 200);
    let list: Value = serde_json::from_str(&cluster.kubectl(["get", "configmaps", "-o", "json"])).unwrap();
    let of_wave = |wave: i32| -> Vec<u64> {
        let is_of_it = |object: &&Value| {
            object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == json!(wave.to_string())
        };
        let version = |object: &Value| object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        list["items"].as_array().unwrap().iter().filter(is_of_it).map(version).collect()
    };
    for wave in -2..2 {
        let (this, next) = (of_wave(wave), of_wave(wave + 1));
        assert_eq!((this.len(), next.len()), (40, 40));
        // The server counts its writes.
        assert!(this.iter().max() < next.iter().min(), "wave {wave}: {this:?} {next:?}");
    }
}

/// A definition, a namespace, and what needs them, in one commit: the needed comes first, and is waited for.
#[test]
fn what_needs_a_new_kind_or_namespace_comes_after_it() {
    let cluster = or_skip!(TestCluster::namespace());
    let (group, namespace) = (format!("{}.example.com", cluster.name()), format!("{}-kites", cluster.name()));
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("kites.{group}")},
        "spec": {"group": group, "scope": "Namespaced", "names": {"plural": "kites", "kind": "Kite"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": {"type": "object", "properties": {"colour": {"type": "string"}}}},
            }}}]},
    });
    let kite = |name: &str, namespace: &str| {
        json!({
            "apiVersion": format!("{group}/v1"), "kind": "Kite", "metadata": {"name": name, "namespace": namespace},
            "spec": {"colour": "red"},
        })
    };
    let mut there = plain("settings");
    there["metadata"]["namespace"] = json!(namespace);
    let git = TestRepo::new()
        .file("a-kite.yaml", kite("here", cluster.name()))
        .file("b-kite.yaml", wave(-1, kite("there", &namespace)))
        .file("definition.yaml", definition)
        .file("namespace.yaml", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}))
        .file("settings.yaml", there)
        .commit("kites");
    let kites = git.application("kites").deployed_to(&cluster);

    let report = synced(&kites, 0);

    let expected = [
        format!("Sync Namespace/{namespace} done"),
        format!("Sync CustomResourceDefinition/kites.{group} done"),
        "Sync Kite/there done".to_owned(),
        "Sync ConfigMap/settings done".to_owned(),
        "Sync Kite/here done".to_owned(),
    ];
    let (mut told, mut expected) = (steps(&report), expected.to_vec());
    // Of the first two neither needs the other.
    told[..2].sort();
    expected[..2].sort();
    assert_eq!(told, expected);
    assert_eq!(cluster.kubectl(["get", "kites", "-A", "-o", "jsonpath={.items[*].spec.colour}"]), "red red");
    assert_eq!(synced(&kites, 0)["requests"]["write"], 0);
    cluster.kubectl(["delete", "namespace", &namespace, "--wait=false"]);
    cluster.kubectl(["delete", "crd", &format!("kites.{group}"), "--wait=false"]);
}

/// What was brought first goes last; and what asks for it goes after everything else.
#[test]
fn prunes_go_the_other_way_round() {
    let cluster = or_skip!(TestCluster::namespace());
    let mut last = plain("last");
    last["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-options": "PruneLast=true"});
    let git = TestRepo::new()
        .file("first.yaml", plain("first"))
        .file("second.yaml", wave(1, plain("second")))
        .file("third.yaml", wave(2, plain("third")))
        .file("last.yaml", wave(2, last))
        .file("kept.yaml", plain("kept"))
        .commit("four to go");
    let shop = git
        .application("shop")
        .destination(json!({"name": "in-cluster", "namespace": cluster.name()}))
        .spec_field("syncPolicy", json!({"syncOptions": ["PrunePropagationPolicy=background"]}));
    let front = or_skip!(Front::before(&cluster, |_| None));
    let sync = |more: [&str; 2]| {
        let run = trueup(["sync", "-y", "-o", "json", "--wave-delay", "0s"]).arguments(more);
        run.of(&shop).kubeconfig(&front.kubeconfig()).exits(0).json()
    };
    sync(["--max-prune", "100%"]);
    let files = ["first.yaml", "second.yaml", "third.yaml", "last.yaml"];
    let _git = files.iter().fold(git, |git, file| git.remove(file)).commit("gone");

    sync(["--prune", "--max-prune=100%"]);

    let deleted: Vec<String> =
        front.seen().iter().filter(|line| super::is_write(line)).filter_map(|line| deleted_name(line)).collect();
    assert_eq!(deleted, ["third", "second", "first", "last"]);
    assert!(live(&cluster, "configmap", "kept").is_some());
}

fn deleted_name(line: &str) -> Option<String> {
    let path = line.strip_prefix("DELETE ")?.split([' ', '?']).next()?;
    path.rsplit('/').next().map(str::to_owned)
}

/// An application of nothing but hooks (a migration, say) has no members to look for: a turn of the pull loop costs as little as
/// any other.
#[test]
fn an_application_of_hooks_alone_sweeps_nothing() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("hook.yaml", hook("PreSync", "", plain("hook"))).commit("a hook");
    let shop = git.application("shop").deployed_to(&cluster);
    synced(&shop, 0);

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(0).json();

    assert!(report["requests"]["list"].as_u64().unwrap() <= 1, "{}", report["requests"]);
}

/// A migration that cleans up after itself: it is gone before anybody looks, and was seen to succeed.
#[test]
fn a_hook_that_removes_itself_succeeded_if_it_was_seen_to() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let removes_itself = |name: &str, outcome: &str| {
        let mut job = job(name, outcome);
        job["spec"]["ttlSecondsAfterFinished"] = json!(0);
        hook("PreSync", "", job)
    };
    let git = TestRepo::new()
        .file("migration.json", removes_itself("migration", "Succeeded"))
        .file("settings.json", plain("settings"))
        .commit("a migration");
    let application = git.application("shop").deployed_to(&cluster);

    let report = synced(&application, 0);

    assert_eq!(steps(&report), ["PreSync Job/migration done", "Sync ConfigMap/settings done"]);
    assert!(live(&cluster, "job", "migration").is_none(), "nobody is left");

    let _git = git.file("migration.json", removes_itself("second", "Failed")).commit("one that fails");
    let report = synced(&application, 3);
    assert_eq!(steps(&report)[0], "PreSync Job/second failed");
    let message = report["applications"][0]["operation"]["steps"][0]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("backoff limit"), "it was seen to fail: {message}");
}

/// What a controller makes again at once is another object: the prune is over.
#[test]
fn a_pruned_object_that_its_controller_makes_again_is_gone() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let certificates = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt", "labels": {"x": "one"}},
    });
    while live(&cluster, "configmap", "kube-root-ca.crt").is_none() {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let git = TestRepo::new().file("a.json", certificates).file("b.json", plain("settings")).commit("one");
    let application = git.application("shop").deployed_to(&cluster);
    trueup(["sync", "-y", "--adopt"]).of(&application).exits(0);
    let _git = git.remove("a.json").commit("dropped");
    let began = std::time::Instant::now();

    trueup(["sync", "-y", "--prune", "--max-prune", "100%"]).of(&application).exits(0);

    assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
    trueup(["diff"]).of(&application).exits(0);
}
