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
    let train = "train --data iris.csv --target target --model mlp:16 --epochs 40 --seed 3 -q --learning-rate 0.02 -o iris.safetensors --curves curves.svg";
    assert_eq!(ok(&folder, train), "");
    let svg = std::fs::read_to_string(folder.0.join("curves.svg")).unwrap();
    assert!(svg.contains("val_accuracy") && svg.ends_with("</svg>\n"));
    let answers = ok(&folder, "predict iris.safetensors --input iris.csv");
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
        "evaluate iris.safetensors --data iris.csv --json --confusion c.svg",
    );
    let figures: serde_json::Value = serde_json::from_str(&figures).unwrap();
    assert!((figures["accuracy"].as_f64().unwrap() - right as f64 / 150.0).abs() < 1e-6);
    assert!(
        std::fs::read_to_string(folder.0.join("c.svg"))
            .unwrap()
            .contains("predicted")
    );

    // Probabilities to NumPy's file, the rows from standard input.
    let iris = std::fs::read(folder.0.join("iris.csv")).unwrap();
    let line = "predict iris.safetensors --input - --proba --output p.npy";
    assert!(cornu(&folder.0, line, &iris).status.success());
    let p = cornu::saving::npy::load(folder.0.join("p.npy")).unwrap();
    assert_eq!(p.shape().dims(), [150, 3]);
    let sums: Vec<f32> = p
        .to_vec::<f32>()
        .chunks(3)
        .map(|r| r.iter().sum())
        .collect();
    assert!(sums.iter().all(|s| (s - 1.0).abs() < 1e-5));

    // Training goes on where it was; the same seed gives the same model.
    let again =
        "train --data iris.csv --target target --model iris.safetensors --epochs 1 -q --seed 5 -o";
    ok(&folder, &format!("{again} a.safetensors"));
    ok(&folder, &format!("{again} b.safetensors"));
    assert_eq!(ok(&folder, "diff a.safetensors b.safetensors"), "");
    let output = cornu(&folder.0, "diff iris.safetensors a.safetensors", b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("sequential/dense/kernel"));
}

#[test]
fn categories_missing_values_and_numbers() {
    let folder = Folder::new("regression");
    let mut csv = String::from("size;town;price\n");
    for i in 0..200 {
        let (size, town) = (i % 20, ["a", "b"][i % 2]);
        let price = 1000.0 + 50.0 * size as f64 + if town == "b" { 400.0 } else { 0.0 };
        let size = if i % 23 == 0 {
            String::new()
        } else {
            size.to_string()
        };
        csv += &format!("{size};{town};{price}\n");
    }
    folder.file("homes.csv", &csv);
    ok(
        &folder,
        "train --data homes.csv --target price --task regression --epochs 60 --seed 1 -q --learning-rate 0.01 -o m.safetensors",
    );
    folder.file("new.csv", "town;size\na;10\nb;10\nelsewhere;10\n");
    let answers = ok(&folder, "predict m.safetensors --input new.csv");
    let answers: Vec<f64> = answers.lines().map(|l| l.parse().unwrap()).collect();
    assert!(
        (answers[0] - 1500.0).abs() < 150.0 && (answers[1] - 1900.0).abs() < 150.0,
        "{answers:?}"
    );
    fails(
        &folder,
        "train --data homes.csv --target cost -o m.safetensors",
        4,
        "Unknown column \"cost\"",
    );
    folder.file("bad.csv", "town;size\na;many\n");
    fails(
        &folder,
        "predict m.safetensors --input bad.csv",
        4,
        "must hold numbers",
    );
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
        "train --data . --image-size 4x4x1 --model mlp:8 --epochs 60 --learning-rate 0.01 --seed 1 -q -o m.safetensors",
    );
    assert_eq!(
        ok(&folder, "predict m.safetensors --input light"),
        "light\n".repeat(12)
    );
    assert!(ok(&folder, "evaluate m.safetensors --data .").contains("accuracy: 1.0"));
    fails(
        &folder,
        "train --data dark -o m.safetensors",
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
    ok(
        &folder,
        "convert back.json third.safetensors --weights net.weights.h5",
    );
    assert_eq!(ok(&folder, "diff net.keras third.safetensors"), "");
    assert_eq!(ok(&folder, "predict net.keras -i x.csv"), "4,15\n10,21\n");
    assert!(ok(&folder, "summary net.keras").contains("(None, 2)"));
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
    fails(&folder, "summary net.txt", 4, ".json");
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
fn what_needs_no_model() {
    let folder = Folder::new("plain");
    assert!(ok(&folder, "datasets list").contains("mnist "));
    assert!(ok(&folder, "devices --threads 1").ends_with("threads: 1\n"));
    assert!(ok(&folder, "completions bash").contains("_cornu()"));
    assert!(ok(&folder, "man").contains(".TH"));
    assert!(ok(&folder, "--help").contains("Exit codes: 0 done"));
    fails(&folder, "datasets get mnst -o x.npz", 4, "mnist");
    fails(&folder, "datasets get iris -o x.npz", 2, ".csv");
    fails(&folder, "devices --threads 0", 4, "at least 1 thread");
}
