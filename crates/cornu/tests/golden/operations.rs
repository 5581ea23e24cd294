//! Functions of tensors that Keras records in functional models, and that are layers here.

use crate::golden::{self, Report, array, close, same_json as same, tensor};
use cornu::saving::model_from_json;
use cornu::{Eval, Variable, grad};

#[test]
fn nan_to_num() -> cornu::Result<()> {
    let golden = golden::load("operations");
    let mut report = Report::default();
    for case in golden["nan_to_num"].as_array().unwrap() {
        let mut add = |what: &str, outcome| {
            report.add(|| format!("{}, {what}", case["config"]), outcome);
        };
        let model = model_from_json(&case["model"].to_string())?;
        let layer = |config: &serde_json::Value| config["layers"][1].clone();
        add(
            "configuration",
            same(&layer(&model.to_config()), &layer(&case["model"]["config"])),
        );
        let x = Variable::new("x", array(&case["input"]));
        let called = model.call_masked(&[x.tensor()], &[None], None)?;
        let y = &called.output;
        add(
            "output",
            close(&y.eval()?, &array(&case["output"]), 1e-6, 0.0),
        );
        let loss = (y * tensor(&case["w"])).sum();
        let gradient = grad(&loss, &[&x.tensor()]).remove(0).eval()?;
        add(
            "gradient",
            close(&gradient, &array(&case["grad_input"]), 1e-6, 0.0),
        );
    }
    report.finish(12);
    Ok(())
}
