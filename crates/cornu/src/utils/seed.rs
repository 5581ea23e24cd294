//! Where random seeds come from.

use std::cell::Cell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// A seed that was set, and how many seeds have been handed out since.
type Sequence = (u64, u64);

/// The sequence of the threads that set none of their own: the last that was set anywhere.
static SHARED: Mutex<Option<Sequence>> = Mutex::new(None);

thread_local! {
    /// The sequence that this thread set: what other threads draw or set does not disturb it.
    static OWN: Cell<Option<Sequence>> = const { Cell::new(None) };
}

/// Makes everything random from here on (initial weights, shuffling, dropout) repeatable: the same
/// calls after the same seed give the same bits, on any number of threads.
///
/// The thread that calls this has a sequence of its own from then on, so that models that are built
/// side by side in several threads are each repeatable. A thread that never calls it goes on with the
/// last sequence that was set in any other.
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
    OWN.set(Some((seed, 0)));
    *SHARED.lock().unwrap_or_else(PoisonError::into_inner) = Some((seed, 0));
}

/// The next seed: of the sequence that was set, or unpredictable.
pub(crate) fn next_seed() -> u64 {
    static UNSEEDED: AtomicU64 = AtomicU64::new(0);
    if let Some(sequence) = OWN.get() {
        let (seed, sequence) = draw(sequence);
        OWN.set(Some(sequence));
        return seed;
    }
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    match *shared {
        Some(sequence) => {
            let (seed, sequence) = draw(sequence);
            *shared = Some(sequence);
            seed
        }
        None => RandomState::new().hash_one(UNSEEDED.fetch_add(1, Ordering::Relaxed)),
    }
}

/// The next seed of a sequence, and the sequence after it.
fn draw((seed, count): Sequence) -> (u64, Sequence) {
    let count = count + 1;
    // Two rounds of SplitMix64 keep neighbouring seeds and counts apart.
    (mix(mix(seed).wrapping_add(count)), (seed, count))
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> [u64; 3] {
        std::array::from_fn(|_| next_seed())
    }

    #[test]
    fn another_thread_does_not_disturb_a_sequence() {
        set_random_seed(3);
        let alone = three();
        set_random_seed(3);
        let first = next_seed();
        let theirs = std::thread::spawn(|| {
            set_random_seed(3);
            three()
        })
        .join()
        .unwrap();
        assert_eq!(theirs, alone);
        assert_eq!([first, next_seed(), next_seed()], alone);
    }

    #[test]
    fn a_thread_that_sets_no_seed_goes_on_with_the_shared_one() {
        // Other tests set seeds too, so that only the law can be checked: seeds come, and differ.
        set_random_seed(4);
        let theirs = std::thread::spawn(three).join().unwrap();
        assert!(theirs[0] != theirs[1] && theirs[1] != theirs[2]);
    }
}
