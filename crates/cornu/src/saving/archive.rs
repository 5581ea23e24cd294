//! `.keras`: an archive of `metadata.json`, `config.json` and `model.weights.h5`.

use super::content::Content;
use super::members::Members;
use crate::{Error, Result};
use std::fmt::Display;

/// The members of a `.keras` file. Keras stores them as they are; that others compress them is allowed for, but
/// none may become more than [`EXPANSION`] times the archive.
pub(super) struct Archive {
    members: Members,
    length: u64,
}

/// How many times the size of its archive a member may have.
pub(super) const EXPANSION: u64 = 16;

fn unread(name: &str, why: impl Display) -> Error {
    Error::io(format!("\"{name}\" in the archive cannot be read: {why}."))
}

impl Archive {
    pub fn open(content: Content) -> Result<Self> {
        let length = content.length();
        match Members::open(content) {
            Ok(members) => Ok(Self { members, length }),
            Err(e) => Err(Error::io(format!(
                "The file is no archive of a model: {e}."
            ))),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some()
    }

    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        let Some(member) = self.members.get(name) else {
            return Err(unread(name, "it is not there"));
        };
        let limit = self.length.saturating_mul(EXPANSION);
        let read = self.members.read(member, limit);
        read.map_err(|e| unread(name, e))
    }

    /// A member of an archive that is needed no more: where it lies, if it lies there as it is.
    pub fn take(self, name: &str) -> Result<Content> {
        let place = self.members.get(name).map(|m| self.members.place(m));
        let place = place.transpose().map_err(|e| unread(name, e))?;
        match place.flatten() {
            None => self.read(name).map(Content::from),
            Some(place) => {
                let part = self.members.into_content().part(place);
                part.ok_or_else(|| unread(name, "it is damaged"))
            }
        }
    }
}
