//! A layer with its weights, and the two things done with it: building and calling.

use super::compatible::compatible;
use super::{Build, Call, InputShape, Layer, Weight, budget};
use crate::{Array, DType, Error, Result, Scope, Tensor, Variable};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What building a layer leaves: its weights and those of the layers inside it. Copies share them.
#[derive(Clone, Debug)]
pub(crate) struct Built {
    /// The layer's name.
    pub name: String,
    /// Whether training may change the weights, of this layer and those inside.
    pub trainable: Arc<AtomicBool>,
    /// The type in which it computes.
    pub compute: DType,
    /// Its own weights, in the order in which they were declared.
    pub weights: Vec<Weight>,
    /// What it keeps from call to call beside them.
    pub states: Vec<Weight>,
    /// The layers inside, by the name of the field (Keras' attribute).
    pub children: Vec<(String, Built)>,
    /// The shapes of its inputs and outputs, when it was built.
    pub inputs: Vec<InputShape>,
    pub outputs: Vec<InputShape>,
}

impl Built {
    /// Adds all weights in Keras' order (own before those of layers inside); each says whether
    /// training changes it, given whether it may.
    pub fn collect(&self, trainable: bool, into: &mut Vec<Weight>) {
        let trainable = trainable && self.trainable.load(Ordering::Relaxed);
        let of = |trained: bool| self.weights.iter().filter(move |w| w.trainable == trained);
        for w in of(true).chain(of(false)) {
            // A layer called twice is one layer.
            if into.iter().all(|known| known.variable != w.variable) {
                let mut w = w.clone();
                w.trainable &= trainable;
                into.push(w);
            }
        }
        for (_, child) in &self.children {
            child.collect(trainable, into);
        }
    }

    /// Freezes the layer and all inside it, or lets training change them again, as Keras' `trainable` does.
    pub fn set_trainable(&self, trainable: bool) {
        self.trainable.store(trainable, Ordering::Relaxed);
        for (_, child) in &self.children {
            child.set_trainable(trainable);
        }
    }

    /// The layer inside that is in this field.
    pub fn child(&self, field: &str) -> Result<&Built> {
        let found = self.children.iter().find(|(known, _)| known == field);
        found.map(|(_, built)| built).ok_or_else(|| {
            Error::state(format!(
                "The layer in \"{field}\" was not built: build() must call Build::layer for it."
            ))
        })
    }

    /// Whether there are weights that training moves other than by gradients, such as running means;
    /// and whether there are states, here or inside.
    pub fn moves(&self) -> (bool, bool) {
        let own = (
            self.weights.iter().any(|w| !w.trainable),
            !self.states.is_empty(),
        );
        self.children.iter().fold(own, |(means, states), (_, c)| {
            let inside = c.moves();
            (means || inside.0, states || inside.1)
        })
    }

    /// Adds what is kept from call to call, here and inside.
    pub fn collect_states(&self, into: &mut Vec<Variable>) {
        into.extend(self.states.iter().map(|s| s.variable.clone()));
        self.children
            .iter()
            .for_each(|(_, c)| c.collect_states(into));
    }

    /// Sets the states, here and inside, back to zeros.
    pub fn reset_states(&self) -> Result<()> {
        for state in &self.states {
            let v = &state.variable;
            v.assign(Array::zeros(v.dtype(), v.shape().clone()))?;
        }
        self.children.iter().try_for_each(|(_, c)| c.reset_states())
    }

    /// All weights.
    pub fn all_weights(&self) -> Vec<Weight> {
        let mut all = Vec::new();
        self.collect(true, &mut all);
        all
    }
}

/// One forward pass in the making, and what it leaves beside its output.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    /// Whether this is a step of training.
    pub training: bool,
    /// The random state, in training.
    pub random_state: Option<Tensor>,
    /// How many random draws there were.
    pub stream: u32,
    /// Scalars that join the loss.
    pub losses: Vec<Tensor>,
    /// Assignments of layers' own state.
    pub updates: Vec<(Variable, Tensor)>,
    /// Every layer's name and output, if asked for.
    pub taps: Option<Vec<(String, Tensor)>>,
    /// What is the fingerprints of texts.
    pub texts: Vec<Tensor>,
    /// The layers that were given a mask and dropped it.
    pub unmasked: Vec<String>,
}

impl Pass {
    /// The value of a variable from here on: what a layer assigned to it, if one did.
    pub fn value(&self, variable: &Variable) -> Tensor {
        let assigned = self.updates.iter().find(|(v, _)| v == variable);
        assigned.map_or_else(|| variable.tensor(), |(_, value)| value.clone())
    }
}

/// What a layer gives: tensors, and a mask for each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outputs {
    pub tensors: Vec<Tensor>,
    pub masks: Vec<Option<Tensor>>,
}

/// Where a layer is built: what its name begins with, and how its weights are made.
pub(crate) struct Site<'a> {
    /// The names of the layers around it, with slashes.
    pub path: &'a str,
    /// The seed of initial weights, and the next stream of it.
    pub seed: u64,
    pub stream: &'a mut u32,
    /// Whether only shapes matter: weights are zeros.
    pub dry: bool,
}

/// Declares a layer's weights for inputs of these shapes, and finds the shapes of its outputs.
pub(crate) fn build_layer(
    layer: &dyn Layer,
    name: &str,
    inputs: &[InputShape],
    site: Site<'_>,
) -> Result<Built> {
    let mut built = declare(layer, name, inputs, site)?;
    built.outputs = output_shapes(layer, &built, inputs)?;
    let mut outputs = built.outputs.iter();
    outputs
        .try_for_each(budget::sample)
        .map_err(|e| e.in_scope(name))?;
    Ok(built)
}

/// Declares a layer's weights for inputs of these shapes.
pub(super) fn declare(
    layer: &dyn Layer,
    name: &str,
    inputs: &[InputShape],
    site: Site<'_>,
) -> Result<Built> {
    let in_layer = |e: Error| e.in_scope(name);
    let base = layer.base().cloned().unwrap_or_default();
    if let Some(e) = base.error {
        return Err(in_layer(e));
    }
    if let Some(r) = &base.activity_regularizer {
        r.check().map_err(in_layer)?;
    }
    let arity = layer.arity();
    let Some(first) = inputs.first().filter(|_| arity.contains(&inputs.len())) else {
        let expected = match (*arity.start(), *arity.end()) {
            (1, 1) => "one input".to_string(),
            (a, b) if a == b => format!("{a} inputs"),
            (a, usize::MAX) => format!("at least {a} inputs"),
            (a, b) => format!("{a} to {b} inputs"),
        };
        return Err(in_layer(Error::shape(format!(
            "{} takes {expected}. Received: {}.",
            layer.class_name(),
            inputs.len()
        ))));
    };
    let path = match site.path {
        "" => name.to_string(),
        around => format!("{around}/{name}"),
    };
    let mut cx = Build {
        path: &path,
        inputs,
        policy: base.dtype,
        seed: site.seed,
        stream: site.stream,
        dry: site.dry,
        weights: Vec::new(),
        states: Vec::new(),
        children: Vec::new(),
    };
    inputs
        .iter()
        .try_for_each(budget::sample)
        .map_err(in_layer)?;
    layer.build(&mut cx, first).map_err(in_layer)?;
    Ok(Built {
        name: name.to_string(),
        trainable: Arc::new(AtomicBool::new(base.trainable)),
        compute: base.dtype.compute,
        weights: cx.weights,
        states: cx.states,
        children: cx.children,
        inputs: inputs.to_vec(),
        outputs: Vec::new(),
    })
}

/// The shapes a layer gives: its expression is traced for two sizes of what is unknown, and what
/// differs between the two is unknown in the result.
pub(crate) fn output_shapes(
    layer: &dyn Layer,
    built: &Built,
    inputs: &[InputShape],
) -> Result<Vec<InputShape>> {
    // Extents that many strides and factors divide, and that are larger than most kernels.
    const UNKNOWN: [(usize, usize); 2] = [(2, 48), (3, 96)];
    let trace = |(batch, n): (usize, usize)| -> Result<Vec<Tensor>> {
        let xs: Vec<Tensor> = inputs
            .iter()
            .enumerate()
            .map(|(i, shape)| {
                let extents = shape.0.iter().enumerate();
                let extents =
                    extents.map(|(axis, d)| d.unwrap_or([n, batch][usize::from(axis == 0)]));
                Tensor::input(i, extents.collect::<crate::Shape>(), built.compute)
            })
            .collect();
        let masks = vec![None; xs.len()];
        let outputs = call_layer(layer, built, &xs, &masks, true, &mut Pass::default());
        outputs.tensors.iter().try_for_each(Tensor::check)?;
        Ok(outputs.tensors)
    };
    let (a, b) = (trace(UNKNOWN[0])?, trace(UNKNOWN[1])?);
    let unknown = inputs.iter().all(|s| s.0.first() == Some(&None));
    let shape = |(a, b): (&Tensor, &Tensor)| {
        let (a, b) = (a.shape(), b.shape());
        let fail = |message: String| Err(Error::shape(message).in_scope(&*built.name));
        if a.rank() != b.rank() {
            return fail("The rank of the output depends on the batch size.".to_string());
        }
        if unknown && (a.first(), b.first()) != (Some(&2), Some(&3)) {
            return fail(format!(
                "The first axis of the output must be the batch, as in the input. Received: shape \
                 {a} for a batch of 2."
            ));
        }
        let extents = a.iter().zip(b.iter()).map(|(a, b)| (a == b).then_some(*a));
        Ok(InputShape(extents.collect()))
    };
    a.iter().zip(&b).map(shape).collect()
}

/// Refuses a mask that is not of its input's steps: the axes after the batch, or, with channels first,
/// those after the channels.
fn fits(mask: &Tensor, x: &Tensor) -> Result<()> {
    x.check()?;
    mask.check()?;
    let (m, x) = (mask.shape(), x.shape());
    let steps = m.get(1..).unwrap_or_default();
    let from = |axis: usize| x.get(axis..).is_some_and(|axes| axes.starts_with(steps));
    if mask.dtype() == DType::Bool && m.first() == x.first() && (from(1) || from(2)) {
        return Ok(());
    }
    Err(Error::shape(format!(
        "The mask of an input of shape {x} must be bool, with an extent for each of its first axes. \
         Received: {} of shape {m}.",
        mask.dtype()
    )))
}

/// What `f` gives of a layer's weights and these inputs, in the type in which the layer computes.
pub(crate) fn enter<T>(
    built: &Built,
    inputs: &[Tensor],
    masks: &[Option<Tensor>],
    trainable: bool,
    pass: &mut Pass,
    f: impl FnOnce(&mut Call<'_>) -> T,
) -> T {
    let _scope = Scope::enter(&built.name);
    let inputs: Vec<Tensor> = inputs
        .iter()
        .map(|x| match x.dtype().is_float() {
            true => x.cast(built.compute),
            false => x.clone(),
        })
        .collect();
    f(&mut Call {
        built,
        inputs: &inputs,
        masks,
        trainable: trainable && built.trainable.load(Ordering::Relaxed),
        pass,
        more: Vec::new(),
        own_masks: None,
    })
}

/// The layer's outputs for these inputs.
pub(crate) fn call_layer(
    layer: &dyn Layer,
    built: &Built,
    inputs: &[Tensor],
    masks: &[Option<Tensor>],
    trainable: bool,
    pass: &mut Pass,
) -> Outputs {
    let masks_fit = || {
        let mut masked = inputs.iter().zip(masks);
        masked.try_for_each(|(x, mask)| mask.as_ref().map_or(Ok(()), |mask| fits(mask, x)))
    };
    if let Err(e) = compatible(layer, built, inputs).and_then(|()| masks_fit()) {
        let failed = Tensor::error(e.in_scope(&*built.name));
        let outputs = built.outputs.len().max(1);
        return Outputs {
            tensors: vec![failed; outputs],
            masks: vec![None; outputs],
        };
    }
    let (y, more, own_masks) = enter(built, inputs, masks, trainable, pass, |cx| {
        let y = cx.inputs.first().map(|x| layer.call(cx, x));
        (y, std::mem::take(&mut cx.more), cx.own_masks.take())
    });
    let Some(y) = y else {
        return Outputs::default();
    };
    if let Some(r) = layer.base().and_then(|b| b.activity_regularizer.as_ref()) {
        let batch = y.shape().first().copied().unwrap_or(1).max(1) as f64;
        pass.losses.push(r.penalty(&y) / batch);
    }
    let tensors: Vec<Tensor> = std::iter::once(y).chain(more).collect();
    let mut masks = own_masks.unwrap_or_else(|| {
        let mask = masks.first().cloned().flatten();
        if mask.is_some() && !layer.supports_masking() {
            pass.unmasked.push(built.name.clone());
            return Vec::new();
        }
        vec![mask; tensors.len()]
    });
    masks.resize(tensors.len(), None);
    Outputs { tensors, masks }
}
