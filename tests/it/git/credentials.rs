//! Who is let in, and who must not see with what.

use trueup::secret::Secret;
use trueup::source::{Credentials, FetchedBy, SourceError};

use super::server::{HttpServer, Manners};
use super::{BASIC, assert_nothing_says, help, root_of, run_with, shop, told, web, with_submodule};
use crate::harness::TestRepo;

/// A private repository, and every way to be let in; nothing of it stays behind.
#[tokio::test]
async fn credentials_open_a_repository_and_stay_secret() {
    let git = shop();
    let manners = Manners { authorization: Some(BASIC.into()), ..Manners::default() };
    let http = HttpServer::start(&root_of(&git), manners);
    let url = http.url("repo");
    let secret = |word: &str| Some(Secret::new(word.to_owned()));
    let password = Credentials { username: Some("ci".into()), password: secret("s3cret"), ..Credentials::default() };
    let token = Credentials { username: Some("ci".into()), token: secret("s3cret"), ..Credentials::default() };
    for credentials in [password, token] {
        let run = run_with(|settings| settings.credentials = credentials);
        let checkout = run.good(&url, "main").await;
        assert_eq!((checkout.by, web(&checkout).as_str()), (FetchedBy::Gix, "replicas: 2\n"));
        assert_nothing_says(run.cache.path(), "s3cret");
    }
    let with_user = url.replace("http://", "http://ci:s3cret@");
    let run = run_with(|_| ());
    run.good(&with_user, "main").await;
    assert_nothing_says(run.cache.path(), "s3cret");

    for (url, credentials) in [
        (url.clone(), Credentials::default()),
        (url.clone(), Credentials { token: secret("wrong-t0ken"), ..Credentials::default() }),
        (url.replace("http://", "http://ci:wrong-t0ken@"), Credentials::default()),
    ] {
        let run = run_with(|settings| settings.credentials = credentials);
        let error = run.bad(&url, "main").await;
        assert!(matches!(*error, SourceError::AccessRefused { .. }), "{}", told(&error));
        assert!(help(&error).contains("TRUEUP_GIT_TOKEN"), "{}", help(&error));
        let everything = format!("{} {error:?} {:?}", told(&error), run.sources);
        assert!(!everything.contains("wrong-t0ken"), "{everything}");
    }
}

/// A redirect to another host gets no credentials, whoever speaks; on the same host they go along.
#[tokio::test]
async fn credentials_do_not_follow_to_another_host() {
    let git = shop();
    let root = root_of(&git);
    let credentials = || Credentials {
        username: Some("ci".into()),
        password: Some(Secret::new("s3cret".into())),
        ..Credentials::default()
    };
    let thief = HttpServer::start(&root, Manners { authorization: Some("never".into()), ..Manners::default() });
    let elsewhere = thief.url_by_name("").trim_end_matches('/').to_owned();
    let honest = HttpServer::start(&root, Manners { redirect: Some(elsewhere), ..Manners::default() });
    for url in [honest.url("repo"), honest.url("repo").replace("http://", "http://ci:s3cret@")] {
        let run = run_with(|settings| settings.credentials = credentials());
        let error = run.bad(&url, "main").await;
        assert!(matches!(*error, SourceError::AccessRefused { .. }), "{}", told(&error));
    }
    let asked = thief.requests();
    assert!(!asked.is_empty(), "the redirect was followed");
    for request in asked {
        assert_eq!(request.header("authorization"), None, "{request:?}");
    }

    // An open repository may move.
    let open = HttpServer::start(&root, Manners::default());
    let elsewhere = open.url_by_name("").trim_end_matches('/').to_owned();
    let moved = HttpServer::start(&root, Manners { redirect: Some(elsewhere), ..Manners::default() });
    let run = run_with(|_| ());
    let checkout = run.good(&moved.url("repo"), "main").await;
    assert_eq!(web(&checkout), "replicas: 2\n");
}

/// A repository that names a stranger's server as its submodule does not get our token sent there.
#[tokio::test]
async fn a_submodule_of_another_server_gets_no_credentials() {
    let inner = TestRepo::new().file("inner.yaml", "x\n").commit("inner");
    let thief =
        HttpServer::start(&root_of(&inner), Manners { authorization: Some("never".into()), ..Manners::default() });
    let git = TestRepo::new().file("web.yaml", "x\n");
    let git = with_submodule(git, "sub", &thief.url("repo"), &inner.head()).commit("trick");
    let http = HttpServer::start(&root_of(&git), Manners { authorization: Some(BASIC.into()), ..Manners::default() });
    let run = run_with(|settings| {
        settings.credentials.username = Some("ci".into());
        settings.credentials.password = Some(Secret::new("s3cret".into()));
    });
    let error = run.bad(&http.url("repo"), "main").await;
    assert!(matches!(*error, SourceError::Submodule { .. }), "{}", told(&error));
    let asked = thief.requests();
    assert!(!asked.is_empty() && asked.iter().all(|request| request.header("authorization").is_none()), "{asked:#?}");
}
