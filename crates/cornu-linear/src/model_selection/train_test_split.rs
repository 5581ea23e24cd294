//! One split into rows to learn from and rows to be judged by.

use super::folds::{Split, classes};
use crate::options::setters;
use crate::{Error, OwnedRows, Result, Rows, Targets, check};
use cornu_core::random::Stream;

/// Splits data once; by default a quarter of the rows, chosen at random, is left out.
///
/// ```
/// use cornu_linear::model_selection::TrainTestSplit;
/// use ndarray::Array2;
///
/// let x = Array2::from_shape_fn((8, 1), |(r, _)| r as f64);
/// let split = TrainTestSplit::new().shuffle(false).split(&x, &[0, 0, 0, 0, 1, 1, 1, 1])?;
/// assert_eq!((split.x_train.view().len(), split.y_test.values()), (6, &[1.0, 1.0][..]));
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainTestSplit {
    test_size: f64,
    shuffle: bool,
    stratify: bool,
    seed: u64,
}

/// Both parts of the data.
#[derive(Clone, Debug)]
pub struct TrainTest {
    /// Rows to learn from.
    pub x_train: OwnedRows,
    /// Rows left out.
    pub x_test: OwnedRows,
    /// Targets to learn from.
    pub y_train: Targets<'static>,
    /// Targets of the rows left out.
    pub y_test: Targets<'static>,
}

impl Default for TrainTestSplit {
    fn default() -> Self {
        Self {
            test_size: 0.25,
            shuffle: true,
            stratify: false,
            seed: 0,
        }
    }
}

impl TrainTestSplit {
    /// A quarter left out, at random.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The part of the rows that is left out, between 0 and 1, rounded up to whole rows (default: 0.25).
        test_size: f64 => test_size;

        /// Whether the rows are chosen at random (default: yes); else the last ones are left out.
        shuffle: bool => shuffle;

        /// Whether each label is as frequent in both parts as in the whole (default: no).
        stratify: bool => stratify;

        /// What the random choice follows from (default: 0), by Philox; other than scikit-learn's.
        seed: u64 => seed;
    }

    /// Copies of both parts.
    ///
    /// # Errors
    /// As for [`rows`](Self::rows); also if lengths do not fit each other.
    pub fn split<'a, 'b>(
        &self,
        x: impl Into<Rows<'a>>,
        y: impl Into<Targets<'b>>,
    ) -> Result<TrainTest> {
        let (x, y) = (x.into(), y.into());
        check::lengths(x.len(), &y, None)?;
        let Split { train, test } = self.rows(&y)?;
        Ok(TrainTest {
            x_train: x.select(&train),
            x_test: x.select(&test),
            y_train: y.select(&train),
            y_test: y.select(&test),
        })
    }

    /// The numbers of the rows of either part.
    ///
    /// # Errors
    /// If a part would have no row. If stratified, also if rows are not shuffled, a label has one row only, or
    /// a part has fewer rows than there are labels.
    pub fn rows(&self, y: &Targets<'_>) -> Result<Split> {
        let rows = y.len();
        let test = (self.test_size * rows as f64).ceil();
        if !(self.test_size > 0.0 && self.test_size < 1.0) || test >= rows as f64 {
            return Err(Error::new(format!(
                "test_size: expected a part between 0 and 1 that leaves rows to learn from. Received: {} of {rows} rows.",
                self.test_size
            )));
        }
        let test = test as usize;
        if self.stratify {
            return self.stratified(y, test);
        }
        let mut order: Vec<usize> = (0..rows).collect();
        if !self.shuffle {
            let test = order.split_off(rows - test);
            return Ok(Split { train: order, test });
        }
        Stream::new(self.seed, 0).shuffle(&mut order);
        let train = order.split_off(test);
        Ok(Split { train, test: order })
    }

    fn stratified(&self, y: &Targets<'_>, test: usize) -> Result<Split> {
        let mut classes = classes(y.single()?);
        let rows = y.len();
        if !self.shuffle || classes.iter().any(|of| of.len() < 2) {
            return Err(Error::new(
                "stratify: expected shuffled rows and at least two of each label. Received: rows in order, or one of a label.",
            ));
        }
        if test.min(rows - test) < classes.len() {
            return Err(Error::new(format!(
                "stratify: expected at least {} rows in both parts, one for each label. Received: {} and {test}.",
                classes.len(),
                rows - test
            )));
        }
        // Each label's share, rounded down; what is missing goes to those that lost most by it.
        let share = |of: &Vec<usize>| test as f64 * of.len() as f64 / rows as f64;
        let mut counts: Vec<usize> = classes.iter().map(|of| share(of) as usize).collect();
        let mut by_loss: Vec<usize> = (0..classes.len()).collect();
        by_loss.sort_by(|&a, &b| {
            share(&classes[b])
                .fract()
                .total_cmp(&share(&classes[a]).fract())
        });
        let missing = test - counts.iter().sum::<usize>();
        by_loss
            .iter()
            .take(missing)
            .for_each(|&class| counts[class] += 1);
        let mut split = Split {
            train: Vec::with_capacity(rows - test),
            test: Vec::with_capacity(test),
        };
        for (class, (of, count)) in classes.iter_mut().zip(counts).enumerate() {
            Stream::new(self.seed, class as u32 + 1).shuffle(of);
            split.test.extend(&of[..count]);
            split.train.extend(&of[count..]);
        }
        let mut random = Stream::new(self.seed, 0);
        random.shuffle(&mut split.train);
        random.shuffle(&mut split.test);
        Ok(split)
    }
}
