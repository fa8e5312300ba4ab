use super::*;

fn faults(file: &str, text: &str) -> Vec<String> {
    validate(file, text.as_bytes()).faults.iter().map(ToString::to_string).collect()
}

/// Argo CD's server takes most of these without a word, and then matches nothing.
#[test]
fn every_wrong_line_is_reported_with_its_line() {
    let policy = "# roles\n\
        p, role:a, applications, get, */*, allow\n\
        p, role:a, applications, get, allow\n\
        g, team\n\
        p, role:a, applications, get, */*, allowed\n\
        p, role:a, applications, get, */*, allow # all\n\
        p, role:a , applications, get, */*, allow\n\
        p, , applications, get, */*, allow\n\
        p, role:a, application, get, */*, allow\n\
        p, role:a, applications, synch, */*, allow\n\
        p, role:a, applications, get, [a-, deny\n\
        q, role:a\n\
        p, \"role:a, applications, get, */*, allow\n\
        p, role:a, applications, delete/*/Pod/*, */*, allow\n";
    assert_eq!(
        faults("policy.csv", policy),
        [
            "policy.csv:3: a `p` line has 6 fields, this one 5",
            "policy.csv:4: a `g` line has 3 fields, this one 2",
            "policy.csv:5: the effect is `allowed`, not `allow` or `deny`",
            "policy.csv:6: the effect is `allow # all`, not `allow` or `deny`",
            "policy.csv:7: a space ends the subject `role:a `, so that it matches nothing",
            "policy.csv:8: the subject is empty",
            "policy.csv:12: `q` begins no line of a policy",
            "policy.csv:13: a quote `\"` is not closed, or stands inside of a field",
            "policy.csv:9: `application` matches no resource",
            "policy.csv:10: `synch` matches no action of `applications`",
            "policy.csv:11: the object `[a-` is not a glob: unexpected end of input",
        ]
    );
}

const CONFIG_MAP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-rbac-cm
data:
  policy.default: role:readonly
  scopes: '[groups, email]'
  policy.extra.csv: |
    g, ann, role:b
    p, role:b, applications, sync, shop/*, deny
  policy.csv: |
    p, ann, applications, sync, shop/*, allow
";

/// A message names the line of the file, also where the policy is a block in a ConfigMap.
#[test]
fn a_config_map_is_read_with_its_settings_and_lines() {
    let settings = PolicySettings::read("rbac.yaml", CONFIG_MAP.as_bytes()).unwrap();
    assert_eq!(settings.scopes, ["groups", "email"]);
    assert_eq!(settings.default_role.as_deref(), Some("role:readonly"));
    let policy = Policy::new(&settings, &[]).unwrap();
    let ask = |user: &str, action: &str| {
        let subject = Subject { user: Some(user.to_owned()), groups: Vec::new() };
        policy.decide(&subject, &Question::of_application(action, "shop/web")).reason()
    };
    assert_eq!(ask("ann", "sync"), "denied by rbac.yaml:10: `p, role:b, applications, sync, shop/*, deny`");
    assert_eq!(ask("bob", "get"), "allowed by builtin-policy.csv:9: `p, role:readonly, applications, get, */*, allow`");
    assert_eq!(ask("bob", "sync"), "no line allows it; missing: `p, bob, applications, sync, shop/web, allow`");
    for (from, to, expected) in [
        ("role:readonly", "role:readonly\n  policy.matchMode: regexp", "rbac.yaml:7: `policy.matchMode` is `regexp`"),
        ("'[groups, email]'", "'{a: b}'", "rbac.yaml:7: `scopes` is `{a: b}`"),
        (
            "role:readonly",
            "role:readonly\n  policy.matchMode: regex",
            "rbac.yaml: `policy.matchMode` is `regex`, and `role:readonly`",
        ),
    ] {
        assert_eq!(faults("rbac.yaml", &CONFIG_MAP.replacen(from, to, 1)), [expected]);
    }
}

/// A group's own lines do nothing without a role, and a project's role asks for a line in its `AppProject`.
#[test]
fn the_missing_lines_are_those_that_would_allow_it() {
    let settings = PolicySettings::read("p.csv", b"g, ops, role:ops\np, team, applications, *, *, allow").unwrap();
    let project = "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: shop}\nspec:\n  roles:\n  \
                   - name: dev\n    policies:\n    - p, proj:shop:dev, applications, get, shop/*, allow\n";
    let policy = Policy::new(&settings, &project_roles("project.yaml", project.as_bytes())).unwrap();
    let ask = |user: Option<&str>, groups: &[&str], object: &str| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let subject = Subject { user: user.map(str::to_owned), groups };
        policy.decide(&subject, &Question::of_application("sync", object)).reason()
    };
    for (user, groups, object, expected) in [
        (
            None,
            &["ops"][..],
            "shop/web",
            "no line allows it; missing: `p, role:ops, applications, sync, shop/web, allow`",
        ),
        (
            None,
            &["team"],
            "shop/web",
            "no line allows it; missing: `g, team, role:ROLE`, `p, role:ROLE, applications, sync, shop/web, allow`",
        ),
        (
            Some("proj:shop:dev"),
            &[],
            "shop/web",
            "no line allows it; missing in AppProject `shop`: `p, proj:shop:dev, applications, sync, shop/web, allow`",
        ),
    ] {
        assert_eq!(ask(user, groups, object), expected);
    }
    let question = Question::of_application("get", "shop/web");
    let subject = Subject { user: Some("proj:shop:dev".to_owned()), groups: Vec::new() };
    assert_eq!(
        policy.decide(&subject, &question).reason(),
        "allowed by project.yaml:8: `p, proj:shop:dev, applications, get, shop/*, allow`"
    );
}

#[test]
fn a_role_of_a_project_is_about_its_own_project() {
    let project = "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {name: shop}\nspec:\n  roles:\n  - name: dev\n    \
                   policies:\n    - p, proj:shop:dev, applications, get, pay/*, allow\n    - p, role:admin, applications, get, \
                   shop/*, allow\n    - p, proj:shop:dev, accounts, get, shop/*, allow\n";
    assert_eq!(
        faults("project.yaml", project),
        [
            "project.yaml:8: a role of project `shop` has a policy about `pay/*`, outside of the project",
            "project.yaml:9: a role of project `shop` has a policy for `role:admin`",
            "project.yaml:10: a role of project `shop` has a policy about `accounts`",
        ]
    );
}

#[test]
fn an_application_is_named_as_argo_cd_names_it() {
    for (project, namespace, expected) in [
        ("shop", None, "shop/web"),
        ("shop", Some("argocd"), "shop/web"),
        ("shop", Some("team"), "shop/team/web"),
        ("", Some(""), "default/web"),
    ] {
        assert_eq!(object_of(project, namespace, "web", "argocd"), expected);
    }
    assert!(is_known_action("delete/apps/Deployment/shop/web") && is_known_action("sync"));
    assert!(!is_known_action("sync/apps") && !is_known_action("invoke"));
}
