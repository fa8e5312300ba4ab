//! The order in which the applications of a run are synced.
//!
//! In: each application with its parent and wave, what it depends on, and its step in the rollout of its ApplicationSet. Out:
//! an [`Order`], from which a [`Rollout`] says what starts next and what never does. Pure.
//!
//! Rules: Argo CD docs/operator-manual/declarative-setup, "App of Apps": children in sync waves of their parent, each wave after
//! the ones before are healthy (which Argo CD itself stopped doing); applicationset/controllers `buildAppDependencyList` for
//! `rollingSync`. Steps and waves wait for everything below their applications.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::QualifiedName;
use crate::app::appset::{MaxUpdate, RolloutStep};

/// An application, as far as its order is concerned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject {
    pub(crate) name: QualifiedName,
    /// The Application that contains it, and its wave there.
    pub(crate) parent: Option<QualifiedName>,
    pub(crate) wave: i64,
    /// Names, or `namespace/name`, of the applications that have to work first.
    pub(crate) depends_on: Vec<String>,
    /// The ApplicationSet that rolls it out, and the step there.
    pub(crate) rollout: Option<(QualifiedName, RolloutStep)>,
}

/// What has to work before each application is started.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// The applications, and behind them the points where several have to be done.
    nodes: Vec<Node>,
    applications: usize,
    /// Nodes that applications wait for.
    awaited: BTreeSet<usize>,
    /// Applications that wait for each other, in a circle.
    pub(crate) cycles: Vec<Vec<usize>>,
    /// What an application depends on and is not in the run.
    pub(crate) unknown: Vec<(usize, String)>,
    /// Applications that a rollout never starts.
    pub(crate) never: BTreeSet<usize>,
}

#[derive(Debug, Default, Clone)]
struct Node {
    /// What has to have succeeded.
    before: Vec<usize>,
    /// What has to have been tried.
    tried: Option<usize>,
}

impl Order {
    pub(crate) fn of(subjects: &[Subject]) -> Self {
        let mut building = Building::of(subjects);
        building.waves();
        building.rollouts();
        building.dependencies();
        let mut order = building.order;
        order.cut_cycles();
        order.find_awaited();
        order
    }

    /// Whether every application can start at once.
    pub(crate) fn is_free(&self) -> bool {
        let is_first = |node: &Node| node.before.is_empty() && node.tried.is_none();
        self.never.is_empty() && self.nodes[..self.applications].iter().all(is_first)
    }

    /// Whether another application waits for this one.
    pub(crate) fn is_awaited(&self, application: usize) -> bool {
        self.awaited.contains(&application)
    }

    fn find_awaited(&mut self) {
        let mut open: Vec<usize> =
            self.nodes[..self.applications].iter().flat_map(|node| node.before.iter().copied()).collect();
        while let Some(node) = open.pop() {
            if self.awaited.insert(node) {
                open.extend(&self.nodes[node].before);
            }
        }
    }

    fn barrier(&mut self, before: Vec<usize>) -> usize {
        self.nodes.push(Node { before, tried: None });
        self.nodes.len() - 1
    }

    /// Finds what waits for itself, and takes it out of the order.
    fn cut_cycles(&mut self) {
        while let Some(cycle) = self.cycle() {
            let applications: Vec<usize> = cycle.into_iter().filter(|node| *node < self.applications).collect();
            for application in &applications {
                self.nodes[*application] = Node::default();
            }
            if applications.is_empty() {
                return;
            }
            self.cycles.push(applications);
        }
    }

    /// A circle of nodes, each of which waits for the next.
    fn cycle(&self) -> Option<Vec<usize>> {
        let mut open: BTreeSet<usize> = (0..self.nodes.len()).collect();
        let mut waiting: Vec<usize> = self.nodes.iter().map(|node| node.before.len()).collect();
        let mut after: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            node.before.iter().for_each(|before| after[*before].push(index));
        }
        let mut free: Vec<usize> = open.iter().copied().filter(|node| waiting[*node] == 0).collect();
        while let Some(node) = free.pop() {
            open.remove(&node);
            for later in &after[node] {
                waiting[*later] -= 1;
                if waiting[*later] == 0 {
                    free.push(*later);
                }
            }
        }
        let mut path = vec![*open.first()?];
        loop {
            let next = self.nodes[*path.last()?].before.iter().copied().find(|before| open.contains(before))?;
            if let Some(start) = path.iter().position(|node| *node == next) {
                return Some(path.split_off(start));
            }
            path.push(next);
        }
    }
}

/// An order that is being made.
struct Building<'run> {
    subjects: &'run [Subject],
    places: BTreeMap<&'run QualifiedName, usize>,
    /// The children of each application, by wave.
    children: BTreeMap<usize, BTreeMap<i64, Vec<usize>>>,
    /// For each application the node that stands for it and all below it.
    trees: Vec<usize>,
    order: Order,
}

impl<'run> Building<'run> {
    fn of(subjects: &'run [Subject]) -> Self {
        let order =
            Order { nodes: vec![Node::default(); subjects.len()], applications: subjects.len(), ..Order::default() };
        let places: BTreeMap<_, _> = subjects.iter().enumerate().map(|(place, one)| (&one.name, place)).collect();
        let mut children: BTreeMap<usize, BTreeMap<i64, Vec<usize>>> = BTreeMap::new();
        for (place, subject) in subjects.iter().enumerate() {
            if let Some(parent) = subject.parent.as_ref().and_then(|parent| places.get(parent)) {
                children.entry(*parent).or_default().entry(subject.wave).or_default().push(place);
            }
        }
        Self { subjects, places, children, trees: (0..subjects.len()).collect(), order }
    }

    /// Each wave of children waits for the one before, and each child for its parent's turn.
    fn waves(&mut self) {
        // The node of a tree is there before what stands below it is known.
        for parent in self.children.keys() {
            self.trees[*parent] = self.order.barrier(vec![*parent]);
        }
        for (parent, waves) in &self.children {
            let mut before = None;
            for wave in waves.values() {
                for child in wave {
                    self.order.nodes[*child].before.extend(before);
                    self.order.nodes[*child].tried = Some(*parent);
                }
                let trees = wave.iter().map(|child| self.trees[*child]).chain(before).collect();
                before = Some(self.order.barrier(trees));
            }
            self.order.nodes[self.trees[*parent]].before.extend(before);
        }
    }

    /// Each step of a rollout waits for the one before; of one step only so many start together.
    fn rollouts(&mut self) {
        let mut sets: BTreeMap<&QualifiedName, BTreeMap<usize, (MaxUpdate, Vec<usize>)>> = BTreeMap::new();
        for (place, subject) in self.subjects.iter().enumerate() {
            if let Some((set, step)) = &subject.rollout {
                let steps = sets.entry(set).or_default();
                steps.entry(step.index).or_insert((step.max_update, Vec::new())).1.push(place);
            }
        }
        for steps in sets.into_values() {
            let mut before = None;
            for (max_update, members) in steps.into_values() {
                let together = max_update.of(members.len());
                if together == 0 {
                    self.order.never.extend(&members);
                }
                for batch in members.chunks(together.max(1)) {
                    for member in batch {
                        self.order.nodes[*member].before.extend(before);
                    }
                    let trees = batch.iter().map(|member| self.trees[*member]).chain(before).collect();
                    before = Some(self.order.barrier(trees));
                }
            }
        }
    }

    fn dependencies(&mut self) {
        for (place, subject) in self.subjects.iter().enumerate() {
            for wanted in &subject.depends_on {
                let found: Vec<usize> = self.named(wanted).collect();
                if found.is_empty() {
                    self.order.unknown.push((place, wanted.clone()));
                }
                let above = self.above(place);
                // Of what contains it, an application cannot wait for all.
                let node = |found: usize| if above.contains(&found) { found } else { self.trees[found] };
                let nodes: Vec<usize> = found.into_iter().map(node).collect();
                self.order.nodes[place].before.extend(nodes);
            }
        }
    }

    fn named<'own>(&'own self, wanted: &'own str) -> impl Iterator<Item = usize> + 'own {
        let (namespace, name) =
            wanted.split_once('/').map_or((None, wanted), |(namespace, name)| (Some(namespace), name));
        let is_meant =
            move |one: &Subject| one.name.name == name && namespace.is_none_or(|it| it == one.name.namespace);
        self.subjects.iter().enumerate().filter(move |(_, one)| is_meant(one)).map(|(place, _)| place)
    }

    /// The applications that contain one, itself included.
    fn above(&self, place: usize) -> Vec<usize> {
        let parent = |place: &usize| self.subjects[*place].parent.as_ref().and_then(|it| self.places.get(it)).copied();
        std::iter::successors(Some(place), parent).collect()
    }
}

/// How far one node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NodeState {
    Open,
    Started,
    Done,
    /// It did not succeed, because of this application.
    Failed(usize),
}

/// What starts together, and what never will.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// These are started now.
    pub(crate) ready: Vec<usize>,
    /// These are left, because another one did not come to work.
    pub(crate) blocked: Vec<(usize, usize)>,
}

/// An order while it is followed.
#[derive(Debug)]
pub(crate) struct Rollout<'order> {
    order: &'order Order,
    states: Vec<NodeState>,
}

impl<'order> Rollout<'order> {
    pub(crate) fn of(order: &'order Order) -> Self {
        let mut states = vec![NodeState::Open; order.nodes.len()];
        for application in order.cycles.iter().flatten() {
            states[*application] = NodeState::Failed(*application);
        }
        Self { order, states }
    }

    /// What came of an application that was started.
    pub(crate) fn settle(&mut self, application: usize, is_working: bool) {
        self.states[application] = if is_working { NodeState::Done } else { NodeState::Failed(application) };
    }

    /// What can start now. Nothing is ready once all is settled.
    pub(crate) fn turn(&mut self) -> Turn {
        let mut turn = Turn::default();
        let mut has_changed = true;
        while has_changed {
            has_changed = false;
            for index in 0..self.states.len() {
                let next = self.next(index);
                if next == self.states[index] {
                    continue;
                }
                has_changed = true;
                self.states[index] = next;
                match next {
                    NodeState::Started => turn.ready.push(index),
                    NodeState::Failed(cause) if index < self.order.applications => turn.blocked.push((index, cause)),
                    NodeState::Failed(_) | NodeState::Done | NodeState::Open => {}
                }
            }
        }
        turn
    }

    fn next(&self, index: usize) -> NodeState {
        let node = &self.order.nodes[index];
        if self.states[index] != NodeState::Open {
            return self.states[index];
        }
        let failed = node.before.iter().find_map(|before| match self.states[*before] {
            NodeState::Failed(cause) => Some(cause),
            _ => None,
        });
        let is_settled = |node: usize| matches!(self.states[node], NodeState::Done | NodeState::Failed(_));
        match failed {
            Some(cause) => NodeState::Failed(cause),
            None if !node.before.iter().all(|before| self.states[*before] == NodeState::Done) => NodeState::Open,
            None if !node.tried.is_none_or(is_settled) => NodeState::Open,
            None if index < self.order.applications => NodeState::Started,
            None => NodeState::Done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> QualifiedName {
        QualifiedName { namespace: "argocd".to_owned(), name: name.to_owned() }
    }

    fn one(text: &str) -> Subject {
        Subject { name: name(text), ..Subject::default() }
    }

    fn child(text: &str, parent: &str, wave: i64) -> Subject {
        Subject { parent: Some(name(parent)), wave, ..one(text) }
    }

    fn after(text: &str, others: &[&str]) -> Subject {
        Subject { depends_on: others.iter().map(|&other| other.to_owned()).collect(), ..one(text) }
    }

    fn step(text: &str, index: usize, max_update: MaxUpdate) -> Subject {
        Subject { rollout: Some((name("set"), RolloutStep { index, max_update })), ..one(text) }
    }

    /// The turns in words: `a b | c | !d (b)`, where `broken` are those that do not come to work.
    fn turns(subjects: &[Subject], broken: &[&str]) -> String {
        let order = Order::of(subjects);
        let mut rollout = Rollout::of(&order);
        let name = |place: &usize| subjects[*place].name.name.clone();
        let mut turns = Vec::new();
        loop {
            let Turn { ready, blocked } = rollout.turn();
            let mut words: Vec<String> = ready.iter().map(name).collect();
            words.extend(blocked.iter().map(|(place, cause)| format!("!{} ({})", name(place), name(cause))));
            if words.is_empty() {
                return turns.join(" | ");
            }
            turns.push(words.join(" "));
            for place in ready {
                rollout.settle(place, !broken.contains(&name(&place).as_str()));
            }
        }
    }

    #[test]
    fn applications_start_when_what_they_wait_for_works() {
        let tree = [
            child("db", "root", 0),
            child("web", "root", 1),
            one("root"),
            child("api", "root", 1),
            child("job", "db", 5),
        ];
        let all = MaxUpdate::All;
        let cases: &[(&str, &[Subject], &[&str], &str)] = &[
            ("nothing in common", &[one("a"), one("b")], &[], "a b"),
            ("waves wait for all below the ones before", &tree, &[], "root | db | job | web api"),
            ("a wave that fails leaves the later ones", &tree, &["job"], "root | db | job | !web (job) !api (job)"),
            ("a parent that fails hides no child", &tree, &["root"], "root | db | job | web api"),
            ("dependencies", &[after("a", &["b", "argocd/c"]), one("b"), one("c")], &[], "b c | a"),
            ("a dependency that fails", &[after("a", &["b"]), one("b"), one("c")], &["b"], "b c | !a (b)"),
            (
                "a dependency on a parent",
                &[one("root"), Subject { depends_on: vec!["root".into()], ..child("a", "root", 0) }],
                &[],
                "root | a",
            ),
            ("steps", &[step("p1", 1, all), step("d", 0, all), step("p2", 1, all)], &[], "d | p1 p2"),
            ("one at a time", &[step("a", 0, MaxUpdate::Count(1)), step("b", 0, MaxUpdate::Count(1))], &[], "a | b"),
            (
                "a part of them",
                &["a", "b", "c", "d", "e"].map(|name| step(name, 0, MaxUpdate::Percent(50))),
                &["b"],
                "a b | !c (b) !d (b) !e (b)",
            ),
        ];
        for (what, subjects, broken, expected) in cases {
            assert_eq!(turns(subjects, broken), *expected, "{what}");
        }
    }

    #[test]
    fn what_waits_for_itself_is_found_and_the_rest_goes_on() {
        let subjects = [after("a", &["b"]), after("b", &["c"]), after("c", &["a"]), one("d"), after("e", &["c"])];
        let order = Order::of(&subjects);
        assert_eq!(order.cycles, [vec![0, 1, 2]]);
        assert_eq!(turns(&subjects, &[]), "d !e (c)");

        // An earlier wave that depends on a later one.
        let subjects = [
            one("root"),
            Subject { depends_on: vec!["web".into()], ..child("db", "root", 0) },
            child("web", "root", 1),
        ];
        assert_eq!(Order::of(&subjects).cycles.len(), 1);
    }

    #[test]
    fn what_is_not_in_the_run_and_what_never_starts_is_named() {
        let subjects = [after("a", &["elsewhere"]), step("b", 0, MaxUpdate::Count(0))];
        let order = Order::of(&subjects);
        assert_eq!(order.unknown, [(0, "elsewhere".to_owned())]);
        assert_eq!(order.never, BTreeSet::from([1]));
        assert!(!order.is_free() && Order::of(&[one("a"), one("b")]).is_free());
    }
}
