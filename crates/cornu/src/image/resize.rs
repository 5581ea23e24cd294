//! Images of another size.

use crate::{Array, DType, Error, Tensor};
use serde::{Deserialize, Serialize};

/// How what lies between cells is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// The nearest cell.
    Nearest,
    /// Linear along each axis, the default.
    #[default]
    Bilinear,
    /// Keys' cubic with slope −1/2 (Keys, 1981), along each axis.
    Bicubic,
    /// Lanczos' window of three cells to either side, along each axis.
    Lanczos3,
    /// Lanczos' window of five cells to either side, along each axis.
    Lanczos5,
}

impl Interpolation {
    /// The weight of a cell at distance `x` ≥ 0.
    fn weight(self, x: f64) -> f64 {
        match self {
            Interpolation::Nearest => f64::from(u8::from(x <= 0.5)),
            Interpolation::Bilinear => (1.0 - x).max(0.0),
            Interpolation::Bicubic if x >= 2.0 => 0.0,
            Interpolation::Bicubic if x >= 1.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
            Interpolation::Bicubic => (1.5 * x - 2.5) * x * x + 1.0,
            Interpolation::Lanczos3 => lanczos(3.0, x),
            Interpolation::Lanczos5 => lanczos(5.0, x),
        }
    }
}

fn lanczos(radius: f64, x: f64) -> f64 {
    let pi = std::f64::consts::PI;
    if x > radius {
        0.0
    } else if x > 1e-3 {
        radius * (pi * x).sin() * (pi * x / radius).sin() / (pi * pi * x * x)
    } else {
        1.0
    }
}

/// How [`resize`] makes images of another size; the defaults are Keras'.
///
/// ```
/// use cornu::image::{Interpolation, Resize};
/// let how = Resize { interpolation: Interpolation::Nearest, ..Resize::default() };
/// assert!(!how.antialias);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Resize {
    /// What lies between cells; bilinear by default.
    pub interpolation: Interpolation,
    /// Whether an image that shrinks is averaged over all cells that fall into one; not by default.
    pub antialias: bool,
    /// Whether what is too wide or too high for the new aspect ratio is first cut off, half at each
    /// side; not by default.
    pub crop_to_aspect_ratio: bool,
    /// Whether an image is first widened or heightened to the new aspect ratio; not by default.
    pub pad_to_aspect_ratio: bool,
    /// What it is padded with; 0 by default.
    pub fill_value: f64,
}

/// The images `(batch, height, width, channels)` at another height and width. Integers become `float32`.
/// Keras' `ops.image.resize`, as on JAX: centres of cells fall on centres, and cells beyond the border have
/// no weight.
///
/// ```
/// use cornu::image::{Resize, resize};
/// use cornu::{Eval, Tensor};
/// let x = Tensor::constant([1.0f32, 3.0]).reshape([1, 1, 2, 1]);
/// let y = resize(&x, [1, 4], Resize::default()).eval()?;
/// assert_eq!(y.to_vec::<f32>(), [1.0, 1.5, 2.5, 3.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[track_caller]
pub fn resize(images: &Tensor, size: [usize; 2], how: Resize) -> Tensor {
    let [_, height, width, _] = images.shape()[..] else {
        return Tensor::error(Error::shape(format!(
            "resize expects images (batch, height, width, channels). Received: shape {}.",
            images.shape()
        )));
    };
    if [height, width].contains(&0) || size.contains(&0) {
        return Tensor::error(Error::shape(format!(
            "resize needs images of at least one cell. Received: {height} by {width} cells to be made \
             {} by {}.",
            size[0], size[1]
        )));
    }
    let mut x = match images.dtype().is_float() {
        true => images.clone(),
        false => images.cast(DType::F32),
    };
    // As Keras rounds: an extent in proportion to the other.
    let scaled = |n: usize, to: usize, from: usize| (n as f64 * to as f64 / from as f64) as usize;
    let across = scaled(width, size[0], size[1]);
    let along = scaled(height, size[1], size[0]);
    if how.crop_to_aspect_ratio {
        let (h, w) = (across.min(height).max(1), along.min(width).max(1));
        x = x
            .narrow(1, (height - h) / 2, h)
            .narrow(2, (width - w) / 2, w);
    } else if how.pad_to_aspect_ratio {
        let top = (across.max(height) - height) / 2;
        let left = (along.max(width) - width) / 2;
        // As Keras, along one axis only.
        let left = if top > 0 { 0 } else { left };
        x = x.pad(&[(0, 0), (top, top), (left, left), (0, 0)], how.fill_value);
    }
    let x = along_axis(&x, 1, size[0], how);
    along_axis(&x, 2, size[1], how)
}

/// The tensor with another extent along one axis.
fn along_axis(x: &Tensor, axis: usize, to: usize, how: Resize) -> Tensor {
    let from = match x.check() {
        Ok(_) => x.shape()[axis],
        Err(_) => return x.clone(),
    };
    if from == to {
        return x.clone();
    }
    if let Err(e) = crate::layers::table(from, to) {
        return Tensor::error(e);
    }
    if how.interpolation == Interpolation::Nearest {
        let place = |i: usize| ((i as f32 + 0.5) * from as f32 / to as f32).floor() as i32;
        let places: Vec<i32> = (0..to).map(|i| place(i).min(from as i32 - 1)).collect();
        return x.take(Tensor::constant(places), axis as isize);
    }
    let weights = weights(from, to, how);
    let (before, after): (usize, usize) = (
        x.shape()[..axis].iter().product(),
        x.shape()[axis + 1..].iter().product(),
    );
    let mut shape = x.shape().to_vec();
    shape[axis] = to;
    let flat = x.reshape([before, from, after]);
    // A product for each image reads it as it lies; with few numbers behind the axis one product over
    // all of them is faster, though it turns the image round.
    let y = if after >= to {
        let all = weights.broadcast_to([before, to, from]);
        all.cast(x.dtype()).matmul(&flat)
    } else {
        Tensor::einsum("abc,db->adc", &[&flat, &weights.cast(x.dtype())])
    };
    y.reshape(shape)
}

/// The weight of each old cell in each new one, `(to, from)`.
fn weights(from: usize, to: usize, how: Resize) -> Tensor {
    let inverse = from as f64 / to as f64;
    let stretch = if how.antialias { inverse.max(1.0) } else { 1.0 };
    let mut all: Vec<f64> = Vec::with_capacity(from * to);
    for i in 0..to {
        let centre = (i as f64 + 0.5) * inverse - 0.5;
        let weight = |j: usize| {
            let x = (centre - j as f64).abs() / stretch;
            how.interpolation.weight(x)
        };
        let row: Vec<f64> = (0..from).map(weight).collect();
        let sum: f64 = row.iter().sum();
        all.extend(row.iter().map(|w| w / sum));
    }
    match Array::from_vec([to, from], all) {
        Ok(weights) => Tensor::constant(weights.cast(DType::F32)),
        Err(e) => Tensor::error(e),
    }
}
