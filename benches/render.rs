//! How long rendering takes: 100 Helm applications and 200 Kustomize overlays, cold and warm, side by side with the same
//! programs in a shell loop and under `xargs -P2`. Run with `cargo bench --bench render`; two numbers after `--` make it
//! other ones. `-- templates` measures Go templates beside Go's own, and ApplicationSets with 2,000 results, alone.
//! docs/benchmarks.md records what came of it.
#![expect(clippy::disallowed_methods, reason = "a benchmark starts programs and reads the environment")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(dead_code, unused_imports, unused_macros, reason = "the harness is made for the tests")]

#[path = "../tests/it/harness/mod.rs"]
mod harness;
#[path = "../tests/it/gotemplate/oracle.rs"]
mod oracle;
mod timing;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use harness::{TestRepo, config_map, deployment, program};
use serde_json::{Value, json};
use timing::{print, ratio, repeat};
use trueup::gotemplate::{Fault, Functions, Host, MissingKey, Templates};

/// How often each is measured.
const TIMES: usize = 5;

fn main() {
    templates();
    application_sets();
    if std::env::args().any(|argument| argument == "templates") {
        return;
    }
    let mut sizes = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let (charts, overlays) = (sizes.next().unwrap_or(100), sizes.next().unwrap_or(200));
    match (program("helm"), program("kustomize")) {
        (Ok(helm), Ok(kustomize)) => {
            helm_applications(charts, &helm);
            kustomize_overlays(overlays, &kustomize);
        }
        (Err(missing), _) | (_, Err(missing)) => println!("not measured: {missing}"),
    }
}

/// The templates of the tests' tables that render, each parsed and run many times, here and by Go's own program.
fn templates() {
    const RUNS: u32 = 300;
    let tables = [
        ("the language's table", include_str!("../tests/it/gotemplate/templates.txt")),
        ("sprig's table", include_str!("../tests/it/gotemplate/sprig.txt")),
    ];
    for (table, file) in tables {
        let mut all = oracle::questions(file);
        // scrypt takes some tenths of a second by design.
        all.retain(|question| !question.text.contains("derivePassword"));
        for (what, parse_once) in [("parsed and run", false), ("run", true)] {
            let lines = all.iter().map(|question| {
                let mut line = oracle::line_of(question);
                line["times"] = RUNS.into();
                line["parseOnce"] = parse_once.into();
                line
            });
            let theirs = match oracle::asked(lines) {
                Ok(answers) => answers,
                Err(missing) => return println!("not measured: {missing}"),
            };
            let pairs: Vec<(&str, Duration, Duration)> = all
                .iter()
                .zip(&theirs)
                .filter_map(|(question, theirs)| {
                    let theirs = Duration::from_nanos(theirs["nanoseconds"].as_u64()?);
                    Some((question.text.as_str(), rendered(question, RUNS, parse_once)?, theirs))
                })
                .collect();
            beside_go(&format!("{} templates of {table}, {what}", pairs.len()), &pairs, RUNS);
        }
    }
}

/// The CPU time of a number of runs of one template; nothing for one that fails.
fn rendered(question: &oracle::Question, runs: u32, parse_once: bool) -> Option<Duration> {
    let functions = FUNCTIONS.with(|[none, sprig]| Rc::clone(if question.has_sprig { sprig } else { none }));
    let option = format!("missingkey={}", question.missing_key);
    let missing_key = MissingKey::from_options([option.as_str()]).ok()?;
    let dot = oracle::typed(&oracle::data());
    let parsed = || {
        let mut templates = Templates::sharing(Rc::clone(&functions)).missing_key(missing_key);
        templates.parse("t", &question.text).ok().map(|()| templates)
    };
    let start = cpu_time();
    let mut templates = parsed()?;
    for number in 0..runs {
        if number > 0 && !parse_once {
            templates = parsed()?;
        }
        std::hint::black_box(templates.execute("t", &dot, &FixedHost).ok()?);
    }
    Some(cpu_time().saturating_sub(start))
}

/// That of this process: other programs do not count, so that a busy machine gives the same figures.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

thread_local! {
    /// Go's own functions alone, and sprig's beside them.
    static FUNCTIONS: [Rc<Functions>; 2] = [Rc::default(), Rc::new(Functions::sprig())];
}

/// The same bytes for every question about randomness.
struct FixedHost;

impl Host for FixedHost {
    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), Fault> {
        bytes.fill(7);
        Ok(())
    }
}

/// All templates together, and those that are slowest beside Go's.
fn beside_go(what: &str, pairs: &[(&str, Duration, Duration)], runs: u32) {
    let microseconds = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(runs);
    let (ours, theirs): (Duration, Duration) =
        pairs.iter().fold(Default::default(), |(ours, theirs), pair| (ours + pair.1, theirs + pair.2));
    let speed = theirs.as_secs_f64() / ours.as_secs_f64();
    println!(
        "{:>9.1} µs   {what}: {speed:.2} times the speed of Go's {:.1} µs",
        microseconds(ours),
        microseconds(theirs)
    );
    let ratio = |pair: &(&str, Duration, Duration)| pair.1.as_secs_f64() / pair.2.as_secs_f64();
    let mut slowest: Vec<_> = pairs.iter().collect();
    slowest.sort_by(|one, other| ratio(other).total_cmp(&ratio(one)));
    for pair in slowest.into_iter().take(3) {
        let text: String = pair.0.chars().take(70).collect();
        println!(
            "{:>12} slowest beside Go: {:.1} µs, {:.1} µs: {text}",
            "",
            microseconds(pair.1),
            microseconds(pair.2)
        );
    }
}

/// ApplicationSets with 2,000 results, as `trueup expand` prints their names and their manifests.
fn application_sets() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = |count: usize, key: &str| {
        let elements: Vec<Value> =
            (0..count).map(|number| json!({key: format!("{key}-{number}"), "url": format!("https://{number}.example.com"), "replicas": number})).collect();
        json!({"list": {"elements": elements}})
    };
    let matrix = json!({"matrix": {"generators": [list(40, "cluster"), {"list": {"elements": (0..50).map(|number| json!({"app": format!("app-{number}")})).collect::<Vec<_>>()}}]}});
    for (name, generators, app) in [
        ("list", json!([list(2_000, "cluster")]), "{{ .cluster | normalize }}"),
        ("matrix", json!([matrix]), "{{ .app }}-{{ .cluster }}"),
    ] {
        let set = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
            "metadata": {"name": name, "namespace": "argocd"}, "spec": {
                "goTemplate": true, "goTemplateOptions": ["missingkey=error"], "generators": generators,
                "template": {
                    "metadata": {"name": app, "labels": {"cluster": "{{ .cluster }}"}},
                    "spec": {"project": "default",
                        "source": {"repoURL": "https://git.example.com/shop", "targetRevision": "main",
                            "path": "guestbook/{{ .cluster }}",
                            "helm": {"valueFiles": ["values-{{ .cluster }}.yaml"], "parameters": [{"name": "url", "value": "{{ .url }}"}]}},
                        "destination": {"server": "{{ .url }}", "namespace": "{{ default \"shop\" .cluster }}"}}},
                "templatePatch": "spec:\n  syncPolicy:\n    automated:\n      prune: {{ gt (int .replicas) 3 }}\n"}});
        let file = folder.path().join(format!("{name}.yaml"));
        fs::write(&file, set.to_string()).expect("the folder is ours");
        for output in ["name", "yaml"] {
            let command = || {
                let mut run = Command::new(env!("CARGO_BIN_EXE_trueup"));
                run.args(["expand", "-o", output]).arg(&file).env("HOME", folder.path());
                run
            };
            print(
                &format!("trueup expand -o {output}, 2,000 results of a {name} with a patch"),
                &repeat(TIMES, |_| command()),
            );
            println!("{:>9.1} ms   of CPU time", timing::cpu_time(10, command).as_secs_f64() * 1000.0);
        }
    }
}

/// One chart, and values of its own for each application.
fn helm_applications(count: usize, helm: &Path) {
    let mut git = TestRepo::new()
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("web/values.yaml", "colour: red\nreplicas: 1\n")
        .file("web/templates/deployment.yaml", deployment("{{ .Release.Name }}").to_string())
        .file("web/templates/settings.yaml", config_map("{{ .Release.Name }}").data("colour", "{{ .Values.colour }}"));
    for number in 0..count {
        git = git.file(&format!("web/values-{number}.yaml"), format!("colour: green-{number}\n"));
    }
    let git = git.commit("a chart");
    let applications = |number: usize| {
        let name = format!("web-{number}");
        let helm = json!({"valueFiles": [format!("values-{number}.yaml")]});
        application(&name, &git, &json!({"path": "web", "helm": helm}))
    };
    let chart = git.path().join("web");
    let line = format!(
        "cd '{}' && '{}' template . --name-template web-$1 --namespace default --kube-version 1.36.3 \
         --values values-$1.yaml --include-crds",
        chart.display(),
        helm.display()
    );
    measure(&format!("{count} Helm applications"), count, applications, &line, ("TRUEUP_HELM", helm));
}

/// One base, and an overlay for each application.
fn kustomize_overlays(count: usize, kustomize: &Path) {
    let mut git = TestRepo::new()
        .file("base/kustomization.yaml", "resources: [deployment.yaml, settings.yaml]\n")
        .file("base/deployment.yaml", deployment("web").to_string())
        .file("base/settings.yaml", config_map("settings").data("colour", "red"));
    for number in 0..count {
        let overlay = format!("resources: [../../base]\nnamePrefix: p{number}-\nreplicas: [{{name: web, count: 3}}]\n");
        git = git.file(&format!("overlays/{number}/kustomization.yaml"), overlay);
    }
    let git = git.commit("overlays");
    let applications =
        |number: usize| application(&format!("web-{number}"), &git, &json!({"path": format!("overlays/{number}")}));
    let line = format!("'{}' build '{}'/overlays/$1", kustomize.display(), git.path().display());
    measure(&format!("{count} Kustomize overlays"), count, applications, &line, ("TRUEUP_KUSTOMIZE", kustomize));
}

fn application(name: &str, git: &TestRepo, source: &Value) -> Value {
    let mut source = source.clone();
    source["repoURL"] = json!(git.url());
    source["targetRevision"] = json!("HEAD");
    let destination = json!({"server": "https://kubernetes.default.svc", "namespace": "default"});
    let spec = json!({"project": "default", "source": source, "destination": destination});
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "argocd"}, "spec": spec})
}

/// trueup cold and warm, then the bare programs one after the other and two at a time.
fn measure(
    what: &str,
    count: usize,
    applications: impl Fn(usize) -> Value,
    line: &str,
    (variable, program): (&'static str, &Path),
) {
    let folder = tempfile::tempdir().expect("a folder");
    let manifests = folder.path().join("applications.json");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": (0..count).map(applications).collect::<Vec<_>>()});
    fs::write(&manifests, list.to_string()).expect("the folder is ours");
    let script = folder.path().join("one");
    fs::write(&script, format!("#!/bin/sh\n{line} >/dev/null\n")).expect("the folder is ours");

    let home = |name: &str| folder.path().join(name);
    let trueup = |home: PathBuf| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_trueup"));
        run.args([OsString::from("render"), "-q".into(), manifests.clone().into()]);
        run.env("HOME", &home).env("XDG_CACHE_HOME", home.join("cache")).env(variable, program);
        run
    };
    let cold = repeat(TIMES, |number| trueup(home(&format!("cold-{number}"))));
    print(&format!("trueup render, {what}, cold"), &cold);
    let warm = repeat(TIMES, |_| trueup(home("warm")));
    print(&format!("trueup render, {what}, warm"), &warm);
    let shell = |line: String| {
        let mut run = Command::new("sh");
        run.arg("-c").arg(line).env("HOME", home("bare"));
        run
    };
    let (script, end) = (script.display(), count.saturating_sub(1));
    let parallel = repeat(TIMES, |_| shell(format!("seq 0 {end} | xargs -P2 -n1 sh '{script}'")));
    beside("xargs -P2", &parallel, &cold, &warm);
    let loop_ = repeat(TIMES, |_| shell(format!("for i in $(seq 0 {end}); do sh '{script}' $i || exit 1; done")));
    beside("shell loop", &loop_, &cold, &warm);
}

fn beside(what: &str, theirs: &[Duration], cold: &[Duration], warm: &[Duration]) {
    print(what, theirs);
    let (cold, warm) = (ratio(cold, theirs), ratio(theirs, warm));
    println!("{:>12} trueup takes {cold:.2} times as long cold, and is {warm:.0} times as fast warm", "");
}
