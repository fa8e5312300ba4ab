//! Objects that move between applications of one run, and the namespace that an application has trueup create.

use serde_json::{Value, json};

use super::{live, plain};
use crate::harness::{Missing, TestApplication, TestCluster, TestRepo, or_skip, trueup};

/// Two applications in one repository, both of which prune.
struct Two {
    cluster: TestCluster,
    git: TestRepo,
    web: TestApplication,
    shop: TestApplication,
}

impl Two {
    fn new() -> Result<Self, Missing> {
        let cluster = TestCluster::namespace()?;
        let git = TestRepo::new()
            .file("web/web.yaml", plain("web"))
            .file("web/moves.yaml", plain("moves"))
            .file("shop/shop.yaml", plain("shop"))
            .commit("two applications");
        let policy = json!({
            "automated": {"prune": true}, "syncOptions": ["PrunePropagationPolicy=background"],
        });
        let application = |name: &str| {
            git.application(name).path(name).deployed_to(&cluster).spec_field("syncPolicy", policy.clone())
        };
        let (web, shop) = (application("web"), application("shop"));
        trueup(["sync", "-y"]).of(&web).argument(shop.manifest()).exits(0);
        Ok(Self { cluster, git, web, shop })
    }

    /// The object is another team's from now on.
    fn moved(self) -> Self {
        let git = self.git.remove("web/moves.yaml").file("shop/moves.yaml", plain("moves")).commit("it moves");
        Self { git, ..self }
    }

    fn moves(&self) -> Value {
        live(&self.cluster, "configmap", "moves").expect("it is never deleted")
    }

    fn id_of(&self, application: &str) -> Value {
        let parent = live(&self.cluster, "configmap", &format!("trueup-{application}")).expect("it was synced");
        parent["metadata"]["labels"]["applyset.kubernetes.io/id"].clone()
    }

    fn owner(&self) -> Value {
        self.moves()["metadata"]["labels"]["applyset.kubernetes.io/part-of"].clone()
    }
}

/// The second application adopts the object, the first lets go of it; by the pull loop and by hand, in either order.
#[test]
fn an_object_that_moves_between_applications_is_adopted_and_not_deleted() {
    for command in [&["reconcile"][..], &["sync", "-y", "--prune", "--max-prune", "100%"]] {
        for web_is_first in [true, false] {
            let two = or_skip!(Two::new()).moved();
            let uid = two.moves()["metadata"]["uid"].clone();
            let (first, second) = if web_is_first { (&two.web, &two.shop) } else { (&two.shop, &two.web) };

            let run = trueup([])
                .arguments(command)
                .arguments(["--concurrency", "1"])
                .of(first)
                .argument(second.manifest())
                .exits(0);

            assert_eq!(two.moves()["metadata"]["uid"], uid, "{}", run.transcript());
            assert_eq!(two.owner(), two.id_of("shop"), "{}", run.transcript());
            trueup(["diff"]).of(&two.web).argument(two.shop.manifest()).exits(0);
            trueup(["reconcile"]).of(&two.web).exits(0);
            assert_eq!(two.moves()["metadata"]["uid"], uid, "the first one alone leaves it, too");
        }
    }
}

/// The first application runs with the second one in sight, which is synced by hand: the object waits for it.
#[test]
fn an_object_waits_for_the_application_that_it_moves_to() {
    let two = or_skip!(Two::new()).moved();
    let by_hand = two.git.application("shop").path("shop").deployed_to(&two.cluster);
    let uid = two.moves()["metadata"]["uid"].clone();

    let run = trueup(["reconcile"]).of(&two.web).argument(by_hand.manifest()).exits(1);

    assert_eq!(two.moves()["metadata"]["uid"], uid, "{}", run.transcript());
    assert_eq!(two.owner(), two.id_of("web"));
    trueup(["sync", "-y"]).of(&by_hand).argument(two.web.manifest()).exits(0);
    assert_eq!((two.moves()["metadata"]["uid"].clone(), two.owner()), (uid, two.id_of("shop")));
}

/// Both have it in git: nobody gives it up, and nothing is written.
#[test]
fn an_object_of_two_applications_is_still_refused() {
    let two = or_skip!(Two::new());
    let git = two.git.file("shop/moves.yaml", plain("moves")).commit("both");
    let two = Two { git, ..two };
    trueup(["sync", "-y"]).of(&two.shop).argument(two.web.manifest()).exits(2);
    assert_eq!(two.owner(), two.id_of("web"));
}

/// The namespace was a manifest of the application, and is the option's from now on.
#[test]
fn the_namespace_that_an_application_asks_for_is_never_pruned() {
    let cluster = or_skip!(TestCluster::namespace());
    let namespace = format!("{}-made", cluster.name());
    let of_git = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
    let git = TestRepo::new().file("a.yaml", plain("a")).file("ns.yaml", of_git).commit("a namespace in git");
    let destination = json!({"server": cluster.server(), "namespace": namespace});
    let shop = git
        .application("shop")
        .deployed_to(&cluster)
        .destination(destination)
        .spec_field("syncPolicy", json!({"syncOptions": ["CreateNamespace=true"]}));
    trueup(["sync", "-y"]).of(&shop).exits(0);
    let uid = || {
        let text = cluster.kubectl(["get", "namespace", &namespace, "-o", "json"]);
        let live: Value = serde_json::from_str(&text).unwrap();
        (live["metadata"]["uid"].clone(), live["status"]["phase"].clone())
    };
    let before = uid();
    let git = git.remove("ns.yaml").commit("the option asks for it");

    trueup(["sync", "-y", "--prune", "--prune-protected", "--max-prune", "100%"]).of(&shop).exits(0);
    assert_eq!(uid(), before, "{}", git.head());
    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(0).json();
    assert_eq!(report["summary"]["extra"], 0, "{report:#}");
    cluster.kubectl(["delete", "namespace", &namespace, "--wait=false"]);
}
