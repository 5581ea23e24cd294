//! Every way, layout, instruction set and thread count against a plain triple loop in f64.

use super::{Dest, MatmulPlan, MatmulSpec, Operand, Output, Tile};
use crate::simd::{Float, Isa};
use crate::team::Team;
use std::sync::Mutex;

/// A linear congruential generator (Knuth's MMIX constants).
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }
    /// A multiple of 1/8 in [-1, 1): small products sum exactly in f32.
    fn value(&mut self) -> f64 {
        self.below(16) as f64 / 8.0 - 1.0
    }
    fn values<T: Float>(&mut self, n: usize) -> Vec<T> {
        (0..n).map(|_| T::from_f64(self.value())).collect()
    }
}

/// Elements that an operand of `rows` × `cols` takes.
fn extent(op: &Operand, rows: usize, cols: usize, batch: usize) -> usize {
    let (outer, inner) = if op.trans { (cols, rows) } else { (rows, cols) };
    if outer * inner * batch == 0 {
        return 0;
    }
    (batch - 1) * op.batch_stride + (outer - 1) * op.ld + inner
}

fn element<T: Float>(x: &[T], op: &Operand, batch: usize, r: usize, c: usize) -> f64 {
    let at = if op.trans {
        c * op.ld + r
    } else {
        r * op.ld + c
    };
    x[batch * op.batch_stride + at].to_f64()
}

/// The product in f64, dense.
fn reference<T: Float>(spec: &MatmulSpec, a: &[T], b: &[T]) -> Vec<f64> {
    let mut c = Vec::with_capacity(spec.batch * spec.m * spec.n);
    for batch in 0..spec.batch {
        for i in 0..spec.m {
            for j in 0..spec.n {
                let mut sum = 0.0;
                for p in 0..spec.k {
                    sum += element(a, &spec.a, batch, i, p) * element(b, &spec.b, batch, p, j);
                }
                c.push(sum);
            }
        }
    }
    c
}

fn workspace<T: Float>(plan: &MatmulPlan<T>) -> Vec<u8> {
    vec![0xFF; plan.workspace_bytes()] // NaNs, should anything read what it has not written
}

/// Checks storing, adding and the epilogue. The values are such that all sums are exact.
fn check<T: Float>(spec: MatmulSpec, isa: Isa, team: &Team, rng: &mut Lcg) {
    let MatmulSpec { m, n, k, batch, .. } = spec;
    let a: Vec<T> = rng.values(extent(&spec.a, m, k, batch));
    let b: Vec<T> = rng.values(extent(&spec.b, k, n, batch));
    let expected = reference(&spec, &a, &b);
    let plan = MatmulPlan::<T>::with_isa(spec, team.threads(), isa);
    let mut space = workspace(&plan);
    let context = || format!("{spec:?} {isa:?} {} threads", team.threads());

    let ld = n + rng.below(3);
    let batch_stride = m * ld + rng.below(5);
    let before: Vec<T> = rng.values(batch * batch_stride);
    for accumulate in [false, true] {
        let mut c = before.clone();
        let dest = Dest {
            ptr: c.as_mut_ptr(),
            ld,
            batch_stride,
            accumulate,
        };
        // SAFETY: all buffers were made for this shape.
        unsafe {
            plan.run(
                team,
                a.as_ptr(),
                b.as_ptr(),
                Output::Store(dest),
                space.as_mut_ptr(),
            )
        };
        let mut want = before.clone();
        for (at, x) in expected.iter().enumerate() {
            let (bi, i, j) = (at / (m * n), at / n % m, at % n);
            let out = &mut want[bi * batch_stride + i * ld + j];
            *out = T::from_f64(x + if accumulate { out.to_f64() } else { 0.0 });
        }
        assert!(c == want, "accumulate {accumulate} {}", context());
    }

    let seen = Mutex::new(vec![f64::NAN; batch * m * n]);
    let epilogue = |tile: &mut Tile<T>| {
        let mut seen = seen.lock().expect("no panic before");
        for r in 0..tile.rows {
            let at = (tile.batch * m + tile.row0 + r) * n + tile.col0;
            for (out, x) in seen[at..at + tile.cols].iter_mut().zip(tile.row_mut(r)) {
                assert!(out.is_nan(), "visited twice");
                *out = x.to_f64();
                *x = T::from_f64(f64::NAN); // the buffer is ours
            }
        }
    };
    // SAFETY: all buffers were made for this shape.
    unsafe {
        plan.run(
            team,
            a.as_ptr(),
            b.as_ptr(),
            Output::Epilogue(&epilogue),
            space.as_mut_ptr(),
        )
    };
    assert!(
        seen.into_inner().expect("no panic before") == expected,
        "epilogue {}",
        context()
    );
}

/// A random layout with gaps.
fn loosen(spec: &mut MatmulSpec, rng: &mut Lcg) {
    for (op, rows, cols) in [(&mut spec.a, spec.m, spec.k), (&mut spec.b, spec.k, spec.n)] {
        op.ld += rng.below(4);
        let stored = if op.trans { cols } else { rows };
        op.batch_stride = if rng.below(4) == 0 {
            0
        } else {
            stored * op.ld + rng.below(3)
        };
    }
}

fn teams() -> Vec<Team> {
    (1..=4).map(Team::new).collect()
}

#[test]
fn random_shapes() {
    const SIZES: [usize; 24] = [
        0, 1, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 15, 16, 17, 23, 31, 32, 33, 47, 64, 65, 100,
    ];
    let mut rng = Lcg(1);
    let teams = teams();
    for round in 0..3000 {
        let mut size = || SIZES[rng.below(SIZES.len())];
        let (m, n, k) = (size(), size(), size());
        let mut spec = MatmulSpec::new(m, n, k, round & 1 != 0, round & 2 != 0);
        if rng.below(2) == 0 {
            spec.batch = rng.below(4);
            loosen(&mut spec, &mut rng);
        }
        let team = &teams[rng.below(4)];
        for isa in Isa::available() {
            if round & 4 == 0 {
                check::<f32>(spec, isa, team, &mut rng);
            } else {
                check::<f64>(spec, isa, team, &mut rng);
            }
        }
    }
}

/// Large enough for forking, packing (both operands), several pieces along each axis and a split
/// inner dimension.
#[test]
fn large_shapes() {
    let mut rng = Lcg(2);
    let teams = teams();
    let shapes = [
        (128, 70, 784),
        (300, 65, 512),
        (97, 70, 1024),
        (130, 700, 70),
        (20, 30, 2100),
        (75, 140, 2500),
        (2000, 10, 130),
        (10, 2000, 130),
        (1, 3000, 300),
        (3000, 1, 300),
        (700, 5, 64),
        (40, 2048, 33),
    ];
    for (m, n, k) in shapes {
        for trans in 0..4 {
            let spec = MatmulSpec::new(m, n, k, trans & 1 != 0, trans & 2 != 0);
            for isa in Isa::available() {
                let team = &teams[rng.below(4)];
                if (trans + isa as usize).is_multiple_of(2) {
                    check::<f32>(spec, isa, team, &mut rng);
                } else {
                    check::<f64>(spec, isa, team, &mut rng);
                }
            }
        }
    }
    let mut spec = MatmulSpec::new(24, 40, 48, false, true);
    spec.batch = 64;
    check::<f32>(spec, Isa::get(), &teams[2], &mut rng);
}

/// Cut along the inner dimension: the same sums, and the same to the last bit however many threads there
/// are.
#[test]
fn deep_shapes() {
    let mut rng = Lcg(5);
    let teams = teams();
    for (m, n, k) in [
        (16, 130, 2100),
        (33, 47, 4097),
        (64, 80, 1024),
        (121, 13, 6400),
    ] {
        let mut spec = MatmulSpec::new(m, n, k, true, false);
        for isa in Isa::available() {
            loosen(&mut spec, &mut rng);
            let team = &teams[rng.below(4)];
            let plan = MatmulPlan::<f32>::with_isa(spec, team.threads(), isa);
            assert!(plan.last.is_some() && plan.pieces() > 1, "{spec:?}");
            check::<f32>(spec, isa, team, &mut rng);
            check::<f64>(spec, isa, team, &mut rng);
        }
        let spec = MatmulSpec::new(m, n, k, true, false);
        let uniform = |rng: &mut Lcg, n: usize| -> Vec<f32> {
            (0..n).map(|_| rng.next() as f32 / 1e9 - 1.0).collect()
        };
        let (a, b) = (uniform(&mut rng, m * k), uniform(&mut rng, k * n));
        let product = |team: &Team| {
            let plan = MatmulPlan::<f32>::new(spec, team.threads());
            let (mut c, mut space) = (vec![0.0_f32; m * n], workspace(&plan));
            let dest = Dest {
                ptr: c.as_mut_ptr(),
                ld: n,
                batch_stride: 0,
                accumulate: false,
            };
            let out = Output::Store(dest);
            // SAFETY: all buffers were made for this shape.
            unsafe { plan.run(team, a.as_ptr(), b.as_ptr(), out, space.as_mut_ptr()) };
            c
        };
        assert!(product(&teams[0]) == product(&teams[3]));
    }
}

/// Rounding stays that of a sum in the element type.
#[test]
fn rounding_error() {
    let (m, n, k) = (33, 47, 1500);
    let mut rng = Lcg(3);
    let mut uniform = |n: usize| -> Vec<f32> {
        (0..n)
            .map(|_| rng.next() as f32 / (1_u64 << 31) as f32 - 0.5)
            .collect()
    };
    let (a, b) = (uniform(m * k), uniform(k * n));
    let team = Team::new(2);
    for trans in 0..4 {
        let spec = MatmulSpec::new(m, n, k, trans & 1 != 0, trans & 2 != 0);
        let expected = reference(&spec, &a, &b);
        let plan = MatmulPlan::<f32>::new(spec, 2);
        let mut c = vec![0.0_f32; m * n];
        let dest = Dest {
            ptr: c.as_mut_ptr(),
            ld: n,
            batch_stride: 0,
            accumulate: false,
        };
        let mut space = workspace(&plan);
        // SAFETY: all buffers were made for this shape.
        unsafe {
            plan.run(
                &team,
                a.as_ptr(),
                b.as_ptr(),
                Output::Store(dest),
                space.as_mut_ptr(),
            )
        };
        for (x, y) in c.iter().zip(&expected) {
            // The expected error of k roundings of partial sums of size up to about sqrt(k) / 12.
            assert!((f64::from(*x) - y).abs() < 1e-4, "{x} {y}");
        }
    }
}

/// A zero does not hide a NaN or an infinity that it is multiplied by, and other elements stay
/// clean.
#[test]
fn not_a_number_propagates() {
    let team = Team::new(1);
    for (m, n, k) in [
        (3, 5, 7),
        (40, 40, 40),
        (40, 1, 40),
        (1, 40, 40),
        (40, 9, 70),
    ] {
        for trans in 0..4 {
            let spec = MatmulSpec::new(m, n, k, trans & 1 != 0, trans & 2 != 0);
            let a = vec![0.0_f32; m * k];
            let mut b = vec![1.0_f32; k * n];
            b[if spec.b.trans { 2 } else { 2 * n }] = f32::INFINITY; // row 2, column 0
            let plan = MatmulPlan::<f32>::new(spec, 1);
            let mut c = vec![9.0_f32; m * n];
            let dest = Dest {
                ptr: c.as_mut_ptr(),
                ld: n,
                batch_stride: 0,
                accumulate: false,
            };
            let mut space = workspace(&plan);
            // SAFETY: all buffers were made for this shape.
            unsafe {
                plan.run(
                    &team,
                    a.as_ptr(),
                    b.as_ptr(),
                    Output::Store(dest),
                    space.as_mut_ptr(),
                )
            };
            for (at, x) in c.iter().enumerate() {
                assert!(
                    if at % n == 0 { x.is_nan() } else { *x == 0.0 },
                    "{spec:?} {at} {x}"
                );
            }
        }
    }
}

/// A team larger than the plan was made for is not given memory that is not there.
#[test]
fn larger_team_than_planned() {
    let mut rng = Lcg(4);
    let spec = MatmulSpec::new(200, 300, 400, false, false);
    let (a, b): (Vec<f32>, Vec<f32>) = (rng.values(200 * 400), rng.values(400 * 300));
    let plan = MatmulPlan::<f32>::new(spec, 2);
    assert!(plan.pieces() > 1);
    let mut c = vec![0.0_f32; 200 * 300];
    let dest = Dest {
        ptr: c.as_mut_ptr(),
        ld: 300,
        batch_stride: 0,
        accumulate: false,
    };
    let mut space = workspace(&plan);
    // SAFETY: all buffers were made for this shape.
    unsafe {
        plan.run(
            &Team::new(4),
            a.as_ptr(),
            b.as_ptr(),
            Output::Store(dest),
            space.as_mut_ptr(),
        );
    }
    let got: Vec<f64> = c.into_iter().map(f64::from).collect();
    assert!(got == reference(&spec, &a, &b));
}
