//! Muon.

use super::adam::corrected_rate;
use super::common::{at_least_zero, common_options, fraction, own_config};
use super::rule::{Prepared, moving};
use super::{Common, Rule, Slot, Step};
use crate::{Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Momentum whose step is made orthogonal, for the matrices inside a network; AdamW for all else.
/// Default learning rate 0.001, weight decay 0.004.
///
/// * a matrix that is no embedding: `m ← μ·m + g`, `u = g + μ·m` (without Nesterov `u = m`), then
///   `w ← w − lr·NS(u)·√max(rows, columns)·rms_rate`, where the Newton-Schulz iteration `NS` starts
///   from `x = u/‖u‖` and repeats `x ← a·x + (b·A + c·A²)·x` with `A = x·xᵀ`
/// * any other variable: AdamW with `adam_beta_1`, `adam_beta_2`, `adam_weight_decay`
///
/// Jordan and others, *Muon: an optimizer for hidden layers in neural networks* (2024); Liu and
/// others, *Muon is scalable for LLM training* (2025).
///
/// ```
/// use cornu::optimizers::{Muon, Optimizer};
/// let muon = Optimizer::from(Muon::new().learning_rate(0.02).exclude_layers(["head"]));
/// assert_eq!(muon.to_config()["ns_steps"], 5);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Muon {
    #[serde(skip)]
    common: Common,
    adam_beta_1: f64,
    adam_beta_2: f64,
    epsilon: f64,
    exclude_layers: Vec<String>,
    muon_a: f64,
    muon_b: f64,
    muon_c: f64,
    adam_lr_ratio: f64,
    momentum: f64,
    ns_steps: u32,
    nesterov: bool,
    exclude_embeddings: bool,
    adam_weight_decay: Option<f64>,
    rms_rate: Option<f64>,
}

impl Default for Muon {
    fn default() -> Self {
        Muon {
            common: Common {
                weight_decay: Some(0.004),
                ..Common::new(0.001)
            },
            adam_beta_1: 0.9,
            adam_beta_2: 0.999,
            epsilon: 1e-7,
            exclude_layers: Vec::new(),
            muon_a: 3.4445,
            muon_b: -4.775,
            muon_c: 2.0315,
            adam_lr_ratio: 1.0,
            momentum: 0.95,
            ns_steps: 5,
            nesterov: true,
            exclude_embeddings: true,
            adam_weight_decay: Some(0.004),
            rms_rate: Some(0.2),
        }
    }
}

common_options!(Muon);

impl Muon {
    /// AdamW's `β₁` (default 0.9).
    pub fn adam_beta_1(mut self, beta: f64) -> Self {
        self.adam_beta_1 = beta;
        self
    }

    /// AdamW's `β₂` (default 0.999).
    pub fn adam_beta_2(mut self, beta: f64) -> Self {
        self.adam_beta_2 = beta;
        self
    }

    /// AdamW's `ε` (default 1e-7).
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// AdamW's weight decay (default 0.004).
    pub fn adam_weight_decay(mut self, decay: impl Into<Option<f64>>) -> Self {
        self.adam_weight_decay = decay.into();
        self
    }

    /// AdamW's learning rate as a multiple of the other (default 1).
    pub fn adam_lr_ratio(mut self, ratio: f64) -> Self {
        self.adam_lr_ratio = ratio;
        self
    }

    /// Variables whose path contains one of these texts go to AdamW (default none). Keras takes
    /// regular expressions; these are plain texts.
    pub fn exclude_layers<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.exclude_layers = names.into_iter().map(Into::into).collect();
        self
    }

    /// Whether variables with "embedding" in their path go to AdamW (default yes).
    pub fn exclude_embeddings(mut self, yes: bool) -> Self {
        self.exclude_embeddings = yes;
        self
    }

    /// The coefficients `a`, `b`, `c` of the iteration (default 3.4445, −4.775, 2.0315).
    pub fn coefficients(mut self, a: f64, b: f64, c: f64) -> Self {
        (self.muon_a, self.muon_b, self.muon_c) = (a, b, c);
        self
    }

    /// How much of the last step goes into the next (default 0.95).
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// How often the iteration is repeated (default 5).
    pub fn ns_steps(mut self, steps: u32) -> Self {
        self.ns_steps = steps;
        self
    }

    /// Whether to apply Nesterov's momentum (default yes).
    pub fn nesterov(mut self, yes: bool) -> Self {
        self.nesterov = yes;
        self
    }

    /// Makes steps as long as AdamW's are: their root mean square over the learning rate (default
    /// 0.2). `None`: steps stay as the iteration leaves them.
    pub fn rms_rate(mut self, rate: impl Into<Option<f64>>) -> Self {
        self.rms_rate = rate.into();
        self
    }

    fn uses_adamw(&self, variable: &Variable) -> bool {
        let path = variable.name();
        variable.shape().rank() != 2
            || (self.exclude_embeddings && path.to_lowercase().contains("embedding"))
            || self
                .exclude_layers
                .iter()
                .any(|name| path.contains(name.as_str()))
    }

    /// The Newton-Schulz iteration on a matrix.
    fn orthogonal(&self, u: &Tensor) -> Tensor {
        let tall = u.shape()[0] > u.shape()[1];
        let x = if tall { u.t() } else { u.clone() };
        let mut x = &x / (x.square().sum().sqrt() + 1e-7);
        for _ in 0..self.ns_steps {
            let a = x.matmul(x.t());
            let b = &a * self.muon_b + a.matmul(&a) * self.muon_c;
            x = &x * self.muon_a + b.matmul(&x);
        }
        if tall { x.t() } else { x }
    }
}

impl Rule for Muon {
    fn class_name(&self) -> &'static str {
        "Muon"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn slots(&self, variable: &Variable) -> Vec<Slot> {
        let mut slots = vec![Slot::zeros("momentum", variable)];
        if self.uses_adamw(variable) {
            slots.push(Slot::zeros("velocity", variable));
        }
        slots
    }

    fn weight_decay(&self, variable: &Variable) -> Option<f64> {
        if self.uses_adamw(variable) {
            self.adam_weight_decay
        } else {
            self.common.weight_decay
        }
    }

    fn prepare(&self, lr: &Tensor, t: &Tensor, _: &[Tensor]) -> Prepared {
        let lr = lr * self.adam_lr_ratio;
        let rate = corrected_rate(&lr, t, self.adam_beta_1, self.adam_beta_2);
        Prepared {
            scalars: vec![rate],
            globals: vec![],
        }
    }

    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
        if let [m, v] = slots {
            let m = moving(m, g, self.adam_beta_1);
            let v = moving(v, &g.square(), self.adam_beta_2);
            let w = w - &m * &step.scalars[0] / (v.sqrt() + self.epsilon);
            return (w, vec![m, v]);
        }
        let m = &slots[0] * self.momentum + g;
        let u = if self.nesterov {
            self.orthogonal(&(g + &m * self.momentum))
        } else {
            self.orthogonal(&m)
        };
        let longest = w.shape().iter().copied().max().unwrap_or(1);
        let length = self
            .rms_rate
            .map_or(1.0, |rate| (longest as f64).sqrt() * rate);
        (w - u * (&step.lr * length), vec![m])
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        fraction("adam_beta_1", self.adam_beta_1)?;
        fraction("adam_beta_2", self.adam_beta_2)?;
        fraction("momentum", self.momentum)?;
        at_least_zero("epsilon", self.epsilon)?;
        at_least_zero("adam_lr_ratio", self.adam_lr_ratio)?;
        at_least_zero("adam_weight_decay", self.adam_weight_decay.unwrap_or(0.0))?;
        at_least_zero("rms_rate", self.rms_rate.unwrap_or(0.0))
    }
}
