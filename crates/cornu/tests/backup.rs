//! Trainings that are cut off and go on: a process is killed, and one that is started again ends where an
//! uninterrupted one does, to the last bit.

use cornu::callbacks::SaveFreq;
use cornu::data::{Dataset, from_tensor_slices};
use cornu::prelude::*;
use std::path::{Path, PathBuf};
use std::process::Command;

const CHILD: &str = "CORNU_TEST_BACKUP";

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("cornu-backup-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn samples() -> (Array, Array) {
    let x: Vec<f32> = (0..230 * 5)
        .map(|i| (i * 7919 % 1013) as f32 / 1013.0)
        .collect();
    let x = Array::from_vec([230, 5], x).unwrap();
    let rows = x.to_vec::<f32>();
    let y: Vec<i32> = rows
        .chunks(5)
        .map(|r| i32::from(r[0] + r[1] > 1.0))
        .collect();
    (x, Array::from(y))
}

/// What is random, and what keeps something, in one model: dropout, running means, averaged weights, a
/// metric with thresholds.
fn model() -> Model {
    set_random_seed(11);
    let mut model = Sequential::new();
    model.add(Dense::new(8).activation("relu").input_shape([5]));
    model.add(BatchNormalization::new());
    model.add(Dropout::new(0.4));
    model.add(Dense::new(1).activation("sigmoid"));
    let adam = Adam::new().learning_rate(0.02).use_ema(true);
    model
        .compile(adam, "binary_crossentropy", ["accuracy", "auc"])
        .unwrap();
    model.into()
}

/// Sends the process a signal at a batch: KILL ends it at once, as a machine that goes down.
fn kill_at<'a>(at: Option<(usize, usize)>) -> LambdaCallback<'a> {
    let signal = match std::env::var("CORNU_TEST_SIGNAL") {
        Ok(signal) => format!("-{signal}"),
        Err(_) => "-KILL".to_string(),
    };
    let epoch = std::rc::Rc::new(std::cell::Cell::new(0));
    let of_epoch = epoch.clone();
    let lambda = LambdaCallback::new().on_epoch_end(move |_, e, _| {
        epoch.set(e + 1);
        Ok(())
    });
    match at {
        None => lambda,
        Some(at) => lambda.on_train_batch_end(move |_, batch, _| {
            if (of_epoch.get(), batch) == at {
                let id = std::process::id().to_string();
                let _ = Command::new("kill").args([&*signal, &id]).status();
            }
            Ok(())
        }),
    }
}

/// The bits of a whole training of six epochs: the last figures, weights, and what callbacks saw.
fn train(how: &str, backup: &Path, kill: Option<(usize, usize)>) -> Vec<u64> {
    let (x, y) = samples();
    let mut model = model();
    let mut stopping = EarlyStopping::new().patience(4).restore_best_weights(true);
    let mut reduce = ReduceLROnPlateau::new().patience(1).factor(0.5);
    let save_freq = match how {
        "epochs" => SaveFreq::Epoch,
        _ => SaveFreq::Batches(3),
    };
    let options = Fit::new()
        .epochs(6)
        .verbose(0)
        // Before the others, which are to be in the backup as they are after the epoch.
        .callback(BackupAndRestore::new(backup).save_freq(save_freq))
        .callback(LearningRateScheduler::new(|_, rate| rate * 0.9))
        .callback(&mut stopping)
        .callback(&mut reduce)
        .callback(SwapEMAWeights::new().swap_on_epoch(true))
        .callback(kill_at(kill));
    let history = match how {
        "dataset" => {
            let held = from_tensor_slices(&x, &y).take(40).batch(20);
            let data = from_tensor_slices(&x, &y).shuffle(50).map(Ok).batch(20);
            model.fit_dataset(&data, options.validation_dataset(&held))
        }
        "steps" => model.fit(
            &x,
            &y,
            options
                .batch_size(20)
                .steps_per_epoch(7)
                .validation_split(0.2),
        ),
        _ => model.fit(&x, &y, options.batch_size(20).validation_split(0.2)),
    };
    let history = history.unwrap();
    if history.epoch.last() != Some(&5) {
        return Vec::new(); // ended by Ctrl-C
    }
    let figures = history.last().unwrap().iter().map(|(_, v)| v);
    let seen = [stopping.best(), Some(stopping.best_epoch() as f64)];
    let weights = model.get_weights().unwrap();
    let weights = weights.iter().flat_map(|w| w.to_vec::<f64>());
    let all = figures.chain(seen.into_iter().flatten()).chain(weights);
    all.map(f64::to_bits).collect()
}

/// What a child process does.
#[test]
fn child() {
    let Ok(asked) = std::env::var(CHILD) else {
        return;
    };
    let mut parts = asked.split('|');
    let how = parts.next().unwrap();
    let backup = PathBuf::from(parts.next().unwrap());
    let kill: Vec<usize> = parts.filter_map(|n| n.parse().ok()).collect();
    let kill = kill.first().zip(kill.get(1)).map(|(e, b)| (*e, *b));
    let bits = train(how, &backup, kill);
    println!("bits {bits:?}");
}

/// What a process prints that trains, killed at a batch of an epoch or not.
fn spawned(how: &str, backup: &Path, kill: &str, signal: &str) -> Option<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(CHILD, format!("{how}|{}|{kill}", backup.display()))
        .env("CORNU_TEST_SIGNAL", signal)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let bits = text.lines().find_map(|line| line.split_once("bits "));
    bits.map(|(_, bits)| bits.to_string())
}

#[cfg(unix)]
#[test]
fn a_killed_training_goes_on_as_if_it_had_not_been() {
    for how in ["epochs", "batches", "steps", "dataset"] {
        let backup = folder(how);
        let whole = format!("{:?}", train(how, &backup, None));
        assert!(!backup.exists(), "the backup outlives its training");
        // Killed twice: in the third epoch, and again after going on, in the fifth.
        for kill in ["2|4", "4|1"] {
            assert_eq!(
                spawned(how, &backup, kill, "KILL"),
                None,
                "not killed: {how}"
            );
            assert!(backup.join("latest.npz").exists(), "{how}");
        }
        let rest = spawned(how, &backup, "", "KILL");
        assert_eq!(rest.as_deref(), Some(&*whole), "{how}");
        assert!(!backup.exists());
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_the_backup_to_go_on_from() {
    let backup = folder("interrupted");
    let whole = format!("{:?}", train("epochs", &backup, None));
    // The training ends after the batch, and the process does not: it prints that there are no bits.
    let cut = spawned("epochs", &backup, "2|4", "INT");
    assert_eq!(cut.as_deref(), Some("[]"));
    assert!(backup.join("latest.npz").exists());
    let rest = spawned("epochs", &backup, "", "INT");
    assert_eq!(rest.as_deref(), Some(&*whole));
    assert!(!backup.exists());
}

#[test]
fn a_backup_that_cannot_be_read_or_does_not_fit() {
    let (x, y) = samples();
    let backup = folder("broken");
    std::fs::create_dir_all(&backup).unwrap();
    let keep = || {
        BackupAndRestore::new(&backup)
            .delete_checkpoint(false)
            .double_checkpoint(true)
    };
    let fit = |model: &mut Model, epochs: usize| {
        let options = Fit::new().epochs(epochs).verbose(0);
        let history = model.fit(&x, &y, options.callback(keep()))?;
        Ok::<_, cornu::Error>(history.epoch)
    };
    assert_eq!(fit(&mut model(), 2).unwrap(), [0, 1]);
    assert_eq!(fit(&mut model(), 4).unwrap(), [2, 3]);
    // There is nothing left to do.
    assert_eq!(fit(&mut model(), 4).unwrap(), [0; 0]);

    // The one before the last is taken if the last is broken, and neither is an error.
    let latest = backup.join("latest.npz");
    let whole = std::fs::read(&latest).unwrap();
    std::fs::write(&latest, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(fit(&mut model(), 4).unwrap(), [3]);
    std::fs::write(&latest, &whole[..whole.len() / 2]).unwrap();
    std::fs::write(backup.join("latest.npz.bkp"), "nothing").unwrap();
    let e = fit(&mut model(), 4).unwrap_err().to_string();
    assert!(e.contains("latest.npz"), "{e}");

    std::fs::write(&latest, &whole).unwrap();
    let mut other = Sequential::new();
    other.add(Dense::new(1).activation("sigmoid").input_shape([5]));
    other.compile("sgd", "mse", ()).unwrap();
    let e = fit(&mut other, 5).unwrap_err().to_string();
    let expected = "The training cannot go on from its backup: It holds ";
    assert!(e.starts_with(expected), "{e}");
    let e = model().fit(
        &x,
        &y,
        Fit::new().callback(keep()).callback(History::default()),
    );
    let expected =
        "The training cannot go on from its backup: It was made with 1 callbacks. Received: 2.";
    assert_eq!(e.unwrap_err().to_string(), expected);
    let (fewer, labels) = (
        Array::zeros(DType::F32, [8, 5]),
        Array::zeros(DType::I32, [8]),
    );
    let e = model().fit(&fewer, &labels, Fit::new().callback(keep()));
    let expected = "It was made with 230 samples. Received: 8.";
    assert!(e.unwrap_err().to_string().ends_with(expected));
    std::fs::remove_dir_all(backup).unwrap();
}

#[test]
fn only_the_backup_is_removed() {
    let backup = folder("shared");
    std::fs::create_dir_all(&backup).unwrap();
    let notes = backup.join("notes.txt");
    std::fs::write(&notes, "kept").unwrap();
    train("epochs", &backup, None);
    assert!(notes.exists() && !backup.join("latest.npz").exists());
    std::fs::remove_dir_all(backup).unwrap();
}

#[test]
fn averages_are_what_is_validated_and_kept() {
    let (x, y) = samples();
    let train = |swap: Option<SwapEMAWeights>, stop: bool| {
        let mut model = model();
        let mut options = Fit::new()
            .epochs(3)
            .validation_split(0.5)
            .shuffle(false)
            .verbose(0);
        if let Some(swap) = swap {
            options = options.callback(swap);
        }
        if stop {
            options = options.callback(LambdaCallback::new().on_epoch_end(|m, epoch, _| {
                if epoch == 1 {
                    m.stop_training();
                }
                Ok(())
            }));
        }
        let history = model.fit(&x, &y, options).unwrap();
        (history["val_loss"].to_vec(), model.get_weights().unwrap())
    };
    for stop in [false, true] {
        let (plain, averages) = train(None, stop);
        for swap_on_epoch in [false, true] {
            let swap = SwapEMAWeights::new().swap_on_epoch(swap_on_epoch);
            let (measured, weights) = train(Some(swap), stop);
            assert_ne!(measured, plain);
            assert_eq!(weights, averages, "{stop} {swap_on_epoch}");
        }
    }
    let mut model = Sequential::new();
    model.add(Dense::new(1).input_shape([5]));
    model.compile("sgd", "mse", ()).unwrap();
    let options = Fit::new().validation_split(0.2).verbose(0);
    let e = model.fit(&x, &y, options.callback(SwapEMAWeights::new()));
    let expected =
        "The weights have no moving averages to be swapped with: give the optimizer use_ema(true).";
    assert_eq!(e.unwrap_err().to_string(), expected);
}

#[cfg(feature = "saving")]
#[test]
fn checkpoints_can_be_loaded_and_go_on() {
    let (x, y) = samples();
    let kept = folder("kept");
    let mut model = model();
    let all = ModelCheckpoint::new(kept.join("{epoch:02d}-{val_loss:.3f}.keras"));
    let last = ModelCheckpoint::new(kept.join("last.weights.h5")).save_weights_only(true);
    let options = Fit::new()
        .epochs(2)
        .validation_split(0.2)
        .verbose(0)
        .callback(all)
        .callback(last);
    let history = model.fit(&x, &y, options).unwrap();
    for (epoch, loss) in history["val_loss"].iter().enumerate() {
        let path = kept.join(format!("{:02}-{loss:.3}.keras", epoch + 1));
        let saved = cornu::saving::load_model(&path).unwrap();
        assert!(saved.is_compiled(), "{}", path.display());
        let batches = 184u64.div_ceil(32);
        let steps = saved.optimizer().unwrap().iterations();
        assert_eq!(steps, batches * (epoch as u64 + 1));
    }
    let before = model.get_weights().unwrap();
    model.load_weights(kept.join("last.weights.h5")).unwrap();
    // The file has the weights, and not their averages, which training ends with.
    assert_ne!(model.get_weights().unwrap(), before);
    std::fs::remove_dir_all(kept).unwrap();
}
