//! What layers that mix images with others of their batch share: MixUp and CutMix.

use super::augmentation::check_images;
use super::{Build, Call, InputShape};
use crate::{DType, Error, Result, Tensor};

/// The samples with others of their batch mixed in: `weight` of themselves, `(batch,)`, and the rest of those in
/// another order.
pub(super) fn mixed(x: &Tensor, order: &Tensor, weight: &Tensor) -> Tensor {
    let mut shape = vec![1; x.rank()];
    shape[0] = weight.size();
    let weight = weight.reshape(shape).cast(x.dtype());
    x * &weight + x.take(order, 0) * (1.0 - weight)
}

/// The samples with those in another order in places where a mask, `(batch, …)` or 1 along other axes, says so.
pub(super) fn pasted(x: &Tensor, order: &Tensor, mask: &Tensor) -> Tensor {
    mask.select(x.take(order, 0), x)
}

/// Which cells lie in a drawn part of an axis of length `n`: of the images' rank. The part is as long as the square
/// root of a share of the axis, and begins as far along what is left as `start` says.
pub(super) fn inside(axis: usize, n: usize, share: &Tensor, start: &Tensor) -> Tensor {
    let images = share.shape()[0];
    let length = share.sqrt() * n as f64;
    let from = start * (n as f64 - &length);
    let each = |t: Tensor| t.reshape([images, 1, 1, 1]);
    let (to, from) = (each(&from + length), each(from));
    let mut shape = [1; 4];
    shape[axis] = n;
    let at = Tensor::iota(shape, axis, DType::F32);
    at.ge(from).logical_and(at.lt(to))
}

/// Refuses what are no images, and labels that cannot be mixed.
pub(super) fn check_batch(class: &str, cx: &Build<'_>, input: &InputShape) -> Result<()> {
    check_images(class, input)?;
    match cx.inputs().get(1) {
        Some(labels) if labels.rank() != 2 => Err(Error::shape(format!(
            "{class} mixes labels that are vectors, (batch, classes), as to_categorical makes them. Received: \
             labels of shape {labels}."
        ))),
        _ => Ok(()),
    }
}

/// The labels as they are mixed, if there are any.
pub(super) fn labels(cx: &Call<'_>) -> Option<Tensor> {
    let dtype = cx.dtype();
    cx.inputs().get(1).map(|labels| labels.cast(dtype))
}

/// Uniform numbers in [0, 1) for each of `n` images, in `f32`: `(rows, n)`.
pub(super) fn numbers(cx: &mut Call<'_>, seed: Option<u32>, rows: usize, n: usize) -> Tensor {
    let all = match seed {
        None => cx.random_uniform([rows, n]),
        Some(seed) => cx.random_uniform_seeded(seed, [rows, n]),
    };
    all.cast(DType::F32)
}

/// A random order of a batch: the one that sorts a row of random numbers.
pub(super) fn order(numbers: &Tensor, row: usize) -> Tensor {
    let n = numbers.shape()[1];
    numbers.narrow(0, row, 1).reshape([n]).argsort(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Array, Eval};
    use serde_json::Value;

    fn array(v: &Value) -> Tensor {
        let list = |key: &str| v[key].as_array().unwrap().iter();
        let shape: Vec<usize> = list("shape")
            .map(|n| n.as_u64().unwrap() as usize)
            .collect();
        let data: Vec<f32> = list("data").map(|n| n.as_f64().unwrap() as f32).collect();
        Tensor::constant(Array::from_vec(shape, data).unwrap())
    }

    fn near(got: &Tensor, want: &Value) {
        let (got, want) = (got.eval().unwrap(), array(want).eval().unwrap());
        assert_eq!(got.shape(), want.shape());
        let pairs = got.to_vec::<f32>().into_iter().zip(want.to_vec::<f32>());
        pairs.for_each(|(g, w)| assert!((g - w).abs() <= 1e-6 * w.abs().max(1.0), "{g} and {w}"));
    }

    /// Keras' layers with the order, the weights and the boxes given.
    #[test]
    fn keras_mixes_alike() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/golden/layers_mixing.json"
        );
        let golden = std::fs::read_to_string(path).unwrap();
        let golden: Value = serde_json::from_str(&golden).unwrap();
        let cases = golden["mixed"].as_array().unwrap();
        assert_eq!(cases.len(), 4);
        for case in cases {
            let order = array(&case["order"]).cast(DType::I32);
            let (images, labels) = (array(&case["images"]), array(&case["labels"]));
            let weight = array(&case["weight"]);
            if case["class"] == "MixUp" {
                near(&mixed(&images, &order, &weight), &case["mixed_images"]);
                near(&mixed(&labels, &order, &weight), &case["mixed_labels"]);
                continue;
            }
            let share = 1.0 - &weight;
            let axes = match case["data_format"] == "channels_first" {
                true => [2, 3],
                false => [1, 2],
            };
            let part = |i: usize, start: &str| {
                inside(
                    axes[i],
                    images.shape()[axes[i]],
                    &share,
                    &array(&case[start]),
                )
            };
            let mask = part(0, "top").logical_and(part(1, "left"));
            near(&pasted(&images, &order, &mask), &case["mixed_images"]);
            near(&mixed(&labels, &order, &weight), &case["mixed_labels"]);
        }
    }
}
