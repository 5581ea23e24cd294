//! When kernels run.
//!
//! A program's instructions stand in the order in which they were written: all of a gradient, and then
//! every weight's update. What a kernel reads that nothing waits for would be kept in memory until then;
//! so such a kernel runs as soon as it can, while its operands are still in the cache.

use crate::ops::Op;
use crate::order_by;
use crate::passes::fuse::Group;
use crate::passes::view::Views;
use crate::program::{Program, ValueId};
use std::collections::HashMap;

/// Moves the kernels whose results no other kernel reads as far ahead as what they read, and the old
/// values of the variables that they update, allow.
pub fn hasten(groups: Vec<Group>, program: &Program, views: &Views) -> Vec<Group> {
    let mut writer: HashMap<ValueId, usize> = HashMap::new();
    let mut readers: HashMap<ValueId, Vec<usize>> = HashMap::new();
    for (t, group) in groups.iter().enumerate() {
        writer.extend(group.writes().into_iter().map(|v| (v, t)));
        for v in group.reads() {
            readers.entry(v).or_default().push(t);
        }
    }
    // Where the old value of a variable is, by the new one.
    let mut replaced: HashMap<ValueId, Vec<ValueId>> = HashMap::new();
    for (i, inst) in program.insts.iter().enumerate() {
        if let Op::Variable(variable) = &inst.op {
            for (_, new) in program.updates.iter().filter(|(v, _)| v == variable) {
                let new = views.get(*new).base;
                replaced.entry(new).or_default().push(ValueId(i as u32));
            }
        }
    }
    let of = |v: &ValueId| readers.get(v).into_iter().flatten().copied();
    // After which kernel each one runs: a kernel that others wait for after itself.
    let mut after: Vec<usize> = (0..groups.len()).collect();
    for (t, group) in groups.iter().enumerate() {
        let writes = group.writes();
        if writes.iter().any(|v| of(v).next().is_some()) {
            continue;
        }
        let old = writes.iter().filter_map(|v| replaced.get(v)).flatten();
        let others = old.flat_map(&of).filter(|reader| *reader != t);
        let needed = group
            .reads()
            .into_iter()
            .filter_map(|v| writer.get(&v).copied());
        let before: Vec<usize> = others.chain(needed).collect();
        // Where a later kernel reads what this one replaces, its place does not matter.
        if before.iter().all(|other| *other < t) {
            after[t] = before.iter().map(|other| after[*other]).max().unwrap_or(0);
        }
    }
    let order = order_by(groups.len(), &|t| (after[t] as i64, 0));
    let mut groups: Vec<Option<Group>> = groups.into_iter().map(Some).collect();
    let in_order = order.into_iter().filter_map(|t| groups[t].take());
    in_order.collect()
}

#[cfg(test)]
mod tests {
    use crate::passes::memory::{Location, plan};
    use crate::{Array, DType, Program, Tensor, Variable, grad};

    #[test]
    fn a_weight_is_updated_when_its_gradient_is_there() {
        let weight = |name| Variable::new(name, Array::zeros(DType::F32, [4, 4]));
        let weights = ["first", "second", "third"].map(weight);
        let x = Variable::new("x", Array::zeros(DType::F32, [8, 4])).tensor();
        let layer = |x: Tensor, w: &Variable| x.matmul(w.tensor()).relu();
        let y = weights.iter().fold(x, layer);
        let tensors = weights.each_ref().map(Variable::tensor);
        let gradients = grad(&y.square().sum(), &tensors.each_ref());
        let stepped = tensors.iter().zip(gradients).map(|(w, g)| w - g * 0.1);
        let updates: Vec<_> = weights.iter().cloned().zip(stepped).collect();
        let plan = plan(&Program::trace(&[], &[], &updates).unwrap());
        let when = |variable: &Variable| {
            let index = plan.variables.iter().position(|(v, _)| v == variable);
            let place = Location::Variable(index.unwrap());
            let mut groups = plan.groups.iter();
            groups.position(|g| g.writes().iter().any(|v| plan.locations[v] == place))
        };
        // Backwards: the last layer's gradient is the first to be known.
        assert!(when(&weights[2]).unwrap() < when(&weights[0]).unwrap());
    }
}
