//! Files that are nobody else's: private from their creation, verified when they are read, gone with the run.
//!
//! In: bytes to keep, a name for a folder. Out: the bytes again, if they are whole ([`seal`], [`unseal`]); a temporary folder
//! that the next run removes where this one is killed ([`temporary_folder`]).

mod private;
mod seal;
mod temporary;

/// The list that `render --output-dir` keeps beside the files of an application: a hash and a name on each line.
pub const RENDERED_LIST: &str = ".trueup-files";

pub use private::{copy_file, make_private, private_from_now_on, users_mode};
pub use seal::{digest_of_folder, seal, unseal};
pub use temporary::{RunFolder, remove_temporary_folders, temporary_folder};
