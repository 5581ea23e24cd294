use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{super::content::sha256_hex, super::content::tests::gzip, *};

/// A folder of a test's own, removed at the end.
pub struct TempFolder(PathBuf);

impl TempFolder {
    pub fn new() -> TempFolder {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cornu-datasets-{}-{count}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        TempFolder(path.canonicalize().unwrap())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in a folder `toy` in this one, and returns its path.
    pub fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        fs::create_dir_all(self.0.join("toy")).unwrap();
        let path = self.0.join("toy").join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const CONTENT: &[u8] = b"a toy data set's only file";

/// Runs `body` with the description of the toy file.
fn with_file<R>(body: impl FnOnce(&DataFile) -> R) -> R {
    let sum = sha256_hex(CONTENT);
    body(&DataFile {
        name: "data",
        bytes: CONTENT.len(),
        sha256: &sum,
    })
}

fn load(source: &Source) -> std::result::Result<Vec<u8>, String> {
    with_file(|file| source.load(file)).map_err(|error| error.to_string())
}

/// The standard places of a machine with these variables, home and current folders.
fn standard(variables: &[(&str, &Path)], home: Option<&Path>, current: &Path) -> Source {
    let variable = |name: &str| {
        variables
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, path)| path.as_os_str().to_owned())
    };
    Source::new("toy").local_places(variable, home.map(Path::to_owned), Some(current.to_owned()))
}

#[test]
fn raw_and_gzipped_files_are_found_with_and_without_the_data_sets_folder() {
    for (name, content) in [("data", CONTENT.to_vec()), ("data.gz", gzip(CONTENT))] {
        let folder = TempFolder::new();
        let path = folder.write(name, &content);
        let above = Source::new("toy").folder(folder.path());
        assert_eq!(load(&above).unwrap(), CONTENT);
        let itself = Source::new("toy").folder(path.parent().unwrap());
        assert_eq!(load(&itself).unwrap(), CONTENT);
    }
}

#[test]
fn a_bad_file_in_a_named_folder_is_an_error_though_a_good_one_follows() {
    let (bad, good) = (TempFolder::new(), TempFolder::new());
    good.write("data", CONTENT);
    for content in [&gzip(CONTENT)[..30], b"a toy data set's only lile", b""] {
        let path = bad.write("data.gz", content);
        let source = Source::new("toy").folder(bad.path()).folder(good.path());
        let message = load(&source).unwrap_err();
        assert!(message.contains(&path.display().to_string()), "{message}");
        assert!(message.contains(&sha256_hex(CONTENT)), "{message}");
    }
}

#[test]
fn a_named_folder_that_is_not_there_is_an_error() {
    let good = TempFolder::new();
    good.write("data", CONTENT);
    let absent = good.path().join("absent");
    let message = load(&Source::new("toy").folder(&absent).folder(good.path())).unwrap_err();
    assert!(
        message.contains(&format!("{}: no such folder", absent.display())),
        "{message}"
    );
}

#[test]
fn a_folder_in_the_files_place_is_a_fault() {
    let folder = TempFolder::new();
    fs::create_dir_all(folder.path().join("toy/data.gz")).unwrap();
    let message = load(&Source::new("toy").folder(folder.path())).unwrap_err();
    assert!(message.contains("is not a file"), "{message}");
}

#[test]
fn the_variable_comes_before_the_current_folder_and_that_before_the_cache() {
    let machine = TempFolder::new();
    let (data, work, home) = (
        machine.path().join("data"),
        machine.path().join("work/deep"),
        machine.path().join("home"),
    );
    let xdg = machine.path().join("xdg");
    let places = [
        data.join("toy"),
        machine.path().join("work/datasets/toy"),
        xdg.join("cornu/datasets/toy"),
    ];
    fs::create_dir_all(&work).unwrap();
    for place in &places {
        fs::create_dir_all(place).unwrap();
        fs::write(place.join("data"), CONTENT).unwrap();
    }
    let source = standard(
        &[("CORNU_DATA", &data), ("XDG_CACHE_HOME", &xdg)],
        Some(&home),
        &work,
    );
    for place in &places {
        assert_eq!(load(&source).unwrap(), CONTENT);
        // Each place is enough by itself; without a file the search goes on to the next.
        fs::remove_file(place.join("data")).unwrap();
    }
    // What was tried is listed in the order of the search.
    let message = load(&source).unwrap_err();
    let position = |text: &Path| message.find(&text.display().to_string()).unwrap();
    assert!(
        position(&data) < position(&machine.path().join("work/datasets")),
        "{message}"
    );
    assert!(
        position(&machine.path().join("work/datasets")) < position(&xdg),
        "{message}"
    );
}

#[test]
fn a_bad_file_in_a_found_folder_is_passed_over_and_told() {
    let machine = TempFolder::new();
    let work = machine.path().join("work");
    let bad = work.join("datasets/toy/data");
    fs::create_dir_all(bad.parent().unwrap()).unwrap();
    fs::write(&bad, b"other data").unwrap();
    let xdg = machine.path().join("xdg");
    let source = standard(&[("XDG_CACHE_HOME", &xdg)], None, &work);
    let message = load(&source).unwrap_err();
    assert!(
        message.contains(&format!("{} is cut off", bad.display())),
        "{message}"
    );

    let kept = xdg.join("cornu/datasets/toy");
    fs::create_dir_all(&kept).unwrap();
    fs::write(kept.join("data.gz"), gzip(CONTENT)).unwrap();
    assert_eq!(load(&source).unwrap(), CONTENT);
}

#[test]
fn when_nothing_is_found_every_place_is_listed() {
    let machine = TempFolder::new();
    let source =
        standard(&[], Some(machine.path()), machine.path()).base_urls(Vec::<String>::new());
    let message = load(&source).unwrap_err();
    let cache = cache_folder(|_| None, Some(machine.path().to_owned()));
    let mut expected = vec![
        "data set toy".to_owned(),
        "no good file data (or data.gz)".to_owned(),
        "CORNU_DATA: not set".to_owned(),
        format!(
            "{} or above: no folder `datasets`",
            machine.path().display()
        ),
    ];
    expected.extend(cache.map(|path| format!("{}: no such folder", path.display())));
    if cfg!(not(feature = "download")) {
        expected.push("`cargo add cornu --features download`".to_owned());
    }
    for part in expected {
        assert!(message.contains(&part), "{part:?} in {message}");
    }
}

#[cfg(not(any(windows, target_os = "macos")))]
#[test]
fn the_cache_follows_the_xdg_specification() {
    let cache = |xdg: Option<&str>, home: Option<&str>| {
        cache_folder(
            |name| xdg.filter(|_| name == "XDG_CACHE_HOME").map(OsString::from),
            home.map(PathBuf::from),
        )
    };
    let path = |text: &str| Some(PathBuf::from(text));
    assert_eq!(cache(Some("/x"), Some("/h")), path("/x/cornu/datasets"));
    assert_eq!(
        cache(Some("relative"), Some("/h")),
        path("/h/.cache/cornu/datasets")
    );
    assert_eq!(cache(None, Some("/h")), path("/h/.cache/cornu/datasets"));
    assert_eq!(cache(None, None), None);
}
