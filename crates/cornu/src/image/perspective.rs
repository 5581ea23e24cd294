//! Images seen from elsewhere.

use super::{FillMode, Interpolation, map_coordinates};
use crate::{DType, Error, Tensor};

/// A point of the plane for each image, in homogeneous numbers.
type Point = [Tensor; 3];

fn cross(a: &Point, b: &Point) -> Point {
    let part = |i: usize, j: usize| &a[i] * &b[j] - &a[j] * &b[i];
    [part(1, 2), part(2, 0), part(0, 1)]
}

fn dot(a: &Point, b: &Point) -> Tensor {
    &a[0] * &b[0] + &a[1] * &b[1] + &a[2] * &b[2]
}

/// How much of the first three corners gives the fourth.
fn shares(corners: &[Point; 4]) -> [Tensor; 3] {
    let [a, b, c, d] = corners;
    [
        dot(d, &cross(b, c)),
        dot(d, &cross(c, a)),
        dot(d, &cross(a, b)),
    ]
}

/// Images seen in perspective: what lies at the four start points comes to lie at the four end points, and
/// straight lines stay straight. Keras' `ops.image.perspective_transform`, as on JAX.
///
/// * `images`: `(batch, height, width, channels)`; `start_points` and `end_points`: `(batch, 4, 2)`, column and row
///   of each corner, of which no three lie on a line.
/// * `interpolation`: [`Interpolation::Nearest`] or [`Interpolation::Bilinear`]; outside lies `fill_value`.
///
/// ```
/// use cornu::image::{Interpolation, perspective_transform};
/// use cornu::{Eval, Tensor};
/// let x = Tensor::constant([1.0f32, 2.0, 3.0, 4.0]).reshape([1, 2, 2, 1]);
/// let corners = |p: [[f32; 2]; 4]| Tensor::constant(p).reshape([1, 4, 2]);
/// let from = corners([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]);
/// let to = corners([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 1.0]]);
/// let y = perspective_transform(&x, &from, &to, Interpolation::Nearest, 0.0);
/// assert_eq!(y.eval()?.to_vec::<f32>(), [2.0, 1.0, 4.0, 3.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[track_caller]
pub fn perspective_transform(
    images: &Tensor,
    start_points: &Tensor,
    end_points: &Tensor,
    interpolation: Interpolation,
    fill_value: f64,
) -> Tensor {
    let (&[batch, height, width, _], points) = (&images.shape()[..], [start_points, end_points])
    else {
        return wrong(images, start_points, end_points);
    };
    if points.iter().any(|p| p.shape()[..] != [batch, 4, 2]) {
        return wrong(images, start_points, end_points);
    }
    // Corners in widths and heights, so that all numbers are about as large.
    let sizes = [width, height].map(|n| n.saturating_sub(1).max(1) as f64);
    let corners = |points: &Tensor| -> [Point; 4] {
        std::array::from_fn(|i| {
            let number = |j: usize| {
                let one = points.narrow(1, i, 1).narrow(2, j, 1).cast(DType::F32);
                one.reshape([batch, 1, 1]) / sizes[j]
            };
            [
                number(0),
                number(1),
                Tensor::ones([batch, 1, 1], DType::F32),
            ]
        })
    };
    let (from, to) = (corners(start_points), corners(end_points));
    let (own, other) = (shares(&from), shares(&to));
    let grid = |axis: usize, n: f64| Tensor::iota([1, height, width], axis, DType::F32) / n;
    let at: Point = [
        grid(2, sizes[0]),
        grid(1, sizes[1]),
        Tensor::ones([1, 1, 1], DType::F32),
    ];
    // How much of each of three corners a place is, seen from the end points; of the start points it is the same.
    let of = |i: usize| {
        let (j, k) = ((i + 1) % 3, (i + 2) % 3);
        let weight = &own[i] * &other[j] * &other[k];
        dot(&cross(&to[j], &to[k]), &at) * weight
    };
    let shares = [of(0), of(1), of(2)];
    let sum = |axis: usize| {
        &shares[0] * &from[0][axis] + &shares[1] * &from[1][axis] + &shares[2] * &from[2][axis]
    };
    let below = sum(2);
    let (x, y) = (sum(0) / &below * sizes[0], sum(1) / below * sizes[1]);
    let outside = FillMode::Constant;
    map_coordinates(images, &y, &x, interpolation, outside, fill_value)
}

#[track_caller]
fn wrong(images: &Tensor, start: &Tensor, end: &Tensor) -> Tensor {
    Tensor::error(Error::shape(format!(
        "perspective_transform expects images (batch, height, width, channels) and points (batch, 4, 2). \
         Received: {}, {} and {}.",
        images.shape(),
        start.shape(),
        end.shape()
    )))
}
