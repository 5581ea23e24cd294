//! Numbers sorted into bins.

use super::base::{Base, options};
use super::categories::{OutputMode, check, encode};
use super::{Build, Call, InputShape, Layer};
use crate::{Error, IntoData, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Turns numbers into the numbers of bins: how many boundaries are not above them.
///
/// * Input: numbers of any shape. Output: the same shape (integers), or vectors over the bins as in
///   [`CategoryEncoding`](super::CategoryEncoding).
/// * The boundaries are given, or found by [`adapt`](Discretization::adapt) so that the bins hold about
///   equally many numbers of some data. Not-a-number is in the last bin.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Discretization::new([0.0, 1.0, 2.0]).input_shape([3]));
/// model.build()?;
/// let y = model.predict(&Array::from([[-1.5f32, 1.0, 3.4]]))?;
/// assert_eq!(y.to_vec::<i32>(), [0, 2, 3]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discretization {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    bin_boundaries: Option<Vec<f64>>,
    #[serde(default)]
    num_bins: Option<usize>,
    #[serde(default = "hundredth")]
    epsilon: f64,
    #[serde(default = "int")]
    output_mode: OutputMode,
    #[serde(default)]
    sparse: bool,
}

fn hundredth() -> f64 {
    0.01
}

fn int() -> OutputMode {
    OutputMode::Int
}

impl Discretization {
    /// A layer with these boundaries, which rise.
    pub fn new(bin_boundaries: impl Into<Vec<f64>>) -> Self {
        Self {
            bin_boundaries: Some(bin_boundaries.into()),
            num_bins: None,
            ..Self::of_bins(0)
        }
    }

    /// A layer of so many bins, whose boundaries [`adapt`](Discretization::adapt) finds.
    pub fn of_bins(num_bins: usize) -> Self {
        Self {
            base: Base::default(),
            bin_boundaries: None,
            num_bins: Some(num_bins),
            epsilon: hundredth(),
            output_mode: int(),
            sparse: false,
        }
    }

    /// What becomes of the numbers of bins; they stay by default.
    pub fn output_mode(mut self, mode: OutputMode) -> Self {
        self.output_mode = mode;
        self
    }

    /// How exact the boundaries are that `adapt` finds, as a share of the data; 0.01 by default.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// The boundaries, given or found.
    pub fn bin_boundaries(&self) -> Option<&[f64]> {
        self.bin_boundaries.as_deref()
    }

    /// Finds the boundaries from data: its quantiles, within `epsilon`, by the summaries that Keras uses.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let layer = Discretization::of_bins(2).adapt(&Array::from([1.0f32, 5.0, 2.0, 4.0]))?;
    /// assert_eq!(layer.bin_boundaries(), Some(&[2.0][..]));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// Without a number of bins, or if the data are empty or not finite.
    pub fn adapt<'a>(mut self, data: impl IntoData<'a>) -> Result<Self> {
        let data = &data.into_data().into_array();
        let bins = self.bins()?;
        let mut values: Vec<f32> = data.to_vec();
        if values.is_empty() || values.iter().any(|v| !v.is_finite()) {
            return Err(Error::new(
                "Discretization adapts to at least one number, all of them finite.",
            ));
        }
        values.sort_unstable_by(f32::total_cmp);
        let step = (values.len() as f64 * self.epsilon).max(1.0);
        let cells: Vec<f32> = values
            .iter()
            .copied()
            .skip((step - 1.0) as usize)
            .step_by(step as usize)
            .collect();
        let weights = vec![step as f32; cells.len()];
        let (cells, weights) = compressed(cells, weights, self.epsilon);
        let (mut cells, _) = compressed(cells, weights, 1.0 / bins as f64);
        cells.pop();
        self.bin_boundaries = Some(cells.into_iter().map(f64::from).collect());
        Ok(self)
    }

    fn bins(&self) -> Result<usize> {
        match self.num_bins {
            Some(bins) if bins > 0 && self.epsilon > 0.0 => Ok(bins),
            Some(bins) => Err(Error::new(format!(
                "Discretization needs a positive num_bins and epsilon. Received: num_bins={bins}, \
                 epsilon={}.",
                self.epsilon
            ))),
            None => Err(Error::new(
                "Discretization adapts if it was made with num_bins and not with bin_boundaries.",
            )),
        }
    }
}

/// A summary of weighted numbers in order with about `1 / epsilon` of them: each is the one at a further
/// share `epsilon` of all weight.
fn compressed(cells: Vec<f32>, weights: Vec<f32>, epsilon: f64) -> (Vec<f32>, Vec<f32>) {
    if (cells.len() as f64) * epsilon < 1.0 {
        return (cells, weights);
    }
    let mut sum = 0.0f32;
    let sums: Vec<f32> = weights
        .iter()
        .map(|w| {
            sum += w;
            sum
        })
        .collect();
    let shares: Vec<f64> = sums.iter().map(|s| f64::from(s / sum)).collect();
    let wanted: Vec<f64> = (0..(1.0 / epsilon).ceil() as usize)
        .map(|i| epsilon + i as f64 * epsilon)
        .collect();
    let read =
        |of: &[f32]| -> Vec<f64> { wanted.iter().map(|x| between(*x, &shares, of)).collect() };
    let at = read(&sums);
    let weights = at
        .iter()
        .enumerate()
        .map(|(i, s)| (s - if i == 0 { 0.0 } else { at[i - 1] }) as f32);
    let weights = weights.collect();
    (
        read(&cells).into_iter().map(|c| c as f32).collect(),
        weights,
    )
}

/// The value at `x` of the line through points in order; before the first and after the last it is level.
fn between(x: f64, xs: &[f64], ys: &[f32]) -> f64 {
    let y = |i: usize| f64::from(ys[i]);
    match xs.iter().position(|v| *v > x) {
        Some(0) => y(0),
        Some(i) => y(i - 1) + (y(i) - y(i - 1)) / (xs[i] - xs[i - 1]) * (x - xs[i - 1]),
        None => y(xs.len() - 1),
    }
}

options!(Discretization);

impl Layer for Discretization {
    fn class_name(&self) -> &str {
        "Discretization"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    /// Keras' class takes its type by name, and nothing else that layers share.
    fn config(&self) -> Map<String, Value> {
        let mut map = super::registry::fields(self);
        map.insert("dtype".into(), self.base.dtype.name().into());
        map
    }

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let Some(boundaries) = &self.bin_boundaries else {
            self.bins()?;
            return Err(Error::state(
                "Discretization has no boundaries yet: call adapt() with data, or give bin_boundaries.",
            ));
        };
        if boundaries.iter().any(|b| b.is_nan()) || boundaries.windows(2).any(|b| b[0] > b[1]) {
            return Err(Error::new(format!(
                "bin_boundaries must rise. Received: bin_boundaries={boundaries:?}."
            )));
        }
        if self.sparse {
            return Err(Error::new(
                "Discretization gives dense tensors; sparse must be false. Received: sparse=true.",
            ));
        }
        check("Discretization", self.output_mode, input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let boundaries = self.bin_boundaries.clone().unwrap_or_default();
        let depth = boundaries.len() + 1;
        let bins = if boundaries.is_empty() {
            x.zeros_like()
        } else {
            let boundaries = Tensor::constant(boundaries).cast(x.dtype());
            let below = x.expand_dims(-1).lt(&boundaries);
            below
                .logical_not()
                .cast(crate::DType::I32)
                .sum_axes(&[-1], false)
        };
        encode(&bins, self.output_mode, depth, cx.dtype(), None)
    }
}
