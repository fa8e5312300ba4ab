//! What git may still have is not pruned: a typo, a broken file, a pointer or a link to nothing hides objects, and deletes none.
//!
//! Rule: Argo CD skips such files without a word (reposerver/repository/repository.go `findManifests`), and prunes what they held.

use serde_json::{Value, json};

use super::{live, plain};
use crate::harness::{Missing, Outcome, TestApplication, TestCluster, TestRepo, or_skip, program, trueup, until};

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: d\ndata:\n  a: \"1\"\n";

/// Four ConfigMaps, each in its own file, synced by a policy that prunes.
struct Site {
    cluster: TestCluster,
    git: TestRepo,
    shop: TestApplication,
}

impl Site {
    fn new() -> Result<Self, Missing> {
        Self::with_policy(json!({"automated": {"prune": true}}))
    }

    fn with_policy(mut policy: Value) -> Result<Self, Missing> {
        let cluster = TestCluster::namespace()?;
        policy["syncOptions"] = json!(["PrunePropagationPolicy=background"]);
        let git = ["a", "b", "c"].into_iter().fold(TestRepo::new(), |git, name| git.file(&at(name), plain(name)));
        let git = git.file(&at("d"), CONFIG_MAP).commit("four");
        let shop = git.application("shop").path("shop").deployed_to(&cluster).spec_field("syncPolicy", policy);
        trueup(["sync", "-y"]).of(&shop).exits(0);
        Ok(Self { cluster, git, shop })
    }

    fn changed(self, change: impl FnOnce(TestRepo) -> TestRepo) -> Self {
        Self { git: change(self.git).commit("a change"), ..self }
    }

    #[track_caller]
    fn reconciles(&self, code: i32) -> Outcome {
        trueup(["reconcile"]).of(&self.shop).exits(code)
    }

    fn has(&self, name: &str) -> bool {
        live(&self.cluster, "configmap", name).is_some()
    }

    fn uid(&self, name: &str) -> String {
        live(&self.cluster, "configmap", name).unwrap()["metadata"]["uid"].as_str().unwrap().to_owned()
    }
}

fn at(name: &str) -> String {
    format!("shop/{name}.yaml")
}

/// `kind` became `knd`: the pull loop deleted the object, and its exit code was 0.
#[test]
fn a_typo_in_a_manifest_deletes_nothing() {
    let site = or_skip!(Site::new()).changed(|git| git.file(&at("d"), CONFIG_MAP.replace("kind:", "knd:")));

    let run = site.reconciles(2);

    assert!(site.has("d"), "{}", run.transcript());
    let words = "shop: the manifests are incomplete: `shop/d.yaml:2` has `knd` instead of `kind`";
    assert!(run.stderr.contains(words), "{}", run.transcript());
    let report = trueup(["diff", "-o", "json"]).of(&site.shop).exits(2).json();
    let application = &report["applications"][0];
    assert_eq!(application["sync"], "Unknown", "{report:#}");
    let of_d = application["resources"].as_array().unwrap().iter().find(|resource| resource["name"] == "d").unwrap();
    assert_eq!(of_d["state"], "unknown", "git may still have it: {report:#}");
    trueup(["health"]).of(&site.shop).exits(2);
    trueup(["render"]).of(&site.shop).exits(2);
    trueup(["sync", "-y", "--prune", "--max-prune", "100%"]).of(&site.shop).exits(2);
    assert!(site.has("d"));

    let site = site.changed(|git| git.file(&at("d"), CONFIG_MAP));
    site.reconciles(0);
    let site = site.changed(|git| git.remove(&at("d")));
    site.reconciles(0);
    assert!(!site.has("d") && site.has("c"), "what git really dropped goes");
}

/// Each way in which a file hides its object. The other objects of the application are synced all the same.
#[test]
fn what_cannot_be_read_deletes_nothing() {
    let mut site = or_skip!(Site::new());
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 12\n";
    let encrypted = "data: ENC[AES256_GCM,data:x,type:str]\nsops:\n  mac: ENC[AES256_GCM,data:y]\n  version: 3.9.0\n";
    for (number, (case, text, words)) in [
        ("a Git LFS pointer", pointer.to_owned(), "is a Git LFS pointer"),
        ("encrypted", encrypted.to_owned(), "is encrypted"),
        ("broken", "apiVersion: v1\nkind: ConfigMap\ndata: [a\n".to_owned(), "is not YAML"),
        ("no `kind`", CONFIG_MAP.replace("kind: ConfigMap\n", ""), "is a manifest without `kind`"),
        ("`apiversion`", CONFIG_MAP.replace("apiVersion", "apiversion"), "has `apiversion` instead of `apiVersion`"),
        ("`metadta`", CONFIG_MAP.replace("metadata", "metadta"), "has `metadta` instead of `metadata`"),
        (
            "no name",
            CONFIG_MAP.replace("  name: d\n", "  labels: {a: b}\n"),
            "is a `ConfigMap` without `metadata.name`",
        ),
        ("another thing", "replicas: 2\n".to_owned(), "is not a manifest"),
        ("a second typo", format!("replicas: 2\n---\n{}", CONFIG_MAP.replace("kind", "knid")), "has `knid`"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut a = plain("a");
        a["data"]["a"] = json!(number.to_string());
        site = site.changed(|git| git.file(&at("d"), text).file(&at("a"), &a));

        let run = site.reconciles(2);

        assert!(site.has("d"), "{case}\n{}", run.transcript());
        assert!(run.stdout.contains("`shop/d.yaml") && run.stdout.contains(words), "{case}\n{}", run.transcript());
        let a = live(&site.cluster, "configmap", "a").unwrap();
        assert_eq!(a["data"]["a"], number.to_string(), "{case}: the rest is synced\n{}", run.transcript());
    }
    let site = site.changed(|git| git.remove(&at("d")).link(&at("d"), "elsewhere.yaml"));
    let run = site.reconciles(2);
    assert!(site.has("d") && run.stderr.contains("is a link to a file that does not exist"), "{}", run.transcript());
}

/// A file that Argo CD takes for a broken manifest fails the whole render, there and here; so does a source that cannot be fetched.
#[test]
fn a_render_that_fails_deletes_nothing() {
    let site =
        or_skip!(Site::new()).changed(|git| git.file(&at("d"), format!("{CONFIG_MAP}  b: [\n")).remove(&at("c")));
    site.reconciles(2);
    assert!(site.has("c") && site.has("d"));

    let Site { cluster, git, shop: _ } = site.changed(|git| git.file(&at("d"), CONFIG_MAP));
    let sources = json!([
        {"repoURL": git.url(), "path": "shop", "targetRevision": "HEAD"},
        {"repoURL": git.url(), "path": "gone", "targetRevision": "HEAD"},
    ]);
    let shop = git
        .application("shop")
        .deployed_to(&cluster)
        .spec_field("sources", sources)
        .spec_field("syncPolicy", json!({"automated": {"prune": true}}));
    trueup(["reconcile"]).of(&shop).exits(2);
    trueup(["sync", "-y", "--prune", "--max-prune", "100%"]).of(&shop).exits(2);
    assert!(live(&cluster, "configmap", "c").is_some(), "the second source failed");
}

/// One team's broken file does not keep what another one removed: the record knows which file an object was in.
#[test]
fn an_object_whose_file_is_gone_is_pruned_beside_a_broken_file() {
    let site =
        or_skip!(Site::new()).changed(|git| git.file(&at("d"), CONFIG_MAP.replace("kind:", "knd:")).remove(&at("c")));
    let run = site.reconciles(2);
    assert!(!site.has("c") && site.has("d"), "{}", run.transcript());
}

/// A file is renamed, and later damaged under its new name. Nothing of it was written in between, so that the record has the old name.
#[test]
fn a_renamed_file_is_no_prune() {
    let site = or_skip!(Site::new());
    let uid = site.uid("d");
    let site = site.changed(|git| git.remove(&at("d")).file(&at("e"), CONFIG_MAP));
    let run = site.reconciles(0);
    assert_eq!(site.uid("d"), uid, "{}", run.transcript());

    let site = site.changed(|git| git.file(&at("e"), CONFIG_MAP.replace("kind:", "knd:")));
    site.reconciles(2);
    assert_eq!(site.uid("d"), uid);
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e\nsize 12\n";
    let site = site.changed(|git| git.file(&at("e"), pointer));
    site.reconciles(2);
    assert_eq!(site.uid("d"), uid);
}

/// Moved and misspelt in one commit.
#[test]
fn an_object_that_moved_to_a_file_with_a_typo_stays() {
    let site = or_skip!(Site::new())
        .changed(|git| git.remove(&at("d")).file(&at("c"), format!("{CONFIG_MAP}---\n{}", plain("c"))));
    site.reconciles(0);
    let site = site
        .changed(|git| git.file(&at("c"), plain("c")).file(&at("new"), CONFIG_MAP.replace("metadata:", "metdata:")));
    let run = site.reconciles(2);
    assert!(site.has("d") && site.has("c"), "{}", run.transcript());
}

/// What lies beside manifests is no news, and keeps nothing from being pruned.
#[test]
fn files_that_are_no_manifests_hold_nothing() {
    let site = or_skip!(Site::new()).changed(|git| {
        git.remove(&at("d"))
            .file("shop/values.yaml", "name: d\nreplicas: 2\nkind: Deployment\n")
            .file("shop/notes.yml", "- just\n- notes\n")
            .file("shop/web/Chart.yaml", "apiVersion: v2\nname: d\nversion: 1.0.0\nappVersion: v1\n")
            .file("shop/web/kustomization.yaml", "resources: [d.yaml]\n")
            .file(
                "shop/web/more/kustomization.yaml",
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
            )
    });
    let Site { cluster, git, shop: _ } = site;
    let policy = json!({"automated": {"prune": true}, "syncOptions": ["PrunePropagationPolicy=background"]});
    let shop = git.application("shop").path("shop").recurse().deployed_to(&cluster).spec_field("syncPolicy", policy);

    let run = trueup(["reconcile"]).of(&shop).exits(0);

    assert!(live(&cluster, "configmap", "d").is_none(), "{}", run.transcript());
    assert!(!run.stderr.contains('⚠'), "{}", run.transcript());
}

/// Pruning by the flag, and a deletion of the whole application, whose hooks may stand in the file.
#[test]
fn no_way_of_deleting_goes_around_it() {
    let site =
        or_skip!(Site::with_policy(json!({}))).changed(|git| git.file(&at("d"), CONFIG_MAP.replace("kind:", "knd:")));
    trueup(["reconcile", "--auto-prune", "--self-heal"]).of(&site.shop).exits(2);
    assert!(site.has("d"));

    let refused = trueup(["delete", "shop", "-y"]).of(&site.shop).exits(2);
    assert!(site.has("a") && site.has("d"), "{}", refused.transcript());
    assert!(refused.stderr.contains("its hooks are not known"), "{}", refused.transcript());
    trueup(["delete", "shop", "-y", "--no-hooks"]).of(&site.shop).exits(0);
    assert!(!site.has("a") && !site.has("d"));
}

/// An object that Argo CD tracks is on no record of ours; nor is it ours to prune, but it is not said to be gone.
#[test]
fn without_a_record_any_broken_manifest_may_hold_an_object() {
    let cluster = or_skip!(TestCluster::namespace());
    let git =
        TestRepo::new().file("a.yaml", plain("a")).file("d.yaml", CONFIG_MAP.replace("kind:", "knd:")).commit("d");
    let shop = git.application(cluster.name()).deployed_to(&cluster);
    let mut tracked = plain("d");
    let id = format!("{0}:/ConfigMap:{0}/d", cluster.name());
    tracked["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = json!(id);
    cluster.apply(tracked);

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(2).json();

    assert_eq!(report["summary"]["extra"], 0, "{report:#}");
    assert_eq!(report["applications"][0]["sync"], "Unknown");
}

/// An aggregated API is down, and a chart that asks for APIs renders less than it did.
#[test]
fn a_chart_that_asks_for_apis_deletes_nothing_while_one_does_not_answer() {
    let helm = or_skip!(program("helm"));
    let trueup =
        |command: &[&str], shop: &TestApplication| trueup([]).arguments(command).env("TRUEUP_HELM", &helm).of(shop);
    let cluster = or_skip!(TestCluster::alone());
    let group = "till.example.com";
    let chart = |name: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n");
    let asks = "{{- if .Capabilities.APIVersions.Has \"shop.example.com/v1\" }}\n";
    let git = TestRepo::new()
        .file("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("templates/always.yaml", chart("always"))
        .file("templates/some.yaml", format!("{{{{- if .Values.all }}}}\n{}{{{{- end }}}}\n", chart("some")))
        .file("templates/asks.yaml", format!("{asks}{}{{{{- end }}}}\n", chart("asks")))
        .file("values.yaml", "all: true\n")
        .commit("a chart");
    let policy = json!({"automated": {"prune": true}, "syncOptions": ["PrunePropagationPolicy=background"]});
    let shop = git.application("shop").deployed_to(&cluster).spec_field("syncPolicy", policy);
    trueup(&["sync", "-y"], &shop).exits(0);
    cluster.apply(json!({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": format!("v1.{group}")},
        "spec": {"group": group, "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 10,
                 "insecureSkipTLSVerify": true, "service": {"name": "nobody", "namespace": "default", "port": 443}},
    }));
    // The server notices by and by.
    until("the API is known not to answer", || trueup(&["diff"], &shop).outcome().code == Some(2));
    let git = git.file("values.yaml", "all: false\n").commit("less");

    let run = trueup(&["reconcile"], &shop).exits(2);

    assert!(live(&cluster, "configmap", "some").is_some(), "{}", run.transcript());
    assert!(run.stdout.contains("API `till.example.com/v1` does not answer"), "{}", run.transcript());
    cluster.kubectl(["delete", "apiservice", &format!("v1.{group}")]);
    trueup(&["reconcile"], &shop).exits(0);
    assert!(live(&cluster, "configmap", "some").is_none(), "{}", git.head());
}

/// The record has each object's file, and follows it when a sync records anything at all.
#[test]
fn the_record_knows_the_file_of_each_object() {
    let site = or_skip!(Site::new());
    let record = || -> Value {
        let parent = live(&site.cluster, "configmap", "trueup-shop").unwrap();
        serde_json::from_str(parent["data"]["baseline.json"].as_str().unwrap()).unwrap()
    };
    assert_eq!(record()["files"], json!(["shop/a.yaml", "shop/b.yaml", "shop/c.yaml", "shop/d.yaml"]));
    let git = site.git.remove(&at("d")).file(&at("e"), CONFIG_MAP).commit("it moves");
    trueup(["sync", "-y"]).of(&site.shop).exits(0);
    assert_eq!(
        record()["files"],
        json!(["shop/a.yaml", "shop/b.yaml", "shop/c.yaml", "shop/e.yaml"]),
        "{}",
        git.head()
    );
}

/// Argo CD takes a link to nothing for a values file that is missing, and renders the chart without it: what it switched on would be
/// pruned.
#[test]
fn a_values_file_that_is_a_link_to_nothing_is_an_error_and_not_missing() {
    let helm = or_skip!(program("helm"));
    let git = TestRepo::new()
        .file("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("templates/a.yaml", CONFIG_MAP)
        .commit("a chart");
    let source = json!({"valueFiles": ["prod.yaml"], "ignoreMissingValueFiles": true});
    let shop = git.application("shop").source_field("helm", source);
    trueup(["render"]).env("TRUEUP_HELM", &helm).of(&shop).exits(0);

    let git = git.link("prod.yaml", "values/prod.yaml").commit("a link");

    let run = trueup(["render"]).env("TRUEUP_HELM", &helm).of(&shop).exits(2);
    assert!(run.stderr.contains("prod.yaml"), "{}{}", git.head(), run.transcript());
}
