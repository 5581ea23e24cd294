//! Layers from JSON.

use super::*;
use serde_json::{Value, json};

fn read(class: &str, config: Value) -> Outcome {
    let json = json!({"class_name": class, "config": config});
    let layer = cornu::layers::from_config(&json)?;
    Sequential::from_layers(vec![Input::new([4, 4, 1]).into(), layer]).build()
}

pub const CASES: &[Case] = &[
    Case(
        "an argument that is not known",
        "Layer \"Flatten\": unknown field `data_fromat`, expected `data_format`",
        || read("Flatten", json!({"data_fromat": "channels_last"})),
    ),
    Case(
        "an argument that is missing",
        "Layer \"Dense\": missing field `units`",
        || read("Dense", json!({})),
    ),
    Case(
        "a number that is not whole",
        "Layer \"Dense\": invalid type: floating point `2.5`, expected usize",
        || read("Dense", json!({"units": 2.5})),
    ),
    Case(
        "a negative number",
        "Layer \"Conv2D\": expected a positive integer, or 2 of them. Received: [-3,3].",
        || read("Conv2D", json!({"filters": 2, "kernel_size": [-3, 3]})),
    ),
    Case(
        "a number too many",
        "Layer \"Conv2D\": expected a positive integer, or 2 of them. Received: [3,3,3].",
        || read("Conv2D", json!({"filters": 2, "kernel_size": [3, 3, 3]})),
    ),
    Case(
        "a window of words",
        "Layer \"MaxPooling1D\": expected one positive integer. Received: \"two\".",
        || read("MaxPooling1D", json!({"pool_size": "two"})),
    ),
    Case(
        "padding",
        "Layer \"Conv2D\": unknown variant `full`, expected one of `valid`, `same`, \
         `causal`",
        || {
            read(
                "Conv2D",
                json!({"filters": 2, "kernel_size": 3, "padding": "full"}),
            )
        },
    ),
    Case(
        "data_format",
        "Layer \"Conv2D\": unknown variant `last`, expected `channels_last` or \
         `channels_first`",
        || {
            read(
                "Conv2D",
                json!({"filters": 2, "kernel_size": 3, "data_format": "last"}),
            )
        },
    ),
    Case(
        "a layer inside",
        "Layer \"Bidirectional\": Layer \"Dens\": Unknown layer class \"Dens\". Did you \
         mean \"Dense\"? If it is your own, implement the layer in Rust and give it as a \
         custom object.",
        || {
            read(
                "Bidirectional",
                json!({"layer": {"class_name": "Dens", "config": {}}}),
            )
        },
    ),
    Case(
        "an activation",
        "Layer \"dense\": Unknown activation \"rellu\". Did you mean \"relu\" or \
         \"celu\"?",
        || read("Dense", json!({"units": 2, "activation": "rellu"})),
    ),
    Case(
        "an initializer",
        "Layer \"Dense\": Unknown initializer \"glorot_unifrom\". Did you mean \
         \"glorot_uniform\" or \"GlorotUniform\"?",
        || {
            read(
                "Dense",
                json!({"units": 2, "kernel_initializer": "glorot_unifrom"}),
            )
        },
    ),
];
