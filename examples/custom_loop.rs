//! A training loop by hand: forward pass, loss, gradients and optimizer compiled as one step.
//!
//! ```sh
//! cargo run --release --example custom_loop -- [--epochs 2]
//! ```

use arguments::argument;
use cornu::Traced;
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
    let weights: Vec<Variable> = model.weights().into_iter().map(|w| w.variable).collect();
    let mut optimizer = Optimizer::from(Adam::new());
    optimizer.build(&weights)?;
    let random = Variable::new("random", [1i32, 2, 0]);
    let of_labels = Loss::from(SparseCategoricalCrossentropy::new().from_logits(true));
    let network = model.clone();
    let step = cornu::function(move |batch| {
        let traced = || {
            let called = network.call_with(&batch[0], Some(&random.tensor()))?;
            let loss = of_labels.compute(&batch[1], &called.output, None, None);
            let tensors: Vec<Tensor> = weights.iter().map(Variable::tensor).collect();
            let gradients = grad(&loss, &tensors.iter().collect::<Vec<_>>());
            let pairs: Vec<(Variable, Tensor)> = weights.iter().cloned().zip(gradients).collect();
            let mut updates = optimizer.apply(&pairs, &|_, weight| weight.clone())?;
            updates.push((
                random.clone(),
                random.tensor() + Tensor::constant([0i32, 0, 1]),
            ));
            Ok(Traced {
                outputs: vec![loss],
                updates,
            })
        };
        traced().unwrap_or_else(|e: cornu::Error| Tensor::error(e).into())
    });

    let data = from_tensor_slices(images, labels.mapv(i32::from)).shuffle(20_000);
    let data = data.batch(128).prefetch(8);
    for epoch in 0..epochs {
        let (mut sum, mut steps) = (0.0, 0);
        for batch in data.examples()? {
            let batch = batch?;
            let arrays: Vec<Array> = batch
                .x
                .iter()
                .chain(batch.y.iter())
                .map(|d| d.to_array())
                .collect();
            sum += step.call(&[&arrays[0], &arrays[1]])?[0].item::<f32>()?;
            steps += 1;
        }
        println!("epoch {}: loss {:.4}", epoch + 1, sum / steps as f32);
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
