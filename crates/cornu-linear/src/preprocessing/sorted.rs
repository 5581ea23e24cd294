//! A feature's numbers in order, for quantiles.

use ndarray::ArrayView1;

/// Rising numbers, those of weight 0 left out, with the sums of the weights up to each if there are any.
pub(super) struct Sorted {
    numbers: Vec<f64>,
    weights: Option<Vec<f64>>,
}

impl Sorted {
    /// Not all weights are 0.
    pub fn new(column: ArrayView1<'_, f64>, weights: Option<&[f64]>) -> Self {
        let Some(weights) = weights else {
            let mut numbers = column.to_vec();
            numbers.sort_by(f64::total_cmp);
            return Self {
                numbers,
                weights: None,
            };
        };
        let pairs = column.iter().copied().zip(weights.iter().copied());
        let mut pairs: Vec<(f64, f64)> = pairs.filter(|&(_, w)| w > 0.0).collect();
        pairs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let (numbers, mut weights): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let mut sum = 0.0;
        for weight in &mut weights {
            sum += *weight;
            *weight = sum;
        }
        Self {
            numbers,
            weights: Some(weights),
        }
    }

    pub fn least(&self) -> f64 {
        self.numbers[0]
    }

    pub fn greatest(&self) -> f64 {
        self.numbers[self.numbers.len() - 1]
    }

    /// The number that this part (from 0 to 1) of the numbers is below, with straight lines between them; of weighted
    /// ones the first that this part of the weight reaches.
    pub fn quantile(&self, part: f64) -> f64 {
        let last = self.numbers.len() - 1;
        if let Some(sums) = &self.weights {
            let wanted = part * sums[last];
            return self.numbers[sums.partition_point(|&sum| sum < wanted).min(last)];
        }
        let at = part * last as f64;
        let below = (at.floor() as usize).min(last);
        let above = (below + 1).min(last);
        self.numbers[below] + (self.numbers[above] - self.numbers[below]) * (at - below as f64)
    }
}
