//! What a dataset is.

use super::{
    Augment, Batch, Cache, Example, IntoExample, Map, Prefetch, Repeat, ShuffleBuffer, Skip, Take,
    Zip,
};
use crate::Result;
use crate::layers::Layer;

/// The elements of one pass over a dataset. After an error there is nothing more.
pub type Examples<'a> = Box<dyn Iterator<Item = Result<Example>> + 'a>;

/// How many elements a dataset has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// So many.
    Known(usize),
    /// Nobody can tell before the end.
    Unknown,
    /// It never ends.
    Infinite,
}

impl Cardinality {
    /// Another number, if there is one.
    pub(super) fn map(self, change: impl FnOnce(usize) -> usize) -> Self {
        match self {
            Cardinality::Known(n) => Cardinality::Known(change(n)),
            other => other,
        }
    }
}

/// Data that are made while they are used: samples or batches one after the other, from the beginning
/// in each epoch. [`Model::fit_dataset`](crate::models::Model::fit_dataset),
/// [`evaluate_dataset`](crate::models::Model::evaluate_dataset) and
/// [`predict_dataset`](crate::models::Model::predict_dataset) take batches.
///
/// Datasets begin at a source ([`from_tensor_slices`](super::from_tensor_slices),
/// [`from_iterator`](super::from_iterator), [`from_generator`](super::from_generator), or a type of
/// one's own) and are put together by the methods here, as `tf.data` does:
///
/// ```
/// use cornu::data::{Dataset, Example, from_generator};
/// use cornu::Array;
/// let squares = from_generator(|| (0..10).map(|i| Ok((Array::scalar(i), Array::scalar(i * i)))));
/// let batches = squares.skip(1).batch(4);
/// let first = batches.examples()?.next().unwrap()?;
/// assert_eq!(first.y.first().unwrap().to_array().to_vec::<i32>(), [1, 4, 9, 16]);
///
/// // A source of one's own.
/// struct Ones(usize);
/// impl Dataset for Ones {
///     fn examples(&self) -> cornu::Result<cornu::data::Examples<'_>> {
///         Ok(Box::new((0..self.0).map(|_| Ok(Example::new(Array::scalar(1.0f32))))))
///     }
/// }
/// assert_eq!(Ones(7).batch(4).examples()?.count(), 2);
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Dataset {
    /// The elements, from the first one on.
    ///
    /// # Errors
    /// If the pass cannot begin.
    fn examples(&self) -> Result<Examples<'_>>;

    /// The number of elements; unknown unless the dataset says it.
    fn cardinality(&self) -> Cardinality {
        Cardinality::Unknown
    }

    /// Leaves the dataset as if so many passes had been made, for a training that goes on where it was cut
    /// off. By default the passes are made; datasets that need not do so say it.
    ///
    /// # Errors
    /// Whatever making the elements gives as an error.
    fn skip_passes(&self, passes: usize) -> Result<()> {
        (0..passes).try_for_each(|_| self.examples()?.try_for_each(|e| e.map(|_| ())))
    }

    /// Batches of `size` samples, along a new first axis; the last may be shorter.
    fn batch(self, size: usize) -> Batch<Self>
    where
        Self: Sized,
    {
        Batch::new(self, size)
    }

    /// The elements in random order: each is drawn from the next `buffer` ones. As large a buffer as
    /// the dataset gives a perfect shuffle. Another order in each pass.
    fn shuffle(self, buffer: usize) -> ShuffleBuffer<Self>
    where
        Self: Sized,
    {
        ShuffleBuffer::new(self, buffer)
    }

    /// Each element changed.
    fn map<E, F>(self, change: F) -> Map<Self, F>
    where
        Self: Sized,
        E: IntoExample,
        F: Fn(Example) -> Result<E>,
    {
        Map {
            inner: self,
            change,
        }
    }

    /// What a layer makes of the inputs of each batch as in training, with draws of their own in each batch of each
    /// pass. A layer of two inputs, such as [`MixUp`](crate::layers::MixUp), is given the targets too, if there are
    /// any, and changes both.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let x = ndarray::Array4::<u8>::from_shape_fn((20, 8, 8, 3), |(i, j, _, _)| (10 * i + j) as u8);
    /// let y = ndarray::Array2::<f32>::from_shape_fn((20, 2), |(i, j)| f32::from(u8::from(i % 2 == j)));
    /// let data = from_tensor_slices(x, y)
    ///     .shuffle(20)
    ///     .batch(5)
    ///     .augment(RandomFlip::new(FlipMode::Horizontal))
    ///     .augment(CutMix::new(1.0))
    ///     .prefetch(2);
    /// let mut model = Sequential::new();
    /// model.add(Rescaling::new(1.0 / 255.0).input_shape([8, 8, 3]));
    /// model.add(Flatten::new());
    /// model.add(Dense::new(2).activation("softmax"));
    /// model.compile("adam", "categorical_crossentropy", ["accuracy"])?;
    /// let history = model.fit_dataset(&data, Fit::new().epochs(2).verbose(0))?;
    /// assert_eq!(history["loss"].len(), 2);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    fn augment(self, layer: impl Into<Box<dyn Layer>>) -> Augment<Self>
    where
        Self: Sized,
    {
        Augment::new(self, layer.into())
    }

    /// The elements over and over: so many times, or, with `None`, without end.
    fn repeat(self, times: impl Into<Option<usize>>) -> Repeat<Self>
    where
        Self: Sized,
    {
        Repeat {
            inner: self,
            times: times.into(),
        }
    }

    /// The first `n` elements.
    fn take(self, n: usize) -> Take<Self>
    where
        Self: Sized,
    {
        Take { inner: self, n }
    }

    /// The elements but for the first `n`.
    fn skip(self, n: usize) -> Skip<Self>
    where
        Self: Sized,
    {
        Skip { inner: self, n }
    }

    /// The elements of the first whole pass, kept in memory and given again from then on.
    fn cache(self) -> Cache<Self>
    where
        Self: Sized,
    {
        Cache::new(self)
    }

    /// The inputs of this dataset with the inputs of the other as targets, until one of them ends.
    fn zip<D: Dataset>(self, targets: D) -> Zip<Self, D>
    where
        Self: Sized,
    {
        Zip {
            inputs: self,
            targets,
        }
    }

    /// The elements made ahead of their use, up to `ahead` of them, on a thread of their own. What
    /// goes wrong there, a panic too, comes out as an error here.
    fn prefetch(self, ahead: usize) -> Prefetch<Self>
    where
        Self: Sized + Send + Sync + 'static,
    {
        Prefetch::new(self, ahead)
    }
}

/// A dataset behind a pointer is a dataset.
macro_rules! delegate {
    ($($pointer:ty),*) => {$(
        impl<D: Dataset + ?Sized> Dataset for $pointer {
            fn examples(&self) -> Result<Examples<'_>> {
                (**self).examples()
            }
            fn cardinality(&self) -> Cardinality {
                (**self).cardinality()
            }
        }
    )*};
}

delegate!(&D, Box<D>, std::sync::Arc<D>);
