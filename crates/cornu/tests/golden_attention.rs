//! Attention with several heads, over several inputs, against Keras' own.

mod golden;

use cornu::layers;
use cornu::prelude::*;
use golden::{Report, array, close};
use serde_json::{Value, json};

fn check(case: &Value, report: &mut Report, name: &str) -> cornu::Result<()> {
    let mut add = |what: &str, outcome| report.add(|| format!("{name}, {what}"), outcome);
    let list = |key: &str| case[key].as_array().unwrap();
    let inputs: Vec<Array> = list("inputs").iter().map(array).collect();
    let symbols: Vec<Symbol> = inputs
        .iter()
        .map(|a| Input::new(a.shape()[1..].to_vec()).symbol())
        .collect();
    let object = json!({
        "module": "keras.layers", "class_name": "MultiHeadAttention",
        "config": case["get_config"], "registered_name": null,
    });
    // The arguments of Keras' call are options here: the configuration has none of them.
    layers::from_config(&object)?;
    let config = &case["config"];
    let number = |key: &str| config[key].as_u64().map(|n| n as usize);
    let mut layer =
        MultiHeadAttention::new(number("num_heads").unwrap(), number("key_dim").unwrap())
            .name("multi_head_attention")
            .return_attention_scores(true)
            .use_causal_mask(case["causal"] == true)
            .use_bias(config["use_bias"] != false);
    layer = number("value_dim")
        .into_iter()
        .fold(layer, MultiHeadAttention::value_dim);
    layer = number("output_shape")
        .into_iter()
        .fold(layer, MultiHeadAttention::output_features);
    layer = number("sliding_window")
        .into_iter()
        .fold(layer, MultiHeadAttention::sliding_window);
    let own = layers::to_config(&layer, "multi_head_attention");
    let same = |key: &str| own["config"][key] == case["get_config"][key];
    let keys = [
        "num_heads",
        "key_dim",
        "value_dim",
        "dropout",
        "use_bias",
        "attention_axes",
    ];
    add(
        "configuration",
        keys.iter()
            .all(|k| same(k))
            .then_some(())
            .ok_or(own.to_string()),
    );

    let outputs = layer.on_all(symbols.clone());
    let mut model = Model::new(symbols, outputs)?;
    let paths: Vec<&str> = list("weights")
        .iter()
        .map(|w| w["path"].as_str().unwrap())
        .collect();
    let weights = model.weights();
    let own: Vec<&str> = weights.iter().map(|w| w.variable.name()).collect();
    add(
        "weights",
        (own == paths)
            .then_some(())
            .ok_or(format!("{own:?} instead of {paths:?}")),
    );
    let values: Vec<Array> = list("weights").iter().map(|w| array(&w["value"])).collect();
    model.set_weights(&values)?;

    let variables: Vec<Variable> = inputs
        .iter()
        .map(|a| Variable::new("x", a.clone()))
        .collect();
    let xs: Vec<Tensor> = variables.iter().map(Variable::tensor).collect();
    let mask = (!case["value_mask"].is_null()).then(|| golden::tensor(&case["value_mask"]));
    let called = model.call_masked(&xs, &[None, mask], None)?;
    let near = |got: &Tensor, want: &Value| -> cornu::Result<Result<(), String>> {
        Ok(close(&got.eval()?, &array(want), 2e-5, 4e-6))
    };
    add("output", near(&called.outputs[0], &case["output"])?);
    add("scores", near(&called.outputs[1], &case["scores"])?);
    let loss = (&called.outputs[0] * golden::tensor(&case["w"])).sum();
    let trained: Vec<Tensor> = weights.iter().map(|w| w.variable.tensor()).collect();
    let of: Vec<&Tensor> = xs.iter().chain(&trained).collect();
    let wanted = list("grad_inputs").iter().chain(list("grad_weights"));
    for (i, (g, want)) in grad(&loss, &of).iter().zip(wanted).enumerate() {
        add(&format!("gradient {i}"), near(g, want)?);
    }
    Ok(())
}

#[test]
fn heads_over_several_inputs() {
    let golden = golden::load("layers_attention");
    let mut report = Report::default();
    for (i, case) in golden["attention"].as_array().unwrap().iter().enumerate() {
        let name = format!("{i} {}", case["config"]);
        let outcome = check(case, &mut report, &name);
        report.add(|| name, outcome.map_err(|e| e.to_string()));
    }
    report.finish(60);
}
