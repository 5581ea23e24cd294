//! Ready-made data sets, as `keras.datasets` has them.
//!
//! Each data set is a module with a `load_data` function where Keras has it, else with `load`, which gives
//! a [`Table`] or texts. Its files are looked for in this order:
//!
//! 1. the folder named by the environment variable `CORNU_DATA` (it holds a folder per data set,
//!    or the files themselves); a bad file there is an error;
//! 2. the folder `datasets` of Cornu's own repository, and a folder `datasets` in the current
//!    folder or any above it;
//! 3. the user's cache: `$XDG_CACHE_HOME/cornu/datasets`, else `~/.cache/cornu/datasets`
//!    (`~/Library/Caches/…` on macOS, `%LOCALAPPDATA%\…` on Windows);
//! 4. public mirrors, if the data set has any, from where they go into that cache (unless Cornu is built without its default
//!    feature `download`, and then nothing ever touches the network).
//!
//! Files may be gzipped (`name.gz`) or not (`name`). Whatever the place, the decompressed content
//! must have the known SHA-256, so a cut-off or altered file is never used. That is why mirrors are
//! asked over plain HTTP: nobody on the way can slip in anything else. The feature `tls` adds HTTPS,
//! for mirrors that want it and for those who would not have it seen what they fetch.

pub mod alice;
pub mod breast_cancer;
mod content;
pub mod diabetes;
pub mod digits;
#[cfg(feature = "download")]
mod download;
mod idx;
pub mod iris;
pub mod linnerud;
pub mod mnist;
pub mod movie_reviews;
mod source;
pub mod sunspots;
mod table;
pub mod wine;

pub use source::Source;
pub use table::Table;
