//! What is gone, silent, slow or not understood: told apart, and named.

use std::time::{Duration, Instant};

use trueup::process::Cancel;
use trueup::secret::{RepoUrl, Secret};
use trueup::source::{Credentials, FetchedBy, SourceError, Wanted};

use super::server::{Daemon, HttpServer, Manners};
use super::{BASIC, assert_nothing_says, fake_ssh, help, root_of, run_with, shop, told, web};

/// What is not there, by name: the repository, the revision, the path.
#[tokio::test]
async fn what_is_gone_is_named() {
    let git = shop();
    let root = root_of(&git);
    let (http, daemon) = (HttpServer::start(&root, Manners::default()), Daemon::start(&root));
    let run = run_with(|settings| settings.ssh_command = Some(fake_ssh(&root)));
    for url in [
        http.url("nothing"),
        daemon.url("nothing"),
        "ssh://git@example.invalid/nothing/here".to_owned(),
        "/nothing/here".to_owned(),
    ] {
        let error = run.bad(&url, "main").await;
        assert!(matches!(*error, SourceError::RepositoryGone { .. }), "{url}: {}", told(&error));
    }
    for url in [http.url("repo"), git.url()] {
        let error = run.bad(&url, "v1.1.1").await;
        assert_eq!(error.to_string(), format!("no branch, tag or commit `v1.1.1` in {url}"));
        assert_eq!(help(&error), "the nearest are v1.1.0 and v1.0.0; `--revision` tries another");
        let error = run.bad(&url, "2.x").await;
        assert_eq!(error.to_string(), format!("no tag satisfies `2.x` in {url}"));
        for hash in ["0123456789012345678901234567890123456789", "0123456"] {
            let error = run.bad(&url, hash).await;
            assert!(matches!(*error, SourceError::RevisionGone { .. }), "{hash} of {url}: {}", told(&error));
        }
        // The others do not suffer for it.
        let brought = run.all(&url, &["9123456789012345678901234567890123456789", "next", "nowhere"]).await;
        assert_eq!(brought.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true, false], "{url}");
        let error = run.good(&url, "main").await.folder("overlays/prd").unwrap_err();
        assert_eq!(error.to_string(), format!("no folder or file `overlays/prd` at {}", &git.head()[..7]));
    }
}

/// The network and the server, at their worst.
#[tokio::test]
async fn a_server_that_does_not_answer_is_distinguished() {
    let git = shop();
    let root = root_of(&git);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let run = run_with(|_| ());
    for url in [format!("http://127.0.0.1:{closed}/repo"), format!("git://127.0.0.1:{closed}/repo")] {
        let error = run.bad(&url, "main").await;
        assert!(matches!(*error, SourceError::Unreachable { .. }), "{url}: {}", told(&error));
    }
    for (status, refused) in [(403, true), (503, false)] {
        let http = HttpServer::start(&root, Manners { status: Some(status), ..Manners::default() });
        let error = run.bad(&http.url("repo"), "main").await;
        match *error {
            SourceError::AccessRefused { .. } => assert!(refused, "{}", told(&error)),
            SourceError::Unreachable { .. } => assert!(!refused, "{}", told(&error)),
            _ => panic!("{status}: {}", told(&error)),
        }
    }
    for (says, refused) in [
        ("git@example.invalid: Permission denied (publickey).", true),
        ("Host key verification failed.", true),
        ("ssh: connect to host example.invalid port 22: Connection refused", false),
    ] {
        let run = run_with(|settings| settings.ssh_command = Some(format!("sh -c 'echo \"{says}\" >&2; exit 255'")));
        let error = run.bad("ssh://git@example.invalid/repo", "main").await;
        assert_eq!(matches!(*error, SourceError::AccessRefused { .. }), refused, "{says}: {}", told(&error));
        assert_eq!(matches!(*error, SourceError::Unreachable { .. }), !refused, "{says}: {}", told(&error));
        assert!(told(&error).contains(says), "{}", told(&error));
    }
}

/// A silent server costs the time limit and no more, and a stopped run does not wait for it.
#[tokio::test]
async fn a_slow_server_costs_no_more_than_the_time_limit() {
    let git = shop();
    let slow = Manners { delay: Duration::from_secs(30), ..Manners::default() };
    let http = HttpServer::start(&root_of(&git), slow);
    let run = run_with(|settings| {
        settings.timeout = Duration::from_millis(700);
        settings.ssh_command = Some("sh -c 'sleep 30'".to_owned());
    });
    let start = Instant::now();
    for url in [http.url("repo"), "ssh://git@example.invalid/repo".to_owned()] {
        let error = run.bad(&url, "main").await;
        assert!(matches!(*error, SourceError::TimedOut { .. }), "{}", told(&error));
    }
    let run = run_with(|_| ());
    let cancel = Cancel::new();
    let turn = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        turn.cancel();
    });
    let brought = run.sources.fetch(&RepoUrl::new(http.url("repo")), &[Wanted::default()], &cancel).await;
    assert!(matches!(**brought[0].as_ref().unwrap_err(), SourceError::Cancelled { .. }));
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}

/// Where gix does not understand a server the git program takes over, says so, and has the credentials.
#[tokio::test]
async fn the_git_program_takes_over_where_gix_cannot() {
    let git = shop();
    let manners = Manners { garbage_for_gix: true, authorization: Some(BASIC.into()), ..Manners::default() };
    let http = HttpServer::start(&root_of(&git), manners);
    let password = Some(Secret::new("s3cret".to_owned()));
    let credentials = Credentials { username: Some("ci".into()), password, ..Credentials::default() };
    let run = run_with(|settings| settings.credentials = credentials.clone());
    let brought = run.all(&http.url("repo"), &["main", "v1.0.0", "1.x"]).await;
    for brought in &brought {
        let checkout = brought.as_ref().unwrap_or_else(|error| panic!("{}", told(error)));
        assert_eq!(checkout.by, FetchedBy::GitProgram);
    }
    assert_eq!(web(brought[0].as_ref().unwrap()), "replicas: 2\n");
    assert_nothing_says(run.cache.path(), "s3cret");

    let alone = run_with(|settings| {
        settings.credentials = credentials;
        settings.git_program = Some("/nothing/here/git".into());
    });
    let error = alone.bad(&http.url("repo"), "main").await;
    assert!(matches!(*error, SourceError::FetchFailed { .. }), "{}", told(&error));
}
