//! Texts as data.

use super::{Data, IntoData};
use crate::{Array, Error, Result, Shape};
use ndarray::{ArrayBase, Dimension};

/// Texts for a model's input of the type `"string"`, which a [`StringLookup`](crate::layers::StringLookup) reads.
///
/// Programs know numbers only. On its way into a model each text becomes its FarmHash64 fingerprint, the
/// number by which TensorFlow and Keras tell texts apart that are in no vocabulary; a vocabulary is looked up
/// by the fingerprints of its terms. Two different texts have the same one with a chance of 2⁻⁶⁴.
///
/// ```
/// use cornu::data::Texts;
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Input::new([1]).dtype("string"));
/// model.add(StringLookup::new().vocabulary(["red", "blue"]));
/// model.build()?;
/// let y = model.predict(Texts::new(["blue", "green", "red"]))?;
/// assert_eq!(y.to_vec::<i32>(), [2, 0, 1]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Texts(Array);

impl Texts {
    /// Texts in a row: one for each sample.
    pub fn new<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts = texts
            .into_iter()
            .map(|t| fingerprint(t.as_ref().as_bytes()));
        Self(Array::from(texts.collect::<Vec<i64>>()))
    }

    /// Texts of this shape, row by row; the first axis is that of the samples.
    ///
    /// # Errors
    /// If there are more or fewer texts than the shape has places.
    pub fn of_shape<T: AsRef<str>>(
        shape: impl Into<Shape>,
        texts: impl IntoIterator<Item = T>,
    ) -> Result<Self> {
        let shape = shape.into();
        let Texts(flat) = Texts::new(texts);
        match flat.size() == shape.size() {
            true => Ok(Self(Array::from_vec(shape, flat.to_vec::<i64>())?)),
            false => Err(Error::shape(format!(
                "Texts of shape {shape} are {}. Received: {}.",
                shape.size(),
                flat.size()
            ))),
        }
    }

    /// The fingerprints (`int64`), for [`Model::call`](crate::models::Model::call), which takes tensors.
    pub fn fingerprints(&self) -> &Array {
        &self.0
    }
}

impl<S: ndarray::Data<Elem: AsRef<str>>, D: Dimension> From<&ArrayBase<S, D>> for Texts {
    fn from(texts: &ArrayBase<S, D>) -> Self {
        let Texts(flat) = Texts::new(texts);
        Self(Array::from_vec(texts.shape(), flat.to_vec::<i64>()).unwrap_or(flat))
    }
}

impl<'a> IntoData<'a> for Texts {
    fn into_data(self) -> Data<'a> {
        Data::owned(self.0).marked_texts(true)
    }
}

impl<'a> IntoData<'a> for &'a Texts {
    fn into_data(self) -> Data<'a> {
        (&self.0).into_data().marked_texts(true)
    }
}

const K0: u64 = 0xc3a5_c85c_97cb_3127;
const K1: u64 = 0xb492_b66f_be98_f273;
const K2: u64 = 0x9ae1_6a3b_2f90_404f;

/// `Fingerprint64` of FarmHash (G. Pike, 2014), which is `farmhashna::Hash64`; its 64 bits as a signed number.
pub(crate) fn fingerprint(s: &[u8]) -> i64 {
    let hash = match s.len() {
        0..=16 => up_to_16(s),
        17..=32 => up_to_32(s),
        33..=64 => up_to_64(s),
        _ => longer(s),
    };
    hash as i64
}

/// Eight bytes from a place on, the least first; what is beyond the end counts as 0.
fn eight(s: &[u8], at: usize) -> u64 {
    let bytes = s.get(at..).unwrap_or_default();
    let bytes = bytes.iter().take(8).rev();
    bytes.fold(0, |all, b| all << 8 | u64::from(*b))
}

fn four(s: &[u8], at: usize) -> u64 {
    eight(s, at) & 0xffff_ffff
}

fn shift_mix(v: u64) -> u64 {
    v ^ (v >> 47)
}

/// `HashLen16` with a multiplier.
fn mixed(u: u64, v: u64, mul: u64) -> u64 {
    let a = shift_mix((u ^ v).wrapping_mul(mul));
    shift_mix((v ^ a).wrapping_mul(mul)).wrapping_mul(mul)
}

fn multiplier(len: usize) -> u64 {
    K2.wrapping_add(2 * len as u64)
}

fn up_to_16(s: &[u8]) -> u64 {
    let len = s.len();
    let mul = multiplier(len);
    match len {
        0 => K2,
        1..=3 => {
            let byte = |i: usize| u32::from(s[i]);
            let y = byte(0) + (byte(len >> 1) << 8);
            let z = len as u32 + (byte(len - 1) << 2);
            let both = u64::from(y).wrapping_mul(K2) ^ u64::from(z).wrapping_mul(K0);
            shift_mix(both).wrapping_mul(K2)
        }
        4..=7 => {
            let first = (len as u64).wrapping_add(four(s, 0) << 3);
            mixed(first, four(s, len - 4), mul)
        }
        _ => {
            let a = eight(s, 0).wrapping_add(K2);
            let b = eight(s, len - 8);
            let c = b.rotate_right(37).wrapping_mul(mul).wrapping_add(a);
            let d = a.rotate_right(25).wrapping_add(b).wrapping_mul(mul);
            mixed(c, d, mul)
        }
    }
}

/// What the two middle lengths begin with: `a`, `c` and the sums that are mixed.
fn ends(s: &[u8], first: u64) -> (u64, u64, u64) {
    let mul = multiplier(s.len());
    let a = eight(s, 0).wrapping_mul(first);
    let b = eight(s, 8);
    let c = eight(s, s.len() - 8).wrapping_mul(mul);
    let d = eight(s, s.len() - 16).wrapping_mul(K2);
    let y = a.wrapping_add(b).rotate_right(43);
    let y = y.wrapping_add(c.rotate_right(30)).wrapping_add(d);
    let z = a.wrapping_add(b.wrapping_add(K2).rotate_right(18));
    (a, y, z.wrapping_add(c))
}

fn up_to_32(s: &[u8]) -> u64 {
    let (_, y, z) = ends(s, K1);
    mixed(y, z, multiplier(s.len()))
}

fn up_to_64(s: &[u8]) -> u64 {
    let (len, mul) = (s.len(), multiplier(s.len()));
    let (a, y, z) = ends(s, K2);
    let z = mixed(y, z, mul);
    let e = eight(s, 16).wrapping_mul(mul);
    let f = eight(s, 24);
    let g = y.wrapping_add(eight(s, len - 32)).wrapping_mul(mul);
    let h = z.wrapping_add(eight(s, len - 24)).wrapping_mul(mul);
    let u = e.wrapping_add(f).rotate_right(43);
    let u = u.wrapping_add(g.rotate_right(30)).wrapping_add(h);
    let v = e.wrapping_add(f.wrapping_add(a).rotate_right(18));
    mixed(u, v.wrapping_add(g), mul)
}

/// `WeakHashLen32WithSeeds` of the 32 bytes from a place on.
fn weak(s: &[u8], at: usize, a: u64, b: u64) -> (u64, u64) {
    let [w, x, y, z] = [0, 8, 16, 24].map(|i| eight(s, at + i));
    let a = a.wrapping_add(w);
    let b = b.wrapping_add(a).wrapping_add(z).rotate_right(21);
    let c = a;
    let a = a.wrapping_add(x).wrapping_add(y);
    let b = b.wrapping_add(a.rotate_right(44));
    (a.wrapping_add(z), b.wrapping_add(c))
}

/// The state of a hash of more than 64 bytes.
struct State {
    x: u64,
    y: u64,
    z: u64,
    v: (u64, u64),
    w: (u64, u64),
}

impl State {
    /// Takes in the 64 bytes from a place on; the last time with another multiplier and weights of 9.
    fn take(&mut self, s: &[u8], at: usize, mul: u64, weight: u64) {
        let sum = |terms: [u64; 3]| terms.into_iter().fold(0, u64::wrapping_add);
        let x = sum([self.x, self.y, self.v.0]).wrapping_add(eight(s, at + 8));
        let y = sum([self.y, self.v.1, eight(s, at + 48)]);
        let (x, y) = (
            x.rotate_right(37).wrapping_mul(mul),
            y.rotate_right(42).wrapping_mul(mul),
        );
        let x = x ^ self.w.1.wrapping_mul(weight);
        let y = sum([y, self.v.0.wrapping_mul(weight), eight(s, at + 40)]);
        let z = self
            .z
            .wrapping_add(self.w.0)
            .rotate_right(33)
            .wrapping_mul(mul);
        self.v = weak(s, at, self.v.1.wrapping_mul(mul), x.wrapping_add(self.w.0));
        let second = y.wrapping_add(eight(s, at + 16));
        self.w = weak(s, at + 32, z.wrapping_add(self.w.1), second);
        (self.x, self.y, self.z) = (z, y, x);
    }
}

fn longer(s: &[u8]) -> u64 {
    const SEED: u64 = 81;
    let y = SEED.wrapping_mul(K1).wrapping_add(113);
    let mut state = State {
        x: SEED.wrapping_mul(K2).wrapping_add(eight(s, 0)),
        y,
        z: shift_mix(y.wrapping_mul(K2).wrapping_add(113)).wrapping_mul(K2),
        v: (0, 0),
        w: (0, 0),
    };
    let rest = (s.len() - 1) & 63;
    for at in (0..s.len() - 1 - rest).step_by(64) {
        state.take(s, at, K1, 1);
    }
    let mul = K1.wrapping_add((state.z & 0xff) << 1);
    state.w.0 = state.w.0.wrapping_add(rest as u64);
    state.v.0 = state.v.0.wrapping_add(state.w.0);
    state.w.0 = state.w.0.wrapping_add(state.v.0);
    state.take(s, s.len() - 64, mul, 9);
    let State { x, y, z, v, w } = state;
    let first = mixed(v.0, w.0, mul).wrapping_add(shift_mix(y).wrapping_mul(K0));
    let second = mixed(v.1, w.1, mul).wrapping_add(x);
    mixed(first.wrapping_add(z), second, mul)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By TensorFlow's `tf.fingerprint`.
    #[test]
    fn fingerprints_are_farmhash() {
        let long = |letter: &str, n: usize| letter.repeat(n);
        for (text, want) in [
            (String::new(), 11160318154034397263),
            ("a".into(), 12917804110809363939),
            ("ab".into(), 12289600257749001502),
            ("abcd".into(), 1897425971756105985),
            ("abcdefgh".into(), 18368443631171807497),
            ("hello world, this is".into(), 15193049278178193195),
            (long("a", 33), 17311116001694225749),
            (long("b", 64), 13845213040103651976),
            (long("c", 65), 15943324299469176993),
            (long("d", 128), 39614773353803771),
            (long("e", 200), 12129700070571948172u64),
        ] {
            assert_eq!(fingerprint(text.as_bytes()) as u64, want, "{text:?}");
        }
    }
}
