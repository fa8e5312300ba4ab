//! Fetches a source's repository here.
//!
//! In: a URL and the revisions that applications ask for: of git repositories, Helm repositories, registries. Out: [`Checkout`]s: a folder with exactly that revision's
//! files, confined, and who fetched it. One fetch per repository and run.
//!
//! Rules: Argo CD util/git (how a revision is resolved, which links are refused), git's own for everything else.

mod access;
mod cache;
pub mod changes;
mod charts;
mod check;
mod checkout;
mod dispatch;
mod error;
mod fetch;
mod forges;
mod history;
mod limits;
mod local;
mod location;
mod reach;
mod remote;
mod revision;
mod settings;
mod sources;
mod submodules;
mod task;
mod tree;
mod values_url;
mod version_range;
mod working_tree;

pub use access::{AppTokens, Credentials, HostLogin, Keyring};
pub(crate) use access::{Asking, Pass, git_environment};
pub(crate) use checkout::lexically_inside;
pub use checkout::{Checkout, FetchResult, FetchedBy, Wanted, short};
pub use error::SourceError;
pub use history::{Commit, History, HistoryWanted, PathHistory};
pub use location::{is_same_repository, locate, path_start};
pub use settings::{Override, SourceSettings};
pub use sources::Sources;
pub(crate) use tree::{refuse_links_that_leave, unless_it_leaves};
pub use values_url::fetch_values;
pub use version_range::VersionRange;
