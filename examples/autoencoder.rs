//! An autoencoder of MNIST: 784 pixels through 32 numbers and back, measured against the mean image.
//!
//! ```sh
//! cargo run --release --example autoencoder -- [--epochs 10]
//! ```

use cornu::prelude::*;
use ndarray::{Array2, Array3, Axis};

fn argument(name: &str, default: usize) -> cornu::Result<usize> {
    let mut arguments = std::env::args().skip_while(|a| a != name).skip(1);
    let Some(text) = arguments.next() else {
        return Ok(default);
    };
    text.parse()
        .map_err(|_| cornu::Error::new(format!("{name} must be a number. Received: {text}.")))
}

fn pixels(images: Array3<u8>) -> cornu::Result<Array2<f32>> {
    let n = images.len_of(Axis(0));
    let flat = images
        .mapv(|p| f32::from(p) / 255.0)
        .into_shape_with_order((n, 784));
    flat.map_err(|e| cornu::Error::new(e.to_string()))
}

fn main() -> cornu::Result<()> {
    let epochs = argument("--epochs", 10)?;
    let ((train, _), (test, _)) = datasets::mnist::load_data()?;
    let (train, test) = (pixels(train)?, pixels(test)?);

    let image = Input::new([784]).name("image").symbol();
    let code = Dense::new(32).activation("relu").name("code").on(&image);
    let picture = Dense::new(784).activation("sigmoid").on(&code);
    let mut autoencoder = Model::new(&image, &picture)?.named("autoencoder");
    let encoder = Model::new(&image, &code)?.named("encoder");
    autoencoder.compile("adam", "binary_crossentropy", ["mse"])?;
    let options = Fit::new()
        .epochs(epochs)
        .batch_size(256)
        .validation_data(&test, &test);
    autoencoder.fit(&train, &train, options)?;

    let scores = autoencoder.evaluate_with(&test, &test, Evaluate::new().verbose(0))?;
    let codes = encoder.predict(&test)?;
    let mean = train.mean_axis(Axis(0)).unwrap_or_default();
    let blur = (&test - &mean).mapv(|d| d * d).mean().unwrap_or(f32::NAN);
    println!(
        "codes: {}  test_mse: {:.4}  mse_of_the_mean_image: {blur:.4}",
        codes.shape(),
        scores["mse"]
    );
    Ok(())
}
