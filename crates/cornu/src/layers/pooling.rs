//! Pooling: the largest or the mean of windows, of the whole of space, or of as many parts of it as
//! asked for.

use super::base::{Base, builtin, options};
use super::spatial::{
    DataFormat, Padding, PerAxis, check_sizes, check_space, data_format_option, extents,
    padding_option,
};
use super::{Build, Call, InputShape, Layer, table};
use crate::{Error, Result, Tensor};
use cornu_core::ops::pool::Windows;
use serde::{Deserialize, Serialize};

/// What is made of a window.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Largest,
    Mean,
}

/// Pooling of windows over `N` axes.
struct Pooling<const N: usize> {
    mode: Mode,
    size: [usize; N],
    strides: [usize; N],
    padding: Padding,
    format: DataFormat,
}

impl<const N: usize> Pooling<N> {
    fn check(&self, class: &str, input: &InputShape) -> Result<()> {
        check_space(class, input, N, self.format)?;
        check_sizes("pool_size", self.size)?;
        check_sizes("strides", self.strides)?;
        if self.padding == Padding::Causal {
            return Err(Error::new(
                "padding must be \"valid\" or \"same\". Received: padding=\"causal\".",
            ));
        }
        for (size, n) in self.size.iter().zip(extents(input, self.format)) {
            if n.is_some_and(|n| n < *size) && self.padding == Padding::Valid {
                return Err(Error::shape(format!(
                    "pool_size {:?} is larger than the input {input}: the output would be empty. Use padding=\"same\" or a smaller window.",
                    self.size
                )));
            }
        }
        Ok(())
    }

    fn call(&self, x: &Tensor) -> Tensor {
        let x = self.format.to_last(x);
        let axes = self
            .size
            .iter()
            .zip(&self.strides)
            .zip(x.shape().iter().skip(1));
        let padding = axes.map(|((size, stride), n)| self.padding.cells(*n, *size, *stride, 1));
        let cells = self.size.iter().fold(1usize, |n, d| n.saturating_mul(*d));
        if let Err(e) = table(cells, 1) {
            return Tensor::error(e);
        }
        let windows = Windows {
            size: self.size.to_vec(),
            strides: self.strides.to_vec(),
            padding: padding.collect(),
        };
        let y = match self.mode {
            Mode::Largest => x.max_pool(windows),
            Mode::Mean => x.average_pool(windows),
        };
        self.format.restore(&y)
    }
}

macro_rules! pooling {
    ($($(#[$doc:meta])* $layer:ident($n:literal, $mode:ident);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            #[serde(skip)]
            base: Base,
            #[serde(default = "two")]
            pool_size: PerAxis<$n>,
            #[serde(default)]
            padding: Padding,
            #[serde(default)]
            strides: Option<PerAxis<$n>>,
            #[serde(default)]
            data_format: DataFormat,
        }

        impl Default for $layer {
            fn default() -> Self {
                Self::new(2)
            }
        }

        impl $layer {
            /// Windows of this size (one number for all axes), next to each other.
            pub fn new(pool_size: impl Into<PerAxis<$n>>) -> Self {
                let pool_size = pool_size.into();
                Self {
                    base: Base::default(),
                    pool_size,
                    padding: Padding::Valid,
                    strides: Some(pool_size),
                    data_format: DataFormat::ChannelsLast,
                }
            }

            /// How far apart windows are; the window's size by default.
            pub fn strides(mut self, strides: impl Into<PerAxis<$n>>) -> Self {
                self.strides = Some(strides.into());
                self
            }

            padding_option!("`\"valid\"` (the default) or `\"same\"`; padding never counts.", padding);

            data_format_option!(data_format);

            /// With the strides told, as Keras tells them.
            fn explicit(&self) -> Self {
                let strides = self.strides.or(Some(self.pool_size));
                Self { strides, ..self.clone() }
            }

            fn pooling(&self) -> Pooling<$n> {
                Pooling {
                    mode: Mode::$mode,
                    size: self.pool_size.0,
                    strides: self.strides.unwrap_or(self.pool_size).0,
                    padding: self.padding,
                    format: self.data_format,
                }
            }
        }

        options!($layer);

        impl Layer for $layer {
            builtin!($layer, config of explicit);

            fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
                self.pooling().check(stringify!($layer), input)
            }

            fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
                self.pooling().call(x)
            }
        }
    )*};
}

fn two<const N: usize>() -> PerAxis<N> {
    PerAxis([2; N])
}

pooling! {
    /// The largest element of each window of steps: `(batch, steps, channels)` becomes
    /// `(batch, windows, channels)`.
    MaxPooling1D(1, Largest);
    /// The largest element of each window: `(batch, height, width, channels)` becomes
    /// `(batch, windows, windows, channels)`.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(MaxPooling2D::new(2).input_shape([4, 4, 1]));
    /// model.build()?;
    /// let x = Array::from((0..16).map(|v| v as f32).collect::<Vec<_>>()).reshape([1, 4, 4, 1])?;
    /// assert_eq!(model.predict(&x)?.to_vec::<f32>(), [5.0, 7.0, 13.0, 15.0]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    MaxPooling2D(2, Largest);
    /// The largest element of each window of `(batch, depth, height, width, channels)`.
    MaxPooling3D(3, Largest);
    /// The mean of each window of steps of `(batch, steps, channels)`, without padding.
    AveragePooling1D(1, Mean);
    /// The mean of each window of `(batch, height, width, channels)`, without padding.
    AveragePooling2D(2, Mean);
    /// The mean of each window of `(batch, depth, height, width, channels)`, without padding.
    AveragePooling3D(3, Mean);
}

/// The mean of the steps that count; zeros where none does.
fn masked_mean(x: &Tensor, mask: &Tensor, axis: isize, keepdims: bool) -> Tensor {
    // The channels' axis: behind the steps or before them.
    let mask = mask.expand_dims(if axis == 1 { 2 } else { 1 });
    let sum = mask.select(x, 0.0).sum_axes(&[axis], keepdims);
    let count = mask.cast(x.dtype()).sum_axes(&[axis], keepdims);
    sum / count.maximum(1.0)
}

macro_rules! global {
    ($($(#[$doc:meta])* $layer:ident($n:literal, $mode:ident);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            #[serde(skip)]
            base: Base,
            #[serde(default)]
            data_format: DataFormat,
            #[serde(default)]
            keepdims: bool,
        }

        impl $layer {
            /// The layer, which leaves `(batch, channels)`.
            pub fn new() -> Self {
                Self::default()
            }

            data_format_option!(data_format);

            /// Whether the spatial axes stay, with extent 1; by default they go.
            pub fn keepdims(mut self, keepdims: bool) -> Self {
                self.keepdims = keepdims;
                self
            }
        }

        options!($layer);

        impl Layer for $layer {
            builtin!($layer);

            fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
                check_space(stringify!($layer), input, $n, self.data_format)
            }

            fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
                let first = match self.data_format {
                    DataFormat::ChannelsLast => 1,
                    DataFormat::ChannelsFirst => 2,
                };
                let axes: Vec<isize> = (first..first + $n).collect();
                let mask = cx.mask(0).cloned();
                match (Mode::$mode, mask) {
                    (Mode::Mean, Some(mask)) if $n == 1 => {
                        cx.set_mask(None);
                        masked_mean(x, &mask, first, self.keepdims)
                    }
                    (Mode::Mean, _) => x.mean_axes(&axes, self.keepdims),
                    (Mode::Largest, _) => x.max_axes(&axes, self.keepdims),
                }
            }
        }
    )*};
}

global! {
    /// The largest of all steps, for each channel.
    GlobalMaxPooling1D(1, Largest);
    /// The largest of the whole image, for each channel.
    GlobalMaxPooling2D(2, Largest);
    /// The largest of the whole volume, for each channel.
    GlobalMaxPooling3D(3, Largest);
    /// The mean of all steps (of those that a mask counts; 0 where it counts none), for each channel.
    GlobalAveragePooling1D(1, Mean);
    /// The mean of the whole image, for each channel.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(GlobalAveragePooling2D::new().input_shape([2, 2, 1]));
    /// model.build()?;
    /// let x = Array::from(vec![1.0f32, 2.0, 3.0, 6.0]).reshape([1, 2, 2, 1])?;
    /// assert_eq!(model.predict(&x)?.to_vec::<f32>(), [3.0]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    GlobalAveragePooling2D(2, Mean);
    /// The mean of the whole volume, for each channel.
    GlobalAveragePooling3D(3, Mean);
}

/// The parts of an axis of `n` when it is cut into `parts`: where each begins and ends.
fn cuts(n: usize, parts: usize) -> Vec<(usize, usize)> {
    (0..parts)
        .map(|i| (i * n / parts, ((i + 1) * n).div_ceil(parts)))
        .collect()
}

/// An axis pooled into `parts` parts, channels last.
fn adapt(mode: Mode, x: &Tensor, axis: usize, parts: usize) -> Tensor {
    // What could not be pooled along the axis before is an error without axes.
    let Some(n) = x.shape().get(axis).copied() else {
        return x.clone();
    };
    if let Err(e) = table(n, parts) {
        return Tensor::error(e);
    }
    let cuts = cuts(n, parts);
    let mut order: Vec<usize> = (0..x.rank()).filter(|i| *i != axis).collect();
    match mode {
        Mode::Mean => {
            // A product with the share that each cell has in each part.
            let mut shares = vec![0.0f64; n * parts];
            for (i, (from, to)) in cuts.iter().enumerate() {
                (*from..*to).for_each(|k| shares[k * parts + i] = 1.0 / (to - from) as f64);
            }
            let shares = Tensor::constant(shares).reshape([n, parts]).cast(x.dtype());
            order.push(axis);
            let pooled = x.transpose(&order).matmul(shares);
            let mut back: Vec<usize> = (0..x.rank() - 1).collect();
            back.insert(axis, x.rank() - 1);
            pooled.transpose(&back)
        }
        Mode::Largest => {
            // Each part's cells, the last one repeated where a part is shorter than others.
            let longest = cuts.iter().map(|(from, to)| to - from).max().unwrap_or(0);
            let cells = cuts
                .iter()
                .flat_map(|(from, to)| (0..longest).map(move |k| (from + k).min(to - 1) as i32));
            let cells = Tensor::constant(cells.collect::<Vec<i32>>());
            let picked = x.take(cells, axis as isize);
            let mut shape = x.shape().to_vec();
            shape.splice(axis..=axis, [parts, longest]);
            picked.reshape(shape).max_axes(&[axis as isize + 1], false)
        }
    }
}

macro_rules! adaptive {
    ($($(#[$doc:meta])* $layer:ident($n:literal, $mode:ident);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            #[serde(skip)]
            base: Base,
            output_size: PerAxis<$n>,
            #[serde(default)]
            data_format: DataFormat,
        }

        impl $layer {
            /// The layer whose output has these spatial extents (one number for all axes).
            pub fn new(output_size: impl Into<PerAxis<$n>>) -> Self {
                Self {
                    base: Base::default(),
                    output_size: output_size.into(),
                    data_format: DataFormat::ChannelsLast,
                }
            }

            data_format_option!(data_format);
        }

        options!($layer);

        impl Layer for $layer {
            builtin!($layer);

            fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
                check_space(stringify!($layer), input, $n, self.data_format)?;
                check_sizes("output_size", self.output_size.0)
            }

            fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
                let x = self.data_format.to_last(x);
                let axes = self.output_size.0.into_iter().enumerate();
                let y = axes.fold(x, |x, (i, parts)| adapt(Mode::$mode, &x, i + 1, parts));
                self.data_format.restore(&y)
            }
        }
    )*};
}

adaptive! {
    /// The largest of each of `output_size` parts of the steps.
    AdaptiveMaxPooling1D(1, Largest);
    /// The largest of each of `output_size` parts of the image.
    AdaptiveMaxPooling2D(2, Largest);
    /// The largest of each of `output_size` parts of the volume.
    AdaptiveMaxPooling3D(3, Largest);
    /// The mean of each of `output_size` parts of the steps.
    AdaptiveAveragePooling1D(1, Mean);
    /// The mean of each of `output_size` parts of the image.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(AdaptiveAveragePooling2D::new(1).input_shape([2, 2, 1]));
    /// model.build()?;
    /// let x = Array::from(vec![1.0f32, 2.0, 3.0, 6.0]).reshape([1, 2, 2, 1])?;
    /// assert_eq!(model.predict(&x)?.to_vec::<f32>(), [3.0]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    AdaptiveAveragePooling2D(2, Mean);
    /// The mean of each of `output_size` parts of the volume.
    AdaptiveAveragePooling3D(3, Mean);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_an_axis() {
        assert_eq!(cuts(5, 3), [(0, 2), (1, 4), (3, 5)]);
        assert_eq!(cuts(4, 2), [(0, 2), (2, 4)]);
        assert_eq!(cuts(2, 3), [(0, 1), (0, 2), (1, 2)]);
    }
}
