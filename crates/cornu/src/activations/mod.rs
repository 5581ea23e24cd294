//! Activation functions, as in `keras.activations`: free functions of a tensor, and [`Activation`],
//! the handle that layers take.
//!
//! ```
//! use cornu::activations::{self, Activation};
//! use cornu::Tensor;
//! # use cornu_core::{Device, Reference};
//! let x = Tensor::constant([-1.0f32, 0.0, 2.0]);
//! let by_name = Activation::from("relu").apply(&x);
//! let by_function = activations::relu(&x);
//! # let y = Device::new(Reference).eval(&[by_name, by_function]).unwrap();
//! # assert_eq!(y[0].to_vec::<f32>(), [0.0, 0.0, 2.0]);
//! # assert_eq!(y[0], y[1]);
//! ```

mod functions;

pub use functions::*;

use crate::{Error, Result, Tensor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

type Plain = fn(&Tensor) -> Tensor;

/// Every activation that a string names, with Keras' default arguments.
const ALL: [(&str, Plain); 31] = [
    ("celu", celu),
    ("elu", elu),
    ("exponential", exponential),
    ("gelu", gelu),
    ("glu", glu),
    ("hard_shrink", hard_shrink),
    ("hard_sigmoid", hard_sigmoid),
    ("hard_silu", hard_silu),
    ("hard_swish", hard_silu),
    ("hard_tanh", hard_tanh),
    ("leaky_relu", leaky_relu),
    ("linear", linear),
    ("log_sigmoid", log_sigmoid),
    ("log_softmax", log_softmax),
    ("mish", mish),
    ("relu", relu),
    ("relu6", relu6),
    ("selu", selu),
    ("sigmoid", sigmoid),
    ("silu", silu),
    ("soft_shrink", soft_shrink),
    ("softmax", softmax),
    ("softplus", softplus),
    ("softsign", softsign),
    ("sparse_plus", sparse_plus),
    ("sparse_sigmoid", sparse_sigmoid),
    ("sparsemax", sparsemax),
    ("squareplus", squareplus),
    ("swish", silu),
    ("tanh", tanh),
    ("tanh_shrink", tanh_shrink),
];

type Function = dyn Fn(&Tensor) -> Tensor + Send + Sync;

/// An activation function: a known one by its Keras string, or one of your own.
///
/// Making one never fails; a wrong string comes out of [`Activation::check`] (layers call it when they
/// are built) and of the tensor that [`Activation::apply`] returns. Its JSON is the plain string.
///
/// ```
/// use cornu::activations::Activation;
/// assert_eq!(Activation::from("swish").name(), "silu");
/// let e = Activation::from("rellu").check().unwrap_err();
/// assert_eq!(e.to_string(), "Unknown activation \"rellu\". Did you mean \"relu\" or \"celu\"?");
/// let cube = Activation::custom("cube", |x| x * x * x);
/// assert_eq!(cube.name(), "cube");
/// assert_eq!(Activation::default().name(), "linear");
/// ```
#[derive(Clone)]
pub struct Activation(Kind);

#[derive(Clone)]
enum Kind {
    Known(&'static str, Plain),
    Custom(Arc<str>, Arc<Function>),
    Unknown(Arc<str>, Error),
}

impl Activation {
    /// An activation of your own. The name is shown and written to files; a file that names it cannot
    /// be loaded without it.
    pub fn custom(
        name: impl Into<String>,
        function: impl Fn(&Tensor) -> Tensor + Send + Sync + 'static,
    ) -> Activation {
        Activation(Kind::Custom(name.into().into(), Arc::new(function)))
    }

    /// The activation of `x`. For an unknown name: a tensor that carries the error.
    #[track_caller]
    pub fn apply(&self, x: &Tensor) -> Tensor {
        match &self.0 {
            Kind::Known(_, f) => f(x),
            Kind::Custom(_, f) => f(x),
            Kind::Unknown(_, e) => Tensor::error(e.clone()),
        }
    }

    /// Keras' name of the function (`"silu"` for `"swish"`).
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Known(name, _) => name,
            Kind::Custom(name, _) | Kind::Unknown(name, _) => name,
        }
    }

    /// Whether this is `linear`, which changes nothing.
    pub fn is_linear(&self) -> bool {
        matches!(self.0, Kind::Known("linear", _))
    }

    /// The error of an unknown name.
    pub fn check(&self) -> Result<()> {
        match &self.0 {
            Kind::Unknown(_, e) => Err(e.clone()),
            _ => Ok(()),
        }
    }
}

impl Default for Activation {
    /// `linear`, what Keras uses where none is given.
    fn default() -> Activation {
        Activation::from("linear")
    }
}

impl From<&str> for Activation {
    fn from(name: &str) -> Activation {
        if let Some((_, f)) = ALL.iter().find(|(n, _)| *n == name) {
            let name = match name {
                "swish" => "silu",
                "hard_swish" => "hard_silu",
                _ => ALL.iter().find(|(n, _)| *n == name).map_or("", |(n, _)| n),
            };
            return Activation(Kind::Known(name, *f));
        }
        let error = if name == "threshold" {
            Error::new(
                "The activation \"threshold\" has no default arguments. Use \
                 Activation::custom(\"threshold\", |x| activations::threshold(x, threshold, value)).",
            )
        } else {
            Error::unknown("activation", name, &ALL.map(|(n, _)| n))
        };
        Activation(Kind::Unknown(name.into(), error))
    }
}

impl From<String> for Activation {
    fn from(name: String) -> Activation {
        Activation::from(name.as_str())
    }
}

impl<F: Fn(&Tensor) -> Tensor + Send + Sync + 'static> From<F> for Activation {
    fn from(function: F) -> Activation {
        Activation::custom("custom_activation", function)
    }
}

impl fmt::Debug for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Activation({:?})", self.name())
    }
}

impl PartialEq for Activation {
    /// Equal names of known functions, or the same closure.
    fn eq(&self, other: &Activation) -> bool {
        match (&self.0, &other.0) {
            (Kind::Known(a, _), Kind::Known(b, _)) => a == b,
            (Kind::Custom(_, a), Kind::Custom(_, b)) => Arc::ptr_eq(a, b),
            (Kind::Unknown(a, _), Kind::Unknown(b, _)) => a == b,
            _ => false,
        }
    }
}

impl Serialize for Activation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Activation {
    /// From a string, `null` (linear), or the object that Keras writes for a bare function.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Activation, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let name = value.as_str().or_else(|| value.get("config")?.as_str());
        match name {
            Some(name) => Ok(crate::saving::custom_activation(name).unwrap_or_else(|| name.into())),
            None if value.is_null() => Ok(Activation::default()),
            None => Err(serde::de::Error::custom(format!(
                "An activation is a string such as \"relu\". Received: {value}."
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_plain_string() {
        let json = serde_json::to_string(&Activation::from("swish")).unwrap();
        assert_eq!(json, "\"silu\"");
        let back: Activation = serde_json::from_str(&json).unwrap();
        assert_eq!(back, Activation::from("silu"));
        let none: Activation = serde_json::from_str("null").unwrap();
        assert!(none.is_linear());
        let object = r#"{"module":"builtins","class_name":"function","config":"tanh"}"#;
        let object: Activation = serde_json::from_str(object).unwrap();
        assert_eq!(object.name(), "tanh");
        assert!(serde_json::from_str::<Activation>("3").is_err());
    }

    #[test]
    fn a_wrong_string_comes_out_of_the_tensor() {
        let x = Tensor::constant([1.0f32]);
        let e = Activation::from("sofmax").apply(&x).check().unwrap_err();
        assert!(e.to_string().contains("Did you mean \"softmax\""), "{e}");
        let e = Activation::from("threshold").check().unwrap_err();
        assert!(e.to_string().contains("no default arguments"), "{e}");
    }
}
