//! Where datasets begin.

use super::{Cardinality, Data, Dataset, Example, Examples, Inputs, IntoExample, IntoInputs};
use crate::{Error, Result};
use std::fmt;

/// The samples of arrays, one after the other: see [`from_tensor_slices`].
#[derive(Clone, Debug)]
pub struct TensorSlices<'a> {
    x: Inputs<'a>,
    y: Inputs<'a>,
    weight: Inputs<'a>,
}

/// A dataset of the samples of arrays: inputs `x` and targets `y` (`()` for none), by position or by
/// name.
///
/// Arrays that are given away instead of borrowed let the dataset go to a thread of its own
/// ([`Dataset::prefetch`]).
///
/// ```
/// use cornu::data::{Cardinality, Dataset, from_tensor_slices};
/// let (x, y) = (ndarray::arr2(&[[1.0f32, 2.0], [3.0, 4.0]]), [0, 1]);
/// let data = from_tensor_slices(&x, &y);
/// assert_eq!(data.cardinality(), Cardinality::Known(2));
/// let last = data.examples()?.last().unwrap()?;
/// assert_eq!(last.x.first().unwrap().to_array().to_vec::<f32>(), [3.0, 4.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn from_tensor_slices<'a>(x: impl IntoInputs<'a>, y: impl IntoInputs<'a>) -> TensorSlices<'a> {
    TensorSlices {
        x: x.into_inputs(),
        y: y.into_inputs(),
        weight: Inputs::new(),
    }
}

impl<'a> TensorSlices<'a> {
    /// With one weight for each sample.
    pub fn sample_weight(mut self, weight: impl IntoInputs<'a>) -> Self {
        self.weight = weight.into_inputs();
        self
    }

    fn arrays(&self) -> impl Iterator<Item = &Data<'a>> {
        self.x.iter().chain(self.y.iter()).chain(self.weight.iter())
    }
}

impl Dataset for TensorSlices<'_> {
    fn examples(&self) -> Result<Examples<'_>> {
        let lengths = self.arrays().map(|a| a.samples("from_tensor_slices"));
        let lengths = lengths.collect::<Result<Vec<_>>>()?;
        let n = lengths.first().copied().unwrap_or(0);
        if let Some(other) = lengths.iter().find(|other| **other != n) {
            return Err(Error::shape(format!(
                "from_tensor_slices needs arrays of the same number of samples. Received: {n} and {other}."
            )));
        }
        let sample = |arrays: &Inputs<'_>, i: usize| {
            arrays.try_map(|array| {
                let shape = array.shape().get(1..).unwrap_or_default();
                let sample = array.rows(i..i + 1, shape).to_array();
                Ok(Data::owned(sample).marked_texts(array.is_texts()))
            })
        };
        Ok(Box::new((0..n).map(move |i| {
            Ok(Example {
                x: sample(&self.x, i)?,
                y: sample(&self.y, i)?,
                weight: sample(&self.weight, i)?,
            })
        })))
    }

    fn cardinality(&self) -> Cardinality {
        let n = self.arrays().next().and_then(|a| a.shape().first());
        Cardinality::Known(n.copied().unwrap_or(0))
    }

    fn skip_passes(&self, _: usize) -> Result<()> {
        Ok(()) // every pass is the same
    }
}

/// The items of an iterator: see [`from_iterator`].
#[derive(Clone, Debug)]
pub struct FromIterator<I>(I);

/// A dataset of the items of an iterator, which is cloned for each pass.
///
/// ```
/// use cornu::data::{Dataset, from_iterator};
/// use cornu::Array;
/// let numbers = (0..5).map(|i| (Array::scalar(i as f32), Array::scalar(2 * i)));
/// assert_eq!(from_iterator(numbers).batch(2).examples()?.count(), 3);
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn from_iterator<I>(iterator: I) -> FromIterator<I>
where
    I: Iterator<Item: IntoExample> + Clone,
{
    FromIterator(iterator)
}

impl<I: Iterator<Item: IntoExample> + Clone> Dataset for FromIterator<I> {
    fn examples(&self) -> Result<Examples<'_>> {
        let items = self.0.clone();
        Ok(Box::new(items.map(|e| Ok(e.into_example()))))
    }

    fn cardinality(&self) -> Cardinality {
        match self.0.size_hint() {
            (usize::MAX, None) => Cardinality::Infinite,
            (n, Some(most)) if n == most => Cardinality::Known(n),
            _ => Cardinality::Unknown,
        }
    }

    fn skip_passes(&self, _: usize) -> Result<()> {
        Ok(()) // every pass is the same
    }
}

/// What a function makes: see [`from_generator`].
pub struct FromGenerator<'g>(Box<dyn Fn() -> Examples<'g> + Send + Sync + 'g>);

impl fmt::Debug for FromGenerator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FromGenerator")
    }
}

/// A dataset whose passes each begin with a call of `generator`. How long they are is not known:
/// progress is shown as Keras does, `12/Unknown`, in the first epoch.
///
/// ```
/// use cornu::data::{Dataset, from_generator};
/// use cornu::Array;
/// let lines = "1 2\n3 4\n5 six";
/// let data = from_generator(|| {
///     lines.lines().map(|line| {
///         let numbers: Result<Vec<f32>, _> = line.split(' ').map(str::parse).collect();
///         let numbers = numbers.map_err(|e| cornu::Error::new(format!("\"{line}\": {e}.")))?;
///         Ok((Array::from_vec([2], numbers)?, ()))
///     })
/// });
/// let results: Vec<_> = data.examples()?.collect();
/// assert!(results[1].is_ok() && results[2].is_err());
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn from_generator<'g, I, E>(generator: impl Fn() -> I + Send + Sync + 'g) -> FromGenerator<'g>
where
    I: Iterator<Item = Result<E>> + 'g,
    E: IntoExample + 'g,
{
    FromGenerator(Box::new(move || {
        Box::new(generator().map(|e| e.map(IntoExample::into_example)))
    }))
}

impl Dataset for FromGenerator<'_> {
    fn examples(&self) -> Result<Examples<'_>> {
        Ok((self.0)())
    }
}
