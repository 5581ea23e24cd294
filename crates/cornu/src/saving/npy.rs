//! NumPy's `.npy`: one array in a file.
//!
//! A file is the magic `\x93NUMPY`, a version, the length of a header, the header (a Python dictionary
//! with the element type, the order and the shape), and the elements. The format's source is NumPy's
//! `numpy.lib.format`.

use super::elements::{Kind, append};
use crate::{Array, DType, Error, Result, Shape};
use cornu_core::with_dtype;
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";
/// NumPy itself refuses longer headers: parsing them is slow.
const LONGEST_HEADER: usize = 10_000;
/// NumPy's largest number of axes.
const MOST_AXES: usize = 64;

/// Reads the array in a `.npy` file.
///
/// Booleans, integers and floats of either byte order and in C or Fortran order are read. An element
/// type that Cornu does not have becomes the next larger one that holds it: 8- and 16-bit integers
/// `int32`, `uint32` and `uint64` `int64`.
///
/// ```no_run
/// let x = cornu::saving::npy::load("x.npy")?;
/// println!("{} {}", x.shape(), x.dtype());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be read, is not a `.npy` file or is cut off, or holds elements of another kind
/// (text, objects, complex numbers); an unsigned 64-bit integer that does not fit `int64`.
pub fn load(path: impl AsRef<Path>) -> Result<Array> {
    let path = path.as_ref();
    let cannot = |e: std::io::Error| Error::io(format!("Cannot read {}: {e}.", path.display()));
    let bytes = std::fs::read(path).map_err(cannot)?;
    from_bytes(&bytes).map_err(|e| Error::with_kind(e.kind(), format!("{}: {e}", path.display())))
}

/// Reads an array from the content of a `.npy` file; see [`load`].
///
/// ```
/// use cornu::{Array, saving::npy};
/// let a = Array::from([[1.0f32, 2.0], [3.0, 4.0]]);
/// assert_eq!(npy::from_bytes(&npy::to_bytes(&a))?, a);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// As [`load`].
pub fn from_bytes(bytes: &[u8]) -> Result<Array> {
    let (header, at) = Header::parse(bytes)?;
    let content = &bytes[at..];
    let expected = header.kind.bytes(&header.shape)?;
    if content.len() < expected {
        return Err(Error::shape(format!(
            "The .npy array is cut off: shape {} of \"{}\" takes {expected} bytes. Received: {}.",
            header.shape,
            header.kind.name(),
            content.len()
        )));
    }
    header.array(&content[..expected])
}

/// Writes an array to a `.npy` file, whole or not at all.
///
/// # Errors
/// If the file cannot be written.
pub fn save(path: impl AsRef<Path>, array: &Array) -> Result<()> {
    super::write(path, &to_bytes(array))
}

/// The content of a `.npy` file that holds this array. NumPy has no `bfloat16`: it is written as
/// `float32`, which holds the same numbers.
pub fn to_bytes(array: &Array) -> Vec<u8> {
    let descr = match array.dtype() {
        DType::Bool => "|b1",
        DType::U8 => "|u1",
        DType::I32 => "<i4",
        DType::I64 => "<i8",
        DType::F16 => "<f2",
        DType::F32 | DType::BF16 => "<f4",
        DType::F64 => "<f8",
    };
    let extents: Vec<String> = array.shape().iter().map(|d| format!("{d},")).collect();
    let shape = match &extents[..] {
        [one] => one.clone(),
        several => several.join(" ").trim_end_matches(',').to_string(),
    };
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    // Version 1 gives the header's length in two bytes, version 2 in four. The elements begin at a
    // multiple of 64 bytes; the header's last byte is a line's end.
    let digits = if header.len() < 60_000 { 2 } else { 4 };
    let before = MAGIC.len() + 2 + digits;
    let start = (before + header.len() + 1).next_multiple_of(64);
    let mut bytes = Vec::with_capacity(start + array.size() * array.dtype().size().max(4));
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[digits as u8 / 2, 0]);
    bytes.extend_from_slice(&((start - before) as u32).to_le_bytes()[..digits]);
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(start - 1, b' ');
    bytes.push(b'\n');
    match array.dtype() {
        DType::BF16 => append(&array.cast(DType::F32), &mut bytes),
        _ => append(array, &mut bytes),
    }
    bytes
}

/// The element type of NumPy's text, such as `<f4`.
fn kind(descr: &str) -> Result<Kind> {
    let refused = || {
        Error::dtype(format!(
            "A .npy array must hold booleans, integers or floats. Received: elements of type \"{}\".",
            descr.escape_default()
        ))
    };
    let [order, letter, digit] = descr.as_bytes() else {
        return Err(refused());
    };
    let kind = Kind {
        letter: *letter,
        size: usize::from(digit.wrapping_sub(b'0')),
        big_endian: *order == b'>',
    };
    let known = match letter {
        b'b' => kind.size == 1,
        b'f' => matches!(kind.size, 2 | 4 | 8),
        b'i' | b'u' => matches!(kind.size, 1 | 2 | 4 | 8),
        _ => false,
    };
    match known && matches!(order, b'<' | b'>' | b'|' | b'=') {
        true => Ok(kind),
        false => Err(refused()),
    }
}

/// What the header of a file says.
#[derive(Debug)]
struct Header {
    kind: Kind,
    fortran: bool,
    shape: Shape,
}

fn malformed(what: &str) -> Error {
    Error::new(format!("This is not a .npy array: {what}."))
}

impl Header {
    /// The header, and where the elements begin.
    fn parse(bytes: &[u8]) -> Result<(Header, usize)> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return Err(malformed("it does not begin with \\x93NUMPY"));
        };
        let (length, digits) = match rest {
            [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([*a, *b])), 2),
            [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 4),
            [version, _, ..] if !(1..=3).contains(version) => {
                return Err(malformed(&format!("version {version} is not known")));
            }
            _ => return Err(malformed("the header is cut off")),
        };
        let start = MAGIC.len() + 2 + digits;
        if length > LONGEST_HEADER {
            return Err(malformed(&format!(
                "a header has at most {LONGEST_HEADER} bytes, and this one says {length}"
            )));
        }
        let text = bytes
            .get(start..start + length)
            .ok_or_else(|| malformed("the header is cut off"))?;
        let text = std::str::from_utf8(text).map_err(|_| malformed("the header is not text"))?;
        Ok((Literal(text).header()?, start + length))
    }

    /// The elements as an array, put in C order.
    fn array(self, content: &[u8]) -> Result<Array> {
        let array = self.kind.array(self.shape, content)?;
        if !self.fortran || array.shape().rank() < 2 {
            return Ok(array);
        }
        let fortran = ndarray::ShapeBuilder::f(array.shape().to_vec());
        with_dtype!(array.dtype(), T => {
            let values = array.into_vec::<T>()?;
            Ok(Array::from(&ndarray::ArrayD::from_shape_vec(fortran, values)?))
        })
    }
}

/// What is left of the header's text: a Python literal.
struct Literal<'a>(&'a str);

impl<'a> Literal<'a> {
    fn header(mut self) -> Result<Header> {
        let (mut element, mut fortran, mut shape) = (None, None, None);
        self.expect('{')?;
        while !self.skip('}') {
            let key = self.string()?;
            self.expect(':')?;
            match key {
                "descr" => element = Some(kind(self.string()?)?),
                "fortran_order" => fortran = Some(self.boolean()?),
                "shape" => shape = Some(self.tuple()?),
                _ => {
                    return Err(malformed(&format!(
                        "the header has an unknown key \"{}\"",
                        key.escape_default()
                    )));
                }
            }
            if !self.skip(',') {
                self.expect('}')?;
                break;
            }
        }
        if !self.0.trim().is_empty() {
            return Err(malformed("the header goes on after its dictionary"));
        }
        match (element, fortran, shape) {
            (Some(kind), Some(fortran), Some(shape)) => Ok(Header {
                kind,
                fortran,
                shape,
            }),
            _ => Err(malformed(
                "the header lacks one of \"descr\", \"fortran_order\" and \"shape\"",
            )),
        }
    }

    /// Passes a character if it comes next.
    fn skip(&mut self, c: char) -> bool {
        match self.0.trim_start().strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, c: char) -> Result<()> {
        match self.skip(c) {
            true => Ok(()),
            false => Err(malformed(&format!("the header lacks a {c:?}"))),
        }
    }

    fn string(&mut self) -> Result<&'a str> {
        // A structured type is a list of tuples here.
        let quote = if self.skip('\'') {
            '\''
        } else if self.skip('"') {
            '"'
        } else {
            return Err(malformed(
                "the header has something else where text should be",
            ));
        };
        let (text, rest) = self
            .0
            .split_once(quote)
            .ok_or_else(|| malformed("the header has a text without end"))?;
        self.0 = rest;
        Ok(text)
    }

    fn boolean(&mut self) -> Result<bool> {
        let text = self.0.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = text.strip_prefix(word) {
                self.0 = rest;
                return Ok(value);
            }
        }
        Err(malformed("\"fortran_order\" is neither True nor False"))
    }

    fn tuple(&mut self) -> Result<Shape> {
        let mut extents: Vec<usize> = Vec::new();
        self.expect('(')?;
        while !self.skip(')') {
            let text = self.0.trim_start();
            let end = text.find(|c: char| !c.is_ascii_digit());
            let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
            let extent = digits.parse();
            extents.push(extent.map_err(|_| malformed("an extent is not a whole number"))?);
            // Python 2 wrote long integers with an L.
            self.0 = rest.strip_prefix('L').unwrap_or(rest);
            if extents.len() > MOST_AXES {
                return Err(malformed(&format!("it has more than {MOST_AXES} axes")));
            }
            if !self.skip(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(extents.into())
    }
}
