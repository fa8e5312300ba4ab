//! Renders a kustomization by the official `kustomize` program, or by the one inside of kubectl.
//!
//! In: the kustomization's folder, `source.kustomize`, the build options. Out: the objects that `kustomize build` writes.
//! What the Application changes is written into a copy of the folder; a build that may fetch charts runs in a copy of the
//! whole repository.
//!
//! Rules: Argo CD util/kustomize/kustomize.go `Build`, `parseKustomizeBuildOptions`.

mod edit;
mod error;
mod image;
mod kustomization;
mod survey;

pub use error::KustomizeError;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use self::kustomization::Kustomization;
use self::survey::{Allowed, Survey};
use super::input::Made;
use super::program::{self, Home, Program, ProgramCall, ProgramError, ProgramSettings};
use super::working_copy::{CopyScope, WorkingCopy};
use super::{RenderError, RenderInput, capabilities};
use crate::app::source::Kustomize;
use crate::render::Target;

/// The error of a Kustomize that cannot pass cluster data to charts yet; Argo CD passes none, either.
const BEFORE_5_3: &str = "unknown flag: --helm-";

pub(super) fn render(input: &RenderInput<'_>) -> Result<Made, RenderError> {
    let default = Kustomize::default();
    let options = input.source.kustomize.as_ref().unwrap_or(&default);
    let program = Program::kustomize(&input.settings.programs)?;
    let home = Home::new().map_err(|source| ProgramError::NoPlace { place: input.place(), source })?;
    refuse_other_version(&program, options, input)?;
    let build_options = &input.settings.programs.kustomize_build_options;
    let survey = look_around(input, options)?;
    // Programs and containers that kustomizations name may write anything.
    let runs_others = build_options.iter().any(|option| option.starts_with("--enable-alpha-plugins"));
    let copy = copy(options, &home, input)?;
    let (root, folder) = copy.as_ref().map_or((input.root, input.folder), |copy| (&copy.root, &copy.folder));
    let args = arguments(&program, folder, &input.settings.programs)?;
    let cluster_arguments = cluster_arguments_of(options, input)?;
    let plain = args.len();
    let mut call = ProgramCall {
        args: args.into_iter().chain(cluster_arguments).collect(),
        folder: root,
        whereabouts: "at the repository's root",
        variables: variables(&home, input, survey.is_fetched)?,
    };
    let mut output = program.run(&call, &home, input)?;
    if !output.success() && String::from_utf8_lossy(&output.stderr).contains(BEFORE_5_3) {
        call.args.truncate(plain);
        output = program.run(&call, &home, input)?;
    }
    if !output.success() {
        // The folder is in the root: its name becomes what a reader knows it as, too.
        let hidden = [(root, ""), (home.path(), "(temporary)"), (input.root, "")];
        return Err(program.failed(&call, &output, &hidden, input).into());
    }
    let unnamed = input.shown("kustomization.yaml");
    let objects = program::objects(&program, &output.stdout, &unnamed, input)?;
    let target = Target { objects, ..Target::default() };
    Ok(Made { target, repeatable: !survey.is_fetched && !runs_others })
}

fn look_around(input: &RenderInput<'_>, options: &Kustomize) -> Result<Survey, KustomizeError> {
    let build_options = &input.settings.programs.kustomize_build_options;
    let allowed = Allowed {
        files_anywhere: build_options.iter().any(|option| option.contains("LoadRestrictionsNone")),
        charts: is_helm_enabled(&input.settings.programs),
    };
    survey::survey(input, &options.components, allowed)
}

/// Whether charts are, or may be, among what is built: in bases elsewhere nobody can look for them.
pub(super) fn may_differ_each_time(input: &RenderInput<'_>) -> bool {
    let default = Kustomize::default();
    let options = input.source.kustomize.as_ref().unwrap_or(&default);
    is_helm_enabled(&input.settings.programs) && look_around(input, options).is_ok_and(|survey| survey.is_fetched)
}

/// Whether what is built may depend on which APIs the cluster has: charts may be among it, and the source names no APIs.
pub(super) fn may_ask_for_apis(input: &RenderInput<'_>) -> bool {
    let default = Kustomize::default();
    let options = input.source.kustomize.as_ref().unwrap_or(&default);
    options.api_versions.is_empty()
        && is_helm_enabled(&input.settings.programs)
        && look_around(input, options).is_ok_and(|survey| survey.is_fetched)
}

/// The build environment; where something is fetched, what opens the repository's server, too: bases may lie in other
/// repositories of it.
fn variables(home: &Home, input: &RenderInput<'_>, is_fetched: bool) -> Result<Vec<(String, String)>, RenderError> {
    let environment = input.environment();
    let mut variables: Vec<(String, String)> =
        environment.variables().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if is_fetched {
        variables.extend(program::git_access(home.path(), input)?);
    }
    Ok(variables)
}

/// A folder to write in, where something is to be written.
fn copy(options: &Kustomize, home: &Home, input: &RenderInput<'_>) -> Result<Option<WorkingCopy>, RenderError> {
    let around = match (is_helm_enabled(&input.settings.programs), edit::is_needed(options)) {
        // Charts are unpacked beside the kustomization that asks for them, whichever that is.
        (true, _) => CopyScope::Copied,
        (false, true) => CopyScope::Linked,
        (false, false) => return Ok(None),
    };
    let copy = WorkingCopy::of(input.root, input.folder, around, &home.path().join("repository"))
        .map_err(|source| ProgramError::NoPlace { place: input.place(), source })?;
    if edit::is_needed(options) {
        let shown = input.shown_folder();
        let kustomization =
            Kustomization::of(&copy.folder, &shown)?.ok_or(KustomizeError::Missing { folder: shown })?;
        edit::apply(&copy.folder, kustomization, options, &input.environment())?;
    }
    Ok(Some(copy))
}

fn is_helm_enabled(settings: &ProgramSettings) -> bool {
    settings.kustomize_build_options.iter().any(|option| option.starts_with("--enable-helm"))
}

/// The programs that take part: Kustomize, and the Helm that it starts where charts are enabled.
pub(super) fn programs(settings: &ProgramSettings) -> Result<Vec<Program>, ProgramError> {
    let mut programs = vec![Program::kustomize(settings)?];
    if is_helm_enabled(settings) {
        let named = named_helm(&settings.kustomize_build_options);
        let helm = named.map_or_else(|| settings.helm.clone(), |named| Some(PathBuf::from(named)));
        programs.push(Program::helm(&ProgramSettings { helm, ..settings.clone() })?);
    }
    Ok(programs)
}

/// The value of `--helm-command`, as `--helm-command helm3` or `--helm-command=helm3`; the last one counts.
fn named_helm(build_options: &[String]) -> Option<&str> {
    let following = build_options.iter().skip(1).map(String::as_str).chain([""]);
    let named = build_options.iter().zip(following).filter_map(|(option, next)| {
        let value = option.strip_prefix("--helm-command")?;
        if value.is_empty() { Some(next) } else { value.strip_prefix('=') }
    });
    named.last()
}

fn arguments(program: &Program, folder: &Path, settings: &ProgramSettings) -> Result<Vec<OsString>, ProgramError> {
    let verb = if program.name == "kustomize" { "build" } else { "kustomize" };
    let mut args: Vec<OsString> = vec![verb.into(), folder.into()];
    args.extend(settings.kustomize_build_options.iter().map(OsString::from));
    if is_helm_enabled(settings) && named_helm(&settings.kustomize_build_options).is_none() {
        args.extend(["--helm-command".into(), Program::helm(settings)?.path.into_os_string()]);
    }
    Ok(args)
}

/// The cluster data that charts receive.
fn cluster_arguments_of(options: &Kustomize, input: &RenderInput<'_>) -> Result<Vec<OsString>, KustomizeError> {
    if !is_helm_enabled(&input.settings.programs) {
        return Ok(Vec::new());
    }
    let version = capabilities::kube_version(&options.kube_version, input.kinds)
        .map_err(|source| KustomizeError::KubeVersion { source })?;
    let version = version.map(|version| ("--helm-kube-version", version));
    let served = capabilities::api_versions(&options.api_versions, input.kinds);
    let served = served.into_iter().map(|served| ("--helm-api-versions", served));
    Ok(version.into_iter().chain(served).flat_map(|(option, value)| [option.into(), value.into()]).collect())
}

/// Argo CD keeps programs by version; here there is one, and it has to be the one that is asked for.
fn refuse_other_version(program: &Program, options: &Kustomize, input: &RenderInput<'_>) -> Result<(), RenderError> {
    if options.version.is_empty() {
        return Ok(());
    }
    let said = program.version(input)?;
    let wanted = options.version.trim_start_matches('v');
    let is_it = said.split(|letter: char| !letter.is_ascii_digit() && letter != '.').any(|word| word == wanted);
    if is_it {
        return Ok(());
    }
    let found = said.lines().last().unwrap_or_default().trim().to_owned();
    Err(KustomizeError::Version { wanted: options.version.clone(), found }.into())
}
