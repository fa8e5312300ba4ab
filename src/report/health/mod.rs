//! The health report, and the results of `health test`.

pub(super) mod data;
pub(super) mod judged;
pub(super) mod markdown;
pub mod test_results;
pub(super) mod tested_case;
pub mod text;
