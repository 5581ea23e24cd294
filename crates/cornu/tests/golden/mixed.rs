//! Every layer under mixed policies: the type of its output is Keras', its weights stay in `f32`, and
//! nothing overflows.

use crate::golden::{self, Report, array};
use cornu::layers::{self, InputShape};
use cornu::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;

fn check(told: &Value, case: &Value) -> cornu::Result<Result<(), String>> {
    let mut config = case["get_config"].clone();
    config["dtype"] = json!({
        "module": "keras", "class_name": "DTypePolicy",
        "config": {"name": told["policy"]}, "registered_name": null,
    });
    let object = json!({"module": "keras.layers", "class_name": told["class"], "config": config});
    let input = array(&case["input"]);
    let mut model = Sequential::from_layers(vec![layers::from_config(&object)?]);
    model.build_for(&InputShape::batch_of(&input.shape()[1..]))?;
    let output = model.call(&Tensor::constant(input))?;
    let (dtype, want) = (output.dtype().name(), told["dtype"].as_str().unwrap());
    if dtype != want {
        return Ok(Err(format!("{dtype} instead of {want}")));
    }
    let mut wide = model.weights().into_iter().map(|w| w.variable.dtype());
    if let Some(narrow) = wide.find(|d| d.is_float() && *d != DType::F32) {
        return Ok(Err(format!("weights of {narrow}")));
    }
    let values = output.eval()?.cast(DType::F32).to_vec::<f32>();
    let finite = values.iter().all(|v| v.is_finite());
    Ok(finite.then_some(()).ok_or("not finite".to_string()))
}

#[test]
fn layers_in_sixteen_bits() {
    set_random_seed(1);
    let golden = golden::load("mixed");
    let mut files: HashMap<String, Value> = HashMap::new();
    let mut report = Report::default();
    for told in golden["cases"].as_array().unwrap() {
        let name = told["file"].as_str().unwrap();
        let file = files
            .entry(name.to_string())
            .or_insert_with(|| golden::load(name));
        let mut cases = file["cases"].as_array().unwrap().iter();
        let case = cases.find(|c| c["class"] == told["class"]).unwrap();
        let outcome = check(told, case).unwrap_or_else(|e| Err(e.to_string()));
        report.add(|| format!("{} {}", told["class"], told["policy"]), outcome);
    }
    report.finish(156);
}
