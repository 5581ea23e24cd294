//! Whether a sentence out of a film review is favourable: an LSTM over its words, beside a logistic
//! regression on the bag of them.
//!
//! ```sh
//! cargo run --release --example text_lstm
//! ```

use cornu::prelude::*;

mod movie_reviews;

const LENGTH: usize = 40;
const WORDS: usize = 10_000;

fn main() -> cornu::Result<()> {
    set_random_seed(1);
    let reviews = movie_reviews::load()?;
    let bag_of_words = reviews.bag_of_words(WORDS)?;
    let (train, test) = reviews.sequences(WORDS, LENGTH)?;

    let mut model = Sequential::new();
    model.add(Input::new([LENGTH]).dtype("int32"));
    model.add(Embedding::new(WORDS, 64).mask_zero(true));
    model.add(Dropout::new(0.5));
    model.add(LSTM::new(64));
    model.add(Dropout::new(0.5));
    model.add(Dense::new(1).activation("sigmoid"));
    model.compile("adam", "binary_crossentropy", ())?;
    println!("{}", model.summary());
    model.fit(
        &train,
        &reviews.train_sureness,
        Fit::new().epochs(3).verbose(2),
    )?;
    let accuracy = reviews.test_accuracy(&model.predict(&test)?)?;
    println!("bag of words, logistic regression: test accuracy {bag_of_words:.4}");
    println!("LSTM: test accuracy {accuracy:.4}");
    Ok(())
}
