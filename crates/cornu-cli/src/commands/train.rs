//! `cornu train`.

use super::draw;
use super::linear::{self, Linear};
use super::predict::as_inputs;
use crate::args::{Task, Train};
use crate::data::{Content, Table, image_sizes, images, read};
use crate::exit::Failure;
use crate::model_file::{ModelFile, ending};
use crate::network::{Features, Goal, Scale};
use crate::schema::{Schema, Target, Told, moments};
use cornu::callbacks::{BackupAndRestore, CSVLogger, EarlyStopping, History};
use cornu::models::{Fit, Model};
use cornu::optimizers::Optimizer;
use cornu::{Array, DType};
use std::io::Write;
use std::path::Path;

/// Samples, and what they are.
struct Samples {
    /// The model's inputs, by name where it has several.
    x: Vec<(Option<String>, Array)>,
    y: Array,
    goal: Goal,
    kind: Kind,
}

/// What features come from.
enum Kind {
    Table(Schema),
    /// With the names of the classes, if there are any.
    Arrays(Scale, Option<Vec<String>>),
}

pub fn run(args: &Train, quiet: bool) -> Result<(), Failure> {
    if !["keras", "safetensors"].contains(&ending(&args.output).as_str()) {
        return Err(Failure::usage(format!(
            "--output must end in .keras or .safetensors. Received: {}.",
            args.output.display()
        )));
    }
    if let Some(share) = args.validation_split.filter(|s| !(0.0..1.0).contains(s)) {
        return Err(Failure::usage(format!(
            "--validation-split must be at least 0 and less than 1. Received: {share}."
        )));
    }
    if let Some(linear) = Linear::parse(&args.model) {
        return train_linear(args, linear?, quiet);
    }
    let earlier = match args.model.starts_with("mlp:") {
        true => None,
        false => Some(ModelFile::open(Path::new(&args.model), None)?),
    };
    let samples = load(args, earlier.as_ref())?;
    let mut file = model(args, earlier, &samples)?;
    compile(args, &mut file.model, samples.goal)?;

    let x = as_inputs(&samples.x);
    let share = args.validation_split.unwrap_or(HELD);
    let held = match share > 0.0 {
        true => "val_loss",
        false => "loss",
    };
    let mut best = EarlyStopping::new()
        .monitor(held)
        .mode("min")
        .patience(args.patience.unwrap_or(usize::MAX))
        .restore_best_weights(true);
    let mut options = Fit::new()
        .epochs(args.epochs.unwrap_or(20))
        .batch_size(args.batch_size.unwrap_or(32))
        .validation_split(share)
        .verbose(if quiet { 0 } else { 1 })
        .callback(&mut best);
    let goes_on = args.resume.as_ref().is_some_and(|f| f.exists());
    // With a folder to resume from the figures of all epochs are kept in it, for the learning curves.
    let kept = args.resume.as_ref().map(|folder| folder.join("epochs.csv"));
    if let Some(folder) = &args.resume {
        std::fs::create_dir_all(folder).map_err(|e| Failure::file(folder.display(), e))?;
        options = options.callback(BackupAndRestore::new(folder).delete_checkpoint(false));
    }
    for path in kept.iter().chain(&args.log) {
        options = options.callback(CSVLogger::new(path).append(goes_on));
    }
    let history = file.model.fit(x, &samples.y, options)?;
    file.save(&args.output)?;
    if let Some(path) = &args.curves {
        let figures = match &kept {
            Some(kept) => logged(kept)?,
            None => figures(&history),
        };
        draw(&cornu_plot::learning_curves(figures)?, path)?;
    }
    if !quiet {
        let figure = best.best().map(|value| {
            let epoch = best.best_epoch() + 1;
            format!(", as it was after epoch {epoch}, with {held} {value:.4}")
        });
        eprintln!(
            "The model is in {}{}.",
            args.output.display(),
            figure.unwrap_or_default()
        );
    }
    Ok(())
}

fn figures(history: &History) -> Vec<(String, Vec<f64>)> {
    history.history.clone()
}

/// The figures of all epochs that a log has, the last line of each.
fn logged(path: &Path) -> Result<Vec<(String, Vec<f64>)>, Failure> {
    let Content::Table(table) = read(&path.display().to_string())? else {
        return Ok(Vec::new());
    };
    let number = |text: &String| text.parse().unwrap_or(f64::NAN);
    let epochs = &table.column("epoch")?.texts;
    let last = |i: &usize| epochs[i + 1..].iter().all(|e| *e != epochs[*i]);
    let rows: Vec<usize> = (0..epochs.len()).filter(last).collect();
    let columns = table.names.iter().zip(&table.columns).skip(1);
    let values = columns.map(|(name, column)| {
        let values = rows.iter().map(|i| number(&column.texts[*i]));
        (name.clone(), values.collect::<Vec<f64>>())
    });
    // Without validation its columns are there all the same.
    Ok(values
        .filter(|(_, v)| v.iter().any(|v| !v.is_nan()))
        .collect())
}

/// The model to train, and what is to be known of it.
fn model(
    args: &Train,
    earlier: Option<ModelFile>,
    samples: &Samples,
) -> Result<ModelFile, Failure> {
    let features = match &samples.kind {
        Kind::Table(schema) => Features::of_table(schema, true),
        Kind::Arrays(scale, _) => {
            let shape = samples.x[0].1.shape().get(1..).unwrap_or_default();
            Features::of_arrays(shape, scale)
        }
    };
    let mut file = match (earlier, &samples.kind) {
        (None, _) => ModelFile::new(features.mlp(&args.model, samples.goal)?),
        // One that is to take a table, and does not know it yet.
        (Some(file), Kind::Table(_)) if file.about.table.is_none() => {
            ModelFile::new(features.body(&file.model)?)
        }
        (Some(file), _) => file,
    };
    match &samples.kind {
        Kind::Table(schema) => file.about.table = Some(schema.clone()),
        Kind::Arrays(_, Some(names)) => file.about.classes = Some(names.clone()),
        Kind::Arrays(_, None) => {}
    }
    Ok(file)
}

/// Compiles a model, unless it is compiled and nothing else is asked for: then its optimizer goes on.
fn compile(args: &Train, model: &mut Model, goal: Goal) -> Result<(), Failure> {
    if args.optimizer.is_some() || !model.is_compiled() {
        let name = args.optimizer.as_deref().unwrap_or("adam");
        let optimizer = Optimizer::from(name);
        optimizer.check()?;
        model.compile(optimizer, goal.loss(), [goal.metric()])?;
    }
    if let Some(rate) = args.learning_rate {
        model.optimizer()?.set_learning_rate(rate)?;
    }
    Ok(())
}

/// The share of samples that networks are measured on, if nothing is said.
const HELD: f64 = 0.2;

fn target(args: &Train) -> Result<&str, Failure> {
    args.target
        .as_deref()
        .ok_or_else(|| Failure::usage("A table needs --target, the column to predict."))
}

/// What the columns of a table mean, as far as its rows to train on tell.
fn learn(args: &Train, table: &Table, held: f64) -> Result<Schema, Failure> {
    let told = Told {
        target: target(args)?,
        task: args.task,
        drop: &args.drop,
        category: &args.category,
    };
    let trained = table.rows() - args.held(table.rows(), held);
    Schema::learn(table, &told, trained.max(1))
}

fn goal(schema: &Schema) -> Goal {
    match &schema.target {
        Target::Number {
            mean, deviation, ..
        } => Goal::Number(*mean, *deviation),
        Target::Class { values, .. } => Goal::Classes(values.len()),
    }
}

/// Fits a linear model, and measures it on the rows that were kept from it, if any.
fn train_linear(args: &Train, linear: Linear, quiet: bool) -> Result<(), Failure> {
    if Path::new(&args.data).is_dir() {
        return Err(Failure::usage("Linear models take a table."));
    }
    let Content::Table(table) = read(&args.data)? else {
        return Err(Failure::usage("Linear models take a table."));
    };
    let held = args.held(table.rows(), 0.0);
    let table = match held {
        0 => table,
        _ => table.pick(&mixed(table.rows())),
    };
    let schema = learn(args, &table, 0.0)?;
    let mut file = linear::run(args, linear, &schema, &table, goal(&schema))?;
    if held > 0 {
        let rows: Vec<usize> = (table.rows() - held..table.rows()).collect();
        let table = table.pick(&rows);
        let (x, y) = (schema.inputs(&table)?, schema.targets(&table)?);
        let x = x.into_iter().map(|(name, array)| (Some(name), array));
        let x = x.collect();
        let options = cornu::models::Evaluate::new().verbose(0);
        let figures = file.model.evaluate_with(as_inputs(&x), &y, options)?;
        let shown = figures.iter().map(|(name, v)| format!("{name} {v:.4}"));
        let shown = shown.collect::<Vec<_>>().join(", ");
        writeln!(std::io::stdout(), "Of {held} other rows: {shown}")?;
    }
    file.save(&args.output)?;
    if !quiet {
        eprintln!("The model is in {}.", args.output.display());
    }
    Ok(())
}

fn load(args: &Train, earlier: Option<&ModelFile>) -> Result<Samples, Failure> {
    if Path::new(&args.data).is_dir() {
        return from_images(args, earlier);
    }
    match read(&args.data)? {
        Content::Table(table) => {
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
                y: schema.targets(&table)?,
                goal: goal(&schema),
                kind: Kind::Table(schema),
            })
        }
        Content::Arrays(arrays) => from_arrays(args, arrays),
        Content::Array(_) => Err(Failure::data(format!(
            "{} must be a table, a folder of images, or an .npz with x and y. Received: one array.",
            args.data
        ))),
    }
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

fn from_arrays(args: &Train, arrays: Vec<(String, Array)>) -> Result<Samples, Failure> {
    let (x, y) = x_and_y(&args.data, arrays, ["_train", ""])?;
    let samples = x.shape().first().copied().unwrap_or(0);
    if y.size() != samples || samples == 0 {
        return Err(Failure::data(format!(
            "{}: y must have one number for each sample of x. Received: {} for {samples}.",
            args.data,
            y.shape()
        )));
    }
    let order: Vec<i32> = mixed(samples).iter().map(|i| *i as i32).collect();
    let picked = |array: &Array| -> Result<Array, Failure> {
        let index = cornu::Tensor::constant(Array::from(order.clone()));
        let array = cornu::Tensor::constant(array.clone());
        Ok(cornu::Eval::eval(&array.take(index, 0))?)
    };
    let (x, y) = (picked(&x)?, picked(&y)?);
    let numbers = y.to_vec::<f64>();
    let whole = !y.dtype().is_float() && numbers.iter().all(|v| *v >= 0.0);
    let goal = match args.task {
        Some(Task::Classification) if !whole => {
            return Err(Failure::data(format!(
                "{}: classes must be whole numbers from 0 on.",
                args.data
            )));
        }
        Some(Task::Regression) => number(&numbers),
        None if !whole => number(&numbers),
        _ => Goal::Classes(numbers.iter().fold(1.0f64, |a, b| a.max(*b)) as usize + 1),
    };
    let scale = match (x.dtype(), x.shape().len()) {
        (DType::U8, 3..) => Scale::Bytes,
        (_, 2) => Scale::of_columns(&x),
        _ => Scale::None,
    };
    let y = match goal {
        Goal::Classes(_) => y.cast(DType::I32),
        Goal::Number(..) => y.cast(DType::F32),
    };
    Ok(Samples {
        x: vec![(None, x)],
        y,
        goal,
        kind: Kind::Arrays(scale, None),
    })
}

fn number(values: &[f64]) -> Goal {
    let (mean, variance) = moments(values);
    Goal::Number(mean, variance.sqrt())
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
    let sample = size.iter().product::<usize>();
    let pixels = images.pixels.as_slice::<f32>()?;
    let x: Vec<f32> = order
        .iter()
        .flat_map(|i| &pixels[i * sample..(i + 1) * sample])
        .copied()
        .collect();
    let y: Vec<i32> = order.iter().map(|i| images.labels[*i]).collect();
    let [height, width, channels] = size;
    let x = Array::from_vec([order.len(), height, width, channels], x)?;
    Ok(Samples {
        x: vec![(None, x)],
        y: Array::from(y),
        goal: Goal::Classes(images.classes.len()),
        kind: Kind::Arrays(Scale::Bytes, Some(images.classes)),
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
