//! Which proxy, if any, stands between here and an API server.
//!
//! In: the server, the kubeconfig's `proxy-url`, the environment. Out: the proxy's address.
//!
//! Rules: client-go, where `proxy-url` comes first; Go's golang.org/x/net/http/httpproxy for the environment.

use std::net::IpAddr;

use http::Uri;

use crate::cluster::ClusterEnvironment;
use crate::secret::Secret;

/// The proxy to reach a server through; its address may hold a password.
pub(super) fn proxy_for(
    server: &Uri,
    proxy_url: Option<&str>,
    environment: &ClusterEnvironment,
) -> Option<Secret<String>> {
    if let Some(proxy) = proxy_url.filter(|proxy| !proxy.is_empty()) {
        return Some(Secret::new(proxy.to_owned()));
    }
    let proxy = if server.scheme_str() == Some("https") { &environment.https_proxy } else { &environment.http_proxy };
    let proxy = proxy.as_ref()?.expose();
    let host = server.host()?.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let port = server.port_u16().unwrap_or(if server.scheme_str() == Some("https") { 443 } else { 80 });
    if is_direct(&host, port, environment.no_proxy.as_deref().unwrap_or_default()) {
        return None;
    }
    Some(Secret::new(if proxy.contains("://") { proxy.clone() } else { format!("http://{proxy}") }))
}

/// Whether a host is reached without a proxy: this machine always is, and what `NO_PROXY` names.
fn is_direct(host: &str, port: u16, no_proxy: &str) -> bool {
    let address = host.parse::<IpAddr>().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    no_proxy.split(',').map(|entry| entry.trim().to_ascii_lowercase()).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Some((network, bits)) = entry.split_once('/') {
            let network = network.parse::<IpAddr>().ok().zip(bits.parse::<u32>().ok());
            return address.zip(network).is_some_and(|(address, (network, bits))| within(address, network, bits));
        }
        let (name, only_port) = with_port(&entry);
        if only_port.is_some_and(|only| only != port) {
            return false;
        }
        if let Ok(named) = name.parse::<IpAddr>() {
            return address == Some(named);
        }
        let name = name.strip_prefix('*').unwrap_or(name);
        match name.strip_prefix('.') {
            Some(_) => host.ends_with(name),
            None => host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
        }
    })
}

/// `host:port`, `[::1]:port`, `host`, `::1`.
fn with_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((host, rest)) = entry.strip_prefix('[').and_then(|entry| entry.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') && port.parse::<u16>().is_ok() => (host, port.parse().ok()),
        _ => (entry, None),
    }
}

fn within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (u128::from(address.to_bits()), u128::from(network.to_bits()), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    match bits {
        0 => true,
        bits if bits > width => false,
        bits => address >> (width - bits) == network >> (width - bits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(server: &str, proxy_url: Option<&str>, no_proxy: &str) -> Option<String> {
        let environment = ClusterEnvironment::read(|name| match name {
            "HTTPS_PROXY" => Some("proxy.example.com:3128".into()),
            "NO_PROXY" => Some(no_proxy.into()),
            _ => None,
        });
        let server: Uri = server.parse().unwrap();
        proxy_for(&server, proxy_url, &environment).map(|proxy| proxy.expose().clone())
    }

    #[test]
    fn the_environments_proxy_is_used_and_the_kubeconfigs_comes_first() {
        let environments = Some("http://proxy.example.com:3128".to_owned());
        assert_eq!(proxy("https://prod:6443", None, ""), environments);
        assert_eq!(proxy("https://prod:6443", Some("socks5://jump:1080"), "*"), Some("socks5://jump:1080".to_owned()));
        assert_eq!(proxy("http://prod:8080", None, ""), None, "HTTPS_PROXY is for https");
    }

    /// The rules are Go's, whose documentation gives these forms.
    #[test]
    fn no_proxy_is_read_as_go_reads_it() {
        for (server, no_proxy, direct) in [
            ("https://127.0.0.1:6443", "", true),
            ("https://localhost:6443", "", true),
            ("https://[::1]:6443", "", true),
            ("https://prod.example.com", "*", true),
            ("https://prod.example.com", "example.com", true),
            ("https://prod.example.com", ".example.com", true),
            ("https://prod.example.com", "*.example.com", true),
            ("https://example.com", "example.com", true),
            ("https://example.com", ".example.com", false),
            ("https://badexample.com", "example.com", false),
            ("https://prod:6443", "other, prod:6443", true),
            ("https://prod:6443", "prod:443", false),
            ("https://10.1.2.3:6443", "10.0.0.0/8", true),
            ("https://11.1.2.3:6443", "10.0.0.0/8", false),
            ("https://10.1.2.3:6443", "10.1.2.3", true),
            ("https://[fd00::1]:6443", "fd00::/8", true),
            ("https://10.1.2.3:6443", "10.0.0.0/99", false),
        ] {
            assert_eq!(proxy(server, None, no_proxy).is_none(), direct, "{server} with NO_PROXY={no_proxy}");
        }
    }
}
