//! Decides what a policy lets be done about a drift: the table of docs/sync.md, "reconcile".
//!
//! In: the policy in force (manifest and flags), the drift and who moved, what was synced last. Out: a [`Decision`]. Pure.
//!
//! Rules: docs/design.md, section 3; Argo CD controller/appcontroller.go `autoSync`.

use crate::app::sync_policy::SyncPolicy;
use crate::status::{Moved, ResourceDrift, ResourceState};

/// The policy in force: what the manifest says, and what flags add.
#[expect(clippy::struct_excessive_bools, reason = "they are the columns and rows of the policy table")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// `syncPolicy.automated` is there, and enabled.
    pub automated: bool,
    /// Objects removed from git are deleted: `automated.prune`, `--auto-prune`.
    pub prune: bool,
    /// Changes in the cluster are reverted: `automated.selfHeal`, `--self-heal`.
    pub self_heal: bool,
    /// `automated.allowEmpty`: even when nothing would be left.
    pub allow_empty: bool,
}

impl Policy {
    /// The manifest's policy: nothing of `automated` is in force when it is not `enabled`.
    pub fn of(policy: &SyncPolicy) -> Self {
        match policy.automated.filter(|automated| automated.enabled) {
            None => Self::default(),
            Some(automated) => Self {
                automated: true,
                prune: automated.prune,
                self_heal: automated.self_heal,
                allow_empty: automated.allow_empty,
            },
        }
    }
}

/// The last sync, against what git has now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastSync {
    /// Nothing, as far as anybody knows.
    None,
    /// A sync that was killed, or ended by a signal: what it began is to be ended, its hooks with it.
    CutShort,
    /// The very revisions of now.
    SameRevision,
    /// Other revisions.
    OtherRevision,
}

/// The decision for an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing differs.
    Nothing,
    /// Something differs, and the policy leaves it; why, for the report.
    Leave(String),
    /// The cluster is made what git says now.
    Sync(Scope),
    /// The cluster is made what git said at the last sync; git's newer revision is left for somebody to sync. What git
    /// has dropped since is not restored: where the scope says prune, it goes.
    HealToLastSync(Scope),
}

/// How much of an application is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// Whether all of it is synced, with its hooks, and so recorded in the history; else only what drifted.
    pub whole: bool,
    /// Whether what differs is applied.
    pub apply: bool,
    /// Whether what git dropped is deleted.
    pub prune: bool,
}

/// Decides for one application of `trueup reconcile`.
pub fn decide(policy: Policy, resources: &[ResourceDrift], last: LastSync) -> Decision {
    let found = DriftCounts::of(resources, last);
    let is_to_be_ended = policy.automated && last == LastSync::CutShort;
    if found.is_nothing() && !is_to_be_ended {
        return Decision::Nothing;
    }
    let prune = policy.prune && found.gone > 0;
    if prune && found.is_all_gone && !policy.allow_empty {
        // Argo CD: "auto-sync will wipe out all resources".
        return Decision::Leave(format!(
            "git renders nothing, so all {} would be deleted; needs `allowEmpty`",
            objects(found.gone)
        ));
    }
    if policy.automated {
        let moved_in_git =
            is_to_be_ended || found.git > 0 || (prune && found.gone_by_git > 0 && last != LastSync::SameRevision);
        let apply = found.git > 0 || (policy.self_heal && found.cluster > 0);
        if moved_in_git || apply || prune {
            let apply = apply || moved_in_git;
            return Decision::Sync(Scope { whole: moved_in_git, apply, prune });
        }
        return Decision::Leave(found.left(policy));
    }
    let heal = policy.self_heal && found.healable > 0 && found.why_not_heal(last).is_none();
    match (heal, last) {
        // Healing to the last sync and to git is the same; nothing has to be rendered again.
        (true, LastSync::SameRevision) => Decision::Sync(Scope { whole: false, apply: true, prune }),
        (true, _) => Decision::HealToLastSync(Scope { whole: false, apply: true, prune }),
        (false, _) if prune => Decision::Sync(Scope { whole: false, apply: false, prune }),
        (false, _) => match found.why_not_heal(last).filter(|_| policy.self_heal && found.healable > 0) {
            Some(why) => Decision::Leave(why.to_owned()),
            None => Decision::Leave(found.left(policy)),
        },
    }
}

/// The differences, by the side that changed.
struct DriftCounts {
    /// Changed or missing, because git moved, alone or not.
    git: usize,
    /// Changed or missing, because the cluster moved, alone or not.
    cluster: usize,
    /// Changed or missing, and perhaps because the cluster moved: a render of the last sync tells.
    healable: usize,
    /// In the cluster, and no longer in git.
    gone: usize,
    /// Of these, those that git dropped, as far as anybody knows.
    gone_by_git: usize,
    /// Whether that is all there is.
    is_all_gone: bool,
}

impl DriftCounts {
    fn of(resources: &[ResourceDrift], last: LastSync) -> Self {
        let mut found =
            Self { git: 0, cluster: 0, healable: 0, gone: 0, gone_by_git: 0, is_all_gone: !resources.is_empty() };
        for resource in resources {
            found.is_all_gone &= resource.state == ResourceState::Extra;
            if !resource.is_drift() {
                continue;
            }
            let moved = match (resource.moved, last) {
                // One and the same revision: it is not git that moved.
                (Moved::Unknown, LastSync::SameRevision) => Moved::Cluster,
                // As Argo CD, which syncs a revision that it has not synced yet.
                (Moved::Unknown, _) if resource.has_git_moved() => Moved::Both,
                (Moved::Unknown, _) => Moved::Git,
                (moved, _) if resource.has_git_moved() => moved.and(Moved::Git),
                (moved, _) => moved,
            };
            if resource.state == ResourceState::Extra {
                found.gone += 1;
                found.gone_by_git += usize::from(moved.has_git());
                continue;
            }
            let by_cluster = matches!(moved, Moved::Cluster | Moved::Both);
            found.git += usize::from(moved.has_git());
            found.cluster += usize::from(by_cluster);
            found.healable += usize::from(by_cluster || resource.moved == Moved::Unknown);
        }
        found
    }

    fn is_nothing(&self) -> bool {
        self.git + self.cluster + self.gone == 0
    }

    /// Why a manual application cannot be set back to its last sync.
    fn why_not_heal(&self, last: LastSync) -> Option<&'static str> {
        match last {
            LastSync::None => Some("it was never synced, so there is no last sync to heal to; run `trueup sync` first"),
            LastSync::CutShort => {
                Some("its last sync did not finish; `trueup sync` finishes it, then it can be healed")
            }
            // Then what moved is the Application itself, and its last form is not known: healing would deploy the new one.
            LastSync::SameRevision if self.git > 0 => {
                Some("the application changed since its last sync at the same revision; run `trueup sync` first")
            }
            LastSync::SameRevision | LastSync::OtherRevision => None,
        }
    }

    /// The drift that stays, and which policy would sync it.
    fn left(&self, policy: Policy) -> String {
        let mut left = Vec::new();
        if self.git > 0 && !policy.automated {
            left.push(format!("{} changed in git: automated sync is off", objects(self.git)));
        }
        if self.cluster > 0 && !policy.self_heal {
            left.push(format!("{} changed in the cluster: self-heal is off", objects(self.cluster)));
        }
        if self.gone > 0 && !policy.prune {
            left.push(format!("{} removed from git: pruning is off", objects(self.gone)));
        }
        left.join("; ")
    }
}

fn objects(count: usize) -> String {
    if count == 1 { "1 object".to_owned() } else { format!("{count} objects") }
}

#[cfg(test)]
mod tests {
    use LastSync::{None as Never, OtherRevision as Other, SameRevision as Same};
    use serde_json::json;

    use super::*;
    use crate::object::Object;
    use crate::status::compare::unknown;

    fn resource(state: ResourceState, moved: Moved) -> ResourceDrift {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}});
        ResourceDrift { state, moved, ..unknown(&Object::new(object).unwrap(), String::new()) }
    }

    const fn policy(automated: bool, prune: bool, self_heal: bool) -> Policy {
        Policy { automated, prune, self_heal, allow_empty: false }
    }

    const MANUAL: Policy = policy(false, false, false);
    const AUTOMATED: Policy = policy(true, false, false);

    fn sync(whole: bool, apply: bool, prune: bool) -> Decision {
        Decision::Sync(Scope { whole, apply, prune })
    }

    /// The expectation of a case; the words of `Leave` are tested apart.
    fn check(name: &str, policy: Policy, resources: &[ResourceDrift], last: LastSync, expected: Option<Decision>) {
        match (decide(policy, resources, last), expected) {
            (Decision::Leave(why), None) => assert!(!why.is_empty(), "{name}: says why"),
            (found, expected) => assert_eq!(Some(found), expected, "{name}"),
        }
    }

    /// A run that was killed after its last object left hooks undone, and a record that does not know: nothing differs, and
    /// the pull loop ends it all the same. Nobody's policy lets it end somebody's own sync.
    #[test]
    fn what_was_cut_short_is_ended_by_the_pull_loop() {
        let in_sync = [resource(ResourceState::InSync, Moved::Unknown)];
        check("automated", AUTOMATED, &in_sync, LastSync::CutShort, Some(sync(true, true, false)));
        check("manual", MANUAL, &in_sync, LastSync::CutShort, Some(Decision::Nothing));
        let changed = [resource(ResourceState::Changed, Moved::Cluster)];
        check("automated, changed", AUTOMATED, &changed, LastSync::CutShort, Some(sync(true, true, false)));
        check("manual, healing", policy(false, false, true), &changed, LastSync::CutShort, None);
        let gone = [resource(ResourceState::Extra, Moved::Git)];
        check("all gone", policy(true, true, false), &gone, LastSync::CutShort, None);
    }

    /// docs/design.md, section 3: each cell of the table, and what `enabled: false` makes of it.
    #[test]
    fn every_cell_of_the_table_is_obeyed() {
        use ResourceState::{Changed, Extra, InSync, Missing};
        let in_sync = || resource(InSync, Moved::Unknown);
        let git = || vec![in_sync(), resource(Changed, Moved::Git)];
        let new = || vec![in_sync(), resource(Missing, Moved::Git)];
        let cluster = || vec![in_sync(), resource(Changed, Moved::Cluster)];
        let deleted = || vec![in_sync(), resource(Missing, Moved::Cluster)];
        let gone = || vec![in_sync(), resource(Extra, Moved::Git)];
        let cases = [
            ("automated, git moved", AUTOMATED, git(), Some(sync(true, true, false))),
            ("automated, new in git", AUTOMATED, new(), Some(sync(true, true, false))),
            ("automated, the cluster moved", AUTOMATED, cluster(), None),
            ("automated, deleted in the cluster", AUTOMATED, deleted(), None),
            (
                "automated with self-heal, the cluster moved",
                policy(true, false, true),
                cluster(),
                Some(sync(false, true, false)),
            ),
            ("automated with self-heal, deleted", policy(true, false, true), deleted(), Some(sync(false, true, false))),
            ("automated, gone from git", AUTOMATED, gone(), None),
            ("automated with prune, gone from git", policy(true, true, false), gone(), Some(sync(true, true, true))),
            ("manual, git moved", MANUAL, git(), None),
            ("manual, git moved, all flags", policy(false, true, true), git(), None),
            ("manual, the cluster moved", MANUAL, cluster(), None),
            (
                "manual with self-heal, the cluster moved",
                policy(false, false, true),
                cluster(),
                Some(Decision::HealToLastSync(Scope { whole: false, apply: true, prune: false })),
            ),
            ("manual, gone from git", MANUAL, gone(), None),
            (
                "manual with auto-prune, gone from git",
                policy(false, true, false),
                gone(),
                Some(sync(false, false, true)),
            ),
            ("manual with auto-prune, git moved", policy(false, true, false), git(), None),
        ];
        for (name, policy, resources, expected) in cases {
            check(name, policy, &resources, Other, expected);
        }
    }

    /// Manual sync with pruning and self-healing: git is ahead, the cluster was touched, and git dropped something.
    #[test]
    fn a_manual_application_heals_to_its_last_sync_while_git_is_ahead() {
        use ResourceState::{Changed, Extra};
        let all = [resource(Changed, Moved::Git), resource(Changed, Moved::Cluster), resource(Extra, Moved::Git)];
        let heal = Some(Decision::HealToLastSync(Scope { whole: false, apply: true, prune: true }));
        check("both flags", policy(false, true, true), &all, Other, heal);
        check("never synced", policy(false, false, true), &all, Never, None);
        check("git alone moved", policy(false, false, true), &all[..1], Other, None);
        let both = [resource(Changed, Moved::Both)];
        let heal = Some(Decision::HealToLastSync(Scope { whole: false, apply: true, prune: false }));
        check("both moved", policy(false, false, true), &both, Other, heal);
        check("both moved, at the same revision", policy(false, false, true), &both, Same, None);
        let same = Some(sync(false, true, false));
        check("the same revision", policy(false, false, true), &[resource(Changed, Moved::Cluster)], Same, same);
    }

    /// Nobody knows who moved: Argo CD syncs a revision that it has not synced, and heals one that it has.
    #[test]
    fn an_unknown_side_is_judged_by_the_last_sync() {
        let unknown = [resource(ResourceState::Changed, Moved::Unknown)];
        check("never synced", AUTOMATED, &unknown, Never, Some(sync(true, true, false)));
        check("another revision", AUTOMATED, &unknown, Other, Some(sync(true, true, false)));
        check("the same revision", AUTOMATED, &unknown, Same, None);
        let heals = policy(true, false, true);
        check("the same revision, self-heal", heals, &unknown, Same, Some(sync(false, true, false)));
        check("manual, never synced", MANUAL, &unknown, Never, None);
        let heal = Some(Decision::HealToLastSync(Scope { whole: false, apply: true, prune: false }));
        check("manual, self-heal, another revision", policy(false, false, true), &unknown, Other, heal);
    }

    #[test]
    fn what_git_dropped_before_is_pruned_without_hooks() {
        let gone = [resource(ResourceState::InSync, Moved::Unknown), resource(ResourceState::Extra, Moved::Git)];
        check("prune was switched on later", policy(true, true, false), &gone, Same, Some(sync(false, false, true)));
        let tolerated = ResourceDrift { is_tolerated: true, ..resource(ResourceState::Extra, Moved::Git) };
        assert_eq!(decide(policy(true, true, true), &[tolerated], Other), Decision::Nothing);
    }

    /// Argo CD: "auto-sync will wipe out all resources".
    #[test]
    fn an_empty_git_prunes_everything_only_when_that_is_allowed() {
        let gone = [resource(ResourceState::Extra, Moved::Git), resource(ResourceState::Extra, Moved::Git)];
        check("not allowed", policy(true, true, false), &gone, Other, None);
        check("not allowed by hand either", policy(false, true, false), &gone, Other, None);
        let allowed = Policy { allow_empty: true, ..policy(true, true, false) };
        check("allowed", allowed, &gone, Other, Some(sync(true, true, true)));
    }

    #[test]
    fn what_does_not_differ_is_left_alone() {
        assert_eq!(decide(policy(true, true, true), &[], Never), Decision::Nothing);
        let unread = resource(ResourceState::Unknown, Moved::Unknown);
        let in_sync = resource(ResourceState::InSync, Moved::Unknown);
        assert_eq!(decide(policy(true, true, true), &[unread, in_sync], Never), Decision::Nothing);
    }

    #[test]
    fn a_policy_that_is_not_enabled_is_manual() {
        let automated =
            crate::app::sync_policy::Automated { enabled: true, prune: true, self_heal: true, allow_empty: true };
        let of = |automated| Policy::of(&SyncPolicy { automated, ..SyncPolicy::default() });
        assert_eq!(of(Some(automated)), Policy { allow_empty: true, ..policy(true, true, true) });
        assert_eq!(of(Some(crate::app::sync_policy::Automated { enabled: false, ..automated })), MANUAL);
        assert_eq!(of(None), MANUAL);
    }

    #[test]
    fn what_is_left_says_which_policy_left_it() {
        let all = [
            resource(ResourceState::Changed, Moved::Git),
            resource(ResourceState::Changed, Moved::Cluster),
            resource(ResourceState::Missing, Moved::Cluster),
            resource(ResourceState::Extra, Moved::Git),
        ];
        let Decision::Leave(why) = decide(MANUAL, &all, Other) else { panic!("it is left") };
        let expected = "1 object changed in git: automated sync is off; 2 objects changed in the cluster: self-heal is \
                        off; 1 object removed from git: pruning is off";
        assert_eq!(why, expected);
    }
}
