//! Labels as one-hot rows, and rows of length one.

use crate::{Error, Result};
use ndarray::{Array2, ArrayBase, ArrayD, Axis, Data, Dimension, RemoveAxis};

/// A type of integer labels.
pub trait Label: Copy + std::fmt::Display {
    /// The class, if it is not negative.
    fn class(self) -> Option<usize>;
}

macro_rules! label {
    ($($t:ty)*) => {$(
        impl Label for $t {
            fn class(self) -> Option<usize> {
                usize::try_from(self).ok()
            }
        }
    )*};
}

label!(u8 u16 u32 u64 usize i8 i16 i32 i64);

/// Labels as rows that are 1 at the class and 0 elsewhere: `(n,)` (or `(n, 1)`) to `(n, classes)`.
///
/// ```
/// use cornu::utils::to_categorical;
/// let y = to_categorical(&ndarray::arr1(&[0u8, 2]), 3)?;
/// assert_eq!(y, ndarray::arr2(&[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]));
/// assert!(to_categorical(&ndarray::arr1(&[3]), 3).is_err());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// If a label is not below `classes`; names it and its place.
pub fn to_categorical<L: Label, S: Data<Elem = L>, D: Dimension>(
    labels: &ArrayBase<S, D>,
    classes: usize,
) -> Result<Array2<f32>> {
    if classes == 0 {
        return Err(Error::new(
            "classes must be at least 1. Received: classes=0.",
        ));
    }
    let mut rows = Array2::zeros((labels.len(), classes));
    for (i, label) in labels.iter().enumerate() {
        match label.class().filter(|c| *c < classes) {
            Some(class) => rows[[i, class]] = 1.0,
            None => {
                return Err(Error::new(format!(
                    "Labels must be from 0 to {}, for {classes} classes. Received: {label} at position {i}.",
                    classes.saturating_sub(1)
                )));
            }
        }
    }
    Ok(rows)
}

/// Each vector along `axis` divided by its norm of `order` (2 for Euclidean length); a zero vector
/// stays.
///
/// ```
/// use cornu::utils::normalize;
/// let y = normalize(&ndarray::arr2(&[[3.0f32, 4.0]]), 1, 2.0)?;
/// assert!((y[[0, 0]] - 0.6).abs() < 1e-6 && (y[[0, 1]] - 0.8).abs() < 1e-6);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// If there is no such axis, or the order is not positive.
pub fn normalize<S: Data<Elem = f32>, D: RemoveAxis>(
    x: &ArrayBase<S, D>,
    axis: usize,
    order: f64,
) -> Result<ArrayD<f32>> {
    if axis >= x.ndim() || order.is_nan() || order <= 0.0 {
        return Err(Error::new(format!(
            "normalize needs one of the {} axes and a positive order. Received: axis={axis}, order={order}.",
            x.ndim()
        )));
    }
    let mut out = x.to_owned().into_dyn();
    for mut lane in out.lanes_mut(Axis(axis)) {
        let norm = if order.is_infinite() {
            lane.iter().fold(0.0, |m: f64, v| m.max(f64::from(v.abs())))
        } else {
            lane.iter()
                .map(|v| f64::from(v.abs()).powf(order))
                .sum::<f64>()
                .powf(order.recip())
        };
        if norm > 0.0 {
            lane.mapv_inplace(|v| (f64::from(v) / norm) as f32);
        }
    }
    Ok(out)
}
