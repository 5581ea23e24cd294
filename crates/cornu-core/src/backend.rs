//! What a backend is: it compiles programs and runs them.

use crate::array::{View, ViewMut};
use crate::tensor::TensorType;
use crate::{Error, Program, Result};

/// Compiles programs for a device. A backend knows operations and nothing of layers.
pub trait Backend: Send + Sync {
    /// A short name for messages, such as `cpu`.
    fn name(&self) -> &str;

    /// Compiles a program.
    ///
    /// # Errors
    /// If the device cannot do what the program asks.
    fn compile(&self, program: &Program) -> Result<Box<dyn Executable>>;
}

/// A compiled program. It runs again and again without allocating.
pub trait Executable: Send {
    /// Runs once: reads `inputs`, writes `outputs` and updates the program's variables in place.
    ///
    /// # Errors
    /// If an input or output is not of the type that the program was traced with.
    fn run(&mut self, inputs: &[View<'_>], outputs: &mut [ViewMut<'_>]) -> Result<()>;

    /// The plan in words, for people who look for where time or memory goes.
    fn describe(&self) -> String;
}

/// Checks the arrays given to a program against its types; every backend calls this first.
pub fn check_arguments(
    program_inputs: &[TensorType],
    program_outputs: &[TensorType],
    inputs: &[View<'_>],
    outputs: &[ViewMut<'_>],
) -> Result<()> {
    let wrong = |what: &str, i: usize, expected: &TensorType, got: String| {
        Error::shape(format!(
            "{what} {i} of the program is {expected}. Received: {got}."
        ))
    };
    if inputs.len() != program_inputs.len() || outputs.len() != program_outputs.len() {
        return Err(Error::shape(format!(
            "The program has {} inputs and {} outputs. Received: {} and {}.",
            program_inputs.len(),
            program_outputs.len(),
            inputs.len(),
            outputs.len()
        )));
    }
    for (i, (x, ty)) in inputs.iter().zip(program_inputs).enumerate() {
        if *x.shape != *ty.shape || x.data.dtype() != ty.dtype || x.data.len() != ty.shape.size() {
            let got = format!("{}{:?}", x.data.dtype(), x.shape);
            return Err(wrong("Input", i, ty, got));
        }
    }
    for (i, (x, ty)) in outputs.iter().zip(program_outputs).enumerate() {
        if *x.shape != *ty.shape || x.data.dtype() != ty.dtype || x.data.len() != ty.shape.size() {
            let got = format!("{}{:?}", x.data.dtype(), x.shape);
            return Err(wrong("Output", i, ty, got));
        }
    }
    Ok(())
}
