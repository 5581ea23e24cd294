//! A compiled program: kernels in order, over memory laid out beforehand.

mod convolution;
mod product;
mod profile;
mod scatter;

use crate::buffer::Buffer;
use crate::kernels::fused::FusedKernel;
use crate::kernels::other::{self, OtherKernel};
use crate::kernels::reduce::ReduceKernel;
use crate::team::Team;
use convolution::Convolution;
use cornu_core::backend::check_arguments;
use cornu_core::order_by;
use cornu_core::passes::fuse::Group;
use cornu_core::passes::memory::{Location, Plan, plan};
use cornu_core::program::ValueId;
use cornu_core::{
    Array, Error, Executable, Op, Program, Result, Slice, SliceMut, Variable, View, ViewMut,
    with_values,
};
use product::Product;
use profile::Profile;
use scatter::ScatterRows;
use std::collections::HashMap;
use std::sync::{Arc, RwLockReadGuard, RwLockWriteGuard};

/// A kernel with the places of what it reads and writes.
enum Kernel {
    Fused {
        kernel: Box<FusedKernel>,
        pieces: usize,
    },
    Reduce(Box<Reduce>),
    Product(Box<Product>),
    Convolution(Box<Convolution>),
    Scatter(Box<ScatterRows>),
    Other(Other),
}

/// A reduction in its two phases.
struct Reduce {
    kernel: ReduceKernel,
    pieces: usize,
    finish_pieces: usize,
    /// Partial results, shared by the threads.
    shared: Buffer,
}

/// An instruction that is a kernel by itself.
struct Other {
    kernel: Box<dyn OtherKernel>,
    inputs: Vec<usize>,
    /// Where the inputs lie, in this run.
    sources: Vec<*const u8>,
    output: usize,
    pieces: usize,
}

/// Exclusive or shared access to a variable while a program runs.
enum Access {
    Read(#[allow(dead_code)] RwLockReadGuard<'static, Array>), // held, never looked at again
    Write(#[allow(dead_code)] RwLockWriteGuard<'static, Array>),
}

/// A program compiled for the CPU.
pub(crate) struct CpuExecutable {
    kernels: Vec<Kernel>,
    plan: Plan,
    /// Where every slot lies; those of the caller's arrays and of variables are set in each run.
    ptrs: Vec<*mut u8>,
    inputs: Vec<(usize, usize)>,
    outputs: Vec<(usize, usize)>,
    variables: Vec<(Vec<usize>, Variable, bool)>,
    /// Room for the locks of one run, kept so that a run allocates nothing.
    locks: Vec<Access>,
    /// Scratch memory, a part for each thread.
    scratch: Buffer,
    scratch_step: usize,
    profile: Option<Profile>,
    /// What `ptrs` points to.
    _arena: Buffer,
    _constants: Vec<Arc<Array>>,
}

// SAFETY: the pointers lead to memory that the executable owns, or that is set anew in each run.
unsafe impl Send for CpuExecutable {}

impl CpuExecutable {
    pub fn compile(program: &Program) -> Result<CpuExecutable> {
        let plan = plan(program);
        let arena = Buffer::try_new(plan.arena).ok_or_else(|| {
            Error::new(format!(
                "The program needs {} bytes of memory at once, which there are not.",
                plan.arena
            ))
        })?;
        // One slot for each value in memory.
        let mut slots: HashMap<ValueId, usize> = HashMap::new();
        let mut ptrs: Vec<*mut u8> = Vec::new();
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        let mut variables: Vec<(Vec<usize>, Variable, bool)> = plan
            .variables
            .iter()
            .map(|(v, u)| (Vec::new(), v.clone(), *u))
            .collect();
        let values: Vec<(&ValueId, &Location)> = plan.locations.iter().collect();
        for i in order_by(values.len(), &|i| (values[i].0.index() as i64, 0)) {
            let (value, location) = values[i];
            let slot = ptrs.len();
            slots.insert(*value, slot);
            let mut ptr = std::ptr::null_mut();
            match location {
                Location::Input(i) => inputs.push((slot, *i)),
                Location::Output(i) => outputs.push((slot, *i)),
                Location::Variable(i) => variables[*i].0.push(slot),
                Location::Constant(i) => {
                    let view = plan.constants[*i].view();
                    ptr = with_values!(Slice, view.data, v => v.as_ptr().cast_mut().cast::<u8>());
                }
                // SAFETY: the plan's addresses lie within the arena.
                Location::Arena(at) => ptr = unsafe { arena.ptr().add(*at) },
            }
            ptrs.push(ptr);
        }
        let threads = Team::global().threads();
        let slot = |v: ValueId| slots.get(&v).copied().unwrap_or(0);
        let mut kernels = Vec::with_capacity(plan.groups.len());
        let mut scratch_step = 0usize;
        for group in &plan.groups {
            let (kernel, scratch) = build(group, &plan, &slot, threads)?;
            scratch_step = scratch_step.max(scratch);
            kernels.push(kernel);
        }
        let scratch_step = scratch_step.next_multiple_of(64);
        let locks = Vec::with_capacity(variables.len());
        Ok(CpuExecutable {
            kernels,
            ptrs,
            inputs,
            outputs,
            variables,
            locks,
            scratch: Buffer::new(scratch_step * threads),
            scratch_step,
            profile: Profile::asked(plan.groups.len()),
            _arena: arena,
            _constants: plan.constants.clone(),
            plan,
        })
    }

    /// Locks the program's variables, in order of creation (so that two programs cannot wait for each
    /// other), and notes where they lie.
    fn lock(&mut self) {
        for (slots, variable, updated) in &self.variables {
            let (access, ptr) = if *updated {
                let mut guard = variable.write();
                let view = guard.view_mut();
                let ptr = with_values!(SliceMut, view.data, v => v.as_mut_ptr().cast::<u8>());
                // SAFETY: `self.variables` keeps the variable alive, and `unlock` drops the guard
                // before `run` returns; `variables` is never changed.
                let guard: RwLockWriteGuard<'static, Array> = unsafe { std::mem::transmute(guard) };
                (Access::Write(guard), ptr)
            } else {
                let guard = variable.read();
                let view = guard.view();
                let ptr = with_values!(Slice, view.data, v => v.as_ptr().cast_mut().cast::<u8>());
                // SAFETY: as above.
                let guard: RwLockReadGuard<'static, Array> = unsafe { std::mem::transmute(guard) };
                (Access::Read(guard), ptr)
            };
            for slot in slots {
                self.ptrs[*slot] = ptr;
            }
            self.locks.push(access);
        }
    }

    fn run_kernels(&mut self) {
        let team = Team::global();
        let ptrs = &self.ptrs[..];
        let (scratch, step) = (Scratch(self.scratch.ptr()), self.scratch_step);
        let table = Table(ptrs);
        if let Some(p) = &mut self.profile {
            p.begin();
        }
        for (i, kernel) in self.kernels.iter_mut().enumerate() {
            match kernel {
                Kernel::Fused { kernel, pieces: 1 } => {
                    // SAFETY: the plan gives every slot memory of its size, and outputs overlap
                    // operands only where they are read at the same place.
                    unsafe { kernel.run(ptrs, 0, 1, scratch.0) }
                }
                Kernel::Fused { kernel, pieces } => {
                    let (kernel, pieces) = (&*kernel, *pieces);
                    team.run(pieces, &|piece, thread| {
                        // SAFETY: as above; each thread has its own scratch memory.
                        unsafe { kernel.run(table.get(), piece, pieces, scratch.of(thread, step)) }
                    });
                }
                Kernel::Reduce(r) => {
                    let (kernel, shared) = (&r.kernel, Scratch(r.shared.ptr()));
                    let (pieces, finish) = (r.pieces, r.finish_pieces);
                    // SAFETY: as above; the second phase begins when the first has ended.
                    unsafe {
                        team.run(pieces, &|piece, thread| {
                            let own = scratch.of(thread, step);
                            kernel.run(table.get(), piece, pieces, own, shared.of(0, 0));
                        });
                        team.run(finish, &|piece, thread| {
                            let own = scratch.of(thread, step);
                            kernel.finish(table.get(), piece, finish, own, shared.of(0, 0));
                        });
                    }
                }
                Kernel::Product(product) => {
                    // SAFETY: as above.
                    unsafe { product.run(team, ptrs, scratch.0, step) }
                }
                Kernel::Convolution(convolution) => {
                    // SAFETY: as above.
                    unsafe { convolution.run(team, ptrs, scratch.0, step) }
                }
                Kernel::Scatter(sums) => {
                    // SAFETY: as above.
                    unsafe { sums.run(team, ptrs, scratch.0, step) }
                }
                Kernel::Other(o) => {
                    for (source, slot) in o.sources.iter_mut().zip(&o.inputs) {
                        *source = ptrs[*slot].cast_const();
                    }
                    let (sources, pieces) = (Sources(&o.sources), o.pieces);
                    let output = Scratch(ptrs[o.output]);
                    // SAFETY: as above.
                    team.run(pieces, &|piece, _| unsafe {
                        o.kernel.run(sources.get(), output.of(0, 0), piece, pieces);
                    });
                }
            }
            if let Some(p) = &mut self.profile {
                p.ended(i);
            }
        }
    }
}

/// The pointer table, shared with the team's threads.
#[derive(Clone, Copy)]
struct Table<'a>(&'a [*mut u8]);

impl<'a> Table<'a> {
    fn get(&self) -> &'a [*mut u8] {
        self.0
    }
}

// SAFETY: pieces write disjoint parts of what the pointers lead to.
unsafe impl Sync for Table<'_> {}

/// The inputs of a kernel, shared with the team's threads.
#[derive(Clone, Copy)]
struct Sources<'a>(&'a [*const u8]);

impl<'a> Sources<'a> {
    fn get(&self) -> &'a [*const u8] {
        self.0
    }
}

// SAFETY: inputs are only read.
unsafe impl Sync for Sources<'_> {}

/// The threads' scratch memory.
#[derive(Clone, Copy)]
struct Scratch(*mut u8);

impl Scratch {
    /// The part of a thread.
    fn of(&self, thread: usize, step: usize) -> *mut u8 {
        self.0.wrapping_add(thread * step)
    }
}

// SAFETY: each thread uses its own part.
unsafe impl Sync for Scratch {}

fn build(
    group: &Group,
    plan: &Plan,
    slot: &dyn Fn(ValueId) -> usize,
    threads: usize,
) -> Result<(Kernel, usize)> {
    Ok(match group {
        Group::Elementwise(fused) => {
            let kernel = Box::new(FusedKernel::compile(fused, slot)?);
            let (pieces, scratch) = (kernel.pieces(threads), kernel.scratch_bytes());
            (Kernel::Fused { kernel, pieces }, scratch)
        }
        Group::Reduce(reduce) => {
            let kernel = ReduceKernel::compile(reduce, slot)?;
            let (pieces, scratch) = (kernel.pieces(threads), kernel.scratch_bytes());
            // One piece does everything at once.
            let finish_pieces = if pieces > 1 {
                kernel.finish_pieces(threads)
            } else {
                0
            };
            let shared = Buffer::new(kernel.shared_bytes());
            (
                Kernel::Reduce(Box::new(Reduce {
                    kernel,
                    pieces,
                    finish_pieces,
                    shared,
                })),
                scratch,
            )
        }
        Group::MatMul(product) => {
            let product = Product::compile(product, &plan.types[&product.a], slot, threads)?;
            let scratch = product.scratch_bytes();
            (Kernel::Product(Box::new(product)), scratch)
        }
        Group::Rows(rows) => match &rows.op {
            Op::Conv(op) => {
                let convolution = Convolution::compile(rows, op, slot, threads)?;
                let scratch = convolution.scratch_bytes();
                (Kernel::Convolution(Box::new(convolution)), scratch)
            }
            Op::ScatterAdd(_) => {
                let sums = ScatterRows::compile(rows, slot, threads)?;
                let scratch = sums.scratch_bytes();
                (Kernel::Scatter(Box::new(sums)), scratch)
            }
            op => return Err(no_kernel(op)),
        },
        Group::Other(o) => {
            let kernel = other::compile(&o.op, &o.types, &plan.types[&o.output])
                .ok_or_else(|| no_kernel(&o.op))?;
            let pieces = kernel.pieces(threads);
            let inputs: Vec<usize> = o.args.iter().map(|a| slot(*a)).collect();
            let sources = vec![std::ptr::null(); inputs.len()];
            (
                Kernel::Other(Other {
                    kernel,
                    inputs,
                    sources,
                    output: slot(o.output),
                    pieces,
                }),
                0,
            )
        }
    })
}

fn no_kernel(op: &Op) -> Error {
    Error::new(format!("The CPU backend has no kernel for {}.", op.name()))
}

impl Drop for CpuExecutable {
    fn drop(&mut self) {
        if let Some(p) = &self.profile {
            p.print(&self.plan);
        }
    }
}

impl Executable for CpuExecutable {
    fn run(&mut self, inputs: &[View<'_>], outputs: &mut [ViewMut<'_>]) -> Result<()> {
        check_arguments(&self.plan.inputs, &self.plan.outputs, inputs, outputs)?;
        for (slot, i) in &self.inputs {
            let ptr = with_values!(Slice, inputs[*i].data, v => v.as_ptr().cast_mut().cast::<u8>());
            self.ptrs[*slot] = ptr;
        }
        for (slot, i) in &self.outputs {
            let data = &mut outputs[*i].data;
            self.ptrs[*slot] = with_values!(SliceMut, data, v => v.as_mut_ptr().cast::<u8>());
        }
        self.lock();
        // A panic in a kernel must not leave variables locked.
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.run_kernels()));
        self.locks.clear();
        match result {
            Ok(()) => Ok(()),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    fn describe(&self) -> String {
        self.plan.to_string()
    }
}
