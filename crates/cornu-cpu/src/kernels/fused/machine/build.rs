//! Writing a machine's code: which table entry holds what, and when.

use super::{CELL, Cell, Code, GIVEN, Inst, LoadStep, Place, Pointer, StoreStep, Use};
use crate::kernels::fused::isa::Kernel;
use crate::kernels::fused::lower::{Node, NodeOp};
use crate::kernels::fused::moves;
use crate::kernels::fused::space::Layout;
use crate::kernels::fused::{GRANULE, Lane, combined, functions};
use cornu_core::ops::creation::Scalar;
use cornu_core::ops::elementwise::BinaryFn;
use cornu_core::passes::fused::Fused;
use cornu_core::{DType, Error, Result, bf16, f16};
use std::collections::HashMap;

/// The table entries that have a node's value while code is built.
#[derive(Clone, Copy, Default)]
struct Where {
    /// A block of lanes.
    block: Option<u16>,
    /// One element, which fills a cell.
    splat: Option<u16>,
}

/// Code in the making, and the table entries and registers given out so far.
pub(super) struct Builder<'a> {
    fused: &'a Fused,
    nodes: &'a [Node],
    layout: &'a Layout,
    places: &'a [Place],
    usage: Use,
    staged: bool,
    pub code: Code,
    pub hazards: Vec<(usize, usize)>,
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
    pub fn new(
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

    pub fn build(&mut self) -> Result<()> {
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
            NodeOp::Pair(f) => combined::pair(f, of, isa),
            NodeOp::Triple(f) => combined::triple(f, of, isa),
            NodeOp::Wrapped(f) => combined::wrapped(f, isa),
            NodeOp::Choose(f) => combined::choose(f, of, isa),
            NodeOp::Select => Some(combined::select(lane, isa)),
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
