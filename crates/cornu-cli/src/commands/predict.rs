//! `cornu predict`.

use crate::args::Predict;
use crate::data::{Content, csv, images, read, write_answers, write_text};
use crate::exit::Failure;
use crate::model_file::ModelFile;
use cornu::data::{Data, IntoData};
use cornu::{Array, Inputs};
use serde_json::{Map, Value};
use std::path::Path;

pub fn run(args: &Predict) -> Result<(), Failure> {
    let file = ModelFile::open_to_ask(&args.model.model, args.model.weights.as_deref())?;
    let (inputs, files) = named_samples(&file, &args.input)?;
    let mut options = cornu::models::Predict::new();
    if let Some(n) = args.batch_size {
        options = options.batch_size(n);
    }
    let outputs = file.model.predict_all_with(as_inputs(&inputs), options)?;
    let outputs: Vec<(String, Array)> = file.outputs()?.into_iter().zip(outputs).collect();
    let names = file.class_names();
    if args.json {
        let shown = names.filter(|_| !args.proba);
        return write_text(
            &args.output,
            &json_lines(&outputs, shown, args.classes, &files)?,
        );
    }
    let binary = args.output.ends_with(".npy") || args.output.ends_with(".npz");
    if !args.classes && (names.is_none() || args.proba) {
        return match files.is_empty() || binary {
            true => write_answers(&args.output, &outputs),
            false => {
                let text = csv(only(&outputs)?);
                write_text(&args.output, &beside(&files, text.lines()))
            }
        };
    }
    let classes = classes_of(only(&outputs)?);
    if binary {
        let classes = [("class".to_string(), Array::from(classes))];
        return write_answers(&args.output, &classes);
    }
    let name = |c: &i32| match names {
        Some(names) => quoted(class_name(names, *c)),
        None => c.to_string(),
    };
    let lines: Vec<String> = classes.iter().map(name).collect();
    write_text(
        &args.output,
        &beside(&files, lines.iter().map(String::as_str)),
    )
}

/// Lines, after the names of the files that they are about, if there are such.
fn beside<'a>(files: &[String], lines: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for (i, line) in lines.enumerate() {
        if let Some(file) = files.get(i) {
            text += &(quoted(file) + ",");
        }
        text += line;
        text.push('\n');
    }
    text
}

fn only(outputs: &[(String, Array)]) -> Result<&Array, Failure> {
    match outputs {
        [(_, output)] => Ok(output),
        _ => Err(Failure::usage("Classes are told of models of one output.")),
    }
}

fn class_name(names: &[String], class: i32) -> &str {
    let place = usize::try_from(class).ok();
    place.and_then(|i| names.get(i)).map_or("", String::as_str)
}

/// A line for each sample: the class with the probabilities of all of them, or the outputs by name.
fn json_lines(
    outputs: &[(String, Array)],
    names: Option<&[String]>,
    classes: bool,
    files: &[String],
) -> Result<String, Failure> {
    let mut text = String::new();
    let mut line = |row: usize, mut object: Map<String, Value>| {
        if let Some(file) = files.get(row) {
            object.insert("file".to_string(), file.as_str().into());
        }
        text += &format!("{}\n", Value::Object(object));
    };
    if let Some(names) = names {
        let output = only(outputs)?;
        let width = output.shape().last().copied().unwrap_or(1).max(1);
        let values = output.to_vec::<f32>();
        let classes = values.chunks(width).zip(classes_of(output));
        for (i, (row, class)) in classes.enumerate() {
            let shares = match row {
                [second] => vec![1.0 - second, *second],
                all => all.to_vec(),
            };
            let shares = names
                .iter()
                .zip(shares)
                .map(|(n, p)| (n.clone(), number(p)));
            let shares: Map<String, Value> = shares.collect();
            let class = ("class".to_string(), class_name(names, class).into());
            let shares = ("probabilities".to_string(), Value::Object(shares));
            line(i, Map::from_iter([class, shares]));
        }
        return Ok(text);
    }
    if classes {
        for (i, class) in classes_of(only(outputs)?).into_iter().enumerate() {
            line(i, Map::from_iter([("class".to_string(), class.into())]));
        }
        return Ok(text);
    }
    let rows = outputs
        .first()
        .and_then(|(_, a)| a.shape().first().copied());
    let values: Vec<Vec<f32>> = outputs.iter().map(|(_, a)| a.to_vec()).collect();
    for row in 0..rows.unwrap_or(0) {
        let mut object = Map::new();
        for ((name, array), values) in outputs.iter().zip(&values) {
            let extents = array.shape().get(1..).unwrap_or_default();
            let size = extents.iter().product::<usize>();
            let of_row = values.get(row * size..(row + 1) * size).unwrap_or_default();
            object.insert(name.clone(), nested(of_row, extents));
        }
        line(row, object);
    }
    Ok(text)
}

/// Values as lists of lists of the extents given; a single one alone.
fn nested(values: &[f32], extents: &[usize]) -> Value {
    match extents {
        [] | [1] => values.first().map_or(Value::Null, |v| number(*v)),
        [_] => values.iter().map(|v| number(*v)).collect(),
        [_, inner @ ..] => {
            let size = inner.iter().product::<usize>().max(1);
            values.chunks(size).map(|v| nested(v, inner)).collect()
        }
    }
}

/// A number with the digits that tell it from other `f32`s, and no more.
fn number(value: f32) -> Value {
    value
        .to_string()
        .parse::<f64>()
        .map_or(Value::Null, Value::from)
}

/// A field of CSV.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_string(),
    }
}

/// The class of each row: that of the largest output, or whether the only one is above a half.
pub fn classes_of(output: &Array) -> Vec<i32> {
    let width = output.shape().last().copied().unwrap_or(1).max(1);
    let values = output.to_vec::<f32>();
    let rows = values.chunks(width).map(|row| match row {
        [one] => i32::from(*one > 0.5),
        several => {
            let best = several
                .iter()
                .enumerate()
                .fold(0, |best, (i, v)| if *v > several[best] { i } else { best });
            best as i32
        }
    });
    rows.collect()
}

/// Arrays by name, or in the order in which they came.
pub type Samples = Vec<(Option<String>, Data<'static>)>;

pub fn as_inputs(samples: &Samples) -> Inputs<'_> {
    samples
        .iter()
        .fold(Inputs::new(), |all, (name, array)| match name {
            Some(name) => all.with(name.as_str(), array),
            None => all.then(array),
        })
}

/// The samples that files hold, as the model takes them.
pub fn samples(file: &ModelFile, given: &[String]) -> Result<Samples, Failure> {
    Ok(named_samples(file, given)?.0)
}

/// The same, with the names of their files if they are images.
fn named_samples(file: &ModelFile, given: &[String]) -> Result<(Samples, Vec<String>), Failure> {
    let (mut inputs, mut files) = (Vec::new(), Vec::new());
    for text in given {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) if !Path::new(text).exists() => (Some(name.to_string()), path),
            _ => (None, text.as_str()),
        };
        if Path::new(path).is_dir() {
            let found = images(Path::new(path), image_size(file)?)?;
            files = found
                .files
                .iter()
                .map(|f| f.display().to_string())
                .collect();
            inputs.push((name, found.pixels.into_data()));
            continue;
        }
        match (read(path)?, &file.about.table) {
            (Content::Table(table), Some(schema)) if name.is_none() => {
                let of_table = schema.inputs(&table)?.into_iter();
                inputs.extend(of_table.map(|(name, array)| (Some(name), array)));
            }
            (Content::Table(table), _) if takes_texts(file, name.as_deref())? => {
                inputs.push((name, table.texts()?.into_data()));
            }
            (Content::Arrays(mut arrays), _) if arrays.len() == 1 => {
                inputs.extend(arrays.pop().map(|(_, array)| (name, array.into_data())));
            }
            // A whole data set: the samples that nothing was learned from.
            (Content::Arrays(arrays), _) if x_of(&arrays).is_some() => {
                inputs.extend(x_of(&arrays).map(|x| (name, x.clone().into_data())));
            }
            (Content::Arrays(arrays), _) => {
                let named = arrays.into_iter();
                inputs.extend(named.map(|(name, array)| (Some(name), array.into_data())));
            }
            (content, _) => inputs.push((name, content.into_array(path)?.into_data())),
        }
    }
    Ok((inputs, files))
}

/// Whether the input of this name, or the only one, is of texts.
fn takes_texts(file: &ModelFile, name: Option<&str>) -> Result<bool, Failure> {
    let inputs = file.inputs()?;
    let mut named = inputs.iter().filter(|i| name.is_none_or(|n| n == i.name));
    Ok(named.next().is_some_and(|input| input.texts))
}

/// The samples of an `.npz` file with samples and targets.
fn x_of(arrays: &[(String, Array)]) -> Option<&Array> {
    let of = |name: &str| arrays.iter().find(|(n, _)| n == name).map(|(_, a)| a);
    of("x_test")
        .filter(|_| of("y_test").is_some())
        .or_else(|| of("x").filter(|_| of("y").is_some()))
}

/// The size of the images that a model takes.
pub fn image_size(file: &ModelFile) -> Result<[usize; 3], Failure> {
    let inputs = file.inputs()?;
    match inputs.first().map(|input| &input.shape[..]) {
        Some([Some(h), Some(w), Some(c)]) => Ok([*h, *w, *c]),
        Some([Some(h), Some(w)]) => Ok([*h, *w, 1]),
        _ => Err(Failure::data(
            "The model's input is not an image of a fixed size.",
        )),
    }
}
