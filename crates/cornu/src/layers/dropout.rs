//! Dropout.

use super::base::{Base, builtin, options, seed_option};
use super::{Build, Call, InputShape, Layer};
use crate::{Error, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

/// In training, sets a share `rate` of the inputs to 0 and multiplies the rest by 1/(1 − rate);
/// otherwise does nothing (Srivastava and others, 2014).
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Dropout::new(0.5).input_shape([4]));
/// model.build()?;
/// let x = Array::from([[1.0f32, 2.0, 3.0, 4.0]]);
/// assert_eq!(model.predict(&x)?, x);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    #[serde(skip)]
    base: Base,
    rate: f64,
    #[serde(default)]
    seed: Option<u32>,
    #[serde(default)]
    noise_shape: Option<Vec<Option<usize>>>,
}

impl Dropout {
    /// Drops the share `rate`, between 0 and 1.
    pub fn new(rate: f64) -> Self {
        Self {
            base: Base::default(),
            rate,
            seed: None,
            noise_shape: None,
        }
    }

    seed_option!();

    /// The shape of the mask, broadcast over the input: 1 where a whole axis is dropped together,
    /// `None` for the input's own extent.
    pub fn noise_shape(mut self, shape: impl Into<Vec<Option<usize>>>) -> Self {
        self.noise_shape = Some(shape.into());
        self
    }
}

options!(Dropout);

impl Layer for Dropout {
    builtin!(Dropout, masks pass);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        if !(0.0..=1.0).contains(&self.rate) {
            return Err(Error::new(format!(
                "rate must be between 0 and 1. Received: rate={}.",
                self.rate
            )));
        }
        match &self.noise_shape {
            Some(s) if s.len() != input.rank() => Err(Error::shape(format!(
                "noise_shape must have one extent per axis of the input {input}. Received: {}.",
                InputShape(s.clone())
            ))),
            Some(s) => {
                let fits = |(d, n): (&Option<usize>, &Option<usize>)| {
                    d.is_none_or(|d| d == 1 || n.is_none_or(|n| n == d))
                };
                if s.iter().zip(&input.0).all(fits) {
                    return Ok(());
                }
                Err(Error::shape(format!(
                    "noise_shape must have None, 1 or the input's own extent on each axis of the \
                     input {input}. Received: {}.",
                    InputShape(s.clone())
                )))
            }
            None => Ok(()),
        }
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() || self.rate == 0.0 {
            return x.clone();
        }
        if self.rate >= 1.0 {
            return x.zeros_like();
        }
        let shape: Shape = match &self.noise_shape {
            None => x.shape().clone(),
            Some(s) => s
                .iter()
                .zip(x.shape().iter())
                .map(|(d, n)| d.unwrap_or(*n))
                .collect(),
        };
        let draw = match self.seed {
            None => cx.random_uniform(shape),
            Some(seed) => cx.random_uniform_seeded(seed, shape),
        };
        draw.ge(self.rate)
            .select(x * (1.0 / (1.0 - self.rate)), 0.0)
    }
}
