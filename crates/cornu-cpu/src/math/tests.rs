//! Accuracy against `f64`, over dense sweeps.

use super::*;

/// Units in the last place between a result and the true value; 0 where both are denormal.
fn ulps(got: f32, want: f64) -> f64 {
    let near = want as f32;
    if got == near || (got.is_nan() && want.is_nan()) {
        return 0.0;
    }
    if got.abs() < f32::MIN_POSITIVE && want.abs() < f64::from(f32::MIN_POSITIVE) {
        return 0.0;
    }
    let unit = f64::from(f32::from_bits(near.abs().to_bits() + 1)) - f64::from(near.abs());
    (f64::from(got) - want).abs() / unit
}

/// The largest error over floats of all magnitudes and over a dense range.
fn worst(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, low: f32, high: f32) -> (f64, f32) {
    let all = (0..u32::MAX / 4099).map(|i| f32::from_bits(i * 4099));
    let range = (0..=1_000_000).map(|i| low + (high - low) * (i as f32 * 1e-6));
    let mut worst = (0.0, 0.0);
    for x in all.chain(range) {
        let e = ulps(f(x), exact(f64::from(x)));
        if e.is_nan() || e > worst.0 {
            worst = (e, x);
        }
    }
    worst
}

macro_rules! check {
    ($($f:ident, $exact:expr, $low:expr, $high:expr, $limit:expr;)*) => {
        $(#[test]
        fn $f() {
            let (e, x) = worst(float32::$f::<true>, $exact, $low, $high);
            assert!(e <= $limit, "fused: {e} ulp at {x:e}");
            let (e, x) = worst(float32::$f::<false>, $exact, $low, $high);
            assert!(e <= $limit, "plain: {e} ulp at {x:e}");
        })*
    };
}

check! {
    exp, f64::exp, -105.0, 90.0, 1.5;
    expm1, f64::exp_m1, -2.0, 2.0, 2.0;
    log, f64::ln, 0.3, 3.0, 1.5;
    log1p, f64::ln_1p, -0.9, 3.0, 2.0;
    tanh, f64::tanh, -10.0, 10.0, 2.0;
    sigmoid, |x: f64| 1.0 / (1.0 + (-x).exp()), -87.0, 20.0, 2.5;
    erf, cornu_core_erf, -4.0, 4.0, 2.0;
    asin, f64::asin, -1.0, 1.0, 1.0;
    acos, f64::acos, -1.0, 1.0, 1.0;
    atan, f64::atan, -5.0, 5.0, 1.0;
    sinh, f64::sinh, -5.0, 5.0, 1.0;
    cosh, f64::cosh, -5.0, 5.0, 1.0;
    asinh, f64::asinh, -5.0, 5.0, 1.0;
    acosh, f64::acosh, 1.0, 5.0, 1.0;
    atanh, f64::atanh, -1.0, 1.0, 1.0;
    erfinv, cornu_core_erfinv, -1.0, 1.0, 1.0;
}

fn cornu_core_erf(x: f64) -> f64 {
    cornu_core::ops::elementwise::UnaryFn::Erf.eval(x)
}

fn cornu_core_erfinv(x: f64) -> f64 {
    cornu_core::ops::elementwise::UnaryFn::ErfInv.eval(x)
}

#[test]
fn trigonometric() {
    let limit = |f: fn(f32) -> f32| {
        move |x: f32| {
            if x.abs() <= float32::TRIG_LIMIT {
                f(x)
            } else {
                f32::NAN
            }
        }
    };
    let exact = |f: fn(f64) -> f64| {
        move |x: f64| {
            if x.abs() <= f64::from(float32::TRIG_LIMIT) {
                f(x)
            } else {
                f64::NAN
            }
        }
    };
    for (name, f, g) in [
        (
            "sin",
            float32::sin::<true> as fn(f32) -> f32,
            f64::sin as fn(f64) -> f64,
        ),
        ("cos", float32::cos::<true>, f64::cos),
        ("tan", float32::tan::<true>, f64::tan),
        ("sin", float32::sin::<false>, f64::sin),
        ("cos", float32::cos::<false>, f64::cos),
        ("tan", float32::tan::<false>, f64::tan),
    ] {
        let (e, x) = worst(limit(f), exact(g), -1e5, 1e5);
        assert!(e <= 1.0, "{name}: {e} ulp at {x:e}");
    }
}

#[test]
fn power_and_angle() {
    let special = [
        0.0f32,
        -0.0,
        1.0,
        -1.0,
        2.0,
        -2.0,
        3.0,
        -3.0,
        0.5,
        -0.5,
        1.5,
        2.5,
        1e10,
        -1e10,
        16777217.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        1e-40,
        f32::MAX,
    ];
    let many = (0..3000).map(|i| (i as f32 * 0.731).sin() * 10f32.powi(i % 9 - 4));
    let all: Vec<f32> = special.into_iter().chain(many).collect();
    for (i, a) in all.iter().enumerate() {
        for b in all
            .iter()
            .skip(if i < special.len() { 0 } else { i % 7 })
            .step_by(7)
            .chain(&special)
        {
            let (x, y) = (f64::from(*a), f64::from(*b));
            let e = ulps(float32::pow::<true>(*a, *b), x.powf(y));
            assert!(
                e <= 1.0,
                "pow({a:e}, {b:e}) = {}: {e} ulp",
                float32::pow::<true>(*a, *b)
            );
            let e = ulps(float32::pow::<false>(*a, *b), x.powf(y));
            assert!(e <= 1.0, "pow({a:e}, {b:e}): {e} ulp, plain");
            let e = ulps(float32::atan2::<true>(*a, *b), x.atan2(y));
            assert!(
                e <= 1.0,
                "atan2({a:e}, {b:e}) = {}: {e} ulp",
                float32::atan2::<true>(*a, *b)
            );
        }
    }
}

#[test]
fn ends() {
    use float32 as f;
    const INF: f32 = f32::INFINITY;
    assert_eq!(f::exp::<true>(INF), INF);
    assert_eq!(f::exp::<true>(-INF), 0.0);
    assert_eq!(f::exp::<true>(0.0), 1.0);
    assert_eq!(f::log::<true>(0.0), -INF);
    assert_eq!(f::log::<true>(INF), INF);
    assert_eq!(f::log::<true>(1.0), 0.0);
    assert!(f::log::<true>(-1.0).is_nan());
    assert_eq!(f::log1p::<true>(-1.0), -INF);
    assert_eq!(f::log1p::<true>(INF), INF);
    assert_eq!(f::expm1::<true>(-INF), -1.0);
    assert_eq!(f::expm1::<true>(INF), INF);
    assert_eq!(f::tanh::<true>(INF), 1.0);
    assert_eq!(f::tanh::<true>(-INF), -1.0);
    assert_eq!(f::sigmoid::<true>(INF), 1.0);
    assert_eq!(f::sigmoid::<true>(-INF), 0.0);
    assert_eq!(f::erf::<true>(-INF), -1.0);
    assert_eq!(f::erfinv::<true>(1.0), INF);
    assert!(f::erfinv::<true>(1.5).is_nan());
}

#[test]
fn double_precision() {
    let mut worst = [0.0f64; 3];
    for i in 0..2_000_000u64 {
        let x = -745.0 + i as f64 * 7.3e-4;
        let tiny = f64::MIN_POSITIVE;
        let rel = |a: f64, b: f64| {
            if a == b || (a.abs() <= tiny && b.abs() <= tiny) {
                0.0
            } else {
                ((a - b) / b).abs()
            }
        };
        worst[0] = worst[0].max(rel(float64::exp::<true>(x), x.exp()));
        worst[0] = worst[0].max(rel(float64::exp::<false>(x), x.exp()));
        let y = f64::from_bits(i * 9_223_372_036_854);
        worst[1] = worst[1].max(rel(float64::log::<true>(y), y.ln()));
        let y = 0.5 + i as f64 * 1e-6;
        worst[1] = worst[1].max(rel(float64::log::<false>(y), y.ln()));
        let s = 1.0 / (1.0 + (-x).exp());
        if x > -700.0 {
            worst[2] = worst[2].max(rel(float64::sigmoid::<true>(x), s));
        }
    }
    assert!(worst.iter().all(|e| *e < 4.0 * f64::EPSILON), "{worst:?}");
    assert_eq!(float64::exp::<true>(f64::INFINITY), f64::INFINITY);
    assert_eq!(float64::exp::<true>(f64::NEG_INFINITY), 0.0);
    assert!(float64::exp::<true>(f64::NAN).is_nan());
    assert_eq!(float64::log::<true>(0.0), f64::NEG_INFINITY);
    assert_eq!(float64::log::<true>(5e-324), 5e-324f64.ln());
    assert!(float64::log::<true>(-1.0).is_nan());
}
