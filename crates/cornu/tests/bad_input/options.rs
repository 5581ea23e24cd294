//! Options of fit and evaluate.

use super::*;

pub const CASES: &[Case] = &[
    Case(
        "fit: batch size 0",
        "batch_size must be at least 1. Received: batch_size=0.",
        || fit(quiet().batch_size(0)),
    ),
    Case(
        "fit: steps 0",
        "steps_per_epoch must be at least 1. Received: steps_per_epoch=0.",
        || fit(quiet().steps_per_epoch(0)),
    ),
    Case(
        "fit: validation steps 0",
        "validation_steps must be at least 1. Received: validation_steps=0.",
        || fit(quiet().validation_steps(0)),
    ),
    Case(
        "fit: validation batch size 0",
        "validation_batch_size must be at least 1. Received: validation_batch_size=0.",
        || fit(quiet().validation_batch_size(0)),
    ),
    Case(
        "fit: validation frequency 0",
        "validation_freq must be at least 1. Received: validation_freq=0.",
        || fit(quiet().validation_freq(0)),
    ),
    Case(
        "fit: all for validation",
        "validation_split must be at least 0 and less than 1. Received: validation_split=1.",
        || fit(quiet().validation_split(1.0)),
    ),
    Case(
        "fit: a negative split",
        "validation_split must be at least 0 and less than 1. Received: \
         validation_split=-0.1.",
        || fit(quiet().validation_split(-0.1)),
    ),
    Case(
        "fit: a split that is not a number",
        "validation_split must be at least 0 and less than 1. Received: \
         validation_split=NaN.",
        || fit(quiet().validation_split(f64::NAN)),
    ),
    Case(
        "fit: nothing left for training",
        "validation_split=0.99 of 6 samples leaves 0 for training and 6 for validation; \
         both need at least one.",
        || fit(quiet().validation_split(0.99)),
    ),
    Case(
        "fit: verbose 7",
        "Invalid value for argument `verbose`. Expected 0 (silent), 1 (progress bar) or 2 \
         (one line per epoch). Received: verbose=7",
        || fit(quiet().verbose(7)),
    ),
    Case(
        "evaluate: batch size 0",
        "batch_size must be at least 1. Received: batch_size=0.",
        || evaluate(Evaluate::new().batch_size(0)),
    ),
    Case(
        "evaluate: steps 0",
        "steps must be at least 1. Received: steps=0.",
        || evaluate(Evaluate::new().steps(0)),
    ),
    Case(
        "evaluate: verbose 7",
        "Invalid value for argument `verbose`. Expected 0 (silent), 1 (progress bar) or 2 \
         (one line per epoch). Received: verbose=7",
        || evaluate(Evaluate::new().verbose(7)),
    ),
];
