//! Files written whole or not at all.

use crate::{Error, Result};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file so that at every moment, even if the process or the machine dies, there is either what was
/// there before or the whole of the new: the content goes to a temporary name in the same folder, reaches
/// the disk, and only then takes the name. If `write` fails, nothing has changed.
///
/// A link is followed, and the file that it names is written; a file that was there keeps its permissions.
pub(crate) fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    write_boxed(path, Box::new(write))
}

type Content<'a> = Box<dyn FnOnce(&mut BufWriter<File>) -> Result<()> + 'a>;

fn write_boxed(path: &Path, write: Content) -> Result<()> {
    let failed = |e: io::Error| Error::io(format!("{} cannot be written: {e}.", path.display()));
    let place = match fs::symlink_metadata(path) {
        Ok(known) if known.is_symlink() => fs::canonicalize(path).map_err(failed)?,
        _ => path.to_path_buf(),
    };
    let (temporary, file) = Temporary::beside(&place).map_err(failed)?;
    if let Ok(known) = fs::metadata(&place) {
        file.set_permissions(known.permissions()).map_err(failed)?;
    }
    let mut out = BufWriter::with_capacity(1 << 16, file);
    write(&mut out)?;
    let finish = || {
        out.flush()?;
        out.get_ref().sync_all()?;
        // Windows renames no open file.
        drop(out);
        temporary.rename(&place)
    };
    finish().map_err(failed)
}

/// A file that is removed again unless it is renamed.
struct Temporary(Option<PathBuf>);

impl Temporary {
    /// A new file in the same folder, under a name that no other process or thread uses.
    fn beside(place: &Path) -> io::Result<(Self, File)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let Some(name) = place.file_name() else {
            return Err(io::Error::other("the path has no file name"));
        };
        loop {
            let next = NEXT.fetch_add(1, Ordering::Relaxed);
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{}-{next}.tmp", std::process::id()));
            let path = place.with_file_name(hidden);
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                // What a process of the same number left when it was killed.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
                Ok(file) => return Ok((Self(Some(path)), file)),
            }
        }
    }

    fn rename(mut self, place: &Path) -> io::Result<()> {
        if let Some(path) = &self.0 {
            fs::rename(path, place)?;
        }
        self.0 = None;
        sync_folder(place)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // There is nobody left to tell: the first error is already on its way.
            let _ = fs::remove_file(path);
        }
    }
}

/// Makes a new name in a folder last. Only Unix knows folders as files that can be synchronised.
fn sync_folder(place: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = place.parent().filter(|p| !p.as_os_str().is_empty());
        return File::open(folder.unwrap_or(Path::new(".")))?.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty folder of this test's own.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("cornu-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn new_content_replaces_old_and_a_failure_changes_nothing() {
        let folder = folder("files");
        let path = folder.join("model.keras");
        for content in ["first", "second"] {
            write_atomically(&path, |out| Ok(out.write_all(content.as_bytes())?)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        let e = write_atomically(&path, |out| {
            out.write_all(b"half of the th")?;
            Err(Error::new("No more."))
        });
        assert_eq!(e.unwrap_err().to_string(), "No more.");
        assert_eq!(fs::read_to_string(&path).unwrap(), "second");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);

        let e = write_atomically(&folder.join("no/model.keras"), |_| Ok(())).unwrap_err();
        assert!(e.to_string().contains("cannot be written"), "{e}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_permissions_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = folder("links");
        let (path, link) = (folder.join("real"), folder.join("link"));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&path, &link).unwrap();
        write_atomically(&link, |out| Ok(out.write_all(b"new")?)).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::remove_dir_all(folder).unwrap();
    }
}
