//! The densely connected layer whose product is an equation.

use super::base::{Base, options};
use super::registry::penalized;
use super::weight_options::{glorot_uniform, kernel_options, zeros};
use super::{Build, Call, InputShape, Layer};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A kernel applied by an equation in Einstein's convention: `activation(einsum(x, kernel) + bias)`.
///
/// The equation names the axes of input, kernel and result: `"ab,bc->ac"` is a
/// [`Dense`](super::Dense) layer, `"abc,cde->abde"` gives every step two axes of features. Axes may be
/// left out at the front (`"...x,xy->...y"`) or at the end (`"ab...,bc->ac..."`).
///
/// * Output: the result without the batch is `output_shape`, in which `None` stands for what the input
///   says; axes that an ellipsis stands for are not in it.
/// * Weights: `kernel`, as the equation says, and `bias` along the axes of the result named in
///   `bias_axes` (none by default).
/// * Defaults: no activation, kernel `"glorot_uniform"` (the axes that it shares with the input count as
///   inputs, those with the result as outputs), bias `"zeros"`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// let heads = EinsumDense::new("abc,cde->abde", [None, Some(2), Some(3)]).bias_axes("de");
/// model.add(heads.input_shape([7, 4]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 7, 2, 3)");
/// assert_eq!(model.count_params()?, 4 * 2 * 3 + 2 * 3);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EinsumDense {
    #[serde(skip)]
    base: Base,
    equation: String,
    output_shape: Extents,
    #[serde(default)]
    activation: Activation,
    #[serde(default)]
    bias_axes: Option<String>,
    #[serde(default = "glorot_uniform")]
    pub(super) kernel_initializer: Initializer,
    #[serde(default = "zeros")]
    pub(super) bias_initializer: Initializer,
    #[serde(default)]
    pub(super) kernel_regularizer: Option<Regularizer>,
    #[serde(default)]
    pub(super) bias_regularizer: Option<Regularizer>,
    #[serde(default)]
    pub(super) kernel_constraint: Option<Constraint>,
    #[serde(default)]
    pub(super) bias_constraint: Option<Constraint>,
}

/// The extents of a result but for the batch; `None` where the input says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrAll", into = "Vec<Option<usize>>")]
pub struct Extents(Vec<Option<usize>>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrAll {
    One(usize),
    All(Vec<Option<usize>>),
}

impl From<OneOrAll> for Extents {
    fn from(value: OneOrAll) -> Self {
        match value {
            OneOrAll::One(n) => n.into(),
            OneOrAll::All(all) => Extents(all),
        }
    }
}

impl From<Extents> for Vec<Option<usize>> {
    fn from(value: Extents) -> Self {
        value.0
    }
}

impl From<usize> for Extents {
    fn from(n: usize) -> Self {
        Extents(vec![Some(n)])
    }
}

impl<const N: usize> From<[usize; N]> for Extents {
    fn from(all: [usize; N]) -> Self {
        Extents(all.map(Some).to_vec())
    }
}

impl<const N: usize> From<[Option<usize>; N]> for Extents {
    fn from(all: [Option<usize>; N]) -> Self {
        Extents(all.to_vec())
    }
}

impl From<Vec<Option<usize>>> for Extents {
    fn from(all: Vec<Option<usize>>) -> Self {
        Extents(all)
    }
}

impl EinsumDense {
    /// A layer that computes `equation`, with a result of these extents (without the batch).
    pub fn new(equation: impl Into<String>, output_shape: impl Into<Extents>) -> Self {
        Self {
            base: Base::default(),
            equation: equation.into(),
            output_shape: output_shape.into(),
            activation: Activation::default(),
            bias_axes: None,
            kernel_initializer: glorot_uniform(),
            bias_initializer: zeros(),
            kernel_regularizer: None,
            bias_regularizer: None,
            kernel_constraint: None,
            bias_constraint: None,
        }
    }

    /// The activation; none by default.
    pub fn activation(mut self, activation: impl Into<Activation>) -> Self {
        self.activation = activation.into();
        self
    }

    /// The axes of the result, by their letters, along which a bias is added; none by default.
    pub fn bias_axes(mut self, axes: impl Into<String>) -> Self {
        self.bias_axes = Some(axes.into());
        self
    }

    /// What the equation says of the weights, for an input of this shape.
    fn plan(&self, input: &InputShape) -> Result<Plan> {
        let equation = Equation::parse(&self.equation)?;
        let fail = |what: String| Err(Error::shape(format!("{what} in \"{}\".", self.equation)));
        let (given, wanted) = (input.rank(), equation.input.len());
        let elided = match (equation.elided, given.checked_sub(wanted)) {
            (Elided::Nothing, Some(0)) => 0,
            (Elided::Front, Some(n)) if n > 0 => n,
            (Elided::End, Some(n)) => n,
            _ => {
                return fail(format!(
                    "The input shape {input} has {given} axes and not the {wanted} that are named"
                ));
            }
        };
        // The whole result, with the batch and what the ellipsis stands for.
        let mut output = vec![input.0[0]];
        if equation.elided == Elided::Front {
            output.extend(&input.0[1..elided]);
        }
        output.extend(&self.output_shape.0);
        if equation.elided == Elided::End {
            output.extend(&input.0[given - elided..]);
        }
        if output.len() != equation.output.len() + elided {
            return fail(format!(
                "output_shape {} does not have one extent for each axis of the result but the batch",
                InputShape(self.output_shape.0.clone())
            ));
        }
        let skipped = match equation.elided {
            Elided::Front => elided,
            _ => 0,
        };
        let find = |letters: &[char], extents: &[Option<usize>], c: char| {
            let at = letters.iter().position(|l| *l == c)?;
            Some(extents[at + skipped])
        };
        for c in &equation.input {
            let own = find(&equation.input, &input.0, *c).flatten();
            match find(&equation.output, &output, *c).flatten() {
                Some(n) if own.is_some_and(|own| own != n) => {
                    return fail(format!(
                        "The axis '{c}' has {} cells in the input and {n} in output_shape",
                        own.unwrap_or_default()
                    ));
                }
                _ => {}
            }
        }
        let mut plan = Plan::default();
        for (axis, c) in equation.kernel.iter().enumerate() {
            let (of_output, of_input) = (
                find(&equation.output, &output, *c),
                find(&equation.input, &input.0, *c),
            );
            match of_output {
                Some(_) => plan.outputs.push(axis),
                None => plan.inputs.push(axis),
            }
            let extent = of_output.flatten().or(of_input.flatten());
            match extent {
                Some(n) => plan.kernel.push(n),
                None => {
                    return fail(format!(
                        "The kernel's axis '{c}' must be an axis of the input or of output_shape whose \
                         extent is known; it is not"
                    ));
                }
            }
        }
        if let Some(axes) = &self.bias_axes {
            if let Some(c) = axes.chars().find(|c| !equation.output.contains(c)) {
                return fail(format!(
                    "bias_axes names '{c}', which is no axis of the result"
                ));
            }
            let first = equation.output.iter().position(|c| axes.contains(*c));
            let mut shape = Vec::new();
            for c in &equation.output[first.unwrap_or(equation.output.len())..] {
                match find(&equation.output, &output, *c).flatten() {
                    _ if !axes.contains(*c) => shape.push(1),
                    Some(n) => shape.push(n),
                    None => return fail(format!("The bias' axis '{c}' has no known extent")),
                }
            }
            if equation.elided == Elided::End {
                shape.extend(vec![1; elided]);
            }
            plan.bias = Some(shape);
        }
        Ok(plan)
    }
}

/// Where an equation leaves axes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Elided {
    Nothing,
    Front,
    End,
}

/// The letters of an equation.
struct Equation {
    input: Vec<char>,
    kernel: Vec<char>,
    output: Vec<char>,
    elided: Elided,
}

impl Equation {
    fn parse(text: &str) -> Result<Equation> {
        let fail = || {
            Error::new(format!(
                "An equation is written X,Y->Z or ...X,Y->...Z or X...,Y->Z..., in letters, and every \
                 axis of the result is one of input or kernel. Received: \"{text}\"."
            ))
        };
        let (left, output) = text.split_once("->").ok_or_else(fail)?;
        let (input, kernel) = left.split_once(',').ok_or_else(fail)?;
        let side = |part: &str| match (part.strip_prefix("..."), part.strip_suffix("...")) {
            (Some(letters), _) => (Elided::Front, letters.to_string()),
            (None, Some(letters)) => (Elided::End, letters.to_string()),
            (None, None) => (Elided::Nothing, part.to_string()),
        };
        let ((elided, input), (other, output)) = (side(input.trim()), side(output.trim()));
        let letters = |part: &str| -> Option<Vec<char>> {
            let fits = !part.is_empty() && part.chars().all(|c| c.is_ascii_alphabetic());
            fits.then(|| part.chars().collect())
        };
        let equation = Equation {
            input: letters(&input).ok_or_else(fail)?,
            kernel: letters(kernel.trim()).ok_or_else(fail)?,
            output: letters(&output).ok_or_else(fail)?,
            elided,
        };
        let known = |c: &char| equation.input.contains(c) || equation.kernel.contains(c);
        if elided != other || !equation.output.iter().all(known) {
            return Err(fail());
        }
        Ok(equation)
    }
}

/// The shapes of the weights, and which axes of the kernel are inputs and outputs.
#[derive(Default)]
struct Plan {
    kernel: Vec<usize>,
    bias: Option<Vec<usize>>,
    inputs: Vec<usize>,
    outputs: Vec<usize>,
}

options!(EinsumDense);
kernel_options!(EinsumDense);

impl Layer for EinsumDense {
    fn class_name(&self) -> &str {
        "EinsumDense"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        penalized(self)
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.activation.check()?;
        let plan = self.plan(input)?;
        if plan.kernel.contains(&0) {
            return Err(Error::shape(format!(
                "EinsumDense \"{}\" needs axes of at least one cell. Received: input shape {input}.",
                self.equation
            )));
        }
        let initializer = self.kernel_initializer.clone();
        cx.weight("kernel", plan.kernel)
            .initializer(initializer.with_fans(&plan.inputs, &plan.outputs))
            .regularizer(self.kernel_regularizer.clone())
            .constraint(self.kernel_constraint.clone())
            .add()?;
        if let Some(shape) = plan.bias {
            cx.weight("bias", shape)
                .initializer(self.bias_initializer.clone())
                .regularizer(self.bias_regularizer.clone())
                .constraint(self.bias_constraint.clone())
                .add()?;
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let mut y = Tensor::einsum(&self.equation, &[x, &cx.weight("kernel")]);
        if self.bias_axes.is_some() {
            y = y + cx.weight("bias");
        }
        self.activation.apply(&y)
    }
}
