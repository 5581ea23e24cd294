//! Images read at places between their cells.

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
    /// The image mirrored at the centres of its outermost cells; known to
    /// [`RandomElasticTransform`](crate::layers::RandomElasticTransform) alone among the layers.
    Mirror,
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
            // The same without a step at the ends: 0 … n−1, n−2 … 1.
            FillMode::Mirror => {
                let twice = 2.0 * last.max(0.5);
                let along = within(at, twice);
                let back = twice - &along;
                (along.minimum(back).clip(0.0, last), None)
            }
        }
    }
}

/// What lies at given places of images: Keras' `ops.image.map_coordinates` for each channel, as on JAX, with
/// places of their own for each image.
///
/// * `images`: `(batch, height, width, channels)`; `rows` and `columns`: `(batch, h, w)`, numbers of cells, in
///   `f32`. Result: `(batch, h, w, channels)`.
/// * `interpolation`: [`Interpolation::Nearest`] or [`Interpolation::Bilinear`].
///
/// ```
/// use cornu::image::{FillMode, Interpolation, map_coordinates};
/// use cornu::{Eval, Tensor};
/// let x = Tensor::constant([1.0f32, 2.0, 4.0]).reshape([1, 1, 3, 1]);
/// let rows = Tensor::constant([0.0f32, 0.0]).reshape([1, 1, 2]);
/// let columns = Tensor::constant([0.5f32, 3.0]).reshape([1, 1, 2]);
/// let y = map_coordinates(&x, &rows, &columns, Interpolation::Bilinear, FillMode::Mirror, 0.0);
/// assert_eq!(y.eval()?.to_vec::<f32>(), [1.5, 2.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[track_caller]
pub fn map_coordinates(
    images: &Tensor,
    rows: &Tensor,
    columns: &Tensor,
    interpolation: Interpolation,
    fill_mode: FillMode,
    fill_value: f64,
) -> Tensor {
    let (&[batch, height, width, channels], &[places, ..]) =
        (&images.shape()[..], &rows.shape()[..])
    else {
        return wrong_places(images, rows, columns);
    };
    let fits = rows.rank() == 3 && rows.shape() == columns.shape() && places == batch;
    if !fits || height * width == 0 {
        return wrong_places(images, rows, columns);
    }
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
            read(&round(rows), &round(columns))
        }
        Interpolation::Bilinear => {
            let (left, top) = (columns.floor(), rows.floor());
            let (right, bottom) = (&left + 1.0, &top + 1.0);
            let (along, down) = (columns - &left, rows - &top);
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
            "What lies between cells is found by the interpolations Nearest and Bilinear. Received: {other:?}."
        ))),
    }
}

#[track_caller]
fn wrong_places(images: &Tensor, rows: &Tensor, columns: &Tensor) -> Tensor {
    Tensor::error(Error::shape(format!(
        "map_coordinates expects images (batch, height, width, channels) of at least one cell, and rows and \
         columns (batch, h, w). Received: {}, {} and {}.",
        images.shape(),
        rows.shape(),
        columns.shape()
    )))
}
