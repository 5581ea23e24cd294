//! Linear models with solvers of their own, and the way from them to networks: all of `cornu-linear`, and
//! [`ToSequential`].
//!
//! ```
//! use cornu::linear::{Estimator, LogisticRegression, ToSequential};
//! use cornu::prelude::*;
//! use ndarray::array;
//!
//! # fn main() -> cornu::Result<()> {
//! let x = array![[0.0f32], [1.0], [2.0], [3.0]];
//! let exact = LogisticRegression::new().fit(&x, &array![0, 0, 1, 1])?;
//! let network = exact.to_sequential()?; // one Dense with a sigmoid
//! let probabilities = network.predict(&x)?.into_ndarray::<f32>()?;
//! assert!((f64::from(probabilities[[3, 0]]) - exact.predict_proba(&x)?[[3, 1]]).abs() < 1e-6);
//! # Ok(())
//! # }
//! ```

pub use cornu_linear::*;

use crate::Array;
use crate::layers::{Dense, Input};
use crate::models::Sequential;
use cornu_linear::preprocessing::{PipelineFit, Scaler};
use ndarray::{Array1, Array2, ArrayView2};

/// What is a network of one layer: fitted linear models, also those that a pipeline fitted to scaled features or a
/// grid search chose.
pub trait ToSequential {
    /// The same function as a [`Sequential`] of one `Dense` in `f32`, which may be saved as `.keras`, compiled, and
    /// trained on.
    ///
    /// * Regressions have an output for each target; those with a logarithmic link
    ///   ([`PoissonRegressor`] and its kin) have the activation `exponential`.
    /// * Classifications give probabilities, by `sigmoid` for two classes (of the second one) and by `softmax` for
    ///   several. Those of several models, each of one class against the rest, have a `sigmoid` for each, not
    ///   divided by their sum; those without probabilities give their scores. Outputs are in the order of
    ///   [`classes`](LinearClassifier::classes).
    ///
    /// # Errors
    /// If a coefficient is not finite in `f32`.
    fn to_sequential(&self) -> Result<Sequential>;
}

fn one_dense(
    coef: ArrayView2<'_, f64>,
    intercept: &Array1<f64>,
    activation: &str,
) -> Result<Sequential> {
    let (units, features) = coef.dim();
    let mut network = Sequential::new();
    network.add(Input::new([features]));
    network.add(Dense::new(units).activation(activation));
    network.build()?;
    fill(&mut network, coef.t(), intercept)?;
    Ok(network)
}

/// Gives the one layer these weights.
fn fill(network: &mut Sequential, kernel: ArrayView2<'_, f64>, bias: &Array1<f64>) -> Result<()> {
    let kernel = kernel.mapv(|w| w as f32);
    let bias = bias.mapv(|b| b as f32);
    if let Some(w) = kernel.iter().chain(&bias).find(|w| !w.is_finite()) {
        return Err(crate::Error::new(format!(
            "A network's weights: expected coefficients that are finite in f32. Received: {w}."
        )));
    }
    network.set_weights(&[Array::from(&kernel), Array::from(&bias)])
}

impl ToSequential for LinearModel {
    fn to_sequential(&self) -> Result<Sequential> {
        one_dense(self.coef(), self.intercept(), "linear")
    }
}

impl ToSequential for GlmFit {
    fn to_sequential(&self) -> Result<Sequential> {
        let activation = if self.is_log_link() {
            "exponential"
        } else {
            "linear"
        };
        one_dense(self.linear().coef(), self.linear().intercept(), activation)
    }
}

impl ToSequential for LinearClassifier {
    fn to_sequential(&self) -> Result<Sequential> {
        let activation = match self.probabilities() {
            Probabilities::None => "linear",
            Probabilities::Softmax if self.classes().len() > 2 => "softmax",
            Probabilities::Softmax | Probabilities::Sigmoid => "sigmoid",
        };
        one_dense(self.coef(), self.intercept(), activation)
    }
}

macro_rules! by_model {
    ($($fit:ty)*) => {
        $(impl ToSequential for $fit {
            fn to_sequential(&self) -> Result<Sequential> {
                self.model().to_sequential()
            }
        })*
    };
}

by_model! { RidgeCVFit ElasticNetCVFit HuberFit BayesianRidgeFit LogisticRegressionCVFit }

impl<E: Estimator<Fitted: ToSequential>> ToSequential for model_selection::GridSearchFit<E> {
    fn to_sequential(&self) -> Result<Sequential> {
        self.model().to_sequential()
    }
}

/// Scaling is a linear function too, which goes into the layer's weights.
impl<M: ToSequential> ToSequential for PipelineFit<Scaler, M> {
    fn to_sequential(&self) -> Result<Sequential> {
        let mut network = self.model().to_sequential()?;
        let (center, scale) = (self.transform().center(), self.transform().scale());
        if let [kernel, bias] = &network.get_weights()?[..] {
            let mut bias = Array1::from(bias.to_vec::<f64>());
            let shape = (center.len(), bias.len());
            let mut kernel = Array2::from_shape_vec(shape, kernel.to_vec::<f64>())?;
            for (mut weights, scale) in kernel.rows_mut().into_iter().zip(scale) {
                weights /= *scale;
            }
            bias -= &center.dot(&kernel);
            fill(&mut network, kernel.view(), &bias)?;
        }
        Ok(network)
    }
}

impl ToSequential for statistics::OlsFit {
    fn to_sequential(&self) -> Result<Sequential> {
        self.model()?.to_sequential()
    }
}

impl ToSequential for statistics::LogitFit {
    fn to_sequential(&self) -> Result<Sequential> {
        let model = self.model()?;
        one_dense(model.coef(), model.intercept(), "sigmoid")
    }
}
