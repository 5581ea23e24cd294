//! How much a model may ask for that comes from a file: memory for weights, and work before it is ever run.

use super::InputShape;
use crate::{Error, Result};
use std::cell::Cell;

/// How many times the size of its file a model's weights may be claimed: none is larger than its place in the
/// file, but while a graph is drawn those of a layer inside others may be declared several times.
const FACTOR: usize = 16;

/// What is left for small models, whose file is all structure.
const FLOOR: usize = 1 << 20;

/// What the weights may take of a model whose description comes without them.
const DESCRIBED: usize = 1 << 30;

/// Where a model comes from, and the bytes of weights that it may claim if nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Source {
    /// A file of so many bytes, which brings the values of weights.
    #[cfg_attr(not(feature = "saving"), expect(dead_code))]
    File(usize),
    /// Its description alone.
    Description,
}

impl Source {
    fn allows(self) -> usize {
        match self {
            Source::File(bytes) => bytes.saturating_mul(FACTOR).saturating_add(FLOOR),
            Source::Description => DESCRIBED,
        }
    }
}

/// The bytes of weights that may yet be made of what is read, and where it comes from.
#[derive(Clone, Copy)]
struct Budget {
    left: usize,
    source: Source,
}

thread_local! {
    static BUDGET: Cell<Option<Budget>> = const { Cell::new(None) };
}

/// Runs what reads a model: no more weights may be declared than `most` bytes, or than its source allows. Where a
/// file brings their values they are zeros until these are read.
pub(crate) fn weight_budget<T>(source: Source, most: Option<usize>, read: impl FnOnce() -> T) -> T {
    /// Puts back what was there before, also after a panic.
    struct Before(Option<Budget>);
    impl Drop for Before {
        fn drop(&mut self) {
            BUDGET.set(self.0);
        }
    }
    let left = most.unwrap_or(source.allows());
    let _before = Before(BUDGET.replace(Some(Budget { left, source })));
    read()
}

/// Whether a model is being read from a file, which brings the values.
pub(super) fn values_follow() -> bool {
    BUDGET
        .get()
        .is_some_and(|budget| budget.source != Source::Description)
}

/// Whether so many bytes of weights may be made: within the budget of what is read, and in what memory there is.
pub(super) fn grant(bytes: usize) -> bool {
    if let Some(budget) = BUDGET.get() {
        let Some(left) = budget.left.checked_sub(bytes) else {
            return false;
        };
        BUDGET.set(Some(Budget { left, ..budget }));
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
        _ if BUDGET.get().is_none() => Ok(()),
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
