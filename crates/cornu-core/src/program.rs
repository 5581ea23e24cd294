//! The traced program: what a backend compiles.

use crate::array::Array;
use crate::ops::Op;
use crate::ops::creation::{Constant, Full};
use crate::passes::{simplify, tape};
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result, Variable, order_by};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// A value of a program: the result of instruction `.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

impl ValueId {
    /// As an index into [`Program::insts`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One instruction; it defines the value of its own index.
#[derive(Clone, Debug)]
pub struct Inst {
    /// What is computed.
    pub op: Op,
    /// Its operands, all defined before.
    pub args: Vec<ValueId>,
    /// The type of the result.
    pub ty: TensorType,
    /// The part of the model it belongs to.
    pub scope: Option<Arc<str>>,
}

/// A straight-line program in static single assignment form: instructions in order, what it reads
/// (inputs and variables are instructions of their own), its outputs and the variables' new values.
///
/// Equal subexpressions are one instruction, constants are folded, and nothing is left that no output
/// or update needs.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The instructions; operands come before their users.
    pub insts: Vec<Inst>,
    /// The types of the inputs that [`Executable::run`](crate::Executable::run) is given.
    pub inputs: Vec<TensorType>,
    /// The values written to the caller's outputs.
    pub outputs: Vec<ValueId>,
    /// The variables' values after the program.
    pub updates: Vec<(Variable, ValueId)>,
}

impl Program {
    /// Traces expressions over inputs of the given types ([`Tensor::input`] with the same index).
    ///
    /// # Errors
    /// The first error that an expression carries; an input or update of a type that does not fit; a
    /// variable with two updates.
    pub fn trace(
        inputs: &[TensorType],
        outputs: &[Tensor],
        updates: &[(Variable, Tensor)],
    ) -> Result<Program> {
        Ok(Tracer::new(inputs, false).trace(outputs, updates)?.0)
    }

    /// As [`Program::trace`], but constants of more than one element become further inputs: the
    /// program depends on their types alone. Returns them in the order of those inputs.
    pub fn trace_lifting(
        outputs: &[Tensor],
        updates: &[(Variable, Tensor)],
    ) -> Result<(Program, Vec<Arc<Array>>)> {
        Tracer::new(&[], true).trace(outputs, updates)
    }

    /// The instruction that defines a value.
    pub fn inst(&self, v: ValueId) -> &Inst {
        &self.insts[v.index()]
    }

    /// What makes two programs the same: everything but the scopes.
    pub fn key(&self) -> Key {
        Key {
            insts: self
                .insts
                .iter()
                .map(|i| (i.op.clone(), i.args.clone()))
                .collect(),
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
            updates: self.updates.clone(),
        }
    }

    /// The variables the program reads or updates, in order of creation.
    pub fn variables(&self) -> Vec<Variable> {
        let read = self.insts.iter().filter_map(|i| match &i.op {
            Op::Variable(v) => Some(v),
            _ => None,
        });
        let updated = self.updates.iter().map(|(v, _)| v);
        let met: Vec<&Variable> = read.chain(updated).collect();
        let order = order_by(met.len(), &|i| (met[i].id() as i64, 0));
        let mut all: Vec<Variable> = order.into_iter().map(|i| met[i].clone()).collect();
        all.dedup();
        all
    }
}

/// The structure of a [`Program`], for caches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    insts: Vec<(Op, Vec<ValueId>)>,
    inputs: Vec<TensorType>,
    outputs: Vec<ValueId>,
    updates: Vec<(Variable, ValueId)>,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, inst) in self.insts.iter().enumerate() {
            let args: Vec<String> = inst.args.iter().map(|a| format!("%{}", a.0)).collect();
            write!(
                f,
                "%{i} = {}({}): {}",
                inst.op.name(),
                args.join(", "),
                inst.ty
            )?;
            match &inst.scope {
                Some(s) => writeln!(f, "  # {s}")?,
                None => writeln!(f)?,
            }
        }
        for (i, o) in self.outputs.iter().enumerate() {
            writeln!(f, "output {i} = %{}", o.0)?;
        }
        for (v, o) in &self.updates {
            writeln!(f, "{} := %{}", v.name(), o.0)?;
        }
        Ok(())
    }
}

/// Appends instructions, each only once, simplified on the way.
#[derive(Default)]
pub struct Builder {
    /// The instructions so far.
    pub insts: Vec<Inst>,
    known: HashMap<(Op, Vec<ValueId>), ValueId>,
}

impl Builder {
    /// The value of `op` on `args`: an existing one if there is one, or a simpler one.
    pub fn push(
        &mut self,
        op: Op,
        args: Vec<ValueId>,
        ty: TensorType,
        scope: Option<&str>,
    ) -> ValueId {
        if let Some(v) = self.known.get(&(op.clone(), args.clone())) {
            return *v;
        }
        let key = (op.clone(), args.clone());
        let value = match simplify::rewrite(self, &op, &args, &ty, scope) {
            Some(v) => v,
            None => {
                self.insts.push(Inst {
                    op,
                    args,
                    ty,
                    scope: scope.map(Arc::from),
                });
                ValueId(self.insts.len() as u32 - 1)
            }
        };
        self.known.insert(key, value);
        value
    }

    /// The instruction that defines a value.
    pub fn inst(&self, v: ValueId) -> &Inst {
        &self.insts[v.index()]
    }
}

struct Tracer {
    builder: Builder,
    inputs: Vec<TensorType>,
    seen: HashMap<usize, ValueId>,
    lifting: bool,
    lifted: Vec<Arc<Array>>,
}

impl Tracer {
    fn new(inputs: &[TensorType], lifting: bool) -> Tracer {
        Tracer {
            builder: Builder::default(),
            inputs: inputs.to_vec(),
            seen: HashMap::new(),
            lifting,
            lifted: Vec::new(),
        }
    }

    fn trace(
        mut self,
        outputs: &[Tensor],
        updates: &[(Variable, Tensor)],
    ) -> Result<(Program, Vec<Arc<Array>>)> {
        for t in outputs.iter().chain(updates.iter().map(|(_, t)| t)) {
            t.check()?;
        }
        let outputs: Vec<ValueId> = outputs
            .iter()
            .map(|t| self.value(t))
            .collect::<Result<_>>()?;
        let mut new_values: Vec<(Variable, ValueId)> = Vec::with_capacity(updates.len());
        for (variable, t) in updates {
            if t.shape() != variable.shape() || t.dtype() != variable.dtype() {
                return Err(Error::shape(format!(
                    "The update of variable \"{}\" must be {}{}. Received: {}.",
                    variable.name(),
                    variable.dtype(),
                    variable.shape(),
                    t.ty()
                )));
            }
            if new_values.iter().any(|(v, _)| v == variable) {
                return Err(Error::new(format!(
                    "Variable \"{}\" is updated twice in one program.",
                    variable.name()
                )));
            }
            let value = self.value(t)?;
            new_values.push((variable.clone(), value));
        }
        let program = Program {
            insts: self.builder.insts,
            inputs: self.inputs,
            outputs,
            updates: new_values,
        };
        Ok((tape::leave_out(simplify::prune(program)), self.lifted))
    }

    /// The value of a tensor; visits operands first, without recursion.
    fn value(&mut self, root: &Tensor) -> Result<ValueId> {
        let mut stack = vec![(root.clone(), false)];
        while let Some((t, expanded)) = stack.pop() {
            if self.seen.contains_key(&t.id()) {
                continue;
            }
            // Of an identity with a gradient rule only the value matters here.
            let operands = match t.op() {
                Op::Custom(_) => &t.inputs()[..1],
                _ => t.inputs(),
            };
            if !expanded && !operands.is_empty() {
                stack.push((t.clone(), true));
                stack.extend(operands.iter().rev().map(|o| (o.clone(), false)));
                continue;
            }
            let args: Vec<ValueId> = operands.iter().map(|o| self.seen[&o.id()]).collect();
            let value = match t.op() {
                Op::Custom(_) => args[0],
                Op::Input(i) if self.inputs.get(*i) != Some(t.ty()) => {
                    return Err(Error::shape(format!(
                        "Input {i} is used as {}. The program is given {}.",
                        t.ty(),
                        self.inputs
                            .get(*i)
                            .map_or("no such input".to_string(), |ty| ty.to_string())
                    )));
                }
                Op::Constant(Constant(array)) if self.lifting && array.size() > 1 => {
                    let op = Op::Input(self.inputs.len());
                    self.inputs.push(t.ty().clone());
                    self.lifted.push(array.clone());
                    self.builder.push(op, Vec::new(), t.ty().clone(), t.scope())
                }
                op => self
                    .builder
                    .push(op.clone(), args, t.ty().clone(), t.scope()),
            };
            self.seen.insert(t.id(), value);
        }
        Ok(self.seen[&root.id()])
    }
}

impl Inst {
    /// The one value that the result has everywhere, if it is a constant splat.
    pub fn splat(&self) -> Option<crate::ops::creation::Scalar> {
        if let Op::Full(Full { value, .. }) = &self.op {
            Some(*value)
        } else {
            None
        }
    }
}
