//! Whole models and their weights, to files and back.

use super::archive::Archive;
use super::assets;
use super::content::Content;
use super::hdf5::File;
use super::members::Writer;
use super::shards::{self, Shards, Store};
use super::{LoadModel, legacy_h5, weights_h5};
use crate::files::write_atomically;
use crate::layers::Source;
use crate::models::Model;
use crate::{Error, Result};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The members of the archive that a model is.
const METADATA: &str = "metadata.json";
const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.weights.h5";

/// The version of Keras whose files these are.
const KERAS_VERSION: &str = "3.15.1";

impl Model {
    /// Saves the model to a `.keras` file: architecture, weights, how it is compiled, and the optimizer's state,
    /// so that training goes on from there, in Cornu or in Keras. The file is written whole or not at all.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// use cornu::saving::load_model;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(2).input_shape([3]));
    /// model.compile("adam", "mse", ["mae"])?;
    /// let path = std::env::temp_dir().join(format!("cornu-{}.keras", std::process::id()));
    /// model.save(&path)?;
    /// let mut again = load_model(&path)?;
    /// assert_eq!(again.get_weights()?, model.get_weights()?);
    /// assert!(again.is_compiled());
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another ending than `.keras`, a model that is not built or has a `Lambda`, or what the file system says.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.save_with_members(path, &[])
    }

    /// As [`Model::save`], with more members of the archive: what a program keeps beside the model, to be read
    /// by [`read_member`]. Keras leaves them alone.
    ///
    /// # Errors
    /// As [`Model::save`]; a name that the format itself uses.
    pub fn save_with_members(&self, path: impl AsRef<Path>, more: &[(&str, &[u8])]) -> Result<()> {
        let path = path.as_ref();
        if !ends_with(path, ".keras") {
            return Err(Error::new(format!(
                "The name of a file with a whole model must end in \".keras\". Received: {}.",
                path.display()
            )));
        }
        self.graph_is_built()?;
        let config = self.serialize();
        refuse_functions(&config)?;
        let metadata =
            json!({"keras_version": KERAS_VERSION, "date_saved": date(SystemTime::now())});
        let (metadata, config) = (metadata.to_string(), config.to_string());
        let weights = weights_h5::tree(self)?;
        for (i, (name, _)) in more.iter().enumerate() {
            let own = [METADATA, CONFIG, WEIGHTS].contains(name);
            if own || more[..i].iter().any(|(other, _)| other == name) {
                return Err(Error::new(format!(
                    "A member of the archive must have a name of its own. Received: \"{name}\"."
                )));
            }
        }
        write_atomically(path, |out| {
            let mut archive = Writer::new(out);
            let texts = [(METADATA, metadata.as_bytes()), (CONFIG, config.as_bytes())];
            for (name, content) in texts {
                archive.member(name, |out| Ok(out.write_all(content)?))?;
            }
            archive.member(WEIGHTS, |out| weights.write(out))?;
            for (name, content) in more {
                archive.member(name, |out| Ok(out.write_all(content)?))?;
            }
            archive.finish()
        })
    }

    /// Saves the weights, and if the model is compiled the optimizer's state, to a `.weights.h5` file. The file
    /// is written whole or not at all.
    ///
    /// # Errors
    /// Another ending than `.weights.h5`, a model that is not built, or what the file system says.
    pub fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if !ends_with(path, ".weights.h5") {
            return Err(Error::new(format!(
                "The name of a file of weights must end in \".weights.h5\". Received: {}.",
                path.display()
            )));
        }
        let weights = weights_h5::tree(self)?;
        write_atomically(path, |out| weights.write(out))
    }

    /// As [`Model::save_weights`], but in files of at most `max_shard_size` GB (2³⁰ bytes) each, and an index of
    /// them, a `.weights.json` file: Keras' `save_weights(path, max_shard_size=…)`. Each of the files is
    /// written whole or not at all, the index last.
    ///
    /// # Errors
    /// Another ending than `.weights.json`; a single variable that is larger; as [`Model::save_weights`].
    pub fn save_weights_sharded(&self, path: impl AsRef<Path>, max_shard_size: f64) -> Result<()> {
        let path = path.as_ref();
        if !ends_with(path, ".weights.json") {
            return Err(Error::new(format!(
                "The name of an index of weights must end in \".weights.json\". Received: {}.",
                path.display()
            )));
        }
        if max_shard_size.is_nan() || max_shard_size <= 0.0 {
            return Err(Error::new(format!(
                "max_shard_size must be positive. Received: max_shard_size={max_shard_size}."
            )));
        }
        let most = max_shard_size * f64::from(1 << 30);
        shards::write(path, weights_h5::all_places(self)?, most as usize)
    }

    /// Sets the weights, and if the model is compiled the optimizer's state, from a file that
    /// [`Model::save_weights`] or [`Model::save`], here or in Keras, made of a model of the same layers. Of an
    /// older `.h5`, of weights or of a whole model, only the weights are read. Weights in several files are
    /// found from their index, a `.weights.json` file.
    ///
    /// # Errors
    /// A file that cannot be read; one that does not fit: the layer and both shapes are named, and nothing is
    /// changed.
    pub fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let file = weights_file(path.as_ref())?;
        if let Some((file, group)) = legacy(&file)? {
            return legacy_h5::weights(self, file, group, false).map(|_| ());
        }
        weights_h5::load(self, &file, false)?;
        weights_h5::load_optimizer(self, &file)
    }

    /// As [`Model::load_weights`], but layers that the file does not fit keep their weights; returns why, for
    /// each of them. The optimizer's state stays as it is.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn load_weights_skipping_mismatch(&mut self, path: impl AsRef<Path>) -> Result<Vec<Error>> {
        let file = weights_file(path.as_ref())?;
        match legacy(&file)? {
            Some((file, group)) => legacy_h5::weights(self, file, group, true),
            None => weights_h5::load(self, &file, true),
        }
    }
}

/// Refuses a model with functions, which no file brings back.
fn refuse_functions(value: &Value) -> Result<()> {
    match value {
        Value::Object(map) if map.get("class_name").is_some_and(|c| c == "Lambda") => {
            let name = map["config"]["name"].as_str().unwrap_or("lambda");
            Err(Error::new(format!(
                "The layer \"{name}\" is a Lambda: a function, which no file holds. Make it a type of your own that implements Layer, or keep the weights alone, by save_weights."
            )))
        }
        Value::Object(map) => map.values().try_for_each(refuse_functions),
        Value::Array(all) => all.iter().try_for_each(refuse_functions),
        _ => Ok(()),
    }
}

fn ends_with(path: &Path, ending: &str) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().ends_with(ending))
}

fn unread(path: &Path) -> impl Fn(io::Error) -> Error {
    move |e| Error::io(format!("{} cannot be read: {e}.", path.display()))
}

/// All of a file.
fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(unread(path))
}

/// What a file holds.
pub(super) fn open(path: &Path) -> Result<Content> {
    Content::of_file(path).map_err(unread(path))
}

fn weights_file(path: &Path) -> Result<Store> {
    if ends_with(path, ".json") {
        return Ok(Store::Shards(Shards::open(path, &read(path)?)?));
    }
    let content = open(path)?;
    let content = match ends_with(path, ".keras") {
        true => Archive::open(content)?.take(WEIGHTS)?,
        false => content,
    };
    Ok(Store::One(File::open(content)?))
}

/// The file and its group of layers, if it is of the older kind.
fn legacy(store: &Store) -> Result<Option<(&File, &'static str)>> {
    let Store::One(file) = store else {
        return Ok(None);
    };
    Ok(legacy_h5::group(file)?.map(|group| (file, group)))
}

impl LoadModel {
    /// A model from the content of a file.
    fn of_file(&self, content: Content) -> Result<Model> {
        let bytes = usize::try_from(content.length()).unwrap_or(usize::MAX);
        self.read(Source::File(bytes), || {
            if content.starts_with(legacy_h5::SIGNATURE)? {
                return legacy_h5::model(&File::open(content)?, self.compile);
            }
            let archive = Archive::open(content)?;
            let mut config = configuration(&archive.read(CONFIG)?)?;
            if !archive.has(WEIGHTS) && archive.has("model.weights.npz") {
                return Err(Error::io(
                    "The weights in the archive are pickled Python, which neither Cornu nor Keras reads: save the model again, with its weights in \"model.weights.h5\".",
                ));
            }
            assets::fill(&mut config, |name| match archive.has(name) {
                true => archive.read(name).map(Some),
                false => Ok(None),
            })?;
            self.of_members(&config, archive.take(WEIGHTS)?)
        })
    }

    /// A model from a folder that has the members of an archive as files, as Keras saves it with `zipped=False`.
    fn of_folder(&self, folder: &Path) -> Result<Model> {
        let (config, weights) = (read(&folder.join(CONFIG))?, open(&folder.join(WEIGHTS))?);
        let bytes = usize::try_from(weights.length()).unwrap_or(usize::MAX);
        let bytes = bytes.saturating_add(config.len());
        self.read(Source::File(bytes), || {
            let mut config = configuration(&config)?;
            assets::fill(&mut config, |name| {
                let path = folder.join(name);
                path.is_file().then(|| read(&path)).transpose()
            })?;
            self.of_members(&config, weights)
        })
    }

    fn of_members(&self, config: &Value, weights: Content) -> Result<Model> {
        let file = Store::One(File::open(weights)?);
        let mut model = Model::deserialize(config, self.compile)?;
        weights_h5::load(&model, &file, false)?;
        weights_h5::load_optimizer(&mut model, &file)?;
        Ok(model)
    }
}

/// A model from a `.keras` file, as [`Model::save`] here or `model.save` in Keras 3 wrote it (with
/// `zipped=False` a folder): with its weights, compiled if it was, and its optimizer where it was. Also from a
/// whole model in an `.h5` file, as Keras 2 wrote it.
///
/// A file runs no code: a layer that is Python is refused, and named. What the model may need in memory is
/// bounded by the file, see [`LoadModel::weight_limit`].
///
/// # Errors
/// A file that cannot be read, or holds no model; a class or argument that is not known; weights that do not
/// fit their layer.
pub fn load_model(path: impl AsRef<Path>) -> Result<Model> {
    load_model_with(path, &LoadModel::new())
}

/// As [`load_model`], with options.
///
/// # Errors
/// As [`load_model`].
pub fn load_model_with(path: impl AsRef<Path>, options: &LoadModel) -> Result<Model> {
    let path = path.as_ref();
    match path.is_dir() {
        true => options.of_folder(path),
        false => options.of_file(open(path)?),
    }
}

/// As [`load_model_with`], from the content of a file; one that is given away is not copied.
///
/// # Errors
/// As [`load_model`].
pub fn model_from_bytes<'a>(bytes: impl Into<Cow<'a, [u8]>>, options: &LoadModel) -> Result<Model> {
    options.of_file(bytes.into().into_owned().into())
}

/// A member of the archive that a `.keras` file is, if it has one of this name; see
/// [`Model::save_with_members`].
///
/// ```
/// use cornu::prelude::*;
/// use cornu::saving::read_member;
/// let mut model = Sequential::new();
/// model.add(Dense::new(2).input_shape([3]));
/// model.build()?;
/// let path = std::env::temp_dir().join(format!("cornu-member-{}.keras", std::process::id()));
/// model.save_with_members(&path, &[("note.txt", b"trained on rain")])?;
/// assert_eq!(read_member(&path, "note.txt")?.as_deref(), Some(&b"trained on rain"[..]));
/// assert_eq!(read_member(&path, "other.txt")?, None);
/// # std::fs::remove_file(path)?;
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// A file that cannot be read or is no archive, or a member that claims more than the archive may hold.
pub fn read_member(path: impl AsRef<Path>, name: &str) -> Result<Option<Vec<u8>>> {
    let archive = Archive::open(open(path.as_ref())?)?;
    match archive.has(name) {
        true => archive.read(name).map(Some),
        false => Ok(None),
    }
}

fn configuration(text: &[u8]) -> Result<Value> {
    serde_json::from_slice(text)
        .map_err(|e| Error::new(format!("{CONFIG} is no JSON of a model: {e}.")))
}

/// Keras' `"%Y-%m-%d@%H:%M:%S"`, in UTC.
fn date(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days from 1 March of year 0 (Howard Hinnant's civil_from_days).
    let z = days + 719_468;
    let (era, of_era) = (z / 146_097, z % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year + u64::from(month <= 2);
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}@{h:02}:{m:02}:{s:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_are_keras() {
        let at = |s| date(UNIX_EPOCH + Duration::from_secs(s));
        assert_eq!(at(0), "1970-01-01@00:00:00");
        assert_eq!(at(951_782_400), "2000-02-29@00:00:00");
        assert_eq!(at(1_795_584_213), "2026-11-25@05:23:33");
    }
}
