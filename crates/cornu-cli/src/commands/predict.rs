//! `cornu predict`.

use crate::args::Predict;
use crate::data::{Content, images, read, write_answers, write_file};
use crate::exit::Failure;
use crate::model_file::ModelFile;
use cornu::{Array, Inputs};
use std::io::Write;
use std::path::Path;

pub fn run(args: &Predict) -> Result<(), Failure> {
    let file = ModelFile::open(&args.model.model, args.model.weights.as_deref())?;
    let inputs = samples(&file, &args.input)?;
    let mut x = Inputs::new();
    for (name, array) in &inputs {
        x = match name {
            Some(name) => x.with(name.as_str(), array),
            None => x.then(array),
        };
    }
    let mut options = cornu::models::Predict::new();
    if let Some(n) = args.batch_size {
        options = options.batch_size(n);
    }
    let outputs = file.model.predict_all_with(x, options)?;
    let names = file.class_names().filter(|_| !args.proba);
    if !args.classes && names.is_none() {
        let names = file.model.output_names()?;
        let outputs: Vec<(String, Array)> = names.into_iter().zip(outputs).collect();
        return write_answers(&args.output, &outputs);
    }
    let [output] = &outputs[..] else {
        return Err(Failure::usage("Classes are told of models of one output."));
    };
    let classes = classes_of(output);
    match names.filter(|_| !args.output.ends_with(".npy") && !args.output.ends_with(".npz")) {
        None => write_answers(&args.output, &[("class".to_string(), Array::from(classes))]),
        Some(names) => {
            let name = |c: &i32| usize::try_from(*c).ok().and_then(|c| names.get(c));
            let mut text = String::new();
            for class in &classes {
                text += &quoted(name(class).map_or("", String::as_str));
                text.push('\n');
            }
            match args.output.as_str() {
                "-" => Ok(std::io::stdout().write_all(text.as_bytes())?),
                path => write_file(path, text.as_bytes()),
            }
        }
    }
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

/// The samples that files hold, as the model takes them.
pub fn samples(
    file: &ModelFile,
    given: &[String],
) -> Result<Vec<(Option<String>, Array)>, Failure> {
    let mut inputs = Vec::new();
    for text in given {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) if !Path::new(text).exists() => (Some(name.to_string()), path),
            _ => (None, text.as_str()),
        };
        if Path::new(path).is_dir() {
            inputs.push((name, images(Path::new(path), image_size(file)?)?.pixels));
            continue;
        }
        match (read(path)?, &file.table) {
            (Content::Table(table), Some(schema)) => inputs.push((name, schema.features(&table)?)),
            (Content::Arrays(mut arrays), _) if arrays.len() == 1 => {
                inputs.extend(arrays.pop().map(|(_, array)| (name, array)));
            }
            (Content::Arrays(arrays), _) => {
                inputs.extend(arrays.into_iter().map(|(name, array)| (Some(name), array)));
            }
            (content, _) => inputs.push((name, content.into_array(path)?)),
        }
    }
    Ok(inputs)
}

/// The size of the images that a model takes.
pub fn image_size(file: &ModelFile) -> Result<[usize; 3], Failure> {
    match file.sample()[..] {
        [Some(h), Some(w), Some(c)] => Ok([h, w, c]),
        [Some(h), Some(w)] => Ok([h, w, 1]),
        _ => Err(Failure::data(
            "The model's input is not an image of a fixed size.",
        )),
    }
}
