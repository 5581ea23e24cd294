//! Layers that look texts and integers up: Keras' files and results, and what is refused.
#![cfg(feature = "saving")]

mod golden;

use cornu::data::{Dataset, IntoData, Texts, from_tensor_slices};
use cornu::prelude::*;
use cornu::saving::{LoadModel, load_model, model_from_bytes, model_from_json};
use golden::saved::{Case, cases};
use golden::{Report, same_json};
use serde_json::Value;
use std::path::PathBuf;

/// The inputs of a case, in order.
fn inputs(case: &Case) -> Inputs<'static> {
    let given = case.made["inputs"].as_array().unwrap();
    given.iter().fold(Inputs::new(), |all, v| {
        let shape: Vec<usize> = serde_json::from_value(v["shape"].clone()).unwrap();
        let data = v["data"].as_array().unwrap().iter();
        match v["dtype"].as_str() {
            Some("string") => {
                let texts = data.map(|t| t.as_str().unwrap());
                all.then(Texts::of_shape(shape, texts).unwrap())
            }
            Some("int64") => {
                let numbers: Vec<i64> = data.map(|n| n.as_i64().unwrap()).collect();
                all.then(Array::from_vec(shape, numbers).unwrap())
            }
            _ => all.then(golden::array(v)),
        }
    })
}

/// Integers are compared as such: `f64` does not hold all of them.
fn predicts(model: &Model, case: &Case) -> Result<(), String> {
    let got = model.predict_all(inputs(case)).map_err(|e| e.to_string())?;
    let want = case.made["outputs"].as_array().unwrap();
    assert_eq!(got.len(), want.len());
    for (got, want) in got.iter().zip(want) {
        match want["dtype"].as_str() {
            Some("int64") if !got.dtype().is_float() => {
                let want: Vec<i64> = serde_json::from_value(want["data"].clone()).unwrap();
                if got.to_vec::<i64>() != want {
                    return Err(format!("{:?} instead of {want:?}", got.to_vec::<i64>()));
                }
            }
            _ => {
                let want = golden::array(want);
                golden::close(&got.cast(want.dtype()), &want, 1e-5, 1e-5)?;
            }
        }
    }
    Ok(())
}

fn check(one: impl Fn(&Case, Model) -> Result<(), String>) {
    let mut report = Report::default();
    for case in cases("lookups", "model.keras") {
        let model = model_from_bytes(&case.file, &LoadModel::new()).map_err(|e| e.to_string());
        report.add(|| case.name.clone(), model.and_then(|m| one(&case, m)));
    }
    report.finish(14);
}

#[test]
fn models_of_keras_look_up_what_keras_looks_up() {
    check(|case, model| predicts(&model, case));
}

/// With a folder in `CORNU_LOOKUPS` the files stay there, for `tests/interop/check_lookups.py`.
#[test]
fn lookups_for_keras() {
    let kept = std::env::var_os("CORNU_LOOKUPS").map(PathBuf::from);
    let scratch = format!("cornu-{}-lookups", std::process::id());
    let folder = kept
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(scratch));
    std::fs::create_dir_all(&folder).unwrap();
    check(|case, model| {
        let path = folder.join(format!("{}.keras", case.name));
        model.save(&path).map_err(|e| e.to_string())?;
        let again = load_model(&path).map_err(|e| e.to_string())?;
        predicts(&again, case)?;
        // The vocabulary is in the configuration, so that every file has it.
        let mut described = model_from_json(&model.to_json()).map_err(|e| e.to_string())?;
        let weights = model.get_weights().map_err(|e| e.to_string())?;
        described.set_weights(&weights).map_err(|e| e.to_string())?;
        predicts(&described, case)
    });
    if kept.is_none() {
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn configurations_are_keras() {
    check(|case, model| {
        let bytes = std::io::Cursor::new(&case.file);
        let mut archive = zip::ZipArchive::new(bytes).unwrap();
        let config = archive.by_name("config.json").unwrap();
        let want: Value = serde_json::from_reader(config).unwrap();
        let of = |model: &Value| -> Vec<Value> {
            let layers = model["config"]["layers"].as_array().unwrap().iter();
            let looking = [
                "Input",
                "InputLayer",
                "StringLookup",
                "IntegerLookup",
                "Hashing",
                "HashedCrossing",
            ];
            let looking = layers.filter(|l| looking.iter().any(|c| l["class_name"] == *c));
            looking.map(|l| l["config"].clone()).collect()
        };
        let got: Value = serde_json::from_str(&model.to_json()).unwrap();
        let (got, want) = (of(&got), of(&want));
        assert_eq!(got.len(), want.len());
        got.iter().zip(want).try_for_each(|(got, mut want)| {
            // Keras keeps what `adapt` found in a file of its own.
            if want.get("vocabulary").is_some_and(Value::is_null) {
                want["vocabulary"] = got["vocabulary"].clone();
            }
            if let Some(dtype) = want.get_mut("dtype").and_then(Value::as_object_mut) {
                dtype.remove("shared_object_id");
            }
            same_json(got, &want)
        })
    });
}

fn lookup(lookup: StringLookup) -> Sequential {
    let mut model = Sequential::new();
    model.add(Input::new([1]).dtype("string"));
    model.add(lookup);
    model.build().unwrap();
    model
}

fn said<T: std::fmt::Debug>(outcome: cornu::Result<T>) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn large_vocabularies_and_small_ones() {
    for n in [1usize, 2, 3, 1000, 1024, 1025] {
        let terms: Vec<String> = (0..n).map(|i| format!("term {i}")).collect();
        let model = lookup(StringLookup::new().vocabulary(terms.clone()));
        let places = model.predict(Texts::new(terms)).unwrap();
        assert!(places.to_vec::<i64>().iter().copied().eq(1..=n as i64));
        let other = model.predict(Texts::new(["term", "term 1025"])).unwrap();
        assert_eq!(other.to_vec::<i32>(), [0, 0]);
    }
}

#[test]
fn texts_are_trained_on_in_any_form() {
    let words = ["up", "down", "up", "up", "down", "down", "up", "down"];
    let y = Array::from([1f32, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
    let made = || {
        let mut model = lookup(StringLookup::new().adapt(words).unwrap());
        model.add(Embedding::new(3, 1));
        model.add(Flatten::new());
        model.add(Dense::new(1).activation("sigmoid"));
        model
            .compile(
                SGD::new().learning_rate(2.0),
                "binary_crossentropy",
                ["accuracy"],
            )
            .unwrap();
        model
    };
    let mut model = made();
    let fit = || Fit::new().epochs(30).verbose(0);
    let texts = Texts::new(words);
    let options = fit().batch_size(4).validation_split(0.25);
    let history = model.fit(&texts, &y, options).unwrap();
    assert!(history["val_loss"].last() < history["val_loss"].first());
    assert_eq!(model.evaluate(&texts, &y).unwrap()["accuracy"], 1.0);
    let data = from_tensor_slices(texts.clone(), y.clone())
        .shuffle(8)
        .batch(3);
    let mut model = made();
    model.fit_dataset(&data, fit()).unwrap();
    let figures = model.evaluate_dataset(&data, Evaluate::new().verbose(0));
    assert_eq!(figures.unwrap()["accuracy"], 1.0);
    let fingerprints = Tensor::constant(texts.fingerprints().clone());
    let called = model.call(&fingerprints.expand_dims(-1)).unwrap();
    let predicted = model.predict(&texts).unwrap();
    assert_eq!(called.eval().unwrap(), predicted);
}

#[test]
fn what_cannot_be_is_refused() {
    let number = Array::from([[1.0f32]]);
    let model = lookup(StringLookup::new().vocabulary(["a"]));
    let e = said(model.predict(&number));
    assert!(e.contains("takes texts. Received: numbers"), "{e}");
    let mut plain = Sequential::new();
    plain.add(Dense::new(1).input_shape([1]));
    plain.build().unwrap();
    let e = said(plain.predict(Texts::new(["a"])));
    assert!(e.contains("takes numbers. Received: texts"), "{e}");
    let e = said(model.predict_into(&[1.0], &mut [0.0]));
    assert!(e.contains("texts"), "{e}");

    let build = |layers: Vec<Box<dyn Layer>>| said(Sequential::from_layers(layers).build());
    let texts = || Input::new([1]).dtype("string").into();
    let e = build(vec![texts(), Dense::new(2).into()]);
    assert!(e.contains("dense") && e.contains("takes numbers"), "{e}");
    let vocabulary = || StringLookup::new().vocabulary(["a", "b"]);
    let e = build(vec![Input::new([1]).into(), vocabulary().into()]);
    assert!(e.contains("takes texts"), "{e}");
    let e = build(vec![texts()]);
    assert!(e.contains("output"), "{e}");

    let wrong: [(StringLookup, &str); 7] = [
        (StringLookup::new(), "no vocabulary yet"),
        (StringLookup::new().vocabulary(["a", "a"]), "differ"),
        (vocabulary().mask_token("b"), "mask_token"),
        (vocabulary().max_tokens(2), "max_tokens"),
        (vocabulary().max_tokens(1), "greater than 1"),
        (vocabulary().pad_to_max_tokens(true), "max_tokens"),
        (vocabulary().invert(true), "invert"),
    ];
    for (lookup, word) in wrong {
        let e = build(vec![texts(), lookup.into()]);
        assert!(e.contains(word), "{e}");
    }
    assert!(said(vocabulary().adapt(["c"])).contains("already"));
    assert!(said(StringLookup::new().adapt(["[UNK]"])).contains("at least one"));
    assert!(said(Texts::of_shape([2, 2], ["a"])).contains("Received: 1"));

    let strict = lookup(vocabulary().num_oov_indices(0).mask_token(""));
    let y = strict.predict(Texts::new(["b", "", "a"])).unwrap();
    assert_eq!(y.to_vec::<i32>(), [2, 0, 1]);
    let e = said(strict.predict(Texts::new(["b", "c"])));
    assert!(e.contains("position 1"), "{e}");
    assert!((&Texts::new(["a"])).into_data().is_texts());
}

/// Keras' `load_assets` takes what is in the archive; so is a vocabulary that is no text refused.
#[test]
fn vocabularies_in_files_are_checked() {
    let case = cases("lookups", "model.keras");
    let case = case.iter().find(|c| c.name == "adapted_inside").unwrap();
    let changed = |name: &str, content: &[u8]| {
        let mut old = zip::ZipArchive::new(std::io::Cursor::new(&case.file)).unwrap();
        let mut new = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let plain = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        for i in 0..old.len() {
            let mut member = old.by_index(i).unwrap();
            new.start_file(member.name(), plain).unwrap();
            match member.name() == name {
                true => std::io::Write::write_all(&mut new, content).unwrap(),
                false => std::io::copy(&mut member, &mut new).map(|_| ()).unwrap(),
            }
        }
        let file = new.finish().unwrap().into_inner();
        model_from_bytes(file, &LoadModel::new()).map(|_| ())
    };
    let of = |layer: &str| format!("assets/layers/{layer}/vocabulary.txt");
    changed("", b"").unwrap();
    let e = said(changed(&of("integer_lookup"), b"-1\n4x"));
    assert!(e.contains("integer") && e.contains("4x"), "{e}");
    let e = said(changed(&of("string_lookup"), b"[UNK]\n\xff"));
    assert!(e.contains("no text"), "{e}");
    let e = said(changed(&of("functional/layers/string_lookup"), b""));
    assert!(e.contains("no vocabulary yet"), "{e}");
}

/// By Keras' layers, called by themselves: a functional model of Keras takes no three features, and no salted texts
/// enter a model of ours.
#[test]
fn hashes_of_keras_beside_models() -> cornu::Result<()> {
    let (a, c) = (
        Texts::new(["A", "B", "xyz", ""]),
        Texts::new(["q", "w", "e", "r"]),
    );
    let b = Array::from(vec![101i64, -5, 1 << 40, 0]);
    let x = Input::new([1]).dtype("string").symbol();
    let y = Input::new([1]).dtype("int64").symbol();
    let z = Input::new([1]).dtype("string").symbol();
    let model = Model::new(
        [&x, &y, &z],
        HashedCrossing::new(1_000_003).on([&x, &y, &z]),
    )?;
    let crossed = model.predict((&a, &b, &c))?;
    assert_eq!(crossed.to_vec::<i64>(), [123355, 747866, 47417, 144591]);

    let letters = ["A", "B", "C", "D", "E"];
    let bins = |layer: Hashing| Ok::<_, cornu::Error>(layer.bins(letters)?.to_vec::<i64>());
    assert_eq!(bins(Hashing::new(3).salt([133, 137]))?, [1, 2, 1, 0, 2]);
    assert_eq!(bins(Hashing::new(3).salt(133))?, [0, 0, 2, 1, 0]);
    assert_eq!(bins(Hashing::new(3))?, [1, 0, 1, 1, 2]);
    assert_eq!(bins(Hashing::new(3).mask_value("B"))?, [1, 0, 2, 2, 1]);
    Ok(())
}

/// What is hashed in a model is in the bins that texts have without one.
#[test]
fn bins_of_texts_are_those_in_a_model() -> cornu::Result<()> {
    let texts: Vec<String> = (0..300)
        .map(|i| "é ".repeat(i / 3) + &i.to_string())
        .collect();
    for layer in [
        Hashing::new(7),
        Hashing::new(1),
        Hashing::new(1 << 40).mask_value("3"),
    ] {
        let mut model = Sequential::new();
        model.add(Input::new([1]).dtype("string"));
        model.add(layer.clone());
        model.build()?;
        let got = model.predict(Texts::new(&texts))?;
        assert_eq!(got.to_vec::<i64>(), layer.bins(&texts)?.to_vec::<i64>());
    }
    Ok(())
}

#[test]
fn hashes_that_cannot_be_are_refused() {
    let build = |texts: bool, layer: Hashing| {
        let dtype = if texts { "string" } else { "int64" };
        let input = Input::new([1]).dtype(dtype).into();
        said(Sequential::from_layers(vec![input, layer.into()]).build())
    };
    let wrong: [(bool, Hashing, &str); 8] = [
        (true, Hashing::new(3).salt(4), "Hashing::bins"),
        (true, Hashing::new(3).mask_value(4), "texts"),
        (false, Hashing::new(3).mask_value("a"), "integers"),
        (false, Hashing::new(0), "num_bins=0"),
        (false, Hashing::new(usize::MAX), "at most"),
        (false, Hashing::new(3).dtype("float32"), "int64"),
        (false, Hashing::new(3).dtype("complex"), "complex"),
        (
            false,
            Hashing::new(3)
                .output_mode(OutputMode::OneHot)
                .dtype("word"),
            "word",
        ),
    ];
    for (texts, layer, word) in wrong {
        let e = build(texts, layer);
        assert!(e.contains("hashing") && e.contains(word), "{e}");
    }
    assert!(said(Hashing::new(3).mask_value(1).bins(["a"])).contains("mask_value=1"));
    assert!(said(Hashing::new(0).bins(["a"])).contains("num_bins=0"));
    let sparse =
        serde_json::json!({"class_name": "Hashing", "config": {"num_bins": 3, "sparse": true}});
    let sparse = cornu::layers::from_config(&sparse).unwrap();
    let e = said(Sequential::from_layers(vec![Input::new([1]).into(), sparse]).build());
    assert!(e.contains("sparse must be false"), "{e}");

    let crossing = |shape: [usize; 2], layer: HashedCrossing| {
        let inputs = shape.map(|n| Input::new([n]).symbol());
        said(Model::new(&inputs[..], layer.on(&inputs[..])))
    };
    let e = crossing([1, 2], HashedCrossing::new(3));
    assert!(e.contains("(None, 1), (None, 2)"), "{e}");
    let e = crossing([2, 2], HashedCrossing::new(3));
    assert!(e.contains("one number or text each"), "{e}");
    let e = crossing(
        [1, 1],
        HashedCrossing::new(3).output_mode(OutputMode::Count),
    );
    assert!(e.contains("Count"), "{e}");
    let one = Input::new([1]).symbol();
    let e = said(Model::new(&one, HashedCrossing::new(3).on(&one)));
    assert!(e.contains("at least 2 inputs"), "{e}");
}
