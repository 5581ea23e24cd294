//! Constraints on weights, as in `keras.constraints`: applied after each update.
//!
//! ```
//! use cornu::constraints::{Constraint, MaxNorm};
//! use cornu::Tensor;
//! # use cornu_core::{Device, Reference};
//! let w = Tensor::constant([[3.0f32], [4.0]]);
//! let limited = Constraint::from(MaxNorm::new().max_value(1.0)).apply(&w); // each column: norm ≤ 1
//! # let y = Device::new(Reference).eval(&[limited, Constraint::from("non_neg").apply(&-w)]).unwrap();
//! # assert!((y[0].to_vec::<f32>()[0] - 0.6).abs() < 1e-6);
//! # assert_eq!(y[1].to_vec::<f32>(), [0.0, 0.0]);
//! ```

use crate::{Axes, Error, Result, Tensor, config};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

const MODULE: &str = "keras.constraints";
const EPSILON: f64 = 1e-7;

/// The spellings that a string may have: class names, then function names.
const NAMES: [&str; 8] = [
    "MaxNorm",
    "MinMaxNorm",
    "NonNeg",
    "UnitNorm",
    "max_norm",
    "min_max_norm",
    "non_neg",
    "unit_norm",
];

/// Limits the norms along `axis` to `max_value`: `w · clip(‖w‖, 0, max_value) / (10⁻⁷ + ‖w‖)`.
/// Defaults: `max_value` 2, `axis` 0 (for a Dense kernel: the weights into each unit).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MaxNorm {
    max_value: f64,
    axis: Axes,
}

impl Default for MaxNorm {
    fn default() -> Self {
        Self {
            max_value: 2.0,
            axis: Axes::One(0),
        }
    }
}

impl MaxNorm {
    /// With the default arguments.
    pub fn new() -> Self {
        Self::default()
    }
    /// The largest norm.
    pub fn max_value(mut self, max_value: f64) -> Self {
        self.max_value = max_value;
        self
    }
    /// The axis or axes along which norms are taken.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into();
        self
    }
}

/// Brings the norms along `axis` into an interval: `w · d / (10⁻⁷ + ‖w‖)` with
/// `d = rate · clip(‖w‖, min_value, max_value) + (1 − rate) · ‖w‖`. Defaults: 0, 1, rate 1, axis 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MinMaxNorm {
    min_value: f64,
    max_value: f64,
    rate: f64,
    axis: Axes,
}

impl Default for MinMaxNorm {
    fn default() -> Self {
        Self {
            min_value: 0.0,
            max_value: 1.0,
            rate: 1.0,
            axis: Axes::One(0),
        }
    }
}

impl MinMaxNorm {
    /// With the default arguments.
    pub fn new() -> Self {
        Self::default()
    }
    /// The smallest norm.
    pub fn min_value(mut self, min_value: f64) -> Self {
        self.min_value = min_value;
        self
    }
    /// The largest norm.
    pub fn max_value(mut self, max_value: f64) -> Self {
        self.max_value = max_value;
        self
    }
    /// How much of the way is gone at each update, 0 to 1.
    pub fn rate(mut self, rate: f64) -> Self {
        self.rate = rate;
        self
    }
    /// The axis or axes along which norms are taken.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into();
        self
    }
}

/// `max(w, 0)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NonNeg {}

impl NonNeg {
    /// The constraint.
    pub fn new() -> Self {
        Self::default()
    }
}

/// Norm 1 along `axis` (default 0): `w / (10⁻⁷ + ‖w‖)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnitNorm {
    axis: Axes,
}

impl Default for UnitNorm {
    fn default() -> Self {
        Self { axis: Axes::One(0) }
    }
}

impl UnitNorm {
    /// With the default arguments.
    pub fn new() -> Self {
        Self::default()
    }
    /// The axis or axes along which norms are taken.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into();
        self
    }
}

type Function = dyn Fn(&Tensor) -> Tensor + Send + Sync;

/// A constraint: a typed value, a Keras string (`"max_norm"`, `"NonNeg"`, …) or one of your own.
///
/// Making one never fails; a wrong string comes out of [`Constraint::check`].
///
/// ```
/// use cornu::constraints::Constraint;
/// assert!(Constraint::from("non_neg").check().is_ok());
/// let e = Constraint::from("nonneg").check().unwrap_err();
/// assert!(e.to_string().contains("Did you mean \"NonNeg\" or \"non_neg\"?"));
/// let quarter = Constraint::custom("quarter", |w| w.clip(-0.25, 0.25));
/// assert_eq!(quarter.name(), "quarter");
/// ```
#[derive(Clone)]
pub struct Constraint(Kind);

#[derive(Clone)]
enum Kind {
    MaxNorm(MaxNorm),
    MinMaxNorm(MinMaxNorm),
    NonNeg(NonNeg),
    UnitNorm(UnitNorm),
    Custom(Arc<str>, Arc<Function>),
    Unknown(Arc<str>, Error),
}

impl Constraint {
    /// A constraint of your own: from the weight to the constrained weight of the same shape.
    pub fn custom(
        name: impl Into<String>,
        function: impl Fn(&Tensor) -> Tensor + Send + Sync + 'static,
    ) -> Constraint {
        Constraint(Kind::Custom(name.into().into(), Arc::new(function)))
    }

    /// The constrained weight. For an unknown name: a tensor that carries the error.
    #[track_caller]
    pub fn apply(&self, w: &Tensor) -> Tensor {
        let norms = |axis: &Axes| w.square().sum_axes(axis.as_slice(), true).sqrt();
        match &self.0 {
            Kind::MaxNorm(c) => {
                let norms = norms(&c.axis);
                w * (norms.clip(0.0, c.max_value) / (norms + EPSILON))
            }
            Kind::MinMaxNorm(c) => {
                let norms = norms(&c.axis);
                let inside = norms.clip(c.min_value, c.max_value) * c.rate;
                w * ((inside + &norms * (1.0 - c.rate)) / (norms + EPSILON))
            }
            Kind::NonNeg(_) => w.maximum(0.0),
            Kind::UnitNorm(c) => w / (norms(&c.axis) + EPSILON),
            Kind::Custom(_, f) => f(w),
            Kind::Unknown(_, e) => Tensor::error(e.clone()),
        }
    }

    /// Keras' class name, the name of a constraint of one's own, or the unknown string.
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::MaxNorm(_) => "MaxNorm",
            Kind::MinMaxNorm(_) => "MinMaxNorm",
            Kind::NonNeg(_) => "NonNeg",
            Kind::UnitNorm(_) => "UnitNorm",
            Kind::Custom(name, _) | Kind::Unknown(name, _) => name,
        }
    }

    /// The error of an unknown name.
    pub fn check(&self) -> Result<()> {
        match &self.0 {
            Kind::Unknown(_, e) => Err(e.clone()),
            _ => Ok(()),
        }
    }

    /// Keras' JSON of the constraint.
    pub fn to_config(&self) -> Value {
        match &self.0 {
            Kind::MaxNorm(c) => config::object(MODULE, "MaxNorm", c),
            Kind::MinMaxNorm(c) => config::object(MODULE, "MinMaxNorm", c),
            Kind::NonNeg(c) => config::object(MODULE, "NonNeg", c),
            Kind::UnitNorm(c) => config::object(MODULE, "UnitNorm", c),
            Kind::Custom(name, _) | Kind::Unknown(name, _) => {
                json!({"module": null, "class_name": &**name, "config": {}, "registered_name": &**name})
            }
        }
    }

    /// The constraint from Keras' JSON: an object or a string.
    ///
    /// # Errors
    /// If the class is not known or its configuration does not fit.
    pub fn from_config(value: &Value) -> Result<Constraint> {
        if let Some(own) = crate::saving::custom_constraint(value) {
            return Ok(own);
        }
        if let Some(name) = value.as_str() {
            let constraint = Constraint::from(name);
            return constraint.check().map(|()| constraint);
        }
        let (class, c) = config::parts("constraint", value)?;
        Ok(Constraint(match class {
            "MaxNorm" => Kind::MaxNorm(config::read(class, &c)?),
            "MinMaxNorm" => Kind::MinMaxNorm(config::read(class, &c)?),
            "NonNeg" => Kind::NonNeg(NonNeg {}),
            "UnitNorm" => Kind::UnitNorm(config::read(class, &c)?),
            _ => return Err(Error::unknown("constraint", class, &NAMES[..4])),
        }))
    }
}

impl From<&str> for Constraint {
    fn from(name: &str) -> Constraint {
        Constraint(match name {
            "max_norm" | "MaxNorm" => Kind::MaxNorm(MaxNorm::new()),
            "min_max_norm" | "MinMaxNorm" => Kind::MinMaxNorm(MinMaxNorm::new()),
            "non_neg" | "NonNeg" => Kind::NonNeg(NonNeg::new()),
            "unit_norm" | "UnitNorm" => Kind::UnitNorm(UnitNorm::new()),
            _ => Kind::Unknown(name.into(), Error::unknown("constraint", name, &NAMES)),
        })
    }
}

impl From<String> for Constraint {
    fn from(name: String) -> Constraint {
        Constraint::from(name.as_str())
    }
}

macro_rules! from_typed {
    ($($class:ident)*) => {$(
        impl From<$class> for Constraint {
            fn from(constraint: $class) -> Constraint {
                Constraint(Kind::$class(constraint))
            }
        }
    )*};
}

from_typed!(MaxNorm MinMaxNorm NonNeg UnitNorm);

impl<F: Fn(&Tensor) -> Tensor + Send + Sync + 'static> From<F> for Constraint {
    fn from(function: F) -> Constraint {
        Constraint::custom("custom_constraint", function)
    }
}

impl fmt::Debug for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Constraint({})", self.name())
    }
}

impl Serialize for Constraint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_config().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Constraint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Constraint, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Constraint::from_config(&value).map_err(serde::de::Error::custom)
    }
}
