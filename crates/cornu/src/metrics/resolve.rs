//! Strings whose metric depends on the shapes.

use super::metric::MetricFn;
use super::{
    BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy,
    SparseCategoricalAccuracy, SparseCategoricalCrossentropy,
};
use cornu_core::Shape;
use std::sync::Arc;

/// `"accuracy"` or `"crossentropy"`, in any case, or their short forms.
#[derive(Clone, Copy, Debug)]
pub(super) enum ByShape {
    Accuracy,
    Crossentropy,
}

impl ByShape {
    pub(super) fn from_str(identifier: &str) -> Option<ByShape> {
        match identifier.to_lowercase().as_str() {
            "accuracy" | "acc" => Some(ByShape::Accuracy),
            "crossentropy" | "ce" => Some(ByShape::Crossentropy),
            _ => None,
        }
    }

    /// Keras' `get_metric`: the first rule that holds.
    pub(super) fn resolve(self, y_true: &Shape, y_pred: &Shape) -> Arc<dyn MetricFn> {
        let classes = y_pred.last().copied().unwrap_or(1);
        let binary = classes == 1;
        let sparse = y_true.rank() < y_pred.rank() || (y_true.last() == Some(&1) && classes > 1);
        match self {
            ByShape::Accuracy if binary => Arc::new(BinaryAccuracy::new()),
            ByShape::Accuracy if sparse => Arc::new(SparseCategoricalAccuracy::new()),
            ByShape::Accuracy => Arc::new(CategoricalAccuracy::new()),
            ByShape::Crossentropy if binary => Arc::new(BinaryCrossentropy::new()),
            ByShape::Crossentropy if sparse => Arc::new(SparseCategoricalCrossentropy::new()),
            ByShape::Crossentropy => Arc::new(CategoricalCrossentropy::new()),
        }
    }
}
