//! Initializers against Keras' own: exact values where there are such, else the distributions' means,
//! deviations and bounds.

use crate::golden::{self, Report, close, load, usize_of};
use cornu::initializers::Initializer;
use cornu::{DType, Shape};
use serde_json::{Value, json};

fn initializer(case: &Value) -> Initializer {
    let object = json!({"class_name": case["class"], "config": case["config"]});
    Initializer::from_config(&object).unwrap()
}

fn shape(case: &Value) -> Shape {
    case["shape"]
        .as_array()
        .unwrap()
        .iter()
        .map(usize_of)
        .collect()
}

#[test]
fn exact_values() {
    let file = load("initializers");
    let mut report = Report::default();
    for case in file["exact"].as_array().unwrap() {
        let got = initializer(case)
            .sample(&shape(case), DType::F32, 1, 2)
            .unwrap();
        // Keras computes the angles of STFT in f32.
        let absolute = if case["class"] == "STFT" { 1e-6 } else { 0.0 };
        let outcome = close(&got, &golden::array(&case["value"]), 0.0, absolute);
        report.add(|| format!("{} {}", case["class"], case["config"]), outcome);
    }
    report.finish(17);
}

#[test]
fn distributions() {
    let file = load("initializers");
    let mut cases = 0;
    for (i, case) in file["random"].as_array().unwrap().iter().enumerate() {
        let name = format!("{} {} {}", case["class"], case["config"], case["shape"]);
        let initializer = initializer(case);
        let sample = |seed, stream| {
            initializer
                .sample(&shape(case), DType::F32, seed, stream)
                .unwrap()
        };
        let a = sample(11, i as u32);
        assert_eq!(a, sample(11, i as u32), "{name}: not reproducible");
        assert_ne!(a, sample(12, i as u32), "{name}: the seed does nothing");
        assert_ne!(
            a,
            sample(11, i as u32 + 1),
            "{name}: the stream does nothing"
        );
        let x = a.to_vec::<f64>();
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let moment = |k: i32| x.iter().map(|v| (v - mean).powi(k)).sum::<f64>() / n;
        let (want_mean, want_std) = (golden::number(&case["mean"]), golden::number(&case["std"]));
        // Four standard errors; the kurtosis is compared where there are numbers enough.
        assert!(
            (mean - want_mean).abs() < 4.0 * want_std / n.sqrt(),
            "{name}: mean {mean}"
        );
        let std = moment(2).sqrt();
        assert!(
            (std / want_std - 1.0).abs() < 4.0 / (2.0 * n).sqrt() + 1e-5,
            "{name}: std {std}"
        );
        if n >= 20_000.0 {
            let kurtosis = moment(4) / moment(2).powi(2);
            let want = golden::number(&case["observed"]["kurtosis"]);
            assert!(
                (kurtosis - want).abs() < 0.12,
                "{name}: kurtosis {kurtosis} instead of {want}"
            );
        }
        if let Some(bounds) = case["bounds"].as_array() {
            let (low, high) = (golden::number(&bounds[0]), golden::number(&bounds[1]));
            let slack = 1e-5 * (high - low);
            assert!(
                x.iter().all(|v| (low - slack..=high + slack).contains(v)),
                "{name}: bounds"
            );
            // The ends are reached.
            let reach = 30.0 / n * (high - low);
            assert!(
                x.iter().any(|v| *v < low + reach) && x.iter().any(|v| *v > high - reach),
                "{name}"
            );
        }
        cases += 1;
    }
    assert!(cases >= 60, "{cases}");
}

#[test]
fn orthogonal() {
    let file = load("initializers");
    for case in file["orthogonal"].as_array().unwrap() {
        let shape = shape(case);
        let x = initializer(case)
            .sample(&shape, DType::F32, 5, 0)
            .unwrap()
            .to_vec::<f64>();
        let columns = shape[shape.rank() - 1];
        let rows = shape.size() / columns;
        let at = |i: usize, j: usize| x[i * columns + j];
        let by_columns = case["gram"] == "columns";
        assert_eq!(by_columns, rows >= columns);
        let (n, m) = if by_columns {
            (columns, rows)
        } else {
            (rows, columns)
        };
        let entry = |i: usize, k: usize| if by_columns { at(k, i) } else { at(i, k) };
        for i in 0..n {
            for j in 0..n {
                let dot: f64 = (0..m).map(|k| entry(i, k) * entry(j, k)).sum();
                let want = if i == j {
                    golden::number(&case["gram_diagonal"])
                } else {
                    0.0
                };
                assert!(
                    (dot - want).abs() < 1e-6,
                    "{shape} {i} {j}: {dot} instead of {want}"
                );
            }
        }
    }
}

#[test]
fn strings_and_configurations() {
    let file = load("initializers");
    for (string, want) in file["strings"].as_object().unwrap() {
        let initializer = Initializer::from(string.as_str());
        initializer.check().unwrap();
        let got = initializer.to_config();
        assert_eq!(got["class_name"], want["class"], "{string}");
        assert_eq!(got["config"], want["config"], "{string}");
        assert_eq!(Initializer::from_config(&got).unwrap().to_config(), got);
    }
    for string in file["refused_strings"].as_array().unwrap() {
        assert!(
            Initializer::from(string.as_str().unwrap()).check().is_err(),
            "{string}"
        );
    }
}

#[test]
fn wrong_arguments_are_errors() {
    let sample = |i: Initializer, shape: &[usize], dtype| i.sample(&shape.into(), dtype, 0, 0);
    let message = |r: cornu::Result<cornu::Array>| r.unwrap_err().to_string();
    let e = message(sample("orthogonal".into(), &[3], DType::F32));
    assert!(e.contains("two axes or more. Received: shape (3,)"), "{e}");
    let e = message(sample("identity".into(), &[3, 3, 3], DType::F32));
    assert!(e.contains("makes matrices"), "{e}");
    let e = message(sample("glorot_uniform".into(), &[3, 3], DType::I32));
    assert!(e.contains("draws floats. Asked for: int32"), "{e}");
    let scaling = cornu::initializers::VarianceScaling::new().scale(-1.0);
    let e = message(sample(scaling.into(), &[3, 3], DType::F32));
    assert!(e.contains("scale must be above 0"), "{e}");
    let ones = sample("ones".into(), &[2], DType::I32).unwrap();
    assert_eq!(ones.to_vec::<i32>(), [1, 1]);
    let bf16 = sample("he_normal".into(), &[4, 4], DType::BF16).unwrap();
    assert_eq!(bf16.dtype(), DType::BF16);
    let empty = sample("orthogonal".into(), &[0, 3], DType::F32).unwrap();
    assert_eq!(empty.size(), 0);
}
