//! One step from a loss, or from gradients of weights.

use super::Optimizer;
use crate::layers::Weight;
use crate::{Result, Tensor, Variable, grad};

impl Optimizer {
    /// One step that makes a loss smaller: its gradients by those of these weights that are trainable, the
    /// updates that [`apply`](Optimizer::apply) makes of them, and the weights' constraints.
    ///
    /// The optimizer has to be built for the trainable weights before.
    ///
    /// ```
    /// use cornu::Traced;
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).kernel_constraint("non_neg").input_shape([1]));
    /// model.build()?;
    /// let mut optimizer = Optimizer::from(SGD::new().learning_rate(0.1));
    /// optimizer.build(&model.trainable_variables())?;
    /// let weights = model.weights();
    /// let step = cornu::try_function(move |batch| {
    ///     let loss = (model.call(&batch[0])? - &batch[1]).square().mean();
    ///     let updates = optimizer.minimize(&loss, &model.weights())?;
    ///     Ok(Traced { outputs: vec![loss], updates })
    /// });
    /// let (x, y) = (Array::from([[0.0f32], [1.0]]), Array::from([[1.0f32], [3.0]]));
    /// for _ in 0..200 {
    ///     step.call(&[&x, &y])?;
    /// }
    /// assert!(step.call(&[&x, &y])?[0].item::<f32>()? < 1e-4);
    /// assert!((weights[0].variable.value().item::<f32>()? - 2.0).abs() < 0.05);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`apply`](Optimizer::apply).
    pub fn minimize(&self, loss: &Tensor, weights: &[Weight]) -> Result<Vec<(Variable, Tensor)>> {
        let trained: Vec<&Weight> = weights.iter().filter(|w| w.trainable).collect();
        let tensors: Vec<Tensor> = trained.iter().map(|w| w.variable.tensor()).collect();
        let gradients = grad(&self.scale_loss(loss), &tensors.iter().collect::<Vec<_>>());
        self.apply_to(&trained, gradients, &[])
    }

    /// [`apply`](Optimizer::apply) with the gradients of weights, which may have constraints. Of those that
    /// layers assign, steps go on from what is assigned.
    pub(crate) fn apply_to(
        &self,
        weights: &[&Weight],
        gradients: Vec<Tensor>,
        assigned: &[(Variable, Tensor)],
    ) -> Result<Vec<(Variable, Tensor)>> {
        let variables = weights.iter().map(|w| w.variable.clone());
        let pairs: Vec<(Variable, Tensor)> = variables.zip(gradients).collect();
        self.apply(&pairs, &|variable, value| {
            let start = assigned.iter().find(|(v, _)| v == variable);
            let value =
                start.map_or_else(|| value.clone(), |(v, start)| value + (start - v.tensor()));
            let weight = weights.iter().find(|w| w.variable == *variable);
            match weight.and_then(|w| w.constraint.as_ref()) {
                Some(constraint) => constraint.apply(&value),
                None => value,
            }
        })
    }
}
