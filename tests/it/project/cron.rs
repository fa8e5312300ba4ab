//! Schedules of sync windows come when robfig/cron says: every kind of expression, in zones that change their clocks, on the days
//! on which they do.

use std::io::Write as _;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use serde_json::{Value, json};
use trueup::app::windows::CronSchedule;

use crate::harness::{Missing, or_skip, program};

const SCHEDULES: &[&str] = &[
    "* * * * *",
    "0 * * * *",
    "*/15 * * * *",
    "7-59/13 * * * *",
    "5,10,40 * * * *",
    "0 0 * * *",
    "0 1 * * *",
    "30 1 * * *",
    "0 2 * * *",
    "30 2 * * *",
    "59 2 * * *",
    "0 3 * * *",
    "30 */2 * * *",
    "0 22 * * mon-fri",
    "0 22 * * 1-5",
    "0 9 1 * *",
    "0 9 1 * mon",
    "0 9 */2 * mon",
    "0 9 * * mon",
    "0 9 ? * mon",
    "0 9 1 * ?",
    "0 9 1-7 * fri",
    "0 0 29 2 *",
    "0 0 31 * *",
    "0 0 30 2 *",
    "15 10 ? jan,JUL *",
    "0 0 1 1 *",
    "*/7 2 * 3,10,11 sun",
    "0 2 8-14 3 sun",
    "0 1 1-7 11 sun",
    "@daily",
    "@hourly",
    "@weekly",
    "@monthly",
    "@yearly",
    "@every 90m",
    // What is refused.
    "",
    "* * * *",
    "* * * * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * 32 * *",
    "* * * 13 *",
    "* * * * 7",
    "5-1 * * * *",
    "*/0 * * * *",
    "1/2/3 * * * *",
    "1-2-3 * * * *",
    "a * * * *",
    "* * * foo *",
    "@often",
    "@every 5",
];

/// A zone, and the days around both changes of its clock, and around midnight that is not there.
const ZONES: &[(&str, &[&str])] = &[
    ("UTC", &["2026-02-28T22:00:00Z", "2026-12-31T22:30:15Z"]),
    (
        "Europe/Berlin",
        &[
            "2026-03-28T12:00:00Z",
            "2026-03-29T00:30:00Z",
            "2026-10-24T12:00:00Z",
            "2026-10-25T00:10:30Z",
            "2026-10-25T01:10:00Z",
        ],
    ),
    (
        "America/New_York",
        &[
            "2026-03-07T20:00:00Z",
            "2026-03-08T06:59:59Z",
            "2026-10-31T20:00:00Z",
            "2026-11-01T05:10:00Z",
            "2026-11-01T06:10:00Z",
        ],
    ),
    ("Australia/Lord_Howe", &["2026-04-04T10:00:00Z", "2026-10-03T10:00:00Z"]),
    ("Asia/Kolkata", &["2026-06-01T18:25:00Z"]),
    ("America/Sao_Paulo", &["2018-11-03T12:00:00Z", "2018-02-17T12:00:00Z"]),
];

const COUNT: usize = 6;

fn ours(schedule: &str, zone: &str, after: &str) -> Result<Vec<String>, ()> {
    let zone = TimeZoneDatabase::bundled().get(zone).unwrap();
    let schedule = CronSchedule::parse(schedule).map_err(|_refused| ())?;
    let mut at: Timestamp = after.parse().unwrap();
    let mut times = Vec::new();
    while times.len() < COUNT {
        let Some(next) = schedule.next(at, &zone) else { break };
        times.push(next.to_string());
        at = next;
    }
    Ok(times)
}

fn theirs(questions: &[(&str, &str, &str)]) -> Result<Vec<Result<Vec<String>, ()>>, Missing> {
    let mut child = Command::new(program("cron-oracle")?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle can be started");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let question = |(schedule, zone, after): &(&str, &str, &str)| {
        format!("{}\n", json!({"schedule": schedule, "zone": zone, "after": after, "count": COUNT}))
    };
    let lines: String = questions.iter().map(question).collect();
    let asking = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("the oracle ends");
    asking.join().expect("no panic").expect("the oracle reads all questions");
    assert!(output.status.success(), "the oracle failed");
    let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let answers = answers.map(|answer| {
        let answer = answer.expect("JSON");
        match answer["error"].as_str() {
            Some(_) => Err(()),
            None => {
                Ok(answer["times"].as_array().unwrap().iter().map(|time| time.as_str().unwrap().to_owned()).collect())
            }
        }
    });
    Ok(answers.collect())
}

#[test]
fn schedules_come_when_robfig_cron_says() {
    let mut questions = Vec::new();
    for schedule in SCHEDULES {
        for (zone, times) in ZONES {
            questions.extend(times.iter().map(|after| (*schedule, *zone, *after)));
        }
    }
    let theirs = or_skip!(theirs(&questions));
    assert_eq!(theirs.len(), questions.len());
    let mut wrong = Vec::new();
    for ((schedule, zone, after), theirs) in questions.iter().zip(theirs) {
        let ours = ours(schedule, zone, after);
        if ours != theirs {
            wrong.push(format!("`{schedule}` in {zone} after {after}:\n  ours   {ours:?}\n  theirs {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), questions.len(), wrong.join("\n"));
}
