//! ApplicationSets in PATH: what they generate is compared, synced and deleted like what is written out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Fleet, application, application_set, folders, listed};
use crate::harness::{TestCluster, folder_with, or_skip, trueup};

/// One list, one set of folders, one Application: all of them are applications of the run.
#[test]
fn generated_applications_are_synced_and_compared_like_written_ones() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = folders(&["apps/api", "apps/web", "stages/dev", "alone"]).commit("four folders");
    let folders = json!([{"git": {"repoURL": git.url(), "revision": "HEAD", "directories": [{"path": "apps/*"}]}}]);
    let list = json!([{"list": {"elements": [{"stage": "dev"}]}}]);
    let by_folder =
        application_set("teams", folders, application("{{.path.basename}}", &git, "{{.path.path}}", &cluster));
    let by_list = application_set("stages", list, application("shop-{{.stage}}", &git, "stages/{{.stage}}", &cluster));
    let alone = application("alone", &git, "alone", &cluster);
    let fleet =
        Fleet::new(cluster, git, [("alone.yaml", &alone), ("stages.yaml", &by_list), ("teams.yaml", &by_folder)]);

    assert_eq!(
        fleet.applications(["diff"], 1),
        [
            "alone OutOfSync",
            "shop-dev OutOfSync of argocd/stages",
            "api OutOfSync of argocd/teams",
            "web OutOfSync of argocd/teams",
        ]
    );
    assert_eq!(fleet.applications(["sync", "-y", "--app", "shop-dev", "--app", "a*"], 0).len(), 3);
    assert!(fleet.has("dev") && fleet.has("api") && fleet.has("alone") && !fleet.has("web"));
    fleet.run(["reconcile"]).exits(1);
    fleet.run(["sync", "-y"]).exits(0);
    fleet.run(["status"]).exits(0);
    fleet.run(["wait", "--timeout", "20s"]).exits(0);
    let text = fleet.run(["diff", "-v"]).exits(0);
    assert!(text.stdout.contains("of ApplicationSet argocd/teams"), "{}", text.transcript());
    let history = fleet.run(["history", "web", "-o", "json"]).exits(0);
    assert!(history.stdout.contains("\"web\""), "{}", history.transcript());
    let checked = fleet.run(["doctor"]).exits(0);
    assert!(checked.stdout.contains(&fleet.git.url()), "{}", checked.transcript());

    fleet.run(["delete", "web", "-y", "--propagation-policy", "background"]).exits(0);
    assert!(!fleet.has("web") && fleet.has("api"));
}

/// Argo CD's cluster Secret for a cluster, with the administrator's token.
fn cluster_secret(cluster: &TestCluster) -> Value {
    let kubeconfig = std::fs::read_to_string(cluster.kubeconfig()).expect("it was written");
    let kubeconfig: Value = serde_json::from_str(&kubeconfig).expect("it is JSON");
    let authority = kubeconfig["clusters"][0]["cluster"]["certificate-authority"].as_str().expect("a file");
    let authority = STANDARD.encode(std::fs::read(authority).expect("it was written"));
    let config =
        json!({"bearerToken": kubeconfig["users"][0]["user"]["token"], "tlsClientConfig": {"caData": authority}});
    let labels = json!({"argocd.argoproj.io/secret-type": "cluster", "stage": "prod"});
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": cluster.name(), "namespace": "argocd", "labels": labels},
        "stringData": {"name": cluster.name(), "server": cluster.server(), "config": config.to_string()},
    })
}

/// Two API servers by their Secrets: one Application for each of them, and the kubeconfig knows only one.
#[test]
fn a_clusters_generator_deploys_to_each_cluster_that_is_known() {
    let (first, second) = (or_skip!(TestCluster::namespace()), or_skip!(TestCluster::with_controllers()));
    let git = folders(&["web"]).commit("one folder");
    let mut template = application("web-{{.name}}", &git, "web", &first);
    template["spec"]["destination"] = json!({"server": "{{.server}}", "namespace": "{{.name}}"});
    let generators = json!([{"clusters": {"selector": {"matchLabels": {"stage": "prod"}}}}]);
    let set = application_set("everywhere", generators, template);
    let (one, two) = (cluster_secret(&first), cluster_secret(&second));
    let secrets = folder_with([("one.yaml", &one), ("two.yaml", &two)]);
    let (one, two) = (first.name().to_owned(), second.name().to_owned());
    let fleet = Fleet::new(first, git, [("set.yaml", &set)]);

    // Nothing is assumed about clusters.
    let unknown = fleet.run(["diff"]).exits(2);
    assert!(unknown.stderr.contains("--clusters"), "{}", unknown.transcript());

    let synced = fleet.run(["sync", "-y", "-o", "json"]).argument("--clusters").argument(secrets.path()).exits(0);
    assert_eq!(
        listed(&synced),
        [format!("web-{one} Synced of argocd/everywhere"), format!("web-{two} Synced of argocd/everywhere")]
    );
    assert!(fleet.has("web"));
    assert!(second.kubectl(["get", "configmap", "web", "-o", "name"]).contains("web"));
}

/// A set whose template fails is an error of its own: the other applications are synced, the exit code is 2.
#[test]
fn a_generator_that_fails_stops_only_its_own_applications() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = folders(&["web", "api"]).commit("two folders");
    let broken = application_set(
        "broken",
        json!([{"git": {"repoURL": format!("{}-missing", git.url()), "revision": "HEAD", "directories": [{"path": "*"}]}}]),
        application("{{.path.basename}}", &git, "{{.path.path}}", &cluster),
    );
    let web = application("web", &git, "web", &cluster);
    let fleet = Fleet::new(cluster, git, [("broken.yaml", &broken), ("web.yaml", &web)]);

    let synced = fleet.run(["sync", "-y", "-o", "json"]).exits(2);

    assert_eq!(listed(&synced), ["web Synced"]);
    assert!(fleet.has("web") && !fleet.has("api"));
    let report = synced.json();
    let findings: Vec<&str> =
        report["findings"].as_array().expect("findings").iter().filter_map(|one| one["message"].as_str()).collect();
    assert!(findings.iter().any(|message| message.starts_with("broken: ")), "{findings:?}");
    // Nothing else is left to do, and the set is still broken.
    fleet.run(["reconcile", "--self-heal"]).exits(2);
}

/// `render` needs no cluster and no selection: the objects of everything that is generated.
#[test]
fn what_is_generated_is_rendered() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = folders(&["web", "api"]).commit("two folders");
    let list = json!([{"list": {"elements": [{"app": "web"}, {"app": "api"}]}}]);
    let set = application_set("shops", list, application("{{.app}}", &git, "{{.app}}", &cluster));
    let fleet = Fleet::new(cluster, git, [("set.yaml", &set)]);

    let rendered = trueup(["render", "-o", "json", "--app", "api"]).argument(fleet.top.path()).exits(0);

    let names: Vec<String> = rendered.json()["items"]
        .as_array()
        .expect("a List")
        .iter()
        .map(|object| object["metadata"]["name"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(names, ["api"]);
}
