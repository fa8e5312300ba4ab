//! What git drops: deleted only when that was asked for, and only what is provably the application's own.

use insta::assert_snapshot;
use serde_json::json;

use super::Shop;
use crate::harness::{config_map, or_skip, trueup};

fn shop_with_dropped(policy: serde_json::Value) -> Result<Shop, crate::harness::Missing> {
    let shop = Shop::with_policy(policy)?
        .changed(|git| git.file("shop/old.yaml", config_map("old").data("a", "1")).commit("an old one"));
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    Ok(shop.changed(|git| git.remove("shop/old.yaml").commit("no longer")))
}

/// Nothing is deleted that nobody asked to delete: it is told, and counts as drift.
#[test]
fn what_git_drops_stays_until_somebody_prunes() {
    let shop = or_skip!(shop_with_dropped(json!({})));

    let left = trueup(["sync", "-y"]).of(&shop.application).exits(1);
    assert_snapshot!(left, @r"
    shop  OutOfSync  1 extra, 2 in sync
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  shop  HEAD  0de81c0  local repository
      sync     Succeeded  0 steps: -
      ! ConfigMap [NAMESPACE]/old  removed from git; needs `--prune`

      - ConfigMap [NAMESPACE]/old  extra, not in git, removed from git since the last sync

    1 application  1 out of sync
    3 resources    1 extra, 2 in sync
    exit code 1    drift: something is changed, missing or extra
    --- stderr
    fetched 1 repository
    rendered 1 application
    listed 2 kinds
    compared 1 application
    [exit 1]
    ");
    assert!(shop.live("configmap", "old").is_some());

    let pruned = trueup(["sync", "-y", "--prune"]).of(&shop.application).exits(0);
    assert_snapshot!(pruned, @r"
    shop  Synced  2 in sync
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  shop  HEAD  0de81c0  local repository
      sync     Succeeded  1 step: 1 done
      - ConfigMap [NAMESPACE]/old  pruned

    1 application  1 in sync
    2 resources    2 in sync
    exit code 0    everything is in sync, or done
    --- stderr
    fetched 1 repository
    rendered 1 application
    listed 2 kinds
    compared 1 application
    [TIME] ConfigMap [NAMESPACE]/old: pruned
    ran 1 step
    [exit 0]
    ");
    assert_eq!(shop.live("configmap", "old"), None);
}

/// Operators copy labels to what they make; and anybody may write our label on anything. None of it is ours.
#[test]
fn only_what_is_provably_ours_is_pruned() {
    let shop = or_skip!(shop_with_dropped(json!({})));
    let id = shop.live("configmap", "trueup-shop").unwrap()["metadata"]["labels"]["applyset.kubernetes.io/id"]
        .as_str()
        .unwrap()
        .to_owned();
    // Somebody else's object that carries our label.
    shop.cluster.apply(config_map("copied").data("b", "2"));
    shop.cluster.kubectl(["label", "configmap", "copied", &format!("applyset.kubernetes.io/part-of={id}")]);
    // Applied by us, but owned by an object since: garbage collection's affair.
    let web = shop.live("deployment", "web").unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    let owner = json!({"metadata": {"ownerReferences": [
        {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": web},
    ]}});
    shop.cluster.kubectl(["patch", "configmap", "old", "-p", &owner.to_string()]);

    let run = trueup(["sync", "-y", "--prune"]).of(&shop.application).exits(0);

    assert!(shop.live("configmap", "copied").is_some(), "{}", run.transcript());
    assert!(shop.live("configmap", "old").is_some(), "{}", run.transcript());
}

/// `kubectl get -o yaml`, another name, `kubectl apply`: the copy has our label, is nobody's drift, and is never deleted. What
/// the last sync brought and somebody took over since is told as long as it is there.
#[test]
fn a_copy_is_no_drift_and_what_somebody_took_over_is() {
    let shop = or_skip!(shop_with_dropped(json!({})));
    let mut old = shop.live("configmap", "old").unwrap();
    for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
        old["metadata"].as_object_mut().unwrap().remove(field);
    }
    let mut copy = old.clone();
    copy["metadata"]["name"] = json!("old-before-the-weekend");
    shop.cluster.apply(copy);
    let take_over = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    shop.cluster.kubectl(["delete", "configmap", "old"]);
    assert!(shop.cluster.try_kubectl(shop.cluster.kubeconfig(), &take_over, &old.to_string()).status.success());

    let held = trueup(["sync", "-y", "--prune", "-o", "json"]).of(&shop.application).exits(1).json();

    let extras: Vec<_> =
        held["applications"][0]["resources"].as_array().unwrap().iter().filter(|one| one["state"] == "extra").collect();
    assert_eq!(extras.len(), 1, "{held:#}");
    assert_eq!(extras[0]["name"], "old");
    assert!(shop.live("configmap", "old").is_some() && shop.live("configmap", "old-before-the-weekend").is_some());
    shop.cluster.kubectl(["delete", "configmap", "old"]);
    trueup(["diff"]).of(&shop.application).exits(0);
}

/// A backup is restored into another namespace, and so with our label: another application that is compared in the same run, and
/// of which the whole cluster is listed, does not make it ours.
#[test]
fn members_are_where_the_parent_says_that_they_are() {
    let shop = or_skip!(shop_with_dropped(json!({})));
    let elsewhere = or_skip!(crate::harness::TestCluster::namespace());
    let mut restored = shop.live("configmap", "old").unwrap();
    let metadata = restored["metadata"].as_object_mut().unwrap();
    metadata.insert("namespace".to_owned(), json!(elsewhere.name()));
    for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
        metadata.remove(field);
    }
    // Whoever restores keeps the managers, too.
    let restore = ["apply", "--server-side", "--field-manager=trueup", "-f", "-"];
    assert!(elsewhere.try_kubectl(elsewhere.kubeconfig(), &restore, &restored.to_string()).status.success());
    let many = (0..9).fold(crate::harness::TestRepo::new(), |git, number| {
        let map = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: none-{number}}}\n");
        git.file(&format!("{number}.yaml"), map)
    });
    let many = many.commit("nine namespaces");
    let other = many.application("other").deployed_to(&shop.cluster);

    let report = trueup(["diff", "-o", "json"]).of(&shop.application).argument(other.manifest()).exits(1).json();

    let applications = report["applications"].as_array().unwrap();
    let own = applications.iter().find(|one| one["name"] == "shop").unwrap();
    let is_extra_in = |namespace: &str| {
        let mut resources = own["resources"].as_array().unwrap().iter();
        resources.any(|one| one["state"] == "extra" && one["namespace"] == namespace)
    };
    assert!(is_extra_in(shop.cluster.name()) && !is_extra_in(elsewhere.name()), "{own:#}");
}

/// A role that lost a right, or an API that does not answer: what the last sync brought and git dropped may be there still. That
/// is not in sync; nothing is written, and the record goes on naming it.
#[test]
fn what_git_dropped_and_nobody_can_see_is_unknown() {
    let robot = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot}\n";
    let shop = or_skip!(Shop::new()).changed(|git| git.file("shop/robot.yaml", robot).commit("a robot"));
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    let shop = shop.changed(|git| git.remove("shop/robot.yaml").commit("no robot"));
    let account = shop.cluster.account("half-blind").may("*", "configmaps,deployments.apps,leases.coordination.k8s.io");

    for arguments in [&["diff"][..], &["sync", "-y", "--prune"]] {
        let run = trueup([]).arguments(arguments).of(&shop.application).kubeconfig(account.kubeconfig()).exits(2);
        let words = "removed from git; whether it still exists is unknown: this account cannot list its kind";
        assert!(run.stdout.contains(words), "{}", run.transcript());
    }

    trueup(["sync", "-y", "--prune"]).of(&shop.application).exits(0);
    assert_eq!(shop.live("serviceaccount", "robot"), None);
}

/// A render that went wrong and gives nothing must not take production away.
#[test]
fn an_empty_render_never_prunes_everything() {
    let shop = or_skip!(Shop::new());
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    let shop = shop.changed(|git| {
        git.remove("shop/web.yaml").remove("shop/settings.yaml").file("shop/README.md", "empty").commit("all gone")
    });

    let refused = trueup(["sync", "-y", "--prune"]).of(&shop.application).exits(2);

    assert_snapshot!(refused, @r"
    shop  OutOfSync  2 extra
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  shop  HEAD  bfdd53f  local repository

      - ConfigMap [NAMESPACE]/settings  extra, not in git, removed from git since the last sync
        commit bfdd53f  all gone, Ada, [AGO]

      - apps/Deployment [NAMESPACE]/web  extra, not in git, removed from git since the last sync
        commit bfdd53f  all gone, Ada, [AGO]

      × shop: git renders nothing, so the plan deletes everything that is live (2 objects); nothing was written

    1 application  1 out of sync
    2 resources    2 extra
    1 error
    exit code 2    error: no complete answer (bad input, git, rendering or cluster failure)
    --- stderr
    fetched 1 repository
    rendered 1 application
    listed 2 kinds
    compared 1 application
      × shop: git renders nothing, so the plan deletes everything that is live (2 objects); nothing
      │ was written
      help: if that is intended, pass `--allow-empty`; else see what git renders with `trueup render`
    [exit 2]
    ");
    assert!(shop.live("deployment", "web").is_some());
}

/// A refactoring that moves a folder away would take half of the application with it.
#[test]
fn a_suspicious_mass_deletion_is_refused() {
    let shop = or_skip!(Shop::new());
    let shop = shop.changed(|git| {
        (0..6)
            .fold(git, |git, number| git.file(&format!("shop/{number}.yaml"), config_map(&format!("c{number}"))))
            .commit("more")
    });
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    let shop =
        shop.changed(|git| (0..6).fold(git, |git, number| git.remove(&format!("shop/{number}.yaml"))).commit("fewer"));

    let refused = trueup(["sync", "-y", "--prune"]).of(&shop.application).exits(2);
    assert_snapshot!(refused, @r"
    shop  OutOfSync  6 extra, 2 in sync
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  shop  HEAD  486af85  local repository

      - ConfigMap [NAMESPACE]/c0  extra, not in git, removed from git since the last sync
        commit 486af85  fewer, Ada, [AGO]

      - ConfigMap [NAMESPACE]/c1  extra, not in git, removed from git since the last sync
        commit 486af85  fewer, Ada, [AGO]

      - ConfigMap [NAMESPACE]/c2  extra, not in git, removed from git since the last sync
        commit 486af85  fewer, Ada, [AGO]

      - ConfigMap [NAMESPACE]/c3  extra, not in git, removed from git since the last sync
        commit 486af85  fewer, Ada, [AGO]

      - ConfigMap [NAMESPACE]/c4  extra, not in git, removed from git since the last sync
        commit 486af85  fewer, Ada, [AGO]

      - ConfigMap [NAMESPACE]/c5  extra, not in git, removed from git since the last sync
        commit 486af85  fewer, Ada, [AGO]

      × shop: the plan deletes 6 of 8 objects, more than `--max-prune 50%`; nothing was written

    1 application  1 out of sync
    8 resources    6 extra, 2 in sync
    1 error
    exit code 2    error: no complete answer (bad input, git, rendering or cluster failure)
    --- stderr
    fetched 1 repository
    rendered 1 application
    listed 2 kinds
    compared 1 application
      × shop: the plan deletes 6 of 8 objects, more than `--max-prune 50%`; nothing was written
      help: if that is intended, pass `--max-prune 75%`
    [exit 2]
    ");
    assert!(shop.live("configmap", "c0").is_some());

    trueup(["sync", "-y", "--prune", "--max-prune", "80%"]).of(&shop.application).exits(0);
    assert_eq!(shop.live("configmap", "c0"), None);
}

/// The same where the pull loop sets the cluster back while git is ahead: a kind that a failed run may have brought something of,
/// and that this account cannot see, is still named afterwards.
#[test]
fn healing_forgets_nothing_that_it_cannot_see() {
    let shop = or_skip!(Shop::new());
    trueup(["sync", "-y"]).of(&shop.application).exits(0);
    let (named, kinds) = ("applyset.kubernetes.io/contains-group-kinds", "ConfigMap,Deployment.apps,ServiceAccount");
    shop.cluster.kubectl(["annotate", "--overwrite", "configmap", "trueup-shop", &format!("{named}={kinds}")]);
    let account = shop.cluster.account("half-blind").may("*", "configmaps,deployments.apps,leases.coordination.k8s.io");
    let account = account.kubeconfig().to_owned();
    shop.cluster.kubectl(["scale", "deployment/web", "--replicas=5"]);
    let ahead = config_map("settings").data("colour", "blue");
    let shop = shop.changed(|git| git.file("shop/settings.yaml", ahead).commit("ahead"));

    trueup(["reconcile", "--self-heal"]).of(&shop.application).kubeconfig(&account).exits(1);

    assert_eq!(shop.live("deployment", "web").unwrap()["spec"]["replicas"], 2);
    assert_eq!(shop.live("configmap", "trueup-shop").unwrap()["metadata"]["annotations"][named], kinds);
}

/// A condition in a chart that flips: its object stays until it is pruned, is taken back where it stayed, and is made anew where
/// it went.
#[test]
fn what_a_chart_drops_and_brings_again_is_its_own_each_time() {
    let helm = or_skip!(crate::harness::program("helm"));
    let cluster = or_skip!(crate::harness::TestCluster::namespace());
    let settings =
        "{{- if .Values.extra }}\napiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: extra\n{{- end }}\n";
    let mut git = crate::harness::TestRepo::new()
        .file("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.1.0\n")
        .file("values.yaml", "extra: true\n")
        .file("templates/always.yaml", config_map("always").data("a", "1"))
        .file("templates/extra.yaml", settings)
        .commit("with it");
    let shop = git
        .application("shop")
        .deployed_to(&cluster)
        .spec_field("syncPolicy", json!({"syncOptions": ["PrunePropagationPolicy=background"]}));
    let run =
        |arguments: &[&str], code| trueup([]).arguments(arguments).of(&shop).env("TRUEUP_HELM", &helm).exits(code);
    let uid = || super::live(&cluster, "serviceaccount", "extra").map(|live| live["metadata"]["uid"].clone());
    run(&["sync", "-y"], 0);
    let first = uid();
    assert!(first.is_some());

    for asked in [false, true] {
        git = git.file("values.yaml", "extra: false\n").commit("without it");
        run(&["diff"], 1);
        if asked {
            run(&["sync", "-y", "--prune"], 0);
            assert_eq!(uid(), None);
        } else {
            run(&["sync", "-y"], 1);
            assert_eq!(uid(), first);
        }
        git = git.file("values.yaml", "extra: true\n").commit("with it again");
        run(&["diff"], i32::from(asked));
        run(&["sync", "-y"], 0);
        assert_eq!(uid() == first, !asked);
        run(&["diff"], 0);
    }
}
