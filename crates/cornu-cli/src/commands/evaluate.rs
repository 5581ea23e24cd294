//! `cornu evaluate`.

use super::draw;
use super::predict::{Samples, as_inputs, classes_of, image_size, samples};
use super::training_data::x_and_y;
use crate::args::Evaluate;
use crate::data::{Content, images, read};
use crate::exit::Failure;
use crate::model_file::ModelFile;
use cornu::data::IntoData;
use cornu::losses::Loss;
use cornu::{Array, Verbose};
use ndarray::Array2;
use std::io::Write;
use std::path::Path;

/// More classes would be no picture.
const MOST_CLASSES: usize = 1000;

pub fn run(args: &Evaluate, quiet: bool) -> Result<(), Failure> {
    let mut file = ModelFile::open(&args.model.model, args.model.weights.as_deref())?;
    let (x, y) = data(args, &file)?;
    // A file says itself how the model was compiled.
    if !file.model.is_compiled() && args.loss.is_none() {
        return Err(Failure::usage(
            "The model's file does not say by which loss it is measured: give --loss.",
        ));
    }
    if args.loss.is_some() || !args.metrics.is_empty() {
        let loss = match &args.loss {
            Some(loss) => loss.as_str().into(),
            None => compiled_loss(&file)?,
        };
        file.model.compile("sgd", loss, args.metrics.clone())?;
    }
    let options = cornu::models::Evaluate::new()
        .batch_size(args.batch_size)
        .verbose(Verbose::Silent);
    let targets = as_inputs(&y);
    let figures = file.model.evaluate_with(as_inputs(&x), targets, options)?;
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
        let outputs = file.model.predict_all(as_inputs(&x))?;
        let ([output], [(_, y)]) = (&outputs[..], &y[..]) else {
            return Err(Failure::usage("Classes are told of models of one output."));
        };
        let counts = confusion(&truth(&y.to_array(), output), &classes_of(output))?;
        let names: Vec<String> = match file.class_names() {
            Some(names) if names.len() >= counts.nrows() => names[..counts.nrows()].to_vec(),
            _ => (0..counts.nrows()).map(|i| i.to_string()).collect(),
        };
        let panel = cornu_plot::confusion_matrix(counts.view(), &names)?;
        draw(&panel.figure()?, path)?;
        if !quiet {
            eprintln!("The confusion matrix is in {}.", path.display());
        }
    }
    Ok(())
}

/// The loss that the model was compiled with.
fn compiled_loss(file: &ModelFile) -> Result<Loss, Failure> {
    let object: serde_json::Value = serde_json::from_str(&file.model.to_json())
        .map_err(|e| Failure::data(format!("The model's configuration: {e}.")))?;
    Ok(Loss::from_config(&object["compile_config"]["loss"])?)
}

/// The classes that targets name: by number, or as vectors like the model's outputs.
fn truth(y: &Array, output: &Array) -> Vec<i32> {
    match y.shape() == output.shape() && y.shape().last() > Some(&1) {
        true => classes_of(y),
        false => y.to_vec(),
    }
}

/// How often a class (row) was taken for a class (column).
fn confusion(truth: &[i32], told: &[i32]) -> Result<Array2<usize>, Failure> {
    let highest = truth.iter().chain(told).max().copied().unwrap_or(0);
    let lowest = truth.iter().chain(told).min().copied().unwrap_or(0);
    if lowest < 0 || highest as usize >= MOST_CLASSES {
        return Err(Failure::data(format!(
            "A confusion matrix is of classes from 0 to {}. Received: {lowest} to {highest}.",
            MOST_CLASSES - 1
        )));
    }
    let n = (highest as usize + 1).max(2);
    let mut counts = Array2::zeros((n, n));
    for (t, p) in truth.iter().zip(told) {
        counts[[*t as usize, *p as usize]] += 1;
    }
    Ok(counts)
}

fn data(args: &Evaluate, file: &ModelFile) -> Result<(Samples, Samples), Failure> {
    let one = |array: Array| vec![(None, array.into_data())];
    match (&args.data, &args.x, &args.y) {
        (Some(path), ..) if Path::new(path).is_dir() => {
            let images = images(Path::new(path), image_size(file)?)?;
            let labels = labels(file, &images.classes, &images.labels)?;
            Ok((one(images.pixels), one(labels)))
        }
        (Some(path), ..) => match (read(path)?, &file.about.table) {
            (Content::Table(table), Some(schema)) => {
                let x = schema.inputs(&table)?.into_iter();
                let x = x.map(|(name, array)| (Some(name), array)).collect();
                Ok((x, one(schema.targets(&table)?)))
            }
            (Content::Arrays(arrays), _) => {
                let (x, y) = x_and_y(path, arrays, ["_test", ""])?;
                Ok((one(x), one(y)))
            }
            _ => Err(Failure::usage(
                "--data takes a table for a model that was trained on one: give --x and --y.",
            )),
        },
        (None, Some(x), Some(y)) => {
            let x = samples(file, std::slice::from_ref(x))?;
            match read(y)? {
                Content::Arrays(arrays) if arrays.len() > 1 => {
                    let named = arrays
                        .into_iter()
                        .map(|(name, a)| (Some(name), a.into_data()));
                    Ok((x, named.collect()))
                }
                content => Ok((x, one(content.into_array(y)?))),
            }
        }
        _ => Err(Failure::usage("Give --x and --y, or --data.")),
    }
}

/// The classes of images by the numbers that the model knows them under, whichever folders there are.
fn labels(file: &ModelFile, folders: &[String], labels: &[i32]) -> Result<Array, Failure> {
    let Some(known) = file.class_names() else {
        return Ok(Array::from(labels.to_vec()));
    };
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let place = |folder: &String| match names.iter().position(|n| n == folder) {
        Some(i) => Ok(i as i32),
        None => Err(cornu::Error::unknown("class", folder, &names)),
    };
    let places = folders.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let of = |label: &i32| places[*label as usize];
    Ok(Array::from(labels.iter().map(of).collect::<Vec<i32>>()))
}
