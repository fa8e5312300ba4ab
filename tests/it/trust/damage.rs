//! A damaged cache: it is verified, not trusted, so that each render is the right one or an error.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use crate::git::server::{self, Manners};
use crate::harness::{
    Answer, HttpServer, Missing, Run, TestApplication, TestChart, TestRepo, folder_with, or_skip, program, trueup,
};

/// How many random damages are done; the environment may ask for more.
fn damages() -> u64 {
    std::env::var("TRUEUP_TEST_DAMAGES").ok().and_then(|count| count.parse().ok()).unwrap_or(24)
}

/// A generator that says the same on every machine (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }
}

/// One machine with a cache; what it renders is fetched from servers, so that everything is kept.
struct Site {
    helm: PathBuf,
    home: TempDir,
    applications: Vec<TestApplication>,
    _git: (TestRepo, server::HttpServer),
    _charts: (TestChart, HttpServer),
}

fn site() -> Result<Site, Missing> {
    let helm = program("helm")?;
    let git = TestRepo::new()
        .file("plain/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {colour: red}\n")
        .file("web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n")
        .file("web/values.yaml", "colour: red\n")
        .file(
            "web/templates/a.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: helm}\ndata: {colour: {{ .Values.colour }}}\n",
        )
        .file(
            "jsonnet/a.jsonnet",
            "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'jsonnet'}, data: import 'b.libsonnet'}",
        )
        .file("jsonnet/b.libsonnet", "{colour: 'red'}")
        .commit("red");
    let server = server::HttpServer::start(git.path().parent().unwrap(), Manners::default());
    let charts = TestChart::folder()?.with("shop", "1.0.0").indexed();
    let folder = charts.path().to_owned();
    let charts_server = HttpServer::start(move |request| Answer::file(&folder, request).with("ETag", "\"one\""));
    let of = |name: &str, path: &str| {
        let source = json!({"repoURL": server.url("repo/.git"), "path": path, "targetRevision": "main"});
        TestApplication::of_source(name, source)
    };
    let chart = json!({"repoURL": charts_server.url(), "chart": "shop", "targetRevision": "1.x"});
    let applications = vec![
        of("plain", "plain"),
        of("web", "web"),
        of("jsonnet", "jsonnet"),
        TestApplication::of_source("chart", chart),
    ];
    Ok(Site { helm, home: folder_with([]), applications, _git: (git, server), _charts: (charts, charts_server) })
}

impl Site {
    fn render(&self) -> Run {
        let run = trueup(["render", "-o", "json"]).home(self.home.path()).env("TRUEUP_HELM", &self.helm);
        self.applications.iter().fold(run, |run, application| run.argument(application.manifest()))
    }

    fn cache(&self) -> PathBuf {
        self.home.path().join("cache/trueup")
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.symlink_metadata().unwrap().is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, from.metadata().unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), &place).unwrap();
        }
    }
}

/// Damages one file of the cache, at random; what was done, for the failure's message.
fn damage(cache: &Path, dice: &mut Dice) -> String {
    let mut files = Vec::new();
    files_below(cache, &mut files);
    let path = files[dice.below(files.len())].clone();
    let shown = path.strip_prefix(cache).unwrap().display().to_string();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let bytes = fs::read(&path).unwrap();
    match dice.below(6) {
        0 | 1 if !bytes.is_empty() => {
            // Size and times stay as they were.
            let time = path.metadata().unwrap().modified().unwrap();
            let (at, bit) = (dice.below(bytes.len()), dice.below(8));
            let mut flipped = bytes;
            flipped[at] ^= 1 << bit;
            fs::write(&path, flipped).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
            format!("bit {bit} of byte {at} of {shown} flipped")
        }
        2 => {
            let length = dice.below(bytes.len());
            fs::write(&path, &bytes[..length]).unwrap();
            format!("{shown} cut to {length} bytes")
        }
        3 => {
            fs::remove_file(&path).unwrap();
            format!("{shown} removed")
        }
        4 => {
            let other = files[dice.below(files.len())].clone();
            let with = fs::read(&other).unwrap();
            fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
            fs::write(&path, with).unwrap();
            fs::write(&other, bytes).unwrap();
            format!("{shown} swapped with {}", other.display())
        }
        _ => {
            let added = path.with_file_name(format!("added-{}.yaml", dice.below(100)));
            fs::write(&added, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: added}\n").unwrap();
            format!("{} added", added.display())
        }
    }
}

/// 138 random damages gave 62 wrong renders once. None is right: damage means fetching or rendering again.
#[test]
fn no_damage_of_the_cache_changes_a_render() {
    let site = or_skip!(site());
    let clean = site.render().exits(0).stdout;
    assert_eq!(clean.matches("red").count(), 4, "{clean}");
    assert_eq!(site.render().exits(0).stdout, clean);
    let whole = site.home.path().join("whole");
    copy(&site.cache(), &whole);
    let mut dice = Dice(0x5eed_0fda_3a6e);
    let mut errors = Vec::new();
    for number in 0..damages() {
        let done = damage(&site.cache(), &mut dice);
        let outcome = site.render().outcome();
        match outcome.code {
            Some(0) => assert_eq!(outcome.stdout, clean, "damage {number}: {done}\n{}", outcome.transcript()),
            _ => errors.push(format!("{done}: {}", outcome.stderr)),
        }
        // What was damaged is made again: the next run needs no help.
        let next = site.render().outcome();
        assert!(next.code != Some(0) || next.stdout == clean, "after damage {number}: {done}\n{}", next.transcript());
        fs::remove_dir_all(site.cache()).unwrap();
        copy(&whole, &site.cache());
    }
    assert!(errors.is_empty(), "{} of {} damages are errors:\n{}", errors.len(), damages(), errors.join("\n"));
}
