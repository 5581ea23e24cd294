//! Elements made ahead, on a thread.

use super::{Cardinality, Dataset, Example, Examples};
use crate::{Error, Result};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

/// Elements made ahead of their use: see [`Dataset::prefetch`].
#[derive(Clone, Debug)]
pub struct Prefetch<D> {
    inner: Arc<D>,
    ahead: usize,
}

impl<D: Dataset + Send + Sync + 'static> Prefetch<D> {
    pub(super) fn new(inner: D, ahead: usize) -> Self {
        Self {
            inner: Arc::new(inner),
            ahead,
        }
    }
}

impl<D: Dataset + Send + Sync + 'static> Dataset for Prefetch<D> {
    fn examples(&self) -> Result<Examples<'_>> {
        if self.ahead == 0 {
            return Err(Error::new(
                "prefetch must make at least 1 element ahead. Received: prefetch(0).",
            ));
        }
        let (sender, receiver) = sync_channel(self.ahead);
        let inner = self.inner.clone();
        // The thread is not joined: when nobody receives any more, it ends at its next element.
        thread::Builder::new()
            .name("cornu-prefetch".to_string())
            .spawn(move || make(&*inner, &sender))
            .map_err(|e| Error::io(format!("No thread for prefetch could be started: {e}.")))?;
        Ok(Box::new(receiver.into_iter()))
    }

    fn cardinality(&self) -> Cardinality {
        self.inner.cardinality()
    }

    fn skip_passes(&self, passes: usize) -> Result<()> {
        self.inner.skip_passes(passes)
    }
}

/// One pass, sent element for element. The sender is dropped at the end whatever happens, so that who
/// receives never waits for nothing.
fn make(data: &dyn Dataset, sender: &SyncSender<Result<Example>>) {
    let pass = || match data.examples() {
        Ok(examples) => {
            for example in examples {
                let last = example.is_err();
                if sender.send(example).is_err() || last {
                    return;
                }
            }
        }
        // A failed send means that nobody listens, not even to errors.
        Err(e) => drop(sender.send(Err(e))),
    };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(pass)) {
        let error = Error::state(format!(
            "The thread that makes the data panicked: {}",
            message(&*panic)
        ));
        drop(sender.send(Err(error)));
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it does not say why.")
}
