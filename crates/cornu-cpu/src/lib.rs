//! The CPU backend of Cornu: planner, thread team and vectorised kernels.
//!
//! A program becomes a list of kernels over one arena; running it is walking that list. Kernels are
//! chosen for the processor (AVX-512, AVX2 with FMA, NEON, or portable) when the program is compiled.
//! Work that one thread does in some microseconds is never shared.

// Loops are limited to some instruction sets where a processor has several.
#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]

mod buffer;
mod executable;
mod half_product;
pub mod kernels;
pub mod math;
pub mod simd;
pub mod team;

use cornu_core::{Backend, Executable, Program, Result};

/// The CPU as a device.
///
/// ```
/// use cornu_core::{Device, Tensor};
/// let device = Device::new(cornu_cpu::Cpu::new());
/// let x = Tensor::constant([[1.0f32, 2.0], [3.0, 4.0]]);
/// let y = device.eval(&[x.matmul(&x).relu()]).unwrap();
/// assert_eq!(y[0].to_vec::<f32>(), [7.0, 10.0, 15.0, 22.0]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu(());

impl Cpu {
    /// All cores, or as many as `CORNU_NUM_THREADS` (else `OMP_NUM_THREADS`) says.
    pub fn new() -> Self {
        Self(())
    }
}

impl Backend for Cpu {
    fn name(&self) -> &str {
        "cpu"
    }

    fn compile(&self, program: &Program) -> Result<Box<dyn Executable>> {
        Ok(Box::new(executable::CpuExecutable::compile(program)?))
    }
}
