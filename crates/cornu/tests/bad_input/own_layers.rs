//! Mistakes in layers of one's own.

use super::*;
use cornu::layers::{Build, Call};

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

pub const CASES: &[Case] = &[
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
];
