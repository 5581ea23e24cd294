//! One axis or several, as Keras' `axis` arguments.

use serde::{Deserialize, Serialize};

/// One axis, or several together; negative ones count from the end. Its JSON is Keras': a number or a
/// list.
///
/// ```
/// use cornu::Axes;
/// assert_eq!(Axes::from(-1).as_slice(), [-1]);
/// assert_eq!(serde_json::to_string(&Axes::from([0, 1])).unwrap(), "[0,1]");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Axes {
    /// One axis.
    One(isize),
    /// Several axes.
    Many(Vec<isize>),
}

impl Axes {
    /// The axes as a slice.
    pub fn as_slice(&self) -> &[isize] {
        match self {
            Axes::One(axis) => std::slice::from_ref(axis),
            Axes::Many(axes) => axes,
        }
    }
}

impl From<isize> for Axes {
    fn from(axis: isize) -> Axes {
        Axes::One(axis)
    }
}

impl<const N: usize> From<[isize; N]> for Axes {
    fn from(axes: [isize; N]) -> Axes {
        Axes::Many(axes.to_vec())
    }
}

impl From<&[isize]> for Axes {
    fn from(axes: &[isize]) -> Axes {
        Axes::Many(axes.to_vec())
    }
}

impl From<Vec<isize>> for Axes {
    fn from(axes: Vec<isize>) -> Axes {
        Axes::Many(axes)
    }
}
