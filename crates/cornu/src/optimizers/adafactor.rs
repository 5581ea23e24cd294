//! Adafactor.

use super::common::{at_least_zero, common_options, own_config, setters};
use super::rule::Prepared;
use super::{Common, Rule, Slot, Step};
use crate::{Array, Error, Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Adam's second moment in little memory: of a matrix, the means of its rows and columns only.
/// Default learning rate 0.001.
///
/// With `rms(x) = √mean(x²)`, `s = g² + ε₁`, `β = 1 − t^decay` and `ρ = min(lr, 1/√t)`:
///
/// * of two axes or more, over the last two: `r ← β·r + (1 − β)·mean(s, −1)`,
///   `c ← β·c + (1 − β)·mean(s, −2)`, `v = r·c/mean(r)`
/// * else `v ← β·v + (1 − β)·s`
/// * `u = g/√v`, `w ← w − max(ε₂, rms(w))·ρ·u/max(1, rms(u)/clip_threshold)`
///
/// Keras keeps `v` of matrices too, though it is never read, and so does this.
///
/// Shazeer and Stern, *Adafactor: adaptive learning rates with sublinear memory cost* (2018).
///
/// ```
/// use cornu::optimizers::{Adafactor, Optimizer};
/// let adafactor = Optimizer::from(Adafactor::new().learning_rate(0.01));
/// assert_eq!(adafactor.to_config()["beta_2_decay"], -0.8);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adafactor {
    #[serde(skip)]
    common: Common,
    beta_2_decay: f64,
    epsilon_1: f64,
    epsilon_2: f64,
    clip_threshold: f64,
    relative_step: bool,
}

impl Default for Adafactor {
    fn default() -> Self {
        Adafactor {
            common: Common::new(0.001),
            beta_2_decay: -0.8,
            epsilon_1: 1e-30,
            epsilon_2: 1e-3,
            clip_threshold: 1.0,
            relative_step: true,
        }
    }
}

common_options!(Adafactor);

setters!(Adafactor {
    /// The power of the step that the averages forget with (default −0.8).
    beta_2_decay: f64,
    /// Keeps squares of gradients away from 0 (default 1e-30).
    epsilon_1: f64,
    /// The least norm of a variable that counts (default 1e-3).
    epsilon_2: f64,
    /// The longest update, as root mean square (default 1).
    clip_threshold: f64,
    /// Keras' option of this name (default yes); the rate is at most `1/√t` either way.
    relative_step: bool,
});

impl Rule for Adafactor {
    fn class_name(&self) -> &'static str {
        "Adafactor"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn slots(&self, variable: &Variable) -> Vec<Slot> {
        let v = Slot::zeros("velocity", variable);
        let [front @ .., rows, columns] = variable.shape().dims() else {
            // Keras keeps integer zeros in the place of means that are not needed.
            let none = || Array::scalar(0i32);
            return vec![Slot::new("r", none()), Slot::new("c", none()), v];
        };
        let means = |n: &usize| Array::zeros(variable.dtype(), [front, &[*n]].concat());
        let (r, c) = (means(rows), means(columns));
        vec![Slot::new("r", r), Slot::new("c", c), v]
    }

    fn prepare(&self, lr: &Tensor, t: &Tensor, _: &[Tensor]) -> Prepared {
        let keep = 1.0 - t.pow(self.beta_2_decay);
        Prepared {
            scalars: vec![lr.minimum(t.rsqrt()), 1.0 - &keep, keep],
            globals: vec![],
        }
    }

    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
        let [rate, new, keep] = &step.scalars[..] else {
            unreachable!("prepare() makes three scalars")
        };
        let blend = |x: &Tensor, now: &Tensor| x * keep + now * new;
        let square = g.square() + self.epsilon_1;
        let (r, c, v) = if w.rank() >= 2 {
            let r = blend(&slots[0], &square.mean_axes(&[-1], false));
            let c = blend(&slots[1], &square.mean_axes(&[-2], false));
            let share = &r / r.mean_axes(&[-1], true);
            let v = share.expand_dims(-1) * c.expand_dims(-2);
            (r, c, v)
        } else {
            let v = blend(&slots[2], &square);
            (slots[0].clone(), slots[1].clone(), v)
        };
        let rms = |x: &Tensor| x.square().mean().sqrt();
        let u = g * v.rsqrt();
        let length = (rms(&u) * (1.0 / self.clip_threshold)).maximum(1.0);
        let size = rms(w).maximum(self.epsilon_2) * rate / length;
        (w - u * size, vec![r, c, v])
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        at_least_zero("epsilon_1", self.epsilon_1)?;
        at_least_zero("epsilon_2", self.epsilon_2)?;
        if self.clip_threshold > 0.0 {
            return Ok(());
        }
        Err(Error::new(format!(
            "clip_threshold must be > 0. Received: {}.",
            self.clip_threshold
        )))
    }
}
