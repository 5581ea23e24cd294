//! Whether a sentence out of a film review is favourable: an LSTM over its words and what they begin with, beside
//! a logistic regression on the bag of them.
//!
//! ```sh
//! cargo run --release --example text_lstm -- [--seeds 3]
//! ```

use arguments::argument;
use cornu::prelude::*;

mod arguments;
mod movie_reviews;

const LENGTH: usize = 40;
const WORDS: usize = 10_000;
const EPOCHS: usize = 6;
const BATCH: usize = 64;

/// Words as vectors, an LSTM over them, and how sure it is that they are favourable.
fn network(steps: u64) -> cornu::Result<Model> {
    let (inputs, x) = movie_reviews::vectors(WORDS, LENGTH, 64);
    let x = LSTM::new(64).on(Dropout::new(0.5).on(&x));
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
    let steps = EPOCHS * inputs[0][0].shape()[0].div_ceil(BATCH);
    let network = || network(steps as u64);
    let options = || Fit::new().epochs(EPOCHS).batch_size(BATCH);
    reviews.compare("LSTM", &inputs, bag_of_words, seeds, network, options)
}
