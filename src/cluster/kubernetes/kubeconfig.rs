//! Reads kubeconfig files: those of `--kubeconfig`, else of `KUBECONFIG`, else `~/.kube/config`, merged into one.
//!
//! In: paths. Out: one `Kubeconfig` whose file names are absolute, or nothing when there is no file. Errors name the
//! file and the field's type, never a value: it may be a token.
//!
//! Rule: client-go tools/clientcmd/loader.go: the first file to set a value wins, files that are not there are left out.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use kube::config::Kubeconfig;
use serde_json::Value;

use crate::cluster::{ClusterError, ClusterSettings};
use crate::object::yaml::{self, Limits, WithPositions};

/// Reads and merges what the settings point to.
pub(super) fn read(settings: &ClusterSettings) -> Result<Option<Kubeconfig>, ClusterError> {
    if let Some(file) = &settings.kubeconfig {
        let missing = || ClusterError::Kubeconfig { file: file.clone(), problem: "the file does not exist".to_owned() };
        return read_file(file)?.ok_or_else(missing).map(Some);
    }
    let environment = &settings.environment;
    let files = if environment.kubeconfig.is_empty() {
        environment.home.iter().map(|home| home.join(".kube").join("config")).collect()
    } else {
        environment.kubeconfig.clone()
    };
    let mut merged: Option<Kubeconfig> = None;
    for file in files {
        if let Some(next) = read_file(&file)? {
            merged = Some(match merged {
                None => next,
                Some(first) => first.merge(next).map_err(|error| ClusterError::Kubeconfig {
                    file: file.clone(),
                    problem: format!("does not go together with the files before it: {error}"),
                })?,
            });
        }
    }
    Ok(merged)
}

/// One file; nothing when it does not exist.
fn read_file(file: &Path) -> Result<Option<Kubeconfig>, ClusterError> {
    let wrong = |problem: String| ClusterError::Kubeconfig { file: file.to_owned(), problem };
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(format!("the file cannot be read: {error}"))),
    };
    let text = yaml::decode(&bytes).map_err(|error| wrong(format!("line {}: {error}", error.line)))?;
    let value = match yaml::read(&text, &Limits::default(), WithPositions::No).into_iter().next() {
        None => return Ok(Some(Kubeconfig::default())),
        Some(Ok(document)) => document.value,
        Some(Err(error)) => return Err(wrong(format!("line {}: {error}", error.line))),
    };
    let mut kubeconfig = typed(value).map_err(wrong)?;
    let folder = std::path::absolute(file).ok().and_then(|file| file.parent().map(PathBuf::from));
    make_absolute(&mut kubeconfig, folder.as_deref().unwrap_or(Path::new("")));
    // An empty name is no name: client-go merges non-empty values only.
    kubeconfig.current_context = kubeconfig.current_context.filter(|name| !name.is_empty());
    Ok(Some(kubeconfig))
}

fn typed(value: Value) -> Result<Kubeconfig, String> {
    if value.is_null() {
        return Ok(Kubeconfig::default());
    }
    serde_json::from_value(value).map_err(|error| {
        let text = error.to_string();
        // serde's words quote the value, which may be a token: only what it expected is safe to show.
        match text.rsplit_once(", expected ") {
            Some((_, expected)) => format!("a field has the wrong type, expected {expected}"),
            None if text.starts_with("missing field") => text,
            None => "is not a kubeconfig".to_owned(),
        }
    })
}

/// File names are relative to the file they are written in.
fn make_absolute(kubeconfig: &mut Kubeconfig, folder: &Path) {
    let absolute = |name: &mut Option<String>| {
        if let Some(file) = name.take_if(|file| !file.is_empty()) {
            *name = Some(folder.join(file).to_string_lossy().into_owned());
        }
    };
    for cluster in kubeconfig.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        absolute(&mut cluster.certificate_authority);
    }
    for user in kubeconfig.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        absolute(&mut user.client_certificate);
        absolute(&mut user.client_key);
        absolute(&mut user.token_file);
        // A bare name is looked up on the PATH.
        if let Some(exec) = &mut user.exec
            && exec.command.as_deref().is_some_and(|command| command.contains(std::path::MAIN_SEPARATOR))
        {
            absolute(&mut exec.command);
        }
    }
}
