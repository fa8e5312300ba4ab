//! Renders a Helm chart by the official `helm` program.
//!
//! In: the chart's folder, `source.helm`, what the cluster serves. Out: the objects that `helm template` writes, hooks and
//! definitions among them, each with the template that it comes from. Dependencies that the repository lacks are built in
//! a copy of the chart, and only when Helm says that they are missing.
//!
//! Rules: Argo CD reposerver/repository/repository.go `helmTemplate`, util/helm/cmd.go `template`.

mod arguments;
mod dependencies;
mod determinism;
mod error;
mod parameters;
mod repositories;
mod run;
mod strvals;
mod values;

pub(super) use determinism::{asks_for_apis, may_differ_each_time};
pub use error::HelmError;

use self::arguments::HelmArguments;
use self::parameters::SetValues;
use self::run::{HelmRefusal, HelmRun};
use super::input::Made;
use super::program::{self, Home, Program, ProgramError};
use super::{RenderError, RenderInput};
use crate::render::Target;

pub(super) fn render(input: &RenderInput<'_>) -> Result<Made, RenderError> {
    let program = Program::helm(&input.settings.programs)?;
    let home = Home::new().map_err(|source| ProgramError::NoPlace { place: input.place(), source })?;
    let mut arguments = HelmArguments::of(input, &home)?;
    let before = HelmRun { input, program: &program, home: &home, arguments: &arguments }.values_before()?;
    let refused = |(name, why)| HelmError::Parameter { name, why };
    let values = SetValues::of(&arguments.parameters, &before).map_err(refused)?;
    arguments.set(values, &home).map_err(|source| ProgramError::NoPlace { place: input.place(), source })?;
    let run = HelmRun { input, program: &program, home: &home, arguments: &arguments };
    let mut repeatable = arguments.repeatable;
    let mut warnings = arguments.warnings.clone();
    let output = match run.template(input.folder, input.root)? {
        Ok(output) => output,
        Err(HelmRefusal { missing_dependencies: true, .. }) => {
            let built = dependencies::build(&run)?;
            repeatable &= built.repeatable;
            warnings.extend(built.warning);
            run.template(&built.copy.folder, &built.copy.root)?.map_err(|refusal| refusal.error)?
        }
        Err(refusal) => return Err(refusal.error.into()),
    };
    let unnamed = input.shown("Chart.yaml");
    let objects = program::objects(&program, &output, &unnamed, input)?;
    Ok(Made { target: Target { objects, warnings, ..Target::default() }, repeatable })
}
