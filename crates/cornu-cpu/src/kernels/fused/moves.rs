//! Moves between memory and blocks: loads of strided operands, stores of strided outputs, with
//! conversion between the stored type and the lane.

use super::half;
use super::loops::LaneType;
use cornu_core::DType;

/// `dst[r·cols + c] = src[r·rs + c·cs]`, converted: destination, source, rows, cols, rs, cs (elements).
pub(crate) type Load = unsafe fn(*mut u8, *const u8, usize, usize, isize, isize);

/// `dst[r·ld + c] = src[r·cols + c]`, converted: source, destination, rows, cols, ld (elements).
pub(crate) type Store = unsafe fn(*const u8, *mut u8, usize, usize, usize);

/// A stored type and its lane.
trait Stored: Copy {
    type In: LaneType;
    fn load(self) -> Self::In;
    fn store(v: Self::In) -> Self;
}

macro_rules! stored_as_is {
    ($($t:ty),*) => {
        $(impl Stored for $t {
            type In = $t;
            #[inline(always)]
            fn load(self) -> $t {
                self
            }
            #[inline(always)]
            fn store(v: $t) -> $t {
                v
            }
        })*
    };
}
stored_as_is!(f32, f64, i32, i64, u8);

#[derive(Clone, Copy)]
#[repr(transparent)]
struct Bf16(u16);
impl Stored for Bf16 {
    type In = f32;
    #[inline(always)]
    fn load(self) -> f32 {
        half::bf16_to_f32(self.0)
    }
    #[inline(always)]
    fn store(v: f32) -> Self {
        Bf16(half::f32_to_bf16(v))
    }
}

#[derive(Clone, Copy)]
#[repr(transparent)]
struct F16(u16);
impl Stored for F16 {
    type In = f32;
    #[inline(always)]
    fn load(self) -> f32 {
        half::f16_to_f32(self.0)
    }
    #[inline(always)]
    fn store(v: f32) -> Self {
        F16(half::f32_to_f16(v))
    }
}

/// See [`Load`].
///
/// # Safety
/// `dst` is valid for rows·cols lanes, `src` wherever the strides lead; they do not overlap.
unsafe fn load<S: Stored>(
    dst: *mut u8,
    src: *const u8,
    rows: usize,
    cols: usize,
    rs: isize,
    cs: isize,
) {
    let (dst, src) = (dst.cast::<S::In>(), src.cast::<S>());
    // SAFETY: every address is one that the caller vouches for.
    unsafe {
        if rs == 0 && rows > 1 {
            // One row, then copies of what there is, doubling.
            load::<S>(dst.cast(), src.cast(), 1, cols, 0, cs);
            let (mut done, all) = (cols, rows * cols);
            while done < all {
                let n = done.min(all - done);
                std::ptr::copy_nonoverlapping(dst, dst.add(done), n);
                done += n;
            }
        } else if cs == 1 {
            for r in 0..rows {
                let (d, s) = (dst.add(r * cols), src.offset(r as isize * rs));
                for c in 0..cols {
                    d.add(c).write(s.add(c).read().load());
                }
            }
        } else if cs == 0 {
            for r in 0..rows {
                let (d, v) = (dst.add(r * cols), src.offset(r as isize * rs).read().load());
                for c in 0..cols {
                    d.add(c).write(v);
                }
            }
        } else if rows > 1 && rs.unsigned_abs() < cs.unsigned_abs() {
            for c in 0..cols {
                let (d, s) = (dst.add(c), src.offset(c as isize * cs));
                for r in 0..rows {
                    d.add(r * cols)
                        .write(s.offset(r as isize * rs).read().load());
                }
            }
        } else {
            for r in 0..rows {
                let (d, s) = (dst.add(r * cols), src.offset(r as isize * rs));
                for c in 0..cols {
                    d.add(c).write(s.offset(c as isize * cs).read().load());
                }
            }
        }
    }
}

/// See [`Store`].
///
/// # Safety
/// `src` is valid for rows·cols lanes, `dst` for the rows; they do not overlap.
unsafe fn store<S: Stored>(src: *const u8, dst: *mut u8, rows: usize, cols: usize, ld: usize) {
    let (src, dst) = (src.cast::<S::In>(), dst.cast::<S>());
    for r in 0..rows {
        // SAFETY: every address is one that the caller vouches for.
        unsafe {
            let (s, d) = (src.add(r * cols), dst.add(r * ld));
            for c in 0..cols {
                d.add(c).write(S::store(s.add(c).read()));
            }
        }
    }
}

/// The load of a stored type into its lane.
pub(crate) fn loader(dtype: DType) -> Load {
    match dtype {
        DType::Bool | DType::U8 => load::<u8>,
        DType::I32 => load::<i32>,
        DType::I64 => load::<i64>,
        DType::BF16 => load::<Bf16>,
        DType::F16 => load::<F16>,
        DType::F32 => load::<f32>,
        DType::F64 => load::<f64>,
    }
}

/// The store of a lane in a stored type.
pub(crate) fn storer(dtype: DType) -> Store {
    match dtype {
        DType::Bool | DType::U8 => store::<u8>,
        DType::I32 => store::<i32>,
        DType::I64 => store::<i64>,
        DType::BF16 => store::<Bf16>,
        DType::F16 => store::<F16>,
        DType::F32 => store::<f32>,
        DType::F64 => store::<f64>,
    }
}
