//! Charts that need other charts, from repositories that ask who is there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{application, objects, render};
use crate::harness::{Answer, HttpServer, TestChart, TestRegistry, TestRepo, folder_with, or_skip, program};

fn guarded(charts: &TestChart) -> HttpServer {
    let folder = charts.path().to_owned();
    HttpServer::start(move |request| {
        if request.header("authorization") != Some(&format!("Basic {}", STANDARD.encode("ci:s3cret"))) {
            return Answer::status(401);
        }
        Answer::file(&folder, request)
    })
}

/// Each kind of place that a dependency may come from: by URL, by a Secret's name, and in a registry.
#[test]
fn dependencies_come_from_private_repositories() {
    let registry = or_skip!(TestRegistry::private());
    let charts =
        or_skip!(TestChart::folder()).with("one", "1.0.0").with("two", "1.0.0").with("three", "1.0.0").indexed();
    registry.push(&charts.archive("three", "1.0.0"), "dependencies");
    let (first, second) = (guarded(&charts), guarded(&charts));
    let place = format!("{}/dependencies", registry.host());
    let secrets = [
        ("first", json!({"url": first.url(), "type": "helm", "username": "ci", "password": "s3cret"})),
        (
            "second",
            json!({"url": second.url(), "type": "helm", "name": "ours", "username": "ci", "password": "s3cret"}),
        ),
        ("third", json!({"url": place, "type": "helm", "enableOCI": "true", "username": "ci", "password": "s3cret"})),
    ];
    let secrets = secrets.map(|(name, fields)| {
        let metadata = json!({"name": name, "labels": {"argocd.argoproj.io/secret-type": "repository"}});
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": fields})
    });
    let list = json!({"apiVersion": "v1", "kind": "List", "items": secrets}).to_string();
    let files = folder_with([("secrets.yaml", &list)]);
    let chart = format!(
        "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {{name: one, version: 1.x, repository: '{}'}}\n\
         - {{name: two, version: 1.x, repository: '@ours'}}\n- {{name: three, version: 1.x, repository: 'oci://{place}'}}\n",
        first.url()
    );
    let git = TestRepo::new().file("web/Chart.yaml", chart).commit("a chart that needs others");
    let web = git.application("web").path("web");

    for helm in ["helm", "helm4"] {
        let helm = or_skip!(program(helm));
        let run = render(&web).env("TRUEUP_HELM", &helm).argument("--repositories");
        let outcome = run.argument(files.path().join("secrets.yaml")).exits(0);

        let made: Vec<Value> = objects(&outcome).iter().map(|object| object["data"]["chart"].clone()).collect();
        assert_eq!(made, ["one 1.0.0", "three 1.0.0", "two 1.0.0"]);
        let outcome = render(&web).env("TRUEUP_HELM", &helm).exits(2);
        assert!(!outcome.transcript().contains("s3cret"), "{}", outcome.transcript());
    }
}

/// Helm itself only says that it has no index in its cache; whoever gave no password, or a wrong one, has to know why.
#[test]
fn a_repository_that_refuses_a_dependency_is_reported_without_its_password() {
    let charts = or_skip!(TestChart::folder()).with("one", "1.0.0").indexed();
    let server = guarded(&charts);
    for helm in ["helm", "helm4"] {
        let helm = or_skip!(program(helm));
        let chart = format!(
            "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {{name: one, version: 1.x, repository: '{}'}}\n",
            server.url().replace("://", "://ci:wr0ng@")
        );
        let git = TestRepo::new().file("web/Chart.yaml", chart).commit("a chart that needs another");
        let outcome = render(&git.application("web").path("web")).env("TRUEUP_HELM", &helm).exits(2);
        assert!(outcome.stderr.contains("/index.yaml : 401 "), "{}", outcome.transcript());
        assert!(!outcome.transcript().contains("wr0ng"), "{}", outcome.transcript());
    }
}

/// A chart that was published without what it needs.
#[test]
fn a_published_chart_gets_its_dependencies() {
    let charts = or_skip!(TestChart::folder()).with("one", "1.0.0").indexed();
    let folder = charts.path().to_owned();
    let others = HttpServer::start(move |request| Answer::file(&folder, request));
    let needy = [
        (
            "web/Chart.yaml",
            format!(
                "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {{name: one, version: 1.0.0, repository: '{}'}}\n",
                others.url()
            ),
        ),
        (
            "web/templates/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {chart: web}\n".to_owned(),
        ),
    ];
    let server = super::faults::publishing_files(&needy);
    let outcome = render(&application(&server.url(), "web", "1.0.0")).exits(0);
    let made: Vec<Value> = objects(&outcome).iter().map(|object| object["data"]["chart"].clone()).collect();
    assert_eq!(made, ["one 1.0.0", "web"]);
}

fn repository_secret(name: &str, fields: &Value) -> String {
    let metadata = json!({"name": name, "labels": {"argocd.argoproj.io/secret-type": "repository"}});
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": fields}).to_string()
}

/// Behind a company's proxy, what the Secrets of the dependencies say leads there: Helm has no other way. As in Argo CD,
/// the proxy of the application's own repository does for those that name none.
#[test]
fn the_proxy_of_a_secret_leads_to_dependencies() {
    let charts = or_skip!(TestChart::folder()).with("one", "1.0.0").with("two", "1.0.0").indexed();
    let folder = charts.path().to_owned();
    // A proxy is asked for a whole URL.
    let proxy = HttpServer::start(move |request| {
        let path = request.target.strip_prefix("http://").and_then(|url| url.find('/').map(|at| &url[at..]));
        path.map_or_else(|| Answer::status(400), |path| Answer::file(&folder, &request.at(path)))
    });
    let (one, two) = ("http://one.example.invalid", "http://two.example.invalid");
    let chart = format!(
        "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {{name: one, version: 1.x, repository: '{one}'}}\n\
         - {{name: two, version: 1.x, repository: '{two}'}}\n"
    );
    let git = TestRepo::new().file("web/Chart.yaml", chart).commit("a chart that needs others");
    let web = git.application("web").path("web");
    let by = |url: &str| json!({"url": url, "type": "helm", "proxy": proxy.url()});
    let each = [repository_secret("one", &by(one)), repository_secret("two", &by(two))].join("\n---\n");
    let source = repository_secret("git", &json!({"url": git.url(), "proxy": proxy.url()}));
    let disputed = repository_secret("one", &by(one));
    let files = folder_with([("each.yaml", &each), ("source.yaml", &source), ("disputed.yaml", &disputed)]);

    for helm in ["helm", "helm4"] {
        let helm = or_skip!(program(helm));
        let run = |file: &str| {
            let run = render(&web).env("TRUEUP_HELM", &helm).argument("--no-cache");
            run.argument("--repositories").argument(files.path().join(file))
        };
        for file in ["each.yaml", "source.yaml"] {
            let made: Vec<Value> = objects(&run(file).exits(0)).iter().map(|it| it["data"]["chart"].clone()).collect();
            assert_eq!(made, ["one 1.0.0", "two 1.0.0"], "{file}");
        }
        let outcome = run("disputed.yaml").exits(2);
        assert!(outcome.stderr.contains("have different proxies"), "{}", outcome.transcript());
    }
}

/// Where Helm gets everything all the same, who wrote the Secrets still has to know.
#[test]
fn proxies_that_differ_are_warned_about() {
    let charts = or_skip!(TestChart::folder()).with("one", "1.0.0").with("two", "1.0.0").indexed();
    let folder = charts.path().to_owned();
    let server = HttpServer::start(move |request| Answer::file(&folder, request));
    let by_name = server.url().replace("127.0.0.1", "localhost");
    let chart = format!(
        "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {{name: one, version: 1.x, repository: '{}'}}\n\
         - {{name: two, version: 1.x, repository: '{by_name}'}}\n",
        server.url()
    );
    let git = TestRepo::new().file("web/Chart.yaml", chart).commit("a chart that needs others");
    let secret =
        repository_secret("one", &json!({"url": server.url(), "type": "helm", "proxy": "http://u:s3cret@127.0.0.1:1"}));
    let files = folder_with([("secret.yaml", &secret)]);
    let web = git.application("web").path("web");
    let run = render(&web).argument("--repositories");
    let outcome = run.argument(files.path().join("secret.yaml")).exits(0);
    assert!(
        outcome.stderr.contains("⚠ web: ") && outcome.stderr.contains("different proxies"),
        "{}",
        outcome.transcript()
    );
    assert!(!outcome.transcript().contains("s3cret"), "{}", outcome.transcript());
}
