//! Keras, as a native Rust library: *define → compile → fit → evaluate*.
//!
//! ```
//! use cornu::prelude::*;
//!
//! # fn main() -> cornu::Result<()> {
//! set_random_seed(1);
//! // Is the sum of two numbers positive?
//! let x = Array::from([[1.0f32, 2.0], [-1.0, -3.0], [4.0, -1.0], [-2.0, 1.0]]);
//! let y = Array::from([[1.0f32], [0.0], [1.0], [0.0]]);
//!
//! let mut model = Sequential::new();
//! model.add(Dense::new(8).activation("relu").input_shape([2]));
//! model.add(Dense::new(1).activation("sigmoid"));
//! model.compile(Adam::new().learning_rate(0.05), "binary_crossentropy", ["accuracy"])?;
//!
//! let history = model.fit(&x, &y, Fit::new().epochs(100).verbose(0))?;
//! assert!(history["loss"][99] < history["loss"][0]);
//! let scores = model.evaluate_with(&x, &y, Evaluate::new().verbose(0))?;
//! assert_eq!(scores["accuracy"], 1.0);
//! let answer = model.predict(&Array::from([[3.0f32, 3.0]]))?.item::<f32>()?;
//! assert!(answer > 0.5);
//! # Ok(())
//! # }
//! ```
//!
//! [`prelude`] is what most programs need. The modules have Keras' names: [`layers`], [`losses`], [`metrics`],
//! [`optimizers`], [`callbacks`], [`data`], [`saving`], …; [`models`] holds what models do and the options of
//! [`Fit`](models::Fit). Where Keras takes a string, so does Cornu, and a typed value too: `"adam"` or
//! `Adam::new().learning_rate(1e-4)`. What users give may be `ndarray` arrays and views, [`Array`], vectors or slices
//! ([`IntoData`]).
//!
//! * [Graphs of layers](#graphs-of-layers): several inputs and outputs, shared layers, ways around
//! * [Parts of models](#parts-of-models): features, another head, freezing
//! * [While it trains](#while-it-trains): validation, callbacks
//! * [Data that do not fit](#data-that-do-not-fit): datasets
//! * [Files](#files): saving and loading
//! * [Of your own](#of-your-own): losses, metrics, layers
//! * [A loop by hand](#a-loop-by-hand): a step of any kind, compiled
//! * [Tensors alone](#tensors-alone)
//!
//! # Graphs of layers
//!
//! Keras' functional API. A layer is called on symbols with [`on`](models::Functional::on); a
//! [`Model`](models::Model) is what lies between some of them. Losses, their weights and metrics are told by the outputs'
//! names.
//!
//! ```
//! # use cornu::prelude::*;
//! # fn main() -> cornu::Result<()> {
//! let title = Input::new([12]).dtype("int32").name("title").symbol();
//! let price = Input::new([1]).name("price").symbol();
//!
//! let words = Embedding::new(1000, 16).mask_zero(true).on(&title);
//! let words = LSTM::new(16).on(&words);
//! let both = Concatenate::new().on([&words, &price]);
//! let hidden = Dense::new(17).activation("relu").on(&both);
//! let hidden = hidden + both; // a way around the layer
//! let kind = Dense::new(4).activation("softmax").name("kind").on(&hidden);
//! let rating = Dense::new(1).name("rating").on(&hidden);
//!
//! let mut model = Model::new([&title, &price], [&kind, &rating])?;
//! model.compile_with(
//!     Compile::optimizer("adam")
//!         .loss_for("kind", "sparse_categorical_crossentropy")
//!         .loss_for("rating", Huber::new().delta(0.5))
//!         .loss_weight_for("rating", 0.2)
//!         .metrics_for("kind", ["accuracy"]),
//! )?;
//! println!("{}", model.summary());
//!
//! let titles = ndarray::Array2::from_shape_fn((64, 12), |(i, j)| ((i * 31 + j) % 1000) as i32);
//! let prices = ndarray::Array2::<f32>::ones((64, 1));
//! let kinds: Vec<i32> = (0..64).map(|i| i % 4).collect();
//! let ratings = vec![0.5f32; 64];
//! let history = model.fit((&titles, &prices), (&kinds, &ratings), Fit::new().epochs(2).verbose(0))?;
//! assert!(history["kind_accuracy"].len() == 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Parts of models
//!
//! A model is a layer too. [`inputs`](models::Model::inputs) and [`layer_output`](models::Model::layer_output) give the
//! symbols of a model that is there, so that what it has learnt can be looked at or built upon.
//!
//! ```
//! # use cornu::prelude::*;
//! # fn main() -> cornu::Result<()> {
//! # let mut trained = Sequential::new();
//! # trained.add(Conv2D::new(8, 3).activation("relu").input_shape([12, 12, 1]));
//! # trained.add(GlobalAveragePooling2D::new().name("features"));
//! # trained.add(Dense::new(10).activation("softmax"));
//! # trained.build()?;
//! // `trained` ends with a layer "features" and a head of ten classes; here is one of two classes.
//! let inputs = trained.inputs()?;
//! let features = trained.layer_output("features")?;
//! let body = Model::new(&inputs, &features)?.named("body");
//!
//! let image = Input::new([12, 12, 1]).symbol();
//! let head = Dense::new(2).activation("softmax").on(body.on(&image));
//! let mut model = Model::new(&image, &head)?;
//! model.set_layer_trainable("body", false)?;
//! model.compile("adam", "categorical_crossentropy", ["accuracy"])?;
//! assert_eq!(model.trainable_variables().len(), 2); // the new head's
//! # Ok(())
//! # }
//! ```
//!
//! # While it trains
//!
//! ```
//! # use cornu::prelude::*;
//! # fn main() -> cornu::Result<()> {
//! # let x = ndarray::Array2::from_shape_fn((100, 3), |(i, j)| ((i * 7 + j * 3) % 10) as f32 / 10.0);
//! # let y = x.sum_axis(ndarray::Axis(1));
//! # let mut model = Sequential::new();
//! # model.add(Dense::new(8).activation("relu").input_shape([3]));
//! # model.add(Dense::new(1));
//! model.compile(Adam::new().learning_rate(0.01), "mse", ["mae"])?;
//! let mut losses = Vec::new();
//! let options = Fit::new()
//!     .epochs(50)
//!     .validation_split(0.2)
//!     .callback(EarlyStopping::new().patience(5).restore_best_weights(true))
//!     .callback(ReduceLROnPlateau::new().factor(0.5).patience(2))
//!     .callback(LambdaCallback::new().on_epoch_end(|_model, _epoch, logs| {
//!         losses.push(logs["val_loss"]);
//!         Ok(())
//!     }));
//! let history = model.fit(&x, &y, options.verbose(0))?;
//! assert_eq!(history["val_loss"], losses);
//! # Ok(())
//! # }
//! ```
//!
//! [`callbacks`] lists the others; one of your own is a [`Callback`](callbacks::Callback). Ctrl-C ends a training after the
//! current batch and leaves the model usable.
//!
//! # Data that do not fit
//!
//! A [`Dataset`](data::Dataset) makes samples while they are used, as `tf.data` does: from arrays, iterators, closures,
//! or a type of your own.
//!
//! ```
//! # use cornu::prelude::*;
//! # fn main() -> cornu::Result<()> {
//! let samples = from_generator(|| {
//!     (0..200).map(|i| {
//!         let x = [i as f32 / 200.0, 1.0]; // read a file here
//!         Ok((Array::from(x), Array::from([x[0] * 2.0])))
//!     })
//! });
//! let data = samples.shuffle(100).batch(32).prefetch(2);
//!
//! let mut model = Sequential::from_layers(vec![Input::new([2]).into(), Dense::new(1).into()]);
//! model.compile("sgd", "mse", ())?;
//! model.fit_dataset(&data, Fit::new().epochs(3).verbose(0))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Files
//!
//! Keras 3 reads what is written here, and the other way round.
//!
//! ```
//! # use cornu::prelude::*;
//! # #[cfg(feature = "saving")]
//! # fn main() -> cornu::Result<()> {
//! # let folder = std::env::temp_dir().join(format!("cornu_front_page_{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let (file, weights) = (folder.join("m.keras"), folder.join("m.weights.h5"));
//! # let mut model = Sequential::from_layers(vec![Input::new([2]).into(), Dense::new(1).into()]);
//! # model.compile("adam", "mse", ())?;
//! # let x = Array::from([[1.0f32, 2.0]]);
//! // With the optimizer's state: training can go on.
//! model.save(&file)?;
//! let mut again = load_model(&file)?;
//! assert_eq!(again.predict(&x)?, model.predict(&x)?);
//!
//! // Weights alone.
//! model.save_weights(&weights)?;
//! again.load_weights(&weights)?;
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "saving"))]
//! # fn main() {}
//! ```
//!
//! [`saving`] reads and writes more; classes of your own are registered with
//! [`CustomObjects`](saving::CustomObjects).
//!
//! # Of your own
//!
//! A loss or an activation is a closure, a metric a closure or a [`MetricFn`](metrics::MetricFn), a layer a
//! [`Layer`](layers::Layer), an optimizer a [`Rule`](optimizers::Rule), all written in tensor operations, whose gradients
//! need no word.
//!
//! ```
//! # use cornu::prelude::*;
//! # fn main() -> cornu::Result<()> {
//! /// A dense layer without activation.
//! #[derive(Debug)]
//! struct Linear {
//!     units: usize,
//! }
//!
//! impl Layer for Linear {
//!     fn class_name(&self) -> &str {
//!         "Linear"
//!     }
//!     fn build(&self, cx: &mut Build, input: &InputShape) -> cornu::Result<()> {
//!         cx.weight("w", [input.features()?, self.units]).initializer("glorot_uniform").add()?;
//!         cx.weight("b", [self.units]).initializer("zeros").add()
//!     }
//!     fn call(&self, cx: &mut Call, x: &Tensor) -> Tensor {
//!         x.matmul(cx.weight("w")) + cx.weight("b")
//!     }
//! }
//!
//! let mut model = Sequential::new();
//! model.add(Input::new([3]));
//! model.add(Linear { units: 1 });
//! // From targets and predictions to one value per sample.
//! let loss = |y: &Tensor, p: &Tensor| (y - p).square().mean_axes(&[-1], false);
//! let bias = Metric::custom("bias", |y, p| (p - y).mean_axes(&[-1], false));
//! model.compile("sgd", loss, [bias])?;
//! # Ok(())
//! # }
//! ```
//!
//! # A loop by hand
//!
//! What stands in [`try_function`] is traced once for each shape of batch and compiled whole: forward pass, loss, gradients
//! and updates are one step. So are the steps of autoencoders with losses of their own, of two networks against each other, of
//! what has no name yet.
//!
//! ```
//! # use cornu::prelude::*;
//! # use std::sync::Arc;
//! # fn main() -> cornu::Result<()> {
//! # let x = ndarray::Array2::from_shape_fn((100, 3), |(i, j)| ((i * 7 + j * 3) % 10) as f32 / 10.0);
//! # let y: Vec<i32> = (0..100).map(|i| i % 2).collect();
//! let mut model = Sequential::new();
//! model.add(Dense::new(8).activation("relu").input_shape([3]));
//! model.add(Dropout::new(0.2));
//! model.add(Dense::new(2));
//! model.build()?;
//! let model = Arc::new(model);
//!
//! let mut optimizer = Optimizer::from(Adam::new().learning_rate(0.01));
//! optimizer.build(&model.trainable_variables())?;
//! let loss = Loss::from(SparseCategoricalCrossentropy::new().from_logits(true));
//! let (network, seeds) = (model.clone(), SeedGenerator::new(1));
//! let step = cornu::try_function(move |batch| {
//!     // With a random state, layers behave as in training.
//!     let called = network.call_with(&batch[0], Some(&seeds.state()))?;
//!     let lost = loss.compute(&batch[1], &called.output, None, None);
//!     let mut updates = optimizer.minimize(&lost, &network.weights())?;
//!     updates.push(seeds.advance());
//!     Ok(Traced { outputs: vec![lost], updates })
//! });
//! for batch in from_tensor_slices(&x, &y).shuffle(100).batch(32).examples()? {
//!     let batch = batch?.into_arrays();
//!     let lost = step.call(&[&batch[0], &batch[1]])?[0].item::<f32>()?;
//!     assert!(lost.is_finite());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Tensors alone
//!
//! Below all this are lazy tensors: [`Tensor`], [`Variable`], [`grad`], [`scan`], [`custom_gradient`], [`function()`] and
//! [`Eval::eval`].
//!
//! ```
//! # use cornu::prelude::*;
//! # fn main() -> cornu::Result<()> {
//! let x = Tensor::constant([2.0f32]);
//! let cube = (&x * &x * &x).sum();
//! let slope = grad(&cube, &[&x]).remove(0); // an expression too, so it has a gradient itself
//! assert_eq!(slope.eval()?.item::<f32>()?, 12.0);
//! # Ok(())
//! # }
//! ```
//!
//! # Errors and settings
//!
//! Bad input gives an [`Error`] that names the layer or argument, what was expected and what came.
//! [`set_random_seed`](utils::set_random_seed) makes everything repeatable to the bit. Environment variables:
//! `CORNU_NUM_THREADS`, `CORNU_PROFILE=1` (where time goes), `CORNU_BACKEND=reference` (see [`device()`]), `CORNU_ISA`,
//! `CORNU_DATA` (see [`datasets`]).

pub mod activations;
mod axes;
pub mod callbacks;
mod config;
pub mod constraints;
pub mod data;
pub mod datasets;
mod device;
mod files;
pub mod image;
pub mod initializers;
mod interrupt;
pub mod layers;
#[cfg(feature = "linear")]
pub mod linear;
mod logs;
pub mod losses;
pub mod metrics;
pub mod models;
pub mod optimizers;
pub mod prelude;
pub mod preprocessing;
mod progress;
pub mod regularizers;
pub mod saving;
pub mod summary;
pub mod utils;

pub use axes::Axes;
pub use data::{Data, Inputs, IntoData, IntoInputs};
pub use device::{Eval, device, function, set_num_threads, try_function};
pub use interrupt::Interrupt;
pub use logs::Logs;
pub use progress::{Progress, Verbose, is_terminal};

pub use cornu_core::{
    Array, DType, Device, Element, Error, ErrorKind, Function, Result, Scope, Shape, Tensor,
    Variable, custom_gradient, function::Traced, grad, grad_with, scan,
};

/// The listings of the README, so that they go on to compile and hold.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The listings of `docs/`.
#[cfg(all(doctest, feature = "linear", feature = "saving"))]
#[doc = include_str!("../../../docs/least_squares.md")]
struct LeastSquares;
