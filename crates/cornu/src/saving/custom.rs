//! Objects of one's own that files name.

use crate::Result;
use crate::activations::Activation;
use crate::layers::Layer;
use crate::losses::Loss;
use crate::metrics::Metric;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

type MakeLayer = dyn Fn(&Value) -> Result<Box<dyn Layer>> + Send + Sync;

/// What the names in a file stand for that Keras does not define: Keras' `custom_objects`.
///
/// ```
/// use cornu::layers::{Call, Layer};
/// use cornu::prelude::*;
/// use cornu::saving::{CustomObjects, model_from_json_with};
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
/// assert!(model_from_json_with(&model.to_json(), &own)?.is_built());
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct CustomObjects {
    layers: HashMap<String, Arc<MakeLayer>>,
    activations: HashMap<String, Activation>,
    losses: HashMap<String, Loss>,
    metrics: HashMap<String, Metric>,
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
            .field("activations", &self.activations.keys())
            .field("losses", &self.losses.keys())
            .field("metrics", &self.metrics.keys())
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
