//! The program as its users call it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of one test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("cornu-cli-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn cornu(folder: &Path, line: &str, input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cornu"))
        .args(line.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that ends early does not read it all.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

#[track_caller]
fn ok(folder: &Folder, line: &str) -> String {
    let output = cornu(&folder.0, line, b"");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{line}: {error}");
    assert!(
        !output.stdout.contains(&0x1b),
        "no colour where there is no terminal"
    );
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn fails(folder: &Folder, line: &str, code: i32, what: &str) {
    let output = cornu(&folder.0, line, b"");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{line}: {error}");
    assert!(error.contains(what), "{line}: {error}");
}

#[test]
fn a_table_from_training_to_answers() {
    let folder = Folder::new("table");
    ok(&folder, "datasets get iris -o iris.csv -q");
    let train = "train --data iris.csv --target target --model mlp:16 --epochs 40 --seed 3 -q --learning-rate 0.02 -o iris.keras --curves curves.svg --log log.csv";
    assert_eq!(ok(&folder, train), "");
    let svg = std::fs::read_to_string(folder.0.join("curves.svg")).unwrap();
    assert!(svg.contains("accuracy") && svg.contains("validation"));
    let log = std::fs::read_to_string(folder.0.join("log.csv")).unwrap();
    assert!(log.starts_with("epoch,accuracy,loss,val_accuracy,val_loss\r\n0,"));
    assert_eq!(log.lines().count(), 41);
    let answers = ok(&folder, "predict iris.keras --input iris.csv");
    let truth = std::fs::read_to_string(folder.0.join("iris.csv")).unwrap();
    let truth: Vec<&str> = truth
        .lines()
        .skip(1)
        .map(|l| l.rsplit(',').next().unwrap())
        .collect();
    let right = answers.lines().zip(&truth).filter(|(a, t)| a == *t).count();
    assert_eq!(answers.lines().count(), 150);
    assert!(right > 140, "{right}");

    let figures = ok(
        &folder,
        "evaluate iris.keras --data iris.csv --json --confusion c.png",
    );
    let figures: serde_json::Value = serde_json::from_str(&figures).unwrap();
    assert!((figures["accuracy"].as_f64().unwrap() - right as f64 / 150.0).abs() < 1e-6);
    let png = std::fs::read(folder.0.join("c.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
    let figures = ok(
        &folder,
        "evaluate iris.keras --data iris.csv --metric sparse_top_k_categorical_accuracy --json",
    );
    assert!(figures.contains("top_k"), "{figures}");

    // Probabilities to NumPy's file, the rows from standard input; and all as JSON.
    let iris = std::fs::read(folder.0.join("iris.csv")).unwrap();
    let line = "predict iris.keras --input - --proba --output p.npy";
    assert!(cornu(&folder.0, line, &iris).status.success());
    let p = cornu::saving::npy::load(folder.0.join("p.npy")).unwrap();
    assert_eq!(p.shape().dims(), [150, 3]);
    let sums: Vec<f32> = p
        .to_vec::<f32>()
        .chunks(3)
        .map(|r| r.iter().sum())
        .collect();
    assert!(sums.iter().all(|s| (s - 1.0).abs() < 1e-5));
    let lines = ok(&folder, "predict iris.keras --input iris.csv --json");
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["class"], "setosa");
    let share = first["probabilities"]["setosa"].as_f64().unwrap();
    assert!((share - f64::from(p.to_vec::<f32>()[0])).abs() < 1e-6);

    // The file without the optimizer's state knows its table too.
    ok(&folder, "convert iris.keras iris.safetensors");
    assert_eq!(
        ok(&folder, "predict iris.safetensors --input iris.csv"),
        answers
    );

    // Training goes on where it was; the same seed gives the same model.
    let again =
        "train --data iris.csv --target target --model iris.keras --epochs 1 -q --seed 5 -o";
    ok(&folder, &format!("{again} a.keras"));
    ok(&folder, &format!("{again} b.keras"));
    assert_eq!(ok(&folder, "diff a.keras b.keras"), "");
    let output = cornu(&folder.0, "diff iris.keras a.keras", b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("dense/kernel"));
    fails(
        &folder,
        "train --data iris.csv --target petal_width --model iris.keras -o c.keras",
        4,
        "predicts \"target\"",
    );
}

#[test]
fn a_training_that_is_resumed_ends_like_one_that_was_not_cut() {
    let folder = Folder::new("resume");
    ok(&folder, "datasets get wine -o wine.csv -q");
    let train = |epochs: usize, how: &str| {
        let line = format!(
            "train --data wine.csv --target target --epochs {epochs} --patience 5 -q {how}"
        );
        ok(&folder, &line);
    };
    train(6, "--seed 1 -o whole.keras --curves whole.svg");
    train(2, "--seed 1 -o first.keras --resume kept");
    train(
        6,
        "-o second.keras --resume kept --curves resumed.svg --seed 8",
    );
    assert_eq!(ok(&folder, "diff whole.keras second.keras"), "");
    let picture = |name: &str| std::fs::read_to_string(folder.0.join(name)).unwrap();
    assert_eq!(picture("whole.svg"), picture("resumed.svg"));
    // The optimizer's state is the same: another epoch from either file gives the same again.
    for name in ["whole", "second"] {
        ok(
            &folder,
            &format!(
                "train --data wine.csv --target target --epochs 1 --model {name}.keras --seed 4 -q -o {name}_2.keras"
            ),
        );
    }
    assert_eq!(ok(&folder, "diff whole_2.keras second_2.keras"), "");
}

#[test]
fn categories_missing_values_and_numbers() {
    let folder = Folder::new("regression");
    let mut csv = String::from("size;town;street;price\n");
    for i in 0..200 {
        let (size, town) = (i % 20, ["a", "b"][i % 2]);
        let street = format!("street {}", i % 40);
        let price = 1000.0 + 50.0 * size as f64 + if town == "b" { 400.0 } else { 0.0 };
        let size = if i % 23 == 0 {
            String::new()
        } else {
            size.to_string()
        };
        csv += &format!("{size};{town};{street};{price}\n");
    }
    folder.file("homes.csv", &csv);
    ok(
        &folder,
        "train --data homes.csv --target price --task regression --epochs 60 --seed 1 -q --learning-rate 0.01 -o m.keras",
    );
    let summary = ok(&folder, "summary m.keras");
    for layer in ["Normalization", "StringLookup", "Embedding", "missing"] {
        assert!(summary.contains(layer), "{summary}");
    }
    folder.file(
        "new.csv",
        "street,town,size\nstreet 2,a,10\nstreet 3,b,10\nnowhere,elsewhere,\n",
    );
    let answers = ok(&folder, "predict m.keras --input new.csv");
    let answers: Vec<f64> = answers.lines().map(|l| l.parse().unwrap()).collect();
    assert!(
        (answers[0] - 1500.0).abs() < 150.0 && (answers[1] - 1900.0).abs() < 150.0,
        "{answers:?}"
    );
    // The same by the model's own inputs, each in a file: texts in a table of their own.
    let number =
        |values: &[f32]| cornu::Array::from_vec([1, values.len()], values.to_vec()).unwrap();
    let mut line = String::from("predict m.keras --json");
    cornu::saving::npy::save(folder.0.join("numbers.npy"), &number(&[10.0])).unwrap();
    line += " --input numbers=numbers.npy";
    for (name, text) in [("town", "a"), ("street", "street 2")] {
        folder.file(&format!("{name}.csv"), &format!("{name}\n{text}\n"));
        line += &format!(" --input {name}={name}.csv");
    }
    let json: serde_json::Value = serde_json::from_str(&ok(&folder, &line)).unwrap();
    let value = json["rescaling"].as_f64().unwrap();
    assert!((value - answers[0]).abs() < 0.01, "{value} {answers:?}");
    // A number that is missing is so in the model itself: of all there are it is the mean, and told.
    cornu::saving::npy::save(folder.0.join("numbers.npy"), &number(&[f32::NAN])).unwrap();
    let json: serde_json::Value = serde_json::from_str(&ok(&folder, &line)).unwrap();
    folder.file("hole.csv", "street,town,size\nstreet 2,a,\n");
    let hole: f64 = ok(&folder, "predict m.keras --input hole.csv")
        .trim()
        .parse()
        .unwrap();
    let value = json["rescaling"].as_f64().unwrap();
    assert!((value - hole).abs() < 0.01, "{json} {hole}");
    // Categories are in the model itself, whatever its file.
    ok(&folder, "convert m.keras m.json");
    let text = std::fs::read_to_string(folder.0.join("m.json")).unwrap();
    assert!(text.contains("\"street 39\""), "{text}");
    ok(&folder, "bench m.keras --seconds 0.01");
    fails(
        &folder,
        "train --data homes.csv --target cost -o m.keras",
        4,
        "Unknown column \"cost\"",
    );
    let second = csv.lines().nth(2).unwrap();
    folder.file("gap.csv", &csv.replacen(second, "1;b;street 1;", 1));
    fails(
        &folder,
        "train --data gap.csv --target price -o m.keras",
        4,
        "The target \"price\" is missing in row 2.",
    );
    folder.file("bad.csv", "town;street;size\na;b;many\n");
    fails(
        &folder,
        "predict m.keras --input bad.csv",
        4,
        "must hold numbers",
    );
    fails(
        &folder,
        "train --data homes.csv --target price -o m.h5",
        2,
        "must end in .keras",
    );
}

#[test]
fn a_model_of_ones_own_takes_the_features_of_a_table() {
    let folder = Folder::new("body");
    ok(&folder, "datasets get iris -o iris.csv -q");
    let json = r#"{"class_name": "Sequential", "config": {"name": "net", "layers": [
        {"class_name": "InputLayer", "config": {"batch_shape": [null, 4], "name": "x"}},
        {"class_name": "Dense", "config": {"units": 8, "activation": "relu", "name": "hidden"}},
        {"class_name": "Dense", "config": {"units": 3, "activation": "softmax", "name": "out"}}]}}"#;
    folder.file("net.json", json);
    folder.file("small.json", &json.replace("[null, 4]", "[null, 3]"));
    let train =
        "train --data iris.csv --target target --epochs 30 --seed 1 --learning-rate 0.02 -q";
    ok(&folder, &format!("{train} --model net.json -o own.keras"));
    let accuracy = ok(&folder, "evaluate own.keras --data iris.csv --json");
    let accuracy: serde_json::Value = serde_json::from_str(&accuracy).unwrap();
    assert!(accuracy["accuracy"].as_f64().unwrap() > 0.9, "{accuracy}");
    fails(
        &folder,
        &format!("{train} --model small.json -o own.keras"),
        4,
        "4",
    );
}

#[test]
fn linear_models_with_their_statistics() {
    let folder = Folder::new("linear");
    ok(&folder, "datasets get diabetes -o d.csv -q");
    let table = ok(
        &folder,
        "train --data d.csv --target target --model linear -q -o ols.keras",
    );
    // statsmodels says the same of these data.
    for part in [
        "OLS Regression Results",
        "R-squared:",
        "0.518",
        "bmi",
        "P>|t|",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let figures = ok(&folder, "evaluate ols.keras --data d.csv --json");
    let figures: serde_json::Value = serde_json::from_str(&figures).unwrap();
    assert!(
        (figures["loss"].as_f64().unwrap() - 2859.7).abs() < 0.5,
        "{figures}"
    );
    let all = ["ridge", "ridge:10", "lasso", "lasso:1"];
    for model in all {
        let line = format!("train --data d.csv --target target --model {model} -q -o m.keras");
        let table = ok(&folder, &format!("{line} --validation-split 0.2"));
        assert!(
            table.contains("const") && table.contains("Of 89 other rows: loss"),
            "{table}"
        );
    }

    // Classes, of columns with categories and gaps.
    let mut csv = String::from("x,town,y\n");
    for i in 0..120 {
        let x = if i % 11 == 5 {
            String::new()
        } else {
            format!("{}", i * 37 % 50)
        };
        let y = if (i * 37 % 50) + 20 * (i % 3) + i * 7 % 30 > 55 {
            "yes"
        } else {
            "no"
        };
        csv += &format!("{x},{},{y}\n", ["a", "b", "c"][i % 3]);
    }
    folder.file("t.csv", &csv);
    let line = "train --data t.csv --target y -q -o m.keras --model";
    let table = ok(&folder, &format!("{line} logistic"));
    for part in [
        "Logit Regression Results",
        "town[b]",
        "town[c]",
        "x missing",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(!table.contains("town[a]"), "{table}");
    let (said, told) = (
        ok(&folder, "predict m.keras -i t.csv"),
        ok(&folder, &format!("{line} logistic:1")),
    );
    assert!(said.starts_with("no\n") || said.starts_with("yes\n"));
    let score = told
        .split("accuracy ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let figures = ok(&folder, "evaluate m.keras --data t.csv");
    assert!(
        figures.contains(&format!("accuracy: {score}")),
        "{told} {figures}"
    );
    ok(&folder, "datasets get iris -o iris.csv -q");
    let table = ok(
        &folder,
        "train --data iris.csv --target target -q -o i.keras --model logistic",
    );
    assert!(
        table.contains("versicolor") && table.contains("petal"),
        "{table}"
    );
    let figures = ok(&folder, "evaluate i.keras --data iris.csv");
    assert!(figures.contains("accuracy: 0.97"), "{figures}");

    fails(&folder, &format!("{line} linear"), 2, "--task regression");
    fails(&folder, &format!("{line} ridge:-1"), 2, "ridge:0.5");
    fails(
        &folder,
        &format!("{line} logistic --epochs 3"),
        2,
        "--epochs is for networks",
    );
}

#[test]
fn arrays_in_an_npz() {
    let folder = Folder::new("arrays");
    let pixels: Vec<u8> = (0..60 * 9)
        .map(|i| if i / 9 % 2 == 0 { 10 } else { 200 })
        .collect();
    let x = cornu::Array::from_vec([60, 3, 3], pixels).unwrap();
    let y = cornu::Array::from((0..60).map(|i| i % 2).collect::<Vec<i32>>());
    let arrays = [
        ("x_train", &x),
        ("y_train", &y),
        ("x_test", &x),
        ("y_test", &y),
    ];
    cornu::saving::npz::save(folder.0.join("data.npz"), arrays).unwrap();
    ok(
        &folder,
        "train --data data.npz --model mlp:4 --epochs 40 --learning-rate 0.05 --seed 1 -q -o m.keras",
    );
    let figures = ok(&folder, "evaluate m.keras --data data.npz");
    assert!(figures.contains("accuracy: 1.0"), "{figures}");
    let told = ok(&folder, "predict m.keras -i data.npz --classes");
    assert_eq!(told, "0\n1\n".repeat(30));
    assert!(ok(&folder, "summary m.keras").contains("Rescaling"));
    assert!(ok(&folder, "bench m.keras --seconds 0.02").contains("samples/s"));
    cornu::saving::npz::save(folder.0.join("other.npz"), [("a", &x)]).unwrap();
    fails(
        &folder,
        "train --data other.npz -o m.keras",
        4,
        "must hold x_train and y_train, or x and y. Received: a.",
    );
}

/// Written by `tests/interop/cli/make_parquet.py`.
#[cfg(feature = "parquet")]
#[test]
fn tables_in_parquet() {
    let folder = Folder::new("parquet");
    let bytes = include_bytes!("../../../tests/interop/cli/homes.parquet");
    std::fs::write(folder.0.join("homes.parquet"), bytes).unwrap();
    ok(
        &folder,
        "train --data homes.parquet --target price --task regression --epochs 60 --seed 1 -q --learning-rate 0.02 -o m.keras",
    );
    let summary = ok(&folder, "summary m.keras");
    // `code` is text of digits: a category; `size`, with gaps, is a number.
    assert!(
        summary.contains("code") && summary.contains("missing"),
        "{summary}"
    );
    assert_eq!(
        ok(&folder, "predict m.keras -i homes.parquet")
            .lines()
            .count(),
        40
    );
    for length in [4, 100, bytes.len() - 1] {
        std::fs::write(folder.0.join("cut.parquet"), &bytes[..length]).unwrap();
        fails(&folder, "predict m.keras -i cut.parquet", 4, "cut.parquet");
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn tables_in_parquet_need_their_feature() {
    let folder = Folder::new("no-parquet");
    folder.file("t.parquet", "PAR1....PAR1");
    let line = "train --data t.parquet --target y -o m.keras";
    fails(&folder, line, 2, "--features parquet");
}

#[test]
fn folders_of_images() {
    let folder = Folder::new("images");
    for (class, level) in [("dark", 30u8), ("light", 220)] {
        std::fs::create_dir(folder.0.join(class)).unwrap();
        for i in 0..12u8 {
            let picture = image::GrayImage::from_pixel(6, 5, image::Luma([level + i]));
            picture
                .save(folder.0.join(class).join(format!("{i}.png")))
                .unwrap();
        }
    }
    ok(
        &folder,
        "train --data . --image-size 4x4x1 --model mlp:8 --epochs 60 --learning-rate 0.01 --seed 1 -q -o m.keras",
    );
    let told = ok(&folder, "predict m.keras --input light");
    assert!(told.starts_with("light/0.png,light\n"), "{told}");
    assert_eq!(told.matches(",light\n").count(), 12);
    let told = ok(&folder, "predict m.keras --input light --json");
    assert!(told.contains(r#""file":"light/0.png""#), "{told}");
    let told = ok(&folder, "predict m.keras --input light --proba");
    assert!(told.starts_with("light/0.png,0."), "{told}");
    assert!(ok(&folder, "evaluate m.keras --data .").contains("accuracy: 1.0"));
    // A model knows its classes by name, whichever folders there are.
    std::fs::create_dir(folder.0.join("some")).unwrap();
    std::fs::rename(folder.0.join("light"), folder.0.join("some/light")).unwrap();
    assert!(ok(&folder, "evaluate m.keras --data some").contains("accuracy: 1.0"));
    std::fs::rename(folder.0.join("some/light"), folder.0.join("some/lite")).unwrap();
    fails(
        &folder,
        "evaluate m.keras --data some",
        4,
        "Unknown class \"lite\"",
    );
    fails(
        &folder,
        "train --data dark -o m.keras",
        4,
        "at least two classes",
    );
}

const JSON: &str = r#"{"class_name": "Sequential", "config": {"name": "net", "layers": [
    {"class_name": "InputLayer", "config": {"batch_shape": [null, 3], "name": "x"}},
    {"class_name": "Dense", "config": {"units": 2, "name": "out"}}]}}"#;

#[test]
fn models_weights_and_their_formats() {
    let folder = Folder::new("convert");
    folder.file("net.json", JSON);
    folder.file("x.csv", "1,2,3\n4,5,6\n");
    let (kernel, bias) = ([[1f32, 0.], [0., 1.], [1., 1.]], [0f32, 10.]);
    let arrays = [
        ("net/out/kernel", cornu::Array::from(kernel)),
        ("net/out/bias", cornu::Array::from(bias)),
    ];
    let arrays = arrays.iter().map(|(n, a)| (*n, a));
    cornu::saving::npz::save(folder.0.join("w.npz"), arrays).unwrap();
    ok(&folder, "convert net.json net.safetensors --weights w.npz");
    ok(&folder, "convert net.safetensors back.json");
    ok(&folder, "convert net.safetensors back.npz");
    ok(&folder, "convert back.npz weights.safetensors");
    ok(
        &folder,
        "convert back.json same.safetensors --weights weights.safetensors",
    );
    assert_eq!(ok(&folder, "diff net.safetensors same.safetensors"), "");
    ok(&folder, "convert same.safetensors net.keras");
    ok(&folder, "convert net.keras net.weights.h5");
    ok(&folder, "convert net.keras net.onnx");
    let onnx = std::fs::read(folder.0.join("net.onnx")).unwrap();
    assert!(onnx.windows(6).any(|w| w == b"MatMul"));
    ok(
        &folder,
        "convert back.json third.safetensors --weights net.weights.h5",
    );
    assert_eq!(ok(&folder, "diff net.keras third.safetensors"), "");
    assert_eq!(ok(&folder, "predict net.keras -i x.csv"), "4,15\n10,21\n");
    assert!(ok(&folder, "summary net.keras").contains("(None, 2)"));
    fails(&folder, "summary net.weights.h5", 4, "holds weights only");
    ok(
        &folder,
        "plot net.keras -o net.svg --show-shapes --rankdir LR -q",
    );
    let svg = std::fs::read_to_string(folder.0.join("net.svg")).unwrap();
    assert!(
        svg.starts_with("<svg") && svg.contains("(None, 2)"),
        "{svg}"
    );
    ok(&folder, "plot net.keras -o net.dot");
    let dot = std::fs::read_to_string(folder.0.join("net.dot")).unwrap();
    assert!(dot.starts_with("digraph") && dot.contains("out"), "{dot}");
    ok(&folder, "plot net.keras -o net.png --expand-nested");
    let png = std::fs::read(folder.0.join("net.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 1000);
    fails(&folder, "plot net.keras -o net.jpg", 2, ".svg, .png, .dot");
    assert_eq!(
        ok(&folder, "predict same.safetensors -i x.csv"),
        "4,15\n10,21\n"
    );
    assert_eq!(
        ok(
            &folder,
            "predict same.safetensors -i x=x.csv --classes --threads 1"
        ),
        "1\n1\n"
    );
    folder.file("y.csv", "4,15\n10,22\n");
    let figures = ok(
        &folder,
        "evaluate net.safetensors --x x.csv --y y.csv --loss mse --metric mae",
    );
    assert_eq!(figures, "loss: 0.250000\nmae: 0.250000\n");
    assert!(ok(&folder, "bench net.safetensors --seconds 0.05 --json").contains("latency_us"));

    fails(
        &folder,
        "predict weights.safetensors -i x.csv",
        4,
        "weights only",
    );
    fails(
        &folder,
        "predict net.safetensors -i none.csv",
        3,
        "none.csv",
    );
    fails(
        &folder,
        "predict net.safetensors -i y.csv",
        4,
        "expected shape (None, 3)",
    );
    fails(
        &folder,
        "evaluate net.safetensors --x x.csv --y y.csv",
        2,
        "--loss",
    );
    fails(&folder, "convert net.json n.safetensors", 2, "--weights");
    fails(&folder, "summary net.txt", 2, ".json");
    fails(&folder, "summary net.onnx", 2, "for other programs to run");
    fails(
        &folder,
        "convert net.keras net.h5",
        2,
        "A model goes to .keras",
    );
    fails(
        &folder,
        "convert net.weights.h5 net.onnx",
        4,
        "--weights net.weights.h5",
    );
    folder.file("cut.keras", "PK");
    fails(&folder, "summary cut.keras", 4, "cut.keras: ");
    fails(&folder, "sumary net.json", 2, "summary");
    folder.file("broken.safetensors", "\x10\0\0\0\0\0\0\0{\"a\": 1}");
    fails(
        &folder,
        "summary broken.safetensors",
        4,
        "not a .safetensors file",
    );
}

#[test]
fn every_format_becomes_every_other() {
    let folder = Folder::new("formats");
    let sequential = cornu::saving::model_from_json(JSON).unwrap();
    sequential.save(folder.0.join("m.keras")).unwrap();
    folder.file("x.csv", "1,2,3\n-4,5,6\n");
    let told = ok(&folder, "predict m.keras -i x.csv");
    ok(&folder, "convert m.keras m.json");
    ok(&folder, "convert m.keras m.safetensors");
    for weights in ["w.weights.h5", "w.weights.json", "w.npz", "w.safetensors"] {
        ok(
            &folder,
            &format!("convert m.keras {weights} --shard-size 0.001"),
        );
    }
    let from = [
        "m.keras",
        "m.safetensors",
        "m.json --weights w.weights.h5",
        "m.json --weights w.weights.json",
        "m.json --weights w.npz",
        "m.json --weights w.safetensors",
        "m.json --weights m.keras",
    ];
    for (i, from) in from.iter().enumerate() {
        let at = format!("{i}");
        for to in ["keras", "safetensors", "json", "onnx"] {
            ok(&folder, &format!("convert {from} {at}.{to}"));
        }
        for to in ["weights.h5", "weights.json", "npz"] {
            ok(&folder, &format!("convert {from} {at}.{to}"));
            let line = format!("predict m.json --weights {at}.{to} -i x.csv");
            assert_eq!(ok(&folder, &line), told, "{from} to {to}");
        }
        for to in ["keras", "safetensors"] {
            let line = format!("predict {at}.{to} -i x.csv");
            assert_eq!(ok(&folder, &line), told, "{from} to {to}");
        }
        let read = |name: &str| std::fs::read(folder.0.join(name)).unwrap();
        assert_eq!(
            read(&format!("{at}.json")),
            read("m.json"),
            "{from} to json"
        );
        assert_eq!(
            read(&format!("{at}.onnx")),
            read("0.onnx"),
            "{from} to onnx"
        );
    }
    // The members of the archive as files in a folder, as Keras' `zipped=False` leaves them.
    std::fs::create_dir(folder.0.join("open")).unwrap();
    let archive = std::fs::File::open(folder.0.join("m.keras")).unwrap();
    let mut archive = zip::ZipArchive::new(archive).unwrap();
    archive.extract(folder.0.join("open")).unwrap();
    assert_eq!(ok(&folder, "predict open -i x.csv"), told);
}

#[test]
fn what_needs_no_model() {
    let folder = Folder::new("plain");
    assert!(ok(&folder, "datasets list").contains("mnist "));
    assert!(ok(&folder, "devices --threads 1").ends_with("threads: 1\n"));
    assert!(ok(&folder, "completions bash").contains("_cornu()"));
    assert!(ok(&folder, "man").contains(".TH"));
    assert!(ok(&folder, "--help").contains("Exit codes: 0 done"));
    assert!(ok(&folder, "predict --help").contains("cat new.csv | cornu predict"));
    fails(&folder, "datasets get mnst -o x.npz", 4, "mnist");
    fails(&folder, "datasets get iris -o x.npz", 2, ".csv");
    fails(&folder, "devices --threads 0", 2, "0 is not in 1..");
}
