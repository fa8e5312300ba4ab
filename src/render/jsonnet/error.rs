//! Everything that Jsonnet can say when it fails.

use std::fmt;

use miette::Diagnostic;
use thiserror::Error;

use crate::finding::Excerpt;
use crate::process::ProcessError;

/// Why Jsonnet programs gave no objects.
#[derive(Debug, Error, Diagnostic)]
pub enum JsonnetError {
    /// A program has no value.
    #[error("`{program}`: {message}")]
    #[diagnostic(code(trueup::render::jsonnet), help("run it alone with `jsonnet {program}`"))]
    Program {
        /// The program's file, relative to the checkout.
        program: String,
        /// The fault.
        message: String,
        /// Where.
        excerpt: Box<Excerpt>,
        /// The trace.
        #[source]
        trace: Option<Trace>,
    },
    /// A program imports a file that `ks` generates.
    #[error("`{program}`: {message}")]
    #[diagnostic(
        code(trueup::render::ksonnet_library),
        help(
            "`ks` generates it into `{folder}`, which `ks init` keeps out of git: run `ks show` once and commit the folder"
        )
    )]
    Generated {
        /// The program's file, relative to the checkout.
        program: String,
        /// The missing field.
        message: String,
        /// The folder that it is generated into, relative to the checkout.
        folder: String,
        /// The import.
        excerpt: Box<Excerpt>,
    },
    /// A program's value is no object.
    #[error("`{file}` returns no objects: {place} is {found}")]
    #[diagnostic(code(trueup::render::jsonnet_value), help("a program returns an object, or a list of objects"))]
    Value {
        /// The program's file, relative to the checkout.
        file: String,
        /// Which part of its value.
        place: String,
        /// The description.
        found: &'static str,
    },
    /// It takes too long.
    #[error("{programs} did not finish within {seconds} seconds")]
    #[diagnostic(
        code(trueup::render::jsonnet_time),
        help("look for a loop, or give it more time with `--render-timeout`")
    )]
    Time {
        /// The programs.
        programs: String,
        /// How long they had.
        seconds: u64,
    },
    /// It needs too much memory.
    #[error("{programs} used more than {} MiB of memory", limit >> 20)]
    #[diagnostic(code(trueup::render::jsonnet_memory), help("look for a list or a text that grows without end"))]
    Memory {
        /// The programs.
        programs: String,
        /// How much they had, in bytes.
        limit: u64,
    },
    /// Its values are too large.
    #[error("{programs} produced more than {} MiB", limit >> 20)]
    #[diagnostic(code(trueup::render::jsonnet_output), help("look for a list or a text that grows without end"))]
    Output {
        /// The programs.
        programs: String,
        /// How much they may give, in bytes.
        limit: usize,
    },
    /// The child that evaluates could not be run, or answered nothing that can be read.
    #[error("Jsonnet could not be evaluated")]
    #[diagnostic(code(trueup::render::jsonnet_child), help("run the command again"))]
    Child(#[source] ProcessError),
    /// A library folder is not in the checkout.
    #[error("`directory.jsonnet.libs` names `{library}`, which is not a folder of the repository")]
    #[diagnostic(code(trueup::render::library), help("name it from the repository's root, as in `libs: [vendor]`"))]
    Library {
        /// The folder.
        library: String,
    },
}

/// The trace of a fault, nearest first: a chain, as an error's causes are.
#[derive(Debug)]
pub struct Trace {
    step: String,
    next: Option<Box<Trace>>,
}

impl Trace {
    pub(super) fn of(steps: Vec<String>) -> Option<Self> {
        steps.into_iter().rev().fold(None, |next, step| Some(Self { step, next: next.map(Box::new) }))
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.step)
    }
}

impl std::error::Error for Trace {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.next.as_deref().map(|next| next as &(dyn std::error::Error + 'static))
    }
}
