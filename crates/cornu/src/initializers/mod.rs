//! First values of weights, as in `keras.initializers`.
//!
//! ```
//! use cornu::initializers::{HeNormal, Initializer};
//! use cornu::DType;
//! let kernel = Initializer::from("glorot_uniform").sample(&[784, 512].into(), DType::F32, 7, 0)?;
//! assert_eq!(kernel.shape().dims(), [784, 512]);
//! let typed = Initializer::from(HeNormal::new().seed(3));
//! // A seed of its own wins over the given one: the same values each time.
//! let a = typed.sample(&[4, 4].into(), DType::F32, 1, 0)?;
//! assert_eq!(a, typed.sample(&[4, 4].into(), DType::F32, 2, 9)?);
//! # Ok::<(), cornu::Error>(())
//! ```

mod classes;
mod draw;
mod orthogonal;
mod stft;

pub use classes::*;
pub use stft::{STFT, Scaling, Side};

use crate::{Array, DType, Error, Result, Shape, config};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

const MODULE: &str = "keras.initializers";

type Function = dyn Fn(&Shape, DType, u64) -> Result<Array> + Send + Sync;

#[derive(Clone)]
enum Kind {
    Known(Known),
    Custom(Arc<str>, Arc<Function>),
    Unknown(Arc<str>, Error),
}

/// How a weight gets its first values: a typed value, a Keras string (`"glorot_uniform"`, `"zeros"`, …)
/// or a function of your own.
///
/// Making one never fails; a wrong string or argument comes out of [`Initializer::check`] and
/// [`Initializer::sample`].
///
/// ```
/// use cornu::initializers::Initializer;
/// let e = Initializer::from("glorot").check().unwrap_err();
/// assert!(e.to_string().starts_with("Unknown initializer \"glorot\"."));
/// assert_eq!(
///     serde_json::to_string(&Initializer::from("he_normal").to_config()["class_name"]).unwrap(),
///     "\"HeNormal\""
/// );
/// ```
#[derive(Clone)]
pub struct Initializer(Kind);

macro_rules! known {
    ($($class:ident $([$($alias:literal)*])?;)*) => {
        #[derive(Clone, Debug, PartialEq)]
        #[allow(clippy::upper_case_acronyms)] // the variants are Keras' class names
        enum Known {
            $($class($class),)*
        }

        /// Every spelling that a string may have.
        const NAMES: &[&str] = &[$(stringify!($class), $($($alias,)*)?)*];

        /// Class names, as in files.
        const CLASSES: &[&str] = &[$(stringify!($class),)*];

        impl Known {
            fn from_name(name: &str) -> Option<Known> {
                $(if name == stringify!($class) $($(|| name == $alias)*)? {
                    return Some(Known::$class($class::default()));
                })*
                None
            }

            fn from_config(class: &str, value: &Value) -> Result<Known> {
                $(if class == stringify!($class) {
                    return config::read(class, value).map(Known::$class);
                })*
                Err(Error::unknown("initializer", class, CLASSES))
            }

            fn name(&self) -> &'static str {
                match self {
                    $(Known::$class(_) => stringify!($class),)*
                }
            }

            fn to_config(&self) -> Value {
                match self {
                    $(Known::$class(i) => config::object(MODULE, stringify!($class), i),)*
                }
            }

            fn rule(&self) -> Result<Rule> {
                match self {
                    $(Known::$class(i) => i.rule(),)*
                }
            }
        }

        $(impl From<$class> for Initializer {
            fn from(initializer: $class) -> Initializer {
                Initializer(Kind::Known(Known::$class(initializer)))
            }
        })*
    };
}

known! {
    Zeros ["zeros" "zero"];
    Ones ["ones" "one"];
    Constant;
    Identity ["identity" "IdentityInitializer"];
    Orthogonal ["orthogonal" "OrthogonalInitializer"];
    RandomNormal ["random_normal" "normal"];
    RandomUniform ["random_uniform" "uniform"];
    TruncatedNormal ["truncated_normal"];
    VarianceScaling ["variance_scaling"];
    GlorotNormal ["glorot_normal"];
    GlorotUniform ["glorot_uniform"];
    HeNormal ["he_normal"];
    HeUniform ["he_uniform"];
    LecunNormal ["lecun_normal"];
    LecunUniform ["lecun_uniform"];
    STFT ["stft" "STFTInitializer"];
}

/// What an initializer does, once its arguments are known to be right.
#[derive(Clone, Debug)]
enum Rule {
    Fill(f64),
    Identity(f64),
    Random(Option<u64>, Distribution),
    Scaled(Option<u64>, VarianceScaling),
    Orthogonal(Option<u64>, f64),
    Stft(STFT),
}

/// A distribution of independent elements.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Distribution {
    /// In `[low, high)`.
    Uniform {
        low: f64,
        high: f64,
    },
    RandomNormal {
        mean: f64,
        stddev: f64,
    },
    /// Normal, drawn again beyond two standard deviations.
    TruncatedNormal {
        mean: f64,
        stddev: f64,
    },
}

impl Initializer {
    /// An initializer of your own: from shape, element type and seed to the values.
    pub fn custom(
        name: impl Into<String>,
        function: impl Fn(&Shape, DType, u64) -> Result<Array> + Send + Sync + 'static,
    ) -> Initializer {
        Initializer(Kind::Custom(name.into().into(), Arc::new(function)))
    }

    /// The values for a weight, on the host. The same shape, seed and stream give the same values, on
    /// every machine; `stream` tells the weights of one model apart. A seed in the typed value wins over
    /// both.
    ///
    /// # Errors
    /// If the string was unknown or an argument wrong, the shape does not fit (`Orthogonal` needs two
    /// axes or more, `Identity` exactly two), or random values are asked for an integer type.
    pub fn sample(&self, shape: &Shape, dtype: DType, seed: u64, stream: u32) -> Result<Array> {
        let rule = match &self.0 {
            Kind::Known(known) => known.rule()?,
            Kind::Custom(name, f) => {
                let array = f(shape, dtype, seed.wrapping_add(u64::from(stream) << 32))?;
                if array.shape() != shape {
                    return Err(Error::shape(format!(
                        "The initializer {name} was asked for shape {shape}. It gave: {}.",
                        array.shape()
                    )));
                }
                return Ok(array.cast(dtype));
            }
            Kind::Unknown(_, e) => return Err(e.clone()),
        };
        let source = |own: Option<u64>| own.map_or((seed, stream), |own| (own, 0));
        let name = self.name();
        match rule {
            Rule::Fill(value) => Ok(Array::full(dtype, shape, value)),
            Rule::Identity(gain) => identity(shape, dtype, gain),
            Rule::Random(own, d) => independent(name, d, shape, dtype, source(own)),
            Rule::Scaled(own, v) => {
                independent(name, v.distribution_for(shape)?, shape, dtype, source(own))
            }
            Rule::Stft(stft) => stft.sample(shape, dtype),
            Rule::Orthogonal(own, gain) => {
                let (seed, stream) = source(own);
                needs_float(name, dtype)?;
                orthogonal::sample(shape, dtype, gain, seed, stream)
            }
        }
    }

    /// The initializer for a kernel whose inputs and outputs are these axes, unless it names axes itself.
    pub(crate) fn with_fans(self, inputs: &[usize], outputs: &[usize]) -> Initializer {
        let rule = match &self.0 {
            Kind::Known(known) => known.rule(),
            _ => return self,
        };
        match rule {
            Ok(Rule::Scaled(_, v)) => Initializer::from(v.with_fans(inputs, outputs)),
            _ => self,
        }
    }

    /// Keras' class name, the name of an initializer of one's own, or the unknown string.
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Known(known) => known.name(),
            Kind::Custom(name, _) | Kind::Unknown(name, _) => name,
        }
    }

    /// The error of an unknown name or a wrong argument.
    pub fn check(&self) -> Result<()> {
        match &self.0 {
            Kind::Known(known) => known.rule().map(|_| ()),
            Kind::Custom(..) => Ok(()),
            Kind::Unknown(_, e) => Err(e.clone()),
        }
    }

    /// Keras' JSON of the initializer.
    pub fn to_config(&self) -> Value {
        match &self.0 {
            Kind::Known(known) => known.to_config(),
            Kind::Custom(name, _) | Kind::Unknown(name, _) => {
                json!({"module": null, "class_name": &**name, "config": {}, "registered_name": &**name})
            }
        }
    }

    /// The initializer from Keras' JSON: an object or a string.
    ///
    /// # Errors
    /// If the class is not known or its configuration does not fit.
    pub fn from_config(value: &Value) -> Result<Initializer> {
        if let Some(own) = crate::saving::custom_initializer(value) {
            return Ok(own);
        }
        let initializer = match value.as_str() {
            Some(name) => Initializer::from(name),
            None => {
                let (class, c) = config::parts("initializer", value)?;
                Initializer(Kind::Known(Known::from_config(class, &c)?))
            }
        };
        initializer.check().map(|()| initializer)
    }
}

/// `gain` on the diagonal.
fn identity(shape: &Shape, dtype: DType, gain: f64) -> Result<Array> {
    let [rows, columns] = **shape else {
        return Err(Error::shape(format!(
            "The initializer Identity makes matrices. Received: shape {shape}."
        )));
    };
    let mut values = vec![0.0f64; shape.size()];
    for i in 0..rows.min(columns) {
        values[i * columns + i] = gain;
    }
    Ok(Array::from_vec(shape, values)?.cast(dtype))
}

fn needs_float(name: &str, dtype: DType) -> Result<()> {
    if dtype.is_float() {
        return Ok(());
    }
    Err(Error::dtype(format!(
        "The initializer {name} draws floats. Asked for: {dtype}."
    )))
}

/// Independent elements of one distribution, drawn in `f32`.
fn independent(
    name: &str,
    distribution: Distribution,
    shape: &Shape,
    dtype: DType,
    (seed, stream): (u64, u32),
) -> Result<Array> {
    needs_float(name, dtype)?;
    let values = draw::draw(distribution, shape.size(), seed, stream);
    let array = Array::from_vec(shape, values)?;
    Ok(if dtype == DType::F32 {
        array
    } else {
        array.cast(dtype)
    })
}

impl From<&str> for Initializer {
    fn from(name: &str) -> Initializer {
        // Keras knows the class Constant but takes no string for it: a value must be given.
        let known = Known::from_name(name).filter(|k| !matches!(k, Known::Constant(_)));
        Initializer(match known {
            Some(known) => Kind::Known(known),
            None if matches!(name, "Constant" | "constant") => {
                let e = Error::new("The initializer Constant needs a value: Constant::new(0.5).");
                Kind::Unknown(name.into(), e)
            }
            None => Kind::Unknown(name.into(), Error::unknown("initializer", name, NAMES)),
        })
    }
}

impl From<String> for Initializer {
    fn from(name: String) -> Initializer {
        Initializer::from(name.as_str())
    }
}

impl fmt::Debug for Initializer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Known(known) => write!(f, "{known:?}"),
            _ => write!(f, "Initializer({})", self.name()),
        }
    }
}

impl Serialize for Initializer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_config().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Initializer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Initializer, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Initializer::from_config(&value).map_err(serde::de::Error::custom)
    }
}
