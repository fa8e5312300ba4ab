//! A real registry, which the real `helm` pushes charts to.
//!
//! In: whether it wants a password. Out: a registry on a port of this machine, ended with the tests, however they end.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Child;
use std::sync::OnceLock;
use std::time::Duration;

use super::chart::helm;
use super::control_plane::{quoted, supervise};
use super::require::{Missing, program};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// `s3cret`, as `htpasswd -B` writes it.
const PASSWORDS: &str = "ci:$2a$04$vfMYWBxWoKtNdiuAX4y6J.gsz1wbPURWAjaVDcSOeSzNC4prMDyoC\n";

/// A registry; each test has repositories of its own in it.
#[derive(Debug)]
pub(crate) struct TestRegistry {
    port: u16,
    is_private: bool,
    /// Ends the registry when its standard input closes.
    _supervisor: Child,
}

impl TestRegistry {
    /// The one that everybody may read.
    pub(crate) fn open() -> Result<&'static Self, Missing> {
        static OPEN: OnceLock<Result<TestRegistry, Missing>> = OnceLock::new();
        OPEN.get_or_init(|| Self::start(false)).as_ref().map_err(Clone::clone)
    }

    /// The one that opens to `ci` with `s3cret`.
    pub(crate) fn private() -> Result<&'static Self, Missing> {
        static PRIVATE: OnceLock<Result<TestRegistry, Missing>> = OnceLock::new();
        PRIVATE.get_or_init(|| Self::start(true)).as_ref().map_err(Clone::clone)
    }

    fn start(is_private: bool) -> Result<Self, Missing> {
        use std::io::Write as _;
        let registry = program("registry")?;
        let folder = tempfile::Builder::new().prefix("trueup-registry-").tempdir().expect("a folder").keep();
        let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it is bound").port();
        let auth = if is_private { "auth: {htpasswd: {realm: test, path: passwords}}\n" } else { "" };
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: store}}}}\n\
             http: {{addr: 127.0.0.1:{port}, secret: none}}\n{auth}"
        );
        fs::write(folder.join("config.yml"), config).expect("the folder is ours");
        fs::write(folder.join("passwords"), PASSWORDS).expect("the folder is ours");
        let mut supervisor = supervise(&folder);
        let input = supervisor.stdin.as_mut().expect("stdin is piped");
        let line = format!("{} serve config.yml >registry.log 2>&1", quoted(&registry.display().to_string()));
        writeln!(input, "{line}").expect("the supervisor listens");
        let this = Self { port, is_private, _supervisor: supervisor };
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(this);
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("the registry did not answer: {}", fs::read_to_string(folder.join("registry.log")).unwrap_or_default());
    }

    /// Host and port.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Pushes a packed chart below a path, with `helm push`.
    #[track_caller]
    pub(crate) fn push(&self, archive: &Path, below: &str) {
        let program = program("helm").expect("it packed the chart");
        let place = format!("oci://{}/{below}", self.host());
        let mut arguments = vec!["push", "--plain-http"];
        if self.is_private {
            arguments.extend(["--username", "ci", "--password", "s3cret"]);
        }
        let archive = archive.to_string_lossy();
        arguments.extend([&*archive, &*place]);
        helm(&program, Path::new("/"), &arguments);
    }

    /// Pushes an artifact of one layer, as `oras push` does; its digest.
    pub(crate) fn push_layer(&self, repository: &str, tag: &str, media_type: &str, layer: &[u8]) -> String {
        let digest = |bytes: &[u8]| format!("sha256:{}", sha256(bytes));
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::blocking::Client::new();
        let base = format!("http://{}/v2/{repository}", self.host());
        for blob in [layer, b"{}"] {
            let begun = client.post(format!("{base}/blobs/uploads/")).send().expect("the registry answers");
            let mut place = reqwest::Url::parse(begun.headers()["location"].to_str().expect("a URL")).expect("a URL");
            place.query_pairs_mut().append_pair("digest", &digest(blob));
            let ended = client.put(place).body(blob.to_vec()).send().expect("the registry answers");
            assert!(ended.status().is_success(), "{}", ended.status());
        }
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest(b"{}"), "size": 2},
            "layers": [{"mediaType": media_type, "digest": digest(layer), "size": layer.len()}],
        })
        .to_string();
        self.push_manifest(repository, tag, MANIFEST, manifest)
    }

    /// Pushes an index of artifacts that are there, each by its digest.
    pub(crate) fn push_index(&self, repository: &str, tag: &str, digests: &[&str]) -> String {
        let size = |digest: &str| self.manifest(repository, digest).len();
        let manifests: Vec<_> = digests
            .iter()
            .map(|digest| serde_json::json!({"mediaType": MANIFEST, "digest": digest, "size": size(digest)}))
            .collect();
        let index = serde_json::json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).to_string();
        self.push_manifest(repository, tag, INDEX, index)
    }

    /// The digest that a tag leads to.
    pub(crate) fn digest(&self, repository: &str, tag: &str) -> String {
        format!("sha256:{}", sha256(&self.manifest(repository, tag)))
    }

    fn manifest(&self, repository: &str, tag: &str) -> Vec<u8> {
        let place = format!("http://{}/v2/{repository}/manifests/{tag}", self.host());
        let answer = reqwest::blocking::Client::new().get(place).header("accept", MANIFEST).send();
        answer.expect("the registry answers").bytes().expect("a manifest").to_vec()
    }

    fn push_manifest(&self, repository: &str, tag: &str, media_type: &str, manifest: String) -> String {
        let digest = format!("sha256:{}", sha256(manifest.as_bytes()));
        let place = format!("http://{}/v2/{repository}/manifests/{tag}", self.host());
        let request = reqwest::blocking::Client::new().put(place).header("content-type", media_type);
        let ended = request.body(manifest).send().expect("the registry answers");
        assert!(ended.status().is_success(), "{}", ended.status());
        digest
    }
}

/// A digest, as registries and indexes write it.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    format!("{:x}", bytes::Bytes::copy_from_slice(&sha2::Sha256::digest(bytes)))
}
