//! What a file holds, read where it is needed.

#[cfg(feature = "saving")]
use cornu_cpu::team::Team;
use rawzip::ReaderAt;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
#[cfg(any(feature = "saving", not(unix)))]
use std::sync::{Mutex, PoisonError};

/// Files up to this size are read at once.
const SMALL: u64 = 1 << 20;
/// What is read around a small piece, for what is read next lies near it.
const WINDOW: u64 = 1 << 16;
/// What one thread reads of a large part while others read more of it.
#[cfg(feature = "saving")]
pub(super) const STRETCH: usize = 1 << 20;
/// What of a stretch is read at once: it stays in the cache while it is looked at.
#[cfg(feature = "saving")]
const PIECE: usize = 1 << 16;

/// The content of a file or of a part of it: in memory if it is small, else still on the disk, so that large values
/// come to where they stay without a copy of the whole file between. Copies share it.
#[derive(Clone)]
pub(super) struct Content {
    bytes: Arc<Bytes>,
    window: RefCell<Window>,
    /// The part of it that this is.
    part: Range<u64>,
    position: u64,
}

enum Bytes {
    Memory(Vec<u8>),
    Disk(File),
}

/// Some bytes of a file on the disk, and where they begin.
#[derive(Clone, Default)]
struct Window {
    bytes: Vec<u8>,
    start: u64,
}

impl Content {
    fn new(bytes: Bytes, length: u64) -> Self {
        Self {
            bytes: Arc::new(bytes),
            window: RefCell::default(),
            part: 0..length,
            position: 0,
        }
    }

    /// A whole file.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let known = file.metadata()?;
        if known.is_file() && known.len() > SMALL {
            return Ok(Self::new(Bytes::Disk(file), known.len()));
        }
        // What is no file, a pipe say, has no length to know.
        let mut bytes = Vec::with_capacity(known.len().min(SMALL) as usize);
        file.read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }

    pub fn length(&self) -> u64 {
        self.part.end - self.part.start
    }

    /// Where in all bytes a part of this content lies; `None` if it does not lie inside.
    #[cfg(feature = "saving")]
    fn inside(&self, part: &Range<u64>) -> Option<Range<u64>> {
        let inside = part.start <= part.end && part.end <= self.length();
        inside.then(|| self.part.start + part.start..self.part.start + part.end)
    }

    /// A part of this content; `None` if it does not lie inside.
    #[cfg(feature = "saving")]
    pub fn part(self, part: Range<u64>) -> Option<Self> {
        let part = self.inside(&part)?;
        Some(Self {
            part,
            position: 0,
            ..self
        })
    }

    #[cfg(feature = "saving")]
    pub fn starts_with(&self, bytes: &[u8]) -> io::Result<bool> {
        let mut first = vec![0; bytes.len()];
        let n = self.read_at(&mut first, 0)?;
        Ok(first[..n] == *bytes)
    }

    /// Goes through a part by all threads: there is a state for every [`STRETCH`] of it, and each is shown its own
    /// piece by piece, in order.
    ///
    /// # Errors
    /// A part that is not inside; what the system says.
    #[cfg(feature = "saving")]
    pub fn go_through<S: Send>(
        &self,
        part: Range<u64>,
        states: impl Iterator<Item = S>,
        look: impl Fn(&mut S, &[u8]) + Sync,
    ) -> io::Result<Vec<S>> {
        let part = self.inside(&part).ok_or(ErrorKind::UnexpectedEof)?;
        let mut froms = part.clone().step_by(STRETCH);
        let stretches: Vec<_> = froms.by_ref().zip(states.map(Mutex::new)).collect();
        debug_assert!(froms.next().is_none(), "a state for every stretch");
        let failed = Mutex::new(None);
        let bytes = &*self.bytes;
        Team::global().run(stretches.len(), &|i, _| {
            let (from, state) = &stretches[i];
            let stretch = *from..part.end.min(from + STRETCH as u64);
            let state = &mut *state.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(e) = bytes.show(stretch, |piece| look(state, piece)) {
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
            }
        });
        match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(e) => Err(e),
            None => {
                let states = stretches.into_iter().map(|(_, state)| state.into_inner());
                Ok(states
                    .map(|s| s.unwrap_or_else(PoisonError::into_inner))
                    .collect())
            }
        }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        let length = bytes.len() as u64;
        Self::new(Bytes::Memory(bytes), length)
    }
}

/// Fills `out` from what begins at `at`.
#[cfg(unix)]
fn read_exact_at(file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, at)
}

#[cfg(not(unix))]
fn read_exact_at(mut file: &File, out: &mut [u8], at: u64) -> io::Result<()> {
    // A file has one position, whoever reads it.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(out)
}

/// Fills `out` from held bytes.
fn copy(held: &[u8], begin: u64, out: &mut [u8]) -> io::Result<()> {
    let begin = usize::try_from(begin).ok();
    let range = begin.and_then(|begin| Some(begin..begin.checked_add(out.len())?));
    let held = range.and_then(|range| held.get(range));
    out.copy_from_slice(held.ok_or(ErrorKind::UnexpectedEof)?);
    Ok(())
}

impl Bytes {
    /// Shows a part that lies inside piece by piece.
    #[cfg(feature = "saving")]
    fn show(&self, part: Range<u64>, mut look: impl FnMut(&[u8])) -> io::Result<()> {
        match self {
            Bytes::Memory(bytes) => {
                let part = bytes.get(part.start as usize..part.end as usize);
                let pieces = part.ok_or(ErrorKind::UnexpectedEof)?.chunks(PIECE);
                pieces.for_each(look);
            }
            Bytes::Disk(file) => {
                let mut piece = vec![0; PIECE.min((part.end - part.start) as usize)];
                for from in part.clone().step_by(PIECE) {
                    let n = (part.end - from).min(PIECE as u64) as usize;
                    read_exact_at(file, &mut piece[..n], from)?;
                    look(&piece[..n]);
                }
            }
        }
        Ok(())
    }
}

impl ReaderAt for Content {
    /// All that is asked for, as far as the content goes.
    fn read_at(&self, out: &mut [u8], at: u64) -> io::Result<usize> {
        let left = self.length().saturating_sub(at);
        let n = left.min(out.len() as u64) as usize;
        if n > 0 {
            let (out, at) = (&mut out[..n], self.part.start + at);
            match &*self.bytes {
                Bytes::Memory(bytes) => copy(bytes, at, out)?,
                Bytes::Disk(file) if n as u64 >= WINDOW => read_exact_at(file, out, at)?,
                Bytes::Disk(file) => {
                    let window = &mut *self.window.borrow_mut();
                    let end = window.start + window.bytes.len() as u64;
                    if at < window.start || at + n as u64 > end {
                        // Nothing is held if this fails.
                        window.bytes.clear();
                        let mut bytes = std::mem::take(&mut window.bytes);
                        bytes.resize((self.part.end - at).min(WINDOW) as usize, 0);
                        read_exact_at(file, &mut bytes, at)?;
                        *window = Window { bytes, start: at };
                    }
                    copy(&window.bytes, at - window.start, out)?;
                }
            }
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
        let bytes: Vec<u8> = (0..2 * SMALL + 12_345)
            .map(|i| ((i * 31) >> 3) as u8)
            .collect();
        let path = std::env::temp_dir().join(format!("cornu-{name}-{}", std::process::id()));
        std::fs::write(&path, &bytes).unwrap();
        let disk = Content::of_file(&path).unwrap();
        assert!(matches!(*disk.bytes, Bytes::Disk(_)));
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
            let of = vec![Vec::new(); bytes.len().div_ceil(STRETCH)];
            let look = |seen: &mut Vec<u8>, piece: &[u8]| seen.extend_from_slice(piece);
            let to = bytes.len() as u64;
            let seen = part.go_through(5..to, of.into_iter(), look).unwrap();
            assert!(seen.len() > 1 && seen.concat() == bytes[5..]);
            assert!(
                part.go_through(0..to + 1, [0].into_iter(), |_, _| {})
                    .is_err()
            );
            assert!(part.part(0..whole).is_none());
        }
    }
}
