//! Keras' convolutional network on MNIST: trains, evaluates, prints the score.
//!
//! ```sh
//! cargo run --release --example mnist_convnet -- [--epochs 12] [--samples 60000]
//! ```

use arguments::argument;
use cornu::prelude::*;

mod arguments;

fn main() -> cornu::Result<()> {
    let epochs = argument("--epochs", 12)?;
    let samples = argument("--samples", 60_000)?.min(60_000);
    let ((x_train, y_train), (x_test, y_test)) = datasets::mnist::load_data()?;
    let scale = |images: ndarray::Array3<u8>, n: usize| {
        let pixels = images.mapv(|p| f32::from(p) / 255.0);
        let pixels = pixels.slice_move(ndarray::s![..n, .., ..]);
        pixels.insert_axis(ndarray::Axis(3))
    };
    let (x_train, x_test) = (scale(x_train, samples), scale(x_test, 10_000));
    let y_train = to_categorical(&y_train.slice(ndarray::s![..samples]).to_owned(), 10)?;
    let y_test = to_categorical(&y_test, 10)?;

    let mut model = Sequential::new();
    model.add(Input::new([28, 28, 1]));
    model.add(Conv2D::new(32, 3).activation("relu"));
    model.add(MaxPooling2D::new(2));
    model.add(Conv2D::new(64, 3).activation("relu"));
    model.add(MaxPooling2D::new(2));
    model.add(Flatten::new());
    model.add(Dropout::new(0.5));
    model.add(Dense::new(10).activation("softmax"));
    model.compile("adam", "categorical_crossentropy", ["accuracy"])?;
    println!("{}", model.summary());

    let options = Fit::new()
        .batch_size(128)
        .epochs(epochs)
        .validation_split(0.1);
    model.fit(&x_train, &y_train, options)?;

    let scores = model.evaluate_with(&x_test, &y_test, Evaluate::new().verbose(0))?;
    println!(
        "test_loss: {:.4}  test_acc: {:.4}",
        scores["loss"], scores["accuracy"]
    );
    Ok(())
}
