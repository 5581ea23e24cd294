//! Layers: plain structs of their configuration that declare weights and say what they compute.
//!
//! A layer of your own implements [`Layer`]:
//!
//! ```
//! use cornu::layers::{Build, Call, InputShape, Layer};
//! use cornu::prelude::*;
//!
//! /// Multiplies each feature by a weight of its own.
//! #[derive(Debug)]
//! struct Scale;
//!
//! impl Layer for Scale {
//!     fn class_name(&self) -> &str {
//!         "Scale"
//!     }
//!     fn build(&self, cx: &mut Build, input: &InputShape) -> cornu::Result<()> {
//!         cx.weight("scale", [input.features()?]).initializer("ones").add()
//!     }
//!     fn call(&self, cx: &mut Call, x: &Tensor) -> Tensor {
//!         x * cx.weight("scale")
//!     }
//! }
//!
//! # fn main() -> cornu::Result<()> {
//! let mut model = Sequential::new();
//! model.add(Input::new([3]));
//! model.add(Scale);
//! model.build()?;
//! let y = model.predict(&Array::from([[1.0f32, 2.0, 3.0]]))?;
//! assert_eq!(y.to_vec::<f32>(), [1.0, 2.0, 3.0]);
//! # Ok(())
//! # }
//! ```

mod base;
mod context;
mod registry;

pub use base::{Base, InputShape, LayerOptions};
pub use context::{Build, Call, Weight, WeightSpec};
pub use registry::{from_config, to_config};

use crate::{Result, Tensor};
use std::fmt;

/// What a layer is. The weights it declares live in the model; the layer itself is configuration.
pub trait Layer: fmt::Debug + Send + Sync {
    /// The class name, as in Keras' files and tables.
    fn class_name(&self) -> &str;

    /// Name, dtype and the other options that all built-in layers share; `None` for a layer without
    /// them.
    fn base(&self) -> Option<&Base> {
        None
    }

    /// The layer's own fields as Keras' `config` JSON. A layer that is never saved needs none.
    fn config(&self) -> serde_json::Map<String, serde_json::Value> {
        serde_json::Map::new()
    }

    /// Declares the weights for inputs of this shape, and refuses shapes that cannot be.
    ///
    /// # Errors
    /// One sentence with what the layer expects and what it was given.
    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let _ = (cx, input);
        Ok(())
    }

    /// The layer's output, as an expression of its input and weights.
    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor;
}

impl<L: Layer + 'static> From<L> for Box<dyn Layer> {
    fn from(layer: L) -> Self {
        Box::new(layer)
    }
}

/// The layers that Cornu brings: module and type, which is also Keras' class name. Naming one here
/// is all it takes to have it in the registry, in files and in tables.
macro_rules! layers {
    ($($module:ident: $layer:ident),* $(,)?) => {
        $(mod $module;
        pub use $module::$layer;)*

        /// Class name and constructor from Keras' config of every layer.
        pub(crate) const REGISTRY: &[registry::Entry] = &[
            $((stringify!($layer), registry::construct::<$layer>),)*
        ];
    };
}

layers! {
    activation: Activation,
    activity_regularization: ActivityRegularization,
    dense: Dense,
    dropout: Dropout,
    elu: ELU,
    flatten: Flatten,
    identity: Identity,
    input: Input,
    leaky_relu: LeakyReLU,
    permute: Permute,
    prelu: PReLU,
    relu: ReLU,
    repeat_vector: RepeatVector,
    rescaling: Rescaling,
    reshape: Reshape,
    softmax: Softmax,
}
