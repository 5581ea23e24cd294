//! Tables of numbers with something to predict, and the reading of their text files.

use std::str::FromStr;

use ndarray::{Array1, Array2, s};

use super::{Source, content::DataFile};
use crate::{Error, Result};

/// A small data set: a row of features for each sample, and what is to be predicted from them.
///
/// `Y` is one class (`Array1<u8>`), one number (`Array1<f64>`) or several numbers (`Array2<f64>`)
/// for each row.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<Y> {
    /// The features: a row for each sample, a column for each feature.
    pub data: Array2<f64>,
    /// What is to be predicted, a row for each sample.
    pub target: Y,
    /// The names of the columns of `data`.
    pub feature_names: Vec<String>,
    /// The names of the classes, in the order of their numbers, or of the predicted quantities.
    pub target_names: Vec<String>,
}

impl Table<Array1<u8>> {
    /// A table of text whose last column is the class.
    pub(super) fn of_classes(
        text: &Text,
        features: &[&str],
        classes: &[&str],
    ) -> Result<Table<Array1<u8>>> {
        let all = text.parse::<f64>(features.len() + 1)?;
        let target = all.slice(s![.., features.len()]).mapv(|class| class as u8);
        Ok(Table {
            data: all.slice(s![.., ..features.len()]).to_owned(),
            target,
            feature_names: names(features),
            target_names: names(classes),
        })
    }
}

/// Owned names.
pub(super) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// The text of a data file, to be read as rows of numbers.
pub(super) struct Text {
    file: &'static str,
    text: String,
    /// Lines before the numbers.
    header: usize,
}

impl Text {
    /// Loads a file whose first `header` lines are no numbers.
    pub(super) fn load(source: &Source, file: &DataFile<'static>, header: usize) -> Result<Text> {
        let text = String::from_utf8(source.load(file)?)
            .map_err(|_| Error::io(format!("{} must be text in UTF-8", file.name)))?;
        Ok(Text {
            file: file.name,
            text,
            header,
        })
    }

    /// The numbers, `columns` of them in each line, between commas or white space.
    pub(super) fn parse<T: FromStr>(&self, columns: usize) -> Result<Array2<T>> {
        let separator = |c: char| c == ',' || c.is_whitespace();
        let mut values = Vec::new();
        let mut rows = 0;
        for (i, line) in self.text.lines().enumerate().skip(self.header) {
            let fault = |what: String| Error::io(format!("{}, line {}: {what}", self.file, i + 1));
            let before = values.len();
            for word in line.split(separator).filter(|word| !word.is_empty()) {
                let value = word
                    .parse()
                    .map_err(|_| fault(format!("expected a number. Received: {word:?}")))?;
                values.push(value);
            }
            if values.len() - before != columns {
                return Err(fault(format!(
                    "expected {columns} numbers. Received: {}",
                    values.len() - before
                )));
            }
            rows += 1;
        }
        Array2::from_shape_vec((rows, columns), values)
            .map_err(|error| Error::io(format!("{}: {error}", self.file)))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn text(text: &str, header: usize) -> Text {
        Text {
            file: "numbers.csv",
            text: text.to_owned(),
            header,
        }
    }

    #[test]
    fn commas_and_white_space_part_numbers() {
        let expected = array![[1.0, -2.5], [3e2, 4.0]];
        assert_eq!(
            text("1,-2.5\n3e2,4\n", 0).parse::<f64>(2).unwrap(),
            expected
        );
        assert_eq!(
            text("a b\n1 -2.5\r\n300 \t4", 1).parse::<f64>(2).unwrap(),
            expected
        );
        assert_eq!(text("a b", 1).parse::<f64>(2).unwrap().dim(), (0, 2));
    }

    #[test]
    fn faults_name_the_file_and_the_line() {
        for (bad, message) in [
            (
                "1,2\n3",
                "numbers.csv, line 2: expected 2 numbers. Received: 1",
            ),
            (
                "1,2,3",
                "numbers.csv, line 1: expected 2 numbers. Received: 3",
            ),
            (
                "1,x",
                "numbers.csv, line 1: expected a number. Received: \"x\"",
            ),
        ] {
            let error = text(bad, 0).parse::<f64>(2).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
