//! `.keras`: an archive of `metadata.json`, `config.json` and `model.weights.h5`.

use crate::{Error, Result};
use flate2::Crc;
use std::io::{Cursor, Read, Seek, Write};
use std::ops::Range;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Writes the members one after another, as they are.
pub(super) fn write(out: impl Write + Seek, members: &[(&str, &[u8])]) -> Result<()> {
    let failed = |e: zip::result::ZipError| Error::io(format!("The archive cannot be made: {e}."));
    let mut archive = ZipWriter::new(out);
    for (name, bytes) in members {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .large_file(bytes.len() >= u32::MAX as usize);
        archive.start_file(*name, options).map_err(failed)?;
        archive.write_all(bytes)?;
    }
    archive.finish().map_err(failed)?;
    Ok(())
}

/// The members of a `.keras` file. Keras stores them as they are; that others compress them is allowed for, but
/// none may become more than [`EXPANSION`] times the archive.
pub(super) struct Archive<'a>(ZipArchive<Cursor<&'a [u8]>>, u64);

/// How many times the size of its archive a member may have.
pub(super) const EXPANSION: u64 = 16;

impl<'a> Archive<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        let length = bytes.len() as u64;
        match ZipArchive::new(Cursor::new(bytes)) {
            Ok(archive) => Ok(Self(archive, length)),
            Err(e) => Err(Error::io(format!(
                "The file is no archive of a model: {e}."
            ))),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.index_for_name(name).is_some()
    }

    /// Where in the archive a member lies, if it is there as it is, and its check sum.
    fn place(&mut self, name: &str) -> Option<(Range<usize>, u32)> {
        let member = self.0.by_name(name).ok()?;
        let as_it_is = member.compression() == CompressionMethod::Stored
            && member.size() == member.compressed_size();
        let start = usize::try_from(member.data_start()?).ok()?;
        let end = start.checked_add(usize::try_from(member.size()).ok()?)?;
        as_it_is.then_some((start..end, member.crc32()))
    }

    pub fn read(&mut self, name: &str) -> Result<Vec<u8>> {
        let limit = self.1.saturating_mul(EXPANSION);
        let failed =
            |e: String| Error::io(format!("\"{name}\" in the archive cannot be read: {e}."));
        let member = self.0.by_name(name).map_err(|e| failed(e.to_string()))?;
        let claimed = member.size();
        if claimed > limit {
            return Err(failed(format!(
                "it claims {claimed} bytes in an archive of {}",
                self.1
            )));
        }
        let mut bytes = Vec::with_capacity(claimed.min(self.1) as usize);
        let read = member.take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|e| failed(e.to_string()))?;
        if bytes.len() as u64 > limit {
            return Err(failed(format!(
                "it becomes more than {EXPANSION} times the archive"
            )));
        }
        Ok(bytes)
    }
}

/// A member of an archive that is needed no more: its own memory, if the member lies there as it is.
pub(super) fn take(mut bytes: Vec<u8>, name: &str) -> Result<Vec<u8>> {
    let mut archive = Archive::open(&bytes)?;
    let Some((place, sum)) = archive.place(name) else {
        return archive.read(name);
    };
    let mut crc = Crc::new();
    match bytes.get(place.clone()) {
        Some(member) => crc.update(member),
        None => return archive.read(name),
    }
    if crc.sum() != sum {
        return Err(Error::io(format!(
            "\"{name}\" in the archive cannot be read: it is damaged."
        )));
    }
    bytes.truncate(place.end);
    bytes.drain(..place.start);
    Ok(bytes)
}
