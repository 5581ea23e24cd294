//! Colours: shades of grey, and hue, saturation and value.

use crate::{DType, Error, Tensor};

/// The colour channels of images, one each, in at least 32 bits.
fn planes(images: &Tensor) -> Result<[Tensor; 3], Error> {
    images.check()?;
    match images.shape().last() {
        Some(3) => {}
        _ => {
            return Err(Error::shape(format!(
                "Colours are three channels, the last axis. Received: images of shape {}.",
                images.shape()
            )));
        }
    }
    let wide = images.cast(images.dtype().promote(DType::F32));
    Ok(std::array::from_fn(|i| wide.narrow(-1, i, 1)))
}

/// The grey of red, green and blue, 0.2989 r + 0.587 g + 0.114 b, as one channel. Keras'
/// `ops.image.rgb_to_grayscale`; images of one channel are grey.
///
/// ```
/// use cornu::image::rgb_to_grayscale;
/// use cornu::{Eval, Tensor};
/// let red = Tensor::constant([1.0f32, 0.0, 0.0]).reshape([1, 1, 1, 3]);
/// assert_eq!(rgb_to_grayscale(&red).eval()?.to_vec::<f32>(), [0.2989]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[track_caller]
pub fn rgb_to_grayscale(images: &Tensor) -> Tensor {
    if images.shape().last() == Some(&1) {
        return images.clone();
    }
    match planes(images) {
        Ok([r, g, b]) => (r * 0.2989 + g * 0.587 + b * 0.114).cast(images.dtype()),
        Err(e) => Tensor::error(e),
    }
}

/// Hue, saturation and value of red, green and blue (Smith, 1978): v = max, s = (max − min) / v, and the hue,
/// in whole turns from red over green and blue. Keras' `ops.image.rgb_to_hsv`.
///
/// ```
/// use cornu::image::rgb_to_hsv;
/// use cornu::{Eval, Tensor};
/// let green = Tensor::constant([0.0f32, 0.5, 0.0]).reshape([1, 1, 1, 3]);
/// assert_eq!(rgb_to_hsv(&green).eval()?.to_vec::<f32>(), [1.0 / 3.0, 1.0, 0.5]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[track_caller]
pub fn rgb_to_hsv(images: &Tensor) -> Tensor {
    let [r, g, b] = match planes(images) {
        // What is too small to tell from 0 has no hue.
        Ok(planes) => planes.map(|x| x.abs().lt(f64::from(f32::EPSILON)).select(0.0, x)),
        Err(e) => return Tensor::error(e),
    };
    let value = r.maximum(&g).maximum(&b);
    let range = &value - r.minimum(&g).minimum(&b);
    let lit = value.gt(0.0);
    let saturation = lit.select(&range / lit.select(&value, 1.0), 0.0);
    let coloured = range.gt(0.0);
    let norm = (coloured.select(&range, 1.0) * 6.0).reciprocal();
    let hue = value
        .eq(&g)
        .select(&norm * (&b - &r) + 2.0 / 6.0, &norm * (&r - &g) + 4.0 / 6.0);
    let hue = value.eq(&r).select(norm * (g - b), hue);
    let whole = hue.lt(0.0).select(&hue + 1.0, &hue);
    let hue = coloured.select(whole, 0.0);
    Tensor::concat(&[hue, saturation, value], -1).cast(images.dtype())
}

/// Red, green and blue of hue, saturation and value: the inverse of [`rgb_to_hsv`]. Keras'
/// `ops.image.hsv_to_rgb`.
#[track_caller]
pub fn hsv_to_rgb(images: &Tensor) -> Tensor {
    let [hue, saturation, value] = match planes(images) {
        Ok(planes) => planes,
        Err(e) => return Tensor::error(e),
    };
    let turned = (&hue - hue.floor()) * 6.0;
    let red = ((&turned - 3.0).abs() - 1.0).clip(0.0, 1.0);
    let away = |from: f64| (2.0 - (&turned - from).abs()).clip(0.0, 1.0);
    let grey = 1.0 - &saturation;
    let colours = [red, away(2.0), away(4.0)].map(|c| &value * (&grey + &saturation * c));
    Tensor::concat(&colours, -1).cast(images.dtype())
}
