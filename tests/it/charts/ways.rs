//! How a server is reached and known: proxies, certificates of its own, certificates that it wants to see.

use std::fs;

use serde_json::{Value, json};

use super::{application, chart_of, render};
use crate::cluster::tls::TlsServer;
use crate::harness::{Answer, HttpServer, Outcome, TestChart, TestCluster, TestRepo, folder_with, or_skip, program};

fn secret(fields: &Value) -> String {
    let metadata = json!({"name": "charts", "labels": {"argocd.argoproj.io/secret-type": "repository"}});
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": fields}).to_string()
}

/// A server that only a proxy reaches.
#[test]
fn a_secret_names_the_proxy_that_leads_to_its_repository() {
    let charts = or_skip!(TestChart::folder()).with("web", "1.0.0").indexed();
    let folder = charts.path().to_owned();
    let proxy = HttpServer::start(move |request| {
        let mut request = request.clone();
        request.target = request.target.replace("http://charts.example.invalid", "");
        Answer::file(&folder, &request)
    });
    let url = "http://charts.example.invalid";
    let files = folder_with([("secret.yaml", &secret(&json!({"url": url, "type": "helm", "proxy": proxy.url()})))]);
    let web = application(url, "web", "1.0.0");

    let outcome = render(&web).argument("--repositories").argument(files.path().join("secret.yaml")).exits(0);

    assert_eq!(chart_of(&outcome), "web 1.0.0");
    assert!(proxy.requests()[0].target.starts_with("http://charts.example.invalid/"));
}

/// A certificate that the system does not know: refused, unless Argo CD was told that it is right, or not to look.
#[test]
fn a_server_is_known_by_argo_cds_settings() {
    let cluster = or_skip!(TestCluster::namespace());
    let _helm = or_skip!(program("helm"));
    let pem = |name: &str| fs::read_to_string(cluster.control_plane_folder().join("certificates").join(name)).unwrap();
    // The API server's own certificate and key serve both sides here: any pair does.
    let (certificate, key) = (pem("apiserver.crt"), pem("apiserver.key"));
    let run = |fields: Value, authorities: Value| -> (Outcome, bool) {
        let server = TlsServer::start(&certificate, &key);
        let mut fields = fields;
        fields["url"] = json!(server.address);
        let known = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-tls-certs-cm"}, "data": authorities});
        let both = format!("{}\n---\n{known}\n", secret(&fields));
        let files = folder_with([("both.yaml", &both)]);
        let web = application(&server.address, "web", "1.0.0");
        let outcome = render(&web).argument("--repositories").argument(files.path().join("both.yaml")).exits(2);
        let is_known = outcome.stderr.contains("answers 500");
        (outcome, is_known && server.was_shown_a_certificate())
    };

    let (outcome, _) = run(json!({"type": "helm"}), json!({}));
    assert!(outcome.stderr.contains("cannot be reached"), "{}", outcome.transcript());
    let (outcome, shown) = run(json!({"type": "helm", "insecure": "true"}), json!({}));
    assert!(outcome.stderr.contains("answers 500") && !shown, "{}", outcome.transcript());
    let (outcome, shown) = run(json!({"type": "helm"}), json!({"127.0.0.1": certificate}));
    assert!(outcome.stderr.contains("answers 500") && !shown, "{}", outcome.transcript());
    let own = json!({"type": "helm", "insecure": "true", "tlsClientCertData": certificate, "tlsClientCertKey": key});
    let (outcome, shown) = run(own, json!({}));
    assert!(shown, "{}", outcome.transcript());
    assert!(!outcome.transcript().contains(&key), "the key is told");
}

/// The registry that a chart's dependency is in: what a Secret says of it reaches Helm, too.
#[test]
fn a_registry_of_a_dependency_is_known_alike() {
    let cluster = or_skip!(TestCluster::namespace());
    let helms = [or_skip!(program("helm")), or_skip!(program("helm4"))];
    let pem = |name: &str| fs::read_to_string(cluster.control_plane_folder().join("certificates").join(name)).unwrap();
    let (certificate, key) = (pem("apiserver.crt"), pem("apiserver.key"));
    for helm in helms {
        let run = |fields: Value, authorities: Value| -> (Outcome, bool) {
            let server = TlsServer::start(&certificate, &key);
            let place = format!("{}/charts", server.address.trim_start_matches("https://"));
            let mut fields = fields;
            fields["url"] = json!(place);
            let known = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-tls-certs-cm"}, "data": authorities});
            let files = folder_with([("both.yaml", &format!("{}\n---\n{known}\n", secret(&fields)))]);
            let chart = format!(
                "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {{name: one, version: 1.0.0, repository: 'oci://{place}'}}\n"
            );
            let git = TestRepo::new().file("Chart.yaml", chart).commit("a chart that needs another");
            let web = git.application("web");
            let run = render(&web).env("TRUEUP_HELM", &helm);
            let outcome = run.argument("--repositories").argument(files.path().join("both.yaml")).exits(2);
            assert!(outcome.stderr.contains("500"), "{}", outcome.transcript());
            (outcome, server.was_shown_a_certificate())
        };
        let registry = json!({"type": "helm", "enableOCI": "true"});
        let (outcome, shown) = run(registry, json!({"127.0.0.1": certificate}));
        assert!(!shown, "{}", outcome.transcript());
        let own = json!({"type": "helm", "enableOCI": "true", "insecure": "true", "tlsClientCertData": certificate,
                         "tlsClientCertKey": key});
        let (outcome, shown) = run(own, json!({}));
        assert!(shown, "{}", outcome.transcript());
        assert!(!outcome.transcript().contains(&key), "the key is told");
    }
}
