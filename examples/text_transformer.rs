//! Whether a sentence out of a film review is favourable: Keras' Transformer block over its words,
//! beside a logistic regression on the bag of them.
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

/// Attention and two dense layers, each added to what came in and normalised.
fn transformer_block(x: &Symbol) -> Symbol {
    let attended = MultiHeadAttention::new(2, WIDTH / 2).on([x, x]);
    let attended = Dropout::new(0.3).on(&attended);
    let x = LayerNormalization::new().epsilon(1e-6).on(x + attended);
    let inner = Dense::new(WIDTH).activation("relu").on(&x);
    let inner = Dropout::new(0.3).on(Dense::new(WIDTH).on(&inner));
    LayerNormalization::new().epsilon(1e-6).on(&x + inner)
}

fn network() -> cornu::Result<Model> {
    let words = Input::new([LENGTH]).dtype("int32").symbol();
    let x = Embedding::new(WORDS, WIDTH).mask_zero(true).on(&words);
    // Whole words are dropped, and parts of the others.
    let x = Dropout::new(0.3).noise_shape([None, None, Some(1)]).on(&x);
    let x = transformer_block(&Dropout::new(0.5).on(&x));
    let x = GlobalAveragePooling1D::new().on(&x);
    let x = Dropout::new(0.5).on(&x);
    let y = Dense::new(1).activation("sigmoid").on(&x);
    let mut model = Model::new(&words, &y)?;
    model.compile("adam", "binary_crossentropy", ())?;
    Ok(model)
}

fn main() -> cornu::Result<()> {
    let seeds = argument("--seeds", 1)?;
    set_random_seed(1);
    let reviews = movie_reviews::load()?;
    let bag_of_words = reviews.bag_of_words(WORDS)?;
    let sequences = reviews.sequences(WORDS, LENGTH)?;
    reviews.compare("Transformer", &sequences, bag_of_words, seeds, network)
}
