//! Everything that rendering can say when it fails.

use std::fmt;
use std::io;

use miette::{Diagnostic, LabeledSpan, SourceCode};
use thiserror::Error;

use super::jsonnet::JsonnetError;
use super::ksonnet::KsonnetError;
use super::plugin::PluginError;
use super::{HelmError, KustomizeError, ProgramError};
use crate::finding::{Excerpt, Finding, Severity};
use crate::object::NotAnObject;

/// Why a source could not be rendered. The application's name is put before it by the conductor.
#[derive(Debug, Error)]
pub enum RenderError {
    /// A file or a folder that cannot be read.
    #[error("`{file}` cannot be read")]
    Unreadable {
        /// The file, relative to the checkout.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A link that leads out of the checkout.
    #[error("`{file}` points outside its repository")]
    LeavesCheckout {
        /// The file, relative to the checkout.
        file: String,
    },
    /// More than a source may have.
    #[error("the manifests in `{folder}` are larger than {limit} bytes together")]
    TooLarge {
        /// The folder, relative to the checkout.
        folder: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// An invalid pattern.
    #[error("`directory.{field}` is not a glob: `{pattern}`")]
    Glob {
        /// `include` or `exclude`.
        field: &'static str,
        /// The pattern.
        pattern: String,
        /// Why.
        source: globset::Error,
    },
    /// A `.json` file is exactly one object.
    #[error("`{file}` holds {count} JSON values, not one")]
    SeveralInJson {
        /// The file, relative to the checkout.
        file: String,
        /// How many there are.
        count: usize,
    },
    /// A file of overrides that cannot be taken.
    #[error("{}", first(found, file))]
    Override {
        /// The file, relative to the checkout.
        file: String,
        /// The faults, at least one error.
        found: Vec<Finding>,
    },
    /// The output of a program is not a stream of objects.
    #[error("line {line} of {from} {fault}")]
    Stream {
        /// Whose output it is.
        from: String,
        /// The line in it, counted from 1.
        line: usize,
        /// The fault there.
        fault: String,
    },
    /// Jsonnet gave no objects.
    #[error(transparent)]
    Jsonnet(#[from] JsonnetError),
    /// A ksonnet application gave no objects.
    #[error(transparent)]
    Ksonnet(#[from] KsonnetError),
    /// A plugin gave no objects.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// A file that is not YAML.
    #[error("`{}` is not YAML: {message}", excerpt.file)]
    Syntax {
        /// The fault.
        message: String,
        /// Where.
        excerpt: Box<Excerpt>,
    },
    /// A document that is no Kubernetes object.
    #[error("a document in `{}` {fault}", excerpt.file)]
    NotAnObject {
        /// Where.
        excerpt: Box<Excerpt>,
        /// The type that was found.
        fault: NotAnObject,
    },
    /// The input of Helm is invalid.
    #[error(transparent)]
    Helm(#[from] HelmError),
    /// The input of Kustomize is invalid.
    #[error(transparent)]
    Kustomize(#[from] KustomizeError),
    /// A program is missing, or did not do its work.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

/// The first error of an override, in its own words.
fn first(found: &[Finding], file: &str) -> String {
    first_error(found).map_or_else(|| format!("`{file}` cannot be read"), |finding| finding.message.clone())
}

fn first_error(found: &[Finding]) -> Option<&Finding> {
    found.iter().find(|finding| finding.severity == Severity::Error)
}

impl RenderError {
    fn excerpt(&self) -> Option<&Excerpt> {
        match self {
            Self::Syntax { excerpt, .. }
            | Self::NotAnObject { excerpt, .. }
            | Self::Jsonnet(JsonnetError::Generated { excerpt, .. } | JsonnetError::Program { excerpt, .. })
                if !excerpt.text.is_empty() =>
            {
                Some(excerpt)
            }
            Self::Override { found, .. } => first_error(found)?.excerpt.as_ref(),
            _ => None,
        }
    }
}

impl Diagnostic for RenderError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(match self {
            Self::Unreadable { .. } => "trueup::render::unreadable",
            Self::LeavesCheckout { .. } => "trueup::render::leaves_checkout",
            Self::TooLarge { .. } => "trueup::render::too_large",
            Self::Glob { .. } => "trueup::render::glob",
            Self::SeveralInJson { .. } => "trueup::render::several_in_json",
            Self::Override { .. } => "trueup::render::override",
            Self::Stream { .. } => "trueup::render::stream",
            Self::Jsonnet(error) => return error.code(),
            Self::Ksonnet(error) => return error.code(),
            Self::Plugin(error) => return error.code(),
            Self::Syntax { .. } => "trueup::render::syntax",
            Self::NotAnObject { .. } => "trueup::render::not_an_object",
            Self::Helm(error) => return error.code(),
            Self::Kustomize(error) => return error.code(),
            Self::Program(error) => return error.code(),
        }))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(match self {
            Self::Unreadable { .. } => "check that the file exists and is readable".to_owned(),
            Self::LeavesCheckout { .. } => {
                "put the file itself where the link is: nothing outside of a repository is read".to_owned()
            }
            Self::TooLarge { .. } => {
                "raise the limit with `--max-manifests-size`, or narrow `directory.include`".to_owned()
            }
            Self::Glob { .. } => "`*` matches any text, `?` one character, `{a,b}` either".to_owned(),
            Self::SeveralInJson { .. } => "write several objects as the `items` of a `v1` `List`".to_owned(),
            Self::Override { found, .. } => first_error(found).and_then(|finding| finding.help.clone())?,
            Self::Stream { .. } => "a program that renders writes one object a document, in YAML or JSON".to_owned(),
            Self::Jsonnet(error) => return error.help(),
            Self::Ksonnet(error) => return error.help(),
            Self::Plugin(error) => return error.help(),
            Self::Syntax { .. } => "kubectl would refuse this file, too".to_owned(),
            Self::NotAnObject { excerpt, .. } => {
                format!("if `{}` is not a manifest, exclude it with `directory.exclude`", excerpt.file)
            }
            Self::Helm(error) => return error.help(),
            Self::Kustomize(error) => return error.help(),
            Self::Program(error) => return error.help(),
        }))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let excerpt = self.excerpt()?;
        Some(Box::new(std::iter::once(LabeledSpan::new(excerpt.label.clone(), excerpt.offset, excerpt.length))))
    }
}
