//! The request to the child that evaluates, and its answer.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How deep calls may nest. go-jsonnet counts calls alone and stops at 500; rsjsonnet counts variables, fields and items too.
pub(super) const MAX_STACK: usize = 10_000;

/// The programs of one source, and what they are given.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in super::super) struct EvaluationRequest {
    /// The checkout's root, links resolved.
    pub(in super::super) root: PathBuf,
    /// Where imports are looked for when they are not beside their program: the last folder first.
    pub(in super::super) search: Vec<PathBuf>,
    /// Libraries whose folder is not the one that imports name.
    pub(in super::super) packages: Vec<Package>,
    /// Files that another tool generates, if the checkout may lack them.
    pub(in super::super) generated: Option<Generated>,
    /// Whether `std.native` finds ksonnet's functions.
    pub(in super::super) natives: bool,
    /// `std.extVar`.
    pub(in super::super) external_variables: Vec<Variable>,
    /// Arguments of a program that is a function.
    pub(in super::super) top_level_arguments: Vec<Variable>,
    /// The programs to evaluate, in order.
    pub(in super::super) programs: Vec<JsonnetProgram>,
}

/// A library: imports below its name are files of its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Package {
    pub(in super::super) name: String,
    pub(in super::super) folder: PathBuf,
}

/// Files that a tool generates into a folder and that are not always kept in git.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Generated {
    /// The names in imports.
    pub(in super::super) files: Vec<String>,
    /// The folder that they are generated into, relative to the checkout.
    pub(in super::super) folder: String,
}

/// A variable, text or code.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct Variable {
    pub(in super::super) name: String,
    pub(in super::super) value: String,
    pub(in super::super) is_code: bool,
}

/// A program to evaluate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) enum JsonnetProgram {
    /// A file in the checkout.
    File(PathBuf),
    /// Text that no file holds.
    Text { name: String, text: String, folder: PathBuf },
}

/// The child's answer: the values of all programs, or those before the first that failed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct EvaluationAnswer {
    pub(super) values: Vec<String>,
    pub(super) fault: Option<EvaluationFault>,
}

/// Why a program has no value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct EvaluationFault {
    /// The program: a file relative to the root, or the name of a text.
    pub(super) program: String,
    pub(super) message: String,
    /// The folder of the generated file that is missing.
    pub(super) generated: Option<String>,
    pub(super) place: Option<Excerpted>,
    /// The trace, nearest first.
    pub(super) trace: Vec<String>,
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Excerpted {
    pub(super) file: String,
    pub(super) text: String,
    pub(super) offset: usize,
    pub(super) length: usize,
}
