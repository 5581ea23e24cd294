//! Aligned memory.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Bytes that start on a cache line, zero at first.
#[derive(Debug)]
pub(crate) struct Buffer {
    ptr: NonNull<u8>,
    /// What was allocated: the buffer, or something that it lies in.
    whole: NonNull<u8>,
    layout: Layout,
}

/// Alignment of buffers: a page, so that large ones lie the same way in every run.
const ALIGN: usize = 4096;
/// The large pages of x86-64, and of Arm with the usual small ones.
const LARGE_PAGE: usize = 2 << 20;

impl Buffer {
    /// `bytes` of memory (at least one).
    pub fn new(bytes: usize) -> Buffer {
        Buffer::try_new(bytes).unwrap_or_else(|| handle_alloc_error(Layout::new::<u8>()))
    }

    /// The same, or nothing if there is not as much.
    pub fn try_new(bytes: usize) -> Option<Buffer> {
        let (size, align) = match bytes < 2 * LARGE_PAGE {
            true => (bytes.max(1), ALIGN),
            // Memory of no special alignment comes zeroed from the system, untouched: each page of it is
            // there when it is first used.
            false => (bytes.saturating_add(LARGE_PAGE), align_of::<usize>()),
        };
        let layout = Layout::from_size_align(size, align).ok()?;
        // SAFETY: the layout's size is not 0.
        let whole = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        let mut ptr = whole;
        if align < ALIGN {
            // SAFETY: a large page more than `bytes` was allocated.
            ptr = unsafe { whole.add(whole.addr().get().wrapping_neg() % LARGE_PAGE) };
            prefer_large_pages(ptr, bytes);
        }
        Some(Buffer { ptr, whole, layout })
    }

    /// The first byte.
    pub fn ptr(&self) -> *mut u8 {
        self.ptr.as_ptr()
    }
}

/// Asks the system to back memory with large pages: kernels walk through so much of it that looking up
/// small ones takes a good part of their time. It may decline; nothing depends on it.
fn prefer_large_pages(ptr: NonNull<u8>, bytes: usize) {
    #[cfg(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    ))]
    {
        use std::ffi::{c_int, c_void};
        unsafe extern "C" {
            fn madvise(address: *mut c_void, length: usize, advice: c_int) -> c_int;
        }
        const MADV_HUGEPAGE: c_int = 14;
        // SAFETY: whole pages of memory that was just allocated; the advice changes nothing in it.
        unsafe {
            madvise(
                ptr.as_ptr().cast(),
                bytes / LARGE_PAGE * LARGE_PAGE,
                MADV_HUGEPAGE,
            );
        }
    }
    let _ = (ptr, bytes);
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout in `try_new`.
        unsafe { dealloc(self.whole.as_ptr(), self.layout) }
    }
}

// SAFETY: the buffer owns its memory; what is done through `ptr` is its user's business.
unsafe impl Send for Buffer {}
