//! An API server's address, compared as people mean it.
//!
//! In: what a kubeconfig or a destination says. Out: [`ServerUrl`]: two spellings of one address are equal (case of the
//! host, default port, slashes at the end); displayed without user information.
//!
//! Rule: client-go `rest/url_utils.go` `DefaultServerURL` for addresses without a scheme.

use std::fmt;

use http::Uri;

/// The address of an API server, in normal form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ServerUrl(String);

impl ServerUrl {
    /// Reads an address. Without a scheme it is https where certificates are spoken of, http else.
    pub(super) fn parse(text: &str, secure: bool) -> Option<Self> {
        let text = text.trim();
        let with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("{}://{text}", if secure { "https" } else { "http" })
        };
        let uri: Uri = with_scheme.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        let port = uri.port_u16().filter(|port| *port != default_port);
        let path = uri.path().trim_end_matches('/');
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Some(Self(format!("{scheme}://{host}{port}{path}")))
    }

    /// The address, to connect to.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_equal() {
        for (left, right) in [
            ("https://Prod.Example.com", "https://prod.example.com:443/"),
            ("https://10.0.0.1:6443", "HTTPS://10.0.0.1:6443//"),
            ("http://localhost:80", "http://localhost/"),
            ("https://rancher/k8s/clusters/c-1/", "https://rancher:443/k8s/clusters/c-1"),
            ("https://[::1]:6443", "https://[::1]:6443/"),
            ("https://ci:s3cret@prod", "https://prod"),
        ] {
            assert_eq!(ServerUrl::parse(left, true), ServerUrl::parse(right, true), "{left} and {right}");
            assert!(ServerUrl::parse(left, true).is_some(), "{left}");
        }
        for (left, right) in [
            ("https://prod", "http://prod"),
            ("https://prod:6443", "https://prod"),
            ("https://rancher/k8s/clusters/c-1", "https://rancher/k8s/clusters/c-2"),
        ] {
            assert_ne!(ServerUrl::parse(left, true), ServerUrl::parse(right, true), "{left} and {right}");
        }
    }

    #[test]
    fn an_address_without_a_scheme_gets_one() {
        assert_eq!(ServerUrl::parse("localhost:8080", false).unwrap().to_string(), "http://localhost:8080");
        assert_eq!(ServerUrl::parse("prod:6443", true).unwrap().to_string(), "https://prod:6443");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "https://", "ftp://prod", "https://pro d", "://x"] {
            assert_eq!(ServerUrl::parse(text, true), None, "{text}");
        }
    }
}
