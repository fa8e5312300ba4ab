//! Containers whose file system is read-only, but for a temporary folder: a job with `readOnlyRootFilesystem`.

use super::{objects, render};
use crate::harness::{Run, TestRepo, config_map, or_skip, program};

/// Nobody can write there, root included.
const NOWHERE: &str = "/proc/nowhere";

fn without_home(run: Run) -> Run {
    // No cache of the platform's, either.
    run.env("HOME", NOWHERE).env("XDG_CACHE_HOME", NOWHERE)
}

/// Neither a home nor a cache is needed, and nothing stays behind.
#[test]
fn charts_and_kustomizations_need_only_a_temporary_folder() {
    let (helm, kustomize) = (or_skip!(program("helm")), or_skip!(program("kustomize")));
    let git = TestRepo::new()
        .file("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("chart/templates/a.yaml", config_map("web"))
        .file("overlay/kustomization.yaml", "resources: [a.yaml]\nnamePrefix: our-\n")
        .file("overlay/a.yaml", config_map("web"))
        .commit("a chart and an overlay");
    for (path, name) in [("chart", "web"), ("overlay", "our-web")] {
        let temporary = tempfile::tempdir().unwrap();
        let web = git.application("web").path(path);
        let run = render(&web, &[("TRUEUP_HELM", &helm), ("TRUEUP_KUSTOMIZE", &kustomize)]);
        let outcome = without_home(run).env("TMPDIR", temporary.path()).exits(0);
        assert_eq!(objects(&outcome)[0]["metadata"]["name"], name);
        assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0, "something was left behind");
    }
}

/// Without that, whoever wrote the container's specification is told what it lacks.
#[test]
fn a_container_without_a_temporary_folder_reports_what_it_lacks() {
    let helm = or_skip!(program("helm"));
    let git = TestRepo::new()
        .file("Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("templates/a.yaml", config_map("web"))
        .commit("a chart");
    let web = git.application("web");
    let run = || without_home(render(&web, &[("TRUEUP_HELM", &helm)])).env("TMPDIR", NOWHERE).env("COLUMNS", "200");
    let outcome = run().exits(2);
    assert!(outcome.stderr.contains("set `TMPDIR` to a writable folder"), "{}", outcome.transcript());
    let cache = tempfile::tempdir().unwrap();
    let outcome = run().argument("--cache-dir").argument(cache.path()).exits(2);
    assert!(outcome.stderr.contains("the temporary folder (TMPDIR) must be writable"), "{}", outcome.transcript());
}
