//! How long judging takes: 10,000 objects of mixed kinds by the built-in rules, 1,000 custom resources through a Lua script,
//! on one core; and `trueup health test` of 1,000 cases, start-up and files included. Run with `cargo bench --bench health`; docs/benchmarks.md records what came of it.
#![expect(clippy::disallowed_methods, reason = "a benchmark starts programs and writes files")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trueup::app::settings::{Customization, HealthSettings, Script};
use trueup::object::Object;
use trueup::status::health::lua::Clock;
use trueup::status::health::{HealthStatus, Judge};

/// As long as the scripts that teams really have, with a loop over the conditions and a jump.
const SCRIPT: &str = "
local hs = {status = 'Progressing', message = 'Waiting for the till'}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    if condition.type == 'Issuing' then goto continue end
    if condition.type == 'Ready' and condition.status == 'False' then
      hs.status, hs.message = 'Degraded', condition.message
      return hs
    end
    if condition.type == 'Ready' and condition.status == 'True' then
      hs.status = 'Healthy'
      hs.message = string.format('%s: %s', condition.reason, condition.message:gsub('^%s+', ''))
      return hs
    end
    ::continue::
  end
end
return hs";

fn main() {
    let mixed: Vec<Object> = (0..10_000).map(mixed_object).collect();
    let judge = Judge::new(HealthSettings::default(), clock());
    print(
        "10,000 objects of mixed kinds, built-in rules",
        &repeat(|| {
            let healthy = mixed.iter().filter_map(|object| judge.health(object)).filter(is_healthy).count();
            assert!(black_box(healthy) > 1_000);
        }),
    );

    let tills: Vec<Object> = (0..1_000).map(till).collect();
    let mut settings = HealthSettings::default();
    let script = Script { name: "health.lua".to_owned(), source: SCRIPT.into() };
    let customization = Customization { group: "shop.example.com".to_owned(), kind: "Till".to_owned(), script };
    settings.add_folder(vec![customization]).expect("the kind is no pattern");
    print(
        "1,000 custom resources through a Lua script",
        &repeat(|| {
            // A new judge each time: making its Lua state and compiling the script belong to it.
            let judge = Judge::new(settings.clone(), clock());
            let healthy = tills.iter().filter_map(|object| judge.health(object)).filter(is_healthy).count();
            assert_eq!(black_box(healthy), 500);
        }),
    );

    let suite = a_suite_of_a_thousand_cases();
    print(
        "trueup health test, 1,000 cases",
        &repeat(|| {
            let output = Command::new(env!("CARGO_BIN_EXE_trueup"))
                .args(["health", "test", "."])
                .current_dir(suite.path())
                .output();
            let output = output.expect("the program can be started");
            assert!(output.stdout.ends_with(b"1000 passed\n"), "{output:?}");
        }),
    );
}

/// A team's folder of ten kinds with a hundred cases each, half of them well.
fn a_suite_of_a_thousand_cases() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in 0..10 {
        let of_kind = folder.path().join(format!("shop.example.com/Till{kind}"));
        let write = |name: &str, text: &str| fs::write(of_kind.join(name), text).expect("the folder is ours");
        fs::create_dir_all(of_kind.join("testdata")).expect("the folder is ours");
        write("health.lua", SCRIPT);
        let mut cases = "tests:\n".to_owned();
        for number in 0..100 {
            let expected = if number % 2 == 0 {
                "Healthy, message: 'Checked: the till is open'"
            } else {
                "Degraded, message: '  the till is open'"
            };
            // Writing to a String cannot fail.
            let _ = write!(cases, "- healthStatus: {{status: {expected}}}\n  inputPath: testdata/{number}.yaml\n");
            let value =
                Value::Object(till(number).value().clone()).to_string().replace("\"Till\"", &format!("\"Till{kind}\""));
            write(&format!("testdata/{number}.yaml"), &value);
        }
        write("health_test.yaml", &cases);
    }
    folder
}

fn is_healthy(health: &trueup::status::health::Health) -> bool {
    health.status == HealthStatus::Healthy
}

fn clock() -> Clock {
    Clock { now: Instant::now, unix: || 0 }
}

/// Deployments, Pods, Services, Jobs, ConfigMaps and custom resources in turn, well and not.
fn mixed_object(number: u32) -> Object {
    let ready = if number.is_multiple_of(7) { "False" } else { "True" };
    let condition = json!([{"type": "Ready", "status": ready, "reason": "Checked", "message": "checked", "lastTransitionTime": "2026-01-01T00:00:00Z"}]);
    let deployment =
        json!({"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3 - number % 2});
    let (api_version, kind, spec, status) = match number % 6 {
        0 => ("apps/v1", "Deployment", json!({"replicas": 3}), deployment),
        1 => ("v1", "Pod", json!({"restartPolicy": "Always"}), json!({"phase": "Running", "conditions": condition})),
        2 => ("v1", "Service", json!({"type": "ClusterIP"}), json!({"loadBalancer": {}})),
        3 => ("batch/v1", "Job", json!({}), json!({"conditions": [{"type": "Complete", "status": "True"}]})),
        4 => ("v1", "ConfigMap", json!({}), Value::Null),
        _ => ("shop.example.com/v1", "Till", json!({}), json!({"observedGeneration": 1, "conditions": condition})),
    };
    object(api_version, kind, number, &spec, &status)
}

fn till(number: u32) -> Object {
    let ready = if number.is_multiple_of(2) { "True" } else { "False" };
    let conditions = json!([
        {"type": "Issuing", "status": "False", "reason": "Done", "message": "issued", "lastTransitionTime": "2026-01-01T00:00:00Z"},
        {"type": "Ready", "status": ready, "reason": "Checked", "message": "  the till is open", "lastTransitionTime": "2026-01-01T00:00:00Z"},
    ]);
    let spec = json!({"drawers": [{"name": "left", "coins": [1, 2, 5]}, {"name": "right", "coins": [10, 20]}], "shop": {"name": "corner"}});
    object("shop.example.com/v1", "Till", number, &spec, &json!({"conditions": conditions, "money": 3.5}))
}

fn object(api_version: &str, kind: &str, number: u32, spec: &Value, status: &Value) -> Object {
    let metadata = json!({"name": format!("web-{number}"), "namespace": "shop", "generation": 1,
        "labels": {"app": "web", "team": "shop"}, "annotations": {"example.com/owner": "shop"}});
    let value = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec, "status": status});
    Object::new(value).expect("it has all that an object needs")
}

fn repeat(mut run: impl FnMut()) -> Vec<Duration> {
    run();
    let mut times: Vec<Duration> = (0..20)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times
}

fn print(name: &str, times: &[Duration]) {
    println!("{name}: median {:.1?}, best {:.1?}", times[times.len() / 2], times[0]);
}
