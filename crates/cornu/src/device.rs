//! The device that everything runs on, and the low-level API on it.

use crate::{Array, Device, Error, Function, Result, Tensor, Traced};
use std::sync::OnceLock;

/// The device that models and [`Eval::eval`] run on: the CPU, or, if the environment variable
/// `CORNU_BACKEND` is `reference`, the slow interpreter that defines what operations mean (to find
/// out whether a kernel is to blame).
pub fn device() -> Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    let make = || match std::env::var("CORNU_BACKEND").as_deref() {
        Ok("reference") => Device::new(cornu_core::Reference),
        _ => Device::new(cornu_cpu::Cpu::new()),
    };
    DEVICE.get_or_init(make).clone()
}

/// Sets how many threads compute, whatever `CORNU_NUM_THREADS` says. To be called before anything is
/// computed.
///
/// # Errors
/// If `threads` is 0, or the number was set before.
pub fn set_num_threads(threads: usize) -> Result<()> {
    match threads {
        0 => Err(Error::new("There must be at least 1 thread. Received: 0.")),
        n if cornu_cpu::team::Team::ask(n) => Ok(()),
        _ => Err(Error::state("The number of threads was set before.")),
    }
}

/// Computing a tensor expression at once.
pub trait Eval {
    /// The value: the expression is compiled (once per structure) and run.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let x = Tensor::constant([[1.0f32, 2.0], [3.0, 4.0]]);
    /// let y = (x.matmul(&x) + 1.0).eval()?;
    /// assert_eq!(y.to_vec::<f32>(), [8.0, 11.0, 16.0, 23.0]);
    /// let e = (x + Tensor::zeros([3], DType::F32)).eval().unwrap_err();
    /// assert!(e.to_string().contains("do not broadcast"));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// The first thing in the expression that cannot be, with its line.
    fn eval(&self) -> Result<Array>;
}

impl Eval for Tensor {
    fn eval(&self) -> Result<Array> {
        Ok(device().eval(std::slice::from_ref(self))?.remove(0))
    }
}

/// A function of tensors, compiled once for each combination of input types; see
/// [`Function`].
///
/// ```
/// use cornu::prelude::*;
/// let f = cornu::function(|x| (x[0].square() + 1.0).into());
/// assert_eq!(f.call(&[&Array::from([1.0f32, 2.0])])?[0].to_vec::<f32>(), [2.0, 5.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn function(trace: impl Fn(&[Tensor]) -> Traced + Send + Sync + 'static) -> Function {
    Function::new(&device(), trace)
}

/// As [`function()`], from a trace that may fail: what goes wrong comes out of the call.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Dense::new(1).kernel_initializer("ones").input_shape([2]));
/// model.build()?;
/// let twice = cornu::try_function(move |x| Ok((model.call(&x[0])? * 2.0).into()));
/// assert_eq!(twice.call(&[&Array::from([[1.0f32, 2.0]])])?[0].to_vec::<f32>(), [6.0]);
/// let e = twice.call(&[&Array::from([1.0f32])]).unwrap_err();
/// assert!(e.to_string().contains("expected shape (None, 2)"));
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn try_function(
    trace: impl Fn(&[Tensor]) -> Result<Traced> + Send + Sync + 'static,
) -> Function {
    Function::fallible(&device(), trace)
}
