//! What can be said of a Helm source before Helm runs.

use std::io;

use miette::Diagnostic;
use thiserror::Error;

use crate::source::SourceError;

/// Why Helm was not even started.
#[derive(Debug, Error, Diagnostic)]
pub enum HelmError {
    /// A parameter that Helm cannot read.
    #[error("Helm cannot read parameter `{name}`: {why}")]
    #[diagnostic(
        code("trueup::render::parameter"),
        help("names and values of `helm.parameters` have the syntax of `helm --set`")
    )]
    Parameter {
        /// Its name.
        name: String,
        /// Why, without its value.
        why: String,
    },
    /// A values file that is not there.
    #[error("values file `{file}` not found{at}")]
    #[diagnostic(code("trueup::render::values_missing"))]
    ValuesMissing {
        /// As the manifest has it.
        file: String,
        /// Which revision was looked at, with the word before it.
        at: String,
        /// The one thing to do.
        #[help]
        help: String,
    },
    /// A pattern that no file matches.
    #[error("no values file matches `{pattern}`{at}")]
    #[diagnostic(
        code("trueup::render::values_missing"),
        help("if that is intended, set `helm.ignoreMissingValueFiles`")
    )]
    NothingMatches {
        /// As the manifest has it.
        pattern: String,
        /// Which revision was looked at, with the word before it.
        at: String,
    },
    /// An invalid pattern.
    #[error("`{pattern}` is not a glob")]
    #[diagnostic(code("trueup::render::glob"), help("`*` matches within a name, `**` any folders, `?` one letter"))]
    Glob {
        /// As the manifest has it.
        pattern: String,
        /// Why.
        source: globset::Error,
    },
    /// A pattern that leads through more than anybody has: links that lead to each other, most likely.
    #[error("`{pattern}` matches more than {limit} files and folders")]
    #[diagnostic(code("trueup::render::glob"), help("start the pattern with a folder; links to folders count, too"))]
    GlobOfTooMuch {
        /// As the manifest has it.
        pattern: String,
        /// How many there may be.
        limit: usize,
    },
    /// A path that points outside its repository.
    #[error("`{file}` points outside its repository")]
    #[diagnostic(
        code("trueup::render::leaves_checkout"),
        help("values files are read only from the repositories of the sources")
    )]
    Leaves {
        /// As the manifest has it.
        file: String,
    },
    /// A dependency outside of the repository.
    #[error("dependency `file://{folder}` points outside its repository")]
    #[diagnostic(
        code("trueup::render::leaves_checkout"),
        help("use a chart of the same repository, relative to the chart that needs it")
    )]
    DependencyLeaves {
        /// As the chart has it.
        folder: String,
    },
    /// A dependency with a link out of the repository.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Link(SourceError),
    /// A URL that is not fetched.
    #[error("`{file}` is a URL of scheme `{scheme}`, which is not fetched")]
    #[diagnostic(
        code("trueup::render::values_scheme"),
        help("the schemes of `helm.valuesFileSchemes` in `argocd-cm` are: {known}")
    )]
    Scheme {
        /// As the manifest has it.
        file: String,
        /// Its scheme.
        scheme: String,
        /// The schemes that are fetched.
        known: String,
    },
    /// A values file that could not be fetched.
    #[error("values file `{url}` cannot be fetched")]
    #[diagnostic(
        code("trueup::render::values_fetch"),
        help("correct the URL; the user and the password for it are those in the URL")
    )]
    ValuesNotFetched {
        /// Without what opens it.
        url: String,
        /// Why.
        source: SourceError,
    },
    /// A URL with a password, of a scheme that only a plugin of Helm fetches.
    #[error("values file `{url}` holds credentials, which Helm could only get as an argument")]
    #[diagnostic(
        code("trueup::render::values_secret"),
        help(
            "remove user, password and query, because every process of the machine can read arguments; the plugin can have its own login"
        )
    )]
    SecretInUrl {
        /// Without what opens it.
        url: String,
    },
    /// A reference to a chart.
    #[error("`{file}` refers to a source that is a chart, whose files cannot be used")]
    #[diagnostic(
        code("trueup::render::reference"),
        help("put the values into a git repository, and refer to that repository")
    )]
    ReferenceToChart {
        /// As the manifest has it.
        file: String,
    },
    /// A reference without a path.
    #[error("`{file}` refers to a source, but to no file of it")]
    #[diagnostic(code("trueup::render::reference"), help("write `{file}/path/to/values.yaml`"))]
    NoPath {
        /// As the manifest has it.
        file: String,
    },
    /// One repository at two revisions.
    #[error("{one} and {other} are one repository at two revisions")]
    #[diagnostic(
        code("trueup::render::reference"),
        help("Argo CD refuses that for references; give both the same `targetRevision`")
    )]
    TwoRevisions {
        /// A reference.
        one: String,
        /// Another one, or the source itself.
        other: String,
    },
    /// An invalid version.
    #[error("`helm.kubeVersion` cannot be used")]
    #[diagnostic(
        code("trueup::render::kube_version"),
        help("write `1.34.2`, or remove it to use the cluster's version")
    )]
    KubeVersion {
        /// Why.
        source: crate::object::kinds::InvalidKubeVersion,
    },
    /// A file that cannot be read.
    #[error("`{file}` cannot be read")]
    #[diagnostic(code("trueup::render::unreadable"), help("check that the file exists and is readable"))]
    Unreadable {
        /// As the manifest has it.
        file: String,
        /// Why.
        source: io::Error,
    },
}
