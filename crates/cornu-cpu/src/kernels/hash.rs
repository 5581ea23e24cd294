//! Whole numbers as hashes, one by one.

use super::other::{OtherKernel, part, pieces};
use cornu_core::TensorType;
use cornu_core::ops::hash::Hash;

/// Hashes every element.
#[derive(Debug)]
pub struct HashKernel {
    op: Hash,
    n: usize,
}

impl HashKernel {
    /// For a result of this type.
    pub fn compile(op: &Hash, _: &[TensorType], output: &TensorType) -> HashKernel {
        HashKernel {
            op: *op,
            n: output.shape.size(),
        }
    }
}

impl OtherKernel for HashKernel {
    fn pieces(&self, threads: usize) -> usize {
        pieces(self.n as f64 * 15.0, self.n, threads)
    }

    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize) {
        let (first, last) = (inputs[0].cast::<i64>(), inputs[self.op.arity() - 1]);
        for i in part(self.n, piece, pieces) {
            // SAFETY: `i` is an element of each operand and of the result, as promised by the caller.
            unsafe {
                let x = [first.add(i).read(), last.cast::<i64>().add(i).read()];
                output.cast::<i64>().add(i).write(self.op.eval(&x));
            }
        }
    }
}
