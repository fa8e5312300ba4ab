//! The image: the Dockerfile's stages, run without Docker, and its container, used as a person would use it.
//!
//! The Dockerfile itself is what runs: `tests/image/container` stands in for Docker. Only the compile of trueup is left out; the
//! binary under test takes its place. A container has the image's user, environment and files, and a read-only root.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use regex::Regex;
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Missing, TestRepo, config_map, folder_with, or_skip, program};
use crate::workflows::runner::read_yaml;

/// The user of the image, as a number: Kubernetes checks `runAsNonRoot` by it.
const USER: u32 = 65532;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One stage of the Dockerfile: its base image, its name, and its instructions in order.
#[derive(Debug, Default)]
struct Stage {
    base: String,
    name: String,
    instructions: Vec<(String, String)>,
}

impl Stage {
    fn all(&self, instruction: &str) -> Vec<&str> {
        let of_kind = self.instructions.iter().filter(|(name, _)| name == instruction);
        of_kind.map(|(_, words)| words.as_str()).collect()
    }

    fn last(&self, instruction: &str) -> &str {
        self.all(instruction).last().copied().unwrap_or_default()
    }

    /// `WORKDIR` and `USER` and the rest hold from where they stand on; this Dockerfile has each once.
    fn work_folder(&self) -> &str {
        self.last("WORKDIR").trim_start_matches('/')
    }
}

fn stages() -> Vec<Stage> {
    let text = fs::read_to_string(repository().join("Dockerfile")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let mut stages = Vec::new();
    for line in lines.join("\n").replace("\\\n", " ").lines().filter(|line| !line.trim().is_empty()) {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let (instruction, rest) = words.split_once(' ').unwrap();
        if instruction == "FROM" {
            let (base, name) = rest.split_once(" AS ").unwrap_or((rest, ""));
            stages.push(Stage { base: base.to_owned(), name: name.to_owned(), instructions: Vec::new() });
        } else {
            let stage: &mut Stage = stages.last_mut().expect("FROM comes first");
            stage.instructions.push((instruction.to_owned(), rest.to_owned()));
        }
    }
    stages
}

/// Whether `.dockerignore` leaves a file of the repository in the build's context.
fn is_in_context(path: &str) -> bool {
    let text = fs::read_to_string(repository().join(".dockerignore")).unwrap();
    let rules: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let (first, exceptions) = rules.split_first().unwrap();
    assert_eq!(*first, "*", "all is ignored, and what is needed is listed");
    exceptions.iter().any(|rule| {
        let kept = rule.strip_prefix('!').expect("only exceptions follow");
        path == kept || path.starts_with(&format!("{kept}/"))
    })
}

/// The files of the build's context, from those that git has or would take.
fn context_files() -> Vec<String> {
    let listed = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(listed).current_dir(repository()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let there = text.lines().filter(|path| is_in_context(path) && repository().join(path).exists());
    there.map(str::to_owned).collect()
}

/// `COPY SOURCE TARGET` from the context into a stage's root.
fn copy_from_context(source: &str, target: &str, stage: &Stage, root: &Path) {
    let mut copied = 0;
    for path in context_files() {
        let below = match source {
            "." => Some(path.as_str()),
            source if path == source => Some(""),
            source => path.strip_prefix(&format!("{source}/")),
        };
        let Some(below) = below else { continue };
        let target =
            if target.starts_with('/') { target.to_owned() } else { format!("{}/{target}", stage.work_folder()) };
        let to = root.join(target.trim_start_matches('/')).join(below);
        let to = if below.is_empty() { root.join(target.trim_start_matches('/')) } else { to };
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(repository().join(&path), to).unwrap();
        copied += 1;
    }
    assert!(copied > 0, "COPY {source}: nothing of it is in the build's context");
}

/// What stages leave for `COPY --from`: a root for each, by its name.
struct StageRoots {
    roots: BTreeMap<String, TempDir>,
}

/// A command without the options of `RUN`.
fn command_of(run: &str) -> String {
    run.split(' ').filter(|word| !word.starts_with("--mount=")).collect::<Vec<_>>().join(" ")
}

/// helm and kustomize: the stage's own files and command, outside of a container because only the compiler would differ.
fn build_tools(stage: &Stage) -> TempDir {
    let root = folder_with([]);
    let folder = root.path().join(stage.work_folder());
    for copy in stage.all("COPY") {
        let (source, target) = copy.split_once(' ').unwrap();
        copy_from_context(source, target, stage, root.path());
    }
    for run in stage.all("RUN") {
        let output = Command::new("bash").args(["-c", &command_of(run)]).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "RUN {run}\n{}", words(&output));
    }
    root
}

/// trueup: its context is complete for Cargo and for each included file; the binary under test stands in for the compile.
fn build_trueup(stage: &Stage) -> TempDir {
    let root = folder_with([]);
    let folder = root.path().join(stage.work_folder());
    copy_from_context(".", ".", stage, root.path());
    let metadata = ["metadata", "--locked", "--offline", "--no-deps", "--format-version=1"];
    let output = Command::new(env!("CARGO")).args(metadata).current_dir(&folder).output().unwrap();
    assert!(output.status.success(), "{}", words(&output));
    let included = Regex::new(r#"include_(?:str|bytes)!\("([^"]+)"\)"#).unwrap();
    for path in context_files().iter().filter(|path| {
        path.starts_with("src/") && Path::new(path).extension().is_some_and(|extension| extension == "rs")
    }) {
        let text = fs::read_to_string(repository().join(path)).unwrap();
        // What only tests include is not compiled into the image.
        let text = text.split("#[cfg(test)]").next().unwrap().to_owned();
        for file in included.captures_iter(&text).map(|found| found[1].to_owned()) {
            let file = folder.join(path).parent().unwrap().join(&file);
            let is_test = path.contains("/tests") || path.contains("_test");
            assert!(is_test || file.exists(), "{path} includes {}, which the context lacks", file.display());
        }
    }
    let compile = stage.last("RUN");
    assert!(compile.contains("cargo build --profile dist --locked --bin trueup"), "{compile}");
    let (_, artifact) = compile.rsplit_once("cp target/dist/trueup ").expect("it is copied out of the cache");
    let artifact = root.path().join(artifact.trim().trim_start_matches('/'));
    fs::create_dir_all(artifact.parent().unwrap()).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_trueup"), artifact).unwrap();
    root
}

/// A container's file system, and what `docker run` would take from the image.
struct Image {
    /// As overlayfs takes them, the top first.
    layers: String,
    user: String,
    environment: Vec<String>,
    entry_point: Vec<String>,
    _files: TempDir,
}

fn image() -> Result<Image, Missing> {
    // Without Go there is no helm to build.
    program("helm4")?;
    program("kustomize")?;
    let [tools, build, last] = <[Stage; 3]>::try_from(stages()).expect("three stages");
    assert_eq!(
        (tools.name.as_str(), build.name.as_str(), last.base.as_str()),
        ("tools", "build", "debian:bookworm-slim")
    );
    let roots = [("tools".to_owned(), build_tools(&tools)), ("build".to_owned(), build_trueup(&build))];
    let stage_roots = StageRoots { roots: roots.into() };
    let (before_run, files) = (folder_with([]), folder_with([]));
    let mut base = None;
    for (instruction, rest) in &last.instructions {
        match instruction.as_str() {
            "RUN" => {
                assert!(base.is_none(), "one RUN, so that one layer is cached");
                base = Some(debian(before_run.path(), rest)?);
            }
            "COPY" => {
                let root = if base.is_none() { before_run.path() } else { files.path() };
                copy(rest, &last, &stage_roots, root);
            }
            "ARG" | "LABEL" | "ENV" | "VOLUME" | "USER" | "WORKDIR" | "ENTRYPOINT" | "CMD" => {}
            other => panic!("this test does not know the instruction {other}"),
        }
    }
    // Folders to mount on.
    for mount in ["repositories", "applications"] {
        fs::create_dir(files.path().join(mount)).unwrap();
    }
    fs::set_permissions(files.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let layers = format!("{}:{}", files.path().display(), base.expect("RUN prepares Debian").display());
    let environment = last.all("ENV").join(" ").split(' ').map(str::to_owned).collect();
    let entry_point = serde_json::from_str(last.last("ENTRYPOINT")).unwrap();
    Ok(Image { layers, user: last.last("USER").to_owned(), environment, entry_point, _files: files })
}

fn copy(rest: &str, stage: &Stage, stage_roots: &StageRoots, root: &Path) {
    let (from, paths) = match rest.strip_prefix("--from=") {
        Some(rest) => rest.split_once(' ').map(|(from, paths)| (Some(from), paths)).unwrap(),
        None => (None, rest),
    };
    let (source, target) = paths.split_once(' ').unwrap();
    let Some(from) = from else { return copy_from_context(source, target, stage, root) };
    let (source, target) = (source.trim_start_matches('/'), root.join(target.trim_start_matches('/')));
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    fs::copy(stage_roots.roots[from].path().join(source), target).unwrap();
}

/// Debian with the final stage's `RUN` done, kept in the cache of test programs for as long as its steps are the same.
fn debian(files: &Path, run: &str) -> Result<PathBuf, Missing> {
    static MAKING: Mutex<()> = Mutex::new(());
    let steps = fs::read_to_string(repository().join("image/system")).unwrap();
    let maker = fs::read_to_string(repository().join("tests/image/container")).unwrap();
    let hash = crate::harness::sha256(format!("{run}\n{steps}\n{maker}").as_bytes());
    let helm = program("helm4")?;
    // <cache>/<hash>/bin/helm4
    let cache = helm.ancestors().nth(3).expect("a cache").join(format!("image-{}", &hash[hash.len() - 12..]));
    let root = cache.join("root");
    // Two tests need the same one.
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if root.exists() {
        return Ok(root);
    }
    let making = cache.join(format!("making-{}", std::process::id()));
    fs::create_dir_all(&making).unwrap();
    let output = container().arg("make").arg(making.join("root")).arg(files).args(run.split(' ')).output().unwrap();
    match output.status.code() {
        Some(0) => {}
        Some(69) => return Err(Missing::of(&words(&output))),
        _ => panic!("RUN {run}\n{}", words(&output)),
    }
    // Another run of the tests may have been faster.
    let moved = fs::rename(making.join("root"), &root);
    assert!(moved.is_ok() || root.exists(), "{moved:?}");
    fs::remove_dir_all(making).unwrap();
    Ok(root)
}

fn container() -> Command {
    Command::new(repository().join("tests/image/container"))
}

fn words(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr));
    // The end says what went wrong.
    all.chars().skip(all.chars().count().saturating_sub(4000)).collect()
}

impl Image {
    /// The entry point with arguments, in a container: mounts as `SOURCE:TARGET`, read-only.
    fn run(&self, volume: &Path, mounts: &[String], arguments: &[&str]) -> Output {
        let mut command = container();
        command.arg("run").arg(&self.layers).arg(volume).arg(&self.user).args(mounts).arg("--");
        command.arg("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").args(&self.environment);
        command.args(&self.entry_point).args(arguments).output().unwrap()
    }
}

/// The image renders each kind of source with its own tools, as a user without rights, on a root that nobody can write.
#[test]
fn the_image_renders_with_its_own_helm_and_kustomize() {
    let image = or_skip!(image());
    assert_eq!(image.user, format!("{USER}:{USER}"));
    let chart = TestRepo::new()
        .file("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n")
        .file(
            "chart/templates/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: by-helm}\ndata: {release: '{{ .Release.Name }}'}\n",
        )
        .file("overlay/kustomization.yaml", "resources: [a.yaml]\nnamePrefix: by-\n")
        .file("overlay/a.yaml", config_map("kustomize"))
        .commit("two kinds");
    let url = "file:///repositories/repo";
    let application = |name: &str, path: &str| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "argocd"},
            "spec": {"project": "default", "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
                "source": {"repoURL": url, "path": path, "targetRevision": "main"}},
        })
    };
    let applications = folder_with([
        ("helm.yaml", &application("helm", "chart")),
        ("kustomize.yaml", &application("kustomize", "overlay")),
    ]);
    let volume = folder_with([]);
    chown(volume.path(), Some(USER), Some(USER)).unwrap();
    for folder in [applications.path(), chart.path().parent().unwrap()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mounts = [
        format!("{}:repositories", chart.path().parent().unwrap().display()),
        format!("{}:applications", applications.path().display()),
    ];

    let rendered = image.run(volume.path(), &mounts, &["render", "/applications"]);

    let stdout = String::from_utf8_lossy(&rendered.stdout);
    assert!(rendered.status.success(), "{}", words(&rendered));
    assert!(stdout.contains("name: by-helm") && stdout.contains("release: helm"), "{}", words(&rendered));
    assert!(stdout.contains("name: by-kustomize"), "{}", words(&rendered));
    // The cache is on the volume, for the next run.
    assert!(volume.path().join(".cache/trueup").is_dir());

    let doctor = image.run(volume.path(), &mounts, &["doctor", "-q"]);
    let found = String::from_utf8_lossy(&doctor.stdout).into_owned();
    for (name, version) in [("helm", newest("helm")), ("kustomize", newest("kustomize"))] {
        let line = found.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default();
        assert!(line.contains(&version), "{name} {version}: {found}");
    }
    assert!(found.contains("git version ") && found.contains("OpenSSH"), "{found}");
}

/// The README's first example in a container: the clone is mounted, and its guestbook compared with a folder.
#[test]
fn the_image_compares_the_guestbook_of_a_mounted_clone() {
    let image = or_skip!(image());
    let clone = folder_with([]);
    let quiet = ["clone", "--quiet", "--depth=1"];
    let url = format!("file://{}", repository().display());
    let cloned = Command::new("git").args(quiet).arg(url).arg(clone.path().join("trueup")).output().unwrap();
    assert!(cloned.status.success(), "{}", words(&cloned));
    fs::set_permissions(clone.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let volume = folder_with([]);
    chown(volume.path(), Some(USER), Some(USER)).unwrap();

    let application = "/repositories/trueup/examples/guestbook/app.yaml";
    let live = "--live=/repositories/trueup/examples/guestbook/live";
    let mounts = [format!("{}:repositories", clone.path().display())];
    let compared = image.run(volume.path(), &mounts, &["diff", application, live]);

    assert_eq!(compared.status.code(), Some(1), "{}", words(&compared));
    assert!(String::from_utf8_lossy(&compared.stdout).contains("1 application  1 out of sync"), "{}", words(&compared));
}

/// The version of a program in tools.txt.
fn newest(name: &str) -> String {
    let text = fs::read_to_string(repository().join("tools.txt")).unwrap();
    let mut lines = text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_whitespace());
    let mut line = lines.find(|line| line.clone().next() == Some(name)).unwrap_or_else(|| panic!("{name} is listed"));
    line.nth(2).unwrap().to_owned()
}

/// The image, the tests and `doctor` speak of the same versions, and go.sum pins exactly those.
#[test]
fn one_list_names_the_versions_of_tools() {
    let module = |folder: &str| {
        fs::read_to_string(repository().join("tests/control-plane").join(folder).join("go.mod")).unwrap()
    };
    for (name, folder, package) in [
        ("helm", "helm", "helm.sh/helm/v4"),
        ("kustomize", "kustomize", "sigs.k8s.io/kustomize/kustomize/v5"),
        ("kubectl", ".", "k8s.io/kubernetes"),
    ] {
        let pinned = format!("{package} v{}", newest(name));
        assert!(module(folder).contains(&pinned), "tests/control-plane/{folder}/go.mod does not have {pinned}");
    }
}

/// What Kubernetes' restricted Pods and registries' pages need of an image.
#[test]
fn the_image_has_a_numeric_user_one_volume_and_labels() {
    let stages = stages();
    let last = stages.last().unwrap();
    assert_eq!(last.last("USER"), format!("{USER}:{USER}"));
    let home = last.last("VOLUME");
    assert_eq!(last.last("ENV"), format!("HOME={home} TMPDIR={home}"));
    assert_eq!(last.last("WORKDIR"), home);
    let labels = last.last("LABEL");
    for label in ["title", "description", "source", "licenses", "version", "revision"] {
        assert!(labels.contains(&format!("org.opencontainers.image.{label}=")), "{label}: {labels}");
    }
}

/// The examples' pods run with a read-only root: what the image writes to is mounted, and nothing in them changes where that is.
#[test]
fn the_cronjobs_mount_the_volume_that_the_image_writes_to() {
    let stages = stages();
    let home = stages.last().unwrap().last("VOLUME");
    for file in ["examples/cronjob/cronjob.yaml", "examples/cronjob/reconcile/cronjob.yaml"] {
        let pod = read_yaml(&repository().join(file))["spec"]["jobTemplate"]["spec"]["template"]["spec"].take();
        assert_eq!(pod["securityContext"]["runAsUser"], USER, "{file}");
        let container = &pod["containers"][0];
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true, "{file}");
        let mounts = container["volumeMounts"].as_array().expect("mounts");
        let mount = mounts.iter().find(|mount| mount["mountPath"] == home).unwrap_or_else(|| panic!("{file}: {home}"));
        assert_ne!(mount["readOnly"], true, "{file}");
        let set = container["env"].as_array().into_iter().flatten();
        assert!(set.clone().all(|variable| variable["name"] != "HOME" && variable["name"] != "TMPDIR"), "{file}");
    }
}
