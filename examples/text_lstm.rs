//! Whether a sentence out of a film review is favourable: an LSTM over its words, beside a logistic
//! regression on the bag of them.
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

/// Words as vectors, an LSTM over them, and how sure it is that they are favourable.
fn network() -> cornu::Result<Model> {
    let mut model = Sequential::new();
    model.add(Input::new([LENGTH]).dtype("int32"));
    model.add(Embedding::new(WORDS, 64).mask_zero(true));
    model.add(Dropout::new(0.5));
    model.add(LSTM::new(64));
    model.add(Dropout::new(0.5));
    model.add(Dense::new(1).activation("sigmoid"));
    model.compile("adam", "binary_crossentropy", ())?;
    Ok(model.into())
}

fn main() -> cornu::Result<()> {
    let seeds = argument("--seeds", 1)?;
    set_random_seed(1);
    let reviews = movie_reviews::load()?;
    let bag_of_words = reviews.bag_of_words(WORDS)?;
    let sequences = reviews.sequences(WORDS, LENGTH, str::to_owned)?;
    // Each is trained until it is best in validation.
    let options = || {
        let stop = EarlyStopping::new().patience(1).restore_best_weights(true);
        Fit::new().epochs(8).callback(stop)
    };
    reviews.compare("LSTM", &[sequences], bag_of_words, seeds, network, options)
}
