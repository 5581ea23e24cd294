//! Models as Graphviz' text, letter by letter Keras' own.

use crate::golden::{self, usize_of};
use cornu::prelude::*;
use cornu::saving::model_from_json;

fn options(told: &serde_json::Value) -> PlotModel {
    let mut options = PlotModel::new();
    for (name, value) in told.as_object().unwrap() {
        let yes = *value == true;
        options = match name.as_str() {
            "show_shapes" => options.show_shapes(yes),
            "show_dtype" => options.show_dtype(yes),
            "show_layer_names" => options.show_layer_names(yes),
            "show_layer_activations" => options.show_layer_activations(yes),
            "show_trainable" => options.show_trainable(yes),
            "expand_nested" => options.expand_nested(yes),
            "dpi" => options.dpi(usize_of(value)),
            "rankdir" => options.rankdir(match value.as_str() {
                Some("LR") => RankDir::LeftToRight,
                _ => RankDir::TopToBottom,
            }),
            other => panic!("option {other}"),
        };
    }
    options
}

#[test]
fn the_text_of_graphviz() -> cornu::Result<()> {
    let golden = golden::load("diagrams");
    for case in golden["cases"].as_array().unwrap() {
        let model = model_from_json(&case["model"].to_string())?;
        for told in case["texts"].as_array().unwrap() {
            let (got, want) = (
                model.to_dot(&options(&told["options"]))?,
                told["dot"].as_str().unwrap(),
            );
            for (got, want) in got.lines().zip(want.lines()) {
                assert_eq!(got, want, "{} {}", case["name"], told["options"]);
            }
            assert_eq!(got.trim_end(), want.trim_end(), "{}", case["name"]);
        }
    }
    Ok(())
}

#[test]
fn pictures_show_every_layer() -> cornu::Result<()> {
    let golden = golden::load("diagrams");
    for case in golden["cases"].as_array().unwrap() {
        let model = model_from_json(&case["model"].to_string())?;
        for told in case["texts"].as_array().unwrap() {
            let options = options(&told["options"]);
            let (dot, svg) = (model.to_dot(&options)?, model.to_svg(&options)?);
            let boxes = dot.matches("label=<<table").count();
            assert_eq!(
                svg.matches("font-size=\"14\" font-weight=\"bold\"").count(),
                boxes
            );
        }
    }
    Ok(())
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let mut model = Sequential::new();
    model.add(Dense::new(2));
    let error = model.to_svg(&PlotModel::new()).unwrap_err().to_string();
    assert!(error.contains("not built"), "{error}");
    model
        .build_for(&cornu::layers::InputShape::batch_of([3]))
        .unwrap();
    let error = model
        .plot_model("model.pdf", &PlotModel::new())
        .unwrap_err();
    assert!(error.to_string().contains(".svg, .dot or .gv"), "{error}");
    let nowhere = model.plot_model("/no such folder/model.svg", &PlotModel::new());
    assert!(
        nowhere
            .unwrap_err()
            .to_string()
            .contains("cannot be written")
    );
}
