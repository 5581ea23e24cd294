//! Aligned memory.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Bytes that start on a cache line, zero at first.
#[derive(Debug)]
pub(crate) struct Buffer {
    ptr: NonNull<u8>,
    layout: Layout,
}

/// Alignment of buffers: a page, so that large ones lie the same way in every run.
const ALIGN: usize = 4096;

impl Buffer {
    /// `bytes` of memory (at least one).
    pub fn new(bytes: usize) -> Buffer {
        let layout = Layout::from_size_align(bytes.max(1), ALIGN)
            .unwrap_or_else(|_| handle_alloc_error(Layout::new::<u8>()));
        // SAFETY: the layout's size is not 0.
        let ptr = unsafe { alloc_zeroed(layout) };
        let ptr = NonNull::new(ptr).unwrap_or_else(|| handle_alloc_error(layout));
        Buffer { ptr, layout }
    }

    /// The first byte.
    pub fn ptr(&self) -> *mut u8 {
        self.ptr.as_ptr()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout in `new`.
        unsafe { dealloc(self.ptr.as_ptr(), self.layout) }
    }
}

// SAFETY: the buffer owns its memory; what is done through `ptr` is its user's business.
unsafe impl Send for Buffer {}
