//! Paths of lasso and elastic net over their penalty, and the choice of it by cross-validation.

use crate::blocks::Real;
use crate::elastic_net::Net;
use crate::estimator::predicts_by_model;
use crate::model_selection::parts;
use crate::moments::Moments;
use crate::options::setters;
use crate::{
    ElasticNet, Error, Estimator, Lasso, LinearModel, MultiTaskElasticNet, MultiTaskLasso, Result,
    Rows, Targets, check,
};
use ndarray::{ArrayView2, Axis, Slice};
use std::ops::Range;

/// Which penalties a path has.
#[derive(Clone, Debug, PartialEq)]
struct Grid {
    /// The least as a part of the greatest, at which all coefficients are zero.
    eps: f64,
    count: usize,
    given: Option<Vec<f64>>,
}

impl Default for Grid {
    fn default() -> Self {
        Self {
            eps: 1e-3,
            count: 100,
            given: None,
        }
    }
}

impl Grid {
    fn check(&self) -> Result<()> {
        let ok = |a: &f64| a.is_finite() && *a >= 0.0;
        match &self.given {
            Some(alphas) if alphas.is_empty() || !alphas.iter().all(ok) => {
                Err(Error::new(format!(
                    "alphas: expected finite numbers that are not negative. Received: {alphas:?}."
                )))
            }
            None if self.count == 0 || !(self.eps > 0.0 && self.eps < 1.0) => {
                Err(Error::new(format!(
                    "A path needs n_alphas above 0 and eps between 0 and 1. Received: {} and {}.",
                    self.count, self.eps
                )))
            }
            _ => Ok(()),
        }
    }

    /// The penalties, the greatest first.
    fn alphas(&self, moments: &Moments, net: &Net) -> Result<Vec<f64>> {
        if let Some(given) = &self.given {
            let mut alphas = given.clone();
            alphas.sort_by(|a, b| b.total_cmp(a));
            return Ok(alphas);
        }
        if net.l1_ratio == 0.0 {
            return Err(Error::new(
                "A path's penalties cannot be found for l1_ratio 0: give alphas.",
            ));
        }
        let length = |j: usize| -> f64 {
            let squares = (0..moments.targets()).map(|t| moments.xy(j, t).powi(2));
            match net.joint {
                true => squares.sum::<f64>().sqrt(),
                false => squares.fold(0.0, f64::max).sqrt(),
            }
        };
        let most = (0..moments.features).map(length).fold(0.0, f64::max);
        let most = (most / (moments.weight * net.l1_ratio)).max(f64::EPSILON);
        let step = |i: usize| match self.count {
            1 => 0.0,
            count => i as f64 / (count - 1) as f64,
        };
        Ok((0..self.count)
            .map(|i| most * self.eps.powf(step(i)))
            .collect())
    }
}

/// Fits for each penalty, from the greatest on, each starting from the last.
fn path(net: &Net, moments: &Moments, alphas: &[f64]) -> Vec<LinearModel> {
    let mut net = net.clone();
    let mut models = Vec::with_capacity(alphas.len());
    for &alpha in alphas {
        net.alpha = alpha;
        let model = net.fit_moments(moments);
        net.start = Some(model.coef().to_owned());
        models.push(model);
    }
    models
}

fn dispatch<R>(
    name: &str,
    x: Rows<'_>,
    f32: impl FnOnce(ArrayView2<'_, f32>) -> Result<R>,
    f64: impl FnOnce(ArrayView2<'_, f64>) -> Result<R>,
) -> Result<R> {
    match x {
        Rows::F64(x) => f64(x),
        Rows::F32(x) => f32(x),
        Rows::Csr64(_) | Rows::Csr32(_) => Err(check::not_sparse(name)),
    }
}

/// The moments of each fold.
fn folds<T: Real>(
    x: ArrayView2<'_, T>,
    y: &Targets<'_>,
    weights: Option<&[f64]>,
    count: usize,
    center: bool,
) -> Result<Vec<Moments>> {
    let fold = |range: Range<usize>| {
        let indices: Vec<usize> = range.clone().collect();
        let x = x.slice_axis(Axis(0), Slice::from(range.clone()));
        Moments::new(x, &y.select(&indices), weights.map(|w| &w[range]), center)
    };
    parts(x.nrows(), count).map(fold).collect()
}

/// Chooses among grids for several `l1_ratio`s.
fn choose<T: Real>(
    net: &Net,
    ratios: &[f64],
    grid: &Grid,
    cv: usize,
    x: ArrayView2<'_, T>,
    y: &Targets<'_>,
    weights: Option<&[f64]>,
) -> Result<PathFit> {
    if cv < 2 || cv > x.nrows() {
        return Err(Error::new(format!(
            "cv: expected from 2 folds to one for each of the {} rows. Received: {cv}.",
            x.nrows()
        )));
    }
    let folds = folds(x, y, weights, cv, net.fit_intercept)?;
    if folds.iter().any(|fold| fold.weight == 0.0) {
        return Err(Error::new(
            "weights: a fold of the cross-validation weighs nothing.",
        ));
    }
    let merge = |left_out: Option<usize>| {
        let parts = folds
            .iter()
            .enumerate()
            .filter(|(k, _)| Some(*k) != left_out);
        parts.map(|(_, m)| m.clone()).reduce(|a, b| a.merge(&b))
    };
    let Some(whole) = merge(None) else {
        return Err(Error::new("cv: there are no folds."));
    };
    let mut best: Option<PathFit> = None;
    for &l1_ratio in ratios {
        let net = Net {
            l1_ratio,
            ..net.clone()
        };
        let alphas = grid.alphas(&whole, &net)?;
        let mut errors = vec![0.0; alphas.len()];
        for (k, fold) in folds.iter().enumerate() {
            let Some(rest) = merge(Some(k)) else { continue };
            for (error, model) in errors.iter_mut().zip(path(&net, &rest, &alphas)) {
                let targets = model.targets();
                for t in 0..targets {
                    let coef = model.coef().row(t).to_vec();
                    let squares = fold.errors(t, &coef, model.intercept()[t]);
                    *error += squares / (fold.weight * (targets * cv) as f64);
                }
            }
        }
        let at = (0..errors.len()).reduce(|a, b| if errors[b] < errors[a] { b } else { a });
        let at = at.unwrap_or(0);
        if best.as_ref().is_none_or(|b| errors[at] < b.errors[b.at]) {
            best = Some(PathFit {
                net: Net {
                    alpha: alphas[at],
                    ..net
                },
                at,
                alphas,
                errors,
            });
        }
    }
    best.ok_or_else(|| Error::new("l1_ratio: expected at least one. Received: none."))
}

struct PathFit {
    net: Net,
    at: usize,
    alphas: Vec<f64>,
    errors: Vec<f64>,
}

/// A lasso or elastic net with the penalty that cross-validation chose.
#[derive(Clone, Debug, PartialEq)]
pub struct ElasticNetCVFit {
    model: LinearModel,
    alpha: f64,
    l1_ratio: f64,
    alphas: Vec<f64>,
    errors: Vec<f64>,
}

impl ElasticNetCVFit {
    /// The model with the chosen penalty, fitted to all rows.
    pub fn model(&self) -> &LinearModel {
        &self.model
    }

    /// The chosen weight of the penalties.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The chosen part of the penalty on absolute values.
    pub fn l1_ratio(&self) -> f64 {
        self.l1_ratio
    }

    /// The penalties that were tried with the chosen `l1_ratio`, the greatest first.
    pub fn alphas(&self) -> &[f64] {
        &self.alphas
    }

    /// For each of [`alphas`](Self::alphas) the mean square of the errors in the left-out folds.
    pub fn errors(&self) -> &[f64] {
        &self.errors
    }
}

predicts_by_model! { ElasticNetCVFit }

macro_rules! cross_validated {
    ($(#[$doc:meta])* $name:ident of $of:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            net: Net,
            ratios: Vec<f64>,
            grid: Grid,
            cv: usize,
        }

        impl Default for $name {
            fn default() -> Self {
                let net = $of::new().net;
                Self {
                    ratios: vec![net.l1_ratio],
                    net,
                    grid: Grid::default(),
                    cv: 5,
                }
            }
        }

        impl $name {
            /// With a path of 100 penalties and 5 folds.
            pub fn new() -> Self {
                Self::default()
            }

            /// The penalties to choose from; by default a path from the least that makes all coefficients
            /// zero.
            pub fn alphas(mut self, alphas: &[f64]) -> Self {
                self.grid.given = Some(alphas.to_vec());
                self
            }

            setters! {
                /// How many penalties the path has (default: 100).
                n_alphas: usize => grid.count;

                /// The path's last penalty as a part of the first (default: 1e-3).
                eps: f64 => grid.eps;

                /// How many folds, contiguous parts of the rows (default: 5).
                cv: usize => cv;

                /// Whether an intercept is fitted (default: yes).
                fit_intercept: bool => net.fit_intercept;

                /// The duality gap to stop at, as a part of the targets' sum of squares (default: 1e-4).
                tol: f64 => net.descent.tol;

                /// The most passes over the coefficients (default: 1000).
                max_iter: usize => net.descent.max_iter;
            }
        }

        impl Estimator for $name {
            type Fitted = ElasticNetCVFit;

            fn fit_rows(
                &self,
                x: Rows<'_>,
                y: Targets<'_>,
                weights: Option<&[f64]>,
            ) -> Result<ElasticNetCVFit> {
                self.grid.check()?;
                for &l1_ratio in &self.ratios {
                    Net { l1_ratio, ..self.net.clone() }.check()?;
                }
                check::fit_input(&x, &y, weights)?;
                if !self.net.joint {
                    y.single()?;
                }
                let (net, ratios, grid, cv) = (&self.net, &self.ratios, &self.grid, self.cv);
                let chosen = dispatch(
                    stringify!($name),
                    x,
                    |x| choose(net, ratios, grid, cv, x, &y, weights),
                    |x| choose(net, ratios, grid, cv, x, &y, weights),
                )?;
                Ok(ElasticNetCVFit {
                    alpha: chosen.net.alpha,
                    l1_ratio: chosen.net.l1_ratio,
                    model: $of { net: chosen.net }.fit_rows(x, y, weights)?,
                    alphas: chosen.alphas,
                    errors: chosen.errors,
                })
            }
        }

        impl $of {
            /// Fits for each of `alphas`, from the greatest on, each starting from the last; without
            /// `alphas` for the 100 from the least that makes all coefficients zero down to a thousandth of
            /// it. Returns the penalties and their models.
            ///
            /// ```
            #[doc = concat!("use cornu_linear::", stringify!($of), ";")]
            /// use ndarray::Array2;
            ///
            /// let x = Array2::from_shape_fn((40, 3), |(r, c)| ((r * (c + 3) * 7) % 11) as f64);
            /// let y = x.column(0).to_owned();
            #[doc = concat!("let (alphas, models) = ", stringify!($of), "::new().path(&x, &y, Some(&[0.1, 1.0]))?;")]
            /// assert_eq!(alphas, [1.0, 0.1]);
            /// assert!(models[0].coef()[[0, 0]] < models[1].coef()[[0, 0]]);
            /// # Ok::<(), cornu_linear::Error>(())
            /// ```
            ///
            /// # Errors
            /// As for `fit`.
            pub fn path<'a>(
                &self,
                x: impl Into<Rows<'a>>,
                y: impl Into<Targets<'a>>,
                alphas: Option<&[f64]>,
            ) -> Result<(Vec<f64>, Vec<LinearModel>)> {
                let (x, y) = (x.into(), y.into());
                let net = &self.net;
                let grid = Grid { given: alphas.map(<[f64]>::to_vec), ..Grid::default() };
                grid.check()?;
                net.check()?;
                check::fit_input(&x, &y, None)?;
                let moments = dispatch(
                    stringify!($of),
                    x,
                    |x| Moments::new(x, &y, None, net.fit_intercept),
                    |x| Moments::new(x, &y, None, net.fit_intercept),
                )?;
                let alphas = grid.alphas(&moments, net)?;
                let models = path(net, &moments, &alphas);
                Ok((alphas, models))
            }
        }
    };
}

cross_validated! {
    /// [`Lasso`] with the penalty of the least mean square of errors in cross-validation. The data are read once for
    /// all folds and penalties.
    ///
    /// ```
    /// use cornu_linear::{Estimator, LassoCV};
    /// use ndarray::{Array1, Array2};
    ///
    /// let x = Array2::from_shape_fn((40, 3), |(r, c)| ((r * (c + 3) * 7) % 11) as f64);
    /// let y = Array1::from_shape_fn(40, |r| 2.0 * x[[r, 0]] + ((r * 5) % 3) as f64);
    /// let fit = LassoCV::new().fit(&x, &y)?;
    /// assert!((fit.model().coef()[[0, 0]] - 2.0).abs() < 0.1);
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    LassoCV of Lasso
}

cross_validated! {
    /// [`ElasticNet`] with the penalty of the least mean square of errors in cross-validation.
    ///
    /// ```
    /// use cornu_linear::{ElasticNetCV, Estimator};
    /// use ndarray::{Array1, Array2};
    ///
    /// let x = Array2::from_shape_fn((40, 3), |(r, c)| ((r * (c + 3) * 7) % 11) as f64);
    /// let y = Array1::from_shape_fn(40, |r| 2.0 * x[[r, 0]] + ((r * 5) % 3) as f64);
    /// let fit = ElasticNetCV::new().l1_ratio(&[0.2, 0.9]).cv(4).fit(&x, &y)?;
    /// assert_eq!(fit.l1_ratio(), 0.9); // one feature matters
    /// assert!(fit.alphas().contains(&fit.alpha()));
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    ElasticNetCV of ElasticNet
}

cross_validated! {
    /// [`MultiTaskLasso`] with the penalty of the least mean square of errors in cross-validation.
    ///
    /// ```
    /// use cornu_linear::{Estimator, MultiTaskLassoCV};
    /// use ndarray::Array2;
    ///
    /// let x = Array2::from_shape_fn((40, 3), |(r, c)| ((r * (c + 3) * 7) % 11) as f64);
    /// let y = Array2::from_shape_fn((40, 2), |(r, t)| (t + 1) as f64 * x[[r, 0]] + ((r * 5) % 3) as f64);
    /// let fit = MultiTaskLassoCV::new().fit(&x, &y)?;
    /// assert!((fit.model().coef()[[1, 0]] - 2.0).abs() < 0.1);
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    MultiTaskLassoCV of MultiTaskLasso
}

cross_validated! {
    /// [`MultiTaskElasticNet`] with the penalty of the least mean square of errors in cross-validation.
    ///
    /// ```
    /// use cornu_linear::{Estimator, MultiTaskElasticNetCV};
    /// use ndarray::Array2;
    ///
    /// let x = Array2::from_shape_fn((40, 3), |(r, c)| ((r * (c + 3) * 7) % 11) as f64);
    /// let y = Array2::from_shape_fn((40, 2), |(r, t)| (t + 1) as f64 * x[[r, 0]] + ((r * 5) % 3) as f64);
    /// let fit = MultiTaskElasticNetCV::new().l1_ratio(&[0.5, 1.0]).fit(&x, &y)?;
    /// assert!((fit.model().coef()[[1, 0]] - 2.0).abs() < 0.2);
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    MultiTaskElasticNetCV of MultiTaskElasticNet
}

impl ElasticNetCV {
    /// The parts of the penalty on absolute values to choose from (default: 0.5).
    pub fn l1_ratio(mut self, ratios: &[f64]) -> Self {
        self.ratios = ratios.to_vec();
        self
    }
}

impl MultiTaskElasticNetCV {
    /// The parts of the penalty on norms to choose from (default: 0.5).
    pub fn l1_ratio(mut self, ratios: &[f64]) -> Self {
        self.ratios = ratios.to_vec();
        self
    }
}
