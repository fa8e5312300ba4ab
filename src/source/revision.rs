//! Which commit a revision is, given what the server advertises.
//!
//! In: what a manifest asks for, the references of the repository. Out: a commit, or what is still needed to find it.
//! Rules: Argo CD util/git `LsRemote` and util/versions `MaxVersion`: a full hash as it is, then a semver constraint
//! over the tags, then a name, then a short hash. Where a branch and a tag have one name Argo CD takes whichever comes
//! first; here it is the tag, as in git, and a warning.

use gix::ObjectId;
use semver::Version;

use crate::finding::{Code, Finding};

use super::Wanted;
use super::error::{SourceError, named};
use super::version_range::{VersionRange, parse_version};

/// A reference that a repository has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GitReference {
    /// Its full name: `refs/heads/main`, `HEAD`.
    pub(super) name: String,
    /// The object it leads to, annotated tags followed.
    pub(super) commit: ObjectId,
}

/// All references of a repository, in the order it gave them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct GitReferences(pub(super) Vec<GitReference>);

impl GitReferences {
    fn find(&self, full_name: &str) -> Option<&GitReference> {
        self.0.iter().find(|reference| reference.name == full_name)
    }

    fn tags(&self) -> impl Iterator<Item = (&str, &GitReference)> {
        self.0.iter().filter_map(|reference| Some((reference.name.strip_prefix("refs/tags/")?, reference)))
    }

    /// Every branch and tag: what has to be fetched when a hash must be looked for in all history.
    pub(super) fn tips(&self) -> Vec<ObjectId> {
        let history = |name: &str| name == "HEAD" || name.starts_with("refs/heads/") || name.starts_with("refs/tags/");
        let mut tips: Vec<ObjectId> =
            self.0.iter().filter(|reference| history(&reference.name)).map(|reference| reference.commit).collect();
        tips.sort_unstable();
        tips.dedup();
        tips
    }

    /// The branches and tags that there are, in words.
    fn in_words(&self) -> String {
        let names = |prefix: &str| -> Vec<String> {
            let names = self.0.iter().filter_map(|reference| reference.name.strip_prefix(prefix));
            names.map(str::to_owned).collect()
        };
        let (branches, tags) = (names("refs/heads/"), names("refs/tags/"));
        match (branches.is_empty(), tags.is_empty()) {
            (true, true) => "it has no branches and no tags".to_owned(),
            (false, true) => format!("it has no tags, and {}", named("the branch", &branches)),
            (true, false) => format!("it has no branches, and {}", named("the tag", &tags)),
            (false, false) => format!("it has {} and {}", named("the branch", &branches), named("the tag", &tags)),
        }
    }

    /// Branch and tag names that are most like `asked`, best first, at most three.
    fn nearest(&self, asked: &str) -> Vec<String> {
        let mut scored: Vec<(f64, &str)> = self
            .0
            .iter()
            .filter_map(|reference| {
                let name = reference.name.strip_prefix("refs/tags/").or(reference.name.strip_prefix("refs/heads/"))?;
                Some((strsim::jaro_winkler(name, asked), name))
            })
            .filter(|(score, _)| *score > 0.7)
            .collect();
        scored.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
        scored.dedup_by(|left, right| left.1 == right.1);
        scored.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
    }
}

/// Where a revision leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resolved {
    /// To this object: a commit, or a tag object's target.
    To(ObjectId, Vec<Finding>),
    /// To a commit that begins with this, somewhere in history.
    ShortHash(String),
}

/// The full hash that a revision is, if it is one: then no reference has to be known.
pub(super) fn full_hash(revision: &str) -> Option<ObjectId> {
    matches!(revision.len(), 40 | 64).then(|| ObjectId::from_hex(revision.as_bytes()).ok())?
}

/// Finds what a revision leads to.
pub(super) fn resolve(url: &str, wanted: &Wanted, references: &GitReferences) -> Result<Resolved, SourceError> {
    let asked = if wanted.revision.is_empty() { "HEAD" } else { wanted.revision.as_str() };
    if let Some(hash) = full_hash(asked) {
        return Ok(Resolved::To(hash, Vec::new()));
    }
    let pin = parse_version(asked).is_some();
    let range = if pin { None } else { VersionRange::parse(asked) };
    let prefix = wanted.tag_prefix.as_str();
    if !prefix.is_empty() && !pin && range.is_none() {
        return Err(SourceError::PrefixWithoutConstraint { revision: asked.to_owned(), prefix: prefix.to_owned() });
    }
    if let Some(range) = &range
        && let Some((tag, reference)) = highest(references, prefix, range)
    {
        let warnings = references
            .find(&format!("refs/heads/{asked}"))
            .map(|_| clash(format!("`{asked}` is a branch in {url} too; as a constraint it chose tag `{tag}`")));
        return Ok(Resolved::To(reference.commit, warnings.into_iter().collect()));
    }
    let name = format!("{prefix}{asked}");
    if let Some(resolved) = by_name(url, &name, references) {
        return Ok(resolved);
    }
    if range.is_some() {
        return Err(SourceError::ConstraintUnmet {
            url: url.to_owned(),
            constraint: name,
            nearest: highest_tags(references, prefix),
            there: references.in_words(),
        });
    }
    let hexadecimal = asked.bytes().all(|byte| byte.is_ascii_hexdigit());
    if prefix.is_empty() && hexadecimal && (7..40).contains(&asked.len()) {
        return Ok(Resolved::ShortHash(asked.to_ascii_lowercase()));
    }
    Err(revision_gone(url, &name, references))
}

/// The error for a revision that is nowhere.
pub(super) fn revision_gone(url: &str, revision: &str, references: &GitReferences) -> SourceError {
    SourceError::RevisionGone {
        url: url.to_owned(),
        revision: revision.to_owned(),
        nearest: references.nearest(revision),
        there: references.in_words(),
    }
}

fn by_name(url: &str, name: &str, references: &GitReferences) -> Option<Resolved> {
    let to = |reference: &GitReference| Resolved::To(reference.commit, Vec::new());
    if name == "HEAD" || name.starts_with("refs/") {
        return references.find(name).map(to);
    }
    let tag = references.find(&format!("refs/tags/{name}"));
    let branch = references.find(&format!("refs/heads/{name}"));
    match (tag, branch) {
        (Some(tag), Some(branch)) if tag.commit != branch.commit => {
            let message = format!("`{name}` is a tag and a branch in {url}; the tag is taken");
            Some(Resolved::To(tag.commit, vec![clash(message)]))
        }
        (Some(found), _) | (None, Some(found)) => Some(to(found)),
        // go-git's short names: `pull/12/head` is `refs/pull/12/head`.
        (None, None) => {
            ["refs", "refs/remotes"].iter().find_map(|folder| references.find(&format!("{folder}/{name}"))).map(to)
        }
    }
}

fn clash(message: String) -> Finding {
    Finding::warning(Code::SourceClash, message)
        .with_help("write `refs/heads/…` or `refs/tags/…` to say which one is meant")
}

fn highest<'a>(
    references: &'a GitReferences,
    prefix: &str,
    range: &VersionRange,
) -> Option<(&'a str, &'a GitReference)> {
    let mut best: Option<(Version, &str, &GitReference)> = None;
    for (tag, reference) in references.tags() {
        let Some(version) = tag.strip_prefix(prefix).and_then(parse_version) else { continue };
        let higher = best.as_ref().is_none_or(|(highest, ..)| version.cmp_precedence(highest).is_gt());
        if higher && range.matches(&version) {
            best = Some((version, tag, reference));
        }
    }
    best.map(|(_, tag, reference)| (tag, reference))
}

fn highest_tags(references: &GitReferences, prefix: &str) -> Vec<String> {
    let mut versions: Vec<(Version, &str)> = references
        .tags()
        .filter_map(|(tag, _)| Some((tag.strip_prefix(prefix).and_then(parse_version)?, tag)))
        .collect();
    versions.sort_by(|left, right| right.0.cmp_precedence(&left.0).then(left.1.cmp(right.1)));
    versions.into_iter().take(3).map(|(_, tag)| tag.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> ObjectId {
        ObjectId::from_hex(digit.to_string().repeat(40).as_bytes()).unwrap()
    }

    fn references() -> GitReferences {
        let named = [
            ("HEAD", 'a'),
            ("refs/heads/main", 'a'),
            ("refs/heads/release", 'b'),
            ("refs/heads/2.x", 'c'),
            ("refs/heads/9.x", 'd'),
            ("refs/heads/both", '1'),
            ("refs/heads/same", '4'),
            ("refs/pull/12/head", 'e'),
            ("refs/tags/both", '2'),
            ("refs/tags/same", '4'),
            ("refs/tags/v1.2.3", '5'),
            ("refs/tags/v1.3.9", '6'),
            ("refs/tags/v1.10.0", '7'),
            ("refs/tags/v2.0.0-rc.1", '8'),
            ("refs/tags/v2.0.0", '9'),
            ("refs/tags/app-1.0.0", '3'),
            ("refs/tags/app-1.5.0", 'f'),
        ];
        GitReferences(named.map(|(name, digit)| GitReference { name: name.to_owned(), commit: id(digit) }).into())
    }

    fn resolve_in(revision: &str, prefix: &str) -> Result<Resolved, SourceError> {
        let wanted = Wanted { revision: revision.to_owned(), tag_prefix: prefix.to_owned(), ..Wanted::default() };
        resolve("https://git.example.com/a", &wanted, &references())
    }

    #[test]
    fn a_revision_leads_where_argo_cd_goes() {
        for (revision, prefix, expected) in [
            ("", "", 'a'),
            ("HEAD", "", 'a'),
            ("main", "", 'a'),
            ("refs/heads/release", "", 'b'),
            ("heads/release", "", 'b'),
            ("pull/12/head", "", 'e'),
            ("v1.2.3", "", '5'),
            ("refs/tags/v1.2.3", "", '5'),
            ("1.x", "", '7'),
            ("~1.3", "", '6'),
            (">=1.0.0 <1.10.0", "", '6'),
            ("*", "", '9'),
            (">=2.0.0-0 <2.0.0", "", '8'),
            ("^1.0", "app-", 'f'),
            ("1.0.0", "app-", '3'),
            ("same", "", '4'),
            ("9.x", "", 'd'),
        ] {
            assert_eq!(resolve_in(revision, prefix).unwrap(), Resolved::To(id(expected), Vec::new()), "{revision}");
        }
    }

    #[test]
    fn a_name_that_is_a_tag_and_a_branch_is_the_tag_and_a_warning() {
        let Resolved::To(commit, warnings) = resolve_in("both", "").unwrap() else { panic!("it has a name") };
        assert_eq!(commit, id('2'));
        assert_eq!(warnings[0].message, "`both` is a tag and a branch in https://git.example.com/a; the tag is taken");
        let Resolved::To(commit, warnings) = resolve_in("2.x", "").unwrap() else { panic!("it has a name") };
        assert_eq!((commit, warnings.len()), (id('9'), 1));
    }

    #[test]
    fn a_hash_is_taken_as_it_is() {
        let full = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(resolve_in(full, "").unwrap(), Resolved::To(ObjectId::from_hex(full.as_bytes()).unwrap(), vec![]));
        assert_eq!(resolve_in("0A1b2c3", "").unwrap(), Resolved::ShortHash("0a1b2c3".to_owned()));
        assert!(matches!(resolve_in("0a1b2c", ""), Err(SourceError::RevisionGone { .. })));
    }

    /// The exact version is a pin: a tag `v1.2.3` is not meant by `1.2.3`.
    #[test]
    fn an_exact_version_is_a_name() {
        let error = resolve_in("1.2.3", "").unwrap_err();
        assert_eq!(error.to_string(), "no branch, tag or commit `1.2.3` in https://git.example.com/a");
    }

    #[test]
    fn what_is_not_found_names_what_is_near() {
        let help = |error: SourceError| miette::Diagnostic::help(&error).unwrap().to_string();
        assert_eq!(
            help(resolve_in("v1.2.4", "").unwrap_err()),
            "the nearest are v1.2.3, v1.3.9 and v1.10.0; `--revision` tries another"
        );
        let error = resolve_in("7.x", "").unwrap_err();
        assert_eq!(error.to_string(), "no tag satisfies `7.x` in https://git.example.com/a");
        assert_eq!(help(error), "the nearest are v2.0.0, v2.0.0-rc.1 and v1.10.0; `--revision` tries another");
        assert!(matches!(resolve_in("main", "app-"), Err(SourceError::PrefixWithoutConstraint { .. })));
    }

    #[test]
    fn where_nothing_is_near_the_names_that_there_are_are_named() {
        let help_in = |revision: &str, names: &[&str]| {
            let reference = |name: &&str| GitReference { name: (*name).to_owned(), commit: id('a') };
            let references = GitReferences(names.iter().map(reference).collect());
            let wanted = Wanted { revision: revision.to_owned(), ..Wanted::default() };
            let error = resolve("https://git.example.com/a", &wanted, &references).unwrap_err();
            miette::Diagnostic::help(&error).unwrap().to_string()
        };
        let main = ["HEAD", "refs/heads/main"];
        assert_eq!(help_in("1.x", &main), "it has no tags, and the branch `main`; `--revision` tries another");
        assert_eq!(help_in("stable", &main), "it has no tags, and the branch `main`; `--revision` tries another");
        assert_eq!(
            help_in("zzz", &["refs/heads/main", "refs/heads/next", "refs/tags/v1.0.0"]),
            "it has the branches `main` and `next` and the tag `v1.0.0`; `--revision` tries another"
        );
        assert_eq!(help_in("main", &[]), "it has no branches and no tags; `--revision` tries another");
    }
}
