//! Windows along an axis.

use std::ops::Range;

/// One spatial axis; axes that are missing have extent 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// Extent of what is pooled, and of the result.
    pub input: usize,
    pub output: usize,
    pub size: usize,
    pub stride: usize,
    pub low: usize,
}

impl Axis {
    pub const NONE: Axis = Axis {
        input: 1,
        output: 1,
        size: 1,
        stride: 1,
        low: 0,
    };

    /// The cells of a window that are not padding.
    #[inline(always)]
    pub fn window(&self, o: usize) -> Range<usize> {
        let start = o * self.stride;
        start.saturating_sub(self.low)
            ..(start + self.size - self.low.min(start + self.size)).min(self.input)
    }

    /// The windows that a cell is in.
    #[inline(always)]
    pub fn covering(&self, i: usize) -> Range<usize> {
        let at = i + self.low;
        let first = (at + 1).saturating_sub(self.size).div_ceil(self.stride);
        first..(at / self.stride + 1).min(self.output)
    }

    /// Whether no cell is in two windows.
    pub fn apart(&self) -> bool {
        self.low == 0 && self.stride >= self.size
    }

    /// Whether every cell is in exactly one window.
    pub fn tiles(&self) -> bool {
        self.low == 0 && self.stride == self.size && self.output * self.size == self.input
    }
}
