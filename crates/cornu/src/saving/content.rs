//! What a file holds, read where it is needed.

use rawzip::ReaderAt;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

/// Files up to this size are read at once.
const SMALL: u64 = 1 << 20;
/// What is read around a small piece, for what is read next lies near it.
const WINDOW: u64 = 1 << 16;

/// The content of a file or of a part of it: in memory if it is small, else still on the disk, so that large values
/// come to where they stay without a copy of the whole file between.
pub(super) struct Content {
    place: RefCell<Place>,
    /// The part of it that this is.
    part: Range<u64>,
    position: u64,
}

enum Place {
    Memory(Vec<u8>),
    Disk {
        file: File,
        /// Some of its bytes, and where they begin.
        window: Vec<u8>,
        start: u64,
    },
}

impl Content {
    /// A whole file.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let known = file.metadata()?;
        if known.is_file() && known.len() > SMALL {
            return Ok(Self {
                place: RefCell::new(Place::Disk {
                    file,
                    window: Vec::new(),
                    start: 0,
                }),
                part: 0..known.len(),
                position: 0,
            });
        }
        // What is no file, a pipe say, has no length to know.
        let mut bytes = Vec::with_capacity(known.len().min(SMALL) as usize);
        file.read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }

    pub fn length(&self) -> u64 {
        self.part.end - self.part.start
    }

    /// A part of this content; `None` if it does not lie inside.
    #[cfg(feature = "saving")]
    pub fn part(self, part: Range<u64>) -> Option<Self> {
        let inside = part.start <= part.end && part.end <= self.length();
        inside.then(|| Self {
            part: self.part.start + part.start..self.part.start + part.end,
            place: self.place,
            position: 0,
        })
    }

    #[cfg(feature = "saving")]
    pub fn starts_with(&self, bytes: &[u8]) -> io::Result<bool> {
        let mut first = vec![0; bytes.len()];
        let n = self.read_at(&mut first, 0)?;
        Ok(first[..n] == *bytes)
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            part: 0..bytes.len() as u64,
            place: RefCell::new(Place::Memory(bytes)),
            position: 0,
        }
    }
}

impl Place {
    /// Fills `out` from what begins at `at`; it lies inside, unless the file became shorter meanwhile.
    fn read(&mut self, at: u64, out: &mut [u8]) -> io::Result<()> {
        let wanted = out.len();
        let (held, begin) = match self {
            Place::Memory(bytes) => (&*bytes, at),
            Place::Disk {
                file,
                window,
                start,
            } => {
                if wanted as u64 >= WINDOW {
                    file.seek(SeekFrom::Start(at))?;
                    return file.read_exact(out);
                }
                let end = *start + window.len() as u64;
                if at < *start || at + wanted as u64 > end {
                    window.clear();
                    *start = at;
                    file.seek(SeekFrom::Start(at))?;
                    file.take(WINDOW).read_to_end(window)?;
                }
                (&*window, at - *start)
            }
        };
        let begin = usize::try_from(begin).ok();
        let range = begin.and_then(|begin| Some(begin..begin.checked_add(wanted)?));
        let held = range.and_then(|range| held.get(range));
        out.copy_from_slice(held.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl ReaderAt for Content {
    /// All that is asked for, as far as the content goes.
    fn read_at(&self, out: &mut [u8], at: u64) -> io::Result<usize> {
        let left = self.length().saturating_sub(at);
        let n = left.min(out.len() as u64) as usize;
        if n > 0 {
            let place = &mut *self.place.borrow_mut();
            place.read(self.part.start + at, &mut out[..n])?;
        }
        Ok(n)
    }
}

impl Read for Content {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.read_at(out, self.position)?;
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for Content {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.length().checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(all(test, feature = "saving"))]
mod tests {
    use super::*;

    /// The same bytes in memory and on the disk.
    fn both(name: &str) -> (Vec<u8>, Content, Content) {
        let bytes: Vec<u8> = (0..SMALL + 12_345).map(|i| ((i * 31) >> 3) as u8).collect();
        let path = std::env::temp_dir().join(format!("cornu-{name}-{}", std::process::id()));
        std::fs::write(&path, &bytes).unwrap();
        let disk = Content::of_file(&path).unwrap();
        assert!(matches!(*disk.place.borrow(), Place::Disk { .. }));
        std::fs::remove_file(&path).unwrap();
        (bytes.clone(), bytes.into(), disk)
    }

    #[test]
    fn reads_the_same_from_memory_and_from_the_disk() {
        let (bytes, memory, disk) = both("content");
        for content in [memory, disk] {
            let whole = content.length();
            let mut part = content.part(1000..whole - 1000).unwrap();
            let bytes = &bytes[1000..bytes.len() - 1000];
            assert!(part.starts_with(&bytes[..9]).unwrap());
            assert!(!part.starts_with(b"nothing of this").unwrap());
            for (at, n) in [(0, 7), (5, 3), (70_000, 1), (9, 100_000), (65_000, 2000)] {
                let mut out = vec![0; n];
                part.seek(SeekFrom::Start(at)).unwrap();
                part.read_exact(&mut out).unwrap();
                assert_eq!(out, bytes[at as usize..][..n], "{n} at {at}");
            }
            part.seek(SeekFrom::End(-10)).unwrap();
            let mut rest = Vec::new();
            part.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, bytes[bytes.len() - 10..]);
            part.seek(SeekFrom::Start(u64::MAX)).unwrap();
            assert_eq!(part.read(&mut [0; 4]).unwrap(), 0);
            part.seek(SeekFrom::Start(3)).unwrap();
            assert!(part.seek(SeekFrom::Current(-4)).is_err());
            assert!(part.part(0..whole).is_none());
        }
    }
}
