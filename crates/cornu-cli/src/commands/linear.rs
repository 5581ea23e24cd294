//! `cornu train --model linear|ridge|lasso|logistic`: linear models by exact solvers, with their statistics,
//! saved as the network of one layer that they are.

use crate::args::Train;
use crate::data::Table;
use crate::exit::Failure;
use crate::model_file::ModelFile;
use crate::network::{Features, Goal};
use crate::schema::{Schema, Target};
use cornu::linear::statistics::{Logit, Ols};
use cornu::linear::{
    Estimator, Lasso, LassoCV, LinearClassifier, LinearModel, LogisticRegression, Predictor,
    Probabilities, Ridge, RidgeCV, ToSequential,
};
use ndarray::{Array1, Array2, ArrayView1};
use std::io::Write;

/// A linear model, as `--model` names it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Linear {
    Plain,
    /// With the penalty, or the one that cross-validation chooses.
    Ridge(Option<f64>),
    Lasso(Option<f64>),
    /// With the inverse of the penalty, or, if nothing is said, none and statistics.
    Logistic(Option<f64>),
}

impl Linear {
    /// The model that a text like `ridge` or `ridge:0.5` names, if it names one.
    pub fn parse(text: &str) -> Option<Result<Linear, Failure>> {
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        let model: fn(Option<f64>) -> Linear = match (name, number) {
            ("linear", None) => return Some(Ok(Linear::Plain)),
            ("ridge", _) => Linear::Ridge,
            ("lasso", _) => Linear::Lasso,
            ("logistic", _) => Linear::Logistic,
            _ => return None,
        };
        let number = number.map(|n| n.parse().ok().filter(|n: &f64| *n > 0.0 && n.is_finite()));
        Some(match number {
            None => Ok(model(None)),
            Some(Some(n)) => Ok(model(Some(n))),
            Some(None) => Err(Failure::usage(format!(
                "--model {name}: takes a number above 0, as {name}:0.5. Received: {text}."
            ))),
        })
    }
}

/// The columns of a table as a linear model sees them.
struct Design {
    /// Rows × columns: numbers and places at mean 0 and variance 1 if they are to be penalised alike.
    x: Array2<f64>,
    names: Vec<String>,
    /// Where among the features of the network each column is.
    places: Vec<usize>,
    /// What the numbers' mean and deviation are.
    scales: Vec<(f64, f64)>,
    /// How many features the network has.
    width: usize,
}

impl Design {
    /// With `reference`, the first category is the one that others are compared with; else the columns
    /// of one would be dependent.
    fn new(schema: &Schema, table: &Table, reference: bool) -> Result<Design, Failure> {
        let rows = table.rows();
        let mut columns: Vec<(String, usize, Vec<f64>)> = Vec::new();
        let mut flags = Vec::new();
        let width = schema.numbers.len();
        for (i, number) in schema.numbers.iter().enumerate() {
            let values = number.values_of(table)?;
            let name = &number.column;
            if number.flag {
                let missing = values.iter().map(|v| f64::from(u8::from(v.is_none())));
                flags.push((format!("{name} missing"), width + i, missing.collect()));
            }
            let values = values.into_iter().map(|v| v.unwrap_or(number.mean));
            columns.push((name.clone(), i, values.collect()));
        }
        // The network has a place for each number that may be missing, if any may.
        let mut at = match flags.is_empty() {
            true => width,
            false => 2 * width,
        };
        columns.extend(flags);
        for category in &schema.categories {
            let places = category.places_of(table)?;
            let present = |place: i32| places.contains(&place);
            let first = i32::from(reference) + 1;
            let levels = (0..=category.values.len() as i32).filter(|p| *p == 0 || *p >= first);
            for level in levels.filter(|p| present(*p)) {
                let value = usize::try_from(level - 1)
                    .ok()
                    .and_then(|i| category.values.get(i));
                let value = value.map_or("missing", String::as_str);
                let values = places.iter().map(|p| f64::from(u8::from(*p == level)));
                columns.push((
                    format!("{}[{value}]", category.column),
                    at + level as usize,
                    values.collect(),
                ));
            }
            at += category.values.len() + 1;
        }
        let flat: Vec<f64> = (0..rows)
            .flat_map(|row| columns.iter().map(move |(_, _, values)| values[row]))
            .collect();
        let scales = schema.numbers.iter();
        Ok(Design {
            x: Array2::from_shape_vec((rows, columns.len()), flat).map_err(cornu::Error::from)?,
            places: columns.iter().map(|(_, place, _)| *place).collect(),
            names: columns.into_iter().map(|(name, ..)| name).collect(),
            scales: scales.map(|n| (n.mean, n.variance.sqrt())).collect(),
            width: at,
        })
    }

    /// The mean and the deviation of a column as the network scales it.
    fn scale(&self, column: usize) -> (f64, f64) {
        let of_number = self.scales.get(self.places[column]);
        of_number.copied().unwrap_or((0.0, 1.0))
    }

    /// The columns as the network's layers make them, which penalties treat alike.
    fn scaled(&self) -> Array2<f64> {
        let mut x = self.x.clone();
        for (i, mut column) in x.columns_mut().into_iter().enumerate() {
            let (mean, deviation) = self.scale(i);
            column.mapv_inplace(|v| (v - mean) / deviation);
        }
        x
    }

    /// Coefficients of the scaled columns as those of the columns themselves, with the intercept.
    fn unscaled(&self, coef: ArrayView1<'_, f64>, intercept: f64) -> (Vec<f64>, f64) {
        let scaled = |i: usize| coef[i] / self.scale(i).1;
        let own: Vec<f64> = (0..coef.len()).map(scaled).collect();
        let shift: f64 = own
            .iter()
            .enumerate()
            .map(|(i, w)| w * self.scale(i).0)
            .sum();
        (own, intercept - shift)
    }
}

/// A fitted model: for each output the coefficients of the columns, and the intercept.
struct Fitted {
    outputs: Vec<(Vec<f64>, f64)>,
    said: String,
}

pub fn run(
    args: &Train,
    linear: Linear,
    schema: &Schema,
    table: &Table,
    goal: Goal,
) -> Result<ModelFile, Failure> {
    let given = [
        ("--epochs", args.epochs.is_some()),
        ("--batch-size", args.batch_size.is_some()),
        ("--loss", args.loss.is_some()),
        ("--optimizer", args.optimizer.is_some()),
        ("--learning-rate", args.learning_rate.is_some()),
        ("--patience", args.patience.is_some()),
        ("--resume", args.resume.is_some()),
        ("--curves", args.curves.is_some()),
        ("--log", args.log.is_some()),
    ];
    if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
        return Err(Failure::usage(format!(
            "{option} is for networks; --model {} has its own solver.",
            args.model
        )));
    }
    let y = schema.targets(table)?.to_vec::<f64>();
    let trained = table.rows() - args.held(table.rows(), 0.0);
    let rows: Vec<usize> = (0..trained).collect();
    let (y, table) = (Array1::from(y[..trained].to_vec()), table.pick(&rows));
    let plain = matches!(linear, Linear::Plain)
        || linear == Linear::Logistic(None) && goal == Goal::Classes(2);
    let design = Design::new(schema, &table, plain)?;
    let fitted = fit(linear, &design, &y, goal, &schema.target)?;
    writeln!(std::io::stdout(), "{}", fitted.said.trim_end())?;
    network(schema, &design, &fitted, goal)
}

fn fit(
    linear: Linear,
    design: &Design,
    y: &Array1<f64>,
    goal: Goal,
    target: &Target,
) -> Result<Fitted, Failure> {
    let classes = matches!(goal, Goal::Classes(_));
    match (linear, classes) {
        (Linear::Logistic(_), false) => Err(Failure::usage(
            "--model logistic tells classes: give --task classification, or --model linear.",
        )),
        (Linear::Plain | Linear::Ridge(_) | Linear::Lasso(_), true) => Err(Failure::usage(
            "--model linear, ridge and lasso predict numbers: give --task regression, or --model logistic.",
        )),
        (Linear::Plain, _) => {
            let ols = Ols::new().names(&design.names).target(target.name());
            let fit = ols.fit(&design.x, y)?;
            let (intercept, coef) = split(fit.params());
            Ok(Fitted {
                outputs: vec![(coef, intercept)],
                said: fit.summary().to_string(),
            })
        }
        (Linear::Ridge(alpha), _) => {
            let x = design.scaled();
            let (model, alpha) = match alpha {
                Some(alpha) => (Ridge::new().alpha(alpha).fit(&x, y)?, alpha),
                None => {
                    let chosen = RidgeCV::new().alphas(&ALPHAS).fit(&x, y)?;
                    (chosen.model().clone(), chosen.alpha())
                }
            };
            penalised(design, &model, "Ridge", alpha, model.score(&x, y)?)
        }
        (Linear::Lasso(alpha), _) => {
            let x = design.scaled();
            let (model, alpha) = match alpha {
                Some(alpha) => (Lasso::new().alpha(alpha).fit(&x, y)?, alpha),
                None => {
                    let chosen = LassoCV::new().fit(&x, y)?;
                    (chosen.model().clone(), chosen.alpha())
                }
            };
            penalised(design, &model, "Lasso", alpha, model.score(&x, y)?)
        }
        (Linear::Logistic(None), _) if goal == Goal::Classes(2) => {
            let logit = Logit::new().names(&design.names).target(target.name());
            let fit = logit.fit(&design.x, y);
            let fit =
                fit.map_err(|e| Failure::data(format!("{e} Here that is --model logistic:1.")))?;
            let (intercept, coef) = split(fit.params());
            Ok(Fitted {
                outputs: vec![(coef, intercept)],
                said: fit.summary().to_string(),
            })
        }
        (Linear::Logistic(c), _) => {
            let x = design.scaled();
            let c = c.unwrap_or(1.0);
            let model = LogisticRegression::new().c(c).max_iter(1000).fit(&x, y)?;
            classifier(design, &model, target, c, model.score(&x, y)?)
        }
    }
}

/// The penalties to choose from.
const ALPHAS: [f64; 9] = [1e-3, 1e-2, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1000.0];

/// The intercept, which comes first, and the coefficients.
fn split(params: &[f64]) -> (f64, Vec<f64>) {
    let intercept = params.first().copied().unwrap_or(0.0);
    (intercept, params.iter().skip(1).copied().collect())
}

fn penalised(
    design: &Design,
    model: &LinearModel,
    name: &str,
    alpha: f64,
    score: f64,
) -> Result<Fitted, Failure> {
    let (coef, intercept) = design.unscaled(model.coef().row(0), model.intercept()[0]);
    let title = format!(
        "{name}, alpha {alpha}: R² {score:.4} of {} rows",
        design.x.nrows()
    );
    Ok(Fitted {
        said: coefficients(&title, design, &[(String::new(), &coef, intercept)]),
        outputs: vec![(coef, intercept)],
    })
}

fn classifier(
    design: &Design,
    model: &LinearClassifier,
    target: &Target,
    c: f64,
    score: f64,
) -> Result<Fitted, Failure> {
    let coef = model.coef();
    let functions = coef.rows().into_iter().zip(model.intercept());
    let outputs: Vec<_> = functions
        .map(|(coef, intercept)| design.unscaled(coef, *intercept))
        .collect();
    let title = format!(
        "Logistic regression, C {c}: accuracy {score:.4} of {} rows",
        design.x.nrows()
    );
    let heads = outputs.iter().enumerate().map(|(i, (coef, intercept))| {
        let head = match target {
            Target::Class { values, .. } if outputs.len() > 1 => values[i].clone(),
            _ => String::new(),
        };
        (head, coef, *intercept)
    });
    let said = coefficients(&title, design, &heads.collect::<Vec<_>>());
    Ok(Fitted { outputs, said })
}

/// A table of coefficients, in the columns' own units.
fn coefficients(title: &str, design: &Design, outputs: &[(String, &Vec<f64>, f64)]) -> String {
    let widest = design.names.iter().map(|n| n.chars().count()).max();
    let width = widest.unwrap_or(0).max("const".len());
    let mut text = format!("{title}\n");
    if outputs.iter().any(|(head, ..)| !head.is_empty()) {
        text += &format!("{:width$}", "");
        outputs
            .iter()
            .for_each(|(head, ..)| text += &format!("{head:>14}"));
        text += "\n";
    }
    text += &format!("{:width$}", "const");
    outputs
        .iter()
        .for_each(|(_, _, b)| text += &format!("{b:>14.6}"));
    text += "\n";
    for (i, name) in design.names.iter().enumerate() {
        text += &format!("{name:width$}");
        outputs
            .iter()
            .for_each(|(_, w, _)| text += &format!("{:>14.6}", w[i]));
        text += "\n";
    }
    text
}

/// The network that computes the same from the table's columns: the model of the columns as the network scales
/// them, turned into a network itself, after what makes them.
fn network(
    schema: &Schema,
    design: &Design,
    fitted: &Fitted,
    goal: Goal,
) -> Result<ModelFile, Failure> {
    let outputs = fitted.outputs.len();
    let mut coef = Array2::zeros((outputs, design.width));
    let mut intercepts = Array1::zeros(outputs);
    for (o, (own, intercept)) in fitted.outputs.iter().enumerate() {
        intercepts[o] = *intercept;
        for (i, w) in own.iter().enumerate() {
            let (mean, deviation) = design.scale(i);
            coef[[o, design.places[i]]] = w * deviation;
            intercepts[o] += w * mean;
        }
    }
    let network = match goal {
        Goal::Number(..) => LinearModel::new(coef, intercepts)?.to_sequential()?,
        Goal::Classes(count) => {
            let places = (0..count).map(|place| place as f64).collect();
            LinearClassifier::new(places, coef, intercepts, Probabilities::Softmax)?
                .to_sequential()?
        }
    };
    let mut model = Features::of_table(schema, false).body(&network)?;
    model.compile("adam", goal.loss(1), [goal.metric()])?;
    let mut file = ModelFile::new(model);
    file.about.table = Some(schema.clone());
    Ok(file)
}
