//! Jsonnet, as Argo CD evaluates it: in a child of this program, so that nothing it does can end the run.
//!
//! In: programs of a checkout, their external variables, top-level arguments and library folders. Out: the value of each, or a
//! [`RenderError`] with the line. What bounds a program:
//! - time: the child is killed with its time limit ([`RenderSettings::timeout`]) or with the run;
//! - depth: [`evaluator::MAX_STACK`] frames;
//! - memory: the child asks the system for a limit of [`MEMORY`] bytes (Linux and other Unix systems that keep one);
//! - files: only those of the checkout, links resolved.
//!
//! ```text
//! directory, ksonnet ─ Request ─► evaluate ─ JSON on stdin ─► serve ─► evaluator ─ JSON on stdout ─► values
//!                                           (the same program, as a child)
//! ```
//!
//! Rules: Argo CD reposerver/repository/repository.go `makeJsonnetVm`, `findManifests`; go-jsonnet's command line.
//!
//! [`RenderSettings::timeout`]: super::RenderSettings::timeout

mod error;
mod evaluator;
mod exchange;
mod go_regex;
mod imports;
mod message;
mod natives;
mod objects;
mod yaml;

pub use error::{JsonnetError, Trace};
use exchange::{EvaluationAnswer, EvaluationFault, Excerpted};
pub(super) use exchange::{EvaluationRequest, Generated, JsonnetProgram, Package, Variable};
pub(super) use objects::objects;

use std::collections::BTreeMap;
use std::io::{Read, Write};

use serde_json::{Number, Value};

use super::paths::{self, PathFault};
use super::{BuildEnvironment, RenderError, RenderInput};
use crate::app::source::{Jsonnet, JsonnetVariable};
use crate::finding::Excerpt;
use crate::process::{self, Command, Output, ProcessError};

/// The argument that makes this program the child that evaluates.
pub const WORKER: &str = "jsonnet-worker";

/// How much memory the programs of one source may use together.
const MEMORY: u64 = 1 << 30;

/// The stack of the thread that evaluates. Parser and evaluator keep theirs on the heap; this is for freeing what nests deep.
const STACK: usize = 128 << 20;

/// The size limit of the values of one source, as text.
const OUTPUT: usize = 64 << 20;

impl EvaluationRequest {
    /// The options of `source.directory.jsonnet`, with the build environment filled in.
    pub(super) fn of_directory(options: &Jsonnet, input: &RenderInput<'_>) -> Result<Self, RenderError> {
        let environment = input.environment();
        // Argo CD sets them one after the other: of two with one name the last counts.
        let variables = |variables: &[JsonnetVariable]| -> Vec<Variable> {
            let named = variables.iter().map(|variable| (&variable.name, Variable::of(variable, &environment)));
            named.collect::<BTreeMap<_, _>>().into_values().collect()
        };
        let mut search = vec![input.folder.to_path_buf()];
        for library in &options.libraries {
            // Relative to the repository's root, and not out of it.
            match paths::resolve(input.root, &input.root.join(library.trim_start_matches('/'))) {
                Ok(folder) => search.push(folder),
                // Argo CD: an import that needs it says so.
                Err(PathFault::NotFound) => {}
                Err(_fault) => return Err(JsonnetError::Library { library: library.clone() }.into()),
            }
        }
        Ok(Self {
            root: input.root.to_path_buf(),
            search,
            external_variables: variables(&options.external_variables),
            top_level_arguments: variables(&options.top_level_arguments),
            ..Self::default()
        })
    }
}

impl Variable {
    fn of(variable: &JsonnetVariable, environment: &BuildEnvironment) -> Self {
        Self { name: variable.name.clone(), value: environment.expand(&variable.value), is_code: variable.code }
    }
}

/// Evaluates every program, in a child.
pub(super) fn evaluate(request: &EvaluationRequest, input: &RenderInput<'_>) -> Result<Vec<Value>, RenderError> {
    if request.programs.is_empty() {
        return Ok(Vec::new());
    }
    let mut command = Command::new(&input.settings.program).args([WORKER]);
    command.inherit = Vec::new();
    // The allocator would reserve as much as the limit at once, and most of it for nothing.
    command = command.env("MIMALLOC_ARENA_RESERVE", "65536");
    command.stdin = serde_json::to_vec(request).map_err(|error| lost(&error.to_string()))?;
    command.timeout = input.settings.timeout;
    command.output_limit = OUTPUT;
    let running = process::run(&command, input.cancel);
    let output = tokio::runtime::Handle::current().block_on(running).map_err(|error| match error {
        ProcessError::TimedOut { after, .. } => {
            JsonnetError::Time { programs: request.shown(), seconds: after.as_secs() }
        }
        ProcessError::TooMuchOutput { limit, .. } => JsonnetError::Output { programs: request.shown(), limit },
        error => JsonnetError::Child(error),
    })?;
    if !output.success() {
        return Err(request.ended(&output).into());
    }
    let answer: EvaluationAnswer = serde_json::from_slice(&output.stdout).map_err(|error| lost(&error.to_string()))?;
    if let Some(fault) = answer.fault {
        return Err(fault.into());
    }
    let values = answer.values.iter().map(|text| serde_json::from_str(text).map(exact));
    Ok(values.collect::<Result<_, _>>().map_err(|error| lost(&error.to_string()))?)
}

/// Integers to their last digit: rsjsonnet writes 2^60 as 1152921504606847000, the shortest text for the float that it is.
fn exact(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(exact_number(number)),
        Value::Array(items) => items.into_iter().map(exact).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, exact(value))).collect(),
        other => other,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float of this size is whole, and one too large for an integer stays one"
)]
fn exact_number(number: Number) -> Number {
    // Up to 2^53 the text is exact.
    match number.as_f64() {
        Some(float) if float.abs() >= 9_007_199_254_740_992.0 => Number::from_i128(float as i128).unwrap_or(number),
        _ => number,
    }
}

/// The child's side: a request on standard input, the answer on standard output.
pub fn serve(mut input: impl Read, mut output: impl Write) -> std::io::Result<()> {
    limit_memory();
    let mut request = Vec::new();
    input.read_to_end(&mut request)?;
    let request: EvaluationRequest = serde_json::from_slice(&request)?;
    let evaluating = std::thread::Builder::new().stack_size(STACK).spawn(move || evaluator::answer(&request))?;
    let answer = evaluating.join().map_err(|_panic| std::io::Error::other("the evaluation failed unexpectedly"))?;
    output.write_all(&serde_json::to_vec(&answer)?)?;
    output.flush()
}

/// Bounds the memory of this process, which is a child that evaluates what anybody wrote.
#[cfg(unix)]
pub(crate) fn limit_memory() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limit = Some(MEMORY);
    // Where the system keeps no such limit, time is what bounds it.
    let _ = setrlimit(Resource::Data, Rlimit { current: limit, maximum: limit });
    // An abort for want of memory must not leave a core file of that size behind.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

#[cfg(not(unix))]
pub(crate) fn limit_memory() {}

impl EvaluationRequest {
    /// Why the child ended without an answer: Rust's runtime says so when it ends itself.
    fn ended(&self, output: &Output) -> JsonnetError {
        let words = String::from_utf8_lossy(&output.stderr);
        if words.contains("memory allocation") {
            JsonnetError::Memory { programs: self.shown(), limit: MEMORY }
        } else {
            lost(words.trim())
        }
    }

    /// The programs as an error names them.
    fn shown(&self) -> String {
        let names: Vec<String> = self
            .programs
            .iter()
            .map(|program| match program {
                JsonnetProgram::File(path) => format!("`{}`", paths::relative(&self.root, path)),
                JsonnetProgram::Text { name, .. } => format!("`{name}`"),
            })
            .collect();
        match names.as_slice() {
            [first, _, rest @ ..] => format!("{first} and {} more", rest.len() + 1),
            names => names.concat(),
        }
    }
}

impl From<EvaluationFault> for RenderError {
    fn from(fault: EvaluationFault) -> Self {
        let place = fault.place.unwrap_or_else(|| Excerpted {
            file: fault.program.clone(),
            text: String::new(),
            offset: 0,
            length: 0,
        });
        let (program, message) = (fault.program, fault.message);
        let label = Some("here".to_owned());
        let excerpt = Box::new(Excerpt::new(place.file, &place.text, place.offset, place.length, label));
        Self::Jsonnet(match fault.generated {
            Some(folder) => JsonnetError::Generated { program, message, folder, excerpt },
            None => JsonnetError::Program { program, message, excerpt, trace: Trace::of(fault.trace) },
        })
    }
}

fn lost(what: &str) -> JsonnetError {
    let cause = std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
    JsonnetError::Child(ProcessError::Lost { program: WORKER.to_owned(), cause })
}
