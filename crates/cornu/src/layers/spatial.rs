//! What layers over space share: extents for each axis, where channels are, padding.

use super::InputShape;
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Where images have their channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataFormat {
    /// `(batch, height, width, channels)`, the default.
    #[default]
    ChannelsLast,
    /// `(batch, channels, height, width)`.
    ChannelsFirst,
}

impl DataFormat {
    /// The tensor with channels last.
    #[track_caller]
    pub(crate) fn to_last(self, x: &Tensor) -> Tensor {
        match self {
            DataFormat::ChannelsLast => x.clone(),
            DataFormat::ChannelsFirst => {
                let order: Vec<usize> = [0].into_iter().chain(2..x.rank()).chain([1]).collect();
                x.transpose(&order)
            }
        }
    }

    /// A tensor with channels last in this format.
    #[track_caller]
    pub(crate) fn restore(self, x: &Tensor) -> Tensor {
        match self {
            DataFormat::ChannelsLast => x.clone(),
            DataFormat::ChannelsFirst => {
                let last = x.rank() - 1;
                let order: Vec<usize> = [0, last].into_iter().chain(1..last).collect();
                x.transpose(&order)
            }
        }
    }

    /// The axis of the channels in a tensor of some rank.
    pub(crate) fn channels(self, rank: usize) -> usize {
        match self {
            DataFormat::ChannelsLast => rank - 1,
            DataFormat::ChannelsFirst => 1,
        }
    }
}

impl TryFrom<&str> for DataFormat {
    type Error = Error;
    /// `"channels_last"` or `"channels_first"`.
    fn try_from(name: &str) -> Result<Self> {
        match name {
            "channels_last" => Ok(DataFormat::ChannelsLast),
            "channels_first" => Ok(DataFormat::ChannelsFirst),
            _ => Err(Error::unknown(
                "data_format",
                name,
                &["channels_last", "channels_first"],
            )),
        }
    }
}

/// The option `data_format` of a layer that has it in this field. A name that is no format is reported
/// when the layer is built.
macro_rules! data_format_option {
    ($($field:ident).+) => {
        /// Where channels are: `"channels_last"`, the default, or `"channels_first"`.
        pub fn data_format<F>(mut self, format: F) -> Self
        where
            F: TryInto<$crate::layers::DataFormat>,
            F::Error: std::fmt::Display,
        {
            match format.try_into() {
                Ok(format) => self.$($field).+ = format.into(),
                Err(e) => self.base.error = Some($crate::Error::new(e.to_string())),
            }
            self
        }
    };
}

/// The option `padding` of a layer that has it in this field, by the names told.
macro_rules! padding_option {
    ($doc:literal, $($field:ident).+) => {
        #[doc = $doc]
        pub fn padding(mut self, padding: &str) -> Self {
            match $crate::layers::Padding::try_from(padding) {
                Ok(padding) => self.$($field).+ = padding,
                Err(e) => self.base.error = Some(e),
            }
            self
        }
    };
}

pub(crate) use {data_format_option, padding_option};

/// Refuses an input that has not `axes` spatial ones between batch and channels, or nothing along one.
pub(crate) fn check_space(
    class: &str,
    input: &InputShape,
    axes: usize,
    format: DataFormat,
) -> Result<()> {
    if input.rank() != axes + 2 {
        return Err(Error::shape(format!(
            "{class} expects an input of rank {}: batch, {axes} spatial and a channel axis. Received: input shape {input}.",
            axes + 2
        )));
    }
    if extents(input, format).any(|n| n == Some(0)) {
        return Err(Error::shape(format!(
            "{class} expects at least one cell along every axis. Received: input shape {input}."
        )));
    }
    Ok(())
}

/// The extents of the spatial axes, where known.
pub(crate) fn extents(
    input: &InputShape,
    format: DataFormat,
) -> impl Iterator<Item = Option<usize>> {
    let channels = format.channels(input.rank());
    let axes = input.0.iter().enumerate();
    axes.filter(move |(i, _)| *i > 0 && *i != channels)
        .map(|(_, n)| *n)
}

/// Refuses sizes of 0, and those with which nothing could be computed.
pub(crate) fn check_sizes<const N: usize>(name: &str, values: [usize; N]) -> Result<()> {
    if values.contains(&0) {
        return Err(Error::new(format!(
            "{name} must be {N} positive integers (or one for all axes). Received: {name}={values:?}."
        )));
    }
    check_reach(name, &values)
}

/// Refuses steps of more than one cell both of a kernel and between its cells.
pub(crate) fn check_steps<const N: usize>(strides: [usize; N], dilation: [usize; N]) -> Result<()> {
    let apart = |values: [usize; N]| values.iter().any(|v| *v > 1);
    if apart(strides) && apart(dilation) {
        return Err(Error::new(format!(
            "strides and dilation_rate cannot both be greater than 1. Received: strides={strides:?} and \
             dilation_rate={dilation:?}."
        )));
    }
    Ok(())
}

/// Refuses numbers with which nothing could be computed.
pub(crate) fn check_reach(name: &str, values: &[usize]) -> Result<()> {
    if values.iter().all(|v| i32::try_from(*v).is_ok()) {
        return Ok(());
    }
    Err(Error::new(format!(
        "{name} must be below 2^31. Received: {name}={values:?}."
    )))
}

/// How borders are padded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Padding {
    /// Not at all (the default): windows lie inside.
    #[default]
    Valid,
    /// As much as makes the output as long as the input divided by the stride, rounded up; half of it
    /// before, the rest after.
    Same,
    /// All of it before, so that no output sees what comes after it.
    Causal,
}

impl Padding {
    /// Cells before and after an axis of `n`, for windows of `size` that are `stride` apart and whose
    /// cells are `dilation` apart.
    pub(crate) fn cells(
        self,
        n: usize,
        size: usize,
        stride: usize,
        dilation: usize,
    ) -> (usize, usize) {
        let reach = size.saturating_sub(1) * dilation + 1;
        match self {
            Padding::Valid => (0, 0),
            Padding::Same => {
                let windows = n.div_ceil(stride.max(1));
                let needed = windows.saturating_sub(1) * stride + reach;
                let total = needed.saturating_sub(n);
                (total / 2, total - total / 2)
            }
            Padding::Causal => (reach - 1, 0),
        }
    }
}

/// A name that is no padding is reported when the layer is built.
impl TryFrom<&str> for Padding {
    type Error = Error;
    fn try_from(name: &str) -> Result<Self> {
        match name.to_ascii_lowercase().as_str() {
            "valid" => Ok(Padding::Valid),
            "same" => Ok(Padding::Same),
            "causal" => Ok(Padding::Causal),
            _ => Err(Error::unknown(
                "padding",
                name,
                &["valid", "same", "causal"],
            )),
        }
    }
}

/// A number for each of `N` axes; one number stands for all of them. Its JSON is Keras': a list, or
/// one number.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Vec<usize>")]
pub struct PerAxis<const N: usize>(pub [usize; N]);

impl<const N: usize> TryFrom<Value> for PerAxis<N> {
    type Error = String;
    fn try_from(value: Value) -> Result<Self, String> {
        let number = |v: &Value| usize::try_from(v.as_u64()?).ok();
        let all: Option<Vec<usize>> = match &value {
            Value::Array(all) => all.iter().map(number).collect(),
            one => number(one).map(|n| vec![n; N]),
        };
        let all = all.and_then(|all| all.try_into().ok());
        all.map(Self).ok_or_else(|| match N {
            1 => format!("expected one positive integer. Received: {value}."),
            _ => format!("expected a positive integer, or {N} of them. Received: {value}."),
        })
    }
}

impl<const N: usize> From<PerAxis<N>> for Vec<usize> {
    fn from(value: PerAxis<N>) -> Self {
        value.0.to_vec()
    }
}

impl<const N: usize> From<usize> for PerAxis<N> {
    fn from(n: usize) -> Self {
        Self([n; N])
    }
}

impl<const N: usize> From<[usize; N]> for PerAxis<N> {
    fn from(all: [usize; N]) -> Self {
        Self(all)
    }
}

impl From<(usize, usize)> for PerAxis<2> {
    fn from((a, b): (usize, usize)) -> Self {
        Self([a, b])
    }
}

impl From<(usize, usize, usize)> for PerAxis<3> {
    fn from((a, b, c): (usize, usize, usize)) -> Self {
        Self([a, b, c])
    }
}

impl<const N: usize> fmt::Debug for PerAxis<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
