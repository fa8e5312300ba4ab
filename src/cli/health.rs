//! `trueup health`: how well everything works; and the tests of a team's own scripts.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::time::Duration;

use super::arguments::health::HealthRuleArguments;
use super::arguments::judging::JudgingArguments;
use super::arguments::output::OutputArguments;
use super::customizations;
use super::manifests::ManifestPath;
use super::request;
use super::session::{Look, Session};
use super::watch::{self, parse_interval};
use crate::app::settings::Settings;
use crate::finding::{Code, Finding};
use crate::fleet::{self, Run};
use crate::object::yaml::{self, Limits, WithPositions};
use crate::object::{Object, type_name};
use crate::report::exit_status_of_tests;
use crate::report::health::test_results::{self, TestedCase};
use crate::report::health::text::{self as report, Judged};
use crate::status::health::suite::{self, CaseOutcome};
use crate::status::health::{Judge, ResourceHealth};

/// Show the health of every resource
///
/// Exits with 3 if an application is not healthy and with 2 on errors. With `-f` it assesses plain
/// manifests, such as `kubectl get -o yaml` prints, without a cluster.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct HealthArguments {
    #[command(subcommand)]
    tests: Option<HealthCommand>,
    #[command(flatten)]
    judging: JudgingArguments,
    /// Repeat until interrupted, and print the report whenever it changes [default: every 10s]
    #[arg(short, long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "10s",
        value_parser = parse_interval, conflicts_with = "filename", help_heading = "Output")]
    watch: Option<Duration>,
}

#[derive(Debug, clap::Subcommand)]
enum HealthCommand {
    Test(TestArguments),
}

/// Run the `health_test.yaml` files of a folder of health scripts, in Argo CD's format
///
/// Exits with 1 if a test fails.
#[derive(Debug, clap::Args)]
struct TestArguments {
    /// The folder with `<group>/<Kind>/health.lua` and `<group>/<Kind>/health_test.yaml`
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    output: OutputArguments,
}

impl HealthArguments {
    pub(super) fn look(&self) -> Look {
        match &self.tests {
            Some(HealthCommand::Test(test)) => Look::plain(test.output.verbosity()),
            None => self.judging.look(),
        }
    }
}

/// Reads, judges, reports; the exit code is a function of what was found.
pub(super) async fn health(arguments: HealthArguments, mut session: Session) -> u8 {
    if let Some(HealthCommand::Test(test)) = &arguments.tests {
        session.end_progress().await;
        return tests(test, &session);
    }
    let outputs = match arguments.judging.format.outputs() {
        Ok(outputs) => outputs,
        Err(findings) => return session.refuse(&findings),
    };
    if let Some(interval) = arguments.watch {
        let judging = arguments.judging;
        let look = async |session: &Session| of_applications(judging.clone(), session).await;
        let show = |session: &Session, run: &Run| {
            let judged = Judged { run, objects: &[], ending: None };
            session.terminal.reports(&outputs, |format, view| report::write(judged, format, view))
        };
        return watch::watch(interval, look, show, session).await;
    }
    let judged = if arguments.judging.selection.filename.is_empty() {
        of_applications(arguments.judging, &session).await.map(|run| (run, Vec::new()))
    } else {
        of_manifests(&arguments)
    };
    session.end_progress().await;
    let (run, objects) = match judged {
        Ok(judged) => judged,
        Err(findings) => return session.refuse(&findings),
    };
    session.terminal.findings_of(&run);
    let judged = Judged { run: &run, objects: &objects, ending: None };
    let unwritten = session.terminal.reports(&outputs, |format, view| report::write(judged, format, view));
    session.end(&unwritten, judged.exit_status())
}

async fn of_applications(judging: JudgingArguments, session: &Session) -> Result<Run, Vec<Finding>> {
    let (request, world, chosen) = judging.resolve(session).await?;
    fleet::health(request, &world).await.map_err(|errors| request::unselected(errors, &chosen))
}

/// Judges plain manifests; what cannot be read is a finding and hides nothing else.
fn of_manifests(arguments: &HealthArguments) -> Result<(Run, Vec<ResourceHealth>), Vec<Finding>> {
    let judge = arguments.judging.rules.judge(&arguments.judging.selection.argocd()?.settings)?;
    let (mut run, mut judged) = (Run::default(), Vec::new());
    for path in &arguments.judging.selection.filename {
        let (name, bytes) = read(path).map_err(|finding| vec![finding])?;
        let text = match yaml::decode(&bytes) {
            Ok(text) => text,
            Err(error) => {
                run.findings.push(unreadable(&name, error.line, error.message));
                continue;
            }
        };
        for document in yaml::read(&text, &Limits::default(), WithPositions::No) {
            match document {
                Ok(document) => objects(document.value, &judge, &mut |object| match object {
                    Ok(object) => judged.push(object),
                    Err(why) => run.findings.push(unreadable(&name, document.line, why)),
                }),
                Err(error) => run.findings.push(unreadable(&name, error.line, error.message)),
            }
        }
    }
    Ok((run, judged))
}

/// Every object of a document: a `List` has many.
fn objects(value: serde_json::Value, judge: &Judge, take: &mut impl FnMut(Result<ResourceHealth, String>)) {
    let object = match Object::new(value) {
        Ok(object) => object,
        Err(error) => return take(Err(error.to_string())),
    };
    if !object.kind().ends_with("List") {
        return take(Ok(ResourceHealth::of(&object, judge.health(&object))));
    }
    match object.into_value().get_mut("items").map(serde_json::Value::take) {
        Some(serde_json::Value::Array(items)) => items.into_iter().for_each(|item| objects(item, judge, take)),
        None | Some(serde_json::Value::Null) => {}
        Some(other) => take(Err(format!("`items` is {}, not a list", type_name(&other)))),
    }
}

fn read(path: &ManifestPath) -> Result<(String, Vec<u8>), Finding> {
    let limit = Limits::default().bytes as u64;
    let unreadable = |name: &str, cause: &std::io::Error| {
        Finding::error(Code::CliUnreadablePath, format!("{name}: cannot be read"))
            .with_cause(cause.to_string())
            .with_help("check its spelling and permissions")
    };
    let mut bytes = Vec::new();
    match path {
        ManifestPath::StandardInput if std::io::stdin().is_terminal() => {
            Err(Finding::error(Code::CliTerminalInput, "`-` reads standard input, which is a terminal")
                .with_help("pipe objects into it, as in `kubectl get deployments -o yaml | trueup health -f -`"))
        }
        ManifestPath::StandardInput => {
            let read = std::io::stdin().lock().take(limit + 1).read_to_end(&mut bytes);
            read.map(|_count| ("-".to_owned(), bytes)).map_err(|cause| unreadable("-", &cause))
        }
        ManifestPath::Path(path) => {
            let name = path.display().to_string();
            let read = File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes));
            read.map_err(|cause| unreadable(&name, &cause)).map(|_count| (name, bytes))
        }
    }
}

fn unreadable(name: &str, line: usize, why: String) -> Finding {
    Finding::error(Code::CliManifest, format!("{name}:{line}: health cannot be assessed"))
        .with_cause(why)
        .with_help("`-f` expects objects as `kubectl get -o yaml` prints them")
}

fn tests(arguments: &TestArguments, session: &Session) -> u8 {
    match run_tests(arguments) {
        Ok(cases) => {
            let verbose = arguments.output.verbose > 0;
            match session.terminal.data_with(|view| test_results::write(&cases, verbose, view)) {
                Ok(()) => exit_status_of_tests(&cases).code(),
                Err(error) => session.refuse(&[Finding::of(&error)]),
            }
        }
        Err(findings) => session.refuse(&findings),
    }
}

fn run_tests(arguments: &TestArguments) -> Result<Vec<TestedCase>, Vec<Finding>> {
    let as_finding = |error: customizations::CustomizationError| vec![Finding::of(&error)];
    let folder = &arguments.folder;
    let rules = HealthRuleArguments::of_folder(folder.clone());
    let judge = rules.judge(&Settings::default())?;
    let mut tested = Vec::new();
    for suite in customizations::suites(folder).map_err(as_finding)? {
        let text = customizations::text(&suite.file).map_err(as_finding)?;
        match suite::read(&text) {
            Ok(cases) => tested.extend(cases.into_iter().map(|case| {
                let outcome = match customizations::manifest(folder, &suite, &case.input) {
                    Ok(manifest) => suite::run(&case, &manifest, &judge),
                    Err(why) => CaseOutcome::Broken(why),
                };
                TestedCase { suite: suite.name.clone(), input: case.input, expected: case.expected, outcome }
            })),
            Err(why) => tested.push(TestedCase {
                suite: suite.name.clone(),
                input: suite.file.display().to_string(),
                expected: suite::CaseVerdict::default(),
                outcome: CaseOutcome::Broken(why),
            }),
        }
    }
    Ok(tested)
}
