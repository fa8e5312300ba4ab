//! What a forge says of a push: the payload of a webhook, or of a CI job.
//!
//! In: the JSON of a push event of GitHub, GitLab, Gitea (and Forgejo), Bitbucket or Bitbucket Server, or of a pull request of
//! GitHub. Out: the repository's URLs, the two commits, and the files where the payload has all of them.
//!
//! Rules: the forges' documentation of webhooks. GitHub leaves the files out of what a job gets, GitLab lists 20 commits at
//! most, Bitbucket names no file.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::secret::RepoUrl;

/// How many commits GitHub lists at most.
const GITHUB_COMMITS: usize = 2_048;

/// What was pushed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushEvent {
    /// The repository, by each URL that the payload has.
    pub urls: Vec<RepoUrl>,
    /// The commits before and after, for each branch that was pushed; empty where a branch is new or gone.
    pub ranges: Vec<(String, String)>,
    /// Every file that was added, changed or removed; nothing where the payload does not have all of them.
    pub files: Option<Vec<String>>,
}

/// Reads a payload.
pub fn read_event(bytes: &[u8]) -> Result<PushEvent, String> {
    let payload: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
    let event = if let Some(changes) = payload.pointer("/push/changes").and_then(Value::as_array) {
        bitbucket(&payload, changes)
    } else if let Some(changes) = payload.get("changes").and_then(Value::as_array).filter(|_| is_of_server(&payload)) {
        bitbucket_server(&payload, changes)
    } else if let Some(request) = payload.get("pull_request").filter(|request| request.get("base").is_some()) {
        pull_request(&payload, request)
    } else if payload.get("before").is_some() && payload.get("after").is_some() {
        push(&payload)
    } else {
        return Err("it is no push event of GitHub, GitLab, Gitea, Bitbucket or Bitbucket Server".to_owned());
    };
    if event.urls.is_empty() { Err("it names no repository".to_owned()) } else { Ok(event) }
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The URLs at these places.
fn urls(payload: &Value, pointers: &[&str]) -> Vec<RepoUrl> {
    let found: BTreeSet<String> = pointers.iter().map(|pointer| text(payload, pointer)).collect();
    found.into_iter().filter(|url| !url.is_empty()).map(RepoUrl::new).collect()
}

/// A hash, unless it is git's for no commit.
fn hash(text: String) -> String {
    if text.bytes().all(|byte| byte == b'0') { String::new() } else { text }
}

/// GitHub, GitLab and Gitea: one branch, and commits with files.
fn push(payload: &Value) -> PushEvent {
    let places = [
        "/repository/clone_url",
        "/repository/ssh_url",
        "/repository/html_url",
        "/repository/git_http_url",
        "/repository/git_ssh_url",
        "/project/git_http_url",
        "/project/git_ssh_url",
        "/project/web_url",
    ];
    let range = (hash(text(payload, "/before")), hash(text(payload, "/after")));
    PushEvent { urls: urls(payload, &places), ranges: vec![range], files: files(payload) }
}

/// The files of all commits; nothing where commits or files are missing, or where history was rewritten: the commits that are
/// gone changed files, too.
fn files(payload: &Value) -> Option<Vec<String>> {
    let commits = payload.get("commits").and_then(Value::as_array)?;
    let total = ["total_commits_count", "total_commits"].iter().find_map(|field| payload.get(*field)?.as_u64());
    let is_cut = total.is_some_and(|total| usize::try_from(total).ok() != Some(commits.len()));
    let is_rewritten = payload.get("forced").and_then(Value::as_bool).unwrap_or_default();
    let begins = !hash(text(payload, "/before")).is_empty();
    if commits.is_empty() || is_cut || is_rewritten || !begins || commits.len() >= GITHUB_COMMITS {
        return None;
    }
    let mut files = BTreeSet::new();
    for commit in commits {
        for field in ["added", "modified", "removed"] {
            let listed = commit.get(field).and_then(Value::as_array)?;
            files.extend(listed.iter().filter_map(Value::as_str).map(str::to_owned));
        }
    }
    // Commits without any file: a merge of GitLab's, whose own commits are listed beside it, or a list that was left out.
    (!files.is_empty()).then(|| files.into_iter().collect())
}

/// GitHub: what merging would change.
fn pull_request(payload: &Value, request: &Value) -> PushEvent {
    let places = ["/repository/clone_url", "/repository/ssh_url", "/repository/html_url"];
    let range = (hash(text(request, "/base/sha")), hash(text(request, "/head/sha")));
    PushEvent { urls: urls(payload, &places), ranges: vec![range], files: None }
}

fn bitbucket(payload: &Value, changes: &[Value]) -> PushEvent {
    let range = |change: &Value| (text(change, "/old/target/hash"), text(change, "/new/target/hash"));
    PushEvent {
        urls: urls(payload, &["/repository/links/html/href"]),
        ranges: changes.iter().map(range).collect(),
        files: None,
    }
}

fn is_of_server(payload: &Value) -> bool {
    text(payload, "/eventKey") == "repo:refs_changed"
}

fn bitbucket_server(payload: &Value, changes: &[Value]) -> PushEvent {
    let links = payload.pointer("/repository/links/clone").and_then(Value::as_array).into_iter().flatten();
    let urls = links.map(|link| text(link, "/href")).filter(|url| !url.is_empty()).map(RepoUrl::new);
    let range = |change: &Value| (hash(text(change, "/fromHash")), hash(text(change, "/toHash")));
    PushEvent { urls: urls.collect(), ranges: changes.iter().map(range).collect(), files: None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "95790bf891e76fee5e1747ab589903a6a1f80f22";
    const TWO: &str = "da1560886d4f094c3e6c9ef40349f7d38b5d27d7";

    fn read(payload: &Value) -> PushEvent {
        read_event(payload.to_string().as_bytes()).unwrap()
    }

    fn commits(files: bool) -> Value {
        let mut first = json!({"id": ONE, "message": "a"});
        if files {
            first["added"] = json!(["apps/new.yaml"]);
            first["modified"] = json!(["shop/web.yaml"]);
            first["removed"] = json!([]);
        }
        json!([first])
    }

    /// docs.github.com "push", docs.gitlab.com "Push events", docs.gitea.com "Webhooks": the fields that are read.
    #[test]
    fn a_push_has_its_files_where_all_of_them_are_listed() {
        let github = json!({
            "ref": "refs/heads/main", "before": ONE, "after": TWO, "forced": false,
            "repository": {"clone_url": "https://github.com/shop/infra.git", "ssh_url": "git@github.com:shop/infra.git",
                "html_url": "https://github.com/shop/infra", "default_branch": "main"},
            "commits": commits(true),
        });
        let event = read(&github);
        assert_eq!(event.ranges, [(ONE.to_owned(), TWO.to_owned())]);
        assert_eq!(event.files, Some(vec!["apps/new.yaml".to_owned(), "shop/web.yaml".to_owned()]));
        assert!(event.urls.contains(&RepoUrl::new("git@github.com:shop/infra.git")), "{:?}", event.urls);

        let zero = "0000000000000000000000000000000000000000";
        for (what, field, value) in [
            ("a job of GitHub gets no files", "/commits", commits(false)),
            ("history was rewritten", "/forced", json!(true)),
            ("the branch is new", "/before", json!(zero)),
            ("there are no commits", "/commits", json!([])),
        ] {
            let mut payload = github.clone();
            *payload.pointer_mut(field).unwrap() = value;
            assert_eq!(read(&payload).files, None, "{what}");
        }

        let gitlab = json!({
            "object_kind": "push", "ref": "refs/heads/main", "before": ONE, "after": TWO, "total_commits_count": 1,
            "project": {"git_http_url": "https://gitlab.example.com/shop/infra.git",
                "git_ssh_url": "git@gitlab.example.com:shop/infra.git", "web_url": "https://gitlab.example.com/shop/infra"},
            "commits": commits(true),
        });
        assert_eq!(read(&gitlab).files.map(|files| files.len()), Some(2));
        assert_eq!(read(&gitlab).urls.len(), 3);
        let mut many = gitlab;
        many["total_commits_count"] = json!(21);
        assert_eq!(read(&many).files, None, "GitLab lists 20 commits at most");

        let gitea = json!({
            "ref": "refs/heads/main", "before": ONE, "after": TWO, "total_commits": 1,
            "repository": {"clone_url": "https://gitea.example.com/shop/infra.git", "ssh_url": "git@gitea.example.com:shop/infra.git"},
            "commits": commits(true),
        });
        assert_eq!(read(&gitea).files.map(|files| files.len()), Some(2));
    }

    /// support.atlassian.com "Event payloads" and confluence.atlassian.com "Event payload", repository push.
    #[test]
    fn other_events_have_commits_alone() {
        let cloud = json!({
            "repository": {"full_name": "shop/infra", "links": {"html": {"href": "https://bitbucket.org/shop/infra"}}},
            "push": {"changes": [
                {"old": {"name": "main", "target": {"hash": ONE}}, "new": {"name": "main", "target": {"hash": TWO}}},
                {"old": null, "new": {"name": "next", "target": {"hash": TWO}}},
            ]},
        });
        let event = read(&cloud);
        assert_eq!(event.ranges, [(ONE.to_owned(), TWO.to_owned()), (String::new(), TWO.to_owned())]);
        assert_eq!((event.files, event.urls), (None, vec![RepoUrl::new("https://bitbucket.org/shop/infra")]));

        let server = json!({
            "eventKey": "repo:refs_changed",
            "repository": {"slug": "infra", "links": {"clone": [{"href": "https://git.example.com/scm/shop/infra.git", "name": "http"}]}},
            "changes": [{"ref": {"id": "refs/heads/main"}, "fromHash": ONE, "toHash": TWO, "type": "UPDATE"}],
        });
        assert_eq!(read(&server).ranges, [(ONE.to_owned(), TWO.to_owned())]);

        let request = json!({
            "action": "synchronize", "pull_request": {"base": {"sha": ONE}, "head": {"sha": TWO}},
            "repository": {"clone_url": "https://github.com/shop/infra.git"},
        });
        assert_eq!(read(&request).ranges, [(ONE.to_owned(), TWO.to_owned())]);
    }

    #[test]
    fn what_is_no_push_is_refused() {
        for (payload, words) in [
            ("{", "it is not JSON"),
            ("{}", "it is no push event"),
            (r#"{"action": "opened", "issue": {}}"#, "it is no push event"),
            (r#"{"before": "1", "after": "2"}"#, "it names no repository"),
        ] {
            let why = read_event(payload.as_bytes()).unwrap_err();
            assert!(why.starts_with(words), "{payload}: {why}");
        }
    }
}
