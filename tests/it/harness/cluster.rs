//! A namespace of its own for one test, on the API server that all share.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::account::TestAccount;
use super::control_plane::{ControlPlane, STRANGER_TOKEN};
use super::require::Missing;

/// A fresh namespace, and an administrator's way in.
#[derive(Debug)]
pub(crate) struct TestCluster {
    control_plane: &'static ControlPlane,
    namespace: String,
    kubeconfig: PathBuf,
    /// Held by the one test at a time that uses the API server of [`Self::alone`].
    _turn: Option<MutexGuard<'static, ()>>,
}

impl TestCluster {
    /// A fresh namespace; the API server starts on first use.
    pub(crate) fn namespace() -> Result<Self, Missing> {
        Ok(Self::in_namespace(ControlPlane::shared()?))
    }

    fn in_namespace(control_plane: &'static ControlPlane) -> Self {
        static COUNTED: AtomicUsize = AtomicUsize::new(1);
        let namespace = format!("test-{:04}", COUNTED.fetch_add(1, Ordering::Relaxed));
        let kubeconfig = control_plane.administrator(&namespace, &namespace);
        let this = Self { control_plane, namespace, kubeconfig, _turn: None };
        this.kubectl(["create", "namespace", &this.namespace]);
        this
    }

    /// As [`Self::namespace`], with controllers: Deployments get Pods, Pods become ready, Jobs complete.
    pub(crate) fn with_controllers() -> Result<Self, Missing> {
        Ok(Self::in_namespace(ControlPlane::with_controllers()?))
    }

    /// As [`Self::namespace`], on an API server that no other test uses meanwhile: for what everybody would notice.
    pub(crate) fn alone() -> Result<Self, Missing> {
        static TURN: Mutex<()> = Mutex::new(());
        // A test that failed has left nothing half done in an empty lock.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Self { _turn: Some(turn), ..Self::in_namespace(ControlPlane::alone()?) })
    }

    /// The namespace's name.
    pub(crate) fn name(&self) -> &str {
        &self.namespace
    }

    /// The API server's URL.
    pub(crate) fn server(&self) -> &str {
        self.control_plane.server()
    }

    /// The administrator's kubeconfig: one context, in the namespace.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The name of the kubeconfig's context.
    pub(crate) fn context(&self) -> &str {
        &self.namespace
    }

    /// Runs kubectl as the administrator in the namespace; it has to succeed. Returns its output.
    #[track_caller]
    pub(crate) fn kubectl<const N: usize>(&self, arguments: [&str; N]) -> String {
        succeeded(&arguments, &self.try_kubectl(self.kubeconfig(), &arguments, ""))
    }

    /// `kubectl apply -f -`, client-side as most people do it.
    #[track_caller]
    pub(crate) fn apply(&self, manifests: impl std::fmt::Display) -> String {
        let arguments = ["apply", "-f", "-"];
        succeeded(&arguments, &self.try_kubectl(self.kubeconfig(), &arguments, &manifests.to_string()))
    }

    /// Makes CRDs that several tests use, and waits until they are served.
    #[track_caller]
    pub(crate) fn define(&self, definitions: &str, names: &[&str]) {
        // One API server is shared by all tests: two at once would both find no definition, and make it.
        static ONE_BY_ONE: Mutex<()> = Mutex::new(());
        let _turn = ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
        self.apply(definitions);
        for name in names {
            let definition = format!("crd/{name}");
            self.kubectl(["wait", "--for=condition=Established", &definition, "--timeout=60s"]);
        }
    }

    /// kubectl as whoever the kubeconfig says, whatever comes of it.
    pub(crate) fn try_kubectl(&self, kubeconfig: &Path, arguments: &[&str], input: &str) -> Output {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        self.control_plane.kubectl(kubeconfig, &arguments, input)
    }

    /// Runs kubectl as the administrator with a variable set, whatever comes of it.
    pub(crate) fn kubectl_with(&self, variable: (&str, &str), arguments: &[&str], input: &str) -> Output {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        self.control_plane.kubectl_with(Some(variable), self.kubeconfig(), &arguments, input)
    }

    /// A service account of the namespace, without any right until [`TestAccount::may`].
    pub(crate) fn account(&self, name: &str) -> TestAccount<'_> {
        self.kubectl(["create", "serviceaccount", name]);
        TestAccount::new(self, name, self.kubeconfig_of(&self.namespace, name))
    }

    /// A kubeconfig that logs in as a service account, of any namespace.
    pub(crate) fn kubeconfig_of(&self, namespace: &str, account: &str) -> PathBuf {
        let token = self.kubectl(["create", "token", account, "--namespace", namespace]);
        self.control_plane.kubeconfig(&format!("{namespace}-{account}"), token.trim(), namespace)
    }

    /// A kubeconfig of a user that nobody gave any right.
    pub(crate) fn stranger(&self) -> PathBuf {
        self.control_plane.kubeconfig(&format!("{}-stranger", self.namespace), STRANGER_TOKEN, &self.namespace)
    }

    /// A kubeconfig whose token the API server does not know.
    pub(crate) fn unknown_token(&self) -> PathBuf {
        self.control_plane.kubeconfig(&format!("{}-unknown", self.namespace), "nobody-knows-it", &self.namespace)
    }

    /// Where the control plane keeps its files.
    pub(crate) fn control_plane_folder(&self) -> &Path {
        self.control_plane.folder()
    }
}

#[track_caller]
fn succeeded(arguments: &[&str], output: &Output) -> String {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "kubectl {}: {}\n{stdout}{stderr}", arguments.join(" "), output.status);
    stdout.into_owned()
}
