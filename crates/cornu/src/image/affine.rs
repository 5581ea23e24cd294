//! Images turned, stretched and moved.

use super::Interpolation;
use crate::{DType, Error, Tensor};
use serde::{Deserialize, Serialize};

/// What lies outside an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FillMode {
    /// One value.
    Constant,
    /// The nearest cell.
    Nearest,
    /// The image again.
    Wrap,
    /// The image mirrored at the edges of its outermost cells, the default.
    #[default]
    Reflect,
}

impl FillMode {
    /// The place inside `0..n` that stands for a whole number, and whether it is one inside, where that
    /// matters.
    fn place(self, at: &Tensor, n: usize) -> (Tensor, Option<Tensor>) {
        let last = n as f64 - 1.0;
        let within = |x: &Tensor, m: f64| x - (x / m).floor() * m;
        match self {
            FillMode::Constant => {
                let inside = at.ge(0.0).logical_and(at.le(last));
                (at.clip(0.0, last), Some(inside))
            }
            FillMode::Nearest => (at.clip(0.0, last), None),
            FillMode::Wrap => (within(at, n as f64), None),
            // A wave that goes up and down again: 0 … n−1, n−1 … 0.
            FillMode::Reflect => {
                let twice = 2.0 * n as f64;
                let along = within(at, twice);
                let back = (twice - 1.0) - &along;
                (along.minimum(back), None)
            }
        }
    }
}

/// Images seen through an affine map: the cell at column `x` and row `y` of the result is what lies at
/// `(a₀x + a₁y + a₂, b₀x + b₁y + b₂)` of the image. Keras' `ops.image.affine_transform`, as on JAX.
///
/// * `images`: `(batch, height, width, channels)`; `transforms`: `(batch, 6)`, the numbers
///   `a₀ a₁ a₂ b₀ b₁ b₂` of each image.
/// * `interpolation`: [`Interpolation::Nearest`] or [`Interpolation::Bilinear`].
///
/// ```
/// use cornu::image::{FillMode, Interpolation, affine_transform};
/// use cornu::{Eval, Tensor};
/// let x = Tensor::constant([1.0f32, 2.0, 3.0]).reshape([1, 1, 3, 1]);
/// let by_one = Tensor::constant([[1.0f32, 0.0, 1.0, 0.0, 1.0, 0.0]]);
/// let y = affine_transform(&x, &by_one, Interpolation::Bilinear, FillMode::Constant, 9.0);
/// assert_eq!(y.eval()?.to_vec::<f32>(), [2.0, 3.0, 9.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[track_caller]
pub fn affine_transform(
    images: &Tensor,
    transforms: &Tensor,
    interpolation: Interpolation,
    fill_mode: FillMode,
    fill_value: f64,
) -> Tensor {
    let (&[batch, height, width, channels], &[maps, 6]) =
        (&images.shape()[..], &transforms.shape()[..])
    else {
        return Tensor::error(Error::shape(format!(
            "affine_transform expects images (batch, height, width, channels) and transforms (batch, 6). \
             Received: {} and {}.",
            images.shape(),
            transforms.shape()
        )));
    };
    if maps != batch || height * width == 0 {
        return Tensor::error(Error::shape(format!(
            "affine_transform expects a transform for each image, and images of at least one cell. \
             Received: {} and {}.",
            images.shape(),
            transforms.shape()
        )));
    }
    // Places are computed in f32, whatever the images are.
    let of = |i: usize| {
        let column = transforms.narrow(1, i, 1).cast(DType::F32);
        column.reshape([batch, 1, 1])
    };
    let grid = |axis: usize| Tensor::iota([1, height, width], axis, DType::F32);
    let (rows, columns) = (grid(1), grid(2));
    let x = of(0) * &columns + of(1) * &rows + of(2);
    let y = of(3) * &columns + of(4) * &rows + of(5);

    let flat = images.reshape([batch * height * width, channels]);
    let base = Tensor::iota([batch, 1, 1], 0, DType::I32) * (height * width) as i32;
    let read = |row: &Tensor, column: &Tensor| {
        let (row, row_inside) = fill_mode.place(row, height);
        let (column, column_inside) = fill_mode.place(column, width);
        let at = row.cast(DType::I32) * width as i32 + column.cast(DType::I32) + &base;
        let cells = flat.take(at, 0);
        match row_inside.zip(column_inside) {
            Some((a, b)) => {
                let inside = a.logical_and(&b).expand_dims(-1);
                inside.select(cells, fill_value)
            }
            None => cells,
        }
    };
    match interpolation {
        Interpolation::Nearest => {
            // A half is rounded away from zero.
            let round = |x: &Tensor| x.ge(0.0).select((x + 0.5).floor(), (x - 0.5).ceil());
            read(&round(&y), &round(&x))
        }
        Interpolation::Bilinear => {
            let (left, top) = (x.floor(), y.floor());
            let (right, bottom) = (&left + 1.0, &top + 1.0);
            let (along, down) = (&x - &left, &y - &top);
            let weighed = |row: &Tensor, column: &Tensor, weight: Tensor| {
                read(row, column) * weight.expand_dims(-1).cast(images.dtype())
            };
            let upper = weighed(&top, &left, (1.0 - &along) * (1.0 - &down))
                + weighed(&top, &right, &along * (1.0 - &down));
            let lower = weighed(&bottom, &left, (1.0 - &along) * &down)
                + weighed(&bottom, &right, &along * &down);
            upper + lower
        }
        other => Tensor::error(Error::new(format!(
            "affine_transform knows the interpolations Nearest and Bilinear. Received: {other:?}."
        ))),
    }
}
