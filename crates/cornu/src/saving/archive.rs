//! `.keras`: an archive of `metadata.json`, `config.json` and `model.weights.h5`.

use super::content::Content;
use crate::{Error, Result};
use std::fmt::Display;
use std::io::{Read, Seek, Write};
use std::ops::Range;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// An archive that is written member after member, each as it is.
pub(super) struct Writer<W: Write + Seek>(ZipWriter<W>);

fn not_made(e: ZipError) -> Error {
    Error::io(format!("The archive cannot be made: {e}."))
}

impl<W: Write + Seek> Writer<W> {
    pub fn new(out: W) -> Self {
        Self(ZipWriter::new(out))
    }

    /// Begins a member of about so many bytes, to be written to what is returned.
    pub fn member(&mut self, name: &str, bytes: usize) -> Result<&mut impl Write> {
        // What is said of a member beforehand has no room for 4 GiB unless it is said that it needs it.
        let large = bytes.saturating_add(1 << 20) >= u32::MAX as usize;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .large_file(large);
        self.0.start_file(name, options).map_err(not_made)?;
        Ok(&mut self.0)
    }

    pub fn finish(self) -> Result<()> {
        self.0.finish().map_err(not_made)?;
        Ok(())
    }
}

/// The members of a `.keras` file. Keras stores them as they are; that others compress them is allowed for, but
/// none may become more than [`EXPANSION`] times the archive.
pub(super) struct Archive {
    inside: ZipArchive<Content>,
    length: u64,
}

/// How many times the size of its archive a member may have.
pub(super) const EXPANSION: u64 = 16;

/// What is read at once where nothing stays of it.
const PIECE: usize = 1 << 18;

fn unread(name: &str, why: impl Display) -> Error {
    Error::io(format!("\"{name}\" in the archive cannot be read: {why}."))
}

impl Archive {
    pub fn open(content: Content) -> Result<Self> {
        let length = content.length();
        match ZipArchive::new(content) {
            Ok(inside) => Ok(Self { inside, length }),
            Err(e) => Err(Error::io(format!(
                "The file is no archive of a model: {e}."
            ))),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.inside.index_for_name(name).is_some()
    }

    pub fn read(&mut self, name: &str) -> Result<Vec<u8>> {
        let limit = self.length.saturating_mul(EXPANSION);
        let member = self.inside.by_name(name).map_err(|e| unread(name, e))?;
        let claimed = member.size();
        if claimed > limit {
            return Err(unread(
                name,
                format!("it claims {claimed} bytes in an archive of {}", self.length),
            ));
        }
        let mut bytes = Vec::with_capacity(claimed.min(self.length) as usize);
        let read = member.take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|e| unread(name, e))?;
        if bytes.len() as u64 > limit {
            return Err(unread(
                name,
                format!("it becomes more than {EXPANSION} times the archive"),
            ));
        }
        Ok(bytes)
    }

    /// A member of an archive that is needed no more: where it lies, if it lies there as it is.
    pub fn take(mut self, name: &str) -> Result<Content> {
        let Some(place) = self.checked(name)? else {
            return self.read(name).map(Content::from);
        };
        let content = self.inside.into_inner();
        content
            .part(place)
            .ok_or_else(|| unread(name, "it is damaged"))
    }

    /// Where a member lies, if it is stored as it is; its check sum has been found right.
    fn checked(&mut self, name: &str) -> Result<Option<Range<u64>>> {
        let Ok(mut member) = self.inside.by_name(name) else {
            return Ok(None);
        };
        if member.compression() != CompressionMethod::Stored {
            return Ok(None);
        }
        // The end of the member compares the sums.
        let (mut piece, mut length) = (vec![0; PIECE], 0);
        loop {
            match member.read(&mut piece).map_err(|e| unread(name, e))? {
                0 => break,
                n => length += n as u64,
            }
        }
        let place = |start| start..start + length;
        Ok(member.data_start().map(place))
    }
}
