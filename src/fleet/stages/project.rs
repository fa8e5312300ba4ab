//! Holds each application to its AppProject.
//!
//! In: rendered applications, and extras. Out: the same, with what the project forbids: warnings, which a sync makes errors of
//! (`fleet::sync::plan`); and the extras that the project lets its applications have. Where no AppProject was given, nothing is
//! checked, and a warning says so.
//!
//! Rules: app/project, which says whose. Quirk not kept: Argo CD compares nothing of an application whose source or destination is
//! not permitted; here the comparison stands beside the violation.

use crate::app::Application;
use crate::app::appset::ClusterSecret;
use crate::app::project::{CheckedResource, DestinationCluster, ProjectLookup, ProjectRules, Violation};
use crate::cluster::Cluster;
use crate::finding::{Code, Finding};
use crate::fleet::Request;
use crate::fleet::application::{Built, Extras, Left, Loaded, Observed, Purpose, Rendered};
use crate::fleet::batch::Batch;
use crate::fleet::condition::ConditionKind;
use crate::object::kinds::Scope;
use crate::object::{GroupKind, Kinds, Object};

/// The project that allows everything, unless somebody narrowed it.
const DEFAULT_PROJECT: &str = "default";

/// The cluster that Argo CD runs in, as it names it, and its server.
const IN_CLUSTER: (&str, &str) = ("in-cluster", "https://kubernetes.default.svc");

/// Checks every application, those among them that could not be rendered as far as their manifests go.
pub(crate) fn check(rendered: Batch<Rendered>, request: &Request) -> Batch<Rendered> {
    let with_violations = |mut rendered: Rendered| {
        let violations = violations(&rendered, request);
        keep(&mut rendered.built.fetched.loaded, violations);
        rendered
    };
    let rendered = rendered.map(with_violations);
    rendered.map_left(|mut left: Left| {
        let violations = of_manifest(&left.fetched.loaded, left.cluster.as_deref(), request);
        keep(&mut left.fetched.loaded, violations);
        left
    })
}

/// Checks applications that were rendered without a cluster.
pub(crate) fn check_built(built: Batch<Built>, kinds: &Kinds, request: &Request) -> Batch<Built> {
    let with_violations = |mut built: Built| {
        let violations = of_loaded(&built, (built.target.iter(), kinds), None, request);
        keep_silent(&mut built.fetched.loaded, violations);
        built
    };
    built.map(with_violations).map_left(|mut left: Left| {
        let violations = of_manifest(&left.fetched.loaded, None, request);
        keep_silent(&mut left.fetched.loaded, violations);
        left
    })
}

/// Keeps violations that are reported as such, and not as warnings.
fn keep_silent(loaded: &mut Loaded, checked: Checked) {
    match checked {
        Ok(violations) => loaded.violations = violations,
        Err((kind, finding)) => loaded.conditions.add(kind, finding),
    }
}

/// What the project says of an application; or why it says nothing.
type Checked = Result<Vec<Violation>, (ConditionKind, Finding)>;

fn keep(loaded: &mut Loaded, checked: Checked) {
    match checked {
        Ok(violations) => {
            loaded.conditions.add_all(violations.iter().map(|it| (ConditionKind::ProjectWarning, warning(it))));
            loaded.violations = violations;
        }
        Err((kind, finding)) => loaded.conditions.add(kind, finding),
    }
}

fn violations(rendered: &Rendered, request: &Request) -> Checked {
    of_loaded(rendered, (rendered.target.iter(), rendered.kinds()), Some(rendered.cluster()), request)
}

/// What the project forbids of a manifest, and of its objects.
fn of_loaded<'object>(
    loaded: &Loaded,
    (objects, kinds): (impl Iterator<Item = &'object Object> + Clone, &Kinds),
    cluster: Option<&dyn Cluster>,
    request: &Request,
) -> Checked {
    let mut violations = of_manifest(loaded, cluster, request)?;
    let rules = rules(&loaded.application, request)?.filter(|_| loaded.purpose != Purpose::Delete);
    let Some(rules) = rules else { return Ok(violations) };
    let cluster = destination(&loaded.application, cluster, request);
    let kinds = kinds.with_definitions(objects.clone());
    violations.extend(rules.check_resources(objects.map(|object| resource(object, &kinds)), &cluster));
    Ok(violations)
}

/// What the project forbids of the manifest alone. One that is deleted needs no permission.
fn of_manifest(loaded: &Loaded, cluster: Option<&dyn Cluster>, request: &Request) -> Checked {
    let application = &loaded.application;
    if loaded.purpose == Purpose::Delete {
        return Ok(Vec::new());
    }
    let Some(rules) = rules(application, request)? else { return Ok(Vec::new()) };
    let cluster = destination(application, cluster, request);
    Ok(rules.check_application(application, &request.argocd_namespace, &cluster))
}

/// The rules of an application's project; nothing where no AppProject was given and its project is `default`.
pub(crate) fn rules(
    application: &Application,
    request: &Request,
) -> Result<Option<Box<ProjectRules>>, (ConditionKind, Finding)> {
    let name = &application.project;
    match request.project(name) {
        ProjectLookup::Found(rules) => Ok(Some(rules)),
        ProjectLookup::Unchecked if name == DEFAULT_PROJECT => Ok(None),
        ProjectLookup::Unchecked => Err((ConditionKind::ProjectWarning, unchecked(name))),
        ProjectLookup::Missing { known } => {
            let finding = Finding::error(Code::ProjectMissing, format!("project `{name}` not found"))
                .with_help(format!("add its AppProject to PATH; the AppProjects there are: {}", known.join(", ")));
            Err((ConditionKind::InvalidSpecError, finding))
        }
        ProjectLookup::Invalid(place) => {
            let finding = Finding::error(Code::ProjectUnusable, format!("project `{name}` cannot be used"))
                .with_help(format!("correct the AppProject at {place}"));
            Err((ConditionKind::InvalidSpecError, finding))
        }
        ProjectLookup::Several(places) => {
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            let message = format!("project `{name}` is defined {} times", places.len());
            let finding = Finding::error(Code::ProjectUnusable, message)
                .with_help(format!("keep one of {}", places.join(" and ")));
            Err((ConditionKind::InvalidSpecError, finding))
        }
    }
}

/// A warning about a project whose rules nobody holds the application against: Argo CD may forbid what is planned here.
fn unchecked(name: &str) -> Finding {
    let message = format!("project `{name}` is not checked: the application can do what the project forbids");
    Finding::warning(Code::AppProjectUnchecked, message).with_help("add the AppProjects to PATH to check them")
}

/// What a sync would refuse.
fn warning(violation: &Violation) -> Finding {
    Finding::warning(Code::ProjectViolation, format!("a sync is refused: {violation}"))
        .with_help(format!("the rule is at {}", violation.place))
}

/// What a sync refuses.
pub(crate) fn refusals(violations: &[Violation]) -> Vec<Finding> {
    let refusal = |violation: &Violation| {
        Finding::error(Code::ProjectViolation, format!("not synced: {violation}; nothing was written"))
            .with_help(format!("the rule is at {}", violation.place))
    };
    violations.iter().map(refusal).collect()
}

/// The cluster as Argo CD knows it: by server and name, as far as they are known.
pub(crate) fn destination(
    application: &Application,
    cluster: Option<&dyn Cluster>,
    request: &Request,
) -> DestinationCluster {
    let (mut server, mut name) = (application.destination.server.clone(), application.destination.name.clone());
    let known = |it: &&ClusterSecret| it.server == server || !name.is_empty() && it.name == name;
    if name == IN_CLUSTER.0 || server == IN_CLUSTER.1 {
        (name, server) = (IN_CLUSTER.0.to_owned(), IN_CLUSTER.1.to_owned());
    } else if let Some(known) = request.facts.clusters.iter().flatten().find(known) {
        (server, name) = (known.server.clone(), known.name.clone());
    } else if server.is_empty() {
        let found = cluster.map_or("", Cluster::name);
        if found.contains("://") {
            found.clone_into(&mut server);
        }
    }
    DestinationCluster { server, name }
}

fn resource<'object>(object: &'object Object, kinds: &Kinds) -> CheckedResource<'object> {
    let group = object.api_version().split_once('/').map_or("", |(group, _)| group);
    let kind = GroupKind { group: group.to_owned(), kind: object.kind().to_owned() };
    let name = if object.name().is_empty() { object.generate_name() } else { object.name() };
    let is_namespaced = match kinds.scope(&kind) {
        Some(scope) => scope == Scope::Namespaced,
        None => !object.namespace().is_empty(),
    };
    CheckedResource { group, kind: object.kind(), namespace: object.namespace(), name, is_namespaced }
}

/// The extras without what the project does not let its applications have: Argo CD neither reports nor prunes it.
pub(crate) fn permitted(mut extras: Extras, observed: &Observed, request: &Request) -> Extras {
    let Ok(Some(rules)) = rules(&observed.application, request) else { return extras };
    let cluster = destination(&observed.application, Some(observed.cluster()), request);
    let kinds = observed.kinds();
    let (kept, foreign): (Vec<_>, Vec<_>) =
        extras.surplus.into_iter().partition(|live| rules.permits_live(&resource(live, kinds), &cluster));
    extras.surplus = kept;
    if foreign.is_empty() {
        return extras;
    }
    // They stay members, to be found again.
    extras.unseen.extend(foreign.iter().map(|live| live.key().group_kind()));
    extras.resources.retain(|resource| !foreign.iter().any(|live| live.key() == resource.key()));
    let named: Vec<String> = foreign.iter().take(3).map(|live| format!("`{}`", live.key())).collect();
    let more = foreign.len().saturating_sub(named.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let message =
        format!("left alone, because project `{}` does not permit it: {}{more}", rules.name(), named.join(", "));
    let finding = Finding::warning(Code::ProjectForeign, message)
        .with_help("it is no longer in git; delete it yourself, or let the project permit its kind and namespace");
    extras.conditions.push((ConditionKind::ProjectWarning, finding));
    extras
}
