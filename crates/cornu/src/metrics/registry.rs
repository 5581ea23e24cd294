//! Which strings and class names mean which metric.

use super::*;
use crate::config::from_object;
use crate::losses;
use cornu_core::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Keras' snake case of a class name: `R2Score` is `r2_score`, `MeanIoU` is `mean_io_u`.
pub(super) fn snake_case(class_name: &str) -> String {
    let chars: Vec<char> = class_name.chars().collect();
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        let after_small = i > 0 && !chars[i - 1].is_uppercase();
        let before_small = chars.get(i + 1).is_some_and(|n| n.is_lowercase());
        if i > 0 && c.is_uppercase() && (after_small || before_small) {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// The fields of a metric as Keras' configuration.
pub(super) fn fields(metric: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(metric) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

type Make = fn(&Value) -> Result<Metric>;

fn make<M: MetricFn + DeserializeOwned + 'static>(config: &Value) -> Result<Metric> {
    match from_object::<M>(config) {
        Ok(metric) => Ok(Metric::new(metric)),
        Err(e) => Err(refused(std::any::type_name::<M>(), config, &e)),
    }
}

#[cold]
fn refused(path: &str, config: &Value, e: &serde_json::Error) -> Error {
    let class = path.rsplit("::").next().unwrap_or_default();
    Error::new(format!(
        "The configuration {config} is not that of a metric {class}: {e}."
    ))
}

/// The metrics by their class names: those that have defaults for all arguments, and those that need some.
macro_rules! classes {
    ({$($plain:ident)*} {$($needy:ident)*}) => {
        /// Every metric by its class name.
        const CLASSES: &[&str] = &[$(stringify!($plain),)* $(stringify!($needy)),*];

        /// How to read a metric of this class from its configuration.
        fn reader(class: &str) -> Option<Make> {
            match class {
                $(stringify!($plain) => Some(make::<$plain>),)*
                $(stringify!($needy) => Some(make::<$needy>),)*
                _ => None,
            }
        }

        /// A metric of this class, if it needs no arguments. Apart from [`reader`], so that programs that
        /// read no model hold nothing that reads configurations.
        fn plain(class: &str) -> Option<Metric> {
            match class {
                $(stringify!($plain) => Some(Metric::new($plain::default())),)*
                _ => None,
            }
        }
    };
}

classes! {
    {
        Mean Sum
        Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy
        TopKCategoricalAccuracy SparseTopKCategoricalAccuracy
        MeanSquaredError RootMeanSquaredError MeanAbsoluteError MeanAbsolutePercentageError
        MeanSquaredLogarithmicError CosineSimilarity LogCoshError R2Score
        PearsonCorrelation ConcordanceCorrelation
        KLDivergence Poisson BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy
        Hinge SquaredHinge CategoricalHinge
        TruePositives TrueNegatives FalsePositives FalseNegatives
        Precision Recall AUC
        F1Score FBetaScore
        BinaryIoU
    }
    {
        SensitivityAtSpecificity SpecificityAtSensitivity PrecisionAtRecall RecallAtPrecision
        IoU MeanIoU OneHotIoU OneHotMeanIoU
    }
}

/// Other names than the class name and its snake case.
const ALIASES: &[(&str, &str)] = &[
    ("mse", "MeanSquaredError"),
    ("MSE", "MeanSquaredError"),
    ("mae", "MeanAbsoluteError"),
    ("MAE", "MeanAbsoluteError"),
    ("mape", "MeanAbsolutePercentageError"),
    ("MAPE", "MeanAbsolutePercentageError"),
    ("msle", "MeanSquaredLogarithmicError"),
    ("MSLE", "MeanSquaredLogarithmicError"),
    ("bce", "BinaryCrossentropy"),
    ("BCE", "BinaryCrossentropy"),
    ("kld", "KLDivergence"),
    ("rmse", "RootMeanSquaredError"),
    ("logcosh", "LogCoshError"),
    ("fbeta_score", "FBetaScore"),
];

/// The metric of Keras' class name and configuration.
pub(super) fn from_config(class_name: &str, config: &Value) -> Result<Metric> {
    match reader(class_name) {
        Some(make) => make(config),
        None => Err(Error::unknown("metric class", class_name, CLASSES)),
    }
}

/// The metric of a string: a class name, its snake case, an alias, or the mean of a loss.
pub(super) fn from_name(identifier: &str) -> Result<Metric> {
    let class = ALIASES
        .iter()
        .find(|(alias, _)| *alias == identifier)
        .map(|(_, class)| *class)
        .or_else(|| {
            CLASSES
                .iter()
                .copied()
                .find(|name| *name == identifier || snake_case(name) == identifier)
        });
    match class {
        Some(class) => plain(class).ok_or_else(|| {
            Error::new(format!(
                "Metric \"{identifier}\" needs arguments. Expected: a value, `{class}::new(…)`."
            ))
        }),
        None if losses::Loss::from(identifier).check().is_ok() => {
            Ok(losses::Loss::from(identifier).into())
        }
        None => {
            let snakes: Vec<String> = CLASSES.iter().map(|name| snake_case(name)).collect();
            let mut known = vec!["accuracy", "acc"];
            known.extend(snakes.iter().map(String::as_str));
            known.extend(ALIASES.iter().map(|(alias, _)| *alias));
            Err(Error::unknown("metric", identifier, &known))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case_is_keras() {
        for (class, snake) in [
            ("R2Score", "r2_score"),
            ("F1Score", "f1_score"),
            ("AUC", "auc"),
            ("MeanIoU", "mean_io_u"),
            ("KLDivergence", "kl_divergence"),
            ("FBetaScore", "f_beta_score"),
        ] {
            assert_eq!(snake_case(class), snake);
        }
    }

    #[test]
    fn a_string_means_what_an_empty_configuration_means() {
        let nothing = Value::Object(Map::new());
        for class in CLASSES {
            match (plain(class), from_config(class, &nothing)) {
                (Some(plain), Ok(read)) => assert_eq!(plain.config(), read.config(), "{class}"),
                (None, Err(_)) => {}
                (plain, _) => panic!("{class} has defaults: {}", plain.is_none()),
            }
        }
    }

    #[test]
    fn unknown_and_incomplete_strings() {
        let text = |s: &str| from_name(s).unwrap_err().to_string();
        assert!(text("binary_acuracy").contains("Did you mean \"binary_accuracy\""));
        assert!(text("MeanIoU").contains("MeanIoU::new("));
    }
}
