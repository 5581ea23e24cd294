//! Where the examples write pictures.

use crate::arguments::argument;
use std::path::PathBuf;

/// The folder after `--pictures`, else `pictures`, which git ignores; made if it is not there.
pub fn folder() -> cornu::Result<PathBuf> {
    let folder = argument("--pictures", PathBuf::from("pictures"))?;
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
