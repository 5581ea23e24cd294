//! Layers that normalise, where Keras' golden values say nothing.

use cornu::layers;
use cornu::prelude::*;
use serde_json::json;

fn row() -> Array {
    Array::from([[60000.0f32, 60002.0, 59998.0, 60004.0]])
}

#[test]
fn sixteen_bit_inputs_are_normalised_in_single_precision() -> cornu::Result<()> {
    // The square of 300 is more than f16 holds, and its sum more than bf16 resolves.
    let x = Array::from([[300.0f32, 304.0, 296.0, 300.0]]);
    for (layer, want) in [
        (
            Box::<dyn Layer>::from(LayerNormalization::new().dtype("mixed_float16")),
            [0.0, 1.414, -1.414, 0.0],
        ),
        (
            RMSNormalization::new().dtype("mixed_float16").into(),
            [1.0, 1.013, 0.987, 1.0],
        ),
        (
            UnitNormalization::new().dtype("mixed_bfloat16").into(),
            [0.5, 0.506, 0.494, 0.5],
        ),
    ] {
        let mut model = Sequential::from_layers(vec![Input::new([4]).into(), layer]);
        model.build()?;
        let y = model.predict(&x)?.cast(DType::F32).to_vec::<f32>();
        for (y, want) in y.iter().zip(want) {
            assert!((y - want).abs() < 5e-3, "{y} instead of {want}");
        }
    }
    Ok(())
}

#[test]
fn large_means_leave_small_deviations() -> cornu::Result<()> {
    let mut model = Sequential::new();
    model.add(LayerNormalization::new().epsilon(0.0).input_shape([4]));
    model.build()?;
    let y = model.predict(row())?.to_vec::<f32>();
    // Deviations of −1, 1, −3 and 3 from 60001, of variance 5.
    for (y, deviation) in y.iter().zip([-1.0f32, 1.0, -3.0, 3.0]) {
        assert!((y - deviation / 5f32.sqrt()).abs() < 1e-6, "{y}");
    }
    Ok(())
}

#[test]
fn zeros_have_unit_normalizations_without_nan() -> cornu::Result<()> {
    let mut model = Sequential::new();
    model.add(UnitNormalization::new().input_shape([3]));
    model.build()?;
    let x = Tensor::constant([[0.0f32, 0.0, 0.0]]);
    let y = model.call(&x)?;
    assert_eq!(y.eval()?.to_vec::<f32>(), [0.0; 3]);
    let dx = grad(&y.sum(), &[&x]).remove(0).eval()?;
    assert!(dx.to_vec::<f32>().iter().all(|d| d.is_finite()));
    Ok(())
}

#[test]
fn training_moves_the_statistics_unless_frozen() -> cornu::Result<()> {
    let x = Array::from([[1.0f32], [3.0]]);
    for (trainable, mean, variance) in [(true, 1.0f32, 1.0f32), (false, 0.0, 1.0)] {
        let mut model = Sequential::new();
        let layer = BatchNormalization::new().momentum(0.5).name("bn");
        model.add(layer.trainable(trainable).input_shape([1]));
        model.add(Dense::new(1));
        model.compile(SGD::new(), "mse", ())?;
        model.fit(&x, &x, Fit::new().batch_size(2).verbose(0))?;
        let value = |name: &str| -> cornu::Result<f32> {
            let weights = model.weights();
            let weight = weights.iter().find(|w| w.name == name).unwrap();
            Ok(weight.variable.read().to_vec::<f32>()[0])
        };
        assert_eq!(value("moving_mean")?, mean);
        assert_eq!(value("moving_variance")?, variance);
    }
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |layer: Box<dyn Layer>, shape: &[usize]| {
        let mut model = Sequential::from_layers(vec![Input::new(shape).into(), layer]);
        model.build().unwrap_err().to_string()
    };
    let message = refused(GroupNormalization::new(3).into(), &[4]);
    assert!(message.contains("Received: groups=3"), "{message}");
    let message = refused(GroupNormalization::new(0).into(), &[4]);
    assert!(message.contains("Received: groups=0"), "{message}");
    let message = refused(LayerNormalization::new().axis([1, -1]).into(), &[4]);
    assert!(message.contains("once"), "{message}");
    let message = refused(BatchNormalization::new().axis(3).into(), &[4]);
    assert!(message.contains("3"), "{message}");
    let message = refused(BatchNormalization::new().axis(0).into(), &[4]);
    assert!(message.contains("must be known"), "{message}");

    for class in [
        "BatchNormalization",
        "LayerNormalization",
        "GroupNormalization",
    ] {
        let config = json!({"class_name": class, "config": {"gama_initializer": "ones"}});
        let message = layers::from_config(&config).unwrap_err().to_string();
        assert!(message.contains("gama_initializer"), "{message}");
    }
}
