//! `trueup cluster list`, `add`, `rotate` and `rm`: what they show, what they create, and what they leave alone.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::{ClusterSecrets, flat, with_token};
use crate::harness::{Run, TestApplication, TestCluster, TestRepo, config_map, or_skip, trueup};

/// The contexts of both; the first is the current one.
fn contexts(first: &TestCluster, second: &TestCluster) -> OsString {
    std::env::join_paths([first.kubeconfig(), second.kubeconfig()]).unwrap()
}

/// Argo CD's namespace, and a cluster that is added to it.
struct Fleet {
    argocd: TestCluster,
    target: TestCluster,
    /// The name of the account, which is no other test's.
    account: String,
}

impl Fleet {
    fn run(&self, arguments: &[&str]) -> Run {
        trueup(["cluster"])
            .arguments(arguments)
            .arguments(["--argocd-namespace", self.argocd.name()])
            .env("KUBECONFIG", contexts(&self.argocd, &self.target))
    }

    fn add(&self, more: &[&str]) -> Run {
        self.run(&["add", self.target.context(), "--name", "prod"])
            .arguments(["--service-account", &self.account, "--system-namespace", self.target.name()])
            .arguments(more)
    }

    /// Compares or syncs with what Argo CD's cluster knows alone: there is no context of the target.
    fn with_secret(&self, command: &[&str], shop: &TestApplication) -> Run {
        trueup([])
            .arguments(command)
            .argument(shop.manifest())
            .arguments(["--clusters", "argocd", "--argocd-namespace", self.argocd.name()])
            .kubeconfig(self.argocd.kubeconfig())
    }

    fn shop(&self, git: &TestRepo) -> TestApplication {
        git.application("shop").path("shop").destination(json!({ "name": "prod", "namespace": self.target.name() }))
    }

    /// The names of everything that has the account's label.
    fn of_account(&self) -> Vec<String> {
        let label = format!("trueup.dev/cluster-account={}", self.account);
        let kinds = "serviceaccounts,secrets,clusterroles,clusterrolebindings,roles,rolebindings";
        let found = self.target.kubectl(["get", kinds, "-l", &label, "-o", "name"]);
        found.lines().map(str::to_owned).collect()
    }

    fn secrets(&self) -> Vec<Value> {
        let found =
            self.argocd.kubectl(["get", "secrets", "-l", "argocd.argoproj.io/secret-type=cluster", "-o", "json"]);
        serde_json::from_str::<Value>(&found).unwrap()["items"].as_array().unwrap().clone()
    }
}

fn repository() -> TestRepo {
    TestRepo::new().file("shop/settings.yaml", config_map("settings").data("colour", "green")).commit("the shop")
}

/// Everything that a kubeconfig and Secrets name is asked, whoever answers: what is down is shown, and is exit code 2.
#[test]
fn every_cluster_is_listed_with_its_version_and_its_applications() {
    let (first, second) = (or_skip!(TestCluster::namespace()), or_skip!(TestCluster::with_controllers()));
    let secrets = ClusterSecrets::new().with("prod", second.server(), &with_token(&second));
    let git = repository();
    let shop = git.application("shop").path("shop").destination(json!({ "name": "prod", "namespace": "shop" }));
    let other = git.application("other").path("shop").destination(json!({ "name": "in-cluster", "namespace": "x" }));
    let list = |secrets: &ClusterSecrets| {
        trueup(["cluster", "list", "--request-timeout", "5s", "--clusters"])
            .argument(secrets.path())
            .arguments([shop.manifest(), other.manifest()])
            .env("KUBECONFIG", contexts(&first, &second))
    };

    let report = list(&secrets).arguments(["-o", "json"]).exits(0).json();
    let rows: Vec<(&str, bool, usize)> = report["clusters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cluster| {
            assert!(cluster["kubernetesVersion"].as_str().unwrap().starts_with("v1."), "{cluster}");
            let count = cluster["applications"].as_array().unwrap().len();
            (cluster["name"].as_str().unwrap(), cluster["latencyMs"].is_u64(), count)
        })
        .collect();
    assert_eq!(rows, [(first.context(), true, 1), (second.context(), true, 0), ("prod", true, 1)]);
    let names = list(&secrets).arguments(["-o", "name"]).exits(0).stdout;
    assert_eq!(names, format!("{}\n{}\nprod\n", first.context(), second.context()));

    let secrets = secrets.with("down", "https://127.0.0.1:1", &json!({ "bearerToken": "s3cret" })).with(
        "broken",
        "https://127.0.0.1:2",
        &json!({ "bearerToken": 1 }),
    );
    let outcome = list(&secrets).arguments(["-o", "wide"]).exits(2);
    let rows: Vec<Vec<&str>> = outcome.stdout.lines().map(|line| line.split_whitespace().take(3).collect()).collect();
    assert_eq!(rows[0], ["NAME", "SERVER", "VERSION"]);
    assert_eq!(rows[3], ["broken", "https://127.0.0.1:2", "unreachable"]);
    assert_eq!(rows[4], ["down", "https://127.0.0.1:1", "unreachable"]);
    assert!(rows[1][2].starts_with("v1.") && rows[5][2].starts_with("v1."), "{}", outcome.stdout);
    assert!(outcome.stderr.contains("https://127.0.0.1:1 cannot be reached"), "{}", outcome.transcript());
    assert!(!outcome.transcript().contains("s3cret"));
}

/// Added, used by Argo CD's own Secret alone, rotated, removed: and nothing is left of it but what was deployed.
#[test]
fn a_cluster_is_added_rotated_and_removed() {
    let (argocd, target) = (or_skip!(TestCluster::namespace()), or_skip!(TestCluster::with_controllers()));
    let account = format!("{}-manager", target.name());
    let fleet = Fleet { argocd, target, account };
    let (git, fleet) = (repository(), &fleet);
    let shop = fleet.shop(&git);

    let shown = fleet.add(&["--dry-run"]).exits(0).stderr;
    assert!(shown.contains("every right in the whole cluster") && shown.contains("nothing was written"), "{shown}");
    assert!(shown.contains(&format!("+ ClusterRole {}-role", fleet.account)), "{shown}");
    assert_eq!((fleet.of_account().len(), fleet.secrets().len()), (0, 0));
    // Nobody is there to be asked.
    fleet.add(&[]).exits(2);

    fleet.add(&["-y", "--label", "env=prod", "--project", "shop"]).exits(0);
    fleet.with_secret(&["sync", "-y"], &shop).exits(0);
    let [secret] = &fleet.secrets()[..] else { panic!("{:?}", fleet.secrets()) };
    assert_eq!(secret["metadata"]["labels"]["env"], "prod");
    // Again: it is the same account, with one token.
    fleet.add(&["-y"]).exits(0);
    let first = fleet.of_account();
    assert_eq!(first.len(), 4, "{first:?}");

    fleet.run(&["rotate", "prod", "--dry-run"]).exits(0);
    assert_eq!(fleet.of_account(), first);
    fleet.run(&["rotate", "prod", "-y"]).exits(0);
    let second = fleet.of_account();
    assert!(second.len() == 4 && second != first, "{first:?} {second:?}");
    fleet.with_secret(&["diff"], &shop).exits(0);

    let question = fleet.run(&["rm", "prod", "--dry-run"]).exits(0).stderr;
    assert!(question.contains(&format!("- ServiceAccount {}/{}", fleet.target.name(), fleet.account)), "{question}");
    fleet.run(&["rm", "prod", "-y"]).exits(0);
    assert_eq!((fleet.of_account(), fleet.secrets().len()), (Vec::new(), 0));
    assert_eq!(fleet.target.kubectl(["get", "configmap", "settings", "-o", "jsonpath={.data.colour}"]), "green");
    fleet.run(&["rm", "prod", "-y"]).exits(2);
}

/// Whoever holds a reader's token can compare, and neither write nor run anything.
#[test]
fn a_read_only_account_compares_and_writes_nothing() {
    let (argocd, target) = (or_skip!(TestCluster::namespace()), or_skip!(TestCluster::with_controllers()));
    let account = format!("{}-reader", target.name());
    let fleet = Fleet { argocd, target, account };
    let git = repository();
    let shop = fleet.shop(&git);
    fleet.add(&["-y", "--read-only"]).exits(0);

    fleet.with_secret(&["diff"], &shop).exits(1);
    fleet.with_secret(&["sync", "-y"], &shop).exits(4);
    let user = format!("--as=system:serviceaccount:{}:{}", fleet.target.name(), fleet.account);
    let can = |verb: &str, resource: &str, subresource: &str| {
        let arguments = ["auth", "can-i", verb, resource, "--subresource", subresource, &user];
        let output = fleet.target.try_kubectl(fleet.target.kubeconfig(), &arguments, "");
        String::from_utf8_lossy(&output.stdout).trim() == "yes"
    };
    assert!(can("list", "deployments.apps", "") && can("get", "pods", "log"));
    for (verb, resource, subresource) in
        [("get", "pods", "exec"), ("get", "nodes", "proxy"), ("patch", "configmaps", ""), ("create", "pods", "")]
    {
        assert!(!can(verb, resource, subresource), "{verb} {resource}/{subresource}");
    }
    fleet.run(&["rm", "prod", "-y"]).exits(0);
    assert_eq!(fleet.of_account(), Vec::<String>::new());
}

/// Rights in some namespaces are Roles, and the Secret limits Argo CD to them.
#[test]
fn an_account_of_namespaces_has_no_right_elsewhere() {
    let (argocd, target) = (or_skip!(TestCluster::namespace()), or_skip!(TestCluster::with_controllers()));
    let account = format!("{}-team", target.name());
    let fleet = Fleet { argocd, target, account };
    let git = repository();
    let (shop, team) = (fleet.shop(&git), fleet.target.name());
    fleet.add(&["-y", "--namespace", team]).exits(0);

    assert!(!fleet.of_account().iter().any(|name| name.contains("clusterrole")), "{:?}", fleet.of_account());
    fleet.with_secret(&["sync", "-y"], &shop).exits(0);
    fleet.with_secret(&["diff"], &shop).exits(0);
    let elsewhere =
        git.application("other").path("shop").destination(json!({ "name": "prod", "namespace": "default" }));
    let text = flat(&fleet.with_secret(&["diff"], &elsewhere).exits(2));
    assert!(text.contains("namespace `default` cannot be managed"), "{text}");
    // With other rights than before, those of before are gone, and so are their limits.
    fleet.add(&["-y"]).exits(0);
    assert!(!fleet.of_account().iter().any(|name| name.starts_with("role")), "{:?}", fleet.of_account());
    fleet.with_secret(&["diff"], &elsewhere).exits(1);
    fleet.add(&["-y", "--namespace", team]).exits(0);
    assert!(!fleet.of_account().iter().any(|name| name.contains("clusterrole")), "{:?}", fleet.of_account());
    fleet.with_secret(&["diff"], &shop).exits(0);
    // An account cannot remove itself: a context is needed.
    let alone = trueup(["cluster", "rm", "prod", "-y", "--argocd-namespace", fleet.argocd.name()]);
    alone.kubeconfig(fleet.argocd.kubeconfig()).exits(2);
    fleet.run(&["rm", "prod", "-y"]).exits(0);
    assert_eq!(fleet.of_account(), Vec::<String>::new());
}

/// What somebody else created is neither changed nor deleted, whatever labels it has.
#[test]
fn objects_of_others_are_left_alone() {
    let (argocd, target) = (or_skip!(TestCluster::namespace()), or_skip!(TestCluster::with_controllers()));
    let account = format!("{}-foreign", target.name());
    let fleet = Fleet { argocd, target, account };
    fleet.target.kubectl(["create", "serviceaccount", &fleet.account]);

    let text = flat(&fleet.add(&["-y"]).exits(2));
    assert!(
        text.contains("exists and was not created by `trueup cluster add` for this Argo CD; nothing was written"),
        "{text}"
    );
    assert_eq!((fleet.of_account().len(), fleet.secrets().len()), (0, 0));

    fleet.target.kubectl(["delete", "serviceaccount", &fleet.account]);
    fleet.add(&["-y"]).exits(0);
    // A copy has the labels, and is not what was created.
    let name = format!("{}-copy", fleet.account);
    let mut copy: Value =
        serde_json::from_str(&fleet.target.kubectl(["get", "serviceaccount", &fleet.account, "-o", "json"])).unwrap();
    copy["metadata"] = json!({ "name": name, "labels": copy["metadata"]["labels"] });
    fleet.target.apply(copy);
    fleet.run(&["rm", "prod", "-y"]).exits(0);
    assert_eq!(fleet.of_account(), [format!("serviceaccount/{name}")]);

    // A Secret that Argo CD or somebody else registered.
    let secret =
        super::cluster_secret("other", &json!({ "name": "prod", "server": fleet.target.server(), "config": "{}" }));
    fleet.argocd.apply(secret);
    let text = flat(&fleet.add(&["-y"]).exits(2));
    assert!(text.contains("Secret `other` of namespace ") && text.contains(" already; nothing was written"), "{text}");
    let text = flat(&fleet.run(&["rm", "prod", "-y"]).exits(2));
    assert!(text.contains("was not created by `trueup cluster add`"), "{text}");
    assert_eq!(fleet.secrets().len(), 1);
}

/// Where Secrets are kept in git or in a vault, the new one is printed or written to a file, for its owner alone.
#[test]
fn the_secret_is_printed_or_written_where_that_is_wanted() {
    let (argocd, target) = (or_skip!(TestCluster::namespace()), or_skip!(TestCluster::with_controllers()));
    let account = format!("{}-file", target.name());
    let fleet = Fleet { argocd, target, account };
    let git = repository();
    let shop = fleet.shop(&git);
    let folder = tempfile::tempdir().unwrap();

    fleet.add(&["-y", "--output-dir"]).argument(folder.path()).exits(0);

    assert_eq!(fleet.secrets().len(), 0);
    let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    trueup(["sync", "-y", "--clusters"]).argument(&file).argument(shop.manifest()).exits(0);
    let printed = fleet.add(&["-y", "-o", "yaml"]).exits(0).stdout;
    assert!(printed.contains("argocd.argoproj.io/secret-type: cluster"), "{printed}");
}
