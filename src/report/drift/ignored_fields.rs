//! What a report says beside the drift: fields that rules say not to compare, and what people added where git is silent.
//!
//! In: resources and applications. Out: counts, by rule, and lines of a page. None of it changes a status or an exit code.

use std::collections::BTreeMap;

use crate::fleet::{ApplicationRun, Run};
use crate::report::View;
use crate::report::style::age::age;
use crate::report::style::page::Page;
use crate::report::style::path::{path, short};
use crate::report::style::theme::Role;
use crate::report::style::truncate::brief;
use crate::report::style::words::{counted, manager_words};
use crate::status::{FieldDrift, Ignored, ResourceDrift};

/// How many fields each rule hid, with the word for it.
pub(in crate::report) fn by_rule(application: &ApplicationRun) -> BTreeMap<(&str, &str), usize> {
    let mut counts = BTreeMap::new();
    for ignored in application.resources.iter().flat_map(|resource| &resource.ignored) {
        *counts.entry((ignored.rule.as_str(), verb(ignored))).or_default() += 1;
    }
    counts
}

fn verb(ignored: &Ignored) -> &'static str {
    if ignored.is_accepted { "accepted" } else { "ignored" }
}

/// How many fields were ignored and added in the whole run: what is not there is not said.
pub(in crate::report) fn counts(run: &Run) -> Vec<(Role, String)> {
    let resources = || run.applications.iter().flat_map(|application| &application.resources);
    let ignored: usize = resources().map(|resource| resource.ignored.len()).sum();
    let additions: usize = resources().map(|resource| resource.additions.len()).sum();
    let mut words = Vec::new();
    if additions > 0 {
        words.push((Role::Plain, format!("{} not set in git", counted(additions, "addition"))));
    }
    if ignored > 0 {
        words.push((Role::Plain, format!("{} ignored", counted(ignored, "field"))));
    }
    words
}

/// Whether a resource in sync is worth lines of its own.
pub(in crate::report) fn has_a_line(resource: &ResourceDrift, view: &View) -> bool {
    !resource.additions.is_empty() || (view.show_ignored && !resource.ignored.is_empty())
}

/// Writes the additions of a resource, and what is ignored in it where that was asked for.
pub(in crate::report) fn write(page: &mut Page, resource: &ResourceDrift, view: &View) {
    for field in &resource.additions {
        place(page, field, resource);
        page.write(Role::Plain, format!("  {}", brief(&field.live.as_ref().map(short).unwrap_or_default())));
        page.write(Role::Hint, "  added by ").write(Role::Manager, managers(field, view)).end();
    }
    for ignored in resource.ignored.iter().filter(|_| view.show_ignored) {
        place(page, &ignored.field, resource);
        for (sign, role, value) in [("-", Role::Cluster, &ignored.field.live), ("+", Role::Git, &ignored.field.git)] {
            let value = value.as_ref().map_or_else(|| "nothing".to_owned(), short);
            page.write(Role::Plain, "  ").write(role, format!("{sign} {}", brief(&value)));
        }
        page.write(Role::Hint, format!("  {} by ", verb(ignored))).write(Role::Hint, &ignored.rule).end();
    }
}

/// Writes how many fields each rule of an application hid.
pub(in crate::report) fn write_rules(page: &mut Page, application: &ApplicationRun) {
    for ((rule, verb), count) in by_rule(application) {
        let words = format!("{} by {rule}", counted(count, "field"));
        page.write(Role::Hint, format!("  {verb}  ")).write(Role::Hint, words).end();
    }
}

fn place(page: &mut Page, field: &FieldDrift, resource: &ResourceDrift) {
    page.write(Role::Plain, "    ").write(Role::Path, path(field, resource));
}

fn managers(field: &FieldDrift, view: &View) -> String {
    let words = field.managers.iter().map(|manager| manager_words(manager, &age(&manager.time, view.now)));
    words.collect::<Vec<_>>().join("; ")
}
