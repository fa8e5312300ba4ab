//! URLs as Go's `net/url` parses and writes them.

use super::super::fmt::quote;
use super::{Args, Context, Fault, Map, Result, Text, Value};

/// The part of a URL that bytes stand in, which decides what is escaped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum UrlPart {
    Path,
    Host,
    User,
    Fragment,
}

#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    host: Vec<u8>,
    path: Vec<u8>,
    raw_path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

fn must_escape(byte: u8, place: UrlPart) -> bool {
    match byte {
        b'!' | b'\'' | b'(' | b')' | b'*' | b'[' | b']' | b'<' | b'>' | b'"' if place == UrlPart::Host => false,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => false,
        _ if b"-_.~$&+,;=".contains(&byte) => false,
        b':' => place == UrlPart::User,
        b'/' | b'@' => matches!(place, UrlPart::Host | UrlPart::User),
        b'?' | b'!' | b'(' | b')' | b'*' => place != UrlPart::Fragment,
        _ => true,
    }
}

fn escape(bytes: &[u8], place: UrlPart) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if must_escape(*byte, place) {
            escaped.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            escaped.push(*byte);
        }
    }
    escaped
}

fn hex(byte: Option<&u8>) -> Option<u8> {
    byte.and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok())
}

fn invalid_escape(bytes: &[u8]) -> String {
    format!("invalid URL escape {}", quote(&bytes[..bytes.len().min(3)]))
}

fn unescape(bytes: &[u8], place: UrlPart) -> std::result::Result<Vec<u8>, String> {
    let mut unescaped = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'%' {
            let (Some(high), Some(low)) = (hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) else {
                return Err(invalid_escape(&bytes[at..]));
            };
            if place == UrlPart::Host && high < 8 && !bytes[at..].starts_with(b"%25") {
                return Err(invalid_escape(&bytes[at..]));
            }
            unescaped.push(high << 4 | low);
            at += 3;
            continue;
        }
        if place == UrlPart::Host && byte.is_ascii() && must_escape(*byte, place) {
            return Err(format!("invalid character {} in host name", quote(&bytes[at..=at])));
        }
        unescaped.push(*byte);
        at += 1;
    }
    Ok(unescaped)
}

fn cut(bytes: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match bytes.iter().position(|byte| *byte == at) {
        Some(found) => (&bytes[..found], Some(&bytes[found + 1..])),
        None => (bytes, None),
    }
}

fn scheme(url: &[u8]) -> std::result::Result<(&[u8], &[u8]), String> {
    for (at, byte) in url.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&url[..at], &url[at + 1..])),
            _ => break,
        }
    }
    Ok((b"", url))
}

impl Url {
    fn parse(text: &[u8]) -> std::result::Result<Self, String> {
        let (before, fragment) = cut(text, b'#');
        let failed = |url: &[u8], cause: &str| format!("parse {}: {cause}", quote(url));
        let mut url = Self::without_fragment(before).map_err(|cause| failed(before, &cause))?;
        url.fragment =
            unescape(fragment.unwrap_or_default(), UrlPart::Fragment).map_err(|cause| failed(text, &cause))?;
        Ok(url)
    }

    fn without_fragment(text: &[u8]) -> std::result::Result<Self, String> {
        let mut url = Self::default();
        if text.iter().any(|byte| *byte < b' ' || *byte == 0x7F) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        if text == b"*" {
            url.path = text.to_vec();
            return Ok(url);
        }
        let (scheme, rest) = scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = cut(rest, b'?');
        url.query = query.unwrap_or_default().to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        if rest.starts_with(b"//") && (!url.scheme.is_empty() || !rest.starts_with(b"///")) {
            let end = rest[2..].iter().position(|byte| *byte == b'/').map_or(rest.len(), |end| end + 2);
            url.set_authority(&rest[2..end])?;
            rest = &rest[end..];
        }
        url.path = unescape(rest, UrlPart::Path)?;
        if escape(&url.path, UrlPart::Path) != rest {
            url.raw_path = rest.to_vec();
        }
        Ok(url)
    }

    fn set_authority(&mut self, authority: &[u8]) -> std::result::Result<(), String> {
        let at = authority.iter().rposition(|byte| *byte == b'@');
        self.host = self.host_of(&authority[at.map_or(0, |at| at + 1)..])?;
        let Some(at) = at else { return Ok(()) };
        let user = &authority[..at];
        let is_valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
        if !user.iter().all(is_valid) {
            return Err("net/url: invalid userinfo".to_owned());
        }
        let (name, password) = cut(user, b':');
        let password = password.map(|password| unescape(password, UrlPart::User)).transpose()?;
        self.user = Some((unescape(name, UrlPart::User)?, password));
        Ok(())
    }

    fn host_of(&self, host: &[u8]) -> std::result::Result<Vec<u8>, String> {
        let check_port = |port: &[u8]| {
            let is_valid = port.is_empty() || (port[0] == b':' && port[1..].iter().all(u8::is_ascii_digit));
            if is_valid { Ok(()) } else { Err(format!("invalid port {} after host", quote(port))) }
        };
        match host.iter().rposition(|byte| *byte == b'[') {
            Some(1..) => return Err("invalid IP-literal".to_owned()),
            Some(0) => {
                let Some(end) = host.iter().rposition(|byte| *byte == b']') else {
                    return Err("missing ']' in host".to_owned());
                };
                check_port(&host[end + 1..])?;
            }
            None => {
                let first = host.iter().position(|byte| *byte == b':');
                let last = host.iter().rposition(|byte| *byte == b':');
                let is_http = matches!(&*self.scheme, b"http" | b"https");
                if let Some(colon) = if is_http { first } else { last } {
                    check_port(&host[colon..])?;
                }
            }
        }
        unescape(host, UrlPart::Host)
    }

    fn user_text(&self) -> Option<Vec<u8>> {
        let (name, password) = self.user.as_ref()?;
        let mut text = escape(name, UrlPart::User);
        if let Some(password) = password {
            text.push(b':');
            text.extend(escape(password, UrlPart::User));
        }
        Some(text)
    }

    fn hostname(&self) -> &[u8] {
        let mut host = &self.host[..];
        if let Some(colon) = host.iter().rposition(|byte| *byte == b':')
            && host[colon + 1..].iter().all(u8::is_ascii_digit)
        {
            host = &host[..colon];
        }
        match host {
            [b'[', inside @ .., b']'] => inside,
            _ => host,
        }
    }

    fn shown(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if !self.scheme.is_empty() {
            text.extend_from_slice(&self.scheme);
            text.push(b':');
        }
        if self.opaque.is_empty() {
            let user = self.user_text();
            let has_authority = !self.scheme.is_empty() || !self.host.is_empty() || user.is_some();
            if has_authority && (!self.host.is_empty() || !self.path.is_empty() || user.is_some()) {
                text.extend_from_slice(b"//");
            }
            if let Some(user) = user {
                text.extend(user);
                text.push(b'@');
            }
            text.extend(escape(&self.host, UrlPart::Host));
            let path = if self.path == b"*" { self.path.clone() } else { escape(&self.path, UrlPart::Path) };
            if !path.is_empty() && path[0] != b'/' && !self.host.is_empty() {
                text.push(b'/');
            }
            if text.is_empty() && cut(&path, b'/').0.contains(&b':') {
                text.extend_from_slice(b"./");
            }
            text.extend(path);
        } else {
            text.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            text.push(b'?');
            text.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            text.push(b'#');
            text.extend(escape(&self.fragment, UrlPart::Fragment));
        }
        text
    }
}

pub(super) fn parse(_: &mut dyn Context, args: Args<'_>) -> Result {
    let url = Url::parse(args.text(0)).map_err(|cause| Fault::Message(format!("unable to parse url: {cause}")))?;
    let entries: [(&str, &[u8]); 7] = [
        ("scheme", &url.scheme),
        ("host", &url.host),
        ("hostname", url.hostname()),
        ("path", &url.path),
        ("query", &url.query),
        ("opaque", &url.opaque),
        ("fragment", &url.fragment),
    ];
    let map = Map::new();
    for (key, value) in entries {
        map.insert(key.into(), Value::text(value));
    }
    map.insert("userinfo".into(), Value::text(url.user_text().unwrap_or_default()));
    Ok(Value::Map(map))
}

pub(super) fn join(_: &mut dyn Context, args: Args<'_>) -> Result {
    let map = args.map(0);
    let part = |key: &str| match map.get(key.as_bytes()) {
        None => Ok(Text::default()),
        Some(Value::Text(text)) => Ok(text),
        Some(Value::Nil) => Err(Fault::new(super::NIL_DEREFERENCE)),
        Some(other) => Err(Fault::Message(format!(
            "unable to parse {key} key, must be of type string, but {} found",
            other.kind_name()
        ))),
    };
    let mut url = Url {
        scheme: part("scheme")?.bytes().to_vec(),
        host: part("host")?.bytes().to_vec(),
        path: part("path")?.bytes().to_vec(),
        query: part("query")?.bytes().to_vec(),
        opaque: part("opaque")?.bytes().to_vec(),
        fragment: part("fragment")?.bytes().to_vec(),
        ..Url::default()
    };
    let user = part("userinfo")?;
    if !user.is_empty() {
        let parsed = Url::parse(&[b"proto://", user.bytes(), b"@host"].concat());
        let parsed = parsed.map_err(|cause| Fault::Message(format!("unable to parse userinfo in dict: {cause}")))?;
        url.user = parsed.user;
    }
    Ok(Value::text(url.shown()))
}
