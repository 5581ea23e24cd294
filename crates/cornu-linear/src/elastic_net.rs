//! Least squares with penalties on absolute values: lasso, elastic net, and both for several targets
//! at once.

use crate::blocks::Real;
use crate::descent::{ByProducts, ByRows, Descended, Descent, Penalty};
use crate::moments::Moments;
use crate::options::setters;
use crate::{Error, Estimator, LinearModel, Result, Rows, Targets, check};
use faer::Mat;
use ndarray::{Array2, ArrayView2};

/// What the four estimators share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Net {
    pub alpha: f64,
    pub l1_ratio: f64,
    pub fit_intercept: bool,
    pub descent: Descent,
    /// Whether all targets choose the same features.
    pub joint: bool,
    /// Coefficients to start from, targets × features.
    pub start: Option<Array2<f64>>,
}

impl Net {
    pub fn new(l1_ratio: f64, joint: bool) -> Self {
        Self {
            alpha: 1.0,
            l1_ratio,
            fit_intercept: true,
            descent: Descent::default(),
            joint,
            start: None,
        }
    }

    pub fn check(&self) -> Result<()> {
        check::not_negative("alpha", self.alpha)?;
        check::not_negative("tol", self.descent.tol)?;
        if (0.0..=1.0).contains(&self.l1_ratio) {
            return Ok(());
        }
        Err(Error::new(format!(
            "l1_ratio: expected a number from 0 to 1. Received: {}.",
            self.l1_ratio
        )))
    }

    /// The penalties of sums of squares whose weights have this sum.
    pub fn penalty(&self, weight: f64) -> Penalty {
        Penalty {
            l1: self.alpha * self.l1_ratio * weight,
            l2: self.alpha * (1.0 - self.l1_ratio) * weight,
        }
    }

    fn fit<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        y: &Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<LinearModel> {
        let moments = Moments::new(x, y, weights, self.fit_intercept)?;
        let targets = y.columns();
        if let Some(start) = &self.start
            && start.dim() != (targets, x.ncols())
        {
            return Err(Error::shape(format!(
                "start: expected coefficients of {targets} targets × {} features. Received: {:?}.",
                x.ncols(),
                start.dim()
            )));
        }
        let penalty = self.penalty(moments.weight);
        let by_rows = x.ncols() > x.nrows();
        Ok(self.groups(&moments, |group, coef| {
            if by_rows {
                let mut squares = ByRows::new(x, y, weights, &moments, group, coef);
                self.descent.run(&mut squares, penalty, coef)
            } else {
                let mut squares = ByProducts::new(&moments, group, coef);
                self.descent.run(&mut squares, penalty, coef)
            }
        }))
    }

    /// By the products of the features alone.
    pub fn fit_moments(&self, moments: &Moments) -> LinearModel {
        let penalty = self.penalty(moments.weight);
        self.groups(moments, |group, coef| {
            let mut squares = ByProducts::new(moments, group, coef);
            self.descent.run(&mut squares, penalty, coef)
        })
    }

    /// Descends for all targets together or for one after the other.
    fn groups(
        &self,
        moments: &Moments,
        mut descend: impl FnMut(std::ops::Range<usize>, &mut [f64]) -> Descended,
    ) -> LinearModel {
        let (p, targets) = (moments.features, moments.targets());
        if self.alpha * self.l1_ratio == 0.0
            && !self.descent.positive
            && let Some(coef) = moments.solve(self.penalty(moments.weight).l2)
        {
            return moments.model(&coef, self.fit_intercept);
        }
        let width = if self.joint { targets } else { 1 };
        let mut all = Mat::zeros(p, targets);
        let (mut iterations, mut gap, mut converged) = (0, 0.0_f64, true);
        for first in (0..targets).step_by(width) {
            let mut coef = vec![0.0; p * width];
            if let Some(start) = &self.start {
                for (i, w) in coef.iter_mut().enumerate() {
                    *w = start[[first + i % width, i / width]];
                }
            }
            let descended = descend(first..first + width, &mut coef);
            iterations = iterations.max(descended.iterations);
            gap = gap.max(descended.gap);
            converged &= descended.converged;
            for (i, w) in coef.into_iter().enumerate() {
                all[(i / width, first + i % width)] = w;
            }
        }
        moments.model(&all, self.fit_intercept).with_descended(
            iterations,
            gap / moments.weight,
            converged,
        )
    }
}

macro_rules! estimator {
    ($(#[$doc:meta])* $name:ident, l1_ratio $l1_ratio:expr, joint $joint:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            pub(crate) net: Net,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    net: Net::new($l1_ratio, $joint),
                }
            }
        }

        impl $name {
            /// With `alpha` 1 and an intercept.
            pub fn new() -> Self {
                Self::default()
            }

            setters! {
                /// The weight of the penalties (default: 1).
                alpha: f64 => net.alpha;

                /// Whether an intercept is fitted, which is not penalised (default: yes).
                fit_intercept: bool => net.fit_intercept;

                /// The duality gap to stop at, as a part of the sum of squares of the (centred) targets
                /// (default: 1e-4).
                tol: f64 => net.descent.tol;

                /// The most passes over the coefficients (default: 1000).
                max_iter: usize => net.descent.max_iter;
            }

            /// Coefficients to start from (targets × features), such as those of a model fitted with another
            /// penalty; by default zeros.
            pub fn start(mut self, coef: ArrayView2<'_, f64>) -> Self {
                self.net.start = Some(coef.to_owned());
                self
            }
        }

        impl Estimator for $name {
            type Fitted = LinearModel;

            fn fit_rows(
                &self,
                x: Rows<'_>,
                y: Targets<'_>,
                weights: Option<&[f64]>,
            ) -> Result<LinearModel> {
                self.net.check()?;
                check::fit_input(&x, &y, weights)?;
                match x {
                    Rows::F64(x) => self.net.fit(x, &y, weights),
                    Rows::F32(x) => self.net.fit(x, &y, weights),
                    Rows::Csr64(_) | Rows::Csr32(_) => Err(check::not_sparse(stringify!($name))),
                }
            }
        }
    };
}

estimator! {
    /// The lasso: minimises `Σ w · (y − x · coef − intercept)² / (2 · Σ w) + alpha · Σ |coef|`. Most
    /// coefficients become zero. Several targets are fitted each by itself.
    ///
    /// ```
    /// use cornu_linear::{Estimator, Lasso};
    /// use ndarray::array;
    ///
    /// let x = array![[-1.0, 0.1], [1.0, -0.1], [-1.0, -0.1], [1.0, 0.1]];
    /// let model = Lasso::new().alpha(0.5).fit(&x, &array![-2.0, 2.0, -2.0, 2.0])?;
    /// assert!((model.coef()[[0, 0]] - 1.5).abs() < 1e-12); // 2 − alpha
    /// assert_eq!(model.coef()[[0, 1]], 0.0);
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    Lasso, l1_ratio 1.0, joint false
}

estimator! {
    /// The elastic net: minimises `Σ w · (y − x · coef − intercept)² / (2 · Σ w) + alpha · l1_ratio · Σ |coef| +
    /// alpha · (1 − l1_ratio) / 2 · Σ coef²`. Several targets are fitted each by itself.
    ///
    /// ```
    /// use cornu_linear::{ElasticNet, Estimator};
    /// use ndarray::array;
    ///
    /// let x = array![[-1.0], [1.0]];
    /// let model = ElasticNet::new().alpha(1.0).l1_ratio(0.5).fit(&x, &array![-2.0, 2.0])?;
    /// assert!((model.coef()[[0, 0]] - 1.0).abs() < 1e-12); // (2 − 0.5) / (1 + 0.5)
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    ElasticNet, l1_ratio 0.5, joint false
}

estimator! {
    /// The lasso for several targets that share their features: `Σ |coef|` is the sum over features of the
    /// norms of their coefficients, so that a feature is used for all targets or for none.
    ///
    /// ```
    /// use cornu_linear::{Estimator, MultiTaskLasso};
    /// use ndarray::array;
    ///
    /// let x = array![[-1.0], [1.0]];
    /// let y = array![[-3.0, -4.0], [3.0, 4.0]];
    /// let model = MultiTaskLasso::new().alpha(1.0).fit(&x, &y)?;
    /// assert!((model.coef()[[0, 0]] - 2.4).abs() < 1e-12); // 3 · (1 − alpha / 5)
    /// assert!((model.coef()[[1, 0]] - 3.2).abs() < 1e-12);
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    MultiTaskLasso, l1_ratio 1.0, joint true
}

estimator! {
    /// [`ElasticNet`] for several targets that share their features, as [`MultiTaskLasso`] is the
    /// lasso for them.
    ///
    /// ```
    /// use cornu_linear::{Estimator, MultiTaskElasticNet};
    /// use ndarray::array;
    ///
    /// let x = array![[-1.0], [1.0]];
    /// let y = array![[-3.0, -4.0], [3.0, 4.0]];
    /// let model = MultiTaskElasticNet::new().alpha(1.0).l1_ratio(0.5).fit(&x, &y)?;
    /// assert!((model.coef()[[0, 0]] - 1.8).abs() < 1e-12); // 3 · (1 − 0.5 / 5) / (1 + 0.5)
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    MultiTaskElasticNet, l1_ratio 0.5, joint true
}

impl Lasso {
    setters! {
        /// Whether coefficients must not be negative (default: no).
        positive: bool => net.descent.positive;
    }
}

impl ElasticNet {
    setters! {
        /// The part of the penalty that is on absolute values, from 0 to 1 (default: 0.5).
        l1_ratio: f64 => net.l1_ratio;

        /// Whether coefficients must not be negative (default: no).
        positive: bool => net.descent.positive;
    }
}

impl MultiTaskElasticNet {
    setters! {
        /// The part of the penalty that is on the norms, from 0 to 1 (default: 0.5).
        l1_ratio: f64 => net.l1_ratio;
    }
}
