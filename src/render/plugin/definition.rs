//! A `ConfigManagementPlugin`: a renderer of the team's own, as a manifest describes it.
//!
//! In: the text of a file. Out: a [`PluginDefinition`], or what is wrong with it.
//!
//! Rules: Argo CD cmpserver/plugin/config.go.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::object::yaml::{self, Limits, WithPositions};

/// A plugin that may be run: the user named its file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PluginDefinition {
    /// `metadata.name`.
    pub name: String,
    /// `spec.version`; empty when the plugin has none.
    pub version: String,
    /// `spec.init`: run first, its output is not used.
    pub init: Option<PluginCommand>,
    /// `spec.generate`: writes the objects.
    pub generate: PluginCommand,
    /// `spec.discover`: which folders it renders without being named.
    pub discover: Option<Discover>,
    /// `spec.preserveFileMode`: whether executable files stay executable.
    pub preserve_file_mode: bool,
    /// `spec.provideGitCreds`: whether its git is let in where the source's repository is.
    pub provide_git_creds: bool,
}

/// A command line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct PluginCommand {
    /// The program, and its first arguments.
    #[serde(default)]
    pub command: Vec<String>,
    /// More arguments.
    #[serde(default)]
    pub args: Vec<String>,
}

/// How a plugin knows its folders; the first of these that is given counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discover {
    /// `fileName`: a pattern of files directly in the folder.
    FileName(String),
    /// `find.glob`: a pattern of files, however deep.
    Glob(String),
    /// `find.command`: it ends with exit code 0 and writes something.
    Command(PluginCommand),
}

/// Why a file is no plugin.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PluginFileError {
    /// The file cannot be read.
    #[error("the plugin `{file}` cannot be read")]
    #[diagnostic(code(trueup::render::plugin_file), help("`--plugin` takes the file of a `ConfigManagementPlugin`"))]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// It is not such a manifest.
    #[error("`{file}` is not a plugin: {fault}")]
    #[diagnostic(code(trueup::render::plugin_file), help("`--plugin` takes the file of a `ConfigManagementPlugin`"))]
    Wrong {
        /// The file.
        file: String,
        /// The fault.
        fault: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PluginManifest {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    metadata: PluginMetadata,
    #[serde(default)]
    spec: PluginSpecification,
}

#[derive(Default, Deserialize)]
struct PluginMetadata {
    #[serde(default)]
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PluginSpecification {
    version: String,
    init: PluginCommand,
    generate: PluginCommand,
    discover: Discovery,
    preserve_file_mode: bool,
    provide_git_creds: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Discovery {
    file_name: String,
    find: Find,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Find {
    command: Vec<String>,
    args: Vec<String>,
    glob: String,
}

impl PluginDefinition {
    /// Reads a plugin's manifest.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, PluginFileError> {
        let wrong = |fault: String| PluginFileError::Wrong { file: file.to_owned(), fault };
        let text = yaml::decode(bytes).map_err(|error| wrong(error.message))?;
        let document = yaml::read(&text, &Limits::default(), WithPositions::No).into_iter().next();
        let document = document.ok_or_else(|| wrong("it is empty".to_owned()))?;
        let document = document.map_err(|error| wrong(format!("line {}: {}", error.line, error.message)))?;
        let manifest: PluginManifest =
            serde_json::from_value(without_nulls(document.value)).map_err(|error| wrong(error.to_string()))?;
        if manifest.kind != "ConfigManagementPlugin" {
            return Err(wrong(format!("its kind is `{}`", manifest.kind)));
        }
        if manifest.metadata.name.is_empty() {
            return Err(wrong("it has no `metadata.name`".to_owned()));
        }
        let PluginSpecification { version, init, generate, discover, preserve_file_mode, provide_git_creds } =
            manifest.spec;
        if generate.command.is_empty() {
            return Err(wrong("it has no `spec.generate.command`".to_owned()));
        }
        Ok(Self {
            name: manifest.metadata.name,
            version,
            init: Some(init).filter(|init| !init.command.is_empty()),
            generate,
            discover: discover.first(),
            preserve_file_mode,
            provide_git_creds,
        })
    }

    /// Whether a source that names its plugin so means this one.
    ///
    /// Rule: `metadata.name`, or with the version `metadata.name-spec.version`.
    pub fn is_called(&self, name: &str) -> bool {
        name == self.name || (!self.version.is_empty() && name == format!("{}-{}", self.name, self.version))
    }
}

impl fmt::Display for PluginDefinition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        if self.version.is_empty() { Ok(()) } else { write!(formatter, "-{}", self.version) }
    }
}

impl PluginCommand {
    /// The program and all its arguments.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.command.iter().chain(&self.args).map(String::as_str)
    }
}

impl Discovery {
    fn first(self) -> Option<Discover> {
        let Find { command, args, glob } = self.find;
        if !self.file_name.is_empty() {
            Some(Discover::FileName(self.file_name))
        } else if !glob.is_empty() {
            Some(Discover::Glob(glob))
        } else if !command.is_empty() {
            Some(Discover::Command(PluginCommand { command, args }))
        } else {
            None
        }
    }
}

/// `null` is as absent, as it is for Go's decoder.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The manifest of Argo CD's own documentation, "Config Management Plugins".
    const DOCUMENTED: &str = "apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin\nmetadata:\n  name: my-plugin\nspec:\n  version: v1.0\n  init:\n    command: [sh]\n    args: [-c, 'echo \"Initializing...\"']\n  generate:\n    command: [sh, -c]\n    args:\n      - |\n        echo \"{}\"\n  discover:\n    fileName: \"./subdir/s*.yaml\"\n    find:\n      glob: \"**/Chart.yaml\"\n      command: [sh, -c, find . -name env.yaml]\n  parameters:\n    static:\n      - name: string-param\n  preserveFileMode: false\n  provideGitCreds: false\n";

    #[test]
    fn a_plugin_is_read_as_argo_cd_reads_it() {
        let plugin = PluginDefinition::read("plugin.yaml", DOCUMENTED.as_bytes()).unwrap();
        assert_eq!(plugin.to_string(), "my-plugin-v1.0");
        assert_eq!(plugin.generate.words().collect::<Vec<_>>(), ["sh", "-c", "echo \"{}\"\n"]);
        assert_eq!(plugin.discover, Some(Discover::FileName("./subdir/s*.yaml".to_owned())));
        for (name, expected) in
            [("my-plugin", true), ("my-plugin-v1.0", true), ("my-plugin-v2.0", false), ("my", false)]
        {
            assert_eq!(plugin.is_called(name), expected, "{name}");
        }
    }

    #[test]
    fn an_invalid_plugin_is_reported() {
        for (text, expected) in [
            ("", "`p.yaml` is not a plugin: it is empty"),
            ("kind: ConfigMap\n", "`p.yaml` is not a plugin: its kind is `ConfigMap`"),
            ("kind: ConfigManagementPlugin\n", "`p.yaml` is not a plugin: it has no `metadata.name`"),
            (
                "kind: ConfigManagementPlugin\nmetadata: {name: a}\nspec: {init: null}\n",
                "`p.yaml` is not a plugin: it has no `spec.generate.command`",
            ),
        ] {
            assert_eq!(PluginDefinition::read("p.yaml", text.as_bytes()).unwrap_err().to_string(), expected);
        }
    }
}
