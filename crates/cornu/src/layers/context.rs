//! What a layer meets when it is built and when it is called.

use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::{Array, DType, Error, Result, Shape, Tensor, Variable};

/// A weight of a layer: its variable and what training does with it.
#[derive(Clone, Debug)]
pub struct Weight {
    /// The name within the layer, such as `kernel`.
    pub name: String,
    /// The value; its name is the path, such as `dense/kernel`.
    pub variable: Variable,
    /// Whether training changes it.
    pub trainable: bool,
    /// Penalises the value in the loss.
    pub regularizer: Option<Regularizer>,
    /// Applied to the value after each update.
    pub constraint: Option<Constraint>,
}

/// Collects the weights that a layer declares in [`Layer::build`](super::Layer::build).
#[derive(Debug)]
pub struct Build<'a> {
    pub(crate) layer: &'a str,
    pub(crate) dtype: DType,
    pub(crate) trainable: bool,
    pub(crate) seed: u64,
    pub(crate) stream: &'a mut u32,
    pub(crate) weights: Vec<Weight>,
}

impl Build<'_> {
    /// Declares a weight: trainable, `glorot_uniform`, neither regularized nor constrained, unless
    /// said otherwise; finish with [`WeightSpec::add`].
    pub fn weight(&mut self, name: &str, shape: impl Into<Shape>) -> WeightSpec<'_> {
        let (layer, dtype, trainable, seed) = (self.layer, self.dtype, self.trainable, self.seed);
        WeightSpec {
            layer,
            weights: &mut self.weights,
            stream: self.stream,
            seed,
            name: name.to_string(),
            shape: shape.into(),
            dtype,
            trainable,
            initializer: "glorot_uniform".into(),
            regularizer: None,
            constraint: None,
        }
    }
}

/// A weight about to be declared.
#[derive(Debug)]
pub struct WeightSpec<'a> {
    layer: &'a str,
    weights: &'a mut Vec<Weight>,
    stream: &'a mut u32,
    seed: u64,
    name: String,
    shape: Shape,
    dtype: DType,
    trainable: bool,
    initializer: Initializer,
    regularizer: Option<Regularizer>,
    constraint: Option<Constraint>,
}

impl WeightSpec<'_> {
    /// How the first value is made.
    pub fn initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.initializer = initializer.into();
        self
    }

    /// A penalty on the value.
    pub fn regularizer(mut self, regularizer: Option<Regularizer>) -> Self {
        self.regularizer = regularizer;
        self
    }

    /// A constraint on the value.
    pub fn constraint(mut self, constraint: Option<Constraint>) -> Self {
        self.constraint = constraint;
        self
    }

    /// State that training does not change by gradients.
    pub fn non_trainable(mut self) -> Self {
        self.trainable = false;
        self
    }

    /// Makes the weight.
    ///
    /// # Errors
    /// An initializer, regularizer or constraint that is not known or does not fit the shape; a name
    /// used twice.
    pub fn add(self) -> Result<()> {
        if self.weights.iter().any(|w| w.name == self.name) {
            return Err(Error::new(format!(
                "Weight \"{}\" is declared twice.",
                self.name
            )));
        }
        let limit = isize::MAX as usize / self.dtype.size();
        let size = self.shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        if size.is_none_or(|n| n > limit) {
            return Err(Error::shape(format!(
                "Weight \"{}\" of shape {} is larger than any memory.",
                self.name, self.shape
            )));
        }
        self.initializer.check()?;
        self.regularizer
            .as_ref()
            .map_or(Ok(()), Regularizer::check)?;
        self.constraint.as_ref().map_or(Ok(()), Constraint::check)?;
        let value: Array =
            self.initializer
                .sample(&self.shape, self.dtype, self.seed, *self.stream)?;
        *self.stream += 1;
        self.weights.push(Weight {
            variable: Variable::new(format!("{}/{}", self.layer, self.name), value),
            name: self.name,
            trainable: self.trainable,
            regularizer: self.regularizer,
            constraint: self.constraint,
        });
        Ok(())
    }
}

/// What a layer's [`call`](super::Layer::call) may use beside its input.
#[derive(Debug)]
pub struct Call<'a> {
    pub(crate) weights: &'a [Weight],
    pub(crate) dtype: DType,
    pub(crate) training: bool,
    pub(crate) random_state: Option<&'a Tensor>,
    pub(crate) stream: &'a mut u32,
    pub(crate) losses: &'a mut Vec<Tensor>,
    pub(crate) updates: &'a mut Vec<(Variable, Tensor)>,
}

impl Call<'_> {
    /// The value of a weight that the layer declared.
    #[track_caller]
    pub fn weight(&self, name: &str) -> Tensor {
        match self.find(name) {
            Ok(w) => w.variable.tensor(),
            Err(e) => Tensor::error(e),
        }
    }

    fn find(&self, name: &str) -> Result<&Weight> {
        self.weights.iter().find(|w| w.name == name).ok_or_else(|| {
            let known: Vec<&str> = self.weights.iter().map(|w| w.name.as_str()).collect();
            Error::unknown("weight", name, &known)
        })
    }

    /// Whether this is a step of training (dropout drops, statistics move).
    pub fn training(&self) -> bool {
        self.training
    }

    /// The type in which the layer computes.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Uniform random numbers in [0, 1), new ones in every step.
    #[track_caller]
    pub fn random_uniform(&mut self, shape: impl Into<Shape>) -> Tensor {
        let stream = *self.stream;
        *self.stream += 1;
        self.draw(stream, shape)
    }

    /// As [`Call::random_uniform`], with a seed that tells these draws apart from all others; the
    /// same for every call with the same seed in a step.
    #[track_caller]
    pub fn random_uniform_seeded(&mut self, seed: u32, shape: impl Into<Shape>) -> Tensor {
        // Unseeded draws count up from 0; seeded ones take the upper half of the streams.
        self.draw(seed | 1 << 31, shape)
    }

    #[track_caller]
    fn draw(&self, stream: u32, shape: impl Into<Shape>) -> Tensor {
        match self.random_state {
            Some(state) => Tensor::random(state, stream, shape, self.dtype),
            None => Tensor::error(Error::state(
                "Random numbers are drawn in training only; ask Call::training() first.",
            )),
        }
    }

    /// Adds a scalar to the loss.
    pub fn add_loss(&mut self, loss: Tensor) {
        self.losses.push(loss);
    }

    /// Assigns a weight after this step (running statistics and the like).
    #[track_caller]
    pub fn update(&mut self, name: &str, value: Tensor) {
        match self.find(name) {
            Ok(w) => {
                let variable = w.variable.clone();
                self.updates.push((variable, value));
            }
            Err(e) => self.losses.push(Tensor::error(e)),
        }
    }
}
