//! MNIST's images as rows of numbers.

use ndarray::{Array2, Array3, Axis};

/// Each image as 784 numbers between 0 and 1.
pub fn pixels(images: Array3<u8>) -> cornu::Result<Array2<f32>> {
    let n = images.len_of(Axis(0));
    let flat = images
        .mapv(|p| f32::from(p) / 255.0)
        .into_shape_with_order((n, 784));
    flat.map_err(|e| cornu::Error::new(e.to_string()))
}
