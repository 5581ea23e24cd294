//! Tables in Parquet files.

use super::table::{Column, Table};
use crate::exit::Failure;
use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

/// The table that a Parquet file holds; its columns say themselves whether they are text.
pub fn table(content: Vec<u8>, path: &str) -> Result<Table, Failure> {
    let failed = |e: parquet::errors::ParquetError| Failure::data(format!("{path}: {e}."));
    let reader = SerializedFileReader::new(Bytes::from(content)).map_err(failed)?;
    let mut table = Table::default();
    for row in reader.get_row_iter(None).map_err(failed)? {
        let row = row.map_err(failed)?;
        for (i, (name, field)) in row.get_column_iter().enumerate() {
            if table.columns.len() <= i {
                table.names.push(name.clone());
                table.columns.push(Column::default());
            }
            let column = &mut table.columns[i];
            column.is_text |= matches!(field, Field::Str(_));
            column.texts.push(text(field, name, path)?);
        }
    }
    match table.columns.is_empty() {
        true => Err(Failure::data(format!("{path} holds no rows."))),
        false => Ok(table),
    }
}

fn text(field: &Field, name: &str, path: &str) -> Result<String, Failure> {
    Ok(match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Bool(value) => u8::from(*value).to_string(),
        Field::Float(value) => value.to_string(),
        Field::Double(value) => value.to_string(),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) | Field::Bytes(_) => {
            return Err(Failure::data(format!(
                "{path}: the column \"{name}\" holds neither numbers nor text."
            )));
        }
        whole => whole.to_string(),
    })
}
