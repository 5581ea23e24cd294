//! Checks a memory plan: every value is there when it is read, nothing that is still needed is
//! overwritten, and what is written over an operand is written element for element.

use crate::passes::fuse::Group;
use crate::passes::memory::{ALIGNMENT, Location, Plan, aligned};
use crate::passes::view::Views;
use crate::program::{Program, ValueId};
use crate::{Op, Variable};
use std::collections::HashMap;

/// A stretch of memory: which memory, first byte, end.
type Stretch = ((u8, usize), usize, usize);

/// Runs a plan with value names in place of values.
///
/// # Errors
/// What is wrong with the plan: a value read that is not there, an overlap of live values, an output
/// or a variable that does not end up with its value.
pub fn verify(plan: &Plan, program: &Program) -> Result<(), String> {
    let views = Views::of(program);
    let mut memory: Vec<(Stretch, ValueId)> = Vec::new();
    for (v, location) in &plan.locations {
        let leaf = v.index() < program.insts.len()
            && matches!(
                program.inst(*v).op,
                Op::Input(_) | Op::Variable(_) | Op::Constant(_) | Op::Full(_)
            );
        if leaf {
            memory.push((stretch(plan, *v)?, *v));
        } else if matches!(location, Location::Input(_) | Location::Constant(_)) {
            return Err(format!("%{} is written where nothing may be", v.0));
        }
    }
    // Copies made by the plan are the values they copy.
    let mut copy_of: HashMap<ValueId, ValueId> = HashMap::new();
    for (t, group) in plan.groups.iter().enumerate() {
        for v in group.reads() {
            let at = stretch(plan, v)?;
            if at.1 < at.2 && !memory.contains(&(at, v)) {
                return Err(format!("kernel {t} reads %{}, which is not at {at:?}", v.0));
            }
        }
        let writes = group.writes();
        for (k, w) in writes.iter().enumerate() {
            let at = stretch(plan, *w)?;
            for other in &writes[..k] {
                if overlap(at, stretch(plan, *other)?) {
                    return Err(format!("kernel {t} writes %{} over %{}", w.0, other.0));
                }
            }
            for r in group.reads() {
                let from = stretch(plan, r)?;
                if overlap(at, from) && (at != from || !aligned(group, r, *w)) {
                    return Err(format!(
                        "kernel {t} writes %{} over its operand %{} out of step",
                        w.0, r.0
                    ));
                }
            }
        }
        for w in &writes {
            let at = stretch(plan, *w)?;
            memory.retain(|(other, _)| !overlap(at, *other));
            memory.push((at, *w));
        }
        if let Group::Elementwise(f) = group
            && f.body.is_empty()
            && let ([from], [to]) = (&f.operands[..], &f.outputs[..])
            && to.value.index() >= program.insts.len()
        {
            let source = copy_of.get(&from.value).copied().unwrap_or(from.value);
            copy_of.insert(to.value, source);
        }
    }
    let holds = |space: (u8, usize), v: ValueId| {
        let base = views.get(v).base;
        memory.iter().any(|((at, _, _), value)| {
            *at == space && copy_of.get(value).copied().unwrap_or(*value) == base
        })
    };
    for (i, v) in program.outputs.iter().enumerate() {
        if !holds((OUTPUT, i), *v) {
            return Err(format!("output {i} does not end up with %{}", v.0));
        }
    }
    for (variable, v) in &program.updates {
        let index = plan.variables.iter().position(|(w, _)| w == variable);
        let unchanged = matches!(&program.inst(*v).op, Op::Variable(w) if w == variable);
        if !unchanged && !index.is_some_and(|i| holds((VARIABLE, i), *v)) {
            return Err(format!("{} does not end up with %{}", variable.name(), v.0));
        }
    }
    let updated = |w: &Variable| program.updates.iter().any(|(u, _)| u == w);
    for (i, (variable, flag)) in plan.variables.iter().enumerate() {
        let written = plan
            .groups
            .iter()
            .flat_map(Group::writes)
            .any(|v| plan.locations.get(&v) == Some(&Location::Variable(i)));
        if *flag != updated(variable) || (written && !flag) {
            return Err(format!("{} is written without an update", variable.name()));
        }
    }
    Ok(())
}

const OUTPUT: u8 = 1;
const VARIABLE: u8 = 2;

fn stretch(plan: &Plan, v: ValueId) -> Result<Stretch, String> {
    let (Some(ty), Some(location)) = (plan.types.get(&v), plan.locations.get(&v)) else {
        return Err(format!("%{} has no place", v.0));
    };
    let bytes = ty.shape.size() * ty.dtype.size();
    Ok(match *location {
        Location::Input(i) => ((0, i), 0, bytes),
        Location::Output(i) => ((OUTPUT, i), 0, bytes),
        Location::Variable(i) => ((VARIABLE, i), 0, bytes),
        Location::Constant(i) => ((3, i), 0, bytes),
        Location::Arena(at) if at % ALIGNMENT == 0 && at + bytes <= plan.arena => {
            ((4, 0), at, at + bytes)
        }
        Location::Arena(at) => return Err(format!("%{} lies badly at {at}", v.0)),
    })
}

fn overlap(a: Stretch, b: Stretch) -> bool {
    a.0 == b.0 && a.1 < b.2 && b.1 < a.2
}
