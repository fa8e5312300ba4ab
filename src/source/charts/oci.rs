//! A registry: tags, manifests and the one layer that is wanted, in the OCI distribution protocol.
//!
//! In: `host/repository`, a tag, a digest or a constraint. Out: the layer that holds a chart or manifests, and its bytes in
//! a file. Everything that has a digest is held against it. The protocol is three questions, so it is spoken here, within
//! the limits of all other sources, rather than by a library with its own.
//!
//! Rules: the OCI distribution specification; Docker's token protocol; Argo CD util/oci/client.go (which layers, `_` in
//! tags for `+`); Helm pkg/registry.

use std::fs::File;

use reqwest::Url;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;

use super::super::access::{Pass, Saved, Web, WebAnswer, headers, is_this_machine};
use super::super::error::SourceError;
use super::archive::{ARCHIVE_LIMIT, Packing};
use super::challenge::{ACCESS_HELP, Challenge};
use super::index;
use super::shelf::Shelf;
use crate::secret::RepoUrl;

/// The layer of a Helm chart.
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// Argo CD: the default of `reposerver.oci.layer.media.types`.
const LAYERS: [(&str, Packing); 3] = [
    ("application/vnd.oci.image.layer.v1.tar", Packing::Tar),
    ("application/vnd.oci.image.layer.v1.tar+gzip", Packing::TarGzip),
    (CHART, Packing::TarGzip),
];
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
                         application/vnd.docker.distribution.manifest.v2+json";
/// How many artifacts of an index are looked at.
const INDEXED: usize = 16;
/// The specification: registries may refuse more than 4 MiB.
const MANIFEST_LIMIT: u64 = 4 << 20;
/// Each page has up to a thousand tags.
const TAG_PAGES: usize = 100;

/// Whether a chart is wanted, or whatever the artifact has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A chart: its layer is taken, others are left alone, as Helm does.
    Chart,
    /// Manifests: there has to be one layer that holds any, as in Argo CD.
    Anything,
}

/// A way to a registry, and what opens it.
pub(super) struct RegistryClient {
    pass: Pass,
    web: Web,
}

impl RegistryClient {
    pub(super) fn new(pass: Pass, web: Web) -> Self {
        Self { pass, web }
    }
}

/// One repository of a registry.
pub(super) struct Registry<'door> {
    door: &'door RegistryClient,
    base: Url,
    name: String,
    /// As a reader knows it.
    shown: String,
    authorization: Option<HeaderValue>,
}

/// The result of resolving a tag, a digest or a constraint.
pub(super) struct Artifact {
    /// The tag that was taken, with `+` where registries have `_`; empty for a digest.
    pub(super) version: String,
    /// The manifest's digest.
    pub(super) digest: String,
    pub(super) layer: Layer,
}

/// The layer that is wanted.
pub(super) struct Layer {
    /// `sha256:…`.
    pub(super) digest: String,
    pub(super) packing: Packing,
    /// Whether it is a chart, which is in a folder of its own.
    pub(super) is_chart: bool,
    size: u64,
}

impl<'door> Registry<'door> {
    /// `repository` is `host/path`, without a scheme.
    pub(super) fn new(repository: &str, door: &'door RegistryClient) -> Result<Self, SourceError> {
        let refused = |reason| SourceError::UrlRefused { url: RepoUrl::new(repository).to_string(), reason };
        let (host, name) =
            repository.split_once('/').ok_or_else(|| refused("it names a registry, and no repository in it"))?;
        if host.contains('@') {
            return Err(refused(
                "a registry's URL has no user; a Secret, the environment or `helm registry login` has one",
            ));
        }
        // Nothing may look like a host and be none.
        if !host.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_:[]".contains(letter)) {
            return Err(refused("its host is not valid"));
        }
        let name = name.trim_matches('/').to_owned();
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "._-/".contains(letter);
        if name.is_empty()
            || !name.chars().all(is_name)
            || name.split('/').any(|part| part.is_empty() || part.starts_with('.'))
        {
            return Err(refused("a registry's repository has lower-case letters, digits, `.`, `_`, `-` and `/`"));
        }
        let host = if host == "docker.io" { "registry-1.docker.io" } else { host };
        let scheme = if door.pass.plain_http { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{host}/")).map_err(|_error| refused("it names no host"))?;
        Ok(Self { door, base, name, shown: format!("oci://{repository}"), authorization: None })
    }

    /// Whether what opens the registry can be read on the way to it.
    pub(super) fn speaks_in_clear_text(&self) -> bool {
        (self.door.pass.identity.is_some() || self.door.pass.refresh_token.is_some())
            && self.door.pass.plain_http
            && !is_this_machine(self.base.host_str().unwrap_or_default())
    }

    /// Finds what is asked for.
    pub(super) fn artifact(&mut self, asked: &str, content: Content) -> Result<Artifact, SourceError> {
        // Helm and Argo CD: what can be a tag is first taken for one.
        if let Some(reference) = reference(asked)
            && let Some(found) = self.manifest(&reference)?
        {
            return self.read(asked, found, content);
        }
        let tags = self.tags()?;
        let Some(version) = index::chosen(asked, tags.iter().map(String::as_str)) else {
            let nearest = index::nearest(asked, tags.iter().map(String::as_str));
            return Err(self.no_version(asked, nearest));
        };
        match self.manifest(&version.replace('+', "_"))? {
            Some(found) => self.read(version, found, content),
            None => Err(self.no_version(version, Vec::new())),
        }
    }

    fn no_version(&self, asked: &str, nearest: Vec<String>) -> SourceError {
        SourceError::TagGone { url: self.shown.clone(), version: asked.to_owned(), nearest }
    }

    /// Writes a layer to a file, and holds it against its digest.
    pub(super) fn download(&mut self, layer: &Layer, into: &mut File, cache: &Shelf<'_>) -> Result<Saved, SourceError> {
        let limit = layer.size.min(ARCHIVE_LIMIT);
        if layer.size > ARCHIVE_LIMIT {
            return Err(SourceError::AnswerTooLarge { url: self.shown.clone(), limit });
        }
        let shown = self.shown.clone();
        let answer = self.get(&format!("blobs/{}", layer.digest), "*/*")?;
        if !answer.status().is_success() {
            return Err(answer.failed_as(&shown, ACCESS_HELP));
        }
        answer.save(into, limit, &|error| cache.unusable(error))
    }

    /// A manifest and its digest; nothing when the registry has none by that name.
    fn manifest(&mut self, reference: &str) -> Result<Option<(Value, String)>, SourceError> {
        let shown = self.shown.clone();
        let answer = self.get(&format!("manifests/{reference}"), MANIFESTS)?;
        if answer.status().as_u16() == 404 {
            return Ok(None);
        }
        if !answer.status().is_success() {
            return Err(answer.failed_as(&shown, ACCESS_HELP));
        }
        let promised = answer.header("docker-content-digest").map(str::to_owned);
        let bytes = answer.bytes(MANIFEST_LIMIT)?;
        let digest = format!("sha256:{}", Saved::of(&bytes).sha256);
        let promised = if reference.starts_with("sha256:") { Some(reference.to_owned()) } else { promised };
        if let Some(promised) = promised.filter(|promised| promised.starts_with("sha256:") && *promised != digest) {
            return Err(SourceError::DigestMismatch { what: self.shown.clone(), expected: promised, found: digest });
        }
        let manifest = serde_json::from_slice(&bytes).map_err(|error| SourceError::ArtifactRefused {
            url: self.shown.clone(),
            reason: format!("its manifest is not JSON: {error}"),
        })?;
        Ok(Some((manifest, digest)))
    }

    fn read(
        &mut self,
        asked: &str,
        (manifest, digest): (Value, String),
        content: Content,
    ) -> Result<Artifact, SourceError> {
        let version = if is_digest(asked) { String::new() } else { asked.to_owned() };
        let layer = match manifest.get("manifests").and_then(Value::as_array) {
            Some(indexed) => self.indexed_layer(indexed, content)?,
            None => self.layer(&manifest, content)?,
        };
        Ok(Artifact { version, digest, layer })
    }

    /// The layer of the one artifact in an index that has any: signatures and attestations beside it have none.
    ///
    /// Rule: Helm pkg/registry/client.go `Pull`, which follows an index to its chart.
    fn indexed_layer(&mut self, indexed: &[Value], content: Content) -> Result<Layer, SourceError> {
        let digests = indexed.iter().filter_map(|entry| entry.get("digest")?.as_str().filter(|it| is_digest(it)));
        let mut found: Vec<Layer> = Vec::new();
        for digest in digests.take(INDEXED) {
            let Some((manifest, _)) = self.manifest(digest)? else { continue };
            match self.layer(&manifest, content) {
                Ok(layer) if found.iter().all(|known| known.digest != layer.digest) => found.push(layer),
                _ => {}
            }
        }
        let reason = match (found.pop(), found.len()) {
            (Some(layer), 0) => return Ok(layer),
            (Some(_), more) => format!("it is an index of {} artifacts; name one by its digest", more + 1),
            (None, _) => "it is an index, and nothing in it can be used".to_owned(),
        };
        Err(SourceError::ArtifactRefused { url: self.shown.clone(), reason })
    }

    /// The layer that is wanted of a manifest.
    fn layer(&self, manifest: &Value, content: Content) -> Result<Layer, SourceError> {
        let refused = |reason: String| SourceError::ArtifactRefused { url: self.shown.clone(), reason };
        let layers = manifest.get("layers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let media_type = |layer: &Value| layer.get("mediaType").and_then(Value::as_str).unwrap_or_default().to_owned();
        let wanted: Vec<&Value> = match content {
            Content::Chart => layers.iter().filter(|layer| media_type(layer) == CHART).collect(),
            // Argo CD: attestations and the like are left alone.
            Content::Anything => layers.iter().filter(|layer| is_content(&media_type(layer))).collect(),
        };
        let layer = match wanted.as_slice() {
            [layer] => *layer,
            [] if content == Content::Chart => {
                return Err(refused("it is not a Helm chart: no layer contains one".to_owned()));
            }
            several => {
                return Err(refused(format!("it has {} layers with files, and must have one", several.len())));
            }
        };
        let kind = media_type(layer);
        let Some((_, packing)) = LAYERS.into_iter().find(|(known, _)| *known == kind) else {
            let known = LAYERS.map(|(known, _)| format!("`{known}`")).join(", ");
            return Err(refused(format!("its layer is of type `{kind}`; known are {known}")));
        };
        let layer_digest = layer.get("digest").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !is_digest(&layer_digest) {
            return Err(refused(format!("its layer has the digest `{layer_digest}`, and not one of SHA-256")));
        }
        let size = layer.get("size").and_then(Value::as_u64).unwrap_or_default();
        Ok(Layer { digest: layer_digest, packing, is_chart: kind == CHART, size })
    }

    /// Whether it answers and lets us in. A repository that is not there may be the folder of others.
    pub(super) fn answers(&mut self) -> Result<(), SourceError> {
        let shown = self.shown.clone();
        let answer = self.get("tags/list?n=1", "application/json")?;
        match answer.status() {
            status if status.is_success() || status.as_u16() == 404 => Ok(()),
            _ => Err(answer.failed_as(&shown, ACCESS_HELP)),
        }
    }

    /// Every tag, with `+` where registries have `_`.
    fn tags(&mut self) -> Result<Vec<String>, SourceError> {
        let mut tags = Vec::new();
        let shown = self.shown.clone();
        let mut question = "tags/list?n=1000".to_owned();
        for _ in 0..TAG_PAGES {
            let answer = self.get(&question, "application/json")?;
            if !answer.status().is_success() {
                return Err(answer.failed_as(&shown, ACCESS_HELP));
            }
            let next = answer.next_page();
            let page: Value = serde_json::from_slice(&answer.bytes(MANIFEST_LIMIT)?).map_err(|error| {
                let reason = format!("its list of tags is not JSON: {error}");
                SourceError::ArtifactRefused { url: shown.clone(), reason }
            })?;
            let names = page.get("tags").and_then(Value::as_array).into_iter().flatten();
            tags.extend(names.filter_map(|name| Some(name.as_str()?.replace('_', "+"))));
            match next {
                Some(query) => question = format!("tags/list?{query}"),
                None => break,
            }
        }
        Ok(tags)
    }

    /// Asks; where the registry wants to know who we are, sends credentials, once.
    fn get(&mut self, question: &str, accept: &'static str) -> Result<WebAnswer<'_>, SourceError> {
        let wrong = || SourceError::UrlRefused { url: self.shown.clone(), reason: "it is not part of a valid URL" };
        let url = self.base.join(&format!("v2/{}/{question}", self.name)).map_err(|_error| wrong())?;
        let answer = self.door.web.get(&url, &self.headers(accept))?;
        if answer.status().as_u16() != 401 {
            return Ok(answer);
        }
        let challenge = answer.headers("www-authenticate").find_map(Challenge::read);
        let authorization = match challenge {
            Some(Challenge::Basic) => headers(self.door.pass.identity.as_ref()).remove(AUTHORIZATION),
            Some(Challenge::Bearer(asked)) => {
                let token = asked.token(&self.door.web, &self.base, &self.name, &self.door.pass)?;
                token.and_then(|token| {
                    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose())).ok()?;
                    value.set_sensitive(true);
                    Some(value)
                })
            }
            None => None,
        };
        if authorization.is_none() || authorization == self.authorization {
            return Err(answer.failed_as(&self.shown, ACCESS_HELP));
        }
        drop(answer);
        self.authorization = authorization;
        self.door.web.get(&url, &self.headers(accept))
    }

    fn headers(&self, accept: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        headers
    }
}

/// A reference in a registry: a digest, or a tag, which has `_` for `+`.
fn reference(asked: &str) -> Option<String> {
    if is_digest(asked) {
        return Some(asked.to_owned());
    }
    let tag = asked.replace('+', "_");
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let is_tag = tag.len() <= 128 && tag.chars().all(is_letter) && !tag.starts_with(['.', '-']) && !tag.is_empty();
    is_tag.then_some(tag)
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|digits| {
        digits.len() == 64 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Argo CD util/oci/client.go `isCompressedLayer`.
fn is_content(media_type: &str) -> bool {
    media_type.ends_with("tar+gzip") || media_type.ends_with("tar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_a_tag_is_one() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (asked, expected) in [
            ("1.2.3", Some("1.2.3")),
            ("1.2.3+build.5", Some("1.2.3_build.5")),
            ("latest", Some("latest")),
            (digest.as_str(), Some(digest.as_str())),
            ("sha256:abc", None),
            ("^1.2", None),
            (">=1 <2", None),
            ("../../x", None),
            ("", None),
        ] {
            assert_eq!(reference(asked).as_deref(), expected, "{asked}");
        }
    }
}
