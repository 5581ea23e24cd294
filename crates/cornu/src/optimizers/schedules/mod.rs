//! Learning rates that follow the number of the step.
//!
//! A schedule is an expression of the number of the step and becomes part of the compiled training
//! program.
//!
//! ```
//! use cornu::optimizers::{SGD, schedules::{ExponentialDecay, Schedule}};
//! let rate = ExponentialDecay::new(0.1, 1000, 0.5).staircase(true);
//! assert_eq!(rate.value(2500), f64::from(0.025f32));
//! let sgd = SGD::new().learning_rate(rate);
//! # let _ = sgd;
//! ```

mod cosine_decay;
mod cosine_decay_restarts;
mod exponential_decay;
mod inverse_time_decay;
mod piecewise_constant_decay;
mod polynomial_decay;

pub use cosine_decay::CosineDecay;
pub use cosine_decay_restarts::CosineDecayRestarts;
pub use exponential_decay::ExponentialDecay;
pub use inverse_time_decay::InverseTimeDecay;
pub use piecewise_constant_decay::PiecewiseConstantDecay;
pub use polynomial_decay::PolynomialDecay;

use crate::config;
use crate::{Array, Device, Error, Result, Tensor};
use cornu_core::Reference;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// A learning rate as a function of the number of the step.
pub trait Schedule: fmt::Debug + Send + Sync {
    /// Keras' name of the class.
    fn class_name(&self) -> &'static str;

    /// The learning rate (an `f32` scalar) at a step: an `f32` scalar, 0 for the first.
    fn at(&self, step: &Tensor) -> Tensor;

    /// The options, under Keras' names.
    fn config(&self) -> Map<String, Value>;

    /// Whether the options are possible.
    ///
    /// # Errors
    /// Names the option and what it was.
    fn check(&self) -> Result<()>;

    /// The learning rate at a step (0 for the first) as training would compute it; NaN if the
    /// schedule is not possible.
    fn value(&self, step: u64) -> f64 {
        let rate = self.at(&Tensor::constant(Array::scalar(step as f32)));
        Device::new(Reference)
            .eval(&[rate])
            .and_then(|values| values[0].item::<f64>())
            .unwrap_or(f64::NAN)
    }
}

/// A learning rate: a number, or a schedule.
#[derive(Clone, Debug)]
pub enum LearningRate {
    /// Always the same, until it is set.
    Constant(f64),
    /// A function of the number of the step.
    Schedule(Arc<dyn Schedule>),
}

impl From<f64> for LearningRate {
    fn from(rate: f64) -> Self {
        LearningRate::Constant(rate)
    }
}

impl<S: Schedule + 'static> From<S> for LearningRate {
    fn from(schedule: S) -> Self {
        LearningRate::Schedule(Arc::new(schedule))
    }
}

/// As Keras writes a schedule into `config.json`: module, class, configuration.
pub fn serialize(schedule: &dyn Schedule) -> Value {
    config::object(
        "keras.optimizers.schedules",
        schedule.class_name(),
        &schedule.config(),
    )
}

/// From what [`serialize`] (or Keras) writes.
///
/// # Errors
/// If the class or an option is not known, or an option is impossible.
pub fn deserialize(json: &Value) -> Result<Arc<dyn Schedule>> {
    fn make<S: Schedule + DeserializeOwned + 'static>(
        class: &str,
        config: Value,
    ) -> Result<Arc<dyn Schedule>> {
        let schedule: S = config::read(class, &config)?;
        schedule.check()?;
        Ok(Arc::new(schedule))
    }
    macro_rules! by_name {
        ($class:expr, $config:expr; $($known:ident)*) => {
            match $class {
                $(stringify!($known) => make::<$known>($class, $config),)*
                other => Err(Error::unknown(
                    "learning rate schedule",
                    other,
                    &[$(stringify!($known)),*],
                )),
            }
        };
    }
    let (class, config) = config::parts("learning rate schedule", json)?;
    by_name!(class, config;
        CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay
        PolynomialDecay)
}

/// An error unless a number of steps is positive.
fn positive_steps(name: &str, steps: f64) -> Result<()> {
    if steps > 0.0 && steps.is_finite() {
        return Ok(());
    }
    Err(Error::new(format!(
        "{name} must be > 0. Received: {steps}."
    )))
}

/// Writes a number of steps as an integer where it is one (Keras takes fractions too).
fn whole<S: serde::Serializer>(steps: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if steps.fract() == 0.0 && steps.abs() < 1e15 {
        serializer.serialize_i64(*steps as i64)
    } else {
        serializer.serialize_f64(*steps)
    }
}

/// The method `name` of a schedule's builder.
macro_rules! named {
    ($schedule:ident) => {
        impl $schedule {
            /// The name, which has no effect.
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.name = name.into();
                self
            }
        }
    };
}
use named;
