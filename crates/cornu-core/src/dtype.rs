//! Element types.

use crate::array::Data;
use half::{bf16, f16};
use std::fmt;

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    /// `false` or `true`, one byte each.
    Bool,
    /// Unsigned 8-bit integer.
    U8,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// bfloat16: the upper half of an `f32`; stored so, computed in `f32`.
    BF16,
    /// IEEE half precision; stored so, computed in `f32`.
    F16,
    /// IEEE single precision, the default.
    F32,
    /// IEEE double precision.
    F64,
}

impl DType {
    /// Every element type.
    pub const ALL: [DType; 8] = [
        DType::Bool,
        DType::U8,
        DType::I32,
        DType::I64,
        DType::BF16,
        DType::F16,
        DType::F32,
        DType::F64,
    ];

    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            DType::Bool | DType::U8 => 1,
            DType::BF16 | DType::F16 => 2,
            DType::I32 | DType::F32 => 4,
            DType::I64 | DType::F64 => 8,
        }
    }

    /// Whether this is one of the floating-point types.
    pub const fn is_float(self) -> bool {
        matches!(self, DType::BF16 | DType::F16 | DType::F32 | DType::F64)
    }

    /// Whether this is one of the integer types (not `Bool`).
    pub const fn is_int(self) -> bool {
        matches!(self, DType::U8 | DType::I32 | DType::I64)
    }

    /// Keras' and NumPy's name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::U8 => "uint8",
            DType::I32 => "int32",
            DType::I64 => "int64",
            DType::BF16 => "bfloat16",
            DType::F16 => "float16",
            DType::F32 => "float32",
            DType::F64 => "float64",
        }
    }

    /// The type with this name, as Keras spells it.
    pub fn from_name(name: &str) -> crate::Result<DType> {
        DType::ALL
            .into_iter()
            .find(|d| d.name() == name)
            .ok_or_else(|| {
                let names: Vec<&str> = DType::ALL.iter().map(|d| d.name()).collect();
                crate::Error::unknown("dtype", name, &names)
            })
    }

    /// The type in which an operation on `self` and `other` is computed: the wider of the two, a
    /// float before an integer; the two half formats meet in `f32`.
    pub fn promote(self, other: DType) -> DType {
        match (self, other) {
            (DType::BF16, DType::F16) | (DType::F16, DType::BF16) => DType::F32,
            (a, b) => a.max(b),
        }
    }

    /// `self` if it is a float, else `f32`: the type in which means, exponentials… are computed.
    pub fn to_float(self) -> DType {
        if self.is_float() { self } else { DType::F32 }
    }

    /// The largest relative rounding error of one operation (0 for integers).
    pub const fn epsilon(self) -> f64 {
        match self {
            DType::BF16 => 0.0078125,
            DType::F16 => 0.0009765625,
            DType::F32 => f32::EPSILON as f64,
            DType::F64 => f64::EPSILON,
            _ => 0.0,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that can be an element of an [`Array`](crate::Array).
pub trait Element:
    Copy + Default + Send + Sync + PartialEq + fmt::Debug + sealed::Sealed + 'static
{
    /// The matching [`DType`].
    const DTYPE: DType;
    #[doc(hidden)]
    fn wrap(values: Vec<Self>) -> Data;
    #[doc(hidden)]
    fn unwrap(data: Data) -> Option<Vec<Self>>;
    #[doc(hidden)]
    fn slice(data: &Data) -> Option<&[Self]>;
    #[doc(hidden)]
    fn slice_mut(data: &mut Data) -> Option<&mut [Self]>;
    #[doc(hidden)]
    fn view(values: &[Self]) -> crate::Slice<'_>;
    #[doc(hidden)]
    fn view_mut(values: &mut [Self]) -> crate::SliceMut<'_>;
    /// The value as `f64` (booleans as 0 and 1).
    fn to_f64(self) -> f64;
    /// The value as `i64`, truncated toward zero; saturating, NaN as 0.
    fn to_i64(self) -> i64;
    /// From `f64`: rounded to a float type, truncated toward zero and saturating to an integer type,
    /// non-zero to `true`.
    fn from_f64(v: f64) -> Self;
    /// From `i64`: wrapping to a narrower integer, rounded to a float, non-zero to `true`.
    fn from_i64(v: i64) -> Self;
}

macro_rules! element {
    ($t:ty, $variant:ident, $to64:expr, $toi:expr, $from64:expr, $fromi:expr) => {
        impl sealed::Sealed for $t {}
        impl Element for $t {
            const DTYPE: DType = DType::$variant;
            fn wrap(values: Vec<Self>) -> Data {
                Data::$variant(values)
            }
            fn unwrap(data: Data) -> Option<Vec<Self>> {
                if let Data::$variant(v) = data {
                    Some(v)
                } else {
                    None
                }
            }
            fn slice(data: &Data) -> Option<&[Self]> {
                if let Data::$variant(v) = data {
                    Some(v)
                } else {
                    None
                }
            }
            fn slice_mut(data: &mut Data) -> Option<&mut [Self]> {
                if let Data::$variant(v) = data {
                    Some(v)
                } else {
                    None
                }
            }
            fn view(values: &[Self]) -> crate::Slice<'_> {
                crate::Slice::$variant(values)
            }
            fn view_mut(values: &mut [Self]) -> crate::SliceMut<'_> {
                crate::SliceMut::$variant(values)
            }
            fn to_f64(self) -> f64 {
                $to64(self)
            }
            fn to_i64(self) -> i64 {
                $toi(self)
            }
            fn from_f64(v: f64) -> Self {
                $from64(v)
            }
            fn from_i64(v: i64) -> Self {
                $fromi(v)
            }
        }
    };
}

element!(
    bool,
    Bool,
    |v| f64::from(u8::from(v)),
    i64::from,
    |v: f64| v != 0.0,
    |v| v != 0
);
element!(u8, U8, f64::from, i64::from, |v| v as u8, |v| v as u8);
element!(i32, I32, f64::from, i64::from, |v| v as i32, |v| v as i32);
element!(i64, I64, |v| v as f64, |v| v, |v| v as i64, |v| v);
// The half types are rounded from f32, as kernels do that compute in it.
element!(
    bf16,
    BF16,
    bf16::to_f64,
    |v: bf16| v.to_f64() as i64,
    |v| bf16::from_f32(v as f32),
    |v| bf16::from_f32(v as f32)
);
element!(
    f16,
    F16,
    f16::to_f64,
    |v: f16| v.to_f64() as i64,
    |v| f16::from_f32(v as f32),
    |v| f16::from_f32(v as f32)
);
element!(f32, F32, f64::from, |v| v as i64, |v| v as f32, |v| v
    as f32);
element!(f64, F64, |v| v, |v| v as i64, |v| v, |v| v as f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_is_symmetric_and_widening() {
        for a in DType::ALL {
            for b in DType::ALL {
                assert_eq!(a.promote(b), b.promote(a));
                assert!(a.promote(b) >= a.max(b));
            }
        }
        assert_eq!(DType::BF16.promote(DType::F16), DType::F32);
        assert_eq!(DType::I64.promote(DType::F32), DType::F32);
    }

    #[test]
    fn names_round_trip() {
        for d in DType::ALL {
            assert_eq!(DType::from_name(d.name()).unwrap(), d);
        }
        assert!(
            DType::from_name("float31")
                .unwrap_err()
                .to_string()
                .contains("float32")
        );
    }
}
