//! Functions of images as tensors, as in `keras.ops.image`: what the layers of images compute.
//!
//! Images are `(batch, height, width, channels)`.

mod affine;
mod colour;
mod coordinates;
mod perspective;
mod resize;

pub use affine::affine_transform;
pub use colour::{hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv};
pub use coordinates::{FillMode, map_coordinates};
pub use perspective::perspective_transform;
pub use resize::{Interpolation, Resize, resize};
