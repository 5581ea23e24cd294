//! One suite of tests for every backend: each operation on every element type it takes and on odd
//! shapes, programs that fuse and update in place, random programs, and every gradient rule against
//! central differences.
//!
//! The expected values come from the operations' reference rules, applied to the expression as it was
//! written: neither simplified nor planned.
//!
//! ```
//! use cornu_core::{Device, Reference, conformance};
//! let device = Device::new(Reference);
//! for case in conformance::cases().iter().filter(|c| c.name().starts_with("program")) {
//!     case.run(&device).unwrap();
//! }
//! ```

mod attention;
mod elementwise;
mod families;
mod gradients;
mod programs;
mod random_programs;
mod recurrent;

use crate::array::{Array, View, ViewMut};
use crate::dtype::DType;
use crate::ops::Op;
use crate::random::Stream;
use crate::tensor::{Tensor, TensorType};
use crate::{Device, Program, Shape, Variable};
use std::collections::HashMap;
use std::fmt;

/// One test of the suite.
pub struct Case {
    name: String,
    check: Check,
    differentiated: Option<Tensor>,
}

type Check = Box<dyn Fn(&Device) -> Result<(), String> + Send + Sync>;

impl Case {
    /// What is tested: the family of operations, the operation, type and shape.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The expression whose gradients are compared with differences; `None` if it is another kind of test.
    pub fn differentiated(&self) -> Option<&Tensor> {
        self.differentiated.as_ref()
    }

    /// Runs the test on a device.
    ///
    /// # Errors
    /// What differs from the reference, in words.
    pub fn run(&self, device: &Device) -> Result<(), String> {
        (self.check)(device).map_err(|e| format!("{}: {e}", self.name))
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Case({})", self.name)
    }
}

/// The whole suite.
pub fn cases() -> Vec<Case> {
    let mut all = Cases::default();
    elementwise::add(&mut all);
    families::add(&mut all);
    recurrent::add(&mut all);
    attention::add(&mut all);
    programs::add(&mut all);
    random_programs::add(&mut all);
    gradients::add(&mut all);
    all.0
}

/// Runs the whole suite on a device.
///
/// # Errors
/// All failures, one after another.
pub fn run(device: &Device) -> Result<(), String> {
    let cases = cases();
    let failures: Vec<String> = cases.iter().filter_map(|c| c.run(device).err()).collect();
    if failures.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} of {} cases failed on {}:\n{}",
        failures.len(),
        cases.len(),
        device.name(),
        failures.join("\n")
    ))
}

/// The suite in the making.
#[derive(Default)]
struct Cases(Vec<Case>);

impl Cases {
    /// A test of one program, made anew for each run, since running it changes its variables.
    fn sample(
        &mut self,
        name: impl Into<String>,
        make: impl Fn() -> Sample + Send + Sync + 'static,
    ) {
        self.check(name, move |device| make().check(device));
    }

    fn check(
        &mut self,
        name: impl Into<String>,
        check: impl Fn(&Device) -> Result<(), String> + Send + Sync + 'static,
    ) {
        self.0.push(Case {
            name: name.into(),
            check: Box::new(check),
            differentiated: None,
        });
    }
}

/// How far a result may be from the reference: `ε · (relative · |expected| + absolute · scale)`, where
/// ε is that of the result's type and the scale is the largest number met on the way. Integers and
/// booleans must be equal.
#[derive(Clone, Copy, Debug)]
struct Tolerance {
    relative: f64,
    absolute: f64,
}

const EXACT: Tolerance = Tolerance {
    relative: 0.0,
    absolute: 0.0,
};

/// A program with its arguments.
struct Sample {
    inputs: Vec<Array>,
    outputs: Vec<Tensor>,
    updates: Vec<(Variable, Tensor)>,
    tolerance: Tolerance,
}

impl Sample {
    fn new(inputs: Vec<Array>, outputs: Vec<Tensor>, tolerance: Tolerance) -> Sample {
        Sample {
            inputs,
            outputs,
            updates: Vec::new(),
            tolerance,
        }
    }

    /// A function of arrays.
    fn of(
        inputs: Vec<Array>,
        tolerance: Tolerance,
        f: impl Fn(&[Tensor]) -> Vec<Tensor>,
    ) -> Sample {
        let outputs = f(&arguments(&inputs));
        Sample::new(inputs, outputs, tolerance)
    }

    /// Compiles, runs three times and compares each time.
    fn check(&self, device: &Device) -> Result<(), String> {
        let types: Vec<TensorType> = self.inputs.iter().map(type_of).collect();
        let program = Program::trace(&types, &self.outputs, &self.updates)
            .map_err(|e| format!("tracing: {e}"))?;
        let mut executable = device
            .compile(&program)
            .map_err(|e| format!("compiling: {e}"))?;
        for round in 0..if self.updates.is_empty() { 2 } else { 3 } {
            let wanted: Vec<Tensor> = self
                .outputs
                .iter()
                .chain(self.updates.iter().map(|(_, t)| t))
                .cloned()
                .collect();
            let (expected, scale) = evaluate(&wanted, &self.inputs);
            let inputs: Vec<View<'_>> = self.inputs.iter().map(Array::view).collect();
            let mut outputs: Vec<Array> = self
                .outputs
                .iter()
                .map(|t| Array::full(t.dtype(), t.shape().clone(), 77.0))
                .collect();
            let mut views: Vec<ViewMut<'_>> = outputs.iter_mut().map(Array::view_mut).collect();
            executable
                .run(&inputs, &mut views)
                .map_err(|e| format!("running: {e}"))?;
            let updated = self.updates.iter().map(|(v, _)| v.value());
            let got: Vec<Array> = outputs.into_iter().chain(updated).collect();
            for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
                let what = match i.checked_sub(self.outputs.len()) {
                    None => format!("output {i}"),
                    Some(u) => format!("variable {}", self.updates[u].0.name()),
                };
                compare(got, expected, self.tolerance, scale).map_err(|e| {
                    let plan = executable.describe();
                    format!("run {round}, {what}: {e}\n{program}{plan}")
                })?;
            }
        }
        Ok(())
    }
}

fn type_of(a: &Array) -> TensorType {
    TensorType {
        shape: a.shape().clone(),
        dtype: a.dtype(),
    }
}

/// The inputs of a program that takes these arrays.
fn arguments(inputs: &[Array]) -> Vec<Tensor> {
    let input = |(i, a): (usize, &Array)| Tensor::input(i, a.shape().clone(), a.dtype());
    inputs.iter().enumerate().map(input).collect()
}

/// The values of expressions by the reference rules alone, and the largest finite number met.
fn evaluate(roots: &[Tensor], inputs: &[Array]) -> (Vec<Array>, f64) {
    let mut values: HashMap<usize, Array> = HashMap::new();
    let mut scale = 0.0f64;
    for root in roots {
        let mut stack = vec![(root.clone(), false)];
        while let Some((t, expanded)) = stack.pop() {
            if values.contains_key(&t.id()) {
                continue;
            }
            if !expanded {
                stack.push((t.clone(), true));
                stack.extend(t.inputs().iter().map(|i| (i.clone(), false)));
                continue;
            }
            let args: Vec<&Array> = t.inputs().iter().map(|i| &values[&i.id()]).collect();
            let value = match t.op() {
                Op::Input(i) => inputs[*i].clone(),
                Op::Variable(v) => v.value(),
                op => match op.rules() {
                    Some(rules) => rules.reference(&args, t.ty()),
                    None => continue,
                },
            };
            if value.dtype().is_float() {
                let finite = value.to_vec::<f64>().into_iter().filter(|v| v.is_finite());
                scale = finite.fold(scale, |s, v| s.max(v.abs()));
            }
            values.insert(t.id(), value);
        }
    }
    let roots = roots.iter().map(|t| values[&t.id()].clone()).collect();
    (roots, scale)
}

/// Compares two arrays; the first difference in words.
fn compare(got: &Array, expected: &Array, t: Tolerance, scale: f64) -> Result<(), String> {
    if got.shape() != expected.shape() || got.dtype() != expected.dtype() {
        return Err(format!(
            "is {}{}, not {}{}",
            got.dtype(),
            got.shape(),
            expected.dtype(),
            expected.shape()
        ));
    }
    let differs = |i: usize, g: String, e: String| {
        Err(format!(
            "element {i} of {}{} is {g}, not {e}",
            got.dtype(),
            got.shape()
        ))
    };
    if !got.dtype().is_float() {
        let (g, e) = (got.to_vec::<i64>(), expected.to_vec::<i64>());
        return match (0..g.len()).find(|i| g[*i] != e[*i]) {
            Some(i) => differs(i, g[i].to_string(), e[i].to_string()),
            None => Ok(()),
        };
    }
    let epsilon = got.dtype().epsilon();
    // Below this, numbers are subnormal, which a device may flush to 0.
    let tiny = match got.dtype() {
        _ if t.relative == 0.0 => 0.0,
        DType::F64 => f64::MIN_POSITIVE,
        DType::F16 => 6.2e-5,
        _ => f64::from(f32::MIN_POSITIVE),
    };
    let (g, e) = (got.to_vec::<f64>(), expected.to_vec::<f64>());
    for (i, (g, e)) in g.into_iter().zip(e).enumerate() {
        let bound = epsilon * (t.relative * e.abs() + t.absolute * scale) + tiny;
        let same = match (g.is_nan(), e.is_nan()) {
            (false, false) if g.is_infinite() || e.is_infinite() => g == e,
            (false, false) => {
                let signs = t.relative > 0.0 || g.is_sign_negative() == e.is_sign_negative();
                (g - e).abs() <= bound && signs
            }
            (a, b) => a == b,
        };
        if !same {
            return differs(i, format!("{g:e}"), format!("{e:e}"));
        }
    }
    Ok(())
}

/// Numbers for tests: reproducible, of every type.
struct Numbers(Stream);

impl Numbers {
    fn new(seed: u64) -> Numbers {
        Numbers(Stream::new(seed, 0))
    }

    /// Uniform in `0..n`.
    fn below(&mut self, n: usize) -> usize {
        self.0.below(n as u32) as usize
    }

    /// Uniform in `low..high`.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * f64::from(self.0.next_u32()) / 4_294_967_296.0
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// An array of numbers in a range that every type can hold.
    fn array(&mut self, dtype: DType, shape: impl Into<Shape>) -> Array {
        match dtype {
            DType::Bool => self.range(dtype, shape, 0.0, 2.0),
            DType::U8 => self.range(dtype, shape, 0.0, 9.0),
            DType::I32 | DType::I64 => self.range(dtype, shape, -9.0, 9.0),
            _ => self.range(dtype, shape, -2.0, 2.0),
        }
    }

    fn range(&mut self, dtype: DType, shape: impl Into<Shape>, low: f64, high: f64) -> Array {
        let shape = shape.into();
        let whole = !dtype.is_float();
        let values: Vec<f64> = (0..shape.size())
            .map(|_| {
                let v = self.between(low, high);
                if whole { v.floor() } else { v }
            })
            .collect();
        let values = Array::from(values).cast(dtype);
        values.reshape(shape).expect("one value per element")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reference;

    #[test]
    fn the_reference_conforms() {
        run(&Device::new(Reference)).unwrap_or_else(|e| panic!("{e}"));
    }

    /// Operations without gradients: their results do not vary with their operands, or are no floats; the last
    /// one refuses to be differentiated.
    const WITHOUT: [&str; 8] = [
        "Constant",
        "Full",
        "Iota",
        "ArgReduce",
        "ArgSort",
        "Random",
        "Hash",
        "RecurrentGrad",
    ];

    /// What an operation is: its place among all, and which function of its kind.
    fn kinds(op: &Op) -> [String; 2] {
        let told = format!("{op:?}");
        let operation = told
            .split(['(', ' '])
            .next()
            .unwrap_or_default()
            .to_string();
        let function = format!("{operation} {}", op.name());
        [operation, function]
    }

    #[test]
    fn every_operation_has_its_gradient_compared_with_differences() {
        use crate::ops::OPERATIONS;
        use crate::ops::elementwise::{BinaryFn, UnaryFn};
        use std::collections::BTreeSet;
        let (mut met, mut seen) = (BTreeSet::new(), BTreeSet::new());
        for case in cases() {
            let mut left: Vec<Tensor> = case.differentiated().into_iter().cloned().collect();
            while let Some(t) = left.pop() {
                if met.insert((case.name().to_string(), t.id())) {
                    seen.extend(kinds(t.op()));
                    left.extend(t.inputs().iter().cloned());
                }
            }
        }
        let unary = UnaryFn::ALL.iter().filter(|f| !f.is_predicate());
        let unary = unary.map(|f| kinds(&Op::from(*f)));
        let binary = BinaryFn::ALL
            .iter()
            .filter(|f| !f.is_comparison() && !f.is_logical());
        let binary = binary.map(|f| kinds(&Op::from(*f)));
        let operations = OPERATIONS.iter().map(|name| name.to_string());
        let wanted = operations.filter(|name| !WITHOUT.contains(&name.as_str()));
        let wanted = wanted.chain(unary.flatten()).chain(binary.flatten());
        let missing: BTreeSet<String> = wanted.filter(|kind| !seen.contains(kind)).collect();
        assert!(missing.is_empty(), "no gradient case has {missing:?}");
        assert!(WITHOUT.iter().all(|name| OPERATIONS.contains(name)));
    }

    #[test]
    fn differences_are_seen() {
        let a = Array::from([1.0f32, -0.0]);
        let near = Array::from([1.0f32 + 1e-6, 0.0]);
        let loose = Tolerance {
            relative: 20.0,
            absolute: 0.0,
        };
        assert!(compare(&near, &a, loose, 0.0).is_ok());
        assert!(compare(&near, &a, EXACT, 0.0).is_err());
        assert!(compare(&Array::from([1.0f32, 0.0]), &a, EXACT, 0.0).is_err());
        assert!(compare(&Array::from([f32::NAN, 0.0]), &a, loose, 0.0).is_err());
        assert!(compare(&Array::from([1i32]), &Array::from([2i32]), loose, 9.0).is_err());
    }
}
