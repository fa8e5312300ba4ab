use serde_json::{Value, json};

use super::*;

fn secret(config: &Value) -> String {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "prod", "labels": { "argocd.argoproj.io/secret-type": "cluster", "env": "prod" } },
        "stringData": { "name": "prod", "server": "https://prod.example.com/", "config": config.to_string() },
    })
    .to_string()
}

fn read_one(text: &str) -> RegisteredCluster {
    let clusters = RegisteredClusters::read("clusters.yaml", text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}"));
    clusters.clusters.into_iter().next().unwrap()
}

fn login(config: &Value) -> ClusterLogin {
    read_one(&secret(config)).login.unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/// The fields are those of Argo CD's documentation, "Declarative setup", "Clusters".
#[test]
fn every_way_in_is_read() {
    let token =
        login(&json!({ "bearerToken": "t0ken", "tlsClientConfig": { "insecure": false, "caData": base64(PEM) } }));
    assert_eq!(token.credential, ClusterCredential::Token(Secret::new("t0ken".to_owned())));
    assert_eq!((token.authority.as_deref(), token.insecure), (Some(PEM), false));

    let basic = login(&json!({ "username": "ci", "password": "s3cret", "tlsClientConfig": { "insecure": true } }));
    let expected = ClusterCredential::Basic { username: "ci".to_owned(), password: Secret::new("s3cret".to_owned()) };
    assert_eq!((basic.credential, basic.insecure), (expected, true));

    let certificate = login(&json!({ "tlsClientConfig": {
        "serverName": "api.internal", "certData": base64(PEM), "keyData": base64(PEM),
    } }));
    assert_eq!((certificate.server_name.as_str(), certificate.is_anonymous()), ("api.internal", false));

    let program = login(&json!({ "execProviderConfig": {
        "command": "argocd-k8s-auth", "args": ["gcp"], "env": { "REGION": "eu" },
        "apiVersion": "client.authentication.k8s.io/v1beta1", "installHint": "ask the platform team",
    } }));
    let ClusterCredential::Program(program) = program.credential else { panic!("{program:?}") };
    assert_eq!((program.command.as_str(), program.arguments), ("argocd-k8s-auth", vec!["gcp".to_owned()]));
    assert_eq!(program.environment["REGION"].expose(), "eu");

    let aws = login(&json!({ "awsAuthConfig": { "clusterName": "prod", "roleARN": "arn:aws:iam::1:role/x" } }));
    let ClusterCredential::Program(aws) = aws.credential else { panic!("{aws:?}") };
    assert_eq!(aws.arguments, ["aws", "--cluster-name", "prod", "--role-arn", "arn:aws:iam::1:role/x"]);

    let rest = login(&json!({ "disableCompression": true, "proxyUrl": "socks5://jump:1080", "BEARERTOKEN": "t" }));
    assert!(rest.disable_compression && rest.proxy.is_some());
    assert_eq!(rest.credential, ClusterCredential::Token(Secret::new("t".to_owned())), "Go finds fields in any case");
    assert!(login(&json!({})).is_anonymous());
}

#[test]
fn the_rest_of_a_secret_is_read() {
    let text = json!({
        "apiVersion": "v1", "kind": "List", "items": [{
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "name": "team", "labels": { "argocd.argoproj.io/secret-type": "cluster" },
                "annotations": { "argocd.argoproj.io/skip-reconcile": "true" },
            },
            "data": {
                "name": base64("team"), "server": base64("https://team"), "namespaces": base64("a, b,,a"),
                "clusterResources": base64("false"), "project": base64("shop"), "shard": base64("1"),
            },
        }, { "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "other" } }],
    });
    let cluster = read_one(&text.to_string());
    assert_eq!(
        (cluster.name.as_str(), cluster.server.as_str(), cluster.project.as_str()),
        ("team", "https://team", "shop")
    );
    assert_eq!(cluster.namespaces.iter().map(String::as_str).collect::<Vec<_>>(), ["a", "b"]);
    assert!(!cluster.cluster_resources && cluster.skips_reconcile() && cluster.login.is_ok());
}

/// What is wrong is named with its field, and no value is shown: it may be a token.
#[test]
fn a_broken_secret_says_what_is_wrong_and_shows_no_value() {
    let s3cret = "s3cret-t0ken";
    for (config, expected) in [
        (json!([s3cret]), "`config` is a list, not a JSON object"),
        (json!({ "bearerToken": { "x": s3cret } }), "`config.bearerToken` is a map, not text"),
        (
            json!({ "bearerToken": s3cret, "username": "ci" }),
            "`config.bearerToken` is set beside `username` and `password`; keep one of the two",
        ),
        (json!({ "tlsClientConfig": s3cret }), "`config.tlsClientConfig` is text, not an object"),
        (
            json!({ "tlsClientConfig": { "insecure": s3cret } }),
            "`config.tlsClientConfig.insecure` is text, not `true` or `false`",
        ),
        (json!({ "tlsClientConfig": { "caData": s3cret } }), "`config.tlsClientConfig.caData` is not PEM in base64"),
        (
            json!({ "tlsClientConfig": { "caData": base64(s3cret) } }),
            "`config.tlsClientConfig.caData` is base64, but not of PEM",
        ),
        (
            json!({ "tlsClientConfig": { "certData": base64(PEM) } }),
            "`config.tlsClientConfig.keyData` is missing beside `certData`",
        ),
        (
            json!({ "tlsClientConfig": { "keyData": base64(PEM) } }),
            "`config.tlsClientConfig.certData` is missing beside `keyData`",
        ),
        (
            json!({ "tlsClientConfig": { "insecure": true, "caData": base64(PEM) } }),
            "`config.tlsClientConfig.insecure` cannot be true beside `caData`: a certificate authority that is not asked protects nothing",
        ),
        (
            json!({ "execProviderConfig": { "apiVersion": "client.authentication.k8s.io/v1" } }),
            "`config.execProviderConfig.command` is missing",
        ),
        (
            json!({ "execProviderConfig": { "command": "x", "args": s3cret, "apiVersion": "client.authentication.k8s.io/v1" } }),
            "`config.execProviderConfig.args` is not a list of texts",
        ),
        (
            json!({ "execProviderConfig": { "command": "x" } }),
            "`config.execProviderConfig.apiVersion` is not `client.authentication.k8s.io/v1` or `…/v1beta1`",
        ),
        (json!({ "awsAuthConfig": {} }), "`config.awsAuthConfig.clusterName` is missing"),
        (json!({ "proxyUrl": s3cret }), "`config.proxyUrl` is not an http, https or socks5 URL"),
    ] {
        let faults = read_one(&secret(&config)).login.unwrap_err();
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(said, [format!("Secret `prod` of clusters.yaml: {expected}")], "{config}");
        assert!(!format!("{faults:?}").contains(s3cret), "{faults:?}");
    }
}

/// What cannot be read at all is named with its line, and shows no value either.
#[test]
fn what_cannot_be_read_shows_no_value() {
    let s3cret = "s3cret-t0ken";
    let text = secret(&json!({ "bearerToken": s3cret })).replace("}\"", "\"");
    let said = read_one(&text).login.unwrap_err()[0].to_string();
    assert_eq!(said, "Secret `prod` of clusters.yaml: `config` is not JSON: line 1, column 29");
    let cluster = read_one(&secret(&json!({ "bearerToken": s3cret })));
    assert!(!format!("{cluster:?}").contains(s3cret), "{cluster:?}");
    let nameless =
        RegisteredClusters::read("c.yaml", secret(&json!({})).replace("server", "sever").as_bytes()).unwrap();
    assert_eq!(
        nameless.nameless().map(|finding| finding.message).collect::<Vec<_>>(),
        ["Secret `prod` of c.yaml: has no `server`"]
    );
    let yaml = RegisteredClusters::read("c.yaml", b"a: [").unwrap_err().to_string();
    assert!(yaml.starts_with("c.yaml:1: cannot be read"), "{yaml}");
}

#[test]
fn of_a_server_that_is_known_twice_the_first_place_counts() {
    let mut known = RegisteredClusters::read("a.yaml", secret(&json!({ "bearerToken": "a" })).as_bytes()).unwrap();
    known.extend(RegisteredClusters::read("b.yaml", secret(&json!({ "bearerToken": "b" })).as_bytes()).unwrap());
    assert_eq!(known.iter().map(|cluster| cluster.place.as_str()).collect::<Vec<_>>(), ["Secret `prod` of a.yaml"]);
}
