//! Labels that are no classes.

use super::*;

pub const CASES: &[Case] = &[
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
        "ctc: no sequences",
        "Loss \"ctc\": the targets must be (batch, labels) and the predictions (batch, steps, \
         classes). Received: targets of shape (6,), predictions of shape (6, 4).",
        || targets("ctc", y()),
    ),
    Case(
        "ctc: a label too large",
        "Loss \"ctc\": y must hold class numbers from 0 to 3, for the 4 classes that the model \
         predicts. Received: 4 at position 1.",
        || {
            let mut model = Sequential::new();
            model.add(Dense::new(4).input_shape([5, 3]));
            model.compile("sgd", "ctc", ())?;
            let x = Array::zeros(DType::F32, [1, 5, 3]);
            model.fit(x, Array::from([[1i32, 4]]), quiet()).map(|_| ())
        },
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
];
