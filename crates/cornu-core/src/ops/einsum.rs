//! Sums of products by Einstein's convention, made of transpositions and matrix products.

use crate::{Error, Result, Shape, Tensor};
use std::collections::HashMap;
use std::panic::Location;

/// The name of an axis: a letter, or one of those that an ellipsis stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Label {
    Letter(char),
    /// Counted from the last, for ellipses align at their ends.
    Elided(usize),
}

/// A tensor whose axes have names.
#[derive(Clone, Debug)]
struct Labelled {
    tensor: Tensor,
    labels: Vec<Label>,
}

/// An equation's operands and result as they are written.
#[derive(Debug)]
struct Equation {
    operands: Vec<String>,
    result: Option<String>,
}

impl Equation {
    fn parse(text: &str) -> Result<Equation> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (left, result) = match text.split_once("->") {
            Some((left, right)) => (left, Some(right.to_string())),
            None => (&text[..], None),
        };
        let operands: Vec<String> = left.split(',').map(str::to_string).collect();
        for part in operands.iter().chain(&result) {
            let letters = part.replacen("...", "", 1);
            if !letters.chars().all(|c| c.is_ascii_alphabetic()) {
                return Err(Error::new(format!(
                    "einsum: an operand is written in letters and at most one ellipsis. Received: \
                     \"{text}\"."
                )));
            }
        }
        Ok(Equation { operands, result })
    }
}

/// The names in a part of an equation whose ellipsis, if there is one, stands for so many axes.
fn labels(part: &str, elided: usize) -> Vec<Label> {
    let letters = |s: &str| s.chars().map(Label::Letter).collect::<Vec<_>>();
    match part.split_once("...") {
        None => letters(part),
        Some((before, after)) => {
            let middle = (0..elided).rev().map(Label::Elided);
            letters(before)
                .into_iter()
                .chain(middle)
                .chain(letters(after))
                .collect()
        }
    }
}

impl Labelled {
    /// An operand with its names; each axis has one, and no two have the same.
    fn new(part: &str, tensor: &Tensor) -> Result<Labelled> {
        let letters = part.replacen("...", "", 1).len();
        let rank = tensor.rank();
        let fits = if part.contains("...") {
            letters <= rank
        } else {
            letters == rank
        };
        if !fits {
            return Err(Error::shape(format!(
                "einsum: the operand \"{part}\" has {letters} named axes. Received: shape {}.",
                tensor.shape()
            )));
        }
        let labels = labels(part, rank - letters);
        let twice = |(i, l): (usize, &Label)| labels[..i].contains(l);
        if labels.iter().enumerate().any(twice) {
            return Err(Error::new(format!(
                "einsum: no axis is named twice in one operand. Received: \"{part}\"."
            )));
        }
        Ok(Labelled {
            tensor: tensor.clone(),
            labels,
        })
    }

    fn has(&self, label: &Label) -> bool {
        self.labels.contains(label)
    }

    fn extent(&self, label: &Label) -> Option<usize> {
        let at = self.labels.iter().position(|l| l == label)?;
        Some(self.tensor.shape()[at])
    }

    /// The sum over every axis that `keep` does not want.
    fn sum_but(self, keep: impl Fn(&Label) -> bool) -> Labelled {
        let gone = |(_, l): &(usize, &Label)| !keep(l);
        let axes: Vec<isize> = self
            .labels
            .iter()
            .enumerate()
            .filter(gone)
            .map(|(i, _)| i as isize)
            .collect();
        if axes.is_empty() {
            return self;
        }
        Labelled {
            tensor: self.tensor.sum_axes(&axes, false),
            labels: self.labels.iter().copied().filter(|l| keep(l)).collect(),
        }
    }

    /// The axes in the order of `labels`, with one of extent 1 for each that is missing.
    #[track_caller]
    fn aligned(&self, labels: &[Label]) -> Tensor {
        let place = |l: &Label| self.labels.iter().position(|own| own == l);
        let order: Vec<usize> = labels.iter().filter_map(place).collect();
        let extents = labels.iter().map(|l| self.extent(l).unwrap_or(1));
        self.tensor
            .transpose(&order)
            .reshape(extents.collect::<Shape>())
    }

    /// The tensor as a stack of matrices, `rows` by `columns`; its memory is not moved if one of the
    /// two orders is how it lies.
    #[track_caller]
    fn matrices(&self, batch: &[Label], rows: &[Label], columns: &[Label]) -> Tensor {
        let size = |labels: &[Label]| labels.iter().filter_map(|l| self.extent(l)).product();
        let (b, m, n): (usize, usize, usize) = (size(batch), size(rows), size(columns));
        let stack = |a: usize, c: usize| match batch {
            [] => Shape::from([a, c]),
            _ => Shape::from([b, a, c]),
        };
        let across = [batch, columns, rows].concat();
        if self.labels == across {
            return self.tensor.reshape(stack(n, m)).t();
        }
        let along = [batch, rows, columns].concat();
        self.aligned(&along).reshape(stack(m, n))
    }
}

/// Two operands as one: summed over what nobody `wants`, with the axes of `order` first where there is
/// a choice.
#[track_caller]
fn contract(
    a: Labelled,
    b: Labelled,
    order: &[Label],
    wanted: &dyn Fn(&Label) -> bool,
) -> Labelled {
    let a = a.sum_but(|l| b.has(l) || wanted(l));
    let b = b.sum_but(|l| a.has(l) || wanted(l));
    let of = |x: &Labelled, keep: &dyn Fn(&Label) -> bool| -> Vec<Label> {
        x.labels.iter().copied().filter(|l| keep(l)).collect()
    };
    let batch = of(&a, &|l| b.has(l) && wanted(l));
    let inner = of(&a, &|l| b.has(l) && !wanted(l));
    let (left, right) = (of(&a, &|l| !b.has(l)), of(&b, &|l| !a.has(l)));
    if inner.is_empty() || (left.is_empty() && right.is_empty()) {
        let mut all = [batch, left, right].concat();
        all.sort_by_key(|l| order.iter().position(|o| o == l));
        all.extend(inner);
        let product = a.aligned(&all) * b.aligned(&all);
        let labels = all;
        return Labelled {
            tensor: product,
            labels,
        }
        .sum_but(wanted);
    }
    // The result lies as it is wanted if the side whose axes come last is the second factor.
    let last = |labels: &[Label]| {
        let places = labels.iter().map(|l| order.iter().position(|o| o == l));
        places.max().flatten()
    };
    let (a, b, left, right) = if last(&left) > last(&right) && !right.is_empty() {
        (b, a, right, left)
    } else {
        (a, b, left, right)
    };
    let extents: Shape = batch
        .iter()
        .chain(&left)
        .chain(&right)
        .filter_map(|l| a.extent(l).into_iter().chain(b.extent(l)).max())
        .collect();
    let product = a
        .matrices(&batch, &left, &inner)
        .matmul(b.matrices(&batch, &inner, &right));
    Labelled {
        tensor: product.reshape(extents),
        labels: [batch, left, right].concat(),
    }
}

impl Tensor {
    /// The sum of products that `equation` names, as NumPy's and Keras' `einsum`: every axis has a
    /// letter, those that the result does not name are summed, and `...` stands for any axes, which
    /// broadcast. Without `->` the result has the letters that occur once, in alphabetical order. No
    /// letter occurs twice in one operand.
    ///
    /// Two operands become one matrix product (or, where nothing is summed, an element-wise one).
    ///
    /// ```
    /// use cornu_core::{DType, Tensor};
    /// let (x, kernel) = (Tensor::zeros([7, 2, 3], DType::F32), Tensor::zeros([3, 5], DType::F32));
    /// let y = Tensor::einsum("...x,xy->...y", &[&x, &kernel]);
    /// assert_eq!(y.shape().dims(), [7, 2, 5]);
    /// let e = Tensor::einsum("ab,bc->ac", &[&x, &kernel]).check().unwrap_err();
    /// assert!(e.to_string().contains("\"ab\" has 2 named axes. Received: shape (7, 2, 3)"));
    /// ```
    #[track_caller]
    pub fn einsum(equation: &str, operands: &[&Tensor]) -> Tensor {
        match einsum(equation, operands) {
            Ok(y) => y,
            Err(e) => Tensor::failed(e, operands, Location::caller()),
        }
    }
}

#[track_caller]
fn einsum(equation: &str, operands: &[&Tensor]) -> Result<Tensor> {
    let parsed = Equation::parse(equation)?;
    if parsed.operands.len() != operands.len() {
        return Err(Error::new(format!(
            "einsum: \"{equation}\" has {} operands. Received: {}.",
            parsed.operands.len(),
            operands.len()
        )));
    }
    let named: Vec<Labelled> = parsed
        .operands
        .iter()
        .zip(operands)
        .map(|(part, tensor)| Labelled::new(part, tensor))
        .collect::<Result<_>>()?;

    let mut extents: HashMap<Label, usize> = HashMap::new();
    let mut seen: Vec<Label> = Vec::new();
    for (label, n) in named
        .iter()
        .flat_map(|x| x.labels.iter().zip(x.tensor.shape().iter()))
    {
        seen.push(*label);
        let known = extents.entry(*label).or_insert(*n);
        match (label, *known == *n) {
            (_, true) => {}
            (Label::Elided(_), false) if *known == 1 => *known = *n,
            (Label::Elided(_), false) if *n == 1 => {}
            _ => {
                return Err(Error::shape(format!(
                    "einsum: an axis of \"{equation}\" has two extents. Received: {known} and {n}."
                )));
            }
        }
    }
    let elided = seen.iter().filter_map(|l| match l {
        Label::Elided(i) => Some(i + 1),
        Label::Letter(_) => None,
    });
    let elided = elided.max().unwrap_or(0);
    let result = match &parsed.result {
        Some(part) => labels(part, elided),
        None => {
            let once = |l: &Label| seen.iter().filter(|s| *s == l).count() == 1;
            let mut letters: Vec<char> = seen
                .iter()
                .filter(|l| once(l))
                .filter_map(|l| match l {
                    Label::Letter(c) => Some(*c),
                    Label::Elided(_) => None,
                })
                .collect();
            letters.sort_unstable();
            let elided = (0..elided).rev().map(Label::Elided);
            elided
                .chain(letters.into_iter().map(Label::Letter))
                .collect()
        }
    };
    let twice = |(i, l): (usize, &Label)| result[..i].contains(l);
    if result.iter().any(|l| !extents.contains_key(l)) || result.iter().enumerate().any(twice) {
        return Err(Error::new(format!(
            "einsum: the result of \"{equation}\" must name axes of the operands, each once."
        )));
    }

    // Elided axes of extent 1 are stretched, so that from here on an axis has one extent.
    let mut rest = named.into_iter().map(|x| {
        let full: Shape = x.labels.iter().map(|l| extents[l]).collect();
        Labelled {
            tensor: x.tensor.broadcast_to(full),
            labels: x.labels,
        }
    });
    let Some(mut sum) = rest.next() else {
        return Err(Error::new("einsum needs an operand."));
    };
    let rest: Vec<Labelled> = rest.collect();
    for (i, next) in rest.iter().enumerate() {
        let later = |l: &Label| rest[i + 1..].iter().any(|x| x.has(l));
        let wanted = |l: &Label| result.contains(l) || later(l);
        sum = contract(sum, next.clone(), &result, &wanted);
    }
    Ok(sum.sum_but(|l| result.contains(l)).aligned(&result))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Array, Device, Reference};

    /// The meaning of an equation without ellipsis, by one loop over all axes.
    fn plain(equation: &str, operands: &[Array]) -> Array {
        let (left, right) = equation.split_once("->").unwrap();
        let parts: Vec<&str> = left.split(',').collect();
        let mut letters: Vec<char> = Vec::new();
        let mut extents: Vec<usize> = Vec::new();
        for (part, x) in parts.iter().zip(operands) {
            for (c, n) in part.chars().zip(x.shape().iter()) {
                if !letters.contains(&c) {
                    letters.push(c);
                    extents.push(*n);
                }
            }
        }
        let place = |part: &str, shape: &[usize], index: &[usize]| {
            part.chars().zip(shape).fold(0, |flat, (c, n)| {
                flat * n + index[letters.iter().position(|l| *l == c).unwrap()]
            })
        };
        let shape: Vec<usize> = right
            .chars()
            .map(|c| extents[letters.iter().position(|l| *l == c).unwrap()])
            .collect();
        let mut y = vec![0.0f64; shape.iter().product()];
        let values: Vec<Vec<f64>> = operands.iter().map(Array::to_vec).collect();
        for flat in 0..extents.iter().product::<usize>() {
            let mut rest = flat;
            let mut index: Vec<usize> = extents
                .iter()
                .rev()
                .map(|n| {
                    let i = rest % n;
                    rest /= n;
                    i
                })
                .collect();
            index.reverse();
            let factors = parts.iter().zip(operands).zip(&values);
            let product: f64 = factors
                .map(|((part, x), v)| v[place(part, x.shape(), &index)])
                .product();
            y[place(right, &shape, &index)] += product;
        }
        Array::from_vec(shape, y).unwrap()
    }

    fn operand(shape: &[usize], step: i64) -> Array {
        let n: usize = shape.iter().product();
        let values: Vec<f64> = (0..n as i64).map(|i| ((i * step) % 7 - 3) as f64).collect();
        Array::from_vec(shape.to_vec(), values).unwrap()
    }

    #[test]
    fn every_way_to_contract() {
        let device = Device::new(Reference);
        for equation in [
            "ab,bc->ac",
            "ab,bc->ca",
            "ab,cb->ac",
            "ba,bc->ac",
            "abc,cd->abd",
            "abc,cd->adb",
            "abc,cde->abde",
            "abcd,cde->abe",
            "abcd,dce->abe",
            "abc,acd->abd",
            "abc,abd->acd",
            "abc,abc->ab",
            "ab,ab->ab",
            "a,b->ab",
            "a,b->ba",
            "ab,c->",
            "abc,bd->dc",
            "aecd,abcd->acbe",
            "ab,bc,cd->da",
            "abc->ca",
        ] {
            let left = equation.split_once("->").unwrap().0;
            let extent = |c: char| 2 + (c as usize - 'a' as usize) % 4;
            let arrays: Vec<Array> = left
                .split(',')
                .zip([5, 3, 2])
                .map(|(part, step)| operand(&part.chars().map(extent).collect::<Vec<_>>(), step))
                .collect();
            let tensors: Vec<Tensor> = arrays.iter().cloned().map(Tensor::constant).collect();
            let y = Tensor::einsum(equation, &tensors.iter().collect::<Vec<_>>());
            let y = device.eval(&[y]).unwrap().remove(0);
            assert_eq!(y, plain(equation, &arrays), "{equation}");
        }
    }

    #[test]
    fn ellipses_stand_for_axes_that_broadcast() {
        let device = Device::new(Reference);
        let same = |short: &str, long: &str, a: &[usize], b: &[usize]| {
            let (a, b) = (operand(a, 5), operand(b, 3));
            let y = Tensor::einsum(
                short,
                &[&Tensor::constant(a.clone()), &Tensor::constant(b.clone())],
            );
            let y = device.eval(&[y]).unwrap().remove(0);
            assert_eq!(y, plain(long, &[a, b]), "{short}");
        };
        same("...x,xy->...y", "abx,xy->aby", &[2, 3, 4], &[4, 5]);
        same("...x,xy->...y", "x,xy->y", &[4], &[4, 5]);
        same("ab...,bc->ac...", "abde,bc->acde", &[2, 3, 4, 2], &[3, 5]);
        same("...ab,...bc->...ac", "dab,bc->dac", &[2, 3, 4], &[4, 5]);
        same("ab,bc", "ab,bc->ac", &[2, 3], &[3, 4]);
        let stretched = Tensor::einsum(
            "...a,...a->...",
            &[
                &Tensor::constant(operand(&[1, 3, 2], 5)),
                &Tensor::constant(operand(&[4, 1, 2], 3)),
            ],
        );
        assert_eq!(stretched.shape().dims(), [4, 3]);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let x = Tensor::constant(operand(&[2, 3], 1));
        let says = |equation: &str, operands: &[&Tensor], what: &str| {
            let e = Tensor::einsum(equation, operands).check().unwrap_err();
            assert!(e.to_string().contains(what), "{e}");
        };
        says("ab,bc->ac", &[&x], "has 2 operands. Received: 1");
        says("a1->a", &[&x], "letters and at most one ellipsis");
        says("abc->a", &[&x], "\"abc\" has 3 named axes");
        says("aa->a", &[&x], "named twice in one operand");
        says("ab,ab->ab", &[&x, &x.t()], "two extents. Received: 2 and 3");
        says("ab->ac", &[&x], "must name axes of the operands, each once");
        says(
            "ab->aba",
            &[&x],
            "must name axes of the operands, each once",
        );
    }
}
