//! Whole training runs against Keras' own: the same initial weights, no shuffling, every figure of
//! every epoch.

use crate::golden::{self, Report, array, close, number, rows, usize_of};
use cornu::callbacks::{
    Callback, EarlyStopping, LearningRateScheduler, ReduceLROnPlateau, TerminateOnNaN,
};
use cornu::losses::Loss;
use cornu::metrics::Metric;
use cornu::optimizers::Optimizer;
use cornu::prelude::*;
use serde_json::Value;

fn optimizer(v: &Value) -> Optimizer {
    match v.as_str() {
        Some(name) => name.into(),
        None => Optimizer::deserialize(v).unwrap(),
    }
}

fn loss(v: &Value) -> Loss {
    match v.as_str() {
        Some(name) => name.into(),
        None => Loss::from_config(v).unwrap(),
    }
}

fn metric(v: &Value) -> Metric {
    match v.as_str() {
        Some(name) => name.into(),
        None => Metric::from_config(v["class_name"].as_str().unwrap(), &v["config"]).unwrap(),
    }
}

fn metrics(v: &Value) -> Vec<Metric> {
    v.as_array()
        .map(|list| list.iter().map(metric).collect())
        .unwrap_or_default()
}

fn arrays(v: &Value) -> Vec<Array> {
    v.as_array().unwrap().iter().map(array).collect()
}

fn model(run: &Value) -> Sequential {
    let mut model = Sequential::from_config(&run["model"]).unwrap();
    model.set_weights(&arrays(&run["initial_weights"])).unwrap();
    let c = &run["compile"];
    let mut compile = Compile::new(optimizer(&c["optimizer"]), loss(&c["loss"]))
        .metrics(metrics(&c["metrics"]))
        .weighted_metrics(metrics(&c["weighted_metrics"]));
    if let Some(w) = c["loss_weights"].as_f64() {
        compile = compile.loss_weight(w);
    }
    model.compile_with(compile).unwrap();
    model
}

fn class_weight(v: &Value) -> Vec<(usize, f64)> {
    v.as_object()
        .unwrap()
        .iter()
        .map(|(c, w)| (c.parse().unwrap(), number(w)))
        .collect()
}

fn callback(v: &Value) -> Box<dyn Callback> {
    let c = &v["config"];
    let text = |name: &str, default: &str| c[name].as_str().unwrap_or(default).to_string();
    let int = |name: &str, default: usize| c.get(name).map_or(default, usize_of);
    match v["class"].as_str().unwrap() {
        "EarlyStopping" => {
            let mut e = EarlyStopping::new()
                .monitor(text("monitor", "val_loss"))
                .mode(text("mode", "auto"))
                .patience(int("patience", 0))
                .start_from_epoch(int("start_from_epoch", 0))
                .restore_best_weights(c["restore_best_weights"].as_bool().unwrap_or(false));
            if let Some(d) = c["min_delta"].as_f64() {
                e = e.min_delta(d);
            }
            if let Some(b) = c["baseline"].as_f64() {
                e = e.baseline(b);
            }
            Box::new(e)
        }
        "ReduceLROnPlateau" => Box::new(
            ReduceLROnPlateau::new()
                .monitor(text("monitor", "val_loss"))
                .factor(number(&c["factor"]))
                .patience(int("patience", 10))
                .min_lr(number(&c["min_lr"])),
        ),
        "LearningRateScheduler" => Box::new(LearningRateScheduler::new(|epoch, lr| {
            if epoch < 2 { lr } else { lr * 0.5 }
        })),
        "TerminateOnNaN" => Box::new(TerminateOnNaN::new()),
        other => panic!("callback {other}"),
    }
}

fn options<'a>(
    run: &Value,
    sample_weight: Option<&'a Array>,
    validation: Option<&'a [Array]>,
) -> Fit<'a> {
    let f = &run["fit"];
    let mut fit = Fit::new()
        .verbose(0)
        .shuffle(false)
        .epochs(usize_of(&f["epochs"]));
    for (name, value) in f.as_object().unwrap() {
        fit = match name.as_str() {
            "epochs" => fit,
            "batch_size" => fit.batch_size(usize_of(value)),
            "validation_split" => fit.validation_split(number(value)),
            "class_weight" => fit.class_weight(class_weight(value)),
            "initial_epoch" => fit.initial_epoch(usize_of(value)),
            "steps_per_epoch" => fit.steps_per_epoch(usize_of(value)),
            "validation_steps" => fit.validation_steps(usize_of(value)),
            "validation_batch_size" => fit.validation_batch_size(usize_of(value)),
            "validation_freq" => match value.as_array() {
                Some(list) => fit.validation_epochs(list.iter().map(usize_of).collect::<Vec<_>>()),
                None => fit.validation_freq(usize_of(value)),
            },
            other => panic!("argument {other}"),
        };
    }
    if let Some(w) = sample_weight {
        fit = fit.sample_weight(w);
    }
    fit = match validation {
        Some([x, y]) => fit.validation_data(x, y),
        Some([x, y, w]) => fit.validation_data_weighted(x, y, w),
        _ => fit,
    };
    for c in run["callbacks"].as_array().unwrap() {
        fit = fit.callback(Boxed(callback(c)));
    }
    fit
}

/// A boxed callback as a callback.
struct Boxed(Box<dyn Callback>);

impl Callback for Boxed {
    fn on_train_begin(&mut self, m: &mut dyn Trained) -> cornu::Result<()> {
        self.0.on_train_begin(m)
    }
    fn on_train_end(&mut self, m: &mut dyn Trained, logs: &Logs) -> cornu::Result<()> {
        self.0.on_train_end(m, logs)
    }
    fn on_epoch_begin(&mut self, m: &mut dyn Trained, epoch: usize) -> cornu::Result<()> {
        self.0.on_epoch_begin(m, epoch)
    }
    fn on_epoch_end(
        &mut self,
        m: &mut dyn Trained,
        epoch: usize,
        logs: &mut Logs,
    ) -> cornu::Result<()> {
        self.0.on_epoch_end(m, epoch, logs)
    }
    fn wants_batches(&self) -> bool {
        self.0.wants_batches()
    }
    fn on_train_batch_end(
        &mut self,
        m: &mut dyn Trained,
        batch: usize,
        logs: &Logs,
    ) -> cornu::Result<()> {
        self.0.on_train_batch_end(m, batch, logs)
    }
}

fn near(got: f64, want: f64, relative: f64) -> Result<(), String> {
    let fits = got == want
        || (got.is_nan() && want.is_nan())
        || (got - want).abs() <= 1e-6f64.max(relative * want.abs());
    if fits {
        Ok(())
    } else {
        Err(format!("{got} instead of {want}"))
    }
}

/// The curve's tolerance: what is asked of the library.
const CURVE: f64 = 1e-5;
/// Final weights gather the rounding of many steps.
const WEIGHTS: f64 = 2e-4;

#[test]
fn runs() {
    let golden = golden::load("training");
    let mut report = Report::default();
    for run in golden["runs"].as_array().unwrap() {
        let name = run["name"].as_str().unwrap();
        let mut model = model(run);
        let data = &run["data"];
        let (x, y) = (array(&data["x"]), array(&data["y"]));
        let weight = data
            .get("sample_weight")
            .filter(|w| !w.is_null())
            .map(array);
        let validation: Vec<Array> = ["val_x", "val_y", "val_sample_weight"]
            .iter()
            .filter_map(|k| data.get(*k).filter(|v| !v.is_null()))
            .map(array)
            .collect();
        let validation = (!validation.is_empty()).then_some(&validation[..]);
        let fit = options(run, weight.as_ref(), validation);
        let history = model
            .fit(&x, &y, fit)
            .unwrap_or_else(|e| panic!("{name}: {e}"));

        let epochs: Vec<usize> = run["epoch"]
            .as_array()
            .unwrap()
            .iter()
            .map(usize_of)
            .collect();
        let same = if history.epoch == epochs {
            Ok(())
        } else {
            Err(format!("epochs {:?}", history.epoch))
        };
        report.add(|| name.to_string(), same);
        for (figure, values) in run["history"].as_object().unwrap() {
            let want: Vec<f64> = values.as_array().unwrap().iter().map(number).collect();
            let got = history.get(figure).unwrap_or_default();
            let outcome = if got.len() == want.len() {
                got.iter()
                    .zip(&want)
                    .try_for_each(|(g, w)| near(*g, *w, CURVE))
            } else {
                Err(format!("{} values instead of {}", got.len(), want.len()))
            };
            report.add(
                || format!("{name}: {figure}"),
                outcome.map_err(|e| format!("{e}; {got:?}")),
            );
        }
        for (i, (w, want)) in model
            .get_weights()
            .unwrap()
            .iter()
            .zip(arrays(&run["final_weights"]))
            .enumerate()
        {
            report.add(
                || format!("{name}: weight {i}"),
                close(w, &want, WEIGHTS, 2e-6),
            );
        }
        let batch = usize_of(&run["evaluate"]["batch_size"]);
        let scores = model
            .evaluate_with(&x, &y, Evaluate::new().verbose(0).batch_size(batch))
            .unwrap();
        for (figure, want) in run["evaluate"]["dict"].as_object().unwrap() {
            let got = scores.get(figure).unwrap_or(f64::NEG_INFINITY);
            report.add(
                || format!("{name}: evaluate {figure}"),
                near(got, number(want), WEIGHTS),
            );
        }
        let want = array(&run["predict_first_rows"]);
        let head = rows(&x, 0, want.shape()[0]);
        let got = model.predict(&head).unwrap();
        report.add(
            || format!("{name}: predict"),
            close(&got, &want, WEIGHTS, 2e-6),
        );
    }
    report.finish(200);
}

#[test]
fn single_batches() {
    let golden = golden::load("training");
    let mut report = Report::default();
    for run in golden["on_batch"].as_array().unwrap() {
        let mut model = model(run);
        let (x, y) = (array(&run["data"]["x"]), array(&run["data"]["y"]));
        for (i, call) in run["calls"].as_array().unwrap().iter().enumerate() {
            let (from, to) = (usize_of(&call["rows"][0]), usize_of(&call["rows"][1]));
            let method = call["method"].as_str().unwrap();
            if method == "reset_metrics" {
                continue;
            }
            let (bx, by) = (rows(&x, from, to), rows(&y, from, to));
            let args = &call["args"];
            let weight = args.get("sample_weight").map(array);
            let logs = match (method, &weight, args.get("class_weight")) {
                ("predict_on_batch", ..) => {
                    let got = model.predict_on_batch(&bx).unwrap();
                    report.add(
                        || format!("call {i}"),
                        close(&got, &array(&call["result"]), 1e-4, 1e-6),
                    );
                    continue;
                }
                ("train_on_batch", None, None) => model.train_on_batch(&bx, &by),
                ("train_on_batch", Some(w), _) => model.train_on_batch_weighted(&bx, &by, w),
                ("train_on_batch", None, Some(c)) => {
                    model.train_on_batch_class_weighted(&bx, &by, &class_weight(c))
                }
                ("test_on_batch", None, _) => model.test_on_batch(&bx, &by),
                ("test_on_batch", Some(w), _) => model.test_on_batch_weighted(&bx, &by, w),
                other => panic!("{other:?}"),
            }
            .unwrap();
            if let Some(dict) = call["result"].as_object() {
                for (name, want) in dict {
                    let got = logs.get(name).unwrap_or(f64::NEG_INFINITY);
                    report.add(
                        || format!("call {i}: {name}"),
                        near(got, number(want), 1e-5),
                    );
                }
            } else {
                let list = call["result"].as_array().unwrap();
                report.add(
                    || format!("call {i}"),
                    near(logs["loss"], number(&list[0]), 1e-5),
                );
            }
        }
        for (w, want) in model
            .get_weights()
            .unwrap()
            .iter()
            .zip(arrays(&run["final_weights"]))
        {
            report.add(
                || "final weights".to_string(),
                close(w, &want, WEIGHTS, 2e-6),
            );
        }
    }
    report.finish(15);
}
