//! Penalties on weights and activities, as in `keras.regularizers`: scalars added to the loss.
//!
//! ```
//! use cornu::regularizers::{L2, Regularizer};
//! use cornu::Tensor;
//! # use cornu_core::{Device, Reference};
//! let w = Tensor::constant([3.0f32, -4.0]);
//! let penalty = Regularizer::from(L2::new(0.1)).penalty(&w); // 0.1 · (9 + 16)
//! # let y = Device::new(Reference).eval(&[penalty, Regularizer::from("l1").penalty(&w)]).unwrap();
//! # assert_eq!(y[0].item::<f32>().unwrap(), 2.5);
//! # assert!((y[1].item::<f32>().unwrap() - 0.07).abs() < 1e-7);
//! ```

use crate::{DType, Error, Result, Tensor, config};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

const MODULE: &str = "keras.regularizers";

/// The spellings that a string may have: class names, then function names.
const NAMES: [&str; 9] = [
    "L1",
    "L2",
    "L1L2",
    "OrthogonalRegularizer",
    "l1",
    "l2",
    "l1l2",
    "l1_l2",
    "orthogonal_regularizer",
];

/// `l1 · Σ|w|`. Default by string: 0.01.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct L1 {
    l1: f64,
}

impl L1 {
    /// With this factor, not negative.
    pub fn new(l1: f64) -> Self {
        Self { l1 }
    }
}

impl Default for L1 {
    fn default() -> Self {
        Self::new(0.01)
    }
}

/// `l2 · Σw²` (without ½). Default by string: 0.01.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct L2 {
    l2: f64,
}

impl L2 {
    /// With this factor, not negative.
    pub fn new(l2: f64) -> Self {
        Self { l2 }
    }
}

impl Default for L2 {
    fn default() -> Self {
        Self::new(0.01)
    }
}

/// `l1 · Σ|w| + l2 · Σw²`. Defaults: both 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct L1L2 {
    l1: f64,
    l2: f64,
}

impl L1L2 {
    /// With these factors, not negative.
    pub fn new(l1: f64, l2: f64) -> Self {
        Self { l1, l2 }
    }
}

/// Which vectors [`OrthogonalRegularizer`] makes orthogonal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrthogonalMode {
    /// The rows of the matrix.
    #[default]
    Rows,
    /// The columns of the matrix.
    Columns,
}

/// The mean absolute cosine between pairs of rows (or columns) of a matrix, times `factor`: 0 when they
/// are orthogonal. Defaults: 0.01, rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OrthogonalRegularizer {
    factor: f64,
    mode: OrthogonalMode,
}

impl Default for OrthogonalRegularizer {
    fn default() -> Self {
        Self {
            factor: 0.01,
            mode: OrthogonalMode::Rows,
        }
    }
}

impl OrthogonalRegularizer {
    /// With the default arguments.
    pub fn new() -> Self {
        Self::default()
    }
    /// The factor, not negative.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }
    /// Rows or columns.
    pub fn mode(mut self, mode: OrthogonalMode) -> Self {
        self.mode = mode;
        self
    }
}

type Function = dyn Fn(&Tensor) -> Tensor + Send + Sync;

/// A regularizer: a typed value, a Keras string (`"l1"`, `"l2"`, `"L1L2"`, …) or one of your own.
///
/// Making one never fails; a wrong string or factor comes out of [`Regularizer::check`].
///
/// ```
/// use cornu::regularizers::{L1, Regularizer};
/// assert!(Regularizer::from("l2").check().is_ok());
/// assert!(Regularizer::from("l3").check().is_err());
/// let e = Regularizer::from(L1::new(-1.0)).check().unwrap_err();
/// assert!(e.to_string().contains("l1 must not be negative"));
/// let own = Regularizer::custom("sum_of_cubes", |w| (w.abs() * w.square()).sum());
/// assert_eq!(own.name(), "sum_of_cubes");
/// ```
#[derive(Clone)]
pub struct Regularizer(Kind);

#[derive(Clone)]
enum Kind {
    L1(L1),
    L2(L2),
    L1L2(L1L2),
    OrthogonalRegularizer(OrthogonalRegularizer),
    Custom(Arc<str>, Arc<Function>),
    Unknown(Arc<str>, Error),
}

impl Regularizer {
    /// A regularizer of your own: from the weight to a scalar.
    pub fn custom(
        name: impl Into<String>,
        function: impl Fn(&Tensor) -> Tensor + Send + Sync + 'static,
    ) -> Regularizer {
        Regularizer(Kind::Custom(name.into().into(), Arc::new(function)))
    }

    /// The penalty, a scalar. For an unknown name or a wrong factor: a tensor that carries the error.
    #[track_caller]
    pub fn penalty(&self, w: &Tensor) -> Tensor {
        if let Err(e) = self.check() {
            return Tensor::error(e);
        }
        let l1 = |factor: f64| w.abs().sum() * factor;
        let l2 = |factor: f64| w.square().sum() * factor;
        match &self.0 {
            Kind::L1(r) => l1(r.l1),
            Kind::L2(r) => l2(r.l2),
            Kind::L1L2(r) => match (r.l1 != 0.0, r.l2 != 0.0) {
                (true, true) => l1(r.l1) + l2(r.l2),
                (true, false) => l1(r.l1),
                (false, true) => l2(r.l2),
                (false, false) => Tensor::zeros((), w.dtype()),
            },
            Kind::OrthogonalRegularizer(r) => orthogonal(r, w),
            Kind::Custom(_, f) => f(w),
            Kind::Unknown(_, e) => Tensor::error(e.clone()),
        }
    }

    /// Keras' class name, the name of a regularizer of one's own, or the unknown string.
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::L1(_) => "L1",
            Kind::L2(_) => "L2",
            Kind::L1L2(_) => "L1L2",
            Kind::OrthogonalRegularizer(_) => "OrthogonalRegularizer",
            Kind::Custom(name, _) | Kind::Unknown(name, _) => name,
        }
    }

    /// The error of an unknown name, or of a factor that is negative or not finite.
    pub fn check(&self) -> Result<()> {
        let factor = |name: &str, value: f64| {
            if value.is_finite() && value >= 0.0 {
                return Ok(());
            }
            Err(Error::new(format!(
                "{}: {name} must not be negative. Received: {value}.",
                self.name()
            )))
        };
        match &self.0 {
            Kind::L1(r) => factor("l1", r.l1),
            Kind::L2(r) => factor("l2", r.l2),
            Kind::L1L2(r) => factor("l1", r.l1).and_then(|()| factor("l2", r.l2)),
            Kind::OrthogonalRegularizer(r) => factor("factor", r.factor),
            Kind::Custom(..) => Ok(()),
            Kind::Unknown(_, e) => Err(e.clone()),
        }
    }

    /// Keras' JSON of the regularizer.
    pub fn to_config(&self) -> Value {
        match &self.0 {
            Kind::L1(r) => config::object(MODULE, "L1", r),
            Kind::L2(r) => config::object(MODULE, "L2", r),
            Kind::L1L2(r) => config::object(MODULE, "L1L2", r),
            Kind::OrthogonalRegularizer(r) => config::object(MODULE, "OrthogonalRegularizer", r),
            Kind::Custom(name, _) | Kind::Unknown(name, _) => {
                json!({"module": null, "class_name": &**name, "config": {}, "registered_name": &**name})
            }
        }
    }

    /// The regularizer from Keras' JSON: an object or a string.
    ///
    /// # Errors
    /// If the class is not known or its configuration does not fit.
    pub fn from_config(value: &Value) -> Result<Regularizer> {
        if let Some(own) = crate::saving::custom_regularizer(value) {
            return Ok(own);
        }
        let regularizer = match value.as_str() {
            Some(name) => Regularizer::from(name),
            None => {
                let (class, c) = config::parts("regularizer", value)?;
                Regularizer(match class {
                    "L1" => Kind::L1(config::read(class, &c)?),
                    "L2" => Kind::L2(config::read(class, &c)?),
                    "L1L2" => Kind::L1L2(config::read(class, &c)?),
                    "OrthogonalRegularizer" => {
                        Kind::OrthogonalRegularizer(config::read(class, &c)?)
                    }
                    _ => return Err(Error::unknown("regularizer", class, &NAMES[..4])),
                })
            }
        };
        regularizer.check().map(|()| regularizer)
    }
}

/// `factor / 2 · Σ|offdiagonal cosines| / (n (n − 1) / 2)`.
#[track_caller]
fn orthogonal(r: &OrthogonalRegularizer, w: &Tensor) -> Tensor {
    if w.rank() != 2 {
        return Tensor::error(Error::shape(format!(
            "OrthogonalRegularizer needs a matrix. Received: shape {}.",
            w.shape()
        )));
    }
    let (axis, n) = match r.mode {
        OrthogonalMode::Rows => (1, w.shape()[0]),
        OrthogonalMode::Columns => (0, w.shape()[1]),
    };
    let unit = normalize(w, &[axis]);
    let cosines = match r.mode {
        OrthogonalMode::Rows => unit.matmul(unit.t()),
        OrthogonalMode::Columns => unit.t().matmul(&unit),
    };
    let others = 1.0 - Tensor::eye(n, DType::F32).cast(w.dtype());
    let pairs = n as f64 * (n as f64 - 1.0) / 2.0;
    (cosines * others).abs().sum() * (r.factor * 0.5 / pairs)
}

/// `x / ‖x‖` along `axes`, where the norm counts as at least 10⁻⁷: `x · min(1/√Σx², 10⁷)`.
#[track_caller]
pub(crate) fn normalize(x: &Tensor, axes: &[isize]) -> Tensor {
    x * x.square().sum_axes(axes, true).rsqrt().minimum(1e7)
}

impl From<&str> for Regularizer {
    fn from(name: &str) -> Regularizer {
        Regularizer(match name {
            "l1" | "L1" => Kind::L1(L1::default()),
            "l2" | "L2" => Kind::L2(L2::default()),
            "l1l2" | "l1_l2" | "L1L2" => Kind::L1L2(L1L2::default()),
            "orthogonal_regularizer" | "OrthogonalRegularizer" => {
                Kind::OrthogonalRegularizer(OrthogonalRegularizer::default())
            }
            _ => Kind::Unknown(name.into(), Error::unknown("regularizer", name, &NAMES)),
        })
    }
}

impl From<String> for Regularizer {
    fn from(name: String) -> Regularizer {
        Regularizer::from(name.as_str())
    }
}

macro_rules! from_typed {
    ($($class:ident)*) => {$(
        impl From<$class> for Regularizer {
            fn from(regularizer: $class) -> Regularizer {
                Regularizer(Kind::$class(regularizer))
            }
        }
    )*};
}

from_typed!(L1 L2 L1L2 OrthogonalRegularizer);

impl<F: Fn(&Tensor) -> Tensor + Send + Sync + 'static> From<F> for Regularizer {
    fn from(function: F) -> Regularizer {
        Regularizer::custom("custom_regularizer", function)
    }
}

impl fmt::Debug for Regularizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regularizer({})", self.name())
    }
}

impl Serialize for Regularizer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_config().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Regularizer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Regularizer, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Regularizer::from_config(&value).map_err(serde::de::Error::custom)
    }
}
