//! Random orthogonal matrices.

use super::{Distribution, draw};
use crate::{Array, DType, Error, Result, Shape};

/// Q of the QR decomposition of a tall normal matrix, with R's diagonal positive, times `gain`;
/// transposed if the weight has more columns than rows.
pub(super) fn sample(
    shape: &Shape,
    dtype: DType,
    gain: f64,
    seed: u64,
    stream: u32,
) -> Result<Array> {
    let [ref leading @ .., columns] = **shape else {
        return Err(too_flat(shape));
    };
    if leading.is_empty() {
        return Err(too_flat(shape));
    }
    let rows: usize = leading.iter().product();
    let (long, short) = (rows.max(columns), rows.min(columns));
    let unit = Distribution::RandomNormal {
        mean: 0.0,
        stddev: 1.0,
    };
    let normal = draw::draw(unit, long * short, seed, stream);
    // Column j of the tall matrix is the j-th run of `long` numbers.
    let mut vectors: Vec<f64> = normal.into_iter().map(f64::from).collect();
    orthonormalise(&mut vectors, long);
    let mut values = vec![0.0f64; long * short];
    for (j, vector) in vectors.chunks_exact(long.max(1)).enumerate() {
        for (i, v) in vector.iter().enumerate() {
            let at = if rows >= columns {
                i * columns + j
            } else {
                j * columns + i
            };
            values[at] = v * gain;
        }
    }
    Ok(Array::from_vec(shape, values)?.cast(dtype))
}

fn too_flat(shape: &Shape) -> Error {
    Error::shape(format!(
        "The initializer Orthogonal needs two axes or more. Received: shape {shape}."
    ))
}

/// Gram and Schmidt's orthonormalisation of vectors of length `n`, in `f64`. A vector that loses more
/// than half of its length is cleaned a second time, which makes it orthogonal to the last bit ("twice
/// is enough", Kahan and Parlett).
fn orthonormalise(vectors: &mut [f64], n: usize) {
    if n == 0 {
        return;
    }
    for j in 0..vectors.len() / n {
        let (done, rest) = vectors.split_at_mut(j * n);
        let vector = &mut rest[..n];
        let mut before = dot(vector, vector).sqrt();
        loop {
            for other in done.chunks_exact(n) {
                let along = dot(other, vector);
                for (v, o) in vector.iter_mut().zip(other) {
                    *v -= along * o;
                }
            }
            let norm = dot(vector, vector).sqrt();
            if norm >= 0.5 * before || norm == 0.0 {
                break;
            }
            before = norm;
        }
        let norm = dot(vector, vector).sqrt();
        if norm > 0.0 {
            vector.iter_mut().for_each(|v| *v /= norm);
        }
    }
}

/// The inner product, in eight partial sums that vectorise.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (ca, cb) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = ca
        .remainder()
        .iter()
        .zip(cb.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in ca.zip(cb) {
        for i in 0..8 {
            sums[i] += x[i] * y[i];
        }
    }
    sums.iter().sum::<f64>() + rest
}
