//! Losses that are not numbers, and Ctrl-C: what training says and does.

use cornu::activations::Activation;
use cornu::prelude::*;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

const CASE: &str = "CORNU_TEST_NAN";

/// Two layers that learn a line, at a rate that is given.
fn model(rate: f64) -> cornu::Result<Sequential> {
    set_random_seed(1);
    let mut model = Sequential::new();
    model.add(Dense::new(4).input_shape([2]));
    model.add(Dense::new(1));
    model.compile(SGD::new().learning_rate(rate), "mse", ())?;
    Ok(model)
}

fn data() -> (Vec<f32>, Vec<f32>) {
    let x: Vec<f32> = (0..80).map(|i| (i % 9) as f32 - 4.0).collect();
    let y = x.chunks(2).map(|r| r[0] - r[1]).collect();
    (x, y)
}

fn fit(rate: f64, x: Vec<f32>, y: Vec<f32>, options: Fit<'_>) -> cornu::Result<()> {
    let mut model = model(rate)?;
    let x = Array::from_vec([y.len(), 2], x)?;
    let y = Array::from_vec([y.len()], y)?;
    let options = options.epochs(3).batch_size(10).shuffle(false).verbose(0);
    let history = model.fit(&x, &y, options)?;
    println!(
        "\nepochs {} loss {:?}",
        history.epoch.len(),
        &history["loss"]
    );
    Ok(())
}

fn cases(case: &str) -> cornu::Result<()> {
    let (mut x, mut y) = data();
    match case {
        "diverges" => fit(1e20, x, y, Fit::new()),
        "stops" => fit(1e20, x, y, Fit::new().callback(TerminateOnNaN::new())),
        "raises" => {
            let stop = TerminateOnNaN::new().raise_error(true);
            let e = fit(1e20, x, y, Fit::new().callback(stop)).unwrap_err();
            println!("\nerror {e}");
            Ok(())
        }
        "x" => {
            x[2 * 25 + 1] = f32::NAN;
            fit(0.01, x, y, Fit::new())
        }
        "y" => {
            y[37] = f32::NAN;
            fit(0.01, x, y, Fit::new())
        }
        "layer" => {
            // No gradient reaches the weights: they stay as they are.
            let log = Activation::custom("log", |x| (-x.square()).log().stop_gradient());
            let mut model = Sequential::new();
            model.add(Dense::new(1).input_shape([2]));
            model.add(cornu::layers::Activation::new(log).name("logarithm"));
            model.compile("sgd", "mse", ())?;
            let x = Array::from_vec([40, 2], x)?;
            let options = Fit::new().epochs(2).batch_size(10).verbose(0);
            model.fit(&x, &y, options).map(|_| ())
        }
        "finite" => fit(0.01, x, y, Fit::new()),
        "interrupted" => {
            let mut model = model(0.01)?;
            let x = Array::from_vec([40, 2], x)?;
            let mut batches = 0usize;
            let tell = LambdaCallback::new().on_train_batch_end(|_, _, _| {
                batches += 1;
                if batches == 3 {
                    println!("\nready");
                }
                std::thread::sleep(std::time::Duration::from_millis(5));
                Ok(())
            });
            let options = Fit::new()
                .epochs(5000)
                .batch_size(10)
                .verbose(0)
                .callback(tell);
            let history = model.fit(&x, &y, options)?;
            assert!(history.epoch.len() < 5000);
            assert!(history["loss"].iter().all(|l| l.is_finite()));
            // The model goes on, and so does the process.
            let again = model.fit(&x, &y, Fit::new().epochs(2).verbose(0))?;
            assert_eq!(again.epoch.len(), 2);
            assert!(
                model
                    .predict(&x)?
                    .to_vec::<f32>()
                    .iter()
                    .all(|v| v.is_finite())
            );
            println!("\nusable after {} epochs", history.epoch.len());
            Ok(())
        }
        other => panic!("{other}"),
    }
}

/// What a child process does.
#[test]
fn child() {
    if let Ok(case) = std::env::var(CASE) {
        cases(&case).unwrap();
    }
}

fn command(case: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child", "--nocapture"])
        .env(CASE, case)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What a case printed, and its warnings.
fn run(case: &str) -> (String, Vec<String>) {
    let output = command(case).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{case}: {out}{err}");
    let warnings = err
        .lines()
        .filter(|l| l.starts_with("Warning"))
        .map(str::to_string);
    (out, warnings.collect())
}

fn epochs(out: &str) -> usize {
    let line = out.lines().find_map(|l| l.strip_prefix("epochs "));
    line.and_then(|l| l.split(' ').next())
        .and_then(|n| n.parse().ok())
        .unwrap_or_else(|| panic!("{out}"))
}

#[test]
fn training_goes_on_with_one_warning() {
    let (out, warnings) = run("diverges");
    assert_eq!(epochs(&out), 3);
    let warning = "Warning: the loss is not finite from epoch 1, batch 2 on: the weight \
                   \"dense/kernel\" (and 3 after it) holds NaN or infinite values; a smaller \
                   learning_rate or a clipnorm may help.";
    assert_eq!(warnings, [warning]);
}

#[test]
fn terminate_on_nan_stops() {
    let (out, warnings) = run("stops");
    assert_eq!(epochs(&out), 1);
    assert!(out.contains("Invalid loss, terminating training"), "{out}");
    assert_eq!(warnings.len(), 1);
    let (out, _) = run("raises");
    assert!(
        out.contains("error NaN or Inf loss encountered at batch"),
        "{out}"
    );
}

#[test]
fn warnings_say_where_it_begins() {
    for (case, warning) in [
        (
            "x",
            "batch 3 on: x itself holds NaN or infinite values, in sample 25",
        ),
        (
            "y",
            "batch 4 on: y itself holds NaN or infinite values, in sample 37",
        ),
        (
            "layer",
            "batch 1 on: the output of layer \"logarithm\" holds NaN or infinite values",
        ),
    ] {
        let (_, warnings) = run(case);
        let warning = format!("Warning: the loss is not finite from epoch 1, {warning}.");
        assert_eq!(warnings, [warning], "{case}");
    }
    let (out, warnings) = run("finite");
    assert_eq!(epochs(&out), 3);
    assert!(warnings.is_empty());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_training_and_not_the_process() {
    let mut child = command("interrupted").spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("ready") {
        line.clear();
        assert!(
            out.read_line(&mut line).unwrap() > 0,
            "the training never began"
        );
    }
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success(), "{rest}");
    assert!(rest.contains("usable after "), "{rest}");
}
