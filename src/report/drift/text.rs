//! The report for people: every application with drift, every difference with its origin and who made it, and the totals.
//!
//! Takes a [`Run`] and a [`View`], returns text that is complete without colour. A change reads from live to git, the
//! direction of a sync. A value that fits on a line takes one line; `-U` shows hunks of YAML with context.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::fleet::census::RemovedObjects;
use crate::fleet::{ApplicationRun, Run, SourceRun, SyncStatus};
use crate::object::Key;
use crate::report::drift::diff::{self, CONTEXT, Diff, DiffSide, Hunk, LONGEST_VALUE, Line};
use crate::report::drift::notes::{common_note, note_of_all};
use crate::report::drift::{ignored_fields, operation};
use crate::report::gathered::GatheredFindings;
use crate::report::health::{judged, text as health};
use crate::report::style::age::age;
use crate::report::style::page::Page;
use crate::report::style::path::{one_line, path};
use crate::report::style::theme::Role;
use crate::report::style::truncate::brief_line;
use crate::report::style::words::{
    STATES, application_counts, change_words, cluster_words, commit_words, counted, fetched_by_words, finding_counts,
    finding_line, going_words, is_listed_in_plan, lineage_words, one_sided_words, proof_words, resource_counts,
    rolled_back_words, short_revision, state_explained, state_role, state_sign, status_role, status_words,
};
use crate::report::{ExitStatus, FindingsPlace, View};
use crate::source::PathHistory;
use crate::status::health::HealthStatus;
use crate::status::{FieldDrift, Moved, ResourceDrift, ResourceState};

/// Applications in sync beyond this number are counted on one line, without `-v`.
const FOLD_IN_SYNC: usize = 3;
/// Lines of a missing resource that `-U` shows without `-v`.
const FOLD_MISSING: usize = 10;
/// Lines of one hunk that are shown without `-v`.
const FOLD_HUNK: usize = 60;
/// Commits of one resource that are shown without `-v`.
const FOLD_COMMITS: usize = 5;

/// The run as text.
pub(in crate::report) fn write(run: &Run, view: &View) -> String {
    let mut report = TextReport::of(run, view);
    report.body(run);
    report.totals(run);
    report.page.finish()
}

/// The differences alone, without plans and totals.
pub(in crate::report) fn comparison(run: &Run, view: &View) -> String {
    let mut run = run.clone();
    for application in &mut run.applications {
        (application.plan, application.left) = (None, None);
    }
    let mut report = TextReport::of(&run, view);
    report.body(&run);
    report.page.finish()
}

/// The note of a resource that one of the application's own findings says, too.
fn note_of_findings<'run>(resource: &'run ResourceDrift, application: &ApplicationRun) -> Option<&'run str> {
    let note = resource.note.as_deref().filter(|_| resource.state == ResourceState::Unknown)?;
    let says = |message: &str| message.strip_suffix(note).is_some_and(|name| name.is_empty() || name.ends_with(": "));
    application.conditions.iter().any(|condition| says(&condition.finding.message)).then_some(note)
}

fn whole(pieces: &[(bool, String)]) -> Vec<(bool, Cow<'_, str>)> {
    pieces.iter().map(|(differs, piece)| (*differs, Cow::Borrowed(piece.as_str()))).collect()
}

fn moved_role(moved: Moved) -> Role {
    match moved {
        Moved::Git => Role::Git,
        Moved::Cluster => Role::Cluster,
        Moved::Both => Role::Warning,
        Moved::Unknown => Role::Hint,
    }
}

struct TextReport<'run> {
    page: Page,
    view: &'run View,
    /// A note that is printed once at the top, because every changed resource has it.
    note_of_all: Option<&'run str>,
    /// Notes that several applications share are printed once, below them.
    gathered: GatheredFindings<'run>,
}

impl<'run> TextReport<'run> {
    fn of(run: &'run Run, view: &'run View) -> Self {
        let gathered = GatheredFindings::of(run);
        Self { page: Page::new(view.color), view, note_of_all: note_of_all(run), gathered }
    }
}

impl TextReport<'_> {
    /// Everything but the totals.
    fn body(&mut self, run: &Run) {
        self.head(run);
        let (in_sync, others): (Vec<_>, Vec<_>) =
            run.applications.iter().partition(|application| self.fits_in_one_line(application));
        for application in others {
            self.application(application);
        }
        self.in_sync(&in_sync);
        self.removals(run);
        if self.view.findings == FindingsPlace::Report {
            let shared: Vec<_> = self.gathered.shared().collect();
            if !run.findings.is_empty() || !shared.is_empty() {
                self.page.gap();
            }
            for finding in &shared {
                self.finding("", finding);
            }
            run.findings.iter().for_each(|finding| self.finding("", finding));
        }
    }

    /// Applications that this run removed.
    fn removals(&mut self, run: &Run) {
        let removed: Vec<_> = run.removals.iter().filter(|removal| removal.is_removed).collect();
        if !removed.is_empty() {
            self.page.gap();
        }
        for removal in removed {
            let objects = counted(removal.objects, "object");
            let what = if removal.outcome == RemovedObjects::Kept { "kept" } else { "deleted" };
            self.page.write(Role::Name, removal.name.to_string()).write(Role::Plain, "  ").write(Role::Good, "removed");
            self.page.write(Role::Plain, "  ").write(Role::Plain, format!("{objects} {what}")).end();
        }
    }

    /// How changes read, and what holds for all of them.
    fn head(&mut self, run: &Run) {
        if run.count(ResourceState::Changed) > 0 {
            let words = match self.view.context_lines {
                None => "live → git: what a sync would change",
                Some(_) => "- live, + git: what a sync would change",
            };
            self.page.write(Role::Hint, words).end();
        }
        if let Some(note) = self.note_of_all {
            self.page.write(Role::Hint, note).end();
        }
    }

    fn totals(&mut self, run: &Run) {
        self.page.gap();
        let applications = counted(run.applications.len(), "application");
        let resources = counted(STATES.into_iter().map(|state| run.count(state)).sum(), "resource");
        let code = run.exit_code(&self.view.exit);
        let exit = format!("exit code {code}");
        let width = [&applications, &resources, &exit].into_iter().map(String::len).max().unwrap_or_default() + 2;
        let counts = resource_counts(|state| run.count(state));
        for (words, counts) in [(applications, application_counts(run)), (resources, counts)] {
            self.total(width, &words, &counts);
        }
        for counts in [finding_counts(run), ignored_fields::counts(run)].iter().filter(|counts| !counts.is_empty()) {
            self.page.list(counts, ", ").end();
        }
        if self.view.verbose {
            self.requests(run);
        }
        let recent = run.count_recent();
        let meaning = match run.exit_status() {
            ExitStatus::InSync if recent > 0 => "no drift that is as old as `--older-than` says",
            status => status.meaning(),
        };
        self.total(width, &exit, &[(Role::Plain, meaning.to_owned())]);
    }

    fn total(&mut self, width: usize, words: &str, counts: &[(Role, String)]) {
        self.page.write(Role::Name, words);
        if !counts.is_empty() {
            self.page.write(Role::Plain, " ".repeat(width.saturating_sub(words.len()))).list(counts, ", ");
        }
        self.page.end();
    }

    fn requests(&mut self, run: &Run) {
        let requests = run.requests;
        let words = format!(
            "requests: {} discovery, {} list, {} get, {} dry run, {} openapi, {} access, {} write",
            requests.discovery,
            requests.list,
            requests.get,
            requests.dry_run,
            requests.openapi,
            requests.access,
            requests.write
        );
        self.page.write(Role::Hint, words).end();
    }

    /// Applications of which there is nothing to say but that they are in sync: a line each, or one for all.
    fn in_sync(&mut self, applications: &[&ApplicationRun]) {
        if applications.is_empty() {
            return;
        }
        self.page.gap();
        if applications.len() > FOLD_IN_SYNC {
            let words = format!("{} in sync", counted(applications.len(), "application"));
            self.page.write(Role::Good, words).write(Role::Hint, ", -v lists them").end();
            return;
        }
        for application in applications {
            self.title(application);
            self.rest_of_the_line(application);
        }
    }

    fn title(&mut self, application: &ApplicationRun) {
        let status = application.sync();
        self.page.write(Role::Name, &application.name).write(Role::Plain, "  ");
        if let Some(words) = going_words(application) {
            self.page.write(if application.is_deleted { Role::Good } else { Role::Cluster }, words);
        } else {
            self.page.write(status_role(status), status_words(status));
        }
        if let Some(health) = &application.health {
            self.page.write(Role::Plain, "  ").write(judged::role(Some(health.status)), health.status.as_str());
        }
        let counts = resource_counts(|state| application.count(state));
        if !counts.is_empty() {
            self.page.write(Role::Plain, "  ").list(&counts, ", ");
        }
        if let Some(words) = lineage_words(application) {
            self.page.write(Role::Hint, "  ").write(Role::Hint, words);
        }
    }

    /// An application with something to read.
    fn application(&mut self, application: &ApplicationRun) {
        self.page.gap();
        self.title(application);
        self.page.end();
        self.destination(application);
        application.sources.iter().for_each(|source| self.source(source));
        let note = self.note_of_all.or_else(|| common_note(application.resources.iter()));
        if let Some(note) = note.filter(|_| self.note_of_all.is_none()) {
            self.page.write(Role::Hint, "  note     ").write(Role::Hint, note).end();
        }
        self.rolled_back(application);
        operation::write(&mut self.page, application, self.view.verbose);
        ignored_fields::write_rules(&mut self.page, application);
        for state in STATES {
            for resource in application.resources.iter().filter(|resource| resource.state == state) {
                if !self.is_plain(resource) && !is_listed_in_plan(application) {
                    self.resource(application, resource, note.or_else(|| note_of_findings(resource, application)));
                    self.commits(application, resource);
                }
            }
        }
        if !application.recent.is_empty() {
            let words =
                format!("{}, younger than `--older-than`, not listed", counted(application.recent.len(), "resource"));
            self.page.write(Role::Hint, "  recent   ").write(Role::Hint, words).end();
        }
        self.orphans(application);
        self.unhealthy(application);
        let findings = application.conditions.iter().map(|condition| &condition.finding);
        let own: Vec<_> = findings.filter(|one| !self.gathered.is_shared(one, &application.name)).collect();
        if !own.is_empty() && self.view.findings == FindingsPlace::Report {
            self.page.end();
            for finding in own {
                self.finding("  ", finding);
            }
        }
    }

    /// What belongs to no application.
    fn orphans(&mut self, application: &ApplicationRun) {
        if !application.orphans.is_empty() {
            self.page.end();
        }
        for orphan in &application.orphans {
            self.page.write(Role::Warning, "  ? ").write(Role::Plain, orphan.to_string());
            self.page.write(Role::Hint, "  orphaned: belongs to no application").end();
        }
    }

    /// The entry of the history that is in effect instead of what git says now.
    fn rolled_back(&mut self, application: &ApplicationRun) {
        if let Some(words) = rolled_back_words(application) {
            self.page.write(Role::Hint, "  history  ").write(Role::Warning, words).end();
        }
    }

    /// Where an application is, and from which revision, after its status.
    fn rest_of_the_line(&mut self, application: &ApplicationRun) {
        self.page.write(Role::Hint, "  ").write(Role::Hint, cluster_words(application).join("  "));
        for source in &application.sources {
            let revision = short_revision(&source.revision);
            for words in [revision.as_str(), fetched_by_words(source)].into_iter().filter(|words| !words.is_empty()) {
                self.page.write(Role::Hint, "  ").write(Role::Hint, words);
            }
        }
        let ignored: usize = ignored_fields::by_rule(application).values().sum();
        if ignored > 0 {
            self.page.write(Role::Hint, format!("  {} ignored", counted(ignored, "field")));
        }
        self.page.end();
    }

    fn fits_in_one_line(&self, application: &ApplicationRun) -> bool {
        let is_healthy = application.health.as_ref().is_none_or(|health| health.status == HealthStatus::Healthy);
        let is_plain = |resource| self.is_plain(resource);
        let is_quiet = is_healthy
            && !operation::is_reported(application)
            && application.conditions.is_empty()
            && application.rolled_back.is_none()
            && application.orphans.is_empty()
            && application.resources.iter().all(is_plain);
        !self.view.verbose && application.sync() == SyncStatus::Synced && is_quiet
    }

    /// In sync, with nothing else to report.
    fn is_plain(&self, resource: &ResourceDrift) -> bool {
        let has_a_line = self.view.verbose || ignored_fields::has_a_line(resource, self.view);
        resource.state == ResourceState::InSync && !has_a_line
    }

    /// Resources that are not healthy, and why.
    fn unhealthy(&mut self, application: &ApplicationRun) {
        let Some(health) = application.health.as_ref().filter(|health| health.status != HealthStatus::Healthy) else {
            return;
        };
        self.page.end();
        health::lines(&mut self.page, &health.resources, self.view.verbose);
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

    /// A resource; its note is left out where the application or the run has it.
    fn resource(&mut self, application: &ApplicationRun, resource: &ResourceDrift, shared_note: Option<&str>) {
        let key = Key {
            group: resource.gvk.group.clone(),
            kind: resource.gvk.kind.clone(),
            namespace: resource.namespace.clone(),
            name: resource.name.clone(),
        };
        let is_one_line = resource.additions.is_empty()
            && resource.ignored.is_empty()
            && (resource.state == ResourceState::InSync
                || (resource.state == ResourceState::Unknown && shared_note.is_some()));
        if !is_one_line {
            self.page.end();
        }
        let (sign_role, sign) = state_sign(resource.state);
        self.page.write(Role::Plain, "  ").write(sign_role, sign);
        self.page.write(Role::Plain, " ").write(Role::Name, key.to_string()).write(Role::Plain, "  ");
        self.page.write(state_role(resource.state), state_explained(resource));
        if !one_sided_words(resource).is_empty() {
            self.page.write(Role::Plain, ", ").write(Role::Plain, one_sided_words(resource));
        }
        if resource.is_tolerated {
            self.page.write(Role::Hint, ", does not count: IgnoreExtraneous");
        }
        if let Some(origin) = &resource.origin {
            self.page.write(Role::Plain, "  ").write(Role::Hint, origin.to_string());
        }
        if let Some(since) = application.since(resource).filter(|_| self.view.verbose) {
            let age = age(&since.to_string(), self.view.now);
            self.page.write(Role::Plain, "  ").write(Role::Hint, format!("differs since {since}, {age}"));
        }
        if self.view.verbose && !proof_words(resource.proof).is_empty() {
            self.page.write(Role::Plain, "  ").write(Role::Hint, proof_words(resource.proof));
        }
        self.page.end();
        if let Some(note) = resource.note.as_deref().filter(|note| Some(*note) != shared_note) {
            self.page.write(Role::Plain, "    ").write(Role::Hint, note).end();
        }
        match (resource.state, &resource.target, self.view.context_lines) {
            (ResourceState::Changed, _, None) => resource.fields.iter().for_each(|field| self.change(field, resource)),
            (ResourceState::Changed, _, Some(context)) => self.hunks(resource, context),
            (ResourceState::Missing, Some(target), Some(_)) => self.lines(&diff::whole(target), FOLD_MISSING),
            (ResourceState::Missing, Some(target), None) if self.view.verbose => {
                self.lines(&diff::whole(target), FOLD_MISSING);
            }
            _ => {}
        }
        ignored_fields::write(&mut self.page, resource, self.view);
    }

    /// One field: on one line where both values fit, else a heading and the lines that differ.
    fn change(&mut self, field: &FieldDrift, resource: &ResourceDrift) {
        self.page.write(Role::Plain, "    ").write(Role::Path, path(field, resource));
        let values = [&field.live, &field.git].map(|value| one_line(value.as_ref(), LONGEST_VALUE));
        if let [Some(live), Some(git)] = &values {
            self.page.write(Role::Plain, "  ").write(Role::Cluster, live);
            self.page.write(Role::Plain, " → ").write(Role::Git, git);
        }
        self.who(field);
        if values.iter().any(Option::is_none) {
            for lines in diff::field_lines(field, CONTEXT) {
                self.lines(&lines, FOLD_HUNK);
            }
        }
    }

    /// The hunks of a changed resource, each under the fields that it shows.
    fn hunks(&mut self, resource: &ResourceDrift, context: usize) {
        let Diff { elsewhere, hunks } = diff::diff(resource, context);
        for field in elsewhere {
            self.change(&resource.fields[field], resource);
        }
        let mut reported = BTreeSet::new();
        for Hunk { fields, lines } in &hunks {
            for at in fields {
                let field = &resource.fields[*at];
                self.page.write(Role::Plain, "    ").write(Role::Path, path(field, resource));
                if reported.insert(at) {
                    self.who(field);
                } else {
                    self.page.write(Role::Hint, "  continued").end();
                }
            }
            self.lines(lines, FOLD_HUNK);
        }
    }

    /// Which side changed a field and who did, to the end of the line; the last synced value where both sides changed it.
    fn who(&mut self, field: &FieldDrift) {
        let words = change_words(field, |time| age(time, self.view.now));
        if !words.is_empty() {
            self.page.write(Role::Plain, "  ").write(moved_role(field.moved), words);
        }
        self.page.end();
        if field.moved == Moved::Both {
            let last = one_line(field.last_synced.as_ref(), 2 * LONGEST_VALUE);
            let last = last.unwrap_or_else(|| "a longer value, see `-o json`".to_owned());
            self.page.write(Role::Hint, "      last synced: ").write(Role::Plain, last).end();
        }
    }

    /// The commits that changed a resource in git.
    fn commits(&mut self, application: &ApplicationRun, resource: &ResourceDrift) {
        if !resource.has_git_moved() {
            return;
        }
        let Some(PathHistory { commits, is_cut }) = application.history_of(resource) else { return };
        let shown = if self.view.verbose { commits.len() } else { commits.len().min(FOLD_COMMITS) };
        for commit in &commits[..shown] {
            let words = commit_words(commit, &age(&commit.time, self.view.now));
            self.page.write(Role::Hint, "    commit ").write(Role::Git, short_revision(&commit.hash));
            self.page.write(Role::Plain, "  ").write(Role::Hint, words).end();
        }
        let words = match (commits.len() - shown, *is_cut) {
            (0, false) => return,
            (0, true) => "and more".to_owned(),
            (hidden, false) => format!("{hidden} more commits, -v shows all"),
            (hidden, true) => format!("{hidden} more commits and others, -v shows {}", commits.len()),
        };
        self.page.write(Role::Hint, format!("    … {words}")).end();
    }

    fn lines(&mut self, lines: &[Line], fold: usize) {
        // Folding a line or two would only replace them by another.
        let shown = if self.view.verbose || lines.len() <= fold + 2 { lines.len() } else { fold };
        for Line { side, pieces } in &lines[..shown] {
            let (sign, role, part) = match side {
                DiffSide::Both => ("  ", Role::Hint, Role::Hint),
                DiffSide::Cluster => ("- ", Role::Cluster, Role::ClusterPart),
                DiffSide::Git => ("+ ", Role::Git, Role::GitPart),
            };
            if pieces.is_empty() && *side == DiffSide::Both {
                self.page.end();
                continue;
            }
            self.page.write(Role::Plain, "      ").write(role, if pieces.is_empty() { sign.trim_end() } else { sign });
            for (differs, piece) in if self.view.verbose { whole(pieces) } else { brief_line(pieces) } {
                self.page.write(if differs { part } else { role }, piece);
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
    use serde_json::json;

    use super::*;
    use crate::report::drift::fixture::{HOSTILE, application, changed, everything, field, view};
    use crate::report::style::escape::is_hidden;

    #[test]
    fn a_report_says_what_changed_where_and_who_did_it() {
        let mut run = everything();
        run.applications[0].resources.retain(|resource| resource.name != HOSTILE);
        run.findings.pop();
        assert_snapshot!(write(&run, &view()), @r#"
        live → git: what a sync would change

        shop  OutOfSync  3 changed, 1 missing, 1 extra, 1 in sync
          cluster  https://10.0.0.1:6443  namespace shop
          source   https://git.example.com/shop/infra  overlays/prod  main  3f2a9c1  fetched by gix

          ~ apps/Deployment shop/web  changed  overlays/prod/web.yaml:12
            spec.replicas  5 → 2  changed in the cluster by kubectl scale, 2h ago
            spec.template.spec.containers[web].env[LOG_LEVEL]  last set by kubectl-edit, 12m ago
              - name: LOG_LEVEL
              - value: debug
            spec.template.spec.containers[web].image  registry.example.com/shop/web:1.4.0-debug → registry.example.com/shop/web:1.4.0  changed in git and in the cluster by kubectl-edit, 12m ago
              last synced: registry.example.com/shop/web:1.3.9
            commit 9e107d9  web: 1.4.0, Ada Lovelace, 24h ago
            … and more

          ~ ConfigMap shop/settings  changed  base/settings.yaml:1
            compared without the API server: this account may not patch `configmaps`
            data["start.sh"]  last set by argocd-controller, 3d ago
                #!/bin/sh
              - set -e
              + set -eu

                export A=1
                export B=2
                export C=3
                export D=4
              - exec web --port 8080 --verbose
              + exec web --port 8080

          ~ Secret shop/login  changed  base/login.yaml:1
            data.password  ++++++++++++ → ++++++++

          + Service shop/web  missing in the cluster  base/service.yaml:1

          - batch/Job shop/migrate-2025  extra, not in git, removed from git since the last sync

          ⚠ shop: `ConfigMap shop/settings` is written twice; the last one counts

        payments  Unknown  1 unknown
          cluster  eu-prod  https://10.0.0.1:6443  namespace payments
          source   git@git.example.com:pay/infra  ^1.2  not fetched
          source   https://git.example.com/pay/values  prod  HEAD  3f2a9c1  fetched by the git program

          ? apps/Deployment payments/api  unknown
            `deployments.apps` may not be listed in namespace `payments`

          × payments: no tag satisfies `^1.2` in ssh://git@git.example.com/pay/infra: the remote has 0 tags  apps/payments.yaml:4

        search  Synced  1 in sync  examples/search/live  3f2a9c1  working tree as it is

        ⚠ apps/legacy.yaml: `{{` is a template, not a manifest

        3 applications  1 unknown, 1 out of sync, 1 in sync
        8 resources     1 unknown, 3 changed, 1 missing, 1 extra, 2 in sync
        1 error, 2 warnings
        exit code 2     error: no complete answer (bad input, git, rendering or cluster failure)
        "#);
    }

    #[test]
    fn a_verbose_report_lists_resources_in_sync_and_folds_nothing() {
        let verbose = write(&everything(), &View { verbose: true, ..view() });
        for line in [
            "requests: 2 discovery, 7 list, 0 get, 3 dry run, 0 openapi, 2 access, 0 write",
            "  = ServiceAccount shop/web  in sync  base/account.yaml:1  compared by a server-side dry run",
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
        assert_snapshot!(write(&run, &View { context_lines: Some(0), ..view() }), @r"
        - live, + git: what a sync would change

        shop  OutOfSync  1 changed
          cluster  https://10.0.0.1:6443  namespace shop
          source   https://git.example.com/shop/infra  overlays/prod  main  3f2a9c1  fetched by gix

          ~ apps/Deployment shop/web  changed  overlays/prod/web.yaml:12
            spec.replicas  changed in the cluster by kubectl scale, 2h ago
              - replicas: 5
              + replicas: 2
            spec.template.spec.containers[web].env[LOG_LEVEL]  last set by kubectl-edit, 12m ago
            spec.template.spec.containers[web].image  changed in git and in the cluster by kubectl-edit, 12m ago
              last synced: registry.example.com/shop/web:1.3.9
              - - name: LOG_LEVEL
              -   value: debug
              - image: registry.example.com/shop/web:1.4.0-debug
              + image: registry.example.com/shop/web:1.4.0
            commit 9e107d9  web: 1.4.0, Ada Lovelace, 24h ago
            … and more

        1 application  1 out of sync
        1 resource     1 changed
        exit code 1    drift: something is changed, missing or extra
        ");
    }

    #[test]
    fn no_application_is_a_report_too() {
        assert_snapshot!(write(&Run::default(), &view()), @r"
        0 applications
        0 resources
        exit code 0     everything is in sync, or done
        ");
    }

    /// A field is shown even where there are no two objects to show it in.
    #[test]
    fn a_field_without_an_object_is_shown_with_its_values() {
        let mut run = everything();
        run.applications.truncate(1);
        let application = &mut run.applications[0];
        application.resources.retain(|resource| resource.name == "web" && resource.state == ResourceState::Changed);
        application.resources[0].live = None;
        let text = write(&run, &view());
        assert!(text.contains("    spec.replicas  5 → 2  changed in the cluster by kubectl scale, 2h ago\n"), "{text}");
    }

    /// A long value with changes far apart: who changed it is said once.
    #[test]
    fn who_changed_a_field_in_several_hunks_is_said_once() {
        let text = |third: &str, ninth: &str| {
            let lines = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
            json!({"data": {"text": lines.replace('3', third).replace('9', ninth)}})
        };
        let mut drift = changed("v1", "ConfigMap", "long", text("three", "nine"), text("3", "9"));
        drift.fields = vec![field(&drift, "/data/text", None, None)];
        let mut application = application("shop");
        application.resources = vec![drift];
        let run = Run { applications: vec![application], ..Run::default() };
        let text = write(&run, &View { context_lines: Some(0), ..view() });
        let differences: Vec<&str> =
            text.lines().skip_while(|line| !line.contains("data.text")).take_while(|line| !line.is_empty()).collect();
        assert_eq!(
            differences,
            ["    data.text", "      - three", "      + 3", "    data.text  continued", "      - nine", "      + 9"]
        );
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
        let colored = write(&everything(), &View { color: true, context_lines: Some(3), ..view() });
        let part = |role: Role, text: &str| role.style().style(text).to_string();
        assert!(colored.contains(&part(Role::ClusterPart, "-debug")), "{colored}");
        assert!(colored.contains(&part(Role::GitPart, "2")), "{colored}");
    }

    /// The names, notes, values and times of the fixture's hostile resource are all escape codes and line breaks.
    #[test]
    fn hostile_text_reaches_no_terminal() {
        for verbose in [false, true] {
            for context_lines in [None, Some(3)] {
                let text = write(&everything(), &View { context_lines, verbose, ..view() });
                assert!(!text.contains(|character| character != '\n' && is_hidden(character)));
                assert!(!text.lines().any(|line| line.starts_with("# heading")));
            }
        }
    }

    /// Thirty applications in sync are one line; those that drifted stand together.
    #[test]
    fn applications_in_sync_are_counted_on_one_line() {
        let mut run = everything();
        run.findings.clear();
        let mut in_sync = run.applications.remove(2);
        run.applications.clear();
        for number in 1..=30 {
            in_sync.name = format!("app-{number}");
            run.applications.push(in_sync.clone());
        }
        assert_snapshot!(write(&run, &view()), @r"
        30 applications in sync, -v lists them

        30 applications  30 in sync
        30 resources     30 in sync
        exit code 0      everything is in sync, or done
        ");
    }

    /// A note that every resource has, such as a folder that cannot run a dry run, is printed once.
    #[test]
    fn a_note_that_all_changed_resources_share_is_printed_once() {
        let mut run = everything();
        let note = Some("compared without the server: a folder cannot run a dry run".to_owned());
        for resource in run.applications.iter_mut().flat_map(|application| &mut application.resources) {
            resource.note = note.clone();
        }
        let text = write(&run, &view());
        assert_eq!(
            text.matches("a folder cannot run").count() - text.matches("unknown\n    compared").count(),
            1,
            "{text}"
        );
    }
}
