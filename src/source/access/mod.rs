//! Logins and HTTP: the credentials of a server, and how it is spoken with.
//!
//! In: a URL, the settings, the Secrets of repositories. Out: a [`Pass`] for HTTP, a [`ServerAccess`] for git, answers of a
//! [`Web`]. Credentials of one server are shown to no other.

mod app_tokens;
mod basic_auth;
mod credentials;
mod docker_config;
mod github_app;
mod keyring;
mod pass;
mod pass_files;
mod web;

pub use app_tokens::AppTokens;
pub(crate) use basic_auth::BasicAuth;
pub(super) use basic_auth::headers;
pub use credentials::Credentials;
pub(crate) use credentials::git_environment;
pub(super) use credentials::{ServerAccess, ServerOrigin, Trust};
pub(crate) use docker_config::Asking;
pub(super) use github_app::{TokenRequester, token as app_token};
pub use keyring::{HostLogin, Keyring};
pub(crate) use pass::Pass;
pub(super) use pass::is_this_machine;
pub(super) use pass_files::PassFiles;
pub(super) use web::{Saved, Web, WebAnswer, shown, without_identity};
