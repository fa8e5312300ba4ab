//! The roles that every installation has: `role:admin` and `role:readonly`, and the user `admin`.

use super::text::PolicyText;

/// Argo CD's own file, unchanged (assets/builtin-policy.csv, 3.6).
const TEXT: &str = include_str!("builtin-policy.csv");

pub(super) fn text() -> PolicyText {
    PolicyText { file: "builtin-policy.csv".into(), text: TEXT.to_owned(), first_line: 1 }
}
