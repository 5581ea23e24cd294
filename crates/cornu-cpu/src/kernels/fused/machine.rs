//! The vector machine: a compiled body that runs over one block of the iteration space at a time.
//!
//! Registers are blocks of lanes in a scratch memory that stays in the L1 cache; an instruction is a
//! call of a [`Kernel`] with pointers taken from a table. Operands that lie in memory as the block needs
//! them are read in place, and the instruction that defines an output writes there. Both need whole
//! [`GRANULE`]s: what a block has beyond is run once more on copies.

use super::functions;
use super::isa::Kernel;
use super::lower::{Node, NodeOp};
use super::moves::{self, Load, Store};
use super::space::{Access, Layout};
use super::{GRANULE, Lane};
use crate::simd::Isa;
use cornu_core::ops::creation::Scalar;
use cornu_core::ops::elementwise::BinaryFn;
use cornu_core::passes::fused::Fused;
use cornu_core::program::ValueId;
use cornu_core::{DType, Error, Result, bf16, f16};
use std::collections::HashMap;

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
        NodeOp::Unary(f)
        | NodeOp::Wrapped(functions::Wrapped::OfSum(f) | functions::Wrapped::OfDifference(f)) => {
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
        NodeOp::Binary(BinaryFn::Div) | NodeOp::Pair(functions::Pair::MulDiv) => 0.12,
        NodeOp::Wrapped(functions::Wrapped::SqrtAdd) => 0.2,
        _ => 0.05,
    };
    match node.lane() {
        Lane::F64 if per_f32 > 0.05 => per_f32 * 4.0,
        Lane::F64 | Lane::I64 => per_f32 * 2.0,
        Lane::F32 | Lane::I32 => per_f32,
        Lane::U8 => per_f32 * 0.5,
    }
}

/// The table entries that have a node's value while code is built.
#[derive(Clone, Copy, Default)]
struct Where {
    /// A block of lanes.
    block: Option<u16>,
    /// One element, which fills a cell.
    splat: Option<u16>,
}

struct Builder<'a> {
    fused: &'a Fused,
    nodes: &'a [Node],
    layout: &'a Layout,
    places: &'a [Place],
    usage: Use,
    staged: bool,
    code: Code,
    hazards: Vec<(usize, usize)>,
    at: Vec<Where>,
    /// The position of the last reader of each node; `END` if it is needed after all.
    last_use: Vec<usize>,
    /// Free registers by lane size.
    free: HashMap<usize, Vec<u16>>,
    /// Registers that are given back when their node has been read for the last time.
    owned: Vec<Option<(u16, usize)>>,
    scratch_cells: usize,
    scratch_registers: Vec<(u16, usize)>,
}

const END: usize = usize::MAX;

impl<'a> Builder<'a> {
    fn new(
        fused: &'a Fused,
        nodes: &'a [Node],
        layout: &'a Layout,
        places: &'a [Place],
        usage: Use,
        staged: bool,
    ) -> Self {
        let mut last_use = vec![0; nodes.len()];
        for (i, node) in nodes.iter().enumerate() {
            node.args.iter().for_each(|a| last_use[*a] = i);
        }
        for r in fused.outputs.iter().map(|o| o.register).chain(usage.keep) {
            last_use[usize::from(r)] = END;
        }
        // Entry 0 is what instructions name that have fewer operands.
        let code = Code {
            entries: 1,
            ..Code::default()
        };
        Builder {
            fused,
            nodes,
            layout,
            places,
            usage,
            staged,
            code,
            hazards: Vec::new(),
            at: vec![Where::default(); nodes.len()],
            last_use,
            free: HashMap::new(),
            owned: vec![None; nodes.len()],
            scratch_cells: 0,
            scratch_registers: Vec::new(),
        }
    }

    fn new_entry(&mut self) -> Result<u16> {
        let entry = u16::try_from(self.code.entries)
            .map_err(|_| Error::new("A fused kernel has too many registers."))?;
        self.code.entries += 1;
        Ok(entry)
    }

    /// A cell of scratch memory. Offsets are relative to the cells until the table's size is known.
    fn new_cell(&mut self) -> Result<u16> {
        let entry = self.new_entry()?;
        self.code
            .scratch
            .push((entry, (self.scratch_cells * CELL) as u32));
        self.scratch_cells += 1;
        Ok(entry)
    }

    fn constant(&mut self, value: Scalar, dtype: DType) -> Result<u16> {
        let entry = self.new_entry()?;
        let mut cell = Cell([0; CELL]);
        let bytes: Vec<u8> = match dtype {
            DType::Bool => vec![u8::from(value.to::<bool>())],
            DType::U8 => vec![value.to::<u8>()],
            DType::I32 => value.to::<i32>().to_ne_bytes().to_vec(),
            DType::I64 => value.to::<i64>().to_ne_bytes().to_vec(),
            DType::BF16 => value.to::<bf16>().to_f32().to_ne_bytes().to_vec(),
            DType::F16 => value.to::<f16>().to_f32().to_ne_bytes().to_vec(),
            DType::F32 => value.to::<f32>().to_ne_bytes().to_vec(),
            DType::F64 => value.to::<f64>().to_ne_bytes().to_vec(),
        };
        for (to, from) in cell.0[..GRANULE * bytes.len()]
            .iter_mut()
            .zip(bytes.iter().cycle())
        {
            *to = *from;
        }
        self.code.consts.push((entry, self.code.pool.len() as u32));
        self.code.pool.push(cell);
        Ok(entry)
    }

    fn register(&mut self, lane: Lane) -> Result<u16> {
        if let Some(entry) = self.free.entry(lane.bytes()).or_default().pop() {
            return Ok(entry);
        }
        let entry = self.new_entry()?;
        self.code.registers.push((entry, lane.bytes() as u8));
        let block = self.layout.block_size().next_multiple_of(GRANULE);
        self.scratch_registers
            .push((entry, (block * lane.bytes()).next_multiple_of(64)));
        Ok(entry)
    }

    fn pointer(&mut self, place: usize, output: bool) -> Result<u16> {
        let entry = self.new_entry()?;
        let rest = [self.new_cell()?, self.new_entry()?];
        self.code.pointers.push(Pointer {
            entry,
            place,
            rest,
            output,
        });
        Ok(entry)
    }

    /// Gives back the registers of the nodes that are read for the last time at `position`.
    fn release(&mut self, args: &[usize], position: usize) {
        for a in args {
            if self.last_use[*a] <= position
                && let Some((entry, bytes)) = self.owned[*a].take()
            {
                self.free.entry(bytes).or_default().push(entry);
            }
        }
    }

    fn emit(&mut self, f: Kernel, out: u16, args: &[u16], repeats: u8, uniform: bool) {
        let mut four = [0; 4];
        four[..args.len()].copy_from_slice(args);
        let inst = Inst {
            f,
            out,
            args: four,
            repeats,
        };
        if uniform {
            self.code.uniform_insts.push(inst)
        } else {
            self.code.insts.push(inst)
        }
    }

    fn build(&mut self) -> Result<()> {
        self.operands()?;
        let direct = self.direct_outputs();
        for i in 0..self.nodes.len() {
            self.node(i, direct.get(&i).copied())?;
        }
        self.outputs(&direct)?;
        self.find_hazards(&direct);
        self.lay_out()
    }

    fn operands(&mut self) -> Result<()> {
        let nodes = self.nodes;
        let mut used = vec![false; nodes.len()];
        nodes
            .iter()
            .flat_map(|n| &n.args)
            .for_each(|a| used[*a] = true);
        for (i, node) in nodes.iter().enumerate() {
            let NodeOp::Operand(k) = node.op else {
                continue;
            };
            let at_end = self.last_use[i] == END;
            if !used[i] && !at_end {
                continue;
            }
            let access = &self.places[k].access;
            let given = self.usage.given && k == 0;
            let native = given || node.dtype.size() == node.lane().bytes();
            let single_row = self.layout.block_rows == 1 && !self.usage.tile;
            if node.uniform {
                let cell = self.new_cell()?;
                self.code.uniform_loads.push((cell, k, node.dtype));
                self.at[i].splat = Some(cell);
            } else if given {
                let entry = self.pointer(k, false)?;
                self.at[i].block = Some(entry);
                if let Some(f) = functions::round(node.dtype, self.usage.isa) {
                    let register = self.register(node.lane())?;
                    self.owned[i] = Some((register, node.lane().bytes()));
                    self.emit(f, register, &[entry], 0, false);
                    self.at[i].block = Some(register);
                }
            } else if native
                && !self.usage.tile
                && !(self.staged && at_end)
                && self.layout.is_dense(access)
            {
                self.at[i].block = Some(self.pointer(k, false)?);
            } else if native && access.col == 0 && (access.row == 0 || single_row) {
                let entry = self.new_cell()?;
                self.code.splats.push(LoadStep {
                    entry,
                    place: k,
                    f: moves::loader(node.dtype),
                });
                self.at[i].splat = Some(entry);
            } else {
                let fixed = !self.usage.tile && self.layout.is_fixed(access);
                let entry = self.register(node.lane())?;
                if !fixed {
                    self.owned[i] = Some((entry, node.lane().bytes()));
                }
                let step = LoadStep {
                    entry,
                    place: k,
                    f: moves::loader(node.dtype),
                };
                let steps = if fixed {
                    &mut self.code.fixed_loads
                } else {
                    &mut self.code.loads
                };
                steps.push(step);
                self.at[i].block = Some(entry);
            }
        }
        Ok(())
    }

    /// The outputs that are written where they are computed: node to output.
    fn direct_outputs(&self) -> HashMap<usize, usize> {
        let mut direct = HashMap::new();
        for (o, output) in self.fused.outputs.iter().enumerate() {
            let i = usize::from(output.register);
            let node = &self.nodes[i];
            let place = &self.places[self.fused.operands.len() + o];
            if !self.staged
                && !node.uniform
                && !matches!(node.op, NodeOp::Operand(_))
                && node.dtype.size() == node.lane().bytes()
                && self.layout.is_dense(&place.access)
            {
                direct.entry(i).or_insert(o);
            }
        }
        direct
    }

    /// Whether a node is there as one element only.
    fn is_splat(&self, node: usize) -> bool {
        self.at[node].block.is_none()
    }

    /// The entry for a reader that is itself one element, or one that works on blocks.
    fn entry(&self, node: usize, uniform: bool) -> Result<u16> {
        let Where { block, splat } = self.at[node];
        let entry = if uniform { splat } else { block.or(splat) };
        entry.ok_or_else(|| Error::new("A fused kernel reads a value that is not there."))
    }

    /// Makes a splat a block, for this reader and the following.
    fn spread(&mut self, node: usize) -> Result<()> {
        if let Where {
            block: None,
            splat: Some(from),
        } = self.at[node]
        {
            let lane = self.nodes[node].lane();
            let register = self.register(lane)?;
            self.owned[node] = Some((register, lane.bytes()));
            self.emit(
                functions::fill(lane, self.usage.isa),
                register,
                &[from],
                1,
                false,
            );
            self.at[node].block = Some(register);
        }
        Ok(())
    }

    fn node(&mut self, i: usize, output: Option<usize>) -> Result<()> {
        let node = &self.nodes[i];
        let isa = self.usage.isa;
        let (lane, uniform) = (node.lane(), node.uniform);
        match node.op {
            NodeOp::Operand(_) | NodeOp::Merged => return Ok(()),
            NodeOp::Const(value) => {
                self.at[i].splat = Some(self.constant(value, node.dtype)?);
                return Ok(());
            }
            _ => {}
        }
        let (args, op) = (&node.args, node.op);
        let mut repeats = 0;
        let mut entries = Vec::with_capacity(args.len());
        for (k, a) in args.iter().enumerate() {
            entries.push(self.entry(*a, uniform)?);
            repeats |= u8::from(!uniform && self.is_splat(*a)) << k;
        }
        let of = self.nodes[args[0]].lane();
        let f = match op {
            NodeOp::Unary(f) => functions::unary(f, of, isa),
            NodeOp::Binary(f) => functions::binary(f, of, isa),
            NodeOp::Pair(f) => functions::pair(f, of, isa),
            NodeOp::Wrapped(f) => functions::wrapped(f, isa),
            NodeOp::Choose(f) => functions::choose(f, of, isa),
            NodeOp::Select => Some(functions::select(lane, isa)),
            NodeOp::Cast => Some(functions::cast(of, node.dtype, isa)),
            NodeOp::Const(_) | NodeOp::Operand(_) | NodeOp::Merged => None,
        };
        let f = f.ok_or_else(|| {
            Error::dtype(format!(
                "{op:?} of {} is not supported.",
                self.nodes[args[0]].dtype
            ))
        })?;
        self.release(args, i);
        let out = if uniform {
            self.new_cell()?
        } else if let Some(o) = output {
            self.pointer(self.fused.operands.len() + o, true)?
        } else {
            let register = self.register(lane)?;
            self.owned[i] = Some((register, lane.bytes()));
            register
        };
        self.emit(f, out, &entries, repeats, uniform);
        if !is_exact(op)
            && let Some(round) = functions::round(node.dtype, isa)
        {
            self.emit(round, out, &[out], 0, uniform);
        }
        let at = &mut self.at[i];
        *(if uniform {
            &mut at.splat
        } else {
            &mut at.block
        }) = Some(out);
        if self.last_use[i] == 0 {
            // Nobody reads it.
            self.release(&[i], i);
        }
        Ok(())
    }

    /// Stores what was not written where it was computed.
    fn outputs(&mut self, direct: &HashMap<usize, usize>) -> Result<()> {
        for (o, output) in self.fused.outputs.iter().enumerate() {
            let i = usize::from(output.register);
            if direct.get(&i) == Some(&o) {
                continue;
            }
            let node = &self.nodes[i];
            let place = self.fused.operands.len() + o;
            let dense = self.layout.is_dense(&self.places[place].access) && !self.usage.tile;
            let single = self.layout.block_size() == 1;
            if self.is_splat(i)
                && !single
                && dense
                && !self.staged
                && node.dtype.size() == node.lane().bytes()
            {
                let (from, to) = (self.entry(i, false)?, self.pointer(place, true)?);
                self.emit(
                    functions::fill(node.lane(), self.usage.isa),
                    to,
                    &[from],
                    1,
                    false,
                );
                continue;
            }
            if !single {
                self.spread(i)?;
            }
            let (uniform, entry) = (self.is_splat(i), self.entry(i, false)?);
            let (f, bytes) = (moves::storer(node.dtype), node.dtype.size());
            self.code.stores.push(StoreStep {
                entry,
                place,
                f,
                uniform,
                bytes,
            });
        }
        if let Some(r) = self.usage.keep {
            let i = usize::from(r);
            self.spread(i)?;
            self.code.kept = self.entry(i, false)?;
        }
        Ok(())
    }

    /// An operand in place that is read after an output is written must not be that output's memory.
    fn find_hazards(&mut self, direct: &HashMap<usize, usize>) {
        for p in &self.code.pointers {
            if p.output || self.places[p.place].slot == GIVEN {
                continue;
            }
            for (o, output) in self.fused.outputs.iter().enumerate() {
                let i = usize::from(output.register);
                let last = self.last_use[p.place];
                let written_early = direct.get(&i) == Some(&o) || last == END;
                let from = if direct.get(&i) == Some(&o) { i } else { 0 };
                if written_early && last > from && !self.staged {
                    let slot = self.places[self.fused.operands.len() + o].slot;
                    self.hazards.push((slot, self.places[p.place].slot));
                }
            }
        }
        self.hazards.sort_unstable();
        self.hazards.dedup();
    }

    /// Places the table, the cells and the registers in the scratch memory.
    fn lay_out(&mut self) -> Result<()> {
        let words = self.code.entries + self.places.len();
        let cells = (words * size_of::<*mut u8>()).next_multiple_of(64);
        for (_, offset) in &mut self.code.scratch {
            *offset += cells as u32;
        }
        let mut at = cells + self.scratch_cells * CELL;
        for (entry, bytes) in &self.scratch_registers {
            let offset = u32::try_from(at)
                .map_err(|_| Error::new("A fused kernel needs too much scratch memory."))?;
            self.code.scratch.push((*entry, offset));
            at += bytes;
        }
        self.code.bytes = at;
        Ok(())
    }
}

/// Whether the result is one of the operands or needs no more digits than they have.
fn is_exact(op: NodeOp) -> bool {
    use cornu_core::ops::elementwise::UnaryFn::*;
    match op {
        NodeOp::Unary(f) => matches!(f, Neg | Abs | Sign | Relu | Floor | Ceil | Round),
        NodeOp::Binary(f) => matches!(f, BinaryFn::Max | BinaryFn::Min),
        NodeOp::Select | NodeOp::Choose(_) => true,
        _ => false,
    }
}
