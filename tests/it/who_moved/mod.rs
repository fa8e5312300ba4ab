//! Who moved: what people and controllers do to a cluster, and what commits do to git, is told as what it was.

mod first_run;
mod in_git;
mod in_the_cluster;
mod record;

use serde_json::{Value, json};

use crate::harness::{Missing, TestApplication, TestCluster, TestRepo, trueup};

/// A Deployment, a ConfigMap and a Service as the shop's git has them.
const SHOP: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.example.com/web:1.0.0
        env:
        - {name: COLOUR, value: green}
        - {name: LOG_LEVEL, value: info}
";
const SETTINGS: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: green, size: large}
";

/// The shop in git.
struct Shop {
    cluster: TestCluster,
    git: TestRepo,
    application: TestApplication,
}

impl Shop {
    fn synced() -> Result<Self, Missing> {
        let shop = Self::new(TestCluster::namespace()?);
        shop.sync();
        Ok(shop)
    }

    fn new(cluster: TestCluster) -> Self {
        let git = TestRepo::new().file("shop/web.yaml", SHOP).file("shop/settings.yaml", SETTINGS).commit("the shop");
        // Without a garbage collector, what is deleted in the foreground stays for ever.
        let policy = json!({"syncOptions": ["PrunePropagationPolicy=background"]});
        let application = git.application("shop").path("shop").deployed_to(&cluster).spec_field("syncPolicy", policy);
        Self { cluster, git, application }
    }

    fn sync(&self) {
        trueup(["sync", "-y", "--prune"]).of(&self.application).exits(0);
    }

    fn kubectl(&self, arguments: &[&str], input: &str) -> String {
        let output = self.cluster.try_kubectl(self.cluster.kubeconfig(), arguments, input);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {}\n{errors}", arguments.join(" "));
        String::from_utf8(output.stdout).expect("kubectl writes UTF-8")
    }

    fn diff(&self, code: i32) -> Value {
        trueup(["diff", "-o", "json"]).of(&self.application).exits(code).json()
    }

    /// What differs: kind, path, side and who holds it, in one line each.
    fn moved(&self) -> Vec<String> {
        told(&self.diff(1))
    }
}

/// What a report says of its drifted fields and resources, in one line each.
fn told(report: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let resources = report["applications"][0]["resources"].as_array().expect("resources");
    let drifted = resources.iter().filter(|resource| resource["state"] != "inSync");
    drifted
        .flat_map(|resource| {
            let kind = text(&resource["kind"]);
            if resource["state"] != "changed" {
                return vec![format!("{kind} {}: {}", text(&resource["state"]), text(&resource["moved"]))];
            }
            let fields = resource["fields"].as_array().expect("fields").iter();
            fields
                .map(|field| {
                    let by = [&field["by"]["manager"], &field["by"]["subresource"]].map(text).join(" ");
                    let by = if by.trim().is_empty() { String::new() } else { format!(" by {}", by.trim()) };
                    format!("{kind} {}: {}{by}", text(&field["path"]), text(&field["moved"]))
                })
                .collect()
        })
        .collect()
}

/// One field of a report, by its path.
fn field<'report>(report: &'report Value, path: &str) -> &'report Value {
    let resources = report["applications"][0]["resources"].as_array().expect("resources");
    let mut fields = resources.iter().flat_map(|resource| resource["fields"].as_array().into_iter().flatten());
    fields.find(|field| field["path"] == path).unwrap_or_else(|| panic!("no {path} in {report:#}"))
}

/// The three values of a field.
fn values(field: &Value) -> [&Value; 3] {
    [&field["lastSynced"], &field["git"], &field["live"]]
}

#[test]
fn what_is_told_is_read_from_the_report() {
    let report = json!({"applications": [{"resources": [
        {"kind": "Service", "state": "missing", "moved": "git"}, {"kind": "Secret", "state": "inSync"},
    ]}]});
    assert_eq!(told(&report), ["Service missing: git"]);
}
