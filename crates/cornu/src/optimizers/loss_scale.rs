//! Loss scaling for 16-bit floats: Keras' `LossScaleOptimizer`.

use crate::{DType, Error, Result, Tensor, Variable, config};
use serde_json::{Map, Value};

/// Keras' class, and its object's name.
const CLASS: &str = "LossScaleOptimizer";
pub(crate) const NAME: &str = "loss_scale_optimizer";

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

    /// With the optimizer within, as Keras' files have it.
    pub(crate) fn serialize(&self, inner: Value) -> Value {
        let mut config = Map::new();
        config.insert("name".into(), NAME.into());
        config.insert("inner_optimizer".into(), inner);
        config.insert("initial_scale".into(), self.initial_scale.into());
        config.insert("dynamic_growth_steps".into(), self.growth_steps.into());
        config::object("keras.optimizers", CLASS, &config)
    }

    /// From what files say of an optimizer: how the loss is scaled, if it is, and the optimizer within.
    ///
    /// # Errors
    /// Options that are not possible.
    pub(crate) fn deserialize(json: &Value) -> Result<(Option<LossScale>, &Value)> {
        if json["class_name"] != CLASS {
            return Ok((None, json));
        }
        let config = &json["config"];
        let mut scale = LossScale::new();
        if let Some(initial) = config["initial_scale"].as_f64() {
            scale = scale.initial_scale(initial);
        }
        if let Some(steps) = config["dynamic_growth_steps"].as_u64() {
            scale = scale.dynamic_growth_steps(usize::try_from(steps).unwrap_or(usize::MAX));
        }
        scale.check()?;
        Ok((Some(scale), &config["inner_optimizer"]))
    }

    /// What Keras' optimizer keeps beside the one within: a count of steps and a learning rate that are never
    /// used and, once the one within is `built`, the finite steps and the factor.
    #[cfg(feature = "saving")]
    pub(crate) fn saved_variables(&self, built: bool) -> Vec<Variable> {
        let mut all = vec![
            Variable::new("loss_scale/iteration", 0i32),
            Variable::new("loss_scale/learning_rate", 0.0f32),
        ];
        if built {
            let [scale, finite] = self.variables();
            all.extend([finite, scale]);
        }
        all
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
