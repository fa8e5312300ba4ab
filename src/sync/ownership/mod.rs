//! Whose a live object is, and the one door through which objects are deleted.
//!
//! In: a live object, and how an application marks what is its own. Out: its [`Owner`], when that is somebody else; a
//! [`Proof`] that it is ours, made from the object as it is at that moment; the deletion itself, which takes nothing but a
//! proof. An object is an application's own when trueup created it for the application, or was asked to adopt it.
//!
//! Rules: docs/sync.md, "Ownership"; KEP-3659.

mod delete;
mod owner;
mod proof;

pub(in crate::sync) use delete::{Removal, ask_to_delete, delete};
pub use owner::Owner;
pub(in crate::sync) use owner::{mark_patch, owner};
pub(in crate::sync) use proof::{
    Claim, Proof, Stays, is_registered_by, keeps_by_helm, own_entries, prove_hook, prove_member,
};
pub use proof::{Purpose, Rules};
