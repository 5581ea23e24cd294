//! Event files of a training; `tests/interop/check_tensorboard.py` reads them with TensorBoard itself.
#![cfg(feature = "tensorboard")]

use cornu::callbacks::TensorBoard;
use cornu::prelude::*;
use std::path::PathBuf;

#[test]
fn event_files_of_a_training() {
    let kept = std::env::var_os("CORNU_LOGS").map(PathBuf::from);
    let logs = kept
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("cornu-{}-logs", std::process::id())));
    set_random_seed(1);
    let x: Vec<f32> = (0..120).map(|i| (i * 37 % 100) as f32 / 100.0).collect();
    let x = Array::from_vec([40, 3], x).unwrap();
    let y: Vec<i32> = x
        .to_vec::<f32>()
        .chunks(3)
        .map(|r| i32::from(r[0] > 0.5))
        .collect();
    let mut model = Sequential::new();
    model.add(
        Dense::new(2)
            .activation("softmax")
            .input_shape([3])
            .name("out"),
    );
    let adam = Adam::new().learning_rate(0.01);
    model
        .compile(adam, "sparse_categorical_crossentropy", ["accuracy"])
        .unwrap();
    let board = TensorBoard::new(&logs)
        .histogram_freq(2)
        .update_freq(2)
        .write_steps_per_second(true);
    let options = Fit::new()
        .epochs(3)
        .batch_size(8)
        .validation_split(0.2)
        .verbose(0)
        .callback(board);
    model.fit(&x, &y, options).unwrap();

    for (folder, tag) in [
        ("train", "out/kernel/histogram"),
        ("train", "graph_keras_model"),
        ("validation", "evaluation_loss_vs_iterations"),
    ] {
        let mut files = std::fs::read_dir(logs.join(folder)).unwrap();
        let file = files.next().unwrap().unwrap().path();
        assert!(files.next().is_none());
        assert!(
            file.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("events.out.tfevents.")
        );
        let bytes = std::fs::read(file).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(holds("brain.Event:2") && holds("epoch_loss") && holds(tag));
        // The records follow each other without a gap.
        let mut at = 0;
        while at < bytes.len() {
            at += 16 + u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        }
        assert_eq!(at, bytes.len());
    }
    // A folder that cannot be is an error, not a loss of data in silence.
    let e = model.fit(
        &x,
        &y,
        Fit::new()
            .verbose(0)
            .callback(TensorBoard::new("/dev/null/logs")),
    );
    assert!(
        e.unwrap_err()
            .to_string()
            .starts_with("TensorBoard cannot write to")
    );
    if kept.is_none() {
        std::fs::remove_dir_all(logs).unwrap();
    }
}
