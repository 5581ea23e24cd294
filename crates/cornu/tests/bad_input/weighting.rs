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
        "class weights: two outputs",
        "class_weight is for a model of one output. Received: 2 arrays of targets.",
        || {
            let x_ = Input::new([3]).symbol();
            let mut model = Model::new(&x_, [Dense::new(4).on(&x_), Dense::new(4).on(&x_)])?;
            model.compile("sgd", "sparse_categorical_crossentropy", ())?;
            let options = quiet().class_weight([(1, 1.0)]);
            model.fit(x(), (y(), y()), options).map(|_| ())
        },
    ),
    Case(
        "evaluate: sample weights",
        "x and sample_weight must have the same number of samples. Received: 6 and 1.",
        || evaluate(Evaluate::new().verbose(0).sample_weight(&[1.0f32])),
    ),
];
