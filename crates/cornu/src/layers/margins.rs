//! Adding and removing margins of space.

use super::base::Base;
use super::spatial::{DataFormat, check_reach, check_space, data_format_option, extents};
use super::{Build, Call, InputShape, Layer, LayerOptions};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Cells before and after each of `N` axes. One number stands for all of them, one for each axis for
/// both of its ends. Its JSON is Keras': a pair, or a list of pairs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Margins<const N: usize>(pub [(usize, usize); N]);

impl<const N: usize> From<Margins<N>> for Value {
    fn from(margins: Margins<N>) -> Value {
        match margins.0[..] {
            [(low, high)] => json!([low, high]),
            ref all => json!(all),
        }
    }
}

impl<const N: usize> TryFrom<Value> for Margins<N> {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        let fail = || {
            Error::new(format!(
                "Expected a number, or {N} numbers or pairs of numbers. Received: {value}."
            ))
        };
        let number = |v: &Value| v.as_u64().and_then(|n| usize::try_from(n).ok());
        let both = |v: &Value| match (number(v), v.as_array().map(Vec::as_slice)) {
            (Some(n), _) => Some((n, n)),
            (None, Some([low, high])) => Some((number(low)?, number(high)?)),
            _ => None,
        };
        if let Some(n) = number(&value) {
            return Ok(Self([(n, n); N]));
        }
        if let (1, Some(pair)) = (N, both(&value)) {
            return Ok(Self([pair; N]));
        }
        let all = value.as_array().ok_or_else(fail)?;
        let all: Vec<_> = all
            .iter()
            .map(both)
            .collect::<Option<_>>()
            .ok_or_else(fail)?;
        all.try_into().map(Self).map_err(|_| fail())
    }
}

impl<const N: usize> From<usize> for Margins<N> {
    fn from(n: usize) -> Self {
        Self([(n, n); N])
    }
}

impl<const N: usize> From<[(usize, usize); N]> for Margins<N> {
    fn from(all: [(usize, usize); N]) -> Self {
        Self(all)
    }
}

impl From<(usize, usize)> for Margins<1> {
    fn from(pair: (usize, usize)) -> Self {
        Self([pair])
    }
}

impl From<(usize, usize)> for Margins<2> {
    fn from((a, b): (usize, usize)) -> Self {
        Self([(a, a), (b, b)])
    }
}

fn one<const N: usize>() -> Margins<N> {
    Margins([(1, 1); N])
}

/// What is cropped unless told: of images nothing, else the first and the last cell.
fn cropped<const N: usize>() -> Margins<N> {
    match N {
        2 => Margins([(0, 0); N]),
        _ => one(),
    }
}

macro_rules! margins {
    ($(#[$doc:meta])* $layer:ident, $names:expr, $field:ident = $default:literal, $what:literal, |$self:ident, $x:ident| $call:expr, |$this:ident, $input:ident| $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer<const N: usize> {
            #[serde(skip)]
            base: Base,
            #[serde(default = $default)]
            $field: Margins<N>,
            #[serde(default)]
            data_format: DataFormat,
        }

        impl<const N: usize> $layer<N> {
            #[doc = $what]
            pub fn new($field: impl Into<Margins<N>>) -> Self {
                Self {
                    base: Base::default(),
                    $field: $field.into(),
                    data_format: DataFormat::ChannelsLast,
                }
            }

            data_format_option!(data_format);

            fn class(&self) -> &'static str {
                let names: [&'static str; 3] = $names;
                names[N - 1]
            }
        }

        impl<const N: usize> LayerOptions for $layer<N> {
            fn base_mut(&mut self) -> &mut Base {
                &mut self.base
            }
        }

        impl<const N: usize> Layer for $layer<N> {
            fn class_name(&self) -> &str {
                self.class()
            }
            fn base(&self) -> Option<&Base> {
                Some(&self.base)
            }
            fn config(&self) -> serde_json::Map<String, Value> {
                let mut map = super::registry::fields(self);
                // Keras' layer that crops steps knows one format only.
                if self.class() == "Cropping1D" {
                    map.remove("data_format");
                }
                map
            }
            fn build(&self, _: &mut Build<'_>, $input: &InputShape) -> Result<()> {
                check_space(self.class(), $input, N, self.data_format)?;
                for (low, high) in self.$field.0 {
                    check_reach(stringify!($field), &[low, high])?;
                }
                let $this = self;
                $check
            }
            fn call(&self, _: &mut Call<'_>, $x: &Tensor) -> Tensor {
                let $self = self;
                let $x = self.data_format.to_last($x);
                self.data_format.restore(&$call)
            }
        }
    };
}

margins! {
    /// Zeros around space. See [`ZeroPadding1D`], [`ZeroPadding2D`], [`ZeroPadding3D`].
    ZeroPadding, ["ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"], padding = "one",
    "A layer that adds so many zeros before and after each axis.",
    |layer, x| {
        let mut widths = vec![(0, 0)];
        widths.extend(layer.padding.0);
        widths.push((0, 0));
        x.pad(&widths, 0.0)
    },
    |_layer, input| Ok(())
}

margins! {
    /// Space without its margins. See [`Cropping1D`], [`Cropping2D`], [`Cropping3D`].
    Cropping, ["Cropping1D", "Cropping2D", "Cropping3D"], cropping = "cropped",
    "A layer that takes so many cells off before and after each axis.",
    |layer, x| {
        let axes = layer.cropping.0.iter().enumerate();
        axes.fold(x, |x, (i, (low, high))| {
            let n = x.shape()[i + 1];
            x.narrow(i as isize + 1, *low, n.saturating_sub(low + high))
        })
    },
    |layer, input| {
        for ((low, high), n) in layer.cropping.0.iter().zip(extents(input, layer.data_format)) {
            if n.is_some_and(|n| low + high >= n) {
                return Err(Error::shape(format!(
                    "cropping {:?} leaves nothing of the input {input}.",
                    layer.cropping.0
                )));
            }
        }
        Ok(())
    }
}

/// Zeros before and after the steps of `(batch, steps, channels)`.
pub type ZeroPadding1D = ZeroPadding<1>;
/// Zeros around images `(batch, height, width, channels)`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(ZeroPadding2D::new([(1, 2), (0, 3)]).input_shape([4, 4, 1]));
/// model.add(Cropping2D::new([(1, 2), (0, 3)])); // undoes it
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 4, 4, 1)");
/// # Ok::<(), cornu::Error>(())
/// ```
pub type ZeroPadding2D = ZeroPadding<2>;
/// Zeros around volumes.
pub type ZeroPadding3D = ZeroPadding<3>;
/// Steps without the first and last ones.
pub type Cropping1D = Cropping<1>;
/// Images without their margins.
pub type Cropping2D = Cropping<2>;
/// Volumes without their margins.
pub type Cropping3D = Cropping<3>;
