//! The proof that a live object may be deleted: made from the object as it is now, and from nothing else.
//!
//! In: a live object, and what is claimed of it ([`Claim`]). Out: a [`Proof`], which holds the version that it was made
//! from, or why the object stays ([`Stays`]). Pure. A claim that the object itself does not bear out is worth nothing:
//! not its name, not that a plan says so.
//!
//! Rules: KEP-3659; Argo CD's sync options `Prune` and `Delete`; Helm's `helm.sh/resource-policy`.

use std::fmt;

use serde_json::Value;

use crate::app::options::{ResourceOptions, SyncOption};
use crate::cluster::{Deletion, Propagation};
use crate::object::Object;
use crate::object::annotations::{
    APPLYSET_PART_OF, FIELD_MANAGER, HELM_RESOURCE_POLICY, HOOK_OF, REGISTERED_BY, SYNC_OPTIONS, is_hook,
};
use crate::status::tracking::is_labelled_by_trueup;
use crate::sync::plan::Seen;
use crate::sync::state::{Place, is_parent_of, is_part_of};

/// By which rules the objects of one application are deleted and taken over.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// How the application marks what is its own.
    pub tracking: &'a crate::status::tracking::Tracking,
    /// The application's own sync options.
    pub options: &'a [SyncOption],
    /// `--adopt`: what somebody else applied is taken over.
    pub adopt: bool,
    /// `--allow-shared`: objects of another application are written to all the same.
    pub allow_shared: bool,
    /// `--approve`: what asks for confirmation is confirmed.
    pub approve: bool,
    /// The reason to delete the application's surplus.
    pub purpose: Purpose,
}

/// The reason to delete an application's surplus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Git no longer has it.
    Prune,
    /// The application is deleted.
    Deletion,
}

/// The proof that an object is ours to delete.
#[derive(Debug, Clone, Copy)]
pub(in crate::sync) enum Claim<'a> {
    /// The application's own, which git no longer has, or which goes with the application; the very one that was seen.
    Surplus(&'a Rules<'a>, &'a Seen),
    /// The application's own member, in the way of a new one.
    Member(&'a Rules<'a>, Option<&'a str>),
    /// A hook that trueup created for the application; if its uid is known, the very one.
    Hook(&'a Rules<'a>, Option<&'a str>),
    /// The parent of an application's ApplySet, which holds its record.
    Parent(&'a Place),
    /// A part of a record.
    Part(&'a Place),
    /// The Lease that this holder has.
    Lock(&'a str, &'a str),
    /// What `trueup cluster add` created for the Argo CD of this uid; the very one that was listed.
    Registered { by: &'a str, uid: &'a str },
}

/// Why a live object is not provably ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum NotOurs {
    /// It does not carry our part-of label.
    NoLabel,
    /// It does, and trueup did not put it there: copied by hand or by a controller.
    LabelOfOthers,
    /// Another object owns it; operators copy labels to their children.
    Owned,
    /// trueup did not create it as a hook of this application.
    NoHook,
    /// It is not the record or the lock of this application.
    NoState,
    /// `trueup cluster add` did not create it.
    NotRegistered,
}

impl NotOurs {
    /// In words.
    pub(in crate::sync) fn as_str(self) -> &'static str {
        match self {
            Self::NoLabel => "trueup never applied it",
            Self::LabelOfOthers => "its part-of label was not set by trueup",
            Self::Owned => "another object owns it",
            Self::NoHook => "trueup did not create it as a hook of this application",
            Self::NoState => "it is not the record or the lock of this application",
            Self::NotRegistered => "`trueup cluster add` did not create it",
        }
    }
}

/// Why an object is not deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sync) enum Stays {
    /// It is not provably ours.
    NotOurs(NotOurs),
    /// It is ours, and says that it stays.
    Kept(String),
    /// It is another object of the same name: the one that is meant is gone.
    Another,
}

impl fmt::Display for Stays {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs(why) => {
                write!(formatter, "{}: trueup deletes only what is provably its own", why.as_str())
            }
            Self::Kept(why) => formatter.write_str(why),
            Self::Another => formatter.write_str("it is a different object with the same name"),
        }
    }
}

/// That a live object may be deleted, as it was when this was made: it cannot be made without the object.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sync) struct Proof {
    uid: String,
    resource_version: String,
}

impl Proof {
    /// Proves a claim by the live object.
    pub(in crate::sync) fn of(live: &Object, claim: &Claim<'_>) -> Result<Self, Stays> {
        let uid = match claim {
            Claim::Surplus(_, seen) => Some(seen.uid.as_str()),
            Claim::Member(_, uid) | Claim::Hook(_, uid) => *uid,
            Claim::Lock(_, uid) | Claim::Registered { uid, .. } => Some(*uid),
            Claim::Parent(_) | Claim::Part(_) => None,
        };
        if uid.is_some_and(|uid| uid != live.uid()) {
            return Err(Stays::Another);
        }
        let ours = match claim {
            Claim::Surplus(rules, _) if is_hook(live) => prove_hook(live, &rules.tracking.applyset_id),
            Claim::Surplus(rules, _) | Claim::Member(rules, _) => prove_member(live, &rules.tracking.applyset_id),
            Claim::Hook(rules, _) => prove_hook(live, &rules.tracking.applyset_id),
            Claim::Parent(place) => is_parent_of(place, live).then_some(()).ok_or(NotOurs::NoState),
            Claim::Part(place) => is_part_of(place, live).then_some(()).ok_or(NotOurs::NoState),
            Claim::Lock(holder, _) => is_lease_of(live, holder).then_some(()).ok_or(NotOurs::NoState),
            Claim::Registered { by, .. } => is_registered_by(live, by).then_some(()).ok_or(NotOurs::NotRegistered),
        };
        ours.map_err(Stays::NotOurs)?;
        if let Claim::Surplus(rules, seen) = claim
            && let Some(why) = keeps_itself(live, rules, seen)
        {
            return Err(Stays::Kept(why));
        }
        Ok(Self { uid: live.uid().to_owned(), resource_version: live.resource_version().to_owned() })
    }

    /// The deletion of this very object in this very version.
    pub(super) fn deletion(self, propagation: Propagation) -> Deletion {
        let version = Some(self.resource_version).filter(|version| !version.is_empty());
        Deletion { propagation, uid: Some(self.uid), resource_version: version }
    }
}

/// Whether `trueup cluster add` created a live object for the Argo CD of this uid: the label says so, trueup put it there, and no
/// other object owns it. Who copies an object copies its labels, but not who owns them.
pub(in crate::sync) fn is_registered_by(live: &Object, registered_by: &str) -> bool {
    let field = format!("f:{REGISTERED_BY}");
    let is_held = own_entries(live)
        .any(|entry| entry.pointer("/fieldsV1/f:metadata/f:labels").and_then(|it| it.get(&field)).is_some());
    live.label(REGISTERED_BY) == Some(registered_by) && !registered_by.is_empty() && is_held && !has_owner(live)
}

/// Proves that a live object is a member: our label, put there by us, on an object that no other object owns.
pub(in crate::sync) fn prove_member(live: &Object, applyset_id: &str) -> Result<(), NotOurs> {
    if live.label(APPLYSET_PART_OF) != Some(applyset_id) || applyset_id.is_empty() {
        return Err(NotOurs::NoLabel);
    }
    if !is_labelled_by_trueup(live) {
        return Err(NotOurs::LabelOfOthers);
    }
    if has_owner(live) { Err(NotOurs::Owned) } else { Ok(()) }
}

/// Proves that trueup created a live object as a hook of the application: hooks carry no part-of label, since they must
/// never be pruned for being gone from git.
pub(in crate::sync) fn prove_hook(live: &Object, applyset_id: &str) -> Result<(), NotOurs> {
    if !is_hook_of(live, applyset_id) {
        return Err(NotOurs::NoHook);
    }
    if has_owner(live) { Err(NotOurs::Owned) } else { Ok(()) }
}

/// Whatever stands there and is not an empty list counts as an owner.
fn has_owner(live: &Object) -> bool {
    match live.metadata().and_then(|metadata| metadata.get("ownerReferences")) {
        None | Some(Value::Null) => false,
        Some(Value::Array(owners)) => !owners.is_empty(),
        Some(_) => true,
    }
}

/// Whether trueup put the mark of a hook of this application on an object: who copies an object copies its annotations,
/// but not who owns them.
pub(super) fn is_hook_of(live: &Object, applyset_id: &str) -> bool {
    let field = format!("f:{HOOK_OF}");
    let is_held = own_entries(live)
        .any(|entry| entry.pointer("/fieldsV1/f:metadata/f:annotations").and_then(|it| it.get(&field)).is_some());
    live.annotation(HOOK_OF) == Some(applyset_id) && !applyset_id.is_empty() && is_held
}

/// Whether an object carries our part-of label, and nothing says that somebody else put it there: in a folder nobody's
/// fields are known. That is enough to go on applying it, and not to delete it.
pub(super) fn is_marked_member(live: &Object, applyset_id: &str) -> bool {
    let entries = live.metadata().and_then(|metadata| metadata.get("managedFields")).and_then(Value::as_array);
    live.label(APPLYSET_PART_OF) == Some(applyset_id)
        && !applyset_id.is_empty()
        && (entries.is_none_or(Vec::is_empty) || is_labelled_by_trueup(live))
}

/// trueup's entries of `managedFields`, those of subresources left out.
pub(in crate::sync) fn own_entries(live: &Object) -> impl Iterator<Item = &Value> {
    let entries = live.metadata().and_then(|metadata| metadata.get("managedFields")).and_then(Value::as_array);
    entries.into_iter().flatten().filter(|entry| {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        text("manager") == FIELD_MANAGER && text("subresource").is_empty()
    })
}

/// Why an object that is ours stays all the same: what it says of itself now. What it said when the plan was made let it go,
/// so a word that came since counts for a prune and for a deletion alike.
fn keeps_itself(live: &Object, rules: &Rules<'_>, seen: &Seen) -> Option<String> {
    let options = live.annotation(SYNC_OPTIONS).map(ResourceOptions::read).unwrap_or_default();
    let has = |option| options.has_over(rules.options, option);
    let is_new = live.annotation(SYNC_OPTIONS).unwrap_or_default() != seen.sync_options;
    let is_deletion = rules.purpose == Purpose::Deletion;
    let is_prune = !is_deletion;
    let kept = |option: &str| Some(format!("`{option}` keeps it"));
    if (is_prune || is_new) && has(SyncOption::PruneFalse) {
        return kept("Prune=false");
    }
    if (is_deletion || is_new) && has(SyncOption::DeleteFalse) {
        return kept("Delete=false");
    }
    if is_deletion && keeps_by_helm(live) {
        return Some(format!("`{HELM_RESOURCE_POLICY}: keep` keeps it"));
    }
    let asks = |option: &str| Some(format!("`{option}` asks for confirmation; needs `--approve`"));
    match rules.approve {
        false if is_prune && has(SyncOption::PruneConfirm) => asks("Prune=confirm"),
        false if is_deletion && has(SyncOption::DeleteConfirm) => asks("Delete=confirm"),
        _ => None,
    }
}

/// Rule: Argo CD `HasAnnotationOption`: a list, of which `keep` is one word.
pub(in crate::sync) fn keeps_by_helm(live: &Object) -> bool {
    live.annotation(HELM_RESOURCE_POLICY).is_some_and(|policy| policy.split(',').any(|word| word.trim() == "keep"))
}

fn is_lease_of(live: &Object, holder: &str) -> bool {
    let held_by = live.value().get("spec").and_then(|spec| spec.get("holderIdentity")).and_then(Value::as_str);
    !holder.is_empty() && held_by == Some(holder)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::status::tracking::Tracking;
    use crate::sync::state;

    const ID: &str = "applyset-ours-v1";

    fn tracking() -> Tracking {
        let instance_name = "shop".to_owned();
        Tracking { instance_name, label_key: None, installation_id: None, applyset_id: ID.to_owned() }
    }

    fn rules(tracking: &Tracking, purpose: Purpose) -> Rules<'_> {
        Rules { tracking, options: &[], adopt: false, allow_shared: false, approve: false, purpose }
    }

    /// A member as trueup applied it.
    fn member() -> Value {
        let fields = json!({"f:metadata": {"f:labels": {format!("f:{APPLYSET_PART_OF}"): {}}}});
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
            "name": "a", "namespace": "shop", "uid": "1", "resourceVersion": "7", "labels": {APPLYSET_PART_OF: ID},
            "managedFields": [{"manager": "trueup", "operation": "Apply", "fieldsV1": fields}],
        }})
    }

    /// A hook as trueup created it.
    fn hook() -> Value {
        let fields = json!({"f:metadata": {"f:annotations": {format!("f:{HOOK_OF}"): {}}}});
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {
            "name": "a", "namespace": "shop", "uid": "1", "resourceVersion": "7",
            "annotations": {HOOK_OF: ID, "argocd.argoproj.io/hook": "PreSync"},
            "managedFields": [{"manager": "trueup", "operation": "Apply", "fieldsV1": fields}],
        }})
    }

    fn object(value: Value) -> Object {
        Object::new(value).unwrap()
    }

    type Change<'c> = &'c dyn Fn(&mut Value);
    /// Changes since the plan, and what comes of a prune and of a deletion then.
    type Case<'c> = (&'c str, Change<'c>, [Result<(), Stays>; 2]);

    fn options(text: &'static str) -> impl Fn(&mut Value) {
        move |live| live["metadata"]["annotations"][SYNC_OPTIONS] = json!(text)
    }

    /// Between the plan and the deletion anybody may have changed the object.
    #[test]
    fn what_the_object_says_when_it_is_to_go_decides() {
        let (tracking, seen) = (tracking(), Seen::of(&object(member())));
        let kept = |text: &str| Err(Stays::Kept(format!("`{text}` keeps it")));
        let asks = |text: &str| Err(Stays::Kept(format!("`{text}` asks for confirmation; needs `--approve`")));
        let not_ours = |why| Err(Stays::NotOurs(why));
        let (prune_false, delete_false) = (options("Prune=false"), options("Delete=false"));
        let (prune_confirm, delete_confirm) = (options("Prune=confirm"), options("Delete=confirm"));
        let cases: [Case<'_>; 13] = [
            ("nothing", &|_| {}, [Ok(()), Ok(())]),
            ("the status", &|live| live["status"] = json!({}), [Ok(()), Ok(())]),
            (
                "a new object of the name",
                &|live| live["metadata"]["uid"] = json!("2"),
                [Err(Stays::Another), Err(Stays::Another)],
            ),
            (
                "the label is gone",
                &|live| live["metadata"]["labels"] = json!({}),
                [not_ours(NotOurs::NoLabel), not_ours(NotOurs::NoLabel)],
            ),
            (
                "another application adopted it",
                &|live| live["metadata"]["labels"][APPLYSET_PART_OF] = json!("applyset-theirs-v1"),
                [not_ours(NotOurs::NoLabel), not_ours(NotOurs::NoLabel)],
            ),
            (
                "somebody else put our label there",
                &|live| live["metadata"]["managedFields"][0]["manager"] = json!("kubectl"),
                [not_ours(NotOurs::LabelOfOthers), not_ours(NotOurs::LabelOfOthers)],
            ),
            (
                "another object owns it",
                &|live| live["metadata"]["ownerReferences"] = json!([{"uid": "9"}]),
                [not_ours(NotOurs::Owned), not_ours(NotOurs::Owned)],
            ),
            ("Prune=false", &prune_false, [kept("Prune=false"), kept("Prune=false")]),
            ("Delete=false", &delete_false, [kept("Delete=false"), kept("Delete=false")]),
            ("Prune=confirm", &prune_confirm, [asks("Prune=confirm"), Ok(())]),
            ("Delete=confirm", &delete_confirm, [Ok(()), asks("Delete=confirm")]),
            (
                "Helm keeps it",
                &|live| live["metadata"]["annotations"][HELM_RESOURCE_POLICY] = json!("keep"),
                [Ok(()), Err(Stays::Kept("`helm.sh/resource-policy: keep` keeps it".to_owned()))],
            ),
            (
                "it became a hook that trueup did not create",
                &|live| live["metadata"]["annotations"]["argocd.argoproj.io/hook"] = json!("PreSync"),
                [not_ours(NotOurs::NoHook), not_ours(NotOurs::NoHook)],
            ),
        ];
        for (name, change, expected) in cases {
            let mut live = member();
            change(&mut live);
            for (purpose, expected) in [Purpose::Prune, Purpose::Deletion].into_iter().zip(expected) {
                let rules = rules(&tracking, purpose);
                let proof = Proof::of(&object(live.clone()), &Claim::Surplus(&rules, &seen));
                assert_eq!(proof.map(|_| ()), expected, "{name}, {purpose:?}");
            }
        }
    }

    /// Checks that the object's own metadata allowed the delete when the plan was made, and allows it now.
    #[test]
    fn what_was_known_when_it_was_planned_counts_for_its_own_purpose_alone() {
        let (tracking, mut live) = (tracking(), member());
        options("Delete=false")(&mut live);
        let seen = Seen::of(&object(live.clone()));
        let rules = rules(&tracking, Purpose::Prune);
        assert!(Proof::of(&object(live), &Claim::Surplus(&rules, &seen)).is_ok(), "a prune is no deletion");
    }

    #[test]
    fn a_hook_is_proven_by_its_mark_and_by_who_put_it_there() {
        let tracking = tracking();
        let rules = rules(&tracking, Purpose::Prune);
        let cases: [(&str, Change<'_>, Result<(), Stays>); 7] = [
            ("ours", &|_| {}, Ok(())),
            ("no mark", &|live| live["metadata"]["annotations"] = json!({}), Err(Stays::NotOurs(NotOurs::NoHook))),
            (
                "of another application",
                &|live| live["metadata"]["annotations"][HOOK_OF] = json!("applyset-x-v1"),
                Err(Stays::NotOurs(NotOurs::NoHook)),
            ),
            (
                "a copy",
                &|live| live["metadata"]["managedFields"][0]["manager"] = json!("kubectl-client-side-apply"),
                Err(Stays::NotOurs(NotOurs::NoHook)),
            ),
            (
                "without managers",
                &|live| live["metadata"]["managedFields"] = json!([]),
                Err(Stays::NotOurs(NotOurs::NoHook)),
            ),
            (
                "owned by an object",
                &|live| live["metadata"]["ownerReferences"] = json!([{"uid": "9"}]),
                Err(Stays::NotOurs(NotOurs::Owned)),
            ),
            ("another one", &|live| live["metadata"]["uid"] = json!("2"), Err(Stays::Another)),
        ];
        for (name, change, expected) in cases {
            let mut live = hook();
            change(&mut live);
            let proof = Proof::of(&object(live), &Claim::Hook(&rules, Some("1"))).map(|_| ());
            assert_eq!(proof, expected, "{name}");
        }
        let member = Proof::of(&object(member()), &Claim::Hook(&rules, Some("1")));
        assert_eq!(member, Err(Stays::NotOurs(NotOurs::NoHook)), "a member is no hook");
    }

    /// A record and a lock are proven like everything else: by what they are, not by their names.
    #[test]
    fn what_trueup_keeps_about_itself_is_proven_too() {
        let place = Place::named("shop", "shop");
        let parent = state::parents(&crate::sync::state::State::default(), &place).pop().unwrap();
        assert!(Proof::of(&parent, &Claim::Parent(&place)).is_ok());
        let mut of_another = parent.clone();
        of_another.value_mut()["data"]["application"] = json!("blog");
        let mut plain = parent.clone();
        plain.value_mut()["metadata"]["annotations"] = json!({});
        for other in [&of_another, &plain] {
            assert_eq!(Proof::of(other, &Claim::Parent(&place)), Err(Stays::NotOurs(NotOurs::NoState)));
        }

        let part = |name: &str, application: &str| {
            let labels = json!({"app.kubernetes.io/managed-by": "trueup"});
            let metadata = json!({"name": name, "namespace": "shop", "labels": labels});
            object(
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"application": application}}),
            )
        };
        assert!(Proof::of(&part("trueup--part-a1.trueup-shop", "shop"), &Claim::Part(&place)).is_ok());
        for (name, application) in
            [("trueup--part-a1.trueup-shop", "blog"), ("settings", "shop"), ("trueup-shop", "shop")]
        {
            let proof = Proof::of(&part(name, application), &Claim::Part(&place));
            assert_eq!(proof, Err(Stays::NotOurs(NotOurs::NoState)), "{name} {application}");
        }

        let lease = |holder: &str| {
            let metadata = json!({"name": "trueup-shop", "namespace": "shop", "uid": "1"});
            object(json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata,
                          "spec": {"holderIdentity": holder}}))
        };
        assert!(Proof::of(&lease("me"), &Claim::Lock("me", "1")).is_ok());
        assert_eq!(Proof::of(&lease("thief"), &Claim::Lock("me", "1")), Err(Stays::NotOurs(NotOurs::NoState)));
    }
}
