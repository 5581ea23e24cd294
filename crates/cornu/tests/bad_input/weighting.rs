//! Weights of samples and of classes.

use super::*;

pub const CASES: &[Case] = &[
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
];
