//! Registries that send for a token first, as most hosted ones do: one stands before a real registry here, and asks for it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{application, chart_of, objects, render};
use crate::harness::{Answer, HttpServer, Request, TestChart, TestRegistry, TestRepo, folder_with, or_skip, program};

const SCOPE: &str = "repository:token/web:pull";

/// Lets nobody through to the registry without `t0ken`, which the server at `realm` hands out.
fn front(registry: &TestRegistry, realm: &str) -> HttpServer {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let behind = format!("http://{}", registry.host());
    let challenge = format!("Bearer realm=\"{realm}\",service=\"registry.example.com\",scope=\"{SCOPE}\"");
    HttpServer::start(move |request| {
        if request.header("authorization") != Some("Bearer t0ken") {
            return Answer::status(401).with("WWW-Authenticate", &challenge);
        }
        let mut question = reqwest::blocking::Client::new().get(format!("{behind}{}", request.target));
        if let Some(accept) = request.header("accept") {
            question = question.header("accept", accept);
        }
        let answer = question.send().expect("the registry answers");
        let mut passed = Answer::status(answer.status().as_u16());
        for name in ["content-type", "docker-content-digest"] {
            if let Some(value) = answer.headers().get(name) {
                passed = passed.with(name, value.to_str().expect("it is text"));
            }
        }
        Answer { body: answer.bytes().expect("a body").to_vec(), ..passed }
    })
}

/// Takes the token of an earlier login, as Azure's token server does.
fn exchange(request: &Request) -> Answer {
    let form = reqwest::Url::parse(&format!("http://form/?{}", request.body)).expect("a form is one");
    let field = |name: &str| form.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    let asked = ["grant_type", "service", "scope"].map(|name| field(name).unwrap_or_default());
    match (request.method.as_str(), field("refresh_token").as_deref()) {
        ("POST", Some("refr3sh&")) => {
            assert_eq!(asked, ["refresh_token", "registry.example.com", SCOPE]);
            Answer::json(200, &json!({"access_token": "t0ken"}))
        }
        _ => Answer::json(400, &json!({"error": "invalid_grant"})),
    }
}

/// Docker's configuration as `az acr login` leaves it.
fn logged_in(host: &str, token: &str) -> String {
    let nobody = STANDARD.encode("00000000-0000-0000-0000-000000000000:");
    json!({"auths": {host: {"auth": nobody, "identitytoken": token}}}).to_string()
}

fn pushed() -> Result<&'static TestRegistry, crate::harness::Missing> {
    let registry = TestRegistry::open()?;
    registry.push(&TestChart::folder()?.with("web", "1.0.0").archive("web", "1.0.0"), "token");
    Ok(registry)
}

/// A user and a password are good for a token.
#[test]
fn a_registry_that_sends_for_a_token_is_opened() {
    let registry = or_skip!(pushed());
    let tokens = HttpServer::start(|request| {
        if request.header("authorization") != Some(&format!("Basic {}", STANDARD.encode("ci:s3cret"))) {
            return Answer::status(401);
        }
        assert_eq!(request.target, "/token?service=registry.example.com&scope=repository%3Atoken%2Fweb%3Apull");
        Answer::json(200, &json!({"token": "t0ken"}))
    });
    let front = front(registry, &format!("{}/token", tokens.url()));
    let web = application(&format!("{}/token", front.host()), "web", "1.0.0");
    let run = render(&web).env("TRUEUP_OCI_USERNAME", "ci").env("TRUEUP_OCI_PASSWORD", "s3cret");
    assert_eq!(chart_of(&run.exits(0)), "web 1.0.0");
    assert_eq!(tokens.requests().len(), 1);
    render(&web).exits(2);
}

/// After `az acr login` there is no password, only a token to get tokens with; some credential helpers have the same.
#[test]
fn the_token_of_an_earlier_login_opens_a_registry() {
    let registry = or_skip!(pushed());
    let tokens = HttpServer::start(exchange);
    let front = front(registry, &format!("{}/oauth2/token", tokens.url()));
    let web = application(&format!("{}/token", front.host()), "web", "1.0.0");
    let written_down = logged_in(&front.host(), "refr3sh&");
    let asking = json!({"credHelpers": {front.host(): "test"}}).to_string();
    let helper = "#!/bin/sh\necho '{\"Username\": \"<token>\", \"Secret\": \"refr3sh&\"}'\n";
    for config in [&written_down, &asking] {
        let files = folder_with([("config.json", config), ("docker-credential-test", &helper)]);
        let run = render(&web).env("DOCKER_CONFIG", files.path()).env("PATH", path_with(files.path()));
        assert_eq!(chart_of(&run.exits(0)), "web 1.0.0");
    }

    let files = folder_with([("config.json", &logged_in(&front.host(), "0ver"))]);
    let outcome = render(&web).argument("--no-cache").env("DOCKER_CONFIG", files.path()).exits(2);
    assert!(outcome.stderr.contains("refuses access"), "{}", outcome.transcript());
    assert!(outcome.stderr.contains("log in to the registry again"), "{}", outcome.transcript());
    assert!(!outcome.transcript().contains("0ver"), "{}", outcome.transcript());
}

/// A program in a folder of the test's, before all others.
fn path_with(folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let program = folder.join("docker-credential-test");
    std::fs::set_permissions(program, std::fs::Permissions::from_mode(0o755)).expect("the folder is ours");
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default())
}

/// Helm gets the dependencies of a chart with the same token.
#[test]
fn the_token_of_an_earlier_login_fetches_dependencies() {
    let registry = or_skip!(pushed());
    let tokens = HttpServer::start(exchange);
    let front = front(registry, &format!("{}/oauth2/token", tokens.url()));
    let chart = format!(
        "apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies:\n\
         - {{name: web, version: 1.0.0, repository: 'oci://{}/token'}}\n",
        front.host()
    );
    let git = TestRepo::new().file("shop/Chart.yaml", chart).commit("a chart that needs another");
    let shop = git.application("shop").path("shop");
    let files = folder_with([("config.json", &logged_in(&front.host(), "refr3sh&"))]);
    for helm in ["helm", "helm4"] {
        let helm = or_skip!(program(helm));
        let run = render(&shop).env("TRUEUP_HELM", &helm);
        let outcome = run.env("DOCKER_CONFIG", files.path()).exits(0);
        assert_eq!(objects(&outcome)[0]["data"]["chart"], "web 1.0.0");
    }
}

/// A token server that sends us elsewhere does not pass on what we came with.
#[test]
fn a_redirect_takes_no_token_along() {
    let registry = or_skip!(pushed());
    let elsewhere = HttpServer::start(|_| Answer::json(200, &json!({"access_token": "t0ken"})));
    let target = elsewhere.url();
    let sending = HttpServer::start(move |_| Answer::status(307).with("Location", &target));
    let front = front(registry, &sending.url());
    let web = application(&format!("{}/token", front.host()), "web", "1.0.0");
    let files = folder_with([("config.json", &logged_in(&front.host(), "refr3sh&"))]);
    render(&web).env("DOCKER_CONFIG", files.path()).exits(2);
    assert!(sending.requests()[0].body.contains("refr3sh"));
    assert!(elsewhere.requests().is_empty());
}

/// A registry that sends for a token elsewhere: the password is for the hosts that were named, and for no other.
#[test]
fn a_token_server_on_another_host_gets_no_password_that_is_not_meant_for_it() {
    let registry = or_skip!(pushed());
    let tokens = HttpServer::start(|request| {
        if request.header("authorization").is_none() {
            Answer::status(401)
        } else {
            Answer::json(200, &json!({"token": "t0ken"}))
        }
    });
    // The same machine by another name is another host.
    let realm = format!("{}/token", tokens.url().replace("127.0.0.1", "localhost"));
    let front = front(registry, &realm);
    let web = application(&format!("{}/token", front.host()), "web", "1.0.0");
    let run = |hosts: &str| {
        render(&web).env("TRUEUP_OCI_USERNAME", "ci").env("TRUEUP_OCI_PASSWORD", "s3cret").env("TRUEUP_OCI_HOST", hosts)
    };
    let outcome = run("127.0.0.1").exits(2);
    assert!(outcome.stderr.contains("TRUEUP_OCI_HOST"), "{}", outcome.transcript());
    assert!(tokens.requests().iter().all(|request| request.header("authorization").is_none()));
    assert_eq!(chart_of(&run("127.0.0.1,localhost").exits(0)), "web 1.0.0");
}
