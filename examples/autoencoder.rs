//! An autoencoder of MNIST: 784 pixels through 32 numbers and back, measured against the mean image; ten digits
//! above what came back of them are written as `autoencoder.bmp`.
//!
//! ```sh
//! cargo run --release --example autoencoder -- [--epochs 10] [--pictures FOLDER]
//! ```

use arguments::argument;
use cornu::prelude::*;
use mnist_pixels::pixels;
use ndarray::{Axis, s};
use sheet::sheet;

mod arguments;
mod mnist_pixels;
mod pictures;
mod sheet;

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

    let written = test.slice(s![..10, ..]);
    let returned = autoencoder.predict(&written)?.to_vec::<f32>();
    let both = [written.iter().copied().collect(), returned].concat();
    let file = pictures::folder()?.join("autoencoder.bmp");
    std::fs::write(&file, sheet(&both, 10))?;
    println!("pictures: {}", file.display());
    Ok(())
}
