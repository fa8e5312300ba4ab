//! Renders by a team's own program, as a `ConfigManagementPlugin` that the user named with `--plugin` describes it.
//!
//! In: a source, and the plugins that may be run. Out: the objects that `generate` writes. The program runs in a copy of the
//! repository, with a home and a temporary folder of its own, with the build environment, and with nothing of our own environment
//! but the search path. A plugin is never taken from a repository: that would be running a stranger's program.
//!
//! Rules: Argo CD cmpserver/plugin/plugin.go, reposerver/repository/repository.go `getPluginEnvs`.

mod copy;
mod definition;
mod discover;
mod environment;
mod error;
mod run;

pub use definition::{Discover, PluginCommand, PluginDefinition, PluginFileError};
pub use error::{PluginError, PluginOutput};

use self::run::PluginRun;
use super::{RenderError, RenderInput, stream};
use crate::render::Target;

/// Renders by the plugin that the source names, or by the one that knows its folder.
pub(super) fn render(input: &RenderInput<'_>) -> Result<Target, RenderError> {
    let plugin = chosen(input)?;
    let run = PluginRun::new(plugin, input)?.with_git_access()?;
    if let Some(init) = &plugin.init {
        run.succeeds("init", init)?;
    }
    let output = run.succeeds("generate", &plugin.generate)?;
    let name = format!("the output of plugin `{plugin}`");
    let objects = stream::objects(&output.stdout, &name, &super::paths::relative(input.root, input.folder))?;
    Ok(Target { objects, ..Target::default() })
}

/// The plugin that knows the folder of a source that names no tool, if there is one.
///
/// Rule: Argo CD util/app/discovery `cmpSupports`, which skips a plugin that fails.
pub(super) fn discovered<'a>(
    input: &RenderInput<'a>,
    passed_over: &mut Vec<PluginError>,
) -> Result<Option<&'a PluginDefinition>, PluginError> {
    for plugin in &input.settings.plugins {
        match discover::fits(plugin, input) {
            Ok(true) => return Ok(Some(plugin)),
            Ok(false) => {}
            Err(error) if input.cancel.is_cancelled() => return Err(error),
            Err(error) => passed_over.push(error),
        }
    }
    Ok(None)
}

fn chosen<'a>(input: &RenderInput<'a>) -> Result<&'a PluginDefinition, PluginError> {
    let asked = input.source.plugin.as_ref().map(|plugin| plugin.name.as_str()).unwrap_or_default();
    if asked.is_empty() {
        let mut passed_over = Vec::new();
        let not_given = PluginError::NotGiven { name: None, known: known(input) };
        return discovered(input, &mut passed_over)?.ok_or(passed_over.into_iter().next().unwrap_or(not_given));
    }
    let named = input.settings.plugins.iter().find(|plugin| plugin.is_called(asked));
    let plugin = named.ok_or_else(|| PluginError::NotGiven { name: Some(asked.to_owned()), known: known(input) })?;
    // Argo CD: a plugin that says which folders are its own is not run on others, even when it is named.
    if plugin.discover.is_some() && !discover::fits(plugin, input)? {
        let folder = super::paths::relative(input.root, input.folder);
        return Err(PluginError::DoesNotFit { plugin: plugin.to_string(), folder });
    }
    Ok(plugin)
}

fn known(input: &RenderInput<'_>) -> Vec<String> {
    input.settings.plugins.iter().map(PluginDefinition::to_string).collect()
}
