//! Wall-clock times of whole runs of programs, as the benchmarks measure and print them.
//!
//! In: commands. Out: their times, the fastest first, and lines that tell of them.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a run takes; 0 and 1 are both good ends, for `diff` has found what it looked for with 1.
pub(crate) fn timed(command: &mut Command) -> Duration {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it can be started");
    let took = start.elapsed();
    assert!(matches!(status.code(), Some(0 | 1)), "{command:?} ended with {status}");
    took
}

/// The times of so many runs, after one that is not counted (cold files, the cache of what is warm). Commands are made by
/// their number; the one that is not counted comes after the last.
pub(crate) fn repeat(times: usize, command: impl Fn(usize) -> Command) -> Vec<Duration> {
    timed(&mut command(times));
    sorted((0..times).map(|number| timed(&mut command(number))).collect())
}

/// The fastest first.
pub(crate) fn sorted(mut times: Vec<Duration>) -> Vec<Duration> {
    times.sort();
    times
}

/// The one in the middle.
pub(crate) fn median(times: &[Duration]) -> Duration {
    times[times.len() / 2]
}

/// How many times as long theirs take as ours.
pub(crate) fn ratio(theirs: &[Duration], ours: &[Duration]) -> f64 {
    median(theirs).as_secs_f64() / median(ours).as_secs_f64()
}

/// One line about sorted times.
pub(crate) fn print(what: &str, times: &[Duration]) {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "{:>9.1} ms   {what}   (fastest {:.1} ms, of {})",
        milliseconds(median(times)),
        milliseconds(times[0]),
        times.len()
    );
}
