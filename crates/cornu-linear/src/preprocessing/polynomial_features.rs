//! Powers and products of features.

use super::{Transform, Transformer, dense, dense_to_fit};
use crate::options::setters;
use crate::{Error, Result, Rows, check};
use ndarray::Array2;

/// All products of features up to a degree: 1, a, b, a², ab, b², …
///
/// ```
/// use cornu_linear::preprocessing::{PolynomialFeatures, Transform, Transformer};
/// use ndarray::array;
///
/// let x = array![[2.0, 3.0]];
/// let made = PolynomialFeatures::new().fit(&x)?.transform(&x)?;
/// assert_eq!(made, array![[1.0, 2.0, 3.0, 4.0, 6.0, 9.0]]);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolynomialFeatures {
    degree: usize,
    interaction_only: bool,
    include_bias: bool,
}

/// The products that [`PolynomialFeatures`] makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolynomialFit {
    features: usize,
    products: Vec<Vec<usize>>,
}

/// More products of features than anyone can want.
const MOST: usize = 1_000_000;

impl Default for PolynomialFeatures {
    fn default() -> Self {
        Self {
            degree: 2,
            interaction_only: false,
            include_bias: true,
        }
    }
}

impl PolynomialFeatures {
    /// Of degree 2, with the constant 1.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The most factors of a product (default: 2).
        degree: usize => degree;

        /// Whether no feature is more than once in a product (default: no).
        interaction_only: bool => interaction_only;

        /// Whether the constant 1 is among the new features (default: yes).
        include_bias: bool => include_bias;
    }
}

impl Transformer for PolynomialFeatures {
    type Fitted = PolynomialFit;

    fn fit_rows(&self, x: Rows<'_>, weights: Option<&[f64]>) -> Result<PolynomialFit> {
        let x = dense_to_fit("PolynomialFeatures", x, weights)?;
        let features = x.ncols();
        let mut products: Vec<Vec<usize>> = vec![Vec::new()];
        let mut last = 0..1;
        for _ in 0..self.degree {
            // Each product of the last degree, times every feature not before its last factor.
            let start = products.len();
            for at in last {
                let product = products[at].clone();
                let next = match (product.last(), self.interaction_only) {
                    (None, _) => 0,
                    (Some(&factor), true) => factor + 1,
                    (Some(&factor), false) => factor,
                };
                products.extend((next..features).map(|factor| [&product[..], &[factor]].concat()));
                if products.len() > MOST {
                    return Err(Error::new(format!(
                        "degree: expected products of {features} features that are fewer than {MOST}. Received: {}.",
                        self.degree
                    )));
                }
            }
            last = start..products.len();
            if last.is_empty() {
                break;
            }
        }
        if !self.include_bias {
            products.remove(0);
        }
        if products.is_empty() {
            return Err(Error::new(
                "degree: expected at least 1 without the constant. Received: 0.",
            ));
        }
        Ok(PolynomialFit { features, products })
    }
}

impl PolynomialFit {
    /// The factors of each new feature, as numbers of old ones; none of the constant 1.
    pub fn products(&self) -> &[Vec<usize>] {
        &self.products
    }
}

impl Transform for PolynomialFit {
    fn features(&self) -> usize {
        self.features
    }

    fn transform_rows(&self, x: Rows<'_>) -> Result<Array2<f64>> {
        check::features(self.features, &x)?;
        let x = dense("PolynomialFeatures", x)?;
        Ok(Array2::from_shape_fn(
            (x.nrows(), self.products.len()),
            |(r, k)| self.products[k].iter().map(|&j| x[[r, j]]).product(),
        ))
    }
}
