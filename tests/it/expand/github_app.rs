//! Generators that name a GitHub App (`appSecretName`): the API believes signatures alone, and hands out a token for them.

use serde_json::{Value, json};

use super::application_set;
use super::forges::{assert_names, words};
use crate::git::github_app::{AppKey, is_signed};
use crate::harness::{Answer, HttpServer, Outcome, Request, folder_with, trueup};

const TOKEN: &str = "ghs_t0ken";

/// GitHub's API, where App 12 is installed for `Shop` as 34: its token opens `shop`'s repositories, which names no case.
fn github(public: Vec<u8>) -> HttpServer {
    HttpServer::start(move |request: &Request| {
        let not_found = Answer::json(404, &json!({"message": "Not Found"}));
        let target = request.target.as_str();
        if target.starts_with("/api/v3/app/") {
            if !is_signed(request, &public) {
                return Answer::json(401, &json!({"message": "A JSON web token could not be decoded"}));
            }
            return match (request.method.as_str(), target) {
                ("GET", "/api/v3/app/installations?per_page=100") => Answer::json(
                    200,
                    &json!([{"id": 1, "account": {"login": "other"}}, {"id": 34, "account": {"login": "Shop"}}]),
                ),
                ("POST", "/api/v3/app/installations/34/access_tokens") => {
                    Answer::json(201, &json!({"token": TOKEN, "expires_at": "2099-01-01T00:00:00Z"}))
                }
                _ => not_found,
            };
        }
        if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return Answer::json(401, &json!({"message": "Bad credentials"}));
        }
        match target {
            "/api/v3/repos/shop/web/pulls?per_page=100" => Answer::json(
                200,
                &json!([{"number": 7, "title": "t", "user": {"login": "octocat"}, "labels": [],
                    "head": {"ref": "one", "sha": "6dcb09b5"}, "base": {"ref": "main"}}]),
            ),
            "/api/v3/orgs/shop/repos?per_page=100" => Answer::json(
                200,
                &json!([{"id": 1, "name": "web", "owner": {"login": "shop"}, "default_branch": "main",
                    "ssh_url": "git@github.example.com:shop/web.git", "topics": []}]),
            ),
            "/api/v3/repos/shop/web/branches/main" => Answer::json(
                200,
                &json!({"name": "main", "commit": {"sha": "c5b97d5ae6c19d5c5df71a34c7fbeeda2479ccbc"}}),
            ),
            _ => not_found,
        }
    })
}

/// The Secret as Argo CD's documentation of `appSecretName` has it: one of a repository.
fn secret(key: &str, more: &Value) -> String {
    let mut data = json!({"type": "git", "url": "https://github.example.com/shop", "githubAppID": "12", "githubAppPrivateKey": key});
    data.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
    json!({"apiVersion": "v1", "kind": "Secret", "stringData": data, "metadata": {"name": "hub", "namespace": "argocd",
        "labels": {"argocd.argoproj.io/secret-type": "repo-creds"}}})
    .to_string()
}

fn expanded(api: &str, secret: &str) -> Outcome {
    let of = |own: Value| {
        let mut whole = json!({"api": api, "appSecretName": "hub"});
        whole.as_object_mut().expect("a map").extend(own.as_object().expect("a map").clone());
        whole
    };
    let generators = json!([
        {"pullRequest": {"github": of(json!({"owner": "shop", "repo": "web"}))}},
        {"scmProvider": {"github": of(json!({"organization": "shop"}))}}
    ]);
    let set = application_set(&generators, "{{.branch}}", ".").to_string();
    let folder = folder_with([("set.yaml", &set.as_str()), ("secret.yaml", &secret)]);
    trueup(["expand", "set.yaml", "-o", "name", "--clusters", "secret.yaml"]).in_folder(folder.path()).outcome()
}

#[track_caller]
fn assert_unseen(outcome: &Outcome, key: &AppKey) {
    key.assert_unseen(&outcome.transcript());
    assert!(!outcome.transcript().contains(TOKEN), "{}", outcome.transcript());
}

/// What the App signs is good for one token of the owner's installation, with which both generators ask.
#[test]
fn a_github_app_opens_pull_requests_and_repositories() {
    let key = AppKey::new("PEM");
    let server = github(key.public.clone());
    for more in [
        json!({}),
        json!({"githubAppInstallationID": "34"}),
        json!({"githubAppEnterpriseBaseUrl": format!("{}/api/v3/", server.url())}),
    ] {
        let before = server.requests().len();
        let outcome = expanded(&server.url(), &secret(&key.pem, &more));
        assert_names(&outcome, &["one", "main"]);
        assert_unseen(&outcome, &key);
        let requests = server.requests();
        let tokens = requests[before..].iter().filter(|request| request.method == "POST").count();
        assert_eq!(tokens, 1, "{more}");
    }
}

/// Each is an error of the generator with the Secret's name, and nothing of the key.
#[test]
fn a_github_app_that_gets_no_token_is_an_error() {
    let key = AppKey::new("PKCS8");
    let server = github(key.public.clone());
    let other = AppKey::new("PEM");
    for (secret, expected) in [
        (secret(&other.pem, &json!({})), "the GitHub App of Secret `hub` gets no token"),
        (secret(&key.pem, &json!({"githubAppInstallationID": "35"})), "has no installation 35 of App 12"),
        (secret("s3cret", &json!({})), "its `githubAppPrivateKey` is not a private key in PEM"),
        (secret(&key.pem, &json!({"githubAppID": "twelve"})), "Secret `hub`: `githubAppID` is not a number"),
        (
            secret(&key.pem, &json!({})).replace("githubAppPrivateKey", "key"),
            "Secret `hub` has no key `githubAppPrivateKey`",
        ),
        (secret(&key.pem, &json!({})).replace("hub", "other"), "Secret `hub` not found"),
    ] {
        let outcome = expanded(&server.url(), &secret);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{}", outcome.transcript());
        assert!(words(&outcome).contains(expected), "{expected}: {}", outcome.transcript());
        assert_unseen(&outcome, &key);
        other.assert_unseen(&outcome.transcript());
        assert!(!outcome.transcript().contains("s3cret"), "{}", outcome.transcript());
    }
}
