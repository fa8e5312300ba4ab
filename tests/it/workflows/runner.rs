//! A runner for GitHub workflows, as far as this repository's own use them: a job's steps in order, as they stand in the YAML.
//!
//! `run:` goes to bash as GitHub starts it, `uses:` of this repository's action runs `action.yml`, and the few actions of GitHub that
//! are used have a stand-in. Any other action, and an expression that is not understood, fails the test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::{Captures, Regex};
use serde_json::Value;
use tempfile::TempDir;
use trueup::object::yaml::{self, Limits, WithPositions};

use crate::harness::{clean_environment, folder_with};

/// A YAML file of the repository.
pub(crate) fn read_yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    let documents = yaml::read(&text, &Limits::default(), WithPositions::No);
    documents.into_iter().next().expect("a document").expect("it is YAML").value
}

/// A runner with a checkout.
pub(crate) struct Runner {
    folder: TempDir,
    workspace: PathBuf,
    /// What expressions name, such as `secrets.TOKEN`.
    context: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    paths: Vec<PathBuf>,
}

/// One step that was run.
#[derive(Debug)]
pub(crate) struct StepRun {
    pub(crate) code: i32,
    /// Standard output and standard error.
    pub(crate) log: String,
    pub(crate) outputs: BTreeMap<String, String>,
}

/// What a job came to.
#[derive(Debug, Default)]
pub(crate) struct JobRun {
    pub(crate) steps: Vec<StepRun>,
    pub(crate) summary: String,
    pub(crate) uploaded: Vec<PathBuf>,
}

impl JobRun {
    /// Whether no step failed.
    pub(crate) fn passed(&self) -> bool {
        self.steps.iter().all(|step| step.code == 0)
    }

    /// The log of all steps.
    pub(crate) fn log(&self) -> String {
        self.steps.iter().map(|step| step.log.as_str()).collect()
    }
}

/// The values of one level of steps: a job's, or an action's.
struct Scope {
    context: BTreeMap<String, String>,
    action: Option<PathBuf>,
}

impl Runner {
    /// A runner whose checkout is the folder.
    pub(crate) fn new(workspace: &Path, event: &str) -> Self {
        let folder = folder_with([]);
        let temp = folder.path().join("temp");
        fs::create_dir(&temp).unwrap();
        let value = |text: &str| text.to_owned();
        let context = [
            ("github.event_name", value(event)),
            ("github.repository", value("acme/infra")),
            ("runner.os", value("Linux")),
            ("runner.arch", value("X64")),
            ("runner.temp", temp.display().to_string()),
        ];
        let context = context.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let environment = [("RUNNER_TEMP", temp.display().to_string()), ("GITHUB_ACTIONS", value("true"))];
        let environment = environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { workspace: workspace.to_owned(), context, environment, paths: Vec::new(), folder }
    }

    /// A value that expressions can name.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.context.insert(name.to_owned(), value.into());
        self
    }

    /// A variable of every step.
    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.insert(name.to_owned(), value.into());
        self
    }

    /// The folder for temporary files.
    pub(crate) fn temp(&self) -> PathBuf {
        self.folder.path().join("temp")
    }

    /// Runs a job of a workflow.
    pub(crate) fn job(&mut self, workflow: &Path, name: &str) -> JobRun {
        let workflow = read_yaml(workflow);
        let job = &workflow["jobs"][name];
        let mut scope = Scope { context: self.context.clone(), action: None };
        let condition = job["if"].as_str().unwrap_or("true");
        assert!(holds(condition, &scope.context), "the job `{name}` does not run: {condition}");
        for (name, value) in job["env"].as_object().into_iter().flatten() {
            self.environment.insert(name.clone(), replaced(value.as_str().unwrap(), &scope.context));
        }
        let mut run = JobRun::default();
        self.steps(job["steps"].as_array().expect("steps"), &mut scope, &mut run);
        run
    }

    /// Runs this repository's action with inputs, as a job's only step.
    pub(crate) fn action(&mut self, inputs: &[(&str, &str)]) -> JobRun {
        let with: serde_json::Map<String, Value> =
            inputs.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        let step = serde_json::json!({"id": "trueup", "uses": "trueup-dev/trueup@v0.1.0", "with": with});
        let mut run = JobRun::default();
        let mut scope = Scope { context: self.context.clone(), action: None };
        self.steps(&[step], &mut scope, &mut run);
        run
    }

    fn steps(&mut self, steps: &[Value], scope: &mut Scope, run: &mut JobRun) {
        let mut failed = false;
        for step in steps {
            let condition = step["if"].as_str().unwrap_or("true");
            if (failed && !condition.contains("always()")) || !holds(condition, &scope.context) {
                continue;
            }
            let outputs = match (step["run"].as_str(), step["uses"].as_str()) {
                (Some(script), None) => self.script(script, step, scope, run),
                (None, Some(uses)) => self.uses(uses, step, scope, run),
                _ => panic!("a step has `run` or `uses`: {step:#}"),
            };
            if let Some(id) = step["id"].as_str() {
                let outputs = outputs.into_iter().map(|(name, value)| (format!("steps.{id}.outputs.{name}"), value));
                scope.context.extend(outputs);
            }
            failed |= run.steps.last().is_some_and(|step| step.code != 0);
        }
    }

    fn script(&mut self, script: &str, step: &Value, scope: &Scope, run: &mut JobRun) -> BTreeMap<String, String> {
        let file = |name: &str| self.folder.path().join(name);
        let files = ["output", "env", "path", "summary", "script"].map(file);
        let [output, env, path, summary, text] = &files;
        for file in [output, env, path] {
            fs::write(file, "").unwrap();
        }
        fs::write(text, replaced(script, &scope.context)).unwrap();
        let mut command = Command::new("bash");
        match step["shell"].as_str() {
            None => command.arg("-e"),
            Some("bash") => command.args(["--noprofile", "--norc", "-eo", "pipefail"]),
            Some(other) => panic!("unknown shell {other}"),
        };
        let search = std::env::var("PATH").unwrap();
        let search = self.paths.iter().map(|path| path.display().to_string()).chain([search]).collect::<Vec<_>>();
        command.arg(text).env_clear().envs(clean_environment(self.folder.path())).env("PATH", search.join(":"));
        command.envs(&self.environment).env("GITHUB_OUTPUT", output).env("GITHUB_ENV", env).env("GITHUB_PATH", path);
        command.env("GITHUB_STEP_SUMMARY", summary).env("GITHUB_WORKSPACE", &self.workspace);
        command.envs(scope.action.iter().map(|action| ("GITHUB_ACTION_PATH", action)));
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            command.env(name, replaced(value.as_str().unwrap(), &scope.context));
        }
        let ended = command.current_dir(&self.workspace).output().expect("bash is installed");
        let read = |file: &Path| fs::read_to_string(file).unwrap_or_default();
        self.environment.extend(pairs(&read(env)));
        self.paths.extend(read(path).lines().map(PathBuf::from));
        run.summary = read(summary);
        let log = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        let outputs: BTreeMap<String, String> = pairs(&read(output)).collect();
        run.steps.push(StepRun { code: ended.status.code().expect("it ends"), log, outputs: outputs.clone() });
        outputs
    }

    fn uses(&mut self, uses: &str, step: &Value, scope: &Scope, run: &mut JobRun) -> BTreeMap<String, String> {
        let with: BTreeMap<String, String> = step["with"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (name.clone(), replaced(&text, &scope.context))
            })
            .collect();
        match uses.split_once('@').expect("an action has a version") {
            // The test has made the checkout.
            ("actions/checkout", _) => {}
            // A cache that has it: what install.sh would compile.
            ("actions/cache", _) => {
                let bin = Path::new(&with["path"]).join("bin");
                fs::create_dir_all(&bin).unwrap();
                let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_trueup"), bin.join("trueup"));
            }
            ("actions/upload-artifact", _) => run.uploaded.push(PathBuf::from(&with["path"])),
            ("trueup-dev/trueup", _) => return self.composite(&with, run),
            (other, _) => panic!("no stand-in for the action {other}"),
        }
        BTreeMap::new()
    }

    /// This repository's action.yml.
    fn composite(&mut self, with: &BTreeMap<String, String>, run: &mut JobRun) -> BTreeMap<String, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let action = read_yaml(&root.join("action.yml"));
        let known = action["inputs"].as_object().expect("inputs");
        assert!(with.keys().all(|name| known.contains_key(name)), "unknown inputs: {with:?}");
        let mut context = self.context.clone();
        for (name, input) in known {
            let default = input["default"].as_str().unwrap_or_default().to_owned();
            context.insert(format!("inputs.{name}"), with.get(name).cloned().unwrap_or(default));
        }
        let mut scope = Scope { context, action: Some(root.to_owned()) };
        self.steps(action["runs"]["steps"].as_array().expect("steps"), &mut scope, run);
        let outputs = action["outputs"].as_object().expect("outputs").iter();
        outputs
            .map(|(name, output)| (name.clone(), replaced(output["value"].as_str().unwrap(), &scope.context)))
            .collect()
    }
}

fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// The text with each `${{ … }}` replaced.
fn replaced(text: &str, context: &BTreeMap<String, String>) -> String {
    let expression = Regex::new(r"(?s)\$\{\{(.*?)\}\}").unwrap();
    let value = |found: &Captures<'_>| {
        let inner = found[1].trim();
        if ["==", "!=", "&&"].iter().any(|operator| inner.contains(operator)) {
            holds(inner, context).to_string()
        } else {
            operand(inner, context)
        }
    };
    expression.replace_all(text, value).into_owned()
}

/// Terms with `&&`, each a comparison, `always()` or `true`.
fn holds(condition: &str, context: &BTreeMap<String, String>) -> bool {
    let condition = condition.trim().trim_start_matches("${{").trim_end_matches("}}");
    condition.split("&&").map(str::trim).all(|term| {
        let compare = |operator| {
            term.split_once(operator).map(|(left, right)| [left, right].map(|it| operand(it.trim(), context)))
        };
        match (term, compare("=="), compare("!=")) {
            ("true" | "always()", ..) => true,
            (_, Some([left, right]), _) => left == right,
            (_, _, Some([left, right])) => left != right,
            _ => panic!("this runner does not understand `{term}`"),
        }
    })
}

/// A literal or a value of a context; one that is not set is empty, as in GitHub's expressions.
fn operand(text: &str, context: &BTreeMap<String, String>) -> String {
    match text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        Some(literal) => literal.to_owned(),
        None if text == "null" => String::new(),
        None => {
            let is_path =
                ["github.", "runner.", "secrets.", "inputs.", "steps."].iter().any(|root| text.starts_with(root));
            assert!(is_path && !text.contains(' '), "this runner does not understand `{text}`");
            context.get(text).cloned().unwrap_or_default()
        }
    }
}
