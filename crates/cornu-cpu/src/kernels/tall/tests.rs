//! The loops against plain ones, at odd sizes.

use super::*;

/// Numbers whose sums are exact.
fn numbers(len: usize, seed: usize) -> Vec<f64> {
    (0..len)
        .map(|i| ((i * 7919 + seed * 104_729) % 31) as f64 - 15.0)
        .collect()
}

#[test]
fn dots_and_combinations_are_plain_sums() {
    for rows in [0, 1, 3, 8, 21] {
        for cols in [1, 2, 7, 8, 20, 33, 71] {
            for k in [1, 2, 3, 4, 5, 10, 13] {
                let x = numbers(rows * cols, 1);
                let w = numbers(k * cols, 2);
                let mut out = vec![f64::NAN; rows * k];
                dots(&x, cols, &w, k, &mut out);
                for r in 0..rows {
                    for j in 0..k {
                        let sum: f64 = (0..cols).map(|c| x[r * cols + c] * w[j * cols + c]).sum();
                        assert_eq!(out[r * k + j], sum, "{rows} {cols} {k}");
                    }
                }
                let factors = numbers(rows * k, 3);
                let mut g = numbers(k * cols, 4);
                let before = g.clone();
                combine(&x, cols, &factors, k, &mut g);
                for j in 0..k {
                    for c in 0..cols {
                        let sum: f64 = (0..rows)
                            .map(|r| factors[r * k + j] * x[r * cols + c])
                            .sum();
                        assert_eq!(g[j * cols + c], before[j * cols + c] + sum);
                    }
                }
            }
        }
    }
}

#[test]
fn a_gram_matrix_is_the_plain_one() {
    for rows in [0, 1, 5, 128] {
        for cols in [1, 2, 7, 8, 9, 12, 22, 24, 25, 50, 73] {
            let x = numbers(rows * cols, 5);
            for isa in Isa::available() {
                let gram = Gram::with_isa(cols, isa);
                let mut packed = vec![0.0; gram.packed_len()];
                for r in 0..rows {
                    for c in 0..cols {
                        let (panel, column) = (c / gram.width(), c % gram.width());
                        packed[(panel * Gram::ROWS + r) * gram.width() + column] = x[r * cols + c];
                    }
                }
                let mut sums = vec![0.0; gram.sums_len()];
                gram.add(rows, &packed, &mut sums);
                gram.add(rows, &packed, &mut sums);
                for i in 0..cols {
                    for j in 0..cols {
                        let sum: f64 = (0..rows).map(|r| x[r * cols + i] * x[r * cols + j]).sum();
                        assert_eq!(gram.at(&sums, i, j), 2.0 * sum, "{rows} {cols} {i} {j}");
                    }
                }
            }
        }
    }
}
