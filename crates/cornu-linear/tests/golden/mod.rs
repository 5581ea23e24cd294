//! Golden files: data sets, and cases of an estimator with options on one of them.

use ndarray::Array2;
use serde_json::Value;

pub struct Golden(Value);

/// One estimator with options, fitted to a data set.
pub struct Case<'a> {
    case: &'a Value,
    pub x: Array2<f64>,
    pub y: Array2<f64>,
    w: Option<Vec<f64>>,
}

fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(flat).collect(),
        Value::Bool(yes) => vec![f64::from(u8::from(*yes))],
        _ => value.as_f64().into_iter().collect(),
    }
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows = value.as_array().expect("a list of rows").len();
    let all = flat(value);
    Array2::from_shape_vec((rows, all.len() / rows), all).expect("rows of equal length")
}

impl Golden {
    pub fn read(name: &str) -> Self {
        let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("the golden file");
        Self(serde_json::from_str(&text).expect("JSON"))
    }

    /// The value under a path of keys and places.
    fn at(&self, keys: &[&str]) -> &Value {
        keys.iter()
            .fold(&self.0, |value, key| match key.parse::<usize>() {
                Ok(place) if value.is_array() => &value[place],
                _ => &value[key],
            })
    }

    /// All numbers under a path of keys.
    pub fn numbers(&self, keys: &[&str]) -> Vec<f64> {
        flat(self.at(keys))
    }

    /// The matrix under a path of keys.
    pub fn matrix(&self, keys: &[&str]) -> Array2<f64> {
        matrix(self.at(keys))
    }

    pub fn cases(&self) -> impl Iterator<Item = Case<'_>> {
        let cases = self.0["cases"].as_array().expect("cases");
        cases.iter().map(|case| {
            let data = &self.0["data"][case["data"].as_str().expect("a name")];
            Case {
                case,
                x: matrix(&data["x"]),
                y: matrix(&data["y"]),
                w: data.get("w").map(flat),
            }
        })
    }

    /// Cases of transformers, which have no data of their own.
    pub fn transforms(&self) -> impl Iterator<Item = Case<'_>> {
        let cases = self.0["transforms"].as_array().expect("transforms");
        cases.iter().map(|case| Case {
            case,
            x: Array2::zeros((0, 0)),
            y: Array2::zeros((0, 0)),
            w: None,
        })
    }
}

impl Case<'_> {
    pub fn transformer(&self) -> &str {
        self.case["transformer"].as_str().expect("a name")
    }

    pub fn name(&self) -> String {
        format!(
            "{} {} {}",
            self.case["estimator"].as_str().unwrap_or("transformer"),
            self.case["data"],
            self.case["options"]
        )
    }

    pub fn estimator(&self) -> &str {
        self.case["estimator"].as_str().expect("a name")
    }

    pub fn w(&self) -> Option<&[f64]> {
        self.w.as_deref()
    }

    /// A weight for each row.
    pub fn weights(&self) -> Vec<f64> {
        self.w.clone().unwrap_or_else(|| vec![1.0; self.x.nrows()])
    }

    pub fn number(&self, option: &str) -> Option<f64> {
        self.case["options"][option].as_f64()
    }

    pub fn flag(&self, option: &str) -> Option<bool> {
        self.case["options"][option].as_bool()
    }

    pub fn text(&self, option: &str) -> Option<&str> {
        self.case["options"][option].as_str()
    }

    pub fn numbers(&self, option: &str) -> Vec<f64> {
        flat(&self.case["options"][option])
    }

    pub fn results(&self, result: &str) -> Vec<f64> {
        flat(&self.case[result])
    }
}

/// How far apart two values of an objective are beyond 1e-8 of them, if they are; `scale` is what they are sums of,
/// for those that are 0 but for rounding.
pub fn apart(got: f64, expected: f64, scale: f64) -> Option<f64> {
    let error = (got - expected).abs();
    (error.is_nan() || error > 1e-8 * expected.abs() + 1e-14 * scale).then_some(error / expected)
}

/// The largest error relative to the largest expected number, if it is above `tolerance`.
pub fn off(got: &[f64], expected: &[f64], tolerance: f64) -> Option<f64> {
    if got.len() != expected.len() {
        return Some(f64::INFINITY);
    }
    let scale = expected.iter().fold(1e-3_f64, |m, v| m.max(v.abs()));
    let errors = got.iter().zip(expected).map(|(g, e)| (g - e).abs() / scale);
    let largest = errors.fold(0.0, |m: f64, e| if e > m || e.is_nan() { e } else { m });
    (largest.is_nan() || largest > tolerance).then_some(largest)
}
