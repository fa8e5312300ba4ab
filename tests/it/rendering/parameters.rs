//! Parameters of a chart: they reach Helm by a file that only its owner can read, and mean what `helm --set` makes of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fastrand::Rng;
use serde_json::{Value, json};

use super::{objects, render};
use crate::harness::{Answer, HttpServer, TestApplication, TestRepo, folder_with, or_skip, program};

/// Prints every value with its type in Go.
const TYPES: &str = r#"
{{- define "types" }}
{{- if kindIs "map" . }}{ {{- range $name, $value := . }}{{ $name | quote }}: {{ include "types" $value }}, {{ end }} }
{{- else if kindIs "slice" . }}[ {{- range . }}{{ include "types" . }}, {{ end }} ]
{{- else }}{{ kindOf . }} {{ . | toString | quote }}{{ end }}
{{- end }}
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {values: {{ include "types" .Values | quote }}}
"#;

/// What the files say before the parameters.
const FIRST: &str = "a: {b: {c: 1, d: [1, two]}, list: [{name: x, port: 12345678}, {name: y}], none: ~}\nlist: [[1, 2], [3]]\ntext: x\nlarge: 123456789\n";
const SECOND: &str = "a: {list: [{name: z, on: false, share: 1.50}]}\nempty: {}\nlist: []\n";

fn chart() -> TestRepo {
    TestRepo::new()
        .file("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("values.yaml", "a: {b: {c: chart, e: chart}, list: [chart]}\nother: [chart]\n")
        .file("first.yaml", FIRST)
        .file("second.yaml", SECOND)
        .file("templates/types.yaml", TYPES)
        .commit("a chart")
}

/// A parameter: its name, its value, and whether it is text.
type Parameter = (String, String, bool);

/// One source: its values files and its parameters.
struct Case {
    files: Vec<&'static str>,
    parameters: Vec<Parameter>,
}

impl Case {
    fn application(&self, git: &TestRepo, name: &str) -> TestApplication {
        let parameter = |(name, value, text): &Parameter| json!({"name": name, "value": value, "forceString": text});
        let parameters: Vec<Value> = self.parameters.iter().map(parameter).collect();
        git.application(name).source_field("helm", json!({"valueFiles": self.files, "parameters": parameters}))
    }

    /// What Helm prints with the arguments of Argo CD's `template`; nothing where it refuses them.
    fn official(&self, helm: &Path, folder: &Path, name: &str) -> Option<String> {
        let mut command = std::process::Command::new(helm);
        command.current_dir(folder).args(["template", ".", "--name-template", name]);
        for file in &self.files {
            command.args(["-f", file]);
        }
        // The last one of a name counts, and all of one kind are in the order of their names.
        let ordered: BTreeMap<(bool, &str), &str> =
            self.parameters.iter().map(|(name, value, text)| ((*text, name.as_str()), value.as_str())).collect();
        for ((text, name), value) in ordered {
            command.arg(if text { "--set-string" } else { "--set" }).arg(format!("{name}={}", argo_cd_cleans(value)));
        }
        let output = command.output().expect("the program can be started");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then(|| text.lines().last().unwrap_or_default().to_owned())
    }
}

/// Argo CD util/helm/cmd.go `cleanSetParameters`: `(?<!\\),` becomes `\,`, but not of a list in braces.
fn argo_cd_cleans(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let parts: Vec<&str> = value.split(',').collect();
    let mut cleaned = String::new();
    for (index, part) in parts.iter().enumerate() {
        cleaned.push_str(part);
        if index + 1 < parts.len() {
            cleaned.push_str(if part.ends_with('\\') { "," } else { "\\," });
        }
    }
    cleaned
}

/// Renders all cases in one run, and holds each against Helm's own arguments.
#[track_caller]
fn assert_as_helm(helm: &Path, cases: &[Case]) {
    let git = chart();
    let applications: Vec<TestApplication> =
        cases.iter().enumerate().map(|(number, case)| case.application(&git, &format!("c{number}"))).collect();
    let mut run = render(&applications[0], &[("TRUEUP_HELM", helm)]);
    for application in &applications[1..] {
        run = run.argument(application.manifest());
    }
    let outcome = run.outcome();
    let rendered: BTreeMap<String, String> = objects(&outcome)
        .iter()
        .map(|object| (object["metadata"]["name"].as_str().unwrap().to_owned(), object["data"]["values"].to_string()))
        .collect();
    let mut compared = 0;
    for (number, case) in cases.iter().enumerate() {
        let name = format!("c{number}");
        let expected = case.official(helm, &git.path(), &name).map(|line| {
            let data: Value =
                serde_json::from_str(line.trim_start_matches("data: {values: ").trim_end_matches('}')).expect(&line);
            data.to_string()
        });
        // A values file replaces what `--set` refuses to go into: a text, where the parameter's name asks for a map.
        if expected.is_none()
            && !case.files.is_empty()
            && !case.parameters.iter().any(|(name, _, _)| name.contains('['))
        {
            continue;
        }
        compared += usize::from(expected.is_some());
        assert_eq!(
            rendered.get(&name),
            expected.as_ref(),
            "{:?} {:?}\n{}",
            case.files,
            case.parameters,
            outcome.stderr
        );
    }
    assert!(compared * 4 > cases.len(), "{compared} of {}", cases.len());
}

const VALUES: [&str; 40] = [
    "",
    "x",
    "true",
    "False",
    "null",
    "NULL",
    "0",
    "007",
    "5",
    "-5",
    "+5",
    "-0",
    "999999",
    "1000000",
    "12345678",
    "1.5",
    "1e3",
    "0x1F",
    "9223372036854775807",
    "9223372036854775808",
    "{a,b}",
    "{1,2}",
    "{}",
    "{x}",
    "{a,{b}",
    "a,b",
    "a\\,b",
    "a=b",
    "[1]",
    " 5",
    "a: b # c",
    "'\"",
    "~",
    "*x",
    "multi\nline\n",
    "\\",
    "tab\t",
    "é\u{85}\u{2028}",
    "- a",
    "<>&",
];

const NAMES: [&str; 34] = [
    "a",
    "b",
    "text",
    "a.b",
    "a.b.c",
    "a.b.d",
    "a.x.y",
    "a.list",
    "a.none",
    "list",
    "empty.x",
    "other",
    "x\\.y.z",
    "a\\,b",
    "large",
    "a.list[0]",
    "a.list[0].name",
    "a.list[1].name",
    "a.list[0].port",
    "a.list[3].name",
    "a.b.d[0]",
    "a.b.d[1]",
    "list[0]",
    "list[0][1]",
    "list[1][0]",
    "list[2][1].x",
    "other[0]",
    "other[1].a.b",
    "fresh[2]",
    "fresh[0].x",
    "[0]",
    "a[0]",
    "a.b[x]",
    "a.list[-1]",
];

/// Every value, and every name alone: one that Helm refuses hides the others.
fn table() -> Vec<Case> {
    let values = [false, true].map(|text| {
        let named = |(number, value): (usize, &&str)| (format!("v{number}"), (*value).to_owned(), text);
        Case { files: vec![], parameters: VALUES.iter().enumerate().map(named).collect() }
    });
    let names = NAMES.into_iter().flat_map(|name| {
        [vec![], vec!["first.yaml", "second.yaml"]]
            .map(|files| Case { files, parameters: vec![(name.to_owned(), "1234567".to_owned(), false)] })
    });
    values.into_iter().chain(names).collect()
}

/// Random parameters over random files; `TRUEUP_TEST_PARAMETERS` says how many.
fn random(seed: u64) -> Vec<Case> {
    let count = std::env::var("TRUEUP_TEST_PARAMETERS").ok().and_then(|count| count.parse().ok()).unwrap_or(24);
    let mut random = Rng::with_seed(seed);
    let mut cases = Vec::new();
    for _ in 0..count {
        let files = [vec![], vec!["first.yaml"], vec!["first.yaml", "second.yaml"], vec!["second.yaml"]];
        let files = files[random.usize(..files.len())].clone();
        // Most names are valid: one that is not hides the others.
        let names = if random.u8(..8) == 0 { &NAMES[..] } else { &NAMES[..30] };
        let parameters = (0..random.usize(1..5)).map(|_| {
            let (name, value) = (names[random.usize(..names.len())], VALUES[random.usize(..VALUES.len())]);
            (name.to_owned(), value.to_owned(), random.u8(..4) == 0)
        });
        let parameters = parameters.collect();
        cases.push(Case { files, parameters });
    }
    cases
}

/// Expected is what Helm itself makes of `--set` and `--set-string`, with the types that its templates see.
#[test]
fn parameters_mean_what_helm_3_makes_of_set() {
    let helm = or_skip!(program("helm"));
    assert_as_helm(&helm, &table());
    assert_as_helm(&helm, &random(1));
}

#[test]
fn parameters_mean_what_helm_4_makes_of_set() {
    let helm = or_skip!(program("helm4"));
    assert_as_helm(&helm, &table());
    assert_as_helm(&helm, &random(2));
}

/// Every user of a machine can read the arguments of its processes, and nobody else the files of a run.
#[cfg(target_os = "linux")]
#[test]
fn parameters_are_in_no_process_list() {
    let helm = or_skip!(program("helm"));
    let folder = folder_with([]);
    let (script, seen) = (folder.path().join("helm"), folder.path().join("seen"));
    let text = format!(
        "#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/cmdline >> {seen}\nfor file in \"$@\"; do [ -f \"$file\" ] && stat -c '%a %n' \"$file\" >> {seen}; done\nexec {helm} \"$@\"\n",
        seen = seen.display(),
        helm = helm.display(),
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let parameters = json!([
        {"name": "db.password", "value": "sword-fish"}, {"name": "pin", "value": "4711", "forceString": true},
        {"name": "token", "value": "47114711"}, {"name": "users[0].password", "value": "sword-fish"},
        {"name": "port", "value": "8080"},
    ]);
    let git = chart();
    let web =
        git.application("web").source_field("helm", json!({"valueFiles": ["first.yaml"], "parameters": parameters}));

    let outcome = render(&web, &[("TRUEUP_HELM", &script)]).exits(0);

    let printed = objects(&outcome)[0]["data"]["values"].to_string();
    let seen = fs::read_to_string(&seen).unwrap();
    for secret in ["sword-fish", "4711"] {
        assert!(printed.contains(secret), "{printed}");
        assert!(!seen.contains(secret), "{seen}");
    }
    assert!(seen.contains("port=8080"), "whole numbers are arguments: {seen}");
    assert!(
        seen.lines().any(|line| line.starts_with("600 ") && line.ends_with("/parameters-of-the-source.yaml")),
        "{seen}"
    );
}

/// Every process of a machine can read the arguments of the others: a URL with a login is no argument of Helm.
#[test]
fn a_values_file_of_a_url_is_fetched_and_helm_gets_a_path() {
    let helm = or_skip!(program("helm"));
    let folder = folder_with([]);
    let (script, seen) = (folder.path().join("helm"), folder.path().join("seen"));
    let text = format!(
        "#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/cmdline >> {seen}\nfor file in \"$@\"; do [ -f \"$file\" ] && stat -c '%a %n' \"$file\" >> {seen}; done\nexec {helm} \"$@\"\n",
        seen = seen.display(),
        helm = helm.display(),
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let server = HttpServer::start(|request| {
        // `ada:sword-fish`
        match (request.header("authorization"), request.target.as_str()) {
            (Some("Basic YWRhOnN3b3JkLWZpc2g="), "/v/values.yaml?signature=4711") => {
                Answer { status: 200, body: b"colour: from-the-url\n".to_vec(), ..Answer::default() }
            }
            (Some("Basic YWRhOnN3b3JkLWZpc2g="), "/v/motd.txt") => {
                Answer { status: 200, body: b"hello".to_vec(), ..Answer::default() }
            }
            (Some(_), _) => Answer::status(404),
            (None, _) => Answer::status(401),
        }
    });
    let url = |login: &str, file: &str| server.url().replace("://", &format!("://{login}")) + file;
    let git = chart();
    let web = |helm: Value| git.application("web").source_field("helm", helm);
    let good = web(json!({
        "valueFiles": [url("ada:sword-fish@", "/v/values.yaml?signature=4711")],
        "fileParameters": [{"name": "motd", "path": url("ada:sword-fish@", "/v/motd.txt")}],
    }));

    let outcome = render(&good, &[("TRUEUP_HELM", &script)]).exits(0);

    let printed = objects(&outcome)[0]["data"]["values"].to_string();
    assert!(printed.contains("from-the-url") && printed.contains("hello"), "{printed}");
    let seen = fs::read_to_string(&seen).unwrap();
    assert!(!seen.contains("sword-fish") && !seen.contains("4711") && !seen.contains("http:"), "{seen}");
    let private = seen.lines().any(|line| line.starts_with("600 ") && line.ends_with("/values-of-url-2.yaml"));
    assert!(private, "{seen}");
    for (login, file, words) in
        [("", "/v/values.yaml", "refuses access"), ("ada:sword-fish@", "/v/gone.yaml?signature=4711", "404")]
    {
        let outcome = render(&web(json!({"valueFiles": [url(login, file)]})), &[("TRUEUP_HELM", &script)]).exits(2);
        let said = outcome.transcript();
        assert!(said.contains("cannot be fetched") && said.contains(words), "{said}");
        assert!(!said.contains("sword-fish") && !said.contains("4711"), "{said}");
    }
}
