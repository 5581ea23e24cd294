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

/// What statsmodels says of one fit, and how exactly.
struct Case<'a> {
    golden: &'a Value,
    tolerance: f64,
}

impl Case<'_> {
    #[track_caller]
    fn check(&self, name: &str, got: &[f64]) {
        self.check_to(self.tolerance, name, got);
    }

    /// Far tails amplify the error of their argument.
    #[track_caller]
    fn check_tail(&self, name: &str, got: &[f64]) {
        self.check_to(100.0 * self.tolerance, name, got);
    }

    #[track_caller]
    fn check_to(&self, tolerance: f64, name: &str, got: &[f64]) {
        let what = format!("{}: {name}", self.golden["note"]);
        close(&what, got, &self.golden[name], tolerance);
    }

    fn check_ols(&self, fit: &OlsFit) {
        check_common!(self, fit);
        self.check("rsquared", &[fit.rsquared()]);
        self.check("rsquared_adj", &[fit.rsquared_adj()]);
        self.check("fvalue", &[fit.fvalue()]);
        self.check("resid", &fit.resid().to_vec());
        self.check_tail("f_pvalue", &[fit.f_pvalue()]);
    }

    fn check_logit(&self, fit: &LogitFit) {
        check_common!(self, fit);
        assert!(fit.converged());
        self.check("llnull", &[fit.llnull()]);
        self.check("prsquared", &[fit.prsquared()]);
        self.check_tail("llr_pvalue", &[fit.llr_pvalue()]);
    }
}

/// What both kinds of fits have.
macro_rules! check_common {
    ($case:expr, $fit:expr) => {{
        let (case, fit) = ($case, $fit);
        let flat = |alpha: f64| -> Vec<f64> {
            let bounds = fit.conf_int(alpha).unwrap();
            bounds.into_iter().flat_map(|(a, b)| [a, b]).collect()
        };
        case.check("params", fit.params());
        case.check("bse", &fit.bse());
        case.check("tvalues", &fit.tvalues());
        case.check("conf_int", &flat(0.05));
        case.check("conf_int_10", &flat(0.1));
        case.check("llf", &[fit.llf()]);
        case.check("aic", &[fit.aic()]);
        case.check("bic", &[fit.bic()]);
        case.check("df_resid", &[fit.df_resid()]);
        case.check("df_model", &[fit.df_model()]);
        case.check("leverage", fit.leverage());
        case.check("cooks", &fit.cooks_distance());
        case.check_tail("pvalues", &fit.pvalues());
        case.check("condition_number", &[fit.condition_number()]);
        // Byte for byte.
        let summary = fit.summary().dated(moment()).to_string();
        let golden = case.golden;
        assert_eq!(
            summary,
            golden["summary"].as_str().unwrap(),
            "{}",
            golden["note"]
        );
        // Without date and time the lines are the same but for those two.
        let undated = fit.summary().to_string();
        assert_eq!(undated.lines().next(), summary.lines().next());
        assert!(summary.contains("Date:") && !undated.contains("Date:"));
    }};
}
use check_common;

#[test]
fn everything_is_as_statsmodels_says() {
    let golden: Value = serde_json::from_str(include_str!("statistics.json")).unwrap();
    let cases = golden.as_array().unwrap();
    assert!(cases.len() > 5);
    for golden in cases {
        let names: Vec<&str> = golden["names"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_str().unwrap())
            .collect();
        let y = Array1::from(numbers(&golden["y"]));
        let x = Array2::from_shape_vec((y.len(), names.len()), numbers(&golden["x"])).unwrap();
        let intercept = golden["intercept"].as_bool().unwrap();
        let target = golden["target"].as_str().unwrap();
        // statsmodels itself has Longley's to some eight digits.
        let tolerance = if golden["note"] == "Longley" {
            1e-6
        } else {
            1e-9
        };
        let case = Case { golden, tolerance };
        if golden["kind"] == "logit" {
            let logit = Logit::new().fit_intercept(intercept).names(names);
            let fit = logit.target(target).fit(&x, &y).unwrap();
            case.check_logit(&fit);
        } else {
            let ols = Ols::new()
                .fit_intercept(intercept)
                .names(names)
                .target(target);
            let fit = match golden["weights"].as_array() {
                Some(_) => ols.fit_weighted(&x, &y, &numbers(&golden["weights"])),
                None => ols.fit(&x, &y),
            };
            case.check_ols(&fit.unwrap());
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
