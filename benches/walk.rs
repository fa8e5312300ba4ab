//! How long it takes to find the Applications of a repository: 10,000 YAML files in 100 folders, of which one is an Application.
//!
//! `cargo bench --bench walk` prints the best and the median of some rounds, without and with the filter by words; the files are
//! in the page cache.
#![expect(clippy::disallowed_methods, reason = "a benchmark writes the files that are read")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark ends with the panic")]

use std::time::{Duration, Instant};

use trueup::app;
use trueup::cli::manifests::{ManifestPath, ManifestTexts, StandardInput, read, read_argo_cd};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 11;
const FOLDERS: usize = 100;
const FILES: usize = 100;
const MANIFESTS: &str = include_str!("manifests.yaml");
const APPLICATION: &str = "apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  project: default
  source: {repoURL: https://git.example.com/shop, path: shop}
  destination: {name: in-cluster}
";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    for directory in 0..FOLDERS {
        let path = folder.path().join(format!("team-{directory}/manifests"));
        std::fs::create_dir_all(&path).unwrap();
        for file in 0..FILES {
            let text = MANIFESTS.replace("NUMBER", &format!("{directory}-{file}"));
            std::fs::write(path.join(format!("{file}.yaml")), text).unwrap();
        }
    }
    std::fs::write(folder.path().join("shop.yaml"), APPLICATION).unwrap();
    let paths = [ManifestPath::Path(folder.path().to_owned())];
    measure("every file parsed", &paths, read);
    measure("files with words of Argo CD parsed", &paths, read_argo_cd);
}

fn measure(what: &str, paths: &[ManifestPath], walk: impl Fn(&[ManifestPath], StandardInput<'_>) -> ManifestTexts) {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let found = walk(paths, StandardInput { reader: &mut std::io::empty(), is_terminal: true });
            let applications = app::read(&found.texts).applications.len();
            assert_eq!(applications, 1);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("{what}: best {:.0?}, median {:.0?}", times[0], times[ROUNDS / 2]);
}
