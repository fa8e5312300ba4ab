//! What scripts see, and what they cannot do.

use std::time::Instant;

use serde_json::json;

use super::*;
use crate::status::health::HealthStatus;

fn clock() -> Clock {
    Clock { now: Instant::now, unix: || 1_795_500_000 }
}

fn scripts() -> Scripts {
    Scripts::new(clock())
}

fn script(source: &str) -> Arc<Script> {
    Arc::new(Script { name: "health.lua".to_owned(), source: source.into() })
}

fn object(status: &serde_json::Value) -> Object {
    let value = json!({
        "apiVersion": "shop.example.com/v1", "kind": "Till", "metadata": {"name": "till", "generation": 3}, "status": status
    });
    Object::new(value).unwrap()
}

/// The message of a script that returns `Healthy` and what it saw.
fn seen(expression: &str, status: &serde_json::Value) -> String {
    let source = format!("return {{status = 'Healthy', message = tostring({expression})}}");
    let health = scripts().run(&script(&source), &object(status)).unwrap();
    assert_eq!(health.status, HealthStatus::Healthy, "{expression}: {}", health.message);
    health.message
}

/// Scripts were written against Argo CD's tables: each kind of value arrives as it does there.
#[test]
fn an_object_is_seen_as_argo_cd_shows_it() {
    let status = json!({
        "nothing": null, "empty": [], "map": {}, "list": ["a", null, "b"], "count": 3, "ratio": 0.5,
        "large": 9_007_199_254_740_993_i64, "text": "é", "flag": false,
    });
    for (expression, expected) in [
        ("obj.status.nothing", "nil"),
        ("#obj.status.empty", "0"),
        ("next(obj.status.map)", "nil"),
        ("obj.status.list[2]", "b"),
        ("table.getn(obj.status.list)", "2"),
        ("obj.status.count", "3"),
        ("obj.status.count == 3 and obj.metadata.generation >= obj.status.count", "true"),
        ("obj.status.ratio", "0.5"),
        ("obj.status.large == 9007199254740992", "true"),
        ("obj.status.text", "é"),
        ("obj.status.flag", "false"),
        ("type(actionParams)", "table"),
        ("('a=b'):match('=(.)')", "b"),
        ("('aXbX'):gsub('X', {X = '-'})", "a-b-"),
        ("('hello'):gsub('l+', function(l) return '<' .. l .. '>' end)", "he<ll>o"),
        ("('hello'):find('l', 1, true)", "3"),
        ("('abc'):gsub('%w', '%0%0')", "aabbcc"),
        ("('x'):gsub('', '-')", "-x-"),
        ("math.huge > 1", "true"),
        ("os.time()", "1795500000"),
        ("os.time({year = 2026, month = 11, day = 24, hour = 0})", "1795478400"),
        ("os.date('!%Y-%m-%dT%H:%M:%SZ', 0)", "1970-01-01T00:00:00Z"),
        ("os.date('*t', 86400).day", "2"),
        ("require('os').time()", "1795500000"),
    ] {
        assert_eq!(seen(expression, &status), expected, "{expression}");
    }
}

/// A good part of Argo CD's own scripts jumps; plain Lua 5.1 refuses them.
#[test]
fn goto_works() {
    let source = "
        local n = 0
        for i = 1, 5 do
          if i == 3 then goto continue end
          n = n + 1
          ::continue::
        end
        for word in ('a b c'):gmatch('%a') do n = n + 1 end
        return {status = 'Healthy', message = tostring(n)}";
    assert_eq!(scripts().run(&script(source), &object(&json!({}))), Some(Health::healthy("7")));
}

/// The return value of a script, and its conversion.
#[test]
fn what_a_script_returns_is_read_as_argo_cd_reads_it() {
    let unknown = |message: &str| Some(Health::unknown(message));
    for (source, expected) in [
        ("return {status = 'Degraded', message = 'no money'}", Some(Health::degraded("no money"))),
        ("return {status = 'Suspended'}", Some(Health::suspended(""))),
        ("hs = {} hs.status = 'Progressing' return hs", Some(Health::progressing(""))),
        ("return nil", None),
        ("", None),
        ("return {}", None),
        ("return {status = 'healthy'}", unknown("Lua returned an invalid health status")),
        ("return {message = 'lost'}", unknown("Lua returned an invalid health status")),
        ("return 'Healthy'", unknown("expect table output from Lua script, not string")),
        ("return {status = 'Healthy', message = {}}", unknown("Lua returned a message that is a table, not a string")),
        ("local x = nil\nreturn x.y", unknown("health.lua:2: attempt to index local 'x' (a nil value)")),
        ("error('no till')", unknown("health.lua:1: no till")),
        ("return ('a'):find('[')", unknown("health.lua: malformed pattern (missing ']')")),
        ("\n\nlocal x = ('a'):find('[')", unknown("health.lua:3: malformed pattern (missing ']')")),
        (
            "local x = string.find(nil, 'a')",
            unknown("health.lua:1: bad argument #1 to 'find' (string expected, got nil)"),
        ),
        ("return {", unknown("health.lua:1: unexpected symbol near '<eof>'")),
    ] {
        assert_eq!(scripts().run(&script(source), &object(&json!({}))), expected, "{source}");
    }
    let thrown = scripts().run(&script("error({})"), &object(&json!({}))).unwrap();
    assert_eq!(thrown.status, HealthStatus::Unknown);
}

/// A pull request brings its own health.lua: it must not reach anything.
#[test]
fn the_world_is_out_of_reach() {
    for name in [
        "io",
        "debug",
        "package",
        "jit",
        "ffi",
        "bit",
        "coroutine",
        "load",
        "loadstring",
        "loadfile",
        "dofile",
        "getfenv",
        "setfenv",
        "collectgarbage",
        "newproxy",
        "module",
        "gcinfo",
        "os.execute",
        "os.getenv",
        "os.exit",
        "os.remove",
        "os.rename",
        "os.tmpname",
        "os.clock",
        "string.dump",
        "math.random",
        "string.gfind",
        "_G.io",
        "table.new",
    ] {
        assert_eq!(seen(name, &json!({})), "nil", "{name}");
    }
    for source in ["require('io')", "require('ffi')", "require('debug')", "require('jit')", "require({})"] {
        let health = scripts().run(&script(source), &object(&json!({}))).unwrap();
        assert!(health.message.contains("not found"), "{source}: {}", health.message);
    }
    let bytecode = scripts().run(&script("\x1bLJ\x02"), &object(&json!({}))).unwrap();
    assert_eq!(bytecode.status, HealthStatus::Unknown);
    assert_eq!(seen("getmetatable('')", &json!({})), "false");
}

/// Whatever it tries, a script ends, in about the time that it has, and the next one works.
#[test]
fn a_hostile_script_ends() {
    let scripts = scripts();
    let good = script("return {status = 'Healthy'}");
    for (name, source) in [
        ("an endless loop", "while true do end"),
        ("a loop that catches", "while true do pcall(function() while true do end end) end"),
        ("a tail call", "local function f() return f() end f()"),
        ("deep recursion", "local function f() return 1 + f() end f()"),
        ("recursion through pcall", "local function f() pcall(f) end while true do f() end"),
        ("recursion through gsub", "local function f() return ('a'):gsub('a', f) end while true do pcall(f) end"),
        (
            "recursion through metatables",
            "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x",
        ),
        ("gigabytes at once", "local s = string.rep('x', 1e9) return {status = 'Healthy'}"),
        ("gigabytes by doubling", "local s = 'x' while true do s = s .. s end"),
        (
            "gigabytes by doubling, caught",
            "while true do pcall(function() local s = 'x' while true do s = s .. s end end) end",
        ),
        ("gigabytes of tables", "local t = {} while true do t[#t + 1] = {} end"),
        ("gigabytes by gsub", "return (('x'):rep(1e6)):gsub('x', ('y'):rep(1e6))"),
        ("a hostile pattern", "return (('a'):rep(5000)):find('.-.-.-.-.-.-.-b')"),
        ("a hostile pattern, caught", "while true do pcall(string.find, ('a'):rep(5000), '.-.-.-.-.-.-.-b') end"),
        ("a hostile search", "local a = ('a'):rep(4e6) while true do a:find(('a'):rep(2e6) .. 'b', 1, true) end"),
        (
            "slow list inserts",
            "local t = {} for i = 1, 1e6 do t[i] = i end while true do table.insert(t, 1, 0) t[#t] = nil end",
        ),
        ("a comparison that loops", "table.sort({3, 2, 1}, function() while true do end end)"),
        ("a global that loops", "setmetatable(_G, {__index = function() while true do end end}) return x"),
        ("gmatch of nothing", "while true do for _ in (''):gmatch('') do end end"),
        ("the sandbox's own functions", "error = nil pairs = nil string.find = nil while true do end"),
    ] {
        let health = scripts.run(&script(source), &object(&json!({}))).unwrap();
        assert_eq!(health.status, HealthStatus::Unknown, "{name}: {health:?}");
        assert_eq!(scripts.run(&good, &object(&json!({}))), Some(Health::healthy("")), "after {name}");
    }
}

/// A script that breaks its globals breaks nobody else's.
#[test]
fn nothing_is_left_for_the_next_object() {
    let scripts = scripts();
    let breaks = script(
        "counter = (counter or 0) + 1
         string.format = nil
         table.insert = function() error('broken') end
         tostring = nil
         _G.pairs = nil
         setmetatable(_G, {__index = function() return 'leaked' end})
         math.huge = 0
         return {status = 'Healthy', message = counter .. ''}",
    );
    let looks = script(
        "local t = {}
         table.insert(t, 1)
         local seen = {counter == nil, leaked == nil, math.huge > 1, string.format('%d', 1) == '1', pairs ~= nil}
         for _, fine in ipairs(seen) do if not fine then return {status = 'Degraded'} end end
         return {status = 'Healthy', message = tostring(#t)}",
    );
    for _ in 0..3 {
        assert_eq!(scripts.run(&breaks, &object(&json!({}))), Some(Health::healthy("1")));
        assert_eq!(scripts.run(&looks, &object(&json!({}))), Some(Health::healthy("1")));
    }
}

/// Ten thousand objects of a kind with an endless script are not ten thousand seconds.
#[test]
fn a_script_that_takes_too_long_is_not_run_for_ever() {
    let scripts = scripts();
    let (endless, good) = (script("while true do end"), script("return {status = 'Healthy'}"));
    for _ in 0..GIVEN_UP_AFTER {
        let health = scripts.run(&endless, &object(&json!({}))).unwrap();
        assert_eq!(health.message, "health.lua: the script took longer than 1 s");
    }
    for _ in 0..1000 {
        let health = scripts.run(&endless, &object(&json!({}))).unwrap();
        assert_eq!(health.message, "health.lua: the script took longer than 1 s 3 times, and is not run again");
    }
    assert_eq!(scripts.run(&good, &object(&json!({}))), Some(Health::healthy("")));
}
