//! Images turned, stretched and moved.

use super::{FillMode, Interpolation, map_coordinates};
use crate::{DType, Error, Tensor};

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
    let (&[batch, height, width, _], &[maps, 6]) = (&images.shape()[..], &transforms.shape()[..])
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

    map_coordinates(images, &y, &x, interpolation, fill_mode, fill_value)
}
