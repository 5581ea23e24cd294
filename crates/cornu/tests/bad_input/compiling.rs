//! Compiling.

use super::*;

pub const CASES: &[Case] = &[
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
];
