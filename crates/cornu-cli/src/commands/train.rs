//! `cornu train`.

use crate::args::{Task, Train};
use crate::chart;
use crate::data::{Content, images, read, write_file};
use crate::exit::Failure;
use crate::model_file::{ModelFile, Training};
use crate::schema::{Schema, Target};
use cornu::Array;
use cornu::prelude::{Dense, EarlyStopping, Fit, Flatten, Input, Layer, Rescaling, Sequential};
use std::path::Path;

/// Samples, and what is learned of them beside the weights.
struct Samples {
    x: Array,
    y: Array,
    /// `None` if numbers are predicted: then their mean and deviation.
    classes: Option<usize>,
    scale: (f64, f64),
    table: Option<Schema>,
    class_names: Option<Vec<String>>,
}

pub fn run(args: &Train, quiet: bool) -> Result<(), Failure> {
    if args.output.extension().is_none_or(|e| e != "safetensors") {
        return Err(Failure::usage(format!(
            "--output must end in .safetensors. Received: {}.",
            args.output.display()
        )));
    }
    let earlier = match args.model.starts_with("mlp:") {
        true => None,
        false => Some(ModelFile::open(Path::new(&args.model), None)?),
    };
    let samples = load(args, earlier.as_ref())?;
    let training = Training {
        optimizer: args.optimizer.clone(),
        learning_rate: args.learning_rate,
        loss: match samples.classes {
            None => "mse",
            Some(2) => "binary_crossentropy",
            Some(_) => "sparse_categorical_crossentropy",
        }
        .to_string(),
        metrics: vec![
            if samples.classes.is_some() {
                "accuracy"
            } else {
                "mae"
            }
            .to_string(),
        ],
    };
    let mut file = match earlier {
        Some(file) => file,
        None => ModelFile::new(mlp(&args.model, &samples)?.into()),
    };
    file.table = samples.table.clone();
    file.classes.clone_from(&samples.class_names);
    training.compile(&mut file.model)?;
    file.training = Some(training);

    let held = if args.validation_split > 0.0 {
        "val_loss"
    } else {
        "loss"
    };
    let best = EarlyStopping::new()
        .monitor(held)
        .mode("min")
        .patience(args.patience.unwrap_or(usize::MAX))
        .restore_best_weights(true);
    let options = Fit::new()
        .epochs(args.epochs)
        .batch_size(args.batch_size)
        .validation_split(args.validation_split)
        .verbose(if quiet { 0 } else { 1 })
        .callback(best);
    let history = file.model.fit(&samples.x, &samples.y, options)?;
    file.save(&args.output)?;
    if let Some(path) = &args.curves {
        let names = history.names();
        let figures = names.map(|name| {
            (
                name.to_string(),
                history.get(name).unwrap_or_default().to_vec(),
            )
        });
        write_file(path, chart::curves(&figures.collect::<Vec<_>>()).as_bytes())?;
    }
    if !quiet {
        eprintln!("The model is in {}.", args.output.display());
    }
    Ok(())
}

/// The layers that `mlp:64,64` asks for, for these samples.
fn mlp(text: &str, samples: &Samples) -> Result<Sequential, Failure> {
    let sizes = text
        .trim_start_matches("mlp:")
        .split(',')
        .filter(|s| !s.is_empty());
    let sizes = sizes.map(|s| {
        s.trim()
            .parse::<usize>()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| {
                Failure::usage(format!(
                    "--model mlp: takes sizes of layers, as mlp:64,64. Received: {text}."
                ))
            })
    });
    let sizes = sizes.collect::<Result<Vec<_>, _>>()?;
    let shape = samples.x.shape().get(1..).unwrap_or_default().to_vec();
    let is_image = shape.len() > 1;
    let mut layers: Vec<Box<dyn Layer>> = vec![Input::new(shape).into()];
    if is_image {
        layers.push(Rescaling::new(1.0 / 255.0).into());
        layers.push(Flatten::new().into());
    }
    layers.extend(
        sizes
            .into_iter()
            .map(|n| Dense::new(n).activation("relu").into()),
    );
    match samples.classes {
        Some(2) => layers.push(Dense::new(1).activation("sigmoid").into()),
        Some(n) => layers.push(Dense::new(n).activation("softmax").into()),
        None => {
            let (mean, deviation) = samples.scale;
            layers.push(Dense::new(1).into());
            layers.push(Rescaling::new(deviation).offset(mean).into());
        }
    }
    let mut model = Sequential::from_layers(layers);
    model.build()?;
    Ok(model)
}

fn load(args: &Train, earlier: Option<&ModelFile>) -> Result<Samples, Failure> {
    if Path::new(&args.data).is_dir() {
        return from_images(args);
    }
    let Content::Table(table) = read(&args.data)? else {
        return Err(Failure::data(format!(
            "{} must be a table (.csv) or a folder of images.",
            args.data
        )));
    };
    let Some(target) = &args.target else {
        return Err(Failure::usage(
            "A table needs --target, the column to predict.",
        ));
    };
    // Validation takes the last rows: those of any kind, not of one.
    let table = table.pick(&mixed(table.rows()));
    let schema = match earlier.and_then(|file| file.table.clone()) {
        Some(known) if known.target.name() == target => known,
        _ => Schema::learn(&table, target, &args.drop, args.task)?,
    };
    let (x, y) = (schema.features(&table)?, schema.targets(&table)?);
    let (classes, scale) = match &schema.target {
        Target::Number {
            mean, deviation, ..
        } => (None, (*mean, *deviation)),
        Target::Class { values, .. } => (Some(values.len()), (0.0, 1.0)),
    };
    Ok(Samples {
        x,
        y,
        classes,
        scale,
        table: Some(schema),
        class_names: None,
    })
}

fn from_images(args: &Train) -> Result<Samples, Failure> {
    let sizes: Vec<usize> = args
        .image_size
        .split('x')
        .filter_map(|n| n.parse().ok())
        .collect();
    let [height, width, channels @ (1 | 3 | 4)] = sizes[..] else {
        return Err(Failure::usage(format!(
            "--image-size must be like 32x32x3, with 1, 3 or 4 channels. Received: {}.",
            args.image_size
        )));
    };
    if args.task == Some(Task::Regression) {
        return Err(Failure::usage(
            "Images are in folders of classes: the task is classification.",
        ));
    }
    let images = images(Path::new(&args.data), [height, width, channels])?;
    if images.classes.len() < 2 {
        return Err(Failure::data(format!(
            "{} must hold a folder of images for each of at least two classes.",
            args.data
        )));
    }
    let order = mixed(images.files.len());
    let sample = height * width * channels;
    let pixels = images.pixels.as_slice::<f32>()?;
    let x: Vec<f32> = order
        .iter()
        .flat_map(|i| &pixels[i * sample..(i + 1) * sample])
        .copied()
        .collect();
    let y: Vec<i32> = order.iter().map(|i| images.labels[*i]).collect();
    Ok(Samples {
        x: Array::from_vec([order.len(), height, width, channels], x)?,
        y: Array::from(y),
        classes: Some(images.classes.len()),
        scale: (0.0, 1.0),
        table: None,
        class_names: Some(images.classes),
    })
}

/// The numbers below `n`, the same mixture every time: sorted by a hash (SplitMix64's finaliser).
fn mixed(n: usize) -> Vec<usize> {
    let hash = |i: &usize| {
        let x = (*i as u64)
            .wrapping_add(1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    };
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(hash);
    order
}
