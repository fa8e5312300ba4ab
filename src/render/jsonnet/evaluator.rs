//! Evaluates programs, in the child: rsjsonnet with imports confined to the checkout.
//!
//! In: a [`EvaluationRequest`]. Out: an [`EvaluationAnswer`].

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use rsjsonnet_lang::arena::Arena;
use rsjsonnet_lang::interner::InternedStr;
use rsjsonnet_lang::program::{self, Callbacks, EvalError, EvalStackTraceItem, ImportError, NativeError, Thunk, Value};
use rsjsonnet_lang::span::{SourceId, SpanContext, SpanId};

use super::super::paths::{self, PathFault};
use super::exchange::MAX_STACK;
use super::{
    EvaluationAnswer, EvaluationFault, EvaluationRequest, Excerpted, JsonnetProgram, Variable, imports, message,
    natives, yaml,
};

/// How much of the trace of a fault is reported.
const TRACE: usize = 5;

/// The replacement of `std` where a program asks for a function in which rsjsonnet differs from go-jsonnet: YAML is read as kubectl
/// reads it, text is encoded as its UTF-8 bytes, and folds go over the characters of a text. On one line, so that no line number changes.
const STANDARD_LIBRARY: &str = concat!(
    "local trueup_std = std; local std = trueup_std { ",
    "parseYaml:: trueup_std.native('trueup.parseYaml'), ",
    "base64(input):: trueup_std.base64(",
    "if trueup_std.isString(input) then trueup_std.encodeUTF8(input) else input), ",
    "base64Decode(str):: trueup_std.decodeUTF8(trueup_std.base64DecodeBytes(str)), ",
    "local items(arr) = if trueup_std.isString(arr) then trueup_std.stringChars(arr) else arr, ",
    "foldl(func, arr, init):: trueup_std.foldl(func, items(arr), init), ",
    "foldr(func, arr, init):: trueup_std.foldr(func, items(arr), init) }; ",
);

/// Evaluates every program, up to the first that fails.
pub(super) fn answer(request: &EvaluationRequest) -> EvaluationAnswer {
    let mut answer = EvaluationAnswer::default();
    for program in &request.programs {
        match evaluate(request, program) {
            Ok(value) => answer.values.push(value),
            Err(fault) => {
                answer.fault = Some(*fault);
                break;
            }
        }
    }
    answer
}

/// Each program starts afresh, as Argo CD makes a virtual machine a file.
fn evaluate(request: &EvaluationRequest, program: &JsonnetProgram) -> Result<String, Box<EvaluationFault>> {
    let arena = Arena::new();
    let mut machine = program::Program::new(&arena);
    machine.set_max_stack(MAX_STACK);
    yaml::register(&mut machine);
    if request.natives {
        for (name, parameters) in natives::signatures() {
            let parameters: Vec<_> = parameters.iter().map(|parameter| machine.intern_str(parameter)).collect();
            let name = machine.intern_str(name);
            machine.register_native_func(name, &parameters);
        }
    }
    let shown = match program {
        JsonnetProgram::File(path) => paths::relative(&request.root, path),
        JsonnetProgram::Text { name, .. } => name.clone(),
    };
    let mut files =
        JsonnetFiles { request, program: shown.clone(), sources: HashMap::new(), loaded: HashMap::new(), failed: None };
    for variable in &request.external_variables {
        let thunk = files.variable(&mut machine, "extVars", variable)?;
        let name = machine.intern_str(&variable.name);
        machine.add_ext_var(name, &thunk);
    }
    let thunk = match program {
        JsonnetProgram::File(path) => files.load_file(&mut machine, path)?,
        JsonnetProgram::Text { name, text, folder } => {
            files.load(&mut machine, text.clone().into_bytes(), name, Some(folder))?
        }
    };
    files.manifest(&mut machine, &thunk).map_err(Box::new)
}

/// The files of one evaluation.
struct JsonnetFiles<'request, 'p> {
    request: &'request EvaluationRequest,
    /// The program, as a fault names it.
    program: String,
    sources: HashMap<SourceId, LoadedFile>,
    loaded: HashMap<PathBuf, Thunk<'p>>,
    /// Why the last import or call returned nothing; rsjsonnet only knows that it did not.
    failed: Option<Box<EvaluationFault>>,
}

/// A file that was loaded.
struct LoadedFile {
    shown: String,
    folder: Option<PathBuf>,
    text: Vec<u8>,
    /// How much of the text was put before the file's own.
    added: usize,
}

impl<'p> JsonnetFiles<'_, 'p> {
    fn variable(
        &mut self,
        machine: &mut program::Program<'p>,
        field: &str,
        variable: &Variable,
    ) -> Result<Thunk<'p>, Box<EvaluationFault>> {
        if variable.is_code {
            let name = format!("{field}.{}", variable.name);
            self.load(machine, variable.value.clone().into_bytes(), &name, None)
        } else {
            Ok(machine.value_to_thunk(&Value::string(&variable.value)))
        }
    }

    fn load_file(
        &mut self,
        machine: &mut program::Program<'p>,
        path: &Path,
    ) -> Result<Thunk<'p>, Box<EvaluationFault>> {
        if let Some(thunk) = self.loaded.get(path) {
            return Ok(thunk.clone());
        }
        let shown = paths::relative(&self.request.root, path);
        let text =
            fs::read(path).map_err(|error| Box::new(self.fault(format!("`{shown}` cannot be read: {error}"))))?;
        let thunk = self.load(machine, text, &shown, path.parent())?;
        self.loaded.insert(path.to_path_buf(), thunk.clone());
        Ok(thunk)
    }

    fn load(
        &mut self,
        machine: &mut program::Program<'p>,
        text: Vec<u8>,
        shown: &str,
        folder: Option<&Path>,
    ) -> Result<Thunk<'p>, Box<EvaluationFault>> {
        let differs = ["parseYaml", "base64", "std.fold"].iter().any(|name| contains(&text, name.as_bytes()));
        let added = if differs { STANDARD_LIBRARY.len() } else { 0 };
        let text = if differs { [STANDARD_LIBRARY.as_bytes(), &text].concat() } else { text };
        let (context, id) = machine.span_manager_mut().insert_source_context(text.len());
        let loaded = machine.load_source(context, &text, true, shown);
        let folder = folder.map(Path::to_path_buf);
        self.sources.insert(id, LoadedFile { shown: shown.to_owned(), folder, text, added });
        loaded.map_err(|error| {
            let (message, span) = message::of_load(&error);
            Box::new(EvaluationFault { place: self.place(machine, span), ..self.fault(message) })
        })
    }

    fn manifest(&mut self, machine: &mut program::Program<'p>, thunk: &Thunk<'p>) -> Result<String, EvaluationFault> {
        let mut value = machine.eval_value(thunk, self).map_err(|error| self.fault_of(machine, &error))?;
        if value.is_function() {
            let mut arguments = Vec::new();
            for variable in &self.request.top_level_arguments {
                let thunk = self.variable(machine, "tlas", variable).map_err(|fault| *fault)?;
                arguments.push((machine.intern_str(&variable.name), thunk));
            }
            let called = machine.eval_call(thunk, &[], &arguments, self);
            value = called.map_err(|error| self.fault_of(machine, &error))?;
        }
        // The value is deep by now: writing it evaluates nothing.
        machine.manifest_json(&value, false).map_err(|error| self.fault_of(machine, &error))
    }

    fn fault(&self, message: String) -> EvaluationFault {
        EvaluationFault { program: self.program.clone(), message, ..EvaluationFault::default() }
    }

    fn fault_of(&mut self, machine: &program::Program<'p>, error: &EvalError) -> EvaluationFault {
        let (message, span) = message::of_evaluation(&error.kind);
        let trace: Vec<String> =
            error.stack_trace.iter().rev().filter_map(|item| self.traced(machine, item)).take(TRACE).collect();
        let nearest = error.stack_trace.iter().rev().find_map(message::span_of);
        let mut fault = match self.failed.take() {
            Some(failed) => *failed,
            None => self.fault(message),
        };
        if fault.place.is_none() {
            let mut places = [span, nearest].into_iter().flatten();
            fault.place = places.find_map(|span| self.place(machine, Some(span)));
        }
        fault.trace = trace;
        fault
    }

    /// One step of what led to a fault, with its line.
    fn traced(&self, machine: &program::Program<'p>, item: &EvalStackTraceItem) -> Option<String> {
        let what = message::of_step(item)?;
        let place = self.place(machine, message::span_of(item))?;
        let line = 1 + place.text.as_bytes()[..place.offset].split(|byte| *byte == b'\n').skip(1).count();
        Some(format!("{}:{line}: {what}", place.file))
    }

    fn place(&self, machine: &program::Program<'p>, span: Option<SpanId>) -> Option<Excerpted> {
        let (context, start, end) = machine.span_manager().get_span(span?);
        let SpanContext::Source(id) = machine.span_manager().get_context(context);
        // The standard library and the writer have no file.
        let source = self.sources.get(id)?;
        let text = String::from_utf8_lossy(&source.text[source.added..]).into_owned();
        let offset = start.saturating_sub(source.added).min(text.len());
        let length = end.saturating_sub(source.added).min(text.len()).saturating_sub(offset);
        Some(Excerpted { file: source.shown.clone(), text, offset, length })
    }

    fn find(&mut self, machine: &program::Program<'p>, from: SpanId, path: &str) -> Result<PathBuf, ImportError> {
        let (context, _, _) = machine.span_manager().get_span(from);
        let SpanContext::Source(id) = machine.span_manager().get_context(context);
        let beside = self.sources.get(id).and_then(|source| source.folder.as_deref());
        if let Some(file) = self.in_package(beside, path) {
            return Ok(file);
        }
        imports::find(&self.request.root, beside, &self.request.search, path).map_err(|fault| {
            let mut failed = match fault {
                PathFault::NotFound => EvaluationFault {
                    generated: self.generated(path),
                    ..self.fault(format!("no file `{path}` to import"))
                },
                PathFault::Unreadable(error) => self.fault(format!("`{path}` cannot be read: {error}")),
                PathFault::Leaves => self.fault(format!("`{path}` points outside its repository")),
            };
            failed.place = self.place(machine, Some(from));
            self.failed = Some(Box::new(failed));
            ImportError
        })
    }

    /// The file of a library whose folder has another name than the import; one beside the program comes first.
    fn in_package(&self, beside: Option<&Path>, path: &str) -> Option<PathBuf> {
        let root = &self.request.root;
        let below = |name: &str| path.strip_prefix(name)?.strip_prefix('/');
        self.request.packages.iter().find_map(|package| {
            let file = below(&package.name)?;
            let found = imports::find(root, beside, &[], path);
            found.or_else(|_| imports::find(root, Some(&package.folder), &[], file)).ok()
        })
    }

    /// The folder that an import's file is generated into, if it is one of those.
    fn generated(&self, path: &str) -> Option<String> {
        let generated =
            self.request.generated.as_ref().filter(|generated| generated.files.iter().any(|file| file == path));
        generated.map(|generated| generated.folder.clone())
    }

    fn read(&mut self, machine: &program::Program<'p>, from: SpanId, path: &str) -> Result<Vec<u8>, ImportError> {
        let file = self.find(machine, from, path)?;
        fs::read(file).map_err(|error| {
            let place = self.place(machine, Some(from));
            let fault = EvaluationFault { place, ..self.fault(format!("`{path}` cannot be read: {error}")) };
            self.failed = Some(Box::new(fault));
            ImportError
        })
    }
}

impl<'p> Callbacks<'p> for JsonnetFiles<'_, 'p> {
    fn import(
        &mut self,
        machine: &mut program::Program<'p>,
        from: SpanId,
        path: &str,
    ) -> Result<Thunk<'p>, ImportError> {
        let file = self.find(machine, from, path)?;
        self.load_file(machine, &file).map_err(|fault| {
            self.failed = Some(fault);
            ImportError
        })
    }

    fn import_str(
        &mut self,
        machine: &mut program::Program<'p>,
        from: SpanId,
        path: &str,
    ) -> Result<String, ImportError> {
        self.read(machine, from, path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn import_bin(
        &mut self,
        machine: &mut program::Program<'p>,
        from: SpanId,
        path: &str,
    ) -> Result<Vec<u8>, ImportError> {
        self.read(machine, from, path)
    }

    fn trace(&mut self, _machine: &mut program::Program<'p>, _message: &str, _stack: &[EvalStackTraceItem]) {
        // Argo CD writes these to its server's log, where the author of a manifest does not see them either.
    }

    fn native_call(
        &mut self,
        machine: &mut program::Program<'p>,
        name: InternedStr<'p>,
        arguments: &[Value<'p>],
    ) -> Result<Value<'p>, NativeError> {
        let value = match name.value() {
            yaml::FUNCTION => yaml::parse(machine, arguments),
            name => native(machine, name, arguments),
        };
        value.map_err(|message| {
            self.failed = Some(Box::new(self.fault(message)));
            NativeError
        })
    }
}

/// Calls one of ksonnet's functions; its arguments have been evaluated in full.
fn native<'p>(machine: &mut program::Program<'p>, name: &str, arguments: &[Value<'p>]) -> Result<Value<'p>, String> {
    let unreadable = || format!("native function `{name}`: an argument cannot be written as JSON");
    let mut read = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let text = machine.manifest_json(argument, false).map_err(|_error| unreadable())?;
        read.push(serde_json::from_str(&text).map_err(|_error| unreadable())?);
    }
    natives::call(name, &read).map(|value| yaml::converted(machine, &value))
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
