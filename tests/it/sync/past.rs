//! What git and the manifest said at the last sync: who changed something since, what it is set back to, and what an earlier
//! sync was made of.

use serde_json::{Value, json};

use super::live;
use crate::harness::{Missing, TestApplication, TestCluster, TestRepo, config_map, or_skip, program, trueup};

/// A ConfigMap whose values are parameters of the Application.
const SETTINGS: &str = "
function(colour='', size='large') {
  apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' },
  data: { colour: colour, size: size },
}
";

/// A shop whose colour is said by the Application.
struct Parameterised {
    cluster: TestCluster,
    git: TestRepo,
}

impl Parameterised {
    fn new() -> Result<Self, Missing> {
        let cluster = TestCluster::namespace()?;
        Ok(Self { cluster, git: TestRepo::new().file("shop/settings.jsonnet", SETTINGS).commit("the shop") })
    }

    fn block(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let parameter = |(name, value): &(&str, &str)| json!({"name": name, "value": value});
        let parameters: Vec<Value> = parameters.iter().map(parameter).collect();
        json!({"repoURL": self.git.url(), "path": path, "targetRevision": "HEAD", "directory": {"jsonnet": {"tlas": parameters}}})
    }

    fn with(&self, parameters: &[(&str, &str)]) -> TestApplication {
        TestApplication::of_source("shop", self.block("shop", parameters)).deployed_to(&self.cluster)
    }

    fn coloured(&self, colour: &str) -> TestApplication {
        self.with(&[("colour", colour)])
    }

    fn data(&self) -> Value {
        live(&self.cluster, "configmap", "settings").unwrap()["data"].clone()
    }

    fn edit(&self, data: &Value) {
        let patch = json!({"data": data}).to_string();
        self.cluster.kubectl([
            "patch",
            "configmap/settings",
            "--type=merge",
            "--field-manager=kubectl-edit",
            "-p",
            &patch,
        ]);
    }

    fn record(&self, key: &str) -> String {
        let parent = live(&self.cluster, "configmap", "trueup-shop").unwrap();
        parent["data"][key].as_str().unwrap_or_default().to_owned()
    }

    /// As a version wrote it that kept no sources.
    fn forget_sources(&self) {
        let patch = json!({"data": {"sources.json": null}}).to_string();
        self.cluster.kubectl(["patch", "configmap/trueup-shop", "--type=merge", "-p", &patch]);
    }
}

fn sides(report: &Value) -> Vec<String> {
    let fields = report["applications"][0]["resources"][0]["fields"].as_array().cloned().unwrap_or_default();
    let text = |field: &Value, name: &str| field[name].as_str().unwrap_or_default().to_owned();
    fields.iter().map(|field| format!("{} {}", text(field, "path"), text(field, "moved"))).collect()
}

/// Somebody edited the size in the cluster, and the team changed the colour in its Application, at the same revision of git.
#[test]
fn a_parameter_that_the_manifest_changed_is_a_change_in_git() {
    let shop = or_skip!(Parameterised::new());
    trueup(["sync", "-y"]).of(&shop.coloured("green")).exits(0);
    shop.edit(&json!({"size": "small"}));

    let report = trueup(["diff", "-o", "json"]).of(&shop.coloured("blue")).exits(1).json();

    assert_eq!(sides(&report), ["/data/colour git", "/data/size cluster"]);
}

/// `--self-heal` of an application that is synced by hand: the edit goes, and the new colour is not deployed.
#[test]
fn healing_never_deploys_a_parameter_that_was_not_synced() {
    let shop = or_skip!(Parameterised::new());
    trueup(["sync", "-y"]).of(&shop.coloured("green")).exits(0);
    shop.edit(&json!({"size": "small", "colour": "red"}));

    trueup(["reconcile", "--self-heal"]).of(&shop.coloured("blue")).exits(1);

    assert_eq!(shop.data(), json!({"colour": "green", "size": "large"}));
    trueup(["sync", "-y"]).of(&shop.coloured("blue")).exits(0);
    assert_eq!(shop.data(), json!({"colour": "blue", "size": "large"}));
}

/// The record of an older version has no parameters: today's are not what was synced, and nothing is set back to them.
#[test]
fn nothing_is_healed_to_a_past_that_is_not_known() {
    let shop = or_skip!(Parameterised::new());
    trueup(["sync", "-y"]).of(&shop.coloured("green")).exits(0);
    shop.edit(&json!({"size": "small"}));
    shop.forget_sources();

    let refused = trueup(["reconcile", "--self-heal"]).of(&shop.coloured("blue")).exits(2);

    assert!(refused.stderr.contains("not healed: the target of"), "{}", refused.transcript());
    assert_eq!(shop.data(), json!({"colour": "green", "size": "small"}));

    // The record proves that nothing but the cluster changed: what is rendered is what was applied.
    trueup(["reconcile", "--self-heal"]).of(&shop.coloured("green")).exits(0);
    assert_eq!(shop.data(), json!({"colour": "green", "size": "large"}));
}

/// Who wrote a field last proves nothing about git: without the target of the last sync no side is named. That nobody touched
/// what was applied is on record, and then git changed.
#[test]
fn a_side_that_cannot_be_known_is_not_named() {
    let shop = or_skip!(Parameterised::new());
    trueup(["sync", "-y"]).of(&shop.coloured("green")).exits(0);
    shop.forget_sources();
    let diff = |format: &str| trueup(["diff", "-o", format]).of(&shop.coloured("blue")).exits(1);
    assert_eq!(sides(&diff("json").json()), ["/data/colour git"]);

    shop.edit(&json!({"size": "small"}));

    let report = diff("json").json();
    assert_eq!(sides(&report), ["/data/colour unknown", "/data/size unknown"]);
    assert_eq!(report["applications"][0]["resources"][0]["fields"][1]["by"]["manager"], "kubectl-edit");
    let text = diff("text");
    for part in ["the side that changed is unknown for 1 resource", "older version"] {
        assert!(text.stderr.contains(part), "{part}\n{}", text.transcript());
    }
    assert!(!text.stdout.contains("changed in"), "{}", text.transcript());
}

/// A password that each render makes again: nobody changed it in the cluster, and git is what it was.
#[test]
fn nobody_is_blamed_for_a_render_that_is_not_deterministic() {
    let (cluster, helm) = (or_skip!(TestCluster::namespace()), or_skip!(program("helm")));
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: {{ randAlphaNum 16 }}}\n";
    let git = TestRepo::new()
        .file("Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n")
        .file("templates/secret.yaml", secret)
        .commit("a random password");
    let shop = git.application("shop").deployed_to(&cluster);
    trueup(["sync", "-y", "--no-cache"]).env("TRUEUP_HELM", &helm).of(&shop).exits(0);

    let run = trueup(["diff", "--no-cache", "-o", "json"]).env("TRUEUP_HELM", &helm).of(&shop).exits(1);

    assert_eq!(sides(&run.json()), ["/data/password unknown"]);
    assert!(run.stderr.contains("differs from one render to the next"), "{}", run.transcript());
}

/// The next whole sync of an old record completes it, though nothing differs; then there is nothing more to write.
#[test]
fn a_sync_completes_an_old_record() {
    let shop = or_skip!(Parameterised::new());
    let application = shop.coloured("green");
    trueup(["sync", "-y"]).of(&application).exits(0);
    shop.forget_sources();
    trueup(["sync", "-y"]).of(&application).exits(0);
    assert!(shop.record("sources.json").contains("green"));
    let again = trueup(["sync", "-y", "-o", "json"]).of(&application).exits(0).json();
    assert_eq!(again["requests"]["write"], 0);
}

/// The bad release was a parameter: the rollback has that of then, though git never changed.
#[test]
fn a_rollback_has_the_parameters_of_then() {
    let shop = or_skip!(Parameterised::new());
    trueup(["sync", "-y"]).of(&shop.coloured("green")).exits(0);
    trueup(["sync", "-y"]).of(&shop.coloured("blue")).exits(0);

    let back = trueup(["rollback", "shop", "1", "-y"]).of(&shop.coloured("black")).exits(0);

    assert_eq!(shop.data()["colour"], "green");
    assert!(back.stderr.contains("`directory` changed"), "{}", back.transcript());
}

/// A source was added since: the sync of then had one.
#[test]
fn a_rollback_has_the_sources_of_then() {
    let shop = or_skip!(Parameterised::new());
    trueup(["sync", "-y"]).of(&shop.coloured("green")).exits(0);
    let git = TestRepo::new().file("more.yaml", config_map("more")).commit("more");
    let sources = json!([shop.block("shop", &[("colour", "blue")]), {"repoURL": git.url(), "path": "."}]);
    let two = git.application("shop").deployed_to(&shop.cluster).spec_field("sources", sources);
    // Without a garbage collector, what is deleted in the foreground stays for ever.
    let two = two.spec_field("syncPolicy", json!({"syncOptions": ["PrunePropagationPolicy=background"]}));
    trueup(["sync", "-y"]).of(&two).exits(0);
    assert!(live(&shop.cluster, "configmap", "more").is_some());

    trueup(["rollback", "shop", "1", "-y", "--prune", "--max-prune", "100%"]).of(&two).exits(0);

    assert_eq!(shop.data()["colour"], "green");
    assert!(live(&shop.cluster, "configmap", "more").is_none());
}

/// More people read a namespace's ConfigMaps than its Secrets: a parameter that is a secret is in no record.
#[test]
fn a_record_has_no_parameter_that_looks_like_a_secret() {
    let shop = or_skip!(Parameterised::new());
    let with_password = SETTINGS.replace("colour=''", "colour='', password=''");
    let shop =
        Parameterised { git: shop.git.file("shop/settings.jsonnet", with_password).commit("a password"), ..shop };
    let application = |size: &str| shop.with(&[("password", "hunter2"), ("size", size)]);
    trueup(["sync", "-y"]).of(&application("large")).exits(0);

    let parent = live(&shop.cluster, "configmap", "trueup-shop").unwrap().to_string();
    assert!(!parent.contains("hunter2") && parent.contains("holdsSecret"), "{parent}");
    let again = trueup(["sync", "-y", "-o", "json"]).of(&application("large")).exits(0).json();
    assert_eq!(again["requests"]["write"], 0);

    // What renders as it was applied is healed all the same.
    shop.edit(&json!({"size": "small"}));
    trueup(["reconcile", "--self-heal"]).of(&application("large")).exits(0);
    assert_eq!(shop.data()["size"], "large");
}
