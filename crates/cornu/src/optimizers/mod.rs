//! Optimizers: how a training step changes the weights.
//!
//! Each is Keras' of the same name: formula, defaults, options, state. A whole step (gradient
//! clipping, weight decay, the update, averages) is one expression and becomes part of the compiled
//! training program.
//!
//! ```
//! use cornu::optimizers::{Optimizer, RMSprop, schedules::CosineDecay};
//! let by_name = Optimizer::from("rmsprop");
//! let typed = Optimizer::from(RMSprop::new().learning_rate(1e-4).clipnorm(1.0));
//! let scheduled = Optimizer::from(RMSprop::new().learning_rate(CosineDecay::new(1e-3, 10_000)));
//! assert_eq!(by_name.learning_rate(), f64::from(0.001f32));
//! assert!(typed.check().is_ok() && scheduled.check().is_ok());
//! ```

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod common;
mod ftrl;
mod lamb;
mod lion;
pub(crate) mod loss_scale;
mod muon;
mod nadam;
mod optimizer;
mod registry;
mod rmsprop;
mod rule;
mod schedule_free_adamw;
pub mod schedules;
mod sgd;

pub use adadelta::Adadelta;
pub use adafactor::Adafactor;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use common::Common;
pub use ftrl::Ftrl;
pub use lamb::Lamb;
pub use lion::Lion;
pub use loss_scale::LossScale;
pub use muon::Muon;
pub use nadam::Nadam;
pub use optimizer::Optimizer;
pub use rmsprop::RMSprop;
pub use rule::{Prepared, Rule, Slot, Step};
pub use schedule_free_adamw::ScheduleFreeAdamW;
pub use schedules::LearningRate;
pub use sgd::SGD;
