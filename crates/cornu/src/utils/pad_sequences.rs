//! Sequences of different lengths made one array.

use crate::{Array, DType, Error, IntoData, Result, Shape};

/// Which end of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Its beginning: Keras' `"pre"`.
    Pre,
    /// Its end: Keras' `"post"`.
    Post,
}

/// What [`pad_sequences_with`] is told: Keras' arguments under their names, with its defaults.
#[derive(Clone, Copy, Debug)]
pub struct PadSequences {
    maxlen: Option<usize>,
    dtype: DType,
    padding: Side,
    truncating: Side,
    value: f64,
}

impl Default for PadSequences {
    fn default() -> Self {
        Self::new()
    }
}

impl PadSequences {
    /// As long as the longest sequence, of `int32`, with zeros before the shorter ones.
    pub fn new() -> Self {
        Self {
            maxlen: None,
            dtype: DType::I32,
            padding: Side::Pre,
            truncating: Side::Pre,
            value: 0.0,
        }
    }

    /// The length that all get; that of the longest sequence by default.
    pub fn maxlen(mut self, maxlen: usize) -> Self {
        self.maxlen = Some(maxlen);
        self
    }

    /// The type of the result, `int32` by default; values are converted to it.
    pub fn dtype(mut self, dtype: DType) -> Self {
        self.dtype = dtype;
        self
    }

    /// Where shorter sequences are filled up: before them ([`Side::Pre`], the default) or after.
    pub fn padding(mut self, side: Side) -> Self {
        self.padding = side;
        self
    }

    /// Where longer sequences lose what is too much: at the beginning ([`Side::Pre`], the default) or
    /// at the end.
    pub fn truncating(mut self, side: Side) -> Self {
        self.truncating = side;
        self
    }

    /// What fills up; 0 by default.
    pub fn value(mut self, value: f64) -> Self {
        self.value = value;
        self
    }
}

/// Sequences of different lengths as one array `(sequences, length of the longest)` of `int32`, zeros
/// before the shorter ones.
///
/// ```
/// use cornu::utils::pad_sequences;
/// let padded = pad_sequences(&vec![vec![1], vec![2, 3], vec![4, 5, 6]])?;
/// assert_eq!(padded.shape().dims(), [3, 3]);
/// assert_eq!(padded.to_vec::<i32>(), [0, 0, 1, 0, 2, 3, 4, 5, 6]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// As [`pad_sequences_with`].
pub fn pad_sequences<'a, S>(sequences: S) -> Result<Array>
where
    S: IntoIterator<Item: IntoData<'a>>,
{
    pad_sequences_with(sequences, PadSequences::new())
}

/// As [`pad_sequences`], with options. A sequence may also be one of rows: arrays `(steps, …)` give
/// `(sequences, steps, …)`.
///
/// ```
/// use cornu::utils::{PadSequences, Side, pad_sequences_with};
/// let sequences = [vec![1], vec![2, 3], vec![4, 5, 6]];
/// let options = PadSequences::new().maxlen(2).padding(Side::Post).value(-1.0);
/// let padded = pad_sequences_with(&sequences, options)?;
/// assert_eq!(padded.to_vec::<i32>(), [1, -1, 2, 3, 5, 6]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// No sequence at all; one that is a single number; rows of different shapes; a `maxlen` of 0.
pub fn pad_sequences_with<'a, S>(sequences: S, options: PadSequences) -> Result<Array>
where
    S: IntoIterator<Item: IntoData<'a>>,
{
    let sequences: Vec<_> = sequences.into_iter().map(IntoData::into_data).collect();
    let lengths = sequences.iter().map(|s| s.samples("A sequence"));
    let lengths = lengths.collect::<Result<Vec<usize>>>()?;
    let Some(longest) = lengths.iter().max() else {
        return Err(Error::new(
            "pad_sequences needs at least one sequence. Received: none.",
        ));
    };
    let maxlen = options.maxlen.unwrap_or(*longest);
    if options.maxlen == Some(0) {
        return Err(Error::new("maxlen must be at least 1. Received: maxlen=0."));
    }
    let row: &[usize] = sequences
        .iter()
        .find(|s| s.shape()[0] > 0)
        .map_or(&[], |s| &s.shape()[1..]);
    let mut padded: Vec<f64> = Vec::new();
    let width: usize = row.iter().product();
    for (i, (sequence, n)) in sequences.iter().zip(lengths).enumerate() {
        if n > 0 && sequence.shape()[1..] != *row {
            return Err(Error::shape(format!(
                "All steps of all sequences must have the same shape. Received: steps of shape {} \
                 in sequence {i}, where {} was expected.",
                Shape::from(&sequence.shape()[1..]),
                Shape::from(row)
            )));
        }
        let kept = n.min(maxlen);
        let from = match options.truncating {
            Side::Pre => n - kept,
            Side::Post => 0,
        };
        let fill = std::iter::repeat_n(options.value, (maxlen - kept) * width);
        let values = sequence.to_vec::<f64>();
        let steps = values[from * width..(from + kept) * width].iter().copied();
        match options.padding {
            Side::Pre => padded.extend(fill.chain(steps)),
            Side::Post => padded.extend(steps.chain(fill)),
        }
    }
    let shape: Vec<usize> = [sequences.len(), maxlen]
        .into_iter()
        .chain(row.iter().copied())
        .collect();
    Array::from_vec(shape, padded).map(|a| a.cast(options.dtype))
}
