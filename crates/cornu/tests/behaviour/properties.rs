//! What must hold of recurrent layers whatever their weights are.

use cornu::prelude::*;

/// A sequence of numbers between -1 and 1, not all alike.
fn sequence(shape: &[usize]) -> Array {
    let n: usize = shape.iter().product();
    let values = (0..n).map(|i| ((i * 37 + 11) % 64) as f64 / 32.0 - 1.0);
    Array::from_vec(Shape::from(shape), values.collect())
        .unwrap()
        .cast(DType::F32)
}

/// A model of one layer over such sequences.
fn model(layer: Box<dyn Layer>, shape: &[usize]) -> cornu::Result<Model> {
    let x = Input::new(shape[1..].to_vec())
        .batch_size(shape[0])
        .symbol();
    Model::new(&x, layer.on(&x))
}

fn close(a: &Array, b: &Array) {
    assert_eq!(a.shape(), b.shape());
    let pairs = a.to_vec::<f32>().into_iter().zip(b.to_vec::<f32>());
    pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{a} instead of {b}"));
}

/// A layer, and the shape of a sequence for it.
type Shaped = (Box<dyn Layer>, Vec<usize>);

/// Every recurrent layer, forward or backward, over `(2, 4, …)`.
fn walkers(backwards: bool) -> Vec<Shaped> {
    let flat = vec![2, 4, 3];
    vec![
        (
            LSTM::new(3)
                .go_backwards(backwards)
                .return_sequences(true)
                .into(),
            flat.clone(),
        ),
        (
            GRU::new(3)
                .go_backwards(backwards)
                .return_sequences(true)
                .into(),
            flat.clone(),
        ),
        (
            SimpleRNN::new(3)
                .go_backwards(backwards)
                .return_sequences(true)
                .into(),
            flat.clone(),
        ),
        (
            RNN::stacked([LSTMCell::new(3), LSTMCell::new(2)])
                .go_backwards(backwards)
                .return_sequences(true)
                .into(),
            flat,
        ),
        (
            ConvLSTM1D::new(2, 2)
                .go_backwards(backwards)
                .return_sequences(true)
                .into(),
            vec![2, 4, 5, 1],
        ),
    ]
}

#[test]
fn going_backwards_over_the_reversed_is_going_forwards() -> cornu::Result<()> {
    for ((ahead, shape), (back, _)) in walkers(false).into_iter().zip(walkers(true)) {
        let (ahead, mut back) = (model(ahead, &shape)?, model(back, &shape)?);
        back.set_weights(&ahead.get_weights()?)?;
        let x = Tensor::constant(sequence(&shape));
        close(&ahead.call(&x)?.eval()?, &back.call(&x.flip(1))?.eval()?);
    }
    Ok(())
}

#[test]
fn a_mask_of_ones_changes_nothing() -> cornu::Result<()> {
    for (layer, shape) in walkers(false).into_iter().chain(walkers(true)) {
        let model = model(layer, &shape)?;
        let x = Tensor::constant(sequence(&shape));
        let ones = Tensor::full([shape[0], shape[1]], 1.0, DType::Bool);
        let masked = model.call_masked(std::slice::from_ref(&x), &[Some(ones)], None)?;
        close(&masked.output.eval()?, &model.call(&x)?.eval()?);
    }
    Ok(())
}

#[test]
fn both_directions_are_two_layers() -> cornu::Result<()> {
    let shape = [2, 4, 3];
    let both = Bidirectional::new(GRU::new(3).return_sequences(true));
    let both = model(both.into(), &shape)?;
    let mut ahead = model(GRU::new(3).return_sequences(true).into(), &shape)?;
    let back = GRU::new(3).return_sequences(true).go_backwards(true);
    let mut back = model(back.into(), &shape)?;
    let weights = both.get_weights()?;
    ahead.set_weights(&weights[..3])?;
    back.set_weights(&weights[3..])?;
    let x = Tensor::constant(sequence(&shape));
    let merged = Tensor::concat(&[ahead.call(&x)?, back.call(&x)?.flip(1)], -1);
    close(&both.call(&x)?.eval()?, &merged.eval()?);
    Ok(())
}

/// Layers of one sample's shape, of which each step of a sequence may be one.
fn at_each_step() -> cornu::Result<Vec<Shaped>> {
    let x = Input::new([5, 2]).symbol();
    let inside = Model::new(&x, GRU::new(3).on(Conv1D::new(4, 2).on(&x)))?;
    Ok(vec![
        (Dense::new(3).into(), vec![2, 3, 4]),
        (Conv1D::new(3, 2).into(), vec![2, 3, 5, 2]),
        (LSTM::new(3).into(), vec![2, 3, 5, 2]),
        (BatchNormalization::new().into(), vec![2, 3, 4]),
        (LayerNormalization::new().into(), vec![2, 3, 4]),
        (MaxPooling2D::new(2).into(), vec![2, 3, 4, 6, 1]),
        (inside.into(), vec![2, 3, 5, 2]),
    ])
}

#[test]
fn a_layer_at_every_step_is_a_loop() -> cornu::Result<()> {
    for ((layer, shape), (same, _)) in at_each_step()?.into_iter().zip(at_each_step()?) {
        let mut all = model(TimeDistributed::new(layer).into(), &shape)?;
        let mut one = model(same, &[&shape[..1], &shape[2..]].concat())?;
        let weights = one.weights().into_iter().enumerate();
        let weights = weights.map(|(i, w)| {
            // Variances are positive.
            let own = sequence(w.variable.shape().dims());
            ((Tensor::constant(own) + 1.0 + 1.0 / (i + 1) as f64) * 0.5).eval()
        });
        let weights = weights.collect::<cornu::Result<Vec<Array>>>()?;
        one.set_weights(&weights)?;
        all.set_weights(&weights)?;
        let x = Tensor::constant(sequence(&shape));
        let steps = (0..shape[1]).map(|i| one.call(&x.narrow(1, i, 1).squeeze(1)));
        let steps = steps.collect::<cornu::Result<Vec<Tensor>>>()?;
        close(&all.call(&x)?.eval()?, &Tensor::stack(&steps, 1).eval()?);
    }
    Ok(())
}

#[test]
fn states_that_are_kept_make_two_batches_one_sequence() -> cornu::Result<()> {
    let whole = model(LSTM::new(3).into(), &[2, 4, 3])?;
    let mut half = model(LSTM::new(3).stateful(true).into(), &[2, 2, 3])?;
    half.set_weights(&whole.get_weights()?)?;
    let x = Tensor::constant(sequence(&[2, 4, 3]));
    half.predict(&x.narrow(1, 0, 2).eval()?)?;
    let last = half.predict(&x.narrow(1, 2, 2).eval()?)?;
    close(&last, &whole.call(&x)?.eval()?);
    Ok(())
}

#[test]
fn bad_input_is_refused_by_name_and_numbers() {
    let refused = |layer: Box<dyn Layer>, shape: &[usize], said: &str| {
        let error = model(layer, shape).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    };
    refused(
        LSTM::new(3).into(),
        &[2, 4],
        "LSTM expects (batch, steps, features)",
    );
    refused(LSTM::new(0).into(), &[2, 4, 3], "units=0");
    refused(ConvLSTM1D::new(2, 7).into(), &[2, 4, 5, 1], "does not fit");
    refused(ConvLSTM2D::new(0, 2).into(), &[2, 4, 5, 5, 1], "filters=0");
    refused(RNN::new(Dense::new(2)).into(), &[2, 4, 3], "expects a cell");
    refused(
        Bidirectional::new(Dense::new(2)).into(),
        &[2, 4, 3],
        "recurrent layer",
    );
    let mode = Bidirectional::new(LSTM::new(2)).merge_mode("cat");
    refused(mode.into(), &[2, 4, 3], "concat");
    let same = Bidirectional::new(LSTM::new(2)).backward_layer(LSTM::new(2));
    refused(same.into(), &[2, 4, 3], "opposite directions");
    refused(
        TimeDistributed::new(Dense::new(2)).into(),
        &[2, 4],
        "three axes",
    );
}
