//! One Kubernetes API server for the whole test binary, started on first use.
//!
//! In: the programs of `tests/control-plane/build`. Out: an address and an administrator's kubeconfig. A supervisor
//! (`tests/control-plane/supervise`) holds the other end of a pipe: however this process ends, it ends the children and
//! removes their folder.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine as _;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use super::clean_command;
use super::require::{Missing, control_plane_folder, program};

const ADMINISTRATOR_TOKEN: &str = "test-administrator";
/// A user that nobody gave any right.
pub(super) const STRANGER_TOKEN: &str = "test-stranger";
/// A busy machine is slow, a broken start is forever.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How a program that gives up says so in its log; waiting on would be in vain.
const LAST_WORDS: [&str; 2] = ["\"command failed\"", "\"level\":\"fatal\""];
/// RFC 5480: the DER that stands before the point of a P-256 public key.
const P256_PUBLIC_KEY_HEADER: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A running etcd and API server.
#[derive(Debug)]
pub(super) struct ControlPlane {
    folder: PathBuf,
    server: String,
    kubectl: PathBuf,
    /// Closing its input ends everything; that happens when this process ends, and not before.
    supervisor: Mutex<Child>,
}

impl ControlPlane {
    /// The control plane that most tests share.
    pub(super) fn shared() -> Result<&'static Self, Missing> {
        static SHARED: OnceLock<Result<ControlPlane, Missing>> = OnceLock::new();
        SHARED.get_or_init(Self::start).as_ref().map_err(Clone::clone)
    }

    /// Another one, for tests that want controllers: what these do in every namespace would disturb all other tests.
    pub(super) fn with_controllers() -> Result<&'static Self, Missing> {
        static SHARED: OnceLock<Result<ControlPlane, Missing>> = OnceLock::new();
        let started = SHARED.get_or_init(|| {
            let control_plane = Self::start()?;
            control_plane.start_controllers()?;
            Ok(control_plane)
        });
        started.as_ref().map_err(Clone::clone)
    }

    /// One more, for a test of which every other one would notice.
    pub(super) fn alone() -> Result<&'static Self, Missing> {
        static ALONE: OnceLock<Result<ControlPlane, Missing>> = OnceLock::new();
        ALONE.get_or_init(Self::start).as_ref().map_err(Clone::clone)
    }

    /// Where certificates, kubeconfigs and logs are; removed when this process ends.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// `https://127.0.0.1:<port>`.
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Writes a kubeconfig with one context, and returns its path.
    pub(super) fn kubeconfig(&self, name: &str, token: &str, namespace: &str) -> PathBuf {
        let path = self.folder.join(format!("{name}.kubeconfig"));
        let cluster =
            json!({"server": self.server, "certificate-authority": self.folder.join("certificates/apiserver.crt")});
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": name,
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        });
        fs::write(&path, format!("{kubeconfig:#}")).expect("the kubeconfig can be written");
        path
    }

    /// A kubeconfig of the administrator.
    pub(super) fn administrator(&self, name: &str, namespace: &str) -> PathBuf {
        self.kubeconfig(name, ADMINISTRATOR_TOKEN, namespace)
    }

    /// kubectl with this kubeconfig, its input, and nothing else of the outside.
    pub(super) fn kubectl(&self, kubeconfig: &Path, arguments: &[String], input: &str) -> Output {
        self.kubectl_with(None, kubeconfig, arguments, input)
    }

    pub(super) fn kubectl_with(
        &self,
        variable: Option<(&str, &str)>,
        kubeconfig: &Path,
        arguments: &[String],
        input: &str,
    ) -> Output {
        let mut command = clean_command(&self.kubectl, &self.folder);
        command.envs(variable);
        command.env("KUBECONFIG", kubeconfig).args(arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl can be started");
        // A kubectl that reads no input closes the pipe; that is no fault.
        let _ = child.stdin.take().expect("stdin is piped").write_all(input.as_bytes());
        child.wait_with_output().expect("kubectl ends")
    }

    /// A port that was free may be taken a moment later, by another test run for instance: then it tries again.
    fn start() -> Result<Self, Missing> {
        let programs = [program("etcd")?, program("kube-apiserver")?, program("kubectl")?];
        let mut logs = String::new();
        for _ in 0..3 {
            match Self::launch(&programs) {
                Ok(control_plane) => return Ok(control_plane),
                Err(failed) => logs = failed,
            }
            if !logs.contains("address already in use") {
                break;
            }
        }
        panic!("the API server does not start:\n{logs}");
    }

    /// One attempt; the ends of the logs where it fails. What it started ends with it.
    fn launch([etcd, apiserver, kubectl]: &[PathBuf; 3]) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("trueup-control-plane-").tempdir().expect("a folder").keep();
        let supervisor = supervise(&folder);
        prepare(&folder);
        let [client_port, peer_port, secure_port] = free_ports();
        let this = Self {
            server: format!("https://127.0.0.1:{secure_port}"),
            kubectl: kubectl.clone(),
            supervisor: Mutex::new(supervisor),
            folder,
        };
        let store = format!("http://127.0.0.1:{client_port}");
        let peers = format!("http://127.0.0.1:{peer_port}");
        this.spawn("etcd", etcd, &etcd_arguments(&store, &peers));
        this.spawn("kube-apiserver", apiserver, &apiserver_arguments(&store, secure_port));
        this.wait_until_ready()?;
        Ok(this)
    }

    fn start_controllers(&self) -> Result<(), Missing> {
        let (manager, scheduler, kwok) =
            (program("kube-controller-manager")?, program("kube-scheduler")?, program("kwok")?);
        let kubeconfig = self.administrator("controllers", "default");
        let own =
            [format!("--kubeconfig={}", kubeconfig.display()), "--leader-elect=false".into(), "--secure-port=0".into()];
        let of_manager = [
            "--service-account-private-key-file=service-account.key".to_owned(),
            "--horizontal-pod-autoscaler-sync-period=1s".to_owned(),
        ];
        self.spawn("kube-controller-manager", &manager, &[&own[..], &of_manager].concat());
        self.spawn("kube-scheduler", &scheduler, &own);
        let stages = control_plane_folder().join("stages");
        write_logs(&self.folder);
        let [kubelet_port, ..] = free_ports();
        let kwok_arguments = [
            own[0].clone(),
            "--manage-all-nodes".to_owned(),
            "--node-lease-duration-seconds=40".to_owned(),
            // The API server asks it for logs, as it asks a kubelet.
            "--node-ip=127.0.0.1".to_owned(),
            format!("--node-port={kubelet_port}"),
            format!("--server-address=127.0.0.1:{kubelet_port}"),
            format!("--config={}", stages.join("stages.yaml").display()),
            format!("--config={}", stages.join("logs.yaml").display()),
        ];
        self.spawn("kwok", &kwok, &kwok_arguments);
        let node = stages.join("node.yaml").display().to_string();
        let created = self.kubectl(&kubeconfig, &["apply".to_owned(), "-f".to_owned(), node], "");
        assert!(created.status.success(), "the node: {}", String::from_utf8_lossy(&created.stderr));
        Ok(())
    }

    /// Hands one program to the supervisor.
    fn spawn(&self, name: &str, program: &Path, arguments: &[String]) {
        let mut line = quoted(&program.display().to_string());
        for argument in arguments {
            line = format!("{line} {}", quoted(argument));
        }
        let mut supervisor = self.supervisor.lock().expect("nobody panics with the lock");
        let input = supervisor.stdin.as_mut().expect("stdin is piped");
        writeln!(input, "{line} >{name}.log 2>&1").expect("the supervisor listens");
    }

    fn wait_until_ready(&self) -> Result<(), String> {
        let started = Instant::now();
        let certificate = self.folder.join("certificates/apiserver.crt");
        let kubeconfig = self.administrator("administrator", "default");
        let readyz = ["get".to_owned(), "--raw=/readyz".to_owned()];
        while !certificate.exists() || !self.kubectl(&kubeconfig, &readyz, "").status.success() {
            let logs = self.log_tails();
            let given_up = LAST_WORDS.iter().any(|words| logs.contains(words));
            if given_up || started.elapsed() > START_LIMIT {
                return Err(logs);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    fn log_tails(&self) -> String {
        let tail = |name: &str| {
            let log = fs::read_to_string(self.folder.join(format!("{name}.log"))).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            format!("{name}:\n{}\n", lines[lines.len().saturating_sub(15)..].join("\n"))
        };
        tail("etcd") + &tail("kube-apiserver")
    }
}

/// Starts the supervisor in a process group of its own, so that Ctrl-C reaches only the tests and it can clean up.
pub(super) fn supervise(folder: &Path) -> Child {
    Command::new(control_plane_folder().join("supervise"))
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("the supervisor can be started")
}

/// The tokens and the key that signs those of service accounts.
fn prepare(folder: &Path) {
    let tokens = format!(
        "{ADMINISTRATOR_TOKEN},administrator,administrator,\"system:masters\"\n{STRANGER_TOKEN},stranger,stranger\n"
    );
    fs::write(folder.join("tokens.csv"), tokens).expect("the tokens can be written");
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).expect("a key");
    let pair =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &SystemRandom::new()).expect("a key");
    write_pem(&folder.join("service-account.key"), "PRIVATE KEY", key.as_ref());
    let public = [&P256_PUBLIC_KEY_HEADER[..], pair.public_key().as_ref()].concat();
    write_pem(&folder.join("service-account.pub"), "PUBLIC KEY", &public);
}

/// What `stages/logs.yaml` says that containers have written, as a container runtime keeps it.
fn write_logs(folder: &Path) {
    for (file, last) in
        [("app.log", "no database at \u{1b}[31mpostgres://shop:hunter2@db/shop"), ("app.previous.log", "out of money")]
    {
        let lines = (1..=30).map(|number| format!("line {number}")).chain([last.to_owned()]);
        let lines: Vec<String> =
            lines.map(|line| format!("2026-11-24T09:00:00.000000000Z stdout F {line}\n")).collect();
        let log = lines.concat();
        fs::write(folder.join(file), log).expect("the folder is ours");
    }
}

fn write_pem(path: &Path, label: &str, bytes: &[u8]) {
    let body = base64::engine::general_purpose::STANDARD.encode(bytes);
    fs::write(path, format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")).expect("the folder is ours");
}

/// Three different ports that nobody listens on.
fn free_ports() -> [u16; 3] {
    let listeners = [0; 3].map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("it is bound").port())
}

fn etcd_arguments(store: &str, peers: &str) -> Vec<String> {
    vec![
        "--data-dir=etcd".to_owned(),
        format!("--listen-client-urls={store}"),
        format!("--advertise-client-urls={store}"),
        format!("--listen-peer-urls={peers}"),
        "--unsafe-no-fsync".to_owned(),
    ]
}

fn apiserver_arguments(store: &str, port: u16) -> Vec<String> {
    vec![
        format!("--etcd-servers={store}"),
        format!("--secure-port={port}"),
        "--bind-address=127.0.0.1".to_owned(),
        "--cert-dir=certificates".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        "--service-account-signing-key-file=service-account.key".to_owned(),
        "--service-account-key-file=service-account.pub".to_owned(),
        "--token-auth-file=tokens.csv".to_owned(),
        "--authorization-mode=RBAC".to_owned(),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        "--allow-privileged=true".to_owned(),
    ]
}

/// One word for a shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
