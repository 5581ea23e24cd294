//! What masks do from the first layer to the loss and the metrics.

use cornu::prelude::*;

/// Numbers between -1 and 1, not all alike.
fn numbers(shape: &[usize]) -> Tensor {
    let n: usize = shape.iter().product();
    let values = (0..n).map(|i| ((i * 37 + 11) % 64) as f64 / 32.0 - 1.0);
    let values = Array::from_vec(Shape::from(shape), values.collect()).unwrap();
    Tensor::constant(values.cast(DType::F32))
}

/// A model of one layer over so many inputs, each of this shape.
fn alone(layer: Box<dyn Layer>, inputs: usize, shape: &[usize]) -> cornu::Result<Model> {
    let input = || {
        Input::new(shape[1..].to_vec())
            .batch_size(shape[0])
            .symbol()
    };
    let inputs: Vec<Symbol> = (0..inputs).map(|_| input()).collect();
    Model::new(&inputs, layer.on(&inputs))
}

/// Every layer that takes masks of steps, and how many inputs it takes, for samples of (4, 3).
fn masked() -> Vec<(Box<dyn Layer>, usize)> {
    macro_rules! all {
        ($($inputs:literal: $($layer:expr),+;)*) => { vec![$($(($layer.into(), $inputs)),+),*] };
    }
    all! {
        1: Activation::new("tanh"), ActivityRegularization::new().l2(0.1), AlphaDropout::new(0.3),
            BatchNormalization::new(), Bidirectional::new(LSTM::new(2)),
            Bidirectional::new(GRU::new(2).return_sequences(true)), Dense::new(2), Dropout::new(0.3),
            ELU::new(), GRU::new(2), GaussianDropout::new(0.3), GaussianNoise::new(0.3),
            GlobalAveragePooling1D::new(), GroupNormalization::new(3), Identity::new(), LSTM::new(2),
            LayerNormalization::new(), LeakyReLU::new(), Masking::new().mask_value(9.0), PReLU::new(),
            RNN::new(GRUCell::new(2)), RNN::stacked([LSTMCell::new(2), LSTMCell::new(3)]),
            ReLU::new(), NanToNum::new(), Rescaling::new(2.0), SimpleRNN::new(2).return_sequences(true),
            SpatialDropout1D::new(0.3), TimeDistributed::new(Dense::new(2)),
            UnitNormalization::new();
        2: Add::new(), AdditiveAttention::new(), Attention::new(), Average::new(), Concatenate::new(),
            Maximum::new(), Minimum::new(), MultiHeadAttention::new(2, 2), Multiply::new(),
            GroupedQueryAttention::new(2, 4, 2), Subtract::new();
        3: AdditiveAttention::new(), Attention::new(), MultiHeadAttention::new(2, 2).use_causal_mask(true);
    }
}

#[test]
fn a_mask_of_ones_changes_nothing() -> cornu::Result<()> {
    let random = Tensor::constant([1i32, 2, 3]);
    for (layer, inputs) in masked() {
        let name = format!("{layer:?}");
        let model = alone(layer, inputs, &[2, 4, 3])?;
        let xs = vec![numbers(&[2, 4, 3]); inputs];
        let ones = vec![Some(Tensor::full([2, 4], 1.0, DType::Bool)); inputs];
        for training in [None, Some(&random)] {
            let plain = model.call_masked(&xs, &vec![None; inputs], training)?;
            let masked = model.call_masked(&xs, &ones, training)?;
            let (want, got) = (plain.output.eval()?, masked.output.eval()?);
            let pairs = want.to_vec::<f32>().into_iter().zip(got.to_vec::<f32>());
            for (want, got) in pairs {
                assert!((want - got).abs() < 1e-5, "{name}: {got} instead of {want}");
            }
            for ((_, want), (variable, got)) in plain.updates.iter().zip(&masked.updates) {
                let (want, got) = (want.eval()?.to_vec::<f32>(), got.eval()?.to_vec::<f32>());
                let near = want.iter().zip(&got).all(|(w, g)| (w - g).abs() < 1e-5);
                assert!(
                    near,
                    "{name}, {}: {got:?} instead of {want:?}",
                    variable.name()
                );
            }
        }
    }
    Ok(())
}

#[test]
fn where_no_step_counts_nothing_is_nan() -> cornu::Result<()> {
    let random = Tensor::constant([1i32, 2, 3]);
    for (layer, inputs) in masked() {
        let name = format!("{layer:?}");
        let model = alone(layer, inputs, &[2, 4, 3])?;
        let xs = vec![Variable::new("x", numbers(&[2, 4, 3]).eval()?); inputs];
        let xs: Vec<Tensor> = xs.iter().map(Variable::tensor).collect();
        // The first sample lacks all its steps, the second none.
        let rows = Tensor::constant(Array::from([[false; 4], [true; 4]]));
        for training in [None, Some(&random)] {
            let called = model.call_masked(&xs, &vec![Some(rows.clone()); inputs], training)?;
            let weights = model.weights();
            let trained: Vec<Tensor> = weights.iter().map(|w| w.variable.tensor()).collect();
            let of: Vec<&Tensor> = xs.iter().chain(&trained).collect();
            let gradients = grad(&called.output.square().sum(), &of);
            let penalties = called.losses.iter().cloned();
            let all = std::iter::once(called.output.clone())
                .chain(gradients)
                .chain(penalties);
            for value in all {
                let finite = value.eval()?.to_vec::<f32>().iter().all(|v| v.is_finite());
                assert!(finite, "{name}: {:?}", value.eval()?);
            }
        }
    }
    Ok(())
}

#[test]
fn a_mask_of_another_shape_is_refused() -> cornu::Result<()> {
    for (layer, inputs) in masked() {
        let name = format!("{layer:?}");
        let model = alone(layer, inputs, &[2, 4, 3])?;
        let xs = vec![numbers(&[2, 4, 3]); inputs];
        for shape in [vec![2, 5], vec![3, 4], vec![2, 4, 3, 1]] {
            let mask = Tensor::full(shape.clone(), 1.0, DType::Bool);
            let called = model.call_masked(&xs, &vec![Some(mask); inputs], None);
            let shape = Shape::from(shape).to_string();
            match called {
                Ok(_) => panic!("{name} takes a mask of shape {shape}"),
                Err(e) => assert!(e.to_string().contains(&shape), "{name}: {e}"),
            }
        }
    }
    Ok(())
}

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
        let quiet = || Evaluate::new().verbose(0);
        let still = || Fit::new().verbose(0).batch_size(2);
        let want = model(metric)?.evaluate_with(&counted_x, &counted_y, quiet())?;
        let measured = model(metric)?.evaluate_with(&x, &y, quiet())?;
        let trained = model(metric)?.fit(&x, &y, still())?;
        for (figure, value) in want.iter() {
            let (got, seen) = (measured[figure], trained[figure][0]);
            assert!((got - value).abs() < 1e-6, "{metric}: {got}, not {value}");
            assert!((seen - value).abs() < 1e-6, "{metric}: {seen}, not {value}");
        }
    }
    Ok(())
}
