//! The vector machine: a compiled body that runs over one block of the iteration space at a time.
//!
//! Registers are blocks of lanes in a scratch memory that stays in the L1 cache; an instruction is a
//! call of a [`Kernel`] with pointers taken from a table. Operands that lie in memory as the block needs
//! them are read in place, and the instruction that defines an output writes there. Both need whole
//! [`GRANULE`]s: what a block has beyond is run once more on copies.

mod build;

use super::combined::{Pair, Triple, Wrapped};
use super::isa::Kernel;
use super::lower::{Node, NodeOp};
use super::moves::{self, Load, Store};
use super::space::{Access, Layout};
use super::{GRANULE, Lane};
use crate::simd::Isa;
use build::Builder;
use cornu_core::ops::elementwise::BinaryFn;
use cornu_core::passes::fused::Fused;
use cornu_core::program::ValueId;
use cornu_core::{DType, Error, Result};

/// The slot of the operand that is not in the pointer table but given with each call.
pub(crate) const GIVEN: usize = usize::MAX;

/// A slot's worth of one value, for the instructions that are the same at every element and for the rest
/// of a block.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Cell([u8; CELL]);
const CELL: usize = GRANULE * 8;

/// One instruction: a kernel, the table entries of its result and operands, and the bits of the
/// operands that repeat.
#[derive(Clone, Copy)]
struct Inst {
    f: Kernel,
    out: u16,
    args: [u16; 4],
    repeats: u8,
}

/// Where an operand or output starts, and its way through the space.
struct Place {
    slot: usize,
    bytes: usize,
    offset: usize,
    access: Access,
}

/// An operand or output that is pointed to where it lies.
struct Pointer {
    entry: u16,
    place: usize,
    /// The entries of the cell for the rest of a block and of the address kept meanwhile.
    rest: [u16; 2],
    /// Whether it is written.
    output: bool,
}

/// An operand that is brought into a register.
struct LoadStep {
    entry: u16,
    place: usize,
    f: Load,
}

/// A register that is brought to an output.
struct StoreStep {
    entry: u16,
    place: usize,
    f: Store,
    /// Whether the register is one element.
    uniform: bool,
    bytes: usize,
}

/// Code for a block.
#[derive(Default)]
struct Code {
    pointers: Vec<Pointer>,
    /// One element to a cell, once per block.
    splats: Vec<LoadStep>,
    /// Loads once per run, and once per block.
    fixed_loads: Vec<LoadStep>,
    loads: Vec<LoadStep>,
    /// One element to a cell, once per run: entry, place, type.
    uniform_loads: Vec<(u16, usize, DType)>,
    uniform_insts: Vec<Inst>,
    insts: Vec<Inst>,
    stores: Vec<StoreStep>,
    /// Table entries of constants and scratch: entry and index of the constant, entry and byte offset.
    consts: Vec<(u16, u32)>,
    scratch: Vec<(u16, u32)>,
    /// Entries of registers and the bytes of their lanes: what moves on for the rest of a block.
    registers: Vec<(u16, u8)>,
    entries: usize,
    pool: Vec<Cell>,
    bytes: usize,
    /// The entry of the register to keep.
    kept: u16,
}

/// How a machine is to be used.
#[derive(Clone, Copy)]
pub(crate) struct Use {
    /// The instruction set to compile for.
    pub isa: Isa,
    /// A register whose block is wanted besides the outputs.
    pub keep: Option<u16>,
    /// Whether operand 0 is not in the pointer table but given with each call.
    pub given: bool,
    /// Whether blocks are rectangles anywhere in the last two axes; operands are then always loaded
    /// and outputs stored.
    pub tile: bool,
}

/// A body compiled for blocks of one layout.
pub(crate) struct Machine {
    places: Vec<Place>,
    /// Outputs are written where they are computed.
    direct: Code,
    /// Outputs are stored when all is computed: for when an operand that is read after that is the
    /// same memory. None if that cannot be.
    staged: Option<Code>,
    /// Slots of outputs and of operands that must not be the same memory in `direct`.
    hazards: Vec<(usize, usize)>,
    /// Nanoseconds per element and per block, roughly.
    cost: (f64, f64),
}

impl Machine {
    /// Compiles a body. `accesses`: of every operand, then of the outputs (all alike).
    pub fn compile(
        fused: &Fused,
        nodes: &[Node],
        slot: &dyn Fn(ValueId) -> usize,
        layout: &Layout,
        accesses: &[Access],
        usage: Use,
    ) -> Result<Machine> {
        let mut places: Vec<Place> = Vec::new();
        for (k, (operand, access)) in fused.operands.iter().zip(accesses).enumerate() {
            let given = usage.given && k == 0;
            let slot = if given { GIVEN } else { slot(operand.value) };
            // What is given is in lanes.
            let bytes = if given {
                Lane::of(operand.dtype).bytes()
            } else {
                operand.dtype.size()
            };
            places.push(Place {
                slot,
                bytes,
                offset: operand.offset,
                access: access.clone(),
            });
        }
        let out_access = accesses
            .last()
            .ok_or_else(|| Error::new("A kernel without accesses."))?;
        for output in &fused.outputs {
            let bytes = fused.dtype(output.register).size();
            let slot = slot(output.value);
            places.push(Place {
                slot,
                bytes,
                offset: 0,
                access: out_access.clone(),
            });
        }
        let build = |staged: bool| {
            let mut b = Builder::new(fused, nodes, layout, &places, usage, staged);
            b.build()?;
            Ok::<_, Error>((b.code, b.hazards))
        };
        let (direct, hazards) = build(usage.tile)?;
        let staged = if hazards.is_empty() {
            None
        } else {
            Some(build(true)?.0)
        };
        let cost = (
            nodes
                .iter()
                .filter(|n| !n.uniform)
                .map(node_cost)
                .sum::<f64>()
                + 0.03 * (direct.loads.len() + direct.stores.len()) as f64,
            5.0 + 3.0 * direct.insts.len() as f64,
        );
        Ok(Machine {
            places,
            direct,
            staged,
            hazards,
            cost,
        })
    }

    /// Bytes of scratch memory, to be aligned to 64.
    pub fn scratch_bytes(&self) -> usize {
        self.staged
            .iter()
            .map(|c| c.bytes)
            .fold(self.direct.bytes, usize::max)
    }

    /// Nanoseconds for so many elements in so many blocks.
    pub fn cost_ns(&self, elements: usize, blocks: usize) -> f64 {
        20.0 + self.cost.0 * elements as f64 + self.cost.1 * blocks as f64
    }

    /// Prepares a run: the table, and everything that is the same for all blocks.
    ///
    /// # Safety
    /// As for [`Run::block`].
    #[inline]
    pub unsafe fn begin<'a>(
        &'a self,
        ptrs: &'a [*mut u8],
        given: *const u8,
        scratch: *mut u8,
    ) -> Run<'a> {
        let mut code = &self.direct;
        if let Some(staged) = &self.staged
            && self.hazards.iter().any(|(o, x)| ptrs[*o] == ptrs[*x])
        {
            code = staged;
        }
        let table = scratch.cast::<*mut u8>();
        // SAFETY: the caller vouches for the scratch and for the pointers; `compile` laid out the
        // offsets within them.
        unsafe {
            let bases = table.add(code.entries).cast::<isize>();
            for (entry, index) in &code.consts {
                let cell = code.pool.as_ptr().add(*index as usize);
                table.add(usize::from(*entry)).write(cell.cast_mut().cast());
            }
            for (entry, offset) in &code.scratch {
                table
                    .add(usize::from(*entry))
                    .write(scratch.add(*offset as usize));
            }
            let run = Run {
                machine: self,
                code,
                ptrs,
                given: given.cast_mut(),
                table,
                bases,
            };
            for (k, place) in self.places.iter().enumerate() {
                bases.add(k).write(place.offset as isize);
            }
            for (entry, place, dtype) in &code.uniform_loads {
                let src = run.address(*place, 0, 0);
                let dst = run.entry(*entry);
                moves::loader(*dtype)(dst, src, 1, GRANULE, 0, 0);
            }
            for inst in &code.uniform_insts {
                run.exec(inst, GRANULE);
            }
            run
        }
    }
}

/// A machine at work.
pub(crate) struct Run<'a> {
    machine: &'a Machine,
    code: &'a Code,
    ptrs: &'a [*mut u8],
    given: *mut u8,
    table: *mut *mut u8,
    bases: *mut isize,
}

impl Run<'_> {
    #[inline(always)]
    unsafe fn entry(&self, entry: u16) -> *mut u8 {
        // SAFETY: within the table that `begin` filled.
        unsafe { *self.table.add(usize::from(entry)) }
    }

    #[inline(always)]
    unsafe fn index(&self, place: usize, row: usize, col: usize) -> isize {
        let access = &self.machine.places[place].access;
        // SAFETY: one base per place.
        let base = unsafe { *self.bases.add(place) };
        base + row as isize * access.row + col as isize * access.col
    }

    #[inline(always)]
    unsafe fn address(&self, place: usize, row: usize, col: usize) -> *mut u8 {
        let p = &self.machine.places[place];
        let start = if p.slot == GIVEN {
            self.given
        } else {
            self.ptrs[p.slot]
        };
        // SAFETY: an element of the operand, by the caller's promise.
        unsafe { start.offset(self.index(place, row, col) * p.bytes as isize) }
    }

    #[inline(always)]
    unsafe fn exec(&self, inst: &Inst, n: usize) {
        let [a, b, c, d] = inst.args;
        // SAFETY: entries of the table, set as the kernel needs them.
        unsafe {
            (inst.f)(
                self.entry(inst.out),
                self.entry(a),
                self.entry(b),
                self.entry(c),
                self.entry(d),
                n,
                inst.repeats,
            );
        }
    }

    /// Sets the position along the axes that are counted through, and loads what stays for all blocks
    /// (so it has to be called before the first block).
    ///
    /// # Safety
    /// See [`Run::block`].
    pub unsafe fn seek(&self, outer: &[usize]) {
        for (k, place) in self.machine.places.iter().enumerate() {
            let along: isize = outer
                .iter()
                .zip(&place.access.outer)
                .map(|(i, s)| *i as isize * s)
                .sum();
            // SAFETY: one base per place.
            unsafe { self.bases.add(k).write(place.offset as isize + along) };
        }
    }

    /// Loads what stays for all blocks, of `rows` × `cols`.
    ///
    /// # Safety
    /// See [`Run::block`].
    pub unsafe fn load_fixed(&self, rows: usize, cols: usize) {
        for step in &self.code.fixed_loads {
            // SAFETY: by the caller's promise.
            unsafe { self.load(step, 0, 0, rows, cols) };
        }
    }

    #[inline(always)]
    unsafe fn load(&self, step: &LoadStep, row: usize, col: usize, rows: usize, cols: usize) {
        let access = &self.machine.places[step.place].access;
        // SAFETY: the register holds a block; the operand's elements are valid by the caller's promise.
        unsafe {
            let dst = self.entry(step.entry);
            let src = self.address(step.place, row, col);
            (step.f)(dst, src, rows, cols, access.row, access.col);
        }
    }

    /// Runs the block of `rows` × `cols` at (`row`, `col`).
    ///
    /// # Safety
    /// The pointers are valid and aligned for every element that the operands and outputs have in the
    /// space; an output is the memory of an operand with the same strides, or overlaps none; the scratch
    /// has [`Machine::scratch_bytes`], aligned to 64, initialised, and used by nobody else; the block
    /// lies within the space and is no larger than the layout's.
    #[inline]
    pub unsafe fn block(&self, row: usize, col: usize, rows: usize, cols: usize) {
        // SAFETY: by the caller's promise.
        unsafe {
            for p in &self.code.pointers {
                let address = self.address(p.place, row, col);
                self.table.add(usize::from(p.entry)).write(address);
            }
            self.compute(row, col, rows, cols);
        }
    }

    /// As [`Run::block`], for a machine whose operand 0 is given: its block is at `given`, dense.
    ///
    /// # Safety
    /// See [`Run::block`].
    #[inline]
    pub unsafe fn block_of(
        &self,
        given: *const u8,
        row: usize,
        col: usize,
        rows: usize,
        cols: usize,
    ) {
        // SAFETY: by the caller's promise; in a tile nothing else is pointed to.
        unsafe {
            for p in &self.code.pointers {
                let own = self.machine.places[p.place].slot == GIVEN;
                let address = if own {
                    given.cast_mut()
                } else {
                    self.address(p.place, row, col)
                };
                self.table.add(usize::from(p.entry)).write(address);
            }
            self.compute(row, col, rows, cols);
        }
    }

    #[inline(always)]
    unsafe fn compute(&self, row: usize, col: usize, rows: usize, cols: usize) {
        let n = rows * cols;
        let whole = n / GRANULE * GRANULE;
        // SAFETY: by the caller's promise.
        unsafe {
            for step in &self.code.splats {
                let src = self.address(step.place, row, col);
                (step.f)(self.entry(step.entry), src, 1, GRANULE, 0, 0);
            }
            for step in &self.code.loads {
                self.load(step, row, col, rows, cols);
            }
            if whole > 0 {
                for inst in &self.code.insts {
                    self.exec(inst, whole);
                }
            }
            if whole < n {
                self.rest(whole, n - whole);
            }
            for s in &self.code.stores {
                let place = &self.machine.places[s.place];
                let mut dst = self.address(s.place, row, col);
                let ld = place.access.row as usize;
                if s.uniform {
                    // One element at a time, from the cell.
                    for _ in 0..rows {
                        for c in 0..cols {
                            (s.f)(self.entry(s.entry), dst.add(c * s.bytes), 1, 1, 1);
                        }
                        dst = dst.wrapping_add(ld * s.bytes);
                    }
                } else {
                    (s.f)(self.entry(s.entry), dst, rows, cols, ld);
                }
            }
        }
    }

    /// Runs the last `n` < [`GRANULE`] elements of a block, which follow `done` others, on copies.
    #[cold]
    #[inline(never)]
    unsafe fn rest(&self, done: usize, n: usize) {
        let (code, table) = (self.code, self.table);
        // SAFETY: the copies are of the block's own elements; registers have whole granules.
        unsafe {
            for p in &code.pointers {
                let [cell, saved] = p.rest;
                let bytes = self.machine.places[p.place].bytes;
                let (at, cell) = (self.entry(p.entry), self.entry(cell));
                if !p.output {
                    copy_small(at.add(done * bytes), cell, n * bytes);
                }
                table.add(usize::from(saved)).write(at);
                table.add(usize::from(p.entry)).write(cell);
            }
            for (entry, bytes) in &code.registers {
                let at = self.entry(*entry);
                table
                    .add(usize::from(*entry))
                    .write(at.add(done * usize::from(*bytes)));
            }
            for inst in &code.insts {
                self.exec(inst, GRANULE);
            }
            for (entry, bytes) in &code.registers {
                let at = self.entry(*entry);
                table
                    .add(usize::from(*entry))
                    .write(at.sub(done * usize::from(*bytes)));
            }
            for p in &code.pointers {
                let [cell, saved] = p.rest;
                let bytes = self.machine.places[p.place].bytes;
                let at = self.entry(saved);
                if p.output {
                    copy_small(self.entry(cell), at.add(done * bytes), n * bytes);
                }
                table.add(usize::from(p.entry)).write(at);
            }
        }
    }

    /// The block of the register to keep, after [`Run::block`].
    #[inline]
    pub unsafe fn kept(&self) -> *const u8 {
        // SAFETY: an entry of the table.
        unsafe { self.entry(self.code.kept) }
    }
}

/// Copies less than a [`Cell`], by words where it can.
///
/// # Safety
/// Valid for `bytes`; no overlap.
#[inline(always)]
unsafe fn copy_small(src: *const u8, dst: *mut u8, bytes: usize) {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut i = 0;
        while i + 4 <= bytes {
            dst.add(i)
                .cast::<u32>()
                .write_unaligned(src.add(i).cast::<u32>().read_unaligned());
            i += 4;
        }
        while i < bytes {
            dst.add(i).write(src.add(i).read());
            i += 1;
        }
    }
}

/// Nanoseconds per element in the L1 cache, measured on a 2.6 to 3.7 GHz Zen 4 with AVX-512.
fn node_cost(node: &Node) -> f64 {
    use cornu_core::ops::elementwise::UnaryFn::*;
    let per_f32 = match node.op {
        NodeOp::Const(_) | NodeOp::Merged => return 0.0,
        NodeOp::Operand(_) => 0.02,
        NodeOp::Unary(f) | NodeOp::Wrapped(Wrapped::OfSum(f) | Wrapped::OfDifference(f)) => {
            match f {
                Exp | Log | Sigmoid | Rsqrt | Sqrt => 0.2,
                Expm1 | Log1p | Tanh | Erf => 0.3,
                Sin | Cos | Tan | Asin | Acos | Atan | Sinh | Cosh | Asinh | Acosh | Atanh
                | ErfInv => 1.0,
                _ => 0.04,
            }
        }
        NodeOp::Binary(BinaryFn::Rem) => 4.0,
        NodeOp::Binary(BinaryFn::Pow | BinaryFn::Atan2) => 1.5,
        NodeOp::Binary(BinaryFn::Div) | NodeOp::Pair(Pair::MulDiv) => 0.12,
        NodeOp::Triple(Triple::SubMulDiv) => 0.14,
        NodeOp::Wrapped(Wrapped::SqrtAdd) => 0.2,
        _ => 0.05,
    };
    match node.lane() {
        Lane::F64 if per_f32 > 0.05 => per_f32 * 4.0,
        Lane::F64 | Lane::I64 => per_f32 * 2.0,
        Lane::F32 | Lane::I32 => per_f32,
        Lane::U8 => per_f32 * 0.5,
    }
}
