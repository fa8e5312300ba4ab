//! Columns that are as wide as their longest value.

use super::style::escape::visible;

/// A line for each row, under the titles of the columns; an empty cell is `-`.
pub(super) fn columns(titles: &[&str], rows: &[Vec<String>]) -> String {
    let shown = |cell: &String| match cell.trim() {
        "" => "-".to_owned(),
        text => visible(text).into_owned(),
    };
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(shown).collect()).collect();
    let width = |column: usize| {
        let widths = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        widths.chain([titles[column].len()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let line = |cells: &[&str]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    let rows = rows.iter().map(|row| line(&row.iter().map(String::as_str).collect::<Vec<_>>()));
    std::iter::once(line(titles)).chain(rows).collect()
}
