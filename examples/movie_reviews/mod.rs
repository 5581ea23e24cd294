//! The film reviews, parted into those to learn from and those to be judged by, and the score to beat.

use cornu::prelude::*;
use cornu::preprocessing::{OutputMode, TextVectorization};

/// Sentences and whether they are favourable (1) or not (0).
pub struct Reviews {
    train: Vec<String>,
    /// How sure it is that a sentence is favourable, from its mean rating: 0.5 where people were undecided.
    pub train_sureness: Vec<f32>,
    train_labels: Vec<f32>,
    test: Vec<String>,
    test_labels: Vec<f32>,
}

/// Every fifth sentence is for the test.
pub fn load() -> cornu::Result<Reviews> {
    let mut reviews = Reviews {
        train: Vec::new(),
        train_sureness: Vec::new(),
        train_labels: Vec::new(),
        test: Vec::new(),
        test_labels: Vec::new(),
    };
    let (sentences, ratings) = datasets::movie_reviews::load()?;
    for (i, (sentence, rating)) in sentences.into_iter().zip(ratings).enumerate() {
        let label = f32::from(rating > 0.0);
        if i % 5 == 4 {
            reviews.test.push(sentence);
            reviews.test_labels.push(label);
        } else {
            reviews.train.push(sentence);
            reviews.train_labels.push(label);
            reviews
                .train_sureness
                .push(1.0 / (1.0 + (-2.0 * rating).exp()));
        }
    }
    Ok(reviews)
}

impl Reviews {
    /// The numbers of the words of the sentences, for training and test.
    pub fn sequences(&self, words: usize, length: usize) -> cornu::Result<(Array, Array)> {
        let mut vectorize = TextVectorization::new()
            .max_tokens(words)
            .output_sequence_length(length);
        vectorize.adapt(&self.train)?;
        Ok((vectorize.call(&self.train)?, vectorize.call(&self.test)?))
    }

    /// The test accuracy of a logistic regression on which words occur.
    pub fn bag_of_words(&self, words: usize) -> cornu::Result<f64> {
        let mut vectorize = TextVectorization::new()
            .max_tokens(words)
            .output_mode(OutputMode::MultiHot);
        vectorize.adapt(&self.train)?;
        let (train, test) = (vectorize.call(&self.train)?, vectorize.call(&self.test)?);
        // Scikit-learn's default penalty, 1/2 |w|² on the sum of the losses.
        let penalty = 0.5 / self.train.len() as f64;
        let mut model = Sequential::new();
        model.add(Input::new([vectorize.vocabulary_size()]));
        model.add(
            Dense::new(1)
                .activation("sigmoid")
                .kernel_regularizer(L2::new(penalty)),
        );
        model.compile(Adam::new().learning_rate(0.01), "binary_crossentropy", ())?;
        let options = Fit::new().epochs(60).batch_size(256).verbose(0);
        model.fit(&train, &self.train_labels, options)?;
        self.test_accuracy(&model.predict(&test)?)
    }

    /// The share of test sentences on which predicted probabilities fall to the right side of one half.
    pub fn test_accuracy(&self, predictions: &Array) -> cornu::Result<f64> {
        let pairs = predictions.as_slice::<f32>()?.iter().zip(&self.test_labels);
        let right = pairs.filter(|(p, label)| (**p > 0.5) == (**label == 1.0));
        Ok(right.count() as f64 / self.test_labels.len() as f64)
    }
}
