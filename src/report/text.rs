//! The report for people: a summary first, then every application, then every difference with its origin and its doer.
//!
//! The text is whole without colour. A difference reads as `kubectl diff` and `argocd app diff` print it: `-` is in the
//! cluster, `+` is in git, and a sync would replace the one by the other.

use super::View;
use super::age::age;
use super::diff::{self, Diff, Hunk, Line, Side};
use super::page::Page;
use super::path::{path, short};
use super::summary::{
    STATES, application_counts, cluster_words, counted, fetched_by_words, finding_counts, finding_line, manager_words,
    proof_words, resource_counts, short_revision, state_role, state_sign, state_words, status_role, status_words,
};
use super::theme::Role;
use crate::finding::Finding;
use crate::fleet::{ApplicationRun, Run, SourceRun};
use crate::object::Key;
use crate::status::{FieldDrift, ResourceDrift, ResourceState};

/// So many lines of a missing resource are shown without `-v`.
const FOLD_MISSING: usize = 10;
/// So many lines of one hunk are shown without `-v`.
const FOLD_HUNK: usize = 60;

/// The run as text.
pub(super) fn write(run: &Run, view: &View) -> String {
    let mut report = Text { page: Page::new(view.color), view };
    report.summary(run);
    for application in &run.applications {
        report.application(application);
    }
    if !run.findings.is_empty() {
        report.page.end();
        run.findings.iter().for_each(|finding| report.finding("", finding));
    }
    report.page.finish()
}

struct Text<'view> {
    page: Page,
    view: &'view View,
}

impl Text<'_> {
    fn summary(&mut self, run: &Run) {
        let resources = STATES.into_iter().map(|state| run.count(state)).sum();
        self.page.write(Role::Name, counted(run.applications.len(), "application"));
        self.counts(&application_counts(run));
        self.page.write(Role::Name, counted(resources, "resource"));
        self.counts(&resource_counts(|state| run.count(state)));
        let findings = finding_counts(run);
        for (index, (role, words)) in findings.iter().enumerate() {
            self.page.write(Role::Plain, if index == 0 { "" } else { ", " }).write(*role, words);
        }
        if !findings.is_empty() {
            self.page.end();
        }
        if self.view.verbose {
            let requests = run.requests;
            let words = format!(
                "requests: {} discovery, {} list, {} get, {} dry run, {} openapi",
                requests.discovery, requests.list, requests.get, requests.dry_run, requests.openapi
            );
            self.page.write(Role::Hint, words).end();
        }
        if run.count(ResourceState::Changed) > 0 {
            self.page.write(Role::Cluster, "-").write(Role::Hint, " is in the cluster, ");
            self.page.write(Role::Git, "+").write(Role::Hint, " is in git").end();
        }
    }

    /// The rest of a summary's line.
    fn counts(&mut self, counts: &[(Role, String)]) {
        self.page.column(16);
        for (index, (role, words)) in counts.iter().enumerate() {
            self.page.write(Role::Plain, if index == 0 { "" } else { ", " }).write(*role, words);
        }
        self.page.end();
    }

    fn application(&mut self, application: &ApplicationRun) {
        let status = application.sync();
        self.page.end().write(Role::Name, &application.name).write(Role::Plain, "  ");
        self.page.write(status_role(status), status_words(status)).write(Role::Plain, "  ");
        for (index, (role, words)) in resource_counts(|state| application.count(state)).iter().enumerate() {
            self.page.write(Role::Plain, if index == 0 { "" } else { ", " }).write(*role, words);
        }
        self.page.end();
        self.destination(application);
        application.sources.iter().for_each(|source| self.source(source));
        for state in STATES {
            let resources = application.resources.iter().filter(|resource| resource.state == state);
            if state != ResourceState::InSync || self.view.verbose {
                resources.for_each(|resource| self.resource(resource));
            }
        }
        if !application.conditions.is_empty() {
            self.page.end();
            application.conditions.iter().for_each(|condition| self.finding("  ", &condition.finding));
        }
    }

    fn destination(&mut self, application: &ApplicationRun) {
        let mut words = cluster_words(application).join("  ");
        if !application.destination.namespace.is_empty() {
            words.push_str("  namespace ");
            words.push_str(&application.destination.namespace);
        }
        self.page.write(Role::Hint, "  cluster  ").write(Role::Hint, words).end();
    }

    fn source(&mut self, source: &SourceRun) {
        let revision = short_revision(&source.revision);
        let asked = if source.target_revision.is_empty() { "HEAD" } else { &source.target_revision };
        let words = [&source.repo_url, &source.path, asked, &revision, fetched_by_words(source)];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        self.page.write(Role::Hint, "  source   ").write(Role::Hint, words.join("  ")).end();
    }

    fn resource(&mut self, resource: &ResourceDrift) {
        let key = Key {
            group: resource.gvk.group.clone(),
            kind: resource.gvk.kind.clone(),
            namespace: resource.namespace.clone(),
            name: resource.name.clone(),
        };
        if resource.state != ResourceState::InSync {
            self.page.end();
        }
        self.page.write(Role::Plain, "  ").write(state_role(resource.state), state_sign(resource.state));
        self.page.write(Role::Plain, " ").write(Role::Name, key.to_string()).write(Role::Plain, "  ");
        self.page.write(state_role(resource.state), state_words(resource.state));
        if let Some(origin) = &resource.origin {
            self.page.write(Role::Plain, "  ").write(Role::Hint, format!("{}:{}", origin.file, origin.line));
        }
        if self.view.verbose && !proof_words(resource.proof).is_empty() {
            self.page.write(Role::Plain, "  ").write(Role::Hint, proof_words(resource.proof));
        }
        self.page.end();
        if let Some(note) = &resource.note {
            self.page.write(Role::Plain, "    ").write(Role::Hint, note).end();
        }
        match (resource.state, &resource.target) {
            (ResourceState::Changed, _) => self.changed(resource),
            (ResourceState::Missing, Some(target)) => self.lines(&diff::whole(target), FOLD_MISSING),
            _ => {}
        }
    }

    fn changed(&mut self, resource: &ResourceDrift) {
        let Diff { elsewhere, hunks } = diff::diff(resource, self.view.context_lines);
        for field in elsewhere {
            self.field(&resource.fields[field], resource, true);
        }
        for Hunk { fields, lines } in &hunks {
            fields.iter().for_each(|field| self.field(&resource.fields[*field], resource, false));
            self.lines(lines, FOLD_HUNK);
        }
    }

    /// A field's path and who holds it; its values too, where no line of a hunk shows them.
    fn field(&mut self, field: &FieldDrift, resource: &ResourceDrift, with_values: bool) {
        self.page.write(Role::Plain, "    ").write(Role::Path, path(field, resource));
        if with_values {
            let live = field.live.as_ref().map_or_else(|| "nothing".to_owned(), short);
            let git = field.git.as_ref().map_or_else(|| "nothing".to_owned(), short);
            self.page.write(Role::Plain, "  ").write(Role::Cluster, format!("- {live}"));
            self.page.write(Role::Plain, "  ").write(Role::Git, format!("+ {git}"));
        }
        if !field.managers.is_empty() {
            let managers: Vec<String> = field
                .managers
                .iter()
                .map(|manager| manager_words(manager, &age(&manager.time, self.view.now)))
                .collect();
            self.page.column(40).write(Role::Manager, managers.join("; "));
        }
        self.page.end();
    }

    fn lines(&mut self, lines: &[Line], fold: usize) {
        // Folding a line or two would only replace them by another.
        let shown = if self.view.verbose || lines.len() <= fold + 2 { lines.len() } else { fold };
        for Line { side, pieces } in &lines[..shown] {
            let (sign, role, part) = match side {
                Side::Both => ("  ", Role::Hint, Role::Hint),
                Side::Cluster => ("- ", Role::Cluster, Role::ClusterPart),
                Side::Git => ("+ ", Role::Git, Role::GitPart),
            };
            self.page.write(Role::Plain, "      ").write(role, sign);
            for (differs, piece) in pieces {
                self.page.write(if *differs { part } else { role }, piece);
            }
            self.page.end();
        }
        if shown < lines.len() {
            let words = format!("… {} more lines, -v shows all", lines.len() - shown);
            self.page.write(Role::Plain, "      ").write(Role::Hint, words).end();
        }
    }

    fn finding(&mut self, indentation: &str, finding: &Finding) {
        let (sign, role, words) = finding_line(finding);
        self.page.write(Role::Plain, indentation).write(role, sign).write(Role::Plain, " ").write(Role::Plain, words);
        if let Some(excerpt) = &finding.excerpt {
            self.page.write(Role::Plain, "  ").write(Role::Hint, format!("{}:{}", excerpt.file, excerpt.line()));
        }
        self.page.end();
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::fixture::{everything, view};
    use crate::report::visible::is_hidden;

    #[test]
    fn a_report_says_what_differs_where_and_who_did_it() {
        assert_snapshot!(write(&everything(), &view()), @"");
    }

    #[test]
    fn a_verbose_report_shows_what_is_in_sync_and_folds_nothing() {
        let verbose = write(&everything(), &View { verbose: true, ..view() });
        for line in [
            "requests: 2 discovery, 7 list, 0 get, 3 dry run, 0 openapi",
            "  = ServiceAccount shop/web  in sync  base/account.yaml:1  the API server was asked",
            "      +   - name: port-4",
        ] {
            assert!(verbose.lines().any(|candidate| candidate == line), "{line}\n{verbose}");
        }
        assert!(!verbose.contains("-v shows all"));
    }

    #[test]
    fn without_context_only_the_difference_is_left() {
        let mut run = everything();
        run.applications.truncate(1);
        run.applications[0].conditions.clear();
        run.applications[0]
            .resources
            .retain(|resource| resource.name == "web" && resource.state == ResourceState::Changed);
        run.findings.clear();
        assert_snapshot!(write(&run, &View { context_lines: 0, ..view() }), @"");
    }

    #[test]
    fn nothing_to_compare_is_said_too() {
        assert_snapshot!(write(&Run::default(), &view()), @"");
    }

    /// A field is told even where there are no two objects to show it in.
    #[test]
    fn a_field_without_an_object_is_told_with_its_values() {
        let mut run = everything();
        run.applications.truncate(1);
        let application = &mut run.applications[0];
        application.resources.retain(|resource| resource.name == "web" && resource.state == ResourceState::Changed);
        application.resources[0].live = None;
        let text = write(&run, &view());
        assert!(text.contains("    spec.replicas  - 5  + 2  kubectl scale, Update, 2h ago\n"), "{text}");
    }

    #[test]
    fn colours_only_dress_the_text() {
        let plain = write(&everything(), &view());
        let colored = write(&everything(), &View { color: true, ..view() });
        assert_ne!(plain, colored);
        assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
    }

    /// A word of an image's tag was changed: the eye is led to the word.
    #[test]
    fn the_part_of_a_line_that_differs_stands_out() {
        let colored = write(&everything(), &View { color: true, ..view() });
        let part = |role: Role, text: &str| role.style().style(text).to_string();
        assert!(colored.contains(&part(Role::ClusterPart, "-debug")), "{colored}");
        assert!(colored.contains(&part(Role::GitPart, "2")), "{colored}");
    }

    /// The names, notes, values and times of the fixture's hostile resource are all escape codes and line breaks.
    #[test]
    fn hostile_text_reaches_no_terminal() {
        for verbose in [false, true] {
            let text = write(&everything(), &View { verbose, ..view() });
            assert!(!text.contains(|character| character != '\n' && is_hidden(character)));
            assert!(!text.lines().any(|line| line.starts_with("# heading")));
        }
    }
}
