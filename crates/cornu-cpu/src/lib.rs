//! The CPU backend of Cornu.
