//! Sources that official programs render: what trueup makes of them is what the programs write.
//!
//! The expected objects are never written by hand: each test runs the official program on the same files.

mod cache;
mod determinism;
mod helm;
mod kustomize;
mod parameters;
mod read_only;
mod references;
mod settings;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use trueup::object::yaml::{self, Limits, WithPositions};

use crate::harness::{Outcome, Run, TestApplication, trueup};

/// What an official program writes, run in a folder with a home of its own.
#[track_caller]
fn official(program: &Path, folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let home = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home.path()).current_dir(folder).args(arguments);
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    let output = command.output().expect("the program can be started");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {}: {words}", program.display(), arguments.join(" "));
    let text = String::from_utf8(output.stdout).expect("YAML is text");
    let documents = yaml::read(&text, &Limits::default(), WithPositions::No);
    documents.into_iter().map(|document| without_namespace(document.expect("the program writes YAML").value)).collect()
}

/// Renders with these programs; everything else is as a user has it.
fn render(application: &TestApplication, programs: &[(&str, &Path)]) -> Run {
    programs
        .iter()
        .fold(trueup(["render", "-o", "json"]), |run, (variable, path)| run.env(variable, path))
        .of(application)
}

/// The objects of a run, without the namespaces that trueup fills in for every tool alike.
fn objects(outcome: &Outcome) -> Vec<Value> {
    let list = outcome.json();
    list["items"].as_array().expect("a list").iter().cloned().map(without_namespace).collect()
}

/// What a run says on standard error, and its exit code, the same on every machine.
fn told(outcome: &Outcome) -> String {
    let all = outcome.to_string();
    all.split_once("--- stderr\n").map_or("", |(_, told)| told).to_owned()
}

fn without_namespace(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("namespace");
    }
    object
}
