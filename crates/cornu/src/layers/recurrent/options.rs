//! What cells, and the layers over them, are told.

use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::layers::base::positive;
use crate::layers::weight_options::{glorot_uniform, yes, zeros};
use crate::regularizers::Regularizer;
use crate::{Error, Result};
use cornu_core::ops::recurrent::Cell;
use serde::{Deserialize, Serialize};

/// Which cell: what tells LSTM, GRU and SimpleRNN apart.
pub trait Kind: Clone + Copy + std::fmt::Debug + Send + Sync + 'static {
    /// Keras' name of the layer over a sequence.
    const LAYER: &'static str;
    /// Keras' name of the cell.
    const CELL: &'static str;
    /// The name of the cell inside the layer.
    const NAME: &'static str;
    #[doc(hidden)]
    fn defaults(config: &mut Config);
    #[doc(hidden)]
    fn cell(config: &Config) -> Cell;
}

/// What the layers LSTM and LSTMCell are.
#[derive(Clone, Copy, Debug)]
pub struct Lstm;

/// What the layers GRU and GRUCell are.
#[derive(Clone, Copy, Debug)]
pub struct Gru;

/// What the layers SimpleRNN and SimpleRNNCell are.
#[derive(Clone, Copy, Debug)]
pub struct Simple;

impl Kind for Lstm {
    const LAYER: &'static str = "LSTM";
    const CELL: &'static str = "LSTMCell";
    const NAME: &'static str = "lstm_cell";
    fn defaults(config: &mut Config) {
        config.recurrent_activation.get_or_insert("sigmoid".into());
        config.unit_forget_bias.get_or_insert(true);
    }
    fn cell(_: &Config) -> Cell {
        Cell::Lstm
    }
}

impl Kind for Gru {
    const LAYER: &'static str = "GRU";
    const CELL: &'static str = "GRUCell";
    const NAME: &'static str = "gru_cell";
    fn defaults(config: &mut Config) {
        config.recurrent_activation.get_or_insert("sigmoid".into());
        config.reset_after.get_or_insert(true);
    }
    fn cell(config: &Config) -> Cell {
        Cell::Gru {
            reset_after: config.reset_after.unwrap_or(true),
        }
    }
}

impl Kind for Simple {
    const LAYER: &'static str = "SimpleRNN";
    const CELL: &'static str = "SimpleRNNCell";
    const NAME: &'static str = "simple_rnn_cell";
    fn defaults(_: &mut Config) {}
    fn cell(_: &Config) -> Cell {
        Cell::Simple
    }
}

/// A cell's configuration, as Keras writes it. What only some cells have is `None` in the others.
#[doc(hidden)]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub(super) units: usize,
    #[serde(default = "tanh")]
    pub(super) activation: Activation,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recurrent_activation: Option<Activation>,
    #[serde(default = "yes")]
    pub(super) use_bias: bool,
    #[serde(default = "glorot_uniform")]
    pub(super) kernel_initializer: Initializer,
    #[serde(default = "orthogonal")]
    pub(super) recurrent_initializer: Initializer,
    #[serde(default = "zeros")]
    pub(super) bias_initializer: Initializer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unit_forget_bias: Option<bool>,
    #[serde(default)]
    pub(super) kernel_regularizer: Option<Regularizer>,
    #[serde(default)]
    pub(super) recurrent_regularizer: Option<Regularizer>,
    #[serde(default)]
    pub(super) bias_regularizer: Option<Regularizer>,
    #[serde(default)]
    pub(super) kernel_constraint: Option<Constraint>,
    #[serde(default)]
    pub(super) recurrent_constraint: Option<Constraint>,
    #[serde(default)]
    pub(super) bias_constraint: Option<Constraint>,
    #[serde(default)]
    pub(super) dropout: f64,
    #[serde(default)]
    pub(super) recurrent_dropout: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reset_after: Option<bool>,
    #[serde(default)]
    pub(super) seed: Option<u32>,
}

impl Config {
    /// Keras' defaults for a kind of cell.
    pub(super) fn new<K: Kind>(units: usize) -> Self {
        let mut config = Config {
            units,
            activation: tanh(),
            recurrent_activation: None,
            use_bias: true,
            kernel_initializer: glorot_uniform(),
            recurrent_initializer: orthogonal(),
            bias_initializer: zeros(),
            unit_forget_bias: None,
            kernel_regularizer: None,
            recurrent_regularizer: None,
            bias_regularizer: None,
            kernel_constraint: None,
            recurrent_constraint: None,
            bias_constraint: None,
            dropout: 0.0,
            recurrent_dropout: 0.0,
            reset_after: None,
            seed: None,
        };
        K::defaults(&mut config);
        config
    }
}

fn tanh() -> Activation {
    "tanh".into()
}

fn orthogonal() -> Initializer {
    "orthogonal".into()
}

/// Refuses sizes, rates and activations that cannot be; `units` is what the size is called.
pub(super) fn check_rates(units: &str, c: &Config) -> Result<()> {
    positive(units, c.units)?;
    for (name, rate) in [
        ("dropout", c.dropout),
        ("recurrent_dropout", c.recurrent_dropout),
    ] {
        if !(0.0..=1.0).contains(&rate) {
            return Err(Error::new(format!(
                "{name} must be between 0 and 1. Received: {name}={rate}."
            )));
        }
    }
    c.activation.check()?;
    let gates = c.recurrent_activation.as_ref();
    gates.map_or(Ok(()), Activation::check)
}

/// The options of a cell and of the layer over it, as builder methods.
pub trait CellOptions: Sized {
    #[doc(hidden)]
    fn config_mut(&mut self) -> &mut Config;

    /// The activation of the new state; `"tanh"` by default.
    fn activation(mut self, activation: impl Into<Activation>) -> Self {
        self.config_mut().activation = activation.into();
        self
    }

    /// Whether a bias is added; it is by default.
    fn use_bias(mut self, use_bias: bool) -> Self {
        self.config_mut().use_bias = use_bias;
        self
    }

    /// How the kernel starts; `"glorot_uniform"` by default.
    fn kernel_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.config_mut().kernel_initializer = initializer.into();
        self
    }

    /// How the recurrent kernel starts; `"orthogonal"` by default.
    fn recurrent_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.config_mut().recurrent_initializer = initializer.into();
        self
    }

    /// How the bias starts; `"zeros"` by default.
    fn bias_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.config_mut().bias_initializer = initializer.into();
        self
    }

    /// A penalty on the kernel.
    fn kernel_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.config_mut().kernel_regularizer = Some(regularizer.into());
        self
    }

    /// A penalty on the recurrent kernel.
    fn recurrent_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.config_mut().recurrent_regularizer = Some(regularizer.into());
        self
    }

    /// A penalty on the bias.
    fn bias_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.config_mut().bias_regularizer = Some(regularizer.into());
        self
    }

    /// A constraint on the kernel.
    fn kernel_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.config_mut().kernel_constraint = Some(constraint.into());
        self
    }

    /// A constraint on the recurrent kernel.
    fn recurrent_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.config_mut().recurrent_constraint = Some(constraint.into());
        self
    }

    /// A constraint on the bias.
    fn bias_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.config_mut().bias_constraint = Some(constraint.into());
        self
    }

    /// The share of input features dropped in training, the same ones at every step; 0 by default.
    fn dropout(mut self, rate: f64) -> Self {
        self.config_mut().dropout = rate;
        self
    }

    /// The share of h dropped in training on its way into each gate, the same at every step; 0 by
    /// default. Other than 0 it takes the slower way, step by step.
    fn recurrent_dropout(mut self, rate: f64) -> Self {
        self.config_mut().recurrent_dropout = rate;
        self
    }

    /// A seed for what is dropped.
    fn seed(mut self, seed: u32) -> Self {
        self.config_mut().seed = Some(seed);
        self
    }
}

/// The options that only some cells have, for the cell or the layer over it.
macro_rules! gate_options {
    ($of:ident) => {
        impl $of<Lstm> {
            /// Whether the forget gate's bias starts at 1; it does by default.
            pub fn unit_forget_bias(mut self, ones: bool) -> Self {
                self.config_mut().unit_forget_bias = Some(ones);
                self
            }

            /// The activation of the gates; `"sigmoid"` by default.
            pub fn recurrent_activation(
                mut self,
                activation: impl Into<$crate::activations::Activation>,
            ) -> Self {
                self.config_mut().recurrent_activation = Some(activation.into());
                self
            }
        }

        impl $of<Gru> {
            /// Whether the reset gate is applied to the recurrent product (then the recurrent kernel has a
            /// bias of its own) rather than to h; it is by default.
            pub fn reset_after(mut self, reset_after: bool) -> Self {
                self.config_mut().reset_after = Some(reset_after);
                self
            }

            /// The activation of the gates; `"sigmoid"` by default.
            pub fn recurrent_activation(
                mut self,
                activation: impl Into<$crate::activations::Activation>,
            ) -> Self {
                self.config_mut().recurrent_activation = Some(activation.into());
                self
            }
        }
    };
}

pub(super) use gate_options;
