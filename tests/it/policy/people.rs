//! A run does what the person may do, and nothing else.

use insta::assert_snapshot;

use crate::harness::{TestCluster, TestRepo, config_map, folder_with, or_skip, trueup};

const POLICY: &str = "\
g, team, role:deploy
p, role:deploy, applications, get, shop/*, allow
p, role:deploy, applications, sync, shop/*, allow
p, ann, applications, get, */*, allow
p, ann, applications, sync, */*, allow
p, ann, applications, sync, pay/*, deny
p, root, applications, *, */*, allow
";

const PROJECT: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata:
  name: shop
  namespace: argocd
spec:
  roles:
  - name: reader
    policies:
    - p, proj:shop:reader, applications, get, shop/*, allow
    groups: [auditors]
";

/// Before a policy is given to Argo CD, one asks it: yes or no, the line that decides, and the line that is missing.
#[test]
fn a_policy_answers_with_the_line_that_decides() {
    let folder = folder_with([("policy.csv", &POLICY), ("project.yaml", &PROJECT)]);
    let ask = |arguments: &[&str]| {
        let run = trueup(["can-i"]).arguments(arguments).in_folder(folder.path());
        run.outcome()
    };
    let policy = ["--policy", "policy.csv"];

    assert_snapshot!(ask(&[&["sync", "shop/web", "--policy-user", "ann"], &policy[..]].concat()), @r"
    yes
      allowed by policy.csv:5: `p, ann, applications, sync, */*, allow`
    [exit 0]
    ");
    assert_snapshot!(ask(&[&["sync", "pay/web", "--policy-user", "ann"], &policy[..]].concat()), @r"
    no
      denied by policy.csv:6: `p, ann, applications, sync, pay/*, deny`
    [exit 4]
    ");
    assert_snapshot!(ask(&[&["delete", "shop/web", "--policy-group", "team", "-o", "json"], &policy[..]].concat()), @r#"
    {
      "apiVersion": "trueup/v1",
      "kind": "Permission",
      "allowed": false,
      "groups": [
        "team"
      ],
      "action": "delete",
      "object": "shop/web",
      "missing": [
        "p, role:deploy, applications, delete, shop/web, allow"
      ]
    }
    [exit 4]
    "#);
    assert_snapshot!(ask(&["sync", "shop/web", "project.yaml", "--role", "proj:shop:reader"]), @r"
    no
      no line allows it; missing in AppProject `shop`: `p, proj:shop:reader, applications, sync, shop/web, allow`
    [exit 4]
    ");
    assert_snapshot!(ask(&["sync", "shop/web", "--role", "role:admin"]), @r"
    yes
      allowed by builtin-policy.csv:25: `p, role:admin, applications, sync, */*, allow`
    [exit 0]
    ");
    assert_snapshot!(ask(&["synch", "shop/web", "--role", "role:admin"]), @r"
    --- stderr
      × applications have no action `synch`
      help: one of: get, create, update, delete, sync, override, rollback, action/GROUP/KIND/ACTION
    [exit 2]
    ");
    assert_snapshot!(ask(&[&["sync", "shop/web"], &policy[..]].concat()), @r"
    --- stderr
      × the policy is not asked about anybody
      help: name who runs this with `--policy-user`, `--policy-group` or `--role`
    [exit 2]
    ");
}

/// A line that matches nothing is found before somebody relies on it.
#[test]
fn a_wrong_policy_is_refused_with_each_wrong_line() {
    let wrong = "p, ann, applications, get, */*, allow\np, ann, aplications, get, */*, allow\np, bob, applications, get, [, deny\n";
    let folder = folder_with([("policy.csv", &POLICY), ("wrong.csv", &wrong), ("project.yaml", &PROJECT)]);
    let validate = |file: &str| trueup(["policy", "validate"]).argument(file).in_folder(folder.path()).outcome();

    assert_snapshot!(validate("policy.csv"), @r"
    policy.csv: 6 `p` and 1 `g`: valid
    [exit 0]
    ");
    assert_snapshot!(validate("project.yaml"), @r"
    project.yaml: 1 `p` and 1 `g`: valid
    [exit 0]
    ");
    assert_snapshot!(validate("wrong.csv"), @r"
    wrong.csv: 3 `p` and 0 `g`: 2 wrong
    --- stderr
      × wrong.csv:2: `aplications` matches no resource
      help: did you mean `applications`?
      × wrong.csv:3: the object `[` is not a glob: unexpected end of input
      help: correct it; Argo CD would match nothing with it, and a `deny` would deny nothing
    [exit 2]
    ");
}

/// A team shares a cluster and a pipeline: whoever may not sync writes nothing, whoever may not prune deletes nothing.
#[test]
#[expect(clippy::too_many_lines, reason = "a snapshot is as long as a report")]
fn a_run_is_held_to_what_the_person_may_do() {
    let cluster = or_skip!(TestCluster::namespace());
    let folder = folder_with([("policy.csv", &POLICY)]);
    let git = TestRepo::new().file("a.yaml", config_map("a")).file("b.yaml", config_map("b")).commit("two");
    let shop = git.application(cluster.name()).deployed_to(&cluster).spec_field("project", "shop".into());
    let policy = folder.path().join("policy.csv");
    let run = |arguments: &[&str], who: &[&str]| {
        let run = trueup([arguments[0], "-q", "--policy"]).argument(&policy).arguments(who).of(&shop);
        run.arguments(&arguments[1..]).outcome()
    };
    let team = ["--policy-group", "team"];

    assert_snapshot!(run(&["diff", "-o", "name"], &["--policy-user", "nobody"]), @r"
    argocd/[NAMESPACE]
    --- stderr
      × [NAMESPACE]: not permitted: `nobody` lacks `get` on `shop/[NAMESPACE]`
      help: no line allows it; missing: `p, nobody, applications, get, shop/[NAMESPACE], allow`
      ⚠ [NAMESPACE]: project `shop` is not checked: the application can do what the project forbids
      help: add the AppProjects to PATH to check them
    [exit 4]
    ");
    assert_snapshot!(run(&["sync", "-y"], &["--role", "role:readonly"]), @r"
    [NAMESPACE]  OutOfSync  2 missing
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  .  HEAD  6433087  local repository

      + ConfigMap [NAMESPACE]/a  missing in the cluster  a.yaml:1

      + ConfigMap [NAMESPACE]/b  missing in the cluster  b.yaml:1

      ⚠ [NAMESPACE]: project `shop` is not checked: the application can do what the project forbids
      × [NAMESPACE]: not permitted: `role:readonly` lacks `sync` on `shop/[NAMESPACE]`; nothing was written

    1 application  1 out of sync
    2 resources    2 missing
    1 error, 1 warning
    exit code 4    not permitted: missing RBAC permission, or forbidden by the Application's policy
    --- stderr
      ⚠ [NAMESPACE]: project `shop` is not checked: the application can do what the project forbids
      help: add the AppProjects to PATH to check them
      × [NAMESPACE]: not permitted: `role:readonly` lacks `sync` on `shop/[NAMESPACE]`; nothing was
      │ written
      help: no line allows it; missing: `p, role:readonly, applications, sync, shop/[NAMESPACE], allow`
    [exit 4]
    ");
    assert_eq!(
        cluster.kubectl(["get", "configmap", "-o", "name"]).lines().filter(|line| line.ends_with("/a")).count(),
        0
    );

    assert_eq!(run(&["sync", "-y"], &team).code, Some(0), "{}", run(&["sync", "-y"], &team));
    let git = git.remove("b.yaml").commit("one");
    assert_snapshot!(run(&["sync", "-y", "--prune"], &team), @r"
    [NAMESPACE]  OutOfSync  1 extra, 1 in sync
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  .  HEAD  b0a8b36  local repository
      plan     1 to delete
      Sync, wave 0
        - ConfigMap [NAMESPACE]/b  removed from git

      - ConfigMap [NAMESPACE]/b  extra, not in git, removed from git since the last sync
        commit b0a8b36  one, Ada, [AGO]

      ⚠ [NAMESPACE]: project `shop` is not checked: the application can do what the project forbids
      × [NAMESPACE]: not permitted: `team` lacks `delete//ConfigMap/[NAMESPACE]/b` on `shop/[NAMESPACE]`; nothing was written

    1 application  1 out of sync
    2 resources    1 extra, 1 in sync
    1 error, 1 warning
    exit code 4    not permitted: missing RBAC permission, or forbidden by the Application's policy
    --- stderr
      ⚠ [NAMESPACE]: project `shop` is not checked: the application can do what the project forbids
      help: add the AppProjects to PATH to check them
      × [NAMESPACE]: not permitted: `team` lacks `delete//ConfigMap/[NAMESPACE]/b` on `shop/[NAMESPACE]`;
      │ nothing was written
      help: no line allows it; missing: `p, role:deploy, applications, delete//ConfigMap/[NAMESPACE]/b,
            shop/[NAMESPACE], allow`
    [exit 4]
    ");
    cluster.kubectl(["get", "configmap", "b"]);
    let checkout = format!("--checkout={}", git.path().display());
    assert_snapshot!(run(&["sync", "-y", &checkout], &team), @r"
    [NAMESPACE]  OutOfSync  1 extra, 1 in sync
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  .  HEAD  b0a8b36  local repository

      - ConfigMap [NAMESPACE]/b  extra, not in git, removed from git since the last sync
        commit b0a8b36  one, Ada, [AGO]

      ⚠ [NAMESPACE]: project `shop` is not checked: the application can do what the project forbids
      × [NAMESPACE]: not permitted: `team` lacks `override` on `shop/[NAMESPACE]`; nothing was written: `--checkout` was given

    1 application  1 out of sync
    2 resources    1 extra, 1 in sync
    1 error, 1 warning
    exit code 4    not permitted: missing RBAC permission, or forbidden by the Application's policy
    --- stderr
      ⚠ [NAMESPACE]: project `shop` is not checked: the application can do what the project forbids
      help: add the AppProjects to PATH to check them
      × [NAMESPACE]: not permitted: `team` lacks `override` on `shop/[NAMESPACE]`; nothing was written
      ╰─▶ `--checkout` was given
      help: no line allows it; missing: `p, role:deploy, applications, override, shop/[NAMESPACE],
            allow`
    [exit 4]
    ");
    assert_snapshot!(run(&["delete", "--app", cluster.name(), "--dry-run"], &team), @r"
    [NAMESPACE]  OutOfSync  2 extra
      cluster  https://127.0.0.1:[PORT]  namespace [NAMESPACE]
      source   file://[repo]/repo  .  HEAD  b0a8b36  local repository

      - ConfigMap [NAMESPACE]/a  extra, not in git, removed from git since the last sync
        commit b0a8b36  one, Ada, [AGO]

      - ConfigMap [NAMESPACE]/b  extra, not in git, removed from git since the last sync
        commit b0a8b36  one, Ada, [AGO]

      × [NAMESPACE]: not permitted: `team` lacks `delete` on `shop/[NAMESPACE]`; nothing was written

    1 application  1 out of sync
    2 resources    2 extra
    1 error
    exit code 4    not permitted: missing RBAC permission, or forbidden by the Application's policy
    --- stderr
      × [NAMESPACE]: not permitted: `team` lacks `delete` on `shop/[NAMESPACE]`; nothing was written
      help: no line allows it; missing: `p, role:deploy, applications, delete, shop/[NAMESPACE], allow`
    [exit 4]
    ");

    // Without controllers, a deletion waits for its dependents.
    let pruned = run(&["sync", "-y", "--prune"], &["--policy-user", "root"]);
    assert!(pruned.stdout.contains("Succeeded  1 step: 1 done"), "{pruned}");
    let deleted = cluster.kubectl(["get", "configmap", "b", "-o", "jsonpath={.metadata.deletionTimestamp}"]);
    assert!(!deleted.is_empty());
}
