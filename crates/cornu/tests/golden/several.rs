//! Layers over several tensors against Keras' own: attention of all kinds, and products.

use crate::golden::{self, Report, array, close};
use cornu::layers::{self, Layer};
use cornu::prelude::*;
use serde_json::{Value, json};

/// The layer of a case. The arguments of Keras' call are options here, of which the configuration says
/// nothing.
fn layer(case: &Value) -> cornu::Result<Box<dyn Layer>> {
    let object = json!({
        "module": "keras.layers", "class_name": case["class"],
        "config": case["get_config"], "registered_name": null,
    });
    let plain = layers::from_config(&object)?;
    let name = case["get_config"]["name"].as_str().unwrap();
    let mut fields = case["get_config"].clone();
    for shared in ["name", "trainable", "dtype", "activity_regularizer"] {
        fields.as_object_mut().unwrap().remove(shared);
    }
    let (causal, scores) = (case["causal"] == true, case["scores"] == true);
    macro_rules! typed {
        ($layer:ident) => {{
            let layer: $layer = serde_json::from_value(fields).unwrap();
            let layer = layer
                .use_causal_mask(causal)
                .return_attention_scores(scores);
            Ok(layer.name(name).into())
        }};
    }
    match case["class"].as_str().unwrap() {
        "MultiHeadAttention" => typed!(MultiHeadAttention),
        "GroupedQueryAttention" => typed!(GroupedQueryAttention),
        "Attention" => typed!(Attention),
        "AdditiveAttention" => typed!(AdditiveAttention),
        _ => Ok(plain),
    }
}

fn check(case: &Value, report: &mut Report, name: &str) -> cornu::Result<()> {
    let mut add = |what: &str, outcome| report.add(|| format!("{name}, {what}"), outcome);
    let list = |key: &str| case[key].as_array().unwrap();
    let mut inputs: Vec<Array> = list("inputs").iter().map(array).collect();
    let tensors = inputs.len();
    if !case["attention_mask"].is_null() {
        // Query, value and key, then where each step may look.
        let last = inputs[inputs.len() - 1].clone();
        inputs.resize(3, last);
        inputs.push(array(&case["attention_mask"]).cast(DType::F32));
    }
    let symbols: Vec<Symbol> = inputs
        .iter()
        .map(|a| Input::new(a.shape()[1..].to_vec()).symbol())
        .collect();
    let layer = layer(case)?;
    let config = layers::to_config(&*layer, case["get_config"]["name"].as_str().unwrap());
    let outcome = golden::same_json(&config["config"], &case["get_config"]);
    add("configuration", outcome);

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
    let mut xs: Vec<Tensor> = variables.iter().map(Variable::tensor).collect();
    let given: Vec<Tensor> = xs[..tensors].to_vec();
    // What stands for another is the same tensor, so that gradients meet in it.
    for x in xs
        .iter_mut()
        .skip(tensors)
        .take(3usize.saturating_sub(tensors))
    {
        *x = given[tensors - 1].clone();
    }
    let masks: Vec<Option<Tensor>> = list("masks")
        .iter()
        .map(|m| (!m.is_null()).then(|| golden::tensor(m)))
        .collect();
    let called = model.call_masked(&xs, &masks, None)?;
    let near = |got: &Tensor, want: &Value| -> cornu::Result<Result<(), String>> {
        Ok(close(&got.eval()?, &array(want), 2e-5, 6e-6))
    };
    let counts = called.outputs.len() == list("outputs").len();
    add(
        "outputs",
        counts.then_some(()).ok_or("another number".to_string()),
    );
    for (i, (y, want)) in called.outputs.iter().zip(list("outputs")).enumerate() {
        add(&format!("output {i}"), near(y, want)?);
    }
    if let Some(penalties) = case["losses"].as_array() {
        let want: f64 = penalties.iter().map(golden::number).sum();
        let sum = called.losses.iter().cloned().reduce(|a, b| a + b);
        let sum = sum.ok_or_else(|| cornu::Error::new("no penalties"))?;
        add(
            "penalties",
            near(&sum, &json!({"shape": [], "data": [want]}))?,
        );
    }
    let loss = (&called.outputs[0] * golden::tensor(&case["w"])).sum();
    let trained: Vec<Tensor> = weights.iter().map(|w| w.variable.tensor()).collect();
    let of: Vec<&Tensor> = given.iter().chain(&trained).collect();
    let wanted = list("grad_inputs").iter().chain(list("grad_weights"));
    for (i, (g, want)) in grad(&loss, &of).iter().zip(wanted).enumerate() {
        add(&format!("gradient {i}"), near(g, want)?);
    }
    Ok(())
}

#[test]
fn layers_over_several_tensors() {
    let golden = golden::load("layers_attention");
    let mut report = Report::default();
    for (i, case) in golden["several"].as_array().unwrap().iter().enumerate() {
        let name = format!("{i} {} {}", case["class"], case["config"]);
        let outcome = check(case, &mut report, &name);
        report.add(|| name, outcome.map_err(|e| e.to_string()));
    }
    report.finish(400);
}

/// A table called both ways, as in a language model.
#[derive(Debug)]
struct Back(ReversibleEmbedding);

impl Layer for Back {
    fn class_name(&self) -> &str {
        "Back"
    }
    fn build(&self, cx: &mut layers::Build, input: &layers::InputShape) -> cornu::Result<()> {
        cx.layer("table", &self.0.reversed(), input).map(|_| ())
    }
    fn call(&self, cx: &mut layers::Call, x: &Tensor) -> Tensor {
        cx.layer("table", &self.0.reversed(), x)
    }
}

#[test]
fn tables_lead_back() -> cornu::Result<()> {
    let golden = golden::load("layers_core");
    for case in golden["reversed"].as_array().unwrap() {
        let mut table =
            ReversibleEmbedding::new(6, 3).tie_weights(case["config"]["tie_weights"] != false);
        if let Some(cap) = case["config"]["logit_soft_cap"].as_f64() {
            table = table.logit_soft_cap(cap);
        }
        let x = array(&case["input"]);
        let input = Input::new(x.shape()[1..].to_vec());
        let mut model = Sequential::from_layers(vec![input.into(), Back(table).into()]);
        model.build()?;
        let weights: Vec<Array> = case["weights"]
            .as_array()
            .unwrap()
            .iter()
            .map(array)
            .collect();
        model.set_weights(&weights)?;
        let outcome = close(&model.predict(&x)?, &array(&case["output"]), 1e-5, 1e-6);
        assert_eq!(outcome, Ok(()), "{}", case["config"]);
    }
    Ok(())
}
