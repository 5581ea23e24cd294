//! `.keras`: an archive of `metadata.json`, `config.json` and `model.weights.h5`.

use crate::{Error, Result};
use flate2::Crc;
use std::io::{Cursor, Read, Seek, Write};
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
