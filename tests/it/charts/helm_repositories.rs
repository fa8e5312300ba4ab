//! Helm repositories, made by `helm repo index`.

use serde_json::json;

use super::{application, chart_of, kept, objects, pulled_and_rendered, render};
use crate::harness::{Answer, HttpServer, Request, TestApplication, TestChart, TestRepo, or_skip};

/// Serves a folder as it is.
fn served(charts: &TestChart) -> HttpServer {
    let folder = charts.path().to_owned();
    HttpServer::start(move |request| Answer::file(&folder, request))
}

fn targets(server: &HttpServer) -> Vec<String> {
    server.requests().into_iter().map(|request: Request| request.target).collect()
}

/// Eighteen of fifty-two public repositories deploy charts that they do not hold.
#[test]
fn a_chart_renders_what_helm_makes_of_it() {
    let charts =
        or_skip!(TestChart::folder()).with("web", "1.2.0").with("web", "1.10.3").with("web", "2.0.0-rc.1").indexed();
    let server = served(&charts);
    for (asked, version) in
        [("1.2.0", "1.2.0"), ("^1.0.0", "1.10.3"), ("1.2", "1.2.0"), ("*", "1.10.3"), (">=2.0.0-0", "2.0.0-rc.1")]
    {
        let outcome = render(&application(&server.url(), "web", asked)).exits(0);
        let expected = pulled_and_rendered(&["web", "--repo", &server.url(), "--version", version], &[]);
        assert_eq!(objects(&outcome), expected, "{asked}");
    }
}

/// Values of the Application, of the chart's own folder, and of another source.
#[test]
fn values_reach_a_chart_from_everywhere() {
    let charts = or_skip!(TestChart::folder())
        .with_files("web", "1.0.0", &[("values-prod.yaml", "colour: green\nsize: 2\n")])
        .indexed();
    let server = served(&charts);
    let git = TestRepo::new().file("env/prod.yaml", "size: 3\nfrom: git\n").commit("values");
    let sources = json!([
        {"repoURL": server.url(), "chart": "web", "targetRevision": "1.0.0",
         "helm": {"valueFiles": ["values-prod.yaml", "$values/env/prod.yaml"], "parameters": [{"name": "last", "value": "yes"}]}},
        {"repoURL": git.url(), "targetRevision": "HEAD", "ref": "values"},
    ]);
    let web = application(&server.url(), "web", "1.0.0").spec_field("sources", sources);

    let outcome = render(&web).exits(0);

    let values = git.path().join("env/prod.yaml");
    let arguments = ["-f", "values-prod.yaml", "-f", &values.to_string_lossy(), "--set", "last=yes"];
    let expected = pulled_and_rendered(&["web", "--repo", &server.url(), "--version", "1.0.0"], &arguments);
    assert_eq!(objects(&outcome), expected);
}

/// The second run asks whether the index still holds, and nothing else.
#[test]
fn cached_charts_are_not_fetched_again() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0").with("api", "1.0.0").indexed();
    let server = served(&charts);
    let home = tempfile::tempdir().unwrap();
    let run = || render(&application(&server.url(), "web", "1.x")).home(home.path()).exits(0);

    assert_eq!(chart_of(&run()), "web 1.0.0");
    assert_eq!(targets(&server), ["/index.yaml", "/web-1.0.0.tgz"]);
    assert_eq!(chart_of(&run()), "web 1.0.0");
    assert_eq!(targets(&server), ["/index.yaml", "/web-1.0.0.tgz", "/index.yaml"]);
    assert!(server.requests()[2].header("if-none-match").is_some());
    assert_eq!(kept(home.path()).len(), 2, "an index and a chart: {:?}", kept(home.path()));

    // A new version is seen at once.
    let _charts = charts.with("web", "1.1.0").indexed();
    assert_eq!(chart_of(&run()), "web 1.1.0");
}

/// Ten applications of one repository: its index is asked for once.
#[test]
fn many_applications_of_one_repository_ask_for_its_index_once() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0").with("web", "2.0.0").with("api", "1.0.0").indexed();
    let server = served(&charts);
    let others =
        [("one", "web", "1.0.0"), ("two", "web", "2.0.0"), ("three", "api", "*")].map(|(name, chart, version)| {
            TestApplication::of_source(
                name,
                json!({"repoURL": server.url(), "chart": chart, "targetRevision": version}),
            )
        });

    let first = application(&server.url(), "web", "^1");
    let run = others.iter().fold(render(&first), |run, it| run.argument(it.manifest()));

    let outcome = run.exits(0);
    assert_eq!(outcome.json()["items"].as_array().unwrap().len(), 4);
    let mut asked = targets(&server);
    asked.sort();
    assert_eq!(asked, ["/api-1.0.0.tgz", "/index.yaml", "/web-1.0.0.tgz", "/web-2.0.0.tgz"]);
}

/// A version that is published anew under its old name is another chart.
#[test]
fn a_version_that_was_published_again_is_rendered_again() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0").indexed();
    let server = served(&charts);
    let home = tempfile::tempdir().unwrap();
    let web = application(&server.url(), "web", "1.0.0");
    render(&web).home(home.path()).exits(0);

    let _charts = charts.with_files("web", "1.0.0", &[("values.yaml", "colour: blue\n")]).indexed();

    let outcome = render(&web).home(home.path()).exits(0);
    assert_eq!(outcome.json()["items"][0]["data"]["values"], "{\"colour\":\"blue\"}");
}

/// A repository that is a folder of this machine, such as one that is about to be published.
#[test]
fn a_helm_repository_may_be_a_folder() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0").indexed();
    for url in [format!("file://{}", charts.path().display()), charts.path().display().to_string()] {
        let web = application(&url, "web", "1.x");
        let run = render(&web).argument("--allow-local").argument(charts.path());
        assert_eq!(chart_of(&run.exits(0)), "web 1.0.0");
    }
}

/// A pull request that changes a chart is looked at before the chart is published.
#[test]
fn a_checkout_stands_in_for_a_repository_of_charts() {
    let _helm = or_skip!(TestChart::folder());
    let git = TestRepo::new()
        .file("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 9.9.9\n")
        .file(
            "charts/web/templates/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {chart: local}\n",
        )
        .commit("a chart");
    let folder = git.path().join("charts");
    for url in ["https://charts.example.com", "registry.example.com/charts"] {
        let web = application(url, "web", "1.0.0");
        let run = render(&web).argument("--repo").argument(format!("{url}={}", folder.display()));
        assert_eq!(chart_of(&run.exits(0)), "local");
    }
}

/// Signed URLs: what stands in the query opens the index and the archives, and is told to nobody.
#[test]
fn the_query_of_a_repository_goes_with_each_question() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0").indexed();
    let folder = charts.path().to_owned();
    let server = HttpServer::start(move |request| match request.target.strip_suffix("?sig=s3cret") {
        Some(path) => Answer::file(&folder, &request.at(path)),
        None => Answer::status(403),
    });
    let url = format!("{}/?sig=s3cret", server.url());
    assert_eq!(chart_of(&render(&application(&url, "web", "1.0.0")).exits(0)), "web 1.0.0");
    assert_eq!(targets(&server), ["/index.yaml?sig=s3cret", "/web-1.0.0.tgz?sig=s3cret"]);
    let outcome = render(&application(&url, "wbe", "1.0.0")).exits(2);
    assert!(!outcome.transcript().contains("s3cret"), "{}", outcome.transcript());
}

/// What indexes that others made look like: Helm takes these, and names what is wrong with those that cannot be taken.
#[test]
fn an_index_may_be_odd() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0");
    let run = |entries: &str, base: &str, asked: &str| {
        let folder = charts.path().to_owned();
        let index = format!("apiVersion: v1\nentries:\n  web:\n{entries}");
        let server = HttpServer::start(move |request| match request.target.as_str() {
            target if target.ends_with("/index.yaml") => {
                Answer { status: 200, body: index.clone().into_bytes(), ..Answer::default() }
            }
            target => {
                let file = target.rsplit('/').next().unwrap_or_default();
                Answer::file(&folder, &request.at(format!("/{file}")))
            }
        });
        let web = application(&format!("{}{base}", server.url()), "web", asked);
        (render(&web).outcome(), targets(&server))
    };
    for (entries, base, asked, expected) in [
        ("  - {version: 1.0.0, urls: [packed/web-1.0.0.tgz]}", "/shop", "1.0.0", "/shop/packed/web-1.0.0.tgz"),
        ("  - {version: 1.0.0, urls: [/top/web-1.0.0.tgz]}", "/shop/", "1.0.0", "/top/web-1.0.0.tgz"),
        ("  - {version: v1.0.0, urls: [web-1.0.0.tgz, other.tgz], digest: 'sha512:ab'}", "", "1.x", "/web-1.0.0.tgz"),
        ("  -\n  - {version: 1.0.0, deprecated: true, urls: [./web-1.0.0.tgz]}", "", "*", "/web-1.0.0.tgz"),
    ] {
        let (outcome, targets) = run(entries, base, asked);
        assert_eq!(chart_of(&outcome), "web 1.0.0", "{entries}");
        assert_eq!(targets[1], expected, "{entries}");
    }
    for (entries, expected) in [
        ("  - {version: 1.0.0}", "it does not say where version 1.0.0 is"),
        ("  - {version: 1.0.0, urls: [gone.tgz]}", "gone.tgz, where the index has it"),
        ("  - {version: 1.0.0, urls: ['file:///etc/passwd']}", "`file:///etc/passwd` in it is not a URL"),
        ("   []", "no chart `web` in"),
    ] {
        let (outcome, _) = run(entries, "", "1.0.0");
        assert!(outcome.code == Some(2) && outcome.stderr.contains(expected), "{}", outcome.transcript());
    }
}
