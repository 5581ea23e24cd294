//! In which types layers compute and keep their weights.

use crate::{DType, Error, Result};

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
