//! The report for people: a summary first, then every application, then every difference with its origin and its doer.
//!
//! The text is whole without colour. A difference reads as `kubectl diff` and `argocd app diff` print it: `-` is in the
//! cluster, `+` is in git, and a sync would replace the one by the other.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::age::age;
use super::asides;
use super::brief::{brief, brief_line};
use super::diff::{self, Diff, Hunk, Line, Side};
use super::health;
use super::operation;
use super::page::Page;
use super::path::{path, short};
use super::summary::{
    STATES, application_counts, cluster_words, commit_words, counted, fetched_by_words, finding_counts, finding_line,
    manager_words, moved_words, one_sided_words, proof_words, resource_counts, short_revision, state_explained,
    state_role, state_sign, status_role, status_words,
};
use super::theme::Role;
use super::{FindingsPlace, View};
use crate::finding::Finding;
use crate::fleet::{ApplicationRun, Run, SourceRun, SyncStatus};
use crate::object::Key;
use crate::source::PathHistory;
use crate::status::health::HealthStatus;
use crate::status::{FieldDrift, Moved, ResourceDrift, ResourceState};

/// So many lines of a missing resource are shown without `-v`.
const FOLD_MISSING: usize = 10;
/// So many lines of one hunk are shown without `-v`.
const FOLD_HUNK: usize = 60;
/// So many commits of one resource are shown without `-v`.
const FOLD_COMMITS: usize = 5;

/// The run as text.
pub(super) fn write(run: &Run, view: &View) -> String {
    let mut report = Text { page: Page::new(view.color), view };
    report.summary(run);
    let mut after_one_line = false;
    for application in &run.applications {
        report.application(application, after_one_line);
        after_one_line = report.fits_in_one_line(application);
    }
    if !run.findings.is_empty() && view.findings == FindingsPlace::Report {
        report.page.end();
        run.findings.iter().for_each(|finding| report.finding("", finding));
    }
    report.page.finish()
}

/// The one note of all changed resources, such as that nobody could be asked: it is told once.
fn shared_note(application: &ApplicationRun) -> Option<&str> {
    let mut changed = application.resources.iter().filter(|resource| resource.state == ResourceState::Changed);
    let note = changed.next()?.note.as_deref()?;
    let mut others = changed.peekable();
    others.peek()?;
    others.all(|resource| resource.note.as_deref() == Some(note)).then_some(note)
}

fn whole(pieces: &[(bool, String)]) -> Vec<(bool, Cow<'_, str>)> {
    pieces.iter().map(|(differs, piece)| (*differs, Cow::Borrowed(piece.as_str()))).collect()
}

fn moved_role(moved: Moved) -> Role {
    match moved {
        Moved::Git => Role::Git,
        Moved::Cluster => Role::Cluster,
        Moved::Both | Moved::Unknown => Role::Warning,
    }
}

struct Text<'view> {
    page: Page,
    view: &'view View,
}

impl Text<'_> {
    fn summary(&mut self, run: &Run) {
        let applications = counted(run.applications.len(), "application");
        let resources = counted(STATES.into_iter().map(|state| run.count(state)).sum(), "resource");
        let width = applications.len().max(resources.len());
        for (words, counts) in
            [(applications, application_counts(run)), (resources, resource_counts(|state| run.count(state)))]
        {
            self.page.write(Role::Name, &words);
            if !counts.is_empty() {
                self.page.write(Role::Plain, " ".repeat(width + 2 - words.len())).list(&counts, ", ");
            }
            self.page.end();
        }
        let findings = finding_counts(run);
        if !findings.is_empty() {
            self.page.list(&findings, ", ").end();
        }
        let asides = asides::aside_counts(run);
        if !asides.is_empty() {
            self.page.list(&asides, ", ").end();
        }
        if self.view.verbose {
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
        if run.count(ResourceState::Changed) + run.count(ResourceState::Missing) > 0 {
            self.page.write(Role::Cluster, "-").write(Role::Hint, " is in the cluster, ");
            self.page.write(Role::Git, "+").write(Role::Hint, " is in git").end();
        }
    }

    /// An application: whole where there is something to read, else in one line.
    fn application(&mut self, application: &ApplicationRun, after_one_line: bool) {
        let status = application.sync();
        if !(after_one_line && self.fits_in_one_line(application)) {
            self.page.end();
        }
        self.page.write(Role::Name, &application.name).write(Role::Plain, "  ");
        if application.is_deleted {
            self.page.write(Role::Good, "deleted");
        } else {
            self.page.write(status_role(status), status_words(status));
        }
        if let Some(health) = &application.health {
            self.page.write(Role::Plain, "  ").write(health::role(Some(health.status)), health.status.as_str());
        }
        let counts = resource_counts(|state| application.count(state));
        if !counts.is_empty() {
            self.page.write(Role::Plain, "  ").list(&counts, ", ");
        }
        if self.fits_in_one_line(application) {
            self.rest_of_the_line(application);
            return;
        }
        self.page.end();
        self.destination(application);
        application.sources.iter().for_each(|source| self.source(source));
        if let Some(note) = shared_note(application) {
            self.page.write(Role::Hint, "  note     ").write(Role::Hint, note).end();
        }
        operation::write(&mut self.page, application, self.view.verbose);
        asides::write_rules(&mut self.page, application);
        for state in STATES {
            for resource in application.resources.iter().filter(|resource| resource.state == state) {
                if !self.is_plain(resource) {
                    self.resource(resource, shared_note(application));
                    self.commits(application, resource);
                }
            }
        }
        self.unhealthy(application);
        if !application.conditions.is_empty() && self.view.findings == FindingsPlace::Report {
            self.page.end();
            application.conditions.iter().for_each(|condition| self.finding("  ", &condition.finding));
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
        let ignored: usize = asides::by_rule(application).values().sum();
        if ignored > 0 {
            self.page.write(Role::Hint, format!("  {} ignored", counted(ignored, "field")));
        }
        self.page.end();
    }

    fn fits_in_one_line(&self, application: &ApplicationRun) -> bool {
        let is_well = application.health.as_ref().is_none_or(|health| health.status == HealthStatus::Healthy);
        let is_plain = |resource| self.is_plain(resource);
        let is_quiet = is_well
            && !operation::is_told(application)
            && application.conditions.is_empty()
            && application.resources.iter().all(is_plain);
        !self.view.verbose && application.sync() == SyncStatus::Synced && is_quiet
    }

    /// In sync, and nothing is to be said of it.
    fn is_plain(&self, resource: &ResourceDrift) -> bool {
        let is_worth_a_line = self.view.verbose || asides::is_worth_a_line(resource, self.view);
        resource.state == ResourceState::InSync && !is_worth_a_line
    }

    /// What does not work, and why.
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

    /// A resource; its note is left out where the whole application has it.
    fn resource(&mut self, resource: &ResourceDrift, shared_note: Option<&str>) {
        let key = Key {
            group: resource.gvk.group.clone(),
            kind: resource.gvk.kind.clone(),
            namespace: resource.namespace.clone(),
            name: resource.name.clone(),
        };
        if !(resource.state == ResourceState::InSync && resource.additions.is_empty() && resource.ignored.is_empty()) {
            self.page.end();
        }
        let (sign_role, sign) = state_sign(resource.state);
        self.page.write(Role::Plain, "  ").write(sign_role, sign);
        self.page.write(Role::Plain, " ").write(Role::Name, key.to_string()).write(Role::Plain, "  ");
        self.page.write(state_role(resource.state), state_explained(resource.state));
        if !one_sided_words(resource).is_empty() {
            self.page.write(Role::Plain, ", ").write(Role::Plain, one_sided_words(resource));
        }
        if resource.is_tolerated {
            self.page.write(Role::Hint, ", does not count: IgnoreExtraneous");
        }
        if let Some(origin) = &resource.origin {
            self.page.write(Role::Plain, "  ").write(Role::Hint, origin.to_string());
        }
        if self.view.verbose && !proof_words(resource.proof).is_empty() {
            self.page.write(Role::Plain, "  ").write(Role::Hint, proof_words(resource.proof));
        }
        self.page.end();
        if let Some(note) = resource.note.as_deref().filter(|note| Some(*note) != shared_note) {
            self.page.write(Role::Plain, "    ").write(Role::Hint, note).end();
        }
        match (resource.state, &resource.target) {
            (ResourceState::Changed, _) => self.changed(resource),
            (ResourceState::Missing, Some(target)) => self.lines(&diff::whole(target), FOLD_MISSING),
            _ => {}
        }
        asides::write(&mut self.page, resource, self.view);
    }

    fn changed(&mut self, resource: &ResourceDrift) {
        let Diff { elsewhere, hunks } = diff::diff(resource, self.view.context_lines);
        for field in elsewhere {
            self.field(&resource.fields[field], resource, true);
        }
        let mut told = BTreeSet::new();
        for Hunk { fields, lines } in &hunks {
            for at in fields {
                let field = &resource.fields[*at];
                if told.insert(at) {
                    self.field(field, resource, false);
                } else {
                    self.page.write(Role::Plain, "    ").write(Role::Path, path(field, resource));
                    self.page.write(Role::Hint, "  goes on").end();
                }
            }
            self.lines(lines, FOLD_HUNK);
        }
    }

    /// A field's path and who holds it; its values too, where no line of a hunk shows them.
    fn field(&mut self, field: &FieldDrift, resource: &ResourceDrift, with_values: bool) {
        self.page.write(Role::Plain, "    ").write(Role::Path, path(field, resource));
        if with_values {
            let [live, git] = [&field.live, &field.git].map(|value| self.value(value.as_ref()));
            self.page.write(Role::Plain, "  ").write(Role::Cluster, format!("- {live}"));
            self.page.write(Role::Plain, "  ").write(Role::Git, format!("+ {git}"));
        }
        if field.moved != Moved::Unknown {
            self.page.write(Role::Plain, "  ").write(moved_role(field.moved), moved_words(field.moved));
        }
        if !field.managers.is_empty() {
            let managers: Vec<String> = field
                .managers
                .iter()
                .map(|manager| manager_words(manager, &age(&manager.time, self.view.now)))
                .collect();
            self.page.write(Role::Hint, "  held by ").write(Role::Manager, managers.join("; "));
        }
        self.page.end();
        if field.moved == Moved::Both {
            let last = self.value(field.last_synced.as_ref());
            self.page.write(Role::Hint, "      when they were last the same: ").write(Role::Plain, last).end();
        }
    }

    /// A value in one line, as much of it as is shown.
    fn value(&self, value: Option<&Value>) -> String {
        let text = value.map_or_else(|| "nothing".to_owned(), short);
        if self.view.verbose { text } else { brief(&text).into_owned() }
    }

    /// What happened in git to a resource that git moved.
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
                Side::Both => ("  ", Role::Hint, Role::Hint),
                Side::Cluster => ("- ", Role::Cluster, Role::ClusterPart),
                Side::Git => ("+ ", Role::Git, Role::GitPart),
            };
            if pieces.is_empty() && *side == Side::Both {
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
    use crate::report::fixture::{HOSTILE, application, changed, everything, field, view};
    use crate::report::visible::is_hidden;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a snapshot is as long as a report")]
    fn a_report_says_what_differs_where_and_who_did_it() {
        let mut run = everything();
        run.applications[0].resources.retain(|resource| resource.name != HOSTILE);
        run.findings.pop();
        assert_snapshot!(write(&run, &view()), @r#"
        3 applications  1 unknown, 1 out of sync, 1 in sync
        8 resources     1 unknown, 3 changed, 1 missing, 1 extra, 2 in sync
        1 error, 2 warnings
        - is in the cluster, + is in git

        shop  OutOfSync  3 changed, 1 missing, 1 extra, 1 in sync
          cluster  https://10.0.0.1:6443  namespace shop
          source   https://git.example.com/shop/infra  overlays/prod  main  3f2a9c1  fetched by gix

          ~ apps/Deployment shop/web  changed  overlays/prod/web.yaml:12
            spec.replicas  the cluster moved  held by kubectl scale, Update, 2h ago
                  namespace: shop
                spec:
                  progressDeadlineSeconds: 600
              -   replicas: 5
              +   replicas: 2
                  revisionHistoryLimit: 10
                  selector:
                    matchLabels:
            spec.template.spec.containers[web].env[LOG_LEVEL]  held by kubectl-edit, Update, 12m ago
            spec.template.spec.containers[web].image  both moved  held by kubectl-edit, Update, 12m ago
              when they were last the same: registry.example.com/shop/web:1.3.9
                - env:
                  - name: GREETING
                    value: grüß Gott 👋
              -   - name: LOG_LEVEL
              -     value: debug
              -   image: registry.example.com/shop/web:1.4.0-debug
              +   image: registry.example.com/shop/web:1.4.0
                  name: web
                  ports:
                  - containerPort: 8080
            commit 9e107d9  web: 1.4.0, Ada Lovelace, 24h ago
            … and more

          ~ ConfigMap shop/settings  changed  base/settings.yaml:1
            compared without the API server: this account may not patch `configmaps`
            data["start.sh"]  held by argocd-controller, Apply, 3d ago
                data:
                  start.sh: |
                    #!/bin/sh
              -     set -e
              +     set -eu

                    export A=1
                    export B=2
                    export C=3
                    export D=4
              -     exec web --port 8080 --verbose
              +     exec web --port 8080
                kind: ConfigMap
                metadata:
                  name: settings

          ~ Secret shop/login  changed  base/login.yaml:1
            data.password
                apiVersion: v1
                data:
              -   password: ++++++++++++
              +   password: ++++++++
                  user: ++++++++
                kind: Secret
                metadata:

          + Service shop/web  missing in the cluster  base/service.yaml:1
              + apiVersion: v1
              + kind: Service
              + metadata:
              +   name: web
              +   namespace: shop
              + spec:
              +   ports:
              +   - name: port-0
              +     port: 8080
              +     protocol: TCP
              … 14 more lines, -v shows all

          - batch/Job shop/migrate-2025  extra, not in git, dropped from git since the last sync

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
        "#);
    }

    #[test]
    fn a_verbose_report_shows_what_is_in_sync_and_folds_nothing() {
        let verbose = write(&everything(), &View { verbose: true, ..view() });
        for line in [
            "requests: 2 discovery, 7 list, 0 get, 3 dry run, 0 openapi, 2 access, 0 write",
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
        assert_snapshot!(write(&run, &View { context_lines: 0, ..view() }), @r"
        1 application  1 out of sync
        1 resource     1 changed
        - is in the cluster, + is in git

        shop  OutOfSync  1 changed
          cluster  https://10.0.0.1:6443  namespace shop
          source   https://git.example.com/shop/infra  overlays/prod  main  3f2a9c1  fetched by gix

          ~ apps/Deployment shop/web  changed  overlays/prod/web.yaml:12
            spec.replicas  the cluster moved  held by kubectl scale, Update, 2h ago
              - replicas: 5
              + replicas: 2
            spec.template.spec.containers[web].env[LOG_LEVEL]  held by kubectl-edit, Update, 12m ago
            spec.template.spec.containers[web].image  both moved  held by kubectl-edit, Update, 12m ago
              when they were last the same: registry.example.com/shop/web:1.3.9
              - - name: LOG_LEVEL
              -   value: debug
              - image: registry.example.com/shop/web:1.4.0-debug
              + image: registry.example.com/shop/web:1.4.0
            commit 9e107d9  web: 1.4.0, Ada Lovelace, 24h ago
            … and more
        ");
    }

    #[test]
    fn nothing_to_compare_is_said_too() {
        assert_snapshot!(write(&Run::default(), &view()), @r"
        0 applications
        0 resources
        ");
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
        assert!(
            text.contains("    spec.replicas  - 5  + 2  the cluster moved  held by kubectl scale, Update, 2h ago\n"),
            "{text}"
        );
    }

    /// A long value with changes far apart: who moved is told once, and where it goes on.
    #[test]
    fn a_field_in_several_places_is_told_once() {
        let text = |third: &str, ninth: &str| {
            let lines = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
            json!({"data": {"text": lines.replace('3', third).replace('9', ninth)}})
        };
        let mut drift = changed("v1", "ConfigMap", "long", text("three", "nine"), text("3", "9"));
        drift.fields = vec![field(&drift, "/data/text", None, None)];
        let mut application = application("shop");
        application.resources = vec![drift];
        let run = Run { applications: vec![application], ..Run::default() };
        let text = write(&run, &View { context_lines: 0, ..view() });
        let differences: Vec<&str> = text.lines().skip_while(|line| !line.contains("data.text")).collect();
        assert_eq!(
            differences,
            ["    data.text", "      - three", "      + 3", "    data.text  goes on", "      - nine", "      + 9"]
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
