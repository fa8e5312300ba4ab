//! Servers that refuse, fail, hang, or send what nobody should unpack: each is told, and nobody else suffers.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use insta::assert_snapshot;

use super::{application, chart_of, render};
use crate::harness::{
    Answer, HttpServer, Outcome, TestChart, TestRegistry, TestRepo, config_map, or_skip, program, sha256,
};

/// What a run says on standard error, the same on every machine.
fn told(outcome: &Outcome) -> String {
    let all = outcome.to_string();
    all.split_once("--- stderr\n").map_or("", |(_, told)| told).to_owned()
}

/// A repository whose archive is whatever a test makes of it, under its right digest or not.
fn publishing(archive: Vec<u8>, digest: Option<&str>) -> HttpServer {
    let own = sha256(&archive);
    let digest = digest.map_or(own, str::to_owned);
    let index =
        format!("apiVersion: v1\nentries:\n  web:\n  - {{version: 1.0.0, urls: [web.tgz], digest: {digest}}}\n");
    HttpServer::start(move |request| {
        let body = if request.target == "/index.yaml" { index.clone().into_bytes() } else { archive.clone() };
        Answer { status: 200, body, ..Answer::default() }
    })
}

/// A repository whose chart is made of these files, as they are.
pub(super) fn publishing_files(files: &[(&str, String)]) -> HttpServer {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
    publishing(archive(&files), None)
}

/// An archive with entries whose names nobody checks.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(gzip);
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// The chart or its version is not there: the nearest ones are named.
#[test]
fn what_is_not_there_names_what_is_near() {
    let charts =
        or_skip!(TestChart::folder()).with("nginx", "1.2.0").with("nginx", "1.3.1").with("redis", "7.0.0").indexed();
    let folder = charts.path().to_owned();
    let server = HttpServer::start(move |request| Answer::file(&folder, request));
    let run = |chart, version| told(&render(&application(&server.url(), chart, version)).exits(2));
    assert_snapshot!(run("ngnix", "1.2.0"), @r"
    fetched 1 repository
      × web: no chart `ngnix` in http://127.0.0.1:[PORT]
      help: the nearest is nginx
    [exit 2]
    ");
    assert_snapshot!(run("nginx", "1.3.0"), @r"
    fetched 1 repository
      × web: chart `nginx` in http://127.0.0.1:[PORT] has no version `1.3.0`
      help: the nearest are 1.3.1 and 1.2.0
    [exit 2]
    ");
    assert_snapshot!(run("nginx", ">=2"), @r"
    fetched 1 repository
      × web: chart `nginx` in http://127.0.0.1:[PORT] has no version `>=2`
      help: the nearest are 1.3.1 and 1.2.0
    [exit 2]
    ");
}

/// The same in a registry.
#[test]
fn a_registry_without_the_version_names_what_it_has() {
    let registry = or_skip!(TestRegistry::open());
    let charts = or_skip!(TestChart::folder()).with("web", "1.2.0");
    registry.push(&charts.archive("web", "1.2.0"), "nearest");
    let run =
        |chart, version| told(&render(&application(&format!("{}/nearest", registry.host()), chart, version)).exits(2));
    assert_snapshot!(run("web", "1.3.0"), @r"
    fetched 1 repository
      × web: oci://localhost:[PORT]/nearest/web has no version `1.3.0`
      help: the nearest is 1.2.0
    [exit 2]
    ");
    assert_snapshot!(run("wbe", "1.2.0"), @r"
    fetched 1 repository
      × web: no repository at oci://localhost:[PORT]/nearest/wbe
      ╰─▶ it answers 404 Not Found
      help: check the source's `repoURL`; a server can also hide a private repository from users without access
    [exit 2]
    ");
}

/// A registry, or a proxy before it, in a bad mood.
#[test]
fn each_answer_of_a_server_is_reported() {
    let _helm = or_skip!(program("helm"));
    for (status, expected) in [
        (401, "refuses access"),
        (403, "refuses access"),
        (404, "no repository at"),
        (500, "answers 500 Internal Server Error"),
        (429, "answers 429 Too Many Requests; it asks to retry after 120s"),
        (418, "answers 418"),
    ] {
        let server = HttpServer::start(move |_| Answer::status(status).with("Retry-After", "120"));
        for url in [server.url(), server.host()] {
            let outcome = render(&application(&url, "web", "1.0.0")).exits(2);
            // A registry says 404 for a version, too.
            let is_tag = status == 404 && !url.starts_with("http");
            assert!(is_tag || outcome.stderr.contains(expected), "{}", outcome.transcript());
        }
    }
}

/// A server that is busy for a moment is asked again, when it says so.
#[test]
fn a_busy_server_is_given_its_time() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0").indexed();
    let (folder, asked) = (charts.path().to_owned(), Arc::new(AtomicUsize::new(0)));
    let server = HttpServer::start(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::status(429).with("Retry-After", "1"),
        1 => Answer::status(503),
        _ => Answer::file(&folder, request),
    });
    assert_eq!(chart_of(&render(&application(&server.url(), "web", "1.0.0")).exits(0)), "web 1.0.0");
}

/// A server that is silent costs its application the time that it has, and no other one anything.
#[test]
fn a_server_that_hangs_is_left_and_others_are_rendered() {
    let _helm = or_skip!(program("helm"));
    let server = HttpServer::start(|_| {
        std::thread::sleep(Duration::from_secs(30));
        Answer::status(200)
    });
    let git = TestRepo::new().file("a.yaml", config_map("settings")).commit("a");
    let plain = git.application("plain");
    let web = application(&server.url(), "web", "1.0.0");
    let run = render(&web).argument(plain.manifest());
    let outcome = run.arguments(["--fetch-timeout", "2"]).exits(2);
    assert!(outcome.stderr.contains("was not fetched within 2s"), "{}", outcome.transcript());
    assert_eq!(outcome.json()["items"][0]["metadata"]["name"], "settings");
}

/// Nobody there at all.
#[test]
fn a_server_that_is_not_there_is_reported() {
    let _helm = or_skip!(program("helm"));
    let url = { HttpServer::start(|_| Answer::status(200)).url() };
    let outcome = render(&application(&url, "web", "1.0.0")).exits(2);
    assert!(outcome.stderr.contains("cannot be reached"), "{}", outcome.transcript());
}

/// A page that greets people, an index that is none.
#[test]
fn an_invalid_index_is_reported() {
    let _helm = or_skip!(program("helm"));
    let server =
        HttpServer::start(|_| Answer { status: 200, body: b"<html>hello</html>".to_vec(), ..Answer::default() });
    let outcome = render(&application(&server.url(), "web", "1.0.0")).exits(2);
    assert!(outcome.stderr.contains("cannot be read"), "{}", outcome.transcript());
}

/// Archives that would write elsewhere, or grow without end; nothing of them is left anywhere.
#[test]
fn archives_that_harm_are_refused() {
    let _helm = or_skip!(program("helm"));
    let zeros = vec![0; 40 << 20];
    for (entries, expected) in [
        (vec![("web/Chart.yaml", b"name: web\n".as_slice()), ("web/../../../evil", b"x")], "leads out of it"),
        (vec![("/tmp/trueup-evil", b"x".as_slice())], "leads out of it"),
        (vec![("web/Chart.yaml", b"name: web\n".as_slice()), ("web/zeros", &zeros)], "it becomes larger than"),
        (vec![("README.md", b"no chart".as_slice())], "it has no folder with a `Chart.yaml`"),
    ] {
        let server = publishing(archive(&entries), None);
        let home = tempfile::tempdir().unwrap();
        let outcome = render(&application(&server.url(), "web", "1.0.0")).home(home.path()).exits(2);
        assert!(outcome.stderr.contains(expected), "{}", outcome.transcript());
        let left = home.path().join("cache/trueup/tmp");
        assert_eq!(fs::read_dir(left).unwrap().count(), 0, "{expected}");
    }
    assert!(!std::path::Path::new("/tmp/trueup-evil").exists());
}

/// Changed after it was published, or on its way here.
#[test]
fn an_archive_that_is_not_what_was_promised_is_refused() {
    let _helm = or_skip!(program("helm"));
    let server = publishing(archive(&[("web/Chart.yaml", b"name: web\n")]), Some(&"0a".repeat(32)));
    let outcome = render(&application(&server.url(), "web", "1.0.0")).exits(2);
    assert!(outcome.stderr.contains("has the SHA-256"), "{}", outcome.transcript());
}
