//! A dataset in two parts.

use crate::data::{Cardinality, Dataset, Example, Examples};
use crate::{Error, Result};
use cornu_core::random::Stream;

/// How large a part of a dataset is: a share (`0.8`) or a number of elements (`100`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SplitSize {
    /// A share between 0 and 1.
    Share(f64),
    /// So many elements.
    Elements(usize),
}

impl From<f64> for SplitSize {
    fn from(share: f64) -> Self {
        SplitSize::Share(share)
    }
}

impl From<usize> for SplitSize {
    fn from(elements: usize) -> Self {
        SplitSize::Elements(elements)
    }
}

/// What [`split_dataset`] is told: Keras' arguments under their names. At least one size is needed;
/// the other is the rest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Split {
    left_size: Option<SplitSize>,
    right_size: Option<SplitSize>,
    shuffle: bool,
    seed: Option<u64>,
}

impl Split {
    /// No size yet; in order.
    pub fn new() -> Self {
        Self::default()
    }

    /// The size of the first part.
    pub fn left_size(mut self, size: impl Into<SplitSize>) -> Self {
        self.left_size = Some(size.into());
        self
    }

    /// The size of the second part, which is taken from the end.
    pub fn right_size(mut self, size: impl Into<SplitSize>) -> Self {
        self.right_size = Some(size.into());
        self
    }

    /// Whether the elements are put in random order first; they are not by default.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// The seed of that order.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The two sizes for `n` elements.
    fn sizes(&self, n: usize) -> Result<(usize, usize)> {
        let size = |name: &str, size: Option<SplitSize>| -> Result<Option<usize>> {
            let refuse = |value: String| {
                Err(Error::new(format!(
                    "{name} must be a share between 0 and 1, or at least 1 and less than the {n} \
                     elements of the dataset. Received: {name}={value}."
                )))
            };
            match size {
                None => Ok(None),
                Some(SplitSize::Share(s)) if s > 0.0 && s < 1.0 => {
                    Ok(Some((s * n as f64).round_ties_even() as usize))
                }
                Some(SplitSize::Elements(e)) if e > 0 && e < n => Ok(Some(e)),
                Some(SplitSize::Share(s)) => refuse(s.to_string()),
                Some(SplitSize::Elements(e)) => refuse(e.to_string()),
            }
        };
        let left = size("left_size", self.left_size)?;
        let right = size("right_size", self.right_size)?;
        match (left, right) {
            (None, None) => Err(Error::new(
                "split_dataset needs a left_size or a right_size. Received: neither.",
            )),
            (Some(left), None) => Ok((left, n - left)),
            (None, Some(right)) => Ok((n - right, right)),
            (Some(left), Some(right)) if left + right <= n => Ok((left, right)),
            (Some(left), Some(right)) => Err(Error::new(format!(
                "left_size and right_size must not take more than the {n} elements of the dataset. \
                 Received: {left} and {right} elements."
            ))),
        }
    }
}

/// Elements in memory: a part of a dataset, from [`split_dataset`].
#[derive(Clone, Debug)]
pub struct Listed(Vec<Example>);

impl Dataset for Listed {
    fn examples(&self) -> Result<Examples<'_>> {
        Ok(Box::new(self.0.iter().map(|e| Ok(e.clone()))))
    }

    fn cardinality(&self) -> Cardinality {
        Cardinality::Known(self.0.len())
    }
}

/// A dataset in two parts, read into memory: for training and for validation, say.
///
/// The elements are split as they are: split samples, and then batch the parts.
///
/// ```
/// use cornu::data::{Cardinality, Dataset, from_tensor_slices};
/// use cornu::utils::{Split, split_dataset};
/// let x: Vec<f32> = (0..10).map(|i| i as f32).collect();
/// let (train, test) = split_dataset(&from_tensor_slices(&x, ()), Split::new().left_size(0.8))?;
/// assert_eq!(train.batch(4).cardinality(), Cardinality::Known(2));
/// assert_eq!(test.cardinality(), Cardinality::Known(2));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// A size that does not fit, no size, a dataset without end, or what the dataset gives.
pub fn split_dataset(data: &dyn Dataset, split: Split) -> Result<(Listed, Listed)> {
    if data.cardinality() == Cardinality::Infinite {
        return Err(Error::new(
            "split_dataset needs a dataset that ends. Received: one that is repeated for ever.",
        ));
    }
    let mut all = data.examples()?.collect::<Result<Vec<Example>>>()?;
    let (left, right) = split.sizes(all.len())?;
    if split.shuffle {
        let seed = split.seed.unwrap_or_else(crate::utils::next_seed);
        Stream::new(seed, 0).shuffle(&mut all);
    }
    let right = all.split_off(all.len() - right);
    all.truncate(left);
    Ok((Listed(all), Listed(right)))
}
