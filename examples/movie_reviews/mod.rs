//! The film reviews, parted into those to learn from, to choose by and to be judged by, and the score to
//! beat.

use cornu::prelude::*;
use cornu::preprocessing::{OutputMode, TextVectorization};

/// Sentences and whether they are favourable.
#[derive(Default)]
pub struct Part {
    sentences: Vec<String>,
    /// 1 for favourable, 0 for not.
    labels: Vec<f32>,
    /// How sure it is that a sentence is favourable, from its mean rating: 0.5 where people were undecided.
    pub sureness: Vec<f32>,
}

/// Every fifth sentence is for the test, and every tenth of the others for validation.
#[derive(Default)]
pub struct Reviews {
    pub train: Part,
    pub validation: Part,
    pub test: Part,
}

/// How many letters of a word's beginning are looked at.
const LETTERS: usize = 5;

/// The first letters of each word: what "boring" and "boredom" have in common.
pub fn beginnings(sentence: &str) -> String {
    let beginning = |word: &str| -> String {
        let letters = word.chars().filter(|c| !c.is_ascii_punctuation());
        letters.take(LETTERS).collect()
    };
    let words: Vec<String> = sentence.split_whitespace().map(beginning).collect();
    words.join(" ")
}

/// What a network is given, the numbers of words and of beginnings, and the vectors that it makes of them: of each
/// word `width` numbers.
pub fn vectors(words: usize, length: usize, width: usize) -> ([Symbol; 2], Symbol) {
    let input = |name| Input::new([length]).dtype("int32").name(name).symbol();
    let inputs = ["words", "beginnings"].map(input);
    let table = |of: &Symbol| Embedding::new(words, width).mask_zero(true).on(of);
    // Of words that are dropped as a whole, only the beginnings are seen.
    let whole = Dropout::new(0.4).noise_shape([None, None, Some(1)]);
    let x = whole.on(table(&inputs[0])) + table(&inputs[1]);
    (inputs, x)
}

pub fn load() -> cornu::Result<Reviews> {
    let mut reviews = Reviews::default();
    let (sentences, ratings) = datasets::movie_reviews::load()?;
    for (i, (sentence, rating)) in sentences.into_iter().zip(ratings).enumerate() {
        let part = match (i % 5, i % 50) {
            (4, _) => &mut reviews.test,
            (_, 0..5) => &mut reviews.validation,
            _ => &mut reviews.train,
        };
        part.sentences.push(sentence);
        part.labels.push(f32::from(rating > 0.0));
        part.sureness.push(1.0 / (1.0 + (-2.0 * rating).exp()));
    }
    Ok(reviews)
}

impl Part {
    /// The share of sentences on which predicted probabilities fall to the right side of one half.
    pub fn accuracy(&self, predictions: &Array) -> cornu::Result<f64> {
        let pairs = predictions.as_slice::<f32>()?.iter().zip(&self.labels);
        let right = pairs.filter(|(p, label)| (**p > 0.5) == (**label == 1.0));
        Ok(right.count() as f64 / self.labels.len() as f64)
    }
}

impl Reviews {
    /// The sentences of the three parts, each changed, as numbers: which words occur, or their sequence.
    fn numbers(
        &self,
        mut how: TextVectorization,
        change: impl Fn(&str) -> String,
    ) -> cornu::Result<([Array; 3], usize)> {
        let of =
            |part: &Part| -> Vec<String> { part.sentences.iter().map(|s| change(s)).collect() };
        let [train, validation, test] = [&self.train, &self.validation, &self.test].map(of);
        how.adapt(&train)?;
        let parts = [how.call(&train)?, how.call(&validation)?, how.call(&test)?];
        Ok((parts, how.vocabulary_size()))
    }

    /// The numbers of the words of the sentences, each changed, for training, validation and test.
    pub fn sequences(
        &self,
        words: usize,
        length: usize,
        change: impl Fn(&str) -> String,
    ) -> cornu::Result<[Array; 3]> {
        let how = TextVectorization::new()
            .max_tokens(words)
            .output_sequence_length(length);
        Ok(self.numbers(how, change)?.0)
    }

    /// The test accuracy of a logistic regression on which words occur. It learns from what the networks
    /// learn from, with the penalty that is best in validation.
    pub fn bag_of_words(&self, words: usize) -> cornu::Result<f64> {
        let how = TextVectorization::new()
            .max_tokens(words)
            .output_mode(OutputMode::MultiHot);
        let ([train, validation, test], size) = self.numbers(how, str::to_owned)?;
        let (mut best, mut score) = (0.0, 0.0);
        for c in [0.1, 0.3, 1.0, 3.0, 10.0] {
            // Scikit-learn's C: a penalty of |w|² / 2C beside the sum of the losses.
            let penalty = 0.5 / (c * self.train.labels.len() as f64);
            let mut model = Sequential::new();
            let dense = Dense::new(1).activation("sigmoid");
            model.add(
                dense
                    .kernel_regularizer(L2::new(penalty))
                    .input_shape([size]),
            );
            model.compile(Adam::new().learning_rate(0.01), "binary_crossentropy", ())?;
            let options = Fit::new().epochs(40).batch_size(256).verbose(0);
            model.fit(&train, &self.train.sureness, options)?;
            let chosen_by = self.validation.accuracy(&model.predict(&validation)?)?;
            println!("bag of words, C {c}: validation accuracy {chosen_by:.4}");
            if chosen_by > best {
                (best, score) = (chosen_by, self.test.accuracy(&model.predict(&test)?)?);
            }
        }
        Ok(score)
    }

    /// Trains networks from several seeds and prints what they and the bag of words reach on the test. Each of
    /// the networks' inputs is told for the three parts.
    pub fn compare<'a>(
        &'a self,
        name: &str,
        inputs: &'a [[Array; 3]],
        bag_of_words: f64,
        seeds: usize,
        network: impl Fn() -> cornu::Result<Model>,
        options: impl Fn() -> Fit<'a>,
    ) -> cornu::Result<()> {
        let of_part = |part: usize| {
            let of_part = inputs.iter().map(|input| &input[part]);
            of_part.fold(Inputs::new(), Inputs::then)
        };
        let mut sum = 0.0;
        for seed in 1..=seeds {
            set_random_seed(seed as u64);
            let mut model = network()?;
            if seed == 1 {
                println!("{}", model.summary());
            }
            let options = options().verbose(2);
            let options = options.validation_data(of_part(1), &self.validation.sureness);
            model.fit(of_part(0), &self.train.sureness, options)?;
            let accuracy = self.test.accuracy(&model.predict(of_part(2))?)?;
            println!("{name}, seed {seed}: test accuracy {accuracy:.4}");
            sum += accuracy;
        }
        println!("bag of words, logistic regression: test accuracy {bag_of_words:.4}");
        println!("{name}: mean test accuracy {:.4}", sum / seeds as f64);
        Ok(())
    }
}
