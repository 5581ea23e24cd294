//! Models: layers put together, and the one training loop.

mod call;
mod compile;
mod evaluate;
mod fit;
mod health;
mod labels;
mod network;
mod on_batch;
pub(crate) mod predict;
mod sequential;
mod trainer;
mod weighting;

pub use call::Called;
pub use compile::{Compile, IntoMetrics};
pub use evaluate::Evaluate;
pub use fit::{Fit, Shuffle};
pub use predict::Predict;
pub use sequential::{LayerId, Sequential};
