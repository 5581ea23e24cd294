//! Functions of images as tensors, as in `keras.ops.image`: what the layers of images compute.
//!
//! Images are `(batch, height, width, channels)`.

mod affine;
mod resize;

pub use affine::{FillMode, affine_transform};
pub use resize::{Interpolation, Resize, resize};
