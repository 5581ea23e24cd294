//! Graphs of layers: shared layers, several inputs and outputs, models within models, what is wrong.

use cornu::layers::{Build, Call, InputShape, Layer};
use cornu::prelude::*;

fn ones(shape: [usize; 2]) -> Array {
    Tensor::full(shape, 1.0, DType::F32).eval().unwrap()
}

fn message<T>(result: cornu::Result<T>) -> String {
    match result {
        Ok(_) => "no error".to_string(),
        Err(e) => e.to_string(),
    }
}

#[test]
fn arithmetic_on_symbols_is_that_of_tensors() -> cornu::Result<()> {
    let (a, b) = (Input::new([2]).symbol(), Input::new([2]).symbol());
    let y = (&a + &b) * (&a - &b) * 2.0 - 1.0 + -&b / 4.0;
    let model = Model::new([&a, &b], &y)?;
    let (x, z) = (Array::from([[3.0f32, 1.0]]), Array::from([[1.0f32, 2.0]]));
    // 2 (a² − b²) − 1 − b/4
    assert_eq!(model.predict((&x, &z))?.to_vec::<f32>(), [14.75, -7.5]);
    // By name, in any order.
    let names = model.input_names()?;
    let named = Inputs::new().with(&names[1], &z).with(&names[0], &x);
    assert_eq!(model.predict(named)?.to_vec::<f32>(), [14.75, -7.5]);
    Ok(())
}

#[test]
fn a_shared_layer_has_its_weights_once_and_sums_its_gradients() -> cornu::Result<()> {
    let (a, b) = (Input::new([3]).symbol(), Input::new([3]).symbol());
    let shared = Dense::new(1)
        .kernel_initializer("ones")
        .use_bias(false)
        .shared();
    let y = shared.on(&a) + shared.on(&b) * 2.0;
    let model = Model::new([&a, &b], &y)?;
    assert_eq!(model.count_params()?, 3);
    let x = |v: f32| Tensor::full([1, 3], f64::from(v), DType::F32);
    let called = model.call_all(&[x(1.0), x(10.0)], None)?;
    let kernel = model.weights()[0].variable.tensor();
    let g = grad(&called.output.sum(), &[&kernel]).remove(0).eval()?;
    assert_eq!(g.to_vec::<f32>(), [21.0, 21.0, 21.0]);
    Ok(())
}

#[test]
fn models_share_layers_and_nest() -> cornu::Result<()> {
    let x = Input::new([4]).symbol();
    let latent = Dense::new(2).name("latent").on(&x);
    let encoder = Model::new(&x, &latent)?;
    let whole = Model::new(&x, Dense::new(4).name("decoder").on(&latent))?;
    assert_eq!(whole.weights()[0].variable, encoder.weights()[0].variable);

    let image = Input::new([4]).symbol();
    let outer = Model::new(&image, Dense::new(1).on((&encoder).on(&image)))?;
    assert_eq!(outer.weights()[0].variable, encoder.weights()[0].variable);
    let mut stack = Sequential::new();
    stack.add(&encoder);
    stack.add(Dense::new(1));
    stack.build_for(&InputShape::batch_of([4]))?;
    assert_eq!(stack.count_params()?, 4 * 2 + 2 + 2 + 1);
    // A stack that does not know its shape learns it where it is called.
    let mut inner = Sequential::new();
    inner.add(Dense::new(3));
    let y = inner.on(&image);
    assert_eq!(y.shape().to_string(), "(None, 3)");
    Ok(())
}

#[test]
fn two_inputs_and_two_outputs_learn() -> cornu::Result<()> {
    let a = Input::new([3]).name("a").symbol();
    let b = Input::new([2]).name("b").symbol();
    let hidden = Dense::new(8).activation("relu").on(&a) + Dense::new(8).on(&b);
    let first = Dense::new(1).name("first").on(&hidden);
    let second = Dense::new(1)
        .activation("sigmoid")
        .name("second")
        .on(&hidden);
    let mut model = Model::new([&a, &b], [&first, &second])?;
    let compile = || {
        Compile::optimizer(Adam::new().learning_rate(0.02))
            .loss_for("first", "mse")
            .loss_for("second", "binary_crossentropy")
            .loss_weight_for("second", 0.5)
            .metrics_for("first", ["mae"])
            .metrics_for("second", ["accuracy"])
    };
    model.compile_with(compile())?;
    let n = 64;
    let at = |i: usize, k: usize| ((i * 7 + k * 13) % 11) as f32 / 11.0 - 0.5;
    let xa: Vec<f32> = (0..n * 3).map(|i| at(i / 3, i % 3)).collect();
    let xb: Vec<f32> = (0..n * 2).map(|i| at(i / 2 + 5, i % 2)).collect();
    let y1: Vec<f32> = (0..n).map(|i| xa[i * 3] + xb[i * 2]).collect();
    let y2: Vec<i32> = y1.iter().map(|v| i32::from(*v > 0.0)).collect();
    let xa = Array::from_vec([n, 3], xa)?;
    let xb = Array::from_vec([n, 2], xb)?;
    let options = || Fit::new().epochs(60).verbose(0).batch_size(16);
    let history = model.fit((&xa, &xb), (&y1, &y2), options().validation_split(0.25))?;
    let names: Vec<&str> = history.last().unwrap().names().collect();
    assert_eq!(
        names,
        [
            "first_loss",
            "first_mae",
            "loss",
            "second_accuracy",
            "second_loss",
            "val_first_loss",
            "val_first_mae",
            "val_loss",
            "val_second_accuracy",
            "val_second_loss"
        ]
    );
    let scores = model.evaluate_with((&xa, &xb), (&y1, &y2), Evaluate::new().verbose(0))?;
    let sum = scores["first_loss"] + 0.5 * scores["second_loss"];
    assert!((scores["loss"] - sum).abs() < 1e-5);
    assert!(
        scores["first_mae"] < 0.1 && scores["second_accuracy"] > 0.9,
        "{scores}"
    );
    assert_eq!(model.predict_all((&xa, &xb))?.len(), 2);

    // Targets by name; an output without a loss needs none.
    model.compile_with(Compile::optimizer("sgd").loss_for("second", "binary_crossentropy"))?;
    model.fit(
        (&xa, &xb),
        Inputs::new().with("second", &y2),
        options().epochs(1),
    )?;
    Ok(())
}

/// A layer with two outputs and a loss of its own.
#[derive(Debug)]
struct Halves;

impl Layer for Halves {
    fn class_name(&self) -> &str {
        "Halves"
    }
    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> cornu::Result<()> {
        cx.weight("shift", [input.features()?])
            .initializer("zeros")
            .add()
    }
    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let x = x + cx.weight("shift");
        cx.add_loss(x.square().mean());
        cx.output(&x * 2.0);
        x
    }
}

#[test]
fn layers_with_several_outputs_and_losses_without_targets() -> cornu::Result<()> {
    let x = Input::new([2]).symbol();
    let halves = Halves.on_all(&x);
    let mut model = Model::new(&x, &halves)?;
    let y = model.predict_all(ones([1, 2]))?;
    assert_eq!(y[1].to_vec::<f32>(), [2.0, 2.0]);
    model.compile_with(Compile::optimizer(SGD::new().learning_rate(0.5)))?;
    let history = model.fit(ones([4, 2]), (), Fit::new().epochs(20).verbose(0))?;
    assert!(*history["loss"].last().unwrap() < 1e-4);
    Ok(())
}

#[test]
fn frozen_layers_do_not_change() -> cornu::Result<()> {
    let mut model = Sequential::new();
    model.add(Dense::new(3).input_shape([2]).name("base"));
    model.add(Dense::new(1));
    model.compile(SGD::new().learning_rate(0.1), "mse", ())?;
    model.set_layer_trainable("base", false)?;
    let before = model.get_weights()?;
    model.fit(ones([4, 2]), ones([4, 1]), Fit::new().verbose(0))?;
    let after = model.get_weights()?;
    assert_eq!(before[..2], after[..2]);
    assert_ne!(before[2], after[2]);
    model.set_trainable(false);
    let e = message(model.fit(ones([4, 2]), ones([4, 1]), Fit::new().verbose(0)));
    assert!(e.contains("no trainable weights"), "{e}");
    // As in Keras: everything is trained again, also what was frozen by itself.
    model.set_trainable(true);
    assert_eq!(model.trainable_variables().len(), 4);
    Ok(())
}

#[test]
fn freezing_a_model_freezes_all_inside() -> cornu::Result<()> {
    // The counts are Keras' for these models and steps, but for one.
    let x = Input::new([4]).symbol();
    let inner = Dense::new(3).name("first").on(&x);
    let inner = Model::new(&x, Dense::new(2).name("second").on(&inner))?.named("inner");
    let z = Input::new([4]).symbol();
    let mut model = Model::new(&z, Dense::new(1).on((&inner).on(&z)))?;
    let trained = |model: &Model| model.trainable_variables().len();
    assert_eq!(trained(&model), 6);
    let mut inner = inner;
    inner.set_layer_trainable("first", false)?;
    assert_eq!(trained(&model), 4);
    model.set_layer_trainable("inner", false)?;
    assert_eq!(trained(&model), 2);
    inner.set_layer_trainable("second", true)?;
    assert_eq!(trained(&model), 2); // What is around it is frozen; Keras looks at the weights alone: 4.
    model.set_layer_trainable("inner", true)?;
    assert_eq!(trained(&model), 6);
    model.set_trainable(false);
    assert_eq!((trained(&model), trained(&inner)), (0, 0));
    model.set_trainable(true);
    assert_eq!(trained(&model), 6);
    Ok(())
}

#[test]
fn keras_order_of_layers() -> cornu::Result<()> {
    // Keras 3.15 gives this order for these calls.
    let a = Input::new([2]).name("a").symbol();
    let b = Input::new([2]).name("b").symbol();
    let far = Dense::new(2).name("far").on(&b);
    let near = Dense::new(2).name("near").on(&a);
    let far = Dense::new(2).name("farther").on(&far);
    let sum = Add::new().name("sum").on([&near, &far]);
    let model = Model::new([&a, &b], &sum)?;
    assert_eq!(
        model.layer_names(),
        ["b", "a", "far", "near", "farther", "sum"]
    );
    Ok(())
}

#[test]
fn what_cannot_be_is_said() {
    let x = Input::new([2]).name("x").symbol();
    let other = Input::new([3]).name("other").symbol();
    let y = Dense::new(2).on(&x);
    let cases = [
        (
            message(Model::new(&other, &y)),
            "The graph is disconnected: the outputs depend on the input \"x\", which is not among the model's inputs.",
        ),
        (
            message(Model::new(&x, &x + &other)),
            "Layer \"add\": Add expects inputs whose shapes broadcast. Received: (None, 2), (None, 3).",
        ),
        (
            message(Model::new(&x, Dense::new(0).on(&x))),
            "Layer \"dense\": units must be a positive integer. Received: units=0.",
        ),
        (
            message(Model::new(&x, Dense::new(1).name("x").on(&x))),
            "Layer names must be unique. Received: \"x\" twice.",
        ),
        (
            message(Model::new(&y, &y)),
            "The inputs of a model must come from Input. Received: an output of Dense.",
        ),
        (
            message(Model::new(&x, Dense::new(1).on([&x, &x]))),
            "Layer \"dense\": Dense takes one input. Received: 2.",
        ),
        (
            message(Model::new(&x, &y).and_then(|m| m.predict((ones([1, 2]), ones([1, 2]))))),
            "x must hold one array (\"x\"). Received: 2 arrays.",
        ),
        (
            message(
                Model::new(&x, &y).and_then(|m| m.predict(Inputs::new().with("y", ones([1, 2])))),
            ),
            "Unknown name in x \"y\". Did you mean \"x\"?",
        ),
        (
            message(
                Model::new([&x, &other], [&x * 2.0, &other * 2.0])
                    .and_then(|mut m| m.compile("sgd", "mse", ["mae"])),
            ),
            "The model \"functional\" has 2 outputs: say with metrics_for(output, …) which metrics are for \"rescaling\", \"rescaling_1\".",
        ),
    ];
    for (got, expected) in cases {
        assert_eq!(got, expected);
    }
}

#[test]
fn a_pipeline_is_its_layers_one_after_the_other() -> cornu::Result<()> {
    let layers = || -> Vec<Box<dyn Layer>> {
        vec![
            Masking::new().into(),
            Dense::new(3).activation("tanh").into(),
            LSTM::new(2).return_sequences(true).into(),
            Dense::new(3).into(),
        ]
    };
    let mut stack = Sequential::from_layers(layers());
    let mut line = Sequential::from_layers(vec![Pipeline::new(layers()).into()]);
    for model in [&mut stack, &mut line] {
        model.build_for(&cornu::layers::InputShape::batch_of([4, 2]))?;
    }
    line.set_weights(&stack.get_weights()?)?;
    let name = line.weights()[5].variable.name().to_string();
    assert_eq!(name, "pipeline/dense_1/kernel");
    // The second and the last step are masked, and with them what the recurrent layer sees.
    let x = [1.0f32, 2.0, 0.0, 0.0, -1.0, 0.5, 0.0, 0.0];
    let x = Array::from(x.to_vec()).reshape([1, 4, 2])?;
    let (got, want) = (line.predict(&x)?, stack.predict(&x)?);
    assert_eq!(got, want);
    let config = cornu::layers::to_config(&*line.layers()[0], "pipeline");
    let read = cornu::layers::from_config(&config)?;
    assert_eq!(cornu::layers::to_config(&*read, "pipeline"), config);
    let nothing: Vec<Box<dyn Layer>> = Vec::new();
    let mut empty = Sequential::from_layers(vec![Pipeline::new(nothing).into()]);
    empty.build_for(&cornu::layers::InputShape::batch_of([4, 2]))?;
    assert_eq!(empty.predict(&x)?, x);
    Ok(())
}
