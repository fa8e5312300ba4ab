//! `trueup diff` from end to end: real git, a real API server or a folder, the binary as a user runs it.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{TestAccount, TestCluster, TestRepo, config_map, deployment, folder_with, or_skip, trueup};

/// One resource of a JSON report, by kind and name.
#[track_caller]
fn resource<'report>(report: &'report Value, kind: &str, name: &str) -> &'report Value {
    let resources = report["applications"][0]["resources"].as_array().expect("resources");
    let found = resources.iter().find(|resource| resource["kind"] == kind && resource["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name} in {report:#}"))
}

/// Nothing differs: one line says so, and the exit code is 0.
#[test]
fn a_cluster_that_holds_what_git_says_is_in_sync() {
    let cluster = or_skip!(TestCluster::namespace());
    let web = deployment("web").replicas(2);
    let git = TestRepo::new()
        .file("shop/web.yaml", &web)
        .file("shop/settings.yaml", config_map("settings").data("colour", "green"));
    let git = git.commit("the shop");
    let shop = git.application("shop").path("shop").deployed_to(&cluster);
    cluster.kubectl(["apply", "--server-side", "-f", &git.path().join("shop").to_string_lossy()]);

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(0).json();

    assert_eq!(report["summary"]["synced"], 1);
    assert_eq!(report["summary"]["changed"], 0);
    assert_eq!(resource(&report, "Deployment", "web")["state"], "inSync");
    assert_eq!(resource(&report, "Deployment", "web")["proof"], "structural");
    assert_eq!(report["applications"][0]["revision"], git.head().as_str());
    // Nothing is asked about a single object.
    assert_eq!(report["requests"]["get"], 0);
    assert_eq!(report["requests"]["dryRun"], 0);
}

/// Scaled by hand: the report names the field, the tool that did it, and is settled by the server's own dry run.
#[test]
fn scaling_by_hand_is_drift_and_names_the_tool() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("web.yaml", deployment("web").replicas(2)).commit("two replicas");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.kubectl(["apply", "--server-side", "-f", &git.path().join("web.yaml").to_string_lossy()]);
    cluster.kubectl(["scale", "deployment/web", "--replicas=3"]);

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(1).json();
    let web = resource(&report, "Deployment", "web");
    assert_eq!(web["state"], "changed");
    assert_eq!(web["proof"], "server");
    let fields = web["fields"].as_array().expect("fields");
    assert_eq!(fields.len(), 1, "{web:#}");
    assert_eq!(fields[0]["path"], "/spec/replicas");
    assert_eq!((&fields[0]["git"], &fields[0]["live"]), (&json!(2), &json!(3)));
    assert_eq!(fields[0]["by"]["manager"], "kubectl");
    assert_eq!(fields[0]["by"]["subresource"], "scale");
    assert_eq!(report["requests"]["dryRun"], 1);

    insta::assert_snapshot!(trueup(["diff", "-q"]).of(&shop).exits(1), @r"
    live → git: what a sync would change

    shop  OutOfSync  1 changed
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  .  HEAD  2aecc14  local repository

      ~ apps/Deployment [NAMESPACE]/web  changed  web.yaml:1
        spec.replicas  3 → 2  changed in the cluster by kubectl scale

    1 application  1 out of sync
    1 resource     1 changed
    exit code 1    drift: something is changed, missing or extra
    [exit 1]
    ");
}

/// Git has something that the cluster has not, and the other way round; what was never the application's is left out.
#[test]
fn what_is_missing_and_what_is_extra_is_told() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", config_map("kept")).file("b.yaml", config_map("new")).commit("two");
    let shop = git.application(cluster.name()).deployed_to(&cluster);
    let tracked =
        |kind: &str, name: &str| format!("argocd.argoproj.io/tracking-id={0}:{kind}:{0}/{name}", cluster.name());
    cluster.apply(config_map("kept"));
    cluster.apply(config_map("dropped"));
    cluster.apply(config_map("somebody-elses"));
    cluster.apply(config_map("copied"));
    cluster.kubectl(["create", "serviceaccount", "dropped"]);
    for (resource, kind, name) in [
        ("configmap/kept", "/ConfigMap", "kept"),
        ("configmap/dropped", "/ConfigMap", "dropped"),
        ("serviceaccount/dropped", "/ServiceAccount", "dropped"),
        // An operator copied the annotation onto an object of its own: it describes another object.
        ("configmap/copied", "/ConfigMap", "kept"),
    ] {
        cluster.kubectl(["annotate", resource, &tracked(kind, name)]);
    }

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(1).json();

    assert_eq!(resource(&report, "ConfigMap", "kept")["state"], "inSync");
    assert_eq!(resource(&report, "ConfigMap", "new")["state"], "missing");
    assert_eq!(resource(&report, "ConfigMap", "dropped")["state"], "extra");
    // Git names no ServiceAccount at all: it is looked for all the same.
    assert_eq!(resource(&report, "ServiceAccount", "dropped")["state"], "extra");
    assert_eq!(report["summary"]["extra"], 2, "{report:#}");
}

/// Members of the application's ApplySet (KEP-3659) are its own; those of another ApplySet are not.
#[test]
fn members_of_the_applyset_are_extras_when_git_drops_them() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", config_map("kept")).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);
    let id = trueup::status::tracking::applyset_id("trueup-shop", cluster.name());
    for (name, id) in [("kept", id.as_str()), ("dropped", id.as_str()), ("other", "applyset-somebody-else-v1")] {
        cluster.apply(config_map(name));
        cluster.kubectl(["label", &format!("configmap/{name}"), &format!("applyset.kubernetes.io/part-of={id}")]);
    }

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(1).json();

    assert_eq!(resource(&report, "ConfigMap", "dropped")["state"], "extra");
    assert_eq!(report["summary"]["extra"], 1, "{report:#}");
}

/// A custom resource and its definition in one commit: its scope is known, nothing is an error, both are missing.
#[test]
fn a_custom_resource_beside_its_definition_is_missing_not_an_error() {
    let cluster = or_skip!(TestCluster::namespace());
    let definition = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: tills.diff.example.com
spec:
  group: diff.example.com
  scope: Namespaced
  names: {kind: Till, plural: tills}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";
    let till = "apiVersion: diff.example.com/v1\nkind: Till\nmetadata:\n  name: front\n";
    let git = TestRepo::new().file("crd.yaml", definition).file("till.yaml", till).commit("a till");
    let shop = git.application("shop").deployed_to(&cluster);

    let report = trueup(["diff", "-o", "json"]).of(&shop).exits(1).json();

    assert_eq!(resource(&report, "CustomResourceDefinition", "tills.diff.example.com")["state"], "missing");
    let till = resource(&report, "Till", "front");
    assert_eq!((&till["state"], &till["namespace"]), (&json!("missing"), &json!(cluster.name())));
}

/// Hooks run around a sync and are gone after it: they never make an application out of sync.
#[test]
fn hooks_never_count() {
    let live = folder_with([("settings.yaml", &config_map("settings"))]);
    let hook = |name: &str, annotation: &str| {
        format!("apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\n  annotations:\n    {annotation}\n")
    };
    let git = TestRepo::new()
        .file("settings.yaml", config_map("settings"))
        .file("migrate.yaml", hook("migrate", "argocd.argoproj.io/hook: PreSync"))
        .file("test.yaml", hook("test", "helm.sh/hook: test"))
        .file("skip.yaml", hook("skip", "argocd.argoproj.io/hook: Skip"))
        .commit("hooks");

    let report = trueup(["diff", "-o", "json"]).of(&git.application("shop")).live(live.path()).exits(0).json();

    assert_eq!(report["applications"][0]["resources"].as_array().map(Vec::len), Some(1), "{report:#}");
}

/// A Secret's values are in no report, whatever the format, and no warning repeats them.
#[test]
fn a_secret_that_differs_is_reported_without_its_values() {
    let cluster = or_skip!(TestCluster::namespace());
    let secret = |password: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: database\nstringData:\n  password: {password}\n")
    };
    let git = TestRepo::new().file("secret.yaml", secret("correct-horse")).commit("a password");
    let shop = git.application("shop").deployed_to(&cluster);
    // Client-side apply leaves the values in an annotation, too.
    cluster.apply(secret("battery-staple"));

    for format in ["text", "json", "yaml", "markdown"] {
        let outcome = trueup(["diff", "-vv", "-o", format]).of(&shop).exits(1);
        let all = outcome.stdout.clone() + &outcome.stderr;
        assert!(all.contains("password"), "{}", outcome.transcript());
        for value in ["correct-horse", "battery-staple", "Y29ycmVjdC1ob3JzZQ", "YmF0dGVyeS1zdGFwbGU"] {
            assert!(!all.contains(value), "{format} shows {value}\n{}", outcome.transcript());
        }
    }
}

/// Comparing is reading: no object gets a new version or a new manager.
#[test]
fn diff_writes_nothing_to_the_cluster() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("web.yaml", deployment("web").replicas(2)).file("new.yaml", config_map("new"));
    let git = git.commit("two replicas");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.apply(deployment("web").replicas(5));
    let state = || cluster.kubectl(["get", "all,configmaps,secrets,leases", "-o", "yaml", "--show-managed-fields"]);
    let before = state();

    trueup(["diff"]).of(&shop).exits(1);

    assert_eq!(state(), before);
}

/// One application cannot be rendered: it is told, the others are compared, and the exit code is that of an error.
#[test]
fn an_application_that_fails_does_not_stop_the_others() {
    let live = folder_with([("settings.yaml", &config_map("settings"))]);
    let git = TestRepo::new()
        .file("plain/settings.yaml", config_map("settings"))
        .file("broken/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: [\n")
        .commit("several");
    let chart = git.application("chart").source_field("chart", json!("redis")).revision("1.2.3");
    let [plain, broken, gone] = ["plain", "broken", "gone"].map(|path| git.application(path).path(path));

    let run = [&broken, &gone, &chart]
        .into_iter()
        .fold(trueup(["diff", "-o", "json"]), |run, application| run.argument(application.manifest()));
    let outcome = run.of(&plain).live(live.path()).exits(2);

    let report = outcome.json();
    let sync = |name: &str| {
        let applications = report["applications"].as_array().expect("applications");
        applications
            .iter()
            .find(|application| application["name"] == name)
            .map(|application| application["sync"].clone())
    };
    assert_eq!(sync("plain"), Some(json!("Synced")));
    for name in ["broken", "gone", "chart"] {
        assert_eq!(sync(name), Some(json!("Unknown")), "{name}");
    }
    for words in ["chart: `/", "broken: `broken/a.yaml` is not YAML", "gone: "] {
        assert!(outcome.stderr.contains(words), "no {words:?}\n{}", outcome.transcript());
    }
}

/// An Application that asks to be left alone is left alone, and that is said: silence would read as "in sync".
#[test]
fn an_application_that_asks_to_be_left_alone_is_not_compared() {
    let live = folder_with([("none.yaml", &"# nothing\n")]);
    let git = TestRepo::new().file("settings.yaml", config_map("settings")).commit("one");
    let mut manifest: Value = serde_json::from_slice(&fs::read(git.application("shop").manifest()).unwrap()).unwrap();
    manifest["metadata"]["annotations"] = json!({"argocd.argoproj.io/skip-reconcile": "true"});

    let outcome = trueup(["diff", "-"]).stdin(manifest.to_string()).live(live.path()).exits(0);

    assert!(outcome.stderr.contains("shop: not compared, because of the annotation"), "{}", outcome.transcript());
}

/// The table of exit codes, from outside.
#[test]
fn exit_codes_are_those_of_the_table() {
    let live = folder_with([("settings.yaml", &config_map("settings").data("colour", "red"))]);
    let git = TestRepo::new().file("settings.yaml", config_map("settings").data("colour", "green")).commit("green");
    let shop = git.application("shop");
    let run = |more: [&str; 2]| trueup(["diff", "-q"]).argument(more[0]).argument(more[1]).of(&shop).live(live.path());

    run(["--color", "never"]).exits(1);
    run(["--exit-zero", "-q"]).outcome();
    trueup(["diff", "--exit-zero"]).of(&shop).live(live.path()).exits(0);
    run(["--diff-exit-code", "9"]).exits(9);
    run(["--diff-exit-code", "2"]).exits(2);
    run(["--revision", "no-such-branch"]).exits(2);
    run(["--no-such-flag", "1"]).exits(2);
    trueup(["diff"]).exits(2);
    trueup(["diff", "no/such/file.yaml"]).live(live.path()).exits(2);
    trueup(["diff"]).of(&shop).live(live.path().join("gone")).exits(2);
    trueup(["--version"]).exits(0);
    trueup(["diff", "--help"]).exits(0);
}

/// Several reports in one run, each in its file; standard output has the one without a file.
#[test]
fn reports_go_where_they_are_sent() {
    let live = folder_with([("settings.yaml", &config_map("settings"))]);
    let here = folder_with([]);
    let git = TestRepo::new().file("settings.yaml", config_map("settings")).commit("one");

    let outcome = trueup(["diff", "-o", "json=report.json", "-o", "markdown=report.md", "-o", "text"])
        .in_folder(here.path())
        .of(&git.application("shop"))
        .live(live.path())
        .exits(0);

    let report: Value = serde_json::from_slice(&fs::read(here.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(report["summary"]["synced"], 1);
    assert!(fs::read_to_string(here.path().join("report.md")).unwrap().contains("shop"));
    assert!(outcome.stdout.contains("1 application"), "{}", outcome.transcript());
    // A report that cannot be written is an error, and not drift.
    trueup(["diff", "-o", "json=no/such/folder/report.json"]).of(&git.application("shop")).live(live.path()).exits(2);
}

/// Standard input takes manifests; `--app`, `-l` and `--project` narrow them; asking for what is not there is an error.
#[test]
fn applications_are_read_from_standard_input_and_selected() {
    let live = folder_with([("settings.yaml", &config_map("settings"))]);
    let git = TestRepo::new().file("settings.yaml", config_map("settings")).commit("one");
    let manifests = ["shop", "till", "yard"].map(|name| fs::read_to_string(git.application(name).manifest()).unwrap());
    let input = manifests.join("---\n");
    let names = |arguments: &[&str]| {
        let run = arguments.iter().fold(trueup(["diff", "-", "-o", "json"]), |run, argument| run.argument(*argument));
        let report = run.stdin(input.clone()).live(live.path()).exits(0).json();
        let applications = report["applications"].as_array().expect("applications").clone();
        applications
            .into_iter()
            .map(|application| application["name"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };

    assert_eq!(names(&[]), ["shop", "till", "yard"]);
    assert_eq!(names(&["--app", "till"]), ["till"]);
    assert_eq!(names(&["--app", "shop", "--app", "y*"]), ["shop", "yard"]);
    assert_eq!(names(&["--project", "default"]), ["shop", "till", "yard"]);

    let outcome = trueup(["diff", "-", "--app", "shpo"]).stdin(input.clone()).live(live.path()).exits(2);
    assert!(outcome.stderr.contains("`shop`"), "{}", outcome.transcript());
}

/// A reader that may not list a kind: that kind is unknown, not missing; the rest is compared; the exit code is 2.
#[test]
fn a_kind_that_may_not_be_listed_is_unknown() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", config_map("settings")).file("web.yaml", deployment("web")).commit("both");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.apply(config_map("settings"));
    let reader: TestAccount<'_> = cluster.account("reader").may("get,list", "configmaps");

    let outcome = trueup(["diff", "-o", "json"]).of(&shop).kubeconfig(reader.kubeconfig()).exits(2);

    let report = outcome.json();
    assert_eq!(resource(&report, "ConfigMap", "settings")["state"], "inSync");
    assert_eq!(resource(&report, "Deployment", "web")["state"], "unknown");
    let words = format!("`{}` cannot list `deployments.apps` in namespace", reader.user());
    let message = report["applications"][0]["conditions"][0]["message"].as_str().expect("a message");
    assert!(message.contains(&words), "{message}");
    assert!(outcome.stderr.contains("examples/cronjob/rbac.yaml"), "{}", outcome.transcript());
}

/// A read-only account may not ask for dry runs: what differs is told from structure, and the report says so.
#[test]
fn a_read_only_account_still_sees_drift() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("web.yaml", deployment("web").replicas(2)).commit("two replicas");
    let shop = git.application("shop").deployed_to(&cluster);
    cluster.apply(deployment("web").replicas(3));
    let reader = cluster.account("reader").may("get,list", "deployments.apps");

    let report = trueup(["diff", "-o", "json"]).of(&shop).kubeconfig(reader.kubeconfig()).exits(1).json();

    let web = resource(&report, "Deployment", "web");
    assert_eq!((&web["state"], &web["proof"]), (&json!("changed"), &json!("structural")), "{report:#}");
    assert_eq!(web["fields"][0]["path"], "/spec/replicas");
}

/// Nothing listens there: an error that names the server, never a report that says "missing".
#[test]
fn an_api_server_that_is_down_is_an_error() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("a.yaml", config_map("settings")).commit("one");
    let shop = git.application("shop").deployed_to(&cluster);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let down = fs::read_to_string(cluster.kubeconfig()).unwrap().replace(cluster.server(), &format!("https://{port}"));
    let here = folder_with([("kubeconfig", &down)]);
    let shop = shop.destination(json!({"server": "https://kubernetes.default.svc", "namespace": cluster.name()}));

    let outcome = trueup(["diff"]).of(&shop).kubeconfig(&here.path().join("kubeconfig")).exits(2);

    assert!(outcome.stderr.contains("cannot be reached"), "{}", outcome.transcript());
    assert!(!outcome.stdout.contains("missing"), "{}", outcome.transcript());
}

/// A manifest of 100,000 lines is read, compared, and takes no more than its share.
#[test]
fn a_manifest_of_a_hundred_thousand_lines_is_compared() {
    use std::fmt::Write as _;
    let mut large = String::new();
    for number in 0..2000 {
        let mut settings = config_map(&format!("settings-{number:04}"));
        for key in 0..45 {
            settings = settings.data(&format!("key-{key:02}"), "a value");
        }
        let _ = write!(large, "---\n{settings}");
    }
    assert!(large.lines().count() > 100_000);
    let live = folder_with([("live.yaml", &large)]);
    let git = TestRepo::new().file("large.yaml", &large).commit("large");

    let report = trueup(["diff", "-o", "json"]).of(&git.application("shop")).live(live.path()).exits(0).json();

    assert_eq!(report["applications"][0]["resources"].as_array().map(Vec::len), Some(2000));
}

/// Somebody else closed the pipe: printing ends, the verdict stays.
#[test]
fn a_closed_pipe_does_not_change_the_exit_code() {
    let live = folder_with([("none.yaml", &"# nothing\n")]);
    let git = TestRepo::new().file("a.yaml", config_map("settings")).commit("one");
    let shop = git.application("shop");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_trueup"))
        .args(["diff", "-q", "--live"])
        .arg(live.path())
        .arg(shop.manifest())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());

    assert_eq!(child.wait().unwrap().code(), Some(1));
}
