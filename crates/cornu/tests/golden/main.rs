//! Everything against values that Keras itself computed (`tests/golden`).

#[path = "mod.rs"]
mod golden;

mod activations;
mod constraints;
mod curves;
mod diagrams;
mod initializers;
mod layers;
mod losses;
mod metrics;
mod mixed;
mod mixing;
mod numpy;
mod operations;
mod optimizers;
mod preprocessing;
mod recurrent;
mod regularizers;
mod sequences;
mod several;
mod signatures;
mod strings;
mod summaries;
mod text;
mod training;
