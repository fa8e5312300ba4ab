//! Applications in a table, one a line, and their names alone.
//!
//! In: a [`Run`]. Out: columns that are as wide as their longest value, or one name a line, as `--app` takes it. As
//! `kubectl get -o wide` and `-o name`.

use crate::fleet::{ApplicationRun, Run};
use crate::report::style::escape::visible;
use crate::report::style::words::{going_words, short_revision, status_words};
use crate::status::ResourceState;

const TITLES: [&str; 8] = ["NAME", "SYNC", "HEALTH", "DRIFTED", "REVISION", "CLUSTER", "NAMESPACE", "SOURCE"];

/// A line for each application, under the names of the columns.
pub(super) fn wide(run: &Run) -> String {
    let rows: Vec<[String; 8]> = run.applications.iter().map(row).collect();
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.chain([TITLES[column].len()]).max().unwrap_or_default()
    };
    let widths: [usize; 8] = std::array::from_fn(width);
    let line = |cells: [&str; 8]| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let line: Vec<String> = padded.collect();
        line.join("  ").trim_end().to_owned() + "\n"
    };
    let rows = rows.iter().map(|row| line(std::array::from_fn(|column| row[column].as_str())));
    std::iter::once(line(TITLES)).chain(rows).collect()
}

/// The name of each application on a line.
pub(super) fn names(run: &Run) -> String {
    run.applications.iter().map(|application| visible(&name(application)).into_owned() + "\n").collect()
}

fn name(application: &ApplicationRun) -> String {
    match application.namespace.as_str() {
        "" => application.name.clone(),
        namespace => format!("{namespace}/{}", application.name),
    }
}

fn row(application: &ApplicationRun) -> [String; 8] {
    let drifted = application.resources.iter().filter(|resource| resource.state != ResourceState::InSync).count();
    let source = application.sources.first();
    let more = application.sources.len().saturating_sub(1);
    let source_words = source.map(|source| {
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let place = [source.repo_url.as_str(), &source.path].join(" ");
        format!("{}{more}", place.trim_end())
    });
    let destination = &application.destination;
    let cluster = [&destination.name, &application.cluster, &destination.server];
    let cells = [
        name(application),
        going_words(application).unwrap_or(status_words(application.sync())).to_owned(),
        application.health.as_ref().map(|health| health.status.to_string()).unwrap_or_default(),
        drifted.to_string(),
        source.map(|source| short_revision(&source.revision)).unwrap_or_default(),
        cluster.into_iter().find(|words| !words.is_empty()).cloned().unwrap_or_default(),
        destination.namespace.clone(),
        source_words.unwrap_or_default(),
    ];
    cells.map(|cell| if cell.trim().is_empty() { "-".to_owned() } else { visible(cell.trim()).into_owned() })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::drift::fixture::{HOSTILE, everything};
    use crate::report::style::escape::is_hidden;

    #[test]
    fn a_wide_report_has_one_line_for_each_application() {
        assert_snapshot!(wide(&everything()), @r"
        NAME             SYNC       HEALTH  DRIFTED  REVISION  CLUSTER                NAMESPACE  SOURCE
        argocd/shop      OutOfSync  -       6        3f2a9c1   https://10.0.0.1:6443  shop       https://git.example.com/shop/infra overlays/prod
        argocd/payments  Unknown    -       1        -         eu-prod                payments   git@git.example.com:pay/infra and 1 more
        argocd/search    Synced     -       0        3f2a9c1   examples/search/live   shop       ../infra search
        ");
        assert_snapshot!(names(&everything()), @r"
        argocd/shop
        argocd/payments
        argocd/search
        ");
    }

    #[test]
    fn names_on_a_terminal_are_harmless() {
        let mut run = everything();
        for application in &mut run.applications {
            application.name = HOSTILE.to_owned();
        }
        for text in [wide(&run), names(&run)] {
            assert!(!text.contains(|character| character != '\n' && is_hidden(character)), "{text}");
        }
    }
}
