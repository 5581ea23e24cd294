//! Runs a [`Plan`] element by element at the planned places, so that wrong strides, a wrong order and
//! values that overwrite each other show without any kernel.

use crate::array::{Array, View, ViewMut};
use crate::backend::{Backend, Executable, check_arguments};
use crate::dtype::DType;
use crate::ops::Operation;
use crate::ops::elementwise::{Cast, Select};
use crate::ops::reduce::ReduceFn;
use crate::passes::fuse::Group;
use crate::passes::fused::{BodyFn, Fused};
use crate::passes::memory::{Location, Plan, plan};
use crate::passes::verify::verify;
use crate::program::{Program, ValueId};
use crate::tensor::TensorType;
use crate::{Error, Result, Shape, SliceMut, bf16, f16, with_dtype, with_values};

/// In which order the elements of a kernel are computed. A kernel may use any order, so all must
/// give the same.
#[derive(Clone, Copy, Debug)]
pub struct Interpret {
    /// The last element first.
    pub reverse: bool,
    /// Whether what follows a reduction is computed as soon as its element is reduced, or when all
    /// are.
    pub eager: bool,
}

struct Interpreter {
    plan: Plan,
    order: Interpret,
}

impl Backend for Interpret {
    fn name(&self) -> &str {
        "interpreted plan"
    }

    fn compile(&self, program: &Program) -> Result<Box<dyn Executable>> {
        let plan = plan(program);
        verify(&plan, program).map_err(|e| Error::new(format!("{e}\n{program}\n{plan}")))?;
        let order = *self;
        Ok(Box::new(Interpreter { plan, order }))
    }
}

/// All memory of a run, as bytes.
struct Memory {
    inputs: Vec<Vec<u8>>,
    outputs: Vec<Vec<u8>>,
    variables: Vec<Vec<u8>>,
    constants: Vec<Vec<u8>>,
    arena: Vec<u8>,
}

const GARBAGE: u8 = 0xFB;

fn load(bytes: &[u8], dtype: DType, i: usize) -> Array {
    let at = |n: usize| &bytes[i * n..(i + 1) * n];
    match dtype {
        DType::Bool => Array::scalar(bytes[i] & 1 == 1),
        DType::U8 => Array::scalar(bytes[i]),
        DType::I32 => Array::scalar(i32::from_le_bytes(at(4).try_into().unwrap())),
        DType::I64 => Array::scalar(i64::from_le_bytes(at(8).try_into().unwrap())),
        DType::BF16 => Array::scalar(bf16::from_le_bytes(at(2).try_into().unwrap())),
        DType::F16 => Array::scalar(f16::from_le_bytes(at(2).try_into().unwrap())),
        DType::F32 => Array::scalar(f32::from_le_bytes(at(4).try_into().unwrap())),
        DType::F64 => Array::scalar(f64::from_le_bytes(at(8).try_into().unwrap())),
    }
}

fn bytes_of(a: &Array) -> Vec<u8> {
    fn all<T: crate::Element, const N: usize>(a: &Array, f: impl Fn(T) -> [u8; N]) -> Vec<u8> {
        a.to_vec::<T>().into_iter().flat_map(f).collect()
    }
    match a.dtype() {
        DType::Bool => all(a, |v: bool| [u8::from(v)]),
        DType::U8 => all(a, |v: u8| [v]),
        DType::I32 => all(a, i32::to_le_bytes),
        DType::I64 => all(a, i64::to_le_bytes),
        DType::BF16 => all(a, bf16::to_le_bytes),
        DType::F16 => all(a, f16::to_le_bytes),
        DType::F32 => all(a, f32::to_le_bytes),
        DType::F64 => all(a, f64::to_le_bytes),
    }
}

fn array_of(bytes: &[u8], ty: &TensorType) -> Array {
    with_dtype!(ty.dtype, T => {
        let values: Vec<T> = (0..ty.shape.size())
            .map(|i| load(bytes, ty.dtype, i).to_vec::<T>()[0])
            .collect();
        Array::from_vec(ty.shape.clone(), values).unwrap()
    })
}

struct Run<'a> {
    plan: &'a Plan,
    memory: Memory,
    order: Interpret,
}

impl Run<'_> {
    fn bytes(&mut self, v: ValueId) -> &mut [u8] {
        let ty = &self.plan.types[&v];
        let n = ty.shape.size() * ty.dtype.size();
        let m = &mut self.memory;
        match self.plan.locations[&v] {
            Location::Input(i) => &mut m.inputs[i],
            Location::Output(i) => &mut m.outputs[i],
            Location::Variable(i) => &mut m.variables[i],
            Location::Constant(i) => &mut m.constants[i],
            Location::Arena(at) => &mut m.arena[at..at + n],
        }
    }

    fn get(&mut self, v: ValueId, dtype: DType, i: usize) -> Array {
        assert_eq!(self.plan.types[&v].dtype, dtype, "the type of an operand");
        load(self.bytes(v), dtype, i)
    }

    fn put(&mut self, v: ValueId, i: usize, value: &Array) {
        assert_eq!(self.plan.types[&v].dtype, value.dtype(), "a stored type");
        let bytes = bytes_of(value);
        let n = bytes.len();
        self.bytes(v)[i * n..(i + 1) * n].copy_from_slice(&bytes);
    }

    fn whole(&mut self, v: ValueId) -> Array {
        let ty = self.plan.types[&v].clone();
        array_of(self.bytes(v), &ty)
    }

    /// All elements of a space in the order of this run.
    fn elements(&self, n: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..n).collect();
        if self.order.reverse {
            all.reverse();
        }
        all
    }

    /// Computes element `i` of a fused kernel: its registers. Writes its outputs.
    fn element(&mut self, f: &Fused, i: usize, core: Option<&Array>) -> Vec<Array> {
        let row = Shape::from(&f.shape).strides();
        let mut registers: Vec<Array> = Vec::new();
        for (k, o) in f.operands.iter().enumerate() {
            if let (0, Some(core)) = (k, core) {
                registers.push(core.clone());
                continue;
            }
            assert_eq!(o.strides.len(), f.shape.len(), "one stride per axis");
            let place: isize = (0..f.shape.len())
                .map(|a| (i / row[a] % f.shape[a]) as isize * o.strides[a])
                .sum();
            registers.push(self.get(o.value, o.dtype, (o.offset as isize + place) as usize));
        }
        for inst in &f.body {
            let ty = TensorType {
                shape: Shape::scalar(),
                dtype: inst.dtype,
            };
            let args: Vec<&Array> = inst.args[..inst.f.arity()]
                .iter()
                .map(|r| &registers[*r as usize])
                .collect();
            let value = match inst.f {
                BodyFn::Scalar(v) => with_dtype!(inst.dtype, T => Array::scalar(v.to::<T>())),
                BodyFn::Unary(f) => f.reference(&args, &ty),
                BodyFn::Binary(f) => f.reference(&args, &ty),
                BodyFn::Select => Select.reference(&args, &ty),
                BodyFn::Cast => Cast(inst.dtype).reference(&args, &ty),
            };
            registers.push(value);
        }
        for o in &f.outputs {
            let value = registers[o.register as usize].clone();
            self.put(o.value, i, &value);
        }
        registers
    }

    fn group(&mut self, group: &Group) {
        match group {
            Group::Elementwise(f) => {
                for i in self.elements(f.size()) {
                    self.element(f, i, None);
                }
            }
            Group::MatMul(m) => {
                let e = m.extents;
                let dtype = self.plan.types[&m.a].dtype;
                assert_eq!(m.epilogue.shape, [e.batch * e.m, e.n], "the space");
                for i in self.elements(e.batch * e.m * e.n) {
                    let (x, r, c) = (i / (e.m * e.n), i / e.n % e.m, i % e.n);
                    let mut row = Vec::new();
                    let mut column = Vec::new();
                    for k in 0..e.k {
                        let at = if m.op.transpose_a {
                            k * e.m + r
                        } else {
                            r * e.k + k
                        };
                        let bt = if m.op.transpose_b {
                            c * e.k + k
                        } else {
                            k * e.n + c
                        };
                        row.push(self.get(m.a, dtype, m.offsets[0] + x * e.m * e.k + at));
                        column.push(self.get(m.b, dtype, m.offsets[1] + x * e.k * e.n + bt));
                    }
                    let line = |parts: Vec<Array>, shape: [usize; 2]| {
                        with_dtype!(dtype, T => {
                            let v: Vec<T> = parts.iter().map(|p| p.to_vec::<T>()[0]).collect();
                            Array::from_vec(shape, v).unwrap()
                        })
                    };
                    let (a, b) = (line(row, [1, e.k]), line(column, [e.k, 1]));
                    let ty = TensorType {
                        shape: [1, 1].into(),
                        dtype,
                    };
                    let product = crate::ops::matmul::MatMul::default().reference(&[&a, &b], &ty);
                    let product = product.reshape(()).unwrap();
                    self.element(&m.epilogue, i, Some(&product));
                }
            }
            Group::Rows(r) => {
                let values: Vec<Array> = (r.args.iter().zip(&r.types))
                    .map(|(v, ty)| self.whole(*v).reshape(ty.shape.clone()).unwrap())
                    .collect();
                let inputs: Vec<&Array> = values.iter().collect();
                let rules = r.op.rules().expect("an operation");
                let result = rules.reference(&inputs, &r.result);
                let size = result.size();
                let flat = result.reshape([size]).unwrap();
                for i in self.elements(flat.size()) {
                    let one = with_dtype!(r.result.dtype, T => {
                        Array::from(vec![flat.to_vec::<T>()[i]])
                    });
                    let one = one.reshape(()).unwrap();
                    self.element(&r.epilogue, i, Some(&one));
                }
            }
            Group::Reduce(r) => {
                let space = Shape::from(&r.prologue.shape);
                let strides = space.strides();
                let kept: Vec<usize> = (0..space.rank()).filter(|a| !r.axes.contains(a)).collect();
                let out: Shape = kept.iter().map(|a| space[*a]).collect();
                let out_strides = out.strides();
                let squeezed: Vec<usize> = out.iter().copied().filter(|d| *d != 1).collect();
                assert_eq!(squeezed, r.epilogue.shape, "the reduced space");
                let dtype = r.prologue.dtype(r.register);
                let mut parts: Vec<Vec<usize>> = vec![Vec::new(); out.size()];
                for i in 0..space.size() {
                    let t: usize = kept
                        .iter()
                        .zip(&out_strides)
                        .map(|(a, s)| i / strides[*a] % space[*a] * s)
                        .sum();
                    parts[t].push(i);
                }
                let mut late = Vec::new();
                for t in self.elements(out.size()) {
                    let values: Vec<Array> = parts[t]
                        .iter()
                        .map(|i| self.element(&r.prologue, *i, None)[r.register as usize].clone())
                        .collect();
                    let value = reduce(r.f, dtype, &values);
                    if self.order.eager {
                        self.element(&r.epilogue, t, Some(&value));
                    } else {
                        late.push((t, value));
                    }
                }
                for (t, value) in late {
                    self.element(&r.epilogue, t, Some(&value));
                }
            }
            Group::Other(o) => {
                let ty = self.plan.types[&o.output].clone();
                // If the result lay over an operand, this would show it.
                self.bytes(o.output).fill(GARBAGE);
                let args: Vec<Array> = o
                    .args
                    .iter()
                    .zip(&o.types)
                    .map(|(a, ty)| self.whole(*a).reshape(ty.shape.clone()).unwrap())
                    .collect();
                let args: Vec<&Array> = args.iter().collect();
                let value = o.op.rules().unwrap().reference(&args, &ty);
                let bytes = bytes_of(&value);
                self.bytes(o.output).copy_from_slice(&bytes);
            }
        }
    }
}

fn reduce(f: ReduceFn, dtype: DType, values: &[Array]) -> Array {
    with_dtype!(dtype, T => {
        let line: Vec<T> = values.iter().map(|v| v.to_vec::<T>()[0]).collect();
        let ty = TensorType { shape: Shape::scalar(), dtype };
        crate::ops::reduce::Reduce { f, axes: vec![0] }.reference(&[&Array::from(line)], &ty)
    })
}

impl Executable for Interpreter {
    fn run(&mut self, inputs: &[View<'_>], outputs: &mut [ViewMut<'_>]) -> Result<()> {
        check_arguments(&self.plan.inputs, &self.plan.outputs, inputs, outputs)?;
        let plan = &self.plan;
        let size = |ty: &TensorType| ty.shape.size() * ty.dtype.size();
        let memory = Memory {
            inputs: inputs.iter().map(|v| bytes_of(&v.to_array())).collect(),
            outputs: plan
                .outputs
                .iter()
                .map(|ty| vec![GARBAGE; size(ty)])
                .collect(),
            variables: plan
                .variables
                .iter()
                .map(|(v, _)| bytes_of(&v.value()))
                .collect(),
            constants: plan.constants.iter().map(|c| bytes_of(c)).collect(),
            arena: vec![GARBAGE; plan.arena],
        };
        let mut run = Run {
            plan,
            memory,
            order: self.order,
        };
        for group in &plan.groups {
            run.group(group);
        }
        for ((out, bytes), ty) in outputs
            .iter_mut()
            .zip(&run.memory.outputs)
            .zip(&plan.outputs)
        {
            let value = array_of(bytes, ty);
            with_values!(SliceMut, &mut out.data, o => o.copy_from_slice(value.as_slice()?));
        }
        for ((variable, updated), bytes) in plan.variables.iter().zip(&run.memory.variables) {
            let ty = TensorType {
                shape: variable.shape().clone(),
                dtype: variable.dtype(),
            };
            let value = array_of(bytes, &ty);
            if *updated {
                variable.assign(value)?;
            } else {
                assert_eq!(bytes_of(&value), bytes_of(&variable.value()), "left alone");
            }
        }
        for (bytes, constant) in run.memory.constants.iter().zip(&plan.constants) {
            assert_eq!(*bytes, bytes_of(constant), "constants are left alone");
        }
        for (bytes, view) in run.memory.inputs.iter().zip(inputs) {
            assert_eq!(*bytes, bytes_of(&view.to_array()), "inputs are left alone");
        }
        Ok(())
    }

    fn describe(&self) -> String {
        self.plan.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Device, conformance};

    #[test]
    fn plans_compute_what_their_programs_say() {
        for (reverse, eager) in [(false, true), (true, false)] {
            let device = Device::new(Interpret { reverse, eager });
            // All programs; of the single operations, of which there are thousands, some.
            let failures: Vec<String> = conformance::cases()
                .iter()
                .enumerate()
                .filter(|(i, c)| c.name().contains("program") || i % 20 == usize::from(eager))
                .filter_map(|(_, c)| c.run(&device).err())
                .collect();
            let n = failures.len();
            assert!(
                failures.is_empty(),
                "{n} failures:\n{}",
                failures.join("\n")
            );
        }
    }
}
