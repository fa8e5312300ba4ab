//! Masterminds sprig v3.3.0, function by function: each file is a table, and the functions of it.
//!
//! Not here: `env`, `expandenv` and `getHostByName`, which Argo CD and Helm leave out as well. Functions of keys,
//! certificates and ciphers (`genPrivateKey`, `genCA` and their kin, `buildCustomCert`, `bcrypt`, `htpasswd`, `encryptAES`,
//! `decryptAES`) are known by name and refused with the reason when they are called.

#![expect(clippy::unnecessary_wraps, reason = "the functions of a table share their type")]

mod cast;
mod crypto;
mod date;
mod decimal;
mod defaults;
mod dicts;
mod encode;
mod layout;
mod lists;
mod numeric;
mod params;
mod paths;
mod regex;
mod regex_syntax;
mod semver;
mod strings;
mod url;
mod words;

use super::error::Fault;
use super::function::{Args, Context, Functions, Param, TableEntry};
use super::text::Text;
use super::value::{List, Map, Type, Value};
use params::{A, ANY, I, NIL_DEREFERENCE, Result, T};

/// The tables, which together are sprig's.
const TABLES: [&[TableEntry]; 11] = [
    crypto::TABLE,
    date::TABLE,
    defaults::TABLE,
    dicts::TABLE,
    encode::TABLE,
    lists::TABLE,
    numeric::TABLE,
    paths::TABLE,
    regex::TABLE,
    semver::TABLE,
    strings::TABLE,
];

impl Functions {
    /// Masterminds sprig v3.3.0 without `env`, `expandenv` and `getHostByName`.
    pub fn sprig() -> Self {
        let mut functions = Self::default();
        for table in TABLES {
            functions.add_table(table);
        }
        functions
    }
}

pub(super) use regex::of_pattern as compile_regex;
