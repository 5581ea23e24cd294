//! Zip archives: the one place that knows the library which reads and writes them.
//!
//! What is read may come from anyone. A member's own claims are bounds for what is read of it, a caller's limit is
//! another, and what does not become what it claims to be is an error.

use super::content::Content;
#[cfg(feature = "saving")]
use super::content::STRETCH;
use crate::{Error, Result};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use rawzip::path::{EntryPath, ZipFilePath};
use rawzip::time::UtcDateTime;
use rawzip::{
    CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder,
    ZipArchiveWriter, ZipLocator,
};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;
use std::io::{Read, Write};
#[cfg(feature = "saving")]
use std::ops::Range;

/// An archive that is written member after member, each as it is.
pub(super) struct Writer<'a> {
    zip: ZipArchiveWriter<&'a mut dyn Write>,
    names: BTreeSet<String>,
}

fn not_made(e: impl Display) -> Error {
    Error::io(format!("The archive cannot be made: {e}."))
}

impl<'a> Writer<'a> {
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self {
            zip: ZipArchiveWriter::new(out),
            names: BTreeSet::new(),
        }
    }

    /// A member with what is written to what `write` is given.
    ///
    /// # Errors
    /// If there is one of this name, or the name is a path that archives cannot hold.
    pub fn member(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        if !self.names.insert(name.to_string()) {
            return Err(not_made(format_args!(
                "two members have the name \"{name}\""
            )));
        }
        // Names beyond ASCII are marked as UTF-8 only if they are proper paths.
        let path = match name.is_ascii() {
            true => EntryPath::verbatim(name.as_bytes()),
            false if ZipFilePath::from_str(name).as_str() == name => EntryPath::conformant(name),
            false => return Err(not_made(format_args!("\"{name}\" is no path of a member"))),
        };
        let member = self.zip.new_file(path);
        let member = match UtcDateTime::from_components(1980, 1, 1, 0, 0, 0, 0) {
            Some(always) => member.last_modified(always),
            None => member,
        };
        let (mut member, sums) = member.start().map_err(not_made)?;
        let mut content = sums.wrap(&mut member);
        write(&mut content)?;
        let (_, sums) = content.finish().map_err(not_made)?;
        member.finish(sums).map_err(not_made)?;
        Ok(())
    }

    pub fn finish(self) -> Result<()> {
        self.zip.finish().map_err(not_made)?;
        Ok(())
    }
}

/// The members of an archive.
pub(super) struct Members {
    zip: ZipArchive<Content>,
    all: Vec<Member>,
}

/// What an archive says of a member.
pub(super) struct Member {
    pub name: String,
    /// How many bytes it is said to become.
    pub claimed: u64,
    method: CompressionMethod,
    encrypted: bool,
    crc: u32,
    place: ZipArchiveEntryWayfinder,
}

impl Members {
    /// # Errors
    /// The library's own, as phrases.
    pub fn open(content: Content) -> std::result::Result<Self, String> {
        let length = content.length();
        let buffer = &mut vec![0; RECOMMENDED_BUFFER_SIZE];
        let zip = ZipLocator::new().locate_in_reader(content, buffer, length);
        let zip = zip.map_err(|(_, e)| e.to_string())?;
        let (mut all, mut places) = (Vec::<Member>::new(), HashMap::new());
        let mut entries = zip.entries(buffer);
        while let Some(entry) = entries.next_entry().map_err(|e| e.to_string())? {
            let member = Member {
                name: String::from_utf8_lossy(entry.file_path().as_ref()).into_owned(),
                claimed: entry.uncompressed_size_hint(),
                method: entry.compression_method(),
                encrypted: entry.flags().is_encrypted(),
                crc: entry.crc32(),
                place: entry.wayfinder(),
            };
            // As everywhere, the last of a name counts.
            match places.get(&member.name) {
                Some(i) => all[*i] = member,
                None => {
                    places.insert(member.name.clone(), all.len());
                    all.push(member);
                }
            }
        }
        Ok(Self { zip, all })
    }

    /// All members, in the archive's order.
    pub fn all(&self) -> &[Member] {
        &self.all
    }

    /// The member of a name.
    #[cfg(feature = "saving")]
    pub fn get(&self, name: &str) -> Option<&Member> {
        self.all.iter().find(|member| member.name == name)
    }

    /// A member's content.
    ///
    /// # Errors
    /// As phrases: one that claims more than `limit` bytes, or is damaged, encrypted, or compressed otherwise than
    /// by Deflate.
    pub fn read(&self, member: &Member, limit: u64) -> std::result::Result<Vec<u8>, String> {
        if member.encrypted {
            return Err("it is encrypted".to_string());
        }
        if member.claimed > limit {
            let claimed = member.claimed;
            return Err(format!("it claims {claimed} bytes, more than {limit}"));
        }
        let entry = self
            .zip
            .get_entry(member.place)
            .map_err(|e| e.to_string())?;
        let (kept, whole) = (entry.reader(), self.zip.get_ref().length());
        // Where a member lies is a claim too: no more is set aside than the archive has.
        let mut content = Vec::with_capacity(member.claimed.min(whole) as usize);
        let most = member.claimed.saturating_add(1);
        let read = match member.method {
            CompressionMethod::STORE => kept.take(most).read_to_end(&mut content),
            CompressionMethod::DEFLATE => {
                let inflated = DeflateDecoder::new(kept);
                inflated.take(most).read_to_end(&mut content)
            }
            other => {
                let method = other.as_u16();
                return Err(format!(
                    "it is compressed by a method ({method}) that is not known"
                ));
            }
        };
        read.map_err(|e| e.to_string())?;
        let mut crc = Crc::new();
        crc.update(&content);
        member.is_whole(content.len() as u64, &crc)?;
        Ok(content)
    }

    /// Where in the archive a member lies, if it is there as it is.
    ///
    /// # Errors
    /// A phrase, if that is not what it is said to be.
    #[cfg(feature = "saving")]
    pub fn place(&self, member: &Member) -> std::result::Result<Option<Range<u64>>, String> {
        if member.encrypted || member.method != CompressionMethod::STORE {
            return Ok(None);
        }
        let entry = self
            .zip
            .get_entry(member.place)
            .map_err(|e| e.to_string())?;
        let (from, to) = entry.compressed_data_range();
        let stretches = to.saturating_sub(from).div_ceil(STRETCH as u64);
        let sums = self.zip.get_ref().go_through(
            from..to,
            (0..stretches).map(|_| Crc::new()),
            |crc, piece| crc.update(piece),
        );
        let mut crc = Crc::new();
        for sum in sums.map_err(|e| e.to_string())? {
            crc.combine(&sum);
        }
        member.is_whole(to - from, &crc)?;
        Ok(Some(from..to))
    }

    /// What it was opened on.
    #[cfg(feature = "saving")]
    pub fn into_content(self) -> Content {
        self.zip.into_inner()
    }
}

impl Member {
    fn is_whole(&self, length: u64, crc: &Crc) -> std::result::Result<(), String> {
        match length == self.claimed && crc.sum() == self.crc {
            true => Ok(()),
            false => Err("it is damaged".to_string()),
        }
    }
}

#[cfg(all(test, feature = "saving"))]
mod tests {
    use super::*;

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        for (name, content) in members {
            let written = writer.member(name, |out| Ok(out.write_all(content)?));
            written.unwrap();
        }
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn members_come_back_and_others_read_them() {
        let members: [(&str, &[u8]); 4] = [
            ("a/b.npy", b"some"),
            ("../x", b""),
            ("ü/ß", b"more"),
            ("/y//z", &[0; 9000]),
        ];
        let bytes = archive(&members);
        let ours = Members::open(bytes.clone().into()).unwrap();
        let mut theirs = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
        assert_eq!(ours.all().len(), members.len());
        for ((name, content), member) in members.iter().zip(ours.all()) {
            assert_eq!(member.name, *name);
            assert_eq!(ours.read(member, 9000).unwrap(), *content);
            let place = ours.place(member).unwrap().unwrap();
            assert_eq!(bytes[place.start as usize..place.end as usize], **content);
            let mut read = Vec::new();
            theirs
                .by_name(name)
                .unwrap()
                .read_to_end(&mut read)
                .unwrap();
            assert_eq!(read, *content);
        }
        let last = ours.get("/y//z").unwrap();
        let e = ours.read(last, 8999).unwrap_err();
        assert_eq!(e, "it claims 9000 bytes, more than 8999");
        assert!(ours.get("z").is_none());
    }

    #[test]
    fn names_must_differ_and_be_paths() {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        writer.member("a", |_| Ok(())).unwrap();
        let e = writer.member("a", |_| Ok(())).unwrap_err().to_string();
        assert!(e.contains("two members have the name \"a\""), "{e}");
        let e = writer.member("ü/../b", |_| Ok(())).unwrap_err().to_string();
        assert!(e.contains("\"ü/../b\" is no path"), "{e}");
    }

    /// Archives with bytes changed, cut off, doubled or moved: nothing panics, and what is read is what was
    /// written.
    #[test]
    fn damaged_archives_give_errors_or_what_was_written() {
        let text: Vec<u8> = (0..3000u32).map(|i| ((i * i) >> 7) as u8).collect();
        let mut both = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        both.start_file("deflated", options).unwrap();
        both.write_all(&text).unwrap();
        both.start_file("large", options.large_file(true)).unwrap();
        both.write_all(&text).unwrap();
        let deflated = both.finish().unwrap().into_inner();
        let stored = archive(&[("stored", &text), ("empty", b"")]);
        let mut state = 7u64;
        let mut draw = |below: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize % below
        };
        let mut read = 0;
        for round in 0..6000 {
            let mut bytes = [&deflated, &stored][round % 2].clone();
            for _ in 0..1 + draw(3) {
                // Most of it where what is said of members lies.
                let from = if draw(4) == 0 {
                    0
                } else {
                    bytes.len() - bytes.len().min(330)
                };
                let at = from + draw(bytes.len() - from);
                match draw(5) {
                    0 => bytes[at] ^= 1 << draw(8),
                    1 => bytes[at] = [0, 1, 0x7f, 0xff][draw(4)],
                    2 => bytes[at..]
                        .iter_mut()
                        .take(4 + draw(8))
                        .for_each(|b| *b = 0xff),
                    3 => bytes.truncate(at.max(1)),
                    _ => {
                        let again = bytes[at..].to_vec();
                        bytes.extend(again);
                    }
                }
            }
            let Ok(members) = Members::open(bytes.into()) else {
                continue;
            };
            for member in members.all() {
                if let Ok(content) = members.read(member, 1 << 16) {
                    assert!(content == text || content.is_empty(), "round {round}");
                    read += 1;
                }
                let _ = members.place(member);
            }
        }
        assert!(read > 1000, "{read}");
    }
}
