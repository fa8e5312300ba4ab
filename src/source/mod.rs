//! Fetches a source's repository here.
//!
//! In: a URL and the revisions that applications ask for: of git repositories, Helm repositories, registries. Out: [`Checkout`]s: a folder with exactly that revision's
//! files, confined, and who fetched it. One fetch per repository and run.
//!
//! Rules: Argo CD util/git (how a revision is resolved, which links are refused), git's own for everything else.

mod cache;
mod charts;
mod checkout;
mod credentials;
mod docker_config;
mod error;
mod fetch;
mod github_app;
mod history;
mod keyring;
mod limits;
mod local;
mod location;
mod pass_files;
mod reach;
mod remote;
mod revision;
mod settings;
mod sources;
mod submodules;
mod task;
mod tree;
mod version_range;
mod web;
mod working_tree;

pub(crate) use checkout::lexically_inside;
pub use checkout::{Checkout, FetchedBy, Wanted, short};
pub(crate) use credentials::git_environment;
pub use error::SourceError;
pub use github_app::AppTokens;
pub use history::{Commit, History, HistoryWanted, PathHistory};
pub(crate) use keyring::{Asking, Pass};
pub use keyring::{HostLogin, Keyring};
pub use location::locate;
pub use settings::{Credentials, Override, SourceSettings};
pub use sources::{FetchResult, Sources};
pub(crate) use tree::{refuse_links_that_leave, unless_it_leaves};
pub use version_range::VersionRange;
