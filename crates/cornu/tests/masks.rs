//! What masks do from the first layer to the loss and the metrics.

use cornu::prelude::*;

/// Steps of which some do not count, and a model that says 0 or 1 at each.
fn model(metric: &str) -> cornu::Result<Sequential> {
    let mut model = Sequential::new();
    model.add(Masking::new().input_shape([3, 1]));
    model.add(Dense::new(1).activation("sigmoid"));
    model.compile("sgd", "mse", [metric])?;
    model.set_weights(&[Array::from([[1.0f32]]), Array::from([0.0f32])])?;
    Ok(model)
}

#[test]
fn what_is_masked_is_neither_lost_nor_measured() -> cornu::Result<()> {
    let x = Array::from([[[2.0f32], [0.0], [-1.0]], [[1.0], [0.0], [0.0]]]);
    let y = Array::from([[[1.0f32], [1.0], [1.0]], [[0.0], [1.0], [1.0]]]);
    let counted_x = Array::from([[[2.0f32], [-1.0], [1.0]]]);
    let counted_y = Array::from([[[1.0f32], [1.0], [0.0]]]);
    for metric in ["mae", "accuracy", "AUC", "Precision", "Recall"] {
        let still = || Fit::new().verbose(0).batch_size(2);
        let want = model(metric)?.evaluate(&counted_x, &counted_y)?;
        let measured = model(metric)?.evaluate(&x, &y)?;
        let trained = model(metric)?.fit(&x, &y, still())?;
        for (figure, value) in want.iter() {
            let (got, seen) = (measured[figure], trained[figure][0]);
            assert!((got - value).abs() < 1e-6, "{metric}: {got}, not {value}");
            assert!((seen - value).abs() < 1e-6, "{metric}: {seen}, not {value}");
        }
    }
    Ok(())
}
