//! Elements as files hold them, and as arrays do.

use crate::{Array, Error, Result, Shape};
use cornu_core::{Slice, bf16, f16};

/// The type of a file's elements: NumPy's letter of the kind (or `B`, bfloat16), the bytes of one
/// element, and their order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub letter: u8,
    pub size: usize,
    pub big_endian: bool,
}

impl Kind {
    /// The type in NumPy's words.
    pub fn name(self) -> String {
        let order = if self.big_endian { '>' } else { '<' };
        format!("{order}{}{}", char::from(self.letter), self.size)
    }

    /// The number of bytes that the elements of an array take.
    ///
    /// # Errors
    /// If no memory could hold them.
    pub fn bytes(self, shape: &Shape) -> Result<usize> {
        // An extent of 0 must not hide an overflow of the others.
        let extents = shape.iter().map(|d| (*d).max(1));
        let mut all = extents.chain([self.size]);
        let product = all.try_fold(1usize, usize::checked_mul);
        match product.filter(|n| isize::try_from(*n).is_ok()) {
            Some(_) => Ok(shape.size() * self.size),
            None => Err(Error::shape(format!(
                "An array of shape {} is too large for any memory.",
                shape
            ))),
        }
    }

    /// The elements in C order as an array. An element type that Cornu does not have becomes the next
    /// larger one that holds it.
    ///
    /// # Errors
    /// An unsigned 64-bit integer that is too large; a number of elements that is not the shape's.
    pub fn array(self, shape: Shape, content: &[u8]) -> Result<Array> {
        let Kind {
            letter,
            size,
            big_endian,
        } = self;
        macro_rules! elements {
            ($t:ty, $n:literal) => {{
                let (chunks, _) = content.as_chunks::<$n>();
                let read = |c: &[u8; $n]| match big_endian {
                    true => <$t>::from_be_bytes(*c),
                    false => <$t>::from_le_bytes(*c),
                };
                chunks.iter().map(read)
            }};
        }
        match (letter, size) {
            (b'b', _) => Array::from_vec(shape, content.iter().map(|b| *b != 0).collect()),
            (b'u', 1) => Array::from_vec(shape, content.to_vec()),
            (b'i', 1) => {
                Array::from_vec(shape, content.iter().map(|b| i32::from(*b as i8)).collect())
            }
            (b'u', 2) => Array::from_vec(shape, elements!(u16, 2).map(i32::from).collect()),
            (b'i', 2) => Array::from_vec(shape, elements!(i16, 2).map(i32::from).collect()),
            (b'u', 4) => Array::from_vec(shape, elements!(u32, 4).map(i64::from).collect()),
            (b'i', 4) => Array::from_vec(shape, elements!(i32, 4).collect()),
            (b'i', _) => Array::from_vec(shape, elements!(i64, 8).collect()),
            (b'B', _) => Array::from_vec(shape, elements!(bf16, 2).collect()),
            (b'f', 2) => Array::from_vec(shape, elements!(f16, 2).collect()),
            (b'f', 4) => Array::from_vec(shape, elements!(f32, 4).collect()),
            (b'f', _) => Array::from_vec(shape, elements!(f64, 8).collect()),
            _ => {
                let values = elements!(u64, 8).map(|v| {
                    i64::try_from(v).map_err(|_| {
                        Error::dtype(format!(
                            "uint64 is read as int64, whose largest number is {}. Received: {v}.",
                            i64::MAX
                        ))
                    })
                });
                let values = values.collect::<Result<Vec<i64>>>()?;
                Array::from_vec(shape, values)
            }
        }
    }
}

/// How many elements are turned to bytes at a time: they stay in the nearest cache.
const BLOCK: usize = 1024;

/// Appends the elements, little-endian, in C order.
pub(super) fn append(array: &Array, bytes: &mut Vec<u8>) {
    bytes.reserve(array.size() * array.dtype().size());
    macro_rules! little_endian {
        ($values:expr, $n:literal) => {
            for block in $values.chunks(BLOCK) {
                let mut turned = [[0u8; $n]; BLOCK];
                for (to, v) in turned.iter_mut().zip(block) {
                    *to = v.to_le_bytes();
                }
                bytes.extend_from_slice(turned[..block.len()].as_flattened());
            }
        };
    }
    match array.view().data {
        Slice::Bool(values) => bytes.extend(values.iter().map(|v| u8::from(*v))),
        Slice::U8(values) => bytes.extend_from_slice(values),
        Slice::I32(values) => little_endian!(values, 4),
        Slice::I64(values) => little_endian!(values, 8),
        Slice::BF16(values) => little_endian!(values, 2),
        Slice::F16(values) => little_endian!(values, 2),
        Slice::F32(values) => little_endian!(values, 4),
        Slice::F64(values) => little_endian!(values, 8),
    }
}
