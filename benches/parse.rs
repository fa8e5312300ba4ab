//! How fast manifests are read: 10 MB of Deployments and ConfigMaps, on one core; and how fast an Argo CD policy of 10,000 lines
//! decides 1,000 questions.
//!
//! `cargo bench --bench parse` prints the best and the median of some rounds, in MB/s; `cargo bench --bench parse FILE…`
//! reads these files.
#![expect(clippy::print_stdout, reason = "a benchmark is a program of its own")]

use std::fmt::Write as _;
use std::time::Instant;

use trueup::app::policy::{Policy, PolicySettings, Question, Subject};
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
        // Each team has its lines; one role has all of them.
        decide("policy, a role for each team", &policy(|team| format!("role:{team}")));
        decide("policy, one role for all", &policy(|_team| "role:all".to_owned()));
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

/// 10,000 lines: 2,000 teams with a grouping and four permissions each.
fn policy(role: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    for team in 0..2_000 {
        let role = role(team);
        let _ = writeln!(text, "g, org:team-{team}, {role}");
        for (action, effect) in [("get", "allow"), ("sync", "allow"), ("delete/*", "allow"), ("override", "deny")] {
            let _ = writeln!(text, "p, {role}, applications, {action}, team-{team}/*, {effect}");
        }
    }
    text
}

/// The best of some rounds of reading the policy, and of 1,000 questions.
fn decide(what: &str, text: &str) {
    let (mut reading, mut deciding) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let settings = PolicySettings::read("policy.csv", text.as_bytes());
        let Ok(policy) = settings.and_then(|settings| Policy::new(&settings, &[])) else {
            return println!("{what}: wrong");
        };
        reading = reading.min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        let allowed = (0..1_000).filter(|number| {
            let subject = Subject { user: Some("ann".to_owned()), groups: vec![format!("org:team-{}", number * 2)] };
            let question = Question::of_application("sync", &format!("team-{}/web", number * 2 + number % 2));
            policy.decide(&subject, &question).is_allowed()
        });
        let allowed = allowed.count();
        deciding = deciding.min(start.elapsed().as_secs_f64());
        if allowed < 500 {
            println!("{what}: only {allowed} are allowed");
        }
    }
    println!("{what}: 10,000 lines read in {:.1} ms, 1,000 questions in {:.1} ms", reading * 1e3, deciding * 1e3);
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
