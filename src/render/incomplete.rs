//! What a user reads about a part of git that could not be read.
//!
//! In: a [`Gap`]. Out: a [`Finding`] that names the place and one thing to do. No line of the file is shown: it may hold a Secret.

use crate::finding::{Code, Finding};
use crate::object::{Gap, GapReason};

/// An error, because the application cannot be compared in full.
pub fn finding(gap: &Gap) -> Finding {
    Finding::error(Code::RenderIncomplete, format!("the manifests are incomplete: {gap}"))
        .with_help(format!("{}; until then nothing that it may contain is pruned", help(gap)))
}

fn help(gap: &Gap) -> &'static str {
    match &gap.reason {
        GapReason::Misspelt { .. } | GapReason::MissingField(_) | GapReason::NotYaml(_) => {
            "correct it, or leave the file out with `directory.exclude`"
        }
        GapReason::NoName { .. } => "give it a name",
        GapReason::LfsPointer => "commit the file itself: Git LFS is not read",
        GapReason::Encrypted => "decrypt it with a plugin (`--plugin`), or leave the file out with `directory.exclude`",
        GapReason::DanglingLink => "remove the link, or add the file that it names",
        GapReason::NotAManifest => "delete the file, or leave it out with `directory.exclude`",
        GapReason::ApiUnavailable { .. } => "run again when the API answers (`kubectl get apiservices`)",
    }
}
