//! Decisions are casbin's, with Argo CD's model, its built-in roles, default role, groups and projects.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};
use trueup::app::policy::{Policy, PolicySettings, Question, Subject, project_roles};

use super::oracle::{Random, answers};
use crate::harness::or_skip;

const BUILTIN: &str = include_str!("../../../src/app/policy/builtin-policy.csv");

/// A policy and who asks; every request is asked.
#[derive(Debug, Clone, Default)]
struct Case {
    policy: String,
    default_role: &'static str,
    is_regex: bool,
    /// `p` lines and groups of the role `dev` of project `shop`.
    role: Option<(Vec<String>, Vec<String>)>,
    subject: String,
    groups: Vec<String>,
}

fn requests() -> Vec<[&'static str; 3]> {
    let mut requests = Vec::new();
    for action in [
        "get",
        "sync",
        "delete",
        "delete/apps/Deployment/shop/web",
        "override",
        "rollback",
        "action/apps/Deployment/restart",
    ] {
        for object in ["shop/web", "shop/team/web", "shop/api", "pay/web", "default/x"] {
            requests.push(["applications", action, object]);
        }
    }
    requests.extend([["projects", "get", "shop"], ["logs", "get", "shop/web"], ["clusters", "get", "https://x"]]);
    requests
}

impl Case {
    fn question(&self) -> Json {
        let roles = self.role.as_ref().map(|(policies, groups)| {
            let groups = groups.iter().map(|group| format!("g, {group}, proj:shop:dev"));
            let own = "p, proj:shop:dev, projects, get, shop, allow".to_owned();
            let lines: Vec<String> = std::iter::once(own).chain(policies.iter().cloned()).chain(groups).collect();
            lines.join("\n")
        });
        json!({
            "Policies": [BUILTIN, self.policy], "DefaultRole": self.default_role, "Regex": self.is_regex,
            "Project": if roles.is_some() { "shop" } else { "" }, "Roles": roles.unwrap_or_default(),
            "Requests": requests(), "Subject": self.subject, "Groups": self.groups,
        })
    }

    fn ours(&self) -> Result<Vec<bool>, String> {
        let mode = if self.is_regex { "regex" } else { "glob" };
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "argocd-rbac-cm" },
            "data": { "policy.csv": self.policy, "policy.default": self.default_role, "policy.matchMode": mode },
        });
        let shown = |faults: Vec<trueup::app::policy::PolicyFault>| {
            faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let settings = PolicySettings::of_object("cm", &map).map_err(shown)?;
        let project = self.role.as_ref().map(|(policies, groups)| {
            json!({
                "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": { "name": "shop" },
                "spec": { "roles": [{ "name": "dev", "policies": policies, "groups": groups }] },
            })
            .to_string()
        });
        let projects = project.map(|text| project_roles("project.yaml", text.as_bytes())).unwrap_or_default();
        let policy = Policy::new(&settings, &projects).map_err(shown)?;
        let subject = Subject { user: Some(self.subject.clone()), groups: self.groups.clone() };
        let ask = |[resource, action, object]: [&str; 3]| {
            let question = Question { resource: resource.into(), action: action.into(), object: object.into() };
            policy.decide(&subject, &question).is_allowed()
        };
        Ok(requests().into_iter().map(ask).collect())
    }
}

fn compare(cases: &[Case]) {
    let questions: Vec<Json> = cases.iter().map(Case::question).collect();
    let theirs = or_skip!(answers(&questions));
    let mut differences = Vec::new();
    for (case, theirs) in cases.iter().zip(theirs) {
        let ours = case.ours();
        if ours.as_ref().ok() == theirs.as_ref().ok() {
            continue;
        }
        let different = match (&ours, &theirs) {
            (Ok(ours), Ok(theirs)) => {
                let all = requests().into_iter().zip(ours).zip(theirs);
                let different = all.filter(|((_, ours), theirs)| ours != theirs);
                different
                    .map(|((request, ours), _)| format!("    {request:?}: trueup {ours}"))
                    .collect::<Vec<_>>()
                    .join("\n")
            }
            _ => format!("    trueup {ours:?}\n    Go {theirs:?}"),
        };
        differences.push(format!("{case:?}\n{different}"));
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn case(policy: &str, subject: &str, groups: &[&str]) -> Case {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    Case { policy: policy.to_owned(), subject: subject.to_owned(), groups, ..Case::default() }
}

/// The rules of the manual, one by one: built-in roles, chains of roles, deny over allow, groups that need a role, the default
/// role that no denial touches, projects' roles and tokens, regular expressions, quotes.
#[test]
fn rules_decide_as_in_argo_cd() {
    let chain = (0..12).map(|step| format!("g, role:{step}, role:{}\n", step + 1)).collect::<Vec<_>>().concat();
    let deep = |last: usize| format!("{chain}p, role:{last}, applications, sync, */*, allow");
    let role = |policies: &[&str], groups: &[&str]| {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Some((owned(policies), owned(groups)))
    };
    let dev = role(&["p, proj:shop:dev, applications, *, shop/*, allow"], &["team"]);
    let denied = "p, ann, applications, *, */*, allow\np, ann, applications, sync, shop/web, deny";
    let cases = [
        case("", "admin", &[]),
        case("", "role:readonly", &[]),
        case("", "ann", &["role:admin"]),
        case("g, ann, role:admin", "ann", &[]),
        case(denied, "ann", &[]),
        Case { default_role: "role:admin", ..case(denied, "ann", &[]) },
        Case { default_role: "role:readonly", ..case("p, role:readonly, applications, get, shop/*, deny", "x", &[]) },
        case(&deep(10), "role:0", &[]),
        case(&deep(11), "role:0", &[]),
        case("g, a, b\ng, b, a\np, b, applications, get, *, allow", "a", &[]),
        case("p, team, applications, get, *, allow", "x", &["team"]),
        case("p, team, applications, get, *, allow\ng, team, role:nothing", "x", &["team"]),
        case(
            "g, team, role:t\np, role:t, applications, *, shop/*, allow\np, x, applications, *, *, deny",
            "x",
            &["team"],
        ),
        case(
            "g, one, role:1\ng, two, role:2\np, role:1, applications, *, *, deny\np, role:2, applications, *, *, allow",
            "x",
            &["one", "two"],
        ),
        Case { role: dev.clone(), ..case("", "proj:shop:dev", &[]) },
        Case { role: dev.clone(), ..case("", "proj:pay:dev", &[]) },
        Case { role: dev.clone(), ..case("p, proj:pay:dev, applications, get, */*, allow", "proj:pay:dev", &[]) },
        Case { role: dev.clone(), ..case("", "ann", &["team"]) },
        Case { role: dev.clone(), ..case("p, proj:shop:dev, applications, sync, shop/*, deny", "ann", &["team"]) },
        Case { role: dev.clone(), default_role: "role:readonly", ..case("", "proj:shop:dev", &["team"]) },
        Case {
            role: role(&["p, proj:shop:dev, applications, sync, shop/web, deny"], &["team"]),
            ..case("g, ann, role:admin", "ann", &["team"])
        },
        Case { is_regex: true, ..case("p, ann, app.*, ^(get|sync)$, shop/.*, allow", "ann", &[]) },
        Case { is_regex: true, ..case("p, ann, applications, e, w, allow", "ann", &[]) },
        Case { is_regex: true, ..case("g, ann, role:admin\np, ann, applications, .*, .*, allow", "ann", &[]) },
        Case { is_regex: true, default_role: "role:readonly", ..case("p, ann, .*, .*, .*, allow", "ann", &[]) },
        case("p, ann, applications, {get,sync}, \"{shop/web,pay/*}\", allow", "ann", &[]),
        case("p, ann, applications, \"{get,sync}\", \"{shop/web,pay/*}\", allow", "ann", &[]),
        case("p, \"ann \"\"a\"\"\", \"applications\", *, *, allow", "ann \"a\"", &[]),
        case("  p,ann,applications,get,*,allow  \r\n\n# a comment\n", "ann", &[]),
        case("p, ann, applications, get, *, allow, more", "ann", &[]),
        case("g, ann", "ann", &[]),
        case("p, \"ann, applications, get, *, allow", "ann", &[]),
        case("p, a\"nn, applications, get, *, allow", "ann", &[]),
        case("x, ann, applications, get, *, allow", "ann", &[]),
    ];
    compare(&cases);
}

const SUBJECTS: &[&str] =
    &["ann", "bob", "team", "org:dev", "role:a", "role:b", "role:c", "role:readonly", "proj:shop:dev"];
const OBJECTS: &[&str] = &[
    "*",
    "*/*",
    "shop/*",
    "shop/web",
    "shop/w?b",
    "*/web",
    "pay/*",
    "sh*/[aw]*",
    "shop/team/*",
    "shop*web",
    "s*/*",
    "shop/we*eb",
    "[!p]*",
    "*/*/*",
    "\\shop/web",
    "default/x",
];
const ACTIONS: &[&str] =
    &["*", "get", "sync", "delete", "delete/*", "delete/apps/*", "g*", "action/*", "*t", "[gs]*", "rollback"];

/// Thousands of policies that nobody would write.
#[test]
fn random_policies_decide_as_in_argo_cd() {
    let mut random = Random(7);
    let mut cases = Vec::new();
    for _ in 0..1_500 {
        let mut policy = String::new();
        for _ in 0..random.below(9) {
            let (subject, action, object) = (random.one_of(SUBJECTS), random.one_of(ACTIONS), random.one_of(OBJECTS));
            let resource = random.one_of(&["applications", "applications", "*", "logs", "app*"]);
            let effect = random.one_of(&["allow", "allow", "deny"]);
            writeln!(policy, "p, {subject}, {resource}, {action}, {object}, {effect}").unwrap();
        }
        for _ in 0..random.below(5) {
            writeln!(policy, "g, {}, {}", random.one_of(SUBJECTS), random.one_of(SUBJECTS)).unwrap();
        }
        let role = (random.below(2) == 0).then(|| {
            let mut policies = Vec::new();
            for _ in 0..random.below(3) {
                let (action, effect) = (random.one_of(ACTIONS), random.one_of(&["allow", "deny"]));
                let object = random.one_of(&["shop/*", "shop/web", "shop/w?b", "shop/team/*"]);
                policies.push(format!("p, proj:shop:dev, applications, {action}, {object}, {effect}"));
            }
            (policies, vec![random.one_of(&["team", "org:dev", "ann"]).to_owned()])
        });
        cases.push(Case {
            policy,
            default_role: random.one_of(&["", "", "role:readonly", "role:a"]),
            is_regex: false,
            role,
            subject: random.one_of(SUBJECTS).to_owned(),
            groups: (0..random.below(3)).map(|_| random.one_of(SUBJECTS).to_owned()).collect(),
        });
    }
    compare(&cases);
}

/// A large installation: 2,000 teams, 10,000 lines, 1,000 questions; `cargo bench --bench parse` has the time it takes.
#[test]
fn a_large_policy_finds_the_one_line_of_a_team() {
    let mut policies = [String::new(), String::new()];
    for team in 0..2_000 {
        for (policy, role) in policies.iter_mut().zip([format!("role:{team}"), "role:all".to_owned()]) {
            writeln!(policy, "g, org:team-{team}, {role}").unwrap();
            for (action, effect) in [("get", "allow"), ("sync", "allow"), ("delete/*", "allow"), ("override", "deny")] {
                writeln!(policy, "p, {role}, applications, {action}, team-{team}/*, {effect}").unwrap();
            }
        }
    }
    for text in &policies {
        let settings = PolicySettings::read("policy.csv", text.as_bytes()).unwrap();
        let policy = Policy::new(&settings, &[]).unwrap();
        let allowed = (0..1_000).filter(|team| {
            let subject = Subject { user: None, groups: vec![format!("org:team-{team}")] };
            policy.decide(&subject, &Question::of_application("sync", &format!("team-{team}/web"))).is_allowed()
        });
        assert_eq!(allowed.count(), 1_000);
    }
}
