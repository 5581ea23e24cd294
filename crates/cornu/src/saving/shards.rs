//! `.weights.json`: weights in several files, as Keras' `save_weights(path, max_shard_size)` writes them.
//!
//! The index says of every group of variables in which files, beside it, its values are.

use super::hdf5::{Dataset, File, Group};
use super::variables::Place;
use crate::files::write_atomically;
use crate::{Error, Result, Variable};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Where weights are read from.
pub(super) enum Store {
    One(File),
    Shards(Shards),
}

impl Store {
    /// The data set at a path; `None` if there is none.
    pub fn dataset(&self, path: &str) -> Result<Option<Dataset>> {
        match self {
            Store::One(file) => file.dataset(path),
            Store::Shards(shards) => shards.dataset(path),
        }
    }
}

/// The files that an index names; the one read last is kept open.
pub(super) struct Shards {
    folder: PathBuf,
    map: HashMap<String, Vec<String>>,
    open: RefCell<Option<(String, Rc<File>)>>,
}

impl Shards {
    /// From the text of the index at a path.
    ///
    /// # Errors
    /// Text that is no index; names of files that are not beside it.
    pub fn open(index: &Path, text: &[u8]) -> Result<Shards> {
        let bad = |why: String| {
            Error::io(format!(
                "{} is no index of weights: {why}.",
                index.display()
            ))
        };
        let json: Value = serde_json::from_slice(text).map_err(|e| bad(e.to_string()))?;
        let Some(listed) = json["weight_map"].as_object() else {
            return Err(bad("it has no \"weight_map\"".into()));
        };
        let mut map = HashMap::new();
        for (group, files) in listed {
            let files: Vec<&Value> = match files {
                Value::Array(all) => all.iter().collect(),
                one => vec![one],
            };
            let names = files.into_iter().map(|name| match name.as_str() {
                Some(name) if Path::new(name).file_name().is_some_and(|f| f == name) => {
                    Ok(name.to_string())
                }
                _ => Err(bad(format!("{name} is no name of a file beside it"))),
            });
            let group = group.trim_start_matches('/').to_string();
            map.insert(group, names.collect::<Result<Vec<_>>>()?);
        }
        Ok(Shards {
            folder: index.parent().unwrap_or(Path::new("")).to_path_buf(),
            map,
            open: RefCell::new(None),
        })
    }

    fn file(&self, name: &str) -> Result<Rc<File>> {
        if let Some((open, file)) = &*self.open.borrow()
            && open == name
        {
            return Ok(file.clone());
        }
        let path = self.folder.join(name);
        let file = Rc::new(File::open(super::model::open(&path)?)?);
        *self.open.borrow_mut() = Some((name.to_string(), file.clone()));
        Ok(file)
    }

    fn dataset(&self, path: &str) -> Result<Option<Dataset>> {
        let group = path.rsplit_once('/').map_or("", |(group, _)| group);
        for name in self.map.get(group).into_iter().flatten() {
            if let Some(found) = self.file(name)?.dataset(path)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// The variables of one file.
#[derive(Default)]
struct Shard {
    bytes: usize,
    values: Vec<(String, String, usize, Variable)>,
}

/// Writes the places' variables, in files of at most so many bytes of values each, and then the index. Every file
/// is written whole or not at all.
pub(super) fn write(index: &Path, places: Vec<Place>, most: usize) -> Result<()> {
    let name = index.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.trim_end_matches(".json").trim_end_matches(".weights");
    let mut shards = vec![Shard::default()];
    let mut total = 0;
    for place in places {
        for (i, variable) in place.variables.into_iter().enumerate() {
            let bytes = variable.shape().size() * variable.dtype().size();
            if bytes > most {
                return Err(Error::new(format!(
                    "The variable \"{}\" of {bytes} bytes is larger than max_shard_size allows. Received: {most} bytes.",
                    variable.name()
                )));
            }
            total += bytes;
            if shards
                .last()
                .is_some_and(|shard| shard.bytes + bytes > most)
            {
                shards.push(Shard::default());
            }
            if let Some(shard) = shards.last_mut() {
                shard.bytes += bytes;
                let group = format!("{}/vars", place.path);
                shard.values.push((group, place.name.clone(), i, variable));
            }
        }
    }
    let mut map: Map<String, Value> = Map::new();
    for (n, shard) in shards.into_iter().enumerate() {
        let file = format!("{stem}_{n:05}.weights.h5");
        let mut root = Group::default();
        for (path, name, i, variable) in shard.values {
            let group = root.at(&path);
            group.attributes.insert("name".into(), name);
            group.variables.push((i.to_string(), variable));
            let files = map.entry(format!("/{path}")).or_insert_with(|| json!([]));
            if let Some(files) = files
                .as_array_mut()
                .filter(|all| all.last() != Some(&json!(file)))
            {
                files.push(json!(file));
            }
        }
        write_atomically(&index.with_file_name(&file), |out| root.write(out))?;
    }
    let json = json!({"metadata": {"total_size": total}, "weight_map": map});
    write_atomically(index, |out| Ok(out.write_all(json.to_string().as_bytes())?))
}
