//! What a program wrote when it failed, cut down to what a reader needs.
//!
//! In: its standard error. Out: the place in the template and the words, without the chart's name before each path, the
//! warnings, and the advice that only fits Helm's own command line.

use std::ffi::OsStr;
use std::fmt;

/// More than this of a program's words helps nobody.
const LONGEST: usize = 4000;

/// A program's own words.
#[derive(Debug)]
pub struct ProgramMessage(pub(super) String);

impl fmt::Display for ProgramMessage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ProgramMessage {}

pub(super) fn essence(stderr: &str, code: Option<i32>) -> String {
    let lines: Vec<&str> = stderr
        .lines()
        .map(str::trim_end)
        .filter(|line| {
            !line.is_empty()
                && !line.starts_with("WARNING:")
                && !line.starts_with("# Warning:")
                && !line.starts_with("Use --debug flag")
        })
        .collect();
    let start = lines.iter().rposition(|line| line.starts_with("Error: ")).unwrap_or(0);
    let text = lines[start.min(lines.len())..].join(" ");
    let text = text.strip_prefix("Error: ").unwrap_or(&text);
    if text.is_empty() {
        return match code {
            Some(code) => format!("it printed nothing and failed with exit code {code}"),
            None => "it printed nothing and was killed by a signal".to_owned(),
        };
    }
    let words = shortened(&template(text).unwrap_or_else(|| without_chart_names(text)));
    // What kills a program in the middle (most often a lack of memory) says nothing itself.
    if code.is_none() { format!("{words} (it was killed by a signal)") } else { words }
}

/// Go's template error: the innermost place, the expression, the fact.
///
/// `template: web/templates/a.yaml:3:4: executing "…" at <include "x" .>: error calling include: template: …`
fn template(text: &str) -> Option<String> {
    if let Some((_, rest)) = text.split_once("execution error at (") {
        let (place, words) = rest.split_once("): ")?;
        return Some(format!("{}: {words}", place_of(place)));
    }
    let (_, innermost) = text.rsplit_once("template: ")?;
    let (place, rest) = innermost.split_once(": ")?;
    let words = match rest.split_once(" at <") {
        Some((_, after)) if rest.starts_with("executing ") => {
            let (expression, words) = after.split_once(">: ")?;
            format!("`{expression}`: {words}")
        }
        _ => rest.to_owned(),
    };
    Some(format!("{}: {words}", place_of(place)))
}

/// `web/templates/a.yaml:3:4` is `templates/a.yaml:3` to who looks into the chart's folder.
fn place_of(place: &str) -> String {
    let mut parts = place.split(':');
    let file = without_chart_names(parts.next().unwrap_or_default());
    match parts.next() {
        Some(line) => format!("{file}:{line}"),
        None => file,
    }
}

/// Takes the chart's name off the paths in its folder.
fn without_chart_names(text: &str) -> String {
    let mut readable = String::with_capacity(text.len());
    for word in text.split_inclusive([' ', '\n', '(', '"', '\'']) {
        let (first, rest) = word.split_once('/').unwrap_or(("", word));
        let in_a_chart = ["templates/", "charts/", "crds/"].iter().any(|folder| rest.starts_with(folder));
        readable.push_str(if in_a_chart && !first.is_empty() { rest } else { word });
    }
    readable
}

/// A path of Helm such as `web/templates/a.yaml`, relative to the chart's folder.
pub(super) fn inside_chart(place: &str) -> &str {
    place.split_once('/').map_or(place, |(_, inside)| inside)
}

fn shortened(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{} …", &text[..end])
}

/// Options whose arguments are `name=value`.
const SETTING: [&str; 4] = ["--set", "--set-string", "--set-json", "--set-literal"];

/// Shorter values are words of any message.
const SHORTEST_VALUE: usize = 4;

impl ProgramMessage {
    /// Masks values that were given to the program: one that complains may repeat them, and they may be passwords.
    pub(super) fn hide(&mut self, values: &[&str]) {
        // As they are written, and as they are without their escapes.
        let mut hidden: Vec<String> =
            values.iter().flat_map(|value| [(*value).to_owned(), value.replace('\\', "")]).collect();
        hidden.retain(|value| value.len() >= SHORTEST_VALUE);
        hidden.sort_by_key(|value| std::cmp::Reverse(value.len()));
        for value in hidden {
            self.0 = self.0.replace(&value, "***");
        }
    }
}

/// The command line, without the long list of what a cluster serves, and without what is set.
pub(super) fn command_line(program: Option<&OsStr>, args: &[String]) -> String {
    let mut line = program.unwrap_or_default().to_string_lossy().into_owned();
    let mut args = args.iter();
    let mut is_setting = false;
    while let Some(arg) = args.next() {
        let masked = arg.split_once('=').filter(|_| is_setting).map(|(name, _)| format!("{name}=***"));
        is_setting = SETTING.contains(&arg.as_str());
        let arg = masked.as_ref().unwrap_or(arg);
        if matches!(arg.as_str(), "--api-versions" | "--helm-api-versions") {
            args.next();
            continue;
        }
        line.push(' ');
        if arg.is_empty() || arg.contains([' ', '\'', '"', '$', '\\', '*', '{', '&', ';', '|', '<', '\n']) {
            line.push('\'');
            line.push_str(&arg.replace('\'', r"'\''"));
            line.push('\'');
        } else {
            line.push_str(arg);
        }
    }
    shortened(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words are those that Helm 3.22 and Kustomize 5.8 write.
    #[test]
    fn a_complaint_is_cut_to_its_essence() {
        for (stderr, expected) in [
            (
                "Error: template: web/templates/ingress.yaml:14:20: executing \"web/templates/ingress.yaml\" at <.Values.ingress.host>: nil pointer evaluating interface {}.host\n\nUse --debug flag to render out invalid YAML\n",
                "templates/ingress.yaml:14: `.Values.ingress.host`: nil pointer evaluating interface {}.host",
            ),
            (
                "Error: template: web/templates/a.yaml:3:4: executing \"web/templates/a.yaml\" at <include \"web.name\" .>: error calling include: template: web/templates/_helpers.tpl:5:6: executing \"web.name\" at <.Values.x.y>: nil pointer evaluating interface {}.y\n",
                "templates/_helpers.tpl:5: `.Values.x.y`: nil pointer evaluating interface {}.y",
            ),
            (
                "WARNING: both\nError: execution error at (web/templates/a.yaml:3:4): a host is needed\n",
                "templates/a.yaml:3: a host is needed",
            ),
            (
                "Error: YAML parse error on web/templates/a.yaml: error converting YAML to JSON: yaml: line 5: x\n",
                "YAML parse error on templates/a.yaml: error converting YAML to JSON: yaml: line 5: x",
            ),
            (
                "Error: open values-prod.yaml: no such file or directory\n",
                "open values-prod.yaml: no such file or directory",
            ),
            ("# Warning: 'bases' is deprecated.\nError: accumulating resources: x\n", "accumulating resources: x"),
        ] {
            assert_eq!(essence(stderr, Some(1)), expected);
        }
        assert_eq!(essence("", Some(3)), "it printed nothing and failed with exit code 3");
        assert_eq!(essence("\n", None), "it printed nothing and was killed by a signal");
        assert_eq!(essence("reading x\n", None), "reading x (it was killed by a signal)");
    }

    #[test]
    fn a_command_line_can_be_pasted() {
        let args =
            ["template", ".", "--set", "a=b c", "--api-versions", "v1", "--api-versions", "v1/Pod", "--include-crds"];
        let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        assert_eq!(command_line(Some(OsStr::new("helm")), &args), "helm template . --set 'a=***' --include-crds");
    }

    /// Parameters are often passwords, and errors end in logs that many read.
    #[test]
    fn what_is_set_is_known_by_its_value() {
        let mut said = ProgramMessage("bad passwords: sword\\,fish, sword,fish, b".to_owned());
        said.hide(&["sword\\,fish", "b"]);
        assert_eq!(said.to_string(), "bad passwords: ***, ***, b");
    }
}
