//! Files of arrays and weights.
//!
//! Every reader is bounded: a file that is cut off, altered or made to do harm gives an
//! [`Error`](crate::Error), and never takes more memory than a small multiple of its own size.

mod elements;
pub mod npy;
pub mod npz;
#[cfg(feature = "safetensors")]
pub mod safetensors;
mod weights;
