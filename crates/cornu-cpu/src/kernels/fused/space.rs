//! Iteration spaces: merging axes and cutting blocks.

/// Where a source or an output lies: an element stride per axis of the space.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Access {
    /// One per axis that is counted through.
    pub outer: Vec<isize>,
    /// From row to row of a block.
    pub row: isize,
    /// From column to column of a block.
    pub col: isize,
}

/// A space cut into blocks of at most `block_rows` × `block_cols`, which lie in the last two axes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    /// Extents of the axes that are counted through.
    pub outer: Vec<usize>,
    /// Extent of the second-last axis.
    pub rows: usize,
    /// Extent of the last axis.
    pub cols: usize,
    /// Rows of a block.
    pub block_rows: usize,
    /// Columns of a block.
    pub block_cols: usize,
}

impl Layout {
    /// Blocks along rows and along columns.
    pub fn grid(&self) -> (usize, usize) {
        (
            self.rows.div_ceil(self.block_rows),
            self.cols.div_ceil(self.block_cols),
        )
    }

    /// How many blocks there are.
    pub fn blocks(&self) -> usize {
        let (rows, cols) = self.grid();
        self.outer.iter().product::<usize>() * rows * cols
    }

    /// The most elements of a block.
    pub fn block_size(&self) -> usize {
        self.block_rows * self.block_cols
    }

    /// Whether a block of `access` is one run of memory.
    pub fn is_dense(&self, access: &Access) -> bool {
        access.col == 1
            && (self.block_rows == 1
                || (self.block_cols == self.cols && access.row == self.cols as isize))
    }

    /// Whether every block of `access` lies at the same place.
    pub fn is_fixed(&self, access: &Access) -> bool {
        let (rows, cols) = self.grid();
        access
            .outer
            .iter()
            .zip(&self.outer)
            .all(|(s, n)| *s == 0 || *n == 1)
            && (access.row == 0 || rows == 1)
            && (access.col == 0 || cols == 1)
    }
}

/// Row-major strides.
pub(crate) fn row_major(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1; shape.len()];
    for k in (1..shape.len()).rev() {
        strides[k - 1] = strides[k] * shape[k] as isize;
    }
    strides
}

/// The space with the fewest axes that all strides (one list per source, one stride per axis) allow.
/// Only axes with the same mark are merged. Returns extents, strides and marks; at least one axis.
pub(crate) fn collapse(
    shape: &[usize],
    strides: &[Vec<isize>],
    marks: &[bool],
) -> (Vec<usize>, Vec<Vec<isize>>, Vec<bool>) {
    let mut extents: Vec<usize> = Vec::new();
    let mut kept_marks: Vec<bool> = Vec::new();
    let mut kept: Vec<Vec<isize>> = vec![Vec::new(); strides.len()];
    for (axis, &n) in shape.iter().enumerate() {
        if n == 1 {
            continue;
        }
        let merges = kept_marks.last() == Some(&marks[axis])
            && kept
                .iter()
                .zip(strides)
                .all(|(k, s)| k.last().is_some_and(|outer| *outer == s[axis] * n as isize));
        if merges {
            *extents.last_mut().expect("an axis was kept") *= n;
            for (k, s) in kept.iter_mut().zip(strides) {
                *k.last_mut().expect("an axis was kept") = s[axis];
            }
        } else {
            extents.push(n);
            kept_marks.push(marks[axis]);
            for (k, s) in kept.iter_mut().zip(strides) {
                k.push(s[axis]);
            }
        }
    }
    if extents.is_empty() {
        extents.push(1);
        kept_marks.push(marks.first().copied().unwrap_or(false));
        kept.iter_mut().for_each(|k| k.push(0));
    }
    (extents, kept, kept_marks)
}

/// The last two axes as rows and columns, the others counted through.
pub(crate) fn split(
    extents: &[usize],
    strides: &[Vec<isize>],
) -> (Vec<usize>, usize, usize, Vec<Access>) {
    let k = extents.len();
    let outer = k.saturating_sub(2);
    let rows = if k >= 2 { extents[k - 2] } else { 1 };
    let access = |s: &Vec<isize>| Access {
        outer: s[..outer].to_vec(),
        row: if k >= 2 { s[k - 2] } else { 0 },
        col: s[k - 1],
    };
    (
        extents[..outer].to_vec(),
        rows,
        extents[k - 1],
        strides.iter().map(access).collect(),
    )
}

/// As many of `rows` as fit a block of `size` elements with this many columns; a multiple that keeps the
/// blocks' starts and ends at whole granules, where that is possible.
pub(crate) fn rows_per_block(rows: usize, cols: usize, size: usize, granule: usize) -> usize {
    let most = (size / cols.max(1)).clamp(1, rows.max(1));
    let mut unit = 1;
    while !(unit * cols).is_multiple_of(granule) {
        unit *= 2;
    }
    if most >= unit {
        most / unit * unit
    } else {
        most
    }
}

/// Blocks for an elementwise kernel: whole rows if they are short, else pieces of one row.
pub(crate) fn blocks(
    outer: Vec<usize>,
    rows: usize,
    cols: usize,
    size: usize,
    granule: usize,
) -> Layout {
    if cols >= size {
        Layout {
            outer,
            rows,
            cols,
            block_rows: 1,
            block_cols: size,
        }
    } else {
        let block_rows = rows_per_block(rows, cols, size, granule);
        Layout {
            outer,
            rows,
            cols,
            block_rows,
            block_cols: cols.max(1),
        }
    }
}
