//! Every mistake that a user can make, and the sentence that tells what to mend. No panics.

use cornu::layers::{Build, Call, InputShape};
use cornu::metrics::Metric;
use cornu::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Outcome = cornu::Result<()>;

/// A mistake: its name, the message, and the code that makes it.
struct Case(&'static str, &'static str, fn() -> Outcome);

/// The message of what fails; what did not fail or panicked instead, in words.
fn message(run: fn() -> Outcome) -> String {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => "(no error)".to_string(),
        Ok(Err(e)) => e.to_string(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string()));
            format!("(panic) {}", text.unwrap_or_default())
        }
    }
}

/// Two layers on three features: four classes.
fn classes() -> cornu::Result<Sequential> {
    let mut model = Sequential::new();
    model.add(Dense::new(5).activation("relu").input_shape([3]));
    model.add(Dense::new(4).activation("softmax"));
    model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])?;
    Ok(model)
}

fn one(layer: impl Into<Box<dyn Layer>>) -> Outcome {
    Sequential::from_layers(vec![layer.into()]).build()
}

fn compiled(optimizer: &str, loss: &str, metric: &str) -> Outcome {
    let mut model = Sequential::new();
    model.add(Dense::new(1).input_shape([3]));
    model.compile(optimizer, loss, [metric])
}

fn x() -> Array {
    Array::zeros(DType::F32, [6, 3])
}

fn y() -> Array {
    Array::from([0i32, 1, 2, 3, 0, 1])
}

fn quiet() -> Fit<'static> {
    Fit::new().verbose(0)
}

fn fit(options: Fit<'_>) -> Outcome {
    classes()?.fit(x(), y(), options).map(|_| ())
}

fn fit_on(x: &Array, y: &Array) -> Outcome {
    classes()?.fit(x, y, quiet()).map(|_| ())
}

fn evaluate(options: Evaluate<'_>) -> Outcome {
    classes()?.evaluate_with(x(), y(), options).map(|_| ())
}

/// Fits targets of a shape with a loss, on predictions of shape (6, 4).
fn targets(loss: &str, y: Array) -> Outcome {
    let mut model = classes()?;
    model.compile("sgd", loss, ())?;
    model.fit(x(), y, quiet()).map(|_| ())
}

/// A layer of a user, with a mistake in it.
#[derive(Debug)]
struct Wrong(&'static str);

impl Layer for Wrong {
    fn class_name(&self) -> &str {
        "Wrong"
    }
    fn build(&self, cx: &mut Build<'_>, _: &InputShape) -> Outcome {
        cx.weight("scale", [2]).add()?;
        match self.0 {
            "twice" => cx.weight("scale", [2]).add(),
            _ => Ok(()),
        }
    }
    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        match self.0 {
            "shapes" => x * cx.weight("scale"),
            "name" => x * cx.weight("scal"),
            "random" => x * cx.random_uniform([3]),
            "update" => {
                cx.update("mean", Tensor::from(0.0f32));
                x.clone()
            }
            "rank" => x.sum(),
            _ => x.clone(),
        }
    }
}

const CASES: &[Case] = &[
    // Building.
    Case(
        "no layers",
        "The model \"sequential\" has no layers: add some first.",
        || Sequential::new().build(),
    ),
    Case(
        "compile without layers",
        "The model \"sequential\" has no layers: add some first.",
        || Sequential::new().compile("sgd", "mse", ()),
    ),
    Case(
        "no input shape",
        "The model \"sequential\" does not know its input shape: give the first layer \
         .input_shape([…]), start with Input::new([…]), or fit it.",
        || one(Dense::new(1)),
    ),
    Case(
        "input shape of the second layer",
        "Layer \"second\": input_shape says (None, 4), but the layer before gives (None, 5).",
        || {
            let mut model = Sequential::new();
            model.add(Dense::new(5).input_shape([3]));
            model.add(Dense::new(2).input_shape([4]).name("second"));
            model.build()
        },
    ),
    Case(
        "input that contradicts the first layer",
        "Layer \"dense\": input_shape says (None, 4), but the layer before gives (None, 3).",
        || {
            let mut model = Sequential::new();
            model.add(Input::new([3]));
            model.add(Dense::new(2).input_shape([4]));
            model.build()
        },
    ),
    Case(
        "two layers of one name",
        "Layer names must be unique. Received: \"a\" twice.",
        || {
            let mut model = Sequential::new();
            model.add(Dense::new(5).input_shape([3]).name("a"));
            model.add(Dense::new(5).name("a"));
            model.build()
        },
    ),
    Case(
        "no units",
        "Layer \"dense\": units must be a positive integer. Received: units=0.",
        || one(Dense::new(0).input_shape([3])),
    ),
    Case(
        "no features",
        "Layer \"dense\": Dense expects at least one feature. Received: input shape (None, \
         0).",
        || one(Dense::new(2).input_shape([0])),
    ),
    Case(
        "a scalar for Dense",
        "Layer \"dense\": Dense expects at least a batch axis and a feature axis. Received: \
         input shape (None,).",
        || one(Dense::new(2).input_shape(())),
    ),
    Case(
        "too large",
        "Layer \"dense\": Weight \"kernel\" of shape (3, 18446744073709551615) needs more memory \
         than there is, or than the file it comes from may ask for.",
        || one(Dense::new(usize::MAX).input_shape([3])),
    ),
    Case(
        "rate above 1",
        "Layer \"dropout\": rate must be between 0 and 1. Received: rate=2.",
        || one(Dropout::new(2.0).input_shape([3])),
    ),
    Case(
        "rate not a number",
        "Layer \"dropout\": rate must be between 0 and 1. Received: rate=NaN.",
        || one(Dropout::new(f64::NAN).input_shape([3])),
    ),
    Case(
        "noise of another rank",
        "Layer \"dropout\": noise_shape must have one extent per axis of the input (None, 3). \
         Received: (None,).",
        || one(Dropout::new(0.5).noise_shape([None]).input_shape([3])),
    ),
    Case(
        "noise of another shape",
        "Layer \"dropout\": noise_shape must have None, 1 or the input's own extent on each \
         axis of the input (None, 3). Received: (None, 2).",
        || {
            let mut model = Sequential::new();
            model.add(
                Dropout::new(0.5)
                    .noise_shape([None, Some(2)])
                    .input_shape([3]),
            );
            model.add(Dense::new(4));
            model.compile("sgd", "sparse_categorical_crossentropy", ())?;
            model.fit(x(), y(), quiet()).map(|_| ())
        },
    ),
    Case(
        "reshape",
        "Layer \"reshape\": Cannot reshape samples of shape (3,) (3 elements) to [2, 2].",
        || one(Reshape::new([2, 2]).input_shape([3])),
    ),
    Case(
        "reshape with two unknowns",
        "Layer \"reshape\": target_shape may have one -1 and otherwise positive extents. \
         Received: [-1, -1].",
        || one(Reshape::new([-1, -1]).input_shape([3])),
    ),
    Case(
        "reshape to nothing",
        "Layer \"reshape\": Cannot reshape samples of shape (3,) (3 elements) to [-1, 0].",
        || one(Reshape::new([-1, 0]).input_shape([3])),
    ),
    Case(
        "permute",
        "Layer \"permute\": dims must be an order of the axes 1 to 2 of the input (None, 3, \
         4). Received: dims=[1, 3].",
        || one(Permute::new([1, 3]).input_shape([3, 4])),
    ),
    Case(
        "permute twice the same",
        "Layer \"permute\": dims must be an order of the axes 1 to 2 of the input (None, 3, \
         4). Received: dims=[1, 1].",
        || one(Permute::new([1, 1]).input_shape([3, 4])),
    ),
    Case(
        "repeat a matrix",
        "Layer \"repeat_vector\": RepeatVector expects (batch, features). Received: input \
         shape (None, 3, 4).",
        || one(RepeatVector::new(2).input_shape([3, 4])),
    ),
    Case(
        "repeat no time",
        "Layer \"repeat_vector\": n must be at least 1. Received: n=0.",
        || one(RepeatVector::new(0).input_shape([3])),
    ),
    Case(
        "softmax axis",
        "Layer \"softmax\": axis 2 is out of range for the input (None, 3).",
        || one(Softmax::new().axis(2isize).input_shape([3])),
    ),
    Case(
        "prelu axis",
        "Layer \"p_re_lu\": shared_axes must be axes 1 to 1 of the input (None, 3). Received: \
         3.",
        || one(PReLU::new().shared_axes([3]).input_shape([3])),
    ),
    Case(
        "rescaling",
        "Layer \"rescaling\": scale needs one number, or one for each feature of the input \
         (None, 3). Received: 2 numbers.",
        || one(Rescaling::new(vec![1.0, 2.0]).input_shape([3])),
    ),
    Case(
        "relu",
        "Layer \"re_lu\": threshold must be 0 or more. Received: threshold=-1.",
        || one(ReLU::new().threshold(-1.0).input_shape([3])),
    ),
    Case(
        "dtype",
        "Layer \"dense\": Unknown dtype \"float31\". Did you mean \"float32\" or \"float16\"?",
        || one(Dense::new(2).dtype("float31").input_shape([3])),
    ),
    Case(
        "integer dtype",
        "Layer \"dense\": A layer computes in floats. Received: dtype int32.",
        || one(Dense::new(2).dtype("int32").input_shape([3])),
    ),
    Case(
        "activation",
        "Layer \"dense\": Unknown activation \"rellu\". Did you mean \"relu\" or \"celu\"?",
        || one(Dense::new(2).activation("rellu").input_shape([3])),
    ),
    Case(
        "activation layer",
        "Layer \"activation\": Unknown activation \"sofmax\". Did you mean \"softmax\"?",
        || one(Activation::new("sofmax").input_shape([3])),
    ),
    Case(
        "initializer",
        "Layer \"dense\": Unknown initializer \"glorot\". Known: Zeros, zeros, zero, Ones, \
         ones, one, Constant, Identity, identity, IdentityInitializer, Orthogonal, \
         orthogonal, OrthogonalInitializer, RandomNormal, random_normal, normal, \
         RandomUniform, random_uniform, uniform, TruncatedNormal, truncated_normal, \
         VarianceScaling, variance_scaling, GlorotNormal, glorot_normal, GlorotUniform, \
         glorot_uniform, HeNormal, he_normal, HeUniform, he_uniform, LecunNormal, \
         lecun_normal, LecunUniform, lecun_uniform, STFT, stft, STFTInitializer.",
        || one(Dense::new(2).kernel_initializer("glorot").input_shape([3])),
    ),
    Case(
        "regularizer",
        "Layer \"dense\": Unknown regularizer \"l3\". Did you mean \"L1\" or \"L2\"?",
        || one(Dense::new(2).kernel_regularizer("l3").input_shape([3])),
    ),
    Case(
        "activity regularizer",
        "Layer \"dense\": Unknown regularizer \"l3\". Did you mean \"L1\" or \"L2\"?",
        || one(Dense::new(2).activity_regularizer("l3").input_shape([3])),
    ),
    Case(
        "constraint",
        "Layer \"dense\": Unknown constraint \"max_nrm\". Did you mean \"max_norm\" or \"MaxNorm\"?",
        || one(Dense::new(2).kernel_constraint("max_nrm").input_shape([3])),
    ),
    Case(
        "initializer of another shape",
        "Layer \"dense\": The initializer Identity makes matrices. Received: shape (2,).",
        || one(Dense::new(2).bias_initializer("identity").input_shape([3])),
    ),
    Case(
        "layer from JSON",
        "Layer \"Dens\": Unknown layer class \"Dens\". Did you mean \"Dense\"? If it is your own, \
         implement the layer in Rust and give it as a custom object.",
        || {
            let json = serde_json::json!({"class_name": "Dens", "config": {"units": 2}});
            cornu::layers::from_config(&json).map(|_| ())
        },
    ),
    Case(
        "argument from JSON",
        "Layer \"a\": unknown field `unit`, expected one of `units`, `activation`, \
         `use_bias`, `kernel_initializer`, `bias_initializer`, `kernel_regularizer`, \
         `bias_regularizer`, `kernel_constraint`, `bias_constraint`",
        || {
            let config = serde_json::json!({"units": 2, "unit": 2, "name": "a"});
            let json = serde_json::json!({"class_name": "Dense", "config": config});
            cornu::layers::from_config(&json).map(|_| ())
        },
    ),
    Case(
        "dtype from JSON",
        "Layer \"Dense\": A layer computes in floats. Received: dtype int32.",
        || {
            let json = serde_json::json!({"class_name": "Dense", "config": {"units": 2, "dtype": "int32"}});
            let mut model = Sequential::from_layers(vec![cornu::layers::from_config(&json)?]);
            model.build_for(&InputShape::batch_of([3]))
        },
    ),
    // Layers of one's own.
    Case(
        "own layer: shapes",
        "Layer \"wrong\": Shapes (2, 3) and (2,) do not broadcast: axis 1 from the end \
         differs. (at this file)",
        || {
            let mut model = Sequential::new();
            model.add(Dense::new(3).input_shape([3]));
            model.add(Wrong("shapes"));
            model.build()
        },
    ),
    Case(
        "own layer: name",
        "Layer \"wrong\": Unknown weight \"scal\". Did you mean \"scale\"? (at this file)",
        || {
            let mut model = Sequential::from_layers(vec![Wrong("name").into()]);
            model.build_for(&InputShape::batch_of([3]))
        },
    ),
    Case(
        "own layer: declared twice",
        "Layer \"wrong\": Weight \"scale\" is declared twice.",
        || {
            let mut model = Sequential::from_layers(vec![Wrong("twice").into()]);
            model.build_for(&InputShape::batch_of([3]))
        },
    ),
    Case(
        "own layer: random outside training",
        "Layer \"wrong\": Random numbers are drawn in training only; ask Call::training() \
         first. (at this file)",
        || {
            let mut model = Sequential::from_layers(vec![Wrong("random").into()]);
            model.build_for(&InputShape::batch_of([3]))
        },
    ),
    Case(
        "own layer: update",
        "Layer \"wrong\": Unknown weight \"mean\". Known: scale. (at this file)",
        || {
            let mut model = Sequential::from_layers(vec![Wrong("update").into()]);
            model.build_for(&InputShape::batch_of([3]))?;
            model.compile("sgd", "mse", ())?;
            model.fit(x(), x(), quiet()).map(|_| ())
        },
    ),
    Case(
        "own layer: no batch axis",
        "Layer \"wrong\": The first axis of the output must be the batch, as in the input. \
         Received: shape () for a batch of 2.",
        || {
            let mut model = Sequential::from_layers(vec![Wrong("rank").into()]);
            model.build_for(&InputShape::batch_of([3]))
        },
    ),
    // Compiling.
    Case(
        "optimizer",
        "Unknown optimizer \"adm\". Did you mean \"adam\" or \"adamw\"?",
        || compiled("adm", "mse", "mae"),
    ),
    Case(
        "loss",
        "Unknown loss \"binary_crossentrpy\". Did you mean \"binary_crossentropy\" or \
         \"BinaryCrossentropy\"?",
        || compiled("adam", "binary_crossentrpy", "mae"),
    ),
    Case(
        "metric",
        "Unknown metric \"acuracy\". Did you mean \"accuracy\"?",
        || compiled("adam", "mse", "acuracy"),
    ),
    Case(
        "learning rate",
        "learning_rate must be a number >= 0. Received: -1.",
        || classes()?.compile(SGD::new().learning_rate(-1.0), "mse", ()),
    ),
    Case(
        "metric that does not fit the shape",
        "Metric \"categorical_accuracy\" (CategoricalAccuracy) cannot compare y_true \
         int32(6,) with y_pred float32(6, 4). Expected: one-hot labels of the shape of the \
         predictions (6, 4). Received: (6,). Integer labels need the sparse categorical \
         metric.",
        || {
            let mut model = classes()?;
            model.compile(
                "sgd",
                "sparse_categorical_crossentropy",
                ["categorical_accuracy"],
            )?;
            model.fit(x(), y(), quiet()).map(|_| ())
        },
    ),
    Case(
        "own metric from an impossible expression",
        "Metric \"odd\" (MeanMetricWrapper) cannot compare y_true int32(6,) with y_pred \
         float32(6, 4). Shapes (6,) and (4,) do not broadcast: axis 1 from the end differs.",
        || {
            let metric = Metric::custom("odd", |t, p| t + p.sum_axes(&[0], false));
            let mut model = classes()?;
            model.compile("sgd", "sparse_categorical_crossentropy", [metric])?;
            model.fit(x(), y(), quiet()).map(|_| ())
        },
    ),
    Case(
        "own loss from an impossible expression",
        "Layer \"loss\": Shapes (6,) and (6, 4) do not broadcast: axis 1 from the end \
         differs. (at this file)",
        || {
            let mut model = classes()?;
            model.compile("sgd", |t: &Tensor, p: &Tensor| t - p, ())?;
            model.fit(x(), y(), quiet()).map(|_| ())
        },
    ),
    Case(
        "reduction none",
        "fit needs a loss that is one number; with reduction \"none\" \
         \"sparse_categorical_crossentropy\" gives shape (6,).",
        || {
            let mut model = classes()?;
            let loss = SparseCategoricalCrossentropy::new().reduction(Reduction::None);
            model.compile("sgd", loss, ())?;
            model.fit(x(), y(), quiet()).map(|_| ())
        },
    ),
    Case(
        "nothing to train",
        "The model \"sequential\" has no trainable weights: there is nothing to fit.",
        || {
            let mut model = Sequential::new();
            model.add(Dense::new(4).trainable(false).input_shape([3]));
            model.compile("sgd", "mse", ())?;
            model
                .fit(x(), Array::zeros(DType::F32, [6, 4]), quiet())
                .map(|_| ())
        },
    ),
    // Too early.
    Case(
        "fit before compile",
        "The model \"sequential\" must be compiled first: call compile(optimizer, loss, \
         metrics).",
        || {
            let mut model = Sequential::new();
            model.add(Dense::new(1).input_shape([3]));
            model.fit(x(), y(), quiet()).map(|_| ())
        },
    ),
    Case(
        "evaluate before compile",
        "The model \"sequential\" must be compiled first: call compile(optimizer, loss, \
         metrics).",
        || {
            let mut model = Sequential::new();
            model.add(Dense::new(1).input_shape([3]));
            model.evaluate(x(), y()).map(|_| ())
        },
    ),
    Case(
        "train_on_batch before compile",
        "The model \"sequential\" must be compiled first: call compile(optimizer, loss, \
         metrics).",
        || {
            let mut model = Sequential::new();
            model.add(Dense::new(1).input_shape([3]));
            model.train_on_batch(x(), y()).map(|_| ())
        },
    ),
    Case(
        "predict before build",
        "The model \"sequential\" is not built yet: call build(), or fit it on data first.",
        || {
            let mut model = Sequential::new();
            model.add(Dense::new(1));
            model.predict(x()).map(|_| ())
        },
    ),
    Case(
        "predict_into before build",
        "The model \"sequential\" is not built yet: call build(), or fit it on data first.",
        || {
            let mut model = Sequential::new();
            model.add(Dense::new(1));
            model.predict_into(&[1.0], &mut [0.0])
        },
    ),
    Case(
        "weights before build",
        "The model \"sequential\" is not built yet: call build(), or fit it on data first.",
        || Sequential::new().get_weights().map(|_| ()),
    ),
    Case(
        "pop from nothing",
        "There are no layers in the model to pop.",
        || Sequential::new().pop().map(|_| ()),
    ),
    // Weights and layers by name.
    Case(
        "number of weights",
        "The model has 4 weights. Received: 1 arrays.",
        || classes()?.set_weights(&[x()]),
    ),
    Case(
        "shape of weights",
        "Weight \"dense_1/kernel\" has shape (5, 4). Received: shape (4, 5).",
        || {
            let mut model = classes()?;
            let mut weights = model.get_weights()?;
            weights[2] = Array::zeros(DType::F32, [4, 5]);
            model.set_weights(&weights)
        },
    ),
    Case(
        "layer by name",
        "Unknown layer \"dense_2\". Did you mean \"dense_1\" or \"dense\"?",
        || classes()?.get_layer("dense_2").map(|_| ()),
    ),
    Case(
        "layer by position",
        "There are 2 layers. Asked for: index 2.",
        || classes()?.get_layer(2).map(|_| ()),
    ),
    // Data.
    Case(
        "predict: features",
        "x does not fit the model \"sequential\": expected shape (None, 3). Received: (6, 5).",
        || {
            classes()?
                .predict(Array::zeros(DType::F32, [6, 5]))
                .map(|_| ())
        },
    ),
    Case(
        "predict: rank",
        "x does not fit the model \"sequential\": expected shape (None, 3). Received: (6,).",
        || {
            classes()?
                .predict(Array::zeros(DType::F32, [6]))
                .map(|_| ())
        },
    ),
    Case(
        "predict: a scalar",
        "x needs an axis of samples. Received: a scalar.",
        || classes()?.predict(Array::from(1.0f32)).map(|_| ()),
    ),
    Case(
        "predict: batch size 0",
        "batch_size must be at least 1. Received: batch_size=0.",
        || {
            classes()?
                .predict_with(x(), Predict::new().batch_size(0))
                .map(|_| ())
        },
    ),
    Case(
        "predict: steps 0",
        "steps must be at least 1. Received: steps=0.",
        || {
            classes()?
                .predict_with(x(), Predict::new().steps(0))
                .map(|_| ())
        },
    ),
    Case(
        "predict: verbose 7",
        "Invalid value for argument `verbose`. Expected 0 (silent), 1 (progress bar) or 2 \
         (one line per epoch). Received: verbose=7",
        || {
            classes()?
                .predict_with(x(), Predict::new().verbose(7))
                .map(|_| ())
        },
    ),
    Case(
        "predict_on_batch: features",
        "x does not fit the model \"sequential\": expected shape (None, 3). Received: (6, 5).",
        || {
            classes()?
                .predict_on_batch(Array::zeros(DType::F32, [6, 5]))
                .map(|_| ())
        },
    ),
    Case(
        "predict_into: input",
        "The input must hold whole samples of (3,) (3 values). Received: 4 values.",
        || classes()?.predict_into(&[0.0; 4], &mut [0.0; 4]),
    ),
    Case(
        "predict_into: output",
        "The output for 2 samples is float32(2, 4). Received: room for 4 float32 values.",
        || classes()?.predict_into(&[0.0; 6], &mut [0.0; 4]),
    ),
    Case(
        "call: features",
        "x does not fit the model \"sequential\": expected shape (None, 3). Received: (6, 5).",
        || {
            classes()?
                .call(&Tensor::zeros([6, 5], DType::F32))
                .map(|_| ())
        },
    ),
    Case(
        "fit: features",
        "x does not fit the model \"sequential\": expected shape (None, 3). Received: (6, 5).",
        || fit_on(&Array::zeros(DType::F32, [6, 5]), &y()),
    ),
    Case(
        "fit: a scalar",
        "x does not fit the model \"sequential\": expected shape (None, 3). Received: ().",
        || fit_on(&Array::from(1.0f32), &y()),
    ),
    Case(
        "fit: lengths",
        "x and y must have the same number of samples. Received: 6 and 2.",
        || fit_on(&x(), &Array::from([0i32, 1])),
    ),
    Case(
        "fit: a scalar y",
        "y needs an axis of samples. Received: a scalar.",
        || fit_on(&x(), &Array::from(1i32)),
    ),
    Case("fit: nothing", "x holds no samples.", || {
        fit_on(
            &Array::zeros(DType::F32, [0, 3]),
            &Array::zeros(DType::I32, [0]),
        )
    }),
    Case(
        "evaluate: features",
        "x does not fit the model \"sequential\": expected shape (None, 3). Received: (6, 5).",
        || {
            let x = Array::zeros(DType::F32, [6, 5]);
            classes()?.evaluate(&x, y()).map(|_| ())
        },
    ),
    Case(
        "evaluate: lengths",
        "x and y must have the same number of samples. Received: 6 and 2.",
        || classes()?.evaluate(x(), Array::from([0i32, 1])).map(|_| ()),
    ),
    Case("evaluate: nothing", "x holds no samples.", || {
        let x = Array::zeros(DType::F32, [0, 3]);
        classes()?
            .evaluate(&x, Array::zeros(DType::I32, [0]))
            .map(|_| ())
    }),
    Case("train_on_batch: nothing", "x holds no samples.", || {
        let x = Array::zeros(DType::F32, [0, 3]);
        classes()?
            .train_on_batch(&x, Array::zeros(DType::I32, [0]))
            .map(|_| ())
    }),
    Case(
        "validation: features",
        "validation x does not fit the model \"sequential\": expected shape (None, 3). \
         Received: (2, 5).",
        || {
            let (x, y) = (Array::zeros(DType::F32, [2, 5]), Array::from([0i32, 1]));
            fit(quiet().validation_data(&x, &y))
        },
    ),
    Case(
        "validation: lengths",
        "validation x and validation y must have the same number of samples. Received: 6 \
         and 1.",
        || fit(quiet().validation_data(x(), Array::from([0i32]))),
    ),
    // Options.
    Case(
        "fit: batch size 0",
        "batch_size must be at least 1. Received: batch_size=0.",
        || fit(quiet().batch_size(0)),
    ),
    Case(
        "fit: steps 0",
        "steps_per_epoch must be at least 1. Received: steps_per_epoch=0.",
        || fit(quiet().steps_per_epoch(0)),
    ),
    Case(
        "fit: validation steps 0",
        "validation_steps must be at least 1. Received: validation_steps=0.",
        || fit(quiet().validation_steps(0)),
    ),
    Case(
        "fit: validation batch size 0",
        "validation_batch_size must be at least 1. Received: validation_batch_size=0.",
        || fit(quiet().validation_batch_size(0)),
    ),
    Case(
        "fit: validation frequency 0",
        "validation_freq must be at least 1. Received: validation_freq=0.",
        || fit(quiet().validation_freq(0)),
    ),
    Case(
        "fit: all for validation",
        "validation_split must be at least 0 and less than 1. Received: validation_split=1.",
        || fit(quiet().validation_split(1.0)),
    ),
    Case(
        "fit: a negative split",
        "validation_split must be at least 0 and less than 1. Received: \
         validation_split=-0.1.",
        || fit(quiet().validation_split(-0.1)),
    ),
    Case(
        "fit: a split that is not a number",
        "validation_split must be at least 0 and less than 1. Received: \
         validation_split=NaN.",
        || fit(quiet().validation_split(f64::NAN)),
    ),
    Case(
        "fit: nothing left for training",
        "validation_split=0.99 of 6 samples leaves 0 for training and 6 for validation; \
         both need at least one.",
        || fit(quiet().validation_split(0.99)),
    ),
    Case(
        "fit: verbose 7",
        "Invalid value for argument `verbose`. Expected 0 (silent), 1 (progress bar) or 2 \
         (one line per epoch). Received: verbose=7",
        || fit(quiet().verbose(7)),
    ),
    Case(
        "evaluate: batch size 0",
        "batch_size must be at least 1. Received: batch_size=0.",
        || evaluate(Evaluate::new().batch_size(0)),
    ),
    Case(
        "evaluate: steps 0",
        "steps must be at least 1. Received: steps=0.",
        || evaluate(Evaluate::new().steps(0)),
    ),
    Case(
        "evaluate: verbose 7",
        "Invalid value for argument `verbose`. Expected 0 (silent), 1 (progress bar) or 2 \
         (one line per epoch). Received: verbose=7",
        || evaluate(Evaluate::new().verbose(7)),
    ),
    // Weights of samples and classes.
    Case(
        "sample weights: length",
        "x and sample_weight must have the same number of samples. Received: 6 and 2.",
        || fit(quiet().sample_weight(&[1.0f32, 2.0])),
    ),
    Case(
        "sample weights: not a number",
        "sample_weight holds NaN or infinite values.",
        || fit(quiet().sample_weight(&[1.0f32, 2.0, f32::NAN, 1.0, 1.0, 1.0])),
    ),
    Case(
        "sample weights: shape",
        "Layer \"loss\": Shapes (6,) and (6, 3) do not broadcast: axis 1 from the end \
         differs.",
        || fit(quiet().sample_weight(Array::zeros(DType::F32, [6, 3]))),
    ),
    Case(
        "class weights: negative",
        "class_weight must be finite and not negative. Received: -1 for class 1.",
        || fit(quiet().class_weight([(1, -1.0)])),
    ),
    Case(
        "class weights and sample weights",
        "Give class_weight or sample_weight, not both.",
        || fit(quiet().class_weight([(1, 1.0)]).sample_weight(&[1.0f32; 6])),
    ),
    Case(
        "class weights: no classes",
        "class_weight needs labels of shape (6,) or one-hot rows. Received: y of shape (6, \
         4, 2).",
        || {
            let mut model = classes()?;
            model.compile("sgd", "mse", ())?;
            let y = Array::zeros(DType::F32, [6, 4, 2]);
            model
                .fit(x(), y, quiet().class_weight([(1, 1.0)]))
                .map(|_| ())
        },
    ),
    Case(
        "evaluate: sample weights",
        "x and sample_weight must have the same number of samples. Received: 6 and 1.",
        || evaluate(Evaluate::new().verbose(0).sample_weight(&[1.0f32])),
    ),
    // Labels.
    Case(
        "a label too large",
        "Loss \"sparse_categorical_crossentropy\": y must hold class numbers from 0 to 3, for \
         the 4 classes that the model predicts. Received: 4 at position 3.",
        || fit_on(&x(), &Array::from([0i32, 1, 2, 4, 0, 1])),
    ),
    Case(
        "a negative label",
        "Loss \"sparse_categorical_crossentropy\": y must hold class numbers from 0 to 3, for \
         the 4 classes that the model predicts. Received: -1 at position 4.",
        || fit_on(&x(), &Array::from([0i64, 1, 2, 3, -1, 1])),
    ),
    Case(
        "a label too large, u8",
        "Loss \"sparse_categorical_crossentropy\": y must hold class numbers from 0 to 3, for \
         the 4 classes that the model predicts. Received: 200 at position 4.",
        || fit_on(&x(), &Array::from([0u8, 1, 2, 3, 200, 1])),
    ),
    Case(
        "a label too large, float",
        "Loss \"sparse_categorical_crossentropy\": y must hold class numbers from 0 to 3, for \
         the 4 classes that the model predicts. Received: 7 at position 3.",
        || fit_on(&x(), &Array::from([0.0f32, 1.0, 2.0, 7.0, 0.0, 1.0])),
    ),
    Case(
        "a label that is not a number",
        "Loss \"sparse_categorical_crossentropy\": y must hold class numbers from 0 to 3, for \
         the 4 classes that the model predicts. Received: NaN at position 3.",
        || fit_on(&x(), &Array::from([0.0f32, 1.0, 2.0, f32::NAN, 0.0, 1.0])),
    ),
    Case(
        "evaluate: a label too large",
        "Loss \"sparse_categorical_crossentropy\": y must hold class numbers from 0 to 3, for \
         the 4 classes that the model predicts. Received: 9 at position 0.",
        || {
            classes()?
                .evaluate(x(), Array::from([9i32, 1, 2, 3, 0, 1]))
                .map(|_| ())
        },
    ),
    Case(
        "train_on_batch: a label too large",
        "Loss \"sparse_categorical_crossentropy\": y must hold class numbers from 0 to 3, for \
         the 4 classes that the model predicts. Received: 4 at position 5.",
        || {
            classes()?
                .train_on_batch(x(), Array::from([0i32, 1, 2, 3, 0, 4]))
                .map(|_| ())
        },
    ),
    Case(
        "validation: a label too large",
        "Loss \"sparse_categorical_crossentropy\": validation y must hold class numbers from \
         0 to 3, for the 4 classes that the model predicts. Received: 5 at position 4.",
        || fit(quiet().validation_data(x(), Array::from([0i32, 1, 2, 3, 5, 1]))),
    ),
    Case(
        "generalized cross-entropy: a label too large",
        "Loss \"categorical_generalized_cross_entropy\": y must hold class numbers from 0 to \
         3, for the 4 classes that the model predicts. Received: 4 at position 5.",
        || {
            targets(
                "categorical_generalized_cross_entropy",
                Array::from([0i32, 1, 2, 3, 0, 4]),
            )
        },
    ),
    Case(
        "crossentropy by shape: a label too large",
        "Loss \"crossentropy\": y must hold class numbers from 0 to 3, for the 4 classes that \
         the model predicts. Received: 4 at position 5.",
        || targets("crossentropy", Array::from([0i32, 1, 2, 3, 0, 4])),
    ),
    Case(
        "ignored class, and one that is not",
        "Loss \"sparse_categorical_crossentropy\": y must hold class numbers from 0 to 3, for \
         the 4 classes that the model predicts. Received: -2 at position 4.",
        || {
            let mut model = classes()?;
            model.compile(
                "sgd",
                SparseCategoricalCrossentropy::new().ignore_class(-1i64),
                (),
            )?;
            model
                .fit(x(), Array::from([-1i32, 1, 2, 3, -2, 1]), quiet())
                .map(|_| ())
        },
    ),
    Case(
        "one-hot for sparse",
        "Loss \"sparse_categorical_crossentropy\": the targets have 4 values per sample, as \
         one-hot labels do; one class number per sample is needed. Use the loss \
         \"categorical_crossentropy\". Received: targets of shape (6, 4), predictions of \
         shape (6, 4).",
        || {
            targets(
                "sparse_categorical_crossentropy",
                Array::zeros(DType::F32, [6, 4]),
            )
        },
    ),
    Case(
        "labels for one-hot",
        "Loss \"categorical_crossentropy\": the targets are class numbers, one per sample; 4 \
         values per sample are needed. Use the loss \"sparse_categorical_crossentropy\", or \
         to_categorical(labels, 4). Received: targets of shape (6,), predictions of shape \
         (6, 4).",
        || targets("categorical_crossentropy", y()),
    ),
    Case(
        "classes differ",
        "Loss \"categorical_crossentropy\": the numbers of classes differ: the targets have \
         5, the predictions 4. Received: targets of shape (6, 5), predictions of shape (6, \
         4).",
        || targets("categorical_crossentropy", Array::zeros(DType::F32, [6, 5])),
    ),
    Case(
        "labels for binary",
        "Loss \"binary_crossentropy\": there is one target but 4 predictions per sample. For \
         4 classes use the loss \"sparse_categorical_crossentropy\"; for two classes let the \
         last layer have one unit. Received: targets of shape (6,), predictions of shape \
         (6, 4).",
        || targets("binary_crossentropy", y()),
    ),
    Case(
        "targets of another shape",
        "Loss \"mean_squared_error\": targets and predictions must have one shape. Received: \
         targets of shape (6, 5), predictions of shape (6, 4).",
        || targets("mse", Array::zeros(DType::F32, [6, 5])),
    ),
    Case(
        "to_categorical: too large",
        "Labels must be from 0 to 2, for 3 classes. Received: 3 at position 1.",
        || to_categorical(&ndarray::arr1(&[0, 3]), 3).map(|_| ()),
    ),
    Case(
        "to_categorical: negative",
        "Labels must be from 0 to 2, for 3 classes. Received: -1 at position 1.",
        || to_categorical(&ndarray::arr1(&[0, -1]), 3).map(|_| ()),
    ),
    Case(
        "to_categorical: no classes",
        "classes must be at least 1. Received: classes=0.",
        || to_categorical(&ndarray::arr1(&[0]), 0).map(|_| ()),
    ),
    Case(
        "normalize: axis",
        "normalize needs one of the 1 axes and a positive order. Received: axis=1, order=2.",
        || normalize(&ndarray::arr1(&[0.0f32]), 1, 2.0).map(|_| ()),
    ),
    // Callbacks.
    Case("a callback that fails", "no room after epoch 0", || {
        let fails = LambdaCallback::new().on_epoch_end(|_, epoch, _| {
            Err(cornu::Error::new(format!("no room after epoch {epoch}")))
        });
        fit(quiet().callback(fails))
    }),
    Case(
        "weights set by a callback",
        "The model has 4 weights. Received: 0 arrays.",
        || {
            let sets = LambdaCallback::new().on_epoch_end(|model, _, _| model.set_weights(&[]));
            fit(quiet().callback(sets))
        },
    ),
    // Expressions.
    Case(
        "matmul",
        "matmul: the inner extents 3 and 4 differ. Received: (2, 3) and (4, 5). (at this \
         file)",
        || {
            let t = |shape: [usize; 2]| Tensor::zeros(shape, DType::F32);
            t([2, 3]).matmul(t([4, 5])).eval().map(|_| ())
        },
    ),
];

#[test]
fn messages() {
    // Panics are told by `message`.
    std::panic::set_hook(Box::new(|_| {}));
    let mut failures = Vec::new();
    for Case(name, expected, run) in CASES {
        let got = message(*run);
        // A line's number may change; its file may not.
        let file = format!("(at {}:", file!());
        let got = match got.split_once(&file) {
            Some((text, _)) => format!("{text}(at this file)"),
            None => got,
        };
        // Lines of the library are for its authors: what comes before them is compared.
        let got = match got.split_once(" (at crates/cornu/src/") {
            Some((text, _)) => text.to_string(),
            None => got,
        };
        if got != *expected {
            failures.push(format!("{name}\n  got      {got}\n  expected {expected}"));
        }
    }
    let _ = std::panic::take_hook();
    assert!(
        failures.is_empty(),
        "{} of {}\n{}",
        failures.len(),
        CASES.len(),
        failures.join("\n")
    );
}

#[test]
fn after_a_mistake_the_model_is_usable() -> cornu::Result<()> {
    let mut model = classes()?;
    assert!(model.fit(x(), Array::from([0i32]), quiet()).is_err());
    assert!(model.fit(x(), Array::from([7i32; 6]), quiet()).is_err());
    assert!(
        model
            .evaluate(Array::zeros(DType::F32, [6, 5]), y())
            .is_err()
    );
    let history = model.fit(x(), y(), quiet())?;
    assert!(history["loss"][0].is_finite());
    // An ignored class may have any number.
    model.compile(
        "sgd",
        SparseCategoricalCrossentropy::new().ignore_class(255i64),
        (),
    )?;
    let labels = Array::from([0u8, 255, 2, 3, 255, 1]);
    let history = model.fit(x(), &labels, quiet())?;
    assert!(history["loss"][0].is_finite());
    // Weights of another type are converted.
    let weights: Vec<Array> = model
        .get_weights()?
        .iter()
        .map(|w| w.cast(DType::F64))
        .collect();
    model.set_weights(&weights)?;
    // No samples, no predictions.
    let none = model.predict(Array::zeros(DType::F32, [0, 3]))?;
    assert_eq!(none.shape().dims(), [0, 4]);
    Ok(())
}
