//! Writes the figures of every epoch to a CSV file.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use super::text::python_float;
use super::{Callback, Trained};
use crate::{Error, Logs, Result};

/// Writes a line with the figures of every epoch to a CSV file, as soon as the epoch has ended.
///
/// The columns are the epoch (from 0) and the first epoch's figures by name; if there was no
/// validation in it, their `val_` columns follow all the same. What is missing is written `NA`. The
/// text is what Keras writes, line ends `\r\n` included.
///
/// ```
/// use cornu::callbacks::CSVLogger;
///
/// let logger = CSVLogger::new("training.csv").append(true);
/// // network.fit(&x, &y, Fit::new().callback(logger))?;
/// # let _ = logger;
/// ```
#[derive(Debug)]
pub struct CSVLogger {
    filename: PathBuf,
    separator: char,
    append: bool,
    file: Option<File>,
    header: bool,
    columns: Option<Vec<String>>,
}

impl CSVLogger {
    /// Writes to this file, which is replaced if it exists.
    pub fn new(filename: impl AsRef<Path>) -> Self {
        Self {
            filename: filename.as_ref().to_path_buf(),
            separator: ',',
            append: false,
            file: None,
            header: true,
            columns: None,
        }
    }

    /// What stands between two columns. Defaults to a comma.
    pub fn separator(mut self, separator: char) -> Self {
        self.separator = separator;
        self
    }

    /// Whether to go on at the end of a file that exists. Defaults to `false`.
    pub fn append(mut self, append: bool) -> Self {
        self.append = append;
        self
    }

    fn error(&self, action: &str, error: &std::io::Error) -> Error {
        Error::io(format!(
            "CSVLogger cannot {action} {}: {error}",
            self.filename.display()
        ))
    }

    fn open(&mut self) -> std::io::Result<File> {
        let mut options = OpenOptions::new();
        options.create(true);
        if self.append {
            if self.filename.exists() {
                let mut first = Vec::new();
                BufReader::new(File::open(&self.filename)?).read_until(b'\n', &mut first)?;
                self.header = first.is_empty();
            }
            options.append(true);
        } else {
            options.write(true).truncate(true);
        }
        options.open(&self.filename)
    }

    /// One line of the file; a field is quoted where it must be.
    fn line(&self, fields: impl Iterator<Item = String>) -> String {
        let special = ['"', '\r', '\n', self.separator];
        let fields: Vec<String> = fields
            .map(|field| match field.contains(special) {
                true => format!("\"{}\"", field.replace('"', "\"\"")),
                false => field,
            })
            .collect();
        fields.join(&self.separator.to_string()) + "\r\n"
    }
}

/// The columns after the epoch's, from the figures of the first epoch.
fn columns(logs: &Logs) -> Vec<String> {
    let mut names: Vec<String> = logs.names().map(String::from).collect();
    names.sort();
    if !names.iter().any(|name| name.starts_with("val_")) {
        let validation: Vec<String> = names.iter().map(|name| format!("val_{name}")).collect();
        names.extend(validation);
    }
    names
}

impl Callback for CSVLogger {
    fn wants_batches(&self) -> bool {
        false
    }

    fn on_train_begin(&mut self, _: &mut dyn Trained) -> Result<()> {
        self.columns = None;
        self.header = true;
        let file = self.open();
        self.file = Some(file.map_err(|e| self.error("open", &e))?);
        Ok(())
    }

    fn on_epoch_end(&mut self, _: &mut dyn Trained, epoch: usize, logs: &mut Logs) -> Result<()> {
        let mut text = String::new();
        if self.columns.is_none() {
            let names = columns(logs);
            if self.header {
                let fields = std::iter::once("epoch".to_string()).chain(names.iter().cloned());
                text = self.line(fields);
            }
            self.columns = Some(names);
        }
        let names = self.columns.iter().flatten();
        let values = names.map(|name| logs.get(name).map_or("NA".to_string(), python_float));
        text += &self.line(std::iter::once(epoch.to_string()).chain(values));
        let written = match &mut self.file {
            Some(file) => file.write_all(text.as_bytes()).and_then(|()| file.flush()),
            None => {
                return Err(Error::state(
                    "CSVLogger: an epoch ended before training began",
                ));
            }
        };
        written.map_err(|e| self.error("write to", &e))
    }

    fn on_train_end(&mut self, _: &mut dyn Trained, _: &Logs) -> Result<()> {
        self.file = None;
        Ok(())
    }
}
