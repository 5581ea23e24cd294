//! All axes but the batch as one.

use super::base::{Base, builtin, options};
use super::{Call, DataFormat, Layer};
use crate::Tensor;
use serde::{Deserialize, Serialize};

/// Flattens every sample: `(batch, a, b, …)` becomes `(batch, a·b·…)`; `(batch,)` becomes
/// `(batch, 1)`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Flatten::new().input_shape([28, 28]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 784)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flatten {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
}

impl Flatten {
    /// The layer, for data with channels last.
    pub fn new() -> Self {
        Self::default()
    }

    /// With channels first, they are moved last before flattening, so that weights that follow mean
    /// the same in both formats.
    pub fn data_format(mut self, format: DataFormat) -> Self {
        self.data_format = format;
        self
    }
}

options!(Flatten);

impl Layer for Flatten {
    builtin!(Flatten);

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        let batch = x.shape().first().copied().unwrap_or(1);
        let features = x.shape().iter().skip(1).product::<usize>();
        let x = match self.data_format {
            DataFormat::ChannelsFirst if x.rank() > 2 => {
                let mut order: Vec<usize> = (0..x.rank()).collect();
                let channels = order.remove(1);
                order.push(channels);
                x.transpose(&order)
            }
            _ => x.clone(),
        };
        x.reshape([batch, features])
    }
}
