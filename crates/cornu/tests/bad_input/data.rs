//! Data that do not fit.

use super::*;

pub const CASES: &[Case] = &[
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
];
