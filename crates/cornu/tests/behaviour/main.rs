//! What models, layers and data do, beyond single values of Keras: laws, whole trainings, masks, types.

mod data_streams;
mod datasets;
mod functional;
mod losses;
mod masks;
mod mixed_precision;
mod mnist;
mod noise;
mod normalization;
mod properties;
mod properties_space;
mod threads;
mod training;
