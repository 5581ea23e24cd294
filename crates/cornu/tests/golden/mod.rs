//! Reading the golden files, and comparing with them. See `tests/golden/README.md`.
#![allow(dead_code)] // each test binary uses its part

pub mod saved;

use cornu::{Array, DType, Device, Shape, Tensor};
use serde_json::Value;

/// A golden file's JSON.
pub fn load(name: &str) -> Value {
    let path = format!(
        "{}/../../tests/golden/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A number, or one of the strings `"nan"`, `"inf"`, `"-inf"`.
pub fn number(v: &Value) -> f64 {
    match v {
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::String(s) => s.parse().unwrap_or_else(|_| panic!("no number: {s}")),
        v => v.as_f64().unwrap_or_else(|| panic!("no number: {v}")),
    }
}

/// An array `{"shape", "data", "dtype"?}`; f32 unless a dtype is given.
pub fn array(v: &Value) -> Array {
    let shape: Shape = v["shape"]
        .as_array()
        .expect("shape")
        .iter()
        .map(usize_of)
        .collect();
    let data: Vec<f64> = v["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(number)
        .collect();
    let dtype = match v.get("dtype") {
        Some(name) => DType::from_name(name.as_str().expect("dtype")).expect("dtype"),
        None => DType::F32,
    };
    Array::from_vec(shape, data)
        .expect("one number per element")
        .cast(dtype)
}

/// Some of an array's rows.
pub fn rows(a: &Array, from: usize, to: usize) -> Array {
    let row: usize = a.shape().iter().skip(1).product();
    let mut shape = a.shape().to_vec();
    shape[0] = to - from;
    let values = a.to_vec::<f64>()[from * row..to * row].to_vec();
    Array::from_vec(shape, values).unwrap().cast(a.dtype())
}

/// A non-negative integer.
pub fn usize_of(v: &Value) -> usize {
    v.as_u64().expect("an integer") as usize
}

/// An array as a constant tensor.
pub fn tensor(v: &Value) -> Tensor {
    Tensor::constant(array(v))
}

/// The values of tensors, by the reference interpreter.
pub fn eval(tensors: &[Tensor]) -> cornu::Result<Vec<Array>> {
    Device::new(cornu_core::Reference).eval(tensors)
}

/// Compares element by element: equal shapes, and a difference of at most `relative` of the size or
/// `absolute`; not-a-number and infinities must be the same.
pub fn close(got: &Array, want: &Array, relative: f64, absolute: f64) -> Result<(), String> {
    if got.shape() != want.shape() {
        return Err(format!("shape {} instead of {}", got.shape(), want.shape()));
    }
    for (i, (g, w)) in got
        .to_vec::<f64>()
        .into_iter()
        .zip(want.to_vec::<f64>())
        .enumerate()
    {
        let fits = g == w
            || (g.is_nan() && w.is_nan())
            || (g.is_finite()
                && w.is_finite()
                && (g - w).abs() <= absolute.max(relative * w.abs()));
        if !fits {
            return Err(format!("element {i}: {g} instead of {w}"));
        }
    }
    Ok(())
}

/// A configuration with its type as a policy, of which Keras writes for SpatialDropout the name of the weights'
/// type alone.
pub fn with_policy(config: &mut Value) {
    let name = config["dtype"].clone();
    if name.is_string() && config.get("rate").is_some() {
        config["dtype"] = serde_json::json!({
            "module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": null,
        });
    }
}

/// Whether two pieces of JSON say the same; 6 and 6.0 do.
pub fn same_json(got: &Value, want: &Value) -> Result<(), String> {
    let fits = match (got, want) {
        (Value::Object(g), Value::Object(w)) => {
            for (key, want) in w {
                // Cornu has no quantised layers; what they were built for is compared where models are saved.
                if key == "build_config" || (key == "quantization_config" && want.is_null()) {
                    continue;
                }
                let got = g.get(key).ok_or(format!("no \"{key}\""))?;
                same_json(got, want).map_err(|e| format!("\"{key}\": {e}"))?;
            }
            // Keras' SimpleRNN takes a seed, but forgets it in its configuration; Cornu says of every
            // layer where it was built, Keras of some.
            let more = |k: &&String| !w.contains_key(*k) && *k != "seed" && *k != "build_config";
            match g.keys().find(more) {
                Some(more) => return Err(format!("\"{more}\" is not Keras'")),
                None => true,
            }
        }
        (Value::Array(g), Value::Array(w)) => {
            if g.len() != w.len() {
                return Err(format!("{got} instead of {want}"));
            }
            return g.iter().zip(w).try_for_each(|(g, w)| same_json(g, w));
        }
        (Value::Number(g), Value::Number(w)) => g.as_f64() == w.as_f64(),
        _ => got == want,
    };
    if fits {
        Ok(())
    } else {
        Err(format!("{got} instead of {want}"))
    }
}

/// Collects what fails, so that one run shows all of it.
#[derive(Default)]
pub struct Report {
    cases: usize,
    failures: Vec<String>,
}

impl Report {
    /// Counts a case, and its failure.
    pub fn add(&mut self, case: impl FnOnce() -> String, outcome: Result<(), String>) {
        self.cases += 1;
        if let Err(e) = outcome {
            self.failures.push(format!("{}: {e}", case()));
        }
    }

    /// Panics with all failures; also if there were fewer cases than expected.
    pub fn finish(self, at_least: usize) {
        let n = self.failures.len();
        assert!(
            self.failures.is_empty(),
            "{n} of {} failed:\n{}",
            self.cases,
            self.failures.join("\n")
        );
        assert!(self.cases >= at_least, "only {} cases", self.cases);
    }
}
