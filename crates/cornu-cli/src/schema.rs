//! What the columns of a table mean to a model: kept beside it in its file, so that `predict` takes the
//! table that `train` took.
//!
//! Here text of numbers becomes numbers, and NaN where one is missing. All the rest (missing numbers told and taken
//! for the mean, categories looked up, numbers at mean 0 and variance 1) is done by layers of the model itself.

use crate::args::Task;
use crate::data::{Table, is_missing, number};
use crate::exit::Failure;
use cornu::Array;
use cornu::data::{Data, IntoData, Texts};
use serde::{Deserialize, Serialize};

/// A column of text with more values than this, or with one for every two rows, is no category: an
/// identifier, or prose.
const MOST_CATEGORIES: usize = 1000;
/// With so few values a column is a category whatever the number of rows.
const FEW_CATEGORIES: usize = 20;
/// A target of whole numbers with at most so many values is a class, if `--task` does not say.
const FEW_CLASSES: usize = 20;

/// The input with all columns of numbers, and, of older models, the one with a 1 where one of them is missing.
pub const NUMBERS: &str = "numbers";
pub const MISSING: &str = "missing";

/// The layers of a network that tell which numbers are missing; the last has the name of the older models' input.
pub const FLAGS: [&str; 3] = ["missing_or_0", "missing_or_not", MISSING];

/// The features and the target of a table.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Schema {
    /// In the order of the input "numbers".
    pub numbers: Vec<Number>,
    pub categories: Vec<Category>,
    pub target: Target,
}

/// A column of numbers.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Number {
    pub column: String,
    /// Kept by the model's layer.
    #[serde(skip)]
    pub mean: f64,
    #[serde(skip)]
    pub variance: f64,
    /// Whether some were missing in training: then that is a feature too.
    #[serde(default)]
    pub flag: bool,
    /// What a missing one is taken for by an older model, whose layers take no NaN; its input "missing" has the flags.
    #[serde(default, rename = "mean", skip_serializing_if = "Option::is_none")]
    pub filled: Option<f64>,
}

/// A column of categories.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Category {
    pub column: String,
    /// The model's input, of its texts; "" is what is missing.
    pub input: String,
    /// Kept by the model's layer, whose places begin with that of what is missing or not known.
    #[serde(skip)]
    pub values: Vec<String>,
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

/// What the user says of a table's columns.
#[derive(Debug)]
pub struct Told<'a> {
    pub target: &'a str,
    pub task: Option<Task>,
    /// Columns to leave out.
    pub drop: &'a [String],
    /// Columns that are categories though they hold numbers.
    pub category: &'a [String],
}

/// Mean and variance; a variance of 0 counts as 1, so that nothing is divided by it.
pub fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (mean, if variance > 0.0 { variance } else { 1.0 })
}

/// The different values that are there, sorted: as numbers if all are.
fn distinct(texts: &[String]) -> Vec<String> {
    let present = texts.iter().filter(|v| !is_missing(v));
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

/// A name for an input that Keras allows and no other input has.
fn input_name(column: &str, taken: &[Category]) -> String {
    let mut name = column.trim().replace(['/', ':'], "_");
    let is_taken = |name: &str| {
        [NUMBERS, ""].contains(&name)
            || FLAGS.contains(&name)
            || taken.iter().any(|c| c.input == name)
    };
    while is_taken(&name) {
        name.push('_');
    }
    name
}

impl Target {
    pub fn name(&self) -> &str {
        match self {
            Target::Number { name, .. } | Target::Class { name, .. } => name,
        }
    }

    fn learn(told: &Told<'_>, table: &Table) -> Result<Target, Failure> {
        let column = table.column(told.target)?;
        let (name, texts) = (told.target.to_string(), &column.texts);
        if let Some(row) = texts.iter().position(|v| is_missing(v)) {
            return Err(Failure::data(format!(
                "The target \"{name}\" is missing in row {}.",
                table.number_of(row)
            )));
        }
        let numbers: Vec<f64> = texts.iter().filter_map(|v| number(v)).collect();
        let numeric = numbers.len() == texts.len() && !column.is_text;
        let values = distinct(texts);
        let whole = numbers.iter().all(|v| v.fract() == 0.0);
        let looks = match !numeric || (whole && values.len() <= FEW_CLASSES) {
            true => Task::Classification,
            false => Task::Regression,
        };
        match told.task.unwrap_or(looks) {
            Task::Regression if !numeric => Err(Failure::data(format!(
                "For regression the target \"{name}\" must hold numbers."
            ))),
            Task::Regression => {
                let (mean, variance) = moments(&numbers);
                Ok(Target::Number {
                    name,
                    mean,
                    deviation: variance.sqrt(),
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
    /// Finds out what the columns of a table are: the target from all rows, the features from the first
    /// ones, which are trained on.
    pub fn learn(table: &Table, told: &Told<'_>, rows: usize) -> Result<Schema, Failure> {
        if table.rows() == 0 {
            return Err(Failure::data("The table holds no rows."));
        }
        let target = Target::learn(told, table)?;
        for name in told.drop.iter().chain(told.category) {
            table.column(name)?;
        }
        let mut schema = Schema {
            numbers: Vec::new(),
            categories: Vec::new(),
            target,
        };
        let mut prose = Vec::new();
        let kept = table.names.iter().zip(&table.columns);
        for (name, column) in kept.filter(|(n, _)| *n != told.target && !told.drop.contains(n)) {
            let texts = &column.texts[..rows.min(column.texts.len())];
            let present = || texts.iter().filter(|v| !is_missing(v));
            let values: Vec<f64> = present().filter_map(|v| number(v)).collect();
            let is_category = column.is_text || told.category.contains(name);
            if values.len() == present().count() && !is_category {
                let (mean, variance) = moments(&values);
                schema.numbers.push(Number {
                    column: name.clone(),
                    mean,
                    variance,
                    flag: values.len() < texts.len(),
                    filled: None,
                });
                continue;
            }
            let values = distinct(texts);
            let most = match values.len() > FEW_CATEGORIES {
                true => MOST_CATEGORIES.min(rows / 2),
                false => FEW_CATEGORIES,
            };
            if values.len() > most {
                prose.push((name, values.len()));
            }
            schema.categories.push(Category {
                column: name.clone(),
                input: input_name(name, &schema.categories),
                values,
            });
        }
        if !prose.is_empty() {
            let of =
                |f: &dyn Fn(&(&String, usize)) -> String| prose.iter().map(f).collect::<Vec<_>>();
            return Err(Failure::data(format!(
                "These columns hold too many different texts to be categories: {}. Leave them out: {}.",
                of(&|(name, n)| format!("\"{name}\" ({n})")).join(", "),
                of(&|(name, _)| format!("--drop \"{name}\"")).join(" ")
            )));
        }
        if schema.numbers.is_empty() && schema.categories.is_empty() {
            return Err(Failure::data("There are no columns to predict from."));
        }
        Ok(schema)
    }

    /// The model's inputs for a table: its columns may be in another order, and there may be more.
    pub fn inputs(&self, table: &Table) -> Result<Vec<(String, Data<'static>)>, Failure> {
        let (rows, width) = (table.rows(), self.numbers.len());
        let mut inputs = Vec::new();
        let (mut values, mut flags) = (vec![0f32; rows * width], Vec::new());
        for (i, of) in self.numbers.iter().enumerate() {
            let column = of.values_of(table)?;
            let filled = of.filled.unwrap_or(f64::NAN);
            for (row, value) in column.iter().enumerate() {
                values[row * width + i] = value.unwrap_or(filled) as f32;
            }
            if of.filled.is_some() && of.flag {
                flags.push(column);
            }
        }
        if width > 0 {
            let array = Array::from_vec([rows, width], values)?;
            inputs.push((NUMBERS.to_string(), array.into_data()));
        }
        if !flags.is_empty() {
            let row = |row: usize| {
                flags
                    .iter()
                    .map(move |f| f32::from(u8::from(f[row].is_none())))
            };
            let missing = (0..rows).flat_map(row).collect();
            let array = Array::from_vec([rows, flags.len()], missing)?;
            inputs.push((MISSING.to_string(), array.into_data()));
        }
        for of in &self.categories {
            let texts = table.column(&of.column)?.texts.iter();
            let texts = texts.map(|text| match is_missing(text) {
                true => "",
                false => text.trim(),
            });
            let texts = Texts::of_shape([rows, 1], texts)?;
            inputs.push((of.input.clone(), texts.into_data()));
        }
        Ok(inputs)
    }

    /// The target of a table: classes by number, or numbers.
    pub fn targets(&self, table: &Table) -> Result<Array, Failure> {
        let column = &table.column(self.target.name())?.texts;
        let wrong = |row: usize, text: &str| {
            Failure::data(format!(
                "The target \"{}\" is {text:?} in row {}, which the model does not know.",
                self.target.name(),
                table.number_of(row)
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

impl Category {
    /// The places of a table's values, from 1 on, as the model's layer has them; 0 for what is missing or not known.
    pub fn places_of(&self, table: &Table) -> Result<Vec<i32>, Failure> {
        let place = |text: &String| {
            let known = self.values.iter().position(|v| v == text.trim());
            known.map_or(0, |i| i as i32 + 1)
        };
        let texts = &table.column(&self.column)?.texts;
        Ok(texts.iter().map(place).collect())
    }
}

impl Number {
    /// The numbers of a table, as far as they are there.
    pub fn values_of(&self, table: &Table) -> Result<Vec<Option<f64>>, Failure> {
        let texts = table.column(&self.column)?.texts.iter().enumerate();
        let values = texts.map(|(row, text)| self.value(text, || table.number_of(row)));
        values.collect()
    }

    /// The number of a row, if it is there.
    fn value(&self, text: &str, row: impl Fn() -> usize) -> Result<Option<f64>, Failure> {
        if is_missing(text) {
            return Ok(None);
        }
        number(text).map(Some).ok_or_else(|| {
            Failure::data(format!(
                "The column \"{}\" must hold numbers. Received: {text:?} in row {}.",
                self.column,
                row()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(target: &str) -> Told<'_> {
        Told {
            target,
            task: None,
            drop: &[],
            category: &[],
        }
    }

    type Named = (String, Data<'static>);

    fn input<'a>(inputs: &'a [Named], name: &str) -> &'a Data<'static> {
        &inputs.iter().find(|(n, _)| n == name).unwrap().1
    }

    fn numbers(inputs: &[Named], name: &str) -> Vec<f64> {
        input(inputs, name).to_array().to_vec()
    }

    fn assert_texts<const N: usize>(inputs: &[Named], name: &str, want: [&str; N]) {
        let (got, want) = (input(inputs, name), Texts::new(want));
        assert!(got.is_texts());
        let want = want.fingerprints().to_vec::<i64>();
        assert_eq!(got.to_array().to_vec::<i64>(), want);
    }

    #[test]
    fn numbers_categories_and_what_is_missing() {
        let table = Table::parse(b"age,colour,kind\n1,red,a\n3,,b\n,blue,a\n", "t").unwrap();
        let schema = Schema::learn(&table, &told("kind"), 3).unwrap();
        assert_eq!(
            (schema.numbers[0].mean, schema.numbers[0].variance),
            (2.0, 1.0)
        );
        let x = schema.inputs(&table).unwrap();
        let values = numbers(&x, NUMBERS);
        assert!(values[..2] == [1.0, 3.0] && values[2].is_nan());
        assert!(x.iter().all(|(name, _)| name != MISSING));
        assert_texts(&x, "colour", ["red", "", "blue"]);
        assert_eq!(schema.categories[0].places_of(&table).unwrap(), [2, 0, 1]);
        assert_eq!(schema.targets(&table).unwrap().to_vec::<i32>(), [0, 1, 0]);
        // Another order, a value that is not known, and a column more.
        let other = Table::parse(b"more,colour,age\n9,green,3\n", "t").unwrap();
        let text = serde_json::to_string(&schema).unwrap();
        let back: Schema = serde_json::from_str(&text).unwrap();
        let x = back.inputs(&other).unwrap();
        assert_eq!(numbers(&x, NUMBERS), [3.0]);
        assert_texts(&x, "colour", ["green"]);
    }

    #[test]
    fn older_models_are_told_what_is_missing() {
        let text = r#"{"numbers": [{"column": "a", "mean": 2.5, "flag": true}, {"column": "b", "mean": 1.0, "flag": false}],
            "categories": [], "target": {"kind": "number", "name": "y", "mean": 0.0, "deviation": 1.0}}"#;
        let schema: Schema = serde_json::from_str(text).unwrap();
        let table = Table::parse(b"b,a\n3,\n,4\n", "t").unwrap();
        let x = schema.inputs(&table).unwrap();
        assert_eq!(numbers(&x, NUMBERS), [2.5, 3.0, 4.0, 1.0]);
        assert_eq!(numbers(&x, MISSING), [1.0, 0.0]);
        let again: Schema = serde_json::from_str(&serde_json::to_string(&schema).unwrap()).unwrap();
        assert_eq!(numbers(&again.inputs(&table).unwrap(), MISSING), [1.0, 0.0]);
    }

    #[test]
    fn what_the_validation_rows_hold_is_not_learned() {
        let table = Table::parse(b"x,c,y\n1,a,0.5\n2,b,1.5\n99,z,2.5\n", "t").unwrap();
        let schema = Schema::learn(&table, &told("y"), 2).unwrap();
        assert_eq!(schema.numbers[0].mean, 1.5);
        assert_eq!(schema.categories[0].values, ["a", "b"]);
        assert_eq!(schema.categories[0].places_of(&table).unwrap(), [1, 2, 0]);
    }

    #[test]
    fn prose_is_named_and_numbers_may_be_categories() {
        let rows: String = (0..60)
            .map(|i| format!("{},text {i},{}\n", i % 3, i % 2))
            .collect();
        let table = Table::parse(format!("zip/code,note,y\n{rows}").as_bytes(), "t").unwrap();
        let e = Schema::learn(&table, &told("y"), 60).unwrap_err();
        assert!(format!("{e:?}").contains("--drop \\\"note\\\""), "{e:?}");
        let (drop, category) = (["note".to_string()], ["zip/code".to_string()]);
        let told = Told {
            drop: &drop,
            category: &category,
            ..told("y")
        };
        let schema = Schema::learn(&table, &told, 60).unwrap();
        assert_eq!(schema.categories[0].input, "zip_code");
        assert_eq!(schema.categories[0].values, ["0", "1", "2"]);
        assert!(schema.numbers.is_empty());
    }
}
