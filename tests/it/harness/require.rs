//! Programs that a test needs: where they are, and what happens when they are not.
//!
//! The one place that decides between skipping and failing.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// A part that this machine lacks; [`or_skip!`] says so and ends the test.
#[derive(Debug, Clone)]
pub(crate) struct Missing {
    what: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl Missing {
    /// Something that this machine does not have, or does not allow.
    pub(crate) fn of(what: &str) -> Self {
        Self { what: what.to_owned() }
    }

    /// Says on the real stderr that a test was not run; with `TRUEUP_TEST_REQUIRE=1` fails it.
    pub(crate) fn skip(&self) {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let required = std::env::var("TRUEUP_TEST_REQUIRE").is_ok_and(|value| value == "1");
        assert!(!required, "{self}; TRUEUP_TEST_REQUIRE=1 makes that a failure");
        // Not `eprintln!`: the test runner swallows that of a test that passes.
        let line = format!("SKIPPED {test}: {self}; TRUEUP_TEST_REQUIRE=1 would make that a failure\n");
        std::io::stderr().write_all(line.as_bytes()).expect("stderr can be written");
    }
}

/// The value, or the end of this test: skipped loudly, failed where `TRUEUP_TEST_REQUIRE=1`.
macro_rules! or_skip {
    ($part:expr) => {
        match $part {
            Ok(part) => part,
            Err(missing) => {
                $crate::harness::Missing::skip(&missing);
                return;
            }
        }
    };
}
pub(crate) use or_skip;

/// The path of a program on the list of `tests/control-plane/build`, which finds it or builds it.
pub(crate) fn program(name: &str) -> Result<PathBuf, Missing> {
    static KNOWN: Mutex<BTreeMap<String, Result<PathBuf, Missing>>> = Mutex::new(BTreeMap::new());
    // Held while building: two tests that need the same program wait for one build.
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    known.entry(name.to_owned()).or_insert_with(|| find_or_build(name)).clone()
}

fn find_or_build(name: &str) -> Result<PathBuf, Missing> {
    let output = Command::new(control_plane_folder().join("build"))
        .arg(name)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Missing { what: format!("tests/control-plane/build cannot be run: {error}") })?;
    match output.status.code() {
        Some(0) => {}
        Some(69) => return Err(Missing { what: format!("`{name}` is not there, and no Go to build it") }),
        code => panic!("tests/control-plane/build {name} failed with {code:?}; its words are above"),
    }
    let line = String::from_utf8(output.stdout).expect("paths are UTF-8");
    let path = line.trim_end().strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
    Ok(PathBuf::from(path.unwrap_or_else(|| panic!("tests/control-plane/build printed {line:?}"))))
}

/// `tests/control-plane`.
pub(crate) fn control_plane_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/control-plane")
}
