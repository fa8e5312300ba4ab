//! What anchors keep, and what their aliases may cost.
//!
//! Rule: go-yaml v2 decode.go `allowedAliasRatio`; and limits of our own, since an alias is a copy here.

use std::ops::Range;

use serde_json::Value;

use super::Limits;
use super::events::YamlFault;
use super::scalar::Scalar;

/// The value behind `&name`.
pub(super) enum Anchor {
    /// Its map or list is not whole yet.
    Open,
    /// Its value.
    Done(Anchored),
}

/// A value that aliases may repeat.
pub(super) struct Anchored {
    pub(super) value: Value,
    /// The scalar, if it is one: as a key it may read differently.
    pub(super) scalar: Option<Scalar>,
    pub(super) late: Vec<(Option<String>, YamlFault)>,
    /// How many steps decoding it takes.
    pub(super) operations: u64,
    /// How much text it holds.
    pub(super) bytes: usize,
}

impl Anchored {
    pub(super) fn scalar(scalar: Scalar, bytes: usize, range: &Range<usize>) -> Self {
        let (value, late) = match scalar.clone().into_value() {
            Ok(value) => (value, Vec::new()),
            Err(message) => (Value::Null, vec![(None, YamlFault::new(message, range.clone()))]),
        };
        Self { value, scalar: Some(scalar), late, operations: 1, bytes }
    }
}

/// Counts the steps of decoding, and how many of them aliases have caused.
pub(super) struct AliasCost {
    operations: u64,
    by_aliases: u64,
    bytes: usize,
    bytes_by_aliases: usize,
    most_operations: u64,
    most_bytes: usize,
}

impl AliasCost {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            // The document itself is a step.
            operations: 1,
            by_aliases: 0,
            bytes: 0,
            bytes_by_aliases: 0,
            most_operations: limits.alias_values as u64,
            most_bytes: limits.bytes,
        }
    }

    /// One value or key is decoded.
    pub(super) fn decode(&mut self, bytes: usize) -> Result<(), String> {
        self.operations += 1;
        self.bytes += bytes;
        self.check()
    }

    /// An alias is decoded, and what it stands for.
    pub(super) fn expand(&mut self, operations: u64, bytes: usize) -> Result<(), String> {
        self.operations += 1 + operations;
        self.by_aliases += operations;
        self.bytes += bytes;
        self.bytes_by_aliases += bytes;
        if self.by_aliases > self.most_operations || self.bytes_by_aliases > self.most_bytes {
            return Err("aliases make the document too large".to_owned());
        }
        self.check()
    }

    /// The cost so far, for [`Self::since`].
    pub(super) fn so_far(&self) -> (u64, usize) {
        (self.operations, self.bytes)
    }

    /// The cost since then.
    pub(super) fn since(&self, (operations, bytes): (u64, usize)) -> (u64, usize) {
        (self.operations - operations, self.bytes - bytes)
    }

    fn check(&self) -> Result<(), String> {
        if self.by_aliases <= 100 || self.operations <= 1000 {
            return Ok(());
        }
        #[expect(clippy::cast_precision_loss, reason = "the counts stay far below 2^52")]
        let (operations, by_aliases) = (self.operations as f64, self.by_aliases as f64);
        if by_aliases / operations > allowed_ratio(operations) {
            return Err("aliases make up too much of the document".to_owned());
        }
        Ok(())
    }
}

/// 99 % up to 400,000 steps, 10 % from 4,000,000, and evenly between.
fn allowed_ratio(operations: f64) -> f64 {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    0.99 - 0.89 * ((operations.clamp(LOW, HIGH) - LOW) / (HIGH - LOW))
}
