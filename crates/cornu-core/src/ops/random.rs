//! Counter-based random numbers.

use super::Operation;
use crate::array::Array;
use crate::dtype::DType;
use crate::random::philox;
use crate::shape::Shape;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};
use std::panic::Location;

/// Random numbers from the state `[seed, seed, step]` (`i32`): element `i` depends on the state, the
/// stream and `i` alone, so that results are equal on every backend and for any number of threads.
///
/// * floats: uniform in [0, 1), multiples of 2⁻²⁴ (also for `f64`);
/// * `i32`: all 32 bits random.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Random {
    /// The extents.
    pub shape: Shape,
    /// The element type: a float type or `i32`.
    pub dtype: DType,
    /// Tells draws from the same state apart.
    pub stream: u32,
}

impl Operation for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let state = &inputs[0];
        if state.dtype != DType::I32 || state.shape.dims() != [3] {
            return Err(Error::shape(format!(
                "A random state is int32(3,). Received: {state}."
            )));
        }
        if !self.dtype.is_float() && self.dtype != DType::I32 {
            return Err(Error::dtype(format!(
                "random draws floats or int32. Asked for: {}.",
                self.dtype
            )));
        }
        Ok(TensorType {
            shape: self.shape.clone(),
            dtype: self.dtype,
        })
    }

    fn grad(&self, _: &[Tensor], _: &Tensor, _: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        vec![None]
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let state = inputs[0].to_vec::<i32>();
        let n = ty.shape.size();
        let words = (0..n.div_ceil(4))
            .flat_map(|block| philox(&state, self.stream, block as u64))
            .take(n);
        if ty.dtype == DType::I32 {
            super::elementwise::ints(ty, words.map(|w| i64::from(w as i32)).collect())
        } else {
            super::elementwise::map(ty, words.map(|w| f64::from(unit(w))))
        }
    }
}

/// 24 random bits as a number in [0, 1).
pub fn unit(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / (1 << 24) as f32)
}

impl Tensor {
    /// Uniform floats in [0, 1), or random `i32` bits, from a state (see [`Random`]).
    #[track_caller]
    pub fn random(state: &Tensor, stream: u32, shape: impl Into<Shape>, dtype: DType) -> Tensor {
        let op = Random {
            shape: shape.into(),
            dtype,
            stream,
        };
        Tensor::new(op.into(), vec![state.clone()], Location::caller())
    }

    /// Floats of the standard normal distribution from a state (see [`Random`]): √(−2 ln(1 − u)) · cos 2πv of two
    /// uniform draws (Box and Muller, 1958).
    ///
    /// ```
    /// use cornu_core::{DType, Tensor};
    /// let state = Tensor::constant([7i32, 0, 0]);
    /// let draws = Tensor::random_normal(&state, 0, [4, 3], DType::F32);
    /// assert_eq!(draws.shape().dims(), [4, 3]);
    /// ```
    #[track_caller]
    pub fn random_normal(
        state: &Tensor,
        stream: u32,
        shape: impl Into<Shape>,
        dtype: DType,
    ) -> Tensor {
        // Two draws for each number, from one call.
        let mut pairs = vec![2];
        pairs.extend(shape.into().iter());
        let pairs = Tensor::random(state, stream, pairs, dtype);
        let part = |i: usize| pairs.narrow(0, i, 1).squeeze(0);
        let radius = ((1.0 - part(0)).log() * -2.0).sqrt();
        radius * (part(1) * std::f64::consts::TAU).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Device, Reference};

    #[test]
    fn normal_draws_have_the_moments_of_the_normal_distribution() {
        let state = Tensor::constant([3i32, 1, 4]);
        let draws = Tensor::random_normal(&state, 0, [40_000], DType::F64);
        let draws = Device::new(Reference).eval(&[draws]).unwrap().remove(0);
        let draws = draws.to_vec::<f64>();
        let moment = |k: i32| draws.iter().map(|x| x.powi(k)).sum::<f64>() / draws.len() as f64;
        for (k, expected, within) in [
            (1, 0.0, 0.02),
            (2, 1.0, 0.03),
            (3, 0.0, 0.08),
            (4, 3.0, 0.2),
        ] {
            assert!((moment(k) - expected).abs() < within, "{k}: {}", moment(k));
        }
    }
}
