//! Least squares against the certified values of NIST's Statistical Reference Datasets (linear regression).
//! Norris is as `scipy` ships it, Longley as `statsmodels` does, Filip and Pontius are in `nist/`; the others are formulas.

use cornu_linear::LinearRegression;
use cornu_linear::statistics::{Ols, OlsFit};
use cornu_linear::{Estimator, Result};
use ndarray::{Array1, Array2};

/// The number of digits that agree: −log₁₀ of the relative (of zero: absolute) error.
fn digits(got: f64, certified: f64) -> f64 {
    let error = (got - certified).abs();
    let size = if certified == 0.0 {
        1.0
    } else {
        certified.abs()
    };
    -(error / size).max(1e-16).log10()
}

struct Certified<'a> {
    params: &'a [f64],
    errors: &'a [f64],
    deviation: f64,
    rsquared: f64,
}

/// Checks coefficients, standard errors, the residuals' deviation and R² to so many digits.
#[track_caller]
fn check(fit: &OlsFit, certified: &Certified<'_>, params: f64, errors: f64) {
    let agree = |what: &str, got: f64, expected: f64, least: f64| {
        let agreed = digits(got, expected);
        assert!(
            agreed >= least,
            "{what}: {got} has {agreed:.1} digits of {expected}"
        );
    };
    assert_eq!(fit.params().len(), certified.params.len());
    for (i, (got, expected)) in fit.params().iter().zip(certified.params).enumerate() {
        agree(&format!("B{i}"), *got, *expected, params);
    }
    for (i, (got, expected)) in fit.bse().iter().zip(certified.errors).enumerate() {
        agree(&format!("error of B{i}"), *got, *expected, errors);
    }
    agree(
        "deviation",
        fit.mse_resid().sqrt(),
        certified.deviation,
        errors,
    );
    agree("R²", fit.rsquared(), certified.rsquared, errors);
}

fn powers(rows: usize, degree: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, degree), |(i, j)| (i as f64).powi(j as i32 + 1))
}

#[test]
fn norris() {
    let (y, x): (Vec<f64>, Vec<f64>) = [
        (0.1, 0.2),
        (338.8, 337.4),
        (118.1, 118.2),
        (888.0, 884.6),
        (9.2, 10.1),
        (228.1, 226.5),
        (668.5, 666.3),
        (998.5, 996.3),
        (449.1, 448.6),
        (778.9, 777.0),
        (559.2, 558.2),
        (0.3, 0.4),
        (0.1, 0.6),
        (778.1, 775.5),
        (668.8, 666.9),
        (339.3, 338.0),
        (448.9, 447.5),
        (10.8, 11.6),
        (557.7, 556.0),
        (228.3, 228.1),
        (998.0, 995.8),
        (888.8, 887.6),
        (119.6, 120.2),
        (0.3, 0.3),
        (0.6, 0.3),
        (557.6, 556.8),
        (339.3, 339.1),
        (888.0, 887.2),
        (998.5, 999.0),
        (778.9, 779.0),
        (10.2, 11.1),
        (117.6, 118.3),
        (228.9, 229.2),
        (668.4, 669.1),
        (449.2, 448.9),
        (0.2, 0.5),
    ]
    .into_iter()
    .unzip();
    let x = Array2::from_shape_vec((36, 1), x).unwrap();
    let certified = Certified {
        params: &[-0.262323073774029, 1.00211681802045],
        errors: &[0.232818234301152, 0.429796848199937e-3],
        deviation: 0.884796396144373,
        rsquared: 0.999993745883712,
    };
    let fit = Ols::new().fit(&x, &y).unwrap();
    check(&fit, &certified, 12.0, 12.0);
    assert!(digits(fit.fvalue(), 5436385.54079785) > 10.0);
}

#[test]
fn longley() -> Result<()> {
    #[rustfmt::skip]
    let x = ndarray::array![
        [83.0, 234289.0, 2356.0, 1590.0, 107608.0, 1947.0],
        [88.5, 259426.0, 2325.0, 1456.0, 108632.0, 1948.0],
        [88.2, 258054.0, 3682.0, 1616.0, 109773.0, 1949.0],
        [89.5, 284599.0, 3351.0, 1650.0, 110929.0, 1950.0],
        [96.2, 328975.0, 2099.0, 3099.0, 112075.0, 1951.0],
        [98.1, 346999.0, 1932.0, 3594.0, 113270.0, 1952.0],
        [99.0, 365385.0, 1870.0, 3547.0, 115094.0, 1953.0],
        [100.0, 363112.0, 3578.0, 3350.0, 116219.0, 1954.0],
        [101.2, 397469.0, 2904.0, 3048.0, 117388.0, 1955.0],
        [104.6, 419180.0, 2822.0, 2857.0, 118734.0, 1956.0],
        [108.4, 442769.0, 2936.0, 2798.0, 120445.0, 1957.0],
        [110.8, 444546.0, 4681.0, 2637.0, 121950.0, 1958.0],
        [112.6, 482704.0, 3813.0, 2552.0, 123366.0, 1959.0],
        [114.2, 502601.0, 3931.0, 2514.0, 125368.0, 1960.0],
        [115.7, 518173.0, 4806.0, 2572.0, 127852.0, 1961.0],
        [116.9, 554894.0, 4007.0, 2827.0, 130081.0, 1962.0],
    ];
    let y = [
        60323, 61122, 60171, 61187, 63221, 63639, 64989, 63761, 66019, 67857, 68169, 66513, 68655,
        69564, 69331, 70551,
    ];
    let certified = Certified {
        params: &[
            -3482258.63459582,
            15.0618722713733,
            -0.358191792925910e-01,
            -2.02022980381683,
            -1.03322686717359,
            -0.511041056535807e-01,
            1829.15146461355,
        ],
        errors: &[
            890420.383607373,
            84.9149257747669,
            0.334910077722432e-01,
            0.488399681651699,
            0.214274163161675,
            0.226073200069370,
            455.478499142212,
        ],
        deviation: 304.854073561965,
        rsquared: 0.995479004577296,
    };
    check(&Ols::new().fit(&x, &y)?, &certified, 10.0, 10.0);
    // The estimator that does not ask for statistics.
    let model = LinearRegression::new().fit(&x, &y)?;
    for (got, expected) in model.coef().iter().zip(&certified.params[1..]) {
        assert!(digits(*got, *expected) > 9.0, "{got} is not {expected}");
    }
    Ok(())
}

#[test]
fn no_intercept() {
    let fit = |x: Array1<f64>, y: Array1<f64>| {
        let x = x.insert_axis(ndarray::Axis(1));
        Ols::new().fit_intercept(false).fit(&x, &y).unwrap()
    };
    let first = fit(
        Array1::range(60.0, 71.0, 1.0),
        Array1::range(130.0, 141.0, 1.0),
    );
    let certified = Certified {
        params: &[2.07438016528926],
        errors: &[0.165289256198347e-01],
        deviation: 3.56753034006338,
        rsquared: 0.999365492298663,
    };
    check(&first, &certified, 13.0, 12.0);
    let second = fit(
        ndarray::array![4.0, 5.0, 6.0],
        ndarray::array![3.0, 4.0, 4.0],
    );
    let certified = Certified {
        params: &[0.727272727272727],
        errors: &[0.420827318078432e-01],
        deviation: 0.369274472937998,
        rsquared: 0.993348115299335,
    };
    check(&second, &certified, 13.0, 12.0);
}

/// The targets and the powers of the one feature, up to a degree, of a file in `nist/`.
fn polynomial(csv: &str, degree: usize) -> (Array2<f64>, Vec<f64>) {
    let pairs = csv.lines().skip(1).map(|line| {
        let (y, x) = line.split_once(',').expect("two numbers");
        let number = |text: &str| text.parse::<f64>().expect("a number");
        (number(y), number(x))
    });
    let (y, x): (Vec<f64>, Vec<f64>) = pairs.unzip();
    let powers = Array2::from_shape_fn((x.len(), degree), |(i, j)| x[i].powi(j as i32 + 1));
    (powers, y)
}

#[test]
fn pontius() {
    let (x, y) = polynomial(include_str!("nist/pontius.csv"), 2);
    let certified = Certified {
        params: &[
            0.673565789473684e-03,
            0.732059160401003e-06,
            -0.316081871345029e-14,
        ],
        errors: &[
            0.107938612033077e-03,
            0.157817399981659e-09,
            0.486652849992036e-16,
        ],
        deviation: 0.205177424076185e-03,
        rsquared: 0.999999900178537,
    };
    let fit = Ols::new().fit(&x, &y).unwrap();
    check(&fit, &certified, 11.0, 11.0);
    let model = LinearRegression::new().fit(&x, &y).unwrap();
    for (got, expected) in model.coef().iter().zip(&certified.params[1..]) {
        assert!(digits(*got, *expected) > 9.0, "{got} is not {expected}");
    }
}

/// A polynomial of degree 10 far from 0, whose columns are dependent but for the last digits of f64.
#[test]
fn filip() {
    let (x, y) = polynomial(include_str!("nist/filip.csv"), 10);
    let certified = Certified {
        params: &[
            -1467.48961422980,
            -2772.17959193342,
            -2316.37108160893,
            -1127.97394098372,
            -354.478233703349,
            -75.1242017393757,
            -10.8753180355343,
            -1.06221498588947,
            -0.670191154593408e-01,
            -0.246781078275479e-02,
            -0.402962525080404e-04,
        ],
        errors: &[
            298.084530995537,
            559.779865474950,
            466.477572127796,
            227.204274477751,
            71.6478660875927,
            15.2897178747400,
            2.23691159816033,
            0.221624321934227,
            0.142363763154724e-01,
            0.535617408889821e-03,
            0.896632837373868e-05,
        ],
        deviation: 0.334801051324544e-02,
        rsquared: 0.996727416185620,
    };
    let fit = Ols::new().fit(&x, &y).unwrap();
    check(&fit, &certified, 7.0, 7.0);
}

/// Polynomials of degree 5 over 0 to 20, exact (the first two) and with ever more noise.
#[test]
fn wampler() {
    let x = powers(21, 5);
    let exact: Vec<f64> = x.rows().into_iter().map(|row| 1.0 + row.sum()).collect();
    let fit = Ols::new().fit(&x, &exact).unwrap();
    assert!(
        fit.params().iter().all(|&b| digits(b, 1.0) > 8.0),
        "{:?}",
        fit.params()
    );
    assert!(digits(fit.rsquared(), 1.0) > 14.0);

    let tenths = |row: ndarray::ArrayView1<'_, f64>| {
        1.0 + row
            .iter()
            .zip(1..)
            .map(|(v, k)| v / 10f64.powi(k))
            .sum::<f64>()
    };
    let y: Vec<f64> = x.rows().into_iter().map(tenths).collect();
    let fit = Ols::new().fit(&x, &y).unwrap();
    for (k, &b) in fit.params().iter().enumerate() {
        assert!(digits(b, 10f64.powi(-(k as i32))) > 8.0, "B{k}: {b}");
    }

    #[rustfmt::skip]
    let noise = [
        759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048, 2048, -2048, 1838, -2048, 2048,
        -2048, 2523, -2048, 2048, -2048, 759,
    ];
    let errors = [
        2152.32624678170,
        2363.55173469681,
        779.343524331583,
        101.475507550350,
        5.64566512170752,
        0.112324854679312,
    ];
    for (times, rsquared, params) in [
        (1.0, 0.999995559025820, 8.0),
        (100.0, 0.957478440825662, 7.0),
        (10000.0, 0.224668921574940e-02, 5.0),
    ] {
        let y: Vec<f64> = exact
            .iter()
            .zip(noise)
            .map(|(y, n)| y + times * f64::from(n))
            .collect();
        let certified = Certified {
            params: &[1.0; 6],
            errors: &errors.map(|e| e * times),
            deviation: 2360.14502379268 * times,
            rsquared,
        };
        check(&Ols::new().fit(&x, &y).unwrap(), &certified, params, 9.0);
    }
}
