//! What the golden files do not hold: errors that help, weights of fewer axes, finite gradients.

use cornu::losses::{
    CategoricalCrossentropy, Huber, Loss, LossFn, Reduction, SparseCategoricalCrossentropy,
};
use cornu::{Array, DType, Device, Eval, Result, Tensor, Variable, grad};
use serde_json::json;

fn eval(tensors: &[Tensor]) -> Vec<Array> {
    Device::new(cornu_core::Reference).eval(tensors).unwrap()
}

fn message(loss: &str, y_true: &[usize], y_pred: &[usize]) -> String {
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32);
    let (t, p) = (zeros(y_true), zeros(y_pred));
    let validated = Loss::from(loss).validate(t.ty(), p.ty());
    let computed = Loss::from(loss).compute(&t, &p, None, None).check();
    assert_eq!(
        validated.is_ok(),
        computed.is_ok(),
        "{loss} {y_true:?} {y_pred:?}"
    );
    validated.map_or_else(|e| e.to_string(), |()| String::new())
}

#[test]
fn shapes_that_fit() {
    for (loss, y_true, y_pred) in [
        ("mse", &[8, 1][..], &[8, 1][..]),
        ("mse", &[8], &[8, 1]),
        ("mse", &[8, 1], &[8]),
        ("mse", &[8], &[8]),
        ("mae", &[8, 5, 3], &[8, 5, 3]),
        ("binary_crossentropy", &[8], &[8, 1]),
        ("bce", &[8, 3], &[8, 3]),
        ("categorical_crossentropy", &[8, 10], &[8, 10]),
        ("categorical_crossentropy", &[8, 5, 10], &[8, 5, 10]),
        ("sparse_categorical_crossentropy", &[8], &[8, 10]),
        ("sparse_categorical_crossentropy", &[8, 1], &[8, 10]),
        ("sparse_categorical_crossentropy", &[8, 5], &[8, 5, 10]),
        ("crossentropy", &[8], &[8, 10]),
        ("crossentropy", &[8, 10], &[8, 10]),
        ("ce", &[8], &[8, 1]),
    ] {
        assert_eq!(
            message(loss, y_true, y_pred),
            "",
            "{loss} {y_true:?} {y_pred:?}"
        );
    }
}

#[test]
fn shapes_that_cannot_be() {
    for (loss, y_true, y_pred, part) in [
        ("mse", &[8, 3][..], &[8, 4][..], "one shape"),
        (
            "categorical_crossentropy",
            &[8],
            &[8, 10],
            "sparse_categorical_crossentropy",
        ),
        (
            "categorical_crossentropy",
            &[8, 1],
            &[8, 10],
            "to_categorical(labels, 10)",
        ),
        (
            "categorical_crossentropy",
            &[8, 12],
            &[8, 10],
            "targets have 12, the predictions 10",
        ),
        ("categorical_hinge", &[8], &[8, 10], "to_categorical"),
        (
            "sparse_categorical_crossentropy",
            &[8, 10],
            &[8, 10],
            "\"categorical_crossentropy\"",
        ),
        (
            "sparse_categorical_crossentropy",
            &[7],
            &[8, 10],
            "must have shape (8,)",
        ),
        ("binary_crossentropy", &[8], &[8, 2], "one unit"),
        ("binary_crossentropy", &[8, 3], &[8, 4], "one shape"),
    ] {
        let e = message(loss, y_true, y_pred);
        let loss = if loss == "mse" {
            "mean_squared_error"
        } else {
            loss
        };
        assert!(e.contains(part), "{loss} {y_true:?} {y_pred:?}: {e}");
        assert!(
            e.starts_with(&format!("Loss \"{loss}\": ")) && e.contains("Received: "),
            "{e}"
        );
    }
}

#[test]
fn a_wrong_string_comes_out_of_the_tensor() {
    let x = Tensor::constant([[1.0f32]]);
    let e = Loss::from("mean_square_error")
        .compute(&x, &x, None, None)
        .check()
        .unwrap_err();
    assert!(
        e.to_string()
            .contains("Did you mean \"mean_squared_error\""),
        "{e}"
    );
    assert!(Loss::from_config(&json!("mean_square_error")).is_err());
    assert!(Loss::from_config(&json!({"class_name": "Unknown", "config": {}})).is_err());
    let bad = json!({"class_name": "Huber", "config": {"reduction": "average"}});
    assert!(
        Loss::from_config(&bad)
            .unwrap_err()
            .to_string()
            .contains("Unknown reduction")
    );
}

#[test]
fn configurations_come_back() -> Result<()> {
    let loss = Loss::from(Huber::new().delta(0.3).name("h").reduction(Reduction::Sum));
    let json = loss.to_config();
    assert_eq!(json["config"]["delta"], 0.3);
    let back = Loss::from_config(&json)?;
    assert_eq!(back.to_config(), json);
    assert_eq!((back.name(), back.reduction()), ("h", Reduction::Sum));
    let function = json!({"module": "builtins", "class_name": "function", "config": "mse"});
    assert_eq!(Loss::from_config(&function)?.name(), "mse");
    // What is changed after the string is not lost.
    let sum = Loss::from("mse").with_reduction(Reduction::Sum).to_config();
    assert_eq!(Loss::from_config(&sum)?.reduction(), Reduction::Sum);
    Ok(())
}

/// A weight per sample weighs all of the sample's values, also where there are as many as samples.
#[test]
fn one_weight_per_sample() {
    let y_true = Tensor::zeros([2, 2, 1], DType::F32);
    let y_pred = Tensor::constant([[1.0f32, 1.0], [2.0, 2.0]]).reshape([2, 2, 1]);
    let weight = Tensor::constant([1.0f32, 0.0]);
    let loss = Loss::from("mse").with_reduction(Reduction::None);
    let y = eval(&[loss.compute(&y_true, &y_pred, Some(&weight), None)]);
    assert_eq!(y[0].to_vec::<f32>(), [1.0, 1.0, 0.0, 0.0]);
    let y_true = Tensor::zeros([2, 3, 1], DType::F32);
    let y = loss.compute(&y_true, &y_true, Some(&weight), None);
    assert_eq!(y.shape().dims(), [2, 3]);
}

#[test]
fn predictions_of_exactly_0_and_1_have_finite_gradients() {
    let p = Tensor::constant([[0.0f32, 1.0], [1.0, 0.0], [0.5, 0.5]]);
    let one_hot = Tensor::constant([[1.0f32, 0.0], [1.0, 0.0], [0.0, 1.0]]);
    let labels = Tensor::constant([0i32, 0, 1]);
    for (loss, t) in [
        ("categorical_crossentropy", &one_hot),
        ("binary_crossentropy", &one_hot),
        ("sparse_categorical_crossentropy", &labels),
        ("kl_divergence", &one_hot),
        ("binary_focal_crossentropy", &one_hot),
        ("categorical_focal_crossentropy", &one_hot),
    ] {
        let value = Loss::from(loss).compute(t, &p, None, None);
        let dp = grad(&value, &[&p]).remove(0);
        for a in eval(&[value, dp]) {
            assert!(
                a.to_vec::<f32>().iter().all(|v| v.is_finite()),
                "{loss}: {a:?}"
            );
        }
    }
}

#[test]
fn a_label_outside_the_classes_is_not_silently_0() {
    let p = Tensor::constant([[0.5f32, 0.5], [0.5, 0.5], [0.5, 0.5]]);
    let labels = Tensor::constant([1i32, 2, -1]);
    let loss = SparseCategoricalCrossentropy::new();
    let ignoring = SparseCategoricalCrossentropy::new().ignore_class(-1);
    let y = eval(&[loss.call(&labels, &p), ignoring.call(&labels, &p)]);
    let (a, b) = (y[0].to_vec::<f32>(), y[1].to_vec::<f32>());
    assert!(a[0].is_finite() && a[1].is_nan() && a[2].is_nan());
    assert!(b[1].is_nan() && b[2] == 0.0);
}

#[test]
fn half_precision_is_computed_in_f32() {
    let p = Tensor::constant([[0.25f32, 0.75]]).cast(DType::BF16);
    let t = Tensor::constant([[0.0f32, 1.0]]);
    let loss = Loss::from(CategoricalCrossentropy::new());
    let y = loss.compute(&t, &p, None, None);
    assert_eq!(y.dtype(), DType::F32);
    assert!((eval(&[y])[0].item::<f32>().unwrap() + 0.75f32.ln()).abs() < 1e-6);
}

#[test]
fn crossentropy_chooses_by_shape() {
    let p = Tensor::constant([[0.25f32, 0.75], [0.5, 0.5]]);
    let by_shape = |t: &Tensor, p: &Tensor| Loss::from("crossentropy").values(t, p);
    let sparse = Tensor::constant([1i32, 0]);
    let one_hot = Tensor::constant([[0.0f32, 1.0], [1.0, 0.0]]);
    let column = p.narrow(1, 0, 1);
    let y = eval(&[
        by_shape(&sparse, &p),
        Loss::from("sparse_categorical_crossentropy").values(&sparse, &p),
        by_shape(&one_hot, &p),
        Loss::from("categorical_crossentropy").values(&one_hot, &p),
        by_shape(&sparse, &column),
        Loss::from("binary_crossentropy").values(&sparse, &column),
    ]);
    assert_eq!(y[0], y[1]);
    assert_eq!(y[2], y[3]);
    assert_eq!(y[4], y[5]);
}

#[test]
fn labels_that_no_step_is_left_for_are_unlikely_but_finite() -> cornu::Result<()> {
    // Between equal labels there is a blank: three steps are needed.
    let labels = Tensor::constant([[1i32, 1]]);
    let of = |steps: usize| -> cornu::Result<(f32, Array)> {
        let logits = Variable::new("logits", Array::zeros(DType::F32, [1, steps, 3]));
        let loss = Loss::from("ctc").compute(&labels, &logits.tensor(), None, None);
        let slope = grad(&loss, &[&logits.tensor()]).remove(0).eval()?;
        Ok((loss.eval()?.item::<f32>()?, slope))
    };
    let ((enough, _), (few, slope)) = (of(3)?, of(2)?);
    assert!((enough - 3.0 * 3f32.ln()).abs() < 1e-5, "{enough}");
    assert!(few > 9e4 && few.is_finite(), "{few}");
    assert!(slope.to_vec::<f32>().iter().all(|v| v.is_finite()));
    Ok(())
}
