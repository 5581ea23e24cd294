//! The programs that one computation has been compiled to, one for each combination of input types.

use crate::Result;
use crate::array::View;
use crate::backend::Executable;
use crate::tensor::TensorType;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Programs kept, each with an arena of its own; beyond, the one that was not used for longest goes.
const KEPT: usize = 16;

/// A program compiled for inputs of certain types.
pub struct Compiled {
    /// What it takes.
    pub inputs: Vec<TensorType>,
    /// What it gives.
    pub outputs: Vec<TensorType>,
    /// The program.
    pub executable: Box<dyn Executable>,
}

impl Compiled {
    /// Whether arrays of these types are what the program takes.
    fn takes(&self, inputs: &[View<'_>]) -> bool {
        let same =
            |(ty, x): (&TensorType, &View<'_>)| *ty.shape == *x.shape && ty.dtype == x.data.dtype();
        self.inputs.len() == inputs.len() && self.inputs.iter().zip(inputs).all(same)
    }
}

/// The compiled forms of one computation, the 16 used last. Each is lent to one caller at a time, so that
/// threads that call at once run at once, each in an arena of its own.
#[derive(Default)]
pub struct CompiledForms(Mutex<Vec<Compiled>>);

impl fmt::Debug for CompiledForms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} compiled forms", self.lock().len())
    }
}

impl CompiledForms {
    fn lock(&self) -> MutexGuard<'_, Vec<Compiled>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets all of them: what they compute has changed.
    pub fn clear(&mut self) {
        self.lock().clear();
    }

    /// Calls `run` with the form for these inputs, made by `compile` at first use.
    ///
    /// # Errors
    /// Those of `compile` and `run`.
    pub fn with<R>(
        &self,
        inputs: &[View<'_>],
        compile: impl FnOnce(Vec<TensorType>) -> Result<Compiled>,
        run: impl FnOnce(&mut Compiled) -> Result<R>,
    ) -> Result<R> {
        let form = match self.take(|form| form.takes(inputs)) {
            Some(form) => form,
            None => compile(inputs.iter().map(View::ty).collect())?,
        };
        self.run(form, run)
    }

    /// Calls `run` with the form used last of those that fit; with none, gives `None`.
    pub fn with_known<R>(
        &self,
        fits: impl Fn(&Compiled) -> bool,
        run: impl FnOnce(&mut Compiled) -> Result<R>,
    ) -> Option<Result<R>> {
        Some(self.run(self.take(fits)?, run))
    }

    fn take(&self, fits: impl Fn(&Compiled) -> bool) -> Option<Compiled> {
        let mut all = self.lock();
        let place = all.iter().rposition(fits)?;
        Some(all.remove(place))
    }

    fn run<R>(
        &self,
        mut form: Compiled,
        run: impl FnOnce(&mut Compiled) -> Result<R>,
    ) -> Result<R> {
        let result = run(&mut form);
        let mut all = self.lock();
        if all.len() == KEPT {
            all.remove(0);
        }
        all.push(form);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Array, Device, Function, Reference};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn those_used_last_are_kept() {
        let traced = std::sync::Arc::new(AtomicUsize::new(0));
        let count = traced.clone();
        let f = Function::new(&Device::new(Reference), move |x| {
            count.fetch_add(1, Ordering::Relaxed);
            (&x[0] + 1.0).into()
        });
        let call = |n: usize| {
            let y = f.call(&[&Array::from(vec![1.0f32; n])]).unwrap();
            assert_eq!(y[0].to_vec::<f32>(), vec![2.0; n]);
        };
        (1..=KEPT).for_each(call);
        call(1);
        call(KEPT + 1);
        assert_eq!(traced.load(Ordering::Relaxed), KEPT + 1);
        call(1);
        assert_eq!(
            traced.load(Ordering::Relaxed),
            KEPT + 1,
            "1 was used lately"
        );
        call(2);
        assert_eq!(traced.load(Ordering::Relaxed), KEPT + 2, "2 had to go");
    }

    #[test]
    fn threads_run_at_once() {
        let device = Device::new(Reference);
        let forms = CompiledForms::default();
        let meet = Barrier::new(2);
        let x = Array::from([1.0f32, 2.0]);
        let run = || {
            let compile = |inputs: Vec<TensorType>| {
                let x = crate::Tensor::input(0, inputs[0].shape.clone(), inputs[0].dtype);
                let y = x * 2.0;
                Ok(Compiled {
                    outputs: vec![y.ty().clone()],
                    executable: device.compile(&crate::Program::trace(&inputs, &[y], &[])?)?,
                    inputs,
                })
            };
            forms.with(&[x.view()], compile, |_| {
                meet.wait(); // Were one kept waiting for the other, this would wait for ever.
                Ok(())
            })
        };
        std::thread::scope(|s| {
            s.spawn(run);
            run().unwrap();
        });
        assert_eq!(forms.lock().len(), 2);
    }
}
