//! The operations: one family, one file, and in that file the public constructors with their docs,
//! the shape rule, the gradient rule, the reference evaluation and the tests.
//!
//! To add an operation: write its file with a struct (or enum) that implements [`Operation`], and name
//! it in the list below. A backend adds a file of the same name under its `kernels/`.

pub mod attention;
pub mod conv;
pub mod creation;
pub mod cumulative;
pub mod custom;
pub mod einsum;
pub mod elementwise;
pub mod gather;
pub mod hash;
pub mod matmul;
pub mod movement;
pub mod pool;
pub mod random;
pub mod recurrent;
pub mod reduce;
pub mod sort;

use crate::array::Array;
use crate::dtype::DType;
use crate::tensor::{Tensor, TensorType};
use crate::{Result, Variable};
use std::fmt;

/// What every operation knows of itself.
pub trait Operation: fmt::Debug {
    /// The name shown in plans and errors.
    fn name(&self) -> &'static str;

    /// The type of the result, or what is wrong with the operands.
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType>;

    /// The gradient with respect to each input for which `wanted` is true, given the gradient `g` of
    /// the result `y`. `None` means that nothing flows to this input.
    fn grad(
        &self,
        inputs: &[Tensor],
        y: &Tensor,
        g: &Tensor,
        wanted: &[bool],
    ) -> Vec<Option<Tensor>>;

    /// The result, by plain loops: the meaning of the operation.
    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array;

    /// The same without what the result holds for the way back alone, behind what others read; `None` if
    /// it holds nothing such.
    fn without_tape(&self) -> Option<Op> {
        None
    }
}

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident($ty:ty)),* $(,)?) => {
        /// An operation of the tensor program. The set is closed: these are what a backend implements.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Op {
            /// The `i`-th input of the program.
            Input(usize),
            /// The value of a variable before the program's updates.
            Variable(Variable),
            $($(#[$doc])* $variant($ty),)*
        }

        /// The name of every operation that has rules.
        #[cfg(test)]
        pub(crate) const OPERATIONS: &[&str] = &[$(stringify!($variant)),*];

        impl Op {
            /// The operation's own rules; `None` for the two leaves that have none.
            pub fn rules(&self) -> Option<&dyn Operation> {
                match self {
                    Op::Input(_) | Op::Variable(_) => None,
                    $(Op::$variant(op) => Some(op),)*
                }
            }
        }

        $(impl From<$ty> for Op {
            fn from(op: $ty) -> Op {
                Op::$variant(op)
            }
        })*
    };
}

operations! {
    /// A constant array.
    Constant(creation::Constant),
    /// One value everywhere.
    Full(creation::Full),
    /// 0, 1, 2, … along one axis.
    Iota(creation::Iota),
    /// A function of one element.
    Unary(elementwise::UnaryFn),
    /// A function of two elements.
    Binary(elementwise::BinaryFn),
    /// Picks by a condition.
    Select(elementwise::Select),
    /// Converts the element type.
    Cast(elementwise::Cast),
    /// Sum, product, maximum or minimum over axes.
    Reduce(reduce::Reduce),
    /// The index of the largest or smallest element along an axis.
    ArgReduce(reduce::ArgReduce),
    /// Running sum, product, maximum or minimum along an axis.
    Cumulative(cumulative::Cumulative),
    /// Matrix product over the last two axes.
    MatMul(matmul::MatMul),
    /// Convolution, and what flows back through it.
    Conv(conv::Conv),
    /// The same elements under another shape.
    Reshape(movement::Reshape),
    /// The axes in another order.
    Transpose(movement::Transpose),
    /// Axes stretched or added.
    Broadcast(movement::Broadcast),
    /// A strided part.
    SliceOp(movement::SliceOp),
    /// A margin of one value.
    Pad(movement::Pad),
    /// Tensors joined along an axis.
    Concat(movement::Concat),
    /// Rows by index.
    Take(gather::Take),
    /// The transpose of `Take`: sums rows into their places.
    ScatterAdd(gather::ScatterAdd),
    /// One element per position by index along an axis.
    TakeAlong(gather::TakeAlong),
    /// The transpose of `TakeAlong`.
    ScatterAddAlong(gather::ScatterAddAlong),
    /// The largest or the sum of each window, and what flows back through them.
    Pool(pool::Pool),
    /// A recurrent cell over a whole sequence.
    Recurrent(recurrent::Recurrent),
    /// What flows back through it.
    RecurrentGrad(recurrent::RecurrentGrad),
    /// Means of values, by how queries fit their keys.
    Attention(attention::Attention),
    /// What flows back through it.
    AttentionGrad(attention::AttentionGrad),
    /// The order that sorts the last axis.
    ArgSort(sort::ArgSort),
    /// Counter-based random numbers.
    Random(random::Random),
    /// Whole numbers as hashes.
    Hash(hash::Hash),
    /// The identity with a gradient rule of its own.
    Custom(custom::Custom),
}

impl Op {
    /// The name shown in plans and errors.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input(_) => "input",
            Op::Variable(_) => "variable",
            op => op.rules().map_or("", |r| r.name()),
        }
    }

    /// Whether a result of this type is made in blocks of rows, so that element functions can follow
    /// each block.
    pub fn is_blockwise(&self, result: &TensorType) -> bool {
        match self {
            Op::Conv(_) => true,
            // Half-precision sums are kept wider than what follows would read.
            Op::ScatterAdd(op) => {
                op.axis == 0
                    && result.shape.rank() > 1
                    && matches!(result.dtype, DType::F32 | DType::F64)
            }
            _ => false,
        }
    }

    /// Whether the result at a position depends only on the operands at that position.
    pub fn is_elementwise(&self) -> bool {
        matches!(
            self,
            Op::Unary(_) | Op::Binary(_) | Op::Select(_) | Op::Cast(_)
        )
    }
}
