//! Helm charts in git, by the official `helm`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{objects, official, render, told};
use crate::harness::{TestRepo, config_map, folder_with, or_skip, program, trueup};

const VALUES: &str = "colour: red\nhost: example.com\nreplicas: 1\nlist: [a, b]\nredis: {port: 6379}\n";

/// Writes down everything that a chart can be told.
const EVERYTHING: &str = r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-everything
data:
  values: {{ .Values | toJson | quote }}
  release: {{ .Release | toJson | quote }}
  version: {{ .Capabilities.KubeVersion.Version | quote }}
  till: {{ .Capabilities.APIVersions.Has "shop.example.com/v1/Till" | quote }}
  deployment: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}
  psp: {{ .Capabilities.APIVersions.Has "policy/v1beta1/PodSecurityPolicy" | quote }}
  namespace: {{ .Release.Namespace | quote }}
"#;

/// A chart with a subchart, a definition, hooks, a test, a schema, and values beside it.
fn chart() -> TestRepo {
    let pod = |name: &str, hook: &str| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  annotations:\n    helm.sh/hook: {hook}\nspec: {{}}\n"
        )
    };
    TestRepo::new()
        .file("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: redis, version: 0.1.0}\n")
        .file("charts/web/values.yaml", VALUES)
        .file("charts/web/values.schema.json", r#"{"properties": {"replicas": {"type": "integer"}}}"#)
        .file("charts/web/values-prod.yaml", "colour: green\nreplicas: 3\n")
        .file("charts/web/env/a.yaml", "colour: a\nfrom: a\n")
        .file("charts/web/env/b.yaml", "colour: b\nlast: b\n")
        .file("charts/web/env/deep/c.yaml", "colour: c\ndeep: c\n")
        .file("charts/web/motd.txt", "hello,\nworld\n")
        .file("charts/web/values,\"eu\".yaml", "colour: eu\n")
        .link("charts/web/colours.yaml", "env/a.yaml")
        .file("charts/web/templates/everything.yaml", EVERYTHING)
        .file("charts/web/templates/job.yaml", pod("before", "pre-install"))
        .file("charts/web/templates/tests/ask.yaml", pod("ask", "test"))
        .file("charts/web/templates/NOTES.txt", "Well done")
        .file("charts/web/crds/till.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: tills.shop.example.com\nspec:\n  group: shop.example.com\n  scope: Namespaced\n  names: {kind: Till, plural: tills}\n  versions: [{name: v1, served: true, storage: true}]\n")
        .file("charts/web/charts/redis/Chart.yaml", "apiVersion: v2\nname: redis\nversion: 0.1.0\n")
        .file("charts/web/charts/redis/templates/service.yaml", "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}-redis\nspec:\n  ports: [{port: {{ .Values.port }}}]\n")
        .file("shared/values.yaml", "colour: shared\nshared: true\n")
        .commit("a chart")
}

/// One option of `source.helm`, and the arguments that say the same to Helm.
type Case = (&'static str, Value, &'static [&'static str]);

const ALWAYS: [&str; 7] = ["template", ".", "--namespace", "default", "--kube-version", "1.36.3", "--include-crds"];

fn cases() -> Vec<Case> {
    vec![
        ("nothing", json!({}), &["--name-template", "web"]),
        ("release name", json!({"releaseName": "shop"}), &["--name-template", "shop"]),
        (
            "value files",
            json!({"valueFiles": ["values-prod.yaml"]}),
            &["--name-template", "web", "-f", "values-prod.yaml"],
        ),
        (
            "from the root, from above",
            json!({"valueFiles": ["/shared/values.yaml", "../web/values-prod.yaml"]}),
            &["--name-template", "web", "-f", "../../shared/values.yaml", "-f", "values-prod.yaml"],
        ),
        (
            "globs, and a file that keeps its place",
            json!({"valueFiles": ["env/*.yaml", "env/a.yaml"]}),
            &["--name-template", "web", "-f", "env/b.yaml", "-f", "env/a.yaml"],
        ),
        (
            "globs into folders",
            json!({"valueFiles": ["env/**/*.yaml"]}),
            &["--name-template", "web", "-f", "env/a.yaml", "-f", "env/b.yaml", "-f", "env/deep/c.yaml"],
        ),
        (
            "one file under two names",
            json!({"valueFiles": ["env/a.yaml", "env/b.yaml", "env/a.yaml", "colours.yaml"]}),
            &["--name-template", "web", "-f", "env/a.yaml", "-f", "env/b.yaml", "-f", "colours.yaml"],
        ),
        (
            "a comma in a file's name",
            json!({"valueFiles": ["values,\"eu\".yaml"]}),
            &["--name-template", "web", "-f", r#""values,""eu"".yaml""#],
        ),
        (
            "files that are missing",
            json!({"valueFiles": ["no.yaml", "no/*.yaml", "env/a.yaml"], "ignoreMissingValueFiles": true}),
            &["--name-template", "web", "-f", "env/a.yaml"],
        ),
        (
            "build environment",
            json!({"valueFiles": ["values-${ARGOCD_APP_NAMESPACE}.yaml"], "ignoreMissingValueFiles": true,
                   "parameters": [{"name": "colour", "value": "$ARGOCD_APP_NAME"}]}),
            &["--name-template", "web", "--set", "colour=web"],
        ),
        (
            "values over files, parameters over values",
            json!({"valueFiles": ["values-prod.yaml"], "values": "colour: blue\nhost: values\n",
                   "parameters": [{"name": "host", "value": "parameter"}]}),
            &["--name-template", "web", "-f", "values-prod.yaml", "--set", "colour=blue", "--set", "host=parameter"],
        ),
        (
            "values as an object",
            json!({"values": "host: text\n", "valuesObject": {"colour": "17", "list": ["x"], "replicas": 4}}),
            &["--name-template", "web", "--set-string", "colour=17", "--set", "list={x},replicas=4"],
        ),
        (
            "parameters with commas, as text, in lists",
            json!({"parameters": [
                {"name": "host", "value": "a,b"}, {"name": "list", "value": "{x,y}"},
                {"name": "colour", "value": "1"}, {"name": "colour", "value": "017", "forceString": true},
                {"name": "redis.port", "value": "1"}, {"name": "redis.port", "value": "2"}]}),
            &[
                "--name-template",
                "web",
                "--set",
                r"host=a\,b",
                "--set",
                "list={x,y}",
                "--set-string",
                "colour=017",
                "--set",
                "redis.port=2",
            ],
        ),
        (
            "parameters from files",
            json!({"fileParameters": [{"name": "host", "path": "motd.txt"}]}),
            &["--name-template", "web", "--set-file", "host=motd.txt"],
        ),
        (
            "a namespace for the templates alone",
            json!({"namespace": "elsewhere"}),
            &["--name-template", "web", "--namespace", "elsewhere"],
        ),
        (
            "another cluster",
            json!({"kubeVersion": "1.29", "apiVersions": ["shop.example.com/v1", "shop.example.com/v1/Till"]}),
            &[
                "--name-template",
                "web",
                "--kube-version",
                "1.29.0",
                "-a",
                "shop.example.com/v1",
                "-a",
                "shop.example.com/v1/Till",
            ],
        ),
        ("no tests", json!({"skipTests": true}), &["--name-template", "web", "--skip-tests"]),
        (
            "no schema",
            json!({"skipSchemaValidation": true, "values": "replicas: many\n"}),
            &["--name-template", "web", "--skip-schema-validation", "--set", "replicas=many"],
        ),
        ("no definitions", json!({"skipCrds": true}), &["--name-template", "web", "--include-crds=false"]),
    ]
}

/// Whatever a team wrote in `source.helm` has to give what Argo CD makes of it.
#[test]
fn every_field_of_a_helm_source_renders_what_helm_3_renders() {
    every_field(&or_skip!(program("helm")));
}

/// The Helm that Argo CD brings along by now.
#[test]
fn every_field_of_a_helm_source_renders_what_helm_4_renders() {
    every_field(&or_skip!(program("helm4")));
}

#[track_caller]
fn every_field(helm: &Path) {
    let git = chart();
    let folder = git.path().join("charts/web");
    for (case, block, arguments) in cases() {
        let mut arguments: Vec<&str> = ALWAYS.into_iter().chain(arguments.iter().copied()).collect();
        if !arguments.contains(&"-a") {
            // Every cluster serves it, and Argo CD tells the chart; bare Helm knows groups and versions alone.
            arguments.extend(["-a", "apps/v1/Deployment"]);
        }
        let expected = official(helm, &folder, &arguments);
        let web = git.application("web").path("charts/web").source_field("helm", block);
        let outcome = render(&web, &[("TRUEUP_HELM", helm)]).exits(0);
        assert_eq!(objects(&outcome), expected, "{case}");
    }
}

/// A chart is known by its `Chart.yaml`; each object says which template it comes from.
#[test]
fn a_chart_is_detected_and_its_objects_name_their_templates() {
    let helm = or_skip!(program("helm"));
    let git = chart();
    let outcome =
        trueup(["render", "-q"]).env("TRUEUP_HELM", helm).of(&git.application("web").path("charts/web")).exits(0);

    let sources: Vec<&str> = outcome.stdout.lines().filter_map(|line| line.strip_prefix("# Source: ")).collect();
    assert_eq!(
        sources,
        [
            "charts/web/crds/till.yaml",
            "charts/web/templates/everything.yaml",
            "charts/web/charts/redis/templates/service.yaml",
            "charts/web/templates/job.yaml",
            "charts/web/templates/tests/ask.yaml",
        ]
    );
    assert!(outcome.stdout.contains("helm.sh/hook: pre-install"), "{}", outcome.transcript());
}

/// Dependencies that git does not hold are built beside the checkout, which stays as it is.
#[test]
fn missing_dependencies_are_built_in_a_copy() {
    let helm = or_skip!(program("helm"));
    let git = TestRepo::new()
        .file("common/Chart.yaml", "apiVersion: v2\nname: common\nversion: 1.0.0\n")
        .file("common/templates/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: common\n")
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- name: common\n  version: 1.0.0\n  repository: file://../common\n")
        .file("web/templates/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n")
        .commit("a chart without its dependency");
    let stand_in = format!("{}={}", git.url(), git.path().display());

    let web = git.application("web").path("web");
    let outcome = render(&web, &[("TRUEUP_HELM", &helm)]).arguments(["--repo", &stand_in]).exits(0);

    let names: Vec<Value> = objects(&outcome).iter().map(|object| object["metadata"]["name"].clone()).collect();
    assert_eq!(names, ["common", "web"]);
    assert_eq!(git.git(["status", "--short"]), "");
}

/// A chart of a repository does not reach for those that lie around on the machine.
#[test]
fn a_dependency_outside_of_the_repository_is_refused() {
    let helm = or_skip!(program("helm"));
    let outside = folder_with([("Chart.yaml", &"apiVersion: v2\nname: common\nversion: 1.0.0\n")]);
    for place in [outside.path().display().to_string(), "../../../common".to_owned()] {
        let chart = format!(
            "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {{name: common, version: 1.0.0, repository: 'file://{place}'}}\n"
        );
        let git = TestRepo::new().file("web/Chart.yaml", chart).commit("a chart that reaches out");
        let web = git.application("web").path("web");
        let outcome = render(&web, &[("TRUEUP_HELM", &helm)]).env("COLUMNS", "200").exits(2);
        let words = format!("dependency `file://{place}` points outside its repository");
        assert!(outcome.stderr.contains(&words), "{}", outcome.transcript());
    }
}

/// Each fault names the application, the chart, and the file; the other applications are rendered all the same.
#[test]
fn a_chart_that_cannot_be_rendered_says_why() {
    let helm = or_skip!(program("helm"));
    let git = chart()
        .file("broken/Chart.yaml", "apiVersion: v2\nname: broken\nversion: 1.0.0\n")
        .file(
            "broken/templates/ingress.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Values.ingress.host }}\n",
        )
        .file("wrong/Chart.yaml", "apiVersion: v2\nname: wrong\nversion: 1.0.0\n")
        .file("wrong/templates/a.yaml", "name: nothing\n")
        .commit("faults");
    fs::write(git.path().parent().unwrap().join("secret.yaml"), "colour: stolen\n").unwrap();
    let web = |name: &str, block: Value| git.application(name).path("charts/web").source_field("helm", block);
    let applications = [
        git.application("broken").path("broken"),
        git.application("wrong").path("wrong"),
        web("missing", json!({"valueFiles": ["no.yaml"]})),
        web("nothing", json!({"valueFiles": ["no/*.yaml"]})),
        web("folder", json!({"valueFiles": ["env"]})),
        web("climbs", json!({"valueFiles": ["../../../secret.yaml"]})),
        web("absolute", json!({"valueFiles": ["/../secret.yaml"]})),
        web("scheme", json!({"valueFiles": ["file:///etc/passwd"]})),
        web("unknown", json!({"valueFiles": ["$values/a.yaml"]})),
        web("schema", json!({"values": "replicas: many\n"})),
    ];
    let good = git.application("good").path("charts/web");

    let run = applications
        .iter()
        .fold(render(&good, &[("TRUEUP_HELM", &helm)]), |run, application| run.argument(application.manifest()));
    let outcome = run.exits(2);

    assert!(!objects(&outcome).is_empty(), "the good one is rendered\n{}", outcome.transcript());
    assert!(!outcome.stdout.contains("stolen"));
    assert_snapshot!(told(&outcome), @r#"
    fetched 1 repository
    rendered 11 applications
      × broken: helm could not render `broken` at e41c2d1
      ╰─▶ templates/ingress.yaml:4: `.Values.ingress.host`: nil pointer evaluating interface {}.host
      help: to reproduce it, run in the chart's folder: helm template . --name-template broken
            --namespace default --kube-version 1.36.3 --include-crds
      × wrong: the output of helm for `wrong` at e41c2d1 is not a Kubernetes object, at wrong/
      │ templates/a.yaml
      ╰─▶ has no `apiVersion`
      help: each document needs `apiVersion` and `kind`
      × missing: values file `no.yaml` not found at e41c2d1
      help: if missing files are intended, set `helm.ignoreMissingValueFiles`
      × nothing: no values file matches `no/*.yaml` at e41c2d1
      help: if that is intended, set `helm.ignoreMissingValueFiles`
      × folder: `env` cannot be read
      ╰─▶ is a directory
      help: check that the file exists and is readable
      × climbs: `../../../secret.yaml` points outside its repository
      help: values files are read only from the repositories of the sources
      × absolute: `/../secret.yaml` points outside its repository
      help: values files are read only from the repositories of the sources
      × scheme: `file:///etc/passwd` is a URL of scheme `file`, which is not fetched
      help: the schemes of `helm.valuesFileSchemes` in `argocd-cm` are: `https`, `http`
      × unknown: values file `$values/a.yaml` not found at e41c2d1
      help: no source of the application has `ref: values`
      × schema: helm could not render `charts/web` at e41c2d1
      ╰─▶ values don't meet the specifications of the schema(s) in the following chart(s): web: - at
          '/replicas': got string, want integer
      help: to reproduce it, run in the chart's folder: helm template . --name-template schema
            --namespace default --kube-version 1.36.3 --include-crds --values values-of-the-
            source.yaml
    [exit 2]
    "#);
}

/// A template may loop or write without end; the run goes on.
#[test]
fn a_program_without_end_is_ended() {
    let folder = folder_with([]);
    let script = folder.path().join("helm");
    fs::write(&script, "#!/bin/sh\nsleep 60\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let git = chart();

    let web = git.application("web").path("charts/web");
    let outcome = render(&web, &[("TRUEUP_HELM", &script)]).arguments(["--render-timeout", "1"]).exits(2);

    assert!(outcome.stderr.contains("web: helm did not finish with `charts/web` at"), "{}", outcome.transcript());
    assert!(outcome.stderr.contains("program `helm` did not finish within 1s"), "{}", outcome.transcript());
}

/// A program of another machine (or half a download) is named, with what to look at.
#[test]
fn a_program_that_does_not_start_is_named() {
    let folder = folder_with([("helm", &"not a program\n")]);
    let helm = folder.path().join("helm");
    fs::set_permissions(&helm, fs::Permissions::from_mode(0o755)).unwrap();
    let git = chart();

    let web = git.application("web").path("charts/web");
    let outcome = render(&web, &[("TRUEUP_HELM", &helm)]).exits(2);

    let words = format!("web: `{}` cannot be run as helm", helm.display());
    assert!(outcome.stderr.contains(&words), "{}", outcome.transcript());
    assert!(outcome.stderr.contains("Exec format error"), "{}", outcome.transcript());
}

/// A template that fills the memory of the machine would take the other applications with it.
#[cfg(target_os = "linux")]
#[test]
fn a_template_that_grows_without_end_is_ended() {
    let git = TestRepo::new()
        .file("big/Chart.yaml", "apiVersion: v2\nname: big\nversion: 1.0.0\n")
        .file("big/templates/a.yaml", "big: {{ repeat 2500000000 \"x\" }}\n")
        .file("good/a.yaml", config_map("good"))
        .commit("a chart");
    let (big, good) = (git.application("big").path("big"), git.application("good").path("good"));
    for helm in ["helm", "helm4"] {
        let helm = or_skip!(program(helm));
        let outcome = render(&good, &[("TRUEUP_HELM", &helm)]).argument(big.manifest()).exits(2);
        assert!(outcome.stderr.contains("used more than 2048 MiB of memory"), "{}", outcome.transcript());
        assert_eq!(objects(&outcome).len(), 1, "{}", outcome.transcript());
    }
}

/// A laptop without Helm is told what to install; so is one whose `TRUEUP_HELM` leads nowhere.
#[test]
fn a_missing_helm_is_reported_with_its_versions() {
    let git = chart();
    let web = git.application("web").path("charts/web");
    let bare = folder_with([]);

    let outcome = render(&web, &[("PATH", bare.path())]).exits(2);
    assert!(
        outcome.stderr.contains("web: `helm` is not installed, and the source needs it"),
        "{}",
        outcome.transcript()
    );
    assert!(outcome.stderr.contains("install Helm 3.14 or newer, or Helm 4"), "{}", outcome.transcript());

    let outcome = render(&web, &[("TRUEUP_HELM", &bare.path().join("helm"))]).exits(2);
    assert!(outcome.stderr.contains("is not a program that can be run"), "{}", outcome.transcript());
}

/// Tokens of the job that runs trueup are none of a chart's business.
#[test]
fn a_program_sees_neither_our_environment_nor_our_home() {
    let folder = folder_with([]);
    let script = folder.path().join("helm");
    let text = "#!/bin/sh\nprintf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: env}\\ndata:\\n'\nenv | sed 's/\\([^=]*\\)=.*/  \\1: x/'\n";
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let git = chart();
    let web = git.application("web").path("charts/web");

    let outcome =
        render(&web, &[("TRUEUP_HELM", &script)]).env("GITHUB_TOKEN", "s3cret").env("KUBECONFIG", "/nowhere").exits(0);

    let data = objects(&outcome)[0]["data"].clone();
    let mut names: Vec<&str> = data.as_object().unwrap().keys().map(String::as_str).collect();
    names.retain(|name| !matches!(*name, "PWD" | "SHLVL" | "_" | "OLDPWD"));
    assert_eq!(
        names,
        [
            "GIT_CONFIG_NOSYSTEM",
            "GIT_TERMINAL_PROMPT",
            "HELM_CACHE_HOME",
            "HELM_CONFIG_HOME",
            "HELM_DATA_HOME",
            "HOME",
            "PATH",
            "TMPDIR",
            "XDG_CACHE_HOME",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
        ]
    );
}
