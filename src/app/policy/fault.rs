//! What is wrong with a line of a policy, and what to do about it.

use miette::Diagnostic;
use thiserror::Error;

/// What is wrong with a policy. Each message has the file and the line.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum PolicyFault {
    /// A quote is not closed, or stands within a field.
    #[error("{place}: a quote `\"` is not closed, or stands inside of a field")]
    #[diagnostic(
        code(trueup::policy::line),
        help("quote the whole field, and write a quote in it twice: `\"a \"\"b\"\"\"`")
    )]
    Quote {
        /// File and line.
        place: String,
    },
    /// Not five or two values.
    #[error("{place}: a `{kind}` line has {expected} fields, this one {found}")]
    #[diagnostic(code(trueup::policy::line), help("write it as `{form}`"))]
    Fields {
        /// File and line.
        place: String,
        /// `p` or `g`.
        kind: &'static str,
        /// How many it should have.
        expected: usize,
        /// How many it has.
        found: usize,
        /// What it looks like.
        form: &'static str,
    },
    /// Neither `p` nor `g`.
    #[error("{place}: `{found}` begins no line of a policy")]
    #[diagnostic(
        code(trueup::policy::line),
        help("begin it with `p` (a permission), `g` (a user or group and its role) or `#` (a comment)")
    )]
    Kind {
        /// File and line.
        place: String,
        /// The first field.
        found: String,
    },
    /// An empty field, which would stand for everybody or match nothing.
    #[error("{place}: the {field} is empty")]
    #[diagnostic(code(trueup::policy::line), help("name it; `*` stands for everything"))]
    Empty {
        /// File and line.
        place: String,
        /// Which.
        field: &'static str,
    },
    /// A space before a comma is part of the field: it would match nothing.
    #[error("{place}: a space ends the {field} `{value}`, so that it matches nothing")]
    #[diagnostic(code(trueup::policy::line), help("remove the space before the comma"))]
    Space {
        /// File and line.
        place: String,
        /// Which.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// Neither `allow` nor `deny`.
    #[error("{place}: the effect is `{found}`, not `allow` or `deny`")]
    #[diagnostic(code(trueup::policy::line), help("{}", effect_help(found)))]
    Effect {
        /// File and line.
        place: String,
        /// The effect.
        found: String,
    },
    /// A resource that Argo CD does not have.
    #[error("{place}: `{found}` matches no resource")]
    #[diagnostic(code(trueup::policy::line), help("{}", nearest(found, super::question::RESOURCES)))]
    Resource {
        /// File and line.
        place: String,
        /// The resource.
        found: String,
    },
    /// An action that the resource does not have.
    #[error("{place}: `{found}` matches no action of `{resource}`")]
    #[diagnostic(code(trueup::policy::line), help("{}", nearest(found, super::question::ACTIONS)))]
    Action {
        /// File and line.
        place: String,
        /// The resource.
        resource: String,
        /// The action.
        found: String,
    },
    /// A glob or regular expression that cannot be read.
    #[error("{place}: the {field} `{value}` is not a {mode}: {why}")]
    #[diagnostic(
        code(trueup::policy::pattern),
        help("correct it; Argo CD would match nothing with it, and a `deny` would deny nothing")
    )]
    Pattern {
        /// File and line.
        place: String,
        /// Which.
        field: &'static str,
        /// Its value.
        value: String,
        /// `glob` or `regular expression`.
        mode: &'static str,
        /// Why.
        why: String,
    },
    /// A role of a project that does what only the policy of the whole installation may.
    #[error("{place}: a role of project `{project}` has {what}")]
    #[diagnostic(code(trueup::policy::role), help("{help}"))]
    Role {
        /// File and line.
        place: String,
        /// The project.
        project: String,
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
    /// A setting of `argocd-rbac-cm` that does not say what it should.
    #[error("{place}: `{key}` is `{found}`")]
    #[diagnostic(code(trueup::policy::setting), help("{help}"))]
    Setting {
        /// The file.
        place: String,
        /// The key.
        key: &'static str,
        /// Its value.
        found: String,
        /// What to do.
        help: &'static str,
    },
    /// A file that is YAML, but not the ConfigMap.
    #[error("{file}: holds neither lines of a policy nor the ConfigMap `argocd-rbac-cm`")]
    #[diagnostic(
        code(trueup::policy::file),
        help("give a `policy.csv`, or `kubectl get configmap argocd-rbac-cm -n argocd -o yaml`")
    )]
    File {
        /// The file.
        file: String,
    },
}

impl PolicyFault {
    /// Whether there is nothing to read.
    pub(super) fn is_absence(&self) -> bool {
        matches!(self, Self::File { .. })
    }
}

fn effect_help(found: &str) -> &'static str {
    if found.contains('#') {
        "a comment has a line of its own"
    } else {
        "write `allow` or `deny`, in lower case; any other effect does nothing"
    }
}

fn nearest(found: &str, known: &[&str]) -> String {
    let near = known.iter().map(|name| (strsim::osa_distance(name, found), name)).min();
    match near {
        Some((distance, name)) if distance <= 2 => format!("did you mean `{name}`?"),
        _ => format!("one of: {}", known.join(", ")),
    }
}
