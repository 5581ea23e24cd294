//! Tables: columns of text under their names.

use crate::exit::Failure;
use cornu::data::Texts;
use cornu::{Array, DType};

/// Columns under their names.
#[derive(Debug, Default)]
pub struct Table {
    pub names: Vec<String>,
    pub columns: Vec<Column>,
    /// Which rows of a file these are, if they are not all of them in order.
    picked: Option<Vec<usize>>,
}

/// A column, as text; nothing is nothing.
#[derive(Clone, Debug, Default)]
pub struct Column {
    pub texts: Vec<String>,
    /// Whether the file says that this is text, even where it looks like numbers. CSV does not say.
    pub is_text: bool,
}

/// What stands for a value that is missing.
pub fn is_missing(text: &str) -> bool {
    matches!(
        text.trim(),
        "" | "?" | "NA" | "N/A" | "NaN" | "nan" | "null" | "NULL" | "None"
    )
}

/// A number, if the text is one.
pub fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|v: &f64| v.is_finite())
}

impl Table {
    /// Reads CSV, between commas, semicolons or tabs, whichever the first line has most of. The first
    /// line is a header unless all of it are numbers.
    pub fn parse(bytes: &[u8], path: &str) -> Result<Table, Failure> {
        let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
        let count = |separator: u8| line.iter().filter(|b| **b == separator).count();
        let separator = [b',', b';', b'\t']
            .into_iter()
            .rev()
            .max_by_key(|s| count(*s));
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(separator.unwrap_or(b','))
            .from_reader(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
        let mut rows = reader.records();
        let malformed = |e: csv::Error| Failure::data(format!("{path}: {e}."));
        let Some(first) = rows.next() else {
            return Err(Failure::data(format!("{path} holds no rows.")));
        };
        let first = first.map_err(malformed)?;
        let headless = first.iter().all(|field| number(field).is_some());
        let mut table = Table {
            names: first.iter().map(|name| name.trim().to_string()).collect(),
            columns: vec![Column::default(); first.len()],
            picked: None,
        };
        if headless {
            table.names = (0..first.len()).map(|i| format!("column_{i}")).collect();
            table.push(&first);
        }
        for row in rows {
            table.push(&row.map_err(malformed)?);
        }
        Ok(table)
    }

    fn push(&mut self, row: &csv::StringRecord) {
        for (column, field) in self.columns.iter_mut().zip(row) {
            column.texts.push(field.to_string());
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |c| c.texts.len())
    }

    /// The number, from 1 on, that a row has in its file.
    pub fn number_of(&self, row: usize) -> usize {
        let picked = self.picked.as_ref().and_then(|rows| rows.get(row));
        picked.copied().unwrap_or(row) + 1
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Result<&Column, Failure> {
        let known: Vec<&str> = self.names.iter().map(String::as_str).collect();
        match self.names.iter().position(|n| n == name) {
            Some(i) => Ok(&self.columns[i]),
            None => Err(cornu::Error::unknown("column", name, &known).into()),
        }
    }

    /// The rows of these numbers.
    pub fn pick(&self, rows: &[usize]) -> Table {
        let of = |column: &Column| Column {
            texts: rows.iter().map(|r| column.texts[*r].clone()).collect(),
            is_text: column.is_text,
        };
        Table {
            names: self.names.clone(),
            columns: self.columns.iter().map(of).collect(),
            picked: Some(rows.iter().map(|row| self.number_of(*row) - 1).collect()),
        }
    }

    /// All columns as they are, for an input of texts.
    pub fn texts(&self) -> Result<Texts, Failure> {
        let rows = 0..self.rows();
        let texts = rows.flat_map(|row| self.columns.iter().map(move |c| &c.texts[row]));
        Ok(Texts::of_shape([self.rows(), self.columns.len()], texts)?)
    }

    /// A table of numbers alone as an array.
    pub fn numbers(&self, path: &str) -> Result<Array, Failure> {
        let (rows, columns) = (self.rows(), self.columns.len());
        let mut values = vec![0f32; rows * columns];
        for (i, (name, column)) in self.names.iter().zip(&self.columns).enumerate() {
            for (row, text) in column.texts.iter().enumerate() {
                values[row * columns + i] = number(text).ok_or_else(|| {
                    Failure::data(format!(
                        "{path}: the column \"{name}\" must hold numbers. Received: {text:?} in row {}.",
                        row + 1
                    ))
                })? as f32;
            }
        }
        let whole = values.iter().all(|v| v.fract() == 0.0 && v.abs() < 1e9) && columns == 1;
        let array = Array::from_vec([rows, columns], values)?;
        // A column of whole numbers may be labels.
        Ok(if whole { array.cast(DType::I32) } else { array })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_separators_and_quotes() {
        let table = Table::parse(b"a;b\n1;\"x;y\"\n2;z\n", "t").unwrap();
        assert_eq!(table.names, ["a", "b"]);
        assert_eq!(table.column("b").unwrap().texts, ["x;y", "z"]);
        let table = Table::parse(b"1,2\n3,4\n", "t").unwrap();
        assert_eq!((table.rows(), &*table.names[1]), (2, "column_1"));
        assert_eq!(
            table.numbers("t").unwrap().to_vec::<f32>(),
            [1.0, 2.0, 3.0, 4.0]
        );
        assert!(Table::parse(b"a,b\n1\n", "t").is_err());
        assert!(Table::parse(b"", "t").is_err());
        assert!(Table::parse(b"a\nx\n", "t").unwrap().numbers("t").is_err());
    }
}
