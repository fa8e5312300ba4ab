//! What every report shares: words and counts, escaping, colours, the page.

pub(super) mod age;
pub(super) mod escape;
pub(super) mod markdown;
pub(super) mod page;
pub(super) mod path;
pub(super) mod theme;
pub(super) mod truncate;
pub(super) mod view;
pub(super) mod words;
