//! In which types layers compute and keep their weights.

use crate::{DType, Error, Result};
use std::sync::{PoisonError, RwLock};

/// The policy of layers that are made from here on.
static POLICY: RwLock<DTypePolicy> = RwLock::new(DTypePolicy::of(DType::F32));

/// The policy that layers have when they are not given one: `float32` at first.
pub fn dtype_policy() -> DTypePolicy {
    *POLICY.read().unwrap_or_else(PoisonError::into_inner)
}

/// Sets the policy of all layers that are made from here on and not given one, by Keras' name: a float
/// type, `"mixed_bfloat16"` or `"mixed_float16"`.
///
/// ```
/// use cornu::layers::{Layer, set_dtype_policy};
/// use cornu::prelude::*;
/// set_dtype_policy("mixed_float16")?;
/// let hidden = Dense::new(64);
/// let last = Dense::new(10).dtype("float32");
/// set_dtype_policy("float32")?;
/// let policy = |layer: &Dense| layer.base().unwrap().dtype.name();
/// assert_eq!((policy(&hidden), policy(&last)), ("mixed_float16", "float32"));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// If there is no such policy.
pub fn set_dtype_policy(name: &str) -> Result<()> {
    let policy = DTypePolicy::from_name(name)?;
    *POLICY.write().unwrap_or_else(PoisonError::into_inner) = policy;
    Ok(())
}

/// The type in which a layer computes and that of its weights: the same, or, with a mixed policy, a
/// 16-bit one and `float32`.
///
/// ```
/// use cornu::layers::DTypePolicy;
/// use cornu::DType;
/// let policy = DTypePolicy::from_name("mixed_bfloat16")?;
/// assert_eq!((policy.compute, policy.variable), (DType::BF16, DType::F32));
/// assert!(DTypePolicy::from_name("int32").is_err());
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DTypePolicy {
    /// The type of inputs, as the layer sees them, and results.
    pub compute: DType,
    /// The type of weights.
    pub variable: DType,
}

const MIXED: [(&str, DType); 2] = [
    ("mixed_bfloat16", DType::BF16),
    ("mixed_float16", DType::F16),
];

impl DTypePolicy {
    /// One type for everything.
    pub const fn of(dtype: DType) -> Self {
        Self {
            compute: dtype,
            variable: dtype,
        }
    }

    /// By Keras' name: a float type, `"mixed_bfloat16"` or `"mixed_float16"`.
    ///
    /// # Errors
    /// If there is no such policy.
    pub fn from_name(name: &str) -> Result<Self> {
        if let Some((_, compute)) = MIXED.iter().find(|(n, _)| *n == name) {
            return Ok(Self {
                compute: *compute,
                variable: DType::F32,
            });
        }
        match DType::from_name(name)? {
            dtype if dtype.is_float() => Ok(Self::of(dtype)),
            dtype => Err(Error::dtype(format!(
                "A layer computes in floats. Received: dtype {dtype}."
            ))),
        }
    }

    /// Keras' name.
    pub fn name(&self) -> &'static str {
        let mixed = MIXED
            .iter()
            .find(|(_, c)| self.compute == *c && self.variable != *c);
        mixed.map_or(self.compute.name(), |(n, _)| n)
    }
}
