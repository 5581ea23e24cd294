//! Identities that only say something about gradients.

use super::Operation;
use crate::Result;
use crate::array::Array;
use crate::tensor::{Tensor, TensorType};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::Location;
use std::sync::Arc;

/// A gradient rule: from the inputs, the result and its gradient to the inputs' gradients.
pub type Rule = dyn Fn(&[Tensor], &Tensor, &Tensor) -> Vec<Option<Tensor>> + Send + Sync;

/// The first operand, unchanged. Its gradient goes by `rule` to the remaining operands, from which
/// the first was computed; without a rule it goes nowhere.
#[derive(Clone)]
pub struct Custom {
    /// The gradient rule.
    pub rule: Option<Arc<Rule>>,
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        match (&self.rule, &other.rule) {
            (None, None) => true,
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}
impl Eq for Custom {}
impl Hash for Custom {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rule.is_some().hash(state);
    }
}

impl Operation for Custom {
    fn name(&self) -> &'static str {
        if self.rule.is_some() {
            "custom_gradient"
        } else {
            "stop_gradient"
        }
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        Ok(inputs[0].clone())
    }
    fn grad(&self, inputs: &[Tensor], y: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        let mut grads = vec![None];
        if let Some(rule) = &self.rule {
            grads.extend(rule(&inputs[1..], y, g));
        }
        grads.resize(inputs.len(), None);
        grads
    }
    fn reference(&self, inputs: &[&Array], _: &TensorType) -> Array {
        inputs[0].clone()
    }
}

impl Tensor {
    /// The same value, through which no gradient flows.
    #[track_caller]
    pub fn stop_gradient(&self) -> Tensor {
        Tensor::new(
            Custom { rule: None }.into(),
            vec![self.clone()],
            Location::caller(),
        )
    }

    /// `value`, computed from `inputs`, with a gradient rule of its own in place of the derived one.
    #[track_caller]
    pub(crate) fn with_rule(value: &Tensor, inputs: &[Tensor], rule: Arc<Rule>) -> Tensor {
        let mut operands = vec![value.clone()];
        operands.extend_from_slice(inputs);
        Tensor::new(
            Custom { rule: Some(rule) }.into(),
            operands,
            Location::caller(),
        )
    }
}
