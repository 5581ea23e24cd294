//! What comes too early, and what is asked for by a wrong name.

use super::*;

pub const CASES: &[Case] = &[
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
];
