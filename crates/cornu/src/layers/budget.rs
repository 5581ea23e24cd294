//! How much a model may ask for that comes from a file: memory for weights, and work before it is ever run.

use super::InputShape;
use crate::{Error, Result};
use std::cell::Cell;

/// How many times the size of its file a model's weights may be claimed: none is larger than its place in the
/// file, but while a graph is drawn those of a layer inside others may be declared several times.
const FACTOR: usize = 16;

/// What is left for small models, whose file is all structure.
const FLOOR: usize = 1 << 20;

thread_local! {
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Runs what reads a file of so many bytes: weights are zeros until they are read, and no more of them may be
/// declared than the file can hold.
pub(crate) fn weight_budget<T>(file: usize, read: impl FnOnce() -> T) -> T {
    /// Puts back what was there before, also after a panic.
    struct Before(Option<usize>);
    impl Drop for Before {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    let _before = Before(LEFT.replace(Some(file.saturating_mul(FACTOR).saturating_add(FLOOR))));
    read()
}

/// Whether a model is being read from a file, which brings the values.
pub(super) fn is_reading() -> bool {
    LEFT.get().is_some()
}

/// Whether so many bytes of weights may be made: within the budget of a file, and in what memory there is.
pub(super) fn grant(bytes: usize) -> bool {
    if let Some(left) = LEFT.get() {
        let Some(rest) = left.checked_sub(bytes) else {
            return false;
        };
        LEFT.set(Some(rest));
    }
    Vec::<u8>::new().try_reserve_exact(bytes).is_ok()
}

/// Numbers in one sample of what goes between layers.
const SAMPLE: usize = 1 << 30;

/// Numbers in a table that a layer works out beforehand, such as the weights of a resizing.
const TABLE: usize = 1 << 24;

/// Steps that are written out one after the other, where no operation walks them all.
const STEPS: usize = 10_000;

fn within(what: &str, numbers: Option<usize>, most: usize) -> Result<()> {
    match numbers {
        Some(n) if n <= most => Ok(()),
        _ if !is_reading() => Ok(()),
        _ => Err(Error::shape(format!(
            "A model in a file may have {what} of at most {most} numbers. Received: {}.",
            numbers.map_or("more than can be counted".to_string(), |n| n.to_string())
        ))),
    }
}

/// Refuses samples of a shape that no model in a file needs.
pub(super) fn sample(shape: &InputShape) -> Result<()> {
    let mut known = shape.0.iter().skip(1).flatten();
    let numbers = known.try_fold(1usize, |n, d| n.checked_mul(*d));
    within("samples", numbers, SAMPLE)
}

/// Refuses tables of so many rows and columns that no layer in a file needs.
pub(crate) fn table(rows: usize, columns: usize) -> Result<()> {
    within("tables", rows.checked_mul(columns), TABLE)
}

/// Refuses more steps than a model in a file may have written out.
pub(super) fn written_out(steps: usize) -> Result<()> {
    within("sequences written out step by step", Some(steps), STEPS)
}
