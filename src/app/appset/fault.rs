//! Every message about what became of an ApplicationSet.

use miette::Diagnostic;
use thiserror::Error;

/// Why an ApplicationSet, or a part of it, generates nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub(super) enum Fault {
    #[error("`spec.{place}` has no parameters: {cause}")]
    #[diagnostic(code(trueup::app::generator), help("no Application of this ApplicationSet is generated"))]
    Generator { place: String, cause: String },

    #[error("`spec.{place}` is a generator that is not supported")]
    #[diagnostic(
        code(trueup::app::unsupported_generator),
        help(
            "of forges, GitHub, GitLab, Gitea, Bitbucket Server and Azure DevOps are supported; or pass `--generator-fixture FILE`"
        )
    )]
    Unsupported { place: String },

    #[error("`spec.{place}` generates an Application for each cluster, but the clusters are not known")]
    #[diagnostic(
        code(trueup::app::no_clusters),
        help("give Argo CD's cluster Secrets with `--clusters FILE`; dummy credentials are enough")
    )]
    NoClusters { place: String },

    #[error("`spec.{place}` reads ConfigMap `{name}`, but Argo CD's ConfigMaps are not known")]
    #[diagnostic(
        code(trueup::app::no_config_maps),
        help("give the manifests of its ConfigMap and Secret with `--clusters PATH`")
    )]
    NoObjects { place: String, name: String },

    #[error("`{field}` cannot be rendered for `spec.{place}`: {cause}")]
    #[diagnostic(code(trueup::app::generated_template), help("no Application of this ApplicationSet is generated"))]
    Template { place: String, field: String, cause: String },

    #[error("`spec.goTemplateOptions` is invalid: {cause}")]
    #[diagnostic(code(trueup::app::template_options), help("write `missingkey=error`, `default` or `zero`"))]
    Options { cause: String },

    #[error("{count} Applications are named `{name}`")]
    #[diagnostic(
        code(trueup::app::repeated_generated_name),
        help("none of them is generated; use parameters in `spec.template.metadata.name` that differ between them")
    )]
    RepeatedName { name: String, count: usize },

    #[error("an Application is named `{name}`, which {why}")]
    #[diagnostic(code(trueup::app::generated_name), help("it is not generated; use `normalize` or another parameter"))]
    BadName { name: String, why: String },
}
