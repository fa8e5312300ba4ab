//! How fast manifests are read: 10 MB of Deployments and ConfigMaps, on one core.
//!
//! `cargo bench --bench parse` prints the best and the median of some rounds, in MB/s; `cargo bench --bench parse FILE…`
//! reads these files.
#![expect(clippy::print_stdout, reason = "a benchmark is a program of its own")]

use std::fmt::Write as _;
use std::time::Instant;

use trueup::object::yaml::{Limits, WithPositions, decode, read};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 11;
const SIZE: usize = 10_000_000;
const MANIFESTS: &str = include_str!("manifests.yaml");

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    if files.is_empty() {
        let yaml = repeated(MANIFESTS);
        measure("YAML", &yaml, WithPositions::No);
        measure("YAML, with positions", &yaml, WithPositions::Yes);
        measure("JSON", &as_json(&yaml), WithPositions::No);
    }
    for file in files {
        match std::fs::read(&file) {
            Ok(bytes) => match decode(&bytes) {
                Ok(text) => measure(&file, &text, WithPositions::No),
                Err(error) => println!("{file}: {error}"),
            },
            Err(error) => println!("{file}: {error}"),
        }
    }
}

/// The manifests again and again, each time with names of their own.
fn repeated(manifests: &str) -> String {
    let mut text = String::with_capacity(SIZE + manifests.len());
    for number in 0.. {
        if text.len() >= SIZE {
            break;
        }
        text.push_str(&manifests.replace("NUMBER", &number.to_string()));
        text.push_str("---\n");
    }
    text
}

fn as_json(yaml: &str) -> String {
    let mut text = String::new();
    for document in read(yaml, &Limits::default(), WithPositions::No).into_iter().flatten() {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}", document.value);
    }
    text
}

#[expect(clippy::cast_precision_loss, reason = "a speed is no exact number")]
fn measure(what: &str, text: &str, positions: WithPositions) {
    let megabytes = text.len() as f64 / 1e6;
    let mut speeds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let documents = read(text, &Limits::default(), positions);
            let seconds = start.elapsed().as_secs_f64();
            drop(documents);
            megabytes / seconds
        })
        .collect();
    speeds.sort_by(f64::total_cmp);
    println!("{what}: {megabytes:.1} MB, best {:.1} MB/s, median {:.1} MB/s", speeds[ROUNDS - 1], speeds[ROUNDS / 2]);
}
