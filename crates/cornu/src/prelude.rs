//! What most programs need: `use cornu::prelude::*;`.

#[cfg(feature = "saving")]
pub use crate::callbacks::ModelCheckpoint;
pub use crate::callbacks::{
    BackupAndRestore, CSVLogger, Callback, EarlyStopping, History, LambdaCallback,
    LearningRateScheduler, ReduceLROnPlateau, SwapEMAWeights, TerminateOnNaN, Trained,
};
pub use crate::constraints::{self, MaxNorm, MinMaxNorm, NonNeg, UnitNorm};
pub use crate::data::{Dataset, from_generator, from_iterator, from_tensor_slices};
pub use crate::datasets;
pub use crate::image::{FillMode, Interpolation};
pub use crate::initializers;
pub use crate::layers::*;
pub use crate::losses::*;
pub use crate::metrics::{self, Metric};
pub use crate::models::{
    Compile, Evaluate, Fit, Functional, Model, PlotModel, Predict, RankDir, Sequential, Shared,
    Shuffle, Symbol,
};
pub use crate::optimizers::*;
pub use crate::progress::Verbose;
pub use crate::regularizers::{self, L1, L1L2, L2};
#[cfg(feature = "saving")]
pub use crate::saving::load_model;
pub use crate::utils::{
    SeedGenerator, normalize, pad_sequences, set_random_seed, timeseries_dataset_from_array,
    to_categorical,
};
pub use crate::{
    Array, DType, Eval, Function, Inputs, Logs, Shape, Tensor, Traced, Variable, custom_gradient,
    grad, scan,
};
