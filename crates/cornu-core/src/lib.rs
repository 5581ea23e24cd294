//! The tensor program of Cornu.
