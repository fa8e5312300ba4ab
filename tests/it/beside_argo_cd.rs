//! Verdicts beside a running Argo CD: what it tracks for an application, and git no longer has, is extra wherever it is.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{TestApplication, TestCluster, TestRepo, config_map, or_skip, trueup};

const SERVICE: &str = "Service";

/// Applies an object as Argo CD does for an application that it tracks by annotation.
#[track_caller]
fn applied_by_argo_cd(cluster: &TestCluster, application: &str, kind: &str, (namespace, name): (&str, &str)) {
    let id = format!("{application}:/{kind}:{namespace}/{name}");
    let mut object = json!({
        "apiVersion": "v1", "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "annotations": {"argocd.argoproj.io/tracking-id": id}},
    });
    if kind == SERVICE {
        object["spec"] = json!({"ports": [{"port": 80}], "selector": {"app": name}});
    }
    server_side(cluster, "argocd-controller", &object);
}

#[track_caller]
fn server_side(cluster: &TestCluster, manager: &str, object: &Value) {
    let manager = format!("--field-manager={manager}");
    let apply = ["apply", "--server-side", "--force-conflicts", &manager, "-f", "-"];
    let applied = cluster.try_kubectl(cluster.kubeconfig(), &apply, &object.to_string());
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
}

/// Two applications, each with a ConfigMap in a namespace of its own; they are named after these, because Argo CD's marks
/// say the name alone, and other tests use the same cluster.
struct Two {
    cluster: TestCluster,
    elsewhere: TestCluster,
    _git: TestRepo,
    shop: TestApplication,
    other: TestApplication,
}

impl Two {
    fn new() -> Result<Self, crate::harness::Missing> {
        let (cluster, elsewhere) = (TestCluster::namespace()?, TestCluster::namespace()?);
        let git = TestRepo::new()
            .file("shop/settings.yaml", config_map("settings"))
            .file("other/settings.yaml", config_map("others"))
            .commit("two applications");
        let shop = git.application(cluster.name()).path("shop").deployed_to(&cluster);
        let other = git.application(elsewhere.name()).path("other").deployed_to(&elsewhere);
        elsewhere.apply(config_map("others"));
        Ok(Self { cluster, elsewhere, _git: git, shop, other })
    }

    /// What a run of `shop` alone says of it, its conditions included; a run beside the other application has to say the same.
    #[track_caller]
    fn extras(&self, kubeconfig: Option<&Path>) -> (Vec<String>, Vec<String>) {
        let run = || {
            let run = trueup(["diff", "-o", "json"]).of(&self.shop);
            kubeconfig.map_or_else(|| trueup(["diff", "-o", "json"]).of(&self.shop), |path| run.kubeconfig(path))
        };
        let alone = verdict(&run().outcome().json(), self.cluster.name());
        let together = run().argument(self.other.manifest()).outcome().json();
        assert_eq!(verdict(&together, self.cluster.name()), alone, "{together:#}");
        alone
    }
}

/// An extra as [`Two::extras`] lists it.
fn extra(kind: &str, namespace: &TestCluster, name: &str) -> String {
    format!("{kind} {}/{name} extra", namespace.name())
}

/// What differs of an application, and its conditions.
#[track_caller]
fn verdict(report: &Value, name: &str) -> (Vec<String>, Vec<String>) {
    let shop = report["applications"].as_array().unwrap().iter().find(|application| application["name"] == name);
    let shop = shop.unwrap_or_else(|| panic!("no {name} in {report:#}"));
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let resources = shop["resources"].as_array().unwrap().iter().filter(|resource| resource["state"] != "inSync");
    let shown = |resource: &Value| {
        let part = |field: &str| text(resource, field);
        format!("{} {}/{} {}", part("kind"), part("namespace"), part("name"), part("state"))
    };
    let conditions = shop["conditions"].as_array().unwrap().iter();
    (resources.map(shown).collect(), conditions.map(|condition| text(condition, "message")).collect())
}

/// The last object that git had in a second namespace, and a Service that a ConfigMap replaced: neither is of a kind in a namespace
/// that git still names.
#[test]
fn what_argo_cd_tracks_is_extra_in_any_namespace_and_of_any_kind() {
    let two = or_skip!(Two::new());
    applied_by_argo_cd(&two.cluster, two.cluster.name(), "ConfigMap", (two.cluster.name(), "settings"));
    applied_by_argo_cd(&two.cluster, two.cluster.name(), "ConfigMap", (two.elsewhere.name(), "last"));
    applied_by_argo_cd(&two.cluster, two.cluster.name(), SERVICE, (two.cluster.name(), "web"));
    applied_by_argo_cd(&two.cluster, two.elsewhere.name(), SERVICE, (two.elsewhere.name(), "theirs"));

    let extras = vec![extra("ConfigMap", &two.elsewhere, "last"), extra(SERVICE, &two.cluster, "web")];
    assert_eq!(two.extras(None), (extras, vec![]));
}

/// Nothing that git names carries a mark of Argo CD any more, and there is no record of a sync: extras are found all the same in the
/// application's own namespaces. In others, an application of the same name is as likely another one.
#[test]
fn an_application_that_was_never_synced_may_have_extras_of_any_kind() {
    let two = or_skip!(Two::new());
    two.cluster.apply(config_map("settings"));
    applied_by_argo_cd(&two.cluster, two.cluster.name(), SERVICE, (two.cluster.name(), "web"));
    applied_by_argo_cd(&two.cluster, two.cluster.name(), SERVICE, (two.elsewhere.name(), "web"));

    assert_eq!(two.extras(None), (vec![extra(SERVICE, &two.cluster, "web")], vec![]));
}

/// trueup has synced it, and Argo CD goes on tracking it beside: what Argo CD alone left is extra.
#[test]
fn an_application_that_both_sync_may_have_extras_of_argo_cd() {
    let two = or_skip!(Two::new());
    trueup(["sync", "-y"]).of(&two.shop).exits(0);
    applied_by_argo_cd(&two.cluster, two.cluster.name(), SERVICE, (two.elsewhere.name(), "web"));
    // Nothing of the application says that Argo CD has anything to do with it; the other application's LISTs change nothing.
    applied_by_argo_cd(&two.cluster, two.cluster.name(), "ConfigMap", (two.elsewhere.name(), "last"));
    assert_eq!(two.extras(None), (vec![], vec![]));

    applied_by_argo_cd(&two.cluster, two.cluster.name(), "ConfigMap", (two.cluster.name(), "settings"));

    let (extras, _) = two.extras(None);
    assert_eq!(
        extras.iter().filter(|one| one.ends_with(" extra")).collect::<Vec<_>>(),
        [&extra("ConfigMap", &two.elsewhere, "last"), &extra(SERVICE, &two.elsewhere, "web")]
    );
}

/// Another installation of the same chart, applied by kubectl into another namespace, has the same instance label.
#[test]
fn a_label_in_another_namespace_counts_only_where_argo_cd_put_it() {
    let two = or_skip!(Two::new());
    applied_by_argo_cd(&two.cluster, two.cluster.name(), "ConfigMap", (two.cluster.name(), "settings"));
    let labelled = |name: &str| {
        json!({"apiVersion": "v1", "kind": SERVICE,
               "metadata": {"name": name, "namespace": two.elsewhere.name(), "labels": {"app.kubernetes.io/instance": two.cluster.name()}},
               "spec": {"ports": [{"port": 80}]}})
    };
    two.elsewhere.apply(labelled("by-kubectl"));
    server_side(&two.elsewhere, "argocd-controller", &labelled("by-argo-cd"));

    assert_eq!(two.extras(None).0, [extra(SERVICE, &two.elsewhere, "by-argo-cd")]);
}

/// Who can list only the application's own namespace finds the extras there, and reads that others were not looked for.
#[test]
fn an_account_of_one_namespace_finds_the_extras_there() {
    let two = or_skip!(Two::new());
    applied_by_argo_cd(&two.cluster, two.cluster.name(), "ConfigMap", (two.cluster.name(), "settings"));
    applied_by_argo_cd(&two.cluster, two.cluster.name(), SERVICE, (two.cluster.name(), "web"));
    applied_by_argo_cd(&two.cluster, two.cluster.name(), SERVICE, (two.elsewhere.name(), "web"));
    let reader = two.cluster.account("reader").may("get,list", "configmaps,services");
    for resource in ["configmaps", "services"] {
        let (role, user) = (format!("--resource={resource}"), reader.user());
        let (name, holder) =
            (format!("reader-{resource}"), user.replace("system:serviceaccount:", "--serviceaccount="));
        two.elsewhere.kubectl(["create", "role", &name, "--verb=get,list", &role]);
        two.elsewhere.kubectl(["create", "rolebinding", &name, &format!("--role={name}"), &holder]);
    }

    let (extras, conditions) = two.extras(Some(reader.kubeconfig()));

    assert_eq!(extras, [extra(SERVICE, &two.cluster, "web")]);
    assert_eq!(conditions.len(), 1, "{conditions:?}");
    assert!(conditions[0].contains("can list 2 kinds only in the application's own namespaces"), "{conditions:?}");
}

/// One LIST of metadata for each kind is shared by all applications; those that trueup tracks need none of them.
#[test]
fn looking_for_extras_takes_as_many_lists_for_a_hundred_applications_as_for_one() {
    let cluster = or_skip!(TestCluster::alone());
    let namespace = |number: usize| format!("{}-guestbook-{number}", cluster.name());
    let mut objects = Vec::new();
    for number in 0..100 {
        objects.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace(number)}}));
        for kind in ["ConfigMap", "ServiceAccount"] {
            let id = format!("guestbook-{number}:/{kind}:{}/ui", namespace(number));
            let metadata = json!({"name": "ui", "namespace": namespace(number),
                                  "annotations": {"argocd.argoproj.io/tracking-id": id}});
            objects.push(json!({"apiVersion": "v1", "kind": kind, "metadata": metadata}));
        }
    }
    server_side(&cluster, "argocd-controller", &json!({"apiVersion": "v1", "kind": "List", "items": objects}));
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ui}\n";
    let git = TestRepo::new().file("ui.yaml", config_map("ui")).file("account.yaml", account).commit("guestbook");
    let applications: Vec<TestApplication> = (0..100)
        .map(|number| {
            let destination = json!({"server": cluster.server(), "namespace": namespace(number)});
            git.application(&format!("guestbook-{number}")).destination(destination)
        })
        .collect();
    let run = |command: &[&str], count: usize| {
        let manifests = applications.iter().take(count).map(TestApplication::manifest);
        trueup([]).arguments(command).arguments(manifests).kubeconfig(cluster.kubeconfig())
    };

    for count in [1, 2, 3, 4, 5, 8, 20, 100] {
        let report = run(&["diff", "-o", "json"], count).exits(0).json();
        let lists = report["requests"]["list"].as_u64().unwrap();
        assert!(lists <= 60, "{count} applications: {}", report["requests"]);
        assert_eq!(report["summary"]["synced"], count);
    }
    run(&["sync", "-y", "--adopt", "-q"], 100).exits(0);
    for (count, lists) in [(1, 2), (3, 4), (20, 2), (100, 2)] {
        let report = run(&["diff", "-o", "json"], count).exits(0).json();
        assert_eq!(report["requests"]["list"], lists, "{count} applications: {}", report["requests"]);
    }
}
