//! What operations keep for a way back that no one takes is not made.

use crate::ops::Op;
use crate::ops::movement::SliceOp;
use crate::program::Program;

/// Replaces every operation that keeps a tape of which only the first part is read.
pub fn leave_out(mut program: Program) -> Program {
    for i in 0..program.insts.len() {
        let inst = &program.insts[i];
        let Some(op) = inst.op.rules().and_then(|rules| rules.without_tape()) else {
            continue;
        };
        let types: Vec<_> = inst
            .args
            .iter()
            .map(|a| program.inst(*a).ty.clone())
            .collect();
        let Some(Ok(ty)) = op.rules().map(|rules| rules.infer(&types)) else {
            continue;
        };
        if !is_read_beyond(&program, i, ty.shape[0]) {
            let inst = &mut program.insts[i];
            (inst.op, inst.ty) = (op, ty);
        }
    }
    program
}

/// Whether more of an instruction's result is read than its first `rows` rows.
fn is_read_beyond(program: &Program, i: usize, rows: usize) -> bool {
    let updates = program.updates.iter().map(|(_, v)| v);
    if program
        .outputs
        .iter()
        .chain(updates)
        .any(|v| v.index() == i)
    {
        return true;
    }
    let users = program.insts.iter();
    let mut users = users.filter(|inst| inst.args.iter().any(|a| a.index() == i));
    users.any(|user| match &user.op {
        Op::SliceOp(SliceOp { start, len, step }) => start[0] != 0 || step[0] != 1 || len[0] > rows,
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::attention::{Attention, Kept, attention};
    use crate::{DType, Tensor, grad};

    /// What the program of these outputs keeps.
    fn kept(outputs: impl Fn(&[Tensor]) -> Vec<Tensor>) -> Kept {
        let shape = [2, 3, 2, 4];
        let x: Vec<Tensor> = (0..3)
            .map(|i| Tensor::input(i, shape, DType::F32))
            .collect();
        let types: Vec<_> = x.iter().map(|x| x.ty().clone()).collect();
        let program = Program::trace(&types, &outputs(&x), &[]).unwrap();
        let found = program.insts.iter().find_map(|inst| match inst.op {
            Op::Attention(Attention { kept, .. }) => Some(kept),
            _ => None,
        });
        found.unwrap()
    }

    #[test]
    fn a_tape_is_kept_where_it_is_read() {
        let run = |x: &[Tensor]| attention(&x[0], &x[1], &x[2], None, false);
        assert_eq!(kept(|x| vec![run(x)]), Kept::Nothing);
        assert_eq!(kept(|x| grad(&run(x).sum(), &[&x[0]])), Kept::Shares);
    }
}
