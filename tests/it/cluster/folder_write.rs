//! What is written to a folder: the rendered-manifests pattern, with the records and locks of a sync.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use trueup::cluster::{
    Cluster, ClusterError, ClusterSettings, Deleted, Deletion, ListRequest, ObjectName, Reason, Refusal, Validation,
    Writing, Written,
};
use trueup::object::{Gvk, Object};

use super::write::{done, refused};
use super::{Asked, names, told};

/// A folder that is written to.
struct Live {
    folder: tempfile::TempDir,
    asked: Asked,
}

impl Live {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Self { asked: asked(folder.path()), folder }
    }

    /// The same folder, as the next run finds it.
    fn again(&self) -> Asked {
        asked(self.folder.path())
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// Every file, but those of locks.
    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path.strip_prefix(self.folder.path()).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        files.retain(|file| file != ".trueup/.lock");
        files.sort();
        files
    }

    fn apply(&self, object: &Object) -> Written {
        apply(&self.asked, object).unwrap()
    }

    fn create(&self, object: &Object) -> Written {
        create(&self.asked, object)
    }

    fn replace(&self, object: &Object) -> Written {
        let cluster = self.asked.cluster();
        self.asked.runtime.block_on(cluster.replace(object, Validation::Strict, Writing::Really)).unwrap()
    }

    fn patch(&self, object: &ObjectName, patch: &Value) -> Written {
        self.asked.runtime.block_on(self.asked.cluster().patch(object, patch, Writing::Really)).unwrap()
    }

    fn delete(&self, object: &ObjectName, deletion: &Deletion) -> Deleted {
        self.asked.runtime.block_on(self.asked.cluster().delete(object, deletion, Writing::Really)).unwrap()
    }
}

/// The folder, read.
fn asked(folder: &Path) -> Asked {
    let asked = Asked::with(ClusterSettings { live: Some(folder.to_owned()), ..ClusterSettings::default() });
    asked.kinds().unwrap();
    asked
}

fn apply(asked: &Asked, object: &Object) -> Result<Written, ClusterError> {
    asked.runtime.block_on(asked.cluster().apply(object, Validation::Strict, Writing::Really))
}

fn create(asked: &Asked, object: &Object) -> Written {
    asked.runtime.block_on(asked.cluster().create(object, Validation::Strict, Writing::Really)).unwrap()
}

fn get(asked: &Asked, object: &ObjectName) -> Option<Object> {
    asked.runtime.block_on(asked.cluster().get(object)).unwrap()
}

fn object(api_version: &str, kind: &str, namespace: &str, name: &str) -> Object {
    let metadata = json!({ "name": name, "namespace": namespace });
    Object::new(json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata })).unwrap()
}

fn config_map(name: &str, data: Value) -> Object {
    let mut object = object("v1", "ConfigMap", "shop", name);
    object.value_mut().insert("data".to_owned(), data);
    object
}

fn named(object: &Object) -> ObjectName {
    let namespace = Some(object.namespace().to_owned()).filter(|namespace| !namespace.is_empty());
    ObjectName { gvk: object.gvk(), namespace, name: object.name().to_owned() }
}

fn part_of(mut object: Object) -> Object {
    object.set_label("applyset.kubernetes.io/part-of", "applyset-shop");
    object
}

const SETTINGS: &str = "# who to ask: the shop team\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: shop\ndata:\n  colour: red # as agreed\n";
const OTHER: &str = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: other,   namespace: shop}\n";

/// An object stays in the file where people know it, and nobody else's document is touched.
#[test]
fn an_object_is_rewritten_where_it_came_from() {
    let live = Live::with(&[("all.yaml", &format!("{OTHER}---\n{SETTINGS}---\n{OTHER}"))]);

    let written = done(live.apply(&config_map("settings", json!({ "colour": "blue" }))));

    let new = "# who to ask: the shop team\napiVersion: v1\ndata:\n  colour: blue\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: shop\n";
    assert_eq!(live.read("all.yaml"), format!("{OTHER}---\n{new}---\n{OTHER}"));
    assert_eq!(written.origin().unwrap().to_string(), "all.yaml:6");
    for asked in [&live.asked, &live.again()] {
        assert_eq!(get(asked, &named(&written)).unwrap().value()["data"], json!({ "colour": "blue" }));
    }
    assert_eq!(live.files(), ["all.yaml"]);
}

/// What is as it should be is not written: no noise in the history of a branch of rendered manifests.
#[test]
fn what_is_the_same_is_not_written() {
    let live = Live::with(&[("all.yaml", SETTINGS)]);
    let before = fs::metadata(live.folder.path().join("all.yaml")).unwrap().modified().unwrap();

    done(live.apply(&config_map("settings", json!({ "colour": "red" }))));

    assert_eq!(live.read("all.yaml"), SETTINGS);
    assert_eq!(fs::metadata(live.folder.path().join("all.yaml")).unwrap().modified().unwrap(), before);
}

/// New objects are where a person looks for them; what only a server says is not in the files.
#[test]
fn a_new_object_gets_a_file_of_its_own() {
    let live = Live::with(&[]);
    let mut deployment = object("apps/v1", "Deployment", "shop", "web");
    deployment.value_mut()["metadata"].as_object_mut().unwrap().extend(
        json!({ "uid": "1", "resourceVersion": "7", "creationTimestamp": null, "managedFields": [] })
            .as_object()
            .unwrap()
            .clone(),
    );
    let mut namespace = object("v1", "Namespace", "", "shop");
    namespace.set_namespace(None);
    let mut default = object("v1", "Service", "", "web");
    default.set_namespace(None);
    for object in [&deployment, &namespace, &default, &object("v1", "ConfigMap", "..", "../../x")] {
        done(live.create(object));
        assert_eq!(refused(live.create(object)).reason, Reason::AlreadyExists);
    }

    assert_eq!(
        live.files(),
        [
            "%2E./configmap-%2E.%2F..%2Fx.yaml",
            "_cluster/namespace-shop.yaml",
            "default/service-web.yaml",
            "shop/deployment.apps-web.yaml",
        ]
    );
    assert_eq!(
        live.read("shop/deployment.apps-web.yaml"),
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: shop\n"
    );
    assert_eq!(names(&live.again().list("apps/v1", "Deployment", Some("shop")).unwrap()), ["web"]);
}

/// A folder that a link leads out of is not written through.
#[cfg(unix)]
#[test]
fn no_link_leads_out_of_the_folder() {
    let elsewhere = tempfile::tempdir().unwrap();
    let live = Live::with(&[]);
    std::os::unix::fs::symlink(elsewhere.path(), live.folder.path().join("shop")).unwrap();

    let error = apply(&live.asked, &config_map("settings", json!({}))).unwrap_err();

    assert!(matches!(error, ClusterError::FolderWrite { .. }), "{error:?}");
    assert!(told(&error).contains("`shop/configmap-settings.yaml` cannot be written: a link"), "{}", told(&error));
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

/// The version of an object is its content: whoever read another one is told.
#[test]
fn a_version_is_a_content() {
    let live = Live::with(&[("all.yaml", SETTINGS)]);
    let settings = config_map("settings", json!({ "colour": "red" }));
    let seen = get(&live.asked, &named(&settings)).unwrap();
    assert!(!seen.resource_version().is_empty());
    fs::write(live.folder.path().join("all.yaml"), SETTINGS.replace("red", "green")).unwrap();

    assert_eq!(refused(live.replace(&seen)).reason, Reason::Conflict, "somebody edited the file");
    let deletion = Deletion { resource_version: Some(seen.resource_version().to_owned()), ..Deletion::default() };
    let Deleted::Refused(Refusal { reason, .. }) = live.delete(&named(&settings), &deletion) else { panic!("deleted") };
    assert_eq!(reason, Reason::Conflict);

    let replaced = done(live.replace(&settings));
    assert_eq!(done(live.replace(&replaced)).resource_version(), replaced.resource_version());
    assert_eq!(refused(live.replace(&config_map("nobody", json!({})))).reason, Reason::NotFound);
}

/// A patch is for what was seen.
#[test]
fn a_patch_of_a_file_fits_or_is_refused() {
    let live = Live::with(&[("all.yaml", SETTINGS)]);
    let name = named(&config_map("settings", json!({})));
    let patch = json!([
        { "op": "test", "path": "/data/colour", "value": "red" }, { "op": "remove", "path": "/data/colour" },
        { "op": "add", "path": "/data/size", "value": "2" },
    ]);

    assert_eq!(done(live.patch(&name, &patch)).value()["data"], json!({ "size": "2" }));
    assert_eq!(refused(live.patch(&name, &patch)).reason, Reason::Conflict);
    let renamed = json!([{ "op": "replace", "path": "/metadata/name", "value": "other" }]);
    assert_eq!(refused(live.patch(&name, &renamed)).reason, Reason::Conflict);
    let version = json!([{ "op": "replace", "path": "/metadata/resourceVersion", "value": "old" }]);
    assert_eq!(refused(live.patch(&name, &version)).reason, Reason::Conflict);
    assert_eq!(live.files(), ["all.yaml"]);
}

/// What git drops goes from every file that has it; an empty file does not stay.
#[test]
fn a_deleted_object_leaves_nothing_behind() {
    let live = Live::with(&[("a.yaml", SETTINGS), ("b/two.yaml", &format!("{OTHER}---\n{SETTINGS}"))]);
    let name = named(&config_map("settings", json!({})));
    let other_uid = Deletion { uid: Some("7".to_owned()), ..Deletion::default() };
    assert_eq!(live.delete(&name, &other_uid), Deleted::Absent);

    assert_eq!(live.delete(&name, &Deletion::default()), Deleted::Gone);

    assert_eq!((live.files(), live.read("b/two.yaml")), (vec!["b/two.yaml".to_owned()], OTHER.to_owned()));
    assert_eq!(live.delete(&name, &Deletion::default()), Deleted::Absent);
    assert_eq!(names(&live.again().list("v1", "ConfigMap", None).unwrap()), ["other"]);
}

/// A plan is tried before it is done, also here.
#[test]
fn a_dry_run_touches_no_file() {
    let live = Live::with(&[("all.yaml", SETTINGS)]);
    let changed = config_map("settings", json!({ "colour": "blue" }));
    let (cluster, strict, dry) = (live.asked.cluster(), Validation::Strict, Writing::DryRun);
    let name = named(&changed);
    let run = |written: Result<Written, ClusterError>| done(written.unwrap());

    live.asked.runtime.block_on(async {
        assert_eq!(run(cluster.apply(&changed, strict, dry).await).value()["data"], json!({ "colour": "blue" }));
        run(cluster.replace(&changed, strict, dry).await);
        run(cluster.create(&config_map("new", json!({})), strict, dry).await);
        let patch = json!([{ "op": "remove", "path": "/data/colour" }]);
        run(cluster.patch(&name, &patch, dry).await);
        assert_eq!(cluster.delete(&name, &Deletion::default(), dry).await.unwrap(), Deleted::Gone);
        assert_eq!(cluster.get(&name).await.unwrap().unwrap().value()["data"], json!({ "colour": "red" }));
    });

    assert_eq!((live.files(), live.read("all.yaml")), (vec!["all.yaml".to_owned()], SETTINGS.to_owned()));
    assert!(!live.folder.path().join(".trueup").exists());
}

/// Records and locks stand aside; two runs see each other's at once, and only one of them makes the lock.
#[test]
fn records_and_locks_stand_aside_and_are_never_stale() {
    let live = Live::with(&[("all.yaml", SETTINGS)]);
    let lease = object("coordination.k8s.io/v1", "Lease", "shop", "trueup-shop");
    let record = config_map("trueup-shop", json!({ "a": "1" }));
    let other_run = live.again();
    let made = done(live.create(&lease));
    assert_eq!(refused(create(&other_run, &lease)).reason, Reason::AlreadyExists);
    done(live.create(&record));

    assert_eq!(
        live.files(),
        [
            ".trueup/shop/configmap-trueup-shop.yaml",
            ".trueup/shop/lease.coordination.k8s.io-trueup-shop.yaml",
            "all.yaml"
        ]
    );
    let mut seen = get(&other_run, &named(&lease)).expect("the other run sees the lock");
    seen.value_mut().insert("spec".to_owned(), json!({ "holderIdentity": "other" }));
    let cluster = other_run.cluster();
    let taken = other_run.runtime.block_on(cluster.replace(&seen, Validation::Strict, Writing::Really)).unwrap();
    done(taken);
    assert_eq!(refused(live.replace(&made)).reason, Reason::Conflict, "the lock was taken over");
    assert_eq!(get(&live.asked, &named(&lease)).unwrap().value()["spec"]["holderIdentity"], "other");

    let listed = live.again();
    assert_eq!(names(&listed.list("v1", "ConfigMap", Some("shop")).unwrap()), ["settings", "trueup-shop"]);
    let sweep = ListRequest { gvk: Gvk::from_api_version("v1", "ConfigMap"), namespace: None, metadata_only: true };
    assert_eq!(names(&listed.list_as(&sweep).unwrap()), ["settings"], "it is nobody's extra");
    live.delete(&named(&lease), &Deletion::default());
    assert_eq!(get(&other_run, &named(&lease)), None);
}

/// Many at once, of one run and of two: no write is lost, and one of all wins the lock.
#[test]
fn writes_side_by_side_are_all_done() {
    let live = Live::with(&[("all.yaml", SETTINGS)]);
    let runs: Vec<Asked> = (0..4).map(|_| live.again()).collect();
    let lease = object("coordination.k8s.io/v1", "Lease", "shop", "trueup-shop");
    let locked: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = runs
            .iter()
            .enumerate()
            .map(|(run, asked)| {
                let lease = &lease;
                scope.spawn(move || {
                    let locked = matches!(create(asked, lease), Written::Done(_));
                    let cluster: Arc<dyn Cluster> = asked.cluster();
                    let key = format!("/data/run-{run}");
                    let name = named(&config_map("settings", json!({})));
                    for _ in 0..5 {
                        let patch = json!([{ "op": "add", "path": key, "value": "done" }]);
                        done(asked.runtime.block_on(cluster.patch(&name, &patch, Writing::Really)).unwrap());
                    }
                    usize::from(locked)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });

    assert_eq!(locked, 1);
    let settings = get(&live.again(), &named(&config_map("settings", json!({})))).unwrap();
    let expected = json!({ "colour": "red", "run-0": "done", "run-1": "done", "run-2": "done", "run-3": "done" });
    assert_eq!(settings.value()["data"], expected);
}

/// A prune asks for a proof that trueup wrote an object; a copy by hand under another name has none, and neither has one
/// that somebody labelled. The proof changes with the content, so that no edit looks untouched.
#[test]
fn what_trueup_wrote_says_so() {
    let live = Live::with(&[]);
    let ours = part_of(config_map("settings", json!({ "colour": "red" })));
    done(live.apply(&ours));
    let file = "shop/configmap-settings.yaml";
    let text = live.read(file);
    assert!(text.starts_with("# Written by trueup: ConfigMap shop/settings\napiVersion: v1\n"), "{text}");
    fs::write(live.folder.path().join("shop/copy.yaml"), text.replace("name: settings", "name: copy")).unwrap();
    let entries = |asked: &Asked, name: &str| {
        let object = get(asked, &named(&config_map(name, json!({})))).unwrap();
        object.metadata().unwrap().get("managedFields").cloned()
    };

    let again = live.again();
    let entry = entries(&again, "settings").unwrap();
    assert_eq!(entry, entries(&live.asked, "settings").unwrap());
    assert_eq!((&entry[0]["manager"], &entry[0]["operation"]), (&json!("trueup"), &json!("Apply")));
    assert!(entry[0]["fieldsV1"]["f:metadata"]["f:labels"].get("f:applyset.kubernetes.io/part-of").is_some());
    assert_eq!(entries(&again, "copy"), None);
    fs::write(live.folder.path().join(file), text.replace("red", "blue")).unwrap();
    assert_ne!(entries(&live.again(), "settings").unwrap(), entry);
}

/// A definition and its objects in one sync.
#[test]
fn a_new_kind_is_known_once_its_definition_is_written() {
    let live = Live::with(&[]);
    let gvk = Gvk::from_api_version("shop.example.com/v1", "Site");
    let mut definition = object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "sites.shop.example.com");
    definition.set_namespace(None);
    definition.value_mut().insert(
        "spec".to_owned(),
        json!({
            "group": "shop.example.com", "scope": "Cluster", "names": { "kind": "Site", "plural": "sites" },
            "versions": [{ "name": "v1", "served": true, "storage": true }],
        }),
    );
    assert!(live.asked.kinds().unwrap().exact(&gvk).is_none());

    done(live.apply(&definition));
    let kinds = live.asked.runtime.block_on(live.asked.cluster().rediscover_kinds()).unwrap();
    assert!(kinds.exact(&gvk).is_some());
    done(live.apply(&object("shop.example.com/v1", "Site", "left-over", "main")));

    assert!(live.files().contains(&"_cluster/site.shop.example.com-main.yaml".to_owned()), "{:?}", live.files());
    live.delete(&named(&definition), &Deletion::default());
    assert!(live.asked.kinds().unwrap().exact(&gvk).is_some(), "its objects are still there");
}

/// A hook without a name gets one, as from the server.
#[test]
fn a_name_is_generated_for_a_hook() {
    let live = Live::with(&[]);
    let mut hook = config_map("", json!({}));
    hook.value_mut()["metadata"] = json!({ "generateName": "hook-", "namespace": "shop" });

    let made = done(live.create(&hook));

    assert!(made.name().starts_with("hook-") && made.name().len() == 10, "{}", made.name());
    assert_eq!(refused(live.apply(&hook)).reason, Reason::Invalid);
}

/// A file that somebody broke meanwhile is not overwritten.
#[test]
fn a_file_that_cannot_be_read_is_not_written() {
    let live = Live::with(&[("all.yaml", SETTINGS)]);
    let broken = format!("{SETTINGS}---\na: [\n");
    fs::write(live.folder.path().join("all.yaml"), &broken).unwrap();

    let error = apply(&live.asked, &config_map("settings", json!({}))).unwrap_err();

    assert!(told(&error).contains("`all.yaml` line "), "{}", told(&error));
    assert_eq!(live.read("all.yaml"), broken);
}
