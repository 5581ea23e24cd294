//! Loss scaling for 16-bit floats: Keras' `LossScaleOptimizer`.

use crate::{DType, Error, Result, Tensor, Variable};

/// A factor on the loss that keeps gradients in the range of `float16` (Micikevicius et al., 2018),
/// found while training: a step whose gradients are not all finite is skipped and halves the factor,
/// and after so many finite steps in a row it doubles.
///
/// * Defaults: `initial_scale` 32768 (2¹⁵), `dynamic_growth_steps` 2000.
///
/// A model with layers of the policy `mixed_float16` has one unless
/// [`Compile::auto_scale_loss`](crate::models::Compile::auto_scale_loss) says no;
/// [`Compile::loss_scale`](crate::models::Compile::loss_scale) gives another, to any model.
#[derive(Clone, Debug)]
pub struct LossScale {
    initial_scale: f64,
    growth_steps: usize,
    scale: Variable,
    /// Finite steps since the factor changed.
    finite: Variable,
}

impl Default for LossScale {
    fn default() -> Self {
        Self::new()
    }
}

impl LossScale {
    /// Keras' defaults.
    pub fn new() -> Self {
        let initial_scale = 32768.0;
        Self {
            initial_scale,
            growth_steps: 2000,
            scale: Variable::new("loss_scale/dynamic_scale", initial_scale as f32),
            finite: Variable::new("loss_scale/step_counter", 0i32),
        }
    }

    /// The factor to begin with.
    pub fn initial_scale(mut self, scale: f64) -> Self {
        self.initial_scale = scale;
        self.scale = Variable::new("loss_scale/dynamic_scale", scale as f32);
        self
    }

    /// Finite steps in a row after which the factor doubles.
    pub fn dynamic_growth_steps(mut self, steps: usize) -> Self {
        self.growth_steps = steps;
        self
    }

    /// The factor, and how many finite steps it has seen.
    pub(crate) fn variables(&self) -> [Variable; 2] {
        [self.scale.clone(), self.finite.clone()]
    }

    /// Whether the options are possible.
    ///
    /// # Errors
    /// An initial scale that is not positive and finite, or 0 growth steps.
    pub fn check(&self) -> Result<()> {
        let scale = self.initial_scale as f32;
        if !(scale.is_finite() && scale > 0.0) {
            return Err(Error::new(format!(
                "initial_scale must be positive and finite. Received: initial_scale={}.",
                self.initial_scale
            )));
        }
        if self.growth_steps == 0 || i32::try_from(self.growth_steps).is_err() {
            return Err(Error::new(format!(
                "dynamic_growth_steps must be at least 1 and less than 2^31. Received: \
                 dynamic_growth_steps={}.",
                self.growth_steps
            )));
        }
        Ok(())
    }

    /// The factor of the next step.
    pub fn value(&self) -> f64 {
        self.scale.scalar()
    }

    /// The loss as it is to be differentiated.
    pub fn scale_loss(&self, loss: &Tensor) -> Tensor {
        loss * self.scale.tensor().cast(loss.dtype())
    }

    /// The gradients without the factor, and whether all of them are finite.
    pub fn unscale(&self, gradients: Vec<Tensor>) -> (Vec<Tensor>, Tensor) {
        let inverse = self.scale.tensor().reciprocal();
        let bad = gradients.iter().map(|g| {
            let finite = g.cast(DType::F32).is_finite();
            (1.0 - finite.cast(DType::F32)).sum()
        });
        let bad = bad
            .reduce(|a, b| a + b)
            .unwrap_or_else(|| Tensor::constant(0.0f32));
        let unscaled = gradients.iter().map(|g| g.cast(DType::F32) * &inverse);
        (unscaled.collect(), bad.eq(0.0))
    }

    /// What a step does: the updates if its gradients were finite, and else nothing; and what becomes
    /// of the factor.
    pub fn guard(
        &self,
        updates: Vec<(Variable, Tensor)>,
        finite: &Tensor,
    ) -> Vec<(Variable, Tensor)> {
        let mut guarded: Vec<(Variable, Tensor)> = updates
            .into_iter()
            .map(|(variable, new)| {
                let new = finite.select(new, variable.tensor());
                (variable, new)
            })
            .collect();
        let (scale, count) = (self.scale.tensor(), self.finite.tensor() + 1i32);
        let grows = count.ge(self.growth_steps as i32);
        let larger = grows.select(&scale * 2.0, &scale);
        guarded.push((self.scale.clone(), finite.select(larger, &scale * 0.5)));
        let count = grows.select(0i32, count);
        guarded.push((self.finite.clone(), finite.select(count, 0i32)));
        guarded
    }
}
