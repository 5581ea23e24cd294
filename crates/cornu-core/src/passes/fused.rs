//! The fused elementwise kernel: a straight-line list of element functions run over one iteration
//! space, with strided operands. It is the body of an elementwise kernel, the prologue of a reduction
//! and the epilogue of a matrix product.

use crate::dtype::DType;
use crate::ops::creation::Scalar;
use crate::ops::elementwise::{BinaryFn, UnaryFn};
use crate::program::ValueId;

/// One function of a [`Fused`] body; its operands are registers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BodyFn {
    /// A constant.
    Scalar(Scalar),
    /// A unary function of `args[0]`.
    Unary(UnaryFn),
    /// A binary function of `args[0]` and `args[1]`, which have the same type.
    Binary(BinaryFn),
    /// `args[1]` where `args[0]` (bool) holds, else `args[2]`.
    Select,
    /// `args[0]` converted to the instruction's type.
    Cast,
}

/// One instruction of a [`Fused`] body. It defines register `operands.len() + its index`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BodyInst {
    /// What is computed.
    pub f: BodyFn,
    /// The registers it reads; as many as `f` takes count.
    pub args: [u16; 3],
    /// The type of the result.
    pub dtype: DType,
}

/// A value read by a [`Fused`] kernel: element `(i0, i1, …)` of the iteration space reads
/// `value[offset + Σ iₖ·strides[k]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// What is read.
    pub value: ValueId,
    /// The element type.
    pub dtype: DType,
    /// Strides in elements, one per axis of the iteration space; 0 where broadcast.
    pub strides: Vec<isize>,
    /// Where element (0, 0, …) lies, in elements.
    pub offset: usize,
}

/// A register written out, row-major and contiguous over the iteration space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Output {
    /// What is defined.
    pub value: ValueId,
    /// The register that holds it.
    pub register: u16,
}

/// A fused elementwise kernel. Registers `0..operands.len()` are the operands, the following ones
/// the results of the instructions.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Fused {
    /// Extents of the iteration space.
    pub shape: Vec<usize>,
    /// The values read.
    pub operands: Vec<Operand>,
    /// The instructions in order.
    pub body: Vec<BodyInst>,
    /// The values written.
    pub outputs: Vec<Output>,
}

impl Fused {
    /// Number of elements of the iteration space.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// The element type of a register.
    pub fn dtype(&self, register: u16) -> DType {
        let r = register as usize;
        match r.checked_sub(self.operands.len()) {
            None => self.operands[r].dtype,
            Some(i) => self.body[i].dtype,
        }
    }
}

impl BodyFn {
    /// The name shown in plans.
    pub fn name(&self) -> &'static str {
        use crate::ops::Operation;
        match self {
            BodyFn::Scalar(_) => "scalar",
            BodyFn::Unary(f) => f.name(),
            BodyFn::Binary(f) => f.name(),
            BodyFn::Select => "where",
            BodyFn::Cast => "cast",
        }
    }

    /// How many registers the function reads.
    pub fn arity(&self) -> usize {
        match self {
            BodyFn::Scalar(_) => 0,
            BodyFn::Unary(_) | BodyFn::Cast => 1,
            BodyFn::Binary(_) => 2,
            BodyFn::Select => 3,
        }
    }
}
