use super::*;
use crate::optimizers::schedules::ExponentialDecay;
use crate::optimizers::{Adam, SGD};
use cornu_core::function::Traced;
use cornu_core::passes::fuse::Group;
use cornu_core::passes::memory::plan;
use cornu_core::{Device, Function, Reference};
use cornu_core::{Program, TensorType};
use serde_json::json;

fn same(_: &Variable, t: &Tensor) -> Tensor {
    t.clone()
}

/// A compiled step over constant gradients.
fn compiled(optimizer: &Optimizer, gradients: &[(Variable, Tensor)]) -> Function {
    let updates = optimizer.apply(gradients, &same).unwrap();
    Function::new(&Device::new(Reference), move |_| Traced {
        outputs: vec![],
        updates: updates.clone(),
    })
}

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn names_are_keras_snake_case() {
    for (class, name) in [
        ("SGD", "sgd"),
        ("RMSprop", "rm_sprop"),
        ("AdamW", "adam_w"),
        ("Adafactor", "adafactor"),
        ("ScheduleFreeAdamW", "schedule_free_adam_w"),
    ] {
        assert_eq!(snake_case(class), name);
    }
}

#[test]
fn the_learning_rate_is_set_without_compiling_anew() {
    let w = Variable::new("w", [1.0f32]);
    let mut optimizer = Optimizer::from(SGD::new().learning_rate(0.5));
    optimizer.build(std::slice::from_ref(&w)).unwrap();
    let step = compiled(&optimizer, &[(w.clone(), Tensor::constant([1.0f32]))]);
    step.call(&[]).unwrap();
    optimizer.set_learning_rate(0.25).unwrap();
    step.call(&[]).unwrap();
    assert_eq!(w.value().to_vec::<f32>(), [0.25]);
    assert_eq!(optimizer.to_config()["learning_rate"], 0.25);
    assert!(message(optimizer.set_learning_rate(-1.0)).contains("learning_rate"));
}

#[test]
fn a_schedule_follows_the_steps_and_cannot_be_set() {
    let w = Variable::new("w", [0.0f32]);
    let mut optimizer =
        Optimizer::from(SGD::new().learning_rate(ExponentialDecay::new(1.0, 1, 0.5)));
    optimizer.build(std::slice::from_ref(&w)).unwrap();
    let step = compiled(&optimizer, &[(w.clone(), Tensor::constant([-1.0f32]))]);
    for rate in [1.0, 0.5, 0.25] {
        assert_eq!(optimizer.learning_rate(), rate);
        step.call(&[]).unwrap();
    }
    assert_eq!(w.value().to_vec::<f32>(), [1.75]);
    assert!(message(optimizer.set_learning_rate(0.1)).contains("schedule"));
    let names: Vec<String> = optimizer
        .variables()
        .iter()
        .map(|v| v.name().to_owned())
        .collect();
    assert_eq!(names, ["sgd/iteration"]);
}

#[test]
fn build_is_for_one_set_of_variables() {
    let (a, b) = (Variable::new("a", [1.0f32]), Variable::new("b", [1.0f32]));
    let mut optimizer = Optimizer::from(Adam::new());
    let one = Tensor::constant([1.0f32]);
    assert!(message(optimizer.apply(&[(a.clone(), one.clone())], &same)).contains("built"));
    optimizer.build(std::slice::from_ref(&a)).unwrap();
    let before = optimizer.variables();
    optimizer.build(std::slice::from_ref(&a)).unwrap();
    assert_eq!(before, optimizer.variables());
    assert!(message(optimizer.build(&[a.clone(), b.clone()])).contains("new set of variables"));
    let apply = |g: &[(Variable, Tensor)]| message(optimizer.apply(g, &same));
    assert!(apply(&[]).contains("no gradients"));
    assert!(apply(&[(b, one.clone())]).contains("\"b\""));
    assert!(apply(&[(a.clone(), one.clone()), (a.clone(), one)]).contains("Two gradients"));
    assert!(apply(&[(a, Tensor::zeros([3], DType::F32))]).contains("shape (3,)"));
    let ints = Variable::new("i", [1i32]);
    assert!(message(Optimizer::from(Adam::new()).build(&[ints])).contains("int32"));
}

#[test]
fn impossible_options_come_out_of_check_and_build() {
    let mut wrong = Optimizer::from(Adam::new().beta_1(1.0));
    assert!(message(wrong.check()).contains("beta_1 must be in the range [0, 1). Received: 1."));
    assert!(wrong.build(&[]).is_err());
    assert!(Optimizer::from(SGD::new().momentum(1.5)).check().is_err());
    assert!(Optimizer::from("momentum").check().is_err());
    let unknown_option = json!({"class_name": "SGD", "config": {"beta_1": 0.5}});
    assert!(message(Optimizer::deserialize(&unknown_option)).contains("beta_1"));
    assert!(message(Optimizer::deserialize(&json!({}))).contains("class_name"));
}

#[test]
fn sixteen_bit_variables_are_computed_in_f32() {
    let value = Array::from([1.0f32]).cast(DType::BF16);
    let w = Variable::new("w", value);
    let mut optimizer = Optimizer::from(Adam::new().learning_rate(0.5));
    optimizer.build(std::slice::from_ref(&w)).unwrap();
    assert!(
        optimizer.variables()[2..]
            .iter()
            .all(|v| v.dtype() == DType::BF16)
    );
    let step = compiled(&optimizer, &[(w.clone(), Tensor::constant([2.0f32]))]);
    step.call(&[]).unwrap();
    assert_eq!(w.value().to_vec::<f32>(), [0.5]);
}

#[test]
fn not_finite_gradients_do_not_vanish_in_global_clipping() {
    let (a, b) = (Variable::new("a", [1.0f32]), Variable::new("b", [1.0f32]));
    let mut optimizer = Optimizer::from(SGD::new().global_clipnorm(1.0));
    optimizer.build(&[a.clone(), b.clone()]).unwrap();
    let gradients = [
        (a.clone(), Tensor::constant([f32::INFINITY])),
        (b.clone(), Tensor::constant([1.0f32])),
    ];
    compiled(&optimizer, &gradients).call(&[]).unwrap();
    assert!(a.scalar().is_nan() && b.scalar().is_nan());
}

#[test]
fn the_loss_is_scaled() {
    let loss = Tensor::constant(Array::scalar(3.0f32));
    let optimizer = Optimizer::from(SGD::new().loss_scale_factor(4.0));
    let scaled = optimizer.scale_loss(&loss);
    let values = Device::new(Reference).eval(&[scaled]).unwrap();
    assert_eq!(values[0].to_vec::<f32>(), [12.0]);
    assert_eq!(Optimizer::from("sgd").scale_loss(&loss).id(), loss.id());
}

/// The kernels over the whole variable in one step, and the bytes of temporaries.
fn kernels(optimizer: impl Into<Optimizer>) -> (Vec<String>, usize) {
    let mut optimizer = optimizer.into();
    let w = Variable::new("w", Array::full(DType::F32, [40, 50], 1.0));
    optimizer.build(std::slice::from_ref(&w)).unwrap();
    let ty = TensorType {
        shape: [40, 50].into(),
        dtype: DType::F32,
    };
    let g = Tensor::input(0, [40, 50], DType::F32);
    let updates = optimizer.apply(&[(w, g)], &same).unwrap();
    let plan = plan(&Program::trace(&[ty], &[], &updates).unwrap());
    let large = plan.groups.iter().filter(|g| match g {
        Group::Elementwise(f) => f.size() > 1,
        _ => true,
    });
    (large.map(Group::describe).collect(), plan.arena)
}

#[test]
fn a_step_is_one_pass_over_the_weights_without_temporaries() {
    let all: Vec<Optimizer> = vec![
        "adadelta".into(),
        "adagrad".into(),
        "adam".into(),
        "adamax".into(),
        "adamw".into(),
        "ftrl".into(),
        "lion".into(),
        "nadam".into(),
        "rmsprop".into(),
        "schedulefreeadamw".into(),
        "sgd".into(),
        Adam::new()
            .amsgrad(true)
            .clipvalue(1.0)
            .use_ema(true)
            .into(),
        SGD::new()
            .momentum(0.9)
            .gradient_accumulation_steps(4)
            .into(),
    ];
    for optimizer in all {
        let name = optimizer.name().to_owned();
        let (kernels, arena) = kernels(optimizer);
        assert_eq!(kernels.len(), 1, "{name}: {kernels:#?}");
        assert!(arena < 40 * 50 * 4, "{name}: {arena} bytes of temporaries");
    }
}
