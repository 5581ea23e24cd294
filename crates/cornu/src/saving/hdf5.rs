//! HDF5 files: the one place that knows the library which reads and writes them.
//!
//! What is read may come from anyone. Nothing is walked: a caller asks for the paths that it expects, so that
//! links that go in circles lead nowhere, and says how large a data set may be before any of it is read. The
//! library checks every extent against the file's; should it panic all the same, that is an error here.

use super::content::{Content, STRETCH};
use super::elements;
use crate::{Array, DType, Error, Result, Shape, Variable};
use cornu_core::{bf16, f16};
use hdf5_pure::{
    AttrValue, DatasetBuilder, Datatype, DatatypeByteOrder, FileBuilder, FloatingPointLayout,
    GroupBuilder, Layout, ReadSeekSource, make_f32_type, make_f64_type, make_i32_type,
    make_i64_type, make_u8_type,
};
use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A group to be written: attributes of text, groups and the values of variables by name.
#[derive(Default)]
pub(crate) struct Group {
    pub attributes: BTreeMap<String, String>,
    pub groups: BTreeMap<String, Group>,
    pub variables: Vec<(String, Variable)>,
}

impl Group {
    /// The group at a path below this one, made if it is not there.
    pub fn at(&mut self, path: &str) -> &mut Group {
        let names = path.split('/').filter(|name| !name.is_empty());
        names.fold(self, |group, name| {
            group.groups.entry(name.to_string()).or_default()
        })
    }

    /// Writes a file with this group as its root.
    pub fn write(self, out: &mut dyn Write) -> Result<()> {
        let mut file = FileBuilder::new();
        for (name, value) in self.attributes {
            file.set_attr(&name, AttrValue::VarLenString(value));
        }
        for (name, group) in self.groups {
            let mut builder = file.create_group(&name);
            group.fill(&mut builder);
            file.add_group(builder.finish());
        }
        for (name, variable) in self.variables {
            put(file.create_dataset(&name), &variable.read());
        }
        file.finish_to(out)
            .map_err(|e| Error::io(format!("The HDF5 file cannot be made: {e}.")))
    }

    fn fill(self, into: &mut GroupBuilder) {
        for (name, value) in self.attributes {
            into.set_attr(&name, AttrValue::VarLenString(value));
        }
        for (name, group) in self.groups {
            let mut builder = into.create_group(&name);
            group.fill(&mut builder);
            into.add_group(builder.finish());
        }
        for (name, variable) in self.variables {
            put(into.create_dataset(&name), &variable.read());
        }
    }
}

const HALF: FloatingPointLayout = FloatingPointLayout {
    bit_offset: 0,
    bit_precision: 16,
    exponent_location: 10,
    exponent_size: 5,
    mantissa_location: 0,
    mantissa_size: 10,
    exponent_bias: 15,
};

/// The type of elements in a file.
fn datatype(dtype: DType) -> Datatype {
    match dtype {
        DType::F32 => make_f32_type(),
        DType::F64 => make_f64_type(),
        DType::I32 => make_i32_type(),
        DType::I64 => make_i64_type(),
        // HDF5 has no type of truth values that other readers share.
        DType::U8 | DType::Bool => make_u8_type(),
        DType::F16 => Datatype::FloatingPoint {
            size: 2,
            byte_order: DatatypeByteOrder::LittleEndian,
            layout: HALF,
        },
        // As Keras has it: two bytes of no type, and an attribute that says what they are.
        DType::BF16 => Datatype::Opaque {
            size: 2,
            tag: Vec::new(),
        },
    }
}

fn put(set: &mut DatasetBuilder, array: &Array) {
    let shape: Vec<u64> = array.shape().iter().map(|d| *d as u64).collect();
    let mut bytes = Vec::with_capacity(array.size() * array.dtype().size());
    elements::append(array, &mut bytes);
    set.with_raw_data(datatype(array.dtype()), bytes, array.size() as u64);
    if array.dtype() == DType::BF16 {
        set.set_attr("dtype", AttrValue::VarLenString("bfloat16".into()));
    }
    set.with_shape(&shape);
}

/// A file to be read.
pub(crate) struct File {
    inside: hdf5_pure::File,
    content: Content,
}

/// A data set whose extents are known and whose values are not read yet.
pub(crate) struct Dataset {
    inside: hdf5_pure::Dataset,
    /// The file's.
    content: Content,
    pub shape: Shape,
}

/// What the library does, with its errors and, as the last resort, its panics as errors of ours.
fn guarded<T>(what: &str, work: impl FnOnce() -> Result<T, hdf5_pure::Error>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(e)) => Err(unreadable(what, &e)),
        Err(_) => Err(unreadable(what, &"it is damaged")),
    }
}

#[cold]
fn unreadable(what: &str, why: &dyn std::fmt::Display) -> Error {
    Error::io(format!("{what} cannot be read: {why}."))
}

impl File {
    pub fn open(content: Content) -> Result<File> {
        let source = content.clone();
        let open = || hdf5_pure::File::from_source(ReadSeekSource::new(source)?);
        guarded("The HDF5 file", open).map(|inside| File { inside, content })
    }

    /// The texts of an attribute of the group at a path (the root's is empty), which may be in several attributes
    /// with a number at the end if they are many; `None` if there is no such group or attribute.
    pub fn texts(&self, group: &str, name: &str) -> Result<Option<Vec<String>>> {
        let of = |group: &str| match group {
            "" => Ok(self.inside.root()),
            path => self.inside.group(path),
        };
        let Ok(group) = guarded(group, || of(group)) else {
            return Ok(None);
        };
        let attributes = guarded(name, || group.attrs())?;
        let texts = |name: &str| {
            let value = attributes.get(name)?;
            // A list of nothing has no type that counts.
            Some(value.as_strings().unwrap_or_default().to_vec())
        };
        if let Some(all) = texts(name) {
            return Ok(Some(all));
        }
        let parts: Vec<_> = (0..).map_while(|i| texts(&format!("{name}{i}"))).collect();
        Ok((!parts.is_empty()).then(|| parts.concat()))
    }

    /// The data set at a path; `None` if there is none.
    pub fn dataset(&self, path: &str) -> Result<Option<Dataset>> {
        let Ok(inside) = guarded(path, || self.inside.dataset(path)) else {
            return Ok(None);
        };
        let extents = guarded(path, || inside.shape())?;
        if let Some(chunk) = guarded(path, || inside.chunk_shape())? {
            // A chunk is unpacked as a whole: it may be larger than what it is a part of, but not by much.
            let cells = |all: &[u64]| all.iter().try_fold(1u64, |n, d| n.checked_mul((*d).max(1)));
            let (one, all) = (cells(&chunk), cells(&extents));
            let allowed = all.map(|n| n.saturating_mul(16).saturating_add(1 << 16));
            if one.is_none_or(|one| allowed.is_some_and(|allowed| one > allowed)) {
                return Err(Error::io(format!(
                    "{path} cannot be read: its chunks are larger than all of it."
                )));
            }
        }
        let extents: Option<Vec<usize>> =
            extents.iter().map(|d| usize::try_from(*d).ok()).collect();
        let extents = extents.filter(|e| {
            let size = e.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
            size.is_some_and(|n| n <= isize::MAX as usize / 8)
        });
        match extents {
            Some(extents) => Ok(Some(Dataset {
                inside,
                content: self.content.clone(),
                shape: extents.into(),
            })),
            None => Err(Error::io(format!(
                "{path} cannot be read: its shape is larger than any memory."
            ))),
        }
    }
}

impl Dataset {
    /// Where the values lie, if they are of this type and lie in the file one after the other.
    fn place(&self, datatype: Datatype) -> Option<Range<u64>> {
        let layout = guarded("", || Ok((self.inside.layout()?, self.inside.datatype()?)));
        match layout.ok()? {
            (
                Layout::Contiguous {
                    address: Some(from),
                    size,
                },
                found,
            ) if found == datatype => {
                let expected = self.shape.size() as u64 * u64::from(datatype.type_size());
                let to = from.checked_add(size)?;
                (size == expected && to <= self.content.length()).then_some(from..to)
            }
            _ => None,
        }
    }

    /// The values at a place, by all threads straight to where they stay.
    fn plain_f32(&self, place: Range<u64>) -> std::io::Result<Vec<f32>> {
        let mut values = vec![0f32; self.shape.size()];
        let stretches = values.chunks_mut(STRETCH / size_of::<f32>());
        self.content.go_through(place, stretches, |left, piece| {
            let (numbers, _) = piece.as_chunks();
            let (here, after) = std::mem::take(left).split_at_mut(numbers.len());
            for (value, bytes) in here.iter_mut().zip(numbers) {
                *value = f32::from_le_bytes(*bytes);
            }
            *left = after;
        })?;
        Ok(values)
    }

    /// The values. What they need in memory is known by [`Dataset::shape`] beforehand.
    pub fn read(&self, path: &str) -> Result<Array> {
        use hdf5_pure::DType as D;
        let (shape, set) = (self.shape.clone(), &self.inside);
        let dtype = guarded(path, || set.dtype())?;
        match dtype {
            D::F32 => match self.place(make_f32_type()) {
                Some(place) => {
                    let values = self.plain_f32(place);
                    Array::from_vec(shape, values.map_err(|e| unreadable(path, &e))?)
                }
                None => Array::from_vec(shape, guarded(path, || set.read_f32())?),
            },
            D::F64 => Array::from_vec(shape, guarded(path, || set.read_f64())?),
            D::I32 | D::I16 | D::I8 | D::U16 => {
                Array::from_vec(shape, guarded(path, || set.read_i32())?)
            }
            D::I64 | D::U32 | D::U64 => Array::from_vec(shape, guarded(path, || set.read_i64())?),
            D::U8 | D::Enum(_) => Array::from_vec(shape, guarded(path, || set.read_raw())?),
            other => {
                let brain = guarded(path, || set.attrs())?;
                let brain = brain.get("dtype").and_then(AttrValue::as_str) == Some("bfloat16");
                let datatype = guarded(path, || set.datatype())?;
                let half = matches!(
                    datatype,
                    Datatype::FloatingPoint { size: 2, byte_order: DatatypeByteOrder::LittleEndian, layout } if layout == HALF
                );
                let brain = brain && matches!(datatype, Datatype::Opaque { size: 2, .. });
                if !(half || brain) {
                    return Err(Error::io(format!(
                        "{path} cannot be read: its elements are of the type {other}."
                    )));
                }
                let raw = guarded(path, || set.read_raw())?;
                let halves = raw
                    .chunks_exact(2)
                    .map(|b| u16::from_le_bytes([b[0], b[1]]));
                match half {
                    true => Array::from_vec(shape, halves.map(f16::from_bits).collect()),
                    false => Array::from_vec(shape, halves.map(bf16::from_bits).collect()),
                }
            }
        }
    }
}
