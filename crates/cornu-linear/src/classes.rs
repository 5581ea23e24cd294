//! Labels as classes: which there are, and what they weigh.

use crate::{Error, Result, Targets};

/// What each class weighs in a fit, beside the weights of its rows.
///
/// ```
/// use cornu_linear::{ClassWeight, Estimator, LogisticRegression, Predictor};
/// use ndarray::array;
///
/// let x = array![[0.0], [1.0], [2.0], [3.0]];
/// let seldom = LogisticRegression::new().class_weight(ClassWeight::Labels(vec![(1.0, 50.0)]));
/// let model = seldom.fit(&x, &array![0, 0, 0, 1])?;
/// assert_eq!(model.predict(&array![[2.0]])?[0], 1.0); // rather wrong than missed
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClassWeight {
    /// All weigh 1.
    #[default]
    One,
    /// The rarer, the more: all rows' weight divided by the number of classes and by the class' own.
    Balanced,
    /// A weight for each label named; the others weigh 1.
    Labels(Vec<(f64, f64)>),
}

/// The labels there are, and each row's class.
pub(crate) struct Classes {
    /// Rising.
    pub labels: Vec<f64>,
    /// Of each row, the number of its label.
    pub of: Vec<f64>,
}

impl Classes {
    pub fn new(y: &Targets<'_>) -> Result<Self> {
        let y = y.single()?;
        let labels = distinct(y);
        if labels.len() < 2 {
            return Err(Error::new(format!(
                "y: expected labels of at least two classes. Received: one class, {}.",
                labels[0]
            )));
        }
        let number = |y: &f64| labels.iter().position(|label| label == y).unwrap_or(0) as f64;
        let of = match labels.len() {
            2 => y
                .iter()
                .map(|y| f64::from(u8::from(*y == labels[1])))
                .collect(),
            n if n <= 32 => y.iter().map(number).collect(),
            _ => y
                .iter()
                .map(|y| labels.partition_point(|label| label < y) as f64)
                .collect(),
        };
        Ok(Self { labels, of })
    }

    /// One of the classes, as the second of two, against the rest.
    pub fn against_rest(&self, class: usize) -> Classes {
        let is_it = |&c: &f64| f64::from(u8::from(c == class as f64));
        Classes {
            labels: vec![0.0, 1.0],
            of: self.of.iter().map(is_it).collect(),
        }
    }

    /// Rows' weights times their classes'; None if all are 1.
    pub fn weights(
        &self,
        class_weight: &ClassWeight,
        weights: Option<&[f64]>,
    ) -> Result<Option<Vec<f64>>> {
        let weight = |r: usize| weights.map_or(1.0, |w| w[r]);
        let of_class: Vec<f64> = match class_weight {
            ClassWeight::One => return Ok(weights.map(<[f64]>::to_vec)),
            ClassWeight::Balanced => {
                let mut sums = vec![0.0; self.labels.len()];
                for (r, &class) in self.of.iter().enumerate() {
                    sums[class as usize] += weight(r);
                }
                let all: f64 = sums.iter().sum();
                sums.iter()
                    .map(|sum| {
                        if *sum > 0.0 {
                            all / (sums.len() as f64 * sum)
                        } else {
                            0.0
                        }
                    })
                    .collect()
            }
            ClassWeight::Labels(given) => {
                for (label, weight) in given {
                    let known = self.labels.contains(label);
                    if !known || !weight.is_finite() || *weight < 0.0 {
                        return Err(Error::new(format!(
                            "class_weight: expected weights that are not negative, of labels in y. \
                             Received: {weight} for {label}."
                        )));
                    }
                }
                let find = |label| given.iter().find(|(l, _)| l == label);
                let weights = self.labels.iter().map(|l| find(l).map_or(1.0, |(_, w)| *w));
                weights.collect()
            }
        };
        let rows = self.of.iter().enumerate();
        Ok(Some(
            rows.map(|(r, &class)| weight(r) * of_class[class as usize])
                .collect(),
        ))
    }
}

/// The numbers there are, rising.
fn distinct(y: &[f64]) -> Vec<f64> {
    // Two classes are the rule, and need no sorting.
    let one = y[0];
    let other = y.iter().copied().find(|&y| y != one).unwrap_or(one);
    let mut labels = match y.iter().all(|&y| (y == one) | (y == other)) {
        true => vec![one, other],
        false => y.to_vec(),
    };
    labels.sort_by(f64::total_cmp);
    labels.dedup();
    labels
}
