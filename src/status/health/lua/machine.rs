//! One Lua state: what a script may reach, how long, and how much.
//!
//! In: scripts and objects, one after the other. Out: verdicts, or why there is none, in one line.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, LuaOptions, StdLib, Table, Value, VmState};

use super::super::Health;
use super::limits::{Clock, MEMORY, TIME};
use super::{convert, matching, times};
use crate::app::settings::Script;
use crate::object::Object;

/// From this much memory on, rubbish is collected between two runs, lest it count for the next one.
const RUBBISH: usize = MEMORY / 8;
/// How many instructions go by between two looks at the clock. Few, for one of them may move a million list items.
const STRIDE: u32 = 100;

/// The message for a script that has used up [`TIME`].
pub(super) const TIMEOUT: &str = "the script took longer than 1 s";

/// Why a script has no verdict.
pub(super) struct ScriptFailure {
    /// The script's name, where the words do not begin with it.
    pub(super) place: String,
    /// The error.
    pub(super) words: String,
    /// Whether the time was over.
    pub(super) is_timeout: bool,
}

/// When the run at hand has to be over.
#[derive(Clone)]
pub(super) struct Deadline {
    now: fn() -> Instant,
    ends: Arc<Mutex<Option<Instant>>>,
}

impl Deadline {
    pub(super) fn is_over(&self) -> bool {
        let ends = *self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.is_some_and(|ends| (self.now)() > ends)
    }

    fn begin(&self) {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = Some((self.now)() + TIME);
    }
}

pub(super) struct Machine {
    lua: Lua,
    /// Makes the globals of one run, from an object.
    globals: Function,
    deadline: Deadline,
    /// Compiled scripts, by the place of their text: a script lives as long as the judge that has it.
    compiled: HashMap<usize, (Arc<Script>, Function)>,
}

impl Machine {
    pub(super) fn new(clock: Clock) -> Result<Self, ScriptFailure> {
        let deadline = Deadline { now: clock.now, ends: Arc::default() };
        let made = || -> mlua::Result<(Lua, Function)> {
            let lua = Lua::new_with(StdLib::TABLE | StdLib::STRING | StdLib::MATH, LuaOptions::new())?;
            let natives = lua.create_table()?;
            matching::add_to(&natives, &lua, &deadline)?;
            times::add_to(&natives, &lua, clock.unix)?;
            let prelude = lua.load(include_str!("prelude.lua")).set_name("=trueup").into_function()?;
            let globals = prelude.call::<Function>(natives)?;
            lua.set_memory_limit(MEMORY)?;
            Ok((lua, globals))
        };
        let (lua, globals) = made().map_err(|error| {
            let words = format!("a Lua state could not be created: {}", in_one_line(&error));
            ScriptFailure { place: String::new(), words, is_timeout: false }
        })?;
        Ok(Self { lua, globals, deadline, compiled: HashMap::new() })
    }

    /// Runs a script on an object.
    pub(super) fn run(&mut self, script: &Arc<Script>, object: &Object) -> Result<Option<Health>, ScriptFailure> {
        self.deadline.begin();
        let verdict = self.guarded(script, object).map_err(|error| self.failure(&error, &script.name));
        if self.lua.used_memory() > RUBBISH {
            // What could not be collected counts for the next run; that is then its limit.
            let _ = self.lua.gc_collect();
        }
        verdict
    }

    fn guarded(&mut self, script: &Arc<Script>, object: &Object) -> mlua::Result<Option<Health>> {
        watch(&self.lua, self.deadline.clone(), STRIDE)?;
        let function = self.compile(script)?;
        let object = convert::map_to_lua(&self.lua, object.value())?;
        let globals = self.globals.call::<Table>(object)?;
        function.set_environment(globals)?;
        let returned = function.call::<Value>(())?;
        Ok(convert::verdict(&returned))
    }

    fn compile(&mut self, script: &Arc<Script>) -> mlua::Result<Function> {
        let place = Arc::as_ptr(script).addr();
        if let Some((_, function)) = self.compiled.get(&place) {
            return Ok(function.clone());
        }
        // Text only: bytecode could do anything.
        let chunk = self.lua.load(&*script.source).set_name(format!("={}", script.name)).set_mode(ChunkMode::Text);
        let function = chunk.into_function()?;
        self.compiled.insert(place, (Arc::clone(script), function.clone()));
        Ok(function)
    }

    /// The error, after the script's name; Lua names the line, too, wherever it still knows it.
    fn failure(&self, error: &mlua::Error, name: &str) -> ScriptFailure {
        let is_timeout = self.deadline.is_over();
        let words = match error {
            _ if is_timeout => TIMEOUT.to_owned(),
            mlua::Error::MemoryError(_) => format!("the script took more memory than {} MiB", MEMORY >> 20),
            other => in_one_line(other),
        };
        let place = if words.starts_with(name) { String::new() } else { format!("{name}: ") };
        ScriptFailure { place, words, is_timeout }
    }
}

/// Looks at the clock every few instructions, and at each one when the time is over: else a script could catch the error
/// and go on.
fn watch(lua: &Lua, deadline: Deadline, stride: u32) -> mlua::Result<()> {
    lua.set_global_hook(HookTriggers::new().every_nth_instruction(stride), move |lua, _debug| {
        if !deadline.is_over() {
            return Ok(VmState::Continue);
        }
        if stride > 1 {
            watch(lua, deadline.clone(), 1)?;
        }
        Err(mlua::Error::runtime("the time is over"))
    })
}

/// An error's words without the trace of the stack.
fn in_one_line(error: &mlua::Error) -> String {
    let innermost = match error {
        mlua::Error::CallbackError { cause, .. } => return in_one_line(cause),
        mlua::Error::SyntaxError { message, .. } | mlua::Error::RuntimeError(message) => message.clone(),
        other => other.to_string(),
    };
    innermost.lines().next().unwrap_or_default().to_owned()
}
