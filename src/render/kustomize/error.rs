//! What can be said of a Kustomize source before Kustomize runs.

use std::io;

use miette::Diagnostic;
use thiserror::Error;

use crate::source::SourceError;

/// Why Kustomize was not even started.
#[derive(Debug, Error, Diagnostic)]
pub enum KustomizeError {
    /// There is no kustomization to change.
    #[error("no kustomization in `{folder}`, but the source sets `kustomize`")]
    #[diagnostic(
        code("trueup::render::kustomization"),
        help("it is called `kustomization.yaml`, `kustomization.yml` or `Kustomization`")
    )]
    Missing {
        /// The folder, relative to the checkout.
        folder: String,
    },
    /// There are several.
    #[error("`{folder}` has several kustomizations: {files}")]
    #[diagnostic(code("trueup::render::kustomization"), help("Kustomize requires exactly one; remove the others"))]
    Several {
        /// The folder, relative to the checkout.
        folder: String,
        /// Their names.
        files: String,
    },
    /// It cannot be read, or written in the copy.
    #[error("`{file}` cannot be read")]
    #[diagnostic(code("trueup::render::unreadable"), help("check that the file exists and is readable"))]
    Unreadable {
        /// The file, relative to the checkout.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// It is not YAML.
    #[error("`{file}` is not YAML, at line {line}: {message}")]
    #[diagnostic(code("trueup::render::kustomization"), help("Kustomize would refuse this file, too"))]
    NotYaml {
        /// The file, relative to the checkout.
        file: String,
        /// Where.
        line: usize,
        /// The fault.
        message: String,
    },
    /// A field of another type than Kustomize gives it.
    #[error("`{field}` of `{file}` is not a {expected}")]
    #[diagnostic(code("trueup::render::kustomization"), help("Kustomize would refuse this file, too"))]
    Unlike {
        /// The file, relative to the checkout.
        file: String,
        /// The field.
        field: &'static str,
        /// The expected type.
        expected: &'static str,
    },
    /// A label or an annotation that the kustomization has already.
    #[error("`{file}` has {kind} `{name}` already")]
    #[diagnostic(code("trueup::render::kustomization"), help("to overwrite it, set `kustomize.{force}`"))]
    Already {
        /// The file, relative to the checkout.
        file: String,
        /// `label` or `annotation`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The field that overwrites.
        force: &'static str,
    },
    /// Two fields that only go together.
    #[error("`kustomize.labelIncludeTemplates` needs `kustomize.labelWithoutSelector`")]
    #[diagnostic(code("trueup::render::kustomize_fields"), help("set both, or neither"))]
    TemplatesWithoutSelector,
    /// An image that says nothing.
    #[error("`{image}` in `kustomize.images` sets no new name, tag or digest")]
    #[diagnostic(code("trueup::render::kustomize_fields"), help("write `name:tag`, `name@digest` or `name=other:tag`"))]
    Image {
        /// As the manifest has it.
        image: String,
    },
    /// A component that is not there.
    #[error("component `{component}` not found")]
    #[diagnostic(
        code("trueup::render::kustomize_fields"),
        help("if that is intended, set `kustomize.ignoreMissingComponents`")
    )]
    NoComponent {
        /// As the manifest has it.
        component: String,
    },
    /// A base or a file outside of the repository.
    #[error("`{file}` names `{entry}`, which points outside its repository")]
    #[diagnostic(code("trueup::render::leaves_checkout"), help("nothing outside of a repository is read"))]
    Leaves {
        /// The kustomization, relative to the checkout.
        file: String,
        /// The entry.
        entry: String,
    },
    /// A base with a link out of the repository.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Link(SourceError),
    /// Another version than is here.
    #[error("the source requires Kustomize {wanted}, but this is {found}")]
    #[diagnostic(
        code("trueup::render::kustomize_version"),
        help("select a Kustomize of that version with `--kustomize` or `TRUEUP_KUSTOMIZE`")
    )]
    Version {
        /// The value of `kustomize.version`.
        wanted: String,
        /// The program's output.
        found: String,
    },
    /// An invalid version.
    #[error("`kustomize.kubeVersion`: {source}")]
    #[diagnostic(
        code("trueup::render::kube_version"),
        help("write `1.34.2`, or remove it to use the cluster's version")
    )]
    KubeVersion {
        /// Why.
        source: crate::object::kinds::InvalidKubeVersion,
    },
}
