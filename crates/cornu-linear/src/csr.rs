//! Sparse rows.

use crate::{Error, Result};

/// A sparse matrix by rows: of each row, the columns that are not zero and their values.
///
/// ```
/// use cornu_linear::Csr;
/// // [[0, 5], [0, 0], [7, 0]]
/// let x = Csr::new((3, 2), vec![0, 1, 1, 2], vec![1, 0], vec![5.0, 7.0])?;
/// assert_eq!(x.row(2), (&[0][..], &[7.0][..]));
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Csr<T> {
    rows: usize,
    cols: usize,
    starts: Vec<usize>,
    columns: Vec<usize>,
    values: Vec<T>,
}

impl<T> Csr<T> {
    /// A matrix of `shape` (rows, columns): row `r` has the entries `starts[r]..starts[r + 1]` of
    /// `columns` and `values`.
    ///
    /// # Errors
    /// If `starts` does not begin with 0, decreases, or does not end with the number of entries; if there
    /// are not as many columns as values, or a column is outside the shape.
    pub fn new(
        shape: (usize, usize),
        starts: Vec<usize>,
        columns: Vec<usize>,
        values: Vec<T>,
    ) -> Result<Self> {
        let (rows, cols) = shape;
        if starts.len() != rows + 1 {
            return Err(Error::shape(format!(
                "Sparse rows: expected {} starts for {rows} rows. Received: {}.",
                rows + 1,
                starts.len()
            )));
        }
        if columns.len() != values.len() {
            return Err(Error::shape(format!(
                "Sparse rows: expected as many columns as values. Received: {} columns, {} values.",
                columns.len(),
                values.len()
            )));
        }
        if starts[0] != 0 || starts[rows] != values.len() || !starts.is_sorted() {
            return Err(Error::new(format!(
                "Sparse rows: starts must rise from 0 to the number of values, {}.",
                values.len()
            )));
        }
        if let Some(column) = columns.iter().find(|&&column| column >= cols) {
            return Err(Error::shape(format!(
                "Sparse rows: expected columns below {cols}. Received: {column}."
            )));
        }
        Ok(Self {
            rows,
            cols,
            starts,
            columns,
            values,
        })
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// The columns and values of a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> (&[usize], &[T]) {
        let entries = self.starts[row]..self.starts[row + 1];
        (&self.columns[entries.clone()], &self.values[entries])
    }

    /// All entries' values.
    pub fn values(&self) -> &[T] {
        &self.values
    }
}

impl<T: Copy> Csr<T> {
    /// Some of the rows, in the order given.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn select(&self, rows: &[usize]) -> Self {
        let (mut starts, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
        for &row in rows {
            let (c, v) = self.row(row);
            columns.extend_from_slice(c);
            values.extend_from_slice(v);
            starts.push(values.len());
        }
        Self {
            rows: rows.len(),
            cols: self.cols,
            starts,
            columns,
            values,
        }
    }
}
