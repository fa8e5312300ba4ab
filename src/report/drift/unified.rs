//! The drift as one unified diff (`-o diff`), from live to git, for a pager, `delta` or `diffstat`.
//!
//! Takes a [`Run`], returns a diff of the YAML of each changed and each missing resource. Everything else is a comment before
//! the first hunk of a file, which tools for diffs skip. Secrets are masked already.

use similar::TextDiff;

use crate::fleet::{ApplicationRun, Run};
use crate::object::yaml;
use crate::report::View;
use crate::report::drift::diff::CONTEXT;
use crate::report::style::escape::visible;
use crate::report::style::words::{finding_line, state_explained};
use crate::status::{ResourceDrift, ResourceState};

/// The run as a unified diff; empty when nothing differs.
pub(in crate::report) fn write(run: &Run, view: &View) -> String {
    let mut text = String::new();
    for application in &run.applications {
        for condition in &application.conditions {
            let (sign, _, words) = finding_line(&condition.finding);
            comment(&format!("{sign} {words}"), &mut text);
        }
        application.resources.iter().for_each(|resource| write_resource(application, resource, view, &mut text));
    }
    for finding in &run.findings {
        let (sign, _, words) = finding_line(finding);
        comment(&format!("{sign} {words}"), &mut text);
    }
    text
}

fn write_resource(application: &ApplicationRun, resource: &ResourceDrift, view: &View, text: &mut String) {
    let name = format!("{}/{}", application.name, resource.key());
    match (resource.state, &resource.live, &resource.target) {
        (ResourceState::Changed, Some(live), Some(target)) => {
            let (live, git) = (yaml::write(live), yaml::write(target));
            hunks([&live, &git], [&format!("live/{name}"), &format!("git/{name}")], view, text);
        }
        (ResourceState::Missing, _, Some(target)) => {
            hunks(["", &yaml::write(target)], ["/dev/null", &format!("git/{name}")], view, text);
        }
        (ResourceState::InSync, ..) => {}
        _ => {
            let note = resource.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
            comment(&format!("{name} {}{note}", state_explained(resource)), text);
        }
    }
}

fn hunks([live, git]: [&str; 2], [from, to]: [&str; 2], view: &View, text: &mut String) {
    let diff = TextDiff::from_lines(live, git);
    let (from, to) = (visible(from), visible(to));
    let mut unified = diff.unified_diff();
    unified.context_radius(view.context_lines.unwrap_or(CONTEXT)).header(&from, &to);
    for line in unified.to_string().lines() {
        text.push_str(&visible(line));
        text.push('\n');
    }
}

fn comment(words: &str, text: &mut String) {
    text.push_str("# ");
    text.push_str(&visible(words));
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::drift::fixture::{HOSTILE, everything, view};
    use crate::report::style::escape::is_hidden;

    #[test]
    fn a_unified_diff_reads_from_live_to_git() {
        let mut run = everything();
        run.applications.truncate(1);
        run.applications[0].resources.retain(|resource| resource.name == "login" || resource.name == "migrate-2025");
        run.findings.clear();
        assert_snapshot!(write(&run, &view()), @r"
        # ⚠ shop: `ConfigMap shop/settings` is written twice; the last one counts
        --- live/shop/Secret shop/login
        +++ git/shop/Secret shop/login
        @@ -1,6 +1,6 @@
         apiVersion: v1
         data:
        -  password: ++++++++++++
        +  password: ++++++++
           user: ++++++++
         kind: Secret
         metadata:
        # shop/batch/Job shop/migrate-2025 extra, not in git
        ");
    }

    #[test]
    fn hostile_text_stays_on_its_line() {
        let text = write(&everything(), &view());
        assert!(text.contains("evil.example") && !text.contains(HOSTILE));
        assert!(!text.contains(|character| character != '\n' && is_hidden(character)));
        assert!(!text.lines().any(|line| line.starts_with("# heading")));
    }
}
