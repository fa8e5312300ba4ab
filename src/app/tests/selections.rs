//! `--app`, `--selector` and `--project`.

use miette::Diagnostic;

use super::*;

fn three() -> Manifests {
    let one = |name: &str, namespace: &str, project: &str, env: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\n\
             metadata: {{name: {name}, namespace: {namespace}, labels: {{env: {env}}}}}\n\
             spec: {{project: {project}, destination: {{name: prod}}, source: {{repoURL: a, path: b}}}}\n"
        )
    };
    let texts = [
        one("shop-web", "argocd", "shop", "prod"),
        one("shop-api", "argocd", "shop", "stage"),
        one("monitoring", "platform", "platform", "prod"),
    ];
    read(&[named("apps.yaml", &texts.join("---\n"))])
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The names that are kept, or the errors as `message | help`.
fn select(apps: &[&str], selector: Option<&str>, projects: &[&str]) -> Result<Vec<String>, Vec<String>> {
    let messages_of = |errors: Vec<SelectionError>| -> Vec<String> {
        let help = |error: &SelectionError| error.help().map(|help| help.to_string()).unwrap_or_default();
        errors.iter().map(|error| format!("{error} | {}", help(error))).collect()
    };
    let selection = Selection::new(&owned(apps), selector, &owned(projects)).map_err(messages_of)?;
    let manifests = selection.apply(three()).map_err(messages_of)?;
    Ok(manifests.applications.into_iter().map(|entry| entry.unwrap().name).collect())
}

#[test]
fn flags_narrow_the_set_together() {
    for (apps, selector, projects, expected) in [
        (&[][..], None, &[][..], &["shop-web", "shop-api", "monitoring"][..]),
        (&["shop-web"], None, &[], &["shop-web"]),
        (&["monitoring", "shop-web"], None, &[], &["shop-web", "monitoring"]),
        (&["shop-*"], None, &[], &["shop-web", "shop-api"]),
        (&["argocd/*"], None, &[], &["shop-web", "shop-api"]),
        (&["platform/monitoring"], None, &[], &["monitoring"]),
        (&["shop-{web,db}"], None, &[], &["shop-web"]),
        (&[], Some("env=prod"), &[], &["shop-web", "monitoring"]),
        (&[], Some("env notin (prod)"), &[], &["shop-api"]),
        (&[], Some(""), &[], &["shop-web", "shop-api", "monitoring"]),
        (&[], None, &["platform"], &["monitoring"]),
        (&[], None, &["platform", "shop"], &["shop-web", "shop-api", "monitoring"]),
        (&["shop-*"], Some("env=prod"), &["shop"], &["shop-web"]),
    ] {
        let kept = select(apps, selector, projects);
        assert_eq!(kept.as_deref(), Ok(&owned(expected)[..]), "{apps:?} {selector:?} {projects:?}");
    }
}

#[test]
fn asking_for_what_is_not_there_is_an_error_that_names_the_nearest() {
    for (apps, selector, projects, expected) in [
        (
            &["shop-wbe", "shop-api"][..],
            None,
            &[][..],
            &["`--app shop-wbe` matches no Application | did you mean `shop-web`?"][..],
        ),
        (
            &["argocd/monitoring"],
            None,
            &[],
            &["`--app argocd/monitoring` matches no Application | did you mean `platform/monitoring`?"],
        ),
        (
            &["billing"],
            None,
            &[],
            &["`--app billing` matches no Application | there are `monitoring`, `shop-api`, `shop-web`"],
        ),
        (
            &[],
            Some("env=pord"),
            &["shoop"],
            &[
                "`--project shoop` matches no Application | did you mean `shop`?",
                "`--selector env=pord` matches no Application | did you mean `env=prod`?",
            ],
        ),
        (
            &["shop-web"],
            Some("env=stage"),
            &[],
            &["no Application matches `--app shop-web` and `--selector env=stage` together | leave one of them out"],
        ),
        (
            &["shop-[web"],
            Some("env in"),
            &["{a"],
            &[
                "`--app shop-[web` is not a glob | write `*` for any text, `?` for one letter, `{a,b}` for a choice",
                "`--project {a` is not a glob | write `*` for any text, `?` for one letter, `{a,b}` for a choice",
                "the selector `env in` ends where `(` is expected | \
                 write it as for `kubectl get -l`, such as `env in (prod, stage), tier!=cache, !legacy`",
            ],
        ),
    ] {
        let refused = select(apps, selector, projects);
        assert_eq!(refused, Err(owned(expected)), "{apps:?} {selector:?} {projects:?}");
    }
}

/// An Application that cannot be read might be the one that was asked for.
#[test]
fn what_could_not_be_read_is_kept_where_it_might_match() {
    let text =
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: odd, labels: {env: 1}}\nspec: {}\n";
    let manifests = || {
        read(&[
            named("odd.yaml", text),
            named("web.yaml", &application("project: shop").replace("shop}", "web, labels: {env: prod}}")),
        ])
    };
    for (apps, selector, projects, kept) in [
        (&[][..], Some("env=prod"), &[][..], 2),
        (&["odd"], None, &[], 1),
        (&["web"], Some("env=prod"), &[], 1),
        (&[], None, &["shop"], 1),
    ] {
        let selection = Selection::new(&owned(apps), selector, &owned(projects)).unwrap();
        let left = selection.apply(manifests()).unwrap().applications.len();
        assert_eq!(left, kept, "{apps:?} {selector:?} {projects:?}");
    }
}
