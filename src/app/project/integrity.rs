//! `sourceIntegrity` and its older form `signatureKeys`: whose signatures a repository's commits need.
//!
//! Rules: Argo CD `util/sourceintegrity/source_integrity.go` (`findMatchingGitPolicies`), types.go `EffectiveSourceIntegrity`.

use crate::app::fault::Fault;
use crate::app::fields::Fields;
use crate::app::project_glob::ProjectGlob;
use crate::object::Origin;

/// What is verified of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntegrityMode {
    /// Nothing.
    None,
    /// The commit, or the annotated tag, that the source names.
    Head,
    /// Every commit of its history, too.
    Strict,
}

/// A policy about some repositories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrityPolicy {
    /// `gpg.mode`.
    pub mode: IntegrityMode,
    /// `gpg.keys`: key IDs or fingerprints.
    pub keys: Vec<String>,
    /// Its line.
    pub origin: Origin,
    /// Whether it is the older `signatureKeys`.
    pub is_legacy: bool,
    repos: Vec<(bool, ProjectGlob)>,
}

impl IntegrityPolicy {
    /// Whether it is about a repository: by its URL as it is written, and unless a `!` entry names it.
    pub fn concerns(&self, url: &str) -> bool {
        // Where Argo CD would crash, signatures are needed.
        // Where Argo CD would crash, signatures are needed.
        let is_denied = self.repos.iter().any(|(is_deny, glob)| *is_deny && glob.matches(url) == Ok(true));
        !is_denied && self.repos.iter().any(|(is_deny, glob)| !*is_deny && glob.matches(url) != Ok(false))
    }
}

/// Decodes both fields: where `sourceIntegrity` has a policy, `signatureKeys` does not count.
pub(super) fn decode(fields: &mut Fields<'_>, place: impl Fn(usize) -> Origin) -> Vec<IntegrityPolicy> {
    let keys = fields.list("signatureKeys").into_iter().map(|mut entry| {
        let key = entry.required_text("keyID");
        entry.finish();
        key
    });
    let keys: Vec<String> = keys.collect();
    let legacy = (!keys.is_empty()).then(|| IntegrityPolicy {
        mode: IntegrityMode::Head,
        keys,
        origin: place(fields.line_of("signatureKeys")),
        is_legacy: true,
        repos: ProjectGlob::new("*", &[]).map(|glob| (false, glob)).into_iter().collect(),
    });
    let Some(mut integrity) = fields.fields("sourceIntegrity") else { return legacy.into_iter().collect() };
    let policies = integrity.fields("git").map(|mut git| {
        let policies = git.list("policies").into_iter().filter_map(|policy| policy_of(policy, &place)).collect();
        git.finish();
        policies
    });
    integrity.finish();
    match policies {
        Some(policies) => policies,
        None => legacy.into_iter().collect(),
    }
}

fn policy_of(mut fields: Fields<'_>, place: &impl Fn(usize) -> Origin) -> Option<IntegrityPolicy> {
    let origin = place(fields.line());
    let mut repos = Vec::new();
    for mut repo in fields.list("repos") {
        let text = repo.required_text("url");
        match ProjectGlob::new(text.strip_prefix('!').unwrap_or(&text), &[]) {
            Ok(glob) => repos.push((text.starts_with('!'), glob)),
            Err(error) => {
                let path = repo.shown_field("url");
                repo.fault_at("url", &Fault::NoProjectGlob { path, pattern: text, why: error });
            }
        }
        repo.finish();
    }
    let gpg = fields.fields("gpg");
    fields.finish();
    let mut gpg = gpg?;
    let keys = gpg.texts("keys");
    let mode = match gpg.text("mode").as_str() {
        "none" => Some(IntegrityMode::None),
        "head" => Some(IntegrityMode::Head),
        "strict" => Some(IntegrityMode::Strict),
        value => {
            gpg.fault_at("mode", &Fault::BadIntegrityMode { path: gpg.shown_field("mode"), value: value.to_owned() });
            None
        }
    };
    gpg.finish();
    Some(IntegrityPolicy { mode: mode?, keys, origin, is_legacy: false, repos })
}
