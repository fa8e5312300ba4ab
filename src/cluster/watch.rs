//! What is live in some places of a cluster, kept up to date by watches.
//!
//! In: the streams of [`Cluster::watch`](super::Cluster::watch), each with the place that it is of. Out: what is there, and
//! which objects have changed. Whoever waits looks at what is there, waits for a change of what it is about, and looks
//! again: nothing is asked of the cluster in between.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use futures::future::{FutureExt, pending};
use futures::stream::{BoxStream, SelectAll, StreamExt};

use super::ClusterError;
use crate::object::{Key, Object};

/// At most so many changes are taken at once: a place that never rests must not hold up whoever looks.
const BURST: usize = 10_000;

/// An item of a watch.
#[derive(Debug, Clone, PartialEq)]
pub enum Watched {
    /// Everything that is there: at first, and whenever it is not known what has become of what was there.
    Listed(Vec<Object>),
    /// An object is new or changed.
    Changed(Box<Object>),
    /// An object is gone; as it was at last.
    Deleted(Box<Object>),
}

/// Live objects by key, or why they cannot be seen.
pub type Listed = Result<HashMap<Key, Arc<Object>>, ClusterError>;

/// The changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The objects that are new, changed or gone.
    pub objects: BTreeSet<Key>,
    /// Whether a place cannot be seen any more, or again.
    pub of_sight: bool,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.objects.is_empty() && !self.of_sight
    }
}

/// Some places, each with what is in it. `Place` is whatever identifies them to the caller.
pub struct Watching<'cluster, Place> {
    streams: SelectAll<BoxStream<'cluster, (Place, Result<Watched, ClusterError>)>>,
    unseen: HashSet<Place>,
    places: HashMap<Place, Listed>,
}

impl<Place> Default for Watching<'_, Place> {
    fn default() -> Self {
        Self { streams: SelectAll::new(), unseen: HashSet::new(), places: HashMap::new() }
    }
}

impl<'cluster, Place: Clone + Eq + Hash + Send + 'cluster> Watching<'cluster, Place> {
    /// Watches one more place.
    pub fn add(&mut self, place: Place, watch: BoxStream<'cluster, Result<Watched, ClusterError>>) {
        self.unseen.insert(place.clone());
        self.streams.push(watch.map(move |event| (place.clone(), event)).boxed());
    }

    /// Returns when every place was seen once, or could not be.
    pub async fn settle(&mut self) {
        while !self.unseen.is_empty() {
            self.changed().await;
        }
    }

    /// Returns when something has changed, with everything that has until now. Nothing is lost when it is dropped before.
    pub async fn changed(&mut self) -> Changes {
        let mut changes = Changes::default();
        while changes.is_empty() {
            match self.streams.next().await {
                Some((place, event)) => self.apply(place, event, &mut changes),
                // Nothing is watched, so nothing ever changes.
                None => pending().await,
            }
        }
        for _ in 0..BURST {
            let Some(Some((place, event))) = self.streams.next().now_or_never() else { break };
            self.apply(place, event, &mut changes);
        }
        changes
    }

    /// The content of each place, or why it could not be seen.
    pub fn places(&self) -> impl Iterator<Item = (&Place, &Listed)> {
        self.places.iter()
    }

    /// The content of one place; `None` before it was seen.
    pub fn place(&self, place: &Place) -> Option<&Listed> {
        self.places.get(place)
    }

    fn apply(&mut self, place: Place, event: Result<Watched, ClusterError>, changes: &mut Changes) {
        let is_first = self.unseen.remove(&place);
        let known = self.places.entry(place).or_insert_with(|| Ok(HashMap::new()));
        changes.of_sight |= is_first || known.is_err() || event.is_err();
        match (event, known) {
            (Err(error), known) => *known = Err(error),
            (Ok(Watched::Listed(objects)), known) => {
                let before = std::mem::replace(known, Ok(by_key(objects))).unwrap_or_default();
                let now = known.as_ref().into_iter().flatten();
                let other = now.filter(|(key, object)| before.get(*key) != Some(object)).map(|(key, _)| key);
                changes.objects.extend(other.cloned());
                let gone = before.into_keys().filter(|key| known.as_ref().is_ok_and(|known| !known.contains_key(key)));
                changes.objects.extend(gone);
            }
            // After an error everything is listed again, so there is something to change.
            (Ok(_), Err(_)) => {}
            (Ok(Watched::Changed(object)), Ok(known)) => {
                changes.objects.insert(object.key());
                known.insert(object.key(), Arc::from(object));
            }
            (Ok(Watched::Deleted(object)), Ok(known)) => {
                known.remove(&object.key());
                changes.objects.insert(object.key());
            }
        }
    }
}

fn by_key(objects: Vec<Object>) -> HashMap<Key, Arc<Object>> {
    objects.into_iter().map(|object| (object.key(), Arc::new(object))).collect()
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;
    use serde_json::json;

    use super::*;

    fn object(name: &str, version: &str) -> Object {
        let metadata = json!({"name": name, "resourceVersion": version});
        Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})).unwrap()
    }

    fn error() -> ClusterError {
        ClusterError::Unauthorized { cluster: "c".into(), server: "s".to_owned() }
    }

    fn names(changes: &Changes) -> Vec<&str> {
        changes.objects.iter().map(|key| key.name.as_str()).collect()
    }

    /// Each change is reported with its object, a burst of them once; what is listed again unchanged is no change.
    #[tokio::test]
    async fn a_change_is_reported_once() {
        let (sender, event) = mpsc::unbounded();
        let mut watching = Watching::default();
        watching.add("here", event.boxed());
        let say = |watched| sender.unbounded_send(watched).unwrap();

        assert_eq!(watching.place(&"here"), None);
        say(Ok(Watched::Listed(vec![object("a", "1"), object("b", "1")])));
        watching.settle().await;
        assert_eq!(watching.place(&"here").unwrap().as_ref().unwrap().len(), 2);

        say(Ok(Watched::Changed(Box::new(object("a", "2")))));
        say(Ok(Watched::Deleted(Box::new(object("b", "2")))));
        let changes = watching.changed().await;
        assert_eq!((names(&changes), changes.of_sight), (vec!["a", "b"], false));

        say(Ok(Watched::Listed(vec![object("a", "2")])));
        assert_eq!(watching.changed().now_or_never(), None);
        say(Ok(Watched::Listed(vec![object("c", "3")])));
        assert_eq!(names(&watching.changed().await), ["a", "c"]);
        assert!(watching.place(&"here").unwrap().as_ref().unwrap().contains_key(&object("c", "3").key()));
    }

    /// A place that cannot be seen is not an empty place, and is reported again when it can.
    #[tokio::test]
    async fn a_hidden_place_is_reported_as_such() {
        let (sender, event) = mpsc::unbounded();
        let mut watching = Watching::default();
        watching.add("here", event.boxed());
        sender.unbounded_send(Err(error())).unwrap();
        watching.settle().await;
        assert_eq!(watching.place(&"here"), Some(&Err(error())));

        sender.unbounded_send(Ok(Watched::Listed(Vec::new()))).unwrap();
        let changes = watching.changed().await;
        assert!(changes.of_sight && changes.objects.is_empty(), "{changes:?}");
        assert_eq!(watching.place(&"here"), Some(&Ok(HashMap::new())));
    }

    /// Who watches nothing gets no events, and does not turn round and round.
    #[tokio::test]
    async fn nothing_never_changes() {
        let mut watching: Watching<'_, &str> = Watching::default();
        watching.settle().await;
        assert_eq!(watching.changed().now_or_never(), None);
    }
}
