//! Graphs that cannot be drawn.

use super::*;

fn input() -> Symbol {
    Input::new([3]).symbol()
}

/// A layer over these inputs.
fn over(layer: impl Into<Box<dyn Layer>>, shapes: &[&[usize]]) -> Outcome {
    let inputs: Vec<Symbol> = shapes
        .iter()
        .map(|s| Input::new(s.to_vec()).symbol())
        .collect();
    Model::new(&inputs, layer.on(&inputs)).map(|_| ())
}

/// A model from Keras' JSON whose two layers read from these.
fn read(first: &str, second: &str) -> Outcome {
    let node = |from: &str| {
        serde_json::json!([{"kwargs": {}, "args": [{
            "class_name": "__keras_tensor__",
            "config": {"shape": [null, 3], "dtype": "float32", "keras_history": [from, 0, 0]},
        }]}])
    };
    let layer = |name: &str, from: &str| {
        serde_json::json!({
            "module": "keras.layers", "class_name": "Dense", "name": name, "registered_name": null,
            "config": {"name": name, "units": 3}, "inbound_nodes": node(from),
        })
    };
    let input = serde_json::json!({
        "module": "keras.layers", "class_name": "InputLayer", "name": "x", "registered_name": null,
        "config": {"name": "x", "batch_shape": [null, 3], "dtype": "float32"}, "inbound_nodes": [],
    });
    let model = serde_json::json!({
        "module": "keras.src.models.functional", "class_name": "Functional",
        "registered_name": "Functional",
        "config": {
            "name": "functional", "trainable": true,
            "layers": [input, layer("a", first), layer("b", second)],
            "input_layers": [["x", 0, 0]], "output_layers": [["b", 0, 0]],
        },
    });
    cornu::saving::model_from_json(&model.to_string()).map(|_| ())
}

pub const CASES: &[Case] = &[
    Case(
        "no inputs",
        "The model \"functional\" needs at least one input and one output. Received: 0 \
         and 1.",
        || Model::new(Vec::<Symbol>::new(), Dense::new(2).on(input())).map(|_| ()),
    ),
    Case(
        "no outputs",
        "The model \"functional\" needs at least one input and one output. Received: 1 \
         and 0.",
        || Model::new(input(), Vec::<Symbol>::new()).map(|_| ()),
    ),
    Case(
        "an input that is not given",
        "The graph is disconnected: the outputs depend on the input \"lost\", which is \
         not among the model's inputs.",
        || {
            let (x, lost) = (input(), Input::new([3]).name("lost").symbol());
            Model::new(&x, Add::new().on([&x, &lost])).map(|_| ())
        },
    ),
    Case(
        "an input that is a layer's output",
        "The inputs of a model must come from Input. Received: an output of Dense.",
        || {
            let hidden = Dense::new(3).on(input());
            Model::new(&hidden, Dense::new(2).on(&hidden)).map(|_| ())
        },
    ),
    Case(
        "two layers of one name",
        "Layer names must be unique. Received: \"a\" twice.",
        || {
            let x = input();
            let hidden = Dense::new(2).name("a").on(&x);
            Model::new(&x, Dense::new(2).name("a").on(hidden)).map(|_| ())
        },
    ),
    Case(
        "a layer with an input's name",
        "Layer names must be unique. Received: \"a\" twice.",
        || {
            let x = Input::new([3]).name("a").symbol();
            Model::new(&x, Dense::new(2).name("a").on(&x)).map(|_| ())
        },
    ),
    Case(
        "one layer on two shapes",
        "Layer \"dense\": Input 0 is incompatible with the layer: expected axis -1 of the input shape \
         to have value 3. Received: an input with shape (None, 4).",
        || {
            let (x, y) = (input(), Input::new([4]).symbol());
            let shared = Dense::new(2).shared();
            Model::new([&x, &y], [&shared.on(&x), &shared.on(&y)]).map(|_| ())
        },
    ),
    Case(
        "one convolution on other channels",
        "Layer \"conv2d\": Input 0 is incompatible with the layer: expected axis -1 of the input shape \
         to have value 3. Received: an input with shape (None, 9, 9, 2).",
        || {
            let image = |n: usize, channels: usize| Input::new([n, n, channels]).symbol();
            let (x, y, z) = (image(8, 3), image(7, 3), image(9, 2));
            let shared = Conv2D::new(4, 3).shared();
            // Another size is none of its weights' business.
            Model::new([&x, &y], [&shared.on(&x), &shared.on(&y)])?;
            Model::new(&z, shared.on(&z)).map(|_| ())
        },
    ),
    Case(
        "a recurrent layer on other features, inside another layer",
        "Layer \"bidirectional\": Input 0 is incompatible with the layer: expected axis -1 of the input \
         shape to have value 3. Received: an input with shape (None, 4, 2).",
        || {
            let (x, y) = (Input::new([5, 3]).symbol(), Input::new([4, 2]).symbol());
            let shared = Bidirectional::new(GRU::new(2)).shared();
            Model::new([&x, &y], [&shared.on(&x), &shared.on(&y)]).map(|_| ())
        },
    ),
    Case(
        "one layer on another number of axes",
        "Layer \"lstm\": LSTM expects (batch, steps, features). Received: input shape (None, 3).",
        || {
            let (x, y) = (Input::new([5, 3]).symbol(), input());
            let shared = LSTM::new(2).shared();
            Model::new([&x, &y], [&shared.on(&x), &shared.on(&y)]).map(|_| ())
        },
    ),
    Case(
        "a model on another shape",
        "Layer \"inside\": The model expects (None, 3) for its input \"x\". Received: \
         (None, 4).",
        || {
            let x = Input::new([3]).name("x").symbol();
            let model = Model::new(&x, Dense::new(2).on(&x))?.named("inside");
            let y = Input::new([4]).symbol();
            Model::new(&y, model.on(&y)).map(|_| ())
        },
    ),
    Case(
        "one input too many",
        "Layer \"dense\": Dense takes one input. Received: 2.",
        || over(Dense::new(2), &[&[3], &[3]]),
    ),
    Case(
        "a layer on nothing",
        "Layer \"dense\": Dense takes one input. Received: 0.",
        || Model::new(input(), Dense::new(2).on(Vec::<Symbol>::new())).map(|_| ()),
    ),
    Case(
        "sums of other shapes",
        "Layer \"add\": Add expects inputs whose shapes broadcast. Received: (None, 4, \
         3), (None, 4, 5).",
        || over(Add::new(), &[&[4, 3], &[4, 5]]),
    ),
    Case(
        "a difference of three",
        "Layer \"subtract\": Subtract takes 2 inputs. Received: 3.",
        || over(Subtract::new(), &[&[3], &[3], &[3]]),
    ),
    Case(
        "joined along other axes",
        "Layer \"concatenate\": Concatenate expects inputs of equal shape but for axis \
         -1, which is not the batch's. Received: (None, 4, 3), (None, 5, 3).",
        || over(Concatenate::new(), &[&[4, 3], &[5, 3]]),
    ),
    Case(
        "products of other extents",
        "Layer \"dot\": Dot expects equal batches, and equal extents along axis 2 of the \
         first tensor and axis 2 of the second. Received: (None, 4, 3) and (None, 5, 2).",
        || over(Dot::new(2), &[&[4, 3], &[5, 2]]),
    ),
    Case(
        "from JSON: a circle",
        "The calls of the model's layers go in a circle: \"a\" needs \"b\" needs \"a\".",
        || read("b", "a"),
    ),
    Case(
        "from JSON: a layer on itself",
        "The calls of the model's layers go in a circle: \"b\" needs \"b\".",
        || read("x", "b"),
    ),
    Case(
        "from JSON: a layer that is not there",
        "The model has no layer \"c\".",
        || read("x", "c"),
    ),
    Case(
        "from JSON: a layer without a way to the input",
        "The calls of the model's layers go in a circle: \"a\" needs \"a\".",
        || read("a", "a"),
    ),
];
