//! Where the files of a data set are looked for, and the search itself.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
    time::Duration,
};

use super::content::{DataFile, read_verified};
use crate::{Error, Result};

/// Name of the environment variable that points to a folder of data.
const DATA_VARIABLE: &str = "CORNU_DATA";

/// The places where a data set's files are looked for, in order: folders, the cache, mirrors.
#[derive(Clone, Debug)]
pub struct Source {
    dataset: String,
    folders: Vec<Folder>,
    cache: Option<PathBuf>,
    /// Places that fell away before any file was looked for, and why.
    notes: Vec<String>,
    base_urls: Vec<String>,
    timeout: Duration,
}

#[derive(Clone, Debug)]
struct Folder {
    path: PathBuf,
    /// Somebody named this very folder, so a fault in it is an error, not a reason to look on.
    named: bool,
}

impl Source {
    /// No places at all yet, for the data set of this name (which is its folder's name).
    pub fn new(dataset: impl Into<String>) -> Source {
        Source {
            dataset: dataset.into(),
            folders: Vec::new(),
            cache: None,
            notes: Vec::new(),
            base_urls: Vec::new(),
            timeout: Duration::from_secs(30),
        }
    }

    /// The local places told in [`datasets`](super) and no mirrors.
    pub fn standard(dataset: impl Into<String>) -> Source {
        Source::new(dataset).local_places(
            |name| env::var_os(name).filter(|value| !value.is_empty()),
            env::home_dir(),
            env::current_dir().ok(),
        )
    }

    /// Adds a folder, which holds the files or a folder of the data set's name with the files. If
    /// it does not exist or holds a bad file, loading fails.
    pub fn folder(mut self, path: impl Into<PathBuf>) -> Source {
        self.folders.push(Folder {
            path: path.into(),
            named: true,
        });
        self
    }

    /// Sets the folder that keeps what was downloaded (in a folder of the data set's name). A bad
    /// file there is downloaded anew.
    pub fn cache(mut self, path: impl Into<PathBuf>) -> Source {
        self.cache = Some(path.into());
        self
    }

    /// Sets the mirrors, in the order in which they are asked: `<base url>/<file>.gz` is a file.
    /// They are of use with the feature `download` only, which is a default; `https:` needs the
    /// feature `tls`.
    pub fn base_urls<U: Into<String>>(mut self, urls: impl IntoIterator<Item = U>) -> Source {
        self.base_urls = urls.into_iter().map(Into::into).collect();
        self
    }

    /// Sets for how long a mirror may keep silent before the next one is asked; 30 s by default. A
    /// whole file may take twenty times as long.
    pub fn timeout(mut self, timeout: Duration) -> Source {
        self.timeout = timeout;
        self
    }

    fn local_places(
        mut self,
        variable: impl Fn(&str) -> Option<OsString>,
        home: Option<PathBuf>,
        current: Option<PathBuf>,
    ) -> Source {
        match variable(DATA_VARIABLE) {
            Some(path) => self = self.folder(path),
            None => self
                .notes
                .push(format!("the environment variable {DATA_VARIABLE}: not set")),
        }

        let repository = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../datasets"));
        let mut found = Vec::new();
        match repository.canonicalize() {
            Ok(path) => found.push(path),
            Err(_) => self
                .notes
                .push(format!("{}: no such folder", repository.display())),
        }
        let above: Vec<PathBuf> = current
            .iter()
            .flat_map(|path| path.ancestors())
            .filter_map(|path| path.join("datasets").canonicalize().ok())
            .collect();
        if above.is_empty() {
            let start = current
                .as_deref()
                .unwrap_or(Path::new("the current folder"));
            self.notes.push(format!(
                "{} or above: no folder `datasets`",
                start.display()
            ));
        }
        for path in above {
            if !found.contains(&path) {
                found.push(path);
            }
        }
        self.folders
            .extend(found.into_iter().map(|path| Folder { path, named: false }));

        match cache_folder(variable, home) {
            Some(path) => self.cache = Some(path),
            None => self
                .notes
                .push("the user's cache: no home folder is known".to_owned()),
        }
        self
    }

    /// The decompressed, verified content of `file` from the first place that has it.
    pub(super) fn load(&self, file: &DataFile) -> Result<Vec<u8>> {
        let mut tried = self.notes.clone();
        let cache = self.cache.iter().map(|path| Folder {
            path: path.clone(),
            named: false,
        });
        let folders: Vec<Folder> = self.folders.iter().cloned().chain(cache).collect();
        for folder in &folders {
            if !folder.path.is_dir() {
                let fault = format!("{}: no such folder", folder.path.display());
                if folder.named {
                    return Err(self.error(file, &[fault]));
                }
                tried.push(fault);
                continue;
            }
            let mut bad = Vec::new();
            for path in self.candidates(&folder.path, file) {
                match read_file(&path, file) {
                    Ok(Some(content)) => {
                        warn(&bad);
                        return Ok(content);
                    }
                    Ok(None) => {}
                    Err(fault) => {
                        let fault = format!("{} {fault}", path.display());
                        if folder.named {
                            return Err(self.error(file, &[fault]));
                        }
                        bad.push(fault);
                    }
                }
            }
            if bad.is_empty() {
                bad.push(format!(
                    "{}: no file {name} or {name}.gz, nor in a folder {} there",
                    folder.path.display(),
                    self.dataset,
                    name = file.name
                ));
            }
            tried.append(&mut bad);
        }
        self.download(file, tried)
    }

    /// Where `file` can lie in `folder`, best place first.
    fn candidates(&self, folder: &Path, file: &DataFile) -> [PathBuf; 4] {
        let (raw, gzipped) = (file.name.to_owned(), format!("{}.gz", file.name));
        let own = folder.join(&self.dataset);
        [
            own.join(&raw),
            own.join(&gzipped),
            folder.join(&raw),
            folder.join(&gzipped),
        ]
    }

    #[cfg(feature = "download")]
    fn download(&self, file: &DataFile, mut tried: Vec<String>) -> Result<Vec<u8>> {
        use super::download::{fetch, save};

        for base in &self.base_urls {
            let url = format!("{}/{}.gz", base.trim_end_matches('/'), file.name);
            let (served, content) = match fetch(&url, file, self.timeout) {
                Ok(fetched) => fetched,
                Err(fault) => {
                    tried.push(format!("{url} {fault}"));
                    continue;
                }
            };
            if let Some(cache) = &self.cache
                && let Err(error) = save(&served, &cache.join(&self.dataset), file.name)
            {
                // The content is at hand all the same; the next run downloads it again.
                warn(&[format!(
                    "{}: nothing could be kept there: {error}",
                    cache.display()
                )]);
            }
            return Ok(content);
        }
        if self.base_urls.is_empty() {
            tried.push("no mirrors are given".to_owned());
        }
        Err(self.error(file, &tried))
    }

    #[cfg(not(feature = "download"))]
    fn download(&self, file: &DataFile, mut tried: Vec<String>) -> Result<Vec<u8>> {
        tried.push(
            "downloading is not part of this build; to have it: `cargo add cornu --features \
             download`"
                .to_owned(),
        );
        for base in &self.base_urls {
            let url = base.trim_end_matches('/');
            tried.push(format!(
                "{url}/{}.gz: not asked, for that reason",
                file.name
            ));
        }
        Err(self.error(file, &tried))
    }

    fn error(&self, file: &DataFile, tried: &[String]) -> Error {
        let mut message = format!(
            "the data set {} cannot be loaded: no good file {} (or {}.gz). Tried:",
            self.dataset, file.name, file.name
        );
        for place in tried {
            message.push_str("\n  - ");
            message.push_str(place);
        }
        message.push_str(&format!(
            "\nTo give the files yourself, put them into a folder and set {DATA_VARIABLE} to it."
        ));
        Error::io(message)
    }
}

/// Says on standard error what was passed over though it looked like the data asked for.
fn warn(faults: &[String]) {
    for fault in faults {
        eprintln!("cornu: passed over: {fault}");
    }
}

/// The verified content of the file at `path`; `None` when there is nothing at `path`.
fn read_file(path: &Path, file: &DataFile) -> std::result::Result<Option<Vec<u8>>, String> {
    match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot be read: {error}")),
        // Opening a pipe would wait for ever.
        Ok(found) if !found.is_file() => return Err("is not a file".to_owned()),
        Ok(_) => {}
    }
    let opened = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    read_verified(BufReader::with_capacity(1 << 16, opened), file).map(Some)
}

/// The user's cache of data sets: `$XDG_CACHE_HOME`, else the operating system's place.
fn cache_folder(
    variable: impl Fn(&str) -> Option<OsString>,
    home: Option<PathBuf>,
) -> Option<PathBuf> {
    // The XDG base directory specification: a path that is not absolute is to be ignored.
    let absolute = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let system = || {
        if cfg!(windows) {
            absolute("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            home.as_ref().map(|home| home.join("Library/Caches"))
        } else {
            home.as_ref().map(|home| home.join(".cache"))
        }
    };
    let base = absolute("XDG_CACHE_HOME").or_else(system)?;
    Some(base.join("cornu").join("datasets"))
}

#[cfg(test)]
pub(super) mod tests;
