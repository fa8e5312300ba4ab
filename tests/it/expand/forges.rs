//! `pullRequest`, `scmProvider` and `plugin` generators against servers that answer as the APIs' documentation says.
//!
//! Shapes: docs.github.com/rest, docs.gitlab.com/api, Gitea's swagger, Bitbucket Data Center REST 8; Argo CD "Plugin Generator".

use serde_json::{Value, json};

use super::application_set;
use crate::harness::{Answer, HttpServer, Outcome, Request, folder_with, trueup};

pub(super) const TOKEN: &str = "s3cret-t0ken";

/// The Secret with the token, and a plugin's ConfigMap.
fn objects(base_url: &str) -> String {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "forge", "namespace": "argocd"},
        "stringData": {"token": TOKEN}});
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "plugin", "namespace": "argocd"},
        "data": {"baseUrl": base_url, "token": "$forge:token", "requestTimeout": "1"}});
    format!("{secret}\n---\n{map}\n")
}

/// Expands an ApplicationSet of one generator, whose Applications are named by `name`; no run shows the token.
pub(super) fn expanded(generator: &Value, name: &str, server: &HttpServer, more: &[&str]) -> Outcome {
    let set = application_set(&json!([generator]), name, ".").to_string();
    let folder = folder_with([("set.yaml", &set.as_str()), ("objects.yaml", &objects(&server.url()).as_str())]);
    let outcome = trueup(["expand", "set.yaml", "-o", "name", "--clusters", "objects.yaml"])
        .in_folder(folder.path())
        .arguments(more.iter().copied())
        .outcome();
    assert!(!outcome.transcript().contains(TOKEN), "{}", outcome.transcript());
    outcome
}

/// The messages of a run, without its line breaks.
pub(super) fn words(outcome: &Outcome) -> String {
    outcome.stderr.split_whitespace().collect::<Vec<_>>().join(" ").replace(" │ ", " ")
}

#[track_caller]
pub(super) fn assert_names(outcome: &Outcome, expected: &[&str]) {
    let names: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!((outcome.code, names.as_slice()), (Some(0), expected), "{}", outcome.transcript());
}

pub(super) fn token_ref() -> Value {
    json!({"secretName": "forge", "key": "token"})
}

/// Answers who has the token, in this scheme; 401 to others.
pub(super) fn guarded(scheme: &'static str, answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> HttpServer {
    HttpServer::start(move |request| {
        if request.header("authorization") != Some(&format!("{scheme} {TOKEN}")) {
            return Answer::json(401, &json!({"message": "Bad credentials"}));
        }
        answer(request)
    })
}

fn github_pull(number: u64, branch: &str, labels: &[&str]) -> Value {
    let labels: Vec<Value> = labels.iter().map(|label| json!({"name": label})).collect();
    json!({"number": number, "title": format!("Change {number}"), "state": "open", "user": {"login": "octocat"},
        "labels": labels, "head": {"ref": branch, "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e"}, "base": {"ref": "main"}})
}

#[test]
fn pull_requests_of_github_are_read_to_the_last_page() {
    let server = guarded("Bearer", |request| match request.target.as_str() {
        "/api/v3/repos/shop/web/pulls?per_page=100" => {
            let next = "<https://elsewhere.example.com/repositories/1/pulls?per_page=100&page=2>; rel=\"next\"";
            Answer::json(200, &json!([github_pull(1, "feature/One", &["preview"]), github_pull(2, "two", &[])]))
                .with("Link", next)
        }
        "/api/v3/repos/shop/web/pulls?per_page=100&page=2" => {
            Answer::json(200, &json!([github_pull(1347, "new_topic", &["preview", "big"])]))
        }
        _ => Answer::json(404, &json!({"message": "Not Found"})),
    });
    let generator = json!({"pullRequest": {"github": {
        "owner": "shop", "repo": "web", "api": server.url(), "tokenRef": token_ref(), "labels": ["preview"]}}});

    let outcome = expanded(&generator, "{{.number}}-{{.branch_slug}}-{{.head_short_sha_7}}", &server, &[]);

    assert_names(&outcome, &["1-feature-one-6dcb09b", "1347-new-topic-6dcb09b"]);
}

#[test]
fn merge_requests_of_gitlab_are_read_with_their_labels_and_state() {
    let server = guarded("Bearer", |request| match request.target.as_str() {
        "/api/v4/projects/shop%2Finfra%2Fweb/merge_requests?per_page=100&labels=preview%2Cbig&state=opened" => {
            Answer::json(
                200,
                &json!([{"id": 84, "iid": 14, "title": "js_ensure_confirm", "source_branch": "js-ensure-confirm",
                "target_branch": "master", "sha": "11a30bfb1a9cf4d7a4e0a2c9a3cde9fbc0b2bd5d", "labels": ["preview", "big"],
                "author": {"username": "hfyngvason"}}]),
            )
        }
        _ => Answer::json(404, &json!({"message": "404 Project Not Found"})),
    });
    let generator = |project: &str, continues: bool| {
        json!({"pullRequest": {"continueOnRepoNotFoundError": continues, "gitlab": {
            "project": project, "api": server.url(), "tokenRef": token_ref(), "labels": ["preview", "big"],
            "pullRequestState": "opened"}}})
    };

    let name = "{{.number}}-{{.author}}-{{.target_branch_slug}}";
    assert_names(&expanded(&generator("shop/infra/web", false), name, &server, &[]), &["14-hfyngvason-master"]);
    assert_names(&expanded(&generator("shop/gone", true), name, &server, &[]), &[]);
    let missing = expanded(&generator("shop/gone", false), name, &server, &[]);
    assert_eq!(missing.code, Some(2), "{}", missing.transcript());
    assert!(words(&missing).contains("answers 404 Not Found: 404 Project Not Found"), "{}", missing.transcript());
}

#[test]
fn pull_requests_of_gitea_and_bitbucket_server_are_read() {
    let gitea = guarded("token", |request| match request.target.as_str() {
        "/api/v1/repos/shop/web/pulls?state=open&limit=50" => {
            Answer::json(200, &json!([github_pull(3, "fix", &["preview"])]))
        }
        _ => Answer::json(404, &json!({"message": "Not Found"})),
    });
    let generator = json!({"pullRequest": {"gitea": {
        "owner": "shop", "repo": "web", "api": gitea.url(), "tokenRef": token_ref(), "labels": ["preview"]}}});
    assert_names(&expanded(&generator, "{{.number}}-{{.branch}}", &gitea, &[]), &["3-fix"]);

    let page = |id: u64, is_last: bool| {
        json!({"size": 1, "limit": 100, "isLastPage": is_last, "nextPageStart": if is_last { Value::Null } else { json!(100) },
            "values": [{"id": id, "title": format!("feature/{id}"), "author": {"user": {"name": "charlie"}},
                "fromRef": {"id": "refs/heads/feature/x", "displayId": format!("feature/{id}"), "latestCommit": "cb3cf2e4d1517c83e720d2585b9402dbef71f992"},
                "toRef": {"displayId": "master"}}]})
    };
    let bitbucket = guarded("Bearer", move |request| match request.target.as_str() {
        "/rest/api/1.0/projects/SHOP/repos/web/pull-requests?limit=100&start=0" => Answer::json(200, &page(101, false)),
        "/rest/api/1.0/projects/SHOP/repos/web/pull-requests?limit=100&start=100" => {
            Answer::json(200, &page(102, true))
        }
        _ => Answer::json(404, &json!({"errors": [{"message": "Repository SHOP/web does not exist."}]})),
    });
    let generator = json!({"pullRequest": {"bitbucketServer": {
        "project": "SHOP", "repo": "web", "api": bitbucket.url(), "bearerToken": {"tokenRef": token_ref()}}}});
    let outcome = expanded(&generator, "{{.branch_slug}}-{{.head_short_sha}}", &bitbucket, &[]);
    assert_names(&outcome, &["feature-101-cb3cf2e4", "feature-102-cb3cf2e4"]);
    let unknown = json!({"pullRequest": {"bitbucketServer": {
        "project": "SHOP", "repo": "gone", "api": bitbucket.url(), "bearerToken": {"tokenRef": token_ref()}}}});
    let unknown = expanded(&unknown, "a", &bitbucket, &[]);
    assert!(words(&unknown).contains("404 Not Found: Repository SHOP/web does not exist."), "{}", unknown.transcript());
}

/// A password goes with its user, and is shown in neither form.
#[test]
fn bitbucket_server_takes_a_user_and_a_password() {
    use base64::Engine as _;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("ci:{TOKEN}"));
    let expected = format!("Basic {basic}");
    let echoed = basic.clone();
    let server = HttpServer::start(move |request| {
        if request.header("authorization") == Some(&expected) && request.target.contains("/repos/web/") {
            return Answer::json(200, &json!({"isLastPage": true, "values": []}));
        }
        Answer::json(403, &json!({"errors": [{"message": format!("{echoed} may not read")}]}))
    });
    let generator = |repo: &str| {
        json!({"pullRequest": {"bitbucketServer": {"project": "SHOP", "repo": repo, "api": server.url(),
            "basicAuth": {"username": "ci", "passwordRef": token_ref()}}}})
    };
    assert_names(&expanded(&generator("web"), "a", &server, &[]), &[]);
    let refused = expanded(&generator("other"), "a", &server, &[]);
    assert!(words(&refused).contains("403 Forbidden: *** may not read"), "{}", refused.transcript());
    assert!(!refused.transcript().contains(&basic), "{}", refused.transcript());
}

fn github_repository(name: &str, topics: &[&str], archived: bool) -> Value {
    json!({"id": 1_296_269, "name": name, "owner": {"login": "shop"}, "archived": archived, "topics": topics,
        "default_branch": "main", "ssh_url": format!("git@github.com:shop/{name}.git"),
        "clone_url": format!("https://github.com/shop/{name}.git")})
}

fn github_organization(request: &Request) -> Answer {
    let branch = |name: &str| json!({"name": name, "commit": {"sha": "c5b97d5ae6c19d5c5df71a34c7fbeeda2479ccbc"}});
    match request.target.as_str() {
        "/api/v3/orgs/shop/repos?per_page=100" => Answer::json(
            200,
            &json!([github_repository("web", &["gitops"], false), github_repository("api", &["gitops"], false)]),
        )
        .with("Link", "<https://x.example.com/organizations/1/repos?per_page=100&page=2>; rel=\"next\""),
        "/api/v3/orgs/shop/repos?per_page=100&page=2" => Answer::json(
            200,
            &json!([
                github_repository("old", &["gitops"], true),
                github_repository("docs", &[], false),
                github_repository("empty", &["gitops"], false)
            ]),
        ),
        "/api/v3/repos/shop/web/branches/main"
        | "/api/v3/repos/shop/api/branches/main"
        | "/api/v3/repos/shop/old/branches/main"
        | "/api/v3/repos/shop/docs/branches/main" => Answer::json(200, &branch("main")),
        "/api/v3/repos/shop/web/branches?per_page=100" | "/api/v3/repos/shop/api/branches?per_page=100" => {
            Answer::json(200, &json!([branch("main"), branch("release/1")]))
        }
        "/api/v3/repos/shop/web/contents/deploy/overlays?ref=main" => Answer::json(200, &json!([])),
        _ => Answer::json(404, &json!({"message": "Not Found"})),
    }
}

/// Argo CD "SCM Provider Generator": topics are labels, filters are alternatives, empty repositories are left out.
#[test]
fn repositories_of_github_are_filtered_as_argo_cd_filters() {
    let server = guarded("Bearer", github_organization);
    let generator = |github: Value, filters: Value, protocol: &str| {
        let mut own = json!({"organization": "shop", "api": server.url(), "tokenRef": token_ref()});
        own.as_object_mut().expect("a map").extend(github.as_object().expect("a map").clone());
        json!({"scmProvider": {"github": own, "filters": filters, "cloneProtocol": protocol}})
    };
    let name = "{{.repository}}-{{.branchNormalized}}-{{.short_sha}}";
    let all = expanded(&generator(json!({}), json!([]), "ssh"), name, &server, &[]);
    assert_names(&all, &["web-main-c5b97d5a", "api-main-c5b97d5a", "old-main-c5b97d5a", "docs-main-c5b97d5a"]);
    let labelled = json!([{"labelMatch": "^gitops$"}]);
    let current = generator(json!({"excludeArchivedRepos": true}), labelled.clone(), "ssh");
    assert_names(&expanded(&current, "{{.repository}}", &server, &[]), &["web", "api"]);
    let with_path = json!([{"pathsExist": ["deploy/overlays/"]}]);
    assert_names(&expanded(&generator(json!({}), with_path, "ssh"), "{{.repository}}", &server, &[]), &["web"]);
    let branches = json!([{"repositoryMatch": "^(web|api)$"}, {"branchMatch": "^release/"}]);
    let branches = generator(json!({"allBranches": true}), branches, "https");
    assert_names(
        &expanded(&branches, "{{.repository}}-{{.branchNormalized}}", &server, &[]),
        &["web-release-1", "api-release-1"],
    );
    let protocol = expanded(&generator(json!({}), json!([]), "svn"), "a", &server, &[]);
    assert!(words(&protocol).contains("unknown clone protocol `svn`"), "{}", protocol.transcript());
}

#[test]
fn repositories_of_gitlab_gitea_and_bitbucket_server_are_read() {
    let gitlab = guarded("Bearer", |request| match request.target.as_str() {
        "/api/v4/groups/shop%2Finfra/projects?per_page=100&include_subgroups=true&with_shared=false&topic=gitops" => {
            Answer::json(
                200,
                &json!([{"id": 9, "path": "web", "namespace": {"full_path": "shop/infra/eu"}, "default_branch": "main",
                    "topics": ["gitops", "eu"], "ssh_url_to_repo": "git@gitlab.example.com:shop/infra/eu/web.git",
                    "http_url_to_repo": "https://gitlab.example.com/shop/infra/eu/web.git"}]),
            )
        }
        "/api/v4/projects/9/repository/branches/main" => {
            Answer::json(200, &json!({"name": "main", "commit": {"id": "7b5c3cc8be40ee161ae89a06bba6229da1032a0c"}}))
        }
        "/api/v4/projects/9/repository/tree?path=deploy&ref=main" => Answer::json(200, &json!([{"name": "app.yaml"}])),
        _ => Answer::json(404, &json!({"message": "404 Not Found"})),
    });
    let generator = json!({"scmProvider": {"cloneProtocol": "https", "filters": [{"pathsExist": ["deploy"]}], "gitlab": {
        "group": "shop/infra", "api": gitlab.url(), "tokenRef": token_ref(), "includeSubgroups": true,
        "includeSharedProjects": false, "topic": "gitops"}}});
    let name =
        "{{.organization | replace \"/\" \".\"}}-{{.repository}}-{{.labels | replace \",\" \".\"}}-{{.short_sha_7}}";
    assert_names(&expanded(&generator, name, &gitlab, &[]), &["shop.infra.eu-web-gitops.eu-7b5c3cc"]);

    let gitea = guarded("token", |request| match request.target.as_str() {
        "/api/v1/orgs/shop/repos?limit=50" => Answer::json(
            200,
            &json!([{"id": 21618, "name": "web", "default_branch": "main", "archived": false,
                "ssh_url": "git@gitea.example.com:shop/web.git", "html_url": "https://gitea.example.com/shop/web"}]),
        ),
        "/api/v1/repos/shop/web/labels?limit=50" => Answer::json(200, &json!([{"name": "gitops"}])),
        "/api/v1/repos/shop/web/branches/main" => {
            Answer::json(200, &json!({"name": "main", "commit": {"id": "72687815ccba81ef014a96201cc2e846a68789d8"}}))
        }
        _ => Answer::json(404, &json!({"message": "Not Found"})),
    });
    let generator = json!({"scmProvider": {"filters": [{"labelMatch": "gitops"}], "gitea": {
        "owner": "shop", "api": gitea.url(), "tokenRef": token_ref()}}});
    assert_names(&expanded(&generator, "{{.repository}}-{{.short_sha}}", &gitea, &[]), &["web-72687815"]);

    let bitbucket = guarded("Bearer", |request| match request.target.as_str() {
        "/rest/api/1.0/projects/SHOP/repos?limit=100&start=0" => Answer::json(
            200,
            &json!({"isLastPage": true, "values": [
                {"id": 1, "name": "web", "project": {"key": "SHOP"}, "links": {"clone": [
                    {"name": "http", "href": "https://bitbucket.example.com/scm/shop/web.git"},
                    {"name": "ssh", "href": "ssh://git@bitbucket.example.com/shop/web.git"}]}},
                {"id": 2, "name": "empty", "project": {"key": "SHOP"}, "links": {"clone": []}}]}),
        ),
        "/rest/api/1.0/projects/SHOP/repos/web/branches/default" => Answer::json(
            200,
            &json!({"id": "refs/heads/main", "displayId": "main", "latestCommit": "8d51122def5632836d1cb1026e879069e10a1e13"}),
        ),
        _ => Answer::json(404, &json!({"errors": [{"message": "not found"}]})),
    });
    let generator = json!({"scmProvider": {"bitbucketServer": {
        "project": "SHOP", "api": bitbucket.url(), "bearerToken": {"tokenRef": token_ref()}}}});
    assert_names(&expanded(&generator, "{{.repository}}-{{.short_sha}}", &bitbucket, &[]), &["web-8d51122d"]);
}

/// What a forge does, its answer, and what is said of it.
type Case = (&'static str, fn() -> Answer, &'static str);

fn bad_answers() -> [Case; 10] {
    [
        (
            "401",
            || Answer::json(401, &json!({"message": format!("bad token {TOKEN}")})),
            "answers 401 Unauthorized: bad token ***",
        ),
        (
            "rate limit",
            || {
                Answer::json(403, &json!({"message": "API rate limit exceeded"}))
                    .with("x-ratelimit-remaining", "0")
                    .with("x-ratelimit-reset", "1893456000")
            },
            "answers 403 Forbidden: its rate limit is reached until 2030-01-01T00:00:00Z: API rate limit exceeded",
        ),
        ("500", || Answer::json(500, &json!({"error": "broken"})), "answers 500 Internal Server Error: broken"),
        (
            "a secondary rate limit",
            || {
                Answer::json(403, &json!({"message": "You have exceeded a secondary rate limit"}))
                    .with("Retry-After", "3600")
            },
            "403 Forbidden: its rate limit is reached, and it asks to wait 3600 s: You have exceeded a secondary rate limit",
        ),
        (
            "too many requests",
            || Answer::json(429, &json!({"message": "slow down"})).with("Retry-After", "Wed, 01 Jan 2098 00:00:00 GMT"),
            "answers 429 Too Many Requests: its rate limit is reached, and it asks to wait",
        ),
        (
            "a login page",
            || {
                let page = Answer { status: 200, body: b"<html>login</html>".to_vec(), ..Answer::default() };
                page.with("Content-Type", "text/html; charset=utf-8")
            },
            "is not JSON but `text/html`; a web page in its place often asks for a login",
        ),
        (
            "a text",
            || Answer { status: 200, body: b"ok".to_vec(), ..Answer::default() }.with("Content-Type", "text/plain"),
            "is not JSON but `text/plain`",
        ),
        (
            "half a body",
            || {
                Answer { status: 200, body: b"[{\"number\": 1".to_vec(), ..Answer::default() }
                    .with("Content-Type", "application/json")
            },
            "is not JSON",
        ),
        ("nothing", || Answer::status(200), "is empty"),
        ("another thing", || Answer::json(200, &json!({"a": 1})), "the answer is not a list"),
    ]
}

/// Every refusal is an error of its generator, with the status and the forge's words.
#[test]
fn a_forge_that_answers_badly_is_an_error_with_its_words() {
    for (case, answer, expected) in bad_answers() {
        let server = HttpServer::start(move |_| answer());
        let generator = json!({"pullRequest": {"github": {
            "owner": "shop", "repo": "web", "api": server.url(), "tokenRef": token_ref()}}});
        let outcome = expanded(&generator, "a", &server, &[]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{case}: {}", outcome.transcript());
        assert!(words(&outcome).contains(expected), "{case}: {}", outcome.transcript());
    }
}

/// A busy server is asked again; one that says nothing is not waited for longer than allowed.
#[test]
fn a_busy_forge_is_asked_again_and_a_silent_one_times_out() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let busy = HttpServer::start(move |_| {
        if count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            return Answer::status(429).with("Retry-After", "1");
        }
        Answer::json(200, &json!([github_pull(1, "one", &[])]))
    });
    // GitHub's secondary rate limit; a date that is over asks for no wait.
    let count = std::sync::atomic::AtomicUsize::new(0);
    let limited = HttpServer::start(move |_| match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => Answer::status(403).with("Retry-After", "1"),
        1 => Answer::status(503).with("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT"),
        _ => Answer::json(200, &json!([github_pull(1, "two", &[])])).with("Content-Type", "text/plain"),
    });
    let generator = |server: &HttpServer| {
        json!({"pullRequest": {"github": {
            "owner": "shop", "repo": "web", "api": server.url(), "tokenRef": token_ref()}}})
    };
    assert_names(&expanded(&generator(&limited), "{{.branch}}", &limited, &[]), &["two"]);
    assert_names(&expanded(&generator(&busy), "{{.branch}}", &busy, &[]), &["one"]);
    let silent = HttpServer::start(|_| {
        std::thread::sleep(std::time::Duration::from_secs(5));
        Answer::status(200)
    });
    let outcome = expanded(&generator(&silent), "a", &silent, &["--fetch-timeout", "1"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.transcript());
    assert!(words(&outcome).contains("did not answer within 1s"), "{}", outcome.transcript());
}

/// Who writes a manifest writes the host that would get the token.
#[test]
fn tokens_go_only_where_they_are_meant_to_go() {
    let server = guarded("Bearer", |_| Answer::json(200, &json!([github_pull(1, "one", &[])])));
    let generator = json!({"pullRequest": {"github": {
        "owner": "shop", "repo": "web", "api": server.url(), "tokenRef": token_ref()}}});
    let untrusted = expanded(&generator, "a", &server, &["--untrusted"]);
    assert!(words(&untrusted).contains("with `--untrusted`"), "{}", untrusted.transcript());
    assert!(server.requests().is_empty());
    let missing = json!({"pullRequest": {"github": {
        "owner": "shop", "repo": "web", "api": server.url(), "tokenRef": {"secretName": "gone", "key": "token"}}}});
    let missing = expanded(&missing, "a", &server, &[]);
    assert!(words(&missing).contains("Secret `gone` not found"), "{}", missing.transcript());

    // The environment's token is sent to the hosts that the environment names.
    let set = application_set(&json!([generator]), "{{.branch}}", ".").to_string();
    let folder = folder_with([("set.yaml", &set.as_str())]);
    let run = || trueup(["expand", "set.yaml", "-o", "name"]).in_folder(folder.path()).env("TRUEUP_GIT_TOKEN", TOKEN);
    let named = run().env("TRUEUP_GIT_HOST", "127.0.0.1").outcome();
    assert_names(&named, &["one"]);
    let other = run().env("TRUEUP_GIT_HOST", "git.example.com").outcome();
    assert!(words(&other).contains("Secret `forge` not found"), "{}", other.transcript());
}

/// Documentation, "Plugin Generator".
#[test]
fn a_plugin_is_called_with_its_token_and_its_input() {
    let server = guarded("Bearer", |request| {
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        match (request.method.as_str(), request.target.as_str(), body["input"]["parameters"]["branch"].as_str()) {
            ("POST", "/api/v1/getparams.execute", Some("broken")) => {
                Answer::json(500, &json!({"message": format!("no image; {TOKEN}")}))
            }
            ("POST", "/api/v1/getparams.execute", Some("slow")) => {
                std::thread::sleep(std::time::Duration::from_secs(4));
                Answer::status(200)
            }
            ("POST", "/api/v1/getparams.execute", Some(branch)) => Answer::json(
                200,
                &json!({"output": {"parameters": [{"digestFront": format!("{}-{branch}", body["applicationSetName"].as_str().unwrap_or_default())}]}}),
            ),
            _ => Answer::status(404),
        }
    });
    let generator = |branch: &str| {
        json!({"matrix": {"generators": [
            {"list": {"elements": [{"branch": branch}]}},
            {"plugin": {"configMapRef": {"name": "plugin"}, "input": {"parameters": {"branch": "{{.branch}}"}},
                "values": {"link": "tree-{{.branch}}"}}}]}})
    };
    let name = "{{.digestFront}}-{{.values.link}}-{{.generator.input.parameters.branch}}";
    assert_names(&expanded(&generator("one"), name, &server, &[]), &["shop-one-tree-one-one"]);
    let broken = expanded(&generator("broken"), name, &server, &[]);
    assert!(words(&broken).contains("no image; ***"), "{}", broken.transcript());
    let slow = expanded(&generator("slow"), name, &server, &[]);
    assert!(words(&slow).contains("did not answer within 1s"), "{}", slow.transcript());
}
