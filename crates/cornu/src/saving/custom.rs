//! Objects of one's own that files name.

use crate::Result;
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::layers::Layer;
use crate::losses::Loss;
use crate::metrics::Metric;
use crate::optimizers::Optimizer;
use crate::regularizers::Regularizer;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

type MakeLayer = dyn Fn(&Value) -> Result<Box<dyn Layer>> + Send + Sync;
type MakeOptimizer = dyn Fn(&Value) -> Result<Optimizer> + Send + Sync;

/// What the names in a file stand for that Keras does not define: Keras' `custom_objects`.
///
/// ```
/// use cornu::layers::{Call, Layer};
/// use cornu::prelude::*;
/// use cornu::saving::{CustomObjects, LoadModel, model_from_json_with};
///
/// /// Twice the input.
/// #[derive(Debug)]
/// struct Twice;
///
/// impl Layer for Twice {
///     fn class_name(&self) -> &str {
///         "Twice"
///     }
///     fn call(&self, _: &mut Call, x: &Tensor) -> Tensor {
///         x * 2.0
///     }
/// }
///
/// let mut model = Sequential::from_layers(vec![Input::new([3]).into(), Twice.into()]);
/// model.build()?;
/// let e = cornu::saving::model_from_json(&model.to_json()).unwrap_err();
/// assert!(e.to_string().contains("Unknown layer class \"Twice\""));
/// let own = CustomObjects::new().layer("Twice", |_config| Ok(Twice.into()));
/// let options = LoadModel::new().custom_objects(own);
/// assert!(model_from_json_with(&model.to_json(), &options)?.is_built());
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct CustomObjects {
    layers: HashMap<String, Arc<MakeLayer>>,
    optimizers: HashMap<String, Arc<MakeOptimizer>>,
    activations: HashMap<String, Activation>,
    constraints: HashMap<String, Constraint>,
    initializers: HashMap<String, Initializer>,
    losses: HashMap<String, Loss>,
    metrics: HashMap<String, Metric>,
    regularizers: HashMap<String, Regularizer>,
}

impl CustomObjects {
    /// No objects.
    pub fn new() -> Self {
        Self::default()
    }

    /// A layer class, and how to make the layer from its `config`.
    pub fn layer(
        mut self,
        class: impl Into<String>,
        make: impl Fn(&Value) -> Result<Box<dyn Layer>> + Send + Sync + 'static,
    ) -> Self {
        self.layers.insert(class.into(), Arc::new(make));
        self
    }

    /// An optimizer's class, and how to make the optimizer from its `config`: from a
    /// [`Rule`](crate::optimizers::Rule) of one's own.
    pub fn optimizer(
        mut self,
        class: impl Into<String>,
        make: impl Fn(&Value) -> Result<Optimizer> + Send + Sync + 'static,
    ) -> Self {
        self.optimizers.insert(class.into(), Arc::new(make));
        self
    }

    /// An activation function by its name.
    pub fn activation(mut self, name: impl Into<String>, function: impl Into<Activation>) -> Self {
        self.activations.insert(name.into(), function.into());
        self
    }

    /// A loss by the name of its function or class.
    pub fn loss(mut self, name: impl Into<String>, loss: impl Into<Loss>) -> Self {
        self.losses.insert(name.into(), loss.into());
        self
    }

    /// A metric by the name of its function or class.
    pub fn metric(mut self, name: impl Into<String>, metric: impl Into<Metric>) -> Self {
        self.metrics.insert(name.into(), metric.into());
        self
    }

    /// An initializer by the name of its function or class.
    pub fn initializer(
        mut self,
        name: impl Into<String>,
        initializer: impl Into<Initializer>,
    ) -> Self {
        self.initializers.insert(name.into(), initializer.into());
        self
    }

    /// A regularizer by the name of its function or class.
    pub fn regularizer(
        mut self,
        name: impl Into<String>,
        regularizer: impl Into<Regularizer>,
    ) -> Self {
        self.regularizers.insert(name.into(), regularizer.into());
        self
    }

    /// A constraint by the name of its function or class.
    pub fn constraint(
        mut self,
        name: impl Into<String>,
        constraint: impl Into<Constraint>,
    ) -> Self {
        self.constraints.insert(name.into(), constraint.into());
        self
    }

    /// Runs what reads a file with these objects known.
    pub(crate) fn within<T>(&self, read: impl FnOnce() -> T) -> T {
        /// Puts back what was known before, also after a panic.
        struct Before(CustomObjects);
        impl Drop for Before {
            fn drop(&mut self) {
                KNOWN.with_borrow_mut(|known| *known = std::mem::take(&mut self.0));
            }
        }
        let _before = Before(KNOWN.with_borrow_mut(|known| std::mem::replace(known, self.clone())));
        read()
    }
}

impl fmt::Debug for CustomObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomObjects")
            .field("layers", &self.layers.keys())
            .field("optimizers", &self.optimizers.keys())
            .field("activations", &self.activations.keys())
            .field("constraints", &self.constraints.keys())
            .field("initializers", &self.initializers.keys())
            .field("losses", &self.losses.keys())
            .field("metrics", &self.metrics.keys())
            .field("regularizers", &self.regularizers.keys())
            .finish()
    }
}

thread_local! {
    static KNOWN: RefCell<CustomObjects> = RefCell::default();
}

/// The layer of an object whose class is the user's own.
pub(crate) fn custom_layer(class: &str, object: &Value) -> Option<Result<Box<dyn Layer>>> {
    let make = KNOWN.with_borrow(|known| known.layers.get(class).cloned())?;
    Some(make(&object["config"]))
}

/// The optimizer of an object whose class is the user's own.
pub(crate) fn custom_optimizer(class: &str, config: &Value) -> Option<Result<Optimizer>> {
    let make = KNOWN.with_borrow(|known| known.optimizers.get(class).cloned())?;
    Some(make(config))
}

/// The name of what JSON stands for: a function's, or that of an object's class.
fn name(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value["class_name"].as_str())
}

/// A constraint of the user's own.
pub(crate) fn custom_constraint(value: &Value) -> Option<Constraint> {
    KNOWN.with_borrow(|known| known.constraints.get(name(value)?).cloned())
}

/// An initializer of the user's own.
pub(crate) fn custom_initializer(value: &Value) -> Option<Initializer> {
    KNOWN.with_borrow(|known| known.initializers.get(name(value)?).cloned())
}

/// A regularizer of the user's own.
pub(crate) fn custom_regularizer(value: &Value) -> Option<Regularizer> {
    KNOWN.with_borrow(|known| known.regularizers.get(name(value)?).cloned())
}

/// An activation of the user's own.
pub(crate) fn custom_activation(name: &str) -> Option<Activation> {
    KNOWN.with_borrow(|known| known.activations.get(name).cloned())
}

/// A loss of the user's own.
pub(crate) fn custom_loss(name: &str) -> Option<Loss> {
    KNOWN.with_borrow(|known| known.losses.get(name).cloned())
}

/// A metric of the user's own.
pub(crate) fn custom_metric(name: &str) -> Option<Metric> {
    KNOWN.with_borrow(|known| known.metrics.get(name).cloned())
}
