//! What a step costs beside arithmetic: no allocation, no growth of memory, no system call.

use cornu::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::process::Command;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

/// The system's allocator, counting.
struct Counting;

static COUNTED: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicIsize = AtomicIsize::new(0);

fn count(bytes: isize) {
    if bytes > 0 {
        COUNTED.fetch_add(1, Ordering::Relaxed);
    }
    LIVE.fetch_add(bytes, Ordering::Relaxed);
}

// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a test needs: a model, samples and labels.
struct Case {
    model: Sequential,
    x: Array,
    y: Array,
    batch: usize,
}

fn data(samples: usize, features: usize, classes: usize) -> (Array, Array) {
    let x: Vec<f32> = (0..samples * features)
        .map(|i| ((i * 31) % 97) as f32 / 97.0)
        .collect();
    let y: Vec<i32> = (0..samples).map(|i| (i % classes) as i32).collect();
    (
        Array::from_vec([samples, features], x).unwrap(),
        Array::from(y),
    )
}

/// The network of the MNIST example, small, with dropout.
fn images(samples: usize) -> Case {
    let mut model = Sequential::new();
    model.add(Dense::new(32).activation("relu").input_shape([64]));
    model.add(Dropout::new(0.2));
    model.add(Dense::new(10).activation("softmax"));
    model
        .compile("rmsprop", "sparse_categorical_crossentropy", ["accuracy"])
        .unwrap();
    let (x, y) = data(samples, 64, 10);
    Case {
        model,
        x,
        y,
        batch: 16,
    }
}

/// A small network for tables, as used for a few features.
fn table(samples: usize) -> Case {
    let mut model = Sequential::new();
    model.add(Dense::new(16).activation("relu").input_shape([8]));
    model.add(Dense::new(16).activation("relu"));
    model.add(Dense::new(1).activation("sigmoid"));
    model
        .compile("adam", "binary_crossentropy", ["accuracy"])
        .unwrap();
    let (x, y) = data(samples, 8, 2);
    Case {
        model,
        x,
        y,
        batch: 32,
    }
}

impl Case {
    fn fit(&mut self, epochs: usize, shuffle: Shuffle) {
        let fit = Fit::new()
            .epochs(epochs)
            .batch_size(self.batch)
            .shuffle(shuffle)
            .verbose(0);
        self.model.fit(&self.x, &self.y, fit).unwrap();
    }

    /// Allocations of one `fit` call.
    fn allocations(&mut self, epochs: usize, shuffle: Shuffle) -> usize {
        let before = COUNTED.load(Ordering::Relaxed);
        self.fit(epochs, shuffle);
        COUNTED.load(Ordering::Relaxed) - before
    }
}

fn a_training_step_allocates_nothing() {
    for shuffle in [Shuffle::Samples, Shuffle::Batch, Shuffle::No] {
        for (few, many) in [
            (images(165), images(16 * 1000 + 5)),
            (table(330), table(32 * 1000 + 10)),
        ] {
            // Runs of 11 and of 1001 steps: their epochs allocate alike, so steps do not at all.
            let of = |mut case: Case| {
                case.fit(1, shuffle);
                let [one, three] = [1, 3].map(|epochs| case.allocations(epochs, shuffle));
                (one, (three - one) / 2)
            };
            let ((once, epoch), (once_many, epoch_many)) = (of(few), of(many));
            assert_eq!(epoch, epoch_many, "{shuffle:?}: 11 and 1001 steps an epoch");
            assert_eq!(once, once_many, "{shuffle:?}: 11 and 1001 steps");
            assert!(epoch < 60, "{shuffle:?}: {epoch} allocations per epoch");
            assert!(once < 200, "{shuffle:?}: {once} allocations per call");
        }
    }
}

fn predict_into_allocates_nothing() -> cornu::Result<()> {
    for (case, features, outputs) in [(images(1), 64, 10), (table(1), 8, 1)] {
        for rows in [1, 7, 300] {
            let (x, mut y) = (vec![0.5; rows * features], vec![0.0; rows * outputs]);
            case.model.predict_into(&x, &mut y)?;
            let before = COUNTED.load(Ordering::Relaxed);
            for _ in 0..100 {
                case.model.predict_into(&x, &mut y)?;
            }
            assert_eq!(COUNTED.load(Ordering::Relaxed), before, "{rows} rows");
        }
    }
    Ok(())
}

fn memory_does_not_grow() -> cornu::Result<()> {
    let mut case = table(3200);
    case.fit(1, Shuffle::Samples);
    let before = LIVE.load(Ordering::Relaxed);
    case.fit(100, Shuffle::Samples);
    assert_eq!(LIVE.load(Ordering::Relaxed), before, "10,000 steps");

    let mut case = images(40);
    let round = |case: &mut Case| -> cornu::Result<()> {
        case.fit(1, Shuffle::Samples);
        case.model.predict(&case.x)?;
        let quiet = Evaluate::new().verbose(0);
        case.model.evaluate_with(&case.x, &case.y, quiet)?;
        case.model.train_on_batch(&case.x, &case.y)?;
        Ok(())
    };
    round(&mut case)?;
    let before = LIVE.load(Ordering::Relaxed);
    for _ in 0..200 {
        round(&mut case)?;
    }
    assert_eq!(LIVE.load(Ordering::Relaxed), before, "200 calls");

    let before = LIVE.load(Ordering::Relaxed);
    for _ in 0..50 {
        let mut case = images(40);
        case.fit(1, Shuffle::Samples);
    }
    let kept = LIVE.load(Ordering::Relaxed) - before;
    assert!(kept < 16 << 10, "50 models left {kept} bytes");
    Ok(())
}

fn memory_does_not_grow_with_batches_of_many_sizes() -> cornu::Result<()> {
    let mut case = images(200);
    let round = |case: &mut Case| -> cornu::Result<()> {
        for batch in 1..100 {
            let fit = Fit::new().batch_size(batch).steps_per_epoch(1).verbose(0);
            case.model.fit(&case.x, &case.y, fit)?;
        }
        Ok(())
    };
    round(&mut case)?;
    let before = LIVE.load(Ordering::Relaxed);
    round(&mut case)?;
    let grown = LIVE.load(Ordering::Relaxed) - before;
    assert!(grown < 4 << 20, "a second round left {grown} bytes");
    Ok(())
}

/// For how many epochs of 100 steps the process under `strace` trains.
const CHILD: &str = "CORNU_TEST_STEPS";

/// System calls of a whole process, by all its threads; `None` without `strace`.
fn system_calls(epochs: usize) -> Option<usize> {
    let summary =
        std::env::temp_dir().join(format!("cornu-strace-{}-{epochs}", std::process::id()));
    let status = Command::new("strace")
        .args(["-f", "-c", "-o"])
        .arg(&summary)
        .arg(std::env::current_exe().ok()?)
        .args(["--exact", "steps"])
        .env(CHILD, epochs.to_string())
        .env("CORNU_NUM_THREADS", "2")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status();
    let text = std::fs::read_to_string(&summary);
    let _ = std::fs::remove_file(&summary);
    let (true, Ok(text)) = (status.ok()?.success(), text) else {
        return None;
    };
    // `100.00    0.001234           2       617        12 total`
    let total = text.lines().rfind(|l| l.ends_with(" total"))?;
    total.split_whitespace().nth(3)?.parse().ok()
}

fn a_training_step_makes_no_system_call() {
    let (Some(few), Some(many)) = (system_calls(10), system_calls(110)) else {
        println!("skipped: strace cannot be run here");
        return;
    };
    let more = many as f64 - few as f64;
    assert!(
        more / 10_000.0 < 0.01,
        "{few} system calls in 1,000 steps, {many} in 11,000"
    );
}

/// One test, so that no other allocates meanwhile.
#[test]
fn steps() -> cornu::Result<()> {
    if let Ok(epochs) = std::env::var(CHILD) {
        table(3200).fit(epochs.parse().unwrap(), Shuffle::Samples);
        return Ok(());
    }
    a_training_step_allocates_nothing();
    predict_into_allocates_nothing()?;
    memory_does_not_grow()?;
    memory_does_not_grow_with_batches_of_many_sizes()?;
    a_training_step_makes_no_system_call();
    Ok(())
}
