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

/// The most memory that a run held at a time, in KiB: Linux counts it for each process.
pub(crate) fn peak_memory(mut command: Command) -> u64 {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be started");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("it can be waited for").is_none() {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let counted = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = peak.max(counted.and_then(|number| number.parse().ok()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    }
    peak
}

/// How long the processors work for a run, the mean of so many: Linux counts it for all children that were waited for.
pub(crate) fn cpu_time(times: u32, command: impl Fn() -> Command) -> Duration {
    let of_children = || {
        let status = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // Behind the program's name: the 14th and 15th of the rest are the children's user and system time, in hundredths.
        let fields = status.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
        fields.skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>()
    };
    let before = of_children();
    for _ in 0..times {
        timed(&mut command());
    }
    Duration::from_millis(10 * (of_children() - before)) / times
}
