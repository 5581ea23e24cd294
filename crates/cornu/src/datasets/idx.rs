//! The IDX format of MNIST: a big-endian header and a dense array of bytes.
//!
//! Two zero bytes, a type code (8: unsigned byte), the number of dimensions, a big-endian `u32`
//! for each dimension, then the data in row-major order.

use crate::{Error, Result};

/// The type code of unsigned bytes, the only one that MNIST's files use.
const UNSIGNED_BYTE: u8 = 8;

/// Takes apart an IDX file of unsigned bytes with `N` dimensions; returns its shape and its data.
///
/// # Errors
/// When the magic number or the number of dimensions is another, or the length is not the one that
/// the header claims. The claims are checked against the length at hand; nothing is allocated.
pub(super) fn parse<const N: usize>(mut bytes: Vec<u8>) -> Result<([usize; N], Vec<u8>)> {
    let header = 4 + 4 * N;
    if bytes.len() < header {
        return Err(Error::io(format!(
            "an IDX file of {N} dimensions starts with a header of {header} bytes; received {} \
             bytes in all",
            bytes.len()
        )));
    }
    let expected = [0, 0, UNSIGNED_BYTE, N as u8];
    if bytes[..4] != expected {
        return Err(Error::io(format!(
            "an IDX file of unsigned bytes in {N} dimensions starts with {expected:?}; received \
             {:?}",
            &bytes[..4]
        )));
    }
    let mut shape = [0; N];
    for (size, field) in shape.iter_mut().zip(bytes[4..header].as_chunks::<4>().0) {
        *size = u32::from_be_bytes(*field) as usize;
    }
    let length = bytes.len() - header;
    let claimed = shape
        .iter()
        .try_fold(1_usize, |product, &size| product.checked_mul(size));
    if claimed != Some(length) {
        return Err(Error::io(format!(
            "the IDX header claims an array of shape {shape:?}; received {length} bytes of data"
        )));
    }
    bytes.drain(..header);
    Ok((shape, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(magic: [u8; 4], sizes: &[u32], data: &[u8]) -> Vec<u8> {
        let mut bytes = magic.to_vec();
        for size in sizes {
            bytes.extend(size.to_be_bytes());
        }
        bytes.extend(data);
        bytes
    }

    fn error<const N: usize>(bytes: Vec<u8>) -> String {
        parse::<N>(bytes).unwrap_err().to_string()
    }

    #[test]
    fn shape_and_data_come_out() {
        let (shape, data) = parse(file([0, 0, 8, 2], &[2, 3], &[1, 2, 3, 4, 5, 6])).unwrap();
        assert_eq!((shape, data), ([2, 3], vec![1, 2, 3, 4, 5, 6]));
        let (shape, data) = parse(file([0, 0, 8, 3], &[0, 28, 28], &[])).unwrap();
        assert_eq!((shape, data), ([0, 28, 28], vec![]));
    }

    #[test]
    fn a_wrong_magic_number_is_an_error() {
        for magic in [
            [0, 0, 8, 2],
            [0, 0, 13, 1],
            [0x1f, 0x8b, 8, 1],
            [0, 1, 8, 1],
        ] {
            let message = error::<1>(file(magic, &[2], &[1, 2]));
            assert!(message.contains("starts with [0, 0, 8, 1]"), "{message}");
            assert!(
                message.contains(&format!("received {magic:?}")),
                "{message}"
            );
        }
    }

    #[test]
    fn a_short_header_is_an_error() {
        for length in 0..16 {
            let whole = file([0, 0, 8, 3], &[0, 0, 0], &[]);
            let message = error::<3>(whole[..length].to_vec());
            assert!(
                message.contains(&format!("received {length} bytes")),
                "{message}"
            );
        }
    }

    #[test]
    fn claims_that_the_length_does_not_bear_out_are_errors() {
        for sizes in [
            [2, 2],
            [3, 3],
            [u32::MAX, u32::MAX],
            [1 << 31, 1 << 31],
            [0, 7],
        ] {
            let message = error::<2>(file([0, 0, 8, 2], &sizes, &[0; 6]));
            assert!(message.contains(&format!("{sizes:?}")), "{message}");
            assert!(message.contains("received 6 bytes"), "{message}");
        }
        // The product of four such sizes wraps to 0 in 64 bits: it must not pass for "no data".
        error::<4>(file([0, 0, 8, 4], &[1 << 16; 4], &[]));
    }
}
