//! What was asked for about clusters: flags and environment, resolved once by the command line.
//!
//! In: flags, environment variables. Out: [`ClusterSettings`], which [`Clusters`](super::Clusters) is made of.
//!
//! Rules: kubectl's flags of the same names; client-go tools/clientcmd for `KUBECONFIG`, net/http for proxies.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use crate::secret::Secret;

/// How long one request may take when nobody says otherwise.
pub const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// How many requests may be on their way at once when nobody says otherwise.
pub const DEFAULT_CONCURRENCY: usize = 10;

/// Which clusters to read from, as whom, and how patiently.
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    /// `--live`: a folder of manifests in place of every cluster.
    pub live: Option<PathBuf>,
    /// `--kubeconfig`: this file, in place of those of the environment.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`: the context for destinations that name the cluster trueup runs against.
    pub context: Option<String>,
    /// `--cluster`: in place of that context's cluster.
    pub cluster: Option<String>,
    /// `--server`: in place of that cluster's address.
    pub server: Option<String>,
    /// `--user`: in place of the user of whatever context is used.
    pub user: Option<String>,
    /// `--as`: the user to impersonate.
    pub impersonate: Option<String>,
    /// `--as-group`, repeatable: the groups to impersonate.
    pub impersonate_groups: Vec<String>,
    /// `--request-timeout`: how long one request may take, its retries included; `None` is for ever.
    pub request_timeout: Option<Duration>,
    /// `--concurrency`: how many requests may be on their way at once, over all clusters.
    pub concurrency: usize,
    /// `--context-map NAME=CONTEXT`, repeatable: the context for a destination's name or server.
    pub context_map: BTreeMap<String, String>,
    /// `--untrusted`: no program that a Secret names is run.
    pub untrusted: bool,
    /// `--cache-dir`: where what servers publish is kept between runs.
    pub cache_dir: Option<PathBuf>,
    /// Settings from the environment.
    pub environment: ClusterEnvironment,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            live: None,
            kubeconfig: None,
            context: None,
            cluster: None,
            server: None,
            user: None,
            impersonate: None,
            impersonate_groups: Vec::new(),
            request_timeout: Some(DEFAULT_REQUEST_TIMEOUT),
            concurrency: DEFAULT_CONCURRENCY,
            context_map: BTreeMap::new(),
            untrusted: false,
            cache_dir: None,
            environment: ClusterEnvironment::default(),
        }
    }
}

/// Settings for clusters from the environment.
#[derive(Debug, Clone)]
pub struct ClusterEnvironment {
    /// `KUBECONFIG`, taken apart; empty when it is not set.
    pub kubeconfig: Vec<PathBuf>,
    /// The home folder, for `~/.kube/config`.
    pub home: Option<PathBuf>,
    /// `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT`: set in every pod.
    pub service: Option<(String, String)>,
    /// The folder with a pod's token and certificate authority.
    pub service_account: PathBuf,
    /// `HTTPS_PROXY` or `https_proxy`; may hold a password.
    pub https_proxy: Option<Secret<String>>,
    /// `HTTP_PROXY` or `http_proxy`; may hold a password.
    pub http_proxy: Option<Secret<String>>,
    /// `NO_PROXY` or `no_proxy`.
    pub no_proxy: Option<String>,
}

impl Default for ClusterEnvironment {
    fn default() -> Self {
        Self::read(|_| None)
    }
}

impl ClusterEnvironment {
    /// Reads what it needs through `variable`, which the command line passes `std::env::var_os`.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let filled = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| filled(name).and_then(|value| value.into_string().ok());
        let either_case = |name: &str| text(name).or_else(|| text(&name.to_ascii_lowercase()));
        Self {
            kubeconfig: filled("KUBECONFIG").as_deref().map(paths_of).unwrap_or_default(),
            home: filled(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).map(PathBuf::from),
            service: text("KUBERNETES_SERVICE_HOST").zip(text("KUBERNETES_SERVICE_PORT")),
            service_account: PathBuf::from("/var/run/secrets/kubernetes.io/serviceaccount"),
            https_proxy: either_case("HTTPS_PROXY").map(Secret::new),
            http_proxy: either_case("HTTP_PROXY").map(Secret::new),
            no_proxy: either_case("NO_PROXY"),
        }
    }
}

fn paths_of(list: &OsStr) -> Vec<PathBuf> {
    std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect()
}

/// Reads one `--context-map`: `NAME=CONTEXT`, where NAME is a destination's name or server.
pub fn parse_context_mapping(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, context)) if !name.is_empty() && !context.is_empty() => Ok((name.to_owned(), context.to_owned())),
        _ => Err("expected NAME=CONTEXT: a destination's name or server, and a context of the kubeconfig".to_owned()),
    }
}

/// Reads `--request-timeout` as kubectl does: `30`, `30s`, `1m30s`, `500ms`; `0` is for ever.
pub fn parse_request_timeout(text: &str) -> Result<Option<Duration>, String> {
    let wrong = || format!("`{text}` is not a time, such as 30s, 2m or 0 (no limit)");
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Some(Duration::from_secs(u64::from(seconds))).filter(|limit| !limit.is_zero()));
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|letter: char| letter.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let number = number.parse::<u32>().ok().ok_or_else(wrong)?;
        let unit = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            _ => return Err(wrong()),
        };
        total = unit.checked_mul(number).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = tail;
    }
    if text.is_empty() { Err(wrong()) } else { Ok(Some(total).filter(|limit| !limit.is_zero())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_read_as_kubectl_reads_it() {
        let seconds = |number| Ok(Some(Duration::from_secs(number)));
        for (text, expected) in [
            ("30", seconds(30)),
            ("30s", seconds(30)),
            ("1m30s", seconds(90)),
            ("2h", seconds(7200)),
            ("0", Ok(None)),
            ("0s", Ok(None)),
        ] {
            assert_eq!(parse_request_timeout(text), expected, "{text}");
        }
        assert_eq!(parse_request_timeout("500ms"), Ok(Some(Duration::from_millis(500))));
        for text in ["", "s", "30x", "-1", "1.5s", "99999999999h", "4294967295h4294967295h"] {
            let read = parse_request_timeout(text);
            assert!(read.is_err() || text.starts_with("4294967295"), "{text}: {read:?}");
        }
    }

    #[test]
    fn a_context_mapping_has_two_sides() {
        assert_eq!(parse_context_mapping("prod=kind-prod"), Ok(("prod".to_owned(), "kind-prod".to_owned())));
        assert_eq!(
            parse_context_mapping("https://prod:6443=kind-prod"),
            Ok(("https://prod:6443".to_owned(), "kind-prod".to_owned()))
        );
        for text in ["", "prod", "prod=", "=kind-prod"] {
            assert!(parse_context_mapping(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_environment_is_read_through_one_door() {
        let environment = ClusterEnvironment::read(|name| match name {
            "KUBECONFIG" => std::env::join_paths(["/a", "", "/b"]).ok(),
            "HOME" => Some("/home/ci".into()),
            "https_proxy" => Some("http://proxy:3128".into()),
            "NO_PROXY" => Some("".into()),
            _ => None,
        });
        assert_eq!(environment.kubeconfig, [PathBuf::from("/a"), PathBuf::from("/b")]);
        assert_eq!(environment.https_proxy.map(|url| url.expose().clone()).as_deref(), Some("http://proxy:3128"));
        assert_eq!((environment.no_proxy, environment.service), (None, None));
    }
}
