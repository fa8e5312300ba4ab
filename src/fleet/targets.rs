//! From the manifests to the targets: load, fetch, connect, render; and the same for what the rendered applications contain.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::application::{Built, Fetched, Loaded, Purpose, Rendered};
use super::batch::{Batch, Standing};
use super::live::silence_of;
use super::stages::descend::{self, ARGO_GROUP, Child, Descent, Parent, is_argo_object};
use super::stages::{connect, fetch, load, neighbours, permit, project, registered, render};
use super::{Request, World};
use crate::app::{Application, Applications, QualifiedName};
use crate::object::Object;

/// Every application that is well-formed, with its target and its cluster; and every one that these contain.
pub(crate) async fn targets(
    applications: Batch<Application>,
    request: &mut Request,
    purpose: &Purpose,
    world: &World,
) -> Batch<Rendered> {
    let render = async |next, request: &mut Request| level(next, request, purpose, world).await;
    let rendered = tree(applications, request, world, render).await;
    let rendered = if request.with_children { rendered.map(without_unserved) } else { rendered };
    let rendered = rendered.through(async |rendered| neighbours::introduce(rendered, request)).await;
    project::check(rendered, request)
}

/// The applications alone, without those that they contain.
pub(crate) async fn level(
    applications: Batch<Application>,
    request: &mut Request,
    purpose: &Purpose,
    world: &World,
) -> Batch<Rendered> {
    let applications = registered::without_skipped(applications, request, &world.clusters);
    let loaded = permit::readable(load::load(applications, request, purpose), request);
    let fetched = loaded.through(async |loaded| fetch::fetch(loaded, world, request.concurrency).await).await;
    let connected = fetched.through(async |fetched| connect::connect(fetched, world, request.concurrency).await).await;
    render::render(connected, request, world).await
}

/// An application with its objects.
pub(crate) trait WithObjects {
    fn built(&self) -> &Built;
    fn loaded_mut(&mut self) -> &mut Loaded;
}

impl WithObjects for Built {
    fn built(&self) -> &Built {
        self
    }

    fn loaded_mut(&mut self) -> &mut Loaded {
        &mut self.fetched.loaded
    }
}

impl WithObjects for Rendered {
    fn built(&self) -> &Built {
        &self.built
    }

    fn loaded_mut(&mut self) -> &mut Loaded {
        &mut self.built.fetched.loaded
    }
}

/// Renders level by level, as far as children are wanted; they stand behind their parents.
pub(crate) async fn tree<T: WithObjects>(
    applications: Batch<Application>,
    request: &mut Request,
    world: &World,
    render: impl AsyncFn(Batch<Application>, &mut Request) -> Batch<T>,
) -> Batch<T> {
    if !request.with_children {
        return render(applications, request).await;
    }
    let elsewhere = request.elsewhere.iter().map(|one| one.as_ref().map_err(|invalid| &**invalid));
    let seen = applications.standings().map(|standing| known(&standing)).chain(elsewhere);
    let mut descent = Descent::of(seen, &request.argocd_namespace);
    let mut all = Batch::of([]);
    let mut next = applications;
    while next.len() > 0 {
        let rendered = render(next, request).await;
        next = Batch::of(children(&rendered, &mut descent, request, world).await);
        all.append(rendered);
    }
    let place = |loaded: &mut Loaded| descent.place(loaded, &request.argocd_namespace);
    let all = all.map(|mut rendered| {
        place(rendered.loaded_mut());
        rendered
    });
    let all = all.map_left(|mut left| {
        place(&mut left.fetched.loaded);
        left
    });
    let order = order(&all, &descent, &request.argocd_namespace);
    all.in_order(order)
}

fn known<'run>(standing: &Standing<'run, Application>) -> descend::Seen<'run> {
    match *standing {
        Standing::Going(application) => Ok(application),
        Standing::Left(left) => Ok(&left.application),
        Standing::Invalid(invalid) => Err(invalid),
    }
}

/// The applications of the next level that belong to the run.
async fn children<T: WithObjects>(
    rendered: &Batch<T>,
    descent: &mut Descent,
    request: &mut Request,
    world: &World,
) -> Applications {
    // A cluster that does not answer hides no application of other clusters.
    let unconnected = rendered.left().filter(|left| !left.is_connected && left.checkouts().is_some());
    let unconnected: Vec<Fetched> = unconnected.map(|left| left.fetched.clone()).collect();
    let built = descend::build(unconnected, request, world).await;
    let going = rendered.iter().map(WithObjects::built);
    let parents: Vec<Parent<'_>> = going.chain(built.iter()).map(Parent::of).collect();
    let found = descent.below(&parents, request, world).await;
    let selection = request.selection.clone();
    let is_wanted = |child: &Child| selection.matches_below(&child.application);
    let (mut wanted, unwanted): (Vec<Child>, Vec<Child>) = found.into_iter().partition(is_wanted);
    let level = unwanted.into_iter().filter_map(|child| child.application.ok()).collect();
    let below = descend::search(level, descent, request, world, |_, child| is_wanted(child)).await;
    request.findings.extend(below.warnings());
    wanted.extend(below.children.into_iter().filter(is_wanted));
    wanted.into_iter().map(|child| child.application).collect()
}

/// A target without the objects of Argo CD that the cluster does not serve: they are expanded instead.
pub(crate) fn without_unserved(mut rendered: Rendered) -> Rendered {
    let kinds = rendered.kinds().with_definitions(rendered.target.iter());
    let is_unserved = |object: &Object| is_argo_object(object) && kinds.preferred(&object.gvk().group_kind()).is_none();
    // An API that does not answer may serve them.
    if silence_of(&kinds, ARGO_GROUP).is_none() && rendered.target.iter().any(is_unserved) {
        let target = rendered.target.iter().filter(|object| !is_unserved(object)).cloned().collect();
        rendered.built.target = Arc::new(target);
    }
    rendered
}

/// The places of all applications: each in front of its children, which are in the order in which they were found.
fn order<T: WithObjects>(all: &Batch<T>, descent: &Descent, default_namespace: &str) -> Vec<usize> {
    let name = |standing: Standing<'_, T>| match standing {
        Standing::Going(rendered) => Some(rendered.built().application.qualified_name(default_namespace)),
        Standing::Left(left) => Some(left.application.qualified_name(default_namespace)),
        Standing::Invalid(invalid) => invalid.qualified_name(default_namespace),
    };
    let names: Vec<Option<QualifiedName>> = all.standings().map(name).collect();
    let places: BTreeMap<&QualifiedName, usize> =
        names.iter().enumerate().filter_map(|(place, name)| Some((name.as_ref()?, place))).collect();
    let mut below: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut open = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let parent = name.as_ref().and_then(|name| descent.parent_of(name)).and_then(|parent| places.get(parent));
        match parent {
            Some(parent) if *parent != place => below.entry(*parent).or_default().push(place),
            _ => open.push(place),
        }
    }
    open.reverse();
    let mut order = Vec::new();
    while let Some(place) = open.pop() {
        order.push(place);
        open.extend(below.remove(&place).into_iter().flatten().rev());
    }
    order
}
