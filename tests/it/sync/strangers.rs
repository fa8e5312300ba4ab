//! What is somebody else's: it is held until `--adopt`, and nothing deletes it, neither a prune, nor a hook, nor a deletion.
//!
//! Objects come into the cluster as their owners bring them: by Helm itself, by kubectl, and with the field managers and
//! marks that Argo CD and Flux document.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::{annotated, hook, live, plain, steps};
use crate::harness::{
    Front, Missing, TestApplication, TestCluster, TestRepo, config_map, folder_with, helm, or_skip, program, trueup,
};

const OPTIONS: &str = "argocd.argoproj.io/sync-options";

fn uid(cluster: &TestCluster, kind: &str, name: &str) -> Value {
    live(cluster, kind, name).map_or(Value::Null, |live| live["metadata"]["uid"].clone())
}

/// A Secret that somebody created, with a value of theirs.
fn theirs(cluster: &TestCluster, name: &str) -> Value {
    cluster.kubectl(["create", "secret", "generic", name, "--from-literal=password=theirs"]);
    live(cluster, "secret", name).unwrap()
}

fn secret(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"password": "ours"}})
}

/// An object that is what it was: neither another one, nor changed.
#[track_caller]
fn is_as_it_was(cluster: &TestCluster, before: &Value, why: &str) {
    let (kind, name) = (before["kind"].as_str().unwrap(), before["metadata"]["name"].as_str().unwrap());
    assert_eq!(live(cluster, kind, name).as_ref(), Some(before), "{why}");
}

fn shop(cluster: &TestCluster, git: &TestRepo) -> TestApplication {
    named("shop", cluster, git)
}

fn named(name: &str, cluster: &TestCluster, git: &TestRepo) -> TestApplication {
    git.application(name).deployed_to(cluster).spec_field(
        "syncPolicy",
        json!({"automated": {"prune": true, "selfHeal": true}, "syncOptions": ["PrunePropagationPolicy=background"]}),
    )
}

/// A hook was given the name of a Secret that is somebody else's, and the Secret was deleted, without any flag.
#[test]
fn a_hook_never_deletes_what_it_did_not_create() {
    let cluster = or_skip!(TestCluster::namespace());
    let before = theirs(&cluster, "db-credentials");
    let git = TestRepo::new()
        .file("h.yaml", hook("PreSync", "", secret("db-credentials")))
        .file("a.yaml", plain("a"))
        .commit("one");

    let refused = trueup(["sync", "-y"]).of(&shop(&cluster, &git)).exits(2);

    is_as_it_was(&cluster, &before, &refused.transcript());
    let words = "has the name of an object that is created by `kubectl-create`; nothing was written";
    assert!(
        refused.stderr.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "").contains(words),
        "{}",
        refused.transcript()
    );
    assert!(live(&cluster, "configmap", "a").is_none() && live(&cluster, "configmap", "trueup-shop").is_none());
}

/// Every phase, every policy, Helm's hooks and `Force`: none of them takes an object away that has the hook's name.
#[test]
fn no_policy_of_a_hook_deletes_a_strangers_object() {
    let cluster = or_skip!(TestCluster::namespace());
    let before = theirs(&cluster, "db");
    let of_helm = |phase: &str, policy: &str| {
        let mut hook = secret("db");
        hook["metadata"]["annotations"] = json!({"helm.sh/hook": phase, "helm.sh/hook-delete-policy": policy});
        hook
    };
    let forced = |options: &str| {
        let mut hook = hook("PreSync", "HookFailed", secret("db"));
        hook["metadata"]["annotations"][OPTIONS] = json!(options);
        hook
    };
    let hooks = [
        hook("PreSync", "BeforeHookCreation", secret("db")),
        hook("PreSync", "HookSucceeded", secret("db")),
        hook("Sync", "HookFailed", secret("db")),
        hook("PostSync", "HookSucceeded,HookFailed", secret("db")),
        hook("SyncFail", "", secret("db")),
        of_helm("pre-install,pre-upgrade", "before-hook-creation"),
        of_helm("post-install,post-upgrade", "hook-succeeded"),
        forced("Force=true"),
        forced("Replace=true,Force=true"),
    ];
    let mut git = TestRepo::new();
    for manifest in hooks {
        git = git.file("hook.yaml", &manifest).file("a.yaml", plain("a")).commit("a hook");
        for command in [&["sync", "-y", "--force"][..], &["reconcile"]] {
            let refused = trueup([]).arguments(command).of(&shop(&cluster, &git)).exits(2);
            is_as_it_was(&cluster, &before, &format!("{manifest}\n{}", refused.transcript()));
        }
    }
    assert!(live(&cluster, "configmap", "a").is_none());
}

/// The same around a deletion of the application, and for hooks that git names and another one made.
#[test]
fn no_hook_of_a_deletion_deletes_a_strangers_object() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new()
        .file("a.yaml", plain("a"))
        .file("after.yaml", hook("PostDelete", "", secret("db")))
        .file("before.yaml", hook("PreSync", "HookFailed", plain("made-by-us")))
        .commit("hooks");
    let shop = shop(&cluster, &git);
    trueup(["sync", "-y"]).of(&shop).exits(0);
    let before = theirs(&cluster, "db");
    let git = git.file("more.yaml", hook("PreSync", "HookFailed", secret("made-by-others"))).commit("another hook");
    let others = theirs(&cluster, "made-by-others");

    let refused = trueup(["delete", "shop", "-y"]).of(&shop).exits(2);
    is_as_it_was(&cluster, &before, &refused.transcript());
    assert!(live(&cluster, "configmap", "a").is_some(), "nothing at all was deleted");

    let git = git.remove("after.yaml").commit("without it");
    let deleted = trueup(["delete", "shop", "-y"]).of(&shop).exits(0);
    is_as_it_was(&cluster, &before, &deleted.transcript());
    is_as_it_was(&cluster, &others, &deleted.transcript());
    assert!(live(&cluster, "configmap", "a").is_none() && live(&cluster, "configmap", "made-by-us").is_none());
    drop(git);
}

/// `--adopt` is the word that makes the object the hook's; from then on its policies hold for it, without the flag.
#[test]
fn a_hook_takes_an_object_over_when_it_is_asked_to() {
    let cluster = or_skip!(TestCluster::with_controllers());
    let before = theirs(&cluster, "db");
    let git =
        TestRepo::new().file("h.yaml", hook("PreSync", "", secret("db"))).file("a.yaml", plain("a")).commit("one");
    let shop = shop(&cluster, &git);

    trueup(["sync", "-y", "--adopt"]).of(&shop).exits(0);
    let adopted = uid(&cluster, "secret", "db");
    assert_ne!(adopted, before["metadata"]["uid"], "BeforeHookCreation is the default");
    trueup(["sync", "-y"]).of(&shop).exits(0);
    let _git = git.file("a.yaml", config_map("a").data("a", "2")).commit("two");
    trueup(["sync", "-y"]).of(&shop).exits(0);
    let again = uid(&cluster, "secret", "db");
    assert!(again != adopted && again != Value::Null);
}

/// A copy of a hook carries its mark, too, but trueup did not put it there.
#[test]
fn a_copy_of_a_hook_is_nobodys_hook() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("h.yaml", hook("PreSync", "HookFailed", plain("first"))).file("a.yaml", plain("a"));
    let git = git.commit("one");
    let shop = shop(&cluster, &git);
    trueup(["sync", "-y"]).of(&shop).exits(0);
    let mut copy = live(&cluster, "configmap", "first").unwrap();
    assert!(copy["metadata"]["annotations"]["trueup.dev/hook-of"].is_string(), "{copy:#}");
    for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
        copy["metadata"].as_object_mut().unwrap().remove(field);
    }
    copy["metadata"]["name"] = json!("second");
    cluster.apply(copy);
    let before = live(&cluster, "configmap", "second").unwrap();
    let _git = git.file("h2.yaml", hook("PreSync", "", plain("second"))).commit("two");

    let refused = trueup(["sync", "-y"]).of(&shop).exits(2);

    is_as_it_was(&cluster, &before, &refused.transcript());
}

/// What kubectl does to a cluster in the middle of a run: when its first request with these words arrives.
struct Meanwhile {
    kubectl: PathBuf,
    kubeconfig: PathBuf,
    commands: Vec<(Vec<String>, String)>,
}

impl Meanwhile {
    fn of(cluster: &TestCluster, commands: &[(&[&str], &str)]) -> Result<Self, Missing> {
        let texts = |(arguments, input): &(&[&str], &str)| {
            (arguments.iter().map(|&argument| argument.to_owned()).collect(), (*input).to_owned())
        };
        Ok(Self {
            kubectl: program("kubectl")?,
            kubeconfig: cluster.kubeconfig().to_owned(),
            commands: commands.iter().map(texts).collect(),
        })
    }

    /// In front of the cluster; the record of the attempt is the last that is written before the first step.
    fn when_it_begins(self, cluster: &TestCluster) -> Result<Front, Missing> {
        let is_done = AtomicBool::new(false);
        Front::before(cluster, move |line| {
            let is_record = super::is_write(line) && line.contains("/configmaps") && !line.contains("force=true");
            if is_record && !is_done.swap(true, Ordering::SeqCst) {
                self.commands.iter().for_each(|(arguments, input)| self.run(arguments, input));
            }
            None
        })
    }

    fn run(&self, arguments: &[String], input: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), input).unwrap();
        let mut kubectl = Command::new(&self.kubectl);
        kubectl.arg("--kubeconfig").arg(&self.kubeconfig).args(arguments);
        let done = kubectl.stdin(std::fs::File::open(file.path()).unwrap()).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

/// Where a run is sent through a front, its cluster is the kubeconfig's own.
fn shop_in(cluster: &TestCluster, git: &TestRepo) -> TestApplication {
    git.application("shop")
        .destination(json!({"name": "in-cluster", "namespace": cluster.name()}))
        .spec_field("syncPolicy", json!({"syncOptions": ["PrunePropagationPolicy=background"]}))
}

const PART_OF: &str = "applyset.kubernetes.io/part-of";

/// Between the plan and the deletion somebody adopts the object, takes our label off it, or says that it stays: it stays, the
/// step says why, and the sync goes on.
#[test]
fn what_changed_since_the_plan_is_not_pruned() {
    let owner = r#"{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "stays", "uid": "UID"}]}}"#;
    let cases: [(&str, Vec<&str>, &str); 6] = [
        (
            "the label is gone",
            vec!["label", "configmap", "old", "applyset.kubernetes.io/part-of-"],
            "trueup never applied it",
        ),
        (
            "another application",
            vec!["label", "--overwrite", "configmap", "old", "applyset.kubernetes.io/part-of=applyset-theirs-v1"],
            "trueup never applied it",
        ),
        (
            "Prune=false",
            vec!["annotate", "configmap", "old", "argocd.argoproj.io/sync-options=Prune=false"],
            "`Prune=false` keeps it",
        ),
        (
            "Delete=false",
            vec!["annotate", "configmap", "old", "argocd.argoproj.io/sync-options=Delete=false"],
            "`Delete=false` keeps it",
        ),
        (
            "confirm",
            vec!["annotate", "configmap", "old", "argocd.argoproj.io/sync-options=Prune=confirm"],
            "`Prune=confirm` asks for confirmation",
        ),
        ("another object owns it", vec!["patch", "configmap", "old", "-p", owner], "another object owns it"),
    ];
    for (name, command, why) in cases {
        let cluster = or_skip!(TestCluster::namespace());
        let git = TestRepo::new().file("stays.yaml", plain("stays")).file("old.yaml", plain("old")).commit("two");
        let shop = shop_in(&cluster, &git);
        trueup(["sync", "-y"]).of(&shop).kubeconfig(cluster.kubeconfig()).exits(0);
        let _git = git.remove("old.yaml").file("new.yaml", plain("new")).commit("no longer");
        let stays = uid(&cluster, "configmap", "stays");
        let command: Vec<String> = command.iter().map(|it| it.replace("UID", stays.as_str().unwrap())).collect();
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let front = or_skip!(or_skip!(Meanwhile::of(&cluster, &[(&command[..], "")])).when_it_begins(&cluster));

        let run = trueup(["sync", "-y", "--prune", "-o", "json"]).of(&shop).kubeconfig(&front.kubeconfig()).outcome();

        assert!(live(&cluster, "configmap", "old").is_some(), "{name}\n{}", run.transcript());
        let report = run.json();
        super::holds_to_the_schema(&report);
        assert_eq!(steps(&report), ["Sync ConfigMap/old held", "Sync ConfigMap/new done"], "{name}");
        let message = report["applications"][0]["operation"]["steps"][0]["message"].as_str().unwrap().to_owned();
        assert!(
            message.starts_with("changed in the cluster after it was planned: ") && message.contains(why),
            "{name}: {message}"
        );
        assert!(live(&cluster, "configmap", "new").is_some(), "the rest is done");
    }
}

/// The same when the application is deleted: what is still its own is left with its record, so that the next deletion ends it.
#[test]
fn what_changed_since_the_plan_is_not_deleted_with_its_application() {
    let cases: [(&str, &[&str], bool); 3] = [
        ("Delete=false", &["annotate", "configmap", "a", "argocd.argoproj.io/sync-options=Delete=false"], true),
        ("Helm keeps it", &["annotate", "configmap", "a", "helm.sh/resource-policy=keep"], true),
        (
            "adopted",
            &["label", "--overwrite", "configmap", "a", "applyset.kubernetes.io/part-of=applyset-theirs-v1"],
            false,
        ),
    ];
    for (name, command, is_left) in cases {
        let cluster = or_skip!(TestCluster::namespace());
        let git = TestRepo::new().file("a.yaml", plain("a")).file("b.yaml", plain("b")).commit("two");
        let shop = shop_in(&cluster, &git);
        trueup(["sync", "-y"]).of(&shop).kubeconfig(cluster.kubeconfig()).exits(0);
        let front = or_skip!(or_skip!(Meanwhile::of(&cluster, &[(command, "")])).when_it_begins(&cluster));

        let run = trueup(["delete", "shop", "-y"]).of(&shop).kubeconfig(&front.kubeconfig()).exits(i32::from(is_left));

        assert!(live(&cluster, "configmap", "a").is_some(), "{name}\n{}", run.transcript());
        assert!(live(&cluster, "configmap", "b").is_none(), "{name}\n{}", run.transcript());
        assert_eq!(live(&cluster, "configmap", "trueup-shop").is_some(), is_left, "{name}\n{}", run.transcript());
        if is_left {
            trueup(["delete", "shop", "-y"]).of(&shop).kubeconfig(cluster.kubeconfig()).exits(0);
            let kept = live(&cluster, "configmap", "a").unwrap();
            assert_eq!(kept["metadata"]["labels"][PART_OF], Value::Null, "{name}: it is released then");
        }
    }
}

/// Between the plan and the step somebody creates an object of the name: a resource is held, and a hook fails; neither
/// deletes nor overwrites it.
#[test]
fn what_appeared_since_the_plan_is_nobody_elses_to_take() {
    let create = ["create", "secret", "generic", "db", "--from-literal=password=theirs"];
    for (manifest, code, result) in [
        (secret("db"), 1, "held"),
        (hook("PreSync", "", secret("db")), 2, "failed"),
        (hook("PreSync", "HookSucceeded,HookFailed", secret("db")), 2, "failed"),
    ] {
        let cluster = or_skip!(TestCluster::namespace());
        let git = TestRepo::new().file("db.yaml", &manifest).commit("a secret");
        let shop = shop_in(&cluster, &git);
        let front = or_skip!(or_skip!(Meanwhile::of(&cluster, &[(&create[..], "")])).when_it_begins(&cluster));

        let run = trueup(["sync", "-y", "-o", "json"]).of(&shop).kubeconfig(&front.kubeconfig()).exits(code);

        let found = live(&cluster, "secret", "db").unwrap();
        assert_eq!(found["data"]["password"], "dGhlaXJz", "{}", run.transcript());
        assert!(steps(&run.json())[0].ends_with(result), "{}", run.transcript());
    }
}

/// Between the plan and the step another application adopts an object that is to be changed: it is held, not overwritten.
/// What is still the application's own is applied, whoever changed it meanwhile.
#[test]
fn what_was_adopted_since_the_plan_is_not_overwritten() {
    let annotate = ["annotate", "configmap/own", "note=by hand"];
    let label = ["label", "configmap/db", "--overwrite", "applyset.kubernetes.io/part-of=applyset-other-v1"];
    for options in ["", "Replace=true"] {
        let cluster = or_skip!(TestCluster::namespace());
        let content = |name: &str, size: &str| {
            let map = config_map(name).data("size", size);
            if options.is_empty() { map.to_string() } else { annotated(OPTIONS, options, map) }
        };
        let files = |git: TestRepo, size: &str| {
            git.file("db.yaml", content("db", size)).file("own.yaml", content("own", size)).commit(size)
        };
        let git = files(TestRepo::new(), "small");
        let shop = shop_in(&cluster, &git);
        trueup(["sync", "-y"]).of(&shop).kubeconfig(cluster.kubeconfig()).exits(0);
        let _git = files(git, "large");
        let meanwhile = or_skip!(Meanwhile::of(&cluster, &[(&annotate[..], ""), (&label[..], "")]));
        let front = or_skip!(meanwhile.when_it_begins(&cluster));

        let run = trueup(["sync", "-y"]).of(&shop).kubeconfig(&front.kubeconfig()).exits(1);

        let size = |name: &str| live(&cluster, "configmap", name).unwrap()["data"]["size"].clone();
        assert_eq!((size("db"), size("own")), (json!("small"), json!("large")), "{}", run.transcript());
        assert!(run.stdout.contains("changed in the cluster after it was planned"), "{}", run.transcript());
    }
}

/// `Replace=true,Force=true` and `--force` delete first. Of somebody else's object they do not even replace the content.
#[test]
fn force_and_replace_leave_a_strangers_object_alone_until_it_is_adopted() {
    for options in ["Replace=true", "Replace=true,Force=true", "Force=true"] {
        let cluster = or_skip!(TestCluster::with_controllers());
        let before = theirs(&cluster, "db");
        let git = TestRepo::new().file("db.yaml", annotated(OPTIONS, options, in_lines(&secret("db")))).commit("one");
        let shop = shop(&cluster, &git);

        let held = trueup(["sync", "-y", "--force"]).of(&shop).exits(1);
        is_as_it_was(&cluster, &before, &held.transcript());
        assert!(held.stdout.contains("created by `kubectl-create`; `--adopt` takes it over"), "{}", held.transcript());

        trueup(["sync", "-y", "--force", "--adopt"]).of(&shop).exits(0);
        let now = live(&cluster, "secret", "db").unwrap();
        assert_eq!(now["data"]["password"], "b3Vycw==", "{options}");
        let is_recreated = now["metadata"]["uid"] != before["metadata"]["uid"];
        // With `--force`, what is replaced is deleted first.
        assert_eq!(is_recreated, options.starts_with("Replace=true"), "{options}");
    }
}

/// A manifest whose metadata begins on a line of its own.
fn in_lines(manifest: &Value) -> String {
    let name = manifest["metadata"]["name"].as_str().unwrap();
    format!(
        "apiVersion: v1\nkind: {}\nmetadata:\n  name: {name}\nstringData:\n  password: ours\n",
        manifest["kind"].as_str().unwrap()
    )
}

/// Objects of four tools and one that somebody created, all of which git names, beside one that is new.
struct Legacy {
    cluster: TestCluster,
    git: TestRepo,
}

const NAMES: [&str; 5] = ["by-argo", "by-flux", "by-hand", "by-helm", "by-kubectl"];

impl Legacy {
    fn new() -> Result<Self, Missing> {
        let cluster = TestCluster::namespace()?;
        cluster.apply(config_map("by-kubectl").data("a", "theirs"));
        cluster.kubectl(["create", "configmap", "by-hand", "--from-literal=a=theirs"]);
        let server_side = |manager: &str, manifest: String| {
            let manager = format!("--field-manager={manager}");
            let apply = ["apply", "--server-side", &manager, "-f", "-"];
            assert!(cluster.try_kubectl(cluster.kubeconfig(), &apply, &manifest).status.success());
        };
        let argo = config_map("by-argo").data("a", "theirs").to_string();
        let id = format!("{0}:/ConfigMap:{0}/by-argo", cluster.name());
        server_side("argocd-controller", annotated("argocd.argoproj.io/tracking-id", &id, argo));
        let mut flux = plain("by-flux");
        flux["metadata"]["labels"] =
            json!({"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});
        flux["data"]["a"] = json!("theirs");
        server_side("kustomize-controller", flux.to_string());
        install(&cluster)?;
        let git = NAMES
            .iter()
            .fold(TestRepo::new(), |git, name| git.file(&format!("{name}.yaml"), config_map(name).data("a", "ours")));
        Ok(Self { git: git.file("new.yaml", plain("new")).commit("all of them"), cluster })
    }

    /// By a name of its own: Argo CD's marks say the name alone, in the whole cluster.
    fn application(&self) -> TestApplication {
        named(self.cluster.name(), &self.cluster, &self.git)
    }

    fn live(&self) -> Vec<Value> {
        NAMES
            .iter()
            .map(|name| live(&self.cluster, "configmap", name).unwrap_or_else(|| panic!("{name} is gone")))
            .collect()
    }
}

/// `helm install legacy`, of one ConfigMap.
fn install(cluster: &TestCluster) -> Result<(), Missing> {
    let chart = folder_with([
        ("Chart.yaml", &"apiVersion: v2\nname: legacy\nversion: 0.1.0\n"),
        ("templates/a.yaml", &config_map("by-helm").data("a", "theirs").to_string()),
    ]);
    let kubeconfig = cluster.kubeconfig().to_string_lossy();
    let arguments = ["install", "legacy", ".", "--namespace", cluster.name(), "--kubeconfig", &kubeconfig];
    helm(&program("helm")?, chart.path(), &arguments);
    Ok(())
}

/// Whoever moves to trueup: nothing is taken over that nobody said to take, in `sync` and `reconcile` alike; each owner is
/// named, and the rest is applied.
#[test]
fn what_somebody_else_applied_is_held_until_it_is_adopted() {
    let legacy = or_skip!(Legacy::new());
    let before = legacy.live();
    let shop = legacy.application();

    let planned = trueup(["sync", "--dry-run"]).of(&shop).exits(1);
    assert!(planned.stdout.contains("5 held"), "{}", planned.transcript());
    for command in [&["reconcile"][..], &["sync", "-y", "--force", "--prune"]] {
        let held = trueup([]).arguments(command).of(&shop).exits(1);
        for owner in [
            &format!("part of Argo CD application `{}`", legacy.cluster.name()),
            "part of Flux Kustomization `flux-system/apps`",
            "part of Helm release `legacy`",
            "applied by kubectl",
            "created by `kubectl-create`",
        ] {
            let line = format!("{owner}; `--adopt` takes it over");
            assert_eq!(held.stdout.matches(&line).count(), 1, "{line}\n{}", held.transcript());
        }
        assert_eq!(legacy.live(), before, "{}", held.transcript());
        assert!(live(&legacy.cluster, "configmap", "new").is_some(), "the rest is applied");
    }

    let adopted = trueup(["sync", "-y", "--adopt"]).of(&shop).exits(0);
    for object in legacy.live() {
        assert_eq!(object["data"]["a"], "ours", "{}", adopted.transcript());
        assert!(object["metadata"]["labels"][PART_OF].is_string(), "{object:#}");
    }
    assert_eq!(trueup(["sync", "-y", "-o", "json"]).of(&shop).exits(0).json()["requests"]["write"], 0);
}

/// What was not adopted is never pruned when git drops it, and never deleted with the application; what was, is.
#[test]
fn what_was_not_adopted_is_never_pruned_or_deleted() {
    let legacy = or_skip!(Legacy::new());
    let before = legacy.live();
    let shop = legacy.application();
    trueup(["sync", "-y"]).of(&shop).exits(1);

    let git = NAMES[..3].iter().fold(legacy.git, |git, name| git.remove(&format!("{name}.yaml"))).commit("dropped");
    let pruned = trueup(["sync", "-y", "--prune", "--max-prune", "100%"]).of(&shop).outcome();
    let legacy = Legacy { git, ..legacy };
    assert_eq!(legacy.live(), before, "{}", pruned.transcript());
    let deleted = trueup(["delete", legacy.cluster.name(), "-y"]).of(&shop).outcome();
    assert_eq!(legacy.live(), before, "{}", deleted.transcript());
    assert!(live(&legacy.cluster, "configmap", "new").is_none(), "{}", deleted.transcript());

    // What Argo CD tracks and git dropped is an extra for as long as it is there.
    trueup(["sync", "-y", "--adopt"]).of(&shop).exits(1);
    let git = legacy.git.remove("by-helm.yaml").commit("dropped, too");
    trueup(["sync", "-y", "--prune", "--max-prune", "100%"]).of(&shop).exits(1);
    assert!(live(&legacy.cluster, "configmap", "by-helm").is_none(), "it was adopted");
    drop(git);
}

/// An object that another application of trueup's has is owned by that application, by its name.
#[test]
fn a_shared_object_is_told_with_the_name_of_its_application() {
    let cluster = or_skip!(TestCluster::namespace());
    let git = TestRepo::new().file("shared.yaml", plain("shared")).commit("shared");
    trueup(["sync", "-y"]).of(&git.application("web").deployed_to(&cluster)).exits(0);

    let refused = trueup(["sync", "-y"]).of(&git.application("shop").deployed_to(&cluster)).exits(2);

    assert!(refused.stderr.contains("is owned by Application `web`"), "{}", refused.transcript());
}
