//! What layers over space share: extents for each axis, where channels are, padding.

use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};
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

impl From<&str> for DataFormat {
    /// `"channels_first"`, or anything else for channels last.
    fn from(name: &str) -> Self {
        match name {
            "channels_first" => DataFormat::ChannelsFirst,
            _ => DataFormat::ChannelsLast,
        }
    }
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
#[serde(from = "OneOrEach", into = "Vec<usize>")]
pub struct PerAxis<const N: usize>(pub [usize; N]);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrEach {
    One(usize),
    Each(Vec<usize>),
}

impl<const N: usize> From<OneOrEach> for PerAxis<N> {
    fn from(value: OneOrEach) -> Self {
        match value {
            OneOrEach::One(n) => Self([n; N]),
            // Too few numbers leave zeros, which every layer refuses.
            OneOrEach::Each(all) => Self(std::array::from_fn(|i| match all.len() {
                len if len == N => all[i],
                _ => 0,
            })),
        }
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
