//! The build environment: what Argo CD fills into some fields of a source before its tool sees them.
//!
//! In: a source and where it was fetched from. Out: the variables, and text with them filled in. Filled in are: Helm's parameter
//! values, value files and file parameters' paths; Kustomize's images, common labels and, where asked for, annotations;
//! Jsonnet's external variables and top-level arguments; a plugin's variables. Nothing else is.
//!
//! Rules: Argo CD reposerver/repository/repository.go `newEnv`, types.go `Env.Envsubst`; Go's os.Expand.

use std::collections::BTreeMap;

use super::RenderInput;

/// The variables `ARGOCD_APP_*` of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildEnvironment {
    variables: BTreeMap<&'static str, String>,
}

impl BuildEnvironment {
    pub(super) fn of(input: &RenderInput<'_>) -> Self {
        let RenderInput { application, source, revision, .. } = *input;
        let shortened = |length: usize| revision.chars().take(length).collect::<String>();
        let variables = [
            ("ARGOCD_APP_NAME", input.instance_name.to_owned()),
            // Argo CD: the destination's namespace, not that of the Application itself.
            ("ARGOCD_APP_NAMESPACE", application.destination.namespace.clone()),
            ("ARGOCD_APP_PROJECT_NAME", application.project.clone()),
            ("ARGOCD_APP_REVISION", revision.to_owned()),
            ("ARGOCD_APP_REVISION_SHORT", shortened(7)),
            ("ARGOCD_APP_REVISION_SHORT_8", shortened(8)),
            ("ARGOCD_APP_SOURCE_REPO_URL", source.repo_url.to_string()),
            ("ARGOCD_APP_SOURCE_PATH", source.path.clone().unwrap_or_default()),
            ("ARGOCD_APP_SOURCE_TARGET_REVISION", source.target_revision.clone()),
        ];
        Self { variables: variables.into() }
    }

    /// One variable more, for a tool that has its own.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.variables.insert(name, value);
        self
    }

    /// Every variable and its value, by name.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The text with `$NAME` and `${NAME}` replaced; an unknown name is as an empty one, `$$` is one `$`.
    pub fn expand(&self, text: &str) -> String {
        expand(text, |name| match name {
            "$" => "$",
            name => self.variables.get(name).map_or("", String::as_str),
        })
    }
}

/// Go's os.Expand, with its ways of passing over what is no name.
fn expand<'value>(text: &str, value: impl Fn(&str) -> &'value str) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let (name, length) = name(after);
        match name {
            Some(name) => expanded.push_str(value(name)),
            // Quirk: `${` without an end and `${}` are swallowed, any other `$` stays.
            None if length > 0 => {}
            None => expanded.push('$'),
        }
        rest = &after[length..];
    }
    expanded + rest
}

/// The name at the start of what follows a `$`, and how much of the text it takes.
fn name(text: &str) -> (Option<&str>, usize) {
    if let Some(inside) = text.strip_prefix('{') {
        return match inside.find('}') {
            // A special character in braces is a name of one character, `}` never is one.
            Some(0) => (None, 2),
            Some(end) => (Some(&inside[..end]), end + 2),
            None => (None, 1),
        };
    }
    if text.starts_with(|letter: char| matches!(letter, '*' | '#' | '$' | '@' | '!' | '?' | '-' | '0'..='9')) {
        return (Some(&text[..1]), 1);
    }
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
    if end == 0 { (None, 0) } else { (Some(&text[..end]), end) }
}

impl RenderInput<'_> {
    /// The variables that Argo CD fills into some fields of the source.
    pub fn environment(&self) -> BuildEnvironment {
        BuildEnvironment::of(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those that Go's os.Expand gives with Argo CD's mapping.
    #[test]
    fn text_is_expanded_as_go_does() {
        let variables = [("ARGOCD_APP_NAME", "shop".to_owned()), ("ARGOCD_APP_REVISION", "3f2a9c1".to_owned())];
        let environment = BuildEnvironment { variables: variables.into() };
        for (text, expected) in [
            ("no variable", "no variable"),
            ("$ARGOCD_APP_NAME", "shop"),
            ("${ARGOCD_APP_NAME}-x", "shop-x"),
            ("a$ARGOCD_APP_NAME.b", "ashop.b"),
            ("$ARGOCD_APP_NAME$ARGOCD_APP_REVISION", "shop3f2a9c1"),
            ("$ARGOCD_APP_NAMES", ""),
            ("$HOME ${PATH}", " "),
            ("$$ARGOCD_APP_NAME", "$ARGOCD_APP_NAME"),
            ("${$}", "$"),
            ("costs 5$", "costs 5$"),
            ("a$.b", "a$.b"),
            ("$1x", "x"),
            ("${}x", "x"),
            ("${x", "x"),
            ("${ARGOCD_APP_NAME:-y}", ""),
            ("$é", "$é"),
        ] {
            assert_eq!(environment.expand(text), expected, "{text}");
        }
    }
}
