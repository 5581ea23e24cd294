//! The model as a function of tensors, for loops of one's own.

use super::model::Model;
use crate::layers::Pass;
use crate::{Error, Result, Tensor, Variable};

/// What a model gives for an input, as expressions.
#[derive(Clone, Debug)]
pub struct Called {
    /// The (first) output.
    pub output: Tensor,
    /// All outputs.
    pub outputs: Vec<Tensor>,
    /// The mask of each output, for those that have one.
    pub masks: Vec<Option<Tensor>>,
    /// Penalties on weights and outputs: scalars to be added to the loss.
    pub losses: Vec<Tensor>,
    /// New values of layers' own state, to be assigned after the step.
    pub updates: Vec<(Variable, Tensor)>,
}

impl Model {
    /// The output for an input, as an expression that can be evaluated or differentiated.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).kernel_initializer("ones").input_shape([2]));
    /// model.build()?;
    /// let y = model.call(&Tensor::constant([[1.0f32, 2.0]]))?;
    /// assert_eq!(y.eval()?.to_vec::<f32>(), [3.0]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the model is not built, or the input does not fit.
    pub fn call(&self, x: &Tensor) -> Result<Tensor> {
        self.call_with(x, None).map(|c| c.output)
    }

    /// The output and what comes with it. With a random state (`int32`, three numbers: two of a seed,
    /// one that counts steps) the layers behave as in training.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).kernel_regularizer("l2").input_shape([2]));
    /// model.build()?;
    /// let state = Variable::new("random", [7i32, 0, 0]);
    /// let x = Tensor::constant([[1.0f32, 2.0]]);
    /// let called = model.call_with(&x, Some(&state.tensor()))?;
    /// let loss = called.losses.iter().fold(called.output.square().mean(), |sum, l| sum + l);
    /// let kernel = model.weights()[0].variable.tensor();
    /// assert_eq!(grad(&loss, &[&kernel])[0].eval()?.shape().dims(), [2, 1]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::call`].
    pub fn call_with(&self, x: &Tensor, random_state: Option<&Tensor>) -> Result<Called> {
        self.call_all(std::slice::from_ref(x), random_state)
    }

    /// As [`Model::call_with`], for a model of several inputs.
    ///
    /// # Errors
    /// As [`Model::call`], or another number of inputs than the model has.
    pub fn call_all(&self, xs: &[Tensor], random_state: Option<&Tensor>) -> Result<Called> {
        self.call_masked(xs, &[], random_state)
    }

    /// As [`Model::call_all`], with a mask for each input that has one (`bool`, usually
    /// `(batch, steps)`).
    ///
    /// # Errors
    /// As [`Model::call_all`].
    pub fn call_masked(
        &self,
        xs: &[Tensor],
        masks: &[Option<Tensor>],
        random_state: Option<&Tensor>,
    ) -> Result<Called> {
        let graph = self.graph()?;
        if xs.len() != graph.inputs.len() {
            return Err(Error::shape(format!(
                "The model \"{}\" has {} inputs. Received: {}.",
                self.name(),
                graph.inputs.len(),
                xs.len()
            )));
        }
        for (i, x) in xs.iter().enumerate() {
            x.check()?;
            graph.check_input(i, "x", x.shape())?;
        }
        let mut pass = Pass {
            training: random_state.is_some(),
            random_state: random_state.cloned(),
            ..Pass::default()
        };
        let outputs = graph.run(&graph.adapt_all(xs), masks, true, &mut pass);
        outputs.tensors.iter().try_for_each(Tensor::check)?;
        let weights = self.weights();
        let penalties = weights.iter().filter_map(|w| {
            let regularizer = w.regularizer.as_ref()?;
            Some(regularizer.penalty(&pass.value(&w.variable)))
        });
        Ok(Called {
            output: outputs.tensors[0].clone(),
            losses: penalties.chain(pass.losses.iter().cloned()).collect(),
            outputs: outputs.tensors,
            masks: outputs.masks,
            updates: pass
                .updates
                .into_iter()
                .filter(|(v, _)| weights.iter().all(|w| !w.trainable || w.variable != *v))
                .collect(),
        })
    }
}
