//! Whether a sentence out of a film review is favourable: a Transformer block over its words and what they begin
//! with, beside a logistic regression on the bag of them.
//!
//! ```sh
//! cargo run --release --example text_transformer -- [--seeds 3]
//! ```

use arguments::argument;
use cornu::prelude::*;

mod arguments;
mod movie_reviews;

const LENGTH: usize = 40;
const WORDS: usize = 10_000;
const WIDTH: usize = 64;
const EPOCHS: usize = 6;
const BATCH: usize = 64;

/// Attention and two dense layers, each over normalised numbers and added to what came in.
fn transformer_block(x: &Symbol) -> Symbol {
    let normal = LayerNormalization::new().epsilon(1e-6).on(x);
    let attended = MultiHeadAttention::new(2, WIDTH / 2).on([&normal, &normal]);
    let x = x + Dropout::new(0.3).on(&attended);
    let normal = LayerNormalization::new().epsilon(1e-6).on(&x);
    let inner = Dense::new(WIDTH).activation("relu").on(&normal);
    let inner = Dense::new(WIDTH).on(&inner);
    x + Dropout::new(0.3).on(&inner)
}

/// Of each number the mean over the words, and the most.
#[derive(Debug)]
struct MeanAndMost;

impl Layer for MeanAndMost {
    fn class_name(&self) -> &str {
        "MeanAndMost"
    }

    fn call(&self, cx: &mut Call, x: &Tensor) -> Tensor {
        cx.set_mask(None);
        // False where a sentence has ended.
        let there = match cx.mask(0) {
            Some(mask) => mask.expand_dims(-1),
            None => x.ones_like().cast(DType::Bool),
        };
        let words = there.cast(x.dtype()).sum_axes(&[1], false);
        let mean = there.select(x, 0.0).sum_axes(&[1], false) / words.maximum(1.0);
        let most = there.select(x, -1e9).max_axes(&[1], false);
        Tensor::concat(&[mean, most], -1)
    }
}

fn network(steps: u64) -> cornu::Result<Model> {
    let (inputs, x) = movie_reviews::vectors(WORDS, LENGTH, WIDTH);
    let x = transformer_block(&Dropout::new(0.5).on(&x));
    let x = MeanAndMost.on(&x);
    let x = Dropout::new(0.5).on(&x);
    let y = Dense::new(1).activation("sigmoid").on(&x);
    let mut model = Model::new(inputs, &y)?;
    model.compile(
        Adam::new().learning_rate(schedules::CosineDecay::new(1e-3, steps)),
        "binary_crossentropy",
        (),
    )?;
    Ok(model)
}

fn main() -> cornu::Result<()> {
    let seeds = argument("--seeds", 1)?;
    set_random_seed(1);
    let reviews = movie_reviews::load()?;
    let bag_of_words = reviews.bag_of_words(WORDS)?;
    let inputs = [
        reviews.sequences(WORDS, LENGTH, str::to_owned)?,
        reviews.sequences(WORDS, LENGTH, movie_reviews::beginnings)?,
    ];
    // How long it is trained was chosen, as all else of it, by parting the training sentences further.
    let steps = EPOCHS * inputs[0][0].shape()[0].div_ceil(BATCH);
    let network = || network(steps as u64);
    let options = || Fit::new().epochs(EPOCHS).batch_size(BATCH);
    reviews.compare(
        "Transformer",
        &inputs,
        bag_of_words,
        seeds,
        network,
        options,
    )
}
