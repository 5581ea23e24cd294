//! Layers that draw: what their numbers are on average.

use cornu::layers::InputShape;
use cornu::prelude::*;

/// A layer's output for ones, in training.
fn drawn(layer: impl Into<Box<dyn Layer>>, shape: &[usize]) -> cornu::Result<Vec<f32>> {
    let mut model = Sequential::from_layers(vec![layer.into()]);
    model.build_for(&InputShape::batch_of(&shape[1..]))?;
    let ones = Tensor::full(shape.to_vec(), 1.0, DType::F32);
    let state = Tensor::constant([3i32, 1, 4]);
    Ok(model
        .call_with(&ones, Some(&state))?
        .output
        .eval()?
        .to_vec())
}

fn moments(values: &[f32]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let squares = values
        .iter()
        .map(|v| (f64::from(*v) - mean).powi(2))
        .sum::<f64>();
    (mean, (squares / n).sqrt())
}

#[test]
fn gaussian_noise_has_its_mean_and_deviation() -> cornu::Result<()> {
    let shape = [400, 500];
    // Four standard errors of 200,000 draws.
    let near = |got: f64, want: f64, deviation: f64| {
        assert!(
            (got - want).abs() < 4.0 * deviation / 200_000f64.sqrt(),
            "{got} for {want}"
        );
    };
    let (mean, deviation) = moments(&drawn(GaussianNoise::new(0.5), &shape)?);
    near(mean, 1.0, 0.5);
    near(deviation, 0.5, 0.5);
    let (mean, deviation) = moments(&drawn(GaussianDropout::new(0.2), &shape)?);
    near(mean, 1.0, 0.5);
    near(deviation, 0.5, 0.5);
    // A seeded layer repeats itself, and differs from another seed.
    let seeded = |seed| drawn(GaussianNoise::new(0.5).seed(seed), &shape);
    assert_eq!(seeded(1)?, seeded(1)?);
    assert_ne!(seeded(1)?, seeded(2)?);
    Ok(())
}

#[test]
fn alpha_dropout_takes_two_values_in_their_shares() -> cornu::Result<()> {
    let y = drawn(AlphaDropout::new(0.25), &[400, 500])?;
    let lowest = y.iter().copied().fold(f32::INFINITY, f32::min);
    let dropped = y.iter().filter(|v| **v == lowest).count() as f64 / y.len() as f64;
    assert!(
        (dropped - 0.25).abs() < 4.0 * (0.25f64 * 0.75 / 200_000.0).sqrt(),
        "{dropped}"
    );
    let other = y.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    assert!(y.iter().all(|v| *v == lowest || *v == other));
    Ok(())
}

#[test]
fn spatial_dropout_drops_whole_channels() -> cornu::Result<()> {
    let y = drawn(SpatialDropout2D::new(0.4), &[50, 3, 4, 40])?;
    for image in y.chunks(3 * 4 * 40) {
        for (i, v) in image.iter().enumerate() {
            assert_eq!(*v, image[i % 40]);
        }
    }
    let kept = y.iter().filter(|v| **v != 0.0).count() as f64 / y.len() as f64;
    assert!(
        (kept - 0.6).abs() < 4.0 * (0.24f64 / 2000.0).sqrt(),
        "{kept}"
    );
    assert!(y.iter().all(|v| *v == 0.0 || (v - 1.0 / 0.6).abs() < 1e-6));
    Ok(())
}

/// What attention of one head whose steps see all alike, and whose values and output are the steps
/// themselves, gives in training: the shares that were not dropped, `(steps, others)`.
fn shares(layer: impl Into<Box<dyn Layer>>, steps: usize) -> cornu::Result<Vec<f32>> {
    let mut model = Sequential::from_layers(vec![layer.into()]);
    model.build_for(&InputShape::batch_of([steps, steps]))?;
    let eye = || Tensor::eye(steps, DType::F32).eval();
    let weights = model.weights();
    let values = weights.iter().map(|w| {
        let looks = ["query", "key"]
            .iter()
            .any(|part| w.variable.name().contains(&format!("/{part}/")));
        match looks {
            true => Ok(Array::zeros(DType::F32, w.variable.shape().clone())),
            false => eye()?.reshape(w.variable.shape().clone()),
        }
    });
    let values = values.collect::<cornu::Result<Vec<Array>>>()?;
    drop(weights);
    model.set_weights(&values)?;
    let x = Tensor::constant(eye()?.reshape([1, steps, steps])?);
    let state = Tensor::constant([3i32, 1, 4]);
    Ok(model.call_with(&x, Some(&state))?.output.eval()?.to_vec())
}

#[test]
fn attention_drops_shares_and_scales_up_the_rest() -> cornu::Result<()> {
    let (steps, rate) = (200, 0.3);
    let one = MultiHeadAttention::new(1, steps)
        .use_bias(false)
        .dropout(rate);
    let groups = GroupedQueryAttention::new(steps, 1, 1)
        .use_bias(false)
        .dropout(rate);
    for shares in [shares(one, steps)?, shares(groups, steps)?] {
        let n = (steps * steps) as f64;
        let dropped = shares.iter().filter(|s| **s == 0.0).count() as f64 / n;
        // Four standard errors.
        let error = 4.0 * (rate * (1.0 - rate) / n).sqrt();
        assert!((dropped - rate).abs() < error, "{dropped}");
        let kept = (1.0 / steps as f64 / (1.0 - rate)) as f32;
        assert!(
            shares
                .iter()
                .all(|s| *s == 0.0 || (s / kept - 1.0).abs() < 1e-4)
        );
    }
    let seeded = |seed| {
        shares(
            MultiHeadAttention::new(1, 9)
                .use_bias(false)
                .dropout(rate)
                .seed(seed),
            9,
        )
    };
    assert_eq!(seeded(1)?, seeded(1)?);
    assert_ne!(seeded(1)?, seeded(2)?);
    Ok(())
}
