//! Azure DevOps as a forge. Shapes: Microsoft's "Azure DevOps Services REST API": Git, pull requests, repositories, statistics,
//! items; Argo CD `azure_devops_test.go`.

use serde_json::{Value, json};

use super::forges::{TOKEN, assert_names, expanded, token_ref, words};
use crate::harness::{Answer, HttpServer, Request};

/// The header of a personal access token: the password of no user.
fn basic() -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!(":{TOKEN}")))
}

/// A fault as the server writes it.
fn fault(status: u16, type_key: &str, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({"$id": "1", "innerException": null, "message": message,
            "typeName": format!("Microsoft.TeamFoundation.Git.Server.{type_key}, Microsoft.TeamFoundation.Git.Server"),
            "typeKey": type_key, "errorCode": 0, "eventId": 3000}),
    )
}

/// A list as the server writes it.
fn list(items: &[Value]) -> Answer {
    Answer::json(200, &json!({"count": items.len(), "value": items}))
        .with("Content-Type", "application/json; charset=utf-8")
}

fn guarded(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> HttpServer {
    let expected = basic();
    HttpServer::start(move |request| {
        assert_eq!(request.header("x-tfs-fedauthredirect"), Some("Suppress"));
        assert_eq!(request.header("accept"), Some("application/json"));
        if request.header("authorization") != Some(&expected) {
            return fault(
                401,
                "UnauthorizedRequestException",
                "TF400813: The user is not authorized to access this resource.",
            );
        }
        answer(request)
    })
}

fn pull(number: u64, repository: &str, branch: &str, labels: &[&str]) -> Value {
    let labels: Vec<Value> =
        labels.iter().map(|name| json!({"id": "8e0cbf0c", "name": name, "active": true})).collect();
    json!({"pullRequestId": number, "status": "active", "title": format!("Change {number}"),
        "repository": {"id": "2f3d611a-f012-4b39-b157-8db63f380226", "name": repository},
        "createdBy": {"displayName": "Chuck Reinhart", "uniqueName": "chuck.reinhart@contoso.example.com"},
        "sourceRefName": format!("refs/heads/{branch}"), "targetRefName": "refs/heads/main", "labels": labels,
        "lastMergeSourceCommit": {"commitId": "b60280bc6e62e2f880f1b63c1e24987664d3bda3"}})
}

fn pulls(api: &str, project: &str, more: &Value) -> Value {
    let mut generator = json!({"pullRequest": {"azuredevops": {"organization": "contoso", "project": project, "repo": "web",
        "api": api, "tokenRef": token_ref(), "labels": ["preview"]}}});
    generator["pullRequest"].as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
    generator
}

/// Pull requests are those of the project, page by page; those of other repositories and without a merge commit are left out.
#[test]
fn pull_requests_of_azure_devops_are_read_to_the_last_page() {
    let server = guarded(|request| match request.target.as_str() {
        "/contoso/Shop%20Front/_apis/git/pullrequests?api-version=5.0&$top=100&$skip=0" => {
            let mut page: Vec<Value> = (1..=99).map(|number| pull(number, "api", "a", &["preview"])).collect();
            page.push(pull(100, "web", "feature/One", &["preview", "big"]));
            list(&page)
        }
        "/contoso/Shop%20Front/_apis/git/pullrequests?api-version=5.0&$top=100&$skip=100" => {
            let mut computing = pull(102, "web", "three", &["preview"]);
            computing.as_object_mut().expect("a map").remove("lastMergeSourceCommit");
            list(&[pull(101, "web", "two", &["preview"]), computing, pull(103, "web", "four", &["other"])])
        }
        _ => fault(404, "VssServiceException", "not found"),
    });
    let name = "{{.number}}-{{.branch_slug}}-{{.target_branch}}-{{.author}}-{{.head_short_sha_7}}-{{len .labels}}";

    let outcome = expanded(&pulls(&server.url(), "Shop Front", &json!({})), name, &server, &[]);

    let expected = ["100-feature-one-main-chuck.reinhart-b60280b-2", "101-two-main-chuck.reinhart-b60280b-1"];
    assert_names(&outcome, &expected);
}

/// `continueOnRepoNotFoundError` is about the project, as with Argo CD; an organization that does not exist is an error.
#[test]
fn a_project_that_does_not_exist_may_be_no_error() {
    let server = guarded(|request| {
        if request.target.starts_with("/contoso/gone/") {
            let words =
                "TF200016: The following project does not exist: gone. Verify that the name of the project is correct.";
            return fault(404, "ProjectDoesNotExistWithNameException", words);
        }
        Answer { status: 404, body: b"<html>The resource cannot be found.</html>".to_vec(), ..Answer::default() }
    });
    let continues = json!({"continueOnRepoNotFoundError": true});
    assert_names(&expanded(&pulls(&server.url(), "gone", &continues), "a", &server, &[]), &[]);
    let missing = expanded(&pulls(&server.url(), "gone", &json!({})), "a", &server, &[]);
    assert_eq!(missing.code, Some(2), "{}", missing.transcript());
    assert!(words(&missing).contains("404 Not Found: TF200016: The following project does not exist: gone."));
    let other = expanded(&pulls(&server.url(), "other", &continues), "a", &server, &[]);
    assert_eq!(other.code, Some(2), "{}", other.transcript());
    assert!(
        words(&other).contains("404 Not Found: <html>The resource cannot be found.</html>"),
        "{}",
        other.transcript()
    );
}

fn repository(name: &str, id: &str, branch: Option<&str>) -> Value {
    let mut repository = json!({"id": id, "name": name, "project": {"name": "shop"}, "size": 1,
        "remoteUrl": format!("https://contoso@dev.azure.com/contoso/shop/_git/{name}"),
        "sshUrl": format!("git@ssh.dev.azure.com:v3/contoso/shop/{name}")});
    if let Some(branch) = branch {
        repository["defaultBranch"] = json!(format!("refs/heads/{branch}"));
    }
    repository
}

const WEB: &str = "5febef5a-833d-4e14-b9c0-14cb638f91e6";
const API: &str = "278d5cd2-584d-4b63-824a-2ba458937249";

fn project(request: &Request) -> Answer {
    let branch = |name: &str| {
        json!({"name": name, "aheadCount": 0, "behindCount": 0, "isBaseVersion": true,
            "commit": {"commitId": "67cae2b029dff7eb3dc062b49403aaedca5bad8d"}})
    };
    let items = |id: &str, path: &str, branch: &str| {
        format!(
            "/contoso/shop/_apis/git/repositories/{id}/items?api-version=5.0&path={path}&versionDescriptor.version={branch}"
        )
    };
    match request.target.as_str() {
        "/contoso/shop/_apis/git/repositories?api-version=5.0" => list(&[
            repository("web", WEB, Some("main")),
            repository("api", API, Some("trunk")),
            repository("empty", "6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c", None),
            repository("disabled", "e1d0a2c8-ab1e-4aab-a51f-9ed1c43b6b4d", Some("main")),
        ]),
        "/contoso/shop/_apis/git/repositories/web/stats/branches?api-version=5.0&name=main" => {
            Answer::json(200, &branch("main"))
        }
        "/contoso/shop/_apis/git/repositories/api/stats/branches?api-version=5.0&name=trunk" => {
            Answer::json(200, &branch("trunk"))
        }
        "/contoso/shop/_apis/git/repositories/web/stats/branches?api-version=5.0" => {
            list(&[branch("main"), branch("release/1")])
        }
        "/contoso/shop/_apis/git/repositories/api/stats/branches?api-version=5.0" => list(&[branch("trunk")]),
        target if target.contains("/repositories/disabled/") => fault(
            404,
            "GitRepositoryNotFoundException",
            "TF401019: The Git repository with name or identifier disabled does not exist or you do not have permissions.",
        ),
        target if target == items(WEB, "deploy%2Foverlays", "main") => Answer::json(
            200,
            &json!({"objectId": "61a8", "gitObjectType": "tree", "path": "/deploy/overlays", "isFolder": true}),
        ),
        target if target.starts_with(&items(API, "broken", "")) => {
            fault(404, "GitUnresolvableToCommitException", "no such branch")
        }
        _ => fault(404, "GitItemNotFoundException", "TF401174: The item could not be found in the repository."),
    }
}

#[test]
fn repositories_of_azure_devops_are_filtered_as_argo_cd_filters() {
    let server = guarded(project);
    let generator = |more: Value, filters: Value| {
        let mut own = json!({"organization": "contoso", "teamProject": "shop", "api": server.url(), "accessTokenRef": token_ref()});
        own.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
        json!({"scmProvider": {"azureDevOps": own, "filters": filters}})
    };
    let name = "{{.organization}}-{{.repository}}-{{.branchNormalized}}-{{.short_sha}}-{{.repository_id}}";
    assert_names(
        &expanded(&generator(json!({}), json!([])), name, &server, &[]),
        &[&format!("contoso-web-main-67cae2b0-{WEB}"), &format!("contoso-api-trunk-67cae2b0-{API}")],
    );
    let url = "{{.repository}}-{{.url | trimPrefix \"https://contoso@\" | replace \"/\" \"-\" | replace \"_\" \"\"}}";
    let web = json!([{"repositoryMatch": "^web$"}]);
    assert_names(&expanded(&generator(json!({}), web), url, &server, &[]), &["web-dev.azure.com-contoso-shop-git-web"]);
    let all = generator(json!({"allBranches": true}), json!([]));
    assert_names(
        &expanded(&all, "{{.repository}}-{{.branchNormalized}}", &server, &[]),
        &["web-main", "web-release-1", "api-trunk"],
    );
    let with_path = generator(json!({}), json!([{"pathsExist": ["deploy/overlays/"]}]));
    assert_names(&expanded(&with_path, "{{.repository}}", &server, &[]), &["web"]);
    let broken = expanded(&generator(json!({}), json!([{"pathsExist": ["broken"]}])), "{{.repository}}", &server, &[]);
    assert_eq!(broken.code, Some(2), "{}", broken.transcript());
    assert!(words(&broken).contains("no such branch"), "{}", broken.transcript());
    let text = expanded(&generator(json!({}), json!([])), "{{.repository_id | upper}}", &server, &[]);
    assert!(words(&text).contains("wrong type for value; expected string; got uuid.UUID"), "{}", text.transcript());
}

/// What the server does, its answer, and what is said of it.
type Case = (&'static str, Box<dyn Fn() -> Answer + Send + Sync>, &'static str);

/// Each is an error of its generator, with what the server says; none shows the token, in either form.
#[test]
fn azure_devops_that_answers_badly_is_an_error_with_its_words() {
    let page =
        || Answer { status: 203, body: b"<html>Azure DevOps Services | Sign In</html>".to_vec(), ..Answer::default() };
    let cases: [Case; 6] = [
        (
            "401",
            Box::new(|| {
                fault(401, "UnauthorizedRequestException", &format!("TF400813: {} is not authorized", basic()))
            }),
            "answers 401 Unauthorized: TF400813: Basic *** is not authorized",
        ),
        (
            "sign-in page",
            Box::new(move || page().with("Content-Type", "text/html; charset=utf-8")),
            "is not JSON but `text/html`, with status 203 Non Authoritative Information; a web page in its place often asks for a login",
        ),
        (
            "500",
            Box::new(|| fault(500, "VssServiceException", "TF246017: no database")),
            "500 Internal Server Error: TF246017",
        ),
        (
            "rate limit",
            Box::new(|| {
                fault(
                    429,
                    "RequestBlockedException",
                    "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource",
                )
                .with("Retry-After", "3600")
                .with("X-RateLimit-Reset", "1893456000")
            }),
            "answers 429 Too Many Requests: its rate limit is reached until 2030-",
        ),
        ("no list", Box::new(|| Answer::json(200, &json!({"count": 1}))), "the answer has no list `value`"),
        (
            "bad body",
            Box::new(|| Answer { status: 200, body: b"{\"value\": [".to_vec(), ..Answer::default() }),
            "is not JSON",
        ),
    ];
    for (case, answer, expected) in cases {
        let server = HttpServer::start(move |_| answer());
        let outcome = expanded(&pulls(&server.url(), "shop", &json!({})), "a", &server, &[]);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{case}: {}", outcome.transcript());
        assert!(words(&outcome).contains(expected), "{case}: {}", outcome.transcript());
    }
    let silent = HttpServer::start(|_| {
        std::thread::sleep(std::time::Duration::from_secs(5));
        Answer::status(200)
    });
    let outcome = expanded(&pulls(&silent.url(), "shop", &json!({})), "a", &silent, &["--fetch-timeout", "1"]);
    assert!(words(&outcome).contains("did not answer within 1s"), "{}", outcome.transcript());
}

#[test]
fn azure_devops_needs_its_organization_project_and_token() {
    let server = guarded(project);
    for (own, expected) in [
        (json!({"teamProject": "shop", "accessTokenRef": token_ref()}), "`organization` is missing"),
        (json!({"organization": "contoso", "accessTokenRef": token_ref()}), "`teamProject` is missing"),
        (json!({"organization": "contoso", "teamProject": "shop"}), "no access token provided"),
    ] {
        let outcome = expanded(&json!({"scmProvider": {"azureDevOps": own}}), "a", &server, &[]);
        assert!(words(&outcome).contains(expected), "{}", outcome.transcript());
    }
    assert!(server.requests().is_empty());
}
