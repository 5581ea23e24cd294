//! What `cornu train` learns from: tables, folders of images, arrays.

use super::predict::Samples as Named;
use crate::args::{Task, Train};
use crate::data::{Content, Table, image_sizes, images, read};
use crate::exit::Failure;
use crate::model_file::ModelFile;
use crate::network::{Goal, Scale};
use crate::schema::{Schema, Target, Told, moments};
use cornu::data::IntoData;
use cornu::{Array, DType, Eval, Tensor};
use std::path::Path;

/// The share of samples that networks are measured on, if nothing is said.
pub const HELD: f64 = 0.2;

/// What a model of the user's own gives for a sample, unless its loss says otherwise.
const NUMBERS: Goal = Goal::Number(0.0, 1.0);

/// Samples, and what they are.
pub struct Samples {
    /// The model's inputs, by name where it has several.
    pub x: Named,
    /// What its outputs should be, by name where it has several.
    pub y: Named,
    pub goal: Goal,
    pub kind: Kind,
}

/// What features come from.
pub enum Kind {
    Table(Schema),
    /// With the names of the classes, if there are any.
    Arrays(Scale, Option<Vec<String>>),
}

/// Reads what is to be learned from, in the mixed order in which the last of it is kept for measuring.
pub fn load(args: &Train, earlier: Option<&ModelFile>) -> Result<Samples, Failure> {
    if Path::new(&args.data).is_dir() {
        return from_images(args, earlier);
    }
    match read(&args.data)? {
        Content::Table(table) => from_table(args, &table, earlier),
        Content::Arrays(arrays) => from_arrays(args, arrays, earlier),
        Content::Array(_) => Err(Failure::data(format!(
            "{} must be a table, a folder of images, or an .npz with x and y. Received: one array.",
            args.data
        ))),
    }
}

/// What the columns of a table mean, as far as its rows to train on tell.
pub fn learn(args: &Train, table: &Table, held: f64) -> Result<Schema, Failure> {
    let told = Told {
        target: target(args)?,
        task: args.task,
        drop: &args.drop,
        category: &args.category,
    };
    let trained = table.rows() - args.held(table.rows(), held);
    Schema::learn(table, &told, trained.max(1))
}

fn target(args: &Train) -> Result<&str, Failure> {
    args.target
        .as_deref()
        .ok_or_else(|| Failure::usage("A table needs --target, the column to predict."))
}

/// What a table's target asks for.
pub fn goal(schema: &Schema) -> Goal {
    match &schema.target {
        Target::Number {
            mean, deviation, ..
        } => Goal::Number(*mean, *deviation),
        Target::Class { values, .. } => Goal::Classes(values.len()),
    }
}

fn from_table(
    args: &Train,
    table: &Table,
    earlier: Option<&ModelFile>,
) -> Result<Samples, Failure> {
    let target = target(args)?;
    // Validation takes the last rows: those of any kind, not of one.
    let table = table.pick(&mixed(table.rows()));
    let known = earlier.and_then(|file| file.about.table.clone());
    let schema = match known {
        Some(known) if known.target.name() == target => known,
        Some(known) => {
            return Err(Failure::data(format!(
                "{} predicts \"{}\". Received: --target \"{target}\".",
                args.model,
                known.target.name()
            )));
        }
        None => learn(args, &table, HELD)?,
    };
    let x = schema.inputs(&table)?.into_iter();
    Ok(Samples {
        x: x.map(|(name, array)| (Some(name), array)).collect(),
        y: vec![(None, schema.targets(&table)?.into_data())],
        goal: goal(&schema),
        kind: Kind::Table(schema),
    })
}

/// The samples and targets among the arrays of an `.npz` file.
pub fn x_and_y(
    path: &str,
    arrays: Vec<(String, Array)>,
    endings: [&str; 2],
) -> Result<(Array, Array), Failure> {
    let names: Vec<String> = arrays.iter().map(|(name, _)| name.clone()).collect();
    let of = |name: String| {
        arrays
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, a)| a.clone())
    };
    for ending in endings {
        let (x, y) = (of(format!("x{ending}")), of(format!("y{ending}")));
        if let (Some(x), Some(y)) = (x, y) {
            return Ok((x, y));
        }
    }
    Err(Failure::data(format!(
        "{path} must hold x{} and y{0}, or x and y. Received: {}.",
        endings[0],
        names.join(", ")
    )))
}

fn from_arrays(
    args: &Train,
    arrays: Vec<(String, Array)>,
    earlier: Option<&ModelFile>,
) -> Result<Samples, Failure> {
    if let Some(samples) = by_name(earlier, &arrays)? {
        return Ok(samples);
    }
    let (x, y) = x_and_y(&args.data, arrays, ["_train", ""])?;
    let samples = rows(&x);
    if rows(&y) != samples || samples == 0 {
        return Err(Failure::data(format!(
            "{}: x and y must have the same number of samples, and at least one. Received: {samples} and {}.",
            args.data,
            rows(&y)
        )));
    }
    let order = mixed(samples);
    let (x, y) = (picked(&x, &order)?, picked(&y, &order)?);
    let goal = match y.size() == samples {
        true => goal_of(args, &y)?,
        false if earlier.is_some() => NUMBERS,
        false => {
            return Err(Failure::data(format!(
                "{}: y must have one number for each sample of x. Received: {} for {samples}.",
                args.data,
                y.shape()
            )));
        }
    };
    let scale = match (x.dtype(), x.shape().len()) {
        (DType::U8, 3..) => Scale::Bytes,
        (_, 2) => Scale::of_columns(&x),
        _ => Scale::None,
    };
    let y = match goal {
        Goal::Classes(_) => y.cast(DType::I32),
        _ => y.cast(DType::F32),
    };
    Ok(Samples {
        x: vec![(None, x.into_data())],
        y: vec![(None, y.into_data())],
        goal,
        kind: Kind::Arrays(scale, None),
    })
}

/// Arrays that have the names of all of a model's inputs and outputs, as they are.
fn by_name(
    earlier: Option<&ModelFile>,
    arrays: &[(String, Array)],
) -> Result<Option<Samples>, Failure> {
    let Some(ModelFile { model, .. }) = earlier else {
        return Ok(None);
    };
    let of = |names: Vec<String>| -> Option<Vec<(Option<String>, Array)>> {
        let found = names.into_iter().map(|name| {
            let array = arrays.iter().find(|(n, _)| *n == name)?.1.clone();
            Some((Some(name), array))
        });
        found.collect()
    };
    let (x, y) = (of(model.input_names()?), of(model.output_names()?));
    let (Some(mut x), Some(mut y)) = (x, y) else {
        return Ok(None);
    };
    let samples = x.first().map_or(0, |(_, array)| rows(array));
    let all = x.iter_mut().chain(&mut y);
    let order = mixed(samples);
    for (_, array) in all.filter(|(_, array)| rows(array) == samples) {
        *array = picked(array, &order)?;
    }
    let data = |all: Vec<(Option<String>, Array)>| {
        let all = all
            .into_iter()
            .map(|(name, array)| (name, array.into_data()));
        all.collect()
    };
    Ok(Some(Samples {
        x: data(x),
        y: data(y),
        goal: NUMBERS,
        kind: Kind::Arrays(Scale::None, None),
    }))
}

/// What one number for each sample is.
fn goal_of(args: &Train, y: &Array) -> Result<Goal, Failure> {
    let numbers = y.to_vec::<f64>();
    let whole = !y.dtype().is_float() && numbers.iter().all(|v| *v >= 0.0);
    let number = || {
        let (mean, variance) = moments(&numbers);
        Goal::Number(mean, variance.sqrt())
    };
    match args.task {
        Some(Task::Classification) if !whole => Err(Failure::data(format!(
            "{}: classes must be whole numbers from 0 on.",
            args.data
        ))),
        Some(Task::Regression) => Ok(number()),
        None if !whole => Ok(number()),
        _ => Ok(Goal::Classes(
            numbers.iter().fold(1.0f64, |a, b| a.max(*b)) as usize + 1,
        )),
    }
}

fn from_images(args: &Train, earlier: Option<&ModelFile>) -> Result<Samples, Failure> {
    let size = match earlier {
        Some(file) => super::predict::image_size(file)?,
        None => image_sizes(&args.image_size)?,
    };
    if args.task == Some(Task::Regression) {
        return Err(Failure::usage(
            "Images are in folders of classes: the task is classification.",
        ));
    }
    let images = images(Path::new(&args.data), size)?;
    if images.classes.len() < 2 {
        return Err(Failure::data(format!(
            "{} must hold a folder of images for each of at least two classes.",
            args.data
        )));
    }
    let order = mixed(images.files.len());
    let y: Vec<i32> = order.iter().map(|i| images.labels[*i]).collect();
    Ok(Samples {
        x: vec![(None, picked(&images.pixels, &order)?.into_data())],
        y: vec![(None, Array::from(y).into_data())],
        goal: Goal::Classes(images.classes.len()),
        kind: Kind::Arrays(Scale::Bytes, Some(images.classes)),
    })
}

fn rows(array: &Array) -> usize {
    array.shape().first().copied().unwrap_or(0)
}

/// The rows of these numbers.
fn picked(array: &Array, order: &[usize]) -> Result<Array, Failure> {
    let order: Vec<i32> = order.iter().map(|i| *i as i32).collect();
    let rows = Tensor::constant(array.clone()).take(Tensor::constant(Array::from(order)), 0);
    Ok(rows.eval()?)
}

/// The numbers below `n`, the same mixture every time: sorted by a hash (SplitMix64's finaliser).
pub fn mixed(n: usize) -> Vec<usize> {
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
