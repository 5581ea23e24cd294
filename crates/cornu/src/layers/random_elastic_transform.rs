//! Images bent at random, in training.

use super::augmentation::{
    BYTES, Factor, between, bytes, check_images, check_interpolation, check_range, chosen, draws,
    whole, with_channels_last,
};
use super::base::Base;
use super::image_options::{
    augmentation_options, fill_options, interpolation_option, ranged, value_range_option,
};
use super::noise::normal;
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::image::{FillMode, Interpolation, map_coordinates};
use crate::{DType, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

/// In training, bends some of the images as if they were of rubber (Simard et al., 2003), and clips them to
/// `value_range`; otherwise does nothing.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first.
/// * `factor`: which share of the images, all by default in a range from 0: between 0 and 1.
/// * How: cells are moved by smoothed noise of the standard deviation σ, times 0.1 s of the longer side; σ is 0.05 s of
///   the shorter side, and also how wide the smoothing is; `s` is drawn for the batch, by default between 0 and 1
///   (`scale`).
/// * Defaults: outside the image lies its reflection, between cells a bilinear mean.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandomElasticTransform::new((0.5, 0.5)).scale((0.5, 1.0)).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomElasticTransform {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "whole")]
    factor: Factor,
    #[serde(default = "whole")]
    scale: Factor,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default)]
    fill_mode: FillMode,
    #[serde(default)]
    fill_value: f64,
    #[serde(default = "bytes")]
    value_range: (f64, f64),
    #[serde(default)]
    seed: Option<u32>,
}

impl RandomElasticTransform {
    /// A layer that bends this share of the images.
    pub fn new(factor: impl Into<Factor>) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            factor: factor.into(),
            scale: whole(),
            interpolation: Interpolation::default(),
            fill_mode: FillMode::default(),
            fill_value: 0.0,
            value_range: BYTES,
            seed: None,
        }
    }

    /// How far images are bent, between 0 and 1: up to 1 by default.
    pub fn scale(mut self, scale: impl Into<Factor>) -> Self {
        self.scale = scale.into();
        self
    }

    interpolation_option!();

    fill_options!();

    value_range_option!();
}

augmentation_options!(RandomElasticTransform);

/// What cells within `reach` of each of `n` count in a smoothed line, by exp(−d² / 2 σ²): `(n, n)`.
fn weights(sigma: &Tensor, reach: &Tensor, most: usize, n: usize) -> Tensor {
    let bell = |distance: &Tensor| {
        let seen = distance.abs().le(reach);
        seen.select(((distance / sigma).square() * -0.5).exp(), 0.0)
    };
    let kernel = Tensor::iota([2 * most + 1], 0, DType::F32) - most as f64;
    let at = |axis| Tensor::iota([n, n], axis, DType::F32);
    bell(&(at(0) - at(1))) / bell(&kernel).sum()
}

/// How far each cell is moved: noise of mean 0 and deviation 1, `(…, height, width)`, made as wide and as smooth as
/// `scale` says.
fn bent(noise: &Tensor, scale: &Tensor, height: usize, width: usize) -> Tensor {
    const LEAST: f64 = 1e-6;
    let (short, long) = (height.min(width) as f64, height.max(width) as f64);
    let sigma = (scale * (0.05 * short)).maximum(LEAST);
    // Keras' kernel has the next odd number of cells from 6 σ on, rounded down.
    let reach = ((&sigma * 6.0).floor() / 2.0).floor();
    let most = (0.05 * short * 3.0) as usize + 1;
    let across = weights(&sigma, &reach, most, width);
    let down = weights(&sigma, &reach, most, height);
    let lines = (noise * &sigma).matmul(across);
    down.matmul(&lines) * scale * (0.1 * long)
}

impl Layer for RandomElasticTransform {
    ranged!(RandomElasticTransform, factor, scale from 0.0);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.factor.check("factor", 0.0, 1.0)?;
        self.scale.check("scale", 0.0, 1.0)?;
        check_range(self.value_range)?;
        check_interpolation("RandomElasticTransform", self.interpolation)?;
        check_images("RandomElasticTransform", input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let x = x.cast(cx.dtype());
        let n = x.shape()[0];
        let (share, scale) = (self.factor.range(0.0, 1.0), self.scale.range(0.0, 1.0));
        if !cx.training() || share.1 == 0.0 || scale.1 == 0.0 || n == 0 {
            return x;
        }
        let [likely, draw, far] = draws(cx, self.seed, n);
        let chosen = chosen(&draw, &likely, self.factor);
        let scale = between(&far.narrow(0, 0, 1), scale);
        let last = self.data_format.to_last(&x);
        let (height, width) = (last.shape()[1], last.shape()[2]);
        // Draws apart from those above.
        let seed = self.seed.map(|seed| seed.wrapping_mul(2).wrapping_add(1));
        let noise = normal(cx, seed, &Shape::from([2, n, height, width])).cast(DType::F32);
        let (low, high) = self.value_range;
        with_channels_last(self.data_format, &x, |x| {
            if height * width == 0 {
                return x.clone();
            }
            let moved = bent(&noise, &scale, height, width);
            let places = |i: usize, axis: usize| {
                let moved = moved.narrow(0, i, 1).reshape([n, height, width]);
                Tensor::iota([1, height, width], axis, DType::F32) + moved
            };
            let (columns, rows) = (places(0, 2), places(1, 1));
            let (how, fill) = (self.interpolation, self.fill_mode);
            let seen = map_coordinates(x, &rows, &columns, how, fill, self.fill_value);
            chosen.select(seen, x).clip(low, high)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Array, Eval};
    use serde_json::Value;

    /// Keras' `gaussian_blur` of given noise, with the numbers that its layer gives it.
    #[test]
    fn keras_bends_alike() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/golden/layers_mixing.json"
        );
        let golden = std::fs::read_to_string(path).unwrap();
        let golden: Value = serde_json::from_str(&golden).unwrap();
        let cases = golden["bent"].as_array().unwrap();
        assert_eq!(cases.len(), 6);
        for case in cases {
            let array = |key: &str| {
                let list = |of: &str| case[key][of].as_array().unwrap().iter();
                let shape = list("shape").map(|n| n.as_u64().unwrap() as usize);
                let data = list("data").map(|n| n.as_f64().unwrap() as f32);
                Array::from_vec(shape.collect::<Vec<_>>(), data.collect()).unwrap()
            };
            let (noise, want) = (array("noise"), array("moved"));
            let scale = Tensor::constant([case["scale"].as_f64().unwrap() as f32]);
            let (height, width) = (noise.shape()[1], noise.shape()[2]);
            let got = bent(&Tensor::constant(noise), &scale, height, width);
            let got = got.eval().unwrap().to_vec::<f32>();
            for (g, w) in got.iter().zip(want.to_vec::<f32>()) {
                assert!((g - w).abs() <= 1e-5 * w.abs().max(1.0), "{g} and {w}");
            }
        }
    }
}
