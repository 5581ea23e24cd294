//! Training by `fit` and by hand, and who sees what of it.

use cornu::callbacks::Trained;
use cornu::prelude::*;
use cornu::{Logs, Traced};
use std::cell::RefCell;

/// Numbers between -1 and 1, not all alike.
fn numbers(shape: &[usize]) -> Array {
    let n: usize = shape.iter().product();
    let values = (0..n).map(|i| ((i * 37 + 11) % 64) as f32 / 32.0 - 1.0);
    Array::from_vec(shape.to_vec(), values.collect::<Vec<f32>>()).unwrap()
}

fn quiet<'a>() -> Fit<'a> {
    Fit::new().verbose(0).shuffle(false)
}

/// A layer whose weights are held to 0 and more, and a penalty.
fn network() -> cornu::Result<Sequential> {
    set_random_seed(5);
    let mut model = Sequential::new();
    let first = Dense::new(4).kernel_constraint("non_neg");
    model.add(first.kernel_regularizer("l2").input_shape([3]));
    model.add(BatchNormalization::new());
    model.add(Dropout::new(0.5).seed(3));
    model.add(Dense::new(1).trainable(false));
    Ok(model)
}

#[test]
fn a_loop_by_hand_trains_as_fit_does() -> cornu::Result<()> {
    let (x, y) = (numbers(&[24, 3]), numbers(&[24, 1]));
    let mut fitted = network()?;
    let sgd = || SGD::new().learning_rate(0.1).momentum(0.5);
    fitted.compile(sgd(), "mse", ())?;
    let history = fitted.fit(&x, &y, quiet().batch_size(8).epochs(3))?;

    let mut model = network()?;
    model.build()?;
    let (started, weights) = (model.get_weights()?, model.weights());
    let mut optimizer = Optimizer::from(sgd());
    optimizer.build(&model.trainable_variables())?;
    let seeds = SeedGenerator::new(1);
    let step = cornu::try_function(move |batch| {
        let called = model.call_with(&batch[0], Some(&seeds.state()))?;
        let loss = Loss::from("mse").compute(&batch[1], &called.output, None, None);
        let loss = called
            .losses
            .iter()
            .fold(loss, |sum, penalty| sum + penalty);
        let mut updates = optimizer.minimize(&loss, &model.weights())?;
        updates.extend(called.updates);
        updates.push(seeds.advance());
        Ok(Traced {
            outputs: vec![loss],
            updates,
        })
    });
    let data = from_tensor_slices(&x, &y).batch(8);
    let mut means = Vec::new();
    for _ in 0..3 {
        let mut sum = 0.0;
        for batch in data.examples()? {
            let batch = batch?.into_arrays();
            sum += step.call(&[&batch[0], &batch[1]])?[0].item::<f64>()?;
        }
        means.push(sum / 3.0);
    }
    // Other draws of Dropout, so that only what they do not touch is the same.
    assert!(means.iter().chain(&history["loss"]).all(|l| l.is_finite()));
    let kernel = weights[0].variable.value();
    assert_ne!(kernel, started[0]);
    assert!(kernel.to_vec::<f32>().iter().all(|v| *v >= 0.0));
    let moved = |i: usize| weights[i].variable.value() != started[i];
    let names: Vec<&str> = weights.iter().map(|w| w.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "kernel",
            "bias",
            "gamma",
            "beta",
            "moving_mean",
            "moving_variance",
            "kernel",
            "bias"
        ]
    );
    assert!(moved(4) && moved(5), "the statistics are updated");
    assert!(!moved(6) && !moved(7), "what is frozen stays");
    Ok(())
}

#[test]
fn steps_by_hand_are_those_of_fit() -> cornu::Result<()> {
    let network = || -> cornu::Result<Sequential> {
        set_random_seed(5);
        let mut model = Sequential::new();
        let first = Dense::new(4)
            .activation("tanh")
            .kernel_constraint("max_norm");
        model.add(first.kernel_regularizer("l2").input_shape([3]));
        model.add(Dense::new(1));
        model.build()?;
        Ok(model)
    };
    let (x, y) = (numbers(&[8, 3]), numbers(&[8, 1]));
    let adam = || {
        Adam::new()
            .learning_rate(0.1)
            .clipnorm(0.5)
            .loss_scale_factor(16.0)
    };
    let mut fitted = network()?;
    fitted.compile(adam(), "mse", ())?;
    let history = fitted.fit(&x, &y, quiet().epochs(5))?;

    let model = network()?;
    let weights = model.weights();
    let mut optimizer = Optimizer::from(adam());
    optimizer.build(&model.trainable_variables())?;
    let step = cornu::try_function(move |batch| {
        let called = model.call_with(&batch[0], None)?;
        let loss = (called.output - &batch[1]).square().mean();
        let loss = called
            .losses
            .iter()
            .fold(loss, |sum, penalty| sum + penalty);
        let updates = optimizer.minimize(&loss, &model.weights())?;
        Ok(Traced {
            outputs: vec![loss],
            updates,
        })
    });
    for want in &history["loss"] {
        let got = step.call(&[&x, &y])?[0].item::<f64>()?;
        assert!((got - want).abs() < 1e-6, "{got} instead of {want}");
    }
    for (by_hand, fitted) in weights.iter().zip(fitted.get_weights()?) {
        let by_hand = by_hand.variable.value().to_vec::<f32>();
        for (a, b) in by_hand.iter().zip(fitted.to_vec::<f32>()) {
            assert!((a - b).abs() < 1e-6, "{a} and {b}");
        }
    }
    Ok(())
}

#[test]
fn a_step_that_cannot_be_traced_says_why() -> cornu::Result<()> {
    let mut model = Sequential::new();
    model.add(Dense::new(1).input_shape([2]));
    model.build()?;
    let optimizer = Optimizer::from("sgd");
    let step = cornu::try_function(move |x| {
        let loss = model.call(&x[0])?.mean();
        let updates = optimizer.minimize(&loss, &model.weights())?;
        Ok(Traced {
            outputs: vec![loss],
            updates,
        })
    });
    let message = |x: Array| step.call(&[&x]).unwrap_err().to_string();
    assert_eq!(
        message(numbers(&[4, 3])),
        "x does not fit the model \"sequential\": expected shape (None, 2). Received: (4, 3)."
    );
    assert_eq!(
        message(numbers(&[4, 2])),
        "Optimizer \"sgd\" has to be built for its variables before apply()."
    );
    Ok(())
}

/// A sequence classifier: three classes at each of five steps.
fn tagger(loss: &str) -> cornu::Result<Sequential> {
    set_random_seed(5);
    let mut model = Sequential::new();
    model.add(Dense::new(3).activation("softmax").input_shape([5, 2]));
    let compile = Compile::new("sgd", loss);
    model.compile_with(compile.metrics(["accuracy"]).weighted_metrics(["accuracy"]))?;
    Ok(model)
}

#[test]
fn class_weights_of_sequences_weight_their_steps() -> cornu::Result<()> {
    let classes: Vec<i32> = (0..30).map(|i| (i * i + i / 4) % 3).collect();
    let x = numbers(&[6, 5, 2]);
    let labels = Array::from_vec([6, 5], classes.clone())?;
    let column = Array::from_vec([6, 5, 1], classes.clone())?;
    let one_hot = classes
        .iter()
        .flat_map(|c| [0, 1, 2].map(|k| f32::from(*c == k)));
    let one_hot = Array::from_vec([6, 5, 3], one_hot.collect::<Vec<f32>>())?;
    let weights = classes.iter().map(|c| [1.0, 0.25, 3.0][*c as usize]);
    let weights = Array::from_vec([6, 5], weights.collect::<Vec<f32>>())?;
    let of_classes = [(1, 0.25), (2, 3.0)];
    let sparse = "sparse_categorical_crossentropy";

    let want = tagger(sparse)?.fit(&x, &labels, quiet().sample_weight(&weights))?;
    let plain = tagger(sparse)?.fit(&x, &labels, quiet())?;
    assert_ne!(want["loss"], plain["loss"]);
    assert_eq!(want["accuracy"], plain["accuracy"]);
    assert_ne!(want["weighted_accuracy"], plain["weighted_accuracy"]);
    for (y, loss) in [
        (&labels, sparse),
        (&column, sparse),
        (&one_hot, "categorical_crossentropy"),
    ] {
        let got = tagger(loss)?.fit(&x, y, quiet().class_weight(of_classes))?;
        for name in ["loss", "accuracy", "weighted_accuracy"] {
            let (got, want) = (got[name][0], want[name][0]);
            assert!(
                (got - want).abs() < 1e-6,
                "{loss}, {name}: {got} instead of {want}"
            );
        }
        let data = from_tensor_slices(&x, y).batch(6);
        let streamed = tagger(loss)?.fit_dataset(&data, quiet().class_weight(of_classes))?;
        assert!((streamed["loss"][0] - want["loss"][0]).abs() < 1e-6);
        let logs = tagger(loss)?.train_on_batch_class_weighted(&x, y, &of_classes)?;
        assert!((logs["loss"] - want["loss"][0]).abs() < 1e-6);
    }
    Ok(())
}

/// Writes down every hook that is called.
fn witness(seen: &RefCell<Vec<String>>) -> LambdaCallback<'_> {
    let note = move |text: String| {
        seen.borrow_mut().push(text);
        Ok(())
    };
    LambdaCallback::new()
        .on_test_begin(move |_| note("test".to_string()))
        .on_test_batch_begin(move |_, batch| note(format!("test {batch}")))
        .on_test_batch_end(move |_, batch, logs| note(format!("tested {batch}: {}", logs.len())))
        .on_test_end(move |model, logs| note(format!("tested {}: {}", model.name(), logs.len())))
        .on_predict_begin(move |_| note("predict".to_string()))
        .on_predict_batch_begin(move |_, batch| note(format!("predict {batch}")))
        .on_predict_batch_end(move |_, batch| note(format!("predicted {batch}")))
        .on_predict_end(move |model| note(format!("predicted {}", model.learning_rate())))
}

#[test]
fn callbacks_see_tests_and_predictions() -> cornu::Result<()> {
    let (x, y) = (numbers(&[6, 3]), numbers(&[6, 1]));
    let mut model = Sequential::new().named("line");
    model.add(Dense::new(1).input_shape([3]));
    model.compile(SGD::new().learning_rate(0.5), "mse", ["mae"])?;
    let tested = [
        "test",
        "test 0",
        "tested 0: 2",
        "test 1",
        "tested 1: 2",
        "tested line: 2",
    ];
    let predicted = [
        "predict",
        "predict 0",
        "predicted 0",
        "predict 1",
        "predicted 1",
        "predicted 0.5",
    ];

    let seen = RefCell::default();
    let options = || Evaluate::new().verbose(0).callback(witness(&seen));
    model.evaluate_with(&x, &y, options().batch_size(4))?;
    assert_eq!(seen.take(), tested);
    let data = from_tensor_slices(&x, &y).batch(4);
    model.evaluate_dataset(&data, options())?;
    assert_eq!(seen.take(), tested);
    let options = quiet().validation_data(&x, &y).validation_batch_size(4);
    model.fit(&x, &y, options.callback(witness(&seen)))?;
    assert_eq!(seen.take(), tested);

    let options = || Predict::new().callback(witness(&seen));
    let whole = model.predict(&x)?;
    assert_eq!(model.predict_with(&x, options().batch_size(4))?, whole);
    assert_eq!(seen.take(), predicted);
    assert_eq!(
        model.predict_dataset(&data, options())?,
        vec![whole.clone()]
    );
    assert_eq!(seen.take(), predicted);
    let fails = LambdaCallback::new().on_predict_end(|_| Err(cornu::Error::new("no more")));
    let e = model.predict_with(&x, Predict::new().callback(fails));
    assert_eq!(e.unwrap_err().to_string(), "no more");
    assert_eq!(model.predict(&x)?, whole);
    Ok(())
}

/// Looks at single batches, and says nothing of wanting to.
#[derive(Default)]
struct Losses(Vec<f64>);

impl Callback for Losses {
    fn on_train_batch_end(
        &mut self,
        _: &mut dyn Trained,
        batch: usize,
        logs: &Logs,
    ) -> cornu::Result<()> {
        assert_eq!(batch, self.0.len() % 3);
        self.0.extend(logs.get("loss"));
        Ok(())
    }
}

#[test]
fn hooks_of_batches_are_called_without_being_asked_for() -> cornu::Result<()> {
    let (x, y) = (numbers(&[24, 3]), numbers(&[24, 1]));
    let mut model = network()?;
    model.compile("sgd", "mse", ())?;
    let mut losses = Losses::default();
    let options = quiet().batch_size(8).epochs(2).callback(&mut losses);
    let history = model.fit(&x, &y, options)?;
    assert_eq!(losses.0.len(), 6);
    assert_eq!([losses.0[2], losses.0[5]], history["loss"][..]);
    Ok(())
}

#[test]
fn averages_can_be_evaluated_and_asked() -> cornu::Result<()> {
    let (x, y) = (numbers(&[8, 3]), numbers(&[8, 1]));
    let mut model = Sequential::new();
    model.add(Dense::new(1).input_shape([3]));
    let sgd = SGD::new()
        .learning_rate(0.3)
        .use_ema(true)
        .ema_momentum(0.9);
    model.compile(sgd, "mse", ())?;
    for _ in 0..5 {
        model.train_on_batch(&x, &y)?;
    }
    let still = || Evaluate::new().verbose(0);
    let weights = model.get_weights()?;
    let of_weights = (model.evaluate_with(&x, &y, still())?, model.predict(&x)?);
    let of_averages = (
        model.evaluate_with(&x, &y, still().callback(SwapEMAWeights::new()))?,
        model.predict_with(&x, Predict::new().callback(SwapEMAWeights::new()))?,
    );
    assert_ne!(of_weights, of_averages);
    assert_eq!(model.get_weights()?, weights);
    model.optimizer()?.finalize()?;
    assert_eq!(model.evaluate_with(&x, &y, still())?, of_averages.0);
    assert_eq!(model.predict(&x)?, of_averages.1);
    Ok(())
}

#[test]
fn a_metric_of_several_values_is_shown_by_their_mean() -> cornu::Result<()> {
    let mut model = Sequential::new();
    model.add(Activation::new("linear").input_shape([3]));
    let each = metrics::Metric::from(metrics::F1Score::new());
    let all = metrics::F1Score::new().average("macro").name("macro");
    model.compile("sgd", "mse", [each, all])?;
    let x = numbers(&[9, 3]);
    let y = Array::from(&to_categorical(
        &ndarray::arr1(&[0, 1, 2, 0, 1, 2, 2, 2, 0]),
        3,
    )?);
    let scores = model.evaluate_with(&x, &y, Evaluate::new().verbose(0))?;
    assert!(scores["f1_score"] > 0.0);
    assert!(
        (scores["f1_score"] - scores["macro"]).abs() < 1e-6,
        "{scores}"
    );
    Ok(())
}
