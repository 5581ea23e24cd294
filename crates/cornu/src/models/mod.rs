//! Models: layers put together, and the one training loop.

mod call;
mod carried_masks;
mod compile;
mod compile_config;
mod config;
mod diagram;
mod evaluate;
mod fit;
mod functional;
mod graph;
mod health;
mod labels;
mod model;
mod nested;
mod on_batch;
pub(crate) mod predict;
mod sequential;
mod summarise;
mod symbol;
mod trainer;
mod weighting;

pub use call::Called;
pub use compile::{Compile, IntoMetrics};
pub(crate) use config::layer as layer_from_config;
pub use diagram::{PlotModel, RankDir};
pub use evaluate::Evaluate;
pub use fit::{Fit, Shuffle};
pub(crate) use graph::Graph;
pub use model::Model;
pub use predict::Predict;
pub use sequential::{LayerId, Sequential};
pub use symbol::{Functional, IntoSymbols, Shared, Symbol};
