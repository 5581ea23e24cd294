use super::*;
use cornu_core::random::Stream;
use cornu_core::{Shape, TensorType};
use std::sync::Mutex;

fn ty(dtype: DType, shape: impl Into<Shape>) -> TensorType {
    TensorType {
        shape: shape.into(),
        dtype,
    }
}

/// The sums, stored and handed over block by block, and the rows handed over.
fn scatter(
    threads: usize,
    rows: usize,
    cols: usize,
    x: &[f32],
    ids: &[i32],
) -> (Vec<f32>, Vec<f32>) {
    let team = Team::new(threads);
    let (result, indices) = (ty(DType::F32, [rows, cols]), ty(DType::I32, [ids.len()]));
    // What follows is said to take long, so that threads share the work.
    let mut plan = ScatterPlan::new(&result, &indices, 1e6, threads);
    let mut stored = vec![f32::NAN; rows * cols];
    let dest = Dest {
        ptr: stored.as_mut_ptr(),
        ld: cols,
        batch_stride: 0,
        accumulate: false,
    };
    let mut sums = vec![f32::NAN; plan.block_elements() * threads];
    let handed = Mutex::new(vec![f32::NAN; rows * cols]);
    let keep = |tile: &mut Tile<f32>| {
        let mut handed = handed.lock().unwrap();
        let n = tile.rows * tile.cols;
        // SAFETY: the tile is dense.
        let tile_sums = unsafe { std::slice::from_raw_parts(tile.acc, n) };
        let to = &mut handed[tile.row0 * cols..][..n];
        assert!(to.iter().all(|v| v.is_nan()), "a block comes once");
        to.copy_from_slice(tile_sums);
    };
    let indices = ids.as_ptr().cast();
    // SAFETY: all memory is as large as the plan's types.
    unsafe {
        plan.run(
            &team,
            x.as_ptr(),
            indices,
            Output::Store(dest),
            sums.as_mut_ptr(),
        );
        plan.run(
            &team,
            x.as_ptr(),
            indices,
            Output::Epilogue(&keep),
            sums.as_mut_ptr(),
        );
    }
    (stored, handed.into_inner().unwrap())
}

#[test]
fn blocks_hold_the_sums_in_the_order_of_the_slices() {
    let mut random = Stream::new(7, 1);
    for (rows, cols, count) in [
        (1, 1, 5),
        (7, 3, 0),
        (300, 100, 40),
        (1000, 16, 5000),
        (3, 9000, 8),
    ] {
        let ids: Vec<i32> = (0..count)
            .map(|_| random.below(3 * rows as u32) as i32 - rows as i32 - rows as i32 / 2)
            .collect();
        let x: Vec<f32> = (0..count * cols)
            .map(|_| random.below(1 << 20) as f32 * 1.1)
            .collect();
        let mut expected = vec![0.0f32; rows * cols];
        for (i, id) in ids.iter().enumerate() {
            let row = if *id < 0 { *id + rows as i32 } else { *id };
            if (0..rows as i32).contains(&row) {
                for j in 0..cols {
                    expected[row as usize * cols + j] += x[i * cols + j];
                }
            }
        }
        for threads in [1, 2, 4] {
            let (stored, handed) = scatter(threads, rows, cols, &x, &ids);
            assert_eq!(stored, expected, "{rows} x {cols} by {threads} threads");
            assert_eq!(handed, expected, "{rows} x {cols} by {threads} threads");
        }
    }
}
