//! A training loop by hand: forward pass, loss, gradients and optimizer compiled as one step.
//!
//! ```sh
//! cargo run --release --example custom_loop -- [--epochs 2]
//! ```

use arguments::argument;
use cornu::prelude::*;
use mnist_pixels::pixels;
use std::sync::Arc;

mod arguments;
mod mnist_pixels;

fn main() -> cornu::Result<()> {
    let epochs = argument("--epochs", 2)?;
    let ((images, labels), (test_images, test_labels)) = datasets::mnist::load_data()?;
    let (images, test_images) = (pixels(images)?, pixels(test_images)?);

    let mut model = Sequential::new();
    model.add(Dense::new(128).activation("relu").input_shape([784]));
    model.add(Dropout::new(0.2));
    model.add(Dense::new(10));
    model.build()?;
    let model = Arc::new(model);

    // The step: what is written here once is compiled once, for each shape of batch.
    let mut optimizer = Optimizer::from(Adam::new());
    optimizer.build(&model.trainable_variables())?;
    let loss = Loss::from(SparseCategoricalCrossentropy::new().from_logits(true));
    let (network, seeds) = (model.clone(), SeedGenerator::new(1));
    let step = cornu::try_function(move |batch| {
        let called = network.call_with(&batch[0], Some(&seeds.state()))?;
        let lost = loss.compute(&batch[1], &called.output, None, None);
        let mut updates = optimizer.minimize(&lost, &network.weights())?;
        updates.push(seeds.advance());
        let outputs = vec![lost];
        Ok(Traced { outputs, updates })
    });

    let data = from_tensor_slices(images, labels.mapv(i32::from)).shuffle(20_000);
    let data = data.batch(128).prefetch(8);
    for epoch in 1..=epochs {
        let mut losses = Vec::new();
        for batch in data.examples()? {
            let batch = batch?.into_arrays();
            losses.push(step.call(&[&batch[0], &batch[1]])?[0].item::<f32>()?);
        }
        let mean = losses.iter().sum::<f32>() / losses.len() as f32;
        println!("epoch {epoch}: loss {mean:.4}");
    }

    let scores = model.predict(&test_images)?.to_vec::<f32>();
    let right = scores
        .chunks(10)
        .zip(&test_labels)
        .filter(|(scores, label)| {
            let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.is_some_and(|(class, _)| class == usize::from(**label))
        });
    println!(
        "test_acc: {:.4}",
        right.count() as f64 / test_labels.len() as f64
    );
    Ok(())
}
