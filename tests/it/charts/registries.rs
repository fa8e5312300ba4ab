//! A real registry, with charts pushed by `helm push`, and artifacts of plain manifests.

use std::io::Write as _;

use serde_json::json;

use super::{application, chart_of, kept, objects, pulled_and_rendered, render};
use crate::harness::{TestApplication, TestChart, TestRegistry, or_skip};

/// The layer that `oras push` makes of a folder.
const TAR_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

fn tar(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn settings(colour: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{chart: {colour}}}\n")
}

/// Argo CD's way of writing a registry of charts: no scheme, and the chart's name beside it.
#[test]
fn a_chart_of_a_registry_renders_what_helm_makes_of_it() {
    let registry = or_skip!(TestRegistry::open());
    let charts =
        or_skip!(TestChart::folder()).with("web", "1.2.0").with("web", "1.10.3+build.7").with("web", "2.0.0-rc.1");
    for version in ["1.2.0", "1.10.3+build.7", "2.0.0-rc.1"] {
        registry.push(&charts.archive("web", version), "versions");
    }
    let url = format!("{}/versions", registry.host());
    for (asked, version) in [
        ("1.2.0", "1.2.0"),
        ("^1.0.0", "1.10.3+build.7"),
        ("1.10.3+build.7", "1.10.3+build.7"),
        ("1.x", "1.10.3+build.7"),
    ] {
        let outcome = render(&application(&url, "web", asked)).exits(0);
        let pull = [&*format!("oci://{url}/web"), "--version", version, "--plain-http"];
        assert_eq!(objects(&outcome), pulled_and_rendered(&pull, &[]), "{asked}");
    }
}

/// The newer way: the whole reference as `oci://`, with a path in it.
#[test]
fn an_oci_source_is_a_chart_or_manifests() {
    let registry = or_skip!(TestRegistry::open());
    let charts = or_skip!(TestChart::folder()).with("web", "1.2.0");
    registry.push(&charts.archive("web", "1.2.0"), "sources");
    let manifests = tar(&[("./deploy/a.yaml", &settings("packed")), ("README.md", "hello")]);
    let digest = registry.push_layer("sources/manifests", "1.0.0", TAR_GZIP, &gzip(&manifests));
    registry.push_layer(
        "sources/manifests",
        "1.1.0",
        "application/vnd.oci.image.layer.v1.tar",
        &tar(&[("deploy/a.yaml", &settings("plain"))]),
    );

    for (repository, path, revision, expected) in [
        ("sources/web", ".", "1.2.0", "web 1.2.0"),
        ("sources/web", ".", "1.x", "web 1.2.0"),
        ("sources/manifests", "deploy", "1.0.0", "packed"),
        ("sources/manifests", "deploy", "^1.0", "plain"),
        ("sources/manifests", "deploy", digest.as_str(), "packed"),
    ] {
        let source = json!({"repoURL": format!("oci://{}/{repository}", registry.host()), "path": path, "targetRevision": revision});
        assert_eq!(
            chart_of(&render(&TestApplication::of_source("web", source)).exits(0)),
            expected,
            "{repository} {revision}"
        );
    }
}

/// The index of a Helm repository may lead to a registry, as that of Bitnami does.
#[test]
fn an_index_may_lead_to_a_registry() {
    let registry = or_skip!(TestRegistry::open());
    let charts = or_skip!(TestChart::folder()).with("web", "1.2.0").indexed();
    registry.push(&charts.archive("web", "1.2.0"), "index");
    let index = std::fs::read_to_string(charts.path().join("index.yaml")).unwrap();
    let index = index.replace("web-1.2.0.tgz", &format!("oci://{}/index/web:1.2.0", registry.host()));
    std::fs::write(charts.path().join("index.yaml"), index).unwrap();
    let url = format!("file://{}", charts.path().display());

    let web = application(&url, "web", "1.x");
    let run = render(&web).argument("--allow-local").argument(charts.path());
    assert_eq!(chart_of(&run.exits(0)), "web 1.2.0");
}

/// Charts that were signed or attested by tools that push an index: Helm follows it, and so do we.
#[test]
fn a_chart_behind_an_index_is_found() {
    let registry = or_skip!(TestRegistry::open());
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0");
    registry.push(&charts.archive("web", "1.0.0"), "indexed");
    let other = registry.push_layer("indexed/web", "other", "application/vnd.in-toto+json", b"{}");
    let tar_layer = registry.push_layer("indexed/web", "tar", TAR_GZIP, &gzip(&tar(&[("a.yaml", &settings("red"))])));
    let chart = registry.digest("indexed/web", "1.0.0");
    registry.push_index("indexed/web", "2.0.0", &[&chart, &other]);
    registry.push_index("indexed/web", "3.0.0", &[&other]);
    registry.push_index("indexed/web", "4.0.0", &[&chart, &tar_layer]);
    let place = format!("{}/indexed", registry.host());
    assert_eq!(chart_of(&render(&application(&place, "web", "2.x")).exits(0)), "web 1.0.0");
    let pull = [&format!("oci://{place}/web"), "--version", "2.0.0", "--plain-http"];
    let outcome = render(&application(&place, "web", "2.0.0")).exits(0);
    assert_eq!(objects(&outcome), pulled_and_rendered(&pull, &[]));
    let outcome = render(&application(&place, "web", "3.0.0")).exits(2);
    assert!(outcome.stderr.contains("it is an index, and nothing in it can be used"), "{}", outcome.transcript());
    let source = json!({"repoURL": format!("oci://{place}/web"), "path": ".", "targetRevision": "4.0.0"});
    let outcome = render(&TestApplication::of_source("web", source)).exits(2);
    assert!(
        outcome.stderr.contains("it is an index of 2 artifacts; name one by its digest"),
        "{}",
        outcome.transcript()
    );
}

/// Two repositories have the same archive: it is kept once, and the second run brings nothing.
#[test]
fn an_archive_is_kept_by_its_digest() {
    let registry = or_skip!(TestRegistry::open());
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0");
    let home = tempfile::tempdir().unwrap();
    for below in ["here", "there"] {
        registry.push(&charts.archive("web", "1.0.0"), below);
        render(&application(&format!("{}/{below}", registry.host()), "web", "1.0.0")).home(home.path()).exits(0);
    }
    assert_eq!(kept(home.path()).len(), 1);
}

/// What an artifact must not be, each said in its own words.
#[test]
fn artifacts_that_cannot_be_rendered_are_refused() {
    let registry = or_skip!(TestRegistry::open());
    registry.push_layer("odd/zstd", "1.0.0", "application/vnd.oci.image.layer.v2.tar", &tar(&[("a", "b")]));
    registry.push_layer("odd/image", "1.0.0", "application/vnd.docker.image.rootfs.diff.tar.gzip", b"x");
    registry.push_layer("odd/garbage", "1.0.0", TAR_GZIP, b"no archive");
    for (repository, expected) in [
        ("zstd", "its layer is of type `application/vnd.oci.image.layer.v2.tar`; known are"),
        ("image", "it has 0 layers with files, and must have one"),
        ("garbage", "cannot be unpacked"),
    ] {
        let url = format!("oci://{}/odd/{repository}", registry.host());
        let source = json!({"repoURL": url, "path": ".", "targetRevision": "1.0.0"});
        let outcome = render(&TestApplication::of_source("web", source)).exits(2);
        assert!(outcome.stderr.contains(expected), "{}", outcome.transcript());
    }
    let chart = application(&format!("{}/odd", registry.host()), "garbage", "1.0.0");
    let outcome = render(&chart).exits(2);
    assert!(outcome.stderr.contains("it is not a Helm chart"), "{}", outcome.transcript());
}
