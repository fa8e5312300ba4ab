//! Repositories that are opened as a GitHub App: an API of our own that believes signatures alone, real git behind it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use trueup::app::settings::Repositories;
use trueup::source::{FetchedBy, Keyring, SourceError};

use super::server::{HttpServer as GitServer, Manners};
use super::{Run, assert_nothing_says, help, root_of, run_with, shop, told, web};
use crate::harness::{Answer, HttpServer, Request, TestRepo, config_map, folder_with, or_skip, program, trueup};

/// What GitHub hands out.
const TOKEN: &str = "ghs_t0ken";
const KEY_FORMS: [&str; 2] = ["PEM", "PKCS8"];

/// A fresh key of an App, in one of the forms that there are.
pub(crate) struct AppKey {
    pub(crate) pem: String,
    pub(crate) public: Vec<u8>,
}

impl AppKey {
    pub(crate) fn new(form: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-m", form, "-f"]).arg(&file);
        assert!(keygen.status().unwrap().success());
        let pem = fs::read_to_string(file).unwrap();
        let pair = match PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap() {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).unwrap(),
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap(),
            _ => panic!("{form} is another form"),
        };
        Self { public: pair.public_key().as_ref().to_owned(), pem }
    }

    /// Nothing that is shown may have any of it.
    pub(crate) fn assert_unseen(&self, text: &str) {
        for line in self.pem.lines().filter(|line| !line.starts_with("-----")) {
            assert!(!text.contains(line), "{text}");
        }
    }
}

/// Whether App 12 signed the request, and says of itself what GitHub wants to hear.
pub(crate) fn is_signed(request: &Request, public: &[u8]) -> bool {
    let Some(token) = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) else {
        return false;
    };
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts.as_slice() else { return false };
    let decoded = |part: &&str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let read = |part| serde_json::from_slice::<Value>(&decoded(part)).unwrap();
    let (header, claims) = (read(header), read(claims));
    let (now, time) = (Timestamp::now().as_second(), |field: &str| claims[field].as_i64().unwrap());
    let signed = token.rsplit_once('.').unwrap().0;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    key.verify(signed.as_bytes(), &decoded(signature)).is_ok()
        && header["alg"] == "RS256"
        && claims["iss"] == "12"
        && time("iat") <= now
        && (now..=now + 600).contains(&time("exp"))
}

/// The API of a GitHub Enterprise Server, where App 12 is installed for a hundred others, and for `Shop` as 34.
fn github(public: Vec<u8>) -> HttpServer {
    HttpServer::start(move |request| {
        if !is_signed(request, &public) {
            return Answer::json(401, &json!({"message": "A JSON web token could not be decoded"}));
        }
        match (request.method.as_str(), request.target.as_str()) {
            ("GET", "/api/v3/app/installations?per_page=100") => {
                let others: Vec<Value> =
                    (100..200).map(|id| json!({"id": id, "account": {"login": "other"}})).collect();
                let next = "<http://elsewhere.example.com/app/installations?per_page=100&page=2>; rel=\"next\"";
                Answer::json(200, &json!(others)).with("Link", next)
            }
            ("GET", "/api/v3/app/installations?per_page=100&page=2") => {
                Answer::json(200, &json!([{"id": 1, "account": null}, {"id": 34, "account": {"login": "Shop"}}]))
            }
            ("POST", "/api/v3/app/installations/34/access_tokens") => {
                Answer::json(201, &json!({"token": TOKEN, "expires_at": "2099-01-01T00:00:00Z"}))
            }
            _ => Answer::json(404, &json!({"message": "Not Found"})),
        }
    })
}

/// A git server with repositories of an organisation, open to who has the token.
fn guarded(git: &TestRepo, garbage_for_gix: bool) -> (GitServer, tempfile::TempDir) {
    let root = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root_of(git), root.path().join("shop")).unwrap();
    let basic = format!("Basic {}", STANDARD.encode(format!("x-access-token:{TOKEN}")));
    let manners = Manners { authorization: Some(basic), garbage_for_gix, ..Manners::default() };
    (GitServer::start(root.path(), manners), root)
}

fn secret(url: &str, app: &Value) -> String {
    let metadata = json!({"name": "hub", "labels": {"argocd.argoproj.io/secret-type": "repo-creds"}});
    let mut fields = json!({"url": url});
    fields.as_object_mut().unwrap().extend(app.as_object().unwrap().clone());
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": fields}).to_string()
}

fn app(key: &str, api: &str) -> Value {
    json!({"githubAppID": "12", "githubAppPrivateKey": key, "githubAppEnterpriseBaseUrl": api})
}

fn run_as(secret: &str) -> Run {
    let (repositories, warnings) = Repositories::read("secret.yaml", secret.as_bytes()).expect("it is a Secret");
    assert_eq!(warnings, []);
    run_with(|settings| settings.keyring = Arc::new(Keyring { repositories, ..Keyring::default() }))
}

/// A template for an organisation, as Argo CD's documentation has it; by gix, and by the program.
#[tokio::test]
async fn a_github_app_opens_the_repositories_of_an_organisation_with_one_token() {
    let git = shop();
    for (form, garbage_for_gix, by) in
        [(KEY_FORMS[0], false, FetchedBy::Gix), (KEY_FORMS[1], true, FetchedBy::GitProgram)]
    {
        let key = AppKey::new(form);
        let api = github(key.public.clone());
        let (http, _root) = guarded(&git, garbage_for_gix);
        let run = run_as(&secret(&http.url("shop"), &app(&key.pem, &format!("{}/api/v3/", api.url()))));
        for url in [http.url("shop/repo"), http.url("shop/repo/.git")] {
            let checkout = run.good(&url, "main").await;
            assert_eq!((checkout.by, web(&checkout).as_str()), (by, "replicas: 2\n"), "{form}");
        }
        let asked: Vec<String> = api.requests().into_iter().map(|request| request.target).collect();
        assert_eq!(asked.len(), 3, "two pages and a token: {asked:?}");
        assert_nothing_says(run.cache.path(), TOKEN);
        let shown = format!("{:?}", run.sources);
        assert!(!shown.contains(TOKEN), "{shown}");
        key.assert_unseen(&shown);
    }
}

/// Whose App is installed in many places says in which: then nothing is looked up.
#[tokio::test]
async fn an_installation_that_is_named_is_not_looked_up() {
    let key = AppKey::new(KEY_FORMS[0]);
    let api = github(key.public.clone());
    let git = shop();
    let (http, _root) = guarded(&git, false);
    let mut app = app(&key.pem, &format!("{}/api/v3", api.url()));
    app["githubAppInstallationID"] = json!("34");
    let run = run_as(&secret(&http.url("shop"), &app));
    run.good(&http.url("shop/repo"), "main").await;
    assert_eq!(api.requests().len(), 1);

    app["password"] = json!("t00 early");
    let run = run_as(&secret(&http.url("shop"), &app));
    let error = run.bad(&http.url("shop/repo"), "main").await;
    assert!(help(&error).contains("Secret `hub`"), "a password comes first, as in Argo CD: {}", help(&error));
    assert_eq!(api.requests().len(), 1);
}

/// What GitHub says no with: each is told apart, with the Secret's name, and nothing of the key or of what it signed.
#[tokio::test]
async fn a_missing_token_is_reported_with_its_cause() {
    let key = AppKey::new(KEY_FORMS[0]);
    let says = |status, message: &str| Answer::json(status, &json!({ "message": message }));
    let limited = || says(403, "API rate limit exceeded").with("x-ratelimit-remaining", "0");
    let html = Answer { status: 200, body: b"<html>".to_vec(), ..Answer::default() };
    for (answer, reason, advice) in [
        (says(401, "A JSON web token could not be decoded"), "answers 401 Unauthorized", "are of one App"),
        (
            says(401, "'Expiration time' claim ('exp') must be a numeric value")
                .with("Date", "Tue, 24 Nov 2020 12:00:00 GMT"),
            "s ahead of its own",
            "set this machine's clock",
        ),
        (says(404, "Not Found"), "has no installation 34 of App 12", "`https://HOST/api/v3`"),
        (limited().with("x-ratelimit-reset", "4102444800"), "its rate limit is reached", "after 2100-01-01T00:00:00Z"),
        (limited().with("retry-after", "3600"), "its rate limit is reached", "try again later"),
        (says(403, "This installation has been suspended"), "answers 403 Forbidden", "not suspended"),
        (Answer::json(201, &json!({"tokens": []})), "has no token", "`https://HOST/api/v3`"),
        (html, "is not JSON", "`https://HOST/api/v3`"),
    ] {
        let api = HttpServer::start(move |request| {
            // What comes with the request may come back.
            let heard = request.header("authorization").unwrap_or_default();
            let body = String::from_utf8_lossy(&answer.body).replace("\"}", &format!(": {heard}\"}}"));
            Answer { body: body.into_bytes(), ..answer.clone() }
        });
        let mut app = app(&key.pem, &api.url());
        app["githubAppInstallationID"] = json!("34");
        let run = run_as(&secret("https://git.example.com/shop", &app));
        let error = run.bad("https://git.example.com/shop/infra", "main").await;
        let told = told(&error);
        let begins = "https://git.example.com/shop/infra cannot be opened as the GitHub App of Secret `hub`: ";
        assert!(told.starts_with(begins) && told.contains(reason), "{told}");
        assert!(help(&error).contains(advice), "{told}: {}", help(&error));
        let signed = api.requests()[0].header("authorization").unwrap().trim_start_matches("Bearer ").to_owned();
        let everything = format!("{told} {error:?} {:?}", run.sources);
        assert!(!everything.contains(&signed), "{everything}");
        key.assert_unseen(&everything);
    }
}

/// An App that is not there, an API that is not there, a URL that is none.
#[tokio::test]
async fn faults_of_a_secret_are_reported() {
    let key = AppKey::new(KEY_FORMS[0]);
    let api = github(key.public.clone());
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ours = format!("{}/api/v3", api.url());
    let infra = "https://git.example.com/shop/infra";
    for (url, pem, base, reason) in [
        ("https://git.example.com/till/infra", key.pem.as_str(), ours.as_str(), "App 12 is not installed for `till`"),
        ("https://git.example.com/infra", &key.pem, &ours, "names no organisation"),
        (infra, &AppKey::new(KEY_FORMS[0]).pem, &ours, "answers 401 Unauthorized"),
        (infra, &key.pem, &api.url(), "answers 404 Not Found"),
        (infra, &key.pem, &format!("http://{closed}"), "cannot be reached"),
        (infra, &key.pem, "http://git.example.com/api/v3", "is not an `https://` URL"),
        (infra, &key.pem, "git.example.com", "is not a URL"),
        (infra, &key.pem.replace("-----END", "---- END"), &ours, "is not a private key in PEM"),
    ] {
        let run = run_as(&secret("https://git.example.com", &app(pem, base)));
        let error = run.bad(url, "main").await;
        assert!(matches!(*error, SourceError::NoAppToken { .. }), "{}", told(&error));
        assert!(told(&error).contains(reason), "{reason}: {}", told(&error));
        key.assert_unseen(&format!("{} {error:?} {}", told(&error), help(&error)));
    }
}

/// As a user runs it: a fleet of two with one App, a base in another repository of it, and then the key is broken.
#[test]
fn a_run_as_a_github_app_shows_neither_key_nor_token() {
    let kustomize = or_skip!(program("kustomize"));
    let git = TestRepo::new().file("base/a.yaml", config_map("from-the-base"));
    let git = git.file("base/kustomization.yaml", "resources: [a.yaml]\n").commit("a base");
    let key = AppKey::new(KEY_FORMS[0]);
    let api = github(key.public.clone());
    let (http, _root) = guarded(&git, false);
    let remote = format!("{}//base?ref=main", http.url("shop/repo"));
    let overlay = TestRepo::new().file("kustomization.yaml", format!("resources: ['{remote}']\n")).commit("a");
    let checkout = format!("{}={}", http.url("shop/overlay"), overlay.path().display());
    let applications = [
        git.application("plain").source_field("repoURL", json!(http.url("shop/repo"))).path("base"),
        overlay.application("remote").source_field("repoURL", json!(http.url("shop/overlay"))),
    ];
    let base = format!("{}/api/v3", api.url());
    let run = |pem: &str| {
        let files = folder_with([("secret.yaml", &secret(&http.url("shop"), &app(pem, &base)))]);
        let run = trueup(["render", "-v", "-o", "json", "--repo", &checkout]).env("TRUEUP_KUSTOMIZE", &kustomize);
        let run = run.argument(applications[0].manifest()).argument(applications[1].manifest());
        (run.argument("--repositories").argument(files.path().join("secret.yaml")), files)
    };
    let assert_silent = |text: &str, home: &Path| {
        assert!(!text.contains(TOKEN), "{text}");
        key.assert_unseen(text);
        assert_nothing_says(home, TOKEN);
    };

    let home = tempfile::tempdir().unwrap();
    let (good, _files) = run(&key.pem);
    let outcome = good.home(home.path()).exits(0);
    assert_eq!(outcome.json()["items"].as_array().unwrap().len(), 2, "{}", outcome.transcript());
    assert_eq!(api.requests().iter().filter(|request| request.method == "POST").count(), 1);
    assert_silent(&outcome.transcript(), home.path());

    let (bad, _files) = run(&key.pem.replace("-----END", "---- END"));
    let outcome = bad.home(home.path()).exits(2);
    assert!(outcome.stderr.contains("is not a private key in PEM"), "{}", outcome.transcript());
    assert_silent(&outcome.transcript(), home.path());
}
