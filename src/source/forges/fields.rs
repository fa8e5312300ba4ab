//! Fields of the answers of forges; one that is missing or of another type is empty.

use serde_json::Value;

use crate::app::appset::question::{ForgeRepository, RepositoriesQuestion, RepositoryId};

pub(super) fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) fn texts(value: &Value, field: &str) -> Vec<String> {
    let items = value.get(field).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(super) fn names(value: &Value, field: &str) -> Vec<String> {
    let items = value.get(field).and_then(Value::as_array).into_iter().flatten();
    items.map(|item| text(item, "/name")).collect()
}

pub(super) fn number(value: &Value, field: &str) -> Option<i64> {
    value.get(field).and_then(Value::as_i64)
}

/// `id`, which most forges count.
pub(super) fn repository_id(value: &Value) -> Option<RepositoryId> {
    number(value, "id").map(RepositoryId::Number)
}

/// Whether the question leaves the repository out, because it is archived.
pub(super) fn is_left_out(found: &Value, question: &RepositoriesQuestion) -> bool {
    question.exclude_archived && found.get("archived").and_then(Value::as_bool) == Some(true)
}

/// The repository at each of its branches, whose name and commit stand at these places.
pub(super) fn at_branches(
    repository: &ForgeRepository,
    found: &[Value],
    name: &str,
    sha: &str,
) -> Vec<ForgeRepository> {
    let branch = |found| ForgeRepository { branch: text(found, name), sha: text(found, sha), ..repository.clone() };
    found.iter().map(branch).collect()
}
