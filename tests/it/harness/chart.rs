//! Charts, packed and published by the real `helm`.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::clean_command;
use super::require::{Missing, program};

/// Writes down what a chart is told, so that two renders can be compared.
const TEMPLATE: &str = r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-{{ .Chart.Name }}
data:
  chart: "{{ .Chart.Name }} {{ .Chart.Version }}"
  values: {{ .Values | toJson | quote }}
"#;

/// A folder of charts, each packed: what a Helm repository's server has.
#[derive(Debug)]
pub(crate) struct TestChart {
    helm: PathBuf,
    folder: TempDir,
}

impl TestChart {
    /// A folder without any.
    pub(crate) fn folder() -> Result<Self, Missing> {
        Ok(Self { helm: program("helm")?, folder: tempfile::tempdir().expect("a folder") })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Packs a chart into it that writes down its own version and values.
    pub(crate) fn with(self, name: &str, version: &str) -> Self {
        self.with_files(name, version, &[])
    }

    /// The same with more files: templates, `Chart.yaml`s of its own.
    pub(crate) fn with_files(self, name: &str, version: &str, files: &[(&str, &str)]) -> Self {
        let source = tempfile::tempdir().expect("a folder");
        let usual = [
            ("Chart.yaml", format!("apiVersion: v2\nname: {name}\nversion: {version}\n")),
            ("values.yaml", "colour: red\n".to_owned()),
            ("templates/values.yaml", TEMPLATE.to_owned()),
        ];
        let usual = usual.iter().map(|(path, text)| (*path, text.as_str()));
        for (path, text) in usual.chain(files.iter().copied()) {
            let path = source.path().join(path);
            fs::create_dir_all(path.parent().expect("it is in the folder")).expect("the folder is ours");
            fs::write(path, text).expect("the folder is ours");
        }
        helm(&self.helm, self.path(), &["package", &source.path().to_string_lossy()]);
        self
    }

    /// Writes `index.yaml`, as `helm repo index` does.
    pub(crate) fn indexed(self) -> Self {
        helm(&self.helm, self.path(), &["repo", "index", "."]);
        self
    }

    /// An archive in it.
    pub(crate) fn archive(&self, name: &str, version: &str) -> PathBuf {
        self.path().join(format!("{name}-{version}.tgz"))
    }
}

/// Runs helm in a folder, with a home of its own; what it wrote.
#[track_caller]
pub(crate) fn helm(program: &Path, folder: &Path, arguments: &[&str]) -> String {
    let home = tempfile::tempdir().expect("a folder");
    let output = clean_command(program, home.path()).current_dir(folder).args(arguments).output();
    let output = output.expect("helm can be started");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "helm {}: {words}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("it writes text")
}
