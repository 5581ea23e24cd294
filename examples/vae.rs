//! A variational autoencoder of MNIST: pictures through a few numbers drawn at random and back, trained
//! by a loop of one's own, compiled as one step; then digits that nobody wrote.
//!
//! ```sh
//! cargo run --release --example vae -- [--epochs 10] [--pictures FOLDER]
//! ```
//!
//! Writes `vae.bmp` into the folder (`pictures` if none is given): pictures for places all over the two numbers.

use arguments::argument;
use cornu::prelude::*;
use mnist_pixels::pixels;
use ndarray::Axis;
use sheet::sheet;
use std::ops::RangeInclusive;
use std::sync::Arc;

mod arguments;
mod mnist_pixels;
mod pictures;
mod sheet;

/// How many numbers stand for a picture.
const CODE: usize = 2;
/// Pictures along each side of the sheet.
const SHEET: usize = 15;

/// Draws from the normal distribution of a mean and a logarithm of the variance; outside training, the
/// mean.
#[derive(Debug)]
struct Sampling;

impl Layer for Sampling {
    fn class_name(&self) -> &str {
        "Sampling"
    }
    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }
    fn call(&self, cx: &mut Call, mean: &Tensor) -> Tensor {
        if !cx.training() {
            return mean.clone();
        }
        let noise = cx.random_normal(mean.shape().clone());
        mean + (&cx.inputs()[1] * 0.5).exp() * noise
    }
}

/// A picture's mean, logarithm of the variance, and a draw from them.
fn encoder() -> cornu::Result<Model> {
    let image = Input::new([784]).name("image").symbol();
    let hidden = Dense::new(256).activation("relu").on(&image);
    let hidden = Dense::new(64).activation("relu").on(&hidden);
    let mean = Dense::new(CODE).name("mean").on(&hidden);
    let spread = Dense::new(CODE).name("log_variance").on(&hidden);
    let drawn = Sampling.on([&mean, &spread]);
    Ok(Model::new(&image, [&mean, &spread, &drawn])?.named("encoder"))
}

fn decoder() -> cornu::Result<Model> {
    let code = Input::new([CODE]).name("code").symbol();
    let hidden = Dense::new(64).activation("relu").on(&code);
    let hidden = Dense::new(256).activation("relu").on(&hidden);
    let picture = Dense::new(784).activation("sigmoid").on(&hidden);
    Ok(Model::new(&code, &picture)?.named("decoder"))
}

/// Pictures for places between -2 and 2 along both numbers.
fn imagined(decoder: &Model) -> cornu::Result<Vec<f32>> {
    let place = |i: usize| 4.0 * i as f32 / (SHEET - 1) as f32 - 2.0;
    let codes = (0..SHEET * SHEET).flat_map(|i| [place(i % SHEET), place(i / SHEET)]);
    let codes = Array::from_vec([SHEET * SHEET, CODE], codes.collect::<Vec<f32>>())?;
    Ok(decoder.predict(&codes)?.to_vec::<f32>())
}

fn main() -> cornu::Result<()> {
    let epochs = argument("--epochs", 10)?;
    set_random_seed(1);
    let ((train, _), (test, _)) = datasets::mnist::load_data()?;
    let (train, test) = (pixels(train)?, pixels(test)?);
    let (encoder, decoder) = (Arc::new(encoder()?), Arc::new(decoder()?));

    let mut optimizer = Optimizer::from(Adam::new());
    let variables = [encoder.trainable_variables(), decoder.trainable_variables()];
    optimizer.build(&variables.concat())?;
    let (encode, decode, seeds) = (encoder.clone(), decoder.clone(), SeedGenerator::new(1));
    let step = cornu::try_function(move |batch| {
        let coded = encode.call_with(&batch[0], Some(&seeds.state()))?;
        let [mean, spread, drawn] = [0, 1, 2].map(|i| &coded.outputs[i]);
        let picture = decode.call(drawn)?;
        // Per picture: what it costs to tell the pixels, and how far the code is from chance.
        let pixels = Loss::from("binary_crossentropy").compute(&batch[0], &picture, None, None);
        let told = pixels * 784.0;
        let apart = mean.square() + spread.exp() - spread - 1.0;
        let apart = apart.sum_axes(&[-1], false).mean() * 0.5;
        let weights = [encode.weights(), decode.weights()].concat();
        let mut updates = optimizer.minimize(&(&told + &apart), &weights)?;
        updates.push(seeds.advance());
        let outputs = vec![told, apart];
        Ok(Traced { outputs, updates })
    });

    let data = from_tensor_slices(&train, ()).shuffle(20_000);
    let data = data.batch(128);
    for epoch in 0..epochs {
        let (mut told, mut apart, mut steps) = (0.0, 0.0, 0.0);
        for batch in data.examples()? {
            let losses = step.call(&[&batch?.into_arrays()[0]])?;
            told += losses[0].item::<f32>()?;
            apart += losses[1].item::<f32>()?;
            steps += 1.0;
        }
        let (told, apart) = (told / steps, apart / steps);
        println!(
            "epoch {}: reconstruction {told:.2}  divergence {apart:.2}",
            epoch + 1
        );
    }

    let codes = encoder.predict_all(&test)?;
    let pictures = decoder.predict(&codes[0])?.to_vec::<f32>();
    let pairs = test.iter().zip(&pictures);
    let error = pairs.map(|(a, b)| (a - b) * (a - b)).sum::<f32>() / test.len() as f32;
    let mean = train.mean_axis(Axis(0)).unwrap_or_default();
    let blur = (&test - &mean).mapv(|d| d * d).mean().unwrap_or(f32::NAN);
    let file = pictures::folder()?.join("vae.bmp");
    std::fs::write(&file, sheet(&imagined(&decoder)?, SHEET))?;
    println!("test_mse: {error:.4}  mse_of_the_mean_image: {blur:.4}");
    println!("digits that nobody wrote: {}", file.display());
    Ok(())
}
