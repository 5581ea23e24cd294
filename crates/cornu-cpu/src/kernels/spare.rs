//! Memory that the pieces of a kernel work in.

use crate::buffer::Buffer;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Buffers of one size that nobody uses; as many as pieces ever ran at the same time, so that steady runs
/// allocate nothing.
#[derive(Debug, Default)]
pub(super) struct Spare(Mutex<Vec<Buffer>>);

impl Spare {
    fn all(&self) -> MutexGuard<'_, Vec<Buffer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of `bytes`, always the same number.
    pub fn take(&self, bytes: usize) -> Buffer {
        let kept = self.all().pop();
        kept.unwrap_or_else(|| Buffer::new(bytes))
    }

    /// Gives it back.
    pub fn put(&self, buffer: Buffer) {
        self.all().push(buffer);
    }
}
