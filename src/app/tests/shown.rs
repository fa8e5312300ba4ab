//! How it looks: file, line, and the line itself.

use insta::assert_snapshot;

use super::*;

/// The example of the style guide.
#[test]
fn a_typing_error_is_shown_with_its_line() {
    let text = "apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: guestbook
spec:
  project: default
  source:
    repoURL: https://ci:token@git.example.com/shop/infra
    targetRevison: v1.4.0
    path: guestbook
  destination:
    server: https://kubernetes.default.svc
";
    assert_snapshot!(shown(&read(&[named("apps/guestbook.yaml", text)])), @r"
    trueup::app::unknown_field

      ⚠ guestbook: `targetRevison` is not a field of `spec.source`
        ╭─[apps/guestbook.yaml:9:5]
      8 │     repoURL: https://********@git.example.com/shop/infra
      9 │     targetRevison: v1.4.0
        ·     ──────┬──────
        ·           ╰── did you mean `targetRevision`?
     10 │     path: guestbook
        ╰────
      help: as it stands, the source follows the default branch
    ");
}

#[test]
fn all_faults_of_a_file_are_shown_at_once() {
    let text = "apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: guestbook
spec:
  project: default
  destination:
    server: https://kubernetes.default.svc
    name: in-cluster
  source:
    repoURL: https://git.example.com/shop/infra
    path: guestbook
    helm:
      values:
        replicas: 2
    kustomize: {}
  syncPolicy:
    syncOptions:
    - CreateNamespace
";
    assert_snapshot!(shown(&read(&[named("apps/guestbook.yaml", text)])), @r"
    trueup::app::destination

      × guestbook: the destination can't have both name and server defined: `in-cluster` and `https://
      │ kubernetes.default.svc`
       ╭─[apps/guestbook.yaml:7:3]
     6 │   project: default
     7 │   destination:
       ·   ───────────
     8 │     server: https://kubernetes.default.svc
       ╰────
      help: remove `name` or `server` from `spec.destination`
    trueup::app::several_tools

      × guestbook: multiple application sources defined in `spec.source`: Kustomize,Helm
        ╭─[apps/guestbook.yaml:10:3]
      9 │     name: in-cluster
     10 │   source:
        ·   ──────
     11 │     repoURL: https://git.example.com/shop/infra
        ╰────
      help: one source is rendered by one tool; keep one of helm, kustomize, directory and plugin
    trueup::app::wrong_type

      × guestbook: `spec.source.helm.values` is a map, not text
        ╭─[apps/guestbook.yaml:15:9]
     14 │       values:
     15 │         ********* *
        ·         ─────┬─────
        ·              ╰── should be text
     16 │     kustomize: {}
        ╰────
      help: `values` is YAML as text; a map goes into `valuesObject`
    trueup::app::sync_option

      ⚠ guestbook: `CreateNamespace` is not a sync option that Argo CD knows
        ╭─[apps/guestbook.yaml:19:7]
     18 │     syncOptions:
     19 │     - CreateNamespace
        ·       ───────┬───────
        ·              ╰── did you mean `CreateNamespace=true`?
        ╰────
      help: as it stands, it has no effect
    ");
}

#[test]
fn a_template_in_a_folder_is_shown_with_its_line() {
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {{ .Values.name }}\n";
    assert_snapshot!(shown(&read(&[found("chart/templates/app.yaml", text)])), @r"
    trueup::app::template

      ⚠ chart/templates/app.yaml:4: is a template, not a manifest
       ╭─[chart/templates/app.yaml:4:3]
     3 │ metadata:
     4 │   name: {{ .Values.name }}
       ·   ────────────────────────
       ╰────
      help: an Application in it would not be read; render it, as with `helm template`, and give the
            output
    trueup::app::no_application

      × no Application was found; the files hold nothing
      help: give a manifest of `kind: Application` and `apiVersion: argoproj.io/v1alpha1`, or a folder
            that has some
    ");
}
