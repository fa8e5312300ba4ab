//! What a program wrote to its standard output becomes objects.
//!
//! In: a stream of YAML or JSON documents. Out: the objects, Lists unfolded. What was written is never shown in an error: it may
//! hold secrets.
//!
//! Rules: Argo CD util/kube `SplitYAML`: every document is an object, or an error.

use std::sync::Arc;

use super::{RenderError, directory};
use crate::object::yaml::{self, Limits, WithPositions};
use crate::object::{Object, Origin};

/// The objects of a stream; `from` says in errors whose it is, `origin` where the objects were written.
pub(super) fn objects(bytes: &[u8], from: &str, origin: &str) -> Result<Vec<Object>, RenderError> {
    let unread = |line: usize, fault: String| RenderError::Stream { from: from.to_owned(), line, fault };
    let text = yaml::decode(bytes).map_err(|error| unread(error.line, error.message))?;
    let mut objects = Vec::new();
    for document in yaml::read(&text, &Limits::default(), WithPositions::No) {
        let document = document.map_err(|error| unread(error.line, error.message))?;
        let line = document.line;
        let origin = Origin { file: Arc::from(origin), line: 1 };
        let read = directory::unfold(document.value, &origin, "").map_err(|error| match error {
            RenderError::NotAnObject { fault, .. } => unread(line, fault.to_string()),
            other => other,
        })?;
        objects.extend(read);
    }
    Ok(objects)
}
