//! Whether a plugin knows a folder as its own.
//!
//! Rules: Argo CD cmpserver/plugin/plugin.go `matchRepository`: a file name, else a pattern, else a command that writes something.

use std::fs;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use super::{Discover, PluginDefinition, PluginError, PluginRun};
use crate::render::{RenderInput, paths};

/// How deep folders are looked into: deeper is an attack on whoever walks them.
const DEPTH: usize = 128;

pub(super) fn fits(plugin: &PluginDefinition, input: &RenderInput<'_>) -> Result<bool, PluginError> {
    match &plugin.discover {
        None => Ok(false),
        Some(Discover::FileName(pattern) | Discover::Glob(pattern)) => {
            let glob = glob(plugin, pattern)?;
            has_match(input.folder, input.folder, &glob, 0)
                .map_err(|source| PluginError::Copy { plugin: plugin.to_string(), source })
        }
        Some(Discover::Command(line)) => {
            let output = PluginRun::new(plugin, input)?.run("discover", line)?;
            Ok(output.success() && !output.stdout.is_empty())
        }
    }
}

fn glob(plugin: &PluginDefinition, pattern: &str) -> Result<GlobMatcher, PluginError> {
    let path = pattern.trim_start_matches("./");
    let glob = GlobBuilder::new(path).literal_separator(true).backslash_escape(true).empty_alternates(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|source| PluginError::Glob {
        plugin: plugin.to_string(),
        pattern: pattern.to_owned(),
        source,
    })
}

fn has_match(base: &Path, folder: &Path, glob: &GlobMatcher, depth: usize) -> std::io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name() == ".git" {
            continue;
        }
        let is_folder = entry.file_type()?.is_dir();
        let matches = glob.is_match(paths::relative(base, &path));
        if matches || (is_folder && depth < DEPTH && has_match(base, &path, glob, depth + 1)?) {
            return Ok(true);
        }
    }
    Ok(false)
}
