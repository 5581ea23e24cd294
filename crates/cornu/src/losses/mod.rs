//! Loss functions, as in `keras.losses`: what training makes small.
//!
//! * [`Loss`] is the handle that `compile` takes: a string (`"mse"`, `"categorical_crossentropy"`), a
//!   typed value with arguments ([`Huber`], …), or a closure. It weights, masks and reduces.
//! * The free functions ([`mean_squared_error`], …) give one value per sample with Keras' default
//!   arguments; [`LossFn::call`] of a typed value does so with others.
//!
//! Targets and predictions are `(batch, …)`; where one has a last axis of 1 that the other lacks, it is
//! dropped or added. Targets are converted to the predictions' type.
//!
//! ```
//! use cornu::losses::{Huber, Loss};
//! use cornu::Tensor;
//! # use cornu_core::{Device, Reference};
//! let y_true = Tensor::constant([[0.0f32, 1.0], [0.0, 0.0]]);
//! let y_pred = Tensor::constant([[0.5f32, 1.0], [0.0, 3.0]]);
//! let mse = Loss::from("mse").compute(&y_true, &y_pred, None, None); // mean of 0.125 and 4.5
//! let huber = Loss::from(Huber::new().delta(0.5)).compute(&y_true, &y_pred, None, None);
//! let own = Loss::from(|t: &Tensor, p: &Tensor| (t - p).abs().sum_axes(&[-1], false));
//! # let own = own.compute(&y_true, &y_pred, None, None);
//! # let y = Device::new(Reference).eval(&[mse, huber, own]).unwrap();
//! # assert_eq!(y[0].item::<f32>().unwrap(), 2.3125);
//! # assert_eq!(y[1].item::<f32>().unwrap(), (0.0625 + 0.6875) / 2.0);
//! # assert_eq!(y[2].item::<f32>().unwrap(), 1.75);
//! ```

mod class;
mod crossentropy;
mod ctc;
mod focal;
mod hinge;
mod probabilistic;
mod reduction;
mod region;
mod registry;
mod regression;
mod shapes;
mod similarity;

pub use crossentropy::*;
pub use ctc::*;
pub use focal::*;
pub use hinge::*;
pub use probabilistic::*;
pub use reduction::{Reduction, reduce_weighted};
pub use region::*;
pub use regression::*;
pub use shapes::squeeze_or_expand;
pub use similarity::*;

use crate::{DType, Error, Result, Tensor};
use cornu_core::TensorType;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

/// Keras' `epsilon()`: what keeps divisors and logarithms away from 0.
const EPSILON: f64 = 1e-7;

/// A loss function: from targets and predictions to one value per sample (or per position).
///
/// Implement it for a loss with arguments of its own; a closure is enough for one without.
pub trait LossFn: Send + Sync {
    /// The name shown in logs.
    fn name(&self) -> &str;

    /// The values, normally of the predictions' shape without its last axis.
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor;

    /// What is wrong with targets and predictions of these types, if anything. Defaults to nothing.
    fn validate(&self, _y_true: &TensorType, _y_pred: &TensorType) -> Result<()> {
        Ok(())
    }

    /// Which of the values count (of their shape, bool), if not all do. Defaults to all.
    fn mask(&self, _y_true: &Tensor, _y_pred: &Tensor, _values: &Tensor) -> Option<Tensor> {
        None
    }

    /// If targets of these types are class numbers: which are right. Defaults to none.
    fn class_numbers(&self, _y_true: &TensorType, _y_pred: &TensorType) -> Option<ClassNumbers> {
        None
    }

    /// Keras' class name and `config`, for files. Defaults to none: a loss that files only name.
    fn config(&self) -> Option<(&'static str, Value)> {
        None
    }
}

/// The class numbers that a loss takes as targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassNumbers {
    /// Numbers from 0 on, below this one, are classes.
    pub classes: usize,
    /// A number that is none and counts nothing.
    pub ignored: Option<i64>,
}

/// A loss with its reduction: what `compile` takes.
///
/// Making one never fails; a wrong string comes out of [`Loss::check`] and [`Loss::compute`].
///
/// ```
/// use cornu::losses::{CategoricalCrossentropy, Loss, Reduction};
/// let loss = Loss::from(CategoricalCrossentropy::new().from_logits(true).reduction(Reduction::Sum));
/// assert_eq!(loss.name(), "categorical_crossentropy");
/// let e = Loss::from("categorical_crossentrpy").check().unwrap_err();
/// assert!(e.to_string().contains("Did you mean \"categorical_crossentropy\""));
/// ```
#[derive(Clone)]
pub struct Loss {
    function: Result<Arc<dyn LossFn>>,
    reduction: Reduction,
    name: String,
    /// The string that it was made from, which files repeat.
    string: Option<String>,
}

impl Loss {
    /// A loss from any function of one's own type.
    pub fn new(function: impl LossFn + 'static) -> Loss {
        Loss::of(Arc::new(function))
    }

    fn of(function: Arc<dyn LossFn>) -> Loss {
        Loss {
            name: function.name().to_string(),
            function: Ok(function),
            reduction: Reduction::default(),
            string: None,
        }
    }

    /// A loss of your own: from targets and predictions to one value per sample.
    ///
    /// ```
    /// use cornu::losses::Loss;
    /// let loss = Loss::custom("quartic", |t, p| (t - p).square().square().mean_axes(&[-1], false));
    /// assert_eq!(loss.name(), "quartic");
    /// ```
    pub fn custom(
        name: impl Into<String>,
        function: impl Fn(&Tensor, &Tensor) -> Tensor + Send + Sync + 'static,
    ) -> Loss {
        Loss::new(Closure {
            name: name.into(),
            function,
        })
    }

    /// With another reduction.
    pub fn with_reduction(mut self, reduction: Reduction) -> Loss {
        self.reduction = reduction;
        self.string = None;
        self
    }

    /// Under another name.
    pub fn with_name(mut self, name: impl Into<String>) -> Loss {
        self.name = name.into();
        self
    }

    /// The name shown in logs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the values become one.
    pub fn reduction(&self) -> Reduction {
        self.reduction
    }

    /// The error of an unknown name.
    pub fn check(&self) -> Result<()> {
        self.function.as_ref().map(|_| ()).map_err(Error::clone)
    }

    /// What is wrong with targets and predictions of these types, if anything: ranks or numbers of
    /// classes that do not fit, integer labels where one-hot ones are needed, and the reverse.
    ///
    /// ```
    /// use cornu::losses::Loss;
    /// use cornu::Tensor;
    /// let labels = Tensor::constant([1i32, 2]);
    /// let scores = Tensor::constant([[0.1f32, 0.8, 0.1], [0.2, 0.2, 0.6]]);
    /// let e = Loss::from("categorical_crossentropy").validate(labels.ty(), scores.ty()).unwrap_err();
    /// assert!(e.to_string().contains("sparse_categorical_crossentropy"), "{e}");
    /// ```
    pub fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
        match &self.function {
            Ok(f) => f.validate(y_true, y_pred),
            Err(e) => Err(e.clone()),
        }
    }

    /// Which targets of these types are right, if they are class numbers. Others make the loss
    /// not-a-number, so that whoever has them at hand had better look first.
    pub fn class_numbers(&self, y_true: &TensorType, y_pred: &TensorType) -> Option<ClassNumbers> {
        self.function.as_ref().ok()?.class_numbers(y_true, y_pred)
    }

    /// The values per sample, neither weighted nor reduced.
    #[track_caller]
    pub fn values(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        match &self.function {
            Ok(f) => match f.validate(y_true.ty(), y_pred.ty()) {
                Ok(()) => f.call(y_true, y_pred),
                Err(e) => Tensor::error(e),
            },
            Err(e) => Tensor::error(e.clone()),
        }
    }

    /// The loss of a batch: the values per sample, times `sample_weight` (of their shape, one per sample,
    /// or broadcasting), without the positions where `mask` is false, reduced. A scalar but for
    /// [`Reduction::None`]. Half-precision predictions are computed in `f32`.
    #[track_caller]
    pub fn compute(
        &self,
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
        mask: Option<&Tensor>,
    ) -> Tensor {
        let y_pred = y_pred.cast(y_pred.dtype().promote(DType::F32));
        let values = self.values(y_true, &y_pred);
        let own = match &self.function {
            Ok(f) if values.check().is_ok() => f.mask(y_true, &y_pred, &values),
            _ => None,
        };
        let both = match (mask, &own) {
            (Some(mask), Some(own)) => Some(mask.cast(DType::Bool).logical_and(own)),
            (mask, own) => mask.or(own.as_ref()).cloned(),
        };
        reduce_weighted(&values, sample_weight, both.as_ref(), self.reduction)
    }

    /// Keras' JSON: the string it was made from, or an object.
    pub fn to_config(&self) -> Value {
        if let Some(string) = &self.string {
            return json!(string);
        }
        let config = self.function.as_ref().ok().and_then(|f| f.config());
        match config {
            Some((class, mut config)) => {
                config["name"] = json!(self.name);
                config["reduction"] = json!(self.reduction);
                crate::config::object("keras.losses", class, &config)
            }
            None => json!(self.name),
        }
    }

    /// The loss from Keras' JSON: a string, an object of a loss class, or the object that Keras writes
    /// for a bare function.
    ///
    /// # Errors
    /// If it is not known or its configuration does not fit.
    pub fn from_config(value: &Value) -> Result<Loss> {
        if let Some(name) = value.as_str().or_else(|| value.get("config")?.as_str()) {
            let loss = crate::saving::custom_loss(name).unwrap_or_else(|| name.into());
            return loss.check().map(|()| loss);
        }
        let (class, config) = crate::config::parts("loss", value)?;
        if let Some(loss) = crate::saving::custom_loss(class) {
            return Ok(loss);
        }
        registry::from_config(class, &config)
    }
}

/// A loss from a closure.
struct Closure<F> {
    name: String,
    function: F,
}

impl<F: Fn(&Tensor, &Tensor) -> Tensor + Send + Sync> LossFn for Closure<F> {
    fn name(&self) -> &str {
        &self.name
    }
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        (self.function)(y_true, y_pred)
    }
}

impl From<&str> for Loss {
    fn from(name: &str) -> Loss {
        registry::from_name(name)
    }
}

impl From<String> for Loss {
    fn from(name: String) -> Loss {
        Loss::from(name.as_str())
    }
}

impl<F: Fn(&Tensor, &Tensor) -> Tensor + Send + Sync + 'static> From<F> for Loss {
    fn from(function: F) -> Loss {
        Loss::custom("custom_loss", function)
    }
}

impl fmt::Debug for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Loss({}, {:?})", self.name, self.reduction)
    }
}
