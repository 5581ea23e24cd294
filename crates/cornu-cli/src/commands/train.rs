//! `cornu train`.

use super::draw;
use super::linear::{self, Linear};
use super::predict::as_inputs;
use super::training_data::{HELD, Kind, Samples, goal, learn, load, mixed};
use crate::args::Train;
use crate::data::{Content, read, write_file};
use crate::exit::Failure;
use crate::format::ending;
use crate::model_file::ModelFile;
use crate::network::{Features, Goal};
use cornu::callbacks::{BackupAndRestore, CSVLogger, EarlyStopping, History};
use cornu::models::{Fit, Model};
use cornu::optimizers::Optimizer;
use cornu::saving::model_from_json;
use std::io::Write;
use std::path::Path;

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

    let (x, y) = (as_inputs(&samples.x), as_inputs(&samples.y));
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
    let batch_size = args.batch_size.unwrap_or(32);
    let rows = samples
        .y
        .first()
        .and_then(|(_, y)| y.shape().first().copied());
    let mut options = Fit::new()
        .epochs(args.epochs.unwrap_or(epochs(rows.unwrap_or(0), batch_size)))
        .batch_size(batch_size)
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
    // A training goes on with the callbacks that it began with: what is asked for beside them is a copy.
    if let Some(path) = kept.as_ref().or(args.log.as_ref()) {
        options = options.callback(CSVLogger::new(path).append(goes_on));
    }
    let history = file.model.fit(x, y, options)?;
    if let (Some(kept), Some(log)) = (&kept, &args.log) {
        let figures = std::fs::read(kept).map_err(|e| Failure::file(kept.display(), e))?;
        write_file(log, &figures)?;
    }
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

/// Epochs for about a thousand steps: of few samples many, of many few.
fn epochs(rows: usize, batch_size: usize) -> usize {
    let steps = rows.div_ceil(batch_size.max(1)).max(1);
    (1000 / steps).clamp(20, 100)
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
    match (model.is_compiled(), &args.loss, &args.optimizer) {
        (true, None, None) => {}
        (true, None, Some(optimizer)) => change_optimizer(model, optimizer)?,
        (_, loss, optimizer) => {
            let optimizer = Optimizer::from(optimizer.as_deref().unwrap_or("adam"));
            optimizer.check()?;
            let width = model.output_shape()?.0.last().copied().flatten();
            let by_goal = goal.loss(width.unwrap_or(1));
            let loss = loss.as_deref().unwrap_or(by_goal);
            model.compile(optimizer, loss, [goal.metric()])?;
        }
    }
    if let Some(rate) = args.learning_rate {
        model.optimizer()?.set_learning_rate(rate)?;
    }
    Ok(())
}

/// Compiles a model with another optimizer, and as it was in all else.
fn change_optimizer(model: &mut Model, optimizer: &str) -> Result<(), Failure> {
    let mut object: serde_json::Value = serde_json::from_str(&model.to_json())
        .map_err(|e| Failure::data(format!("The model's configuration: {e}.")))?;
    object["compile_config"]["optimizer"] = optimizer.into();
    let mut other = model_from_json(&object.to_string())?;
    other.set_weights(&model.get_weights()?)?;
    *model = other;
    Ok(())
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
