//! The layer that does nothing.

use super::base::{Base, builtin, options};
use super::{Call, Layer};
use crate::Tensor;
use serde::{Deserialize, Serialize};

/// Passes its input on unchanged; a place holder.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Identity::new().input_shape([2]));
/// model.build()?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    #[serde(skip)]
    base: Base,
}

impl Identity {
    /// The layer.
    pub fn new() -> Self {
        Self::default()
    }
}

options!(Identity);

impl Layer for Identity {
    builtin!(Identity, masks pass);

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        x.clone()
    }
}
