-- Runs once, before any script, with all that a script may ever reach: what is not named here does not exist.
-- Returns a function that makes the globals of one run out of copies, so that nothing a script changes is there when the
-- next one starts.
local natives = ...

-- A native function says whether it worked first. The place in the script is put before the words of an error, as Lua's
-- own functions do.
local function settle(worked, ...)
  if worked then
    return ...
  end
  error((...), 2)
end

local function checked(native)
  return function(...)
    return settle(native(...))
  end
end

local libraries = { table = table, string = string, math = math, os = {} }
-- Lua's own matching can take hours inside of one call, where no limit of time reaches it.
string.find, string.match = checked(natives.find), checked(natives.match)
string.gmatch, string.gsub = checked(natives.gmatch), checked(natives.gsub)
string.gfind = nil
-- Bytecode goes around every limit.
string.dump = nil
-- Chance would make the same object healthy once and not again.
math.random, math.randomseed = nil, nil
libraries.os.time, libraries.os.date = checked(natives.time), checked(natives.date)
-- All strings share one metatable: it is not for scripts.
getmetatable("").__index = string
getmetatable("").__metatable = false

local base = {
  assert = assert, error = error, getmetatable = getmetatable, ipairs = ipairs, next = next, pairs = pairs, pcall = pcall,
  print = function() end, rawequal = rawequal, rawget = rawget, rawset = rawset, select = select,
  setmetatable = setmetatable, tonumber = tonumber, tostring = tostring, type = type, unpack = unpack, xpcall = xpcall,
  _VERSION = "Lua 5.1",
}

local pairs, error, type = pairs, error, type

return function(obj)
  local globals, loaded = {}, {}
  for name, value in pairs(base) do
    globals[name] = value
  end
  for name, library in pairs(libraries) do
    local copy = {}
    for field, value in pairs(library) do
      copy[field] = value
    end
    globals[name], loaded[name] = copy, copy
  end
  function globals.require(name)
    if type(name) ~= "string" or not loaded[name] then
      error("module '" .. (type(name) == "string" and name or type(name)) .. "' not found", 2)
    end
    return loaded[name]
  end
  globals._G, globals.obj, globals.actionParams = globals, obj, {}
  return globals
end
