//! Ways to leave out rows.

use crate::options::setters;
use crate::{Error, Result, Targets};
use cornu_core::random::Stream;
use std::ops::Range;

/// The rows to learn from and those to be judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Numbers of the rows to learn from.
    pub train: Vec<usize>,
    /// Numbers of the rows left out.
    pub test: Vec<usize>,
}

/// How rows are left out, one fold after another. Made by `into` from a number of folds
/// ([`StratifiedKFold`] for classifications, else [`KFold`]), from either of these, and from splits of one's own.
#[derive(Clone, Debug, PartialEq)]
pub enum Folds {
    /// So many folds, as fits the estimator.
    Count(usize),
    /// Parts of the rows.
    KFold(KFold),
    /// Parts in which each class is as frequent as in the whole.
    Stratified(StratifiedKFold),
    /// These.
    Given(Vec<Split>),
}

impl From<usize> for Folds {
    fn from(count: usize) -> Self {
        Folds::Count(count)
    }
}

impl From<KFold> for Folds {
    fn from(folds: KFold) -> Self {
        Folds::KFold(folds)
    }
}

impl From<StratifiedKFold> for Folds {
    fn from(folds: StratifiedKFold) -> Self {
        Folds::Stratified(folds)
    }
}

impl From<Vec<Split>> for Folds {
    fn from(splits: Vec<Split>) -> Self {
        Folds::Given(splits)
    }
}

impl Folds {
    /// The splits of these targets.
    ///
    /// # Errors
    /// If there are fewer than two folds or more folds than rows (of a class); if a given split has no rows of
    /// a kind, or rows that there are not.
    pub fn splits(&self, y: &Targets<'_>, is_classifier: bool) -> Result<Vec<Split>> {
        match self {
            Folds::Count(count) if is_classifier => {
                StratifiedKFold::new().n_splits(*count).split(y)
            }
            Folds::Count(count) => KFold::new().n_splits(*count).split(y.len()),
            Folds::KFold(folds) => folds.split(y.len()),
            Folds::Stratified(folds) => folds.split(y),
            Folds::Given(splits) => {
                let outside = |row: &&usize| **row >= y.len();
                for Split { train, test } in splits {
                    if train.is_empty() || test.is_empty() {
                        return Err(Error::new(
                            "A split: expected rows to learn from and rows to be judged by. Received: none of a kind.",
                        ));
                    }
                    if let Some(row) = train.iter().chain(test).find(outside) {
                        return Err(Error::new(format!(
                            "A split: expected numbers of {} rows. Received: {row}.",
                            y.len()
                        )));
                    }
                }
                match splits.is_empty() {
                    true => Err(Error::new("Splits: expected at least one. Received: none.")),
                    false => Ok(splits.clone()),
                }
            }
        }
    }
}

/// As many parts of the rows as there are folds, each left out once: contiguous ones, the first a row longer
/// where rows do not divide evenly.
///
/// ```
/// use cornu_linear::model_selection::KFold;
/// let splits = KFold::new().n_splits(2).split(5)?;
/// assert_eq!((&splits[0].train[..], &splits[0].test[..]), (&[3, 4][..], &[0, 1, 2][..]));
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KFold {
    n_splits: usize,
    shuffle: Option<u64>,
}

/// As [`KFold`], but each fold has each class as often as the whole has it. Needs labels.
///
/// ```
/// use cornu_linear::model_selection::StratifiedKFold;
/// let splits = StratifiedKFold::new().n_splits(2).split(&[0, 0, 0, 0, 1, 1])?;
/// assert_eq!(splits[0].test, [0, 1, 4]);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StratifiedKFold {
    n_splits: usize,
    shuffle: Option<u64>,
}

macro_rules! options {
    ($name:ident) => {
        impl Default for $name {
            fn default() -> Self {
                Self {
                    n_splits: 5,
                    shuffle: None,
                }
            }
        }

        impl $name {
            /// Five folds, not shuffled.
            pub fn new() -> Self {
                Self::default()
            }

            setters! {
                /// How many folds (default: 5).
                n_splits: usize => n_splits;
            }

            /// Puts the rows in random order first, the same for the same seed (by Philox; other than
            /// scikit-learn's).
            pub fn shuffle(mut self, seed: u64) -> Self {
                self.shuffle = Some(seed);
                self
            }

            fn check(&self, most: usize, of: &str) -> Result<()> {
                if (2..=most).contains(&self.n_splits) {
                    return Ok(());
                }
                Err(Error::new(format!(
                    "{}: expected from 2 folds to one for each of the {most} rows{of}. Received: {}.",
                    stringify!($name),
                    self.n_splits
                )))
            }
        }
    };
}

options! { KFold }
options! { StratifiedKFold }

impl KFold {
    /// The splits of so many rows.
    ///
    /// # Errors
    /// If there are fewer than two folds, or more folds than rows.
    pub fn split(&self, rows: usize) -> Result<Vec<Split>> {
        self.check(rows, "")?;
        let mut order: Vec<usize> = (0..rows).collect();
        if let Some(seed) = self.shuffle {
            Stream::new(seed, 0).shuffle(&mut order);
        }
        let mut fold_of = vec![0; rows];
        for (fold, range) in parts(rows, self.n_splits).enumerate() {
            for &row in &order[range] {
                fold_of[row] = fold;
            }
        }
        Ok(splits(&fold_of, self.n_splits))
    }
}

/// Contiguous parts of rows, the first ones a row longer.
pub(crate) fn parts(rows: usize, count: usize) -> impl Iterator<Item = Range<usize>> {
    let start = move |k: usize| k * (rows / count) + k.min(rows % count);
    (0..count).map(move |k| start(k)..start(k + 1))
}

impl StratifiedKFold {
    /// The splits of rows with these labels.
    ///
    /// # Errors
    /// If there are fewer than two folds, or more folds than rows of the most frequent label; if there are
    /// several targets.
    pub fn split<'a>(&self, y: impl Into<Targets<'a>>) -> Result<Vec<Split>> {
        let y = y.into();
        let classes = classes(y.single()?);
        self.check(
            classes.iter().map(Vec::len).max().unwrap_or(0),
            " of the most frequent label",
        )?;
        // The rows of all labels, one label after the other, are dealt out to the folds in turn.
        let mut fold_of = vec![0; y.len()];
        let mut before = 0;
        for (class, mut rows) in classes.into_iter().enumerate() {
            let mut share = vec![0; self.n_splits];
            for i in before..before + rows.len() {
                share[i % self.n_splits] += 1;
            }
            before += rows.len();
            if let Some(seed) = self.shuffle {
                Stream::new(seed, class as u32).shuffle(&mut rows);
            }
            let folds = share.iter().enumerate();
            let folds = folds.flat_map(|(fold, &count)| std::iter::repeat_n(fold, count));
            for (row, fold) in rows.into_iter().zip(folds) {
                fold_of[row] = fold;
            }
        }
        Ok(splits(&fold_of, self.n_splits))
    }
}

/// The rows of each label, labels in the order of their first rows.
pub(crate) fn classes(y: &[f64]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..y.len()).collect();
    order.sort_by(|&a, &b| y[a].total_cmp(&y[b]));
    let groups = order.chunk_by(|&a, &b| y[a] == y[b]);
    let mut classes: Vec<Vec<usize>> = groups.map(<[usize]>::to_vec).collect();
    classes.sort_by_key(|rows| rows[0]);
    classes
}

fn splits(fold_of: &[usize], count: usize) -> Vec<Split> {
    let split = |fold: usize| {
        let (test, train) = (0..fold_of.len()).partition(|&row| fold_of[row] == fold);
        Split { train, test }
    };
    (0..count).map(split).collect()
}
