//! Times fits on data that `benchmarks/peers/linear.py` has written into a folder; it runs this program and
//! scikit-learn in turn.
//!
//! `cargo run --release -p cornu-linear --example linear_bench -- FOLDER ROUNDS`

use cornu_linear::*;
use ndarray::Array2;
use std::time::Instant;

fn read<const N: usize, T>(path: &str, number: fn([u8; N]) -> T) -> Vec<T> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let numbers = bytes.chunks_exact(N);
    numbers
        .map(|b| number(b.try_into().expect("N bytes")))
        .collect()
}

/// Prints the least time of some rounds, with what the fit says of itself.
fn time(name: &str, rounds: usize, fit: impl Fn() -> Result<String>) -> Result<()> {
    let mut least = f64::INFINITY;
    let mut said = String::new();
    for _ in 0..rounds {
        let start = Instant::now();
        said = fit()?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    println!("{name}\t{least:.5}\t{said}");
    Ok(())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, rounds] = &arguments[..] else {
        return Err(Error::new("Usage: linear_bench FOLDER ROUNDS"));
    };
    let rounds: usize = rounds
        .parse()
        .map_err(|_| Error::new("ROUNDS is a number"))?;
    let rows = |x: &Vec<f64>| (x.len() / 20, 20);
    let x = read(&format!("{folder}/x.f64"), f64::from_le_bytes);
    let x = Array2::from_shape_vec(rows(&x), x)?;
    let y = read(&format!("{folder}/y.f64"), f64::from_le_bytes);
    let labels = read(&format!("{folder}/labels.f64"), f64::from_le_bytes);
    if !y.is_empty() {
        let r2 = |model: LinearModel| Ok(format!("first {:.9}", model.coef()[[0, 0]]));
        time("LinearRegression", rounds, || {
            r2(LinearRegression::new().fit(&x, &y)?)
        })?;
        time("Ridge", rounds, || r2(Ridge::new().fit(&x, &y)?))?;
        time("Lasso", rounds, || {
            r2(Lasso::new().alpha(0.01).fit(&x, &y)?)
        })?;
        time("ElasticNet", rounds, || {
            r2(ElasticNet::new().alpha(0.01).fit(&x, &y)?)
        })?;
        for solver in [LogisticSolver::Lbfgs, LogisticSolver::NewtonCholesky] {
            time(&format!("Logistic {solver:?}"), rounds, || {
                let model = LogisticRegression::new().solver(solver).fit(&x, &labels)?;
                Ok(format!(
                    "first {:.9} in {}",
                    model.coef()[[0, 0]],
                    model.iterations()
                ))
            })?;
        }
    }
    let images = read(&format!("{folder}/images.f32"), f32::from_le_bytes);
    let classes = read(&format!("{folder}/classes.f64"), f64::from_le_bytes);
    if !images.is_empty() {
        let images = Array2::from_shape_vec((images.len() / 784, 784), images)?;
        let train = images.nrows() * 6 / 7;
        let (x, test) = images.view().split_at(ndarray::Axis(0), train);
        time("Logistic MNIST", rounds.min(2), || {
            let model = LogisticRegression::new()
                .tol(0.0)
                .fit(x, &classes[..train])?;
            let score = model.score(test, &classes[train..])?;
            Ok(format!("accuracy {score:.4} in {}", model.iterations()))
        })?;
    }
    Ok(())
}
