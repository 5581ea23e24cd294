//! AdamW.

use super::adam::{adam, corrected_rate};
use super::common::{at_least_zero, common_options, fraction, own_config, setters};
use super::rule::{Prepared, moving};
use super::{Common, Rule, Slot, Step};
use crate::{Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

adam! {
    /// [`Adam`](super::Adam) with decoupled weight decay, 0.004 by default. Default learning rate
    /// 0.001.
    ///
    /// First `w ← w − lr·decay·w`, then Adam's step. Variables that are not to decay are named by
    /// [`exclude_from_weight_decay`](AdamW::exclude_from_weight_decay).
    ///
    /// Loshchilov and Hutter, *Decoupled weight decay regularization* (2017).
    ///
    /// ```
    /// use cornu::optimizers::{AdamW, Optimizer};
    /// let adamw = AdamW::new().weight_decay(0.1).exclude_from_weight_decay(["bias"]);
    /// assert_eq!(Optimizer::from(adamw).to_config()["weight_decay"], 0.1);
    /// ```
    AdamW, weight_decay: Some(0.004)
}
