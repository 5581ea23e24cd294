//! What the columns of a table mean to a model: stored beside its weights, so that `predict` takes the
//! table that `train` took.

use crate::args::Task;
use crate::data::{Table, is_missing, number};
use crate::exit::Failure;
use cornu::Array;
use serde::{Deserialize, Serialize};

/// A column of text with more values than this is no category: an identifier, or prose.
const MOST_CATEGORIES: usize = 200;
/// A target of whole numbers with at most so many values is a class, if `--task` does not say.
const FEW_CLASSES: usize = 20;

/// The features and the target of a table.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Schema {
    pub columns: Vec<Column>,
    pub target: Target,
}

/// A column of features.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Column {
    pub name: String,
    #[serde(flatten)]
    kind: Kind,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Kind {
    /// A number, less its mean and over its deviation. A missing one is the mean; if some were missing
    /// in training, a second feature says which.
    Number {
        mean: f64,
        deviation: f64,
        missing: bool,
    },
    /// One of these: a feature for each, and before them one for what is missing or not known.
    Category { values: Vec<String> },
}

/// What is predicted.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    Number {
        name: String,
        mean: f64,
        deviation: f64,
    },
    Class {
        name: String,
        values: Vec<String>,
    },
}

fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    let deviation = variance.sqrt();
    (mean, if deviation > 0.0 { deviation } else { 1.0 })
}

/// The different values that are there, sorted: as numbers if all are.
fn distinct(column: &[String]) -> Vec<String> {
    let present = column.iter().filter(|v| !is_missing(v));
    let mut values: Vec<String> = present.map(|v| v.trim().to_string()).collect();
    values.sort_unstable();
    values.dedup();
    if values.iter().all(|v| number(v).is_some()) {
        values.sort_by(|a, b| {
            number(a)
                .unwrap_or(0.0)
                .total_cmp(&number(b).unwrap_or(0.0))
        });
    }
    values
}

impl Column {
    fn learn(name: &str, column: &[String]) -> Result<Column, Failure> {
        let present: Vec<&String> = column.iter().filter(|v| !is_missing(v)).collect();
        let numbers: Vec<f64> = present.iter().filter_map(|v| number(v)).collect();
        let name = name.to_string();
        if numbers.len() == present.len() {
            let (mean, deviation) = moments(&numbers);
            let missing = present.len() < column.len();
            let kind = Kind::Number {
                mean,
                deviation,
                missing,
            };
            return Ok(Column { name, kind });
        }
        let values = distinct(column);
        if values.len() > MOST_CATEGORIES {
            return Err(Failure::data(format!(
                "The column \"{name}\" holds {} different texts; a category has at most {MOST_CATEGORIES}. Leave it out with --drop \"{name}\".",
                values.len()
            )));
        }
        let kind = Kind::Category { values };
        Ok(Column { name, kind })
    }

    fn width(&self) -> usize {
        match &self.kind {
            Kind::Number { missing, .. } => 1 + usize::from(*missing),
            Kind::Category { values } => 1 + values.len(),
        }
    }

    fn write(&self, text: &str, row: usize, to: &mut [f32]) -> Result<(), Failure> {
        let text = text.trim();
        match &self.kind {
            Kind::Number {
                mean, deviation, ..
            } => {
                if is_missing(text) {
                    if let Some(flag) = to.get_mut(1) {
                        *flag = 1.0;
                    }
                    return Ok(());
                }
                let value = number(text).ok_or_else(|| {
                    Failure::data(format!(
                        "The column \"{}\" must hold numbers. Received: {text:?} in row {}.",
                        self.name,
                        row + 1
                    ))
                })?;
                to[0] = ((value - mean) / deviation) as f32;
            }
            Kind::Category { values } => {
                let place = values.iter().position(|v| v == text);
                to[place.map_or(0, |i| i + 1)] = 1.0;
            }
        }
        Ok(())
    }
}

impl Target {
    pub fn name(&self) -> &str {
        match self {
            Target::Number { name, .. } | Target::Class { name, .. } => name,
        }
    }

    fn learn(name: &str, column: &[String], task: Option<Task>) -> Result<Target, Failure> {
        if let Some(row) = column.iter().position(|v| is_missing(v)) {
            return Err(Failure::data(format!(
                "The target \"{name}\" is missing in row {}.",
                row + 1
            )));
        }
        let numbers: Vec<f64> = column.iter().filter_map(|v| number(v)).collect();
        let numeric = numbers.len() == column.len();
        let values = distinct(column);
        let whole = numbers.iter().all(|v| v.fract() == 0.0);
        let looks = match !numeric || (whole && values.len() <= FEW_CLASSES) {
            true => Task::Classification,
            false => Task::Regression,
        };
        let name = name.to_string();
        match task.unwrap_or(looks) {
            Task::Regression if !numeric => Err(Failure::data(format!(
                "For regression the target \"{name}\" must hold numbers."
            ))),
            Task::Regression => {
                let (mean, deviation) = moments(&numbers);
                Ok(Target::Number {
                    name,
                    mean,
                    deviation,
                })
            }
            Task::Classification if values.len() < 2 => Err(Failure::data(format!(
                "The target \"{name}\" must have at least two classes. Received: {}.",
                values.len()
            ))),
            Task::Classification => Ok(Target::Class { name, values }),
        }
    }
}

impl Schema {
    /// Finds out what the columns of a table are.
    pub fn learn(
        table: &Table,
        target: &str,
        drop: &[String],
        task: Option<Task>,
    ) -> Result<Schema, Failure> {
        let goal = Target::learn(target, table.column(target)?, task)?;
        for name in drop {
            table.column(name)?;
        }
        let kept = table.names.iter().zip(&table.columns);
        let kept = kept.filter(|(name, _)| *name != target && !drop.contains(name));
        let columns = kept.map(|(name, column)| Column::learn(name, column));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        if columns.is_empty() {
            return Err(Failure::data("There are no columns to predict from."));
        }
        Ok(Schema {
            columns,
            target: goal,
        })
    }

    /// The number of features.
    pub fn width(&self) -> usize {
        self.columns.iter().map(Column::width).sum()
    }

    /// The features of a table: its columns may be in another order, and there may be more.
    pub fn features(&self, table: &Table) -> Result<Array, Failure> {
        let width = self.width();
        let mut values = vec![0f32; table.rows() * width];
        let mut at = 0;
        for column in &self.columns {
            for (row, text) in table.column(&column.name)?.iter().enumerate() {
                let start = row * width + at;
                column.write(text, row, &mut values[start..start + column.width()])?;
            }
            at += column.width();
        }
        Ok(Array::from_vec([table.rows(), width], values)?)
    }

    /// The target of a table: classes by number, or numbers.
    pub fn targets(&self, table: &Table) -> Result<Array, Failure> {
        let column = table.column(self.target.name())?;
        let wrong = |row: usize, text: &str| {
            Failure::data(format!(
                "The target \"{}\" is {text:?} in row {}, which the model does not know.",
                self.target.name(),
                row + 1
            ))
        };
        match &self.target {
            Target::Number { .. } => {
                let values = column.iter().enumerate();
                let values =
                    values.map(|(row, v)| number(v).ok_or_else(|| wrong(row, v)).map(|v| v as f32));
                let values = values.collect::<Result<Vec<f32>, _>>()?;
                Ok(Array::from_vec([values.len(), 1], values)?)
            }
            Target::Class { values: known, .. } => {
                let classes = column.iter().enumerate().map(|(row, v)| {
                    let place = known.iter().position(|k| k == v.trim());
                    place.map(|i| i as i32).ok_or_else(|| wrong(row, v))
                });
                Ok(Array::from(classes.collect::<Result<Vec<i32>, _>>()?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_categories_and_what_is_missing() {
        let table = Table::parse(b"age,colour,kind\n1,red,a\n3,,b\n,blue,a\n", "t").unwrap();
        let schema = Schema::learn(&table, "kind", &[], None).unwrap();
        assert_eq!(schema.width(), 2 + 3);
        let x = schema.features(&table).unwrap().to_vec::<f32>();
        assert_eq!(x[..5], [-1.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(x[5..10], [1.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(x[10..], [0.0, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!(schema.targets(&table).unwrap().to_vec::<i32>(), [0, 1, 0]);
        // Another order, a value that is not known, and a column more.
        let other = Table::parse(b"more,colour,age\n9,green,3\n", "t").unwrap();
        let x = schema.features(&other).unwrap().to_vec::<f32>();
        assert_eq!(x, [1.0, 0.0, 1.0, 0.0, 0.0]);
        let text = serde_json::to_string(&schema).unwrap();
        let back: Schema = serde_json::from_str(&text).unwrap();
        assert_eq!(back.features(&other).unwrap().to_vec::<f32>(), x);
    }
}
