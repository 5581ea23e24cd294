//! Evaluation: expressions at once, and functions compiled once and called often.

use crate::array::{Array, View, ViewMut};
use crate::backend::{Backend, Executable};
use crate::compiled::{Compiled, CompiledForms};
use crate::program::{Key, Program};
use crate::tensor::{Tensor, TensorType};
use crate::{Result, Variable};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

type Cached = Arc<Mutex<Box<dyn Executable>>>;

/// Programs kept compiled by [`Device::eval`]; beyond, the cache starts anew.
const CACHE: usize = 256;

/// A backend with the programs it has compiled. Cloning shares them.
#[derive(Clone)]
pub struct Device(Arc<Inner>);

struct Inner {
    backend: Box<dyn Backend>,
    cache: Mutex<HashMap<Key, Cached>>,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({})", self.0.backend.name())
    }
}

impl Device {
    /// A device on a backend.
    pub fn new(backend: impl Backend + 'static) -> Device {
        Device(Arc::new(Inner {
            backend: Box::new(backend),
            cache: Mutex::new(HashMap::new()),
        }))
    }

    /// The backend's name.
    pub fn name(&self) -> &str {
        self.0.backend.name()
    }

    /// Compiles a program.
    pub fn compile(&self, program: &Program) -> Result<Box<dyn Executable>> {
        self.0.backend.compile(program)
    }

    /// Computes expressions (over constants and variables) at once. Compiled programs are kept by
    /// structure: the same expression over other constants of the same shapes runs straight away.
    pub fn eval(&self, tensors: &[Tensor]) -> Result<Vec<Array>> {
        let (program, constants) = Program::trace_lifting(tensors, &[])?;
        let key = program.key();
        let known = self.lock_cache().get(&key).cloned();
        let compiled = match known {
            Some(c) => c,
            None => {
                let c: Cached = Arc::new(Mutex::new(self.compile(&program)?));
                let mut cache = self.lock_cache();
                if cache.len() >= CACHE {
                    cache.clear();
                }
                cache.insert(key, c.clone());
                c
            }
        };
        let inputs: Vec<View<'_>> = constants.iter().map(|c| c.view()).collect();
        let mut outputs: Vec<Array> = tensors
            .iter()
            .map(|t| Array::zeros(t.dtype(), t.shape().clone()))
            .collect();
        let mut views: Vec<ViewMut<'_>> = outputs.iter_mut().map(Array::view_mut).collect();
        compiled
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .run(&inputs, &mut views)?;
        Ok(outputs)
    }

    fn lock_cache(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Cached>> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a traced function gives back: outputs, and new values of variables.
#[derive(Clone, Debug, Default)]
pub struct Traced {
    /// Returned to the caller.
    pub outputs: Vec<Tensor>,
    /// Assigned when the program has run.
    pub updates: Vec<(Variable, Tensor)>,
}

impl Traced {
    /// Adds the assignment `variable := value`.
    pub fn update(mut self, variable: &Variable, value: impl Into<Tensor>) -> Traced {
        self.updates.push((variable.clone(), value.into()));
        self
    }
}

impl From<Tensor> for Traced {
    fn from(t: Tensor) -> Traced {
        Traced {
            outputs: vec![t],
            updates: Vec::new(),
        }
    }
}

impl From<Vec<Tensor>> for Traced {
    fn from(outputs: Vec<Tensor>) -> Traced {
        Traced {
            outputs,
            updates: Vec::new(),
        }
    }
}

type Trace = dyn Fn(&[Tensor]) -> Result<Traced> + Send + Sync;

/// A function of tensors that is traced and compiled once for each combination of input types, then
/// called with arrays. The 16 forms used last are kept; threads may call at once.
///
/// ```
/// use cornu_core::{Array, Device, Function, Reference};
/// let f = Function::new(&Device::new(Reference), |x| (&x[0] * 2.0 + 1.0).into());
/// let y = f.call(&[&Array::from([1.0f32, 2.0])]).unwrap();
/// assert_eq!(y[0].to_vec::<f32>(), [3.0, 5.0]);
/// ```
pub struct Function {
    device: Device,
    trace: Box<Trace>,
    forms: CompiledForms,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function on {:?}", self.device)
    }
}

impl Function {
    /// A function from how it is traced. `trace` runs once for each combination of input types.
    pub fn new(
        device: &Device,
        trace: impl Fn(&[Tensor]) -> Traced + Send + Sync + 'static,
    ) -> Function {
        Function::fallible(device, move |x| Ok(trace(x)))
    }

    /// As [`Function::new`], from a trace that may fail: what goes wrong comes out of the call.
    pub fn fallible(
        device: &Device,
        trace: impl Fn(&[Tensor]) -> Result<Traced> + Send + Sync + 'static,
    ) -> Function {
        Function {
            device: device.clone(),
            trace: Box::new(trace),
            forms: CompiledForms::default(),
        }
    }

    /// Calls the function; variables it updates have their new values afterwards.
    pub fn call(&self, inputs: &[&Array]) -> Result<Vec<Array>> {
        let views: Vec<View<'_>> = inputs.iter().map(|a| a.view()).collect();
        self.with(&views, |f| {
            let mut outputs: Vec<Array> = f
                .outputs
                .iter()
                .map(|t| Array::zeros(t.dtype, t.shape.clone()))
                .collect();
            let mut out: Vec<ViewMut<'_>> = outputs.iter_mut().map(Array::view_mut).collect();
            f.executable.run(&views, &mut out)?;
            Ok(outputs)
        })
    }

    /// Calls the function and writes its outputs in place, without allocating once compiled.
    pub fn call_into(&self, inputs: &[View<'_>], outputs: &mut [ViewMut<'_>]) -> Result<()> {
        self.with(inputs, |f| f.executable.run(inputs, outputs))
    }

    fn with<R>(
        &self,
        inputs: &[View<'_>],
        run: impl FnOnce(&mut Compiled) -> Result<R>,
    ) -> Result<R> {
        self.forms.with(inputs, |types| self.compile(types), run)
    }

    fn compile(&self, inputs: Vec<TensorType>) -> Result<Compiled> {
        let argument = |(i, ty): (usize, &TensorType)| Tensor::input(i, ty.shape.clone(), ty.dtype);
        let arguments: Vec<Tensor> = inputs.iter().enumerate().map(argument).collect();
        let traced = (self.trace)(&arguments)?;
        let program = Program::trace(&inputs, &traced.outputs, &traced.updates)?;
        Ok(Compiled {
            inputs,
            outputs: traced.outputs.iter().map(|t| t.ty().clone()).collect(),
            executable: self.device.compile(&program)?,
        })
    }
}
