//! Callbacks driven by hand-written figures, compared with what Keras does with the same.

use serde_json::Value;

use super::text::tests::{SAID, WARNED};
use super::*;
use crate::Verbose;
use std::cell::RefCell;

/// A model without computation: its weight is the number of the epoch.
pub(super) struct Fake {
    epochs: usize,
    learning_rate: f32,
    stopped: bool,
    weight: f32,
    averages: bool,
    /// The files that it would have been saved to.
    saved: RefCell<Vec<String>>,
    backed_up: Option<PathBuf>,
}

impl Fake {
    pub fn new(learning_rate: f64) -> Self {
        Self {
            epochs: 10,
            learning_rate: learning_rate as f32,
            stopped: false,
            weight: 0.0,
            averages: false,
            saved: RefCell::default(),
            backed_up: None,
        }
    }
}

impl Trained for Fake {
    fn name(&self) -> &str {
        "fake"
    }
    fn steps(&self) -> Option<usize> {
        Some(4)
    }
    fn epochs(&self) -> usize {
        self.epochs
    }
    fn stop_training(&mut self) {
        self.stopped = true;
    }
    fn learning_rate(&self) -> f64 {
        self.learning_rate.into()
    }
    fn set_learning_rate(&mut self, value: f64) -> Result<()> {
        self.learning_rate = value as f32;
        Ok(())
    }
    fn weight_names(&self) -> Vec<String> {
        vec!["weight".to_string()]
    }
    fn weights(&self) -> Vec<Array> {
        vec![Array::scalar(self.weight)]
    }
    fn set_weights(&mut self, weights: &[Array]) -> Result<()> {
        self.weight = weights[0].item()?;
        Ok(())
    }
    fn iterations(&self) -> u64 {
        0
    }
    fn is_interrupted(&self) -> bool {
        false
    }
    fn describe(&self, _: fn(&Model) -> String) -> String {
        "{}".to_string()
    }
    #[cfg(feature = "saving")]
    fn write(&self, path: &Path, _: fn(&Model, &Path) -> Result<()>) -> Result<()> {
        self.saved.borrow_mut().push(path.display().to_string());
        Ok(())
    }
    fn has_averages(&self) -> bool {
        self.averages
    }
    fn swap_averages(&mut self) -> Result<()> {
        self.averages = !self.averages;
        Ok(())
    }
    fn back_up_as(&mut self, path: PathBuf, _: WriteState) {
        self.backed_up = Some(path);
    }
    fn restore(&mut self, _: State) {}
}

fn golden(file: &str) -> Value {
    let path = format!(
        "{}/../../tests/golden/{file}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn logs(values: &Value) -> Logs {
    let mut logs = Logs::default();
    for (name, value) in values.as_object().unwrap() {
        logs.set(name, value.as_f64().unwrap());
    }
    logs
}

/// Trains for as many epochs as there are figures; returns what was printed.
fn drive(model: &mut Fake, callbacks: &mut [&mut dyn Callback], epochs: &[Logs]) -> Result<String> {
    SAID.take();
    WARNED.take();
    let mut last = Logs::default();
    callbacks
        .iter_mut()
        .try_for_each(|c| c.on_train_begin(model))?;
    for (epoch, logs) in epochs.iter().enumerate() {
        callbacks
            .iter_mut()
            .try_for_each(|c| c.on_epoch_begin(model, epoch))?;
        model.weight = epoch as f32;
        last = logs.clone();
        callbacks
            .iter_mut()
            .try_for_each(|c| c.on_epoch_end(model, epoch, &mut last))?;
        if model.stopped {
            break;
        }
    }
    callbacks
        .iter_mut()
        .try_for_each(|c| c.on_train_end(model, &last))?;
    Ok(SAID.take())
}

/// The callback of a class and configuration in a golden file.
fn made(class: &str, config: &Value) -> Option<Box<dyn Callback>> {
    let number = |key: &str| config[key].as_f64();
    let count = |key: &str| config[key].as_u64().map(|n| n as usize);
    let verbose = config["verbose"].as_i64().unwrap_or(0) as i32;
    let monitor = config["monitor"].as_str().unwrap_or("val_loss");
    let mode = config["mode"].as_str().unwrap_or("auto");
    Some(match class {
        "EarlyStopping" => {
            let mut c = EarlyStopping::new()
                .monitor(monitor)
                .mode(mode)
                .verbose(verbose)
                .patience(count("patience").unwrap_or(0))
                .min_delta(number("min_delta").unwrap_or(0.0))
                .start_from_epoch(count("start_from_epoch").unwrap_or(0))
                .restore_best_weights(config["restore_best_weights"].as_bool().unwrap_or(false));
            if let Some(baseline) = number("baseline") {
                c = c.baseline(baseline);
            }
            Box::new(c)
        }
        "ReduceLROnPlateau" => Box::new(
            ReduceLROnPlateau::new()
                .monitor(monitor)
                .mode(mode)
                .verbose(verbose)
                .factor(number("factor").unwrap_or(0.1))
                .patience(count("patience").unwrap_or(10))
                .min_delta(number("min_delta").unwrap_or(1e-4))
                .cooldown(count("cooldown").unwrap_or(0))
                .min_lr(number("min_lr").unwrap_or(0.0)),
        ),
        "LearningRateScheduler" => {
            let patient = config["schedule"].as_str().is_some();
            Box::new(
                LearningRateScheduler::new(
                    move |epoch, lr| {
                        if patient && epoch < 2 { lr } else { lr * 0.5 }
                    },
                )
                .verbose(verbose),
            )
        }
        #[cfg(feature = "saving")]
        "ModelCheckpoint" => Box::new(
            ModelCheckpoint::new(config["filepath"].as_str().unwrap_or_default())
                .monitor(monitor)
                .mode(mode)
                .verbose(verbose)
                .save_best_only(config["save_best_only"].as_bool().unwrap_or(false))
                .save_weights_only(config["save_weights_only"].as_bool().unwrap_or(false)),
        ),
        _ => return None,
    })
}

#[test]
fn messages_are_kerass() {
    let golden = golden("printed");
    let mut compared = 0;
    for case in golden["callback_messages"].as_array().unwrap() {
        let Some(mut callback) = made(case["class"].as_str().unwrap(), &case["config"]) else {
            continue;
        };
        let epochs: Vec<Logs> = case["logs"].as_array().unwrap().iter().map(logs).collect();
        let mut model = Fake::new(case["learning_rate"].as_f64().unwrap());
        let said = drive(&mut model, &mut [&mut *callback], &epochs).unwrap();
        assert_eq!(said, case["text"].as_str().unwrap(), "{case}");
        let mut saved = model.saved.take();
        saved.sort_unstable();
        saved.dedup();
        assert_eq!(Value::from(saved), case["files"], "{case}");
        assert_eq!(
            model.stopped,
            case["stop_training"].as_bool().unwrap(),
            "{case}"
        );
        let rate = case["learning_rate_after"].as_f64().unwrap();
        assert!(
            (f64::from(model.learning_rate) - rate).abs() < 1e-9,
            "{case}"
        );
        compared += 1;
    }
    let at_least = if cfg!(feature = "saving") { 12 } else { 8 };
    assert!(compared >= at_least, "{compared}");
}

#[test]
fn trainings_of_keras_end_and_slow_down_at_the_same_epochs() {
    let golden = golden("training");
    let mut compared = 0;
    for run in golden["runs"].as_array().unwrap() {
        let mut callbacks: Vec<Box<dyn Callback>> = Vec::new();
        for c in run["callbacks"].as_array().unwrap() {
            callbacks.extend(made(c["class"].as_str().unwrap(), &c["config"]));
        }
        if callbacks.is_empty() {
            continue;
        }
        // The figures as Keras' fit computed them; learning_rate is for the callbacks to add.
        let keys = run["history_keys"].as_array().unwrap();
        let past = |key: &str| run["history"][key].as_array().unwrap();
        let ran = past("loss").len();
        let epochs: Vec<Logs> = (0..ran)
            .map(|i| {
                let mut logs = Logs::default();
                for key in keys.iter().map(|k| k.as_str().unwrap()) {
                    if key != "learning_rate" {
                        logs.set(key, past(key)[i].as_f64().unwrap());
                    }
                }
                logs
            })
            .collect();
        let rate = run["compile"]["optimizer"]["config"]["learning_rate"]
            .as_f64()
            .unwrap();
        let mut model = Fake::new(rate);
        model.epochs = run["fit"]["epochs"].as_u64().unwrap() as usize;
        let mut history = History::new(Verbose::Silent);
        let mut all: Vec<&mut dyn Callback> = Vec::new();
        for c in &mut callbacks {
            all.push(&mut **c);
        }
        all.push(&mut history);
        drive(&mut model, &mut all, &epochs).unwrap();
        assert_eq!(history.epoch.len(), ran, "{}: ended too early", run["name"]);
        assert_eq!(
            model.stopped,
            run["stop_training"].as_bool().unwrap(),
            "{}",
            run["name"]
        );
        let names: Vec<&str> = history.names().collect();
        assert_eq!(
            names,
            keys.iter().map(|k| k.as_str().unwrap()).collect::<Vec<_>>()
        );
        for key in names {
            for (ours, keras) in history[key].iter().zip(past(key)) {
                assert!(
                    (ours - keras.as_f64().unwrap()).abs() < 1e-8,
                    "{} {key}",
                    run["name"]
                );
            }
        }
        assert_eq!(
            history.params.epochs,
            run["params"]["epochs"].as_u64().unwrap() as usize
        );
        assert_eq!(history.params.steps, Some(4));
        if let Some(best) = run["early_stopping"]["best_epoch"].as_u64() {
            let config = &run["callbacks"].as_array().unwrap().last().unwrap()["config"];
            let restored = config["restore_best_weights"].as_bool().unwrap_or(false);
            let expected = if restored { best as usize } else { ran - 1 };
            assert_eq!(model.weight, expected as f32, "{}", run["name"]);
        }
        compared += 1;
    }
    assert!(compared >= 6, "{compared}");
}

fn val(values: &[f64]) -> Vec<Logs> {
    values
        .iter()
        .map(|v| {
            let mut logs = Logs::default();
            logs.set("loss", 1.0);
            logs.set("val_loss", *v);
            logs
        })
        .collect()
}

#[test]
fn early_stopping_tells_what_it_saw_and_starts_anew() {
    let mut stopping = EarlyStopping::new().patience(2);
    for _ in 0..2 {
        let mut model = Fake::new(0.1);
        drive(
            &mut model,
            &mut [&mut stopping],
            &val(&[1.0, 0.5, 0.6, 0.7, 0.8]),
        )
        .unwrap();
        assert_eq!((stopping.stopped_epoch(), stopping.best_epoch()), (3, 1));
        assert_eq!((stopping.best(), stopping.wait()), (Some(0.5), 2));
    }
}

#[test]
fn a_missing_figure_is_warned_of_once() {
    let epochs: Vec<Logs> = val(&[1.0, 1.0])
        .into_iter()
        .map(|_| {
            let mut logs = Logs::default();
            logs.set("accuracy", 0.5);
            logs.set("loss", 1.0);
            logs
        })
        .collect();
    let mut reduce = ReduceLROnPlateau::new();
    drive(&mut Fake::new(0.1), &mut [&mut reduce], &epochs).unwrap();
    let expected = "Learning rate reduction is conditioned on metric `val_loss` which is not \
                    available. Available metrics are: accuracy,loss,learning_rate.";
    assert_eq!(WARNED.take(), [expected]);
    let mut stopping = EarlyStopping::new();
    drive(&mut Fake::new(0.1), &mut [&mut stopping], &epochs).unwrap();
    let expected = "Early stopping conditioned on metric `val_loss` which is not available. \
                    Available metrics are: accuracy,loss";
    assert_eq!(WARNED.take(), [expected]);
}

#[test]
fn wrong_arguments_are_refused_when_training_begins() {
    let model = &mut Fake::new(0.1);
    let error = ReduceLROnPlateau::new()
        .factor(1.0)
        .on_train_begin(model)
        .unwrap_err();
    let expected = "ReduceLROnPlateau does not support a factor >= 1.0. Received factor=1.0";
    assert_eq!(error.to_string(), expected);
    assert!(
        EarlyStopping::new()
            .mode("up")
            .on_train_begin(model)
            .is_err()
    );
    assert!(
        EarlyStopping::new()
            .monitor("speed")
            .on_train_begin(model)
            .is_err()
    );
    assert!(
        EarlyStopping::new()
            .monitor("speed")
            .mode("max")
            .on_train_begin(model)
            .is_ok()
    );
    let error = CSVLogger::new("no/such/folder/log.csv")
        .on_train_begin(model)
        .unwrap_err();
    assert!(
        error.to_string().contains("no/such/folder/log.csv"),
        "{error}"
    );
}

#[cfg(feature = "saving")]
#[test]
fn checkpoints_after_batches_and_above_a_threshold() {
    let model = &mut Fake::new(0.1);
    let mut checkpoint = ModelCheckpoint::new("{epoch}-{batch:02d}.keras").save_freq(3);
    assert!(checkpoint.wants_batches() && !ModelCheckpoint::new("x.keras").wants_batches());
    checkpoint.on_train_begin(model).unwrap();
    for epoch in 0..2 {
        checkpoint.on_epoch_begin(model, epoch).unwrap();
        for batch in 0..4 {
            checkpoint
                .on_train_batch_end(model, batch, &Logs::default())
                .unwrap();
        }
        checkpoint
            .on_epoch_end(model, epoch, &mut Logs::default())
            .unwrap();
    }
    assert_eq!(model.saved.take(), ["1-03.keras", "2-02.keras"]);

    // What was remembered counts on in another one.
    let mut other = ModelCheckpoint::new("{epoch}-{batch:02d}.keras").save_freq(3);
    other.set_state(&checkpoint.state()).unwrap();
    other
        .on_train_batch_end(model, 4, &Logs::default())
        .unwrap();
    assert_eq!(model.saved.take(), ["2-05.keras"]);

    let mut best = ModelCheckpoint::new("{epoch}.keras")
        .save_best_only(true)
        .initial_value_threshold(0.7);
    drive(model, &mut [&mut best], &val(&[0.8, 0.6, 0.65, 0.5])).unwrap();
    assert_eq!(model.saved.take(), ["2.keras", "4.keras"]);
    assert_eq!(best.best(), Some(0.5));
    // A figure that is missing is warned of, and the model saved.
    let mut logs = Logs::default();
    logs.set("loss", 1.0);
    drive(model, &mut [&mut best], &[logs]).unwrap();
    let expected = "Can save best model only with val_loss available.";
    assert_eq!(WARNED.take(), [expected]);
    assert_eq!(model.saved.take(), ["1.keras"]);
}

#[cfg(feature = "saving")]
#[test]
fn checkpoints_refuse_what_cannot_be_a_file() {
    let model = &mut Fake::new(0.1);
    let error = |mut c: ModelCheckpoint| c.on_train_begin(&mut Fake::new(0.1)).unwrap_err();
    let e = error(ModelCheckpoint::new("model.h5"));
    let expected =
        "ModelCheckpoint saves to files that end in `.keras`. Received: filepath=model.h5";
    assert_eq!(e.to_string(), expected);
    let e = error(ModelCheckpoint::new("model.keras").save_weights_only(true));
    assert!(e.to_string().contains("`.weights.h5`"), "{e}");
    let e = error(ModelCheckpoint::new("model.keras").save_freq("batch"));
    assert!(e.to_string().contains("save_freq"), "{e}");

    let folder = std::env::temp_dir().join(format!("cornu-folder-{}.keras", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut checkpoint = ModelCheckpoint::new(&folder);
    let e = drive(model, &mut [&mut checkpoint], &val(&[1.0])).unwrap_err();
    assert!(e.to_string().contains("existing directory"), "{e}");
    std::fs::remove_dir(folder).unwrap();
}

#[test]
fn averages_are_in_place_when_they_should_be() {
    let model = &mut Fake::new(0.1);
    let logs = &mut Logs::default();
    for (swap_on_epoch, after_epoch) in [(false, false), (true, true)] {
        let mut swap = SwapEMAWeights::new().swap_on_epoch(swap_on_epoch);
        for epoch in 0..2 {
            swap.on_epoch_begin(model, epoch).unwrap();
            assert!(!model.averages);
            swap.on_test_begin(model).unwrap();
            assert!(model.averages);
            swap.on_test_end(model, logs).unwrap();
            assert!(!model.averages);
            swap.on_epoch_end(model, epoch, logs).unwrap();
            assert_eq!(model.averages, after_epoch);
        }
        model.averages = false;
    }
}

#[test]
fn backups_are_asked_for_after_epochs_or_batches() {
    let folder = std::env::temp_dir().join(format!("cornu-asked-{}", std::process::id()));
    let model = &mut Fake::new(0.1);
    let logs = &mut Logs::default();
    let mut backup = BackupAndRestore::new(&folder);
    assert!(!backup.wants_batches());
    backup.on_train_begin(model).unwrap();
    backup.on_epoch_end(model, 0, logs).unwrap();
    assert_eq!(model.backed_up.take(), Some(folder.join("latest.npz")));
    let mut backup = backup.save_freq(2).delete_checkpoint(false);
    backup.on_train_batch_end(model, 0, logs).unwrap();
    assert_eq!(model.backed_up, None);
    backup.on_train_batch_end(model, 1, logs).unwrap();
    assert!(model.backed_up.take().is_some());
    backup.on_epoch_end(model, 0, logs).unwrap();
    assert_eq!(model.backed_up, None);
    backup.on_train_end(model, logs).unwrap();
    assert!(folder.is_dir());
    let mut backup = backup.delete_checkpoint(true);
    backup.on_train_end(model, logs).unwrap();
    backup.on_train_end(model, logs).unwrap();
    assert!(!folder.exists());
    let error = BackupAndRestore::new("").on_train_begin(model);
    assert!(error.unwrap_err().to_string().contains("an empty name"));
}

#[test]
fn terminate_on_nan() {
    let model = &mut Fake::new(0.1);
    let mut guard = TerminateOnNaN::new();
    assert!(guard.wants_batches());
    let mut logs = Logs::default();
    guard.on_train_batch_end(model, 0, &logs).unwrap();
    logs.set("loss", 1e30);
    guard.on_train_batch_end(model, 1, &logs).unwrap();
    assert!(!model.stopped);
    logs.set("loss", f64::NAN);
    SAID.take();
    guard.on_train_batch_end(model, 2, &logs).unwrap();
    assert!(model.stopped);
    assert_eq!(SAID.take(), "Batch 2: Invalid loss, terminating training\n");
    logs.set("loss", f64::NEG_INFINITY);
    let error = TerminateOnNaN::new()
        .raise_error(true)
        .on_train_batch_end(model, 3, &logs);
    let expected = "NaN or Inf loss encountered at batch 3. Loss value: -inf. Terminating \
                    training immediately.";
    assert_eq!(error.unwrap_err().to_string(), expected);
}

#[test]
fn csv_files_are_kerass() {
    let golden = golden("printed");
    let folder = std::env::temp_dir().join(format!("cornu-csv-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("log.csv");
    let read = || std::fs::read_to_string(&path).unwrap();
    let model = &mut Fake::new(0.1);
    let mut compared = 0;
    for case in golden["csv"].as_array().unwrap() {
        if case["note"] == "vector" {
            continue; // Figures are numbers here.
        }
        let separator = case["args"]["separator"]
            .as_str()
            .unwrap_or(",")
            .chars()
            .next()
            .unwrap();
        let epochs: Vec<Logs> = case["logs"].as_array().unwrap().iter().map(logs).collect();
        let mut logger = CSVLogger::new(&path).separator(separator);
        drive(model, &mut [&mut logger], &epochs).unwrap();
        assert_eq!(read(), case["text"].as_str().unwrap());
        if let Some(expected) = case["appended"].as_str() {
            let mut logger = CSVLogger::new(&path).append(true);
            logger.on_train_begin(model).unwrap();
            logger
                .on_epoch_end(model, 2, &mut epochs[0].clone())
                .unwrap();
            // Every line is in the file at once.
            assert_eq!(read(), expected);
        }
        compared += 1;
    }
    assert!(compared >= 5);
    let mut odd = Logs::default();
    odd.set("a,\"b\"", 1.0);
    std::fs::remove_file(&path).unwrap();
    let mut logger = CSVLogger::new(&path).append(true);
    drive(model, &mut [&mut logger], &[odd]).unwrap();
    assert_eq!(
        read(),
        "epoch,\"a,\"\"b\"\"\",\"val_a,\"\"b\"\"\"\r\n0,1.0,NA\r\n"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn closures_are_called_at_their_hooks() {
    let seen = std::cell::RefCell::new(Vec::new());
    let note = |what: String| {
        seen.borrow_mut().push(what);
        Ok(())
    };
    let mut lambda = LambdaCallback::new()
        .on_train_begin(|m| note(format!("begin {}", m.name())))
        .on_train_end(|_, logs| note(format!("end {logs}")))
        .on_epoch_begin(|_, epoch| note(format!("epoch {epoch}")))
        .on_epoch_end(|m, _, logs| {
            logs.set("extra", 2.0);
            m.stop_training();
            Ok(())
        })
        .on_train_batch_begin(|_, batch| note(format!("batch {batch}")))
        .on_train_batch_end(|_, batch, _| note(format!("batch {batch} done")))
        .on_test_begin(|_| note("test".to_string()))
        .on_test_end(|_, _| note("tested".to_string()));
    assert!(lambda.wants_batches() && !LambdaCallback::new().wants_batches());
    let model = &mut Fake::new(0.1);
    drive(model, &mut [&mut lambda], &val(&[3.0, 4.0])).unwrap();
    let hooks: &mut dyn Callback = &mut lambda;
    hooks.on_train_batch_begin(model, 1).unwrap();
    hooks
        .on_train_batch_end(model, 1, &Logs::default())
        .unwrap();
    hooks.on_test_begin(model).unwrap();
    hooks.on_test_end(model, &Logs::default()).unwrap();
    drop(lambda);
    let end = "end loss: 1.0000 - val_loss: 3.0000 - extra: 2.0000";
    let expected = [
        "begin fake",
        "epoch 0",
        end,
        "batch 1",
        "batch 1 done",
        "test",
        "tested",
    ]
    .to_vec();
    assert_eq!(seen.into_inner(), expected);
}

#[test]
fn history_keeps_figures_that_come_at_times() {
    let mut first = Logs::default();
    first.set("loss", 2.0);
    let mut history = History::new(Verbose::Line);
    let mut model = Fake::new(0.1);
    drive(
        &mut model,
        &mut [&mut history],
        &[first, val(&[0.5]).remove(0)],
    )
    .unwrap();
    assert_eq!(history["loss"], [2.0, 1.0]);
    assert_eq!(history["val_loss"], [0.5]);
    assert_eq!(history.get("accuracy"), None);
    assert_eq!(history.epoch, [0, 1]);
    let params = Params {
        verbose: Verbose::Line,
        epochs: 10,
        steps: Some(4),
    };
    assert_eq!(history.params, params);
    let text = "Epoch 1: loss: 2.0000\nEpoch 2: loss: 1.0000 - val_loss: 0.5000";
    assert_eq!(history.to_string(), text);
    assert_eq!(
        history.last().and_then(|logs| logs.get("val_loss")),
        Some(0.5)
    );
    // A second training starts anew.
    drive(&mut model, &mut [&mut history], &val(&[0.25])).unwrap();
    assert_eq!(history["val_loss"], [0.25]);
}
