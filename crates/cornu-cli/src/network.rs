//! The layers of a model that `cornu train` makes.

use crate::exit::Failure;
use crate::schema::{FLAGS, NUMBERS, Schema, moments};
use cornu::Array;
use cornu::models::{Functional, Model, Symbol};
use cornu::prelude::{
    Concatenate, Dense, Embedding, Flatten, Input, LayerOptions, NanToNum, Normalization,
    OutputMode, Rescaling, StringLookup,
};

/// A category with more values than this is a learned vector; one with fewer has a place for each value.
const MOST_PLACES: usize = 30;

/// What a model ends with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// One of so many classes.
    Classes(usize),
    /// A number of this mean and deviation.
    Number(f64, f64),
}

impl Goal {
    /// Of a model with an output of so many numbers: of two classes one may be told, or both.
    pub fn loss(self, width: usize) -> &'static str {
        match (self, width) {
            (Goal::Number(..), _) => "mse",
            (Goal::Classes(2), 1) => "binary_crossentropy",
            (Goal::Classes(_), _) => "sparse_categorical_crossentropy",
        }
    }

    pub fn metric(self) -> &'static str {
        match self {
            Goal::Number(..) => "mae",
            Goal::Classes(_) => "accuracy",
        }
    }

    /// The last layers: probabilities of classes, or a number in the target's own unit.
    fn end(self, x: &Symbol) -> Symbol {
        match self {
            Goal::Classes(2) => Dense::new(1).activation("sigmoid").on(x),
            Goal::Classes(n) => Dense::new(n).activation("softmax").on(x),
            Goal::Number(mean, deviation) => Rescaling::new(deviation)
                .offset(mean)
                .on(Dense::new(1).on(x)),
        }
    }
}

/// Where data enters a model, and the features that come of it.
pub struct Features {
    inputs: Vec<Symbol>,
    features: Symbol,
}

impl Features {
    /// The columns of a table: numbers at mean 0 and variance 1, whether they are missing, categories.
    /// Categories with many values become learned vectors, if that is wanted.
    pub fn of_table(schema: &Schema, vectors: bool) -> Features {
        let (mut inputs, mut parts) = (Vec::new(), Vec::new());
        if !schema.numbers.is_empty() {
            let input = Input::new([schema.numbers.len()]).name(NUMBERS).symbol();
            let of = |f: fn(&crate::schema::Number) -> f64| -> Vec<f64> {
                schema.numbers.iter().map(f).collect()
            };
            let scaled = Normalization::new().moments(of(|n| n.mean), of(|n| n.variance));
            // A missing number is taken for the mean, which is 0 here.
            parts.push(NanToNum::new().on(scaled.on(&input)));
            if schema.numbers.iter().any(|n| n.flag) {
                // 0 times a number is 0, unless it is missing.
                let gone = Rescaling::new(0.0).name(FLAGS[0]).on(&input);
                let missing = NanToNum::new().nan(1.0).name(FLAGS[1]).on(gone);
                // What was never missing in training has taught the model nothing about that.
                let flags = of(|n| f64::from(u8::from(n.flag)));
                parts.push(Rescaling::new(flags).name(FLAGS[2]).on(missing));
            }
            inputs.push(input);
        }
        for category in &schema.categories {
            let input = Input::new([1])
                .dtype("string")
                .name(category.input.as_str())
                .symbol();
            let places = category.values.len() + 1;
            let lookup = StringLookup::new().vocabulary(category.values.iter().map(String::as_str));
            parts.push(match vectors && places > MOST_PLACES {
                true => {
                    let width = (places as f64).sqrt().ceil() as usize;
                    let vector = Embedding::new(places, width).on(lookup.on(&input));
                    Flatten::new().on(vector)
                }
                false => lookup.output_mode(OutputMode::OneHot).on(&input),
            });
            inputs.push(input);
        }
        let features = match &parts[..] {
            [one] => one.clone(),
            several => Concatenate::new().on(several),
        };
        Features { inputs, features }
    }

    /// Arrays of one shape: pictures (whole numbers from 0 to 255) between 0 and 1, numbers in one row
    /// at mean 0 and variance 1.
    pub fn of_arrays(shape: &[usize], scale: &Scale) -> Features {
        let input = Input::new(shape.to_vec()).name("x").symbol();
        let features = match scale {
            Scale::Bytes => Rescaling::new(1.0 / 255.0).on(&input),
            Scale::Moments(mean, variance) => Normalization::new()
                .moments(mean.clone(), variance.clone())
                .on(&input),
            Scale::None => input.clone(),
        };
        Features {
            inputs: vec![input],
            features,
        }
    }

    /// The model with hidden layers as `mlp:64,64` asks for them.
    pub fn mlp(self, text: &str, goal: Goal) -> Result<Model, Failure> {
        let wrong = || {
            Failure::usage(format!(
                "--model mlp: takes sizes of layers, as mlp:64,64. Received: {text}."
            ))
        };
        let sizes = text.trim_start_matches("mlp:").split(',');
        let sizes = sizes.filter(|s| !s.is_empty()).map(|s| {
            let size = s.trim().parse().ok();
            size.filter(|n: &usize| *n > 0).ok_or_else(wrong)
        });
        let sizes = sizes.collect::<Result<Vec<_>, _>>()?;
        let mut x = self.features;
        if x.shape().rank() > 2 {
            x = Flatten::new().on(x);
        }
        for size in sizes {
            x = Dense::new(size).activation("relu").on(x);
        }
        Ok(Model::new(self.inputs, goal.end(&x))?)
    }

    /// The model in which another one takes the features.
    pub fn body(self, body: &Model) -> Result<Model, Failure> {
        Ok(Model::new(self.inputs, body.on(self.features))?)
    }
}

/// What is done to arrays before the first layer that learns.
#[derive(Debug)]
pub enum Scale {
    Bytes,
    Moments(Vec<f64>, Vec<f64>),
    None,
}

impl Scale {
    /// By the moments of each column of a matrix.
    pub fn of_columns(x: &Array) -> Scale {
        let width = x.shape().last().copied().unwrap_or(0);
        let values = x.to_vec::<f64>();
        let column = |i: usize| values.iter().skip(i).step_by(width.max(1)).copied();
        let of = (0..width).map(|i| moments(&column(i).collect::<Vec<f64>>()));
        let (mean, variance) = of.unzip();
        Scale::Moments(mean, variance)
    }
}
