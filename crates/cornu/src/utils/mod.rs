//! Small helpers that Keras' users expect.

mod categorical;
mod pad_sequences;
mod seed;
mod seed_generator;
mod split_dataset;
mod timeseries;

pub use categorical::{normalize, to_categorical};
pub use pad_sequences::{PadSequences, Side, pad_sequences, pad_sequences_with};
pub(crate) use seed::next_seed;
pub use seed::set_random_seed;
pub use seed_generator::SeedGenerator;
pub use split_dataset::{Listed, Split, SplitSize, split_dataset};
pub use timeseries::{TimeseriesDataset, timeseries_dataset_from_array};
