//! Training in 16 bits with a scaled loss, and the bound on programs that a model keeps.

use cornu::prelude::*;

fn model(policy: &str, compile: Compile) -> cornu::Result<Sequential> {
    set_random_seed(5);
    let mut model = Sequential::new();
    model.add(
        Dense::new(8)
            .activation("tanh")
            .dtype(policy)
            .input_shape([2]),
    );
    model.add(Dense::new(1).dtype(policy));
    model.compile_with(compile)?;
    Ok(model)
}

fn data() -> (ndarray::Array2<f32>, ndarray::Array1<f32>) {
    let x = ndarray::Array2::from_shape_fn((64, 2), |(i, j)| ((i * 7 + j * 3) % 13) as f32 / 13.0);
    let y = x.map_axis(ndarray::Axis(1), |r| r[0] - 0.5 * r[1]);
    (x, y)
}

fn compile() -> Compile {
    Compile::new(SGD::new().learning_rate(0.2), "mse")
}

fn quiet<'a>(epochs: usize) -> Fit<'a> {
    Fit::new()
        .epochs(epochs)
        .batch_size(16)
        .verbose(0)
        .shuffle(false)
}

#[test]
fn mixed_float16_scales_the_loss_and_learns_as_float32_does() -> cornu::Result<()> {
    let (x, y) = data();
    let mut mixed = model("mixed_float16", compile())?;
    let mut full = model("float32", compile())?;
    let (a, b) = (mixed.fit(&x, &y, quiet(40))?, full.fit(&x, &y, quiet(40))?);
    assert!(
        mixed
            .weights()
            .iter()
            .all(|w| w.variable.dtype() == DType::F32)
    );
    assert_eq!(mixed.loss_scale(), Some(32768.0));
    assert_eq!(full.loss_scale(), None);
    let (first, last, exact) = (a["loss"][0], a["loss"][39], b["loss"][39]);
    assert!(
        last < first / 5.0 && (last - exact).abs() < 0.1 * exact,
        "{first} {last} {exact}"
    );
    let mut unscaled = model("mixed_float16", compile().auto_scale_loss(false))?;
    unscaled.fit(&x, &y, quiet(1))?;
    assert_eq!(unscaled.loss_scale(), None);
    Ok(())
}

#[test]
fn the_scale_doubles_after_finite_steps_and_halves_where_they_are_not() -> cornu::Result<()> {
    let (x, y) = data();
    let scale = LossScale::new().initial_scale(4.0).dynamic_growth_steps(3);
    let mut growing = model("float32", compile().loss_scale(scale))?;
    growing.fit(&x, &y, quiet(1))?; // four steps
    assert_eq!(growing.loss_scale(), Some(8.0));
    growing.fit(&x, &y, quiet(2))?; // twelve in all
    assert_eq!(growing.loss_scale(), Some(64.0));

    // 2^127 times anything that matters is not finite: the steps are skipped.
    let scale = LossScale::new().initial_scale(2f64.powi(127));
    let mut skipping = model("float32", compile().loss_scale(scale))?;
    let (far, before) = (&y + 1e4, skipping.get_weights()?);
    skipping.fit(&x, &far, quiet(1))?;
    assert_eq!(skipping.get_weights()?, before);
    assert_eq!(skipping.optimizer()?.iterations(), 0);
    assert_eq!(skipping.loss_scale(), Some(2f64.powi(123)));
    Ok(())
}

#[test]
fn a_scaled_loss_trains_to_the_same_weights() -> cornu::Result<()> {
    let (x, y) = data();
    let mut plain = model("float32", compile())?;
    let mut scaled = model("float32", compile().loss_scale(LossScale::new()))?;
    let (a, b) = (plain.fit(&x, &y, quiet(3))?, scaled.fit(&x, &y, quiet(3))?);
    for (a, b) in a["loss"].iter().zip(&b["loss"]) {
        assert!((a - b).abs() < 1e-6 * a.abs(), "{a} {b}");
    }
    Ok(())
}

#[test]
fn impossible_scales_are_refused() {
    for (scale, expected) in [
        (LossScale::new().initial_scale(0.0), "initial_scale=0"),
        (
            LossScale::new().initial_scale(f64::INFINITY),
            "initial_scale=inf",
        ),
        (
            LossScale::new().dynamic_growth_steps(0),
            "dynamic_growth_steps=0",
        ),
    ] {
        let e = model("float32", compile().loss_scale(scale)).unwrap_err();
        assert!(e.to_string().contains(expected), "{e}");
    }
}

#[test]
fn programs_for_shapes_of_batches_are_bounded() -> cornu::Result<()> {
    let mut model = Sequential::new();
    model.add(Input::from(cornu::layers::InputShape(vec![
        None,
        None,
        Some(2),
    ])));
    model.add(GlobalAveragePooling1D::new());
    model.add(Dense::new(1));
    model.compile("sgd", "mse", ())?;
    let batch = |steps: usize| Array::full(DType::F32, [4, steps, 2], 0.5);
    let y = [1.0f32, 0.0, 1.0, 0.0];
    for steps in 1..40 {
        model.train_on_batch(batch(steps), &y)?;
        // One that is used all the time stays.
        model.train_on_batch(batch(100), &y)?;
        assert!(model.kept_programs() <= 16);
    }
    assert_eq!(model.kept_programs(), 16);
    Ok(())
}
