//! What programs rendered before: an unchanged source starts no program.
//!
//! In: everything that decides what a program writes. Out: what it wrote the last time, if that is kept.
//!
//! An entry is named by the hash of all its inputs: the files (the folder of one revision's files, in the cache of
//! repositories), the source's fields, the build environment, the program (its file, size and time; its version, too, where it
//! starts another one), the cluster's version and kinds, the revisions that references lead to. Nothing is kept of a working
//! tree, whose files change under one name; of a render that fetched something; of one with warnings or gaps; of plugins; of folders
//! of a few plain manifests. Rendered Secrets are in here: the folder is private to its owner, or it is not used.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use serde_json::{Value, json};

use super::program::{Program, ProgramError};
use super::settings::{CacheSettings, Programs};
use super::{RenderInput, capabilities, kustomize};
use crate::app::source::SourceKind;
use crate::object::{Object, Origin};
use crate::render::Target;
use crate::storage::{make_private, seal, unseal};

/// Changes whenever entries would be read or named otherwise.
const FORMAT: u64 = 4;

impl CacheSettings {
    /// A cache in this folder, of this size.
    pub fn new(folder: PathBuf, bytes: u64) -> Self {
        Self { folder, bytes, is_private: OnceLock::new(), programs: Programs::default(), grown: OnceLock::new() }
    }

    /// Makes the folder ready, once in a run.
    fn is_ready(&self) -> bool {
        *self.is_private.get_or_init(|| make_private(&self.folder).is_ok())
    }

    /// Whether something was added in this run.
    pub fn has_grown(&self) -> bool {
        self.grown.get().is_some()
    }

    /// Removes what was not used for longest until the rest is within the limit. Errors here are ignored: the next
    /// run tries again.
    pub fn shrink(&self) {
        let Ok(found) = fs::read_dir(&self.folder) else { return };
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = found
            .flatten()
            .filter_map(|entry| {
                let meta = entry.metadata().ok()?;
                Some((meta.modified().ok()?, meta.len(), entry.path()))
            })
            .collect();
        let mut total: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
        entries.sort();
        for (_, bytes, path) in entries {
            if total <= self.bytes {
                return;
            }
            if fs::remove_file(path).is_ok() {
                total = total.saturating_sub(bytes);
            }
        }
    }
}

/// The place of one render.
#[derive(Debug)]
pub(super) struct CachedRender<'a> {
    path: PathBuf,
    settings: &'a CacheSettings,
}

impl<'a> CachedRender<'a> {
    /// The place for what a tool makes of a source; nothing where it is not kept.
    pub(super) fn of(input: &RenderInput<'a>, tool: SourceKind) -> Option<Self> {
        let settings = input.settings.cache.as_ref()?;
        if !input.is_pinned || input.revision.is_empty() {
            return None;
        }
        let programs = settings.is_ready().then(|| settings.programs.of(tool, input)).flatten()?;
        let references = input.references.identities().collect::<Option<Vec<_>>>()?;
        let mut source = input.source.clone();
        // Where the manifest stands is no input.
        source.line = 0;
        let inputs = json!({
            "format": FORMAT,
            "version": env!("CARGO_PKG_VERSION"),
            "tool": tool.as_str(),
            "programs": programs,
            "buildOptions": input.settings.programs.kustomize_build_options,
            "combinedSize": input.settings.combined_size,
            "disabled": format!("{:?}", input.settings.disabled),
            "files": [input.root.to_string_lossy(), input.revision, input.shown_folder()],
            "source": format!("{source:?}"),
            "references": references,
            "environment": input.environment().variables().collect::<Vec<_>>(),
            "release": input.application.name,
            "namespace": input.application.destination.namespace,
            "cluster": capabilities::fingerprint(input.kinds).to_hex().as_str(),
        });
        let name = blake3::hash(&serde_json::to_vec(&inputs).ok()?).to_hex();
        Some(Self { path: settings.folder.join(format!("{name}.json")), settings })
    }

    /// The seal: the hash of all its inputs.
    fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The cached content; `None` when it is missing or incomplete.
    pub(super) fn read(&self) -> Option<Target> {
        let mut file = File::options().read(true).write(true).open(&self.path).ok()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        // It was used: others are removed first.
        let _ = file.set_modified(SystemTime::now());
        // Any damage means rendering again.
        let bytes = unseal(&self.name(), &bytes)?;
        let Value::Array(kept) = serde_json::from_slice(bytes).ok()? else { return None };
        let objects: Option<Vec<Object>> = kept.into_iter().map(object).collect();
        Some(Target { objects: objects?, ..Target::default() })
    }

    /// Keeps what was rendered. A disk that does not take it costs time the next time, and nothing else.
    pub(super) fn keep(&self, target: &Target) {
        if !target.warnings.is_empty() || !target.gaps.is_empty() {
            return;
        }
        self.settings.grown.get_or_init(|| ());
        let kept: Vec<Value> = target.objects.iter().map(value).collect();
        let write = || -> io::Result<()> {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            // Only its owner may read it, and it appears only when whole.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&seal(&self.name(), &serde_json::to_vec(&kept)?))?;
            file.persist(&self.path)?;
            Ok(())
        };
        let _ = write();
    }
}

fn value(object: &Object) -> Value {
    let origin = object.origin().map(|origin| json!([&*origin.file, origin.line]));
    json!({"object": object.value(), "origin": origin})
}

fn object(mut kept: Value) -> Option<Object> {
    let object = Object::new(kept.get_mut("object")?.take()).ok()?;
    let Some(origin) = kept.get("origin").and_then(Value::as_array) else { return Some(object) };
    let (file, line) = (origin.first()?.as_str()?, origin.get(1)?.as_u64()?);
    Some(object.with_origin(Origin { file: Arc::from(file), line: usize::try_from(line).ok()? }))
}

impl Programs {
    /// Those that take part, looked at once in a run.
    fn of(&self, tool: SourceKind, input: &RenderInput<'_>) -> Option<&Vec<Value>> {
        let settings = &input.settings.programs;
        let found = match tool {
            SourceKind::Helm => {
                self.helm.get_or_init(|| identities(Program::helm(settings).map(|helm| vec![helm]), input))
            }
            SourceKind::Kustomize => self.kustomize.get_or_init(|| identities(kustomize::programs(settings), input)),
            SourceKind::Directory | SourceKind::Ksonnet => {
                self.ourselves.get_or_init(|| Some(vec![file_identity(&input.settings.program)?]))
            }
            SourceKind::Plugin => return None,
        };
        found.as_ref()
    }
}

fn identities(programs: Result<Vec<Program>, ProgramError>, input: &RenderInput<'_>) -> Option<Vec<Value>> {
    programs.ok()?.iter().map(|program| identity(program, input)).collect()
}

fn identity(program: &Program, input: &RenderInput<'_>) -> Option<Value> {
    let path = program.path.canonicalize().ok()?;
    let starts = if starts_another(program, &path).ok()? { Some(program.version(input).ok()?) } else { None };
    Some(json!([file_identity(&path)?, starts]))
}

fn file_identity(path: &Path) -> Option<Value> {
    let path = path.canonicalize().ok()?;
    let meta = path.metadata().ok()?;
    let time = meta.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(json!([path.to_string_lossy(), meta.len(), time.as_nanos().to_string()]))
}

/// A script, or one program under many names (snap), starts the one that is meant, which may change beneath it.
fn starts_another(program: &Program, path: &Path) -> io::Result<bool> {
    let mut start = [0; 2];
    let length = File::open(path)?.read(&mut start)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(start[..length] == *b"#!" || !program.name.split(' ').any(|known| name.contains(known)))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests make the files that they look at")]
mod tests {
    use std::time::Duration;

    use super::*;

    fn target() -> Target {
        let object = Object::new(json!({"apiVersion": "v1", "kind": "Secret", "data": {"n": 1.5, "i": 3}})).unwrap();
        let origin = Origin { file: "web/templates/a.yaml".into(), line: 0 };
        Target { objects: vec![object.clone().with_origin(origin), object], ..Target::default() }
    }

    #[test]
    fn what_is_kept_is_read_again_and_what_is_broken_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let settings = CacheSettings::new(folder.path().to_owned(), 1 << 20);
        let entry = CachedRender { path: folder.path().join("key.json"), settings: &settings };
        assert_eq!((entry.read(), settings.has_grown()), (None, false));
        entry.keep(&target());
        assert_eq!((entry.read(), settings.has_grown()), (Some(target()), true));
        for broken in ["", "[", "{}", r#"[{"object": {"kind": "A"}}]"#, r#"[{"origin": null}]"#] {
            for broken in [broken.as_bytes().to_vec(), seal("key", broken.as_bytes())] {
                fs::write(&entry.path, &broken).unwrap();
                assert_eq!(entry.read(), None, "{}", String::from_utf8_lossy(&broken));
            }
        }
        // The render of another source, by mistake in this one's place.
        entry.keep(&target());
        let other = CachedRender { path: folder.path().join("other.json"), settings: &settings };
        fs::rename(&entry.path, &other.path).unwrap();
        assert_eq!(other.read(), None);
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        for (age, name) in [(300, "oldest"), (200, "older"), (100, "newer")] {
            fs::write(folder.path().join(name), [0; 100]).unwrap();
            let file = File::options().write(true).open(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        CacheSettings::new(folder.path().to_owned(), 250).shrink();
        let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["newer", "older"]);
    }
}
