//! Whole numbers as hashes, 64 bits each.

use super::Operation;
use super::elementwise::ints;
use crate::array::Array;
use crate::dtype::DType;
use crate::hash::{decimal, fingerprint, joined, sip_hash};
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};
use std::panic::Location;

/// A hash of each number (`i64`), its 64 bits as a signed number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hash {
    /// Of its decimal digits: FarmHash's fingerprint or, with a key, SipHash-2-4.
    Decimal(Option<[u64; 2]>),
    /// Of two fingerprints, one.
    Joined,
}

impl Hash {
    /// How many operands there are.
    pub fn arity(self) -> usize {
        match self {
            Hash::Decimal(_) => 1,
            Hash::Joined => 2,
        }
    }

    /// The hash of one element of the operands.
    pub fn eval(self, x: &[i64]) -> i64 {
        let hash = match (self, x) {
            (Hash::Decimal(None), [x, ..]) => fingerprint(decimal(*x, &mut [0; 20])),
            (Hash::Decimal(Some(key)), [x, ..]) => sip_hash(key, decimal(*x, &mut [0; 20])),
            (Hash::Joined, [x, y, ..]) => joined(*x as u64, *y as u64),
            _ => 0,
        };
        hash as i64
    }
}

impl Operation for Hash {
    fn name(&self) -> &'static str {
        "hash"
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let x = &inputs[0];
        if inputs.iter().any(|y| y.dtype != DType::I64) {
            return Err(Error::dtype(format!(
                "Hashes are made of int64. Received: {x}."
            )));
        }
        if let Some(other) = inputs.iter().find(|y| *y != x) {
            return Err(Error::shape(format!(
                "Fingerprints are joined one by one. Received: {x} and {other}."
            )));
        }
        Ok(x.clone())
    }

    fn grad(&self, inputs: &[Tensor], _: &Tensor, _: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        vec![None; inputs.len()]
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let columns: Vec<Vec<i64>> = inputs.iter().map(|x| x.to_vec()).collect();
        let one = |i: usize| {
            let x: Vec<i64> = columns.iter().map(|c| c[i]).collect();
            self.eval(&x)
        };
        ints(ty, (0..ty.shape.size()).map(one).collect())
    }
}

impl Tensor {
    /// A hash of the decimal digits of each number (`i64`), its 64 bits as a signed number: FarmHash's
    /// `Fingerprint64` or, with a key, SipHash-2-4. So TensorFlow hashes numbers that are written as texts.
    #[track_caller]
    pub fn hash_decimal(&self, key: Option<[u64; 2]>) -> Tensor {
        let op = Hash::Decimal(key);
        Tensor::new(op.into(), vec![self.clone()], Location::caller())
    }

    /// One fingerprint of two (`i64`), in their order, which matters: TensorFlow's `FingerprintCat64`.
    #[track_caller]
    pub fn hash_joined(&self, other: &Tensor) -> Tensor {
        let line = Location::caller();
        Tensor::new(Hash::Joined.into(), vec![self.clone(), other.clone()], line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Device, Reference};

    fn value(t: Tensor) -> Result<Vec<i64>> {
        Ok(Device::new(Reference).eval(&[t])?.remove(0).to_vec())
    }

    #[test]
    fn hashes_of_tensorflow() {
        let x = Tensor::constant([0i64, 7, -5, 1 << 62, i64::MIN, 123456789012345678]);
        let farm = [
            1363911219970409023u64,
            590358713228080280,
            3867527841621742104,
            2831082454892920503,
            1493431938208774112,
            704066306491908369,
        ];
        let sip = [
            3811194907141297369u64,
            4162288258081060670,
            971313266557102270,
            4155286085453247207,
            2580724138282598084,
            3532372298948791141,
        ];
        let rest = |t: Tensor| {
            let hashes = value(t).unwrap().into_iter();
            hashes.map(|h| h as u64 % (1 << 62)).collect::<Vec<_>>()
        };
        assert_eq!(rest(x.hash_decimal(None)), farm);
        assert_eq!(rest(x.hash_decimal(Some([133, 137]))), sip);
    }

    #[test]
    fn only_whole_numbers_of_one_shape() {
        let x = Tensor::constant([1.0f32]);
        assert!(value(x.hash_decimal(None)).is_err());
        let (a, b) = (Tensor::constant([1i64]), Tensor::constant([1i64, 2]));
        assert!(value(a.hash_joined(&b)).is_err());
    }
}
