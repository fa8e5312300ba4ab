//! The lines of a policy: permissions and groupings, each with its place.

use std::fmt;
use std::sync::Arc;

use super::csv::{self, CsvFault};
use super::fault::PolicyFault;
use super::text::PolicyText;

/// Where a line stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyPlace {
    /// The file, as the user knows it.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: usize,
}

impl fmt::Display for PolicyPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// What a permission does where it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Grants it.
    Allow,
    /// Refuses it, over every grant.
    Deny,
}

/// `p, subject, resource, action, object, effect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Permission {
    pub(super) place: PolicyPlace,
    pub(super) subject: String,
    pub(super) resource: String,
    pub(super) action: String,
    pub(super) object: String,
    pub(super) effect: Effect,
}

impl Permission {
    /// The line, as one writes it.
    pub(super) fn written(&self) -> String {
        let effect = match self.effect {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
        };
        format!("p, {}, {}, {}, {}, {effect}", self.subject, self.resource, self.action, self.object)
    }
}

/// `g, member, role`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grouping {
    pub(super) member: String,
    pub(super) role: String,
}

/// Everything that texts say, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) permissions: Vec<Permission>,
    pub(super) groupings: Vec<Grouping>,
}

/// The names of the fields of a permission.
const FIELDS: [&str; 5] = ["subject", "resource", "action", "object", "effect"];

impl Lines {
    /// Adds the lines of a text; every fault is reported.
    pub(super) fn read(&mut self, text: &PolicyText, faults: &mut Vec<PolicyFault>) {
        for (number, line) in text.text.split('\n').enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = PolicyPlace { file: Arc::clone(&text.file), line: text.first_line + number };
            match csv::fields(line) {
                Err(CsvFault::BareQuote | CsvFault::OpenQuote) => {
                    faults.push(PolicyFault::Quote { place: place.to_string() });
                }
                Ok(fields) => self.line(place, fields, faults),
            }
        }
    }

    fn line(&mut self, place: PolicyPlace, fields: Vec<String>, faults: &mut Vec<PolicyFault>) {
        let found = fields.len();
        let wrong =
            |kind, expected, form| PolicyFault::Fields { place: place.to_string(), kind, expected, found, form };
        let mut fields = fields.into_iter();
        match fields.next().as_deref() {
            Some("p") => match <[String; 5]>::try_from(fields.collect::<Vec<_>>()) {
                Ok(values) => self.permission(place, values, faults),
                Err(_) => faults.push(wrong("p", 6, "p, SUBJECT, RESOURCE, ACTION, OBJECT, allow")),
            },
            Some("g") => match <[String; 2]>::try_from(fields.collect::<Vec<_>>()) {
                Ok(values) => self.grouping(&place, values, faults),
                Err(_) => faults.push(wrong("g", 3, "g, USER or GROUP, ROLE")),
            },
            other => {
                faults
                    .push(PolicyFault::Kind { place: place.to_string(), found: other.unwrap_or_default().to_owned() });
            }
        }
    }

    fn permission(&mut self, place: PolicyPlace, values: [String; 5], faults: &mut Vec<PolicyFault>) {
        let before = faults.len();
        for (field, value) in FIELDS.into_iter().zip(&values) {
            check_spaces(&place, field, value, faults);
        }
        let [subject, resource, action, object, effect] = values;
        let effect = match effect.as_str() {
            "allow" => Effect::Allow,
            "deny" => Effect::Deny,
            _ => {
                if faults.len() == before {
                    faults.push(PolicyFault::Effect { place: place.to_string(), found: effect });
                }
                return;
            }
        };
        self.permissions.push(Permission { place, subject, resource, action, object, effect });
    }

    fn grouping(&mut self, place: &PolicyPlace, [member, role]: [String; 2], faults: &mut Vec<PolicyFault>) {
        check_spaces(place, "user or group", &member, faults);
        check_spaces(place, "role", &role, faults);
        self.groupings.push(Grouping { member, role });
    }
}

fn check_spaces(place: &PolicyPlace, field: &'static str, value: &str, faults: &mut Vec<PolicyFault>) {
    if value.is_empty() {
        faults.push(PolicyFault::Empty { place: place.to_string(), field });
    } else if value.trim_end() != value {
        faults.push(PolicyFault::Space { place: place.to_string(), field, value: value.to_owned() });
    }
}
