//! Go's package `fmt`: values to text, by verbs and flags.
//!
//! In: a format and values. Out: bytes, or the limit that they would exceed. Rules: Go's `fmt/print.go`, `fmt/format.go`
//! and `strconv`.

mod float;
mod integer;
mod printer;
mod printf;
mod quote;

use super::error::Limit;
use super::value::Value;
use printer::Printer;

pub(super) use float::format_float;
pub(super) use quote::{quote, quote_truncated};

/// How much of a value `Debug` shows.
pub(super) const DEBUG_LIMIT: usize = 4096;

/// A value as `%v` prints it, cut where it becomes larger than the limit.
pub(super) fn print(value: &Value, limit: usize) -> Vec<u8> {
    let mut printer = Printer::new(limit);
    printer.argument(value, 'v');
    printer.buffer
}

/// `fmt.Sprint`: spaces only between two values that are no strings.
pub(super) fn sprint<'a>(values: impl Iterator<Item = &'a Value>, limit: usize) -> Result<Vec<u8>, Limit> {
    let mut printer = Printer::new(limit);
    let mut was_text = true;
    for (index, value) in values.enumerate() {
        let is_text = matches!(value, Value::Text(_));
        if index > 0 && !is_text && !was_text {
            printer.buffer.push(b' ');
        }
        printer.argument(value, 'v');
        was_text = is_text;
    }
    printer.finish()
}

/// `fmt.Sprintln`.
pub(super) fn sprintln<'a>(values: impl Iterator<Item = &'a Value>, limit: usize) -> Result<Vec<u8>, Limit> {
    let mut printer = Printer::new(limit);
    for (index, value) in values.enumerate() {
        if index > 0 {
            printer.buffer.push(b' ');
        }
        printer.argument(value, 'v');
    }
    printer.buffer.push(b'\n');
    printer.finish()
}

/// `fmt.Sprintf`.
pub(super) fn sprintf(format: &[u8], values: &[Value], limit: usize) -> Result<Vec<u8>, Limit> {
    let mut printer = Printer::new(limit);
    printf::print(&mut printer, format, values);
    printer.finish()
}

/// One verb without flags, for the messages of errors.
pub(super) fn verb(value: &Value, verb: char) -> String {
    let mut printer = Printer::new(DEBUG_LIMIT);
    printer.argument(value, verb);
    String::from_utf8_lossy(&printer.buffer).into_owned()
}
