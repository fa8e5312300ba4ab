//! Repositories that ask who is there: what opens them, and who never gets to see it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{application, chart_of, render};
use crate::harness::{Answer, HttpServer, Request, TestChart, TestRegistry, config_map, folder_with, or_skip, trueup};

fn basic(both: &str) -> String {
    format!("Basic {}", STANDARD.encode(both))
}

/// Serves a folder to who has the password.
fn guarded(charts: &TestChart) -> HttpServer {
    let folder = charts.path().to_owned();
    HttpServer::start(move |request| {
        if request.header("authorization") != Some(&basic("ci:s3cret")) {
            return Answer::status(401).with("WWW-Authenticate", "Basic realm=\"charts\"");
        }
        Answer::file(&folder, request)
    })
}

fn secret(kind: &str, fields: &serde_json::Value) -> String {
    let metadata = json!({"name": "charts", "labels": {"argocd.argoproj.io/secret-type": kind}});
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": fields}).to_string()
}

/// Argo CD's Secrets, a template's, the environment, the URL itself: each opens a Helm repository.
#[test]
fn a_private_helm_repository_is_opened() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0").indexed();
    let server = guarded(&charts);
    let web = application(&server.url(), "web", "1.0.0");
    let login = json!({"url": server.url(), "type": "helm", "username": "ci", "password": "s3cret"});
    let files = folder_with([
        ("repository.yaml", &secret("repository", &login)),
        ("template.yaml", &secret("repo-creds", &login)),
    ]);
    for file in ["repository.yaml", "template.yaml"] {
        let run = render(&web).argument("--repositories").argument(files.path().join(file));
        assert_eq!(chart_of(&run.exits(0)), "web 1.0.0", "{file}");
    }
    // A folder that has other manifests, too, and what kubectl prints.
    let folder = folder_with([("a.yaml", &config_map("a")), ("b.yaml", &secret("repository", &login))]);
    let run = render(&web).argument("--repositories").argument(folder.path());
    assert_eq!(chart_of(&run.exits(0)), "web 1.0.0");
    let run = render(&web).arguments(["--repositories", "/dev/stdin"]).stdin(secret("repository", &login));
    assert_eq!(chart_of(&run.exits(0)), "web 1.0.0");
    let run = render(&web).env("TRUEUP_HELM_USERNAME", "ci").env("TRUEUP_HELM_PASSWORD", "s3cret");
    assert_eq!(chart_of(&run.exits(0)), "web 1.0.0");
    let url = server.url().replace("://", "://ci:s3cret@");
    let outcome = render(&application(&url, "web", "1.0.0")).exits(0);
    assert_eq!(chart_of(&outcome), "web 1.0.0");

    let outcome =
        render(&web).env("TRUEUP_HELM_PASSWORD", "s3cret").env("TRUEUP_HELM_HOST", "other.example.com").exits(2);
    assert!(outcome.stderr.contains("refuses access"), "{}", outcome.transcript());
    let outcome = render(&web).env("TRUEUP_HELM_USERNAME", "ci").env("TRUEUP_HELM_PASSWORD", "wr0ng").exits(2);
    assert!(!outcome.transcript().contains("wr0ng"), "{}", outcome.transcript());
}

/// Servers that take a token for the user, and no password.
#[test]
fn a_user_without_a_password_is_sent() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0").indexed();
    let folder = charts.path().to_owned();
    let server = HttpServer::start(move |request| match request.header("authorization") {
        Some(shown) if shown == basic("t0ken:") => Answer::file(&folder, request),
        _ => Answer::status(401),
    });
    let login = json!({"url": server.url(), "type": "helm", "username": "t0ken"});
    let files = folder_with([("secret.yaml", &secret("repository", &login))]);
    let web = application(&server.url(), "web", "1.0.0");
    let run = render(&web).argument("--repositories").argument(files.path().join("secret.yaml"));
    assert_eq!(chart_of(&run.exits(0)), "web 1.0.0");
    let url = server.url().replace("://", "://t0ken@");
    assert_eq!(chart_of(&render(&application(&url, "web", "1.0.0")).exits(0)), "web 1.0.0");
}

/// A registry's URL has no place for a password; where somebody put one, it is not told.
#[test]
fn a_password_in_a_registrys_url_is_refused_and_not_shown() {
    for url in ["oci://ci:s3cret@registry.example.com/shop", "ci:s3cret@registry.example.com/shop"] {
        let outcome = trueup(["render"]).env("COLUMNS", "200").of(&application(url, "web", "1.0.0")).exits(2);
        assert!(outcome.stderr.contains("a registry's URL has no user"), "{}", outcome.transcript());
        assert!(!outcome.stderr.contains("s3cret"), "{}", outcome.transcript());
    }
}

/// A Secret of one project opens nothing for the applications of another.
#[test]
fn a_secret_of_one_project_is_not_for_another() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0").indexed();
    let server = guarded(&charts);
    let login = json!({"url": server.url(), "type": "helm", "project": "shop", "username": "ci", "password": "s3cret"});
    let files = folder_with([("secret.yaml", &secret("repository", &login))]);
    let file = files.path().join("secret.yaml");
    for (project, code) in [("shop", 0), ("till", 2)] {
        let web = application(&server.url(), "web", "1.0.0").spec_field("project", json!(project));
        render(&web).argument("--repositories").argument(&file).exits(code);
    }
}

/// An index may name archives on any server: only where `passCredentials` says so, that server hears the password.
#[test]
fn another_server_hears_the_password_only_where_the_application_says_so() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0");
    let folder = charts.path().to_owned();
    let elsewhere = HttpServer::start(move |request| Answer::file(&folder, request));
    let index = format!(
        "apiVersion: v1\nentries:\n  web:\n  - {{version: 1.0.0, urls: ['{}/web-1.0.0.tgz']}}\n",
        elsewhere.url()
    );
    let sending =
        HttpServer::start(move |_| Answer { status: 200, body: index.clone().into_bytes(), ..Answer::default() });
    let url = sending.url();
    let heard = |server: &HttpServer| {
        server.requests().last().and_then(|request: &Request| request.header("authorization").map(str::to_owned))
    };
    for (pass, expected) in [(false, None), (true, Some(basic("ci:s3cret")))] {
        let web = application(&url, "web", "1.0.0").source_field("helm", json!({"passCredentials": pass}));
        render(&web).env("TRUEUP_HELM_USERNAME", "ci").env("TRUEUP_HELM_PASSWORD", "s3cret").exits(0);
        assert_eq!(heard(&sending), Some(basic("ci:s3cret")));
        assert_eq!(heard(&elsewhere), expected);
    }
}

/// A server that sends us elsewhere does not pass on what opens it.
#[test]
fn a_redirect_takes_no_password_along() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0").indexed();
    let folder = charts.path().to_owned();
    let elsewhere = HttpServer::start(move |request| Answer::file(&folder, request));
    let target = elsewhere.url().replace("127.0.0.1", "localhost");
    let sending =
        HttpServer::start(move |request| Answer::status(302).with("Location", &format!("{target}{}", request.target)));
    let web = application(&sending.url(), "web", "1.0.0");
    render(&web).env("TRUEUP_HELM_USERNAME", "ci").env("TRUEUP_HELM_PASSWORD", "s3cret").exits(0);
    assert!(elsewhere.requests().iter().all(|request| request.header("authorization").is_none()));
    assert!(sending.requests().iter().all(|request| request.header("authorization").is_some()));
}

/// A real registry with passwords: by a Secret, the environment, and what `helm registry login` wrote down.
#[test]
fn a_private_registry_is_opened() {
    let registry = or_skip!(TestRegistry::private());
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0");
    registry.push(&charts.archive("web", "1.0.0"), "private");
    let url = format!("{}/private", registry.host());
    let web = application(&url, "web", "1.x");

    let login = json!({"url": url, "type": "helm", "enableOCI": "true", "username": "ci", "password": "s3cret"});
    let config = json!({"auths": {registry.host(): {"auth": STANDARD.encode("ci:s3cret")}}}).to_string();
    let files = folder_with([("secret.yaml", &secret("repository", &login)), ("config.json", &config)]);
    let run = render(&web).argument("--repositories").argument(files.path().join("secret.yaml"));
    assert_eq!(chart_of(&run.exits(0)), "web 1.0.0");
    let run = render(&web).env("TRUEUP_OCI_USERNAME", "ci").env("TRUEUP_OCI_PASSWORD", "s3cret");
    assert_eq!(chart_of(&run.exits(0)), "web 1.0.0");
    let run = render(&web).env("DOCKER_CONFIG", files.path());
    assert_eq!(chart_of(&run.exits(0)), "web 1.0.0");

    let outcome = render(&web).exits(2);
    assert!(outcome.stderr.contains("refuses access"), "{}", outcome.transcript());
    let outcome = render(&web).env("TRUEUP_OCI_USERNAME", "ci").env("TRUEUP_OCI_PASSWORD", "wr0ng").exits(2);
    assert!(!outcome.transcript().contains("wr0ng"), "{}", outcome.transcript());
}
