//! Asks casbin with Argo CD's model: the program `policy-oracle` of `tests/control-plane`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

use crate::harness::{Missing, program};

/// The results, or that there are none because of an error.
pub(super) type Answer = Result<Vec<bool>, String>;

/// The answers, in order.
pub(super) fn answers(questions: &[Json]) -> Result<Vec<Answer>, Missing> {
    let mut child = Command::new(program("policy-oracle")?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle can be started");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let lines: Vec<u8> = questions.iter().flat_map(|question| format!("{question}\n").into_bytes()).collect();
    // It answers while it reads, so another thread asks.
    let asking = std::thread::spawn(move || stdin.write_all(&lines));
    let output = child.wait_with_output().expect("the oracle ends");
    asking.join().expect("no panic").expect("the oracle reads all questions");
    assert!(output.status.success(), "the oracle failed");
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let answers: Vec<Answer> = lines.map(answer).collect();
    assert_eq!(answers.len(), questions.len(), "an answer for each question");
    Ok(answers)
}

fn answer(line: &[u8]) -> Answer {
    let answer: Json = serde_json::from_slice(line).expect("the oracle answers JSON");
    match answer["error"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => Ok(answer["results"].as_array().into_iter().flatten().map(|result| result == true).collect()),
    }
}

/// xorshift64*: the same numbers in every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % limit
    }

    pub(super) fn one_of<'list>(&mut self, list: &[&'list str]) -> &'list str {
        list[self.below(list.len())]
    }
}
