//! Matrix products.

use super::Operation;
use super::elementwise::{ints, map};
use crate::array::Array;
use crate::dtype::DType;
use crate::shape::Shape;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};
use std::panic::Location;

/// The product of the matrices in the last two axes; the leading axes are equal in both operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct MatMul {
    /// Whether the first operand holds its matrices transposed.
    pub transpose_a: bool,
    /// Whether the second operand holds its matrices transposed.
    pub transpose_b: bool,
}

/// The extents of a product: `batch` products of `m`×`k` by `k`×`n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extents {
    /// Number of products.
    pub batch: usize,
    /// Rows of the result.
    pub m: usize,
    /// Columns of the result.
    pub n: usize,
    /// The summed extent.
    pub k: usize,
}

impl MatMul {
    /// The extents for operands of these shapes (of rank 2 or more, which [`Operation::infer`] checks).
    pub fn extents(&self, a: &Shape, b: &Shape) -> Extents {
        let (ra, rb) = (a.rank(), b.rank());
        let swap = |t: bool, x: usize, y: usize| if t { (y, x) } else { (x, y) };
        let (m, k) = swap(self.transpose_a, a[ra - 2], a[ra - 1]);
        let (_, n) = swap(self.transpose_b, b[rb - 2], b[rb - 1]);
        Extents {
            batch: a[..ra - 2].iter().product(),
            m,
            n,
            k,
        }
    }
}

impl Operation for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let (a, b) = (&inputs[0], &inputs[1]);
        let (ra, rb) = (a.shape.rank(), b.shape.rank());
        let fail = |why: &str| {
            Err(Error::shape(format!(
                "matmul: {why}. Received: {} and {}{}{}.",
                a.shape,
                b.shape,
                if self.transpose_a {
                    ", first transposed"
                } else {
                    ""
                },
                if self.transpose_b {
                    ", second transposed"
                } else {
                    ""
                },
            )))
        };
        if a.dtype != b.dtype || a.dtype == DType::Bool {
            return Err(Error::dtype(format!(
                "matmul needs two operands of one numeric type. Received: {} and {}.",
                a.dtype, b.dtype
            )));
        }
        if ra < 2 || ra != rb {
            return fail("expected two operands of the same rank, 2 or more");
        }
        if a.shape[..ra - 2] != b.shape[..ra - 2] {
            return fail("the leading axes differ");
        }
        let kb = if self.transpose_b {
            b.shape[rb - 1]
        } else {
            b.shape[rb - 2]
        };
        let e = self.extents(&a.shape, &b.shape);
        if e.k != kb {
            return fail(&format!("the inner extents {} and {kb} differ", e.k));
        }
        let mut shape = a.shape[..ra - 2].to_vec();
        shape.extend([e.m, e.n]);
        Ok(TensorType {
            shape: shape.into(),
            dtype: a.dtype,
        })
    }

    fn grad(
        &self,
        inputs: &[Tensor],
        _: &Tensor,
        g: &Tensor,
        wanted: &[bool],
    ) -> Vec<Option<Tensor>> {
        let (a, b) = (&inputs[0], &inputs[1]);
        let product = |x: &Tensor, tx: bool, y: &Tensor, ty: bool| {
            let op = MatMul {
                transpose_a: tx,
                transpose_b: ty,
            };
            Tensor::new(op.into(), vec![x.clone(), y.clone()], Location::caller())
        };
        let (ta, tb) = (self.transpose_a, self.transpose_b);
        let da = || {
            if ta {
                product(b, tb, g, true)
            } else {
                product(g, false, b, !tb)
            }
        };
        let db = || {
            if tb {
                product(g, true, a, ta)
            } else {
                product(a, !ta, g, false)
            }
        };
        vec![wanted[0].then(da), wanted[1].then(db)]
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let (a, b) = (inputs[0], inputs[1]);
        let Extents { batch, m, n, k } = self.extents(a.shape(), b.shape());
        let index = |t: bool, i: usize, j: usize, rows: usize, cols: usize| {
            if t { j * rows + i } else { i * cols + j }
        };
        let at = |x: usize, i: usize, p: usize| x * m * k + index(self.transpose_a, i, p, m, k);
        let bt = |x: usize, p: usize, j: usize| x * k * n + index(self.transpose_b, p, j, k, n);
        let places = (0..batch * m * n).map(|o| (o / (m * n), o / n % m, o % n));
        if ty.dtype.is_float() {
            let (a, b) = (a.to_vec::<f64>(), b.to_vec::<f64>());
            map(
                ty,
                places.map(|(x, i, j)| (0..k).map(|p| a[at(x, i, p)] * b[bt(x, p, j)]).sum()),
            )
        } else {
            let (a, b) = (a.to_vec::<i64>(), b.to_vec::<i64>());
            let dot = |x, i, j| {
                (0..k).fold(0i64, |s, p| {
                    s.wrapping_add(a[at(x, i, p)].wrapping_mul(b[bt(x, p, j)]))
                })
            };
            ints(ty, places.map(|(x, i, j)| dot(x, i, j)).collect())
        }
    }
}

impl Tensor {
    /// The matrix product, as NumPy's `matmul`: leading axes broadcast; a vector as first operand is
    /// a row, as second a column, and its axis disappears. Types are promoted.
    ///
    /// ```
    /// use cornu_core::{DType, Tensor};
    /// let a = Tensor::zeros([7, 2, 3], DType::F32);
    /// assert_eq!(a.matmul(Tensor::zeros([3, 5], DType::F32)).shape().dims(), [7, 2, 5]);
    /// assert_eq!(a.matmul(Tensor::zeros([3], DType::F32)).shape().dims(), [7, 2]);
    /// let e = a.matmul(Tensor::zeros([4, 5], DType::F32)).check().unwrap_err();
    /// assert!(e.to_string().contains("inner extents 3 and 4 differ"));
    /// ```
    #[track_caller]
    pub fn matmul(&self, other: impl Into<Tensor>) -> Tensor {
        self.matmul_at(&other.into(), Location::caller())
    }

    fn matmul_at(&self, other: &Tensor, line: &'static Location<'static>) -> Tensor {
        let dtype = self.dtype().promote(other.dtype());
        let (a, b) = (self.cast_at(dtype, line), other.cast_at(dtype, line));
        if a.rank() == 0 || b.rank() == 0 {
            let e = Error::shape(format!(
                "matmul needs operands of rank 1 or more. Received: {} and {}.",
                a.shape(),
                b.shape()
            ));
            return Tensor::failed(e, &[&a, &b], line);
        }
        if a.rank() == 1 {
            let y = a.reshape([1, a.size()]).matmul(&b);
            return y.squeeze(if b.rank() == 1 { 0 } else { -2 });
        }
        if b.rank() == 1 {
            return a.matmul(b.reshape([b.size(), 1])).squeeze(-1);
        }
        let multiply = |a: &Tensor, b: &Tensor| {
            Tensor::new(MatMul::default().into(), vec![a.clone(), b.clone()], line)
        };
        let (ra, rb) = (a.rank(), b.rank());
        if rb == 2 && ra > 2 {
            // One tall product instead of many small ones.
            let k = a.shape()[ra - 1];
            let rows = a.shape()[..ra - 1].iter().product();
            let mut shape = a.shape().to_vec();
            shape[ra - 1] = b.shape()[1];
            if k != b.shape()[0] {
                let e = Error::shape(format!(
                    "matmul: the inner extents {k} and {} differ. Received: {} and {}.",
                    b.shape()[0],
                    a.shape(),
                    b.shape()
                ));
                return Tensor::failed(e, &[&a, &b], line);
            }
            return multiply(&a.reshape([rows, k]), &b).reshape(shape);
        }
        let lead = |t: &Tensor| Shape::from(&t.shape()[..t.rank() - 2]);
        match lead(&a).broadcast(&lead(&b)) {
            Ok(common) => {
                let fit = |t: &Tensor| {
                    let mut shape = common.to_vec();
                    shape.extend(&t.shape()[t.rank() - 2..]);
                    t.broadcast_at(&shape.into(), line)
                };
                multiply(&fit(&a), &fit(&b))
            }
            Err(e) => Tensor::failed(e, &[&a, &b], line),
        }
    }
}
