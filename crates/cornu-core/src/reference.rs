//! The reference interpreter: every instruction by plain loops, one after another.

use crate::array::{Array, View, ViewMut};
use crate::backend::{Backend, Executable, check_arguments};
use crate::ops::Op;
use crate::program::Program;
use crate::tensor::TensorType;
use crate::{Result, SliceMut, with_values};

/// The backend that defines what operations mean: plain loops, floats computed in `f64` and rounded
/// after each instruction. Slow; every other backend is compared with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

struct Interpreter {
    program: Program,
    outputs: Vec<TensorType>,
}

impl Backend for Reference {
    fn name(&self) -> &str {
        "reference"
    }

    fn compile(&self, program: &Program) -> Result<Box<dyn Executable>> {
        let outputs = program
            .outputs
            .iter()
            .map(|v| program.inst(*v).ty.clone())
            .collect();
        Ok(Box::new(Interpreter {
            program: program.clone(),
            outputs,
        }))
    }
}

impl Executable for Interpreter {
    fn run(&mut self, inputs: &[View<'_>], outputs: &mut [ViewMut<'_>]) -> Result<()> {
        check_arguments(&self.program.inputs, &self.outputs, inputs, outputs)?;
        let mut values: Vec<Array> = Vec::with_capacity(self.program.insts.len());
        for inst in &self.program.insts {
            let args: Vec<&Array> = inst.args.iter().map(|a| &values[a.index()]).collect();
            let value = match &inst.op {
                Op::Input(i) => inputs[*i].to_array(),
                Op::Variable(v) => v.value(),
                op => match op.rules() {
                    Some(rules) => rules.reference(&args, &inst.ty),
                    None => continue,
                },
            };
            debug_assert_eq!(
                (value.shape(), value.dtype()),
                (&inst.ty.shape, inst.ty.dtype)
            );
            values.push(value);
        }
        for (out, v) in outputs.iter_mut().zip(&self.program.outputs) {
            let value = &values[v.index()];
            with_values!(SliceMut, &mut out.data, o => o.copy_from_slice(value.as_slice()?));
        }
        for (variable, v) in &self.program.updates {
            variable.assign(values[v.index()].clone())?;
        }
        Ok(())
    }

    fn describe(&self) -> String {
        self.program.to_string()
    }
}

/// The error function to double precision: its Maclaurin series for small arguments, else a continued
/// fraction of the complement (Abramowitz and Stegun 7.1.5 and 7.1.14).
pub(crate) fn erf(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    let z = x.abs();
    let value = if z < 2.5 {
        let (mut term, mut sum) = (z, z);
        for n in 1..200 {
            term *= -z * z / f64::from(n);
            let next = term / f64::from(2 * n + 1);
            sum += next;
            if next.abs() < sum.abs() * 1e-17 {
                break;
            }
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    } else if z < 6.5 {
        let mut fraction = 0.0;
        for n in (1..120).rev() {
            fraction = f64::from(n) / 2.0 / (z + fraction);
        }
        1.0 - (-z * z).exp() / ((z + fraction) * std::f64::consts::PI.sqrt())
    } else {
        1.0
    };
    value.copysign(x)
}

/// The inverse of [`erf`]: Winitzki's approximation, then Newton's and Halley's steps.
pub(crate) fn erfinv(y: f64) -> f64 {
    if y.is_nan() || y.abs() > 1.0 {
        return f64::NAN;
    }
    if y.abs() == 1.0 {
        return f64::INFINITY.copysign(y);
    }
    let a = 0.147;
    let l = (1.0 - y * y).ln();
    let m = 2.0 / (std::f64::consts::PI * a) + l / 2.0;
    let mut x = ((m * m - l / a).sqrt() - m).max(0.0).sqrt().copysign(y);
    for _ in 0..4 {
        let slope = std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp();
        let step = (erf(x) - y) / slope;
        x -= step / (1.0 + x * step);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erf_known_values() {
        // Abramowitz and Stegun, table 7.1.
        for (x, y) in [
            (0.0, 0.0),
            (0.5, 0.5204998778),
            (1.0, 0.8427007929),
            (2.0, 0.9953222650),
        ] {
            assert!((erf(x) - y).abs() < 1e-10);
            assert!((erf(-x) + y).abs() < 1e-10);
        }
        assert!((erf(2.499_999) - erf(2.500_001)).abs() < 1e-8);
    }

    #[test]
    fn erfinv_inverts() {
        for i in -99..=99 {
            let y = f64::from(i) / 100.0;
            assert!((erf(erfinv(y)) - y).abs() < 1e-14, "{y}");
        }
    }
}
