//! Batches changed by a layer, as in training.

use super::{Cardinality, Data, Dataset, Example, Examples, Inputs};
use crate::layers::{Input, Layer};
use crate::models::{Functional, Model};
use crate::{Array, DType, Error, Function, Result};
use cornu_core::random::Stream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The shape of a sample and the type of each input.
type Kind = Vec<(Vec<usize>, DType)>;

/// What a layer makes of each batch: see [`Dataset::augment`].
#[derive(Debug)]
pub struct Augment<D> {
    inner: D,
    layer: Arc<dyn Layer>,
    seed: u64,
    passes: AtomicU32,
    forms: Mutex<Vec<(Kind, Arc<Function>)>>,
}

impl<D: Dataset> Augment<D> {
    pub(super) fn new(inner: D, layer: Box<dyn Layer>) -> Self {
        Self {
            inner,
            layer: Arc::from(layer),
            seed: crate::utils::next_seed(),
            passes: AtomicU32::new(0),
            forms: Mutex::new(Vec::new()),
        }
    }

    /// The seed of what is drawn; by default the next of `set_random_seed`'s, or an unpredictable one.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The layer as a function of its inputs and the random state, for inputs of this kind.
    fn form(&self, kind: Kind) -> Result<Arc<Function>> {
        let mut forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = forms.iter().find(|(known, _)| *known == kind) {
            return Ok(known.clone());
        }
        let inputs = kind.iter().map(|(shape, dtype)| {
            let input = Input::new(shape.clone()).dtype(dtype.name());
            input.symbol()
        });
        let inputs: Vec<_> = inputs.collect();
        let layer: Box<dyn Layer> = Box::new(self.layer.clone());
        let model = Model::new(&inputs, layer.on_all(&inputs))?;
        if let Some(weight) = model.weights().iter().find(|w| w.trainable) {
            return Err(Error::new(format!(
                "augment takes layers without weights that are trained. Received: {} with \"{}\".",
                self.layer.class_name(),
                weight.name
            )));
        }
        let function = crate::try_function(move |x| {
            let (state, inputs) = x.split_last().ok_or_else(|| Error::state("No state."))?;
            Ok(model.call_all(inputs, Some(state))?.outputs.into())
        });
        let function = Arc::new(function);
        forms.push((kind, function.clone()));
        Ok(function)
    }

    /// A batch changed, with draws that depend on the state alone.
    fn changed(&self, batch: Example, state: &Array) -> Result<Example> {
        let Example { x, y, weight } = &batch;
        let (Some(images), 1) = (x.first(), x.len()) else {
            return Err(Error::new(format!(
                "augment changes batches of one input; map changes any. Received: {} inputs.",
                x.len()
            )));
        };
        let both = *self.layer.arity().end() > 1 && !y.is_empty();
        let targets = match (both, y.first(), y.len()) {
            (false, ..) => None,
            (true, Some(targets), 1) => Some(targets),
            _ => {
                return Err(Error::new(format!(
                    "{} changes batches of one target. Received: {} targets.",
                    self.layer.class_name(),
                    y.len()
                )));
            }
        };
        let given: Vec<Array> = [Some(images), targets]
            .into_iter()
            .flatten()
            .map(Data::to_array)
            .collect();
        let sample = |a: &Array| (a.shape().get(1..).unwrap_or_default().to_vec(), a.dtype());
        let function = self.form(given.iter().map(sample).collect())?;
        let arguments: Vec<&Array> = given.iter().chain([state]).collect();
        let mut made = function.call(&arguments)?.into_iter();
        let mut replaced = |part: &Inputs<'static>| {
            part.try_map(|_| {
                let array = made.next().ok_or_else(|| Error::state("No output."))?;
                Ok(Data::owned(array))
            })
        };
        let x = replaced(x)?;
        let y = match both {
            true => replaced(y)?,
            false => y.clone(),
        };
        Ok(Example {
            x,
            y,
            weight: weight.clone(),
        })
    }
}

impl<D: Dataset> Dataset for Augment<D> {
    fn examples(&self) -> Result<Examples<'_>> {
        let pass = self.passes.fetch_add(1, Ordering::Relaxed);
        // A seed of its own for each pass.
        let mut random = Stream::new(self.seed, pass);
        let words = [random.next_u32() as i32, random.next_u32() as i32];
        let batches = self.inner.examples()?.zip(0i32..);
        Ok(Box::new(batches.map(move |(batch, i)| {
            self.changed(batch?, &Array::from([words[0], words[1], i]))
        })))
    }

    fn cardinality(&self) -> Cardinality {
        self.inner.cardinality()
    }

    fn skip_passes(&self, passes: usize) -> Result<()> {
        self.passes.fetch_add(passes as u32, Ordering::Relaxed);
        self.inner.skip_passes(passes)
    }
}
