//! `cornu evaluate`.

use super::predict::{classes_of, image_size, samples};
use crate::args::Evaluate;
use crate::chart;
use crate::data::{Content, images, read, write_file};
use crate::exit::Failure;
use crate::model_file::{ModelFile, Training};
use cornu::{Array, Verbose};
use std::io::Write;
use std::path::Path;

pub fn run(args: &Evaluate, quiet: bool) -> Result<(), Failure> {
    let mut file = ModelFile::open(&args.model.model, args.model.weights.as_deref())?;
    let (x, y) = data(args, &file)?;
    let mut training = file.training.clone();
    if let Some(loss) = &args.loss {
        training = Some(Training {
            optimizer: "sgd".to_string(),
            learning_rate: None,
            loss: loss.clone(),
            metrics: Vec::new(),
        });
    }
    match training {
        Some(mut training) => {
            if !args.metrics.is_empty() {
                training.metrics.clone_from(&args.metrics);
            }
            training.compile(&mut file.model)?;
        }
        // A .keras file says itself how the model was compiled.
        None if file.model.is_compiled() && args.metrics.is_empty() => {}
        None => {
            return Err(Failure::usage(
                "The model's file does not say by which loss it is measured: give --loss.",
            ));
        }
    }
    let options = cornu::models::Evaluate::new()
        .batch_size(args.batch_size)
        .verbose(Verbose::Silent);
    let figures = file.model.evaluate_with(&x, &y, options)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let object: serde_json::Map<_, _> = figures
            .iter()
            .map(|(n, v)| (n.to_string(), v.into()))
            .collect();
        writeln!(out, "{}", serde_json::Value::Object(object))?;
    } else {
        for (name, value) in figures.iter() {
            writeln!(out, "{name}: {value:.6}")?;
        }
    }
    if let Some(path) = &args.confusion {
        let outputs = file.model.predict(&x)?;
        let counts = confusion(&classes_of(&y_classes(&y, &outputs)), &classes_of(&outputs));
        let number = |i: usize| i.to_string();
        let names: Vec<String> = match file.class_names() {
            Some(names) if names.len() >= counts.len() => names.to_vec(),
            _ => (0..counts.len()).map(number).collect(),
        };
        write_file(path, chart::confusion(&counts, &names).as_bytes())?;
        if !quiet {
            eprintln!("The confusion matrix is in {}.", path.display());
        }
    }
    Ok(())
}

/// The targets in a form of which [`classes_of`] tells the class: one-hot.
fn y_classes(y: &Array, outputs: &Array) -> Array {
    if y.shape() == outputs.shape() {
        return y.clone();
    }
    let labels = y.to_vec::<i64>();
    let classes = labels
        .iter()
        .max()
        .map_or(2, |m| (*m).clamp(1, 1 << 12) as usize + 1)
        .max(2);
    let mut one_hot = vec![0f32; labels.len() * classes];
    for (row, label) in labels.iter().enumerate() {
        if let Some(place) = usize::try_from(*label).ok().filter(|l| *l < classes) {
            one_hot[row * classes + place] = 1.0;
        }
    }
    Array::from_vec([labels.len(), classes], one_hot).unwrap_or_else(|_| y.clone())
}

fn confusion(truth: &[i32], told: &[i32]) -> Vec<Vec<usize>> {
    let n = truth
        .iter()
        .chain(told)
        .max()
        .map_or(2, |m| *m as usize + 1)
        .max(2);
    let mut counts = vec![vec![0; n]; n];
    for (t, p) in truth.iter().zip(told) {
        counts[*t as usize][*p as usize] += 1;
    }
    counts
}

fn data(args: &Evaluate, file: &ModelFile) -> Result<(Array, Array), Failure> {
    match (&args.data, &args.x, &args.y) {
        (Some(path), ..) if Path::new(path).is_dir() => {
            let images = images(Path::new(path), image_size(file)?)?;
            Ok((images.pixels, Array::from(images.labels)))
        }
        (Some(path), ..) => match (read(path)?, &file.table) {
            (Content::Table(table), Some(schema)) => {
                Ok((schema.features(&table)?, schema.targets(&table)?))
            }
            _ => Err(Failure::usage(
                "--data takes a table for a model that was trained on one: give --x and --y.",
            )),
        },
        (None, Some(x), Some(y)) => {
            let mut x = samples(file, std::slice::from_ref(x))?;
            match (x.pop(), x.len()) {
                (Some((_, x)), 0) => Ok((x, read(y)?.into_array(y)?)),
                _ => Err(Failure::usage("--x must hold one array.")),
            }
        }
        _ => Err(Failure::usage("Give --x and --y, or --data.")),
    }
}
