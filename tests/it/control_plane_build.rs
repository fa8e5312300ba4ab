//! `tests/control-plane/build`: where the programs come from on a machine that is not the author's.
//!
//! The compiler is played by a script, so that this takes no eight minutes.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A machine with a shell and git, and with nothing of Go but what a test puts there.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let this = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(this.programs()).unwrap();
        let paths = std::env::var_os("PATH").unwrap();
        for name in ["bash", "cat", "chmod", "cut", "dirname", "flock", "git", "mkdir", "mktemp", "mv", "rm", "sleep"] {
            if let Some(found) = std::env::split_paths(&paths).map(|path| path.join(name)).find(|path| path.exists()) {
                symlink(found, this.programs().join(name)).unwrap();
            }
        }
        this
    }

    fn programs(&self) -> PathBuf {
        self.folder.path().join("programs")
    }

    fn script(&self, path: &Path, text: &str) {
        fs::write(path, format!("#!{}/bash\n{text}", self.programs().display())).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn build(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs().join("bash"));
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/control-plane/build")).arg(name).env_clear();
        command.env("PATH", self.programs()).env("TRUEUP_TEST_CACHE", self.folder.path().join("cache"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn text(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// A newcomer without Go is told what to install, and the tests know to skip.
#[test]
fn without_go_the_build_says_what_to_install() {
    let output = Machine::new().build("kwok").output().unwrap();

    let (stdout, stderr) = text(&output);
    assert_eq!(output.status.code(), Some(69), "{stderr}");
    assert_eq!(stdout, "");
    assert!(stderr.contains("install Go 1.26 or newer"), "{stderr}");
}

/// Programs of one's own come first; envtest's folder after them.
#[test]
fn programs_of_ones_own_are_taken_before_any_build() {
    let machine = Machine::new();
    let [own, envtest] = ["own", "envtest"].map(|name| machine.folder.path().join(name));
    for folder in [&own, &envtest] {
        fs::create_dir(folder).unwrap();
        machine.script(&folder.join("kubectl"), "");
    }
    machine.script(&envtest.join("etcd"), "");
    let found = |name: &str| {
        let output = machine.build(name).env("TRUEUP_TEST_BIN", &own).env("KUBEBUILDER_ASSETS", &envtest).output();
        text(&output.unwrap()).0
    };

    assert_eq!(found("kubectl"), format!("kubectl={}/kubectl\n", own.display()));
    assert_eq!(found("etcd"), format!("etcd={}/etcd\n", envtest.display()));
}

/// Two test runs that start at once build once, and neither sees half a program.
#[test]
fn two_runs_at_once_build_once() {
    let machine = Machine::new();
    let count = machine.folder.path().join("count");
    let compiler = format!(
        r#"echo built >>"{}"
while [ "$1" != -o ]; do shift; done
echo half >"$2"; sleep 1; echo whole >"$2"; chmod +x "$2""#,
        count.display()
    );
    machine.script(&machine.programs().join("go"), &compiler);

    let runs = [machine.build("kwok").spawn().unwrap(), machine.build("kwok").spawn().unwrap()];
    let outputs = runs.map(|run| text(&run.wait_with_output().unwrap()));

    let path = outputs[0].0.trim_end().strip_prefix("kwok=").unwrap_or_else(|| panic!("{}", outputs[0].1));
    assert_eq!(outputs[0].0, outputs[1].0);
    assert_eq!(fs::read_to_string(path).unwrap(), "whole\n");
    let builds = fs::read_to_string(count).unwrap().lines().count();
    let locks = machine.programs().join("flock").exists();
    assert_eq!(builds, if locks { 1 } else { 2 });
}
