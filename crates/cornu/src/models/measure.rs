//! Loss and metrics over batches: in `evaluate`, and in `fit`'s validation.

use super::model::Model;
use super::set::{Set, run_rows, set_of};
use super::training::Training;
use crate::callbacks::Callback;
use crate::data::Dataset;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::{Error, Logs, Result};

/// What is measured, checked.
pub(super) enum Held<'d> {
    Set(Set<'d>),
    Dataset(&'d dyn Dataset),
}

/// Loss and metrics over the first `steps` batches, a test in the eyes of callbacks; `prefix` tells
/// validation data apart in messages.
pub(super) fn measure<'c>(
    training: &mut Training<&mut Model>,
    held: &Held<'_>,
    steps: usize,
    prefix: &str,
    callbacks: &mut [Box<dyn Callback + 'c>],
    mut progress: Option<&mut Progress>,
) -> Result<Logs> {
    each(callbacks, |c| c.on_test_begin(training))?;
    training.model.parts()?.1.reset()?;
    let hooks = callbacks.iter().any(|c| c.wants_batches());
    let mut examples = match held {
        Held::Set(_) => None,
        Held::Dataset(data) => Some(data.examples()?),
    };
    let mut seen = 0;
    while seen < steps && !Interrupt::requested() {
        let made;
        let (set, rows) = match held {
            Held::Set(set) if seen < set.steps() => (set, set.rows(seen)),
            Held::Set(_) => break,
            Held::Dataset(_) => {
                let Some(batch) = examples.as_mut().and_then(Iterator::next) else {
                    break;
                };
                let (graph, trainer) = training.model.parts()?;
                made = set_of(graph, trainer, batch?, prefix)?;
                (&made, 0..made.samples)
            }
        };
        if hooks {
            each_of_batches(callbacks, |c| c.on_test_batch_begin(training, seen))?;
        }
        let (graph, trainer) = training.model.parts()?;
        run_rows(trainer, graph, set, false, rows)?;
        seen += 1;
        if hooks {
            let logs = sorted(trainer.figures()?);
            each_of_batches(callbacks, |c| {
                c.on_test_batch_end(training, seen - 1, &logs)
            })?;
        }
        if let Some(progress) = &mut progress
            && progress.due(seen)
        {
            progress.update(seen, &sorted(training.model.parts()?.1.figures()?));
        }
    }
    if seen == 0 {
        return Err(Error::new(format!(
            "The {prefix}dataset gave no batch: there is nothing to measure."
        )));
    }
    let logs = training.model.parts()?.1.figures()?;
    let shown = sorted(logs.clone());
    each(callbacks, |c| c.on_test_end(training, &shown))?;
    Ok(logs)
}

pub(super) fn sorted(mut logs: Logs) -> Logs {
    logs.sort();
    logs
}

/// Calls a hook of every callback.
pub(super) fn each<'c>(
    callbacks: &mut [Box<dyn Callback + 'c>],
    mut hook: impl FnMut(&mut (dyn Callback + 'c)) -> Result<()>,
) -> Result<()> {
    callbacks.iter_mut().try_for_each(|c| hook(&mut **c))
}

/// Calls a hook of every callback that wants to see batches.
pub(super) fn each_of_batches<'c>(
    callbacks: &mut [Box<dyn Callback + 'c>],
    hook: impl FnMut(&mut (dyn Callback + 'c)) -> Result<()>,
) -> Result<()> {
    let wanted = callbacks.iter_mut().filter(|c| c.wants_batches());
    wanted.map(|c| &mut **c).try_for_each(hook)
}
