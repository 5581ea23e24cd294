//! Summaries of models with branches, compared with Keras' to the character
//! (`tests/golden/summaries.json`).

use crate::golden::{load, usize_of};
use cornu::prelude::*;

fn input(name: &str, features: usize) -> Symbol {
    Input::new([features]).name(name).symbol()
}

fn two_towers() -> cornu::Result<Model> {
    let (a, b) = (input("image", 8), input("age", 1));
    let seen = Dense::new(4).name("seen").on(&a);
    let known = Dense::new(4).name("known").on(&b);
    let both = Add::new().name("both").on([known, seen]);
    let kind = Dense::new(3).name("kind").on(&both);
    let price = Dense::new(1).name("price").on(&both);
    Ok(Model::new([&a, &b], [&kind, &price])?.named("towers"))
}

fn shared() -> cornu::Result<Model> {
    let (a, b) = (input("a", 4), input("b", 4));
    let encode = Dense::new(2).name("encode").shared();
    let y = Subtract::new()
        .name("difference")
        .on([encode.on(&a), encode.on(&b)]);
    Ok(Model::new([&a, &b], &y)?.named("siamese"))
}

fn nested() -> cornu::Result<Model> {
    let x = input("inside", 4);
    let encoder = Model::new(&x, Dense::new(2).name("code").on(&x))?.named("encoder");
    let image = input("image", 4);
    let code = encoder.on(&image);
    let frozen = Dense::new(2).name("frozen").trainable(false).on(&code);
    let joined = Concatenate::new().name("joined").on([code, frozen]);
    Ok(Model::new(&image, Dense::new(4).name("decode").on(joined))?.named("outer"))
}

fn line() -> cornu::Result<Model> {
    let x = input("x", 4);
    Ok(Model::new(&x, Dense::new(2).name("y").on(&x))?.named("line"))
}

#[test]
fn summaries_of_graphs_are_kerass() -> cornu::Result<()> {
    let golden = load("summaries");
    let cases = golden["summaries"].as_array().unwrap();
    assert!(cases.len() >= 9);
    for case in cases {
        let model = match case["model"].as_str().unwrap() {
            "two_towers" => two_towers(),
            "shared" => shared(),
            "nested" => nested(),
            "line" => line(),
            other => panic!("no model {other}"),
        }?;
        let args = &case["args"];
        let mut summary = model.summary();
        summary.show_trainable = args["show_trainable"] == true;
        summary.expand_nested = args["expand_nested"] == true;
        if let Some(range) = args["layer_range"].as_array() {
            let name = |i: usize| range[i].as_str().unwrap();
            summary = summary.with_layer_range(name(0), name(1))?;
        }
        let widest = match (summary.show_connections, summary.show_trainable) {
            (false, _) => 88,
            (true, false) => 108,
            (true, true) => 120,
        };
        // What a terminal of this width would allow: a test cannot set the variable COLUMNS.
        let length = match args["line_length"].is_null() {
            true => widest.min(usize_of(&case["columns"]) - 4),
            false => usize_of(&args["line_length"]),
        };
        let summary = summary.with_line_length(length)?;
        assert_eq!(
            format!("{summary}\n"),
            case["text"].as_str().unwrap(),
            "{case}"
        );
    }
    Ok(())
}

#[test]
fn a_range_needs_layers_that_are_there() {
    let e = line()
        .unwrap()
        .summary()
        .with_layer_range("x", "z")
        .unwrap_err();
    assert!(e.to_string().contains("\"z\""), "{e}");
}
