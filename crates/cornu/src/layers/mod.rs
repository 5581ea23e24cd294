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
//!
//! Layers inside a layer are its fields; it builds and calls them through the same contexts. So a
//! whole network may be a plain struct, Keras' subclassing:
//!
//! ```
//! use cornu::layers::{Build, Call, InputShape, Layer};
//! use cornu::prelude::*;
//!
//! /// Two layers with a way around them.
//! #[derive(Debug)]
//! struct Block {
//!     first: Dense,
//!     second: Dense,
//! }
//!
//! impl Layer for Block {
//!     fn class_name(&self) -> &str {
//!         "Block"
//!     }
//!     fn build(&self, cx: &mut Build, input: &InputShape) -> cornu::Result<()> {
//!         let hidden = cx.layer("first", &self.first, input)?;
//!         cx.layer("second", &self.second, &hidden).map(|_| ())
//!     }
//!     fn call(&self, cx: &mut Call, x: &Tensor) -> Tensor {
//!         let hidden = cx.layer("first", &self.first, x);
//!         x + cx.layer("second", &self.second, &hidden)
//!     }
//! }
//!
//! # fn main() -> cornu::Result<()> {
//! let block = Block { first: Dense::new(8).activation("relu"), second: Dense::new(3) };
//! let mut model = Sequential::from_layers(vec![Input::new([3]).into(), block.into()]);
//! model.build()?;
//! assert_eq!(model.count_params()?, 3 * 8 + 8 + 8 * 3 + 3);
//! assert_eq!(model.weights()[0].variable.name(), "block/first/kernel");
//! # Ok(())
//! # }
//! ```

mod affine;
mod aliases;
mod augmentation;
mod base;
mod budget;
mod built;
mod changes;
mod compatible;
mod context;
mod gamma;
mod heads;
mod image_options;
mod legacy;
mod mixing;
mod normalizing;
mod policy;
mod registry;
mod spatial;
mod weight_options;
mod wrapper;

pub use aliases::*;
pub use attention::ScoreMode;
pub use augmentation::Factor;
pub(crate) use base::snake_case;
pub use base::{Base, InputShape, LayerOptions};
pub(crate) use budget::{Source, table, weight_budget};
pub(crate) use built::{Built, Outputs, Pass, Site, build_layer, call_layer, output_shapes};
pub use categories::OutputMode;
pub use concatenate::concatenate;
pub use context::{Build, Call, Weight, WeightSpec};
pub use dot::dot;
pub use einsum_dense::Extents;
pub use hashing::{MaskValue, Salt};
pub use index_lookup::{IndexLookup, Term};
pub use merging::{add, average, maximum, minimum, multiply, subtract};
pub use normalization::Moments;
pub use policy::{DTypePolicy, dtype_policy, set_dtype_policy};
pub use random_geometry::FlipMode;
pub use recurrent::{CellOptions, Recurrent, Walk};
pub(crate) use registry::OPERATIONS;
pub use registry::{from_config, to_config};
pub use spatial::{DataFormat, Padding, PerAxis};
pub use wrapper::Wrapper;

use crate::data::Data;
use crate::{DType, Error, Result, Shape, Tensor};
use recurrent::{Steps, Walked};
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

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

    /// What Keras is told in the call and not in the configuration, beside the inputs: written to and read
    /// from the calls of functional models. A layer that names an argument here takes it in its
    /// configuration too. Defaults to nothing.
    fn call_arguments(&self) -> serde_json::Map<String, serde_json::Value> {
        serde_json::Map::new()
    }

    /// How many tensors the layer takes; one by default. [`Build::inputs`] and [`Call::inputs`] give
    /// all of them.
    fn arity(&self) -> RangeInclusive<usize> {
        1..=1
    }

    /// Whether the mask of the first input is also the output's, which is so for functions of each
    /// step. A layer that does anything else with masks calls [`Call::set_mask`]; one that does
    /// neither drops them, with a warning. Defaults to `false`.
    fn supports_masking(&self) -> bool {
        false
    }

    /// The type that the layer wants of a model's input, if it is the first; integers for what looks
    /// up rows. Defaults to the layer's own.
    fn input_dtype(&self) -> Option<DType> {
        None
    }

    /// How many rows there are, for a layer whose input is their numbers: data given to a model that
    /// begins with it are checked before the first step. None by default.
    fn rows(&self) -> Option<usize> {
        None
    }

    /// Whether the layer's input are [`Texts`](crate::data::Texts), by their fingerprints.
    #[doc(hidden)]
    fn takes_texts(&self) -> bool {
        false
    }

    /// Refuses inputs that are not what the layer reads, given which of them are texts.
    #[doc(hidden)]
    fn check_texts(&self, texts: &[bool]) -> Result<()> {
        let wanted = self.takes_texts();
        match texts.iter().all(|t| *t == wanted) {
            true => Ok(()),
            false => Err(texts_or_numbers(wanted)),
        }
    }

    /// Refuses data given to a model that begins with the layer, before the first step.
    #[doc(hidden)]
    fn check_data(&self, data: &Data<'_>) -> Result<()> {
        let _ = data;
        Ok(())
    }

    /// The shapes of the states, without the batch, of a layer that is a cell, for one step of this
    /// shape. Its inputs are the step and the states before it (which [`Layer::arity`] must allow), its
    /// outputs what [`RNN`] shows of the step and the states after it. None by default: no cell.
    fn state_shapes(&self, step: &InputShape) -> Vec<Shape> {
        let _ = step;
        Vec::new()
    }

    /// The walk of a cell over its first input, `(batch, steps, …)`, from the states that follow (zeros
    /// if none do), for a cell that knows a faster way than one step after the other.
    #[doc(hidden)]
    fn walk(&self, cx: &mut Call<'_>, walk: Steps) -> Option<Walked> {
        let _ = (cx, walk);
        None
    }

    /// The layer as one that walks over steps, for [`Bidirectional`]. None by default: it does not.
    fn recurrent(&self) -> Option<&dyn Recurrent> {
        None
    }

    /// Itself, if it is a model: then summaries and diagrams show what is inside.
    #[doc(hidden)]
    fn as_model(&self) -> Option<&dyn std::any::Any> {
        None
    }

    /// Declares the weights for inputs of this shape, and refuses shapes that cannot be.
    ///
    /// # Errors
    /// One sentence with what the layer expects and what it was given.
    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let _ = (cx, input);
        Ok(())
    }

    /// The layer's output, as an expression of its (first) input and weights. Further outputs are
    /// given by [`Call::output`].
    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor;
}

/// What is said to a layer whose inputs should be texts, or should not.
pub(crate) fn texts_or_numbers(texts: bool) -> Error {
    Error::new(match texts {
        true => "The layer takes texts: its input must be an Input of the dtype \"string\".",
        false => {
            "The layer takes numbers: a StringLookup or Hashing must come between it and an Input of \
             the dtype \"string\"."
        }
    })
}

impl<L: Layer + 'static> From<L> for Box<dyn Layer> {
    fn from(layer: L) -> Self {
        Box::new(layer)
    }
}

/// A layer in several hands is a layer.
macro_rules! delegate {
    ($($pointer:ident),*) => {$(
        impl Layer for $pointer<dyn Layer> {
            fn class_name(&self) -> &str {
                (**self).class_name()
            }
            fn base(&self) -> Option<&Base> {
                (**self).base()
            }
            fn config(&self) -> serde_json::Map<String, serde_json::Value> {
                (**self).config()
            }
            fn call_arguments(&self) -> serde_json::Map<String, serde_json::Value> {
                (**self).call_arguments()
            }
            fn arity(&self) -> RangeInclusive<usize> {
                (**self).arity()
            }
            fn supports_masking(&self) -> bool {
                (**self).supports_masking()
            }
            fn input_dtype(&self) -> Option<DType> {
                (**self).input_dtype()
            }
            fn rows(&self) -> Option<usize> {
                (**self).rows()
            }
            fn takes_texts(&self) -> bool {
                (**self).takes_texts()
            }
            fn check_texts(&self, texts: &[bool]) -> Result<()> {
                (**self).check_texts(texts)
            }
            fn check_data(&self, data: &Data<'_>) -> Result<()> {
                (**self).check_data(data)
            }
            fn state_shapes(&self, step: &InputShape) -> Vec<Shape> {
                (**self).state_shapes(step)
            }
            fn walk(&self, cx: &mut Call<'_>, walk: Steps) -> Option<Walked> {
                (**self).walk(cx, walk)
            }
            fn recurrent(&self) -> Option<&dyn Recurrent> {
                (**self).recurrent()
            }
            fn as_model(&self) -> Option<&dyn std::any::Any> {
                (**self).as_model()
            }
            fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
                (**self).build(cx, input)
            }
            fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
                (**self).call(cx, x)
            }
        }
    )*};
}

delegate!(Arc);

/// The layers that Cornu brings: module and types, whose names are also Keras' class names. Naming
/// one here is all it takes to have it in the registry, in files and in tables.
macro_rules! layers {
    ($($module:ident: $($layer:ident)|+),* $(,)?) => {
        $(mod $module;
        pub use $module::{$($layer),+};)*

        /// Class name and constructor from Keras' config of every layer.
        pub(crate) const REGISTRY: &[registry::Entry] = &[
            $($((stringify!($layer), registry::construct::<$layer>),)+)*
        ];
    };
}

layers! {
    activation: Activation,
    activity_regularization: ActivityRegularization,
    attention: AdditiveAttention | Attention,
    aug_mix: AugMix,
    batch_normalization: BatchNormalization,
    bidirectional: Bidirectional,
    categories: CategoryEncoding,
    clahe: ContrastLimitedAdaptiveHistogramEqualization,
    concatenate: Concatenate,
    contrast: AutoContrast | Equalization,
    convolution: Conv1D | Conv1DTranspose | Conv2D | Conv2DTranspose | Conv3D | Conv3DTranspose
        | DepthwiseConv1D | DepthwiseConv2D | SeparableConv1D | SeparableConv2D,
    cut_mix: CutMix,
    dense: Dense,
    discretization: Discretization,
    dot: Dot,
    dropout: Dropout,
    einsum_dense: EinsumDense,
    elu: ELU,
    embedding: Embedding,
    flatten: Flatten,
    group_normalization: GroupNormalization,
    grouped_query_attention: GroupedQueryAttention,
    hashed_crossing: HashedCrossing,
    hashing: Hashing,
    identity: Identity,
    image_size: CenterCrop | RandomCrop | Resizing,
    index_lookup: IntegerLookup | StringLookup,
    input: Input,
    lambda: Lambda,
    layer_normalization: LayerNormalization,
    leaky_relu: LeakyReLU,
    margins: Cropping1D | Cropping2D | Cropping3D | ZeroPadding1D | ZeroPadding2D | ZeroPadding3D,
    masking: Masking,
    merging: Add | Average | Maximum | Minimum | Multiply | Subtract,
    mix_up: MixUp,
    multi_head_attention: MultiHeadAttention,
    nan_to_num: NanToNum,
    noise: AlphaDropout | GaussianDropout | GaussianNoise | SpatialDropout1D | SpatialDropout2D
        | SpatialDropout3D,
    normalization: Normalization,
    permute: Permute,
    pipeline: Pipeline,
    pooling: AdaptiveAveragePooling1D | AdaptiveAveragePooling2D | AdaptiveAveragePooling3D
        | AdaptiveMaxPooling1D | AdaptiveMaxPooling2D | AdaptiveMaxPooling3D
        | AveragePooling1D | AveragePooling2D | AveragePooling3D
        | GlobalAveragePooling1D | GlobalAveragePooling2D | GlobalAveragePooling3D
        | GlobalMaxPooling1D | GlobalMaxPooling2D | GlobalMaxPooling3D
        | MaxPooling1D | MaxPooling2D | MaxPooling3D,
    prelu: PReLU,
    rand_augment: RandAugment,
    random_color_jitter: RandomColorJitter,
    random_colour: RandomBrightness | RandomColorDegeneration | RandomContrast | RandomHue | RandomInvert
        | RandomPosterization | RandomSaturation | RandomSharpness,
    random_elastic_transform: RandomElasticTransform,
    random_erasing: RandomErasing,
    random_gaussian_blur: RandomGaussianBlur,
    random_geometry: RandomFlip | RandomRotation | RandomTranslation | RandomZoom,
    random_grayscale: RandomGrayscale,
    random_perspective: RandomPerspective,
    random_shear: RandomShear,
    recurrent: ConvLSTM1D | ConvLSTM2D | ConvLSTM3D | GRU | GRUCell | LSTM | LSTMCell | RNN | SimpleRNN
        | SimpleRNNCell | StackedRNNCells,
    relu: ReLU,
    repeat_vector: RepeatVector,
    rescaling: Rescaling,
    reshape: Reshape,
    reversible_embedding: ReversibleEmbedding,
    rms_normalization: RMSNormalization,
    softmax: Softmax,
    solarization: Solarization,
    spectral_normalization: SpectralNormalization,
    time_distributed: TimeDistributed,
    unit_normalization: UnitNormalization,
    up_sampling: UpSampling1D | UpSampling2D | UpSampling3D,
}
