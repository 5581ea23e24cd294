//! Random numbers of steps written by hand.

use crate::{Tensor, Variable};

/// The state of random draws, which a step that draws moves on: Keras' `SeedGenerator`.
///
/// The same seed gives the same numbers in every run and for any number of threads.
///
/// ```
/// use cornu::prelude::*;
/// let seeds = SeedGenerator::new(7);
/// let draw = cornu::function({
///     let seeds = seeds.clone();
///     move |_| {
///         let numbers = Tensor::random(&seeds.state(), 0, [3], DType::F32);
///         let (state, next) = seeds.advance();
///         cornu::Traced::from(numbers).update(&state, next)
///     }
/// });
/// let first = draw.call(&[])?;
/// assert_ne!(draw.call(&[])?, first);
/// let again = Tensor::random(&SeedGenerator::new(7).state(), 0, [3], DType::F32);
/// assert_eq!(again.eval()?, first[0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SeedGenerator {
    state: Variable,
}

impl SeedGenerator {
    /// The state at the first step of a seed.
    pub fn new(seed: u64) -> Self {
        let state = cornu_core::random::state(seed);
        Self {
            state: Variable::new("seed_generator_state", state),
        }
    }

    /// The state, for [`Tensor::random`] and [`Model::call_with`](crate::models::Model::call_with):
    /// `int32`, two numbers of the seed and one that counts steps.
    pub fn state(&self) -> Tensor {
        self.state.tensor()
    }

    /// The state's variable, and what it is to be after a step that has drawn: one of the step's updates.
    pub fn advance(&self) -> (Variable, Tensor) {
        let step = Tensor::constant([0i32, 0, 1]);
        (self.state.clone(), self.state() + step)
    }

    /// The state's variable.
    pub(crate) fn variable(&self) -> &Variable {
        &self.state
    }
}
