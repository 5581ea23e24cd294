//! Small helpers that Keras' users expect.

mod categorical;
mod seed;

pub use categorical::{normalize, to_categorical};
pub(crate) use seed::next_seed;
pub use seed::set_random_seed;
