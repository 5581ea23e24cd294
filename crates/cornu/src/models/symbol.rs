//! Tensors without values: what layers are called on to draw a graph.

use crate::layers::{
    Add, Built, Input, InputShape, Layer, Multiply, Rescaling, Site, Subtract, build_layer,
    output_shapes, snake_case,
};
use crate::{Error, Result};
use std::fmt;
use std::ops;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// A layer with its weights, once it has them. What is called twice is one unit, in one model or in
/// several.
#[derive(Debug)]
pub(crate) struct Unit {
    pub layer: Arc<dyn Layer>,
    pub built: OnceLock<Built>,
    /// How often it has been called.
    calls: AtomicUsize,
}

impl Unit {
    pub fn new(layer: impl Into<Box<dyn Layer>>) -> Arc<Self> {
        Arc::new(Self {
            layer: Arc::from(layer.into()),
            built: OnceLock::new(),
            calls: AtomicUsize::new(0),
        })
    }

    /// The name the layer was given, or has since a model was made of it.
    pub fn given_name(&self) -> Option<String> {
        let built = self.built.get().map(|b| b.name.clone());
        built.or_else(|| self.layer.base().and_then(|b| b.name.clone()))
    }

    pub fn is_input(&self) -> bool {
        self.layer.class_name() == "InputLayer"
    }

    /// The shapes of the outputs for inputs of these shapes. Of a layer that is not built, weights
    /// are declared and forgotten.
    fn shapes(&self, inputs: &[InputShape]) -> Result<Vec<InputShape>> {
        if let Some(built) = self.built.get() {
            return output_shapes(&*self.layer, built, inputs);
        }
        let name = self
            .given_name()
            .unwrap_or_else(|| snake_case(self.layer.class_name()));
        let site = Site {
            path: "",
            seed: 0,
            stream: &mut 0,
            dry: true,
        };
        build_layer(&*self.layer, &name, inputs, site).map(|built| built.outputs)
    }
}

/// One call of a layer on symbols.
pub(crate) struct CallNode {
    pub unit: Arc<Unit>,
    pub inputs: Vec<Symbol>,
    /// The number of the call among those of the unit: Keras' `node_index`.
    pub number: usize,
}

/// Without what it was called on, which would repeat whatever is read twice.
impl fmt::Debug for CallNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} call {}", self.unit.layer.class_name(), self.number)
    }
}

impl CallNode {
    pub fn new(unit: Arc<Unit>, inputs: Vec<Symbol>) -> Arc<Self> {
        let number = unit.calls.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            unit,
            inputs,
            number,
        })
    }
}

/// A tensor without a value, whose shape is known but for the batch: Keras' `KerasTensor`. Layers are
/// called on symbols with [`Functional::on`], and [`Model::new`](super::Model::new) makes a model of
/// what lies between two sets of them.
///
/// Calling a layer never fails: what cannot be is carried along and comes out of `Model::new`.
///
/// ```
/// use cornu::prelude::*;
/// let x = Input::new([32]).symbol();
/// let hidden = Dense::new(32).activation("relu").on(&x);
/// let y = Dense::new(1).on(&hidden + &x);
/// assert_eq!(y.shape().to_string(), "(None, 1)");
/// let model = Model::new(&x, &y)?;
/// assert_eq!(model.count_params()?, 32 * 32 + 32 + 32 + 1);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Symbol {
    pub(crate) node: Arc<CallNode>,
    pub(crate) index: usize,
    shape: InputShape,
    pub(crate) error: Option<Arc<Error>>,
}

impl Symbol {
    pub(crate) fn of_input(unit: Arc<Unit>, shape: InputShape) -> Self {
        let error = unit.layer.base().and_then(|b| b.error.clone());
        Self {
            node: CallNode::new(unit, Vec::new()),
            index: 0,
            shape,
            error: error.map(Arc::new),
        }
    }

    /// The shape with the batch axis.
    pub fn shape(&self) -> &InputShape {
        &self.shape
    }

    /// What is wrong with how the symbol was made, if anything.
    ///
    /// # Errors
    /// That.
    pub fn check(&self) -> Result<()> {
        match &self.error {
            Some(e) => Err((**e).clone()),
            None => Ok(()),
        }
    }

    /// An output of a call in a graph.
    pub(super) fn drawn(node: &Arc<CallNode>, index: usize, shape: InputShape) -> Symbol {
        Symbol {
            node: node.clone(),
            index,
            shape,
            error: None,
        }
    }

    /// An output of a call whose shape is found when the graph is drawn.
    pub(super) fn of_call(node: &Arc<CallNode>, index: usize) -> Result<Symbol> {
        if node.unit.is_input() {
            let shape = super::sequential::input_shape(&*node.unit.layer)?;
            let input = Symbol::of_input(node.unit.clone(), shape);
            return Ok(Symbol {
                node: node.clone(),
                ..input
            });
        }
        Ok(Symbol {
            node: node.clone(),
            index,
            shape: InputShape(vec![None]),
            error: None,
        })
    }

    /// The output of a layer whose shape is found when the graph is drawn.
    pub(crate) fn deferred(unit: &Arc<Unit>, inputs: Vec<Symbol>) -> Symbol {
        Symbol {
            node: CallNode::new(unit.clone(), inputs),
            index: 0,
            shape: InputShape(vec![None]),
            error: None,
        }
    }

    /// The outputs of a layer called on symbols.
    fn called(unit: &Arc<Unit>, inputs: Vec<Symbol>) -> Vec<Symbol> {
        let shapes: Vec<InputShape> = inputs.iter().map(|s| s.shape.clone()).collect();
        let (outputs, error) = match inputs.iter().find_map(|s| s.error.clone()) {
            Some(e) => (Vec::new(), Some(e)),
            None => match unit.shapes(&shapes) {
                Ok(outputs) => (outputs, None),
                Err(e) => (Vec::new(), Some(Arc::new(e))),
            },
        };
        let node = CallNode::new(unit.clone(), inputs);
        let symbol = |(index, shape)| Symbol {
            node: node.clone(),
            index,
            shape,
            error: error.clone(),
        };
        if outputs.is_empty() {
            let shape = shapes.into_iter().next();
            return vec![symbol((0, shape.unwrap_or(InputShape(vec![None]))))];
        }
        outputs.into_iter().enumerate().map(symbol).collect()
    }
}

impl Input {
    /// The input of a model made by [`Model::new`](super::Model::new).
    pub fn symbol(self) -> Symbol {
        let shape = self.shape();
        Symbol::of_input(Unit::new(self), shape)
    }
}

/// A layer that may be called several times; each call uses the same weights.
///
/// ```
/// use cornu::prelude::*;
/// let (a, b) = (Input::new([4]).symbol(), Input::new([4]).symbol());
/// let encode = Dense::new(2).shared();
/// let y = encode.on(&a) - encode.on(&b);
/// assert_eq!(Model::new([&a, &b], &y)?.count_params()?, 4 * 2 + 2);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Shared(Arc<Unit>);

impl Shared {
    /// The layer's (first) output for these inputs.
    pub fn on(&self, inputs: impl IntoSymbols) -> Symbol {
        self.on_all(inputs).swap_remove(0)
    }

    /// All of the layer's outputs for these inputs.
    pub fn on_all(&self, inputs: impl IntoSymbols) -> Vec<Symbol> {
        Symbol::called(&self.0, inputs.into_symbols())
    }
}

/// Calling layers on symbols, for every layer.
pub trait Functional: Sized {
    /// The layer, to be called several times with the same weights.
    fn shared(self) -> Shared;

    /// The layer's (first) output for these inputs: one symbol, or an array or vector of them.
    fn on(self, inputs: impl IntoSymbols) -> Symbol {
        self.shared().on(inputs)
    }

    /// All of the layer's outputs, for a layer with several.
    fn on_all(self, inputs: impl IntoSymbols) -> Vec<Symbol> {
        self.shared().on_all(inputs)
    }
}

impl<L: Into<Box<dyn Layer>>> Functional for L {
    fn shared(self) -> Shared {
        Shared(Unit::new(self))
    }
}

/// One symbol, or several in order.
pub trait IntoSymbols {
    /// As a list.
    fn into_symbols(self) -> Vec<Symbol>;
}

impl IntoSymbols for Symbol {
    fn into_symbols(self) -> Vec<Symbol> {
        vec![self]
    }
}

impl IntoSymbols for &Symbol {
    fn into_symbols(self) -> Vec<Symbol> {
        vec![self.clone()]
    }
}

impl<const N: usize> IntoSymbols for [Symbol; N] {
    fn into_symbols(self) -> Vec<Symbol> {
        self.into()
    }
}

impl<const N: usize> IntoSymbols for [&Symbol; N] {
    fn into_symbols(self) -> Vec<Symbol> {
        self.into_iter().cloned().collect()
    }
}

impl IntoSymbols for Vec<Symbol> {
    fn into_symbols(self) -> Vec<Symbol> {
        self
    }
}

impl IntoSymbols for &[Symbol] {
    fn into_symbols(self) -> Vec<Symbol> {
        self.to_vec()
    }
}

impl IntoSymbols for &Vec<Symbol> {
    fn into_symbols(self) -> Vec<Symbol> {
        self.clone()
    }
}

/// Arithmetic draws the merging layers, and [`Rescaling`] for numbers.
macro_rules! arithmetic {
    ($($trait:ident $method:ident $layer:ident),*) => {$(
        arithmetic!($trait $method $layer: Symbol, Symbol);
        arithmetic!($trait $method $layer: Symbol, &Symbol);
        arithmetic!($trait $method $layer: &Symbol, Symbol);
        arithmetic!($trait $method $layer: &Symbol, &Symbol);
    )*};
    ($trait:ident $method:ident $layer:ident: $a:ty, $b:ty) => {
        impl ops::$trait<$b> for $a {
            type Output = Symbol;
            fn $method(self, other: $b) -> Symbol {
                $layer::new().on([self.clone(), other.clone()])
            }
        }
    };
}

arithmetic!(Add add Add, Sub sub Subtract, Mul mul Multiply);

macro_rules! scaling {
    ($($trait:ident $method:ident: |$v:ident| $scale:expr, $offset:expr;)*) => {$(
        impl ops::$trait<f64> for &Symbol {
            type Output = Symbol;
            fn $method(self, $v: f64) -> Symbol {
                Rescaling::new($scale).offset($offset).on(self)
            }
        }
        impl ops::$trait<f64> for Symbol {
            type Output = Symbol;
            fn $method(self, v: f64) -> Symbol {
                ops::$trait::$method(&self, v)
            }
        }
    )*};
}

scaling! {
    Add add: |v| 1.0, v;
    Sub sub: |v| 1.0, -v;
    Mul mul: |v| v, 0.0;
    Div div: |v| 1.0 / v, 0.0;
}

impl ops::Neg for &Symbol {
    type Output = Symbol;
    fn neg(self) -> Symbol {
        self * -1.0
    }
}

impl ops::Neg for Symbol {
    type Output = Symbol;
    fn neg(self) -> Symbol {
        &self * -1.0
    }
}
