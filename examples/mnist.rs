//! The MNIST digits with a network of two dense layers: data, definition, training, evaluation.

use cornu::prelude::*;

fn main() -> cornu::Result<()> {
    // 1. Data preparation
    let ((train_images, train_labels), (test_images, test_labels)) = datasets::mnist::load_data()?;
    let train_images = train_images
        .into_shape_with_order((60_000, 28 * 28))?
        .mapv(|p| f32::from(p) / 255.0);
    let test_images = test_images
        .into_shape_with_order((10_000, 28 * 28))?
        .mapv(|p| f32::from(p) / 255.0);
    let train_labels = to_categorical(&train_labels, 10)?;
    let test_labels = to_categorical(&test_labels, 10)?;

    // 2. Model definition
    let mut network = Sequential::new();
    network.add(Dense::new(512).activation("relu").input_shape([28 * 28]));
    network.add(Dense::new(10).activation("softmax"));
    network.compile("rmsprop", "categorical_crossentropy", ["accuracy"])?;

    // 3. Training
    network.fit(
        &train_images,
        &train_labels,
        Fit::new().epochs(5).batch_size(128),
    )?;

    // 4. Evaluation
    let scores = network.evaluate(&test_images, &test_labels)?;
    println!(
        "test_loss: {:.4}  test_acc: {:.4}",
        scores["loss"], scores["accuracy"]
    );
    Ok(())
}
