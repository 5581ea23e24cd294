//! What layers share: name, dtype, input shape, and shapes with unknown extents.

use super::policy::DTypePolicy;
use crate::regularizers::Regularizer;
use crate::{Error, Result, Shape};
use std::fmt;

/// A shape whose batch axis (and possibly others) is not known: `(None, 784)`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct InputShape(pub Vec<Option<usize>>);

impl InputShape {
    /// A batch of unknown size of elements of a given shape.
    pub fn batch_of(shape: impl Into<Shape>) -> Self {
        let shape: Shape = shape.into();
        Self(
            std::iter::once(None)
                .chain(shape.iter().map(|d| Some(*d)))
                .collect(),
        )
    }

    /// Number of axes, the batch axis included.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The last extent.
    ///
    /// # Errors
    /// If it is unknown or there is only the batch axis.
    pub fn features(&self) -> Result<usize> {
        match self.0.last() {
            Some(Some(n)) if self.rank() > 1 => Ok(*n),
            _ => Err(Error::shape(format!(
                "The last axis of the input must be known. Received: input shape {self}."
            ))),
        }
    }

    /// The extent along an axis; negative ones count from the end.
    ///
    /// # Errors
    /// If there is no such axis or its extent is unknown.
    pub fn extent(&self, axis: isize) -> Result<usize> {
        let i = self.with(1).axis(axis)?;
        self.0[i].ok_or_else(|| {
            Error::shape(format!(
                "Axis {axis} of the input must be known. Received: input shape {self}."
            ))
        })
    }

    /// The extents but for the batch axis.
    ///
    /// # Errors
    /// If one of them is unknown.
    pub fn sample(&self) -> Result<Shape> {
        let known: Option<Shape> = self
            .0
            .iter()
            .skip(1)
            .copied()
            .collect::<Option<Vec<_>>>()
            .map(Shape::from);
        known.ok_or_else(|| {
            Error::shape(format!(
                "Every axis but the first must be known. Received: {self}."
            ))
        })
    }

    /// The shape with `n` in place of what is unknown.
    pub fn with(&self, n: usize) -> Shape {
        self.0.iter().map(|d| d.unwrap_or(n)).collect()
    }

    /// Whether arrays of this shape fit: equal where known.
    pub fn accepts(&self, shape: &[usize]) -> bool {
        shape.len() == self.rank()
            && self
                .0
                .iter()
                .zip(shape)
                .all(|(a, b)| a.is_none_or(|a| a == *b))
    }

    /// As JSON: `[null, 784]`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.0)
    }

    /// From JSON, as Keras writes shapes.
    ///
    /// # Errors
    /// If it is no list of extents.
    pub fn from_json(value: &serde_json::Value) -> Result<Self> {
        serde_json::from_value(value.clone())
            .map(Self)
            .map_err(|_| {
                Error::new(format!(
                    "Expected a shape such as [null, 784]. Received: {value}."
                ))
            })
    }
}

impl fmt::Display for InputShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let axes: Vec<String> = self
            .0
            .iter()
            .map(|d| d.map_or("None".to_string(), |d| d.to_string()))
            .collect();
        let comma = if axes.len() == 1 { "," } else { "" };
        write!(f, "({}{comma})", axes.join(", "))
    }
}

/// The options that every built-in layer has.
#[derive(Clone, Debug)]
pub struct Base {
    /// The name; given by the model when `None`.
    pub name: Option<String>,
    /// Whether training changes the weights.
    pub trainable: bool,
    /// The types of weights and results: those of [`dtype_policy`](super::dtype_policy) by default.
    pub dtype: DTypePolicy,
    /// The shape of one sample, for the first layer of a model.
    pub input_shape: Option<Shape>,
    /// Penalises the output: its penalty divided by the batch size joins the loss.
    pub activity_regularizer: Option<Regularizer>,
    /// A dtype that could not be understood, reported when the model is built.
    pub(crate) error: Option<Error>,
}

impl Default for Base {
    fn default() -> Self {
        Self {
            name: None,
            trainable: true,
            dtype: super::dtype_policy(),
            input_shape: None,
            activity_regularizer: None,
            error: None,
        }
    }
}

/// The options of every built-in layer, as builder methods.
pub trait LayerOptions: Sized {
    #[doc(hidden)]
    fn base_mut(&mut self) -> &mut Base;

    /// The layer's name; by default the class name in snake case with a number.
    fn name(mut self, name: impl Into<String>) -> Self {
        self.base_mut().name = Some(name.into());
        self
    }

    /// Whether training changes the weights (by default it does).
    fn trainable(mut self, trainable: bool) -> Self {
        self.base_mut().trainable = trainable;
        self
    }

    /// The type of weights and results, by Keras' name: `"float32"` by default; also the mixed
    /// policies, `"mixed_bfloat16"` and `"mixed_float16"`.
    fn dtype(mut self, name: &str) -> Self {
        match DTypePolicy::from_name(name) {
            Ok(policy) => self.base_mut().dtype = policy,
            Err(e) => self.base_mut().error = Some(e),
        }
        self
    }

    /// The shape of one sample (without the batch axis), for the first layer of a model.
    fn input_shape(mut self, shape: impl Into<Shape>) -> Self {
        self.base_mut().input_shape = Some(shape.into());
        self
    }

    /// A penalty on the output: divided by the batch size it joins the loss.
    fn activity_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.base_mut().activity_regularizer = Some(regularizer.into());
        self
    }
}

/// Refuses a size or a count of 0.
pub(crate) fn positive(name: &str, value: usize) -> Result<()> {
    if value > 0 {
        return Ok(());
    }
    Err(Error::new(format!(
        "{name} must be a positive integer. Received: {name}=0."
    )))
}

/// Keras' snake case of a class name: `Dense` → `dense`, `ReLU` → `re_lu`, `LSTM` → `lstm`.
pub(crate) fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().collect();
    let mut out = String::new();
    for (i, c) in letters.iter().enumerate() {
        let after_lower = i > 0 && letters[i - 1].is_lowercase();
        let before_lower = i > 0 && letters.get(i + 1).is_some_and(|n| n.is_lowercase());
        if c.is_uppercase() && (after_lower || before_lower) {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// The parts of [`Layer`](super::Layer) that are the same for every built-in layer; with `masks pass`
/// for one whose output has the mask of its input, with `config of` and a method's name for one whose
/// configuration is that of what the method gives.
macro_rules! builtin {
    ($layer:ident, masks pass) => {
        $crate::layers::base::builtin!($layer);
        fn supports_masking(&self) -> bool {
            true
        }
    };
    ($layer:ident) => {
        $crate::layers::base::builtin!($layer, config of clone);
    };
    ($layer:ident, config of $told:ident) => {
        fn class_name(&self) -> &str {
            stringify!($layer)
        }
        fn base(&self) -> Option<&$crate::layers::Base> {
            Some(&self.base)
        }
        fn config(&self) -> serde_json::Map<String, serde_json::Value> {
            $crate::layers::registry::fields(&self.$told())
        }
    };
}

/// [`LayerOptions`] for a layer with a field `base`.
macro_rules! options {
    ($layer:ident) => {
        impl $crate::layers::LayerOptions for $layer {
            fn base_mut(&mut self) -> &mut $crate::layers::Base {
                &mut self.base
            }
        }
    };
}

/// The option `seed` of a layer that draws, with a field of that name.
macro_rules! seed_option {
    () => {
        /// A seed of its own, which tells its draws apart from those of other layers.
        pub fn seed(mut self, seed: u32) -> Self {
            self.seed = Some(seed);
            self
        }
    };
}

pub(crate) use {builtin, options, seed_option};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case_is_keras() {
        for (class, name) in [
            ("Dense", "dense"),
            ("ReLU", "re_lu"),
            ("PReLU", "p_re_lu"),
            ("LeakyReLU", "leaky_re_lu"),
            ("Conv2D", "conv2d"),
            ("Conv2DTranspose", "conv2d_transpose"),
            ("ConvLSTM2D", "conv_lstm2d"),
            ("LSTM", "lstm"),
            ("ELU", "elu"),
            ("InputLayer", "input_layer"),
            ("RepeatVector", "repeat_vector"),
        ] {
            assert_eq!(snake_case(class), name);
        }
    }
}
