//! How much memory the weights of a model may take that comes from a file.

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
