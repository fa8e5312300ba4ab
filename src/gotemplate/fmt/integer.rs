//! Integers by base, sign, width and precision (`fmtInteger`, `fmtC`, `fmtUnicode`).

use super::super::text::{RUNE_ERROR, push_rune};
use super::super::unicode::is_print;
use super::printer::Printer;
use super::quote::quoted;

/// An integer with its sign apart.
#[derive(Clone, Copy)]
pub(super) struct IntegerArgument {
    pub(super) magnitude: u64,
    pub(super) is_negative: bool,
    pub(super) is_signed: bool,
}

impl IntegerArgument {
    pub(super) fn signed(value: i64) -> Self {
        Self { magnitude: value.unsigned_abs(), is_negative: value < 0, is_signed: true }
    }

    pub(super) fn unsigned(value: u64) -> Self {
        Self { magnitude: value, is_negative: false, is_signed: false }
    }

    /// As Go's `uint64(value)`.
    fn wrapped(self) -> u64 {
        if self.is_negative { self.magnitude.wrapping_neg() } else { self.magnitude }
    }
}

impl Printer {
    /// By verb; false when the verb is not for integers.
    pub(super) fn integer(&mut self, value: IntegerArgument, verb: char) -> bool {
        match verb {
            'v' if self.flags.sharp_v && !value.is_signed => self.hexadecimal(value.magnitude, true),
            'v' | 'd' => self.in_base(value, 10, verb),
            'b' => self.in_base(value, 2, verb),
            'o' | 'O' => self.in_base(value, 8, verb),
            'x' | 'X' => self.in_base(value, 16, verb),
            'c' => {
                let mut text = Vec::new();
                push_rune(&mut text, rune(value));
                self.pad(&text);
            }
            'q' => {
                let mut text = Vec::new();
                push_rune(&mut text, rune(value));
                let ascii_only = self.flags.plus;
                self.pad(&quoted(&text, b'\'', ascii_only));
            }
            'U' => self.code_point(value.wrapped()),
            _ => return false,
        }
        true
    }

    pub(super) fn hexadecimal(&mut self, value: u64, with_prefix: bool) {
        let sharp = std::mem::replace(&mut self.flags.sharp, with_prefix);
        self.in_base(IntegerArgument::unsigned(value), 16, 'v');
        self.flags.sharp = sharp;
    }

    fn in_base(&mut self, value: IntegerArgument, base: u32, verb: char) {
        let flags = self.flags;
        let mut digits = match (base, verb) {
            (2, _) => format!("{:b}", value.magnitude),
            (8, _) => format!("{:o}", value.magnitude),
            (16, 'X') => format!("{:X}", value.magnitude),
            (16, _) => format!("{:x}", value.magnitude),
            _ => value.magnitude.to_string(),
        };
        let mut precision = 0;
        if let Some(given) = flags.precision {
            if given == 0 && value.magnitude == 0 {
                self.without_zeros(|printer| printer.padding(flags.width.unwrap_or(0)));
                return;
            }
            precision = given;
        } else if let (true, false, Some(width)) = (flags.zero, flags.minus, flags.width) {
            let has_sign = value.is_negative || flags.plus || flags.space;
            precision = width.saturating_sub(usize::from(has_sign));
        }
        if digits.len() < precision {
            digits.insert_str(0, &"0".repeat(precision - digits.len()));
        }
        if flags.sharp {
            match base {
                2 => digits.insert_str(0, "0b"),
                8 if !digits.starts_with('0') => digits.insert(0, '0'),
                16 => digits.insert_str(0, if verb == 'X' { "0X" } else { "0x" }),
                _ => {}
            }
        }
        if verb == 'O' {
            digits.insert_str(0, "0o");
        }
        if value.is_negative {
            digits.insert(0, '-');
        } else if flags.plus {
            digits.insert(0, '+');
        } else if flags.space {
            digits.insert(0, ' ');
        }
        self.without_zeros(|printer| printer.pad(digits.as_bytes()));
    }

    fn code_point(&mut self, value: u64) {
        let precision = self.flags.precision.unwrap_or(4).max(4);
        let mut text = format!("U+{value:0precision$X}");
        if self.flags.sharp
            && let Some(rune) = u32::try_from(value).ok().and_then(char::from_u32)
            && is_print(rune)
        {
            text.extend([' ', '\'', rune, '\'']);
        }
        self.without_zeros(|printer| printer.pad(text.as_bytes()));
    }
}

fn rune(value: IntegerArgument) -> char {
    u32::try_from(value.wrapped()).ok().and_then(char::from_u32).unwrap_or(RUNE_ERROR)
}
