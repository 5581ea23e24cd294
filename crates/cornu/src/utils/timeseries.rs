//! Windows over a time series.

use crate::data::{Cardinality, Data, Dataset, Example, Examples, Inputs, IntoInputs};
use crate::{Error, IntoData, Result};
use cornu_core::random::Stream;
use std::sync::atomic::{AtomicU32, Ordering};

/// Windows over a time series, in batches: see [`timeseries_dataset_from_array`].
#[derive(Debug)]
pub struct TimeseriesDataset<'a> {
    data: Data<'a>,
    targets: Inputs<'a>,
    sequence_length: usize,
    sequence_stride: usize,
    sampling_rate: usize,
    batch_size: Option<usize>,
    shuffle: bool,
    seed: u64,
    start_index: usize,
    end_index: Option<usize>,
    passes: AtomicU32,
}

/// A dataset of windows over a series `data` `(steps, …)`: `sequence_length` steps each, and with
/// each the target at the index where the window begins (`()` for no targets).
///
/// Keras' other arguments are methods, with its defaults: [`sequence_stride`] 1, [`sampling_rate`] 1,
/// [`batch_size`] 128, [`shuffle`] false, [`seed`], [`start_index`], [`end_index`].
///
/// [`sequence_stride`]: TimeseriesDataset::sequence_stride
/// [`sampling_rate`]: TimeseriesDataset::sampling_rate
/// [`batch_size`]: TimeseriesDataset::batch_size
/// [`shuffle`]: TimeseriesDataset::shuffle
/// [`seed`]: TimeseriesDataset::seed
/// [`start_index`]: TimeseriesDataset::start_index
/// [`end_index`]: TimeseriesDataset::end_index
///
/// To predict the step after the last ten:
///
/// ```
/// use cornu::data::Dataset;
/// use cornu::utils::timeseries_dataset_from_array;
/// let series: Vec<f32> = (0..100).map(|i| i as f32).collect();
/// let data = timeseries_dataset_from_array(&series[..90], &series[10..], 10);
/// let first = data.examples()?.next().unwrap()?;
/// assert_eq!(first.x.first().unwrap().shape(), [81, 10]);
/// assert_eq!(first.y.first().unwrap().to_array().to_vec::<f32>()[0], 10.0);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// What does not fit (a stride of 0, an index outside the series, a window longer than it) is an error
/// when the dataset is used.
pub fn timeseries_dataset_from_array<'a>(
    data: impl IntoData<'a>,
    targets: impl IntoInputs<'a>,
    sequence_length: usize,
) -> TimeseriesDataset<'a> {
    TimeseriesDataset {
        data: data.into_data(),
        targets: targets.into_inputs(),
        sequence_length,
        sequence_stride: 1,
        sampling_rate: 1,
        batch_size: Some(128),
        shuffle: false,
        seed: crate::utils::next_seed(),
        start_index: 0,
        end_index: None,
        passes: AtomicU32::new(0),
    }
}

impl TimeseriesDataset<'_> {
    /// Steps between the beginnings of two windows.
    pub fn sequence_stride(mut self, stride: usize) -> Self {
        self.sequence_stride = stride;
        self
    }

    /// Steps between two of a window.
    pub fn sampling_rate(mut self, rate: usize) -> Self {
        self.sampling_rate = rate;
        self
    }

    /// Windows in a batch; with `None` they are given one by one.
    pub fn batch_size(mut self, size: impl Into<Option<usize>>) -> Self {
        self.batch_size = size.into();
        self
    }

    /// Whether windows come in random order, another one in each pass.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// The seed of that order.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The step at which the first window begins.
    pub fn start_index(mut self, index: usize) -> Self {
        self.start_index = index;
        self
    }

    /// The step before which the last window ends.
    pub fn end_index(mut self, index: usize) -> Self {
        self.end_index = Some(index);
        self
    }

    /// The steps at which windows begin.
    fn starts(&self) -> Result<Vec<usize>> {
        let steps = self.data.samples("The series")?;
        let end = self.end_index.unwrap_or(steps);
        let refuse = |name: &str, expected: String, value: usize| {
            Err(Error::new(format!(
                "{name} must be {expected}. Received: {name}={value}."
            )))
        };
        for (name, value) in [
            ("sequence_stride", self.sequence_stride),
            ("sampling_rate", self.sampling_rate),
        ] {
            if value == 0 || value >= steps {
                let expected = format!("at least 1 and less than the {steps} steps of the series");
                return refuse(name, expected, value);
            }
        }
        if self.batch_size == Some(0) {
            return refuse("batch_size", "at least 1".to_string(), 0);
        }
        if end > steps || end <= self.start_index {
            let expected = format!(
                "more than start_index={} and at most the {steps} steps of the series",
                self.start_index
            );
            return refuse("end_index", expected, end);
        }
        let span = self
            .sequence_length
            .checked_sub(1)
            .and_then(|n| n.checked_mul(self.sampling_rate));
        let room = end - self.start_index;
        let Some(windows) = span
            .and_then(|span| room.checked_sub(span))
            .filter(|n| *n > 0)
        else {
            return refuse(
                "sequence_length",
                format!(
                    "at least 1, and such that windows with sampling_rate={} fit into {room} steps",
                    self.sampling_rate
                ),
                self.sequence_length,
            );
        };
        let mut last = self.start_index + windows;
        for targets in self.targets.iter() {
            last = last.min(targets.samples("targets")?);
        }
        Ok((self.start_index..last)
            .step_by(self.sequence_stride)
            .collect())
    }

    /// The windows that begin at these steps, with a first axis of windows.
    fn windows(&self, starts: &[usize]) -> Result<Example> {
        let steps = |start: &usize| {
            let (start, rate) = (*start, self.sampling_rate);
            (0..self.sequence_length).map(move |i| start + i * rate)
        };
        let rows: Vec<usize> = starts.iter().flat_map(steps).collect();
        let shape: Vec<usize> = [starts.len(), self.sequence_length]
            .iter()
            .chain(&self.data.shape()[1..])
            .copied()
            .collect();
        let windows = self.data.select(&rows)?.reshape(shape)?;
        let mut example = Example::new(windows);
        example.y = self
            .targets
            .try_map(|t| Ok(t.select(starts)?.into_data()))?;
        Ok(example)
    }
}

impl Dataset for TimeseriesDataset<'_> {
    fn examples(&self) -> Result<Examples<'_>> {
        let mut starts = self.starts()?;
        if self.shuffle {
            let pass = self.passes.fetch_add(1, Ordering::Relaxed);
            Stream::new(self.seed, pass).shuffle(&mut starts);
        }
        let n = starts.len();
        let size = self.batch_size.unwrap_or(1);
        Ok(Box::new((0..n.div_ceil(size)).map(move |i| {
            let batch = self.windows(&starts[i * size..n.min((i + 1) * size)])?;
            match self.batch_size {
                Some(_) => Ok(batch),
                None => only(&batch),
            }
        })))
    }

    fn cardinality(&self) -> Cardinality {
        // What cannot be is reported by `examples`.
        let windows = self.starts().map_or(0, |s| s.len());
        Cardinality::Known(windows.div_ceil(self.batch_size.unwrap_or(1).max(1)))
    }
}

/// The only sample of a batch.
fn only(batch: &Example) -> Result<Example> {
    let first = |arrays: &Inputs<'static>| {
        arrays.try_map(|a| Ok(a.to_array().reshape(a.shape()[1..].to_vec())?.into_data()))
    };
    Ok(Example {
        x: first(&batch.x)?,
        y: first(&batch.y)?,
        weight: Inputs::new(),
    })
}
