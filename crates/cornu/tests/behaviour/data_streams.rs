//! Datasets: what they give, and models fitted on them.

use cornu::data::{
    Cardinality, Dataset, Example, from_generator, from_iterator, from_tensor_slices,
};
use cornu::prelude::*;
use cornu::utils::{Split, split_dataset, timeseries_dataset_from_array};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The numbers 0, 1, 2, …, as samples.
fn numbers(n: i32) -> impl Dataset + Send + Sync + 'static {
    from_iterator((0..n).map(|i| (Array::scalar(i as f32), Array::scalar(i))))
}

/// The inputs of all elements.
fn inputs(data: &dyn Dataset) -> cornu::Result<Vec<Vec<f32>>> {
    let x = |e: Example| e.x.first().unwrap().to_array().to_vec::<f32>();
    data.examples()?.map(|e| e.map(x)).collect()
}

fn flat(data: &dyn Dataset) -> Vec<f32> {
    inputs(data).unwrap().concat()
}

#[test]
fn elements_are_batched_taken_skipped_repeated_and_zipped() -> cornu::Result<()> {
    assert_eq!(
        inputs(&numbers(5).batch(2))?,
        [vec![0.0, 1.0], vec![2.0, 3.0], vec![4.0]]
    );
    let even = numbers(5).batch(2).drop_remainder(true);
    assert_eq!(
        (even.cardinality(), inputs(&even)?.len()),
        (Cardinality::Known(2), 2)
    );
    assert_eq!(flat(&numbers(9).skip(2).take(3)), [2.0, 3.0, 4.0]);
    assert_eq!(flat(&numbers(2).skip(5)), [0.0f32; 0]);
    assert_eq!(flat(&numbers(2).repeat(2)), [0.0, 1.0, 0.0, 1.0]);
    let endless = numbers(2).repeat(None);
    assert_eq!(endless.cardinality(), Cardinality::Infinite);
    assert_eq!(flat(&endless.take(5)), [0.0, 1.0, 0.0, 1.0, 0.0]);
    assert_eq!(flat(&numbers(0).repeat(None)), [0.0f32; 0]);

    let doubled = from_iterator((0..3).map(|i| (Array::scalar(2.0 * i as f32), ())));
    let plain = from_iterator((0..9).map(|i| (Array::scalar(i as f32), ())));
    let pairs = plain.zip(doubled).batch(9);
    assert_eq!(pairs.cardinality(), Cardinality::Known(1));
    let all = pairs.examples()?.next().unwrap()?;
    assert_eq!(
        all.y.first().unwrap().to_array().to_vec::<f32>(),
        [0.0, 2.0, 4.0]
    );
    let e = numbers(3)
        .zip(numbers(3))
        .examples()?
        .next()
        .unwrap()
        .unwrap_err();
    assert!(
        e.to_string().contains("zip takes datasets of inputs alone"),
        "{e}"
    );
    Ok(())
}

#[test]
fn a_shuffle_is_a_permutation_that_differs_from_pass_to_pass() {
    let data = numbers(100).shuffle(20).seed(3);
    let (first, second) = (flat(&data), flat(&data));
    assert_ne!(first, second);
    for mut order in [first.clone(), second] {
        assert!(order[..5].iter().all(|v| *v < 25.0), "{order:?}");
        order.sort_by(f32::total_cmp);
        assert_eq!(order, (0..100).map(|i| i as f32).collect::<Vec<_>>());
    }
    assert_eq!(flat(&numbers(100).shuffle(20).seed(3)), first);
    let fixed = numbers(50).shuffle(50).reshuffle_each_iteration(false);
    assert_eq!(flat(&fixed), flat(&fixed));
}

#[test]
fn a_cache_asks_once_and_keeps_whole_passes_only() -> cornu::Result<()> {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = made.clone();
    let data = numbers(6)
        .map(move |e| {
            counter.fetch_add(1, Ordering::Relaxed);
            Ok(e)
        })
        .cache();
    assert_eq!(data.examples()?.take(2).count(), 2);
    assert_eq!(inputs(&data)?.len(), 6);
    assert_eq!(made.load(Ordering::Relaxed), 8);
    assert_eq!(flat(&data), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(made.load(Ordering::Relaxed), 8);
    Ok(())
}

#[test]
fn prefetching_changes_nothing_but_who_works() -> cornu::Result<()> {
    let data = numbers(100).batch(7);
    let expected = inputs(&data)?;
    let ahead = data.prefetch(3);
    assert_eq!(inputs(&ahead)?, expected);
    assert_eq!(inputs(&ahead)?, expected);
    // A pass that is given up does not hinder the next.
    assert!(ahead.examples()?.next().is_some());
    assert_eq!(inputs(&ahead)?, expected);
    Ok(())
}

#[test]
fn what_goes_wrong_on_the_thread_comes_out_as_an_error() -> cornu::Result<()> {
    let failing = numbers(10).map(|e| match e.y.first().unwrap().to_array().item::<i32>()? {
        4 => Err(cornu::Error::new("number 4 is bad.")),
        _ => Ok(e),
    });
    let results: Vec<_> = failing.prefetch(2).examples()?.collect();
    assert_eq!(results.len(), 5);
    assert!(
        results[4]
            .as_ref()
            .unwrap_err()
            .to_string()
            .contains("number 4 is bad")
    );

    let panicking = numbers(10).map(|e| {
        let n = e.y.first().unwrap().to_array().item::<i32>()?;
        assert!(n < 3, "{n} is too many");
        Ok(e)
    });
    let panicking = panicking.prefetch(1);
    let last = panicking
        .examples()?
        .last()
        .unwrap()
        .unwrap_err()
        .to_string();
    assert!(last.contains("panicked: 3 is too many"), "{last}");
    let mut model = linear(1)?;
    let e = model
        .fit_dataset(&panicking.batch(2), quiet(1))
        .unwrap_err();
    assert!(e.to_string().contains("panicked"), "{e}");
    Ok(())
}

fn linear(features: usize) -> cornu::Result<Sequential> {
    let mut model = Sequential::new();
    model.add(
        Dense::new(1)
            .kernel_initializer("ones")
            .input_shape([features]),
    );
    model.compile(SGD::new().learning_rate(0.01), "mse", ["mae"])?;
    Ok(model)
}

fn quiet<'a>(epochs: usize) -> Fit<'a> {
    Fit::new().epochs(epochs).verbose(0)
}

#[test]
fn a_dataset_trains_as_its_arrays_do() -> cornu::Result<()> {
    let x = ndarray::Array2::from_shape_fn((50, 3), |(i, j)| ((i * 7 + j * 5) % 11) as f32 / 11.0);
    let y = ndarray::Array1::from_shape_fn(50, |i| i as f32 / 50.0);
    let w = ndarray::Array1::from_shape_fn(50, |i| (i % 3) as f32);
    let options = |on: Fit<'static>| on.shuffle(false);
    let arrays = linear(3)?.fit(
        &x,
        &y,
        options(quiet(3))
            .batch_size(16)
            .sample_weight(w.clone())
            .validation_data(x.clone(), y.clone()),
    )?;
    let data = from_tensor_slices(&x, &y).sample_weight(&w).batch(16);
    let held = from_tensor_slices(&x, &y).batch(16);
    let mut model = linear(3)?;
    let stream = model.fit_dataset(&data, quiet(3).validation_dataset(&held))?;
    for name in ["loss", "mae", "val_loss", "val_mae"] {
        assert_eq!(arrays[name], stream[name], "{name}");
    }
    let scores = model.evaluate_dataset(&held, Evaluate::new().verbose(0))?;
    assert_eq!(scores["loss"], stream["val_loss"][2]);
    let predicted = model.predict_dataset(&held, Predict::new())?;
    assert_eq!(predicted[0], model.predict(&x)?);
    Ok(())
}

#[test]
fn inputs_and_targets_by_name() -> cornu::Result<()> {
    let (a, b) = (
        Input::new([2]).name("a").symbol(),
        Input::new([1]).name("b").symbol(),
    );
    let p = Dense::new(1).name("p").on(&a);
    let q = Dense::new(1).name("q").on(&b);
    let mut model = Model::new([&a, &b], [&p, &q])?;
    model.compile("sgd", "mse", ())?;
    let samples = from_generator(|| {
        (0..10).map(|i| {
            let x = Inputs::new()
                .with("b", Array::from([i as f32]))
                .with("a", Array::from([1.0f32, i as f32]));
            let y = Inputs::new()
                .with("q", Array::from([1.0f32]))
                .with("p", Array::from([0.0f32]));
            Ok((x, y))
        })
    });
    let data = samples.batch(4);
    let history = model.fit_dataset(&data, quiet(2))?;
    assert!(history["p_loss"].len() == 2 && history["q_loss"].len() == 2);
    assert_eq!(
        model.predict_dataset(&data, Predict::new())?[1]
            .shape()
            .dims(),
        [10, 1]
    );
    let wrong = from_iterator((0..4).map(|i| {
        (
            Inputs::new()
                .with("c", Array::from([i as f32]))
                .with("a", Array::from([1.0f32, 2.0])),
            (),
        )
    }));
    let e = model.fit_dataset(&wrong.batch(2), quiet(1)).unwrap_err();
    assert!(e.to_string().contains("\"c\""), "{e}");
    Ok(())
}

/// The number of steps that `fit` tells callbacks, in each epoch.
fn steps_told(data: &dyn Dataset, options: Fit<'_>) -> cornu::Result<Vec<Option<usize>>> {
    struct Told<'t>(&'t mut Vec<Option<usize>>);
    impl Callback for Told<'_> {
        fn on_epoch_begin(
            &mut self,
            model: &mut dyn cornu::callbacks::Trained,
            _: usize,
        ) -> cornu::Result<()> {
            self.0.push(model.steps());
            Ok(())
        }
    }
    let mut told = Vec::new();
    linear(1)?.fit_dataset(data, options.callback(Told(&mut told)))?;
    Ok(told)
}

#[test]
fn lengths_are_learnt_and_epochs_go_on_where_they_should() -> cornu::Result<()> {
    let passes = Arc::new(AtomicUsize::new(0));
    let counter = passes.clone();
    let unknown = from_generator(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        (0..10).map(|i| Ok((Array::from([i as f32]), Array::from([i as f32]))))
    });
    let unknown = unknown.batch(4);
    assert_eq!(unknown.cardinality(), Cardinality::Unknown);
    assert_eq!(steps_told(&unknown, quiet(3))?, [None, Some(3), Some(3)]);
    assert_eq!(passes.swap(0, Ordering::Relaxed), 3);
    // Two epochs of three steps each take two passes; of one step each, one.
    steps_told(&unknown, quiet(2).steps_per_epoch(3))?;
    assert_eq!(passes.swap(0, Ordering::Relaxed), 2);
    steps_told(&unknown, quiet(3).steps_per_epoch(1))?;
    assert_eq!(passes.swap(0, Ordering::Relaxed), 1);
    let known = numbers(10).batch(4);
    assert_eq!(steps_told(&known, quiet(2))?, [Some(3), Some(3)]);
    assert_eq!(
        steps_told(&known.repeat(None), quiet(2).steps_per_epoch(5))?,
        [Some(5), Some(5)]
    );
    Ok(())
}

#[test]
fn what_cannot_be_is_refused() -> cornu::Result<()> {
    let refused = |data: &dyn Dataset, options: Fit<'_>| -> String {
        linear(1)
            .unwrap()
            .fit_dataset(data, options)
            .unwrap_err()
            .to_string()
    };
    let data = numbers(4).batch(2);
    for (options, expected) in [
        (quiet(1).batch_size(3), "batch_size is for arrays"),
        (
            quiet(1).validation_split(0.5),
            "validation_split is for arrays",
        ),
        (
            quiet(1).sample_weight(&[1.0f32, 2.0]),
            "sample_weight is for arrays",
        ),
    ] {
        let e = refused(&data, options);
        assert!(e.contains(expected), "{e}");
    }
    assert!(refused(&numbers(4).batch(2).repeat(None), quiet(1)).contains("steps_per_epoch"));
    assert!(refused(&numbers(0).batch(2), quiet(1)).contains("gave no batch"));
    assert!(refused(&numbers(4).batch(0), quiet(1)).contains("batch(0)"));
    assert!(refused(&numbers(4).shuffle(0).batch(2), quiet(1)).contains("shuffle(0)"));
    assert!(refused(&numbers(4).batch(2).prefetch(0), quiet(1)).contains("prefetch(0)"));
    let endless = numbers(4).batch(2).repeat(None);
    let held = quiet(1).validation_dataset(&endless);
    assert!(refused(&data, held).contains("validation_steps"));
    let ragged = from_iterator((1..4).map(|n| (Array::zeros(DType::F32, [n]), ())));
    let e = inputs(&ragged.batch(3)).unwrap_err().to_string();
    assert!(
        e.contains("float32(1,)") && e.contains("float32(2,)"),
        "{e}"
    );
    let e = inputs(&from_tensor_slices(&[1.0f32, 2.0], &[1.0f32]))
        .unwrap_err()
        .to_string();
    assert!(e.contains("2 and 1"), "{e}");

    let series = [0.0f32; 10];
    for (windows, expected) in [
        (
            timeseries_dataset_from_array(&series, (), 11),
            "sequence_length=11",
        ),
        (
            timeseries_dataset_from_array(&series, (), 0),
            "sequence_length=0",
        ),
        (
            timeseries_dataset_from_array(&series, (), 2).sampling_rate(0),
            "sampling_rate=0",
        ),
        (
            timeseries_dataset_from_array(&series, (), 2).sequence_stride(10),
            "sequence_stride=10",
        ),
        (
            timeseries_dataset_from_array(&series, (), 2).end_index(11),
            "end_index=11",
        ),
        (
            timeseries_dataset_from_array(&series, (), usize::MAX).sampling_rate(9),
            "sequence_length",
        ),
    ] {
        let e = windows.examples().err().unwrap().to_string();
        assert!(e.contains(expected), "{e}");
    }
    for (split, expected) in [
        (Split::new(), "neither"),
        (Split::new().left_size(1.5), "left_size=1.5"),
        (Split::new().right_size(4), "right_size=4"),
        (Split::new().left_size(3).right_size(2), "3 and 2"),
    ] {
        let e = split_dataset(&numbers(4), split).err().unwrap().to_string();
        assert!(e.contains(expected), "{e}");
    }
    Ok(())
}

#[test]
fn a_split_takes_from_both_ends() -> cornu::Result<()> {
    let (left, right) = split_dataset(&numbers(10), Split::new().left_size(0.3).right_size(2))?;
    assert_eq!(
        (flat(&left), flat(&right)),
        (vec![0.0, 1.0, 2.0], vec![8.0, 9.0])
    );
    let split = Split::new().left_size(5).shuffle(true).seed(1);
    let (left, right) = split_dataset(&numbers(10), split)?;
    let mut all = [flat(&left), flat(&right)].concat();
    assert_ne!(all, flat(&numbers(10)));
    all.sort_by(f32::total_cmp);
    assert_eq!(all, flat(&numbers(10)));
    Ok(())
}
