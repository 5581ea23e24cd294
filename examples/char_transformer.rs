//! A small GPT that learns to write, character by character, from "Alice's Adventures in Wonderland".
//!
//! ```sh
//! cargo run --release --example char_transformer -- [--epochs 12] [--length 600]
//! ```

use arguments::argument;
use cornu::prelude::*;

mod arguments;

const CONTEXT: usize = 64;
const WIDTH: usize = 96;
const HEADS: usize = 4;
const BLOCKS: usize = 3;

/// Adds a learnt vector for each place in the text.
#[derive(Debug)]
struct Positions;

impl Layer for Positions {
    fn class_name(&self) -> &str {
        "Positions"
    }

    fn build(&self, cx: &mut Build, _: &InputShape) -> cornu::Result<()> {
        cx.weight("positions", [CONTEXT, WIDTH])
            .initializer(initializers::RandomNormal::new().stddev(0.02))
            .add()
    }

    fn call(&self, cx: &mut Call, x: &Tensor) -> Tensor {
        x + cx.weight("positions")
    }
}

fn block(x: &Symbol) -> Symbol {
    let normal = LayerNormalization::new().epsilon(1e-5).on(x);
    let attention = MultiHeadAttention::new(HEADS, WIDTH / HEADS)
        .use_causal_mask(true)
        .on([&normal, &normal]);
    let x = x + Dropout::new(0.1).on(&attention);
    let normal = LayerNormalization::new().epsilon(1e-5).on(&x);
    let inner = Dense::new(4 * WIDTH).activation("gelu").on(&normal);
    let inner = Dense::new(WIDTH).on(&inner);
    x + Dropout::new(0.1).on(&inner)
}

/// The text as numbers, and the characters that they stand for.
struct Alphabet {
    letters: Vec<char>,
}

impl Alphabet {
    fn of(text: &str) -> Alphabet {
        let letters = text.chars().collect::<std::collections::BTreeSet<_>>();
        Alphabet {
            letters: letters.into_iter().collect(),
        }
    }

    fn numbers(&self, text: &str) -> Vec<i32> {
        let number = |c| self.letters.binary_search(&c).map_or(0, |i| i as i32);
        text.chars().map(number).collect()
    }
}

/// Windows of the text, `step` apart, and the same one character on.
fn windows(text: &[i32], step: usize) -> cornu::Result<(Array, Array)> {
    let starts: Vec<usize> = (0..text.len() - CONTEXT).step_by(step).collect();
    let cut = |shift: usize| {
        let windows = starts.iter().flat_map(|s| &text[s + shift..][..CONTEXT]);
        Array::from_vec(
            [starts.len(), CONTEXT],
            windows.copied().collect::<Vec<i32>>(),
        )
    };
    Ok((cut(0)?, cut(1)?))
}

/// Nats per character of the pairs' frequencies, with one of each pair added.
fn bigram_loss(train: &[i32], test: &[i32], letters: usize) -> f64 {
    let mut counts = vec![1.0; letters * letters];
    for pair in train.windows(2) {
        counts[pair[0] as usize * letters + pair[1] as usize] += 1.0;
    }
    let loss = test.windows(2).map(|pair| {
        let row = &counts[pair[0] as usize * letters..][..letters];
        -(row[pair[1] as usize] / row.iter().sum::<f64>()).ln()
    });
    loss.sum::<f64>() / (test.len() - 1) as f64
}

/// Goes on from `start`, each character drawn from what the model expects.
fn write(
    model: &mut Model,
    alphabet: &Alphabet,
    start: &str,
    length: usize,
) -> cornu::Result<String> {
    let mut text = alphabet.numbers(start);
    let mut draw = 12_345u64;
    for _ in 0..length {
        let seen = &text[text.len().saturating_sub(CONTEXT)..];
        let mut input = seen.to_vec();
        // What comes after is not looked at.
        input.resize(CONTEXT, 0);
        let logits = model.predict_with(
            &Array::from_vec([1, CONTEXT], input)?,
            Predict::new().verbose(0),
        )?;
        let letters = alphabet.letters.len();
        let logits = &logits.as_slice::<f32>()?[(seen.len() - 1) * letters..][..letters];
        let most = logits.iter().copied().fold(f32::MIN, f32::max);
        // A little more decided than the model is.
        let weights: Vec<f32> = logits.iter().map(|l| ((l - most) / 0.7).exp()).collect();
        draw = draw
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let mut left = (draw >> 40) as f32 / (1u32 << 24) as f32 * weights.iter().sum::<f32>();
        let chosen = weights.iter().position(|w| {
            left -= w;
            left < 0.0
        });
        text.push(chosen.unwrap_or(letters - 1) as i32);
    }
    Ok(text.iter().map(|&i| alphabet.letters[i as usize]).collect())
}

fn main() -> cornu::Result<()> {
    let (epochs, length) = (argument("--epochs", 12)?, argument("--length", 600)?);
    set_random_seed(1);
    let text = datasets::alice::load()?;
    let alphabet = Alphabet::of(&text);
    let letters = alphabet.letters.len();
    let numbers = alphabet.numbers(&text);
    let (train, test) = numbers.split_at(numbers.len() * 9 / 10);
    let (x, y) = windows(train, 16)?;
    let (x_test, y_test) = windows(test, CONTEXT)?;

    let input = Input::new([CONTEXT]).dtype("int32").symbol();
    let mut x_ = Positions.on(Embedding::new(letters, WIDTH).on(&input));
    for _ in 0..BLOCKS {
        x_ = block(&x_);
    }
    let normal = LayerNormalization::new().epsilon(1e-5).on(&x_);
    let logits = Dense::new(letters).on(&normal);
    let mut model = Model::new(&input, &logits)?;
    model.compile(
        AdamW::new().learning_rate(2e-3),
        SparseCategoricalCrossentropy::new().from_logits(true),
        ["accuracy"],
    )?;
    println!("{}", model.summary());
    let options = Fit::new().epochs(epochs).batch_size(64).verbose(2);
    model.fit(&x, &y, options.validation_data(&x_test, &y_test))?;
    let loss = model.evaluate_with(&x_test, &y_test, Evaluate::new().verbose(0))?["loss"];
    println!(
        "pairs of characters: {:.4} nats per character",
        bigram_loss(train, test, letters)
    );
    println!("Transformer: {loss:.4} nats per character");
    println!("\n{}", write(&mut model, &alphabet, "Alice was ", length)?);
    Ok(())
}
