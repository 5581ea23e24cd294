//! A layer whose kernel is divided by its largest singular value.

use super::base::{Base, builtin, options, positive};
use super::{Build, Call, InputShape, Layer, Wrapper};
use crate::initializers::TruncatedNormal;
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// In training, divides the kernel of a layer by its spectral norm, the largest singular value σ of the
/// kernel as a matrix `(…, last extent)`, so that the layer changes distances by no more than a bounded
/// factor (Miyato et al., 2018).
///
/// * Input and output: those of the layer, which has a weight `kernel` or, like
///   [`Embedding`](super::Embedding), `embeddings`.
/// * Weights: the layer's, and `vector_u` `(1, last extent)`, which training moves without gradients: the
///   estimate of σ's vector on the right, from which each call goes `power_iterations` steps of
///   v ← W·u / |W·u|, u ← Wᵀ·v / |Wᵀ·v|; then σ = vᵀ·W·u.
/// * `fit` goes on from the divided kernel, so that outside training, where the kernel is taken as it is,
///   its norm is near 1. Gradients pass through the division, not through u and v.
/// * Default: `power_iterations` 1. A kernel of zeros stays as it is.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(SpectralNormalization::new(Conv2D::new(8, 3)).input_shape([16, 16, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 14, 14, 8)");
/// let names: Vec<String> = model.weights().iter().map(|w| w.name.clone()).collect();
/// assert_eq!(names, ["kernel", "vector_u", "bias"]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpectralNormalization {
    #[serde(skip)]
    base: Base,
    layer: Wrapper,
    #[serde(default = "once")]
    power_iterations: usize,
}

/// What the weight is called that is divided.
const KERNELS: [&str; 2] = ["kernel", "embeddings"];

fn once() -> usize {
    1
}

options!(SpectralNormalization);

impl SpectralNormalization {
    /// The layer whose kernel is to be divided.
    pub fn new(layer: impl Into<Box<dyn Layer>>) -> Self {
        Self {
            base: Base::default(),
            layer: Wrapper::new(layer),
            power_iterations: once(),
        }
    }

    /// How often the estimate of the vectors is improved in each call; once by default.
    pub fn power_iterations(mut self, iterations: usize) -> Self {
        self.power_iterations = iterations;
        self
    }

    /// The next `vector_u`, and the kernel divided.
    fn divided(&self, kernel: &Tensor, start: &Tensor) -> (Tensor, Tensor) {
        let last = kernel.shape().last().copied().unwrap_or(1);
        let matrix = kernel.reshape([kernel.size() / last.max(1), last]);
        let (mut u, mut v) = (start.clone(), start.clone());
        for _ in 0..self.power_iterations {
            v = unit(&u.matmul(matrix.t()));
            u = unit(&v.matmul(&matrix));
        }
        let (u, v) = (u.stop_gradient(), v.stop_gradient());
        let sigma = v.matmul(&matrix).matmul(u.t()).reshape([]);
        let axes: Vec<isize> = (0..kernel.rank() as isize).collect();
        let zeros = kernel.eq(0.0).all_axes_of(&axes, false);
        (zeros.select(start, u), kernel / zeros.select(1.0, sigma))
    }
}

/// A vector at length 1; near zero it stays short.
fn unit(x: &Tensor) -> Tensor {
    const LONGEST: f64 = 1e7;
    x * x.square().sum().rsqrt().minimum(LONGEST)
}

impl Layer for SpectralNormalization {
    builtin!(SpectralNormalization);

    fn input_dtype(&self) -> Option<DType> {
        self.layer.input_dtype()
    }

    fn rows(&self) -> Option<usize> {
        self.layer.rows()
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        positive("power_iterations", self.power_iterations)?;
        self.layer.build_inside(cx, input)?;
        let mut names = KERNELS.into_iter();
        let Some(shape) = names.find_map(|name| cx.share("layer", name)) else {
            return Err(Error::new(format!(
                "SpectralNormalization expects a layer with a weight \"kernel\" or \"embeddings\". \
                 Received: {}.",
                self.layer.class_name()
            )));
        };
        cx.weight("vector_u", [1, shape.last().copied().unwrap_or(1)])
            .initializer(TruncatedNormal::new().stddev(0.02))
            .non_trainable()
            .add()
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if cx.training() {
            let name = KERNELS[usize::from(!cx.has_weight(KERNELS[0]))];
            let (u, kernel) = self.divided(&cx.weight(name), &cx.weight("vector_u"));
            cx.update("vector_u", u);
            cx.update(name, kernel);
        }
        self.layer.call_inside(cx, x)
    }
}
