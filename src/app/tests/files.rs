//! Whole files: several documents, Lists, other kinds, templates, what cannot be read.

use super::*;

const WEB: &str = "apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: default
  destination: {name: prod}
  source: {repoURL: https://git.example.com/shop, path: web}
";

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n";

fn called(name: &str) -> String {
    WEB.replace("web", name)
}

/// Name and place of every Application; those that are refused with a `!`.
fn places(manifests: &Manifests) -> Vec<String> {
    let place = |entry: &Result<Application, Box<InvalidApplication>>| match entry {
        Ok(application) => format!("{} {}:{}", application.name, application.origin.file, application.origin.line),
        Err(invalid) => format!("!{} {}:{}", invalid.shown_name(), invalid.origin.file, invalid.origin.line),
    };
    manifests.applications.iter().map(place).collect()
}

fn ignored(manifests: &Manifests) -> Vec<(&str, usize)> {
    manifests.ignored.iter().map(|(kind, count)| (kind.as_str(), *count)).collect()
}

#[test]
fn every_document_and_every_item_of_a_list_is_read() {
    let item = |name: &str| {
        let indented: Vec<String> = called(name).lines().map(|line| format!("  {line}")).collect();
        indented.join("\n").replacen("  ", "- ", 1)
    };
    let text = format!(
        "# first\n{}---\n{DEPLOYMENT}---\napiVersion: v1\nkind: List\nitems:\n{}\n{}\n---\n\
         apiVersion: argoproj.io/v1alpha1\nkind: ApplicationList\nitems:\n- metadata: {{name: bare}}\n  \
         spec: {{project: a, destination: {{name: b}}, source: {{repoURL: c, path: d}}}}\n",
        called("one"),
        item("two"),
        item("three"),
    );
    let manifests = read(&[named("apps.yaml", &text)]);
    assert_eq!(reported(&manifests), [""; 0]);
    assert_eq!(places(&manifests), ["one apps.yaml:2", "two apps.yaml:17", "three apps.yaml:24", "bare apps.yaml:35"]);
    assert_eq!(ignored(&manifests), [("apps/Deployment", 1)]);
    let Ok(bare) = &manifests.applications[3] else { panic!("bare is refused") };
    assert_eq!(bare.sources[0].line, 36);
    assert_eq!(bare.folder, "apps".into());
}

#[test]
fn a_fault_in_a_list_is_shown_at_its_line_and_with_its_path_in_the_application() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: argoproj.io/v1alpha1\n  kind: Application\n  \
                metadata: {name: web}\n  spec:\n    project: default\n    destination: {name: prod}\n    \
                source: {repoURL: a, path: 1}\n";
    assert_eq!(
        reported(&read(&[named("list.yaml", text)])),
        ["error 10 web: `spec.source.path` is a number, not text | should be text | put it in quotes"]
    );
}

#[test]
fn json_is_read_as_yaml_is() {
    let text = "{\"apiVersion\": \"argoproj.io/v1alpha1\", \"kind\": \"Application\", \"metadata\": {\"name\": \"web\"},\n \
                \"spec\": {\"project\": \"default\", \"destination\": {\"name\": \"prod\"},\n  \
                \"source\": {\"repoURL\": \"a\", \"pth\": \"b\", \"path\": \"c\"}}}";
    assert_eq!(
        reported(&read(&[named("web.json", text)])),
        [
            "warning 3 web: `pth` is not a field of `spec.source` | did you mean `path`? | as it stands, it has no effect"
        ]
    );
}

const TEMPLATE: &str =
    "{{- range .Values.apps }}\napiVersion: argoproj.io/v1alpha1\nkind: Application\n{{- end }}\n---\n{{ x }}: y\n";

/// Templates in the folder of Applications are no YAML, and must not hide the Application beside them.
#[test]
fn what_cannot_be_read_in_a_folder_is_a_warning_and_does_not_stop_the_rest() {
    let manifests = read(&[
        found("chart/templates/apps.yaml", TEMPLATE),
        found("chart/templates/name.yaml", &WEB.replace("name: web", "name: '{{ .Values.name }}'")),
        found("envsubst.yaml", &WEB.replace("name: web", "name: 'web-${ENVIRONMENT}'")),
        found("chart/templates/service.yaml", "kind: Service\nmetadata:\n  name: {{ .Release.Name }}\n"),
        found("broken.yaml", "a: b\n c: d\n"),
        found("web.yaml", WEB),
    ]);
    assert_eq!(places(&manifests), ["web web.yaml:1"]);
    let reported = reported(&manifests);
    let begins = [
        "warning 1 chart/templates/apps.yaml:1: is a template, not a manifest | - | an Application in it would not be read; render it, as with `helm template`, and give the output",
        "warning 1 chart/templates/name.yaml:1: is a template, not a manifest | - | an Application in it would not be read",
        "warning 1 envsubst.yaml:1: is a template, not a manifest | - | an Application in it would not be read",
    ];
    assert_eq!(reported.len(), begins.len(), "{reported:#?}");
    for (line, begin) in reported.iter().zip(begins) {
        assert!(line.starts_with(begin), "{line}\nshould begin with\n{begin}");
    }
    assert_eq!(
        details(&manifests),
        [
            "chart/templates/service.yaml:3: is a template, not a manifest",
            "broken.yaml:2: cannot be read as YAML: a second key in one line, or a key where none can be",
        ],
        "where no Application can be hidden, nobody has to read of it"
    );
}

/// Findings that are reported only in verbose output.
fn details(manifests: &Manifests) -> Vec<&str> {
    manifests.details.iter().map(|detail| detail.message.as_str()).collect()
}

/// Every GitOps repository with charts in it printed one warning for each of their templates.
#[test]
fn the_templates_of_a_chart_are_one_warning_and_those_without_applications_are_none() {
    let service = "kind: Service\nmetadata:\n  name: {{ .Release.Name }}\n";
    let manifests = read(&[
        found("charts/apps/Chart.yaml", "name: apps\n"),
        found("charts/apps/templates/a.yaml", TEMPLATE),
        found("charts/apps/templates/more/b.yaml", TEMPLATE),
        found("charts/apps/templates/plain.yaml", &called("plain")),
        found("charts/web/Chart.yaml", "name: web\n"),
        found("charts/web/templates/service.yaml", service),
        found(
            "charts/web/templates/crd.yaml",
            "# an Application of argoproj.io may use it\nname: {{ .Release.Name }}\n",
        ),
        found("web.yaml", WEB),
    ]);
    assert_eq!(places(&manifests), ["plain charts/apps/templates/plain.yaml:1", "web web.yaml:1"]);
    assert_eq!(
        reported(&manifests),
        ["warning charts/apps: the templates of a Helm chart are not read, and 2 of them make Applications | - | \
          render the chart, as with `helm template charts/apps`, and give the output"]
    );
    assert_eq!(details(&manifests).len(), 4, "{:?}", details(&manifests));
    // What the user named is no part of a walk.
    let manifests = read(&[found("apps/Chart.yaml", "name: apps\n"), named("apps/templates/a.yaml", TEMPLATE)]);
    assert!(
        reported(&manifests)[0].starts_with("error 1 apps/templates/a.yaml:1: is a template"),
        "{:?}",
        reported(&manifests)
    );
}

/// One public repository has 3,019 Applications that only Kustomize makes whole.
#[test]
fn applications_that_a_kustomization_completes_are_one_warning_for_each_kustomization() {
    let of = |name: &str, spec: &str| {
        format!("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n")
    };
    let no_cluster = "project: default, source: {repoURL: a, path: b}";
    let no_repository = "project: default, source: {path: b}, destination: {name: prod}";
    let misspelt = "project: default, source: {repoURL: a, pth: b}, destination: {name: prod}";
    let manifests = read(&[
        found("prod/kustomization.yaml", "resources: [a.yaml, ../base/b.yaml]\npatches: [{path: patch.yaml}]\n"),
        found("prod/a.yaml", &of("a", no_cluster)),
        found("base/b.yaml", &of("b", no_repository)),
        found("prod/wrong.yaml", &of("wrong", misspelt)),
        found("test/kustomization.yaml", "components: [../all]\n"),
        found("test/c.yaml", &of("c", "syncPolicy: {automated: {}}")),
        found("alone/d.yaml", &of("d", no_cluster)),
        found("web.yaml", WEB),
    ]);
    assert_eq!(places(&manifests), ["!wrong prod/wrong.yaml:1", "!d alone/d.yaml:1", "web web.yaml:1"]);
    let reported = reported(&manifests);
    let [no_path, misspelling, no_destination, prod, test] = &reported[..] else { panic!("{reported:#?}") };
    assert!(misspelling.contains("`pth` is not a field of `spec.source`"), "{misspelling}");
    assert!(no_path.contains("wrong: `spec.source` has no"), "{no_path}");
    assert!(no_destination.starts_with("error 4 d: "), "{no_destination}");
    let help = "build them, as with `kubectl kustomize`, and give the output";
    let words = "not complete without Kustomize, and not read";
    assert_eq!(prod, &format!("warning prod/kustomization.yaml: 2 Applications (`a`, `b`) are {words} | - | {help}"));
    assert_eq!(test, &format!("warning test/kustomization.yaml: the Application `c` is {words} | - | {help}"));
}

#[test]
fn what_cannot_be_read_in_a_named_file_is_an_error_beside_the_application_that_can() {
    let manifests = read(&[named("apps.yaml", &format!("a: b\n c: d\n---\n{WEB}"))]);
    assert_eq!(places(&manifests), ["web apps.yaml:4"]);
    let [finding] = &manifests.findings[..] else { panic!("{:#?}", manifests.findings) };
    assert_eq!(finding.severity, Severity::Error);
    assert_eq!(finding.code.map(crate::finding::Code::as_str), Some("trueup::app::yaml"));

    let bytes = b"kind: \xff".to_vec();
    let manifests = read(&[ManifestText { bytes, ..named("latin1.yaml", "") }]);
    let [finding] = &manifests.findings[..] else { panic!("{:#?}", manifests.findings) };
    assert_eq!(finding.severity, Severity::Error);
    assert!(finding.message.starts_with("latin1.yaml: cannot be decoded as YAML text: "), "{finding}");
}

/// `trueup diff deployment.yaml` must not say that all is in sync.
#[test]
fn a_named_file_without_an_application_is_an_error_that_says_what_is_in_it() {
    let services = "kind: Service\napiVersion: v1\n---\nkind: Service\napiVersion: v1\n";
    for (text, holds) in [
        ("", "nor anything else"),
        ("# only a comment\n", "nor anything else"),
        ("replicas: 2\n", "but 1 of `(no kind)`"),
        ("- 1\n", "but 1 of `(not an object)`"),
        (DEPLOYMENT, "but 1 of `apps/Deployment`"),
        (&format!("{DEPLOYMENT}---\n{services}"), "but 2 of `Service` and 1 of `apps/Deployment`"),
        ("kind: Application\napiVersion: app.k8s.io/v1beta1\n", "but 1 of `app.k8s.io/Application`"),
        ("kind: Workflow\napiVersion: argoproj.io/v1alpha1\n", "but 1 of `argoproj.io/Workflow`"),
    ] {
        let help = "give a manifest of `kind: Application` and `apiVersion: argoproj.io/v1alpha1`";
        let expected = format!("error a.yaml: holds no Application, {holds} | - | {help}");
        assert_eq!(reported(&read(&[named("a.yaml", text)])), [expected], "{text}");
    }
}

#[test]
fn a_folder_without_an_application_is_an_error_too() {
    let manifests = read(&[found("a.yaml", DEPLOYMENT), found("b.yaml", "kind: Service\napiVersion: v1\n")]);
    let reported = reported(&manifests);
    assert_eq!(reported.len(), 1);
    assert!(
        reported[0]
            .starts_with("error no Application was found; the files hold 1 of `Service` and 1 of `apps/Deployment`"),
        "{reported:#?}"
    );
    assert_eq!(findings(&read(&[found("a.yaml", DEPLOYMENT), found("b.yaml", WEB)])).len(), 0);
}

#[test]
fn a_near_application_is_reported() {
    for (from, to, label) in [
        ("kind: Application", "kind: Aplication", "did you mean `Application`?"),
        ("kind: Application", "kind: application", "did you mean `Application`?"),
        ("argoproj.io/v1alpha1", "argoproj.oi/v1alpha1", "did you mean `argoproj.io/v1alpha1`?"),
    ] {
        let manifests = read(&[found("web.yaml", WEB), found("api.yaml", &WEB.replace(from, to))]);
        let reported = reported(&manifests);
        assert_eq!(reported.len(), 1, "{reported:#?}");
        assert!(reported[0].contains("looks like an Application, but is not one"), "{reported:#?}");
        assert!(reported[0].contains(label), "{reported:#?}");
    }
}

#[test]
fn application_sets_are_read_beside_applications_and_alone() {
    let set = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata:\n  name: shops\nspec:\n  \
               generators: [{list: {elements: []}}]\n  template: {metadata: {name: x}, spec: {}}\n";
    for texts in [&[found("web.yaml", WEB), found("set.yaml", set)][..], &[named("set.yaml", set)]] {
        let manifests = read(texts);
        assert_eq!(reported(&manifests), Vec::<String>::new());
        assert_eq!(manifests.sets.iter().map(|set| set.name.as_str()).collect::<Vec<_>>(), ["shops"]);
    }
}

/// The other Applications are read all the same.
#[test]
fn an_application_set_that_is_wrong_is_an_error() {
    let set =
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata:\n  name: shops\nspec:\n  generators: []\n";
    let manifests = read(&[found("web.yaml", WEB), found("set.yaml", set)]);
    assert_eq!((manifests.applications.len(), manifests.sets.len()), (1, 0));
    let reported = reported(&manifests);
    assert!(!reported.is_empty() && reported.iter().all(|line| line.starts_with("error")), "{reported:#?}");
}

#[test]
fn all_but_the_first_application_of_a_name_are_refused_with_all_places() {
    let elsewhere = WEB.replace("namespace: argocd", "namespace: shop");
    let help = "the first was taken; rename or remove the others, or build them if Kustomize renames them";
    let manifests = read(&[named("a.yaml", WEB), named("b.yaml", &format!("{elsewhere}---\n{WEB}"))]);
    assert_eq!(places(&manifests), ["web a.yaml:1", "web b.yaml:1", "!web b.yaml:9"]);
    assert_eq!(
        reported(&manifests),
        [format!("error web: 2 Applications have this name: a.yaml:1 and b.yaml:9 | - | {help}")]
    );
    let manifests = read(&[named("a.yaml", WEB), named("b.yaml", WEB), named("c.yaml", WEB)]);
    let reported = reported(&manifests);
    assert_eq!(
        reported[0],
        format!("error web: 3 Applications have this name: a.yaml:1, b.yaml:1 and c.yaml:1 | - | {help}")
    );
    assert_eq!(reported[0], reported[1], "they are one finding to whoever prints them");
}

/// kubectl drops what follows `...` without a word.
#[test]
fn text_after_the_end_of_a_document_is_reported() {
    let manifests = read(&[named("a.yaml", &format!("{WEB}...\n{}", called("api")))]);
    assert_eq!(places(&manifests), ["web a.yaml:1"]);
    let reported = reported(&manifests);
    assert_eq!(reported.len(), 1, "{reported:#?}");
    assert!(
        reported[0].starts_with("error 9 a.yaml:9: the text after the end of the document is not read"),
        "{reported:#?}"
    );
}

#[test]
fn a_file_of_many_applications_is_read_in_one_sweep() {
    let text: Vec<String> = (0..2000).map(|number| called(&format!("web-{number}"))).collect();
    let manifests = read(&[named("apps.yaml", &text.join("---\n"))]);
    assert_eq!(manifests.applications.len(), 2000);
    assert_eq!(places(&manifests)[1999], "web-1999 apps.yaml:15993");
}

/// A folder of overlays: what Kustomize would merge is no Application yet, and no error either.
#[test]
fn a_patch_of_an_application_in_a_folder_is_passed_over() {
    let of = |spec: &str| {
        format!("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: web}}\nspec: {{{spec}}}\n")
    };
    let (server, repository) = ("destination: {server: a}", "source: {repoURL: a, path: b}");
    for (name, spec, is_partial) in [
        ("another revision", "source: {targetRevision: v2}".to_owned(), true),
        ("other values", "sources: [{helm: {valueFiles: [a.yaml]}}]".to_owned(), true),
        ("another cluster", server.to_owned(), true),
        ("another policy", "syncPolicy: {automated: {}}".to_owned(), true),
        ("a namespace and a revision", "source: {targetRevision: v2}, destination: {namespace: a}".to_owned(), true),
        ("a forgotten destination", repository.to_owned(), false),
        ("a forgotten repository", format!("source: {{path: b}}, {server}"), false),
        ("a misspelt source", format!("sorce: {{repoURL: a, path: b}}, {server}"), false),
        ("a list that is patched", "sources: [], $retainKeys: [sources]".to_owned(), true),
        ("whole", format!("project: default, {repository}, {server}"), false),
    ] {
        let manifests = read(&[found("overlays/web.yaml", &of(&spec)), found("base/web.yaml", &called("web"))]);
        let is_reported = reported(&manifests).iter().any(|line| line.contains("as a patch for Kustomize"));
        assert_eq!(is_reported, is_partial, "{name}: {:?}", reported(&manifests));
        let is_error = manifests.findings.iter().any(|finding| finding.severity == Severity::Error);
        assert!(!(is_partial && is_error), "{name}: {:?}", reported(&manifests));
        assert_eq!(manifests.applications.len(), if is_partial { 1 } else { 2 }, "{name}");
    }
    let manifests = read(&[named("web.yaml", &of("source: {targetRevision: v2}"))]);
    assert!(manifests.applications[0].is_err(), "what the user named is to be an Application");
}

/// A kustomization says which files are patches: those that look like an Application, too, are none.
#[test]
fn a_file_that_a_kustomization_names_as_a_patch_holds_no_application() {
    let patch =
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web}\nspec: {source: {repoURL: b}}\n";
    let prod =
        "resources: [../../base]\npatches:\n- path: ./web.yaml\n- path: ../more.yaml\n- patch: |-\n    - op: remove\n";
    let test = "patchesStrategicMerge: [web.yaml]\npatchesJson6902: [{path: no.yaml, target: {kind: Application}}]\n";
    let manifests = read(&[
        found("base/web.yaml", &called("web")),
        found("overlays/more.yaml", patch),
        found("overlays/prod/kustomization.yaml", prod),
        found("overlays/prod/web.yaml", &called("web")),
        found("overlays/test/kustomization.yml", test),
        found("overlays/test/web.yaml", patch),
    ]);
    assert_eq!(places(&manifests), ["web base/web.yaml:1"]);
    let reported: Vec<&str> = manifests.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        reported,
        [
            "overlays/prod/kustomization.yaml: Kustomize patches Applications here; the patched Applications are not read",
            "overlays/test/kustomization.yml: Kustomize patches Applications here; the patched Applications are not read",
        ]
    );
    let manifests = read(&[found("prod/kustomization.yaml", prod), named("prod/web.yaml", &called("web"))]);
    assert_eq!(places(&manifests), ["web prod/web.yaml:1"], "what the user named is an Application");
}
