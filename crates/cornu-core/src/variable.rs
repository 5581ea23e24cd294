//! Variables: named state that programs read and update in place.

use crate::array::Array;
use crate::ops::Op;
use crate::shape::Shape;
use crate::tensor::{Tensor, TensorType};
use crate::{DType, Error, Result};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Named state outside the expressions: a weight, an optimizer slot, a metric's sum. Cloning copies a
/// pointer to the same state. Programs read it and update it in place.
///
/// ```
/// use cornu_core::Variable;
/// let w = Variable::new("w", [1.0f32, 2.0]);
/// w.assign([3.0f32, 4.0]).unwrap();
/// assert_eq!(w.value().to_vec::<f32>(), [3.0, 4.0]);
/// assert!(w.assign([1.0f32]).is_err());
/// ```
#[derive(Clone)]
pub struct Variable(Arc<Inner>);

struct Inner {
    id: u64,
    name: String,
    ty: TensorType,
    value: RwLock<Array>,
}

impl Variable {
    /// A variable with its first value; shape and type stay those.
    pub fn new(name: impl Into<String>, value: impl Into<Array>) -> Variable {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let value = value.into();
        Variable(Arc::new(Inner {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            name: name.into(),
            ty: TensorType {
                shape: value.shape().clone(),
                dtype: value.dtype(),
            },
            value: RwLock::new(value),
        }))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The extents.
    pub fn shape(&self) -> &Shape {
        &self.0.ty.shape
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.0.ty.dtype
    }

    /// A number that no other variable of this process has; grows with creation.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The variable as a tensor: its value when the program runs, before the program's updates.
    pub fn tensor(&self) -> Tensor {
        Tensor::leaf(Op::Variable(self.clone()), self.0.ty.clone())
    }

    /// A copy of the value.
    pub fn value(&self) -> Array {
        self.read().clone()
    }

    /// The only element, converted to `f64` (the first, if there are more; NaN if there are none).
    pub fn scalar(&self) -> f64 {
        let value = self.read();
        match value.as_slice::<f32>() {
            Ok(v) => v.first().map_or(f64::NAN, |v| f64::from(*v)),
            Err(_) => value.to_vec::<f64>().first().copied().unwrap_or(f64::NAN),
        }
    }

    /// Replaces the value; it is converted to the variable's type.
    ///
    /// # Errors
    /// If the shape differs.
    pub fn assign(&self, value: impl Into<Array>) -> Result<()> {
        let value = value.into();
        if value.shape() != self.shape() {
            return Err(Error::shape(format!(
                "Variable \"{}\" has shape {}. Received: a value of shape {}.",
                self.name(),
                self.shape(),
                value.shape()
            )));
        }
        let value = if value.dtype() == self.dtype() {
            value
        } else {
            value.cast(self.dtype())
        };
        *self.write() = value;
        Ok(())
    }

    /// The value, for reading in place. A program that updates the variable waits meanwhile.
    pub fn read(&self) -> RwLockReadGuard<'_, Array> {
        // A panic elsewhere cannot leave an array half-changed in a way that matters for memory.
        self.0.value.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value, for changing in place: its shape and type must stay.
    pub fn write(&self) -> RwLockWriteGuard<'_, Array> {
        self.0.value.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Variable {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}
impl Eq for Variable {}
impl Hash for Variable {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variable(\"{}\" {})", self.0.name, self.0.ty)
    }
}
