//! Who moved: what people and controllers do to a cluster, and what commits do to git, is told as what it was.

mod first_run;
mod in_git;
mod in_the_cluster;
mod record;

use serde_json::{Value, json};
use trueup::object::Object;
use trueup::status::compare::Baseline;
use trueup::sync::state::{Place, State, parents};

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

/// The shop in git, applied as a sync applies it, its record written.
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
        let application = git.application("shop").path("shop").deployed_to(&cluster);
        Self { cluster, git, application }
    }

    /// Applies what git says as trueup, and writes down what came of it.
    fn sync(&self) {
        let rendered = trueup(["render", "-o", "json"]).of(&self.application).exits(0).json();
        let text = rendered.to_string();
        let arguments = ["apply", "--server-side", "--force-conflicts", "--field-manager=trueup", "-f", "-"];
        self.kubectl(&arguments, &text);
        let live = self.kubectl(&["get", "-f", "-", "-o", "json", "--show-managed-fields"], &text);
        let live: Value = serde_json::from_str(&live).expect("kubectl writes JSON");
        let mut baseline = Baseline::new(vec![self.git.head()]);
        for (target, live) in items(&rendered).zip(items(&live)) {
            baseline.record(&target, &live);
        }
        let mut state = State::default();
        state.baseline = Some(baseline);
        for parent in parents(&state, &Place::named("shop", self.cluster.name())) {
            let text = parent.into_value().to_string();
            self.kubectl(&["apply", "--server-side", "--field-manager=trueup-state", "-f", "-"], &text);
        }
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

fn items(list: &Value) -> impl Iterator<Item = Object> {
    let items = list["items"].as_array().expect("a list has items").clone();
    items.into_iter().map(|item| Object::new(item).expect("an object"))
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
