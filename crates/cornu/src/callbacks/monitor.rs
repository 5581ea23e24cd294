//! What callbacks that watch one figure have in common: its name, and which way is better.

use super::text::warn;
use crate::{Error, Logs, Result};

/// A watched figure.
#[derive(Clone, Debug)]
pub(super) struct Monitor {
    /// The callback, for messages.
    owner: &'static str,
    pub name: String,
    pub mode: String,
    pub min_delta: f64,
    greater: bool,
    warned: bool,
}

impl Monitor {
    pub fn new(owner: &'static str, min_delta: f64) -> Self {
        Self {
            owner,
            name: "val_loss".to_string(),
            mode: "auto".to_string(),
            min_delta,
            greater: false,
            warned: false,
        }
    }

    /// Finds out which way is better.
    ///
    /// # Errors
    /// If the mode is not one of `"auto"`, `"min"` and `"max"`, or if `"auto"` cannot tell.
    pub fn begin(&mut self) -> Result<()> {
        self.warned = false;
        self.greater = match self.mode.as_str() {
            "min" => false,
            "max" => true,
            "auto" => greater_is_better(&self.name).ok_or_else(|| {
                Error::new(format!(
                    "{} callback received monitor=\"{}\", but it cannot be told by this name \
                     whether that metric should be maximized or minimized. Call `.mode(\"max\")` \
                     in order to monitor the highest value, or `.mode(\"min\")` in order to \
                     monitor the lowest.",
                    self.owner, self.name
                ))
            })?,
            other => return Err(Error::unknown("mode", other, &["auto", "min", "max"])),
        };
        Ok(())
    }

    /// The figure's value. Where it is missing a warning is printed, once in a training.
    pub fn value(&mut self, logs: &Logs, warning: impl Fn(&str, &str) -> String) -> Option<f64> {
        let value = logs.get(&self.name);
        if value.is_none() && !self.warned {
            self.warned = true;
            warn(&warning(
                &self.name,
                &logs.names().collect::<Vec<_>>().join(","),
            ));
        }
        value
    }

    /// Whether `value` is better than `reference` by more than `min_delta`; anything is better than
    /// nothing. Compared in f32, as Keras' backends do.
    pub fn improved(&self, value: f64, reference: Option<f64>) -> bool {
        let delta = self.min_delta.abs();
        match reference {
            None => true,
            Some(reference) if self.greater => (value - delta) as f32 > reference as f32,
            Some(reference) => ((value + delta) as f32) < reference as f32,
        }
    }
}

/// Whether greater values of the figure are better, told by the last telling word of its name
/// (Keras asks the metric itself, which knows its class). `None` if no word tells.
fn greater_is_better(name: &str) -> Option<bool> {
    const UP: [&str; 15] = [
        "accuracy",
        "acc",
        "auc",
        "precision",
        "recall",
        "sensitivity",
        "specificity",
        "score",
        "f1",
        "r2",
        "iou",
        "u", // Keras' own spelling: `mean_io_u`
        "similarity",
        "correlation",
        "f1score",
    ];
    const DOWN: [&str; 15] = [
        "loss",
        "error",
        "crossentropy",
        "entropy",
        "hinge",
        "poisson",
        "divergence",
        "cosh",
        "mse",
        "mae",
        "mape",
        "msle",
        "bce",
        "ce",
        "kld",
    ];
    let lower = name.to_lowercase();
    let told = |word: &str, known: &[&str]| {
        known
            .iter()
            .any(|k| word == *k || (k.len() > 2 && word.ends_with(k)))
    };
    lower.rsplit('_').find_map(|word| {
        if told(word, &UP) {
            Some(true)
        } else if told(word, &DOWN) {
            Some(false)
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_that_is_better() {
        for name in [
            "val_accuracy",
            "acc",
            "Accuracy",
            "auc_1",
            "val_f1_score",
            "mean_io_u",
            "r2",
        ] {
            assert_eq!(greater_is_better(name), Some(true), "{name}");
        }
        for name in [
            "loss",
            "val_loss",
            "accuracy_loss",
            "mse",
            "val_root_mean_squared_error",
            "MeanSquaredError",
            "ce",
            "logcosh",
        ] {
            assert_eq!(greater_is_better(name), Some(false), "{name}");
        }
        for name in ["false_positives", "speed", ""] {
            assert_eq!(greater_is_better(name), None, "{name}");
        }
    }

    #[test]
    fn modes() {
        let mut monitor = Monitor::new("EarlyStopping", 0.1);
        monitor.mode = "mxa".to_string();
        let error = monitor.begin().unwrap_err().to_string();
        assert!(
            error.contains("mode \"mxa\"") && error.contains("\"max\""),
            "{error}"
        );
        monitor.mode = "max".to_string();
        monitor.begin().unwrap();
        assert!(monitor.improved(1.2, Some(1.0)) && !monitor.improved(1.05, Some(1.0)));
        assert!(!monitor.improved(f64::NAN, Some(1.0)) && monitor.improved(f64::NAN, None));
        monitor.mode = "auto".to_string();
        monitor.begin().unwrap();
        assert!(monitor.improved(0.8, Some(1.0)) && !monitor.improved(0.95, Some(1.0)));
        monitor.name = "speed".to_string();
        let error = monitor.begin().unwrap_err().to_string();
        assert!(
            error.starts_with("EarlyStopping callback received monitor=\"speed\""),
            "{error}"
        );
    }
}
