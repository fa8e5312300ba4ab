//! What a program wrote, as objects.
//!
//! In: a YAML stream. Out: its objects, Lists unfolded, each with the file that a `# Source:` comment before it names.

use std::sync::Arc;

use super::complaint::inside_chart;
use super::{Program, ProgramError};
use crate::object::yaml::{self, Limits, WithPositions};
use crate::object::{Object, Origin};
use crate::render::{RenderInput, list};

/// Reads the stream; `unnamed` is the file of what says nothing about itself.
pub(in super::super) fn objects(
    program: &Program,
    output: &[u8],
    unnamed: &str,
    input: &RenderInput<'_>,
) -> Result<Vec<Object>, ProgramError> {
    let folder = input.shown_folder();
    let text = yaml::decode(output).map_err(|source| not_yaml(program, input, unnamed.to_owned(), source))?;
    let lines: Vec<&str> = text.lines().collect();
    let mut objects = Vec::new();
    for document in yaml::read(&text, &Limits::default(), WithPositions::No) {
        let line = document.as_ref().map_or_else(|error| error.line, |document| document.line);
        let file = match named(&lines, line) {
            Some(named) if folder == "." => named.to_owned(),
            Some(named) => format!("{folder}/{named}"),
            None => unnamed.to_owned(),
        };
        let document = document.map_err(|source| not_yaml(program, input, file.clone(), source))?;
        let file: Arc<str> = file.into();
        for value in list::unfold(document.value) {
            let object = Object::new(value).map_err(|source| ProgramError::NotAnObject {
                program: program.name,
                place: input.place(),
                origin: file.to_string(),
                source,
            })?;
            objects.push(object.with_origin(Origin { file: Arc::clone(&file), line: 0 }));
        }
    }
    Ok(objects)
}

fn not_yaml(program: &Program, input: &RenderInput<'_>, origin: String, source: yaml::YamlError) -> ProgramError {
    ProgramError::NotYaml { program: program.name, place: input.place(), origin, source }
}

/// The file that a comment before a line names, in the same document.
fn named<'text>(lines: &[&'text str], line: usize) -> Option<&'text str> {
    let before = lines.get(..line.saturating_sub(1))?;
    let comment = before
        .iter()
        .rev()
        .take_while(|line| !line.starts_with("---"))
        .find_map(|line| line.strip_prefix("# Source: "));
    comment.map(|place| inside_chart(place.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comment_names_the_file() {
        let lines = [
            "---",
            "# Source: web/templates/a.yaml",
            "kind: A",
            "---",
            "kind: B",
            "---",
            "# Source: web/charts/x/templates/c.yaml",
            "# more",
            "kind: C",
        ];
        assert_eq!(named(&lines, 3), Some("templates/a.yaml"));
        assert_eq!(named(&lines, 5), None);
        assert_eq!(named(&lines, 9), Some("charts/x/templates/c.yaml"));
        assert_eq!(named(&lines, 0), None);
    }
}
