//! Where random seeds come from.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// The seed that was set, and how many seeds have been handed out since.
static STATE: Mutex<Option<(u64, u64)>> = Mutex::new(None);

/// Makes everything random from here on (initial weights, shuffling, dropout) repeatable: the same
/// calls after the same seed give the same bits, on any number of threads.
///
/// ```
/// use cornu::prelude::*;
/// let weights = || {
///     set_random_seed(7);
///     let mut model = Sequential::new();
///     model.add(Dense::new(2).input_shape([3]));
///     model.build()?;
///     model.get_weights()
/// };
/// assert_eq!(weights()?, weights()?);
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn set_random_seed(seed: u64) {
    *STATE.lock().unwrap_or_else(PoisonError::into_inner) = Some((seed, 0));
}

/// The next seed: of the sequence that was set, or unpredictable.
pub(crate) fn next_seed() -> u64 {
    static UNSEEDED: AtomicU64 = AtomicU64::new(0);
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    match &mut *state {
        Some((seed, count)) => {
            *count += 1;
            // Two rounds of SplitMix64 keep neighbouring seeds and counts apart.
            mix(mix(*seed).wrapping_add(*count))
        }
        None => RandomState::new().hash_one(UNSEEDED.fetch_add(1, Ordering::Relaxed)),
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
