//! Statistics of the fit against statsmodels' (`golden/make_statistics.py`).

use cornu_linear::statistics::{Logit, LogitFit, Ols, OlsFit};
use ndarray::{Array1, Array2};
use serde_json::Value;
use std::time::{Duration, SystemTime};

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

/// Checks a list, or its beginning, to a relative tolerance.
#[track_caller]
fn close(what: &str, got: &[f64], expected: &Value, tolerance: f64) {
    let expected = match expected {
        Value::Array(_) => numbers(expected),
        one => vec![one.as_f64().unwrap()],
    };
    assert!(got.len() >= expected.len(), "{what}");
    for (got, expected) in got.iter().zip(expected) {
        let error = (got - expected).abs() / expected.abs().max(1e-200);
        assert!(
            error <= tolerance,
            "{what}: {got} is not {expected}: {error:e}"
        );
    }
}

/// The moment of the golden summaries: 25 November 2026, 11:08:50.
fn moment() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_604_930)
}

/// What both kinds of fits have.
macro_rules! check_common {
    ($fit:expr, $case:expr, $tolerance:expr) => {{
        let (fit, case, tolerance) = ($fit, $case, $tolerance);
        let check = |name: &str, got: &[f64]| {
            close(
                &format!("{}: {name}", case["note"]),
                got,
                &case[name],
                tolerance,
            );
        };
        let flat = |alpha: f64| -> Vec<f64> {
            fit.conf_int(alpha)
                .unwrap()
                .into_iter()
                .flat_map(|(a, b)| [a, b])
                .collect()
        };
        check("params", fit.params());
        check("bse", &fit.bse());
        check("tvalues", &fit.tvalues());
        check("conf_int", &flat(0.05));
        check("conf_int_10", &flat(0.1));
        check("llf", &[fit.llf()]);
        check("aic", &[fit.aic()]);
        check("bic", &[fit.bic()]);
        check("df_resid", &[fit.df_resid()]);
        check("df_model", &[fit.df_model()]);
        check("leverage", fit.leverage());
        check("cooks", &fit.cooks_distance());
        // Far tails amplify the error of t.
        close(
            "pvalues",
            &fit.pvalues(),
            &case["pvalues"],
            100.0 * tolerance,
        );
        check("condition_number", &[fit.condition_number()]);
        // Byte for byte.
        let summary = fit.summary().dated(moment()).to_string();
        assert_eq!(
            summary,
            case["summary"].as_str().unwrap(),
            "{}",
            case["note"]
        );
        // Without date and time the lines are the same but for those two.
        let undated = fit.summary().to_string();
        assert_eq!(undated.lines().next(), summary.lines().next());
        assert!(summary.contains("Date:") && !undated.contains("Date:"));
    }};
}

fn check_ols(fit: &OlsFit, case: &Value, tolerance: f64) {
    check_common!(fit, case, tolerance);
    let check = |name: &str, got: &[f64]| {
        close(
            &format!("{}: {name}", case["note"]),
            got,
            &case[name],
            tolerance,
        );
    };
    check("rsquared", &[fit.rsquared()]);
    check("rsquared_adj", &[fit.rsquared_adj()]);
    check("fvalue", &[fit.fvalue()]);
    check("resid", &fit.resid().to_vec());
    close(
        "f_pvalue",
        &[fit.f_pvalue()],
        &case["f_pvalue"],
        100.0 * tolerance,
    );
}

fn check_logit(fit: &LogitFit, case: &Value, tolerance: f64) {
    check_common!(fit, case, tolerance);
    let check = |name: &str, got: &[f64]| {
        close(
            &format!("{}: {name}", case["note"]),
            got,
            &case[name],
            tolerance,
        );
    };
    assert!(fit.converged());
    check("llnull", &[fit.llnull()]);
    check("prsquared", &[fit.prsquared()]);
    close(
        "llr_pvalue",
        &[fit.llr_pvalue()],
        &case["llr_pvalue"],
        100.0 * tolerance,
    );
}

#[test]
fn everything_is_as_statsmodels_says() {
    let golden: Value = serde_json::from_str(include_str!("statistics.json")).unwrap();
    let cases = golden.as_array().unwrap();
    assert!(cases.len() > 5);
    for case in cases {
        let names: Vec<&str> = case["names"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_str().unwrap())
            .collect();
        let y = Array1::from(numbers(&case["y"]));
        let x = Array2::from_shape_vec((y.len(), names.len()), numbers(&case["x"])).unwrap();
        let intercept = case["intercept"].as_bool().unwrap();
        let target = case["target"].as_str().unwrap();
        // statsmodels itself has Longley's to some eight digits.
        let tolerance = if case["note"] == "Longley" {
            1e-6
        } else {
            1e-9
        };
        if case["kind"] == "logit" {
            let logit = Logit::new().fit_intercept(intercept).names(names);
            let fit = logit.target(target).fit(&x, &y).unwrap();
            check_logit(&fit, case, tolerance);
        } else {
            let ols = Ols::new()
                .fit_intercept(intercept)
                .names(names)
                .target(target);
            let fit = match case["weights"].as_array() {
                Some(_) => ols.fit_weighted(&x, &y, &numbers(&case["weights"])),
                None => ols.fit(&x, &y),
            };
            check_ols(&fit.unwrap(), case, tolerance);
        }
    }
}

#[test]
fn what_is_wrong_is_said() {
    let x = ndarray::array![[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0]];
    let y = [1.0, 2.0, 3.0, 5.0];
    let message = |fit: cornu_linear::Result<OlsFit>| fit.unwrap_err().to_string();
    assert!(message(Ols::new().fit(&x, &y)).contains("3 columns of rank 2"));
    let one = x.slice(ndarray::s![.., ..1]).to_owned();
    assert!(message(Ols::new().names(["a", "b"]).fit(&one, &y)).contains("names"));
    assert!(message(Ols::new().fit_weighted(&one, &y, &[1.0, 0.0, 1.0, 1.0])).contains("row 1"));
    let few = x.slice(ndarray::s![..2, ..]).to_owned();
    assert!(message(Ols::new().fit(&few, &[1.0, 2.0])).contains("at least as many rows"));
    let fit = Ols::new().fit(&one, &y).unwrap();
    assert!(fit.conf_int(0.0).unwrap_err().to_string().contains("alpha"));
    assert!(
        fit.predict_mean(&[1.0, 2.0])
            .unwrap_err()
            .to_string()
            .contains("expected 1 features")
    );
    let nan = ndarray::array![[1.0], [f64::NAN], [2.0], [3.0]];
    assert!(message(Ols::new().fit(&nan, &y)).contains("NaN in row 1"));

    let message = |y: &[f64]| Logit::new().fit(&one, y).unwrap_err().to_string();
    assert!(message(&[0.0, 0.0, 1.0, 1.0]).contains("told apart"));
    assert!(message(&[0.0, 2.0, 1.0, 1.0]).contains("Received: 2 in row 1"));
    assert!(message(&[1.0; 4]).contains("both labels"));
}

#[test]
fn the_mean_of_a_row_has_its_error() {
    let x = ndarray::array![[1.0], [2.0], [3.0], [4.0]];
    let fit = Ols::new().fit(&x, &[1.0, 2.5, 2.5, 4.0]).unwrap();
    let model = fit.model().unwrap();
    for (row, h) in x.rows().into_iter().zip(fit.leverage()) {
        let (mean, error) = fit.predict_mean(&row.to_vec()).unwrap();
        // The variance of a fitted value is the leverage times that of the errors.
        assert!((error * error - h * fit.mse_resid()).abs() < 1e-12);
        assert!((mean - model.intercept()[0] - model.coef()[[0, 0]] * row[0]).abs() < 1e-12);
    }
}
