//! Gathers findings for a terminal: each once, what several applications share in one, and of many of a kind the first.
//!
//! In: findings, or a whole run. Out: the findings as they are printed, or their text. Nothing is lost: `-v` prints each, and the
//! reports for scripts have all of them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::View;
use super::findings::graphical;
use crate::finding::{Code, Finding, Severity};
use crate::fleet::Run;

/// From this number on, findings of one kind are many.
const MANY: usize = 6;
/// So many of many are printed in full.
const SHOWN: usize = 2;
/// So many names of the others are printed.
const NAMED: usize = 5;
/// More lines than these nobody reads: then there is one line for each kind.
const LINES: usize = 200;

/// Every finding of a run, those outside of applications first; what is the same but for the application's name is one, and
/// so is what follows from one cause: a role that an account lacks, a host that does not answer.
pub(super) fn of_run(run: &Run) -> Vec<Cow<'_, Finding>> {
    run.findings.iter().map(Cow::Borrowed).chain(GatheredFindings::of(run).all()).collect()
}

/// The findings of all applications, by what they have in common.
pub(super) struct GatheredFindings<'run>(Vec<FindingGroup<'run>>);

/// Findings that are one to whoever reads them.
struct FindingGroup<'run> {
    /// The applications that have it.
    names: Vec<&'run str>,
    /// Each in other words, without the name of its application.
    findings: Vec<(&'run Finding, &'run str)>,
    /// The cause, if there is one that others may share.
    cause: Option<SharedCause<'run>>,
}

impl<'run> GatheredFindings<'run> {
    pub(super) fn of(run: &'run Run) -> Self {
        let mut groups: Vec<FindingGroup<'run>> = Vec::new();
        let mut by_cause: HashMap<SharedCause<'run>, usize> = HashMap::new();
        let mut by_words: HashMap<FindingKey<'run>, usize> = HashMap::new();
        for application in &run.applications {
            for finding in application.conditions.iter().map(|condition| &condition.finding) {
                let rest = finding.message.strip_prefix(&application.name).and_then(|rest| rest.strip_prefix(": "));
                let words = rest.unwrap_or(&finding.message);
                let cause = SharedCause::of(finding, words);
                let place = match cause {
                    Some(cause) => by_cause.entry(cause).or_insert(groups.len()),
                    None => by_words.entry(FindingKey::of(finding, words)).or_insert(groups.len()),
                };
                if *place == groups.len() {
                    groups.push(FindingGroup { names: Vec::new(), findings: Vec::new(), cause });
                }
                let group = &mut groups[*place];
                if !group.findings.iter().any(|(_, known)| *known == words) {
                    group.findings.push((finding, words));
                }
                if rest.is_some() && !group.names.contains(&application.name.as_str()) {
                    group.names.push(&application.name);
                }
            }
        }
        Self(groups)
    }

    /// One finding for each group.
    fn all(&self) -> impl Iterator<Item = Cow<'run, Finding>> {
        let findings: Vec<Cow<'run, Finding>> = self.0.iter().filter_map(FindingGroup::finding).collect();
        findings.into_iter()
    }

    /// One finding for each group that several applications are in.
    pub(super) fn shared(&self) -> impl Iterator<Item = Cow<'run, Finding>> {
        let shared = self.0.iter().filter(|group| group.names.len() > 1).filter_map(FindingGroup::finding);
        shared.collect::<Vec<_>>().into_iter()
    }

    /// Whether several applications have this finding of one of them.
    pub(super) fn is_shared(&self, finding: &Finding, application: &str) -> bool {
        let rest = finding.message.strip_prefix(application).and_then(|rest| rest.strip_prefix(": "));
        let words = rest.unwrap_or(&finding.message);
        let is_in = |group: &&FindingGroup<'_>| {
            let same_code = group.findings.first().is_some_and(|(first, _)| first.code == finding.code);
            same_code && group.findings.iter().any(|(_, known)| *known == words)
        };
        self.0.iter().find(is_in).is_some_and(|group| group.names.len() > 1 && group.names.contains(&application))
    }
}

impl<'run> FindingGroup<'run> {
    fn finding(&self) -> Option<Cow<'run, Finding>> {
        let (first, words) = *self.findings.first()?;
        if self.names.len() < 2 && self.findings.len() < 2 {
            return Some(Cow::Borrowed(first));
        }
        let words = match &self.cause {
            Some(cause) if self.findings.len() > 1 => cause.words(&self.findings),
            _ => words.to_owned(),
        };
        Some(Cow::Owned(Finding { message: format!("{}: {words}", listed(&self.names)), ..first.clone() }))
    }
}

/// The cause that several errors share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum SharedCause<'run> {
    /// An account lacks a role in a cluster: `cluster prod: this account`.
    Role(&'run str),
    /// A host of repositories does not answer.
    Host(&'run str),
}

impl<'run> SharedCause<'run> {
    fn of(finding: &Finding, words: &'run str) -> Option<Self> {
        match finding.code? {
            Code::ClusterForbidden => Some(Self::Role(words.split_once(" cannot ")?.0)),
            Code::SourceNetwork => {
                let url = words.strip_suffix(" cannot be reached")?;
                // A source is named by its place when there are several.
                let url = url.rsplit_once(' ').map_or(url, |(_, url)| url);
                let place = url.split_once("://").map_or(url, |(_, place)| place);
                Some(Self::Host(place.split('/').next().filter(|host| !host.is_empty())?))
            }
            _ => None,
        }
    }

    /// All that follows from it in one sentence.
    fn words(&self, findings: &[(&Finding, &str)]) -> String {
        match self {
            Self::Host(host) => format!("{host} cannot be reached ({} repositories)", findings.len()),
            Self::Role(who) => {
                let mut rights: Vec<&str> = Vec::new();
                let mut namespaces: Vec<&str> = Vec::new();
                for denied in findings.iter().filter_map(|(_, words)| Some(words.split_once(" cannot ")?.1)) {
                    let (right, namespace) = denied.split_once(" in namespace ").unwrap_or((denied, ""));
                    for (known, one) in [(&mut rights, right), (&mut namespaces, namespace)] {
                        if !one.is_empty() && !known.contains(&one) {
                            known.push(one);
                        }
                    }
                }
                let places = match namespaces.as_slice() {
                    [] => String::new(),
                    [one] => format!(" in namespace {one}"),
                    several => format!(" in namespaces {}", listed(several)),
                };
                // `list a` and `list b` are `list a and b`.
                let verb = rights.first().and_then(|right| right.split_once(' ')).map_or("", |(verb, _)| verb);
                let kinds: Option<Vec<&str>> =
                    rights.iter().map(|right| right.strip_prefix(verb)?.strip_prefix(' ')).collect();
                let rights = kinds.map_or_else(|| listed(&rights), |kinds| format!("{verb} {}", listed(&kinds)));
                format!("{who} cannot {rights}{places}")
            }
        }
    }
}

/// The same as values of their own.
pub fn findings_of(run: &Run) -> Vec<Finding> {
    of_run(run).into_iter().map(Cow::into_owned).collect()
}

/// The parts that make two findings equal.
#[derive(PartialEq, Eq, Hash)]
struct FindingKey<'finding> {
    severity: Severity,
    code: Option<&'finding str>,
    words: &'finding str,
    causes: &'finding [String],
    help: Option<&'finding str>,
    place: Option<(&'finding str, usize)>,
}

impl<'finding> FindingKey<'finding> {
    fn of(finding: &'finding Finding, words: &'finding str) -> Self {
        Self {
            severity: finding.severity,
            code: finding.code.map(Code::as_str),
            words,
            causes: &finding.causes,
            help: finding.help.as_deref(),
            place: finding.excerpt.as_ref().map(|excerpt| (excerpt.file.as_str(), excerpt.offset)),
        }
    }
}

/// `a and b`, `a, b, c, d, e and 12 more`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] if names.len() <= NAMED => format!("{} and {last}", first.join(", ")),
        names => format!("{} and {} more", names[..NAMED].join(", "), names.len() - NAMED),
    }
}

/// Findings as text, for a person.
pub(super) fn text<'finding>(findings: impl IntoIterator<Item = &'finding Finding>, view: &View) -> String {
    let mut seen = HashSet::new();
    let findings: Vec<&Finding> =
        findings.into_iter().filter(|finding| seen.insert(FindingKey::of(finding, &finding.message))).collect();
    let print =
        |findings: &[Cow<'_, Finding>]| findings.iter().map(|finding| graphical(finding, view)).collect::<String>();
    let all: Vec<Cow<'_, Finding>> = findings.iter().copied().map(Cow::Borrowed).collect();
    if view.verbose {
        return print(&all);
    }
    let kinds = FindingsByCode::of(&findings);
    let folded = print(&kinds.folded(&findings));
    if folded.lines().count() <= LINES { folded } else { print(&kinds.summary(findings.len())) }
}

/// Findings by their codes and severities, in the order of each kind's first.
struct FindingsByCode<'finding>(Vec<Vec<&'finding Finding>>);

impl<'finding> FindingsByCode<'finding> {
    fn of(findings: &[&'finding Finding]) -> Self {
        let mut kinds: Vec<Vec<&'finding Finding>> = Vec::new();
        let mut places = HashMap::new();
        for finding in findings {
            let place = *places.entry((finding.severity, finding.code)).or_insert_with(|| {
                kinds.push(Vec::new());
                kinds.len() - 1
            });
            kinds[place].push(finding);
        }
        Self(kinds)
    }

    /// The findings in their order, of many of a kind the first, and one that counts the others.
    fn folded(&self, findings: &[&'finding Finding]) -> Vec<Cow<'finding, Finding>> {
        let mut folded = Vec::new();
        let mut met: HashMap<_, usize> = HashMap::new();
        for finding in findings {
            let kind = (finding.severity, finding.code);
            let met = met.entry(kind).or_default();
            *met += 1;
            let all = self.0.iter().find(|all| all.first().is_some_and(|first| (first.severity, first.code) == kind));
            let count = all.map_or(0, Vec::len);
            if count <= MANY || *met <= SHOWN {
                folded.push(Cow::Borrowed(*finding));
            }
            if count > MANY && *met == SHOWN {
                folded.extend(all.map(|all| Cow::Owned(others(&all[SHOWN..]))));
            }
        }
        folded
    }

    /// One line for each kind.
    fn summary(&self, count: usize) -> Vec<Cow<'finding, Finding>> {
        let mut lines: Vec<Finding> = self.0.iter().filter_map(|all| Some(first_of(all.first()?, all.len()))).collect();
        if let Some(last) = lines.last_mut() {
            last.help = Some(format!("`-o json=FILE` writes all {count} to a file; `-v` prints each in full"));
        }
        lines.into_iter().map(Cow::Owned).collect()
    }
}

/// The others of a kind, counted.
fn others(findings: &[&Finding]) -> Finding {
    let mut seen = HashSet::new();
    let subjects = findings.iter().filter_map(|finding| Some(finding.message.split_once(": ")?.0));
    let subjects: Vec<&str> = subjects.filter(|subject| seen.insert(*subject)).collect();
    let about = if subjects.is_empty() { String::new() } else { format!(": {}", listed(&subjects)) };
    let message = format!("{} more of this kind{about}", findings.len());
    Finding { message, ..bare(findings.first().copied()) }.with_help("`-v` prints each")
}

/// The first of a kind, and how many there are.
fn first_of(first: &Finding, count: usize) -> Finding {
    let message =
        if count == 1 { first.message.clone() } else { format!("{count} of one kind, the first: {}", first.message) };
    Finding { message, ..bare(Some(first)) }
}

/// A finding's kind, without what it says.
fn bare(of: Option<&Finding>) -> Finding {
    Finding {
        severity: of.map_or(Severity::Warning, |finding| finding.severity),
        code: of.and_then(|finding| finding.code),
        message: String::new(),
        causes: Vec::new(),
        help: None,
        excerpt: None,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::finding::Excerpt;
    use crate::fleet::{Condition, ConditionKind};
    use crate::report::FindingsPlace;
    use crate::report::drift::fixture::{everything, view};

    fn run(conditions: &[(&str, Finding)]) -> Run {
        let template = everything().applications.remove(1);
        let mut run = Run::default();
        for (name, finding) in conditions {
            let mut application = template.clone();
            (*name).clone_into(&mut application.name);
            let finding = finding.clone().about(name);
            application.conditions = vec![Condition { kind: ConditionKind::ComparisonError, finding }];
            run.applications.push(application);
        }
        run
    }

    fn transcript(run: &Run) -> String {
        let gathered = of_run(run);
        text(gathered.iter().map(|finding| &**finding), &view())
    }

    /// One server is down, and a fleet has hundreds of applications in it.
    #[test]
    fn what_applications_share_is_one_finding() {
        let down = || {
            Finding::error(Code::AppYaml, "https://git.example.com/shop cannot be reached")
                .with_cause("Connection refused")
        };
        let names: Vec<String> = (1..=9).map(|number| format!("web-{number}")).collect();
        let mut conditions: Vec<(&str, Finding)> = names.iter().map(|name| (name.as_str(), down())).collect();
        conditions.push(("api", Finding::error(Code::AppYaml, "no folder or file `api`")));
        assert_snapshot!(transcript(&run(&conditions)), @r"
        × web-1, web-2, web-3, web-4, web-5 and 4 more: https://git.example.com/shop cannot be reached
        ╰─▶ Connection refused
        × api: no folder or file `api`
        ");
    }

    /// One role is missing, or one host is down: a fleet has one problem, and not three for each application.
    #[test]
    fn errors_with_one_cause_are_one_finding() {
        let denied = |namespace: &str, kind: &str| {
            let message = format!("cluster prod: `ci` cannot list `{kind}` in namespace `{namespace}`");
            Finding::error(Code::ClusterForbidden, message).with_help("diff needs get and list")
        };
        let down = |repository: &str| {
            let message = format!("https://git.example.com/shop/{repository} cannot be reached");
            Finding::error(Code::SourceNetwork, message).with_cause("Connection refused")
        };
        let run = run(&[
            ("web", denied("web", "deployments.apps")),
            ("api", denied("api", "deployments.apps")),
            ("jobs", denied("jobs", "cronjobs.batch")),
            ("one", down("one")),
            ("two", down("two")),
            ("alone", Finding::error(Code::SourceNetwork, "https://other.example.com/a cannot be reached")),
        ]);
        assert_snapshot!(transcript(&run), @r"
        × web, api and jobs: cluster prod: `ci` cannot list `deployments.apps` and `cronjobs.batch` in
        │ namespaces `web`, `api` and `jobs`
        help: diff needs get and list
        × one and two: git.example.com cannot be reached (2 repositories)
        ╰─▶ Connection refused
        × alone: https://other.example.com/a cannot be reached
        ");
        let report = crate::report::render(&run, crate::report::Format::Text, &view());
        assert_eq!(report.matches("cannot list").count(), 1, "{report}");
        assert_eq!(report.matches("cannot be reached").count(), 2, "{report}");
    }

    #[test]
    fn of_many_of_one_kind_the_first_are_printed_and_the_others_counted() {
        let finding = |number: usize| Finding::warning(Code::AppPartial, format!("set-{number}: is not expanded"));
        let findings: Vec<Finding> = (1..=40).map(finding).collect();
        assert_snapshot!(text(&findings, &view()), @r"
        ⚠ set-1: is not expanded
        ⚠ set-2: is not expanded
        ⚠ 38 more of this kind: set-3, set-4, set-5, set-6, set-7 and 33 more
        help: `-v` prints each
        ");
        let same: Vec<Finding> =
            (1..=20).map(|number| finding(number % 4).with_help(format!("set {number}"))).collect();
        let printed = text(&same, &view());
        assert!(printed.contains("18 more of this kind: set-3, set-0, set-1 and set-2\n"), "{printed}");
        let verbose = View { verbose: true, ..view() };
        assert_eq!(text(&findings, &verbose).matches("is not expanded").count(), 40);
        assert_eq!(text(&findings[..6], &view()).matches("is not expanded").count(), 6);
        assert_eq!(text(findings.iter().take(2).chain(&findings[..2]), &view()).matches("is not expanded").count(), 2);
    }

    /// Standard output and standard error are one screen to whoever runs it by hand.
    #[test]
    fn a_report_beside_the_findings_does_not_repeat_them() {
        let run = everything();
        let messages: Vec<&str> = run.all_findings().map(|finding| finding.message.as_str()).collect();
        let shown = |findings| {
            let view = View { findings, width: 1000, ..view() };
            let report = crate::report::render(&run, crate::report::Format::Text, &view);
            messages.iter().filter(|message| report.contains(&*crate::report::visible(message))).count()
        };
        assert_eq!((shown(FindingsPlace::Report), shown(FindingsPlace::Screen)), (messages.len(), 0));
    }

    /// A public repository once gave 1.1 MB of text.
    #[test]
    fn more_than_two_hundred_lines_become_one_for_each_kind() {
        let finding = |number: usize| {
            let excerpt = Excerpt::new(format!("{number}.yaml"), "a: b\nc: d\ne: f\n", 5, 1, None);
            Finding::warning(Code::ALL[number % 50], format!("{number}.yaml: is odd")).at(excerpt)
        };
        let findings: Vec<Finding> = (0..200).map(finding).collect();
        let printed = text(&findings, &view());
        assert_eq!(printed.lines().count(), 51, "{printed}");
        assert!(printed.starts_with("  ⚠ 4 of one kind, the first: 0.yaml: is odd\n"), "{printed}");
        assert!(
            printed.ends_with("help: `-o json=FILE` writes all 200 to a file; `-v` prints each in full\n"),
            "{printed}"
        );
    }
}
