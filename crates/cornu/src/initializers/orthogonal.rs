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

/// Vectors made orthogonal together: what came before is read once for all of them.
const PANEL: usize = 16;

/// Gram and Schmidt's orthonormalisation of vectors of length `n`, in `f64`, in panels. A panel in which
/// a vector loses more than half of its length is cleaned again, which makes it orthogonal to the last
/// bit ("twice is enough", Kahan and Parlett).
fn orthonormalise(vectors: &mut [f64], n: usize) {
    if n == 0 {
        return;
    }
    let length = |v: &[f64]| dot(v, v).sqrt();
    for start in (0..vectors.len()).step_by(PANEL * n) {
        let (done, rest) = vectors.split_at_mut(start);
        let end = rest.len().min(PANEL * n);
        let panel = &mut rest[..end];
        loop {
            let before: Vec<f64> = panel.chunks_exact(n).map(length).collect();
            for group in done.chunks(4 * n) {
                for vector in panel.chunks_exact_mut(n) {
                    subtract(vector, group);
                }
            }
            let mut lost = false;
            for (j, before) in before.into_iter().enumerate() {
                let (first, rest) = panel.split_at_mut(j * n);
                let vector = &mut rest[..n];
                for group in first.chunks(4 * n) {
                    subtract(vector, group);
                }
                let norm = length(vector);
                lost |= norm < 0.5 * before;
                if norm > 0.0 {
                    vector.iter_mut().for_each(|v| *v /= norm);
                }
            }
            if !lost {
                break;
            }
        }
    }
}

/// Takes the directions of a few orthonormal vectors out of a vector.
fn subtract(vector: &mut [f64], directions: &[f64]) {
    let n = vector.len();
    if directions.len() == 4 * n {
        let mut each = directions.chunks_exact(n);
        subtract_four(vector, std::array::from_fn(|_| each.next().unwrap_or(&[])));
        return;
    }
    for other in directions.chunks_exact(n) {
        let along = dot(other, vector);
        for (v, o) in vector.iter_mut().zip(other) {
            *v -= along * o;
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

/// Takes four orthonormal vectors' directions out of a vector in two passes over it.
fn subtract_four(vector: &mut [f64], others: [&[f64]; 4]) {
    const LANES: usize = 4;
    let n = vector.len();
    let [a, b, c, d] = others.map(|o| &o[..n]);
    let mut sums = [[0.0; LANES]; 4];
    let whole = n - n % LANES;
    for i in (0..whole).step_by(LANES) {
        for l in 0..LANES {
            let v = vector[i + l];
            sums[0][l] += v * a[i + l];
            sums[1][l] += v * b[i + l];
            sums[2][l] += v * c[i + l];
            sums[3][l] += v * d[i + l];
        }
    }
    let mut along = sums.map(|s| s.iter().sum::<f64>());
    for i in whole..n {
        for (sum, other) in along.iter_mut().zip([a, b, c, d]) {
            *sum += vector[i] * other[i];
        }
    }
    for (i, v) in vector.iter_mut().enumerate() {
        *v -= along[0] * a[i] + along[1] * b[i] + along[2] * c[i] + along[3] * d[i];
    }
}
