//! Formats: flags, widths, precisions and argument numbers (`doPrintf`).

use super::super::text::{first_rune, push_rune};
use super::super::value::Value;
use super::printer::{Printer, VerbFlags};

/// A format on its way through its arguments.
struct Directive<'a> {
    text: &'a [u8],
    values: &'a [Value],
    at: usize,
    argument: usize,
    is_reordered: bool,
    is_argument_good: bool,
    after_index: bool,
}

pub(super) fn print(printer: &mut Printer, format: &[u8], values: &[Value]) {
    let mut state = Directive {
        text: format,
        values,
        at: 0,
        argument: 0,
        is_reordered: false,
        is_argument_good: true,
        after_index: false,
    };
    while state.at < format.len() && !printer.is_full() {
        let text = format[state.at..].iter().position(|byte| *byte == b'%').map_or(format.len(), |end| state.at + end);
        printer.write(&format[state.at..text]);
        state.at = text;
        if state.at >= format.len() {
            break;
        }
        state.at += 1;
        state.is_argument_good = true;
        state.verb(printer);
    }
    if !state.is_reordered && state.argument < values.len() {
        printer.flags = VerbFlags::default();
        extra(printer, &values[state.argument..]);
    }
}

fn extra(printer: &mut Printer, values: &[Value]) {
    printer.write(b"%!(EXTRA ");
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            printer.write(b", ");
        }
        if let Value::Nil = value {
            printer.write(b"<nil>");
        } else {
            printer.write(value.type_name().as_bytes());
            printer.write(b"=");
            printer.argument(value, 'v');
        }
    }
    printer.write(b")");
}

impl Directive<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn verb(&mut self, printer: &mut Printer) {
        printer.flags = self.flags();
        self.argument_number();
        self.width(printer);
        self.precision(printer);
        if !self.after_index {
            self.argument_number();
        }
        let (verb, width) = first_rune(&self.text[self.at.min(self.text.len())..]);
        if width == 0 {
            printer.write(b"%!(NOVERB)");
            return;
        }
        self.at += width;
        if verb == '%' {
            printer.write(b"%");
        } else if !self.is_argument_good {
            bad(printer, verb, b"(BADINDEX)");
        } else if let Some(value) = self.values.get(self.argument) {
            if matches!(verb, 'v' | 'w') {
                printer.flags.sharp_v = std::mem::take(&mut printer.flags.sharp);
                printer.flags.plus_v = std::mem::take(&mut printer.flags.plus);
            }
            printer.argument(value, verb);
            self.argument += 1;
        } else {
            bad(printer, verb, b"(MISSING)");
        }
    }

    fn flags(&mut self) -> VerbFlags {
        let mut flags = VerbFlags::default();
        while let Some(byte) = self.byte() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        flags
    }

    fn width(&mut self, printer: &mut Printer) {
        if self.byte() == Some(b'*') {
            self.at += 1;
            match self.integer_argument() {
                Some(width) => {
                    printer.flags.width = usize::try_from(width.unsigned_abs()).ok();
                    if width < 0 {
                        printer.flags.minus = true;
                        printer.flags.zero = false;
                    }
                }
                None => printer.write(b"%!(BADWIDTH)"),
            }
            self.after_index = false;
        } else {
            printer.flags.width = self.number();
            if self.after_index && printer.flags.width.is_some() {
                self.is_argument_good = false;
            }
        }
    }

    fn precision(&mut self, printer: &mut Printer) {
        if self.byte() != Some(b'.') || self.at + 1 >= self.text.len() {
            return;
        }
        self.at += 1;
        if self.after_index {
            self.is_argument_good = false;
        }
        self.argument_number();
        if self.byte() == Some(b'*') {
            self.at += 1;
            match self.integer_argument().and_then(|precision| usize::try_from(precision).ok()) {
                Some(precision) => printer.flags.precision = Some(precision),
                None => printer.write(b"%!(BADPREC)"),
            }
            self.after_index = false;
        } else {
            printer.flags.precision = Some(self.number().unwrap_or(0));
        }
    }

    /// Digits; a number that is too large takes the rest of the format with it.
    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(digit @ b'0'..=b'9') = self.byte() {
            let value = number.unwrap_or(0);
            if value > 1_000_000 {
                self.at = self.text.len();
                return None;
            }
            number = Some(value * 10 + usize::from(digit - b'0'));
            self.at += 1;
        }
        number
    }

    fn integer_argument(&mut self) -> Option<i64> {
        let value = self.values.get(self.argument)?;
        self.argument += 1;
        let number = match value {
            Value::Int(_, number) => *number,
            Value::Uint(_, number) => i64::try_from(*number).ok()?,
            _ => return None,
        };
        (-1_000_000..=1_000_000).contains(&number).then_some(number)
    }

    /// `[n]`.
    fn argument_number(&mut self) {
        self.after_index = false;
        if self.byte() != Some(b'[') {
            return;
        }
        self.is_reordered = true;
        let rest = &self.text[self.at..];
        let Some(end) = rest.iter().position(|byte| *byte == b']').filter(|_| rest.len() >= 3) else {
            self.is_argument_good = false;
            self.at += 1;
            return;
        };
        let number = std::str::from_utf8(&rest[1..end])
            .ok()
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()) && digits.len() <= 7)
            .and_then(|digits| digits.parse::<usize>().ok());
        self.at += end + 1;
        match number {
            Some(number) if (1..=self.values.len()).contains(&number) => {
                self.argument = number - 1;
                self.after_index = true;
            }
            _ => {
                self.is_argument_good = false;
                self.after_index = number.is_some();
            }
        }
    }
}

fn bad(printer: &mut Printer, verb: char, what: &[u8]) {
    let mut text = b"%!".to_vec();
    push_rune(&mut text, verb);
    text.extend_from_slice(what);
    printer.write(&text);
}
